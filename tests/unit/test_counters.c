/* Counters of domains and hosts: they never fall, whatever happens to what counts, and say so when they begin anew. */
#include "tests/unit/engine_kit.h"

#include <sqlite3.h>

#define TEST(name, function)                                                                       \
    g_test_add("/counters/" name, struct kit_fixture, NULL, kit_set_up, function, kit_tear_down)

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

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("counters-never-fall", test_counters_never_fall);
    TEST("host-counters", test_host_counters);
    TEST("counters-of-a-device-that-goes", test_counters_of_a_device_that_goes);
    TEST("counters-of-a-half", test_counters_of_a_half);
    TEST("counters-never-saved", test_counters_never_saved);
    TEST("counters-saved-bit-by-bit", test_counters_saved_bit_by_bit);
    TEST("device-counters-never-fall", test_device_counters_never_fall);
    TEST("percent", test_percent);
    TEST("host-counters-say-when-they-begin-anew", test_host_counters_say_when_they_begin_anew);
    return g_test_run();
}
