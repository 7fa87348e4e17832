/* The way to the farm, which the sim driver knows. */
#include "tools/xapi-farm/link.h"

#include "tools/xapi-farm/estate.h"
#include "tools/xapi-farm/rrd.h"
#include "xenclient/util/clock.h"
#include "xenclient/util/log.h"

#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define POLL_BUDGET   (10 * XC_USEC_PER_SEC)
#define RETRY_MSEC    300
#define REFRESH_USEC  (5 * XC_USEC_PER_SEC)
#define OPERATION_SEC 3600
#define STEP_USEC     (XF_RRD_STEP * XC_USEC_PER_SEC)

struct xf_link {
    struct xf_server *server;
    const struct xc_driver_ops *driver;
    struct xc_source_spec spec;
    struct xc_driver_env env;
    struct xc_conn *conn; /* of the thread; NULL: none */
    struct xf_estate *estate;
    GThread *thread;
    int wake; /* eventfd: poll now */
    /* (L) */
    guint64 begun; /* polls */
    guint64 done;
};

/* --- one poll */

static void disconnect(struct xf_link *link)
{
    if (link->driver && link->conn)
        link->driver->close(link->conn);
    link->conn = NULL;
}

static bool connect_farm(struct xf_link *link, struct xc_call *call, GError **error)
{
    if (!link->conn)
        link->conn = link->driver->open(&link->spec, &link->env, call, error);
    return link->conn != NULL;
}

static void take_report(struct xf_link *link, const struct xc_report *report)
{
    struct xf_server *server = link->server;

    xf_db_lock(server->db);
    xf_estate_update(link->estate, report);
    xf_rrd_take(server->rrd, report);
    link->done = link->begun;
    xf_db_wake(server->db);
    xf_db_unlock(server->db);
}

static bool poll_farm(struct xf_link *link, GError **error)
{
    g_autoptr(xc_report) report = xc_report_new();
    struct xc_call call;
    bool ok;

    if (!xc_call_init(&call, POLL_BUDGET, error))
        return false;
    xf_db_lock(link->server->db);
    link->begun++;
    xf_db_unlock(link->server->db);
    ok = connect_farm(link, &call, error) && link->driver->poll(link->conn, report, &call, error);
    xc_call_deinit(&call);
    if (ok)
        take_report(link, report);
    else
        disconnect(link);
    return ok;
}

/* --- the thread */

static bool is_ending(struct xf_link *link)
{
    bool ending;

    xf_db_lock(link->server->db);
    ending = link->server->ending;
    xf_db_unlock(link->server->db);
    return ending;
}

/* Until something changed, someone asks, or the next step of the archives has come. */
static void wait_for_reason(struct xf_link *link)
{
    gint64 left = STEP_USEC - xc_clock_real() % STEP_USEC;
    int fd = link->conn ? link->driver->event_fd(link->conn) : -1;
    struct pollfd fds[] = {{.fd = link->wake, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    bool changed = false;
    uint64_t count;

    if (fd >= 0 && !link->driver->event_read(link->conn, &changed, NULL))
        disconnect(link);
    if (changed || (fd >= 0 && !link->conn))
        return;
    if (poll(fds, 2, link->conn ? (int)(left / 1000) + 1 : RETRY_MSEC) < 0)
        return;
    if (fds[0].revents && read(link->wake, &count, sizeof(count)) < 0)
        return;
    if (fd >= 0 && fds[1].revents && !link->driver->event_read(link->conn, &changed, NULL))
        disconnect(link);
}

static gpointer thread(gpointer data)
{
    struct xf_link *link = data;

    while (!is_ending(link)) {
        g_autoptr(GError) error = NULL;

        wait_for_reason(link);
        if (!poll_farm(link, &error)) {
            xf_db_lock(link->server->db);
            xf_estate_lost(link->estate);
            xf_db_unlock(link->server->db);
        }
    }
    return NULL;
}

static void free_link(struct xf_link *link)
{
    disconnect(link);
    xc_source_spec_clear(&link->spec);
    xf_estate_free(link->estate);
    close(link->wake);
    g_free(link);
}

struct xf_link *xf_link_start(struct xf_server *server, GError **error)
{
    struct xf_link *link = g_new0(struct xf_link, 1);
    g_autofree char *uri = g_strdup_printf("sim://%s/@all", server->options->farm);
    const struct xc_source_spec spec = {.key = (char *)"farm", .uri = uri};

    link->server = server;
    link->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    link->estate = xf_estate_new(server);
    xc_source_spec_copy(&link->spec, &spec);
    link->driver = xc_driver_ops(xc_driver_for(uri, error));
    if (!link->driver || !poll_farm(link, error) || !xf_estate_check(link->estate, error)) {
        free_link(link);
        return NULL;
    }
    link->thread = g_thread_new("farm", thread, link);
    return link;
}

static void wake(struct xf_link *link)
{
    const uint64_t one = 1;

    if (write(link->wake, &one, sizeof(one)) < 0)
        xc_log(XC_LOG_WARNING, "the farm's thread can't be woken");
}

void xf_link_stop(struct xf_link *link)
{
    if (!link)
        return;
    xf_db_lock(link->server->db);
    link->server->ending = true;
    xf_db_unlock(link->server->db);
    wake(link);
    g_thread_join(link->thread);
    free_link(link);
}

void xf_link_refresh(struct xf_link *link)
{
    struct xf_db *db = link->server->db;
    gint64 until = g_get_monotonic_time() + REFRESH_USEC;
    guint64 poll_after;

    xf_db_lock(db);
    /* One that is under way may have asked before. */
    poll_after = link->begun + 1;
    wake(link);
    while (link->done < poll_after && !link->server->ending)
        if (!g_cond_wait_until(&db->changed, &db->lock, until))
            break;
    xf_db_unlock(db);
}

/* --- operations */

static void show_progress(const char *phase, int progress, void *data)
{
    struct xf_task *task = data;
    struct xf_db *db = task->rpc->server->db;

    (void)phase;
    if (progress < 0)
        return;
    xf_db_lock(db);
    xf_task_progress(task, progress / 100.0);
    xf_db_unlock(db);
}

void xf_link_run(struct xf_task *task, enum xc_action action, const char *vm_uuid,
                 const char *host_from, const char *host_to, unsigned amount,
                 struct xc_outcome *outcome)
{
    struct xf_server *server = task->rpc->server;
    struct xf_link *link = server->link;
    const struct xc_action_info *info = xc_action_info(action);
    bool soft = info && info->soft;
    struct xc_order order = {
        .action = action,
        .name = (char *)"",
        .config = (char *)"",
        .boot_id = (char *)"",
        .host_from = (char *)host_from,
        .host_to = (char *)host_to,
        .live = 1,
        .amount = amount,
        .timeout_usec = (soft ? XF_SHUTDOWN_SEC : OPERATION_SEC) * XC_USEC_PER_SEC,
    };
    struct xc_order whole;

    xc_uuid_random(&order.op);
    xc_uuid_parse(vm_uuid, &order.uuid);
    xc_order_copy(&whole, &order);
    if (action == XC_ACTION_CREATE) {
        g_free(whole.content);
        xf_db_lock(server->db);
        whole.content = xf_estate_config(server->db, vm_uuid);
        xf_db_unlock(server->db);
        whole.uuid = (struct xc_uuid){0};
    }
    link->driver->run(&link->spec, &link->env, &whole, &task->call, show_progress, task, outcome);
    xc_order_clear(&whole);
}

bool xf_link_has(struct xf_link *link, const char *vm_uuid)
{
    return xf_estate_has(link->estate, vm_uuid);
}
