/* When sources are asked, and what happens with their answers. */
#include "xenclient/engine/private.h"

#include <string.h>

#define MIN_GAP_USEC      (XC_USEC_PER_SEC / 2) /* between two polls that events ask for */
#define MAX_BACK_OFF_SEC  60
#define FIRST_SPREAD_MSEC 5 /* per source: a restart does not poll all hosts in one instant */
/* What an event announced goes on after it, and nothing tells of its end: for a minute polls look for that. */
#define FOLLOW_UP_USEC      XC_USEC_PER_SEC
#define FOLLOW_UP_LAST_USEC (60 * XC_USEC_PER_SEC)

bool xc_slot_stale(const struct xc_slot *slot)
{
    const struct xc_poller *poller = slot->poller;

    if (!poller || slot->state == XC_SOURCE_UP)
        return false;
    return slot->failed_in_row >= poller->engine->config->stale_after || !slot->enabled;
}

bool xc_slot_down(const struct xc_slot *slot)
{
    return slot->failed_in_row >= XC_FAILED_POLLS_DOWN || !slot->enabled;
}

gint64 xc_slot_age(const struct xc_slot *slot)
{
    if (!slot->last_ok_mono)
        return -1;
    return (xc_clock_mono() - slot->last_ok_mono) / XC_USEC_PER_SEC;
}

static void set_state(struct xc_slot *slot, enum xc_source_state state, enum xc_cause cause,
                      const char *text)
{
    g_autofree char *clean = xc_text_clean(text, strlen(text), XC_TEXT_MAX);

    if (slot->state != state) {
        slot->since_real = xc_clock_real();
        xc_log(state == XC_SOURCE_UP ? XC_LOG_INFO : XC_LOG_WARNING, "source %s: %s%s%s",
               slot->spec.key, xc_enum_label(&xc_source_state_labels, (int)state),
               *text ? ": " : "", text);
    }
    slot->state = state;
    xc_groups_stir(((const struct xc_poller *)slot->poller)->engine);
    slot->cause = cause;
    g_free(slot->state_text);
    slot->state_text = g_steal_pointer(&clean);
}

struct xc_slot *xc_slot_new(struct xc_engine *engine, const struct xc_source_spec *spec,
                            enum xc_origin_of_source origin, bool enabled, unsigned interval_sec,
                            GError **error)
{
    const struct xc_driver *driver = xc_driver_for(spec->uri, error);
    struct xc_slot *slot;
    struct xc_poller *poller;

    if (!driver)
        return NULL;
    slot = g_new0(struct xc_slot, 1);
    poller = g_new0(struct xc_poller, 1);
    slot->id = engine->next_slot++;
    slot->driver = driver;
    slot->origin = origin;
    slot->enabled = enabled;
    slot->interval_sec = interval_sec ? interval_sec : engine->config->interval_sec;
    slot->poller = poller;
    slot->state_text = g_strdup("");
    poller->engine = engine;
    xc_source_spec_copy(&slot->spec, spec);
    slot->cause = XC_CAUSE_NONE;
    slot->state = enabled ? XC_SOURCE_CONNECTING : XC_SOURCE_DISABLED;
    slot->since_real = xc_clock_real();
    g_hash_table_insert(engine->slot_ids, GUINT_TO_POINTER(slot->id), slot);
    if (spec->tls_insecure)
        xc_log(XC_LOG_WARNING,
               "source %s: tls_insecure is on, certificates are not checked; `xenctl trust %s`, "
               "then take it away",
               spec->key, spec->key);
    return slot;
}

void xc_slot_free(struct xc_slot *slot)
{
    struct xc_poller *poller = slot->poller;

    if (poller) {
        g_hash_table_remove(poller->engine->slot_ids, GUINT_TO_POINTER(slot->id));
        xc_report_free(poller->waiting);
        xc_snapshot_unref(poller->pending);
        g_strfreev(poller->pending_keys);
        g_free(poller);
    }
    xc_snapshot_unref(slot->snapshot);
    g_strfreev(slot->host_keys);
    g_free(slot->state_text);
    xc_source_spec_clear(&slot->spec);
    g_free(slot);
}

