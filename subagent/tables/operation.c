/* xenOperationTable: what was asked and what became of it. */
#include "subagent/tables/tables.h"

static const void *rows(void *context, size_t *n)
{
    return xc_ops(((const struct st_context *)context)->engine, n);
}

static bool progress(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_op *op = cell->row;

    return op->progress >= 0 && st_number(out, (uint64_t)op->progress);
}

static bool elapsed(const struct st_cell *cell, struct st_value *out)
{
    return st_gauge(out, (uint64_t)xc_op_elapsed(cell->row) / 1000);
}

static bool label(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_op *op = cell->row;

    return st_format(out, "%s %s", xc_enum_label(&xc_action_labels, (int)op->action), op->target);
}

/* Of an operation on a whole group alone; others have no such cell. */
static bool of_group(const struct st_cell *cell, struct st_value *out)
{
    return xc_op_is_group(cell->row) && st_get_member(cell, out);
}

static const struct xc_label cancel[] = {{1, "noop"}, {2, "cancel"}};
static XC_ENUM_DEFINE(cancel_labels, "xenOperationCancel", cancel);

#define OP(arc, name, type, member, ...)                                                           \
    MEMBER(arc, name, type, st_get_member, xc_op, member, __VA_ARGS__)

#define COUNTED(arc, name, member)                                                                 \
    MEMBER(arc, name, ST_GAUGE32, of_group, xc_op, member, .units = "operations")

static const struct st_column columns[] = {
    OP(2, "xenOperationAction", ST_ENUM, action, .labels = &xc_action_labels),
    OP(3, "xenOperationDomainIndex", ST_UNSIGNED32, domain, .none_if_zero = true, .min = 1,
       .max = G_MAXINT32),
    OP(4, "xenOperationTarget", ST_TEXT, target),
    OP(5, "xenOperationHostFrom", ST_TEXT, host_from, .none_if_zero = true, .min = 1, .max = 32),
    OP(6, "xenOperationHostTo", ST_TEXT, host_to, .none_if_zero = true, .min = 1, .max = 32),
    OP(7, "xenOperationArgument", ST_TEXT, argument, .none_if_zero = true),
    OP(8, "xenOperationSource", ST_TEXT, source, .none_if_zero = true, .min = 1, .max = 32),
    OP(9, "xenOperationNote", ST_TEXT, note, .none_if_zero = true, .max = 64),
    OP(10, "xenOperationTimeout", ST_GAUGE32, timeout_usec, .divide = 1000000, .units = "seconds"),
    OP(11, "xenOperationState", ST_ENUM, state, .labels = &xc_op_state_labels),
    OP(12, "xenOperationPhase", ST_TEXT, phase, .none_if_zero = true),
    CALC(13, "xenOperationProgress", ST_GAUGE32, progress, .max = 100, .units = "percent"),
    OP(14, "xenOperationResult", ST_ENUM, result, .labels = &xc_result_labels),
    OP(15, "xenOperationCause", ST_ENUM, cause, .labels = &xc_cause_labels),
    OP(16, "xenOperationText", ST_TEXT, text),
    OP(17, "xenOperationCreated", ST_DATE, created_real),
    OP(18, "xenOperationStarted", ST_DATE, started_real),
    OP(19, "xenOperationEnded", ST_DATE, ended_real),
    CALC(20, "xenOperationElapsed", ST_GAUGE32, elapsed, .units = "milliseconds"),
    OP(21, "xenOperationAttempts", ST_GAUGE32, attempts, .units = "attempts"),
    SET(22, "xenOperationCancel", ST_ENUM, st_get_noop, .labels = &cancel_labels),
    CALC(23, "xenOperationLabel", ST_TEXT, label),
    OP(24, "xenOperationParent", ST_UNSIGNED32, parent, .none_if_zero = true, .min = 1,
       .max = G_MAXINT32),
    OP(25, "xenOperationGroupName", ST_TEXT, group, .none_if_zero = true, .min = 1, .max = 32),
    COUNTED(26, "xenOperationDone", done),
    COUNTED(27, "xenOperationTotal", total),
    COUNTED(28, "xenOperationFailed", failed),
};

static bool plan(const struct st_change *change, void *context, void *transaction, uint32_t *blame,
                 GError **error)
{
    const struct st_write *write = st_change_write(change, 22);

    (void)context;
    (void)blame;
    return write->number == XC_ACTION_NOOP || xc_txn_cancel_op(transaction, change->number, error);
}

const struct st_table st_operation_table = {
    .name = "xenOperationTable",
    .arcs = {1, 6, 1, 1},
    .index = {{ST_INDEX_INTEGER, offsetof(struct xc_op, index), "xenOperationIndex", 1, 1,
               G_MAXINT32}},
    .row_size = sizeof(struct xc_op *),
    .rows_are_pointers = true,
    .rows = rows,
    .columns = columns,
    .n_columns = G_N_ELEMENTS(columns),
    .plan = plan,
};

static bool count(const struct st_cell *cell, struct st_value *out)
{
    struct xc_op_counts counts = xc_op_counts(st_engine(cell));

    return st_read_member(cell->column, &counts, out);
}

#define COUNT(arc, name, type, member)                                                             \
    MEMBER(arc, name, type, count, xc_op_counts, member, .units = "operations")

static const struct st_column scalars[] = {
    COUNT(2, "xenOperationsRunning", ST_GAUGE32, running),
    COUNT(3, "xenOperationsQueued", ST_GAUGE32, queued),
    COUNT(4, "xenOperationsSucceeded", ST_COUNTER32, succeeded),
    COUNT(5, "xenOperationsFailed", ST_COUNTER32, failed),
};

const struct st_table st_operation_scalars = {
    .name = "xenOperations",
    .arcs = {1, 6},
    .scalars = true,
    .columns = scalars,
    .n_columns = G_N_ELEMENTS(scalars),
};
