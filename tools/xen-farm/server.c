/* The event loop of the farm: listening sockets, connections, time. */
#include "tools/xen-farm/server.h"

#include "xenclient/util/clock.h"
#include "xenclient/util/log.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define MAX_EVENTS   256
#define BACKLOG      4096
#define ACCEPT_PAUSE (100 * 1000) /* after running out of descriptors */
#define MINUTE       (60 * G_USEC_PER_SEC)

struct listener {
    int fd;
    char *path;
    const struct farm_link_kind *kind;
};

struct farm_server {
    struct farm_fleet *fleet;
    struct farm_journal *journal;
    int epoll;
    struct listener listeners[2];
    gint64 accept_again; /* 0: listening */
    gint64 churn_usec;   /* one domain changes each; 0: none */
    gint64 next_churn;
    GPtrArray *clients;    /* struct farm_link of drivers, all of them */
    GPtrArray *links;      /* all */
    GPtrArray *dead;       /* to be freed */
    GPtrArray **listening; /* by ordinal of the host; the last one: all hosts */
    GHashTable *followers; /* uuid of an op -> struct farm_link */
    uint64_t polls;
};

/* --- connections */

static void arm(struct farm_server *server, struct farm_link *link)
{
    uint32_t wanted = (link->deaf || link->closing ? 0 : EPOLLIN) |
                      (g_queue_is_empty(&link->out) && !link->hungry ? 0 : EPOLLOUT);
    struct epoll_event event = {.events = wanted, .data.ptr = link};

    if (link->dead || wanted == link->armed)
        return;
    if (epoll_ctl(server->epoll, EPOLL_CTL_MOD, link->fd, &event) == 0)
        link->armed = wanted;
}

void farm_link_arm(struct farm_link *link)
{
    if (link->closing && g_queue_is_empty(&link->out))
        farm_link_close(link);
    else
        arm(link->server, link);
}

static void free_bytes(gpointer bytes)
{
    g_byte_array_unref(bytes);
}

void farm_link_close(struct farm_link *link)
{
    if (link->dead)
        return;
    link->dead = true;
    close(link->fd);
    link->kind->closed(link);
    g_queue_clear_full(&link->out, free_bytes);
    g_ptr_array_remove_fast(link->server->links, link);
    if (link->kind == &farm_client_kind)
        g_ptr_array_remove_fast(link->server->clients, link);
    g_ptr_array_add(link->server->dead, link);
}

/* Sends what the socket takes. A broken connection shows itself as an event later: nothing is
 * closed here, so a caller may walk through lists of connections. */
static void flush(struct farm_link *link)
{
    while (!g_queue_is_empty(&link->out)) {
        GByteArray *first = g_queue_peek_head(&link->out);
        ssize_t n = send(link->fd, first->data + link->sent, first->len - link->sent,
                         MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0)
            break;
        link->sent += (size_t)n;
        if (link->sent < first->len)
            continue;
        link->sent = 0;
        g_byte_array_unref(g_queue_pop_head(&link->out));
    }
    arm(link->server, link);
}

void farm_link_send(struct farm_link *link, GByteArray *bytes)
{
    if (link->dead || link->closing || bytes->len == 0) {
        g_byte_array_unref(bytes);
        return;
    }
    g_queue_push_tail(&link->out, bytes);
    if (g_queue_get_length(&link->out) == 1)
        flush(link);
}

static void link_ready(struct farm_link *link, uint32_t events)
{
    if (events & EPOLLOUT)
        flush(link);
    if (events & EPOLLIN && !link->dead)
        link->kind->readable(link);
    else if (events & (EPOLLHUP | EPOLLERR))
        farm_link_close(link);
    if (link->dead || !g_queue_is_empty(&link->out))
        return;
    if (link->closing)
        farm_link_close(link);
    else if (events & EPOLLOUT && link->kind->drained)
        link->kind->drained(link);
}

static void add_link(struct farm_server *server, int fd, const struct farm_link_kind *kind)
{
    struct farm_link *link = kind->make();
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = link};

    link->server = server;
    link->fd = fd;
    link->kind = kind;
    link->armed = EPOLLIN;
    g_queue_init(&link->out);
    if (epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
        close(fd);
        kind->closed(link);
        g_free(link);
        return;
    }
    g_ptr_array_add(server->links, link);
    if (kind == &farm_client_kind)
        g_ptr_array_add(server->clients, link);
}

/* --- listening */

static void listen_again(struct farm_server *server, bool on)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(server->listeners); i++) {
        struct epoll_event event = {.events = on ? EPOLLIN : 0, .data.ptr = &server->listeners[i]};

        epoll_ctl(server->epoll, EPOLL_CTL_MOD, server->listeners[i].fd, &event);
    }
    server->accept_again = on ? 0 : server->fleet->now + ACCEPT_PAUSE;
}

