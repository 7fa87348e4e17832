/* A VM from a template: copied, named, provisioned, and then started as any other (xapi_actions.c).
 *
 * Before the copy there is no VM to write a mark on, and templates are everybody's. So the intent is a task that is made for
 * it, with the operation's uuid in its name: XAPI keeps that for a day and dates it. The copy has the uuid in its name, too,
 * so it can't be there unnoticed; then the uuid goes into its other_config, and it takes the name that it is to have.
 * Whoever comes back finds:
 *
 *   neither VM nor intent           it never began: it is begun now
 *   the intent alone                a copy that is under way since may be ours and is waited for. One that has ended may
 *                                   have been: nothing is copied again, the outcome is lost. Else it is copied now
 *   the VM, a template              it is provisioned, or that is waited for: XAPI does it once
 *   the VM, but not all its disks   provisioning failed: it is removed
 *   the VM                          it is started, with the mark and task of any start
 *
 * What fails before it has its disks is removed, and stays afterwards: it can be started when the cause has gone. */
#include "xenclient/drivers/xapi_create.h"

#include "xenclient/drivers/xapi_mark.h"
#include "xenclient/drivers/xapi_point.h"
#include "xenclient/drivers/xapi_task.h"

#include <string.h>

/* --- names */

static char *fence_name(const struct xapi_job *job)
{
    char uuid[XC_UUID_TEXT];

    xc_uuid_format(&job->order->op, uuid);
    return g_strdup_printf("xensnmp %s", uuid);
}

/* What the copy is called at first. */
static char *first_name(const struct xapi_job *job)
{
    g_autofree char *fence = fence_name(job);

    return g_strdup_printf("%s (%s)", job->order->name, fence);
}

static bool is_ours(const struct xapi_job *job, const struct xapi_vm *vm)
{
    struct xc_uuid op;

    return vm->made_by && xc_uuid_parse(vm->made_by, &op) && xc_uuid_equal(&op, &job->order->op);
}

/* --- what is there */

/* The VM of that name, if it is ours, becomes job->vm. */
static bool find_named(struct xapi_job *job, const char *name, bool first, GError **error)
{
    g_autoptr(GPtrArray) refs =
        xapi_job_ask_refs(job, "VM.get_by_name_label", XAPI_WITH(name), error);

    for (guint i = 0; refs && i < refs->len && !job->vm; i++) {
        g_autoptr(GError) why = NULL;
        struct xapi_vm *vm = xapi_job_ask_record(job, XAPI_VM, refs->pdata[i], &why);

        if (vm && (first || is_ours(job, vm))) {
            job->vm = vm;
            job->vm_ref = g_strdup(refs->pdata[i]);
        } else {
            xapi_object_free(vm);
        }
        if (why) {
            g_propagate_error(error, g_steal_pointer(&why));
            return false;
        }
    }
    return refs != NULL;
}

static bool find(struct xapi_job *job, GError **error)
{
    g_autofree char *first = first_name(job);

    if (job->vm_ref)
        return xapi_job_read_vm(job, error);
    return find_named(job, first, true, error) &&
           (job->vm || find_named(job, job->order->name, false, error));
}

bool xapi_create_copied(struct xapi_job *job, bool *yes, GError **error)
{
    *yes = false;
    if (!find(job, error))
        return false;
    *yes = job->vm != NULL;
    return true;
}

static bool find_fence(struct xapi_job *job, GError **error)
{
    g_autofree char *name = fence_name(job);
    g_autoptr(GPtrArray) refs = NULL;

    if (job->fence)
        return true;
    refs = xapi_job_ask_refs(job, "task.get_by_name_label", XAPI_WITH(name), error);
    if (refs && refs->len)
        job->fence = g_strdup(refs->pdata[0]);
    return refs != NULL;
}

/* References of what the order may mean by the template. */
static GPtrArray *candidates(struct xapi_job *job, GError **error)
{
    const char *name = job->order->config;
    struct xc_uuid uuid;
    g_autoptr(GError) why = NULL;
    GPtrArray *refs;
    char *ref;

    if (!xc_uuid_parse(name, &uuid))
        return xapi_job_ask_refs(job, "VM.get_by_name_label", XAPI_WITH(name), error);
    refs = g_ptr_array_new_with_free_func(g_free);
    ref = xapi_job_ask_text(job, "VM.get_by_uuid", XAPI_WITH(name), &why);
    if (ref)
        g_ptr_array_add(refs, ref);
    if (!why || xapi_link_said(job->link, "UUID_INVALID"))
        return refs;
    g_ptr_array_unref(refs);
    g_propagate_error(error, g_steal_pointer(&why));
    return NULL;
}

static bool is_kind(const struct xapi_vm *vm, bool template)
{
    return vm && (vm->is_template.known && vm->is_template.value) == template &&
           !(vm->is_snapshot.known && vm->is_snapshot.value);
}