struct xc_slot *xc_slot_by_id(struct xc_engine *engine, uint32_t id)
{
    return g_hash_table_lookup(engine->slot_ids, GUINT_TO_POINTER(id));
}

/* --- the schedule */

/* One alarm for all sources, at the earliest: the main loop looks at each timer there is whenever it does
 * anything. */
static void set_alarm(struct xc_engine *engine, gint64 due)
{
    gint64 set = g_source_get_ready_time(engine->alarm);

    if (set < 0 || due < set)
        g_source_set_ready_time(engine->alarm, due);
}

static void schedule(struct xc_slot *slot, gint64 delay_usec)
{
    struct xc_poller *poller = slot->poller;

    poller->due = g_get_monotonic_time() + MAX(delay_usec, 0);
    set_alarm(poller->engine, poller->due);
}

static gint64 budget(const struct xc_slot *slot)
{
    const struct xc_poller *poller = slot->poller;

    return (gint64)poller->engine->config->poll_timeout_sec * XC_USEC_PER_SEC;
}

static void begin_poll(struct xc_slot *slot)
{
    struct xc_poller *poller = slot->poller;
    bool news = xc_news_will_do(slot);

    poller->due = 0;
    poller->again = false;
    if (!xc_supervisor_poll(poller->engine->supervisor, slot->id, budget(slot), news)) {
        schedule(slot, XC_USEC_PER_SEC);
        return;
    }
    poller->polling = true;
    poller->begun++;
    poller->begun_mono = xc_clock_mono();
    slot->last_try_real = xc_clock_real();
}

static gboolean on_alarm(void *data)
{
    struct xc_engine *engine = data;
    gint64 now = g_get_monotonic_time();
    GHashTableIter iter;
    gpointer slot;

    g_source_set_ready_time(engine->alarm, -1);
    g_hash_table_iter_init(&iter, engine->slot_ids);
    while (g_hash_table_iter_next(&iter, NULL, &slot)) {
        const struct xc_poller *poller = ((struct xc_slot *)slot)->poller;

        if (poller->due && poller->due <= now)
            begin_poll(slot);
        if (poller->due)
            set_alarm(engine, poller->due);
    }
    return G_SOURCE_CONTINUE;
}

static gboolean dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
    (void)source;
    return callback(data);
}

void xc_poller_start(struct xc_engine *engine)
{
    static const GSourceFuncs functions = {.dispatch = dispatch};

    engine->alarm = g_source_new((GSourceFuncs *)&functions, sizeof(GSource));
    g_source_set_callback(engine->alarm, on_alarm, engine, NULL);
    g_source_attach(engine->alarm, NULL);
}

void xc_poller_stop(struct xc_engine *engine)
{
    g_source_destroy(engine->alarm);
    g_source_unref(engine->alarm);
}

/* The regular delay: interval, 10 % of jitter either way, doubled per failure once the source is
 * down. */
static gint64 regular_delay(const struct xc_slot *slot)
{
    gint64 delay = (gint64)slot->interval_sec * XC_USEC_PER_SEC;
    gint64 most = MAX(delay, (gint64)MAX_BACK_OFF_SEC * XC_USEC_PER_SEC);

    for (unsigned i = XC_FAILED_POLLS_DOWN; i <= slot->failed_in_row && delay < most; i++)
        delay *= 2;
    delay = MIN(delay, most);
    return delay * g_random_int_range(900, 1100) / 1000;
}

