/* Facts from the running agent: all columns of a table in one GETBULK. */
#include "plugins/lib/facts.h"

#include <string.h>

/* Rows read at once from the end of a table that only grows. */
#define NEWEST_STEP 50u

struct reader {
    struct chk_reader base;
    struct sn_session *session;
};

/* --- indexes */
/* Else it is an index object, or comes from elsewhere. */
static bool is_column(enum sn_id object)
{
    return object != SN_NONE && sn_object(object)->access != SN_NOT_ACCESSIBLE;
}

/* The index objects of the table that the first column belongs to; NULL: it is no table. */
static const enum sn_id *index_of(const struct chk_facts *facts)
{
    for (unsigned i = 0; !facts->scalars && i < facts->n_fields; i++)
        if (is_column(facts->fields[i].object))
            return sn_object(sn_object(facts->fields[i].object)->parent)->index;
    return NULL;
}

/* One part of an index, which begins at *at. */
static struct sn_value take_part(enum sn_id object, const struct sn_oid *index, unsigned *at)
{
    struct sn_value value = {0};
    unsigned length;

    if (*at >= index->n)
        return value;
    if (sn_object(object)->base != SN_BASE_STRING) {
        value.type = SN_UNSIGNED;
        value.number = index->id[(*at)++];
        return value;
    }
    length = MIN(index->id[*at], index->n - *at - 1);
    value.type = SN_BYTES;
    value.length = length;
    value.bytes = g_malloc0(length + 1);
    for (unsigned i = 0; i < length; i++)
        value.bytes[i] = (char)index->id[*at + 1 + i];
    *at += length + 1;
    return value;
}

static void take_index(const struct chk_facts *facts, const struct sn_oid *index,
                       struct chk_row *row)
{
    unsigned at = 0;

    for (const enum sn_id *part = index_of(facts); part && *part != SN_NONE; part++) {
        struct sn_value value = take_part(*part, index, &at);

        row->number = (uint32_t)value.number;
        for (unsigned i = 0; i < facts->n_fields; i++)
            if (facts->fields[i].object == *part)
                chk_value_take(&facts->fields[i], &value, &row->values[i]);
        sn_value_clear(&value);
    }
}

static struct chk_row *row_new(const struct chk_facts *facts, const struct sn_oid *index,
                               const struct sn_value *cells)
{
    struct chk_row *row = g_new0(struct chk_row, 1);

    row->n_values = facts->n_fields;
    row->values = g_new0(struct chk_value, row->n_values);
    take_index(facts, index, row);
    for (unsigned i = 0; i < facts->n_fields; i++)
        if (is_column(facts->fields[i].object))
            chk_value_take(&facts->fields[i], cells++, &row->values[i]);
    return row;
}

/* --- reading */
static unsigned columns_of(const struct chk_facts *facts, bool instance, struct sn_oid *out)
{
    unsigned n = 0;

    for (unsigned i = 0; i < facts->n_fields; i++)
        if (is_column(facts->fields[i].object))
            out[n++] = instance ? sn_oid_scalar(facts->fields[i].object)
                                : sn_oid_of(facts->fields[i].object);
    return n;
}

/* A table without rows and an agent that is not there look alike; only the second has no version. */
static bool agent_is_there(struct reader *reader, GError **error)
{
    struct sn_oid version = sn_oid_scalar(xenAgentVersion);
    struct sn_value value;
    bool ok = sn_get(reader->session, &version, 1, &value, error);

    if (ok && !sn_present(&value)) {
        g_set_error(
            error, SN_ERROR, SN_ERROR_UNREACHABLE,
            "snmpd answers, but xensnmpd is not connected to it, or this user may not see it");
        ok = false;
    }
    sn_value_clear(&value);
    return ok;
}

