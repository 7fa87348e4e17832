/* A host of the farm, as host and what belongs to it. */
#include "tools/xapi-farm/estate.h"

#include "xenclient/util/clock.h"

#include <string.h>

static void set_map(struct xf_db *db, struct xf_object *object, const char *field,
                    const char *const pairs[][2], unsigned n)
{
    GVariantBuilder map;

    g_variant_builder_init(&map, G_VARIANT_TYPE("a{ss}"));
    for (unsigned i = 0; i < n; i++)
        g_variant_builder_add(&map, "{ss}", pairs[i][0], pairs[i][1]);
    xf_set(db, object, field, g_variant_builder_end(&map));
}

static void set_int(struct xf_db *db, struct xf_object *object, const char *field, uint64_t value)
{
    xf_set(db, object, field, g_variant_new_int64((gint64)value));
}

static void set_cpu(struct xf_db *db, struct xf_object *host, const struct xc_host *h)
{
    g_autofree char *count = g_strdup_printf("%" G_GUINT64_FORMAT, h->cpus);
    g_autofree char *sockets = g_strdup_printf("%" G_GUINT64_FORMAT, h->sockets);
    g_autofree char *speed = g_strdup_printf("%" G_GUINT64_FORMAT ".000", h->cpu_mhz);
    const char *const pairs[][2] = {{"cpu_count", count},      {"socket_count", sockets},
                                    {"threads_per_core", "2"}, {"vendor", "GenuineIntel"},
                                    {"speed", speed},          {"modelname", h->cpu_model},
                                    {"family", "6"},           {"model", "85"},
                                    {"stepping", "7"},         {"flags", "fpu de tsc msr"}};

    set_map(db, host, "cpu_info", pairs, G_N_ELEMENTS(pairs));
}

static void set_software(struct xf_db *db, struct xf_object *host, const struct xc_host *h)
{
    bool old = db->dialect == XF_82;
    const char *const pairs[][2] = {{"product_brand", "XCP-ng"},
                                    {"product_version", old ? "8.2.1" : "8.3.0"},
                                    {"platform_name", "XCP"},
                                    {"platform_version", old ? "3.2.1" : "3.4.0"},
                                    {"xapi", old ? "1.20" : "24.19"},
                                    {"xen", h->xen_version},
                                    {"linux", h->kernel},
                                    {"hostname", "localhost"},
                                    {"date", "2024-07-13"},
                                    {"build_number", "cloud"}};

    set_map(db, host, "software_version", pairs, G_N_ELEMENTS(pairs));
    set_int(db, host, "API_version_major", 2);
    set_int(db, host, "API_version_minor", old ? 15 : 21);
}

static void put_boot_time(struct xf_db *db, struct xf_object *host, const struct xc_host *h)
{
    g_autofree char *text =
        g_strdup_printf("%" G_GINT64_FORMAT ".", h->boot_time / XC_USEC_PER_SEC);
    const char *const keys[] = {"boot_time", "agent_start_time"};
    const char *before;

    if (g_variant_lookup(xf_get(host, "other_config"), "boot_time", "&s", &before) &&
        strcmp(before, text) == 0)
        return;
    for (unsigned i = 0; i < G_N_ELEMENTS(keys); i++) {
        xf_map_put(db, host, "other_config", keys[i], NULL);
        xf_map_put(db, host, "other_config", keys[i], text);
    }
}

static void update_metrics(struct xf_db *db, struct xf_object *host, const struct xc_host *h)
{
    char ref[XF_REF_SIZE];
    char uuid[XF_UUID_SIZE];
    bool live = XC_HAS(HOST, h, mem_free_kib);
    struct xf_object *metrics;

    xf_derive_ref(ref, "host_metrics", host->ref, 0);
    xf_derive_uuid(uuid, "host_metrics", host->ref, 0);
    metrics = xf_estate_have(db, "host_metrics", ref, uuid, NULL);
    xf_set_text(db, host, "metrics", ref);
    xf_set(db, metrics, "live", g_variant_new_boolean(live));
    set_int(db, metrics, "memory_total", h->mem_total_kib * 1024);
    if (live)
        set_int(db, metrics, "memory_free", h->mem_free_kib * 1024);
}

static void set_one_ref(struct xf_db *db, struct xf_object *object, const char *field,
                        const char *ref)
{
    const char *const list[] = {ref, NULL};

    xf_set(db, object, field, g_variant_new_strv(list, 1));
}

