/* The tables as text: what the contract check compares with the MIB. */
#pragma once

#include "subagent/table.h"

/* One line per object, tab-separated, "-" for nothing; the first line names the fields. In the order of
 * the OIDs of tables, then of columns. */
char *st_schema_text(const oid *root, size_t root_length, const struct st_table *const *tables,
                     unsigned n_tables);
/* Behind it, the same of notifications: where others have their index are the objects that each carries. */
void st_schema_notification(GString *to, const char *name, uint32_t arc, const char *objects);
