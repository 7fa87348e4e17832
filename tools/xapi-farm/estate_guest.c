/* A guest or control domain of the farm, as VM and what belongs to it. */
#include "tools/xapi-farm/estate.h"
#include "tools/xapi-farm/vm.h"

#include "xenclient/util/clock.h"

#include <string.h>

/* One guest on its way into the database. */
struct making {
    struct xf_server *server;
    struct xf_db *db;
    const struct xf_report_guest *from;
    const struct xc_domain *d;
    GPtrArray *owned;
    char uuid[XF_UUID_SIZE];
    struct xf_object *vm;
    bool fresh;
};

void xf_guest_uuid(const struct xf_report_guest *guest, char out[XF_UUID_SIZE])
{
    if (guest->domain->kind == XC_KIND_CONTROL)
        xf_derive_uuid(out, "control domain", guest->host_uuid, 0);
    else
        xc_uuid_format(&guest->domain->uuid, out);
}

static void set_int(struct xf_db *db, struct xf_object *object, const char *field, uint64_t value)
{
    xf_set(db, object, field, g_variant_new_int64((gint64)value));
}

static void set_bool(struct xf_db *db, struct xf_object *object, const char *field, bool value)
{
    xf_set(db, object, field, g_variant_new_boolean(value));
}

static void set_refs(struct xf_db *db, struct xf_object *object, const char *field,
                     const GPtrArray *refs)
{
    xf_set(db, object, field,
           g_variant_new_strv((const char *const *)refs->pdata, (gssize)refs->len));
}

/* The guest's object of that class and number, which goes when the guest goes. */
static struct xf_object *have(struct making *m, const char *class, unsigned number)
{
    char ref[XF_REF_SIZE];
    char uuid[XF_UUID_SIZE];

    xf_db_ref(m->db, ref, class, m->uuid, number);
    xf_derive_uuid(uuid, class, m->uuid, number);
    g_ptr_array_add(m->owned, g_strdup(ref));
    return xf_estate_have(m->db, class, ref, strcmp(class, "VM") == 0 ? m->uuid : uuid, &m->fresh);
}

/* --- power */

/* What a state is in XAPI's words; NULL: what it was, since XAPI has no state in between. */
static const char *power_of(const struct xc_domain *d)
{
    switch ((enum xc_domain_state)d->state) {
    case XC_STATE_RUNNING:
    case XC_STATE_SHUTTING_DOWN:
    case XC_STATE_SUSPENDING:
    case XC_STATE_MIGRATING:
        return "Running";
    case XC_STATE_CRASHED: /* preserved, as actions_after_crash says: XAPI pauses it */
    case XC_STATE_PAUSED:
        return "Paused";
    case XC_STATE_SUSPENDED:
        return "Suspended";
    case XC_STATE_SHUTDOWN:
        return "Halted";
    default:
        return NULL;
    }
}

static const struct {
    const char *before; /* NULL: any */
    const char *now;
    const char *message;
} alerts[] = {
    {"Suspended", "Running", "VM_RESUMED"}, {"Paused", "Running", "VM_UNPAUSED"},
    {NULL, "Running", "VM_STARTED"},        {NULL, "Paused", "VM_PAUSED"},
    {NULL, "Suspended", "VM_SUSPENDED"},    {NULL, "Halted", "VM_SHUTDOWN"},
};

static void tell(struct making *m, const char *before, const char *now)
{
    g_autofree char *body = g_strdup_printf("VM '%s' is %s", xf_get_text(m->vm, "name_label"), now);

    if (m->d->state == XC_STATE_CRASHED) {
        xf_message(m->db, "VM_CRASHED", 2, "VM", m->vm, body);
        return;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(alerts); i++)
        if ((!alerts[i].before || strcmp(alerts[i].before, before) == 0) &&
            strcmp(alerts[i].now, now) == 0) {
            xf_message(m->db, alerts[i].message, 5, "VM", m->vm, body);
            return;
        }
}

static void set_power(struct making *m)
{
    g_autofree char *before = g_strdup(xf_get_text(m->vm, "power_state"));
    const char *now = m->from->blind ? NULL : power_of(m->d);
    bool lives;

    if (now && strcmp(now, before) != 0) {
        xf_set_text(m->db, m->vm, "power_state", now);
        if (!m->fresh)
            tell(m, before, now);
    }
    lives = xf_vm_power(m->vm) & (XF_RUNNING | XF_PAUSED);
    xf_set_text(m->db, m->vm, "resident_on", lives ? m->from->host : XF_NULL);
    xf_set(m->db, m->vm, "domid",
           g_variant_new_int64(lives && XC_HAS(DOMAIN, m->d, domid) ? m->d->domid : -1));
}

/* --- the VM's own fields */