static void make_cpu(struct xf_db *db, struct xf_object *host, const struct xc_host *h)
{
    char ref[XF_REF_SIZE];
    char uuid[XF_UUID_SIZE];
    GVariantBuilder refs;

    g_variant_builder_init(&refs, G_VARIANT_TYPE("as"));
    for (unsigned i = 0; i < h->cpus; i++) {
        struct xf_object *cpu;

        xf_derive_ref(ref, "host_cpu", host->ref, i);
        xf_derive_uuid(uuid, "host_cpu", host->ref, i);
        cpu = xf_estate_have(db, "host_cpu", ref, uuid, NULL);
        xf_set_text(db, cpu, "host", host->ref);
        set_int(db, cpu, "number", i);
        set_int(db, cpu, "speed", h->cpu_mhz);
        xf_set_text(db, cpu, "modelname", h->cpu_model);
        g_variant_builder_add(&refs, "s", ref);
    }
    xf_set(db, host, "host_CPUs", g_variant_builder_end(&refs));
}

static void make_pif(struct xf_db *db, struct xf_object *host)
{
    char ref[XF_REF_SIZE];
    char uuid[XF_UUID_SIZE];
    char network[XF_REF_SIZE];
    struct xf_object *metrics;
    struct xf_object *pif;

    xf_derive_ref(ref, "PIF_metrics", host->ref, 0);
    xf_derive_uuid(uuid, "PIF_metrics", host->ref, 0);
    metrics = xf_estate_have(db, "PIF_metrics", ref, uuid, NULL);
    xf_derive_ref(ref, "PIF", host->ref, 0);
    xf_derive_uuid(uuid, "PIF", host->ref, 0);
    pif = xf_estate_have(db, "PIF", ref, uuid, NULL);
    xf_estate_network(db, "xenbr0", network);
    xf_set_text(db, pif, "host", host->ref);
    xf_set_text(db, pif, "metrics", metrics->ref);
    xf_set_text(db, pif, "network", network);
    xf_set_text(db, pif, "IP", xf_get_text(host, "address"));
    set_one_ref(db, host, "PIFs", ref);
}

/* One of its own, one that all share; each is joined to the host by a PBD. */
static void make_storage(struct xf_db *db, struct xf_object *host)
{
    char srs[2][XF_REF_SIZE];
    char uuid[XF_UUID_SIZE];
    struct xf_object *local;
    GVariantBuilder refs;

    xf_derive_ref(srs[0], "SR", host->ref, 0);
    xf_derive_uuid(uuid, "SR", host->ref, 0);
    xf_estate_shared_sr(srs[1]);
    local = xf_estate_have(db, "SR", srs[0], uuid, NULL);
    xf_set_text(db, local, "name_label", "Local storage");
    xf_set_text(db, local, "type", "lvm");
    set_int(db, local, "physical_size", (uint64_t)500 << 30);
    g_variant_builder_init(&refs, G_VARIANT_TYPE("as"));
    for (unsigned i = 0; i < G_N_ELEMENTS(srs); i++) {
        char ref[XF_REF_SIZE];
        struct xf_object *pbd;

        xf_derive_ref(ref, "PBD", host->ref, i);
        xf_derive_uuid(uuid, "PBD", host->ref, i);
        pbd = xf_estate_have(db, "PBD", ref, uuid, NULL);
        xf_set_text(db, pbd, "host", host->ref);
        xf_set_text(db, pbd, "SR", srs[i]);
        xf_set(db, pbd, "currently_attached", g_variant_new_boolean(true));
        g_variant_builder_add(&refs, "s", ref);
    }
    xf_set(db, host, "PBDs", g_variant_builder_end(&refs));
}

void xf_host_update(struct xf_server *server, unsigned ordinal, const struct xc_host *h,
                    char ref[XF_REF_SIZE])
{
    struct xf_db *db = server->db;
    struct xf_endpoint *endpoint = xf_server_endpoint(server, ordinal);
    char uuid[XC_UUID_TEXT];
    struct xf_object *host;
    bool fresh;

    xc_uuid_format(&h->uuid, uuid);
    xf_derive_ref(ref, "host", uuid, 0);
    host = xf_estate_have(db, "host", ref, uuid, &fresh);
    if (endpoint)
        g_strlcpy(endpoint->host, ref, XF_REF_SIZE);
    if (fresh) {
        xf_set_text(db, host, "name_label", h->name);
        xf_set_text(db, host, "hostname", h->name);
        xf_set_text(db, host, "address", endpoint ? endpoint->address : h->address);
        xf_set(db, host, "enabled", g_variant_new_boolean(true));
        set_cpu(db, host, h);
        set_software(db, host, h);
        make_cpu(db, host, h);
        make_pif(db, host);
        make_storage(db, host);
    }
    if (XC_HAS(HOST, h, mem_free_kib))
        put_boot_time(db, host, h);
    update_metrics(db, host, h);
}
