/* The daemon's configuration: an INI file with sections [agent], [source KEY], [group NAME] and [member GROUP/MEMBER],
 * read whole and checked whole. The option tables in config.c and config_group.c are the one place that knows names,
 * bounds, defaults. */
#pragma once

#include "xenclient/drivers/driver.h"
#include "xenclient/model/group.h"

struct xc_config_source {
    struct xc_source_spec spec;
    unsigned interval_sec; /* 0: the agent's */
    bool enabled;
};

/* Bounds and defaults: see config.c. */
struct xc_config {
    bool control;    /* false: the whole MIB is read-only */
    char *state_dir; /* databases */
    char *credential_dir;
    char *known_hosts;
    char *tls_pins;
    char *tls_ca;            /* "" = the system's */
    char *library_dir;       /* configurations that xenHostCreate may name */
    char *agentx_socket;     /* "" = net-snmp's default */
    char *user;              /* run as, when started as root; "" = stay */
    char *log_level;         /* error, warning, info, debug */
    char *log_file;          /* "" = stderr */
    char **protected_names;  /* globs of domain names that start protected */
    unsigned interval_sec;   /* between polls of a source that has none of its own */
    unsigned stale_after;    /* failed polls */
    unsigned tombstone_sec;  /* deleted domains stay */
    unsigned dup_window_sec; /* equal requests after the end are the same */
    unsigned op_expire_sec;  /* finished operations stay */
    unsigned op_max_rows;
    unsigned event_rows;
    unsigned max_ops; /* running at once */
    unsigned max_ops_per_host;
    unsigned queue_limit;          /* accepted and not finished */
    unsigned poll_timeout_sec;     /* budget of one poll */
    unsigned shutdown_timeout_sec; /* of a guest */
    unsigned sources_per_worker;
    unsigned max_workers;
    unsigned worker_rss_mib;
    bool vm_mib; /* serve RFC 7666's */
    bool vm_cpu_affinity;
    bool librenms;                /* serve the table that its poller reads */
    bool contexts;                /* an SNMP context for each host */
    char **discovery_allow;       /* subnets that may be looked into; empty: our own */
    unsigned discovery_rate;      /* connections in a second */
    char **discovery_credentials; /* that may be tried by SSH at hosts found */
    GPtrArray *sources;           /* struct xc_config_source * */
    GPtrArray *groups;            /* struct xc_group_spec * */
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
