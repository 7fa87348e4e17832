/* Who may do what, as snmpd's configuration says it: its lines about access, and its views. */
#pragma once

#include "tools/xenctl/snmpd_lines.h"

#include "snmpclient/value.h"

enum vacm_level { VACM_NOAUTH = 1, VACM_AUTH, VACM_PRIV };

/* One way in: a user or a community, what is asked of it, and a view. */
struct vacm_grant {
    const struct snmpd_line *line; /* that grants it */
    const char *who;               /* a user; NULL: a community, which is a secret */
    enum vacm_level level;         /* the least that is let in */
    bool write;
    const char *view;      /* NULL: subtree */
    struct sn_oid subtree; /* n 0: everything */
};

/* struct vacm_grant; they borrow of lines, which must stay. */
GArray *vacm_grants(const struct snmpd_lines *lines);

enum vacm_extent { VACM_NOTHING, VACM_PART, VACM_WHOLE };

/* How much of what is at and below the OID the grant opens. */
enum vacm_extent vacm_opens(const struct snmpd_lines *lines, const struct vacm_grant *grant,
                            const struct sn_oid *oid);
bool vacm_view_exists(const struct snmpd_lines *lines, const char *view);
