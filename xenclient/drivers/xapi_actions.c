/* Operations on VMs of a pool, each begun once.
 *
 * XAPI makes a task of each Async call and answers with its reference; between the two the connection or our process may
 * end, and the task itself tells neither who asked for it nor of which VM it is. So the VM is written on first
 * (xapi_mark.h): the operation's uuid and the server's clock, before the call; the task's reference, after it. That is
 * kept, so that whoever comes back (order->attach, or a lost connection) reads on the VM how far it came:
 *
 *   the uuid is not there           it never began: it is begun now
 *   the last one, with a task       the task is followed; is it gone, the VM's state judges
 *   the last one, without a task    the VM's current operation of that kind is followed; else a task of that method,
 *                                   made since, may be ours or not: one that runs is waited for, after one that ended
 *                                   the state judges; is there none, the call never arrived, and is made now
 *   others came after it            the state judges
 *
 * The state judges only what changes it: a VM that is running was started by whomever; of a reboot that nobody can tell
 * of the outcome is lost. XAPI forgets tasks after an hour, or earlier beyond 200 of them, but no attach is that late
 * that would not have had its answer: the engine gives operations up before. The uuids of some earlier operations stay
 * on the VM, for one that was superseded may still be asked for.
 *
 * Rights: writing on a VM (other_config) needs the role vm-admin. */
#include "xenclient/drivers/xapi_actions.h"

#include "xenclient/drivers/xapi_error.h"
#include "xenclient/drivers/xapi_mark.h"
#include "xenclient/drivers/xapi_orders.h"
#include "xenclient/drivers/xapi_report.h"
#include "xenclient/drivers/xapi_session.h"
#include "xenclient/drivers/xapi_task.h"

#include <string.h>

#define STEP_USEC      (100 * 1000)
#define STEP_MAX_USEC  XC_USEC_PER_SEC
#define RETRY_USEC     (100 * 1000) /* doubled each time */
#define RETRY_MAX_USEC (4 * XC_USEC_PER_SEC)
/* How long a cancelled or late operation is still followed to learn its end. */
#define GRACE_USEC (60 * XC_USEC_PER_SEC)
/* A task may end before the VM's record shows what it did. */
#define READ_BACK_USEC (10 * XC_USEC_PER_SEC)
#define READ_STEP_USEC (300 * 1000)

struct job {
    const struct xc_source_spec *spec;
    const struct xc_driver_env *env;
    const struct xc_order *order;
    const struct xapi_method *method;
    xc_progress_fn progress;
    void *data;
    struct xc_outcome *outcome;
    struct xc_call *call; /* the caller's, later &grace */
    struct xc_call grace;
    bool ending, out_of_time;
    struct xapi_link *link;
    char *vm_ref;
    struct xapi_vm *vm; /* as last read; NULL: there is none */
    char *host;         /* reference of the host that was named, "" none */
    bool sent;          /* the call may have arrived */
    char *task;         /* NULL: not known */
    bool cancel_sent;
    gint64 pause; /* before the next attempt */
};

static void tell(const struct job *job, const char *phase, int percent)
{
    if (job->progress)
        job->progress(phase, percent, job->data);
}

/* --- single calls */

static bool call(struct job *job, struct xapi_args *args, const struct xapi_want *want,
                 GError **error)
{
    bool ok = xapi_link_call(job->link, args, want, job->call, error);

    xapi_args_free(args);
    return ok;
}

/* A call whose parameters are texts, NULL-terminated; sink may be NULL. */
static bool ask(struct job *job, const char *method, const char *const *texts,
                const struct xc_xmlrpc_sink *sink, void *data, GError **error)
{
    struct xapi_args *args = xapi_args_new(method);
    const struct xapi_want want = {sink, data, 0};

    for (; *texts; texts++)
        xapi_args_text(args, *texts);
    return call(job, args, &want, error);
}
#define WITH(...) ((const char *const[]){__VA_ARGS__, NULL})

