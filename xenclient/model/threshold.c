/* Thresholds as data. */
#include "xenclient/model/threshold.h"

#include "xenclient/util/error.h"
#include "xenclient/util/text.h"

#include <string.h>

#define YEAR_SEC 31536000

static const struct xc_label kinds[] = {
    {1, "hostCpu"}, {2, "hostMemory"}, {3, "domainCpu"}, {4, "domainMemory"}, {5, "dataAge"}};
XC_ENUM_DEFINE(xc_threshold_labels, "XenFigure", kinds);

bool xc_limits_check(enum xc_threshold_kind kind, const struct xc_limits *limits, GError **error)
{
    uint32_t most = kind == XC_THRESHOLD_DATA_AGE ? YEAR_SEC : 100;

    if (limits->high > most)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "a threshold of %s is at most %u, not %u",
                       xc_enum_label(&xc_threshold_labels, (int)kind), most, limits->high);
    if (limits->low < limits->high || (!limits->low && !limits->high))
        return true;
    return xc_fail(error, XC_CAUSE_BAD_VALUE,
                   "a threshold is over below where it is raised: %u is not below %u", limits->low,
                   limits->high);
}

bool xc_limits_parse(enum xc_threshold_kind kind, const char *text, struct xc_limits *out,
                     GError **error)
{
    g_auto(GStrv) parts = g_strsplit(text, "/", 3);
    uint64_t high, low;

    *out = (struct xc_limits){0};
    if (!*text)
        return true;
    if (g_strv_length(parts) != 2)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "\"%s\" is not SET/CLEAR, as 95/85", text);
    if (!xc_text_to_u64(g_strstrip(parts[0]), 1, G_MAXINT32, &high, error) ||
        !xc_text_to_u64(g_strstrip(parts[1]), 0, G_MAXINT32, &low, error))
        return false;
    *out = (struct xc_limits){(uint32_t)high, (uint32_t)low};
    return xc_limits_check(kind, out, error);
}

char *xc_threshold_text(const struct xc_threshold *t)
{
    return g_strdup_printf("%d %u/%u %s", (int)t->kind, t->limits.high, t->limits.low, t->target);
}

struct xc_threshold *xc_threshold_read(const char *name, const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, " ", 3);
    struct xc_threshold t = {.name = (char *)name};
    uint64_t kind;

    if (g_strv_length(parts) != 3 || !xc_text_to_u64(parts[0], 1, XC_N_THRESHOLDS, &kind, NULL))
        return NULL;
    t.kind = (enum xc_threshold_kind)kind;
    t.target = parts[2];
    /* "0/0": its objects have no threshold. */
    if (strcmp(parts[1], "0/0") != 0 && !xc_limits_parse(t.kind, parts[1], &t.limits, NULL))
        return NULL;
    return xc_threshold_check(&t, NULL) ? xc_threshold_copy(&t) : NULL;
}

struct xc_threshold *xc_threshold_copy(const struct xc_threshold *threshold)
{
    struct xc_threshold *copy = g_new0(struct xc_threshold, 1);

    *copy = *threshold;
    copy->name = g_strdup(threshold->name);
    copy->target = g_strdup(threshold->target);
    return copy;
}

void xc_threshold_free(void *data)
{
    struct xc_threshold *threshold = data;

    if (!threshold)
        return;
    g_free(threshold->name);
    g_free(threshold->target);
    g_free(threshold);
}

bool xc_threshold_check(const struct xc_threshold *threshold, GError **error)
{
    if (!xc_text_is_key(threshold->name, 32))
        return xc_fail(error, XC_CAUSE_BAD_VALUE,
                       "the name of a threshold is 1 to 32 of A-Z a-z 0-9 . _ -");
    if (!*threshold->target)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "a threshold is for something: '*' is all");
    return xc_limits_check(threshold->kind, &threshold->limits, error);
}

bool xc_threshold_fits(const struct xc_threshold *threshold, enum xc_threshold_kind kind,
                       const char *object)
{
    return threshold->kind == kind && g_pattern_match_simple(threshold->target, object);
}

enum xc_threshold_step xc_threshold_step(const struct xc_limits *limits, bool raised,
                                         unsigned times, uint32_t figure, bool at_once)
{
    if (raised)
        return !limits->high || figure <= limits->low ? XC_THRESHOLD_CLEARED : XC_THRESHOLD_STAYS;
    if (!limits->high || figure < limits->high)
        return XC_THRESHOLD_STAYS;
    return at_once || times + 1 >= XC_THRESHOLD_TIMES ? XC_THRESHOLD_RAISED : XC_THRESHOLD_COUNTS;
}
