/* Reports of news: when they will do, what becomes of them, and what of those that do not fit. */
#include "tests/unit/engine_kit.h"

#define TEST(name, function)                                                                       \
    g_test_add("/poller/" name, struct kit_fixture, NULL, kit_set_up, function, kit_tear_down)

/* Waits until the source is asked; would news do? */
static bool asked_for_news(struct kit_fixture *f)
{
    struct xc_slot *slot = kit_slot(f, "a");

    if (!g_hash_table_contains(kit->polls, GUINT_TO_POINTER(slot->id)))
        xc_slot_poll_now(slot);
    KIT_UNTIL(g_hash_table_contains(kit->polls, GUINT_TO_POINTER(slot->id)));
    return kit->news;
}

/* A host with a running and a halted guest. */
static struct xc_report *whole(void)
{
    struct xc_report *report = kit_report("1");
    struct xc_domain *web = kit_domain(report, "web", 1, 5);

    XC_SET(DOMAIN, web, cpu_usec, 1000);
    kit_domain(report, "db", 2, 0);
    return report;
}

static struct xc_report *news(void)
{
    struct xc_report *report = kit_report("1");

    report->news = true;
    return report;
}

static void test_news(struct kit_fixture *f, gconstpointer data)
{
    struct xc_report *report = news();
    uint32_t web, db;

    (void)data;
    g_assert_false(asked_for_news(f));
    kit_answer(f, "a", whole());
    web = kit_find(f, "web")->index;
    db = kit_find(f, "db")->index;
    g_assert_true(asked_for_news(f));
    kit_domain(report, "db, started", 2, 6);
    kit_answer(f, "a", report);
    g_assert_cmpuint(kit_find(f, "web")->index, ==, web);
    g_assert_cmpuint(kit_find(f, "db, started")->index, ==, db);
    g_assert_cmpint((int)xc_ref_state(kit_find(f, "db, started")), ==, XC_STATE_RUNNING);
    g_assert_cmpuint(kit_slot(f, "a")->snapshot->hosts[0].domains_total, ==, 2);
    g_assert_cmpuint(kit_slot(f, "a")->snapshot->hosts[0].domains_running, ==, 2);
    g_assert_cmpuint(kit_slot(f, "a")->snapshot->hosts[0].vcpus_allocated, ==, 2);
    /* Nothing is new at all. */
    g_assert_true(asked_for_news(f));
    kit_answer(f, "a", news());
    g_assert_cmpuint(kit_find(f, "db, started")->index, ==, db);
    g_assert_cmpuint(xc_ref_domain(kit_find(f, "web"))->cpu_usec, ==, 1000);
}

static struct xc_report *measured(const char *name, gint64 clock_sec, uint64_t cpu_usec)
{
    struct xc_report *report = kit_report("1");
    struct xc_host *host = &g_array_index(report->hosts, struct xc_host, 0);
    struct xc_domain *domain = kit_domain(report, name, 1, 5);

    XC_SET(HOST, host, clock, clock_sec * XC_USEC_PER_SEC);
    XC_SET(DOMAIN, domain, cpu_usec, cpu_usec);
    return report;
}

/* Counters go on, and what was measured stays until it is measured again: in news, and in what is told between two
 * measurements. */
static void test_counters(struct kit_fixture *f, gconstpointer data)
{
    static const char *const names[] = {"shop", "web", "shop"};

    (void)data;
    kit_answer(f, "a", measured("web", 1000, 0));
    kit_answer(f, "a", measured("web", 1001, 500000));
    g_assert_cmpuint(xc_ref_domain(kit_find(f, "web"))->cpu_percent_x100, ==, 5000);
    for (unsigned i = 0; i < 3; i++) {
        struct xc_report *report = measured(names[i], 1001, 500000);
        const struct xc_domain *shown;

        report->news = i < 2;
        kit_answer(f, "a", report);
        shown = xc_ref_domain(kit_find(f, names[i]));
        g_assert_cmpuint(shown->cpu_usec, ==, 500000);
        g_assert_true(XC_HAS(DOMAIN, shown, cpu_percent_x100));
        g_assert_cmpuint(shown->cpu_percent_x100, ==, 5000);
        g_assert_cmpuint(kit_slot(f, "a")->snapshot->hosts[0].cpu_percent_x100, ==, 1250);
    }
}

/* Of a domain that nobody knows, or after a failure, everything is asked for. */
static void test_unfit(struct kit_fixture *f, gconstpointer data)
{
    const struct xc_poller *poller = kit_slot(f, "a")->poller;
    struct xc_report *report = news();
    uint64_t shown;

    (void)data;
    kit_answer(f, "a", whole());
    g_assert_true(asked_for_news(f));
    shown = poller->published;
    kit_domain(report, "stranger", 3, 7);
    g_hash_table_remove(kit->polls, GUINT_TO_POINTER(kit_slot(f, "a")->id));
    kit->events.polled(kit_slot(f, "a")->id, report, 1000, 0, kit->data);
    g_assert_false(asked_for_news(f));
    g_assert_cmpuint(poller->published, ==, shown);
    g_assert_null(kit_find(f, "stranger"));
    report = whole();
    kit_domain(report, "stranger", 3, 7);
    kit_answer(f, "a", report);
    g_assert_nonnull(kit_find(f, "stranger"));
    g_assert_nonnull(kit_find(f, "web"));
    g_assert_true(asked_for_news(f));
    kit_fail(f, "a", XC_CAUSE_TIMED_OUT);
    g_assert_false(asked_for_news(f));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("news", test_news);
    TEST("counters", test_counters);
    TEST("unfit", test_unfit);
    return g_test_run();
}
