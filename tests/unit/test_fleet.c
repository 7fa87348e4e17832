/* The simulated world: the same seed the same fleet, lifecycle, memory, migration, creation. */
#include "tests/unit/world.h"

/* --- the fleet of a seed */

static GString *describe(uint64_t seed, bool same_names)
{
    GString *out = g_string_new(NULL);
    struct farm_config config;
    struct farm_fleet *fleet;

    farm_config_init(&config);
    config.seed = seed;
    config.domains = 40;
    config.same_names = same_names;
    fleet = farm_fleet_new(&config, 5000000 * SEC, REAL, NULL);
    for (guint i = 0; i < fleet->domains->len; i++) {
        const struct farm_domain *d = g_ptr_array_index(fleet->domains, i);
        struct farm_load load;
        char uuid[XC_UUID_TEXT];

        xc_uuid_format(&d->uuid, uuid);
        farm_load_at(d->key, d->profile, d->vcpus, farm_domain_run_usec(d, fleet->now), &load);
        g_string_append_printf(out, "%s %s %s %d %u %u %lu %lu %lu\n", uuid, d->name, d->host->name,
                               d->state, d->domid, d->vcpus, (unsigned long)d->mem_kib,
                               (unsigned long)load.cpu_usec, (unsigned long)load.rx_bytes);
    }
    farm_fleet_free(fleet);
    return out;
}

static void test_seed(void)
{
    g_autoptr(GString) a = describe(7, false);
    g_autoptr(GString) b = describe(7, false);
    g_autoptr(GString) c = describe(8, false);

    g_assert_cmpstr(a->str, ==, b->str);
    g_assert_cmpstr(a->str, !=, c->str);
}

