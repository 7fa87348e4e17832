/* Identity and fleet index: what the tables stand on. */
#include "tests/unit/engine_kit.h"

#define TEST(name, function)                                                                       \
    g_test_add("/fleet/" name, struct kit_fixture, NULL, kit_set_up, function, kit_tear_down)

static void test_index_survives_restart(struct kit_fixture *f, gconstpointer data)
{
    struct xc_report *report = kit_report("1");
    uint32_t web, db;

    (void)data;
    kit_domain(report, "web", 1, 5);
    kit_domain(report, "db", 2, 0);
    kit_answer(f, "a", report);
    web = kit_find(f, "web")->index;
    db = kit_find(f, "db")->index;
    g_assert_cmpuint(web, !=, db);

    kit_restart(f);
    report = kit_report("2");
    kit_domain(report, "new", 3, 1);
    kit_domain(report, "db-renamed", 2, 9);
    kit_domain(report, "web", 1, 7);
    kit_answer(f, "a", report);
    g_assert_cmpuint(kit_find(f, "web")->index, ==, web);
    g_assert_cmpuint(kit_find(f, "db-renamed")->index, ==, db);
    g_assert_cmpuint(kit_find(f, "new")->index, >, MAX(web, db));
}

static void test_migration_keeps_index(struct kit_fixture *f, gconstpointer data)
{
    struct xc_report *report = kit_report("1");
    struct xc_domain *d;
    uint32_t web;

    (void)data;
    kit_domain(report, "web", 1, 5);
    kit_answer(f, "a", report);
    kit_answer(f, "b", kit_report("1"));
    web = kit_find(f, "web")->index;
    g_assert_cmpstr(xc_fleet_host_key(kit_find(f, "web")), ==, "a");

    /* Under way: the half on b does not take over. */
    report = kit_report("1");
    d = kit_domain(report, "web", 1, 1);
    XC_SET(DOMAIN, d, migrating, 1);
    XC_SET(DOMAIN, d, state, XC_STATE_MIGRATING);
    kit_answer(f, "b", report);
    g_assert_cmpstr(xc_fleet_host_key(kit_find(f, "web")), ==, "a");

    /* All that is left on a is the configuration: the half on b tells more. */
    report = kit_report("1");
    kit_domain(report, "web", 1, 0);
    kit_answer(f, "a", report);
    g_assert_cmpstr(xc_fleet_host_key(kit_find(f, "web")), ==, "b");
    g_assert_cmpint((int)xc_ref_state(kit_find(f, "web")), ==, XC_STATE_MIGRATING);
    report = kit_report("1");
    kit_domain(report, "web", 1, 5);
    kit_answer(f, "a", report);
    g_assert_cmpstr(xc_fleet_host_key(kit_find(f, "web")), ==, "a");

    /* Arrived: b shows it before a has noticed that it left. */
    report = kit_report("1");
    kit_domain(report, "web", 1, 1);
    kit_answer(f, "b", report);
    g_assert_cmpuint(kit_find(f, "web")->index, ==, web);
    g_assert_cmpstr(xc_fleet_host_key(kit_find(f, "web")), ==, "b");

    /* a keeps the configuration, so it shows a domain that does not run. */
    report = kit_report("1");
    kit_domain(report, "web", 1, 0);
    kit_answer(f, "a", report);
    g_assert_cmpuint(kit_find(f, "web")->index, ==, web);
    g_assert_cmpstr(xc_fleet_host_key(kit_find(f, "web")), ==, "b");
    g_assert_cmpint((int)xc_ref_state(kit_find(f, "web")), ==, XC_STATE_RUNNING);
}

