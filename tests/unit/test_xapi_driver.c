/* The driver as a worker uses it: a connection, polls, events, and a pool whose session ends in between. */
#include "xenclient/drivers/drivers.h"

#include "tests/unit/xapi_server.h"

#include "xenclient/util/log.h"

#include <poll.h>

static struct {
    unsigned sessions, wholes; /* logins, and times that all was read */
    const char *token;         /* of what comes after all; NULL: a word */
    bool metrics_dead, event, bad_tokens, no_events, dead;
} pool;

static char *events(const char *body)
{
    GString *out = g_string_new(NULL);

    if (!server_has_token(body)) {
        g_string_free(out, TRUE);
        pool.wholes++;
        return kit_answer(kit_pool(), "", "token1");
    }
    if (pool.bad_tokens) {
        g_string_free(out, TRUE);
        return xapi_failure("EVENT_FROM_TOKEN_PARSE_FAILURE|token1");
    }
    if (pool.event) {
        pool.event = false;
        kit_event(out, "vm", "mod", REF("v1"),
                  KIT_VM_FIELDS("1", "renamed", "Running", REF("h1"), FIELD("domid", "7")));
    }
    return kit_answer(out, "", pool.token ? pool.token : "token2");
}

static char *metrics(void)
{
    return g_strdup("<xport><meta><step>5</step><end>1795301800</end><legend><entry>AVERAGE:host:"
                    "00000000-0000-4000-8000-000000000001:loadavg</entry></legend></meta><data>"
                    "<row><t>1795301800</t><v>0.5</v></row></data></xport>");
}

static char *answer(const char *host, const char *method, const char *body, GError **error)
{
    g_autofree char *session = NULL;

    if (pool.dead && strcmp(method, "event.from") != 0)
        return server_down(error, XC_CAUSE_HOST_DOWN);
    if (g_str_has_prefix(method, "/rrd_updates?start=")) {
        if (pool.metrics_dead || strcmp(host, "192.0.2.1") != 0)
            return server_down(error, XC_CAUSE_HOST_DOWN);
        return metrics();
    }
    if (strcmp(method, "session.login_with_password") == 0) {
        session = g_strdup_printf(REF("s%u"), ++pool.sessions);
        return xapi_success(session);
    }
    session = g_strdup_printf("<string>" REF("s%u") "</string>", pool.sessions);
    if (!strstr(body, session))
        return xapi_failure("SESSION_INVALID|x");
    if (strcmp(method, "event.from") == 0)
        return pool.no_events ? xapi_failure("INTERNAL_ERROR|no") : events(body);
    if (strcmp(method, "host.get_servertime") == 0)
        return xapi_success("<dateTime.iso8601>20261121T22:56:50Z</dateTime.iso8601>");
    return xapi_success("");
}

static struct xc_source_spec spec;
static struct xc_driver_env env;
static struct xc_call call;

static struct xc_conn *begin(GError **error)
{
    memset(&pool, 0, sizeof(pool));
    server_open(answer);
    spec = server_spec();
    env = server_env();
    g_assert_true(xc_call_init(&call, 20 * XC_USEC_PER_SEC, NULL));
    return xc_xapi_ops.open(&spec, &env, &call, error);
}

static void end(struct xc_conn *conn)
{
    xc_xapi_ops.close(conn);
    xc_call_deinit(&call);
    server_close();
}

static struct xc_report *poll_for(struct xc_conn *conn, bool news_will_do)
{
    g_autoptr(GError) error = NULL;
    struct xc_report *report = xc_report_new();

    report->news_will_do = news_will_do;
    xc_call_restart(&call, 20 * XC_USEC_PER_SEC);
    g_assert_true(xc_xapi_ops.poll(conn, report, &call, &error));
    g_assert_no_error(error);
    g_assert_true(xc_report_check(report));
    return report;
}

static struct xc_report *poll_once(struct xc_conn *conn)
{
    return poll_for(conn, false);
}

