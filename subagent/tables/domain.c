/* xenDomainTable: what a domain is. */
#include "subagent/guests.h"
#include "subagent/tables/tables.h"

const void *st_domain_rows(void *context, size_t *n)
{
    const struct st_context *st = context;

    return st->host ? st_guests_domains(st, n) : xc_fleet_domains(st->engine, n);
}

const void *st_domain_object(const void *row)
{
    return xc_ref_domain(row);
}

bool st_domain_shows(const void *row, const struct xc_field *field)
{
    return xc_ref_shows(row, field);
}

const struct xc_op *st_last_op(const struct st_cell *cell, const struct xc_domain_ref *ref)
{
    uint32_t index = ref->track->active_op ? ref->track->active_op : ref->track->last_op;

    return index ? xc_op_find(st_engine(cell), index) : NULL;
}

static bool track_member(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_domain_ref *ref = cell->row;

    return st_read_member(cell->column, ref->track, out);
}

static bool op_member(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_op *op = st_last_op(cell, cell->row);

    return op && st_read_member(cell->column, op, out);
}

static bool host(const struct st_cell *cell, struct st_value *out)
{
    return st_text_or_none(out, xc_fleet_host_key(cell->row));
}

static bool state(const struct st_cell *cell, struct st_value *out)
{
    return st_number(out, xc_ref_state(cell->row));
}

static bool presence(const struct st_cell *cell, struct st_value *out)
{
    return st_number(out, xc_ref_presence(cell->row));
}

/* Bits in the order of the MIB. */
static const struct xc_label flag_labels[] = {
    {0, "protected"}, {1, "migrating"}, {2, "operationActive"}};
static XC_ENUM_DEFINE(flags_enum, "xenDomainFlags", flag_labels);

static bool flags(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_domain_ref *ref = cell->row;
    const struct xc_domain *domain = xc_ref_domain(ref);
    bool migrating = xc_ref_shows(ref, &xc_domain_type.fields[XC_DOMAIN_migrating]);
    uint32_t word = (ref->track->protect ? 1u : 0u) | (migrating && domain->migrating ? 2u : 0u) |
                    (ref->track->active_op ? 4u : 0u);

    return st_bits(out, word, G_N_ELEMENTS(flag_labels));
}

bool st_domain_label(const struct xc_domain_ref *ref, const char *behind, struct st_value *out)
{
    const struct xc_domain *domain = xc_ref_domain(ref);
    const char *key = xc_fleet_host_key(ref);

    if (!XC_HAS(DOMAIN, domain, name))
        return st_format(out, "%s%s#%u%s", key, *key ? "/" : "", ref->index, behind);
    return st_format(out, "%s%s%s%s", key, *key ? "/" : "", domain->name, behind);
}

static const void *detail(const void *row, const struct xc_field *field)
{
    return xc_ref_detail(row, field);
}

/* By our own clock; the host's may be ahead. */
static bool snapshot_age(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_detail *known =
        xc_ref_detail(cell->row, &xc_detail_type.fields[XC_DETAIL_snapshot_time]);
    gint64 now = xc_clock_real();

    if (!known)
        return false;
    return st_gauge(out, now > known->snapshot_time
                             ? (uint64_t)(now - known->snapshot_time) / XC_USEC_PER_SEC
                             : 0);
}

static bool label(const struct st_cell *cell, struct st_value *out)
{
    return st_domain_label(cell->row, "", out);
}

#define DETAIL(arc_, name_, type_, member_)                                                        \
    COL(arc_, name_, type_, detail, DETAIL, member_, .of = detail)

