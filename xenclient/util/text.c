/* Text from outside. */
#include "xenclient/util/text.h"

#include "xenclient/util/error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One character at p: its length if it is printable, valid UTF-8, else 0. */
static size_t printable(const char *p, size_t left)
{
    gunichar c = g_utf8_get_char_validated(p, (gssize)left);

    if (c == (gunichar)-1 || c == (gunichar)-2)
        return 0;
    if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029)
        return 0;
    return (size_t)g_utf8_skip[(guchar)*p];
}

char *xc_text_clean(const char *bytes, size_t length, size_t max)
{
    GString *out = g_string_sized_new(MIN(length, max));

    for (size_t i = 0; i < length;) {
        size_t n = printable(bytes + i, length - i);
        size_t step = n ? n : 1;

        if (out->len + step > max)
            break;
        if (n)
            g_string_append_len(out, bytes + i, (gssize)n);
        else
            g_string_append_c(out, '?');
        i += step;
    }
    return g_string_free(out, FALSE);
}

char *xc_text_escape(const char *text, size_t max)
{
    size_t length = strlen(text);
    size_t shown = MIN(length, max);
    GString *out = g_string_sized_new(shown + 8);
    size_t i = 0;

    while (i < shown) {
        size_t n = printable(text + i, length - i);

        if (n) {
            g_string_append_len(out, text + i, (gssize)n);
            i += n;
        } else {
            g_string_append_printf(out, "\\x%02x", (unsigned)(guchar)text[i]);
            i++;
        }
    }
    /* A character across the limit was shown whole. */
    if (i < length)
        g_string_append(out, "...");
    return g_string_free(out, FALSE);
}

bool xc_text_to_u64(const char *text, uint64_t min, uint64_t max, uint64_t *out, GError **error)
{
    guint64 value;
    g_autoptr(GError) inner = NULL;

    if (!text || text[0] == '+' || !g_ascii_string_to_unsigned(text, 10, min, max, &value, &inner))
        return xc_fail(error, XC_CAUSE_BAD_VALUE,
                       "not a number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT, min, max);
    *out = value;
    return true;
}

bool xc_text_to_i64(const char *text, int64_t min, int64_t max, int64_t *out, GError **error)
{
    gint64 value;
    g_autoptr(GError) inner = NULL;

    /* GLib takes a plus as well. */
    if (!text || text[0] == '+' || !g_ascii_string_to_signed(text, 10, min, max, &value, &inner))
        return xc_fail(error, XC_CAUSE_BAD_VALUE,
                       "not a number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, min, max);
    *out = value;
    return true;
}

/* The digits behind the point times scale, rounded to nearest. *text is moved behind them. */
static bool take_fraction(const char **text, uint64_t scale, uint64_t *out)
{
    size_t digits = strspn(*text, "0123456789");
    uint64_t part = 0;
    uint64_t whole = 1;

    for (size_t i = 0; i < MIN(digits, 9); i++) {
        part = part * 10 + (uint64_t)((*text)[i] - '0');
        whole *= 10;
    }
    *text += digits;
    /* part < whole, so the result fits wherever scale does. */
    *out = (uint64_t)(((unsigned __int128)part * scale + whole / 2) / whole);
    return digits > 0;
}

bool xc_text_to_scaled(const char *text, uint64_t scale, uint64_t *out, GError **error)
{
    size_t whole = text ? strspn(text, "0123456789") : 0;
    uint64_t value;
    uint64_t fraction = 0;
    const char *p;

    if (whole == 0 || whole > 18)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "not a decimal number");
    value = g_ascii_strtoull(text, NULL, 10);
    if (scale && value > G_MAXUINT64 / scale / 2)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "number too large");
    p = text + whole;
    if (*p == '.') {
        p++;
        if (!take_fraction(&p, scale, &fraction))
            return xc_fail(error, XC_CAUSE_BAD_VALUE, "not a decimal number");
    }
    if (*p)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "not a decimal number");
    *out = value * scale + fraction;
    return true;
}

bool xc_text_is_key(const char *text, size_t max)
{
    size_t length = strlen(text);

    if (length < 1 || length > max || !g_ascii_isalnum(text[0]))
        return false;
    for (size_t i = 0; i < length; i++)
        if (!g_ascii_isalnum(text[i]) && !strchr("._-", text[i]))
            return false;
    return true;
}

int xc_key_compare(const char *a, const char *b)
{
    size_t x = strlen(a);
    size_t y = strlen(b);

    if (x != y)
        return x < y ? -1 : 1;
    return memcmp(a, b, x);
}
