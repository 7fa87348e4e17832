/* --help, made of the tables; the manual page is made of --help. */
#include "plugins/lib/check.h"

#include <stdio.h>

static void print_option(const struct chk_option *option)
{
    g_autofree char *letter =
        option->letter ? g_strdup_printf("-%c, ", option->letter) : g_strdup("");
    g_autofree char *name =
        g_strconcat("  ", letter, "--", option->name, option->argument ? "=" : "",
                    option->argument ? option->argument : "", NULL);

    printf("%s\n      %s", name, option->help);
    if (option->standard && option->standard[0])
        printf("; default %s", option->standard);
    printf("\n");
}

static void print_range(const char *what, const char *range)
{
    if (range)
        printf(", %s %s", what, range);
}

static void print_metric(const char *name, const char *uom, const char *help, const char *warn,
                         const char *crit)
{
    static const struct {
        const char *uom, *text;
    } units[] = {
        {"s", "seconds"}, {"%", "percent"}, {"B", "bytes"}, {"c", "counter"}, {"", "number"}};

    for (size_t i = 0; i < G_N_ELEMENTS(units); i++)
        if (g_str_equal(units[i].uom, uom))
            printf("  %s\n      %s (%s", name, help, units[i].text);
    print_range("warning", warn);
    print_range("critical", crit);
    printf(")\n");
}

static void print_conditions(const struct chk_plugin *plugin)
{
    printf("\nConditions:\n");
    for (unsigned i = 0; i < plugin->n_conditions; i++) {
        const struct chk_condition *condition = &plugin->conditions[i];
        g_autofree char *state = g_ascii_strdown(chk_state_label(condition->state), -1);

        printf("  %s.%s\n      %s", condition->field, condition->label, state);
        if (condition->option)
            printf(", with --%s=%s", condition->option, condition->option_value);
        printf("\n");
    }
}

void chk_help(const struct chk_plugin *plugin)
{
    const struct chk_option *option;

    printf("usage: %s [OPTION]...\n%s\n\nOptions:\n", plugin->name, plugin->summary);
    for (unsigned i = 0; (option = chk_option_at(plugin, i)); i++)
        print_option(option);
    printf("\nMetrics:\n");
    for (unsigned i = 0; i < plugin->n_metrics; i++)
        print_metric(plugin->metrics[i].name, plugin->metrics[i].uom, plugin->metrics[i].help,
                     plugin->metrics[i].warn, plugin->metrics[i].crit);
    for (unsigned i = 0; i < plugin->n_totals; i++)
        print_metric(plugin->totals[i].name, plugin->totals[i].uom, plugin->totals[i].help,
                     plugin->totals[i].warn, plugin->totals[i].crit);
    if (plugin->n_conditions)
        print_conditions(plugin);
    printf("\nA range is [@]START:END. The worst state wins: CRITICAL, WARNING, UNKNOWN, OK.\n"
           "Exit status: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.\n");
}
