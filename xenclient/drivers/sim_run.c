/* One operation on a farm, followed to its end over any number of lost connections. The farm knows
 * operations by their uuid, as XAPI knows its tasks: what was begun is asked for, never begun again. */
#include "xenclient/drivers/sim_protocol.h"
#include "xenclient/drivers/sim_session.h"

#include "xenclient/transport/frame.h"

#include <string.h>

#define FIRST_PAUSE (50 * 1000)
#define LAST_PAUSE  (1000 * 1000)
#define GRACE       (1000 * 1000) /* to stop what did not end in time, and hear how it ended */

struct job {
    const struct xc_source_spec *spec;
    const struct xc_order *order;
    struct xc_call *call;
    struct xc_call rest; /* takes over from the caller's call once that has ended */
    bool ending;         /* it has: the farm is asked to stop */
    bool out_of_time;    /* ... since time was over, not by cancellation */
    bool sent;           /* it may have begun */
    bool followed;       /* the farm has said that it runs */
    char *boot_id;       /* of the host when it was first sent; "" unknown */
    gint64 pause;
    xc_progress_fn progress;
    void *data;
    struct xc_outcome *outcome;
};

static bool send_order(struct job *job, const struct sim_session *session, bool attach,
                       GError **error)
{
    g_autoptr(GByteArray) body = g_byte_array_new();
    struct xc_order order = *job->order;

    order.attach = attach;
    xc_order_write(&order, body);
    /* From here on nobody can tell whether it arrived. */
    job->sent = true;
    return xc_frame_send(session->fd, SIM_ORDER, body, job->call, error);
}

static bool send_cancel(struct job *job, const struct sim_session *session, GError **error)
{
    g_autoptr(GByteArray) body = g_byte_array_new();

    xc_put_raw(body, &job->order->op, sizeof(job->order->op));
    return xc_frame_send(session->fd, SIM_CANCEL, body, job->call, error);
}

/* --- reading back */

/* The host that a migration was to reach; NULL: it can't be told. Newly allocated. */
static char *target_host(const struct xc_order *order)
{
    struct sim_place place;
    char *host;

    if (*order->host_to)
        return g_strdup(order->host_to);
    if (!sim_place_parse(&place, order->target.uri, NULL))
        return NULL;
    host = g_strdup(place.host);
    sim_place_clear(&place);
    return host;
}

static enum xc_domain_state wanted_state(enum xc_action action)
{
    switch (action) {
    case XC_ACTION_PAUSE:
        return XC_STATE_PAUSED;
    case XC_ACTION_SUSPEND:
        return XC_STATE_SUSPENDED;
    case XC_ACTION_SHUTDOWN:
    case XC_ACTION_DESTROY:
        return XC_STATE_SHUTDOWN;
    default:
        return XC_STATE_RUNNING;
    }
}

/* "ok" counts only when the domain was seen to be as wanted. */
static void check_ok(struct job *job, uint32_t state, const char *where)
{
    enum xc_action action = job->order->action;
    g_autofree char *target = action == XC_ACTION_MIGRATE ? target_host(job->order) : NULL;

    if (job->outcome->result != XC_RESULT_OK ||
        (!xc_action_info(action)->wanted && action != XC_ACTION_MIGRATE))
        return;
    if (state != (uint32_t)wanted_state(action) || (target && strcmp(target, where) != 0))
        xc_outcome_set(job->outcome, XC_RESULT_FAILED, XC_CAUSE_DRIVER_ERROR,
                       "the host said it was done, but the domain is %s%s%s",
                       xc_enum_label(&xc_domain_state_labels, (int)state), *where ? " on " : "",
                       where);
}

