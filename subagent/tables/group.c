/* xenGroupTable: groups of domains; rows can be made and removed, and all members asked for something at once. */
#include "subagent/tables/tables.h"

#include <string.h>

enum {
    DESCR = 3,
    HOSTS = 4,
    POLICY = 5,
    ORDER = 6,
    MIN_RUNNING = 7,
    LOCK = 8,
    POWER = 9,
    FORCE = 10,
    MIGRATE_TO = 11,
    ROW_STATUS = 33,
    TIMEOUT = 34,
    NOTE = 35,
};

#define REBALANCE "@spread"

static const struct xc_label force[] = {{1, "noop"}, {9, "destroy"}, {10, "reset"}};
XC_ENUM_DEFINE(st_group_force_labels, "XenAction", force);

const void *st_group_rows(void *context, size_t *n)
{
    return xc_groups_listed(((const struct st_context *)context)->engine, n);
}

/* Rows are brought to the present one by one: a walk over many groups looks at few in each request. */
static const struct xc_group *group_of(const struct st_cell *cell)
{
    struct xc_group *group = (struct xc_group *)cell->row;

    xc_group_refresh(st_engine(cell), group);
    return group;
}

static bool member(const struct st_cell *cell, struct st_value *out)
{
    return st_read_member(cell->column, group_of(cell), out);
}

/* A member of the definition. */
static bool spec(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_group *group = cell->row;

    return st_read_member(cell->column, group->spec, out);
}

/* What a vApp is for is not told. */
static bool descr(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_group *group = cell->row;

    return group->origin != XC_FROM_HYPERVISOR && spec(cell, out);
}

static bool sum(const struct st_cell *cell, struct st_value *out)
{
    return st_read_member(cell->column, &group_of(cell)->sums, out);
}

#define KNOWN_SUM(name)                                                                            \
    static bool sum_##name(const struct st_cell *cell, struct st_value *out)                       \
    {                                                                                              \
        return group_of(cell)->sums.has_##name && sum(cell, out);                                  \
    }
KNOWN_SUM(vcpus)
KNOWN_SUM(mem)
KNOWN_SUM(cpu)
KNOWN_SUM(net)
KNOWN_SUM(disk)
KNOWN_SUM(imbalance)

static bool hosts(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_group *group = cell->row;
    g_autofree char *text = xc_group_hosts_text(group->spec);

    return st_text_copy(out, text);
}

static bool discontinuity(const struct st_cell *cell, struct st_value *out)
{
    return st_timestamp(out, group_of(cell)->sums.discontinuity_mono);
}

static const struct xc_op *last_op(const struct st_cell *cell)
{
    const struct xc_group *group = cell->row;

    return group->last_op ? xc_op_find(st_engine(cell), group->last_op) : NULL;
}

static bool last_index(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_op *op = last_op(cell);

    return op && st_number(out, op->index);
}

static bool last_result(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_op *op = last_op(cell);

    return op && st_number(out, op->result);
}

static bool last_text(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_op *op = last_op(cell);

    return op && st_text_or_none(out, op->text);
}

/* What is under way: a host's key, or the word for a rebalance. */
static bool migrate_to(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_group *group = cell->row;
    const struct xc_op *op =
        group->active_op ? xc_op_find(st_engine(cell), group->active_op) : NULL;

    if (!op || op->action != XC_ACTION_MIGRATE)
        return st_text(out, "");
    return st_text(out, *op->host_to ? op->host_to : REBALANCE);
}

/* Lines become one, which ends with the last member that fits. */
static bool plan_start(const struct st_cell *cell, struct st_value *out)
{
    static const char more[] = "...";
    const char *text = xc_group_start_plan(st_engine(cell), (struct xc_group *)cell->row);
    g_auto(GStrv) lines = text ? g_strsplit(text, "\n", -1) : NULL;
    g_autoptr(GString) shown = g_string_new(NULL);

    for (char **line = lines; line && *line; line++) {
        size_t length = (shown->len ? 2 : 0) + strlen(*line);
        size_t rest = line[1] ? 2 + strlen(more) : 0;

        if (shown->len + length + rest > ST_VALUE_MAX) {
            g_string_append_printf(shown, "%s%s", shown->len ? "; " : "", more);
            break;
        }
        g_string_append_printf(shown, "%s%s", shown->len ? "; " : "", *line);
    }
    return shown->len && st_text_copy(out, shown->str);
}

static bool row_status(const struct st_cell *cell, struct st_value *out)
{
    (void)cell;
    return st_number(out, ST_ROW_ACTIVE);
}

#define KEY    .min = 1, .max = XC_GROUP_NAME_MAX
#define CREATE .access = ST_READ_CREATE
#define GROUP(arc, name, type, member_, ...)                                                       \
    MEMBER(arc, name, type, member, xc_group, member_, __VA_ARGS__)
