/* The life of an execution: from step to step, to its end, its time-out or its cancellation. */
#include "tools/xen-farm/operation.h"

#include <string.h>

#define KIB_PER_GIB   (1024.0 * 1024.0)
#define PROGRESS_USEC (100 * 1000)

/* --- life of an operation */

void *farm_op_free(struct farm_op *op)
{
    if (!op)
        return NULL;
    if (op->guest)
        farm_guest_clear(op->guest);
    g_free(op->guest);
    g_free(op->name);
    g_free(op->trouble_text);
    g_free(op->where);
    xc_outcome_clear(&op->outcome);
    g_free(op);
    return NULL;
}

/* Gives back what a half-done operation holds. */
static void undo(struct farm_fleet *fleet, struct farm_op *op)
{
    struct farm_domain *domain = op->domain;

    if (!domain)
        return;
    if (op->incoming_domid) {
        g_ptr_array_remove(op->target->incoming, op);
        op->target->used_kib -= MIN(op->target->used_kib, domain->mem_kib);
        op->incoming_domid = 0;
        farm_changed(fleet, op->host);
        farm_changed(fleet, op->target);
    }
    if (domain->op != op)
        return;
    if (domain->state == XC_STATE_PREPARING && op->before == XC_STATE_SUSPENDED)
        farm_domain_suspend(fleet, domain);
    else if (domain->state == XC_STATE_SUSPENDING)
        farm_domain_set_state(fleet, domain, op->before, XC_REASON_NONE);
    else if (domain->state == XC_STATE_PREPARING)
        farm_domain_release(fleet, domain, XC_REASON_NONE);
    else if (domain->state == XC_STATE_SHUTTING_DOWN)
        farm_domain_set_state(fleet, domain, XC_STATE_RUNNING, XC_REASON_NONE);
}

static void forget_oldest(struct farm_fleet *fleet)
{
    while (g_queue_get_length(&fleet->finished) > FARM_MAX_FINISHED) {
        struct farm_op *op = g_queue_pop_head(&fleet->finished);

        g_hash_table_remove(fleet->ops, &op->uuid);
    }
}

static void keep_finished(struct farm_fleet *fleet, struct farm_op *op)
{
    if (op->orphan) {
        farm_op_free(op);
        return;
    }
    g_queue_push_tail(&fleet->finished, op);
    forget_oldest(fleet);
}

/* The outcome must be set. state and where: as read back. */
static void close_op(struct farm_fleet *fleet, struct farm_op *op, enum xc_domain_state state,
                     const char *where)
{
    op->state = state;
    op->where = g_strdup(where);
    op->finished = true;
    op->phase = "";
    op->due = G_MAXINT64;
    fleet->counts.by_result[op->outcome.result % FARM_N_RESULTS]++;
}

static void finish(struct farm_fleet *fleet, struct farm_op *op)
{
    struct farm_domain *domain = op->domain;

    op->domain = NULL;
    close_op(fleet, op, domain ? (enum xc_domain_state)domain->state : XC_STATE_UNKNOWN,
             domain ? domain->host->name : "");
    if (domain && domain->op == op) {
        domain->op = NULL;
        farm_changed(fleet, domain->host);
    }
    g_ptr_array_remove_fast(fleet->active, op);
    if (fleet->events && fleet->events->ended && !op->orphan)
        fleet->events->ended(op, fleet->events_data);
    keep_finished(fleet, op);
}

static void finish_error(struct farm_fleet *fleet, struct farm_op *op, const GError *error)
{
    undo(fleet, op);
    xc_outcome_from_error(&op->outcome, error);
    finish(fleet, op);
}

static void finish_ok(struct farm_fleet *fleet, struct farm_op *op)
{
    const struct farm_domain *domain = op->domain;

    if (!domain)
        xc_outcome_set(&op->outcome, XC_RESULT_OK, XC_CAUSE_NONE, "%s", "done");
    else if (op->action == XC_ACTION_CHECK_MIGRATE)
        xc_outcome_set(&op->outcome, XC_RESULT_OK, XC_CAUSE_NONE, "%s has room for \"%s\"",
                       op->target ? op->target->name : "the destination", op->name);
    else
        xc_outcome_set(&op->outcome, XC_RESULT_OK, XC_CAUSE_NONE, "\"%s\" is %s on %s", op->name,
                       xc_enum_label(&xc_domain_state_labels, domain->state), domain->host->name);
    finish(fleet, op);
}

