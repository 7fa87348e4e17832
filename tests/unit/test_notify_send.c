/* The sender of notifications: one at a time, in order, none untold, whatever does not arrive and whenever it ends. */
#include "tests/unit/engine_kit.h"

#define TEST(name, function)                                                                       \
    g_test_add("/notify-send/" name, struct kit_fixture, NULL, kit_set_up, function, kit_tear_down)

/* A receiver that the test answers for. */
struct receiver {
    struct kit_fixture *f;
    bool there;
    bool answers; /* at once, from the main loop */
    bool open;    /* one was given and not answered */
    GString *got; /* "3 " an event, "4-9:5 " in bulk, of which 5 are told */
};

static gboolean answer(void *data)
{
    struct receiver *r = data;

    r->open = false;
    xc_notify_told(r->f->engine, true);
    return G_SOURCE_REMOVE;
}

static bool given(struct receiver *r)
{
    g_assert_false(r->open);
    r->open = true;
    if (r->answers)
        g_idle_add(answer, r);
    return true;
}

static bool is_there(void *data)
{
    return ((const struct receiver *)data)->there;
}

static bool get_event(const struct xc_event *event, void *data)
{
    struct receiver *r = data;

    g_string_append_printf(r->got, "%u ", event->serial);
    return given(r);
}

static bool get_bulk(void *data)
{
    struct receiver *r = data;
    const struct xc_bulk *bulk = xc_notify_bulk(r->f->engine);

    g_string_append_printf(r->got, "%u-%u:%u ", bulk->first, bulk->last, bulk->count);
    return given(r);
}

static void attach(struct receiver *r, struct xc_notify_sink *sink, struct kit_fixture *f)
{
    *r = (struct receiver){.f = f, .there = true, .answers = true, .got = g_string_new("")};
    *sink = (struct xc_notify_sink){is_there, get_event, get_bulk, r};
    xc_notify_attach(f->engine, sink);
}

static void detach(struct receiver *r)
{
    xc_notify_attach(r->f->engine, NULL);
    g_string_free(r->got, TRUE);
}

/* So many events that are wanted, or not. */
static void happen(struct kit_fixture *f, unsigned n, bool wanted)
{
    uint32_t last = xc_event_counts(f->engine).last;

    for (unsigned i = 0; i < n; i++)
        xc_events_add(f->engine,
                      xc_event_new(wanted ? XC_EVENT_DOMAIN_CRASHED : XC_EVENT_DOMAIN_MOVED,
                                   XC_SEVERITY_INFO, "", "x", "%u", i));
    KIT_UNTIL(xc_event_counts(f->engine).last == last + n);
}

static void check_sum(struct kit_fixture *f)
{
    struct xc_notify_counts counts = xc_notify_counts(f->engine);

    g_assert_cmpuint(counts.sent + counts.bulked + counts.muted, ==, counts.last);
}

#define TOLD_UP_TO(f, serial) KIT_UNTIL(xc_notify_counts((f)->engine).last == (serial))

/* The first event is the agent's start: 1. */
static void begin(struct kit_fixture *f)
{
    KIT_UNTIL(xc_event_counts(f->engine).last == 1);
}

static void test_in_order(struct kit_fixture *f, gconstpointer data)
{
    struct receiver r;
    struct xc_notify_sink sink;

    (void)data;
    begin(f);
    attach(&r, &sink, f);
    happen(f, 2, true);
    happen(f, 2, false);
    happen(f, 1, true);
    TOLD_UP_TO(f, 6);
    g_assert_cmpstr(r.got->str, ==, "1 2 3 6 ");
    g_assert_cmpuint(xc_notify_counts(f->engine).muted, ==, 2);
    check_sum(f);
    detach(&r);
}

static void test_in_bulk(struct kit_fixture *f, gconstpointer data)
{
    struct receiver r;
    struct xc_notify_sink sink;

    (void)data;
    begin(f);
    f->config->notify_burst = 3;
    f->config->notify_rate = 1;
    attach(&r, &sink, f);
    happen(f, 4, true);
    happen(f, 2, false);
    happen(f, 600, true);
    TOLD_UP_TO(f, 607);
    g_assert_cmpstr(r.got->str, ==, "1 2 3 4-607:602 ");
    g_assert_cmpuint(xc_notify_counts(f->engine).bulked, ==, 602);
    check_sum(f);
    detach(&r);
}

static void test_not_arrived(struct kit_fixture *f, gconstpointer data)
{
    struct receiver r;
    struct xc_notify_sink sink;

    (void)data;
    begin(f);
    attach(&r, &sink, f);
    TOLD_UP_TO(f, 1);
    r.answers = false;
    happen(f, 2, true);
    KIT_UNTIL(r.open);
    g_assert_cmpstr(r.got->str, ==, "1 2 "); /* one at a time */
    r.open = false;
    r.answers = true;
    xc_notify_told(f->engine, false);
    g_assert_cmpuint(xc_notify_counts(f->engine).last, ==, 1);
    TOLD_UP_TO(f, 3);
    g_assert_cmpstr(r.got->str, ==, "1 2 2 3 ");
    check_sum(f);
    detach(&r);
}

