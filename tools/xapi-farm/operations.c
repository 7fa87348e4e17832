/* Which operation of a VM is possible when: the table, and XAPI's order of refusals. */
#include "tools/xapi-farm/vm.h"

#include "xenclient/util/clock.h"

#include <string.h>

/* hard_shutdown of a suspended VM is in XAPI's list too, but nothing that a farm can do. */
static const struct xf_operation operations[] = {
    {"start", "start", XC_ACTION_START, XF_HALTED, 0, 1, false},
    {"start_on", "start_on", XC_ACTION_START, XF_HALTED, 1, 2, false},
    {"clean_shutdown", "clean_shutdown", XC_ACTION_SHUTDOWN, XF_RUNNING, 0, 0, false},
    {"hard_shutdown", "hard_shutdown", XC_ACTION_DESTROY, XF_RUNNING | XF_PAUSED, 0, 0, true},
    {"shutdown", "shutdown", XC_ACTION_SHUTDOWN, XF_RUNNING | XF_PAUSED, 0, 0, false},
    {"clean_reboot", "clean_reboot", XC_ACTION_REBOOT, XF_RUNNING, 0, 0, false},
    {"hard_reboot", "hard_reboot", XC_ACTION_RESET, XF_RUNNING | XF_PAUSED, 0, 0, true},
    {"pause", "pause", XC_ACTION_PAUSE, XF_RUNNING, 0, 0, false},
    {"unpause", "unpause", XC_ACTION_UNPAUSE, XF_PAUSED, 0, 0, false},
    {"suspend", "suspend", XC_ACTION_SUSPEND, XF_RUNNING, 0, 0, false},
    {"resume", "resume", XC_ACTION_RESUME, XF_SUSPENDED, 0, 1, false},
    {"resume_on", "resume_on", XC_ACTION_RESUME, XF_SUSPENDED, 1, 2, false},
    {"pool_migrate", "pool_migrate", XC_ACTION_MIGRATE, XF_RUNNING, 1, 0, false},
    {"migrate_send", "migrate_send", XC_ACTION_MIGRATE, XF_RUNNING | XF_PAUSED | XF_HALTED, 0, 0,
     false},
    {"set_memory_dynamic_range", "changing_dynamic_range", XC_ACTION_SET_MEMORY,
     XF_RUNNING | XF_HALTED, 0, 0, false},
    {"set_VCPUs_number_live", "changing_VCPUs_live", XC_ACTION_SET_VCPUS, XF_RUNNING, 0, 0, false},
    {"clone", "clone", XC_ACTION_NOOP, XF_HALTED | XF_SUSPENDED, 0, 0, false},
    {"snapshot", "snapshot", XC_ACTION_NOOP, XF_HALTED | XF_PAUSED | XF_RUNNING | XF_SUSPENDED, 0,
     0, false},
    {"checkpoint", "checkpoint", XC_ACTION_NOOP, XF_PAUSED | XF_RUNNING | XF_SUSPENDED, 0, 0,
     false},
    {"revert", "revert", XC_ACTION_NOOP, XF_HALTED | XF_SUSPENDED, 0, 0, false},
    {"provision", "provision", XC_ACTION_NOOP, XF_HALTED, 0, 0, false},
    {"destroy", "destroy", XC_ACTION_NOOP, XF_HALTED | XF_SUSPENDED, 0, 0, false},
};

static const struct {
    enum xf_power power;
    const char *name;
    const char *lower;
} powers[] = {{XF_HALTED, "Halted", "halted"},
              {XF_PAUSED, "Paused", "paused"},
              {XF_RUNNING, "Running", "running"},
              {XF_SUSPENDED, "Suspended", "suspended"}};

const struct xf_operation *xf_operation_find(const char *name, bool by_method)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(operations); i++)
        if (strcmp(by_method ? operations[i].method : operations[i].operation, name) == 0)
            return &operations[i];
    return NULL;
}

enum xf_power xf_vm_power(const struct xf_object *vm)
{
    const char *state = xf_get_text(vm, "power_state");

    for (unsigned i = 0; i < G_N_ELEMENTS(powers); i++)
        if (strcmp(powers[i].name, state) == 0)
            return powers[i].power;
    return XF_HALTED;
}

bool xf_vm_is_guest(const struct xf_object *vm)
{
    return !xf_get_bool(vm, "is_a_template") && !xf_get_bool(vm, "is_a_snapshot") &&
           !xf_get_bool(vm, "is_control_domain");
}

/* --- refusals */

/* As XAPI says states in its errors. */
static char *power_names(unsigned from)
{
    GString *names = g_string_new(NULL);

    for (unsigned i = 0; i < G_N_ELEMENTS(powers); i++)
        if (from & powers[i].power)
            g_string_append_printf(names, "%s%s", names->len ? ", " : "", powers[i].lower);
    return g_string_free(names, FALSE);
}

static bool check_power(struct xf_call *call, const struct xf_object *vm, unsigned from)
{
    unsigned power = xf_vm_power(vm);
    g_autofree char *expected = power_names(from);
    g_autofree char *actual = power_names(power);

    return power & from || xf_call_fail(call, "VM_BAD_POWER_STATE", vm->ref, expected, actual);
}

