/* TCP connections. Name look-up blocks in libc, so it runs in a thread of its own that nobody has
 * to wait for: when the call ends first, the thread finishes alone and frees what it found. */
#include "xenclient/transport/dial.h"

#include "xenclient/util/clock.h"
#include "xenclient/util/error.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* A peer that acknowledges nothing for this long is gone. */
#define SILENT_MSEC   20000
#define KEEPALIVE_SEC 15

struct lookup {
    gatomicrefcount ref;
    char *host;
    char port[8];
    int done; /* eventfd: readable when rc and found are valid */
    int rc;
    struct addrinfo *found;
};

static void lookup_unref(struct lookup *lookup)
{
    if (!g_atomic_ref_count_dec(&lookup->ref))
        return;
    if (lookup->found)
        freeaddrinfo(lookup->found);
    close(lookup->done);
    g_free(lookup->host);
    g_free(lookup);
}

static int look_up(struct lookup *lookup, int flags)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};

    return getaddrinfo(lookup->host, lookup->port, &hints, &lookup->found);
}

static gpointer lookup_thread(gpointer data)
{
    struct lookup *lookup = data;
    uint64_t one = 1;

    lookup->rc = look_up(lookup, AI_ADDRCONFIG);
    if (write(lookup->done, &one, sizeof one) < 0)
        g_debug("event descriptor is full"); /* can't be: one write in its life */
    lookup_unref(lookup);
    return NULL;
}

/* False when the call ended before the answer came. */
static bool lookup_by_thread(struct lookup *lookup, struct xc_call *call, GError **error)
{
    g_autoptr(GError) local = NULL;
    GThread *thread;

    lookup->done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (lookup->done < 0)
        return xc_fail(error, XC_CAUSE_LIMIT, "no event descriptor: %s", g_strerror(errno));
    g_atomic_ref_count_inc(&lookup->ref);
    thread = g_thread_try_new("lookup", lookup_thread, lookup, &local);
    if (!thread) {
        lookup_unref(lookup);
        return xc_fail(error, XC_CAUSE_LIMIT, "%s", local->message);
    }
    g_thread_unref(thread);
    return xc_call_wait(call, lookup->done, POLLIN, -1, "looking up the host's name", error);
}

static struct lookup *lookup_run(const char *host, unsigned port, struct xc_call *call,
                                 GError **error)
{
    struct lookup *lookup = g_new0(struct lookup, 1);
    bool ok = true;

    g_atomic_ref_count_init(&lookup->ref);
    lookup->done = -1;
    lookup->host = g_strdup(host);
    g_snprintf(lookup->port, sizeof lookup->port, "%u", port);
    if (look_up(lookup, AI_NUMERICHOST) != 0) {
        ok = lookup_by_thread(lookup, call, error);
        if (ok && lookup->rc != 0)
            ok = xc_fail(error, XC_CAUSE_HOST_DOWN, "%s: %s; check the name and the resolver", host,
                         gai_strerror(lookup->rc));
    }
    if (ok)
        return lookup;
    lookup_unref(lookup);
    return NULL;
}

static void set_options(int fd)
{
    int on = 1, idle = KEEPALIVE_SEC, silent = SILENT_MSEC;

    /* Comforts: a kernel that refuses one still connects. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &idle, sizeof idle);
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &silent, sizeof silent);
}

static enum xc_cause cause_of(int why)
{
    return why == ECONNREFUSED || why == EHOSTUNREACH || why == ENETUNREACH || why == ETIMEDOUT ||
                   why == EHOSTDOWN || why == ECONNRESET
               ? XC_CAUSE_HOST_DOWN
               : XC_CAUSE_TRANSPORT;
}

/* Waits for the outcome of a connect() in progress. */
static bool connected(int fd, gint64 max_usec, struct xc_call *call, int *why_out, GError **error)
{
    socklen_t length = sizeof *why_out;
    struct pollfd ready = {.fd = fd, .events = POLLOUT};

    if (!xc_call_wait(call, fd, POLLOUT, max_usec, "connecting", error))
        return false;
    *why_out = ETIMEDOUT;
    if (poll(&ready, 1, 0) > 0)
        getsockopt(fd, SOL_SOCKET, SO_ERROR, why_out, &length);
    return true;
}

/* One address. The socket, or -1: *why says why; *error is set when the whole call must end. */
static int dial_one(const struct addrinfo *to, gint64 max_usec, struct xc_call *call, int *why_out,
                    GError **error)
{
    int fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    *why_out = 0;
    if (fd < 0) {
        *why_out = errno;
        return -1;
    }
    set_options(fd);
    if (connect(fd, to->ai_addr, to->ai_addrlen) < 0) {
        *why_out = errno;
        if (errno == EINPROGRESS && !connected(fd, max_usec, call, why_out, error))
            *why_out = ETIMEDOUT;
    }
    if (*why_out == 0)
        return fd;
    close(fd);
    return -1;
}

int xc_dial(const char *host, unsigned port, struct xc_call *call, GError **error)
{
    struct lookup *lookup = lookup_run(host, port, call, error);
    g_autoptr(GError) ended = NULL;
    unsigned left = 0;
    int fd = -1, why = ENOENT;

    if (!lookup)
        return -1;
    for (struct addrinfo *at = lookup->found; at; at = at->ai_next)
        left++;
    /* An address that swallows packets gets its share of the time, not all of it. */
    for (struct addrinfo *at = lookup->found; at && fd < 0 && !ended; at = at->ai_next, left--)
        fd = dial_one(at, left > 1 ? xc_call_left(call) / left : -1, call, &why, &ended);
    lookup_unref(lookup);
    if (fd < 0 && g_error_matches(ended, XC_ERROR, XC_CAUSE_TIMED_OUT))
        xc_fail(error, XC_CAUSE_HOST_DOWN, "%s port %u: no answer within the time allowed", host,
                port);
    else if (fd < 0 && ended)
        xc_fail(error, (enum xc_cause)ended->code, "%s port %u: %s", host, port, ended->message);
    else if (fd < 0)
        xc_fail(error, cause_of(why), "%s port %u: %s", host, port, g_strerror(why));
    return fd;
}
