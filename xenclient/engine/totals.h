/* Counters of a domain's devices that never jump backwards. For each device the agent keeps what its
 * former lives counted and what the present one counts; a device that goes and comes again goes on
 * from what was shown. Main loop's thread. */
#pragma once

#include "xenclient/model/snapshot.h"

/* The totals of one domain's devices of one kind, by index. All zero: none. */
struct xc_totals {
    uint32_t n;
    bool based;      /* the records have bases; as long as all were 0, as in the first life, not */
    uint64_t *words; /* n records: the device's index, the last of each counter, its base */
};

void xc_totals_clear(struct xc_totals *totals);
/* The domain has begun another life: what the former one counted goes into the bases. */
void xc_totals_new_life(struct xc_totals *totals, enum xc_device_kind kind);

/* What happened to the totals besides counting. */
enum { XC_TOTALS_RESET = 1, XC_TOTALS_FORGOTTEN = 2 };
/* Makes the counters of a domain's devices continue, in place. RESET: one counted less than before, as
 * a replaced device does. FORGOTTEN: too many devices have come and gone, so the totals of those that
 * are away were dropped. */
unsigned xc_totals_apply(struct xc_totals *totals, enum xc_device_kind kind, void *devices,
                         size_t n);

/* u32 count, then of each device its index, the bases and the lasts. */
void xc_totals_write(const struct xc_totals *totals, enum xc_device_kind kind, GByteArray *to);
/* Into cleared totals; what is not in order makes the reader bad and leaves none. */
void xc_totals_read(struct xc_totals *totals, enum xc_device_kind kind, struct xc_reader *from);
