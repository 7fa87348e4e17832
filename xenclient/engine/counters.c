/* Counters that never jump backwards: base + what the present life of the domain counted. */
#include "xenclient/engine/private.h"
#include "xenclient/engine/totals.h"

#include <string.h>

#define SAVE_VERSION         2
#define SAVE_WITHOUT_DEVICES 1

static const unsigned fields[] = {
    XC_DOMAIN_cpu_usec,       XC_DOMAIN_net_rx_bytes,   XC_DOMAIN_net_tx_bytes,
    XC_DOMAIN_net_rx_packets, XC_DOMAIN_net_tx_packets, XC_DOMAIN_disk_rd_bytes,
    XC_DOMAIN_disk_wr_bytes,  XC_DOMAIN_disk_rd_ops,    XC_DOMAIN_disk_wr_ops,
};
#define N_COUNTERS G_N_ELEMENTS(fields)

struct counters {
    uint64_t life; /* names source, domid and uuid: counters of another life begin anew */
    uint64_t base[N_COUNTERS];
    uint64_t last[N_COUNTERS];
    struct xc_totals devices[XC_N_DEVICE_KINDS];
    gint64 clock;       /* of the host, at the last report; 0: no rate yet */
    uint64_t cpu_total; /* at that clock */
    bool restored;      /* shown by an earlier run, no report seen since */
    bool changed;       /* since the last save */
};

static void clear_devices(struct counters *c)
{
    for (unsigned k = 0; k < XC_N_DEVICE_KINDS; k++)
        xc_totals_clear(&c->devices[k]);
}

void xc_counters_free(void *counters)
{
    if (counters)
        clear_devices(counters);
    g_free(counters);
}

static uint64_t mix(uint64_t hash, const void *data, size_t length)
{
    const uint8_t *p = data;

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ p[i]) * 0x100000001b3u;
    return hash;
}

static uint64_t life_of(const struct xc_slot *slot, const struct xc_domain *domain)
{
    uint64_t hash = mix(0xcbf29ce484222325u, slot->spec.key, strlen(slot->spec.key));

    hash = mix(hash, &domain->host, sizeof(domain->host));
    hash = mix(hash, &domain->domid, sizeof(domain->domid));
    return mix(hash, &domain->uuid, sizeof(domain->uuid));
}

/* --- across restarts: u8 version, u64 life, then base and last of each counter, then the totals of
 * each kind of device */

static struct counters *restore(GBytes *saved)
{
    struct counters *c = g_new0(struct counters, 1);
    gsize length = 0;
    const void *data = saved ? g_bytes_get_data(saved, &length) : NULL;
    struct xc_reader reader = XC_READER(data, length);
    unsigned version = xc_get_u8(&reader);

    if (version != SAVE_VERSION && version != SAVE_WITHOUT_DEVICES)
        return c;
    c->life = xc_get_u64(&reader);
    for (size_t i = 0; i < N_COUNTERS; i++) {
        c->base[i] = xc_get_u64(&reader);
        c->last[i] = xc_get_u64(&reader);
    }
    for (unsigned k = 0; version == SAVE_VERSION && k < XC_N_DEVICE_KINDS; k++)
        xc_totals_read(&c->devices[k], k, &reader);
    if (!xc_reader_end(&reader)) {
        clear_devices(c);
        memset(c, 0, sizeof(*c));
        return c;
    }
    c->restored = true;
    return c;
}

static void save_one(struct xc_engine *engine, uint32_t index, const struct counters *c)
{
    g_autoptr(GByteArray) data = g_byte_array_new();

    xc_put_u8(data, SAVE_VERSION);
    xc_put_u64(data, c->life);
    for (size_t i = 0; i < N_COUNTERS; i++) {
        xc_put_u64(data, c->base[i]);
        xc_put_u64(data, c->last[i]);
    }
    for (unsigned k = 0; k < XC_N_DEVICE_KINDS; k++)
        xc_totals_write(&c->devices[k], k, data);
    xc_store_put_counters(engine->store, index, data->data, data->len);
}

void xc_counters_save(struct xc_engine *engine)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, engine->tracks);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        struct xc_track *track = value;
        struct counters *c = track->counters;

        if (!c || !c->changed)
            continue;
        c->changed = false;
        save_one(engine, track->index, c);
    }
    engine->counters_saved_mono = xc_clock_mono();
}

/* --- */

static void percentages(struct counters *c, struct xc_domain *domain, const struct xc_host *host,
                        gint64 clock)
{
    uint64_t used;
    gint64 span;

    if (!XC_HAS(DOMAIN, domain, cpu_usec))
        return;
    used = domain->cpu_usec - c->cpu_total;
    span = clock - c->clock;
    if (c->clock && span >= XC_USEC_PER_SEC / 2 && domain->cpu_usec >= c->cpu_total) {
        if (XC_HAS(DOMAIN, domain, vcpus) && domain->vcpus)
            XC_SET(DOMAIN, domain, cpu_percent_x100,
                   MIN(used * 10000 / ((uint64_t)span * domain->vcpus), 10000));
        if (host && XC_HAS(HOST, host, cpus) && host->cpus)
            XC_SET(DOMAIN, domain, cpu_host_percent_x100,
                   MIN(used * 10000 / ((uint64_t)span * host->cpus), 10000));
    }
    c->clock = clock;
    c->cpu_total = domain->cpu_usec;
}

