/* Whole rows of a table: several columns in each GETBULK, merged by index. */
#pragma once

#include "snmpclient/session.h"

/* A row: the index behind the column number, and a cell for each column asked for. */
struct sn_row {
    struct sn_oid index;
    struct sn_value *cells; /* n_columns; SN_ABSENT where the agent has no instance */
};

struct sn_table {
    unsigned n_columns;
    GPtrArray *rows; /* struct sn_row *, ascending by index */
};

/* More columns than this do not go into one request. */
#define SN_TABLE_COLUMNS 32
/* A table larger than this is an agent gone wrong. */
#define SN_TABLE_ROWS 1000000

/* Reads these columns (OIDs up to and with the column number) of all rows. The columns may come
 * from several tables that share their index. */
struct sn_table *sn_table_fetch(struct sn_session *session, const struct sn_oid *columns,
                                unsigned n_columns, GError **error);
void *sn_table_free(struct sn_table *table); /* returns NULL; takes NULL */
typedef struct sn_table sn_table;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(sn_table, sn_table_free)

/* The rows whose index is one number from first to last, each read by its name; what is not there is
 * left out. For tables without gaps, of which only a part is wanted. */
struct sn_table *sn_table_fetch_range(struct sn_session *session, const struct sn_oid *columns,
                                      unsigned n_columns, uint32_t first, uint32_t last,
                                      GError **error);

/* The row of an index, or NULL. */
const struct sn_row *sn_table_row(const struct sn_table *table, const struct sn_oid *index);

static inline const struct sn_row *sn_table_at(const struct sn_table *table, unsigned i)
{
    return g_ptr_array_index(table->rows, i);
}

/* --- the merging by itself, for tests: what one column walk needs to know */
struct sn_cursor {
    struct sn_oid column;
    struct sn_oid last; /* the last OID seen; the column itself at first */
    unsigned cell;
    bool done;
};

struct sn_merge {
    struct sn_table *table;
    GHashTable *rows; /* index -> row, borrowed from table */
};

void sn_merge_init(struct sn_merge *merge, unsigned n_columns);
/* Takes the answer to a GETBULK that asked after cursors[active[0..n_active-1]]; moves values out
 * of binds. False: the answer is not ascending, or there are too many rows. */
bool sn_merge_take(struct sn_merge *merge, struct sn_cursor *cursors, const unsigned *active,
                   unsigned n_active, GArray *binds);
/* The table with its rows in order; merge is deinitialised. */
struct sn_table *sn_merge_finish(struct sn_merge *merge);
