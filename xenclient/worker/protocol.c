/* The messages between front and worker as data: which fields each has, and who may send it. */
#include "xenclient/worker/protocol.h"

#include "xenclient/util/text.h"

#include <stddef.h>
#include <string.h>

#define WIRE_PATH_MAX 4096

enum part {
    END, /* zero: rows need not say it */
    SOURCE,
    SERIAL,
    HASH,
    VERSION,
    USEC,
    RECONNECTS,
    LAST,
    NEWS,
    CAUSE,
    RESULT,
    PROGRESS,
    OP,
    TEXT,
    PHASE,
    PATH,
    KNOWN_HOSTS,
    TLS_PINS,
    TLS_CA,
    LEVEL,
    SPEC,
    ORDER,
    FIND,
    PIECE,
};

#define MAX_PARTS 5

struct layout {
    const char *name;
    enum xc_sender sender;
    enum part parts[MAX_PARTS];
};

/* clang-format off */
static const struct layout layouts[] = {
    [XC_MSG_HELLO]       = {"HELLO",       XC_FROM_WORKER, {HASH, VERSION}},
    [XC_MSG_ENV]         = {"ENV",         XC_FROM_FRONT,  {PATH, KNOWN_HOSTS, TLS_PINS, TLS_CA}},
    [XC_MSG_SOURCE]      = {"SOURCE",      XC_FROM_FRONT,  {SOURCE, SPEC}},
    [XC_MSG_FORGET]      = {"FORGET",      XC_FROM_FRONT,  {SOURCE}},
    [XC_MSG_POLL]        = {"POLL",        XC_FROM_FRONT,  {SOURCE, SERIAL, USEC, NEWS}},
    [XC_MSG_REPORT]      = {"REPORT",      XC_FROM_WORKER, {SOURCE, SERIAL, LAST, PIECE}},
    [XC_MSG_POLL_FAILED] = {"POLL_FAILED", XC_FROM_WORKER, {SOURCE, SERIAL, CAUSE, TEXT}},
    [XC_MSG_POLL_DONE]   = {"POLL_DONE",   XC_FROM_WORKER, {SOURCE, SERIAL, USEC, RECONNECTS, NEWS}},
    [XC_MSG_CHANGED]     = {"CHANGED",     XC_FROM_WORKER, {SOURCE}},
    [XC_MSG_START]       = {"START",       XC_FROM_FRONT,  {SOURCE, ORDER}},
    [XC_MSG_CANCEL]      = {"CANCEL",      XC_FROM_FRONT,  {OP}},
    [XC_MSG_PROGRESS]    = {"PROGRESS",    XC_FROM_WORKER, {OP, PHASE, PROGRESS}},
    [XC_MSG_OUTCOME]     = {"OUTCOME",     XC_FROM_WORKER, {OP, RESULT, CAUSE, TEXT}},
    [XC_MSG_PING]        = {"PING",        XC_FROM_FRONT,  {SERIAL}},
    [XC_MSG_PONG]        = {"PONG",        XC_FROM_WORKER, {SERIAL}},
    [XC_MSG_LEVEL]       = {"LEVEL",       XC_FROM_FRONT,  {LEVEL}},
    [XC_MSG_FOUND]       = {"FOUND",       XC_FROM_WORKER, {OP, FIND}},
};
/* clang-format on */

static const struct layout *layout_of(uint32_t kind)
{
    return kind < G_N_ELEMENTS(layouts) && layouts[kind].name ? &layouts[kind] : NULL;
}

const char *xc_msg_name(uint32_t kind)
{
    const struct layout *layout = layout_of(kind);

    return layout ? layout->name : "?";
}

/* Where the parts that are paths lie. */
static const size_t paths[] = {
    [PATH] = offsetof(struct xc_msg, text),
    [KNOWN_HOSTS] = offsetof(struct xc_msg, known_hosts),
    [TLS_PINS] = offsetof(struct xc_msg, tls_pins),
    [TLS_CA] = offsetof(struct xc_msg, tls_ca),
};

/* --- writing */

/* The reader refuses what is not clean, and a driver's words may come from anywhere. */
static void put_words(GByteArray *to, const char *text, size_t max)
{
    g_autofree char *clean = xc_text_clean(text ? text : "", text ? strlen(text) : 0, max);

    xc_put_text(to, clean);
}

