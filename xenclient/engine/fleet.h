/* What the front knows: sources with their snapshots, and the index over all domains and hosts.
 * Belongs to the main loop's thread: SNMP handlers and engine share it, nothing else may touch it.
 * Pointers are good until control returns to the main loop, no longer. */
#pragma once

#include "xenclient/drivers/driver.h"

/* A registered source and the latest that is known of it. */
struct xc_slot {
    uint32_t id;
    struct xc_source_spec spec;
    const struct xc_driver *driver;
    enum xc_origin_of_source origin;
    bool enabled;
    unsigned interval_sec; /* the effective one */
    enum xc_source_state state;
    enum xc_cause cause;  /* of the last failure; NONE while up */
    char *state_text;     /* last failure in words, "" while up */
    gint64 since_real;    /* the state's begin, microseconds UTC */
    gint64 last_ok_real;  /* 0 never */
    gint64 last_ok_mono;  /* 0 never: xc_slot_age() */
    gint64 last_try_real; /* 0 never */
    uint64_t polls_ok;
    uint64_t polls_failed;
    uint64_t reconnects;
    unsigned failed_in_row;
    unsigned poll_msec; /* last successful poll */
    unsigned poll_avg_msec;
    struct xc_snapshot *snapshot; /* NULL before the first poll */
    char **host_keys;             /* one per host of the snapshot */
    void *poller;                 /* private to poller.c */
};

/* The source's data are older than stale_after polls: live fields vanish. */
bool xc_slot_stale(const struct xc_slot *slot);
/* Three polls failed: domain states read unknown. */
bool xc_slot_down(const struct xc_slot *slot);
/* Seconds since the last successful poll; -1: never. */
gint64 xc_slot_age(const struct xc_slot *slot);

/* What the agent itself knows of a domain, shown now or not. There is one for each: the members stand
 * by size, and enumerations (the types of their values are named) take one octet. */
struct xc_track {
    char *home; /* host key where its configuration lies or it last ran */
    gint64 state_since_real;
    gint64 discontinuity_mono; /* 0: none since start */
    gint64 deleted_mono;       /* presence DELETED since */
    void *counters;            /* private to counters.c */
    uint32_t index;
    uint32_t lock;      /* TestAndIncr, 0..2147483647 */
    uint32_t active_op; /* index of the operation in progress, 0 none */
    uint32_t last_op;   /* index of the last one, 0 none */
    uint32_t owner;     /* id of the source whose row stands for the domain; private to fleet.c */
    uint8_t identity;   /* xc_identity */
    uint8_t presence;   /* xc_presence: PRESENT or DELETED; see xc_ref_presence() */
    uint8_t wanted;     /* xc_wanted: last accepted wish; NONE */
    uint8_t state;      /* xc_domain_state: last seen, for state_since */
    bool protect;
    bool moving; /* the operation in progress migrates it */
    bool owner_alive;
};

/* A row of the domain tables: which snapshot row stands for the index now. */
struct xc_domain_ref {
    uint32_t index;
    uint32_t row;
    const struct xc_slot *slot;
    struct xc_track *track;
};

struct xc_host_ref {
    const char *key; /* index of the host tables */
    const struct xc_slot *slot;
    gssize row; /* in slot->snapshot->hosts; -1: never polled */
    gint64 discontinuity_mono;
};

struct xc_engine;

/* Sorted by index. */
const struct xc_domain_ref *xc_fleet_domains(const struct xc_engine *engine, size_t *n);
const struct xc_domain_ref *xc_fleet_domain(const struct xc_engine *engine, uint32_t index);
/* Sorted as SNMP sorts string indexes: by length, then octets. */
const struct xc_host_ref *xc_fleet_hosts(const struct xc_engine *engine, size_t *n);
const struct xc_host_ref *xc_fleet_host(const struct xc_engine *engine, const char *key);
/* Sorted like hosts, by key. */
struct xc_slot *const *xc_fleet_sources(const struct xc_engine *engine, size_t *n);
struct xc_slot *xc_fleet_source(const struct xc_engine *engine, const char *key);
/* Changes whenever a domain, a domain's name or its host changes: key of caches such as the name
 * order. */
uint64_t xc_fleet_generation(const struct xc_engine *engine);
/* The host key a domain is on (running) or belongs to. "" if none is known. */
const char *xc_fleet_host_key(const struct xc_domain_ref *ref);

static inline const struct xc_domain *xc_ref_domain(const struct xc_domain_ref *ref)
{
    return &ref->slot->snapshot->domains[ref->row];
}

/* Not a control domain, a stub domain, a template. */
bool xc_domain_is_guest(const struct xc_domain *domain);

/* May this field be shown: known, and not a live one of a stale source or of a deleted domain. */
bool xc_ref_shows(const struct xc_domain_ref *ref, const struct xc_field *field);
/* What is known of it besides, if that field of it may be shown; else NULL. */
const struct xc_detail *xc_ref_detail(const struct xc_domain_ref *ref,
                                      const struct xc_field *field);
bool xc_host_ref_shows(const struct xc_host_ref *ref, const struct xc_field *field);
/* The state to show: unknown while the source is down. */
enum xc_domain_state xc_ref_state(const struct xc_domain_ref *ref);
/* STALE when the source's data are. */
enum xc_presence xc_ref_presence(const struct xc_domain_ref *ref);
/* The state of the host: its source's state; while that is UP also DOWN (its pool does not hear of
 * it) or MAINTENANCE. */
enum xc_source_state xc_host_ref_state(const struct xc_host_ref *ref);
