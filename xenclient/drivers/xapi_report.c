/* What XAPI calls things, and what we do. */
#include "xenclient/drivers/xapi_report.h"

#include "xenclient/drivers/xapi_detail.h"
#include "xenclient/drivers/xapi_notices.h"
#include "xenclient/drivers/xapi_storage.h"
#include "xenclient/util/clock.h"
#include "xenclient/util/error.h"
#include "xenclient/util/text.h"

#include <string.h>

#define KIB 1024
#define FEW 4

struct filling {
    struct xc_report *report;
    const struct xapi_mirror *mirror;
    struct xapi_meters *meters;
    GHashTable *host_at;   /* reference -> ordinal + 1 */
    GHashTable *domain_at; /* likewise */
    GHashTable *snapshots; /* of xapi_snapshots() */
    GHashTable *news;      /* of xapi_mirror_news(); NULL: all are wanted */
    GArray *living;        /* bool per domain: it has a life whose devices count */
};

#define REPORT_TEXT(TYPE, object, member, text)                                                    \
    do {                                                                                           \
        const char *text_of_field = (text);                                                        \
        if (text_of_field)                                                                         \
            XC_SET(TYPE, object, member, xc_report_text(f->report, text_of_field, -1));            \
    } while (0)
#define REPORT_NUMBER(TYPE, object, member, number, divisor)                                       \
    do {                                                                                           \
        if ((number).known)                                                                        \
            XC_SET(TYPE, object, member, (uint64_t)(number).value / (divisor));                    \
    } while (0)

static uint32_t ordinal_of(GHashTable *table, const char *ref)
{
    return ref ? GPOINTER_TO_UINT(g_hash_table_lookup(table, ref)) : 0;
}

/* --- hosts */

static int by_uuid(const void *a, const void *b)
{
    const struct xapi_host *x = *(const struct xapi_host *const *)a;
    const struct xapi_host *y = *(const struct xapi_host *const *)b;
    int order = memcmp(&x->uuid, &y->uuid, sizeof(x->uuid));

    return order ? order : strcmp(x->head.ref, y->head.ref);
}

GPtrArray *xapi_report_hosts(const struct xapi_mirror *mirror)
{
    GPtrArray *hosts = g_ptr_array_new();
    GHashTableIter iter;
    gpointer host;

    g_hash_table_iter_init(&iter, mirror->objects[XAPI_HOST]);
    while (g_hash_table_iter_next(&iter, NULL, &host))
        g_ptr_array_add(hosts, host);
    g_ptr_array_sort(hosts, by_uuid);
    return hosts;
}

bool xapi_host_live(const struct xapi_mirror *mirror, const struct xapi_host *host)
{
    const struct xapi_host_metrics *metrics =
        xapi_mirror_find(mirror, XAPI_HOST_METRICS, host->metrics);

    return metrics && metrics->live.known && metrics->live.value;
}

bool xapi_time(const char *seconds, int64_t *out)
{
    g_autofree char *text = g_strdup(seconds ? seconds : "");
    size_t length = strlen(text);
    uint64_t value = 0;

    if (length && text[length - 1] == '.')
        text[length - 1] = '\0';
    if (!xc_text_to_scaled(text, (uint64_t)XC_USEC_PER_SEC, &value, NULL) || value == 0 ||
        value > G_MAXINT64 / 2)
        return false;
    *out = (int64_t)value;
    return true;
}

static void host_measured(struct filling *f, struct xc_host *h, const struct xapi_host *host)
{
    const struct xapi_metered *metered = xapi_meters_find(f->meters, &host->uuid);
    double value;

    if (!metered)
        return;
    XC_SET(HOST, h, clock, xapi_metered_clock(metered));
    if (XC_HAS(HOST, h, boot_time) && h->clock > h->boot_time)
        XC_SET(HOST, h, uptime_sec, (uint64_t)((h->clock - h->boot_time) / XC_USEC_PER_SEC));
    if (xapi_metered_get(metered, XAPI_METER_FREE_KIB, 0, &value))
        XC_SET(HOST, h, mem_free_kib, (uint64_t)value);
    if (xapi_metered_get(metered, XAPI_METER_LOAD, 0, &value))
        XC_SET(HOST, h, load1_x100, (uint64_t)(value * 100 + 0.5));
    if (xapi_metered_sum(metered, XAPI_METER_PIF_RX, &value))
        XC_SET(HOST, h, net_rx_bytes, (uint64_t)value);
    if (xapi_metered_sum(metered, XAPI_METER_PIF_TX, &value))
        XC_SET(HOST, h, net_tx_bytes, (uint64_t)value);
}

