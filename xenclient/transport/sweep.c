/* Which TCP ports of many addresses are open. */
#include "xenclient/transport/sweep.h"

#include "xenclient/util/clock.h"
#include "xenclient/util/error.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_OPEN      256
#define PROGRESS_USEC (100 * 1000)
/* After this machine had no descriptor or port to spare. */
#define RETRY_USEC (20 * 1000)
/* A pause of the sweeping thread is made up for by at most so many connections at once: this part of a second's. */
#define BURST_PART 50

/* A connection that is being made. */
struct attempt {
    int fd; /* -1: none */
    size_t number;
    gint64 until;
};

struct sweeping {
    const struct xc_sweep *sweep;
    int epoll;
    struct attempt attempts[MAX_OPEN];
    unsigned n_open;
    size_t next, done, total;
    gint64 due; /* when the next connection may begin */
    gint64 told;
};

/* --- one connection */

static socklen_t fill(const struct xc_address *address, unsigned port, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof(*out));
    if (address->length == 4) {
        struct sockaddr_in *in = (struct sockaddr_in *)out;

        in->sin_family = AF_INET;
        in->sin_port = htons((uint16_t)port);
        memcpy(&in->sin_addr, address->octets, 4);
        return sizeof(*in);
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;

    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons((uint16_t)port);
    memcpy(&in6->sin6_addr, address->octets, 16);
    return sizeof(*in6);
}

static void settle(struct sweeping *s, size_t number, bool open)
{
    const struct xc_sweep *sweep = s->sweep;

    s->done++;
    if (open)
        sweep->open(&sweep->addresses[number / sweep->n_ports], number % sweep->n_ports,
                    sweep->data);
}

static void end(struct sweeping *s, struct attempt *attempt, bool open)
{
    close(attempt->fd); /* leaves the epoll set too */
    attempt->fd = -1;
    s->n_open--;
    settle(s, attempt->number, open);
}

static bool watch(struct sweeping *s, int fd, size_t number)
{
    struct epoll_event event = {.events = EPOLLOUT};

    for (unsigned i = 0; i < MAX_OPEN; i++) {
        if (s->attempts[i].fd >= 0)
            continue;
        event.data.u32 = i;
        if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
            return false;
        s->attempts[i] = (struct attempt){fd, number, xc_clock_mono() + s->sweep->timeout_usec};
        s->n_open++;
        return true;
    }
    return false;
}

/* A lack of this machine, not of the other: worth another try. */
static bool is_lack(int why)
{
    return why == EMFILE || why == ENFILE || why == ENOBUFS || why == ENOMEM || why == EAGAIN;
}

/* False: nothing can be begun now. */
static bool begin(struct sweeping *s, size_t number)
{
    const struct xc_sweep *sweep = s->sweep;
    const struct xc_address *address = &sweep->addresses[number / sweep->n_ports];
    struct sockaddr_storage to;
    socklen_t length = fill(address, sweep->ports[number % sweep->n_ports], &to);
    int fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int r = fd < 0 ? -1 : connect(fd, (const struct sockaddr *)&to, length);
    bool pending = r < 0 && errno == EINPROGRESS;
    bool lack = r < 0 && !pending && is_lack(errno);

    if (pending && watch(s, fd, number))
        return true;
    if (fd >= 0)
        close(fd);
    if (lack || pending)
        return false;
    settle(s, number, r == 0);
    return true;
}

/* --- many */

static void begin_some(struct sweeping *s, gint64 now)
{
    const gint64 step = XC_USEC_PER_SEC / s->sweep->rate;

    s->due = MAX(s->due, now - XC_USEC_PER_SEC / BURST_PART);
    while (s->next < s->total && s->n_open < MAX_OPEN && s->due <= now) {
        if (!begin(s, s->next)) {
            s->due = now + RETRY_USEC;
            return;
        }
        s->next++;
        s->due += MAX(step, 1);
    }
}

static void take(struct sweeping *s)
{
    struct epoll_event events[64];
    int n = epoll_wait(s->epoll, events, G_N_ELEMENTS(events), 0);

    for (int i = 0; i < n; i++) {
        struct attempt *attempt = &s->attempts[events[i].data.u32];
        int why = ECONNREFUSED;
        socklen_t length = sizeof(why);

        getsockopt(attempt->fd, SOL_SOCKET, SO_ERROR, &why, &length);
        end(s, attempt, why == 0);
    }
}

/* When the first connection is given up. */
static gint64 expire(struct sweeping *s, gint64 now)
{
    gint64 first = now + PROGRESS_USEC;

    for (unsigned i = 0; i < MAX_OPEN; i++) {
        if (s->attempts[i].fd >= 0 && s->attempts[i].until <= now)
            end(s, &s->attempts[i], false);
        else if (s->attempts[i].fd >= 0)
            first = MIN(first, s->attempts[i].until);
    }
    return first;
}

static void tell(struct sweeping *s, gint64 now)
{
    if (!s->sweep->progress || (now - s->told < PROGRESS_USEC && s->done < s->total))
        return;
    s->told = now;
    s->sweep->progress(s->done, s->total, s->sweep->data);
}

static bool run(struct sweeping *s, struct xc_call *call, GError **error)
{
    while (s->done < s->total) {
        gint64 now = xc_clock_mono();
        gint64 until = expire(s, now);

        begin_some(s, now);
        tell(s, now);
        if (s->next < s->total && s->n_open < MAX_OPEN)
            until = MIN(until, s->due);
        if (s->done < s->total &&
            !xc_call_wait(call, s->epoll, POLLIN, MAX(until - now, 0), "discovery", error))
            return false;
        take(s);
    }
    tell(s, xc_clock_mono());
    return true;
}

bool xc_sweep_run(const struct xc_sweep *sweep, struct xc_call *call, GError **error)
{
    g_autofree struct sweeping *s = g_new0(struct sweeping, 1);
    bool ok;

    s->sweep = sweep;
    s->total = sweep->n_addresses * sweep->n_ports;
    s->due = xc_clock_mono();
    for (unsigned i = 0; i < MAX_OPEN; i++)
        s->attempts[i].fd = -1;
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (s->epoll < 0)
        return xc_fail(error, XC_CAUSE_LIMIT, "no descriptor for a discovery: %s",
                       g_strerror(errno));
    ok = run(s, call, error);
    for (unsigned i = 0; i < MAX_OPEN; i++)
        if (s->attempts[i].fd >= 0)
            close(s->attempts[i].fd);
    close(s->epoll);
    return ok;
}