static void test_config_without_uuid(struct kit_fixture *f, gconstpointer data)
{
    struct xc_report *report = kit_report("1");
    struct xc_domain *d = kit_domain(report, "plain", 0, 0);
    uint32_t index;

    (void)data;
    XC_SET(DOMAIN, d, config, xc_report_text(report, "/etc/xen/plain.cfg", -1));
    kit_answer(f, "a", report);
    index = kit_find(f, "plain")->index;
    g_assert_cmpint((int)kit_find(f, "plain")->track->identity, ==, XC_IDENTITY_CONFIG);

    /* Each start invents a uuid; the configuration says who it is. */
    for (unsigned uuid = 10; uuid < 13; uuid++) {
        report = kit_report("1");
        d = kit_domain(report, "plain", uuid, uuid);
        XC_SET(DOMAIN, d, uuid_fixed, 0);
        XC_SET(DOMAIN, d, config, xc_report_text(report, "/etc/xen/plain.cfg", -1));
        kit_answer(f, "a", report);
        g_assert_cmpuint(kit_find(f, "plain")->index, ==, index);
    }
    /* It moves: b knows nothing but the present uuid. */
    report = kit_report("1");
    d = kit_domain(report, "plain", 12, 3);
    XC_SET(DOMAIN, d, uuid_fixed, 0);
    kit_answer(f, "b", report);
    g_assert_cmpuint(kit_find(f, "plain")->index, ==, index);
    g_assert_cmpstr(xc_fleet_host_key(kit_find(f, "plain")), ==, "b");
}

static void test_dom0_per_source(struct kit_fixture *f, gconstpointer data)
{
    static const char *const keys[] = {"a", "b"};
    size_t n;

    (void)data;
    for (int i = 0; i < 2; i++) {
        struct xc_report *report = kit_report("1");
        struct xc_domain *d = kit_domain(report, i ? "Domain-0 " : "Domain-0", 0, 1);

        XC_SET(DOMAIN, d, kind, XC_KIND_CONTROL);
        XC_SET(DOMAIN, d, domid, 0);
        XC_SET(DOMAIN, d, uuid, ((struct xc_uuid){{0}}));
        kit_answer(f, keys[i], report);
    }
    xc_fleet_domains(f->engine, &n);
    g_assert_cmpuint(n, ==, 2);
    g_assert_cmpint((int)kit_find(f, "Domain-0")->track->identity, ==, XC_IDENTITY_CONTROL);
}

static void test_deleted_stays_then_goes(struct kit_fixture *f, gconstpointer data)
{
    struct xc_report *report = kit_report("1");
    const struct xc_domain_ref *ref;
    uint32_t index;

    (void)data;
    f->config->tombstone_sec = 1;
    kit_domain(report, "web", 1, 5);
    kit_domain(report, "db", 2, 6);
    kit_answer(f, "a", report);
    index = kit_find(f, "web")->index;
    report = kit_report("1");
    kit_domain(report, "db", 2, 6);
    kit_answer(f, "a", report);
    ref = kit_find(f, "web");
    g_assert_nonnull(ref);
    g_assert_cmpint((int)xc_ref_presence(ref), ==, XC_DELETED);
    g_assert_false(xc_ref_shows(ref, xc_object_field(&xc_domain_type, "domid")));
    g_assert_cmpstr(xc_fleet_host_key(ref), ==, "a");

    /* Back again: the same index. */
    report = kit_report("1");
    kit_domain(report, "db", 2, 6);
    kit_domain(report, "web", 1, 8);
    kit_answer(f, "a", report);
    g_assert_cmpuint(kit_find(f, "web")->index, ==, index);
    g_assert_cmpint((int)xc_ref_presence(kit_find(f, "web")), ==, XC_PRESENT);

    report = kit_report("1");
    kit_domain(report, "db", 2, 6);
    kit_answer(f, "a", report);
    KIT_UNTIL(kit_find(f, "web") == NULL);
    g_assert_nonnull(kit_find(f, "db"));
}

