/* The intent journal. */
#include "xenclient/store/operations_db.h"

#include "operations.sql.h"
#include "operations_2.sql.h"
#include "xenclient/store/schema.h"

#include <string.h>

/* Its user is the main loop, which answers everybody: another program's lock may not stop it for long. */
#define BUSY_MSEC 100

static const char *const steps[] = {operations_sql, operations_2_sql};
const struct xc_schema xc_schema_operations = {"operations.db", steps, G_N_ELEMENTS(steps)};

struct xc_journal {
    struct xc_db *db;
};

struct xc_journal *xc_journal_open(const char *dir, GError **error)
{
    struct xc_db *db = xc_schema_open(&xc_schema_operations, dir, error);
    struct xc_journal *journal;

    if (!db)
        return NULL;
    xc_db_set_patience(db, BUSY_MSEC);
    journal = g_new0(struct xc_journal, 1);
    journal->db = db;
    return journal;
}

void *xc_journal_close(struct xc_journal *journal)
{
    if (!journal)
        return NULL;
    xc_db_close(journal->db);
    g_free(journal);
    return NULL;
}

struct loading {
    xc_journal_op_fn op;
    xc_journal_intent_fn intent;
    void *data;
    uint32_t *next;
};

static void get_uuid(sqlite3_stmt *row, int column, struct xc_uuid *out)
{
    if (sqlite3_column_bytes(row, column) == (int)sizeof(*out))
        memcpy(out, sqlite3_column_blob(row, column), sizeof(*out));
}

static void set_text(char **to, sqlite3_stmt *row, int column)
{
    g_free(*to);
    *to = g_strdup(xc_db_text(row, column));
}

static void load_op(sqlite3_stmt *row, void *data)
{
    struct loading *loading = data;
    struct xc_op *op = xc_op_new();
    int c = 0;

    op->index = (uint32_t)sqlite3_column_int64(row, c++);
    get_uuid(row, c++, &op->uuid);
    op->action = (enum xc_action)sqlite3_column_int(row, c++);
    op->state = (enum xc_op_state)sqlite3_column_int(row, c++);
    op->result = (enum xc_result)sqlite3_column_int(row, c++);
    op->cause = (enum xc_cause)sqlite3_column_int(row, c++);
    set_text(&op->text, row, c++);
    op->domain = (uint32_t)sqlite3_column_int64(row, c++);
    set_text(&op->target, row, c++);
    get_uuid(row, c++, &op->target_uuid);
    op->target_domid = sqlite3_column_int64(row, c++);
    set_text(&op->source, row, c++);
    set_text(&op->host_from, row, c++);
    set_text(&op->host_to, row, c++);
    set_text(&op->argument, row, c++);
    set_text(&op->content, row, c++);
    set_text(&op->note, row, c++);
    set_text(&op->boot_id, row, c++);
    op->attempts = (unsigned)sqlite3_column_int(row, c++);
    op->timeout_usec = sqlite3_column_int64(row, c++);
    op->created_real = sqlite3_column_int64(row, c++);
    op->started_real = sqlite3_column_int64(row, c++);
    op->ended_real = sqlite3_column_int64(row, c++);
    op->parent = (uint32_t)sqlite3_column_int64(row, c++);
    set_text(&op->group, row, c++);
    set_text(&op->member, row, c++);
    op->rank = (unsigned)sqlite3_column_int(row, c++);
    op->delay_sec = (unsigned)sqlite3_column_int(row, c++);
    op->passed = (unsigned)sqlite3_column_int(row, c++);
    loading->op(op, loading->data);
}

static void load_intent(sqlite3_stmt *row, void *data)
{
    struct loading *loading = data;

    loading->intent(sqlite3_column_int64(row, 0), (enum xc_intent_kind)sqlite3_column_int(row, 1),
                    sqlite3_column_blob(row, 2), (size_t)sqlite3_column_bytes(row, 2),
                    loading->data);
}

static void load_next(sqlite3_stmt *row, void *data)
{
    *((struct loading *)data)->next = (uint32_t)sqlite3_column_int64(row, 0) + 1;
}

