/* The net-snmp handler that serves a whole tree. */
#pragma once

#include "subagent/table.h"

#include <net-snmp/agent/net-snmp-agent-includes.h>

/* What a registration serves: a tree, as one SNMP context shows it. */
struct st_served {
    struct st_mib *mib;
    void *context; /* for the getters and writers of its tables */
};

/* All varbinds of a PDU reach one call; my_reg_void of the registration is a struct st_served. */
int st_mib_handler(netsnmp_mib_handler *handler, netsnmp_handler_registration *registration,
                   netsnmp_agent_request_info *reqinfo, netsnmp_request_info *requests);

/* The longest call of the last one to two minutes, in microseconds. */
uint64_t st_mib_longest_call(const struct st_mib *mib);
