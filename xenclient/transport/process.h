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

/* A command that goes on, its stdout on a pipe. Zeroed with fd -1 = none. */
struct xc_process {
    pid_t pid;
    int fd; /* readable (non-blocking) when it wrote something or ended; -1: none */
};
bool xc_process_start(const char *const *argv, struct xc_process *out, GError **error);
/* Appends what has come. False: it has ended; *status as for xc_exec, the descriptor is closed. */
bool xc_process_read(struct xc_process *process, GString *to, int *status);
/* Kills its group; does not wait. */
void xc_process_stop(struct xc_process *process);
