/* Lists and single objects as data. */
#include "tools/xenctl/view.h"

#include "tools/xenctl/text.h"

#include <string.h>

/* --- values */
char *ctl_key(enum sn_id object, const char *prefix)
{
    const char *name = sn_object(object)->name;
    char *key = g_strdup(g_str_has_prefix(name, prefix) ? name + strlen(prefix) : name);

    key[0] = g_ascii_tolower(key[0]);
    return key;
}

char *ctl_shown(enum sn_id object, const struct sn_value *value)
{
    g_autofree char *text = sn_format(object, value);
    bool raw = text && value->type == SN_BYTES && sn_object(object)->base == SN_BASE_STRING;

    if (!text)
        return NULL;
    return raw ? ctl_escape(value->bytes, value->length) : ctl_escape(text, strlen(text));
}

static bool is_plain_number(enum sn_id object, const struct sn_value *value)
{
    return (value->type == SN_INTEGER || value->type == SN_UNSIGNED) &&
           !sn_number_label(object, sn_value_number(value, -1));
}

static void json_truth(struct json *json, const char *key, const struct sn_value *value)
{
    json_bool(json, key, sn_value_number(value, 2) == 1);
}

void ctl_json_value(struct json *json, const char *prefix, enum sn_id object,
                    const struct sn_value *value)
{
    g_autofree char *key = ctl_key(object, prefix);
    g_autofree char *text = sn_format(object, value);

    if (!text)
        json_null(json, key);
    else if (g_str_equal(sn_object(object)->type, "TruthValue"))
        json_truth(json, key, value);
    else if (is_plain_number(object, value))
        json_raw_number(json, key, text);
    else if (value->type == SN_BYTES && sn_object(object)->base == SN_BASE_STRING)
        json_bytes(json, key, value->bytes, value->length);
    else
        json_text(json, key, text);
}

/* --- lists */
static unsigned view_oids(const struct ctl_view *view, const struct sn_oid *below,
                          struct sn_oid *oids, unsigned *cell_of)
{
    unsigned n = 0;

    for (unsigned i = 0; i < view->n_columns; i++)
        if (view->columns[i].object != SN_NONE) {
            cell_of[i] = n;
            oids[n++] = sn_oid_row(view->columns[i].object, below);
        }
    return n;
}

static uint32_t row_number(const struct sn_row *row)
{
    return row->index.n ? row->index.id[row->index.n - 1] : 0;
}

/* Its length, then its octets. */
char *ctl_row_name(const struct sn_row *row)
{
    GString *name = g_string_new(NULL);

    for (unsigned i = 1; i < row->index.n; i++)
        g_string_append_c(name, (char)row->index.id[i]);
    return g_string_free(name, FALSE);
}

static char *shown_name(const struct sn_row *row)
{
    g_autofree char *name = ctl_row_name(row);

    return ctl_escape(name, strlen(name));
}

static void add_grid_row(struct ctl_grid *grid, const struct ctl_view *view,
                         const struct sn_row *row, const unsigned *cell_of)
{
    for (unsigned i = 0; i < view->n_columns; i++) {
        enum sn_id object = view->columns[i].object;

        if (object == SN_NONE)
            ctl_grid_add(grid,
                         view->name ? shown_name(row) : g_strdup_printf("%u", row_number(row)));
        else
            ctl_grid_add(grid, ctl_shown(object, &row->cells[cell_of[i]]));
    }
}

static void add_json_index(struct json *json, const struct ctl_view *view, const struct sn_row *row)
{
    g_autofree char *name = ctl_row_name(row);

    if (view->name)
        json_text(json, view->name, name);
    else
        json_number(json, "index", row_number(row));
}

static void add_json_row(struct json *json, const struct ctl_view *view, const struct sn_row *row,
                         const unsigned *cell_of)
{
    json_open_object(json, NULL);
    for (unsigned i = 0; i < view->n_columns; i++) {
        enum sn_id object = view->columns[i].object;

        if (object == SN_NONE)
            add_json_index(json, view, row);
        else
            ctl_json_value(json, view->prefix, object, &row->cells[cell_of[i]]);
    }
    json_close_object(json);
}

static void print_grid(const struct ctl *ctl, const struct ctl_view *view,
                       const struct sn_table *table, const unsigned *cell_of, ctl_keep keep)
{
    struct ctl_grid grid;

    ctl_grid_init(&grid, view->n_columns);
    for (unsigned i = 0; i < view->n_columns; i++)
        ctl_grid_add(&grid, g_strdup(view->columns[i].title));
    for (unsigned i = 0; i < table->rows->len; i++) {
        const struct sn_row *row = sn_table_at(table, i);

        if (!keep || keep(ctl, row->cells))
            add_grid_row(&grid, view, row, cell_of);
    }
    ctl_grid_print(&grid, stdout);
    ctl_grid_clear(&grid);
}

static void print_json(const struct ctl *ctl, const struct ctl_view *view,
                       const struct sn_table *table, const unsigned *cell_of, ctl_keep keep)
{
    struct json json;
    g_autofree char *out = NULL;

    json_init(&json);
    json_open_array(&json, NULL);
    for (unsigned i = 0; i < table->rows->len; i++) {
        const struct sn_row *row = sn_table_at(table, i);

        if (!keep || keep(ctl, row->cells))
            add_json_row(&json, view, row, cell_of);
    }
    json_close_array(&json);
    out = json_finish(&json);
    printf("%s\n", out);
}

