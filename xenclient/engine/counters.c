/* Counters that never jump backwards: base + what the present life of the domain counted. */
#include "xenclient/engine/private.h"
#include "xenclient/engine/totals.h"

#include <string.h>

#define SAVE_VERSION         2
#define SAVE_WITHOUT_DEVICES 1
/* In so many ticks of a second all are saved, some with each: on their way to the store all at once
 * would need as much memory as the snapshots. */
#define SAVE_TICKS 300

#define CPU 0 /* its place */
static const unsigned fields[] = {
    [CPU] = XC_DOMAIN_cpu_usec, XC_DOMAIN_net_rx_bytes,   XC_DOMAIN_net_tx_bytes,
    XC_DOMAIN_net_rx_packets,   XC_DOMAIN_net_tx_packets, XC_DOMAIN_disk_rd_bytes,
    XC_DOMAIN_disk_wr_bytes,    XC_DOMAIN_disk_rd_ops,    XC_DOMAIN_disk_wr_ops,
};
#define N_COUNTERS G_N_ELEMENTS(fields)

struct counters {
    uint64_t life;  /* names source, domid and uuid: counters of another life begin anew */
    uint64_t *base; /* of each counter; NULL while all are 0, as in a domain's first life */
    uint64_t last[N_COUNTERS];
    struct xc_totals devices[XC_N_COUNTING_KINDS];
    gint64 clock;  /* of the host, when cpu_usec was last known; 0: no rate yet */
    bool restored; /* shown by an earlier run, no report seen since */
    bool changed;  /* since the last save */
};

static void clear(struct counters *c)
{
    for (unsigned k = 0; k < XC_N_COUNTING_KINDS; k++)
        xc_totals_clear(&c->devices[k]);
    g_free(c->base);
    memset(c, 0, sizeof(*c));
}

void xc_counters_free(void *counters)
{
    if (counters)
        clear(counters);
    g_free(counters);
}

static uint64_t base_of(const struct counters *c, size_t i)
{
    return c->base ? c->base[i] : 0;
}

/* What the counter showed is where it goes on from. */
static void keep(struct counters *c, size_t i)
{
    if (!c->last[i])
        return;
    if (!c->base)
        c->base = g_new0(uint64_t, N_COUNTERS);
    c->base[i] += c->last[i];
    c->last[i] = 0;
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
        c->last[i] = xc_get_u64(&reader);
        keep(c, i);
        c->last[i] = xc_get_u64(&reader);
    }
    for (unsigned k = 0; version == SAVE_VERSION && k < XC_N_COUNTING_KINDS; k++)
        xc_totals_read(&c->devices[k], k, &reader);
    if (!xc_reader_end(&reader)) {
        clear(c);
        return c;
    }
    return c;
}

static void save_one(struct xc_engine *engine, uint32_t index, const struct counters *c)
{
    g_autoptr(GByteArray) data = g_byte_array_new();

    xc_put_u8(data, SAVE_VERSION);
    xc_put_u64(data, c->life);
    for (size_t i = 0; i < N_COUNTERS; i++) {
        xc_put_u64(data, base_of(c, i));
        xc_put_u64(data, c->last[i]);
    }
    for (unsigned k = 0; k < XC_N_COUNTING_KINDS; k++)
        xc_totals_write(&c->devices[k], k, data);
    xc_store_put_counters(engine->store, index, data->data, data->len);
}

void xc_counters_save_of(struct xc_engine *engine, const struct xc_track *track)
{
    struct counters *c = track->counters;

    if (!c || !c->changed)
        return;
    c->changed = false;
    save_one(engine, track->index, c);
}

/* Of the indexes from..to-1. */
static void save_range(struct xc_engine *engine, uint32_t from, uint32_t to)
{
    for (uint32_t index = from; index < to; index++) {
        const struct xc_track *track = xc_track_find(engine, index);

        if (track)
            xc_counters_save_of(engine, track);
    }
}

void xc_counters_save(struct xc_engine *engine)
{
    save_range(engine, 1, engine->next_index);
}

void xc_counters_tick(struct xc_engine *engine)
{
    uint64_t tick = engine->counters_tick;
    uint64_t end = engine->next_index;

    save_range(engine, (uint32_t)(end * tick / SAVE_TICKS),
               (uint32_t)(end * (tick + 1) / SAVE_TICKS));
    engine->counters_tick = (unsigned)((tick + 1) % SAVE_TICKS);
}

