/* Snapshots of a VM. For XAPI they are VMs too, with disks of their own. */
#include "xenclient/drivers/xapi_point.h"

#include "xenclient/drivers/xapi_report.h"

#include <string.h>

#define NULL_REF "OpaqueRef:NULL"

/* The VM that the order names; NULL with an error. */
static const char *owner(struct xapi_job *job, GError **error)
{
    char uuid[XC_UUID_TEXT];

    xc_uuid_format(&job->order->uuid, uuid);
    if (!job->owner_ref)
        job->owner_ref = xapi_job_ask_text(job, "VM.get_by_uuid", XAPI_WITH(uuid), error);
    return job->owner_ref;
}

bool xapi_point_check(struct xapi_job *job, GError **error)
{
    const char *of = owner(job, error);
    bool snapshot = job->vm->is_snapshot.known && job->vm->is_snapshot.value;

    if (!of)
        return false;
    return (snapshot && g_strcmp0(job->vm->snapshot_of, of) == 0) ||
           xc_fail(error, XC_CAUSE_NO_SUCH_TARGET, "%s is no snapshot of %s", job->order->snapshot,
                   job->order->name);
}

/* Is one of these VMs, which may be NULL with an error, of the name that is to be given, and of that kind? */
static bool find_made(struct xapi_job *job, const GPtrArray *refs, bool domain, bool *yes,
                      GError **error)
{
    for (guint i = 0; refs && i < refs->len && !*yes; i++) {
        g_autoptr(GError) why = NULL;
        struct xapi_vm *vm = xapi_job_ask_record(job, XAPI_VM, refs->pdata[i], &why);

        *yes =
            vm && g_strcmp0(vm->name, job->order->snapshot) == 0 && xapi_vm_is_domain(vm) == domain;
        xapi_object_free(vm);
        if (why) {
            g_propagate_error(error, g_steal_pointer(&why));
            return false;
        }
    }
    return refs != NULL;
}

bool xapi_point_taken(struct xapi_job *job, bool *yes, GError **error)
{
    g_autoptr(GPtrArray) refs = NULL;

    *yes = false;
    if (!job->vm)
        return true;
    refs = xapi_job_ask_refs(job, "VM.get_snapshots", XAPI_WITH(job->vm_ref), error);
    return find_made(job, refs, false, yes, error);
}

bool xapi_point_cloned(struct xapi_job *job, bool *yes, GError **error)
{
    g_autoptr(GPtrArray) refs =
        xapi_job_ask_refs(job, "VM.get_by_name_label", XAPI_WITH(job->order->snapshot), error);

    *yes = false;
    return find_made(job, refs, true, yes, error);
}

bool xapi_point_reverted(struct xapi_job *job, bool *yes, GError **error)
{
    const char *of = owner(job, error);
    g_autoptr(GError) why = NULL;
    struct xapi_vm *vm;

    *yes = false;
    if (!of)
        return false;
    vm = xapi_job_ask_record(job, XAPI_VM, of, &why);
    *yes = vm && job->vm && g_strcmp0(vm->power_state, job->vm->power_state) == 0;
    xapi_object_free(vm);
    if (!why)
        return true;
    g_propagate_error(error, g_steal_pointer(&why));
    return false;
}

/* --- disks */

/* What is gone already was destroyed by an earlier attempt: no error. */
static bool unless_gone(struct xapi_job *job, GError **why, GError **error)
{
    if (*why && !xapi_link_said(job->link, "HANDLE_INVALID")) {
        g_propagate_error(error, g_steal_pointer(why));
        return false;
    }
    g_clear_error(why);
    return true;
}

static bool destroy_disk(struct xapi_job *job, const char *vdi, GError **error)
{
    g_autoptr(GError) why = NULL;

    if (strcmp(vdi, NULL_REF) != 0)
        xapi_job_ask(job, "VDI.destroy", XAPI_WITH(vdi), NULL, NULL, &why);
    return unless_gone(job, &why, error);
}

/* What other VMs have attached too stays, and so does what is no disk: a CD. */
static bool strip_device(struct xapi_job *job, const char *vbd, GError **error)
{
    g_autoptr(GError) why = NULL;
    g_autofree char *type = xapi_job_ask_text(job, "VBD.get_type", XAPI_WITH(vbd), &why);
    g_autofree char *vdi = NULL;
    g_autoptr(GPtrArray) users = NULL;

    if (type && strcmp(type, "Disk") == 0)
        vdi = xapi_job_ask_text(job, "VBD.get_VDI", XAPI_WITH(vbd), &why);
    if (vdi && strcmp(vdi, NULL_REF) != 0)
        users = xapi_job_ask_refs(job, "VDI.get_VBDs", XAPI_WITH(vdi), &why);
    if (!unless_gone(job, &why, error))
        return false;
    return !users || users->len > 1 || destroy_disk(job, vdi, error);
}

bool xapi_point_strip(struct xapi_job *job, GError **error)
{
    g_autoptr(GPtrArray) vbds = NULL;
    g_autofree char *memory = NULL;

    /* Better known before its disks are gone. */
    if (!xapi_job_ask(job, "VM.assert_operation_valid", XAPI_WITH(job->vm_ref, "destroy"), NULL,
                      NULL, error))
        return false;
    vbds = xapi_job_ask_refs(job, "VM.get_VBDs", XAPI_WITH(job->vm_ref), error);
    for (guint i = 0; vbds && i < vbds->len; i++)
        if (!strip_device(job, vbds->pdata[i], error))
            return false;
    if (vbds)
        memory = xapi_job_ask_text(job, "VM.get_suspend_VDI", XAPI_WITH(job->vm_ref), error);
    return memory && destroy_disk(job, memory, error);
}