static void accept_all(struct farm_server *server, const struct listener *listener)
{
    for (;;) {
        struct sockaddr_un from;
        socklen_t size = sizeof(from);
        int fd =
            accept4(listener->fd, (struct sockaddr *)&from, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0) {
            add_link(server, fd, listener->kind);
            continue;
        }
        if (errno == EINTR || errno == ECONNABORTED)
            continue;
        if (errno != EAGAIN) {
            xc_log(XC_LOG_WARNING, "no more connections for a moment: %s", g_strerror(errno));
            listen_again(server, false);
        }
        return;
    }
}

static bool somebody_serves(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool alive = fd >= 0 && (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
                             errno == EAGAIN);

    if (fd >= 0)
        close(fd);
    return alive;
}

/* Only a socket that nobody serves is taken away. */
static bool make_way(const struct sockaddr_un *address, GError **error)
{
    struct stat info;

    if (lstat(address->sun_path, &info) < 0)
        return true;
    if (!S_ISSOCK(info.st_mode))
        return xc_fail(error, XC_CAUSE_BUSY, "%s exists and is no socket: choose another path",
                       address->sun_path);
    if (somebody_serves(address))
        return xc_fail(error, XC_CAUSE_BUSY,
                       "%s: another farm serves there: end it or choose another path",
                       address->sun_path);
    if (unlink(address->sun_path) < 0)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "%s: %s", address->sun_path, g_strerror(errno));
    return true;
}

static bool make_listener(struct farm_server *server, struct listener *listener, const char *path,
                          const char *suffix, GError **error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = listener};
    mode_t mask;
    int failed;

    if (strlen(path) > FARM_PATH_MAX)
        return xc_fail(error, XC_CAUSE_BAD_VALUE,
                       "socket path longer than %d octets: choose a shorter one", FARM_PATH_MAX);
    g_snprintf(address.sun_path, sizeof(address.sun_path), "%s%s", path, suffix);
    if (!make_way(&address, error))
        return false;
    listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    /* The mode must be right from the first moment on. */
    mask = umask(0177);
    failed = listener->fd < 0 ||
             bind(listener->fd, (const struct sockaddr *)&address, sizeof(address)) < 0;
    umask(mask);
    if (failed)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "%s: %s", address.sun_path, g_strerror(errno));
    listener->path = g_strdup(address.sun_path);
    if (listen(listener->fd, BACKLOG) < 0 ||
        epoll_ctl(server->epoll, EPOLL_CTL_ADD, listener->fd, &event) < 0)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "%s: %s", address.sun_path, g_strerror(errno));
    return true;
}

/* --- the fleet's events */

static void on_changed(struct farm_host *host, void *data)
{
    farm_client_changed(data, host);
}

static void on_begun(struct farm_op *op, void *data)
{
    const struct farm_server *server = data;

    if (server->journal)
        farm_journal_begun(server->journal, op);
}

static void on_moved(struct farm_op *op, void *data)
{
    const struct farm_server *server = data;
    struct farm_link *link = g_hash_table_lookup(server->followers, &op->uuid);

    if (link)
        farm_client_moved(link, op);
}

static void on_ended(struct farm_op *op, void *data)
{
    const struct farm_server *server = data;
    struct farm_link *link = g_hash_table_lookup(server->followers, &op->uuid);

    if (server->journal)
        farm_journal_ended(server->journal, op);
    if (link)
        farm_client_ended(link, op);
}

static const struct farm_events fleet_events = {
    .changed = on_changed, .begun = on_begun, .moved = on_moved, .ended = on_ended};

/* --- life */

struct farm_server *farm_server_new(struct farm_fleet *fleet, struct farm_journal *journal,
                                    const char *path, GError **error)
{
    struct farm_server *server = g_new0(struct farm_server, 1);

    server->fleet = fleet;
    server->journal = journal;
    server->epoll = epoll_create1(EPOLL_CLOEXEC);
    server->clients = g_ptr_array_new();
    server->links = g_ptr_array_new();
    server->dead = g_ptr_array_new_with_free_func(g_free);
    server->listening = g_new0(GPtrArray *, fleet->hosts->len + 1);
    for (guint i = 0; i <= fleet->hosts->len; i++)
        server->listening[i] = g_ptr_array_new();
    server->followers = g_hash_table_new_full(xc_uuid_hash, xc_uuid_equal, g_free, NULL);
    server->listeners[0] = (struct listener){.fd = -1, .kind = &farm_client_kind};
    server->listeners[1] = (struct listener){.fd = -1, .kind = &farm_control_kind};
    if (!make_listener(server, &server->listeners[0], path, "", error) ||
        !make_listener(server, &server->listeners[1], path, ".ctl", error))
        return farm_server_free(server);
    farm_fleet_listen(fleet, &fleet_events, server);
    return server;
}

