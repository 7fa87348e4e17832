/* Telling of the archives, in the form the client's request chose. */
#include "tools/xapi-farm/rrd_rows.h"

#include <math.h>
#include <string.h>

/* The rows of an answer and its columns, which are those of the newest row. */
struct telling {
    const struct xf_rrd_query *query;
    GPtrArray *rows; /* const struct row *, newest first */
    GArray *columns; /* guint: where in the newest row */
    GString *out;
};

static bool has_column(const struct xf_rrd_query *query, const char *legend)
{
    if (!query->average)
        return false;
    if (g_str_has_prefix(legend, "host:"))
        return query->host;
    return !query->vm_uuid ||
           strncmp(legend + strlen("vm:"), query->vm_uuid, strlen(query->vm_uuid)) == 0;
}

static void choose(struct telling *t, const struct xf_rrd *rrd)
{
    for (GList *at = rrd->rows.head; at; at = at->next) {
        const struct row *row = at->data;

        if (row->end > t->query->start && strcmp(row->host, t->query->host_uuid) == 0)
            g_ptr_array_add(t->rows, (gpointer)row);
    }
    if (t->rows->len == 0)
        return;
    const struct row *newest = g_ptr_array_index(t->rows, 0);

    for (guint i = 0; i < newest->samples->len; i++) {
        if (has_column(t->query, g_array_index(newest->samples, struct sample, i).legend))
            g_array_append_val(t->columns, i);
    }
}

static const char *legend_of(const struct telling *t, guint column)
{
    const struct row *newest = g_ptr_array_index(t->rows, 0);

    return g_array_index(newest->samples, struct sample, g_array_index(t->columns, guint, column))
        .legend;
}

/* A column is in most rows where it is in the newest one. */
static double value_of(const struct telling *t, const struct row *row, guint column)
{
    const char *legend = legend_of(t, column); /* the same text is the same pointer */
    guint guess = g_array_index(t->columns, guint, column);

    if (guess < row->samples->len &&
        g_array_index(row->samples, struct sample, guess).legend == legend)
        return g_array_index(row->samples, struct sample, guess).value;
    for (guint i = 0; i < row->samples->len; i++)
        if (g_array_index(row->samples, struct sample, i).legend == legend)
            return g_array_index(row->samples, struct sample, i).value;
    return NAN;
}

static char *number(double value)
{
    char buffer[G_ASCII_DTOSTR_BUF_SIZE];

    if (isnan(value))
        return g_strdup("NaN");
    if (value == 0)
        return g_strdup("0.0");
    return g_strdup(g_ascii_formatd(buffer, sizeof(buffer), "%.15g", value));
}

/* How each form writes what all have. */
static const struct {
    const char *head; /* start, step, end, rows, columns */
    const char *legend;
    const char *between; /* legends, values, rows */
    const char *middle;
    const char *row;
    const char *value;
    const char *row_end;
    const char *foot;
} forms[] = {
    [XF_RRD_XML] = {"<xport><meta><start>%s</start><step>%s</step><end>%s</end><rows>%s</rows>"
                    "<columns>%s</columns><legend>",
                    "<entry>AVERAGE:%s</entry>", "", "</legend></meta><data>", "<row><t>%s</t>",
                    "<v>%s</v>", "</row>", "</data></xport>"},
    [XF_RRD_JSON] = {"{\"meta\":{\"start\":\"%s\",\"step\":\"%s\",\"end\":\"%s\","
                     "\"rows\":\"%s\",\"columns\":\"%s\",\"legend\":[",
                     "\"AVERAGE:%s\"", ",", "]},\"data\":[", "{\"t\":\"%s\",\"values\":[", "\"%s\"",
                     "]}", "]}"},
    [XF_RRD_JSON_OLD] = {"{meta: {start:%s,step:%s,end:%s,rows:%s,columns:%s,legend:[",
                         "\"AVERAGE:%s\"", ",", "]},data:[", "{t:%s,values:[", "%s", "]}", "]}"},
};

/* The form's text with its marks replaced in order. */
static void put(struct telling *t, const char *form, ...)
{
    va_list args;

    va_start(args, form);
    for (const char *at = form; *at; at++) {
        if (at[0] == '%' && at[1] == 's') {
            g_string_append(t->out, va_arg(args, const char *));
            at++;
        } else {
            g_string_append_c(t->out, *at);
        }
    }
    va_end(args);
}

static void put_head(struct telling *t)
{
    const struct row *newest = t->rows->len ? g_ptr_array_index(t->rows, 0) : NULL;
    const struct row *oldest = t->rows->len ? g_ptr_array_index(t->rows, t->rows->len - 1) : NULL;
    g_autofree char *start =
        g_strdup_printf("%" G_GINT64_FORMAT, oldest ? oldest->end : t->query->start);
    g_autofree char *end =
        g_strdup_printf("%" G_GINT64_FORMAT, newest ? newest->end : t->query->start);
    g_autofree char *step = g_strdup_printf("%d", XF_RRD_STEP);
    g_autofree char *rows = g_strdup_printf("%u", t->rows->len);
    g_autofree char *columns = g_strdup_printf("%u", t->columns->len);

    put(t, forms[t->query->form].head, start, step, end, rows, columns);
    for (guint i = 0; i < t->columns->len; i++) {
        put(t, i ? forms[t->query->form].between : "");
        put(t, forms[t->query->form].legend, legend_of(t, i));
    }
    put(t, forms[t->query->form].middle);
}

static void put_row(struct telling *t, const struct row *row)
{
    g_autofree char *end = g_strdup_printf("%" G_GINT64_FORMAT, row->end);

    put(t, forms[t->query->form].row, end);
    for (guint i = 0; i < t->columns->len; i++) {
        g_autofree char *value = number(value_of(t, row, i));

        put(t, i ? forms[t->query->form].between : "");
        put(t, forms[t->query->form].value, value);
    }
    put(t, forms[t->query->form].row_end);
}

char *xf_rrd_updates(const struct xf_rrd *rrd, const struct xf_rrd_query *query)
{
    struct telling t = {.query = query,
                        .rows = g_ptr_array_new(),
                        .columns = g_array_new(FALSE, FALSE, sizeof(guint)),
                        .out = g_string_new(NULL)};

    choose(&t, rrd);
    put_head(&t);
    for (guint i = 0; i < t.rows->len; i++) {
        put(&t, i ? forms[query->form].between : "");
        put_row(&t, g_ptr_array_index(t.rows, i));
    }
    put(&t, forms[query->form].foot);
    g_ptr_array_unref(t.rows);
    g_array_unref(t.columns);
    return g_string_free(t.out, FALSE);
}
