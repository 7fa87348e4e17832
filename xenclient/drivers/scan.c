/* Carries out a discovery: one thread sweeps, a few look at what is open. */
#include "xenclient/drivers/scan.h"

#include "xenclient/drivers/probe.h"
#include "xenclient/transport/sweep.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define N_PROBERS    16
#define CONNECT_USEC XC_USEC_PER_SEC
#define PROBE_USEC   (6 * XC_USEC_PER_SEC)
/* With a login: that is a poll. */
#define LOGIN_USEC (20 * XC_USEC_PER_SEC)

struct job {
    struct xc_address address;
    struct xc_scan_port port;
};

struct scanning {
    struct xc_scan scan;
    const struct xc_driver_env *env;
    xc_progress_fn progress;
    xc_found_fn found;
    void *data;

    GMutex lock;
    GCond wake;
    GQueue jobs; /* struct job, owned */
    unsigned busy;
    bool no_more;
    bool stop;
    int idle; /* eventfd: readable once all jobs are done */
    unsigned n_open, n_found;
};

struct prober {
    struct scanning *scanning;
    struct xc_call call;
    bool has_call;
    GThread *thread;
};

/* --- the threads that look */

static void look(struct prober *prober, const struct job *job)
{
    struct scanning *s = prober->scanning;
    g_autoptr(GStringChunk) text = g_string_chunk_new(256);
    g_autofree char *address = xc_address_format(&job->address);
    bool login = job->port.probe == XC_PROBE_SSH && *s->scan.credential;
    struct xc_probing probing = {s->env, address, job->port.port, s->scan.credential, text};
    struct xc_find find;

    xc_call_restart(&prober->call, login ? LOGIN_USEC : PROBE_USEC);
    if (!xc_probe_run(job->port.probe, &probing, &find, &prober->call))
        return;
    XC_SET(FIND, &find, address, address);
    XC_SET(FIND, &find, port, job->port.port);
    s->found(&find, s->data);
    g_mutex_lock(&s->lock);
    s->n_found++;
    g_mutex_unlock(&s->lock);
}

static void tell_idle(const struct scanning *s)
{
    uint64_t one = 1;

    if (write(s->idle, &one, sizeof(one)) < 0)
        return; /* full, and so readable */
}

/* The next job, once there is one; NULL: there will be none. Under the lock. */
static struct job *next_job(struct scanning *s)
{
    while (!s->jobs.length && !s->no_more && !s->stop)
        g_cond_wait(&s->wake, &s->lock);
    return s->stop ? NULL : g_queue_pop_head(&s->jobs);
}

static gpointer run_prober(gpointer data)
{
    struct prober *prober = data;
    struct scanning *s = prober->scanning;
    struct job *job;

    g_mutex_lock(&s->lock);
    while ((job = next_job(s)) != NULL) {
        s->busy++;
        g_mutex_unlock(&s->lock);
        look(prober, job);
        g_free(job);
        g_mutex_lock(&s->lock);
        s->busy--;
        if (s->no_more && !s->busy && !s->jobs.length)
            tell_idle(s);
    }
    g_mutex_unlock(&s->lock);
    return NULL;
}

/* --- the thread that sweeps */

static void on_open(const struct xc_address *address, size_t port, void *data)
{
    struct scanning *s = data;
    struct job *job = g_new(struct job, 1);

    *job = (struct job){*address, g_array_index(s->scan.ports, struct xc_scan_port, port)};
    g_mutex_lock(&s->lock);
    s->n_open++;
    g_queue_push_tail(&s->jobs, job);
    g_cond_signal(&s->wake);
    g_mutex_unlock(&s->lock);
}

static void on_progress(size_t done, size_t of, void *data)
{
    struct scanning *s = data;

    /* The last hundredth is of the ports that are still looked at. */
    s->progress("trying addresses", of ? (int)(done * 99 / of) : 99, s->data);
}

