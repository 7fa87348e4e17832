/* The rows of the histories of groups in state.db. */
#include "xenclient/store/history_rows.h"

static bool insert(struct xc_db *db, struct xc_history *h, GError **error)
{
    if (!xc_db_run(db, error,
                   "INSERT INTO group_history (time, group_name, member, domain, op, event, result,"
                   " host, text) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                   "issiiiiss", (int64_t)h->time_real, h->group, h->member, (int64_t)h->domain,
                   (int64_t)h->op, (int64_t)h->event, (int64_t)h->result, h->host, h->text))
        return false;
    h->serial = (uint32_t)sqlite3_last_insert_rowid(db->handle);
    return xc_db_run(db, error,
                     "DELETE FROM group_history WHERE group_name = ?1 AND member = ?2"
                     " AND serial <= (SELECT serial FROM group_history WHERE group_name = ?1"
                     " AND member = ?2 ORDER BY serial DESC LIMIT 1 OFFSET ?3)",
                     "ssi", h->group, h->member, (int64_t)XC_HISTORY_OF_MEMBER);
}

bool xc_history_rows_write(struct xc_db *db, GPtrArray *rows, GError **error)
{
    for (guint i = 0; i < rows->len; i++)
        if (!insert(db, rows->pdata[i], error))
            return false;
    return rows->len == 0 ||
           xc_db_run(db, error,
                     "DELETE FROM group_history WHERE serial <="
                     " (SELECT seq FROM sqlite_sequence WHERE name = 'group_history') - ?",
                     "i", (int64_t)XC_HISTORY_ROWS);
}

struct loading {
    xc_history_fn history;
    void *data;
};

static void load(sqlite3_stmt *row, void *data)
{
    const struct loading *l = data;
    struct xc_history *h = xc_history_new(xc_db_text(row, 2), xc_db_text(row, 3),
                                          xc_db_text(row, 8), xc_db_text(row, 9));

    h->serial = (uint32_t)sqlite3_column_int64(row, 0);
    h->time_real = sqlite3_column_int64(row, 1);
    h->domain = (uint32_t)sqlite3_column_int64(row, 4);
    h->op = (uint32_t)sqlite3_column_int64(row, 5);
    h->event = (enum xc_history_event)sqlite3_column_int(row, 6);
    h->result = (enum xc_result)sqlite3_column_int(row, 7);
    l->history(h, l->data);
}

bool xc_history_rows_load(struct xc_db *db, xc_history_fn history, void *data, GError **error)
{
    struct loading l = {history, data};

    return xc_db_query(db, error,
                       "SELECT serial, time, group_name, member, domain, op, event, result, host,"
                       " text FROM group_history ORDER BY serial",
                       load, &l);
}
