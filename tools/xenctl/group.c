/* group ...: what is shown of groups, and what is asked of all their members. Making and changing them is group_edit.c. */
#include "tools/xenctl/group.h"

#include "tools/xenctl/operation.h"
#include "tools/xenctl/request.h"
#include "tools/xenctl/verbs.h"
#include "tools/xenctl/view.h"

#include "xenclient/util/text.h"

#include <string.h>

#define REBALANCE "@spread"

static const struct ctl_column list_columns[] = {
    {xenGroupLabel, "GROUP"},       {xenGroupStatus, "STATUS"},     {xenGroupMembers, "MEMBERS"},
    {xenGroupRunning, "RUNNING"},   {xenGroupPaused, "PAUSED"},     {xenGroupShutdown, "OFF"},
    {xenGroupCrashed, "CRASHED"},   {xenGroupUnknown, "UNKNOWN"},   {xenGroupSpread, "SPREAD"},
    {xenGroupVcpus, "VCPUS"},       {xenGroupMemory, "MEMORY"},     {xenGroupCpuPercent, "CPU%"},
    {xenGroupLastOpResult, "LAST"}, {xenGroupDescr, "DESCRIPTION"}, {SN_NONE, "NAME"},
};
static const struct ctl_view list_view = {"xenGroup", list_columns, G_N_ELEMENTS(list_columns),
                                          "name"};

static const struct ctl_column show_columns[] = {
    {xenGroupLabel, NULL},       {xenGroupDescr, NULL},        {xenGroupStatus, NULL},
    {xenGroupWanted, NULL},      {xenGroupHosts, NULL},        {xenGroupPolicy, NULL},
    {xenGroupOrder, NULL},       {xenGroupMinRunning, NULL},   {xenGroupLock, NULL},
    {xenGroupMembers, NULL},     {xenGroupRunning, NULL},      {xenGroupPaused, NULL},
    {xenGroupSuspended, NULL},   {xenGroupShutdown, NULL},     {xenGroupCrashed, NULL},
    {xenGroupTransient, NULL},   {xenGroupUnknown, NULL},      {xenGroupSpread, NULL},
    {xenGroupImbalance, NULL},   {xenGroupVcpus, NULL},        {xenGroupMemory, NULL},
    {xenGroupCpuPercent, NULL},  {xenGroupNetOctets, NULL},    {xenGroupDiskOctets, NULL},
    {xenGroupLastOpIndex, NULL}, {xenGroupLastOpResult, NULL}, {xenGroupLastOpText, NULL},
    {xenGroupOrigin, NULL},
};
static const struct ctl_view show_view = {"xenGroup", show_columns, G_N_ELEMENTS(show_columns),
                                          NULL};

static const struct ctl_column member_columns[] = {
    {xenMemberLabel, "MEMBER"},      {xenMemberDomainIndex, "#"},     {xenMemberState, "STATE"},
    {xenMemberHost, "HOST"},         {xenMemberPriority, "PRIORITY"}, {xenMemberPin, "PIN"},
    {xenMemberDelay, "DELAY"},       {xenMemberCause, "CAUSE"},       {xenMemberCreate, "CREATE"},
    {xenMemberDescr, "DESCRIPTION"},
};
static const struct ctl_view member_view = {"xenMember", member_columns,
                                            G_N_ELEMENTS(member_columns), NULL};

static const struct ctl_column plan_columns[] = {
    {xenMemberLabel, "MEMBER"},
    {xenMemberPriority, "PRIORITY"},
    {xenMemberPlanStart, "START"},
};
static const struct ctl_view plan_view = {"xenMember", plan_columns, G_N_ELEMENTS(plan_columns),
                                          NULL};

static const struct ctl_column host_columns[] = {
    {SN_NONE, "HOST"},
    {xenGroupHostUsable, "USABLE"},
    {xenGroupHostCause, "CAUSE"},
    {xenGroupHostMembers, "MEMBERS"},
    {xenGroupHostRunning, "RUNNING"},
    {xenGroupHostWeight, "WEIGHT"},
};
static const struct ctl_view host_view = {"xenGroupHost", host_columns, G_N_ELEMENTS(host_columns),
                                          "host"};

enum { HISTORY_MEMBER = 1 };
static const struct ctl_column history_columns[] = {
    {SN_NONE, "#"},
    {xenGroupHistoryTime, "TIME"},
    {xenGroupHistoryMember, "MEMBER"},
    {xenGroupHistoryEvent, "EVENT"},
    {xenGroupHistoryHost, "HOST"},
    {xenGroupHistoryOperation, "OPERATION"},
    {xenGroupHistoryResult, "RESULT"},
    {xenGroupHistoryText, "TEXT"},
};
static const struct ctl_view history_view = {"xenGroupHistory", history_columns,
                                             G_N_ELEMENTS(history_columns), NULL};

static struct sn_oid index_of(const char *group)
{
    struct sn_oid index = {0};

    sn_oid_append_text(&index, group, strlen(group));
    return index;
}

static bool has_group(struct ctl *ctl, const char *name, bool *there, GError **error)
{
    struct sn_oid oid;
    struct sn_value value;

    *there = false;
    if (!xc_text_is_key(name, 32))
        return true;
    oid = sn_oid_text(xenGroupRowStatus, name);
    if (!sn_get(ctl->session, &oid, 1, &value, error))
        return false;
    *there = sn_present(&value);
    sn_value_clear(&value);
    return true;
}

