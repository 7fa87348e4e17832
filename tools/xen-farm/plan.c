/* What each action does to the world, step by step. */
#include "tools/xen-farm/operation.h"

static bool enter_build(struct farm_fleet *fleet, struct farm_op *op, GError **error)
{
    if (op->guest && !op->domain) {
        op->domain = farm_domain_define(fleet, op->host, op->guest, error);
        if (!op->domain)
            return false;
        op->domain->op = op;
        op->domain->executions++;
        op->domain_uuid = op->domain->uuid;
    }
    return farm_domain_place(fleet, op->domain, op->host, error);
}

static bool enter_ask(struct farm_fleet *fleet, struct farm_op *op, GError **error)
{
    (void)error;
    farm_domain_set_state(fleet, op->domain, XC_STATE_SHUTTING_DOWN, XC_REASON_NONE);
    return true;
}

static bool enter_save(struct farm_fleet *fleet, struct farm_op *op, GError **error)
{
    (void)error;
    farm_domain_set_state(fleet, op->domain, XC_STATE_SUSPENDING, XC_REASON_NONE);
    return true;
}

static bool enter_again(struct farm_fleet *fleet, struct farm_op *op, GError **error)
{
    farm_domain_release(fleet, op->domain, XC_REASON_REBOOT);
    return enter_build(fleet, op, error);
}

static bool check_target(const struct farm_op *op, GError **error)
{
    const struct farm_host *target = op->target;
    uint64_t free_kib;

    if (!target)
        return xc_fail(error, XC_CAUSE_NO_SUCH_HOST, "no such destination in this farm");
    if (target == op->host)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "\"%s\" is on %s already", op->name,
                       target->name);
    if (target->fault == FARM_DOWN)
        return xc_fail(error, XC_CAUSE_HOST_DOWN,
                       "ssh: connect to host %s port 22: No route to host", target->name);
    free_kib = farm_host_free_kib(target);
    if (free_kib < op->domain->mem_kib)
        return xc_fail(error, XC_CAUSE_NO_MEMORY,
                       "not enough memory on %s: %" G_GUINT64_FORMAT
                       " MiB needed, %" G_GUINT64_FORMAT " MiB free",
                       target->name, op->domain->mem_kib / 1024, free_kib / 1024);
    return true;
}

static bool enter_check(struct farm_fleet *fleet, struct farm_op *op, GError **error)
{
    (void)fleet;
    return check_target(op, error);
}

static bool enter_send(struct farm_fleet *fleet, struct farm_op *op, GError **error)
{
    if (!check_target(op, error) || !farm_host_reserve(op->target, op->domain->mem_kib, error))
        return false;
    op->incoming_domid = farm_host_domid(op->target);
    g_ptr_array_add(op->target->incoming, op);
    farm_changed(fleet, op->host);
    farm_changed(fleet, op->target);
    return true;
}

static bool done_running(struct farm_fleet *fleet, struct farm_op *op, GError **error)
{
    (void)error;
    farm_domain_set_state(fleet, op->domain, XC_STATE_RUNNING, XC_REASON_NONE);
    return true;
}

static bool done_paused(struct farm_fleet *fleet, struct farm_op *op, GError **error)
{
    (void)error;
    farm_domain_set_state(fleet, op->domain, XC_STATE_PAUSED, XC_REASON_NONE);
    return true;
}

static bool done_suspended(struct farm_fleet *fleet, struct farm_op *op, GError **error)
{
    (void)error;
    farm_domain_suspend(fleet, op->domain);
    return true;
}

/* The guest may have gone down by itself or by another hand meanwhile. */
static bool done_down(struct farm_fleet *fleet, struct farm_op *op, GError **error)
{
    (void)error;
    if (farm_domain_living(op->domain))
        farm_domain_release(fleet, op->domain, XC_REASON_POWEROFF);
    return true;
}

static bool done_destroyed(struct farm_fleet *fleet, struct farm_op *op, GError **error)
{
    (void)error;
    if (farm_domain_living(op->domain))
        farm_domain_release(fleet, op->domain, XC_REASON_NONE);
    return true;
}

