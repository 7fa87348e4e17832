/* The folder with the databases: whose it is. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Takes the lock of the folder itself (no file is made), trying for wait_msec: one xensnmpd at a time, or an import.
 * A file descriptor: closing it, or the end of the process in any way, gives the lock back. -1 with an error: another
 * has it, or there is no such folder. Who only reads needs no lock. */
int xc_state_lock(const char *dir, unsigned wait_msec, GError **error);
