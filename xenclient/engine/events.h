/* Events: a ring of the last ones, in state.db. One is shown, and its serial given, when it is committed.
 * A sender of notifications keeps the serial it sent last and takes what stands behind it. Main-loop thread only. */
#pragma once

#include "xenclient/model/event.h"

struct xc_engine;

/* Ascending by serial, without gaps. */
const struct xc_event *const *xc_events(const struct xc_engine *engine, size_t *n);

struct xc_event_counts {
    uint32_t first, last; /* serials still there; 0: none */
    uint32_t lost;        /* never committed, for the store did not keep up; since start */
};
struct xc_event_counts xc_event_counts(const struct xc_engine *engine);
