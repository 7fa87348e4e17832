/* check_xen_snapshots: how many snapshots domains have, how old the oldest and the newest are. */
#include "plugins/lib/plugin.h"

enum { OLDEST = 7 };
static const struct chk_field fields[] = {
    {"name", xenDomainName, 0},          {"uuid", xenDomainUuid, 0},
    {"host", xenDomainHost, 0},          {"tags", xenDomainTags, 0},
    {"kind", xenDomainKind, 0},          {"presence", xenDomainPresence, 0},
    {"count", xenDomainSnapshots, 0},    [OLDEST] = {"oldest", SN_NONE, 0},
    {"newest", xenDomainSnapshotAge, 0},
};

static const struct chk_metric metrics[] = {
    {.name = "oldest",
     .uom = "s",
     .field = "oldest",
     .age = true,
     .warn = "604800",
     .crit = "2592000",
     .shown = true,
     .help = "age of the oldest snapshot"},
    {.name = "newest",
     .uom = "s",
     .field = "newest",
     .shown = true,
     .help = "age of the newest snapshot"},
    {.name = "count",
     .uom = "",
     .field = "count",
     .warn = "5",
     .crit = "10",
     .shown = true,
     .help = "snapshots of the domain"},
};

enum { DOMAIN, CREATED };
static const struct chk_field snapshot_fields[] = {
    [DOMAIN] = {"domain", xenDomainIndex, 0},
    [CREATED] = {"created", xenSnapshotCreated, 0},
};
static const struct chk_facts snapshots = CHK_FACTS(snapshot_fields);

/* Both tables are in the order of xenDomainIndex. */
static bool join(const struct chk *chk, struct chk_reader *reader, GPtrArray *rows, GError **error)
{
    g_autoptr(GPtrArray) found = reader->ops->read(reader, &snapshots, NULL, error);
    unsigned at = 0;

    (void)chk;
    for (unsigned i = 0; found && i < found->len; i++) {
        const struct chk_row *snapshot = g_ptr_array_index(found, i);
        const struct chk_value *created = &snapshot->values[CREATED];
        struct chk_value *oldest;

        while (at < rows->len && ((struct chk_row *)g_ptr_array_index(rows, at))->number <
                                     snapshot->values[DOMAIN].number)
            at++;
        if (at == rows->len || ((struct chk_row *)g_ptr_array_index(rows, at))->number !=
                                   snapshot->values[DOMAIN].number)
            continue;
        oldest = &((struct chk_row *)g_ptr_array_index(rows, at))->values[OLDEST];
        if (created->known && (!oldest->known || created->number < oldest->number))
            *oldest = *created;
    }
    return found != NULL;
}

/* Guests that exist, where snapshots are known of. */
static bool keep(const struct chk *chk, const struct chk_row *row)
{
    const struct chk_facts *facts = &chk_plugin(chk)->facts;

    return g_str_equal(chk_fact_text(facts, row, "kind"), "guest") &&
           !g_str_equal(chk_fact_text(facts, row, "presence"), "deleted") &&
           chk_fact(facts, row, "count");
}

static const struct chk_plugin plugin = {
    .name = "check_xen_snapshots",
    .title = "XEN SNAPSHOTS",
    .summary = "Checks the snapshots of domains: how many, how old the oldest and the newest are.",
    .one = "domain",
    .many = "domains",
    .facts = CHK_NAMED_FACTS(fields, xenNameDomainIndex),
    .label = "name",
    .uuid = "uuid",
    .host = "host",
    .tags = "tags",
    CHK_ARRAY(metrics),
    .empty = CHK_UNKNOWN,
    .join = join,
    .keep = keep,
};

int main(int argc, char **argv)
{
    return chk_main(&plugin, argc, argv);
}