static void test_bulk_not_arrived(struct kit_fixture *f, gconstpointer data)
{
    struct receiver r;
    struct xc_notify_sink sink;

    (void)data;
    begin(f);
    f->config->notify_burst = 1;
    f->config->notify_rate = 100;
    attach(&r, &sink, f);
    TOLD_UP_TO(f, 1);
    r.answers = false;
    happen(f, 500, true);
    KIT_UNTIL(r.open);
    r.open = false;
    happen(f, 2, true); /* while it is on its way */
    r.answers = true;
    xc_notify_told(f->engine, false);
    TOLD_UP_TO(f, 503);
    g_assert_true(strstr(r.got->str, "-503:") != NULL);
    check_sum(f);
    detach(&r);
}

static void test_nobody_there(struct kit_fixture *f, gconstpointer data)
{
    struct receiver r;
    struct xc_notify_sink sink;

    (void)data;
    begin(f);
    f->config->event_rows = 100;
    attach(&r, &sink, f);
    TOLD_UP_TO(f, 1);
    r.there = false;
    happen(f, 130, true);
    g_assert_cmpuint(xc_notify_counts(f->engine).last, ==, 1);
    r.there = true;
    xc_notify_pump(f->engine);
    TOLD_UP_TO(f, 131);
    g_assert_cmpstr(r.got->str, ==, "1 2-131:130 "); /* 30 of them were gone */
    g_assert_cmpuint(xc_notify_bulk(f->engine)->gone, ==, 30);
    check_sum(f);
    detach(&r);
}

static void test_restart(struct kit_fixture *f, gconstpointer data)
{
    struct receiver r;
    struct xc_notify_sink sink;

    (void)data;
    begin(f);
    attach(&r, &sink, f);
    happen(f, 2, true);
    TOLD_UP_TO(f, 3);
    r.there = false;
    happen(f, 2, true);
    detach(&r);
    kit_restart(f);
    g_assert_cmpuint(xc_notify_counts(f->engine).last, ==, 3);
    attach(&r, &sink, f);
    TOLD_UP_TO(f, 6); /* the start is an event */
    g_assert_cmpstr(r.got->str, ==, "4 5 6 ");
    g_assert_cmpuint(xc_notify_counts(f->engine).sent, ==, 6);
    check_sum(f);
    detach(&r);
}

/* A database of an agent that sent none. */
static void test_first_time(struct kit_fixture *f, gconstpointer data)
{
    struct receiver r;
    struct xc_notify_sink sink;

    (void)data;
    begin(f);
    happen(f, 5, true);
    kit_restart(f);
    attach(&r, &sink, f);
    TOLD_UP_TO(f, 7);
    g_assert_cmpstr(r.got->str, ==, "7 ");
    g_assert_cmpuint(xc_notify_counts(f->engine).muted, ==, 6);
    check_sum(f);
    detach(&r);
}

/* --- classes as a setting */

static bool set(struct kit_fixture *f, uint32_t classes, GError **error)
{
    struct xc_txn *txn = xc_txn_new(f->engine);
    bool ok = xc_txn_notify_classes(txn, classes, error) && xc_txn_write(txn, error);

    if (ok)
        xc_txn_dispatch(txn);
    xc_txn_free(txn);
    return ok;
}

static void test_classes(struct kit_fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    (void)data;
    g_assert_cmpuint(xc_notify_classes(f->engine), ==, XC_NOTIFY_USUAL);
    g_assert_true(set(f, 0, &error));
    g_assert_cmpuint(xc_notify_classes(f->engine), ==, 0);
    g_assert_true(set(f, 5, &error));
    kit_restart(f);
    g_assert_cmpuint(xc_notify_classes(f->engine), ==, 5);
    f->config->notify_set = true;
    f->config->notify_classes = 3;
    g_assert_cmpuint(xc_notify_classes(f->engine), ==, 3);
    g_assert_false(set(f, 1, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_POLICY);
    g_clear_error(&error);
    f->config->notify_set = false;
    f->config->control = false;
    g_assert_false(set(f, 1, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_POLICY);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("in-order", test_in_order);
    TEST("in-bulk", test_in_bulk);
    TEST("not-arrived", test_not_arrived);
    TEST("bulk-not-arrived", test_bulk_not_arrived);
    TEST("nobody-there", test_nobody_there);
    TEST("restart", test_restart);
    TEST("first-time", test_first_time);
    TEST("classes", test_classes);
    return g_test_run();
}
