/* What the farm reports, as objects: hosts in estate_host.c, guests in estate_guest.c, what no farm knows in estate_fixed.c. */
#include "tools/xapi-farm/estate.h"

#include "xenclient/util/error.h"

#include <string.h>

/* What was made for a guest, and from what: one that is as before costs nothing. */
struct guest {
    char *seen;
    unsigned round;
    GPtrArray *owned; /* references */
};

struct xf_estate {
    struct xf_server *server;
    unsigned round;
    unsigned n_hosts;
    GHashTable *guests;   /* uuid -> struct guest * */
    GPtrArray *host_refs; /* char *, by their number in the report; NULL: of no member */
};

static void free_guest(gpointer data)
{
    struct guest *guest = data;

    g_free(guest->seen);
    g_ptr_array_unref(guest->owned);
    g_free(guest);
}

struct xf_estate *xf_estate_new(struct xf_server *server)
{
    struct xf_estate *estate = g_new0(struct xf_estate, 1);

    estate->server = server;
    estate->guests = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_guest);
    estate->host_refs = g_ptr_array_new_with_free_func(g_free);
    return estate;
}

void xf_estate_free(struct xf_estate *estate)
{
    g_hash_table_unref(estate->guests);
    g_ptr_array_unref(estate->host_refs);
    g_free(estate);
}

bool xf_estate_has(const struct xf_estate *estate, const char *vm_uuid)
{
    return g_hash_table_contains(estate->guests, vm_uuid);
}

bool xf_estate_check(struct xf_estate *estate, GError **error)
{
    unsigned n = estate->server->endpoints->len;

    return estate->n_hosts == n ||
           xc_fail(error, XC_CAUSE_BAD_VALUE,
                   "the pool has %u hosts and --listen was given %u times: give it once for each",
                   estate->n_hosts, n);
}

/* --- hosts */

/* Those of the farm that are in this pool. */
static bool is_member(const struct xf_estate *estate, const struct xc_host *h)
{
    const char *list = estate->server->options->hosts;
    g_auto(GStrv) names = g_strsplit(list ? list : "", ",", -1);

    return !list || g_strv_contains((const char *const *)names, h->name);
}

static void update_hosts(struct xf_estate *estate, const struct xc_report *report)
{
    g_ptr_array_set_size(estate->host_refs, 0);
    estate->n_hosts = 0;
    for (guint i = 0; i < report->hosts->len; i++) {
        const struct xc_host *h = &g_array_index(report->hosts, struct xc_host, i);
        bool ours = is_member(estate, h);
        char ref[XF_REF_SIZE];

        if (ours)
            xf_host_update(estate->server, estate->n_hosts++, h, ref);
        g_ptr_array_add(estate->host_refs, ours ? g_strdup(ref) : NULL);
    }
}

void xf_estate_lost(struct xf_estate *estate)
{
    struct xf_db *db = estate->server->db;

    for (GList *at = xf_db_all(db, xf_class_find("host_metrics")); at; at = at->next)
        xf_set(db, at->data, "live", g_variant_new_boolean(false));
}
/* --- guests */

/* All of a report that makes a difference to a guest's objects. */
static char *fingerprint(const struct xf_report_guest *guest)
{
    const struct xc_domain *d = guest->domain;

    return g_strdup_printf("%s|%u|%u|%" G_GINT64_FORMAT "|%" G_GUINT64_FORMAT "|%" G_GUINT64_FORMAT
                           "|%" G_GUINT64_FORMAT "|%" G_GUINT64_FORMAT "|%" G_GUINT64_FORMAT
                           "|%" G_GINT64_FORMAT "|%s|%u|%u|%d",
                           XC_HAS(DOMAIN, d, name) ? d->name : "", d->state, d->virt, d->domid,
                           d->mem_kib, d->mem_target_kib, d->mem_max_kib, d->vcpus, d->vcpus_max,
                           d->started, guest->host, guest->n_vifs, guest->n_vbds, guest->blind);
}

static void delete_owned(struct xf_db *db, const GPtrArray *owned)
{
    for (guint i = 0; i < owned->len; i++) {
        struct xf_object *object = g_hash_table_lookup(db->by_ref, g_ptr_array_index(owned, i));

        if (object)
            xf_db_delete(db, object);
    }
}

/* True when its objects had to be looked at. */
static bool update_guest(struct xf_estate *estate, const struct xf_report_guest *found)
{
    char uuid[XF_UUID_SIZE];
    g_autofree char *seen = fingerprint(found);
    struct guest *guest;

    xf_guest_uuid(found, uuid);
    guest = g_hash_table_lookup(estate->guests, uuid);
    if (!guest) {
        guest = g_new0(struct guest, 1);
        guest->owned = g_ptr_array_new_with_free_func(g_free);
        g_hash_table_insert(estate->guests, g_strdup(uuid), guest);
    }
    guest->round = estate->round;
    if (g_strcmp0(guest->seen, seen) == 0)
        return false;
    g_free(guest->seen);
    guest->seen = g_steal_pointer(&seen);
    g_ptr_array_set_size(guest->owned, 0);
    xf_guest_update(estate->server, found, guest->owned);
    return true;
}

