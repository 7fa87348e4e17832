/* Messages of hypervisors become events, each once. Sources tell their newest ones with every answer; what was told of them is
 * remembered by uuid, for their clocks may differ and jump: of the last hour before the newest one each, before that all. */
#include "xenclient/engine/private.h"

#define LATE_USEC (3600 * XC_USEC_PER_SEC)
/* Of a source that makes more within an hour the oldest are forgotten, with all that are older. */
#define TOLD_MAX 4096

/* So many of one source are events within a minute: more would drive what others tell out of the ring. */
#define SINGLE_MAX  60
#define SINGLE_USEC (60 * XC_USEC_PER_SEC)

/* What was told of one source. */
struct told {
    GHashTable *times; /* struct xc_uuid * -> int64_t *, by the hypervisor's clock */
    gint64 floor;      /* nothing of this time or before is told any more */
    gint64 minute_mono;
    unsigned n, n_more; /* since then: events, and messages that were none */
};

static void told_free(gpointer data)
{
    struct told *told = data;

    g_hash_table_unref(told->times);
    g_free(told);
}

GHashTable *xc_notices_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, told_free);
}

static struct told *told_of(struct xc_engine *engine, const char *key, bool *fresh)
{
    struct told *told = g_hash_table_lookup(engine->notices, key);

    *fresh = !told;
    if (told)
        return told;
    told = g_new0(struct told, 1);
    told->floor = 1;
    told->times = g_hash_table_new_full(xc_uuid_hash, xc_uuid_equal, g_free, g_free);
    g_hash_table_insert(engine->notices, g_strdup(key), told);
    return told;
}

static void put(struct told *told, const struct xc_uuid *uuid, gint64 time)
{
    g_hash_table_replace(told->times, g_memdup2(uuid, sizeof(*uuid)),
                         g_memdup2(&time, sizeof(time)));
}

void xc_notices_load(const char *source, const char *uuid, int64_t time, void *data)
{
    struct xc_uuid parsed;
    bool fresh;
    struct told *told = told_of(data, source, &fresh);

    if (!*uuid)
        told->floor = time;
    else if (xc_uuid_parse(uuid, &parsed))
        put(told, &parsed, time);
}

static gboolean is_below(gpointer uuid, gpointer time, gpointer floor)
{
    (void)uuid;
    return *(const gint64 *)time <= *(const gint64 *)floor;
}

static gint64 oldest(const struct told *told)
{
    gint64 least = G_MAXINT64;
    GHashTableIter iter;
    gpointer time;

    g_hash_table_iter_init(&iter, told->times);
    while (g_hash_table_iter_next(&iter, NULL, &time))
        least = MIN(least, *(const gint64 *)time);
    return least;
}

/* A time to come is a clock that is wrong: it must not silence what comes from others. */
static void remember(struct told *told, const struct xc_notice *notice)
{
    gint64 floor = MIN(notice->time, xc_clock_real()) - LATE_USEC;

    put(told, &notice->uuid, notice->time);
    if (g_hash_table_size(told->times) > TOLD_MAX)
        floor = MIN(oldest(told), xc_clock_real());
    if (floor <= told->floor)
        return;
    told->floor = floor;
    g_hash_table_foreach_remove(told->times, is_below, &told->floor);
}

static bool is_about(const struct xc_notice *notice, bool known, const struct xc_uuid *uuid)
{
    return known && XC_HAS(NOTICE, notice, about) && xc_uuid_equal(&notice->about, uuid);
}

/* What a message is about; names are those of the answer that it came with. */
struct subject {
    const char *host, *object;
    uint32_t domain;
};

