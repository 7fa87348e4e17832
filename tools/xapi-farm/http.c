/* Endpoints: requests in, answers out, late or never where that is wanted. */
#include "tools/xapi-farm/http.h"

#include "tools/xapi-farm/call.h"
#include "tools/xapi-farm/rrd.h"
#include "tools/xapi-farm/send.h"
#include "xenclient/util/clock.h"
#include "xenclient/util/error.h"
#include "xenclient/util/text.h"

#include <gio/gio.h>
#include <string.h>

/* XAPI reads no larger requests. */
#define BODY_MAX (300 * 1024)
/* XAPI has no other. */
#define PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.2"

/* Octets of all headers together; XAPI reads no more. */
#define HEADERS_MAX 1024

struct request {
    GString *body;
    bool too_long;
};

/* --- modes that take time */

static enum xf_mode mode_of(struct xf_endpoint *endpoint)
{
    enum xf_mode mode;

    xf_db_lock(endpoint->server->db);
    mode = endpoint->mode;
    xf_db_unlock(endpoint->server->db);
    return mode;
}

/* As long as the endpoint hangs or is slow. False: there is to be no answer. */
static bool wait_as_told(struct xf_endpoint *endpoint)
{
    struct xf_db *db = endpoint->server->db;
    gint64 until;
    bool hung = false;

    xf_db_lock(db);
    until = g_get_monotonic_time() + endpoint->slow_usec;
    while (!endpoint->stopping && endpoint->mode == XF_HANG) {
        hung = true;
        g_cond_wait(&db->changed, &db->lock);
    }
    while (!endpoint->stopping && endpoint->mode == XF_SLOW)
        if (!g_cond_wait_until(&db->changed, &db->lock, until))
            break;
    xf_db_unlock(db);
    return !hung;
}

/* --- figures */

static const char *query(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, name);
}

static bool may_read(struct xf_endpoint *endpoint, struct MHD_Connection *connection)
{
    const char *ref = query(connection, "session_id");
    const struct xf_session *session;
    bool ok;

    if (!ref)
        ref = MHD_lookup_connection_value(connection, MHD_COOKIE_KIND, "session_id");
    xf_db_lock(endpoint->server->db);
    session = ref ? xf_session_find(endpoint->server, ref) : NULL;
    ok = session && !session->local && endpoint->mode != XF_SESSION_INVALID;
    xf_db_unlock(endpoint->server->db);
    return ok;
}

/* 8.2 goes by the parameter, later servers by what the client accepts. */
static enum xf_rrd_form choose_form(const struct xf_endpoint *endpoint,
                                    struct MHD_Connection *connection)
{
    const char *accept =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);
    bool json = query(connection, "json") != NULL;

    if (endpoint->server->db->dialect == XF_82)
        return json ? XF_RRD_JSON_OLD : XF_RRD_XML;
    if (!accept)
        return json ? XF_RRD_JSON : XF_RRD_XML;
    if (strstr(accept, "text/xml"))
        return XF_RRD_XML;
    return strstr(accept, "application/json") || strstr(accept, "*/*") ? XF_RRD_JSON : XF_RRD_XML;
}

static bool read_start(struct MHD_Connection *connection, gint64 *start)
{
    const char *text = query(connection, "start");
    int64_t number;

    if (!text || !xc_text_to_i64(text, G_MININT64, G_MAXINT64, &number, NULL))
        return false;
    *start = number < 0 ? xc_clock_real() / XC_USEC_PER_SEC + MAX(number, -86400) : number;
    return true;
}

static enum MHD_Result send_updates(struct xf_endpoint *endpoint, struct MHD_Connection *connection,
                                    enum xf_mode mode)
{
    const char *host = query(connection, "host");
    const char *cf = query(connection, "cf");
    struct xf_rrd_query asked = {.host = g_strcmp0(host, "true") == 0,
                                 .average = !cf || strcmp(cf, "AVERAGE") == 0,
                                 .vm_uuid = query(connection, "vm_uuid"),
                                 .form = choose_form(endpoint, connection)};
    g_autofree char *uuid = NULL;
    g_autofree char *text = NULL;
    struct xf_object *object;

