/* xenctl: what its commands share. One struct ctl is made in main and passed on. */
#pragma once

#include "snmpclient/snmpclient.h"
#include "tools/xenctl/json.h"

#include <stdio.h>

/* Exit statuses; help.c says what they mean, docs/xenctl.md what to do. */
enum ctl_exit {
    CTL_OK = 0,
    CTL_ERROR = 1,   /* wrong use, or trouble on this machine */
    CTL_REFUSED = 2, /* the agent refused the request: nothing was begun */
    CTL_FAILED = 3,  /* the operation failed; doctor: something is not well */
    CTL_CANCELLED = 4,
    CTL_LOST = 5,        /* its outcome can't be known */
    CTL_TIMED_OUT = 6,   /* the operation did not end in its time */
    CTL_UNREACHABLE = 7, /* no agent, no answer, or not let in */
    CTL_NOT_FOUND = 8,   /* no such domain, host, operation; or a name of several */
    CTL_INTERRUPTED = 130,
};

/* Options of all commands; a command takes those of its groups only. */
struct ctl_options {
    char *client_config;
    char *profile;
    char *agent;
    char *note;
    char *name; /* of a discovery */
    char *probes;
    char *start_on;
    char *credential;
    char *address;
    char *config_dirs;
    char *save_dir;
    char *config; /* the daemon's configuration file */
    char *credential_dir;
    char *known_hosts;
    char *tls_pins;
    char **uris; /* of a credential, NULL-terminated; NULL none */
    char *key_file;
    char *user;
    char *yes; /* fingerprint */
    char *snmpd_conf;
    char *descr; /* of a group or a member */
    char *hosts;
    char *policy;
    char *order;
    char *pin;
    char *create;
    char *agentx_socket;
    char *socket_group;
    char *users; /* snmpd's own file, which has them */
    char **monitors;
    char **operators;
    char **traps;
    char **listen;
    char *state_dir;
    int64_t timeout; /* seconds; -1: not given, as in those that follow */
    int64_t interval;
    int64_t rate;
    int64_t min_running;
    int64_t priority;
    int64_t delay;
    int64_t count;
    int64_t last;
    bool json;
    bool all;
    bool no_wait;
    bool follow;
    bool ssh_agent;
    bool password_stdin;
    bool replace;
    bool check;
};

struct ctl {
    struct ctl_options opt;
    const struct ctl_command *command;
    char **args;
    unsigned n_args;
    struct sn_settings settings;
    bool has_settings;
    struct sn_session *session; /* opened by ctl_session() */
    uint32_t discovery;         /* whose finds are shown; 0: all */
    char *group;                /* name of the one that is meant by a label; NULL: none is */
};

/* Which options go with a command: bits of ctl_command.options. */
enum ctl_group {
    CTL_G_ALWAYS = 1u << 0,
    CTL_G_AGENT = 1u << 1, /* speaks to the agent */
    CTL_G_JSON = 1u << 2,
    CTL_G_WAIT = 1u << 3,
    CTL_G_VERB = 1u << 4,
    CTL_G_START = 1u << 5,
    CTL_G_DOMAINS = 1u << 6,
    CTL_G_SOURCE = 1u << 7,
    CTL_G_CREDENTIAL = 1u << 8,
    CTL_G_FILES = 1u << 9, /* knows files of the daemon */
    CTL_G_TRUST = 1u << 10,
    CTL_G_WATCH = 1u << 11,
    CTL_G_DOCTOR = 1u << 12,
    CTL_G_EVENTS = 1u << 13,
    CTL_G_STATE = 1u << 14, /* reads or writes the daemon's databases themselves */
    CTL_G_DISCOVER = 1u << 15,
    CTL_G_FINDS = 1u << 16, /* lists what discoveries found */
    CTL_G_REGISTER = 1u << 17,
    CTL_G_GROUP = 1u << 18,
    CTL_G_MEMBER = 1u << 19,
    CTL_G_SNMPD = 1u << 20, /* makes or judges snmpd's configuration */
    CTL_G_SNMPD_USERS = 1u << 21,
};

