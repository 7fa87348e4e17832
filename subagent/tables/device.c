/* xenVcpuTable, xenVifTable, xenVbdTable, xenSnapshotTable: what domains have. Rows hang below those of xenDomainTable. */
#include "subagent/tables/tables.h"

static const void *devices(const struct xc_domain_ref *ref, enum xc_device_kind kind, size_t *n)
{
    return xc_snapshot_devices(ref->slot->snapshot, xc_ref_domain(ref), kind, n);
}

const void *st_domain_vifs(void *context, const void *domain, size_t *n)
{
    (void)context;
    return devices(domain, XC_VIFS, n);
}

const void *st_domain_vbds(void *context, const void *domain, size_t *n)
{
    (void)context;
    return devices(domain, XC_VBDS, n);
}

const void *st_domain_vcpus(void *context, const void *domain, size_t *n)
{
    (void)context;
    return devices(domain, XC_VCPUS, n);
}

static const void *points(void *context, const void *domain, size_t *n)
{
    (void)context;
    return devices(domain, XC_POINTS, n);
}

const void *st_child_object(const void *row)
{
    return ((const struct st_pair *)row)->child;
}

static bool shows(const void *row, const struct xc_field *field, const struct xc_object *type)
{
    const struct st_pair *pair = row;
    const struct xc_domain_ref *ref = pair->parent;

    return xc_has(pair->child, (unsigned)(field - type->fields)) &&
           (field->keep == XC_INVENTORY || !xc_slot_stale(ref->slot));
}

bool st_vif_shows(const void *row, const struct xc_field *field)
{
    return shows(row, field, &xc_vif_type);
}

bool st_vbd_shows(const void *row, const struct xc_field *field)
{
    return shows(row, field, &xc_vbd_type);
}

bool st_vcpu_shows(const void *row, const struct xc_field *field)
{
    return shows(row, field, &xc_vcpu_type);
}

static bool shows_point(const void *row, const struct xc_field *field)
{
    return shows(row, field, &xc_point_type);
}

static bool vcpu_label(const struct st_cell *cell, struct st_value *out)
{
    const struct st_pair *pair = cell->row;
    const struct xc_vcpu *vcpu = pair->child;
    char name[32];

    g_snprintf(name, sizeof(name), " vcpu%" G_GINT64_FORMAT, vcpu->number);
    return st_domain_label(pair->parent, name, out);
}

static bool vif_label(const struct st_cell *cell, struct st_value *out)
{
    const struct st_pair *pair = cell->row;
    const struct xc_vif *vif = pair->child;
    char name[32];

    g_snprintf(name, sizeof(name), " vif%" G_GINT64_FORMAT, vif->device);
    return st_domain_label(pair->parent, name, out);
}

static bool vbd_label(const struct st_cell *cell, struct st_value *out)
{
    const struct st_pair *pair = cell->row;
    const struct xc_vbd *vbd = pair->child;
    char name[64];

    if (XC_HAS(VBD, vbd, device))
        g_snprintf(name, sizeof(name), " %s", vbd->device);
    else
        g_snprintf(name, sizeof(name), " %" G_GINT64_FORMAT, vbd->number);
    return st_domain_label(pair->parent, name, out);
}

static bool point_label(const struct st_cell *cell, struct st_value *out)
{
    const struct st_pair *pair = cell->row;
    const struct xc_point *point = pair->child;
    g_autofree char *name = XC_HAS(POINT, point, name) ? g_strconcat(" @", point->name, NULL)
                                                       : g_strdup_printf(" @#%u", point->index);

    return st_domain_label(pair->parent, name, out);
}

/* Counters are interrupted for all devices of a domain at once. */
static bool discontinuity(const struct st_cell *cell, struct st_value *out)
{
    const struct st_pair *pair = cell->row;
    const struct xc_domain_ref *ref = pair->parent;

    return st_timestamp(out, ref->track->discontinuity_mono);
}

#define BELOW_DOMAINS                                                                              \
    .row_size = sizeof(struct xc_domain_ref), .rows = st_domain_rows, .object = st_child_object
#define DOMAIN_INDEX                                                                               \
    {                                                                                              \
        ST_INDEX_INTEGER, offsetof(struct xc_domain_ref, index), "xenDomainIndex", 0, 1,           \
            G_MAXINT32                                                                             \
    }
#define DEVICE_INDEX(name)                                                                         \
    {                                                                                              \
        ST_INDEX_INTEGER, offsetof(struct xc_device, index), name, 1, 1, G_MAXINT32                \
    }

static const struct st_column vcpu_columns[] = {
    CALC(2, "xenVcpuLabel", ST_TEXT, vcpu_label),
    COL(3, "xenVcpuState", ST_ENUM, vcpu, VCPU, state),
    COL(4, "xenVcpuCpu", ST_INTEGER32, vcpu, VCPU, cpu, .max = 65535),
    COL(5, "xenVcpuTime", ST_COUNTER64, vcpu, VCPU, cpu_usec),
    COL(6, "xenVcpuAffinity", ST_TEXT, vcpu, VCPU, affinity),
    CALC(7, "xenVcpuDiscontinuity", ST_TIMESTAMP, discontinuity),
};

