/* Logging in by public key: from a file whose rights are checked, or through the agent. */
#include "xenclient/transport/known_hosts.h"
#include "xenclient/transport/ssh_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_MAX 65536

/* A private key in memory; wiped when done. */
struct key {
    char *text;
    size_t length;
    bool rsa;
    bool encrypted;
};

static void key_clear(struct key *key)
{
    if (key->text)
        explicit_bzero(key->text, key->length);
    g_clear_pointer(&key->text, g_free);
}

/* OpenSSH's own form has its cipher and the public key in the clear at its beginning. */
static void look_inside(struct key *key)
{
    static const char begin[] = "-----BEGIN OPENSSH PRIVATE KEY-----";
    const char *body = strstr(key->text, begin);
    g_autofree char *base64 = NULL;
    g_autofree guchar *bytes = NULL;
    gsize n = 0;

    key->rsa = strstr(key->text, "BEGIN RSA PRIVATE KEY") != NULL;
    key->encrypted = strstr(key->text, "ENCRYPTED") != NULL;
    if (!body)
        return;
    base64 = g_strndup(body + strlen(begin), 400);
    base64[strcspn(base64, "-")] = '\0';
    bytes = g_base64_decode(base64, &n);
    key->rsa = memmem(bytes, n, "ssh-rsa", 7) != NULL;
    /* "openssh-key-v1\0", then the length and name of the cipher */
    key->encrypted = n > 23 && memcmp(bytes + 19, "none", 4) != 0;
    explicit_bzero(base64, strlen(base64));
    explicit_bzero(bytes, n);
}

static bool read_whole(int fd, struct key *key)
{
    while (key->length < KEY_MAX) {
        ssize_t n = read(fd, key->text + key->length, KEY_MAX - key->length);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0;
        key->length += (size_t)n;
    }
    return true;
}

/* Opened once, checked and read by the same descriptor: nobody can swap it in between. */
static bool key_load(const char *path, struct key *out, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat st;
    bool ok;

    if (fd < 0)
        return xc_fail(error, XC_CAUSE_AUTH_FAILED, "key file %s: %s", path, g_strerror(errno));
    out->text = g_malloc0(KEY_MAX + 1);
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        ok = xc_fail(error, XC_CAUSE_AUTH_FAILED, "key file %s is not a regular file", path);
    else if (st.st_uid != geteuid() && st.st_uid != 0)
        ok = xc_fail(error, XC_CAUSE_AUTH_FAILED,
                     "key file %s belongs to user %u: it must be ours or root's", path,
                     (unsigned)st.st_uid);
    else if (st.st_mode & 077)
        ok = xc_fail(error, XC_CAUSE_AUTH_FAILED,
                     "key file %s has mode %04o: others could read it; `chmod 600 %s`", path,
                     (unsigned)(st.st_mode & 07777), path);
    else if (st.st_size > KEY_MAX || !read_whole(fd, out) || !strstr(out->text, "PRIVATE KEY-----"))
        ok =
            xc_fail(error, XC_CAUSE_AUTH_FAILED,
                    "key file %s does not hold a private key; give the path of an ed25519 or ECDSA "
                    "one, not of its .pub",
                    path);
    else
        ok = true;
    close(fd);
    if (ok)
        look_inside(out);
    return ok;
}

/* The words for a refused or unusable key. */
static bool key_refused(struct xc_ssh *ssh, const struct xc_ssh_target *target,
                        const struct key *key, int rc, GError **error)
{
    if (key->encrypted)
        return xc_fail(error, XC_CAUSE_AUTH_FAILED,
                       "key file %s has a pass phrase: use the SSH agent or a key without one",
                       target->key_file);
    if (key->rsa && rc != LIBSSH2_ERROR_FILE)
        return xc_fail(
            error, XC_CAUSE_AUTH_FAILED,
            "%s@%s refused the RSA key %s: this libssh2 signs RSA with SHA-1 only, which "
            "OpenSSH 8.8 and later refuse; use an ed25519 key (`ssh-keygen -t ed25519`)",
            target->user, ssh->host, target->key_file);
    if (rc == LIBSSH2_ERROR_FILE)
        return xc_fail(
            error, XC_CAUSE_AUTH_FAILED,
            "key file %s is not a private key this program can read; use ed25519 or ECDSA",
            target->key_file);
    return xc_fail(error, XC_CAUSE_AUTH_FAILED,
                   "%s@%s refused the key %s; add its public half to authorized_keys there",
                   target->user, ssh->host, target->key_file);
}

/* Did the connection end, rather than the host say no? libssh2 has one code for a refused signature and for an end
 * of the connection while it waits for the answer; what the socket says decides. */