/* Parts that are made of several values. */
static void put_object(enum part part, const struct xc_msg *msg, GByteArray *to)
{
    switch (part) {
    case SPEC:
        xc_source_spec_write(&msg->spec, to);
        break;
    case ORDER:
        xc_order_write(&msg->order, to);
        break;
    case FIND:
        xc_object_write(&xc_find_type, &msg->find, to);
        break;
    case PIECE:
        xc_put_raw(to, msg->piece, msg->piece_length);
        break;
    default: /* END */
        break;
    }
}

/* False: it is no number. */
static bool put_number(enum part part, const struct xc_msg *msg, GByteArray *to)
{
    switch (part) {
    case SOURCE:
        xc_put_u32(to, msg->source);
        break;
    case SERIAL:
        xc_put_u32(to, msg->serial);
        break;
    case HASH:
        xc_put_u64(to, msg->hash);
        break;
    case VERSION:
        xc_put_u32(to, msg->version);
        break;
    case USEC:
        xc_put_u64(to, (uint64_t)CLAMP(msg->usec, 0, XC_PROTOCOL_BUDGET_MAX));
        break;
    case RECONNECTS:
        xc_put_u32(to, msg->reconnects);
        break;
    case LAST:
        xc_put_u8(to, msg->last);
        break;
    case NEWS:
        xc_put_u8(to, msg->news);
        break;
    case CAUSE:
        xc_put_u32(to, (uint32_t)msg->cause);
        break;
    case RESULT:
        xc_put_u32(to, (uint32_t)msg->result);
        break;
    case PROGRESS:
        xc_put_u32(to, (uint32_t)(CLAMP(msg->progress, -1, 100) + 1));
        break;
    case LEVEL:
        xc_put_u32(to, (uint32_t)msg->level);
        break;
    default:
        return false;
    }
    return true;
}

static void put_part(enum part part, const struct xc_msg *msg, GByteArray *to)
{
    if (put_number(part, msg, to))
        return;
    switch (part) {
    case OP:
        xc_put_raw(to, &msg->op, sizeof(msg->op));
        break;
    case TEXT:
    case PHASE:
        put_words(to, msg->text, part == TEXT ? XC_PROTOCOL_TEXT_MAX : XC_PROTOCOL_PHASE_MAX);
        break;
    case PATH:
    case KNOWN_HOSTS:
    case TLS_PINS:
    case TLS_CA:
        xc_put_text(to, *(char *const *)(const void *)((const char *)msg + paths[part]));
        break;
    default:
        put_object(part, msg, to);
    }
}

void xc_msg_append(const struct xc_msg *msg, GByteArray *to)
{
    const struct layout *layout = layout_of((uint32_t)msg->kind);
    g_autoptr(GByteArray) body = g_byte_array_new();

    g_return_if_fail(layout);
    for (unsigned i = 0; i < MAX_PARTS; i++)
        put_part(layout->parts[i], msg, body);
    xc_frame_append(to, (uint32_t)msg->kind, body);
}

/* --- reading */

/* A number that must not be above max. */
static uint32_t get_upto(struct xc_reader *from, uint32_t max)
{
    uint32_t value = xc_get_u32(from);

    if (value > max)
        from->bad = true;
    return from->bad ? 0 : value;
}

static int get_label(struct xc_reader *from, const struct xc_enum *labels)
{
    int value = (int)get_upto(from, G_MAXINT);

    if (!from->bad && !xc_enum_has(labels, value))
        from->bad = true;
    return from->bad ? 0 : value;
}

static gint64 get_usec(struct xc_reader *from)
{
    uint64_t value = xc_get_u64(from);

    if (value > (uint64_t)XC_PROTOCOL_BUDGET_MAX)
        from->bad = true;
    return from->bad ? 0 : (gint64)value;
}

static void get_uuid(struct xc_uuid *to, struct xc_reader *from)
{
    const uint8_t *raw = xc_get_raw(from, sizeof(*to));

    if (raw)
        memcpy(to, raw, sizeof(*to));
}

/* Words for people must arrive as put_words() leaves them. */
static char *get_words(struct xc_reader *from, size_t max)
{
    char *text = xc_get_text(from, max);
    g_autofree char *clean = xc_text_clean(text, strlen(text), max);

    if (strcmp(clean, text) != 0)
        from->bad = true;
    return text;
}