/* --- */

/* shown: cpu_usec as it was at c->clock. */
static void percentages(struct counters *c, struct xc_domain *domain, const struct xc_host *host,
                        gint64 clock, uint64_t shown)
{
    uint64_t used;
    gint64 span;

    if (!XC_HAS(DOMAIN, domain, cpu_usec))
        return;
    used = domain->cpu_usec - shown;
    span = clock - c->clock;
    if (c->clock && span >= XC_USEC_PER_SEC / 2 && domain->cpu_usec >= shown) {
        if (XC_HAS(DOMAIN, domain, vcpus) && domain->vcpus)
            XC_SET(DOMAIN, domain, cpu_percent_x100,
                   MIN(used * 10000 / ((uint64_t)span * domain->vcpus), 10000));
        if (host && XC_HAS(HOST, host, cpus) && host->cpus)
            XC_SET(DOMAIN, domain, cpu_host_percent_x100,
                   MIN(used * 10000 / ((uint64_t)span * host->cpus), 10000));
    }
    c->clock = clock;
}

/* Another life: what the former one counted goes into the base. */
static void new_life(struct xc_track *track, struct counters *c, uint64_t life)
{
    if (c->life) {
        for (size_t i = 0; i < N_COUNTERS; i++)
            keep(c, i);
        for (unsigned k = 0; k < XC_N_COUNTING_KINDS; k++)
            xc_totals_new_life(&c->devices[k], k);
    }
    /* The agent did not see the former life end: what it counted after the last save is lost. */
    if (c->restored)
        track->discontinuity_mono = xc_clock_mono();
    c->clock = 0;
    c->life = life;
}

void xc_counters_apply(struct xc_track *track, const struct xc_slot *slot, struct xc_domain *domain,
                       const struct xc_host *host, gint64 clock)
{
    struct counters *c = track->counters;
    uint64_t life = life_of(slot, domain);
    uint64_t cpu_shown;

    if (!c) {
        struct xc_loaded *loaded = xc_known_of(track)->loaded;

        c = restore(loaded ? loaded->counters : NULL);
        /* What was shown before is unknown where nothing was saved: it may have been more. */
        c->restored = loaded != NULL;
        if (loaded)
            g_clear_pointer(&loaded->counters, g_bytes_unref);
        track->counters = c;
    }
    if (c->life != life)
        new_life(track, c, life);
    cpu_shown = base_of(c, CPU) + c->last[CPU];
    for (size_t i = 0; i < N_COUNTERS; i++) {
        const struct xc_field *field = &xc_domain_type.fields[fields[i]];
        uint64_t *value = (uint64_t *)(void *)((char *)domain + field->offset);

        if (!xc_has(domain, fields[i]))
            continue;
        if (*value < c->last[i]) {
            /* Fallen within a life: a device went, and its part of the sum with it. What was shown
             * stays, and what the others count from here on is added. */
            keep(c, i);
            c->base[i] -= *value;
            if (i == CPU)
                c->clock = 0;
            if (c->restored) /* as above: how far it got before that nobody saw */
                track->discontinuity_mono = xc_clock_mono();
        }
        c->last[i] = *value;
        *value += base_of(c, i);
    }
    c->changed = true;
    percentages(c, domain, host, clock, cpu_shown);
}

void xc_counters_hide(void *object, const struct xc_object *type)
{
    for (unsigned i = 0; i < type->n_fields; i++)
        if (type->fields[i].kind == XC_COUNTER)
            xc_unset(object, i);
}

static void hide_devices(struct xc_snapshot *snapshot, const struct xc_domain *domain)
{
    for (unsigned k = 0; k < XC_N_COUNTING_KINDS; k++) {
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

    for (unsigned k = 0; k < XC_N_COUNTING_KINDS; k++) {
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
        if (track->active_op)
            xc_counters_save_of(engine, track);
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
    /* What is not told stays as it was. */
    uint64_t rx = XC_HAS(HOST, host, net_rx_bytes) ? host->net_rx_bytes : life ? life->rx : 0;
    uint64_t tx = XC_HAS(HOST, host, net_tx_bytes) ? host->net_tx_bytes : life ? life->tx : 0;

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
