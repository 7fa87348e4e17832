/* What a guest's configuration says: the few keys the simulation needs. */
#include "tools/xen-farm/fleet.h"

#include "xenclient/drivers/xlcfg.h"

#include <string.h>

#define MIB_MAX   (16 * 1024 * 1024)
#define VCPUS_MAX 512

void farm_guest_clear(struct farm_guest *guest)
{
    g_clear_pointer(&guest->name, g_free);
}

static bool get_number(const struct xlcfg *config, const char *key, int64_t max, int64_t *value,
                       GError **error)
{
    g_autoptr(GError) wrong = NULL;

    if (xlcfg_integer(config, key, 1, max, value, &wrong) || !wrong)
        return true;
    g_propagate_error(error, g_steal_pointer(&wrong));
    return false;
}

static unsigned count_items(const struct xlcfg *config, const char *key)
{
    g_autoptr(GPtrArray) items = xlcfg_list(config, key);

    return items ? MIN(items->len, FARM_MAX_DEVICES) : 0;
}

bool farm_guest_parse(const char *content, struct farm_guest *out, GError **error)
{
    g_autoptr(GError) wrong = NULL;
    unsigned line = 0;
    g_autoptr(xlcfg) config = xlcfg_parse(content, strlen(content), &line, &wrong);
    const char *name;
    const char *uuid;
    int64_t mib = 256;
    int64_t vcpus = 1;

    *out = (struct farm_guest){0};
    if (!config)
        return xc_fail(error, XC_CAUSE_BAD_CONFIG, "line %u of the configuration: %s", line,
                       wrong ? wrong->message : "not understood");
    name = xlcfg_string(config, "name");
    uuid = xlcfg_string(config, "uuid");
    if (!name || !*name)
        return xc_fail(error, XC_CAUSE_BAD_CONFIG,
                       "the configuration has no name: add name = \"...\"");
    if (uuid && !xc_uuid_parse(uuid, &out->uuid))
        return xc_fail(error, XC_CAUSE_BAD_CONFIG, "Failed to parse UUID: %s", uuid);
    if (!get_number(config, "memory", MIB_MAX, &mib, error) ||
        !get_number(config, "vcpus", VCPUS_MAX, &vcpus, error))
        return false;
    out->name = g_strdup(name);
    out->mem_kib = (uint64_t)mib * 1024;
    out->vcpus = (unsigned)vcpus;
    out->vifs = count_items(config, "vif");
    out->vbds = count_items(config, "disk");
    return true;
}