static void test_down_is_unknown_not_gone(struct kit_fixture *f, gconstpointer data)
{
    struct xc_report *report = kit_report("1");
    const struct xc_field *memory = xc_object_field(&xc_domain_type, "mem_kib");
    const struct xc_field *name = xc_object_field(&xc_domain_type, "name");

    (void)data;
    f->config->stale_after = 4;
    kit_domain(report, "web", 1, 5);
    kit_answer(f, "a", report);
    for (int i = 1; i <= 4; i++) {
        const struct xc_domain_ref *ref;

        kit_fail(f, "a", XC_CAUSE_TRANSPORT);
        ref = kit_find(f, "web");
        g_assert_cmpint((int)xc_ref_state(ref), ==, i < 3 ? XC_STATE_RUNNING : XC_STATE_UNKNOWN);
        g_assert_cmpint(xc_ref_shows(ref, memory), ==, i < 4);
        g_assert_true(xc_ref_shows(ref, name));
        g_assert_cmpint((int)kit_slot(f, "a")->state, ==,
                        i < 3 ? XC_SOURCE_DEGRADED : XC_SOURCE_DOWN);
        /* A back-off would make the test wait. */
        ((struct xc_poller *)kit_slot(f, "a")->poller)->begun_mono = 1;
    }
    report = kit_report("1");
    kit_domain(report, "web", 1, 5);
    kit_answer(f, "a", report);
    g_assert_cmpint((int)xc_ref_state(kit_find(f, "web")), ==, XC_STATE_RUNNING);
}

static void test_hosts_of_a_pool(struct kit_fixture *f, gconstpointer data)
{
    struct xc_report *report = xc_report_new();
    size_t n;
    const struct xc_host_ref *hosts;

    (void)data;
    for (unsigned i = 0; i < 2; i++) {
        struct xc_host *host = xc_report_host(report);
        struct xc_uuid id = {.b = {1, (uint8_t)i}};

        XC_SET(HOST, host, name, xc_report_text(report, "same name", -1));
        XC_SET(HOST, host, uuid, id);
    }
    kit_answer(f, "a", report);
    hosts = xc_fleet_hosts(f->engine, &n);
    g_assert_cmpuint(n, ==, 3);
    g_assert_cmpstr(hosts[0].key, ==, "b");
    g_assert_cmpstr(hosts[1].key, ==, "a.same_name");
    g_assert_cmpstr(hosts[2].key, ==, "a.same_name-2");
    g_assert_nonnull(xc_fleet_host(f->engine, "a.same_name-2"));
    g_assert_null(xc_fleet_host(f->engine, "a"));
}

/* Two sources may lead to one host: walks must not meet it twice. */
static void test_host_of_two_sources(struct kit_fixture *f, gconstpointer data)
{
    static const char *const order[] = {"b", "a", "b"};
    size_t n;
    const struct xc_host_ref *hosts;

    (void)data;
    for (unsigned i = 0; i < G_N_ELEMENTS(order); i++) {
        struct xc_report *report = xc_report_new();
        struct xc_host *host = xc_report_host(report);
        struct xc_uuid id = {.b = {7}};

        XC_SET(HOST, host, uuid, id);
        kit_answer(f, order[i], report);
    }
    hosts = xc_fleet_hosts(f->engine, &n);
    g_assert_cmpuint(n, ==, 1);
    g_assert_cmpstr(hosts[0].slot->spec.key, ==, "a");
    g_assert_true(xc_fleet_host(f->engine, hosts[0].key) == hosts);
}

static struct xc_report *answer_of(uint8_t host_uuid, const char *guest, unsigned uuid)
{
    struct xc_report *report = kit_report("1");
    struct xc_uuid id = {.b = {host_uuid}};

    XC_SET(HOST, &g_array_index(report->hosts, struct xc_host, 0), uuid, id);
    kit_domain(report, guest, uuid, 5);
    return report;
}

