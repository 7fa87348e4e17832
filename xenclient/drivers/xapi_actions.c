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
 *                                   the state judges; is there none, the call never arrived and is made now, unless
 *                                   the state shows that it was done, or can't show it and the toolstack, which knows
 *                                   no tasks from before, began anew since
 *   others came after it            the state judges
 *
 * The state judges only what changes it: a VM that is running was started by whomever; of a reboot that nobody can tell
 * of the outcome is lost. XAPI forgets tasks an hour after their end, and the oldest of more than 200 that ended: who comes
 * back that late to a mark without a task may do again what state does not show. The uuids of some earlier operations stay
 * on the VM, for one that was superseded may still be asked for.
 *
 * Of a snapshot that is reverted to or deleted, the snapshot bears the mark: a revert makes the VM's other_config what it
 * was when the snapshot was taken. What is asked of a host needs no mark: it is done again without harm (xapi_host.c).
 * A VM that is yet to be made can bear none; xapi_create.c tells how that is done once. One that went to another pool took
 * its mark with it: it is told by its uuid, which must be gone here and there in the other (xapi_move.c).
 *
 * Rights: writing on a VM (other_config) needs the role vm-admin. */
#include "xenclient/drivers/xapi_actions.h"

#include "xenclient/drivers/xapi_barrier.h"
#include "xenclient/drivers/xapi_create.h"
#include "xenclient/drivers/xapi_host.h"
#include "xenclient/drivers/xapi_job.h"
#include "xenclient/drivers/xapi_mark.h"
#include "xenclient/drivers/xapi_move.h"
#include "xenclient/drivers/xapi_point.h"
#include "xenclient/drivers/xapi_report.h"
#include "xenclient/drivers/xapi_task.h"

#include <string.h>

#define RETRY_USEC     (100 * 1000) /* doubled each time */
#define RETRY_MAX_USEC (4 * XC_USEC_PER_SEC)
/* How long a cancelled or late operation is still followed to learn its end. */
#define GRACE_USEC (60 * XC_USEC_PER_SEC)

/* --- beginning */

/* The coordinator's clock, by which it dates tasks, in seconds. */
static bool read_clock(struct xapi_job *job, gint64 *seconds, GError **error)
{
    g_autofree char *master = xapi_job_master(job, error);
    g_autofree char *time = NULL;
    struct xc_xmlrpc_value value = {.kind = XC_XMLRPC_DATE, .name = ""};
    gint64 usec;

    if (master)
        time = xapi_job_ask_text(job, "host.get_servertime", XAPI_WITH(master), error);
    if (!time)
        return false;
    value.text = time;
    value.length = strlen(time);
    if (!xc_xmlrpc_date(&value, &usec))
        return xc_fail(error, XC_CAUSE_DRIVER_ERROR, "the server's clock is not readable");
    *seconds = usec / XC_USEC_PER_SEC;
    return true;
}

static bool write_mark(struct xapi_job *job, GError **error)
{
    struct xapi_mark mark;
    g_autofree char *text = NULL;
    gint64 seconds = 0;

    if (!read_clock(job, &seconds, error))
        return false;
    xapi_mark_parse(&mark, job->vm->mark);
    text = xapi_mark_format(&mark, &job->order->op, seconds);
    return xapi_job_ask(job, "VM.remove_from_other_config", XAPI_WITH(job->vm_ref, XAPI_TASK_KEY),
                        NULL, NULL, error) &&
           xapi_job_ask(job, "VM.remove_from_other_config", XAPI_WITH(job->vm_ref, XAPI_MARK_KEY),
                        NULL, NULL, error) &&
           xapi_job_ask(job, "VM.add_to_other_config", XAPI_WITH(job->vm_ref, XAPI_MARK_KEY, text),
                        NULL, NULL, error);
}

/* The task's reference on the VM; one that can't be written is in this process only. What is being deleted may be gone. */
static bool write_task(struct xapi_job *job, GError **error)
{
    g_autofree char *text = xapi_task_mark_format(&job->order->op, job->task);
    g_autoptr(GError) why = NULL;

    if (xapi_job_ask(job, "VM.add_to_other_config", XAPI_WITH(job->vm_ref, XAPI_TASK_KEY, text),
                     NULL, NULL, &why) ||
        xapi_link_said(job->link, "HANDLE_INVALID"))
        return true;
    g_propagate_error(error, g_steal_pointer(&why));
    return false;
}

