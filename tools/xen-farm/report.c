/* What a poll says of a host: the model's objects made from the world, a few hundred domains at a
 * time, so that a fleet of 100,000 never stands twice in memory. */
#include "tools/xen-farm/fleet.h"

#include <string.h>

#define BATCH    500 /* domains */
#define LIE_USEC (600 * G_USEC_PER_SEC)

/* A report on its way: ordinals count over all of it, `report` holds only the present batch. */
struct stream {
    const struct farm_fleet *fleet;
    struct xc_report *report;
    size_t limit;
    xc_report_send_fn send;
    void *data;
    uint32_t n_domains;
    uint32_t host; /* ordinal in the report */
    bool pool;     /* all hosts are asked: each domain has its one host */
    bool blind;    /* the host can't be reached, but its pool knows of it */
};

struct piece_sender {
    xc_report_send_fn send;
    void *data;
    bool end; /* this batch is the last one */
};

static bool send_piece(GByteArray *piece, bool last, void *data)
{
    const struct piece_sender *sender = data;

    /* The last piece of a batch is not the last of the report, and may be empty. */
    if (last && !sender->end && piece->len == 0)
        return true;
    return sender->send(piece, last && sender->end, sender->data);
}

static bool flush(struct stream *stream, bool end)
{
    struct piece_sender sender = {stream->send, stream->data, end};
    bool ok = xc_report_write(stream->report, stream->limit, send_piece, &sender);

    xc_report_free(stream->report);
    stream->report = xc_report_new();
    return ok;
}

static const char *text(struct stream *stream, const char *value)
{
    return xc_report_text(stream->report, value, -1);
}

static gint64 real_time(const struct farm_fleet *fleet, gint64 mono)
{
    return mono + fleet->real_offset;
}

static void report_host_live(struct stream *stream, struct xc_host *h, const struct farm_host *host)
{
    gint64 up = stream->fleet->now - host->booted;
    struct farm_load load;

    farm_load_at(farm_dice(stream->fleet->config.seed, 7, host->ordinal), 0, host->cpus, up, &load);
    XC_SET(HOST, h, mem_free_kib, farm_host_free_kib(host));
    XC_SET(HOST, h, uptime_sec, (uint64_t)(up / G_USEC_PER_SEC));
    XC_SET(HOST, h, net_rx_bytes, load.rx_bytes * 8);
    XC_SET(HOST, h, net_tx_bytes, load.tx_bytes * 8);
    XC_SET(HOST, h, load1_x100, 5 + farm_dice(host->ordinal, 8, (uint64_t)up >> 24) % 60);
    XC_SET(HOST, h, clock, real_time(stream->fleet, stream->fleet->now));
    XC_SET(HOST, h, clock_skew_msec, 0); /* it is our own */
}

static void report_pool(struct stream *stream, struct xc_host *h)
{
    XC_SET(HOST, h, enabled, 1);
    XC_SET(HOST, h, reboot_required, 0);
    XC_SET(HOST, h, updates_pending, 0);
    XC_SET(HOST, h, pool_role, XC_POOL_NONE);
    if (!stream->pool)
        return;
    XC_SET(HOST, h, pool, "farm");
    XC_SET(HOST, h, pool_role,
           stream->report->hosts->len == 1 ? XC_POOL_COORDINATOR : XC_POOL_MEMBER);
}

static void report_host(struct stream *stream, const struct farm_host *host)
{
    struct xc_host *h = xc_report_host(stream->report);
    char boot[XC_UUID_TEXT];

    if (!h)
        return;
    xc_uuid_format(&host->boot_id, boot);
    XC_SET(HOST, h, name, text(stream, host->name));
    XC_SET(HOST, h, uuid, host->uuid);
    XC_SET(HOST, h, address, text(stream, host->name));
    XC_SET(HOST, h, product, "Simulated Xen host");
    XC_SET(HOST, h, xen_version, "4.17.5");
    XC_SET(HOST, h, kernel, "6.1.0-sim-amd64");
    XC_SET(HOST, h, cpu_model, "Simulated CPU @ 2.40GHz");
    XC_SET(HOST, h, cpus, host->cpus);
    XC_SET(HOST, h, sockets, host->cpus > 32 ? 2 : 1);
    XC_SET(HOST, h, cores_per_socket, host->cpus / (host->cpus > 32 ? 4 : 2));
    XC_SET(HOST, h, threads_per_core, 2);
    XC_SET(HOST, h, cpu_mhz, 2400);
    XC_SET(HOST, h, mem_total_kib, host->mem_kib);
    XC_SET(HOST, h, boot_time, real_time(stream->fleet, host->booted));
    XC_SET(HOST, h, boot_id, text(stream, boot));
    report_pool(stream, h);
    if (!stream->blind)
        report_host_live(stream, h, host);
}

