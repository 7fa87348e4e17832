/* Faults for a program under test, put in by LD_PRELOAD. The test writes what shall fail into the file that
 * XENSNMP_SHIM names; see tests/lib/shim.py, which knows this layout too. */
#pragma once

#include <stdint.h>

struct shim {
    int64_t disk_errno;   /* writing below disk_folder fails with it; 0: does not fail */
    int64_t clock_sec;    /* the wall clock is ahead by so much */
    int64_t alloc_octets; /* workers get no piece of memory of this size or more; 0: any */
    char disk_folder[4072];
};

/* Shared with the test. Never NULL; without a file there is no fault. */
const volatile struct shim *shim(void);
