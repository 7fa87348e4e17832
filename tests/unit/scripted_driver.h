/* A driver that does what its URI says, and a front with a supervisor over it, for the tests of the
 * process boundary. Included by one file per program, which thereby has a list of drivers of its
 * own. */
#pragma once

#include "xenclient/util/log.h"
#include "xenclient/worker/protocol.h"
#include "xenclient/worker/worker.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- the driver. The source's save_dir is a directory of the test: what happened is written to its
 * file `log`, and files in it steer the driver. The user of the URI says what a poll does. */

struct xc_conn {
    const struct xc_source_spec *spec;
    char *mode;
    int event;
    bool fresh;
    GPtrArray *eaten;
};

static char *in_dir(const struct xc_source_spec *spec, const char *name)
{
    return g_build_filename(spec->save_dir, name, NULL);
}

static bool has_file(const struct xc_source_spec *spec, const char *name)
{
    g_autofree char *path = in_dir(spec, name);

    return access(path, F_OK) == 0;
}

static void note(const struct xc_source_spec *spec, const char *what)
{
    g_autofree char *path = in_dir(spec, "log");
    g_autofree char *line = g_strdup_printf("%s %s %d\n", what, spec->key, (int)getpid());
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0 || write(fd, line, strlen(line)) < 0)
        abort();
    close(fd);
}

static struct xc_conn *scripted_open(const struct xc_source_spec *spec,
                                     const struct xc_driver_env *env, struct xc_call *call,
                                     GError **error)
{
    struct xc_conn *conn;
    struct xc_uri uri;

    if (!xc_call_check(call, "opening", error) || !xc_uri_parse(spec->uri, &uri, error))
        return NULL;
    if (strcmp(uri.user, "files") == 0) {
        xc_fail(error, XC_CAUSE_BAD_CONFIG, "%s %s %s %s", env->credential_dir, env->known_hosts,
                env->tls_pins, env->tls_ca);
        xc_uri_clear(&uri);
        return NULL;
    }
    note(spec, prctl(PR_GET_DUMPABLE) ? "dumpable" : "sealed");
    conn = g_new0(struct xc_conn, 1);
    conn->spec = spec;
    conn->mode = g_strdup(uri.user);
    conn->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    conn->fresh = true;
    conn->eaten = g_ptr_array_new_with_free_func(g_free);
    xc_uri_clear(&uri);
    return conn;
}

static void scripted_close(struct xc_conn *conn)
{
    if (!conn)
        return;
    close(conn->event);
    g_ptr_array_unref(conn->eaten);
    g_free(conn->mode);
    g_free(conn);
}

static void add_domains(struct xc_report *report, unsigned n, uint32_t host)
{
    for (unsigned i = 0; i < n; i++) {
        struct xc_domain *domain = xc_report_domain(report, host);
        g_autofree char *name = g_strdup_printf("vm-%u", i);
        struct xc_vif *vif;

        XC_SET(DOMAIN, domain, name, xc_report_text(report, name, -1));
        XC_SET(DOMAIN, domain, state, XC_STATE_RUNNING);
        XC_SET(DOMAIN, domain, mem_kib, 1024 * i);
        vif = xc_report_vif(report, i);
        XC_SET(VIF, vif, rx_bytes, i);
    }
}

static void die(void)
{
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

static bool fail_once_more(const struct xc_conn *conn, GError **error)
{
    if (has_file(conn->spec, "mended"))
        return true;
    return xc_fail(error, XC_CAUSE_HOST_DOWN, "host\n\"%s\" is down", conn->spec->key);
}

static bool scripted_poll(struct xc_conn *conn, struct xc_report *report, struct xc_call *call,
                          GError **error)
{
    const char *mode = conn->mode;
    bool big = strcmp(mode, "big") == 0;
    struct xc_host *host = xc_report_host(report);

    note(conn->spec, "poll");
    XC_SET(HOST, host, name, xc_report_text(report, conn->spec->key, -1));
    add_domains(report, big ? 20000 : 3, strcmp(mode, "wild") == 0 ? 7 : 0);
    if (strcmp(mode, "wait") == 0)
        return xc_call_wait(call, -1, 0, -1, "waiting", error);
    if (strcmp(mode, "fail") == 0)
        return fail_once_more(conn, error);
    if (strcmp(mode, "mute") == 0)
        return false;
    if (strcmp(mode, "die") == 0)
        die();
    if (strcmp(mode, "eat") == 0)
        g_ptr_array_add(conn->eaten, g_strnfill(100 << 20, 'x'));
    while (strcmp(mode, "stuck") == 0)
        g_usleep(1000 * 1000);
    while (strcmp(mode, "hold") == 0 && !has_file(conn->spec, "release"))
        g_usleep(5 * 1000);
    if (strcmp(mode, "event") == 0 && conn->fresh && eventfd_write(conn->event, 1) < 0)
        return xc_fail(error, XC_CAUSE_INTERNAL, "no event");
    conn->fresh = false;
    return true;
}

static int scripted_event_fd(struct xc_conn *conn)
{
    return conn->event;
}

static bool scripted_event_read(struct xc_conn *conn, bool *changed, GError **error)
{
    eventfd_t count;

    (void)error;
    *changed = eventfd_read(conn->event, &count) == 0;
    return true;
}

/* The name of the domain says what happens. */
static void scripted_run(const struct xc_source_spec *spec, const struct xc_driver_env *env,
                         const struct xc_order *order, struct xc_call *call,
                         xc_progress_fn progress, void *data, struct xc_outcome *outcome)
{
    g_autoptr(GError) error = NULL;
    const char *name = order->name;

    (void)env;
    note(spec, order->attach ? "attach" : "start");
    if (strcmp(name, "mute") == 0)
        return;
    if (strcmp(name, "die") == 0)
        die();
    if (strcmp(name, "long") == 0)
        while (!has_file(spec, "finish"))
            if (!xc_call_wait(call, -1, 0, 5 * 1000, "running", &error)) {
                xc_outcome_from_error(outcome, error);
                return;
            }
    progress("half way", 50, data);
    progress("half way", 50, data);
    xc_outcome_set(outcome, XC_RESULT_OK, XC_CAUSE_NONE, "done\nby %s",
                   order->attach ? "attach" : "start");
}

static const char *const scripted_schemes[] = {"test", NULL};
static const struct xc_driver scripted = {.name = "scripted", .schemes = scripted_schemes};
const struct xc_driver *const xc_drivers[] = {&scripted};
const unsigned xc_n_drivers = 1;
static const struct xc_driver_ops scripted_ops = {
    .open = scripted_open,
    .close = scripted_close,
    .poll = scripted_poll,
    .event_fd = scripted_event_fd,
    .event_read = scripted_event_read,
    .run = scripted_run,
};
const struct xc_driver_ops *xc_driver_ops(const struct xc_driver *driver)
{
    return driver ? &scripted_ops : NULL;
}
static const struct xc_label no_labels[] = {{1, "scripted"}};
XC_ENUM_DEFINE(xc_driver_labels, "XenDriver", no_labels);
