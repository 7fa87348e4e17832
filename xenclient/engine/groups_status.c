/* What groups are made of now, and how they fare. Looked at when somebody asks, and then once for each change of the
 * fleet: names are resolved again when a domain, its name or its host changed, sums are made with every snapshot. */
#include "xenclient/engine/private.h"

#include <string.h>

/* --- members and hosts, as long as the fleet has the same domains */

static void resolve_members(struct xc_engine *engine, struct xc_group *group)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_direct_hash, g_direct_equal);

    for (guint i = 0; i < group->members->len; i++) {
        struct xc_member *member = &g_array_index(group->members, struct xc_member, i);

        member->domain = xc_member_resolve(engine, member->spec->member, &member->cause);
        /* By two of its names it would be asked, and counted, twice. */
        if (member->domain && !g_hash_table_add(seen, GUINT_TO_POINTER(member->domain))) {
            member->domain = 0;
            member->cause = XC_CAUSE_CONFLICT;
        }
    }
}

static void add_place(struct xc_group *group, const char *host, unsigned weight)
{
    const struct xc_group_place place = {.host = g_strdup(host), .weight = weight};

    g_array_append_val(group->places, place);
}

/* Whatever hosts there are, and those that have a weight for the day they come: two sorted lists become one. */
static void merge_places(struct xc_engine *engine, struct xc_group *group)
{
    const GPtrArray *weights = group->spec->hosts;
    const struct xc_group_host_spec *weight;
    size_t n;
    const struct xc_host_ref *hosts = xc_fleet_hosts(engine, &n);
    guint w = 0;

    for (size_t i = 0; i < n; i++) {
        for (; w < weights->len; w++) {
            weight = weights->pdata[w];
            if (xc_key_compare(weight->host, hosts[i].key) >= 0)
                break;
            add_place(group, weight->host, weight->weight);
        }
        weight = w < weights->len ? weights->pdata[w] : NULL;
        if (weight && strcmp(weight->host, hosts[i].key) == 0) {
            add_place(group, hosts[i].key, weight->weight);
            w++;
        } else {
            add_place(group, hosts[i].key, XC_GROUP_WEIGHT_USUAL);
        }
    }
    for (; w < weights->len; w++) {
        weight = weights->pdata[w];
        add_place(group, weight->host, weight->weight);
    }
}

static void make_places(struct xc_engine *engine, struct xc_group *group)
{
    g_array_set_size(group->places, 0);
    if (group->spec->all_hosts) {
        merge_places(engine, group);
        return;
    }
    for (guint i = 0; i < group->spec->hosts->len; i++) {
        const struct xc_group_host_spec *host = group->spec->hosts->pdata[i];

        add_place(group, host->host, host->weight);
    }
}

/* --- how they are, with every snapshot */

static enum xc_cause cause_of(const struct xc_engine *engine, const char *key)
{
    const struct xc_host_ref *ref = xc_fleet_host(engine, key);
    enum xc_source_state state = ref ? xc_host_ref_state(ref) : XC_SOURCE_DOWN;

    if (!ref)
        return XC_CAUSE_NO_SUCH_HOST;
    if (state == XC_SOURCE_MAINTENANCE)
        return XC_CAUSE_POLICY;
    /* One failed poll is not the end of a host. */
    return state == XC_SOURCE_UP || state == XC_SOURCE_DEGRADED ? XC_CAUSE_NONE
                                                                : XC_CAUSE_HOST_DOWN;
}

static void judge_places(const struct xc_engine *engine, struct xc_group *group)
{
    for (guint i = 0; i < group->places->len; i++) {
        struct xc_group_place *place = &g_array_index(group->places, struct xc_group_place, i);

        place->cause = cause_of(engine, place->host);
        place->usable = place->cause == XC_CAUSE_NONE;
        place->members = place->running = 0;
    }
}

static struct xc_group_place *place_of(const struct xc_group *group, const char *host)
{
    guint low = 0;
    guint high = group->places->len;

