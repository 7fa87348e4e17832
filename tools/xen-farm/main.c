/* xen-farm: simulates a fleet of Xen hosts for the sim driver, and counts every execution. */
#include "tools/xen-farm/options.h"
#include "tools/xen-farm/server.h"

#include "xenclient/util/clock.h"
#include "xenclient/util/signals.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void tell_ready(const struct farm_options *options)
{
    static const char word[] = "ready\n";
    int fd = (int)options->ready_fd;

    printf("%s", word);
    fflush(stdout);
    if (options->ready_fd == FARM_VARIED)
        return;
    if (write(fd, word, strlen(word)) < 0)
        fprintf(stderr, "xen-farm: --ready-fd %d can't be written\n", fd);
    close(fd);
}

static bool serve(const struct farm_options *options, struct farm_fleet *fleet, GError **error)
{
    struct farm_journal *journal = NULL;
    struct farm_server *server;
    bool ok = false;

    if (options->journal && !(journal = farm_journal_open(options->journal, fleet, error)))
        return false;
    server = farm_server_new(fleet, journal, options->socket, error);
    if (server) {
        int stop_fd = xc_signals_stop_fd();

        tell_ready(options);
        ok = farm_server_run(server, stop_fd,
                             options->churn == FARM_VARIED ? 0 : (unsigned)options->churn, error);
        close(stop_fd);
    }
    farm_server_free(server);
    farm_journal_close(journal);
    return ok;
}

static bool run(const struct farm_options *options, GError **error)
{
    struct farm_config config;
    struct farm_fleet *fleet;
    bool ok;

    if (!farm_options_config(options, &config, error))
        return false;
    /* A farm that comes back is a fleet that was powered on again. */
    config.boot = (uint64_t)xc_clock_real();
    fleet = farm_fleet_new(&config, xc_clock_mono(), xc_clock_real(), error);
    if (config.names)
        g_ptr_array_unref(config.names);
    ok = fleet && serve(options, fleet, error);
    farm_fleet_free(fleet);
    return ok;
}

/* Help or version were asked for. */
static bool tell_about(const struct farm_options *options)
{
    g_autofree char *help = options->help ? farm_options_help() : NULL;

    if (help)
        printf("%s", help);
    else if (options->version)
        printf("xen-farm %s\n", XENSNMP_VERSION);
    return options->help || options->version;
}

int main(int argc, char **argv)
{
    struct farm_options options;
    g_autoptr(GError) error = NULL;
    int status = 0;

    g_set_prgname("xen-farm");
    if (argc > 1 && strcmp(argv[1], "ctl") == 0)
        return farm_ctl(argv + 2);
    if (!farm_options_parse(&options, argv + 1, &error))
        status = 2;
    else if (!tell_about(&options)) {
        raise_descriptor_limit();
        status = run(&options, &error) ? 0 : 1;
    }
    if (error)
        fprintf(stderr, "xen-farm: %s\n", error->message);
    farm_options_clear(&options);
    return status;
}
