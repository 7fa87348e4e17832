/* The fleet as it begins: hosts, guests, sizes, names and ages thrown by the dice of its seed. */
#include "tools/xen-farm/fleet.h"

#include "xenclient/util/text.h"

#include <string.h>

#define KIB_PER_GIB (1024u * 1024u)

/* What the dice are thrown for. */
enum dice {
    DICE_HOST = 100,
    DICE_HOST_UUID,
    DICE_HOST_UPTIME,
    DICE_BOOT,
    DICE_DOMAIN,
    DICE_DOMAIN_UUID,
    DICE_RUNNING,
    DICE_SHAPE,
    DICE_UPTIME,
    DICE_DEFINED
};

void farm_config_init(struct farm_config *config)
{
    *config = (struct farm_config){
        .seed = 1,
        .hosts = 3,
        .domains = 12,
        .host_prefix = "host",
        .running_percent = 80,
        .speed = 1,
        .vifs = -1,
        .vbds = -1,
    };
}

static void free_op(gpointer op)
{
    farm_op_free(op);
}

static void free_host(gpointer data)
{
    struct farm_host *host = data;

    g_ptr_array_unref(host->domains);
    g_ptr_array_unref(host->incoming);
    g_free(host->name);
    g_free(host);
}

static void free_domain(gpointer data)
{
    struct farm_domain *domain = data;

    g_free(domain->name);
    g_free(domain->config);
    g_free(domain);
}

void farm_host_new_boot(struct farm_fleet *fleet, struct farm_host *host)
{
    farm_dice_uuid(fleet->config.boot ^ fleet->config.seed, DICE_BOOT,
                   ((uint64_t)host->ordinal << 20) + host->boots++, &host->boot_id);
}

/* A number of the list, the first ones more often. */
static unsigned pick(const unsigned *list, unsigned n, uint64_t dice)
{
    return list[MIN(dice % n, (dice >> 16) % n)];
}

static void shape(const struct farm_config *config, struct farm_domain *domain)
{
    static const unsigned cpus[] = {1, 2, 4, 8};
    static const unsigned gib_x2[] = {1, 2, 4, 8, 16}; /* half GiB */
    static const unsigned devices[] = {1, 2, 3};
    uint64_t dice = farm_dice(domain->key, DICE_SHAPE, 0);

    domain->vcpus =
        (uint16_t)(config->vcpus ? config->vcpus : pick(cpus, G_N_ELEMENTS(cpus), dice));
    domain->mem_kib = config->mem_kib ? config->mem_kib
                                      : (uint64_t)pick(gib_x2, G_N_ELEMENTS(gib_x2), dice >> 8) *
                                            (KIB_PER_GIB / 2);
    domain->vifs = (uint8_t)(config->vifs >= 0 ? (unsigned)config->vifs
                                               : pick(devices, G_N_ELEMENTS(devices), dice >> 20));
    domain->vbds = (uint8_t)(config->vbds >= 0 ? (unsigned)config->vbds
                                               : pick(devices, G_N_ELEMENTS(devices), dice >> 28));
    domain->virt = dice >> 60 < 10 ? XC_VIRT_PVH : (dice >> 60 < 13 ? XC_VIRT_PV : XC_VIRT_HVM);
}

/* The name of the n-th domain: from the file, else made of what it does and a number. */
static char *make_name(const struct farm_fleet *fleet, const struct farm_domain *domain, unsigned n)
{
    const struct farm_config *config = &fleet->config;
    unsigned number = config->same_names ? n / config->hosts : n;
    unsigned last = config->same_names ? config->domains / config->hosts : config->domains;
    unsigned digits = 2;

    if (config->names && number < config->names->len)
        return g_strdup(config->names->pdata[number]);
    for (unsigned limit = 100; last >= limit && digits < 6; limit *= 10)
        digits++;
    return g_strdup_printf("%s-%0*u", farm_profile_name(domain->profile), (int)digits, number + 1);
}

static void add_domain(struct farm_fleet *fleet, struct farm_domain *domain, struct farm_host *host)
{
    domain->host = host;
    domain->state = XC_STATE_SHUTDOWN;
    domain->reason = XC_REASON_NONE;
    domain->mem_max_kib = domain->mem_kib;
    farm_domain_reset_shape(domain);
    g_ptr_array_add(fleet->domains, domain);
    g_ptr_array_add(host->domains, domain);
    g_hash_table_insert(fleet->by_uuid, &domain->uuid, domain);
}

