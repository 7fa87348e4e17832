/* The messages that a pool keeps for its administrators. Pure: no I/O. */
#pragma once

#include "xenclient/drivers/xapi_mirror.h"
#include "xenclient/model/snapshot.h"

/* So many are told, the newest: whoever looked a while ago finds what came meanwhile among them. */
#define XAPI_NOTICES_MAX 256

/* Adds them, the oldest first. */
void xapi_notices_add(struct xc_report *report, const struct xapi_mirror *mirror);
