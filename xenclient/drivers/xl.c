/* The xl driver: plain Xen hosts asked over SSH (ssh://) or on the spot (xl:///). Polls and the watch share
 * one connection; operations have their own (xl_actions.c). */
#include "xenclient/drivers/drivers.h"
#include "xenclient/drivers/xl_actions.h"
#include "xenclient/drivers/xl_host.h"
#include "xenclient/drivers/xl_parse.h"
#include "xenclient/util/clock.h"
#include "xenclient/util/log.h"

#include <string.h>

/* Configuration files change rarely, and reading them is the dear part of a poll. */
#define CONFIGS_EVERY_USEC (30 * XC_USEC_PER_SEC)

struct xc_conn {
    const struct xc_source_spec *spec;
    struct xl_host *host;
    struct xl_memory *memory;
    gint64 configs_read; /* 0: never */
};

static struct xc_conn *xl_open(const struct xc_source_spec *spec, const struct xc_driver_env *env,
                               struct xc_call *call, GError **error)
{
    g_autoptr(xl_host) host = xl_host_open(spec, env, call, error);
    struct xc_conn *conn;

    if (!host || !xl_host_watch(host, call, error))
        return NULL;
    conn = g_new0(struct xc_conn, 1);
    conn->spec = spec;
    conn->host = g_steal_pointer(&host);
    conn->memory = xl_memory_new();
    return conn;
}

static void xl_close(struct xc_conn *conn)
{
    if (!conn)
        return;
    xl_host_close(conn->host);
    xl_memory_free(conn->memory);
    g_free(conn);
}

/* Marks the sections of an answer; random, so that no guest can put one into its name. */
static void make_nonce(char out[33])
{
    struct xc_uuid random;

    xc_uuid_random(&random);
    for (unsigned i = 0; i < sizeof random.b; i++)
        g_snprintf(out + (size_t)2 * i, 3, "%02x", random.b[i]);
}

static void log_warnings(const struct xc_conn *conn, const GPtrArray *warnings)
{
    for (guint i = 0; i < warnings->len; i++)
        xc_log(XC_LOG_WARNING, "source %s: %s", conn->spec->key, (const char *)warnings->pdata[i]);
}

static bool parse_answer(struct xc_conn *conn, const struct xc_exec *answer, const char *nonce,
                         struct xc_report *report, GError **error)
{
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    bool ok = xl_parse_poll(answer->out->str, answer->out->len, answer->err->str, nonce,
                            conn->memory, report, warnings, error);

    log_warnings(conn, warnings);
    return ok;
}

/* Its clock was read at some time between asking and answer. */
static void set_skew(struct xc_report *report, gint64 asked, gint64 answered)
{
    gint64 ours = asked + (answered - asked) / 2;

    for (guint i = 0; i < report->hosts->len; i++) {
        struct xc_host *host = &g_array_index(report->hosts, struct xc_host, i);

        if (XC_HAS(HOST, host, clock))
            XC_SET(HOST, host, clock_skew_msec, (host->clock - ours) / 1000);
    }
}

static bool xl_poll(struct xc_conn *conn, struct xc_report *report, struct xc_call *call,
                    GError **error)
{
    gint64 now = xc_clock_mono();
    gint64 asked;
    gint64 answered;
    char nonce[33];
    struct xl_poll_options options = {
        .nonce = nonce,
        .prefix = xl_host_prefix(conn->host),
        .config_dirs = xc_source_config_dirs(conn->spec),
        .save_dir = conn->spec->save_dir,
        .with_configs = !conn->configs_read || now - conn->configs_read >= CONFIGS_EVERY_USEC,
        .timeout_sec = (unsigned)CLAMP(xc_call_left(call) / XC_USEC_PER_SEC + 1, 2, 300),
    };
    g_autofree char *command = NULL;
    struct xc_exec answer;
    bool ok;

    make_nonce(nonce);
    command = xl_poll_script(&options, conn->memory);
    if (!xl_host_watch(conn->host, call, error))
        return false;
    xc_exec_init(&answer);
    asked = xc_clock_real();
    ok = xl_host_exec(conn->host, command, NULL, 0, call, &answer, error);
    answered = xc_clock_real();
    ok = ok && parse_answer(conn, &answer, nonce, report, error);
    if (ok)
        set_skew(report, asked, answered);
    xc_exec_clear(&answer);
    if (ok && options.with_configs)
        conn->configs_read = now;
    return ok;
}

static int xl_event_fd(struct xc_conn *conn)
{
    return xl_host_event_fd(conn->host);
}

static bool xl_event_read(struct xc_conn *conn, bool *changed, GError **error)
{
    return xl_host_events(conn->host, changed, error);
}

const struct xc_driver_ops xc_xl_ops = {
    .open = xl_open,
    .close = xl_close,
    .poll = xl_poll,
    .event_fd = xl_event_fd,
    .event_read = xl_event_read,
    .run = xl_run,
};
