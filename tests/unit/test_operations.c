/* Operations and the SET transaction: accepted whole or not at all, run once, ended truly. */
#include "tests/unit/operations_kit.h"

#define TEST(name, function)                                                                       \
    g_test_add("/operations/" name, struct kit_fixture, NULL, kit_set_up, function, kit_tear_down)

/* web runs on a, db does not; b is empty. */
static void show_fleet(struct kit_fixture *f)
{
    struct xc_report *report = kit_report("boot-1");

    kit_domain(report, "web", 1, 5);
    kit_domain(report, "db", 2, 0);
    kit_answer(f, "a", report);
    kit_answer(f, "b", kit_report("boot-b"));
}

static struct xc_request on(struct kit_fixture *f, const char *name, enum xc_action action,
                            const char *host, bool locked)
{
    return (struct xc_request){
        .action = action, .domain = kit_find(f, name)->index, .host = host, .locked = locked};
}

static bool add(struct kit_fixture *f, struct xc_txn *txn, const char *name, enum xc_action action,
                const char *host, bool locked, GError **error)
{
    const struct xc_request request = on(f, name, action, host, locked);

    return xc_txn_add_op(txn, &request, error);
}

static enum xc_cause ask(struct kit_fixture *f, const char *name, enum xc_action action,
                         const char *host, bool locked)
{
    const struct xc_request request = on(f, name, action, host, locked);

    return kit_ask(f, &request);
}

static void test_runs_and_ends_with_the_tables(struct kit_fixture *f, gconstpointer data)
{
    struct xc_report *report;
    struct xc_domain *d;
    const struct xc_op *op;

    (void)data;
    show_fleet(f);
    g_assert_cmpint((int)ask(f, "web", XC_ACTION_PAUSE, NULL, false), ==, XC_CAUSE_NONE);
    op = kit_newest(f);
    g_assert_cmpint((int)op->state, ==, XC_OP_RUNNING);
    g_assert_cmpint((int)kit_order(0)->action, ==, XC_ACTION_PAUSE);
    g_assert_false(kit_order(0)->attach);
    g_assert_cmpint(kit_order(0)->domid, ==, 5);
    g_assert_cmpstr(kit_order(0)->boot_id, ==, "boot-1");
    g_assert_cmpuint(kit_find(f, "web")->track->active_op, ==, op->index);
    g_assert_cmpint((int)kit_find(f, "web")->track->wanted, ==, XC_WANTED_PAUSED);

    kit->events.progress(&kit_order(0)->op, "pausing", 40, kit->data);
    g_assert_cmpstr(op->phase, ==, "pausing");
    g_assert_cmpint(op->progress, ==, 40);

    /* Ended only when a younger poll has shown what it did. */
    kit_end(kit_order(0), XC_RESULT_OK, XC_CAUSE_NONE, "done");
    g_assert_cmpint((int)op->state, ==, XC_OP_RUNNING);
    report = kit_report("boot-1");
    kit_domain(report, "db", 2, 0);
    d = kit_domain(report, "web", 1, 5);
    XC_SET(DOMAIN, d, state, XC_STATE_PAUSED);
    kit_answer(f, "a", report);
    kit_turn();
    g_assert_cmpint((int)op->state, ==, XC_OP_FINISHED);
    g_assert_cmpint((int)op->result, ==, XC_RESULT_OK);
    g_assert_cmpint((int)xc_ref_state(kit_find(f, "web")), ==, XC_STATE_PAUSED);
    g_assert_cmpuint(kit_find(f, "web")->track->active_op, ==, 0);
    g_assert_cmpuint(kit_find(f, "web")->track->last_op, ==, op->index);
}

