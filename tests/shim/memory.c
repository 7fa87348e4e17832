/* A heap that gives workers no large pieces. */
#include "tests/shim/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* glibc's own, below those that are put in their place here. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t size);

static bool is_worker;

__attribute__((constructor)) static void look(void)
{
    char line[4096];
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);

    if (fd >= 0)
        close(fd);
    is_worker = n > 0 && memmem(line, (size_t)n, "--worker", strlen("--worker"));
}

static bool refused(size_t size)
{
    int64_t most = is_worker ? shim()->alloc_octets : 0;

    if (most == 0 || size < (size_t)most)
        return false;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    return refused(size) ? NULL : __libc_malloc(size);
}

void *calloc(size_t nmemb, size_t size)
{
    return size && refused(nmemb * size) ? NULL : __libc_calloc(nmemb, size);
}

void *realloc(void *ptr, size_t size)
{
    return refused(size) ? NULL : __libc_realloc(ptr, size);
}
