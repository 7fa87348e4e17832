/* check_xen_pool: coordinator, members and high availability of pools. */
#include "plugins/lib/plugin.h"

static const struct chk_field fields[] = {
    {"source", xenPoolLabel, 0},
    {"name", xenPoolName, 0},
    {"coordinator", xenPoolCoordinator, 0},
    {"ha", xenPoolHaEnabled, 0},
    {"tolerates", xenPoolHaTolerates, 0},
    {"members", xenPoolMembers, 0},
    {"up", xenPoolMembersUp, 0},
    {"state", xenSourceState, 0},
    {"text", xenSourceStateText, 0},
};

static const struct chk_metric metrics[] = {
    {.name = "membersdown",
     .uom = "",
     .field = "members",
     .less = "up",
     .warn = "0",
     .shown = true,
     .help = "members that the coordinator does not hear of"},
    {.name = "members", .uom = "", .field = "members", .shown = true, .help = "hosts of the pool"},
    {.name = "tolerates",
     .uom = "",
     .field = "tolerates",
     .warn = "1:",
     .help = "hosts that may fail before protected guests stay down, where HA is on"},
};

static const struct chk_condition conditions[] = {
    {.field = "state", .label = "connecting", .state = CHK_UNKNOWN},
    {.field = "state", .label = "degraded", .state = CHK_WARNING},
    {.field = "state", .label = "down", .state = CHK_CRITICAL},
    {.field = "state", .label = "unauthorised", .state = CHK_CRITICAL},
    {.field = "state", .label = "untrusted", .state = CHK_CRITICAL},
    {.field = "state", .label = "disabled", .state = CHK_UNKNOWN},
    {.field = "ha", .label = "false", .state = CHK_OK, .text = "HA is off"},
};

/* Sources that are no pools have the last two facts alone. */
static bool keep(const struct chk *chk, const struct chk_row *row)
{
    return chk_fact(&chk_plugin(chk)->facts, row, "members") != NULL;
}

static const struct chk_plugin plugin = {
    .name = "check_xen_pool",
    .title = "XEN POOL",
    .summary =
        "Checks pools: whether the coordinator answers, members are there, HA can do its work.",
    .one = "pool",
    .many = "pools",
    .facts = CHK_FACTS(fields),
    .label = "name",
    .host = "source",
    .status = "state",
    .detail = "text",
    CHK_ARRAY(metrics),
    CHK_ARRAY(conditions),
    .empty = CHK_UNKNOWN,
    .keep = keep,
};

int main(int argc, char **argv)
{
    return chk_main(&plugin, argc, argv);
}
