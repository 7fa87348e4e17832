/* What XAPI says when it refuses: ErrorDescription, a code and its parameters, becomes one of our causes. */
#pragma once

#include "xenclient/util/error.h"

/* The cause that a code stands for; driverError for those the table does not have. */
enum xc_cause xapi_cause(const char *code);
/* The codes of that table, for tests; NULL beyond the last. */
const char *xapi_error_code(unsigned at);
/* Code and parameters in XAPI's own words, cleaned and at most 600 octets; references, which tell nobody anything and may
 * be sessions, left out. "" when words is NULL or empty. Newly allocated. */
char *xapi_words(const GPtrArray *words);
/* Sets *error from words (char *, code first) and returns false; `what` is the call. */
bool xapi_refused(GError **error, const char *what, const GPtrArray *words);