static bool drop_gone(struct xf_estate *estate)
{
    GHashTableIter iter;
    gpointer value;
    bool dropped = false;

    g_hash_table_iter_init(&iter, estate->guests);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const struct guest *guest = value;

        if (guest->round == estate->round)
            continue;
        delete_owned(estate->server->db, guest->owned);
        g_hash_table_iter_remove(&iter);
        dropped = true;
    }
    return dropped;
}

/* Where a migration takes a guest there is a second one of it, without a life yet. */
static bool is_incoming(const struct xc_domain *d)
{
    return d->state == XC_STATE_PREPARING && XC_HAS(DOMAIN, d, migrating) && d->migrating;
}

static bool update_guests(struct xf_estate *estate, const struct xc_report *report)
{
    bool changed = false;
    guint vif = 0;
    guint vbd = 0;

    for (guint i = 0; i < report->domains->len; i++) {
        const struct xc_domain *d = &g_array_index(report->domains, struct xc_domain, i);
        const struct xc_host *h = &g_array_index(report->hosts, struct xc_host, d->host);
        char host_uuid[XC_UUID_TEXT];
        struct xf_report_guest guest = {
            .domain = d,
            .host = g_ptr_array_index(estate->host_refs, d->host),
            .host_uuid = host_uuid,
            .blind = !XC_HAS(HOST, h, mem_free_kib),
            .vifs = (const struct xc_vif *)(void *)report->vifs->data + vif,
            .vbds = (const struct xc_vbd *)(void *)report->vbds->data + vbd};

        xc_uuid_format(&h->uuid, host_uuid);
        /* A report has its devices in the order of their domains. */
        for (;
             vif < report->vifs->len && g_array_index(report->vifs, struct xc_vif, vif).domain == i;
             vif++)
            guest.n_vifs++;
        for (;
             vbd < report->vbds->len && g_array_index(report->vbds, struct xc_vbd, vbd).domain == i;
             vbd++)
            guest.n_vbds++;
        if (guest.host && !is_incoming(d))
            changed = update_guest(estate, &guest) || changed;
    }
    return changed;
}

/* --- who refers to whom: lists that are the other end of a reference */

static const struct {
    const char *class;
    const char *field; /* reference to the owner */
    const char *owner;
    const char *list; /* of the owner */
} ends[] = {{"VM", "resident_on", "host", "resident_VMs"},
            {"VDI", "SR", "SR", "VDIs"},
            {"PBD", "SR", "SR", "PBDs"},
            {"VM", "appliance", "VM_appliance", "VMs"},
            {"VIF", "network", "network", "VIFs"},
            {"PIF", "network", "network", "PIFs"}};

static void collect(struct xf_db *db, unsigned end, GHashTable *lists)
{
    for (GList *at = xf_db_all(db, xf_class_find(ends[end].class)); at; at = at->next) {
        const struct xf_object *object = at->data;
        GPtrArray *list = g_hash_table_lookup(lists, xf_get_text(object, ends[end].field));

        if (list)
            g_ptr_array_add(list, object->ref);
    }
}

static void update_end(struct xf_db *db, unsigned end)
{
    g_autoptr(GHashTable) lists =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_ptr_array_unref);
    GList *owners = xf_db_all(db, xf_class_find(ends[end].owner));

    for (GList *at = owners; at; at = at->next)
        g_hash_table_insert(lists, ((struct xf_object *)at->data)->ref, g_ptr_array_new());
    collect(db, end, lists);
    for (GList *at = owners; at; at = at->next) {
        struct xf_object *owner = at->data;
        const GPtrArray *list = g_hash_table_lookup(lists, owner->ref);

        xf_set(db, owner, ends[end].list,
               g_variant_new_strv((const char *const *)list->pdata, (gssize)list->len));
    }
}

void xf_estate_list(struct xf_db *db, const char *owner)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(ends); i++)
        if (strcmp(ends[i].owner, owner) == 0)
            update_end(db, i);
}

void xf_estate_update(struct xf_estate *estate, const struct xc_report *report)
{
    bool first = estate->round++ == 0;
    bool changed;

    update_hosts(estate, report);
    changed = update_guests(estate, report);
    changed = drop_gone(estate) || changed;
    if (first)
        xf_estate_fixed(estate->server);
    for (unsigned i = 0; changed && i < G_N_ELEMENTS(ends); i++)
        update_end(estate->server->db, i);
}
