/* One budget of time per call, passed down through every layer, and a way to end it early.
 * A call belongs to one thread; only xc_call_cancel() may come from another. */
#pragma once

#include <glib.h>
#include <stdatomic.h>
#include <stdbool.h>

struct xc_call {
    gint64 deadline;       /* xc_clock_mono() at which the call has failed */
    _Atomic int cancelled; /* 1: end as soon as possible */
    int wake[2]; /* eventfd in wake[0] (wake[1] unused, -1): readable once cancelled; -1: none */
};

/* A budget from now. wake is created; deinit closes it. */
bool xc_call_init(struct xc_call *call, gint64 budget_usec, GError **error);
void xc_call_deinit(struct xc_call *call); /* takes a zeroed or deinit'ed call */
/* Any thread, any number of times, while the call is initialised. */
void xc_call_cancel(struct xc_call *call);

/* Starts a new budget on the same call (between the polls of one source). */
void xc_call_restart(struct xc_call *call, gint64 budget_usec);

/* Microseconds left, never negative. */
gint64 xc_call_left(const struct xc_call *call);
/* False with timedOut or cancelled when the call must end. `what` names the step for the text. */
bool xc_call_check(const struct xc_call *call, const char *what, GError **error);
/* Waits until fd has one of `events` (POLLIN, POLLOUT), the deadline passes or the call is
 * cancelled. fd -1: waits `at most` only (a sleep that can be cancelled; true after it). max_usec <
 * 0: no bound but the deadline. */
bool xc_call_wait(struct xc_call *call, int fd, short events, gint64 max_usec, const char *what,
                  GError **error);
