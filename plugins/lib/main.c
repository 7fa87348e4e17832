/* The run of a plugin: options, facts, states, output, within its time. */
#include "plugins/lib/check.h"

#include "xenclient/util/error.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

struct result {
    enum chk_state state;
    char *text;
};

const struct chk_plugin *chk_plugin(const struct chk *chk)
{
    return chk->plugin;
}

double chk_now(const struct chk *chk)
{
    return chk->now;
}

/* --- what the tables say must be there */
static void must_have(const struct chk_plugin *plugin, const char *field)
{
    if (field && !chk_facts_have(&plugin->facts, field))
        g_error("%s: no field %s", plugin->name, field);
}

static void check_tables(const struct chk_plugin *plugin)
{
    const char *const roles[] = {plugin->label, plugin->uuid,   plugin->host,
                                 plugin->tags,  plugin->status, plugin->detail};

    for (size_t i = 0; i < G_N_ELEMENTS(roles); i++)
        must_have(plugin, roles[i]);
    for (unsigned i = 0; i < plugin->n_metrics; i++) {
        must_have(plugin, plugin->metrics[i].field);
        must_have(plugin, plugin->metrics[i].less);
        must_have(plugin, plugin->metrics[i].of);
        must_have(plugin, plugin->metrics[i].when);
    }
    for (unsigned i = 0; i < plugin->n_conditions; i++)
        must_have(plugin, plugin->conditions[i].field);
    for (unsigned i = 0; i < plugin->n_totals; i++)
        must_have(plugin, plugin->totals[i].field);
}

/* --- the check itself */
/* The agent's address: -p goes behind -H, in brackets where that is a bare IPv6 address. */
static char *make_host(const struct chk *chk)
{
    const char *host = chk_option(chk, "hostname");
    const char *port = chk_option(chk, "port");
    bool bare_v6 = host && host[0] != '[' && strchr(host, ':') != strrchr(host, ':');

    if (!host || !port)
        return g_strdup(host);
    return g_strdup_printf("%s%s%s:%s", bare_v6 ? "[" : "", host, bare_v6 ? "]" : "", port);
}

/* Trouble of the network, and not of what was asked for. */
static enum chk_state state_of(const struct chk *chk, const GError *error)
{
    static const enum xc_cause causes[] = {XC_CAUSE_HOST_DOWN, XC_CAUSE_TRANSPORT,
                                           XC_CAUSE_TIMED_OUT};
    bool network = g_error_matches(error, SN_ERROR, SN_ERROR_UNREACHABLE) ||
                   g_error_matches(error, SN_ERROR, SN_ERROR_TIMEOUT);

    for (size_t i = 0; i < G_N_ELEMENTS(causes); i++)
        network = network || g_error_matches(error, XC_ERROR, (int)causes[i]);
    return network ? chk->timeout_state : CHK_UNKNOWN;
}

/* A little less than its time is a driver's, so that it can say what it waited for. */
static struct chk_direct direct_options(const struct chk *chk)
{
    return (struct chk_direct){
        .uri = chk_option(chk, "uri"),
        .credential = chk_option(chk, "credential"),
        .credential_dir = chk_option(chk, "credential-dir"),
        .known_hosts = chk_option(chk, "known-hosts"),
        .tls_pins = chk_option(chk, "tls-pins"),
        .tls_ca = chk_option(chk, "tls-ca"),
        .budget_usec = (int64_t)chk->timeout_sec * G_USEC_PER_SEC * 9 / 10,
    };
}

static GPtrArray *read_rows(const struct chk *chk, GError **error)
{
    const struct chk_plugin *plugin = chk->plugin;
    struct chk_direct direct = direct_options(chk);
    g_auto(GStrv) names = chk_select_names(chk->select);
    const struct chk_wish wish = {.names = names, .wanted = plugin->wanted, .data = chk};
    g_autofree char *host = make_host(chk);
    struct chk_reader *reader;
    GPtrArray *rows;

    if (direct.uri)
        reader = plugin->direct(&direct, error);
    else
        reader = chk_reader_snmp(chk_option(chk, "client-config"), chk_option(chk, "profile"), host,
                                 error);
    if (!reader)
        return NULL;
    rows = reader->ops->read(reader, &plugin->facts, &wish, error);
    if (rows && plugin->join && !plugin->join(chk, reader, rows, error))
        g_clear_pointer(&rows, g_ptr_array_unref);
    reader->ops->close(reader);
    return rows;
}

