/* A worker process as the front sees it: spawn, pipe, ping, memory, end, back-off. */
#include "xenclient/worker/child.h"

#include "xenclient/util/clock.h"
#include "xenclient/util/log.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* The descriptor of the socket in the worker. */
#define WORKER_FD 3
/* A worker that has not taken so much is not reading. */
#define MAX_OUT (32u << 20)
/* Octets taken per turn of the main loop, in fills of 64 KiB: SNMP must get its turn as well. */
#define FILLS_PER_TURN 8
/* Generous: on a busy machine it is the start of the process that takes long, not its death. */
#define HELLO_USEC (5 * XC_USEC_PER_SEC)
/* A loaded machine may need longer; each failure doubles the patience, this often. */
#define HELLO_DOUBLINGS 3
#define MAX_PINGS       3
/* One that lived longer than this is started again at once. */
#define LIVED_USEC      (5 * XC_USEC_PER_SEC)
#define BACKOFF_FIRST   (XC_USEC_PER_SEC / 10)
#define BACKOFF_LONGEST (5 * XC_USEC_PER_SEC)

enum state { WAITING, STARTING, READY };

struct xc_child {
    GMainContext *context;
    const struct xc_child_limits *limits;
    const struct xc_child_events *events;
    void *data;

    enum state state;
    gint64 start_at; /* WAITING */
    gint64 backoff;
    unsigned mute; /* processes in a row that never said HELLO */

    /* The process; fd -1: none. */
    pid_t pid;
    bool reaped;
    int fd;
    GSource *readable;
    GSource *writable; /* NULL: nothing waits */
    struct xc_frames in;
    GByteArray *out;
    size_t out_used;
    gint64 started;
    gint64 ping_at;
    uint32_t ping_serial;
    unsigned pings_open;
    bool hung_up; /* end of file was seen; the tick, when the system knows why, does the rest */
    char *doom;   /* why it is to be given up, NULL: it is not */
    bool doom_blame;
};

static void drop_source(GSource **source)
{
    if (*source) {
        g_source_destroy(*source);
        g_source_unref(*source);
    }
    *source = NULL;
}

static void watch(struct xc_child *child, GSource **source, GIOCondition condition,
                  GUnixFDSourceFunc ready)
{
    *source = g_unix_fd_source_new(child->fd, condition);
    g_source_set_callback(*source, G_SOURCE_FUNC(ready), child, NULL);
    g_source_attach(*source, child->context);
}

/* --- end of a process */

static void bury(struct xc_child *child)
{
    drop_source(&child->readable);
    drop_source(&child->writable);
    xc_frames_clear(&child->in);
    g_byte_array_set_size(child->out, 0);
    child->out_used = 0;
    if (child->fd >= 0)
        close(child->fd);
    child->fd = -1;
    if (child->pid > 0 && !child->reaped)
        child->events->corpse(child->pid, child->data);
    child->pid = 0;
    child->hung_up = false;
    g_clear_pointer(&child->doom, g_free);
}

/* One that lived a while is replaced at once, one that dies early waits longer each time. */
static gint64 next_backoff(const struct xc_child *child, gint64 now)
{
    if (now - child->started >= LIVED_USEC)
        return 0;
    return child->backoff ? MIN(child->backoff * 2, BACKOFF_LONGEST) : BACKOFF_FIRST;
}

static void give_up(struct xc_child *child, const char *why, bool blame)
{
    g_autofree char *reason = g_strdup(why); /* may be our own doom, which is freed below */
    gint64 now = xc_clock_mono();

    xc_log(XC_LOG_WARNING, "worker %d is replaced: %s", (int)child->pid, reason);
    if (child->pid > 0 && !child->reaped)
        kill(child->pid, SIGKILL);
    child->mute = child->state == READY ? 0 : MIN(child->mute + 1, HELLO_DOUBLINGS);
    child->backoff = next_backoff(child, now);
    child->start_at = now + child->backoff;
    child->state = WAITING;
    bury(child);
    child->events->lost(child, reason, blame, child->data);
}

void xc_child_condemn(struct xc_child *child, const char *why, bool blame)
{
    if (child->doom || child->state == WAITING)
        return;
    child->doom = g_strdup(why);
    child->doom_blame = blame;
}

/* --- input */

