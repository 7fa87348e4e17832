/* HTTPS on libcurl: one connection, one request at a time, each within its call. */
#include "xenclient/transport/https.h"

#include "xenclient/transport/https_internal.h"
#include "xenclient/util/error.h"
#include "xenclient/util/text.h"

#include <string.h>

/* Octets of headers that are sent, all told: XAPI takes no more on its TCP port. */
#define SENT_HEADERS_MAX 1024
/* Those that are always there, with a length of ten digits. */
#define SENT_HEADERS_OURS 160

/* --- life */

static gpointer init_once(gpointer unused)
{
    (void)unused;
    return GINT_TO_POINTER(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
}

void xc_https_global_init(void)
{
    static GOnce once = G_ONCE_INIT;

    g_once(&once, init_once, NULL);
}

struct xc_https *xc_https_new(const struct xc_https_config *config, GError **error)
{
    struct xc_https *https = g_new0(struct xc_https, 1);
    bool v6 = strchr(config->host, ':') != NULL;

    xc_https_global_init();
    https->check =
        (struct xc_tls_check){.host = g_strdup(config->host),
                              .port = config->port,
                              .ca_file = g_strdup(config->ca_file ? config->ca_file : ""),
                              .pins_file = g_strdup(config->pins_file ? config->pins_file : ""),
                              .insecure = config->insecure,
                              .error = &https->error};
    https->name = g_strdup_printf("%s port %u", config->host, config->port);
    https->origin =
        g_strdup_printf(v6 ? "https://[%s]:%u" : "https://%s:%u", config->host, config->port);
    https->fd = -1;
    /* Never connected to: an address that needs no looking up. */
    https->connect_to = curl_slist_append(NULL, "::127.0.0.1:");
    if (https->connect_to)
        return https;
    xc_https_free(https);
    xc_fail(error, XC_CAUSE_LIMIT, "no memory for a connection");
    return NULL;
}

void xc_https_free(struct xc_https *https)
{
    if (!https)
        return;
    xc_https_connection_drop(https);
    curl_slist_free_all(https->connect_to);
    g_free(https->check.host);
    g_free(https->check.ca_file);
    g_free(https->check.pins_file);
    g_free(https->name);
    g_free(https->origin);
    g_clear_error(&https->error);
    g_free(https);
}

/* --- requests */

int xc_https_status(const struct xc_https *https)
{
    long status = 0;

    curl_easy_getinfo(https->easy, CURLINFO_RESPONSE_CODE, &status);
    return status >= 200 ? (int)status : 0; /* below: an answer is still to come */
}

bool xc_https_no_memory(const struct xc_https *https, GError **error)
{
    return xc_fail(error, XC_CAUSE_LIMIT, "%s: no memory for a request", https->name);
}

static bool is_line(const char *text)
{
    for (; text && *text; text++)
        if (*text < ' ' || *text > '~')
            return false;
    return true;
}

static size_t length_of(const char *text)
{
    return text ? strlen(text) : 0;
}

/* Nothing a host gave us may become a header of its own. The texts stay out of the error. */
static bool check_request(const struct xc_https *https, const struct xc_https_request *request,
                          GError **error)
{
    size_t octets = SENT_HEADERS_OURS + strlen(https->origin) + length_of(request->path) +
                    length_of(request->cookie) + length_of(request->accept) +
                    length_of(request->content_type);

    if (!request->path || request->path[0] != '/' || strchr(request->path, ' ') ||
        !is_line(request->path) || !is_line(request->cookie) || !is_line(request->accept) ||
        !is_line(request->content_type))
        return xc_fail(error, XC_CAUSE_BAD_VALUE,
                       "%s: the path or a header of the request holds what none may hold",
                       https->name);
    if (octets > SENT_HEADERS_MAX)
        return xc_fail(error, XC_CAUSE_LIMIT, "%s: the request has headers of more than %d octets",
                       https->name, SENT_HEADERS_MAX);
    return true;
}

/* value NULL: libcurl's own header of that name stays away. */
static bool add_header(struct xc_https *https, const char *name, const char *value)
{
    g_autofree char *line = g_strconcat(name, value ? ": " : ":", value, NULL);
    struct curl_slist *longer = curl_slist_append(https->headers, line);

    if (longer)
        https->headers = longer;
    return longer != NULL;
}

static bool set_request(struct xc_https *https, const struct xc_https_request *request,
                        GError **error)
{
    g_autofree char *url = g_strconcat(https->origin, request->path, NULL);
    CURL *easy = https->easy;
    int bad = !add_header(https, "Accept", request->accept);

    if (request->body) {
        bad |= !add_header(https, "Expect", NULL);
        bad |= !add_header(https, "Content-Type", request->content_type);
        bad |= (int)curl_easy_setopt(easy, CURLOPT_POST, 1L);
        bad |= (int)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                                     (curl_off_t)request->body_length);
        bad |= (int)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body);
    } else {
        bad |= (int)curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    }
    bad |= (int)curl_easy_setopt(easy, CURLOPT_URL, url);
    bad |= (int)curl_easy_setopt(easy, CURLOPT_COOKIE, request->cookie);
    bad |= (int)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, https->headers);
    return bad ? xc_https_no_memory(https, error) : true;
}

