/* A small JSON writer: commas, escapes and nesting are its business, so that what comes out is valid. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct json {
    GString *out;
    bool comma; /* something stands before in this object or array */
};

void json_init(struct json *json);
/* The text; json is deinitialised. The caller frees. */
char *json_finish(struct json *json);

/* key NULL: inside an array, or the one top value. */
void json_open_object(struct json *json, const char *key);
void json_close_object(struct json *json);
void json_open_array(struct json *json, const char *key);
void json_close_array(struct json *json);
/* Any octets: what is no UTF-8 becomes U+FFFD. */
void json_bytes(struct json *json, const char *key, const char *bytes, size_t length);
void json_text(struct json *json, const char *key, const char *text); /* NULL: null */
void json_number(struct json *json, const char *key, int64_t number);
/* A number that is written already ("12.34"). */
void json_raw_number(struct json *json, const char *key, const char *number);
void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);