/* Servers before 8.3 tell of updates that wait for a reboot, later ones of what is to be done. */
static void host_updates(struct xc_host *h, const struct xapi_host *host)
{
    const struct xapi_number *due = &host->reboot_due;
    const struct xapi_number *waiting = &host->reboots_waiting;

    if (due->known || waiting->known)
        XC_SET(HOST, h, reboot_required,
               (due->known && due->value) || (waiting->known && waiting->value));
    if (g_strcmp0(host->updated, "yes") == 0 || g_strcmp0(host->updated, "no") == 0)
        XC_SET(HOST, h, updates_pending, strcmp(host->updated, "no") == 0);
}

/* There is a plan only where high availability is on. */
static void host_leads(struct xc_host *h, const struct xapi_pool *pool)
{
    if (!pool->ha_enabled.known)
        return;
    XC_SET(HOST, h, ha_enabled, (uint8_t)pool->ha_enabled.value);
    if (h->ha_enabled)
        REPORT_NUMBER(HOST, h, ha_tolerates, pool->ha_tolerates, 1);
}

/* A pool of one host without a name is what XAPI calls a host that stands alone. */
static void host_in_pool(struct filling *f, struct xc_host *h, const struct xapi_host *host)
{
    const struct xapi_pool *pool = xapi_mirror_pool(f->mirror);
    const struct xapi_host *master = xapi_mirror_master(f->mirror);

    if (host->enabled.known)
        XC_SET(HOST, h, enabled, (uint8_t)host->enabled.value);
    if (!master)
        return;
    REPORT_TEXT(HOST, h, pool, pool->name);
    XC_SET(HOST, h, pool_role, host == master ? XC_POOL_COORDINATOR : XC_POOL_MEMBER);
    if (!pool->name && g_hash_table_size(f->mirror->objects[XAPI_HOST]) == 1)
        XC_SET(HOST, h, pool_role, XC_POOL_NONE);
    if (h->pool_role == XC_POOL_COORDINATOR)
        host_leads(h, pool);
}

static bool add_host(struct filling *f, const struct xapi_host *host)
{
    const struct xapi_host_metrics *metrics =
        xapi_mirror_find(f->mirror, XAPI_HOST_METRICS, host->metrics);
    struct xc_host *h = xc_report_host(f->report);
    uint64_t mhz = 0;
    int64_t boot;

    if (!h)
        return false;
    g_hash_table_insert(f->host_at, host->head.ref, GUINT_TO_POINTER(f->report->hosts->len));
    REPORT_TEXT(HOST, h, name, host->name);
    if (!xc_uuid_is_nil(&host->uuid))
        XC_SET(HOST, h, uuid, host->uuid);
    REPORT_TEXT(HOST, h, address, host->address);
    if (host->brand) {
        g_autofree char *product = g_strdup_printf("%s%s%s", host->brand, host->version ? " " : "",
                                                   host->version ? host->version : "");

        REPORT_TEXT(HOST, h, product, product);
    }
    REPORT_TEXT(HOST, h, xen_version, host->xen);
    REPORT_TEXT(HOST, h, kernel, host->kernel);
    REPORT_TEXT(HOST, h, cpu_model, host->cpu_model);
    REPORT_NUMBER(HOST, h, cpus, host->cpus, 1);
    REPORT_NUMBER(HOST, h, sockets, host->sockets, 1);
    REPORT_NUMBER(HOST, h, threads_per_core, host->threads, 1);
    if (host->cpu_mhz && xc_text_to_scaled(host->cpu_mhz, 1, &mhz, NULL) && mhz)
        XC_SET(HOST, h, cpu_mhz, mhz);
    if (metrics) {
        REPORT_NUMBER(HOST, h, mem_total_kib, metrics->memory_total, KIB);
        REPORT_NUMBER(HOST, h, live, metrics->live, 1);
    }
    if (xapi_time(host->boot_time, &boot))
        XC_SET(HOST, h, boot_time, boot);
    host_measured(f, h, host);
    host_in_pool(f, h, host);
    host_updates(h, host);
    return true;
}

