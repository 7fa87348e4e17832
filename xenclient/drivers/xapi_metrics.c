/* GET /rrd_updates of each host. The session of the coordinator is good at all of them; it goes as a cookie, for the
 * address of a request is what servers log. */
#include "xenclient/drivers/xapi_metrics.h"

#include "xenclient/util/log.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define ANSWER_OCTETS ((size_t)64 << 20)
/* A host that did not answer is left in peace for so long, doubled each time. */
#define REST_USEC     (2 * XC_USEC_PER_SEC)
#define REST_MAX_USEC (60 * XC_USEC_PER_SEC)
/* Clocks drift: how long what a host said of its clock is good. */
#define CLOCK_USEC (300 * XC_USEC_PER_SEC)
/* How long a host may take to answer, and how much of a round may be lost by those that don't: then the others get
 * the least of it, and those that did not answer the last time are left out. */
#define LOST_USEC  (5 * XC_USEC_PER_SEC)
#define LEAST_USEC XC_USEC_PER_SEC
/* A round is spread over so much, so that it is no burst. It ends when this part of the time to the next poll is over, for
 * that may come somewhat sooner than the last one did. */
#define SPREAD_USEC  (15 * XC_USEC_PER_SEC)
#define PART_PERCENT 80

struct seen {
    struct xc_https *https; /* NULL: not connected, or the coordinator's */
    char *address;
    struct xc_uuid uuid;
    gint64 ahead_usec; /* of the host's clock before our monotonic one */
    gint64 clock_read; /* 0: never */
    gint64 rest, rest_until;
    bool silent; /* it was logged that it does not answer */
    unsigned round;
};

struct xapi_metrics {
    const struct xc_source_spec *spec;

    GMutex lock;
    struct xapi_meters *meters;
    GHashTable *seen;     /* reference -> struct seen, of which clocks are under lock */
    gint64 shown_at, gap; /* when it was shown, and how long after the time before; 0: not yet */
    bool measured, first_shown; /* a round was ended; and it is shown */
    int shown;                  /* eventfd: shown_at has changed */

    /* The thread's, while there is one. */
    const struct xapi_link *link;
    struct xapi_feed *feed;
    int changed; /* borrowed */
    char *session;
    struct xc_https *https; /* to the coordinator */
    struct xc_call call;
    GThread *thread;
    unsigned round;
    gint64 lost; /* in this round */
};

static void free_seen(void *data)
{
    struct seen *seen = data;

    xc_https_free(seen->https);
    g_free(seen->address);
    g_free(seen);
}

/* --- who is asked */

static void free_member(void *data)
{
    struct xapi_member *member = data;

    g_free(member->ref);
    g_free(member->name);
    g_free(member->address);
    g_free(member);
}

GPtrArray *xapi_members_of(const struct xapi_mirror *mirror)
{
    GPtrArray *members = g_ptr_array_new_with_free_func(free_member);
    const struct xapi_host *master = xapi_mirror_master(mirror);
    GHashTableIter iter;
    gpointer object;

    g_hash_table_iter_init(&iter, mirror->objects[XAPI_HOST]);
    while (g_hash_table_iter_next(&iter, NULL, &object)) {
        const struct xapi_host *host = object;
        const struct xapi_host_metrics *state =
            xapi_mirror_find(mirror, XAPI_HOST_METRICS, host->metrics);
        struct xapi_member *member;

        if (!host->address)
            continue;
        member = g_new0(struct xapi_member, 1);
        member->ref = g_strdup(host->head.ref);
        member->name = g_strdup(host->name ? host->name : host->address);
        member->address = g_strdup(host->address);
        member->uuid = host->uuid;
        member->live = state && state->live.known && state->live.value;
        member->master = host == master;
        g_ptr_array_add(members, member);
    }
    return members;
}

/* What is known of it from earlier rounds; a new address is another connection. */
static struct seen *seen_of(struct xapi_metrics *metrics, const struct xapi_member *member)
{
    struct seen *seen;

    g_mutex_lock(&metrics->lock);
    seen = g_hash_table_lookup(metrics->seen, member->ref);
    if (!seen) {
        seen = g_new0(struct seen, 1);
        g_hash_table_insert(metrics->seen, g_strdup(member->ref), seen);
    }
    seen->uuid = member->uuid;
    g_mutex_unlock(&metrics->lock);
    if (g_strcmp0(seen->address, member->address) != 0) {
        xc_https_free(seen->https);
        seen->https = NULL;
        g_free(seen->address);
        seen->address = g_strdup(member->address);
        seen->rest_until = 0;
    }
    seen->round = metrics->round;
    return seen;
}

