/* The control socket: a table of modes and a table of commands. */
#include "tools/xapi-farm/control.h"

#include "tools/xapi-farm/http.h"
#include "tools/xapi-farm/tasks.h"
#include "xenclient/util/clock.h"
#include "xenclient/util/error.h"
#include "xenclient/util/log.h"
#include "xenclient/util/text.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LINE_MAX_OCTETS 4096
#define CLIENT_SEC      5
#define RESTART_SEC     3
#define ARGS_MAX        4

static const struct {
    const char *name;
    enum xf_mode mode;
    const char *argument; /* what must follow; NULL: nothing */
} modes[] = {
    {"normal", XF_NORMAL, NULL},
    {"refuse", XF_REFUSE, NULL},
    {"hang", XF_HANG, NULL},
    {"slow", XF_SLOW, "MS"},
    {"garbage", XF_GARBAGE, NULL},
    {"truncate", XF_TRUNCATE, NULL},
    {"endless", XF_ENDLESS, NULL},
    {"http500", XF_HTTP_500, NULL},
    {"slave", XF_SLAVE, "ADDRESS"},
    {"auth", XF_AUTH, NULL},
    {"session-invalid", XF_SESSION_INVALID, NULL},
    {"bad-token", XF_BAD_TOKEN, NULL},
    {"booting", XF_BOOTING, NULL},
    {"cut", XF_CUT, "METHOD"},
};

struct order {
    struct xf_server *server;
    char **args; /* behind the command's name */
    unsigned n;
    GString *out;
};

/* --- hosts */

/* The endpoints an argument names: a number from 1, or "all". */
static bool find_endpoints(const struct order *order, unsigned *first, unsigned *last,
                           GError **error)
{
    unsigned n = order->server->endpoints->len;
    uint64_t number;

    *first = 0;
    *last = n - 1;
    if (strcmp(order->args[0], "all") == 0)
        return true;
    if (!xc_text_to_u64(order->args[0], 1, n, &number, NULL))
        return xc_fail(error, XC_CAUSE_NO_SUCH_HOST, "no host \"%s\": 1 to %u, or all",
                       order->args[0], n);
    *first = *last = (unsigned)number - 1;
    return true;
}

static bool set_mode(struct xf_endpoint *endpoint, enum xf_mode mode, const char *argument,
                     GError **error)
{
    struct xf_db *db = endpoint->server->db;
    uint64_t ms = 0;

    if (mode == XF_SLOW && !xc_text_to_u64(argument, 1, 3600000, &ms, NULL))
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "slow needs milliseconds, 1 to 3600000");
    xf_db_lock(db);
    endpoint->mode = mode;
    endpoint->slow_usec = (gint64)ms * 1000;
    g_free(endpoint->argument);
    endpoint->argument = g_strdup(argument);
    xf_db_wake(db);
    xf_db_unlock(db);
    endpoint->back_at = 0;
    if (mode != XF_REFUSE)
        return xf_endpoint_listen(endpoint, error);
    xf_endpoint_close(endpoint);
    return true;
}

/* --- commands */

static bool run_mode(const struct order *order, GError **error)
{
    unsigned first;
    unsigned last;
    unsigned i = 0;

    if (!find_endpoints(order, &first, &last, error))
        return false;
    while (i < G_N_ELEMENTS(modes) && strcmp(modes[i].name, order->args[1]) != 0)
        i++;
    if (i == G_N_ELEMENTS(modes))
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "no mode \"%s\": see `help`", order->args[1]);
    if ((modes[i].argument != NULL) != (order->n == 3))
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "%s needs %s", modes[i].name,
                       modes[i].argument ? modes[i].argument : "nothing more");
    for (unsigned at = first; at <= last; at++)
        if (!set_mode(xf_server_endpoint(order->server, at), modes[i].mode,
                      modes[i].argument ? order->args[2] : "", error))
            return false;
    return true;
}

static bool run_coordinator(const struct order *order, GError **error)
{
    struct xf_server *server = order->server;
    unsigned first;
    unsigned last;

    if (!find_endpoints(order, &first, &last, error))
        return false;
    xf_db_lock(server->db);
    server->coordinator = first;
    for (GList *at = xf_db_all(server->db, xf_class_find("pool")); at; at = at->next)
        xf_set_text(server->db, at->data, "master", xf_server_endpoint(server, first)->host);
    xf_session_end_all(server);
    xf_db_unlock(server->db);
    return true;
}

