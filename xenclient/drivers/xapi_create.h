/* VMs that are made from a template of the pool; how that is done once is told in xapi_create.c. */
#pragma once

#include "xenclient/drivers/xapi_job.h"

/* True: *made, and job->vm is a VM that is to be started; or the outcome is set. False: with an error, or to be tried again. */
bool xapi_create_attempt(struct xapi_job *job, bool *made, GError **error);
/* Is the copy of the template there? It becomes job->vm. */
bool xapi_create_copied(struct xapi_job *job, bool *yes, GError **error);
/* Removes what was kept for the case that it had to be found again, and says which VM was left behind by a failure. */
void xapi_create_end(struct xapi_job *job);
