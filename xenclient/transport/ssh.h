/* SSH sessions over libssh2: the host's key checked before anything is told to it, many commands on
 * one session, one long-lived stream beside them. Never blocks outside its call.
 *
 * One session, with all that hangs on it, belongs to one thread at a time. After a call has failed
 * in the middle of something (timedOut, cancelled, limit, transport) the session is of no use any
 * more: xc_ssh_usable() is false, close it. */
#pragma once

#include "xenclient/transport/deadline.h"
#include "xenclient/transport/exec.h"

#include <stddef.h>

/* Whom to reach and who we are there. Borrowed for the time of xc_ssh_open(). */
struct xc_ssh_target {
    const char *host;
    unsigned port;           /* 0: 22 */
    const char *user;        /* never empty */
    const char *known_hosts; /* file */
    const char *key_file;    /* private key, or NULL/"": use the agent (SSH_AUTH_SOCK) */
    const char *trust_hint;  /* what mends an unknown key, for its text: "xenctl trust SOURCE" */
};

struct xc_ssh;

/* Connects, checks the host's key, logs in. Errors: hostDown, transport, hostKey, authFailed,
 * timedOut, cancelled, noSuchHost, limit. */
struct xc_ssh *xc_ssh_open(const struct xc_ssh_target *target, struct xc_call *call,
                           GError **error);
/* Takes NULL; returns NULL. Does not wait for the host. */
void *xc_ssh_close(struct xc_ssh *ssh);
typedef struct xc_ssh xc_ssh;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xc_ssh, xc_ssh_close)

bool xc_ssh_usable(const struct xc_ssh *ssh);

/* Runs a command line with the user's login shell there; input (NULL: none) becomes its stdin.
 * *out must be initialised by xc_exec_init(); it is filled as far as the answer came also on
 * failure. True: the command ended, look at out->status. */
bool xc_ssh_exec(struct xc_ssh *ssh, const char *command, const void *input, size_t length,
                 struct xc_call *call, struct xc_exec *out, GError **error);

/* --- one stream: a command that goes on while others run on the same session */

bool xc_ssh_stream_open(struct xc_ssh *ssh, const char *command, struct xc_call *call,
                        GError **error);
/* False: none was opened, or its command has ended. */
bool xc_ssh_stream_running(const struct xc_ssh *ssh);
/* A descriptor that is readable whenever xc_ssh_stream_read() may have something, also when the
 * bytes were received in the middle of an exec. Good until close. */
int xc_ssh_stream_fd(const struct xc_ssh *ssh);
/* Appends what has come (stdout only; stderr is dropped). Never waits. At most 1 MiB is kept
 * between two calls, the rest is dropped. False: the session is lost. */
bool xc_ssh_stream_read(struct xc_ssh *ssh, GString *to, GError **error);

/* --- for `xenctl trust` */

/* What the host presents, without logging in: its best key. Strings are newly allocated. */
bool xc_ssh_fetch_host_key(const char *host, unsigned port, struct xc_call *call, char **type_out,
                           char **fingerprint_out, char **known_hosts_line_out, GError **error);