static bool add_hosts(struct filling *f, GError **error)
{
    g_autoptr(GPtrArray) hosts = xapi_report_hosts(f->mirror);

    if (hosts->len == 0)
        return xc_fail(error, XC_CAUSE_DRIVER_ERROR, "the pool tells of no host");
    for (guint i = 0; i < hosts->len; i++)
        if (!add_host(f, hosts->pdata[i]))
            return xc_fail(error, XC_CAUSE_LIMIT, "the pool has more than %d hosts", XC_MAX_HOSTS);
    return true;
}

/* --- domains */

static const struct {
    const char *power_state;
    enum xc_domain_state state;
    enum xc_reason reason;
} power_states[] = {
    {"Running", XC_STATE_RUNNING, XC_REASON_NONE},
    {"Paused", XC_STATE_PAUSED, XC_REASON_NONE},
    {"Suspended", XC_STATE_SUSPENDED, XC_REASON_SUSPEND},
    {"Halted", XC_STATE_SHUTDOWN, XC_REASON_NONE},
};

/* What an operation makes of the state that it found. */
static const struct {
    enum xapi_doing doing;
    enum xc_domain_state from, state;
} passing[] = {
    {XAPI_DOING_START, XC_STATE_SHUTDOWN, XC_STATE_PREPARING},
    {XAPI_DOING_RESUME, XC_STATE_SUSPENDED, XC_STATE_RESUMING},
    {XAPI_DOING_SUSPEND, XC_STATE_RUNNING, XC_STATE_SUSPENDING},
    {XAPI_DOING_SHUTDOWN, XC_STATE_RUNNING, XC_STATE_SHUTTING_DOWN},
    {XAPI_DOING_SHUTDOWN, XC_STATE_PAUSED, XC_STATE_SHUTTING_DOWN},
};

static void set_state(struct xc_domain *d, const struct xapi_vm *vm)
{
    for (size_t i = 0; i < G_N_ELEMENTS(power_states); i++) {
        if (g_strcmp0(power_states[i].power_state, vm->power_state) != 0)
            continue;
        XC_SET(DOMAIN, d, state, (uint8_t)power_states[i].state);
        /* Why it was shut down XAPI does not tell. */
        if (power_states[i].state != XC_STATE_SHUTDOWN)
            XC_SET(DOMAIN, d, reason, (uint8_t)power_states[i].reason);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(passing); i++) {
        if (!XC_HAS(DOMAIN, d, state) || vm->doing != passing[i].doing ||
            d->state != passing[i].from)
            continue;
        XC_SET(DOMAIN, d, state, (uint8_t)passing[i].state);
        return;
    }
}

static void set_virt(struct filling *f, struct xc_domain *d, const struct xapi_vm *vm)
{
    static const struct {
        const char *type;
        enum xc_virt virt;
    } types[] = {
        {"hvm", XC_VIRT_HVM}, {"pv", XC_VIRT_PV}, {"pv_in_pvh", XC_VIRT_PV}, {"pvh", XC_VIRT_PVH}};
    const struct xapi_vm_guest_metrics *guest =
        xapi_mirror_find(f->mirror, XAPI_VM_GUEST_METRICS, vm->guest_metrics);

    for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
        if (g_strcmp0(types[i].type, vm->domain_type) == 0)
            XC_SET(DOMAIN, d, virt, (uint8_t)types[i].virt);
    if (XC_HAS(DOMAIN, d, virt) && d->virt == XC_VIRT_HVM && guest && guest->pv_drivers.known &&
        guest->pv_drivers.value)
        XC_SET(DOMAIN, d, virt, XC_VIRT_PVHVM);
}

static void set_kind(struct xc_domain *d, const struct xapi_vm *vm)
{
    enum xc_domain_kind kind = XC_KIND_GUEST;

    if (vm->is_control.known && vm->is_control.value)
        kind = vm->domid.known && vm->domid.value == 0 ? XC_KIND_CONTROL : XC_KIND_DRIVER;
    XC_SET(DOMAIN, d, kind, (uint8_t)kind);
}

