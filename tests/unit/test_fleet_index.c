/* Identity, fleet index, counters: what the tables stand on. */
#include "tests/unit/engine_kit.h"

#include <sqlite3.h>

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

static uint64_t cpu(struct kit_fixture *f, const char *key, int64_t domid, uint64_t usec)
{
    struct xc_report *report = kit_report("1");
    struct xc_domain *d = kit_domain(report, "web", 1, domid);

    XC_SET(DOMAIN, d, cpu_usec, usec);
    XC_SET(DOMAIN, d, net_rx_bytes, usec / 10);
    kit_answer(f, key, report);
    g_assert_cmpuint(xc_ref_domain(kit_find(f, "web"))->net_rx_bytes, ==,
                     xc_ref_domain(kit_find(f, "web"))->cpu_usec / 10);
    return xc_ref_domain(kit_find(f, "web"))->cpu_usec;
}

static void test_counters_never_fall(struct kit_fixture *f, gconstpointer data)
{
    (void)data;
    g_assert_cmpuint(cpu(f, "a", 5, 1000), ==, 1000);
    g_assert_cmpuint(cpu(f, "a", 5, 3000), ==, 3000);
    g_assert_cmpuint(cpu(f, "a", 6, 200), ==, 3200); /* rebooted */
    g_assert_cmpuint(cpu(f, "b", 1, 100), ==, 3300); /* migrated */
    g_assert_cmpuint(cpu(f, "b", 1, 400), ==, 3600);
    g_assert_cmpint(kit_find(f, "web")->track->discontinuity_mono, ==, 0);

    kit_restart(f);
    g_assert_cmpuint(cpu(f, "b", 1, 500), ==, 3700);
    g_assert_cmpint(kit_find(f, "web")->track->discontinuity_mono, ==, 0);

    /* Rebooted while the agent was away: what it counted unseen is lost, and that is said. */
    kit_restart(f);
    g_assert_cmpuint(cpu(f, "b", 2, 10), ==, 3710);
    g_assert_cmpint(kit_find(f, "web")->track->discontinuity_mono, >, 0);
}

/* A host's octets; 0: not told. Its discontinuity. */
static gint64 host_received(struct kit_fixture *f, uint64_t octets)
{
    struct xc_report *report = kit_report("1");
    struct xc_host *host = &g_array_index(report->hosts, struct xc_host, 0);

    if (octets)
        XC_SET(HOST, host, net_rx_bytes, octets);
    kit_answer(f, "a", report);
    return xc_fleet_host(f->engine, "a")->discontinuity_mono;
}

/* What a host does not tell for a while has not begun anew. */
static void test_host_counters(struct kit_fixture *f, gconstpointer data)
{
    (void)data;
    g_assert_cmpint(host_received(f, 5000), ==, 0);
    g_assert_cmpint(host_received(f, 0), ==, 0);
    g_assert_cmpint(host_received(f, 6000), ==, 0);
    g_assert_cmpint(host_received(f, 0), ==, 0);
    g_assert_cmpint(host_received(f, 10), >, 0);
}

static uint64_t received(struct kit_fixture *f, uint64_t octets)
{
    struct xc_report *report = kit_report("1");
    struct xc_domain *d = kit_domain(report, "web", 1, 5);

    XC_SET(DOMAIN, d, net_rx_bytes, octets);
    kit_answer(f, "a", report);
    return xc_ref_domain(kit_find(f, "web"))->net_rx_bytes;
}

/* A domain's octets are those of its interfaces together; what the others counted counts once. */
static void test_counters_of_a_device_that_goes(struct kit_fixture *f, gconstpointer data)
{
    (void)data;
    g_assert_cmpuint(received(f, 1000 + 2000), ==, 3000);
    g_assert_cmpuint(received(f, 2000), ==, 3000);
    g_assert_cmpuint(received(f, 2050), ==, 3050);
    g_assert_cmpuint(received(f, 2060 + 5), ==, 3065); /* and one comes */
    g_assert_cmpint(kit_find(f, "web")->track->discontinuity_mono, ==, 0);
}

