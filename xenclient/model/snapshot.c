/* Reports and snapshots. */
#include "xenclient/model/snapshot_private.h"

#include "xenclient/util/clock.h"
#include "xenclient/util/text.h"

#include <string.h>

#define TEXT_BLOCK 4096

struct xc_report *xc_report_new(void)
{
    struct xc_report *report = g_new0(struct xc_report, 1);

    report->hosts = g_array_new(FALSE, TRUE, sizeof(struct xc_host));
    report->domains = g_array_new(FALSE, TRUE, sizeof(struct xc_domain));
    report->vifs = g_array_new(FALSE, TRUE, sizeof(struct xc_vif));
    report->vbds = g_array_new(FALSE, TRUE, sizeof(struct xc_vbd));
    report->vcpus = g_array_new(FALSE, TRUE, sizeof(struct xc_vcpu));
    report->details = g_array_new(FALSE, TRUE, sizeof(struct xc_detail));
    report->text = g_string_chunk_new(TEXT_BLOCK);
    return report;
}

void *xc_report_free(struct xc_report *report)
{
    if (!report)
        return NULL;
    g_array_unref(report->hosts);
    g_array_unref(report->domains);
    g_array_unref(report->vifs);
    g_array_unref(report->vbds);
    g_array_unref(report->vcpus);
    g_array_unref(report->details);
    g_string_chunk_free(report->text);
    g_free(report);
    return NULL;
}

/* Appends a zeroed element, NULL at the limit. */
static void *append(GArray *array, guint limit, gsize size)
{
    if (array->len >= limit)
        return NULL;
    g_array_set_size(array, array->len + 1);
    return array->data + (gsize)(array->len - 1) * size;
}

struct xc_host *xc_report_host(struct xc_report *report)
{
    return append(report->hosts, XC_MAX_HOSTS, sizeof(struct xc_host));
}

struct xc_domain *xc_report_domain(struct xc_report *report, uint32_t host)
{
    struct xc_domain *domain = append(report->domains, XC_MAX_DOMAINS, sizeof(*domain));

    if (domain)
        domain->host = host;
    return domain;
}

struct xc_vif *xc_report_vif(struct xc_report *report, uint32_t domain)
{
    struct xc_vif *vif = append(report->vifs, XC_MAX_DEVICES, sizeof(*vif));

    if (vif)
        vif->domain = domain;
    return vif;
}

struct xc_vbd *xc_report_vbd(struct xc_report *report, uint32_t domain)
{
    struct xc_vbd *vbd = append(report->vbds, XC_MAX_DEVICES, sizeof(*vbd));

    if (vbd)
        vbd->domain = domain;
    return vbd;
}

struct xc_vcpu *xc_report_vcpu(struct xc_report *report, uint32_t domain)
{
    struct xc_vcpu *vcpu = append(report->vcpus, XC_MAX_DEVICES, sizeof(*vcpu));

    if (vcpu)
        vcpu->domain = domain;
    return vcpu;
}

struct xc_detail *xc_report_detail(struct xc_report *report, uint32_t domain)
{
    struct xc_detail *detail = append(report->details, XC_MAX_DOMAINS, sizeof(*detail));

    if (detail)
        detail->domain = domain;
    return detail;
}

const char *xc_report_text(struct xc_report *report, const char *bytes, gssize length)
{
    g_autofree char *clean =
        xc_text_clean(bytes, length < 0 ? strlen(bytes) : (size_t)length, XC_TEXT_MAX);

    return g_string_chunk_insert(report->text, clean);
}

/* Which counter of a device adds to which counter of its domain. */
struct sum {
    unsigned from;
    unsigned to;
};
static const struct sum vif_sums[] = {
    {XC_VIF_rx_bytes, XC_DOMAIN_net_rx_bytes},
    {XC_VIF_tx_bytes, XC_DOMAIN_net_tx_bytes},
    {XC_VIF_rx_packets, XC_DOMAIN_net_rx_packets},
    {XC_VIF_tx_packets, XC_DOMAIN_net_tx_packets},
};
static const struct sum vbd_sums[] = {
    {XC_VBD_rd_bytes, XC_DOMAIN_disk_rd_bytes},
    {XC_VBD_wr_bytes, XC_DOMAIN_disk_wr_bytes},
    {XC_VBD_rd_ops, XC_DOMAIN_disk_rd_ops},
    {XC_VBD_wr_ops, XC_DOMAIN_disk_wr_ops},
};