static const struct {
    enum xc_virt virt;
    const char *type;
} types[] = {
    {XC_VIRT_PV, "pv"}, {XC_VIRT_HVM, "hvm"}, {XC_VIRT_PVHVM, "hvm"}, {XC_VIRT_PVH, "pvh"}};

static const char *domain_type(const struct xc_domain *d)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(types); i++)
        if (types[i].virt == d->virt)
            return types[i].type;
    return "unspecified";
}

static void set_memory(struct making *m)
{
    uint64_t target = m->d->mem_target_kib * 1024;
    uint64_t max = XC_HAS(DOMAIN, m->d, mem_max_kib) ? m->d->mem_max_kib * 1024 : target;

    if (!XC_HAS(DOMAIN, m->d, mem_target_kib))
        return;
    set_int(m->db, m->vm, "memory_static_max", MAX(max, target));
    set_int(m->db, m->vm, "memory_static_min", MIN(target, (uint64_t)16 << 20));
    set_int(m->db, m->vm, "memory_dynamic_max", target);
    set_int(m->db, m->vm, "memory_dynamic_min", target);
    set_int(m->db, m->vm, "memory_target", target);
    set_int(m->db, m->vm, "memory_overhead", (uint64_t)8 << 20);
}

static void set_control(struct making *m)
{
    struct xf_object *host = xf_db_find(m->db, "host", m->from->host);

    set_bool(m->db, m->vm, "is_control_domain", true);
    if (host)
        xf_set_text(m->db, host, "control_domain", m->vm->ref);
}

static void set_vm(struct making *m)
{
    bool control = m->d->kind == XC_KIND_CONTROL;
    const struct xf_object *host = xf_db_find(m->db, "host", m->from->host);
    g_autofree char *name =
        control ? g_strdup_printf("Control domain on host: %s", xf_get_text(host, "name_label"))
                : g_strdup(m->d->name);

    xf_set_text(m->db, m->vm, "name_label", name);
    xf_set_text(m->db, m->vm, "domain_type", domain_type(m->d));
    set_int(m->db, m->vm, "VCPUs_max", m->d->vcpus_max);
    set_int(m->db, m->vm, "VCPUs_at_startup", m->d->vcpus_max);
    if (m->fresh)
        xf_set_text(m->db, m->vm, "affinity", m->from->host);
    set_memory(m);
    set_power(m);
    if (control)
        set_control(m);
    xf_vm_set_allowed(m->db, m->vm);
}

/* --- metrics */

static void set_metrics(struct making *m)
{
    struct xf_object *metrics = have(m, "VM_metrics", 0);
    bool lives = xf_vm_power(m->vm) & (XF_RUNNING | XF_PAUSED);

    xf_set_text(m->db, m->vm, "metrics", metrics->ref);
    set_int(m->db, metrics, "VCPUs_number", lives ? m->d->vcpus : 0);
    set_int(m->db, metrics, "memory_actual",
            lives && XC_HAS(DOMAIN, m->d, mem_kib) ? m->d->mem_kib * 1024 : 0);
    xf_set_text(m->db, metrics, "current_domain_type", domain_type(m->d));
    set_bool(m->db, metrics, "hvm", m->d->virt == XC_VIRT_HVM || m->d->virt == XC_VIRT_PVHVM);
    if (XC_HAS(DOMAIN, m->d, started))
        xf_set(m->db, metrics, "start_time",
               g_variant_new_uint64((guint64)(m->d->started / XC_USEC_PER_SEC)));
}

/* A guest that never ran has none. */
static void set_guest_metrics(struct making *m)
{
    bool known = strcmp(xf_get_text(m->vm, "guest_metrics"), XF_NULL) != 0;
    struct xf_object *metrics;
    GVariantBuilder networks;

    if (m->d->kind == XC_KIND_CONTROL || (!known && xf_vm_power(m->vm) != XF_RUNNING))
        return;
    metrics = have(m, "VM_guest_metrics", 0);
    xf_set_text(m->db, m->vm, "guest_metrics", metrics->ref);
    g_variant_builder_init(&networks, G_VARIANT_TYPE("a{ss}"));
    for (unsigned i = 0; i < m->from->n_vifs; i++) {
        guint hash = g_str_hash(m->uuid);
        g_autofree char *ip = g_strdup_printf("10.%u.%u.%u", i, hash >> 8 & 0xff, hash & 0xff);
        g_autofree char *key = g_strdup_printf("%u/ip", i);
        g_autofree char *key4 = g_strdup_printf("%u/ipv4/0", i);

        g_variant_builder_add(&networks, "{ss}", key, ip);
        g_variant_builder_add(&networks, "{ss}", key4, ip);
    }
    xf_set(m->db, metrics, "networks", g_variant_builder_end(&networks));
}

/* --- devices */

