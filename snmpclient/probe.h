/* Is anything listening at an agent's address? Blocking, a quarter of a second at most. */
#pragma once

#include <stdbool.h>

/* True when the host itself says that nothing listens on that UDP port; false: something does, or
 * nobody says. */
bool sn_probe_refused(const char *host);
