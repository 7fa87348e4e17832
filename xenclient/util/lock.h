/* One writer of a file at a time, among processes that ask here first. */
#pragma once

#include "xenclient/util/error.h"

/* Waits for the lock of a file and takes it: a descriptor whose close() gives it back. The lock is PATH.lock, which
 * stays there. -1 with the cause and the words why. */
int xc_lock_beside(const char *path, enum xc_cause cause, GError **error);