static gint64 follow_up_delay(const struct xc_slot *slot)
{
    const struct xc_poller *poller = slot->poller;
    gint64 age = xc_clock_mono() - poller->stirred_mono;

    if (!poller->unsettled || !poller->stirred_mono || age > FOLLOW_UP_LAST_USEC ||
        slot->failed_in_row)
        return G_MAXINT64;
    /* Operations ask for the polls they need. */
    if (xc_ops_open_on(poller->engine, slot->spec.key))
        return G_MAXINT64;
    return FOLLOW_UP_USEC;
}

static void schedule_next(struct xc_slot *slot)
{
    const struct xc_poller *poller = slot->poller;
    gint64 now = xc_clock_mono();
    gint64 gap = poller->begun_mono + MIN_GAP_USEC - now;
    gint64 follow_up = follow_up_delay(slot);
    /* Polls that events ask for do not put off the regular ones. */
    gint64 regular =
        (poller->whole_mono ? poller->whole_mono : poller->begun_mono) - now + regular_delay(slot);

    if (poller->again)
        regular = gap;
    else if (follow_up != G_MAXINT64)
        regular = MIN(regular, poller->begun_mono + follow_up - now);
    schedule(slot, MAX(gap, regular));
}

void xc_slot_begin(struct xc_slot *slot)
{
    struct xc_poller *poller = slot->poller;

    if (!slot->enabled)
        return;
    xc_supervisor_add(poller->engine->supervisor, slot->id, &slot->spec);
    schedule(slot, (gint64)g_random_int_range(
                       0, (gint32)(poller->engine->slots->len * FIRST_SPREAD_MSEC + 1)) *
                       1000);
}

void xc_slot_end(struct xc_slot *slot)
{
    struct xc_poller *poller = slot->poller;

    poller->due = 0;
    if (slot->enabled)
        xc_supervisor_remove(poller->engine->supervisor, slot->id);
}

void xc_slot_poll_now(struct xc_slot *slot)
{
    struct xc_poller *poller = slot->poller;
    gint64 gap = poller->begun_mono + MIN_GAP_USEC - xc_clock_mono();

    if (!slot->enabled)
        return;
    poller->again = true;
    poller->stirred_mono = xc_clock_mono();
    if (!poller->polling && !poller->waiting)
        schedule(slot, poller->begun_mono ? gap : 0);
}

/* --- answers */

/* Will its state change soon by itself? A domain that Xen builds is paused and has not run yet. */
static bool in_passing(const struct xc_domain *domain)
{
    if (!XC_HAS(DOMAIN, domain, state))
        return false;
    switch (domain->state) {
    case XC_STATE_PREPARING:
    case XC_STATE_SUSPENDING:
    case XC_STATE_RESUMING:
    case XC_STATE_MIGRATING:
    case XC_STATE_SHUTTING_DOWN:
        return true;
    case XC_STATE_PAUSED:
        return XC_HAS(DOMAIN, domain, cpu_usec) && domain->cpu_usec == 0;
    default:
        return false;
    }
}

static bool is_unsettled(const struct xc_report *report)
{
    for (guint i = 0; i < report->domains->len; i++)
        if (in_passing(&g_array_index(report->domains, struct xc_domain, i)))
            return true;
    return false;
}

/* News was of no use: the next poll is for everything, and soon. */
static void read_whole(struct xc_slot *slot)
{
    struct xc_poller *poller = slot->poller;

    poller->whole_mono = 0;
    poller->again = true;
    schedule_next(slot);
}

/* The report has all the indexes that it can have: counters, then out with it. withheld: why some of its domains
 * have none; NULL: all have. */
