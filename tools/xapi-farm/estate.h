/* What the farm reports, as objects of XAPI's database. Everything with the lock. */
#pragma once

#include "tools/xapi-farm/server.h"
#include "xenclient/model/snapshot.h"

struct xf_estate;

struct xf_estate *xf_estate_new(struct xf_server *server);
void xf_estate_free(struct xf_estate *estate);
/* Brings the database to what a report says. */
void xf_estate_update(struct xf_estate *estate, const struct xc_report *report);
/* The farm does not answer: no host is seen to live. */
void xf_estate_lost(struct xf_estate *estate);
/* Has the pool as many hosts as there are endpoints? */
bool xf_estate_check(struct xf_estate *estate, GError **error);

/* Brings the lists of a class's objects up to date, which are the other end of references to them. */
void xf_estate_list(struct xf_db *db, const char *owner);
bool xf_estate_has(const struct xf_estate *estate, const char *vm_uuid);
/* A VM of the database as a configuration that the farm can make it from. Newly allocated. */
char *xf_estate_config(struct xf_db *db, const char *vm_uuid);

/* A snapshot of a VM; copy.c. */
void xf_estate_snapshot(struct xf_db *db, struct xf_object *of, const char *name);

/* --- estate_fixed.c: what no farm knows, made once */
/* The constants of a fresh object's class. */
void xf_estate_constants(struct xf_db *db, struct xf_object *object);
/* The object with uuid and constants; fresh may be NULL. */
struct xf_object *xf_estate_have(struct xf_db *db, const char *class, const char *ref,
                                 const char *uuid, bool *fresh);
/* The pool, the shared storage, templates, one snapshot of a guest. */
void xf_estate_fixed(struct xf_server *server);
/* References of what hosts and guests share. */
void xf_estate_shared_sr(char out[XF_REF_SIZE]);
void xf_estate_network(struct xf_db *db, const char *bridge, char out[XF_REF_SIZE]);

/* --- estate_host.c */
/* Makes its objects and gives its reference. */
void xf_host_update(struct xf_server *server, unsigned ordinal, const struct xc_host *h,
                    char ref[XF_REF_SIZE]);

/* --- estate_guest.c */
struct xf_report_guest {
    const struct xc_domain *domain;
    const struct xc_vif *vifs;
    const struct xc_vbd *vbds;
    unsigned n_vifs;
    unsigned n_vbds;
    const char *host; /* reference */
    const char *host_uuid;
    bool blind; /* its host can't be asked */
};
/* Makes its objects; the references of all go into owned. */
void xf_guest_update(struct xf_server *server, const struct xf_report_guest *guest,
                     GPtrArray *owned);
/* The uuid that XAPI would show: control domains have their own. */
void xf_guest_uuid(const struct xf_report_guest *guest, char out[XF_UUID_SIZE]);
