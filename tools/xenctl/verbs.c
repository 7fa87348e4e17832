/* Verbs: one SET each, then the operation it made is followed to its end. */
#include "tools/xenctl/verbs.h"

#include "tools/xenctl/domain.h"
#include "tools/xenctl/operation.h"
#include "tools/xenctl/request.h"
#include "tools/xenctl/snapshot.h"

#include "xenclient/util/text.h"

#include <string.h>

const struct ctl_verb ctl_verbs[] = {
    [CTL_START] = {xenDomainPower, false, false, "start", 0},
    [CTL_SHUTDOWN] = {xenDomainPower, false, false, "shutdown", 0},
    [CTL_REBOOT] = {xenDomainPower, false, false, "reboot", 0},
    [CTL_PAUSE] = {xenDomainPower, false, false, "pause", 0},
    [CTL_UNPAUSE] = {xenDomainPower, false, false, "unpause", 0},
    [CTL_SUSPEND] = {xenDomainPower, false, false, "suspend", 0},
    [CTL_RESUME] = {xenDomainPower, true, false, "resume", 0},
    [CTL_DESTROY] = {xenDomainForce, false, false, "destroy", 0},
    [CTL_RESET] = {xenDomainForce, false, false, "reset", 0},
    [CTL_MIGRATE] = {xenDomainMigrateTo, false, false, "migrate", 0},
    [CTL_CHECK_MIGRATE] = {xenDomainCheckMigrateTo, false, false, "checkMigrate", 0},
    [CTL_SET_MEMORY] = {xenDomainSetMemory, false, false, "setMemory", G_MAXINT32},
    [CTL_SET_VCPUS] = {xenDomainSetVcpus, false, false, "setVcpus", 4096},
    [CTL_SET_WEIGHT] = {xenDomainSetWeight, false, false, "setWeight", 65535},
    [CTL_SET_CAP] = {xenDomainSetCap, false, false, "setCap", 409600},
    [CTL_DUMP_CORE] = {xenDomainForce, false, false, "dumpCore", 0},
    [CTL_NMI] = {xenDomainForce, false, false, "nmi", 0},
    [CTL_SNAPSHOT] = {xenDomainSnapshotNow, false, false, "snapshot", 0},
    [CTL_CHECKPOINT] = {xenDomainCheckpointNow, false, false, "checkpoint", 0},
    [CTL_CLONE] = {xenDomainCloneAs, false, false, "clone", 0},
    [CTL_DELETE] = {xenDomainForce, false, false, "delete", 0},
    [CTL_REVERT] = {xenDomainRevertTo, false, true, "revert", 0},
    [CTL_DELETE_SNAPSHOT] = {xenDomainDeleteSnapshot, false, true, "deleteSnapshot", 0},
    [CTL_RESCAN] = {xenHostAction, false, false, "rescan", 0},
    [CTL_EVACUATE] = {xenHostAction, false, false, "evacuate", 0},
    [CTL_HOST_ENABLE] = {xenHostAction, false, false, "hostEnable", 0},
    [CTL_HOST_DISABLE] = {xenHostAction, false, false, "hostDisable", 0},
    [CTL_GROUP_START] = {xenGroupPower, false, false, "start", 0},
    [CTL_GROUP_SHUTDOWN] = {xenGroupPower, false, false, "shutdown", 0},
    [CTL_GROUP_REBOOT] = {xenGroupPower, false, false, "reboot", 0},
    [CTL_GROUP_PAUSE] = {xenGroupPower, false, false, "pause", 0},
    [CTL_GROUP_UNPAUSE] = {xenGroupPower, false, false, "unpause", 0},
    [CTL_GROUP_SUSPEND] = {xenGroupPower, false, false, "suspend", 0},
    [CTL_GROUP_RESUME] = {xenGroupPower, false, false, "resume", 0},
    [CTL_GROUP_DESTROY] = {xenGroupForce, false, false, "destroy", 0},
    [CTL_GROUP_RESET] = {xenGroupForce, false, false, "reset", 0},
    [CTL_GROUP_MIGRATE] = {xenGroupMigrateTo, false, false, "migrate", 0},
    [CTL_GROUP_REBALANCE] = {xenGroupMigrateTo, false, false, "migrate", 0},
};

/* --- which operation did the request make? */