/* Each interface gets an equal part; the first one what is left. */
static uint64_t share(uint64_t total, unsigned n, unsigned i)
{
    return i ? total / n : total - total / n * (n - 1);
}

static void report_vif(struct stream *stream, uint32_t ordinal, const struct farm_domain *domain,
                       uint32_t domid, unsigned i, const struct farm_load *load)
{
    struct xc_vif *vif = xc_report_vif(stream->report, ordinal);
    uint64_t dice = farm_dice(domain->key, 20, i);
    unsigned n = domain->vifs;
    char buffer[48];

    if (!vif)
        return;
    XC_SET(VIF, vif, device, i);
    g_snprintf(buffer, sizeof(buffer), "00:16:3e:%02x:%02x:%02x", (unsigned)(dice & 0x7f),
               (unsigned)(dice >> 8 & 0xff), (unsigned)(dice >> 16 & 0xff));
    XC_SET(VIF, vif, mac, text(stream, buffer));
    g_snprintf(buffer, sizeof(buffer), "xenbr%u", i);
    XC_SET(VIF, vif, bridge, text(stream, buffer));
    if (!domid)
        return;
    g_snprintf(buffer, sizeof(buffer), "vif%u.%u", domid, i);
    XC_SET(VIF, vif, backend, text(stream, buffer));
    if (!load)
        return;
    XC_SET(VIF, vif, rx_bytes, share(load->rx_bytes, n, i));
    XC_SET(VIF, vif, tx_bytes, share(load->tx_bytes, n, i));
    XC_SET(VIF, vif, rx_packets, share(load->rx_packets, n, i));
    XC_SET(VIF, vif, tx_packets, share(load->tx_packets, n, i));
    XC_SET(VIF, vif, rx_errors, 0);
    XC_SET(VIF, vif, tx_errors, 0);
    XC_SET(VIF, vif, rx_drops, 0);
    XC_SET(VIF, vif, tx_drops, load->tx_packets / 100000);
}

static void report_vbd(struct stream *stream, uint32_t ordinal, const struct farm_domain *domain,
                       unsigned i, const struct farm_load *load)
{
    struct xc_vbd *vbd = xc_report_vbd(stream->report, ordinal);
    unsigned n = domain->vbds;
    char device[8];
    char target[64];

    if (!vbd)
        return;
    g_snprintf(device, sizeof(device), "xvd%c", (char)('a' + i));
    g_snprintf(target, sizeof(target), "/dev/vg0/%08x-disk%u", (unsigned)domain->key, i);
    XC_SET(VBD, vbd, number, 51712 + 16 * (int64_t)i);
    XC_SET(VBD, vbd, device, text(stream, device));
    XC_SET(VBD, vbd, target, text(stream, target));
    XC_SET(VBD, vbd, read_only, 0);
    if (!load)
        return;
    XC_SET(VBD, vbd, rd_bytes, share(load->rd_bytes, n, i));
    XC_SET(VBD, vbd, wr_bytes, share(load->wr_bytes, n, i));
    XC_SET(VBD, vbd, rd_ops, share(load->rd_ops, n, i));
    XC_SET(VBD, vbd, wr_ops, share(load->wr_ops, n, i));
}

static void report_vcpu(struct stream *stream, uint32_t ordinal, const struct farm_domain *domain,
                        unsigned i, const struct farm_load *load)
{
    struct xc_vcpu *vcpu = xc_report_vcpu(stream->report, ordinal);
    bool runs = domain->state == XC_STATE_RUNNING;

    if (!vcpu)
        return;
    XC_SET(VCPU, vcpu, number, i);
    XC_SET(VCPU, vcpu, state, !runs ? XC_VCPU_WAITING : i ? XC_VCPU_BLOCKED : XC_VCPU_RUNNING);
    XC_SET(VCPU, vcpu, cpu, (int64_t)((domain->key + i) % domain->host->cpus));
    XC_SET(VCPU, vcpu, cpu_usec, share(load->cpu_usec, domain->vcpus, i));
    XC_SET(VCPU, vcpu, affinity, "all");
}

static void report_devices(struct stream *stream, uint32_t ordinal,
                           const struct farm_domain *domain, uint32_t domid,
                           const struct farm_load *load)
{
    for (unsigned i = 0; i < domain->vifs; i++)
        report_vif(stream, ordinal, domain, domid, i, load);
    for (unsigned i = 0; i < domain->vbds; i++)
        report_vbd(stream, ordinal, domain, i, load);
    for (unsigned i = 0; load && i < domain->vcpus; i++)
        report_vcpu(stream, ordinal, domain, i, load);
}

