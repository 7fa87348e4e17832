/* SSH sessions: connect, host key, life and end. Commands are in ssh_exec.c, log-in in ssh_auth.c.
 */
#include "xenclient/transport/dial.h"
#include "xenclient/transport/known_hosts.h"
#include "xenclient/transport/ssh_internal.h"

#include "xenclient/util/text.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SSH_PORT 22

/* Best first. What known_hosts holds for a host goes before the rest: a host that shows a key of
 * another type than the known one would only look unknown. */
static const char *const host_key_types[] = {
    "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa",
    "ssh-dss",
};

static gpointer init_once(gpointer unused)
{
    (void)unused;
    return GINT_TO_POINTER(libssh2_init(0) == 0);
}

/* libssh2_init() is not thread-safe, and workers have a thread per source. */
static bool library_ready(GError **error)
{
    static GOnce once = G_ONCE_INIT;

    if (g_once(&once, init_once, NULL))
        return true;
    return xc_fail(error, XC_CAUSE_INTERNAL, "libssh2 did not initialise");
}

bool xc_ssh_usable(const struct xc_ssh *ssh)
{
    return ssh && !ssh->broken;
}

bool xc_ssh_fail(struct xc_ssh *ssh, enum xc_cause cause, const char *what, GError **error)
{
    char *text = NULL;
    int code = libssh2_session_last_error(ssh->session, &text, NULL, 0);
    g_autofree char *words =
        text && *text ? xc_text_escape(text, 200) : g_strdup_printf("libssh2 error %d", code);

    ssh->broken = true;
    return xc_fail(error, cause, "%s port %u: %s: %s", ssh->host, ssh->port, what, words);
}

bool xc_ssh_wait(struct xc_ssh *ssh, struct xc_call *call, const char *what, GError **error)
{
    g_autoptr(GError) local = NULL;
    int directions = libssh2_session_block_directions(ssh->session);
    short events = 0;

    if (directions & LIBSSH2_SESSION_BLOCK_OUTBOUND)
        events |= POLLOUT;
    if (directions & LIBSSH2_SESSION_BLOCK_INBOUND || !events)
        events |= POLLIN;
    if (xc_call_wait(call, ssh->fd, events, -1, what, &local))
        return true;
    ssh->broken = true;
    return xc_fail(error, (enum xc_cause)local->code, "%s port %u: %s", ssh->host, ssh->port,
                   local->message);
}

static struct xc_ssh *ssh_new(const char *host, unsigned port)
{
    struct xc_ssh *ssh = g_new0(struct xc_ssh, 1);

    ssh->host = g_strdup(host);
    ssh->port = port ? port : SSH_PORT;
    ssh->fd = ssh->event_epoll = ssh->event_data = -1;
    return ssh;
}

void *xc_ssh_close(struct xc_ssh *ssh)
{
    if (!ssh)
        return NULL;
    if (ssh->session) {
        /* A polite word if it can be sent at once; then the socket is cut, for libssh2 frees
         * nothing while it still hopes for the peer's answer. */
        libssh2_session_disconnect(ssh->session, "done");
        shutdown(ssh->fd, SHUT_RDWR);
        xc_ssh_stream_deinit(ssh);
        for (int tries = 0; tries < 1000; tries++)
            if (libssh2_session_free(ssh->session) != LIBSSH2_ERROR_EAGAIN)
                break;
    }
    xc_ssh_stream_deinit(ssh);
    if (ssh->fd >= 0)
        close(ssh->fd);
    g_free(ssh->host);
    g_free(ssh);
    return NULL;
}

/* The order in which we like the host's keys, given the types that known_hosts has for it. */
static char *preference(char *const *known)
{
    GString *order = g_string_new(NULL);

    for (char *const *k = known; k && *k; k++)
        for (unsigned i = 0; i < G_N_ELEMENTS(host_key_types); i++)
            if (strcmp(*k, host_key_types[i]) == 0)
                g_string_append_printf(order, "%s%s", order->len ? "," : "", *k);
    for (unsigned i = 0; i < G_N_ELEMENTS(host_key_types); i++)
        if (!known || !g_strv_contains((const char *const *)known, host_key_types[i]))
            g_string_append_printf(order, "%s%s", order->len ? "," : "", host_key_types[i]);
    return g_string_free(order, FALSE);
}

static bool handshake(struct xc_ssh *ssh, struct xc_call *call, GError **error)
{
    int rc;

    while ((rc = libssh2_session_handshake(ssh->session, ssh->fd)) == LIBSSH2_ERROR_EAGAIN)
        if (!xc_ssh_wait(ssh, call, "SSH key exchange", error))
            return false;
    if (rc == 0)
        return true;
    /* The libssh2 of Debian 12 knows the RSA host key only with SHA-1. */
    if (rc == LIBSSH2_ERROR_KEX_FAILURE || rc == LIBSSH2_ERROR_METHOD_NONE)
        return xc_ssh_fail(
            ssh, XC_CAUSE_TRANSPORT,
            "no common SSH algorithms (a host with only an RSA key needs an ed25519 one "
            "too: `ssh-keygen -A` there, then restart its sshd)",
            error);
    return xc_ssh_fail(ssh, XC_CAUSE_TRANSPORT, "SSH key exchange", error);
}

