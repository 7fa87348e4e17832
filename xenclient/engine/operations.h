/* Operations: what was asked, what became of it. Rows are journalled before a SET is answered.
 * Main-loop thread only. */
#pragma once

#include "xenclient/engine/fleet.h"
#include "xenclient/model/operation.h"

/* All present rows, ascending by index. */
const struct xc_op *const *xc_ops(const struct xc_engine *engine, size_t *n);
const struct xc_op *xc_op_find(const struct xc_engine *engine, uint32_t index);
/* Microseconds from start to end or now; 0 before the start. */
gint64 xc_op_elapsed(const struct xc_op *op);

/* A group's operation, and what it did to one member, as the group names it; NULL: nothing. */
const struct xc_op *xc_op_child(const struct xc_engine *engine, uint32_t parent,
                                const char *member);

struct xc_op_counts {
    unsigned queued, running;   /* now */
    uint32_t succeeded, failed; /* since start of this process */
};
struct xc_op_counts xc_op_counts(const struct xc_engine *engine);

/* --- One SET PDU as a transaction: everything is checked and reserved first, written in one
 * commit, then set going. Nothing happens to any hypervisor before xc_txn_dispatch(). */
struct xc_txn;
struct xc_scan_wish;

struct xc_request {
    enum xc_action action;
    uint32_t domain; /* 0 with actions of hosts */
    const char
        *host; /* destination (migrate), the host of a host's action, start-on; NULL or "" none */
    const char
        *argument;     /* create: path, library name or template; name of a snapshot; NULL none */
    const char *title; /* create from a template: the name of what it makes; NULL none */
    uint32_t point;    /* xenSnapshotIndex, of an action that has one */
    int64_t amount;    /* of an action that has one: 0..2^31-1 */
    bool from_library; /* create: `argument` names a file of the collector's library */
    unsigned timeout_sec;            /* 0 default */
    const char *note;                /* NULL none */
    const struct xc_scan_wish *scan; /* of a discovery alone */
    bool locked; /* the PDU carries the row's lock: never merged with an equal request */
};

struct xc_txn *xc_txn_new(struct xc_engine *engine);
/* Each add checks against policy, state, limits, other parts of the same transaction, and reserves.
 * On error the transaction stays usable only for xc_txn_free(). GError codes are causes;
 * xc_error_info(code)->snmp is the SNMP error. An equal request that is merged adds nothing and
 * succeeds. */
bool xc_txn_add_op(struct xc_txn *txn, const struct xc_request *request, GError **error);
bool xc_txn_cancel_op(struct xc_txn *txn, uint32_t op, GError **error);
bool xc_txn_put_source(struct xc_txn *txn, const struct xc_source_spec *spec, bool enabled,
                       unsigned interval_sec, GError **error); /* create or change */
bool xc_txn_remove_source(struct xc_txn *txn, const char *key,
                          GError **error); /* absent: succeeds */
bool xc_txn_protect(struct xc_txn *txn, uint32_t domain, bool protect, GError **error);
/* Checks equality now and increments at write; part of the transaction. */
bool xc_txn_lock(struct xc_txn *txn, uint32_t domain, uint32_t value, GError **error);
/* What VM-MIB lets a manager turn on and off until the agent ends: RFC 7666 forbids that it lasts longer. */
enum xc_switch { XC_SWITCH_NOTIFY_EACH = 1u << 0, XC_SWITCH_NOTIFY_BULK = 1u << 1 };
bool xc_txn_switch(struct xc_txn *txn, enum xc_switch which, bool on, GError **error);
bool xc_switch_is_on(const struct xc_engine *engine, enum xc_switch which);
/* The one commit (operations.db, synchronous=FULL). False: store; nothing is left behind. */
bool xc_txn_write(struct xc_txn *txn, GError **error);
/* After write: cannot fail. */
void xc_txn_dispatch(struct xc_txn *txn);
/* Gives back reservations; takes back what was written but not dispatched. Returns NULL; takes
 * NULL. */
void *xc_txn_free(struct xc_txn *txn);

/* --- Refused SETs, explained (ring of the last XC_REFUSALS). */
#define XC_REFUSALS 50
struct xc_refusal {
    uint32_t serial; /* ascending from 1 */
    gint64 when_real;
    char *object; /* OID in dotted form */
    char *value;  /* cleaned */
    int snmp_error;
    enum xc_cause cause;
    char *text;
};
void xc_refusal_add(struct xc_engine *engine, const char *object, const char *value, int snmp_error,
                    enum xc_cause cause, const char *text);
/* Oldest first; *n at most XC_REFUSALS. */
const struct xc_refusal *xc_refusals(const struct xc_engine *engine, size_t *n);
