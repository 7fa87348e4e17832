/* Commands on this machine, within a call: for xl:/// inside dom0. */
#pragma once

#include "xenclient/transport/deadline.h"
#include "xenclient/transport/exec.h"

#include <stddef.h>
#include <sys/types.h>

/* Runs argv (NULL-terminated, argv[0] searched in PATH) in a process group of its own. As
 * xc_ssh_exec(); when the call ends first or the answer is too large, the whole group is killed. */
bool xc_process_exec(const char *const *argv, const void *input, size_t length,
                     struct xc_call *call, struct xc_exec *out, GError **error);

/* A command that goes on, its stdout on a pipe. XC_PROCESS_INIT = none. */
struct xc_process {
    pid_t pid;
    int fd; /* readable (non-blocking) when it wrote something or ended; -1: none */
    int in; /* its stdin: end of file there tells it that we are gone; -1: none */
};
#define XC_PROCESS_INIT                                                                            \
    {                                                                                              \
        0, -1, -1                                                                                  \
    }
bool xc_process_start(const char *const *argv, struct xc_process *out, GError **error);
/* Appends what has come. False: it has ended; the descriptors are closed. */
bool xc_process_read(struct xc_process *process, GString *to);
/* Kills its group; does not wait. */
void xc_process_stop(struct xc_process *process);