static bool take_hello(struct xc_child *child, const struct xc_msg *msg)
{
    if (child->state != STARTING)
        return false;
    if (msg->hash != xc_dictionary_hash() || msg->version != XC_PROTOCOL_VERSION) {
        xc_child_condemn(child, "it is of another version than this process; restart the daemon",
                         false);
        return true;
    }
    child->state = READY;
    child->ping_at = xc_clock_mono() + child->limits->ping_sec * XC_USEC_PER_SEC;
    child->pings_open = 0;
    child->events->ready(child, child->data);
    return true;
}

static bool take(struct xc_child *child, const struct xc_msg *msg)
{
    if (msg->kind == XC_MSG_HELLO)
        return take_hello(child, msg);
    if (child->state != READY)
        return false;
    if (msg->kind != XC_MSG_PONG)
        return child->events->message(child, msg, child->data);
    if (msg->serial == child->ping_serial)
        child->pings_open = 0;
    return msg->serial <= child->ping_serial;
}

/* Hands on every whole message. False: the process is to be given up, for the reason in doom. */
static bool take_all(struct xc_child *child)
{
    const uint8_t *body;
    uint32_t kind;
    size_t length;
    int r;

    while ((r = xc_frames_next(&child->in, &kind, &body, &length)) == 1) {
        struct xc_msg msg;
        bool ok = xc_msg_read(&msg, XC_FROM_WORKER, kind, body, length) && take(child, &msg);

        xc_msg_clear(&msg);
        if (!ok) {
            g_autofree char *why =
                g_strdup_printf("it broke the protocol (message %u, %s)", kind, xc_msg_name(kind));

            xc_child_condemn(child, why, true);
        }
        if (child->doom)
            return false;
    }
    if (r < 0)
        xc_child_condemn(child, "it sent a message of illegal length", true);
    return !child->doom;
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer data)
{
    struct xc_child *child = data;
    int r = 1;

    (void)condition;
    for (int i = 0; i < FILLS_PER_TURN && r > 0; i++) {
        r = xc_frames_fill(&child->in, fd);
        if (!take_all(child)) {
            give_up(child, child->doom, child->doom_blame);
            return G_SOURCE_REMOVE;
        }
    }
    if (r >= 0)
        return G_SOURCE_CONTINUE;
    child->hung_up = true;
    drop_source(&child->readable);
    return G_SOURCE_REMOVE;
}

/* --- output */

/* True: all is written. */
static bool write_some(struct xc_child *child)
{
    while (child->out_used < child->out->len) {
        ssize_t n = send(child->fd, child->out->data + child->out_used,
                         child->out->len - child->out_used, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n > 0)
            child->out_used += (size_t)n;
        else if (n < 0 && errno == EINTR)
            continue;
        else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            break;
        else
            child->out_used = child->out->len; /* it is gone: the reading side will tell */
    }
    if (child->out_used < child->out->len) {
        g_byte_array_remove_range(child->out, 0, (guint)child->out_used);
        child->out_used = 0;
        return false;
    }
    g_byte_array_set_size(child->out, 0);
    child->out_used = 0;
    return true;
}

static gboolean on_writable(gint fd, GIOCondition condition, gpointer data)
{
    struct xc_child *child = data;

    (void)fd;
    (void)condition;
    if (!write_some(child))
        return G_SOURCE_CONTINUE;
    drop_source(&child->writable);
    return G_SOURCE_REMOVE;
}

void xc_child_send(struct xc_child *child, const struct xc_msg *msg)
{
    if (!xc_child_is_ready(child))
        return;
    if (child->out->len - child->out_used > MAX_OUT) {
        xc_child_condemn(child, "it does not read what it is sent", false);
        return;
    }
    xc_msg_append(msg, child->out);
    if (!child->writable && !write_some(child))
        watch(child, &child->writable, G_IO_OUT, on_writable);
}

/* --- begin of a process */

/* The worker gets its end of the pipe, /dev/null and our stderr; nothing else of ours stays open.
 */
static int spawn(const char *exe, int fd, pid_t *pid)
{
    char number[] = {'0' + WORKER_FD, '\0'};
    char name[] = "xensnmpd-worker";
    char option[] = "--worker";
    char *argv[] = {name, option, number, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t all;
    sigset_t none;
    int r;

    sigfillset(&all);
    sigemptyset(&none);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setsigdefault(&attr, &all);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fd, WORKER_FD);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addclosefrom_np(&actions, WORKER_FD + 1);
    r = posix_spawn(pid, exe, &actions, &attr, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attr);
    return r;
}

