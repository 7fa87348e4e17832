/* xenHostDomainTable: the domains of each host. Rows hang below those of xenHostTable and are what the
 * host itself said last. */
#include "subagent/tables/tables.h"

static const void *domains(void *context, const void *host, size_t *n)
{
    const struct xc_host_ref *ref = host;

    (void)context;
    *n = 0;
    if (ref->row < 0 || !ref->slot->snapshot)
        return NULL;
    return xc_snapshot_on_host(ref->slot->snapshot, (uint32_t)ref->row, n);
}

static bool label(const struct st_cell *cell, struct st_value *out)
{
    const struct st_pair *pair = cell->row;
    const struct xc_host_ref *host = pair->parent;
    const struct xc_domain *domain = pair->child;

    if (!XC_HAS(DOMAIN, domain, name))
        return st_format(out, "%s/#%u", host->key, domain->index);
    return st_format(out, "%s/%s", host->key, domain->name);
}

static bool role(const struct st_cell *cell, struct st_value *out)
{
    const struct st_pair *pair = cell->row;
    const struct xc_host_ref *host = pair->parent;
    const struct xc_domain *domain = pair->child;

    if (xc_slot_stale(host->slot))
        return false;
    if (!XC_HAS(DOMAIN, domain, domid))
        return st_number(out, XC_ROLE_HOME);
    return st_number(out, XC_HAS(DOMAIN, domain, config) ? XC_ROLE_BOTH : XC_ROLE_RUNNING);
}

/* Of the domain, wherever it is. */
static bool state(const struct st_cell *cell, struct st_value *out)
{
    const struct st_pair *pair = cell->row;
    const struct xc_domain *domain = pair->child;
    const struct xc_domain_ref *ref = xc_fleet_domain(st_engine(cell), domain->index);

    return ref && st_number(out, xc_ref_state(ref));
}

static const struct st_column columns[] = {
    CALC(1, "xenHostDomainLabel", ST_TEXT, label),
    COL(2, "xenHostDomainName", ST_TEXT, domain, DOMAIN, name),
    CALC(3, "xenHostDomainRole", ST_ENUM, role, .labels = &xc_host_role_labels),
    CALC(4, "xenHostDomainState", ST_ENUM, state, .labels = &xc_domain_state_labels),
};

const struct st_table st_host_domain_table = {
    .name = "xenHostDomainTable",
    .arcs = {1, 4, 6, 1},
    .index = {{ST_INDEX_TEXT, offsetof(struct xc_host_ref, key), "xenHostKey", 0, 1, 32},
              {ST_INDEX_INTEGER, offsetof(struct xc_domain, index), "xenDomainIndex", 0, 1,
               G_MAXINT32}},
    .row_size = sizeof(struct xc_host_ref),
    .rows = st_host_rows,
    .children = domains,
    .child_size = sizeof(struct xc_domain *),
    .children_are_pointers = true,
    .object = st_child_object,
    .columns = columns,
    .n_columns = G_N_ELEMENTS(columns),
};
