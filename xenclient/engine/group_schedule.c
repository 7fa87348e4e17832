/* Operations of groups under way: whose turn it is, what came of the children, and with that of the whole. */
#include "xenclient/engine/group_private.h"

#include <string.h>

#define CAUSES_TOLD 3 /* in the text of a parent: the first ones */
#define TEXT_MAX    1000

guint xc_group_op_children(const struct xc_engine *engine, const struct xc_op *parent,
                           struct xc_op_run ***first)
{
    struct xc_op_run **all = (struct xc_op_run **)engine->ops->pdata;
    guint low = 0, high = engine->ops->len, n = 0;

    if (!xc_op_is_group(parent))
        return 0;
    while (low < high) {
        guint middle = low + (high - low) / 2;

        if (all[middle]->op.index <= parent->index)
            low = middle + 1;
        else
            high = middle;
    }
    while (low + n < engine->ops->len && all[low + n]->op.parent == parent->index)
        n++;
    if (first)
        *first = all + low;
    return n;
}

const struct xc_op *xc_op_child(const struct xc_engine *engine, uint32_t parent, const char *member)
{
    const struct xc_op *op = xc_op_find(engine, parent);
    struct xc_op_run **children = NULL;
    guint n = op ? xc_group_op_children(engine, op, &children) : 0;

    for (guint i = 0; i < n; i++)
        if (strcmp(children[i]->op.member, member) == 0)
            return &children[i]->op;
    return NULL;
}

struct xc_op_run *xc_group_op_active(struct xc_engine *engine, const char *group)
{
    for (guint i = engine->open->len; i-- > 0;) {
        struct xc_op_run *run = engine->open->pdata[i];

        if (xc_op_is_group(&run->op) && strcmp(run->op.group, group) == 0)
            return run;
    }
    return NULL;
}

static struct xc_op_run *parent_of(const struct xc_engine *engine, const struct xc_op_run *run)
{
    return run->op.parent ? xc_op_run_find((struct xc_engine *)engine, run->op.parent) : NULL;
}

/* --- counting */

static void count(struct xc_op *parent, const struct xc_op *child)
{
    parent->done++;
    parent->failed += child->result != XC_RESULT_OK;
}

static void show_progress(struct xc_op *parent)
{
    parent->progress = parent->total ? (int)(parent->done * 100 / parent->total) : 100;
}

static void enter_group(struct xc_engine *engine, const struct xc_op *op)
{
    struct xc_group *group = xc_group_known(engine, op->group);
    enum xc_wanted wanted = xc_action_info(op->action)->wanted;

    if (!group)
        return;
    group->last_op = op->index;
    group->active_op = op->state == XC_OP_FINISHED ? 0 : op->index;
    if (wanted != XC_WANTED_NONE && wanted != group->wanted) {
        group->wanted = wanted;
        xc_group_save(engine, op->group);
    }
    xc_groups_stir(engine);
}

void xc_group_op_enter(struct xc_engine *engine, struct xc_op_run *run)
{
    struct xc_op_run *parent = parent_of(engine, run);

    if (xc_op_is_group(&run->op))
        enter_group(engine, &run->op);
    if (!parent)
        return;
    parent->op.total++;
    if (run->op.state == XC_OP_FINISHED)
        count(&parent->op, &run->op);
    show_progress(&parent->op);
}

void xc_group_ops_recall(struct xc_engine *engine, GHashTable *names)
{
    for (guint i = 0; g_hash_table_size(names) && i < engine->ops->len; i++) {
        const struct xc_op *op = &((const struct xc_op_run *)engine->ops->pdata[i])->op;

        if (xc_op_is_group(op) && g_hash_table_contains(names, op->group))
            enter_group(engine, op);
    }
}

/* --- turns */

/* Children stand in the order of their ranks. A rank is open when all below it have ended, and those that began
 * something then had their time. */
