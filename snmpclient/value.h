/* Object identifiers and values as plain data, so that users of the client need no net-snmp header.
 * Pure functions, any thread. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define SN_OID_MAX 128

struct sn_oid {
    unsigned n;
    uint32_t id[SN_OID_MAX];
};

/* Appends; what does not fit in SN_OID_MAX is refused (false, oid unchanged). */
bool sn_oid_append(struct sn_oid *oid, const uint32_t *ids, unsigned n);
bool sn_oid_append_number(struct sn_oid *oid, uint32_t number);
/* A string as index: its length, then its octets. */
bool sn_oid_append_text(struct sn_oid *oid, const char *text, size_t length);
/* "1.3.6.1"; the caller frees. */
char *sn_oid_format(const struct sn_oid *oid);
/* Dotted numbers, with or without a leading dot. */
bool sn_oid_parse(const char *text, struct sn_oid *out);
/* Lexicographic, as SNMP orders. */
int sn_oid_compare(const struct sn_oid *a, const struct sn_oid *b);
bool sn_oid_below(const struct sn_oid *oid, const struct sn_oid *root);

enum sn_type {
    SN_ABSENT,   /* no such object, no such instance, end of view: there is no value */
    SN_INTEGER,  /* INTEGER, Integer32 */
    SN_UNSIGNED, /* Unsigned32, Gauge32, Counter32, TimeTicks, Counter64 */
    SN_BYTES,    /* OCTET STRING, BITS, IpAddress, Opaque */
    SN_OID,      /* OBJECT IDENTIFIER, dotted in bytes */
};

struct sn_value {
    enum sn_type type;
    int64_t integer;
    uint64_t number;
    char *bytes;   /* owned; a NUL follows the last octet */
    size_t length; /* octets of bytes */
};

void sn_value_clear(struct sn_value *value);
void sn_values_clear(struct sn_value *values, size_t n);
/* The number of either integer type; fallback when absent or not a number. */
int64_t sn_value_number(const struct sn_value *value, int64_t fallback);
/* The octets; "" when absent or not text. Borrowed. */
const char *sn_value_text(const struct sn_value *value);

static inline bool sn_present(const struct sn_value *value)
{
    return value->type != SN_ABSENT;
}
