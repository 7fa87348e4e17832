/* Typed setters of values. */
#include "subagent/value.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char *const type_names[] = {
    [ST_INTEGER32] = "Integer32",  [ST_UNSIGNED32] = "Unsigned32", [ST_GAUGE32] = "Gauge32",
    [ST_COUNTER32] = "Counter32",  [ST_COUNTER64] = "Counter64",   [ST_PERCENT] = "XenPercent",
    [ST_TIMESTAMP] = "TimeStamp",  [ST_ENUM] = "Enumeration",      [ST_TRUTH] = "TruthValue",
    [ST_ROW_STATUS] = "RowStatus", [ST_LOCK] = "TestAndIncr",      [ST_BITS] = "Bits",
    [ST_TEXT] = "SnmpAdminString", [ST_DATE] = "DateAndTime",      [ST_TICKS] = "TimeTicks",
    [ST_OCTETS] = "OctetString",   [ST_OID] = "ObjectIdentifier",
};

const char *st_type_name(enum st_type type)
{
    return type_names[type];
}

bool st_number(struct st_value *out, uint64_t number)
{
    out->number = number;
    return true;
}

bool st_gauge(struct st_value *out, uint64_t number)
{
    return st_number(out, MIN(number, G_MAXUINT32));
}

bool st_truth(struct st_value *out, bool truth)
{
    return st_number(out, truth ? ST_TRUE : ST_FALSE);
}

/* Where to cut so that no character is torn: before a continuation octet lies the middle of one. */
static size_t whole_characters(const char *text, size_t length)
{
    if (length <= ST_VALUE_MAX)
        return length;
    length = ST_VALUE_MAX;
    while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
        length--;
    return length;
}

bool st_text(struct st_value *out, const char *text)
{
    out->octets = text ? text : "";
    out->length = text ? whole_characters(text, strlen(text)) : 0;
    return true;
}

bool st_text_or_none(struct st_value *out, const char *text)
{
    return text && *text && st_text(out, text);
}

bool st_text_copy(struct st_value *out, const char *text)
{
    out->length = whole_characters(text, strlen(text));
    memcpy(out->buffer, text, out->length);
    out->octets = out->buffer;
    return true;
}

bool st_format(struct st_value *out, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    return st_text_copy(out, text);
}

bool st_date(struct st_value *out, int64_t usec)
{
    int64_t tenths = usec / 100000;
    time_t seconds = (time_t)(tenths / 10);
    struct tm when;

    if (usec <= 0 || !gmtime_r(&seconds, &when) || when.tm_year + 1900 > G_MAXUINT16)
        return false;
    unsigned year = (unsigned)when.tm_year + 1900;
    const unsigned char octets[11] = {
        (unsigned char)(year >> 8),
        (unsigned char)year,
        (unsigned char)(when.tm_mon + 1),
        (unsigned char)when.tm_mday,
        (unsigned char)when.tm_hour,
        (unsigned char)when.tm_min,
        (unsigned char)when.tm_sec,
        (unsigned char)(tenths % 10),
        '+',
        0,
        0,
    };
    memcpy(out->buffer, octets, sizeof(octets));
    out->octets = out->buffer;
    out->length = sizeof(octets);
    return true;
}

bool st_ticks(struct st_value *out, int64_t usec)
{
    return st_number(out, (uint64_t)(usec / 10000) & G_MAXUINT32);
}

bool st_bytes(struct st_value *out, const void *bytes, size_t size)
{
    out->octets = bytes;
    out->length = size;
    return true;
}

bool st_bits(struct st_value *out, uint32_t word, unsigned n)
{
    size_t length = (n + 7) / 8;

    memset(out->buffer, 0, length);
    for (unsigned i = 0; i < n; i++)
        if ((word >> i) & 1)
            out->buffer[i / 8] = (char)((unsigned char)out->buffer[i / 8] | (0x80u >> (i % 8)));
    out->octets = out->buffer;
    out->length = length;
    return true;
}
