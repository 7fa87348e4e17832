/* Starts, feeds, watches and replaces workers. Lives in the front, on its main loop; nothing here blocks.
 *
 * A source is given to the worker with the fewest sources; workers are started as needed, about
 * one per 64 sources, 1 to 16. A worker that ends, breaks the protocol, does not answer a PING in
 * time or outgrows its memory limit is killed and replaced within a second, its sources are configured
 * again, each open poll fails with cause `worker`, and each running operation is sent again with attach. */
#pragma once

#include "xenclient/drivers/driver.h"

struct xc_supervisor;

/* Callbacks, all on the main loop. `report` is handed over (never NULL); error is borrowed. */
struct xc_supervisor_events {
    void (*polled)(uint32_t source, struct xc_report *report, gint64 took_usec, uint32_t reconnects, void *data);
    void (*poll_failed)(uint32_t source, const GError *error, void *data);
    void (*changed)(uint32_t source, void *data);
    void (*progress)(const struct xc_uuid *op, const char *phase, int progress, void *data);
    void (*outcome)(const struct xc_uuid *op, const struct xc_outcome *outcome, void *data);
    /* A worker was lost and replaced; for the counters. */
    void (*worker_lost)(const char *why, void *data);
};

struct xc_supervisor_limits {
    unsigned sources_per_worker; /* 64 */
    unsigned max_workers;        /* 16 */
    unsigned rss_mib;            /* 512; 0 = no limit */
    unsigned ping_sec;           /* 2: a worker silent for 3 of them is killed */
};

struct xc_supervisor *xc_supervisor_new(const struct xc_driver_env *env,
                                        const struct xc_supervisor_limits *limits,
                                        const struct xc_supervisor_events *events, void *data);
/* Ends the workers (SIGTERM, then SIGKILL after a second). Returns NULL; takes NULL. */
void *xc_supervisor_free(struct xc_supervisor *supervisor);

/* id: chosen by the caller, unique among the present sources, not 0. Again with the same id: replaced. */
void xc_supervisor_add(struct xc_supervisor *s, uint32_t id, const struct xc_source_spec *spec);
void xc_supervisor_remove(struct xc_supervisor *s, uint32_t id);
/* Exactly one of polled / poll_failed follows, also when the driver hangs past its budget (timedOut after
 * budget + 2 s; a source thread that stays stuck for 30 s more has its worker replaced). A second poll of a
 * source while one is open is ignored: false. */
bool xc_supervisor_poll(struct xc_supervisor *s, uint32_t id, gint64 budget_usec);
/* Exactly one outcome follows, unless the source is removed. The order is copied. */
void xc_supervisor_start(struct xc_supervisor *s, uint32_t id, const struct xc_order *order);
void xc_supervisor_cancel(struct xc_supervisor *s, const struct xc_uuid *op);
unsigned xc_supervisor_workers(const struct xc_supervisor *s);
