/* Inside of the HTTPS transport: whether a certificate will do. https.c knows libcurl, https_tls.c OpenSSL. */
#pragma once

#include "xenclient/transport/https.h"

struct xc_tls_check {
    char *host;
    unsigned port;
    char *ca_file;   /* "" the system's */
    char *pins_file; /* "" none */
    bool insecure;
    struct xc_https_certificate *look; /* not NULL: whatever is shown will do, and is told here */
    GError **error;                    /* gets why not */
    /* of the connection that was made last */
    char pin[65]; /* "" none */
    bool goodbye; /* the host has said that nothing more comes */
};

/* For an SSL_CTX that is new: from here on its handshakes ask the check, which outlives them. Finds the pin. False: no
 * handshake can be good; *check->error says why. */
bool xc_tls_check_arm(struct xc_tls_check *check, void *ssl_ctx);
