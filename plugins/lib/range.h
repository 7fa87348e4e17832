/* Ranges of the Monitoring Plugins guidelines: [@]start:end, both ends inside. Pure functions, any thread.
 *
 *     10      alert when < 0 or > 10         ~:10     alert when > 10
 *     10:     alert when < 10                10:20    alert when < 10 or > 20
 *     @10:20  alert when >= 10 and <= 20     @10      alert when >= 0 and <= 10 */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct chk_range {
    double start; /* -INFINITY: none */
    double end;   /* INFINITY: none */
    bool inside;  /* @: alert inside */
};

/* What is no range is refused: no text, "~" and ":" by themselves, text behind a number (but one '%'), an end before
 * its start. */
bool chk_range_parse(const char *text, struct chk_range *out, GError **error);
bool chk_range_alerts(const struct chk_range *range, double value);
/* As the guidelines write it, without '%'; the caller frees. */
char *chk_range_format(const struct chk_range *range);

/* A number with a point, at most six digits behind it and no useless zeros, in every locale; the caller frees. */
char *chk_number_format(double number);
