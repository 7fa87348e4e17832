/* What the getters and writers of all tables are given. One, made in main(). */
#pragma once

#include "subagent/names.h"
#include "subagent/table.h"
#include "xenclient/xenclient.h"

struct st_context {
    struct xc_engine *engine;
    struct st_names *names;
    struct st_mib *mib; /* for its own figures; set after the tree is built */
    uint32_t sessions;  /* connections to the master agent so far */
    struct st_traps *traps;
};

static inline struct xc_engine *st_engine(const struct st_cell *cell)
{
    return ((const struct st_context *)cell->context)->engine;
}

/* The hooks that make SETs transactions of the engine. */
extern const struct st_set_hooks st_engine_hooks;