void *farm_server_free(struct farm_server *server)
{
    if (!server)
        return NULL;
    farm_fleet_listen(server->fleet, NULL, NULL);
    while (server->links->len)
        farm_link_close(g_ptr_array_index(server->links, 0));
    for (unsigned i = 0; i < G_N_ELEMENTS(server->listeners); i++) {
        if (server->listeners[i].path)
            unlink(server->listeners[i].path);
        if (server->listeners[i].fd >= 0)
            close(server->listeners[i].fd);
        g_free(server->listeners[i].path);
    }
    for (guint i = 0; i <= server->fleet->hosts->len; i++)
        g_ptr_array_unref(server->listening[i]);
    g_free(server->listening);
    g_hash_table_unref(server->followers);
    g_ptr_array_unref(server->clients);
    g_ptr_array_unref(server->links);
    g_ptr_array_unref(server->dead);
    close(server->epoll);
    g_free(server);
    return NULL;
}

/* Wakes those whose time has come; the next such time. */
static gint64 run_clients(struct farm_server *server)
{
    gint64 next = G_MAXINT64;

    for (guint i = server->clients->len; i-- > 0;) {
        struct farm_link *link = g_ptr_array_index(server->clients, i);

        if (farm_client_resume_at(link) <= server->fleet->now)
            farm_client_resume(link);
        if (!link->dead)
            next = MIN(next, farm_client_resume_at(link));
    }
    return next;
}

static gint64 run_churn(struct farm_server *server)
{
    if (!server->churn_usec)
        return G_MAXINT64;
    while (server->next_churn <= server->fleet->now) {
        farm_flap(server->fleet, 1);
        server->next_churn += server->churn_usec;
    }
    return server->next_churn;
}

/* All that time alone brings about; milliseconds until there is more, rounded up. */
static int run_time(struct farm_server *server)
{
    gint64 now = xc_clock_mono();
    gint64 next = farm_fleet_run(server->fleet, now);

    next = MIN(next, run_churn(server));
    next = MIN(next, run_clients(server));
    if (server->accept_again && server->accept_again <= now)
        listen_again(server, true);
    if (server->accept_again)
        next = MIN(next, server->accept_again);
    if (next == G_MAXINT64)
        return -1;
    return (int)CLAMP((next - now + 999) / 1000, 0, 60 * 1000);
}

static void handle(struct farm_server *server, const struct epoll_event *event)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(server->listeners); i++)
        if (event->data.ptr == &server->listeners[i]) {
            accept_all(server, &server->listeners[i]);
            return;
        }
    if (!((struct farm_link *)event->data.ptr)->dead)
        link_ready(event->data.ptr, event->events);
}

bool farm_server_run(struct farm_server *server, int stop_fd, unsigned churn, GError **error)
{
    struct epoll_event stop = {.events = EPOLLIN, .data.ptr = NULL};
    struct epoll_event events[MAX_EVENTS];

    if (epoll_ctl(server->epoll, EPOLL_CTL_ADD, stop_fd, &stop) < 0)
        return xc_fail(error, XC_CAUSE_INTERNAL, "epoll: %s", g_strerror(errno));
    server->churn_usec = churn ? MAX(MINUTE / churn, 1000) : 0;
    server->next_churn = xc_clock_mono() + server->churn_usec;
    for (;;) {
        int n = epoll_wait(server->epoll, events, MAX_EVENTS, run_time(server));

        if (n < 0 && errno != EINTR)
            return xc_fail(error, XC_CAUSE_INTERNAL, "epoll: %s", g_strerror(errno));
        farm_fleet_run(server->fleet, xc_clock_mono());
        for (int i = 0; i < n; i++) {
            if (!events[i].data.ptr)
                return true;
            handle(server, &events[i]);
        }
        g_ptr_array_set_size(server->dead, 0);
    }
}

struct farm_fleet *farm_server_fleet(struct farm_server *server)
{
    return server->fleet;
}

const GPtrArray *farm_server_clients(const struct farm_server *server)
{
    return server->clients;
}

void farm_server_count_poll(struct farm_server *server)
{
    server->polls++;
}

uint64_t farm_server_polls(const struct farm_server *server)
{
    return server->polls;
}

GPtrArray *farm_server_listeners(struct farm_server *server, const struct farm_host *host)
{
    return server->listening[host ? host->ordinal : server->fleet->hosts->len];
}

GHashTable *farm_server_followers(struct farm_server *server)
{
    return server->followers;
}
