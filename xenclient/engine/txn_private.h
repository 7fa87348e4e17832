/* What the parts of a transaction share; see operations.h. Nobody but the txn files includes this. */
#pragma once

#include "xenclient/engine/private.h"

/* A group as the transaction leaves it. */
struct group_draft {
    char *name;
    struct xc_group_spec *spec; /* NULL: there is none, or it is removed */
    bool changed;               /* to be written */
};

struct intent {
    enum xc_intent_kind kind;
    GByteArray *payload;
    int64_t seq;
    char *key; /* of the source it concerns, "" none */
};

struct xc_txn {
    struct xc_engine *engine;
    GPtrArray *runs;        /* struct xc_op_run *, new */
    GArray *cancels;        /* uint32_t operation indexes */
    GArray *supersedes;     /* uint32_t operation indexes a force action takes over from */
    GArray *intents;        /* struct intent */
    GPtrArray *locks;       /* struct xc_track * */
    GPtrArray *drafts;      /* struct group_draft * */
    GPtrArray *group_locks; /* char *, names of groups */
    GHashTable *targets;    /* domains with an action in this PDU */
    uint32_t switches;      /* bits of enum xc_switch: those that are to be set ... */
    uint32_t on;            /* ... and which of them to be on */
    bool written;
    bool dispatched;
};

/* txn.c */
/* Takes the payload. key: of the source it is about, "" none. */
void xc_txn_add_intent(struct xc_txn *txn, enum xc_intent_kind kind, GByteArray *payload,
                       const char *key);

/* groups_txn.c */
void xc_txn_begin_groups(struct xc_txn *txn);
void xc_txn_end_groups(struct xc_txn *txn);
/* What is to become of groups, as intents. */
void xc_txn_write_groups(struct xc_txn *txn);
void xc_txn_dispatch_groups(struct xc_txn *txn);
/* Does a part of the transaction change or remove that group? */
bool xc_txn_changes_group(const struct xc_txn *txn, const char *name);
/* Will no group miss the source when it is gone? */
bool xc_txn_source_is_free(const struct xc_txn *txn, const struct xc_slot *slot, GError **error);
