/* The process boundary under fault: workers that are killed, stopped, hang, grow, lie or never come up. */
#include "tests/unit/scripted_front.h"

static const struct xc_supervisor_limits defaults;
/* One place for all, so that the guilty and the innocent share a worker. */
static const struct xc_supervisor_limits one_worker = {.max_workers = 1, .sources_per_worker = 250};

#define FAKE "XENSNMP_TEST_WORKER"

static void test_killed_in_poll(void)
{
    struct front f;
    pid_t pid = 0;

    front_open(&f, &defaults);
    front_add(&f, 1, "hold");
    front_add(&f, 2, "ok");
    front_poll(&f, 1);
    WAIT_FOR(front_noted(&f, "poll", &pid) == 1);
    kill(pid, SIGKILL);
    WAIT_FOR(f.sources[1].failed == 1);
    g_assert_cmpint(f.sources[1].cause, ==, XC_CAUSE_WORKER);
    g_assert_cmpuint(f.lost, ==, 1);
    /* The next one takes over, within a second. */
    front_file(&f, "release");
    front_poll(&f, 1);
    front_poll(&f, 2);
    gint64 start = g_get_monotonic_time();
    WAIT_FOR(f.sources[1].polled == 1 && f.sources[2].polled == 1);
    g_assert_cmpint(g_get_monotonic_time() - start, <, 2 * G_USEC_PER_SEC);
    g_assert_cmpuint(f.sources[1].failed, ==, 1);
    g_assert_cmpuint(f.sources[2].failed, ==, 0);
    front_close(&f);
}

static void test_killed_in_operation(void)
{
    struct front f;
    struct xc_uuid op;
    pid_t pid = 0;

    front_open(&f, &defaults);
    front_add(&f, 1, "ok");
    front_start(&f, 1, &op, "long");
    WAIT_FOR(front_noted(&f, "start", &pid) == 1);
    kill(pid, SIGKILL);
    WAIT_FOR(front_noted(&f, "attach", NULL) == 1);
    g_assert_cmpuint(f.outcomes, ==, 0);
    front_file(&f, "finish");
    WAIT_FOR(f.outcomes == 1);
    g_assert_cmpint(f.outcome.result, ==, XC_RESULT_OK);
    g_assert_cmpstr(f.outcome.text, ==, "done by attach");
    turn_for(G_USEC_PER_SEC / 5);
    g_assert_cmpuint(f.outcomes, ==, 1);
    g_assert_cmpuint(front_noted(&f, "start", NULL), ==, 1);
    front_close(&f);
}

static void test_cancel_survives_death(void)
{
    struct front f;
    struct xc_uuid op;
    pid_t pid = 0;

    front_open(&f, &defaults);
    front_add(&f, 1, "ok");
    front_start(&f, 1, &op, "long");
    WAIT_FOR(front_noted(&f, "start", &pid) == 1);
    kill(pid, SIGKILL);
    WAIT_FOR(f.lost == 1);
    xc_supervisor_cancel(f.supervisor, &op);
    WAIT_FOR(f.outcomes == 1);
    g_assert_cmpint(f.outcome.result, ==, XC_RESULT_CANCELLED);
    /* It was begun once, so the driver had to be asked. */
    g_assert_cmpuint(front_noted(&f, "attach", NULL), ==, 1);
    front_close(&f);
}

static void test_deadly_operation(void)
{
    struct front f;
    struct xc_uuid op;

    front_open(&f, &one_worker);
    front_add(&f, 1, "ok");
    front_add(&f, 2, "ok");
    front_start(&f, 1, &op, "die");
    /* On the real clock: a jump would also end a worker that is just starting. */
    WAIT_FOR(f.outcomes == 1);
    g_assert_cmpuint(f.lost, ==, 5);
    g_assert_cmpint(f.outcome.result, ==, XC_RESULT_LOST);
    g_assert_cmpint(f.outcome.cause, ==, XC_CAUSE_WORKER);
    g_assert_cmpuint(front_noted(&f, "start", NULL), ==, 1);
    g_assert_cmpuint(front_noted(&f, "attach", NULL), ==, 4);
    front_poll(&f, 2);
    WAIT_FOR(f.sources[2].polled == 1);
    front_close(&f);
}

