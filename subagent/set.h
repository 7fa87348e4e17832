/* A SET in its phases: syntax, plan, write, dispatch. One PDU is one transaction. */
#pragma once

#include "subagent/table.h"
#include "xenclient/util/error.h"

#include <net-snmp/agent/net-snmp-agent-includes.h>

/* What stands behind the tables. A transaction is filled by the tables' plans. */
struct st_set_hooks {
    /* May anything be written at all? The error's text says why not. */
    bool (*allowed)(void *context, GError **error);
    void *(*begin)(void *context);
    /* Makes it durable: the only step that may wait. False: nothing is left behind. */
    bool (*write)(void *transaction, GError **error);
    /* After write; can't fail. */
    void (*dispatch)(void *transaction);
    /* Not dispatched: takes everything back. */
    void (*release)(void *transaction);
    /* A varbind was refused; value is printable. */
    void (*refused)(void *context, const char *object, const char *value, int snmp_error,
                    enum xc_cause cause, const char *text);
};

/* Serves one phase (MODE_SET_*) of all varbinds of a PDU. */
void st_set_phase(struct st_mib *mib, netsnmp_agent_request_info *reqinfo,
                  netsnmp_request_info *requests);

/* The master agent is gone: SETs that were written are dispatched, because their manager may have
 * been answered; all others are released. */
void st_sets_abandon(struct st_mib *mib);
