/* Log lines on stderr or in a file, one per event, every foreign byte escaped. Any thread. */
#pragma once

#include <glib.h>
#include <stdbool.h>

enum xc_log_level { XC_LOG_ERROR, XC_LOG_WARNING, XC_LOG_INFO, XC_LOG_DEBUG };

/* Lines above this level are dropped; default XC_LOG_INFO. Workers are told of a change. */
void xc_log_set_level(enum xc_log_level level);
enum xc_log_level xc_log_get_level(void);

/* From now on lines are added to this file, with the time (UTC) in front; whoever moves it away finds the next line in a
 * new one. Several processes may write to it. False: it can't be written now. Whenever that is so, lines go to stderr,
 * and the next one tries again. Once, at start. */
bool xc_log_to_file(const char *path, GError **error);

/* Variable of the environment that tells the workers, which have no configuration, what that file is. */
#define XC_LOG_FILE_VARIABLE "XENSNMP_LOG_FILE"

/* Writes "xensnmpd: LEVEL: text\n" (the program's own name). Control characters and invalid
 * UTF-8 in the formatted text come out as \xNN, a text above 2 KiB is cut. Where stderr is the journal, which
 * JOURNAL_STREAM tells, "<N>" with the priority of syslog stands in front. */
void xc_log(enum xc_log_level level, const char *format, ...) G_GNUC_PRINTF(2, 3);
