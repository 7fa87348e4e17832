/* What becomes of a report once nobody changes it any more. */
#include "xenclient/model/snapshot_private.h"

#include "xenclient/util/clock.h"

#include <string.h>

/* Takes the chunk. */
static struct xc_texts *texts_new(GStringChunk *chunk)
{
    struct xc_texts *texts = g_new0(struct xc_texts, 1);

    g_atomic_ref_count_init(&texts->ref);
    texts->chunk = chunk;
    return texts;
}

struct xc_texts *xc_texts_ref(struct xc_texts *texts)
{
    g_atomic_ref_count_inc(&texts->ref);
    return texts;
}

static void texts_unref(struct xc_texts *texts)
{
    while (texts && g_atomic_ref_count_dec(&texts->ref)) {
        struct xc_texts *older = texts->older;

        g_string_chunk_free(texts->chunk);
        g_free(texts);
        texts = older;
    }
}

struct order {
    uint32_t index;
    uint32_t was;
};

static int by_index(const void *a, const void *b)
{
    uint32_t x = ((const struct order *)a)->index;
    uint32_t y = ((const struct order *)b)->index;

    return (x > y) - (x < y);
}

/* A kind of device. */
static const struct device {
    const struct xc_object *type;
    size_t array;   /* offset of its GArray in struct xc_report */
    unsigned field; /* what hypervisors call it ... */
    int64_t add;    /* ... and what makes an index of that: numbers begin with 1 there */
} devices[XC_N_DEVICE_KINDS] = {
    [XC_VIFS] = {&xc_vif_type, offsetof(struct xc_report, vifs), XC_VIF_device, 1},
    [XC_VBDS] = {&xc_vbd_type, offsetof(struct xc_report, vbds), XC_VBD_number, 0},
    [XC_VCPUS] = {&xc_vcpu_type, offsetof(struct xc_report, vcpus), XC_VCPU_number, 1},
    [XC_POINTS] = {&xc_point_type, offsetof(struct xc_report, points), XC_POINT_number, 0},
};

const struct xc_object *xc_device_type(enum xc_device_kind kind)
{
    return devices[kind].type;
}

static struct xc_device *device_at(const struct device *kind, void *all, size_t i)
{
    return (struct xc_device *)(void *)((char *)all + i * kind->type->size);
}

static int by_place(const void *a, const void *b)
{
    const struct xc_device *x = a;
    const struct xc_device *y = b;

    if (x->domain != y->domain)
        return x->domain > y->domain ? 1 : -1;
    return (x->index > y->index) - (x->index < y->index);
}

static int by_key(const void *a, const void *b)
{
    const struct xc_keyed *x = a;
    const struct xc_keyed *y = b;

    if (x->host != y->host)
        return x->host > y->host ? 1 : -1;
    return strcmp(x->key, y->key);
}

static uint32_t device_index(const struct device *kind, const struct xc_device *device)
{
    int64_t number;

    if (!xc_has(device, kind->field))
        return 0;
    number = xc_field_i64(&kind->type->fields[kind->field], device);
    return number >= 0 && number <= G_MAXINT32 - kind->add ? (uint32_t)(number + kind->add) : 0;
}

/* s->domains has one more than there are, for the end. */
void xc_snapshot_tell_domains(struct xc_snapshot *s, unsigned k)
{
    uint32_t at = 0;

    for (uint32_t i = 0; i <= s->n_domains; i++) {
        while (at < s->devices[k].n && device_at(&devices[k], s->devices[k].all, at)->domain < i)
            at++;
        s->domains[i].devices[k] = at;
    }
}

/* Sorts devices by their domain's new ordinal and their index, drops those that have no place, and
 * tells the domains. now_at has no entry (UINT32_MAX) for a dropped domain. */
static void seal_devices(struct xc_snapshot *s, struct xc_report *report, unsigned k,
                         const uint32_t *now_at)
{
    const struct device *kind = &devices[k];
    GArray **array = (GArray **)(void *)((char *)report + kind->array);
    guint n = (*array)->len;
    void *all = g_array_free(g_steal_pointer(array), FALSE);
    uint32_t kept = 0;

    for (guint i = 0; i < n; i++) {
        struct xc_device *device = device_at(kind, all, i);

        device->index = device_index(kind, device);
        device->domain = device->index ? now_at[device->domain] : UINT32_MAX;
    }
    if (n) /* qsort() must not be given the NULL of an empty array */
        qsort(all, n, kind->type->size, by_place);
    for (guint i = 0; i < n; i++) {
        struct xc_device *device = device_at(kind, all, i);

        if (device->domain == UINT32_MAX)
            break;
        if (kept && by_place(device_at(kind, all, kept - 1), device) == 0)
            continue;
        if (kept != i)
            memcpy(device_at(kind, all, kept), device, kind->type->size);
        kept++;
    }
    s->devices[k].all = g_realloc_n(all, kept, kind->type->size);
    s->devices[k].n = kept;
    xc_snapshot_tell_domains(s, k);
}