    while (low < high) {
        guint middle = low + (high - low) / 2;
        struct xc_group_place *place = &g_array_index(group->places, struct xc_group_place, middle);
        int order = xc_key_compare(place->host, host);

        if (order == 0)
            return place;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static uint32_t *count_of(struct xc_group_sums *sums, enum xc_domain_state state)
{
    switch (state) {
    case XC_STATE_RUNNING:
        return &sums->running;
    case XC_STATE_PAUSED:
        return &sums->paused;
    case XC_STATE_SUSPENDED:
        return &sums->suspended;
    case XC_STATE_SHUTDOWN:
        return &sums->stopped;
    case XC_STATE_CRASHED:
        return &sums->crashed;
    case XC_STATE_PREPARING:
    case XC_STATE_SUSPENDING:
    case XC_STATE_RESUMING:
    case XC_STATE_MIGRATING:
    case XC_STATE_SHUTTING_DOWN:
        return &sums->transient;
    default:
        return &sums->unknown;
    }
}

/* What is known while sums are made. */
struct adding {
    struct xc_group_sums sums;
    uint64_t cpu;              /* hundredths of a percent, times virtual processors ... */
    uint64_t cpu_of;           /* ... of so many */
    uint64_t parts;            /* hash over what has a part in the counters */
    gint64 discontinuity_mono; /* the latest of these */
    unsigned wanted_running;   /* members that were asked to run themselves */
};

#define SHOWS(ref, member) xc_ref_shows((ref), &xc_domain_type.fields[XC_DOMAIN_##member])

static void add_part(struct adding *adding, const struct xc_domain_ref *ref, unsigned which)
{
    /* FNV-1a, a number at a time. */
    adding->parts = (adding->parts ^ (((uint64_t)ref->index << 1) | which)) * 0x100000001b3u;
    adding->discontinuity_mono = MAX(adding->discontinuity_mono, ref->track->discontinuity_mono);
}

static void add_counters(struct adding *adding, const struct xc_domain_ref *ref)
{
    const struct xc_domain *domain = xc_ref_domain(ref);
    struct xc_group_sums *sums = &adding->sums;

    if (SHOWS(ref, net_rx_bytes) && SHOWS(ref, net_tx_bytes)) {
        sums->net_octets += domain->net_rx_bytes + domain->net_tx_bytes;
        sums->has_net = true;
        add_part(adding, ref, 0);
    }
    if (SHOWS(ref, disk_rd_bytes) && SHOWS(ref, disk_wr_bytes)) {
        sums->disk_octets += domain->disk_rd_bytes + domain->disk_wr_bytes;
        sums->has_disk = true;
        add_part(adding, ref, 1);
    }
}

static void add_living(struct adding *adding, const struct xc_domain_ref *ref)
{
    const struct xc_domain *domain = xc_ref_domain(ref);
    struct xc_group_sums *sums = &adding->sums;

    if (SHOWS(ref, vcpus)) {
        sums->vcpus += domain->vcpus;
        sums->has_vcpus = true;
        if (SHOWS(ref, cpu_percent_x100)) {
            adding->cpu += domain->cpu_percent_x100 * domain->vcpus;
            adding->cpu_of += domain->vcpus;
        }
    }
    if (SHOWS(ref, mem_kib)) {
        sums->mem_mib += domain->mem_kib; /* as MiB when all is added */
        sums->has_mem = true;
    }
    add_counters(adding, ref);
}

static void add_member(struct adding *adding, const struct xc_engine *engine,
                       const struct xc_group *group, struct xc_member *member)
{
    const struct xc_domain_ref *ref =
        member->domain ? xc_fleet_domain(engine, member->domain) : NULL;
    struct xc_group_place *place = ref ? place_of(group, xc_fleet_host_key(ref)) : NULL;
    bool lives;

    adding->sums.members++;
    member->state = ref ? xc_ref_state(ref) : XC_STATE_UNKNOWN;
    ++*count_of(&adding->sums, member->state);
    if (!ref)
        return;
    lives = member->state != XC_STATE_UNKNOWN && xc_domain_alive(xc_ref_domain(ref));
    adding->wanted_running += ref->track->wanted == XC_WANTED_RUNNING;
    if (place) {
        place->members++;
        place->running += lives;
    }
    if (lives)
        add_living(adding, ref);
}

/* A counter that fell, or has other parts than before, began anew. */
static void join_counters(struct xc_group *group, struct adding *adding)
{
    const struct xc_group_sums *before = &group->sums;
    struct xc_group_sums *sums = &adding->sums;

    sums->discontinuity_mono = before->discontinuity_mono;
    if (adding->parts != group->parts || sums->net_octets < before->net_octets ||
        sums->disk_octets < before->disk_octets ||
        adding->discontinuity_mono > before->discontinuity_mono)
        sums->discontinuity_mono = xc_clock_mono();
    group->parts = adding->parts;
}

static void measure_spread(struct xc_group *group, struct xc_group_sums *sums)
{
    g_autoptr(GString) text = g_string_new(NULL);
    uint32_t least = G_MAXUINT32, most = 0;

    for (guint i = 0; i < group->places->len; i++) {
        const struct xc_group_place *place =
            &g_array_index(group->places, struct xc_group_place, i);

        if (place->running)
            g_string_append_printf(text, "%s%s=%u", text->len ? " " : "", place->host,
                                   place->running);
        if (!place->usable)
            continue;
        least = MIN(least, place->running);
        most = MAX(most, place->running);
        sums->has_imbalance = true;
    }
    if (sums->has_imbalance)
        sums->imbalance = most - least;
    g_free(group->spread_text);
    group->spread_text = g_strdup(text->str);
}

/* --- the verdict */

/* So many are as they were asked to be: enough, too few, or none. */
static enum xc_group_status by_number(const struct xc_group *group, uint32_t good)
{
    const struct xc_group_sums *sums = &group->sums;
    uint32_t need =
        group->spec->min_running ? MIN(group->spec->min_running, sums->members) : sums->members;

    if (good >= need)
        return XC_GROUP_OK;
    if (good > 0)
        return XC_GROUP_DEGRADED;
    return sums->unknown ? XC_GROUP_UNKNOWN : XC_GROUP_DOWN;
}

/* None is wanted running. */
static enum xc_group_status by_rest(const struct xc_group *group)
{
    const struct xc_group_sums *sums = &group->sums;

    if (sums->running || sums->paused || sums->crashed)
        return XC_GROUP_DEGRADED;
    return sums->unknown ? XC_GROUP_UNKNOWN : XC_GROUP_STOPPED;
}

static enum xc_group_status status_of(const struct xc_group *group, unsigned wanted_running)
{
    const struct xc_group_sums *sums = &group->sums;

    if (sums->members == 0)
        return XC_GROUP_EMPTY;
    if (sums->unknown == sums->members)
        return XC_GROUP_UNKNOWN;
    if (group->active_op || sums->transient)
        return XC_GROUP_TRANSITION;
    switch (group->wanted) {
    case XC_WANTED_SHUTDOWN:
    case XC_WANTED_SUSPENDED:
        return by_rest(group);
    case XC_WANTED_PAUSED:
        return by_number(group, sums->paused);
    case XC_WANTED_NONE:
        /* Nobody asked the group: what its members were asked for tells. */
        if (!sums->running && !wanted_running && !sums->crashed && !sums->paused)
            return by_rest(group);
        return by_number(group, sums->running);
    default:
        return by_number(group, sums->running);
    }
}

static void add_up(struct xc_engine *engine, struct xc_group *group)
{
    struct adding adding = {.parts = 0xcbf29ce484222325u};
    struct xc_group_sums *sums = &adding.sums;

    judge_places(engine, group);
    for (guint i = 0; i < group->members->len; i++)
        add_member(&adding, engine, group, &g_array_index(group->members, struct xc_member, i));
    sums->mem_mib /= 1024;
    sums->has_cpu = adding.cpu_of > 0;
    if (sums->has_cpu)
        sums->cpu_permyriad = (uint32_t)MIN(adding.cpu / adding.cpu_of, 10000);
    join_counters(group, &adding);
    measure_spread(group, sums);
    group->sums = *sums;
    group->status = status_of(group, adding.wanted_running);
}

static void list_members(struct xc_group *group)
{
    for (guint i = group->members->len; i < group->spec->members->len; i++) {
        const struct xc_member_spec *spec = group->spec->members->pdata[i];
        const struct xc_member member = {.name = spec->member, .spec = spec};

        g_array_append_val(group->members, member);
    }
}

void xc_group_refresh(struct xc_engine *engine, struct xc_group *group)
{
    if (group->facts == engine->facts)
        return;
    if (group->generation != engine->generation || group->definitions != engine->definitions) {
        list_members(group);
        resolve_members(engine, group);
        make_places(engine, group);
        group->generation = engine->generation;
        group->definitions = engine->definitions;
    }
    add_up(engine, group);
    group->facts = engine->facts;
}