/* Where it lives, will live, lived last or is at home; else with the coordinator. */
static uint32_t host_of(const struct filling *f, const struct xapi_vm *vm)
{
    const struct xapi_host *master = xapi_mirror_master(f->mirror);
    const char *const refs[] = {vm->resident_on, vm->going_to, vm->last_host, vm->affinity,
                                master ? master->head.ref : NULL};
    uint32_t at = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(refs) && !at; i++)
        at = ordinal_of(f->host_at, refs[i]);
    return at ? at - 1 : 0;
}

/* Counters of each vCPU that was measured; their sum is the domain's. */
static void add_vcpus(struct filling *f, uint32_t domain, const struct xc_domain *d,
                      const struct xapi_metered *metered)
{
    uint64_t n = XC_HAS(DOMAIN, d, vcpus) ? d->vcpus : 0;

    for (uint32_t i = 0; i < n; i++) {
        struct xc_vcpu *vcpu = xc_report_vcpu(f->report, domain);
        double usec;

        if (!vcpu)
            return;
        XC_SET(VCPU, vcpu, number, i);
        if (metered && xapi_metered_get(metered, XAPI_METER_CPU, i, &usec))
            XC_SET(VCPU, vcpu, cpu_usec, (uint64_t)usec);
    }
}

/* Which counter of a domain is the sum of which meters. */
static const struct {
    unsigned field;
    enum xapi_meter meter;
} sums[] = {
    {XC_DOMAIN_cpu_usec, XAPI_METER_CPU},
    {XC_DOMAIN_net_rx_bytes, XAPI_METER_VIF_RX},
    {XC_DOMAIN_net_tx_bytes, XAPI_METER_VIF_TX},
    {XC_DOMAIN_disk_rd_bytes, XAPI_METER_VBD_READ},
    {XC_DOMAIN_disk_wr_bytes, XAPI_METER_VBD_WRITE},
    {XC_DOMAIN_disk_rd_ops, XAPI_METER_VBD_READS},
    {XC_DOMAIN_disk_wr_ops, XAPI_METER_VBD_WRITES},
};

static void set_counter(void *object, const struct xc_object *type, unsigned field, double value)
{
    *(uint64_t *)(void *)((char *)object + type->fields[field].offset) = (uint64_t)value;
    *(uint64_t *)object |= (uint64_t)1 << field;
}

/* The engine takes another number or host for another life, in which counters begin with nothing. */
static struct xapi_metered *metered_life(struct filling *f, const struct xc_domain *d)
{
    struct xapi_metered *metered = xapi_meters_find(f->meters, &d->uuid);

    if (metered)
        xapi_metered_life(metered, ((uint64_t)d->host << 32 | (uint32_t)d->domid) + 1);
    return metered;
}

static void set_life(struct filling *f, uint32_t at, struct xc_domain *d, const struct xapi_vm *vm,
                     const struct xapi_vm_metrics *metrics)
{
    struct xapi_metered *metered;

    if (vm->domid.known)
        XC_SET(DOMAIN, d, domid, vm->domid.value);
    XC_SET(DOMAIN, d, migrating, vm->doing == XAPI_DOING_MIGRATE);
    if (metrics) {
        REPORT_NUMBER(DOMAIN, d, vcpus, metrics->vcpus, 1);
        REPORT_NUMBER(DOMAIN, d, mem_kib, metrics->memory_actual, KIB);
        if (metrics->started.known)
            XC_SET(DOMAIN, d, started, metrics->started.value);
    }
    metered = metered_life(f, d);
    for (size_t i = 0; metered && i < G_N_ELEMENTS(sums); i++) {
        double value;

        if (xapi_metered_sum(metered, sums[i].meter, &value))
            set_counter(d, &xc_domain_type, sums[i].field, value);
    }
    add_vcpus(f, at, d, metered);
}

/* Its host was not heard of: nobody knows what it does. */
static bool is_unheard(const struct filling *f, const struct xapi_vm *vm)
{
    const struct xapi_host *host = xapi_mirror_find(f->mirror, XAPI_HOST, vm->resident_on);

    return host && !xapi_host_live(f->mirror, host);
}

