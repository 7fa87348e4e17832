/* The list of MIBs. */
#include "subagent/trees.h"

#include "mibs/oid_root.h"
#include "subagent/schema.h"
#include "subagent/set.h"
#include "subagent/tables/tables.h"

#include <string.h>

static const oid xensnmp_root[] = {XENSNMP_OID_ROOT};
static const oid vm_mib_root[] = {1, 3, 6, 1, 2, 1, 236};
static const oid librenms_root[] = {1, 3, 6, 1, 4, 1, 60652, 100};

static const struct st_table *const host_tables[] = {
    &st_host_table, &st_host_perf_table,   &st_domain_table, &st_domain_perf_table,
    &st_vcpu_table, &st_vif_table,         &st_vbd_table,    &st_snapshot_table,
    &st_pif_table,  &st_host_domain_table,
};
static const struct st_table *const vm_mib_tables[] = {
    &st_vm_hypervisor_scalars, &st_vm_scalars,       &st_vm_table,         &st_vm_cpu_table,
    &st_vm_cpu_affinity_table, &st_vm_storage_table, &st_vm_network_table,
};
static const struct st_table *const librenms_tables[] = {&st_librenms_table};

static bool always(const struct xc_config *config)
{
    (void)config;
    return true;
}

static bool wants_contexts(const struct xc_config *config)
{
    return config->contexts;
}

static bool wants_vm_mib(const struct xc_config *config)
{
    return config->vm_mib;
}

static bool wants_librenms(const struct xc_config *config)
{
    return config->librenms;
}

static const struct served_mib {
    const char *name;
    const oid *root;
    size_t root_length;
    const struct st_table *const *tables;
    const unsigned *n_tables;
    bool (*wanted)(const struct xc_config *config);
    bool of_fleet;
    bool of_hosts;
} all[ST_N_TREES] = {
    [ST_TREE_XENSNMP] = {"xensnmp", xensnmp_root, G_N_ELEMENTS(xensnmp_root), st_tables,
                         &st_n_tables, always, true, false},
    [ST_TREE_XENSNMP_HOST] = {"xensnmp-host", xensnmp_root, G_N_ELEMENTS(xensnmp_root), host_tables,
                              &(const unsigned){G_N_ELEMENTS(host_tables)}, wants_contexts, false,
                              true},
    [ST_TREE_VM_MIB] = {"vm-mib", vm_mib_root, G_N_ELEMENTS(vm_mib_root), vm_mib_tables,
                        &(const unsigned){G_N_ELEMENTS(vm_mib_tables)}, wants_vm_mib, true, true},
    [ST_TREE_LIBRENMS] = {"librenms", librenms_root, G_N_ELEMENTS(librenms_root), librenms_tables,
                          &(const unsigned){G_N_ELEMENTS(librenms_tables)}, wants_librenms, true,
                          true},
};

bool st_trees_build(struct st_trees *trees, struct st_context *context, GError **error)
{
    const struct xc_config *config = xc_engine_config(context->engine);

    for (unsigned i = 0; i < ST_N_TREES; i++) {
        if (!all[i].wanted(config))
            continue;
        trees->mibs[i] = st_mib_new(all[i].root, all[i].root_length, all[i].tables,
                                    *all[i].n_tables, context, &st_engine_hooks, error);
        if (!trees->mibs[i])
            return false;
    }
    context->mib = trees->mibs[ST_TREE_XENSNMP];
    return true;
}

void st_trees_clear(struct st_trees *trees)
{
    for (unsigned i = 0; i < ST_N_TREES; i++)
        trees->mibs[i] = st_mib_free(trees->mibs[i]);
}

bool st_tree_of_fleet(unsigned tree)
{
    return all[tree].of_fleet;
}

bool st_tree_of_hosts(unsigned tree)
{
    return all[tree].of_hosts;
}

char *st_trees_schema(const char *name, GError **error)
{
    g_autoptr(GString) names = g_string_new(NULL);

    for (unsigned i = 0; i < ST_N_TREES; i++) {
        if (strcmp(all[i].name, name) == 0)
            return st_schema_text(all[i].root, all[i].root_length, all[i].tables, *all[i].n_tables);
        g_string_append_printf(names, "%s%s", i ? ", " : "", all[i].name);
    }
    xc_fail(error, XC_CAUSE_BAD_VALUE, "there is no MIB %s; there are %s", name, names->str);
    return NULL;
}
