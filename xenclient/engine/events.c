/* The ring of events, and their way into it: made, written in groups by the store, then shown. */
#include "xenclient/engine/private.h"

#define GATHER_MSEC 20   /* what happens together is written together */
#define RETRY_MSEC  5000 /* after the store failed */
#define GROUP_MAX   512  /* in one commit: other writers have their turn in between */
/* While the store can't write; a burst of all domains of a large estate fits. */
#define WAITING_MAX 20000

struct xc_events {
    GPtrArray *ring;    /* struct xc_event *, committed, by serial */
    GPtrArray *waiting; /* made since */
    GPtrArray *group;   /* at the store, or to be tried again; NULL none */
    bool writing;       /* the store has it: the events are the thread's */
    guint timer;
    uint32_t lost;
};

static void event_free(void *event)
{
    xc_event_free(event);
}

struct xc_events *xc_events_new(void)
{
    struct xc_events *events = g_new0(struct xc_events, 1);

    events->ring = g_ptr_array_new_with_free_func(event_free);
    events->waiting = g_ptr_array_new();
    return events;
}

void xc_events_free(struct xc_events *events)
{
    g_ptr_array_unref(events->ring);
    g_ptr_array_set_free_func(events->waiting, event_free);
    g_ptr_array_unref(events->waiting);
    g_clear_pointer(&events->group, g_ptr_array_unref);
    g_free(events);
}

void xc_events_trim(struct xc_engine *engine)
{
    GPtrArray *ring = engine->events->ring;

    if (ring->len > engine->config->event_rows)
        g_ptr_array_remove_range(ring, 0, ring->len - engine->config->event_rows);
}

void xc_events_load(struct xc_event *event, void *data)
{
    struct xc_engine *engine = data;

    g_ptr_array_add(engine->events->ring, event);
    xc_events_trim(engine);
}

/* --- writing */

static void schedule(struct xc_engine *engine, guint msec);

/* Takes the first of those that wait. */
static GPtrArray *take_group(struct xc_engine *engine)
{
    struct xc_events *events = engine->events;
    GPtrArray *group = g_ptr_array_new_with_free_func(event_free);
    guint n = MIN(events->waiting->len, GROUP_MAX);

    for (guint i = 0; i < n; i++)
        g_ptr_array_add(group, events->waiting->pdata[i]);
    if (n)
        g_ptr_array_remove_range(events->waiting, 0, n);
    xc_history_note(engine, group);
    return group;
}

/* They have their serials now: into the ring. */
static void show(struct xc_engine *engine, GPtrArray *group)
{
    for (guint i = 0; i < group->len; i++) {
        struct xc_event *event = group->pdata[i];

        if (event->history)
            xc_history_show(engine, event->history);
        g_clear_pointer(&event->history, g_ptr_array_unref);
        if (event->type == XC_EVENT_NONE)
            xc_event_free(event);
        else
            g_ptr_array_add(engine->events->ring, event);
    }
    g_ptr_array_set_free_func(group, NULL);
    g_ptr_array_unref(group);
    xc_notify_pump(engine); /* before the oldest go */
    xc_events_trim(engine);
}

static void written(const GError *error, void *data)
{
    struct xc_engine *engine = data;
    struct xc_events *events = engine->events;

    events->writing = false;
    engine->store_failed = error != NULL;
    if (!error)
        show(engine, g_steal_pointer(&events->group));
    if (!engine->closing && (events->group || events->waiting->len))
        schedule(engine, error ? RETRY_MSEC : 0);
}

static gboolean on_timer(void *data)
{
    struct xc_engine *engine = data;
    struct xc_events *events = engine->events;

    events->timer = 0;
    if (!events->group)
        events->group = take_group(engine);
    events->writing = true;
    xc_store_add_events(engine->store, events->group, engine->config->event_rows, written, engine);
    return G_SOURCE_REMOVE;
}

static void schedule(struct xc_engine *engine, guint msec)
{
    struct xc_events *events = engine->events;

    if (!events->timer && !events->writing)
        events->timer = g_timeout_add(msec, on_timer, engine);
}

void xc_events_add(struct xc_engine *engine, struct xc_event *event)
{
    struct xc_events *events = engine->events;

    if (engine->closing || events->waiting->len >= WAITING_MAX) {
        events->lost += event->type != XC_EVENT_NONE;
        xc_event_free(event);
        return;
    }
    g_ptr_array_add(events->waiting, event);
    schedule(engine, GATHER_MSEC);
}

void xc_events_flush(struct xc_engine *engine)
{
    struct xc_events *events = engine->events;

    if (events->timer)
        g_source_remove(events->timer);
    events->timer = 0;
    if (events->group && !events->writing)
        xc_store_add_events(engine->store, events->group, engine->config->event_rows, NULL, NULL);
    while (events->waiting->len) {
        g_autoptr(GPtrArray) group = take_group(engine);

        xc_store_add_events(engine->store, group, engine->config->event_rows, NULL, NULL);
    }
}

/* --- reading */

const struct xc_event *const *xc_events(const struct xc_engine *engine, size_t *n)
{
    *n = engine->events->ring->len;
    return (const struct xc_event *const *)engine->events->ring->pdata;
}

struct xc_event_counts xc_event_counts(const struct xc_engine *engine)
{
    size_t n;
    const struct xc_event *const *ring = xc_events(engine, &n);
    struct xc_event_counts counts = {.lost = engine->events->lost};

    if (n) {
        counts.first = ring[0]->serial;
        counts.last = ring[n - 1]->serial;
    }
    return counts;
}
