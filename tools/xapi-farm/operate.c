/* Operations of a VM: from the call to an order for the farm, and back to XAPI's errors. */
#include "tools/xapi-farm/link.h"
#include "tools/xapi-farm/vm.h"

#include <string.h>

/* What is known of an operation while the lock is not held. */
struct work {
    const struct xf_operation *operation;
    enum xc_action action;
    char *vm; /* reference */
    char *vm_uuid;
    char *host;      /* reference of the one it goes to, or is on */
    char *host_name; /* of one it goes to, as the farm calls it; "" none */
    gint64 needed;   /* octets of memory */
    unsigned amount;
    const char *away; /* host_name is one of another pool; NULL: it is not */
};

static void clear_work(struct work *work)
{
    g_free(work->vm);
    g_free(work->vm_uuid);
    g_free(work->host);
    g_free(work->host_name);
}

/* --- where */

static struct xf_object *metrics_of(struct xf_db *db, const struct xf_object *host)
{
    return xf_db_find(db, "host_metrics", xf_get_text(host, "metrics"));
}

static gint64 free_on(struct xf_db *db, const struct xf_object *host)
{
    const struct xf_object *metrics = metrics_of(db, host);

    return metrics ? xf_get_int(metrics, "memory_free") : 0;
}

static bool can_take(struct xf_db *db, const struct xf_object *host, gint64 needed)
{
    const struct xf_object *metrics = metrics_of(db, host);

    return metrics && xf_get_bool(metrics, "live") && xf_get_bool(host, "enabled") &&
           free_on(db, host) >= needed;
}

/* The home of the VM if it can, else the first that can. */
struct xf_object *xf_vm_choose_host(struct xf_db *db, const struct xf_object *vm, gint64 needed)
{
    struct xf_object *home = xf_db_find(db, "host", xf_get_text(vm, "affinity"));

    if (home && can_take(db, home, needed))
        return home;
    for (GList *at = xf_db_all(db, xf_class_find("host")); at; at = at->next)
        if (can_take(db, at->data, needed))
            return at->data;
    return NULL;
}

static bool fail_memory(struct xf_call *call, gint64 needed, gint64 available)
{
    g_autofree char *need = g_strdup_printf("%" G_GINT64_FORMAT, needed);
    g_autofree char *have = g_strdup_printf("%" G_GINT64_FORMAT, available);

    return xf_call_fail(call, "HOST_NOT_ENOUGH_FREE_MEMORY", need, have);
}

static bool check_host(struct xf_call *call, const struct xf_object *host, gint64 needed)
{
    struct xf_db *db = call->server->db;
    const struct xf_object *metrics = metrics_of(db, host);

    if (!xf_get_bool(host, "enabled"))
        return xf_call_fail(call, "HOST_DISABLED", host->ref);
    if (!metrics || !xf_get_bool(metrics, "live"))
        return xf_call_fail(call, "HOST_NOT_LIVE");
    return free_on(db, host) >= needed || fail_memory(call, needed, free_on(db, host));
}

static bool find_host(struct xf_call *call, const struct xf_object *vm, struct work *work)
{
    bool begins = work->action == XC_ACTION_START || work->action == XC_ACTION_RESUME;
    struct xf_object *host = NULL;

    work->host = g_strdup(xf_get_text(vm, "resident_on"));
    work->host_name = g_strdup("");
    if (work->away) {
        g_free(work->host_name);
        work->host_name = g_strdup(work->away);
    } else if (work->operation->host) {
        host = xf_param_object(call, (unsigned)work->operation->host, "host");
        if (!host || !check_host(call, host, work->needed))
            return false;
    } else if (begins) {
        host = xf_vm_choose_host(call->server->db, vm, work->needed);
        if (!host)
            return xf_call_fail(call, "NO_HOSTS_AVAILABLE");
    }
    if (host) {
        g_free(work->host);
        g_free(work->host_name);
        work->host = g_strdup(host->ref);
        work->host_name = g_strdup(xf_get_text(host, "name_label"));
    }
    return true;
}

/* --- before and after; with the lock */

static bool prepare(struct xf_call *call, struct work *work)
{
    struct xf_db *db = call->server->db;
    struct xf_object *vm = xf_param_object(call, 0, "VM");

    if (!vm || !xf_vm_check(call, vm, work->operation))
        return false;
    work->vm = g_strdup(vm->ref);
    work->vm_uuid = g_strdup(xf_get_text(vm, "uuid"));
    work->needed = xf_get_int(vm, "memory_dynamic_max");
    /* What a stopped guest can't hear is done the hard way. */
    if (strcmp(work->operation->method, "shutdown") == 0 && xf_vm_power(vm) == XF_PAUSED)
        work->action = XC_ACTION_DESTROY;
    if (!find_host(call, vm, work))
        return false;
    /* XAPI takes that; a farm has nothing to do for it. */
    if (work->action == XC_ACTION_MIGRATE && !work->away &&
        strcmp(work->host, xf_get_text(vm, "resident_on")) == 0)
        work->action = XC_ACTION_NOOP;
    /* A copy that was never started is nothing that the farm knows yet. */
    if (work->action == XC_ACTION_START && !xf_link_has(call->server->link, work->vm_uuid))
        work->action = XC_ACTION_CREATE;
    xf_vm_mark(db, vm, call->task, work->operation->operation);
    if (*work->host_name && !work->away)
        xf_set_text(db, vm, "scheduled_to_be_resident_on", work->host);
    return true;
}

