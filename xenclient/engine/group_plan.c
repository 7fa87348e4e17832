/* Who of a group takes part in what is asked of all of it, where, and in which order. */
#include "xenclient/engine/group_private.h"

#include <string.h>

static void part_clear(void *data)
{
    struct xc_part *part = data;

    g_clear_pointer(&part->text, g_free);
    g_clear_pointer(&part->run, xc_op_run_free);
}

void *xc_group_plan_free(struct xc_plan *plan)
{
    if (plan)
        g_array_unref(plan->parts);
    g_free(plan);
    return NULL;
}

void xc_part_fails(struct xc_part *part, enum xc_cause cause, char *text)
{
    part->kind = XC_PART_FAILS;
    part->cause = cause;
    g_free(part->text);
    part->text = text;
}

bool xc_group_rebalances(const struct xc_group_request *request)
{
    return request->action == XC_ACTION_MIGRATE && (!request->host || !*request->host);
}

/* --- who takes part */

static enum xc_domain_state aim_of(enum xc_action action)
{
    switch (action) {
    case XC_ACTION_START:
    case XC_ACTION_UNPAUSE:
    case XC_ACTION_RESUME:
        return XC_STATE_RUNNING;
    case XC_ACTION_SHUTDOWN:
    case XC_ACTION_DESTROY:
        return XC_STATE_SHUTDOWN;
    case XC_ACTION_PAUSE:
        return XC_STATE_PAUSED;
    case XC_ACTION_SUSPEND:
        return XC_STATE_SUSPENDED;
    default:
        return XC_STATE_UNKNOWN;
    }
}

/* No domain is known: one that can be made is made by a start, and needs no ending. */
static void classify_unknown(const struct xc_plan *plan, struct xc_part *part)
{
    const struct xc_member *member = part->member;
    const struct xc_action_info *info = xc_action_info(plan->request->action);
    enum xc_cause cause = member->cause > XC_CAUSE_NONE ? member->cause : XC_CAUSE_NO_SUCH_TARGET;

    if (*member->spec->create && cause == XC_CAUSE_NO_SUCH_TARGET) {
        part->create = plan->request->action == XC_ACTION_START;
        part->kind = part->create ? XC_PART_ACTS : XC_PART_PASSES;
        if (part->create || info->wanted == XC_WANTED_SHUTDOWN)
            return;
    }
    xc_part_fails(part, cause,
                  g_strdup_printf("%s: %s", member->spec->member, xc_error_info((int)cause)->text));
}

/* A force action takes over from a soft one, as it does with a single domain. */
static bool is_free(const struct xc_plan *plan, const struct xc_part *part)
{
    const struct xc_op_run *active = xc_ops_active_on(plan->engine, part->ref->index);

    return !active || (xc_action_info(plan->request->action)->force &&
                       xc_action_info(active->op.action)->soft);
}

/* What does not run has no part in moves. */
static void classify_move(const struct xc_plan *plan, struct xc_part *part)
{
    const struct xc_group_request *request = plan->request;
    enum xc_domain_state state = part->member->state;
    bool rebalance = xc_group_rebalances(request);
    bool off = state == XC_STATE_SHUTDOWN || state == XC_STATE_SUSPENDED ||
               (rebalance && (state != XC_STATE_RUNNING || !is_free(plan, part)));

    if (off || (!rebalance && strcmp(request->host, xc_fleet_host_key(part->ref)) == 0))
        part->kind = XC_PART_PASSES;
}

static bool is_asked_for(const struct xc_plan *plan, uint32_t domain)
{
    for (guint i = 0; plan->also && i < plan->also->len; i++)
        if (((const struct xc_op_run *)plan->also->pdata[i])->op.domain == domain)
            return true;
    return false;
}

