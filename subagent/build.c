/* Building the tree from const tables, and refusing those that contradict themselves. */
#include "subagent/set.h"
#include "subagent/table.h"
#include "xenclient/util/error.h"

#include <string.h>

static const u_char asn_types[] = {
    [ST_INTEGER32] = ASN_INTEGER,   [ST_UNSIGNED32] = ASN_UNSIGNED, [ST_GAUGE32] = ASN_GAUGE,
    [ST_COUNTER32] = ASN_COUNTER,   [ST_COUNTER64] = ASN_COUNTER64, [ST_PERCENT] = ASN_GAUGE,
    [ST_TIMESTAMP] = ASN_TIMETICKS, [ST_ENUM] = ASN_INTEGER,        [ST_TRUTH] = ASN_INTEGER,
    [ST_ROW_STATUS] = ASN_INTEGER,  [ST_LOCK] = ASN_INTEGER,        [ST_BITS] = ASN_OCTET_STR,
    [ST_TEXT] = ASN_OCTET_STR,      [ST_DATE] = ASN_OCTET_STR,      [ST_TICKS] = ASN_TIMETICKS,
    [ST_OCTETS] = ASN_OCTET_STR,    [ST_OID] = ASN_OBJECT_ID,
};

/* The syntaxes that can carry a kind of fact. */
static bool carries(enum st_type type, enum xc_kind kind)
{
    switch (kind) {
    case XC_TEXT:
    case XC_UUID:
        return type == ST_TEXT;
    case XC_ENUM:
        return type == ST_ENUM;
    case XC_BOOL:
        return type == ST_TRUTH;
    case XC_GAUGE:
        return type == ST_GAUGE32 || type == ST_UNSIGNED32 || type == ST_PERCENT ||
               type == ST_INTEGER32;
    case XC_COUNTER:
        return type == ST_COUNTER64;
    case XC_INTEGER:
        return type == ST_INTEGER32;
    case XC_TIME:
        return type == ST_DATE;
    }
    return false;
}

static unsigned n_arcs(const uint32_t *arcs)
{
    unsigned n = 0;

    while (n < ST_MAX_ARCS && arcs[n])
        n++;
    return n;
}

static bool check_table(const struct st_table *table, GError **error)
{
    const struct st_table *base = table->augments ? table->augments : table;
    unsigned arcs = n_arcs(table->arcs);

    if (arcs == 0 || arcs == ST_MAX_ARCS)
        return xc_fail(error, XC_CAUSE_INTERNAL, "%s: no place in the tree", table->name);
    if (strlen(table->name) > ST_MAX_NAME)
        return xc_fail(error, XC_CAUSE_INTERNAL, "%s: name too long", table->name);
    if (base->augments)
        return xc_fail(error, XC_CAUSE_INTERNAL, "%s: augments a table that augments", table->name);
    if (!base->scalars && (!base->rows || !base->index[0].kind || base->row_size == 0))
        return xc_fail(error, XC_CAUSE_INTERNAL, "%s: no rows or no index", table->name);
    if (base->children && (!base->index[1].kind || base->child_size == 0))
        return xc_fail(error, XC_CAUSE_INTERNAL, "%s: children without an index", table->name);
    if (table->n_columns == 0)
        return xc_fail(error, XC_CAUSE_INTERNAL, "%s: no columns", table->name);
    if (table->plan && base->index[1].kind &&
        (!base->children || base->index[0].kind != ST_INDEX_TEXT ||
         base->index[1].kind != ST_INDEX_TEXT))
        return xc_fail(error, XC_CAUSE_INTERNAL,
                       "%s: writing needs an index of one part, or of two texts", table->name);
    return true;
}

static bool check_source(const struct st_table *table, const struct st_column *column,
                         GError **error)
{
    const struct st_table *base = table->augments ? table->augments : table;

    if (!column->get == !column->object)
        return xc_fail(error, XC_CAUSE_INTERNAL, "%s: needs either a field or a getter",
                       column->name);
    if (column->object && (column->field >= column->object->n_fields ||
                           !carries(column->type, column->object->fields[column->field].kind)))
        return xc_fail(error, XC_CAUSE_INTERNAL, "%s: %s can't carry its field", column->name,
                       st_type_name(column->type));
    if (column->object && !table->object && !base->object)
        return xc_fail(error, XC_CAUSE_INTERNAL, "%s: rows of %s have no object", column->name,
                       table->name);
    if (column->divide && !column->units)
        return xc_fail(error, XC_CAUSE_INTERNAL, "%s: divided, but in what unit", column->name);
    return true;
}

