/* VMs that are made in the database: clones, snapshots, and their end. The farm hears of one when it is started. */
#include "tools/xapi-farm/estate.h"
#include "tools/xapi-farm/link.h"
#include "tools/xapi-farm/vm.h"

#include "xenclient/util/clock.h"

#include <string.h>

/* Of a snapshot's metadata, an export of the VM in XML, there is this much; clients have no use for it. */
#define METADATA_OCTETS 20000
/* Making disks takes a while. */
#define PROVISION_USEC (XC_USEC_PER_SEC / 2)

/* What a copy has from its original. */
static const char *const copied[] = {
    "VCPUs_max",          "VCPUs_at_startup",   "memory_static_max", "memory_static_min",
    "memory_dynamic_max", "memory_dynamic_min", "domain_type",       "platform",
    "HVM_boot_policy",    "HVM_boot_params",    "recommendations",   "actions_after_crash",
    "is_a_template",      "reference_label",    "other_config"};

/* A set of references without one, or with it at its end. */
static void change_list(struct xf_db *db, struct xf_object *object, const char *field,
                        const char *item, bool add)
{
    GVariantBuilder list;
    GVariantIter iter;
    const char *ref;

    g_variant_builder_init(&list, G_VARIANT_TYPE("as"));
    g_variant_iter_init(&iter, xf_get(object, field));
    while (g_variant_iter_next(&iter, "&s", &ref))
        if (strcmp(ref, item) != 0)
            g_variant_builder_add(&list, "s", ref);
    if (add)
        g_variant_builder_add(&list, "s", item);
    xf_set(db, object, field, g_variant_builder_end(&list));
}

/* --- disks */

static struct xf_object *make_disk(struct xf_db *db, const char *vm_uuid, unsigned number,
                                   const struct xf_object *from)
{
    char ref[XF_REF_SIZE];
    char uuid[XF_UUID_SIZE];
    struct xf_object *vdi;

    xf_derive_ref(ref, "copied VDI", vm_uuid, number);
    xf_derive_uuid(uuid, "copied VDI", vm_uuid, number);
    vdi = xf_estate_have(db, "VDI", ref, uuid, NULL);
    xf_set_text(db, vdi, "location", uuid);
    if (!from)
        return vdi;
    xf_set_text(db, vdi, "SR", xf_get_text(from, "SR"));
    xf_set_text(db, vdi, "name_label", xf_get_text(from, "name_label"));
    xf_set(db, vdi, "virtual_size", xf_get(from, "virtual_size"));
    return vdi;
}

/* A disk becomes another one; a CD is the same, or none. */
static void copy_device(struct xf_db *db, struct xf_object *vm, unsigned number,
                        const struct xf_object *from)
{
    const struct xf_object *vdi = xf_db_find(db, "VDI", xf_get_text(from, "VDI"));
    char ref[XF_REF_SIZE];
    char uuid[XF_UUID_SIZE];
    struct xf_object *vbd;

    xf_derive_ref(ref, "copied VBD", xf_get_text(vm, "uuid"), number);
    xf_derive_uuid(uuid, "copied VBD", xf_get_text(vm, "uuid"), number);
    vbd = xf_estate_have(db, "VBD", ref, uuid, NULL);
    xf_set_text(db, vbd, "VM", vm->ref);
    xf_set_text(db, vbd, "userdevice", xf_get_text(from, "userdevice"));
    xf_set_text(db, vbd, "mode", xf_get_text(from, "mode"));
    xf_set_text(db, vbd, "type", xf_get_text(from, "type"));
    xf_set(db, vbd, "empty", xf_get(from, "empty"));
    if (vdi && strcmp(xf_get_text(from, "type"), "Disk") == 0) {
        struct xf_object *made = make_disk(db, xf_get_text(vm, "uuid"), number, vdi);

        xf_set_text(db, vbd, "VDI", made->ref);
        change_list(db, made, "VBDs", vbd->ref, true);
    }
    change_list(db, vm, "VBDs", vbd->ref, true);
}

static void copy_devices(struct xf_db *db, const struct xf_object *from, struct xf_object *vm)
{
    GVariantIter iter;
    const char *ref;

    g_variant_iter_init(&iter, xf_get(from, "VBDs"));
    for (unsigned n = 0; g_variant_iter_next(&iter, "&s", &ref); n++) {
        const struct xf_object *vbd = xf_db_find(db, "VBD", ref);

        if (vbd)
            copy_device(db, vm, n, vbd);
    }
}

