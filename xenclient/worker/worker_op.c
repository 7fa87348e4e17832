/* Operations in a worker: one thread each, found by the operation's uuid, cancelled from the main
 * thread. */
#include "xenclient/drivers/scan.h"
#include "xenclient/util/log.h"
#include "xenclient/worker/worker_private.h"

#include <string.h>

/* More than the front ever asks of one worker; each costs a thread and a session. */
#define MAX_RUNNING 256
/* Progress within one phase is told no oftener. */
#define PROGRESS_USEC (100 * 1000)

struct xc_wops {
    struct xc_worker *worker;
    GMutex lock;
    GHashTable *running; /* struct xc_uuid -> struct running, under lock */
};

struct running {
    struct xc_wops *ops;
    const struct xc_driver_ops *driver;
    struct xc_source_spec spec;
    struct xc_order order; /* its op is the key */
    struct xc_call call;
    char *phase; /* last told */
    int progress;
    gint64 told_mono;
};

static void free_running(struct running *r)
{
    xc_source_spec_clear(&r->spec);
    xc_order_clear(&r->order);
    xc_call_deinit(&r->call);
    g_free(r->phase);
    g_free(r);
}

static void send_outcome(struct xc_worker *worker, const struct xc_uuid *op,
                         const struct xc_outcome *outcome)
{
    xc_worker_send(worker, &(struct xc_msg){.kind = XC_MSG_OUTCOME,
                                            .op = *op,
                                            .result = outcome->result,
                                            .cause = outcome->cause,
                                            .text = outcome->text});
}

/* --- the thread */

static void tell_progress(const char *phase, int progress, void *data)
{
    struct running *r = data;
    bool same_phase = g_strcmp0(phase, r->phase) == 0;
    gint64 now = xc_clock_mono();

    if (same_phase && (progress == r->progress || now - r->told_mono < PROGRESS_USEC))
        return;
    if (!same_phase) {
        g_free(r->phase);
        r->phase = g_strdup(phase);
    }
    r->progress = progress;
    r->told_mono = now;
    xc_worker_send(r->ops->worker, &(struct xc_msg){.kind = XC_MSG_PROGRESS,
                                                    .op = r->order.op,
                                                    .text = r->phase,
                                                    .progress = progress});
}

static void tell_found(const struct xc_find *find, void *data)
{
    const struct running *r = data;

    xc_worker_send(r->ops->worker,
                   &(struct xc_msg){.kind = XC_MSG_FOUND, .op = r->order.op, .find = *find});
}

static bool is_scan(const struct running *r)
{
    return r->order.action == XC_ACTION_DISCOVER;
}

static void *run(void *data)
{
    struct running *r = data;
    struct xc_wops *ops = r->ops;
    struct xc_outcome outcome = {.result = XC_RESULT_NONE, .cause = XC_CAUSE_NONE};

    if (is_scan(r))
        xc_scan_run(xc_worker_env(ops->worker), &r->order, &r->call, tell_progress, tell_found, r,
                    &outcome);
    else
        r->driver->run(&r->spec, xc_worker_env(ops->worker), &r->order, &r->call, tell_progress, r,
                       &outcome);
    if (!xc_enum_has(&xc_result_labels, (int)outcome.result) || outcome.result == XC_RESULT_NONE ||
        !xc_enum_has(&xc_cause_labels, (int)outcome.cause))
        xc_outcome_set(&outcome, XC_RESULT_LOST, XC_CAUSE_INTERNAL,
                       "the driver ended without telling a result");
    g_mutex_lock(&ops->lock);
    g_hash_table_remove(ops->running, &r->order.op);
    g_mutex_unlock(&ops->lock);
    send_outcome(ops->worker, &r->order.op, &outcome);
    xc_outcome_clear(&outcome);
    free_running(r);
    return NULL;
}

/* --- the main thread's side */

struct xc_wops *xc_wops_new(struct xc_worker *worker)
{
    struct xc_wops *ops = g_new0(struct xc_wops, 1);

    ops->worker = worker;
    g_mutex_init(&ops->lock);
    ops->running = g_hash_table_new(xc_uuid_hash, xc_uuid_equal);
    return ops;
}

static bool set_up(struct running *r, GError **error)
{
    /* A discovery is of no source, and so of no driver. */
    r->driver = is_scan(r) ? NULL : xc_driver_ops(xc_driver_for(r->spec.uri, error));
    return (r->driver || is_scan(r)) && xc_call_init(&r->call, r->order.timeout_usec, error);
}

/* Puts it into the table. False: it runs already (*error NULL) or there are too many. */
static bool enter(struct xc_wops *ops, struct running *r, GError **error)
{
    bool known;
    bool full;

    g_mutex_lock(&ops->lock);
    known = g_hash_table_contains(ops->running, &r->order.op);
    full = g_hash_table_size(ops->running) >= MAX_RUNNING;
    if (!known && !full)
        g_hash_table_insert(ops->running, &r->order.op, r);
    g_mutex_unlock(&ops->lock);
    if (known)
        return false;
    return !full || xc_fail(error, XC_CAUSE_LIMIT, "%d operations run in this worker", MAX_RUNNING);
}

static void forget(struct xc_wops *ops, const struct running *r)
{
    g_mutex_lock(&ops->lock);
    g_hash_table_remove(ops->running, &r->order.op);
    g_mutex_unlock(&ops->lock);
}

static bool begin(struct xc_wops *ops, struct running *r, GError **error)
{
    if (!set_up(r, error) || !enter(ops, r, error))
        return false;
    if (xc_worker_thread(run, r, error))
        return true;
    forget(ops, r);
    return false;
}

void xc_wops_start(struct xc_wops *ops, const struct xc_source_spec *spec,
                   const struct xc_order *order)
{
    struct running *r = g_new0(struct running, 1);
    g_autoptr(GError) error = NULL;

    r->ops = ops;
    r->progress = -1;
    xc_source_spec_copy(&r->spec, spec);
    xc_order_copy(&r->order, order);
    if (begin(ops, r, &error))
        return;
    if (error) {
        struct xc_outcome outcome = {0};

        xc_outcome_from_error(&outcome, error);
        send_outcome(ops->worker, &order->op, &outcome);
        xc_outcome_clear(&outcome);
    }
    free_running(r);
}

void xc_wops_cancel(struct xc_wops *ops, const struct xc_uuid *op)
{
    struct running *r;

    g_mutex_lock(&ops->lock);
    r = g_hash_table_lookup(ops->running, op);
    if (r)
        xc_call_cancel(&r->call);
    g_mutex_unlock(&ops->lock);
}