#define SPEC(arc, name, type, member_, ...)                                                        \
    MEMBER(arc, name, type, spec, xc_group_spec, member_, __VA_ARGS__)
#define SUM(arc, name, type, get, member_, ...)                                                    \
    MEMBER(arc, name, type, get, xc_group_sums, member_, __VA_ARGS__)
#define COUNT(arc, name, member_) SUM(arc, name, ST_GAUGE32, sum, member_, .units = "members")

static const struct st_column columns[] = {
    GROUP(2, "xenGroupLabel", ST_TEXT, label, .min = 1),
    MEMBER(DESCR, "xenGroupDescr", ST_TEXT, descr, xc_group_spec, descr, CREATE),
    CALC(HOSTS, "xenGroupHosts", ST_TEXT, hosts, CREATE),
    SPEC(POLICY, "xenGroupPolicy", ST_ENUM, spread, CREATE, .labels = &xc_spread_labels),
    SPEC(ORDER, "xenGroupOrder", ST_ENUM, order, CREATE, .labels = &xc_group_order_labels),
    SPEC(MIN_RUNNING, "xenGroupMinRunning", ST_UNSIGNED32, min_running, CREATE,
         .max = XC_GROUP_MEMBERS_MAX, .units = "members"),
    GROUP(LOCK, "xenGroupLock", ST_LOCK, lock, CREATE),
    CALC(POWER, "xenGroupPower", ST_ENUM, st_get_noop, CREATE, .labels = &st_power_labels),
    CALC(FORCE, "xenGroupForce", ST_ENUM, st_get_noop, CREATE, .labels = &st_group_force_labels),
    CALC(MIGRATE_TO, "xenGroupMigrateTo", ST_TEXT, migrate_to, CREATE, .max = 32),
    GROUP(12, "xenGroupStatus", ST_ENUM, status, .labels = &xc_group_status_labels),
    GROUP(13, "xenGroupWanted", ST_ENUM, wanted, .labels = &xc_wanted_labels, .none_if_zero = true),
    COUNT(14, "xenGroupMembers", members),
    COUNT(15, "xenGroupRunning", running),
    COUNT(16, "xenGroupPaused", paused),
    COUNT(17, "xenGroupSuspended", suspended),
    COUNT(18, "xenGroupShutdown", stopped),
    COUNT(19, "xenGroupCrashed", crashed),
    COUNT(20, "xenGroupTransient", transient),
    COUNT(21, "xenGroupUnknown", unknown),
    GROUP(22, "xenGroupSpread", ST_TEXT, spread_text, .none_if_zero = true),
    SUM(23, "xenGroupImbalance", ST_GAUGE32, sum_imbalance, imbalance, .units = "members"),
    SUM(24, "xenGroupVcpus", ST_GAUGE32, sum_vcpus, vcpus, .units = "vCPUs"),
    SUM(25, "xenGroupMemory", ST_GAUGE32, sum_mem, mem_mib, .units = "mebibytes"),
    SUM(26, "xenGroupCpuPercent", ST_PERCENT, sum_cpu, cpu_permyriad, .units = "percent"),
    SUM(27, "xenGroupNetOctets", ST_COUNTER64, sum_net, net_octets, .units = "octets"),
    SUM(28, "xenGroupDiskOctets", ST_COUNTER64, sum_disk, disk_octets, .units = "octets"),
    CALC(29, "xenGroupLastOpIndex", ST_UNSIGNED32, last_index, .min = 1, .max = G_MAXINT32),
    CALC(30, "xenGroupLastOpResult", ST_ENUM, last_result, .labels = &xc_result_labels),
    CALC(31, "xenGroupLastOpText", ST_TEXT, last_text),
    CALC(ROW_STATUS, "xenGroupRowStatus", ST_ROW_STATUS, row_status, CREATE),
    CALC(TIMEOUT, "xenGroupTimeout", ST_UNSIGNED32, st_get_zero, CREATE, .max = 86400,
         .units = "seconds"),
    CALC(NOTE, "xenGroupNote", ST_TEXT, st_get_empty, CREATE, .max = 64),
    CALC(36, "xenGroupPlanStart", ST_TEXT, plan_start),
    CALC(37, "xenGroupDiscontinuity", ST_TIMESTAMP, discontinuity),
    GROUP(38, "xenGroupOrigin", ST_ENUM, origin, .labels = &xc_origin_labels),
};

/* --- definitions */

static bool is_definition(const struct st_change *change)
{
    for (uint32_t arc = DESCR; arc <= MIN_RUNNING; arc++)
        if (st_change_write(change, arc))
            return true;
    return false;
}

