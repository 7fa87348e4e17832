/* Groups: which there are. How they fare is in groups_status.c. */
#include "xenclient/engine/private.h"

#include <string.h>

static void place_clear(void *data)
{
    struct xc_group_place *place = data;

    g_free(place->host);
}

static void group_free(void *data)
{
    struct xc_group *group = data;

    xc_group_spec_free(group->spec);
    g_free(group->label);
    g_array_unref(group->members);
    g_array_unref(group->places);
    g_free(group->spread_text);
    g_free(group->start_plan);
    g_ptr_array_unref(group->start_parts);
    g_free(group);
}

GPtrArray *xc_groups_new(void)
{
    return g_ptr_array_new_with_free_func(group_free);
}

/* Where a name is, or belongs; true when it is there. */
static bool place_of(const struct xc_engine *engine, const char *name, guint *at)
{
    guint low = 0;
    guint high = engine->groups->len;

    while (low < high) {
        guint middle = low + (high - low) / 2;
        const struct xc_group *group = engine->groups->pdata[middle];
        int order = xc_key_compare(group->spec->name, name);

        if (order == 0) {
            *at = middle;
            return true;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *at = low;
    return false;
}

struct xc_group *const *xc_groups_listed(struct xc_engine *engine, size_t *n)
{
    *n = engine->groups->len;
    return (struct xc_group *const *)engine->groups->pdata;
}

struct xc_group *const *xc_groups(struct xc_engine *engine, size_t *n)
{
    for (guint i = 0; i < engine->groups->len; i++)
        xc_group_refresh(engine, engine->groups->pdata[i]);
    return xc_groups_listed(engine, n);
}

struct xc_group *xc_group_known(const struct xc_engine *engine, const char *name)
{
    guint at;

    return place_of(engine, name, &at) ? engine->groups->pdata[at] : NULL;
}

struct xc_group *xc_group_find(struct xc_engine *engine, const char *name)
{
    struct xc_group *group = xc_group_known(engine, name);

    if (group)
        xc_group_refresh(engine, group);
    return group;
}

const char *xc_group_start_plan(struct xc_engine *engine, struct xc_group *group)
{
    const struct xc_group_request start = {.group = group->spec->name, .action = XC_ACTION_START};

    if (group->plan_facts != engine->facts) {
        g_free(group->start_plan);
        g_ptr_array_set_size(group->start_parts, 0);
        group->start_plan = xc_group_plan_text(engine, &start, group->start_parts, NULL);
        group->plan_facts = engine->facts;
    }
    return group->start_plan;
}

const char *xc_member_start_plan(struct xc_engine *engine, struct xc_group *group,
                                 const struct xc_member *member)
{
    gsize at = (gsize)(member - (const struct xc_member *)group->members->data);

    xc_group_start_plan(engine, group);
    return at < group->start_parts->len ? group->start_parts->pdata[at] : NULL;
}

void xc_groups_stir(struct xc_engine *engine)
{
    engine->facts++;
}

/* --- changing them */

static struct xc_group *group_new(void)
{
    struct xc_group *group = g_new0(struct xc_group, 1);

    group->members = g_array_new(FALSE, FALSE, sizeof(struct xc_member));
    group->places = g_array_new(FALSE, FALSE, sizeof(struct xc_group_place));
    g_array_set_clear_func(group->places, place_clear);
    group->start_parts = g_ptr_array_new_with_free_func(g_free);
    group->spread_text = g_strdup("");
    return group;
}

struct xc_group *xc_engine_group_put(struct xc_engine *engine, const struct xc_group_spec *spec,
                                     enum xc_origin_of_source origin)
{
    struct xc_group_spec *copy = xc_group_spec_copy(spec);
    struct xc_group *group;
    guint at;

    if (!place_of(engine, spec->name, &at))
        g_ptr_array_insert(engine->groups, (gint)at, group_new());
    group = engine->groups->pdata[at];
    g_array_set_size(group->members, 0); /* they point into the former definition */
    xc_group_spec_free(group->spec);
    group->spec = copy;
    group->name = copy->name;
    xc_set_text(&group->label, copy->name);
    group->origin = origin;
    engine->definitions++;
    xc_groups_stir(engine);
    return group;
}

void xc_engine_group_remove(struct xc_engine *engine, const char *name)
{
    guint at;

    if (!place_of(engine, name, &at))
        return;
    g_ptr_array_remove_index(engine->groups, at);
    engine->definitions++;
    xc_groups_stir(engine);
}

const char *xc_group_names_host(const struct xc_group_spec *spec, const struct xc_slot *slot)
{
    if (spec->all_hosts)
        return NULL;
    for (char **key = slot->host_keys; key && *key; key++)
        if (xc_group_host(spec, *key))
            return *key;
    /* Before its first answer its host has the source's own key. */
    return !slot->host_keys && xc_group_host(spec, slot->spec.key) ? slot->spec.key : NULL;
}

/* --- between the journal, the store and the configuration file */

void xc_groups_load(const struct xc_group_spec *spec, enum xc_wanted wanted, void *data)
{
    struct xc_group *group = xc_group_known(data, spec->name);

    if (group)
        xc_log(XC_LOG_WARNING,
               "group %s: made by SNMP and set by the configuration file: the file wins",
               spec->name);
    else
        xc_engine_group_put(data, spec, XC_FROM_SNMP)->wanted = wanted;
}

void xc_group_save(struct xc_engine *engine, const char *name)
{
    const struct xc_group *group = xc_group_known(engine, name);

    if (!group)
        xc_store_remove_group(engine->store, name);
    else if (group->origin == XC_FROM_SNMP)
        xc_store_put_group(engine->store, group->spec, group->wanted);
}

bool xc_group_intent(struct xc_engine *engine, enum xc_intent_kind kind, struct xc_reader *reader,
                     char **name)
{
    g_autofree char *text = xc_get_text(reader, XC_GROUP_NAME_MAX);
    bool put = kind == XC_INTENT_PUT_GROUP;
    g_autoptr(xc_group_spec) spec = put ? xc_group_spec_read(text, reader) : NULL;
    const struct xc_group *group;

    if (!xc_reader_end(reader))
        return false;
    group = xc_group_known(engine, text);
    if (group && group->origin == XC_FROM_CONFIG)
        xc_log(XC_LOG_WARNING, "group %s: set by the configuration file meanwhile: the file wins",
               text);
    else if (put)
        xc_engine_group_put(engine, spec, XC_FROM_SNMP);
    else
        xc_engine_group_remove(engine, text);
    *name = g_steal_pointer(&text);
    return true;
}

static bool has_group(const struct xc_config *config, const char *name)
{
    for (guint i = 0; i < config->groups->len; i++)
        if (strcmp(((const struct xc_group_spec *)config->groups->pdata[i])->name, name) == 0)
            return true;
    return false;
}

static bool has_source(const struct xc_config *config, const char *key)
{
    for (guint i = 0; i < config->sources->len; i++)
        if (strcmp(((const struct xc_config_source *)config->sources->pdata[i])->spec.key, key) ==
            0)
            return true;
    return false;
}

/* Would a group that SNMP made miss a host? */
static bool misses_host(const struct xc_engine *engine, const struct xc_group *group,
                        const struct xc_config *next, GError **error)
{
    for (guint i = 0; i < engine->slots->len; i++) {
        const struct xc_slot *slot = engine->slots->pdata[i];
        bool goes = slot->origin == XC_FROM_CONFIG && !has_source(next, slot->spec.key);
        const char *host = goes ? xc_group_names_host(group->spec, slot) : NULL;

        if (host)
            return !xc_fail(error, XC_CAUSE_BAD_STATE,
                            "source %s is gone from it, but group %s selects its host %s",
                            slot->spec.key, group->spec->name, host);
    }
    return false;
}

bool xc_groups_may_configure(const struct xc_engine *engine, const struct xc_config *next,
                             GError **error)
{
    for (guint i = 0; i < engine->groups->len; i++) {
        const struct xc_group *group = engine->groups->pdata[i];
        bool from_file = group->origin == XC_FROM_CONFIG;

        if (from_file && group->active_op && !has_group(next, group->spec->name))
            return xc_fail(error, XC_CAUSE_BAD_STATE,
                           "group %s is gone from it, but operation %u is in progress",
                           group->spec->name, group->active_op);
        if (group->origin == XC_FROM_SNMP && !has_group(next, group->spec->name) &&
            misses_host(engine, group, next, error))
            return false;
    }
    return true;
}

void xc_groups_configure(struct xc_engine *engine, const struct xc_config *config)
{
    for (guint i = engine->groups->len; i-- > 0;) {
        const struct xc_group *group = engine->groups->pdata[i];

        if (group->origin == XC_FROM_CONFIG && !has_group(config, group->spec->name)) {
            xc_log(XC_LOG_INFO, "group %s: removed", group->spec->name);
            xc_engine_group_remove(engine, group->spec->name);
        }
    }
    for (guint i = 0; i < config->groups->len; i++) {
        const struct xc_group_spec *spec = config->groups->pdata[i];
        const struct xc_group *group = xc_group_known(engine, spec->name);

        if (group && group->origin == XC_FROM_CONFIG && xc_group_spec_equal(group->spec, spec))
            continue;
        xc_engine_group_put(engine, spec, XC_FROM_CONFIG);
    }
}
