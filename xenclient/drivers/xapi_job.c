/* Calls, following, and reading back. */
#include "xenclient/drivers/xapi_job.h"

#include "xenclient/drivers/xapi_create.h"
#include "xenclient/drivers/xapi_error.h"
#include "xenclient/drivers/xapi_host.h"
#include "xenclient/drivers/xapi_move.h"
#include "xenclient/drivers/xapi_point.h"
#include "xenclient/drivers/xapi_task.h"

#define STEP_USEC     (100 * 1000)
#define STEP_MAX_USEC XC_USEC_PER_SEC
/* A task may end before the VM's record shows what it did. */
#define READ_BACK_USEC (10 * XC_USEC_PER_SEC)
#define READ_STEP_USEC (300 * 1000)

void xapi_job_tell(const struct xapi_job *job, const char *phase, int percent)
{
    if (job->progress)
        job->progress(phase, percent, job->data);
}

/* --- single calls */

bool xapi_job_call(struct xapi_job *job, struct xapi_args *args, const struct xapi_want *want,
                   GError **error)
{
    bool ok = xapi_link_call(job->link, args, want, job->call, error);

    xapi_args_free(args);
    return ok;
}

bool xapi_job_ask(struct xapi_job *job, const char *method, const char *const *texts,
                  const struct xc_xmlrpc_sink *sink, void *data, GError **error)
{
    struct xapi_args *args = xapi_args_new(method);
    const struct xapi_want want = {sink, data, 0};

    for (; *texts; texts++)
        xapi_args_text(args, *texts);
    return xapi_job_call(job, args, &want, error);
}

GPtrArray *xapi_job_ask_refs(struct xapi_job *job, const char *method, const char *const *texts,
                             GError **error)
{
    g_autoptr(GPtrArray) refs = g_ptr_array_new_with_free_func(g_free);

    return xapi_job_ask(job, method, texts, &xapi_texts_sink, refs, error) ? g_steal_pointer(&refs)
                                                                           : NULL;
}

char *xapi_job_ask_text(struct xapi_job *job, const char *method, const char *const *texts,
                        GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);

    return xapi_job_ask(job, method, texts, &xapi_scalar_sink, text, error) ? g_strdup(text->str)
                                                                            : NULL;
}

void *xapi_job_ask_record(struct xapi_job *job, enum xapi_class class, const char *ref,
                          GError **error)
{
    g_autofree char *method = g_strconcat(xapi_class_name(class), ".get_record", NULL);
    struct xapi_record record = {.class = class};
    g_autoptr(GError) why = NULL;

    if (xapi_job_ask(job, method, XAPI_WITH(ref), &xapi_record_sink, &record, &why))
        return record.object;
    xapi_object_free(record.object);
    if (!xapi_link_said(job->link, "HANDLE_INVALID"))
        g_propagate_error(error, g_steal_pointer(&why));
    return NULL;
}

char *xapi_job_master(struct xapi_job *job, GError **error)
{
    g_autoptr(GPtrArray) pools = xapi_job_ask_refs(job, "pool.get_all", XAPI_WITH(NULL), error);

    if (pools && pools->len == 0)
        xc_fail(error, XC_CAUSE_DRIVER_ERROR, "the server tells of no pool");
    return pools && pools->len
               ? xapi_job_ask_text(job, "pool.get_master", XAPI_WITH(pools->pdata[0]), error)
               : NULL;
}

bool xapi_job_read_vm(struct xapi_job *job, GError **error)
{
    bool of_snapshot = xapi_method_of_snapshot(job->method);
    g_autoptr(GError) why = NULL;
    char uuid[XC_UUID_TEXT];

    xc_uuid_format(&job->order->uuid, uuid);
    g_clear_pointer(&job->vm, xapi_object_free);
    if (!job->vm_ref)
        job->vm_ref = xapi_job_ask_text(job, "VM.get_by_uuid",
                                        XAPI_WITH(of_snapshot ? job->order->snapshot : uuid), &why);
    if (job->vm_ref)
        job->vm = xapi_job_ask_record(job, XAPI_VM, job->vm_ref, &why);
    if (!why || xapi_link_said(job->link, "UUID_INVALID"))
        return true;
    g_propagate_error(error, g_steal_pointer(&why));
    return false;
}

bool xapi_job_find_host(struct xapi_job *job, const char *uuid, GError **error)
{
    g_autoptr(GError) why = NULL;
    char *ref;

    if (*job->host || !*uuid)
        return true;
    ref = xapi_job_ask_text(job, "host.get_by_uuid", XAPI_WITH(uuid), &why);
    if (ref) {
        g_free(job->host);
        job->host = ref;
        return true;
    }
    if (xapi_link_said(job->link, "UUID_INVALID"))
        return xc_fail(error, XC_CAUSE_NO_SUCH_HOST, "the pool has no host %s", uuid);
    g_propagate_error(error, g_steal_pointer(&why));
    return false;
}

