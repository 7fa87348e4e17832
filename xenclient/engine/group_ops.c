/* What is asked of a whole group: one parent, and a child for each member that is concerned, accepted or refused whole. */
#include "xenclient/engine/group_private.h"
#include "xenclient/engine/txn_private.h"

#include <string.h>

#define NOTE_MAX  64
#define REBALANCE "@spread" /* what the argument of such an operation shows */

static const enum xc_action possible[] = {
    XC_ACTION_START,   XC_ACTION_SHUTDOWN, XC_ACTION_REBOOT, XC_ACTION_PAUSE,   XC_ACTION_UNPAUSE,
    XC_ACTION_SUSPEND, XC_ACTION_RESUME,   XC_ACTION_RESET,  XC_ACTION_DESTROY, XC_ACTION_MIGRATE,
};

static bool check_action(enum xc_action action, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(possible); i++)
        if (possible[i] == action)
            return true;
    return xc_fail(error, XC_CAUSE_BAD_VALUE, "%s is no action of groups",
                   xc_enum_label(&xc_action_labels, (int)action));
}

/* --- what is asked for already */

struct xc_op_run *xc_group_op_same(struct xc_engine *engine, const struct xc_op *op)
{
    gint64 window = xc_clock_mono() - (gint64)engine->config->dup_window_sec * XC_USEC_PER_SEC;

    for (guint i = engine->ops->len; i-- > 0;) {
        struct xc_op_run *run = engine->ops->pdata[i];

        if (!xc_op_is_group(&run->op) || strcmp(run->op.group, op->group) != 0)
            continue;
        if (run->op.action != op->action || strcmp(run->op.host_to, op->host_to) != 0 ||
            strcmp(run->op.argument, op->argument) != 0)
            return NULL; /* another one came in between */
        return run->op.state != XC_OP_FINISHED || run->op.ended_mono > window ? run : NULL;
    }
    return NULL;
}

static bool check_busy(struct xc_txn *txn, const struct xc_op *op, GError **error)
{
    struct xc_op_run *active = xc_group_op_active(txn->engine, op->group);

    for (guint i = 0; i < txn->runs->len; i++) {
        const struct xc_op *other = &((const struct xc_op_run *)txn->runs->pdata[i])->op;

        if (xc_op_is_group(other) && strcmp(other->group, op->group) == 0)
            return xc_fail(error, XC_CAUSE_CONFLICT, "group %s: two actions in one request",
                           op->group);
    }
    if (!active)
        return true;
    if (xc_action_info(op->action)->force && xc_action_info(active->op.action)->soft) {
        g_array_append_val(txn->supersedes, active->op.index);
        return true;
    }
    return xc_fail(error, XC_CAUSE_BUSY, "group %s: operation %u (%s) is in progress", op->group,
                   active->op.index, xc_enum_label(&xc_action_labels, (int)active->op.action));
}

/* --- the rows */

static void describe_parent(const struct xc_group_request *request, const struct xc_group *group,
                            struct xc_op *op)
{
    op->action = request->action;
    op->created_real = xc_clock_real();
    op->timeout_usec = (gint64)request->timeout_sec * XC_USEC_PER_SEC;
    xc_set_text(&op->target, group->label);
    xc_set_text(&op->group, group->spec->name);
    xc_set_text(&op->note, request->note);
    if (xc_group_rebalances(request))
        xc_set_text(&op->argument, REBALANCE);
    else if (request->action == XC_ACTION_MIGRATE)
        xc_set_text(&op->host_to, request->host);
}

/* Is there anything to be done for it, or nothing that would have to be? */
static bool check_plan(const struct xc_txn *txn, const struct xc_plan *plan, GError **error)
{
    unsigned limit = txn->engine->config->queue_limit;
    const char *name = plan->group->spec->name;

    if (!plan->parts->len)
        return xc_fail(error, XC_CAUSE_BAD_STATE, "group %s has no members", name);
    for (guint i = 0; !plan->n_act && i < plan->parts->len; i++) {
        const struct xc_part *part = &g_array_index(plan->parts, struct xc_part, i);

        if (part->kind == XC_PART_FAILS)
            return xc_fail(error, part->cause, "group %s: no member can %s: %s", name,
                           xc_enum_label(&xc_action_labels, (int)plan->request->action),
                           part->text);
    }
    if (txn->engine->open->len + txn->runs->len + plan->n_act + 1 > limit)
        return xc_fail(error, XC_CAUSE_BUSY,
                       "the queue is full: with the members of group %s more than %u operations "
                       "would be open",
                       name, limit);
    return true;
}