static bool lost(const struct xc_ssh *ssh, int rc)
{
    char byte;
    ssize_t n;

    if (rc == LIBSSH2_ERROR_SOCKET_DISCONNECT || rc == LIBSSH2_ERROR_SOCKET_RECV ||
        rc == LIBSSH2_ERROR_SOCKET_SEND)
        return true;
    if (rc != LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED)
        return false;
    n = recv(ssh->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

static bool by_key_file(struct xc_ssh *ssh, const struct xc_ssh_target *target,
                        struct xc_call *call, GError **error)
{
    struct key key = {0};
    bool ok = key_load(target->key_file, &key, error);
    int rc = 0;

    while (ok && (rc = libssh2_userauth_publickey_frommemory(
                      ssh->session, target->user, strlen(target->user), NULL, 0, key.text,
                      key.length, NULL)) == LIBSSH2_ERROR_EAGAIN)
        ok = xc_ssh_wait(ssh, call, "logging in", error);
    if (ok && lost(ssh, rc))
        ok = xc_ssh_fail(ssh, XC_CAUSE_TRANSPORT, "logging in", error);
    else if (ok && rc < 0)
        ok = key_refused(ssh, target, &key, rc, error);
    key_clear(&key);
    return ok;
}

/* What libssh2 hands back to the callback that signs. */
struct agent {
    int fd;
    const struct xc_ssh_identity *identity;
    struct xc_call *call;
    GError *error;
};

static int sign(LIBSSH2_SESSION *session, unsigned char **sig, size_t *sig_len,
                const unsigned char *data, size_t data_len, void **abstract)
{
    struct agent *agent = *abstract;
    g_autoptr(GBytes) signature = NULL;
    const void *bytes;

    (void)session;
    g_clear_error(&agent->error);
    signature =
        xc_ssh_agent_sign(agent->fd, agent->identity, data, data_len, agent->call, &agent->error);
    if (!signature)
        return -1;
    bytes = g_bytes_get_data(signature, sig_len);
    *sig = malloc(*sig_len + 1); /* libssh2 frees it with its own allocator, which is malloc's */
    if (!*sig)
        return -1;
    memcpy(*sig, bytes, *sig_len);
    return 0;
}

/* 1: in, 0: this identity is refused, -1: the session or the call ended. */
static int try_identity(struct xc_ssh *ssh, const struct xc_ssh_target *target, struct agent *agent,
                        GError **error)
{
    void *abstract = agent;
    int rc;

    while ((rc = libssh2_userauth_publickey(ssh->session, target->user, agent->identity->blob,
                                            agent->identity->length, sign, &abstract)) ==
           LIBSSH2_ERROR_EAGAIN)
        if (!xc_ssh_wait(ssh, agent->call, "logging in", error))
            return -1;
    if (rc == 0)
        return 1;
    if (lost(ssh, rc)) {
        xc_ssh_fail(ssh, XC_CAUSE_TRANSPORT,
                    "logging in (the host may allow fewer attempts than "
                    "the agent has keys)",
                    error);
        return -1;
    }
    return 0;
}

static bool by_agent(struct xc_ssh *ssh, const struct xc_ssh_target *target, struct xc_call *call,
                     GError **error)
{
    struct agent agent = {.fd = xc_ssh_agent_connect(call, error), .call = call};
    g_autoptr(GPtrArray) keys = NULL;
    int in = 0;

    if (agent.fd < 0)
        return false;
    keys = xc_ssh_agent_list(agent.fd, call, error);
    for (guint i = 0; keys && i < keys->len && in == 0; i++) {
        agent.identity = keys->pdata[i];
        in = try_identity(ssh, target, &agent, error);
    }
    close(agent.fd);
    if (keys && in == 0)
        xc_fail(error, XC_CAUSE_AUTH_FAILED, "%s@%s refused all %u keys of the SSH agent%s%s",
                target->user, ssh->host, keys->len, agent.error ? "; " : "",
                agent.error ? agent.error->message : "");
    g_clear_error(&agent.error);
    return in > 0;
}

bool xc_ssh_authenticate(struct xc_ssh *ssh, const struct xc_ssh_target *target,
                         struct xc_call *call, GError **error)
{
    const char *methods;

    while (!(methods = libssh2_userauth_list(ssh->session, target->user,
                                             (unsigned)strlen(target->user)))) {
        if (libssh2_userauth_authenticated(ssh->session))
            return true; /* the host asks nothing of this user */
        if (libssh2_session_last_errno(ssh->session) != LIBSSH2_ERROR_EAGAIN)
            return xc_ssh_fail(ssh, XC_CAUSE_TRANSPORT, "asking how to log in", error);
        if (!xc_ssh_wait(ssh, call, "asking how to log in", error))
            return false;
    }
    if (!strstr(methods, "publickey"))
        return xc_fail(
            error, XC_CAUSE_AUTH_FAILED,
            "%s@%s takes no public keys; set PubkeyAuthentication yes in its sshd_config",
            target->user, ssh->host);
    if (target->key_file && *target->key_file)
        return by_key_file(ssh, target, call, error);
    return by_agent(ssh, target, call, error);
}
