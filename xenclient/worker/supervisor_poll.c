/* Sources in the front: their worker, their one open poll, and what the worker says about it. */
#include "xenclient/worker/supervisor_private.h"

#include "xenclient/util/log.h"

/* A driver that obeys its budget has answered by then. */
#define GRACE_USEC (2 * XC_USEC_PER_SEC)
/* A driver that has not come back so long after that never will. */
#define STUCK_USEC (30 * XC_USEC_PER_SEC)
/* Memory for all unfinished reports together: several times what 100,000 domains need. */
#define MAX_UNFINISHED ((size_t)512 << 20)
#define MAX_BLAMED     2
#define ALONE_USEC     XC_USEC_PER_SEC
#define REHABILITATED  10

/* --- the open poll */

static void drop_report(struct xc_ssource *source)
{
    source->report = xc_report_free(source->report);
    source->octets = 0;
    source->complete = false;
}

/* Ends the open poll; the caller calls back. */
static void close_poll(struct xc_ssource *source)
{
    drop_report(source);
    source->open = false;
    source->sent = false;
    source->failing = false;
}

void xc_ssource_free(void *data)
{
    struct xc_ssource *source = data;

    drop_report(source);
    xc_source_spec_clear(&source->spec);
    g_free(source);
}

struct xc_ssource *xc_ssource_find(const struct xc_supervisor *s, uint32_t id)
{
    return g_hash_table_lookup(s->sources, GUINT_TO_POINTER(id));
}

/* In quarantine one is polled at a time, so that a death has one author. A host that does not answer
 * does not kill either: it must not keep the others waiting. */
static bool must_wait(struct xc_supervisor *s, const struct xc_ssource *source, gint64 now)
{
    const struct xc_ssource *other;
    GHashTableIter iter;

    if (!source->crew->quarantine)
        return false;
    g_hash_table_iter_init(&iter, s->sources);
    while (g_hash_table_iter_next(&iter, NULL, (void **)&other))
        if (other->crew == source->crew && other->sent && now - other->sent_mono < ALONE_USEC)
            return true;
    return false;
}

static void send_poll(struct xc_supervisor *s, struct xc_ssource *source)
{
    gint64 now = xc_clock_mono();

    if (!source->open || source->sent || source->failing ||
        !xc_child_is_ready(source->crew->child) || must_wait(s, source, now))
        return;
    drop_report(source);
    source->sent = true;
    source->serial = ++s->serial;
    source->sent_mono = now;
    source->deadline = now + source->budget_usec + GRACE_USEC;
    xc_child_send(source->crew->child, &(struct xc_msg){.kind = XC_MSG_POLL,
                                                        .source = source->id,
                                                        .serial = source->serial,
                                                        .usec = source->budget_usec,
                                                        .news = source->news});
}

void xc_ssource_send(struct xc_supervisor *s, struct xc_ssource *source)
{
    xc_child_send(
        source->crew->child,
        &(struct xc_msg){.kind = XC_MSG_SOURCE, .source = source->id, .spec = source->spec});
    send_poll(s, source);
}

void xc_ssource_send_next(struct xc_supervisor *s, const struct xc_crew *crew)
{
    struct xc_ssource *source;
    GHashTableIter iter;

    if (!crew->quarantine)
        return;
    g_hash_table_iter_init(&iter, s->sources);
    while (g_hash_table_iter_next(&iter, NULL, (void **)&source))
        if (source->crew == crew)
            send_poll(s, source);
}

/* The driver came back, with data or with an error: it did not kill the worker. */
static void answered(struct xc_supervisor *s, struct xc_ssource *source)
{
    source->blamed = 0;
    if (!source->crew->quarantine)
        return;
    source->answers++;
    if (source->answers >= REHABILITATED && !xc_sop_any(s, source->id)) {
        xc_log(XC_LOG_INFO, "source %s: behaves again, leaves quarantine", source->spec.key);
        xc_crew_move(s, source, false);
    }
}

static void fail_poll(struct xc_supervisor *s, struct xc_ssource *source, const GError *error)
{
    const struct xc_crew *crew = source->crew;
    uint32_t id = source->id;

    close_poll(source);
    if (s->events.poll_failed)
        s->events.poll_failed(id, error, s->data);
    xc_ssource_send_next(s, crew);
}

/* --- what the worker says */

static bool is_current(const struct xc_ssource *source, const struct xc_msg *msg)
{
    return source->open && source->sent && source->serial == msg->serial;
}

