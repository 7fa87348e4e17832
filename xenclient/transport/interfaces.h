/* What networks this machine is in. */
#pragma once

#include "xenclient/util/subnet.h"

/* Subnets of the interfaces that are up, without the loopback's and those of links alone (GArray of struct xc_subnet), at
 * most XC_SUBNETS_MAX. Never waits. Errors: limit. */
GArray *xc_own_subnets(GError **error);

/* A line of /proc/net/if_inet6. False: it is none, or of an address that no other host reaches. */
bool xc_interface_line(const char *line, struct xc_subnet *out);
