/* The folder with the databases: whose it is, whether it can be read, a backup of it. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Takes the lock of the folder itself (no file is made), trying for wait_msec: one xensnmpd at a time, or an import.
 * A file descriptor: closing it, or the end of the process in any way, gives the lock back. -1 with an error: another
 * has it, or there is no such folder. Who only reads needs no lock. */
int xc_state_lock(const char *dir, unsigned wait_msec, GError **error);

/* Are there databases that the caller may read? The error tells the cure: SQLite's own words don't. */
bool xc_state_readable(const char *dir, GError **error);

/* A link in place of a database could lead root anywhere: an error. What is not there is none. */
bool xc_state_no_link(const char *path, GError **error);

/* Copies the databases into the new folder `to` (mode 0700; never one that exists), also while
 * xensnmpd runs, whom it does not hold up. Each copy is as the database was at one moment, checked, and on the
 * disk; none has its name before all are, and nothing is left after an error.
 * What was accepted before the call is in them; of what is accepted meanwhile each thing may be. Operations that are open
 * are `lost` in the copy, or going back to it would run them twice. */
bool xc_state_backup(const char *dir, const char *to, GError **error);
