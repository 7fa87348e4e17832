/* The simulator driver: one host of a xen-farm, or all of them, over the farm's socket.
 * URI sim:///PATH/OF/FARM.SOCK/HOST, with @all for every host as one source. */
#include "xenclient/drivers/drivers.h"
#include "xenclient/drivers/sim_protocol.h"
#include "xenclient/drivers/sim_session.h"

#include "xenclient/transport/frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct xc_conn {
    struct sim_session session;
    uint32_t serial;
    bool changed; /* an event came in the middle of a poll */
};

static struct xc_conn *sim_open(const struct xc_source_spec *spec, const struct xc_driver_env *env,
                                struct xc_call *call, GError **error)
{
    struct sim_session session;
    struct xc_conn *conn;

    (void)env;
    if (!sim_session_open(&session, spec->uri, true, call, error))
        return NULL;
    conn = g_new0(struct xc_conn, 1);
    conn->session = session;
    return conn;
}

static void sim_close(struct xc_conn *conn)
{
    if (!conn)
        return;
    sim_session_close(&conn->session);
    g_free(conn);
}

/* --- polls */

/* Takes one message of the answer; *last when the report is complete. */
static bool take_piece(struct xc_conn *conn, uint32_t kind, const GByteArray *body,
                       struct xc_report *report, bool *last, GError **error)
{
    struct xc_reader from = XC_READER(body->data, body->len);
    uint32_t serial;

    if (kind == SIM_CHANGED && body->len == 0) {
        conn->changed = true;
        return true;
    }
    serial = kind == SIM_REPORT ? xc_get_u32(&from) : 0;
    *last = xc_get_u8(&from) == 1;
    if (kind != SIM_REPORT || serial != conn->serial || !xc_report_read(report, &from))
        return xc_fail(error, XC_CAUSE_DRIVER_ERROR,
                       "the farm's answer to a poll is not a legal report");
    return true;
}

static bool sim_poll(struct xc_conn *conn, struct xc_report *report, struct xc_call *call,
                     GError **error)
{
    g_autoptr(GByteArray) ask = g_byte_array_new();
    bool last = false;

    conn->changed = false;
    xc_put_u32(ask, ++conn->serial);
    if (!xc_frame_send(conn->session.fd, SIM_POLL, ask, call, error))
        return false;
    while (!last) {
        g_autoptr(GByteArray) body = NULL;
        uint32_t kind;

        if (!sim_session_receive(&conn->session, &kind, &body, call, error) ||
            !take_piece(conn, kind, body, report, &last, error))
            return false;
        /* What came before the answer is in the answer. */
        if (report->hosts->len == 0)
            conn->changed = false;
    }
    if (report->hosts->len == 0 || !xc_report_check(report))
        return xc_fail(error, XC_CAUSE_DRIVER_ERROR,
                       "the farm's report names hosts or domains that it does not hold");
    xc_report_sum_devices(report);
    return true;
}

/* --- events */

static int sim_event_fd(struct xc_conn *conn)
{
    return conn->session.fd;
}

/* The only message that comes unasked has no body, so it is there as a whole or it is not what we
 * know: a half one is an error, not a reason to be called again and again. */
static bool sim_event_read(struct xc_conn *conn, bool *changed, GError **error)
{
    g_autoptr(GByteArray) expected = g_byte_array_new();
    uint8_t head[8];
    ssize_t n;

    *changed = conn->changed;
    conn->changed = false;
    xc_frame_append(expected, SIM_CHANGED, NULL);
    for (;;) {
        n = recv(conn->session.fd, head, sizeof(head), MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return true;
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return xc_fail(error, XC_CAUSE_TRANSPORT, "the farm hung up");
        if ((size_t)n != expected->len || memcmp(head, expected->data, sizeof(head)) != 0)
            return xc_fail(error, XC_CAUSE_DRIVER_ERROR, "the farm sent what was not asked for");
        *changed = true;
    }
}

const struct xc_driver_ops xc_sim_ops = {
    .open = sim_open,
    .close = sim_close,
    .poll = sim_poll,
    .event_fd = sim_event_fd,
    .event_read = sim_event_read,
    .run = sim_run,
};