/* What is the same wherever and whether it runs. */
static struct xc_domain *report_inventory(struct stream *stream, const struct farm_domain *domain)
{
    struct xc_domain *d = xc_report_domain(stream->report, stream->host);
    g_autofree char *config = NULL;

    if (!d)
        return NULL;
    config = farm_domain_config(domain);
    stream->n_domains++;
    XC_SET(DOMAIN, d, name, text(stream, domain->name));
    XC_SET(DOMAIN, d, uuid, domain->uuid);
    XC_SET(DOMAIN, d, uuid_fixed, 1);
    XC_SET(DOMAIN, d, config, text(stream, config));
    XC_SET(DOMAIN, d, kind, XC_KIND_GUEST);
    XC_SET(DOMAIN, d, virt, domain->virt);
    XC_SET(DOMAIN, d, vcpus, domain->vcpus_online);
    XC_SET(DOMAIN, d, vcpus_max, domain->vcpus);
    XC_SET(DOMAIN, d, mem_target_kib, domain->mem_kib);
    XC_SET(DOMAIN, d, mem_max_kib, domain->mem_max_kib);
    XC_SET(DOMAIN, d, counter_kind, XC_COUNTERS_EXACT);
    return d;
}

static void report_life(struct stream *stream, struct xc_domain *d,
                        const struct farm_domain *domain, struct farm_load *load)
{
    gint64 run = farm_domain_run_usec(domain, stream->fleet->now);

    /* A liar's counters jump back now and then. */
    if (domain->lies & FARM_LIE_COUNTERS && stream->fleet->now / (2 * G_USEC_PER_SEC) % 2)
        run = MAX(run - LIE_USEC, run / 2);
    farm_load_at(domain->key, domain->profile, domain->vcpus, run, load);
    XC_SET(DOMAIN, d, domid, domain->lies & FARM_LIE_DOMID ? G_MAXINT64 : domain->domid);
    XC_SET(DOMAIN, d, mem_kib, domain->mem_kib);
    XC_SET(DOMAIN, d, started, real_time(stream->fleet, domain->started));
    XC_SET(DOMAIN, d, cpu_usec, load->cpu_usec);
    XC_SET(DOMAIN, d, migrating, domain->op && domain->op->incoming_domid);
}

/* What one guest in four tells of itself: that others tell nothing is the usual case with plain Xen. */
static void report_detail(struct stream *stream, uint32_t ordinal, const struct farm_domain *domain,
                          bool living)
{
    struct xc_detail *detail;
    char address[32];

    if (domain->key % 4 != 1)
        return;
    detail = xc_report_detail(stream->report, ordinal);
    if (!detail)
        return;
    g_snprintf(address, sizeof(address), "10.%u.%u.%u", (unsigned)(domain->key >> 16 & 0xff),
               (unsigned)(domain->key >> 8 & 0xff), (unsigned)(domain->key & 0xff));
    XC_SET(DETAIL, detail, os, "Simulated OS 1");
    XC_SET(DETAIL, detail, tags, "simulated");
    XC_SET(DETAIL, detail, template, "base");
    XC_SET(DETAIL, detail, snapshots, 1);
    XC_SET(DETAIL, detail, snapshot_time, real_time(stream->fleet, domain->host->booted));
    if (!living)
        return;
    XC_SET(DETAIL, detail, tools, XC_TOOLS_OK);
    XC_SET(DETAIL, detail, addresses, text(stream, address));
}

static void report_domain(struct stream *stream, const struct farm_domain *domain)
{
    uint32_t ordinal = stream->n_domains;
    struct xc_domain *d = report_inventory(stream, domain);
    bool living = farm_domain_living(domain);
    struct farm_load load;

    if (!d)
        return;
    XC_SET(DOMAIN, d, state, stream->blind ? XC_STATE_UNKNOWN : domain->state);
    if (domain->reason != XC_REASON_NONE && !stream->blind)
        XC_SET(DOMAIN, d, reason, domain->reason);
    living = living && !stream->blind;
    if (living)
        report_life(stream, d, domain, &load);
    report_detail(stream, ordinal, domain, living);
    report_devices(stream, ordinal, domain, living ? domain->domid : 0, living ? &load : NULL);
}

