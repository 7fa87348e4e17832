/* Back to a snapshot: what the VM does now is ended, and what it did then begins, as orders to the farm. The farm's guests
 * have no disks that could be brought back. */
#include "tools/xapi-farm/link.h"
#include "tools/xapi-farm/vm.h"

#include <string.h>

/* From one power state to another, in steps; NOOP ends. */
static const struct {
    enum xf_power from, to;
    enum xc_action steps[4];
} ways[] = {
    {XF_RUNNING, XF_HALTED, {XC_ACTION_DESTROY}},
    {XF_PAUSED, XF_HALTED, {XC_ACTION_DESTROY}},
    {XF_SUSPENDED, XF_HALTED, {XC_ACTION_RESUME, XC_ACTION_DESTROY}},
    {XF_RUNNING, XF_SUSPENDED, {XC_ACTION_SUSPEND}},
    {XF_PAUSED, XF_SUSPENDED, {XC_ACTION_UNPAUSE, XC_ACTION_SUSPEND}},
    {XF_HALTED, XF_SUSPENDED, {XC_ACTION_START, XC_ACTION_SUSPEND}},
};

static bool order(struct xf_call *call, enum xc_action action, const char *vm_uuid,
                  const char *host)
{
    struct xc_outcome outcome = {0};
    bool begins = action == XC_ACTION_START || action == XC_ACTION_RESUME;
    bool ok;

    xf_link_run(call->task, action, vm_uuid, begins ? host : "", "", 0, &outcome);
    xf_link_refresh(call->server->link);
    ok = outcome.result == XC_RESULT_OK ||
         xf_call_fail(call, "INTERNAL_ERROR", outcome.text ? outcome.text : "");
    xc_outcome_clear(&outcome);
    return ok;
}

static bool go(struct xf_call *call, enum xf_power from, enum xf_power to, const char *vm_uuid,
               const char *host)
{
    bool ok = true;

    for (unsigned i = 0; i < G_N_ELEMENTS(ways); i++)
        for (unsigned s = 0; ways[i].from == from && ways[i].to == to && ways[i].steps[s]; s++)
            ok = ok && order(call, ways[i].steps[s], vm_uuid, host);
    return ok;
}

bool xf_vm_revert(struct xf_call *call)
{
    struct xf_db *db = call->server->db;
    struct xf_object *snapshot, *vm = NULL;
    const struct xf_object *host;
    g_autofree char *ref = NULL;
    g_autofree char *uuid = NULL;
    g_autofree char *name = NULL;
    enum xf_power from = XF_HALTED, to = XF_HALTED;
    bool ok;

    xf_db_lock(db);
    snapshot = xf_param_object(call, 0, "VM");
    ok = snapshot && xf_vm_check(call, snapshot, xf_operation_find("revert", true));
    if (ok)
        vm = xf_db_find(db, "VM", xf_get_text(snapshot, "snapshot_of"));
    if (ok && !vm)
        ok = xf_call_fail(call, "VM_REVERT_FAILED", XF_NULL, snapshot->ref);
    if (ok && vm) {
        from = xf_vm_power(vm);
        to = xf_vm_power(snapshot);
        host = xf_vm_choose_host(db, vm, xf_get_int(vm, "memory_dynamic_max"));
        name = g_strdup(host ? xf_get_text(host, "name_label") : "");
        ref = g_strdup(vm->ref);
        uuid = g_strdup(xf_get_text(vm, "uuid"));
        xf_vm_mark(db, vm, call->task, "reverting");
        /* As XAPI does: our marks of what came after the snapshot are gone. */
        xf_set(db, vm, "other_config", xf_get(snapshot, "other_config"));
        xf_set_text(db, vm, "parent", snapshot->ref);
    }
    xf_db_unlock(db);
    if (!ok)
        return false;
    ok = go(call, from, to, uuid, name);
    xf_db_lock(db);
    vm = xf_db_find(db, "VM", ref);
    if (vm)
        xf_vm_mark(db, vm, call->task, NULL);
    xf_db_unlock(db);
    return ok;
}
