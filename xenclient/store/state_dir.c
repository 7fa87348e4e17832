/* The folder with the databases. */
#include "xenclient/store/state_dir.h"

#include "xenclient/util/error.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#define TRY_AGAIN_MSEC 20u

int xc_state_lock(const char *dir, unsigned wait_msec, GError **error)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r;

    if (fd < 0) {
        xc_fail(error, XC_CAUSE_STORE, "%s: %s", dir, g_strerror(errno));
        return -1;
    }
    while ((r = flock(fd, LOCK_EX | LOCK_NB)) < 0 && errno == EWOULDBLOCK && wait_msec) {
        unsigned pause = MIN(wait_msec, TRY_AGAIN_MSEC);

        g_usleep(pause * 1000u);
        wait_msec -= pause;
    }
    if (r == 0)
        return fd;
    if (errno == EWOULDBLOCK)
        xc_fail(error, XC_CAUSE_STORE,
                "%s: a running xensnmpd has it: stop that one first (systemctl stop xensnmpd)",
                dir);
    else
        xc_fail(error, XC_CAUSE_STORE, "%s: can't be locked: %s", dir, g_strerror(errno));
    close(fd);
    return -1;
}
