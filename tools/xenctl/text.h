/* Text for terminals: escaping of foreign octets, aligned tables. */
#pragma once

#include <glib.h>
#include <stdio.h>

/* Any octets as one line of printable text: control characters and what is no UTF-8 as \xNN. The caller frees. */
char *ctl_escape(const char *bytes, size_t length);

/* Rows of cells, printed with each column as wide as its widest cell. */
struct ctl_grid {
    unsigned n_columns;
    GPtrArray *cells; /* char *, row by row */
};

void ctl_grid_init(struct ctl_grid *grid, unsigned n_columns);
/* Takes the text; NULL is shown as "-". */
void ctl_grid_add(struct ctl_grid *grid, char *text);
void ctl_grid_print(const struct ctl_grid *grid, FILE *to);
void ctl_grid_clear(struct ctl_grid *grid);
