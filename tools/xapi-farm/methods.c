/* The methods of the API as a table, and those that every class has. */
#include "tools/xapi-farm/call.h"

#include "xenclient/util/clock.h"

#include <string.h>

/* --- sessions */

static bool log_in(struct xf_call *call)
{
    struct xf_server *server = call->server;
    const char *user = xf_param_text(call, 0);
    bool local = strcmp(call->method, "session.slave_local_login_with_password") == 0;
    g_autofree char *ref = NULL;

    xf_db_lock(server->db);
    if (call->endpoint->mode != XF_AUTH && xf_password_is(server, user, xf_param_text(call, 1)))
        ref = xf_session_begin(server, local, xf_options_read_only(server->options));
    xf_db_unlock(server->db);
    if (!ref)
        return xf_call_fail(call, "SESSION_AUTHENTICATION_FAILED", user, "Authentication failure");
    xf_xml_string(call->out, ref);
    return true;
}

static bool log_out(struct xf_call *call)
{
    xf_db_lock(call->server->db);
    xf_session_end(call->server, call->session);
    xf_db_unlock(call->server->db);
    return true;
}

static bool this_host(struct xf_call *call)
{
    xf_db_lock(call->server->db);
    xf_xml_string(call->out, call->endpoint->host);
    xf_db_unlock(call->server->db);
    return true;
}

static bool list_methods(struct xf_call *call)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    GVariant *list;

    xf_methods_list(call->server, names);
    list = g_variant_new_strv((const char *const *)names->pdata, (gssize)names->len);
    g_variant_ref_sink(list);
    xf_xml_value(call->out, list);
    g_variant_unref(list);
    call->bare = true;
    return true;
}

/* --- hosts */

static bool enable_host(struct xf_call *call)
{
    struct xf_db *db = call->server->db;
    struct xf_object *host;

    xf_db_lock(db);
    host = xf_param_object(call, 0, "host");
    if (host)
        xf_set(db, host, "enabled",
               g_variant_new_boolean(strcmp(call->method, "host.enable") == 0));
    xf_db_unlock(db);
    return host != NULL;
}

static bool server_time(struct xf_call *call)
{
    GVariant *now = g_variant_new_uint64((guint64)(xc_clock_real() / XC_USEC_PER_SEC));

    g_variant_ref_sink(now);
    xf_xml_value(call->out, now);
    g_variant_unref(now);
    return true;
}

static bool free_memory(struct xf_call *call)
{
    struct xf_db *db = call->server->db;
    struct xf_object *host;
    struct xf_object *metrics;

    xf_db_lock(db);
    host = xf_param_object(call, 0, "host");
    metrics = host ? xf_db_find(db, "host_metrics", xf_get_text(host, "metrics")) : NULL;
    if (metrics)
        xf_xml_value(call->out, xf_get(metrics, "memory_free"));
    xf_db_unlock(db);
    return host != NULL;
}

/* --- messages */

static bool messages_since(struct xf_call *call)
{
    struct xf_db *db = call->server->db;
    guint64 since = xf_param_date(call, 0);

    xf_db_lock(db);
    g_string_append(call->out, "<value><struct>");
    for (GList *at = xf_db_all(db, xf_class_find("message")); at; at = at->next) {
        const struct xf_object *message = at->data;

        if (g_variant_get_uint64(xf_get(message, "timestamp")) <= since)
            continue;
        xf_xml_member(call->out, message->ref);
        xf_db_record(db, message, call->out);
        g_string_append(call->out, "</member>");
    }
    g_string_append(call->out, "</struct></value>");
    xf_db_unlock(db);
    return true;
}

static bool destroy_message(struct xf_call *call)
{
    struct xf_object *message;

    xf_db_lock(call->server->db);
    message = xf_param_object(call, 0, "message");
    if (message)
        xf_db_delete(call->server->db, message);
    xf_db_unlock(call->server->db);
    return message != NULL;
}

