/* Migration to another pool: what its coordinator gives out, and how the one that sends makes sure of it. */
#include "tools/xapi-farm/vm.h"

#include "xenclient/drivers/driver.h"
#include "xenclient/drivers/xapi_call.h"
#include "xenclient/drivers/xapi_fields.h"

#include <string.h>

/* --- the pool that receives */

/* With the lock; NULL: it has none on that network, or of any use when that is NULL. */
static const struct xf_object *find_pif(struct xf_db *db, const struct xf_object *host,
                                        const char *network)
{
    for (GList *at = xf_db_all(db, xf_class_find("PIF")); at; at = at->next)
        if (strcmp(xf_get_text(at->data, "host"), host->ref) == 0 &&
            (network ? strcmp(xf_get_text(at->data, "network"), network) == 0
                     : xf_get_bool(at->data, "management")))
            return at->data;
    return NULL;
}

bool xf_host_management(struct xf_call *call)
{
    struct xf_db *db = call->server->db;
    const struct xf_object *host;
    const struct xf_object *pif;

    xf_db_lock(db);
    host = xf_param_object(call, 0, "host");
    pif = host ? find_pif(db, host, NULL) : NULL;
    if (pif)
        xf_xml_string(call->out, pif->ref);
    xf_db_unlock(db);
    return pif || xf_call_fail(call, "HOST_HAS_NO_MANAGEMENT_IP");
}

static void put_url(struct xf_call *call, const char *name, const struct xf_endpoint *at,
                    const char *path, const char *session)
{
    bool brackets = strchr(at->address, ':') != NULL;
    g_autofree char *url = g_strdup_printf(
        "%s://%s%s%s:%u%s%s", call->server->certificate ? "https" : "http", brackets ? "[" : "",
        at->address, brackets ? "]" : "", at->port, path, session);

    xf_xml_member(call->out, name);
    xf_xml_string(call->out, url);
    g_string_append(call->out, "</member>");
}

static void put_text(struct xf_call *call, const char *name, const char *text)
{
    xf_xml_member(call->out, name);
    xf_xml_string(call->out, text);
    g_string_append(call->out, "</member>");
}

/* What opens this pool to the other one: a session of its own is in it. */
static void put_destination(struct xf_call *call, const struct xf_object *host)
{
    struct xf_server *server = call->server;
    const struct xf_endpoint *master = xf_server_endpoint(server, server->coordinator);
    g_autofree char *session = xf_session_begin(server, false, false, "another pool");

    g_string_append(call->out, "<value><struct>");
    put_url(call, "SM", master, "/services/SM?session_id=", session);
    put_text(call, "host", host->ref);
    put_url(call, "xenops", master, "/services/xenops?session_id=", session);
    put_text(call, "session_id", session);
    put_url(call, "master", master, "/", "");
    g_string_append(call->out, "</struct></value>");
}

bool xf_host_migrate_receive(struct xf_call *call)
{
    struct xf_db *db = call->server->db;
    const struct xf_object *host;
    const struct xf_object *network;
    bool ok;

    xf_db_lock(db);
    host = xf_param_object(call, 0, "host");
    network = host ? xf_param_object(call, 1, "network") : NULL;
    ok = network && (find_pif(db, host, network->ref) ||
                     xf_call_fail(call, "HOST_CANNOT_ATTACH_NETWORK", host->ref, network->ref));
    if (ok)
        put_destination(call, host);
    xf_db_unlock(db);
    return ok;
}

/* --- the pool that sends */

/* A question to the other pool, in the session that it gave out. */
static bool ask(struct xf_call *call, struct xc_https *https, const char *session,
                const char *method, const char *ref, const struct xapi_want *want)
{
    g_autoptr(xapi_args) args = xapi_args_new(method);
    g_autoptr(GPtrArray) words = NULL;
    g_autoptr(GError) error = NULL;

    xapi_args_text(args, ref);
    if (xapi_call(https, args, session, want, &words, &call->task->call, &error))
        return true;
    if (!words)
        return xf_call_fail(call, "VM_MIGRATE_FAILED", xf_param_text(call, 0), "", "",
                            error->message);
    g_ptr_array_add(words, NULL);
    return xf_call_fail_with(call, (const char *const *)words->pdata);
}