static bool add_domain(struct filling *f, const struct xapi_vm *vm)
{
    const struct xapi_vm_metrics *metrics =
        xapi_mirror_find(f->mirror, XAPI_VM_METRICS, vm->metrics);
    uint32_t at = f->report->domains->len;
    struct xc_domain *d = xc_report_domain(f->report, host_of(f, vm));
    bool unheard = is_unheard(f, vm);
    bool living = false;

    if (!d)
        return false;
    g_hash_table_insert(f->domain_at, vm->head.ref, GUINT_TO_POINTER(at + 1));
    REPORT_TEXT(DOMAIN, d, name, vm->name);
    if (!xc_uuid_is_nil(&vm->uuid)) {
        XC_SET(DOMAIN, d, uuid, vm->uuid);
        XC_SET(DOMAIN, d, uuid_fixed, 1);
    }
    set_kind(d, vm);
    set_virt(f, d, vm);
    REPORT_NUMBER(DOMAIN, d, vcpus, vm->vcpus_start, 1);
    REPORT_NUMBER(DOMAIN, d, vcpus_max, vm->vcpus_max, 1);
    REPORT_NUMBER(DOMAIN, d, mem_target_kib, vm->memory_dynamic_max, KIB);
    REPORT_NUMBER(DOMAIN, d, mem_max_kib, vm->memory_max, KIB);
    XC_SET(DOMAIN, d, counter_kind, XC_COUNTERS_INTEGRATED);
    if (!unheard) {
        set_state(d, vm);
        living =
            g_strcmp0(vm->power_state, "Running") == 0 || g_strcmp0(vm->power_state, "Paused") == 0;
    }
    if (living)
        set_life(f, at, d, vm, metrics);
    g_array_append_val(f->living, living);
    return d->kind == XC_KIND_CONTROL ||
           xapi_detail_add(f->report, at, vm, living, f->mirror, f->snapshots);
}

static bool add_domains(struct filling *f, GError **error)
{
    GHashTableIter iter;
    gpointer ref, vm;

    g_hash_table_iter_init(&iter, f->news ? f->news : f->mirror->objects[XAPI_VM]);
    while (g_hash_table_iter_next(&iter, &ref, &vm)) {
        vm = f->news ? g_hash_table_lookup(f->mirror->objects[XAPI_VM], ref) : vm;
        if (vm && xapi_vm_is_domain(vm) && !add_domain(f, vm))
            return xc_fail(error, XC_CAUSE_LIMIT, "the pool has more than %d domains",
                           XC_MAX_DOMAINS);
    }
    return true;
}

/* --- devices */

/* Of a domain whose life counts: what was measured of it. */
static const struct xapi_metered *metered_of(const struct filling *f, uint32_t domain)
{
    const struct xc_domain *d = &g_array_index(f->report->domains, struct xc_domain, domain);

    return g_array_index(f->living, bool, domain) ? xapi_meters_find(f->meters, &d->uuid) : NULL;
}

/* Which counter of a device is which meter. */
struct counter {
    unsigned field;
    enum xapi_meter meter;
};
static const struct counter vif_counters[] = {
    {XC_VIF_rx_bytes, XAPI_METER_VIF_RX},
    {XC_VIF_tx_bytes, XAPI_METER_VIF_TX},
};
static const struct counter vbd_counters[] = {
    {XC_VBD_rd_bytes, XAPI_METER_VBD_READ},
    {XC_VBD_wr_bytes, XAPI_METER_VBD_WRITE},
    {XC_VBD_rd_ops, XAPI_METER_VBD_READS},
    {XC_VBD_wr_ops, XAPI_METER_VBD_WRITES},
};

static void set_counters(const struct filling *f, void *device, const struct xc_object *type,
                         const struct counter *counters, size_t n, uint32_t number)
{
    const struct xapi_metered *metered = metered_of(f, ((struct xc_device *)device)->domain);
    double value;

    for (size_t i = 0; metered && i < n; i++)
        if (xapi_metered_get(metered, counters[i].meter, number, &value))
            set_counter(device, type, counters[i].field, value);
}

/* The ordinal + 1 of a device's domain. Where few are told of, all devices are looked at for their sake: references
 * differ in their first letters, which are sooner compared than hashed. */
static uint32_t domain_of(const struct filling *f, const char *vm)
{
    GHashTableIter iter;
    gpointer ref, at;

    if (!vm || g_hash_table_size(f->domain_at) > FEW)
        return ordinal_of(f->domain_at, vm);
    g_hash_table_iter_init(&iter, f->domain_at);
    while (g_hash_table_iter_next(&iter, &ref, &at))
        if (strcmp(ref, vm) == 0)
            return GPOINTER_TO_UINT(at);
    return 0;
}

