/* HTTPS: requests and answers, good ones and bad ones. How a failure is said, and that every request ends in time and
 * leaves nothing open. */
#include "tests/unit/https_kit.h"

struct tls_server server;

/* --- good */

static void test_post(void)
{
    g_autoptr(xc_https) https = https_to(&usual);
    g_autoptr(GString) body = g_string_new(NULL), got = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    struct xc_https_request request = {.path = "/echo",
                                       .content_type = "text/xml",
                                       .accept = "text/xml",
                                       .cookie = "session_id=abc",
                                       .max_octets = 2 << 20,
                                       .take = keep,
                                       .data = got};
    static const char *const absent[] = {"expect", "accept-encoding", "proxy", "upgrade"};
    static const char *const present[] = {
        "post /echo http/1.1\r\n",        "\r\nhost: 127.0.0.1:",
        "\r\nuser-agent: xensnmp/",       "\r\naccept: text/xml\r\n",
        "\r\ncookie: session_id=abc\r\n", "\r\ncontent-type: text/xml\r\n",
        "\r\ncontent-length: 1250000\r\n"};
    g_autofree char *head = NULL;
    struct xc_call call;
    int status;

    g_string_set_size(body, 1250000);
    memset(body->str, 'b', body->len);
    request.body = body->str;
    request.body_length = body->len;
    g_assert_true(xc_call_init(&call, BUDGET, NULL));
    xc_https_request(https, &request, &status, &call, &error);
    g_assert_no_error(error);
    g_assert_cmpint(status, ==, 200);
    head = g_ascii_strdown(got->str, (gssize)(got->len - body->len));
    g_assert_cmpstr(got->str + got->len - body->len, ==, body->str);
    for (size_t i = 0; i < G_N_ELEMENTS(present); i++)
        if (!strstr(head, present[i]))
            g_error("\"%s\" is not in: %s", present[i], head);
    for (size_t i = 0; i < G_N_ELEMENTS(absent); i++)
        g_assert_null(strstr(head, absent[i]));
    g_assert_cmpuint(strlen(head), <, 1024);
    xc_call_deinit(&call);
}

/* After a POST, and with nothing of it. */
static void test_get(void)
{
    g_autoptr(xc_https) https = https_to(&usual);
    struct xc_https_request post = {.path = "/good", .body = "", .content_type = "text/xml"};
    struct asked asked;
    struct xc_call call;
    int status;

    g_assert_true(xc_call_init(&call, BUDGET, NULL));
    post.max_octets = MAX_OCTETS; /* an answer that nobody takes is read all the same */
    g_assert_true(xc_https_request(https, &post, &status, &call, NULL));
    xc_call_deinit(&call);
    asked = ask(https, "/echo", BUDGET);
    g_assert_no_error(asked.error);
    g_assert_true(g_str_has_prefix(asked.body->str, "GET /echo?session=" SECRET " HTTP/1.1\r\n"));
    g_assert_null(strstr(asked.body->str, "Content-"));
    g_assert_null(strstr(asked.body->str, "Accept"));
    asked_clear(&asked);
}

static void test_keep_alive(void)
{
    g_autoptr(xc_https) https = https_to(&usual);
    unsigned before = stat_of("good", "connections");

    for (int i = 0; i < 5; i++)
        assert_hello(https, "/good");
    /* one of ours, one that asks */
    g_assert_cmpuint(stat_of("good", "connections"), ==, before + 2);
}

/* A host that has closed the kept connection is connected to again, and nobody notices. */
static void test_stale(void)
{
    g_autoptr(xc_https) https = https_to(&usual);
    unsigned closed = stat_of("good", "closed");

    assert_hello(https, "/until-end");
    assert_hello(https, "/close");
    for (int i = 0; i < 500 && stat_of("good", "closed") == closed; i++)
        g_usleep(10 * 1000);
    assert_hello(https, "/good");
}

/* The host takes a request and goes without an answer: it may have done it, so it is not asked again. */
static void test_not_twice(void)
{
    g_autoptr(xc_https) https = https_to(&usual);
    unsigned before = stat_of("once", "once");
    struct asked asked;

    assert_hello(https, "/once");
    asked = ask(https, "/once", BUDGET);
    assert_failed(&asked, XC_CAUSE_HOST_DOWN, "may have been taken");
    g_assert_cmpint(asked.status, ==, 0);
    asked_clear(&asked);
    g_assert_cmpuint(stat_of("once", "once"), ==, before + 2);
    assert_hello(https, "/once");
}

