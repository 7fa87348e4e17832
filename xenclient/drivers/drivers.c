/* What there is to know of the compiled-in drivers, and nothing else: a program may link a list of its own. */
#include "xenclient/drivers/driver.h"

static const char *const xapi_schemes[] = {"https", NULL};
static const char *const xl_schemes[] = {"ssh", "xl", NULL};
static const char *const sim_schemes[] = {"sim", NULL};

static const struct xc_driver xapi = {
    .name = "xapi",
    .number = 1,
    .schemes = xapi_schemes,
    .capabilities = XC_CAP_START | XC_CAP_SHUTDOWN | XC_CAP_REBOOT | XC_CAP_PAUSE | XC_CAP_DESTROY |
                    XC_CAP_RESET | XC_CAP_SUSPEND | XC_CAP_MIGRATE | XC_CAP_LIVE_MIGRATE |
                    XC_CAP_CHECK_MIGRATE | XC_CAP_START_ELSEWHERE | XC_CAP_EVENTS |
                    XC_CAP_PROGRESS | XC_CAP_SET_MEMORY | XC_CAP_SET_VCPUS | XC_CAP_SNAPSHOT |
                    XC_CAP_CHECKPOINT | XC_CAP_CLONE | XC_CAP_DELETE | XC_CAP_MAINTENANCE |
                    XC_CAP_CREATE,
    .own_saves = true,
    .templates = true,
    .tls = true,
    .hosts_by_uuid = true,
    .notices = true,
    .files = 27, /* ten, and one for each further member of a pool of usual size */
};

static const struct xc_driver xl = {
    .name = "xl",
    .number = 2,
    .schemes = xl_schemes,
    .capabilities = XC_CAP_START | XC_CAP_SHUTDOWN | XC_CAP_REBOOT | XC_CAP_PAUSE | XC_CAP_DESTROY |
                    XC_CAP_RESET | XC_CAP_MIGRATE | XC_CAP_LIVE_MIGRATE | XC_CAP_CHECK_MIGRATE |
                    XC_CAP_CREATE | XC_CAP_EVENTS | XC_CAP_SET_MEMORY | XC_CAP_SET_VCPUS |
                    XC_CAP_SCHEDULE | XC_CAP_DUMP_CORE | XC_CAP_NMI | XC_CAP_SUSPEND,
};

static const struct xc_driver sim = {
    .name = "simulator",
    .number = 6,
    .schemes = sim_schemes,
    .capabilities = XC_CAP_START | XC_CAP_SHUTDOWN | XC_CAP_PAUSE | XC_CAP_MIGRATE |
                    XC_CAP_LIVE_MIGRATE | XC_CAP_CREATE | XC_CAP_EVENTS | XC_CAP_DESTROY |
                    XC_CAP_RESET | XC_CAP_REBOOT | XC_CAP_START_ELSEWHERE | XC_CAP_CHECK_MIGRATE |
                    XC_CAP_PROGRESS | XC_CAP_SET_MEMORY | XC_CAP_SET_VCPUS | XC_CAP_SCHEDULE |
                    XC_CAP_DUMP_CORE | XC_CAP_NMI | XC_CAP_SUSPEND,
};

const struct xc_driver *const xc_drivers[] = {&xapi, &xl, &sim};
const unsigned xc_n_drivers = G_N_ELEMENTS(xc_drivers);

/* Numbers are those of the textual convention XenDriver and never change. */
static const struct xc_label labels[] = {
    {1, "xapi"}, {2, "xl"}, {3, "xend"}, {4, "libvirt"}, {5, "uml"}, {6, "simulator"},
};
XC_ENUM_DEFINE(xc_driver_labels, "XenDriver", labels);
