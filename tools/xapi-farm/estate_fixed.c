/* What no farm knows: constants of every class, the pool, shared storage, templates. */
#include "tools/xapi-farm/estate.h"
#include "tools/xapi-farm/vm.h"

#include <string.h>

/* What a fresh object of the class has instead of the standard value, in GVariant's text form. */
static const struct {
    const char *class;
    const char *field;
    const char *value;
} constants[] = {
    {"VM", "actions_after_shutdown", "'destroy'"},
    {"VM", "actions_after_reboot", "'restart'"},
    {"VM", "actions_after_crash", "'preserve'"},
    {"VM", "domid", "-1"},
    {"VM", "user_version", "1"},
    {"VM", "hardware_platform_version", "2"},
    {"VM", "generation_id", "''"},
    {"VM", "HVM_boot_policy", "'BIOS order'"},
    {"VM", "HVM_boot_params", "{'order': 'cdn', 'firmware': 'bios'}"},
    {"VM", "platform", "{'acpi': '1', 'apic': 'true', 'pae': 'true', 'viridian': 'false'}"},
    {"VM", "recommendations",
     "'<restrictions><restriction field=\"memory-static-max\" "
     "max=\"137438953472\"/></restrictions>'"},
    {"VM_guest_metrics", "PV_drivers_version",
     "{'major': '7', 'minor': '20', 'micro': '0', 'build': '1'}"},
    {"VM_guest_metrics", "PV_drivers_detected", "true"},
    {"VM_guest_metrics", "PV_drivers_up_to_date", "true"},
    {"VM_guest_metrics", "live", "true"},
    {"VM_guest_metrics", "can_use_hotplug_vbd", "'yes'"},
    {"VM_guest_metrics", "can_use_hotplug_vif", "'yes'"},
    {"VM_guest_metrics", "os_version",
     "{'name': 'Debian GNU/Linux 12 (bookworm)', 'uname': '6.1.0-sim-amd64', 'distro': 'debian', "
     "'major': '12', 'minor': '5'}"},
    {"VM_guest_metrics", "other",
     "{'feature-shutdown': '1', 'feature-reboot': '1', 'feature-suspend': '1', "
     "'feature-balloon': '1', 'data-updated': '1'}"},
    {"VIF", "MTU", "1500"},
    {"VBD", "mode", "'RW'"},
    {"VBD", "type", "'Disk'"},
    {"VDI", "managed", "true"},
    {"VDI", "type", "'user'"},
    {"SR", "content_type", "'user'"},
    {"SR", "physical_utilisation", "164282499072"},
    {"SR", "virtual_allocation", "257698037760"},
    {"PIF", "device", "'eth0'"},
    {"PIF", "VLAN", "-1"},
    {"PIF", "MTU", "1500"},
    {"PIF", "MAC", "'00:16:3e:00:00:01'"},
    {"PIF", "netmask", "'255.0.0.0'"},
    {"PIF", "ip_configuration_mode", "'Static'"},
    {"PIF", "physical", "true"},
    {"PIF", "management", "true"},
    {"PIF_metrics", "carrier", "true"},
    {"PIF_metrics", "speed", "10000"},
    {"PIF_metrics", "duplex", "true"},
    {"PIF_metrics", "vendor_name", "'Simulated'"},
    {"PIF_metrics", "device_name", "'Ethernet'"},
    {"host", "API_version_vendor", "'XenSource'"},
    {"host", "allowed_operations",
     "['vm_migrate', 'provision', 'vm_resume', 'evacuate', 'vm_start']"},
    {"host", "capabilities", "['xen-3.0-x86_64', 'hvm-3.0-x86_64']"},
    {"host", "supported_bootloaders", "['pygrub', 'eliloader']"},
    {"host", "sched_policy", "'credit'"},
    {"host", "edition", "'xcp-ng'"},
    {"host", "memory_overhead", "1073741824"},
    {"host", "license_params", "{'sku_type': 'xcp-ng', 'expiry': '20990101T00:00:00Z'}"},
    {"host", "logging", "{}"},
    {"host_cpu", "vendor", "'GenuineIntel'"},
    {"host_cpu", "flags", "'fpu de tsc msr'"},
    {"host_cpu", "family", "6"},
    {"host_cpu", "model", "85"},
    {"pool", "name_label", "'farm'"},
    {"pool", "name_description", "'a simulated pool'"},
};

void xf_estate_constants(struct xf_db *db, struct xf_object *object)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(constants); i++) {
        int number = xf_field_find(object->class, constants[i].field);
        GVariant *value;

        if (strcmp(constants[i].class, object->class->name) != 0)
            continue;
        g_assert(number >= 0);
        value = g_variant_parse(G_VARIANT_TYPE(object->class->fields[number].type),
                                constants[i].value, NULL, NULL, NULL);
        g_assert(value);
        xf_set(db, object, constants[i].field, value);
        g_variant_unref(value);
    }
}

struct xf_object *xf_estate_have(struct xf_db *db, const char *class, const char *ref,
                                 const char *uuid, bool *fresh)
{
    bool made;
    struct xf_object *object = xf_db_have(db, class, ref, &made);

    if (fresh)
        *fresh = made;
    if (made) {
        xf_estate_constants(db, object);
        xf_set_text(db, object, "uuid", uuid);
    }
    return object;
}