/* --- how it ended */

bool xapi_job_reached(struct xapi_job *job, bool *yes, GError **error)
{
    g_autoptr(GError) why = NULL;
    struct xapi_vm_metrics *metrics = NULL;

    if (job->method->shape == XAPI_SHAPE_HOST)
        return xapi_host_reached(job, yes, error);
    if (job->method->shape == XAPI_SHAPE_COPY)
        return xapi_create_copied(job, yes, error);
    if (!xapi_job_read_vm(job, error))
        return false;
    if (job->method->shape == XAPI_SHAPE_MOVE)
        return xapi_move_reached(job, yes, error);
    if (job->method->shape == XAPI_SHAPE_TAKE)
        return xapi_point_taken(job, yes, error);
    if (job->method->shape == XAPI_SHAPE_CLONE)
        return xapi_point_cloned(job, yes, error);
    if (job->method->shape == XAPI_SHAPE_REVERT)
        return xapi_point_reverted(job, yes, error);
    if (job->vm && job->vm->metrics && job->order->action == XC_ACTION_SET_VCPUS)
        metrics = xapi_job_ask_record(job, XAPI_VM_METRICS, job->vm->metrics, &why);
    *yes = xapi_method_reached(job->method, job->order, job->host, job->vm, metrics);
    xapi_object_free(metrics);
    if (!why)
        return true;
    g_propagate_error(error, g_steal_pointer(&why));
    return false;
}

/* For people. Newly allocated. */
static char *describe(const struct xapi_job *job)
{
    if (job->method->shape == XAPI_SHAPE_HOST)
        return g_strdup("host");
    if (job->method->shape == XAPI_SHAPE_REVERT)
        return g_strdup("VM");
    return g_strdup_printf("VM (%s)",
                           job->vm && job->vm->power_state ? job->vm->power_state : "gone");
}

/* What has left one pool may not be seen in the other yet. */
static bool reached_by_now(struct xapi_job *job, bool *yes, GError **error)
{
    gint64 until = xc_clock_mono() + READ_BACK_USEC;

    while (xapi_job_reached(job, yes, error)) {
        if (*yes || !job->move || job->vm || xc_clock_mono() >= until)
            return true;
        if (!xc_call_wait(job->call, -1, 0, READ_STEP_USEC, "reading back", error))
            return false;
    }
    return false;
}

bool xapi_job_judge(struct xapi_job *job, GError **error)
{
    g_autofree char *what = NULL;
    bool yes = false;

    if (!reached_by_now(job, &yes, error))
        return false;
    what = describe(job);
    if (yes && job->method->decisive)
        xc_outcome_set(job->outcome, XC_RESULT_OK, XC_CAUSE_NONE, "%s", "");
    else
        xc_outcome_set(job->outcome, XC_RESULT_LOST, XC_CAUSE_LOST,
                       "XAPI knows no task of it any more, and the %s does not show whether it was "
                       "done",
                       what);
    return true;
}

static bool read_back(struct xapi_job *job, GError **error)
{
    gint64 until = xc_clock_mono() + READ_BACK_USEC;
    bool yes = false;

    xapi_job_tell(job, "reading back", 100);
    while (xapi_job_reached(job, &yes, error)) {
        if (yes || xc_clock_mono() >= until) {
            g_autofree char *what = describe(job);

            if (yes)
                xc_outcome_set(job->outcome, XC_RESULT_OK, XC_CAUSE_NONE, "%s", "");
            else
                xc_outcome_set(job->outcome, XC_RESULT_FAILED, XC_CAUSE_DRIVER_ERROR,
                               "XAPI said it was done, but the %s is not as it was to be", what);
            return true;
        }
        if (!xc_call_wait(job->call, -1, 0, READ_STEP_USEC, "reading back", error))
            return false;
    }
    return false;
}

void xapi_job_set_stopped(struct xapi_job *job, const char *words)
{
    xc_outcome_set(job->outcome, job->out_of_time ? XC_RESULT_TIMED_OUT : XC_RESULT_CANCELLED,
                   job->out_of_time ? XC_CAUSE_TIMED_OUT : XC_CAUSE_CANCELLED, "%s",
                   job->out_of_time && !*words ? "not done within the time allowed; stopped"
                                               : words);
}

