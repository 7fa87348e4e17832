/* From facts to states: conditions and thresholds. */
#include "plugins/lib/check.h"

#include <string.h>

/* --- metrics */
static bool applies(const struct chk_plugin *plugin, const struct chk_metric *metric,
                    const struct chk_row *row)
{
    return !metric->when ||
           g_str_equal(chk_fact_text(&plugin->facts, row, metric->when), metric->when_label);
}

bool chk_metric_value(const struct chk *chk, const struct chk_metric *metric,
                      const struct chk_row *row, double *out)
{
    const struct chk_facts *facts = &chk->plugin->facts;
    const struct chk_value *value = chk_fact(facts, row, metric->field);
    const struct chk_value *less = chk_fact(facts, row, metric->less);
    const struct chk_value *of = chk_fact(facts, row, metric->of);

    if (!value || !applies(chk->plugin, metric, row) || (metric->less && !less) ||
        (metric->of && (!of || of->number <= 0)))
        return false;
    *out = metric->age ? MAX(chk->now - value->number, 0) : value->number;
    if (less)
        *out -= less->number;
    if (of)
        *out = 100 * *out / of->number;
    return true;
}

/* --- totals */
double chk_total_value(const struct chk *chk, const struct chk_total *total, GPtrArray *rows)
{
    double result = 0;

    for (unsigned i = 0; i < rows->len; i++) {
        const struct chk_row *row = g_ptr_array_index(rows, i);
        double value;

        if (!total->most)
            result +=
                g_str_equal(chk_fact_text(&chk->plugin->facts, row, total->field), total->label);
        for (unsigned m = 0; total->most && m < chk->plugin->n_metrics; m++)
            if (g_str_equal(chk->plugin->metrics[m].name, total->most) &&
                chk_metric_value(chk, &chk->plugin->metrics[m], row, &value))
                result = MAX(result, value);
    }
    return result;
}

/* --- objects */
static void add_ill(struct chk_item *item, enum chk_state state, const char *text)
{
    item->state = chk_state_worst(item->state, state);
    if (state != CHK_OK)
        g_string_append_printf(item->ill, "%s%s", item->ill->len ? ", " : "", text);
}

static void judge_conditions(const struct chk *chk, const struct chk_row *row,
                             struct chk_item *item)
{
    for (unsigned i = 0; i < chk->plugin->n_conditions; i++) {
        const struct chk_condition *condition = &chk->plugin->conditions[i];
        g_autofree char *name = g_strconcat(condition->field, ".", condition->label, NULL);
        int other = GPOINTER_TO_INT(g_hash_table_lookup(chk->states, name));
        enum chk_state state = other ? (enum chk_state)(other - 1) : condition->state;

        if (g_str_equal(chk_fact_text(&chk->plugin->facts, row, condition->field),
                        condition->label) &&
            (!condition->option ||
             g_str_equal(chk_option(chk, condition->option), condition->option_value)))
            add_ill(item, state, condition->text ? condition->text : condition->label);
    }
}

static void judge_metrics(const struct chk *chk, const struct chk_row *row, struct chk_item *item)
{
    for (unsigned i = 0; i < chk->plugin->n_metrics; i++) {
        const struct chk_metric *metric = &chk->plugin->metrics[i];
        double value;

        if (chk_metric_value(chk, metric, row, &value)) {
            g_autofree char *number = chk_number_shown(metric->uom, value);
            g_autofree char *text = g_strconcat(metric->name, " ", number, NULL);

            add_ill(item, chk_threshold_judge(&chk->thresholds[i], value), text);
        }
    }
}

static void add_missing(const struct chk *chk, GArray *items)
{
    enum chk_state state = chk->plugin->empty;
    const char *name;

    if (chk_option(chk, "empty"))
        chk_state_parse(chk_option(chk, "empty"), &state, NULL);
    for (unsigned i = 0; (name = chk_select_missing(chk->select, i)); i++) {
        struct chk_item item = {.name = name, .ill = g_string_new(NULL)};

        add_ill(&item, state, "not found");
        g_array_append_val(items, item);
    }
}

GArray *chk_judge(const struct chk *chk, GPtrArray *rows)
{
    GArray *items = g_array_new(FALSE, FALSE, sizeof(struct chk_item));

    for (unsigned i = 0; i < rows->len; i++) {
        struct chk_item item = {.row = g_ptr_array_index(rows, i), .ill = g_string_new(NULL)};

        judge_conditions(chk, item.row, &item);
        judge_metrics(chk, item.row, &item);
        g_array_append_val(items, item);
    }
    add_missing(chk, items);
    return items;
}

void chk_items_free(GArray *items)
{
    for (unsigned i = 0; i < items->len; i++)
        g_string_free(g_array_index(items, struct chk_item, i).ill, TRUE);
    g_array_unref(items);
}
