/* A wall clock that the test sets. The monotonic clock goes on as it does. */
#include "tests/shim/shim.h"

#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *out)
{
    int r = (int)syscall(SYS_clock_gettime, clock, out);

    if (r == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        out->tv_sec += shim()->clock_sec;
    return r;
}

/* `out` is never NULL, say the headers. */
int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    int r = (int)syscall(SYS_gettimeofday, out, zone);

    if (r == 0)
        out->tv_sec += shim()->clock_sec;
    return r;
}

time_t time(time_t *out)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}