static bool define(const struct st_change *change, struct xc_txn *txn, uint32_t *blame,
                   GError **error)
{
    const struct st_write *descr = st_change_write(change, DESCR);
    const struct st_write *hosts_write = st_change_write(change, HOSTS);
    const struct st_write *policy = st_change_write(change, POLICY);
    const struct st_write *order = st_change_write(change, ORDER);
    const struct st_write *least = st_change_write(change, MIN_RUNNING);
    const struct xc_group_spec *now = xc_txn_group(txn, change->key);
    g_autoptr(xc_group_spec) wish = now ? xc_group_spec_copy(now) : xc_group_spec_new(change->key);

    if (descr) {
        g_free(wish->descr);
        wish->descr = g_strdup(descr->text);
    }
    if (policy)
        wish->spread = (enum xc_spread)policy->number;
    if (order)
        wish->order = (enum xc_group_order)order->number;
    if (least)
        wish->min_running = (unsigned)least->number;
    if (hosts_write && !xc_group_hosts_parse(wish, hosts_write->text, error)) {
        *blame = HOSTS;
        return false;
    }
    if (descr)
        *blame = DESCR;
    return xc_txn_put_group(txn, wish, error);
}

/* --- actions */

static enum xc_action action_of(const struct st_write *write)
{
    if (write->column->arc == POWER || write->column->arc == FORCE)
        return (enum xc_action)write->number;
    return write->column->arc == MIGRATE_TO && *write->text ? XC_ACTION_MIGRATE : XC_ACTION_NOOP;
}

static bool choose_action(const struct st_change *change, struct xc_group_request *request,
                          uint32_t *blame, GError **error)
{
    request->action = XC_ACTION_NOOP;
    for (guint i = 0; i < change->writes->len; i++) {
        const struct st_write *write = &g_array_index(change->writes, struct st_write, i);
        enum xc_action action = action_of(write);

        if (action == XC_ACTION_NOOP)
            continue;
        *blame = write->column->arc;
        if (request->action != XC_ACTION_NOOP)
            return xc_fail(error, XC_CAUSE_CONFLICT, "two actions for one group in one request");
        request->action = action;
        if (action == XC_ACTION_MIGRATE && strcmp(write->text, REBALANCE) != 0)
            request->host = write->text;
    }
    return true;
}

/* Parameters that read as they are written (0, "") ask for nothing. */
static bool take_parameters(const struct st_change *change, struct xc_group_request *request,
                            uint32_t *blame, GError **error)
{
    const struct st_write *timeout = st_change_write(change, TIMEOUT);
    const struct st_write *note = st_change_write(change, NOTE);
    const struct st_write *lone = timeout && timeout->number ? timeout : NULL;

    request->timeout_sec = lone ? (unsigned)timeout->number : 0;
    if (note && *note->text) {
        request->note = note->text;
        lone = lone ? lone : note;
    }
    if (!lone || request->action != XC_ACTION_NOOP)
        return true;
    *blame = lone->column->arc;
    return xc_fail(error, XC_CAUSE_CONFLICT,
                   "%s is a parameter: the action belongs into the same request",
                   lone->column->name);
}

static bool plan_action(const struct st_change *change, struct xc_txn *txn, uint32_t *blame,
                        GError **error)
{
    const struct st_write *lock = st_change_write(change, LOCK);
    struct xc_group_request request = {.group = change->key, .locked = lock != NULL};
    uint32_t arc = *blame;

    if (!choose_action(change, &request, &arc, error)) {
        *blame = arc;
        return false;
    }
    if (!take_parameters(change, &request, blame, error))
        return false;
    if (lock) {
        *blame = LOCK;
        if (!xc_txn_lock_group(txn, change->key, (uint32_t)lock->number, error))
            return false;
    }
    *blame = arc;
    return request.action == XC_ACTION_NOOP || xc_txn_add_group_op(txn, &request, error);
}

static bool plan(const struct st_change *change, void *context, void *transaction, uint32_t *blame,
                 GError **error)
{
    const struct st_write *status = st_change_write(change, ROW_STATUS);

    (void)context;
    if (status && status->number == ST_ROW_DESTROY) {
        *blame = ROW_STATUS;
        return xc_txn_remove_group(transaction, change->key, error);
    }
    if ((!change->row || is_definition(change)) && !define(change, transaction, blame, error))
        return false;
    return plan_action(change, transaction, blame, error);
}

bool st_group_key_ok(const char *key)
{
    return xc_text_is_key(key, XC_GROUP_NAME_MAX);
}

const struct st_table st_group_table = {
    .name = "xenGroupTable",
    .arcs = {1, 5, 1, 1},
    .index = {{ST_INDEX_TEXT, offsetof(struct xc_group, name), "xenGroupName", 1, KEY}},
    .row_size = sizeof(struct xc_group *),
    .rows_are_pointers = true,
    .rows = st_group_rows,
    .columns = columns,
    .n_columns = G_N_ELEMENTS(columns),
    .plan = plan,
    .row_status = ROW_STATUS,
    .key_ok = st_group_key_ok,
};
