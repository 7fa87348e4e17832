/* The sim driver's operations: progress, lost connections, attaching, cancelling, time-outs, reading
 * back, poison. Whatever happens, one execution. */
#include "tests/unit/farm_kit.h"

static void test_actions(struct farm *farm, gconstpointer data)
{
    static const enum xc_action actions[] = {
        XC_ACTION_PAUSE,    XC_ACTION_UNPAUSE, XC_ACTION_REBOOT,  XC_ACTION_RESET,
        XC_ACTION_SHUTDOWN, XC_ACTION_START,   XC_ACTION_DESTROY,
    };
    struct xc_domain on = first_guest(farm);
    struct run run;

    (void)data;
    for (unsigned i = 0; i < G_N_ELEMENTS(actions); i++) {
        run_init(farm, &run, "host1", actions[i], &on);
        run_wait(&run);
        assert_ended(&run, XC_RESULT_OK, XC_CAUSE_NONE);
        g_assert_cmpint(run.phases, >, 0);
        run_clear(&run);
    }
    run_init(farm, &run, "host1", XC_ACTION_PAUSE, &on);
    run_wait(&run);
    assert_ended(&run, XC_RESULT_FAILED, XC_CAUSE_BAD_STATE);
    run_clear(&run);
    g_assert_cmpuint(stat_of(farm, "executions"), ==, G_N_ELEMENTS(actions) + 1);
}

static void test_migrate(struct farm *farm, gconstpointer data)
{
    struct xc_domain on = first_guest(farm);
    struct session session;
    g_autoptr(xc_report) report = NULL;
    struct run run;

    (void)data;
    /* So slow that its progress is seen on a machine that stands still for half a second. */
    CTL(farm, "speed 2");
    run_init(farm, &run, "host1", XC_ACTION_MIGRATE, &on);
    run_to(&run, "host3");
    run_wait(&run);
    assert_ended(&run, XC_RESULT_OK, XC_CAUSE_NONE);
    g_assert_cmpint(run.best, >, 20);
    run_clear(&run);
    session_open(farm, &session, "host3");
    report = poll_once(&session);
    g_assert_nonnull(find(report, &on.uuid));
    session_close(&session);
    /* Out of the pool there is no way. */
    run_init(farm, &run, "host3", XC_ACTION_MIGRATE, &on);
    g_free(run.order.target.uri);
    run.order.target.uri = g_strdup("sim:///elsewhere/farm.sock/host1");
    run_wait(&run);
    assert_ended(&run, XC_RESULT_FAILED, XC_CAUSE_NO_SUCH_HOST);
    run_clear(&run);
    g_assert_cmpuint(stat_of(farm, "executions"), ==, 1);
}

/* In a pool the hosts are named by the order. */
static void test_pool(struct farm *farm, gconstpointer data)
{
    struct xc_domain on = first_guest(farm);
    struct run run;

    (void)data;
    run_init(farm, &run, "@all", XC_ACTION_MIGRATE, &on);
    run_to(&run, "@all");
    g_free(run.order.host_from);
    g_free(run.order.host_to);
    run.order.host_from = g_strdup("host1");
    run.order.host_to = g_strdup("host2");
    run_wait(&run);
    assert_ended(&run, XC_RESULT_OK, XC_CAUSE_NONE);
    run_clear(&run);
}

/* Connections are cut while it runs: asked for again, done once. */
static void test_lost_connection(struct farm *farm, gconstpointer data)
{
    struct xc_domain on = first_guest(farm);
    struct run run;

    (void)data;
    CTL(farm, "speed 8");
    run_init(farm, &run, "host1", XC_ACTION_MIGRATE, &on);
    run_to(&run, "host2");
    run_start(&run);
    wait_running(farm, 1);
    for (int i = 0; i < 3; i++) {
        CTL(farm, "host host1 down");
        CTL(farm, "host host1 normal");
    }
    run_wait(&run);
    assert_ended(&run, XC_RESULT_OK, XC_CAUSE_NONE);
    run_clear(&run);
    g_assert_cmpuint(stat_of(farm, "executions"), ==, 1);
    g_assert_cmpuint(stat_of(farm, "duplicates"), ==, 0);
}

/* As after the death of a worker: attach finds a running one, a finished one, and one that never began. */
static void test_attach(struct farm *farm, gconstpointer data)
{
    struct xc_domain on = first_guest(farm);
    struct session session;
    g_autoptr(xc_report) report = NULL;
    struct run run;

    (void)data;
    session_open(farm, &session, "host1");
    report = poll_once(&session);
    run_init(farm, &run, "host1", XC_ACTION_PAUSE, &on);
    run.order.attach = true;
    g_free(run.order.boot_id);
    run.order.boot_id = g_strdup(g_array_index(report->hosts, struct xc_host, 0).boot_id);
    for (int i = 0; i < 3; i++) {
        run_wait(&run); /* begins it; then finds it twice */
        assert_ended(&run, XC_RESULT_OK, XC_CAUSE_NONE);
    }
    g_assert_cmpuint(stat_of(farm, "executions"), ==, 1);
    run_clear(&run);
    session_close(&session);
}

