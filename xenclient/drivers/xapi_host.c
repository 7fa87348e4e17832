/* Operations on hosts. Each may be done again without harm, so nothing is written on the host: whoever comes back looks
 * whether the host is as it was to be, waits for an evacuation that goes on, and else begins again. */
#include "xenclient/drivers/xapi_host.h"

/* Is there a VM on it that could be moved? */
static bool is_used(struct xapi_job *job, bool *used, GError **error)
{
    g_autoptr(GPtrArray) vms =
        xapi_job_ask_refs(job, "host.get_resident_VMs", XAPI_WITH(job->host), error);

    *used = false;
    for (guint i = 0; vms && i < vms->len && !*used; i++) {
        g_autoptr(GError) why = NULL;
        struct xapi_vm *vm = xapi_job_ask_record(job, XAPI_VM, vms->pdata[i], &why);

        *used = vm && !(vm->is_control.known && vm->is_control.value);
        xapi_object_free(vm);
        if (why) {
            g_propagate_error(error, g_steal_pointer(&why));
            return false;
        }
    }
    return vms != NULL;
}

bool xapi_host_reached(struct xapi_job *job, bool *yes, GError **error)
{
    bool enable = job->order->action == XC_ACTION_HOST_ENABLE;
    g_autoptr(GError) why = NULL;
    struct xapi_host *host = xapi_job_ask_record(job, XAPI_HOST, job->host, &why);
    bool used = false;

    *yes = host && host->enabled.known && (host->enabled.value != 0) == enable;
    xapi_object_free(host);
    if (why) {
        g_propagate_error(error, g_steal_pointer(&why));
        return false;
    }
    if (*yes && job->order->action == XC_ACTION_EVACUATE && !is_used(job, &used, error))
        return false;
    *yes = *yes && !used;
    return true;
}

static bool send(struct xapi_job *job, GError **error)
{
    GError *why = NULL;

    job->sent = true;
    /* XAPI evacuates only hosts that take no new VMs. */
    if (job->order->action == XC_ACTION_EVACUATE &&
        !xapi_job_ask(job, "host.disable", XAPI_WITH(job->host), NULL, NULL, &why))
        return xapi_job_not_begun(job, why, error);
    return xapi_job_carry_out(
        job, xapi_method_args(job->method, "Async.", job->host, "", job->order), error);
}

/* It may have been begun before. */
static bool look(struct xapi_job *job, GError **error)
{
    bool yes = false;
    bool running = false;
    unsigned n;

    if (job->task)
        return xapi_job_follow(job, error);
    if (!xapi_host_reached(job, &yes, error))
        return false;
    if (yes) {
        xc_outcome_set(job->outcome, XC_RESULT_OK, XC_CAUSE_NONE, "%s", "");
        return true;
    }
    if (!xapi_job_count_tasks(job, 0, &n, &running, error) || running)
        return false;
    if (job->ending) {
        xapi_job_set_stopped(job, "");
        return true;
    }
    return send(job, error);
}

bool xapi_host_attempt(struct xapi_job *job, GError **error)
{
    if (!job->link)
        job->link = xapi_link_open(job->spec, job->env, job->call, error);
    if (!job->link || !xapi_job_find_host(job, job->order->host_from, error))
        return false;
    if (!*job->host)
        return xc_fail(error, XC_CAUSE_NO_SUCH_HOST, "no host of the pool was named");
    return job->sent ? look(job, error) : send(job, error);
}
