/* A farm in a thread of the test, sessions and operations of the sim driver on it. */
#pragma once

#include "tools/xen-farm/server.h"
#include "xenclient/drivers/drivers.h"
#include "xenclient/util/clock.h"

#include <stdarg.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib/gstdio.h>

#define SEC XC_USEC_PER_SEC

struct farm {
    char *folder;
    char *path;
    struct farm_fleet *fleet;
    struct farm_server *server;
    char *journal_path; /* NULL: none */
    struct farm_journal *journal;
    GThread *thread;
    int stop;
    uint64_t next_op;
};

/* --- a farm of our own */

G_GNUC_UNUSED static gpointer serve(gpointer data)
{
    struct farm *farm = data;

    g_assert_true(farm_server_run(farm->server, farm->stop, 0, NULL));
    return NULL;
}

/* boot makes the boot ids: the same one twice is a farm that came back without a restart of its hosts. */
G_GNUC_UNUSED static void farm_start(struct farm *farm, uint64_t boot)
{
    g_autoptr(GError) error = NULL;
    struct farm_config config;

    farm_config_init(&config);
    config.running_percent = 100;
    config.mem_kib = 1024 * 1024;
    config.speed = 20;
    config.boot = boot;
    farm->fleet = farm_fleet_new(&config, xc_clock_mono(), xc_clock_real(), &error);
    g_assert_no_error(error);
    if (farm->journal_path)
        farm->journal = farm_journal_open(farm->journal_path, farm->fleet, &error);
    g_assert_no_error(error);
    farm->server = farm_server_new(farm->fleet, farm->journal, farm->path, &error);
    g_assert_no_error(error);
    farm->stop = eventfd(0, EFD_CLOEXEC);
    farm->thread = g_thread_new("farm", serve, farm);
}

G_GNUC_UNUSED static void farm_stop(struct farm *farm)
{
    uint64_t one = 1;

    g_assert_cmpint(write(farm->stop, &one, sizeof(one)), ==, sizeof(one));
    g_thread_join(farm->thread);
    close(farm->stop);
    farm->server = farm_server_free(farm->server);
    farm->journal = farm_journal_close(farm->journal);
    farm->fleet = farm_fleet_free(farm->fleet);
}

G_GNUC_UNUSED static void farm_open(struct farm *farm, gconstpointer data)
{
    (void)data;
    farm->folder = g_dir_make_tmp("sim-XXXXXX", NULL);
    farm->path = g_build_filename(farm->folder, "f", NULL);
    farm->next_op = 1;
    farm->journal_path = NULL;
    farm->journal = NULL;
    farm_start(farm, 1);
}

G_GNUC_UNUSED static void farm_close(struct farm *farm, gconstpointer data)
{
    (void)data;
    farm_stop(farm);
    g_rmdir(farm->folder);
    g_free(farm->folder);
    g_free(farm->path);
}