static uint32_t get_source(struct xc_reader *from)
{
    uint32_t id = xc_get_u32(from);

    if (id == 0)
        from->bad = true;
    return id;
}

static enum xc_result get_result(struct xc_reader *from)
{
    int result = get_label(from, &xc_result_labels);

    if (result == XC_RESULT_NONE)
        from->bad = true;
    return (enum xc_result)result;
}

static void get_find(struct xc_msg *msg, struct xc_reader *from)
{
    msg->find_text = g_string_chunk_new(256);
    xc_object_read(&xc_find_type, &msg->find, from, msg->find_text);
    if (!from->bad && !xc_find_is_whole(&msg->find))
        from->bad = true;
}

/* All that is left. */
static void get_piece(struct xc_msg *msg, struct xc_reader *from)
{
    msg->piece_length = from->bad ? 0 : (size_t)(from->end - from->at);
    msg->piece = xc_get_raw(from, msg->piece_length);
}

/* Parts that are numbers. False: it is not one of them. */
static bool get_number(enum part part, struct xc_msg *msg, struct xc_reader *from)
{
    switch (part) {
    case SOURCE:
        msg->source = get_source(from);
        return true;
    case SERIAL:
        msg->serial = xc_get_u32(from);
        return true;
    case HASH:
        msg->hash = xc_get_u64(from);
        return true;
    case VERSION:
        msg->version = xc_get_u32(from);
        return true;
    case USEC:
        msg->usec = get_usec(from);
        return true;
    case RECONNECTS:
        msg->reconnects = xc_get_u32(from);
        return true;
    case LAST:
        msg->last = xc_get_flag(from);
        return true;
    case NEWS:
        msg->news = xc_get_flag(from);
        return true;
    case LEVEL:
        msg->level = (enum xc_log_level)get_upto(from, XC_LOG_DEBUG);
        return true;
    case CAUSE:
        msg->cause = (enum xc_cause)get_label(from, &xc_cause_labels);
        return true;
    case RESULT:
        msg->result = get_result(from);
        return true;
    case PROGRESS:
        msg->progress = (int)get_upto(from, 101) - 1;
        return true;
    default:
        return false;
    }
}

static void get_part(enum part part, struct xc_msg *msg, struct xc_reader *from)
{
    if (get_number(part, msg, from))
        return;
    switch (part) {
    case OP:
        get_uuid(&msg->op, from);
        break;
    case TEXT:
        msg->text = get_words(from, XC_PROTOCOL_TEXT_MAX);
        break;
    case PHASE:
        msg->text = get_words(from, XC_PROTOCOL_PHASE_MAX);
        break;
    case PATH:
    case KNOWN_HOSTS:
    case TLS_PINS:
    case TLS_CA:
        *(char **)(void *)((char *)msg + paths[part]) = xc_get_text(from, WIRE_PATH_MAX);
        break;
    case SPEC:
        xc_source_spec_read(&msg->spec, from);
        break;
    case ORDER:
        xc_order_read(&msg->order, from);
        break;
    case FIND:
        get_find(msg, from);
        break;
    case PIECE:
        get_piece(msg, from);
        break;
    default: /* END */
        break;
    }
}

bool xc_msg_read(struct xc_msg *msg, enum xc_sender sender, uint32_t kind, const uint8_t *body,
                 size_t length)
{
    const struct layout *layout = layout_of(kind);
    struct xc_reader from = XC_READER(body, length);

    *msg = (struct xc_msg){.progress = -1};
    if (!layout || layout->sender != sender)
        return false;
    msg->kind = (enum xc_message)kind;
    for (unsigned i = 0; i < MAX_PARTS; i++)
        get_part(layout->parts[i], msg, &from);
    if (xc_reader_end(&from))
        return true;
    xc_msg_clear(msg);
    return false;
}

void xc_msg_clear(struct xc_msg *msg)
{
    g_free(msg->text);
    g_free(msg->known_hosts);
    g_free(msg->tls_pins);
    g_free(msg->tls_ca);
    xc_source_spec_clear(&msg->spec);
    xc_order_clear(&msg->order);
    g_clear_pointer(&msg->find_text, g_string_chunk_free);
    *msg = (struct xc_msg){.progress = -1};
}
