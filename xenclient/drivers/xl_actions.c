/* Operations of the xl driver. The job on the host does the work; this follows it over as many
 * connections as it takes and never begins it twice: see xl_job.h for the fence. */
#include "xenclient/drivers/xl_actions.h"

#include "xenclient/drivers/xl_prepare.h"
#include "xenclient/util/clock.h"
#include "xenclient/util/text.h"

#include <string.h>

/* The job ends by itself a tenth before our time is over, so that its result still arrives; what moves a
 * domain's memory needs some of that to be taken back. */
#define MARGIN_MIN_SEC      4
#define BACK_MARGIN_MIN_SEC 12
#define MARGIN_MAX_SEC      30
/* How long a cancelled or late operation is still followed to learn its end. */
#define GRACE_USEC    (60 * XC_USEC_PER_SEC)
#define STEP_USEC     (400 * 1000)
#define STEP_MAX_USEC XC_USEC_PER_SEC
#define RETRY_USEC    (XC_USEC_PER_SEC)
/* A slow host is looked at less often while an operation takes long: what is asked of it takes the time of
 * the operation itself. Its end is noticed an eighth later at most. */
#define REST_PER_LOOK 4
#define REST_SHARE    8
#define REST_MAX_USEC (5 * XC_USEC_PER_SEC)
/* One exchange; a host that hangs longer gets a new connection. */
#define EXCHANGE_USEC (45 * XC_USEC_PER_SEC)
/* A fence that nobody signs for so long never will be. */
#define UNSIGNED_USEC (60 * XC_USEC_PER_SEC)

struct run {
    const struct xc_source_spec *spec;
    const struct xc_driver_env *env;
    const struct xc_order *order;
    xc_progress_fn progress;
    void *data;
    struct xc_outcome *outcome;
    struct xc_call *call; /* the caller's, later &grace */
    struct xc_call grace;
    bool in_grace;
    bool cancelled;
    bool cancel_sent;
    struct xl_host *host; /* NULL: not connected */
    char op[XC_UUID_TEXT];
    char *boot_id;         /* the life of the host in which it may have begun; "" unknown */
    bool sent;             /* a launch may have arrived */
    bool seen;             /* the fence was there */
    gint64 unsigned_since; /* 0: signed, or not there */
    gint64 begun;          /* when we began to follow it */
    gint64 step;
    char *phase;
};

static void tell(struct run *run, const char *phase)
{
    if (!*phase || g_strcmp0(phase, run->phase) == 0)
        return;
    g_free(run->phase);
    run->phase = g_strdup(phase);
    run->progress(phase, -1, run->data);
}

static void end(struct run *run, enum xc_result result, enum xc_cause cause, const char *text)
{
    xc_outcome_set(run->outcome, result, cause, "%s", text);
}

/* --- the destination */

static bool address_ok(const char *address)
{
    size_t length = strlen(address);

    if (length < 1 || length > 255 || address[0] == '-')
        return false;
    for (size_t i = 0; i < length; i++)
        if (!g_ascii_isalnum(address[i]) && !strchr("._-:@%", address[i]))
            return false;
    return true;
}

char *xl_destination(const struct xc_order *order, GError **error)
{
    g_autofree char *address = NULL;
    struct xc_uri uri = {0};

    if (*order->target.address) {
        address = g_strdup(order->target.address);
    } else if (*order->target.uri) {
        if (!xc_uri_parse(order->target.uri, &uri, error)) {
            xc_uri_clear(&uri);
            return NULL;
        }
        address = g_strdup(uri.host);
        xc_uri_clear(&uri);
    }
    if (address && address_ok(address))
        return g_steal_pointer(&address);
    if (!address || !*address)
        xc_fail(error, XC_CAUSE_NO_SUCH_HOST,
                "no address of the destination is known; set the address of its source");
    else
        xc_fail(error, XC_CAUSE_BAD_VALUE, "the destination's address is not a host name");
    return NULL;
}

/* --- time and connection */

/* From now on by our own clock: the caller's time is over or it has cancelled. */
static bool enter_grace(struct run *run)
{
    if (run->in_grace || !xc_call_init(&run->grace, MAX(GRACE_USEC, xc_call_left(run->call)), NULL))
        return false;
    run->cancelled = atomic_load(&run->call->cancelled);
    run->in_grace = true;
    run->call = &run->grace;
    return true;
}

static void drop(struct run *run)
{
    run->host = xl_host_close(run->host);
}

