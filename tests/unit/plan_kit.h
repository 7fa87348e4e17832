/* Fleets for the planner: a few lines for an example, or thousands from seeds. */
#pragma once

#include "xenclient/model/plan.h"

#include <glib.h>
#include <string.h>

#define PLAN_HOSTS_MAX   32
#define PLAN_MEMBERS_MAX 200

struct plan_fleet {
    enum xc_spread spread;
    size_t n_hosts, n_members;
    struct xc_plan_host hosts[PLAN_HOSTS_MAX];
    struct xc_plan_member members[PLAN_MEMBERS_MAX];
    char keys[PLAN_HOSTS_MAX][16];
    char names[PLAN_MEMBERS_MAX][16];
    bool may[PLAN_MEMBERS_MAX][PLAN_HOSTS_MAX];
    /* what came of it */
    struct xc_placement placements[PLAN_MEMBERS_MAX];
    size_t order[PLAN_MEMBERS_MAX];
    size_t n_moves;
};

static inline struct plan_fleet *plan_fleet_new(enum xc_spread spread)
{
    struct plan_fleet *fleet = g_new0(struct plan_fleet, 1);

    fleet->spread = spread;
    return fleet;
}

static inline struct xc_plan_host *plan_host(struct plan_fleet *fleet, const char *key,
                                             int64_t free_kib)
{
    size_t i = fleet->n_hosts++;

    g_strlcpy(fleet->keys[i], key, sizeof(fleet->keys[i]));
    fleet->hosts[i] =
        (struct xc_plan_host){.key = fleet->keys[i], .free_kib = free_kib, .weight = 100};
    return &fleet->hosts[i];
}

/* on: -1, or the host it runs on, which is counted there. */
static inline struct xc_plan_member *plan_member(struct plan_fleet *fleet, const char *name,
                                                 int64_t need_kib, gssize on)
{
    size_t i = fleet->n_members++;

    g_strlcpy(fleet->names[i], name, sizeof(fleet->names[i]));
    fleet->members[i] = (struct xc_plan_member){
        .name = fleet->names[i], .priority = 50, .need_kib = need_kib, .on = on, .pin = -1};
    if (on >= 0)
        fleet->hosts[on].running++;
    return &fleet->members[i];
}

/* It may run on no host but those that are set afterwards. */
static inline bool *plan_restrict(struct plan_fleet *fleet, struct xc_plan_member *member)
{
    bool *may = fleet->may[member - fleet->members];

    member->may = may;
    return may;
}

static inline void plan_start(struct plan_fleet *fleet)
{
    xc_plan_start(fleet->spread, fleet->hosts, fleet->n_hosts, fleet->members, fleet->n_members,
                  fleet->placements);
}

static inline void plan_rebalance(struct plan_fleet *fleet)
{
    fleet->n_moves = xc_plan_rebalance(fleet->spread, fleet->hosts, fleet->n_hosts, fleet->members,
                                       fleet->n_members, fleet->placements, fleet->order);
}

/* Members on each host when the plan is carried out. */
static inline void plan_counts(const struct plan_fleet *fleet, uint32_t *counts)
{
    for (size_t i = 0; i < fleet->n_hosts; i++)
        counts[i] = fleet->hosts[i].running;
    for (size_t i = 0; i < fleet->n_members; i++) {
        if (fleet->members[i].on >= 0)
            counts[fleet->members[i].on]--;
        if (fleet->placements[i].host >= 0)
            counts[fleet->placements[i].host]++;
    }
}

static inline uint32_t plan_difference(const uint32_t *counts, size_t n)
{
    uint32_t least = UINT32_MAX, most = 0;

    for (size_t i = 0; i < n; i++) {
        least = MIN(least, counts[i]);
        most = MAX(most, counts[i]);
    }
    return n > 0 ? most - least : 0;
}
