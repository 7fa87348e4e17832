/* Operations of the xapi driver. */
#pragma once

#include "xenclient/drivers/driver.h"

/* See driver.h; how it is done once, and found again, is told in xapi_actions.c. */
void xapi_run(const struct xc_source_spec *spec, const struct xc_driver_env *env,
              const struct xc_order *order, struct xc_call *call, xc_progress_fn progress,
              void *data, struct xc_outcome *outcome);
