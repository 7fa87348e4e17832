/* What the files that carry out operations of groups share. Nobody else includes this. */
#pragma once

#include "xenclient/engine/private.h"

/* Taken off a host's free memory before members are planned onto it: what Xen and the control domain need to start them
 * (page tables, shadow memory, buffers of their devices), and to grow a little. docs/groups.md tells operators. */
#define XC_GROUP_RESERVE_KIB (INT64_C(128) * 1024)

enum xc_part_kind {
    XC_PART_ACTS,   /* it gets a child that waits for its turn */
    XC_PART_PASSES, /* it is as wanted already, or has nothing to do with it */
    XC_PART_FAILS,  /* its child has failed before it began */
};

/* What an operation of the group means to one member. */
struct xc_part {
    const struct xc_member *member;
    const struct xc_domain_ref *ref; /* NULL: no domain is known */
    enum xc_part_kind kind;
    bool create;      /* it is made from its `create` text */
    const char *host; /* key of where it goes; NULL: stays where it is */
    int64_t need_kib; /* -1 not known */
    unsigned rank;
    enum xc_cause cause; /* why it fails */
    char *text;
    struct xc_op_run *run; /* its child; NULL where it passes */
};

/* Who takes part and how, in the order of their turns. Parts point into the group and the fleet: to be used at once. */
struct xc_plan {
    struct xc_engine *engine;
    const struct xc_group *group;
    const struct xc_group_request *request;
    const GPtrArray
        *also;     /* struct xc_op_run *: what is asked for in the same request; NULL none */
    GArray *parts; /* struct xc_part */
    unsigned n_act, n_pass, n_fail;
};

/* group_plan.c */
struct xc_plan *xc_group_plan(struct xc_engine *engine, const struct xc_group *group,
                              const struct xc_group_request *request, const GPtrArray *also,
                              GError **error);
void *xc_group_plan_free(struct xc_plan *plan); /* returns NULL; takes NULL */
typedef struct xc_plan xc_plan;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xc_plan, xc_group_plan_free)
/* Text is taken. */
void xc_part_fails(struct xc_part *part, enum xc_cause cause, char *text);
bool xc_group_rebalances(const struct xc_group_request *request);

/* group_place.c */
/* Gives a host to those that begin a life or move, or makes them fail. */
void xc_group_place(struct xc_plan *plan);