static void test_refusals(struct kit_fixture *f, gconstpointer data)
{
    static const struct {
        const char *name;
        const char *host;
        enum xc_action action;
        enum xc_cause cause;
    } cases[] = {
        {"web", NULL, XC_ACTION_START, XC_CAUSE_BAD_STATE},
        {"web", NULL, XC_ACTION_UNPAUSE, XC_CAUSE_BAD_STATE},
        {"db", NULL, XC_ACTION_SHUTDOWN, XC_CAUSE_BAD_STATE},
        {"db", NULL, XC_ACTION_DESTROY, XC_CAUSE_BAD_STATE},
        {"web", "nowhere", XC_ACTION_MIGRATE, XC_CAUSE_NO_SUCH_HOST},
        {"web", "a", XC_ACTION_MIGRATE, XC_CAUSE_BAD_STATE},
        {"web", "", XC_ACTION_MIGRATE, XC_CAUSE_BAD_VALUE},
        {"Domain-0", NULL, XC_ACTION_SHUTDOWN, XC_CAUSE_PROTECTED},
    };
    struct xc_report *report = kit_report("1");
    struct xc_domain *dom0;

    (void)data;
    kit_domain(report, "web", 1, 5);
    kit_domain(report, "db", 2, 0);
    dom0 = kit_domain(report, "Domain-0", 0, 1);
    XC_SET(DOMAIN, dom0, kind, XC_KIND_CONTROL);
    kit_answer(f, "a", report);
    kit_answer(f, "b", kit_report("1"));
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint((int)ask(f, cases[i].name, cases[i].action, cases[i].host, false), ==,
                        cases[i].cause);
    g_assert_cmpuint(kit_count(f), ==, 0);
    g_assert_cmpuint(kit->orders->len, ==, 0);

    f->config->control = false;
    g_assert_cmpint((int)ask(f, "web", XC_ACTION_PAUSE, NULL, false), ==, XC_CAUSE_POLICY);
    g_assert_cmpuint(kit_count(f), ==, 0);
}

static void test_no_memory_at_the_destination(struct kit_fixture *f, gconstpointer data)
{
    struct xc_report *report = kit_report("1");

    (void)data;
    show_fleet(f);
    g_array_index(report->hosts, struct xc_host, 0).mem_free_kib = 1024;
    kit_answer(f, "b", report);
    g_assert_cmpint((int)ask(f, "web", XC_ACTION_MIGRATE, "b", false), ==, XC_CAUSE_NO_MEMORY);
    /* The check is there to tell that: it runs. */
    g_assert_cmpint((int)ask(f, "web", XC_ACTION_CHECK_MIGRATE, "b", false), ==, XC_CAUSE_NONE);
}

static void test_equal_is_the_same_other_is_busy(struct kit_fixture *f, gconstpointer data)
{
    (void)data;
    show_fleet(f);
    g_assert_cmpint((int)ask(f, "web", XC_ACTION_MIGRATE, "b", false), ==, XC_CAUSE_NONE);
    g_assert_cmpint((int)ask(f, "web", XC_ACTION_MIGRATE, "b", false), ==, XC_CAUSE_NONE);
    g_assert_cmpuint(kit_count(f), ==, 1);
    g_assert_cmpint((int)ask(f, "web", XC_ACTION_PAUSE, NULL, false), ==, XC_CAUSE_BUSY);
    /* With the lock it is a new request, not a resent one. */
    g_assert_cmpint((int)ask(f, "web", XC_ACTION_MIGRATE, "b", true), ==, XC_CAUSE_BUSY);
    kit_end(kit_order(0), XC_RESULT_FAILED, XC_CAUSE_TRANSPORT, "no");
    g_assert_cmpint((int)ask(f, "web", XC_ACTION_MIGRATE, "b", false), ==, XC_CAUSE_NONE);
    g_assert_cmpuint(kit_count(f), ==, 1); /* within the duplicate window */
    g_assert_cmpint((int)ask(f, "web", XC_ACTION_MIGRATE, "b", true), ==, XC_CAUSE_NONE);
    g_assert_cmpuint(kit_count(f), ==, 2);
    g_assert_cmpuint(kit->orders->len, ==, 2);
}