/* A set of references; owned by the caller. NULL with an error. */
static GPtrArray *ask_refs(struct job *job, const char *method, const char *const *texts,
                           GError **error)
{
    g_autoptr(GPtrArray) refs = g_ptr_array_new_with_free_func(g_free);

    return ask(job, method, texts, &xapi_texts_sink, refs, error) ? g_steal_pointer(&refs) : NULL;
}

static char *ask_text(struct job *job, const char *method, const char *const *texts, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);

    return ask(job, method, texts, &xapi_scalar_sink, text, error) ? g_strdup(text->str) : NULL;
}

/* NULL: there is none (no error), or an error. */
static void *ask_record(struct job *job, enum xapi_class class, const char *ref, GError **error)
{
    g_autofree char *method = g_strconcat(xapi_class_name(class), ".get_record", NULL);
    struct xapi_record record = {.class = class};
    g_autoptr(GError) why = NULL;

    if (ask(job, method, WITH(ref), &xapi_record_sink, &record, &why))
        return record.object;
    xapi_object_free(record.object);
    if (!xapi_link_said(job->link, "HANDLE_INVALID"))
        g_propagate_error(error, g_steal_pointer(&why));
    return NULL;
}

static bool read_vm(struct job *job, GError **error)
{
    g_autoptr(GError) why = NULL;
    char uuid[XC_UUID_TEXT];

    xc_uuid_format(&job->order->uuid, uuid);
    g_clear_pointer(&job->vm, xapi_object_free);
    if (!job->vm_ref)
        job->vm_ref = ask_text(job, "VM.get_by_uuid", WITH(uuid), &why);
    if (job->vm_ref)
        job->vm = ask_record(job, XAPI_VM, job->vm_ref, &why);
    if (!why || xapi_link_said(job->link, "UUID_INVALID"))
        return true;
    g_propagate_error(error, g_steal_pointer(&why));
    return false;
}

/* The host that was named: the engine knows it by its name. */
static bool find_host(struct job *job, GError **error)
{
    g_autoptr(GPtrArray) refs = NULL;
    const char *name = job->order->host_to;

    if (*job->host || !*name)
        return true;
    refs = ask_refs(job, "host.get_by_name_label", WITH(name), error);
    if (!refs)
        return false;
    if (refs->len != 1)
        return xc_fail(error, refs->len ? XC_CAUSE_AMBIGUOUS : XC_CAUSE_NO_SUCH_HOST,
                       "%u hosts of the pool have the name %s: give each its own", refs->len, name);
    g_free(job->host);
    job->host = g_strdup(refs->pdata[0]);
    return true;
}

/* --- how it ended */

static bool reached(struct job *job, bool *yes, GError **error)
{
    g_autoptr(GError) why = NULL;
    struct xapi_vm_metrics *metrics = NULL;

    if (!read_vm(job, error))
        return false;
    if (job->vm && job->vm->metrics && job->order->action == XC_ACTION_SET_VCPUS)
        metrics = ask_record(job, XAPI_VM_METRICS, job->vm->metrics, &why);
    *yes = xapi_method_reached(job->method, job->order, job->host, job->vm, metrics);
    xapi_object_free(metrics);
    if (!why)
        return true;
    g_propagate_error(error, g_steal_pointer(&why));
    return false;
}

static const char *power_state(const struct job *job)
{
    return job->vm && job->vm->power_state ? job->vm->power_state : "gone";
}

/* XAPI does not tell what became of it: only the VM does. */
static bool judge(struct job *job, GError **error)
{
    bool yes = false;

    if (!reached(job, &yes, error))
        return false;
    if (yes && job->method->decisive)
        xc_outcome_set(job->outcome, XC_RESULT_OK, XC_CAUSE_NONE, "%s", "");
    else
        xc_outcome_set(job->outcome, XC_RESULT_LOST, XC_CAUSE_LOST,
                       "XAPI knows no task of it any more, and the VM (%s) does not show whether "
                       "it was done",
                       power_state(job));
    return true;
}