static void test_names(void)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autoptr(GError) error = NULL;
    struct farm_config config;
    struct farm_fleet *fleet;
    const struct farm_domain *first;
    const struct farm_domain *second;

    farm_config_init(&config);
    config.hosts = 2;
    config.domains = 4;
    config.same_names = true;
    fleet = farm_fleet_new(&config, 5000000 * SEC, REAL, NULL);
    first = g_ptr_array_index(fleet->domains, 0);
    second = g_ptr_array_index(fleet->domains, 1);
    g_assert_cmpstr(first->name, ==, second->name);
    g_assert_true(first->host != second->host);
    g_assert_null(farm_domain_find(fleet, first->name, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_AMBIGUOUS);
    g_clear_error(&error);
    farm_fleet_free(fleet);

    /* Any octets; twice on one host is refused by name. */
    g_ptr_array_add(names, (gpointer) "a b\xff;$(x)");
    g_ptr_array_add(names, (gpointer) "other");
    config.same_names = false;
    config.names = names;
    fleet = farm_fleet_new(&config, 5000000 * SEC, REAL, &error);
    g_assert_no_error(error);
    g_assert_nonnull(farm_domain_find(fleet, "host1/a b\xff;$(x)", NULL));
    farm_fleet_free(fleet);
    g_ptr_array_add(names, (gpointer) "a b\xff;$(x)");
    g_assert_null(farm_fleet_new(&config, 5000000 * SEC, REAL, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_BAD_VALUE);
    g_assert_nonnull(strstr(error->message, "a b\\xff"));
}

/* Whatever the profile, a guest never uses more CPU than it has, and no counter ever falls. */
static void test_load(void)
{
    for (uint64_t key = 0; key < 200; key++) {
        struct farm_load before = {0};

        for (gint64 t = 0; t < 2000 * SEC; t += 7 * SEC + 1) {
            struct farm_load load;

            farm_load_at(key, farm_profile_of(key), 2, t, &load);
            g_assert_cmpuint(load.cpu_usec, >=, before.cpu_usec);
            g_assert_cmpuint(load.cpu_usec - before.cpu_usec, <=, 2 * (7 * SEC + 1));
            g_assert_cmpuint(load.rx_bytes, >=, before.rx_bytes);
            g_assert_cmpuint(load.wr_ops, >=, before.wr_ops);
            before = load;
        }
        g_assert_cmpuint(before.cpu_usec, >, 0);
    }
}

/* --- lifecycle */

/* Which action is possible in which state, and where it leads. */
static const struct {
    enum xc_action action;
    enum xc_domain_state from;
    bool possible;
    enum xc_domain_state to;
} lifecycle[] = {
    {XC_ACTION_START, XC_STATE_SHUTDOWN, true, XC_STATE_RUNNING},
    {XC_ACTION_START, XC_STATE_RUNNING, false, XC_STATE_RUNNING},
    {XC_ACTION_START, XC_STATE_PAUSED, false, XC_STATE_PAUSED},
    {XC_ACTION_SHUTDOWN, XC_STATE_RUNNING, true, XC_STATE_SHUTDOWN},
    {XC_ACTION_SHUTDOWN, XC_STATE_PAUSED, false, XC_STATE_PAUSED},
    {XC_ACTION_SHUTDOWN, XC_STATE_SHUTDOWN, false, XC_STATE_SHUTDOWN},
    {XC_ACTION_SHUTDOWN, XC_STATE_CRASHED, false, XC_STATE_CRASHED},
    {XC_ACTION_REBOOT, XC_STATE_RUNNING, true, XC_STATE_RUNNING},
    {XC_ACTION_REBOOT, XC_STATE_SHUTDOWN, false, XC_STATE_SHUTDOWN},
    {XC_ACTION_PAUSE, XC_STATE_RUNNING, true, XC_STATE_PAUSED},
    {XC_ACTION_PAUSE, XC_STATE_PAUSED, false, XC_STATE_PAUSED},
    {XC_ACTION_UNPAUSE, XC_STATE_PAUSED, true, XC_STATE_RUNNING},
    {XC_ACTION_UNPAUSE, XC_STATE_RUNNING, false, XC_STATE_RUNNING},
    {XC_ACTION_DESTROY, XC_STATE_RUNNING, true, XC_STATE_SHUTDOWN},
    {XC_ACTION_DESTROY, XC_STATE_PAUSED, true, XC_STATE_SHUTDOWN},
    {XC_ACTION_DESTROY, XC_STATE_CRASHED, true, XC_STATE_SHUTDOWN},
    {XC_ACTION_DESTROY, XC_STATE_SHUTDOWN, false, XC_STATE_SHUTDOWN},
    {XC_ACTION_RESET, XC_STATE_CRASHED, true, XC_STATE_RUNNING},
    {XC_ACTION_RESET, XC_STATE_PAUSED, true, XC_STATE_RUNNING},
    {XC_ACTION_RESET, XC_STATE_SHUTDOWN, false, XC_STATE_SHUTDOWN},
    {XC_ACTION_MIGRATE, XC_STATE_RUNNING, true, XC_STATE_RUNNING},
    {XC_ACTION_MIGRATE, XC_STATE_PAUSED, false, XC_STATE_PAUSED},
    {XC_ACTION_MIGRATE, XC_STATE_SHUTDOWN, false, XC_STATE_SHUTDOWN},
};

static void test_lifecycle(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(lifecycle); i++) {
        struct world world;
        struct farm_domain *d;
        const struct farm_op *op;

        world_open(&world, NULL);
        d = domain(&world, 0);
        bring_to(&world, d, lifecycle[i].from);
        op = begin_to(&world, lifecycle[i].action, d, "host2");
        pass(&world, 60);
        if (lifecycle[i].possible) {
            ASSERT_OK(op);
            g_assert_cmpint(op->state, ==, lifecycle[i].to);
        } else {
            ASSERT_FAILED(op, XC_CAUSE_BAD_STATE);
        }
        g_assert_cmpint(d->state, ==, lifecycle[i].to);
        g_assert_null(d->op);
        world_close(&world, NULL);
    }
}

/* Every start of life gives a new domid and new counters, and keeps the uuid. */
static void test_reboot(struct world *world, gconstpointer data)
{
    struct farm_domain *d = domain(world, 0);
    struct xc_uuid uuid = d->uuid;
    uint32_t domid = d->domid;
    gint64 run = farm_domain_run_usec(d, world->now);
    const struct farm_op *op;

    (void)data;
    g_assert_cmpint(run, >, 60 * SEC);
    op = begin(world, XC_ACTION_REBOOT, d);
    g_assert_cmpint(d->state, ==, XC_STATE_SHUTTING_DOWN);
    pass(world, 20);
    ASSERT_OK(op);
    g_assert_cmpmem(&uuid, sizeof(uuid), &d->uuid, sizeof(d->uuid));
    g_assert_cmpuint(d->domid, !=, domid);
    g_assert_cmpint(farm_domain_run_usec(d, world->now), <, 20 * SEC);
}

