/* The table of actions. */
#include "xenclient/drivers/xapi_orders.h"

#include <string.h>

static const struct xapi_method methods[] = {
    {XC_ACTION_START, XAPI_DOING_START, "VM.start", "VM.start_on", "Running", "starting",
     XAPI_SHAPE_START, true},
    {XC_ACTION_SHUTDOWN, XAPI_DOING_SHUTDOWN, "VM.clean_shutdown", NULL, "Halted", "shutting down",
     XAPI_SHAPE_PLAIN, true},
    {XC_ACTION_DESTROY, XAPI_DOING_SHUTDOWN, "VM.hard_shutdown", NULL, "Halted", "destroying",
     XAPI_SHAPE_PLAIN, true},
    {XC_ACTION_REBOOT, XAPI_DOING_REBOOT, "VM.clean_reboot", NULL, "Running", "rebooting",
     XAPI_SHAPE_PLAIN, false},
    {XC_ACTION_RESET, XAPI_DOING_REBOOT, "VM.hard_reboot", NULL, "Running", "resetting",
     XAPI_SHAPE_PLAIN, false},
    {XC_ACTION_PAUSE, XAPI_DOING_PAUSE, "VM.pause", NULL, "Paused", "pausing", XAPI_SHAPE_PLAIN,
     true},
    {XC_ACTION_UNPAUSE, XAPI_DOING_UNPAUSE, "VM.unpause", NULL, "Running", "unpausing",
     XAPI_SHAPE_PLAIN, true},
    {XC_ACTION_SUSPEND, XAPI_DOING_SUSPEND, "VM.suspend", NULL, "Suspended", "suspending",
     XAPI_SHAPE_PLAIN, true},
    {XC_ACTION_RESUME, XAPI_DOING_RESUME, "VM.resume", "VM.resume_on", "Running", "resuming",
     XAPI_SHAPE_START, true},
    {XC_ACTION_MIGRATE, XAPI_DOING_MIGRATE, "VM.pool_migrate", "VM.pool_migrate", "Running",
     "migrating", XAPI_SHAPE_MIGRATE, true},
    {XC_ACTION_SET_MEMORY, XAPI_DOING_NOTHING, "VM.set_memory_dynamic_range", NULL, NULL,
     "setting memory", XAPI_SHAPE_MEMORY, true},
    {XC_ACTION_SET_VCPUS, XAPI_DOING_NOTHING, "VM.set_VCPUs_number_live", NULL, NULL,
     "setting vCPUs", XAPI_SHAPE_VCPUS, true},
    /* Decisive: it was not begun while there was a snapshot of that name. */
    {XC_ACTION_SNAPSHOT, XAPI_DOING_NOTHING, "VM.snapshot", NULL, NULL, "taking a snapshot",
     XAPI_SHAPE_TAKE, true},
    {XC_ACTION_CHECKPOINT, XAPI_DOING_NOTHING, "VM.checkpoint", NULL, NULL, "taking a checkpoint",
     XAPI_SHAPE_TAKE, true},
    {XC_ACTION_REVERT, XAPI_DOING_NOTHING, "VM.revert", NULL, NULL, "reverting", XAPI_SHAPE_REVERT,
     false},
    {XC_ACTION_DELETE_SNAPSHOT, XAPI_DOING_NOTHING, "VM.destroy", NULL, NULL, "deleting",
     XAPI_SHAPE_DELETE, true},
    {XC_ACTION_CLONE, XAPI_DOING_NOTHING, "VM.clone", NULL, NULL, "cloning", XAPI_SHAPE_CLONE,
     true},
    {XC_ACTION_CREATE, XAPI_DOING_NOTHING, "VM.clone", NULL, NULL, "copying the template",
     XAPI_SHAPE_COPY, true},
    {XC_ACTION_DELETE, XAPI_DOING_NOTHING, "VM.destroy", NULL, NULL, "deleting", XAPI_SHAPE_DESTROY,
     true},
    {XC_ACTION_HOST_ENABLE, XAPI_DOING_NOTHING, "host.enable", NULL, NULL, "enabling",
     XAPI_SHAPE_HOST, true},
    {XC_ACTION_HOST_DISABLE, XAPI_DOING_NOTHING, "host.disable", NULL, NULL, "disabling",
     XAPI_SHAPE_HOST, true},
    {XC_ACTION_EVACUATE, XAPI_DOING_NOTHING, "host.evacuate", NULL, NULL, "evacuating",
     XAPI_SHAPE_HOST, true},
};

