/* xenHostControlTable: what can be asked of a host. */
#include "subagent/tables/tables.h"

enum { NOTE = 4, TIMEOUT = 5, START_FILE = 6, CREATE = 7 };

static const struct st_column columns[] = {
    SET(NOTE, "xenHostNote", ST_TEXT, st_get_empty, .max = 64),
    SET(TIMEOUT, "xenHostTimeout", ST_UNSIGNED32, st_get_zero, .max = 86400, .units = "seconds"),
    SET(START_FILE, "xenHostStartFile", ST_TEXT, st_get_empty),
    SET(CREATE, "xenHostCreate", ST_TEXT, st_get_empty),
};

/* A write of more than the empty text or 0 that the column reads as. */
static const struct st_write *meant(const struct st_change *change, uint32_t arc)
{
    const struct st_write *write = st_change_write(change, arc);

    return write && (write->text ? *write->text != '\0' : write->number != 0) ? write : NULL;
}

static bool plan(const struct st_change *change, void *context, void *transaction, uint32_t *blame,
                 GError **error)
{
    const struct st_write *file = meant(change, START_FILE);
    const struct st_write *name = meant(change, CREATE);
    const struct st_write *note = meant(change, NOTE);
    const struct st_write *timeout = meant(change, TIMEOUT);
    const struct st_write *parameter = note ? note : timeout;

    (void)context;
    if (!file && !name && !parameter)
        return true;
    *blame = (file ? file : name ? name : parameter)->column->arc;
    if (!file && !name)
        return xc_fail(error, XC_CAUSE_CONFLICT,
                       "%s is a parameter: the action belongs into the same request",
                       parameter->column->name);
    if (file && name)
        return xc_fail(error, XC_CAUSE_CONFLICT, "two actions for one host in one request");
    const struct xc_request request = {
        .action = XC_ACTION_CREATE,
        .host = change->key,
        .argument = (file ? file : name)->text,
        .from_library = name != NULL,
        .timeout_sec = timeout ? (unsigned)timeout->number : 0,
        .note = note ? note->text : NULL,
    };
    return xc_txn_add_op(transaction, &request, error);
}

const struct st_table st_host_control_table = {
    .name = "xenHostControlTable",
    .arcs = {1, 3, 3, 1},
    .augments = &st_host_table,
    .columns = columns,
    .n_columns = G_N_ELEMENTS(columns),
    .plan = plan,
};
