/* What front and worker say to each other over their socketpair (transport/frame.h carries it).
 * Neither end trusts the other: every message is read with a bounded reader and must end exactly.
 *
 *   worker -> front   HELLO        u64 dictionary hash, u32 XC_PROTOCOL_VERSION
 *   front  -> worker  ENV          text credential_dir, text known_hosts
 *   front  -> worker  SOURCE       u32 source id, spec       (adds, or replaces: reconnects)
 *   front  -> worker  FORGET       u32 source id
 *   front  -> worker  POLL         u32 source id, u32 serial, u64 budget usec
 *   worker -> front   REPORT       u32 source id, u32 serial, u8 last, rest: a piece of the report
 *   worker -> front   POLL_FAILED  u32 source id, u32 serial, u32 cause, text
 *   worker -> front   POLL_DONE    u32 source id, u32 serial, u64 usec it took, u32 reconnects so far
 *   worker -> front   CHANGED      u32 source id             (an event: please poll)
 *   front  -> worker  START        u32 source id, order      (order->attach tells start from attach)
 *   front  -> worker  CANCEL       raw op uuid
 *   worker -> front   PROGRESS     raw op uuid, text phase, u32 progress + 1 (0: not known)
 *   worker -> front   OUTCOME      raw op uuid, u32 result, u32 cause, text
 *   front  -> worker  PING / worker -> front PONG   u32 serial
 */
#pragma once

#include "xenclient/drivers/driver.h"
#include "xenclient/transport/frame.h"

#define XC_PROTOCOL_VERSION 1

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
};
