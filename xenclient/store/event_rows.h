/* The rows of events in state.db. For store.c alone. */
#pragma once

#include "xenclient/model/event.h"
#include "xenclient/store/db.h"

/* Within the caller's transaction: numbers the events (struct xc_event *), inserts those that have a type, remembers
 * what was told, and drops the oldest beyond `keep`. */
bool xc_event_rows_write(struct xc_db *db, GPtrArray *events, int64_t keep, GError **error);

typedef void (*xc_event_fn)(struct xc_event *event, void *data); /* theirs to free */
bool xc_event_rows_load(struct xc_db *db, xc_event_fn event, void *data, GError **error);
