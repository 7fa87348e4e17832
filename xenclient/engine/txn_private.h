/* What the parts of a transaction share; see operations.h. Nobody but the txn files includes this. */
#pragma once

#include "xenclient/engine/private.h"

struct intent {
    enum xc_intent_kind kind;
    GByteArray *payload;
    int64_t seq;
    char *key; /* of the source it concerns, "" none */
};

struct xc_txn {
    struct xc_engine *engine;
    GPtrArray *runs;     /* struct xc_op_run *, new */
    GArray *cancels;     /* uint32_t operation indexes */
    GArray *supersedes;  /* uint32_t operation indexes a force action takes over from */
    GArray *intents;     /* struct intent */
    GPtrArray *locks;    /* struct xc_track * */
    GHashTable *targets; /* domains with an action in this PDU */
    bool written;
    bool dispatched;
};
