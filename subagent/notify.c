/* One datagram to the service manager. */
#include "subagent/notify.h"

#include "xenclient/util/log.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

char *st_notify_socket(void)
{
    char *path = g_strdup(getenv("NOTIFY_SOCKET"));

    unsetenv("NOTIFY_SOCKET");
    return path;
}

static bool tell(const struct sockaddr_un *address, socklen_t length, const char *state)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && sendto(fd, state, strlen(state), MSG_NOSIGNAL,
                                (const struct sockaddr *)address, length) >= 0;

    if (fd >= 0)
        close(fd);
    return ok;
}

void st_notify(const char *socket, const char *state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = socket ? strlen(socket) : 0;

    if (!socket)
        return;
    if (length < 2 || length >= sizeof(address.sun_path) || !strchr("/@", *socket)) {
        xc_log(XC_LOG_WARNING, "NOTIFY_SOCKET=%s is no address of a socket: not told %s", socket,
               state);
        return;
    }
    memcpy(address.sun_path, socket, length);
    if (*socket == '@') /* an abstract name */
        address.sun_path[0] = '\0';
    if (!tell(&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length), state))
        xc_log(XC_LOG_WARNING, "NOTIFY_SOCKET=%s: %s: not told %s", socket, g_strerror(errno),
               state);
}
