/* Asking each host of a pool for what it measured: a thread that asks one after the other, so that no poll waits for any of
 * them, and what came of it, which polls take as it is. */
#pragma once

#include "xenclient/drivers/xapi_events.h"
#include "xenclient/drivers/xapi_meters.h"
#include "xenclient/drivers/xapi_session.h"
#include "xenclient/model/snapshot.h"

typedef struct xapi_metrics xapi_metrics;

struct xapi_metrics *xapi_metrics_new(const struct xc_source_spec *spec, GError **error);
void xapi_metrics_free(struct xapi_metrics *metrics); /* takes NULL; stops */

/* Asks the live hosts round by round, in the session that the link has now: the first time at once when the feed is
 * complete, then once after each time that it is shown, spread over the time to the next. One that does not answer is
 * logged once, left out, and asked again after a while: what it would tell is not known, no more. Link and feed are to
 * outlive it; it ends with the feed. changed: an eventfd that is written to when the very first round is over, and no more
 * after another start: what was counted so far stays. */
bool xapi_metrics_start(struct xapi_metrics *metrics, const struct xapi_link *link,
                        struct xapi_feed *feed, int changed, GError **error);
/* At once, whatever it waits for. Nothing happens where it was not started. */
void xapi_metrics_stop(struct xapi_metrics *metrics);

/* Is the first round over, and not shown? */
bool xapi_metrics_are_due(struct xapi_metrics *metrics);
/* The meters, locked until they are given back: for a moment only. anew: showing what is known by now; else what was shown
 * the last time, to which the news of a pool belong. */
struct xapi_meters *xapi_metrics_lock(struct xapi_metrics *metrics, bool anew);
/* While they are locked: tells the report's hosts how far their clocks are off, where they were asked. */
void xapi_metrics_clocks(const struct xapi_metrics *metrics, struct xc_report *report);
void xapi_metrics_unlock(struct xapi_metrics *metrics);

/* What is known of a host before it is asked; copied while the mirror is locked. */
struct xapi_member {
    char *ref, *name, *address;
    struct xc_uuid uuid;
    bool live, master;
};
GPtrArray *xapi_members_of(const struct xapi_mirror *mirror); /* struct xapi_member */
