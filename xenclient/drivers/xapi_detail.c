/* What a guest's agent told XAPI, and what administrators and XAPI itself keep of a VM. */
#include "xenclient/drivers/xapi_detail.h"

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

static void set_snapshots(struct xc_detail *detail, const struct xapi_object *owned)
{
    uint64_t count = 0;
    int64_t newest = 0;

    for (; owned; owned = owned->next) {
        const struct xapi_vm *point = (const struct xapi_vm *)owned;

        if (owned->class != XAPI_VM)
            continue;
        count++;
        if (point->snapshot_time.known)
            newest = MAX(newest, point->snapshot_time.value);
    }
    XC_SET(DETAIL, detail, snapshots, count);
    if (newest)
        XC_SET(DETAIL, detail, snapshot_time, newest);
}

/* Its turn and delay are about a vApp alone: of a VM in none they mean nothing. */
static void set_appliance(struct xc_report *report, struct xc_detail *detail,
                          const struct xapi_vm *vm, const struct xapi_vm_appliance *appliance)
{
    if (!appliance || xc_uuid_is_nil(&appliance->uuid))
        return;
    XC_SET(DETAIL, detail, appliance_uuid, appliance->uuid);
    set_text(report, detail, XC_DETAIL_appliance_name, appliance->name);
    if (vm->order.known)
        XC_SET(DETAIL, detail, start_order, vm->order.value);
    if (vm->start_delay.known)
        XC_SET(DETAIL, detail, start_delay_sec, (uint64_t)vm->start_delay.value);
}

bool xapi_detail_add(struct xc_report *report, uint32_t domain, const struct xapi_vm *vm,
                     bool living, const struct xapi_mirror *mirror)
{
    struct xc_detail *detail = xc_report_detail(report, domain);

    if (!detail)
        return false;
    set_guest(report, detail, vm, living,
              xapi_mirror_find(mirror, XAPI_VM_GUEST_METRICS, vm->guest_metrics));
    set_text(report, detail, XC_DETAIL_tags, vm->tags);
    set_text(report, detail, XC_DETAIL_template,
             vm->base_template ? vm->base_template : vm->reference_label);
    set_snapshots(detail, xapi_mirror_owned(mirror, vm->head.ref));
    set_appliance(report, detail, vm, xapi_mirror_find(mirror, XAPI_VM_APPLIANCE, vm->appliance));
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
