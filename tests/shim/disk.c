/* A disk that is full, read-only or broken: what writes to files below a folder fails as the test says. */
#include "tests/shim/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int spoiled(int fd)
{
    const volatile struct shim *now = shim();
    char link[32];
    char path[4096];
    ssize_t n;

    if (!now->disk_errno)
        return 0;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof(path) - 1);
    if (n < 0)
        return 0;
    path[n] = '\0';
    if (strncmp(path, (const char *)now->disk_folder, strlen((const char *)now->disk_folder)) != 0)
        return 0;
    errno = (int)now->disk_errno;
    return 1;
}

ssize_t write(int fd, const void *buf, size_t n)
{
    return spoiled(fd) ? -1 : syscall(SYS_write, fd, buf, n);
}

ssize_t pwrite64(int fd, const void *buf, size_t n, off64_t offset)
{
    return spoiled(fd) ? -1 : syscall(SYS_pwrite64, fd, buf, n, offset);
}

int ftruncate64(int fd, off64_t length)
{
    return spoiled(fd) ? -1 : (int)syscall(SYS_ftruncate, fd, length);
}

int fdatasync(int fildes)
{
    return spoiled(fildes) ? -1 : (int)syscall(SYS_fdatasync, fildes);
}

int fsync(int fd)
{
    return spoiled(fd) ? -1 : (int)syscall(SYS_fsync, fd);
}
