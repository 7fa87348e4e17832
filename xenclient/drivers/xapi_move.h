/* Migration to another pool: a second login, what that pool gives out for it, and what is plugged in where. */
#pragma once

#include "xenclient/drivers/xapi_job.h"

/* To order->target, which is another pool. */
struct xapi_move *xapi_move_new(const struct xapi_job *job);
/* What was given out is taken back if the job is over, and wiped. A job without a move is let alone. */
void xapi_move_free(struct xapi_job *job);

/* Logs in to the other pool and finds its host; once. */
bool xapi_move_find(struct xapi_job *job, GError **error);
/* Is the VM unknown there, and is there one network of the name of each that it is in? Changes nothing. */
bool xapi_move_plan(struct xapi_job *job, GError **error);
/* Plans if that was not done, and opens the other pool for one migration. */
bool xapi_move_receive(struct xapi_job *job, GError **error);
/* The parameters that both methods have that want what was given out. */
struct xapi_args *xapi_move_args(const struct xapi_job *job, const char *method);

/* After job->vm was read: is it gone from here, and running on that host? */
bool xapi_move_reached(struct xapi_job *job, bool *yes, GError **error);
