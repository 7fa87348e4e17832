/* A record of the calls, for tests that compare them with what XAPI takes. A line each, its words parted by tabs: who asks
 * (the originator of the session; ? without one), the method, its parameters behind the session, a letter each: s text,
 * r reference, i whole number in a text, n <int>, b, d, t, a array of texts, m map of texts, x something else. */
#pragma once

#include "tools/xapi-farm/call.h"

/* Opens the file that --record names, to append to it. badValue. */
bool xf_record_open(struct xf_server *server, GError **error);
void xf_record_close(struct xf_server *server);
/* Does nothing without a file. Not with the lock. */
void xf_record(const struct xf_call *call);