/* --- running */

/* Rounded up, so that a wait never ends a moment too early and spins. */
static int msec_left(const struct xc_call *call)
{
    return (int)MIN((xc_call_left(call) + 999) / 1000, G_MAXINT);
}

/* Until libcurl has done what it was told, the deadline passes or the call is cancelled. */
static bool run(struct xc_https *https, CURLcode *code, GError **error)
{
    struct xc_call *call = https->call;
    struct curl_waitfd wake = {.fd = call->wake[0], .events = CURL_WAIT_POLLIN};
    unsigned n_wake = call->wake[1] == -1 && call->wake[0] >= 0;
    CURLMcode rc = curl_multi_add_handle(https->multi, https->easy);
    const CURLMsg *message;
    int running = 1;

    while (rc == CURLM_OK && running) {
        rc = curl_multi_perform(https->multi, &running);
        if (rc != CURLM_OK || !running)
            break;
        if (!xc_call_check(call, https->step, error)) {
            g_prefix_error(error, "%s: ", https->name);
            return false;
        }
        rc = curl_multi_poll(https->multi, &wake, n_wake, msec_left(call), NULL);
    }
    message = rc == CURLM_OK ? curl_multi_info_read(https->multi, &running) : NULL;
    if (!message)
        return xc_fail(error, XC_CAUSE_INTERNAL, "%s: libcurl: %s", https->name,
                       curl_multi_strerror(rc));
    *code = message->data.result;
    return true;
}

/* How libcurl says that it went wrong, as a cause without and with an answer that has begun, and our words. */
static const struct failure {
    CURLcode code;
    enum xc_cause before, after;
    const char *words;
} failures[] = {
    {CURLE_COULDNT_CONNECT, XC_CAUSE_HOST_DOWN, XC_CAUSE_HOST_DOWN, "no connection"},
    {CURLE_GOT_NOTHING, XC_CAUSE_HOST_DOWN, XC_CAUSE_TRANSPORT, "closed without an answer"},
    {CURLE_SEND_ERROR, XC_CAUSE_HOST_DOWN, XC_CAUSE_TRANSPORT, "the connection broke"},
    {CURLE_RECV_ERROR, XC_CAUSE_HOST_DOWN, XC_CAUSE_TRANSPORT, "the connection broke"},
    {CURLE_PARTIAL_FILE, XC_CAUSE_TRANSPORT, XC_CAUSE_TRANSPORT, "the answer is cut"},
    {CURLE_OPERATION_TIMEDOUT, XC_CAUSE_TIMED_OUT, XC_CAUSE_TIMED_OUT, "no answer in time"},
    {CURLE_OUT_OF_MEMORY, XC_CAUSE_LIMIT, XC_CAUSE_LIMIT,
     "no memory, or a header of more than 100 KiB"},
    {CURLE_PEER_FAILED_VERIFICATION, XC_CAUSE_TLS_FAILED, XC_CAUSE_TLS_FAILED,
     "its certificate will not do"},
};