static bool check_others(struct xf_call *call, struct xf_object *vm)
{
    GVariantIter iter;
    const char *task;
    const char *operation;

    g_variant_iter_init(&iter, xf_get(vm, "current_operations"));
    return !g_variant_iter_next(&iter, "{&s&s}", &task, &operation) ||
           xf_call_fail(call, "OTHER_OPERATION_IN_PROGRESS", "VM", vm->ref, operation, task);
}

static bool check_kind(struct xf_call *call, const struct xf_object *vm, const char *operation)
{
    bool reverts = strcmp(operation, "revert") == 0;
    bool copies = strcmp(operation, "clone") == 0 || strcmp(operation, "destroy") == 0 || reverts;

    if (reverts && !xf_get_bool(vm, "is_a_snapshot"))
        return xf_call_fail(call, "REVERT_ONLY_ALLOWED_ON_SNAPSHOT");

    if (xf_get_bool(vm, "is_a_snapshot") && !copies)
        return xf_call_fail(call, "VM_IS_SNAPSHOT", vm->ref, operation);
    if (xf_get_bool(vm, "is_a_template") && !copies && strcmp(operation, "provision") != 0)
        return xf_call_fail(call, "VM_IS_TEMPLATE", vm->ref, operation);
    if (xf_get_bool(vm, "is_control_domain"))
        return xf_call_fail(call, "OPERATION_NOT_ALLOWED",
                            "This operation is not allowed on a control domain");
    return true;
}

bool xf_vm_check(struct xf_call *call, struct xf_object *vm, const struct xf_operation *operation)
{
    const char *code;

    if (g_variant_lookup(xf_get(vm, "blocked_operations"), operation->operation, "&s", &code))
        return xf_call_fail(call, "OPERATION_BLOCKED", vm->ref, code);
    return check_power(call, vm, operation->from) &&
           (operation->anyway || check_others(call, vm)) &&
           check_kind(call, vm, operation->operation);
}

bool xf_vm_assert_operation_valid(struct xf_call *call)
{
    const struct xf_operation *operation = xf_operation_find(xf_param_text(call, 1), false);
    struct xf_object *vm;
    bool ok;

    xf_db_lock(call->server->db);
    vm = xf_param_object(call, 0, "VM");
    ok = vm && (operation ? xf_vm_check(call, vm, operation)
                          : xf_call_fail(call, "OPERATION_NOT_ALLOWED", "not simulated"));
    xf_db_unlock(call->server->db);
    return ok;
}

/* --- what a record shows of it */

/* What is for a template, and what is for a guest. */
static bool fits(const struct xf_object *vm, const char *operation)
{
    bool provisions = strcmp(operation, "provision") == 0;

    if (xf_get_bool(vm, "is_a_template") && !xf_get_bool(vm, "is_a_snapshot"))
        return provisions || strcmp(operation, "clone") == 0 || strcmp(operation, "destroy") == 0;
    return xf_vm_is_guest(vm) && !provisions && strcmp(operation, "revert") != 0;
}

void xf_vm_set_allowed(struct xf_db *db, struct xf_object *vm)
{
    bool busy = g_variant_n_children(xf_get(vm, "current_operations")) > 0;
    GVariantBuilder list;

    g_variant_builder_init(&list, G_VARIANT_TYPE("as"));
    for (unsigned i = 0; i < G_N_ELEMENTS(operations); i++) {
        const struct xf_operation *one = &operations[i];
        const char *code;

        if (fits(vm, one->operation) && one->from & xf_vm_power(vm) && (!busy || one->anyway) &&
            !g_variant_lookup(xf_get(vm, "blocked_operations"), one->operation, "&s", &code))
            g_variant_builder_add(&list, "s", one->operation);
    }
    xf_set(db, vm, "allowed_operations", g_variant_builder_end(&list));
}

void xf_vm_mark(struct xf_db *db, struct xf_object *vm, const struct xf_task *task,
                const char *operation)
{
    xf_map_put(db, vm, "current_operations", task->ref, operation);
    xf_vm_set_allowed(db, vm);
}

void xf_message(struct xf_db *db, const char *name, int priority, const char *class,
                const struct xf_object *of, const char *body)
{
    char ref[XF_REF_SIZE];
    char uuid[XF_UUID_SIZE];
    struct xf_object *message;

    xf_random_ref(ref);
    xf_derive_uuid(uuid, "message", ref, 0);
    message = xf_db_have(db, "message", ref, NULL);
    xf_set_text(db, message, "uuid", uuid);
    xf_set_text(db, message, "name", name);
    xf_set(db, message, "priority", g_variant_new_int64(priority));
    xf_set_text(db, message, "cls", class);
    xf_set_text(db, message, "obj_uuid", xf_get_text(of, "uuid"));
    xf_set_text(db, message, "body", body);
    xf_set(db, message, "timestamp",
           g_variant_new_uint64((guint64)(xc_clock_real() / XC_USEC_PER_SEC)));
}
