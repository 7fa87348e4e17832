/* Whole rows of a table: several columns in each GETBULK, merged by index. */
#include "snmpclient/table.h"

#include <string.h>

/* Rows in a GETBULK: 10 to 20 is where a net-snmp master is fastest with many columns; one column
 * alone wants more. */
#define ROWS_MIN   10u
#define BINDS_GOAL 200u

/* --- rows */
static guint hash_index(gconstpointer key)
{
    const struct sn_oid *oid = key;
    guint h = 2166136261u;

    for (unsigned i = 0; i < oid->n; i++)
        h = (h ^ oid->id[i]) * 16777619u;
    return h;
}

static gboolean same_index(gconstpointer a, gconstpointer b)
{
    return sn_oid_compare(a, b) == 0;
}

static struct sn_row *row_new(const struct sn_oid *index, unsigned n_columns)
{
    struct sn_row *row = g_new0(struct sn_row, 1);

    row->index = *index;
    row->cells = g_new0(struct sn_value, n_columns);
    return row;
}

static void row_free(struct sn_row *row, unsigned n_columns)
{
    sn_values_clear(row->cells, n_columns);
    g_free(row->cells);
    g_free(row);
}

void *sn_table_free(struct sn_table *table)
{
    if (!table)
        return NULL;
    for (unsigned i = 0; i < table->rows->len; i++)
        row_free(g_ptr_array_index(table->rows, i), table->n_columns);
    g_ptr_array_unref(table->rows);
    g_free(table);
    return NULL;
}

static int by_index(gconstpointer a, gconstpointer b)
{
    const struct sn_row *const *left = a;
    const struct sn_row *const *right = b;

    return sn_oid_compare(&(*left)->index, &(*right)->index);
}

