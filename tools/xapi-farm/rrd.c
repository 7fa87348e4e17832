/* Archives: every step, what counters grew by, and what levels are. */
#include "tools/xapi-farm/rrd_rows.h"

#include "tools/xapi-farm/estate.h"
#include "xenclient/util/clock.h"
#include "xenclient/util/text.h"

#include <math.h>
#include <string.h>

static void clear_sample(gpointer data)
{
    g_ref_string_release(((struct sample *)data)->legend);
}

static void free_row(gpointer data)
{
    struct row *row = data;

    g_array_unref(row->samples);
    g_free(row);
}

struct xf_rrd *xf_rrd_new(void)
{
    struct xf_rrd *rrd = g_new0(struct xf_rrd, 1);

    rrd->counters = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return rrd;
}

void xf_rrd_free(struct xf_rrd *rrd)
{
    if (!rrd)
        return;
    g_queue_clear_full(&rrd->rows, free_row);
    g_hash_table_unref(rrd->counters);
    g_free(rrd);
}

/* --- taking */

/* A step's rows in the making. Devices come in the order of their domains. */
struct taking {
    struct xf_rrd *rrd;
    const struct xc_report *report;
    GPtrArray *
        rows; /* struct row *, by host; NULL: only the counters are looked at, for the first time */
    struct row *row;
    GHashTable *counters; /* of this report */
    gint64 now;
    const char *kind;
    char uuid[XF_UUID_SIZE];
    GArray *busy; /* double: processors that each host's domains kept busy */
    guint vcpu;   /* the next of each kind */
    guint vif;
    guint vbd;
};

static void put_level(struct taking *t, const char *name, double value)
{
    g_autofree char *legend = NULL;
    struct sample sample;

    if (!t->row)
        return;
    legend = g_strdup_printf("%s:%s:%s", t->kind, t->uuid, name);
    /* XAPI keeps 32 bits. */
    sample = (struct sample){g_ref_string_new_intern(legend), (double)(float)value};
    g_array_append_val(t->row->samples, sample);
}

/* What the counter grew by in a second, times scale; not a number at first, and when it fell. */
static double put_rate(struct taking *t, const char *name, uint64_t value, double scale)
{
    g_autofree char *legend = g_strdup_printf("%s:%s:%s", t->kind, t->uuid, name);
    const struct counter *before = g_hash_table_lookup(t->rrd->counters, legend);
    struct counter *now = g_new0(struct counter, 1);
    double rate = NAN;

    *now = (struct counter){value, t->now};
    if (before && before->value <= value && before->at < t->now)
        rate = (double)(value - before->value) * scale * XC_USEC_PER_SEC /
               (double)(t->now - before->at);
    g_hash_table_replace(t->counters, g_steal_pointer(&legend), now);
    put_level(t, name, rate);
    return rate;
}

static void add_busy(struct taking *t, const struct xc_domain *d, double rate)
{
    if (!isnan(rate))
        g_array_index(t->busy, double, d->host) += rate;
}

static void take_vcpus(struct taking *t, uint32_t ordinal, const struct xc_domain *d)
{
    guint first = t->vcpu;
    char name[32];

    for (; t->vcpu < t->report->vcpus->len; t->vcpu++) {
        const struct xc_vcpu *vcpu = &g_array_index(t->report->vcpus, struct xc_vcpu, t->vcpu);

        if (vcpu->domain != ordinal)
            break;
        g_snprintf(name, sizeof(name), "cpu%" G_GINT64_FORMAT, vcpu->number);
        add_busy(t, d, put_rate(t, name, vcpu->cpu_usec, 1e-6));
    }
    /* A control domain is told of as a whole. */
    for (unsigned i = 0; t->vcpu == first && i < d->vcpus && XC_HAS(DOMAIN, d, cpu_usec); i++) {
        g_snprintf(name, sizeof(name), "cpu%u", i);
        add_busy(t, d, put_rate(t, name, d->cpu_usec / d->vcpus, 1e-6));
    }
}

static void take_vifs(struct taking *t, uint32_t ordinal)
{
    char name[48];

    for (; t->vif < t->report->vifs->len; t->vif++) {
        const struct xc_vif *vif = &g_array_index(t->report->vifs, struct xc_vif, t->vif);

        if (vif->domain != ordinal)
            return;
        if (!XC_HAS(VIF, vif, rx_bytes))
            continue;
        g_snprintf(name, sizeof(name), "vif_%" G_GINT64_FORMAT "_rx", vif->device);
        put_rate(t, name, vif->rx_bytes, 1);
        g_snprintf(name, sizeof(name), "vif_%" G_GINT64_FORMAT "_tx", vif->device);
        put_rate(t, name, vif->tx_bytes, 1);
    }
}