/* With the lock. */
static void tell_start(struct xf_db *db)
{
    g_autofree char *now =
        g_strdup_printf("%" G_GINT64_FORMAT ".", xc_clock_real() / XC_USEC_PER_SEC);

    for (GList *at = xf_db_all(db, xf_class_find("host")); at; at = at->next) {
        xf_map_put(db, at->data, "other_config", "agent_start_time", NULL);
        xf_map_put(db, at->data, "other_config", "agent_start_time", now);
    }
}

/* Nobody listens for a while, and nobody is known afterwards. */
static bool run_restart(const struct order *order, GError **error)
{
    uint64_t seconds = RESTART_SEC;

    if (order->n && !xc_text_to_u64(order->args[0], 1, 3600, &seconds, NULL))
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "SECONDS are a number from 1 to 3600");
    for (unsigned i = 0; i < order->server->endpoints->len; i++) {
        struct xf_endpoint *endpoint = xf_server_endpoint(order->server, i);

        xf_endpoint_close(endpoint);
        endpoint->back_at = xc_clock_mono() + (gint64)seconds * XC_USEC_PER_SEC;
    }
    xf_db_lock(order->server->db);
    xf_session_end_all(order->server);
    xf_tasks_forget(order->server);
    tell_start(order->server->db);
    xf_db_unlock(order->server->db);
    return true;
}

static bool run_drop_sessions(const struct order *order, GError **error)
{
    (void)error;
    xf_db_lock(order->server->db);
    g_string_append_printf(order->out, "sessions=%u\n", g_hash_table_size(order->server->sessions));
    xf_session_end_all(order->server);
    xf_db_unlock(order->server->db);
    return true;
}

static bool run_lose_events(const struct order *order, GError **error)
{
    bool on = strcmp(order->args[0], "on") == 0;

    if (!on && strcmp(order->args[0], "off") != 0)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "on or off");
    xf_db_lock(order->server->db);
    order->server->db->lose_events = on;
    xf_db_unlock(order->server->db);
    return true;
}

/* CLASS, REFERENCE, FIELD, and the value in GVariant's text form, which may have blanks. */
static bool put_field(const struct order *order, GError **error)
{
    const struct xf_class *class = xf_class_find(order->args[0]);
    struct xf_object *object =
        class ? xf_db_find(order->server->db, class->name, order->args[1]) : NULL;
    int field = class ? xf_field_find(class, order->args[2]) : -1;
    g_autoptr(GError) why = NULL;
    GVariant *value;

    if (!object || field < 0)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "there is no such object or field");
    value = g_variant_parse(G_VARIANT_TYPE(class->fields[field].type), order->args[3], NULL, NULL,
                            &why);
    if (!value)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "%s: %s", order->args[2], why->message);
    xf_set(order->server->db, object, order->args[2], value);
    g_variant_unref(value);
    return true;
}

static bool run_set(const struct order *order, GError **error)
{
    bool ok;

    xf_db_lock(order->server->db);
    ok = put_field(order, error);
    xf_db_unlock(order->server->db);
    return ok;
}

static bool run_hosts(const struct order *order, GError **error)
{
    (void)error;
    xf_db_lock(order->server->db);
    for (unsigned i = 0; i < order->server->endpoints->len; i++) {
        const struct xf_endpoint *endpoint = xf_server_endpoint(order->server, i);

        g_string_append_printf(order->out, "%u\t%s\t%u\t%s\n", i + 1, endpoint->address,
                               endpoint->port, modes[endpoint->mode].name);
    }
    xf_db_unlock(order->server->db);
    return true;
}

static bool run_help(const struct order *order, GError **error)
{
    (void)error;
    xf_control_help(order->out);
    return true;
}

static const struct {
    const char *name;
    unsigned min;
    unsigned max;
    const char *usage;
    const char *help;
    bool (*run)(const struct order *order, GError **error);
} commands[] = {
    {"mode", 2, 3, "HOST MODE [ARGUMENT]", "how a host (1, 2, ... or all) treats its clients",
     run_mode},
    {"coordinator", 1, 1, "HOST", "another host leads the pool; all sessions end", run_coordinator},
    {"toolstack-restart", 0, 1, "[SECONDS]",
     "all go away for a while; sessions end, tasks are forgotten", run_restart},
    {"drop-sessions", 0, 0, "", "all sessions end", run_drop_sessions},
    {"lose-events", 1, 1, "on|off", "event.from does not tell of deletions", run_lose_events},
    {"set", 4, 4, "CLASS REFERENCE FIELD VALUE",
     "a field gets a value, in the text form of GVariant: true, ['a', 'b'], {'k': 'v'}", run_set},
    {"hosts", 0, 0, "", "number, address, port and mode of each", run_hosts},
    {"help", 0, 0, "", "this text", run_help},
};

