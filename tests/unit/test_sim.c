/* The sim driver's sessions: polls, events, hosts that refuse or answer badly; and a farm that bears
 * bad clients. */
#include "tests/unit/farm_kit.h"

#include "xenclient/drivers/sim_protocol.h"
#include "xenclient/transport/frame.h"

#include <poll.h>

static void test_poll(struct farm *farm, gconstpointer data)
{
    struct session session;
    g_autoptr(xc_report) report = NULL;

    (void)data;
    session_open(farm, &session, "host2");
    report = poll_once(&session);
    g_assert_cmpuint(report->hosts->len, ==, 1);
    g_assert_cmpstr(g_array_index(report->hosts, struct xc_host, 0).name, ==, "host2");
    g_assert_cmpuint(report->domains->len, ==, 5);
    g_assert_cmpuint(guest(report)->state, ==, XC_STATE_RUNNING);
    g_assert_cmpuint(guest(report)->cpu_usec, >, 0);
    g_assert_true(XC_HAS(DOMAIN, guest(report), net_rx_bytes));
    session_close(&session);
    session_open(farm, &session, "@all");
    xc_report_free(g_steal_pointer(&report));
    report = poll_once(&session);
    g_assert_cmpuint(report->hosts->len, ==, 3);
    g_assert_cmpuint(report->domains->len, ==, 15);
    session_close(&session);
}

static void test_bad_uri(struct farm *farm, gconstpointer data)
{
    static const char *const uris[] = {"sim:///", "sim:///farm.sock", "sim://host/farm.sock/x",
                                       "xl:///farm.sock/x"};
    g_autoptr(GError) error = NULL;
    struct session session;
    struct xc_source_spec spec;
    struct xc_call call;

    (void)data;
    spec_init(farm, &spec, "");
    g_assert_true(xc_call_init(&call, SEC, NULL));
    for (unsigned i = 0; i < G_N_ELEMENTS(uris); i++) {
        g_free(spec.uri);
        spec.uri = g_strdup(uris[i]);
        g_assert_null(xc_sim_ops.open(&spec, NULL, &call, &error));
        g_assert_error(error, XC_ERROR, XC_CAUSE_BAD_VALUE);
        g_clear_error(&error);
    }
    xc_source_spec_clear(&spec);
    xc_call_deinit(&call);
    g_assert_false(session_try(farm, &session, "host9", &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_NO_SUCH_HOST);
    g_assert_nonnull(strstr(error->message, "host1 to host3"));
    session_close(&session);
}

/* --- events */

static bool readable(int fd, int msec)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return poll(&p, 1, msec) == 1;
}

static void test_events(struct farm *farm, gconstpointer data)
{
    struct session session;
    bool changed = false;
    int fd;

    (void)data;
    session_open(farm, &session, "host1");
    fd = xc_sim_ops.event_fd(session.conn);
    xc_report_free(poll_once(&session));
    g_assert_true(xc_sim_ops.event_read(session.conn, &changed, NULL));
    g_assert_false(changed);
    CTL(farm, "flap 12");
    g_assert_true(readable(fd, 5000));
    g_assert_true(xc_sim_ops.event_read(session.conn, &changed, NULL));
    g_assert_true(changed);
    /* A second change before the next poll says nothing new. */
    CTL(farm, "flap 12");
    g_assert_false(readable(fd, 0));
    /* Changes before and after a poll are told apart. */
    xc_report_free(poll_once(&session));
    g_assert_true(xc_sim_ops.event_read(session.conn, &changed, NULL));
    g_assert_false(changed);
    CTL(farm, "host host1 down");
    g_assert_true(readable(fd, 5000));
    g_assert_false(xc_sim_ops.event_read(session.conn, &changed, NULL));
    session_close(&session);
}

/* --- bad hosts */

static const struct {
    const char *mode;
    enum xc_cause cause;
} refusals[] = {
    {"down", XC_CAUSE_HOST_DOWN},
    {"refuse", XC_CAUSE_TRANSPORT},
    {"auth", XC_CAUSE_AUTH_FAILED},
    {"hostkey", XC_CAUSE_HOST_KEY},
};

static void expect_refused(struct farm *farm, enum xc_cause cause)
{
    g_autoptr(GError) error = NULL;
    struct session session;

    g_assert_false(session_try(farm, &session, "host1", &error));
    g_assert_error(error, XC_ERROR, (int)cause);
    session_close(&session);
}

static void test_refusals(struct farm *farm, gconstpointer data)
{
    struct xc_domain on = first_guest(farm);

    (void)data;
    for (unsigned i = 0; i < G_N_ELEMENTS(refusals); i++) {
        struct run run;

        CTL(farm, "host host1 %s", refusals[i].mode);
        expect_refused(farm, refusals[i].cause);
        run_init(farm, &run, "host1", XC_ACTION_PAUSE, &on);
        run_wait(&run);
        assert_ended(&run, XC_RESULT_FAILED, refusals[i].cause);
        run_clear(&run);
    }
    g_assert_cmpuint(stat_of(farm, "executions"), ==, 0);
    farm_stop(farm);
    expect_refused(farm, XC_CAUSE_HOST_DOWN); /* no farm at all */
    farm_start(farm, 1);
}

static const struct {
    const char *mode;
    enum xc_cause cause;
} bad_answers[] = {
    {"garbage", XC_CAUSE_TRANSPORT}, {"truncated", XC_CAUSE_TRANSPORT},
    {"huge", XC_CAUSE_TRANSPORT},    {"endless", XC_CAUSE_DRIVER_ERROR},
    {"hung", XC_CAUSE_TIMED_OUT},    {"slow 60000", XC_CAUSE_TIMED_OUT},
};

