/* Which events become notifications, and how many of them: classes, a bucket of tokens, and what is told in bulk when it
 * is empty. Pure data; time is given by the caller. */
#pragma once

#include "xenclient/model/event.h"

#include <glib.h>

/* Bits of xenNotifyEnable. */
enum xc_notify_class {
    XC_CLASS_CRASH = 0,
    XC_CLASS_HOST = 1,
    XC_CLASS_OPERATION_FAILED = 2,
    XC_CLASS_HYPERVISOR = 3,
    XC_CLASS_AGENT = 4,
    XC_CLASS_THRESHOLD = 5,
    XC_CLASS_DOMAIN_STATE = 6,
    XC_CLASS_DOMAIN_LIFE = 7,
    XC_CLASS_DOMAIN_MOVE = 8,
    XC_CLASS_OPERATION_FINISHED = 9,
    XC_CLASS_SET_REFUSED = 10,
};
extern const struct xc_enum xc_notify_class_labels;

/* What somebody should know of at night: all up to XC_CLASS_THRESHOLD. */
#define XC_NOTIFY_USUAL ((1u << (XC_CLASS_THRESHOLD + 1)) - 1)

/* The class of a kind of event; -1: there is no notification of it. */
int xc_notify_class(enum xc_event_type type);
bool xc_notify_wanted(uint32_t classes, enum xc_event_type type);
/* Labels of classes to bits; "none" alone is 0. NULL: all are known, else the first that is not. */
const char *xc_notify_parse(const char *const *words, uint32_t *classes);

/* Tokens that come at a rate and are taken one by one. */
struct xc_bucket {
    gint64 micro; /* millionths of a token there were ... */
    gint64 mono;  /* ... at that time; 0: it was never looked at, so it is full */
    bool looked;
};
bool xc_bucket_take(struct xc_bucket *bucket, gint64 now, unsigned rate, unsigned burst);
/* Microseconds until there is one. */
gint64 xc_bucket_wait(struct xc_bucket *bucket, gint64 now, unsigned rate, unsigned burst);

/* Events that are told together. Serials from first to last are in it: told, gone, or of classes not wanted. */
struct xc_bulk {
    uint32_t first, last;      /* 0: nothing is in it */
    uint32_t count;            /* that are told, gone ones among them */
    uint32_t muted;            /* of classes that are not wanted */
    uint32_t gone;             /* from the ring before they could be looked at */
    gint64 opened;             /* monotonic */
    enum xc_severity severity; /* the worst; 0 none */
    char *worst;               /* what was the first of that severity, NULL none */
    GHashTable *kinds;         /* enum xc_event_type -> how many */
};
void xc_bulk_clear(struct xc_bulk *bulk);
void xc_bulk_add(struct xc_bulk *bulk, const struct xc_event *event, gint64 now);
void xc_bulk_mute(struct xc_bulk *bulk, uint32_t serial);
void xc_bulk_gone(struct xc_bulk *bulk, uint32_t first, uint32_t last, gint64 now);
/* In words: how many of which kind, and the worst. Newly allocated, at most XC_TEXT_MAX octets. */
char *xc_bulk_text(const struct xc_bulk *bulk);