static void test_paused_time_does_not_count(struct world *world, gconstpointer data)
{
    struct farm_domain *d = domain(world, 0);
    gint64 run;

    (void)data;
    farm_hand_pause(world->fleet, d, true, NULL);
    run = farm_domain_run_usec(d, world->now);
    pass(world, 100);
    g_assert_cmpint(farm_domain_run_usec(d, world->now), ==, run);
    farm_hand_pause(world->fleet, d, false, NULL);
    pass(world, 5);
    g_assert_cmpint(farm_domain_run_usec(d, world->now), ==, run + 5 * SEC);
}

static void test_control_domain(struct world *world, gconstpointer data)
{
    struct xc_order order;
    const struct farm_op *op;

    (void)data;
    order_init(world, &order, XC_ACTION_DESTROY, NULL);
    order.has_domid = true;
    op = farm_op_begin(world->fleet, host(world, "host1"), &order);
    ASSERT_FAILED(op, XC_CAUSE_PROTECTED);
    xc_order_clear(&order);
}

/* --- memory and migration */

static void test_memory(struct world *world, gconstpointer data)
{
    struct farm_host *h = host(world, "host1");
    struct farm_domain *d = domain(world, 0);
    uint64_t free_kib = farm_host_free_kib(h);
    const struct farm_op *op;

    (void)data;
    pass(world, 0);
    op = begin(world, XC_ACTION_DESTROY, d);
    pass(world, 5);
    ASSERT_OK(op);
    g_assert_cmpuint(farm_host_free_kib(h), ==, free_kib + GIB);
    h->mem_kib -= free_kib + GIB; /* now nothing is free */
    op = begin(world, XC_ACTION_START, d);
    ASSERT_FAILED(op, XC_CAUSE_NO_MEMORY);
    g_assert_nonnull(strstr(op->outcome.text, "1024 MiB needed, 0 MiB free"));
    g_assert_cmpint(d->state, ==, XC_STATE_SHUTDOWN);
    h->mem_kib += GIB;
    op = begin(world, XC_ACTION_START, d);
    /* Taken from the first moment on, given back by a cancellation. */
    g_assert_cmpuint(farm_host_free_kib(h), ==, 0);
    farm_op_cancel(world->fleet, farm_op_find(world->fleet, &op->uuid));
    ASSERT_END(op, XC_RESULT_CANCELLED, XC_CAUSE_CANCELLED);
    g_assert_cmpuint(farm_host_free_kib(h), ==, GIB);
}

static void test_migrate(struct world *world, gconstpointer data)
{
    struct farm_domain *d = domain(world, 0);
    struct farm_host *from = d->host;
    struct farm_host *to = host(world, "host2");
    struct xc_uuid uuid = d->uuid;
    uint64_t free_from = farm_host_free_kib(from);
    uint64_t free_to = farm_host_free_kib(to);
    guint there = to->domains->len;
    const struct farm_op *op = begin_to(world, XC_ACTION_MIGRATE, d, "host2");

    (void)data;
    pass(world, 1);
    g_assert_cmpstr(op->phase, ==, "sending memory");
    g_assert_cmpint(op->progress, >, 0);
    g_assert_true(d->host == from && d->state == XC_STATE_RUNNING);
    g_assert_cmpuint(farm_host_free_kib(to), ==, free_to - GIB);
    g_assert_cmpuint(farm_host_free_kib(from), ==, free_from);
    g_assert_cmpuint(to->incoming->len, ==, 1);
    pass(world, 10);
    ASSERT_OK(op);
    g_assert_cmpstr(op->where, ==, "host2");
    g_assert_true(d->host == to);
    g_assert_cmpmem(&uuid, sizeof(uuid), &d->uuid, sizeof(d->uuid));
    g_assert_cmpuint(farm_host_free_kib(to), ==, free_to - GIB);
    g_assert_cmpuint(farm_host_free_kib(from), ==, free_from + GIB);
    g_assert_cmpuint(to->domains->len, ==, there + 1);
    g_assert_cmpuint(to->incoming->len, ==, 0);
    g_assert_cmpint(farm_domain_run_usec(d, world->now), <, 10 * SEC);
}