static void make_domain(struct farm_fleet *fleet, unsigned n)
{
    const struct farm_config *config = &fleet->config;
    struct farm_domain *domain = g_new0(struct farm_domain, 1);
    /* With equal names the load is equal too: the same service on every host. */
    unsigned role = config->same_names ? n / config->hosts : n;

    domain->key = farm_dice(config->seed, DICE_DOMAIN, n);
    domain->profile = (uint8_t)farm_profile_of(farm_dice(config->seed, DICE_DOMAIN, role));
    farm_dice_uuid(config->seed, DICE_DOMAIN_UUID, n, &domain->uuid);
    shape(config, domain);
    domain->name = make_name(fleet, domain, n);
    add_domain(fleet, domain, g_ptr_array_index(fleet->hosts, n % config->hosts));
}

static void make_host(struct farm_fleet *fleet, unsigned n)
{
    static const unsigned cpus[] = {16, 32, 48, 64};
    const struct farm_config *config = &fleet->config;
    struct farm_host *host = g_new0(struct farm_host, 1);

    host->ordinal = n;
    host->name = g_strdup_printf("%s%u", config->host_prefix, n + 1);
    farm_dice_uuid(config->seed, DICE_HOST_UUID, n, &host->uuid);
    host->cpus = config->host_cpus
                     ? config->host_cpus
                     : pick(cpus, G_N_ELEMENTS(cpus), farm_dice(config->seed, DICE_HOST, n));
    host->control_kib = 2 * KIB_PER_GIB;
    host->next_domid = 1;
    /* Booted between one and 61 days ago. */
    host->booted =
        fleet->now - (gint64)(86400 + farm_dice(config->seed, DICE_HOST_UPTIME, n) % (60 * 86400)) *
                         G_USEC_PER_SEC;
    host->domains = g_ptr_array_new();
    host->incoming = g_ptr_array_new();
    farm_host_new_boot(fleet, host);
    g_ptr_array_add(fleet->hosts, host);
    g_hash_table_insert(fleet->by_host_name, host->name, host);
}

/* Room for all its domains and half as many again, so that one host can be emptied. */
static void size_host(const struct farm_config *config, struct farm_host *host)
{
    uint64_t need = 0;

    host->mem_kib = config->host_kib;
    if (host->mem_kib)
        return;
    for (guint i = 0; i < host->domains->len; i++)
        need += ((struct farm_domain *)g_ptr_array_index(host->domains, i))->mem_kib;
    host->mem_kib =
        (need + need / 2 + host->control_kib) / (16 * KIB_PER_GIB) * (16 * KIB_PER_GIB) +
        32 * (uint64_t)KIB_PER_GIB;
}

/* A part of the fleet was running long before anyone looked. */
static void wake_domain(struct farm_fleet *fleet, struct farm_domain *domain)
{
    gint64 host_age = fleet->now - domain->host->booted;
    gint64 age;

    if (farm_dice(domain->key, DICE_RUNNING, 0) % 100 >= fleet->config.running_percent ||
        !farm_domain_place(fleet, domain, domain->host, NULL))
        return;
    age = (gint64)(farm_dice(domain->key, DICE_UPTIME, 0) % (uint64_t)(host_age / G_USEC_PER_SEC)) *
          G_USEC_PER_SEC;
    domain->started = fleet->now - age;
    domain->state = XC_STATE_RUNNING;
    domain->run_before = age;
    domain->run_since = fleet->now;
}

/* Names are unique on a host; a file of names may break that. */
static bool check_names(const struct farm_fleet *fleet, GError **error)
{
    for (guint h = 0; h < fleet->hosts->len; h++) {
        const struct farm_host *host = g_ptr_array_index(fleet->hosts, h);
        g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

        for (guint i = 0; i < host->domains->len; i++) {
            const struct farm_domain *domain = g_ptr_array_index(host->domains, i);
            g_autofree char *shown = NULL;

            if (g_hash_table_add(names, domain->name))
                continue;
            shown = xc_text_escape(domain->name, XC_TEXT_MAX);
            return xc_fail(error, XC_CAUSE_BAD_VALUE, "the name \"%s\" comes twice on %s", shown,
                           host->name);
        }
    }
    return true;
}

static void copy_config(struct farm_fleet *fleet, const struct farm_config *config)
{
    fleet->config = *config;
    fleet->config.host_prefix = g_strdup(config->host_prefix);
    fleet->config.names = NULL;
    if (!config->names)
        return;
    fleet->config.names = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < config->names->len; i++)
        g_ptr_array_add(fleet->config.names, g_strdup(config->names->pdata[i]));
}

static bool check_config(const struct farm_config *config, GError **error)
{
    if (config->hosts < 1 || config->hosts > FARM_MAX_HOSTS)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "hosts: 1 to %d are possible", FARM_MAX_HOSTS);
    if (config->domains > FARM_MAX_DOMAINS)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "domains: 0 to %d are possible",
                       FARM_MAX_DOMAINS);
    if (config->vifs > FARM_MAX_DEVICES || config->vbds > FARM_MAX_DEVICES)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "devices: 0 to %d of a kind are possible",
                       FARM_MAX_DEVICES);
    if (!(config->speed > 0))
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "speed: a number above 0 is needed");
    return true;
}

