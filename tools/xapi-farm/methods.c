/* The methods of the API as a table; those that every class has are in generic.c. */
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
        ref = xf_session_begin(server, local, xf_options_read_only(server->options),
                               local ? "" : xf_param_text(call, 3));
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
    {"task.set_status", "ss", XF_WRITES, xf_task_set_status},
    {"task.destroy", "s", XF_WRITES, xf_task_destroy},
    {"host.enable", "s", XF_WRITES | XF_ASYNC, enable_host},
    {"host.disable", "s", XF_WRITES | XF_ASYNC, enable_host},
    {"host.evacuate", "s", XF_WRITES | XF_ASYNC | XF_ONLY_82, xf_host_evacuate},
    {"host.evacuate", "s?si", XF_WRITES | XF_ASYNC | XF_ONLY_83, xf_host_evacuate},
    {"host.get_management_interface", "s", XF_ASYNC, xf_host_management},
    {"host.migrate_receive", "ssm", XF_WRITES | XF_ASYNC, xf_host_migrate_receive},
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
    {"VM.migrate_send", "smbmmm?m", XF_WRITES | XF_ASYNC | XF_ONLY_82, xf_vm_migrate_send},
    {"VM.migrate_send", "smbmmm?mm", XF_WRITES | XF_ASYNC | XF_ONLY_83, xf_vm_migrate_send},
    {"VM.assert_can_migrate", "smbmmm?m", XF_ASYNC, xf_vm_assert_can_migrate},
    {"VM.assert_can_boot_here", "ss", XF_ASYNC, xf_vm_assert_can_boot_here},
    {"VM.assert_operation_valid", "ss", XF_ASYNC, xf_vm_assert_operation_valid},
    {"VM.set_memory_dynamic_range", "sii", XF_WRITES | XF_ASYNC, xf_vm_set_memory},
    {"VM.set_VCPUs_number_live", "si", XF_WRITES | XF_ASYNC, xf_vm_set_vcpus},
    {"VM.clone", "ss", XF_WRITES | XF_ASYNC, xf_vm_copy},
    {"VM.snapshot", "ss", XF_WRITES | XF_ASYNC | XF_ONLY_82, xf_vm_copy},
    {"VM.snapshot", "ss?a", XF_WRITES | XF_ASYNC | XF_ONLY_83, xf_vm_copy},
    {"VM.checkpoint", "ss", XF_WRITES | XF_ASYNC, xf_vm_copy},
    {"VM.revert", "s", XF_WRITES | XF_ASYNC, xf_vm_revert},
    {"VDI.destroy", "s", XF_WRITES | XF_ASYNC, xf_vdi_destroy},
    {"VM.provision", "s", XF_WRITES | XF_ASYNC, xf_vm_provision},
    {"VM.set_name_label", "ss", XF_WRITES, xf_vm_set_name},
    {"VM.destroy", "s", XF_WRITES | XF_ASYNC, xf_vm_destroy},
    {"VM.set_appliance", "ss", XF_WRITES | XF_ASYNC, xf_vm_set_appliance},
    {"VM.set_order", "si", XF_WRITES | XF_ASYNC, xf_vm_set_turn},
    {"VM.set_start_delay", "si", XF_WRITES | XF_ASYNC, xf_vm_set_turn},
    {"VM_appliance.create", "m", XF_WRITES | XF_ASYNC, xf_appliance_create},
    {"VM_appliance.destroy", "s", XF_WRITES | XF_ASYNC, xf_appliance_destroy},
};

static bool is_spoken(const struct xf_server *server, const struct xf_method *method)
{
    return !(method->flags & (server->db->dialect == XF_82 ? XF_ONLY_83 : XF_ONLY_82));
}

const struct xf_method *xf_method_find(const struct xf_server *server, const char *name,
                                       struct xf_method *scratch)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(methods); i++)
        if (strcmp(methods[i].name, name) == 0 && is_spoken(server, &methods[i]))
            return &methods[i];
    return xf_generic_find(server, name, scratch);
}

/* --- the list */

void xf_methods_list(const struct xf_server *server, GPtrArray *names)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(methods); i++) {
        if (!is_spoken(server, &methods[i]))
            continue;
        g_ptr_array_add(names, g_strdup(methods[i].name));
        if (methods[i].flags & XF_ASYNC)
            g_ptr_array_add(names, g_strconcat("Async.", methods[i].name, NULL));
    }
    xf_generic_list(server, names);
}
