/* A TCP connection within one call, name look-up included. IPv4 and IPv6. */
#pragma once

#include "xenclient/transport/deadline.h"

/* A connected, non-blocking, close-on-exec socket; -1 with hostDown, transport, timedOut or
 * cancelled. Tries every address of the name in turn. The kernel ends the connection when the peer
 * is silent for long. */
int xc_dial(const char *host, unsigned port, struct xc_call *call, GError **error);