static struct result run(struct chk *chk)
{
    g_autoptr(GError) error = NULL;
    gint64 begun = g_get_monotonic_time();
    struct result result = {.state = CHK_UNKNOWN};
    g_autoptr(GPtrArray) rows = read_rows(chk, &error);
    g_autofree char *debug = NULL;
    GArray *items;

    if (!rows) {
        result.state = state_of(chk, error);
        result.text = chk_output_error(chk->plugin, result.state, error->message);
        return result;
    }
    debug = g_strdup_printf("\nread %u %s of %u facts in %.0f ms", rows->len, chk->plugin->many,
                            chk->plugin->facts.n_fields,
                            (double)(g_get_monotonic_time() - begun) / 1000);
    chk_select_apply(chk->select, chk, rows);
    chk_rows_name(chk->plugin, rows);
    items = chk_judge(chk, rows);
    result.text = chk_output(chk, rows, items, debug, &result.state);
    chk_items_free(items);
    return result;
}

/* --- within its time */
struct work {
    struct chk *chk;
    GAsyncQueue *done;
    struct result result;
};

static gpointer work(gpointer data)
{
    struct work *work = data;

    work->result = run(work->chk);
    g_async_queue_push(work->done, work);
    return NULL;
}

static int say(const char *text, enum chk_state state)
{
    fputs(text, stdout);
    return fflush(stdout) == 0 ? (int)state : CHK_UNKNOWN;
}

/* What hangs is left behind: the process ends under it. */
static int run_in_time(struct chk *chk)
{
    struct work job = {.chk = chk, .done = g_async_queue_new()};
    GThread *thread = g_thread_new("check", work, &job);
    g_autofree char *cause = NULL;
    g_autofree char *text = NULL;
    int status;

    if (g_async_queue_timeout_pop(job.done, (guint64)chk->timeout_sec * G_USEC_PER_SEC)) {
        g_thread_join(thread);
        status = say(job.result.text, job.result.state);
        g_free(job.result.text);
        g_async_queue_unref(job.done);
        return status;
    }
    cause = g_strdup_printf("no answer within %u s", chk->timeout_sec);
    text = chk_output_error(chk->plugin, chk->timeout_state, cause);
    _exit(say(text, chk->timeout_state));
}

static int run_parsed(struct chk *chk)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    int status;

    chk->select = chk_select_new(chk, &error);
    if (!chk->select) {
        text = chk_output_error(chk->plugin, CHK_UNKNOWN, error->message);
        return say(text, CHK_UNKNOWN);
    }
    status = run_in_time(chk);
    chk_select_free(chk->select);
    return status;
}

int chk_main(const struct chk_plugin *plugin, int argc, char **argv)
{
    struct chk chk = {.plugin = plugin, .now = (double)g_get_real_time() / G_USEC_PER_SEC};
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    int status = CHK_UNKNOWN;

    /* A core file would hold secrets. */
    setrlimit(RLIMIT_CORE, &(struct rlimit){0});
    check_tables(plugin);
    chk.given = g_array_new(FALSE, FALSE, sizeof(struct chk_given));
    chk.states = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (!chk_options_parse(&chk, argc, argv, &error)) {
        text = chk_output_error(plugin, CHK_UNKNOWN, error->message);
        status = say(text, CHK_UNKNOWN);
    } else if (chk_option_given(&chk, "help")) {
        chk_help(plugin);
    } else if (chk_option_given(&chk, "version")) {
        printf("%s v%s (xensnmp)\n", plugin->name, XENSNMP_VERSION);
    } else {
        status = run_parsed(&chk);
    }
    chk_options_clear(&chk);
    return status;
}
