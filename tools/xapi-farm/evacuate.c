/* All guests of a host to others, one after the other. */
#include "tools/xapi-farm/link.h"
#include "tools/xapi-farm/vm.h"

#include <string.h>

struct move {
    char *vm_uuid;
    char *host; /* as the farm calls it */
};

static void clear_move(struct move *move)
{
    g_clear_pointer(&move->vm_uuid, g_free);
    g_clear_pointer(&move->host, g_free);
}

static bool fail_memory(struct xf_call *call, const struct xf_object *vm)
{
    g_autofree char *text = g_strdup_printf("VM_REQUIRES_HOST,%s", vm->ref);

    return xf_call_fail(call, "CANNOT_EVACUATE_HOST", text);
}

/* The first guest that is still there; move->vm_uuid NULL: there is none. With the lock. */
static bool next_move(struct xf_call *call, struct move *move)
{
    struct xf_db *db = call->server->db;
    struct xf_object *from = xf_param_object(call, 0, "host");

    if (!from)
        return false;
    if (xf_get_bool(from, "enabled"))
        return xf_call_fail(call, "HOST_NOT_DISABLED");
    for (GList *at = xf_db_all(db, xf_class_find("VM")); at; at = at->next) {
        const struct xf_object *vm = at->data;
        const struct xf_object *to;

        if (!xf_vm_is_guest(vm) || strcmp(xf_get_text(vm, "resident_on"), from->ref) != 0)
            continue;
        to = xf_vm_choose_host(db, vm, xf_get_int(vm, "memory_dynamic_max"));
        if (!to)
            return fail_memory(call, vm);
        move->vm_uuid = g_strdup(xf_get_text(vm, "uuid"));
        move->host = g_strdup(xf_get_text(to, "name_label"));
        return true;
    }
    return true;
}

static bool carry_out(struct xf_call *call, const struct move *move)
{
    struct xc_outcome outcome = {0};
    bool ok;

    xf_link_run(call->task, XC_ACTION_MIGRATE, move->vm_uuid, "", move->host, 0, &outcome);
    xf_link_refresh(call->server->link);
    ok = outcome.result == XC_RESULT_OK ||
         (outcome.cause == XC_CAUSE_CANCELLED
              ? xf_call_fail(call, "TASK_CANCELLED", call->task->ref)
              : xf_call_fail(call, "CANNOT_EVACUATE_HOST", outcome.text ? outcome.text : ""));
    xc_outcome_clear(&outcome);
    return ok;
}

bool xf_host_evacuate(struct xf_call *call)
{
    struct move move = {0};
    bool more = true;
    bool ok = true;

    while (ok && more) {
        xf_db_lock(call->server->db);
        ok = next_move(call, &move);
        xf_db_unlock(call->server->db);
        more = ok && move.vm_uuid;
        ok = ok && (!more || carry_out(call, &move));
        clear_move(&move);
    }
    return ok;
}
