/* The SNMPv3 users that snmpd has, or will have at its next start: its own file, which it writes itself. */
#pragma once

#include "tools/xenctl/snmpd_lines.h"

#define CTL_SNMPD_USERS "/var/lib/snmp/snmpd.conf"

struct snmpd_user {
    char *name;
    const struct snmpd_line *line; /* borrowed */
    const char *weak;              /* what of its protocols is broken or missing; NULL nothing */
};

/* struct snmpd_user of those lines. */
GPtrArray *snmpd_users(const struct snmpd_lines *lines);
const struct snmpd_user *snmpd_users_find(const GPtrArray *users, const char *name);