static bool read_back(struct job *job, GError **error)
{
    gint64 until = xc_clock_mono() + READ_BACK_USEC;
    bool yes = false;

    tell(job, "reading back", 100);
    while (reached(job, &yes, error)) {
        if (yes || xc_clock_mono() >= until) {
            if (yes)
                xc_outcome_set(job->outcome, XC_RESULT_OK, XC_CAUSE_NONE, "%s", "");
            else
                xc_outcome_set(job->outcome, XC_RESULT_FAILED, XC_CAUSE_DRIVER_ERROR,
                               "XAPI said it was done, but the VM is not as it was to be: %s",
                               power_state(job));
            return true;
        }
        if (!xc_call_wait(job->call, -1, 0, READ_STEP_USEC, "reading back", error))
            return false;
    }
    return false;
}

static void set_stopped(struct job *job, const char *words)
{
    xc_outcome_set(job->outcome, job->out_of_time ? XC_RESULT_TIMED_OUT : XC_RESULT_CANCELLED,
                   job->out_of_time ? XC_CAUSE_TIMED_OUT : XC_CAUSE_CANCELLED, "%s",
                   job->out_of_time && !*words ? "not done within the time allowed; stopped"
                                               : words);
}

static bool finish(struct job *job, const struct xapi_task *seen, GError **error)
{
    g_autofree char *words = xapi_words(seen->words);
    const char *code = seen->words->len ? seen->words->pdata[0] : "";

    if (seen->status == XAPI_TASK_SUCCESS && !read_back(job, error))
        return false;
    if (seen->status == XAPI_TASK_CANCELLED && job->ending)
        set_stopped(job, "");
    else if (seen->status != XAPI_TASK_SUCCESS)
        xc_outcome_set(job->outcome,
                       seen->status == XAPI_TASK_CANCELLED ? XC_RESULT_CANCELLED : XC_RESULT_FAILED,
                       seen->status == XAPI_TASK_CANCELLED ? XC_CAUSE_CANCELLED : xapi_cause(code),
                       "%s", words);
    /* One that stays is removed by XAPI after an hour. */
    ask(job, "task.destroy", WITH(job->task), NULL, NULL, NULL);
    return true;
}

/* --- following */

static bool is_over(enum xapi_task_status status)
{
    return status == XAPI_TASK_SUCCESS || status == XAPI_TASK_FAILURE ||
           status == XAPI_TASK_CANCELLED;
}

/* Asked once; it may be done all the same, which its end will tell. */
static void cancel(struct job *job, const struct xapi_task *seen)
{
    if (!job->ending || job->cancel_sent || !seen->may_cancel)
        return;
    tell(job, "cancelling", seen->percent);
    job->cancel_sent = ask(job, "task.cancel", WITH(job->task), NULL, NULL, NULL);
}

static bool follow(struct job *job, GError **error)
{
    for (gint64 step = STEP_USEC;; step = MIN(step * 2, STEP_MAX_USEC)) {
        g_autoptr(GError) why = NULL;
        struct xapi_task seen;
        bool ok, over;

        xapi_task_init(&seen);
        ok = ask(job, "task.get_record", WITH(job->task), &xapi_task_sink, &seen, &why);
        over = ok && is_over(seen.status);
        if (ok && !over) {
            tell(job, job->method->phase, seen.percent);
            cancel(job, &seen);
        }
        if (over)
            ok = finish(job, &seen, error);
        xapi_task_clear(&seen);
        if (over)
            return ok;
        if (!ok && xapi_link_said(job->link, "HANDLE_INVALID"))
            return judge(job, error);
        if (!ok) {
            g_propagate_error(error, g_steal_pointer(&why));
            return false;
        }
        if (!xc_call_wait(job->call, -1, 0, step, "following the operation", error))
            return false;
    }
}

/* --- beginning */

