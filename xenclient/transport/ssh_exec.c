/* Commands on an SSH session, and the one stream beside them. */
#include "xenclient/transport/ssh_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define STREAM_MAX ((size_t)1 << 20)
#define CHUNK      32768

/* --- opening */

static LIBSSH2_CHANNEL *channel_open(struct xc_ssh *ssh, struct xc_call *call, GError **error)
{
    LIBSSH2_CHANNEL *channel;

    while (!(channel = libssh2_channel_open_session(ssh->session))) {
        if (libssh2_session_last_errno(ssh->session) != LIBSSH2_ERROR_EAGAIN) {
            xc_ssh_fail(ssh, XC_CAUSE_TRANSPORT, "opening a channel", error);
            return NULL;
        }
        if (!xc_ssh_wait(ssh, call, "opening a channel", error))
            return NULL;
    }
    return channel;
}

/* A channel of a broken session is freed with it. */
static void channel_drop(struct xc_ssh *ssh, LIBSSH2_CHANNEL *channel)
{
    if (channel && !ssh->broken && libssh2_channel_free(channel) == LIBSSH2_ERROR_EAGAIN)
        ssh->broken = true;
}

static bool channel_start(struct xc_ssh *ssh, LIBSSH2_CHANNEL *channel, const char *command,
                          struct xc_call *call, GError **error)
{
    int rc;

    while ((rc = libssh2_channel_exec(channel, command)) == LIBSSH2_ERROR_EAGAIN)
        if (!xc_ssh_wait(ssh, call, "starting a command", error))
            return false;
    return rc == 0 || xc_ssh_fail(ssh, XC_CAUSE_TRANSPORT, "starting a command", error);
}

/* --- one command */

struct input {
    const char *at;
    size_t left;
    bool closed;
};

/* Sends what fits; then end of file. A command that ended without reading its input is no error
 * here. */
static bool feed(struct xc_ssh *ssh, LIBSSH2_CHANNEL *channel, struct input *input, GError **error)
{
    while (input->left > 0) {
        ssize_t n = libssh2_channel_write(channel, input->at, input->left);

        if (n == LIBSSH2_ERROR_EAGAIN)
            return true;
        if (n < 0 && libssh2_channel_eof(channel))
            input->left = 0;
        else if (n < 0)
            return xc_ssh_fail(ssh, XC_CAUSE_TRANSPORT, "sending input", error);
        else {
            input->at += n;
            input->left -= (size_t)n;
        }
    }
    if (!input->closed) {
        int rc = libssh2_channel_send_eof(channel);

        if (rc == LIBSSH2_ERROR_EAGAIN)
            return true;
        input->closed = true;
    }
    return true;
}

/* Reads one of the two streams until there is no more for now. */
static bool drain(struct xc_ssh *ssh, LIBSSH2_CHANNEL *channel, int which, struct xc_exec *out,
                  GError **error)
{
    char chunk[CHUNK];
    ssize_t n;

    while ((n = libssh2_channel_read_ex(channel, which, chunk, sizeof chunk)) > 0) {
        bool ok = which == 0
                      ? xc_exec_add(out->out, chunk, (size_t)n, XC_EXEC_OUT_MAX, "stdout", error)
                      : xc_exec_add(out->err, chunk, (size_t)n, XC_EXEC_ERR_MAX, "stderr", error);

        if (!ok) {
            ssh->broken = true;
            return false;
        }
    }
    if (n < 0 && n != LIBSSH2_ERROR_EAGAIN)
        return xc_ssh_fail(ssh, XC_CAUSE_TRANSPORT, "reading a command's answer", error);
    return true;
}

static void take_status(struct xc_ssh *ssh, LIBSSH2_CHANNEL *channel, struct xc_exec *out)
{
    char *name = NULL;
    size_t length = 0;

    libssh2_channel_get_exit_signal(channel, &name, &length, NULL, NULL, NULL, NULL);
    if (name) {
        out->signal = g_strndup(name, MIN(length, 32));
        out->status = -1;
        libssh2_free(ssh->session, name);
    } else {
        out->status = libssh2_channel_get_exit_status(channel) & 0xff;
    }
}

/* Reading one stream takes the other's packets off the socket, too, which will not tell of them again. */
static bool has_more(LIBSSH2_CHANNEL *channel)
{
    unsigned long waiting = 0;

    libssh2_channel_window_read_ex(channel, &waiting, NULL);
    return waiting > 0;
}

/* Both streams and the input side by side, until the far end has closed them. */
static bool converse(struct xc_ssh *ssh, LIBSSH2_CHANNEL *channel, struct input *input,
                     struct xc_call *call, struct xc_exec *out, GError **error)
{
    unsigned idle = 0; /* rounds in which nothing was read */

    for (;;) {
        gsize had = out->out->len + out->err->len;

        if (!feed(ssh, channel, input, error) || !drain(ssh, channel, 0, out, error) ||
            !drain(ssh, channel, SSH_EXTENDED_DATA_STDERR, out, error))
            return false;
        idle = out->out->len + out->err->len > had ? 0 : idle + 1;
        /* What is still there after a second idle round is of neither stream. */
        if (has_more(channel) && idle < 2)
            continue;
        if (libssh2_channel_eof(channel))
            break;
        if (!xc_ssh_wait(ssh, call, "waiting for a command's answer", error))
            return false;
        idle = 0;
    }
    return true;
}

static bool finish(struct xc_ssh *ssh, LIBSSH2_CHANNEL *channel, struct xc_call *call,
                   struct xc_exec *out, GError **error)
{
    int rc;