static void clear_rule(gpointer rule)
{
    g_free(((struct farm_rule *)rule)->text);
}

static struct farm_fleet *empty_fleet(const struct farm_config *config, gint64 now, gint64 now_real)
{
    struct farm_fleet *fleet = g_new0(struct farm_fleet, 1);

    copy_config(fleet, config);
    fleet->now = fleet->born = now;
    fleet->real_offset = now_real - now;
    fleet->hosts = g_ptr_array_new_with_free_func(free_host);
    fleet->domains = g_ptr_array_new_with_free_func(free_domain);
    fleet->by_uuid = g_hash_table_new(xc_uuid_hash, xc_uuid_equal);
    fleet->saved = g_ptr_array_new();
    fleet->by_host_name = g_hash_table_new(g_str_hash, g_str_equal);
    fleet->ops = g_hash_table_new_full(xc_uuid_hash, xc_uuid_equal, NULL, free_op);
    fleet->seen = g_hash_table_new_full(xc_uuid_hash, xc_uuid_equal, g_free, NULL);
    fleet->active = g_ptr_array_new();
    fleet->rules = g_array_new(FALSE, TRUE, sizeof(struct farm_rule));
    g_array_set_clear_func(fleet->rules, clear_rule);
    g_queue_init(&fleet->finished);
    return fleet;
}

struct farm_fleet *farm_fleet_new(const struct farm_config *config, gint64 now, gint64 now_real,
                                  GError **error)
{
    struct farm_fleet *fleet;

    if (!check_config(config, error))
        return NULL;
    fleet = empty_fleet(config, now, now_real);
    for (unsigned i = 0; i < config->hosts; i++)
        make_host(fleet, i);
    for (unsigned i = 0; i < config->domains; i++)
        make_domain(fleet, i);
    for (unsigned i = 0; i < config->hosts; i++)
        size_host(config, g_ptr_array_index(fleet->hosts, i));
    for (unsigned i = 0; i < config->domains; i++)
        wake_domain(fleet, g_ptr_array_index(fleet->domains, i));
    return check_names(fleet, error) ? fleet : farm_fleet_free(fleet);
}

void *farm_fleet_free(struct farm_fleet *fleet)
{
    if (!fleet)
        return NULL;
    g_queue_clear(&fleet->finished);
    g_ptr_array_unref(fleet->active);
    g_hash_table_unref(fleet->ops);
    g_hash_table_unref(fleet->seen);
    g_hash_table_unref(fleet->by_uuid);
    g_hash_table_unref(fleet->by_host_name);
    g_ptr_array_unref(fleet->saved);
    g_ptr_array_unref(fleet->domains);
    g_ptr_array_unref(fleet->hosts);
    g_array_unref(fleet->rules);
    if (fleet->config.names)
        g_ptr_array_unref(fleet->config.names);
    g_free((char *)fleet->config.host_prefix);
    g_free(fleet);
    return NULL;
}

/* A domain that a configuration describes; it is not started yet. */
struct farm_domain *farm_domain_define(struct farm_fleet *fleet, struct farm_host *host,
                                       const struct farm_guest *guest, GError **error)
{
    struct farm_domain *domain;

    if (fleet->domains->len >= FARM_MAX_DOMAINS) {
        xc_fail(error, XC_CAUSE_LIMIT, "the farm has %d domains already", FARM_MAX_DOMAINS);
        return NULL;
    }
    if (farm_domain_on_host(host, guest->name) ||
        (!xc_uuid_is_nil(&guest->uuid) && farm_domain_by_uuid(fleet, &guest->uuid))) {
        xc_fail(error, XC_CAUSE_DRIVER_ERROR,
                "Domain with name \"%s\" or its uuid already exists on %s", guest->name,
                host->name);
        return NULL;
    }
    domain = g_new0(struct farm_domain, 1);
    domain->key = farm_dice(fleet->config.seed, DICE_DEFINED, fleet->domains->len);
    domain->profile = (uint8_t)farm_profile_of(domain->key);
    domain->uuid = guest->uuid;
    if (xc_uuid_is_nil(&domain->uuid))
        farm_dice_uuid(fleet->config.boot ^ fleet->config.seed, DICE_DEFINED, fleet->domains->len,
                       &domain->uuid);
    domain->name = g_strdup(guest->name);
    domain->mem_kib = guest->mem_kib;
    domain->vcpus = (uint16_t)guest->vcpus;
    domain->vifs = (uint8_t)guest->vifs;
    domain->vbds = (uint8_t)guest->vbds;
    domain->virt = XC_VIRT_PVH;
    add_domain(fleet, domain, host);
    return domain;
}