/* The coordinator's clock, by which it dates tasks, in seconds. */
static bool read_clock(struct job *job, gint64 *seconds, GError **error)
{
    g_autoptr(GPtrArray) pools = ask_refs(job, "pool.get_all", WITH(NULL), error);
    g_autofree char *master = NULL;
    g_autofree char *time = NULL;
    struct xc_xmlrpc_value value = {.kind = XC_XMLRPC_DATE, .name = ""};
    gint64 usec;

    if (!pools)
        return false;
    if (pools->len)
        master = ask_text(job, "pool.get_master", WITH(pools->pdata[0]), error);
    if (master)
        time = ask_text(job, "host.get_servertime", WITH(master), error);
    if (!time)
        return pools->len ? false
                          : xc_fail(error, XC_CAUSE_DRIVER_ERROR, "the server tells of no pool");
    value.text = time;
    value.length = strlen(time);
    if (!xc_xmlrpc_date(&value, &usec))
        return xc_fail(error, XC_CAUSE_DRIVER_ERROR, "the server's clock is not readable");
    *seconds = usec / XC_USEC_PER_SEC;
    return true;
}

static bool write_mark(struct job *job, GError **error)
{
    struct xapi_mark mark;
    g_autofree char *text = NULL;
    gint64 seconds = 0;

    if (!read_clock(job, &seconds, error))
        return false;
    xapi_mark_parse(&mark, job->vm->mark);
    text = xapi_mark_format(&mark, &job->order->op, seconds);
    return ask(job, "VM.remove_from_other_config", WITH(job->vm_ref, XAPI_TASK_KEY), NULL, NULL,
               error) &&
           ask(job, "VM.remove_from_other_config", WITH(job->vm_ref, XAPI_MARK_KEY), NULL, NULL,
               error) &&
           ask(job, "VM.add_to_other_config", WITH(job->vm_ref, XAPI_MARK_KEY, text), NULL, NULL,
               error);
}

/* The task's reference on the VM; one that can't be written is in this process only. */
static bool write_task(struct job *job, GError **error)
{
    g_autofree char *text = xapi_task_mark_format(&job->order->op, job->task);

    return ask(job, "VM.add_to_other_config", WITH(job->vm_ref, XAPI_TASK_KEY, text), NULL, NULL,
               error);
}

/* The mark is there; from here on the call may arrive. */
static bool send_call(struct job *job, GError **error)
{
    g_autoptr(GString) task = g_string_new(NULL);
    const struct xapi_want want = {&xapi_scalar_sink, task, 0};
    g_autoptr(GError) why = NULL;

    tell(job, job->method->phase, -1);
    job->sent = true;
    if (!call(job, xapi_method_args(job->method, "Async.", job->vm_ref, job->host, job->order),
              &want, &why)) {
        if (xapi_link_refused(job->link)) {
            xc_outcome_from_error(job->outcome, why);
            return true;
        }
        g_propagate_error(error, g_steal_pointer(&why));
        return false;
    }
    job->task = g_strdup(task->str);
    return write_task(job, error) && follow(job, error);
}

static bool refuse_if_ending(struct job *job)
{
    if (job->ending)
        set_stopped(job, "it did not begin");
    return job->ending;
}

static bool begin(struct job *job, GError **error)
{
    if (refuse_if_ending(job))
        return true;
    if (!job->vm)
        return xc_fail(error, XC_CAUSE_NO_SUCH_TARGET, "the pool has no VM %s any more",
                       job->order->name);
    job->sent = false;
    return write_mark(job, error) && send_call(job, error);
}

/* --- finding again */