    while ((rc = libssh2_channel_close(channel)) == LIBSSH2_ERROR_EAGAIN)
        if (!xc_ssh_wait(ssh, call, "waiting for a command's end", error))
            return false;
    if (rc < 0)
        return xc_ssh_fail(ssh, XC_CAUSE_TRANSPORT, "waiting for a command's end", error);
    take_status(ssh, channel, out);
    return true;
}

bool xc_ssh_exec(struct xc_ssh *ssh, const char *command, const void *input, size_t length,
                 struct xc_call *call, struct xc_exec *out, GError **error)
{
    struct input rest = {input, length, false};
    LIBSSH2_CHANNEL *channel;
    bool ok;

    if (!xc_ssh_usable(ssh))
        return xc_fail(error, XC_CAUSE_TRANSPORT, "the session is lost");
    channel = channel_open(ssh, call, error);
    if (!channel)
        return false;
    ok = channel_start(ssh, channel, command, call, error) &&
         converse(ssh, channel, &rest, call, out, error) && finish(ssh, channel, call, out, error);
    channel_drop(ssh, channel);
    /* Bytes of the stream may have come along with ours: the socket will not tell of them again. */
    return ok && xc_ssh_stream_pump(ssh, error);
}

/* --- the stream */

static bool event_init(struct xc_ssh *ssh, GError **error)
{
    struct epoll_event socket_event = {.events = EPOLLIN | EPOLLRDHUP};
    struct epoll_event data_event = {.events = EPOLLIN};

    if (ssh->event_epoll >= 0)
        return true;
    ssh->event_epoll = epoll_create1(EPOLL_CLOEXEC);
    ssh->event_data = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (ssh->event_epoll < 0 || ssh->event_data < 0 ||
        epoll_ctl(ssh->event_epoll, EPOLL_CTL_ADD, ssh->fd, &socket_event) < 0 ||
        epoll_ctl(ssh->event_epoll, EPOLL_CTL_ADD, ssh->event_data, &data_event) < 0)
        return xc_fail(error, XC_CAUSE_LIMIT, "no event descriptor: %s", g_strerror(errno));
    ssh->stream_data = g_string_new(NULL);
    return true;
}

bool xc_ssh_stream_open(struct xc_ssh *ssh, const char *command, struct xc_call *call,
                        GError **error)
{
    if (!xc_ssh_usable(ssh))
        return xc_fail(error, XC_CAUSE_TRANSPORT, "the session is lost");
    channel_drop(ssh, g_steal_pointer(&ssh->stream));
    if (!event_init(ssh, error))
        return false;
    ssh->stream = channel_open(ssh, call, error);
    if (!ssh->stream || !channel_start(ssh, ssh->stream, command, call, error))
        return false;
    ssh->stream_ended = false;
    return xc_ssh_stream_pump(ssh, error);
}

bool xc_ssh_stream_running(const struct xc_ssh *ssh)
{
    return ssh->stream && !ssh->stream_ended;
}

int xc_ssh_stream_fd(const struct xc_ssh *ssh)
{
    return ssh->event_epoll;
}

static void stream_keep(struct xc_ssh *ssh, const char *data, size_t length)
{
    uint64_t one = 1;
    size_t room = STREAM_MAX - MIN(ssh->stream_data->len, STREAM_MAX);

    g_string_append_len(ssh->stream_data, data, (gssize)MIN(length, room));
    if (write(ssh->event_data, &one, sizeof one) < 0 && errno != EAGAIN)
        ssh->broken = true;
}

bool xc_ssh_stream_pump(struct xc_ssh *ssh, GError **error)
{
    char chunk[4096];
    ssize_t n;

    if (!ssh->stream)
        return true;
    /* Also when the stream has ended: reading is what takes the host's other packets off the
     * socket, which would stay readable for ever. */
    while (libssh2_channel_read_ex(ssh->stream, SSH_EXTENDED_DATA_STDERR, chunk, sizeof chunk) > 0)
        continue;
    while ((n = libssh2_channel_read_ex(ssh->stream, 0, chunk, sizeof chunk)) > 0)
        stream_keep(ssh, chunk, (size_t)n);
    if (n < 0 && n != LIBSSH2_ERROR_EAGAIN)
        return xc_ssh_fail(ssh, XC_CAUSE_TRANSPORT, "reading events", error);
    ssh->stream_ended = libssh2_channel_eof(ssh->stream) != 0;
    return true;
}

bool xc_ssh_stream_read(struct xc_ssh *ssh, GString *to, GError **error)
{
    uint64_t ignored;

    if (!xc_ssh_usable(ssh))
        return xc_fail(error, XC_CAUSE_TRANSPORT, "the session is lost");
    if (!xc_ssh_stream_pump(ssh, error))
        return false;
    if (ssh->event_data >= 0 && read(ssh->event_data, &ignored, sizeof ignored) < 0 &&
        errno != EAGAIN)
        return xc_fail(error, XC_CAUSE_INTERNAL, "event descriptor: %s", g_strerror(errno));
    if (ssh->stream_data) {
        g_string_append_len(to, ssh->stream_data->str, (gssize)ssh->stream_data->len);
        g_string_truncate(ssh->stream_data, 0);
    }
    return true;
}

void xc_ssh_stream_deinit(struct xc_ssh *ssh)
{
    ssh->stream = NULL; /* freed with its session */
    if (ssh->event_epoll >= 0)
        close(ssh->event_epoll);
    if (ssh->event_data >= 0)
        close(ssh->event_data);
    ssh->event_epoll = ssh->event_data = -1;
    if (ssh->stream_data)
        g_string_free(g_steal_pointer(&ssh->stream_data), TRUE);
}
