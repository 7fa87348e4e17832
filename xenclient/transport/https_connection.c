/* A connection of libcurl's: its options, and what it asks us back. It connects through xc_dial(), so that looking up a
 * name ends with the call like everything else; whom it may trust is decided in https_tls.c. */
#include "xenclient/transport/dial.h"
#include "xenclient/transport/https_internal.h"
#include "xenclient/util/error.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

/* Octets of headers in an answer, interim ones included. */
#define HEADERS_MAX (64 << 10)

/* --- what libcurl asks us */

/* When a kept connection breaks, libcurl would make another and send the request again; but the host may have done what
 * it said. */
static curl_socket_t open_socket(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct xc_https *https = data;

    (void)purpose;
    (void)address;
    if (https->sent) {
        xc_fail(&https->error, XC_CAUSE_HOST_DOWN,
                "%s: closed without an answer; the request may have been taken", https->name);
        return CURL_SOCKET_BAD;
    }
    https->step = "connecting";
    https->fd = xc_dial(https->check.host, https->check.port, https->call, &https->error);
    https->step = "TLS handshake";
    return https->fd < 0 ? CURL_SOCKET_BAD : https->fd;
}

static int is_connected(void *data, curl_socket_t fd, curlsocktype purpose)
{
    (void)data;
    (void)fd;
    (void)purpose;
    return CURL_SOCKOPT_ALREADY_CONNECTED;
}

static int close_socket(void *data, curl_socket_t fd)
{
    struct xc_https *https = data;

    if (https->fd == fd)
        https->fd = -1;
    return close(fd);
}

static CURLcode arm(CURL *easy, void *ssl_ctx, void *data)
{
    struct xc_https *https = data;

    (void)easy;
    return xc_tls_check_arm(&https->check, ssl_ctx) ? CURLE_OK : CURLE_ABORTED_BY_CALLBACK;
}

/* Just before the request is sent. */
static int note_sending(void *data, char *to, char *from, int to_port, int from_port)
{
    struct xc_https *https = data;

    (void)to;
    (void)from;
    (void)to_port;
    (void)from_port;
    https->sent = true;
    https->step = "waiting for an answer";
    return CURL_PREREQFUNC_OK;
}

static bool begins(const char *bytes, size_t length, const char *name)
{
    return length >= strlen(name) && g_ascii_strncasecmp(bytes, name, strlen(name)) == 0;
}

static size_t take_header(char *bytes, size_t size, size_t n, void *data)
{
    struct xc_https *https = data;

    https->step = "reading an answer";
    if (begins(bytes, size * n, "HTTP/"))
        https->framed = false;
    if (begins(bytes, size * n, "Content-Length:") || begins(bytes, size * n, "Transfer-Encoding:"))
        https->framed = true;
    https->header_octets += size * n;
    if (https->header_octets <= HEADERS_MAX)
        return size * n;
    xc_fail(&https->error, XC_CAUSE_LIMIT, "%s: an answer with more than %d KiB of headers",
            https->name, HEADERS_MAX >> 10);
    return 0;
}

static size_t take_body(char *bytes, size_t size, size_t n, void *data)
{
    struct xc_https *https = data;
    const struct xc_https_request *request = https->request;
    size_t octets = size * n;

    if (xc_https_status(https) != 200)
        return CURL_WRITEFUNC_ERROR;
    https->body_octets += octets;
    if (https->body_octets > request->max_octets)
        xc_fail(&https->error, XC_CAUSE_LIMIT, "%s: an answer of more than %zu octets", https->name,
                request->max_octets);
    else if (!request->take || request->take(bytes, octets, request->data, &https->error))
        return octets;
    else if (!https->error)
        xc_fail(&https->error, XC_CAUSE_DRIVER_ERROR, "%s: not the answer that was expected",
                https->name);
    return CURL_WRITEFUNC_ERROR;
}

/* --- setting up */

static const struct {
    CURLoption option;
    long value;
} settings[] = {
    {CURLOPT_NOSIGNAL, 1},
    {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
    {CURLOPT_SSL_ENABLE_ALPN, 0},
    {CURLOPT_DISALLOW_USERNAME_IN_URL, 1},
    {CURLOPT_PATH_AS_IS, 1},
    {CURLOPT_FOLLOWLOCATION, 0},
    {CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
    /* https_tls.c judges, name and all, from certificates of its own. */
    {CURLOPT_SSL_VERIFYPEER, 1},
    {CURLOPT_SSL_VERIFYHOST, 0},
    {CURLOPT_CA_CACHE_TIMEOUT, 0},
    /* A resumed session shows no certificate, and the pin may be another one by now. */
    {CURLOPT_SSL_SESSIONID_CACHE, 0},
};

/* What stays the same for all requests; 0, or some CURLcode. */
static int set_up(struct xc_https *https)
{
    CURL *easy = https->easy;
    int bad = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(settings); i++)
        bad |= (int)curl_easy_setopt(easy, settings[i].option, settings[i].value);
    bad |= (int)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https");
    bad |= (int)curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* nor one from the environment */
    bad |= (int)curl_easy_setopt(easy, CURLOPT_USERAGENT, "xensnmp/" XENSNMP_VERSION);
    bad |= (int)curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
    bad |= (int)curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    bad |= (int)curl_easy_setopt(easy, CURLOPT_CONNECT_TO, https->connect_to);
    bad |= (int)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, https->words);
    bad |= (int)curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    bad |= (int)curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, https);
    bad |= (int)curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, is_connected);
    bad |= (int)curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    bad |= (int)curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, https);
    bad |= (int)curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, arm);
    bad |= (int)curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, https);
    bad |= (int)curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, note_sending);
    bad |= (int)curl_easy_setopt(easy, CURLOPT_PREREQDATA, https);
    bad |= (int)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    bad |= (int)curl_easy_setopt(easy, CURLOPT_HEADERDATA, https);
    bad |= (int)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    bad |= (int)curl_easy_setopt(easy, CURLOPT_WRITEDATA, https);
    return bad;
}

/* --- its life */

void xc_https_connection_drop(struct xc_https *https)
{
    if (https->multi && https->easy)
        curl_multi_remove_handle(https->multi, https->easy);
    curl_easy_cleanup(g_steal_pointer(&https->easy));
    if (https->multi)
        curl_multi_cleanup(g_steal_pointer(&https->multi));
}

/* libcurl's side of the connection, new or kept. A kept one that has something to say has nothing good to say: the host
 * has closed it. */
bool xc_https_connection_ready(struct xc_https *https, GError **error)
{
    struct pollfd idle = {.fd = https->fd, .events = POLLIN};

    if (https->fd >= 0 && poll(&idle, 1, 0) != 0)
        xc_https_connection_drop(https);
    if (https->multi)
        return true;
    https->multi = curl_multi_init();
    https->easy = curl_easy_init();
    if (https->multi && https->easy && set_up(https) == 0)
        return true;
    xc_https_connection_drop(https);
    return xc_https_no_memory(https, error);
}
