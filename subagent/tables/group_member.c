/* xenMemberTable and xenGroupHostTable: what groups are made of. Rows hang below those of xenGroupTable, and can be made in
 * the request that makes their group. */
#include "subagent/tables/tables.h"

#include <string.h>

enum { PRIORITY = 6, PIN = 7, DELAY = 8, CREATE_FROM = 10, DESCR = 11, MEMBER_STATUS = 12 };
enum { WEIGHT = 6, HOST_STATUS = 7 };

static const void *members(void *context, const void *parent, size_t *n)
{
    struct xc_group *group = (struct xc_group *)parent;

    xc_group_refresh(((const struct st_context *)context)->engine, group);
    *n = group->members->len;
    return group->members->data;
}

static const void *places(void *context, const void *parent, size_t *n)
{
    struct xc_group *group = (struct xc_group *)parent;

    xc_group_refresh(((const struct st_context *)context)->engine, group);
    *n = group->places->len;
    return group->places->data;
}

static const void *child_of(const struct st_cell *cell)
{
    return ((const struct st_pair *)cell->row)->child;
}

/* A member of the child's struct. */
static bool child(const struct st_cell *cell, struct st_value *out)
{
    return st_read_member(cell->column, child_of(cell), out);
}

static bool row_status(const struct st_cell *cell, struct st_value *out)
{
    (void)cell;
    return st_number(out, ST_ROW_ACTIVE);
}

/* The group of a row as it is to be; NULL with an error: there is none. */
static struct xc_group_spec *group_of(const struct st_change *change, struct xc_txn *txn,
                                      GError **error)
{
    struct xc_group_spec *group = xc_txn_group(txn, change->key);

    if (!group)
        xc_fail(error, XC_CAUSE_NO_SUCH_TARGET, "there is no group %s", change->key);
    return group;
}

static bool is_destroy(const struct st_write *status)
{
    return status && status->number == ST_ROW_DESTROY;
}

/* --- members */

static bool spec(const struct st_cell *cell, struct st_value *out)
{
    return st_read_member(cell->column, ((const struct xc_member *)child_of(cell))->spec, out);
}

static bool state(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_member *member = child_of(cell);

    return member->domain && st_number(out, member->state);
}

static bool host(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_member *member = child_of(cell);
    const struct xc_domain_ref *ref =
        member->domain ? xc_fleet_domain(st_engine(cell), member->domain) : NULL;

    return ref && st_text_or_none(out, xc_fleet_host_key(ref));
}

static bool groups(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_member *member = child_of(cell);

    return member->domain && st_gauge(out, xc_member_groups(st_engine(cell), member->domain));
}

static bool plan_start(const struct st_cell *cell, struct st_value *out)
{
    struct xc_group *group = (struct xc_group *)((const struct st_pair *)cell->row)->parent;
    const char *text = xc_member_start_plan(st_engine(cell), group, child_of(cell));

    return text && st_text(out, text);
}

#define CREATE .access = ST_READ_CREATE
#define SPEC(arc, name, type, member_, ...)                                                        \
    MEMBER(arc, name, type, spec, xc_member_spec, member_, __VA_ARGS__)

static const struct st_column member_columns[] = {
    SPEC(2, "xenMemberLabel", ST_TEXT, member, .min = 1, .max = XC_MEMBER_NAME_MAX),
    MEMBER(3, "xenMemberDomainIndex", ST_UNSIGNED32, child, xc_member, domain, .min = 1,
           .max = G_MAXINT32, .none_if_zero = true),
    CALC(4, "xenMemberState", ST_ENUM, state, .labels = &xc_domain_state_labels),
    CALC(5, "xenMemberHost", ST_TEXT, host, .max = 32),
    SPEC(PRIORITY, "xenMemberPriority", ST_UNSIGNED32, priority, CREATE, .min = 1,
         .max = XC_PRIORITY_MAX),
    SPEC(PIN, "xenMemberPin", ST_TEXT, pin, CREATE, .max = 32),
    SPEC(DELAY, "xenMemberDelay", ST_UNSIGNED32, delay_sec, CREATE, .max = XC_MEMBER_DELAY_MAX,
         .units = "seconds"),
    MEMBER(9, "xenMemberCause", ST_ENUM, child, xc_member, cause, .labels = &xc_cause_labels),
    SPEC(CREATE_FROM, "xenMemberCreate", ST_TEXT, create, CREATE),
    SPEC(DESCR, "xenMemberDescr", ST_TEXT, descr, CREATE),
    CALC(MEMBER_STATUS, "xenMemberRowStatus", ST_ROW_STATUS, row_status, CREATE),
    CALC(13, "xenMemberGroups", ST_GAUGE32, groups, .units = "groups"),
    CALC(14, "xenMemberPlanStart", ST_TEXT, plan_start, .max = 64),
};

/* Returns the arc of the text that was written last; 0 none. */
static uint32_t take_texts(const struct st_change *change, struct xc_member_spec *member)
{
    const struct {
        uint32_t arc;
        char **to;
    } texts[] = {{PIN, &member->pin}, {DESCR, &member->descr}, {CREATE_FROM, &member->create}};
    uint32_t last = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
        const struct st_write *write = st_change_write(change, texts[i].arc);

        if (!write)
            continue;
        g_free(*texts[i].to);
        *texts[i].to = g_strdup(write->text);
        last = texts[i].arc;
    }
    return last;
}

