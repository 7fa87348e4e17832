/* Shared by the files of the SSH transport and by nobody else. */
#pragma once

#include "xenclient/transport/ssh.h"
#include "xenclient/util/error.h"

#include <libssh2.h>

struct xc_ssh {
    LIBSSH2_SESSION *session;
    int fd;
    char *host; /* for texts */
    unsigned port;
    bool broken;
    LIBSSH2_CHANNEL *stream;
    bool stream_ended;
    GString *stream_data;
    int event_epoll; /* fd and event_data together; -1: no stream was ever opened */
    int event_data;  /* eventfd, readable while stream_data may hold something; -1 */
};

/* Takes what libssh2 has of the stream's bytes; never waits. */
bool xc_ssh_stream_pump(struct xc_ssh *ssh, GError **error);
void xc_ssh_stream_deinit(struct xc_ssh *ssh);

/* Waits until the socket is ready for what libssh2 wants. Use: while ((rc = libssh2_...()) ==
 * LIBSSH2_ERROR_EAGAIN) if (!xc_ssh_wait(...)) return false. A failure marks the session broken. */
bool xc_ssh_wait(struct xc_ssh *ssh, struct xc_call *call, const char *what, GError **error);

/* Fails with libssh2's last words; marks the session broken. */
bool xc_ssh_fail(struct xc_ssh *ssh, enum xc_cause cause, const char *what, GError **error);

/* Logs in with the key file or the agent. */
bool xc_ssh_authenticate(struct xc_ssh *ssh, const struct xc_ssh_target *target,
                         struct xc_call *call, GError **error);

/* One identity of an agent. */
struct xc_ssh_identity {
    guint8 *blob; /* public key */
    size_t length;
    char *comment;
};
void xc_ssh_identity_free(struct xc_ssh_identity *identity);

/* Talks to the agent at SSH_AUTH_SOCK within the call. -1 with authFailed. */
int xc_ssh_agent_connect(struct xc_call *call, GError **error);
/* struct xc_ssh_identity *; at most 64. */
GPtrArray *xc_ssh_agent_list(int fd, struct xc_call *call, GError **error);
/* The signature blob over data; NULL: refused. */
GBytes *xc_ssh_agent_sign(int fd, const struct xc_ssh_identity *identity, const void *data,
                          size_t length, struct xc_call *call, GError **error);
