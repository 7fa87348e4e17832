/* The compiled-in drivers; only drivers.c needs this. */
#pragma once

#include "xenclient/drivers/driver.h"

extern const struct xc_driver xc_xapi_driver;
extern const struct xc_driver xc_xl_driver;
extern const struct xc_driver xc_sim_driver;
/* The template to copy: compiled so that it stays right, in no program's list. */
extern const struct xc_driver xc_skel_driver;
