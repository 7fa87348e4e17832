/* What a command said and how it ended, wherever it ran: here (process.h) or on a host (ssh.h). */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* A command that writes more is ended: the answer is an error (cause limit). */
#define XC_EXEC_OUT_MAX ((size_t)8 << 20)
#define XC_EXEC_ERR_MAX ((size_t)64 << 10)

/* Zeroed = empty. */
struct xc_exec {
    GString *out; /* stdout, any bytes; never NULL after success */
    GString *err; /* stderr */
    int status;   /* exit status 0..255; -1: ended by a signal or unknown */
    char *signal; /* "KILL" and so on; NULL: none */
};
void xc_exec_init(struct xc_exec *result);
void xc_exec_clear(struct xc_exec *result); /* takes a zeroed one */

/* Adds what was read; false (cause limit) when it would exceed max. what: "stdout" or "stderr". */
bool xc_exec_add(GString *to, const char *data, size_t length, size_t max, const char *what,
                 GError **error);