static void set_vifs(struct making *m)
{
    g_autoptr(GPtrArray) refs = g_ptr_array_new();
    bool lives = xf_vm_power(m->vm) & (XF_RUNNING | XF_PAUSED);

    for (unsigned i = 0; i < m->from->n_vifs; i++) {
        const struct xc_vif *from = &m->from->vifs[i];
        struct xf_object *vif = have(m, "VIF", (unsigned)from->device);
        g_autofree char *device = g_strdup_printf("%" G_GINT64_FORMAT, from->device);
        char network[XF_REF_SIZE];

        xf_estate_network(m->db, from->bridge, network);
        xf_set_text(m->db, vif, "VM", m->vm->ref);
        xf_set_text(m->db, vif, "device", device);
        xf_set_text(m->db, vif, "MAC", from->mac);
        xf_set_text(m->db, vif, "network", network);
        set_bool(m->db, vif, "currently_attached", lives);
        g_ptr_array_add(refs, vif->ref);
    }
    set_refs(m->db, m->vm, "VIFs", refs);
}

static struct xf_object *set_vdi(struct making *m, unsigned number, const struct xc_vbd *from,
                                 const char *vbd)
{
    struct xf_object *vdi = have(m, "VDI", number);
    const char *const list[] = {vbd, NULL};
    char sr[XF_REF_SIZE];

    xf_estate_shared_sr(sr);
    xf_set_text(m->db, vdi, "SR", sr);
    xf_set_text(m->db, vdi, "name_label", from->target);
    xf_set_text(m->db, vdi, "location", xf_get_text(vdi, "uuid"));
    set_int(m->db, vdi, "virtual_size", (uint64_t)20 << 30);
    set_int(m->db, vdi, "physical_utilisation", (uint64_t)5 << 30);
    xf_set(m->db, vdi, "VBDs", g_variant_new_strv(list, 1));
    return vdi;
}

/* from NULL: the empty CD drive that HVM guests have. */
static void set_vbd(struct making *m, unsigned number, const struct xc_vbd *from, GPtrArray *refs)
{
    struct xf_object *vbd = have(m, "VBD", number);
    g_autofree char *userdevice = g_strdup_printf("%u", number);
    bool lives = xf_vm_power(m->vm) & (XF_RUNNING | XF_PAUSED);

    xf_set_text(m->db, vbd, "VM", m->vm->ref);
    xf_set_text(m->db, vbd, "userdevice", userdevice);
    set_bool(m->db, vbd, "bootable", number == 0);
    set_bool(m->db, vbd, "empty", !from);
    set_bool(m->db, vbd, "currently_attached", lives);
    if (from) {
        xf_set_text(m->db, vbd, "device", from->device);
        xf_set_text(m->db, vbd, "mode", from->read_only ? "RO" : "RW");
        xf_set_text(m->db, vbd, "VDI", set_vdi(m, number, from, vbd->ref)->ref);
    } else {
        xf_set_text(m->db, vbd, "type", "CD");
        xf_set_text(m->db, vbd, "mode", "RO");
    }
    g_ptr_array_add(refs, vbd->ref);
}

/* Disks that were made in the database are nothing that the farm knows. */
static void keep_vbds(struct making *m)
{
    bool lives = xf_vm_power(m->vm) & (XF_RUNNING | XF_PAUSED);
    GVariantIter iter;
    const char *ref;

    g_variant_iter_init(&iter, xf_get(m->vm, "VBDs"));
    while (g_variant_iter_next(&iter, "&s", &ref)) {
        struct xf_object *vbd = xf_db_find(m->db, "VBD", ref);

        g_ptr_array_add(m->owned, g_strdup(ref));
        if (vbd)
            set_bool(m->db, vbd, "currently_attached", lives);
    }
}

static void set_vbds(struct making *m)
{
    g_autoptr(GPtrArray) refs = g_ptr_array_new();

    if (m->from->n_vbds == 0 && g_variant_n_children(xf_get(m->vm, "VBDs")) > 0) {
        keep_vbds(m);
        return;
    }
    for (unsigned i = 0; i < m->from->n_vbds; i++)
        set_vbd(m, i, &m->from->vbds[i], refs);
    if (m->d->virt == XC_VIRT_HVM)
        set_vbd(m, m->from->n_vbds, NULL, refs);
    set_refs(m->db, m->vm, "VBDs", refs);
}

void xf_guest_update(struct xf_server *server, const struct xf_report_guest *guest,
                     GPtrArray *owned)
{
    struct making m = {
        .server = server, .db = server->db, .from = guest, .d = guest->domain, .owned = owned};

    xf_guest_uuid(guest, m.uuid);
    m.vm = have(&m, "VM", 0);
    set_vm(&m);
    set_metrics(&m);
    set_guest_metrics(&m);
    set_vifs(&m);
    set_vbds(&m);
}
