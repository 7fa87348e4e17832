/* The sender of notifications: takes events behind the last one told, one at a time. */
#include "xenclient/engine/private.h"

#include <stdio.h>

#define BULK_USEC  XC_USEC_PER_SEC /* is collected that long */
#define AGAIN_USEC XC_USEC_PER_SEC /* after one did not arrive */

struct xc_notify {
    const struct xc_notify_sink *sink;
    struct xc_notify_counts counts;
    bool begun;       /* counts.last is of this database */
    bool classes_set; /* by SNMP */
    uint32_t classes;
    uint32_t
        taken; /* serial up to which events were looked at: those behind counts.last are in the bulk or on their way */
    struct xc_bucket bucket;
    struct xc_bulk bulk; /* being collected */
    struct xc_bulk told; /* the last one given to the sink */
    uint32_t flying;     /* serial of what is on its way, or of the end of a bulk; 0 nothing */
    bool flying_bulk;
    bool saving;
    bool unsaved; /* counts changed since ... */
    bool urgent;  /* ... and by more than events that are not wanted */
    guint timer;
};

struct xc_notify *xc_notify_new(void)
{
    return g_new0(struct xc_notify, 1);
}

void xc_notify_free(struct xc_notify *notify)
{
    if (notify->timer)
        g_source_remove(notify->timer);
    xc_bulk_clear(&notify->bulk);
    xc_bulk_clear(&notify->told);
    g_free(notify);
}

/* --- what is remembered */

static char *counts_text(const struct xc_notify_counts *counts)
{
    return g_strdup_printf("%u %u %u", counts->last, counts->sent, counts->bulked);
}

void xc_notify_load(struct xc_engine *engine, const char *value)
{
    struct xc_notify *notify = engine->notify;
    struct xc_notify_counts counts = {0};

    if (sscanf(value, "%" G_GUINT32_FORMAT " %" G_GUINT32_FORMAT " %" G_GUINT32_FORMAT,
               &counts.last, &counts.sent, &counts.bulked) != 3)
        return;
    counts.muted = counts.last - counts.sent - counts.bulked;
    notify->counts = counts;
    notify->taken = counts.last;
    notify->begun = true;
}

static void save(struct xc_engine *engine);

static void saved(const GError *error, void *data)
{
    struct xc_engine *engine = data;
    struct xc_notify *notify = engine->notify;

    notify->saving = false;
    notify->unsaved = notify->unsaved || error;
    if (notify->urgent && !error && !engine->closing)
        save(engine);
}

static void save(struct xc_engine *engine)
{
    struct xc_notify *notify = engine->notify;
    g_autofree char *text = counts_text(&notify->counts);

    notify->unsaved = notify->urgent = notify->saving;
    if (notify->saving)
        return;
    notify->saving = true;
    xc_store_put_setting(engine->store, XC_SETTING_NOTIFIED, text, saved, engine);
}

/* What was told is written at once; events that are passed over only now and then, for nothing comes twice by them. */
void xc_notify_tick(struct xc_engine *engine)
{
    if (engine->notify->unsaved && !engine->notify->saving)
        save(engine);
}

void xc_notify_flush(struct xc_engine *engine)
{
    struct xc_notify *notify = engine->notify;
    g_autofree char *text = counts_text(&notify->counts);

    if (notify->begun && (notify->unsaved || notify->saving))
        xc_store_put_setting(engine->store, XC_SETTING_NOTIFIED, text, NULL, NULL);
}

/* --- classes */

uint32_t xc_notify_classes(const struct xc_engine *engine)
{
    const struct xc_notify *notify = engine->notify;

    if (engine->config->notify_set)
        return engine->config->notify_classes;
    return notify->classes_set ? notify->classes : XC_NOTIFY_USUAL;
}

void xc_notify_set_classes(struct xc_engine *engine, const char *value)
{
    uint64_t classes;

    if (!xc_text_to_u64(value, 0, G_MAXUINT32, &classes, NULL))
        return;
    engine->notify->classes = (uint32_t)classes;
    engine->notify->classes_set = true;
}

char *xc_notify_classes_text(const struct xc_engine *engine)
{
    return g_strdup_printf("%u", engine->notify->classes);
}

bool xc_txn_notify_classes(struct xc_txn *txn, uint32_t classes, GError **error)
{
    struct xc_engine *engine = xc_txn_engine(txn);
    g_autofree char *value = g_strdup_printf("%u", classes);

    if (!xc_policy_control(engine, error))
        return false;
    if (engine->config->notify_set)
        return xc_fail(error, XC_CAUSE_POLICY,
                       "notify is set by the configuration file: change it there");
    xc_txn_put_setting(txn, XC_SETTING_CLASSES, value);
    return true;
}

/* --- sending */

static gboolean on_timer(void *data)
{
    struct xc_engine *engine = data;

    engine->notify->timer = 0;
    xc_notify_pump(engine);
    return G_SOURCE_REMOVE;
}

static void pump_in(struct xc_engine *engine, gint64 usec)
{
    struct xc_notify *notify = engine->notify;

    if (notify->timer)
        g_source_remove(notify->timer);
    notify->timer = g_timeout_add((guint)(MAX(usec, 0) / 1000 + 1), on_timer, engine);
}