/* --- one host */

static bool take_time(const struct xc_xmlrpc_value *value, void *data)
{
    return value->depth == 0 && xc_xmlrpc_date(value, data);
}
static const struct xc_xmlrpc_sink time_sink = {NULL, take_time};

static void set_clock(struct xapi_metrics *metrics, struct seen *seen, gint64 read, gint64 ahead)
{
    g_mutex_lock(&metrics->lock);
    seen->clock_read = read;
    seen->ahead_usec = ahead;
    g_mutex_unlock(&metrics->lock);
}

/* The coordinator asks the host; the answer has whole seconds. */
static bool read_clock(struct xapi_metrics *metrics, struct seen *seen,
                       const struct xapi_member *member, GError **error)
{
    g_autoptr(xapi_args) args = xapi_args_new("host.get_servertime");
    g_autoptr(GPtrArray) words = NULL;
    gint64 now, time = 0;
    const struct xapi_want want = {&time_sink, &time, 0};

    if (seen->clock_read && xc_clock_mono() - seen->clock_read < CLOCK_USEC)
        return true;
    xapi_args_text(args, member->ref);
    if (!xapi_call(metrics->https, args, metrics->session, &want, &words, &metrics->call, error))
        return false;
    now = xc_clock_mono();
    set_clock(metrics, seen, now, time - now);
    return true;
}

/* The coordinator's own connection is used for its metrics: its name there is the one that is trusted. */
static struct xc_https *connection(const struct xapi_metrics *metrics, struct seen *seen,
                                   const struct xapi_member *member, GError **error)
{
    if (member->master)
        return metrics->https;
    if (!seen->https)
        seen->https = xapi_link_connection(metrics->link, member->address, error);
    return seen->https;
}

struct reading {
    struct xapi_metrics *metrics;
    struct xapi_rrd *rrd;
};

/* Polls look at the same meters: they wait for one piece at most. */
static bool take_piece(const char *bytes, size_t length, void *data, GError **error)
{
    const struct reading *reading = data;
    bool ok;

    g_mutex_lock(&reading->metrics->lock);
    ok = xapi_rrd_feed(bytes, length, reading->rrd, error);
    g_mutex_unlock(&reading->metrics->lock);
    return ok;
}

static gint64 open_meters(struct xapi_metrics *metrics, const struct xc_uuid *host, gint64 now)
{
    gint64 start;

    g_mutex_lock(&metrics->lock);
    start = xapi_meters_start(metrics->meters, host, now);
    xapi_meters_open(metrics->meters, now);
    g_mutex_unlock(&metrics->lock);
    return start;
}

static bool close_meters(struct xapi_metrics *metrics, struct xapi_rrd *rrd, bool ok,
                         GError **error)
{
    g_mutex_lock(&metrics->lock);
    ok = ok && xapi_rrd_end(rrd, error);
    xapi_meters_close(metrics->meters, ok);
    g_mutex_unlock(&metrics->lock);
    return ok;
}

static bool fetch(struct xapi_metrics *metrics, struct xc_https *https,
                  const struct xapi_member *member, gint64 now, GError **error)
{
    g_autofree char *path =
        g_strdup_printf("/rrd_updates?start=%" G_GINT64_FORMAT "&cf=AVERAGE&interval=5&host=true",
                        open_meters(metrics, &member->uuid, now));
    char *cookie = g_strconcat("session_id=", metrics->session, NULL);
    g_autoptr(xapi_rrd) rrd = xapi_rrd_new(&xapi_meters_sink, metrics->meters);
    struct reading reading = {metrics, rrd};
    const struct xc_https_request request = {
        .path = path,
        .accept = "text/xml",
        .cookie = cookie,
        .max_octets = ANSWER_OCTETS,
        .take = take_piece,
        .data = &reading,
    };
    int status = 0;
    bool ok = xc_https_request(https, &request, &status, &metrics->call, error);

    xapi_wipe(cookie, strlen(cookie));
    return close_meters(metrics, rrd, ok, error);
}

static bool ask_one(struct xapi_metrics *metrics, struct seen *seen,
                    const struct xapi_member *member, GError **error)
{
    struct xc_https *https;
    gint64 now;

    if (!read_clock(metrics, seen, member, error))
        return false;
    now = (xc_clock_mono() + seen->ahead_usec) / XC_USEC_PER_SEC;
    https = connection(metrics, seen, member, error);
    return https && fetch(metrics, https, member, now, error);
}

