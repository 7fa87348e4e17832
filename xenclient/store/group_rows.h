/* The rows of groups in state.db. For store.c alone. */
#pragma once

#include "xenclient/model/group.h"
#include "xenclient/store/db.h"

/* Within the caller's transaction: the group becomes what the definition says, whatever it was. */
bool xc_group_rows_put(struct xc_db *db, const struct xc_group_spec *spec, int64_t wanted,
                       GError **error);
bool xc_group_rows_remove(struct xc_db *db, const char *name, GError **error);

typedef void (*xc_group_fn)(const struct xc_group_spec *spec, enum xc_wanted wanted, void *data);
/* Groups that are no legal definition (somebody edited the file) are passed over with a line in the log. */
bool xc_group_rows_load(struct xc_db *db, xc_group_fn group, void *data, GError **error);
