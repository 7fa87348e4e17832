/* The operations there are: finding, adding, ending, forgetting. */
#include "xenclient/engine/private.h"

#include <string.h>

#define TEXT_MAX 1000

struct xc_op_run *xc_op_run_new(void)
{
    struct xc_op_run *run = g_new0(struct xc_op_run, 1);

    xc_op_init(&run->op);
    xc_uuid_random(&run->op.uuid);
    return run;
}

void xc_op_run_free(struct xc_op_run *run)
{
    xc_op_clear(&run->op);
    xc_outcome_clear(&run->outcome);
    g_free(run);
}

void xc_set_text(char **to, const char *text)
{
    char *copy = g_strdup(text ? text : "");

    g_free(*to);
    *to = copy;
}

void xc_set_key(char **to, const char *key)
{
    char *shared;

    if (*to && strcmp(*to, key) == 0)
        return;
    shared = g_ref_string_new_intern(key);
    if (*to)
        g_ref_string_release(*to);
    *to = shared;
}

/* --- finding */

static gint by_index(gconstpointer a, gconstpointer b)
{
    uint32_t x = (*(struct xc_op_run *const *)a)->op.index;
    uint32_t y = (*(struct xc_op_run *const *)b)->op.index;

    return (x > y) - (x < y);
}

static gssize position(const GPtrArray *runs, uint32_t index)
{
    guint low = 0;
    guint high = runs->len;

    while (low < high) {
        guint middle = low + (high - low) / 2;

        if (((const struct xc_op_run *)runs->pdata[middle])->op.index < index)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == runs->len || ((const struct xc_op_run *)runs->pdata[low])->op.index != index)
        return -1;
    return low;
}

struct xc_op_run *xc_op_run_find(struct xc_engine *engine, uint32_t index)
{
    gssize at = position(engine->ops, index);

    return at < 0 ? NULL : engine->ops->pdata[at];
}

const struct xc_op *xc_op_find(const struct xc_engine *engine, uint32_t index)
{
    gssize at = position(engine->ops, index);

    return at < 0 ? NULL : engine->ops->pdata[at];
}

const struct xc_op *const *xc_ops(const struct xc_engine *engine, size_t *n)
{
    *n = engine->ops->len;
    return (const struct xc_op *const *)engine->ops->pdata;
}

gint64 xc_op_elapsed(const struct xc_op *op)
{
    if (!op->started_real)
        return 0;
    /* Begun and ended by this process: its clock does not jump. */
    if (op->ended_mono && op->started_mono && op->attempts == 1)
        return op->ended_mono - op->started_mono;
    if (op->ended_real)
        return MAX(op->ended_real - op->started_real, 0);
    return op->started_mono ? xc_clock_mono() - op->started_mono
                            : MAX(xc_clock_real() - op->started_real, 0);
}

struct xc_op_counts xc_op_counts(const struct xc_engine *engine)
{
    struct xc_op_counts counts = {0, 0, engine->n_succeeded, engine->n_failed};

    for (guint i = 0; i < engine->open->len; i++) {
        const struct xc_op_run *run = engine->open->pdata[i];

        if (run->op.state == XC_OP_RUNNING || run->op.state == XC_OP_CANCELLING)
            counts.running++;
        else
            counts.queued++;
    }
    return counts;
}

struct xc_op_run *xc_ops_active_on(struct xc_engine *engine, uint32_t domain)
{
    const struct xc_track *track = domain ? xc_track_find(engine, domain) : NULL;

    return track && track->active_op ? xc_op_run_find(engine, track->active_op) : NULL;
}

static bool equal(const struct xc_op *a, const struct xc_op *b)
{
    return a->action == b->action && a->domain == b->domain &&
           strcmp(a->host_to, b->host_to) == 0 && strcmp(a->argument, b->argument) == 0;
}

/* Of the same domain; or of the same host, where one enables and disables what the other did, but a rescan is no answer to
 * a create. */
static bool concerns(const struct xc_op *a, const struct xc_op *b)
{
    if (b->domain)
        return a->domain == b->domain;
    return strcmp(a->source, b->source) == 0 && strcmp(a->host_from, b->host_from) == 0 &&
           xc_action_info(a->action)->of_host &&
           xc_action_info(a->action)->capability == xc_action_info(b->action)->capability;
}

