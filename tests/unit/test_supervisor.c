/* The process boundary at work: polls, reports, events, operations, many sources, removal, the end.
 */
#include "tests/unit/scripted_front.h"

static const struct xc_supervisor_limits defaults;

static void test_poll(void)
{
    struct front f;
    struct seen *seen = &f.sources[1];

    front_open(&f, &defaults);
    front_add(&f, 1, "ok");
    front_poll(&f, 1);
    g_assert_false(xc_supervisor_poll(f.supervisor, 1, 1, false)); /* one is open */
    g_assert_false(xc_supervisor_poll(f.supervisor, 2, 1, false)); /* no such source */
    WAIT_FOR(seen->polled == 1);
    g_assert_cmpuint(seen->domains, ==, 3);
    g_assert_cmpstr(seen->host, ==, "source-1");
    front_poll(&f, 1);
    WAIT_FOR(seen->polled == 2);
    g_assert_cmpuint(seen->reconnects, ==, 0);
    g_assert_cmpuint(seen->failed, ==, 0);
    g_assert_cmpuint(seen->changed, ==, 0);
    g_assert_cmpuint(xc_supervisor_workers(f.supervisor), ==, 1);
    front_close(&f);
}

static void test_failure(void)
{
    struct front f;
    struct seen *seen = &f.sources[1];

    front_open(&f, &defaults);
    front_add(&f, 1, "fail");
    front_poll(&f, 1);
    WAIT_FOR(seen->failed == 1);
    g_assert_cmpint(seen->cause, ==, XC_CAUSE_HOST_DOWN);
    g_assert_cmpstr(seen->text, ==, "host?\"source-1\" is down");
    /* The connection was closed, so the next one is counted. */
    front_file(&f, "mended");
    front_poll(&f, 1);
    WAIT_FOR(seen->polled == 1);
    g_assert_cmpuint(seen->reconnects, ==, 1);
    g_assert_cmpuint(f.lost, ==, 0);
    front_close(&f);
}

static void check_failure(const char *mode, enum xc_cause cause, const char *words)
{
    struct front f;

    front_open(&f, &defaults);
    front_add(&f, 1, mode);
    front_poll(&f, 1);
    WAIT_FOR(f.sources[1].failed == 1);
    g_assert_cmpint(f.sources[1].cause, ==, cause);
    g_assert_nonnull(strstr(f.sources[1].text, words));
    g_assert_cmpuint(f.lost, ==, 0);
    front_close(&f);
}

static void test_bad_drivers(void)
{
    check_failure("wild", XC_CAUSE_INTERNAL, "refers to hosts");
    check_failure("mute", XC_CAUSE_INTERNAL, "without saying why");
}

/* Drivers look where the front was told to. */
static void test_files(void)
{
    check_failure("files", XC_CAUSE_BAD_CONFIG, "/credentials /known_hosts /tls_pins /tls_ca");
}

static void test_unknown_scheme(void)
{
    struct xc_source_spec spec = {.key = (char *)"a", .uri = (char *)"gopher://host"};
    struct front f;

    front_open(&f, &defaults);
    xc_supervisor_add(f.supervisor, 1, &spec);
    front_poll(&f, 1);
    WAIT_FOR(f.sources[1].failed == 1);
    g_assert_cmpint(f.sources[1].cause, ==, XC_CAUSE_BAD_VALUE);
    g_assert_cmpstr(f.sources[1].text, ==,
                    "no driver for scheme \"gopher\" of the URI; there are: test");
    front_close(&f);
}

static void test_big_report(void)
{
    struct front f;

    front_open(&f, &defaults);
    front_add(&f, 1, "big");
    front_poll(&f, 1);
    WAIT_FOR(f.sources[1].polled == 1);
    g_assert_cmpuint(f.sources[1].domains, ==, 20000);
    front_close(&f);
}

static void test_budget(void)
{
    struct front f;

    front_open(&f, &defaults);
    front_add(&f, 1, "wait");
    g_assert_true(xc_supervisor_poll(f.supervisor, 1, XC_USEC_PER_SEC / 20, false));
    WAIT_FOR(f.sources[1].failed == 1);
    g_assert_cmpint(f.sources[1].cause, ==, XC_CAUSE_TIMED_OUT);
    g_assert_nonnull(strstr(f.sources[1].text, "waiting"));
    front_close(&f);
}

static void test_events(void)
{
    struct front f;

    front_open(&f, &defaults);
    front_add(&f, 1, "event");
    front_poll(&f, 1);
    WAIT_FOR(f.sources[1].polled == 1 && f.sources[1].changed == 1);
    front_poll(&f, 1);
    WAIT_FOR(f.sources[1].polled == 2);
    g_assert_cmpuint(f.sources[1].changed, ==, 1);
    front_close(&f);
}

static unsigned count_polled(const struct front *f, unsigned n)
{
    unsigned sum = 0;

    for (unsigned i = 1; i <= n; i++)
        sum += f->sources[i].polled;
    return sum;
}

