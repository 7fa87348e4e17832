/* names KIND: names alone, one a line, as arguments of other commands; for scripts and for completion. */
#include "tools/xenctl/text.h"
#include "tools/xenctl/view.h"

#include <string.h>

#define COLUMNS 3

struct kind {
    const char *name;
    enum sn_id columns[COLUMNS];
    unsigned n_columns;
    void (*print)(const struct sn_table *table);
};

/* What has octets that no line shows can't be typed: left out. */
static void print_name(const char *name)
{
    g_autofree char *shown = ctl_escape(name, strlen(name));

    if (*name && strcmp(shown, name) == 0)
        printf("%s\n", name);
}

static void print_first(const struct sn_table *table)
{
    for (unsigned i = 0; i < table->rows->len; i++)
        print_name(sn_value_text(&sn_table_at(table, i)->cells[0]));
}

static void print_numbers(const struct sn_table *table)
{
    for (unsigned i = 0; i < table->rows->len; i++)
        printf("%u\n", sn_table_at(table, i)->index.id[0]);
}

static bool is_deleted(const struct sn_row *row)
{
    return sn_value_number(&row->cells[2], 0) == sn_label_number(xenDomainPresence, "deleted");
}

/* A name that several domains have needs the host's in front. */
static void print_domains(const struct sn_table *table)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GHashTable) twice = g_hash_table_new(g_str_hash, g_str_equal);

    for (unsigned i = 0; i < table->rows->len; i++) {
        const struct sn_row *row = sn_table_at(table, i);
        char *name = (char *)sn_value_text(&row->cells[0]);

        if (!is_deleted(row) && !g_hash_table_add(seen, name))
            g_hash_table_add(twice, name);
    }
    for (unsigned i = 0; i < table->rows->len; i++) {
        const struct sn_row *row = sn_table_at(table, i);
        const char *name = sn_value_text(&row->cells[0]);
        const char *host = sn_value_text(&row->cells[1]);
        g_autofree char *full = g_strdup_printf("%s/%s", host, name);

        if (!is_deleted(row))
            print_name(g_hash_table_contains(twice, name) ? full : name);
    }
}

/* A label that several groups have stands for none: their names do. */
static void print_groups(const struct sn_table *table)
{
    g_autoptr(GHashTable) times = g_hash_table_new(g_str_hash, g_str_equal);

    for (unsigned i = 0; i < table->rows->len; i++) {
        char *label = (char *)sn_value_text(&sn_table_at(table, i)->cells[0]);
        unsigned n = GPOINTER_TO_UINT(g_hash_table_lookup(times, label));

        g_hash_table_insert(times, label, GUINT_TO_POINTER(n + 1));
    }
    for (unsigned i = 0; i < table->rows->len; i++) {
        const struct sn_row *row = sn_table_at(table, i);
        const char *label = sn_value_text(&row->cells[0]);
        g_autofree char *name = ctl_row_name(row);

        print_name(GPOINTER_TO_UINT(g_hash_table_lookup(times, label)) > 1 ? name : label);
    }
}

static const struct kind kinds[] = {
    {"domains", {xenDomainName, xenDomainHost, xenDomainPresence}, 3, print_domains},
    {"groups", {xenGroupLabel}, 1, print_groups},
    {"hosts", {xenHostLabel}, 1, print_first},
    {"ops", {xenOperationState}, 1, print_numbers},
    {"snapshots", {xenSnapshotName}, 1, print_first},
    {"sources", {xenSourceLabel}, 1, print_first},
};

static int print_kind(struct ctl *ctl, const struct kind *kind)
{
    struct sn_session *session;
    struct sn_oid columns[COLUMNS];
    g_autoptr(GError) error = NULL;
    g_autoptr(sn_table) table = NULL;

    for (unsigned i = 0; i < kind->n_columns; i++)
        columns[i] = sn_oid_of(kind->columns[i]);
    session = ctl_session(ctl, &error);
    if (session)
        table = sn_table_fetch(session, columns, kind->n_columns, &error);
    if (!table)
        return ctl_fail(ctl, error);
    kind->print(table);
    return CTL_OK;
}

int ctl_names(struct ctl *ctl)
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (strcmp(kinds[i].name, ctl->args[0]) == 0)
            return print_kind(ctl, &kinds[i]);
    return ctl_say(ctl, CTL_ERROR,
                   "%s: no such kind; there are domains, groups, hosts, ops, snapshots and "
                   "sources",
                   ctl->args[0]);
}