/* Between two hosts only the half that Xen builds is there for a moment: it has counted nothing of ours. */
static void test_counters_of_a_half(struct kit_fixture *f, gconstpointer data)
{
    struct xc_report *report = kit_report("1");
    struct xc_domain *half = kit_domain(report, "web", 1, 9);
    struct xc_vif *vif = xc_report_vif(report, 0);
    const struct xc_domain_ref *ref;
    size_t n = 0;

    (void)data;
    g_assert_cmpuint(cpu(f, "a", 5, 1000), ==, 1000);
    XC_SET(DOMAIN, half, migrating, true);
    XC_SET(DOMAIN, half, cpu_usec, 3);
    XC_SET(VIF, vif, device, 0);
    XC_SET(VIF, vif, rx_bytes, 3);
    kit_answer(f, "a", kit_report("1"));
    kit_answer(f, "b", report);
    ref = kit_find(f, "web");
    g_assert_cmpstr(ref->slot->spec.key, ==, "b");
    g_assert_false(XC_HAS(DOMAIN, xc_ref_domain(ref), cpu_usec));
    vif = xc_snapshot_devices(ref->slot->snapshot, xc_ref_domain(ref), XC_VIFS, &n);
    g_assert_cmpuint(n, ==, 1);
    g_assert_false(XC_HAS(VIF, vif, rx_bytes));
    g_assert_cmpuint(cpu(f, "b", 9, 100), ==, 1100);
}

/* Killed before its counters were ever saved: what it showed last may have been more. */
static void test_counters_never_saved(struct kit_fixture *f, gconstpointer data)
{
    g_autofree char *path = g_build_filename(f->dir, "state.db", NULL);
    sqlite3 *db = NULL;

    (void)data;
    g_assert_cmpuint(cpu(f, "a", 5, 1000), ==, 1000);
    g_assert_cmpuint(cpu(f, "a", 6, 200), ==, 1200);
    g_assert_cmpint(kit_find(f, "web")->track->discontinuity_mono, ==, 0);
    f->engine = xc_engine_free(f->engine);
    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(db, "DELETE FROM counters", NULL, NULL, NULL), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_changes(db), ==, 1);
    sqlite3_close(db);
    kit_open(f);
    g_assert_cmpuint(cpu(f, "a", 6, 300), ==, 300);
    g_assert_cmpint(kit_find(f, "web")->track->discontinuity_mono, >, 0);
}

static void note_written(const GError *error, void *data)
{
    g_assert_no_error(error);
    *(bool *)data = true;
}

static int count_row(void *data, int n, char **values, char **names)
{
    (void)n;
    (void)names;
    *(int *)data = (int)g_ascii_strtoll(values[0], NULL, 10);
    return 0;
}

/* Ticks of five minutes save the counters of all, none of them those of many at once. */
static void test_counters_saved_bit_by_bit(struct kit_fixture *f, gconstpointer data)
{
    g_autofree char *path = g_build_filename(f->dir, "state.db", NULL);
    struct xc_report *report = kit_report("1");
    const unsigned domains = 200;
    sqlite3 *db = NULL;
    int saved = 0;
    int before = 0;
    int most = 0;

    (void)data;
    for (unsigned i = 1; i <= domains; i++) {
        g_autofree char *name = g_strdup_printf("guest%u", i);

        XC_SET(DOMAIN, kit_domain(report, name, i, i), cpu_usec, 1000);
    }
    kit_answer(f, "a", report);
    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    for (int i = 0; i < 300; i++) {
        bool written = false;

        xc_counters_tick(f->engine);
        xc_store_barrier(f->engine->store, note_written, &written);
        KIT_UNTIL(written);
        g_assert_cmpint(sqlite3_exec(db, "SELECT count(*) FROM counters", count_row, &saved, NULL),
                        ==, SQLITE_OK);
        most = MAX(most, saved - before);
        before = saved;
    }
    sqlite3_close(db);
    g_assert_cmpint(saved, ==, (int)domains);
    g_assert_cmpint(most, <=, 5);
}

/* What is shown of the one interface and the one disk after such an answer: both count alike. */
static uint64_t octets(struct kit_fixture *f, const char *key, int64_t domid, uint64_t n)
{
    struct xc_report *report = kit_report("1");
    const struct xc_domain_ref *ref;
    const struct xc_vif *vif;
    const struct xc_vbd *vbd;
    size_t count = 0;

    kit_domain(report, "before", 2, domid + 1000);
    kit_domain(report, "web", 1, domid);
    if (domid) {
        struct xc_vif *new_vif = xc_report_vif(report, 1);
        struct xc_vbd *new_vbd = xc_report_vbd(report, 1);

        XC_SET(VIF, new_vif, device, 0);
        XC_SET(VIF, new_vif, rx_bytes, n);
        XC_SET(VBD, new_vbd, number, 51712);
        XC_SET(VBD, new_vbd, wr_ops, n);
    }
    kit_answer(f, key, report);
    ref = kit_find(f, "web");
    vif = xc_snapshot_devices(ref->slot->snapshot, xc_ref_domain(ref), XC_VIFS, &count);
    if (!vif)
        return 0;
    g_assert_cmpuint(count, ==, 1);
    vbd = xc_snapshot_devices(ref->slot->snapshot, xc_ref_domain(ref), XC_VBDS, &count);
    g_assert_cmpuint(vbd->wr_ops, ==, vif->rx_bytes);
    return vif->rx_bytes;
}

