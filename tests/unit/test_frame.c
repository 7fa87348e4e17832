/* Framed messages: both forms, partial data, illegal lengths, bounds, time-outs, hang-ups. */
#include "xenclient/transport/frame.h"

#include "xenclient/transport/deadline.h"
#include "xenclient/util/bytes.h"
#include "xenclient/util/error.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct pair {
    int a;
    int b;
};

static void pair_open(struct pair *pair, gconstpointer data)
{
    int fds[2];

    (void)data;
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
    pair->a = fds[0];
    pair->b = fds[1];
}

static void pair_close(struct pair *pair, gconstpointer data)
{
    (void)data;
    if (pair->a >= 0)
        close(pair->a);
    if (pair->b >= 0)
        close(pair->b);
}

static void write_all(int fd, const GByteArray *bytes)
{
    g_assert_cmpint(write(fd, bytes->data, bytes->len), ==, bytes->len);
}

static GByteArray *body_of(const char *text)
{
    GByteArray *body = g_byte_array_new();

    xc_put_raw(body, text, strlen(text));
    return body;
}

/* Two messages and the empty one, given octet by octet, come out whole and in order. */
static void test_octets(struct pair *pair, gconstpointer data)
{
    g_autoptr(GByteArray) hello = body_of("hello");
    g_autoptr(GByteArray) stream = g_byte_array_new();
    struct xc_frames frames = {0};
    uint32_t kind;
    const uint8_t *body;
    size_t length;
    unsigned seen = 0;

    (void)data;
    xc_frame_append(stream, 7, hello);
    xc_frame_append(stream, 8, NULL);
    g_assert_cmpint(xc_frames_fill(&frames, pair->b), ==, 0);
    for (guint i = 0; i < stream->len; i++) {
        g_assert_cmpint(write(pair->a, stream->data + i, 1), ==, 1);
        g_assert_cmpint(xc_frames_fill(&frames, pair->b), ==, 1);
        while (xc_frames_next(&frames, &kind, &body, &length) == 1) {
            if (seen++ == 0) {
                g_assert_cmpuint(kind, ==, 7);
                g_assert_cmpmem(body, length, "hello", 5);
                g_assert_cmpuint(i, ==, 12);
            } else {
                g_assert_cmpuint(kind, ==, 8);
                g_assert_cmpuint(length, ==, 0);
            }
        }
    }
    g_assert_cmpuint(seen, ==, 2);
    close(pair->a);
    pair->a = -1;
    g_assert_cmpint(xc_frames_fill(&frames, pair->b), ==, -1);
    xc_frames_clear(&frames);
}

static void test_illegal_length(struct pair *pair, gconstpointer data)
{
    static const uint32_t lengths[] = {0, 3, XC_FRAME_MAX + 1, G_MAXUINT32};

    (void)data;
    for (unsigned i = 0; i < G_N_ELEMENTS(lengths); i++) {
        g_autoptr(GByteArray) stream = g_byte_array_new();
        struct xc_frames frames = {0};
        g_autoptr(GError) error = NULL;
        GByteArray *body = NULL;
        const uint8_t *at;
        uint32_t kind;
        size_t length;

        xc_put_u32(stream, lengths[i]);
        xc_put_u32(stream, 1);
        write_all(pair->a, stream);
        g_assert_cmpint(xc_frames_fill(&frames, pair->b), ==, 1);
        g_assert_cmpint(xc_frames_next(&frames, &kind, &at, &length), ==, -1);
        xc_frames_clear(&frames);

        write_all(pair->a, stream);
        g_assert_false(xc_frame_receive(pair->b, &kind, &body, NULL, &error));
        g_assert_error(error, XC_ERROR, XC_CAUSE_TRANSPORT);
        g_assert_null(body);
    }
}

static gpointer send_large(gpointer data)
{
    g_autoptr(GByteArray) body = g_byte_array_new();
    g_autoptr(GError) error = NULL;
    const struct pair *pair = data;

    g_byte_array_set_size(body, XC_FRAME_MAX - 4);
    memset(body->data, 0x5a, body->len);
    g_assert_true(xc_frame_send(pair->a, 9, body, NULL, &error));
    g_assert_no_error(error);
    g_assert_true(xc_frame_send(pair->a, 10, NULL, NULL, &error));
    return NULL;
}

