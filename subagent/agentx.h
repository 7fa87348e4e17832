/* The connection to the master agent: net-snmp as a subagent inside a GLib main loop. One per process, because
 * the library is; the main loop's thread only. */
#pragma once

#include "subagent/trees.h"

struct st_agentx;

/* Registers the trees, and those of single hosts in contexts of their own, and keeps trying to reach the master agent, once a second, for ever; it is no error
 * when there is none. socket "": the library's default. Counts connections in context->sessions. */
struct st_agentx *st_agentx_new(struct st_context *context, const struct st_trees *trees,
                                const char *socket, GError **error);
/* Leaves the master agent. Returns NULL; takes NULL. */
void *st_agentx_free(struct st_agentx *agentx);