static bool read_scalars(struct reader *reader, const struct chk_facts *facts, GPtrArray *rows,
                         GError **error)
{
    static const struct sn_oid no_index;
    g_autofree struct sn_oid *oids = g_new(struct sn_oid, facts->n_fields);
    g_autofree struct sn_value *values = g_new0(struct sn_value, facts->n_fields);
    unsigned n = columns_of(facts, true, oids);
    bool ok = sn_get(reader->session, oids, n, values, error) && agent_is_there(reader, error);

    if (ok)
        g_ptr_array_add(rows, row_new(facts, &no_index, values));
    sn_values_clear(values, n);
    return ok;
}

static bool read_table(struct reader *reader, const struct chk_facts *facts, GPtrArray *rows,
                       GError **error)
{
    g_autofree struct sn_oid *oids = g_new(struct sn_oid, facts->n_fields);
    unsigned n = columns_of(facts, false, oids);
    g_autoptr(sn_table) table = sn_table_fetch(reader->session, oids, n, error);

    for (unsigned i = 0; table && i < table->rows->len; i++) {
        const struct sn_row *row = sn_table_at(table, i);

        g_ptr_array_add(rows, row_new(facts, &row->index, row->cells));
    }
    return table && (rows->len > 0 || agent_is_there(reader, error));
}

static bool read_range(struct reader *reader, const struct chk_facts *facts, uint32_t *first,
                       uint32_t *last, GError **error)
{
    const struct sn_oid oids[] = {sn_oid_scalar(facts->first), sn_oid_scalar(facts->last)};
    struct sn_value values[G_N_ELEMENTS(oids)];
    bool ok = sn_get(reader->session, oids, G_N_ELEMENTS(oids), values, error);

    *first = (uint32_t)sn_value_number(&values[0], 1);
    *last = (uint32_t)sn_value_number(&values[1], 0);
    sn_values_clear(values, G_N_ELEMENTS(values));
    return ok && (*last || agent_is_there(reader, error));
}

/* From the end in steps, until a row that is not wanted; the newest comes first. */
static bool read_newest(struct reader *reader, const struct chk_facts *facts, GPtrArray *rows,
                        const struct chk_wish *wish, GError **error)
{
    g_autofree struct sn_oid *oids = g_new(struct sn_oid, facts->n_fields);
    unsigned n = columns_of(facts, false, oids);
    uint32_t first;
    uint32_t last;
    bool more = true;

    if (!read_range(reader, facts, &first, &last, error))
        return false;
    while (more && last >= first && last > 0) {
        uint32_t from = last - first < NEWEST_STEP ? first : last - NEWEST_STEP + 1;
        g_autoptr(sn_table) table =
            sn_table_fetch_range(reader->session, oids, n, from, last, error);

        if (!table)
            return false;
        for (unsigned i = table->rows->len; more && i > 0; i--) {
            const struct sn_row *cells = sn_table_at(table, i - 1);
            struct chk_row *row = row_new(facts, &cells->index, cells->cells);

            more = !wish || !wish->wanted || wish->wanted(row, wish->data);
            if (more)
                g_ptr_array_add(rows, row);
            else
                chk_row_free(row);
        }
        last = from - 1;
    }
    return true;
}

/* --- rows by their names */
/* Longest name that has a row in xenNameTable. */
#define NAME_ROW_MAX ((size_t)100)

/* The index of the row of that name; false: it is not told, for there is none, or several. */
static bool find_name(struct reader *reader, const struct chk_facts *facts, const char *name,
                      struct sn_oid *index, GError **error)
{
    struct sn_value value = {0};
    struct sn_oid oid;
    bool ok;

    index->n = 0;
    if (!name[0] || strlen(name) > NAME_ROW_MAX)
        return false;
    if (!is_column(facts->by_name))
        return sn_oid_append_text(index, name, strlen(name));
    oid = sn_oid_text(facts->by_name, name);
    ok = sn_get(reader->session, &oid, 1, &value, error) && sn_present(&value) &&
         sn_oid_append_number(index, (uint32_t)sn_value_number(&value, 0));
    sn_value_clear(&value);
    return ok;
}

static bool any_present(const struct sn_value *values, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (sn_present(&values[i]))
            return true;
    return false;
}

