/* An SNMP context for each host: its name is the host's key, and it shows what that host has of the trees that are made for
 * that. Contexts come and go with their hosts and with the connection, a few at a time, so that thousands hold up nobody.
 * They are read-only: the library keeps pointers to a registration from one phase of a SET to the next. */
#pragma once

#include "subagent/trees.h"

struct st_contexts;

/* Both must outlive the contexts. */
struct st_contexts *st_contexts_new(struct st_context *fleet, const struct st_trees *trees);
/* Nothing is unregistered: call it when the connection has ended, and the library with it. Returns NULL; takes NULL. */
void *st_contexts_free(struct st_contexts *contexts);
/* The connection to the master agent has come, or (NULL) gone. */
void st_contexts_connected(struct st_contexts *contexts, netsnmp_session *session);
