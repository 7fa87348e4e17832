/* The driver to copy when a new kind of hypervisor is to be added. It is compiled with every build, so it can't
 * fall behind driver.h, but it is in no list: its host answers every poll with one paused domain.
 *
 * How to make a driver of it:
 *   1. Copy this file to foo.c; parsers of the hypervisor's text go to foo_parse.c: (buffer, length) -> model or
 *      error, no I/O, with fixtures in tests/fixtures/foo and a fuzz target.
 *   2. Say in drivers.c what there is to know of it (numbers never change); declare what it does in drivers.h, and add it
 *      to the list of drivers_ops.c.
 *   3. Talk through xenclient/transport only, with the call that you are given: then deadlines and cancellation work.
 *   4. Say `unknown` by not setting a field. Never 0, -1 or "". */
#include "xenclient/drivers/drivers.h"

/* Whatever polls and watches share: a session, its login, what the host said at the beginning. */
struct xc_conn {
    const struct xc_source_spec *spec; /* outlives the connection */
    struct xc_uri uri;
};

/* Errors name the thing, the place and the cure. The cause decides what the operator is told to do and whether
 * we try again, so choose it with care: authFailed is not hostDown. */
static struct xc_conn *skel_open(const struct xc_source_spec *spec, const struct xc_driver_env *env,
                                 struct xc_call *call, GError **error)
{
    g_autofree struct xc_conn *conn = g_new0(struct xc_conn, 1);

    /* A driver that logs in reads its credential here and clears it as soon as it is in:
     * xc_credential_load(env->credential_dir, spec->credential, spec->uri, &credential, error) */
    (void)env;
    conn->spec = spec;
    if (!xc_uri_parse(spec->uri, &conn->uri, error))
        return NULL;
    /* Before each step that may take time, and inside every wait. */
    if (!xc_call_check(call, "connecting", error)) {
        xc_uri_clear(&conn->uri);
        return NULL;
    }
    return g_steal_pointer(&conn);
}

static void skel_close(struct xc_conn *conn)
{
    if (!conn)
        return;
    xc_uri_clear(&conn->uri);
    g_free(conn);
}

/* Everything in one go: what is not in the report does not exist any more. */
static bool skel_poll(struct xc_conn *conn, struct xc_report *report, struct xc_call *call,
                      GError **error)
{
    struct xc_host *host;
    struct xc_domain *domain;

    if (!xc_call_check(call, "asking for the domains", error))
        return false;
    host = xc_report_host(report);
    domain = xc_report_domain(report, 0);
    if (!host || !domain)
        return xc_fail(error, XC_CAUSE_LIMIT, "the host reports too many objects");
    /* Text from outside goes through xc_report_text(), which cleans and bounds it. */
    XC_SET(HOST, host, name, xc_report_text(report, conn->uri.host, -1));
    XC_SET(DOMAIN, domain, name, xc_report_text(report, "example", -1));
    XC_SET(DOMAIN, domain, kind, XC_KIND_GUEST);
    XC_SET(DOMAIN, domain, state, XC_STATE_PAUSED);
    /* Devices refer to their domain by its ordinal in this report; their sums come last. */
    xc_report_sum_devices(report);
    return true;
}

/* Rules of an operation:
 *   - order->op is its identity. Leave a mark with it at the hypervisor BEFORE the effect (a directory, a task
 *     name, a comment), in one atomic step, so that a second attempt finds it.
 *   - With order->attach look for the mark first. Found: wait for the end of that one. Not found, and certain that
 *     it can't have been there: begin. Anything else: LOST, never a guess.
 *   - OK only after the wanted state was read back. */
static void skel_run(const struct xc_source_spec *spec, const struct xc_driver_env *env,
                     const struct xc_order *order, struct xc_call *call, xc_progress_fn progress,
                     void *data, struct xc_outcome *outcome)
{
    g_autoptr(GError) error = NULL;

    (void)spec;
    (void)env;
    progress("looking for the domain", -1, data);
    if (!xc_call_check(call, "looking for the domain", &error)) {
        xc_outcome_from_error(outcome, error);
        return;
    }
    xc_outcome_set(outcome, XC_RESULT_FAILED, XC_CAUSE_NOT_SUPPORTED,
                   "%s of \"%s\" is not possible with the example driver",
                   xc_enum_label(&xc_action_labels, (int)order->action), order->name);
}

const struct xc_driver_ops xc_skel_ops = {
    .open = skel_open,
    .close = skel_close,
    .poll = skel_poll,
    /* Optional: event_fd and event_read, when the hypervisor tells of changes by itself. */
    .run = skel_run,
};
