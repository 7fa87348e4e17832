/* Commands on this machine. */
#include "xenclient/transport/process.h"

#include "xenclient/util/error.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* A group of its own, so that killing it ends the children too; signals as a fresh program has
 * them. */
static void set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, defaults;

    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    sigaddset(&defaults, SIGCHLD);
    sigaddset(&defaults, SIGTERM);
    sigaddset(&defaults, SIGINT);
    posix_spawnattr_init(attributes);
    posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                             POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(attributes, 0);
    posix_spawnattr_setsigmask(attributes, &none);
    posix_spawnattr_setsigdefault(attributes, &defaults);
}

/* ends: what the child has as 0, 1, 2; -1: /dev/null. */
static bool spawn(const char *const *argv, const int ends[3], pid_t *pid, GError **error)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int rc;

    posix_spawn_file_actions_init(&actions);
    for (int i = 0; i < 3; i++)
        if (ends[i] >= 0)
            posix_spawn_file_actions_adddup2(&actions, ends[i], i);
        else
            posix_spawn_file_actions_addopen(&actions, i, "/dev/null", O_RDWR, 0);
    set_attributes(&attributes);
    rc = posix_spawnp(pid, argv[0], &actions, &attributes, (char *const *)argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (rc != 0)
        return xc_fail(error, XC_CAUSE_DRIVER_ERROR, "%s: %s", argv[0], g_strerror(rc));
    return true;
}

static int status_of(int raw, char **signal_out)
{
    if (WIFEXITED(raw))
        return WEXITSTATUS(raw);
    if (signal_out && WIFSIGNALED(raw))
        *signal_out = g_strdup(sigabbrev_np(WTERMSIG(raw)));
    return -1;
}

static int reap(pid_t pid, char **signal_out)
{
    int raw = 0;

    while (waitpid(pid, &raw, 0) < 0)
        if (errno != EINTR)
            return -1;
    return status_of(raw, signal_out);
}

static gpointer reap_thread(gpointer data)
{
    reap(GPOINTER_TO_INT(data), NULL);
    return NULL;
}

/* Kills a whole group without waiting for it: what sudo runs is not ours to kill and may take long.
 */
static void end_group(pid_t pid)
{
    kill(-pid, SIGKILL);
    g_thread_unref(g_thread_new("reap", reap_thread, GINT_TO_POINTER(pid)));
}

static void close_end(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* Our ends of a running command. */
struct pipes {
    int in, out, err;
    const char *at;
    size_t left;
};

static void pipes_close(struct pipes *pipes)
{
    close_end(&pipes->in);
    close_end(&pipes->out);
    close_end(&pipes->err);
}

/* A socket for the input: MSG_NOSIGNAL spares us SIGPIPE when the command reads none of it. Pipes
 * for what it writes, for some programs open /dev/stdout, which a socket refuses. */
static bool input_pair(int *ours, int *theirs, GError **error)
{
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
        return xc_fail(error, XC_CAUSE_LIMIT, "no descriptors: %s", g_strerror(errno));
    *ours = fds[0];
    *theirs = fds[1];
    return fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0;
}

static bool output_pair(int *ours, int *theirs, GError **error)
{
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) < 0)
        return xc_fail(error, XC_CAUSE_LIMIT, "no descriptors: %s", g_strerror(errno));
    *ours = fds[0];
    *theirs = fds[1];
    return fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0;
}

static void feed(struct pipes *pipes)
{
    while (pipes->in >= 0 && pipes->left > 0) {
        ssize_t n = send(pipes->in, pipes->at, pipes->left, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0)
            break; /* it reads no more: not our business */
        pipes->at += n;
        pipes->left -= (size_t)n;
    }
    close_end(&pipes->in);
}

static bool drain(int *fd, GString *to, size_t max, const char *what, GError **error)
{
    char chunk[32768];

    while (*fd >= 0) {
        ssize_t n = read(*fd, chunk, sizeof chunk);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return true;
        if (n <= 0) {
            close_end(fd);
        } else if (!xc_exec_add(to, chunk, (size_t)n, max, what, error)) {
            return false;
        }
    }
    return true;
}