/* The newest operation with this action whose cell `column` is the wanted one; 0 none. */
struct sought {
    enum sn_id column;
    int64_t number;       /* of an integer column */
    const char *text;     /* of a text column; NULL: number */
    const char *argument; /* xenOperationArgument, NULL: any */
};

static bool is_sought(const struct sn_value *cell, const struct sought *sought)
{
    return sought->text ? g_str_equal(sn_value_text(cell), sought->text)
                        : sn_value_number(cell, -1) == sought->number;
}

static uint32_t newest_op(struct ctl *ctl, const char *action, const struct sought *sought,
                          GError **error)
{
    const struct sn_oid columns[] = {sn_oid_of(xenOperationAction), sn_oid_of(sought->column),
                                     sn_oid_of(xenOperationArgument)};
    g_autoptr(sn_table) table = sn_table_fetch(ctl->session, columns, 3, error);
    int number = sn_label_number(xenOperationAction, action);

    for (unsigned i = table ? table->rows->len : 0; i > 0; i--) {
        const struct sn_row *row = sn_table_at(table, i - 1);

        if (sn_value_number(&row->cells[0], -1) == number && is_sought(&row->cells[1], sought) &&
            (!sought->argument || g_str_equal(sn_value_text(&row->cells[2]), sought->argument)))
            return row->index.id[0];
    }
    return 0;
}

/* Is this operation of that action? */
static bool op_is(struct ctl *ctl, uint32_t op, const char *action)
{
    const struct sn_oid oid = sn_oid_number(xenOperationAction, op);
    struct sn_value value;
    bool is = sn_get(ctl->session, &oid, 1, &value, NULL) &&
              sn_value_number(&value, -1) == sn_label_number(xenOperationAction, action);

    sn_value_clear(&value);
    return is;
}

static int say_no_op(struct ctl *ctl, const char *what)
{
    return ctl_say(ctl, CTL_FAILED,
                   "%s was accepted, but its operation is not listed; see xenctl ops", what);
}

/* The domain names its last operation. If somebody else's request came in between it is another one,
 * and the operations are searched. The same as before the SET: an equal request was active. */
static int follow_domain(struct ctl *ctl, const struct ctl_domain *domain, const char *action,
                         const char *what)
{
    const struct sought sought = {.column = xenOperationDomainIndex, .number = domain->index};
    g_autoptr(GError) error = NULL;
    uint32_t op;

    if (!ctl_domain_last_op(ctl, domain->index, &op, &error))
        return ctl_fail(ctl, error);
    if (!op || !op_is(ctl, op, action))
        op = newest_op(ctl, action, &sought, &error);
    if (error)
        return ctl_fail(ctl, error);
    if (!op)
        return say_no_op(ctl, what);
    return ctl_op_follow(ctl, op, op <= domain->last_op);
}

/* --- domains */
static void add_parameters(struct ctl *ctl, struct ctl_request *request, uint32_t index,
                           const char *place)
{
    if (ctl->opt.timeout > 0)
        ctl_request_number(request, sn_oid_number(xenDomainTimeout, index), xenDomainTimeout,
                           ctl->opt.timeout);
    ctl_request_text(request, sn_oid_number(xenDomainNote, index), ctl->opt.note);
    ctl_request_text(request, sn_oid_number(xenDomainStartOn, index), place);
}

/* The number of a verb that takes one; 0 asks for nothing but of a cap. */
static int read_amount(struct ctl *ctl, const struct ctl_verb *verb, int64_t *out)
{
    int64_t least = verb->column == xenDomainSetCap ? 0 : 1;

    if (!verb->most || xc_text_to_i64(ctl->args[1], least, verb->most, out, NULL))
        return CTL_OK;
    return ctl_say(ctl, CTL_ERROR, "%s: a number from %d to %ld is needed", ctl->args[1],
                   (int)least, verb->most);
}

