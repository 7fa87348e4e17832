/* Discoveries and what they found. A discovery is an operation: journalled, limited, cancelled and forgotten as others
 * are; its finds live as long as its row, in memory alone. Main-loop thread only. */
#pragma once

#include "xenclient/engine/operations.h"
#include "xenclient/model/scan.h"

/* What a SET asks for. */
struct xc_scan_wish {
    const char *name;
    const char *subnets;    /* "" those of this machine's interfaces */
    const char *ports;      /* "" all probes at their usual ports */
    unsigned rate;          /* 0 the configuration's */
    const char *credential; /* "" none */
};

struct xc_discovery {
    uint32_t index; /* of its operation */
    const struct xc_op *op;
    char *subnets, *ports, *credential;
    unsigned rate;
    uint64_t addresses;
    unsigned found; /* finds that it saw last */
    unsigned fresh; /* of these, not registered */
};
/* Ascending by index. */
struct xc_discovery *const *xc_discoveries(struct xc_engine *engine, size_t *n);

/* Most finds that are kept; what comes then is not shown. */
#define XC_FINDS_MAX 4096
struct xc_found {
    char *uri;          /* the index; what it would be registered as */
    char *source;       /* key of the source that it is already, "" none */
    uint32_t discovery; /* that saw it last */
    gint64 first_real, last_real;
    struct xc_find find;
    GStringChunk *text; /* of the find */
};
/* In the order of their URIs, as SNMP sorts. */
struct xc_found *const *xc_finds(struct xc_engine *engine, size_t *n);

/* Where a discovery may look, as a list; the error says why that is not known. */
char *xc_discovery_allowed(const struct xc_engine *engine, GError **error);

/* Registers a find as a source, as part of the transaction. credential "" : the one it was found with, if any. */
bool xc_txn_register(struct xc_txn *txn, struct xc_engine *engine, const char *uri, const char *key,
                     const char *credential, GError **error);