static const struct st_column columns[] = {
    COL(2, "xenDomainName", ST_TEXT, domain, DOMAIN, name),
    COL(3, "xenDomainUuid", ST_TEXT, domain, DOMAIN, uuid, .min = 36, .max = 36),
    MEMBER(4, "xenDomainIdentityKind", ST_ENUM, track_member, xc_track, identity,
           .labels = &xc_identity_labels),
    CALC(5, "xenDomainHost", ST_TEXT, host, .min = 1, .max = 32),
    MEMBER(6, "xenDomainHome", ST_TEXT, track_member, xc_track, home, .none_if_zero = true,
           .min = 1, .max = 32),
    CALC(7, "xenDomainState", ST_ENUM, state, .labels = &xc_domain_state_labels),
    MEMBER(8, "xenDomainWanted", ST_ENUM, track_member, xc_track, wanted, .none_if_zero = true,
           .labels = &xc_wanted_labels),
    MEMBER(9, "xenDomainStateSince", ST_DATE, track_member, xc_track, state_since_real),
    COL(10, "xenDomainReason", ST_ENUM, domain, DOMAIN, reason),
    COL(11, "xenDomainKind", ST_ENUM, domain, DOMAIN, kind),
    COL(12, "xenDomainVirt", ST_ENUM, domain, DOMAIN, virt),
    CALC(13, "xenDomainPresence", ST_ENUM, presence, .labels = &xc_presence_labels),
    COL(14, "xenDomainDomid", ST_INTEGER32, domain, DOMAIN, domid, .max = 65535),
    COL(15, "xenDomainVcpus", ST_GAUGE32, domain, DOMAIN, vcpus),
    COL(16, "xenDomainVcpusMax", ST_GAUGE32, domain, DOMAIN, vcpus_max),
    COL(17, "xenDomainMemory", ST_GAUGE32, domain, DOMAIN, mem_kib, .divide = 1024,
        .units = "mebibytes"),
    COL(18, "xenDomainMemoryTarget", ST_GAUGE32, domain, DOMAIN, mem_target_kib, .divide = 1024,
        .units = "mebibytes"),
    COL(20, "xenDomainMemoryMax", ST_GAUGE32, domain, DOMAIN, mem_max_kib, .divide = 1024,
        .units = "mebibytes"),
    DETAIL(21, "xenDomainOs", ST_TEXT, os),
    DETAIL(22, "xenDomainAddresses", ST_TEXT, addresses),
    DETAIL(23, "xenDomainTools", ST_ENUM, tools),
    COL(24, "xenDomainConfig", ST_TEXT, domain, DOMAIN, config),
    COL(27, "xenDomainStarted", ST_DATE, domain, DOMAIN, started),
    CALC(29, "xenDomainFlags", ST_BITS, flags, .labels = &flags_enum),
    MEMBER(31, "xenDomainLastOperation", ST_UNSIGNED32, op_member, xc_op, index, .min = 1,
           .max = G_MAXINT32),
    MEMBER(32, "xenDomainLastResult", ST_ENUM, op_member, xc_op, result,
           .labels = &xc_result_labels),
    MEMBER(33, "xenDomainLastText", ST_TEXT, op_member, xc_op, text),
    CALC(36, "xenDomainLabel", ST_TEXT, label),
    DETAIL(37, "xenDomainTags", ST_TEXT, tags),
    DETAIL(38, "xenDomainTemplate", ST_TEXT, template),
    DETAIL(39, "xenDomainSnapshots", ST_GAUGE32, snapshots),
    DETAIL(40, "xenDomainSnapshotTime", ST_DATE, snapshot_time),
    CALC(41, "xenDomainSnapshotAge", ST_GAUGE32, snapshot_age, .units = "seconds"),
};

const struct st_table st_domain_table = {
    .name = "xenDomainTable",
    .arcs = {1, 4, 1, 1},
    .index = {{ST_INDEX_INTEGER, offsetof(struct xc_domain_ref, index), "xenDomainIndex", 1, 1,
               G_MAXINT32}},
    .row_size = sizeof(struct xc_domain_ref),
    .rows = st_domain_rows,
    .object = st_domain_object,
    .shows = st_domain_shows,
    .columns = columns,
    .n_columns = G_N_ELEMENTS(columns),
};
