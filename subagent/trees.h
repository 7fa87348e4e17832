/* The MIBs that are served: which tables each has, and where it stands in the tree of all OIDs. */
#pragma once

#include "subagent/context.h"

/* Of XENSNMP-MIB hosts have what is theirs: their own row, their domains, and what these have. */
enum { ST_TREE_XENSNMP, ST_TREE_XENSNMP_HOST, ST_TREE_VM_MIB, ST_TREE_LIBRENMS, ST_N_TREES };

/* What main() makes of them; NULL: the configuration does not want it. */
struct st_trees {
    struct st_mib *mibs[ST_N_TREES];
};

/* Those that the engine's configuration wants; context->mib is one of them then. */
bool st_trees_build(struct st_trees *trees, struct st_context *context, GError **error);
void st_trees_clear(struct st_trees *trees);
/* Does the default context have it; do the contexts of single hosts? */
bool st_tree_of_fleet(unsigned tree);
bool st_tree_of_hosts(unsigned tree);

/* What --dump-schema prints of the MIB of that name; NULL with an error that lists the names. */
char *st_trees_schema(const char *name, GError **error);
