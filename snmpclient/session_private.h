/* Shared by the two halves of a session: opening and exchanging, and the requests themselves. */
#pragma once

#include "snmpclient/session.h"

#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

struct sn_session {
    void *handle;
    char *host;
    char *write_community; /* NULL: that of the session */
    int tries;             /* of a read */
    long timeout_usec;
};

/* The request is consumed; the answer is freed with snmp_free_pdu(). NULL with error. tries: 1 sends it once. */
netsnmp_pdu *sn_exchange(struct sn_session *session, netsnmp_pdu *request, int tries,
                         GError **error);
