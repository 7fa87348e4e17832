/* The SSH agent's protocol, the three messages a client needs. libssh2 has a client too, but it
 * blocks for as long as the agent likes. */
#include "xenclient/transport/ssh_internal.h"

#include "xenclient/util/text.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MESSAGE_MAX    (256u << 10)
#define MAX_IDENTITIES 64

enum {
    REQUEST_IDENTITIES = 11,
    IDENTITIES_ANSWER = 12,
    SIGN_REQUEST = 13,
    SIGN_RESPONSE = 14,
};

/* --- big-endian strings */

static void put_u32(GByteArray *to, guint32 value)
{
    guint32 be = GUINT32_TO_BE(value);

    g_byte_array_append(to, (const guint8 *)&be, 4);
}

static void put_string(GByteArray *to, const void *data, size_t length)
{
    put_u32(to, (guint32)length);
    g_byte_array_append(to, data, (guint)length);
}

struct cursor {
    const guint8 *at;
    const guint8 *end;
};

static bool get_u32(struct cursor *from, guint32 *out)
{
    guint32 be;

    if (from->end - from->at < 4)
        return false;
    memcpy(&be, from->at, 4);
    from->at += 4;
    *out = GUINT32_FROM_BE(be);
    return true;
}

static bool get_string(struct cursor *from, const guint8 **data, size_t *length)
{
    guint32 n;

    if (!get_u32(from, &n) || n > (size_t)(from->end - from->at))
        return false;
    *data = from->at;
    *length = n;
    from->at += n;
    return true;
}

/* --- messages */

int xc_ssh_agent_connect(struct xc_call *call, GError **error)
{
    const char *path = g_getenv("SSH_AUTH_SOCK");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd;

    if (!path || !*path || strlen(path) >= sizeof to.sun_path) {
        xc_fail(error, XC_CAUSE_AUTH_FAILED,
                "no SSH agent: SSH_AUTH_SOCK is not set; start one for this program or give the "
                "credential a key file");
        return -1;
    }
    if (!xc_call_check(call, "asking the SSH agent", error))
        return -1;
    memcpy(to.sun_path, path, strlen(path));
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    xc_fail(error, XC_CAUSE_AUTH_FAILED, "SSH agent %s: %s", path, g_strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool send_all(int fd, const guint8 *data, size_t length, struct xc_call *call,
                     GError **error)
{
    while (length > 0) {
        ssize_t n = send(fd, data, length, MSG_NOSIGNAL);

        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return xc_fail(error, XC_CAUSE_AUTH_FAILED, "SSH agent: %s", g_strerror(errno));
        if (n > 0) {
            data += n;
            length -= (size_t)n;
        } else if (!xc_call_wait(call, fd, POLLOUT, -1, "asking the SSH agent", error)) {
            return false;
        }
    }
    return true;
}

static bool receive_all(int fd, guint8 *data, size_t length, struct xc_call *call, GError **error)
{
    while (length > 0) {
        ssize_t n = recv(fd, data, length, 0);

        if (n == 0)
            return xc_fail(error, XC_CAUSE_AUTH_FAILED, "SSH agent: it hung up");
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return xc_fail(error, XC_CAUSE_AUTH_FAILED, "SSH agent: %s", g_strerror(errno));
        if (n > 0) {
            data += n;
            length -= (size_t)n;
        } else if (!xc_call_wait(call, fd, POLLIN, -1, "asking the SSH agent", error)) {
            return false;
        }
    }
    return true;
}

/* One request, one answer (its type is the first byte). */
static GByteArray *ask(int fd, const GByteArray *request, struct xc_call *call, GError **error)
{
    g_autoptr(GByteArray) framed = g_byte_array_new();
    g_autoptr(GByteArray) answer = g_byte_array_new();
    guint32 be, length;

    put_string(framed, request->data, request->len);
    if (!send_all(fd, framed->data, framed->len, call, error) ||
        !receive_all(fd, (guint8 *)&be, 4, call, error))
        return NULL;
    length = GUINT32_FROM_BE(be);
    if (length == 0 || length > MESSAGE_MAX) {
        xc_fail(error, XC_CAUSE_AUTH_FAILED, "SSH agent: an answer of %u octets", length);
        return NULL;
    }
    g_byte_array_set_size(answer, length);
    if (!receive_all(fd, answer->data, length, call, error))
        return NULL;
    return g_steal_pointer(&answer);
}

void xc_ssh_identity_free(struct xc_ssh_identity *identity)
{
    g_free(identity->blob);
    g_free(identity->comment);
    g_free(identity);
}

static bool add_identity(GPtrArray *to, struct cursor *from)
{
    struct xc_ssh_identity *identity;
    const guint8 *blob, *comment;
    size_t length, comment_length;

    if (!get_string(from, &blob, &length) || !get_string(from, &comment, &comment_length))
        return false;
    identity = g_new0(struct xc_ssh_identity, 1);
    identity->blob = g_memdup2(blob, length);
    identity->length = length;
    identity->comment = xc_text_clean((const char *)comment, comment_length, 80);
    g_ptr_array_add(to, identity);
    return true;
}

GPtrArray *xc_ssh_agent_list(int fd, struct xc_call *call, GError **error)
{
    static const guint8 request[] = {REQUEST_IDENTITIES};
    g_autoptr(GByteArray) asked = g_byte_array_append(g_byte_array_new(), request, 1);
    g_autoptr(GByteArray) answer = ask(fd, asked, call, error);
    g_autoptr(GPtrArray) found =
        g_ptr_array_new_with_free_func((GDestroyNotify)xc_ssh_identity_free);
    struct cursor from;
    guint32 count = 0;

    if (!answer)
        return NULL;
    from = (struct cursor){answer->data + 1, answer->data + answer->len};
    if (answer->data[0] != IDENTITIES_ANSWER || !get_u32(&from, &count)) {
        xc_fail(error, XC_CAUSE_AUTH_FAILED, "SSH agent: it does not list its keys");
        return NULL;
    }
    for (guint32 i = 0; i < MIN(count, MAX_IDENTITIES); i++)
        if (!add_identity(found, &from))
            break;
    return g_steal_pointer(&found);
}

/* The answer holds a string with two strings inside: the algorithm and the signature proper. */
GBytes *xc_ssh_agent_sign(int fd, const struct xc_ssh_identity *identity, const void *data,
                          size_t length, struct xc_call *call, GError **error)
{
    static const guint8 type[] = {SIGN_REQUEST};
    g_autoptr(GByteArray) asked = g_byte_array_append(g_byte_array_new(), type, 1);
    g_autoptr(GByteArray) answer = NULL;
    struct cursor from, inner;
    const guint8 *whole, *name, *signature;
    size_t whole_length, name_length, signature_length;

    put_string(asked, identity->blob, identity->length);
    put_string(asked, data, length);
    put_u32(asked, 0);
    answer = ask(fd, asked, call, error);
    if (!answer)
        return NULL;
    from = (struct cursor){answer->data + 1, answer->data + answer->len};
    if (answer->data[0] == SIGN_RESPONSE && get_string(&from, &whole, &whole_length)) {
        inner = (struct cursor){whole, whole + whole_length};
        if (get_string(&inner, &name, &name_length) &&
            get_string(&inner, &signature, &signature_length))
            return g_bytes_new(signature, signature_length);
    }
    xc_fail(error, XC_CAUSE_AUTH_FAILED, "SSH agent: it refused to sign with %s",
            identity->comment);
    return NULL;
}
