/* Looks at an open port: is it Xen that answers there? No password leaves, and nothing is changed. */
#pragma once

#include "xenclient/drivers/driver.h"
#include "xenclient/model/scan.h"

struct xc_probing {
    const struct xc_driver_env *env;
    const char *address;
    unsigned port;
    const char *credential; /* to be tried by SSH; "" none */
    GStringChunk *text;     /* gets the find's texts */
};

/* True: *find has all but address and port of what it is. False: nothing that belongs to Xen. Blocks within the call. */
bool xc_probe_run(enum xc_probe probe, const struct xc_probing *probing, struct xc_find *find,
                  struct xc_call *call);

/* --- inside: the kinds of probes, and what they share */

typedef bool (*xc_probe_fn)(const struct xc_probing *probing, struct xc_find *find,
                            struct xc_call *call);
bool xc_probe_xend(const struct xc_probing *probing, struct xc_find *find, struct xc_call *call);
bool xc_probe_libvirt(const struct xc_probing *probing, struct xc_find *find, struct xc_call *call);

/* A cleaned copy that lives as long as the find. */
const char *xc_probe_text(const struct xc_probing *probing, const char *text);
