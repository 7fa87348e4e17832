/* The rows of groups in state.db. */
#include "xenclient/store/group_rows.h"

#include "xenclient/util/log.h"

static bool put_members(struct xc_db *db, const struct xc_group_spec *spec, GError **error)
{
    for (guint i = 0; i < spec->members->len; i++) {
        const struct xc_member_spec *member = spec->members->pdata[i];

        if (!xc_db_run(db, error,
                       "INSERT INTO grp_member (grp, member, descr, origin, pin, priority,"
                       " delay_sec) VALUES (?, ?, ?, ?, ?, ?, ?)",
                       "sssssii", spec->name, member->member, member->descr, member->create,
                       member->pin, (int64_t)member->priority, (int64_t)member->delay_sec))
            return false;
    }
    return true;
}

static bool put_hosts(struct xc_db *db, const struct xc_group_spec *spec, GError **error)
{
    for (guint i = 0; i < spec->hosts->len; i++) {
        const struct xc_group_host_spec *host = spec->hosts->pdata[i];

        if (!xc_db_run(db, error, "INSERT INTO grp_host (grp, host, weight) VALUES (?, ?, ?)",
                       "ssi", spec->name, host->host, (int64_t)host->weight))
            return false;
    }
    return true;
}

bool xc_group_rows_put(struct xc_db *db, const struct xc_group_spec *spec, int64_t wanted,
                       GError **error)
{
    return xc_group_rows_remove(db, spec->name, error) &&
           xc_db_run(db, error,
                     "INSERT INTO grp (name, descr, spread, ord, min_running, all_hosts, wanted)"
                     " VALUES (?, ?, ?, ?, ?, ?, ?)",
                     "ssiiiii", spec->name, spec->descr, (int64_t)spec->spread,
                     (int64_t)spec->order, (int64_t)spec->min_running, (int64_t)spec->all_hosts,
                     wanted) &&
           put_members(db, spec, error) && put_hosts(db, spec, error);
}

bool xc_group_rows_remove(struct xc_db *db, const char *name, GError **error)
{
    return xc_db_run(db, error, "DELETE FROM grp WHERE name = ?", "s", name);
}

/* --- loading */

struct loaded {
    struct xc_group_spec *spec;
    enum xc_wanted wanted;
};

static void loaded_free(void *data)
{
    struct loaded *loaded = data;

    xc_group_spec_free(loaded->spec);
    g_free(loaded);
}

static void set_text(char **to, sqlite3_stmt *row, int column)
{
    g_free(*to);
    *to = g_strdup(xc_db_text(row, column));
}

static void load_group(sqlite3_stmt *row, void *data)
{
    struct loaded *loaded = g_new0(struct loaded, 1);
    struct xc_group_spec *spec = loaded->spec = xc_group_spec_new(xc_db_text(row, 0));

    set_text(&spec->descr, row, 1);
    spec->spread = (enum xc_spread)sqlite3_column_int(row, 2);
    spec->order = (enum xc_group_order)sqlite3_column_int(row, 3);
    spec->min_running = (unsigned)sqlite3_column_int(row, 4);
    spec->all_hosts = sqlite3_column_int(row, 5) != 0;
    loaded->wanted = (enum xc_wanted)sqlite3_column_int(row, 6);
    g_hash_table_insert(data, spec->name, loaded);
}

static struct xc_group_spec *group_of(sqlite3_stmt *row, GHashTable *groups)
{
    struct loaded *loaded = g_hash_table_lookup(groups, xc_db_text(row, 0));

    return loaded ? loaded->spec : NULL;
}

static void load_member(sqlite3_stmt *row, void *data)
{
    struct xc_group_spec *spec = group_of(row, data);
    struct xc_member_spec *member = spec ? xc_group_member_get(spec, xc_db_text(row, 1)) : NULL;

    if (!member)
        return;
    set_text(&member->descr, row, 2);
    set_text(&member->create, row, 3);
    set_text(&member->pin, row, 4);
    member->priority = (unsigned)sqlite3_column_int(row, 5);
    member->delay_sec = (unsigned)sqlite3_column_int(row, 6);
}

static void load_host(sqlite3_stmt *row, void *data)
{
    struct xc_group_spec *spec = group_of(row, data);

    if (spec)
        xc_group_host_get(spec, xc_db_text(row, 1))->weight = (unsigned)sqlite3_column_int(row, 2);
}

bool xc_group_rows_load(struct xc_db *db, xc_group_fn group, void *data, GError **error)
{
    g_autoptr(GHashTable) groups =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, loaded_free);
    GHashTableIter iter;
    gpointer value;

    if (!xc_db_query(db, error,
                     "SELECT name, descr, spread, ord, min_running, all_hosts, wanted FROM grp",
                     load_group, groups) ||
        !xc_db_query(db, error,
                     "SELECT grp, member, descr, origin, pin, priority, delay_sec FROM grp_member",
                     load_member, groups) ||
        !xc_db_query(db, error, "SELECT grp, host, weight FROM grp_host", load_host, groups))
        return false;
    g_hash_table_iter_init(&iter, groups);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const struct loaded *loaded = value;
        g_autoptr(GError) wrong = NULL;

        if (xc_group_spec_check(loaded->spec, &wrong))
            group(loaded->spec, loaded->wanted, data);
        else
            xc_log(XC_LOG_WARNING, "a group in state.db is passed over: %s", wrong->message);
    }
    return true;
}
