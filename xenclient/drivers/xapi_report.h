/* From the mirror of a pool and what its hosts measured to the report of a poll. Pure: no I/O. */
#pragma once

#include "xenclient/drivers/xapi_meters.h"
#include "xenclient/drivers/xapi_mirror.h"
#include "xenclient/model/snapshot.h"

/* Hosts in the order of their uuids; borrowed from the mirror. */
GPtrArray *xapi_report_hosts(const struct xapi_mirror *mirror);
/* Is the host alive, as the coordinator knows it? */
/* "1700000000." or with digits behind the point, as other_config has them: microseconds. False: it is no time, or NULL. */
bool xapi_time(const char *seconds, int64_t *out);
bool xapi_host_live(const struct xapi_mirror *mirror, const struct xapi_host *host);

/* Fills an empty report: where its `news` is set, with the domains of which the mirror has news. Errors: driverError (a pool without hosts), limit. */
bool xapi_report_fill(struct xc_report *report, const struct xapi_mirror *mirror,
                      struct xapi_meters *meters, GError **error);