void *xc_snapshot_devices(const struct xc_snapshot *snapshot, const struct xc_domain *domain,
                          enum xc_device_kind kind, size_t *n)
{
    uint32_t first = domain->devices[kind];

    *n = domain[1].devices[kind] - first;
    return *n ? device_at(&devices[kind], snapshot->devices[kind].all, first) : NULL;
}

/* Drops those of dropped domains, and tells the others' domains. now_at as in seal_devices(). */
static void seal_details(struct xc_snapshot *s, struct xc_report *report, const uint32_t *now_at)
{
    guint n = report->details->len;
    struct xc_detail *details =
        (struct xc_detail *)(void *)g_array_free(g_steal_pointer(&report->details), FALSE);
    uint32_t kept = 0;

    for (guint i = 0; i < n; i++) {
        uint32_t domain = now_at[details[i].domain];

        if (domain == UINT32_MAX)
            continue;
        details[kept] = details[i];
        details[kept].domain = domain;
        s->domains[domain].detail = ++kept;
    }
    s->details = g_realloc_n(details, kept, sizeof(*details));
}

const struct xc_detail *xc_snapshot_detail(const struct xc_snapshot *snapshot,
                                           const struct xc_domain *domain)
{
    return domain->detail ? &snapshot->details[domain->detail - 1] : NULL;
}

/* Gives storage or network interfaces their keys, sorts them by host and key and drops those that have no place; where
 * they are then and, in *n, how many. */
static void *seal_keyed(struct xc_report *report, GArray **array, const struct xc_object *type,
                        unsigned uuid_field, uint32_t *n)
{
    size_t size = type->size;
    guint all = (*array)->len;
    char *rows = g_array_free(g_steal_pointer(array), FALSE);
    uint32_t kept = 0;

    for (guint i = 0; i < all; i++) {
        struct xc_keyed *row = (struct xc_keyed *)(void *)(rows + i * size);
        const struct xc_uuid *uuid = xc_field_uuid(&type->fields[uuid_field], row);
        char text[XC_UUID_TEXT];

        if (!xc_has(row, uuid_field) || xc_uuid_is_nil(uuid))
            continue;
        xc_uuid_format(uuid, text);
        row->key = g_string_chunk_insert(report->text, text);
        if (kept != i)
            memcpy(rows + kept * size, row, size);
        kept++;
    }
    if (kept)
        qsort(rows, kept, size, by_key);
    *n = 0;
    for (uint32_t i = 0; i < kept; i++) {
        if (*n && by_key(rows + (*n - 1) * size, rows + i * size) == 0)
            continue;
        if (*n != i)
            memcpy(rows + *n * size, rows + i * size, size);
        (*n)++;
    }
    return g_realloc_n(rows, *n, size);
}

static void seal_storage_and_network(struct xc_snapshot *s, struct xc_report *report)
{
    uint32_t n_pifs;
    uint32_t at = 0;

    s->srs = seal_keyed(report, &report->srs, &xc_sr_type, XC_SR_uuid, &s->n_srs);
    s->pifs = seal_keyed(report, &report->pifs, &xc_pif_type, XC_PIF_uuid, &n_pifs);
    s->pif_first = g_new(uint32_t, s->n_hosts + 1);
    for (uint32_t host = 0; host <= s->n_hosts; host++) {
        while (at < n_pifs && s->pifs[at].host < host)
            at++;
        s->pif_first[host] = at;
    }
}

const struct xc_pif *xc_snapshot_pifs(const struct xc_snapshot *snapshot, uint32_t host, size_t *n)
{
    uint32_t first = snapshot->pif_first[host];

    *n = snapshot->pif_first[host + 1] - first;
    return *n ? &snapshot->pifs[first] : NULL;
}

