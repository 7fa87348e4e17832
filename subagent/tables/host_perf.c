/* xenHostPerfTable: what a host does. */
#include "subagent/tables/tables.h"

#include <string.h>

/* The value of a gauge of the host that may be shown. */
static bool gauge(const struct xc_host_ref *ref, enum xc_host_field field, uint64_t *out)
{
    const struct xc_field *of = &xc_host_type.fields[field];
    const void *host = st_host_object(ref);

    if (!host || !xc_host_ref_shows(ref, of))
        return false;
    *out = xc_field_u64(of, host);
    return true;
}

static bool memory_used(const struct st_cell *cell, struct st_value *out)
{
    uint64_t total = 0;
    uint64_t unused = 0;

    if (!gauge(cell->row, XC_HOST_mem_total_kib, &total) ||
        !gauge(cell->row, XC_HOST_mem_free_kib, &unused) || total == 0 || unused > total)
        return false;
    return st_gauge(out, (total - unused) * 10000 / total);
}

static bool overcommit(const struct st_cell *cell, struct st_value *out)
{
    uint64_t vcpus = 0;
    uint64_t cpus = 0;

    if (!gauge(cell->row, XC_HOST_vcpus_allocated, &vcpus) ||
        !gauge(cell->row, XC_HOST_cpus, &cpus) || cpus == 0)
        return false;
    return st_gauge(out, vcpus * 10000 / cpus);
}

static bool age(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_host_ref *ref = cell->row;
    gint64 seconds = xc_slot_age(ref->slot);

    return seconds >= 0 && st_gauge(out, (uint64_t)seconds);
}

/* Operations that begin, or are to begin, on the host. */
static uint64_t count_ops(const struct st_cell *cell, bool running)
{
    const struct xc_host_ref *ref = cell->row;
    size_t n = 0;
    const struct xc_op *const *ops = xc_ops(st_engine(cell), &n);
    uint64_t count = 0;

    for (size_t i = 0; i < n; i++) {
        const char *host = *ops[i]->host_from ? ops[i]->host_from : ops[i]->host_to;

        if (ops[i]->state == XC_OP_FINISHED)
            continue;
        if (running == (ops[i]->state == XC_OP_RUNNING || ops[i]->state == XC_OP_CANCELLING))
            count += strcmp(host, ref->key) == 0;
    }
    return count;
}

static bool ops_running(const struct st_cell *cell, struct st_value *out)
{
    return st_gauge(out, count_ops(cell, true));
}

static bool ops_queued(const struct st_cell *cell, struct st_value *out)
{
    return st_gauge(out, count_ops(cell, false));
}

static bool discontinuity(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_host_ref *ref = cell->row;

    return st_timestamp(out, ref->discontinuity_mono);
}

static const struct st_column columns[] = {
    COL(1, "xenHostMemoryFree", ST_GAUGE32, host, HOST, mem_free_kib, .divide = 1024,
        .units = "mebibytes"),
    CALC(2, "xenHostMemoryUsedPercent", ST_PERCENT, memory_used, .units = "percent"),
    COL(3, "xenHostCpuPercent", ST_PERCENT, host, HOST, cpu_percent_x100, .units = "percent"),
    COL(4, "xenHostLoad1", ST_GAUGE32, host, HOST, load1_x100),
    COL(5, "xenHostDomainsTotal", ST_GAUGE32, host, HOST, domains_total),
    COL(6, "xenHostDomainsRunning", ST_GAUGE32, host, HOST, domains_running),
    COL(7, "xenHostVcpusAllocated", ST_GAUGE32, host, HOST, vcpus_allocated),
    CALC(8, "xenHostOvercommitPercent", ST_PERCENT, overcommit, .units = "percent"),
    COL(9, "xenHostNetRxOctets", ST_COUNTER64, host, HOST, net_rx_bytes),
    COL(10, "xenHostNetTxOctets", ST_COUNTER64, host, HOST, net_tx_bytes),
    COL(11, "xenHostUptime", ST_GAUGE32, host, HOST, uptime_sec),
    CALC(14, "xenHostDataAge", ST_GAUGE32, age, .units = "seconds"),
    CALC(18, "xenHostOperationsRunning", ST_GAUGE32, ops_running, .units = "operations"),
    CALC(19, "xenHostOperationsQueued", ST_GAUGE32, ops_queued, .units = "operations"),
    CALC(20, "xenHostDiscontinuity", ST_TIMESTAMP, discontinuity),
};

const struct st_table st_host_perf_table = {
    .name = "xenHostPerfTable",
    .arcs = {1, 3, 2, 1},
    .augments = &st_host_table,
    .columns = columns,
    .n_columns = G_N_ELEMENTS(columns),
};
