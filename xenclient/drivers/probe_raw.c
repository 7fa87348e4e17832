/* Probes of what we have no transport for: xend's XML-RPC over plain HTTP, and libvirt's protocol. */
#include "xenclient/drivers/probe.h"

#include "xenclient/transport/dial.h"
#include "xenclient/transport/xmlrpc.h"
#include "xenclient/util/text.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_MAX 65536

/* --- octets over TCP */

static bool send_all(int fd, const void *data, size_t length, struct xc_call *call)
{
    const char *at = data;

    while (length) {
        ssize_t r = send(fd, at, length, MSG_NOSIGNAL);

        if (r < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        if (r > 0) {
            at += r;
            length -= (size_t)r;
        } else if (!xc_call_wait(call, fd, POLLOUT, -1, "asking", NULL)) {
            return false;
        }
    }
    return true;
}

/* More of the answer. False: that was all, or it is too much. */
static bool receive(int fd, GByteArray *to, struct xc_call *call)
{
    guint8 piece[4096];
    ssize_t r;

    if (to->len >= ANSWER_MAX || !xc_call_wait(call, fd, POLLIN, -1, "answer", NULL))
        return false;
    r = read(fd, piece, sizeof(piece));
    if (r > 0)
        g_byte_array_append(to, piece, (guint)r);
    return r > 0;
}

/* --- xend */

/* xend.node.info is an array of arrays of a key and its value. */
struct node_info {
    char key[32];
    bool is_key;
    char *host, *major, *minor, *extra;
};

static bool take_value(const struct xc_xmlrpc_value *value, void *data)
{
    struct node_info *info = data;
    const struct {
        const char *key;
        char **to;
    } wanted[] = {{"host", &info->host},
                  {"xen_major", &info->major},
                  {"xen_minor", &info->minor},
                  {"xen_extra", &info->extra}};

    if (value->depth == 1)
        info->is_key = true;
    if (value->depth != 2)
        return true;
    if (info->is_key) {
        g_strlcpy(info->key, value->text, sizeof(info->key));
    } else {
        for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++)
            if (strcmp(info->key, wanted[i].key) == 0 && !*wanted[i].to)
                *wanted[i].to = g_strndup(value->text, MIN(value->length, XC_TEXT_MAX));
    }
    info->is_key = false;
    return true;
}

static bool read_node_info(const char *body, size_t length, struct node_info *info)
{
    static const struct xc_xmlrpc_sink sink = {NULL, take_value};
    g_autoptr(xc_xmlrpc_reader) reader = xc_xmlrpc_reader_new(&sink, info, ANSWER_MAX);
    bool fault = false;

    return xc_xmlrpc_reader_feed(reader, body, length, NULL) &&
           xc_xmlrpc_reader_end(reader, &fault, NULL) && !fault && info->major;
}

static void tell_xend(const struct xc_probing *probing, const struct node_info *info,
                      struct xc_find *find)
{
    g_autofree char *product =
        g_strdup_printf("xend of Xen %s.%s%s", info->major, info->minor ? info->minor : "?",
                        info->extra ? info->extra : "");

    XC_SET(FIND, find, verdict, XC_VERDICT_XEN);
    XC_SET(FIND, find, product, xc_probe_text(probing, product));
    if (info->host && *info->host)
        XC_SET(FIND, find, name, xc_probe_text(probing, info->host));
}

bool xc_probe_xend(const struct xc_probing *probing, struct xc_find *find, struct xc_call *call)
{
    static const char body[] = "<?xml version='1.0'?><methodCall><methodName>xend.node.info"
                               "</methodName><params></params></methodCall>";
    g_autofree char *request = g_strdup_printf("POST /RPC2 HTTP/1.0\r\nHost: %s\r\nContent-Type: "
                                               "text/xml\r\nContent-Length: %zu\r\n\r\n%s",
                                               probing->address, strlen(body), body);
    g_autoptr(GByteArray) answer = g_byte_array_new();
    struct node_info info = {0};
    int fd = xc_dial(probing->address, probing->port, call, NULL);
    const char *start = NULL;
    bool ok = fd >= 0 && send_all(fd, request, strlen(request), call);

    while (ok && receive(fd, answer, call) &&
           !g_strstr_len((const char *)answer->data, answer->len, "</methodResponse>"))
        ;
    if (fd >= 0)
        close(fd);
    if (ok && answer->len > 12 && memcmp(answer->data, "HTTP/1.", 7) == 0)
        start = g_strstr_len((const char *)answer->data, answer->len, "\r\n\r\n");
    ok = start &&
         read_node_info(start + 4, answer->len - (size_t)(start + 4 - (const char *)answer->data),
                        &info);
    if (ok)
        tell_xend(probing, &info, find);
    g_free(info.host);
    g_free(info.major);
    g_free(info.minor);
    g_free(info.extra);
    return ok;
}