static void finish(struct xf_call *call, const struct work *work)
{
    struct xf_object *vm = xf_db_find(call->server->db, "VM", work->vm);

    if (!vm)
        return;
    xf_vm_mark(call->server->db, vm, call->task, NULL);
    xf_set_text(call->server->db, vm, "scheduled_to_be_resident_on", XF_NULL);
}

/* --- what the farm said */

/* How a cause is said, with which parameters: v the VM, V its class, h the host, H its class, t the task, o what goes
 * on, x the farm's words, s the seconds a guest has, z none. A state or memory is looked at again: e and m. */
static const struct {
    enum xc_cause cause;
    const char *code;
    const char *params;
} errors[] = {
    {XC_CAUSE_BAD_STATE, "VM_BAD_POWER_STATE", "e"},
    {XC_CAUSE_NO_SUCH_TARGET, "VM_BAD_POWER_STATE", "e"},
    {XC_CAUSE_NO_MEMORY, "HOST_NOT_ENOUGH_FREE_MEMORY", "m"},
    {XC_CAUSE_BUSY, "OTHER_OPERATION_IN_PROGRESS", "Vvot"},
    {XC_CAUSE_CANCELLED, "TASK_CANCELLED", "t"},
    {XC_CAUSE_TIMED_OUT, "VM_SHUTDOWN_TIMEOUT", "vs"},
    {XC_CAUSE_GUEST_IGNORED, "VM_FAILED_SHUTDOWN_ACKNOWLEDGMENT", "v"},
    {XC_CAUSE_NO_GUEST_DRIVER, "VM_LACKS_FEATURE", "v"},
    {XC_CAUSE_HOST_DOWN, "HOST_OFFLINE", "h"},
    {XC_CAUSE_NO_SUCH_HOST, "HANDLE_INVALID", "Hh"},
    {XC_CAUSE_INCOMPATIBLE_CPU, "VM_INCOMPATIBLE_WITH_THIS_HOST", "vhx"},
    {XC_CAUSE_NO_STORAGE, "SR_FULL", "zz"},
    {XC_CAUSE_NOT_SUPPORTED, "OPERATION_NOT_ALLOWED", "x"},
    {XC_CAUSE_BAD_VALUE, "INVALID_VALUE", "ox"},
};
#define PARAMS_MAX 4

static bool fail_state(struct xf_call *call, const struct work *work)
{
    struct xf_object *vm = xf_db_find(call->server->db, "VM", work->vm);

    /* The database may have been behind when it was looked at first. */
    if (!vm || !xf_vm_check(call, vm, work->operation))
        return xf_call_fail(call, "HANDLE_INVALID", "VM", work->vm);
    return xf_call_fail(call, "VM_BAD_POWER_STATE", work->vm, "running", "unknown");
}

static const char *param_text(const struct xf_call *call, const struct work *work, char letter,
                              const char *text)
{
    switch (letter) {
    case 'v':
        return work->vm;
    case 'V':
        return "VM";
    case 'h':
        return work->host;
    case 'H':
        return "host";
    case 't':
        return call->task->ref;
    case 'o':
        return work->operation->operation;
    case 's':
        return XF_SHUTDOWN_SEC_TEXT;
    case 'z':
        return "0";
    default:
        return text;
    }
}

static bool fail_outcome(struct xf_call *call, const struct work *work, const char *code,
                         const char *params, const char *text)
{
    struct xf_db *db = call->server->db;
    const struct xf_object *host = xf_db_find(db, "host", work->host);
    const char *description[PARAMS_MAX + 2] = {code};

    if (*params == 'e')
        return fail_state(call, work);
    if (*params == 'm')
        return fail_memory(call, work->needed, host ? free_on(db, host) : 0);
    for (unsigned i = 0; i < PARAMS_MAX && params[i]; i++)
        description[i + 1] = param_text(call, work, params[i], text);
    return xf_call_fail_with(call, description);
}

static bool take_outcome(struct xf_call *call, const struct work *work,
                         const struct xc_outcome *outcome)
{
    const char *text = outcome->text ? outcome->text : "";

    if (outcome->result == XC_RESULT_OK)
        return true;
    for (unsigned i = 0; i < G_N_ELEMENTS(errors); i++)
        if (errors[i].cause == outcome->cause)
            return fail_outcome(call, work, errors[i].code, errors[i].params, text);
    if (work->away)
        return xf_call_fail(call, "VM_MIGRATE_FAILED", work->vm, work->host, work->away, text);
    return xf_call_fail(call, "INTERNAL_ERROR", text);
}

/* --- doing it */