static bool start(struct xc_child *child, GError **error)
{
    int pair[2];
    int r;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return xc_fail(error, XC_CAUSE_LIMIT, "no socket pair: %s", g_strerror(errno));
    r = spawn(child->limits->exe, pair[1], &child->pid);
    close(pair[1]);
    if (r != 0) {
        close(pair[0]);
        child->pid = 0;
        return xc_fail(error, XC_CAUSE_WORKER, "%s can't be started: %s", child->limits->exe,
                       g_strerror(r));
    }
    child->reaped = false;
    child->fd = pair[0];
    child->state = STARTING;
    watch(child, &child->readable, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable);
    return true;
}

static void try_start(struct xc_child *child, gint64 now)
{
    g_autoptr(GError) error = NULL;

    child->started = now;
    if (start(child, &error)) {
        xc_log(XC_LOG_DEBUG, "worker %d started", (int)child->pid);
        return;
    }
    child->backoff = next_backoff(child, now);
    child->start_at = now + child->backoff;
    xc_log(XC_LOG_ERROR, "worker: %s", error->message);
}

/* --- watching */

/* Resident memory in MiB; 0 when it can't be known. */
static unsigned resident_mib(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/statm", (int)pid);
    g_autofree char *text = NULL;
    const char *second;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return 0;
    second = strchr(text, ' ');
    return second
               ? (unsigned)(g_ascii_strtoull(second, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) >>
                            20)
               : 0;
}

static void ping(struct xc_child *child, gint64 now)
{
    unsigned mib = child->limits->rss_mib ? resident_mib(child->pid) : 0;

    /* Pings are counted, not seconds: when this process itself stood still, the answers wait in the
     * pipe. */
    if (child->pings_open >= MAX_PINGS) {
        xc_child_condemn(child, "it does not answer", false);
        return;
    }
    if (mib > child->limits->rss_mib) {
        g_autofree char *why = g_strdup_printf("it uses %u MiB of memory, %u are allowed", mib,
                                               child->limits->rss_mib);

        xc_child_condemn(child, why, true);
        return;
    }
    child->pings_open++;
    child->ping_at = now + child->limits->ping_sec * XC_USEC_PER_SEC;
    xc_child_send(child, &(struct xc_msg){.kind = XC_MSG_PING, .serial = ++child->ping_serial});
}

/* What the process died of, when the system knows already. */
static char *obituary(struct xc_child *child)
{
    int status;

    if (waitpid(child->pid, &status, WNOHANG) != child->pid)
        return g_strdup("it hung up");
    child->reaped = true;
    if (WIFSIGNALED(status))
        return g_strdup_printf("it was ended by signal %d (%s)", WTERMSIG(status),
                               g_strsignal(WTERMSIG(status)));
    return g_strdup_printf("it exited with status %d", WEXITSTATUS(status));
}

void xc_child_tick(struct xc_child *child, gint64 now)
{
    if (child->hung_up && !child->doom) {
        g_autofree char *why = obituary(child);

        xc_child_condemn(child, why, true);
    }
    switch (child->state) {
    case WAITING:
        if (now >= child->start_at)
            try_start(child, now);
        break;
    case STARTING:
        if (now - child->started > HELLO_USEC << child->mute)
            xc_child_condemn(child, "it did not say hello in time", false);
        break;
    case READY:
        if (now >= child->ping_at && !child->doom)
            ping(child, now);
        break;
    }
    if (child->doom)
        give_up(child, child->doom, child->doom_blame);
}

bool xc_child_is_ready(const struct xc_child *child)
{
    return child->state == READY && !child->doom && !child->hung_up;
}

bool xc_child_lives(const struct xc_child *child)
{
    return child->state != WAITING;
}

struct xc_child *xc_child_new(GMainContext *context, const struct xc_child_limits *limits,
                              const struct xc_child_events *events, void *data)
{
    struct xc_child *child = g_new0(struct xc_child, 1);

    child->context = context;
    child->limits = limits;
    child->events = events;
    child->data = data;
    child->fd = -1;
    child->out = g_byte_array_new();
    return child;
}

void *xc_child_free(struct xc_child *child)
{
    if (!child)
        return NULL;
    bury(child);
    g_byte_array_unref(child->out);
    g_free(child);
    return NULL;
}