/* A create has its domain filled in at the end: compare what was asked. A discovery keeps the name it was given. */
static bool same_of_host(const struct xc_op *a, const struct xc_op *b)
{
    return a->action == b->action && strcmp(a->argument, b->argument) == 0 &&
           strcmp(a->content, b->content) == 0 &&
           (a->action != XC_ACTION_DISCOVER || strcmp(a->target, b->target) == 0);
}

struct xc_op_run *xc_ops_same(struct xc_engine *engine, const struct xc_op *op)
{
    gint64 window = xc_clock_mono() - (gint64)engine->config->dup_window_sec * XC_USEC_PER_SEC;

    for (guint i = engine->ops->len; i-- > 0;) {
        struct xc_op_run *run = engine->ops->pdata[i];
        bool open = run->op.state != XC_OP_FINISHED;

        if (!concerns(&run->op, op))
            continue;
        if (op->domain ? equal(&run->op, op) : same_of_host(&run->op, op))
            return open || run->op.ended_mono > window ? run : NULL;
        if (op->domain || run->op.action != op->action)
            return NULL; /* another one came in between */
    }
    return NULL;
}

bool xc_ops_opposed(const struct xc_op *a, const struct xc_op *b)
{
    return a->action != b->action && xc_action_info(a->action)->capability && concerns(a, b);
}

unsigned xc_ops_open_on(struct xc_engine *engine, const char *source_key)
{
    unsigned n = 0;

    for (guint i = 0; i < engine->open->len; i++) {
        const struct xc_op *op = engine->open->pdata[i];
        const struct xc_host_ref *to = *op->host_to ? xc_fleet_host(engine, op->host_to) : NULL;

        n += strcmp(op->source, source_key) == 0 ||
             (to && strcmp(to->slot->spec.key, source_key) == 0);
    }
    return n;
}

/* --- entering and leaving */

void xc_ops_add(struct xc_engine *engine, struct xc_op_run *run)
{
    struct xc_op *op = &run->op;

    g_ptr_array_add(engine->ops, run);
    if (engine->ops->len > 1 &&
        ((struct xc_op_run *)engine->ops->pdata[engine->ops->len - 2])->op.index > op->index)
        g_ptr_array_sort(engine->ops, by_index);
    g_hash_table_insert(engine->op_by_uuid, &op->uuid, run);
    xc_group_op_enter(engine, run);
    xc_discovery_enter(engine, op);
    if (op->domain) {
        struct xc_track *track = xc_track_get(engine, op->domain);

        track->last_op = op->index;
        if (op->state != XC_OP_FINISHED) {
            track->active_op = op->index;
            track->moving = op->action == XC_ACTION_MIGRATE;
            xc_groups_stir(engine);
            xc_counters_save_of(engine, track);
        }
    }
    if (op->state == XC_OP_FINISHED)
        return;
    run->ready_mono = xc_clock_mono();
    if (op->state == XC_OP_ACCEPTED)
        op->state = XC_OP_QUEUED;
    g_ptr_array_add(engine->open, run);
    xc_ops_pump_later(engine);
}

void xc_ops_remove(struct xc_engine *engine, uint32_t index)
{
    gssize at = position(engine->ops, index);
    struct xc_op_run *run;

    if (at < 0)
        return;
    run = engine->ops->pdata[at];
    xc_discovery_leave(engine, index);
    g_hash_table_remove(engine->op_by_uuid, &run->op.uuid);
    g_ptr_array_remove(engine->open, run);
    g_ptr_array_remove_index(engine->ops, (guint)at);
    xc_op_run_free(run);
}

void xc_journal_note(struct xc_engine *engine, const GError *error)
{
    if (error && !engine->journal_failed)
        xc_log(XC_LOG_ERROR, "%s (SETs are refused meanwhile; tried again every second)",
               error->message);
    else if (!error && engine->journal_failed)
        xc_log(XC_LOG_INFO, "operations.db can be written again");
    engine->journal_failed = error != NULL;
}

/* It and the children behind it, or (false) not at all while the end of one is not in the journal. */
static bool is_saved(const struct xc_engine *engine, guint at, guint n)
{
    for (guint i = at; i < at + n; i++)
        if (((const struct xc_op_run *)engine->ops->pdata[i])->unsaved)
            return false;
    return true;
}

