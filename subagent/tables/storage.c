/* xenSrTable and xenPifTable: storage repositories of sources, network interfaces of hosts. Their index is the place and the
 * uuid that the hypervisor gave them: nothing of ours must be kept for it to stay the same for ever. */
#include "subagent/tables/tables.h"

static const void *object(const void *row)
{
    return ((const struct st_pair *)row)->child;
}

static bool shows(const struct xc_slot *slot, const void *row, const struct xc_object *type,
                  const struct xc_field *field)
{
    return xc_has(object(row), (unsigned)(field - type->fields)) &&
           (field->keep == XC_INVENTORY || !xc_slot_stale(slot));
}

#define KEY      .min = 1, .max = 32
#define UUID_KEY .min = 1, .max = 36

/* --- storage repositories */

static const void *sources(void *context, size_t *n)
{
    return xc_fleet_sources(((const struct st_context *)context)->engine, n);
}

static const void *srs(void *context, const void *source, size_t *n)
{
    const struct xc_slot *slot = source;

    (void)context;
    *n = slot->snapshot ? slot->snapshot->n_srs : 0;
    return *n ? slot->snapshot->srs : NULL;
}

static bool shows_sr(const void *row, const struct xc_field *field)
{
    return shows(((const struct st_pair *)row)->parent, row, &xc_sr_type, field);
}

static bool sr_label(const struct st_cell *cell, struct st_value *out)
{
    const struct st_pair *pair = cell->row;
    const struct xc_slot *slot = pair->parent;
    const struct xc_sr *sr = pair->child;

    return st_format(out, "%s/%s", slot->spec.key, XC_HAS(SR, sr, name) ? sr->name : sr->key);
}

#define STORED(arc, name, member)                                                                  \
    COL(arc, name, ST_GAUGE32, sr, SR, member, .divide = 1024, .units = "mebibytes")

static const struct st_column sr_columns[] = {
    CALC(2, "xenSrLabel", ST_TEXT, sr_label),
    COL(3, "xenSrName", ST_TEXT, sr, SR, name),
    COL(4, "xenSrType", ST_TEXT, sr, SR, type),
    COL(5, "xenSrShared", ST_TRUTH, sr, SR, shared),
    STORED(6, "xenSrSize", size_kib),
    STORED(7, "xenSrUsed", used_kib),
    STORED(8, "xenSrAllocated", allocated_kib),
    COL(9, "xenSrPaths", ST_GAUGE32, sr, SR, paths),
    COL(10, "xenSrPathsUp", ST_GAUGE32, sr, SR, paths_up),
};

const struct st_table st_sr_table = {
    .name = "xenSrTable",
    .arcs = {1, 11, 1, 1},
    .index = {{ST_INDEX_TEXT, offsetof(struct xc_slot, spec.key), "xenSourceKey", 0, KEY},
              {ST_INDEX_TEXT, offsetof(struct xc_sr, key), "xenSrUuid", 1, UUID_KEY}},
    .row_size = sizeof(struct xc_slot *),
    .rows_are_pointers = true,
    .rows = sources,
    .children = srs,
    .child_size = sizeof(struct xc_sr),
    .object = object,
    .shows = shows_sr,
    .columns = sr_columns,
    .n_columns = G_N_ELEMENTS(sr_columns),
};

/* --- network interfaces */

static const void *pifs(void *context, const void *host, size_t *n)
{
    const struct xc_host_ref *ref = host;

    (void)context;
    *n = 0;
    if (ref->row < 0 || !ref->slot->snapshot)
        return NULL;
    return xc_snapshot_pifs(ref->slot->snapshot, (uint32_t)ref->row, n);
}

static bool shows_pif(const void *row, const struct xc_field *field)
{
    const struct xc_host_ref *ref = ((const struct st_pair *)row)->parent;

    return shows(ref->slot, row, &xc_pif_type, field);
}

static bool pif_label(const struct st_cell *cell, struct st_value *out)
{
    const struct st_pair *pair = cell->row;
    const struct xc_host_ref *ref = pair->parent;
    const struct xc_pif *pif = pair->child;
    const char *device = XC_HAS(PIF, pif, device) ? pif->device : pif->key;

    if (XC_HAS(PIF, pif, vlan))
        return st_format(out, "%s %s.%" G_GINT64_FORMAT, ref->key, device, pif->vlan);
    return st_format(out, "%s %s", ref->key, device);
}

static const struct st_column pif_columns[] = {
    CALC(2, "xenPifLabel", ST_TEXT, pif_label),
    COL(3, "xenPifDevice", ST_TEXT, pif, PIF, device),
    COL(4, "xenPifMac", ST_TEXT, pif, PIF, mac),
    COL(5, "xenPifLink", ST_TRUTH, pif, PIF, link),
    COL(6, "xenPifSpeed", ST_GAUGE32, pif, PIF, speed_mbit),
    COL(7, "xenPifBond", ST_TEXT, pif, PIF, bond),
    COL(8, "xenPifNetwork", ST_TEXT, pif, PIF, network),
    COL(9, "xenPifManagement", ST_TRUTH, pif, PIF, management),
    COL(10, "xenPifVlan", ST_INTEGER32, pif, PIF, vlan, .max = 4095),
};

const struct st_table st_pif_table = {
    .name = "xenPifTable",
    .arcs = {1, 3, 5, 1},
    .index = {{ST_INDEX_TEXT, offsetof(struct xc_host_ref, key), "xenHostKey", 0, KEY},
              {ST_INDEX_TEXT, offsetof(struct xc_pif, key), "xenPifUuid", 1, UUID_KEY}},
    .row_size = sizeof(struct xc_host_ref),
    .rows = st_host_rows,
    .children = pifs,
    .child_size = sizeof(struct xc_pif),
    .object = object,
    .shows = shows_pif,
    .columns = pif_columns,
    .n_columns = G_N_ELEMENTS(pif_columns),
};
