/* Groups that a hypervisor keeps: vApps of XAPI. They are made of what the VMs in them tell, anew when that has changed;
 * nothing of them is stored, for the next answer of their pool brings them back under the same name. */
#include "xenclient/engine/private.h"

#include <string.h>

/* Where XAPI tells no turn: among the others as a member of other groups is that has no priority of its own. */
#define ORDER_USUAL 49

/* --- has anything changed? */

static const struct xc_detail *part_of(const struct xc_snapshot *snapshot, uint32_t row)
{
    const struct xc_domain *domain = &snapshot->domains[row];
    const struct xc_detail *detail = xc_snapshot_detail(snapshot, domain);

    return detail && XC_HAS(DETAIL, detail, appliance_uuid) && XC_HAS(DOMAIN, domain, uuid) &&
                   !xc_uuid_is_nil(&detail->appliance_uuid) && !xc_uuid_is_nil(&domain->uuid)
               ? detail
               : NULL;
}

static const char *name_of(const struct xc_domain *domain)
{
    return XC_HAS(DOMAIN, domain, name) ? domain->name : "";
}

static const char *label_of(const struct xc_detail *detail)
{
    return XC_HAS(DETAIL, detail, appliance_name) ? detail->appliance_name : "";
}

static int64_t order_of(const struct xc_detail *detail)
{
    return XC_HAS(DETAIL, detail, start_order) ? MAX(detail->start_order, 0) : ORDER_USUAL;
}

static unsigned delay_of(const struct xc_detail *detail)
{
    return XC_HAS(DETAIL, detail, start_delay_sec)
               ? (unsigned)MIN(detail->start_delay_sec, XC_MEMBER_DELAY_MAX)
               : 0;
}

/* FNV-1a */
static uint64_t mix(uint64_t digest, const void *bytes, size_t length)
{
    const uint8_t *at = bytes;

    for (size_t i = 0; i < length; i++)
        digest = (digest ^ at[i]) * 0x100000001b3u;
    return digest;
}

static uint64_t mix_text(uint64_t digest, const char *text)
{
    return mix(digest, text, strlen(text) + 1);
}

/* Of all that groups are made of; 0: the source tells of no vApp. */
static uint64_t digest_of(const struct xc_slot *slot)
{
    const struct xc_snapshot *snapshot = slot->snapshot;
    uint64_t digest = 0;

    for (uint32_t i = 0; snapshot && snapshot->details && i < snapshot->n_domains; i++) {
        const struct xc_detail *detail = part_of(snapshot, i);
        const struct xc_domain *domain = &snapshot->domains[i];
        struct {
            struct xc_uuid vapp, domain;
            int64_t order, delay;
        } fixed;

        if (!detail)
            continue;
        fixed.vapp = detail->appliance_uuid;
        fixed.domain = domain->uuid;
        fixed.order = order_of(detail);
        fixed.delay = delay_of(detail);
        digest = mix(digest ? digest : 0xcbf29ce484222325u, &fixed, sizeof(fixed));
        digest = mix_text(mix_text(digest, label_of(detail)), name_of(domain));
    }
    for (uint32_t i = 0; digest && i < snapshot->n_hosts; i++)
        digest = mix_text(digest, slot->host_keys[i]);
    return digest;
}

/* --- what there is now */

/* When a member is to start, by XAPI's reckoning. */
struct turn {
    struct xc_member_spec *member;
    int64_t order;
};

struct vapp {
    struct xc_group_spec *spec;
    char *label;
    GArray *turns;              /* struct turn */
    const struct xc_slot *slot; /* whose hosts were added last */
    bool cut;                   /* it has more VMs or hosts than a group may have */
};

static void vapp_free(void *data)
{
    struct vapp *vapp = data;

    xc_group_spec_free(vapp->spec);
    g_free(vapp->label);
    g_array_unref(vapp->turns);
    g_free(vapp);
}