static bool fail_by_code(const struct xc_https *https, CURLcode code, int status, GError **error)
{
    struct failure failure = {code, XC_CAUSE_TRANSPORT, XC_CAUSE_TRANSPORT, "no HTTP answer"};
    const char *said = *https->words ? https->words : curl_easy_strerror(code);
    g_autofree char *words = xc_text_escape(said, 200);

    for (size_t i = 0; i < G_N_ELEMENTS(failures); i++)
        if (failures[i].code == code)
            failure = failures[i];
    /* Only with words of OpenSSL's own has the host spoken, and not just gone away. */
    if (code == CURLE_SSL_CONNECT_ERROR)
        failure = strstr(said, "error:") && !strstr(said, "unexpected eof")
                      ? (struct failure){code, XC_CAUSE_TLS_FAILED, XC_CAUSE_TLS_FAILED,
                                         "no common TLS; 1.2 or newer is needed, and HTTPS there"}
                      : (struct failure){code, XC_CAUSE_HOST_DOWN, XC_CAUSE_HOST_DOWN,
                                         "closed within the TLS handshake"};
    return xc_fail(error, status ? failure.after : failure.before, "%s: %s (%s)", https->name,
                   failure.words, words);
}

static bool finish(struct xc_https *https, CURLcode code, int status, GError **error)
{
    if (https->error) {
        g_propagate_error(error, g_steal_pointer(&https->error));
        return false;
    }
    if (status != 0 && status != 200)
        return xc_fail(error, XC_CAUSE_DRIVER_ERROR,
                       "%s: answers with HTTP status %d instead of 200%s", https->name, status,
                       status >= 300 && status < 400 ? "; redirects are not followed" : "");
    if (code != CURLE_OK)
        return fail_by_code(https, code, status, error);
    /* libcurl takes any end of the connection for the end of an answer without a length. */
    if (status == 200 && !https->framed && !https->check.goodbye)
        return xc_fail(error, XC_CAUSE_TRANSPORT, "%s: the answer is cut (no end of TLS)",
                       https->name);
    return true;
}

static void begin(struct xc_https *https, const struct xc_https_request *request,
                  struct xc_call *call)
{
    https->request = request;
    https->call = call;
    https->step = "connecting";
    https->sent = https->framed = false;
    https->header_octets = https->body_octets = 0;
    *https->words = '\0';
    g_clear_error(&https->error);
}

/* What was borrowed or is secret goes; after an error the connection, too. */
static void end(struct xc_https *https, bool ok)
{
    if (https->multi && https->easy && ok) {
        curl_multi_remove_handle(https->multi, https->easy);
        curl_easy_setopt(https->easy, CURLOPT_COOKIE, NULL);
        curl_easy_setopt(https->easy, CURLOPT_HTTPHEADER, NULL);
        curl_easy_setopt(https->easy, CURLOPT_POSTFIELDS, NULL);
    } else {
        xc_https_connection_drop(https);
    }
    curl_slist_free_all(g_steal_pointer(&https->headers));
    https->request = NULL;
    https->call = NULL;
}

bool xc_https_request(struct xc_https *https, const struct xc_https_request *request, int *status,
                      struct xc_call *call, GError **error)
{
    CURLcode code = CURLE_OK;
    bool ok;

    *status = 0;
    begin(https, request, call);
    ok = check_request(https, request, error) && xc_https_connection_ready(https, error) &&
         set_request(https, request, error) && run(https, &code, error);
    if (https->sent)
        *status = xc_https_status(https);
    ok = ok && finish(https, code, *status, error);
    end(https, ok);
    return ok;
}

/* --- looking at a certificate */

bool xc_https_look(const char *host, unsigned port, struct xc_https_certificate *out,
                   struct xc_call *call, GError **error)
{
    struct xc_https_config config = {.host = host, .port = port};
    struct xc_https_request request = {.path = "/"};
    g_autoptr(xc_https) https = xc_https_new(&config, error);
    CURLcode code = CURLE_OK;
    bool ok;

    memset(out, 0, sizeof *out);
    if (!https)
        return false;
    https->check.look = out;
    begin(https, &request, call);
    /* The handshake goes to its end: then the host has proved that it has the certificate's key. */
    ok = xc_https_connection_ready(https, error) && set_request(https, &request, error) &&
         curl_easy_setopt(https->easy, CURLOPT_CONNECT_ONLY, 1L) == CURLE_OK &&
         run(https, &code, error) && finish(https, code, 0, error);
    end(https, false);
    if (!ok)
        xc_https_certificate_clear(out);
    return ok;
}