static struct xc_https *connect_to(struct xf_call *call, const char *url)
{
    struct xc_https_config config = {.insecure = true};
    g_autoptr(GError) error = NULL;
    struct xc_https *https = NULL;
    struct xc_uri uri = {0};

    if (xc_uri_parse(url, &uri, &error)) {
        config.host = uri.host;
        config.port = uri.port;
        https = xc_https_new(&config, &error);
    }
    xc_uri_clear(&uri);
    if (!https)
        xf_call_fail(call, "INVALID_VALUE", "master", error->message);
    return https;
}

/* The host's name, by which the farm knows it; NULL: it can't take it. Newly allocated. */
static char *ask_host(struct xf_call *call, struct xc_https *https, const char *session,
                      const char *ref)
{
    struct xapi_record record = {.class = XAPI_HOST};
    const struct xapi_want want = {&xapi_record_sink, &record, 0};
    const struct xapi_host *host;
    char *name = NULL;

    if (ask(call, https, session, "host.get_record", ref, &want)) {
        host = record.object;
        if (host && host->name && host->enabled.value)
            name = g_strdup(host->name);
        else
            xf_call_fail(call, "HOST_DISABLED", ref);
    }
    xapi_object_free(record.object);
    return name;
}

/* Networks of the other pool, one for each interface; NULL: one has none. Free with g_strfreev(). */
static char **map_networks(struct xf_call *call)
{
    GPtrArray *networks = g_ptr_array_new();
    const struct xf_object *vm;
    GVariantIter iter;
    const char *vif;

    xf_db_lock(call->server->db);
    vm = xf_param_object(call, 0, "VM");
    if (vm)
        g_variant_iter_init(&iter, xf_get(vm, "VIFs"));
    while (vm && !call->error && g_variant_iter_next(&iter, "&s", &vif)) {
        char *network = xf_param_member(call, 4, vif);

        if (network)
            g_ptr_array_add(networks, network);
        else
            xf_call_fail(call, "VIF_NOT_IN_MAP", vif);
    }
    xf_db_unlock(call->server->db);
    g_ptr_array_add(networks, NULL);
    if (!call->error)
        return (char **)g_ptr_array_free(networks, FALSE);
    g_strfreev((char **)g_ptr_array_free(networks, FALSE));
    return NULL;
}

static bool ask_networks(struct xf_call *call, struct xc_https *https, const char *session,
                         char **networks)
{
    g_autoptr(GString) name = g_string_new(NULL);
    const struct xapi_want want = {&xapi_scalar_sink, name, 0};

    for (; *networks; networks++)
        if (!ask(call, https, session, "network.get_name_label", *networks, &want))
            return false;
    return true;
}

static bool leave(struct xf_call *call, enum xc_action action)
{
    g_autofree char *host = xf_param_member(call, 1, "host");
    g_autofree char *session = xf_param_member(call, 1, "session_id");
    g_autofree char *master = xf_param_member(call, 1, "master");
    g_auto(GStrv) networks = map_networks(call);
    g_autoptr(xc_https) https = NULL;
    g_autofree char *name = NULL;

    if (!networks)
        return false;
    if (!host || !session || !master)
        return xf_call_fail(call, "INVALID_VALUE", "dest", "host, session_id or master is missing");
    https = connect_to(call, master);
    name = https ? ask_host(call, https, session, host) : NULL;
    return name && ask_networks(call, https, session, networks) && xf_vm_leave(call, action, name);
}

bool xf_vm_migrate_send(struct xf_call *call)
{
    return leave(call, XC_ACTION_MIGRATE);
}

/* Of a destination that no pool gave out, "host" is looked at. */
bool xf_vm_assert_can_migrate(struct xf_call *call)
{
    g_autofree char *master = xf_param_member(call, 1, "master");

    return master ? leave(call, XC_ACTION_CHECK_MIGRATE) : xf_vm_can_move_within(call);
}
