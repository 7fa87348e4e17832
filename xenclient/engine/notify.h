/* Which events are sent as notifications, one after the other, and which are told in bulk. Who sends them is a sink; it
 * says when the receiver in between (the master agent) has each. What that one has is written down: after a restart
 * everything behind it is sent. What it got in the last moment before a kill may come again, with the same serial:
 * at most as many as came while the disk was written. Main-loop thread only. */
#pragma once

#include "xenclient/model/notify.h"

struct xc_engine;
struct xc_txn;

struct xc_notify_sink {
    bool (*ready)(void *data); /* there is somebody to send to */
    /* True: xc_notify_told() follows, later. False: it can't be sent now, and is tried again. */
    bool (*event)(const struct xc_event *event, void *data);
    bool (*bulk)(void *data); /* xc_notify_bulk() */
    void *data;
};
/* The sink must outlive the engine's use of it; NULL takes it away. */
void xc_notify_attach(struct xc_engine *engine, const struct xc_notify_sink *sink);
/* What was given to the sink last has arrived, or not: then it is tried again. */
void xc_notify_told(struct xc_engine *engine, bool arrived);
/* There is somebody to send to again, or there may be events. */
void xc_notify_pump(struct xc_engine *engine);

/* For the scalars. sent + bulked + muted = last, always and over all restarts. */
struct xc_notify_counts {
    uint32_t last;   /* serial up to which all is told; 0 none */
    uint32_t sent;   /* each by a notification of its own */
    uint32_t bulked; /* told in bulk */
    uint32_t muted;  /* of classes that were not wanted, or older than the first notification */
};
struct xc_notify_counts xc_notify_counts(const struct xc_engine *engine);
/* Told last; NULL: none yet. Its text is newly allocated by xc_bulk_text(). */
const struct xc_bulk *xc_notify_bulk(const struct xc_engine *engine);
/* Bits of enum xc_notify_class. */
uint32_t xc_notify_classes(const struct xc_engine *engine);
/* Refused where the configuration file sets them. */
bool xc_txn_notify_classes(struct xc_txn *txn, uint32_t classes, GError **error);