/* Tasks of this method that were made since the mark was written. *running: one of them goes on. */
static bool count_tasks(struct job *job, gint64 since, unsigned *n, bool *running, GError **error)
{
    g_autofree char *label = g_strconcat("Async.", xapi_method_name(job->method, job->host), NULL);
    g_autoptr(GPtrArray) refs = ask_refs(job, "task.get_by_name_label", WITH(label), error);

    *n = 0;
    *running = false;
    for (guint i = 0; refs && i < refs->len; i++) {
        g_autoptr(GError) why = NULL;
        struct xapi_task seen;
        bool ok;

        xapi_task_init(&seen);
        ok = ask(job, "task.get_record", WITH(refs->pdata[i]), &xapi_task_sink, &seen, &why);
        if (ok && seen.created >= since) {
            (*n)++;
            *running = *running || !is_over(seen.status);
        }
        xapi_task_clear(&seen);
        if (!ok && !xapi_link_said(job->link, "HANDLE_INVALID")) {
            g_propagate_error(error, g_steal_pointer(&why));
            return false;
        }
    }
    return refs != NULL;
}

/* Marked, but no task is known. False without an error: look again later. */
static bool search(struct job *job, gint64 since, GError **error)
{
    unsigned n;
    bool running;

    if (job->method->doing != XAPI_DOING_NOTHING && job->vm->doing == job->method->doing &&
        job->vm->doing_task) {
        job->task = g_strdup(job->vm->doing_task);
        return follow(job, error);
    }
    if (!count_tasks(job, since, &n, &running, error) || running)
        return false;
    if (n)
        return judge(job, error);
    return refuse_if_ending(job) || send_call(job, error);
}

static bool look(struct job *job, GError **error)
{
    struct xapi_mark mark;

    if (!job->vm)
        return judge(job, error);
    xapi_mark_parse(&mark, job->vm->mark);
    switch (xapi_mark_find(&mark, &job->order->op)) {
    case XAPI_MARK_NOT:
        return begin(job, error);
    case XAPI_MARK_BEFORE:
        return judge(job, error);
    default:
        if (!job->task)
            job->task = xapi_task_mark_of(job->vm->task_mark, &job->order->op);
        return job->task ? follow(job, error) : search(job, mark.seconds, error);
    }
}

/* --- from the beginning, over as many connections as it takes */

/* What the engine refuses too; but what it knows may be old. */
static bool check_target(const struct job *job, GError **error)
{
    bool control = job->vm && job->vm->is_control.known && job->vm->is_control.value;

    if (job->vm && (control || !xapi_vm_is_domain(job->vm)))
        return xc_fail(error, XC_CAUSE_PROTECTED, "%s is no guest but a %s", job->order->name,
                       control ? "control domain" : "template, a snapshot or being imported");
    return true;
}

static bool prepare(struct job *job, GError **error)
{
    if (!job->link)
        job->link = xapi_link_open(job->spec, job->env, job->call, error);
    return job->link && read_vm(job, error) && check_target(job, error) && find_host(job, error);
}

/* Would it be possible? XAPI checks the same itself before it migrates. VM.assert_can_migrate is for migrations to other
 * pools: it wants what host.migrate_receive gives, which opens the destination for one. */
static bool check_migrate(struct job *job, GError **error)
{
    if (!prepare(job, error))
        return false;
    if (!job->vm || !*job->host)
        return xc_fail(error, job->vm ? XC_CAUSE_NO_SUCH_HOST : XC_CAUSE_NO_SUCH_TARGET,
                       "the pool has no %s", job->vm ? "such host" : "such VM");
    tell(job, "asking", -1);
    if (!ask(job, "VM.assert_operation_valid", WITH(job->vm_ref, "pool_migrate"), NULL, NULL,
             error) ||
        !ask(job, "VM.assert_can_boot_here", WITH(job->vm_ref, job->host), NULL, NULL, error))
        return false;
    xc_outcome_set(job->outcome, XC_RESULT_OK, XC_CAUSE_NONE, "%s", "");
    return true;
}

static bool attempt(struct job *job, GError **error)
{
    if (!prepare(job, error))
        return false;
    return job->sent ? look(job, error) : begin(job, error);
}