static void classify(const struct xc_plan *plan, struct xc_part *part)
{
    bool gone = part->ref && part->ref->track->presence == XC_DELETED;

    /* Its domain is a member by another name too, and has its part by that. */
    if (part->member->cause == XC_CAUSE_CONFLICT) {
        part->kind = XC_PART_PASSES;
        return;
    }
    if (!part->ref || (gone && *part->member->spec->create)) {
        part->ref = NULL;
        classify_unknown(plan, part);
        return;
    }
    part->kind = XC_PART_ACTS;
    if (plan->request->action == XC_ACTION_MIGRATE)
        classify_move(plan, part);
    else if (part->member->state == aim_of(plan->request->action))
        part->kind = XC_PART_PASSES;
    if (part->kind == XC_PART_ACTS &&
        (!is_free(plan, part) || is_asked_for(plan, part->ref->index)))
        xc_part_fails(
            part, XC_CAUSE_BUSY,
            g_strdup_printf("%s: another operation is in progress", part->member->spec->member));
}

/* --- their order */

/* What is to be stopped goes the other way round: the last to start is the first to stop. */
static gint by_turn(gconstpointer a, gconstpointer b, gpointer data)
{
    const struct xc_part *x = a, *y = b;
    int sign = *(const bool *)data ? -1 : 1;
    unsigned of_x = x->member->spec->priority, of_y = y->member->spec->priority;

    if (of_x != of_y)
        return of_x < of_y ? -sign : sign;
    return strcmp(x->member->spec->member, y->member->spec->member) < 0 ? -sign : sign;
}

static gint by_rank(gconstpointer a, gconstpointer b)
{
    unsigned x = ((const struct xc_part *)a)->rank, y = ((const struct xc_part *)b)->rank;

    return (x > y) - (x < y);
}

/* In order each has a turn of its own, else those of equal priority have one. */
static void rank(struct xc_plan *plan)
{
    bool sequential = plan->group->spec->order == XC_GROUP_SEQUENTIAL;
    unsigned turn = 0;

    for (guint i = 0; i < plan->parts->len; i++) {
        struct xc_part *part = &g_array_index(plan->parts, struct xc_part, i);
        const struct xc_part *last = i ? part - 1 : part;

        if (i && (sequential || part->member->spec->priority != last->member->spec->priority))
            turn++;
        part->rank = turn;
    }
}

/* --- their children */

/* What stands behind "library:" or "template:", or all of it. */
static const char *source_of(const char *create)
{
    const char *colon = *create == '/' ? NULL : strchr(create, ':');

    return colon ? colon + 1 : create;
}

/* Creation as the host's own action would have it. */
static bool describe_creation(const struct xc_plan *plan, struct xc_part *part, struct xc_op *op,
                              GError **error)
{
    const struct xc_member_spec *spec = part->member->spec;
    bool template = g_str_has_prefix(spec->create, "template:");
    bool library = g_str_has_prefix(spec->create, "library:");
    const struct xc_request request = {
        .action = XC_ACTION_CREATE,
        .host = part->host,
        .argument = source_of(spec->create),
        .title = template ? spec->member : NULL,
        .from_library = template || library,
        .timeout_sec = plan->request->timeout_sec,
    };

    if (!xc_describe_host(plan->engine, &request, op, error))
        return false;
    return !template || xc_policy_new_name(plan->engine, xc_fleet_source(plan->engine, op->source),
                                           spec->member, error);
}

static bool describe(const struct xc_plan *plan, struct xc_part *part, struct xc_op *op,
                     GError **error)
{
    const struct xc_request request = {
        .action = plan->request->action,
        .domain = part->ref ? part->ref->index : 0,
        .host = part->host,
        .timeout_sec = plan->request->timeout_sec,
    };

    if (part->create)
        return describe_creation(plan, part, op, error);
    xc_describe_domain(plan->engine, &request, part->ref, op);
    return xc_policy_check(plan->engine, &request, part->ref, error);
}

