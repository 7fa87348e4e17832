/* SQLite in one place: opening, pragmas, versions, statements with bound parameters.
 * A handle belongs to one thread at a time. Errors: XC_CAUSE_STORE with file and SQLite's words. */
#pragma once

#include "xenclient/util/error.h"

#include <sqlite3.h>
#include <stdint.h>

struct xc_db {
    sqlite3 *handle;
    char *path;
    GHashTable *statements; /* SQL text (static) -> sqlite3_stmt *, prepared once */
    bool damaged;           /* it was found so: nothing is written any more */
};

/* Opens or makes the file (mode 0600), WAL, synchronous=FULL: what was committed survives a power
 * cut. steps[i] is the SQL that leads from version i to i + 1: a new file gets all of them, an
 * older one those it lacks, whole or not at all. A file of a newer version than ours, or a damaged
 * one, is an error that says so; it is not touched. */
struct xc_db *xc_db_open(const char *path, const char *const *steps, int n_steps, GError **error);
/* How long to wait for another program's lock. Opening waits two seconds, and so does all after it unless this says else. */
void xc_db_set_patience(struct xc_db *db, int msec);
void *xc_db_close(struct xc_db *db); /* returns NULL; takes NULL */

/* As it was at one moment, also while others write to it, whom this does not hold up. */
/* In memory, brought to our version. */
struct xc_db *xc_db_open_copy(const char *path, const char *const *steps, int n_steps,
                              GError **error);
/* In a new file (mode 0600) that is one file: no WAL. `then` (NULL: nothing) is SQL that changes the copy; it is checked
 * after that. */
bool xc_db_copy(const char *path, const char *to, const char *then, GError **error);

/* One statement with parameters by type letters: i int64, s text ("" stays ""), b blob (pointer,
 * size_t). `sql` must be a string literal. */
bool xc_db_run(struct xc_db *db, GError **error, const char *sql, const char *types, ...);

/* Rows: calls row() for each; row reads its columns with sqlite3_column_*. */
typedef void (*xc_db_row_fn)(sqlite3_stmt *row, void *data);
bool xc_db_query(struct xc_db *db, GError **error, const char *sql, xc_db_row_fn row, void *data);

/* A text column, never NULL ("" for NULL). */
const char *xc_db_text(sqlite3_stmt *row, int column);

bool xc_db_begin(struct xc_db *db, GError **error);
bool xc_db_commit(struct xc_db *db, GError **error);
void xc_db_rollback(struct xc_db *db);
/* Can it be written? Writes what is there once more. */
bool xc_db_probe(struct xc_db *db, GError **error);
