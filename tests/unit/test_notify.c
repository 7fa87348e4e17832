/* Notifications as data: classes, the bucket, what is told in bulk; thresholds. */
#include "xenclient/model/notify.h"

#include "xenclient/model/threshold.h"
#include "xenclient/util/clock.h"
#include "xenclient/util/error.h"

#include <string.h>

#define SEC XC_USEC_PER_SEC

static struct xc_event *event(uint32_t serial, enum xc_event_type type, enum xc_severity severity,
                              const char *object)
{
    struct xc_event *made = xc_event_new(type, severity, "host", object, "text of %s", object);

    made->serial = serial;
    return made;
}

/* --- classes */

static void test_every_kind_has_a_class(void)
{
    for (size_t i = 0; i < xc_event_type_labels.n_labels; i++) {
        enum xc_event_type type = (enum xc_event_type)xc_event_type_labels.labels[i].number;
        int class = xc_notify_class(type);

        g_assert_cmpint(class, >=, 0);
        g_assert_true(xc_enum_has(&xc_notify_class_labels, class));
        g_assert_true(xc_notify_wanted(1u << class, type));
        g_assert_false(xc_notify_wanted(~(1u << class), type));
    }
    g_assert_cmpint(xc_notify_class(XC_EVENT_NONE), ==, -1);
    g_assert_false(xc_notify_wanted(G_MAXUINT32, XC_EVENT_NONE));
}

static void test_usual_classes(void)
{
    static const enum xc_event_type wanted[] = {
        XC_EVENT_DOMAIN_CRASHED,    XC_EVENT_HOST_DOWN,      XC_EVENT_HOST_UP,
        XC_EVENT_HOST_UNAUTHORISED, XC_EVENT_HOST_UNTRUSTED, XC_EVENT_OPERATION_FAILED,
        XC_EVENT_THRESHOLD,         XC_EVENT_AGENT_STARTED,  XC_EVENT_HYPERVISOR_MESSAGE};
    static const enum xc_event_type not_wanted[] = {
        XC_EVENT_DOMAIN_STATE,       XC_EVENT_DOMAIN_CREATED, XC_EVENT_DOMAIN_DELETED,
        XC_EVENT_OPERATION_FINISHED, XC_EVENT_DOMAIN_MOVED,   XC_EVENT_SET_REFUSED};

    for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++)
        g_assert_true(xc_notify_wanted(XC_NOTIFY_USUAL, wanted[i]));
    for (size_t i = 0; i < G_N_ELEMENTS(not_wanted); i++)
        g_assert_false(xc_notify_wanted(XC_NOTIFY_USUAL, not_wanted[i]));
}

static void test_words(void)
{
    const char *const some[] = {"crash", "setRefused", NULL};
    const char *const none[] = {"none", NULL};
    const char *const wrong[] = {"crash", "Host", "x", NULL};
    const char *const mixed[] = {"crash", "none", NULL};
    uint32_t classes = 0;

    g_assert_null(xc_notify_parse(some, &classes));
    g_assert_cmpuint(classes, ==, 1u << XC_CLASS_CRASH | 1u << XC_CLASS_SET_REFUSED);
    g_assert_null(xc_notify_parse(none, &classes));
    g_assert_cmpuint(classes, ==, 0);
    g_assert_cmpstr(xc_notify_parse(wrong, &classes), ==, "Host");
    g_assert_cmpstr(xc_notify_parse(mixed, &classes), ==, "none");
}

/* --- the bucket */

static void test_bucket_begins_full(void)
{
    struct xc_bucket bucket = {0};
    gint64 now = 1234567;

    for (int i = 0; i < 50; i++)
        g_assert_true(xc_bucket_take(&bucket, now, 5, 50));
    g_assert_false(xc_bucket_take(&bucket, now, 5, 50));
    g_assert_cmpint(xc_bucket_wait(&bucket, now, 5, 50), ==, SEC / 5);
    g_assert_false(xc_bucket_take(&bucket, now + SEC / 5 - 1, 5, 50));
    g_assert_true(xc_bucket_take(&bucket, now + SEC / 5, 5, 50));
    g_assert_cmpint(xc_bucket_wait(&bucket, now + SEC, 5, 50), ==, 0);
}

static void test_bucket_is_bounded(void)
{
    static const unsigned rates[] = {1, 3, 7, 1000};
    static const unsigned bursts[] = {1, 50, 10000};

    for (size_t r = 0; r < G_N_ELEMENTS(rates); r++)
        for (size_t b = 0; b < G_N_ELEMENTS(bursts); b++) {
            struct xc_bucket bucket = {0};
            gint64 now = 1, end = 1 + 20 * SEC;
            unsigned taken = 0;

            for (; now < end; now += 1 + g_random_int_range(0, 20000))
                while (xc_bucket_take(&bucket, now, rates[r], bursts[b]))
                    taken++;
            g_assert_cmpuint(taken, <=, bursts[b] + rates[r] * 20);
            if (bursts[b] > 20 || rates[r] < 20)
                g_assert_cmpuint(taken + 1 + rates[r] / 50, >=,
                                 bursts[b] + rates[r] * 20 - rates[r]);
        }
}

