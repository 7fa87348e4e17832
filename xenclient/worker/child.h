/* One place for a worker process in the front: starts it, talks to it, watches it, starts it again.
 * Knows nothing of sources and operations. Main loop only; nothing here blocks. */
#pragma once

#include "xenclient/worker/protocol.h"

#include <sys/types.h>

struct xc_child;

struct xc_child_events {
    /* A new process has said HELLO: everything is to be sent from the start. */
    void (*ready)(struct xc_child *child, void *data);
    /* A checked message. False: a breach of the protocol. */
    bool (*message)(struct xc_child *child, const struct xc_msg *msg, void *data);
    /* The process is gone or was given up; the next follows by itself. blame: what it worked on may
     * be the reason. */
    void (*lost)(struct xc_child *child, const char *why, bool blame, void *data);
    /* A process to be reaped later: the child does not wait for it. */
    void (*corpse)(pid_t pid, void *data);
};

struct xc_child_limits {
    const char *exe;
    unsigned rss_mib; /* 0: no limit */
    unsigned ping_sec;
};

/* All pointers are borrowed and outlive the child. The process is started by the first tick. */
struct xc_child *xc_child_new(GMainContext *context, const struct xc_child_limits *limits,
                              const struct xc_child_events *events, void *data);
/* Hangs up and hands over the corpse. Not from inside an event. Returns NULL; takes NULL. */
void *xc_child_free(struct xc_child *child);
/* Watches over time: to be called about ten times a second. */
void xc_child_tick(struct xc_child *child, gint64 now);
/* HELLO was said and the process is not given up. */
bool xc_child_is_ready(const struct xc_child *child);
/* There is a process. */
bool xc_child_lives(const struct xc_child *child);
/* Queues a message; dropped when not ready (`ready` sends everything anew). */
void xc_child_send(struct xc_child *child, const struct xc_msg *msg);
/* Gives the process up at the next tick. */
void xc_child_condemn(struct xc_child *child, const char *why, bool blame);
