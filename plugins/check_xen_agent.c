/* check_xen_agent: the agent itself, and whether all it watches answers. */
#include "plugins/lib/plugin.h"

static const struct chk_field fields[] = {
    {"version", xenAgentVersion, 0},
    {"state", xenAgentState, 0},
    {"reason", xenAgentReason, 0},
    {"age", xenOldestDataAge, 0},
    {"sources", xenSourceCount, 0},
    {"down", xenSourceDownCount, 0},
    {"hosts", xenHostCount, 0},
    {"domains", xenDomainCount, 0},
    {"running", xenDomainRunningCount, 0},
    {"problems", xenDomainProblemCount, 0},
    {"queue", xenQueueDepth, 0},
    {"queueLimit", xenQueueLimit, 0},
    {"handler", xenHandlerMaxTime, 1e-6},
    {"poll", xenPollMaxTime, 1e-3},
    {"pollsFailed", xenPollsFailed, 0},
    {"operationsFailed", xenOperationsFailed, 0},
    {"eventsLost", xenEventsLost, 0},
    {"workersLost", xenWorkersLost, 0},
    {"memory", xenAgentMemory, 1024},
    {"database", xenDatabaseSize, 1024},
};

static const struct chk_metric metrics[] = {
    {.name = "age",
     .uom = "s",
     .field = "age",
     .warn = "60",
     .crit = "300",
     .shown = true,
     .help = "age of the oldest data"},
    {.name = "sources", .uom = "", .field = "sources", .shown = true, .help = "registered sources"},
    {.name = "down",
     .uom = "",
     .field = "down",
     .shown = true,
     .help = "sources that do not answer; conditions judge them unless a range is given"},
    {.name = "hosts", .uom = "", .field = "hosts", .shown = true, .help = "hosts"},
    {.name = "domains", .uom = "", .field = "domains", .shown = true, .help = "domains"},
    {.name = "running", .uom = "", .field = "running", .help = "guests that run"},
    {.name = "problems",
     .uom = "",
     .field = "problems",
     .help = "guests that crashed, are unknown, or not in the state last asked for"},
    {.name = "queue", .uom = "", .field = "queue", .help = "operations not finished"},
    {.name = "queueused",
     .uom = "%",
     .field = "queue",
     .of = "queueLimit",
     .warn = "80",
     .crit = "95",
     .help = "how full the queue of operations is"},
    {.name = "handler",
     .uom = "s",
     .field = "handler",
     .warn = "0.5",
     .crit = "1",
     .help = "longest time for one request lately"},
    {.name = "poll", .uom = "s", .field = "poll", .help = "longest of the last polls"},
    {.name = "pollsfailed", .uom = "c", .field = "pollsFailed", .help = "polls that failed"},
    {.name = "operationsfailed",
     .uom = "c",
     .field = "operationsFailed",
     .help = "operations that did not end well"},
    {.name = "eventslost", .uom = "c", .field = "eventsLost", .help = "events without a row"},
    {.name = "workerslost", .uom = "c", .field = "workersLost", .help = "workers replaced"},
    {.name = "memory", .uom = "B", .field = "memory", .help = "memory of the agent's front"},
    {.name = "database", .uom = "B", .field = "database", .help = "size of its databases"},
};

static const struct chk_condition conditions[] = {
    {.field = "state", .label = "degraded", .state = CHK_WARNING},
    {.field = "state", .label = "starting", .state = CHK_WARNING},
    {.field = "state", .label = "failing", .state = CHK_CRITICAL},
};

static const struct chk_plugin plugin = {
    .name = "check_xen_agent",
    .title = "XEN AGENT",
    .summary = "Checks the agent itself: its state, the age of its data, its queue.",
    .one = "agent",
    .many = "agents",
    .facts = {CHK_ARRAY(fields), .scalars = true, .first = SN_NONE, .last = SN_NONE,
              .by_name = SN_NONE},
    .status = "state",
    .detail = "reason",
    CHK_ARRAY(metrics),
    CHK_ARRAY(conditions),
    .empty = CHK_UNKNOWN,
};

int main(int argc, char **argv)
{
    return chk_main(&plugin, argc, argv);
}
