/* How operations are made, for the files that implement them. */
#pragma once

#include "tools/xen-farm/fleet.h"

/* A step takes base + per_gib * memory, divided by the farm's speed. */
struct farm_step {
    const char *phase;
    unsigned base_ms;
    unsigned per_gib_ms;
    bool fixed;    /* can't be undone, neither by cancelling nor by the time-out */
    bool guest;    /* waits for the guest's help */
    bool progress; /* tells a percentage */
    /* What its begin changes; NULL: nothing. False: the operation fails. */
    bool (*enter)(struct farm_fleet *fleet, struct farm_op *op, GError **error);
};

#define FARM_MAX_STEPS 3

struct farm_plan {
    enum xc_action action;
    bool looks;      /* takes no hold of the domain */
    bool supersedes; /* ends a soft operation in progress */
    uint32_t from;   /* XC_IN() states it is possible in; 0: any */
    struct farm_step steps[FARM_MAX_STEPS];
    /* What the end of the last step changes. */
    bool (*done)(struct farm_fleet *fleet, struct farm_op *op, GError **error);
};

/* NULL: the simulator can't do that. */
const struct farm_plan *farm_plan_of(enum xc_action action);
unsigned farm_plan_steps(const struct farm_plan *plan);
/* Trouble strikes before the last step of several, so that a migration fails or hangs in the
 * middle and not when all is done. */
unsigned farm_plan_trouble(const struct farm_plan *plan);

/* Finds out whom an order means and whether it may be; fills op (host, target, domain, guest,
 * trouble) and takes hold of the domain. False: refused, nothing is held. */
bool farm_order_prepare(struct farm_fleet *fleet, const struct farm_host *scope,
                        const struct xc_order *order, struct farm_op *op, GError **error);
