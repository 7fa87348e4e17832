/* Where the members of a group go: the planner is told what is known of hosts and members, and its answer is noted. */
#include "xenclient/engine/group_private.h"

#include "xenclient/drivers/xlcfg.h"

#include <string.h>

#define NOT_KNOWN   (-1)
#define NOTHING     (-2) /* no room at all */
#define KIB_PER_MIB 1024

/* What the planner is asked, and of whom. */
struct table {
    struct xc_plan *plan;
    uint32_t capability;
    GArray *hosts;    /* struct xc_plan_host */
    GPtrArray *refs;  /* const struct xc_host_ref *, of these */
    GArray *members;  /* struct xc_plan_member */
    GArray *ordinals; /* guint, of their parts */
    GPtrArray *may;   /* bool *, of those that have one */
    GArray *answers;  /* struct xc_placement */
};

/* --- memory */

/* A domain that does not run takes what its configuration asks for. */
static int64_t need_of_domain(const struct xc_domain *domain)
{
    bool runs = xc_domain_alive(domain);

    if (runs && XC_HAS(DOMAIN, domain, mem_kib))
        return (int64_t)domain->mem_kib;
    if (XC_HAS(DOMAIN, domain, mem_target_kib))
        return (int64_t)domain->mem_target_kib;
    if (XC_HAS(DOMAIN, domain, mem_max_kib))
        return (int64_t)domain->mem_max_kib;
    return XC_HAS(DOMAIN, domain, mem_kib) ? (int64_t)domain->mem_kib : NOT_KNOWN;
}

static int64_t need_of_config(const char *content)
{
    unsigned line;
    g_autoptr(xlcfg) config = xlcfg_parse(content, strlen(content), &line, NULL);
    int64_t mib = 0;

    if (!config)
        return NOT_KNOWN;
    if (!xlcfg_integer(config, "memory", 1, G_MAXINT32, &mib, NULL))
        xlcfg_integer(config, "maxmem", 1, G_MAXINT32, &mib, NULL);
    return mib > 0 ? mib * KIB_PER_MIB : NOT_KNOWN;
}

static int64_t need_of_part(const struct xc_plan *plan, const struct xc_part *part)
{
    const char *create = part->member->spec->create;
    g_autofree char *content = NULL;

    if (!part->create)
        return need_of_domain(xc_ref_domain(part->ref));
    if (g_str_has_prefix(create, "library:"))
        content = xc_library_read(plan->engine, create + strlen("library:"), NULL);
    return content ? need_of_config(content) : NOT_KNOWN;
}

/* What an operation that goes on, or is asked for along with this one, will take on its host. */
static int64_t promised(struct xc_engine *engine, const struct xc_op *op, const char *host)
{
    const struct xc_action_info *info = xc_action_info(op->action);
    bool begins = info->may_host || op->action == XC_ACTION_CREATE;
    const char *place = begins && !*op->host_to ? op->host_from : op->host_to;
    const struct xc_domain_ref *ref = op->domain ? xc_fleet_domain(engine, op->domain) : NULL;
    int64_t need = NOT_KNOWN;

    if ((!begins && op->action != XC_ACTION_MIGRATE) || op->state == XC_OP_FINISHED ||
        xc_op_is_group(op) || strcmp(place, host) != 0)
        return 0;
    if (!ref)
        need = need_of_config(op->content);
    else if (!xc_domain_alive(xc_ref_domain(ref)) || strcmp(xc_fleet_host_key(ref), host) != 0)
        need = need_of_domain(xc_ref_domain(ref));
    return MAX(need, 0);
}

static int64_t free_on(const struct xc_plan *plan, const struct xc_host_ref *ref)
{
    const struct xc_host *host = &ref->slot->snapshot->hosts[ref->row];
    const GPtrArray *const runs[] = {plan->engine->open, plan->also};
    int64_t left;

    if (!XC_HAS(HOST, host, mem_free_kib))
        return NOT_KNOWN;
    left = (int64_t)MIN(host->mem_free_kib, (uint64_t)G_MAXINT64) - XC_GROUP_RESERVE_KIB;
    for (size_t r = 0; r < G_N_ELEMENTS(runs); r++)
        for (guint i = 0; runs[r] && i < runs[r]->len; i++)
            left -= promised(plan->engine, &((struct xc_op_run *)runs[r]->pdata[i])->op, ref->key);
    return left < 0 ? NOTHING : left;
}

/* --- hosts */

static uint32_t running_on(const struct xc_plan *plan, const char *host)
{
    uint32_t n = 0;

    for (guint i = 0; i < plan->parts->len; i++) {
        const struct xc_part *part = &g_array_index(plan->parts, struct xc_part, i);

        n += part->ref && part->member->state == XC_STATE_RUNNING &&
             strcmp(xc_fleet_host_key(part->ref), host) == 0;
    }
    return n;
}

