/* One event: something happened that somebody may want to know of later. Plain data. */
#pragma once

#include "xenclient/util/labels.h"

#include <glib.h>

/* The numbers of the notifications that tell of them, below xenNotifications. */
enum xc_event_type {
    XC_EVENT_NONE = 0, /* nothing to tell; only what was told is to be remembered */
    XC_EVENT_DOMAIN_STATE = 1,
    XC_EVENT_DOMAIN_CREATED = 2,
    XC_EVENT_DOMAIN_DELETED = 3,
    XC_EVENT_DOMAIN_MOVED = 4,
    XC_EVENT_DOMAIN_CRASHED = 5,
    XC_EVENT_HOST_DOWN = 7,
    XC_EVENT_HOST_UP = 8,
    XC_EVENT_HOST_UNAUTHORISED = 9,
    XC_EVENT_OPERATION_FINISHED = 11,
    XC_EVENT_OPERATION_FAILED = 12,
    XC_EVENT_THRESHOLD = 18, /* severity CLEAR: it is over */
    XC_EVENT_HOST_UNTRUSTED = 22,
    XC_EVENT_SET_REFUSED = 23,
    XC_EVENT_AGENT_STARTED = 24,
    XC_EVENT_HYPERVISOR_MESSAGE = 25,
};
extern const struct xc_enum xc_event_type_labels;

enum xc_severity {
    XC_SEVERITY_INFO = 1,
    XC_SEVERITY_WARNING = 2,
    XC_SEVERITY_MINOR = 3,
    XC_SEVERITY_MAJOR = 4,
    XC_SEVERITY_CRITICAL = 5,
    XC_SEVERITY_CLEAR = 6, /* what a former event told of is over */
};
extern const struct xc_enum xc_severity_labels;

/* What was told of a domain: its state, or one of these; 0: nothing yet. Of a source: its state, and
 * XC_TOLD_ANSWERED once it has answered. */
enum { XC_TOLD_GONE = -1, XC_TOLD_ANSWERED = 256 };

struct xc_event {
    uint32_t serial;  /* from 1 without gaps, for ever; 0: not committed yet */
    gint64 time_real; /* microseconds UTC */
    enum xc_event_type type;
    enum xc_severity severity;
    uint32_t domain; /* index, 0 none */
    uint32_t op;     /* index, 0 none */
    char *host;      /* key, "" none; texts are never NULL */
    char *object;    /* name of what it is about */
    char *text;
    /* Remembered in the same commit, so that nothing is told twice, or never; 0: nothing. */
    int told;
    char *source; /* the key `told` is about; "": it is about `domain`, with `host` */
    /* The same of a hypervisor's messages: this one was told, and none up to that time any more. floor 0: nothing. */
    char *notice; /* uuid, "" none */
    gint64 notice_time, notice_floor;
    int before;         /* of a domain's state: what was told of it before; 0: nothing */
    GPtrArray *history; /* struct xc_history *, what it means to groups; NULL nothing */
};

/* Texts are cleaned and cut at XC_TEXT_MAX. Time is now. */
struct xc_event *xc_event_new(enum xc_event_type type, enum xc_severity severity, const char *host,
                              const char *object, const char *format, ...) G_GNUC_PRINTF(5, 6);
void *xc_event_free(struct xc_event *event); /* returns NULL; takes NULL */
