/* A SET as xenctl sends it: the varbinds, and the explanation when the agent refuses. */
#pragma once

#include "tools/xenctl/xenctl.h"

#define CTL_REQUEST_MAX 12

struct ctl_request {
    struct sn_write writes[CTL_REQUEST_MAX];
    unsigned n;
};

void ctl_request_number(struct ctl_request *request, struct sn_oid oid, enum sn_id object,
                        int64_t number);
/* Borrows the text. NULL adds nothing. */
void ctl_request_text(struct ctl_request *request, struct sn_oid oid, const char *text);

/* Sends it once. CTL_OK, or an exit status after explaining: "WHAT refused: ..." from xenSetErrorTable. */
int ctl_request_send(struct ctl *ctl, const struct ctl_request *request, const char *what);