static void test_many_sources(void)
{
    const unsigned n = 200;
    struct front f;

    front_open(&f, &defaults);
    for (unsigned i = 1; i <= n; i++)
        front_add(&f, i, "ok");
    for (unsigned i = 1; i <= n; i++)
        front_poll(&f, i);
    WAIT_FOR(count_polled(&f, n) == n);
    g_assert_cmpuint(xc_supervisor_workers(f.supervisor), ==, 4);
    for (unsigned i = 1; i <= n; i++) {
        g_autofree char *key = g_strdup_printf("source-%u", i);

        g_assert_cmpuint(f.sources[i].polled, ==, 1);
        g_assert_cmpstr(f.sources[i].host, ==, key);
    }
    g_assert_cmpuint(f.lost, ==, 0);
    front_close(&f);
}

static void test_most_workers(void)
{
    const struct xc_supervisor_limits limits = {.sources_per_worker = 2, .max_workers = 3};
    struct front f;

    front_open(&f, &limits);
    for (unsigned i = 1; i <= 30; i++) {
        front_add(&f, i, "ok");
        front_poll(&f, i);
    }
    WAIT_FOR(count_polled(&f, 30) == 30);
    g_assert_cmpuint(xc_supervisor_workers(f.supervisor), ==, 3);
    front_close(&f);
}

static void test_removal(void)
{
    struct front f;

    front_open(&f, &defaults);
    front_add(&f, 1, "wait");
    front_add(&f, 2, "ok");
    front_poll(&f, 1);
    WAIT_FOR(front_noted(&f, "poll", NULL) == 1);
    xc_supervisor_remove(f.supervisor, 1);
    g_assert_false(xc_supervisor_poll(f.supervisor, 1, 1, false));
    front_poll(&f, 2);
    WAIT_FOR(f.sources[2].polled == 1);
    /* The same number again is another source. */
    front_add(&f, 1, "ok");
    front_poll(&f, 1);
    WAIT_FOR(f.sources[1].polled == 1);
    g_assert_cmpuint(f.sources[1].failed, ==, 0);
    g_assert_cmpuint(f.lost, ==, 0);
    front_close(&f);
}

static void test_replacement(void)
{
    struct front f;

    front_open(&f, &defaults);
    front_add(&f, 1, "wait");
    front_poll(&f, 1);
    WAIT_FOR(front_noted(&f, "poll", NULL) == 1);
    /* The open poll is answered by the new source, once, and without waiting for the old one. */
    front_add(&f, 1, "ok");
    WAIT_FOR(f.sources[1].polled == 1);
    front_poll(&f, 1);
    WAIT_FOR(f.sources[1].polled == 2);
    g_assert_cmpuint(f.sources[1].failed, ==, 0);
    front_close(&f);
}

static void test_idle_workers_end(void)
{
    const struct xc_supervisor_limits limits = {.sources_per_worker = 1};
    struct front f;

    front_open(&f, &limits);
    front_add(&f, 1, "ok");
    front_add(&f, 2, "ok");
    WAIT_FOR(xc_supervisor_workers(f.supervisor) == 2);
    xc_supervisor_remove(f.supervisor, 2);
    turn_for(G_USEC_PER_SEC / 4);
    pass(&f, 11 * XC_USEC_PER_SEC);
    WAIT_FOR(xc_supervisor_workers(f.supervisor) == 1);
    g_assert_cmpuint(f.lost, ==, 0);
    front_close(&f);
}

static void test_operation(void)
{
    struct front f;
    struct xc_uuid op;

    front_open(&f, &defaults);
    front_add(&f, 1, "ok");
    front_start(&f, 1, &op, "quick");
    WAIT_FOR(f.outcomes == 1);
    g_assert_cmpint(f.outcome.result, ==, XC_RESULT_OK);
    g_assert_cmpstr(f.outcome.text, ==, "done by start");
    g_assert_cmpuint(f.progresses, ==, 1); /* the second said the same */
    front_start(&f, 1, &op, "mute");
    WAIT_FOR(f.outcomes == 2);
    g_assert_cmpint(f.outcome.result, ==, XC_RESULT_LOST);
    g_assert_cmpint(f.outcome.cause, ==, XC_CAUSE_INTERNAL);
    front_start(&f, 9, &op, "quick");
    WAIT_FOR(f.outcomes == 3);
    g_assert_cmpint(f.outcome.cause, ==, XC_CAUSE_NO_SUCH_TARGET);
    front_close(&f);
}

static void test_polls_go_on_beside_operations(void)
{
    struct front f;
    struct xc_uuid op;

    front_open(&f, &defaults);
    front_add(&f, 1, "ok");
    front_start(&f, 1, &op, "long");
    WAIT_FOR(front_noted(&f, "start", NULL) == 1);
    front_poll(&f, 1);
    WAIT_FOR(f.sources[1].polled == 1);
    /* A new spec does not end the operation, and a second order of the same op is the first one. */
    front_add(&f, 1, "ok");
    xc_supervisor_start(f.supervisor, 1, &(struct xc_order){.op = op, .action = XC_ACTION_START});
    front_poll(&f, 1);
    WAIT_FOR(f.sources[1].polled == 2);
    g_assert_cmpuint(f.outcomes, ==, 0);
    front_file(&f, "finish");
    WAIT_FOR(f.outcomes == 1);
    g_assert_cmpint(f.outcome.result, ==, XC_RESULT_OK);
    g_assert_cmpuint(front_noted(&f, "start", NULL), ==, 1);
    front_close(&f);
}

