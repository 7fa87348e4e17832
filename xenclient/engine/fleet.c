/* The index over all domains and hosts, made anew whenever membership changes. */
#include "xenclient/engine/private.h"

#include <string.h>

#define REBUILD_GAP_USEC ((gint64)250000)

bool xc_domain_alive(const struct xc_domain *domain)
{
    return XC_HAS(DOMAIN, domain, domid) &&
           !(XC_HAS(DOMAIN, domain, migrating) && domain->migrating);
}

bool xc_domain_is_guest(const struct xc_domain *domain)
{
    return !XC_HAS(DOMAIN, domain, kind) || domain->kind == XC_KIND_GUEST;
}

/* --- a new report: who owns which domain, counters, sums per host */

static bool was_alive_here(const struct xc_slot *slot, uint32_t index)
{
    gssize row = slot->snapshot ? xc_snapshot_find(slot->snapshot, index) : -1;

    return row >= 0 && xc_domain_alive(&slot->snapshot->domains[row]);
}

static void set_home(struct xc_engine *engine, struct xc_track *track, const char *home,
                     const struct xc_domain *domain)
{
    if (strcmp(track->home, home) == 0)
        return;
    xc_set_key(&track->home, home);
    xc_known_save(engine, track->index, XC_HAS(DOMAIN, domain, name) ? domain->name : "");
}

bool xc_counts_here(const struct xc_track *track, const struct xc_slot *slot,
                    const struct xc_domain *domain)
{
    return track->owner == slot->id && XC_HAS(DOMAIN, domain, domid);
}

/* A living domain belongs to the source that shows it. When two show it (one may not have noticed
 * yet that it moved away) it belongs to the one where it has just come to life. */
static void adopt_one(struct xc_engine *engine, struct xc_slot *slot, struct xc_track *track,
                      const struct xc_domain *domain, const char *host_key)
{
    const struct xc_slot *owner = track->owner ? xc_slot_by_id(engine, track->owner) : NULL;

    if (xc_domain_alive(domain)) {
        if (!owner || owner == slot || !track->owner_alive || xc_slot_down(owner) ||
            !was_alive_here(slot, track->index)) {
            track->owner = slot->id;
            track->owner_alive = true;
            set_home(engine, track, host_key, domain);
        }
    } else if (owner == slot) {
        track->owner_alive = false;
    }
}

static void count_on_host(struct xc_host *host, const struct xc_domain *domain)
{
    if (xc_domain_is_guest(domain)) {
        XC_SET(HOST, host, domains_total, host->domains_total + 1);
        if (XC_HAS(DOMAIN, domain, state) && domain->state == XC_STATE_RUNNING) {
            host->domains_running++;
            if (XC_HAS(DOMAIN, domain, vcpus))
                host->vcpus_allocated += domain->vcpus;
        }
    }
    if (XC_HAS(DOMAIN, domain, cpu_host_percent_x100) && !XC_HAS(HOST, host, cpu_percent_x100))
        XC_SET(HOST, host, cpu_percent_x100, 0);
    if (XC_HAS(DOMAIN, domain, cpu_host_percent_x100))
        host->cpu_percent_x100 = MIN(host->cpu_percent_x100 + domain->cpu_host_percent_x100, 10000);
}

static void begin_count(struct xc_host *host)
{
    XC_SET(HOST, host, domains_total, 0);
    XC_SET(HOST, host, domains_running, 0);
    XC_SET(HOST, host, vcpus_allocated, 0);
    XC_CLEAR(HOST, host, cpu_percent_x100);
}

void xc_fleet_count(struct xc_snapshot *snapshot)
{
    for (uint32_t i = 0; i < snapshot->n_hosts; i++)
        begin_count(&snapshot->hosts[i]);
    for (uint32_t i = 0; i < snapshot->n_domains; i++)
        count_on_host(&snapshot->hosts[snapshot->domains[i].host], &snapshot->domains[i]);
}

void xc_fleet_adopt(struct xc_engine *engine, struct xc_slot *slot, struct xc_report *report,
                    char *const *host_keys)
{
    gint64 now = xc_clock_mono();

    for (guint i = 0; i < report->hosts->len; i++) {
        struct xc_host *host = &g_array_index(report->hosts, struct xc_host, i);

        begin_count(host);
        xc_counters_host(engine, host_keys[i], host);
    }
    for (guint i = 0; i < report->domains->len; i++) {
        struct xc_domain *domain = &g_array_index(report->domains, struct xc_domain, i);
        struct xc_host *host = &g_array_index(report->hosts, struct xc_host, domain->host);
        struct xc_track *track;

        if (!domain->index)
            continue;
        track = xc_track_get(engine, domain->index);
        track->identity = (uint8_t)xc_identity_kind(domain);
        adopt_one(engine, slot, track, domain, host_keys[domain->host]);
        if (xc_counts_here(track, slot, domain))
            xc_counters_apply(track, slot, domain, host,
                              XC_HAS(HOST, host, clock) ? host->clock : now);
        else
            xc_counters_hide(domain, &xc_domain_type);
        xc_news_keep_shares(slot, report, domain);
        count_on_host(host, domain);
    }
}

