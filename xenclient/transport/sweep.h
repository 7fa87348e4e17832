/* Which TCP ports of many addresses are open: connections begun without waiting, no more in a second than the rate, no
 * more at once than a worker has descriptors for. Nothing is sent or read. */
#pragma once

#include "xenclient/transport/deadline.h"
#include "xenclient/util/subnet.h"

#include <stddef.h>

struct xc_sweep {
    const struct xc_address *addresses;
    size_t n_addresses;
    const unsigned *ports; /* each is tried at each address, all of one before the next */
    size_t n_ports;
    unsigned rate;       /* in a second */
    gint64 timeout_usec; /* for one connection */
    /* Called by the thread that sweeps. `port`: which of the ports. */
    void (*open)(const struct xc_address *address, size_t port, void *data);
    /* About ten times a second, and at the end. */
    void (*progress)(size_t done, size_t of, void *data);
    void *data;
};

/* All of them were tried, or False: cancelled, timedOut, limit. */
bool xc_sweep_run(const struct xc_sweep *sweep, struct xc_call *call, GError **error);