static void test_cancel(void)
{
    struct front f;
    struct xc_uuid op;

    front_open(&f, &defaults);
    front_add(&f, 1, "ok");
    /* No worker has it yet. */
    front_start(&f, 1, &op, "long");
    xc_supervisor_cancel(f.supervisor, &op);
    WAIT_FOR(f.outcomes == 1);
    g_assert_cmpint(f.outcome.result, ==, XC_RESULT_CANCELLED);
    g_assert_cmpuint(front_noted(&f, "start", NULL), ==, 0);
    /* The driver has it. */
    front_start(&f, 1, &op, "long");
    WAIT_FOR(front_noted(&f, "start", NULL) == 1);
    xc_supervisor_cancel(f.supervisor, &op);
    WAIT_FOR(f.outcomes == 2);
    g_assert_cmpint(f.outcome.result, ==, XC_RESULT_CANCELLED);
    g_assert_cmpstr(f.outcome.text, ==, "running: cancelled");
    front_close(&f);
}

/* The process is gone, or a zombie of whoever adopted it. */
static bool is_gone(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int)pid);
    g_autofree char *text = NULL;

    return !g_file_get_contents(path, &text, NULL, NULL) || strstr(text, ") Z ");
}

static void test_end(void)
{
    unsigned before = open_descriptors();
    struct front f;
    struct xc_uuid op;
    pid_t polling = 0;
    pid_t running = 0;

    front_open(&f, &defaults);
    front_add(&f, 1, "wait");
    front_add(&f, 2, "stuck");
    front_poll(&f, 1);
    front_poll(&f, 2);
    front_start(&f, 1, &op, "long");
    WAIT_FOR(front_noted(&f, "poll", &polling) == 2 && front_noted(&f, "start", &running) == 1);
    g_assert_cmpint(polling, ==, running);
    f.supervisor = xc_supervisor_free(f.supervisor);
    g_assert_true(is_gone(polling));
    g_assert_cmpuint(f.outcomes + f.sources[1].failed + f.sources[2].failed, ==, 0);
    front_close(&f);
    g_assert_cmpuint(open_descriptors(), ==, before);
}

/* A front that is killed leaves no process behind. */
static void test_front_killed(void)
{
    char *argv[] = {(char *)"/proc/self/exe", (char *)"--front", NULL, NULL};
    g_autofree char *dir = g_dir_make_tmp("xensnmp-test-XXXXXX", NULL);
    g_autofree char *log = g_build_filename(dir, "log", NULL);
    struct front f = {.dir = dir};
    pid_t worker = 0;
    GPid front;

    argv[2] = dir;
    g_assert_true(
        g_spawn_async(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &front, NULL));
    WAIT_FOR(front_noted(&f, "poll", &worker) == 1 && front_noted(&f, "start", NULL) == 1);
    g_assert_false(is_gone(worker));
    kill(front, SIGKILL);
    WAIT_FOR(is_gone(worker));
    g_spawn_close_pid(front);
    unlink(log);
    rmdir(dir);
}

static int be_front(char *dir)
{
    struct front f;
    struct xc_uuid op;

    front_open(&f, &defaults);
    rmdir(f.dir);
    f.dir = dir;
    front_add(&f, 1, "stuck");
    front_poll(&f, 1);
    front_start(&f, 1, &op, "long");
    /* Until killed: an operation that ended would be a surprise to the test. */
    while (f.outcomes == 0)
        turn();
    return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--worker") == 0)
        return xc_worker_main((int)g_ascii_strtoll(argv[2], NULL, 10));
    if (argc == 3 && strcmp(argv[1], "--front") == 0)
        return be_front(argv[2]);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/supervisor/poll", test_poll);
    g_test_add_func("/supervisor/failure", test_failure);
    g_test_add_func("/supervisor/bad-drivers", test_bad_drivers);
    g_test_add_func("/supervisor/files", test_files);
    g_test_add_func("/supervisor/unknown-scheme", test_unknown_scheme);
    g_test_add_func("/supervisor/big-report", test_big_report);
    g_test_add_func("/supervisor/budget", test_budget);
    g_test_add_func("/supervisor/events", test_events);
    g_test_add_func("/supervisor/many-sources", test_many_sources);
    g_test_add_func("/supervisor/most-workers", test_most_workers);
    g_test_add_func("/supervisor/removal", test_removal);
    g_test_add_func("/supervisor/replacement", test_replacement);
    g_test_add_func("/supervisor/idle-workers-end", test_idle_workers_end);
    g_test_add_func("/supervisor/operation", test_operation);
    g_test_add_func("/supervisor/polls-beside-operations", test_polls_go_on_beside_operations);
    g_test_add_func("/supervisor/cancel", test_cancel);
    g_test_add_func("/supervisor/end", test_end);
    g_test_add_func("/supervisor/front-killed", test_front_killed);
    return g_test_run();
}