static void test_bucket_outlives_time(void)
{
    struct xc_bucket bucket = {0};

    g_assert_true(xc_bucket_take(&bucket, 100, 1000, 1));
    g_assert_false(xc_bucket_take(&bucket, 50, 1000, 1)); /* no clock runs so, but it could */
    g_assert_true(xc_bucket_take(&bucket, G_MAXINT64 - 1, 1000, 1));
    g_assert_false(xc_bucket_take(&bucket, G_MAXINT64 - 1, 1000, 1));
    /* A rate or a burst that changes takes effect. */
    bucket = (struct xc_bucket){0};
    g_assert_true(xc_bucket_take(&bucket, 1, 5, 1000));
    g_assert_true(xc_bucket_take(&bucket, 1, 5, 1));
    g_assert_false(xc_bucket_take(&bucket, 1, 5, 1));
}

/* --- bulk */

static void add(struct xc_bulk *bulk, uint32_t serial, enum xc_event_type type,
                enum xc_severity severity, const char *object)
{
    struct xc_event *made = event(serial, type, severity, object);

    xc_bulk_add(bulk, made, 77);
    xc_event_free(made);
}

static void test_bulk_counts(void)
{
    struct xc_bulk bulk = {0};

    xc_bulk_gone(&bulk, 10, 19, 5);
    add(&bulk, 20, XC_EVENT_DOMAIN_STATE, XC_SEVERITY_CLEAR, "a");
    add(&bulk, 21, XC_EVENT_DOMAIN_STATE, XC_SEVERITY_INFO, "b");
    xc_bulk_mute(&bulk, 22);
    add(&bulk, 23, XC_EVENT_HOST_DOWN, XC_SEVERITY_CRITICAL, "c");
    add(&bulk, 24, XC_EVENT_HOST_DOWN, XC_SEVERITY_CRITICAL, "d");
    xc_bulk_mute(&bulk, 25);
    g_assert_cmpuint(bulk.first, ==, 10);
    g_assert_cmpuint(bulk.last, ==, 25);
    g_assert_cmpuint(bulk.count, ==, 14);
    g_assert_cmpuint(bulk.muted, ==, 2);
    g_assert_cmpuint(bulk.count + bulk.muted, ==, bulk.last - bulk.first + 1);
    g_assert_cmpint(bulk.opened, ==, 5);
    g_assert_cmpint(bulk.severity, ==, XC_SEVERITY_CRITICAL);
    g_autofree char *text = xc_bulk_text(&bulk);
    g_assert_cmpstr(text, ==,
                    "14 events: 2 domainState, 2 hostDown, 10 no longer there; worst: hostDown c "
                    "text of c");
    xc_bulk_clear(&bulk);
    g_assert_cmpuint(bulk.first, ==, 0);
}

static void test_bulk_text_is_bounded(void)
{
    struct xc_bulk bulk = {0};
    g_autofree char *name = g_strnfill(300, 'x');

    for (size_t i = 0; i < xc_event_type_labels.n_labels; i++)
        add(&bulk, (uint32_t)i + 1, (enum xc_event_type)xc_event_type_labels.labels[i].number,
            XC_SEVERITY_MINOR, name);
    g_autofree char *text = xc_bulk_text(&bulk);
    g_assert_cmpuint(strlen(text), <=, 255);
    xc_bulk_clear(&bulk);
    xc_bulk_gone(&bulk, 1, 3, 1);
    g_autofree char *gone = xc_bulk_text(&bulk);
    g_assert_cmpstr(gone, ==, "3 events: 3 no longer there");
    xc_bulk_clear(&bulk);
}

/* --- thresholds */