static void test_migrate_refused(struct world *world, gconstpointer data)
{
    struct farm_domain *d = domain(world, 0);
    struct farm_host *to = host(world, "host2");
    const struct farm_op *op;
    const struct farm_op *check;

    (void)data;
    op = begin_to(world, XC_ACTION_MIGRATE, d, "host9");
    pass(world, 1);
    ASSERT_FAILED(op, XC_CAUSE_NO_SUCH_HOST);
    to->fault = FARM_DOWN;
    op = begin_to(world, XC_ACTION_MIGRATE, d, "host2");
    ASSERT_FAILED(op, XC_CAUSE_HOST_DOWN);
    to->fault = FARM_NORMAL;
    check = begin_to(world, XC_ACTION_CHECK_MIGRATE, d, "host2");
    pass(world, 1);
    ASSERT_OK(check);
    to->mem_kib -= farm_host_free_kib(to);
    op = begin_to(world, XC_ACTION_MIGRATE, d, "host2");
    ASSERT_FAILED(op, XC_CAUSE_NO_MEMORY);
    check = begin_to(world, XC_ACTION_CHECK_MIGRATE, d, "host2");
    pass(world, 1);
    ASSERT_FAILED(check, XC_CAUSE_NO_MEMORY);
    g_assert_cmpuint(to->incoming->len, ==, 0);
    g_assert_cmpint(d->state, ==, XC_STATE_RUNNING);
}

/* A migration can be stopped while memory is sent, not while it is handed over. */
static void test_migrate_cancel(struct world *world, gconstpointer data)
{
    struct farm_domain *d = domain(world, 0);
    struct farm_host *to = host(world, "host2");
    uint64_t free_to = farm_host_free_kib(to);
    struct farm_op *op = begin_to(world, XC_ACTION_MIGRATE, d, "host2");

    (void)data;
    pass(world, 1);
    farm_op_cancel(world->fleet, op);
    ASSERT_END(op, XC_RESULT_CANCELLED, XC_CAUSE_CANCELLED);
    g_assert_cmpuint(farm_host_free_kib(to), ==, free_to);
    g_assert_cmpstr(d->host->name, ==, "host1");
    op = begin_to(world, XC_ACTION_MIGRATE, d, "host2");
    while (strcmp(op->phase, "handing over") != 0 && !op->finished)
        pass(world, 0.05);
    farm_op_cancel(world->fleet, op);
    g_assert_false(op->finished);
    pass(world, 1);
    ASSERT_OK(op);
}

static void test_start_elsewhere(struct world *world, gconstpointer data)
{
    struct farm_domain *d = domain(world, 0);
    const struct farm_op *op;
    struct xc_order order;

    (void)data;
    order_init(world, &order, XC_ACTION_START, d);
    op = farm_op_begin(world->fleet, host(world, "host3"), &order);
    ASSERT_FAILED(op, XC_CAUSE_NO_SUCH_TARGET);
    bring_to(world, d, XC_STATE_SHUTDOWN);
    order.op.b[15] = 1;
    op = farm_op_begin(world->fleet, host(world, "host3"), &order);
    pass(world, 5);
    ASSERT_OK(op);
    g_assert_cmpstr(d->host->name, ==, "host3");
    xc_order_clear(&order);
}

static void test_create(struct world *world, gconstpointer data)
{
    struct xc_order order;
    const struct farm_op *op;
    const struct farm_domain *d;

    (void)data;
    order_init(world, &order, XC_ACTION_CREATE, NULL);
    g_free(order.content);
    order.content = g_strdup("name = \"fresh\"\nmemory = 512\nvcpus = 2\n"
                             "vif = [ '', '' ]\ndisk = [ 'phy:/dev/x,xvda,w' ]\n");
    op = farm_op_begin(world->fleet, host(world, "host1"), &order);
    pass(world, 5);
    ASSERT_OK(op);
    d = farm_domain_find(world->fleet, "host1/fresh", NULL);
    g_assert_nonnull(d);
    g_assert_cmpint(d->state, ==, XC_STATE_RUNNING);
    g_assert_cmpuint(d->mem_kib, ==, 512 * 1024);
    g_assert_cmpuint(d->vifs, ==, 2);
    order.op.b[15] = 1; /* the same name again */
    op = farm_op_begin(world->fleet, host(world, "host1"), &order);
    pass(world, 5);
    ASSERT_FAILED(op, XC_CAUSE_DRIVER_ERROR);
    order.op.b[15] = 2;
    g_free(order.content);
    order.content = g_strdup("memory = 512\n");
    op = farm_op_begin(world->fleet, host(world, "host1"), &order);
    ASSERT_FAILED(op, XC_CAUSE_BAD_CONFIG);
    xc_order_clear(&order);
}

