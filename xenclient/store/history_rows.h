/* The rows of the histories of groups in state.db. For store.c and event_rows.c alone. */
#pragma once

#include "xenclient/model/history.h"
#include "xenclient/store/db.h"

/* Within the caller's transaction: numbers the rows (struct xc_history *), inserts them, and drops what is too old. */
bool xc_history_rows_write(struct xc_db *db, GPtrArray *rows, GError **error);

typedef void (*xc_history_fn)(struct xc_history *history, void *data); /* theirs to free */
/* Ascending by serial. */
bool xc_history_rows_load(struct xc_db *db, xc_history_fn history, void *data, GError **error);
