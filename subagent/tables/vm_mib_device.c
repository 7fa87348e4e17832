/* VM-MIB (RFC 7666): vmCpuTable, vmCpuAffinityTable, vmStorageTable, vmNetworkTable. Rows hang below those of vmTable. */
#include "subagent/tables/vm_mib.h"

#include <string.h>

#define NUMBER(struct_, name, arc)                                                                 \
    {                                                                                              \
        ST_INDEX_INTEGER, offsetof(struct struct_, index), name, arc, 1, G_MAXINT32                \
    }

/* --- processors */

static const struct st_column cpu_columns[] = {
    COL(2, "vmCpuCoreTime", ST_COUNTER64, vcpu, VCPU, cpu_usec, .units = "microsecond"),
};

const struct st_table st_vm_cpu_table = {
    .name = "vmCpuTable",
    .arcs = {1, 5, 1},
    .index = {ST_VM_INDEX("vmIndex"), NUMBER(xc_vcpu, "vmCpuIndex", 1)},
    ST_BELOW_GUESTS,
    .children = st_domain_vcpus,
    .child_size = sizeof(struct xc_vcpu),
    .shows = st_vcpu_shows,
    .columns = cpu_columns,
    .n_columns = G_N_ELEMENTS(cpu_columns),
};

/* Guests times virtual times real processors are many rows, so there are none unless they are asked for. */
static const void *affinity_guests(void *context, size_t *n)
{
    const struct st_context *st = context;

    *n = 0;
    return xc_engine_config(st->engine)->vm_cpu_affinity ? st_guests_rows(context, n) : NULL;
}

static const void *affinities(void *context, const void *guest, size_t *n)
{
    return st_guests_affinity(context, guest, n);
}

static bool affinity(const struct st_cell *cell, struct st_value *out)
{
    const struct st_affinity_row *row = st_child_object(cell->row);

    return st_number(out, row->affinity);
}

static const struct xc_label affinity_label[] = {
    {ST_AFFINITY_UNKNOWN, "unknown"}, {ST_AFFINITY_YES, "enable"}, {ST_AFFINITY_NO, "disable"}};
static XC_ENUM_DEFINE(affinity_labels, "vmCpuAffinity", affinity_label);

static const struct st_column affinity_columns[] = {
    CALC(3, "vmCpuAffinity", ST_ENUM, affinity, .labels = &affinity_labels),
};

const struct st_table st_vm_cpu_affinity_table = {
    .name = "vmCpuAffinityTable",
    .arcs = {1, 6, 1},
    .index = {ST_VM_INDEX("vmIndex"),
              {ST_INDEX_INTEGER, offsetof(struct st_affinity_row, vcpu), "vmCpuIndex", 0, 1,
               G_MAXINT32},
              {ST_INDEX_INTEGER, offsetof(struct st_affinity_row, cpu), "vmCpuPhysIndex", 2, 1,
               G_MAXINT32}},
    .row_size = sizeof(struct xc_domain_ref *),
    .rows_are_pointers = true,
    .rows = affinity_guests,
    .children = affinities,
    .child_size = sizeof(struct st_affinity_row),
    .columns = affinity_columns,
    .n_columns = G_N_ELEMENTS(affinity_columns),
};

/* --- storage */

enum { SOURCE_UNKNOWN = 1, SOURCE_OTHER, SOURCE_BLOCK, SOURCE_RAW, SOURCE_SPARSE, SOURCE_NETWORK };
static const struct xc_label source_label[] = {
    {SOURCE_UNKNOWN, "unknown"}, {SOURCE_OTHER, "other"},   {SOURCE_BLOCK, "block"},
    {SOURCE_RAW, "raw"},         {SOURCE_SPARSE, "sparse"}, {SOURCE_NETWORK, "network"}};
static XC_ENUM_DEFINE(source_labels, "vmStorageSourceType", source_label);

enum { ACCESS_UNKNOWN = 1, ACCESS_READ_WRITE, ACCESS_READ_ONLY };
static const struct xc_label access_label[] = {
    {ACCESS_UNKNOWN, "unknown"}, {ACCESS_READ_WRITE, "readwrite"}, {ACCESS_READ_ONLY, "readonly"}};
static XC_ENUM_DEFINE(access_labels, "vmStorageAccess", access_label);

/* Here alone "other" comes before "unknown". */
enum { MEDIA_OTHER = 1, MEDIA_UNKNOWN, MEDIA_HARD_DISK, MEDIA_OPTICAL, MEDIA_FLOPPY };
static const struct xc_label media_label[] = {{MEDIA_OTHER, "other"},
                                              {MEDIA_UNKNOWN, "unknown"},
                                              {MEDIA_HARD_DISK, "hardDisk"},
                                              {MEDIA_OPTICAL, "opticalDisk"},
                                              {MEDIA_FLOPPY, "floppyDisk"}};
static XC_ENUM_DEFINE(media_labels, "vmStorageMediaType", media_label);

/* A device of the host can be told by its path; of files and of images in a repository only their host knows the form. */
static bool is_block(const struct xc_vbd *vbd)
{
    return XC_HAS(VBD, vbd, target) && g_str_has_prefix(vbd->target, "/dev/");
}

static bool source_type(const struct st_cell *cell, struct st_value *out)
{
    return st_number(out, is_block(st_child_object(cell->row)) ? SOURCE_BLOCK : SOURCE_UNKNOWN);
}