static bool plan_member(const struct st_change *change, void *context, void *transaction,
                        uint32_t *blame, GError **error)
{
    const struct st_write *priority = st_change_write(change, PRIORITY);
    const struct st_write *delay = st_change_write(change, DELAY);
    struct xc_group_spec *group = group_of(change, transaction, error);
    struct xc_member_spec *member;
    uint32_t text;

    (void)context;
    if (is_destroy(st_change_write(change, MEMBER_STATUS))) {
        *blame = MEMBER_STATUS;
        g_clear_error(error);
        if (!group)
            return true; /* nor is there such a member */
        xc_group_member_drop(group, change->child_key);
        return xc_txn_put_group(transaction, group, error);
    }
    if (!group)
        return false;
    member = xc_group_member_get(group, change->child_key);
    if (priority)
        member->priority = (unsigned)priority->number;
    if (delay)
        member->delay_sec = (unsigned)delay->number;
    text = take_texts(change, member);
    if (text)
        *blame = text;
    return xc_txn_put_group(transaction, group, error);
}

static bool member_ok(const char *key)
{
    g_autofree char *clean = xc_text_clean(key, strlen(key), XC_MEMBER_NAME_MAX);

    return strcmp(clean, key) == 0;
}

#define GROUP_INDEX                                                                                \
    {                                                                                              \
        ST_INDEX_TEXT, offsetof(struct xc_group, name), "xenGroupName", 0, 1, XC_GROUP_NAME_MAX    \
    }
#define BELOW_GROUPS                                                                               \
    .row_size = sizeof(struct xc_group *), .rows_are_pointers = true, .rows = st_group_rows,       \
    .key_ok = st_group_key_ok

const struct st_table st_member_table = {
    .name = "xenMemberTable",
    .arcs = {1, 5, 2, 1},
    .index = {GROUP_INDEX,
              {ST_INDEX_TEXT, offsetof(struct xc_member, name), "xenMemberName", 1, 1,
               XC_MEMBER_NAME_MAX}},
    BELOW_GROUPS,
    .children = members,
    .child_size = sizeof(struct xc_member),
    .columns = member_columns,
    .n_columns = G_N_ELEMENTS(member_columns),
    .plan = plan_member,
    .row_status = MEMBER_STATUS,
    .child_key_ok = member_ok,
};

/* --- hosts */

static const struct st_column host_columns[] = {
    MEMBER(2, "xenGroupHostUsable", ST_TRUTH, child, xc_group_place, usable),
    MEMBER(3, "xenGroupHostCause", ST_ENUM, child, xc_group_place, cause,
           .labels = &xc_cause_labels),
    MEMBER(4, "xenGroupHostMembers", ST_GAUGE32, child, xc_group_place, members,
           .units = "members"),
    MEMBER(5, "xenGroupHostRunning", ST_GAUGE32, child, xc_group_place, running,
           .units = "members"),
    MEMBER(WEIGHT, "xenGroupHostWeight", ST_UNSIGNED32, child, xc_group_place, weight, CREATE,
           .min = 1, .max = XC_GROUP_WEIGHT_MAX),
    CALC(HOST_STATUS, "xenGroupHostRowStatus", ST_ROW_STATUS, row_status, CREATE),
};

static bool drop_host(const struct st_change *change, struct xc_engine *engine,
                      struct xc_group_spec *group, struct xc_txn *txn, GError **error)
{
    if (!group)
        return true; /* nor does it select that host */
    if (group->all_hosts && xc_fleet_host(engine, change->child_key))
        return xc_fail(error, XC_CAUSE_CONFLICT,
                       "group %s takes whatever hosts there are: write xenGroupHosts", group->name);
    xc_group_host_drop(group, change->child_key);
    return xc_txn_put_group(txn, group, error);
}

/* A row that is made selects its host, and then no others but those of such rows. */
static bool plan_host(const struct st_change *change, void *context, void *transaction,
                      uint32_t *blame, GError **error)
{
    const struct st_write *weight = st_change_write(change, WEIGHT);
    struct xc_group_spec *group = group_of(change, transaction, error);
    struct xc_group_host_spec *place;

    if (is_destroy(st_change_write(change, HOST_STATUS))) {
        *blame = HOST_STATUS;
        g_clear_error(error);
        return drop_host(change, ((const struct st_context *)context)->engine, group, transaction,
                         error);
    }
    if (!group)
        return false;
    if (!change->row)
        group->all_hosts = false;
    place = xc_group_host_get(group, change->child_key);
    if (weight)
        place->weight = (unsigned)weight->number;
    return xc_txn_put_group(transaction, group, error);
}

static bool host_ok(const char *key)
{
    return xc_text_is_key(key, 32);
}

const struct st_table st_group_host_table = {
    .name = "xenGroupHostTable",
    .arcs = {1, 5, 3, 1},
    .index = {GROUP_INDEX,
              {ST_INDEX_TEXT, offsetof(struct xc_group_place, host), "xenHostKey", 0, 1, 32}},
    BELOW_GROUPS,
    .children = places,
    .child_size = sizeof(struct xc_group_place),
    .columns = host_columns,
    .n_columns = G_N_ELEMENTS(host_columns),
    .plan = plan_host,
    .row_status = HOST_STATUS,
    .child_key_ok = host_ok,
};