/* Adds one device's counters to its domain; a part that is not known marks the sum unknown. */
static void add_device(const struct sum *sums, unsigned n_sums, const struct xc_object *type,
                       const void *device, struct xc_domain *domain, uint64_t set_before,
                       uint64_t *unknown)
{
    for (unsigned i = 0; i < n_sums; i++) {
        uint64_t bit = (uint64_t)1 << sums[i].to;
        uint64_t *to = (uint64_t *)((char *)domain + xc_domain_type.fields[sums[i].to].offset);

        if (set_before & bit)
            continue;
        if (!xc_has(device, sums[i].from)) {
            *unknown |= bit;
            continue;
        }
        *to += xc_field_u64(&type->fields[sums[i].from], device);
        domain->has |= bit;
    }
}

void xc_report_sum_devices(struct xc_report *report)
{
    guint n = report->domains->len;
    g_autofree uint64_t *before = g_new0(uint64_t, n + 1);
    g_autofree uint64_t *unknown = g_new0(uint64_t, n + 1);
    struct xc_domain *domains = (struct xc_domain *)(void *)report->domains->data;

    for (guint i = 0; i < n; i++)
        before[i] = domains[i].has;
    for (guint i = 0; i < report->vifs->len; i++) {
        const struct xc_vif *vif = &g_array_index(report->vifs, struct xc_vif, i);

        if (vif->domain < n)
            add_device(vif_sums, G_N_ELEMENTS(vif_sums), &xc_vif_type, vif, &domains[vif->domain],
                       before[vif->domain], &unknown[vif->domain]);
    }
    for (guint i = 0; i < report->vbds->len; i++) {
        const struct xc_vbd *vbd = &g_array_index(report->vbds, struct xc_vbd, i);

        if (vbd->domain < n)
            add_device(vbd_sums, G_N_ELEMENTS(vbd_sums), &xc_vbd_type, vbd, &domains[vbd->domain],
                       before[vbd->domain], &unknown[vbd->domain]);
    }
    for (guint i = 0; i < n; i++)
        domains[i].has &= ~unknown[i];
}

/* --- wire form */

/* One kind of object of a report, for the generic writer and reader. */
struct kind {
    const struct xc_object *type;
    size_t array;   /* offset of its GArray in struct xc_report */
    size_t ordinal; /* offset of the ordinal it belongs to; 0: none */
    guint limit;
};
static const struct kind kinds[] = {
    {&xc_host_type, offsetof(struct xc_report, hosts), 0, XC_MAX_HOSTS},
    {&xc_domain_type, offsetof(struct xc_report, domains), offsetof(struct xc_domain, host),
     XC_MAX_DOMAINS},
    {&xc_vif_type, offsetof(struct xc_report, vifs), offsetof(struct xc_vif, domain),
     XC_MAX_DEVICES},
    {&xc_vbd_type, offsetof(struct xc_report, vbds), offsetof(struct xc_vbd, domain),
     XC_MAX_DEVICES},
    {&xc_vcpu_type, offsetof(struct xc_report, vcpus), offsetof(struct xc_vcpu, domain),
     XC_MAX_DEVICES},
    {&xc_detail_type, offsetof(struct xc_report, details), offsetof(struct xc_detail, domain),
     XC_MAX_DOMAINS},
};

static GArray *array_of(const struct xc_report *report, const struct kind *kind)
{
    return *(GArray *const *)(const void *)((const char *)report + kind->array);
}

static bool flush(GByteArray *piece, bool last, xc_report_send_fn send, void *data)
{
    bool ok = send(piece, last, data);

    g_byte_array_set_size(piece, 0);
    return ok;
}