static gpointer be_busy(gpointer unused)
{
    (void)unused;
    for (int i = 0; i < 5; i++) {
        g_autoptr(xc_https) https = https_to(&usual);

        assert_hello(https, "/good");
        assert_hello(https, "/good");
    }
    return NULL;
}

/* As in a worker: each source has a thread and a connection. */
static void test_threads(void)
{
    GThread *threads[8];

    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("busy", be_busy, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
}

/* --- answers that are none */

static const struct bad {
    const char *path;
    enum xc_cause cause;
    int status;
    const char *words;
} bad_answers[] = {
    {"/silent", XC_CAUSE_TIMED_OUT, 0, "waiting for an answer"},
    {"/trickle", XC_CAUSE_TIMED_OUT, 200, "reading an answer"},
    {"/endless", XC_CAUSE_LIMIT, 200, "more than 50000 octets"},
    {"/big", XC_CAUSE_LIMIT, 200, "more than 50000 octets"},
    {"/headers", XC_CAUSE_LIMIT, 200, "KiB of headers"},
    {"/header", XC_CAUSE_LIMIT, 200, "header"},
    {"/interim", XC_CAUSE_LIMIT, 0, "KiB of headers"},
    {"/cut", XC_CAUSE_TRANSPORT, 200, "port"},
    {"/chunk", XC_CAUSE_TRANSPORT, 200, "port"},
    {"/until-cut", XC_CAUSE_TRANSPORT, 200, "port"},
    {"/302", XC_CAUSE_DRIVER_ERROR, 302, "redirects are not followed"},
    {"/500", XC_CAUSE_DRIVER_ERROR, 500, "HTTP status 500"},
    {"/204", XC_CAUSE_DRIVER_ERROR, 204, "HTTP status 204"},
    {"/reset", XC_CAUSE_HOST_DOWN, 0, "port"},
    {"/nothing", XC_CAUSE_HOST_DOWN, 0, "port"},
    {"/garbage", XC_CAUSE_TRANSPORT, 0, "no HTTP"},
};

static void test_bad_answer(gconstpointer data)
{
    const struct bad *bad = data;
    unsigned before = open_descriptors();
    struct xc_https *https = https_to(&usual);
    bool slow = bad->cause == XC_CAUSE_TIMED_OUT;
    unsigned connections;
    struct asked asked;

    if (slow)
        assert_hello(https, "/good"); /* the time is for the answer, not for the handshake */
    connections = stat_of("good", "connections");
    asked = ask(https, bad->path, slow ? (bad->status ? 4 : 1) * SHORT : BUDGET);
    assert_failed(&asked, bad->cause, bad->words);
    g_assert_cmpint(asked.status, ==, bad->status);
    g_assert_cmpuint(asked.body->len, <=, MAX_OCTETS);
    asked_clear(&asked);
    /* nothing of it is left in the next one, which has a connection of its own */
    assert_hello(https, "/good");
    g_assert_cmpuint(stat_of("good", "connections"), ==, connections + (slow ? 2 : 3));
    xc_https_free(https);
    assert_closed(before);
}

static bool refuse(const char *bytes, size_t length, void *data, GError **error)
{
    (void)bytes;
    (void)length;
    return data ? xc_fail(error, XC_CAUSE_NO_STORAGE, "no room for it") : false;
}

/* What the taker says is what the caller hears. */
static void test_not_taken(void)
{
    g_autoptr(xc_https) https = https_to(&usual);
    struct xc_https_request request = {.path = "/good", .max_octets = 10, .take = refuse};
    g_autoptr(GError) error = NULL;
    struct xc_call call;
    int status;

    g_assert_true(xc_call_init(&call, BUDGET, NULL));
    g_assert_false(xc_https_request(https, &request, &status, &call, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_DRIVER_ERROR);
    g_assert_cmpint(status, ==, 200);
    g_clear_error(&error);
    request.data = &call;
    g_assert_false(xc_https_request(https, &request, &status, &call, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_NO_STORAGE);
    g_assert_cmpstr(error->message, ==, "no room for it");
    xc_call_deinit(&call);
}

/* Nothing that a host gave us becomes a header. */
static void test_bad_request(void)
{
    g_autofree char *longest = g_strnfill(1000, 'c');
    const struct {
        const char *path, *cookie, *type;
        enum xc_cause cause;
    } cases[] = {
        {"/good\r\nX: y", NULL, NULL, XC_CAUSE_BAD_VALUE},
        {"/good HTTP/1.1", NULL, NULL, XC_CAUSE_BAD_VALUE},
        {"good", NULL, NULL, XC_CAUSE_BAD_VALUE},
        {"", NULL, NULL, XC_CAUSE_BAD_VALUE},
        {"/good", SECRET "\r\nX: y", NULL, XC_CAUSE_BAD_VALUE},
        {"/good", NULL, "text/xml\n", XC_CAUSE_BAD_VALUE},
        {"/good", longest, NULL, XC_CAUSE_LIMIT},
        {"/good", SECRET "\x80", NULL, XC_CAUSE_BAD_VALUE},
    };
    g_autoptr(xc_https) https = https_to(&usual);
    unsigned connections = stat_of("good", "connections");
    struct xc_call call;

    g_assert_true(xc_call_init(&call, BUDGET, NULL));
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct xc_https_request request = {.path = cases[i].path,
                                           .cookie = cases[i].cookie,
                                           .body = "",
                                           .content_type = cases[i].type,
                                           .max_octets = 10};
        g_autoptr(GError) error = NULL;
        int status = -1;

        g_assert_false(xc_https_request(https, &request, &status, &call, &error));
        g_assert_error(error, XC_ERROR, (int)cases[i].cause);
        g_assert_null(strstr(error->message, SECRET));
        g_assert_cmpint(status, ==, 0);
    }
    xc_call_deinit(&call);
    g_assert_cmpuint(stat_of("good", "connections"), ==, connections + 1);
}

static void test_refused(void)
{
    struct xc_https_config config = {.host = "127.0.0.1", .port = 1, .insecure = true};
    g_autoptr(xc_https) https = xc_https_new(&config, NULL);
    struct asked asked = ask(https, "/good", BUDGET);

    assert_failed(&asked, XC_CAUSE_HOST_DOWN, "127.0.0.1 port 1");
    asked_clear(&asked);
}

/* A resolver may take its time, but not ours. */
static void test_no_name(void)
{
    struct xc_https_config config = {.host = "nobody.invalid", .port = 443};
    g_autoptr(xc_https) https = xc_https_new(&config, NULL);
    struct asked asked = ask(https, "/good", SHORT);

    assert_failed(&asked,
                  asked.error->code == XC_CAUSE_TIMED_OUT ? XC_CAUSE_TIMED_OUT : XC_CAUSE_HOST_DOWN,
                  "name");
    asked_clear(&asked);
}

/* --- cancelling */

static gpointer cancel_soon(gpointer call)
{
    g_usleep(100 * 1000);
    xc_call_cancel(call);
    return NULL;
}

static void cancelled(const struct way *way, const char *path, bool before)
{
    unsigned descriptors = open_descriptors();
    struct xc_https *https = https_to(way);
    GThread *thread = NULL;
    struct asked asked;
    struct xc_call call;

    g_assert_true(xc_call_init(&call, BUDGET, NULL));
    if (before)
        xc_call_cancel(&call);
    else
        thread = g_thread_new("cancel", cancel_soon, &call);
    asked = ask_within(https, path, &call);
    if (thread)
        g_thread_join(thread);
    xc_call_deinit(&call);
    assert_failed(&asked, XC_CAUSE_CANCELLED, "cancelled");
    asked_clear(&asked);
    xc_https_free(https);
    assert_closed(descriptors);
}

static void test_cancel(void)
{
    static const struct way mute = {"127.0.0.1", "mute", NULL, NULL, true};

    cancelled(&usual, "/silent", false);
    cancelled(&usual, "/trickle", false);
    cancelled(&mute, "/good", false);
    cancelled(&usual, "/good", true);
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    /* What is in the environment of whoever started us has no say. */
    g_setenv("https_proxy", "http://127.0.0.1:1", TRUE);
    g_setenv("ALL_PROXY", "http://127.0.0.1:1", TRUE);
    tls_server_start();
    g_test_add_func("/https/post", test_post);
    g_test_add_func("/https/get", test_get);
    g_test_add_func("/https/keep-alive", test_keep_alive);
    g_test_add_func("/https/stale", test_stale);
    g_test_add_func("/https/not-twice", test_not_twice);
    g_test_add_func("/https/threads", test_threads);
    for (size_t i = 0; i < G_N_ELEMENTS(bad_answers); i++) {
        g_autofree char *path = g_strconcat("/https/bad", bad_answers[i].path, NULL);

        g_test_add_data_func(path, &bad_answers[i], test_bad_answer);
    }
    g_test_add_func("/https/not-taken", test_not_taken);
    g_test_add_func("/https/bad-request", test_bad_request);
    g_test_add_func("/https/no-server", test_refused);
    g_test_add_func("/https/no-name", test_no_name);
    g_test_add_func("/https/cancel", test_cancel);
    status = g_test_run();
    tls_server_stop();
    return status;
}
