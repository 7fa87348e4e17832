/* xenPoolTable: sources that are pools. What a pool is as a whole its coordinator tells; a source without one has no row. */
#include "subagent/tables/tables.h"

static const void *rows(void *context, size_t *n)
{
    return xc_fleet_sources(((const struct st_context *)context)->engine, n);
}

/* Ordinal of the coordinator; -1: this is no pool. */
static gssize coordinator_of(const struct xc_slot *slot)
{
    for (uint32_t i = 0; slot->snapshot && i < slot->snapshot->n_hosts; i++) {
        const struct xc_host *host = &slot->snapshot->hosts[i];

        if (XC_HAS(HOST, host, pool_role) && host->pool_role == XC_POOL_COORDINATOR)
            return i;
    }
    return -1;
}

static const void *object(const void *row)
{
    const struct xc_slot *slot = row;
    gssize at = coordinator_of(slot);

    return at < 0 ? NULL : &slot->snapshot->hosts[at];
}

static bool shows(const void *row, const struct xc_field *field)
{
    return xc_has(object(row), (unsigned)(field - xc_host_type.fields)) &&
           (field->keep == XC_INVENTORY || !xc_slot_stale(row));
}

static bool label(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_slot *slot = cell->row;

    return coordinator_of(slot) >= 0 && st_text(out, slot->spec.key);
}

static bool coordinator(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_slot *slot = cell->row;
    gssize at = coordinator_of(slot);

    return at >= 0 && slot->host_keys && st_text_or_none(out, slot->host_keys[at]);
}

static bool members(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_slot *slot = cell->row;

    return coordinator_of(slot) >= 0 && st_gauge(out, slot->snapshot->n_hosts);
}

static bool members_up(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_slot *slot = cell->row;
    uint64_t up = 0;
    bool known = false;

    if (coordinator_of(slot) < 0 || xc_slot_stale(slot))
        return false;
    for (uint32_t i = 0; i < slot->snapshot->n_hosts; i++) {
        const struct xc_host *host = &slot->snapshot->hosts[i];

        known = known || XC_HAS(HOST, host, live);
        up += XC_HAS(HOST, host, live) && host->live;
    }
    return known && st_gauge(out, up);
}

#define KEY .min = 1, .max = 32

static const struct st_column columns[] = {
    CALC(1, "xenPoolLabel", ST_TEXT, label, KEY),
    COL(2, "xenPoolName", ST_TEXT, host, HOST, pool),
    CALC(3, "xenPoolCoordinator", ST_TEXT, coordinator, KEY),
    COL(4, "xenPoolHaEnabled", ST_TRUTH, host, HOST, ha_enabled),
    COL(5, "xenPoolHaTolerates", ST_GAUGE32, host, HOST, ha_tolerates),
    CALC(6, "xenPoolMembers", ST_GAUGE32, members, .units = "hosts"),
    CALC(7, "xenPoolMembersUp", ST_GAUGE32, members_up, .units = "hosts"),
};

const struct st_table st_pool_table = {
    .name = "xenPoolTable",
    .arcs = {1, 10, 1, 1},
    .index = {{ST_INDEX_TEXT, offsetof(struct xc_slot, spec.key), "xenSourceKey", 0, KEY}},
    .row_size = sizeof(struct xc_slot *),
    .rows_are_pointers = true,
    .rows = rows,
    .object = object,
    .shows = shows,
    .columns = columns,
    .n_columns = G_N_ELEMENTS(columns),
};