static void delete_device(struct xf_db *db, struct xf_object *vbd)
{
    struct xf_object *vm = xf_db_find(db, "VM", xf_get_text(vbd, "VM"));
    struct xf_object *vdi = xf_db_find(db, "VDI", xf_get_text(vbd, "VDI"));

    if (vm)
        change_list(db, vm, "VBDs", vbd->ref, false);
    if (vdi)
        change_list(db, vdi, "VBDs", vbd->ref, false);
    xf_db_delete(db, vbd);
}

/* The devices that an object lists; their references are copied, for the list shrinks. */
static void delete_devices(struct xf_db *db, const struct xf_object *of)
{
    g_auto(GStrv) refs = g_variant_dup_strv(xf_get(of, "VBDs"), NULL);

    for (char **ref = refs; *ref; ref++) {
        struct xf_object *vbd = xf_db_find(db, "VBD", *ref);

        if (vbd)
            delete_device(db, vbd);
    }
}

static bool is_attached(struct xf_db *db, const struct xf_object *vdi)
{
    GVariantIter iter;
    const char *ref;

    g_variant_iter_init(&iter, xf_get(vdi, "VBDs"));
    while (g_variant_iter_next(&iter, "&s", &ref)) {
        const struct xf_object *vbd = xf_db_find(db, "VBD", ref);

        if (vbd && xf_get_bool(vbd, "currently_attached"))
            return true;
    }
    return false;
}

bool xf_vdi_destroy(struct xf_call *call)
{
    struct xf_db *db = call->server->db;
    struct xf_object *vdi;
    bool ok;

    xf_db_lock(db);
    vdi = xf_param_object(call, 0, "VDI");
    ok = vdi && (!is_attached(db, vdi) || xf_call_fail(call, "VDI_IN_USE", vdi->ref, "destroy"));
    if (ok) {
        delete_devices(db, vdi);
        xf_db_delete(db, vdi);
    }
    xf_db_unlock(db);
    return ok;
}

/* --- VMs */

/* The reference follows from the uuid, as with all guests: the farm's report will find it. */
static struct xf_object *copy(struct xf_db *db, const struct xf_object *from, const char *uuid,
                              const char *name)
{
    char ref[XF_REF_SIZE];
    struct xf_object *vm;

    xf_db_ref(db, ref, "VM", uuid, 0);
    vm = xf_estate_have(db, "VM", ref, uuid, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(copied); i++)
        xf_set(db, vm, copied[i], xf_get(from, copied[i]));
    xf_set_text(db, vm, "name_label", name);
    xf_map_put(db, vm, "other_config", "default_template", NULL);
    if (xf_get_bool(from, "is_a_template") && !xf_get_bool(from, "is_a_snapshot"))
        xf_map_put(db, vm, "other_config", "base_template_name", xf_get_text(from, "name_label"));
    copy_devices(db, from, vm);
    return vm;
}

/* Of the disks alone, so it is halted. A snapshot is a template too, in XAPI's eyes. */
static void make_snapshot(struct xf_db *db, struct xf_object *of, struct xf_object *snapshot)
{
    g_autofree char *filler = g_strnfill(METADATA_OCTETS, '<');
    g_autofree char *metadata = g_strdup_printf("<value>%s</value>", filler);

    xf_set(db, snapshot, "is_a_template", g_variant_new_boolean(true));
    xf_set(db, snapshot, "is_a_snapshot", g_variant_new_boolean(true));
    xf_set_text(db, snapshot, "snapshot_of", of->ref);
    xf_set(db, snapshot, "snapshot_time",
           g_variant_new_uint64((guint64)(xc_clock_real() / XC_USEC_PER_SEC)));
    xf_set_text(db, snapshot, "snapshot_metadata", metadata);
    change_list(db, of, "snapshots", snapshot->ref, true);
}

/* With the memory, as if the VM had been suspended. */
static void make_checkpoint(struct xf_db *db, struct xf_object *of, struct xf_object *snapshot)
{
    make_snapshot(db, of, snapshot);
    xf_set_text(db, snapshot, "power_state", "Suspended");
    xf_set_text(db, snapshot, "suspend_VDI",
                make_disk(db, xf_get_text(snapshot, "uuid"), G_MAXUINT8, NULL)->ref);
}

void xf_estate_snapshot(struct xf_db *db, struct xf_object *of, const char *name)
{
    char uuid[XF_UUID_SIZE];

    xf_derive_uuid(uuid, name, of->ref, 0);
    make_snapshot(db, of, copy(db, of, uuid, name));
}