bool xc_report_write(const struct xc_report *report, size_t limit, xc_report_send_fn send,
                     void *data)
{
    g_autoptr(GByteArray) piece = g_byte_array_new();

    for (unsigned k = 0; k < G_N_ELEMENTS(kinds); k++) {
        const GArray *array = array_of(report, &kinds[k]);

        for (guint i = 0; i < array->len; i++) {
            const char *object = array->data + (gsize)i * kinds[k].type->size;

            xc_put_u8(piece, (uint8_t)(k + 1));
            if (kinds[k].ordinal)
                xc_put_u32(piece, *(const uint32_t *)(const void *)(object + kinds[k].ordinal));
            xc_object_write(kinds[k].type, object, piece);
            if (piece->len >= limit && !flush(piece, false, send, data))
                return false;
        }
    }
    return flush(piece, true, send, data);
}

bool xc_report_read(struct xc_report *report, struct xc_reader *from)
{
    while (!from->bad && from->at < from->end) {
        unsigned k = xc_get_u8(from);
        const struct kind *kind;
        char *object;

        if (k < 1 || k > G_N_ELEMENTS(kinds))
            return false;
        kind = &kinds[k - 1];
        object = append(array_of(report, kind), kind->limit, kind->type->size);
        if (!object)
            return false;
        if (kind->ordinal)
            *(uint32_t *)(void *)(object + kind->ordinal) = xc_get_u32(from);
        xc_object_read(kind->type, object, from, report->text);
    }
    return !from->bad;
}

bool xc_report_check(const struct xc_report *report)
{
    for (unsigned k = 1; k < G_N_ELEMENTS(kinds); k++) {
        const GArray *array = array_of(report, &kinds[k]);
        guint n = k == 1 ? report->hosts->len : report->domains->len;

        for (guint i = 0; i < array->len; i++) {
            const char *object = array->data + (gsize)i * kinds[k].type->size;

            if (*(const uint32_t *)(const void *)(object + kinds[k].ordinal) >= n)
                return false;
        }
    }
    return true;
}

/* --- snapshots */

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
    s->texts = texts_new(g_steal_pointer(&report->text));
    g_array_unref(report->domains);
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

static bool differs(const struct xc_domain *a, const struct xc_domain *b)
{
    const uint64_t watched = XC_BIT(DOMAIN, state) | XC_BIT(DOMAIN, reason) | XC_BIT(DOMAIN, name) |
                             XC_BIT(DOMAIN, uuid) | XC_BIT(DOMAIN, domid);

    if ((a->has & watched) != (b->has & watched) || a->host != b->host)
        return true;
    return (XC_HAS(DOMAIN, a, state) && a->state != b->state) ||
           (XC_HAS(DOMAIN, a, reason) && a->reason != b->reason) ||
           (XC_HAS(DOMAIN, a, name) && strcmp(a->name, b->name) != 0) ||
           (XC_HAS(DOMAIN, a, uuid) && memcmp(&a->uuid, &b->uuid, sizeof(a->uuid)) != 0) ||
           (XC_HAS(DOMAIN, a, domid) && a->domid != b->domid);
}

void xc_snapshot_diff(const struct xc_snapshot *before, const struct xc_snapshot *after,
                      xc_change_fn report, void *data)
{
    uint32_t i = 0;
    uint32_t j = 0;
    uint32_t n = before ? before->n_domains : 0;

    while (i < n || j < after->n_domains) {
        const struct xc_domain *a = i < n ? &before->domains[i] : NULL;
        const struct xc_domain *b = j < after->n_domains ? &after->domains[j] : NULL;
        struct xc_change change = {XC_DOMAIN_CHANGED, a, b};

        if (!b || (a && a->index < b->index)) {
            change = (struct xc_change){XC_DOMAIN_VANISHED, a, NULL};
            i++;
        } else if (!a || b->index < a->index) {
            change = (struct xc_change){XC_DOMAIN_APPEARED, NULL, b};
            j++;
        } else {
            i++;
            j++;
            if (!differs(a, b))
                continue;
        }
        report(&change, data);
    }
}