static unsigned turn_of(const struct xc_engine *engine, const struct xc_op *parent)
{
    struct xc_op_run **children = NULL;
    guint n = xc_group_op_children(engine, parent, &children);
    gint64 now = xc_clock_mono();
    gint64 until = G_MININT64;
    unsigned rank = 0;
    bool open = false;

    for (guint i = 0; i < n; i++) {
        const struct xc_op *op = &children[i]->op;

        if (op->rank != rank && (open || now < until))
            break;
        rank = op->rank;
        if (op->state != XC_OP_FINISHED)
            open = true;
        else if (op->result == XC_RESULT_OK)
            until = MAX(until, op->ended_mono + (gint64)op->delay_sec * XC_USEC_PER_SEC);
    }
    return rank;
}

void xc_group_ops_turn(struct xc_engine *engine)
{
    for (guint i = 0; i < engine->open->len; i++) {
        struct xc_op_run *run = engine->open->pdata[i];

        if (xc_op_is_group(&run->op))
            run->turn = turn_of(engine, &run->op);
    }
}

bool xc_group_op_may_go(const struct xc_engine *engine, const struct xc_op_run *run)
{
    const struct xc_op_run *parent = parent_of(engine, run);

    if (run->op.state == XC_OP_FINISHED)
        return false;
    return !parent || run->op.attempts || run->op.rank <= parent->turn;
}

static bool is_down(const struct xc_engine *engine, const char *key)
{
    const struct xc_host_ref *ref = *key ? xc_fleet_host(engine, key) : NULL;

    if (!ref)
        return false;
    return xc_slot_down(ref->slot) || ref->slot->state == XC_SOURCE_UNAUTHORISED ||
           ref->slot->state == XC_SOURCE_UNTRUSTED || xc_host_ref_state(ref) == XC_SOURCE_DOWN;
}

bool xc_group_op_is_stranded(const struct xc_engine *engine, const struct xc_op_run *run)
{
    const struct xc_op *op = &run->op;

    if (!op->parent || op->attempts)
        return false;
    if (op->action == XC_ACTION_MIGRATE && is_down(engine, op->host_from))
        return true;
    return is_down(engine, *op->host_to ? op->host_to : op->host_from);
}

void xc_group_op_begun(struct xc_engine *engine, const struct xc_op_run *child)
{
    struct xc_op_run *parent = parent_of(engine, child);

    if (!parent || parent->op.attempts)
        return;
    parent->op.attempts = 1;
    parent->op.started_real = child->op.started_real;
    parent->op.started_mono = child->op.started_mono;
    if (parent->op.state == XC_OP_QUEUED)
        parent->op.state = XC_OP_RUNNING;
    xc_ops_save(engine, parent);
}

/* --- the end */

/* Some well and some not: partial. None well: as they all ended, else failed. */
static enum xc_result result_of(const struct xc_op *parent, struct xc_op_run *const *children,
                                guint n)
{
    enum xc_result all = XC_RESULT_NONE;
    bool cancelled = false;

    for (guint i = 0; i < n; i++) {
        enum xc_result result = children[i]->op.result;

        cancelled = cancelled || result == XC_RESULT_CANCELLED;
        if (result != XC_RESULT_OK)
            all = all == XC_RESULT_NONE || all == result ? result : XC_RESULT_FAILED;
    }
    if (parent->state == XC_OP_CANCELLING && cancelled)
        return XC_RESULT_CANCELLED;
    if (parent->failed == 0)
        return XC_RESULT_OK;
    return parent->failed < n ? XC_RESULT_PARTIAL : all;
}

static void add_count(GString *text, unsigned n, const char *what)
{
    if (n)
        g_string_append_printf(text, "%s%u %s", text->len ? ", " : "", n, what);
}

/* "38 ok, 2 failed, 3 had no part; web1: noMemory; ..." */
static char *text_of(const struct xc_op *parent, struct xc_op_run *const *children, guint n,
                     enum xc_cause *cause)
{
    GString *text = g_string_new(NULL);
    unsigned told = 0, cancelled = 0;