/* The oldest event that was not looked at yet, or NULL. */
static const struct xc_event *next_event(const struct xc_engine *engine)
{
    size_t n;
    const struct xc_event *const *ring = xc_events(engine, &n);
    uint32_t next = engine->notify->taken + 1;

    if (!n || ring[n - 1]->serial < next)
        return NULL;
    return ring[0]->serial >= next ? ring[0] : ring[next - ring[0]->serial];
}

/* A database that no notification was sent of: what it has had so far is past. */
static void begin_at(struct xc_notify *notify, uint32_t last)
{
    notify->counts = (struct xc_notify_counts){.last = last, .muted = last};
    notify->taken = last;
    notify->begun = true;
}

static bool take_token(struct xc_engine *engine)
{
    const struct xc_config *config = engine->config;

    return xc_bucket_take(&engine->notify->bucket, xc_clock_mono(), config->notify_rate,
                          config->notify_burst);
}

static void fly(struct xc_engine *engine, const struct xc_event *event)
{
    struct xc_notify *notify = engine->notify;

    notify->flying = event->serial;
    notify->flying_bulk = false;
    notify->taken = event->serial;
    if (!notify->sink->event(event, notify->sink->data))
        xc_notify_told(engine, false);
}

/* False: one is on its way. */
static bool take(struct xc_engine *engine, const struct xc_event *event)
{
    struct xc_notify *notify = engine->notify;
    struct xc_bulk *bulk = &notify->bulk;

    if (event->serial > notify->taken + 1)
        xc_bulk_gone(bulk, notify->taken + 1, event->serial - 1, xc_clock_mono());
    if (!xc_notify_wanted(xc_notify_classes(engine), event->type)) {
        if (bulk->first) {
            xc_bulk_mute(bulk, event->serial);
        } else {
            notify->counts.muted++;
            notify->counts.last = event->serial;
            notify->unsaved = true;
        }
    } else if (bulk->first || !take_token(engine)) {
        xc_bulk_add(bulk, event, xc_clock_mono());
    } else {
        fly(engine, event);
        return false;
    }
    notify->taken = event->serial;
    return true;
}

static void send_bulk(struct xc_engine *engine)
{
    const struct xc_config *config = engine->config;
    struct xc_notify *notify = engine->notify;
    gint64 now = xc_clock_mono();
    gint64 wait =
        MAX(notify->bulk.opened + BULK_USEC - now,
            xc_bucket_wait(&notify->bucket, now, config->notify_rate, config->notify_burst));

    if (wait > 0) {
        pump_in(engine, wait);
        return;
    }
    take_token(engine);
    xc_bulk_clear(&notify->told);
    notify->told = notify->bulk;
    notify->bulk = (struct xc_bulk){0};
    notify->flying = notify->told.last;
    notify->flying_bulk = true;
    if (!notify->sink->bulk(notify->sink->data))
        xc_notify_told(engine, false);
}

void xc_notify_pump(struct xc_engine *engine)
{
    struct xc_notify *notify = engine->notify;
    const struct xc_event *event;

    if (!notify->sink || engine->closing || !notify->sink->ready(notify->sink->data))
        return;
    while (!notify->flying && (event = next_event(engine))) {
        if (!notify->begun)
            begin_at(notify, event->serial - 1);
        if (!take(engine, event))
            return;
    }
    if (!notify->flying && notify->bulk.first)
        send_bulk(engine);
}

/* As before it was sent. */
static void take_back(struct xc_notify *notify)
{
    if (notify->flying_bulk) {
        notify->bulk = notify->told;
        notify->told = (struct xc_bulk){0};
    } else {
        notify->taken = notify->flying - 1;
    }
    notify->flying = 0;
}

void xc_notify_told(struct xc_engine *engine, bool arrived)
{
    struct xc_notify *notify = engine->notify;
    const struct xc_bulk *told = &notify->told;

    if (!notify->flying)
        return;
    if (!arrived) {
        take_back(notify);
        pump_in(engine, AGAIN_USEC);
        return;
    }
    if (notify->flying_bulk) {
        notify->counts.bulked += told->count;
        notify->counts.muted += told->muted;
    } else {
        notify->counts.sent++;
    }
    notify->counts.last = notify->flying;
    notify->flying = 0;
    save(engine);
    xc_notify_pump(engine);
}

void xc_notify_attach(struct xc_engine *engine, const struct xc_notify_sink *sink)
{
    engine->notify->sink = sink;
    xc_notify_pump(engine);
}

void xc_notify_start(struct xc_engine *engine)
{
    struct xc_event_counts ring = xc_event_counts(engine);

    if (!engine->notify->begun && ring.last)
        begin_at(engine->notify, ring.last);
}

/* --- reading */

struct xc_notify_counts xc_notify_counts(const struct xc_engine *engine)
{
    return engine->notify->counts;
}

const struct xc_bulk *xc_notify_bulk(const struct xc_engine *engine)
{
    return engine->notify->told.first ? &engine->notify->told : NULL;
}