static void publish(struct xc_slot *slot, struct xc_report *report, const GError *withheld)
{
    struct xc_poller *poller = slot->poller;
    struct xc_engine *engine = poller->engine;
    char **keys = xc_identity_host_keys(engine, slot, report);
    bool news = report->news;
    struct xc_snapshot *snapshot;

    if (withheld)
        set_state(slot, XC_SOURCE_DEGRADED, XC_CAUSE_STORE, withheld->message);
    else
        set_state(slot, XC_SOURCE_UP, XC_CAUSE_NONE, "");
    /* News has not all domains: one of the others may be on its way still. */
    poller->unsettled = is_unsettled(report) || (news && poller->unsettled);
    xc_events_source(engine, slot, keys);
    xc_notices_tell(engine, slot, report, keys);
    xc_fleet_adopt(engine, slot, report, keys);
    poller->n_news = news ? poller->n_news + 1 : 0;
    snapshot = xc_snapshot_seal(report);
    xc_counters_devices(engine, slot, snapshot);
    if (news)
        snapshot = xc_news_apply(slot, snapshot);
    if (!snapshot) {
        g_strfreev(keys);
        read_whole(slot);
        return;
    }
    xc_fleet_publish(engine, slot, snapshot, keys);
    poller->published = poller->begun;
    poller->shown_mono = poller->begun_mono;
    schedule_next(slot);
    xc_ops_published(engine);
}

static void resolve(struct xc_slot *slot, struct xc_report *report);

/* Without those whose index could not be kept: after a restart they would have another. */
static void publish_others(struct xc_slot *slot, struct xc_report *report, const GArray *fresh,
                           const GError *why)
{
    g_autoptr(GError) text = NULL;
    unsigned n = 0;

    for (guint i = 0; i < report->domains->len; i++) {
        struct xc_domain *domain = &g_array_index(report->domains, struct xc_domain, i);

        for (guint j = 0; domain->index && j < fresh->len; j++)
            if (domain->index == g_array_index(fresh, uint32_t, j)) {
                domain->index = 0;
                n++;
            }
    }
    xc_fail(&text, XC_CAUSE_STORE, "%u new domains have no row yet: %s", n, why->message);
    publish(slot, report, text);
}

/* The store has committed the new indexes (or could not). */
static void committed(const GError *error, void *data)
{
    struct xc_slot_id *id = data;
    struct xc_engine *engine = id->engine;
    struct xc_slot *slot = xc_slot_by_id(engine, id->id);
    struct xc_poller *poller = slot ? slot->poller : NULL;

    engine->store_failed = error != NULL;
    xc_identity_committed(engine, id->fresh, error == NULL);
    if (poller && poller->waiting && !engine->closing) {
        struct xc_report *report = g_steal_pointer(&poller->waiting);

        if (error)
            publish_others(slot, report, id->fresh, error);
        else /* again, for another source may have lost what this one relied on */
            resolve(slot, report);
    }
    g_array_unref(id->fresh);
    g_free(id);
}

static void resolve(struct xc_slot *slot, struct xc_report *report)
{
    struct xc_poller *poller = slot->poller;
    GArray *fresh = xc_identity_resolve(poller->engine, slot, report);
    struct xc_slot_id *id;

    if (report->news && (fresh || !xc_news_fit(slot, report))) {
        xc_report_free(report);
        g_clear_pointer(&fresh, g_array_unref);
        read_whole(slot);
        return;
    }
    if (!fresh) {
        publish(slot, report, NULL);
        return;
    }
    id = g_new(struct xc_slot_id, 1);
    *id = (struct xc_slot_id){poller->engine, slot->id, fresh};
    poller->waiting = report;
    xc_store_barrier(poller->engine->store, committed, id);
}

static const struct xc_slot *shown_by_another(const struct xc_engine *engine,
                                              const struct xc_slot *slot, const char *host_key)
{
    for (guint i = 0; i < engine->slots->len; i++) {
        const struct xc_slot *other = engine->slots->pdata[i];

        if (other != slot && other->host_keys &&
            g_strv_contains((const gchar *const *)other->host_keys, host_key))
            return other;
    }
    return NULL;
}

/* A host that all of a sudden is another source's: taken for its answer, all domains of its own would be gone and
 * could be started a second time. One that has been both from the first answer on has two sources. */
