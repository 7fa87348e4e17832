/* Reading XML-RPC answers (xmlrpc.com/spec.md; XAPI's dialect of it) as they come in, value by value and never as a
 * tree: memory is bounded by the longest value that somebody wants. One thread per reader. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Values in values, the answer itself being 1; what is deeper is refused. */
#define XC_XMLRPC_DEPTH 32
/* Octets of one value that is wanted; what is longer is cut there. */
#define XC_XMLRPC_TEXT 65536

enum xc_xmlrpc_kind {
    XC_XMLRPC_STRING, /* also without a tag, which is XAPI's form of integers and references, too */
    XC_XMLRPC_INT,
    XC_XMLRPC_DOUBLE,
    XC_XMLRPC_BOOLEAN,
    XC_XMLRPC_DATE,
    XC_XMLRPC_BASE64, /* as it was sent, not decoded */
    XC_XMLRPC_NIL,
    XC_XMLRPC_STRUCT, /* its members follow, then its end */
    XC_XMLRPC_ARRAY,
    XC_XMLRPC_END, /* of the struct or array of that depth */
};

/* Good until the callback returns. */
struct xc_xmlrpc_value {
    enum xc_xmlrpc_kind kind;
    unsigned depth;   /* 0: the answer itself */
    const char *name; /* of the member of a struct; "" elsewhere */
    const char *text; /* UTF-8, without NUL; "" for what is no scalar */
    size_t length;
};

struct xc_xmlrpc_sink {
    /* A value begins: false if neither it nor what is in it matters. NULL: all do. */
    bool (*wants)(unsigned depth, const char *name, void *data);
    /* False: this is not what was asked for; the reader stops with XC_CAUSE_DRIVER_ERROR. */
    bool (*take)(const struct xc_xmlrpc_value *value, void *data);
};

typedef struct xc_xmlrpc_reader xc_xmlrpc_reader;

/* max_octets: of the whole answer. sink and data outlive the reader. */
struct xc_xmlrpc_reader *xc_xmlrpc_reader_new(const struct xc_xmlrpc_sink *sink, void *data,
                                              size_t max_octets);
void xc_xmlrpc_reader_free(struct xc_xmlrpc_reader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xc_xmlrpc_reader, xc_xmlrpc_reader_free)

/* The next part. Errors: XC_CAUSE_DRIVER_ERROR for what is no answer, XC_CAUSE_LIMIT for one that is too long or too
 * deep; the reader takes nothing more after either. */
bool xc_xmlrpc_reader_feed(struct xc_xmlrpc_reader *reader, const char *bytes, size_t length,
                           GError **error);
/* There is no more: was it a whole answer? fault: it is a <fault>, whose struct was taken like an answer. */
bool xc_xmlrpc_reader_end(struct xc_xmlrpc_reader *reader, bool *fault, GError **error);

/* Numbers in any of the forms that XAPI sends them: tagged or not, whole numbers as doubles. False: none, or out of
 * range. */
bool xc_xmlrpc_i64(const struct xc_xmlrpc_value *value, int64_t min, int64_t max, int64_t *out);
/* Finite ones; nan and inf, which XAPI sends for what it does not know, are none. */
bool xc_xmlrpc_double(const struct xc_xmlrpc_value *value, double *out);
bool xc_xmlrpc_bool(const struct xc_xmlrpc_value *value, bool *out);
/* 20261121T22:56:57Z, with hyphens or without, a zone or none (UTC then): microseconds UTC. False: none,
 * or not of 1970 to 2199. */
bool xc_xmlrpc_date(const struct xc_xmlrpc_value *value, gint64 *out);
