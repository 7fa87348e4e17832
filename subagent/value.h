/* A value on its way to a varbind: typed setters over one small buffer. No allocation. */
#pragma once

#include "xenclient/util/labels.h"

#include <stddef.h>
#include <stdint.h>

/* The syntaxes a column may have. */
enum st_type {
    ST_INTEGER32 = 1,
    ST_UNSIGNED32,
    ST_GAUGE32,
    ST_COUNTER32,
    ST_COUNTER64,
    ST_PERCENT, /* hundredths, a gauge */
    ST_TIMESTAMP,
    ST_TICKS, /* TimeTicks, a duration */
    ST_ENUM,
    ST_TRUTH,
    ST_ROW_STATUS,
    ST_LOCK, /* TestAndIncr */
    ST_BITS,
    ST_TEXT,
    ST_DATE, /* DateAndTime, 11 octets, UTC */
    ST_OCTETS,
    ST_OID,
};
/* The name of the syntax in SMI terms: "Gauge32", "SnmpAdminString", "Enumeration". */
const char *st_type_name(enum st_type type);

enum { ST_TRUE = 1, ST_FALSE = 2 };
enum {
    ST_ROW_ACTIVE = 1,
    ST_ROW_NOT_IN_SERVICE,
    ST_ROW_NOT_READY,
    ST_ROW_CREATE_AND_GO,
    ST_ROW_CREATE_AND_WAIT,
    ST_ROW_DESTROY
};

#define ST_VALUE_MAX 255

/* Numbers are held as such; octets point into `buffer` or to memory that lives as long as the rows.
 */
struct st_value {
    uint64_t number;
    const void *octets;
    size_t length;
    char buffer[ST_VALUE_MAX + 1];
};

/* All return true, so that a getter may end with them. */
bool st_number(struct st_value *out, uint64_t number);
/* Not above what 32 bits hold. */
bool st_gauge(struct st_value *out, uint64_t number);
bool st_truth(struct st_value *out, bool truth);
/* Borrowed, cut at 255 octets between characters. NULL counts as "". */
bool st_text(struct st_value *out, const char *text);
/* As st_text(), but NULL and "" have no instance: false. */
bool st_text_or_none(struct st_value *out, const char *text);
/* Copied into the value. */
bool st_text_copy(struct st_value *out, const char *text);
bool st_format(struct st_value *out, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Microseconds since 1970 UTC; 0 and below: false, there is no such moment. */
bool st_date(struct st_value *out, int64_t usec);
/* Microseconds as hundredths of a second; wraps as TimeTicks do. */
bool st_ticks(struct st_value *out, int64_t usec);
/* Borrowed: octets, or (in `size` octets) the sub-identifiers of an OID. */
bool st_bytes(struct st_value *out, const void *bytes, size_t size);
/* Bit i of the word is bit i of the BITS value; `n` bits are named. */
bool st_bits(struct st_value *out, uint32_t word, unsigned n);
