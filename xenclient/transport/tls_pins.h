/* Which certificate a host must show: a file of lines "HOST:PORT SHA256", IPv6 in brackets, '#' begins a comment.
 * Written by `xenctl trust`, read at each new connection. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* The pin of a host as 64 lower-case hex digits in out (65 octets), "" when there is none. A file that is not there has
 * none. Errors: badConfig (a line that is none, or a host's second one, with its number; a file others may write). */
bool xc_tls_pin_find(const char *file, const char *host, unsigned port, char out[65],
                     GError **error);
/* Adds or replaces one, atomically (0644); other lines stay as they are. `fingerprint`: hex, colons allowed, any case.
 * Errors: badValue, storeFailed, and badConfig for a file that can't be trusted itself. */
bool xc_tls_pin_write(const char *file, const char *host, unsigned port, const char *fingerprint,
                      GError **error);