bool xapi_job_not_begun(struct xapi_job *job, GError *why, GError **error)
{
    if (!xapi_link_refused(job->link)) {
        g_propagate_error(error, why);
        return false;
    }
    job->over = true;
    xc_outcome_from_error(job->outcome, why);
    g_error_free(why);
    return true;
}

static bool finish(struct xapi_job *job, const struct xapi_task *seen, GError **error)
{
    g_autofree char *words = xapi_words(seen->words);
    const char *code = seen->words->len ? seen->words->pdata[0] : "";

    job->over = true;
    if (seen->status == XAPI_TASK_SUCCESS && !read_back(job, error))
        return false;
    if (seen->status == XAPI_TASK_CANCELLED && job->ending)
        xapi_job_set_stopped(job, "");
    else if (seen->status != XAPI_TASK_SUCCESS)
        xc_outcome_set(job->outcome,
                       seen->status == XAPI_TASK_CANCELLED ? XC_RESULT_CANCELLED : XC_RESULT_FAILED,
                       seen->status == XAPI_TASK_CANCELLED ? XC_CAUSE_CANCELLED : xapi_cause(code),
                       "%s", words);
    /* One that stays is removed by XAPI after an hour. */
    xapi_job_ask(job, "task.destroy", XAPI_WITH(job->task), NULL, NULL, NULL);
    return true;
}

bool xapi_job_count_tasks(struct xapi_job *job, gint64 since, unsigned *n, bool *running,
                          GError **error)
{
    g_autofree char *label = g_strconcat("Async.", xapi_method_name(job->method, job->host), NULL);
    g_autoptr(GPtrArray) refs =
        xapi_job_ask_refs(job, "task.get_by_name_label", XAPI_WITH(label), error);

    *n = 0;
    *running = false;
    for (guint i = 0; refs && i < refs->len; i++) {
        g_autoptr(GError) why = NULL;
        struct xapi_task seen;
        bool ok;

        xapi_task_init(&seen);
        ok = xapi_job_ask(job, "task.get_record", XAPI_WITH(refs->pdata[i]), &xapi_task_sink, &seen,
                          &why);
        /* One that does not tell when it was made may be the one. */
        if (ok && (!seen.created || seen.created >= since)) {
            (*n)++;
            *running = *running || !xapi_task_is_over(seen.status);
        }
        xapi_task_clear(&seen);
        if (!ok && !xapi_link_said(job->link, "HANDLE_INVALID")) {
            g_propagate_error(error, g_steal_pointer(&why));
            return false;
        }
    }
    return refs != NULL;
}

/* --- following */

/* Asked once; it may be done all the same, which its end will tell. */
static void cancel(struct xapi_job *job, const struct xapi_task *seen)
{
    if (!job->ending || job->cancel_sent || !seen->may_cancel)
        return;
    xapi_job_tell(job, "cancelling", seen->percent);
    job->cancel_sent = xapi_job_ask(job, "task.cancel", XAPI_WITH(job->task), NULL, NULL, NULL);
}

bool xapi_job_follow(struct xapi_job *job, GError **error)
{
    for (gint64 step = STEP_USEC;; step = MIN(step * 2, STEP_MAX_USEC)) {
        g_autoptr(GError) why = NULL;
        struct xapi_task seen;
        bool ok, over;

        xapi_task_init(&seen);
        ok = xapi_job_ask(job, "task.get_record", XAPI_WITH(job->task), &xapi_task_sink, &seen,
                          &why);
        over = ok && xapi_task_is_over(seen.status);
        if (ok && !over) {
            xapi_job_tell(job, job->method->phase, seen.percent);
            cancel(job, &seen);
        }
        if (over)
            ok = finish(job, &seen, error);
        xapi_task_clear(&seen);
        if (over)
            return ok;
        if (!ok && xapi_link_said(job->link, "HANDLE_INVALID"))
            return xapi_job_judge(job, error);
        if (!ok) {
            g_propagate_error(error, g_steal_pointer(&why));
            return false;
        }
        if (!xc_call_wait(job->call, -1, 0, step, "following the operation", error))
            return false;
    }
}

bool xapi_job_carry_out(struct xapi_job *job, struct xapi_args *args, GError **error)
{
    g_autoptr(GString) task = g_string_new(NULL);
    const struct xapi_want want = {&xapi_scalar_sink, task, 0};
    GError *why = NULL;

    xapi_job_tell(job, job->method->phase, -1);
    if (!xapi_job_call(job, args, &want, &why))
        return xapi_job_not_begun(job, why, error);
    g_free(job->task);
    job->task = g_strdup(task->str);
    return xapi_job_follow(job, error);
}