static void test_force_takes_over_from_soft(struct kit_fixture *f, gconstpointer data)
{
    uint32_t soft;

    (void)data;
    show_fleet(f);
    g_assert_cmpint((int)ask(f, "web", XC_ACTION_SHUTDOWN, NULL, false), ==, XC_CAUSE_NONE);
    soft = kit_newest(f)->index;
    g_assert_cmpint((int)ask(f, "web", XC_ACTION_DESTROY, NULL, false), ==, XC_CAUSE_NONE);
    g_assert_cmpuint(kit->cancels->len, ==, 1);
    g_assert_cmpuint(kit->orders->len, ==, 2);
    g_assert_cmpint((int)xc_op_find(f->engine, soft)->state, ==, XC_OP_CANCELLING);
    kit_end(kit_order(0), XC_RESULT_CANCELLED, XC_CAUSE_CANCELLED, "");
    g_assert_cmpint((int)xc_op_find(f->engine, soft)->result, ==, XC_RESULT_CANCELLED);
    g_assert_cmpuint(kit_find(f, "web")->track->active_op, ==, kit_newest(f)->index);
    /* A soft one does not push a force action aside. */
    g_assert_cmpint((int)ask(f, "web", XC_ACTION_REBOOT, NULL, false), ==, XC_CAUSE_BUSY);
}

