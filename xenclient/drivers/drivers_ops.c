/* What the compiled-in drivers do, by their number: apart from drivers.c, so that the front links none of it. */
#include "xenclient/drivers/drivers.h"

static const struct {
    int number;
    const struct xc_driver_ops *ops;
} all[] = {
    {1, &xc_xapi_ops},
    {2, &xc_xl_ops},
    {6, &xc_sim_ops},
};

const struct xc_driver_ops *xc_driver_ops(const struct xc_driver *driver)
{
    for (size_t i = 0; driver && i < G_N_ELEMENTS(all); i++)
        if (all[i].number == driver->number)
            return all[i].ops;
    return NULL;
}