static void test_create_from_path(struct world *world, gconstpointer data)
{
    struct farm_domain *d = domain(world, 0);
    g_autofree char *path = farm_domain_config(d);
    struct xc_order order;
    const struct farm_op *op;

    (void)data;
    bring_to(world, d, XC_STATE_SHUTDOWN);
    order_init(world, &order, XC_ACTION_CREATE, NULL);
    g_free(order.config);
    order.config = g_strdup(path);
    op = farm_op_begin(world->fleet, host(world, "host1"), &order);
    pass(world, 5);
    ASSERT_OK(op);
    g_assert_cmpint(d->state, ==, XC_STATE_RUNNING);
    order.op.b[15] = 1;
    g_free(order.config);
    order.config = g_strdup("/etc/xen/none.cfg");
    op = farm_op_begin(world->fleet, host(world, "host1"), &order);
    ASSERT_FAILED(op, XC_CAUSE_NO_SUCH_TARGET);
    xc_order_clear(&order);
}

/* --- suspended */

static void test_suspend(struct world *world, gconstpointer data)
{
    struct farm_domain *d = domain(world, 0);
    struct farm_host *home = d->host;
    struct farm_host *other = domain(world, 1)->host;
    uint64_t free_kib = farm_host_free_kib(home);
    struct xc_order order;
    const struct farm_op *op;

    (void)data;
    g_assert_true(other != home);
    op = begin(world, XC_ACTION_SUSPEND, d);
    g_assert_cmpint(d->state, ==, XC_STATE_SUSPENDING);
    farm_op_cancel(world->fleet, (struct farm_op *)op);
    ASSERT_END(op, XC_RESULT_CANCELLED, XC_CAUSE_CANCELLED);
    g_assert_cmpint(d->state, ==, XC_STATE_RUNNING);
    op = begin(world, XC_ACTION_SUSPEND, d);
    pass(world, 10);
    ASSERT_OK(op);
    g_assert_cmpint(d->state, ==, XC_STATE_SUSPENDED);
    g_assert_cmpuint(farm_host_free_kib(home), ==, free_kib + d->mem_kib);
    ASSERT_FAILED(begin(world, XC_ACTION_START, d), XC_CAUSE_BAD_STATE);
    /* Elsewhere, for every host sees the file; taken back it is suspended again. */
    order_init(world, &order, XC_ACTION_RESUME, d);
    op = farm_op_begin(world->fleet, other, &order);
    xc_order_clear(&order);
    g_assert_cmpint(d->state, ==, XC_STATE_PREPARING);
    g_assert_cmpuint(world->fleet->saved->len, ==, 0);
    farm_op_cancel(world->fleet, (struct farm_op *)op);
    g_assert_cmpint(d->state, ==, XC_STATE_SUSPENDED);
    g_assert_cmpuint(world->fleet->saved->len, ==, 1);
    op = begin(world, XC_ACTION_RESUME, d);
    pass(world, 10);
    ASSERT_OK(op);
    g_assert_cmpint(d->state, ==, XC_STATE_RUNNING);
    ASSERT_FAILED(begin(world, XC_ACTION_RESUME, d), XC_CAUSE_BAD_STATE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/fleet/seed", test_seed);
    g_test_add_func("/fleet/names", test_names);
    g_test_add_func("/fleet/load", test_load);
    g_test_add_func("/fleet/lifecycle", test_lifecycle);
#define ADD(path, function)                                                                        \
    g_test_add("/fleet/" path, struct world, NULL, world_open, function, world_close)
    ADD("reboot", test_reboot);
    ADD("paused-time-does-not-count", test_paused_time_does_not_count);
    ADD("control-domain", test_control_domain);
    ADD("memory", test_memory);
    ADD("migrate", test_migrate);
    ADD("migrate-refused", test_migrate_refused);
    ADD("migrate-cancel", test_migrate_cancel);
    ADD("start-elsewhere", test_start_elsewhere);
    ADD("suspend", test_suspend);
    ADD("create", test_create);
    ADD("create-from-path", test_create_from_path);
    return g_test_run();
}
