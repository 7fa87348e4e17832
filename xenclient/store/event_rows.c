/* The rows of events in state.db. */
#include "xenclient/store/event_rows.h"

#include "xenclient/store/history_rows.h"

static bool insert(struct xc_db *db, struct xc_event *event, GError **error)
{
    if (!xc_db_run(db, error,
                   "INSERT INTO event (time, type, severity, domain, op, host, object, text)"
                   " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                   "iiiiisss", (int64_t)event->time_real, (int64_t)event->type,
                   (int64_t)event->severity, (int64_t)event->domain, (int64_t)event->op,
                   event->host, event->object, event->text))
        return false;
    event->serial = (uint32_t)sqlite3_last_insert_rowid(db->handle);
    return true;
}

static bool remember(struct xc_db *db, const struct xc_event *event, GError **error)
{
    if (*event->source)
        return xc_db_run(db, error,
                         "INSERT INTO told_source (key, state) VALUES (?, ?)"
                         " ON CONFLICT (key) DO UPDATE SET state = excluded.state",
                         "si", event->source, (int64_t)event->told);
    return xc_db_run(db, error,
                     "INSERT INTO told_domain (idx, state, host)"
                     " SELECT idx, ?2, ?3 FROM domain WHERE idx = ?1"
                     " ON CONFLICT (idx) DO UPDATE SET state = excluded.state,"
                     " host = excluded.host",
                     "iis", (int64_t)event->domain, (int64_t)event->told, event->host);
}

static bool put_notice(struct xc_db *db, const struct xc_event *event, const char *uuid,
                       gint64 time, GError **error)
{
    return xc_db_run(db, error,
                     "INSERT INTO told_notice (source, uuid, time) VALUES (?, ?, ?)"
                     " ON CONFLICT (source, uuid) DO UPDATE SET time = excluded.time",
                     "ssi", event->source, uuid, (int64_t)time);
}

static bool remember_notice(struct xc_db *db, const struct xc_event *event, GError **error)
{
    return (!*event->notice || put_notice(db, event, event->notice, event->notice_time, error)) &&
           put_notice(db, event, "", event->notice_floor, error) &&
           xc_db_run(db, error,
                     "DELETE FROM told_notice WHERE source = ? AND time <= ? AND uuid <> ''", "si",
                     event->source, (int64_t)event->notice_floor);
}

bool xc_event_rows_write(struct xc_db *db, GPtrArray *events, int64_t keep, GError **error)
{
    for (guint i = 0; i < events->len; i++) {
        struct xc_event *event = events->pdata[i];

        if ((event->type != XC_EVENT_NONE && !insert(db, event, error)) ||
            (event->told && !remember(db, event, error)) ||
            (event->notice_floor && !remember_notice(db, event, error)) ||
            (event->history && !xc_history_rows_write(db, event->history, error)))
            return false;
    }
    return xc_db_run(db, error,
                     "DELETE FROM event WHERE serial <="
                     " (SELECT seq FROM sqlite_sequence WHERE name = 'event') - ?",
                     "i", keep);
}

struct loading {
    xc_event_fn event;
    void *data;
};

static void load(sqlite3_stmt *row, void *data)
{
    const struct loading *l = data;
    struct xc_event *event =
        xc_event_new((enum xc_event_type)sqlite3_column_int(row, 2),
                     (enum xc_severity)sqlite3_column_int(row, 3), xc_db_text(row, 6),
                     xc_db_text(row, 7), "%s", xc_db_text(row, 8));

    event->serial = (uint32_t)sqlite3_column_int64(row, 0);
    event->time_real = sqlite3_column_int64(row, 1);
    event->domain = (uint32_t)sqlite3_column_int64(row, 4);
    event->op = (uint32_t)sqlite3_column_int64(row, 5);
    l->event(event, l->data);
}

bool xc_event_rows_load(struct xc_db *db, xc_event_fn event, void *data, GError **error)
{
    struct loading l = {event, data};

    return xc_db_query(db, error,
                       "SELECT serial, time, type, severity, domain, op, host, object, text"
                       " FROM event ORDER BY serial",
                       load, &l);
}