/* A poisonous source soon kills alone. */
static void test_quarantine(void)
{
    struct front f;
    unsigned lost_of_2 = 0;

    front_open(&f, &one_worker);
    front_add(&f, 1, "die");
    front_add(&f, 2, "ok");
    for (unsigned deaths = 1; deaths <= 4; deaths++) {
        front_poll(&f, 1);
        WAIT_FOR(f.sources[1].failed == deaths);
        g_assert_cmpint(f.sources[1].cause, ==, XC_CAUSE_WORKER);
        if (deaths == 2) { /* from here on it is apart */
            WAIT_FOR(xc_supervisor_workers(f.supervisor) == 2);
            front_poll(&f, 2);
            WAIT_FOR(f.sources[2].polled == 1);
        }
    }
    lost_of_2 = f.sources[2].reconnects;
    front_poll(&f, 2);
    WAIT_FOR(f.sources[2].polled == 2);
    g_assert_cmpuint(f.sources[2].reconnects, ==, lost_of_2);
    g_assert_cmpuint(f.sources[2].failed, ==, 0);
    g_assert_cmpuint(f.lost, ==, 4);
    front_close(&f);
}

/* One that was only near twice is released. */
static void test_rehabilitation(void)
{
    struct front f;
    pid_t pid = 0;

    front_open(&f, &one_worker);
    front_add(&f, 1, "hold");
    for (unsigned deaths = 1; deaths <= 2; deaths++) {
        front_poll(&f, 1);
        WAIT_FOR(front_noted(&f, "poll", &pid) == deaths);
        kill(pid, SIGKILL);
        WAIT_FOR(f.sources[1].failed == deaths);
    }
    front_file(&f, "release");
    for (unsigned i = 1; i <= 12; i++) {
        front_poll(&f, 1);
        WAIT_FOR(f.sources[1].polled == i);
        if (i == 9)
            front_noted(&f, "poll", &pid);
    }
    pid_t last = 0;

    front_noted(&f, "poll", &last);
    g_assert_cmpint(last, !=, pid); /* it lives elsewhere now */
    g_assert_cmpuint(f.sources[1].failed, ==, 2);
    front_close(&f);
}

static void test_innocent_in_quarantine(void)
{
    const unsigned n = 8;
    struct front f;
    pid_t pid = 0;

    front_open(&f, &one_worker);
    for (unsigned i = 1; i <= n; i++)
        front_add(&f, i, "hold");
    for (unsigned deaths = 1; deaths <= 2; deaths++) {
        for (unsigned i = 1; i <= n; i++)
            front_poll(&f, i);
        WAIT_FOR(front_noted(&f, "poll", &pid) == n * deaths);
        kill(pid, SIGKILL);
        WAIT_FOR(f.sources[1].failed == deaths && f.sources[n].failed == deaths);
    }
    /* All are in the few workers of quarantine now and wait for each other there. */
    front_file(&f, "release");
    for (unsigned i = 1; i <= n; i++)
        front_poll(&f, i);
    for (unsigned i = 1; i <= n; i++)
        WAIT_FOR(f.sources[i].polled == 1);
    g_assert_cmpuint(xc_supervisor_workers(f.supervisor), <=, 5);
    front_close(&f);
}