    if (!may_read(endpoint, connection))
        return xf_send_error(connection, MHD_HTTP_UNAUTHORIZED);
    if (!read_start(connection, &asked.start))
        return xf_send_error(connection, MHD_HTTP_BAD_REQUEST);
    xf_db_lock(endpoint->server->db);
    object = xf_db_find(endpoint->server->db, "host", endpoint->host);
    uuid = g_strdup(object ? xf_get_text(object, "uuid") : "");
    asked.host_uuid = uuid;
    text = xf_rrd_updates(endpoint->server->rrd, &asked);
    xf_db_unlock(endpoint->server->db);
    return xf_send_answer(connection, mode,
                          asked.form == XF_RRD_XML ? "text/xml" : "application/json", text,
                          strlen(text));
}

/* --- requests */

static enum MHD_Result add_header(void *data, enum MHD_ValueKind kind, const char *key,
                                  const char *value)
{
    size_t *length = data;

    (void)kind;
    *length += strlen(key) + strlen(": \r\n") + (value ? strlen(value) : 0);
    return MHD_YES;
}

/* The status of a request that XAPI would not read; 0: it would. */
static unsigned unreadable(struct MHD_Connection *connection, const struct request *request)
{
    size_t headers = 0;

    MHD_get_connection_values(connection, MHD_HEADER_KIND, add_header, &headers);
    if (headers > HEADERS_MAX)
        return MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE;
    if (request->too_long ||
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_TRANSFER_ENCODING))
        return MHD_HTTP_INTERNAL_SERVER_ERROR;
    return 0;
}

/* Is it the call whose answer is to be lost? Once. */
static bool is_cut(struct xf_endpoint *endpoint, const char *body)
{
    g_autofree char *name = NULL;
    bool cut;

    xf_db_lock(endpoint->server->db);
    name = g_strdup_printf("<methodName>%s</methodName>", endpoint->argument);
    cut = endpoint->mode == XF_CUT && strstr(body, name);
    if (cut)
        endpoint->mode = XF_NORMAL;
    xf_db_unlock(endpoint->server->db);
    return cut;
}

static enum MHD_Result answer(struct xf_endpoint *endpoint, struct MHD_Connection *connection,
                              const char *method, const char *url, const struct request *request)
{
    enum xf_mode mode = mode_of(endpoint);
    g_autoptr(GString) out = NULL;
    unsigned status;

    if (!wait_as_told(endpoint))
        return MHD_NO;
    status = mode == XF_HTTP_500 ? MHD_HTTP_INTERNAL_SERVER_ERROR : unreadable(connection, request);
    if (status)
        return xf_send_error(connection, status);
    if (strcmp(method, MHD_HTTP_METHOD_GET) == 0 && strcmp(url, "/rrd_updates") == 0)
        return send_updates(endpoint, connection, mode);
    if (strcmp(method, MHD_HTTP_METHOD_POST) != 0 || strcmp(url, "/jsonrpc") == 0)
        return xf_send_error(connection, MHD_HTTP_NOT_FOUND);
    out = g_string_new(NULL);
    if (!xf_rpc(endpoint, request->body->str, request->body->len, out))
        return xf_send_error(connection, MHD_HTTP_INTERNAL_SERVER_ERROR);
    if (is_cut(endpoint, request->body->str))
        return MHD_NO;
    return xf_send_answer(connection, mode, "text/xml", out->str, out->len);
}

static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_length, void **state)
{
    struct request *request = *state;

    (void)version;
    if (!request) {
        request = *state = g_new0(struct request, 1);
        request->body = g_string_new(NULL);
        return MHD_YES;
    }
    if (*upload_length == 0)
        return answer(data, connection, method, url, request);
    request->too_long = request->too_long || request->body->len + *upload_length > BODY_MAX;
    if (!request->too_long)
        g_string_append_len(request->body, upload, (gssize)*upload_length);
    *upload_length = 0;
    return MHD_YES;
}

