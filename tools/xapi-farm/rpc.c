/* From a request's body to an answer: who may call what where, and XAPI's envelope around the value. */
#include "tools/xapi-farm/call.h"
#include "tools/xapi-farm/params.h"
#include "tools/xapi-farm/record.h"
#include "tools/xapi-farm/tasks.h"

#include "xenclient/util/text.h"

#include <string.h>

bool xf_call_fail_with(struct xf_call *call, const char *const description[])
{
    if (call->error)
        return false;
    call->error = g_ptr_array_new_with_free_func(g_free);
    for (unsigned i = 0; description[i]; i++)
        g_ptr_array_add(call->error, g_strdup(description[i]));
    return false;
}

void xf_call_free(struct xf_call *call)
{
    g_free(call->method);
    g_free(call->session);
    g_variant_unref(call->params);
    g_string_free(call->out, TRUE);
    g_clear_pointer(&call->error, g_ptr_array_unref);
    g_free(call);
}

/* --- parameters */

/* NULL: left out. */
static GVariant *param(const struct xf_call *call, unsigned at)
{
    g_autoptr(GVariant) boxed = NULL;

    at += *call->session ? 1 : 0;
    if (at >= g_variant_n_children(call->params))
        return NULL;
    boxed = g_variant_get_child_value(call->params, at);
    return g_variant_get_variant(boxed);
}

const char *xf_param_text(const struct xf_call *call, unsigned at)
{
    g_autoptr(GVariant) value = param(call, at);

    /* The text lives in the call's parameters. */
    return value ? g_variant_get_string(value, NULL) : "";
}

bool xf_param_bool(const struct xf_call *call, unsigned at)
{
    g_autoptr(GVariant) value = param(call, at);

    return value && g_variant_get_boolean(value);
}

gint64 xf_param_int(const struct xf_call *call, unsigned at)
{
    int64_t number = 0;

    return xc_text_to_i64(xf_param_text(call, at), G_MININT64, G_MAXINT64, &number, NULL) ? number
                                                                                          : 0;
}

double xf_param_double(const struct xf_call *call, unsigned at)
{
    g_autoptr(GVariant) value = param(call, at);

    return value ? g_variant_get_double(value) : 0;
}

guint64 xf_param_date(const struct xf_call *call, unsigned at)
{
    g_autoptr(GVariant) value = param(call, at);

    return value ? g_variant_get_uint64(value) : 0;
}

char **xf_param_texts(const struct xf_call *call, unsigned at)
{
    g_autoptr(GVariant) value = param(call, at);
    GPtrArray *texts = g_ptr_array_new();
    gsize n = value ? g_variant_n_children(value) : 0;

    for (gsize i = 0; i < n; i++) {
        g_autoptr(GVariant) boxed = g_variant_get_child_value(value, i);
        g_autoptr(GVariant) item = g_variant_get_variant(boxed);

        if (g_variant_is_of_type(item, G_VARIANT_TYPE_STRING))
            g_ptr_array_add(texts, g_variant_dup_string(item, NULL));
    }
    g_ptr_array_add(texts, NULL);
    return (char **)g_ptr_array_free(texts, FALSE);
}

char *xf_param_member(const struct xf_call *call, unsigned at, const char *key)
{
    g_autoptr(GVariant) value = param(call, at);
    char *text = NULL;

    if (value)
        g_variant_lookup(value, key, "s", &text);
    return text;
}

struct xf_object *xf_param_object(struct xf_call *call, unsigned at, const char *class)
{
    const char *ref = xf_param_text(call, at);
    struct xf_object *object = xf_db_find(call->server->db, class, ref);

    if (!object)
        xf_call_fail(call, "HANDLE_INVALID", class, ref);
    return object;
}

/* --- may it be */

/* What the endpoint's mode answers to everybody. */
static bool check_mode(struct xf_call *call, enum xf_mode mode)
{
    if (mode == XF_SLAVE)
        return xf_call_fail(call, "HOST_IS_SLAVE", call->endpoint->argument);
    if (mode == XF_BOOTING)
        return xf_call_fail(call, "HOST_STILL_BOOTING");
    return true;
}

/* Members send everybody to the coordinator. */
static bool check_place(struct xf_call *call, const struct xf_method *method)
{
    const struct xf_server *server = call->server;
    const struct xf_endpoint *coordinator = xf_server_endpoint(server, server->coordinator);

    if (call->endpoint->ordinal == server->coordinator || method->flags & XF_ON_SLAVE)
        return true;
    return xf_call_fail(call, "HOST_IS_SLAVE", coordinator->address);
}

static bool check_session(struct xf_call *call, const struct xf_method *method, enum xf_mode mode)
{
    const struct xf_session *session;

    if (method->flags & XF_NO_SESSION)
        return true;
    session = mode == XF_SESSION_INVALID ? NULL : xf_session_find(call->server, call->session);
    if (!session || (session->local && !(method->flags & XF_ON_SLAVE)))
        return xf_call_fail(call, "SESSION_INVALID", call->session);
    if (session->read_only && method->flags & XF_WRITES) {
        g_autofree char *permission = g_ascii_strdown(call->method, -1);

        return xf_call_fail(call, "RBAC_PERMISSION_DENIED", permission,
                            "No permission in user session");
    }
    return true;
}