const struct sn_row *sn_table_row(const struct sn_table *table, const struct sn_oid *index)
{
    unsigned low = 0;
    unsigned high = table->rows->len;

    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        const struct sn_row *row = sn_table_at(table, middle);
        int order = sn_oid_compare(&row->index, index);

        if (order == 0)
            return row;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* --- merging */
void sn_merge_init(struct sn_merge *merge, unsigned n_columns)
{
    merge->table = g_new0(struct sn_table, 1);
    merge->table->n_columns = n_columns;
    merge->table->rows = g_ptr_array_new();
    merge->rows = g_hash_table_new(hash_index, same_index);
}

struct sn_table *sn_merge_finish(struct sn_merge *merge)
{
    g_hash_table_unref(merge->rows);
    g_ptr_array_sort(merge->table->rows, by_index);
    return merge->table;
}

static struct sn_row *merge_row(struct sn_merge *merge, const struct sn_oid *index)
{
    struct sn_row *row = g_hash_table_lookup(merge->rows, index);

    if (row)
        return row;
    row = row_new(index, merge->table->n_columns);
    g_ptr_array_add(merge->table->rows, row);
    g_hash_table_insert(merge->rows, &row->index, row);
    return row;
}

static bool take_bind(struct sn_merge *merge, struct sn_cursor *cursor, struct sn_bind *bind)
{
    struct sn_oid index = {0};
    struct sn_row *row;

    if (cursor->done)
        return true;
    if (!sn_present(&bind->value) || !sn_oid_below(&bind->oid, &cursor->column)) {
        cursor->done = true;
        return true;
    }
    if (sn_oid_compare(&bind->oid, &cursor->last) <= 0 || merge->table->rows->len > SN_TABLE_ROWS)
        return false;
    cursor->last = bind->oid;
    sn_oid_append(&index, bind->oid.id + cursor->column.n, bind->oid.n - cursor->column.n);
    row = merge_row(merge, &index);
    row->cells[cursor->cell] = bind->value;
    memset(&bind->value, 0, sizeof(bind->value));
    return true;
}

bool sn_merge_take(struct sn_merge *merge, struct sn_cursor *cursors, const unsigned *active,
                   unsigned n_active, GArray *binds)
{
    if (binds->len == 0)
        return false;
    for (unsigned i = 0; i < binds->len; i++) {
        struct sn_bind *bind = &g_array_index(binds, struct sn_bind, i);

        if (!take_bind(merge, &cursors[active[i % n_active]], bind))
            return false;
    }
    return true;
}

/* --- fetching */
static unsigned find_active(const struct sn_cursor *cursors, unsigned n, unsigned *active,
                            struct sn_oid *ask)
{
    unsigned n_active = 0;

    for (unsigned i = 0; i < n && n_active < SN_TABLE_COLUMNS; i++) {
        if (cursors[i].done)
            continue;
        ask[n_active] = cursors[i].last;
        active[n_active++] = i;
    }
    return n_active;
}

/* One step: a GETBULK over the columns that have rows left. */
static bool step(struct sn_session *session, struct sn_merge *merge, struct sn_cursor *cursors,
                 unsigned n, bool *more, GError **error)
{
    unsigned active[SN_TABLE_COLUMNS];
    g_autofree struct sn_oid *ask = g_new(struct sn_oid, SN_TABLE_COLUMNS);
    unsigned n_active = find_active(cursors, n, active, ask);
    g_autoptr(GArray) binds = NULL;

    *more = n_active > 0;
    if (!*more)
        return true;
    binds = sn_bulk(session, ask, n_active, MAX(ROWS_MIN, BINDS_GOAL / n_active), error);
    if (!binds)
        return false;
    if (sn_merge_take(merge, cursors, active, n_active, binds))
        return true;
    g_set_error(error, SN_ERROR, SN_ERROR_PROTOCOL, "the agent's rows do not ascend or do not end");
    return false;
}

static struct sn_cursor *make_cursors(const struct sn_oid *columns, unsigned n)
{
    struct sn_cursor *cursors = g_new0(struct sn_cursor, n);

    for (unsigned i = 0; i < n; i++) {
        cursors[i].column = columns[i];
        cursors[i].last = columns[i];
        cursors[i].cell = i;
    }
    return cursors;
}

struct sn_table *sn_table_fetch(struct sn_session *session, const struct sn_oid *columns,
                                unsigned n_columns, GError **error)
{
    g_autofree struct sn_cursor *cursors = make_cursors(columns, n_columns);
    struct sn_merge merge;
    struct sn_table *table;
    bool more = true;
    bool ok = true;

    sn_merge_init(&merge, n_columns);
    while (ok && more)
        ok = step(session, &merge, cursors, n_columns, &more, error);
    table = sn_merge_finish(&merge);
    return ok ? table : sn_table_free(table);
}

/* --- a part of a table */
static bool any_present(const struct sn_value *cells, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (sn_present(&cells[i]))
            return true;
    return false;
}

struct sn_table *sn_table_fetch_range(struct sn_session *session, const struct sn_oid *columns,
                                      unsigned n_columns, uint32_t first, uint32_t last,
                                      GError **error)
{
    unsigned n = last >= first ? last - first + 1 : 0;
    g_autofree struct sn_oid *oids = g_new(struct sn_oid, (size_t)n * n_columns);
    g_autofree struct sn_value *values = g_new0(struct sn_value, (size_t)n * n_columns);
    struct sn_merge merge;
    bool ok;

    for (unsigned i = 0; i < n * n_columns; i++) {
        oids[i] = columns[i % n_columns];
        sn_oid_append_number(&oids[i], first + i / n_columns);
    }
    ok = n == 0 || sn_get(session, oids, (size_t)n * n_columns, values, error);
    sn_merge_init(&merge, n_columns);
    for (unsigned i = 0; ok && i < n; i++) {
        struct sn_oid index = {.n = 1, .id = {first + i}};

        if (any_present(&values[i * n_columns], n_columns))
            memcpy(merge_row(&merge, &index)->cells, &values[i * n_columns],
                   n_columns * sizeof(*values));
    }
    if (!ok)
        sn_values_clear(values, (size_t)n * n_columns);
    return ok ? sn_merge_finish(&merge) : sn_table_free(sn_merge_finish(&merge));
}