void farm_op_interrupt(struct farm_fleet *fleet, struct farm_op *op, enum xc_result result,
                       enum xc_cause cause, const char *text)
{
    if (op->finished)
        return;
    undo(fleet, op);
    xc_outcome_set(&op->outcome, result, cause, "%s", text);
    finish(fleet, op);
}

void farm_op_forget(struct farm_fleet *fleet, struct farm_op *op)
{
    if (g_hash_table_lookup(fleet->ops, &op->uuid) != op)
        return;
    g_queue_remove(&fleet->finished, op);
    g_hash_table_remove(fleet->ops, &op->uuid);
}

static void told(struct farm_fleet *fleet, struct farm_op *op)
{
    if (fleet->events && fleet->events->moved && !op->orphan)
        fleet->events->moved(op, fleet->events_data);
}

/* How long a step takes: each domain has its own pace, the same in every run of the farm. */
static gint64 step_usec(const struct farm_fleet *fleet, const struct farm_op *op,
                        const struct farm_step *step)
{
    uint64_t kib = op->domain ? op->domain->mem_kib : (op->guest ? op->guest->mem_kib : 0);
    uint64_t key = op->domain ? op->domain->key : 0;
    double pace = 0.8 + (double)(farm_dice(key, (uint64_t)op->action, op->step) % 401) / 1000;
    double ms = step->base_ms + step->per_gib_ms * ((double)kib / KIB_PER_GIB);

    return (gint64)(ms * 1000 * pace / fleet->config.speed);
}

/* Begins the step op->step; false: the operation has ended instead. */
static bool enter_step(struct farm_fleet *fleet, struct farm_op *op)
{
    const struct farm_plan *plan = farm_plan_of(op->action);
    const struct farm_step *step = &plan->steps[op->step];
    g_autoptr(GError) error = NULL;

    if (step->enter && op->trouble != FARM_PRETEND && !step->enter(fleet, op, &error)) {
        finish_error(fleet, op, error);
        return false;
    }
    op->phase = step->phase;
    op->progress = step->progress ? 0 : -1;
    /* From the time the last one ended, not from when we looked. */
    op->entered = MIN(op->due, fleet->now);
    op->planned = step_usec(fleet, op, step);
    op->due = op->entered + op->planned;
    if ((op->trouble == FARM_HANG && op->step == farm_plan_trouble(plan)) ||
        (step->guest && op->trouble != FARM_PRETEND && op->domain->ignores_shutdown))
        op->due = G_MAXINT64;
    told(fleet, op);
    return true;
}

/* The present step's time is over. */
static void next_step(struct farm_fleet *fleet, struct farm_op *op)
{
    const struct farm_plan *plan = farm_plan_of(op->action);
    g_autoptr(GError) error = NULL;

    if (op->trouble == FARM_FAIL && op->step == farm_plan_trouble(plan)) {
        xc_fail(&error, op->trouble_cause, "%s", op->trouble_text);
        finish_error(fleet, op, error);
    } else if (++op->step < farm_plan_steps(plan) && op->trouble != FARM_PRETEND) {
        enter_step(fleet, op);
    } else if (op->trouble == FARM_PRETEND || plan->done(fleet, op, &error)) {
        finish_ok(fleet, op);
    } else {
        finish_error(fleet, op, error);
    }
}

static bool cancellable(const struct farm_op *op)
{
    return !farm_plan_of(op->action)->steps[op->step].fixed;
}

static void time_out(struct farm_fleet *fleet, struct farm_op *op)
{
    bool guest = op->domain && op->domain->ignores_shutdown &&
                 farm_plan_of(op->action)->steps[op->step].guest;

    farm_op_interrupt(
        fleet, op, XC_RESULT_TIMED_OUT, guest ? XC_CAUSE_GUEST_IGNORED : XC_CAUSE_TIMED_OUT,
        guest ? "the guest did not react to the request" : "not done within the time allowed");
}

/* Whole percents, and half of the way is all that a hanging transfer makes. */
static void make_progress(struct farm_fleet *fleet, struct farm_op *op)
{
    int percent;

    if (op->progress < 0)
        return;
    percent = (int)((fleet->now - op->entered) * 100 / MAX(op->planned, 1));
    percent = CLAMP(percent, 0, op->due == G_MAXINT64 ? 50 : 99);
    if (percent == op->progress)
        return;
    op->progress = percent;
    told(fleet, op);
}

/* The time an operation wants to be looked at next. */
static gint64 next_look(const struct farm_fleet *fleet, const struct farm_op *op)
{
    gint64 next = op->due;

    if (op->trouble != FARM_HANG && cancellable(op))
        next = MIN(next, op->deadline);
    if (op->progress >= 0)
        next = MIN(next, fleet->now + PROGRESS_USEC);
    return next;
}

