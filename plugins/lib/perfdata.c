/* Performance data of the Monitoring Plugins guidelines. */
#include "plugins/lib/perfdata.h"

#include "xenclient/util/text.h"

#include <string.h>

#define DANGEROUS "`$&|\"'<>\\;"

char *chk_text_harmless(const char *text, size_t max)
{
    char *clean = xc_text_clean(text, strlen(text), max);

    return g_strdelimit(clean, DANGEROUS, '_');
}

/* Quoted where it holds more than letters and digits; a quote inside is doubled. '=' cannot be quoted. */
static void append_label(GString *out, const char *label)
{
    g_autofree char *clean = xc_text_clean(label, strlen(label), XC_TEXT_MAX);
    bool plain = clean[0] != '\0';

    for (const char *p = clean; *p; p++)
        plain = plain && (g_ascii_isalnum(*p) || strchr("_-.", *p));
    g_strdelimit(clean, "=|", '_');
    if (!plain)
        g_string_append_c(out, '\'');
    for (const char *p = clean; *p; p++) {
        if (*p == '\'')
            g_string_append_c(out, '\'');
        g_string_append_c(out, *p);
    }
    if (!plain)
        g_string_append_c(out, '\'');
}

void chk_perf_append(GString *out, const struct chk_perf *perf)
{
    g_autofree char *number = chk_number_format(perf->value);
    g_autofree char *warn = perf->warn ? chk_range_format(perf->warn) : NULL;
    g_autofree char *crit = perf->crit ? chk_range_format(perf->crit) : NULL;
    const char *const parts[] = {warn, crit, perf->min, perf->max};
    unsigned n = G_N_ELEMENTS(parts);

    if (out->len)
        g_string_append_c(out, ' ');
    append_label(out, perf->label);
    g_string_append_c(out, '=');
    if (perf->known)
        g_string_append_printf(out, "%s%s", perf->exact ? perf->exact : number, perf->uom);
    else
        g_string_append_c(out, 'U');
    while (n > 0 && !parts[n - 1])
        n--;
    for (unsigned i = 0; i < n; i++)
        g_string_append_printf(out, ";%s", parts[i] ? parts[i] : "");
}
