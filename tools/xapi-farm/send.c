/* Answers of HTTP: whole, cut, endless or noise. */
#include "tools/xapi-farm/send.h"

#include <string.h>

#define NOISE 4096

static enum MHD_Result send_response(struct MHD_Connection *connection, unsigned status,
                                     struct MHD_Response *response, const char *type)
{
    enum MHD_Result result;

    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache, no-store");
    if (status == MHD_HTTP_UNAUTHORIZED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Basic realm=\"xapi\"");
    /* After an error of HTTP, XAPI hangs up. */
    if (status != MHD_HTTP_OK)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result send_text(struct MHD_Connection *connection, unsigned status,
                                 const char *type, const char *text, size_t length)
{
    return send_response(
        connection, status,
        MHD_create_response_from_buffer(length, (void *)text, MHD_RESPMEM_MUST_COPY), type);
}

enum MHD_Result xf_send_error(struct MHD_Connection *connection, unsigned status)
{
    g_autofree char *text =
        g_strdup_printf("<html><body><h1>HTTP %u</h1>An unexpected error.</body></html>", status);

    return send_text(connection, status, "text/html", text, strlen(text));
}

/* Half of a text, then the end of the connection. */
struct half {
    char *text;
    size_t length;
};

static ssize_t read_half(void *data, uint64_t at, char *to, size_t max)
{
    const struct half *half = data;
    size_t left = half->length / 2 > at ? half->length / 2 - (size_t)at : 0;

    if (left == 0)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    left = MIN(left, max);
    memcpy(to, half->text + at, left);
    return (ssize_t)left;
}

static void free_half(void *data)
{
    struct half *half = data;

    g_free(half->text);
    g_free(half);
}

static enum MHD_Result send_half(struct MHD_Connection *connection, const char *type,
                                 const char *text, size_t length)
{
    struct half *half = g_new0(struct half, 1);

    *half = (struct half){g_memdup2(text, length), length};
    return send_response(
        connection, MHD_HTTP_OK,
        MHD_create_response_from_callback(length, NOISE, read_half, half, free_half), type);
}

/* An array that goes on and on. */
static ssize_t read_endless(void *data, uint64_t at, char *to, size_t max)
{
    static const char head[] =
        "<?xml version=\"1.0\"?><methodResponse><params><param><value><array>"
        "<data>";
    static const char item[] = "<value>more</value>";

    (void)data;
    for (size_t i = 0; i < max; i++, at++)
        to[i] = at < strlen(head) ? head[at] : item[(at - strlen(head)) % strlen(item)];
    return (ssize_t)max;
}

static enum MHD_Result send_endless(struct MHD_Connection *connection, const char *type)
{
    return send_response(
        connection, MHD_HTTP_OK,
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, NOISE, read_endless, NULL, NULL), type);
}

static enum MHD_Result send_noise(struct MHD_Connection *connection, const char *type)
{
    char noise[NOISE];

    for (size_t i = 0; i < sizeof(noise); i++)
        noise[i] = (char)g_random_int_range(1, 256);
    return send_text(connection, MHD_HTTP_OK, type, noise, sizeof(noise));
}

enum MHD_Result xf_send_answer(struct MHD_Connection *connection, enum xf_mode mode,
                               const char *type, const char *text, size_t length)
{
    switch (mode) {
    case XF_GARBAGE:
        return send_noise(connection, type);
    case XF_TRUNCATE:
        return send_half(connection, type, text, length);
    case XF_ENDLESS:
        return send_endless(connection, type);
    default:
        return send_text(connection, MHD_HTTP_OK, type, text, length);
    }
}