static bool done_moved(struct farm_fleet *fleet, struct farm_op *op, GError **error)
{
    (void)error;
    g_ptr_array_remove(op->target->incoming, op);
    farm_domain_move(fleet, op->domain, op->target, op->incoming_domid);
    op->incoming_domid = 0;
    return true;
}

static bool done_memory(struct farm_fleet *fleet, struct farm_op *op, GError **error)
{
    struct farm_domain *domain = op->domain;
    uint64_t kib = (uint64_t)op->amount * 1024;

    if (kib > domain->mem_max_kib)
        return xc_fail(error, XC_CAUSE_BAD_VALUE,
                       "\"%s\": memory target above its maximum of %" G_GUINT64_FORMAT " MiB",
                       op->name, domain->mem_max_kib / 1024);
    if (kib > domain->mem_kib && !farm_host_reserve(op->host, kib - domain->mem_kib, error))
        return false;
    if (kib < domain->mem_kib)
        op->host->used_kib -= MIN(op->host->used_kib, domain->mem_kib - kib);
    domain->mem_kib = kib;
    farm_changed(fleet, op->host);
    return true;
}

static bool done_vcpus(struct farm_fleet *fleet, struct farm_op *op, GError **error)
{
    if (op->amount > op->domain->vcpus)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "\"%s\" has %u virtual CPUs at most", op->name,
                       op->domain->vcpus);
    op->domain->vcpus_online = (uint16_t)op->amount;
    farm_changed(fleet, op->host);
    return true;
}

static bool done_weight(struct farm_fleet *fleet, struct farm_op *op, GError **error)
{
    (void)fleet;
    (void)error;
    op->domain->weight = (uint16_t)op->amount;
    return true;
}

static bool done_cap(struct farm_fleet *fleet, struct farm_op *op, GError **error)
{
    (void)fleet;
    (void)error;
    op->domain->cap = op->amount;
    return true;
}

/* Leaves nothing that a simulation could show. */
static bool done_nothing(struct farm_fleet *fleet, struct farm_op *op, GError **error)
{
    (void)fleet;
    (void)op;
    (void)error;
    return true;
}

static bool done_checked(struct farm_fleet *fleet, struct farm_op *op, GError **error)
{
    (void)fleet;
    return check_target(op, error);
}

#define BUILD                                                                                      \
    {                                                                                              \
        .phase = "building", .base_ms = 1200, .per_gib_ms = 100, .enter = enter_build              \
    }
#define AGAIN                                                                                      \
    {                                                                                              \
        .phase = "building", .base_ms = 1200, .per_gib_ms = 100, .enter = enter_again              \
    }
#define ASK                                                                                        \
    {                                                                                              \
        .phase = "waiting for the guest", .base_ms = 4000, .guest = true, .enter = enter_ask       \
    }