/* Waits for any of the three within the call. */
static bool wait_any(const struct pipes *pipes, struct xc_call *call, GError **error)
{
    struct pollfd fds[3] = {
        {pipes->in, POLLOUT, 0}, {pipes->out, POLLIN, 0}, {pipes->err, POLLIN, 0}};
    int wake = call->wake[1] == -1 ? call->wake[0] : -1;
    struct pollfd all[4] = {fds[0], fds[1], fds[2], {wake, POLLIN, 0}};
    gint64 left = MIN(xc_call_left(call) / 1000 + 1, 60000);

    if (!xc_call_check(call, "waiting for a command's answer", error))
        return false;
    if (poll(all, G_N_ELEMENTS(all), (int)left) < 0 && errno != EINTR)
        return xc_fail(error, XC_CAUSE_INTERNAL, "poll: %s", g_strerror(errno));
    return xc_call_check(call, "waiting for a command's answer", error);
}

static bool converse(struct pipes *pipes, struct xc_call *call, struct xc_exec *out, GError **error)
{
    for (;;) {
        feed(pipes);
        if (!drain(&pipes->out, out->out, XC_EXEC_OUT_MAX, "stdout", error) ||
            !drain(&pipes->err, out->err, XC_EXEC_ERR_MAX, "stderr", error))
            return false;
        if (pipes->out < 0 && pipes->err < 0)
            return true;
        if (!wait_any(pipes, call, error))
            return false;
    }
}

/* A command may close its output long before it ends. */
static bool wait_end(pid_t pid, struct xc_call *call, GError **error)
{
    int fd = pidfd_open(pid, 0);
    bool ok;

    if (fd < 0)
        return xc_fail(error, XC_CAUSE_LIMIT, "no process descriptor: %s", g_strerror(errno));
    ok = xc_call_wait(call, fd, POLLIN, -1, "waiting for a command's end", error);
    close(fd);
    return ok;
}

bool xc_process_exec(const char *const *argv, const void *input, size_t length,
                     struct xc_call *call, struct xc_exec *out, GError **error)
{
    struct pipes pipes = {.in = -1, .out = -1, .err = -1, .at = input, .left = length};
    int theirs[3] = {-1, -1, -1};
    pid_t pid = 0;
    bool ok = (!length || input_pair(&pipes.in, &theirs[0], error)) &&
              output_pair(&pipes.out, &theirs[1], error) &&
              output_pair(&pipes.err, &theirs[2], error) && spawn(argv, theirs, &pid, error);

    for (int i = 0; i < 3; i++)
        close_end(&theirs[i]);
    ok = ok && converse(&pipes, call, out, error);
    pipes_close(&pipes);
    ok = ok && wait_end(pid, call, error);
    if (ok)
        out->status = reap(pid, &out->signal);
    else if (pid > 0)
        end_group(pid);
    return ok;
}

bool xc_process_start(const char *const *argv, struct xc_process *out, GError **error)
{
    int theirs[3] = {-1, -1, -1};
    bool ok;

    *out = (struct xc_process)XC_PROCESS_INIT;
    ok = input_pair(&out->in, &theirs[0], error) && output_pair(&out->fd, &theirs[1], error) &&
         spawn(argv, theirs, &out->pid, error);
    close_end(&theirs[0]);
    close_end(&theirs[1]);
    if (!ok)
        xc_process_stop(out);
    return ok;
}

bool xc_process_read(struct xc_process *process, GString *to)
{
    /* What is too much is dropped; the next lines will come. */
    drain(&process->fd, to, to->len + (1u << 20), "stdout", NULL);
    if (process->fd >= 0)
        return true;
    xc_process_stop(process);
    return false;
}

void xc_process_stop(struct xc_process *process)
{
    close_end(&process->in);
    close_end(&process->fd);
    if (process->pid > 0)
        end_group(process->pid);
    process->pid = 0;
}