/* A guest that a migration is bringing: it has memory and a number here, and no life yet. */
static void report_incoming(struct stream *stream, const struct farm_op *op)
{
    uint32_t ordinal = stream->n_domains;
    struct xc_domain *d = report_inventory(stream, op->domain);

    if (!d)
        return;
    XC_SET(DOMAIN, d, state, XC_STATE_PREPARING);
    XC_SET(DOMAIN, d, domid, op->incoming_domid);
    XC_SET(DOMAIN, d, mem_kib, op->domain->mem_kib);
    XC_SET(DOMAIN, d, migrating, 1);
    report_devices(stream, ordinal, op->domain, op->incoming_domid, NULL);
}

/* A guest that another host suspended: its save file is seen here, its configuration is not. */
static void report_saved(struct stream *stream, const struct farm_domain *domain)
{
    struct xc_domain *d = xc_report_domain(stream->report, stream->host);

    if (!d)
        return;
    stream->n_domains++;
    XC_SET(DOMAIN, d, name, text(stream, domain->name));
    XC_SET(DOMAIN, d, uuid, domain->uuid);
    XC_SET(DOMAIN, d, kind, XC_KIND_GUEST);
    XC_SET(DOMAIN, d, state, XC_STATE_SUSPENDED);
    XC_SET(DOMAIN, d, reason, XC_REASON_SUSPEND);
}

static void report_control(struct stream *stream, const struct farm_host *host)
{
    struct xc_domain *d = xc_report_domain(stream->report, stream->host);
    unsigned vcpus = MIN(host->cpus, 4);
    static const struct xc_uuid nil;
    struct farm_load load;

    if (!d)
        return;
    stream->n_domains++;
    XC_SET(DOMAIN, d, name, "Domain-0");
    XC_SET(DOMAIN, d, uuid, nil);
    XC_SET(DOMAIN, d, uuid_fixed, 1);
    XC_SET(DOMAIN, d, kind, XC_KIND_CONTROL);
    XC_SET(DOMAIN, d, virt, XC_VIRT_PV);
    XC_SET(DOMAIN, d, state, stream->blind ? XC_STATE_UNKNOWN : XC_STATE_RUNNING);
    XC_SET(DOMAIN, d, vcpus, vcpus);
    XC_SET(DOMAIN, d, vcpus_max, vcpus);
    XC_SET(DOMAIN, d, counter_kind, XC_COUNTERS_EXACT);
    if (stream->blind)
        return;
    farm_load_at(host->ordinal + 1, 2, vcpus, stream->fleet->now - host->booted, &load);
    XC_SET(DOMAIN, d, domid, 0);
    XC_SET(DOMAIN, d, mem_kib, host->control_kib);
    XC_SET(DOMAIN, d, mem_target_kib, host->control_kib);
    XC_SET(DOMAIN, d, started, real_time(stream->fleet, host->booted));
    XC_SET(DOMAIN, d, cpu_usec, load.cpu_usec);
}

static bool report_guests(struct stream *stream, const struct farm_host *host)
{
    report_control(stream, host);
    for (guint i = 0; i < host->domains->len; i++) {
        report_domain(stream, g_ptr_array_index(host->domains, i));
        if (stream->report->domains->len >= BATCH && !flush(stream, false))
            return false;
    }
    for (guint i = 0; i < host->incoming->len; i++)
        report_incoming(stream, g_ptr_array_index(host->incoming, i));
    for (guint i = 0; !stream->pool && i < stream->fleet->saved->len; i++) {
        const struct farm_domain *domain = g_ptr_array_index(stream->fleet->saved, i);

        if (domain->host != host)
            report_saved(stream, domain);
    }
    return true;
}

/* A host that can't be reached is known to its pool all the same; asked alone it is never reported
 * at all while it is down. */
static bool unreachable(const struct farm_host *host, bool pool)
{
    return pool && (host->fault == FARM_DOWN || host->fault == FARM_REFUSE);
}

bool farm_fleet_report(const struct farm_fleet *fleet, const struct farm_host *host, size_t limit,
                       xc_report_send_fn send, void *data)
{
    struct stream stream = {
        .fleet = fleet, .report = xc_report_new(), .limit = limit, .send = send, .data = data};
    bool pool = stream.pool = host == NULL;
    guint n = pool ? fleet->hosts->len : 1;
    bool ok = true;

    for (guint i = 0; i < n; i++) {
        const struct farm_host *one = pool ? g_ptr_array_index(fleet->hosts, i) : host;

        stream.blind = unreachable(one, pool);
        report_host(&stream, one);
    }
    for (guint i = 0; i < n && ok; i++) {
        const struct farm_host *one = pool ? g_ptr_array_index(fleet->hosts, i) : host;

        stream.host = i;
        stream.blind = unreachable(one, pool);
        ok = report_guests(&stream, one);
    }
    ok = ok && flush(&stream, true);
    xc_report_free(stream.report);
    return ok;
}
