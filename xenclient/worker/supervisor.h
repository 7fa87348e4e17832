/* Starts, feeds, watches and replaces workers. Lives in the front, on its main loop; nothing here blocks.
 *
 * A source is given to the worker with the fewest sources; workers are started as needed, about
 * one per 64 sources, 1 to 16. A worker that ends, breaks the protocol, does not answer a PING in
 * time or outgrows its memory limit is killed and replaced within a second, its sources are configured
 * again, each open poll fails with cause `worker`, and each running operation is sent again with attach.
 * One that dies again within 5 s waits 0.1 s, doubled each time up to 5 s. A source that was busy in two such
 * deaths without an answer in between goes into quarantine: a worker apart (at most 4 of these), where polls begin
 * one at a time; ten answers bring it back. */
#pragma once

#include "xenclient/drivers/driver.h"
#include "xenclient/model/scan.h"

struct xc_supervisor;

/* Callbacks, all on the main loop and never from inside a call of this interface. They may call everything here but
 * xc_supervisor_free(). `report` is handed over (never NULL); error is borrowed. Any may be NULL. */
struct xc_supervisor_events {
    void (*polled)(uint32_t source, struct xc_report *report, gint64 took_usec, uint32_t reconnects,
                   void *data);
    void (*poll_failed)(uint32_t source, const GError *error, void *data);
    void (*changed)(uint32_t source, void *data);
    void (*progress)(const struct xc_uuid *op, const char *phase, int progress, void *data);
    void (*outcome)(const struct xc_uuid *op, const struct xc_outcome *outcome, void *data);
    /* Of a discovery that goes on; the find is borrowed and whole. */
    void (*found)(const struct xc_uuid *op, const struct xc_find *find, void *data);
    /* A worker was lost and replaced; for the counters. */
    void (*worker_lost)(const char *why, void *data);
};

struct xc_supervisor_limits {
    unsigned sources_per_worker; /* 64 */
    unsigned max_workers;        /* 16 */
    unsigned rss_mib;            /* 512; 0 = no limit */
    unsigned ping_sec;           /* 2: a worker silent for 3 of them is killed */
    /* NULL: /proc/self/exe. Called with `--worker FD`; must outlive the supervisor. */
    const char *worker_exe;
};

/* The main loop is that of the thread-default context at this moment. env and limits are copied; of limits, 0 means
 * the value above (rss_mib: no limit). */
struct xc_supervisor *xc_supervisor_new(const struct xc_driver_env *env,
                                        const struct xc_supervisor_limits *limits,
                                        const struct xc_supervisor_events *events, void *data);
/* Ends the workers (they are hung up on, and killed after a second; this waits for it). No callback follows.
 * Operations go on at their hosts. Returns NULL; takes NULL. */
void *xc_supervisor_free(struct xc_supervisor *supervisor);

/* id: chosen by the caller, unique among the present sources, not 0. Again with the same id: replaced; an open poll
 * then begins anew, its operations go on. */
void xc_supervisor_add(struct xc_supervisor *s, uint32_t id, const struct xc_source_spec *spec);
void xc_supervisor_remove(struct xc_supervisor *s, uint32_t id);
/* Exactly one of polled / poll_failed follows, unless the source is removed, also when the driver hangs past its budget (timedOut after
 * budget + 2 s; a source thread that stays stuck for 30 s more has its worker replaced). A second poll of a
 * source while one is open, or of an unknown source, is ignored: false. news: a report of news will do, which is of what
 * changed since the last one that `polled` was given; not after a poll that failed. */
bool xc_supervisor_poll(struct xc_supervisor *s, uint32_t id, gint64 budget_usec, bool news);
/* Exactly one outcome follows, unless the source is removed: LOST when the worker died of it five times or the
 * driver is silent 30 s after the order's time. The order is copied; one whose op is open is ignored. */
void xc_supervisor_start(struct xc_supervisor *s, uint32_t id, const struct xc_order *order);
/* An operation that was not handed to a driver yet ends CANCELLED; else the driver decides. */
void xc_supervisor_cancel(struct xc_supervisor *s, const struct xc_uuid *uuid);
/* The level of this process's log has changed: the workers follow. */
void xc_supervisor_tell_log_level(struct xc_supervisor *s);
/* Processes that live now. */
unsigned xc_supervisor_workers(const struct xc_supervisor *s);