/* A counting sort: within a host the order by index stays. */
void xc_snapshot_group_by_host(struct xc_snapshot *s)
{
    g_autofree uint32_t *next = g_new(uint32_t, s->n_hosts + 1);

    s->host_first = g_new0(uint32_t, s->n_hosts + 1);
    for (uint32_t i = 0; i < s->n_domains; i++)
        if (s->domains[i].host < s->n_hosts)
            s->host_first[s->domains[i].host + 1]++;
    for (uint32_t h = 0; h < s->n_hosts; h++)
        s->host_first[h + 1] += s->host_first[h];
    memcpy(next, s->host_first, (s->n_hosts + 1) * sizeof(*next));
    s->by_host = g_new(const struct xc_domain *, s->host_first[s->n_hosts]);
    for (uint32_t i = 0; i < s->n_domains; i++)
        if (s->domains[i].host < s->n_hosts)
            s->by_host[next[s->domains[i].host]++] = &s->domains[i];
}

const struct xc_domain *const *xc_snapshot_on_host(const struct xc_snapshot *snapshot,
                                                   uint32_t host, size_t *n)
{
    *n = snapshot->host_first[host + 1] - snapshot->host_first[host];
    return snapshot->by_host + snapshot->host_first[host];
}

struct xc_snapshot *xc_snapshot_seal(struct xc_report *report)
{
    struct xc_snapshot *s = g_new0(struct xc_snapshot, 1);
    guint n = report->domains->len;
    const struct xc_domain *old = (const struct xc_domain *)(void *)report->domains->data;
    g_autofree struct order *order = g_new(struct order, n + 1);
    g_autofree uint32_t *now_at = g_new(uint32_t, n + 1);
    uint32_t kept = 0;

    g_atomic_ref_count_init(&s->ref);
    s->taken_mono = xc_clock_mono();
    s->taken_real = xc_clock_real();
    for (guint i = 0; i < n; i++) {
        now_at[i] = UINT32_MAX;
        if (old[i].index)
            order[kept++] = (struct order){old[i].index, i};
    }
    qsort(order, kept, sizeof(*order), by_index);
    s->domains = g_new0(struct xc_domain, kept + 1);
    for (uint32_t i = 0; i < kept; i++) {
        s->domains[i] = old[order[i].was];
        now_at[order[i].was] = i;
    }
    s->n_domains = kept;
    s->n_hosts = report->hosts->len;
    s->hosts = (struct xc_host *)(void *)g_array_free(g_steal_pointer(&report->hosts), FALSE);
    for (unsigned k = 0; k < XC_N_DEVICE_KINDS; k++)
        seal_devices(s, report, k, now_at);
    seal_details(s, report, now_at);
    xc_snapshot_group_by_host(s);
    seal_storage_and_network(s, report);
    s->texts = texts_new(g_steal_pointer(&report->text));
    g_array_unref(report->domains);
    g_array_unref(report->notices);
    g_free(report);
    return s;
}

struct xc_snapshot *xc_snapshot_ref(struct xc_snapshot *snapshot)
{
    g_atomic_ref_count_inc(&snapshot->ref);
    return snapshot;
}

void *xc_snapshot_unref(struct xc_snapshot *snapshot)
{
    if (snapshot && g_atomic_ref_count_dec(&snapshot->ref)) {
        g_free(snapshot->hosts);
        g_free(snapshot->domains);
        for (unsigned k = 0; k < XC_N_DEVICE_KINDS; k++)
            g_free(snapshot->devices[k].all);
        g_free(snapshot->details);
        g_free(snapshot->by_host);
        g_free(snapshot->host_first);
        g_free(snapshot->srs);
        g_free(snapshot->pifs);
        g_free(snapshot->pif_first);
        texts_unref(snapshot->texts);
        g_free(snapshot);
    }
    return NULL;
}

gssize xc_snapshot_find(const struct xc_snapshot *snapshot, uint32_t index)
{
    uint32_t low = 0;
    uint32_t high = snapshot->n_domains;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (snapshot->domains[middle].index < index)
            low = middle + 1;
        else
            high = middle;
    }
    return low < snapshot->n_domains && snapshot->domains[low].index == index ? (gssize)low : -1;
}

bool xc_snapshot_same_members(const struct xc_snapshot *a, const struct xc_snapshot *b)
{
    if (a->n_domains != b->n_domains || a->n_hosts != b->n_hosts)
        return false;
    for (uint32_t i = 0; i < a->n_domains; i++)
        if (a->domains[i].index != b->domains[i].index)
            return false;
    return true;
}
