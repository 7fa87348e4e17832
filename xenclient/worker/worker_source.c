/* One source in a worker: a thread that keeps its connection, polls when asked and listens for
 * events. */
#include "xenclient/util/log.h"
#include "xenclient/worker/worker_private.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

/* After events were read, the descriptor rests: one that is always readable must not take the CPU.
 */
#define EVENT_REST_USEC (50 * 1000)
/* A connection whose event channel breaks sooner is not worth an extra poll. */
#define LIVED_USEC (5 * XC_USEC_PER_SEC)
/* Descriptors of a source whose driver names no number, and of the process itself with an operation. Who is let in
 * beyond them takes those that the others need for their connections: then nobody is served. */
#define FILES_OF_SOURCE 5
#define FILES_OF_WORKER 12

struct xc_wsource {
    gatomicrefcount ref; /* the table's and the thread's */
    struct xc_worker *worker;
    uint32_t id;
    struct xc_source_spec spec;
    const struct xc_driver *driver; /* NULL: see error */
    const struct xc_driver_ops *ops;
    GError *error; /* why there is no driver or thread */
    int wake;      /* eventfd: asked or stop changed */
    struct xc_call call;

    GMutex lock;
    bool stop;
    bool asked;
    bool news;       /* will do */
    uint32_t serial; /* of what is asked */
    gint64 budget_usec;

    /* The thread's own. */
    struct xc_conn *conn;
    gint64 opened_mono;
    gint64 rest_until;
    uint32_t opens;
    bool told; /* CHANGED was sent and no poll came since */
};

static int files_of(const struct xc_wsource *s)
{
    return s->driver->files ? s->driver->files : FILES_OF_SOURCE;
}

/* What the thread was woken for. */
struct work {
    bool stop;
    bool asked;
    bool news;
    uint32_t serial;
};

static void unref(struct xc_wsource *s)
{
    if (!g_atomic_ref_count_dec(&s->ref))
        return;
    xc_source_spec_clear(&s->spec);
    g_clear_error(&s->error);
    if (s->wake >= 0)
        close(s->wake);
    xc_call_deinit(&s->call);
    g_mutex_clear(&s->lock);
    g_free(s);
}

static void rouse(const struct xc_wsource *s)
{
    uint64_t one = 1;

    if (write(s->wake, &one, sizeof(one)) < 0)
        return; /* the counter is full: it is readable, which is all that is wanted */
}

/* --- the thread */

static void hang_up(struct xc_wsource *s)
{
    if (!s->conn)
        return;
    s->ops->close(s->conn);
    s->conn = NULL;
    xc_worker_count_session(s->worker, -1);
}

static bool ensure_open(struct xc_wsource *s, GError **error)
{
    if (s->conn)
        return true;
    s->conn = s->ops->open(&s->spec, xc_worker_env(s->worker), &s->call, error);
    if (!s->conn)
        return false;
    xc_worker_count_session(s->worker, 1);
    s->opens++;
    s->opened_mono = xc_clock_mono();
    return true;
}

/* Whatever a driver does wrong, the front gets words. */
static void send_failure(const struct xc_wsource *s, uint32_t serial, const GError *error)
{
    struct xc_msg msg = {.kind = XC_MSG_POLL_FAILED, .source = s->id, .serial = serial};

    msg.cause = error ? xc_error_cause(error) : XC_CAUSE_INTERNAL;
    msg.text = error ? error->message : (char *)"the driver failed without saying why";
    xc_worker_send(s->worker, &msg);
}

struct sending {
    const struct xc_wsource *source;
    uint32_t serial;
};

static bool send_piece(GByteArray *piece, bool last, void *data)
{
    const struct sending *sending = data;
    struct xc_msg msg = {.kind = XC_MSG_REPORT,
                         .source = sending->source->id,
                         .serial = sending->serial,
                         .last = last,
                         .piece = piece->data,
                         .piece_length = piece->len};

    return xc_worker_send(sending->source->worker, &msg);
}

static bool ask(struct xc_wsource *s, struct xc_report *report, GError **error)
{
    if (!ensure_open(s, error) || !s->ops->poll(s->conn, report, &s->call, error))
        return false;
    if (xc_report_check(report))
        return true;
    return xc_fail(error, XC_CAUSE_INTERNAL,
                   "the driver's report refers to hosts or domains that it does not hold");
}

static void poll_now(struct xc_wsource *s, uint32_t serial, bool news)
{
    g_autoptr(xc_report) report = xc_report_new();
    g_autoptr(GError) error = NULL;
    gint64 start = xc_clock_mono();
    struct sending sending = {s, serial};

    s->told = false;
    report->news_will_do = news;
    if (!ask(s, report, &error)) {
        hang_up(s);
        send_failure(s, serial, error);
        return;
    }
    xc_report_write(report, XC_PROTOCOL_PIECE, send_piece, &sending);
    xc_worker_send(s->worker, &(struct xc_msg){.kind = XC_MSG_POLL_DONE,
                                               .source = s->id,
                                               .serial = serial,
                                               .usec = xc_clock_mono() - start,
                                               .reconnects = s->opens - 1,
                                               .news = report->news});
}

static void tell_changed(struct xc_wsource *s)
{
    if (s->told)
        return;
    s->told = true;
    xc_worker_send(s->worker, &(struct xc_msg){.kind = XC_MSG_CHANGED, .source = s->id});
}