/* What can still be said when there is no time left. */
static void out_of_time(struct run *run)
{
    g_autofree char *text = NULL;

    if (!run->sent && !run->order->attach) {
        end(run, run->cancelled ? XC_RESULT_CANCELLED : XC_RESULT_TIMED_OUT,
            run->cancelled ? XC_CAUSE_CANCELLED : XC_CAUSE_TIMED_OUT, "it did not begin");
    } else if (run->seen && run->host) {
        text = g_strdup_printf("it still runs on the host (%s)", run->phase ? run->phase : "?");
        end(run, run->cancelled ? XC_RESULT_CANCELLED : XC_RESULT_TIMED_OUT,
            run->cancelled ? XC_CAUSE_CANCELLED : XC_CAUSE_TIMED_OUT, text);
    } else {
        end(run, XC_RESULT_LOST, XC_CAUSE_LOST,
            "the connection was lost and the host did not answer in time again");
    }
}

/* After a failure: true when it is worth to try again, and the time for that has passed. */
static bool recover(struct run *run, const GError *why)
{
    enum xc_cause cause = xc_error_cause(why);
    bool may_have_begun = run->sent || run->order->attach;

    if (!xl_host_usable(run->host))
        drop(run);
    if (!xc_call_check(run->call, "operation", NULL)) {
        if (enter_grace(run) && may_have_begun)
            return true;
        out_of_time(run);
        return false;
    }
    if (!may_have_begun) {
        xc_outcome_from_error(run->outcome, why);
        return false;
    }
    if (!xc_error_info((int)cause)->retry && cause != XC_CAUSE_DRIVER_ERROR) {
        xc_outcome_set(run->outcome, XC_RESULT_LOST, cause, "it had begun, then: %s", why->message);
        return false;
    }
    tell(run, run->host ? "asking the host again" : "reconnecting");
    xc_call_wait(run->call, -1, 0, RETRY_USEC, "operation", NULL);
    return true;
}

/* --- talking about the job */

static bool report(struct run *run, const char *script, const char *input, struct xl_report *out,
                   GError **error)
{
    gint64 whole = run->call->deadline;
    struct xc_exec answer;
    bool ok;

    xc_exec_init(&answer);
    run->call->deadline = MIN(whole, xc_clock_mono() + EXCHANGE_USEC);
    ok = xl_host_script(run->host, script, input, input ? strlen(input) : 0, run->call, &answer,
                        error);
    run->call->deadline = whole;
    if (ok && !xl_report_parse(answer.out, out, NULL)) {
        g_autofree char *text = NULL;
        enum xc_cause cause = xl_classify_error(
            answer.err->str, answer.status < 0 ? 255 : answer.status, XC_ACTION_NOOP, &text);

        ok = xc_fail(error, cause, "%s", text);
    }
    xc_exec_clear(&answer);
    return ok;
}

static unsigned limit_of(const struct run *run)
{
    gint64 left = xc_call_left(run->call) / XC_USEC_PER_SEC;
    bool moves = run->order->action == XC_ACTION_MIGRATE ||
                 xc_action_info(run->order->action)->needs_save_dir;
    gint64 least = moves ? BACK_MARGIN_MIN_SEC : MARGIN_MIN_SEC;
    gint64 margin = CLAMP(left / 10, least, MARGIN_MAX_SEC);

    return (unsigned)CLAMP(left - margin, 1, 86400);
}

static bool ask_state(struct run *run, struct xl_report *out, GError **error)
{
    g_autofree char *script = xl_job_query(run->op);

    return report(run, script, NULL, out, error);
}

static bool ask_cancel(struct run *run, struct xl_report *out, GError **error)
{
    g_autofree char *script = xl_job_cancel(run->op);

    tell(run, "cancelling");
    run->cancel_sent = report(run, script, NULL, out, error);
    return run->cancel_sent;
}

/* It can't be done, as far as we see: unless it began meanwhile, by another worker's hand or because an
 * earlier launch arrived late. Forbidding it makes that certain. */
static bool refuse(struct run *run, const GError *why, struct xl_report *out, GError **error)
{
    g_autofree char *script = xl_job_forbid(run->op);

    if (!report(run, script, NULL, out, error))
        return false;
    if (out->state != XL_JOB_DONE || out->result != XC_RESULT_CANCELLED)
        return true;
    xc_outcome_from_error(run->outcome, why);
    return false;
}

/* Looks whether it can be done, then does it. */
static bool launch(struct run *run, struct xl_report *out, GError **error)
{
    g_autoptr(GStringChunk) keep = g_string_chunk_new(256);
    g_autoptr(GError) why = NULL;
    g_autofree char *script = NULL;
    struct xl_job job;

    tell(run, "checking");
    if (!xl_prepare_job(run->host, run->spec, run->order, keep, run->call, &job, &why)) {
        if (xl_host_usable(run->host))
            return refuse(run, why, out, error);
        g_propagate_error(error, g_steal_pointer(&why));
        return false;
    }
    if (!*run->boot_id) {
        g_free(run->boot_id);
        run->boot_id = xc_text_clean(job.boot_id, strlen(job.boot_id), sizeof job.boot_id);
    }
    job.limit_sec = limit_of(run);
    script = xl_job_launch(&job);
    tell(run, "starting");
    run->sent = true;
    return report(run, script, *run->order->content ? run->order->content : NULL, out, error);
}

