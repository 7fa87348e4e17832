/* Which host each member of a group goes to. Pure arithmetic: no engine, no clock, same input, same plan. */
#pragma once

#include "xenclient/model/group.h"
#include "xenclient/util/error.h"

/* A host that members may run on. Others are not part of the input. */
struct xc_plan_host {
    const char *key;
    /* What new domains may take, reserve taken off; -1 not known: anything fits; less: nothing fits. */
    int64_t free_kib;
    uint32_t running; /* members of the group that run there now */
    unsigned weight;  /* 1..100 */
};

struct xc_plan_member {
    const char *name;
    unsigned priority;
    int64_t need_kib; /* -1 not known: fits wherever a host has room left */
    gssize on;        /* ordinal of the host it runs on now; -1: it does not run there */
    gssize
        pin; /* ordinal of the only host it may go to, beyond the last: of none of these; -1 any */
    const bool *may; /* for each host: can it run there (disks, networks); NULL: everywhere */
    enum xc_cause may_cause; /* what keeps it from the others; NONE or 0: notSupported */
    bool barred;             /* goes nowhere, and stays where it is: `barred_cause` tells why */
    enum xc_cause barred_cause;
};

struct xc_placement {
    gssize host; /* ordinal; -1: nowhere */
    /* Why nowhere: noMemory, noSuchHost (nothing to go to), what the member gives as may_cause (no host that it may run
     * on) or barred_cause, badState (to be moved, but it does not run); NONE otherwise. */
    enum xc_cause cause;
};

/* Places each member with `on` -1, one after the other: by priority, then name (octets; no two are alike). Writes one
 * placement per member, in the order of `members`; those that run already are placed where they are.
 *   equal: the host with the smallest (members / weight) that has room; ties: most memory free, then key. After it, where
 *          all fit everywhere, may everywhere and weigh the same: max - min <= 1 or no placement could lessen it.
 *   byMemory: the host with the most memory free; ties: smallest (members / weight), then key.
 *   pack: a host that has members before one that has none; of the former the fullest that has room, of the latter that
 *          with the most memory free.
 *   pinned: its pin; the caller gives the home of a member without a pin as its pin.
 * A host whose memory is not known comes after those where it is. What was placed just now may give way once more, to make
 * room for a member that would fit nowhere, to lessen the difference in numbers, to need one host less: nothing has started. */
void xc_plan_start(enum xc_spread spread, const struct xc_plan_host *hosts, size_t n_hosts,
                   const struct xc_plan_member *members, size_t n_members,
                   struct xc_placement *placements);

/* Moves as few running members as will do, each at most once, until
 *   equal: the numbers differ by at most one (by weight);
 *   byMemory: no move would halve a difference in free memory between two hosts;
 *   pack: no host with members can be emptied into the others that have some;
 *   pinned: each is on its pin;
 * or no move that is possible brings it nearer. Each step has room for what it moves, in the order that is written to
 * `order` (ordinals of the members to be moved; room for n_members). Returns how many are to be moved. */
size_t xc_plan_rebalance(enum xc_spread spread, const struct xc_plan_host *hosts, size_t n_hosts,
                         const struct xc_plan_member *members, size_t n_members,
                         struct xc_placement *placements, size_t *order);
