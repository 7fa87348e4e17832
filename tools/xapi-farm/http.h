/* Endpoints: HTTPS servers, one for each host of the pool, with a thread for each connection. */
#pragma once

#include "tools/xapi-farm/server.h"

/* where: "ADDRESS:PORT", IPv6 in brackets. badValue. */
struct xf_endpoint *xf_endpoint_new(struct xf_server *server, unsigned ordinal, const char *where,
                                    GError **error);
void xf_endpoint_free(struct xf_endpoint *endpoint); /* takes NULL; it does not listen any more */

/* Begins and ends to listen; without the lock. After the first time it is the same port again. */
bool xf_endpoint_listen(struct xf_endpoint *endpoint, GError **error);
void xf_endpoint_close(struct xf_endpoint *endpoint);
