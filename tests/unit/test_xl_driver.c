/* The xl driver over SSH: polls and events on one connection, operations whose connections are cut. */
#include "tests/unit/sshd.h"

#include <poll.h>

struct xl_sim sim;
struct sshd sshd;

#define BUDGET (60 * XC_USEC_PER_SEC)

/* --- polls and events */

static bool readable(int fd, int msec)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};

    return poll(&one, 1, msec) > 0;
}

static void tell_event(const char *text)
{
    g_autofree char *fifo = g_build_filename(sim.state, "events", NULL);
    FILE *file = fopen(fifo, "w");

    g_assert_nonnull(file);
    fputs(text, file);
    fclose(file);
}

/* Reads events until a change or nothing more comes. */
static bool sees_change(struct xc_conn *conn, int msec)
{
    gint64 until = xc_clock_mono() + msec * (gint64)1000;
    bool changed = false;

    while (!changed && xc_clock_mono() < until && readable(xc_xl_ops.event_fd(conn), msec))
        g_assert_true(xc_xl_ops.event_read(conn, &changed, NULL));
    return changed;
}

static void test_poll_and_events(void)
{
    struct xc_source_spec spec = sim_spec("ed25519");
    struct xc_driver_env env = {.credential_dir = sim.top, .known_hosts = sim.known_hosts};
    g_autofree char *fifo = g_build_filename(sim.state, "events", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(xc_report) first = xc_report_new();
    g_autoptr(xc_report) second = xc_report_new();
    const struct xc_host *host;
    struct xc_conn *conn;
    struct xc_call call;
    bool changed = true;

    command("mkfifo %s", fifo);
    put_domain(300, "polled", "-b----");
    g_assert_true(xc_call_init(&call, BUDGET, NULL));
    conn = xc_xl_ops.open(&spec, &env, &call, &error);
    g_assert_no_error(error);
    xc_xl_ops.poll(conn, first, &call, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(first->hosts->len, ==, 1);
    g_assert_cmpuint(first->domains->len, ==, 2);
    host = &g_array_index(first->hosts, struct xc_host, 0);
    g_assert_true(XC_HAS(HOST, host, clock_skew_msec)); /* its clock is this machine's */
    g_assert_cmpint(ABS(host->clock_skew_msec), <, 10000);

    /* the first line of each watch is no change */
    g_assert_false(sees_change(conn, 300));
    tell_event("@releaseDomain\n");
    g_assert_true(sees_change(conn, 5000));
    g_assert_false(sees_change(conn, 100));

    /* what arrives in the middle of a poll still makes the descriptor readable */
    tell_event("@introduceDomain\n");
    xc_call_restart(&call, BUDGET);
    g_assert_true(xc_xl_ops.poll(conn, second, &call, &error));
    g_assert_true(sees_change(conn, 5000));
    xc_xl_ops.close(conn);

    /* a connection that breaks is told by the descriptor as well */
    conn = xc_xl_ops.open(&spec, &env, &call, &error);
    g_assert_no_error(error);
    while (readable(xc_xl_ops.event_fd(conn), 200))
        g_assert_true(xc_xl_ops.event_read(conn, &changed, NULL));
    g_assert_cmpuint(cut_connections(), >=, 1);
    while (readable(xc_xl_ops.event_fd(conn), 5000) && xc_xl_ops.event_read(conn, &changed, &error))
        continue;
    g_assert_error(error, XC_ERROR, XC_CAUSE_TRANSPORT);
    xc_xl_ops.close(conn);
    xc_call_deinit(&call);
    g_unlink(fifo);
}

/* A host without xenstore-watch has no events and works. */
static void test_no_events(void)
{
    struct xc_source_spec spec = sim_spec("ed25519");
    struct xc_driver_env env = {.credential_dir = sim.top, .known_hosts = sim.known_hosts};
    g_autoptr(GError) error = NULL;
    struct xc_conn *conn;
    struct xc_call call;

    g_assert_true(xc_call_init(&call, BUDGET, NULL));
    conn = xc_xl_ops.open(&spec, &env, &call, &error);
    g_assert_no_error(error);
    for (int i = 0; i < 3; i++) {
        g_autoptr(xc_report) report = xc_report_new();

        xc_xl_ops.poll(conn, report, &call, &error);
        g_assert_no_error(error);
        g_assert_false(sees_change(conn, 50));
    }
    g_assert_false(readable(xc_xl_ops.event_fd(conn), 100));
    xc_xl_ops.close(conn);
    xc_call_deinit(&call);
}

/* --- operations */

/* Connections are cut again and again while the domain moves: one migration, right result. */
static void test_cut_migration(void)
{
    g_autofree char *hold = in_state("-host2/hold"), *dir = in_state("-host2");
    struct ran *ran = prepare(XC_ACTION_MIGRATE, "moving", 310, "");
    int cuts = 0;

    put_domain(310, "moving", "-b----");
    g_mkdir(dir, 0755);
    put(hold, "", 0644);
    set_text(&ran->order.target.address, "host2");
    start(ran);
    wait_sending(ran);
    for (int i = 0; i < 1000 && cuts < 3; i++) {
        cuts += cut_connections() > 0;
        g_usleep(50 * 1000);
    }
    g_unlink(hold);
    finish(ran, XC_RESULT_OK, XC_CAUSE_NONE);
    g_assert_cmpint(cuts, ==, 3);
    g_assert_nonnull(strstr(ran->phases->str, "reconnecting"));
    g_assert_cmpuint(runs("migrate", "310"), ==, 1);
    release(ran);
}

static void check_migrate(const char *there_info, enum xc_result result, enum xc_cause cause,
                          const char *words)
{
    g_autofree char *there = in_state("-host2/info");
    struct ran *ran = prepare(XC_ACTION_CHECK_MIGRATE, "thinking", 320, "");

    put(there, there_info, 0644);
    set_text(&ran->order.target.address, "host2");
    start(ran);
    finish(ran, result, cause);
    if (!strstr(ran->outcome.text, words))
        g_error("\"%s\" is not in \"%s\"", words, ran->outcome.text);
    release(ran);
}

#define FACT(key, value) key "            : " value "\n"

static void test_check_migrate(void)
{
    g_autofree char *here = in_state("/info"), *dir = in_state("-host2");

    g_mkdir(dir, 0755);
    put_domain(320, "thinking", "-b----");
    put(here,
        FACT("host", "one") FACT("free_memory", "10") FACT("xen_major", "4")
            FACT("xen_minor", "17"),
        0644);
    check_migrate(FACT("host", "two") FACT("free_memory", "900"), XC_RESULT_OK, XC_CAUSE_NONE,
                  "two has 900 MiB free");
    check_migrate(FACT("host", "two") FACT("free_memory", "90"), XC_RESULT_FAILED,
                  XC_CAUSE_NO_MEMORY, "two has 90 MiB free");
    check_migrate(FACT("host", "one") FACT("free_memory", "900"), XC_RESULT_FAILED,
                  XC_CAUSE_BAD_VALUE, "already");
    check_migrate(FACT("host", "two") FACT("free_memory", "900") FACT("xen_major", "4")
                      FACT("xen_minor", "11"),
                  XC_RESULT_FAILED, XC_CAUSE_NOT_SUPPORTED, "older");
    check_migrate("", XC_RESULT_FAILED, XC_CAUSE_DRIVER_ERROR, "destination");
}

int main(int argc, char **argv)
{
    int rc;

    g_test_init(&argc, &argv, NULL);
    sshd_begin("xl-driver-XXXXXX");
    g_test_add_func("/xl-driver/no-events", test_no_events);
    g_test_add_func("/xl-driver/poll-and-events", test_poll_and_events);
    g_test_add_func("/xl-driver/check-migrate", test_check_migrate);
    g_test_add_func("/xl-driver/cut-migration", test_cut_migration);
    rc = g_test_run();
    sshd_stop();
    sim_end();
    return rc;
}
