/* The command line of xen-farm. */
#pragma once

#include "tools/xen-farm/fleet.h"

struct farm_options {
    uint64_t seed, hosts, domains, running, vcpus, vifs, vbds, memory_mib, host_memory_gib,
        host_cpus, churn, ready_fd;
    double speed;
    char *socket, *names, *host_prefix, *journal;
    bool same_names, help, version;
};

#define FARM_VARIED G_MAXUINT64 /* a number that was not given */

/* badValue names the option and what is allowed. */
bool farm_options_parse(struct farm_options *options, char **args, GError **error);
void farm_options_clear(struct farm_options *options);
/* The text of --help; newly allocated. */
char *farm_options_help(void);
/* Reads the file of names; config->names is to be unref'ed, its prefix is borrowed. */
bool farm_options_config(const struct farm_options *options, struct farm_config *config,
                         GError **error);

/* ctl.c: `xen-farm ctl SOCKET COMMAND...`; args behind "ctl". The exit status. */
int farm_ctl(char **args);
