/* Where xensnmpd on this machine keeps its files: from its configuration, or what the options say. */
#pragma once

#include "tools/xenctl/xenctl.h"

#include <sys/types.h>

struct ctl_files {
    char *credential_dir;
    char *known_hosts;
    char *tls_pins;
    char *state_dir;
    char *agentx_socket; /* "" not configured */
    char *user;          /* "" none */
};

#define CTL_DAEMON_CONFIG "/etc/xensnmp/xensnmpd.conf"

/* --config FILE, else CTL_DAEMON_CONFIG if it exists, else the defaults; then the options for single files. */
bool ctl_files_load(const struct ctl *ctl, struct ctl_files *out, GError **error);
void ctl_files_clear(struct ctl_files *files);

/* An account of this machine; name "": the one xenctl runs as. */
struct ctl_account {
    char name[64];
    uid_t uid;
    gid_t gid;
};
bool ctl_account_find(const char *name, struct ctl_account *out);
/* As root: gives what was written to the account the daemon runs as, which must be able to open it. */
bool ctl_files_give(const struct ctl_files *files, const char *path, GError **error);
