/* The table of calls. */
#include "xenclient/drivers/xapi_calls.h"

#include <glib.h>
#include <string.h>

const struct xapi_signature xapi_calls[] = {
    {"session.login_with_password", "ssss"},
    {"session.logout", ""},
    {"event.from", "asd"},
    {"event.inject", "ss"},
    {"pool.get_all", ""},
    {"pool.get_master", "s"},
    {"host.get_by_uuid", "s"},
    {"host.get_management_interface", "s"},
    {"host.migrate_receive", "ssm"},
    {"host.get_record", "s"},
    {"host.get_resident_VMs", "s"},
    {"host.disable", "s"},
    {"host.get_servertime", "s"},
    {"VM.get_by_uuid", "s"},
    {"VM.get_by_name_label", "s"},
    {"VM.get_record", "s"},
    {"VM.get_snapshots", "s"},
    {"VM.get_suspend_VDI", "s"},
    {"VM.get_VBDs", "s"},
    {"VM.get_VIFs", "s"},
    {"VM_metrics.get_record", "s"},
    {"VIF.get_network", "s"},
    {"PIF.get_network", "s"},
    {"network.get_name_label", "s"},
    {"network.get_by_name_label", "s"},
    {"VBD.get_type", "s"},
    {"VBD.get_VDI", "s"},
    {"VDI.get_VBDs", "s"},
    {"VDI.destroy", "s"},
    {"VM.add_to_other_config", "sss"},
    {"VM.remove_from_other_config", "ss"},
    {"VM.set_name_label", "ss"},
    {"VM.destroy", "s"},
    {"VM.assert_operation_valid", "ss"},
    {"VM.assert_can_boot_here", "ss"},
    {"VM.assert_can_migrate", "smbmmm"},
    {"task.get_by_name_label", "s"},
    {"task.get_record", "s"},
    {"task.create", "ss"},
    {"task.set_status", "ss"},
    {"task.cancel", "s"},
    {"task.destroy", "s"},
    {"Async.VM.start", "sbb"},
    {"Async.VM.start_on", "ssbb"},
    {"Async.VM.clean_shutdown", "s"},
    {"Async.VM.hard_shutdown", "s"},
    {"Async.VM.clean_reboot", "s"},
    {"Async.VM.hard_reboot", "s"},
    {"Async.VM.pause", "s"},
    {"Async.VM.unpause", "s"},
    {"Async.VM.suspend", "s"},
    {"Async.VM.resume", "sbb"},
    {"Async.VM.resume_on", "ssbb"},
    {"Async.VM.pool_migrate", "ssm"},
    {"Async.VM.migrate_send", "smbmmm"},
    {"Async.VM.set_memory_dynamic_range", "sii"},
    {"Async.VM.set_VCPUs_number_live", "si"},
    {"Async.VM.snapshot", "ss"},
    {"Async.VM.checkpoint", "ss"},
    {"Async.VM.revert", "s"},
    {"Async.VM.destroy", "s"},
    {"Async.VM.clone", "ss"},
    {"Async.VM.provision", "s"},
    {"Async.host.enable", "s"},
    {"Async.host.disable", "s"},
    {"Async.host.evacuate", "s"},
};
const size_t xapi_n_calls = G_N_ELEMENTS(xapi_calls);

bool xapi_call_is_listed(const char *method, const char *params)
{
    for (size_t i = 0; i < xapi_n_calls; i++)
        if (strcmp(xapi_calls[i].method, method) == 0 && strcmp(xapi_calls[i].params, params) == 0)
            return true;
    return false;
}
