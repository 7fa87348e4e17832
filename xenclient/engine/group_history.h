/* What happened to members of groups: durable, bounded, whatever becomes of events and operations. Main-loop thread only. */
#pragma once

#include "xenclient/model/history.h"

struct xc_engine;

/* By group as SNMP sorts, then ascending by serial. */
const struct xc_history *const *xc_group_history(const struct xc_engine *engine, size_t *n);
