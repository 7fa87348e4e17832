/* One call to XAPI: its parameters, and the envelope of its answer. xmlrpc-c encodes; what comes back is read as it
 * comes in (transport/xmlrpc.h). One thread per object. */
#pragma once

#include "xenclient/transport/https.h"
#include "xenclient/transport/xmlrpc.h"

/* --- parameters */

typedef struct xapi_args xapi_args;

/* The session is not among them: it is put in front when the call is made. */
struct xapi_args *xapi_args_new(const char *method);
void xapi_args_free(struct xapi_args *args); /* takes NULL; wipes secrets */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xapi_args, xapi_args_free)

const char *xapi_args_method(const struct xapi_args *args);
void xapi_args_text(struct xapi_args *args,
                    const char *text); /* also references and enumerations */
/* A password: xmlrpc-c, whose copies nobody can wipe, never sees it. */
void xapi_args_secret(struct xapi_args *args, const char *text);
void xapi_args_int(struct xapi_args *args, int64_t number);
void xapi_args_double(struct xapi_args *args, double number);
void xapi_args_flag(struct xapi_args *args, bool flag);
void xapi_args_texts(struct xapi_args *args, const char *const *texts); /* NULL-terminated */
/* Keys and values in turn, NULL-terminated. */
void xapi_args_map(struct xapi_args *args, const char *const *pairs);
/* The same; the values are secrets. */
void xapi_args_secret_map(struct xapi_args *args, const char *const *pairs);

/* Is it a call that xapi_calls.h lists? Errors: internal. */
bool xapi_args_check(const struct xapi_args *args, GError **error);
/* The request's body, to be given to xapi_wipe(). session NULL: a call without one. Errors: badValue (a text that is no
 * UTF-8). */
char *xapi_args_encode(const struct xapi_args *args, const char *session, size_t *length,
                       GError **error);
void xapi_wipe(char *secret, size_t length); /* overwrites and frees; takes NULL */

/* --- the envelope: Status, then Value or ErrorDescription */

/* What to do with Value, whose depth is 0 there. sink NULL: nothing. */
struct xapi_want {
    const struct xc_xmlrpc_sink *sink;
    void *data;
    size_t max_octets; /* of the whole answer; 0: XAPI_ANSWER_OCTETS */
};
#define XAPI_ANSWER_OCTETS ((size_t)4 << 20)

typedef struct xapi_envelope xapi_envelope;

struct xapi_envelope *
xapi_envelope_new(const struct xapi_want *want); /* want outlives it; NULL: nothing */
void xapi_envelope_free(struct xapi_envelope *envelope);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xapi_envelope, xapi_envelope_free)
bool xapi_envelope_feed(const char *bytes, size_t length, void *envelope, GError **error);
/* True: Success with all of it taken. False: *words (code first; owned by the caller) when XAPI refused, else NULL and
 * an error: driverError for what is no answer. */
bool xapi_envelope_end(struct xapi_envelope *envelope, GPtrArray **words, GError **error);

/* --- both, over one connection */

/* Calls that are not listed are not made. False with *words when XAPI refused (then *error is what xapi_refused() makes of them), else *words is NULL. */
bool xapi_call(struct xc_https *https, const struct xapi_args *args, const char *session,
               const struct xapi_want *want, GPtrArray **words, struct xc_call *call,
               GError **error);

/* A want for a Value that is one scalar, kept as text of at most XC_XMLRPC_TEXT octets; data is a GString. */
extern const struct xc_xmlrpc_sink xapi_scalar_sink;
