/* What a guest's agent told XAPI, and what administrators and XAPI itself keep of a VM. */
#include "xenclient/drivers/xapi_detail.h"

struct snapshots {
    uint64_t count;
    int64_t newest; /* 0: no time is known */
};

bool xapi_is_point(const struct xapi_vm *vm)
{
    return vm->snapshot_of && vm->is_snapshot.known && vm->is_snapshot.value;
}

GHashTable *xapi_snapshots(const struct xapi_mirror *mirror)
{
    GHashTable *all = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
    GHashTableIter iter;
    gpointer object;

    g_hash_table_iter_init(&iter, mirror->objects[XAPI_VM]);
    while (g_hash_table_iter_next(&iter, NULL, &object)) {
        const struct xapi_vm *vm = object;
        struct snapshots *of;

        if (!xapi_is_point(vm))
            continue;
        of = g_hash_table_lookup(all, vm->snapshot_of);
        if (!of) {
            of = g_new0(struct snapshots, 1);
            g_hash_table_insert(all, vm->snapshot_of, of);
        }
        of->count++;
        if (vm->snapshot_time.known)
            of->newest = MAX(of->newest, vm->snapshot_time.value);
    }
    return all;
}

static void set_text(struct xc_report *report, struct xc_detail *detail, enum xc_detail_field field,
                     const char *value)
{
    const struct xc_field *of = &xc_detail_type.fields[field];

    if (!value)
        return;
    *(const char **)(void *)((char *)detail + of->offset) = xc_report_text(report, value, -1);
    detail->has |= (uint64_t)1 << field;
}

/* Of a VM without the object nothing was heard from inside; one whose object is not there yet may have told. */
static void set_guest(struct xc_report *report, struct xc_detail *detail, const struct xapi_vm *vm,
                      bool living, const struct xapi_vm_guest_metrics *guest)
{
    enum xc_tools tools = XC_TOOLS_NONE;

    if (guest)
        set_text(report, detail, XC_DETAIL_os, guest->os);
    if (!living || (vm->guest_metrics && !guest))
        return;
    if (guest)
        set_text(report, detail, XC_DETAIL_addresses, guest->addresses);
    if (guest && !guest->pv_drivers.known)
        tools = XC_TOOLS_UNKNOWN;
    else if (guest && guest->pv_drivers.value)
        tools = guest->pv_drivers_new.known && !guest->pv_drivers_new.value ? XC_TOOLS_OLD
                                                                            : XC_TOOLS_OK;
    XC_SET(DETAIL, detail, tools, (uint8_t)tools);
}

bool xapi_detail_add(struct xc_report *report, uint32_t domain, const struct xapi_vm *vm,
                     bool living, const struct xapi_mirror *mirror, GHashTable *snapshots)
{
    struct xc_detail *detail = xc_report_detail(report, domain);
    const struct snapshots *of = g_hash_table_lookup(snapshots, vm->head.ref);

    if (!detail)
        return false;
    set_guest(report, detail, vm, living,
              xapi_mirror_find(mirror, XAPI_VM_GUEST_METRICS, vm->guest_metrics));
    set_text(report, detail, XC_DETAIL_tags, vm->tags);
    set_text(report, detail, XC_DETAIL_template,
             vm->base_template ? vm->base_template : vm->reference_label);
    XC_SET(DETAIL, detail, snapshots, of ? of->count : 0);
    if (of && of->newest)
        XC_SET(DETAIL, detail, snapshot_time, of->newest);
    return true;
}

/* A hash of the UUID (FNV-1a): the same number for the same snapshot, without a list that is kept. Two of one domain that
 * agree are less likely than one in a billion; the second is then not shown. */
static int64_t number_of(const struct xc_uuid *uuid)
{
    uint32_t hash = 0x811c9dc5u;

    for (size_t i = 0; i < sizeof(uuid->b); i++)
        hash = (hash ^ uuid->b[i]) * 0x01000193u;
    return MAX(hash & G_MAXINT32, 1);
}

bool xapi_point_add(struct xc_report *report, uint32_t domain, const struct xapi_vm *vm)
{
    bool memory = g_strcmp0(vm->power_state, "Suspended") == 0;
    struct xc_point *point;

    if (xc_uuid_is_nil(&vm->uuid))
        return true;
    point = xc_report_point(report, domain);
    if (!point)
        return false;
    XC_SET(POINT, point, number, number_of(&vm->uuid));
    XC_SET(POINT, point, uuid, vm->uuid);
    XC_SET(POINT, point, kind, (uint8_t)(memory ? XC_POINT_CHECKPOINT : XC_POINT_DISK));
    if (vm->name)
        XC_SET(POINT, point, name, xc_report_text(report, vm->name, -1));
    if (vm->snapshot_time.known)
        XC_SET(POINT, point, taken, vm->snapshot_time.value);
    return true;
}
