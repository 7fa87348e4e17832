/* A wall clock that the test sets. The monotonic clock goes on as it does. */
#include "tests/shim/shim.h"

#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock_id, struct timespec *tp)
{
    int r = (int)syscall(SYS_clock_gettime, clock_id, tp);

    if (r == 0 && (clock_id == CLOCK_REALTIME || clock_id == CLOCK_REALTIME_COARSE))
        tp->tv_sec += shim()->clock_sec;
    return r;
}

/* `tv` is never NULL, say the headers. */
int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
    int r = (int)syscall(SYS_gettimeofday, tv, tz);

    if (r == 0)
        tv->tv_sec += shim()->clock_sec;
    return r;
}

time_t time(time_t *timer)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if (timer)
        *timer = now.tv_sec;
    return now.tv_sec;
}
