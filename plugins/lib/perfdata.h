/* Performance data of the Monitoring Plugins guidelines: 'label'=value[UOM];[warn];[crit];[min];[max], and names from
 * outside made harmless for it and for text. Pure functions, any thread. */
#pragma once

#include "plugins/lib/range.h"

struct chk_perf {
    const char *label;
    const char *uom; /* "", "s", "%", "B", "c" */
    bool known;      /* else the value is U */
    double value;
    const char *exact; /* the value in words, where a double does not hold it; NULL: value */
    const struct chk_range *warn, *crit; /* NULL: none */
    const char *min, *max;               /* NULL: none */
};

/* Appends it, behind a blank when out is not empty. */
void chk_perf_append(GString *out, const struct chk_perf *perf);

/* Text from outside for a plugin's output, at most max octets: UTF-8, one line, without the characters that separate
 * perfdata, that Nagios takes out of macros or that mean something to a shell or a browser: `$&|"<>\; and '. They
 * become '_'. The caller frees. */
char *chk_text_harmless(const char *text, size_t max);