static bool source_text(const struct st_cell *cell, struct st_value *out)
{
    return is_block(st_child_object(cell->row)) && st_text(out, "block device");
}

static bool access_of(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_vbd *vbd = st_child_object(cell->row);

    if (!XC_HAS(VBD, vbd, read_only))
        return st_number(out, ACCESS_UNKNOWN);
    return st_number(out, vbd->read_only ? ACCESS_READ_ONLY : ACCESS_READ_WRITE);
}

/* Xen gives guests disks, and discs that nobody can write to. */
static bool media_type(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_vbd *vbd = st_child_object(cell->row);
    bool disk = XC_HAS(VBD, vbd, read_only) && !vbd->read_only;

    return st_number(out, disk ? MEDIA_HARD_DISK : MEDIA_UNKNOWN);
}

static bool size_unit(const struct st_cell *cell, struct st_value *out)
{
    (void)cell;
    return st_number(out, 1048576);
}

static bool none(const struct st_cell *cell, struct st_value *out)
{
    (void)cell;
    (void)out;
    return false;
}

#define SIZE .min = -1, .max = G_MAXINT32

static const struct st_column storage_columns[] = {
    CALC(3, "vmStorageParent", ST_INTEGER32, st_get_zero, .max = G_MAXINT32),
    CALC(4, "vmStorageSourceType", ST_ENUM, source_type, .labels = &source_labels),
    CALC(5, "vmStorageSourceTypeString", ST_TEXT, source_text),
    COL(6, "vmStorageResourceID", ST_TEXT, vbd, VBD, target),
    CALC(7, "vmStorageAccess", ST_ENUM, access_of, .labels = &access_labels),
    CALC(8, "vmStorageMediaType", ST_ENUM, media_type, .labels = &media_labels),
    COL(9, "vmStorageMediaTypeString", ST_TEXT, vbd, VBD, device),
    CALC(10, "vmStorageSizeUnit", ST_INTEGER32, size_unit, .min = 1, .max = G_MAXINT32),
    CALC(11, "vmStorageDefinedSize", ST_INTEGER32, st_get_minus_one, SIZE),
    CALC(12, "vmStorageAllocatedSize", ST_INTEGER32, st_get_minus_one, SIZE),
    COL(13, "vmStorageReadIOs", ST_COUNTER64, vbd, VBD, rd_ops),
    COL(14, "vmStorageWriteIOs", ST_COUNTER64, vbd, VBD, wr_ops),
    COL(15, "vmStorageReadOctets", ST_COUNTER64, vbd, VBD, rd_bytes),
    COL(16, "vmStorageWriteOctets", ST_COUNTER64, vbd, VBD, wr_bytes),
    CALC(17, "vmStorageReadLatency", ST_COUNTER64, none),
    CALC(18, "vmStorageWriteLatency", ST_COUNTER64, none),
};

const struct st_table st_vm_storage_table = {
    .name = "vmStorageTable",
    .arcs = {1, 7, 1},
    .index = {{ST_INDEX_INTEGER, offsetof(struct xc_domain_ref, index), "vmStorageVmIndex", 1, 0,
               G_MAXINT32},
              NUMBER(xc_vbd, "vmStorageIndex", 2)},
    ST_BELOW_GUESTS,
    .children = st_domain_vbds,
    .child_size = sizeof(struct xc_vbd),
    .shows = st_vbd_shows,
    .columns = storage_columns,
    .n_columns = G_N_ELEMENTS(storage_columns),
};

/* --- network */

/* A text of pairs of digits with colons between them as octets. */
static bool hardware_address(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_vif *vif = st_child_object(cell->row);
    const char *text = XC_HAS(VIF, vif, mac) ? vif->mac : "";
    size_t n = 0;

    while (n < 6 && g_ascii_isxdigit(text[0]) && g_ascii_isxdigit(text[1])) {
        out->buffer[n++] =
            (char)(g_ascii_xdigit_value(text[0]) * 16 + g_ascii_xdigit_value(text[1]));
        text += 2;
        if (*text == ':' && n < 6)
            text++;
    }
    return n == 6 && !*text && st_bytes(out, out->buffer, n);
}

/* Guests that bring their own drivers can have no other; of emulated cards nobody tells which. */
static bool model(const struct st_cell *cell, struct st_value *out)
{
    const struct st_pair *pair = cell->row;
    const struct xc_domain *domain = xc_ref_domain(pair->parent);

    return XC_HAS(DOMAIN, domain, virt) &&
           (domain->virt == XC_VIRT_PV || domain->virt == XC_VIRT_PVH) && st_text(out, "netfront");
}

static const struct st_column network_columns[] = {
    CALC(2, "vmNetworkIfIndex", ST_INTEGER32, st_get_zero, .max = G_MAXINT32),
    CALC(3, "vmNetworkParent", ST_INTEGER32, st_get_zero, .max = G_MAXINT32),
    CALC(4, "vmNetworkModel", ST_TEXT, model),
    CALC(5, "vmNetworkPhysAddress", ST_OCTETS, hardware_address),
};

const struct st_table st_vm_network_table = {
    .name = "vmNetworkTable",
    .arcs = {1, 8, 1},
    .index = {ST_VM_INDEX("vmIndex"), NUMBER(xc_vif, "vmNetworkIndex", 1)},
    ST_BELOW_GUESTS,
    .children = st_domain_vifs,
    .child_size = sizeof(struct xc_vif),
    .shows = st_vif_shows,
    .columns = network_columns,
    .n_columns = G_N_ELEMENTS(network_columns),
};
