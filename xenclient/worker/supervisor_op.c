/* Operations in the front: sent once, sent again with attach after a worker's death, ended exactly
 * once. */
#include "xenclient/worker/supervisor_private.h"

#include "xenclient/util/log.h"

#include <string.h>

/* A driver that obeys its order's time has told an outcome by then. */
#define GRACE_USEC (30 * XC_USEC_PER_SEC)
/* What an attach gets at least: finding out takes time even when the order's is over. */
#define ATTACH_USEC (10 * XC_USEC_PER_SEC)
#define MAX_DEATHS  5

GHashTable *xc_sop_table(void)
{
    return g_hash_table_new_full(xc_uuid_hash, xc_uuid_equal, NULL, xc_sop_free);
}

void xc_sop_free(void *data)
{
    struct xc_sop *op = data;

    xc_order_clear(&op->order);
    g_free(op);
}

/* Takes it from the table and calls back. */
static void finish(struct xc_supervisor *s, struct xc_sop *op, const struct xc_outcome *outcome)
{
    g_hash_table_steal(s->ops, &op->order.op);
    if (s->events.outcome)
        s->events.outcome(&op->order.op, outcome, s->data);
    xc_sop_free(op);
}

static void finish_with(struct xc_supervisor *s, struct xc_sop *op, enum xc_result result,
                        enum xc_cause cause, const char *text)
{
    struct xc_outcome outcome = {0};

    xc_outcome_set(&outcome, result, cause, "%s", text);
    finish(s, op, &outcome);
    xc_outcome_clear(&outcome);
}

/* --- to the worker */

static void send_cancel(const struct xc_ssource *source, const struct xc_sop *op)
{
    xc_child_send(source->crew->child, &(struct xc_msg){.kind = XC_MSG_CANCEL, .op = op->order.op});
}

static void send_op(const struct xc_ssource *source, struct xc_sop *op)
{
    gint64 left = op->deadline - xc_clock_mono();

    if (op->sent || !xc_child_is_ready(source->crew->child))
        return;
    /* Not begun anywhere: the tick ends it. */
    if (op->cancelled && !op->order.attach)
        return;
    op->order.timeout_usec = op->order.attach ? MAX(left, ATTACH_USEC) : MAX(left, 0);
    op->sent = true;
    xc_child_send(source->crew->child,
                  &(struct xc_msg){.kind = XC_MSG_START, .source = source->id, .order = op->order});
    if (op->cancelled)
        send_cancel(source, op);
}

void xc_sop_send_all(struct xc_supervisor *s, struct xc_ssource *source)
{
    struct xc_sop *op;
    GHashTableIter iter;

    g_hash_table_iter_init(&iter, s->ops);
    while (g_hash_table_iter_next(&iter, NULL, (void **)&op))
        if (op->source == source->id)
            send_op(source, op);
}

void xc_sop_detach_all(struct xc_supervisor *s, uint32_t source)
{
    struct xc_sop *op;
    GHashTableIter iter;

    g_hash_table_iter_init(&iter, s->ops);
    while (g_hash_table_iter_next(&iter, NULL, (void **)&op))
        if (op->source == source && op->sent) {
            op->sent = false;
            op->order.attach = true;
        }
}

bool xc_sop_any(const struct xc_supervisor *s, uint32_t source)
{
    const struct xc_sop *op;
    GHashTableIter iter;

    g_hash_table_iter_init(&iter, s->ops);
    while (g_hash_table_iter_next(&iter, NULL, (void **)&op))
        if (op->source == source)
            return true;
    return false;
}

static gboolean is_of_source(gpointer key, gpointer op, gpointer source)
{
    (void)key;
    return ((const struct xc_sop *)op)->source == GPOINTER_TO_UINT(source);
}

void xc_sop_drop_all(struct xc_supervisor *s, uint32_t source)
{
    g_hash_table_foreach_remove(s->ops, is_of_source, GUINT_TO_POINTER(source));
}

/* --- from the worker */

bool xc_sop_message(struct xc_supervisor *s, const struct xc_crew *crew, const struct xc_msg *msg)
{
    struct xc_sop *op = g_hash_table_lookup(s->ops, &msg->op);
    const struct xc_ssource *source = op ? xc_ssource_find(s, op->source) : NULL;
    struct xc_outcome outcome = {msg->result, msg->cause, msg->text};

    /* Of one that is over for us, or that another worker has by now. */
    if (!source || source->crew != crew || !op->sent)
        return true;
    if (msg->kind == XC_MSG_OUTCOME)
        finish(s, op, &outcome);
    else if (msg->kind == XC_MSG_FOUND && s->events.found)
        s->events.found(&msg->op, &msg->find, s->data);
    else if (msg->kind == XC_MSG_PROGRESS && s->events.progress)
        s->events.progress(&msg->op, msg->text, msg->progress, s->data);
    return true;
}