static void add_host(struct table *t, const char *key, unsigned weight)
{
    const struct xc_host_ref *ref = xc_fleet_host(t->plan->engine, key);
    struct xc_plan_host host = {.key = key, .weight = weight};

    if (!ref || ref->row < 0 || (ref->slot->driver->capabilities & t->capability) == 0)
        return;
    host.free_kib = free_on(t->plan, ref);
    host.running = running_on(t->plan, key);
    g_array_append_val(t->hosts, host);
    g_ptr_array_add(t->refs, (void *)ref);
}

static gssize ordinal_of(const struct table *t, const char *key)
{
    for (guint i = 0; i < t->hosts->len; i++)
        if (strcmp(g_array_index(t->hosts, struct xc_plan_host, i).key, key) == 0)
            return i;
    return -1;
}

/* All members to one host, whether it is one of the group's or not; else to those of the group that can be used. */
static void add_hosts(struct table *t)
{
    const struct xc_group_request *request = t->plan->request;
    const GArray *places = t->plan->group->places;

    if (request->action == XC_ACTION_MIGRATE && !xc_group_rebalances(request)) {
        add_host(t, request->host, XC_GROUP_WEIGHT_MAX);
        return;
    }
    for (guint i = 0; i < places->len; i++) {
        const struct xc_group_place *place = &g_array_index(places, struct xc_group_place, i);

        if (place->usable)
            add_host(t, place->host, place->weight);
    }
}

/* --- members */

/* A domain starts where its configuration was seen; or anywhere in a pool that starts what is halted on any host. */
static bool starts_on(const struct xc_part *part, const struct xc_host_ref *to)
{
    return (to->slot == part->ref->slot &&
            (to->slot->driver->capabilities & XC_CAP_START_ELSEWHERE)) ||
           xc_snapshot_find(to->slot->snapshot, part->ref->index) >= 0;
}

static bool is_made_on(const char *create, const struct xc_host_ref *to)
{
    bool templates = to->slot->driver->templates;

    if (!(to->slot->driver->capabilities & XC_CAP_CREATE))
        return false;
    if (g_str_has_prefix(create, "template:"))
        return templates;
    return !templates && (*create != '/' || xc_policy_config_path(to->slot, create, NULL));
}

static bool may_go(const struct table *t, const struct xc_part *part, const struct xc_host_ref *to)
{
    if (part->create)
        return is_made_on(part->member->spec->create, to);
    if (t->plan->request->action != XC_ACTION_MIGRATE)
        return starts_on(part, to);
    return to->slot->driver == part->ref->slot->driver;
}

static const bool *make_may(struct table *t, const struct xc_part *part)
{
    bool *may = g_new0(bool, t->hosts->len + 1);

    for (guint i = 0; i < t->hosts->len; i++)
        may[i] = may_go(t, part, t->refs->pdata[i]);
    g_ptr_array_add(t->may, may);
    return may;
}

/* A migration to one host asks for that host, whatever the pin. */
static gssize pin_of(const struct table *t, const struct xc_part *part)
{
    const char *pin = part->member->spec->pin;
    gssize at;

    if (t->plan->request->action == XC_ACTION_MIGRATE && !xc_group_rebalances(t->plan->request))
        return -1;
    if (!*pin && t->plan->group->spec->spread == XC_SPREAD_PINNED)
        pin = part->ref && part->ref->track->home ? part->ref->track->home : "";
    if (!*pin)
        return -1;
    at = ordinal_of(t, pin);
    return at >= 0 ? at : (gssize)t->hosts->len;
}

static void add_member(struct table *t, guint ordinal)
{
    struct xc_part *part = &g_array_index(t->plan->parts, struct xc_part, ordinal);
    struct xc_plan_member member = {
        .name = part->member->spec->member,
        .priority = part->member->spec->priority,
        .need_kib = need_of_part(t->plan, part),
        .on = -1,
        .pin = pin_of(t, part),
        .may = make_may(t, part),
        .may_cause = part->create ? XC_CAUSE_NOT_SUPPORTED : XC_CAUSE_NO_STORAGE,
    };

    if (xc_group_rebalances(t->plan->request))
        member.on = ordinal_of(t, xc_fleet_host_key(part->ref));
    part->need_kib = member.need_kib;
    g_array_append_val(t->members, member);
    g_array_append_val(t->ordinals, ordinal);
}

/* --- what came of it */

