/* What the getters and writers of all tables are given. One for each SNMP context: main() makes that of the default
 * context, which shows the whole fleet; contexts.c makes those of single hosts. */
#pragma once

#include "subagent/names.h"
#include "subagent/table.h"
#include "xenclient/xenclient.h"

struct st_guests;

struct st_context {
    struct xc_engine *engine;
    struct st_names *names;
    struct st_mib *mib; /* XENSNMP-MIB, for its own figures; set after the tree is built */
    uint32_t sessions;  /* connections to the master agent so far */
    const char *host;   /* key of the host that the context is of; NULL: the whole fleet */
    struct st_guests *guests;
};

static inline struct xc_engine *st_engine(const struct st_cell *cell)
{
    return ((const struct st_context *)cell->context)->engine;
}

/* The host whose hypervisor the context shows: its own, or the only one of the fleet. NULL: there is none. */
const struct xc_host_ref *st_context_host(const struct st_context *context);

/* The hooks that make SETs transactions of the engine. */
extern const struct st_set_hooks st_engine_hooks;