static struct vapp *vapp_new(const char *name, const char *label)
{
    struct vapp *vapp = g_new0(struct vapp, 1);

    vapp->spec = xc_group_spec_new(name);
    vapp->spec->all_hosts = false;
    vapp->spec->spread =
        XC_SPREAD_BY_MEMORY; /* about what XAPI does with a VM that may go anywhere */
    vapp->label = g_strdup(*label ? label : name);
    vapp->turns = g_array_new(FALSE, FALSE, sizeof(struct turn));
    return vapp;
}

static void add_hosts(struct vapp *vapp, const struct xc_slot *slot)
{
    if (vapp->slot == slot)
        return;
    vapp->slot = slot;
    for (uint32_t i = 0; i < slot->snapshot->n_hosts; i++) {
        if (vapp->spec->hosts->len == XC_GROUP_HOSTS_MAX) {
            vapp->cut = true;
            return;
        }
        xc_group_host_get(vapp->spec, slot->host_keys[i]);
    }
}

/* A pool may be registered twice: what was told of a VM first counts. */
static void add_member(struct vapp *vapp, const struct xc_domain *domain,
                       const struct xc_detail *detail)
{
    struct turn turn = {.order = order_of(detail)};
    char uuid[XC_UUID_TEXT];

    xc_uuid_format(&domain->uuid, uuid);
    if (xc_group_member(vapp->spec, uuid))
        return;
    if (vapp->spec->members->len == XC_GROUP_MEMBERS_MAX) {
        vapp->cut = true;
        return;
    }
    turn.member = xc_group_member_get(vapp->spec, uuid);
    turn.member->delay_sec = delay_of(detail);
    g_free(turn.member->descr);
    turn.member->descr = g_strdup(name_of(domain));
    g_array_append_val(vapp->turns, turn);
}

static void add_source(GHashTable *vapps, const struct xc_slot *slot)
{
    const struct xc_snapshot *snapshot = slot->snapshot;

    for (uint32_t i = 0; i < snapshot->n_domains; i++) {
        const struct xc_detail *detail = part_of(snapshot, i);
        char name[XC_UUID_TEXT];
        struct vapp *vapp;

        if (!detail)
            continue;
        xc_vapp_name(&detail->appliance_uuid, name);
        vapp = g_hash_table_lookup(vapps, name);
        if (!vapp) {
            vapp = vapp_new(name, label_of(detail));
            g_hash_table_insert(vapps, vapp->spec->name, vapp);
        }
        add_hosts(vapp, slot);
        add_member(vapp, &snapshot->domains[i], detail);
    }
}

static int by_order(const void *a, const void *b)
{
    int64_t x = ((const struct turn *)a)->order;
    int64_t y = ((const struct turn *)b)->order;

    return (x > y) - (x < y);
}

/* XAPI's turns begin with 0 and have no end. Where one is too high for a priority, only which comes before which is
 * kept. */
static void set_priorities(struct vapp *vapp)
{
    struct turn *turns = (struct turn *)(void *)vapp->turns->data;
    guint n = vapp->turns->len;
    unsigned rank = 1;

    if (n > 1)
        qsort(turns, n, sizeof(*turns), by_order);
    for (guint i = 0; i < n; i++) {
        if (i > 0 && turns[i].order > turns[i - 1].order)
            rank = MIN(rank + 1, XC_PRIORITY_MAX);
        turns[i].member->priority =
            turns[n - 1].order < XC_PRIORITY_MAX ? (unsigned)turns[i].order + 1 : rank;
    }
}

static GHashTable *collect(const struct xc_engine *engine)
{
    GHashTable *vapps = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, vapp_free);
    GHashTableIter iter;
    gpointer vapp;

    for (guint i = 0; i < engine->slots->len; i++) {
        const struct xc_slot *slot = engine->slots->pdata[i];

        if (((const struct xc_poller *)slot->poller)->vapps)
            add_source(vapps, slot);
    }
    g_hash_table_iter_init(&iter, vapps);
    while (g_hash_table_iter_next(&iter, NULL, &vapp))
        set_priorities(vapp);
    return vapps;
}