/* A worker must not be able to fill our memory with reports that never end. */
static bool is_too_much(const struct xc_supervisor *s)
{
    const struct xc_ssource *source;
    GHashTableIter iter;
    size_t sum = 0;

    g_hash_table_iter_init(&iter, s->sources);
    while (g_hash_table_iter_next(&iter, NULL, (void **)&source))
        if (source->report)
            sum += source->octets + xc_report_octets(source->report);
    return sum > MAX_UNFINISHED;
}

static bool take_report(struct xc_supervisor *s, struct xc_ssource *source,
                        const struct xc_msg *msg)
{
    struct xc_reader piece = XC_READER(msg->piece, msg->piece_length);
    g_autoptr(GError) error = NULL;

    if (source->complete)
        return false;
    if (!source->report)
        source->report = xc_report_new();
    source->complete = msg->last;
    source->octets += msg->piece_length;
    if (!xc_report_read(source->report, &piece))
        return false;
    if (msg->last || !is_too_much(s))
        return true;
    xc_fail(&error, XC_CAUSE_LIMIT, "the reports that are being received need more than %zu MiB",
            MAX_UNFINISHED >> 20);
    fail_poll(s, source, error);
    return true;
}

static bool take_done(struct xc_supervisor *s, struct xc_ssource *source, const struct xc_msg *msg)
{
    g_autoptr(xc_report) report = NULL;
    const struct xc_crew *crew = source->crew;
    uint32_t id = source->id;

    if (!source->complete || !xc_report_check(source->report) || (msg->news && !source->news))
        return false;
    report = g_steal_pointer(&source->report);
    report->news = msg->news;
    close_poll(source);
    answered(s, source);
    if (s->events.polled)
        s->events.polled(id, g_steal_pointer(&report), msg->usec, msg->reconnects, s->data);
    xc_ssource_send_next(s, crew);
    return true;
}

static bool take_failed(struct xc_supervisor *s, struct xc_ssource *source,
                        const struct xc_msg *msg)
{
    g_autoptr(GError) error = NULL;

    if (msg->cause == XC_CAUSE_NONE)
        return false;
    xc_fail(&error, msg->cause, "%s", msg->text);
    /* Closed before anything else: answered() may move the source and send what is open. */
    close_poll(source);
    answered(s, source);
    fail_poll(s, source, error);
    return true;
}

bool xc_ssource_message(struct xc_supervisor *s, struct xc_crew *crew, const struct xc_msg *msg)
{
    struct xc_ssource *source = xc_ssource_find(s, msg->source);

    /* Of one that was removed or moved while this was under way. */
    if (!source || source->crew != crew)
        return true;
    if (msg->kind == XC_MSG_CHANGED) {
        if (s->events.changed)
            s->events.changed(msg->source, s->data);
        return true;
    }
    if (msg->kind != XC_MSG_REPORT)
        source->stuck_until = 0;
    if (!is_current(source, msg))
        return true;
    if (msg->kind == XC_MSG_REPORT)
        return take_report(s, source, msg);
    return msg->kind == XC_MSG_POLL_DONE ? take_done(s, source, msg) : take_failed(s, source, msg);
}

/* --- what the worker does not say */

/* The ids of all sources that `test` picks: callbacks may change the table, so it is not walked
 * with them. */
static GArray *pick(const struct xc_supervisor *s,
                    bool (*test)(const struct xc_ssource *, const void *), const void *data)
{
    GArray *ids = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    const struct xc_ssource *source;
    GHashTableIter iter;

    g_hash_table_iter_init(&iter, s->sources);
    while (g_hash_table_iter_next(&iter, NULL, (void **)&source))
        if (test(source, data))
            g_array_append_val(ids, source->id);
    return ids;
}

static bool was_polled_by(const struct xc_ssource *source, const void *crew)
{
    return source->crew == crew && source->open && source->sent;
}

static bool is_suspect(const struct xc_ssource *source, const void *crew)
{
    return source->suspect || was_polled_by(source, crew);
}

static void forget_stuck(gpointer key, gpointer value, gpointer crew)
{
    struct xc_ssource *source = value;

    (void)key;
    if (source->crew == crew)
        source->stuck_until = 0;
}

static void accuse(struct xc_supervisor *s, struct xc_ssource *source)
{
    source->answers = 0;
    if (++source->blamed < MAX_BLAMED || source->crew->quarantine)
        return;
    xc_log(XC_LOG_WARNING, "source %s: %d workers died while it was busy; it goes into quarantine",
           source->spec.key, MAX_BLAMED);
    xc_crew_move(s, source, true);
}

