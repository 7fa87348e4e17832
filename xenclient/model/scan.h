/* A discovery: where to look and what for, and what is found there. Pure. */
#pragma once

#include "xenclient/model/field.h"
#include "xenclient/util/subnet.h"

/* Numbers of xenFoundProbe never change. */
enum xc_probe { XC_PROBE_XAPI = 1, XC_PROBE_SSH = 2, XC_PROBE_XEND = 3, XC_PROBE_LIBVIRT = 4 };
extern const struct xc_enum xc_probe_labels;

enum xc_verdict { XC_VERDICT_XEN = 1, XC_VERDICT_POSSIBLE = 2 };
extern const struct xc_enum xc_verdict_labels;

struct xc_probe_info {
    enum xc_probe probe;
    unsigned port;      /* where it usually answers */
    const char *scheme; /* what a source's URI begins with, the user included */
};
/* NULL: there is no such probe. */
const struct xc_probe_info *xc_probe_info(int probe);

/* What was found. Texts are borrowed from whoever made it. */
struct xc_find {
    uint64_t has;
#define XC_FIELD(member, kind, unit, labels, keep, origin, help) xc_ctype_##kind member;
#include "xenclient/model/find_fields.def"
#undef XC_FIELD
};
enum xc_find_field {
#define XC_FIELD(member, kind, unit, labels, keep, origin, help) XC_FIND_##member,
#include "xenclient/model/find_fields.def"
#undef XC_FIELD
    XC_FIND_N_FIELDS
};
extern const struct xc_object xc_find_type;

/* Most octets of what xc_find_uri() gives. */
#define XC_FIND_URI_MAX 64
/* It has probe, address, port and verdict, and these make sense. What a worker tells is asked this first. */
bool xc_find_is_whole(const struct xc_find *find);
/* The URI of a source that it would be: "https://192.0.2.5". */
char *xc_find_uri(const struct xc_find *find);

/* A port and what is looked for behind it. */
struct xc_scan_port {
    enum xc_probe probe;
    unsigned port;
};
#define XC_SCAN_PORTS_MAX 16
#define XC_SCAN_RATE_MAX  10000u

struct xc_scan {
    GArray *subnets;  /* struct xc_subnet */
    GArray *ports;    /* struct xc_scan_port */
    unsigned rate;    /* connections begun in a second, at most */
    char *credential; /* to be tried by SSH; "" none */
};
#define XC_SCAN_INIT                                                                               \
    {                                                                                              \
        NULL, NULL, 0, NULL                                                                        \
    }
void xc_scan_clear(struct xc_scan *scan);

/* "xapi,ssh:2222": names of probes, each with its usual port or another one. "" stands for all of them. NULL: badValue. */
GArray *xc_scan_ports_parse(const char *text, GError **error);
char *xc_scan_ports_format(const GArray *ports);
/* One line, as the journal and the worker get it: SUBNETS PORTS RATE [CREDENTIAL]. */
char *xc_scan_format(const struct xc_scan *scan);
/* Overwrites *out. Errors: badValue, and *out is cleared. */
bool xc_scan_parse(const char *text, struct xc_scan *out, GError **error);
