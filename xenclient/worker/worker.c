/* The process that runs drivers: its hardening, its main loop, its way to the front and its end. */
#include "xenclient/worker/worker.h"

#include "xenclient/util/log.h"
#include "xenclient/worker/worker_private.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* Drivers keep large things on the heap; hundreds of threads must stay cheap. */
#define STACK_OCTETS ((size_t)256 << 10)
/* A front that reads nothing for so long is not worth waiting for: operations are taken up again
 * later. */
#define SEND_MSEC 30000
/* Time for the sources' threads to close their sessions at the end. */
#define LEAVE_USEC  (500 * 1000)
#define MAX_SOURCES 65536
/* More than the usual soft limit has for many sources: see FILES_OF_SOURCE. */
#define MAX_FILES 65536
#define NAME      "xensnmpd-worker"

enum { EXIT_STUCK = 2, EXIT_BREACH = 3 };

struct xc_worker {
    int fd;
    bool have_env;
    struct xc_driver_env env;
    GMutex send_lock;
    bool send_broken; /* under send_lock: half a message may be on its way */
    GMutex session_lock;
    GCond session_ended;
    int sessions;        /* under session_lock */
    gint claimed;        /* descriptors, by sources; atomic */
    GHashTable *sources; /* id -> struct xc_wsource, main thread */
    struct xc_wops *ops;
};

/* --- sending */

static bool send_all(int fd, const uint8_t *data, size_t length)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};

    while (length > 0) {
        ssize_t n = send(fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n > 0) {
            data += n;
            length -= (size_t)n;
        } else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            int r = poll(&p, 1, SEND_MSEC);

            if (r == 0) {
                xc_log(XC_LOG_ERROR, "the front has read nothing for %d s; ending",
                       SEND_MSEC / 1000);
                _exit(EXIT_STUCK);
            }
            if (r < 0 && errno != EINTR)
                return false;
        } else if (n == 0 || errno != EINTR) {
            return false;
        }
    }
    return true;
}

bool xc_worker_send(struct xc_worker *worker, const struct xc_msg *msg)
{
    g_autoptr(GByteArray) frame = g_byte_array_new();
    bool ok;

    xc_msg_append(msg, frame);
    g_mutex_lock(&worker->send_lock);
    ok = !worker->send_broken && send_all(worker->fd, frame->data, frame->len);
    worker->send_broken = !ok;
    g_mutex_unlock(&worker->send_lock);
    return ok;
}

const struct xc_driver_env *xc_worker_env(const struct xc_worker *worker)
{
    return &worker->env;
}

/* --- threads */

bool xc_worker_thread(void *(*run)(void *), void *data, GError **error)
{
    pthread_attr_t attr;
    pthread_t thread;
    int r;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_OCTETS);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    r = pthread_create(&thread, &attr, run, data);
    pthread_attr_destroy(&attr);
    return r == 0 || xc_fail(error, XC_CAUSE_LIMIT, "no thread for the driver: %s", g_strerror(r));
}

void xc_worker_count_session(struct xc_worker *worker, int change)
{
    g_mutex_lock(&worker->session_lock);
    worker->sessions += change;
    g_cond_signal(&worker->session_ended);
    g_mutex_unlock(&worker->session_lock);
}

int xc_worker_claim_files(struct xc_worker *worker, int change)
{
    return g_atomic_int_add(&worker->claimed, change) + change;
}

/* --- messages */

static void stop_source(void *source)
{
    xc_wsource_stop(source);
}

static bool take_env(struct xc_worker *worker, struct xc_msg *msg)
{
    if (worker->have_env)
        return false;
    worker->have_env = true;
    worker->env.credential_dir = g_steal_pointer(&msg->text);
    worker->env.known_hosts = g_steal_pointer(&msg->known_hosts);
    worker->env.tls_pins = g_steal_pointer(&msg->tls_pins);
    worker->env.tls_ca = g_steal_pointer(&msg->tls_ca);
    return true;
}

static bool take_source(struct xc_worker *worker, const struct xc_msg *msg)
{
    if (g_hash_table_size(worker->sources) >= MAX_SOURCES)
        return false;
    /* The table stops the one before, if there is one. */
    g_hash_table_replace(worker->sources, GUINT_TO_POINTER(msg->source),
                         xc_wsource_new(worker, msg->source, &msg->spec));
    return true;
}

static bool take_poll(struct xc_worker *worker, const struct xc_msg *msg)
{
    struct xc_wsource *source = g_hash_table_lookup(worker->sources, GUINT_TO_POINTER(msg->source));

    if (!source)
        return false;
    if (xc_wsource_is_broken(source)) {
        /* Descriptors or threads may be free again. */
        source = xc_wsource_new(worker, msg->source, xc_wsource_spec(source));
        g_hash_table_replace(worker->sources, GUINT_TO_POINTER(msg->source), source);
    }
    xc_wsource_poll(source, msg->serial, msg->usec, msg->news);
    return true;
}

