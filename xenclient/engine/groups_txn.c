/* Groups in a transaction: each is changed as a draft, and what the drafts have become is written at the end. */
#include "xenclient/engine/txn_private.h"

#include <string.h>

static void draft_free(void *data)
{
    struct group_draft *draft = data;

    g_free(draft->name);
    xc_group_spec_free(draft->spec);
    g_free(draft);
}

void xc_txn_begin_groups(struct xc_txn *txn)
{
    txn->drafts = g_ptr_array_new_with_free_func(draft_free);
    txn->group_locks = g_ptr_array_new_with_free_func(g_free);
}

void xc_txn_end_groups(struct xc_txn *txn)
{
    g_ptr_array_unref(txn->drafts);
    g_ptr_array_unref(txn->group_locks);
}

static struct group_draft *find(const struct xc_txn *txn, const char *name)
{
    for (guint i = 0; i < txn->drafts->len; i++) {
        struct group_draft *draft = txn->drafts->pdata[i];

        if (strcmp(draft->name, name) == 0)
            return draft;
    }
    return NULL;
}

static struct group_draft *draft_of(struct xc_txn *txn, const char *name)
{
    struct group_draft *draft = find(txn, name);
    const struct xc_group *group;

    if (draft)
        return draft;
    group = xc_group_known(txn->engine, name);
    draft = g_new0(struct group_draft, 1);
    draft->name = g_strdup(name);
    draft->spec = group ? xc_group_spec_copy(group->spec) : NULL;
    g_ptr_array_add(txn->drafts, draft);
    return draft;
}

struct xc_group_spec *xc_txn_group(struct xc_txn *txn, const char *name)
{
    return draft_of(txn, name)->spec;
}

bool xc_txn_changes_group(const struct xc_txn *txn, const char *name)
{
    const struct group_draft *draft = find(txn, name);

    return draft && draft->changed;
}

/* May SNMP change it? group: NULL if there is none yet. */
static bool may_change(const struct xc_txn *txn, const char *name, const struct xc_group *group,
                       GError **error)
{
    if (!xc_policy_control(txn->engine, error))
        return false;
    if (group && group->origin == XC_FROM_CONFIG)
        return xc_fail(error, XC_CAUSE_POLICY,
                       "group %s is set by the configuration file: change it there", name);
    if (group && group->origin == XC_FROM_HYPERVISOR)
        return xc_fail(error, XC_CAUSE_POLICY, "group %s is the vApp %s: change it in XAPI", name,
                       group->label);
    for (guint i = 0; i < txn->runs->len; i++) {
        const struct xc_op_run *run = txn->runs->pdata[i];

        if (strcmp(run->op.group, name) == 0)
            return xc_fail(error, XC_CAUSE_CONFLICT,
                           "group %s: a change and an action in one request", name);
    }
    return true;
}

static bool check_number(const struct xc_txn *txn, GError **error)
{
    guint more = 0;

    for (guint i = 0; i < txn->drafts->len; i++) {
        const struct group_draft *draft = txn->drafts->pdata[i];

        more += draft->changed && draft->spec && !xc_group_known(txn->engine, draft->name);
    }
    /* vApps take nobody's place. */
    for (guint i = 0; i < txn->engine->groups->len; i++)
        more +=
            ((const struct xc_group *)txn->engine->groups->pdata[i])->origin != XC_FROM_HYPERVISOR;
    if (more < XC_GROUPS_MAX)
        return true;
    return xc_fail(error, XC_CAUSE_LIMIT, "there are %d groups already", XC_GROUPS_MAX);
}

bool xc_txn_put_group(struct xc_txn *txn, const struct xc_group_spec *spec, GError **error)
{
    const struct xc_group *group = xc_group_known(txn->engine, spec->name);
    struct group_draft *draft = draft_of(txn, spec->name);

    if (!may_change(txn, spec->name, group, error) || !xc_group_spec_check(spec, error))
        return false;
    if (draft->changed && !draft->spec)
        return xc_fail(error, XC_CAUSE_CONFLICT, "group %s is removed in the same request",
                       spec->name);
    if (!group && !draft->changed && !check_number(txn, error))
        return false;
    if (draft->spec != spec) {
        xc_group_spec_free(draft->spec);
        draft->spec = xc_group_spec_copy(spec);
    }
    draft->changed = true;
    return true;
}

bool xc_txn_remove_group(struct xc_txn *txn, const char *name, GError **error)
{
    const struct xc_group *group = xc_group_known(txn->engine, name);
    struct group_draft *draft;

    if (!may_change(txn, name, group, error))
        return false;
    if (!group)
        return true;
    if (group->active_op)
        return xc_fail(error, XC_CAUSE_BUSY, "group %s: operation %u is in progress", name,
                       group->active_op);
    draft = draft_of(txn, name);
    if (draft->changed)
        return xc_fail(error, XC_CAUSE_CONFLICT, "group %s is changed in the same request", name);
    draft->spec = xc_group_spec_free(draft->spec);
    draft->changed = true;
    return true;
}

bool xc_txn_lock_group(struct xc_txn *txn, const char *name, uint32_t value, GError **error)
{
    const struct xc_group *group = xc_group_known(txn->engine, name);

    if (!xc_policy_control(txn->engine, error))
        return false;
    if (!group)
        return xc_fail(error, XC_CAUSE_CONFLICT, "group %s is not there yet: it has no lock", name);
    if (group->lock != value)
        return xc_fail(error, XC_CAUSE_CONFLICT, "the lock is %u, not %u: read it again",
                       group->lock, value);
    g_ptr_array_add(txn->group_locks, g_strdup(name));
    return true;
}

bool xc_txn_source_is_free(const struct xc_txn *txn, const struct xc_slot *slot, GError **error)
{
    for (guint i = 0; i < txn->engine->groups->len; i++) {
        const struct xc_group *group = txn->engine->groups->pdata[i];
        const struct group_draft *draft = find(txn, group->spec->name);
        const struct xc_group_spec *spec = draft ? draft->spec : group->spec;
        /* A vApp goes with its pool. */
        bool keeps = spec && group->origin != XC_FROM_HYPERVISOR;
        const char *host = keeps ? xc_group_names_host(spec, slot) : NULL;

        if (host)
            return xc_fail(error, XC_CAUSE_BAD_STATE,
                           "source %s: host %s is selected by group %s: take it out there first",
                           slot->spec.key, host, spec->name);
    }
    return true;
}

void xc_txn_write_groups(struct xc_txn *txn)
{
    for (guint i = 0; i < txn->drafts->len; i++) {
        const struct group_draft *draft = txn->drafts->pdata[i];
        GByteArray *payload;

        if (!draft->changed)
            continue;
        payload = g_byte_array_new();
        xc_put_text(payload, draft->name);
        if (draft->spec)
            xc_group_spec_write(draft->spec, payload);
        xc_txn_add_intent(txn, draft->spec ? XC_INTENT_PUT_GROUP : XC_INTENT_REMOVE_GROUP, payload,
                          "");
    }
}

void xc_txn_dispatch_groups(struct xc_txn *txn)
{
    for (guint i = 0; i < txn->group_locks->len; i++) {
        struct xc_group *group = xc_group_known(txn->engine, txn->group_locks->pdata[i]);

        if (group)
            group->lock = group->lock == G_MAXINT32 ? 0 : group->lock + 1;
    }
}
