/* Operations on hosts of a pool: enable, disable, evacuate. */
#pragma once

#include "xenclient/drivers/xapi_job.h"

/* One attempt: true with the outcome set; false without an error: look again later. */
bool xapi_host_attempt(struct xapi_job *job, GError **error);
/* Is the host as it was to be? */
bool xapi_host_reached(struct xapi_job *job, bool *yes, GError **error);