/* The farm was killed: what it does not know may have been done by the one before. */
static void test_attach_after_restart(struct farm *farm, gconstpointer data)
{
    struct xc_domain on = first_guest(farm);
    struct run run;

    (void)data;
    run_init(farm, &run, "host1", XC_ACTION_PAUSE, &on);
    run.order.attach = true;
    g_free(run.order.boot_id);
    run.order.boot_id = g_strdup("4d8b4c3c-0000-4000-8000-000000000000");
    run_wait(&run);
    assert_ended(&run, XC_RESULT_LOST, XC_CAUSE_LOST);
    /* An unknown boot id is no better. */
    g_free(run.order.boot_id);
    run.order.boot_id = g_strdup("");
    run_wait(&run);
    assert_ended(&run, XC_RESULT_LOST, XC_CAUSE_LOST);
    run_clear(&run);
    g_assert_cmpuint(stat_of(farm, "executions"), ==, 0);
}

/* The farm dies and comes back while the driver follows an operation. */
static void test_farm_restarts(struct farm *farm, gconstpointer data)
{
    struct xc_domain on = first_guest(farm);
    struct run run;

    (void)data;
    CTL(farm, "hang any");
    run_init(farm, &run, "host1", XC_ACTION_PAUSE, &on);
    run_start(&run);
    wait_running(farm, 1);
    farm_stop(farm);
    farm_start(farm, 2);
    run_wait(&run);
    assert_ended(&run, XC_RESULT_LOST, XC_CAUSE_LOST);
    run_clear(&run);
    g_assert_cmpuint(stat_of(farm, "executions"), ==, 0);
}

/* A farm with a journal knows after its restart what had ended, what was lost and what never began. */
static void test_journal(struct farm *farm, gconstpointer data)
{
    struct xc_domain on = first_guest(farm);
    struct run done;
    struct run cut;
    struct run never;

    (void)data;
    farm_stop(farm);
    farm->journal_path = g_build_filename(farm->folder, "journal", NULL);
    farm_start(farm, 2);
    run_init(farm, &done, "host1", XC_ACTION_PAUSE, &on);
    run_wait(&done);
    assert_ended(&done, XC_RESULT_OK, XC_CAUSE_NONE);
    CTL(farm, "hang any");
    run_init(farm, &cut, "host1", XC_ACTION_DESTROY, &on);
    run_start(&cut);
    wait_running(farm, 1);
    farm_stop(farm);
    farm_start(farm, 3);
    run_wait(&cut);
    assert_ended(&cut, XC_RESULT_LOST, XC_CAUSE_LOST);
    done.order.attach = true;
    run_wait(&done);
    assert_ended(&done, XC_RESULT_OK, XC_CAUSE_NONE);
    run_init(farm, &never, "host1", XC_ACTION_REBOOT, &on);
    never.order.attach = true;
    run_wait(&never);
    assert_ended(&never, XC_RESULT_OK, XC_CAUSE_NONE);
    run_clear(&done);
    run_clear(&cut);
    run_clear(&never);
    g_assert_cmpuint(stat_of(farm, "executions"), ==, 3);
    g_assert_cmpuint(stat_of(farm, "duplicates"), ==, 0);
    g_unlink(farm->journal_path);
    g_clear_pointer(&farm->journal_path, g_free);
}

static void test_reboot_host(struct farm *farm, gconstpointer data)
{
    struct xc_domain on = first_guest(farm);
    struct run run;

    (void)data;
    CTL(farm, "hang any");
    run_init(farm, &run, "host1", XC_ACTION_PAUSE, &on);
    run_start(&run);
    wait_running(farm, 1);
    CTL(farm, "reboot-host host1");
    run_wait(&run);
    assert_ended(&run, XC_RESULT_LOST, XC_CAUSE_LOST);
    run_wait(&run); /* begins again: seen as a duplicate by the farm */
    g_assert_cmpuint(stat_of(farm, "duplicates"), ==, 1);
    run_clear(&run);
}