/* A command to the farm, as `xen-farm ctl` sends it; what it printed, with its "ok". */
G_GNUC_UNUSED static char *ctl(struct farm *farm, const char *format, ...) G_GNUC_PRINTF(2, 3);
G_GNUC_UNUSED static char *ctl(struct farm *farm, const char *format, ...)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    g_autoptr(GString) in = g_string_new(NULL);
    g_autofree char *command = NULL;
    g_autofree char *line = NULL;
    va_list args;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    va_start(args, format);
    command = g_strdup_vprintf(format, args);
    va_end(args);
    line = g_strconcat(command, "\n", NULL);
    g_snprintf(address.sun_path, sizeof(address.sun_path), "%s.ctl", farm->path);
    g_assert_cmpint(connect(fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    g_assert_cmpint(write(fd, line, strlen(line)), ==, strlen(line));
    while (!g_str_has_suffix(in->str, "ok\n") && !strstr(in->str, "error ")) {
        char chunk[4096];
        ssize_t n = read(fd, chunk, sizeof(chunk));

        g_assert_cmpint(n, >, 0);
        g_string_append_len(in, chunk, n);
    }
    close(fd);
    if (strstr(in->str, "error "))
        g_error("%s: %s", command, in->str);
    return g_strdup(in->str);
}

#define CTL(farm, ...) g_free(ctl(farm, __VA_ARGS__))

/* The number behind "key=" in the statistics. */
G_GNUC_UNUSED static unsigned stat_of(struct farm *farm, const char *key)
{
    g_autofree char *text = ctl(farm, "stats");
    g_autofree char *pattern = g_strdup_printf("\n%s=", key);
    const char *at = strstr(text, pattern);

    g_assert_nonnull(at);
    return (unsigned)g_ascii_strtoull(at + strlen(pattern), NULL, 10);
}

/* --- sources, polls */

G_GNUC_UNUSED static void spec_init(struct farm *farm, struct xc_source_spec *spec,
                                    const char *host)
{
    struct xc_source_spec empty = {0};

    xc_source_spec_copy(spec, &empty);
    g_free(spec->uri);
    spec->uri = g_strdup_printf("sim://%s/%s", farm->path, host);
}

struct session {
    struct xc_source_spec spec;
    struct xc_call call;
    struct xc_conn *conn;
};

G_GNUC_UNUSED static bool session_try(struct farm *farm, struct session *session, const char *host,
                                      GError **error)
{
    spec_init(farm, &session->spec, host);
    g_assert_true(xc_call_init(&session->call, 5 * SEC, NULL));
    session->conn = xc_sim_ops.open(&session->spec, NULL, &session->call, error);
    return session->conn != NULL;
}

G_GNUC_UNUSED static void session_open(struct farm *farm, struct session *session, const char *host)
{
    g_autoptr(GError) error = NULL;

    session_try(farm, session, host, &error);
    g_assert_no_error(error);
}

G_GNUC_UNUSED static void session_close(struct session *session)
{
    xc_sim_ops.close(session->conn);
    xc_call_deinit(&session->call);
    xc_source_spec_clear(&session->spec);
}

G_GNUC_UNUSED static struct xc_report *poll_once(struct session *session)
{
    struct xc_report *report = xc_report_new();
    g_autoptr(GError) error = NULL;

    xc_call_restart(&session->call, 5 * SEC);
    xc_sim_ops.poll(session->conn, report, &session->call, &error);
    g_assert_no_error(error);
    return report;
}

G_GNUC_UNUSED static const struct xc_domain *find(const struct xc_report *report,
                                                  const struct xc_uuid *uuid)
{
    for (guint i = 0; i < report->domains->len; i++) {
        const struct xc_domain *d = &g_array_index(report->domains, struct xc_domain, i);

        if (memcmp(&d->uuid, uuid, sizeof(*uuid)) == 0)
            return d;
    }
    return NULL;
}

/* The first guest of a report. */
G_GNUC_UNUSED static const struct xc_domain *guest(const struct xc_report *report)
{
    for (guint i = 0; i < report->domains->len; i++) {
        const struct xc_domain *d = &g_array_index(report->domains, struct xc_domain, i);

        if (d->kind == XC_KIND_GUEST)
            return d;
    }
    g_assert_not_reached();
}

/* --- operations */

struct run {
    struct farm *farm;
    struct xc_source_spec spec;
    struct xc_order order;
    struct xc_call call;
    struct xc_outcome outcome;
    GThread *thread;
    int phases;
    _Atomic int best; /* progress */
};

G_GNUC_UNUSED static void on_progress(const char *phase, int progress, void *data)
{
    struct run *run = data;

    run->phases += *phase != '\0';
    if (progress > run->best)
        run->best = progress;
}

G_GNUC_UNUSED static gpointer run_thread(gpointer data)
{
    struct run *run = data;

    xc_sim_ops.run(&run->spec, NULL, &run->order, &run->call, on_progress, run, &run->outcome);
    return NULL;
}

/* Prepares an order for the n-th guest of a host. */
G_GNUC_UNUSED static void run_init(struct farm *farm, struct run *run, const char *host,
                                   enum xc_action action, const struct xc_domain *on)
{
    struct xc_order empty = {.action = action, .timeout_usec = 20 * SEC};

    *run = (struct run){.farm = farm, .best = -1};
    spec_init(farm, &run->spec, host);
    xc_order_copy(&run->order, &empty);
    memcpy(run->order.op.b, &farm->next_op, sizeof(farm->next_op));
    farm->next_op++;
    run->order.uuid = on->uuid;
    g_assert_true(xc_call_init(&run->call, run->order.timeout_usec, NULL));
}

G_GNUC_UNUSED static void run_to(struct run *run, const char *host)
{
    g_free(run->order.target.uri);
    run->order.target.uri = g_strdup_printf("sim://%s/%s", run->farm->path, host);
}

G_GNUC_UNUSED static void run_start(struct run *run)
{
    run->thread = g_thread_new("run", run_thread, run);
}

G_GNUC_UNUSED static void run_wait(struct run *run)
{
    if (run->thread)
        g_thread_join(run->thread);
    else
        run_thread(run);
    run->thread = NULL;
}

G_GNUC_UNUSED static void run_clear(struct run *run)
{
    xc_outcome_clear(&run->outcome);
    xc_order_clear(&run->order);
    xc_call_deinit(&run->call);
    xc_source_spec_clear(&run->spec);
}

G_GNUC_UNUSED static void assert_ended(const struct run *run, enum xc_result result,
                                       enum xc_cause cause)
{
    g_test_message("%s", run->outcome.text ? run->outcome.text : "");
    g_assert_cmpstr(xc_enum_label(&xc_result_labels, (int)run->outcome.result), ==,
                    xc_enum_label(&xc_result_labels, (int)result));
    g_assert_cmpstr(xc_enum_label(&xc_cause_labels, (int)run->outcome.cause), ==,
                    xc_enum_label(&xc_cause_labels, (int)cause));
}

/* Until the farm has so many executions in progress. */
G_GNUC_UNUSED static void wait_running(struct farm *farm, unsigned n)
{
    for (int i = 0; i < 5000 && stat_of(farm, "running") != n; i++)
        g_usleep(1000);
    g_assert_cmpuint(stat_of(farm, "running"), ==, n);
}

/* A copy of the first guest of host1. */
G_GNUC_UNUSED static struct xc_domain first_guest(struct farm *farm)
{
    struct session session;
    struct xc_domain copy;
    g_autoptr(xc_report) report = NULL;

    session_open(farm, &session, "host1");
    report = poll_once(&session);
    copy = *guest(report);
    session_close(&session);
    return copy;
}