/* --- showing them */

static int by_name(const void *a, const void *b)
{
    const struct vapp *const *x = a;
    const struct vapp *const *y = b;

    return strcmp((*x)->spec->name, (*y)->spec->name);
}

/* Those that are shown, by name. */
static GPtrArray *choose(GHashTable *vapps)
{
    GPtrArray *chosen = g_ptr_array_new();
    GHashTableIter iter;
    gpointer vapp;

    g_hash_table_iter_init(&iter, vapps);
    while (g_hash_table_iter_next(&iter, NULL, &vapp))
        g_ptr_array_add(chosen, vapp);
    g_ptr_array_sort(chosen, by_name);
    if (chosen->len > XC_GROUPS_MAX) {
        xc_log(XC_LOG_WARNING, "there are %u vApps: %d of them are shown as groups", chosen->len,
               XC_GROUPS_MAX);
        g_ptr_array_set_size(chosen, XC_GROUPS_MAX);
    }
    return chosen;
}

static void drop_others(struct xc_engine *engine, const GPtrArray *chosen)
{
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < chosen->len; i++)
        g_hash_table_add(names, ((const struct vapp *)chosen->pdata[i])->spec->name);
    for (guint i = engine->groups->len; i-- > 0;) {
        const struct xc_group *group = engine->groups->pdata[i];

        if (group->origin != XC_FROM_HYPERVISOR || g_hash_table_contains(names, group->name))
            continue;
        xc_log(XC_LOG_INFO, "group %s: the vApp %s is gone", group->name, group->label);
        xc_engine_group_remove(engine, group->name);
    }
}

/* True: it is new. */
static bool show(struct xc_engine *engine, const struct vapp *vapp)
{
    struct xc_group *group = xc_group_known(engine, vapp->spec->name);
    bool is_new = !group;

    if (is_new || !xc_group_spec_equal(group->spec, vapp->spec)) {
        group = xc_engine_group_put(engine, vapp->spec, XC_FROM_HYPERVISOR);
        if (vapp->cut)
            xc_log(XC_LOG_WARNING,
                   "group %s: the vApp %s has more than %d VMs or %d hosts: the others are left "
                   "out",
                   group->name, vapp->label, XC_GROUP_MEMBERS_MAX, XC_GROUP_HOSTS_MAX);
    }
    xc_set_text(&group->label, vapp->label);
    return is_new;
}

static void show_all(struct xc_engine *engine)
{
    g_autoptr(GHashTable) vapps = collect(engine);
    g_autoptr(GPtrArray) chosen = choose(vapps);
    g_autoptr(GHashTable) fresh = g_hash_table_new(g_str_hash, g_str_equal);

    drop_others(engine, chosen);
    for (guint i = 0; i < chosen->len; i++)
        if (show(engine, chosen->pdata[i]))
            g_hash_table_add(fresh, ((const struct vapp *)chosen->pdata[i])->spec->name);
    xc_group_ops_recall(engine, fresh);
}

void xc_vapps_look(struct xc_engine *engine)
{
    uint64_t all = 0;

    for (guint i = 0; i < engine->slots->len; i++) {
        const struct xc_slot *slot = engine->slots->pdata[i];
        struct xc_poller *poller = slot->poller;

        poller->vapps = digest_of(slot);
        if (poller->vapps)
            all = mix(all, &poller->vapps, sizeof(poller->vapps));
    }
    if (all == engine->vapps)
        return;
    engine->vapps = all;
    show_all(engine);
}

void xc_vapps_look_at(struct xc_engine *engine, const struct xc_slot *slot)
{
    if (digest_of(slot) != ((const struct xc_poller *)slot->poller)->vapps)
        xc_vapps_look(engine);
}