static char *why_nowhere(const struct table *t, const struct xc_part *part, enum xc_cause cause)
{
    const char *name = part->member->spec->member;
    const char *pin = part->member->spec->pin;

    if (cause == XC_CAUSE_NO_MEMORY && part->need_kib >= 0)
        return g_strdup_printf("%s: needs %" G_GINT64_FORMAT
                               " MiB, and no host that it may go to has so much left",
                               name, part->need_kib / KIB_PER_MIB);
    if (cause == XC_CAUSE_NO_STORAGE)
        return g_strdup_printf("%s: its configuration is on none of the hosts that can be used",
                               name);
    if (cause == XC_CAUSE_NO_SUCH_HOST && *pin && t->hosts->len)
        return g_strdup_printf("%s: its pin %s is none of the hosts that can be used", name, pin);
    if (cause == XC_CAUSE_NO_SUCH_HOST)
        return g_strdup_printf("%s: the group has no host that can be used", name);
    return g_strdup_printf("%s: %s", name, xc_error_info((int)cause)->text);
}

/* A pin, or the only hosts there are, may be known to be down: that says more than that there is no such host. */
static enum xc_cause cause_of(const struct table *t, const struct xc_part *part,
                              enum xc_cause cause)
{
    const GArray *places = t->plan->group->places;
    const char *pin = part->member->spec->pin;

    for (guint i = 0; cause == XC_CAUSE_NO_SUCH_HOST && i < places->len; i++) {
        const struct xc_group_place *place = &g_array_index(places, struct xc_group_place, i);

        if (!place->usable && (!*pin || strcmp(place->host, pin) == 0) &&
            place->cause > XC_CAUSE_NONE)
            return place->cause;
    }
    return cause;
}

static void note_answers(struct table *t)
{
    for (guint i = 0; i < t->members->len; i++) {
        const struct xc_placement *answer = &g_array_index(t->answers, struct xc_placement, i);
        struct xc_part *part =
            &g_array_index(t->plan->parts, struct xc_part, g_array_index(t->ordinals, guint, i));
        enum xc_cause cause;

        if (answer->host >= 0) {
            part->host = ((const struct xc_host_ref *)t->refs->pdata[answer->host])->key;
            continue;
        }
        cause = cause_of(t, part, answer->cause);
        xc_part_fails(part, cause, why_nowhere(t, part, cause));
    }
}

/* Moves in the planner's order, one after the other; who stays has no part in it. */
static void note_moves(struct table *t, const size_t *order, size_t n)
{
    for (guint i = 0; i < t->ordinals->len; i++)
        g_array_index(t->plan->parts, struct xc_part, g_array_index(t->ordinals, guint, i)).kind =
            XC_PART_PASSES;
    for (size_t i = 0; i < n; i++) {
        guint ordinal = g_array_index(t->ordinals, guint, order[i]);
        struct xc_part *part = &g_array_index(t->plan->parts, struct xc_part, ordinal);
        gssize to = g_array_index(t->answers, struct xc_placement, order[i]).host;

        part->kind = XC_PART_ACTS;
        part->host = ((const struct xc_host_ref *)t->refs->pdata[to])->key;
        part->rank = (unsigned)i;
    }
}

static void ask(struct table *t)
{
    enum xc_spread spread = t->plan->group->spec->spread;
    const struct xc_plan_host *hosts = (const void *)t->hosts->data;
    const struct xc_plan_member *members = (const void *)t->members->data;
    struct xc_placement *answers;

    g_array_set_size(t->answers, t->members->len);
    answers = (void *)t->answers->data;
    if (xc_group_rebalances(t->plan->request)) {
        g_autofree size_t *order = g_new0(size_t, t->members->len + 1);

        note_moves(t, order,
                   xc_plan_rebalance(spread, hosts, t->hosts->len, members, t->members->len,
                                     answers, order));
        return;
    }
    if (t->plan->request->action == XC_ACTION_MIGRATE)
        spread = XC_SPREAD_EQUAL;
    xc_plan_start(spread, hosts, t->hosts->len, members, t->members->len, answers);
    note_answers(t);
}

void xc_group_place(struct xc_plan *plan)
{
    struct table t = {
        .plan = plan,
        .capability = xc_action_info(plan->request->action)->capability,
        .hosts = g_array_new(FALSE, TRUE, sizeof(struct xc_plan_host)),
        .refs = g_ptr_array_new(),
        .members = g_array_new(FALSE, TRUE, sizeof(struct xc_plan_member)),
        .ordinals = g_array_new(FALSE, TRUE, sizeof(guint)),
        .may = g_ptr_array_new_with_free_func(g_free),
        .answers = g_array_new(FALSE, TRUE, sizeof(struct xc_placement)),
    };

    add_hosts(&t);
    for (guint i = 0; i < plan->parts->len; i++)
        if (g_array_index(plan->parts, struct xc_part, i).kind == XC_PART_ACTS)
            add_member(&t, i);
    if (t.members->len)
        ask(&t);
    g_array_unref(t.hosts);
    g_ptr_array_unref(t.refs);
    g_array_unref(t.members);
    g_array_unref(t.ordinals);
    g_ptr_array_unref(t.may);
    g_array_unref(t.answers);
}