static void on_end(void *data, struct MHD_Connection *connection, void **state,
                   enum MHD_RequestTerminationCode code)
{
    struct request *request = *state;

    (void)data;
    (void)connection;
    (void)code;
    if (!request)
        return;
    g_string_free(request->body, TRUE);
    g_free(request);
}

/* --- endpoints */

struct xf_endpoint *xf_endpoint_new(struct xf_server *server, unsigned ordinal, const char *where,
                                    GError **error)
{
    const char *colon = strrchr(where, ':');
    g_autofree char *address = colon ? g_strndup(where, (gsize)(colon - where)) : NULL;
    struct xf_endpoint *endpoint;
    size_t length = address ? strlen(address) : 0;
    uint64_t port = 0;

    if (length > 2 && address[0] == '[' && address[length - 1] == ']') {
        memmove(address, address + 1, length - 2);
        address[length - 2] = '\0';
    }
    if (!address || !g_hostname_is_ip_address(address) ||
        !xc_text_to_u64(colon + 1, 0, 65535, &port, NULL)) {
        xc_fail(error, XC_CAUSE_BAD_VALUE, "--listen: \"%s\" is no ADDRESS:PORT", where);
        return NULL;
    }
    endpoint = g_new0(struct xf_endpoint, 1);
    endpoint->server = server;
    endpoint->ordinal = ordinal;
    endpoint->address = g_steal_pointer(&address);
    endpoint->port = (unsigned)port;
    endpoint->argument = g_strdup("");
    return endpoint;
}

void xf_endpoint_free(struct xf_endpoint *endpoint)
{
    if (!endpoint)
        return;
    g_free(endpoint->address);
    g_free(endpoint->argument);
    g_free(endpoint);
}

static struct MHD_Daemon *start(struct xf_endpoint *endpoint, const struct sockaddr *address)
{
    const struct xf_server *server = endpoint->server;
    unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, server->certificate},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, server->key},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)PRIORITIES},
        {MHD_OPTION_END, 0, NULL},
    };

    if (server->certificate)
        flags |= MHD_USE_TLS;
    else
        tls[0].option = MHD_OPTION_END;
    if (address->sa_family == AF_INET6)
        flags |= MHD_USE_IPv6;
    return MHD_start_daemon(flags, (uint16_t)endpoint->port, NULL, NULL, on_request, endpoint,
                            MHD_OPTION_SOCK_ADDR, address, MHD_OPTION_NOTIFY_COMPLETED, on_end,
                            NULL, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
}

bool xf_endpoint_listen(struct xf_endpoint *endpoint, GError **error)
{
    g_autoptr(GSocketAddress) address =
        g_inet_socket_address_new_from_string(endpoint->address, endpoint->port);
    struct sockaddr_storage native;

    if (endpoint->daemon)
        return true;
    g_socket_address_to_native(address, &native, sizeof(native), NULL);
    xf_db_lock(endpoint->server->db);
    endpoint->stopping = false;
    xf_db_unlock(endpoint->server->db);
    endpoint->daemon = start(endpoint, (const struct sockaddr *)&native);
    if (!endpoint->daemon)
        return xc_fail(error, XC_CAUSE_LIMIT,
                       "nothing can be served at %s port %u: is the port free, are certificate and "
                       "key PEM files that belong together?",
                       endpoint->address, endpoint->port);
    endpoint->port =
        (unsigned)MHD_get_daemon_info(endpoint->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
    return true;
}

void xf_endpoint_close(struct xf_endpoint *endpoint)
{
    xf_db_lock(endpoint->server->db);
    endpoint->stopping = true;
    xf_db_wake(endpoint->server->db);
    xf_db_unlock(endpoint->server->db);
    if (endpoint->daemon)
        MHD_stop_daemon(endpoint->daemon);
    endpoint->daemon = NULL;
}
