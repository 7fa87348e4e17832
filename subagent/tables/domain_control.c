/* xenDomainControlTable: what can be asked of a domain. */
#include "subagent/tables/tables.h"

static const struct xc_label power[] = {{1, "noop"},    {2, "start"}, {3, "shutdown"},
                                        {4, "reboot"},  {5, "pause"}, {6, "unpause"},
                                        {7, "suspend"}, {8, "resume"}};
XC_ENUM_DEFINE(st_power_labels, "XenAction", power);
static const struct xc_label force[] = {{1, "noop"},    {9, "destroy"},   {10, "reset"},
                                        {13, "delete"}, {19, "dumpCore"}, {20, "nmi"}};
XC_ENUM_DEFINE(st_force_labels, "XenAction", force);

static bool lock(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_domain_ref *ref = cell->row;

    return st_number(out, ref->track->lock);
}

static bool protect(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_domain_ref *ref = cell->row;

    return st_truth(out, ref->track->protect);
}

const char *st_destination(const struct st_cell *cell, const struct xc_domain_ref *ref,
                           enum xc_action action)
{
    const struct xc_op *op =
        ref->track->active_op ? xc_op_find(st_engine(cell), ref->track->active_op) : NULL;

    return op && op->action == action ? op->host_to : "";
}

static bool migrate_to(const struct st_cell *cell, struct st_value *out)
{
    return st_text(out, st_destination(cell, cell->row, XC_ACTION_MIGRATE));
}

static const struct st_column columns[] = {
    SET(1, "xenDomainLock", ST_LOCK, lock),
    SET(2, "xenDomainPower", ST_ENUM, st_get_noop, .labels = &st_power_labels),
    SET(3, "xenDomainForce", ST_ENUM, st_get_noop, .labels = &st_force_labels),
    SET(4, "xenDomainMigrateTo", ST_TEXT, migrate_to, .max = 32),
    SET(6, "xenDomainStartOn", ST_TEXT, st_get_empty, .max = 32),
    SET(7, "xenDomainTimeout", ST_UNSIGNED32, st_get_zero, .max = 86400, .units = "seconds"),
    SET(8, "xenDomainSetMemory", ST_UNSIGNED32, st_get_zero, .max = G_MAXINT32,
        .units = "mebibytes"),
    SET(9, "xenDomainSetVcpus", ST_UNSIGNED32, st_get_zero, .max = 4096, .units = "vCPUs"),
    SET(10, "xenDomainSetWeight", ST_UNSIGNED32, st_get_zero, .max = 65535),
    SET(11, "xenDomainSetCap", ST_INTEGER32, st_get_minus_one, .min = -1, .max = 409600,
        .units = "percent"),
    SET(13, "xenDomainProtected", ST_TRUTH, protect),
    SET(14, "xenDomainSnapshotNow", ST_TEXT, st_get_empty, .max = 64),
    SET(15, "xenDomainNote", ST_TEXT, st_get_empty, .max = 64),
    SET(16, "xenDomainCheckMigrateTo", ST_TEXT, st_get_empty, .max = 32),
    SET(17, "xenDomainCheckpointNow", ST_TEXT, st_get_empty, .max = 64),
    SET(18, "xenDomainRevertTo", ST_UNSIGNED32, st_get_zero, .max = G_MAXINT32),
    SET(19, "xenDomainDeleteSnapshot", ST_UNSIGNED32, st_get_zero, .max = G_MAXINT32),
    SET(20, "xenDomainCloneAs", ST_TEXT, st_get_empty, .max = 64),
};

/* The columns whose text is what the action needs; an empty one asks for nothing. */
static const struct {
    size_t arc; /* offset in struct st_action_arcs */
    enum xc_action action;
} texts[] = {
    {offsetof(struct st_action_arcs, migrate), XC_ACTION_MIGRATE},
    {offsetof(struct st_action_arcs, check), XC_ACTION_CHECK_MIGRATE},
    {offsetof(struct st_action_arcs, snapshot), XC_ACTION_SNAPSHOT},
    {offsetof(struct st_action_arcs, checkpoint), XC_ACTION_CHECKPOINT},
    {offsetof(struct st_action_arcs, clone), XC_ACTION_CLONE},
};

/* The numbers that can be set; written as it reads, a column asks for nothing. */
static const struct {
    size_t arc; /* offset in struct st_action_arcs */
    enum xc_action action;
    int64_t reads;
} amounts[] = {
    {offsetof(struct st_action_arcs, memory), XC_ACTION_SET_MEMORY, 0},
    {offsetof(struct st_action_arcs, vcpus), XC_ACTION_SET_VCPUS, 0},
    {offsetof(struct st_action_arcs, weight), XC_ACTION_SET_WEIGHT, 0},
    {offsetof(struct st_action_arcs, cap), XC_ACTION_SET_CAP, -1},
    {offsetof(struct st_action_arcs, revert), XC_ACTION_REVERT, 0},
    {offsetof(struct st_action_arcs, delete_snapshot), XC_ACTION_DELETE_SNAPSHOT, 0},
};

static enum xc_action amount_of(const struct st_write *write, const struct st_action_arcs *arcs)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(amounts); i++) {
        uint32_t arc = G_STRUCT_MEMBER(uint32_t, arcs, amounts[i].arc);

