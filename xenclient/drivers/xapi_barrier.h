/* So that polls show what operations did: an operation has its own connection, and what it did comes to the mirror of the
 * pool by its events, a little later. At its end it asks the pool for a mark in the stream of events, and the poll that
 * reads back waits until the mirror has come to that. Any thread. */
#pragma once

#include "xenclient/drivers/xapi_events.h"
#include "xenclient/drivers/xapi_job.h"

/* At the end of an operation. Errors are not told: then there is nothing to wait for. */
void xapi_barrier_set(struct xapi_job *job);
/* Before the mirror is looked at. Not for long: a mark that does not come is given up. */
void xapi_barrier_wait(const struct xc_source_spec *spec, const struct xc_driver_env *env,
                       struct xapi_feed *feed, struct xc_call *call);