/* --- ends */

/* 1: the order's domain is alive on the target source, 0: it is not, -1: nobody could say. */
static int alive_on_target(struct run *run)
{
    g_autoptr(xl_host) target = NULL;

    if (!*run->order->target.key)
        return -1;
    tell(run, "looking at the destination");
    target = xl_host_open(&run->order->target, run->env, run->call, NULL);
    return target ? xl_ask_alive(target, run->order, run->call) : -1;
}

/* The job's own result is not to be had: only a state that proves itself counts. */
static void proof_or_lost(struct run *run, const char *why)
{
    int alive = xl_ask_alive(run->host, run->order, run->call);
    bool proved = false;

    switch (run->order->action) {
    case XC_ACTION_START:
        proved = alive == 1;
        break;
    case XC_ACTION_DESTROY:
    case XC_ACTION_SHUTDOWN:
        proved = alive == 0;
        break;
    case XC_ACTION_MIGRATE:
        proved = alive == 0 && alive_on_target(run) == 1;
        break;
    case XC_ACTION_SUSPEND:
        proved = alive == 0 && xl_ask_saved(run->host, run->spec, run->order, run->call) == 1;
        break;
    case XC_ACTION_RESUME:
        proved = xl_ask_runs(run->host, run->order, run->call) == 1 &&
                 xl_ask_saved(run->host, run->spec, run->order, run->call) == 0;
        break;
    default:
        break;
    }
    xc_outcome_set(run->outcome, proved ? XC_RESULT_OK : XC_RESULT_LOST,
                   proved ? XC_CAUSE_NONE : XC_CAUSE_LOST, "%s%s", why,
                   proved ? "; the wanted state was found" : "");
}

/* The destination has the last word about a migration. */
static void conclude_migration(struct run *run, struct xl_report *last)
{
    int alive;

    if (last->result != XC_RESULT_OK && last->result != XC_RESULT_LOST)
        return;
    alive = alive_on_target(run);
    if (alive == 1 && xl_ask_alive(run->host, run->order, run->call) != 1) {
        last->result = XC_RESULT_OK;
        last->cause = XC_CAUSE_NONE;
        *last->note = '\0';
    } else if (alive == 0 && last->result == XC_RESULT_OK) {
        last->result = XC_RESULT_LOST;
        last->cause = XC_CAUSE_LOST;
        g_free(last->note);
        last->note = g_strdup("xl reports success, but it does not run on the destination");
    }
}

static void conclude(struct run *run, struct xl_report *last)
{
    g_autofree char *words = NULL;
    enum xc_cause cause = last->cause;

    if (run->order->action == XC_ACTION_MIGRATE)
        conclude_migration(run, last);
    /* It was we who asked it to stop, for lack of time. */
    if (last->result == XC_RESULT_CANCELLED && !run->cancelled) {
        last->result = XC_RESULT_TIMED_OUT;
        cause = cause == XC_CAUSE_CANCELLED ? XC_CAUSE_TIMED_OUT : cause;
    }
    if (last->result == XC_RESULT_OK) {
        end(run, XC_RESULT_OK, XC_CAUSE_NONE, last->note);
        return;
    }
    /* xl's own words, where it had any, beside ours. */
    if (cause == XC_CAUSE_NONE || xl_has_error(last->err)) {
        enum xc_cause found =
            xl_classify_error(last->err, last->status, run->order->action, &words);

        if (cause == XC_CAUSE_NONE)
            cause = found;
    }
    xc_outcome_set(run->outcome, last->result, cause, "%s%s%s", last->note,
                   *last->note && words ? ": " : "", words ? words : "");
}

/* --- following */

static bool same_life(const struct run *run, const struct xl_report *now)
{
    return *run->boot_id && strcmp(run->boot_id, now->boot_id) == 0;
}

/* No fence. True: go on. */
static bool on_absent(struct run *run, struct xl_report *now, GError **error)
{
    bool may_have_begun = run->sent || run->order->attach;

    if (may_have_begun && (run->seen || !same_life(run, now))) {
        proof_or_lost(run, *run->boot_id && strcmp(run->boot_id, now->boot_id) != 0
                               ? "the host restarted meanwhile"
                               : "nothing is known of it on the host");
        return false;
    }
    if (run->in_grace) {
        /* Nobody wants it any more, or there is no time: see to it that it never begins. */
        xl_report_clear(now);
        return ask_cancel(run, now, error);
    }
    xl_report_clear(now);
    return launch(run, now, error);
}