static bool is_wrong_host(const struct xc_engine *engine, const struct xc_slot *slot,
                          const struct xc_report *report, GError **error)
{
    const struct xc_host *host = &g_array_index(report->hosts, struct xc_host, 0);
    const struct xc_slot *other;
    char uuid[XC_UUID_TEXT];
    const char *key;

    if (!slot->polls_ok || !slot->host_keys || !slot->host_keys[0] || slot->host_keys[1] ||
        report->hosts->len != 1 || !XC_HAS(HOST, host, uuid))
        return false;
    xc_uuid_format(&host->uuid, uuid);
    key = g_hash_table_lookup(engine->host_keys, uuid);
    other =
        key && strcmp(key, slot->host_keys[0]) != 0 ? shown_by_another(engine, slot, key) : NULL;
    if (!other)
        return false;
    xc_fail(error, XC_CAUSE_WRONG_HOST,
            "host %s (%s) of source %s answers here: check the address in the URI, and who has it",
            key, uuid, other->spec.key);
    return true;
}

void xc_poller_polled(uint32_t source, struct xc_report *report, gint64 took_usec,
                      uint32_t reconnects, void *data)
{
    struct xc_engine *engine = data;
    struct xc_slot *slot = xc_slot_by_id(engine, source);
    struct xc_poller *poller = slot ? slot->poller : NULL;
    g_autoptr(GError) wrong = NULL;

    if (!slot || !poller->polling) {
        xc_report_free(report);
        return;
    }
    if (is_wrong_host(engine, slot, report, &wrong)) {
        xc_report_free(report);
        xc_poller_failed(source, wrong, data);
        return;
    }
    poller->polling = false;
    if (!report->news)
        poller->whole_mono = poller->begun_mono;
    slot->polls_ok++;
    engine->polls_ok++;
    slot->failed_in_row = 0;
    slot->reconnects = reconnects;
    slot->last_ok_mono = xc_clock_mono();
    slot->last_ok_real = xc_clock_real();
    slot->poll_msec = (unsigned)(took_usec / 1000);
    slot->poll_avg_msec =
        slot->polls_ok == 1 ? slot->poll_msec : (slot->poll_avg_msec * 7 + slot->poll_msec) / 8;
    engine->poll_max_msec = MAX(engine->poll_max_msec, slot->poll_msec);
    resolve(slot, report);
}

void xc_poller_failed(uint32_t source, const GError *error, void *data)
{
    struct xc_engine *engine = data;
    struct xc_slot *slot = xc_slot_by_id(engine, source);
    struct xc_poller *poller = slot ? slot->poller : NULL;
    enum xc_cause cause = xc_error_cause(error);
    enum xc_source_state state;

    if (!slot)
        return;
    poller->polling = false;
    poller->whole_mono = 0;
    slot->polls_failed++;
    engine->polls_failed++;
    slot->failed_in_row++;
    if (cause == XC_CAUSE_AUTH_FAILED)
        state = XC_SOURCE_UNAUTHORISED;
    else if (cause == XC_CAUSE_HOST_KEY || cause == XC_CAUSE_TLS_FAILED)
        state = XC_SOURCE_UNTRUSTED;
    else
        state = slot->failed_in_row >= XC_FAILED_POLLS_DOWN ? XC_SOURCE_DOWN : XC_SOURCE_DEGRADED;
    set_state(slot, state, cause, error->message);
    xc_events_source(engine, slot, slot->host_keys);
    if (slot->failed_in_row == XC_FAILED_POLLS_DOWN)
        xc_fleet_dirty(engine);
    poller->published = poller->begun;
    schedule_next(slot);
    xc_ops_published(engine);
}

void xc_poller_changed(uint32_t source, void *data)
{
    struct xc_slot *slot = xc_slot_by_id(data, source);

    if (slot)
        xc_slot_poll_now(slot);
}

void xc_engine_poll_now(struct xc_engine *engine, const char *source_key)
{
    struct xc_slot *slot = xc_fleet_source(engine, source_key);

    if (slot)
        xc_slot_poll_now(slot);
}
