/* What polls of the simulated world say. */
#include "tests/unit/world.h"

/* --- reports */

static bool collect(GByteArray *piece, bool last, void *data)
{
    struct xc_reader from = XC_READER(piece->data, piece->len);

    (void)last;
    g_assert_true(xc_report_read(data, &from));
    return true;
}

static struct xc_report *report_of(struct world *world, const struct farm_host *h, size_t limit)
{
    struct xc_report *report = xc_report_new();

    g_assert_true(farm_fleet_report(world->fleet, h, limit, collect, report));
    g_assert_true(xc_report_check(report));
    xc_report_sum_devices(report);
    return report;
}

/* The row of that uuid and host ordinal. */
static const struct xc_domain *row(const struct xc_report *report, const struct farm_domain *d,
                                   uint32_t on)
{
    for (guint i = 0; i < report->domains->len; i++) {
        const struct xc_domain *one = &g_array_index(report->domains, struct xc_domain, i);

        if (one->host == on && memcmp(&one->uuid, &d->uuid, sizeof(d->uuid)) == 0)
            return one;
    }
    return NULL;
}

static void test_report(struct world *world, gconstpointer data)
{
    struct farm_domain *d = domain(world, 0);
    g_autoptr(xc_report) one = report_of(world, d->host, 300);
    g_autoptr(xc_report) all = NULL;
    const struct xc_domain *r = row(one, d, 0);
    const struct xc_domain *control = &g_array_index(one->domains, struct xc_domain, 0);
    struct farm_load load;

    (void)data;
    g_assert_cmpuint(one->hosts->len, ==, 1);
    g_assert_cmpuint(one->domains->len, ==, 1 + d->host->domains->len);
    g_assert_cmpuint(control->kind, ==, XC_KIND_CONTROL);
    g_assert_true(xc_uuid_is_nil(&control->uuid));
    g_assert_cmpint(control->domid, ==, 0);
    g_assert_cmpuint(r->state, ==, XC_STATE_RUNNING);
    farm_load_at(d->key, d->profile, d->vcpus, farm_domain_run_usec(d, world->now), &load);
    g_assert_cmpuint(r->cpu_usec, ==, load.cpu_usec);
    g_assert_cmpuint(r->net_rx_bytes, ==, load.rx_bytes);
    g_assert_cmpuint(r->disk_wr_bytes, ==, load.wr_bytes);
    all = report_of(world, NULL, 4096);
    g_assert_cmpuint(all->hosts->len, ==, 3);
    g_assert_cmpuint(all->domains->len, ==, 3 + 12);
    g_assert_nonnull(row(all, domain(world, 1), 1));
    /* Down: known by its configuration, no life. */
    farm_hand_stop(world->fleet, d, XC_REASON_POWEROFF, NULL);
    xc_report_free(g_steal_pointer(&one));
    one = report_of(world, d->host, 300);
    r = row(one, d, 0);
    g_assert_cmpuint(r->state, ==, XC_STATE_SHUTDOWN);
    g_assert_cmpuint(r->reason, ==, XC_REASON_POWEROFF);
    g_assert_false(XC_HAS(DOMAIN, r, domid));
    g_assert_false(XC_HAS(DOMAIN, r, cpu_usec));
    g_assert_false(XC_HAS(DOMAIN, r, net_rx_bytes));
}

static void test_report_migration(struct world *world, gconstpointer data)
{
    struct farm_domain *d = domain(world, 0);
    g_autoptr(xc_report) report = NULL;
    const struct xc_domain *from;
    const struct xc_domain *to;

    (void)data;
    begin_to(world, XC_ACTION_MIGRATE, d, "host2");
    pass(world, 1);
    report = report_of(world, NULL, 4096);
    from = row(report, d, 0);
    to = row(report, d, 1);
    g_assert_true(from->migrating && from->state == XC_STATE_RUNNING);
    g_assert_true(to->migrating && to->state == XC_STATE_PREPARING);
    g_assert_cmpint(to->domid, >, 0);
}

static void test_report_of_blind_member(struct world *world, gconstpointer data)
{
    g_autoptr(xc_report) report = NULL;
    const struct xc_host *second;

    (void)data;
    host(world, "host2")->fault = FARM_DOWN;
    report = report_of(world, NULL, 4096);
    second = &g_array_index(report->hosts, struct xc_host, 1);
    g_assert_cmpuint(row(report, domain(world, 1), 1)->state, ==, XC_STATE_UNKNOWN);
    g_assert_false(XC_HAS(HOST, second, mem_free_kib));
    g_assert_cmpuint(row(report, domain(world, 0), 0)->state, ==, XC_STATE_RUNNING);
}

/* Counters that jump back and a number no Xen gives: what the front must bear. */
static void test_lies(struct world *world, gconstpointer data)
{
    struct farm_domain *d = domain(world, 0);
    uint64_t before = 0;
    bool fell = false;

    (void)data;
    d->lies = FARM_LIE_COUNTERS | FARM_LIE_DOMID;
    for (int i = 0; i < 6; i++) {
        g_autoptr(xc_report) report = report_of(world, d->host, 4096);
        const struct xc_domain *r = row(report, d, 0);

        g_assert_cmpint(r->domid, ==, G_MAXINT64);
        fell = fell || r->cpu_usec < before;
        before = r->cpu_usec;
        pass(world, 1);
    }
    g_assert_true(fell);
}

/* More than one batch: ordinals of devices count over the whole report. */
static void test_large_report(void)
{
    struct farm_config config;
    struct world world = {.now = 9000000 * SEC};
    g_autoptr(xc_report) report = NULL;

    farm_config_init(&config);
    config.hosts = 1;
    config.domains = 1700;
    config.vifs = 1;
    config.vbds = 2;
    world.fleet = farm_fleet_new(&config, world.now, REAL, NULL);
    report = report_of(&world, host(&world, "host1"), 64u << 10);
    g_assert_cmpuint(report->domains->len, ==, 1701);
    g_assert_cmpuint(report->vifs->len, ==, 1700);
    g_assert_cmpuint(report->vbds->len, ==, 3400);
    for (guint i = 0; i < 1700; i++) {
        g_assert_cmpuint(g_array_index(report->vifs, struct xc_vif, i).domain, ==, i + 1);
        g_assert_cmpuint(g_array_index(report->vbds, struct xc_vbd, 2 * i + 1).domain, ==, i + 1);
    }
    farm_fleet_free(world.fleet);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/farm-report/large", test_large_report);
#define ADD(path, function)                                                                        \
    g_test_add("/farm-report/" path, struct world, NULL, world_open, function, world_close)
    ADD("report", test_report);
    ADD("report-migration", test_report_migration);
    ADD("lies", test_lies);
    ADD("report-of-blind-member", test_report_of_blind_member);
    return g_test_run();
}
