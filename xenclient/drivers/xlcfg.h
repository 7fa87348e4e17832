/* The language of xl.cfg files: lexer and parser with Xen's own rules (libxlutil of 4.17). No I/O,
 * linear time, bounded: 64 KiB, 1,000 assignments, 10,000 list items, 8 levels of lists. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define XLCFG_MAX_OCTETS 65536
#define XLCFG_MAX_KEYS   1000
#define XLCFG_MAX_ITEMS  10000
#define XLCFG_MAX_DEPTH  8

enum xlcfg_kind { XLCFG_STRING, XLCFG_LIST };

/* Strings and numbers are both strings, as in Xen: memory = "512" is legal. */
struct xlcfg_value {
    enum xlcfg_kind kind;
    unsigned line;    /* where it begins, from 1 */
    char *string;     /* octets as written in the file, escapes resolved; NULL for a list */
    GPtrArray *items; /* struct xlcfg_value *; NULL for a string */
};

struct xlcfg;
struct xlcfg *xlcfg_parse(const char *text, size_t length, unsigned *line_out, GError **error);
void *xlcfg_free(struct xlcfg *config); /* returns NULL; takes NULL */
typedef struct xlcfg xlcfg;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xlcfg, xlcfg_free)

/* The last value assigned to a key, or NULL. Borrowed from the config. */
const struct xlcfg_value *xlcfg_lookup(const struct xlcfg *config, const char *key);
/* A string (or number) of that key; NULL when absent or a list. */
const char *xlcfg_string(const struct xlcfg *config, const char *key);
/* A number as xl reads it: decimal, 0x hexadecimal or octal with a leading 0, within min..max.
 * False with *error NULL-able: absent gives no error; a value that is no number does (badConfig).
 */
bool xlcfg_integer(const struct xlcfg *config, const char *key, int64_t min, int64_t max,
                   int64_t *out, GError **error);
/* The items of a list that are strings; NULL when absent or not a list. Newly allocated array of
 * borrowed strings; free with g_ptr_array_unref(). */
GPtrArray *xlcfg_list(const struct xlcfg *config, const char *key);