/* One order; without the lock. */
static bool order(struct xf_call *call, const struct work *work, enum xc_action action,
                  unsigned amount)
{
    bool moves = action == XC_ACTION_MIGRATE || action == XC_ACTION_CHECK_MIGRATE;
    struct xc_outcome outcome = {0};
    bool ok;

    xf_link_run(call->task, action, work->vm_uuid, moves ? "" : work->host_name,
                moves ? work->host_name : "", amount, &outcome);
    xf_link_refresh(call->server->link);
    xf_db_lock(call->server->db);
    ok = take_outcome(call, work, &outcome);
    xf_db_unlock(call->server->db);
    xc_outcome_clear(&outcome);
    return ok;
}

static bool operate(struct xf_call *call, struct work *work)
{
    bool ok;

    xf_db_lock(call->server->db);
    ok = prepare(call, work);
    xf_db_unlock(call->server->db);
    if (!ok)
        return false;
    ok = work->action == XC_ACTION_NOOP || order(call, work, work->action, work->amount);
    if (ok && work->operation->paused && xf_param_bool(call, (unsigned)work->operation->paused))
        ok = order(call, work, XC_ACTION_PAUSE, 0);
    xf_db_lock(call->server->db);
    finish(call, work);
    xf_db_unlock(call->server->db);
    return ok;
}

static bool operate_with(struct xf_call *call, unsigned amount)
{
    struct work work = {.operation = xf_operation_find(call->method + strlen("VM."), true),
                        .amount = amount};
    bool ok;

    work.action = work.operation->action;
    ok = operate(call, &work);
    clear_work(&work);
    return ok;
}

bool xf_vm_operate(struct xf_call *call)
{
    return operate_with(call, 0);
}

bool xf_vm_leave(struct xf_call *call, enum xc_action action, const char *host)
{
    struct work work = {
        .operation = xf_operation_find("migrate_send", true), .action = action, .away = host};
    bool ok = operate(call, &work);

    clear_work(&work);
    return ok;
}

bool xf_vm_set_vcpus(struct xf_call *call)
{
    return operate_with(call, (unsigned)CLAMP(xf_param_int(call, 1), 0, G_MAXUINT16));
}

/* A VM that does not run has its range in the database alone. */
bool xf_vm_set_memory(struct xf_call *call)
{
    struct xf_db *db = call->server->db;
    gint64 min = xf_param_int(call, 1);
    gint64 max = xf_param_int(call, 2);
    struct xf_object *vm;
    bool running;
    bool ok;

    xf_db_lock(db);
    vm = xf_param_object(call, 0, "VM");
    running = vm && xf_vm_power(vm) == XF_RUNNING;
    ok = vm && ((min <= max && xf_get_int(vm, "memory_static_min") <= min &&
                 max <= xf_get_int(vm, "memory_static_max")) ||
                xf_call_fail(call, "MEMORY_CONSTRAINT_VIOLATION_ORDER"));
    xf_db_unlock(db);
    if (!ok || (running && !operate_with(call, (unsigned)(max >> 20))))
        return false;
    xf_db_lock(db);
    vm = xf_param_object(call, 0, "VM");
    if (vm) {
        xf_set(db, vm, "memory_dynamic_min", g_variant_new_int64(min));
        xf_set(db, vm, "memory_dynamic_max", g_variant_new_int64(max));
    }
    xf_db_unlock(db);
    return vm != NULL;
}

bool xf_vm_assert_can_boot_here(struct xf_call *call)
{
    struct xf_object *host;
    struct xf_object *vm;
    bool ok;

    xf_db_lock(call->server->db);
    vm = xf_param_object(call, 0, "VM");
    host = vm ? xf_param_object(call, 1, "host") : NULL;
    ok = host && check_host(call, host, xf_get_int(vm, "memory_dynamic_max"));
    xf_db_unlock(call->server->db);
    return ok;
}

bool xf_vm_can_move_within(struct xf_call *call)
{
    g_autofree char *ref = xf_param_member(call, 1, "host");
    struct work work = {.operation = xf_operation_find("migrate_send", true)};
    struct xf_object *vm;
    struct xf_object *host = NULL;
    bool ok;

    xf_db_lock(call->server->db);
    vm = xf_param_object(call, 0, "VM");
    if (vm)
        host = xf_db_find(call->server->db, "host", ref ? ref : "");
    if (vm && !host)
        xf_call_fail(call, "HANDLE_INVALID", "host", ref ? ref : "");
    ok = vm && host && xf_vm_check(call, vm, work.operation) &&
         check_host(call, host, xf_get_int(vm, "memory_dynamic_max"));
    if (ok) {
        work.vm = g_strdup(vm->ref);
        work.vm_uuid = g_strdup(xf_get_text(vm, "uuid"));
        work.host = g_strdup(host->ref);
        work.host_name = g_strdup(xf_get_text(host, "name_label"));
    }
    xf_db_unlock(call->server->db);
    ok = ok && order(call, &work, XC_ACTION_CHECK_MIGRATE, 0);
    clear_work(&work);
    return ok;
}
