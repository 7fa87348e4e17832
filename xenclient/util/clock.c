/* Clocks, fakeable. */
#include "xenclient/util/clock.h"

#include <stdatomic.h>

static _Atomic gint64 fake_mono;
static _Atomic gint64 fake_real;

gint64 xc_clock_mono(void)
{
    gint64 fake = atomic_load_explicit(&fake_mono, memory_order_relaxed);

    return fake ? fake : g_get_monotonic_time();
}

gint64 xc_clock_real(void)
{
    gint64 fake = atomic_load_explicit(&fake_real, memory_order_relaxed);

    return fake ? fake : g_get_real_time();
}

void xc_clock_fake(gint64 mono, gint64 real)
{
    atomic_store(&fake_mono, mono);
    atomic_store(&fake_real, real);
}
