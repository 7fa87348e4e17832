/* One operation: read, awaited, reported. */
#pragma once

#include "tools/xenctl/xenctl.h"

struct ctl_op {
    uint32_t index;
    bool there;  /* the agent has its row */
    char *label; /* "migrate web1" */
    char *state; /* labels of the MIB */
    char *phase; /* NULL none */
    char *result;
    char *cause;
    char *text;
    char *host_to;    /* NULL none */
    int64_t progress; /* -1 not told */
    int64_t elapsed_msec;
};

bool ctl_op_read(struct ctl *ctl, uint32_t index, struct ctl_op *out, GError **error);
void ctl_op_clear(struct ctl_op *op);
bool ctl_op_finished(const struct ctl_op *op);

/* Waits for the end, showing phases on stderr, and reports; the exit status of its result. merged: the request was taken
 * for the same as an operation that was there already. With --no-wait only reports that it was accepted. */
int ctl_op_follow(struct ctl *ctl, uint32_t index, bool merged);
/* Waits; fills op. CTL_OK when it ended, or an exit status after saying why not. */
int ctl_op_wait(struct ctl *ctl, uint32_t index, struct ctl_op *op);
/* Prints an ended operation, or an accepted one. */
void ctl_op_report(const struct ctl *ctl, const struct ctl_op *op, bool merged);
/* The exit status of a result's label. */
int ctl_op_exit(const struct ctl_op *op);
