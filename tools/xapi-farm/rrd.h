/* Archives of figures over time, as /rrd_updates shows them: rates from the farm's counters, one row a step. */
#pragma once

#include "tools/xapi-farm/server.h"
#include "xenclient/model/snapshot.h"

#define XF_RRD_STEP 5 /* seconds */
/* Steps that are kept: two minutes. */
#define XF_RRD_ROWS 24

struct xf_rrd *xf_rrd_new(void);
void xf_rrd_free(struct xf_rrd *rrd); /* takes NULL */
/* Counts a report in; with the lock. */
void xf_rrd_take(struct xf_rrd *rrd, const struct xc_report *report);

enum xf_rrd_form { XF_RRD_XML, XF_RRD_JSON, XF_RRD_JSON_OLD };
struct xf_rrd_query {
    const char *host_uuid;
    gint64 start;        /* rows behind it */
    bool host;           /* the host's own figures too */
    bool average;        /* the only thing there is */
    const char *vm_uuid; /* NULL: all that live there */
    enum xf_rrd_form form;
};
/* Newly allocated; with the lock. */
char *xf_rrd_updates(const struct xf_rrd *rrd, const struct xf_rrd_query *query);
