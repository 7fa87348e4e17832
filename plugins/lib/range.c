/* Ranges of the Monitoring Plugins guidelines. */
#include "plugins/lib/range.h"

#include "xenclient/util/error.h"

#include <math.h>
#include <string.h>

/* Decimal digits with at most one point, a sign before them and one '%' behind. strtod alone would take "inf", "0x1"
 * and "1e3", too. */
static bool parse_number(const char *text, size_t length, double *out)
{
    g_autofree char *copy = g_strndup(text, length);
    const char *digits = copy[0] == '-' ? copy + 1 : copy;
    char *end;

    if (g_str_has_suffix(copy, "%"))
        copy[length - 1] = '\0';
    if (!g_ascii_isdigit(digits[0]) && !(digits[0] == '.' && g_ascii_isdigit(digits[1])))
        return false;
    if (digits[strspn(digits, "0123456789.")] != '\0')
        return false;
    *out = g_ascii_strtod(copy, &end);
    return *end == '\0' && isfinite(*out);
}

static bool parse_start(const char *text, size_t length, double *out)
{
    if (length == 1 && text[0] == '~') {
        *out = -INFINITY;
        return true;
    }
    *out = 0;
    return length == 0 || parse_number(text, length, out);
}

static bool parse_end(const char *text, double *out)
{
    *out = INFINITY;
    return text[0] == '\0' || parse_number(text, strlen(text), out);
}

bool chk_range_parse(const char *text, struct chk_range *out, GError **error)
{
    const char *from = text[0] == '@' ? text + 1 : text;
    const char *colon = strchr(from, ':');
    struct chk_range range = {.inside = text[0] == '@'};
    bool ok;

    if (from[0] == '\0' || g_str_equal(from, ":"))
        ok = false;
    else if (colon)
        ok = parse_start(from, (size_t)(colon - from), &range.start) &&
             parse_end(colon + 1, &range.end);
    else
        ok = parse_number(from, strlen(from), &range.end);
    if (!ok)
        return xc_fail(error, XC_CAUSE_BAD_VALUE,
                       "\"%s\" is no range: [@]start:end, such as 10, 10:, ~:10, 10:20, @10:20",
                       text);
    if (range.start > range.end)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "\"%s\" ends before it starts", text);
    *out = range;
    return true;
}

bool chk_range_alerts(const struct chk_range *range, double value)
{
    bool within = value >= range->start && value <= range->end;

    return within == range->inside;
}

/* Exact as long as the number has 15 digits; never an exponent, which perfdata does not know. */
char *chk_number_format(double number)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    size_t length;

    if (fabs(number) >= 1e15)
        return g_strdup_printf("%.0f", number);
    g_ascii_formatd(text, sizeof(text), "%.6f", number);
    length = strlen(text);
    while (text[length - 1] == '0')
        length--;
    if (text[length - 1] == '.')
        length--;
    text[length] = '\0';
    return g_strdup(g_str_equal(text, "-0") ? "0" : text);
}

char *chk_range_format(const struct chk_range *range)
{
    g_autofree char *start = isinf(range->start) ? g_strdup("~") : chk_number_format(range->start);
    g_autofree char *end = isinf(range->end) ? g_strdup("") : chk_number_format(range->end);
    bool short_form = range->start == 0 && end[0];

    return g_strconcat(range->inside ? "@" : "", short_form ? "" : start, short_form ? "" : ":",
                       end, NULL);
}