/* Every bad answer ends in an error within the budget, and the host is well again afterwards. */
static void test_bad_answers(struct farm *farm, gconstpointer data)
{
    (void)data;
    for (unsigned i = 0; i < G_N_ELEMENTS(bad_answers); i++) {
        g_autoptr(xc_report) report = xc_report_new();
        g_autoptr(GError) error = NULL;
        struct session session;
        bool patient = bad_answers[i].cause != XC_CAUSE_TIMED_OUT;

        session_open(farm, &session, "host1");
        CTL(farm, "host host1 %s", bad_answers[i].mode);
        xc_call_restart(&session.call, patient ? 20 * SEC : SEC / 10);
        g_assert_false(xc_sim_ops.poll(session.conn, report, &session.call, &error));
        g_test_message("%s: %s", bad_answers[i].mode, error->message);
        g_assert_error(error, XC_ERROR, (int)bad_answers[i].cause);
        session_close(&session);
        CTL(farm, "host host1 normal");
        session_open(farm, &session, "host1");
        xc_report_free(poll_once(&session));
        session_close(&session);
    }
}

/* One that hangs holds up nobody else, and answers late when it is well again. */
static void test_hung(struct farm *farm, gconstpointer data)
{
    struct session hung;
    struct session other;
    g_autoptr(xc_report) report = xc_report_new();
    g_autoptr(GError) error = NULL;

    (void)data;
    session_open(farm, &hung, "host1");
    session_open(farm, &other, "host2");
    CTL(farm, "host host1 hung");
    xc_call_restart(&hung.call, SEC / 20);
    g_assert_false(xc_sim_ops.poll(hung.conn, report, &hung.call, &error));
    xc_report_free(poll_once(&other));
    CTL(farm, "host host1 slow 50");
    session_close(&hung);
    session_open(farm, &hung, "host1");
    xc_report_free(poll_once(&hung));
    session_close(&hung);
    session_close(&other);
}

static void test_other(struct farm *farm, gconstpointer data)
{
    struct session session;
    g_autoptr(xc_report) report = NULL;

    (void)data;
    session_open(farm, &session, "host1");
    CTL(farm, "host host1 other host2");
    report = poll_once(&session);
    g_assert_cmpstr(g_array_index(report->hosts, struct xc_host, 0).name, ==, "host2");
    session_close(&session);
}

/* --- the farm's own safety */

static void test_hostile_client(struct farm *farm, gconstpointer data)
{
    struct session session;

    (void)data;
    for (unsigned round = 0; round < 200; round++) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        g_autoptr(GByteArray) body = g_byte_array_new();
        g_autoptr(GByteArray) frame = g_byte_array_new();

        for (unsigned i = 0; i < round % 40; i++)
            xc_put_u8(body, (uint8_t)g_test_rand_int());
        xc_frame_append(frame, SIM_HELLO + round % 13, body);
        if (round % 3 == 0)
            xc_put_u32(frame, (uint32_t)g_test_rand_int());
        g_strlcpy(address.sun_path, farm->path, sizeof(address.sun_path));
        g_assert_cmpint(connect(fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
        g_assert_cmpint(send(fd, frame->data, frame->len, MSG_NOSIGNAL), >=, 0);
        close(fd);
    }
    session_open(farm, &session, "host1");
    xc_report_free(poll_once(&session));
    session_close(&session);
    g_assert_cmpuint(stat_of(farm, "executions"), ==, 0);
}

/* As a killed farm leaves it. */
static void leave_dead_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    close(fd);
}

static void expect_no_server(struct farm *farm)
{
    g_autoptr(GError) error = NULL;
    struct farm_config config;
    struct farm_fleet *fleet;

    farm_config_init(&config);
    fleet = farm_fleet_new(&config, xc_clock_mono(), xc_clock_real(), NULL);
    g_assert_null(farm_server_new(fleet, NULL, farm->path, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_BUSY);
    farm_fleet_free(fleet);
}

static void test_sockets(struct farm *farm, gconstpointer data)
{
    g_autofree char *control = g_strconcat(farm->path, ".ctl", NULL);
    GStatBuf info;

    (void)data;
    g_assert_cmpint(g_stat(farm->path, &info), ==, 0);
    g_assert_cmpint(info.st_mode & 0777, ==, 0600);
    g_assert_cmpint(g_stat(control, &info), ==, 0);
    g_assert_cmpint(info.st_mode & 0777, ==, 0600);
    /* A living one stays; what is no socket stays; a dead one is replaced. */
    expect_no_server(farm);
    farm_stop(farm);
    g_assert_cmpint(g_access(farm->path, F_OK), !=, 0);
    g_assert_true(g_file_set_contents(farm->path, "x", 1, NULL));
    leave_dead_socket(control);
    expect_no_server(farm);
    g_unlink(farm->path);
    leave_dead_socket(farm->path);
    farm_start(farm, 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, function)                                                                        \
    g_test_add("/sim/" path, struct farm, NULL, farm_open, function, farm_close)
    ADD("poll", test_poll);
    ADD("bad-uri", test_bad_uri);
    ADD("events", test_events);
    ADD("refusals", test_refusals);
    ADD("bad-answers", test_bad_answers);
    ADD("hung", test_hung);
    ADD("other", test_other);
    ADD("hostile-client", test_hostile_client);
    ADD("sockets", test_sockets);
    return g_test_run();
}
