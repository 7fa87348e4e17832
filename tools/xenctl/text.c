/* Text for terminals. */
#include "tools/xenctl/text.h"

#include "xenclient/util/text.h"

#include <string.h>

char *ctl_escape(const char *bytes, size_t length)
{
    GString *out = g_string_new(NULL);

    for (size_t i = 0; i <= length;) {
        size_t piece = strnlen(bytes + i, length - i);
        g_autofree char *copy = g_strndup(bytes + i, piece);
        g_autofree char *escaped = xc_text_escape(copy, piece);

        g_string_append(out, escaped);
        i += piece;
        if (i < length) /* a NUL inside */
            g_string_append(out, "\\x00");
        i++;
    }
    return g_string_free(out, FALSE);
}

void ctl_grid_init(struct ctl_grid *grid, unsigned n_columns)
{
    grid->n_columns = n_columns;
    grid->cells = g_ptr_array_new_with_free_func(g_free);
}

void ctl_grid_add(struct ctl_grid *grid, char *text)
{
    g_ptr_array_add(grid->cells, text ? text : g_strdup("-"));
}

static const char *cell(const struct ctl_grid *grid, unsigned row, unsigned column)
{
    return g_ptr_array_index(grid->cells, row * grid->n_columns + column);
}

static int width_of(const struct ctl_grid *grid, unsigned column, unsigned n_rows)
{
    glong width = 0;

    for (unsigned row = 0; row < n_rows; row++)
        width = MAX(width, g_utf8_strlen(cell(grid, row, column), -1));
    return (int)MIN(width, 1000);
}

void ctl_grid_print(const struct ctl_grid *grid, FILE *to)
{
    unsigned n_rows = grid->cells->len / grid->n_columns;
    g_autofree int *widths = g_new0(int, grid->n_columns);

    for (unsigned column = 0; column + 1 < grid->n_columns; column++)
        widths[column] = width_of(grid, column, n_rows);
    for (unsigned row = 0; row < n_rows; row++) {
        for (unsigned column = 0; column < grid->n_columns; column++) {
            const char *text = cell(grid, row, column);
            int pad = widths[column] - (int)g_utf8_strlen(text, -1);

            fprintf(to, "%s%s", column ? "  " : "", text);
            if (column + 1 < grid->n_columns)
                fprintf(to, "%*s", pad, "");
        }
        fputc('\n', to);
    }
}

void ctl_grid_clear(struct ctl_grid *grid)
{
    g_ptr_array_unref(grid->cells);
}
