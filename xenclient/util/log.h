/* Log lines on stderr, one per event, every foreign byte escaped. Any thread. */
#pragma once

#include <glib.h>

enum xc_log_level { XC_LOG_ERROR, XC_LOG_WARNING, XC_LOG_INFO, XC_LOG_DEBUG };

/* Lines above this level are dropped; default XC_LOG_INFO. Set once at start. */
void xc_log_set_level(enum xc_log_level level);
enum xc_log_level xc_log_get_level(void);

/* Writes "xensnmpd: LEVEL: text\n" (the program's own name). Control characters and invalid
 * UTF-8 in the formatted text come out as \xNN, a text above 2 KiB is cut. */
void xc_log(enum xc_log_level level, const char *format, ...) G_GNUC_PRINTF(2, 3);
