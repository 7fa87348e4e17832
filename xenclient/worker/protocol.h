/* What front and worker say to each other over their socketpair (transport/frame.h carries it).
 * Neither end trusts the other: every message is read with a bounded reader and must end exactly.
 *
 *   from    to      message
 *   worker  front   HELLO        u64 dictionary hash, u32 XC_PROTOCOL_VERSION
 *   front   worker  ENV          texts credential_dir, known_hosts, tls_pins, tls_ca
 *   front   worker  LEVEL        u32 log level, from here on
 *   front   worker  SOURCE       u32 source id, spec (adds, or replaces: reconnects)
 *   front   worker  FORGET       u32 source id
 *   front   worker  POLL         u32 source id, u32 serial, u64 budget usec, u8 news will do
 *   worker  front   REPORT       u32 source id, u32 serial, u8 last, rest: a piece of the report
 *   worker  front   POLL_FAILED  u32 source id, u32 serial, u32 cause, text
 *   worker  front   POLL_DONE    u32 source id, u32 serial, u64 usec it took, u32 reconnects, u8 it was news
 *   worker  front   CHANGED      u32 source id (an event: please poll)
 *   front   worker  START        u32 source id, order (order->attach tells start from attach)
 *   front   worker  CANCEL       raw op uuid
 *   worker  front   PROGRESS     raw op uuid, text phase, u32 progress + 1 (0: not known)
 *   worker  front   FOUND        raw op uuid, a find (of a discovery)
 *   worker  front   OUTCOME      raw op uuid, u32 result, u32 cause, text
 *   front   worker  PING         u32 serial
 *   worker  front   PONG         u32 serial
 *
 * A poll ends with POLL_FAILED, or with a REPORT marked last and then POLL_DONE.
 */
#pragma once

#include "xenclient/drivers/driver.h"
#include "xenclient/model/scan.h"
#include "xenclient/transport/frame.h"
#include "xenclient/util/log.h"

#define XC_PROTOCOL_VERSION 5

enum xc_message {
    XC_MSG_HELLO = 1,
    XC_MSG_ENV,
    XC_MSG_SOURCE,
    XC_MSG_FORGET,
    XC_MSG_POLL,
    XC_MSG_REPORT,
    XC_MSG_POLL_FAILED,
    XC_MSG_POLL_DONE,
    XC_MSG_CHANGED,
    XC_MSG_START,
    XC_MSG_CANCEL,
    XC_MSG_PROGRESS,
    XC_MSG_OUTCOME,
    XC_MSG_PING,
    XC_MSG_PONG,
    XC_MSG_LEVEL,
    XC_MSG_FOUND,
};

/* Longest text of each sort, in octets. */
#define XC_PROTOCOL_PHASE_MAX 128
#define XC_PROTOCOL_TEXT_MAX  XC_OUTCOME_TEXT_MAX
/* Pieces of a report end at the first object beyond this. */
#define XC_PROTOCOL_PIECE (256u << 10)
/* Longest budget of a poll. */
#define XC_PROTOCOL_BUDGET_MAX (3600 * XC_USEC_PER_SEC)

/* One message of any kind; members its kind does not have are zero. */
struct xc_msg {
    enum xc_message kind;
    uint32_t source; /* never 0 */
    uint32_t serial;
    uint64_t hash;
    uint32_t version;
    gint64 usec; /* budget, or time it took */
    uint32_t reconnects;
    bool last;
    bool news; /* see struct xc_report */
    enum xc_log_level level;
    enum xc_cause cause;
    enum xc_result result;
    int progress; /* -1: not known */
    struct xc_uuid op;
    char *text;        /* words, phase or credential_dir; owned */
    char *known_hosts; /* owned, as the two that follow */
    char *tls_pins;
    char *tls_ca;
    struct xc_source_spec spec; /* owned */
    struct xc_order order;      /* owned */
    struct xc_find find;
    GStringChunk *find_text; /* of a find that was read; owned */
    const uint8_t *piece;    /* borrowed from whoever holds the message's octets */
    size_t piece_length;
};

enum xc_sender { XC_FROM_FRONT, XC_FROM_WORKER };

/* Appends the framed message to a buffer. Texts that are too long or not clean are made so. */
void xc_msg_append(const struct xc_msg *msg, GByteArray *to);
/* Checks and takes apart what `sender` sent. False: breach of the protocol; *msg is cleared.
 * Overwrites *msg. */
bool xc_msg_read(struct xc_msg *msg, enum xc_sender sender, uint32_t kind, const uint8_t *body,
                 size_t length);
/* Frees what a read message owns (not for messages that were put together by hand from borrowed
 * texts). */
void xc_msg_clear(struct xc_msg *msg);
/* For logs: "POLL", or "?" */
const char *xc_msg_name(uint32_t kind);
