/* A pool's coordinator: found, logged in to, and found again when it changes. One thread per link. */
#pragma once

#include "xenclient/drivers/driver.h"
#include "xenclient/drivers/xapi_call.h"

#define XAPI_PORT 443

typedef struct xapi_link xapi_link;

/* Logs in. The host of the URI is asked first, or the coordinator of the last time, then the other members of the pool.
 * A password goes to members only, and, as long as none is known, to the one host that the first names as
 * coordinator; each must show a certificate that its own pin or a CA vouches for. spec and env outlive the link.
 * Errors: hostDown, tlsFailed, authFailed, transport, timedOut, ... */
struct xapi_link *xapi_link_open(const struct xc_source_spec *spec, const struct xc_driver_env *env,
                                 struct xc_call *call, GError **error);
/* Logs out; a moment at most. Takes NULL. */
void xapi_link_close(struct xapi_link *link);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xapi_link, xapi_link_close)

/* A call within the session. When the session is gone or the coordinator another, which is said before anything is
 * begun, it logs in once more and repeats. */
bool xapi_link_call(struct xapi_link *link, const struct xapi_args *args,
                    const struct xapi_want *want, struct xc_call *call, GError **error);
/* Ends another session of that server; a moment at most. */
void xapi_link_end_session(const struct xapi_link *link, const char *session);
/* Did the last call that failed say this code? */
bool xapi_link_said(const struct xapi_link *link, const char *code);
/* Was it XAPI that refused it? Then nothing was begun. */
bool xapi_link_refused(const struct xapi_link *link);
/* Does the coordinator answer? If not, it logs in anew, wherever the coordinator is now. */
bool xapi_link_check(struct xapi_link *link, struct xc_call *call, GError **error);
/* Logs in anew. */
bool xapi_link_renew(struct xapi_link *link, struct xc_call *call, GError **error);

/* Addresses of the pool's members, for the next time that the coordinator is to be found. */
void xapi_link_set_members(struct xapi_link *link, const GPtrArray *addresses);

/* A connection of its own to an address with the trust of this link; address NULL: to the same host. With an address also
 * from another thread than the link's. */
struct xc_https *xapi_link_connection(const struct xapi_link *link, const char *address,
                                      GError **error);
/* Borrowed; a secret. */
const char *xapi_link_session(const struct xapi_link *link);
struct xc_https *xapi_link_https(struct xapi_link *link);
/* The address it is connected to. */
const char *xapi_link_address(const struct xapi_link *link);
