/* Operations of the xl driver: begin a job on the host, follow it, say how it ended. */
#pragma once

#include "xenclient/drivers/driver.h"

/* The `run` of the driver contract. Opens connections of its own. */
void xl_run(const struct xc_source_spec *spec, const struct xc_driver_env *env,
            const struct xc_order *order, struct xc_call *call, xc_progress_fn progress, void *data,
            struct xc_outcome *outcome);

/* Exposed for tests. The destination's address as the source's dom0 shall call it: the target's own
 * address or the host of its URI. NULL with badValue/noSuchHost when there is none or it could be taken for an option. */
char *xl_destination(const struct xc_order *order, GError **error);
