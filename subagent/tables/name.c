/* xenNameTable: domains by name. */
#include "subagent/tables/tables.h"

static const void *rows(void *context, size_t *n)
{
    const struct st_context *st = context;

    return st_names_rows(st->names, st->engine, n);
}

/* The one domain of that name, or NULL. */
static const struct xc_domain_ref *only(const struct st_cell *cell)
{
    const struct st_name *name = cell->row;

    return name->count == 1 ? xc_fleet_domain(st_engine(cell), name->domain) : NULL;
}

static bool index_of(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_domain_ref *ref = only(cell);

    return ref && st_number(out, ref->index);
}

static bool state(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_domain_ref *ref = only(cell);

    return ref && st_number(out, xc_ref_state(ref));
}

static bool host(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_domain_ref *ref = only(cell);

    return ref && st_text_or_none(out, xc_fleet_host_key(ref));
}

static bool migrate_to(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_domain_ref *ref = only(cell);

    return st_text(out, ref ? st_destination(cell, ref, XC_ACTION_MIGRATE) : "");
}

static bool describe_open(const struct xc_op *op, struct st_value *out)
{
    const char *action = xc_enum_label(&xc_action_labels, (int)op->action);
    const char *stage = xc_enum_label(&xc_op_state_labels, (int)op->state);
    const char *phase = op->phase && *op->phase ? op->phase : NULL;

    if (op->progress >= 0)
        return st_format(out, "%s: %s%s%s, %d %%", action, stage, phase ? ", " : "",
                         phase ? phase : "", op->progress);
    return st_format(out, "%s: %s%s%s", action, stage, phase ? ", " : "", phase ? phase : "");
}

static bool last_operation(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_domain_ref *ref = only(cell);
    const struct xc_op *op = ref ? st_last_op(cell, ref) : NULL;

    if (!op)
        return false;
    if (op->state != XC_OP_FINISHED)
        return describe_open(op, out);
    const char *action = xc_enum_label(&xc_action_labels, (int)op->action);
    const char *result = xc_enum_label(&xc_result_labels, (int)op->result);

    if (op->result == XC_RESULT_OK || op->cause == XC_CAUSE_NONE)
        return st_format(out, "%s: %s", action, result);
    return st_format(out, "%s: %s: %s: %s", action, result,
                     xc_enum_label(&xc_cause_labels, (int)op->cause), op->text);
}

static const struct st_column columns[] = {
    CALC(2, "xenNameDomainIndex", ST_UNSIGNED32, index_of, .min = 1, .max = G_MAXINT32),
    MEMBER(3, "xenNameCount", ST_GAUGE32, st_get_member, st_name, count, .units = "domains"),
    CALC(4, "xenNameState", ST_ENUM, state, .labels = &xc_domain_state_labels),
    CALC(5, "xenNameHost", ST_TEXT, host, .max = 32),
    SET(6, "xenNamePower", ST_ENUM, st_get_noop, .labels = &st_power_labels),
    SET(7, "xenNameForce", ST_ENUM, st_get_noop, .labels = &st_force_labels),
    SET(8, "xenNameMigrateTo", ST_TEXT, migrate_to, .max = 32),
    CALC(9, "xenNameLastOperation", ST_TEXT, last_operation),
    SET(10, "xenNameCheckMigrateTo", ST_TEXT, st_get_empty, .max = 32),
};

static bool plan(const struct st_change *change, void *context, void *transaction, uint32_t *blame,
                 GError **error)
{
    static const struct st_action_arcs arcs = {.power = 6, .force = 7, .migrate = 8, .check = 10};
    const struct st_name *name = change->row;

    (void)context;
    if (name->count > 1)
        return xc_fail(error, XC_CAUSE_AMBIGUOUS,
                       "%s stands for %u domains: use host/name, or the index", name->text,
                       name->count);
    return st_plan_domain(change, &arcs, name->domain, transaction, blame, error);
}

const struct st_table st_name_table = {
    .name = "xenNameTable",
    .arcs = {1, 2, 2, 1},
    .index = {{ST_INDEX_TEXT, offsetof(struct st_name, text), "xenNameText", 1, 1, ST_NAME_MAX}},
    .row_size = sizeof(struct st_name),
    .rows = rows,
    .columns = columns,
    .n_columns = G_N_ELEMENTS(columns),
    .plan = plan,
};
