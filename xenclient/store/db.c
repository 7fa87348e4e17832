/* SQLite in one place. */
#include "xenclient/store/db.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUSY_MSEC  2000
#define BEGIN_ANEW "put a copy back, or move the file away to begin anew with new indexes"

/* By SQLite's primary result codes. */
static const struct {
    int code;
    const char *cure;
} cures[] = {
    {SQLITE_FULL, "free space there"},
    {SQLITE_IOERR, "see the kernel's log for that disk"},
    {SQLITE_BUSY, "another program has locked it: end that one"},
    {SQLITE_READONLY, "let the daemon's account write the file and its folder"},
    {SQLITE_CANTOPEN, "let the daemon's account write the file and its folder"},
    {SQLITE_PERM, "let the daemon's account write the file and its folder"},
    {SQLITE_CORRUPT, "it is damaged: " BEGIN_ANEW},
    {SQLITE_NOTADB, "it is damaged: " BEGIN_ANEW},
};

static const char *cure_of(int code)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cures); i++)
        if (cures[i].code == (code & 0xff))
            return cures[i].cure;
    return "report it with the log";
}

static bool failed(struct xc_db *db, const char *what, GError **error)
{
    int code = sqlite3_errcode(db->handle) & 0xff;

    if (!db->handle)
        return xc_fail(error, XC_CAUSE_STORE, "%s: %s: out of memory", db->path, what);
    db->damaged = db->damaged || code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
    return xc_fail(error, XC_CAUSE_STORE, "%s: %s: %s: %s", db->path, what,
                   sqlite3_errmsg(db->handle), cure_of(code));
}

/* What was found damaged is written no more, whatever is left of it: that would spread. */
static bool may_write(const struct xc_db *db, GError **error)
{
    return !db->damaged ||
           xc_fail(error, XC_CAUSE_STORE, "%s: %s", db->path, cure_of(SQLITE_CORRUPT));
}

static bool simple(struct xc_db *db, const char *sql, GError **error)
{
    if (sqlite3_exec(db->handle, sql, NULL, NULL, NULL) != SQLITE_OK)
        return failed(db, sql, error);
    return true;
}

static void get_int(sqlite3_stmt *row, void *data)
{
    *(int *)data = sqlite3_column_int(row, 0);
}

static void get_finding(sqlite3_stmt *row, void *data)
{
    char **finding = data;
    const char *text = xc_db_text(row, 0);
    const char *line = strchr(text, '\n'); /* behind a headline */

    if (!*finding && strcmp(text, "ok") != 0)
        *finding = g_strdup(line ? line + 1 : text);
}

/* A damaged page is found now, with a cure, or weeks later by a write that fails. */
static bool is_whole(struct xc_db *db, GError **error)
{
    g_autofree char *finding = NULL;

    if (!xc_db_query(db, error, "PRAGMA quick_check(1)", get_finding, &finding))
        return false;
    return !finding ||
           xc_fail(error, XC_CAUSE_STORE, "%s: %s: it is damaged: " BEGIN_ANEW, db->path, finding);
}

/* From the version found to ours. */
static bool migrate(struct xc_db *db, const char *const *steps, int found, int version,
                    GError **error)
{
    g_autofree char *stamp = g_strdup_printf("PRAGMA user_version = %d", version);
    bool ok = simple(db, "BEGIN IMMEDIATE", error);

    for (int i = found; ok && i < version; i++)
        ok = simple(db, steps[i], error);
    return ok && simple(db, stamp, error) && simple(db, "COMMIT", error);
}

static bool set_up(struct xc_db *db, const char *const *steps, int version, GError **error)
{
    int found = 0;

    xc_db_set_patience(db, BUSY_MSEC);
    if (!xc_db_query(db, error, "PRAGMA user_version", get_int, &found) || !is_whole(db, error))
        return false;
    if (found > version)
        return xc_fail(error, XC_CAUSE_STORE,
                       "%s: made by a newer version (%d, this one knows %d): install that version, "
                       "or move the file away to begin anew",
                       db->path, found, version);
    return simple(db, "PRAGMA journal_mode = WAL", error) &&
           simple(db, "PRAGMA synchronous = FULL", error) &&
           simple(db, "PRAGMA foreign_keys = ON", error) &&
           (found == version || migrate(db, steps, found, version, error));
}

void xc_db_set_patience(struct xc_db *db, int msec)
{
    sqlite3_busy_timeout(db->handle, msec);
}

/* `path` is the name in messages too; `file` is what SQLite opens. */
static struct xc_db *open_file(const char *path, const char *file, int flags, GError **error)
{
    struct xc_db *db = g_new0(struct xc_db, 1);
    mode_t before = umask(077);
    int r;

    db->path = g_strdup(path);
    db->statements = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL,
                                           (GDestroyNotify)(void (*)(void))sqlite3_finalize);
    r = sqlite3_open_v2(file, &db->handle, flags | SQLITE_OPEN_NOMUTEX, NULL);
    umask(before);
    if (r == SQLITE_OK)
        return db;
    failed(db, "cannot be opened", error);
    return xc_db_close(db);
}

struct xc_db *xc_db_open(const char *path, const char *const *steps, int n_steps, GError **error)
{
    struct xc_db *db = open_file(path, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, error);

    if (db && !set_up(db, steps, n_steps, error))
        return xc_db_close(db);
    return db;
}

void *xc_db_close(struct xc_db *db)
{
    if (!db)
        return NULL;
    g_hash_table_unref(db->statements);
    sqlite3_close(db->handle);
    g_free(db->path);
    g_free(db);
    return NULL;
}

