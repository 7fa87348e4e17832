/* Shared by https.c and https_connection.c. */
#pragma once

#include "xenclient/transport/https_tls.h"

#include <curl/curl.h>

/* One connection, and the request that is under way. */
struct xc_https {
    struct xc_tls_check check;
    char *name;   /* "HOST port N", for texts */
    char *origin; /* https://HOST:PORT */
    struct curl_slist *connect_to;
    CURLM *multi; /* NULL: nothing is open */
    CURL *easy;
    int fd; /* of the connection; -1: none */
    char words[CURL_ERROR_SIZE];

    /* of the request that is under way */
    const struct xc_https_request *request;
    struct xc_call *call;
    struct curl_slist *headers;
    const char *step;
    bool sent;
    bool framed; /* the answer says where it ends */
    size_t header_octets;
    size_t body_octets;
    GError *error; /* what one of our callbacks found */
};

/* libcurl's side of the connection is there: new, or kept and still good. Errors: limit. */
bool xc_https_connection_ready(struct xc_https *https, GError **error);
/* Closes it. */
void xc_https_connection_drop(struct xc_https *https);
/* HTTP status of the answer, as far as it came; 0 none. */
int xc_https_status(const struct xc_https *https);
bool xc_https_no_memory(const struct xc_https *https, GError **error); /* false, with limit */