void xf_control_help(GString *out)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++) {
        g_autofree char *left = g_strdup_printf("%s %s", commands[i].name, commands[i].usage);

        g_string_append_printf(out, "  %-30s %s\n", left, commands[i].help);
    }
    g_string_append(out, "modes:");
    for (unsigned i = 0; i < G_N_ELEMENTS(modes); i++)
        g_string_append_printf(out, "%s %s%s%s", i ? "," : "", modes[i].name,
                               modes[i].argument ? " " : "",
                               modes[i].argument ? modes[i].argument : "");
    g_string_append_c(out, '\n');
}

static bool run_line(struct xf_server *server, const char *line, GString *out, GError **error)
{
    g_auto(GStrv) words = g_strsplit(line, " ", ARGS_MAX + 1);
    struct order order = {server, words + 1, g_strv_length(words), out};

    order.n = order.n ? order.n - 1 : 0;
    for (unsigned i = 0; words[0] && i < G_N_ELEMENTS(commands); i++) {
        if (strcmp(commands[i].name, words[0]) != 0)
            continue;
        if (order.n < commands[i].min || order.n > commands[i].max)
            return xc_fail(error, XC_CAUSE_BAD_VALUE, "usage: %s %s", commands[i].name,
                           commands[i].usage);
        return commands[i].run(&order, error);
    }
    return xc_fail(error, XC_CAUSE_BAD_VALUE, "no command \"%s\": see `help`",
                   words[0] ? words[0] : "");
}

/* --- the socket */

int xf_control_open(const char *path, GError **error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd;

    if (strlen(path) >= sizeof(address.sun_path)) {
        xc_fail(error, XC_CAUSE_BAD_VALUE, "--control: the path is longer than %zu octets",
                sizeof(address.sun_path) - 1);
        return -1;
    }
    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    unlink(path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
        listen(fd, 8) == 0)
        return fd;
    xc_fail(error, XC_CAUSE_LIMIT, "--control %s: %s", path, g_strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool answer_line(struct xf_server *server, int fd, const char *line)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_autoptr(GError) error = NULL;

    if (run_line(server, line, out, &error))
        g_string_append(out, "ok\n");
    else
        g_string_append_printf(out, "error %s\n", error->message);
    return send(fd, out->str, out->len, MSG_NOSIGNAL) == (ssize_t)out->len;
}

void xf_control_serve(struct xf_server *server, int listening)
{
    const struct timeval patience = {.tv_sec = CLIENT_SEC};
    char line[LINE_MAX_OCTETS];
    size_t length = 0;
    int fd = accept(listening, NULL, NULL);
    ssize_t n;

    if (fd < 0)
        return;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    while (length < sizeof(line) - 1 &&
           (n = recv(fd, line + length, sizeof(line) - 1 - length, 0)) > 0) {
        char *end;

        length += (size_t)n;
        line[length] = '\0';
        while ((end = strchr(line, '\n'))) {
            *end = '\0';
            if (!answer_line(server, fd, line))
                break;
            length -= (size_t)(end + 1 - line);
            memmove(line, end + 1, length + 1);
        }
    }
    close(fd);
}

int xf_control_revive(struct xf_server *server)
{
    gint64 now = xc_clock_mono();
    gint64 next = G_MAXINT64;

    for (unsigned i = 0; i < server->endpoints->len; i++) {
        struct xf_endpoint *endpoint = xf_server_endpoint(server, i);
        g_autoptr(GError) error = NULL;

        if (endpoint->back_at && endpoint->back_at <= now) {
            endpoint->back_at = 0;
            if (!xf_endpoint_listen(endpoint, &error))
                xc_log(XC_LOG_ERROR, "%s", error->message);
        }
        if (endpoint->back_at)
            next = MIN(next, endpoint->back_at);
    }
    return next == G_MAXINT64 ? -1 : (int)((next - now) / 1000) + 1;
}
