/* Events as SNMP notifications, handed to the master agent, which knows who wants them. */
#pragma once

#include "subagent/context.h"

#include <net-snmp/agent/net-snmp-agent-includes.h>

struct st_traps;

/* Sends nothing yet. NULL with an error that names an object which is in no table; context->mib is there. */
struct st_traps *st_traps_new(struct st_context *context, GError **error);
void *st_traps_free(struct st_traps *traps); /* returns NULL; takes NULL */
/* The session with the master agent; NULL: it is gone. */
void st_traps_connected(struct st_traps *traps, netsnmp_session *session);

/* The varbinds of the notification of one event, behind snmpTrapOID: newly allocated, NULL if there is none of its kind.
 * What an object has no value for is left out, unless the MIB says that it is there. */
netsnmp_variable_list *st_traps_varbinds(const struct st_traps *traps,
                                         const struct xc_event *event);
/* The lines of notifications in the schema. */
char *st_traps_schema(void);
