/* The index over all domains and hosts, made anew when membership changes, with a graveyard for domains
 * that no source shows any more. */
#include "xenclient/engine/private.h"

#include <string.h>

/* --- the graveyard: rows of domains that no source shows any more */

static void bury(struct xc_report *to, const struct xc_domain *from, uint32_t index)
{
    struct xc_domain *row = xc_report_domain(to, 0);

    if (!row)
        return;
    *row = *from;
    row->index = index;
    row->host = 0;
    memset(row->devices, 0, sizeof(row->devices)); /* they stay with the snapshot they are in */
    row->detail = 0;                               /* so does this */
    for (unsigned i = 0; i < xc_domain_type.n_fields; i++)
        if (xc_domain_type.fields[i].keep != XC_INVENTORY)
            row->has &= ~((uint64_t)1 << i);
    if (XC_HAS(DOMAIN, from, name))
        row->name = xc_report_text(to, from->name, -1);
    if (XC_HAS(DOMAIN, from, config))
        row->config = xc_report_text(to, from->config, -1);
    XC_SET(DOMAIN, row, state, XC_STATE_SHUTDOWN);
}

static void bury_track(struct xc_engine *engine, struct xc_report *to,
                       const struct xc_domain *domain)
{
    struct xc_track *track = xc_track_get(engine, domain->index);

    if (!g_hash_table_contains(engine->ghosts, GUINT_TO_POINTER(domain->index))) {
        g_hash_table_add(engine->ghosts, GUINT_TO_POINTER(domain->index));
        track->deleted_mono = xc_clock_mono();
    }
    track->presence = track->moving ? XC_PRESENT : XC_DELETED;
    bury(to, domain, domain->index);
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

int xc_domain_ref_compare(const void *a, const void *b)
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

#define LIVING 32
#define SAVED  16
#define WHOLE  1
int xc_domain_weight(const struct xc_domain *domain)
{
    bool half = XC_HAS(DOMAIN, domain, migrating) && domain->migrating;
    bool saved = XC_HAS(DOMAIN, domain, state) &&
                 (domain->state == XC_STATE_SUSPENDED || domain->state == XC_STATE_RESUMING);
    int weight = half ? 0 : WHOLE;

    if (XC_HAS(DOMAIN, domain, domid))
        return weight + LIVING;
    return saved ? weight + SAVED : weight;
}

/* Of lifeless ones the one at home counts, for whoever answers first after a restart owns it; of others the
 * owner's. */
static int weight_of(const struct xc_domain_ref *ref)
{
    int weight = xc_domain_weight(xc_ref_domain(ref));
    bool home = strcmp(xc_fleet_host_key(ref), ref->track->home) == 0;

    return weight + (home && weight < LIVING ? 8 : 0) +
           (ref->slot->id == ref->track->owner ? 4 : 0) + (home ? 2 : 0);
}

/* Of the rows first..last-1 for one domain the one to show; of equal ones that on the lowest host key.
 * The graveyard's only when it is alone. */
static guint choose(struct xc_engine *engine, const GArray *refs, guint first, guint last)
{
    guint best = G_MAXUINT;
    int best_score = -1;

    for (guint i = first; i < last; i++) {
        const struct xc_domain_ref *ref = &g_array_index(refs, struct xc_domain_ref, i);
        int score = ref->slot == engine->graveyard ? 0 : 1 + weight_of(ref);

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
    qsort(refs->data, refs->len, sizeof(struct xc_domain_ref), xc_domain_ref_compare);
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
        xc_fleet_note(engine, chosen.slot, track, xc_ref_domain(&chosen));
        g_array_index(refs, struct xc_domain_ref, kept++) = chosen;
        i = last;
    }
    g_array_set_size(refs, kept);
    return refs;
}

int xc_host_ref_compare(const void *a, const void *b)
{
    return xc_key_compare(((const struct xc_host_ref *)a)->key,
                          ((const struct xc_host_ref *)b)->key);
}

/* A host that several sources report has one row, that of the source whose key comes first: two rows
 * with one index would make walks go in circles. */
static void drop_twins(GArray *hosts)
{
    guint kept = 0;

    for (guint i = 0; i < hosts->len; i++) {
        const struct xc_host_ref *ref = &g_array_index(hosts, struct xc_host_ref, i);
        struct xc_host_ref *last =
            kept ? &g_array_index(hosts, struct xc_host_ref, kept - 1) : NULL;

        if (!last || xc_host_ref_compare(last, ref) != 0)
            g_array_index(hosts, struct xc_host_ref, kept++) = *ref;
        else if (xc_key_compare(ref->slot->spec.key, last->slot->spec.key) < 0)
            *last = *ref;
    }
    g_array_set_size(hosts, kept);
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
            const struct xc_host_life *life =
                g_hash_table_lookup(engine->host_lives, slot->host_keys[j]);
            struct xc_host_ref ref = {slot->host_keys[j], slot, j,
                                      life ? life->discontinuity_mono : 0};

            g_array_append_val(engine->hosts, ref);
        }
    }
    qsort(engine->hosts->data, engine->hosts->len, sizeof(struct xc_host_ref), xc_host_ref_compare);
    drop_twins(engine->hosts);
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
            xc_domain_is_guest(domain))
            bury(report, domain, ref->index);
    }
    return report;
}

static bool has_ref(const GArray *refs, uint32_t index)
{
    const struct xc_domain_ref key = {.index = index};

    return bsearch(&key, refs->data, refs->len, sizeof(key), xc_domain_ref_compare) != NULL;
}

static void show(struct xc_slot *slot, struct xc_snapshot *snapshot, char **keys)
{
    xc_snapshot_unref(slot->snapshot);
    g_strfreev(slot->host_keys);
    slot->snapshot = snapshot;
    slot->host_keys = keys;
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

        if (!xc_domain_is_guest(xc_ref_domain(ref)))
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
    xc_groups_stir(engine);
    xc_vapps_look(engine);
    engine->rebuilt_mono = xc_clock_mono();
}

static const char *ghost_name(const struct xc_engine *engine, gconstpointer index)
{
    const struct xc_snapshot *graveyard = engine->graveyard->snapshot;
    gssize row = xc_snapshot_find(graveyard, GPOINTER_TO_UINT(index));

    return row >= 0 && XC_HAS(DOMAIN, &graveyard->domains[row], name) ? graveyard->domains[row].name
                                                                      : "";
}

void xc_fleet_tick(struct xc_engine *engine)
{
    gint64 limit = xc_clock_mono() - (gint64)engine->config->tombstone_sec * XC_USEC_PER_SEC;
    GHashTableIter iter;
    gpointer key;
    bool changed = false;

    g_hash_table_iter_init(&iter, engine->ghosts);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        const struct xc_track *track = xc_track_find(engine, GPOINTER_TO_UINT(key));

        if (track && (track->deleted_mono > limit || track->active_op))
            continue;
        xc_events_deleted(engine, GPOINTER_TO_UINT(key), ghost_name(engine, key));
        g_hash_table_iter_remove(&iter);
        changed = true;
    }
    if (changed)
        xc_fleet_dirty(engine);
}
