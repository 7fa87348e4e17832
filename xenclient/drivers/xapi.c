/* The xapi driver: pools of XCP-ng and XenServer, asked over HTTPS with user and password. A source is a pool and reports
 * all its hosts. A thread mirrors the pool by its events (xapi_events.c), another one asks the hosts for their metrics, which
 * XAPI keeps out of its database (xapi_metrics.c): a poll asks for nothing but whether the coordinator is still there.
 * Operations have their own session (xapi_actions.c). */
#include "xenclient/drivers/drivers.h"
#include "xenclient/drivers/xapi_actions.h"
#include "xenclient/drivers/xapi_barrier.h"
#include "xenclient/drivers/xapi_events.h"
#include "xenclient/drivers/xapi_metrics.h"
#include "xenclient/drivers/xapi_report.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* A feed that ends sooner is not worth reading all of the pool at once for another. */
#define LIVED_USEC (10 * XC_USEC_PER_SEC)
#define REST_MAX   5 /* doublings of a second */

struct xc_conn {
    const struct xc_source_spec *spec; /* both the caller's */
    const struct xc_driver_env *env;
    struct xapi_link *link;
    struct xapi_feed *feed; /* NULL: it could not be started again */
    struct xapi_metrics *metrics;
    unsigned short_lived; /* feeds in a row that soon ended */
    int changed;          /* eventfd: the feed's word that something happened */
};

static void xapi_close(struct xc_conn *conn)
{
    if (!conn)
        return;
    xapi_metrics_free(conn->metrics);
    xapi_feed_stop(conn->feed);
    xapi_link_close(conn->link);
    if (conn->changed >= 0)
        close(conn->changed);
    g_free(conn);
}

/* Both threads, or none. */
static bool start(struct xc_conn *conn, gint64 rest, GError **error)
{
    conn->feed = xapi_feed_start(conn->link, conn->changed, rest, error);
    if (!conn->feed)
        return false;
    if (xapi_metrics_start(conn->metrics, conn->link, conn->feed, conn->changed, error))
        return true;
    xapi_feed_stop(g_steal_pointer(&conn->feed));
    return false;
}

static struct xc_conn *xapi_open(const struct xc_source_spec *spec, const struct xc_driver_env *env,
                                 struct xc_call *call, GError **error)
{
    struct xc_conn *conn = g_new0(struct xc_conn, 1);

    conn->spec = spec;
    conn->env = env;
    conn->changed = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (conn->changed < 0)
        xc_fail(error, XC_CAUSE_LIMIT, "no event descriptor: %s", g_strerror(errno));
    else
        conn->metrics = xapi_metrics_new(spec, error);
    if (conn->metrics)
        conn->link = xapi_link_open(spec, env, call, error);
    if (conn->link && start(conn, 0, error))
        return conn;
    xapi_close(conn);
    return NULL;
}

/* What the mirror shows is as old as the last event, which may be long ago: that the coordinator still answers is asked each
 * time. After the end of a session, a restart of the toolstack or with another coordinator all is read anew; what was
 * measured so far stays. */
static bool revive(struct xc_conn *conn, struct xc_call *call, GError **error)
{
    gint64 rest;

    if (!xapi_link_check(conn->link, call, error))
        return false;
    if (conn->feed && xapi_feed_serves(conn->feed, conn->link))
        return true;
    if (conn->feed && xapi_feed_age(conn->feed) > LIVED_USEC)
        conn->short_lived = 0;
    else
        conn->short_lived++;
    rest = conn->short_lived ? XC_USEC_PER_SEC << MIN(conn->short_lived, REST_MAX) : 0;
    xapi_metrics_stop(conn->metrics);
    xapi_feed_stop(g_steal_pointer(&conn->feed));
    return start(conn, rest, error);
}

/* For the next time that the coordinator is to be found. */
static void set_members(struct xc_conn *conn, const struct xapi_mirror *mirror)
{
    g_autoptr(GPtrArray) members = xapi_members_of(mirror);
    g_autoptr(GPtrArray) addresses = g_ptr_array_new();

    for (guint i = 0; i < members->len; i++)
        g_ptr_array_add(addresses, ((const struct xapi_member *)members->pdata[i])->address);
    xapi_link_set_members(conn->link, addresses);
}

/* News are told with the numbers that were shown before: all of a host belong to one reading of its clock. */
static bool fill(struct xc_conn *conn, struct xc_report *report, struct xapi_mirror *mirror,
                 GError **error)
{
    struct xapi_meters *meters = xapi_metrics_lock(conn->metrics, !report->news);
    bool ok = xapi_report_fill(report, mirror, meters, error);

    xapi_metrics_clocks(conn->metrics, report);
    xapi_metrics_unlock(conn->metrics);
    return ok;
}

static bool xapi_poll(struct xc_conn *conn, struct xc_report *report, struct xc_call *call,
                      GError **error)
{
    struct xapi_mirror *mirror;
    bool ok;

    if (!revive(conn, call, error) || !xapi_feed_wait(conn->feed, call, error))
        return false;
    xapi_barrier_wait(conn->spec, conn->env, conn->feed, call);
    mirror = xapi_feed_lock(conn->feed);
    report->news = report->news_will_do && !mirror->all_new && !xapi_metrics_are_due(conn->metrics);
    if (!report->news)
        set_members(conn, mirror);
    ok = fill(conn, report, mirror, error);
    if (ok)
        xapi_mirror_reported(mirror);
    xapi_feed_unlock(conn->feed);
    return ok;
}

static int xapi_event_fd(struct xc_conn *conn)
{
    return conn->changed;
}

/* A feed that has ended is no error: the poll that it asks for starts it again. */
static bool xapi_event_read(struct xc_conn *conn, bool *changed, GError **error)
{
    uint64_t count = 0;

    if (read(conn->changed, &count, sizeof(count)) < 0 && errno != EAGAIN && errno != EINTR)
        return xc_fail(error, XC_CAUSE_INTERNAL, "events: %s", g_strerror(errno));
    *changed = count > 0;
    return true;
}

const struct xc_driver_ops xc_xapi_ops = {
    .open = xapi_open,
    .close = xapi_close,
    .poll = xapi_poll,
    .event_fd = xapi_event_fd,
    .event_read = xapi_event_read,
    .run = xapi_run,
};