const struct xapi_method xapi_method_provision = {XC_ACTION_CREATE,
                                                  XAPI_DOING_PROVISION,
                                                  "VM.provision",
                                                  NULL,
                                                  NULL,
                                                  "making its disks",
                                                  XAPI_SHAPE_PROVISION,
                                                  true};

const struct xapi_method xapi_method_move = {
    XC_ACTION_MIGRATE, XAPI_DOING_MIGRATE,          "VM.migrate_send", NULL,
    "Running",         "migrating to another pool", XAPI_SHAPE_MOVE,   true};

const struct xapi_method *xapi_method_of(enum xc_action action)
{
    for (size_t i = 0; i < G_N_ELEMENTS(methods); i++)
        if (methods[i].action == action)
            return &methods[i];
    return NULL;
}

bool xapi_method_of_snapshot(const struct xapi_method *method)
{
    return method && (method->shape == XAPI_SHAPE_REVERT || method->shape == XAPI_SHAPE_DELETE);
}

bool xapi_method_destroys(const struct xapi_method *method)
{
    return method->shape == XAPI_SHAPE_DELETE || method->shape == XAPI_SHAPE_DESTROY;
}

const char *xapi_method_name(const struct xapi_method *method, const char *host)
{
    return *host && method->name_on ? method->name_on : method->name;
}

static int64_t octets(const struct xc_order *order)
{
    return (int64_t)order->amount << 20;
}

struct xapi_args *xapi_method_args(const struct xapi_method *method, const char *prefix,
                                   const char *vm, const char *host, const struct xc_order *order)
{
    static const char *const live[] = {"live", "true", NULL, NULL};
    static const char *const none[] = {NULL, NULL};
    g_autofree char *name = g_strconcat(prefix, xapi_method_name(method, host), NULL);
    struct xapi_args *args = xapi_args_new(name);

    xapi_args_text(args, vm);
    if (*host && method->name_on)
        xapi_args_text(args, host);
    switch (method->shape) {
    case XAPI_SHAPE_START: /* neither paused nor without the server's checks */
        xapi_args_flag(args, false);
        xapi_args_flag(args, false);
        break;
    case XAPI_SHAPE_MIGRATE:
        xapi_args_map(args, order->live ? live : none);
        break;
    case XAPI_SHAPE_MEMORY:
        xapi_args_int(args, octets(order));
        xapi_args_int(args, octets(order));
        break;
    case XAPI_SHAPE_VCPUS:
        xapi_args_int(args, order->amount);
        break;
    case XAPI_SHAPE_TAKE:
    case XAPI_SHAPE_CLONE:
    case XAPI_SHAPE_COPY:
        xapi_args_text(args, order->snapshot ? order->snapshot : "");
        break;
    default:
        break;
    }
    return args;
}

static bool is(const struct xapi_number *number, int64_t value)
{
    return number->known && number->value == value;
}

bool xapi_method_reached(const struct xapi_method *method, const struct xc_order *order,
                         const char *host, const struct xapi_vm *vm,
                         const struct xapi_vm_metrics *metrics)
{
    if (!vm)
        return xapi_method_destroys(method) || g_strcmp0(method->end, "Halted") == 0;
    if (method->end && g_strcmp0(vm->power_state, method->end) != 0)
        return false;
    switch (method->shape) {
    case XAPI_SHAPE_START:
        return !*host || g_strcmp0(vm->resident_on, host) == 0;
    case XAPI_SHAPE_MIGRATE:
    case XAPI_SHAPE_MOVE:
        return g_strcmp0(vm->resident_on, host) == 0;
    case XAPI_SHAPE_MEMORY:
        return is(&vm->memory_dynamic_min, octets(order)) &&
               is(&vm->memory_dynamic_max, octets(order));
    case XAPI_SHAPE_VCPUS:
        return metrics && is(&metrics->vcpus, order->amount);
    case XAPI_SHAPE_PROVISION: /* it is no template any more as soon as that begins */
        return !is(&vm->is_template, true) && !vm->unmade;
    case XAPI_SHAPE_DELETE:
    case XAPI_SHAPE_DESTROY:
        return false;
    default:
        return true;
    }
}
