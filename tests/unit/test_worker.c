/* The worker process seen from the other end of its pipe: what it says, what it refuses, how it ends. */
#include "tests/unit/mutate.h"
#include "tests/unit/scripted_driver.h"

#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define SESSIONS 40
#define MESSAGES 500

extern char **environ;

/* A worker and our end of its pipe. */
struct peer {
    pid_t pid;
    int fd;
    char *dir;
    struct xc_source_spec spec;
};

static void peer_open(struct peer *p)
{
    char name[] = "worker";
    char option[] = "--worker";
    char number[] = "3";
    char *argv[] = {name, option, number, NULL};
    posix_spawn_file_actions_t actions;
    int pair[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pair[1], 3);
    g_assert_cmpint(posix_spawn(&p->pid, "/proc/self/exe", &actions, NULL, argv, environ), ==, 0);
    posix_spawn_file_actions_destroy(&actions);
    close(pair[1]);
    p->fd = pair[0];
    p->dir = g_dir_make_tmp("xensnmp-test-XXXXXX", NULL);
    p->spec = (struct xc_source_spec){
        .key = (char *)"a", .uri = (char *)"test://ok@host", .save_dir = p->dir};
}

static void peer_say(const struct peer *p, const struct xc_msg *msg)
{
    g_autoptr(GByteArray) out = g_byte_array_new();

    xc_msg_append(msg, out);
    g_assert_cmpint(send(p->fd, out->data, out->len, MSG_NOSIGNAL), ==, out->len);
}

/* The next message; its kind is the result. Texts are to be cleared. */
static uint32_t peer_hear(const struct peer *p, struct xc_msg *msg)
{
    g_autoptr(GByteArray) body = NULL;
    g_autoptr(GError) error = NULL;
    struct xc_call call;
    uint32_t kind;

    g_assert_true(xc_call_init(&call, 20 * XC_USEC_PER_SEC, NULL));
    xc_frame_receive(p->fd, &kind, &body, &call, &error);
    g_assert_no_error(error);
    g_assert_true(xc_msg_read(msg, XC_FROM_WORKER, kind, body->data, body->len));
    msg->piece = NULL; /* it goes with the body */
    xc_call_deinit(&call);
    return kind;
}

static void peer_expect(const struct peer *p, enum xc_message kind)
{
    struct xc_msg msg;
    uint32_t heard = peer_hear(p, &msg);

    g_assert_cmpstr(xc_msg_name(heard), ==, xc_msg_name((uint32_t)kind));
    xc_msg_clear(&msg);
}

static void peer_greet(const struct peer *p)
{
    struct xc_msg msg;
    uint32_t heard = peer_hear(p, &msg);

    g_assert_cmpuint(heard, ==, XC_MSG_HELLO);
    g_assert_cmphex(msg.hash, ==, xc_dictionary_hash());
    g_assert_cmpuint(msg.version, ==, XC_PROTOCOL_VERSION);
    peer_say(p, &(struct xc_msg){.kind = XC_MSG_ENV});
}

/* Hangs up if it did not end before; the wait status. */
static int peer_close(struct peer *p)
{
    g_autofree char *log = g_build_filename(p->dir, "log", NULL);
    int status;

    close(p->fd);
    g_assert_cmpint(waitpid(p->pid, &status, 0), ==, p->pid);
    unlink(log);
    rmdir(p->dir);
    g_free(p->dir);
    return status;
}

static void peer_close_well(struct peer *p)
{
    int status = peer_close(p);

    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, EXIT_SUCCESS);
}

/* The process ends by itself, with the status of a breach. */
static void peer_close_breached(struct peer *p)
{
    struct pollfd fd = {.fd = p->fd};
    int status;

    g_assert_cmpint(poll(&fd, 1, 20000), ==, 1);
    status = peer_close(p);
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, 3);
}

static void test_talk(void)
{
    struct peer p;

    peer_open(&p);
    peer_greet(&p);
    peer_say(&p, &(struct xc_msg){.kind = XC_MSG_PING, .serial = 5});
    peer_expect(&p, XC_MSG_PONG);
    peer_say(&p, &(struct xc_msg){.kind = XC_MSG_SOURCE, .source = 1, .spec = p.spec});
    peer_say(&p, &(struct xc_msg){
                     .kind = XC_MSG_POLL, .source = 1, .serial = 1, .usec = 9 * XC_USEC_PER_SEC});
    peer_expect(&p, XC_MSG_REPORT);
    peer_expect(&p, XC_MSG_POLL_DONE);
    peer_say(&p, &(struct xc_msg){.kind = XC_MSG_CANCEL}); /* of what is not there: nothing */
    peer_say(&p, &(struct xc_msg){.kind = XC_MSG_FORGET, .source = 1});
    peer_say(&p, &(struct xc_msg){.kind = XC_MSG_PING, .serial = 6});
    peer_expect(&p, XC_MSG_PONG);
    peer_close_well(&p);
}