/* The largest message passes a socket whose buffer is much smaller, by both receivers. */
static void test_largest(struct pair *pair, gconstpointer data)
{
    GThread *thread = g_thread_new("send", send_large, pair);
    GByteArray *body = NULL;
    g_autoptr(GError) error = NULL;
    uint32_t kind = 0;

    (void)data;
    g_assert_true(xc_frame_receive(pair->b, &kind, &body, NULL, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(kind, ==, 9);
    g_assert_cmpuint(body->len, ==, XC_FRAME_MAX - 4);
    g_assert_cmpuint(body->data[body->len - 1], ==, 0x5a);
    g_byte_array_unref(body);
    g_assert_true(xc_frame_receive(pair->b, &kind, &body, NULL, &error));
    g_assert_cmpuint(kind, ==, 10);
    g_assert_cmpuint(body->len, ==, 0);
    g_byte_array_unref(body);
    g_thread_join(thread);
}

static void test_largest_incremental(struct pair *pair, gconstpointer data)
{
    GThread *thread = g_thread_new("send", send_large, pair);
    struct xc_frames frames = {0};
    uint32_t kind = 0;
    const uint8_t *body;
    size_t length = 0;

    (void)data;
    while (kind != 10) {
        int more = xc_frames_fill(&frames, pair->b);

        g_assert_cmpint(more, >=, 0);
        if (more == 0)
            g_thread_yield();
        while (xc_frames_next(&frames, &kind, &body, &length) == 1)
            g_assert_cmpuint(length, ==, kind == 9 ? XC_FRAME_MAX - 4 : 0);
    }
    g_thread_join(thread);
    xc_frames_clear(&frames);
}

/* Too long a body is refused before anything is sent. */
static void test_too_long(struct pair *pair, gconstpointer data)
{
    g_autoptr(GByteArray) body = g_byte_array_new();
    g_autoptr(GError) error = NULL;
    struct xc_frames frames = {0};

    (void)data;
    g_byte_array_set_size(body, XC_FRAME_MAX - 3);
    g_assert_false(xc_frame_send(pair->a, 1, body, NULL, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_LIMIT);
    g_assert_cmpint(xc_frames_fill(&frames, pair->b), ==, 0);
    xc_frames_clear(&frames);
}

static void test_hang_up(struct pair *pair, gconstpointer data)
{
    g_autoptr(GByteArray) stream = g_byte_array_new();
    g_autoptr(GError) error = NULL;
    GByteArray *body = NULL;
    uint32_t kind;

    (void)data;
    xc_put_u32(stream, 1000);
    xc_put_u32(stream, 1);
    xc_put_raw(stream, "part", 4);
    write_all(pair->a, stream);
    close(pair->a);
    pair->a = -1;
    g_assert_false(xc_frame_receive(pair->b, &kind, &body, NULL, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_TRANSPORT);
    g_assert_nonnull(strstr(error->message, "closed"));
    g_clear_error(&error);
    /* An error, not SIGPIPE. */
    g_assert_false(xc_frame_send(pair->b, 1, stream, NULL, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_TRANSPORT);
}

static void test_budget(struct pair *pair, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    struct xc_call call;
    GByteArray *body = NULL;
    g_autoptr(GByteArray) large = g_byte_array_new();
    uint32_t kind;

    (void)data;
    g_assert_true(xc_call_init(&call, 20000, &error));
    g_assert_false(xc_frame_receive(pair->b, &kind, &body, &call, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_TIMED_OUT);
    g_clear_error(&error);

    /* Nobody reads: sending ends with the budget too. */
    g_byte_array_set_size(large, 8u << 20);
    memset(large->data, 0, large->len);
    xc_call_restart(&call, 20000);
    g_assert_false(xc_frame_send(pair->a, 1, large, &call, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_TIMED_OUT);
    g_clear_error(&error);

    xc_call_restart(&call, 60 * G_USEC_PER_SEC);
    xc_call_cancel(&call);
    g_assert_false(xc_frame_receive(pair->a, &kind, &body, &call, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_CANCELLED);
    xc_call_deinit(&call);
}

/* A receiver that does not take messages does not grow without end. */
static void test_unread_is_bounded(struct pair *pair, gconstpointer data)
{
    g_autoptr(GByteArray) small = g_byte_array_new();
    struct xc_frames frames = {0};

    (void)data;
    g_byte_array_set_size(small, 32u << 10);
    memset(small->data, 0, small->len);
    for (int i = 0; i < 1200; i++) {
        g_assert_true(xc_frame_send(pair->a, 1, small, NULL, NULL));
        g_assert_cmpint(xc_frames_fill(&frames, pair->b), ==, 1);
        if (frames.in->len >= XC_FRAME_MAX)
            break;
    }
    g_assert_cmpuint(frames.in->len, <=, XC_FRAME_MAX + (128u << 10));
    xc_frames_clear(&frames);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, function)                                                                        \
    g_test_add("/frame/" path, struct pair, NULL, pair_open, function, pair_close)
    ADD("octets", test_octets);
    ADD("illegal-length", test_illegal_length);
    ADD("largest", test_largest);
    ADD("largest-incremental", test_largest_incremental);
    ADD("too-long", test_too_long);
    ADD("hang-up", test_hang_up);
    ADD("budget", test_budget);
    ADD("unread-is-bounded", test_unread_is_bounded);
    return g_test_run();
}
