/* Clocks: monotonic for deadlines and ages, real for stamps. Tests may put their own in place. */
#pragma once

#include <glib.h>

#define XC_USEC_PER_SEC ((gint64)1000000)

/* Microseconds, monotonic. Any thread. */
gint64 xc_clock_mono(void);
/* Microseconds since 1970, UTC. Any thread. */
gint64 xc_clock_real(void);

/* For tests only: both clocks answer these values until the next call; 0, 0 restores. */
void xc_clock_fake(gint64 mono, gint64 real);
