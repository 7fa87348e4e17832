/* Requests by HTTPS over one kept connection (libcurl): what is answered is passed on as it comes in, never kept.
 *
 * The certificate is checked within the handshake, so nothing secret leaves before: a host with a pin (xc_tls_pins)
 * must show exactly that certificate; any other one needs a chain to a trusted CA and a name that fits (RFC 6125).
 * TLS 1.2 or newer; no redirect is followed; no proxy; no SNI for an address. One thread per connection; waits obey the
 * xc_call. xc_https_global_init() before the first use is optional; any thread, any number of times. */
#pragma once

#include "xenclient/transport/deadline.h"

#include <stddef.h>
#include <stdint.h>

struct xc_https_config {
    const char *host; /* name or address, IPv6 without brackets */
    unsigned port;
    const char *ca_file;   /* PEM; NULL or "": the system's */
    const char *pins_file; /* see tls_pins.h; NULL or "": none */
    bool insecure;         /* nothing is checked: only where the operator said so */
};

typedef struct xc_https xc_https;

void xc_https_global_init(void);

/* Does not connect yet. The strings are copied. Errors: limit (no memory). */
struct xc_https *xc_https_new(const struct xc_https_config *config, GError **error);
void xc_https_free(struct xc_https *https); /* takes NULL; closes the connection at once */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xc_https, xc_https_free)

/* The next part of an answer's body. False with an error: not wanted, the request ends with that error. */
typedef bool (*xc_https_take_fn)(const char *bytes, size_t length, void *data, GError **error);

/* What is sent as headers, the path among them, must stay below 1,024 octets, which is all that XAPI takes: else limit. */
struct xc_https_request {
    const char *path; /* begins with '/'; with its query */
    const char *body; /* NULL: GET; else POST with that, no Expect */
    size_t body_length;
    const char *content_type; /* of the body */
    const char *accept;       /* NULL: none */
    const char *cookie;       /* "name=value"; NULL: none. Never logged, never in an error */
    size_t max_octets;        /* of the answer's body; more is XC_CAUSE_LIMIT */
    xc_https_take_fn take;    /* called for the body of a 200 only */
    void *data;
};

/* One request and its answer; *status gets the HTTP status (0: none came). True only for 200 with a whole body.
 * Errors: hostDown (no connection, refused, reset before an answer), tlsFailed (with the words that mend it),
 * timedOut, cancelled, limit, transport (cut, no HTTP), driverError (another status than 200), what take said;
 * badConfig (pins or authorities that can't be read), badValue (a path or header with control characters).
 * A request is never sent twice by itself. After an error the connection is made anew by the next request. */
bool xc_https_request(struct xc_https *https, const struct xc_https_request *request, int *status,
                      struct xc_call *call, GError **error);

/* SHA-256 of the certificate (DER) that a host shows now, as 64 hex digits, and its subject, issuer and end for
 * people: for trusting a host on first use. Sends nothing but the handshake. */
struct xc_https_certificate {
    char sha256[65];
    char *subject;
    char *issuer;
    gint64 not_after; /* microseconds UTC */
};
bool xc_https_look(const char *host, unsigned port, struct xc_https_certificate *out,
                   struct xc_call *call, GError **error);
void xc_https_certificate_clear(struct xc_https_certificate *certificate);