/* The one template; NULL with an error. */
static char *find_template(struct xapi_job *job, GError **error)
{
    g_autoptr(GPtrArray) refs = candidates(job, error);
    g_autofree char *found = NULL;
    unsigned n = 0;

    for (guint i = 0; refs && i < refs->len; i++) {
        g_autoptr(GError) why = NULL;
        struct xapi_vm *vm = xapi_job_ask_record(job, XAPI_VM, refs->pdata[i], &why);

        if (is_kind(vm, true) && ++n == 1)
            found = g_strdup(refs->pdata[i]);
        xapi_object_free(vm);
        if (why) {
            g_propagate_error(error, g_steal_pointer(&why));
            return NULL;
        }
    }
    if (refs && n == 0)
        xc_fail(error, XC_CAUSE_NO_SUCH_TARGET, "the pool has no template %s", job->order->config);
    else if (n > 1)
        xc_fail(error, XC_CAUSE_AMBIGUOUS,
                "%u templates of the pool have the name %s: tell it by its uuid", n,
                job->order->config);
    return n == 1 ? g_steal_pointer(&found) : NULL;
}

/* --- steps: true when the step's outcome is set */

static bool is_ok(const struct xapi_job *job)
{
    return job->outcome->result == XC_RESULT_OK;
}

static bool is_stopped(struct xapi_job *job)
{
    if (job->ending)
        xapi_job_set_stopped(job, "it was not begun, or not gone on with");
    return job->ending;
}

static bool send_copy(struct xapi_job *job, const char *template, GError **error)
{
    g_autofree char *name = first_name(job);
    struct xc_order order = *job->order;

    order.snapshot = name;
    return xapi_job_carry_out(job, xapi_method_args(job->method, "Async.", template, "", &order),
                              error);
}

/* Is the name free that it is to have? By it the new domain is found. */
static bool check_name(struct xapi_job *job, GError **error)
{
    g_autoptr(GPtrArray) refs =
        xapi_job_ask_refs(job, "VM.get_by_name_label", XAPI_WITH(job->order->name), error);

    for (guint i = 0; refs && i < refs->len; i++) {
        g_autoptr(GError) why = NULL;
        struct xapi_vm *vm = xapi_job_ask_record(job, XAPI_VM, refs->pdata[i], &why);
        bool taken = is_kind(vm, false);

        xapi_object_free(vm);
        if (why) {
            g_propagate_error(error, g_steal_pointer(&why));
            return false;
        }
        if (taken)
            return xc_fail(error, XC_CAUSE_BAD_STATE,
                           "the pool has a VM %s already: give this one another name",
                           job->order->name);
    }
    return refs != NULL;
}

/* Nothing was copied so far, and nothing is before it is clear what is meant. */
static bool begin(struct xapi_job *job, GError **error)
{
    g_autofree char *template = NULL;
    g_autofree char *name = fence_name(job);
    g_autoptr(GError) why = NULL;

    job->sent = false;
    if (is_stopped(job))
        return true;
    if (!check_name(job, error))
        return false;
    template = find_template(job, error);
    if (!template)
        return false;
    job->sent = true;
    if (!job->fence)
        job->fence = xapi_job_ask_text(job, "task.create",
                                       XAPI_WITH(name, "creating a VM from a template"), &why);
    return job->fence ? send_copy(job, template, error)
                      : xapi_job_not_begun(job, g_steal_pointer(&why), error);
}

/* The intent is there, but no VM. */
static bool search(struct xapi_job *job, GError **error)
{
    struct xapi_task seen;
    unsigned n = 0;
    bool running = false;
    bool ok;

    xapi_task_init(&seen);
    ok = xapi_job_ask(job, "task.get_record", XAPI_WITH(job->fence), &xapi_task_sink, &seen,
                      error) &&
         xapi_job_count_tasks(job, seen.created, &n, &running, error);
    xapi_task_clear(&seen);
    if (!ok || running)
        return false;
    if (!n)
        return begin(job, error);
    xc_outcome_set(job->outcome, XC_RESULT_LOST, XC_CAUSE_LOST,
                   "the pool has no VM of it, and does not tell whether it was copied");
    return true;
}

static bool copy(struct xapi_job *job, GError **error)
{
    bool ok;

    job->method = xapi_method_of(XC_ACTION_CREATE);
    if (job->task)
        ok = xapi_job_follow(job, error);
    else if (!find_fence(job, error))
        return false;
    else
        ok = job->fence ? search(job, error) : begin(job, error);
    if (ok)
        g_clear_pointer(&job->task, g_free);
    return ok;
}