/* --- what every class has; the method's name says which class and field */

/* The part of the name before the dot. */
static const struct xf_class *class_of(const char *name)
{
    const char *dot = strchr(name, '.');
    g_autofree char *class = dot ? g_strndup(name, (gsize)(dot - name)) : NULL;

    return class ? xf_class_find(class) : NULL;
}

static const char *verb_of(const char *name)
{
    return strchr(name, '.') + 1;
}

static bool get_all(struct xf_call *call)
{
    struct xf_db *db = call->server->db;

    xf_db_lock(db);
    g_string_append(call->out, "<value><array><data>");
    for (GList *at = xf_db_all(db, class_of(call->method)); at; at = at->next)
        xf_xml_string(call->out, ((const struct xf_object *)at->data)->ref);
    g_string_append(call->out, "</data></array></value>");
    xf_db_unlock(db);
    return true;
}

static bool get_all_records(struct xf_call *call)
{
    struct xf_db *db = call->server->db;

    xf_db_lock(db);
    g_string_append(call->out, "<value><struct>");
    for (GList *at = xf_db_all(db, class_of(call->method)); at; at = at->next) {
        const struct xf_object *object = at->data;

        xf_xml_member(call->out, object->ref);
        xf_db_record(db, object, call->out);
        g_string_append(call->out, "</member>");
    }
    g_string_append(call->out, "</struct></value>");
    xf_db_unlock(db);
    return true;
}

static bool get_record(struct xf_call *call)
{
    struct xf_object *object;

    xf_db_lock(call->server->db);
    object = xf_param_object(call, 0, class_of(call->method)->name);
    if (object)
        xf_db_record(call->server->db, object, call->out);
    xf_db_unlock(call->server->db);
    return object != NULL;
}

static bool get_by_uuid(struct xf_call *call)
{
    struct xf_db *db = call->server->db;
    const struct xf_class *class = class_of(call->method);
    const char *uuid = xf_param_text(call, 0);

    xf_db_lock(db);
    for (GList *at = xf_db_all(db, class); at && !call->out->len; at = at->next)
        if (strcmp(xf_get_text(at->data, "uuid"), uuid) == 0)
            xf_xml_string(call->out, ((const struct xf_object *)at->data)->ref);
    xf_db_unlock(db);
    return call->out->len || xf_call_fail(call, "UUID_INVALID", class->name, uuid);
}

static bool get_by_name_label(struct xf_call *call)
{
    struct xf_db *db = call->server->db;
    const char *label = xf_param_text(call, 0);

    xf_db_lock(db);
    g_string_append(call->out, "<value><array><data>");
    for (GList *at = xf_db_all(db, class_of(call->method)); at; at = at->next)
        if (strcmp(xf_get_text(at->data, "name_label"), label) == 0)
            xf_xml_string(call->out, ((const struct xf_object *)at->data)->ref);
    g_string_append(call->out, "</data></array></value>");
    xf_db_unlock(db);
    return true;
}

static bool get_field(struct xf_call *call)
{
    struct xf_object *object;

    xf_db_lock(call->server->db);
    object = xf_param_object(call, 0, class_of(call->method)->name);
    if (object)
        xf_xml_value(call->out, xf_get(object, verb_of(call->method) + strlen("get_")));
    xf_db_unlock(call->server->db);
    return object != NULL;
}

static bool change_map(struct xf_call *call, const char *field, const char *key, const char *value)
{
    const struct xf_class *class = class_of(call->method);
    struct xf_db *db = call->server->db;
    struct xf_object *object;
    bool ok;

    xf_db_lock(db);
    object = xf_param_object(call, 0, class->name);
    ok = object && (xf_map_put(db, object, field, key, value) ||
                    xf_call_fail(call, "MAP_DUPLICATE_KEY", class->name, field,
                                 xf_get_text(object, "uuid"), key));
    xf_db_unlock(db);
    return ok;
}