static struct subject subject_of(const struct xc_slot *slot, const struct xc_report *report,
                                 char *const *keys, const struct xc_notice *notice)
{
    for (guint i = 0; i < report->hosts->len; i++) {
        const struct xc_host *host = &g_array_index(report->hosts, struct xc_host, i);

        if (is_about(notice, XC_HAS(HOST, host, uuid), &host->uuid))
            return (struct subject){keys[i], keys[i], 0};
    }
    for (guint i = 0; i < report->srs->len; i++) {
        const struct xc_sr *sr = &g_array_index(report->srs, struct xc_sr, i);

        if (is_about(notice, XC_HAS(SR, sr, uuid), &sr->uuid) && XC_HAS(SR, sr, name))
            return (struct subject){"", sr->name, 0};
    }
    for (guint i = 0; i < report->domains->len; i++) {
        const struct xc_domain *d = &g_array_index(report->domains, struct xc_domain, i);

        if (is_about(notice, XC_HAS(DOMAIN, d, uuid), &d->uuid) && XC_HAS(DOMAIN, d, name))
            return (struct subject){keys[d->host], d->name, d->index};
    }
    return (struct subject){"", slot->spec.key, 0};
}

static struct xc_event *event_of(const struct xc_slot *slot, const struct xc_report *report,
                                 char *const *keys, const struct xc_notice *notice)
{
    struct subject subject = subject_of(slot, report, keys, notice);
    bool says = XC_HAS(NOTICE, notice, body);
    struct xc_event *event = xc_event_new(
        XC_EVENT_HYPERVISOR_MESSAGE,
        XC_HAS(NOTICE, notice, severity) ? (enum xc_severity)notice->severity : XC_SEVERITY_INFO,
        subject.host, subject.object, "%s%s%s",
        XC_HAS(NOTICE, notice, name) ? notice->name : "message", says ? ": " : "",
        says ? notice->body : "");

    event->domain = subject.domain;
    return event;
}

static void add(struct xc_engine *engine, const struct xc_slot *slot, const struct told *told,
                struct xc_event *event, const struct xc_notice *notice)
{
    char uuid[XC_UUID_TEXT] = "";

    if (notice)
        xc_uuid_format(&notice->uuid, uuid);
    g_free(event->notice);
    event->notice = g_strdup(uuid);
    event->notice_time = notice ? notice->time : 0;
    event->notice_floor = told->floor;
    g_free(event->source);
    event->source = g_strdup(slot->spec.key);
    xc_events_add(engine, event);
}

static struct xc_event *no_event(void)
{
    return xc_event_new(XC_EVENT_NONE, XC_SEVERITY_INFO, "", "", "%s", "");
}

void xc_notices_forget(struct xc_engine *engine, const char *source)
{
    g_hash_table_remove(engine->notices, source);
}

/* Those that were too many are counted once their minute is over. */
static void next_minute(struct xc_engine *engine, const struct xc_slot *slot, struct told *told)
{
    gint64 now = xc_clock_mono();

    if (now - told->minute_mono <= SINGLE_USEC)
        return;
    if (told->n_more)
        xc_events_add(engine, xc_event_new(XC_EVENT_HYPERVISOR_MESSAGE, XC_SEVERITY_WARNING, "",
                                           slot->spec.key, "%u more messages within a minute",
                                           told->n_more));
    told->minute_mono = now;
    told->n = told->n_more = 0;
}

/* Is the next one an event of its own? */
static bool is_single(struct told *told)
{
    bool yes = told->n < SINGLE_MAX;

    told->n += yes;
    told->n_more += !yes;
    return yes;
}

void xc_notices_tell(struct xc_engine *engine, const struct xc_slot *slot,
                     const struct xc_report *report, char *const *keys)
{
    struct told *told;
    bool first;

    if (!report->notices->len && !slot->driver->notices)
        return;
    told = told_of(engine, slot->spec.key, &first);
    /* What is there at first sight is no event; that it was seen is remembered, also when it was nothing. */
    if (first)
        add(engine, slot, told, no_event(), NULL);
    next_minute(engine, slot, told);
    for (guint i = 0; i < report->notices->len; i++) {
        const struct xc_notice *notice = &g_array_index(report->notices, struct xc_notice, i);

        if (!XC_HAS(NOTICE, notice, uuid) || !XC_HAS(NOTICE, notice, time) ||
            notice->time <= told->floor || g_hash_table_contains(told->times, &notice->uuid))
            continue;
        remember(told, notice);
        add(engine, slot, told,
            !first && is_single(told) ? event_of(slot, report, keys, notice) : no_event(), notice);
    }
}