const struct st_table st_vcpu_table = {
    .name = "xenVcpuTable",
    .arcs = {1, 4, 3, 1},
    .index = {DOMAIN_INDEX, DEVICE_INDEX("xenVcpuNumber")},
    BELOW_DOMAINS,
    .children = st_domain_vcpus,
    .child_size = sizeof(struct xc_vcpu),
    .shows = st_vcpu_shows,
    .columns = vcpu_columns,
    .n_columns = G_N_ELEMENTS(vcpu_columns),
};

static const struct st_column vif_columns[] = {
    CALC(2, "xenVifLabel", ST_TEXT, vif_label),
    COL(3, "xenVifDevice", ST_INTEGER32, vif, VIF, device, .max = G_MAXINT32 - 1),
    COL(4, "xenVifMac", ST_TEXT, vif, VIF, mac),
    COL(5, "xenVifBridge", ST_TEXT, vif, VIF, bridge),
    COL(6, "xenVifBackend", ST_TEXT, vif, VIF, backend),
    COL(7, "xenVifRxOctets", ST_COUNTER64, vif, VIF, rx_bytes),
    COL(8, "xenVifTxOctets", ST_COUNTER64, vif, VIF, tx_bytes),
    COL(9, "xenVifRxPackets", ST_COUNTER64, vif, VIF, rx_packets),
    COL(10, "xenVifTxPackets", ST_COUNTER64, vif, VIF, tx_packets),
    COL(11, "xenVifRxErrors", ST_COUNTER64, vif, VIF, rx_errors),
    COL(12, "xenVifTxErrors", ST_COUNTER64, vif, VIF, tx_errors),
    COL(13, "xenVifRxDrops", ST_COUNTER64, vif, VIF, rx_drops),
    COL(14, "xenVifTxDrops", ST_COUNTER64, vif, VIF, tx_drops),
    CALC(15, "xenVifDiscontinuity", ST_TIMESTAMP, discontinuity),
};

const struct st_table st_vif_table = {
    .name = "xenVifTable",
    .arcs = {1, 4, 4, 1},
    .index = {DOMAIN_INDEX, DEVICE_INDEX("xenVifNumber")},
    BELOW_DOMAINS,
    .children = st_domain_vifs,
    .child_size = sizeof(struct xc_vif),
    .shows = st_vif_shows,
    .columns = vif_columns,
    .n_columns = G_N_ELEMENTS(vif_columns),
};

static const struct st_column vbd_columns[] = {
    CALC(2, "xenVbdLabel", ST_TEXT, vbd_label),
    COL(3, "xenVbdDevice", ST_TEXT, vbd, VBD, device),
    COL(4, "xenVbdTarget", ST_TEXT, vbd, VBD, target),
    COL(5, "xenVbdReadOnly", ST_TRUTH, vbd, VBD, read_only),
    COL(6, "xenVbdReadOctets", ST_COUNTER64, vbd, VBD, rd_bytes),
    COL(7, "xenVbdWriteOctets", ST_COUNTER64, vbd, VBD, wr_bytes),
    COL(8, "xenVbdReads", ST_COUNTER64, vbd, VBD, rd_ops),
    COL(9, "xenVbdWrites", ST_COUNTER64, vbd, VBD, wr_ops),
    CALC(10, "xenVbdDiscontinuity", ST_TIMESTAMP, discontinuity),
};

const struct st_table st_vbd_table = {
    .name = "xenVbdTable",
    .arcs = {1, 4, 5, 1},
    .index = {DOMAIN_INDEX, DEVICE_INDEX("xenVbdNumber")},
    BELOW_DOMAINS,
    .children = st_domain_vbds,
    .child_size = sizeof(struct xc_vbd),
    .shows = st_vbd_shows,
    .columns = vbd_columns,
    .n_columns = G_N_ELEMENTS(vbd_columns),
};

static const struct st_column snapshot_columns[] = {
    CALC(2, "xenSnapshotLabel", ST_TEXT, point_label),
    COL(3, "xenSnapshotName", ST_TEXT, point, POINT, name),
    COL(4, "xenSnapshotKind", ST_ENUM, point, POINT, kind),
    COL(5, "xenSnapshotCreated", ST_DATE, point, POINT, taken),
    COL(9, "xenSnapshotUuid", ST_TEXT, point, POINT, uuid, .min = 36, .max = 36),
};

const struct st_table st_snapshot_table = {
    .name = "xenSnapshotTable",
    .arcs = {1, 4, 7, 1},
    .index = {DOMAIN_INDEX, DEVICE_INDEX("xenSnapshotIndex")},
    BELOW_DOMAINS,
    .children = points,
    .child_size = sizeof(struct xc_point),
    .shows = shows_point,
    .columns = snapshot_columns,
    .n_columns = G_N_ELEMENTS(snapshot_columns),
};
