/* Locks beside files: of two programs that add to a file at once, neither's addition is lost. */
#include "xenclient/util/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

int xc_lock_beside(const char *path, enum xc_cause cause, GError **error)
{
    g_autofree char *lock = g_strconcat(path, ".lock", NULL);
    int fd = open(lock, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0644);

    if (fd < 0 || flock(fd, LOCK_EX) < 0) {
        xc_fail(error, cause, "%s: %s", lock, g_strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}