/* --- deaths and deadlines */

/* The operations that `test` picks, by uuid: callbacks may change the table. */
static GArray *pick(const struct xc_supervisor *s,
                    bool (*test)(const struct xc_supervisor *, const struct xc_sop *, const void *),
                    const void *data)
{
    GArray *uuids = g_array_new(FALSE, FALSE, sizeof(struct xc_uuid));
    const struct xc_sop *op;
    GHashTableIter iter;

    g_hash_table_iter_init(&iter, s->ops);
    while (g_hash_table_iter_next(&iter, NULL, (void **)&op))
        if (test(s, op, data))
            g_array_append_val(uuids, op->order.op);
    return uuids;
}

static struct xc_sop *picked(const struct xc_supervisor *s, const GArray *uuids, guint i)
{
    return g_hash_table_lookup(s->ops, &g_array_index(uuids, struct xc_uuid, i));
}

static bool was_run_by(const struct xc_supervisor *s, const struct xc_sop *op, const void *crew)
{
    const struct xc_ssource *source = xc_ssource_find(s, op->source);

    return op->sent && source && source->crew == crew;
}

void xc_sop_lost(struct xc_supervisor *s, struct xc_crew *crew, bool blame)
{
    g_autoptr(GArray) uuids = pick(s, was_run_by, crew);

    for (guint i = 0; i < uuids->len; i++) {
        struct xc_sop *op = picked(s, uuids, i);
        struct xc_ssource *source = xc_ssource_find(s, op->source);

        op->sent = false;
        op->order.attach = true;
        if (!blame)
            continue;
        source->suspect = true;
        /* Polls in between clear the source; its operation they do not. */
        source->blamed = MAX(source->blamed, op->deaths);
        op->deaths++;
    }
    for (guint i = 0; i < uuids->len; i++) {
        struct xc_sop *op = picked(s, uuids, i);

        if (op && op->deaths >= MAX_DEATHS)
            finish_with(s, op, XC_RESULT_LOST, XC_CAUSE_WORKER,
                        "the worker process ended each time it took up this operation; look at "
                        "the target's state and the log");
    }
}

static bool is_over(const struct xc_supervisor *s, const struct xc_sop *op, const void *now)
{
    return !xc_ssource_find(s, op->source) || *(const gint64 *)now > op->deadline + GRACE_USEC ||
           (op->cancelled && !op->sent && !op->order.attach);
}

static void end(struct xc_supervisor *s, struct xc_sop *op)
{
    const struct xc_ssource *source = xc_ssource_find(s, op->source);

    if (!source) {
        finish_with(s, op, XC_RESULT_FAILED, XC_CAUSE_NO_SUCH_TARGET,
                    "its source is not registered");
    } else if (op->cancelled && !op->sent && !op->order.attach) {
        finish_with(s, op, XC_RESULT_CANCELLED, XC_CAUSE_CANCELLED,
                    "cancelled before it was begun");
    } else if (!op->sent && !op->order.attach) {
        finish_with(s, op, XC_RESULT_FAILED, XC_CAUSE_WORKER,
                    "no worker process was ready in time");
    } else {
        send_cancel(source, op);
        finish_with(s, op, XC_RESULT_LOST, XC_CAUSE_TIMED_OUT,
                    "the driver did not tell an outcome in time; look at the target's state");
    }
}

void xc_sop_tick(struct xc_supervisor *s, gint64 now)
{
    g_autoptr(GArray) uuids = pick(s, is_over, &now);

    for (guint i = 0; i < uuids->len; i++) {
        struct xc_sop *op = picked(s, uuids, i);

        /* A callback of one before may have dropped it, or begun another of that name. */
        if (op && is_over(s, op, &now))
            end(s, op);
    }
}

/* --- interface */

void xc_supervisor_start(struct xc_supervisor *s, uint32_t id, const struct xc_order *order)
{
    struct xc_ssource *source = xc_ssource_find(s, id);
    struct xc_sop *op;

    if (g_hash_table_contains(s->ops, &order->op)) {
        xc_log(XC_LOG_DEBUG, "an operation was started a second time; ignored");
        return;
    }
    op = g_new0(struct xc_sop, 1);
    xc_order_copy(&op->order, order);
    op->source = id;
    op->deadline = xc_clock_mono() + CLAMP(order->timeout_usec, 0, XC_ORDER_TIMEOUT_MAX);
    g_hash_table_insert(s->ops, &op->order.op, op);
    if (source)
        send_op(source, op);
}

void xc_supervisor_cancel(struct xc_supervisor *s, const struct xc_uuid *uuid)
{
    struct xc_sop *op = g_hash_table_lookup(s->ops, uuid);
    const struct xc_ssource *source = op ? xc_ssource_find(s, op->source) : NULL;

    if (!op)
        return;
    op->cancelled = true;
    if (op->sent && source)
        send_cancel(source, op);
}
