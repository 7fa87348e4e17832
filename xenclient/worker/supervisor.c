/* The workers as a whole: how many there are, who gets which source, and what happens when one
 * dies. */
#include "xenclient/worker/supervisor_private.h"

#include "xenclient/util/log.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#define TICK_MSEC 100
/* Normal workers are limited by the configuration; quarantine costs at most these besides. */
#define MAX_QUARANTINE 4
#define IDLE_USEC      (10 * XC_USEC_PER_SEC)
/* Time to end by itself for a process that was hung up on. */
#define LEAVE_USEC XC_USEC_PER_SEC

struct corpse {
    pid_t pid;
    gint64 kill_at; /* 0: killed */
};

/* --- workers */

static void free_crew(void *data)
{
    struct xc_crew *crew = data;

    xc_child_free(crew->child);
    g_free(crew);
}

static void send_level(struct xc_child *child)
{
    xc_child_send(child, &(struct xc_msg){.kind = XC_MSG_LEVEL, .level = xc_log_get_level()});
}

static void on_ready(struct xc_child *child, void *data)
{
    struct xc_crew *crew = data;
    struct xc_supervisor *s = crew->supervisor;
    struct xc_ssource *source;
    GHashTableIter iter;

    xc_child_send(child, &(struct xc_msg){.kind = XC_MSG_ENV,
                                          .text = s->env.credential_dir,
                                          .known_hosts = s->env.known_hosts,
                                          .tls_pins = s->env.tls_pins,
                                          .tls_ca = s->env.tls_ca});
    send_level(child);
    g_hash_table_iter_init(&iter, s->sources);
    while (g_hash_table_iter_next(&iter, NULL, (void **)&source))
        if (source->crew == crew) {
            xc_ssource_send(s, source);
            xc_sop_send_all(s, source);
        }
}

static bool on_message(struct xc_child *child, const struct xc_msg *msg, void *data)
{
    struct xc_crew *crew = data;

    (void)child;
    if (msg->kind == XC_MSG_PROGRESS || msg->kind == XC_MSG_OUTCOME || msg->kind == XC_MSG_FOUND)
        return xc_sop_message(crew->supervisor, crew, msg);
    return xc_ssource_message(crew->supervisor, crew, msg);
}

static void on_lost(struct xc_child *child, const char *why, bool blame, void *data)
{
    struct xc_crew *crew = data;
    struct xc_supervisor *s = crew->supervisor;

    (void)child;
    if (s->events.worker_lost)
        s->events.worker_lost(why, s->data);
    xc_sop_lost(s, crew, blame);
    xc_ssource_lost(s, crew, why, blame);
}

static void on_corpse(pid_t pid, void *data)
{
    struct xc_crew *crew = data;
    struct corpse corpse = {pid, xc_clock_mono() + LEAVE_USEC};

    g_array_append_val(crew->supervisor->corpses, corpse);
}

static const struct xc_child_events child_events = {on_ready, on_message, on_lost, on_corpse};

static struct xc_crew *add_crew(struct xc_supervisor *s, bool quarantine)
{
    struct xc_crew *crew = g_new0(struct xc_crew, 1);

    crew->supervisor = s;
    crew->quarantine = quarantine;
    crew->child = xc_child_new(s->context, &s->child_limits, &child_events, crew);
    g_ptr_array_add(s->crews, crew);
    xc_child_tick(crew->child, xc_clock_mono()); /* starts it now; a first tick calls nobody back */
    return crew;
}

struct xc_crew *xc_crew_choose(struct xc_supervisor *s, bool quarantine)
{
    unsigned full = quarantine ? 1 : s->limits.sources_per_worker;
    unsigned most = quarantine ? MAX_QUARANTINE : s->limits.max_workers;
    struct xc_crew *best = NULL;
    unsigned n = 0;

    for (guint i = 0; i < s->crews->len; i++) {
        struct xc_crew *crew = g_ptr_array_index(s->crews, i);

        if (crew->quarantine != quarantine)
            continue;
        n++;
        if (!best || crew->n_sources < best->n_sources)
            best = crew;
    }
    return best && (best->n_sources < full || n >= most) ? best : add_crew(s, quarantine);
}

void xc_crew_move(struct xc_supervisor *s, struct xc_ssource *source, bool quarantine)
{
    xc_child_send(source->crew->child,
                  &(struct xc_msg){.kind = XC_MSG_FORGET, .source = source->id});
    source->crew->n_sources--;
    source->crew = xc_crew_choose(s, quarantine);
    source->crew->n_sources++;
    source->answers = 0;
    source->blamed = 0;
    source->sent = false;
    xc_sop_detach_all(s, source->id);
    xc_ssource_send(s, source);
    xc_sop_send_all(s, source);
}

static void drop_idle(struct xc_supervisor *s, gint64 now)
{
    for (guint i = s->crews->len; i-- > 0;) {
        struct xc_crew *crew = g_ptr_array_index(s->crews, i);

        if (crew->n_sources > 0)
            crew->idle_since = 0;
        else if (crew->idle_since == 0)
            crew->idle_since = now;
        else if (now - crew->idle_since > IDLE_USEC)
            g_ptr_array_remove_index_fast(s->crews, i);
    }
}

