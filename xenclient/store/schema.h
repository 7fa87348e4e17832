/* The databases: file names and the SQL that makes them. */
#pragma once

#include "xenclient/store/db.h"

struct xc_schema {
    const char *file; /* in the state folder */
    const char *const *steps;
    int n_steps;
};

extern const struct xc_schema xc_schema_state;      /* store.c */
extern const struct xc_schema xc_schema_operations; /* operations_db.c */

static inline struct xc_db *xc_schema_open(const struct xc_schema *schema, const char *dir,
                                           GError **error)
{
    g_autofree char *path = g_build_filename(dir, schema->file, NULL);

    return xc_db_open(path, schema->steps, schema->n_steps, error);
}

static inline struct xc_db *xc_schema_open_copy(const struct xc_schema *schema, const char *dir,
                                                GError **error)
{
    g_autofree char *path = g_build_filename(dir, schema->file, NULL);

    return xc_db_open_copy(path, schema->steps, schema->n_steps, error);
}
