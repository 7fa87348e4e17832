/* check_xen_host: hosts up and enabled, their memory, processors, load, clock and pending reboots. */
#include "plugins/lib/direct.h"
#include "plugins/lib/plugin.h"

static const struct chk_field fields[] = {
    {"name", xenHostLabel, 0},
    {"uuid", xenHostUuid, 0},
    {"source", xenHostSource, 0},
    {"state", xenHostState, 0},
    {"text", xenHostStateText, 0},
    {"reboot", xenHostRebootRequired, 0},
    {"updates", xenHostUpdatesPending, 0},
    {"skew", xenHostClockSkew, 1e-3},
    {"memory", xenHostMemoryUsedPercent, 0},
    {"free", xenHostMemoryFree, CHK_MIB},
    {"cpu", xenHostCpuPercent, 0},
    {"load", xenHostLoad1, 0},
    {"domains", xenHostDomainsTotal, 0},
    {"running", xenHostDomainsRunning, 0},
    {"overcommit", xenHostOvercommitPercent, 0},
    {"received", xenHostNetRxOctets, 0},
    {"sent", xenHostNetTxOctets, 0},
    {"uptime", xenHostUptime, 0},
    {"age", xenHostDataAge, 0},
};

static const struct chk_metric metrics[] = {
    {.name = "cpu",
     .uom = "%",
     .field = "cpu",
     .warn = "80",
     .crit = "90",
     .shown = true,
     .help = "part of all processors in use"},
    {.name = "memory",
     .uom = "%",
     .field = "memory",
     .warn = "95",
     .crit = "98",
     .shown = true,
     .help = "part of the memory given to domains"},
    {.name = "free", .uom = "B", .field = "free", .help = "memory given to no domain"},
    {.name = "load",
     .uom = "",
     .field = "load",
     .shown = true,
     .help = "load of the control domain over a minute"},
    {.name = "running", .uom = "", .field = "running", .shown = true, .help = "guests that run"},
    {.name = "domains", .uom = "", .field = "domains", .help = "guests in any state"},
    {.name = "overcommit",
     .uom = "%",
     .field = "overcommit",
     .help = "virtual processors in percent of the real ones"},
    {.name = "skew",
     .uom = "s",
     .field = "skew",
     .warn = "-5:5",
     .crit = "-60:60",
     .help = "by how much the host's clock is ahead"},
    {.name = "uptime", .uom = "s", .field = "uptime", .help = "time since it started"},
    {.name = "age", .uom = "s", .field = "age", .help = "time since it answered"},
    {.name = "received", .uom = "c", .field = "received", .help = "octets received"},
    {.name = "sent", .uom = "c", .field = "sent", .help = "octets sent"},
};

static const struct chk_condition conditions[] = {
    {.field = "state", .label = "connecting", .state = CHK_UNKNOWN},
    {.field = "state", .label = "degraded", .state = CHK_WARNING},
    {.field = "state", .label = "down", .state = CHK_CRITICAL},
    {.field = "state", .label = "unauthorised", .state = CHK_CRITICAL},
    {.field = "state", .label = "untrusted", .state = CHK_CRITICAL},
    {.field = "state", .label = "disabled", .state = CHK_UNKNOWN},
    {.field = "state", .label = "maintenance", .state = CHK_WARNING},
    {.field = "reboot", .label = "true", .state = CHK_WARNING, .text = "reboot required"},
    {.field = "updates", .label = "true", .state = CHK_OK, .text = "updates pending"},
};

static const struct chk_plugin plugin = {
    .name = "check_xen_host",
    .title = "XEN HOST",
    .summary = "Checks hosts: up and enabled, memory, CPU, load, clock, reboots that are due.",
    .one = "host",
    .many = "hosts",
    .facts = CHK_NAMED_FACTS(fields, xenHostKey),
    .label = "name",
    .uuid = "uuid",
    .host = "source",
    .status = "state",
    .detail = "text",
    CHK_ARRAY(metrics),
    CHK_ARRAY(conditions),
    .empty = CHK_UNKNOWN,
    .direct = chk_reader_direct,
};

int main(int argc, char **argv)
{
    return chk_main(&plugin, argc, argv);
}