/* All were as wanted: it has ended as soon as it is accepted. */
static void end_at_once(struct xc_op *op)
{
    op->state = XC_OP_FINISHED;
    op->result = XC_RESULT_OK;
    op->progress = 100;
    op->started_real = op->ended_real = op->created_real;
    op->started_mono = op->ended_mono = xc_clock_mono();
    g_free(op->text);
    op->text = g_strdup_printf("%u had no part: nothing was to be done", op->passed);
}

static void add_rows(struct xc_txn *txn, struct xc_op_run *parent, struct xc_plan *plan)
{
    parent->op.passed = plan->n_pass;
    if (!plan->n_act)
        end_at_once(&parent->op);
    g_ptr_array_add(txn->runs, parent);
    for (guint i = 0; i < plan->parts->len; i++) {
        struct xc_part *part = &g_array_index(plan->parts, struct xc_part, i);
        struct xc_op_run *active =
            part->ref && part->run ? xc_ops_active_on(txn->engine, part->ref->index) : NULL;

        if (!part->run)
            continue;
        if (part->kind == XC_PART_ACTS && active)
            g_array_append_val(txn->supersedes, active->op.index);
        if (part->kind == XC_PART_ACTS && part->ref)
            g_hash_table_add(txn->targets, GUINT_TO_POINTER(part->ref->index));
        part->run->of = parent;
        g_ptr_array_add(txn->runs, g_steal_pointer(&part->run));
    }
}

static struct xc_group *find(struct xc_engine *engine, const struct xc_group_request *request,
                             GError **error)
{
    struct xc_group *group = xc_group_find(engine, request->group);

    if (!group)
        xc_fail(error, XC_CAUSE_NO_SUCH_TARGET, "no group %s", request->group);
    return group;
}

bool xc_txn_add_group_op(struct xc_txn *txn, const struct xc_group_request *request, GError **error)
{
    struct xc_engine *engine = txn->engine;
    struct xc_group *group;
    g_autoptr(xc_plan) plan = NULL;
    struct xc_op_run *parent;
    bool merged;

    if (request->note && strlen(request->note) > NOTE_MAX)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "the note is longer than %d octets", NOTE_MAX);
    if (xc_txn_changes_group(txn, request->group))
        return xc_fail(error, XC_CAUSE_CONFLICT, "group %s: a change and an action in one request",
                       request->group);
    group = xc_policy_control(engine, error) && check_action(request->action, error)
                ? find(engine, request, error)
                : NULL;
    if (!group)
        return false;
    parent = xc_op_run_new();
    describe_parent(request, group, &parent->op);
    merged = !request->locked && xc_group_op_same(engine, &parent->op);
    if (!merged && check_busy(txn, &parent->op, error))
        plan = xc_group_plan(engine, group, request, txn->runs, error);
    if (plan && check_plan(txn, plan, error)) {
        add_rows(txn, parent, plan);
        return true;
    }
    xc_op_run_free(parent);
    return merged;
}

/* --- for people */

/* "-> HOST", "= HOST", or the cause why not. */
static char *part_text(const struct xc_part *part)
{
    const char *here = part->ref ? xc_fleet_host_key(part->ref) : "";

    if (part->kind == XC_PART_FAILS)
        return g_strdup(xc_error_info((int)part->cause)->label);
    if (part->kind == XC_PART_PASSES)
        return g_strconcat("= ", here, NULL);
    return g_strconcat("-> ", part->host ? part->host : here, NULL);
}

static void add_line(GString *text, const struct xc_part *part, const char *what)
{
    g_string_append_printf(text, "%s%s%s %s", text->len ? "\n" : "", part->member->spec->member,
                           part->kind == XC_PART_FAILS ? ":" : "", what);
}

char *xc_group_plan_text(struct xc_engine *engine, const struct xc_group_request *request,
                         GPtrArray *of_members, GError **error)
{
    struct xc_group *group =
        check_action(request->action, error) ? find(engine, request, error) : NULL;
    g_autoptr(xc_plan) plan = group ? xc_group_plan(engine, group, request, NULL, error) : NULL;
    GString *text;

    if (!plan)
        return NULL;
    text = g_string_new(NULL);
    if (of_members)
        g_ptr_array_set_size(of_members, (gint)group->members->len);
    for (guint i = 0; i < plan->parts->len; i++) {
        const struct xc_part *part = &g_array_index(plan->parts, struct xc_part, i);
        g_autofree char *what = part_text(part);

        add_line(text, part, what);
        if (of_members)
            of_members->pdata[part->member - (const struct xc_member *)group->members->data] =
                g_steal_pointer(&what);
    }
    return g_string_free(text, FALSE);
}