static bool take_outcome(struct job *job, struct xc_reader *from)
{
    uint32_t result = xc_get_u32(from);
    uint32_t cause = xc_get_u32(from);
    g_autofree char *text = xc_get_text(from, XC_OUTCOME_TEXT_MAX);
    uint32_t state = xc_get_u32(from);
    g_autofree char *where = xc_get_text(from, XC_OUTCOME_TEXT_MAX);

    if (!xc_reader_end(from) || result > G_MAXINT || cause > G_MAXINT || state > G_MAXINT ||
        result == XC_RESULT_NONE || !xc_enum_has(&xc_result_labels, (int)result) ||
        !xc_enum_has(&xc_cause_labels, (int)cause) ||
        !xc_enum_has(&xc_domain_state_labels, (int)state))
        return false;
    if (job->out_of_time && result == XC_RESULT_CANCELLED)
        xc_outcome_set(job->outcome, XC_RESULT_TIMED_OUT, XC_CAUSE_TIMED_OUT,
                       "not done within the time allowed; stopped");
    else
        xc_outcome_set(job->outcome, (enum xc_result)result, (enum xc_cause)cause, "%s", text);
    check_ok(job, state, where);
    return true;
}

/* --- the talk */

static bool take_progress(struct job *job, struct xc_reader *from)
{
    g_autofree char *phase = xc_get_text(from, XC_OUTCOME_TEXT_MAX);
    uint32_t progress = xc_get_u32(from);

    if (!xc_reader_end(from) || progress > 101)
        return false;
    job->followed = true;
    job->pause = FIRST_PAUSE;
    if (job->progress)
        job->progress(phase, (int)progress - 1, job->data);
    return true;
}

/* It is certain that it never began when the farm remembers all executions, or when the host has
 * not restarted since the order was first sent. */
static bool take_unknown(struct job *job, struct xc_reader *from, bool *never)
{
    uint8_t sure = xc_get_u8(from);
    g_autofree char *boot_id = xc_get_text(from, XC_OUTCOME_TEXT_MAX);

    *never = sure == 1 || (*boot_id && strcmp(boot_id, job->boot_id) == 0);
    return xc_reader_end(from) && sure <= 1;
}

static void set_never_began(struct job *job)
{
    if (job->out_of_time)
        xc_outcome_set(job->outcome, XC_RESULT_TIMED_OUT, XC_CAUSE_TIMED_OUT,
                       "the host could not be asked within the time allowed");
    else
        xc_outcome_set(job->outcome, XC_RESULT_CANCELLED, XC_CAUSE_CANCELLED,
                       "cancelled before it began");
}

/* The farm does not know the operation. *done: there is nothing left to do. */
static bool answer_unknown(struct job *job, const struct sim_session *session, bool never,
                           bool *done, GError **error)
{
    *done = !never || job->ending;
    if (!never)
        xc_outcome_set(job->outcome, XC_RESULT_LOST, XC_CAUSE_LOST,
                       "the host restarted since this was asked of it; it is not known whether it "
                       "was done: read the domain's state");
    else if (job->ending)
        set_never_began(job);
    else
        return send_order(job, session, false, error);
    return true;
}

/* One message about the operation. *done: the outcome is set. */
static bool take_message(struct job *job, const struct sim_session *session, uint32_t kind,
                         const GByteArray *body, bool *done, GError **error)
{
    struct xc_reader from = XC_READER(body->data, body->len);
    const uint8_t *op = xc_get_raw(&from, sizeof(job->order->op));
    bool legal = op && memcmp(op, &job->order->op, sizeof(job->order->op)) == 0;
    bool never = false;

    if (legal && kind == SIM_PROGRESS)
        legal = take_progress(job, &from);
    else if (legal && kind == SIM_OUTCOME)
        legal = *done = take_outcome(job, &from);
    else if (legal && kind == SIM_UNKNOWN && take_unknown(job, &from, &never))
        return answer_unknown(job, session, never, done, error);
    else
        legal = false;
    return legal || xc_fail(error, XC_CAUSE_DRIVER_ERROR,
                            "the farm's message about an operation is not legal");
}

static bool converse(struct job *job, struct sim_session *session, GError **error)
{
    bool done = false;

    /* Only the boot in which it was first sent counts, not the one found when asking for it. */
    if (!job->sent && *session->boot_id) {
        g_free(job->boot_id);
        job->boot_id = g_strdup(session->boot_id);
    }
    if (!send_order(job, session, job->sent, error) ||
        (job->ending && !send_cancel(job, session, error)))
        return false;
    while (!done) {
        g_autoptr(GByteArray) body = NULL;
        uint32_t kind;

        if (!sim_session_receive(session, &kind, &body, job->call, error) ||
            !take_message(job, session, kind, body, &done, error))
            return false;
    }
    return true;
}

