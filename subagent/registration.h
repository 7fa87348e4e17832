/* One tree in one SNMP context, as the library and the master agent know it. */
#pragma once

#include "subagent/handler.h"

#include "subagent/context.h"

struct st_registration {
    struct st_served served; /* what the library points to: the struct must stay where it is */
    int priority;
    bool there; /* the library has it */
};

/* In the default context. The library tells the master agent, and waits for it. */
bool st_register(struct st_registration *registration, struct st_mib *mib,
                 struct st_context *context, GError **error);
void st_unregister(struct st_registration *registration);

/* In a host's context, where it can't be written to: see contexts.h. Nobody waits for the master agent: `answered` is called
 * when it has answered, or will not. session NULL: there is no connection, the library alone is told. */
bool st_register_host(struct st_registration *registration, struct st_mib *mib,
                      struct st_context *context, netsnmp_session *session,
                      netsnmp_callback answered, void *data, GError **error);
/* True: a question is out. */
bool st_unregister_host(struct st_registration *registration, netsnmp_session *session,
                        netsnmp_callback answered, void *data);