/* A row for one that fails at once: what can be told of it without asking anybody. */
static void describe_failure(const struct xc_plan *plan, const struct xc_part *part,
                             struct xc_op *op)
{
    op->action = part->create ? XC_ACTION_CREATE : plan->request->action;
    op->domain = part->ref ? part->ref->index : 0;
    op->created_real = xc_clock_real();
    op->ended_real = op->created_real;
    op->ended_mono = xc_clock_mono();
    op->state = XC_OP_FINISHED;
    op->result = XC_RESULT_FAILED;
    op->cause = part->cause;
    g_free(op->text);
    op->text = xc_text_clean(part->text, strlen(part->text), XC_TEXT_MAX);
    if (part->ref)
        xc_set_text(&op->host_from, xc_fleet_host_key(part->ref));
}

static void make_child(const struct xc_plan *plan, struct xc_part *part)
{
    const struct xc_member_spec *spec = part->member->spec;
    bool begins = part->create || xc_action_info(plan->request->action)->may_host;
    g_autoptr(GError) error = NULL;
    struct xc_op *op;

    part->run = xc_op_run_new();
    if (part->kind == XC_PART_ACTS && !describe(plan, part, &part->run->op, &error))
        xc_part_fails(part, xc_error_cause(error), g_strdup(error->message));
    op = &part->run->op;
    if (part->kind == XC_PART_FAILS)
        describe_failure(plan, part, op);
    if (!*op->target)
        xc_set_text(&op->target, spec->member);
    xc_set_text(&op->group, plan->group->spec->name);
    xc_set_text(&op->member, spec->member);
    xc_set_text(&op->note, plan->request->note);
    op->rank = part->rank;
    op->delay_sec = begins ? spec->delay_sec : 0;
}

/* --- the whole */

static bool check_destination(const struct xc_plan *plan, GError **error)
{
    const struct xc_group_request *request = plan->request;

    if (request->action != XC_ACTION_MIGRATE || xc_group_rebalances(request) ||
        xc_fleet_host(plan->engine, request->host))
        return true;
    return xc_fail(error, XC_CAUSE_NO_SUCH_HOST, "no host has the key %s", request->host);
}

static void take_parts(struct xc_plan *plan)
{
    bool backwards = xc_action_info(plan->request->action)->stops;

    for (guint i = 0; i < plan->group->members->len; i++) {
        struct xc_part part = {
            .member = &g_array_index(plan->group->members, struct xc_member, i),
            .need_kib = -1,
            .cause = XC_CAUSE_NONE,
        };

        part.ref = part.member->domain ? xc_fleet_domain(plan->engine, part.member->domain) : NULL;
        g_array_append_val(plan->parts, part);
    }
    g_array_sort_with_data(plan->parts, by_turn, &backwards);
    rank(plan);
    for (guint i = 0; i < plan->parts->len; i++)
        classify(plan, &g_array_index(plan->parts, struct xc_part, i));
}

struct xc_plan *xc_group_plan(struct xc_engine *engine, const struct xc_group *group,
                              const struct xc_group_request *request, const GPtrArray *also,
                              GError **error)
{
    g_autoptr(xc_plan) plan = g_new0(struct xc_plan, 1);

    plan->engine = engine;
    plan->group = group;
    plan->request = request;
    plan->also = also;
    plan->parts = g_array_new(FALSE, TRUE, sizeof(struct xc_part));
    g_array_set_clear_func(plan->parts, part_clear);
    if (!check_destination(plan, error))
        return NULL;
    take_parts(plan);
    if (request->action == XC_ACTION_START || request->action == XC_ACTION_MIGRATE)
        xc_group_place(plan);
    if (xc_group_rebalances(request))
        g_array_sort(plan->parts, by_rank);
    for (guint i = 0; i < plan->parts->len; i++) {
        struct xc_part *part = &g_array_index(plan->parts, struct xc_part, i);

        if (part->kind != XC_PART_PASSES)
            make_child(plan, part);
        plan->n_act += part->kind == XC_PART_ACTS;
        plan->n_pass += part->kind == XC_PART_PASSES;
        plan->n_fail += part->kind == XC_PART_FAILS;
    }
    return g_steal_pointer(&plan);
}
