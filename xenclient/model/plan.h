/* Which host each member of a group goes to. Pure arithmetic: no engine, no clock, same input, same plan. */
#pragma once

#include "xenclient/model/group.h"

/* A host that members may run on. Others are not part of the input. */
struct xc_plan_host {
    const char *key;
    int64_t
        free_kib; /* what new domains may take, reserve taken off; -1 not known: anything fits */
    uint32_t running; /* members of the group that run there now */
    unsigned weight;  /* 1..100 */
};

struct xc_plan_member {
    const char *name;
    unsigned priority;
    int64_t need_kib; /* -1 not known: fits wherever a host has room left */
    gssize on;        /* ordinal of the host it runs on now; -1: it does not run there */
    gssize pin;       /* ordinal of the only host it may go to; -1 any */
    const bool *may;  /* for each host: can it run there (disks, networks); NULL: everywhere */
    bool barred;      /* goes nowhere, and stays where it is: `barred_cause` tells why */
    enum xc_cause barred_cause;
};

struct xc_placement {
    gssize host; /* ordinal; -1: nowhere */
    enum xc_cause
        cause; /* why nowhere: noMemory, noSuchHost (nothing to go to), notSupported (no host that it may
                            run on), ...; NONE otherwise */
};

/* Places each member with `on` -1, one after the other: by priority, then name (octets). Writes one placement per
 * member, in the order of `members`; those that run already are placed where they are.
 * equal: the host with the smallest (members / weight) that has room; ties: most memory free, then key.
 * After it, where all fit everywhere, may everywhere and weigh the same: max - min <= 1 or no placement could lessen it. */
void xc_plan_start(enum xc_spread spread, const struct xc_plan_host *hosts, size_t n_hosts,
                   const struct xc_plan_member *members, size_t n_members,
                   struct xc_placement *placements);

/* Moves as few running members as will do until the numbers differ by at most one (by weight), or the policy's own
 * measure is met; each step of the plan has room for what it moves, in the order that is written to `order` (ordinals of the
 * members to be moved; room for n_members). Returns how many are to be moved. */
size_t xc_plan_rebalance(enum xc_spread spread, const struct xc_plan_host *hosts, size_t n_hosts,
                         const struct xc_plan_member *members, size_t n_members,
                         struct xc_placement *placements, size_t *order);
