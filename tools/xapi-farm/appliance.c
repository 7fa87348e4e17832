/* vApps: groups of VMs that the pool keeps. They are in the database alone; the farm knows of none. */
#include "tools/xapi-farm/call.h"
#include "tools/xapi-farm/estate.h"

#include <string.h>

bool xf_appliance_create(struct xf_call *call)
{
    static const char *const fields[] = {"name_label", "name_description"};
    struct xf_db *db = call->server->db;
    struct xf_object *appliance;
    char ref[XF_REF_SIZE];
    char uuid[XF_UUID_SIZE];

    xf_random_ref(ref);
    xf_derive_uuid(uuid, "VM_appliance", ref, 0);
    xf_db_lock(db);
    appliance = xf_estate_have(db, "VM_appliance", ref, uuid, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(fields); i++) {
        g_autofree char *value = xf_param_member(call, 0, fields[i]);

        xf_set_text(db, appliance, fields[i], value ? value : "");
    }
    xf_xml_string(call->out, ref);
    xf_db_unlock(db);
    return true;
}

/* Its VMs stay, and are in none. */
bool xf_appliance_destroy(struct xf_call *call)
{
    struct xf_db *db = call->server->db;
    struct xf_object *appliance;

    xf_db_lock(db);
    appliance = xf_param_object(call, 0, "VM_appliance");
    for (GList *at = appliance ? xf_db_all(db, xf_class_find("VM")) : NULL; at; at = at->next)
        if (strcmp(xf_get_text(at->data, "appliance"), appliance->ref) == 0)
            xf_set_text(db, at->data, "appliance", XF_NULL);
    if (appliance)
        xf_db_delete(db, appliance);
    xf_db_unlock(db);
    return appliance != NULL;
}

bool xf_vm_set_appliance(struct xf_call *call)
{
    struct xf_db *db = call->server->db;
    const char *ref = xf_param_text(call, 1);
    struct xf_object *vm;
    bool ok;

    xf_db_lock(db);
    vm = xf_param_object(call, 0, "VM");
    ok = vm &&
         (!xf_get_bool(vm, "is_control_domain") ||
          xf_call_fail(call, "OPERATION_NOT_ALLOWED",
                       "Control domains cannot be assigned to appliances.")) &&
         (strcmp(ref, XF_NULL) == 0 || xf_param_object(call, 1, "VM_appliance"));
    if (ok) {
        xf_set_text(db, vm, "appliance", ref);
        xf_estate_list(db, "VM_appliance");
    }
    xf_db_unlock(db);
    return ok;
}

/* VM.set_order and VM.set_start_delay: the field is behind the verb. */
bool xf_vm_set_turn(struct xf_call *call)
{
    const char *field = call->method + strlen("VM.set_");
    struct xf_db *db = call->server->db;
    gint64 value = xf_param_int(call, 1);
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, value);
    struct xf_object *vm;
    bool ok;

    xf_db_lock(db);
    vm = xf_param_object(call, 0, "VM");
    ok = vm && (value >= 0 || xf_call_fail(call, "INVALID_VALUE", field, text));
    if (ok)
        xf_set(db, vm, field, g_variant_new_int64(value));
    xf_db_unlock(db);
    return ok;
}