static bool shows(const struct xc_report *report, const char *name)
{
    for (guint i = 0; i < report->domains->len; i++)
        if (strcmp(g_array_index(report->domains, struct xc_domain, i).name, name) == 0)
            return true;
    return false;
}

/* Waits for the word that something changed. */
static bool changed(struct xc_conn *conn)
{
    struct pollfd fd = {.fd = xc_xapi_ops.event_fd(conn), .events = POLLIN};
    bool yes = false;

    g_assert_cmpint(fd.fd, >=, 0);
    return poll(&fd, 1, 10000) == 1 && xc_xapi_ops.event_read(conn, &yes, NULL) && yes;
}

static bool knows_load(const struct xc_report *report, guint host)
{
    return XC_HAS(HOST, &g_array_index(report->hosts, struct xc_host, host), load1_x100);
}

/* The report that has what hosts measured first, which polls do not wait for: it is told though news would do. */
static struct xc_report *poll_measured(struct xc_conn *conn)
{
    struct xc_report *report = poll_once(conn);
    gint64 until = xc_clock_mono() + 10 * XC_USEC_PER_SEC;

    g_assert_true(changed(conn));
    while (!knows_load(report, 0) && xc_clock_mono() < until) {
        xc_report_free(report);
        report = poll_for(conn, true);
    }
    g_assert_true(knows_load(report, 0));
    return report;
}

static void set(bool *what, bool value)
{
    g_mutex_lock(&server.lock);
    *what = value;
    g_mutex_unlock(&server.lock);
}

/* Waits until so many lines of what was asked begin so. */
static void await(const char *line, unsigned n)
{
    gint64 until = xc_clock_mono() + 10 * XC_USEC_PER_SEC;

    while (server_asked(line) < n && xc_clock_mono() < until)
        g_usleep(10 * 1000);
    g_assert_cmpuint(server_asked(line), ==, n);
}

/* --- */

static void test_poll(void)
{
    g_autoptr(GError) error = NULL;
    struct xc_conn *conn = begin(&error);
    g_autoptr(xc_report) first = poll_measured(conn);
    g_autoptr(xc_report) second = NULL;
    const struct xc_host *host = &g_array_index(first->hosts, struct xc_host, 0);

    g_assert_true(shows(first, "web & shop"));
    g_assert_cmpuint(host->load1_x100, ==, 50);
    g_assert_cmpint(host->clock, ==, G_GINT64_CONSTANT(1795301800000000));
    /* The other host gives no metrics; that it exists is known all the same. */
    g_assert_false(XC_HAS(HOST, host + 1, load1_x100));
    set(&pool.event, true);
    g_assert_true(changed(conn));
    second = poll_once(conn);
    g_assert_true(shows(second, "renamed"));
    g_assert_cmpuint(pool.wholes, ==, 1);
    g_assert_cmpuint(pool.sessions, ==, 1);
    /* A host that did not answer is not asked each time. */
    g_assert_cmpuint(server_asked("192.0.2.2 /rrd_updates"), ==, 1);
    end(conn);
}

/* What an event changed is told without the rest, and no host is asked for what it measured. */
static void test_news(void)
{
    g_autoptr(GError) error = NULL;
    struct xc_conn *conn = begin(&error);
    g_autoptr(xc_report) first = poll_measured(conn);
    g_autoptr(xc_report) second = NULL;
    g_autoptr(xc_report) third = NULL;

    g_assert_false(first->news);
    await("192.0.2.1 /rrd_updates", 2);
    set(&pool.event, true);
    g_assert_true(changed(conn));
    second = poll_for(conn, true);
    g_assert_true(second->news);
    g_assert_cmpuint(second->hosts->len, ==, 2);
    g_assert_cmpuint(second->domains->len, ==, 1);
    g_assert_true(shows(second, "renamed"));
    g_assert_cmpuint(server_asked("192.0.2.1 /rrd_updates"), ==, 2);
    third = poll_once(conn);
    g_assert_false(third->news);
    g_assert_cmpuint(third->domains->len, ==, first->domains->len);
    await("192.0.2.1 /rrd_updates", 3);
    end(conn);
}