static void test_limits(void)
{
    static const struct {
        enum xc_threshold_kind kind;
        const char *text;
        uint32_t high, low;
    } good[] = {{XC_THRESHOLD_HOST_CPU, "95/85", 95, 85},
                {XC_THRESHOLD_HOST_CPU, "", 0, 0},
                {XC_THRESHOLD_HOST_CPU, " 1 / 0 ", 1, 0},
                {XC_THRESHOLD_HOST_CPU, "100/99", 100, 99},
                {XC_THRESHOLD_DATA_AGE, "31536000/1", 31536000, 1}};
    static const struct {
        enum xc_threshold_kind kind;
        const char *text;
    } bad[] = {{XC_THRESHOLD_HOST_CPU, "101/85"},
               {XC_THRESHOLD_HOST_CPU, "85/95"},
               {XC_THRESHOLD_HOST_CPU, "85/85"},
               {XC_THRESHOLD_HOST_CPU, "85"},
               {XC_THRESHOLD_HOST_CPU, "0/0"},
               {XC_THRESHOLD_HOST_CPU, "-1/-2"},
               {XC_THRESHOLD_HOST_CPU, "95/85/7"},
               {XC_THRESHOLD_HOST_CPU, "a/b"},
               {XC_THRESHOLD_HOST_CPU, "/"},
               {XC_THRESHOLD_DATA_AGE, "31536001/1"},
               {XC_THRESHOLD_DATA_AGE, "4294967297/1"},
               {XC_THRESHOLD_DATA_AGE, "95 85"}};
    struct xc_limits limits;

    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        g_assert_true(xc_limits_parse(good[i].kind, good[i].text, &limits, NULL));
        g_assert_cmpuint(limits.high, ==, good[i].high);
        g_assert_cmpuint(limits.low, ==, good[i].low);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(xc_limits_parse(bad[i].kind, bad[i].text, &limits, &error));
        g_assert_error(error, XC_ERROR, XC_CAUSE_BAD_VALUE);
    }
}

static void test_rows_as_text(void)
{
    static const char *const bad[] = {"",          "3",         "3 90/70",  "3 90/70 ",
                                      "6 90/70 *", "3 70/90 *", "x 90/70 *"};
    struct xc_threshold row = {(char *)"db-cpu", XC_THRESHOLD_DOMAIN_CPU, (char *)"db *", {90, 70}};
    g_autofree char *text = xc_threshold_text(&row);
    struct xc_threshold *again = xc_threshold_read("db-cpu", text);

    g_assert_nonnull(again);
    g_assert_cmpstr(again->name, ==, row.name);
    g_assert_cmpstr(again->target, ==, row.target);
    g_assert_cmpint(again->kind, ==, row.kind);
    g_assert_cmpuint(again->limits.high, ==, 90);
    g_assert_cmpuint(again->limits.low, ==, 70);
    g_assert_true(xc_threshold_fits(again, XC_THRESHOLD_DOMAIN_CPU, "db 7"));
    g_assert_false(xc_threshold_fits(again, XC_THRESHOLD_DOMAIN_CPU, "web"));
    g_assert_false(xc_threshold_fits(again, XC_THRESHOLD_HOST_CPU, "db 7"));
    xc_threshold_free(again);
    row.limits = (struct xc_limits){0};
    g_autofree char *exempt = xc_threshold_text(&row);
    again = xc_threshold_read("db-cpu", exempt);
    g_assert_nonnull(again);
    xc_threshold_free(again);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_null(xc_threshold_read("name", bad[i]));
    g_assert_null(xc_threshold_read("no name", "3 90/70 *"));
}

static void test_steps(void)
{
    const struct xc_limits limits = {90, 70}, none = {0, 0};

    g_assert_cmpint(xc_threshold_step(&limits, false, 0, 89, false), ==, XC_THRESHOLD_STAYS);
    g_assert_cmpint(xc_threshold_step(&limits, false, 0, 90, false), ==, XC_THRESHOLD_COUNTS);
    g_assert_cmpint(xc_threshold_step(&limits, false, 1, 100, false), ==, XC_THRESHOLD_COUNTS);
    g_assert_cmpint(xc_threshold_step(&limits, false, 2, 90, false), ==, XC_THRESHOLD_RAISED);
    g_assert_cmpint(xc_threshold_step(&limits, false, 0, 90, true), ==, XC_THRESHOLD_RAISED);
    g_assert_cmpint(xc_threshold_step(&limits, true, 0, 71, false), ==, XC_THRESHOLD_STAYS);
    g_assert_cmpint(xc_threshold_step(&limits, true, 0, 70, false), ==, XC_THRESHOLD_CLEARED);
    g_assert_cmpint(xc_threshold_step(&none, false, 9, 100, true), ==, XC_THRESHOLD_STAYS);
    g_assert_cmpint(xc_threshold_step(&none, true, 0, 100, false), ==, XC_THRESHOLD_CLEARED);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/notify/every-kind-has-a-class", test_every_kind_has_a_class);
    g_test_add_func("/notify/usual-classes", test_usual_classes);
    g_test_add_func("/notify/words", test_words);
    g_test_add_func("/notify/bucket-begins-full", test_bucket_begins_full);
    g_test_add_func("/notify/bucket-is-bounded", test_bucket_is_bounded);
    g_test_add_func("/notify/bucket-outlives-time", test_bucket_outlives_time);
    g_test_add_func("/notify/bulk-counts", test_bulk_counts);
    g_test_add_func("/notify/bulk-text-is-bounded", test_bulk_text_is_bounded);
    g_test_add_func("/notify/limits", test_limits);
    g_test_add_func("/notify/rows-as-text", test_rows_as_text);
    g_test_add_func("/notify/steps", test_steps);
    return g_test_run();
}