static void test_stopped(void)
{
    struct front f;
    pid_t pid = 0;

    front_open(&f, &defaults);
    front_add(&f, 1, "ok");
    front_poll(&f, 1);
    WAIT_FOR(f.sources[1].polled == 1);
    front_noted(&f, "poll", &pid);
    kill(pid, SIGSTOP);
    /* A worker that answers is never taken for one that does not. */
    for (int i = 0; i < 15 && f.lost == 0; i++) {
        pass(&f, 2 * XC_USEC_PER_SEC);
        turn_for(patient(G_USEC_PER_SEC / 8));
    }
    g_assert_cmpuint(f.lost, ==, 1);
    g_assert_cmpstr(f.why, ==, "it does not answer");
    front_poll(&f, 1);
    WAIT_FOR(f.sources[1].polled == 2);
    for (int i = 0; i < 6; i++) {
        pass(&f, 2 * XC_USEC_PER_SEC);
        turn_for(patient(G_USEC_PER_SEC / 8));
    }
    g_assert_cmpuint(f.lost, ==, 1);
    front_close(&f);
}

static void test_hang(void)
{
    struct front f;

    front_open(&f, &one_worker);
    front_add(&f, 1, "stuck");
    front_add(&f, 2, "ok");
    front_poll(&f, 1);
    WAIT_FOR(front_noted(&f, "poll", NULL) == 1);
    pass(&f, 21 * XC_USEC_PER_SEC);
    turn_for(G_USEC_PER_SEC / 4);
    g_assert_cmpuint(f.sources[1].failed, ==, 0); /* budget and grace are not over */
    pass(&f, 2 * XC_USEC_PER_SEC);
    WAIT_FOR(f.sources[1].failed == 1);
    g_assert_cmpint(f.sources[1].cause, ==, XC_CAUSE_TIMED_OUT);
    front_poll(&f, 2);
    WAIT_FOR(f.sources[2].polled == 1);
    g_assert_cmpuint(f.lost, ==, 0);
    /* Another poll does not help a thread that is stuck, nor does it put off the end. */
    front_poll(&f, 1);
    for (int i = 0; i < 5; i++) { /* in steps, or the worker looks deaf */
        turn_for(G_USEC_PER_SEC / 4);
        pass(&f, 7 * XC_USEC_PER_SEC);
    }
    WAIT_FOR(f.lost == 1);
    g_assert_cmpstr(f.why, ==, "the driver of source source-1 hangs");
    WAIT_FOR(f.sources[1].failed == 2);
    front_poll(&f, 2);
    WAIT_FOR(f.sources[2].polled == 2);
    g_assert_cmpuint(f.sources[1].polled, ==, 0);
    front_close(&f);
}

static void test_memory(void)
{
    const struct xc_supervisor_limits limits = {.rss_mib = 200, .ping_sec = 1};
    struct front f;

    front_open(&f, &limits);
    front_add(&f, 1, "eat");
    for (unsigned i = 0; i < 40 && f.lost == 0; i++) {
        xc_supervisor_poll(f.supervisor, 1, 20 * XC_USEC_PER_SEC, false);
        turn_for(patient(G_USEC_PER_SEC / 8));
        pass(&f, XC_USEC_PER_SEC / 2);
    }
    g_assert_cmpuint(f.lost, ==, 1);
    g_assert_true(g_str_has_prefix(f.why, "it uses "));
    front_close(&f);
}

static void test_operation_without_end(void)
{
    struct front f;
    struct xc_uuid op;

    front_open(&f, &defaults);
    front_add(&f, 1, "ok");
    front_start(&f, 1, &op, "long");
    WAIT_FOR(front_noted(&f, "start", NULL) == 1);
    pass(&f, 89 * XC_USEC_PER_SEC);
    turn_for(G_USEC_PER_SEC / 4);
    g_assert_cmpuint(f.outcomes, ==, 0);
    pass(&f, 2 * XC_USEC_PER_SEC);
    WAIT_FOR(f.outcomes == 1);
    g_assert_cmpint(f.outcome.result, ==, XC_RESULT_LOST);
    g_assert_cmpint(f.outcome.cause, ==, XC_CAUSE_TIMED_OUT);
    front_close(&f);
}