/* --- showing a snapshot */

static bool same_text(const struct xc_domain *a, const struct xc_domain *b)
{
    return g_strcmp0(XC_HAS(DOMAIN, a, name) ? a->name : NULL,
                     XC_HAS(DOMAIN, b, name) ? b->name : NULL) == 0;
}

/* Same rows, each of the weight and kind it had: the index over them stays right. */
static bool same_shape(const struct xc_snapshot *a, const struct xc_snapshot *b)
{
    if (!xc_snapshot_same_members(a, b))
        return false;
    for (uint32_t i = 0; i < a->n_domains; i++)
        if (xc_domain_weight(&a->domains[i]) != xc_domain_weight(&b->domains[i]) ||
            a->domains[i].host != b->domains[i].host ||
            xc_domain_is_guest(&a->domains[i]) != xc_domain_is_guest(&b->domains[i]))
            return false;
    return true;
}

static bool same_names(const struct xc_snapshot *a, const struct xc_snapshot *b)
{
    for (uint32_t i = 0; i < a->n_domains; i++)
        if (!same_text(&a->domains[i], &b->domains[i]))
            return false;
    return true;
}

enum xc_domain_state xc_track_state(const struct xc_track *track, const struct xc_domain *domain)
{
    if (!XC_HAS(DOMAIN, domain, state))
        return XC_STATE_UNKNOWN;
    /* For a moment no source shows it alive: polls of two hosts are never at the same time. */
    if (track->moving && domain->state == XC_STATE_SHUTDOWN)
        return XC_STATE_MIGRATING;
    return (enum xc_domain_state)domain->state;
}

void xc_fleet_note(struct xc_engine *engine, const struct xc_slot *slot, struct xc_track *track,
                   const struct xc_domain *domain)
{
    enum xc_domain_state state = xc_track_state(track, domain);

    if (track->state != state) {
        track->state_since_real = xc_clock_real();
        track->state = (uint8_t)state;
    }
    /* Of those in the graveyard see xc_events_tick(). */
    if (slot != engine->graveyard)
        xc_events_domain(engine, track, domain, slot->host_keys[domain->host]);
}

/* Those that the owner does not show any more are free for another source. */
static void release_missing(struct xc_engine *engine, const struct xc_slot *slot,
                            const struct xc_snapshot *now)
{
    const struct xc_snapshot *before = slot->snapshot;
    uint32_t at = 0;

    for (uint32_t i = 0; before && i < before->n_domains; i++) {
        uint32_t index = before->domains[i].index;
        struct xc_track *track;

        /* Both are sorted. */
        while (at < now->n_domains && now->domains[at].index < index)
            at++;
        if (at < now->n_domains && now->domains[at].index == index)
            continue;
        track = xc_track_find(engine, index);
        if (track && track->owner == slot->id)
            track->owner_alive = false;
    }
}

static gboolean on_rebuild(void *data)
{
    struct xc_engine *engine = data;

    engine->rebuild = 0;
    xc_fleet_rebuild(engine);
    return G_SOURCE_REMOVE;
}

void xc_fleet_dirty(struct xc_engine *engine)
{
    gint64 wait = engine->rebuilt_mono + REBUILD_GAP_USEC - xc_clock_mono();

    engine->dirty = true;
    if (!engine->rebuild && !engine->closing)
        engine->rebuild =
            g_timeout_add((guint)(CLAMP(wait, 0, REBUILD_GAP_USEC) / 1000), on_rebuild, engine);
}

void xc_fleet_publish(struct xc_engine *engine, struct xc_slot *slot, struct xc_snapshot *snapshot,
                      char **host_keys)
{
    struct xc_poller *poller = slot->poller;

    release_missing(engine, slot, snapshot);
    if (slot->snapshot && !poller->pending && same_shape(slot->snapshot, snapshot) &&
        g_strv_equal((const gchar *const *)slot->host_keys, (const gchar *const *)host_keys)) {
        if (!same_names(slot->snapshot, snapshot))
            engine->generation++;
        /* The host index points to the keys that are there. */
        g_strfreev(host_keys);
        xc_snapshot_unref(slot->snapshot);
        slot->snapshot = snapshot;
        xc_groups_stir(engine);
        for (uint32_t i = 0; i < snapshot->n_domains; i++) {
            struct xc_track *track = xc_track_get(engine, snapshot->domains[i].index);

            if (track->owner == slot->id)
                xc_fleet_note(engine, slot, track, &snapshot->domains[i]);
        }
        xc_vapps_look_at(engine, slot);
        return;
    }
    xc_snapshot_unref(poller->pending);
    g_strfreev(poller->pending_keys);
    poller->pending = snapshot;
    poller->pending_keys = host_keys;
    xc_fleet_dirty(engine);
    if (xc_clock_mono() - engine->rebuilt_mono >= REBUILD_GAP_USEC)
        xc_fleet_rebuild(engine);
}
