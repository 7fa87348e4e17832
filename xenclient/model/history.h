/* What happened to a member of a group. Plain data. */
#pragma once

#include "xenclient/model/state.h"

#include <glib.h>

/* Most rows of one member, and in all; the oldest go. */
#define XC_HISTORY_OF_MEMBER 100
#define XC_HISTORY_ROWS      20000

enum xc_history_event {
    XC_HISTORY_STARTED = 1,
    XC_HISTORY_STOPPED = 2,
    XC_HISTORY_MOVED = 3,
    XC_HISTORY_CRASHED = 4,
    XC_HISTORY_SUSPENDED = 5,
    XC_HISTORY_RESUMED = 6,
    XC_HISTORY_PAUSED = 7,
    XC_HISTORY_UNPAUSED = 8,
    XC_HISTORY_CREATED = 9,
    XC_HISTORY_DELETED = 10,
    XC_HISTORY_OPERATION = 11, /* one on it ended */
};
extern const struct xc_enum xc_history_event_labels;

struct xc_history {
    char *group;     /* its name; texts are never NULL */
    uint32_t serial; /* ascending over all groups, for ever; 0: not committed yet */
    char *member;    /* as the group names it */
    uint32_t domain; /* index, 0 none */
    enum xc_history_event event;
    enum xc_result result; /* of an operation; else NONE */
    char *host;            /* key, "" none */
    uint32_t op;           /* index, 0 none */
    gint64 time_real;      /* microseconds UTC */
    char *text;
};

/* Texts are copied. */
struct xc_history *xc_history_new(const char *group, const char *member, const char *host,
                                  const char *text);
void *xc_history_free(struct xc_history *history); /* returns NULL; takes NULL */
