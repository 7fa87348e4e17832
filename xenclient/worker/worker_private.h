/* The parts of a worker process: worker.c reads the front's messages on the main thread,
 * worker_source.c polls one source per thread, worker_op.c runs one operation per thread. */
#pragma once

#include "xenclient/worker/protocol.h"

struct xc_worker;
struct xc_wsource;

/* --- worker.c, any thread */

/* Sends one message; waits while the front is slow, ends the process when it stays so. False: the
 * front is gone. */
bool xc_worker_send(struct xc_worker *worker, const struct xc_msg *msg);
const struct xc_driver_env *xc_worker_env(const struct xc_worker *worker);
/* Starts a detached thread with a small stack. */
bool xc_worker_thread(void *(*run)(void *), void *data, GError **error);
/* A connection was opened (1) or closed (-1): the end of the process waits a little for the last. */
void xc_worker_count_session(struct xc_worker *worker, int change);
/* Descriptors that sources with a thread may need, after the change. */
int xc_worker_claim_files(struct xc_worker *worker, int change);

/* --- worker_source.c, main thread */

/* Starts the thread of a source. Never fails: one that has no thread answers every poll with the
 * reason. */
struct xc_wsource *xc_wsource_new(struct xc_worker *worker, uint32_t id,
                                  const struct xc_source_spec *spec);
/* Cancels a running poll and lets the thread end by itself; what it may still say has an old serial. */
void xc_wsource_stop(struct xc_wsource *source);
/* news: as struct xc_report has it, of the report that was sent last. */
void xc_wsource_poll(struct xc_wsource *source, uint32_t serial, gint64 budget_usec, bool news);
/* It has no thread and answers every poll with the reason. */
bool xc_wsource_is_broken(const struct xc_wsource *source);
const struct xc_source_spec *xc_wsource_spec(const struct xc_wsource *source);

/* --- worker_op.c, main thread */

/* The operations that run in this process. */
struct xc_wops *xc_wops_new(struct xc_worker *worker);
/* Always ends with one OUTCOME, but for an operation that already runs here: that one is left
 * alone. */
void xc_wops_start(struct xc_wops *ops, const struct xc_source_spec *spec,
                   const struct xc_order *order);
void xc_wops_cancel(struct xc_wops *ops, const struct xc_uuid *op);
