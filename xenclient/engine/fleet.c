/* The index over all domains and hosts, made anew whenever membership changes. */
#include "xenclient/engine/private.h"

#include <string.h>

#define REBUILD_GAP_USEC ((gint64)250000)

/* --- tracks */

struct xc_track *xc_track_get(struct xc_engine *engine, uint32_t index)
{
    struct xc_track *track = g_hash_table_lookup(engine->tracks, GUINT_TO_POINTER(index));
    const struct xc_known *known;

    if (track)
        return track;
    known = xc_known_get(engine, index);
    track = g_new0(struct xc_track, 1);
    track->index = index;
    track->identity = XC_IDENTITY_UUID;
    track->presence = XC_PRESENT;
    track->wanted = known->wanted;
    track->protect = known->protect;
    track->home = g_strdup(known->home);
    track->state_since_real = xc_clock_real();
    /* Random, so that a lock read before a restart does not fit after it. */
    track->lock = (uint32_t)g_random_int_range(0, G_MAXINT32);
    g_hash_table_insert(engine->tracks, GUINT_TO_POINTER(index), track);
    return track;
}

void xc_track_free(struct xc_track *track)
{
    xc_counters_free(track->counters);
    g_free(track->home);
    g_free(track);
}

bool xc_domain_alive(const struct xc_domain *domain)
{
    return XC_HAS(DOMAIN, domain, domid) &&
           !(XC_HAS(DOMAIN, domain, migrating) && domain->migrating);
}

