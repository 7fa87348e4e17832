/* The parts of the supervisor: supervisor.c keeps the workers and the interface, supervisor_poll.c
 * the sources and their polls, supervisor_op.c the operations. Main loop only. */
#pragma once

#include "xenclient/worker/child.h"
#include "xenclient/worker/supervisor.h"

/* A worker and how many sources it has. */
struct xc_crew {
    struct xc_supervisor *supervisor;
    struct xc_child *child;
    bool quarantine;
    unsigned n_sources;
    gint64 idle_since; /* 0: not idle */
};

struct xc_supervisor {
    GMainContext *context;
    GSource *tick;
    struct xc_driver_env env;
    struct xc_supervisor_limits limits;
    struct xc_child_limits child_limits;
    struct xc_supervisor_events events;
    void *data;
    GPtrArray *crews;    /* struct xc_crew, owned */
    GHashTable *sources; /* id -> struct xc_ssource, owned */
    GHashTable *ops;     /* struct xc_uuid -> struct xc_sop, owned */
    GArray *corpses;     /* struct corpse of supervisor.c */
    uint32_t
        serial; /* of the last poll: one sequence for all, so an old answer never fits a new poll */
};

struct xc_ssource {
    uint32_t id;
    struct xc_source_spec spec;
    struct xc_crew *crew;

    /* The open poll. */
    bool open;
    bool sent;
    bool complete; /* the last piece is here */
    bool news;     /* will do */
    bool failing;  /* its worker died: it is open until the callback, but not sent again */
    uint32_t serial;
    gint64 budget_usec;
    gint64 deadline;
    gint64 sent_mono;
    struct xc_report *report; /* pieces so far */
    size_t octets;

    gint64 stuck_until; /* a poll timed out and the worker never ended it; 0: no */
    bool suspect;       /* an operation of it was running when its worker died just now */
    unsigned blamed;    /* deaths of workers in which it was busy, since its last answer */
    unsigned answers;   /* since it is in quarantine */
};

struct xc_sop {
    struct xc_order order; /* its op is the key */
    uint32_t source;
    bool sent;      /* to the present process */
    bool cancelled; /* asked to be */
    unsigned deaths;
    gint64 deadline; /* of the order, without grace */
};

/* --- supervisor.c */

/* The worker for one more source. */
struct xc_crew *xc_crew_choose(struct xc_supervisor *s, bool quarantine);
/* Moves a source to a worker of the other sort; its open poll and operations are sent there. */
void xc_crew_move(struct xc_supervisor *s, struct xc_ssource *source, bool quarantine);

/* --- supervisor_poll.c */

void xc_ssource_free(void *data);
struct xc_ssource *xc_ssource_find(const struct xc_supervisor *s, uint32_t id);
/* The spec, then an open poll that waits. */
void xc_ssource_send(struct xc_supervisor *s, struct xc_ssource *source);
/* In quarantine: the polls that wait for the end of another's. */
void xc_ssource_send_next(struct xc_supervisor *s, const struct xc_crew *crew);
bool xc_ssource_message(struct xc_supervisor *s, struct xc_crew *crew, const struct xc_msg *msg);
/* After the death of a worker: fails its open polls. `blame` as in child.h. */
void xc_ssource_lost(struct xc_supervisor *s, struct xc_crew *crew, const char *why, bool blame);
void xc_ssource_tick(struct xc_supervisor *s, gint64 now);

/* --- supervisor_op.c */

void xc_sop_free(void *data);
GHashTable *xc_sop_table(void);
/* Sends the operations of a source that wait. */
void xc_sop_send_all(struct xc_supervisor *s, struct xc_ssource *source);
/* They are to be sent again, with attach: the process that has them is not theirs any more. */
void xc_sop_detach_all(struct xc_supervisor *s, uint32_t source);
bool xc_sop_any(const struct xc_supervisor *s, uint32_t source);
void xc_sop_drop_all(struct xc_supervisor *s, uint32_t source);
bool xc_sop_message(struct xc_supervisor *s, const struct xc_crew *crew, const struct xc_msg *msg);
/* After the death of a worker: they are to be sent again, or are at their end. Marks the suspects. */
void xc_sop_lost(struct xc_supervisor *s, struct xc_crew *crew, bool blame);
void xc_sop_tick(struct xc_supervisor *s, gint64 now);
