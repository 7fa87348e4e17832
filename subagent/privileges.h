/* Giving up what the daemon does not need. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Files for ourselves only, no core dumps (they would hold what guests and hosts told us); started as root, becomes
 * `user` with that user's groups ("" = stays root, with a warning). Errors: badConfig, internal. */
bool st_privileges_limit(const char *user, GError **error);