static void take_vbds(struct taking *t, uint32_t ordinal)
{
    char name[XC_TEXT_MAX + 16];

    for (; t->vbd < t->report->vbds->len; t->vbd++) {
        const struct xc_vbd *vbd = &g_array_index(t->report->vbds, struct xc_vbd, t->vbd);

        if (vbd->domain != ordinal)
            return;
        if (!XC_HAS(VBD, vbd, rd_bytes))
            continue;
        g_snprintf(name, sizeof(name), "vbd_%s_read", vbd->device);
        put_rate(t, name, vbd->rd_bytes, 1);
        g_snprintf(name, sizeof(name), "vbd_%s_write", vbd->device);
        put_rate(t, name, vbd->wr_bytes, 1);
    }
}

static void take_domain(struct taking *t, uint32_t ordinal)
{
    const struct xc_domain *d = &g_array_index(t->report->domains, struct xc_domain, ordinal);
    const struct xc_host *h = &g_array_index(t->report->hosts, struct xc_host, d->host);
    char host_uuid[XC_UUID_TEXT];
    const struct xf_report_guest guest = {.domain = d, .host_uuid = host_uuid};

    xc_uuid_format(&h->uuid, host_uuid);
    xf_guest_uuid(&guest, t->uuid);
    t->kind = "vm";
    t->row = t->rows ? g_ptr_array_index(t->rows, d->host) : NULL;
    take_vcpus(t, ordinal, d);
    take_vifs(t, ordinal);
    take_vbds(t, ordinal);
    if (XC_HAS(DOMAIN, d, cpu_usec))
        put_level(t, "memory", (double)(d->mem_kib * 1024));
}

static void take_host(struct taking *t, uint32_t ordinal)
{
    const struct xc_host *h = &g_array_index(t->report->hosts, struct xc_host, ordinal);

    xc_uuid_format(&h->uuid, t->uuid);
    t->kind = "host";
    t->row = t->rows ? g_ptr_array_index(t->rows, ordinal) : NULL;
    if (!XC_HAS(HOST, h, mem_free_kib))
        return;
    put_level(t, "cpu_avg", g_array_index(t->busy, double, ordinal) / (double)MAX(h->cpus, 1));
    put_level(t, "memory_total_kib", (double)h->mem_total_kib);
    put_level(t, "memory_free_kib", (double)h->mem_free_kib);
    put_level(t, "loadavg", (double)h->load1_x100 / 100);
    put_rate(t, "pif_eth0_rx", h->net_rx_bytes, 1);
    put_rate(t, "pif_eth0_tx", h->net_tx_bytes, 1);
}

static void add_rows(struct taking *t, gint64 end)
{
    t->rows = g_ptr_array_new();
    for (guint i = 0; i < t->report->hosts->len; i++) {
        struct row *row = g_new0(struct row, 1);

        row->end = end;
        xc_uuid_format(&g_array_index(t->report->hosts, struct xc_host, i).uuid, row->host);
        row->samples = g_array_new(FALSE, FALSE, sizeof(struct sample));
        g_array_set_clear_func(row->samples, clear_sample);
        g_ptr_array_add(t->rows, row);
        g_queue_push_head(&t->rrd->rows, row);
    }
    while (t->rrd->rows.length > XF_RRD_ROWS * t->report->hosts->len)
        free_row(g_queue_pop_tail(&t->rrd->rows));
}

void xf_rrd_take(struct xf_rrd *rrd, const struct xc_report *report)
{
    struct taking t = {.rrd = rrd, .report = report, .now = xc_clock_real()};
    gint64 step = t.now / XC_USEC_PER_SEC / XF_RRD_STEP;

    if (rrd->step == step)
        return;
    t.counters = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (rrd->step)
        add_rows(&t, step * XF_RRD_STEP);
    rrd->step = step;
    t.busy = g_array_new(FALSE, TRUE, sizeof(double));
    g_array_set_size(t.busy, report->hosts->len);
    for (guint i = 0; i < report->domains->len; i++)
        take_domain(&t, i);
    for (guint i = 0; i < report->hosts->len; i++)
        take_host(&t, i);
    g_array_unref(t.busy);
    g_hash_table_unref(rrd->counters);
    rrd->counters = t.counters;
    if (t.rows)
        g_ptr_array_unref(t.rows);
}