#define TOKEN(n) "0000000000000000000" n ",00000000000000000000"

/* What an operation did, whose end left a mark in the pool's events, is in the poll after it. */
static void test_barrier(void)
{
    struct xc_conn *conn = begin(NULL);
    struct xc_report *report;

    pool.token = TOKEN("4");
    xc_report_free(poll_once(conn));
    g_mutex_lock(&server.lock);
    pool.event = true;
    pool.token = TOKEN("6");
    xc_memory_put(server.memory, "xapi barrier pool1", TOKEN("5"));
    g_mutex_unlock(&server.lock);
    report = poll_once(conn);
    g_assert_true(shows(report, "renamed"));
    xc_report_free(report);
    end(conn);
}

/* A mark that does not come is waited for once, and not for long. */
static void test_barrier_is_lost(void)
{
    struct xc_conn *conn = begin(NULL);
    g_autofree char *left = NULL;

    pool.token = TOKEN("4");
    xc_memory_put(server.memory, "xapi barrier pool1", TOKEN("5"));
    xc_report_free(poll_once(conn));
    left = xc_memory_get(server.memory, "xapi barrier pool1");
    g_assert_cmpstr(left, ==, "");
    end(conn);
}

static void test_many_polls(void)
{
    g_autoptr(GError) error = NULL;
    struct xc_conn *conn = begin(&error);

    for (unsigned i = 0; i < 1000; i++)
        xc_report_free(poll_once(conn));
    g_assert_cmpuint(pool.sessions, ==, 1);
    g_assert_cmpuint(pool.wholes, ==, 1);
    end(conn);
}

/* What a host does not tell any more is not known. */
static void test_metrics_dead(void)
{
    g_autoptr(GError) error = NULL;
    struct xc_conn *conn = begin(&error);
    g_autoptr(xc_report) report = poll_measured(conn);
    gint64 until = xc_clock_mono() + 10 * XC_USEC_PER_SEC;

    g_assert_true(knows_load(report, 0));
    set(&pool.metrics_dead, true);
    while (knows_load(report, 0) && xc_clock_mono() < until) {
        g_usleep(10 * 1000);
        xc_report_free(report);
        report = poll_once(conn);
    }
    g_assert_true(shows(report, "db"));
    g_assert_false(knows_load(report, 0));
    end(conn);
}

/* A host that never answers keeps no poll waiting, nor the end, and not for long the others. */
static void test_metrics_hang(void)
{
    g_autoptr(GError) error = NULL;
    struct xc_conn *conn = begin(&error);
    gint64 start = xc_clock_mono();
    bool known = false;

    g_mutex_lock(&server.lock);
    server.hung = "192.0.2.2";
    g_mutex_unlock(&server.lock);
    while (!known && xc_clock_mono() - start < 10 * XC_USEC_PER_SEC) {
        gint64 began = xc_clock_mono();
        g_autoptr(xc_report) report = poll_once(conn);

        g_assert_cmpint(xc_clock_mono() - began, <, XC_USEC_PER_SEC);
        known = knows_load(report, 0);
        g_assert_false(knows_load(report, 1));
        g_usleep(10 * 1000);
    }
    g_assert_true(known);
    start = xc_clock_mono();
    end(conn);
    g_assert_cmpint(xc_clock_mono() - start, <, 5 * XC_USEC_PER_SEC);
}

/* The session ends: that is told as a change, and the poll that follows reads all over a new one. */
static void test_session_ends(void)
{
    g_autoptr(GError) error = NULL;
    struct xc_conn *conn = begin(&error);
    g_autoptr(xc_report) first = poll_once(conn);
    g_autoptr(xc_report) second = NULL;

    g_assert_true(shows(first, "web & shop"));
    g_mutex_lock(&server.lock);
    pool.sessions++; /* the one that was given is no more */
    g_mutex_unlock(&server.lock);
    g_assert_true(changed(conn));
    second = poll_once(conn);
    g_assert_true(shows(second, "web & shop"));
    g_assert_cmpuint(pool.wholes, ==, 2);
    g_assert_cmpuint(pool.sessions, ==, 3);
    end(conn);
}