static bool add_to_map(struct xf_call *call)
{
    return change_map(call, verb_of(call->method) + strlen("add_to_"), xf_param_text(call, 1),
                      xf_param_text(call, 2));
}

static bool remove_from_map(struct xf_call *call)
{
    return change_map(call, verb_of(call->method) + strlen("remove_from_"), xf_param_text(call, 1),
                      NULL);
}

/* A class has the method when it has the field; NULL: the field whose name is behind the verb. */
struct generic {
    const char *verb; /* the whole one, or up to the field's name */
    const char *field;
    struct xf_method method;
};

static const struct generic generics[] = {
    {"get_all", "uuid", {"", "", 0, get_all}},
    {"get_all_records", "uuid", {"", "", 0, get_all_records}},
    {"get_record", "uuid", {"", "s", 0, get_record}},
    {"get_by_uuid", "uuid", {"", "s", 0, get_by_uuid}},
    {"get_by_name_label", "name_label", {"", "s", 0, get_by_name_label}},
    {"get_", NULL, {"", "s", 0, get_field}},
    {"add_to_other_config", "other_config", {"", "sss", XF_WRITES, add_to_map}},
    {"remove_from_other_config", "other_config", {"", "ss", XF_WRITES, remove_from_map}},
    {"add_to_blocked_operations", "blocked_operations", {"", "sss", XF_WRITES, add_to_map}},
    {"remove_from_blocked_operations",
     "blocked_operations",
     {"", "ss", XF_WRITES, remove_from_map}},
};

/* What a class lacks although it has the field. */
static const struct {
    const char *class;
    const char *verb;
} lacking[] = {{"message", "get_"}, {"pool", "get_by_name_label"}};

/* --- the table */

#define OPERATION XF_WRITES | XF_ASYNC, xf_vm_operate

static const struct xf_method methods[] = {
    {"session.login_with_password", "ss?ss", XF_NO_SESSION, log_in},
    {"session.slave_local_login_with_password", "ss", XF_NO_SESSION | XF_ON_SLAVE, log_in},
    {"session.logout", "", 0, log_out},
    {"session.local_logout", "", XF_ON_SLAVE, log_out},
    {"session.get_this_host", "s", 0, this_host},
    {"system.listMethods", "", XF_NO_SESSION | XF_ON_SLAVE, list_methods},
    {"event.from", "asd", 0, xf_event_from},
    {"event.inject", "ss", 0, xf_event_inject},
    {"task.create", "ss", XF_WRITES, xf_task_create},
    {"task.cancel", "s", XF_WRITES, xf_task_cancel},
    {"task.destroy", "s", XF_WRITES, xf_task_destroy},
    {"host.enable", "s", XF_WRITES | XF_ASYNC, enable_host},
    {"host.disable", "s", XF_WRITES | XF_ASYNC, enable_host},
    {"host.get_servertime", "s", 0, server_time},
    {"host.compute_free_memory", "s", XF_ASYNC, free_memory},
    {"message.get_since", "t", 0, messages_since},
    {"message.destroy", "s", XF_WRITES, destroy_message},
    {"VM.start", "sbb", OPERATION},
    {"VM.start_on", "ssbb", OPERATION},
    {"VM.clean_shutdown", "s", OPERATION},
    {"VM.hard_shutdown", "s", OPERATION},
    {"VM.shutdown", "s", OPERATION},
    {"VM.clean_reboot", "s", OPERATION},
    {"VM.hard_reboot", "s", OPERATION},
    {"VM.pause", "s", OPERATION},
    {"VM.unpause", "s", OPERATION},
    {"VM.suspend", "s", OPERATION},
    {"VM.resume", "sbb", OPERATION},
    {"VM.resume_on", "ssbb", OPERATION},
    {"VM.pool_migrate", "ssm", OPERATION},
    {"VM.assert_can_migrate", "smbmmm?m", XF_ASYNC, xf_vm_assert_can_migrate},
    {"VM.assert_can_boot_here", "ss", XF_ASYNC, xf_vm_assert_can_boot_here},
    {"VM.assert_operation_valid", "ss", XF_ASYNC, xf_vm_assert_operation_valid},
    {"VM.set_memory_dynamic_range", "sii", XF_WRITES | XF_ASYNC, xf_vm_set_memory},
    {"VM.set_VCPUs_number_live", "si", XF_WRITES | XF_ASYNC, xf_vm_set_vcpus},
    {"VM.clone", "ss", XF_WRITES | XF_ASYNC, xf_vm_copy},
    {"VM.snapshot", "ss", XF_WRITES | XF_ASYNC | XF_ONLY_82, xf_vm_copy},
    {"VM.snapshot", "ss?a", XF_WRITES | XF_ASYNC | XF_ONLY_83, xf_vm_copy},
    {"VM.provision", "s", XF_WRITES | XF_ASYNC, xf_vm_provision},
    {"VM.destroy", "s", XF_WRITES | XF_ASYNC, xf_vm_destroy},
};

