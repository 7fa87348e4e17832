/* xapi-farm: shows the hosts of a xen-farm as one pool of XCP-ng to clients of its API, for tests. */
#include "tools/xapi-farm/control.h"
#include "tools/xapi-farm/http.h"
#include "tools/xapi-farm/link.h"
#include "tools/xapi-farm/record.h"
#include "tools/xapi-farm/rrd.h"
#include "tools/xapi-farm/tasks.h"

#include "xenclient/util/error.h"
#include "xenclient/util/signals.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool read_file(const char *option, const char *path, char **out, GError **error)
{
    g_autoptr(GError) wrong = NULL;

    if (g_file_get_contents(path, out, NULL, &wrong))
        return true;
    return xc_fail(error, XC_CAUSE_BAD_VALUE, "--%s: %s", option, wrong->message);
}

static bool read_files(struct xf_server *server, GError **error)
{
    const struct xf_options *options = server->options;

    if (!read_file("password-file", options->password_file, &server->password, error) ||
        (options->cert && !read_file("cert", options->cert, &server->certificate, error)) ||
        (options->key && !read_file("key", options->key, &server->key, error)))
        return false;
    g_strdelimit(server->password, "\n", '\0');
    return true;
}

static bool make_endpoints(struct xf_server *server, GError **error)
{
    for (guint i = 0; i < server->options->listen->len; i++) {
        struct xf_endpoint *endpoint =
            xf_endpoint_new(server, i, g_ptr_array_index(server->options->listen, i), error);

        if (!endpoint)
            return false;
        g_ptr_array_add(server->endpoints, endpoint);
    }
    return true;
}

/* HOST_IS_SLAVE tells an address and no port: where the port is chosen here, all get the same. */
static bool listen_all(struct xf_server *server, GError **error)
{
    unsigned port = xf_server_endpoint(server, 0)->port;

    for (guint i = 0; i < server->endpoints->len; i++) {
        struct xf_endpoint *endpoint = xf_server_endpoint(server, i);

        if (endpoint->port == 0)
            endpoint->port = port;
        if (!xf_endpoint_listen(endpoint, error))
            return false;
        port = endpoint->port;
    }
    return true;
}

static void tell_ready(const struct xf_server *server)
{
    printf("ready");
    for (guint i = 0; i < server->endpoints->len; i++) {
        const struct xf_endpoint *endpoint = xf_server_endpoint(server, i);

        printf(strchr(endpoint->address, ':') ? " [%s]:%u" : " %s:%u", endpoint->address,
               endpoint->port);
    }
    printf("\n");
    fflush(stdout);
}

static void serve(struct xf_server *server, int stop_fd, int control_fd)
{
    struct pollfd fds[] = {{.fd = stop_fd, .events = POLLIN}, {.fd = control_fd, .events = POLLIN}};

    while (!fds[0].revents) {
        if (poll(fds, G_N_ELEMENTS(fds), xf_control_revive(server)) < 0)
            continue;
        if (fds[1].revents)
            xf_control_serve(server, control_fd);
    }
}

static bool run(struct xf_server *server, int stop_fd, GError **error)
{
    const char *control = server->options->control;
    int control_fd = -1;
    bool ok = false;

    umask(0077); /* the control socket is its owner's */
    if (!read_files(server, error) || !xf_record_open(server, error) ||
        !make_endpoints(server, error) || !(server->link = xf_link_start(server, error)))
        return false;
    if ((!control || (control_fd = xf_control_open(control, error)) >= 0) &&
        listen_all(server, error)) {
        tell_ready(server);
        serve(server, stop_fd, control_fd);
        ok = true;
    }
    xf_tasks_stop(server);
    for (guint i = 0; i < server->endpoints->len; i++)
        xf_endpoint_close(xf_server_endpoint(server, i));
    xf_link_stop(server->link);
    if (control_fd >= 0) {
        close(control_fd);
        unlink(control);
    }
    return ok;
}

static void free_endpoint(gpointer endpoint)
{
    xf_endpoint_free(endpoint);
}

static bool run_server(const struct xf_options *options, GError **error)
{
    struct xf_server server = {
        .options = options,
        .db = xf_db_new(xf_options_dialect(options), options->hosts),
        .rrd = xf_rrd_new(),
        .endpoints = g_ptr_array_new_with_free_func(free_endpoint),
        .sessions = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, xf_session_free),
        .tasks = g_hash_table_new(g_str_hash, g_str_equal),
        .coordinator = (unsigned)options->coordinator - 1,
        .record = -1,
    };
    int stop_fd = xc_signals_stop_fd();
    bool ok = run(&server, stop_fd, error);

    close(stop_fd);
    xf_record_close(&server);
    g_hash_table_unref(server.tasks);
    g_hash_table_unref(server.sessions);
    g_ptr_array_unref(server.endpoints);
    xf_rrd_free(server.rrd);
    xf_db_free(server.db);
    g_free(server.password);
    g_free(server.certificate);
    g_free(server.key);
    return ok;
}

static bool tell_about(const struct xf_options *options)
{
    g_autofree char *help = options->help ? xf_options_help() : NULL;

    if (help)
        printf("%s", help);
    else if (options->version)
        printf("xapi-farm %s\n", XENSNMP_VERSION);
    return options->help || options->version;
}

int main(int argc, char **argv)
{
    struct xf_options options;
    g_autoptr(GError) error = NULL;
    int status = 0;

    (void)argc;
    g_set_prgname("xapi-farm");
    if (!xf_options_parse(&options, argv + 1, &error))
        status = 2;
    else if (!tell_about(&options))
        status = run_server(&options, &error) ? 0 : 1;
    if (error)
        fprintf(stderr, "xapi-farm: %s\n", error->message);
    xf_options_clear(&options);
    return status;
}
