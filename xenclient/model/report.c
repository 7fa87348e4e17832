/* Reports: filling them, adding up, and their wire form. */
#include "xenclient/model/snapshot.h"

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
    report->points = g_array_new(FALSE, TRUE, sizeof(struct xc_point));
    report->details = g_array_new(FALSE, TRUE, sizeof(struct xc_detail));
    report->srs = g_array_new(FALSE, TRUE, sizeof(struct xc_sr));
    report->pifs = g_array_new(FALSE, TRUE, sizeof(struct xc_pif));
    report->notices = g_array_new(FALSE, TRUE, sizeof(struct xc_notice));
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
    g_array_unref(report->points);
    g_array_unref(report->details);
    g_array_unref(report->srs);
    g_array_unref(report->pifs);
    g_array_unref(report->notices);
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

struct xc_point *xc_report_point(struct xc_report *report, uint32_t domain)
{
    struct xc_point *point = append(report->points, XC_MAX_DEVICES, sizeof(*point));

    if (point)
        point->domain = domain;
    return point;
}

struct xc_detail *xc_report_detail(struct xc_report *report, uint32_t domain)
{
    struct xc_detail *detail = append(report->details, XC_MAX_DOMAINS, sizeof(*detail));

    if (detail)
        detail->domain = domain;
    return detail;
}

struct xc_sr *xc_report_sr(struct xc_report *report)
{
    return append(report->srs, XC_MAX_SRS, sizeof(struct xc_sr));
}

struct xc_pif *xc_report_pif(struct xc_report *report, uint32_t host)
{
    struct xc_pif *pif = append(report->pifs, XC_MAX_PIFS, sizeof(*pif));

    if (pif)
        pif->host = host;
    return pif;
}

struct xc_notice *xc_report_notice(struct xc_report *report)
{
    return append(report->notices, XC_MAX_NOTICES, sizeof(struct xc_notice));
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
    {&xc_point_type, offsetof(struct xc_report, points), offsetof(struct xc_point, domain),
     XC_MAX_DEVICES},
    {&xc_detail_type, offsetof(struct xc_report, details), offsetof(struct xc_detail, domain),
     XC_MAX_DOMAINS},
    {&xc_sr_type, offsetof(struct xc_report, srs), 0, XC_MAX_SRS},
    {&xc_pif_type, offsetof(struct xc_report, pifs), offsetof(struct xc_pif, host), XC_MAX_PIFS},
    {&xc_notice_type, offsetof(struct xc_report, notices), 0, XC_MAX_NOTICES},
};

static GArray *array_of(const struct xc_report *report, const struct kind *kind)
{
    return *(GArray *const *)(const void *)((const char *)report + kind->array);
}

size_t xc_report_octets(const struct xc_report *report)
{
    size_t sum = 0;

    for (unsigned k = 0; k < G_N_ELEMENTS(kinds); k++)
        sum += array_of(report, &kinds[k])->len * kinds[k].type->size;
    return sum;
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
    for (unsigned k = 0; k < G_N_ELEMENTS(kinds); k++) {
        const GArray *array = array_of(report, &kinds[k]);
        bool of_host = kinds[k].type == &xc_domain_type || kinds[k].type == &xc_pif_type;
        guint n = of_host ? report->hosts->len : report->domains->len;

        for (guint i = 0; kinds[k].ordinal && i < array->len; i++) {
            const char *object = array->data + (gsize)i * kinds[k].type->size;

            if (*(const uint32_t *)(const void *)(object + kinds[k].ordinal) >= n)
                return false;
        }
    }
    return true;
}
