/* Log lines on stderr. */
#include "xenclient/util/log.h"

#include "xenclient/util/text.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#define MAX_TEXT 2048

static _Atomic int max_level = XC_LOG_INFO;

void xc_log_set_level(enum xc_log_level level)
{
    atomic_store(&max_level, (int)level);
}

enum xc_log_level xc_log_get_level(void)
{
    return (enum xc_log_level)atomic_load(&max_level);
}

void xc_log(enum xc_log_level level, const char *format, ...)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    const char *program = g_get_prgname();
    g_autofree char *text = NULL;
    g_autofree char *clean = NULL;
    g_autofree char *line = NULL;
    va_list args;

    if ((int)level > atomic_load(&max_level))
        return;
    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    clean = xc_text_escape(text, MAX_TEXT);
    line = g_strdup_printf("%s: %s: %s\n", program ? program : "xensnmp", names[level], clean);
    /* One write keeps lines of several threads and processes whole. */
    if (write(STDERR_FILENO, line, strlen(line)) < 0)
        return;
}