static bool take_start(struct xc_worker *worker, const struct xc_msg *msg)
{
    const struct xc_wsource *source =
        g_hash_table_lookup(worker->sources, GUINT_TO_POINTER(msg->source));

    if (source)
        xc_wops_start(worker->ops, xc_wsource_spec(source), &msg->order);
    return source != NULL;
}

/* False: the front broke the protocol. */
static bool take(struct xc_worker *worker, struct xc_msg *msg)
{
    if (msg->kind != XC_MSG_ENV && !worker->have_env)
        return false;
    switch (msg->kind) {
    case XC_MSG_ENV:
        return take_env(worker, msg);
    case XC_MSG_LEVEL:
        xc_log_set_level(msg->level);
        return true;
    case XC_MSG_SOURCE:
        return take_source(worker, msg);
    case XC_MSG_FORGET:
        return g_hash_table_remove(worker->sources, GUINT_TO_POINTER(msg->source));
    case XC_MSG_POLL:
        return take_poll(worker, msg);
    case XC_MSG_START:
        return take_start(worker, msg);
    case XC_MSG_CANCEL:
        xc_wops_cancel(worker->ops, &msg->op);
        return true;
    case XC_MSG_PING:
        xc_worker_send(worker, &(struct xc_msg){.kind = XC_MSG_PONG, .serial = msg->serial});
        return true;
    default:
        return false;
    }
}

static bool take_all(struct xc_worker *worker, struct xc_frames *frames)
{
    const uint8_t *body;
    uint32_t kind;
    size_t length;
    int r;

    while ((r = xc_frames_next(frames, &kind, &body, &length)) == 1) {
        struct xc_msg msg;
        bool ok = xc_msg_read(&msg, XC_FROM_FRONT, kind, body, length) && take(worker, &msg);

        xc_msg_clear(&msg);
        if (!ok) {
            xc_log(XC_LOG_ERROR, "the front sent an illegal %s message; ending", xc_msg_name(kind));
            return false;
        }
    }
    if (r < 0)
        xc_log(XC_LOG_ERROR, "the front sent a message of illegal length; ending");
    return r == 0;
}

/* Until the front hangs up. */
static int serve(struct xc_worker *worker)
{
    struct pollfd p = {.fd = worker->fd, .events = POLLIN};
    struct xc_frames frames = {0};
    int status = EXIT_SUCCESS;

    xc_worker_send(worker, &(struct xc_msg){.kind = XC_MSG_HELLO,
                                            .hash = xc_dictionary_hash(),
                                            .version = XC_PROTOCOL_VERSION});
    for (;;) {
        int r = xc_frames_fill(&frames, worker->fd);

        if (!take_all(worker, &frames)) {
            status = EXIT_BREACH;
            break;
        }
        if (r < 0)
            break;
        if (r == 0)
            poll(&p, 1, -1);
    }
    xc_frames_clear(&frames);
    return status;
}

/* --- begin and end */

/* Secrets live here: no core file, no reading of memory by others of the same user. The end of the
 * front is seen as end of file; the signal is for a main thread that can't look. */
static void harden(int fd)
{
    const struct rlimit none = {0, 0};
    struct rlimit files;

    setrlimit(RLIMIT_CORE, &none);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = MIN(files.rlim_max, MAX_FILES);
        setrlimit(RLIMIT_NOFILE, &files);
    }
    prctl(PR_SET_DUMPABLE, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, NAME);
    g_set_prgname(NAME);
    signal(SIGPIPE, SIG_IGN);
    /* From a terminal these reach the whole group, and the front decides what they mean. */
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    /* One heap per thread would cost more than the waiting for a lock. */
    mallopt(M_ARENA_MAX, 2);
}

/* Polls are cancelled and sessions closed. Operations are not cancelled: they go on at the host and
 * are taken up again by the next worker, so for them this is the same as being killed. */
static void leave(struct xc_worker *worker)
{
    gint64 until = g_get_monotonic_time() + LEAVE_USEC;

    g_hash_table_remove_all(worker->sources);
    g_mutex_lock(&worker->session_lock);
    while (worker->sessions > 0)
        if (!g_cond_wait_until(&worker->session_ended, &worker->session_lock, until))
            break;
    g_mutex_unlock(&worker->session_lock);
}

int xc_worker_main(int fd)
{
    /* On the heap and never freed: threads that do not end in time still look at it. */
    struct xc_worker *worker = g_new0(struct xc_worker, 1);
    int status;

    harden(fd);
    worker->fd = fd;
    g_mutex_init(&worker->send_lock);
    g_mutex_init(&worker->session_lock);
    g_cond_init(&worker->session_ended);
    worker->sources = g_hash_table_new_full(NULL, NULL, NULL, stop_source);
    worker->ops = xc_wops_new(worker);
    worker->env.memory = xc_memory_new();
    status = serve(worker);
    leave(worker);
    /* exit() would run destructors under the feet of threads that still run. */
    _exit(status);
}
