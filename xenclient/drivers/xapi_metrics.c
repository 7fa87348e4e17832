/* GET /rrd_updates of each host. The session of the coordinator is good at all of them; it goes as a cookie, for the
 * address of a request is what servers log. */
#include "xenclient/drivers/xapi_metrics.h"

#include "xenclient/util/log.h"

#include <string.h>

#define ANSWER_OCTETS ((size_t)64 << 20)
/* A host that did not answer is left in peace for so long, doubled each time. */
#define REST_USEC     (2 * XC_USEC_PER_SEC)
#define REST_MAX_USEC (60 * XC_USEC_PER_SEC)
/* Clocks drift: how long what a host said of its clock is good. */
#define CLOCK_USEC     (300 * XC_USEC_PER_SEC)
#define SHARE_MIN_USEC (XC_USEC_PER_SEC / 2)
/* Left of a poll's time for what comes after. */
#define RESERVE_USEC XC_USEC_PER_SEC

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
    GHashTable *seen; /* reference -> struct seen */
    unsigned round;
};

static void free_seen(void *data)
{
    struct seen *seen = data;

    xc_https_free(seen->https);
    g_free(seen->address);
    g_free(seen);
}

struct xapi_metrics *xapi_metrics_new(const struct xc_source_spec *spec)
{
    struct xapi_metrics *metrics = g_new0(struct xapi_metrics, 1);

    metrics->spec = spec;
    metrics->seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_seen);
    return metrics;
}

void xapi_metrics_free(struct xapi_metrics *metrics)
{
    if (!metrics)
        return;
    g_hash_table_unref(metrics->seen);
    g_free(metrics);
}

void xapi_metrics_renew(struct xapi_metrics *metrics)
{
    GHashTableIter iter;
    gpointer seen;

    g_hash_table_iter_init(&iter, metrics->seen);
    while (g_hash_table_iter_next(&iter, NULL, &seen))
        ((struct seen *)seen)->rest_until = 0;
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

/* What is known of it from earlier polls; a new address is another connection. */
static struct seen *seen_of(struct xapi_metrics *metrics, const struct xapi_member *member)
{
    struct seen *seen = g_hash_table_lookup(metrics->seen, member->ref);

    if (!seen) {
        seen = g_new0(struct seen, 1);
        g_hash_table_insert(metrics->seen, g_strdup(member->ref), seen);
    }
    if (g_strcmp0(seen->address, member->address) != 0) {
        xc_https_free(seen->https);
        seen->https = NULL;
        g_free(seen->address);
        seen->address = g_strdup(member->address);
        seen->rest_until = 0;
    }
    seen->uuid = member->uuid;
    seen->round = metrics->round;
    return seen;
}

static gboolean is_gone(gpointer key, gpointer value, gpointer data)
{
    (void)key;
    return ((const struct seen *)value)->round != ((const struct xapi_metrics *)data)->round;
}

/* --- one host */

static bool take_time(const struct xc_xmlrpc_value *value, void *data)
{
    return value->depth == 0 && xc_xmlrpc_date(value, data);
}
static const struct xc_xmlrpc_sink time_sink = {NULL, take_time};

/* The coordinator asks the host; the answer has whole seconds. */
static bool read_clock(struct seen *seen, const struct xapi_member *member, struct xapi_link *link,
                       struct xc_call *call, GError **error)
{
    g_autoptr(xapi_args) args = xapi_args_new("host.get_servertime");
    gint64 time = 0;
    const struct xapi_want want = {&time_sink, &time, 0};

    if (seen->clock_read && xc_clock_mono() - seen->clock_read < CLOCK_USEC)
        return true;
    xapi_args_text(args, member->ref);
    if (!xapi_link_call(link, args, &want, call, error))
        return false;
    seen->clock_read = xc_clock_mono();
    seen->ahead_usec = time - seen->clock_read;
    return true;
}

/* The coordinator's own connection is used for its metrics: its name there is the one that is trusted. */
static struct xc_https *connection(struct seen *seen, const struct xapi_member *member,
                                   struct xapi_link *link, GError **error)
{
    if (member->master)
        return xapi_link_https(link);
    if (!seen->https)
        seen->https = xapi_link_connection(link, member->address, error);
    return seen->https;
}

static bool fetch(struct xc_https *https, const struct xapi_member *member,
                  const struct xapi_link *link, struct xapi_meters *meters, gint64 now,
                  struct xc_call *call, GError **error)
{
    g_autofree char *path =
        g_strdup_printf("/rrd_updates?start=%" G_GINT64_FORMAT "&cf=AVERAGE&interval=5&host=true",
                        xapi_meters_start(meters, &member->uuid, now));
    char *cookie = g_strconcat("session_id=", xapi_link_session(link), NULL);
    g_autoptr(xapi_rrd) rrd = xapi_rrd_new(&xapi_meters_sink, meters);
    const struct xc_https_request request = {
        .path = path,
        .accept = "text/xml",
        .cookie = cookie,
        .max_octets = ANSWER_OCTETS,
        .take = xapi_rrd_feed,
        .data = rrd,
    };
    int status = 0;
    bool ok;

    xapi_meters_open(meters, now);
    ok = xc_https_request(https, &request, &status, call, error) && xapi_rrd_end(rrd, error);
    xapi_meters_close(meters, ok);
    xapi_wipe(cookie, strlen(cookie));
    return ok;
}

static bool ask_one(struct seen *seen, const struct xapi_member *member, struct xapi_link *link,
                    struct xapi_meters *meters, struct xc_call *call, GError **error)
{
    struct xc_https *https;
    gint64 now;

    if (!read_clock(seen, member, link, call, error))
        return false;
    now = (xc_clock_mono() + seen->ahead_usec) / XC_USEC_PER_SEC;
    https = connection(seen, member, link, error);
    return https && fetch(https, member, link, meters, now, call, error);
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
    seen->clock_read = 0;
    xc_https_free(seen->https);
    seen->https = NULL;
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

void xapi_metrics_ask(struct xapi_metrics *metrics, const GPtrArray *members,
                      struct xapi_link *link, struct xapi_meters *meters, struct xc_call *call)
{
    gint64 whole = call->deadline;

    metrics->round++;
    xapi_meters_begin(meters);
    for (guint i = 0; i < members->len; i++) {
        const struct xapi_member *member = members->pdata[i];
        struct seen *seen = seen_of(metrics, member);
        gint64 left = whole - RESERVE_USEC - xc_clock_mono();
        g_autoptr(GError) error = NULL;

        if (!member->live || seen->rest_until > xc_clock_mono() || left < SHARE_MIN_USEC ||
            !xc_call_check(call, "metrics", NULL))
            continue;
        call->deadline = xc_clock_mono() + MAX(left / (members->len - i), SHARE_MIN_USEC);
        ask_one(seen, member, link, meters, call, &error);
        call->deadline = whole;
        if (!error || xc_error_cause(error) != XC_CAUSE_CANCELLED)
            note(metrics, seen, member, error);
    }
    g_hash_table_foreach_remove(metrics->seen, is_gone, metrics);
}
