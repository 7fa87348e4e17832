/* One operation: what was asked of which domain, and what became of it. Plain data. */
#pragma once

#include "xenclient/model/field.h"
#include "xenclient/model/state.h"
#include "xenclient/util/error.h"

struct xc_op {
    uint32_t index; /* xenOperationIndex, ascending for ever */
    struct xc_uuid uuid;
    enum xc_action action;
    enum xc_op_state state;
    enum xc_result result;
    enum xc_cause cause;
    char *text;      /* result in words, "" while open */
    char *phase;     /* what it is doing, "" before and after */
    int progress;    /* 0..100, -1 not known */
    uint32_t domain; /* target index; 0: a domain yet to be created */
    char *target;    /* name at the time of the request */
    char *source;    /* key of the source that executes it */
    char *host_from; /* host keys, "" none */
    char *host_to;
    char *argument; /* configuration path or name, "" none */
    char *content;  /* create: the configuration, or the name of what a template makes */
    char *note;     /* "" none */
    struct xc_uuid target_uuid; /* of the domain when it was asked; nil none */
    int64_t target_domid;       /* as last seen; -1 none */
    char *boot_id;              /* of the executing host when first sent, "" unknown */
    unsigned attempts;
    gint64 timeout_usec;
    gint64 created_real, started_real, ended_real; /* 0: not yet */
    gint64 started_mono, ended_mono;               /* this process' clock; 0: not yet */
    /* Of a group: one parent for what was asked, one child for each member that is concerned. */
    char *group;                  /* its name; "": an operation of its own */
    char *member;                 /* child: as the group names it */
    uint32_t parent;              /* child: index of the parent, 0 none */
    unsigned rank;                /* child: its turn is when all of lower ranks have ended */
    unsigned delay_sec;           /* child: once begun, what is of a higher rank waits so long */
    unsigned passed;              /* parent: members that were as wanted already */
    uint32_t total, done, failed; /* parent: of its children; counted, not journalled */
};

static inline bool xc_op_is_group(const struct xc_op *op)
{
    return *op->group && !op->parent;
}

/* All strings "" and numbers at "nothing yet". */
struct xc_op *xc_op_new(void);
void xc_op_init(struct xc_op *op);
void xc_op_clear(struct xc_op *op); /* frees the strings, not op */
void *xc_op_free(struct xc_op *op); /* returns NULL; takes NULL */
typedef struct xc_op xc_op;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xc_op, xc_op_free)