        if (arc == write->column->arc)
            return write->number == amounts[i].reads ? XC_ACTION_NOOP : amounts[i].action;
    }
    return XC_ACTION_NOOP;
}

/* The action a write asks for; NOOP: it is none, or one that changes nothing. */
static enum xc_action action_of(const struct st_write *write, const struct st_action_arcs *arcs)
{
    uint32_t arc = write->column->arc;

    if (arc == arcs->power || arc == arcs->force)
        return (enum xc_action)write->number;
    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++)
        if (arc == G_STRUCT_MEMBER(uint32_t, arcs, texts[i].arc))
            return *write->text ? texts[i].action : XC_ACTION_NOOP;
    return amount_of(write, arcs);
}

static bool choose_action(const struct st_change *change, const struct st_action_arcs *arcs,
                          struct xc_request *request, uint32_t *blame, GError **error)
{
    request->action = XC_ACTION_NOOP;
    for (guint i = 0; i < change->writes->len; i++) {
        const struct st_write *write = &g_array_index(change->writes, struct st_write, i);
        enum xc_action action = action_of(write, arcs);

        if (action == XC_ACTION_NOOP)
            continue;
        *blame = write->column->arc;
        if (request->action != XC_ACTION_NOOP)
            return xc_fail(error, XC_CAUSE_CONFLICT, "two actions for one domain in one request");
        request->action = action;
        request->amount = write->number;
        if (xc_action_info(action)->names_point || xc_action_info(action)->names_copy)
            request->argument = write->text;
        else
            request->host = write->text;
        if (xc_action_info(action)->has_point)
            request->point = (uint32_t)write->number;
    }
    return true;
}

static bool without_action(const char *name, uint32_t arc, uint32_t *blame, GError **error)
{
    *blame = arc;
    return xc_fail(error, XC_CAUSE_CONFLICT,
                   "%s is a parameter: the action belongs into the same request", name);
}

/* Parameters that read as they are written (0, "") ask for nothing. */
static bool take_parameters(const struct st_change *change, const struct st_action_arcs *arcs,
                            struct xc_request *request, uint32_t *blame, GError **error)
{
    const struct st_write *start_on = st_change_write(change, arcs->start_on);
    const struct st_write *timeout = st_change_write(change, arcs->timeout);
    const struct st_write *note = st_change_write(change, arcs->note);
    bool idle = request->action == XC_ACTION_NOOP;

    if (start_on && *start_on->text) {
        if (!xc_action_info(request->action) || !xc_action_info(request->action)->may_host)
            return without_action(start_on->column->name, arcs->start_on, blame, error);
        request->host = start_on->text;
    }
    if (timeout && timeout->number) {
        if (idle)
            return without_action(timeout->column->name, arcs->timeout, blame, error);
        request->timeout_sec = (unsigned)timeout->number;
    }
    if (note && *note->text) {
        if (idle)
            return without_action(note->column->name, arcs->note, blame, error);
        request->note = note->text;
    }
    return true;
}

bool st_plan_domain(const struct st_change *change, const struct st_action_arcs *arcs,
                    uint32_t domain, struct xc_txn *txn, uint32_t *blame, GError **error)
{
    const struct st_write *lock_write = st_change_write(change, arcs->lock);
    const struct st_write *protect_write = st_change_write(change, arcs->protect);
    struct xc_request request = {.domain = domain, .locked = lock_write != NULL};
    uint32_t action_arc = *blame;

    if (!choose_action(change, arcs, &request, &action_arc, error)) {
        *blame = action_arc;
        return false;
    }
    if (!take_parameters(change, arcs, &request, blame, error))
        return false;
    if (lock_write) {
        *blame = arcs->lock;
        if (!xc_txn_lock(txn, domain, (uint32_t)lock_write->number, error))
            return false;
    }
    if (protect_write) {
        *blame = arcs->protect;
        if (!xc_txn_protect(txn, domain, protect_write->number == ST_TRUE, error))
            return false;
    }
    *blame = action_arc;
    return request.action == XC_ACTION_NOOP || xc_txn_add_op(txn, &request, error);
}

static bool plan(const struct st_change *change, void *context, void *transaction, uint32_t *blame,
                 GError **error)
{
    static const struct st_action_arcs arcs = {.lock = 1,
                                               .power = 2,
                                               .force = 3,
                                               .migrate = 4,
                                               .start_on = 6,
                                               .timeout = 7,
                                               .memory = 8,
                                               .vcpus = 9,
                                               .weight = 10,
                                               .cap = 11,
                                               .protect = 13,
                                               .note = 15,
                                               .check = 16,
                                               .snapshot = 14,
                                               .checkpoint = 17,
                                               .revert = 18,
                                               .delete_snapshot = 19,
                                               .clone = 20};

    (void)context;
    return st_plan_domain(change, &arcs, change->number, transaction, blame, error);
}

const struct st_table st_domain_control_table = {
    .name = "xenDomainControlTable",
    .arcs = {1, 2, 1, 1},
    .augments = &st_domain_table,
    .columns = columns,
    .n_columns = G_N_ELEMENTS(columns),
    .plan = plan,
};
