/* Bytes for pipes between our own processes: a writer that grows, a reader that never overruns.
 * All numbers little endian; a text is u16 length and octets (u32 for blobs). Pure, any thread.
 * A reader that meets anything wrong fails for good: every later get answers zeros, so a caller
 * reads a whole message and checks xc_reader_end() once. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct xc_reader {
    const uint8_t *at;
    const uint8_t *end;
    bool bad;
};
/* data may be NULL when length is 0 (an empty GByteArray). */
static inline struct xc_reader xc_reader_over(const void *data, size_t length)
{
    const uint8_t *at = data;

    return (struct xc_reader){at, length ? at + length : at, false};
}
#define XC_READER(data, length) xc_reader_over((data), (length))

void xc_put_u8(GByteArray *to, uint8_t value);
void xc_put_u32(GByteArray *to, uint32_t value);
void xc_put_u64(GByteArray *to, uint64_t value);
/* NULL is written as "". Longer than 65,535 octets: cut between characters. */
void xc_put_text(GByteArray *to, const char *text);
void xc_put_blob(GByteArray *to, const void *data, uint32_t length);
void xc_put_raw(GByteArray *to, const void *data, size_t length);

uint8_t xc_get_u8(struct xc_reader *from);
bool xc_get_flag(struct xc_reader *from); /* an octet, 0 or 1 */
uint32_t xc_get_u32(struct xc_reader *from);
uint64_t xc_get_u64(struct xc_reader *from);
/* At most max octets, no NUL, valid UTF-8; newly allocated, "" when the reader is bad. */
char *xc_get_text(struct xc_reader *from, size_t max);
/* Borrowed from the message; NULL and *length 0 when the reader is bad. */
const uint8_t *xc_get_blob(struct xc_reader *from, size_t max, size_t *length);
const uint8_t *xc_get_raw(struct xc_reader *from, size_t length);
/* True when the whole message was read and nothing was wrong. */
bool xc_reader_end(const struct xc_reader *from);