struct ctl_command {
    const char *name;
    const char
        *arguments; /* as help shows them; completion.bash completes NAME, HOST, SOURCE, N, ... */
    unsigned min_args, max_args;
    unsigned options;
    int (*run)(struct ctl *ctl);
    const void *data; /* of verbs */
    const char *summary;
};

/* --- commands.c */
extern const struct ctl_command ctl_commands[];
extern const unsigned ctl_n_commands;
/* The command the first words name; *used: how many words. NULL: none. */
const struct ctl_command *ctl_find_command(char **words, unsigned n, unsigned *used);
int ctl_version(struct ctl *ctl);

/* --- options.c */
/* Splits argv into options and words (borrowed; *n_out of them). False: wrong use, error says how. */
bool ctl_parse(int argc, char **argv, struct ctl *ctl, char **words, unsigned *n_out,
               GError **error);
/* The options given must go with the command. */
bool ctl_check_options(const struct ctl *ctl, int argc, char **argv, GError **error);
void ctl_options_clear(struct ctl_options *opt);
/* Lines of help for the options of these groups. */
char *ctl_options_help(unsigned groups);
/* An option as help, completion and manual see it. */
struct ctl_option {
    const char *name;
    const char *argument; /* NULL: none */
    const char *help;
    unsigned groups;
};
/* The i-th of the table; false behind the last. */
bool ctl_option_at(unsigned i, struct ctl_option *out);

/* --- run.c */
/* Everything between argv and exit status. */
int ctl_main(int argc, char **argv);
/* The session with the agent, opened when first asked for; NULL with error. */
struct sn_session *ctl_session(struct ctl *ctl, GError **error);
/* Says what is wrong on stderr (escaped), in JSON on stdout too if asked for; returns code. */
int ctl_say(const struct ctl *ctl, int code, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* The same for an error, whose kind gives the exit status. */
int ctl_fail(const struct ctl *ctl, const GError *error);
/* Says it on stderr, and that what goes on for ever goes on. */
void ctl_say_on(const GError *error);

/* --- commands, one file each */
int ctl_help(struct ctl *ctl);
int ctl_completion(struct ctl *ctl);
int ctl_names(struct ctl *ctl);
int ctl_hosts(struct ctl *ctl);
int ctl_snapshots(struct ctl *ctl);
int ctl_domains(struct ctl *ctl);
int ctl_show(struct ctl *ctl);
int ctl_verb(struct ctl *ctl);
int ctl_create(struct ctl *ctl);
int ctl_host_verb(struct ctl *ctl);
int ctl_ops(struct ctl *ctl);
int ctl_op(struct ctl *ctl);
int ctl_cancel(struct ctl *ctl);
int ctl_source_add(struct ctl *ctl);
int ctl_source_list(struct ctl *ctl);
int ctl_source_remove(struct ctl *ctl);
int ctl_group_list(struct ctl *ctl);
int ctl_group_show(struct ctl *ctl);
int ctl_group_members(struct ctl *ctl);
int ctl_group_hosts(struct ctl *ctl);
int ctl_group_history(struct ctl *ctl);
int ctl_group_plan(struct ctl *ctl);
int ctl_group_create(struct ctl *ctl);
int ctl_group_delete(struct ctl *ctl);
int ctl_group_add(struct ctl *ctl);
int ctl_group_remove(struct ctl *ctl);
int ctl_group_set(struct ctl *ctl);
int ctl_group_verb(struct ctl *ctl);
int ctl_discover(struct ctl *ctl);
int ctl_finds(struct ctl *ctl);
int ctl_register(struct ctl *ctl);
int ctl_credential_add(struct ctl *ctl);
int ctl_credential_list(struct ctl *ctl);
int ctl_trust(struct ctl *ctl);
int ctl_snmpd_config(struct ctl *ctl);
int ctl_snmpd_user(struct ctl *ctl);
int ctl_watch(struct ctl *ctl);
int ctl_events(struct ctl *ctl);
int ctl_oid(struct ctl *ctl);
int ctl_doctor(struct ctl *ctl);
int ctl_backup(struct ctl *ctl);
int ctl_export(struct ctl *ctl);
int ctl_import(struct ctl *ctl);
