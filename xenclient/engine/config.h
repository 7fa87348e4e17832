/* The daemon's configuration: an INI file with sections [agent] and [source KEY], read whole and
 * checked whole. The option table in config.c is the one place that knows names, bounds, defaults.
 */
#pragma once

#include "xenclient/drivers/driver.h"

struct xc_config_source {
    struct xc_source_spec spec;
    unsigned interval_sec; /* 0: the agent's */
    bool enabled;
};

struct xc_config {
    bool control;    /* false: the whole MIB is read-only */
    char *state_dir; /* databases */
    char *credential_dir;
    char *known_hosts;
    char *library_dir;             /* configurations that xenHostCreate may name */
    char *agentx_socket;           /* "" = net-snmp's default */
    char *user;                    /* run as, when started as root; "" = stay */
    char *log_level;               /* error, warning, info, debug */
    char *log_file;                /* "" = stderr */
    char **protected_names;        /* globs of domain names that start protected */
    unsigned interval_sec;         /* 1..3600, default 10 */
    unsigned stale_after;          /* polls, 2..100, default 5 */
    unsigned tombstone_sec;        /* deleted domains stay, default 3600 */
    unsigned dup_window_sec;       /* equal requests after the end are the same, default 5 */
    unsigned op_expire_sec;        /* finished operations stay, default 86400 */
    unsigned op_max_rows;          /* default 1000 */
    unsigned event_rows;           /* 100..100000, default 1000 */
    unsigned max_ops;              /* running at once, default 8 */
    unsigned max_ops_per_host;     /* default 2 */
    unsigned queue_limit;          /* accepted and not finished, default 10000 */
    unsigned poll_timeout_sec;     /* budget of one poll, default 30 */
    unsigned shutdown_timeout_sec; /* default 120 */
    unsigned sources_per_worker;
    unsigned max_workers;
    unsigned worker_rss_mib;
    GPtrArray *sources; /* struct xc_config_source * */
};

/* Newly allocated, or NULL with an error that names file, line, section, key and what is allowed.
 */
struct xc_config *xc_config_load(const char *path, GError **error);
/* Name of an option that differs and takes effect at start only; NULL: there is none. */
const char *xc_config_needs_restart(const struct xc_config *a, const struct xc_config *b);
/* The defaults alone; for tests. */
struct xc_config *xc_config_new(void);
void *xc_config_free(struct xc_config *config); /* returns NULL; takes NULL */
typedef struct xc_config xc_config;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xc_config, xc_config_free)

/* The option table as text: a commented sample file. */
char *xc_config_sample(void);
/* The same for programs: a heading, then a line per option, fields separated by tabs. */
char *xc_config_options(void);