/* Newly allocated. */
static struct xapi_args *call_args(const struct xapi_job *job)
{
    if (job->move)
        return xapi_move_args(job, "Async.VM.migrate_send");
    return xapi_method_args(job->method, "Async.", job->vm_ref, job->host, job->order);
}

/* The other pool is opened when it is certain that nothing goes on; what it refuses never began. */
static bool open_destination(struct xapi_job *job, GError **error)
{
    if (!job->move)
        return true;
    job->sent = false;
    return xapi_move_receive(job, error);
}

/* The mark is there; from here on the call may arrive. */
static bool send_call(struct xapi_job *job, GError **error)
{
    g_autoptr(GString) task = g_string_new(NULL);
    const struct xapi_want want = {&xapi_scalar_sink, task, 0};
    g_autoptr(GError) why = NULL;

    xapi_job_tell(job, job->method->phase, -1);
    if (!open_destination(job, error))
        return false;
    job->sent = true;
    if ((xapi_method_destroys(job->method) && !xapi_point_strip(job, &why)) ||
        !xapi_job_call(job, call_args(job), &want, &why))
        return xapi_job_not_begun(job, g_steal_pointer(&why), error);
    job->task = g_strdup(task->str);
    return write_task(job, error) && xapi_job_follow(job, error);
}

static bool refuse_if_ending(struct xapi_job *job)
{
    if (job->ending)
        xapi_job_set_stopped(job, "it did not begin");
    return job->ending;
}

/* That a snapshot or copy of a name is there tells that it was taken only if it was not there before. */
static bool check_free(struct xapi_job *job, GError **error)
{
    bool taken = false;

    if (job->method->shape == XAPI_SHAPE_CLONE && !xapi_point_cloned(job, &taken, error))
        return false;
    if (job->method->shape == XAPI_SHAPE_TAKE && !xapi_point_taken(job, &taken, error))
        return false;
    return !taken ||
           xc_fail(error, XC_CAUSE_BAD_STATE,
                   "%s: there is a %s %s already: give this one another name", job->order->name,
                   job->method->shape == XAPI_SHAPE_CLONE ? "VM" : "snapshot",
                   job->order->snapshot);
}

static bool begin(struct xapi_job *job, GError **error)
{
    if (refuse_if_ending(job))
        return true;
    if (!job->vm)
        return xc_fail(error, XC_CAUSE_NO_SUCH_TARGET, "the pool has no %s %s any more",
                       xapi_method_of_snapshot(job->method) ? "such snapshot of VM" : "VM",
                       job->order->name);
    job->sent = job->order->action == XC_ACTION_CREATE; /* much of that is done already */
    return check_free(job, error) && (!job->move || xapi_move_plan(job, error)) &&
           write_mark(job, error) && send_call(job, error);
}

/* --- finding again */

/* Did the toolstack begin anew since then, by the coordinator's clock? Where it does not tell, it may have. */
static bool is_restarted(struct xapi_job *job, gint64 since, bool *yes, GError **error)
{
    g_autofree char *master = xapi_job_master(job, error);
    g_autoptr(GError) why = NULL;
    struct xapi_host *host = master ? xapi_job_ask_record(job, XAPI_HOST, master, &why) : NULL;
    int64_t began;

    *yes = !host || !xapi_time(host->agent_start, &began) || began / XC_USEC_PER_SEC >= since;
    xapi_object_free(host);
    if (!why)
        return master != NULL;
    g_propagate_error(error, g_steal_pointer(&why));
    return false;
}

/* Marked, but the pool has no task of it: the call never arrived, or it did and its task is forgotten. */
static bool send_late(struct xapi_job *job, gint64 since, GError **error)
{
    bool done = false;
    bool unknown = false;

    if (job->method->decisive && !xapi_job_reached(job, &done, error))
        return false;
    if (!job->method->decisive && !is_restarted(job, since, &unknown, error))
        return false;
    if (done || unknown)
        return xapi_job_judge(job, error);
    return refuse_if_ending(job) || send_call(job, error);
}

