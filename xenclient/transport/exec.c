/* The answer of a command: collected within bounds. */
#include "xenclient/transport/exec.h"

#include "xenclient/util/error.h"

#include <string.h>

void xc_exec_init(struct xc_exec *result)
{
    *result = (struct xc_exec){
        .out = g_string_new(NULL),
        .err = g_string_new(NULL),
        .status = -1,
    };
}

void xc_exec_clear(struct xc_exec *result)
{
    if (result->out)
        g_string_free(result->out, TRUE);
    if (result->err)
        g_string_free(result->err, TRUE);
    g_free(result->signal);
    memset(result, 0, sizeof *result);
}

bool xc_exec_add(GString *to, const char *data, size_t length, size_t max, const char *what,
                 GError **error)
{
    if (length > max || to->len > max - length)
        return xc_fail(error, XC_CAUSE_LIMIT, "the command wrote more than %zu KiB to %s",
                       max >> 10, what);
    g_string_append_len(to, data, (gssize)length);
    return true;
}
