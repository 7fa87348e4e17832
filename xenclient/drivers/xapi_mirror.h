/* What event.from tells, read into a batch, and the mirror of the pool that batches keep up to date. Pure: no I/O. */
#pragma once

#include "xenclient/drivers/xapi_fields.h"

/* --- a batch: one answer of event.from */

/* Octets that one batch may keep, and the mirror: several times what 64 hosts with 6,400 VMs take. */
#define XAPI_BATCH_OCTETS ((size_t)64 << 20)

struct xapi_change {
    struct xapi_object *object;
    bool gone; /* it is no more; of the object only reference and class are set */
};

struct xapi_batch {
    GArray *changes;               /* struct xapi_change */
    char *token;                   /* NULL: none came, which is no answer of event.from */
    gint64 counts[XAPI_N_CLASSES]; /* objects that the server has; -1 not told */
    unsigned bare;  /* bits of classes with an event that did not tell what the object is now */
    bool too_large; /* why it was refused */

    /* While reading. */
    struct xapi_record record;
    unsigned member;
    char *ref;
    unsigned operation;
    size_t octets;
};
typedef struct xapi_batch xapi_batch;
struct xapi_batch *xapi_batch_new(void);
void xapi_batch_free(struct xapi_batch *batch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xapi_batch, xapi_batch_free)
/* data is a batch. */
extern const struct xc_xmlrpc_sink xapi_batch_sink;

/* --- the mirror */

/* Objects of one class; no pool has as many. */
#define XAPI_OBJECTS_MAX 1000000

struct xapi_mirror {
    GHashTable *objects[XAPI_N_CLASSES]; /* ref -> struct of the class */
    GHashTable *owned;                   /* reference of a VM -> the first of what is its */
    size_t octets;                       /* of all of them */
    gint64 odd
        [XAPI_N_CLASSES]; /* by how much the server's counts differ even right after a whole read */
    /* What changed since it was last reported. */
    bool all_new;     /* more than can be told by VM */
    bool vdis_new;    /* there are VDIs among: */
    GHashTable *news; /* references of VMs, their metrics and VDIs */
};
struct xapi_mirror *xapi_mirror_new(void);
void xapi_mirror_free(struct xapi_mirror *mirror); /* takes NULL */

#define XAPI_ALL_CLASSES ((1u << XAPI_N_CLASSES) - 1)

/* Takes what the batch holds. `asked`: classes that were asked for; `whole`: those asked with no token, of which the batch
 * holds all there are, so that the others go. *changed (not reset): something worth a poll did. *stale: classes of which
 * events were lost: ask for them with no token. Errors: limit. */
bool xapi_mirror_apply(struct xapi_mirror *mirror, struct xapi_batch *batch, unsigned asked,
                       unsigned whole, bool *changed, unsigned *stale, GError **error);

/* NULL: no such object, or ref is NULL. */
const void *xapi_mirror_find(const struct xapi_mirror *mirror, enum xapi_class class,
                             const char *ref);
/* The first of the VIFs, VBDs and snapshots of a VM, NULL: it has none; then one follows the other's `next`. */
const struct xapi_object *xapi_mirror_owned(const struct xapi_mirror *mirror, const char *vm);
/* The references of VMs of which something is new since xapi_mirror_reported(), borrowed from the mirror. Not where all is
 * new. */
GHashTable *xapi_mirror_news(const struct xapi_mirror *mirror);
/* All that is new is in a report. */
void xapi_mirror_reported(struct xapi_mirror *mirror);
/* Is it neither a template nor a snapshot, nor being imported? Those are nobody's domains. */
bool xapi_vm_is_domain(const struct xapi_vm *vm);
/* Is it a snapshot of a VM that is told of? */
bool xapi_vm_is_point(const struct xapi_vm *vm);
/* The pool itself, NULL: not known. */
const struct xapi_pool *xapi_mirror_pool(const struct xapi_mirror *mirror);
/* The pool's coordinator, NULL: not known. */
const struct xapi_host *xapi_mirror_master(const struct xapi_mirror *mirror);