static char *proc_text(const struct peer *p, const char *name)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/%s", (int)p->pid, name);
    char *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    return text;
}

/* Secrets live there: no core file, and nobody of the same user may look inside. */
static void test_hardened(void)
{
    g_autofree char *limits = NULL;
    g_autofree char *comm = NULL;
    g_autofree char *log = NULL;
    g_autofree char *noted = NULL;
    g_auto(GStrv) lines = NULL;
    struct peer p;
    bool found = false;

    peer_open(&p);
    peer_greet(&p);
    limits = proc_text(&p, "limits");
    lines = g_strsplit(limits, "\n", -1);
    for (char **line = lines; *line; line++)
        if (g_str_has_prefix(*line, "Max core file size"))
            found = g_str_has_prefix(*line, "Max core file size        0                    0 ");
    g_assert_true(found);
    comm = proc_text(&p, "comm");
    g_assert_cmpstr(comm, ==, "xensnmpd-worker\n");
    peer_say(&p, &(struct xc_msg){.kind = XC_MSG_SOURCE, .source = 1, .spec = p.spec});
    peer_say(&p, &(struct xc_msg){
                     .kind = XC_MSG_POLL, .source = 1, .serial = 1, .usec = 9 * XC_USEC_PER_SEC});
    peer_expect(&p, XC_MSG_REPORT);
    log = g_build_filename(p.dir, "log", NULL);
    g_assert_true(g_file_get_contents(log, &noted, NULL, NULL));
    g_assert_true(g_str_has_prefix(noted, "sealed "));
    peer_close_well(&p);
}

static void set_descriptors(const struct peer *p, rlim_t n)
{
    struct rlimit limit;

    g_assert_cmpint(prlimit(p->pid, RLIMIT_NOFILE, NULL, &limit), ==, 0);
    limit.rlim_cur = n;
    g_assert_cmpint(prlimit(p->pid, RLIMIT_NOFILE, &limit, NULL), ==, 0);
}

/* A source that found no descriptor says so, and works once there are some; one too many takes none of the others'. */
static void test_descriptors(void)
{
    const struct xc_msg ask = {
        .kind = XC_MSG_POLL, .source = 1, .serial = 1, .usec = 9 * XC_USEC_PER_SEC};
    const struct xc_msg ask_second = {
        .kind = XC_MSG_POLL, .source = 2, .serial = 1, .usec = 9 * XC_USEC_PER_SEC};
    struct xc_msg msg;
    struct peer p;
    uint32_t heard;

    peer_open(&p);
    peer_greet(&p);
    set_descriptors(&p, 4);
    peer_say(&p, &(struct xc_msg){.kind = XC_MSG_SOURCE, .source = 1, .spec = p.spec});
    peer_say(&p, &ask);
    heard = peer_hear(&p, &msg);
    g_assert_cmpuint(heard, ==, XC_MSG_POLL_FAILED);
    g_assert_cmpint(msg.cause, ==, XC_CAUSE_LIMIT);
    g_assert_nonnull(strstr(msg.text, "descriptor"));
    xc_msg_clear(&msg);
    set_descriptors(&p, 20);
    peer_say(&p, &ask);
    peer_expect(&p, XC_MSG_REPORT);
    peer_expect(&p, XC_MSG_POLL_DONE);
    peer_say(&p, &(struct xc_msg){.kind = XC_MSG_SOURCE, .source = 2, .spec = p.spec});
    peer_say(&p, &ask_second);
    heard = peer_hear(&p, &msg);
    g_assert_cmpuint(heard, ==, XC_MSG_POLL_FAILED);
    g_assert_cmpint(msg.cause, ==, XC_CAUSE_LIMIT);
    g_assert_nonnull(strstr(msg.text, "20 descriptors are not enough for another source"));
    xc_msg_clear(&msg);
    set_descriptors(&p, 64);
    peer_say(&p, &ask_second);
    peer_expect(&p, XC_MSG_REPORT);
    peer_expect(&p, XC_MSG_POLL_DONE);
    peer_close_well(&p);
}