bool xf_vm_copy(struct xf_call *call)
{
    const struct xf_operation *operation = xf_operation_find(call->method + strlen("VM."), true);
    struct xf_db *db = call->server->db;
    struct xf_object *vm;
    struct xf_object *made;
    char uuid[XF_UUID_SIZE];
    bool ok;

    xf_db_lock(db);
    vm = xf_param_object(call, 0, "VM");
    ok = vm && xf_vm_check(call, vm, operation);
    if (ok) {
        xf_derive_uuid(uuid, "copy", call->task->ref, 0);
        made = copy(db, vm, uuid, xf_param_text(call, 1));
        if (strcmp(operation->method, "snapshot") == 0)
            make_snapshot(db, vm, made);
        else if (strcmp(operation->method, "checkpoint") == 0)
            make_checkpoint(db, vm, made);
        xf_vm_set_allowed(db, made);
        xf_xml_string(call->out, made->ref);
    }
    xf_db_unlock(db);
    return ok;
}

/* --- provisioning: a clone of a template becomes a VM, with the disks that the template describes */

/* An attribute of the element that begins there; newly allocated, NULL: none. */
static char *attribute(const char *element, const char *name)
{
    g_autofree char *key = g_strdup_printf(" %s=\"", name);
    const char *end = strchr(element, '>');
    const char *at = end ? g_strstr_len(element, end - element, key) : NULL;
    const char *value = at ? at + strlen(key) : NULL;
    const char *quote = value ? strchr(value, '"') : NULL;

    return quote && quote < end ? g_strndup(value, (gsize)(quote - value)) : NULL;
}

/* Of that uuid, or the pool's default where that is empty; NULL: none. */
static const char *find_sr(struct xf_db *db, const char *uuid)
{
    GList *pools = xf_db_all(db, xf_class_find("pool"));

    if (!*uuid)
        return pools ? xf_get_text(pools->data, "default_SR") : NULL;
    for (GList *at = xf_db_all(db, xf_class_find("SR")); at; at = at->next)
        if (strcmp(xf_get_text(at->data, "uuid"), uuid) == 0)
            return ((const struct xf_object *)at->data)->ref;
    return NULL;
}

static bool provision_disk(struct xf_call *call, struct xf_object *vm, const char *element,
                           unsigned number)
{
    struct xf_db *db = call->server->db;
    g_autofree char *device = attribute(element, "device");
    g_autofree char *size = attribute(element, "size");
    g_autofree char *uuid = attribute(element, "sr");
    const char *sr = find_sr(db, uuid ? uuid : "");
    char ref[XF_REF_SIZE];
    char vbd_uuid[XF_UUID_SIZE];
    struct xf_object *vbd;
    struct xf_object *vdi;

    if (!sr)
        return xf_call_fail(call, "UUID_INVALID", "SR", uuid ? uuid : "");
    xf_derive_ref(ref, "provisioned VBD", xf_get_text(vm, "uuid"), number);
    xf_derive_uuid(vbd_uuid, "provisioned VBD", xf_get_text(vm, "uuid"), number);
    vbd = xf_estate_have(db, "VBD", ref, vbd_uuid, NULL);
    vdi = make_disk(db, xf_get_text(vm, "uuid"), number, NULL);
    xf_set_text(db, vdi, "SR", sr);
    xf_set(db, vdi, "virtual_size",
           g_variant_new_int64(size ? g_ascii_strtoll(size, NULL, 10) : 0));
    xf_set_text(db, vbd, "VM", vm->ref);
    xf_set_text(db, vbd, "VDI", vdi->ref);
    xf_set_text(db, vbd, "userdevice", device ? device : "0");
    change_list(db, vdi, "VBDs", vbd->ref, true);
    change_list(db, vm, "VBDs", vbd->ref, true);
    return true;
}

/* Disks that were made before one could not be go again. */
static void take_back(struct xf_db *db, const struct xf_object *vm, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        char ref[XF_REF_SIZE];
        struct xf_object *vbd;
        struct xf_object *vdi;

        xf_derive_ref(ref, "provisioned VBD", xf_get_text(vm, "uuid"), i);
        vbd = xf_db_find(db, "VBD", ref);
        vdi = vbd ? xf_db_find(db, "VDI", xf_get_text(vbd, "VDI")) : NULL;
        if (vbd)
            delete_device(db, vbd);
        if (vdi)
            xf_db_delete(db, vdi);
    }
}