/* False: the row is not there. */
static bool add_row(struct reader *reader, const struct chk_facts *facts,
                    const struct sn_oid *index, GPtrArray *rows, GError **error)
{
    g_autofree struct sn_oid *oids = g_new(struct sn_oid, facts->n_fields);
    g_autofree struct sn_value *values = g_new0(struct sn_value, facts->n_fields);
    unsigned n = columns_of(facts, false, oids);
    bool ok;

    for (unsigned i = 0; i < n; i++)
        sn_oid_append(&oids[i], index->id, index->n);
    ok = sn_get(reader->session, oids, n, values, error) && any_present(values, n);
    if (ok)
        g_ptr_array_add(rows, row_new(facts, index, values));
    sn_values_clear(values, n);
    return ok;
}

/* Two names may mean one row. */
static bool has_row(const GPtrArray *rows, const struct sn_oid *index)
{
    for (unsigned i = 0; i < rows->len; i++) {
        const struct chk_row *row = g_ptr_array_index(rows, i);

        if (index->n == 1 && row->number == index->id[0])
            return true;
    }
    return false;
}

static gint by_number(gconstpointer a, gconstpointer b)
{
    const struct chk_row *const *left = a;
    const struct chk_row *const *right = b;

    return (*left)->number < (*right)->number ? -1 : (*left)->number > (*right)->number;
}

/* False: the whole table is to be read, which also tells several of a name from none. */
static bool read_named(struct reader *reader, const struct chk_facts *facts, GPtrArray *rows,
                       char *const *names, GError **error)
{
    bool ok = true;

    for (char *const *name = names; ok && *name; name++) {
        struct sn_oid index;

        ok = find_name(reader, facts, *name, &index, error) &&
             (has_row(rows, &index) || add_row(reader, facts, &index, rows, error));
    }
    g_ptr_array_sort(rows, by_number);
    if (!ok)
        g_ptr_array_set_size(rows, 0);
    return ok;
}

static bool read_wish(struct reader *reader, const struct chk_facts *facts, GPtrArray *rows,
                      const struct chk_wish *wish, GError **error)
{
    g_autoptr(GError) inner = NULL;
    bool by_name = wish && wish->names && facts->by_name != SN_NONE;

    if (by_name && read_named(reader, facts, rows, wish->names, &inner))
        return true;
    if (!inner)
        return read_table(reader, facts, rows, error);
    g_propagate_error(error, g_steal_pointer(&inner));
    return false;
}

static GPtrArray *read_rows(struct chk_reader *base, const struct chk_facts *facts,
                            const struct chk_wish *wish, GError **error)
{
    struct reader *reader = (struct reader *)base;
    GPtrArray *rows = g_ptr_array_new_with_free_func((GDestroyNotify)chk_row_free);
    bool ok;

    if (facts->scalars)
        ok = read_scalars(reader, facts, rows, error);
    else if (facts->first != SN_NONE)
        ok = read_newest(reader, facts, rows, wish, error);
    else
        ok = read_wish(reader, facts, rows, wish, error);
    if (!ok)
        g_clear_pointer(&rows, g_ptr_array_unref);
    return rows;
}

/* --- opening and closing */
static void close_reader(struct chk_reader *base)
{
    struct reader *reader = (struct reader *)base;

    sn_close(reader->session);
    g_free(reader);
}

static const struct chk_reader_ops ops = {.read = read_rows, .close = close_reader};

struct chk_reader *chk_reader_snmp(const char *file, const char *profile, const char *host,
                                   GError **error)
{
    struct reader *reader = g_new0(struct reader, 1);
    struct sn_settings settings;

    reader->base.ops = &ops;
    if (sn_settings_load(file, profile, &settings, error) &&
        (!host || sn_settings_set_host(&settings, host, error)))
        reader->session = sn_open(&settings, error);
    sn_settings_clear(&settings);
    if (reader->session)
        return &reader->base;
    g_free(reader);
    return NULL;
}