static void test_no_program(void)
{
    const struct xc_supervisor_limits limits = {.worker_exe = "/nonexistent/xensnmpd"};
    struct front f;
    struct xc_uuid op;

    front_open(&f, &limits);
    front_add(&f, 1, "ok");
    front_poll(&f, 1);
    front_start(&f, 1, &op, "quick");
    turn_for(G_USEC_PER_SEC / 4);
    pass(&f, 91 * XC_USEC_PER_SEC);
    WAIT_FOR(f.sources[1].failed == 1 && f.outcomes == 1);
    g_assert_cmpint(f.sources[1].cause, ==, XC_CAUSE_WORKER);
    g_assert_cmpint(f.outcome.result, ==, XC_RESULT_FAILED);
    g_assert_cmpint(f.outcome.cause, ==, XC_CAUSE_WORKER);
    g_assert_cmpuint(xc_supervisor_workers(f.supervisor), ==, 0);
    front_close(&f);
}

/* --- workers that lie */

/* Polls as long as polls fail. */
static bool polled_at_last(struct front *f)
{
    if (f->sources[1].polled == 0)
        xc_supervisor_poll(f->supervisor, 1, 20 * XC_USEC_PER_SEC, false);
    return f->sources[1].polled > 0;
}

static const struct lie {
    const char *fake;
    const char *why;
} lies[] = {
    {"silent", "did not say hello"},  {"garbage", "illegal length"},
    {"old", "another version"},       {"twice", "(message 1, HELLO)"},
    {"early", "(message 15, PONG)"},  {"front", "(message 14, PING)"},
    {"unknown", "(message 77, ?)"},   {"long", "(message 1, HELLO)"},
    {"piece", "(message 6, REPORT)"}, {"done", "(message 8, POLL_DONE)"},
    {"exit", "exited with status 7"},
};

/* A program that is a fake worker the first time and the right one ever after. */
static char *write_program(const char *dir, const char *fake)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *text = g_strdup_printf("#!/bin/sh\n"
                                            "if mkdir '%s/%s.lied' 2>/dev/null; then\n"
                                            "    " FAKE "=%s; export " FAKE "\n"
                                            "fi\n"
                                            "exec '%s' \"$@\"\n",
                                            dir, fake, fake, self);
    char *path = g_build_filename(dir, fake, NULL);

    g_assert_true(g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_NONE, 0700, NULL));
    return path;
}

/* With such a program the poll fails cleanly or is answered by the next. All at a time, since most of it is waiting. */
static void test_lies(void)
{
    struct front *fronts = g_new0(struct front, G_N_ELEMENTS(lies));
    char *programs[G_N_ELEMENTS(lies)];
    g_autofree char *dir = g_dir_make_tmp("xensnmp-test-XXXXXX", NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(lies); i++) {
        programs[i] = write_program(dir, lies[i].fake);
        front_open(&fronts[i], &(struct xc_supervisor_limits){.worker_exe = programs[i]});
        front_add(&fronts[i], 1, "ok");
        front_poll(&fronts[i], 1);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(lies); i++) {
        struct front *f = &fronts[i];
        g_autofree char *lied = g_strconcat(programs[i], ".lied", NULL);

        WAIT_FOR(f->lost > 0);
        g_assert_nonnull(strstr(f->why, lies[i].why));
        WAIT_FOR(polled_at_last(f));
        g_assert_cmpuint(f->lost, ==, 1);
        g_assert_cmpuint(f->sources[1].failed, <=, 1);
        if (f->sources[1].failed)
            g_assert_cmpint(f->sources[1].cause, ==, XC_CAUSE_WORKER);
        front_close(f);
        rmdir(lied);
        unlink(programs[i]);
        g_free(programs[i]);
    }
    rmdir(dir);
    g_free(fronts);
}

static void say(int fd, const struct xc_msg *msg)
{
    g_autoptr(GByteArray) out = g_byte_array_new();

    xc_msg_append(msg, out);
    if (send(fd, out->data, out->len, MSG_NOSIGNAL) < 0)
        _exit(EXIT_SUCCESS);
}