gint64 farm_ops_run(struct farm_fleet *fleet)
{
    gint64 next = G_MAXINT64;

    /* From the end: the one that ends is replaced by one that was looked at already. */
    for (guint i = fleet->active->len; i-- > 0;) {
        struct farm_op *op = g_ptr_array_index(fleet->active, i);
        guint before = fleet->active->len;

        while (fleet->active->len == before && op->due <= fleet->now)
            next_step(fleet, op);
        if (fleet->active->len == before && op->trouble != FARM_HANG && cancellable(op) &&
            op->deadline <= fleet->now)
            time_out(fleet, op);
        if (fleet->active->len != before)
            continue;
        make_progress(fleet, op);
        next = MIN(next, next_look(fleet, op));
    }
    return next;
}

gint64 farm_fleet_run(struct farm_fleet *fleet, gint64 now)
{
    fleet->now = MAX(now, fleet->now);
    return farm_ops_run(fleet);
}

/* Into the books: an execution was begun, whatever comes of it. */
static void count(struct farm_fleet *fleet, const struct xc_uuid *uuid, enum xc_action action)
{
    fleet->counts.executions++;
    fleet->counts.by_action[(unsigned)action % FARM_N_ACTIONS]++;
    if (!g_hash_table_add(fleet->seen, g_memdup2(uuid, sizeof(*uuid))))
        fleet->counts.duplicates++;
}

static void enlist(struct farm_fleet *fleet, struct farm_op *op)
{
    struct farm_op *before = g_hash_table_lookup(fleet->ops, &op->uuid);

    if (before && before->finished) {
        farm_op_forget(fleet, before);
    } else if (before) {
        /* The first execution goes on, as it would on a real host, but nobody can ask for it. */
        g_hash_table_steal(fleet->ops, &op->uuid);
        before->orphan = true;
    }
    g_hash_table_insert(fleet->ops, &op->uuid, op);
}

static struct farm_op *new_op(struct farm_fleet *fleet, const struct xc_uuid *uuid,
                              enum xc_action action)
{
    struct farm_op *op = g_new0(struct farm_op, 1);

    op->uuid = *uuid;
    op->action = action;
    op->begun = op->entered = op->due = fleet->now;
    op->deadline = G_MAXINT64;
    op->phase = "";
    op->progress = -1;
    enlist(fleet, op);
    return op;
}

struct farm_op *farm_op_begin(struct farm_fleet *fleet, const struct farm_host *scope,
                              const struct xc_order *order)
{
    struct farm_op *op = new_op(fleet, &order->op, order->action);
    g_autoptr(GError) error = NULL;

    count(fleet, &order->op, order->action);
    op->name = g_strdup(order->name ? order->name : "");
    op->amount = order->amount;
    if (order->timeout_usec > 0 && order->timeout_usec < G_MAXINT64 - fleet->now)
        op->deadline = fleet->now + order->timeout_usec;
    g_ptr_array_add(fleet->active, op);
    if (fleet->events && fleet->events->begun)
        fleet->events->begun(op, fleet->events_data);
    if (!farm_order_prepare(fleet, scope, order, op, &error))
        finish_error(fleet, op, error);
    else
        enter_step(fleet, op);
    return op;
}

void farm_op_remember(struct farm_fleet *fleet, const struct xc_uuid *uuid, enum xc_action action,
                      const struct xc_outcome *outcome, enum xc_domain_state state,
                      const char *where)
{
    struct farm_op *op = new_op(fleet, uuid, action);

    count(fleet, uuid, action);
    if (outcome)
        xc_outcome_set(&op->outcome, outcome->result, outcome->cause, "%s",
                       outcome->text ? outcome->text : "");
    else
        xc_outcome_set(&op->outcome, XC_RESULT_LOST, XC_CAUSE_LOST,
                       "the farm was restarted while it ran");
    close_op(fleet, op, outcome ? state : XC_STATE_UNKNOWN, outcome ? where : "");
    keep_finished(fleet, op);
}

struct farm_op *farm_op_find(const struct farm_fleet *fleet, const struct xc_uuid *uuid)
{
    return g_hash_table_lookup(fleet->ops, uuid);
}

void farm_op_cancel(struct farm_fleet *fleet, struct farm_op *op)
{
    if (!op->finished && cancellable(op))
        farm_op_interrupt(fleet, op, XC_RESULT_CANCELLED, XC_CAUSE_CANCELLED, "cancelled");
}