static bool is_guest(const struct xc_domain *domain)
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
    struct xc_known *known;

    if (strcmp(track->home, home) == 0)
        return;
    g_free(track->home);
    track->home = g_strdup(home);
    known = xc_known_get(engine, track->index);
    g_free(known->home);
    known->home = g_strdup(home);
    xc_known_save(engine, track->index, XC_HAS(DOMAIN, domain, name) ? domain->name : "");
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
    if (is_guest(domain)) {
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

void xc_fleet_adopt(struct xc_engine *engine, struct xc_slot *slot, struct xc_report *report,
                    char *const *host_keys)
{
    gint64 now = xc_clock_mono();

    for (guint i = 0; i < report->hosts->len; i++) {
        struct xc_host *host = &g_array_index(report->hosts, struct xc_host, i);

        XC_SET(HOST, host, domains_total, 0);
        XC_SET(HOST, host, domains_running, 0);
        XC_SET(HOST, host, vcpus_allocated, 0);
    }
    for (guint i = 0; i < report->domains->len; i++) {
        struct xc_domain *domain = &g_array_index(report->domains, struct xc_domain, i);
        struct xc_host *host = &g_array_index(report->hosts, struct xc_host, domain->host);
        struct xc_track *track;

        if (!domain->index)
            continue;
        track = xc_track_get(engine, domain->index);
        track->identity = xc_identity_kind(domain);
        adopt_one(engine, slot, track, domain, host_keys[domain->host]);
        if (track->owner == slot->id && XC_HAS(DOMAIN, domain, domid))
            xc_counters_apply(engine, track, slot, domain, host,
                              XC_HAS(HOST, host, clock) ? host->clock : now);
        count_on_host(host, domain);
    }
}

/* --- showing a snapshot */

static bool same_text(const struct xc_domain *a, const struct xc_domain *b)
{
    return g_strcmp0(XC_HAS(DOMAIN, a, name) ? a->name : NULL,
                     XC_HAS(DOMAIN, b, name) ? b->name : NULL) == 0;
}

/* Same rows, each as much alive as before: the index over them stays right. */
static bool same_shape(const struct xc_snapshot *a, const struct xc_snapshot *b)
{
    if (!xc_snapshot_same_members(a, b))
        return false;
    for (uint32_t i = 0; i < a->n_domains; i++)
        if (xc_domain_alive(&a->domains[i]) != xc_domain_alive(&b->domains[i]) ||
            a->domains[i].host != b->domains[i].host)
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

static void note_state(struct xc_track *track, const struct xc_domain *domain)
{
    enum xc_domain_state state =
        XC_HAS(DOMAIN, domain, state) ? (enum xc_domain_state)domain->state : XC_STATE_UNKNOWN;

    if (track->state == state)
        return;
    if (track->state)
        track->state_since_real = xc_clock_real();
    track->state = state;
}

/* Those that the owner does not show any more are free for another source. */
static void release_missing(struct xc_engine *engine, const struct xc_slot *slot,
                            const struct xc_snapshot *now)
{
    const struct xc_snapshot *before = slot->snapshot;

    for (uint32_t i = 0; before && i < before->n_domains; i++) {
        struct xc_track *track;

        if (xc_snapshot_find(now, before->domains[i].index) >= 0)
            continue;
        track = g_hash_table_lookup(engine->tracks, GUINT_TO_POINTER(before->domains[i].index));
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

static void show(struct xc_slot *slot, struct xc_snapshot *snapshot, char **keys)
{
    xc_snapshot_unref(slot->snapshot);
    g_strfreev(slot->host_keys);
    slot->snapshot = snapshot;
    slot->host_keys = keys;
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
        for (uint32_t i = 0; i < snapshot->n_domains; i++) {
            struct xc_track *track = xc_track_get(engine, snapshot->domains[i].index);

            if (track->owner == slot->id)
                note_state(track, &snapshot->domains[i]);
        }
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

/* --- the graveyard: rows of domains that no source shows any more */

static void bury(struct xc_report *to, const struct xc_domain *from, uint32_t index, bool moving)
{
    struct xc_domain *row = xc_report_domain(to, 0);

    if (!row)
        return;
    *row = *from;
    row->index = index;
    row->host = 0;
    row->vif_count = row->vbd_count = 0;
    for (unsigned i = 0; i < xc_domain_type.n_fields; i++)
        if (xc_domain_type.fields[i].keep != XC_INVENTORY)
            row->has &= ~((uint64_t)1 << i);
    if (XC_HAS(DOMAIN, from, name))
        row->name = xc_report_text(to, from->name, -1);
    if (XC_HAS(DOMAIN, from, config))
        row->config = xc_report_text(to, from->config, -1);
    XC_SET(DOMAIN, row, state, moving ? XC_STATE_MIGRATING : XC_STATE_SHUTDOWN);
}

static bool is_moving(struct xc_engine *engine, const struct xc_track *track)
{
    const struct xc_op *op = track->active_op ? xc_op_find(engine, track->active_op) : NULL;

    return op && op->action == XC_ACTION_MIGRATE;
}

static void bury_track(struct xc_engine *engine, struct xc_report *to,
                       const struct xc_domain *domain)
{
    struct xc_track *track = xc_track_get(engine, domain->index);
    bool moving = is_moving(engine, track);

    if (!g_hash_table_contains(engine->ghosts, GUINT_TO_POINTER(domain->index))) {
        g_hash_table_add(engine->ghosts, GUINT_TO_POINTER(domain->index));
        track->deleted_mono = xc_clock_mono();
    }
    track->presence = moving ? XC_PRESENT : XC_DELETED;
    bury(to, domain, domain->index, moving);
}

/* What is in the graveyard already and what this rebuild takes out of the fleet. */
static void dig(struct xc_engine *engine, struct xc_report *newly)
{
    struct xc_report *all = xc_report_new();
    const struct xc_snapshot *old = engine->graveyard->snapshot;

    for (uint32_t i = 0; i < old->n_domains; i++)
        if (g_hash_table_contains(engine->ghosts, GUINT_TO_POINTER(old->domains[i].index)))
            bury_track(engine, all, &old->domains[i]);
    for (guint i = 0; i < newly->domains->len; i++)
        bury_track(engine, all, &g_array_index(newly->domains, struct xc_domain, i));
    xc_snapshot_unref(engine->graveyard->snapshot);
    engine->graveyard->snapshot = xc_snapshot_seal(all);
}

/* --- the rebuild */

static int by_index(const void *a, const void *b)
{
    uint32_t x = ((const struct xc_domain_ref *)a)->index;
    uint32_t y = ((const struct xc_domain_ref *)b)->index;

    return (x > y) - (x < y);
}

static void collect(GArray *refs, const struct xc_slot *slot)
{
    const struct xc_snapshot *snapshot = slot->snapshot;

    for (uint32_t i = 0; snapshot && i < snapshot->n_domains; i++) {
        struct xc_domain_ref ref = {snapshot->domains[i].index, i, slot, NULL};

        g_array_append_val(refs, ref);
    }
}

/* Of the rows first..last-1 for one domain the one to show: the owner's; else one that is not half
 * of a migration, at home if possible, else on the lowest host key. The graveyard's only when it is
 * alone. */
static guint choose(struct xc_engine *engine, const GArray *refs, guint first, guint last)
{
    const struct xc_track *track = g_array_index(refs, struct xc_domain_ref, first).track;
    guint best = G_MAXUINT;
    int best_score = -1;

    for (guint i = first; i < last; i++) {
        const struct xc_domain_ref *ref = &g_array_index(refs, struct xc_domain_ref, i);
        const struct xc_domain *domain = xc_ref_domain(ref);
        bool half = XC_HAS(DOMAIN, domain, migrating) && domain->migrating;
        int score = 0;

        if (ref->slot != engine->graveyard)
            score = 1 + (half ? 0 : 1) +
                    (strcmp(xc_fleet_host_key(ref), track->home) == 0 ? 2 : 0) +
                    (ref->slot->id == track->owner ? 4 : 0);
        if (score > best_score ||
            (score == best_score &&
             xc_key_compare(ref->slot->spec.key,
                            g_array_index(refs, struct xc_domain_ref, best).slot->spec.key) < 0)) {
            best_score = score;
            best = i;
        }
    }
    return best;
}

static GArray *build_refs(struct xc_engine *engine)
{
    GArray *refs =
        g_array_sized_new(FALSE, FALSE, sizeof(struct xc_domain_ref), engine->refs->len + 64);
    guint kept = 0;

    for (guint i = 0; i < engine->slots->len; i++)
        collect(refs, engine->slots->pdata[i]);
    collect(refs, engine->graveyard);
    qsort(refs->data, refs->len, sizeof(struct xc_domain_ref), by_index);
    for (guint i = 0; i < refs->len;) {
        struct xc_domain_ref *ref = &g_array_index(refs, struct xc_domain_ref, i);
        struct xc_track *track = xc_track_get(engine, ref->index);
        guint last = i;
        struct xc_domain_ref chosen;

        for (; last < refs->len &&
               g_array_index(refs, struct xc_domain_ref, last).index == ref->index;
             last++)
            g_array_index(refs, struct xc_domain_ref, last).track = track;
        chosen = g_array_index(refs, struct xc_domain_ref,
                               last == i + 1 ? i : choose(engine, refs, i, last));
        if (chosen.slot != engine->graveyard) {
            if (track->owner != chosen.slot->id) {
                track->owner = chosen.slot->id;
                track->owner_alive = xc_domain_alive(xc_ref_domain(&chosen));
            }
            g_hash_table_remove(engine->ghosts, GUINT_TO_POINTER(ref->index));
            track->presence = XC_PRESENT;
            track->deleted_mono = 0;
        }
        note_state(track, xc_ref_domain(&chosen));
        g_array_index(refs, struct xc_domain_ref, kept++) = chosen;
        i = last;
    }
    g_array_set_size(refs, kept);
    return refs;
}

static int by_host_key(const void *a, const void *b)
{
    return xc_key_compare(((const struct xc_host_ref *)a)->key,
                          ((const struct xc_host_ref *)b)->key);
}

static void build_hosts(struct xc_engine *engine)
{
    g_array_set_size(engine->hosts, 0);
    for (guint i = 0; i < engine->slots->len; i++) {
        const struct xc_slot *slot = engine->slots->pdata[i];
        uint32_t n = slot->snapshot ? slot->snapshot->n_hosts : 0;

        if (n == 0) {
            struct xc_host_ref ref = {slot->spec.key, slot, -1, 0};

            g_array_append_val(engine->hosts, ref);
        }
        for (uint32_t j = 0; j < n; j++) {
            struct xc_host_ref ref = {slot->host_keys[j], slot, j, 0};

            g_array_append_val(engine->hosts, ref);
        }
    }
    qsort(engine->hosts->data, engine->hosts->len, sizeof(struct xc_host_ref), by_host_key);
}

/* Rows of sources with a pending snapshot that lacks them: copied while the old one is still there.
 */
static struct xc_report *leaving(struct xc_engine *engine)
{
    struct xc_report *report = xc_report_new();

    for (guint i = 0; i < engine->refs->len; i++) {
        const struct xc_domain_ref *ref = &g_array_index(engine->refs, struct xc_domain_ref, i);
        const struct xc_poller *poller = ref->slot->poller;
        const struct xc_domain *domain = xc_ref_domain(ref);

        if (poller && poller->pending && xc_snapshot_find(poller->pending, ref->index) < 0 &&
            is_guest(domain))
            bury(report, domain, ref->index, false);
    }
    return report;
}

static gint compare_found(gconstpointer a, gconstpointer b)
{
    return by_index(a, b);
}

static bool has_ref(const GArray *refs, uint32_t index)
{
    struct xc_domain_ref key = {.index = index};

    return g_array_binary_search((GArray *)refs, &key, compare_found, NULL);
}

static void show_pending(struct xc_engine *engine)
{
    for (guint i = 0; i < engine->slots->len; i++) {
        struct xc_slot *slot = engine->slots->pdata[i];
        struct xc_poller *poller = slot->poller;

        if (poller->pending)
            show(slot, g_steal_pointer(&poller->pending), g_steal_pointer(&poller->pending_keys));
    }
}

static void count_domains(struct xc_engine *engine)
{
    engine->n_running = engine->n_problem = 0;
    for (guint i = 0; i < engine->refs->len; i++) {
        const struct xc_domain_ref *ref = &g_array_index(engine->refs, struct xc_domain_ref, i);
        enum xc_domain_state state = xc_ref_state(ref);

        if (!is_guest(xc_ref_domain(ref)))
            continue;
        engine->n_running += state == XC_STATE_RUNNING;
        engine->n_problem += state == XC_STATE_CRASHED || state == XC_STATE_UNKNOWN;
    }
}

void xc_fleet_rebuild(struct xc_engine *engine)
{
    xc_report *gone = leaving(engine);
    guint lost = 0;
    GArray *refs;

    if (engine->rebuild) {
        g_source_remove(engine->rebuild);
        engine->rebuild = 0;
    }
    show_pending(engine);
    refs = build_refs(engine);
    for (guint i = 0; i < gone->domains->len; i++) {
        struct xc_domain *domain = &g_array_index(gone->domains, struct xc_domain, i);

        if (has_ref(refs, domain->index)) {
            domain->index = 0; /* another source shows it */
            continue;
        }
        lost++;
    }
    for (guint i = gone->domains->len; i-- > 0;)
        if (g_array_index(gone->domains, struct xc_domain, i).index == 0)
            g_array_remove_index_fast(gone->domains, i);
    if (lost || engine->regrave ||
        g_hash_table_size(engine->ghosts) != engine->graveyard->snapshot->n_domains) {
        dig(engine, gone);
        g_array_unref(refs);
        refs = build_refs(engine);
    }
    xc_report_free(gone);
    g_array_unref(engine->refs);
    engine->refs = refs;
    build_hosts(engine);
    count_domains(engine);
    engine->dirty = engine->regrave = false;
    engine->generation++;
    engine->rebuilt_mono = xc_clock_mono();
}

void xc_fleet_tick(struct xc_engine *engine)
{
    gint64 limit = xc_clock_mono() - (gint64)engine->config->tombstone_sec * XC_USEC_PER_SEC;
    GHashTableIter iter;
    gpointer key;
    bool changed = false;

    g_hash_table_iter_init(&iter, engine->ghosts);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        const struct xc_track *track = g_hash_table_lookup(engine->tracks, key);

        if (track && (track->deleted_mono > limit || track->active_op))
            continue;
        g_hash_table_iter_remove(&iter);
        changed = true;
    }
    if (changed)
        xc_fleet_dirty(engine);
}

/* --- reading */

const struct xc_domain_ref *xc_fleet_domains(const struct xc_engine *engine, size_t *n)
{
    *n = engine->refs->len;
    return (const struct xc_domain_ref *)(const void *)engine->refs->data;
}

const struct xc_domain_ref *xc_fleet_domain(const struct xc_engine *engine, uint32_t index)
{
    struct xc_domain_ref key = {.index = index};
    guint at;

    if (!g_array_binary_search(engine->refs, &key, compare_found, &at))
        return NULL;
    return &g_array_index(engine->refs, struct xc_domain_ref, at);
}

const struct xc_host_ref *xc_fleet_hosts(const struct xc_engine *engine, size_t *n)
{
    *n = engine->hosts->len;
    return (const struct xc_host_ref *)(const void *)engine->hosts->data;
}

static gint compare_host(gconstpointer a, gconstpointer b)
{
    return by_host_key(a, b);
}

const struct xc_host_ref *xc_fleet_host(const struct xc_engine *engine, const char *key)
{
    struct xc_host_ref wanted = {.key = key};
    guint at;

    if (!g_array_binary_search(engine->hosts, &wanted, compare_host, &at))
        return NULL;
    return &g_array_index(engine->hosts, struct xc_host_ref, at);
}

struct xc_slot *const *xc_fleet_sources(const struct xc_engine *engine, size_t *n)
{
    *n = engine->slots->len;
    return (struct xc_slot *const *)engine->slots->pdata;
}

struct xc_slot *xc_fleet_source(const struct xc_engine *engine, const char *key)
{
    for (guint i = 0; i < engine->slots->len; i++) {
        struct xc_slot *slot = engine->slots->pdata[i];

        if (strcmp(slot->spec.key, key) == 0)
            return slot;
    }
    return NULL;
}

uint64_t xc_fleet_generation(const struct xc_engine *engine)
{
    return engine->generation;
}

const char *xc_fleet_host_key(const struct xc_domain_ref *ref)
{
    if (!ref->slot->host_keys)
        return ref->track->home;
    return ref->slot->host_keys[xc_ref_domain(ref)->host];
}

bool xc_ref_shows(const struct xc_domain_ref *ref, const struct xc_field *field)
{
    unsigned number = (unsigned)(field - xc_domain_type.fields);

    return xc_has(xc_ref_domain(ref), number) &&
           (field->keep == XC_INVENTORY || !xc_slot_stale(ref->slot));
}

bool xc_host_ref_shows(const struct xc_host_ref *ref, const struct xc_field *field)
{
    unsigned number = (unsigned)(field - xc_host_type.fields);

    return ref->row >= 0 && xc_has(&ref->slot->snapshot->hosts[ref->row], number) &&
           (field->keep == XC_INVENTORY || !xc_slot_stale(ref->slot));
}

enum xc_domain_state xc_ref_state(const struct xc_domain_ref *ref)
{
    const struct xc_domain *domain = xc_ref_domain(ref);

    if (xc_slot_down(ref->slot) || !XC_HAS(DOMAIN, domain, state))
        return XC_STATE_UNKNOWN;
    return (enum xc_domain_state)domain->state;
}

enum xc_presence xc_ref_presence(const struct xc_domain_ref *ref)
{
    if (ref->track->presence == XC_PRESENT && xc_slot_stale(ref->slot))
        return XC_STALE;
    return ref->track->presence;
}

enum xc_source_state xc_host_ref_state(const struct xc_host_ref *ref)
{
    return ref->slot->state;
}
