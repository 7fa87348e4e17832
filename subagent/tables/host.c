/* xenHostTable: what a host is. */
#include "subagent/tables/tables.h"

const void *st_host_rows(void *context, size_t *n)
{
    const struct st_context *st = context;
    const struct xc_host_ref *host;

    if (!st->host)
        return xc_fleet_hosts(st->engine, n);
    host = st_context_host(st);
    *n = host ? 1 : 0;
    return host;
}

const void *st_host_object(const void *row)
{
    const struct xc_host_ref *ref = row;

    return ref->row < 0 || !ref->slot->snapshot ? NULL : &ref->slot->snapshot->hosts[ref->row];
}

bool st_host_shows(const void *row, const struct xc_field *field)
{
    return xc_host_ref_shows(row, field);
}

static bool slot_member(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_host_ref *ref = cell->row;

    return st_read_member(cell->column, ref->slot, out);
}

static bool driver(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_host_ref *ref = cell->row;

    return st_number(out, (uint64_t)ref->slot->driver->number);
}

static bool state(const struct st_cell *cell, struct st_value *out)
{
    return st_number(out, xc_host_ref_state(cell->row));
}

/* Bit i is XC_CAP_ bit i. */
static const struct xc_label capability[] = {
    {0, "start"},         {1, "shutdown"},    {2, "pause"},      {3, "suspend"},
    {4, "migrate"},       {5, "liveMigrate"}, {6, "create"},     {7, "events"},
    {8, "destroy"},       {9, "reset"},       {10, "reboot"},    {11, "startElsewhere"},
    {12, "checkMigrate"}, {13, "progress"},   {14, "setMemory"}, {15, "setVcpus"},
    {16, "schedule"},     {17, "dumpCore"},   {18, "nmi"},
};
static XC_ENUM_DEFINE(capability_labels, "xenHostCapabilities", capability);

static bool capabilities(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_host_ref *ref = cell->row;

    return st_bits(out, ref->slot->driver->capabilities, G_N_ELEMENTS(capability));
}

#define KEY .min = 1, .max = 32

static const struct st_column columns[] = {
    MEMBER(2, "xenHostSource", ST_TEXT, slot_member, xc_slot, spec.key, KEY),
    MEMBER(3, "xenHostLabel", ST_TEXT, st_get_member, xc_host_ref, key, KEY),
    COL(4, "xenHostName", ST_TEXT, host, HOST, name),
    CALC(5, "xenHostDriver", ST_ENUM, driver, .labels = &xc_driver_labels),
    CALC(9, "xenHostState", ST_ENUM, state, .labels = &xc_source_state_labels),
    MEMBER(10, "xenHostStateText", ST_TEXT, slot_member, xc_slot, state_text),
    MEMBER(11, "xenHostCause", ST_ENUM, slot_member, xc_slot, cause, .labels = &xc_cause_labels),
    COL(15, "xenHostPool", ST_TEXT, host, HOST, pool),
    COL(16, "xenHostPoolRole", ST_ENUM, host, HOST, pool_role),
    COL(17, "xenHostUuid", ST_TEXT, host, HOST, uuid, .min = 36, .max = 36),
    COL(18, "xenHostProduct", ST_TEXT, host, HOST, product),
    COL(20, "xenHostXenVersion", ST_TEXT, host, HOST, xen_version),
    COL(21, "xenHostKernel", ST_TEXT, host, HOST, kernel),
    COL(22, "xenHostCpus", ST_GAUGE32, host, HOST, cpus),
    COL(23, "xenHostSockets", ST_GAUGE32, host, HOST, sockets),
    COL(24, "xenHostCoresPerSocket", ST_GAUGE32, host, HOST, cores_per_socket),
    COL(25, "xenHostThreadsPerCore", ST_GAUGE32, host, HOST, threads_per_core),
    COL(26, "xenHostCpuSpeed", ST_GAUGE32, host, HOST, cpu_mhz),
    COL(27, "xenHostCpuModel", ST_TEXT, host, HOST, cpu_model),
    COL(28, "xenHostMemoryTotal", ST_GAUGE32, host, HOST, mem_total_kib, .divide = 1024,
        .units = "mebibytes"),
    COL(29, "xenHostBootTime", ST_DATE, host, HOST, boot_time),
    CALC(30, "xenHostCapabilities", ST_BITS, capabilities, .labels = &capability_labels),
    COL(34, "xenHostRebootRequired", ST_TRUTH, host, HOST, reboot_required),
    COL(35, "xenHostUpdatesPending", ST_TRUTH, host, HOST, updates_pending),
    COL(36, "xenHostClockSkew", ST_INTEGER32, host, HOST, clock_skew_msec),
};

const struct st_table st_host_table = {
    .name = "xenHostTable",
    .arcs = {1, 3, 1, 1},
    .index = {{ST_INDEX_TEXT, offsetof(struct xc_host_ref, key), "xenHostKey", 1, KEY}},
    .row_size = sizeof(struct xc_host_ref),
    .rows = st_host_rows,
    .object = st_host_object,
    .shows = st_host_shows,
    .columns = columns,
    .n_columns = G_N_ELEMENTS(columns),
};