    for (guint i = 0; i < n; i++)
        cancelled += children[i]->op.result == XC_RESULT_CANCELLED;
    add_count(text, parent->total - parent->failed, "ok");
    add_count(text, parent->failed - cancelled, "failed");
    add_count(text, cancelled, "cancelled");
    add_count(text, parent->passed, "had no part");
    *cause = XC_CAUSE_NONE;
    for (guint i = 0; i < n; i++) {
        const struct xc_op *op = &children[i]->op;

        if (op->result == XC_RESULT_OK)
            continue;
        if (*cause == XC_CAUSE_NONE)
            *cause = op->cause;
        if (op->result == XC_RESULT_CANCELLED)
            continue;
        if (told == CAUSES_TOLD) {
            g_string_append(text, "; ...");
            break;
        }
        told++;
        g_string_append_printf(text, "; %s: %s", op->member, xc_error_info((int)op->cause)->label);
    }
    return g_string_free(text, FALSE);
}

static void settle(struct xc_engine *engine, struct xc_op_run *parent)
{
    struct xc_op_run **children = NULL;
    guint n = xc_group_op_children(engine, &parent->op, &children);
    g_autofree char *text = NULL;
    enum xc_cause cause;
    enum xc_result result;

    if (parent->held || parent->op.state == XC_OP_FINISHED || parent->op.done < n)
        return;
    text = text_of(&parent->op, children, n, &cause);
    result = result_of(&parent->op, children, n);
    xc_ops_finish(engine, parent, result, cause, text);
}

void xc_group_op_ended(struct xc_engine *engine, struct xc_op_run *run)
{
    struct xc_op_run *parent = parent_of(engine, run);
    struct xc_group *group =
        xc_op_is_group(&run->op) ? xc_group_known(engine, run->op.group) : NULL;

    if (group && group->active_op == run->op.index) {
        group->active_op = 0;
        xc_groups_stir(engine);
    }
    if (!parent)
        return;
    count(&parent->op, &run->op);
    show_progress(&parent->op);
    settle(engine, parent);
}

/* --- cancelling */

static GPtrArray *open_children(const struct xc_engine *engine, const struct xc_op *parent)
{
    struct xc_op_run **children = NULL;
    guint n = xc_group_op_children(engine, parent, &children);
    GPtrArray *open = g_ptr_array_new();

    for (guint i = 0; i < n; i++)
        if (children[i]->op.state != XC_OP_FINISHED)
            g_ptr_array_add(open, children[i]);
    return open;
}

/* All rows that change go into one commit: there may be hundreds. What it does not take is written again later. */
void xc_group_op_cancel(struct xc_engine *engine, struct xc_op_run *parent)
{
    g_autoptr(GPtrArray) open = open_children(engine, &parent->op);
    g_autoptr(GError) error = NULL;
    bool begun = !engine->journal_failed && xc_journal_begin(engine->journal, &error);

    if (error)
        xc_journal_note(engine, error);
    parent->held = true;
    parent->op.state = XC_OP_CANCELLING;
    xc_ops_save(engine, parent);
    for (guint i = 0; i < open->len; i++)
        xc_ops_cancel(engine, open->pdata[i]);
    if (begun) {
        xc_journal_commit(engine->journal, &error);
        xc_journal_note(engine, error);
    }
    for (guint i = 0; error && i < open->len; i++)
        ((struct xc_op_run *)open->pdata[i])->unsaved = true;
    parent->held = false;
    settle(engine, parent);
}

void xc_group_ops_loaded(struct xc_engine *engine)
{
    g_autoptr(GPtrArray) open = g_ptr_array_new();

    for (guint i = 0; i < engine->open->len; i++)
        if (xc_op_is_group(&((struct xc_op_run *)engine->open->pdata[i])->op))
            g_ptr_array_add(open, engine->open->pdata[i]);
    for (guint i = 0; i < open->len; i++) {
        struct xc_op_run *parent = open->pdata[i];

        if (parent->op.state == XC_OP_CANCELLING)
            xc_group_op_cancel(engine, parent);
        else
            settle(engine, parent);
    }
}