/* Marked, but no task is known. False without an error: look again later. */
static bool search(struct xapi_job *job, gint64 since, GError **error)
{
    unsigned n;
    bool running;

    if (job->method->doing != XAPI_DOING_NOTHING && job->vm->doing == job->method->doing &&
        job->vm->doing_task) {
        job->task = g_strdup(job->vm->doing_task);
        return xapi_job_follow(job, error);
    }
    if (!xapi_job_count_tasks(job, since, &n, &running, error) || running)
        return false;
    return n ? xapi_job_judge(job, error) : send_late(job, since, error);
}

/* The VM is not there, nor is its mark. On its way to another pool it may be seen in neither: false without an error, look
 * again. */
static bool look_away(struct xapi_job *job, GError **error)
{
    bool running = false;
    bool arrived = false;
    unsigned n;

    if (job->move && !xapi_move_reached(job, &arrived, error))
        return false;
    if (job->move && !arrived && (!xapi_job_count_tasks(job, 0, &n, &running, error) || running))
        return false;
    return xapi_job_judge(job, error);
}

static bool look(struct xapi_job *job, GError **error)
{
    struct xapi_mark mark;

    if (!job->vm)
        return look_away(job, error);
    xapi_mark_parse(&mark, job->vm->mark);
    switch (xapi_mark_find(&mark, &job->order->op)) {
    case XAPI_MARK_NOT:
        return begin(job, error);
    case XAPI_MARK_BEFORE:
        return xapi_job_judge(job, error);
    default:
        if (!job->task)
            job->task = xapi_task_mark_of(job->vm->task_mark, &job->order->op);
        return job->task ? xapi_job_follow(job, error) : search(job, mark.seconds, error);
    }
}

/* --- from the beginning, over as many connections as it takes */

/* What the engine refuses too; but what it knows may be old. */
static bool check_target(struct xapi_job *job, GError **error)
{
    bool control = job->vm && job->vm->is_control.known && job->vm->is_control.value;

    if (job->vm && xapi_method_of_snapshot(job->method))
        return xapi_point_check(job, error);
    if (job->vm && (control || !xapi_vm_is_domain(job->vm)))
        return xc_fail(error, XC_CAUSE_PROTECTED, "%s is no guest but a %s", job->order->name,
                       control ? "control domain" : "template, a snapshot or being imported");
    return true;
}

static bool prepare(struct xapi_job *job, GError **error)
{
    if (!job->link)
        job->link = xapi_link_open(job->spec, job->env, job->call, error);
    return job->link && xapi_job_read_vm(job, error) && check_target(job, error) &&
           (job->move ? xapi_move_find(job, error)
                      : xapi_job_find_host(job, job->order->host_to, error));
}

/* The other pool is opened for the question, and closed when the job ends. */
static bool check_move(struct xapi_job *job, GError **error)
{
    job->over = true;
    if (!job->vm)
        return xc_fail(error, XC_CAUSE_NO_SUCH_TARGET, "the pool has no such VM");
    if (!xapi_move_receive(job, error) ||
        !xapi_job_call(job, xapi_move_args(job, "VM.assert_can_migrate"), NULL, error))
        return false;
    xc_outcome_set(job->outcome, XC_RESULT_OK, XC_CAUSE_NONE, "%s", "");
    return true;
}

/* Would it be possible? XAPI checks the same itself before it migrates. VM.assert_can_migrate is for migrations to other
 * pools: it wants what host.migrate_receive gives, which opens the destination for one. */
static bool check_migrate(struct xapi_job *job, GError **error)
{
    if (!prepare(job, error))
        return false;
    if (job->move)
        return check_move(job, error);
    if (!job->vm || !*job->host)
        return xc_fail(error, job->vm ? XC_CAUSE_NO_SUCH_HOST : XC_CAUSE_NO_SUCH_TARGET,
                       "the pool has no %s", job->vm ? "such host" : "such VM");
    xapi_job_tell(job, "asking", -1);
    if (!xapi_job_ask(job, "VM.assert_operation_valid", XAPI_WITH(job->vm_ref, "pool_migrate"),
                      NULL, NULL, error) ||
        !xapi_job_ask(job, "VM.assert_can_boot_here", XAPI_WITH(job->vm_ref, job->host), NULL, NULL,
                      error))
        return false;
    xc_outcome_set(job->outcome, XC_RESULT_OK, XC_CAUSE_NONE, "%s", "");
    return true;
}

