/* What of snmpd.conf matters to xensnmpd. */
#pragma once

#include "tools/xenctl/snmpd_lines.h"

struct snmpd_conf {
    bool master_agentx;
    char *agentx_socket;   /* NULL: the default */
    long agentx_timeout;   /* seconds, -1 not set */
    long max_getbulk;      /* maxGetbulkResponses; G_MINLONG not set */
    long send_message_max; /* -1 not set */
    /* "FILE:LINE: " of these three; NULL not set */
    char *timeout_at;
    char *getbulk_at;
    char *message_at;
};

void snmpd_conf_init(struct snmpd_conf *conf);
void snmpd_conf_clear(struct snmpd_conf *conf);
void snmpd_conf_take(struct snmpd_conf *conf, const struct snmpd_lines *lines);
/* The file, what it includes, and snmp.conf beside it. False: the file itself can't be read. */
bool snmpd_conf_load(struct snmpd_conf *conf, const char *path, GError **error);