static void check_breach(const struct xc_msg *msg, bool greet)
{
    struct peer p;

    peer_open(&p);
    if (greet)
        peer_greet(&p);
    peer_say(&p, msg);
    peer_close_breached(&p);
}

static void test_breaches(void)
{
    check_breach(&(struct xc_msg){.kind = XC_MSG_PING}, false); /* before ENV */
    check_breach(&(struct xc_msg){.kind = XC_MSG_ENV}, true);   /* twice */
    check_breach(&(struct xc_msg){.kind = XC_MSG_POLL, .source = 1}, true);
    check_breach(&(struct xc_msg){.kind = XC_MSG_FORGET, .source = 1}, true);
    check_breach(
        &(struct xc_msg){.kind = XC_MSG_START, .source = 1, .order = {.action = XC_ACTION_START}},
        true);
    check_breach(&(struct xc_msg){.kind = XC_MSG_PONG}, true); /* ours to hear, not to say */
}

static void test_illegal_length(void)
{
    struct peer p;

    peer_open(&p);
    g_assert_cmpint(send(p.fd, "\xff\xff\xff\xff", 4, MSG_NOSIGNAL), ==, 4);
    peer_close_breached(&p);
}

/* One of the messages that a front sends, about sources and operations that there may be. */
static GByteArray *any_message(const struct peer *p, GRand *rand, bool known[4])
{
    static const char *const names[] = {"quick", "long", "mute"};
    struct xc_msg msg = {.source = (uint32_t)g_rand_int_range(rand, 1, 4),
                         .serial = g_rand_int(rand),
                         .usec = g_rand_int_range(rand, 0, 1000 * 1000),
                         .spec = p->spec};
    GByteArray *out = g_byte_array_new();
    static const enum xc_message kinds[] = {XC_MSG_SOURCE, XC_MSG_FORGET, XC_MSG_POLL,
                                            XC_MSG_START,  XC_MSG_CANCEL, XC_MSG_PING};

    msg.kind =
        known[msg.source] ? kinds[g_rand_int_range(rand, 0, G_N_ELEMENTS(kinds))] : XC_MSG_SOURCE;
    known[msg.source] = msg.kind != XC_MSG_FORGET;
    msg.op.b[0] = (uint8_t)g_rand_int_range(rand, 0, 8);
    msg.order = (struct xc_order){.op = msg.op,
                                  .action = XC_ACTION_START,
                                  .name = (char *)names[g_rand_int_range(rand, 0, 3)],
                                  .timeout_usec = msg.usec};
    xc_msg_append(&msg, out);
    return out;
}

/* Takes what there is, so that neither side has to wait for the other. */
static void drain(const struct peer *p)
{
    uint8_t buffer[65536];

    while (recv(p->fd, buffer, sizeof(buffer), MSG_DONTWAIT) > 0)
        continue;
}

/* Legal messages in wild order, and now and then a damaged one: the process ends by its own will or with us. */
static void test_storm(void)
{
    for (unsigned session = 0; session < SESSIONS; session++) {
        g_autoptr(GRand) rand = g_rand_new_with_seed(session);
        bool known[4] = {false};
        struct peer p;
        int status;

        peer_open(&p);
        peer_greet(&p);
        for (unsigned id = 1; id < 4; id++)
            peer_say(&p, &(struct xc_msg){.kind = XC_MSG_SOURCE, .source = id, .spec = p.spec});
        for (unsigned n = 0; n < MESSAGES; n++) {
            g_autoptr(GByteArray) good = any_message(&p, rand, known);
            g_autoptr(GByteArray) bad = mutate(good->data, good->len, rand);
            const GByteArray *out = g_rand_int_range(rand, 0, MESSAGES / 2) ? good : bad;

            drain(&p);
            if (send(p.fd, out->data, out->len, MSG_NOSIGNAL) < 0)
                break;
        }
        status = peer_close(&p);
        g_assert_true(WIFEXITED(status));
        g_assert_true(WEXITSTATUS(status) == EXIT_SUCCESS || WEXITSTATUS(status) == 3);
    }
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--worker") == 0)
        return xc_worker_main((int)g_ascii_strtoll(argv[2], NULL, 10));
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/worker/talk", test_talk);
    g_test_add_func("/worker/hardened", test_hardened);
    g_test_add_func("/worker/descriptors", test_descriptors);
    g_test_add_func("/worker/breaches", test_breaches);
    g_test_add_func("/worker/illegal-length", test_illegal_length);
    g_test_add_func("/worker/storm", test_storm);
    return g_test_run();
}