/* --- the dead */

/* True: the system has nothing left of it. */
static bool reap(pid_t pid)
{
    int status;
    pid_t r = waitpid(pid, &status, WNOHANG);

    if (r == pid && WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
        xc_log(XC_LOG_WARNING, "worker %d was ended by signal %d (%s)", (int)pid, WTERMSIG(status),
               g_strsignal(WTERMSIG(status)));
    return r == pid || (r < 0 && errno != EINTR);
}

static void reap_all(struct xc_supervisor *s, gint64 now)
{
    for (guint i = s->corpses->len; i-- > 0;) {
        struct corpse *corpse = &g_array_index(s->corpses, struct corpse, i);

        if (reap(corpse->pid)) {
            g_array_remove_index_fast(s->corpses, i);
        } else if (corpse->kill_at && now >= corpse->kill_at) {
            kill(corpse->pid, SIGKILL);
            corpse->kill_at = 0;
        }
    }
}

static gboolean on_tick(gpointer data)
{
    struct xc_supervisor *s = data;
    gint64 now = xc_clock_mono();

    /* By number: a callback may add a source, and that a worker. */
    for (guint i = 0; i < s->crews->len; i++)
        xc_child_tick(((struct xc_crew *)g_ptr_array_index(s->crews, i))->child, now);
    for (guint i = 0; i < s->crews->len; i++)
        xc_ssource_send_next(s, g_ptr_array_index(s->crews, i));
    xc_ssource_tick(s, now);
    xc_sop_tick(s, now);
    drop_idle(s, now);
    reap_all(s, now);
    return G_SOURCE_CONTINUE;
}

/* --- interface */

static void set_limits(struct xc_supervisor *s, const struct xc_supervisor_limits *limits)
{
    s->limits = *limits;
    if (!s->limits.sources_per_worker)
        s->limits.sources_per_worker = 64;
    if (!s->limits.max_workers)
        s->limits.max_workers = 16;
    if (!s->limits.ping_sec)
        s->limits.ping_sec = 2;
    if (!s->limits.worker_exe)
        s->limits.worker_exe = "/proc/self/exe";
    s->child_limits = (struct xc_child_limits){
        .exe = s->limits.worker_exe, .rss_mib = s->limits.rss_mib, .ping_sec = s->limits.ping_sec};
}

struct xc_supervisor *xc_supervisor_new(const struct xc_driver_env *env,
                                        const struct xc_supervisor_limits *limits,
                                        const struct xc_supervisor_events *events, void *data)
{
    struct xc_supervisor *s = g_new0(struct xc_supervisor, 1);

    s->context = g_main_context_ref_thread_default();
    s->env.credential_dir = g_strdup(env->credential_dir);
    s->env.known_hosts = g_strdup(env->known_hosts);
    s->env.tls_pins = g_strdup(env->tls_pins);
    s->env.tls_ca = g_strdup(env->tls_ca);
    set_limits(s, limits);
    s->events = *events;
    s->data = data;
    s->crews = g_ptr_array_new_with_free_func(free_crew);
    s->sources = g_hash_table_new_full(NULL, NULL, NULL, xc_ssource_free);
    s->ops = xc_sop_table();
    s->corpses = g_array_new(FALSE, FALSE, sizeof(struct corpse));
    s->tick = g_timeout_source_new(TICK_MSEC);
    g_source_set_callback(s->tick, on_tick, s, NULL);
    g_source_attach(s->tick, s->context);
    return s;
}

/* All were hung up on: they end at once, or are killed after LEAVE_USEC. */
static void wait_for_corpses(struct xc_supervisor *s)
{
    gint64 until = g_get_monotonic_time() + 2 * LEAVE_USEC;

    while (reap_all(s, xc_clock_mono()), s->corpses->len && g_get_monotonic_time() < until)
        g_usleep(2000);
}

void *xc_supervisor_free(struct xc_supervisor *s)
{
    if (!s)
        return NULL;
    g_source_destroy(s->tick);
    g_source_unref(s->tick);
    g_ptr_array_unref(s->crews);
    wait_for_corpses(s);
    g_hash_table_unref(s->ops);
    g_hash_table_unref(s->sources);
    g_array_unref(s->corpses);
    g_free(s->env.credential_dir);
    g_free(s->env.known_hosts);
    g_free(s->env.tls_pins);
    g_free(s->env.tls_ca);
    g_main_context_unref(s->context);
    g_free(s);
    return NULL;
}

void xc_supervisor_tell_log_level(struct xc_supervisor *s)
{
    for (guint i = 0; i < s->crews->len; i++)
        send_level(((struct xc_crew *)g_ptr_array_index(s->crews, i))->child);
}

unsigned xc_supervisor_workers(const struct xc_supervisor *s)
{
    unsigned n = 0;

    for (guint i = 0; i < s->crews->len; i++)
        n += xc_child_lives(((struct xc_crew *)g_ptr_array_index(s->crews, i))->child);
    return n;
}
