/* A thread that keeps the mirror of a pool up to date by event.from, on a connection of its own. */
#pragma once

#include "xenclient/drivers/xapi_mirror.h"
#include "xenclient/drivers/xapi_session.h"

typedef struct xapi_feed xapi_feed;

/* Begins with reading everything. It uses the session of the link, which is to outlive it, and ends when that does, when
 * the connection breaks or XAPI refuses: it never logs in. changed: an eventfd that is written to when something
 * worth a poll happened, and rest_usec after it has ended. */
struct xapi_feed *xapi_feed_start(const struct xapi_link *link, int changed, gint64 rest_usec,
                                  GError **error);
/* At once, whatever it waits for. Takes NULL. */
void xapi_feed_stop(struct xapi_feed *feed);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xapi_feed, xapi_feed_stop)

/* Waits until the mirror is complete; false with the reason when the feed has ended. */
bool xapi_feed_wait(struct xapi_feed *feed, struct xc_call *call, GError **error);
/* Has it not ended? */
bool xapi_feed_goes_on(struct xapi_feed *feed);
/* And with the session that the link has now? Else a new one is needed. */
bool xapi_feed_serves(struct xapi_feed *feed, const struct xapi_link *link);
/* How far the mirror has come in the pool's events; newly allocated, "" nowhere. */
char *xapi_feed_token(struct xapi_feed *feed);
/* Microseconds since its start. */
gint64 xapi_feed_age(const struct xapi_feed *feed);
/* The mirror, locked until it is given back: for a moment only. */
struct xapi_mirror *xapi_feed_lock(struct xapi_feed *feed);
void xapi_feed_unlock(struct xapi_feed *feed);
