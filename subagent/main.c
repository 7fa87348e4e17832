/* xensnmpd: the AgentX subagent for Xen hosts. Options, set-up, tear-down. */
#include "subagent/agentx.h"
#include "subagent/guests.h"
#include "subagent/notify.h"
#include "subagent/privileges.h"

#include <glib-unix.h>
#include <locale.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>

#define DEFAULT_CONFIG "/etc/xensnmp/xensnmpd.conf"

struct options {
    char *config;
    gboolean check_config;
    gboolean dump_options;
    gboolean dump_schema;
    char *schema_of;
    gboolean sample_config;
    gboolean foreground;
    gboolean version;
};

static bool parse_options(int *argc, char ***argv, struct options *out, GError **error)
{
    const GOptionEntry entries[] = {
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &out->config,
         "configuration file (default " DEFAULT_CONFIG ")", "FILE"},
        {"check-config", 0, 0, G_OPTION_ARG_NONE, &out->check_config,
         "check the configuration file and exit", NULL},
        {"dump-options", 0, 0, G_OPTION_ARG_NONE, &out->dump_options,
         "print every option of the configuration file, for programs, and exit", NULL},
        {"dump-schema", 0, 0, G_OPTION_ARG_NONE, &out->dump_schema,
         "print every object of the MIB as this program knows it and exit", NULL},
        {"schema-of", 0, 0, G_OPTION_ARG_STRING, &out->schema_of,
         "the same of another MIB: vm-mib, librenms", "MIB"},
        {"sample-config", 0, 0, G_OPTION_ARG_NONE, &out->sample_config,
         "print a commented configuration file and exit", NULL},
        {"foreground", 'f', 0, G_OPTION_ARG_NONE, &out->foreground,
         "stay in the foreground (always so)", NULL},
        {"version", 'V', 0, G_OPTION_ARG_NONE, &out->version, "print the version and exit", NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new("- Xen hosts over SNMP");

    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, argc, argv, error))
        return false;
    if (*argc > 1)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "unexpected argument %s; see --help", (*argv)[1]);
    if (!out->config)
        out->config = g_strdup(DEFAULT_CONFIG);
    return true;
}

static int fail(const GError *error)
{
    xc_log(XC_LOG_ERROR, "%s", error->message);
    return EXIT_FAILURE;
}

static void set_log_level(const struct xc_config *config)
{
    static const char *const names[] = {[XC_LOG_ERROR] = "error",
                                        [XC_LOG_WARNING] = "warning",
                                        [XC_LOG_INFO] = "info",
                                        [XC_LOG_DEBUG] = "debug"};

    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
        if (g_strcmp0(config->log_level, names[i]) == 0)
            xc_log_set_level((enum xc_log_level)i);
}

/* As the account that will write there; before there are threads, which read the environment. */
static bool open_log(const struct xc_config *config, GError **error)
{
    unsetenv(XC_LOG_FILE_VARIABLE);
    if (!*config->log_file)
        return true;
    setenv(XC_LOG_FILE_VARIABLE, config->log_file, 1);
    return xc_log_to_file(config->log_file, error);
}

static gboolean stop(gpointer loop)
{
    g_main_loop_quit(loop);
    return G_SOURCE_CONTINUE;
}

struct daemon {
    const char *path;
    const char *notify; /* where the service manager listens; NULL: nowhere */
    struct xc_config *config;
    struct st_context context; /* of the whole fleet */
    struct st_trees trees;
};

/* SIGHUP: what is wrong with the file is said, and everything stays as it is. */
static gboolean reload(gpointer data)
{
    struct daemon *daemon = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(xc_config) next = xc_config_load(daemon->path, &error);

    if (next && !xc_engine_reload(daemon->context.engine, next, &error))
        g_prefix_error(&error, "%s: ", daemon->path);
    if (error) {
        xc_log(XC_LOG_ERROR, "%s; the configuration stays as it was", error->message);
        return G_SOURCE_CONTINUE;
    }
    xc_config_free(daemon->config);
    daemon->config = g_steal_pointer(&next);
    set_log_level(daemon->config);
    xc_engine_tell_log_level(daemon->context.engine);
    xc_log(XC_LOG_INFO, "%s: read again", daemon->path);
    return G_SOURCE_CONTINUE;
}