static bool sweep(struct scanning *s, struct xc_call *call, GError **error)
{
    g_autoptr(GArray) hosts = xc_subnets_hosts(s->scan.subnets);
    g_autofree unsigned *ports = g_new(unsigned, s->scan.ports->len);
    const struct xc_sweep plan = {
        .addresses = (const struct xc_address *)(const void *)hosts->data,
        .n_addresses = hosts->len,
        .ports = ports,
        .n_ports = s->scan.ports->len,
        .rate = s->scan.rate,
        .timeout_usec = CONNECT_USEC,
        .open = on_open,
        .progress = on_progress,
        .data = s,
    };

    for (guint i = 0; i < s->scan.ports->len; i++)
        ports[i] = g_array_index(s->scan.ports, struct xc_scan_port, i).port;
    return xc_sweep_run(&plan, call, error);
}

/* Until all that was open has been looked at. */
static bool await_probers(struct scanning *s, struct xc_call *call, GError **error)
{
    bool idle;

    s->progress("looking at open ports", 99, s->data);
    g_mutex_lock(&s->lock);
    s->no_more = true;
    idle = !s->busy && !s->jobs.length;
    g_cond_broadcast(&s->wake);
    g_mutex_unlock(&s->lock);
    return idle || xc_call_wait(call, s->idle, POLLIN, -1, "discovery", error);
}

static bool start_probers(struct scanning *s, struct prober *probers, GError **error)
{
    for (unsigned i = 0; i < N_PROBERS; i++) {
        probers[i].scanning = s;
        probers[i].has_call = xc_call_init(&probers[i].call, 0, error);
        if (!probers[i].has_call)
            return false;
        probers[i].thread = g_thread_try_new("probe", run_prober, &probers[i], NULL);
        if (!probers[i].thread)
            return xc_fail(error, XC_CAUSE_LIMIT, "no thread for a discovery");
    }
    return true;
}

static void end_probers(struct scanning *s, struct prober *probers)
{
    g_mutex_lock(&s->lock);
    s->stop = true;
    g_cond_broadcast(&s->wake);
    g_mutex_unlock(&s->lock);
    for (unsigned i = 0; i < N_PROBERS; i++)
        if (probers[i].has_call)
            xc_call_cancel(&probers[i].call);
    for (unsigned i = 0; i < N_PROBERS; i++) {
        if (probers[i].thread)
            g_thread_join(probers[i].thread);
        if (probers[i].has_call)
            xc_call_deinit(&probers[i].call);
    }
}

static bool scan(struct scanning *s, struct xc_call *call, GError **error)
{
    g_autofree struct prober *probers = g_new0(struct prober, N_PROBERS);
    bool ok;

    s->idle = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (s->idle < 0)
        return xc_fail(error, XC_CAUSE_LIMIT, "no event descriptor: %s", g_strerror(errno));
    ok = start_probers(s, probers, error) && sweep(s, call, error) && await_probers(s, call, error);
    end_probers(s, probers);
    close(s->idle);
    return ok;
}

void xc_scan_run(const struct xc_driver_env *env, const struct xc_order *order,
                 struct xc_call *call, xc_progress_fn progress, xc_found_fn found, void *data,
                 struct xc_outcome *outcome)
{
    struct scanning s = {.env = env, .progress = progress, .found = found, .data = data};
    g_autoptr(GError) error = NULL;

    g_mutex_init(&s.lock);
    g_cond_init(&s.wake);
    if (xc_scan_parse(order->content, &s.scan, &error) && scan(&s, call, &error))
        xc_outcome_set(outcome, XC_RESULT_OK, XC_CAUSE_NONE, "%u open ports, %u finds", s.n_open,
                       s.n_found);
    else
        xc_outcome_from_error(outcome, error);
    g_queue_clear_full(&s.jobs, g_free);
    g_mutex_clear(&s.lock);
    g_cond_clear(&s.wake);
    xc_scan_clear(&s.scan);
}
