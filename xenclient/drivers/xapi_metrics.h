/* Asking each host of a pool for what it measured. One thread. */
#pragma once

#include "xenclient/drivers/xapi_meters.h"
#include "xenclient/drivers/xapi_mirror.h"
#include "xenclient/drivers/xapi_session.h"
#include "xenclient/model/snapshot.h"

typedef struct xapi_metrics xapi_metrics;

struct xapi_metrics *xapi_metrics_new(const struct xc_source_spec *spec);
void xapi_metrics_free(struct xapi_metrics *metrics); /* takes NULL; closes the connections */

/* There is a new session: what did not answer with the old one may do so now. */
void xapi_metrics_renew(struct xapi_metrics *metrics);

/* What is known of a host before it is asked; copied while the mirror is locked. */
struct xapi_member {
    char *ref, *name, *address;
    struct xc_uuid uuid;
    bool live, master;
};
GPtrArray *xapi_members_of(const struct xapi_mirror *mirror); /* struct xapi_member */

/* Tells the report's hosts how far their clocks are off, where they were asked. */
void xapi_metrics_clocks(const struct xapi_metrics *metrics, struct xc_report *report);

/* Asks the live ones, one after the other, each with its share of the time. One that does not answer is logged once, left
 * out, and asked again after a while: what it would tell is not known, no more. */
void xapi_metrics_ask(struct xapi_metrics *metrics, const GPtrArray *members,
                      struct xapi_link *link, struct xapi_meters *meters, struct xc_call *call);
