/* Carries out a discovery: sweeps, then looks at each open port. Runs in a worker, in plain blocking code. */
#pragma once

#include "xenclient/drivers/driver.h"
#include "xenclient/model/scan.h"

/* Any thread of the scan; the find and its texts are good until it returns. */
typedef void (*xc_found_fn)(const struct xc_find *find, void *data);

/* order->content is the discovery as xc_scan_format() has it. Always fills the outcome, also when the call ends before:
 * then what was found has been told. There is nothing to attach to: an order that comes again is begun again. */
void xc_scan_run(const struct xc_driver_env *env, const struct xc_order *order,
                 struct xc_call *call, xc_progress_fn progress, xc_found_fn found, void *data,
                 struct xc_outcome *outcome);
