/* Groups: which there are. How they fare is in groups_status.c. */
#include "xenclient/engine/private.h"

static void place_clear(void *data)
{
    struct xc_group_place *place = data;

    g_free(place->host);
}

static void group_free(void *data)
{
    struct xc_group *group = data;

    xc_group_spec_free(group->spec);
    g_array_unref(group->members);
    g_array_unref(group->places);
    g_free(group->spread_text);
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

struct xc_group *const *xc_groups(struct xc_engine *engine, size_t *n)
{
    for (guint i = 0; i < engine->groups->len; i++)
        xc_group_refresh(engine, engine->groups->pdata[i]);
    *n = engine->groups->len;
    return (struct xc_group *const *)engine->groups->pdata;
}

struct xc_group *xc_group_find(struct xc_engine *engine, const char *name)
{
    guint at;

    if (!place_of(engine, name, &at))
        return NULL;
    xc_group_refresh(engine, engine->groups->pdata[at]);
    return engine->groups->pdata[at];
}

static struct xc_group *group_new(void)
{
    struct xc_group *group = g_new0(struct xc_group, 1);

    group->members = g_array_new(FALSE, FALSE, sizeof(struct xc_member));
    group->places = g_array_new(FALSE, FALSE, sizeof(struct xc_group_place));
    g_array_set_clear_func(group->places, place_clear);
    group->spread_text = g_strdup("");
    return group;
}

struct xc_group *xc_engine_group_put(struct xc_engine *engine, const struct xc_group_spec *spec,
                                     enum xc_origin_of_source origin)
{
    struct xc_group *group;
    guint at;

    if (!place_of(engine, spec->name, &at))
        g_ptr_array_insert(engine->groups, (gint)at, group_new());
    group = engine->groups->pdata[at];
    /* What points into the former definition. */
    g_array_set_size(group->members, 0);
    xc_group_spec_free(group->spec);
    group->spec = xc_group_spec_copy(spec);
    group->origin = origin;
    return group;
}

void xc_engine_group_remove(struct xc_engine *engine, const char *name)
{
    guint at;

    if (place_of(engine, name, &at))
        g_ptr_array_remove_index(engine->groups, at);
}
