/* --dump-schema. */
#include "subagent/schema.h"

static const char *const access_names[] = {
    [ST_READ_ONLY] = "read-only",
    [ST_READ_WRITE] = "read-write",
    [ST_READ_CREATE] = "read-create",
};

static void put_place(GString *to, const struct st_table *table, uint32_t arc)
{
    unsigned n = 0;

    while (n < ST_MAX_ARCS && table->arcs[n])
        n++;
    if (!arc && !table->scalars)
        n--; /* the table stands above its entry */
    for (unsigned i = 0; i < n; i++)
        g_string_append_printf(to, i ? ".%u" : "%u", table->arcs[i]);
    if (arc)
        g_string_append_printf(to, ".%u", arc);
}

static void put_index(GString *to, const struct st_table *table)
{
    if (table->augments) {
        g_string_append_printf(to, "AUGMENTS %s", table->augments->name);
        return;
    }
    for (unsigned i = 0; i < ST_MAX_INDEX && table->index[i].kind; i++)
        g_string_append_printf(to, i ? ",%s" : "%s", table->index[i].name);
}

static void put_labels(GString *to, const struct xc_enum *labels)
{
    if (!labels)
        g_string_append_c(to, '-');
    for (size_t i = 0; labels && i < labels->n_labels; i++)
        g_string_append_printf(to, "%s%s(%d)", i ? "," : "", labels->labels[i].label,
                               labels->labels[i].number);
}

static void put_table(GString *to, const struct st_table *table)
{
    g_string_append_printf(to, "%s\t", table->name);
    put_place(to, table, 0);
    g_string_append(to, "\ttable\t-\tnot-accessible\t-\t-\t");
    put_index(to, table);
    g_string_append(to, "\t-\t-\n");
    for (unsigned i = 0; i < ST_MAX_INDEX && table->index[i].kind; i++) {
        const struct st_index *index = &table->index[i];

        if (!index->arc)
            continue;
        g_string_append_printf(to, "%s\t", index->name);
        put_place(to, table, index->arc);
        g_string_append_printf(to, "\tindex\t%s\tnot-accessible\t%u..%u\t-\t-\t-\t-\n",
                               index->kind == ST_INDEX_INTEGER ? "Unsigned32" : "SnmpAdminString",
                               index->min, index->max);
    }
}

static void put_column(GString *to, const struct st_table *table, const struct st_column *column)
{
    const struct xc_field *field = column->object ? &column->object->fields[column->field] : NULL;
    const char *units = column->units || !field ? column->units : field->unit;
    bool text = column->type == ST_TEXT;

    g_string_append_printf(to, "%s\t", column->name);
    put_place(to, table, column->arc);
    g_string_append_printf(to, "\t%s\t%s\t%s\t", table->scalars ? "scalar" : "column",
                           st_type_name(column->type), access_names[column->access]);
    if (column->max || text)
        g_string_append_printf(to, "%" G_GINT64_FORMAT "..%" G_GINT64_FORMAT, column->min,
                               column->max ? column->max : ST_VALUE_MAX);
    else
        g_string_append_c(to, '-');
    g_string_append_printf(to, "\t%s\t-\t", units ? units : "-");
    put_labels(to, column->labels || !field ? column->labels : field->labels);
    if (field)
        g_string_append_printf(to, "\t%s.%s\n", column->object->name, field->name);
    else
        g_string_append_printf(to, "\t%s\n", column->member ? column->member : "computed");
}

void st_schema_notification(GString *to, const char *name, uint32_t arc, const char *objects)
{
    g_string_append_printf(to, "%s\t0.%u\tnotification\t-\t-\t-\t-\t%s\t-\t-\n", name, arc,
                           objects);
}

char *st_schema_text(const oid *root, size_t root_length, const struct st_table *const *tables,
                     unsigned n_tables)
{
    GString *text = g_string_new("name\toid\tkind\ttype\taccess\trange\tunits\tindex\tlabels\t"
                                 "source\n");

    g_string_append(text, "root\t");
    for (size_t i = 0; i < root_length; i++)
        g_string_append_printf(text, i ? ".%lu" : "%lu", root[i]);
    g_string_append(text, "\troot\t-\t-\t-\t-\t-\t-\t-\n");
    for (unsigned i = 0; i < n_tables; i++) {
        if (!tables[i]->scalars)
            put_table(text, tables[i]);
        for (unsigned k = 0; k < tables[i]->n_columns; k++)
            put_column(text, tables[i], &tables[i]->columns[k]);
    }
    return g_string_free(text, FALSE);
}
