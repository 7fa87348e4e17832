/* A mirror of the kit's pool, changed by events, and the report that comes of it. */
#pragma once

#include "tests/unit/xapi_events_kit.h"
#include "xenclient/drivers/xapi_report.h"
#include "xenclient/util/error.h"

/* Takes an answer; frees it. Bits of classes of which events were lost. */
static inline unsigned apply(struct xapi_mirror *mirror, char *answer, unsigned whole,
                             bool *changed)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(xapi_batch) batch = xapi_read_batch(answer, &error);
    unsigned stale = 0;

    g_assert_no_error(error);
    *changed = false;
    g_assert_true(xapi_mirror_apply(mirror, batch, whole ? whole : XAPI_ALL_CLASSES, whole, changed,
                                    &stale, &error));
    g_assert_no_error(error);
    g_free(answer);
    return stale;
}

static inline struct xapi_mirror *pool(void)
{
    struct xapi_mirror *mirror = xapi_mirror_new();
    bool changed;

    g_assert_cmpuint(apply(mirror, kit_answer(kit_pool(), "", "1"), XAPI_ALL_CLASSES, &changed), ==,
                     0);
    g_assert_true(changed);
    return mirror;
}

static inline struct xc_report *report_of(const struct xapi_mirror *mirror,
                                          struct xapi_meters *meters)
{
    g_autoptr(GError) error = NULL;
    struct xc_report *report = xc_report_new();

    g_assert_true(xapi_report_fill(report, mirror, meters, &error));
    g_assert_no_error(error);
    g_assert_true(xc_report_check(report));
    return report;
}

/* NULL: there is none. */
static inline const struct xc_domain *domain(const struct xc_report *report, const char *name)
{
    for (guint i = 0; i < report->domains->len; i++) {
        const struct xc_domain *d = &g_array_index(report->domains, struct xc_domain, i);

        if (XC_HAS(DOMAIN, d, name) && strcmp(d->name, name) == 0)
            return d;
    }
    return NULL;
}

/* One event on top of the pool. */
static inline unsigned change(struct xapi_mirror *mirror, const char *class, const char *operation,
                              const char *ref, const char *fields, bool *changed)
{
    GString *events = g_string_new(NULL);

    kit_event(events, class, operation, ref, fields);
    return apply(mirror, kit_answer(events, "", "2"), 0, changed);
}