static bool check_column(const struct st_table *table, const struct st_leaf *leaf, uint32_t before,
                         GError **error)
{
    const struct st_column *column = leaf->column;

    if (column->arc <= before)
        return xc_fail(error, XC_CAUSE_INTERNAL, "%s: number %u does not rise", column->name,
                       column->arc);
    if (strlen(column->name) > ST_MAX_NAME)
        return xc_fail(error, XC_CAUSE_INTERNAL, "%s: name too long", column->name);
    if ((column->type == ST_ENUM || column->type == ST_BITS) &&
        (!leaf->labels || leaf->labels->n_labels == 0))
        return xc_fail(error, XC_CAUSE_INTERNAL, "%s: enumeration without labels", column->name);
    if (column->access != ST_READ_ONLY && !table->plan)
        return xc_fail(error, XC_CAUSE_INTERNAL, "%s: writable without a writer", column->name);
    return true;
}

static bool add_table(struct st_mib *mib, struct st_table_state *state, GError **error)
{
    const struct st_table *table = state->table;
    uint32_t before = 0;

    for (unsigned i = 0; i < table->n_columns; i++) {
        const struct st_column *column = &table->columns[i];
        struct st_leaf *leaf = &mib->leaves[mib->n_leaves];

        if (!check_source(table, column, error))
            return false;
        leaf->table = state;
        leaf->column = column;
        leaf->field = column->object ? &column->object->fields[column->field] : NULL;
        leaf->labels = column->labels || !leaf->field ? column->labels : leaf->field->labels;
        leaf->asn = asn_types[column->type];
        if (!check_column(table, leaf, before, error))
            return false;
        before = column->arc;
        for (unsigned arc = 0; arc < n_arcs(table->arcs); arc++)
            leaf->prefix[leaf->length++] = table->arcs[arc];
        leaf->prefix[leaf->length++] = column->arc;
        mib->n_leaves++;
    }
    return true;
}

static int by_place(const void *a, const void *b)
{
    const struct st_leaf *x = a;
    const struct st_leaf *y = b;

    return snmp_oid_compare(x->prefix, x->length, y->prefix, y->length);
}

/* No column may stand at, or below, the place of another. */
static bool check_places(const struct st_mib *mib, GError **error)
{
    for (unsigned i = 1; i < mib->n_leaves; i++) {
        const struct st_leaf *a = &mib->leaves[i - 1];
        const struct st_leaf *b = &mib->leaves[i];

        if (a->length <= b->length && memcmp(a->prefix, b->prefix, a->length * sizeof(oid)) == 0)
            return xc_fail(error, XC_CAUSE_INTERNAL, "%s and %s have the same place",
                           a->column->name, b->column->name);
    }
    return true;
}

struct st_mib *st_mib_new(const oid *root, size_t root_length, const struct st_table *const *tables,
                          unsigned n_tables, void *context, const struct st_set_hooks *hooks,
                          GError **error)
{
    g_autoptr(st_mib) mib = g_new0(struct st_mib, 1);
    unsigned n = 0;

    for (unsigned i = 0; i < n_tables; i++)
        n += tables[i]->n_columns;
    memcpy(mib->root, root, root_length * sizeof(oid));
    mib->root_length = root_length;
    mib->context = context;
    mib->hooks = hooks;
    mib->leaves = g_new0(struct st_leaf, n);
    mib->states = g_new0(struct st_table_state, n_tables);
    mib->sets = g_ptr_array_new();
    g_snprintf(mib->set_name, sizeof(mib->set_name), "xensnmp-set-%p", (void *)mib);
    for (unsigned i = 0; i < n_tables; i++) {
        mib->states[i].table = tables[i];
        mib->states[i].base = tables[i]->augments ? tables[i]->augments : tables[i];
        if (!check_table(tables[i], error) || !add_table(mib, &mib->states[i], error))
            return NULL;
    }
    qsort(mib->leaves, mib->n_leaves, sizeof(mib->leaves[0]), by_place);
    if (!check_places(mib, error))
        return NULL;
    return g_steal_pointer(&mib);
}

void *st_mib_free(struct st_mib *mib)
{
    if (!mib)
        return NULL;
    st_sets_abandon(mib);
    g_ptr_array_unref(mib->sets);
    g_free(mib->leaves);
    g_free(mib->states);
    g_free(mib);
    return NULL;
}