static bool drop(struct xc_engine *engine, guint at, guint n)
{
    g_autoptr(GError) error = NULL;

    xc_journal_drop_op(engine->journal, ((struct xc_op_run *)engine->ops->pdata[at])->op.index,
                       &error);
    xc_journal_note(engine, error);
    for (guint i = 0; i < n && !error; i++)
        xc_ops_remove(engine, ((struct xc_op_run *)engine->ops->pdata[at])->op.index);
    return !error;
}

/* Finished rows beyond their time or number go, oldest first, and children with their parent: the rows of a large group
 * do not push each other out. */
void xc_ops_prune(struct xc_engine *engine)
{
    gint64 limit = xc_clock_mono() - (gint64)engine->config->op_expire_sec * XC_USEC_PER_SEC;
    guint finished = engine->ops->len - engine->open->len;

    for (guint i = 0; i < engine->ops->len && !engine->journal_failed;) {
        const struct xc_op_run *run = engine->ops->pdata[i];
        guint n = 1 + xc_group_op_children(engine, &run->op, NULL);
        bool many = finished >= engine->config->op_max_rows + n;

        if (run->op.state != XC_OP_FINISHED || !is_saved(engine, i, n) ||
            (!many && run->op.ended_mono > limit)) {
            if (!many && run->op.state == XC_OP_FINISHED)
                return; /* those behind it are younger */
            i += n;
            continue;
        }
        if (!drop(engine, i, n))
            return;
        finished -= n;
    }
}

void xc_ops_save(struct xc_engine *engine, struct xc_op_run *run)
{
    g_autoptr(GError) error = NULL;

    run->unsaved = true;
    if (engine->journal_failed)
        return;
    run->unsaved = !xc_journal_put_op(engine->journal, &run->op, &error);
    xc_journal_note(engine, error);
}

static void release(struct xc_engine *engine, const struct xc_op *op)
{
    struct xc_track *track = op->domain ? xc_track_find(engine, op->domain) : NULL;

    if (!track || track->active_op != op->index)
        return;
    track->active_op = 0;
    track->moving = false;
    xc_groups_stir(engine);
    if (g_hash_table_contains(engine->ghosts, GUINT_TO_POINTER(op->domain))) {
        engine->regrave = true;
        xc_fleet_dirty(engine);
    }
}

void xc_ops_tell_end(struct xc_engine *engine, const struct xc_op *op)
{
    if (op->result == XC_RESULT_OK)
        engine->n_succeeded++;
    else
        engine->n_failed++;
    xc_events_op(engine, op);
    xc_log(XC_LOG_INFO, "operation %u: %s %s: %s%s%s", op->index,
           xc_enum_label(&xc_action_labels, (int)op->action), op->target,
           xc_enum_label(&xc_result_labels, (int)op->result), *op->text ? ": " : "", op->text);
}

void xc_ops_finish(struct xc_engine *engine, struct xc_op_run *run, enum xc_result result,
                   enum xc_cause cause, const char *text)
{
    struct xc_op *op = &run->op;

    op->state = XC_OP_FINISHED;
    op->result = result;
    op->cause = cause;
    op->progress = result == XC_RESULT_OK && op->progress >= 0 ? 100 : op->progress;
    g_free(op->text);
    op->text = xc_text_clean(text, strlen(text), TEXT_MAX);
    xc_set_text(&op->phase, "");
    op->ended_real = xc_clock_real();
    op->ended_mono = xc_clock_mono();
    g_ptr_array_remove(engine->open, run);
    xc_ops_save(engine, run);
    release(engine, op);
    if (op->action == XC_ACTION_DISCOVER)
        xc_discovery_finished(engine);
    xc_ops_tell_end(engine, op);
    xc_group_op_ended(engine, run);
    xc_ops_prune(engine);
    xc_ops_pump_later(engine);
}

void xc_ops_cancel(struct xc_engine *engine, struct xc_op_run *run)
{
    if (run->op.state == XC_OP_FINISHED || run->outcome_known)
        return;
    if (xc_op_is_group(&run->op)) {
        xc_group_op_cancel(engine, run);
        return;
    }
    if (!run->sent && run->op.attempts == 0) {
        xc_ops_finish(engine, run, XC_RESULT_CANCELLED, XC_CAUSE_CANCELLED,
                      "cancelled before it began");
        return;
    }
    run->op.state = XC_OP_CANCELLING;
    if (run->sent)
        xc_supervisor_cancel(engine->supervisor, &run->op.uuid);
}