static bool check_params(struct xf_call *call, const struct xf_method *method)
{
    unsigned first = method->flags & XF_NO_SESSION ? 0 : 1;
    unsigned n = (unsigned)g_variant_n_children(call->params);
    unsigned least;
    unsigned most;
    int bad;

    xf_params_count(method->params, &least, &most);
    if (n < least + first || n > most + first) {
        g_autofree char *expected =
            g_strdup_printf("%u", (n < least + first ? least : most) + first);
        g_autofree char *received = g_strdup_printf("%u", n);

        return xf_call_fail(call, "MESSAGE_PARAMETER_COUNT_MISMATCH", call->method, expected,
                            received);
    }
    bad = xf_params_misfit(call->params, first, method->params);
    if (bad >= 0) {
        g_autofree char *field = g_strdup_printf("parameter %d of %s", bad + 1, call->method);

        return xf_call_fail(call, "FIELD_TYPE_ERROR", field);
    }
    return true;
}

static bool check(struct xf_call *call, const struct xf_method *method)
{
    enum xf_mode mode;
    bool ok;

    if (call->async && !(method->flags & XF_ASYNC)) {
        g_autofree char *text =
            g_strdup_printf("No async mode for this operation (rpc: Async.%s)", call->method);

        return xf_call_fail(call, "Fault", text);
    }
    if (!check_params(call, method))
        return false;
    xf_db_lock(call->server->db);
    mode = call->endpoint->mode;
    ok = check_mode(call, mode) && check_place(call, method) && check_session(call, method, mode);
    xf_db_unlock(call->server->db);
    return ok;
}

bool xf_call_run(struct xf_call *call, const struct xf_method *method)
{
    bool ok = method->run(call);

    /* A method that failed has said why. */
    return ok && !call->error ? true : xf_call_fail(call, "INTERNAL_ERROR", call->method);
}

/* --- the envelope */

static void put_failure(GString *out, const GPtrArray *error)
{
    g_string_append(out, "<value><struct><member><name>Status</name><value>Failure</value></member>"
                         "<member><name>ErrorDescription</name><value><array><data>");
    for (guint i = 0; i < error->len; i++)
        xf_xml_string(out, g_ptr_array_index(error, i));
    g_string_append(out, "</data></array></value></member></struct></value>");
}

static void put_success(GString *out, const char *value)
{
    g_string_append_printf(
        out,
        "<value><struct><member><name>Status</name><value>Success</value></member>"
        "<member><name>Value</name>%s</member></struct></value>",
        *value ? value : "<value></value>");
}

static void put_answer(GString *out, const GPtrArray *error, const char *value, bool bare)
{
    g_string_append(out, "<?xml version=\"1.0\"?><methodResponse><params><param>");
    if (error)
        put_failure(out, error);
    else if (bare)
        g_string_append(out, value);
    else
        put_success(out, value);
    g_string_append(out, "</param></params></methodResponse>");
}

static struct xf_call *new_call(struct xf_endpoint *endpoint, const char *name, GVariant *params)
{
    struct xf_call *call = g_new0(struct xf_call, 1);

    call->server = endpoint->server;
    call->endpoint = endpoint;
    call->async = g_str_has_prefix(name, "Async.");
    call->method = g_strdup(call->async ? name + strlen("Async.") : name);
    call->params = g_variant_ref(params);
    call->session = g_strdup("");
    call->out = g_string_new(NULL);
    return call;
}

static void take_session(struct xf_call *call)
{
    g_autoptr(GVariant) value = param(call, 0);

    if (!value || !g_variant_is_of_type(value, G_VARIANT_TYPE_STRING))
        return;
    g_free(call->session);
    /* Never "": that stands for calls without one. */
    call->session =
        g_strdup(*g_variant_get_string(value, NULL) ? g_variant_get_string(value, NULL) : XF_NULL);
}

bool xf_rpc(struct xf_endpoint *endpoint, const char *body, size_t length, GString *out)
{
    g_autofree char *name = NULL;
    g_autoptr(GVariant) params = NULL;
    struct xf_method scratch;
    const struct xf_method *method;
    struct xf_call *call;

    if (!xf_params_read(body, length, &name, &params))
        return false;
    call = new_call(endpoint, name, params);
    method = xf_method_find(call->server, call->method, &scratch);
    if (!method || !(method->flags & XF_NO_SESSION))
        take_session(call);
    xf_record(call);
    if (!method)
        xf_call_fail(call, "MESSAGE_METHOD_UNKNOWN", call->method);
    if (!method || !check(call, method)) {
        put_answer(out, call->error, "", false);
    } else if (call->async) {
        g_autofree char *task = xf_task_spawn(call, method); /* which owns the call from now on */
        g_autoptr(GString) value = g_string_new(NULL);

        xf_xml_string(value, task);
        put_answer(out, NULL, value->str, false);
        return true;
    } else {
        if (method->flags & XF_ASYNC)
            xf_task_run(call, method);
        else
            xf_call_run(call, method);
        put_answer(out, call->error, call->out->str, call->bare);
    }
    xf_call_free(call);
    return true;
}
