/* group create, delete, add-member, remove-member, set: rows of xenGroupTable and xenMemberTable. */
#include "tools/xenctl/group.h"
#include "tools/xenctl/request.h"

#include "xenclient/util/text.h"

#include <string.h>

static int report(const struct ctl *ctl, const char *name, const char *state)
{
    struct json json;
    g_autofree char *out = NULL;

    if (!ctl->opt.json) {
        printf("group %s: %s\n", name, state);
        return CTL_OK;
    }
    json_init(&json);
    json_open_object(&json, NULL);
    json_text(&json, "group", name);
    json_text(&json, "state", state);
    json_close_object(&json);
    out = json_finish(&json);
    printf("%s\n", out);
    return CTL_OK;
}

/* --- parameters */

static struct sn_oid member_oid(enum sn_id column, const char *group, const char *member)
{
    struct sn_oid oid = sn_oid_text(column, group);

    sn_oid_append_text(&oid, member, strlen(member));
    return oid;
}

/* A label of an enumeration; NULL: not given. */
static int add_label(struct ctl *ctl, struct ctl_request *request, struct sn_oid oid,
                     enum sn_id column, const char *option, const char *label)
{
    int number = label ? sn_label_number(column, label) : 0;

    if (number < 0)
        return ctl_say(ctl, CTL_ERROR, "--%s: there is no %s; see xenctl help group set", option,
                       label);
    if (label)
        ctl_request_number(request, oid, column, number);
    return CTL_OK;
}

static int add_group_parameters(struct ctl *ctl, struct ctl_request *request, const char *group)
{
    const struct ctl_options *opt = &ctl->opt;
    int code = add_label(ctl, request, sn_oid_text(xenGroupPolicy, group), xenGroupPolicy, "policy",
                         opt->policy);

    if (code == CTL_OK)
        code = add_label(ctl, request, sn_oid_text(xenGroupOrder, group), xenGroupOrder, "order",
                         opt->order);
    ctl_request_text(request, sn_oid_text(xenGroupDescr, group), opt->descr);
    ctl_request_text(request, sn_oid_text(xenGroupHosts, group), opt->hosts);
    if (opt->min_running >= 0)
        ctl_request_number(request, sn_oid_text(xenGroupMinRunning, group), xenGroupMinRunning,
                           opt->min_running);
    return code;
}

static void add_member_parameters(const struct ctl *ctl, struct ctl_request *request,
                                  const char *group, const char *member)
{
    const struct ctl_options *opt = &ctl->opt;

    ctl_request_text(request, member_oid(xenMemberDescr, group, member), opt->descr);
    ctl_request_text(request, member_oid(xenMemberPin, group, member), opt->pin);
    ctl_request_text(request, member_oid(xenMemberCreate, group, member), opt->create);
    if (opt->priority >= 0)
        ctl_request_number(request, member_oid(xenMemberPriority, group, member), xenMemberPriority,
                           opt->priority);
    if (opt->delay >= 0)
        ctl_request_number(request, member_oid(xenMemberDelay, group, member), xenMemberDelay,
                           opt->delay);
}

static int check_member(struct ctl *ctl, const char *member)
{
    if (*member && strlen(member) <= 64)
        return CTL_OK;
    return ctl_say(ctl, CTL_ERROR, "%.80s: a member is named by 1 to 64 octets", member);
}

/* --- commands */

int ctl_group_create(struct ctl *ctl)
{
    const char *group = ctl->args[0];
    g_autofree char *what = g_strdup_printf("group create %s", group);
    struct ctl_request request = {0};
    int code;

    if (!xc_text_is_key(group, 32))
        return ctl_say(ctl, CTL_ERROR,
                       "%s: a group's name has 1 to 32 letters, digits, '.', '_', '-' and begins "
                       "with a letter or digit",
                       group);
    code = add_group_parameters(ctl, &request, group);
    ctl_request_number(&request, sn_oid_text(xenGroupRowStatus, group), xenGroupRowStatus,
                       sn_label_number(xenGroupRowStatus, "createAndGo"));
    if (code == CTL_OK)
        code = ctl_request_send(ctl, &request, what);
    return code ? code : report(ctl, group, "made");
}

int ctl_group_delete(struct ctl *ctl)
{
    g_autofree char *what = g_strdup_printf("group delete %s", ctl->args[0]);
    struct ctl_request request = {0};
    int code = ctl_find_group(ctl);
    const char *group = ctl->args[0];

    if (code)
        return code;
    ctl_request_number(&request, sn_oid_text(xenGroupRowStatus, group), xenGroupRowStatus,
                       sn_label_number(xenGroupRowStatus, "destroy"));
    code = ctl_request_send(ctl, &request, what);
    return code ? code : report(ctl, group, "removed");
}

/* One SET for each: those before one that is refused stay. */
static int edit_members(struct ctl *ctl, const char *verb, const char *status)
{
    int code = ctl_find_group(ctl);
    const char *group = ctl->args[0];

    for (unsigned i = 1; code == CTL_OK && i < ctl->n_args; i++) {
        const char *member = ctl->args[i];
        g_autofree char *what = g_strdup_printf("%s %s", verb, member);
        struct ctl_request request = {0};

        code = check_member(ctl, member);
        if (code)
            break;
        add_member_parameters(ctl, &request, group, member);
        ctl_request_number(&request, member_oid(xenMemberRowStatus, group, member),
                           xenMemberRowStatus, sn_label_number(xenMemberRowStatus, status));
        code = ctl_request_send(ctl, &request, what);
    }
    return code;
}

int ctl_group_add(struct ctl *ctl)
{
    int code = edit_members(ctl, "group add-member", "createAndGo");

    return code ? code : report(ctl, ctl->args[0], "members added");
}

int ctl_group_remove(struct ctl *ctl)
{
    int code = edit_members(ctl, "group remove-member", "destroy");

    return code ? code : report(ctl, ctl->args[0], "members removed");
}

int ctl_group_set(struct ctl *ctl)
{
    const char *member = ctl->n_args > 1 ? ctl->args[1] : NULL;
    g_autofree char *what = g_strdup_printf("group set %s", ctl->args[0]);
    struct ctl_request request = {0};
    int code = ctl_find_group(ctl);
    const char *group = ctl->args[0];

    if (code == CTL_OK && member)
        code = check_member(ctl, member);
    if (code)
        return code;
    if (member)
        add_member_parameters(ctl, &request, group, member);
    else
        code = add_group_parameters(ctl, &request, group);
    if (code == CTL_OK && !request.n)
        code = ctl_say(ctl, CTL_ERROR, "%s: nothing to set; see xenctl help group set", group);
    if (code == CTL_OK)
        code = ctl_request_send(ctl, &request, what);
    return code ? code : report(ctl, group, "changed");
}
