/* The loop over event.from, and what it does when events were lost. */
#include "xenclient/drivers/xapi_events.h"

#include "xenclient/drivers/xapi_error.h"
#include "xenclient/util/log.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* The server answers after so long without events. */
#define QUIET_SEC 30.0
/* What an answer may take beyond that; all of a large pool takes long to write. */
#define ANSWER_USEC (15 * XC_USEC_PER_SEC)
#define WHOLE_USEC  (120 * XC_USEC_PER_SEC)
/* A busy pool tells more in one answer, and is asked less often. */
#define PAUSE_USEC (200 * 1000)
/* Doubled whenever events were lost again before any had come: up to 51 seconds. */
#define DOUBLINGS_MAX 8
#define ANSWER_OCTETS ((size_t)1 << 30)

struct xapi_feed {
    struct xc_https *https;
    char *session;
    char *where; /* the coordinator's address, for words */
    int changed; /* borrowed */
    int ready;   /* eventfd, readable once the mirror is complete or the feed has ended */
    gint64 started, rest_usec;
    struct xc_call call;
    GThread *thread;

    GMutex lock;
    struct xapi_mirror *mirror;
    char *seen; /* token of what the mirror shows; "" of none */
    bool complete, ended;
    GError *error; /* why it ended */

    /* The thread's own. */
    char *token;    /* "" before all was read */
    unsigned stale; /* classes to read whole */
    unsigned lost;  /* times in a row that all or some must be read again */
};

static void signal_fd(int fd)
{
    uint64_t one = 1;

    if (write(fd, &one, sizeof(one)) < 0)
        return; /* the counter is full: it is readable, which is all that is wanted */
}

/* --- one call */

static struct xapi_args *event_args(unsigned classes, const char *token, double seconds)
{
    struct xapi_args *args = xapi_args_new("event.from");
    const char *names[XAPI_N_CLASSES + 1] = {NULL};
    unsigned n = 0;

    for (unsigned i = 0; i < XAPI_N_CLASSES; i++)
        if (classes & (1u << i))
            names[n++] = xapi_class_name((enum xapi_class)i);
    xapi_args_texts(args, names);
    xapi_args_text(args, token);
    xapi_args_double(args, seconds);
    return args;
}

/* NULL with an error; *lost: XAPI does not know the token any more. */
static struct xapi_batch *ask(struct xapi_feed *feed, unsigned classes, const char *token,
                              bool *lost, GError **error)
{
    g_autoptr(xapi_args) args = event_args(classes, token, QUIET_SEC);
    g_autoptr(xapi_batch) batch = xapi_batch_new();
    g_autoptr(GPtrArray) words = NULL;
    const struct xapi_want want = {&xapi_batch_sink, batch, ANSWER_OCTETS};
    g_autoptr(GError) why = NULL;

    xc_call_restart(&feed->call,
                    (gint64)QUIET_SEC * XC_USEC_PER_SEC + (*token ? ANSWER_USEC : WHOLE_USEC));
    if (xapi_call(feed->https, args, feed->session, &want, &words, &feed->call, &why)) {
        if (batch->token)
            return g_steal_pointer(&batch);
        xc_fail(&why, XC_CAUSE_DRIVER_ERROR, "event.from was answered without a token");
    } else if (batch->too_large) {
        g_clear_error(&why);
        xc_fail(&why, XC_CAUSE_LIMIT, "the pool tells of more than %zu MiB of objects",
                XAPI_BATCH_OCTETS >> 20);
    }
    *lost = words && (strcmp(words->pdata[0], "EVENT_FROM_TOKEN_PARSE_FAILURE") == 0 ||
                      strcmp(words->pdata[0], "EVENTS_LOST") == 0);
    g_propagate_error(error, g_steal_pointer(&why));
    return NULL;
}

/* --- what comes of it */

static bool apply(struct xapi_feed *feed, struct xapi_batch *batch, unsigned asked, unsigned whole,
                  GError **error)
{
    bool changed = false;
    unsigned stale = 0;
    bool ok, first;

    g_mutex_lock(&feed->lock);
    ok = xapi_mirror_apply(feed->mirror, batch, asked, whole, &changed, &stale, error);
    if (ok && (!whole || asked == XAPI_ALL_CLASSES)) {
        g_free(feed->seen);
        feed->seen = g_strdup(batch->token);
    }
    first = ok && !feed->complete;
    feed->complete = feed->complete || ok;
    g_mutex_unlock(&feed->lock);
    feed->stale = (feed->stale & ~whole) | stale;
    if (stale)
        feed->lost++;
    else if (!whole)
        feed->lost = 0;
    if (first)
        signal_fd(feed->ready);
    else if (ok && changed)
        signal_fd(feed->changed);
    return ok;
}

