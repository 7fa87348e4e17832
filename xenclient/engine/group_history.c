/* The histories of groups. Before events go to the store, each is looked at: whose member is it about? What comes of that
 * is written along with it, and shown when it is committed. */
#include "xenclient/engine/group_history.h"

#include "xenclient/engine/private.h"

#include <string.h>

static void history_free(void *history)
{
    xc_history_free(history);
}

GPtrArray *xc_histories_new(void)
{
    return g_ptr_array_new_with_free_func(history_free);
}

const struct xc_history *const *xc_group_history(const struct xc_engine *engine, size_t *n)
{
    *n = engine->history->len;
    return (const struct xc_history *const *)engine->history->pdata;
}

/* --- what is shown */

/* Where the rows of a group end, or would begin. */
static guint end_of(const GPtrArray *rows, const char *group)
{
    guint low = 0, high = rows->len;

    while (low < high) {
        guint middle = low + (high - low) / 2;

        if (xc_key_compare(((const struct xc_history *)rows->pdata[middle])->group, group) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The same rule as in the store. */
static void drop_oldest_of(GPtrArray *rows, guint end, const struct xc_history *newest)
{
    unsigned n = 0;

    for (guint i = end; i-- > 0;) {
        const struct xc_history *h = rows->pdata[i];

        if (strcmp(h->group, newest->group) != 0)
            return;
        if (strcmp(h->member, newest->member) == 0 && ++n > XC_HISTORY_OF_MEMBER) {
            g_ptr_array_remove_index(rows, i);
            return;
        }
    }
}

void xc_history_load(struct xc_history *history, void *data)
{
    GPtrArray *rows = ((struct xc_engine *)data)->history;
    guint end = end_of(rows, history->group);

    g_ptr_array_insert(rows, (gint)end, history);
    drop_oldest_of(rows, end + 1, history);
}

static void trim(GPtrArray *rows, uint32_t last)
{
    uint32_t limit = last > XC_HISTORY_ROWS ? last - XC_HISTORY_ROWS : 0;

    for (guint i = rows->len; limit && rows->len > XC_HISTORY_ROWS && i-- > 0;)
        if (((const struct xc_history *)rows->pdata[i])->serial <= limit)
            g_ptr_array_remove_index(rows, i);
}

void xc_history_show(struct xc_engine *engine, GPtrArray *rows)
{
    uint32_t last = 0;

    for (guint i = 0; i < rows->len; i++) {
        struct xc_history *h = rows->pdata[i];

        last = h->serial;
        xc_history_load(h, engine);
    }
    g_ptr_array_set_free_func(rows, NULL);
    g_ptr_array_set_size(rows, 0);
    trim(engine->history, last);
}

/* --- of an event */

static enum xc_history_event of_state(int state, int before)
{
    switch (state) {
    case XC_STATE_RUNNING:
        if (before == XC_STATE_PAUSED)
            return XC_HISTORY_UNPAUSED;
        return before == XC_STATE_SUSPENDED || before == XC_STATE_RESUMING ? XC_HISTORY_RESUMED
                                                                           : XC_HISTORY_STARTED;
    case XC_STATE_SHUTDOWN:
        return XC_HISTORY_STOPPED;
    case XC_STATE_SUSPENDED:
        return XC_HISTORY_SUSPENDED;
    case XC_STATE_PAUSED:
        return XC_HISTORY_PAUSED;
    case XC_STATE_CRASHED:
        return XC_HISTORY_CRASHED;
    default:
        return 0; /* on its way to one of these */
    }
}

/* 0: nothing that lasts. */
static enum xc_history_event kind_of(const struct xc_event *event)
{
    switch (event->type) {
    case XC_EVENT_DOMAIN_STATE:
    case XC_EVENT_DOMAIN_CRASHED:
        return of_state(event->told, event->before);
    case XC_EVENT_DOMAIN_CREATED:
        return XC_HISTORY_CREATED;
    case XC_EVENT_DOMAIN_DELETED:
        return XC_HISTORY_DELETED;
    case XC_EVENT_DOMAIN_MOVED:
        return XC_HISTORY_MOVED;
    case XC_EVENT_OPERATION_FINISHED:
    case XC_EVENT_OPERATION_FAILED:
        return XC_HISTORY_OPERATION;
    default:
        return 0;
    }
}

/* --- whose member a domain is */

struct xc_member_places {
    uint64_t generation, definitions; /* of which this is true */
    GHashTable *places;               /* index of a domain -> GArray of struct place */
};

struct place {
    const struct xc_group_spec *group;
    const struct xc_member_spec *member;
};

void xc_member_places_free(struct xc_member_places *places)
{
    if (places)
        g_hash_table_unref(places->places);
    g_free(places);
}

/* A member that went is not known any more by its name, but by what happened to it last. */
static uint32_t last_domain(const GPtrArray *rows, const char *group, const char *member)
{
    for (guint i = end_of(rows, group); i-- > 0;) {
        const struct xc_history *h = rows->pdata[i];

        if (strcmp(h->group, group) != 0)
            return 0;
        if (h->domain && strcmp(h->member, member) == 0)
            return h->domain;
    }
    return 0;
}

static void add_members(struct xc_engine *engine, GHashTable *places,
                        const struct xc_group_spec *group)
{
    for (guint i = 0; i < group->members->len; i++) {
        const struct place place = {group, group->members->pdata[i]};
        enum xc_cause cause;
        uint32_t domain = xc_member_resolve(engine, place.member->member, &cause);
        GArray *of;

        if (!domain && cause == XC_CAUSE_NO_SUCH_TARGET)
            domain = last_domain(engine->history, group->name, place.member->member);
        if (!domain)
            continue;
        of = g_hash_table_lookup(places, GUINT_TO_POINTER(domain));
        if (!of) {
            of = g_array_new(FALSE, FALSE, sizeof(struct place));
            g_hash_table_insert(places, GUINT_TO_POINTER(domain), of);
        }
        g_array_append_val(of, place);
    }
}

/* Made anew when a domain, its name or a group has changed. */
static GHashTable *places_now(struct xc_engine *engine)
{
    struct xc_member_places *places = engine->member_places;

    if (places && places->generation == engine->generation &&
        places->definitions == engine->definitions)
        return places->places;
    xc_member_places_free(places);
    places = g_new0(struct xc_member_places, 1);
    places->generation = engine->generation;
    places->definitions = engine->definitions;
    places->places =
        g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, (GDestroyNotify)g_array_unref);
    for (guint i = 0; i < engine->groups->len; i++)
        add_members(engine, places->places,
                    ((const struct xc_group *)engine->groups->pdata[i])->spec);
    engine->member_places = places;
    return places->places;
}

/* --- from events to rows */

static void add(GPtrArray *rows, const struct xc_event *event, const struct xc_op *op,
                const char *group, const char *member)
{
    struct xc_history *h = xc_history_new(group, member, event->host, event->text);

    h->time_real = event->time_real;
    h->event = kind_of(event);
    h->domain = event->domain;
    h->op = event->op;
    if (h->event == XC_HISTORY_OPERATION && op)
        h->result = op->result;
    g_ptr_array_add(rows, h);
}

/* The end of a group's part is its member's, whatever that stands for; all else goes by the domain. */
static void note(struct xc_engine *engine, const struct xc_event *event, GPtrArray *rows)
{
    const struct xc_op *op = event->op ? xc_op_find(engine, event->op) : NULL;
    bool part = kind_of(event) == XC_HISTORY_OPERATION && op && op->parent;
    const GArray *places =
        event->domain ? g_hash_table_lookup(places_now(engine), GUINT_TO_POINTER(event->domain))
                      : NULL;

    if (part)
        add(rows, event, op, op->group, op->member);
    for (guint i = 0; places && i < places->len; i++) {
        const struct place *place = &g_array_index(places, struct place, i);

        if (!part || strcmp(op->group, place->group->name) != 0)
            add(rows, event, op, place->group->name, place->member->member);
    }
}

void xc_history_note(struct xc_engine *engine, GPtrArray *events)
{
    for (guint i = 0; engine->groups->len && i < events->len; i++) {
        struct xc_event *event = events->pdata[i];

        if (!kind_of(event))
            continue;
        event->history = xc_histories_new();
        note(engine, event, event->history);
    }
}
