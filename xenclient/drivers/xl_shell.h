/* For the scripts that are sent to hosts: pieces of xenclient/drivers/xl/ behind variables. */
#pragma once

#include <glib.h>

/* NAME='value', whatever is in it; NULL is ''. */
static inline void xl_assign(GString *script, const char *name, const char *value)
{
    g_autofree char *quoted = g_shell_quote(value ? value : "");

    g_string_append_printf(script, "%s=%s\n", name, quoted);
}
