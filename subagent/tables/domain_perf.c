/* xenDomainPerfTable: what a domain does. */
#include "subagent/tables/tables.h"

/* By the clock that the start is told by: the host's; ours may be another, or be set. */
static gint64 host_time(const struct xc_domain_ref *ref)
{
    const struct xc_snapshot *snapshot = ref->slot->snapshot;
    uint32_t row = xc_ref_domain(ref)->host;
    const struct xc_host *host = row < snapshot->n_hosts ? &snapshot->hosts[row] : NULL;

    if (!host || !XC_HAS(HOST, host, clock))
        return xc_clock_real();
    return host->clock + (xc_clock_mono() - snapshot->taken_mono);
}

bool st_domain_uptime(const struct xc_domain_ref *ref, gint64 *usec)
{
    if (!xc_ref_shows(ref, &xc_domain_type.fields[XC_DOMAIN_started]))
        return false;
    *usec = MAX(host_time(ref) - xc_ref_domain(ref)->started, 0);
    return true;
}

static bool uptime(const struct st_cell *cell, struct st_value *out)
{
    gint64 usec = 0;

    return st_domain_uptime(cell->row, &usec) && st_gauge(out, (uint64_t)usec / G_USEC_PER_SEC);
}

static bool discontinuity(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_domain_ref *ref = cell->row;

    return st_timestamp(out, ref->track->discontinuity_mono);
}

static bool age(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_domain_ref *ref = cell->row;
    gint64 seconds = xc_slot_age(ref->slot);

    return seconds >= 0 && st_gauge(out, (uint64_t)seconds);
}

static const struct st_column columns[] = {
    COL(1, "xenDomainCpuTime", ST_COUNTER64, domain, DOMAIN, cpu_usec),
    COL(2, "xenDomainCpuPercent", ST_PERCENT, domain, DOMAIN, cpu_percent_x100, .units = "percent"),
    COL(3, "xenDomainCpuPercentHost", ST_PERCENT, domain, DOMAIN, cpu_host_percent_x100,
        .units = "percent"),
    COL(5, "xenDomainNetRxOctets", ST_COUNTER64, domain, DOMAIN, net_rx_bytes),
    COL(6, "xenDomainNetTxOctets", ST_COUNTER64, domain, DOMAIN, net_tx_bytes),
    COL(7, "xenDomainNetRxPackets", ST_COUNTER64, domain, DOMAIN, net_rx_packets),
    COL(8, "xenDomainNetTxPackets", ST_COUNTER64, domain, DOMAIN, net_tx_packets),
    COL(9, "xenDomainDiskReadOctets", ST_COUNTER64, domain, DOMAIN, disk_rd_bytes),
    COL(10, "xenDomainDiskWriteOctets", ST_COUNTER64, domain, DOMAIN, disk_wr_bytes),
    COL(11, "xenDomainDiskReads", ST_COUNTER64, domain, DOMAIN, disk_rd_ops),
    COL(12, "xenDomainDiskWrites", ST_COUNTER64, domain, DOMAIN, disk_wr_ops),
    CALC(13, "xenDomainUptime", ST_GAUGE32, uptime, .units = "seconds"),
    CALC(14, "xenDomainDiscontinuity", ST_TIMESTAMP, discontinuity),
    CALC(15, "xenDomainDataAge", ST_GAUGE32, age, .units = "seconds"),
    COL(16, "xenDomainCounterKind", ST_ENUM, domain, DOMAIN, counter_kind),
};

const struct st_table st_domain_perf_table = {
    .name = "xenDomainPerfTable",
    .arcs = {1, 4, 2, 1},
    .augments = &st_domain_table,
    .columns = columns,
    .n_columns = G_N_ELEMENTS(columns),
};
