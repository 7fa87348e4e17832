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

/* A member that went is not known any more by its name, but by what happened to it last. */
static uint32_t last_domain(const GPtrArray *rows, const struct xc_group *group,
                            const struct xc_member *member)
{
    for (guint i = end_of(rows, group->spec->name); i-- > 0;) {
        const struct xc_history *h = rows->pdata[i];

        if (strcmp(h->group, group->spec->name) != 0)
            return 0;
        if (h->domain && strcmp(h->member, member->spec->member) == 0)
            return h->domain;
    }
    return 0;
}

static void note(struct xc_engine *engine, struct xc_group *const *groups, size_t n,
                 const struct xc_event *event, GPtrArray *rows)
{
    const struct xc_op *op = event->op ? xc_op_find(engine, event->op) : NULL;
    bool part = kind_of(event) == XC_HISTORY_OPERATION && op && op->parent;

    if (part)
        add(rows, event, op, op->group, op->member);
    for (size_t g = 0; event->domain && g < n; g++) {
        for (guint i = 0; i < groups[g]->members->len; i++) {
            const struct xc_member *member =
                &g_array_index(groups[g]->members, struct xc_member, i);
            uint32_t domain = member->domain;

            if (!domain && event->type == XC_EVENT_DOMAIN_DELETED)
                domain = last_domain(engine->history, groups[g], member);
            if (domain == event->domain &&
                !(part && strcmp(op->group, groups[g]->spec->name) == 0 &&
                  strcmp(op->member, member->spec->member) == 0))
                add(rows, event, op, groups[g]->spec->name, member->spec->member);
        }
    }
}

void xc_history_note(struct xc_engine *engine, GPtrArray *events)
{
    size_t n;
    struct xc_group *const *groups = xc_groups(engine, &n);

    for (guint i = 0; i < events->len; i++) {
        struct xc_event *event = events->pdata[i];

        if (!kind_of(event))
            continue;
        event->history = xc_histories_new();
        note(engine, groups, n, event, event->history);
    }
}
