/* What one source said at one moment: first a report that a driver fills, then, sealed, an
 * immutable reference-counted snapshot. A report belongs to one thread; a snapshot may be read by
 * all. */
#pragma once

#include "xenclient/model/model.h"

/* Most of each kind that one source may report; more is an error of the source. */
#define XC_MAX_HOSTS   1024
#define XC_MAX_DOMAINS 200000
#define XC_MAX_DEVICES 800000
#define XC_MAX_SRS     20000
#define XC_MAX_PIFS    100000
#define XC_MAX_NOTICES 1024

struct xc_report {
    GArray *hosts;   /* struct xc_host */
    GArray *domains; /* struct xc_domain */
    GArray *vifs;    /* struct xc_vif */
    GArray *vbds;    /* struct xc_vbd */
    GArray *vcpus;   /* struct xc_vcpu */
    GArray *points;  /* struct xc_point */
    GArray *details; /* struct xc_detail */
    GArray *srs;     /* struct xc_sr */
    GArray *pifs;    /* struct xc_pif */
    GArray *notices; /* struct xc_notice, the oldest first; not part of a snapshot */
    GStringChunk *text;
    /* Set by who asks: of the domains, those that may have changed since the report before are enough. */
    bool news_will_do;
    /* Set by a driver that took the offer: all others are as they were, no domain came or went, and the hosts are all
     * there, in the order they had. */
    bool news;
};

struct xc_report *xc_report_new(void);
void *xc_report_free(struct xc_report *report); /* returns NULL; takes NULL */
typedef struct xc_report xc_report;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xc_report, xc_report_free)

/* Appends a zeroed object and returns it; the pointer is good until the next one of its kind is
 * added. NULL when the limit is reached. Devices belong to a domain by its ordinal. */
struct xc_host *xc_report_host(struct xc_report *report);
struct xc_domain *xc_report_domain(struct xc_report *report, uint32_t host);
struct xc_vif *xc_report_vif(struct xc_report *report, uint32_t domain);
struct xc_vbd *xc_report_vbd(struct xc_report *report, uint32_t domain);
struct xc_vcpu *xc_report_vcpu(struct xc_report *report, uint32_t domain);
struct xc_point *xc_report_point(struct xc_report *report, uint32_t domain);
struct xc_detail *xc_report_detail(struct xc_report *report, uint32_t domain);
struct xc_sr *xc_report_sr(struct xc_report *report);
struct xc_pif *xc_report_pif(struct xc_report *report, uint32_t host);
struct xc_notice *xc_report_notice(struct xc_report *report);

/* Copies a text from outside into the report: cleaned, at most XC_TEXT_MAX octets. length -1: up to
 * its NUL. Use: XC_SET(DOMAIN, d, name, xc_report_text(report, p, -1)). */
const char *xc_report_text(struct xc_report *report, const char *bytes, gssize length);

/* Fills the domains' sums (net_*, disk_*) from their devices: a sum is known when every device of
 * the domain knows its part and there is at least one. A sum already set stays. */
void xc_report_sum_devices(struct xc_report *report);

/* Octets that its objects take. */
size_t xc_report_octets(const struct xc_report *report);

/* Wire form: for each object u8 kind, u32 ordinal of what it belongs to where its kind has such, its fields. A piece ends
 * with the object that reaches limit octets; ordinals are those of the whole report. `send` returns false to stop. */
typedef bool (*xc_report_send_fn)(GByteArray *piece, bool last, void *data);
bool xc_report_write(const struct xc_report *report, size_t limit, xc_report_send_fn send,
                     void *data);
/* Adds one piece to a report; false: not a legal piece (the report is then to be dropped). */
bool xc_report_read(struct xc_report *report, struct xc_reader *from);
/* True when every ordinal inside points to something; check after the last piece. */
bool xc_report_check(const struct xc_report *report);

/* Immutable. */
struct xc_snapshot {
    gatomicrefcount ref;
    gint64 taken_mono; /* xc_clock_mono() when the poll's answer was complete */
    gint64 taken_real;
    uint32_t n_hosts, n_domains;
    struct xc_host *hosts;
    struct xc_domain *domains; /* by index, ascending; one more: see xc_domain.devices */
    struct {
        void *all; /* struct xc_vif, xc_vbd, xc_vcpu, xc_point: by domain ordinal, then index */
        uint32_t n;
    } devices[XC_N_DEVICE_KINDS];
    struct xc_detail *details;        /* see xc_domain.detail */
    const struct xc_domain **by_host; /* the domains by host ordinal, then index */
    uint32_t *host_first;             /* where each host's begin there; one more: the end */
    struct xc_sr *srs;                /* by key */
    uint32_t n_srs;
    struct xc_pif *pifs;    /* by host ordinal, then key */
    uint32_t *pif_first;    /* where each host's begin there; one more: the end */
    struct xc_texts *texts; /* shared with those it was made from */
};
typedef struct xc_snapshot xc_snapshot;

/* Takes the report (do not use it again): sorts domains by index, drops those with index 0, hangs
 * devices to them. A device without a number, with one that SNMP can't express, or with that of
 * another device of its domain is dropped too; of several details of a domain the last one counts. Storage and network
 * interfaces without a uuid, or with that of another one of the same place, are dropped. */
struct xc_snapshot *xc_snapshot_seal(struct xc_report *report);
/* What `before` becomes by the snapshot of a report of news, used once: its domains replace those of the same index. NULL:
 * it does not fit, for it has a domain that is not there, another number of hosts, or too many devices. */
struct xc_snapshot *xc_snapshot_renew(const struct xc_snapshot *before, struct xc_snapshot *news);
struct xc_snapshot *xc_snapshot_ref(struct xc_snapshot *snapshot);
void *xc_snapshot_unref(struct xc_snapshot *snapshot); /* returns NULL; takes NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xc_snapshot, xc_snapshot_unref)

/* The type of a kind of device: its size is the step from one to the next. */
const struct xc_object *xc_device_type(enum xc_device_kind kind);
/* The devices of one of the snapshot's domains, by index; NULL when there are none. */
void *xc_snapshot_devices(const struct xc_snapshot *snapshot, const struct xc_domain *domain,
                          enum xc_device_kind kind, size_t *n);

/* What is known besides of one of the snapshot's domains; NULL: nothing. */
const struct xc_detail *xc_snapshot_detail(const struct xc_snapshot *snapshot,
                                           const struct xc_domain *domain);

/* The network interfaces of one of the snapshot's hosts, by key; NULL when there are none. */
const struct xc_pif *xc_snapshot_pifs(const struct xc_snapshot *snapshot, uint32_t host, size_t *n);

/* The domains that one of the snapshot's hosts shows, by index. */
const struct xc_domain *const *xc_snapshot_on_host(const struct xc_snapshot *snapshot,
                                                   uint32_t host, size_t *n);

/* The ordinal of the domain with that index, or -1. */
gssize xc_snapshot_find(const struct xc_snapshot *snapshot, uint32_t index);
/* True when both hold the same domain indexes and the same number of hosts. */
bool xc_snapshot_same_members(const struct xc_snapshot *a, const struct xc_snapshot *b);