static void read_events(struct xc_wsource *s)
{
    g_autoptr(GError) error = NULL;
    bool changed = false;

    s->rest_until = xc_clock_mono() + EVENT_REST_USEC;
    if (!s->ops->event_read(s->conn, &changed, &error)) {
        /* The next poll opens anew and tells the front what is wrong. */
        changed = xc_clock_mono() - s->opened_mono > LIVED_USEC;
        xc_log(XC_LOG_DEBUG, "source %s: events ended: %s", s->spec.key,
               error ? error->message : "no reason given");
        hang_up(s);
    }
    if (changed)
        tell_changed(s);
}

/* -1 while there is nothing to listen to. */
static int event_fd(const struct xc_wsource *s)
{
    if (!s->conn || !s->ops->event_fd || !s->ops->event_read)
        return -1;
    return s->ops->event_fd(s->conn);
}

/* Waits for work or an event. *event: the driver's descriptor is readable. */
static struct work wait_for_work(struct xc_wsource *s, bool *event)
{
    int fd = event_fd(s);
    gint64 rest = fd >= 0 ? s->rest_until - xc_clock_mono() : 0;
    struct pollfd fds[2] = {{.fd = s->wake, .events = POLLIN},
                            {.fd = rest > 0 ? -1 : fd, .events = POLLIN}};
    struct work work;
    uint64_t count;

    poll(fds, 2, rest > 0 ? (int)(rest / 1000 + 1) : -1);
    *event = rest <= 0 && fd >= 0 && fds[1].revents != 0;
    if (fds[0].revents && read(s->wake, &count, sizeof(count)) < 0 && errno != EAGAIN)
        xc_log(XC_LOG_ERROR, "source %s: wake: %s", s->spec.key, g_strerror(errno));
    g_mutex_lock(&s->lock);
    work = (struct work){s->stop, s->asked, s->news, s->serial};
    s->asked = false;
    if (work.asked)
        xc_call_restart(&s->call, s->budget_usec);
    g_mutex_unlock(&s->lock);
    return work;
}

static void *run(void *data)
{
    struct xc_wsource *s = data;

    for (;;) {
        bool event;
        struct work work = wait_for_work(s, &event);

        if (work.stop)
            break;
        if (work.asked) {
            poll_now(s, work.serial, work.news);
            /* What a shared session took in during the poll does not make the descriptor readable.
             */
            event = event_fd(s) >= 0;
        }
        if (event && s->conn)
            read_events(s);
    }
    hang_up(s);
    xc_worker_claim_files(s->worker, -files_of(s));
    unref(s);
    return NULL;
}

/* --- the main thread's side */

/* The first one is always let in. */
static bool has_room(const struct xc_wsource *s, GError **error)
{
    int claimed = xc_worker_claim_files(s->worker, 0);
    struct rlimit files = {0};

    getrlimit(RLIMIT_NOFILE, &files);
    if (claimed == 0 || (rlim_t)(FILES_OF_WORKER + claimed + files_of(s)) <= files.rlim_cur)
        return true;
    return xc_fail(error, XC_CAUSE_LIMIT,
                   "%ju descriptors are not enough for another source, which may need %d: raise "
                   "the limit (LimitNOFILE= of the service), or have more workers with fewer "
                   "sources each",
                   (uintmax_t)files.rlim_cur, files_of(s));
}

static bool set_up(struct xc_wsource *s)
{
    s->wake = -1;
    s->driver = xc_driver_for(s->spec.uri, &s->error);
    s->ops = xc_driver_ops(s->driver);
    if (!s->error && has_room(s, &s->error))
        s->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (s->wake < 0 && !s->error)
        xc_fail(&s->error, XC_CAUSE_LIMIT, "no event descriptor: %s", g_strerror(errno));
    return !s->error && xc_call_init(&s->call, 0, &s->error);
}

struct xc_wsource *xc_wsource_new(struct xc_worker *worker, uint32_t id,
                                  const struct xc_source_spec *spec)
{
    struct xc_wsource *s = g_new0(struct xc_wsource, 1);

    g_atomic_ref_count_init(&s->ref);
    s->worker = worker;
    s->id = id;
    xc_source_spec_copy(&s->spec, spec);
    g_mutex_init(&s->lock);
    if (!set_up(s))
        return s;
    g_atomic_ref_count_inc(&s->ref);
    xc_worker_claim_files(worker, files_of(s));
    if (!xc_worker_thread(run, s, &s->error)) {
        xc_worker_claim_files(worker, -files_of(s));
        g_atomic_ref_count_dec(&s->ref);
    }
    return s;
}

void xc_wsource_stop(struct xc_wsource *s)
{
    g_mutex_lock(&s->lock);
    s->stop = true;
    if (!s->error)
        xc_call_cancel(&s->call);
    g_mutex_unlock(&s->lock);
    if (!s->error)
        rouse(s);
    unref(s);
}

void xc_wsource_poll(struct xc_wsource *s, uint32_t serial, gint64 budget_usec, bool news)
{
    if (s->error) {
        send_failure(s, serial, s->error);
        return;
    }
    g_mutex_lock(&s->lock);
    /* One that was not begun yet is forgotten: the front has given it up. */
    s->asked = true;
    s->news = news;
    s->serial = serial;
    s->budget_usec = budget_usec;
    g_mutex_unlock(&s->lock);
    rouse(s);
}

bool xc_wsource_is_broken(const struct xc_wsource *s)
{
    return s->error != NULL;
}

const struct xc_source_spec *xc_wsource_spec(const struct xc_wsource *s)
{
    return &s->spec;
}