/* --- copies */

/* All pages in one step, which is one reading transaction: in WAL mode it sees one moment and keeps no writer. */
static bool copy_pages(struct xc_db *from, struct xc_db *to, GError **error)
{
    sqlite3_backup *backup = sqlite3_backup_init(to->handle, "main", from->handle, "main");
    int r = backup ? sqlite3_backup_step(backup, -1) : sqlite3_errcode(to->handle);

    if (backup)
        sqlite3_backup_finish(backup);
    if (r == SQLITE_DONE)
        return true;
    return xc_fail(error, XC_CAUSE_STORE, "%s: cannot be copied to %s: %s: %s", from->path,
                   to->path, sqlite3_errstr(r), cure_of(r));
}

static struct xc_db *open_to_read(const char *path, GError **error)
{
    struct xc_db *db;

    /* SQLite has one message for all of these. */
    if (access(path, R_OK) != 0) {
        xc_fail(error, XC_CAUSE_STORE, "%s: %s", path, g_strerror(errno));
        return NULL;
    }
    /* Not READONLY: it could not tidy up after itself, and would leave an empty WAL beside a database at rest. */
    db = open_file(path, path, SQLITE_OPEN_READWRITE, error);
    if (db)
        xc_db_set_patience(db, BUSY_MSEC);
    return db;
}

struct xc_db *xc_db_open_copy(const char *path, const char *const *steps, int n_steps,
                              GError **error)
{
    struct xc_db *from = open_to_read(path, error);
    struct xc_db *copy = from ? open_file(path, ":memory:", SQLITE_OPEN_READWRITE, error) : NULL;

    if (copy && (!copy_pages(from, copy, error) || !set_up(copy, steps, n_steps, error)))
        copy = xc_db_close(copy);
    xc_db_close(from);
    return copy;
}

static bool check(struct xc_db *db, GError **error)
{
    g_autofree char *finding = NULL;

    if (!xc_db_query(db, error, "PRAGMA integrity_check(1)", get_finding, &finding))
        return false;
    return !finding || xc_fail(error, XC_CAUSE_STORE,
                               "%s: %s: what was copied is damaged: go back to an older backup",
                               db->path, finding);
}

bool xc_db_copy(const char *path, const char *to, const char *then, GError **error)
{
    struct xc_db *from = open_to_read(path, error);
    struct xc_db *copy =
        from ? open_file(to, to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, error) : NULL;
    bool ok = copy && copy_pages(from, copy, error) &&
              simple(copy, "PRAGMA journal_mode = DELETE", error) &&
              (!then || simple(copy, then, error)) && check(copy, error);

    xc_db_close(copy);
    xc_db_close(from);
    return ok;
}

/* --- statements */

static sqlite3_stmt *prepared(struct xc_db *db, const char *sql, GError **error)
{
    sqlite3_stmt *statement = g_hash_table_lookup(db->statements, sql);

    if (statement) {
        sqlite3_reset(statement);
        return statement;
    }
    if (sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) !=
        SQLITE_OK) {
        failed(db, sql, error);
        return NULL;
    }
    g_hash_table_insert(db->statements, (void *)sql, statement);
    return statement;
}

bool xc_db_run(struct xc_db *db, GError **error, const char *sql, const char *types, ...)
{
    sqlite3_stmt *statement = may_write(db, error) ? prepared(db, sql, error) : NULL;
    va_list args;
    bool ok;

    if (!statement)
        return false;
    va_start(args, types);
    for (int i = 1; types[i - 1]; i++) {
        if (types[i - 1] == 'i') {
            sqlite3_bind_int64(statement, i, va_arg(args, int64_t));
        } else if (types[i - 1] == 's') {
            sqlite3_bind_text(statement, i, va_arg(args, const char *), -1, SQLITE_TRANSIENT);
        } else {
            const void *data = va_arg(args, const void *);
            size_t length = va_arg(args, size_t);

            sqlite3_bind_blob64(statement, i, data ? data : "", length, SQLITE_TRANSIENT);
        }
    }
    va_end(args);
    ok = sqlite3_step(statement) == SQLITE_DONE;
    if (!ok)
        failed(db, "write failed", error);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return ok;
}

bool xc_db_query(struct xc_db *db, GError **error, const char *sql, xc_db_row_fn row, void *data)
{
    sqlite3_stmt *statement = prepared(db, sql, error);
    int r;

    if (!statement)
        return false;
    while ((r = sqlite3_step(statement)) == SQLITE_ROW)
        row(statement, data);
    if (r != SQLITE_DONE)
        failed(db, "read failed", error);
    sqlite3_reset(statement);
    return r == SQLITE_DONE;
}

const char *xc_db_text(sqlite3_stmt *row, int column)
{
    const char *text = (const char *)sqlite3_column_text(row, column);

    return text ? text : "";
}

bool xc_db_begin(struct xc_db *db, GError **error)
{
    return may_write(db, error) && simple(db, "BEGIN IMMEDIATE", error);
}

bool xc_db_commit(struct xc_db *db, GError **error)
{
    return simple(db, "COMMIT", error);
}

void xc_db_rollback(struct xc_db *db)
{
    if (!sqlite3_get_autocommit(db->handle))
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

bool xc_db_probe(struct xc_db *db, GError **error)
{
    g_autofree char *again = NULL;
    int version = 0;

    if (!may_write(db, error) || !xc_db_query(db, error, "PRAGMA user_version", get_int, &version))
        return false;
    again = g_strdup_printf("PRAGMA user_version = %d", version);
    return simple(db, again, error);
}
