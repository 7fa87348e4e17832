/* A front with a supervisor over the scripted driver: counts what it is told and runs its main loop by conditions. */
#pragma once

#include "tests/unit/scripted_driver.h"
#include "xenclient/worker/supervisor.h"

#define N_SOURCES 256

struct seen {
    unsigned polled;
    unsigned failed;
    unsigned changed;
    enum xc_cause cause; /* of the last failure */
    char *text;
    unsigned domains; /* of the last report */
    char *host;
    uint32_t reconnects;
};

struct front {
    char *dir;
    struct xc_supervisor *supervisor;
    struct seen sources[N_SOURCES];
    unsigned outcomes;
    unsigned progresses;
    struct xc_outcome outcome; /* the last */
    unsigned lost;
    char *why;  /* of the last loss */
    gint64 now; /* fake clock, 0: real */
};

static void on_polled(uint32_t source, struct xc_report *report, gint64 took, uint32_t reconnects,
                      void *data)
{
    struct front *f = data;
    struct seen *seen = &f->sources[source];
    const struct xc_host *host = &g_array_index(report->hosts, struct xc_host, 0);

    g_assert_cmpint(took, >=, 0);
    seen->polled++;
    seen->domains = report->domains->len;
    g_free(seen->host);
    seen->host = g_strdup(host->name);
    seen->reconnects = reconnects;
    xc_report_free(report);
}

static void on_poll_failed(uint32_t source, const GError *error, void *data)
{
    struct seen *seen = &((struct front *)data)->sources[source];

    seen->failed++;
    seen->cause = xc_error_cause(error);
    g_free(seen->text);
    seen->text = g_strdup(error->message);
}

static void on_changed(uint32_t source, void *data)
{
    ((struct front *)data)->sources[source].changed++;
}

static void on_progress(const struct xc_uuid *op, const char *phase, int progress, void *data)
{
    (void)op;
    g_assert_cmpstr(phase, ==, "half way");
    g_assert_cmpint(progress, ==, 50);
    ((struct front *)data)->progresses++;
}

static void on_outcome(const struct xc_uuid *op, const struct xc_outcome *outcome, void *data)
{
    struct front *f = data;

    (void)op;
    f->outcomes++;
    xc_outcome_set(&f->outcome, outcome->result, outcome->cause, "%s",
                   outcome->text ? outcome->text : "");
}

static void on_worker_lost(const char *why, void *data)
{
    struct front *f = data;

    f->lost++;
    g_free(f->why);
    f->why = g_strdup(why);
}

/* Limits of zeros are the defaults. */
static void front_open(struct front *f, const struct xc_supervisor_limits *limits)
{
    static const struct xc_supervisor_events events = {.polled = on_polled,
                                                       .poll_failed = on_poll_failed,
                                                       .changed = on_changed,
                                                       .progress = on_progress,
                                                       .outcome = on_outcome,
                                                       .worker_lost = on_worker_lost};
    struct xc_driver_env env = {.credential_dir = (char *)"/credentials",
                                .known_hosts = (char *)"/known_hosts",
                                .tls_pins = (char *)"/tls_pins",
                                .tls_ca = (char *)"/tls_ca"};

    *f = (struct front){.dir = g_dir_make_tmp("xensnmp-test-XXXXXX", NULL)};
    g_assert_nonnull(f->dir);
    f->supervisor = xc_supervisor_new(&env, limits, &events, f);
}

/* Moves the front's clock, in steps that leave the workers time to answer its pings. */
static void pass(struct front *f, gint64 usec)
{
    f->now = (f->now ? f->now : xc_clock_mono()) + usec;
    xc_clock_fake(f->now, 0);
}

static void front_close(struct front *f)
{
    GDir *dir = g_dir_open(f->dir, 0, NULL);
    const char *name;

    f->supervisor = xc_supervisor_free(f->supervisor);
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(f->dir, name, NULL);

        unlink(path);
    }
    g_dir_close(dir);
    rmdir(f->dir);
    g_free(f->dir);
    for (unsigned i = 0; i < N_SOURCES; i++) {
        g_free(f->sources[i].text);
        g_free(f->sources[i].host);
    }
    g_free(f->why);
    xc_outcome_clear(&f->outcome);
    xc_clock_fake(0, 0);
}

static void front_add(struct front *f, uint32_t id, const char *mode)
{
    g_autofree char *key = g_strdup_printf("source-%u", id);
    g_autofree char *uri = g_strdup_printf("test://%s@host", mode);
    struct xc_source_spec spec = {.key = key, .uri = uri, .save_dir = f->dir};

    xc_supervisor_add(f->supervisor, id, &spec);
}

static void front_poll(struct front *f, uint32_t id)
{
    g_assert_true(xc_supervisor_poll(f->supervisor, id, 20 * XC_USEC_PER_SEC, false));
}

static void front_start(struct front *f, uint32_t id, struct xc_uuid *op, const char *name)
{
    struct xc_order order = {
        .action = XC_ACTION_START, .name = (char *)name, .timeout_usec = 60 * XC_USEC_PER_SEC};

    xc_uuid_random(op);
    order.op = *op;
    xc_supervisor_start(f->supervisor, id, &order);
}

static void front_file(const struct front *f, const char *name)
{
    g_autofree char *path = g_build_filename(f->dir, name, NULL);

    g_assert_true(g_file_set_contents(path, "", 0, NULL));
}

/* How many lines of the log begin with `what`; *pid: the process of the last. */
static unsigned front_noted(const struct front *f, const char *what, pid_t *pid)
{
    g_autofree char *path = g_build_filename(f->dir, "log", NULL);
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    unsigned n = 0;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return 0;
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++)
        if (g_str_has_prefix(*line, what)) {
            n++;
            if (pid)
                *pid = (pid_t)g_ascii_strtoll(strrchr(*line, ' '), NULL, 10);
        }
    return n;
}

/* Sanitized programs on a busy machine take longer: LAB_PATIENCE says how much. */
static gint64 patient(gint64 usec)
{
    const char *times = g_getenv("LAB_PATIENCE");

    return times ? (gint64)((double)usec * g_ascii_strtod(times, NULL)) : usec;
}

/* Runs the main loop until the condition is true; the test fails when it is not in time. */
#define WAIT_FOR(condition)                                                                        \
    do {                                                                                           \
        gint64 give_up_at = g_get_monotonic_time() + patient(120 * G_USEC_PER_SEC);                \
        while (!(condition)) {                                                                     \
            if (g_get_monotonic_time() > give_up_at)                                               \
                g_error("%s:%d: never true: %s", __FILE__, __LINE__, #condition);                  \
            turn();                                                                                \
        }                                                                                          \
    } while (0)

static gboolean on_turn(gpointer done)
{
    *(bool *)done = true;
    return G_SOURCE_REMOVE;
}

/* One turn of the main loop, 10 ms at most. */
static void turn(void)
{
    bool done = false;
    guint timer = g_timeout_add(10, on_turn, &done);

    g_main_context_iteration(NULL, TRUE);
    if (!done)
        g_source_remove(timer);
}

static G_GNUC_UNUSED void turn_for(gint64 usec)
{
    gint64 end = g_get_monotonic_time() + usec;

    while (g_get_monotonic_time() < end)
        turn();
}

static G_GNUC_UNUSED unsigned open_descriptors(void)
{
    GDir *dir = g_dir_open("/proc/self/fd", 0, NULL);
    unsigned n = 0;

    while (g_dir_read_name(dir))
        n++;
    g_dir_close(dir);
    return n;
}
