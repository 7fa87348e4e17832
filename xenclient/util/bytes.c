/* Bytes for pipes between our own processes. */
#include "xenclient/util/bytes.h"

#include <string.h>

void xc_put_raw(GByteArray *to, const void *data, size_t length)
{
    if (length)
        g_byte_array_append(to, data, (guint)length);
}

void xc_put_u8(GByteArray *to, uint8_t value)
{
    xc_put_raw(to, &value, 1);
}

void xc_put_u32(GByteArray *to, uint32_t value)
{
    uint32_t le = GUINT32_TO_LE(value);

    xc_put_raw(to, &le, sizeof(le));
}

void xc_put_u64(GByteArray *to, uint64_t value)
{
    uint64_t le = GUINT64_TO_LE(value);

    xc_put_raw(to, &le, sizeof(le));
}

void xc_put_text(GByteArray *to, const char *text)
{
    size_t length = text ? strlen(text) : 0;
    uint16_t le;

    if (length > G_MAXUINT16) {
        length = G_MAXUINT16;
        /* Half a character would make the reader refuse the whole message. */
        while (length > 0 && ((guchar)text[length] & 0xc0) == 0x80)
            length--;
    }
    le = GUINT16_TO_LE((uint16_t)length);
    xc_put_raw(to, &le, sizeof(le));
    xc_put_raw(to, text, length);
}

void xc_put_blob(GByteArray *to, const void *data, uint32_t length)
{
    xc_put_u32(to, length);
    xc_put_raw(to, data, length);
}

const uint8_t *xc_get_raw(struct xc_reader *from, size_t length)
{
    const uint8_t *at = from->at;

    if (from->bad || (size_t)(from->end - from->at) < length) {
        from->bad = true;
        return NULL;
    }
    if (length)
        from->at += length;
    return at;
}

uint8_t xc_get_u8(struct xc_reader *from)
{
    const uint8_t *at = xc_get_raw(from, 1);

    return at ? *at : 0;
}

bool xc_get_flag(struct xc_reader *from)
{
    uint8_t value = xc_get_u8(from);

    if (value > 1)
        from->bad = true;
    return value == 1;
}

uint32_t xc_get_u32(struct xc_reader *from)
{
    const uint8_t *at = xc_get_raw(from, sizeof(uint32_t));
    uint32_t le = 0;

    if (at)
        memcpy(&le, at, sizeof(le));
    return GUINT32_FROM_LE(le);
}

uint64_t xc_get_u64(struct xc_reader *from)
{
    const uint8_t *at = xc_get_raw(from, sizeof(uint64_t));
    uint64_t le = 0;

    if (at)
        memcpy(&le, at, sizeof(le));
    return GUINT64_FROM_LE(le);
}

char *xc_get_text(struct xc_reader *from, size_t max)
{
    const uint8_t *size = xc_get_raw(from, sizeof(uint16_t));
    const uint8_t *at = NULL;
    uint16_t le = 0;
    size_t length;

    if (size)
        memcpy(&le, size, sizeof(le));
    length = GUINT16_FROM_LE(le);
    if (length <= max)
        at = xc_get_raw(from, length);
    if (!at || memchr(at, 0, length) || !g_utf8_validate((const char *)at, (gssize)length, NULL)) {
        from->bad = true;
        return g_strdup("");
    }
    return g_strndup((const char *)at, length);
}

const uint8_t *xc_get_blob(struct xc_reader *from, size_t max, size_t *length)
{
    uint32_t size = xc_get_u32(from);
    const uint8_t *at = size <= max ? xc_get_raw(from, size) : NULL;

    if (!at)
        from->bad = true;
    *length = at ? size : 0;
    return at;
}

bool xc_reader_end(const struct xc_reader *from)
{
    return !from->bad && from->at == from->end;
}
