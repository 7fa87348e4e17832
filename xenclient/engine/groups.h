/* Groups: what they are made of now, how they fare, what is done to all members at once. Main-loop thread only. */
#pragma once

#include "xenclient/engine/operations.h"
#include "xenclient/model/group.h"
#include "xenclient/model/plan.h"

/* A member as it is now. */
struct xc_member {
    const char *name; /* spec->member */
    const struct xc_member_spec *spec;
    uint32_t domain; /* index; 0: not known now */
    enum xc_cause
        cause; /* why not: noSuchTarget, ambiguous, conflict (it is a member by another of its names
                                   too); NONE when known */
    enum xc_domain_state state; /* as its row shows it; UNKNOWN where it has none */
};

/* What a selected host is to the group. */
struct xc_group_place {
    char *host; /* key */
    unsigned weight;
    bool usable;
    enum xc_cause cause; /* why not: hostDown, policy (maintenance), noSuchHost; NONE */
    uint32_t members;    /* that are there, whatever their state */
    uint32_t running;
};

/* Sums over members that are known; a sum that no member knows is absent: has_... false. */
struct xc_group_sums {
    uint32_t members, running, paused, suspended, stopped, crashed, transient, unknown;
    uint64_t vcpus, mem_mib, net_octets, disk_octets;
    uint32_t cpu_permyriad;
    bool has_vcpus, has_mem, has_net, has_disk, has_cpu, has_imbalance;
    gint64 discontinuity_mono; /* since when net_octets and disk_octets go on without a break */
    uint32_t imbalance;        /* most less fewest running members of a usable host */
};

struct xc_group {
    const char *name; /* spec->name */
    char *label;      /* what people call it: the same, or a vApp's name */
    struct xc_group_spec *spec;
    enum xc_origin_of_source origin; /* config, hypervisor: notWritable */
    uint32_t lock;
    enum xc_wanted wanted; /* by the last accepted operation of the group */
    uint32_t active_op;    /* parent operation in progress, 0 none */
    uint32_t last_op;      /* 0 none */
    enum xc_group_status status;
    struct xc_group_sums sums;
    GArray *members;   /* struct xc_member, as spec->members */
    GArray *places;    /* struct xc_group_place, by key as SNMP sorts */
    char *spread_text; /* "a=3 b=2", "" none lives */
    /* Of which the above is true; private to groups_status.c. */
    uint64_t facts, generation, definitions;
    uint64_t parts;         /* what net_octets and disk_octets are made of */
    char *start_plan;       /* xc_group_start_plan(), NULL none */
    GPtrArray *start_parts; /* char *, what it says of each member; empty without a plan */
    uint64_t plan_facts;    /* of which it is true */
};

/* By name as SNMP sorts. Brought to the present when the fleet has changed since. */
struct xc_group *const *xc_groups(struct xc_engine *engine, size_t *n);
/* The same as they were last seen: for who looks at few of them, and brings these to the present. */
struct xc_group *const *xc_groups_listed(struct xc_engine *engine, size_t *n);
/* The plan of a start now as xc_group_plan_text() has it; made anew when something changed. NULL: it would be refused.
 * Belongs to the group. */
const char *xc_group_start_plan(struct xc_engine *engine, struct xc_group *group);
/* What it says of one of the group's members; NULL: nothing. */
const char *xc_member_start_plan(struct xc_engine *engine, struct xc_group *group,
                                 const struct xc_member *member);
/* How many groups a domain is a member of. */
uint32_t xc_member_groups(struct xc_engine *engine, uint32_t domain);
struct xc_group *xc_group_find(struct xc_engine *engine, const char *name); /* NULL if absent */
/* Brings one to the present; costs nothing where it is. */
void xc_group_refresh(struct xc_engine *engine, struct xc_group *group);

/* --- parts of a transaction (see operations.h) */
/* The group as this transaction leaves it so far, to be changed and put; NULL: there is none, or it is removed. */
struct xc_group_spec *xc_txn_group(struct xc_txn *txn, const char *name);
bool xc_txn_put_group(struct xc_txn *txn, const struct xc_group_spec *spec, GError **error);
/* Refused while an operation of the group is in progress. Absent: succeeds. Domains are not touched. */
bool xc_txn_remove_group(struct xc_txn *txn, const char *name, GError **error);
bool xc_txn_lock_group(struct xc_txn *txn, const char *name, uint32_t value, GError **error);

struct xc_group_request {
    const char *group;
    enum xc_action
        action; /* start, shutdown, reboot, pause, unpause, suspend, resume, destroy, reset, migrate */
    const char *host;     /* migrate: destination key; NULL or "": rebalance */
    unsigned timeout_sec; /* of each member's part; 0 default */
    const char *note;
    bool locked;
};
/* One parent and a child for each member that is concerned, planned now, journalled in one commit. */
bool xc_txn_add_group_op(struct xc_txn *txn, const struct xc_group_request *request,
                         GError **error);
/* What such a request would do now, for people: a line per member "NAME -> HOST" or "NAME: cause". */
/* of_members: gets what the line of each member says behind its name, in the order of the members; NULL: not wanted. */
char *xc_group_plan_text(struct xc_engine *engine, const struct xc_group_request *request,
                         GPtrArray *of_members, GError **error);