/* Does the class have it, and which field is it about? */
static bool is_generic(const struct xf_server *server, const struct generic *generic,
                       const struct xf_class *class, const char *verb)
{
    const char *field = generic->field;
    int number;

    for (unsigned i = 0; i < G_N_ELEMENTS(lacking); i++)
        if (strcmp(lacking[i].class, class->name) == 0 &&
            strcmp(lacking[i].verb, generic->verb) == 0)
            return false;
    if (field ? strcmp(verb, generic->verb) != 0 : !g_str_has_prefix(verb, generic->verb))
        return false;
    number = xf_field_find(class, field ? field : verb + strlen(generic->verb));
    return number >= 0 && xf_db_knows(server->db, class, (unsigned)number);
}

static bool is_spoken(const struct xf_server *server, const struct xf_method *method)
{
    return !(method->flags & (server->db->dialect == XF_82 ? XF_ONLY_83 : XF_ONLY_82));
}

const struct xf_method *xf_method_find(const struct xf_server *server, const char *name,
                                       struct xf_method *scratch)
{
    const struct xf_class *class = class_of(name);

    for (unsigned i = 0; i < G_N_ELEMENTS(methods); i++)
        if (strcmp(methods[i].name, name) == 0 && is_spoken(server, &methods[i]))
            return &methods[i];
    if (!class || !(class->dialects & server->db->dialect))
        return NULL;
    for (unsigned i = 0; i < G_N_ELEMENTS(generics); i++)
        if (is_generic(server, &generics[i], class, verb_of(name))) {
            *scratch = generics[i].method;
            return scratch;
        }
    return NULL;
}

/* --- the list */

static void list_generic(const struct xf_server *server, const struct xf_class *class,
                         const struct generic *generic, GPtrArray *names)
{
    for (unsigned i = 0; i < class->n_fields; i++) {
        g_autofree char *verb = generic->field
                                    ? g_strdup(generic->verb)
                                    : g_strconcat(generic->verb, class->fields[i].name, NULL);

        if (is_generic(server, generic, class, verb))
            g_ptr_array_add(names, g_strdup_printf("%s.%s", class->name, verb));
        if (generic->field)
            return;
    }
}

void xf_methods_list(const struct xf_server *server, GPtrArray *names)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(methods); i++) {
        if (!is_spoken(server, &methods[i]))
            continue;
        g_ptr_array_add(names, g_strdup(methods[i].name));
        if (methods[i].flags & XF_ASYNC)
            g_ptr_array_add(names, g_strconcat("Async.", methods[i].name, NULL));
    }
    for (unsigned c = 0; c < xf_n_classes; c++)
        for (unsigned g = 0; g < G_N_ELEMENTS(generics); g++)
            if (xf_classes[c].dialects & server->db->dialect)
                list_generic(server, &xf_classes[c], &generics[g], names);
}
