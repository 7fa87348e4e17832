/* A small JSON writer. */
#include "tools/xenctl/json.h"

#include <string.h>

void json_init(struct json *json)
{
    json->out = g_string_new(NULL);
    json->comma = false;
}

char *json_finish(struct json *json)
{
    return g_string_free(json->out, FALSE);
}

static void put_character(GString *out, gunichar c)
{
    if (c == '"' || c == '\\')
        g_string_append_printf(out, "\\%c", (char)c);
    else if (c == '\n')
        g_string_append(out, "\\n");
    else if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029)
        g_string_append_printf(out, "\\u%04x", (unsigned)c);
    else
        g_string_append_unichar(out, c);
}

static void put_string(GString *out, const char *bytes, size_t length)
{
    g_string_append_c(out, '"');
    for (size_t i = 0; i < length;) {
        gunichar c = bytes[i] ? g_utf8_get_char_validated(bytes + i, (gssize)(length - i)) : 0;
        bool valid = c != (gunichar)-1 && c != (gunichar)-2;

        put_character(out, valid ? c : 0xfffd);
        i += valid && c ? (size_t)g_utf8_skip[(guchar)bytes[i]] : 1;
    }
    g_string_append_c(out, '"');
}

static void begin(struct json *json, const char *key)
{
    if (json->comma)
        g_string_append(json->out, ", ");
    json->comma = true;
    if (!key)
        return;
    put_string(json->out, key, strlen(key));
    g_string_append(json->out, ": ");
}

static void open_with(struct json *json, const char *key, char bracket)
{
    begin(json, key);
    g_string_append_c(json->out, bracket);
    json->comma = false;
}

static void close_with(struct json *json, char bracket)
{
    g_string_append_c(json->out, bracket);
    json->comma = true;
}

void json_open_object(struct json *json, const char *key)
{
    open_with(json, key, '{');
}

void json_close_object(struct json *json)
{
    close_with(json, '}');
}

void json_open_array(struct json *json, const char *key)
{
    open_with(json, key, '[');
}

void json_close_array(struct json *json)
{
    close_with(json, ']');
}

void json_bytes(struct json *json, const char *key, const char *bytes, size_t length)
{
    begin(json, key);
    put_string(json->out, bytes, length);
}

void json_text(struct json *json, const char *key, const char *text)
{
    if (text)
        json_bytes(json, key, text, strlen(text));
    else
        json_null(json, key);
}

void json_number(struct json *json, const char *key, int64_t number)
{
    begin(json, key);
    g_string_append_printf(json->out, "%" G_GINT64_FORMAT, number);
}

void json_raw_number(struct json *json, const char *key, const char *number)
{
    begin(json, key);
    g_string_append(json->out, number);
}

void json_bool(struct json *json, const char *key, bool value)
{
    begin(json, key);
    g_string_append(json->out, value ? "true" : "false");
}

void json_null(struct json *json, const char *key)
{
    begin(json, key);
    g_string_append(json->out, "null");
}