/* --- libvirt: packets of big-endian words (XDR), their length in front */

enum { PROGRAM = 0x20008086, VERSION = 1 };
enum { PROC_OPEN = 1, PROC_AUTH_LIST = 66 };
enum { CALL = 0, REPLY = 1 };
enum { AUTH_NONE = 0 };
/* Words of a packet's head: length, program, version, procedure, type, serial, status. */
enum { HEAD = 7, AT_PROGRAM = 1, AT_PROCEDURE = 3, AT_TYPE = 4, AT_STATUS = 6 };
#define READ_ONLY 1

static void put_word(GByteArray *to, uint32_t word)
{
    uint32_t big = GUINT32_TO_BE(word);

    g_byte_array_append(to, (const guint8 *)&big, sizeof(big));
}

static uint32_t word_at(const GByteArray *from, unsigned at)
{
    uint32_t word = 0;

    if ((at + 1) * sizeof(word) <= from->len)
        memcpy(&word, from->data + at * sizeof(word), sizeof(word));
    return GUINT32_FROM_BE(word);
}

/* Sends a call and has its answer; `arguments` are whole words. False: that is no libvirt. */
static bool ask_libvirt(int fd, uint32_t procedure, const GByteArray *arguments, GByteArray *answer,
                        struct xc_call *call)
{
    g_autoptr(GByteArray) packet = g_byte_array_new();
    const uint32_t head[HEAD] = {
        HEAD * 4 + arguments->len, PROGRAM, VERSION, procedure, CALL, 0, 0};

    for (unsigned i = 0; i < HEAD; i++)
        put_word(packet, head[i]);
    g_byte_array_append(packet, arguments->data, arguments->len);
    g_byte_array_set_size(answer, 0);
    if (!send_all(fd, packet->data, packet->len, call))
        return false;
    while (answer->len < HEAD * 4 || answer->len < word_at(answer, 0)) {
        if (!receive(fd, answer, call) || word_at(answer, 0) > ANSWER_MAX ||
            (answer->len >= 8 && word_at(answer, AT_PROGRAM) != PROGRAM))
            return false;
    }
    return word_at(answer, AT_PROGRAM) == PROGRAM && word_at(answer, AT_PROCEDURE) == procedure &&
           word_at(answer, AT_TYPE) == REPLY;
}

/* Does it let in whom it does not know? */
static bool offers_none(const GByteArray *answer)
{
    uint32_t n = MIN(word_at(answer, HEAD), 20);

    for (uint32_t i = 0; i < n; i++)
        if (word_at(answer, HEAD + 1 + i) == AUTH_NONE)
            return true;
    return false;
}

/* An optional text, and flags. */
static GByteArray *open_arguments(const char *uri)
{
    GByteArray *to = g_byte_array_new();
    static const guint8 zeros[4];
    guint length = (guint)strlen(uri);

    put_word(to, 1);
    put_word(to, length);
    g_byte_array_append(to, (const guint8 *)uri, length);
    g_byte_array_append(to, zeros, (4 - length % 4) % 4);
    put_word(to, READ_ONLY);
    return to;
}

static bool talk_libvirt(int fd, const struct xc_probing *probing, struct xc_find *find,
                         struct xc_call *call)
{
    g_autoptr(GByteArray) none = g_byte_array_new();
    g_autoptr(GByteArray) answer = g_byte_array_new();
    g_autoptr(GByteArray) arguments = open_arguments("xen:///system");

    if (!ask_libvirt(fd, PROC_AUTH_LIST, none, answer, call))
        return false;
    XC_SET(FIND, find, product, xc_probe_text(probing, "libvirt"));
    XC_SET(FIND, find, verdict, XC_VERDICT_POSSIBLE);
    if (word_at(answer, AT_STATUS) != 0 || !offers_none(answer)) {
        XC_SET(FIND, find, remark,
               xc_probe_text(probing, "it wants a login before it tells what it runs"));
        return true;
    }
    if (!ask_libvirt(fd, PROC_OPEN, arguments, answer, call) || word_at(answer, AT_STATUS) != 0)
        return false; /* a libvirt, but not of Xen */
    XC_SET(FIND, find, verdict, XC_VERDICT_XEN);
    return true;
}

bool xc_probe_libvirt(const struct xc_probing *probing, struct xc_find *find, struct xc_call *call)
{
    int fd = xc_dial(probing->address, probing->port, call, NULL);
    bool ok = fd >= 0 && talk_libvirt(fd, probing, find, call);

    if (fd >= 0)
        close(fd);
    return ok;
}