static void run(struct daemon *daemon)
{
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    guint term = g_unix_signal_add(SIGTERM, stop, loop);
    guint interrupt = g_unix_signal_add(SIGINT, stop, loop);
    guint hangup = g_unix_signal_add(SIGHUP, reload, daemon);

    xc_log(XC_LOG_INFO, "ready");
    st_notify(daemon->notify, "READY=1");
    g_main_loop_run(loop);
    xc_log(XC_LOG_INFO, "ending");
    st_notify(daemon->notify, "STOPPING=1");
    g_source_remove(term);
    g_source_remove(interrupt);
    g_source_remove(hangup);
}

/* Snapshots come and go with every poll, each a few large arrays; what the agent knows of a domain stays. The
 * C library would soon put both in one heap, where the holes of the former are never quite filled. net-snmp takes and
 * frees 64 KiB for each packet: those stay in the heap, and the heap's end where it is. */
static void keep_large_apart(void)
{
    mallopt(M_MMAP_THRESHOLD, 72 * 1024);
    mallopt(M_TRIM_THRESHOLD, 1024 * 1024);
}

/* The program that runs drivers: beside this one where both were built, in libexec where they were installed. */
static char *worker_program(GError **error)
{
    static const char *const places[] = {"xensnmpd-worker", "../libexec/xensnmp/xensnmpd-worker"};
    g_autofree char *self = g_file_read_link("/proc/self/exe", error);
    g_autofree char *folder = self ? g_path_get_dirname(self) : NULL;

    for (size_t i = 0; folder && i < G_N_ELEMENTS(places); i++) {
        g_autofree char *path = g_build_filename(folder, places[i], NULL);

        if (g_file_test(path, G_FILE_TEST_IS_EXECUTABLE))
            return g_steal_pointer(&path);
    }
    if (folder)
        xc_fail(error, XC_CAUSE_BAD_CONFIG,
                "%s: neither %s nor %s is there, which talks to the hypervisors: install it again",
                folder, places[0], places[1]);
    return NULL;
}

static int serve(struct daemon *daemon)
{
    struct st_context *context = &daemon->context;
    struct st_agentx *agentx = NULL;
    GError *error = NULL;
    g_autofree char *worker = worker_program(&error);

    keep_large_apart();
    signal(SIGHUP, SIG_IGN); /* until run(): what it would tell to read has just been read */
    context->names = st_names_new();
    if (worker)
        context->engine = xc_engine_new(daemon->config, worker, &error);
    context->guests = st_guests_new();
    if (context->engine && st_trees_build(&daemon->trees, context, &error))
        agentx = st_agentx_new(context, &daemon->trees, daemon->config->agentx_socket, &error);
    if (agentx)
        run(daemon);
    st_agentx_free(agentx);
    st_trees_clear(&daemon->trees);
    xc_engine_free(context->engine);
    st_guests_free(context->guests);
    st_names_free(context->names);
    if (!error)
        return EXIT_SUCCESS;
    int status = fail(error);

    g_error_free(error);
    return status;
}

static int print_schema(const struct options *options)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text =
        st_trees_schema(options->schema_of ? options->schema_of : "xensnmp", &error);

    if (!text)
        return fail(error);
    g_print("%s", text);
    return EXIT_SUCCESS;
}

static int print(char *text)
{
    g_print("%s", text);
    g_free(text);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    struct options options = {0};

    setlocale(LC_ALL, "C.UTF-8");
    g_set_prgname("xensnmpd");
    if (!parse_options(&argc, &argv, &options, &error))
        return fail(error);
    g_autofree char *path = options.config;

    if (options.version)
        return print(g_strdup("xensnmpd " XENSNMP_VERSION "\n"));
    if (options.dump_options)
        return print(xc_config_options());
    g_autofree char *schema_of = options.schema_of;

    if (options.dump_schema || schema_of)
        return print_schema(&options);
    if (options.sample_config)
        return print(xc_config_sample());
    g_autofree char *notify = st_notify_socket();
    struct daemon daemon = {.path = path, .notify = notify, .config = xc_config_load(path, &error)};
    int status;

    if (!daemon.config)
        return fail(error);
    if (options.check_config) {
        status = print(g_strdup_printf("%s: ok\n", path));
    } else {
        set_log_level(daemon.config);
        status = st_privileges_limit(daemon.config->user, &error) && open_log(daemon.config, &error)
                     ? serve(&daemon)
                     : fail(error);
    }
    xc_config_free(daemon.config);
    return status;
}