/* The caller's time is over or it has cancelled: from now on by our own clock, to learn the end. */
static bool enter_grace(struct job *job)
{
    bool cancelled = atomic_load(&job->call->cancelled);

    if (job->ending || !xc_call_init(&job->grace, MAX(GRACE_USEC, xc_call_left(job->call)), NULL))
        return false;
    job->ending = true;
    job->out_of_time = !cancelled;
    job->call = &job->grace;
    return true;
}

static void give_up(struct job *job)
{
    if (job->task && job->link)
        set_stopped(job, "it still runs, and XAPI does not stop it");
    else
        xc_outcome_set(job->outcome, XC_RESULT_LOST, XC_CAUSE_LOST,
                       "the connection was lost and the pool did not answer in time again");
}

/* After an attempt without an outcome: is there to be another? */
static bool try_again(struct job *job, const GError *why)
{
    enum xc_cause cause = xc_error_cause(why);

    if (!xc_call_check(job->call, "operation", NULL)) {
        if (job->sent && enter_grace(job))
            return true;
        if (job->sent)
            give_up(job);
        else
            xc_outcome_from_error(job->outcome, why);
        return false;
    }
    if (why && !job->sent) {
        xc_outcome_from_error(job->outcome, why);
        return false;
    }
    if (why && !xc_error_info((int)cause)->retry && cause != XC_CAUSE_DRIVER_ERROR) {
        xc_outcome_set(job->outcome, XC_RESULT_LOST, cause, "it may have begun, then: %s",
                       why->message);
        return false;
    }
    if (why) {
        tell(job, "reconnecting", -1);
        g_clear_pointer(&job->link, xapi_link_close);
    }
    xc_call_wait(job->call, -1, 0, job->pause, "operation", NULL);
    job->pause = MIN(job->pause * 2, RETRY_MAX_USEC);
    return true;
}

/* Migrations within a pool only: others need other calls, and storage at both ends. */
static bool same_pool(const struct job *job, GError **error)
{
    const struct xc_source_spec *target = &job->order->target;

    if (job->method && job->method->action != XC_ACTION_MIGRATE)
        return true;
    if (!*target->key || strcmp(target->key, job->spec->key) == 0)
        return *job->order->host_to ||
               xc_fail(error, XC_CAUSE_NO_SUCH_HOST, "no host of the pool was named");
    return xc_fail(error, XC_CAUSE_NOT_SUPPORTED,
                   "%s is another pool: VMs are migrated within theirs only", target->key);
}

static void run_job(struct job *job)
{
    bool checks = job->order->action == XC_ACTION_CHECK_MIGRATE;
    g_autoptr(GError) error = NULL;

    if (!job->method && !checks) {
        xc_outcome_set(job->outcome, XC_RESULT_FAILED, XC_CAUSE_NOT_SUPPORTED,
                       "pools do not take the action %s",
                       xc_enum_label(&xc_action_labels, (int)job->order->action));
        return;
    }
    if (!same_pool(job, &error) || (checks && !check_migrate(job, &error))) {
        xc_outcome_from_error(job->outcome, error);
        return;
    }
    while (!checks && !attempt(job, &error) && try_again(job, error))
        g_clear_error(&error);
}

void xapi_run(const struct xc_source_spec *spec, const struct xc_driver_env *env,
              const struct xc_order *order, struct xc_call *caller, xc_progress_fn progress,
              void *data, struct xc_outcome *outcome)
{
    struct job job = {
        .spec = spec,
        .env = env,
        .order = order,
        .method = xapi_method_of(order->action),
        .progress = progress,
        .data = data,
        .outcome = outcome,
        .call = caller,
        .host = g_strdup(""),
        .sent = order->attach,
        .pause = RETRY_USEC,
    };

    run_job(&job);
    xapi_link_close(job.link);
    xapi_object_free(job.vm);
    xc_call_deinit(&job.grace);
    g_free(job.vm_ref);
    g_free(job.host);
    g_free(job.task);
}
