/* check_xen_domain: guests against the state they are expected in, and what they use. */
#include "plugins/lib/direct.h"
#include "plugins/lib/plugin.h"

static const struct chk_field fields[] = {
    {"name", xenDomainName, 0},
    {"uuid", xenDomainUuid, 0},
    {"host", xenDomainHost, 0},
    {"tags", xenDomainTags, 0},
    {"kind", xenDomainKind, 0},
    {"presence", xenDomainPresence, 0},
    {"state", xenDomainState, 0},
    {"tools", xenDomainTools, 0},
    {"last", xenDomainLastResult, 0},
    {"memory", xenDomainMemory, CHK_MIB},
    {"memoryMax", xenDomainMemoryMax, CHK_MIB},
    {"vcpus", xenDomainVcpus, 0},
    {"cpu", xenDomainCpuPercent, 0},
    {"hostcpu", xenDomainCpuPercentHost, 0},
    {"uptime", xenDomainUptime, 0},
    {"received", xenDomainNetRxOctets, 0},
    {"sent", xenDomainNetTxOctets, 0},
    {"read", xenDomainDiskReadOctets, 0},
    {"written", xenDomainDiskWriteOctets, 0},
    {"age", xenDomainDataAge, 0},
};

static const struct chk_metric metrics[] = {
    {.name = "cpu",
     .uom = "%",
     .field = "cpu",
     .shown = true,
     .help = "part of its own virtual processors in use"},
    {.name = "hostcpu", .uom = "%", .field = "hostcpu", .help = "part of the host's processors"},
    {.name = "memory", .uom = "B", .field = "memory", .shown = true, .help = "memory granted"},
    {.name = "memoryused",
     .uom = "%",
     .field = "memory",
     .of = "memoryMax",
     .help = "memory granted, in percent of the most it may have"},
    {.name = "vcpus", .uom = "", .field = "vcpus", .help = "virtual processors"},
    {.name = "uptime",
     .uom = "s",
     .field = "uptime",
     .shown = true,
     .help = "time since its start"},
    {.name = "age", .uom = "s", .field = "age", .help = "time since something was heard of it"},
    {.name = "received", .uom = "c", .field = "received", .help = "octets received"},
    {.name = "sent", .uom = "c", .field = "sent", .help = "octets sent"},
    {.name = "read", .uom = "c", .field = "read", .help = "octets read from disks"},
    {.name = "written", .uom = "c", .field = "written", .help = "octets written to disks"},
};

#define EXPECT(value, name, how)                                                                   \
    {                                                                                              \
        .field = "state", .label = (name), .state = (how), .option = "expect",                     \
        .option_value = (value)                                                                    \
    }

static const struct chk_condition conditions[] = {
    {.field = "state", .label = "unknown", .state = CHK_UNKNOWN, .text = "state unknown"},
    {.field = "state", .label = "crashed", .state = CHK_CRITICAL},
    EXPECT("running", "other", CHK_UNKNOWN),
    EXPECT("running", "preparing", CHK_WARNING),
    EXPECT("running", "resuming", CHK_WARNING),
    EXPECT("running", "suspending", CHK_WARNING),
    EXPECT("running", "shuttingDown", CHK_WARNING),
    EXPECT("running", "paused", CHK_CRITICAL),
    EXPECT("running", "suspended", CHK_CRITICAL),
    EXPECT("running", "shutdown", CHK_CRITICAL),
    EXPECT("stopped", "other", CHK_UNKNOWN),
    EXPECT("stopped", "suspending", CHK_WARNING),
    EXPECT("stopped", "shuttingDown", CHK_WARNING),
    EXPECT("stopped", "preparing", CHK_CRITICAL),
    EXPECT("stopped", "resuming", CHK_CRITICAL),
    EXPECT("stopped", "running", CHK_CRITICAL),
    EXPECT("stopped", "migrating", CHK_CRITICAL),
    EXPECT("stopped", "paused", CHK_CRITICAL),
    {.field = "tools", .label = "none", .state = CHK_OK, .text = "no tools"},
    {.field = "tools", .label = "old", .state = CHK_OK, .text = "old tools"},
    {.field = "last", .label = "failed", .state = CHK_OK, .text = "last operation failed"},
    {.field = "last", .label = "timedOut", .state = CHK_OK, .text = "last operation timed out"},
    {.field = "last", .label = "lost", .state = CHK_OK, .text = "last operation lost"},
    {.field = "presence", .label = "stale", .state = CHK_OK, .text = "data out of date"},
};

static const struct chk_option options[] = {
    {'\0', "expect", "STATE", CHK_TEXT, "running", "running|stopped|any",
     "the state that the selected domains are to be in: running, stopped or any"},
};

/* Guests that exist. Templates, control domains and what is there no more raise no alarm. */
static bool keep(const struct chk *chk, const struct chk_row *row)
{
    const struct chk_facts *facts = &chk_plugin(chk)->facts;

    return g_str_equal(chk_fact_text(facts, row, "kind"), "guest") &&
           !g_str_equal(chk_fact_text(facts, row, "presence"), "deleted");
}

static const struct chk_plugin plugin = {
    .name = "check_xen_domain",
    .title = "XEN DOMAIN",
    .summary = "Checks domains: in the state they are expected in, CPU, memory, traffic, tools.",
    .one = "domain",
    .many = "domains",
    .facts = CHK_NAMED_FACTS(fields, xenNameDomainIndex),
    .label = "name",
    .uuid = "uuid",
    .host = "host",
    .tags = "tags",
    .status = "state",
    CHK_ARRAY(metrics),
    CHK_ARRAY(conditions),
    CHK_ARRAY(options),
    .empty = CHK_UNKNOWN,
    .direct = chk_reader_direct,
    .keep = keep,
};

int main(int argc, char **argv)
{
    return chk_main(&plugin, argc, argv);
}