static void note(struct xapi_metrics *metrics, struct seen *seen, const struct xapi_member *member,
                 const GError *error)
{
    if (error && !seen->silent)
        xc_log(XC_LOG_WARNING,
               "source %s: host %s (%s) gives no metrics, rates and counters of it are not known: "
               "%s",
               metrics->spec->key, member->name, member->address, error->message);
    else if (!error && seen->silent)
        xc_log(XC_LOG_INFO, "source %s: host %s (%s) gives metrics again", metrics->spec->key,
               member->name, member->address);
    seen->silent = error != NULL;
    seen->rest = error ? CLAMP(seen->rest * 2, REST_USEC, REST_MAX_USEC) : 0;
    if (!error)
        return;
    seen->rest_until = xc_clock_mono() + seen->rest;
    set_clock(metrics, seen, 0, 0);
    xc_https_free(seen->https);
    seen->https = NULL;
}

/* --- round by round */

static void ask_member(struct xapi_metrics *metrics, const struct xapi_member *member)
{
    struct seen *seen = seen_of(metrics, member);
    gint64 began = xc_clock_mono();
    g_autoptr(GError) error = NULL;

    if (!member->live || seen->rest_until > began || (seen->rest && metrics->lost >= LOST_USEC))
        return;
    xc_call_restart(&metrics->call, MAX(LOST_USEC - metrics->lost, LEAST_USEC));
    if (!ask_one(metrics, seen, member, &error))
        metrics->lost += xc_clock_mono() - began;
    /* Where the session has ended, that is no host's fault. */
    if (!error || xapi_feed_goes_on(metrics->feed))
        note(metrics, seen, member, error);
}

/* Until then, or until what was measured is shown once more, which whatever comes of this round is too late for. */
static bool wait_for_turn(struct xapi_metrics *metrics, gint64 until)
{
    gint64 pause = MAX(until - xc_clock_mono(), 0);

    xc_call_restart(&metrics->call, G_MAXINT64);
    return xc_call_wait(&metrics->call, metrics->shown, POLLIN, pause, "metrics", NULL);
}

/* Until those of the round before are shown. The first one waits for nothing. */
static bool wait_for_round(struct xapi_metrics *metrics, gint64 *begin, gint64 *end)
{
    uint64_t count;

    xc_call_restart(&metrics->call, G_MAXINT64);
    if (metrics->measured &&
        (!xc_call_wait(&metrics->call, metrics->shown, POLLIN, -1, "metrics", NULL) ||
         read(metrics->shown, &count, sizeof(count)) < 0))
        return false;
    g_mutex_lock(&metrics->lock);
    *end = metrics->shown_at + metrics->gap * PART_PERCENT / 100;
    *begin = MAX(*end - SPREAD_USEC, metrics->shown_at);
    g_mutex_unlock(&metrics->lock);
    return true;
}

static gboolean is_gone(gpointer key, gpointer value, gpointer data)
{
    (void)key;
    return ((const struct seen *)value)->round != ((const struct xapi_metrics *)data)->round;
}

static void begin_round(struct xapi_metrics *metrics)
{
    metrics->round++;
    metrics->lost = 0;
    g_mutex_lock(&metrics->lock);
    xapi_meters_begin(metrics->meters);
    g_mutex_unlock(&metrics->lock);
}

static bool ask_all(struct xapi_metrics *metrics, const GPtrArray *members, gint64 begin,
                    gint64 end)
{
    gint64 n = members->len;

    for (gint64 i = 0; i < n; i++) {
        if (!wait_for_turn(metrics, begin + (end - begin) * i / n))
            return false;
        ask_member(metrics, members->pdata[i]);
    }
    return true;
}

/* What came of the first one is worth a poll; that polls were before it is no reason for another. */
static void end_round(struct xapi_metrics *metrics)
{
    uint64_t count = 1;
    bool first;

    g_mutex_lock(&metrics->lock);
    g_hash_table_foreach_remove(metrics->seen, is_gone, metrics);
    first = !metrics->measured;
    metrics->measured = true;
    if (first && read(metrics->shown, &count, sizeof(count)) > 0)
        count = 1;
    g_mutex_unlock(&metrics->lock);
    if (first && write(metrics->changed, &count, sizeof(count)) < 0)
        return; /* the counter is full: it is readable, which is all that is wanted */
}

static void *run(void *data)
{
    struct xapi_metrics *metrics = data;
    gint64 begin, end;

    xc_call_restart(&metrics->call, G_MAXINT64);
    if (!xapi_feed_wait(metrics->feed, &metrics->call, NULL))
        return NULL;
    while (wait_for_round(metrics, &begin, &end)) {
        g_autoptr(GPtrArray) members = xapi_members_of(xapi_feed_lock(metrics->feed));

        xapi_feed_unlock(metrics->feed);
        begin_round(metrics);
        if (!ask_all(metrics, members, begin, end))
            break;
        end_round(metrics);
    }
    return NULL;
}