int ctl_verb(struct ctl *ctl)
{
    const struct ctl_verb *verb = ctl->command->data;
    struct ctl_request request = {0};
    struct ctl_domain domain = {0};
    struct sn_oid oid;
    g_autofree char *what = g_strdup_printf("%s %s", verb->action, ctl->args[0]);
    int64_t amount;
    int code = read_amount(ctl, verb, &amount);

    if (code == CTL_OK)
        code = ctl_find_domain(ctl, ctl->args[0], &domain);
    if (code == CTL_OK && verb->point)
        code = ctl_find_snapshot(ctl, &domain, ctl->args[1], &amount);
    if (code == CTL_OK) {
        oid = sn_oid_number(verb->column, domain.index);
        if (verb->most || verb->point)
            ctl_request_number(&request, oid, verb->column, amount);
        else if (ctl->n_args > 1 && !verb->place)
            ctl_request_text(&request, oid, ctl->args[1]);
        else
            ctl_request_number(&request, oid, verb->column,
                               sn_label_number(verb->column, verb->action));
        add_parameters(ctl, &request, domain.index,
                       verb->place && ctl->n_args > 1 ? ctl->args[1] : ctl->opt.start_on);
        code = ctl_request_send(ctl, &request, what);
    }
    if (code == CTL_OK)
        code = follow_domain(ctl, &domain, verb->action, what);
    ctl_domain_clear(&domain);
    return code;
}

/* --- what is asked of a host: its operation has no domain yet and is found by host and file */

static int ask_host(struct ctl *ctl, enum sn_id column, const char *action)
{
    const char *host = ctl->args[0];
    const char *file = ctl->n_args > 1 ? ctl->args[1] : NULL;
    const struct sought sought = {.column = xenOperationHostFrom, .text = host, .argument = file};
    g_autofree char *what = file ? g_strdup_printf("%s %s on %s", action, file, host)
                                 : g_strdup_printf("%s %s", action, host);
    struct ctl_request request = {0};
    g_autoptr(GError) error = NULL;
    uint32_t before = 0;
    uint32_t op;
    int code;

    if (!xc_text_is_key(host, 32))
        return ctl_say(ctl, CTL_NOT_FOUND, "%s: no host has such a key; see xenctl hosts", host);
    if (ctl_session(ctl, &error))
        before = newest_op(ctl, action, &sought, &error);
    if (error)
        return ctl_fail(ctl, error);
    if (file)
        ctl_request_text(&request, sn_oid_text(column, host), file);
    else
        ctl_request_number(&request, sn_oid_text(column, host), column,
                           sn_label_number(column, action));
    if (ctl->n_args > 2)
        ctl_request_text(&request, sn_oid_text(xenHostCreateAs, host), ctl->args[2]);
    ctl_request_text(&request, sn_oid_text(xenHostNote, host), ctl->opt.note);
    if (ctl->opt.timeout > 0)
        ctl_request_number(&request, sn_oid_text(xenHostTimeout, host), xenHostTimeout,
                           ctl->opt.timeout);
    code = ctl_request_send(ctl, &request, what);
    if (code)
        return code;
    op = newest_op(ctl, action, &sought, &error);
    if (error)
        return ctl_fail(ctl, error);
    return op ? ctl_op_follow(ctl, op, op == before) : say_no_op(ctl, what);
}

int ctl_create(struct ctl *ctl)
{
    return ask_host(ctl, ctl->n_args > 2 ? xenHostCreate : xenHostStartFile, "create");
}

int ctl_host_verb(struct ctl *ctl)
{
    const struct ctl_verb *verb = ctl->command->data;

    return ask_host(ctl, verb->column, verb->action);
}

/* --- cancel: what is wanted is the result cancelled */
static int report_cancelled(struct ctl *ctl, uint32_t op_index)
{
    struct ctl_op op;
    int code = ctl_op_wait(ctl, op_index, &op);

    if (code == CTL_OK) {
        ctl_op_report(ctl, &op, false);
        code = ctl_op_exit(&op) == CTL_CANCELLED ? CTL_OK : CTL_FAILED;
    }
    ctl_op_clear(&op);
    return code;
}

int ctl_cancel(struct ctl *ctl)
{
    g_autofree char *what = g_strdup_printf("cancel %s", ctl->args[0]);
    struct ctl_request request = {0};
    uint64_t number;
    int code;

    if (!xc_text_to_u64(ctl->args[0], 1, INT32_MAX, &number, NULL))
        return ctl_say(ctl, CTL_ERROR, "%s: an operation is a number; see xenctl ops",
                       ctl->args[0]);
    ctl_request_number(&request, sn_oid_number(xenOperationCancel, (uint32_t)number),
                       xenOperationCancel, sn_label_number(xenOperationCancel, "cancel"));
    code = ctl_request_send(ctl, &request, what);
    if (code)
        return code;
    if (ctl->opt.no_wait)
        return ctl_op_follow(ctl, (uint32_t)number, false);
    return report_cancelled(ctl, (uint32_t)number);
}