static void test_device_counters_never_fall(struct kit_fixture *f, gconstpointer data)
{
    (void)data;
    g_assert_cmpuint(octets(f, "a", 5, 1000), ==, 1000);
    g_assert_cmpuint(octets(f, "a", 5, 3000), ==, 3000);
    g_assert_cmpuint(octets(f, "a", 6, 200), ==, 3200); /* rebooted */
    g_assert_cmpuint(octets(f, "b", 1, 100), ==, 3300); /* migrated */
    kit_answer(f, "a", kit_report("1"));
    g_assert_cmpuint(octets(f, "b", 0, 0), ==, 0); /* shut down: no rows */
    g_assert_cmpuint(octets(f, "b", 2, 50), ==, 3350);
    g_assert_cmpuint(octets(f, "b", 2, 20), ==, 3370); /* the device was replaced */
    g_assert_cmpint(kit_find(f, "web")->track->discontinuity_mono, ==, 0);

    kit_restart(f);
    g_assert_cmpuint(octets(f, "b", 2, 60), ==, 3410);
    g_assert_cmpint(kit_find(f, "web")->track->discontinuity_mono, ==, 0);

    /* Replaced while the agent was away: what it counted unseen is lost, and that is said. */
    kit_restart(f);
    g_assert_cmpuint(octets(f, "b", 2, 10), ==, 3420);
    g_assert_cmpint(kit_find(f, "web")->track->discontinuity_mono, >, 0);
}

static void test_percent(struct kit_fixture *f, gconstpointer data)
{
    (void)data;
    for (int i = 0; i < 2; i++) {
        struct xc_report *report = kit_report("1");
        struct xc_host *host = &g_array_index(report->hosts, struct xc_host, 0);
        struct xc_domain *d = kit_domain(report, "web", 1, 5);

        XC_SET(HOST, host, clock, 1000000000 + i * 10000000);
        XC_SET(DOMAIN, d, vcpus, 2);
        XC_SET(DOMAIN, d, cpu_usec, 7000000 + (uint64_t)i * 5000000);
        kit_answer(f, "a", report);
        g_assert_cmpint(XC_HAS(DOMAIN, xc_ref_domain(kit_find(f, "web")), cpu_percent_x100), ==, i);
    }
    /* 5 s of CPU in 10 s: a quarter of two vCPUs, an eighth of four CPUs. */
    g_assert_cmpuint(xc_ref_domain(kit_find(f, "web"))->cpu_percent_x100, ==, 2500);
    g_assert_cmpuint(xc_ref_domain(kit_find(f, "web"))->cpu_host_percent_x100, ==, 1250);
    g_assert_cmpuint(kit_slot(f, "a")->snapshot->hosts[0].cpu_percent_x100, ==, 1250);
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

static void test_host_counters_say_when_they_begin_anew(struct kit_fixture *f, gconstpointer data)
{
    static const struct {
        const char *boot_id;
        uint64_t rx;
        bool anew;
    } steps[] = {{"1", 1000, false}, {"1", 2000, false}, {"2", 2500, true}, {"2", 100, true}};
    gint64 before = 0;

    (void)data;
    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
        struct xc_report *report = kit_report(steps[i].boot_id);
        struct xc_host *host = &g_array_index(report->hosts, struct xc_host, 0);
        gint64 stamp;

        XC_SET(HOST, host, net_rx_bytes, steps[i].rx);
        kit_answer(f, "a", report);
        stamp = xc_fleet_host(f->engine, "a")->discontinuity_mono;
        g_assert_cmpint(stamp > before, ==, steps[i].anew);
        before = stamp;
    }
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
    TEST("counters-never-fall", test_counters_never_fall);
    TEST("host-counters", test_host_counters);
    TEST("counters-of-a-half", test_counters_of_a_half);
    TEST("counters-of-a-device-that-goes", test_counters_of_a_device_that_goes);
    TEST("counters-never-saved", test_counters_never_saved);
    TEST("counters-saved-bit-by-bit", test_counters_saved_bit_by_bit);
    TEST("device-counters-never-fall", test_device_counters_never_fall);
    TEST("percent", test_percent);
    TEST("hosts-of-a-pool", test_hosts_of_a_pool);
    TEST("host-of-two-sources", test_host_of_two_sources);
    TEST("wrong-host", test_wrong_host);
    TEST("host-counters-say-when-they-begin-anew", test_host_counters_say_when_they_begin_anew);
    TEST("same-uuid-twice-in-a-report", test_same_uuid_twice_in_a_report);
    TEST("follows-up-what-an-event-began", test_follows_up_what_an_event_began);
    return g_test_run();
}
