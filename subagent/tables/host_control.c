/* xenHostControlTable: what can be asked of a host. */
#include "subagent/tables/tables.h"

enum { DO = 2, NOTE = 4, TIMEOUT = 5, START_FILE = 6, CREATE = 7, CREATE_AS = 8 };

static const struct xc_label action[] = {
    {1, "noop"}, {22, "evacuate"}, {23, "hostEnable"}, {24, "hostDisable"}, {25, "rescan"}};
XC_ENUM_DEFINE(action_labels, "XenAction", action);

static const struct st_column columns[] = {
    SET(DO, "xenHostAction", ST_ENUM, st_get_noop, .labels = &action_labels),
    SET(NOTE, "xenHostNote", ST_TEXT, st_get_empty, .max = 64),
    SET(TIMEOUT, "xenHostTimeout", ST_UNSIGNED32, st_get_zero, .max = 86400, .units = "seconds"),
    SET(START_FILE, "xenHostStartFile", ST_TEXT, st_get_empty),
    SET(CREATE, "xenHostCreate", ST_TEXT, st_get_empty),
    SET(CREATE_AS, "xenHostCreateAs", ST_TEXT, st_get_empty, .max = 64),
};

/* What each action column asks for. */
static const struct {
    uint32_t arc;
    enum xc_action action; /* NOOP: the number that is written */
    bool from_library;
} asks[] = {
    {DO, XC_ACTION_NOOP, false},
    {START_FILE, XC_ACTION_CREATE, false},
    {CREATE, XC_ACTION_CREATE, true},
};

/* A write of more than what the column reads as: noop(1), an empty text, 0. */
static const struct st_write *meant(const struct st_change *change, uint32_t arc)
{
    const struct st_write *write = st_change_write(change, arc);
    int64_t idle = arc == DO ? XC_ACTION_NOOP : 0;

    return write && (write->text ? *write->text != '\0' : write->number != idle) ? write : NULL;
}

static bool choose(const struct st_change *change, struct xc_request *request, uint32_t *blame,
                   GError **error)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(asks); i++) {
        const struct st_write *write = meant(change, asks[i].arc);

        if (!write)
            continue;
        *blame = asks[i].arc;
        if (request->action != XC_ACTION_NOOP)
            return xc_fail(error, XC_CAUSE_CONFLICT, "two actions for one host in one request");
        request->action =
            asks[i].action == XC_ACTION_NOOP ? (enum xc_action)write->number : asks[i].action;
        request->argument = write->text;
        request->from_library = asks[i].from_library;
    }
    return true;
}

static bool plan(const struct st_change *change, void *context, void *transaction, uint32_t *blame,
                 GError **error)
{
    const struct st_write *note = meant(change, NOTE);
    const struct st_write *timeout = meant(change, TIMEOUT);
    const struct st_write *title = meant(change, CREATE_AS);
    const struct st_write *parameter = note ? note : timeout ? timeout : title;
    struct xc_request request = {.action = XC_ACTION_NOOP, .host = change->key};

    (void)context;
    if (!choose(change, &request, blame, error))
        return false;
    if (request.action == XC_ACTION_NOOP && !parameter)
        return true;
    if (request.action == XC_ACTION_NOOP) {
        *blame = parameter->column->arc;
        return xc_fail(error, XC_CAUSE_CONFLICT,
                       "%s is a parameter: the action belongs into the same request",
                       parameter->column->name);
    }
    request.timeout_sec = timeout ? (unsigned)timeout->number : 0;
    request.note = note ? note->text : NULL;
    request.title = title ? title->text : NULL;
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
