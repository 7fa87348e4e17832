/* What of snmpd.conf matters to xensnmpd. */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct snmpd_conf {
    bool master_agentx;
    char *agentx_socket;   /* NULL: the default */
    long agentx_timeout;   /* seconds, -1 not set */
    long max_getbulk;      /* maxGetbulkResponses; G_MINLONG not set */
    long send_message_max; /* -1 not set */
};

void snmpd_conf_init(struct snmpd_conf *conf);
void snmpd_conf_clear(struct snmpd_conf *conf);
/* One file's text; section: "snmpd" or "snmp" it begins in. Names of included files are added to `includes` (char *). */
void snmpd_conf_parse(struct snmpd_conf *conf, const char *text, const char *section,
                      GPtrArray *includes);
/* The file, what it includes, and snmp.conf beside it. False: the file itself can't be read. */
bool snmpd_conf_load(struct snmpd_conf *conf, const char *path, GError **error);