static const struct farm_plan plans[] = {
    {.action = XC_ACTION_START,
     .from = XC_IN(XC_STATE_SHUTDOWN),
     .steps = {BUILD},
     .done = done_running},
    {.action = XC_ACTION_SHUTDOWN,
     .from = XC_IN(XC_STATE_RUNNING),
     .steps = {ASK},
     .done = done_down},
    {.action = XC_ACTION_REBOOT,
     .from = XC_IN(XC_STATE_RUNNING),
     .steps = {ASK, AGAIN},
     .done = done_running},
    {.action = XC_ACTION_PAUSE,
     .from = XC_IN(XC_STATE_RUNNING),
     .steps = {{.phase = "pausing", .base_ms = 60}},
     .done = done_paused},
    {.action = XC_ACTION_UNPAUSE,
     .from = XC_IN(XC_STATE_PAUSED),
     .steps = {{.phase = "unpausing", .base_ms = 60}},
     .done = done_running},
    {.action = XC_ACTION_SUSPEND,
     .from = XC_IN(XC_STATE_RUNNING) | XC_IN(XC_STATE_PAUSED),
     .steps = {{.phase = "saving",
                .base_ms = 800,
                .per_gib_ms = 700,
                .progress = true,
                .enter = enter_save},
               {.phase = "ending it", .base_ms = 200, .fixed = true}},
     .done = done_suspended},
    {.action = XC_ACTION_RESUME,
     .from = XC_IN(XC_STATE_SUSPENDED),
     .steps = {{.phase = "restoring",
                .base_ms = 800,
                .per_gib_ms = 700,
                .progress = true,
                .enter = enter_build}},
     .done = done_running},
    {.action = XC_ACTION_DESTROY,
     .supersedes = true,
     .from = ~(XC_IN(XC_STATE_SHUTDOWN) | XC_IN(XC_STATE_SUSPENDED)),
     .steps = {{.phase = "destroying", .base_ms = 250}},
     .done = done_destroyed},
    {.action = XC_ACTION_RESET,
     .supersedes = true,
     .from = XC_IN(XC_STATE_RUNNING) | XC_IN(XC_STATE_PAUSED) | XC_IN(XC_STATE_CRASHED) |
             XC_IN(XC_STATE_SHUTTING_DOWN),
     .steps = {{.phase = "destroying", .base_ms = 250}, AGAIN},
     .done = done_running},
    {.action = XC_ACTION_MIGRATE,
     .from = XC_IN(XC_STATE_RUNNING),
     .steps = {{.phase = "checking the destination", .base_ms = 200, .enter = enter_check},
               {.phase = "sending memory",
                .base_ms = 1000,
                .per_gib_ms = 900,
                .progress = true,
                .enter = enter_send},
               {.phase = "handing over", .base_ms = 300, .fixed = true}},
     .done = done_moved},
    {.action = XC_ACTION_CREATE,
     .steps = {{.phase = "reading the configuration", .base_ms = 100}, BUILD},
     .done = done_running},
    {.action = XC_ACTION_CHECK_MIGRATE,
     .looks = true,
     .from = XC_IN(XC_STATE_RUNNING) | XC_IN(XC_STATE_PAUSED) | XC_IN(XC_STATE_SHUTDOWN),
     .steps = {{.phase = "checking the destination", .base_ms = 200}},
     .done = done_checked},
    {.action = XC_ACTION_SET_MEMORY,
     .from = XC_IN(XC_STATE_RUNNING),
     .steps = {{.phase = "waiting for the guest", .base_ms = 400, .per_gib_ms = 50}},
     .done = done_memory},
    {.action = XC_ACTION_SET_VCPUS,
     .from = XC_IN(XC_STATE_RUNNING),
     .steps = {{.phase = "waiting for the guest", .base_ms = 200}},
     .done = done_vcpus},
    {.action = XC_ACTION_SET_WEIGHT,
     .from = XC_IN(XC_STATE_RUNNING) | XC_IN(XC_STATE_PAUSED),
     .steps = {{.phase = "setting the weight", .base_ms = 60}},
     .done = done_weight},
    {.action = XC_ACTION_SET_CAP,
     .from = XC_IN(XC_STATE_RUNNING) | XC_IN(XC_STATE_PAUSED),
     .steps = {{.phase = "setting the cap", .base_ms = 60}},
     .done = done_cap},
    {.action = XC_ACTION_DUMP_CORE,
     .from = XC_IN(XC_STATE_RUNNING) | XC_IN(XC_STATE_PAUSED) | XC_IN(XC_STATE_CRASHED),
     .steps = {{.phase = "writing the core", .base_ms = 300, .per_gib_ms = 400, .progress = true}},
     .done = done_nothing},
    {.action = XC_ACTION_NMI,
     .from = XC_IN(XC_STATE_RUNNING),
     .steps = {{.phase = "sending the NMI", .base_ms = 60}},
     .done = done_nothing},
};

const struct farm_plan *farm_plan_of(enum xc_action action)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(plans); i++)
        if (plans[i].action == action)
            return &plans[i];
    return NULL;
}

unsigned farm_plan_steps(const struct farm_plan *plan)
{
    unsigned n = 0;

    while (n < FARM_MAX_STEPS && plan->steps[n].phase)
        n++;
    return n;
}

unsigned farm_plan_trouble(const struct farm_plan *plan)
{
    unsigned n = farm_plan_steps(plan);

    return n >= 2 ? n - 2 : 0;
}
