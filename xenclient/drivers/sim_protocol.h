/* What the sim driver and xen-farm say to each other over the farm's socket (transport/frame.h
 * carries it). Neither end trusts the other: bounded readers, and every message must end exactly.
 *
 *   driver -> farm   HELLO    u32 SIM_VERSION, u64 dictionary hash, u8 wants events, text host
 * ("*": all) farm -> driver   WELCOME  text boot id of the host ("" for all) farm -> driver REFUSED
 * u32 cause, text; then the farm hangs up driver -> farm   POLL     u32 serial farm -> driver
 * REPORT   u32 serial, u8 last, the rest: a piece of the report farm -> driver   CHANGED  nothing;
 * at most one until the next POLL driver -> farm   ORDER    order (attach: asks for an operation
 * begun earlier) farm -> driver   UNKNOWN  raw op uuid, u8 the farm is sure that it never began,
 * text boot id farm -> driver   PROGRESS raw op uuid, text phase, u32 progress + 1 (0: not known)
 *   farm -> driver   OUTCOME  raw op uuid, u32 result, u32 cause, text,
 *                             u32 state of the domain as it was then (XC_STATE_UNKNOWN: none), text
 * host driver -> farm   CANCEL   raw op uuid farm -> driver   POISON   nothing; the driver ends its
 * process with abort()
 *
 * POISON is the documented way for tests to make a worker crash at a chosen moment. */
#pragma once

#define SIM_VERSION 1
/* The name of a host that stands for all of them, and its form in a URI. */
#define SIM_ALL     "*"
#define SIM_ALL_URI "@all"

enum sim_message {
    SIM_HELLO = 0x51,
    SIM_WELCOME,
    SIM_REFUSED,
    SIM_POLL,
    SIM_REPORT,
    SIM_CHANGED,
    SIM_ORDER,
    SIM_UNKNOWN,
    SIM_PROGRESS,
    SIM_OUTCOME,
    SIM_CANCEL,
    SIM_POISON,
};
