/* The table of actions. */
#include "xenclient/drivers/xapi_orders.h"

#include <string.h>

enum shape { PLAIN, START, MIGRATE, MEMORY, VCPUS };

static const struct xapi_method methods[] = {
    {XC_ACTION_START, "VM.start", "VM.start_on", XAPI_DOING_START, START, "Running", true,
     "starting"},
    {XC_ACTION_SHUTDOWN, "VM.clean_shutdown", NULL, XAPI_DOING_SHUTDOWN, PLAIN, "Halted", true,
     "shutting down"},
    {XC_ACTION_DESTROY, "VM.hard_shutdown", NULL, XAPI_DOING_SHUTDOWN, PLAIN, "Halted", true,
     "destroying"},
    {XC_ACTION_REBOOT, "VM.clean_reboot", NULL, XAPI_DOING_REBOOT, PLAIN, "Running", false,
     "rebooting"},
    {XC_ACTION_RESET, "VM.hard_reboot", NULL, XAPI_DOING_REBOOT, PLAIN, "Running", false,
     "resetting"},
    {XC_ACTION_PAUSE, "VM.pause", NULL, XAPI_DOING_PAUSE, PLAIN, "Paused", true, "pausing"},
    {XC_ACTION_UNPAUSE, "VM.unpause", NULL, XAPI_DOING_UNPAUSE, PLAIN, "Running", true,
     "unpausing"},
    {XC_ACTION_SUSPEND, "VM.suspend", NULL, XAPI_DOING_SUSPEND, PLAIN, "Suspended", true,
     "suspending"},
    {XC_ACTION_RESUME, "VM.resume", "VM.resume_on", XAPI_DOING_RESUME, START, "Running", true,
     "resuming"},
    {XC_ACTION_MIGRATE, "VM.pool_migrate", "VM.pool_migrate", XAPI_DOING_MIGRATE, MIGRATE,
     "Running", true, "migrating"},
    {XC_ACTION_SET_MEMORY, "VM.set_memory_dynamic_range", NULL, XAPI_DOING_NOTHING, MEMORY, NULL,
     true, "setting memory"},
    {XC_ACTION_SET_VCPUS, "VM.set_VCPUs_number_live", NULL, XAPI_DOING_NOTHING, VCPUS, NULL, true,
     "setting vCPUs"},
};

const struct xapi_method *xapi_method_of(enum xc_action action)
{
    for (size_t i = 0; i < G_N_ELEMENTS(methods); i++)
        if (methods[i].action == action)
            return &methods[i];
    return NULL;
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
    case START: /* neither paused nor without the server's checks */
        xapi_args_flag(args, false);
        xapi_args_flag(args, false);
        break;
    case MIGRATE:
        xapi_args_map(args, order->live ? live : none);
        break;
    case MEMORY:
        xapi_args_int(args, octets(order));
        xapi_args_int(args, octets(order));
        break;
    case VCPUS:
        xapi_args_int(args, order->amount);
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
        return g_strcmp0(method->end, "Halted") == 0;
    if (method->end && g_strcmp0(vm->power_state, method->end) != 0)
        return false;
    switch (method->shape) {
    case START:
        return !*host || g_strcmp0(vm->resident_on, host) == 0;
    case MIGRATE:
        return g_strcmp0(vm->resident_on, host) == 0;
    case MEMORY:
        return is(&vm->memory_dynamic_min, octets(order)) &&
               is(&vm->memory_dynamic_max, octets(order));
    case VCPUS:
        return metrics && is(&metrics->vcpus, order->amount);
    default:
        return true;
    }
}