static bool add_vif(struct filling *f, const struct xapi_vif *vif)
{
    uint32_t at = domain_of(f, vif->vm);
    const struct xapi_network *network;
    struct xc_vif *v;

    if (!at || !vif->device.known)
        return true;
    v = xc_report_vif(f->report, at - 1);
    if (!v)
        return false;
    network = xapi_mirror_find(f->mirror, XAPI_NETWORK, vif->network);
    XC_SET(VIF, v, device, vif->device.value);
    REPORT_TEXT(VIF, v, mac, vif->mac);
    REPORT_TEXT(VIF, v, bridge, network ? network->bridge : NULL);
    set_counters(f, v, &xc_vif_type, vif_counters, G_N_ELEMENTS(vif_counters),
                 (uint32_t)vif->device.value);
    return true;
}

static bool add_vbd(struct filling *f, const struct xapi_vbd *vbd)
{
    uint32_t at = domain_of(f, vbd->vm);
    const struct xapi_vdi *vdi;
    uint32_t number = 0;
    struct xc_vbd *v;

    /* Its name is known once it was attached; before, its place tells which it will be. */
    if (!at || !((vbd->device && xapi_device_number(vbd->device, &number)) || vbd->place.known))
        return true;
    if (!number)
        number = xapi_device_number_at((uint32_t)vbd->place.value);
    v = xc_report_vbd(f->report, at - 1);
    if (!v)
        return false;
    vdi = xapi_mirror_find(f->mirror, XAPI_VDI, vbd->vdi);
    XC_SET(VBD, v, number, number);
    REPORT_TEXT(VBD, v, device, vbd->device);
    REPORT_TEXT(VBD, v, target, vdi ? vdi->name : NULL);
    if (vbd->mode)
        XC_SET(VBD, v, read_only, strcmp(vbd->mode, "RO") == 0);
    set_counters(f, v, &xc_vbd_type, vbd_counters, G_N_ELEMENTS(vbd_counters), number);
    return true;
}

static bool add_point(struct filling *f, const struct xapi_vm *vm)
{
    uint32_t at = xapi_is_point(vm) ? ordinal_of(f->domain_at, vm->snapshot_of) : 0;

    return !at || xapi_point_add(f->report, at - 1, vm);
}

static bool add_devices(struct filling *f, GError **error)
{
    GHashTableIter iter;
    gpointer object;
    bool room = true;

    g_hash_table_iter_init(&iter, f->mirror->objects[XAPI_VIF]);
    while (room && g_hash_table_iter_next(&iter, NULL, &object))
        room = add_vif(f, object);
    g_hash_table_iter_init(&iter, f->mirror->objects[XAPI_VBD]);
    while (room && g_hash_table_iter_next(&iter, NULL, &object))
        room = add_vbd(f, object);
    g_hash_table_iter_init(&iter, f->mirror->objects[XAPI_VM]);
    while (room && g_hash_table_iter_next(&iter, NULL, &object))
        room = add_point(f, object);
    return room || xc_fail(error, XC_CAUSE_LIMIT, "the pool has more than %d devices or snapshots",
                           XC_MAX_DEVICES);
}

bool xapi_report_fill(struct xc_report *report, const struct xapi_mirror *mirror,
                      struct xapi_meters *meters, GError **error)
{
    struct filling f = {
        .report = report,
        .mirror = mirror,
        .meters = meters,
        .host_at = g_hash_table_new(g_str_hash, g_str_equal),
        .domain_at = g_hash_table_new(g_str_hash, g_str_equal),
        .snapshots = xapi_snapshots(mirror),
        .news = report->news ? xapi_mirror_news(mirror) : NULL,
        .living = g_array_new(FALSE, FALSE, sizeof(bool)),
    };
    bool ok = add_hosts(&f, error) && add_domains(&f, error) && add_devices(&f, error) &&
              xapi_storage_add(report, mirror, f.host_at, error);

    if (ok)
        xapi_notices_add(report, mirror);
    g_hash_table_unref(f.host_at);
    g_hash_table_unref(f.domain_at);
    g_hash_table_unref(f.snapshots);
    if (f.news)
        g_hash_table_unref(f.news);
    g_array_unref(f.living);
    return ok;
}
