/* commit: how long a bare SQLite commit takes here and now: one row of 300 octets, WAL,
 * synchronous=FULL, as the journal of operations is written; the least any acknowledged SET can
 * take.
 *
 *   commit FOLDER COUNT       prints the microseconds of each commit */
#include <glib.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static void must(bool done, sqlite3 *db)
{
    if (done)
        return;
    fprintf(stderr, "commit: %s\n", sqlite3_errmsg(db));
    exit(1);
}

static void run(sqlite3 *db, const char *sql)
{
    must(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, db);
}

int main(int argc, char **argv)
{
    g_autofree char *path = NULL;
    sqlite3_stmt *insert = NULL;
    sqlite3 *db = NULL;
    unsigned count;

    if (argc != 3) {
        fprintf(stderr, "commit FOLDER COUNT\n");
        return 2;
    }
    path = g_build_filename(argv[1], "bench.db", NULL);
    count = (unsigned)g_ascii_strtoull(argv[2], NULL, 10);
    must(sqlite3_open(path, &db) == SQLITE_OK, db);
    run(db, "PRAGMA journal_mode = WAL");
    run(db, "PRAGMA synchronous = FULL");
    run(db, "CREATE TABLE IF NOT EXISTS op (idx INTEGER PRIMARY KEY AUTOINCREMENT, content BLOB)");
    must(sqlite3_prepare_v2(db, "INSERT INTO op (content) VALUES (zeroblob(300))", -1, &insert,
                            NULL) == SQLITE_OK,
         db);
    for (unsigned i = 0; i < count; i++) {
        gint64 began = g_get_monotonic_time();

        run(db, "BEGIN IMMEDIATE");
        must(sqlite3_step(insert) == SQLITE_DONE, db);
        sqlite3_reset(insert);
        run(db, "COMMIT");
        printf("%" G_GINT64_FORMAT "\n", g_get_monotonic_time() - began);
    }
    sqlite3_finalize(insert);
    sqlite3_close(db);
    return 0;
}
