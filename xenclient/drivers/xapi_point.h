/* Snapshots of a VM, as operations see them: told by name, by whose they are, and with what is theirs. */
#pragma once

#include "xenclient/drivers/xapi_job.h"

/* Is job->vm a snapshot of the VM that the order names? */
bool xapi_point_check(struct xapi_job *job, GError **error);
/* Has job->vm a snapshot of the name that the order gives? */
bool xapi_point_taken(struct xapi_job *job, bool *yes, GError **error);
/* Is there a VM of the name that the order gives? */
bool xapi_point_cloned(struct xapi_job *job, bool *yes, GError **error);
/* Is the VM in the state that job->vm, a snapshot of it, leads to? */
bool xapi_point_reverted(struct xapi_job *job, bool *yes, GError **error);
/* Destroys the disks that are job->vm's alone, and the one with its memory: XAPI leaves them behind. May be done again. */
bool xapi_point_strip(struct xapi_job *job, GError **error);
