/* check_xen_sr: how full storage repositories are, and whether all hosts reach them. */
#include "plugins/lib/direct.h"
#include "plugins/lib/plugin.h"

static const struct chk_field fields[] = {
    {"source", xenSourceKey, 0},
    {"uuid", xenSrUuid, 0},
    {"name", xenSrName, 0},
    {"type", xenSrType, 0},
    {"size", xenSrSize, CHK_MIB},
    {"used", xenSrUsed, CHK_MIB},
    {"allocated", xenSrAllocated, CHK_MIB},
    {"paths", xenSrPaths, 0},
    {"up", xenSrPathsUp, 0},
};

static const struct chk_metric metrics[] = {
    {.name = "used",
     .uom = "%",
     .field = "used",
     .of = "size",
     .warn = "80",
     .crit = "90",
     .shown = true,
     .help = "part of the size that is taken"},
    {.name = "free",
     .uom = "B",
     .field = "size",
     .less = "used",
     .shown = true,
     .help = "what is not taken"},
    {.name = "size", .uom = "B", .field = "size", .help = "size"},
    {.name = "allocated",
     .uom = "%",
     .field = "allocated",
     .of = "size",
     .help = "sizes of all disk images, in percent of the size"},
    {.name = "pathsdown",
     .uom = "",
     .field = "paths",
     .less = "up",
     .warn = "0",
     .shown = true,
     .help = "hosts that are to reach it and do not"},
};

static const struct chk_plugin plugin = {
    .name = "check_xen_sr",
    .title = "XEN SR",
    .summary = "Checks storage repositories: how full they are, whether all hosts reach them.",
    .one = "repository",
    .many = "repositories",
    .facts = CHK_FACTS(fields),
    .label = "name",
    .uuid = "uuid",
    .host = "source",
    .status = "type",
    CHK_ARRAY(metrics),
    .empty = CHK_UNKNOWN,
    .direct = chk_reader_direct,
};

int main(int argc, char **argv)
{
    return chk_main(&plugin, argc, argv);
}
