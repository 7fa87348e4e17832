/* What the compiled-in drivers do; only drivers_ops.c needs this, and who runs a certain one. */
#pragma once

#include "xenclient/drivers/driver.h"

extern const struct xc_driver_ops xc_xapi_ops;
extern const struct xc_driver_ops xc_xl_ops;
extern const struct xc_driver_ops xc_sim_ops;
/* The template to copy: compiled so that it stays right, in no program's list. */
extern const struct xc_driver_ops xc_skel_ops;