/* What is mirrored is not shown as if it were true when nobody answers any more. */
static void test_silence(void)
{
    g_autoptr(GError) error = NULL;
    struct xc_conn *conn = begin(&error);
    g_autoptr(xc_report) first = poll_once(conn);
    g_autoptr(xc_report) second = xc_report_new();

    g_assert_true(shows(first, "db"));
    set(&pool.dead, true);
    g_assert_false(xc_xapi_ops.poll(conn, second, &call, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_HOST_DOWN);
    end(conn);
}

/* A token that the server does not know any more: all is read again, but not again and again. */
static void test_bad_tokens(void)
{
    g_autoptr(GError) error = NULL;
    struct xc_conn *conn = begin(&error);
    g_autoptr(xc_report) first = poll_once(conn);
    gint64 until = xc_clock_mono() + 10 * XC_USEC_PER_SEC;
    unsigned wholes = 1;

    g_assert_true(shows(first, "db"));
    set(&pool.bad_tokens, true);
    while (wholes < 2 && xc_clock_mono() < until) {
        g_usleep(50 * 1000);
        g_mutex_lock(&server.lock);
        wholes = pool.wholes;
        g_mutex_unlock(&server.lock);
    }
    g_assert_cmpuint(wholes, ==, 2);
    g_assert_cmpuint(pool.sessions, ==, 1);
    end(conn);
}

static void test_no_events(void)
{
    g_autoptr(GError) error = NULL;
    struct xc_conn *conn;
    g_autoptr(xc_report) report = xc_report_new();

    conn = begin(&error);
    set(&pool.no_events, true);
    xc_xapi_ops.close(conn);
    conn = xc_xapi_ops.open(&spec, &env, &call, &error);
    g_assert_no_error(error);
    g_assert_false(xc_xapi_ops.poll(conn, report, &call, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_DRIVER_ERROR);
    g_assert_nonnull(strstr(error->message, "INTERNAL_ERROR (no)"));
    end(conn);
}

/* Closing waits for nothing, though the thread waits for events. */
static void test_close(void)
{
    g_autoptr(GError) error = NULL;
    struct xc_conn *conn = begin(&error);
    g_autoptr(xc_report) report = poll_once(conn);
    gint64 start = xc_clock_mono();

    g_assert_true(shows(report, "db"));
    xc_xapi_ops.close(conn);
    g_assert_cmpint(xc_clock_mono() - start, <, 5 * XC_USEC_PER_SEC);
    g_assert_cmpuint(server_asked("192.0.2.1 session.logout"), ==, 1);
    end(NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    xc_log_set_level(XC_LOG_ERROR);
    g_test_add_func("/xapi-driver/poll", test_poll);
    g_test_add_func("/xapi-driver/news", test_news);
    g_test_add_func("/xapi-driver/barrier", test_barrier);
    g_test_add_func("/xapi-driver/barrier-is-lost", test_barrier_is_lost);
    g_test_add_func("/xapi-driver/many-polls", test_many_polls);
    g_test_add_func("/xapi-driver/metrics-dead", test_metrics_dead);
    g_test_add_func("/xapi-driver/metrics-hang", test_metrics_hang);
    g_test_add_func("/xapi-driver/session-ends", test_session_ends);
    g_test_add_func("/xapi-driver/silence", test_silence);
    g_test_add_func("/xapi-driver/bad-tokens", test_bad_tokens);
    g_test_add_func("/xapi-driver/no-events", test_no_events);
    g_test_add_func("/xapi-driver/close", test_close);
    return g_test_run();
}
