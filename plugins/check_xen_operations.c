/* check_xen_operations: operations that failed lately, and those that do not end. */
#include "plugins/lib/plugin.h"

static const struct chk_field fields[] = {
    {"name", xenOperationTarget, 0},        {"host", xenOperationSource, 0},
    {"what", xenOperationLabel, 0},         {"state", xenOperationState, 0},
    {"result", xenOperationResult, 0},      {"text", xenOperationText, 0},
    {"created", xenOperationCreated, 0},    {"ended", xenOperationEnded, 0},
    {"elapsed", xenOperationElapsed, 1e-3},
};

static const struct chk_metric metrics[] = {
    {.name = "runtime",
     .uom = "s",
     .field = "elapsed",
     .when = "state",
     .when_label = "running",
     .warn = "1800",
     .crit = "7200",
     .help = "how long one has been running"},
    {.name = "wait",
     .uom = "s",
     .field = "created",
     .age = true,
     .when = "state",
     .when_label = "queued",
     .warn = "900",
     .crit = "3600",
     .help = "how long one has been waiting"},
};

static const struct chk_condition conditions[] = {
    {.field = "result", .label = "failed", .state = CHK_WARNING},
    {.field = "result", .label = "partial", .state = CHK_WARNING},
    {.field = "result", .label = "timedOut", .state = CHK_WARNING, .text = "timed out"},
    {.field = "result", .label = "lost", .state = CHK_CRITICAL},
    {.field = "result", .label = "cancelled", .state = CHK_OK},
};

static const struct chk_total totals[] = {
    {.name = "failed", .uom = "", .field = "result", .label = "failed", .help = "that failed"},
    {.name = "timedout",
     .uom = "",
     .field = "result",
     .label = "timedOut",
     .help = "that did not end in their time"},
    {.name = "lost",
     .uom = "",
     .field = "result",
     .label = "lost",
     .help = "whose outcome is not known"},
    {.name = "running", .uom = "", .field = "state", .label = "running", .help = "that run"},
    {.name = "queued", .uom = "", .field = "state", .label = "queued", .help = "that wait"},
    {.name = "longest", .uom = "s", .most = "runtime", .help = "longest that runs"},
};

static const struct chk_option options[] = {
    {'\0', "since", "SECONDS", CHK_SECONDS, "3600", NULL, "look at what ended in the last SECONDS"},
};

/* What is under way, and what has ended lately. */
static bool keep(const struct chk *chk, const struct chk_row *row)
{
    const struct chk_value *ended = chk_fact(&chk_plugin(chk)->facts, row, "ended");

    return !ended || ended->number >= chk_now(chk) - chk_option_seconds(chk, "since");
}

static const struct chk_plugin plugin = {
    .name = "check_xen_operations",
    .title = "XEN OPERATIONS",
    .summary = "Checks operations: those that failed lately, and those that do not end.",
    .one = "operation",
    .many = "operations",
    .facts = CHK_FACTS(fields),
    .label = "name",
    .host = "host",
    .status = "what",
    .detail = "text",
    CHK_ARRAY(metrics),
    CHK_ARRAY(conditions),
    CHK_ARRAY(totals),
    CHK_ARRAY(options),
    .empty = CHK_OK,
    .crowd = true,
    .keep = keep,
};

int main(int argc, char **argv)
{
    return chk_main(&plugin, argc, argv);
}
