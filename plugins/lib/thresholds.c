/* Thresholds and the meaning of conditions: what the plugin brings, and what the options change. */
#include "plugins/lib/check.h"

#include "xenclient/util/error.h"

#include <string.h>

/* The place of a metric or total among the thresholds; -1: there is none. Without a name the first. */
static int find_metric(const struct chk_plugin *plugin, const char *name)
{
    for (unsigned i = 0; i < plugin->n_metrics; i++)
        if (g_str_equal(plugin->metrics[i].name, name))
            return (int)i;
    for (unsigned i = 0; i < plugin->n_totals; i++)
        if (g_str_equal(plugin->totals[i].name, name))
            return (int)(plugin->n_metrics + i);
    return -1;
}

static bool set_range(struct chk_threshold *threshold, bool critical, const char *text,
                      GError **error)
{
    struct chk_range *range = critical ? &threshold->crit : &threshold->warn;

    if (!chk_range_parse(text, range, error))
        return false;
    *(critical ? &threshold->has_crit : &threshold->has_warn) = true;
    return true;
}

/* "RANGE" or "METRIC=RANGE", several with commas. */
static bool take_ranges(struct chk *chk, const char *option, bool critical, GError **error)
{
    const char *value;

    for (unsigned i = 0; (value = chk_option_nth(chk, option, i)); i++) {
        g_auto(GStrv) parts = g_strsplit(value, ",", -1);

        for (char **part = parts; *part; part++) {
            char *equals = strchr(*part, '=');
            int metric = 0;

            if (equals) {
                *equals = '\0';
                metric = find_metric(chk->plugin, *part);
            }
            if (metric < 0)
                return xc_fail(error, XC_CAUSE_BAD_VALUE, "--%s: no metric %s; see --help", option,
                               *part);
            if (!set_range(&chk->thresholds[metric], critical, equals ? equals + 1 : *part,
                           error)) {
                g_prefix_error(error, "--%s: ", option);
                return false;
            }
        }
        if (!parts[0])
            return xc_fail(error, XC_CAUSE_BAD_VALUE, "--%s: \"\" is no range", option);
    }
    return true;
}

static bool is_condition(const struct chk_plugin *plugin, const char *name)
{
    for (unsigned i = 0; i < plugin->n_conditions; i++) {
        const struct chk_condition *condition = &plugin->conditions[i];
        g_autofree char *own = g_strconcat(condition->field, ".", condition->label, NULL);

        if (g_str_equal(own, name))
            return true;
    }
    return false;
}

static bool take_states(struct chk *chk, GError **error)
{
    const char *value;

    for (unsigned i = 0; (value = chk_option_nth(chk, "state", i)); i++) {
        g_auto(GStrv) parts = g_strsplit(value, ",", -1);

        for (char **part = parts; *part; part++) {
            char *equals = strchr(*part, '=');
            enum chk_state state;

            if (equals)
                *equals = '\0';
            if (!equals || !is_condition(chk->plugin, *part))
                return xc_fail(error, XC_CAUSE_BAD_VALUE,
                               "--state: no condition %s; it is CONDITION=STATE, see --help",
                               *part);
            if (!chk_state_parse(equals + 1, &state, error)) {
                g_prefix_error(error, "--state: ");
                return false;
            }
            g_hash_table_replace(chk->states, g_strdup(*part), GINT_TO_POINTER(state + 1));
        }
    }
    return true;
}

/* The tables' own ranges are right, or the program ends: a mistake there is one of ours. */
static void take_standard(struct chk_threshold *threshold, const char *warn, const char *crit)
{
    g_autoptr(GError) error = NULL;

    if ((warn && !set_range(threshold, false, warn, &error)) ||
        (crit && !set_range(threshold, true, crit, &error)))
        g_error("%s", error->message);
}

bool chk_thresholds_init(struct chk *chk, GError **error)
{
    const struct chk_plugin *plugin = chk->plugin;
    unsigned n = 0;

    chk->thresholds = g_new0(struct chk_threshold, plugin->n_metrics + plugin->n_totals);
    for (unsigned i = 0; i < plugin->n_metrics; i++)
        take_standard(&chk->thresholds[n++], plugin->metrics[i].warn, plugin->metrics[i].crit);
    for (unsigned i = 0; i < plugin->n_totals; i++)
        take_standard(&chk->thresholds[n++], plugin->totals[i].warn, plugin->totals[i].crit);
    return take_ranges(chk, "warning", false, error) && take_ranges(chk, "critical", true, error) &&
           take_states(chk, error);
}

enum chk_state chk_threshold_judge(const struct chk_threshold *threshold, double value)
{
    if (threshold->has_crit && chk_range_alerts(&threshold->crit, value))
        return CHK_CRITICAL;
    if (threshold->has_warn && chk_range_alerts(&threshold->warn, value))
        return CHK_WARNING;
    return CHK_OK;
}
