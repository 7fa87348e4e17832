/* The list of compiled-in drivers, and nothing else: a program may link a list of its own. */
#include "xenclient/drivers/drivers.h"

const struct xc_driver *const xc_drivers[] = {
    &xc_xapi_driver,
    &xc_xl_driver,
    &xc_sim_driver,
};
const unsigned xc_n_drivers = G_N_ELEMENTS(xc_drivers);

/* Numbers are those of the textual convention XenDriver and never change. */
static const struct xc_label labels[] = {
    {1, "xapi"}, {2, "xl"}, {3, "xend"}, {4, "libvirt"}, {5, "uml"}, {6, "simulator"},
};
XC_ENUM_DEFINE(xc_driver_labels, "XenDriver", labels);