/* The names of those with that label; NULL with an error. */
static GPtrArray *labelled(struct ctl *ctl, const char *label, GError **error)
{
    const struct sn_oid column = sn_oid_of(xenGroupLabel);
    g_autoptr(sn_table) table = sn_table_fetch(ctl->session, &column, 1, error);
    GPtrArray *names = table ? g_ptr_array_new_with_free_func(g_free) : NULL;

    for (unsigned i = 0; table && i < table->rows->len; i++) {
        const struct sn_row *row = sn_table_at(table, i);

        if (g_str_equal(sn_value_text(&row->cells[0]), label))
            g_ptr_array_add(names, ctl_row_name(row));
    }
    return names;
}

/* How many groups the first argument may mean, and their names; false with an error. */
static bool resolve(struct ctl *ctl, GPtrArray **names, GError **error)
{
    bool there;

    *names = NULL;
    if (!ctl_session(ctl, error) || !has_group(ctl, ctl->args[0], &there, error))
        return false;
    if (there) {
        *names = g_ptr_array_new_with_free_func(g_free);
        g_ptr_array_add(*names, g_strdup(ctl->args[0]));
        return true;
    }
    *names = labelled(ctl, ctl->args[0], error);
    if (*names && (*names)->len == 1) {
        ctl->group = g_strdup((*names)->pdata[0]);
        ctl->args[0] = ctl->group;
    }
    return *names != NULL;
}

int ctl_find_group(struct ctl *ctl)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) names = NULL;
    g_autofree char *list = NULL;

    if (!resolve(ctl, &names, &error))
        return ctl_fail(ctl, error);
    if (names->len == 1)
        return CTL_OK;
    if (names->len == 0)
        return ctl_say(ctl, CTL_NOT_FOUND, "%s: no such group; see xenctl group list",
                       ctl->args[0]);
    g_ptr_array_add(names, NULL);
    list = g_strjoinv(", ", (char **)names->pdata);
    return ctl_say(ctl, CTL_NOT_FOUND, "%s: several groups are called so: %s", ctl->args[0], list);
}

/* --- looking */

int ctl_group_list(struct ctl *ctl)
{
    return ctl_print_view(ctl, &list_view, NULL);
}

int ctl_group_show(struct ctl *ctl)
{
    int code = ctl_find_group(ctl);
    const struct sn_oid index = index_of(ctl->args[0]);

    return code ? code : ctl_print_view_row(ctl, &show_view, &index);
}

static int print_below(struct ctl *ctl, const struct ctl_view *view)
{
    int code = ctl_find_group(ctl);
    const struct sn_oid index = index_of(ctl->args[0]);

    return code ? code : ctl_print_view_below(ctl, view, &index, NULL);
}

int ctl_group_members(struct ctl *ctl)
{
    return print_below(ctl, &member_view);
}

int ctl_group_hosts(struct ctl *ctl)
{
    return print_below(ctl, &host_view);
}

/* Cells are counted without the row's number. */
static bool keep_member(const struct ctl *ctl, const struct sn_value *cells)
{
    return ctl->n_args < 2 || g_str_equal(sn_value_text(&cells[HISTORY_MEMBER]), ctl->args[1]);
}

/* A group that is no more has a history too. */
int ctl_group_history(struct ctl *ctl)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) names = NULL;
    struct sn_oid index;

    if (!resolve(ctl, &names, &error))
        return ctl_fail(ctl, error);
    index = index_of(ctl->args[0]);
    return ctl_print_view_below(ctl, &history_view, &index, keep_member);
}

int ctl_group_plan(struct ctl *ctl)
{
    return print_below(ctl, &plan_view);
}

/* --- acting */

static bool last_op(struct ctl *ctl, const char *group, uint32_t *op_out, GError **error)
{
    const struct sn_oid oid = sn_oid_text(xenGroupLastOpIndex, group);
    struct sn_value value;
    bool ok = sn_get(ctl->session, &oid, 1, &value, error);

    *op_out = ok ? (uint32_t)sn_value_number(&value, 0) : 0;
    sn_value_clear(&value);
    return ok;
}

static int follow(struct ctl *ctl, const char *group, uint32_t before, const char *what)
{
    g_autoptr(GError) error = NULL;
    uint32_t op;

    if (!last_op(ctl, group, &op, &error))
        return ctl_fail(ctl, error);
    if (!op)
        return ctl_say(ctl, CTL_FAILED,
                       "%s was accepted, but its operation is not listed; see xenctl ops", what);
    return ctl_op_follow(ctl, op, op == before);
}

int ctl_group_verb(struct ctl *ctl)
{
    const struct ctl_verb *verb = ctl->command->data;
    g_autofree char *what = g_strdup_printf("%s group %s", verb->action, ctl->args[0]);
    struct ctl_request request = {0};
    g_autoptr(GError) error = NULL;
    uint32_t before = 0;
    int code = ctl_find_group(ctl);
    const char *group = ctl->args[0];

    if (code == CTL_OK && !last_op(ctl, group, &before, &error))
        code = ctl_fail(ctl, error);
    if (code)
        return code;
    if (verb->column == xenGroupMigrateTo)
        ctl_request_text(&request, sn_oid_text(verb->column, group),
                         ctl->n_args > 1 ? ctl->args[1] : REBALANCE);
    else
        ctl_request_number(&request, sn_oid_text(verb->column, group), verb->column,
                           sn_label_number(verb->column, verb->action));
    ctl_request_text(&request, sn_oid_text(xenGroupNote, group), ctl->opt.note);
    if (ctl->opt.timeout > 0)
        ctl_request_number(&request, sn_oid_text(xenGroupTimeout, group), xenGroupTimeout,
                           ctl->opt.timeout);
    code = ctl_request_send(ctl, &request, what);
    return code ? code : follow(ctl, group, before, what);
}