static void say_raw(int fd, uint32_t kind, const char *body, size_t length)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    g_autoptr(GByteArray) raw = g_byte_array_new();

    g_byte_array_append(raw, (const guint8 *)body, (guint)length);
    xc_frame_append(out, kind, raw);
    if (send(fd, out->data, out->len, MSG_NOSIGNAL) < 0)
        _exit(EXIT_SUCCESS);
}

/* The serial of the first poll that the front asks for. */
static uint32_t await_poll(int fd)
{
    uint32_t kind = 0;
    uint32_t serial = 0;

    while (kind != XC_MSG_POLL) {
        g_autoptr(GByteArray) body = NULL;
        struct xc_msg msg;

        if (!xc_frame_receive(fd, &kind, &body, NULL, NULL) ||
            !xc_msg_read(&msg, XC_FROM_FRONT, kind, body->data, body->len))
            _exit(EXIT_FAILURE);
        serial = msg.serial;
        xc_msg_clear(&msg);
    }
    return serial;
}

static void lie_in_poll(int fd, const char *fake)
{
    struct xc_msg msg = {.source = 1, .last = true};

    msg.serial = await_poll(fd);
    msg.kind = strcmp(fake, "piece") == 0 ? XC_MSG_REPORT : XC_MSG_POLL_DONE;
    msg.piece = (const uint8_t *)"\x05xyz";
    msg.piece_length = 4;
    say(fd, &msg);
}

static int be_fake(int fd, const char *fake)
{
    struct xc_msg hello = {
        .kind = XC_MSG_HELLO, .hash = xc_dictionary_hash(), .version = XC_PROTOCOL_VERSION};
    struct pollfd p = {.fd = fd};

    if (strcmp(fake, "exit") == 0)
        return 7;
    if (strcmp(fake, "garbage") == 0 && send(fd, "\xff\xff\xff\xff<html>", 10, MSG_NOSIGNAL) < 0)
        return EXIT_FAILURE;
    if (strcmp(fake, "old") == 0)
        hello.hash++;
    if (strcmp(fake, "early") == 0)
        say(fd, &(struct xc_msg){.kind = XC_MSG_PONG});
    if (strcmp(fake, "long") == 0)
        say_raw(fd, XC_MSG_HELLO, "0123456789012", 13);
    if (strcmp(fake, "silent") != 0)
        say(fd, &hello);
    if (strcmp(fake, "twice") == 0)
        say(fd, &hello);
    if (strcmp(fake, "front") == 0)
        say_raw(fd, XC_MSG_PING, "\1\0\0\0", 4);
    if (strcmp(fake, "unknown") == 0)
        say_raw(fd, 77, "", 0);
    if (strcmp(fake, "piece") == 0 || strcmp(fake, "done") == 0)
        lie_in_poll(fd, fake);
    poll(&p, 1, 20000); /* until the front hangs up */
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--worker") == 0) {
        int fd = (int)g_ascii_strtoll(argv[2], NULL, 10);
        const char *fake = g_getenv(FAKE);

        return fake ? be_fake(fd, fake) : xc_worker_main(fd);
    }
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/supervisor/killed-in-poll", test_killed_in_poll);
    g_test_add_func("/supervisor/killed-in-operation", test_killed_in_operation);
    g_test_add_func("/supervisor/cancel-survives-death", test_cancel_survives_death);
    g_test_add_func("/supervisor/deadly-operation", test_deadly_operation);
    g_test_add_func("/supervisor/quarantine", test_quarantine);
    g_test_add_func("/supervisor/rehabilitation", test_rehabilitation);
    g_test_add_func("/supervisor/innocent-in-quarantine", test_innocent_in_quarantine);
    g_test_add_func("/supervisor/stopped", test_stopped);
    g_test_add_func("/supervisor/hang", test_hang);
    g_test_add_func("/supervisor/memory", test_memory);
    g_test_add_func("/supervisor/operation-without-end", test_operation_without_end);
    g_test_add_func("/supervisor/no-program", test_no_program);
    g_test_add_func("/supervisor/lies", test_lies);
    return g_test_run();
}
