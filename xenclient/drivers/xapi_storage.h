/* What a pool tells of its storage repositories and of its hosts' network interfaces. Pure: no I/O. */
#pragma once

#include "xenclient/drivers/xapi_mirror.h"
#include "xenclient/model/snapshot.h"

/* Adds all of them. host_at: reference of a host -> its ordinal in the report + 1. Errors: limit. */
bool xapi_storage_add(struct xc_report *report, const struct xapi_mirror *mirror,
                      GHashTable *host_at, GError **error);