static void pause_between(struct run *run, gint64 look_usec)
{
    gint64 most =
        MIN(REST_MAX_USEC, MIN(xc_clock_mono() - run->begun, xc_call_left(run->call)) / REST_SHARE);
    gint64 rest = MAX(run->step, MIN(look_usec * REST_PER_LOOK, most));
    g_autoptr(GError) error = NULL;

    if (!xc_call_wait(run->call, -1, 0, rest, "operation", &error))
        enter_grace(run);
    run->step = MIN(run->step * 3 / 2, STEP_MAX_USEC);
}

/* Looks at one report. True: keep following. */
static bool digest(struct run *run, struct xl_report *now)
{
    const char *phase;

    if (now->state != XL_JOB_ABSENT)
        run->seen = true;
    if (now->state != XL_JOB_STARTING)
        run->unsigned_since = 0;
    switch (now->state) {
    case XL_JOB_DONE:
        conclude(run, now);
        return false;
    case XL_JOB_DEAD:
        proof_or_lost(run, "it ended on the host without a result");
        return false;
    case XL_JOB_STARTING:
        if (!run->unsigned_since)
            run->unsigned_since = xc_clock_mono();
        if (xc_clock_mono() - run->unsigned_since < UNSIGNED_USEC)
            return true;
        proof_or_lost(run, "it began on the host and never said how it ended");
        return false;
    default:
        /* While xl migrates, its words tell more than the job, which waits for it. */
        phase =
            run->order->action == XC_ACTION_MIGRATE && g_str_has_prefix(now->phase, "connecting")
                ? xl_migrate_phase(now->err)
                : NULL;
        tell(run, phase ? phase : now->phase);
        return true;
    }
}

/* One exchange with the host. True: keep following. */
static bool step(struct run *run, GError **error)
{
    struct xl_report now = {0};
    bool more = false, ok;

    if (!run->host) {
        tell(run, run->sent || run->order->attach ? "reconnecting" : "connecting");
        run->host = xl_host_open(run->spec, run->env, run->call, error);
        if (!run->host)
            return false;
    }
    if (!run->sent && !run->order->attach)
        ok = launch(run, &now, error);
    else if (run->in_grace && !run->cancel_sent)
        ok = ask_cancel(run, &now, error);
    else
        ok = ask_state(run, &now, error);
    if (ok && now.state == XL_JOB_ABSENT)
        ok = on_absent(run, &now, error);
    if (ok)
        more = digest(run, &now);
    xl_report_clear(&now);
    return more;
}

static void follow(struct run *run)
{
    for (;;) {
        g_autoptr(GError) error = NULL;
        gint64 begun = xc_clock_mono();

        if (step(run, &error))
            pause_between(run, xc_clock_mono() - begun);
        else if (!error || !recover(run, error))
            return; /* the outcome is set */
        if (run->in_grace && xc_call_left(run->call) == 0) {
            out_of_time(run);
            return;
        }
    }
}

static bool acceptable(const struct xc_order *order, GError **error)
{
    if (order->action == XC_ACTION_NOOP)
        return xc_fail(error, XC_CAUSE_NOT_SUPPORTED, "nothing to do");
    if (order->has_domid && order->domid == 0)
        return xc_fail(error, XC_CAUSE_PROTECTED, "Domain-0 takes no action");
    if (!xc_action_info(order->action)->of_host && order->action != XC_ACTION_START &&
        xc_uuid_is_nil(&order->uuid) && !*order->name)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "neither a uuid nor a name says which domain");
    return true;
}

static void check_only(struct run *run)
{
    g_autoptr(GError) error = NULL;

    tell(run, "connecting");
    run->host = xl_host_open(run->spec, run->env, run->call, &error);
    if (run->host)
        xl_check_migrate(run->host, run->order, run->call, run->progress, run->data, run->outcome);
    else
        xc_outcome_from_error(run->outcome, error);
}

void xl_run(const struct xc_source_spec *spec, const struct xc_driver_env *env,
            const struct xc_order *order, struct xc_call *call, xc_progress_fn progress, void *data,
            struct xc_outcome *outcome)
{
    g_autoptr(GError) error = NULL;
    struct run run = {
        .spec = spec,
        .env = env,
        .order = order,
        .progress = progress,
        .data = data,
        .outcome = outcome,
        .call = call,
        .boot_id = g_strdup(order->attach ? order->boot_id : ""),
        .begun = xc_clock_mono(),
        .step = STEP_USEC,
    };

    xc_uuid_format(&order->op, run.op);
    if (!acceptable(order, &error))
        xc_outcome_from_error(outcome, error);
    else if (order->action == XC_ACTION_CHECK_MIGRATE)
        check_only(&run);
    else
        follow(&run);
    drop(&run);
    xc_call_deinit(&run.grace);
    g_free(run.boot_id);
    g_free(run.phase);
}
