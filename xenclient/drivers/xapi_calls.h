/* Every call that this driver makes of XAPI, and what it sends. A call that is not in the table is not made: so tests that
 * hold the table against XAPI's contract hold the driver against it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct xapi_signature {
    const char *method;
    /* Behind the session, a letter each: s text (also references and enumerations), i whole number in a text,
     * b boolean, d double, a array of texts, m map of texts. What servers may do without is not sent. */
    const char *params;
};

extern const struct xapi_signature xapi_calls[];
extern const size_t xapi_n_calls;

bool xapi_call_is_listed(const char *method, const char *params);