static void test_whole_or_not_at_all(struct kit_fixture *f, gconstpointer data)
{
    struct xc_txn *txn;
    g_autoptr(GError) error = NULL;

    (void)data;
    show_fleet(f);
    /* A good part and a bad one. */
    txn = xc_txn_new(f->engine);
    g_assert_true(add(f, txn, "web", XC_ACTION_PAUSE, NULL, false, NULL));
    g_assert_false(add(f, txn, "db", XC_ACTION_PAUSE, NULL, false, NULL));
    xc_txn_free(txn);
    /* Two for one target. */
    txn = xc_txn_new(f->engine);
    g_assert_true(add(f, txn, "web", XC_ACTION_PAUSE, NULL, false, NULL));
    g_assert_false(add(f, txn, "web", XC_ACTION_DESTROY, NULL, false, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_CONFLICT);
    xc_txn_free(txn);
    /* Written, then undone because another agent refused. */
    txn = xc_txn_new(f->engine);
    g_assert_true(add(f, txn, "web", XC_ACTION_PAUSE, NULL, false, NULL));
    g_assert_true(xc_txn_write(txn, NULL));
    xc_txn_free(txn);
    kit_turn();
    g_assert_cmpuint(kit_count(f), ==, 0);
    kit_restart(f);
    show_fleet(f);
    kit_turn();
    g_assert_cmpuint(kit_count(f), ==, 0);
    g_assert_cmpuint(kit->orders->len, ==, 0);
}

static void test_locks(struct kit_fixture *f, gconstpointer data)
{
    struct xc_txn *txn;
    uint32_t web, lock;

    (void)data;
    show_fleet(f);
    web = kit_find(f, "web")->index;
    kit_find(f, "web")->track->lock = G_MAXINT32;
    lock = G_MAXINT32;
    txn = xc_txn_new(f->engine);
    g_assert_false(xc_txn_lock(txn, web, lock - 1, NULL));
    g_assert_true(xc_txn_lock(txn, web, lock, NULL));
    g_assert_true(xc_txn_write(txn, NULL));
    xc_txn_dispatch(txn);
    xc_txn_free(txn);
    g_assert_cmpuint(kit_find(f, "web")->track->lock, ==, 0);
}

/* Accepted, the answer is out, the process dies at once: it runs after the restart, once. */
static void test_accepted_runs_after_restart(struct kit_fixture *f, gconstpointer data)
{
    struct xc_txn *txn;

    (void)data;
    show_fleet(f);
    txn = xc_txn_new(f->engine);
    g_assert_true(add(f, txn, "web", XC_ACTION_PAUSE, NULL, false, NULL));
    g_assert_true(xc_txn_write(txn, NULL));
    xc_txn_dispatch(txn);
    xc_txn_free(txn);
    g_assert_cmpuint(kit->orders->len, ==, 0); /* the main loop had no turn */
    kit_restart(f);
    g_assert_cmpuint(kit_count(f), ==, 1);
    show_fleet(f);
    kit_turn();
    g_assert_cmpuint(kit->orders->len, ==, 1);
    g_assert_false(kit_order(0)->attach);
}

/* With a worker when the process dies: found out afterwards, not begun again. */
static void test_running_is_attached_after_restart(struct kit_fixture *f, gconstpointer data)
{
    struct xc_uuid op;
    uint32_t index;

    (void)data;
    show_fleet(f);
    ask(f, "web", XC_ACTION_MIGRATE, "b", false);
    op = kit_order(0)->op;
    index = kit_newest(f)->index;
    kit_restart(f);
    kit_turn();
    g_assert_cmpuint(kit->orders->len, ==, 0); /* nothing before the host has answered */
    show_fleet(f);
    kit_turn();
    g_assert_cmpuint(kit->orders->len, ==, 1);
    g_assert_true(kit_order(0)->attach);
    g_assert_cmpmem(&kit_order(0)->op, sizeof(op), &op, sizeof(op));
    g_assert_cmpstr(kit_order(0)->boot_id, ==, "boot-1");
    g_assert_cmpstr(kit_order(0)->target.key, ==, "b");
    kit_end(kit_order(0), XC_RESULT_LOST, XC_CAUSE_LOST, "host restarted meanwhile");
    g_assert_cmpint((int)xc_op_find(f->engine, index)->result, ==, XC_RESULT_LOST);
    kit_restart(f);
    g_assert_cmpint((int)xc_op_find(f->engine, index)->result, ==, XC_RESULT_LOST);
    g_assert_cmpstr(xc_op_find(f->engine, index)->text, ==, "host restarted meanwhile");
    /* Indexes go on. */
    show_fleet(f);
    ask(f, "web", XC_ACTION_PAUSE, NULL, false);
    g_assert_cmpuint(kit_newest(f)->index, ==, index + 1);
}

static void test_limit_per_host(struct kit_fixture *f, gconstpointer data)
{
    struct xc_report *report = kit_report("1");

    (void)data;
    f->config->max_ops_per_host = 2;
    for (unsigned i = 1; i <= 5; i++) {
        g_autofree char *name = g_strdup_printf("vm%u", i);

        kit_domain(report, name, i, i);
    }
    kit_answer(f, "a", report);
    for (unsigned i = 1; i <= 5; i++) {
        g_autofree char *name = g_strdup_printf("vm%u", i);

        g_assert_cmpint((int)ask(f, name, XC_ACTION_PAUSE, NULL, false), ==, XC_CAUSE_NONE);
    }
    g_assert_cmpuint(kit->orders->len, ==, 2);
    g_assert_cmpuint(xc_op_counts(f->engine).queued, ==, 3);
    kit_end(kit_order(0), XC_RESULT_FAILED, XC_CAUSE_DRIVER_ERROR, "no");
    g_assert_cmpuint(kit->orders->len, ==, 3);
}

static void test_cancel(struct kit_fixture *f, gconstpointer data)
{
    struct xc_txn *txn = NULL;
    uint32_t running, queued;

    (void)data;
    f->config->max_ops = 1;
    show_fleet(f);
    ask(f, "web", XC_ACTION_MIGRATE, "b", false);
    running = kit_newest(f)->index;
    ask(f, "db", XC_ACTION_START, NULL, false);
    queued = kit_newest(f)->index;
    txn = xc_txn_new(f->engine);
    g_assert_true(xc_txn_cancel_op(txn, running, NULL));
    g_assert_true(xc_txn_cancel_op(txn, queued, NULL));
    g_assert_false(xc_txn_cancel_op(txn, 999, NULL));
    g_assert_true(xc_txn_write(txn, NULL));
    xc_txn_dispatch(txn);
    xc_txn_free(txn);
    g_assert_cmpint((int)xc_op_find(f->engine, queued)->result, ==, XC_RESULT_CANCELLED);
    g_assert_cmpint((int)xc_op_find(f->engine, running)->state, ==, XC_OP_CANCELLING);
    g_assert_cmpuint(kit->cancels->len, ==, 1);
    kit_turn();
    g_assert_cmpuint(kit->orders->len, ==, 1);
}

static const struct xc_op *rescan(struct kit_fixture *f, const char *host)
{
    struct xc_txn *txn = xc_txn_new(f->engine);
    struct xc_request request = {.action = XC_ACTION_RESCAN, .host = host};
    g_autoptr(GError) error = NULL;

    xc_txn_add_op(txn, &request, &error);
    g_assert_no_error(error);
    g_assert_true(xc_txn_write(txn, NULL));
    xc_txn_dispatch(txn);
    xc_txn_free(txn);
    kit_turn();
    return kit_newest(f);
}

/* A rescan is what its poll is: of a source that is down, too. */
static void test_rescan(struct kit_fixture *f, gconstpointer data)
{
    const struct xc_op *op;

    (void)data;
    f->config->dup_window_sec = 0;
    show_fleet(f);
    op = rescan(f, "a");
    g_assert_cmpint((int)op->state, ==, XC_OP_RUNNING);
    kit_fail(f, "a", XC_CAUSE_HOST_KEY);
    kit_turn();
    g_assert_cmpint((int)op->result, ==, XC_RESULT_FAILED);
    g_assert_cmpint((int)op->cause, ==, XC_CAUSE_HOST_KEY);
    g_assert_nonnull(strstr(op->text, "scripted failure"));

    op = rescan(f, "a");
    kit_answer(f, "b", kit_report("b-1"));
    kit_turn();
    g_assert_cmpint((int)op->state, ==, XC_OP_RUNNING);
    kit_answer(f, "a", kit_report("boot-1"));
    kit_turn();
    g_assert_cmpint((int)op->result, ==, XC_RESULT_OK);
    g_assert_cmpuint(kit->orders->len, ==, 0);
}

static void test_rescan_without_an_answer(struct kit_fixture *f, gconstpointer data)
{
    const struct xc_op *op;
    gint64 now = g_get_monotonic_time();

    (void)data;
    show_fleet(f);
    xc_clock_fake(now, 0);
    op = rescan(f, "a");
    xc_clock_fake(now + op->timeout_usec - 1, 0);
    xc_ops_tick(f->engine);
    g_assert_cmpint((int)op->state, ==, XC_OP_RUNNING);
    xc_clock_fake(now + op->timeout_usec + 1, 0);
    xc_ops_tick(f->engine);
    g_assert_cmpint((int)op->result, ==, XC_RESULT_TIMED_OUT);
}

static void test_protected(struct kit_fixture *f, gconstpointer data)
{
    struct xc_txn *txn;

    (void)data;
    show_fleet(f);
    txn = xc_txn_new(f->engine);
    g_assert_true(xc_txn_protect(txn, kit_find(f, "web")->index, true, NULL));
    g_assert_true(xc_txn_write(txn, NULL));
    xc_txn_dispatch(txn);
    xc_txn_free(txn);
    for (int i = 0; i < 2; i++) {
        g_assert_cmpint((int)ask(f, "web", XC_ACTION_DESTROY, NULL, false), ==, XC_CAUSE_PROTECTED);
        g_assert_cmpint((int)ask(f, "web", XC_ACTION_SHUTDOWN, NULL, false), ==,
                        XC_CAUSE_PROTECTED);
        kit_restart(f);
        show_fleet(f);
    }
    g_assert_cmpint((int)ask(f, "web", XC_ACTION_PAUSE, NULL, false), ==, XC_CAUSE_NONE);
}

static void test_sources_by_transaction(struct kit_fixture *f, gconstpointer data)
{
    struct xc_source_spec spec = {.key = (char *)"dom0-c",
                                  .uri = (char *)"sim:///run/farm.sock/c",
                                  .credential = (char *)"",
                                  .address = (char *)"",
                                  .config_dirs = (char *)"",
                                  .save_dir = (char *)""};
    struct xc_txn *txn = xc_txn_new(f->engine);
    g_autoptr(GError) error = NULL;

    (void)data;
    g_assert_true(xc_txn_put_source(txn, &spec, true, 30, NULL));
    g_assert_true(xc_txn_write(txn, NULL));
    xc_txn_dispatch(txn);
    xc_txn_free(txn);
    g_assert_cmpuint(kit_slot(f, "dom0-c")->interval_sec, ==, 30);
    kit_answer(f, "dom0-c", kit_report("1"));
    /* At once, before the store may have written it: the journal has it. */
    kit_restart(f);
    g_assert_cmpuint(kit_slot(f, "dom0-c")->interval_sec, ==, 30);
    g_assert_cmpint((int)kit_slot(f, "dom0-c")->origin, ==, XC_FROM_SNMP);

    txn = xc_txn_new(f->engine);
    spec.uri = (char *)"gopher://x";
    g_assert_false(xc_txn_put_source(txn, &spec, true, 30, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_BAD_VALUE);
    g_clear_error(&error);
    spec.uri = (char *)"sim:///run/farm.sock/c";
    spec.credential = (char *)"nosuch";
    g_assert_false(xc_txn_put_source(txn, &spec, true, 30, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_NO_SUCH_HOST);
    g_clear_error(&error);
    spec.key = (char *)"a";
    spec.credential = (char *)"";
    g_assert_false(xc_txn_put_source(txn, &spec, true, 30, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_POLICY); /* the file's */
    xc_txn_free(txn);

    txn = xc_txn_new(f->engine);
    g_assert_true(xc_txn_remove_source(txn, "dom0-c", NULL));
    g_assert_true(xc_txn_remove_source(txn, "never-there", NULL));
    g_assert_true(xc_txn_write(txn, NULL));
    xc_txn_dispatch(txn);
    xc_txn_free(txn);
    g_assert_null(xc_fleet_source(f->engine, "dom0-c"));
    kit_restart(f);
    g_assert_null(xc_fleet_source(f->engine, "dom0-c"));
}

static void test_create_finds_its_domain(struct kit_fixture *f, gconstpointer data)
{
    struct xc_request request = {
        .action = XC_ACTION_CREATE, .host = "a", .argument = "/etc/passwd"};
    struct xc_txn *txn = xc_txn_new(f->engine);
    struct xc_report *report;
    struct xc_domain *d;

    (void)data;
    show_fleet(f);
    g_assert_false(xc_txn_add_op(txn, &request, NULL));
    request.argument = "/etc/xen/../passwd";
    g_assert_false(xc_txn_add_op(txn, &request, NULL));
    request.argument = "/etc/xen/new.cfg";
    g_assert_true(xc_txn_add_op(txn, &request, NULL));
    g_assert_true(xc_txn_write(txn, NULL));
    xc_txn_dispatch(txn);
    xc_txn_free(txn);
    kit_turn();
    g_assert_cmpstr(kit_order(0)->config, ==, "/etc/xen/new.cfg");
    kit_end(kit_order(0), XC_RESULT_OK, XC_CAUSE_NONE, "");
    report = kit_report("boot-1");
    d = kit_domain(report, "new", 9, 11);
    XC_SET(DOMAIN, d, config, xc_report_text(report, "/etc/xen/new.cfg", -1));
    kit_answer(f, "a", report);
    kit_turn();
    g_assert_cmpint((int)kit_newest(f)->result, ==, XC_RESULT_OK);
    g_assert_cmpuint(kit_newest(f)->domain, ==, kit_find(f, "new")->index);
    g_assert_cmpstr(kit_newest(f)->target, ==, "new");
}

static void test_moving_domain_keeps_its_row(struct kit_fixture *f, gconstpointer data)
{
    struct xc_report *report;
    uint32_t index;

    (void)data;
    show_fleet(f);
    index = kit_find(f, "web")->index;
    ask(f, "web", XC_ACTION_MIGRATE, "b", false);
    report = kit_report("boot-1");
    kit_domain(report, "db", 2, 0);
    kit_answer(f, "a", report); /* gone from a, not yet seen on b */
    g_assert_cmpuint(kit_find(f, "web")->index, ==, index);
    g_assert_cmpint((int)xc_ref_presence(kit_find(f, "web")), ==, XC_PRESENT);
    g_assert_cmpint((int)xc_ref_state(kit_find(f, "web")), ==, XC_STATE_MIGRATING);
    report = kit_report("boot-1");
    kit_domain(report, "db", 2, 0);
    kit_domain(report, "web", 1, 0);
    kit_answer(f, "a", report); /* the configuration that a has of it does not make it halted */
    g_assert_cmpint((int)xc_ref_state(kit_find(f, "web")), ==, XC_STATE_MIGRATING);
    kit_end(kit_order(0), XC_RESULT_OK, XC_CAUSE_NONE, "");
    report = kit_report("boot-b");
    kit_domain(report, "web", 1, 1);
    kit_answer(f, "b", report);
    g_assert_cmpuint(kit_find(f, "web")->index, ==, index);
    g_assert_cmpstr(xc_fleet_host_key(kit_find(f, "web")), ==, "b");
}

/* The oldest ended ones go: out of the table, the journal and, says LeakSanitizer, memory. */
static void test_rows_beyond_the_limit_go(struct kit_fixture *f, gconstpointer data)
{
    (void)data;
    f->config->op_max_rows = 2;
    f->config->dup_window_sec = 0;
    show_fleet(f);
    for (guint i = 0; i < 4; i++) {
        g_assert_cmpint((int)ask(f, "web", XC_ACTION_PAUSE, NULL, false), ==, XC_CAUSE_NONE);
        KIT_UNTIL(kit->orders->len == i + 1);
        kit_end(kit_order(i), XC_RESULT_FAILED, XC_CAUSE_DRIVER_ERROR, "no");
    }
    g_assert_cmpuint(kit_count(f), ==, 2);
    g_assert_cmpuint(kit_newest(f)->index, ==, 4);
    g_assert_null(xc_op_find(f->engine, 2));
    kit_restart(f);
    g_assert_cmpuint(kit_count(f), ==, 2);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("runs-and-ends-with-the-tables", test_runs_and_ends_with_the_tables);
    TEST("refusals", test_refusals);
    TEST("no-memory-at-the-destination", test_no_memory_at_the_destination);
    TEST("equal-is-the-same-other-is-busy", test_equal_is_the_same_other_is_busy);
    TEST("force-takes-over-from-soft", test_force_takes_over_from_soft);
    TEST("whole-or-not-at-all", test_whole_or_not_at_all);
    TEST("locks", test_locks);
    TEST("accepted-runs-after-restart", test_accepted_runs_after_restart);
    TEST("running-is-attached-after-restart", test_running_is_attached_after_restart);
    TEST("limit-per-host", test_limit_per_host);
    TEST("cancel", test_cancel);
    TEST("rescan", test_rescan);
    TEST("rescan-without-an-answer", test_rescan_without_an_answer);
    TEST("protected", test_protected);
    TEST("sources-by-transaction", test_sources_by_transaction);
    TEST("create-finds-its-domain", test_create_finds_its_domain);
    TEST("moving-domain-keeps-its-row", test_moving_domain_keeps_its_row);
    TEST("rows-beyond-the-limit-go", test_rows_beyond_the_limit_go);
    return g_test_run();
}
