/* Text from outside: cleaning, escaping, numbers with range checks. Pure functions, any thread. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Longest text the suite shows of anything (SnmpAdminString), in octets. */
#define XC_TEXT_MAX 255

/* Valid UTF-8 of at most max octets: invalid bytes and control characters become '?', the cut
 * falls between characters. Newly allocated. */
char *xc_text_clean(const char *bytes, size_t length, size_t max);

/* For logs and terminals: control characters, DEL, backslash-free C1 and invalid bytes as \xNN,
 * at most max octets of input, "..." where it was cut. Newly allocated. */
char *xc_text_escape(const char *text, size_t max);

/* A number in decimal with nothing around it, min <= number <= max; else badValue. */
bool xc_text_to_u64(const char *text, uint64_t min, uint64_t max, uint64_t *out, GError **error);
bool xc_text_to_i64(const char *text, int64_t min, int64_t max, int64_t *out, GError **error);

/* A decimal fraction such as "12.3" times scale, rounded to nearest ("12.3", 100 -> 1230). No sign,
 * no exponent; at most 9 digits behind the point are looked at. */
bool xc_text_to_scaled(const char *text, uint64_t scale, uint64_t *out, GError **error);

/* 1..max octets of A-Za-z0-9._- beginning with a letter or digit: keys of sources, hosts,
 * credentials. */
bool xc_text_is_key(const char *text, size_t max);

/* The order in which SNMP sorts texts that are indexes: by length, then octets. */
int xc_key_compare(const char *a, const char *b);
