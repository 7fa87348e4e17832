/* What the configuration says of notifications and thresholds. */
#include "xenclient/engine/config.h"
#include "xenclient/model/notify.h"

static const char *const names[XC_N_THRESHOLDS] = {
    [XC_THRESHOLD_HOST_CPU - 1] = "threshold_host_cpu",
    [XC_THRESHOLD_HOST_MEMORY - 1] = "threshold_host_memory",
    [XC_THRESHOLD_DOMAIN_CPU - 1] = "threshold_domain_cpu",
    [XC_THRESHOLD_DOMAIN_MEMORY - 1] = "threshold_domain_memory",
    [XC_THRESHOLD_DATA_AGE - 1] = "threshold_data_age",
};

const char *xc_config_read_notify(struct xc_config *config, GError **error)
{
    const char *unknown;

    config->notify_set = config->notify[0] && *config->notify[0];
    config->notify_classes = 0;
    unknown = config->notify_set
                  ? xc_notify_parse((const char *const *)config->notify, &config->notify_classes)
                  : NULL;
    if (unknown) {
        xc_fail(error, XC_CAUSE_BAD_CONFIG,
                "\"%s\" is no class of notifications: docs/notifications.md lists them", unknown);
        return "notify";
    }
    for (int i = 0; i < XC_N_THRESHOLDS; i++)
        if (!xc_limits_parse((enum xc_threshold_kind)(i + 1), config->threshold_text[i],
                             &config->thresholds[i], error))
            return names[i];
    return NULL;
}