/* TCP connection and key exchange: afterwards the host's key is known, and nothing else was told.
 */
static bool ssh_connect(struct xc_ssh *ssh, char *const *known_types, struct xc_call *call,
                        GError **error)
{
    g_autofree char *order = preference(known_types);

    if (!library_ready(error))
        return false;
    ssh->fd = xc_dial(ssh->host, ssh->port, call, error);
    if (ssh->fd < 0)
        return false;
    ssh->session = libssh2_session_init();
    if (!ssh->session)
        return xc_fail(error, XC_CAUSE_INTERNAL, "libssh2 has no memory for a session");
    libssh2_session_set_blocking(ssh->session, 0);
    if (libssh2_session_method_pref(ssh->session, LIBSSH2_METHOD_HOSTKEY, order) < 0)
        return xc_ssh_fail(ssh, XC_CAUSE_INTERNAL, "host key types", error);
    return handshake(ssh, call, error);
}

static bool refuse_key(const struct xc_ssh *ssh, const struct xc_ssh_target *target,
                       enum xc_known verdict, unsigned line, const char *type,
                       const char *fingerprint, GError **error)
{
    const char *hint = target->trust_hint ? target->trust_hint : "xenctl trust SOURCE";

    switch (verdict) {
    case XC_KNOWN_CHANGED:
        return xc_fail(error, XC_CAUSE_HOST_KEY,
                       "%s port %u: the host key has CHANGED: it is now %s %s, line %u of %s has "
                       "another; if the host was reinstalled compare the fingerprint, then `%s`",
                       ssh->host, ssh->port, type, fingerprint, line, target->known_hosts, hint);
    case XC_KNOWN_REVOKED:
        return xc_fail(error, XC_CAUSE_HOST_KEY,
                       "%s port %u: the host key %s %s is revoked by line %u of %s; the host needs "
                       "a new key",
                       ssh->host, ssh->port, type, fingerprint, line, target->known_hosts);
    default:
        return xc_fail(error, XC_CAUSE_HOST_KEY,
                       "%s port %u: the host key %s %s is unknown (not in %s); compare the "
                       "fingerprint, then `%s`",
                       ssh->host, ssh->port, type, fingerprint, target->known_hosts, hint);
    }
}

/* libssh2 checks nothing by itself: this stands between the key exchange and any log-in. */
static bool check_key(struct xc_ssh *ssh, const struct xc_ssh_target *target, const char *known,
                      GError **error)
{
    size_t length = 0;
    int kind = 0;
    const char *key = libssh2_session_hostkey(ssh->session, &length, &kind);
    g_autofree char *type = NULL, *fingerprint = NULL;
    enum xc_known verdict;
    unsigned line;

    if (!key || !length)
        return xc_ssh_fail(ssh, XC_CAUSE_TRANSPORT, "no host key", error);
    verdict = xc_known_hosts_match(known, ssh->host, ssh->port, key, length, &line);
    if (verdict == XC_KNOWN_TRUSTED)
        return true;
    type = xc_known_hosts_key_type(key, length);
    fingerprint = xc_known_hosts_fingerprint(key, length);
    return refuse_key(ssh, target, verdict, line, type ? type : "?", fingerprint, error);
}

struct xc_ssh *xc_ssh_open(const struct xc_ssh_target *target, struct xc_call *call, GError **error)
{
    g_autoptr(xc_ssh) ssh = ssh_new(target->host, target->port);
    g_autofree char *known = xc_known_hosts_load(target->known_hosts, error);
    g_auto(GStrv) types = NULL;

    if (!known)
        return NULL;
    types = xc_known_hosts_types(known, ssh->host, ssh->port);
    if (!ssh_connect(ssh, types, call, error) || !check_key(ssh, target, known, error) ||
        !xc_ssh_authenticate(ssh, target, call, error))
        return NULL;
    return g_steal_pointer(&ssh);
}

bool xc_ssh_fetch_host_key(const char *host, unsigned port, struct xc_call *call, char **type_out,
                           char **fingerprint_out, char **known_hosts_line_out, GError **error)
{
    g_autoptr(xc_ssh) ssh = ssh_new(host, port);
    const char *key;
    size_t length = 0;
    int kind = 0;

    if (!ssh_connect(ssh, NULL, call, error))
        return false;
    key = libssh2_session_hostkey(ssh->session, &length, &kind);
    *type_out = key ? xc_known_hosts_key_type(key, length) : NULL;
    if (!*type_out)
        return xc_ssh_fail(ssh, XC_CAUSE_TRANSPORT, "no host key", error);
    *fingerprint_out = xc_known_hosts_fingerprint(key, length);
    *known_hosts_line_out = xc_known_hosts_line(ssh->host, ssh->port, key, length);
    return true;
}