static bool try_once(struct job *job, GError **error)
{
    struct sim_session session;
    bool ok;

    if (!sim_session_open(&session, job->spec->uri, false, job->call, error))
        return false;
    ok = converse(job, &session, error);
    sim_session_close(&session);
    return ok;
}

/* --- when it does not go smoothly */

/* The caller's call is over while the operation may be running: another one takes over, under which
 * the farm is asked to stop. A message may have been cut in two, so the connection is a new one. */
static bool begin_ending(struct job *job, const GError *error)
{
    gint64 left = xc_call_left(job->call);

    job->ending = true;
    job->out_of_time = xc_error_cause(error) != XC_CAUSE_CANCELLED;
    if (!xc_call_init(&job->rest, job->out_of_time ? GRACE : MAX(left, GRACE), NULL))
        return false;
    job->call = &job->rest;
    return true;
}

static void give_up(struct job *job, const GError *error)
{
    if (!job->sent)
        xc_outcome_from_error(job->outcome, error);
    else if (job->followed && job->out_of_time)
        xc_outcome_set(job->outcome, XC_RESULT_TIMED_OUT, XC_CAUSE_TIMED_OUT,
                       "not done within the time allowed, and the host does not say whether it "
                       "goes on: %s",
                       error->message);
    else
        xc_outcome_set(job->outcome, XC_RESULT_LOST, XC_CAUSE_LOST,
                       "the host could not be asked what became of it: %s", error->message);
}

/* After a failed try: true when there is to be another. */
static bool try_again(struct job *job, const GError *error)
{
    enum xc_cause cause = xc_error_cause(error);
    bool over = cause == XC_CAUSE_CANCELLED || cause == XC_CAUSE_TIMED_OUT;
    gint64 pause = job->pause;

    if (!job->sent || cause == XC_CAUSE_BAD_VALUE || (over && job->ending))
        return false;
    if (over)
        return begin_ending(job, error);
    job->pause = MIN(pause * 2, LAST_PAUSE);
    /* Time or cancellation show themselves at the next try. */
    xc_call_wait(job->call, -1, 0, pause, "waiting to ask again", NULL);
    return true;
}

/* A farm can move guests only among its own hosts. */
static bool same_farm(const struct xc_source_spec *spec, const struct xc_order *order,
                      GError **error)
{
    struct sim_place here = {0};
    struct sim_place there = {0};
    bool ok;

    if (!*order->target.uri)
        return true;
    ok = sim_place_parse(&here, spec->uri, error) &&
         sim_place_parse(&there, order->target.uri, error);
    if (ok && strcmp(here.socket, there.socket) != 0)
        ok = xc_fail(error, XC_CAUSE_NO_SUCH_HOST,
                     "%s belongs to another farm: simulated guests can't leave theirs",
                     order->target.key);
    sim_place_clear(&here);
    sim_place_clear(&there);
    return ok;
}

void sim_run(const struct xc_source_spec *spec, const struct xc_driver_env *env,
             const struct xc_order *order, struct xc_call *call, xc_progress_fn progress,
             void *data, struct xc_outcome *outcome)
{
    struct job job = {.spec = spec,
                      .order = order,
                      .call = call,
                      .sent = order->attach,
                      .boot_id = g_strdup(order->boot_id),
                      .pause = FIRST_PAUSE,
                      .progress = progress,
                      .data = data,
                      .outcome = outcome};
    g_autoptr(GError) error = NULL;
    bool done;

    (void)env;
    if (!same_farm(spec, order, &error)) {
        xc_outcome_from_error(outcome, error);
        g_free(job.boot_id);
        return;
    }
    while (!(done = try_once(&job, &error)) && try_again(&job, error))
        g_clear_error(&error);
    if (!done)
        give_up(&job, error);
    xc_call_deinit(&job.rest);
    g_free(job.boot_id);
}
