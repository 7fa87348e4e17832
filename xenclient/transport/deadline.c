/* One budget of time per call: the only place of the transports and drivers that waits. */
#include "xenclient/transport/deadline.h"

#include "xenclient/util/clock.h"
#include "xenclient/util/error.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* wake[1] is -1 in every initialised call and 0 in a zeroed one, whose wake[0] is no descriptor. */
static int wake_fd(const struct xc_call *call)
{
    return call->wake[1] == -1 ? call->wake[0] : -1;
}

bool xc_call_init(struct xc_call *call, gint64 budget_usec, GError **error)
{
    memset(call, 0, sizeof *call);
    call->wake[1] = -1;
    call->wake[0] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (call->wake[0] < 0)
        return xc_fail(error, XC_CAUSE_LIMIT, "no event descriptor: %s", g_strerror(errno));
    xc_call_restart(call, budget_usec);
    return true;
}

void xc_call_deinit(struct xc_call *call)
{
    int fd = wake_fd(call);

    if (fd >= 0)
        close(fd);
    call->wake[0] = call->wake[1] = -1;
}

void xc_call_cancel(struct xc_call *call)
{
    uint64_t one = 1;
    int fd = wake_fd(call);

    atomic_store(&call->cancelled, 1);
    /* The counter can't overflow in practice, and a full one is readable anyway. */
    if (fd >= 0 && write(fd, &one, sizeof one) < 0)
        return;
}

void xc_call_restart(struct xc_call *call, gint64 budget_usec)
{
    gint64 now = xc_clock_mono();

    call->deadline = budget_usec > G_MAXINT64 - now ? G_MAXINT64 : now + MAX(budget_usec, 0);
}

gint64 xc_call_left(const struct xc_call *call)
{
    return MAX(call->deadline - xc_clock_mono(), 0);
}

bool xc_call_check(const struct xc_call *call, const char *what, GError **error)
{
    if (atomic_load(&call->cancelled))
        return xc_fail(error, XC_CAUSE_CANCELLED, "%s: cancelled", what);
    if (xc_call_left(call) == 0)
        return xc_fail(error, XC_CAUSE_TIMED_OUT, "%s: not done within the time allowed", what);
    return true;
}

/* Rounded up, so that a wait never ends a moment too early and spins. */
static int poll_msec(gint64 usec)
{
    return (int)MIN((usec + 999) / 1000, G_MAXINT);
}

bool xc_call_wait(struct xc_call *call, int fd, short events, gint64 max_usec, const char *what,
                  GError **error)
{
    struct pollfd fds[2] = {{.fd = fd, .events = events}, {.fd = wake_fd(call), .events = POLLIN}};
    gint64 until = max_usec < 0 ? G_MAXINT64 : xc_clock_mono() + max_usec;

    for (;;) {
        gint64 left = xc_call_left(call), pause = until - xc_clock_mono();
        int r;

        if (!xc_call_check(call, what, error))
            return false;
        r = poll(fds, 2, poll_msec(MAX(MIN(left, pause), 0)));
        if (r < 0 && errno != EINTR)
            return xc_fail(error, XC_CAUSE_INTERNAL, "%s: poll: %s", what, g_strerror(errno));
        if (r > 0 && (fds[0].revents & POLLNVAL))
            return xc_fail(error, XC_CAUSE_INTERNAL, "%s: descriptor is not open", what);
        if (r > 0 && fds[0].revents && !atomic_load(&call->cancelled))
            return true;
        if (xc_clock_mono() >= until)
            return xc_call_check(call, what, error);
    }
}
