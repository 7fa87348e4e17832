/* Framed messages on stream sockets, for event loops (incremental) and for plain blocking code.
 * Every call says MSG_DONTWAIT, so it does not matter whether the descriptor itself blocks. */
#include "xenclient/transport/frame.h"

#include "xenclient/transport/deadline.h"
#include "xenclient/util/error.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define HEAD   8u                    /* length and kind */
#define CHUNK  (64u << 10)           /* read at once */
#define KEEP   (1u << 20)            /* a larger buffer is given back once it is empty */
#define UNREAD (XC_FRAME_MAX + HEAD) /* with so much waiting there is a whole message to take */

static uint32_t get_u32(const uint8_t *at)
{
    uint32_t le;

    memcpy(&le, at, sizeof(le));
    return GUINT32_FROM_LE(le);
}

static void put_head(uint8_t head[HEAD], uint32_t kind, size_t body)
{
    uint32_t length = GUINT32_TO_LE((uint32_t)(body + sizeof(kind)));

    kind = GUINT32_TO_LE(kind);
    memcpy(head, &length, sizeof(length));
    memcpy(head + sizeof(length), &kind, sizeof(kind));
}

static bool legal_length(uint32_t length)
{
    return length >= sizeof(uint32_t) && length <= XC_FRAME_MAX;
}

void xc_frames_clear(struct xc_frames *frames)
{
    if (frames->in)
        g_byte_array_unref(frames->in);
    *frames = (struct xc_frames){0};
}

/* Moves what is unread to the front, so that the buffer never holds more than one partial message
 * and the last chunk. */
static void compact(struct xc_frames *frames)
{
    if (!frames->in)
        frames->in = g_byte_array_new();
    if (frames->used == 0)
        return;
    if (frames->used == frames->in->len && frames->in->len > KEEP) {
        g_byte_array_unref(frames->in);
        frames->in = g_byte_array_new();
    } else {
        g_byte_array_remove_range(frames->in, 0, (guint)frames->used);
    }
    frames->used = 0;
}

int xc_frames_fill(struct xc_frames *frames, int fd)
{
    uint8_t chunk[CHUNK];
    ssize_t n;

    compact(frames);
    if (frames->in->len >= UNREAD)
        return 1;
    do
        n = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
    if (n == 0)
        return -1;
    g_byte_array_append(frames->in, chunk, (guint)n);
    return 1;
}

int xc_frames_next(struct xc_frames *frames, uint32_t *kind, const uint8_t **body, size_t *length)
{
    size_t unread = frames->in ? frames->in->len - frames->used : 0;
    const uint8_t *at;
    uint32_t size;

    if (unread < sizeof(size))
        return 0;
    at = frames->in->data + frames->used;
    size = get_u32(at);
    if (!legal_length(size))
        return -1;
    if (unread - sizeof(size) < size)
        return 0;
    *kind = get_u32(at + sizeof(size));
    *body = at + HEAD;
    *length = size - sizeof(*kind);
    frames->used += sizeof(size) + size;
    return 1;
}

void xc_frame_append(GByteArray *to, uint32_t kind, const GByteArray *body)
{
    size_t length = body ? body->len : 0;
    uint8_t head[HEAD];

    g_return_if_fail(length + sizeof(kind) <= XC_FRAME_MAX);
    put_head(head, kind, length);
    g_byte_array_append(to, head, HEAD);
    if (length)
        g_byte_array_append(to, body->data, (guint)length);
}

/* --- blocking forms */

static bool wait_for(int fd, short events, struct xc_call *call, const char *what, GError **error)
{
    struct pollfd p = {.fd = fd, .events = events};

    if (call)
        return xc_call_wait(call, fd, events, -1, what, error);
    while (poll(&p, 1, -1) < 0)
        if (errno != EINTR)
            return xc_fail(error, XC_CAUSE_TRANSPORT, "%s: %s", what, g_strerror(errno));
    return true;
}

/* After a call that sent or received nothing: waits, or tells why there is no hope. */
static bool again(int fd, short events, struct xc_call *call, const char *what, GError **error)
{
    if (errno == EINTR)
        return true;
    if (errno != EAGAIN && errno != EWOULDBLOCK)
        return xc_fail(error, XC_CAUSE_TRANSPORT, "%s: %s", what, g_strerror(errno));
    return wait_for(fd, events, call, what, error);
}

bool xc_frame_send(int fd, uint32_t kind, const GByteArray *body, struct xc_call *call,
                   GError **error)
{
    static const char what[] = "sending a message";
    size_t length = body ? body->len : 0;
    size_t sent = 0;
    uint8_t head[HEAD];

    if (length + sizeof(kind) > XC_FRAME_MAX)
        return xc_fail(error, XC_CAUSE_LIMIT, "%s: %zu octets are more than a message may have",
                       what, length);
    put_head(head, kind, length);
    while (sent < HEAD + length) {
        size_t of_head = MIN(sent, HEAD);
        struct iovec parts[2] = {
            {.iov_base = head + of_head, .iov_len = HEAD - of_head},
            {.iov_base = body ? body->data + (sent - of_head) : NULL,
             .iov_len = length - (sent - of_head)},
        };
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = G_N_ELEMENTS(parts)};
        ssize_t n;

        if (call && !xc_call_check(call, what, error))
            return false;
        n = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n >= 0)
            sent += (size_t)n;
        else if (!again(fd, POLLOUT, call, what, error))
            return false;
    }
    return true;
}

static bool receive_all(int fd, uint8_t *to, size_t length, struct xc_call *call, GError **error)
{
    static const char what[] = "receiving a message";
    size_t got = 0;

    while (got < length) {
        ssize_t n;

        if (call && !xc_call_check(call, what, error))
            return false;
        n = recv(fd, to + got, length - got, MSG_DONTWAIT);
        if (n == 0)
            return xc_fail(error, XC_CAUSE_TRANSPORT, "%s: the other end closed the connection",
                           what);
        if (n > 0)
            got += (size_t)n;
        else if (!again(fd, POLLIN, call, what, error))
            return false;
    }
    return true;
}

bool xc_frame_receive(int fd, uint32_t *kind, GByteArray **body, struct xc_call *call,
                      GError **error)
{
    g_autoptr(GByteArray) in = NULL;
    uint8_t head[HEAD];
    uint32_t left;

    if (!receive_all(fd, head, HEAD, call, error))
        return false;
    left = get_u32(head);
    if (!legal_length(left))
        return xc_fail(error, XC_CAUSE_TRANSPORT,
                       "receiving a message: a length of %u octets is not legal (4 to %u)", left,
                       XC_FRAME_MAX);
    left -= (uint32_t)sizeof(*kind);
    /* Memory grows with what really came, not with what was announced. */
    in = g_byte_array_new();
    while (left > 0) {
        guint at = in->len;
        guint step = MIN(left, CHUNK);

        g_byte_array_set_size(in, at + step);
        if (!receive_all(fd, in->data + at, step, call, error))
            return false;
        left -= step;
    }
    *kind = get_u32(head + sizeof(uint32_t));
    *body = g_steal_pointer(&in);
    return true;
}
