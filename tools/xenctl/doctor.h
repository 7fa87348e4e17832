/* doctor: findings, each with its cure. */
#pragma once

#include "tools/xenctl/snmpd_conf.h"
#include "tools/xenctl/xenctl.h"

#define CTL_SNMPD_CONF "/etc/snmp/snmpd.conf"

enum verdict { WELL, ILL, NOT_CHECKED };

struct finding {
    const char *check;
    enum verdict verdict;
    char *text;
    char *cure; /* NULL unless ill */
};

struct doctor {
    struct ctl *ctl;
    GArray *findings;  /* struct finding */
    const char *check; /* the one that runs */
    bool local;        /* the agent is on this machine */
    bool master;       /* snmpd answers */
    bool agent;        /* xensnmpd answers */
};

void doctor_init(struct doctor *doctor, struct ctl *ctl);
/* Prints what was found; the exit status. */
int doctor_end(struct doctor *doctor);
/* cure NULL: fine. */
void doctor_find(struct doctor *doctor, enum verdict verdict, const char *cure, const char *format,
                 ...) G_GNUC_PRINTF(4, 5);

/* Of one check's row in the list. */
typedef void (*doctor_check)(struct doctor *doctor);
void doctor_check_files(struct doctor *doctor);  /* snmpd.conf */
void doctor_check_socket(struct doctor *doctor); /* AgentX socket */

/* What snmpd.conf sets for subagents, and its limits; path: where it was read. */
void doctor_check_settings(struct doctor *doctor, const struct snmpd_conf *conf, const char *path);