void xc_ssource_lost(struct xc_supervisor *s, struct xc_crew *crew, const char *why, bool blame)
{
    g_autoptr(GArray) ids = pick(s, was_polled_by, crew);
    g_autoptr(GArray) suspects = pick(s, is_suspect, crew);
    g_autoptr(GError) error = NULL;

    xc_fail(&error, XC_CAUSE_WORKER, "the worker process of this source was replaced: %s", why);
    g_hash_table_foreach(s->sources, forget_stuck, crew);
    /* All are marked before the first callback, which may call anything. */
    for (guint i = 0; i < ids->len; i++) {
        struct xc_ssource *source = xc_ssource_find(s, g_array_index(ids, uint32_t, i));

        drop_report(source);
        source->sent = false;
        source->failing = true;
    }
    for (guint i = 0; i < suspects->len; i++) {
        struct xc_ssource *source = xc_ssource_find(s, g_array_index(suspects, uint32_t, i));

        source->suspect = false;
        if (blame)
            accuse(s, source);
    }
    for (guint i = 0; i < ids->len; i++) {
        struct xc_ssource *source = xc_ssource_find(s, g_array_index(ids, uint32_t, i));

        if (source && source->failing)
            fail_poll(s, source, error);
    }
}

static bool is_late(const struct xc_ssource *source, const void *now)
{
    return source->open && *(const gint64 *)now > source->deadline;
}

static void time_out(struct xc_supervisor *s, struct xc_ssource *source, gint64 now)
{
    g_autoptr(GError) error = NULL;

    if (source->sent) {
        xc_fail(&error, XC_CAUSE_TIMED_OUT, "the driver did not answer within %.1f s",
                (double)source->budget_usec / (double)XC_USEC_PER_SEC);
        if (!source->stuck_until)
            source->stuck_until = now + STUCK_USEC;
    } else {
        xc_fail(&error, XC_CAUSE_WORKER, "no worker process was ready in time");
    }
    fail_poll(s, source, error);
}

static bool is_stuck(const struct xc_ssource *source, const void *now)
{
    return source->stuck_until && *(const gint64 *)now > source->stuck_until;
}

static void replace_stuck(struct xc_supervisor *s, struct xc_ssource *source)
{
    g_autofree char *why = g_strdup_printf("the driver of source %s hangs", source->spec.key);

    source->stuck_until = 0;
    /* The others that are busy in there have nothing to do with it. */
    xc_child_condemn(source->crew->child, why, false);
    accuse(s, source);
}

void xc_ssource_tick(struct xc_supervisor *s, gint64 now)
{
    g_autoptr(GArray) late = pick(s, is_late, &now);
    g_autoptr(GArray) stuck = pick(s, is_stuck, &now);

    for (guint i = 0; i < stuck->len; i++)
        replace_stuck(s, xc_ssource_find(s, g_array_index(stuck, uint32_t, i)));
    for (guint i = 0; i < late->len; i++) {
        struct xc_ssource *source = xc_ssource_find(s, g_array_index(late, uint32_t, i));

        /* A callback of one before may have removed it or ended its poll. */
        if (source && is_late(source, &now))
            time_out(s, source, now);
    }
}

/* --- interface */

void xc_supervisor_add(struct xc_supervisor *s, uint32_t id, const struct xc_source_spec *spec)
{
    struct xc_ssource *source = xc_ssource_find(s, id);

    g_return_if_fail(id != 0);
    if (source) {
        xc_source_spec_clear(&source->spec);
        source->sent = false;
    } else {
        source = g_new0(struct xc_ssource, 1);
        source->id = id;
        source->crew = xc_crew_choose(s, false);
        source->crew->n_sources++;
        g_hash_table_insert(s->sources, GUINT_TO_POINTER(id), source);
    }
    xc_source_spec_copy(&source->spec, spec);
    xc_ssource_send(s, source);
}

void xc_supervisor_remove(struct xc_supervisor *s, uint32_t id)
{
    struct xc_ssource *source = xc_ssource_find(s, id);
    struct xc_crew *crew;

    xc_sop_drop_all(s, id);
    if (!source)
        return;
    crew = source->crew;
    xc_child_send(crew->child, &(struct xc_msg){.kind = XC_MSG_FORGET, .source = id});
    crew->n_sources--;
    g_hash_table_remove(s->sources, GUINT_TO_POINTER(id));
    xc_ssource_send_next(s, crew);
}

bool xc_supervisor_poll(struct xc_supervisor *s, uint32_t id, gint64 budget_usec, bool news)
{
    struct xc_ssource *source = xc_ssource_find(s, id);

    if (!source || source->open)
        return false;
    source->open = true;
    source->sent = false;
    source->news = news;
    source->budget_usec = CLAMP(budget_usec, 0, XC_PROTOCOL_BUDGET_MAX);
    source->deadline = xc_clock_mono() + source->budget_usec + GRACE_USEC;
    send_poll(s, source);
    return true;
}