/* --- the driver's side */

struct xapi_metrics *xapi_metrics_new(const struct xc_source_spec *spec, GError **error)
{
    struct xapi_metrics *metrics = g_new0(struct xapi_metrics, 1);

    metrics->spec = spec;
    metrics->meters = xapi_meters_new();
    metrics->seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_seen);
    metrics->shown = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    g_mutex_init(&metrics->lock);
    if (metrics->shown >= 0)
        return metrics;
    xc_fail(error, XC_CAUSE_LIMIT, "no event descriptor: %s", g_strerror(errno));
    xapi_metrics_free(metrics);
    return NULL;
}

void xapi_metrics_free(struct xapi_metrics *metrics)
{
    if (!metrics)
        return;
    xapi_metrics_stop(metrics);
    if (metrics->shown >= 0)
        close(metrics->shown);
    g_mutex_clear(&metrics->lock);
    g_hash_table_unref(metrics->seen);
    xapi_meters_free(metrics->meters);
    g_free(metrics);
}

/* What did not answer in the session before may do so now. */
static void renew(struct xapi_metrics *metrics)
{
    GHashTableIter iter;
    gpointer seen;

    g_hash_table_iter_init(&iter, metrics->seen);
    while (g_hash_table_iter_next(&iter, NULL, &seen))
        ((struct seen *)seen)->rest_until = 0;
}

bool xapi_metrics_start(struct xapi_metrics *metrics, const struct xapi_link *link,
                        struct xapi_feed *feed, int changed, GError **error)
{
    renew(metrics);
    metrics->link = link;
    metrics->feed = feed;
    metrics->changed = changed;
    metrics->session = g_strdup(xapi_link_session(link));
    metrics->https = xapi_link_connection(link, NULL, error);
    if (metrics->https && xc_call_init(&metrics->call, G_MAXINT64, error))
        metrics->thread = g_thread_try_new("xapi-metrics", run, metrics, error);
    if (!metrics->thread)
        xapi_metrics_stop(metrics);
    return metrics->thread != NULL;
}

void xapi_metrics_stop(struct xapi_metrics *metrics)
{
    if (metrics->thread) {
        xc_call_cancel(&metrics->call);
        g_thread_join(metrics->thread);
    }
    metrics->thread = NULL;
    xc_call_deinit(&metrics->call);
    g_clear_pointer(&metrics->https, xc_https_free);
    if (metrics->session)
        xapi_wipe(metrics->session, strlen(metrics->session));
    metrics->session = NULL;
}

bool xapi_metrics_are_due(struct xapi_metrics *metrics)
{
    bool due;

    g_mutex_lock(&metrics->lock);
    due = metrics->measured && !metrics->first_shown;
    g_mutex_unlock(&metrics->lock);
    return due;
}

static void show(struct xapi_metrics *metrics)
{
    gint64 now = xc_clock_mono();
    uint64_t one = 1;

    xapi_meters_show(metrics->meters);
    metrics->first_shown = metrics->measured;
    metrics->gap = metrics->shown_at ? now - metrics->shown_at : 0;
    metrics->shown_at = now;
    if (write(metrics->shown, &one, sizeof(one)) < 0)
        return; /* as above */
}

struct xapi_meters *xapi_metrics_lock(struct xapi_metrics *metrics, bool anew)
{
    g_mutex_lock(&metrics->lock);
    if (anew)
        show(metrics);
    return metrics->meters;
}

void xapi_metrics_unlock(struct xapi_metrics *metrics)
{
    g_mutex_unlock(&metrics->lock);
}

static struct xc_host *host_of(struct xc_report *report, const struct xc_uuid *uuid)
{
    for (guint i = 0; i < report->hosts->len; i++) {
        struct xc_host *host = &g_array_index(report->hosts, struct xc_host, i);

        if (XC_HAS(HOST, host, uuid) && xc_uuid_equal(&host->uuid, uuid))
            return host;
    }
    return NULL;
}

/* The answer has whole seconds: it is half of one behind, on the average. */
void xapi_metrics_clocks(const struct xapi_metrics *metrics, struct xc_report *report)
{
    gint64 ours = xc_clock_real() - xc_clock_mono() - XC_USEC_PER_SEC / 2;
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, metrics->seen);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const struct seen *seen = value;
        struct xc_host *host = seen->clock_read ? host_of(report, &seen->uuid) : NULL;

        if (host)
            XC_SET(HOST, host, clock_skew_msec, (seen->ahead_usec - ours) / 1000);
    }
}
