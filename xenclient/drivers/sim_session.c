/* A connection of the sim driver to its farm. */
#include "xenclient/drivers/sim_session.h"

#include "xenclient/drivers/sim_protocol.h"
#include "xenclient/transport/frame.h"
#include "xenclient/util/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BUSY_USEC (20 * 1000) /* between two tries at a farm whose queue is full */

/* --- where */

bool sim_place_parse(struct sim_place *place, const char *uri, GError **error)
{
    struct xc_uri parts;
    const char *slash;
    bool legal;

    *place = (struct sim_place){0};
    if (!xc_uri_parse(uri, &parts, error))
        return false;
    slash = strrchr(parts.path, '/');
    legal =
        strcmp(parts.scheme, "sim") == 0 && !*parts.host && slash && slash > parts.path && slash[1];
    if (legal) {
        place->socket = g_strndup(parts.path, (gsize)(slash - parts.path));
        place->host = g_strdup(strcmp(slash + 1, SIM_ALL_URI) == 0 ? SIM_ALL : slash + 1);
    } else {
        xc_fail(error, XC_CAUSE_BAD_VALUE,
                "a URI of the simulator is sim:///PATH/OF/FARM.SOCK/HOST, or .../%s for all hosts",
                SIM_ALL_URI);
    }
    xc_uri_clear(&parts);
    return legal;
}

void sim_place_clear(struct sim_place *place)
{
    g_clear_pointer(&place->socket, g_free);
    g_clear_pointer(&place->host, g_free);
}

/* --- connecting */

static bool connect_once(int fd, const struct sockaddr_un *address, bool *again, GError **error)
{
    *again = false;
    if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0)
        return true;
    *again = errno == EAGAIN || errno == EINTR;
    if (*again)
        return false;
    return xc_fail(error, errno == EACCES ? XC_CAUSE_AUTH_FAILED : XC_CAUSE_HOST_DOWN,
                   "no farm serves %s: %s; start xen-farm --socket %s", address->sun_path,
                   g_strerror(errno), address->sun_path);
}

static int connect_to(const char *path, struct xc_call *call, GError **error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    bool again = true;
    int fd;

    if (strlen(path) >= sizeof(address.sun_path)) {
        xc_fail(error, XC_CAUSE_BAD_VALUE,
                "the path of the farm's socket is longer than %zu octets",
                sizeof(address.sun_path) - 1);
        return -1;
    }
    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        xc_fail(error, XC_CAUSE_LIMIT, "no socket for the farm: %s", g_strerror(errno));
        return -1;
    }
    while (!connect_once(fd, &address, &again, error)) {
        if (again && xc_call_wait(call, -1, 0, BUSY_USEC, "connecting to the farm", error))
            continue;
        close(fd);
        return -1;
    }
    return fd;
}

static bool say_hello(int fd, const char *host, bool events, struct xc_call *call, GError **error)
{
    g_autoptr(GByteArray) hello = g_byte_array_new();

    xc_put_u32(hello, SIM_VERSION);
    xc_put_u64(hello, xc_dictionary_hash());
    xc_put_u8(hello, events);
    xc_put_text(hello, host);
    return xc_frame_send(fd, SIM_HELLO, hello, call, error);
}

static bool fail_refused(struct xc_reader *from, const char *host, GError **error)
{
    uint32_t cause = xc_get_u32(from);
    g_autofree char *text = xc_get_text(from, XC_OUTCOME_TEXT_MAX);

    if (!xc_reader_end(from) || cause > G_MAXINT || !xc_enum_has(&xc_cause_labels, (int)cause))
        return xc_fail(error, XC_CAUSE_DRIVER_ERROR, "the farm's refusal is not legal");
    return xc_fail(error, (enum xc_cause)cause, "host %s: %s", host, text);
}

static bool get_welcome(struct sim_session *session, const char *host, struct xc_call *call,
                        GError **error)
{
    g_autoptr(GByteArray) body = NULL;
    uint32_t kind;

    if (!sim_session_receive(session, &kind, &body, call, error))
        return false;
    struct xc_reader from = XC_READER(body->data, body->len);

    if (kind == SIM_REFUSED)
        return fail_refused(&from, host, error);
    session->boot_id = xc_get_text(&from, XC_TEXT_MAX);
    return (kind == SIM_WELCOME && xc_reader_end(&from)) ||
           xc_fail(error, XC_CAUSE_DRIVER_ERROR, "the farm's welcome is not legal");
}

bool sim_session_open(struct sim_session *session, const char *uri, bool events,
                      struct xc_call *call, GError **error)
{
    struct sim_place place;
    bool ok;

    *session = (struct sim_session){.fd = -1};
    if (!sim_place_parse(&place, uri, error))
        return false;
    session->fd = connect_to(place.socket, call, error);
    ok = session->fd >= 0 && say_hello(session->fd, place.host, events, call, error) &&
         get_welcome(session, place.host, call, error);
    sim_place_clear(&place);
    if (!ok)
        sim_session_close(session);
    return ok;
}

void sim_session_close(struct sim_session *session)
{
    if (session->fd >= 0)
        close(session->fd);
    session->fd = -1;
    g_clear_pointer(&session->boot_id, g_free);
}

bool sim_session_receive(struct sim_session *session, uint32_t *kind, GByteArray **body,
                         struct xc_call *call, GError **error)
{
    if (!xc_frame_receive(session->fd, kind, body, call, error))
        return false;
    if (*kind == SIM_POISON)
        abort();
    return true;
}