/* An empty table and an agent that is not there look alike; only the second has no version. */
bool ctl_agent_is_there(struct sn_session *session, GError **error)
{
    struct sn_oid version = sn_oid_scalar(xenAgentVersion);
    struct sn_value value;
    bool ok = sn_get(session, &version, 1, &value, error);

    if (ok && !sn_present(&value)) {
        g_set_error(error, SN_ERROR, SN_ERROR_UNREACHABLE,
                    "snmpd answers, but xensnmpd is not connected to it or this user may not see "
                    "it: run xenctl doctor");
        ok = false;
    }
    sn_value_clear(&value);
    return ok;
}

int ctl_print_view(struct ctl *ctl, const struct ctl_view *view, ctl_keep keep)
{
    static const struct sn_oid all = {0};

    return ctl_print_view_below(ctl, view, &all, keep);
}

int ctl_print_view_below(struct ctl *ctl, const struct ctl_view *view, const struct sn_oid *index,
                         ctl_keep keep)
{
    g_autofree struct sn_oid *oids = g_new(struct sn_oid, view->n_columns);
    g_autofree unsigned *cell_of = g_new0(unsigned, view->n_columns);
    unsigned n = view_oids(view, index, oids, cell_of);
    g_autoptr(GError) error = NULL;
    g_autoptr(sn_table) table = NULL;
    struct sn_session *session = ctl_session(ctl, &error);

    if (session)
        table = sn_table_fetch(session, oids, n, &error);
    if (!table || (table->rows->len == 0 && !ctl_agent_is_there(session, &error)))
        return ctl_fail(ctl, error);
    if (ctl->opt.json)
        print_json(ctl, view, table, cell_of, keep);
    else
        print_grid(ctl, view, table, cell_of, keep);
    return CTL_OK;
}

/* --- one row */

/* Columns to act by read the same on every row; those that hold something are shown. */
static bool is_shown(const struct sn_object *object)
{
    return object->access == SN_READ_ONLY || object->access == SN_READ_CREATE ||
           (object->access == SN_READ_WRITE && g_str_equal(object->type, "TruthValue"));
}

static GArray *row_columns(const enum sn_id *entries)
{
    GArray *columns = g_array_new(FALSE, FALSE, sizeof(enum sn_id));

    for (; *entries != SN_NONE; entries++)
        for (int i = 0; i < SN_N_OBJECTS; i++) {
            const struct sn_object *object = sn_object((enum sn_id)i);

            if (object->kind == SN_COLUMN && object->parent == *entries && is_shown(object))
                g_array_append_val(columns, i);
        }
    return columns;
}

static void print_row_text(const char *prefix, const struct sn_oid *index,
                           const enum sn_id *columns, const struct sn_value *values, unsigned n)
{
    struct ctl_grid grid;

    ctl_grid_init(&grid, 2);
    if (index->n == 1) {
        ctl_grid_add(&grid, g_strdup("index"));
        ctl_grid_add(&grid, g_strdup_printf("%u", index->id[0]));
    }
    for (unsigned i = 0; i < n; i++) {
        const char *units = sn_object(columns[i])->units;
        char *text = ctl_shown(columns[i], &values[i]);

        if (!text)
            continue;
        ctl_grid_add(&grid, ctl_key(columns[i], prefix));
        if (units && sn_object(columns[i])->decimals == 0)
            ctl_grid_add(&grid, g_strconcat(text, " ", units, NULL));
        else
            ctl_grid_add(&grid, g_strdup(text));
        g_free(text);
    }
    ctl_grid_print(&grid, stdout);
    ctl_grid_clear(&grid);
}

static void print_row_json(const char *prefix, const struct sn_oid *index,
                           const enum sn_id *columns, const struct sn_value *values, unsigned n)
{
    struct json json;
    g_autofree char *out = NULL;

    json_init(&json);
    json_open_object(&json, NULL);
    if (index->n == 1)
        json_number(&json, "index", index->id[0]);
    for (unsigned i = 0; i < n; i++)
        ctl_json_value(&json, prefix, columns[i], &values[i]);
    json_close_object(&json);
    out = json_finish(&json);
    printf("%s\n", out);
}

static bool any_present(const struct sn_value *values, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (sn_present(&values[i]))
            return true;
    return false;
}

static int print_columns(struct ctl *ctl, const char *prefix, const GArray *columns,
                         const struct sn_oid *index)
{
    const enum sn_id *ids = (const enum sn_id *)(void *)columns->data;
    g_autofree struct sn_oid *oids = g_new(struct sn_oid, columns->len);
    g_autofree struct sn_value *values = g_new0(struct sn_value, columns->len);
    g_autoptr(GError) error = NULL;
    struct sn_session *session = ctl_session(ctl, &error);
    int code = CTL_OK;

    for (unsigned i = 0; i < columns->len; i++)
        oids[i] = sn_oid_row(ids[i], index);
    if (!session || !sn_get(session, oids, columns->len, values, &error))
        code = ctl_fail(ctl, error);
    else if (!any_present(values, columns->len))
        code = ctl_say(ctl, CTL_NOT_FOUND, "no such row");
    else if (ctl->opt.json)
        print_row_json(prefix, index, ids, values, columns->len);
    else
        print_row_text(prefix, index, ids, values, columns->len);
    sn_values_clear(values, columns->len);
    return code;
}

int ctl_print_row(struct ctl *ctl, const char *prefix, const enum sn_id *entries,
                  const struct sn_oid *index)
{
    g_autoptr(GArray) columns = row_columns(entries);

    return print_columns(ctl, prefix, columns, index);
}

int ctl_print_view_row(struct ctl *ctl, const struct ctl_view *view, const struct sn_oid *index)
{
    g_autoptr(GArray) columns = g_array_new(FALSE, FALSE, sizeof(enum sn_id));

    for (unsigned i = 0; i < view->n_columns; i++)
        g_array_append_val(columns, view->columns[i].object);
    return print_columns(ctl, view->prefix, columns, index);
}
