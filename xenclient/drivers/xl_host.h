/* One Xen host as the xl driver sees it: a place to run commands as root, over SSH (ssh://) or
 * right here (xl:///), and a stream that tells when domains come and go. One thread at a time. */
#pragma once

#include "xenclient/drivers/driver.h"
#include "xenclient/transport/exec.h"

/* Where xl and xenstore tools are found; a non-interactive login often lacks /usr/sbin. */
#define XL_SHELL_PREAMBLE "PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C; export PATH LC_ALL\n"

struct xl_host;

/* Connects and logs in; errors as xc_driver_ops.open. */
struct xl_host *xl_host_open(const struct xc_source_spec *spec, const struct xc_driver_env *env,
                             struct xc_call *call, GError **error);
/* Takes NULL; returns NULL; never waits. */
void *xl_host_close(struct xl_host *host);
typedef struct xl_host xl_host;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xl_host, xl_host_close)

/* False once a command failed in a way that leaves the connection useless. */
bool xl_host_usable(const struct xl_host *host);
/* "" or "sudo -n ": what makes a command run as root there. */
const char *xl_host_prefix(const struct xl_host *host);

/* Runs a command line as it is. *out: xc_exec_init() before. */
bool xl_host_exec(struct xl_host *host, const char *command, const void *input, size_t length,
                  struct xc_call *call, struct xc_exec *out, GError **error);
/* Runs a script for /bin/sh as root, behind the preamble. */
bool xl_host_script(struct xl_host *host, const char *script, const void *input, size_t length,
                    struct xc_call *call, struct xc_exec *out, GError **error);

/* Starts the watch, or starts it again when it had worked and ended. A host without xenstore-watch
 * just has no events; false only when the connection is lost. */
bool xl_host_watch(struct xl_host *host, struct xc_call *call, GError **error);
/* Readable when xl_host_events() may have news; -1 before xl_host_watch(). Good until close. */
int xl_host_event_fd(const struct xl_host *host);
/* Never waits. *changed: a domain came or went since the last call. False: the connection is lost.
 */
bool xl_host_events(struct xl_host *host, bool *changed, GError **error);