/* What was made is started as any other VM. */
static bool create(struct xapi_job *job, GError **error)
{
    bool made = false;

    if (!xapi_create_attempt(job, &made, error))
        return false;
    if (!made)
        return true;
    job->method = xapi_method_of(XC_ACTION_START);
    return look(job, error);
}

static bool attempt(struct xapi_job *job, GError **error)
{
    if (job->order->action == XC_ACTION_CREATE)
        return create(job, error);
    if (job->method->shape == XAPI_SHAPE_HOST)
        return xapi_host_attempt(job, error);
    if (!prepare(job, error))
        return false;
    return job->sent ? look(job, error) : begin(job, error);
}

/* The caller's time is over or it has cancelled: from now on by our own clock, to learn the end. */
static bool enter_grace(struct xapi_job *job)
{
    bool cancelled = atomic_load(&job->call->cancelled);

    if (job->ending || !xc_call_init(&job->grace, MAX(GRACE_USEC, xc_call_left(job->call)), NULL))
        return false;
    job->ending = true;
    job->out_of_time = !cancelled;
    job->call = &job->grace;
    return true;
}

static void give_up(struct xapi_job *job)
{
    if (job->task && job->link)
        xapi_job_set_stopped(job, "it still runs, and XAPI does not stop it");
    else
        xc_outcome_set(job->outcome, XC_RESULT_LOST, XC_CAUSE_LOST,
                       "the connection was lost and the pool did not answer in time again");
}

/* After an attempt without an outcome: is there to be another? */
static bool try_again(struct xapi_job *job, const GError *why)
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
        xapi_job_tell(job, "reconnecting", -1);
        g_clear_pointer(&job->link, xapi_link_close);
    }
    xc_call_wait(job->call, -1, 0, job->pause, "operation", NULL);
    job->pause = MIN(job->pause * 2, RETRY_MAX_USEC);
    return true;
}

/* A host of this pool, or of another one. */
static bool find_target(struct xapi_job *job, GError **error)
{
    const struct xc_source_spec *target = &job->order->target;

    if (job->method && job->method->action != XC_ACTION_MIGRATE)
        return true;
    if (!*target->key || strcmp(target->key, job->spec->key) == 0)
        return *job->order->host_to || job->order->attach ||
               xc_fail(error, XC_CAUSE_NO_SUCH_HOST, "no host of the pool was named");
    if (xc_driver_for(target->uri, NULL) != xc_driver_for(job->spec->uri, NULL))
        return xc_fail(error, XC_CAUSE_NOT_SUPPORTED, "%s is no pool", target->key);
    job->move = xapi_move_new(job);
    if (job->method)
        job->method = &xapi_method_move;
    return true;
}

static void run_job(struct xapi_job *job)
{
    bool checks = job->order->action == XC_ACTION_CHECK_MIGRATE;
    g_autoptr(GError) error = NULL;

    if (!job->method && !checks) {
        xc_outcome_set(job->outcome, XC_RESULT_FAILED, XC_CAUSE_NOT_SUPPORTED,
                       "pools do not take the action %s",
                       xc_enum_label(&xc_action_labels, (int)job->order->action));
        return;
    }
    if (!find_target(job, &error) || (checks && !check_migrate(job, &error))) {
        xc_outcome_from_error(job->outcome, error);
        return;
    }
    while (!checks && !attempt(job, &error) && try_again(job, error))
        g_clear_error(&error);
    if (job->order->action == XC_ACTION_CREATE)
        xapi_create_end(job);
}

void xapi_run(const struct xc_source_spec *spec, const struct xc_driver_env *env,
              const struct xc_order *order, struct xc_call *caller, xc_progress_fn progress,
              void *data, struct xc_outcome *outcome)
{
    struct xapi_job job = {
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
    if (job.link && job.sent)
        xapi_barrier_set(&job);
    xapi_move_free(&job);
    xapi_link_close(job.link);
    xapi_object_free(job.vm);
    xc_call_deinit(&job.grace);
    g_free(job.vm_ref);
    g_free(job.owner_ref);
    g_free(job.host);
    g_free(job.task);
    g_free(job.fence);
}