void xf_estate_shared_sr(char out[XF_REF_SIZE])
{
    xf_derive_ref(out, "SR", "shared", 0);
}

void xf_estate_network(struct xf_db *db, const char *bridge, char out[XF_REF_SIZE])
{
    g_autofree char *label = g_strdup_printf("Pool-wide network of %s", bridge);
    char uuid[XF_UUID_SIZE];
    struct xf_object *network;
    bool fresh;

    xf_db_ref(db, out, "network", bridge, 0);
    xf_derive_uuid(uuid, "network", out, 0);
    network = xf_estate_have(db, "network", out, uuid, &fresh);
    if (!fresh)
        return;
    xf_set_text(db, network, "name_label", label);
    xf_set_text(db, network, "bridge", bridge);
}

static void make_shared(struct xf_db *db)
{
    char ref[XF_REF_SIZE];
    char uuid[XF_UUID_SIZE];
    struct xf_object *sr;

    xf_estate_shared_sr(ref);
    xf_derive_uuid(uuid, "SR", "shared", 0);
    sr = xf_estate_have(db, "SR", ref, uuid, NULL);
    xf_set_text(db, sr, "name_label", "Shared NFS");
    xf_set_text(db, sr, "type", "nfs");
    xf_set(db, sr, "shared", g_variant_new_boolean(true));
    xf_set(db, sr, "physical_size", g_variant_new_int64((gint64)20 << 40));
}

static void make_pool(struct xf_server *server)
{
    const struct xf_endpoint *coordinator = xf_server_endpoint(server, server->coordinator);
    struct xf_db *db = server->db;
    char ref[XF_REF_SIZE];
    char uuid[XF_UUID_SIZE];
    char sr[XF_REF_SIZE];
    struct xf_object *pool;

    xf_db_ref(db, ref, "pool", "farm", 0);
    xf_derive_uuid(uuid, "pool", ref, 0);
    pool = xf_estate_have(db, "pool", ref, uuid, NULL);
    xf_estate_shared_sr(sr);
    xf_set_text(db, pool, "default_SR", sr);
    if (coordinator && *coordinator->host)
        xf_set_text(db, pool, "master", coordinator->host);
}

/* What a template's copies get when they are provisioned; no SR: the pool's default. */
#define DISKS                                                                                      \
    "<provision><disk device=\"0\" size=\"10737418240\" sr=\"\" bootable=\"true\" "                \
    "type=\"system\"/></provision>"

static const struct {
    const char *name;
    const char *label; /* what its copies keep */
    gint64 memory_mib;
    bool standard; /* shipped with the product */
} templates[] = {{"Debian Bookworm 12", "debian-12", 1024, true},
                 {"Windows Server 2022 (64-bit)", "windows-server-2022-64bit", 2048, true},
                 {"Other install media", "other-install-media", 256, true},
                 {"our own golden image", "", 512, false}};

static void make_template(struct xf_db *db, unsigned i)
{
    static const char *const memory[] = {"memory_static_max", "memory_dynamic_max",
                                         "memory_dynamic_min", "memory_static_min"};
    char ref[XF_REF_SIZE];
    char uuid[XF_UUID_SIZE];
    struct xf_object *vm;

    xf_derive_ref(ref, "template", templates[i].name, 0);
    xf_derive_uuid(uuid, "template", templates[i].name, 0);
    vm = xf_estate_have(db, "VM", ref, uuid, NULL);
    xf_set_text(db, vm, "name_label", templates[i].name);
    xf_set_text(db, vm, "reference_label", templates[i].label);
    xf_set(db, vm, "is_a_template", g_variant_new_boolean(true));
    xf_set(db, vm, "is_default_template", g_variant_new_boolean(templates[i].standard));
    xf_set(db, vm, "VCPUs_max", g_variant_new_int64(1));
    xf_set(db, vm, "VCPUs_at_startup", g_variant_new_int64(1));
    xf_set_text(db, vm, "domain_type", "hvm");
    if (templates[i].standard) {
        xf_map_put(db, vm, "other_config", "default_template", "true");
        xf_map_put(db, vm, "other_config", "disks", DISKS);
    }
    for (unsigned m = 0; m < G_N_ELEMENTS(memory); m++)
        xf_set(db, vm, memory[m], g_variant_new_int64(templates[i].memory_mib << 20));
    xf_vm_set_allowed(db, vm);
}

static struct xf_object *first_guest(struct xf_db *db)
{
    for (GList *at = xf_db_all(db, xf_class_find("VM")); at; at = at->next)
        if (!xf_get_bool(at->data, "is_control_domain"))
            return at->data;
    return NULL;
}

/* Those that farms plug guests into: a pool has them all, also without a guest in them. */
static void make_networks(struct xf_db *db)
{
    static const char *const bridges[] = {"xenbr0", "xenbr1", "xenbr2", "xenbr3"};
    char ref[XF_REF_SIZE];

    for (unsigned i = 0; i < G_N_ELEMENTS(bridges); i++)
        xf_estate_network(db, bridges[i], ref);
}

void xf_estate_fixed(struct xf_server *server)
{
    struct xf_object *guest = first_guest(server->db);

    if (guest)
        xf_estate_snapshot(server->db, guest, "before the upgrade");
    make_shared(server->db);
    make_networks(server->db);
    make_pool(server);
    for (unsigned i = 0; i < G_N_ELEMENTS(templates); i++)
        make_template(server->db, i);
}