/* The other's host answers, as after a mix-up of addresses: that tells nothing of our own domains. */
static void test_wrong_host(struct kit_fixture *f, gconstpointer data)
{
    const struct xc_slot *slot;

    (void)data;
    kit_answer(f, "a", answer_of(7, "web", 1));
    kit_answer(f, "b", answer_of(8, "db", 2));
    kit_answer(f, "b", answer_of(7, "web", 1));
    slot = kit_slot(f, "b");
    g_assert_cmpint((int)slot->state, ==, XC_SOURCE_DEGRADED);
    g_assert_cmpint((int)slot->cause, ==, XC_CAUSE_WRONG_HOST);
    g_assert_true(g_str_has_prefix(slot->state_text, "host a (07000000-"));
    g_assert_cmpint((int)xc_ref_state(kit_find(f, "db")), ==, XC_STATE_RUNNING);
    g_assert_cmpint((int)kit_find(f, "db")->track->presence, ==, XC_PRESENT);
    g_assert_cmpstr(xc_fleet_host_key(kit_find(f, "web")), ==, "a");
    kit_answer(f, "b", answer_of(8, "db", 2));
    g_assert_cmpint((int)slot->state, ==, XC_SOURCE_UP);
    /* A new machine in its place is nobody else's. */
    kit_answer(f, "b", answer_of(9, "db", 2));
    g_assert_cmpint((int)slot->state, ==, XC_SOURCE_UP);
}

static void test_same_uuid_twice_in_a_report(struct kit_fixture *f, gconstpointer data)
{
    struct xc_report *report = kit_report("1");
    struct xc_domain *d = kit_domain(report, "web", 1, 4);
    size_t n;

    (void)data;
    XC_SET(DOMAIN, d, migrating, 1);
    kit_domain(report, "web", 1, 3);
    kit_answer(f, "a", report);
    xc_fleet_domains(f->engine, &n);
    g_assert_cmpuint(n, ==, 1);
    g_assert_cmpint(xc_ref_domain(kit_find(f, "web"))->domid, ==, 3);
}

/* Is the source asked within that time, although its turn comes much later? */
static bool asked_within(const struct xc_slot *slot, gint64 usec)
{
    gint64 end = g_get_monotonic_time() + usec;

    while (g_get_monotonic_time() < end) {
        if (g_hash_table_contains(kit->polls, GUINT_TO_POINTER(slot->id)))
            return true;
        g_main_context_iteration(NULL, FALSE);
        g_usleep(1000);
    }
    return false;
}

/* An event tells that a domain appeared; that it runs then, nobody tells. */
static void test_follows_up_what_an_event_began(struct kit_fixture *f, gconstpointer data)
{
    struct xc_slot *slot = kit_slot(f, "a");
    struct xc_report *report = kit_report("1");
    struct xc_domain *d = kit_domain(report, "web", 1, 5);

    (void)data;
    slot->interval_sec = 600;
    XC_SET(DOMAIN, d, state, XC_STATE_PAUSED);
    XC_SET(DOMAIN, d, cpu_usec, 0);
    kit_answer(f, "a", report);
    g_assert_true(asked_within(slot, 3 * XC_USEC_PER_SEC));

    report = kit_report("1");
    d = kit_domain(report, "web", 1, 5);
    XC_SET(DOMAIN, d, state, XC_STATE_PAUSED);
    XC_SET(DOMAIN, d, cpu_usec, 7);
    kit_answer(f, "a", report);
    g_assert_false(asked_within(slot, 2 * XC_USEC_PER_SEC));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("index-survives-restart", test_index_survives_restart);
    TEST("migration-keeps-index", test_migration_keeps_index);
    TEST("config-without-uuid", test_config_without_uuid);
    TEST("dom0-per-source", test_dom0_per_source);
    TEST("deleted-stays-then-goes", test_deleted_stays_then_goes);
    TEST("down-is-unknown-not-gone", test_down_is_unknown_not_gone);
    TEST("hosts-of-a-pool", test_hosts_of_a_pool);
    TEST("host-of-two-sources", test_host_of_two_sources);
    TEST("wrong-host", test_wrong_host);
    TEST("same-uuid-twice-in-a-report", test_same_uuid_twice_in_a_report);
    TEST("follows-up-what-an-event-began", test_follows_up_what_an_event_began);
    return g_test_run();
}
