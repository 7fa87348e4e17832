/* Snapshots of domains: listing them, and finding the one that is meant. */
#include "tools/xenctl/snapshot.h"

#include "tools/xenctl/view.h"
#include "xenclient/util/text.h"

#include <string.h>

enum { LABEL };
static const struct ctl_column columns[] = {
    {xenSnapshotLabel, "SNAPSHOT"},
    {xenSnapshotKind, "KIND"},
    {xenSnapshotCreated, "CREATED"},
    {xenSnapshotUuid, "UUID"},
};
static const struct ctl_view view = {"xenSnapshot", columns, G_N_ELEMENTS(columns), NULL};

/* Labels are "HOST/NAME @TITLE". */
static bool keep(const struct ctl *ctl, const struct sn_value *cells)
{
    const char *label = sn_value_text(&cells[LABEL]);
    const char *slash = strchr(label, '/');
    g_autofree char *of = ctl->n_args ? g_strconcat(ctl->args[0], " @", NULL) : g_strdup("");

    return g_str_has_prefix(label, of) || (slash && g_str_has_prefix(slash + 1, of));
}

int ctl_snapshots(struct ctl *ctl)
{
    return ctl_print_view(ctl, &view, keep);
}

static bool is_meant(const struct sn_row *row, const char *name)
{
    uint64_t number;

    if (name[0] == '#' && xc_text_to_u64(name + 1, 1, INT32_MAX, &number, NULL))
        return row->index.id[1] == number;
    return g_str_equal(sn_value_text(&row->cells[0]), name) ||
           g_ascii_strcasecmp(sn_value_text(&row->cells[1]), name) == 0;
}

int ctl_find_snapshot(struct ctl *ctl, const struct ctl_domain *domain, const char *name,
                      int64_t *index_out)
{
    const struct sn_oid wanted[] = {sn_oid_of(xenSnapshotName), sn_oid_of(xenSnapshotUuid)};
    g_autoptr(GError) error = NULL;
    g_autoptr(sn_table) table = sn_table_fetch(ctl->session, wanted, G_N_ELEMENTS(wanted), &error);
    unsigned found = 0;

    if (!table)
        return ctl_fail(ctl, error);
    for (unsigned i = 0; i < table->rows->len; i++) {
        const struct sn_row *row = sn_table_at(table, i);

        if (row->index.id[0] != domain->index || !is_meant(row, name))
            continue;
        *index_out = row->index.id[1];
        found++;
    }
    if (found == 0)
        return ctl_say(ctl, CTL_NOT_FOUND, "%s: no such snapshot of %s; see xenctl snapshots", name,
                       domain->label);
    if (found > 1)
        return ctl_say(ctl, CTL_NOT_FOUND,
                       "%s: %u snapshots of %s have this title; say the UUID, see xenctl snapshots",
                       name, found, domain->label);
    return CTL_OK;
}