/* Another life: what the former one counted goes into the base. */
static void new_life(struct xc_track *track, struct counters *c, uint64_t life)
{
    if (c->life) {
        for (size_t i = 0; i < N_COUNTERS; i++) {
            c->base[i] += c->last[i];
            c->last[i] = 0;
        }
        for (unsigned k = 0; k < XC_N_DEVICE_KINDS; k++)
            xc_totals_new_life(&c->devices[k], k);
    }
    /* The agent did not see the former life end: what it counted after the last save is lost. */
    if (c->restored)
        track->discontinuity_mono = xc_clock_mono();
    c->clock = 0;
    c->life = life;
}

void xc_counters_apply(struct xc_engine *engine, struct xc_track *track, const struct xc_slot *slot,
                       struct xc_domain *domain, const struct xc_host *host, gint64 clock)
{
    struct counters *c = track->counters;
    uint64_t life = life_of(slot, domain);

    if (!c) {
        struct xc_known *known = xc_known_get(engine, track->index);

        c = restore(known->counters);
        /* What was shown before is unknown where nothing was saved: it may have been more. */
        c->restored = c->restored || known->loaded;
        g_clear_pointer(&known->counters, g_bytes_unref);
        track->counters = c;
    }
    if (c->life != life)
        new_life(track, c, life);
    for (size_t i = 0; i < N_COUNTERS; i++) {
        const struct xc_field *field = &xc_domain_type.fields[fields[i]];
        uint64_t *value = (uint64_t *)(void *)((char *)domain + field->offset);

        if (!xc_has(domain, fields[i]))
            continue;
        if (*value < c->last[i]) {
            /* Fallen within a life: a device went, and its part of the sum with it. What was shown
             * stays, and what the others count from here on is added. */
            c->base[i] += c->last[i] - *value;
            if (fields[i] == XC_DOMAIN_cpu_usec)
                c->clock = 0;
            if (c->restored) /* as above: how far it got before that nobody saw */
                track->discontinuity_mono = xc_clock_mono();
        }
        c->last[i] = *value;
        *value += c->base[i];
    }
    c->changed = true;
    percentages(c, domain, host, clock);
}

void xc_counters_hide(void *object, const struct xc_object *type)
{
    for (unsigned i = 0; i < type->n_fields; i++)
        if (type->fields[i].kind == XC_COUNTER)
            xc_unset(object, i);
}

static void hide_devices(struct xc_snapshot *snapshot, const struct xc_domain *domain)
{
    for (unsigned k = 0; k < XC_N_DEVICE_KINDS; k++) {
        const struct xc_object *type = xc_device_type(k);
        size_t n = 0;
        char *devices = xc_snapshot_devices(snapshot, domain, k, &n);

        for (size_t i = 0; i < n; i++)
            xc_counters_hide(devices + i * type->size, type);
    }
}

static void count_devices(struct xc_track *track, struct xc_snapshot *snapshot,
                          const struct xc_domain *domain)
{
    struct counters *c = track->counters;
    unsigned events = 0;

    for (unsigned k = 0; k < XC_N_DEVICE_KINDS; k++) {
        size_t n = 0;
        void *devices = xc_snapshot_devices(snapshot, domain, k, &n);

        events |= xc_totals_apply(&c->devices[k], k, devices, n);
    }
    if (events & XC_TOTALS_FORGOTTEN || (events & XC_TOTALS_RESET && c->restored))
        track->discontinuity_mono = xc_clock_mono();
    c->restored = false;
}

void xc_counters_devices(struct xc_engine *engine, const struct xc_slot *slot,
                         struct xc_snapshot *snapshot)
{
    for (uint32_t i = 0; i < snapshot->n_domains; i++) {
        const struct xc_domain *domain = &snapshot->domains[i];
        struct xc_track *track = xc_track_get(engine, domain->index);

        if (xc_counts_here(track, slot, domain))
            count_devices(track, snapshot, domain);
        else
            hide_devices(snapshot, domain);
    }
}

void xc_host_life_free(struct xc_host_life *life)
{
    g_free(life->boot_id);
    g_free(life);
}

void xc_counters_host(struct xc_engine *engine, const char *key, const struct xc_host *host)
{
    struct xc_host_life *life = g_hash_table_lookup(engine->host_lives, key);
    const char *boot_id = XC_HAS(HOST, host, boot_id) ? host->boot_id : "";
    uint64_t rx = XC_HAS(HOST, host, net_rx_bytes) ? host->net_rx_bytes : 0;
    uint64_t tx = XC_HAS(HOST, host, net_tx_bytes) ? host->net_tx_bytes : 0;

    if (!life) {
        life = g_new0(struct xc_host_life, 1);
        g_hash_table_insert(engine->host_lives, g_strdup(key), life);
    } else if (strcmp(life->boot_id, boot_id) != 0 || rx < life->rx || tx < life->tx) {
        life->discontinuity_mono = xc_clock_mono();
        xc_fleet_dirty(engine);
    }
    xc_set_text(&life->boot_id, boot_id);
    life->rx = rx;
    life->tx = tx;
}
