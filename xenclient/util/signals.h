/* The signals that end a program. */
#pragma once

/* SIGTERM, SIGINT and SIGHUP as a descriptor that can be read once one came, so that a program can tidy up; SIGPIPE is
 * ignored. To be called before the first thread, for what it blocks it blocks for all. */
int xc_signals_stop_fd(void);