/* That it is ours goes first: by that it is found under its name. */
static bool give_name(struct xapi_job *job, GError **error)
{
    char uuid[XC_UUID_TEXT];

    xc_uuid_format(&job->order->op, uuid);
    if (!is_ours(job, job->vm) &&
        (!xapi_job_ask(job, "VM.remove_from_other_config", XAPI_WITH(job->vm_ref, XAPI_MADE_KEY),
                       NULL, NULL, error) ||
         !xapi_job_ask(job, "VM.add_to_other_config", XAPI_WITH(job->vm_ref, XAPI_MADE_KEY, uuid),
                       NULL, NULL, error)))
        return false;
    return g_strcmp0(job->vm->name, job->order->name) == 0 ||
           xapi_job_ask(job, "VM.set_name_label", XAPI_WITH(job->vm_ref, job->order->name), NULL,
                        NULL, error);
}

static void add_words(struct xapi_job *job, const char *words, const char *more)
{
    struct xc_outcome *outcome = job->outcome;
    g_autofree char *before = g_strdup(outcome->text ? outcome->text : "");

    xc_outcome_set(outcome, outcome->result, outcome->cause, "%s%s%s%s", before,
                   *before ? "; " : "", words, more);
}

/* A VM without all its disks is of no use to anyone. */
static void undo(struct xapi_job *job)
{
    g_autoptr(GError) why = NULL;

    xapi_job_tell(job, "removing it", -1);
    if (xapi_point_strip(job, &why) &&
        xapi_job_ask(job, "VM.destroy", XAPI_WITH(job->vm_ref), NULL, NULL, &why)) {
        g_clear_pointer(&job->vm, xapi_object_free);
        g_clear_pointer(&job->vm_ref, g_free);
        return;
    }
    add_words(job, "it can't be removed: ", why->message);
}

static bool is_provisioned(const struct xapi_job *job)
{
    return xapi_method_reached(&xapi_method_provision, job->order, "", job->vm, NULL);
}

/* Sent twice it is done once, for XAPI provisions templates only; so the refusal of the second is no failure of the first.
 * False without an error: look again. */
static bool judge_failure(struct xapi_job *job, GError **error)
{
    if (!xapi_job_read_vm(job, error) ||
        (job->vm && (job->vm->doing == XAPI_DOING_PROVISION || is_provisioned(job))))
        return false;
    if (job->vm)
        undo(job);
    return true;
}

/* Follows what goes on, or begins it. */
static bool send_provision(struct xapi_job *job, GError **error)
{
    job->method = &xapi_method_provision;
    if (job->vm->doing == XAPI_DOING_PROVISION && job->vm->doing_task) {
        job->task = g_strdup(job->vm->doing_task);
        return xapi_job_follow(job, error);
    }
    if (is_stopped(job))
        return true;
    if (is_kind(job->vm, true))
        return xapi_job_carry_out(
            job, xapi_method_args(job->method, "Async.", job->vm_ref, "", job->order), error);
    xc_outcome_set(job->outcome, XC_RESULT_FAILED, XC_CAUSE_DRIVER_ERROR,
                   "its disks were not all made");
    return true;
}

static bool provision(struct xapi_job *job, GError **error)
{
    if (job->method == &xapi_method_provision)
        g_clear_pointer(&job->task, g_free);
    if (is_provisioned(job)) {
        xc_outcome_set(job->outcome, XC_RESULT_OK, XC_CAUSE_NONE, "%s", "");
        return true;
    }
    if (!send_provision(job, error))
        return false;
    g_clear_pointer(&job->task, g_free);
    return is_ok(job) || job->outcome->result == XC_RESULT_LOST || judge_failure(job, error);
}

/* --- all of it */

bool xapi_create_attempt(struct xapi_job *job, bool *made, GError **error)
{
    *made = false;
    if (!job->link)
        job->link = xapi_link_open(job->spec, job->env, job->call, error);
    if (!job->link || !xapi_job_find_host(job, job->order->host_from, error) || !find(job, error))
        return false;
    if (!job->vm_ref) {
        if (!copy(job, error))
            return false;
        if (!is_ok(job))
            return true;
    }
    if (!job->vm) {
        xc_outcome_set(job->outcome, XC_RESULT_LOST, XC_CAUSE_LOST,
                       "it was made, and removed by somebody else");
        return true;
    }
    if (!give_name(job, error) || !provision(job, error))
        return false;
    *made = is_ok(job);
    return true;
}

void xapi_create_end(struct xapi_job *job)
{
    char uuid[XC_UUID_TEXT];

    if (!job->link || (!job->sent && !job->fence))
        return;
    if (find_fence(job, NULL) && job->fence &&
        xapi_job_ask(job, "task.set_status", XAPI_WITH(job->fence, "success"), NULL, NULL, NULL))
        xapi_job_ask(job, "task.destroy", XAPI_WITH(job->fence), NULL, NULL, NULL);
    if (is_ok(job) || !job->vm_ref || !xapi_job_read_vm(job, NULL) || !job->vm)
        return;
    xc_uuid_format(&job->vm->uuid, uuid);
    add_words(job, "it was made and stays, VM ", uuid);
}