static void test_cancel(struct farm *farm, gconstpointer data)
{
    struct xc_domain on = first_guest(farm);
    struct run run;

    (void)data;
    CTL(farm, "hang migrate");
    run_init(farm, &run, "host1", XC_ACTION_MIGRATE, &on);
    run_to(&run, "host2");
    run_start(&run);
    wait_running(farm, 1);
    xc_call_cancel(&run.call);
    run_wait(&run);
    assert_ended(&run, XC_RESULT_CANCELLED, XC_CAUSE_CANCELLED);
    wait_running(farm, 0);
    run_clear(&run);
    /* Before it was sent: nothing happens. */
    run_init(farm, &run, "host1", XC_ACTION_PAUSE, &on);
    xc_call_cancel(&run.call);
    run_wait(&run);
    assert_ended(&run, XC_RESULT_CANCELLED, XC_CAUSE_CANCELLED);
    run_clear(&run);
    g_assert_cmpuint(stat_of(farm, "executions"), ==, 1);
}

/* Time is over: what hangs is stopped; a host that does not even answer leaves it unknown. */
static void test_time_out(struct farm *farm, gconstpointer data)
{
    struct xc_domain on = first_guest(farm);
    struct run run;

    (void)data;
    CTL(farm, "hang any");
    run_init(farm, &run, "host1", XC_ACTION_PAUSE, &on);
    xc_call_restart(&run.call, SEC / 5);
    run_wait(&run);
    assert_ended(&run, XC_RESULT_TIMED_OUT, XC_CAUSE_TIMED_OUT);
    wait_running(farm, 0);
    run_clear(&run);
    CTL(farm, "host host1 hung");
    run_init(farm, &run, "host1", XC_ACTION_PAUSE, &on);
    xc_call_restart(&run.call, SEC / 10);
    run_wait(&run);
    assert_ended(&run, XC_RESULT_TIMED_OUT, XC_CAUSE_TIMED_OUT);
    run_clear(&run);
    CTL(farm, "host host1 normal");
    g_assert_cmpuint(stat_of(farm, "executions"), ==, 1);
}

static void test_guest_ignores(struct farm *farm, gconstpointer data)
{
    struct xc_domain on = first_guest(farm);
    char uuid[XC_UUID_TEXT];
    struct run run;

    (void)data;
    xc_uuid_format(&on.uuid, uuid);
    CTL(farm, "ignore-shutdown %s", uuid);
    run_init(farm, &run, "host1", XC_ACTION_SHUTDOWN, &on);
    run.order.timeout_usec = SEC / 10;
    run_wait(&run);
    assert_ended(&run, XC_RESULT_TIMED_OUT, XC_CAUSE_GUEST_IGNORED);
    run_clear(&run);
}

/* A host that only says it did it is found out. */
static void test_read_back(struct farm *farm, gconstpointer data)
{
    struct xc_domain on = first_guest(farm);
    struct run run;

    (void)data;
    CTL(farm, "pretend any");
    run_init(farm, &run, "host1", XC_ACTION_PAUSE, &on);
    run_wait(&run);
    assert_ended(&run, XC_RESULT_FAILED, XC_CAUSE_DRIVER_ERROR);
    g_assert_nonnull(strstr(run.outcome.text, "running on host1"));
    run_clear(&run);
}

/* --- poison */

static void poisoned_poll(void)
{
    struct farm farm;
    struct session session;

    farm_open(&farm, NULL);
    session_open(&farm, &session, "host1");
    CTL(&farm, "host host1 crash-worker");
    xc_report_free(poll_once(&session));
}

static void poisoned_run(void)
{
    struct farm farm;
    struct xc_domain on;
    struct run run;

    farm_open(&farm, NULL);
    on = first_guest(&farm);
    CTL(&farm, "poison pause");
    run_init(&farm, &run, "host1", XC_ACTION_PAUSE, &on);
    run_wait(&run);
}

static void expect_abort(const char *path)
{
    g_test_trap_subprocess(path, 10 * SEC, G_TEST_SUBPROCESS_DEFAULT);
    g_test_trap_assert_failed();
    g_assert_false(g_test_trap_reached_timeout());
}

static void test_poison(void)
{
    expect_abort("/sim-run/subprocess/poll");
    expect_abort("/sim-run/subprocess/run");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, function)                                                                        \
    g_test_add("/sim-run/" path, struct farm, NULL, farm_open, function, farm_close)
    ADD("actions", test_actions);
    ADD("migrate", test_migrate);
    ADD("pool", test_pool);
    ADD("lost-connection", test_lost_connection);
    ADD("attach", test_attach);
    ADD("attach-after-restart", test_attach_after_restart);
    ADD("farm-restarts", test_farm_restarts);
    ADD("journal", test_journal);
    ADD("reboot-host", test_reboot_host);
    ADD("cancel", test_cancel);
    ADD("time-out", test_time_out);
    ADD("guest-ignores", test_guest_ignores);
    ADD("read-back", test_read_back);
    g_test_add_func("/sim-run/poison", test_poison);
    g_test_add_func("/sim-run/subprocess/poll", poisoned_poll);
    g_test_add_func("/sim-run/subprocess/run", poisoned_run);
    return g_test_run();
}