/* All with no token, some classes with none, or what has changed since the token. */
static bool step(struct xapi_feed *feed, GError **error)
{
    bool all = !*feed->token;
    unsigned asked = all || !feed->stale ? XAPI_ALL_CLASSES : feed->stale;
    unsigned whole = all || feed->stale ? asked : 0;
    g_autoptr(xapi_batch) batch = NULL;
    g_autoptr(GError) why = NULL;
    bool lost = false;

    batch = ask(feed, asked, whole ? "" : feed->token, &lost, &why);
    if (!batch && lost && !whole) {
        xc_log(XC_LOG_DEBUG, "%s: events were lost, all is read anew", feed->where);
        g_free(feed->token);
        feed->token = g_strdup("");
        feed->lost++;
        return true;
    }
    if (!batch) {
        g_propagate_error(error, g_steal_pointer(&why));
        return false;
    }
    /* The token of some classes knows nothing of what the others did meanwhile. */
    if (all || !whole) {
        g_free(feed->token);
        feed->token = g_strdup(batch->token);
    }
    return apply(feed, batch, asked, whole, error);
}

static bool rest(struct xapi_feed *feed, GError **error)
{
    gint64 pause = PAUSE_USEC << MIN(feed->lost, DOUBLINGS_MAX);

    xc_call_restart(&feed->call, pause * 2);
    return xc_call_wait(&feed->call, -1, 0, pause, "waiting for events", error);
}

static void *run(void *data)
{
    struct xapi_feed *feed = data;
    GError *error = NULL;

    while (step(feed, &error) && rest(feed, &error))
        continue;
    g_mutex_lock(&feed->lock);
    feed->ended = true;
    feed->error = error;
    g_mutex_unlock(&feed->lock);
    signal_fd(feed->ready);
    xc_call_restart(&feed->call, feed->rest_usec + ANSWER_USEC);
    if (xc_call_wait(&feed->call, -1, 0, feed->rest_usec, "resting", NULL))
        signal_fd(feed->changed);
    return NULL;
}

/* --- the driver's side */

static void free_feed(struct xapi_feed *feed)
{
    if (feed->ready >= 0)
        close(feed->ready);
    if (feed->session)
        xapi_wipe(feed->session, strlen(feed->session));
    xc_https_free(feed->https);
    xc_call_deinit(&feed->call);
    xapi_mirror_free(feed->mirror);
    g_mutex_clear(&feed->lock);
    g_clear_error(&feed->error);
    g_free(feed->token);
    g_free(feed->seen);
    g_free(feed->where);
    g_free(feed);
}

struct xapi_feed *xapi_feed_start(const struct xapi_link *link, int changed, gint64 rest_usec,
                                  GError **error)
{
    struct xapi_feed *feed = g_new0(struct xapi_feed, 1);

    g_mutex_init(&feed->lock);
    feed->changed = changed;
    feed->started = xc_clock_mono();
    feed->rest_usec = rest_usec;
    feed->session = g_strdup(xapi_link_session(link));
    feed->where = g_strdup(xapi_link_address(link));
    feed->token = g_strdup("");
    feed->seen = g_strdup("");
    feed->mirror = xapi_mirror_new();
    feed->ready = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    feed->https = xapi_link_connection(link, NULL, error);
    if (feed->https && feed->ready < 0)
        xc_fail(error, XC_CAUSE_LIMIT, "no event descriptor: %s", g_strerror(errno));
    if (feed->https && feed->ready >= 0 && xc_call_init(&feed->call, WHOLE_USEC, error))
        feed->thread = g_thread_try_new("xapi-events", run, feed, error);
    if (feed->thread)
        return feed;
    free_feed(feed);
    return NULL;
}

void xapi_feed_stop(struct xapi_feed *feed)
{
    if (!feed)
        return;
    xc_call_cancel(&feed->call);
    g_thread_join(feed->thread);
    free_feed(feed);
}

bool xapi_feed_goes_on(struct xapi_feed *feed)
{
    bool ended;

    g_mutex_lock(&feed->lock);
    ended = feed->ended;
    g_mutex_unlock(&feed->lock);
    return !ended;
}

bool xapi_feed_serves(struct xapi_feed *feed, const struct xapi_link *link)
{
    return xapi_feed_goes_on(feed) && strcmp(feed->session, xapi_link_session(link)) == 0;
}

char *xapi_feed_token(struct xapi_feed *feed)
{
    char *token;

    g_mutex_lock(&feed->lock);
    token = g_strdup(feed->seen);
    g_mutex_unlock(&feed->lock);
    return token;
}

gint64 xapi_feed_age(const struct xapi_feed *feed)
{
    return xc_clock_mono() - feed->started;
}

bool xapi_feed_wait(struct xapi_feed *feed, struct xc_call *call, GError **error)
{
    bool complete;

    if (!xc_call_wait(call, feed->ready, POLLIN, -1, "reading all of the pool", error))
        return false;
    g_mutex_lock(&feed->lock);
    complete = feed->complete && !feed->ended;
    if (!complete && error)
        *error = feed->error ? g_error_copy(feed->error) : NULL;
    g_mutex_unlock(&feed->lock);
    if (!complete && error)
        g_prefix_error(error, "%s: ", feed->where);
    return complete;
}

struct xapi_mirror *xapi_feed_lock(struct xapi_feed *feed)
{
    g_mutex_lock(&feed->lock);
    return feed->mirror;
}

void xapi_feed_unlock(struct xapi_feed *feed)
{
    g_mutex_unlock(&feed->lock);
}