bool xc_journal_load(struct xc_journal *journal, xc_journal_op_fn op, xc_journal_intent_fn intent,
                     void *data, uint32_t *next_op, GError **error)
{
    struct loading loading = {op, intent, data, next_op};

    *next_op = 1;
    return xc_db_query(journal->db, error, "SELECT seq FROM sqlite_sequence WHERE name = 'op'",
                       load_next, &loading) &&
           xc_db_query(journal->db, error,
                       "SELECT idx, uuid, action, state, result, cause, text, domain, target,"
                       " target_uuid, target_domid, source, host_from, host_to, argument, content,"
                       " note, boot_id, attempts, timeout_usec, created, started, ended,"
                       " parent, group_name, member, rank, delay_sec, passed FROM op ORDER BY idx",
                       load_op, &loading) &&
           xc_db_query(journal->db, error, "SELECT seq, kind, payload FROM intent ORDER BY seq",
                       load_intent, &loading);
}

bool xc_journal_begin(struct xc_journal *journal, GError **error)
{
    return xc_db_begin(journal->db, error);
}

bool xc_journal_commit(struct xc_journal *journal, GError **error)
{
    if (xc_db_commit(journal->db, error))
        return true;
    xc_db_rollback(journal->db);
    return false;
}

bool xc_journal_probe(struct xc_journal *journal, GError **error)
{
    return xc_db_probe(journal->db, error);
}

void xc_journal_rollback(struct xc_journal *journal)
{
    xc_db_rollback(journal->db);
}

bool xc_journal_put_op(struct xc_journal *journal, const struct xc_op *op, GError **error)
{
    return xc_db_run(
        journal->db, error,
        "INSERT INTO op (idx, uuid, action, state, result, cause, text, domain, target,"
        " target_uuid, target_domid, source, host_from, host_to, argument, content, note, boot_id,"
        " attempts, timeout_usec, created, started, ended, parent, group_name, member, rank,"
        " delay_sec, passed)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
        " ?, ?)"
        " ON CONFLICT (idx) DO UPDATE SET state = excluded.state, result = excluded.result,"
        " cause = excluded.cause, text = excluded.text, domain = excluded.domain,"
        " target = excluded.target, target_uuid = excluded.target_uuid,"
        " target_domid = excluded.target_domid, host_from = excluded.host_from,"
        " host_to = excluded.host_to, boot_id = excluded.boot_id, attempts = excluded.attempts,"
        " started = excluded.started, ended = excluded.ended",
        "ibiiiisisbisssssssiiiiiissiii", (int64_t)op->index, &op->uuid, sizeof(op->uuid),
        (int64_t)op->action, (int64_t)op->state, (int64_t)op->result, (int64_t)op->cause, op->text,
        (int64_t)op->domain, op->target, &op->target_uuid, sizeof(op->target_uuid),
        op->target_domid, op->source, op->host_from, op->host_to, op->argument, op->content,
        op->note, op->boot_id, (int64_t)op->attempts, (int64_t)op->timeout_usec,
        (int64_t)op->created_real, (int64_t)op->started_real, (int64_t)op->ended_real,
        (int64_t)op->parent, op->group, op->member, (int64_t)op->rank, (int64_t)op->delay_sec,
        (int64_t)op->passed);
}

bool xc_journal_drop_op(struct xc_journal *journal, uint32_t index, GError **error)
{
    return xc_db_run(journal->db, error, "DELETE FROM op WHERE idx = ?1 OR parent = ?1", "i",
                     (int64_t)index);
}

bool xc_journal_add_intent(struct xc_journal *journal, enum xc_intent_kind kind,
                           const GByteArray *payload, int64_t *seq, GError **error)
{
    if (!xc_db_run(journal->db, error, "INSERT INTO intent (kind, payload) VALUES (?, ?)", "ib",
                   (int64_t)kind, payload->data, (size_t)payload->len))
        return false;
    *seq = sqlite3_last_insert_rowid(journal->db->handle);
    return true;
}

bool xc_journal_drop_intent(struct xc_journal *journal, int64_t seq, GError **error)
{
    return xc_db_run(journal->db, error, "DELETE FROM intent WHERE seq = ?", "i", seq);
}