/* As XAPI does it: first it is no template any more, and that stays so when its disks can't be made. */
static bool provision(struct xf_call *call, struct xf_object *vm)
{
    struct xf_db *db = call->server->db;
    const char *disks = "";
    const char *element;
    unsigned n = 0;
    bool ok = true;

    g_variant_lookup(xf_get(vm, "other_config"), "disks", "&s", &disks);
    element = strstr(disks, "<disk ");
    while (ok && element) {
        ok = provision_disk(call, vm, element, n++);
        element = strstr(element + 1, "<disk ");
    }
    if (ok)
        xf_map_put(db, vm, "other_config", "disks", NULL);
    else
        take_back(db, vm, n);
    return ok;
}

bool xf_vm_provision(struct xf_call *call)
{
    struct xf_db *db = call->server->db;
    g_autofree char *ref = NULL;
    struct xf_object *vm;
    bool ok;

    xf_db_lock(db);
    vm = xf_param_object(call, 0, "VM");
    ok = vm &&
         (xf_get_bool(vm, "is_a_template") ||
          xf_call_fail(call, "PROVISION_ONLY_ALLOWED_ON_TEMPLATE")) &&
         xf_vm_check(call, vm, xf_operation_find("provision", true));
    if (ok) {
        ref = g_strdup(vm->ref);
        xf_set(db, vm, "is_a_template", g_variant_new_boolean(false));
        xf_vm_mark(db, vm, call->task, "provision");
    }
    xf_db_unlock(db);
    if (!ok)
        return false;
    ok = xc_call_wait(&call->task->call, -1, 0, PROVISION_USEC, "provisioning", NULL) ||
         xf_call_fail(call, "TASK_CANCELLED", call->task->ref);
    xf_db_lock(db);
    vm = xf_db_find(db, "VM", ref);
    if (ok && vm)
        ok = provision(call, vm);
    else if (ok)
        ok = xf_call_fail(call, "HANDLE_INVALID", "VM", ref);
    if (vm)
        xf_vm_mark(db, vm, call->task, NULL);
    xf_db_unlock(db);
    return ok;
}

bool xf_vm_set_name(struct xf_call *call)
{
    struct xf_object *vm;

    xf_db_lock(call->server->db);
    vm = xf_param_object(call, 0, "VM");
    if (vm)
        xf_set_text(call->server->db, vm, "name_label", xf_param_text(call, 1));
    xf_db_unlock(call->server->db);
    return vm != NULL;
}

bool xf_vm_destroy(struct xf_call *call)
{
    struct xf_db *db = call->server->db;
    struct xf_object *vm;
    bool ok;

    xf_db_lock(db);
    vm = xf_param_object(call, 0, "VM");
    ok = vm && xf_vm_check(call, vm, xf_operation_find("destroy", true)) &&
         (!xf_link_has(call->server->link, xf_get_text(vm, "uuid")) ||
          xf_call_fail(call, "OPERATION_NOT_ALLOWED", "the farm keeps its guests"));
    if (ok) {
        struct xf_object *of = xf_db_find(db, "VM", xf_get_text(vm, "snapshot_of"));

        if (of)
            change_list(db, of, "snapshots", vm->ref, false);
        delete_devices(db, vm);
        xf_db_delete(db, vm);
        xf_estate_list(db, "VM_appliance");
    }
    xf_db_unlock(db);
    return ok;
}

/* As xl.cfg, where a text ends at its quotation mark. */
char *xf_estate_config(struct xf_db *db, const char *vm_uuid)
{
    char ref[XF_REF_SIZE];
    const struct xf_object *vm;
    g_autofree char *name = NULL;

    xf_db_ref(db, ref, "VM", vm_uuid, 0);
    vm = xf_db_find(db, "VM", ref);
    if (!vm)
        return g_strdup("");
    name = g_strdelimit(g_strdup(xf_get_text(vm, "name_label")), "\"\\\n", '_');
    return g_strdup_printf("name = \"%s\"\nuuid = \"%s\"\nmemory = %" G_GINT64_FORMAT
                           "\nvcpus = %" G_GINT64_FORMAT "\nvif = [ \"bridge=xenbr0\" ]\n",
                           name, vm_uuid, xf_get_int(vm, "memory_dynamic_max") >> 20,
                           xf_get_int(vm, "VCPUs_max"));
}
