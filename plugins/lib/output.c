/* What a plugin prints: one line with perfdata, and with -v more of them. The only place that makes such text. */
#include "plugins/lib/check.h"
#include "plugins/lib/perfdata.h"

#include <math.h>
#include <string.h>

/* Shares of CHK_OUTPUT_MAX. */
#define TEXT_MAX   500u
#define TEXT_MAX_V 1100u
#define PERF_MAX   2300u
#define DETAIL_MAX 160u
#define WORD_MAX   40u

/* --- numbers for people */
static char *shown_seconds(double number)
{
    static const struct {
        double seconds;
        const char *unit, *smaller;
        double part;
    } units[] = {{86400, "d", "h", 3600}, {3600, "h", "min", 60}, {60, "min", "s", 1}};
    double size = fabs(number);

    for (size_t i = 0; i < G_N_ELEMENTS(units); i++)
        if (size >= units[i].seconds)
            return g_strdup_printf("%s%.0f %s %.0f %s", number < 0 ? "-" : "",
                                   floor(size / units[i].seconds), units[i].unit,
                                   floor(fmod(size, units[i].seconds) / units[i].part),
                                   units[i].smaller);
    return NULL;
}

static char *shown_bytes(double number)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    size_t unit = 0;
    g_autofree char *text = NULL;

    while (fabs(number) >= 1024 && unit + 1 < G_N_ELEMENTS(units)) {
        number /= 1024;
        unit++;
    }
    text = chk_number_format(round(number * 10) / 10);
    return g_strconcat(text, " ", units[unit], NULL);
}

char *chk_number_shown(const char *uom, double number)
{
    char *shown = g_str_equal(uom, "B")   ? shown_bytes(number)
                  : g_str_equal(uom, "s") ? shown_seconds(number)
                                          : NULL;
    g_autofree char *text = shown ? NULL : chk_number_format(round(number * 100) / 100);
    const char *unit = g_str_equal(uom, "%") ? "%" : g_str_equal(uom, "s") ? " s" : "";

    return shown ? shown : g_strconcat(text, unit, NULL);
}

/* --- objects */
static void append_detail(GString *out, const struct chk_plugin *plugin, const struct chk_row *row)
{
    const char *text = row ? chk_fact_text(&plugin->facts, row, plugin->detail) : "";
    g_autofree char *detail = chk_text_harmless(text, DETAIL_MAX);

    if (detail[0])
        g_string_append_printf(out, ": %s", detail);
}

static void append_word(GString *out, const char *word)
{
    g_string_append_printf(out, "%s%s", out->len ? ", " : "", word);
}

static void append_metric(GString *out, const struct chk *chk, const struct chk_metric *metric,
                          const struct chk_row *row)
{
    double value;

    if (chk_metric_value(chk, metric, row, &value)) {
        g_autofree char *number = chk_number_shown(metric->uom, value);
        g_autofree char *word = g_strconcat(metric->name, " ", number, NULL);

        append_word(out, word);
    }
}

/* What is to be said of an object behind its name; all: also what is well. */
static char *describe(const struct chk *chk, const struct chk_item *item, bool all)
{
    const struct chk_plugin *plugin = chk->plugin;
    GString *out = g_string_new(item->ill->str);
    g_autofree char *status =
        item->row
            ? chk_text_harmless(chk_fact_text(&plugin->facts, item->row, plugin->status), WORD_MAX)
            : g_strdup("");

    if (item->ill->len)
        append_detail(out, plugin, item->row);
    if ((all || !item->ill->len) && status[0] && !strstr(item->ill->str, status))
        append_word(out, status);
    for (unsigned i = 0; all && item->row && i < plugin->n_metrics; i++) {
        double value;
        bool ill = chk_metric_value(chk, &plugin->metrics[i], item->row, &value) &&
                   chk_threshold_judge(&chk->thresholds[i], value) != CHK_OK;

        if (plugin->metrics[i].shown && !ill)
            append_metric(out, chk, &plugin->metrics[i], item->row);
    }
    return g_string_free(out, FALSE);
}

static char *name_of(const struct chk_item *item)
{
    return item->row ? g_strdup(item->row->shown) : chk_text_harmless(item->name, 64);
}

static gint sicker_first(gconstpointer a, gconstpointer b)
{
    const struct chk_item *const *left = a;
    const struct chk_item *const *right = b;
    unsigned l = chk_state_rank((*left)->state);
    unsigned r = chk_state_rank((*right)->state);

    if (l != r)
        return l > r ? -1 : 1;
    return *left < *right ? -1 : *left > *right;
}

static GPtrArray *sort(GArray *items)
{
    GPtrArray *sorted = g_ptr_array_new();

    for (unsigned i = 0; i < items->len; i++)
        g_ptr_array_add(sorted, &g_array_index(items, struct chk_item, i));
    g_ptr_array_sort(sorted, sicker_first);
    return sorted;
}

/* --- the line's text */
static void append_counts(GString *out, const struct chk *chk, GArray *items)
{
    unsigned counts[CHK_N_STATES] = {0};
    static const enum chk_state order[] = {CHK_CRITICAL, CHK_WARNING, CHK_UNKNOWN, CHK_OK};

    for (unsigned i = 0; i < items->len; i++)
        counts[g_array_index(items, struct chk_item, i).state]++;
    g_string_append_printf(out, "%u %s", items->len,
                           items->len == 1 ? chk->plugin->one : chk->plugin->many);
    for (size_t i = 0; i < G_N_ELEMENTS(order); i++) {
        g_autofree char *label = g_ascii_strdown(chk_state_label(order[i]), -1);

        if (counts[order[i]])
            g_string_append_printf(out, ", %u %s", counts[order[i]], label);
    }
}

static void append_totals(GString *out, const struct chk *chk, GPtrArray *rows)
{
    for (unsigned i = 0; i < chk->plugin->n_totals; i++) {
        const struct chk_total *total = &chk->plugin->totals[i];
        g_autofree char *number = chk_number_shown(total->uom, chk_total_value(chk, total, rows));

        g_string_append_printf(out, "%s%s %s", i ? ", " : "", total->name, number);
    }
}

static void append_objects(GString *out, const struct chk *chk, GPtrArray *sorted, bool all)
{
    unsigned max = all ? TEXT_MAX_V : TEXT_MAX;
    unsigned left = 0;

    for (unsigned i = 0; i < sorted->len; i++) {
        const struct chk_item *item = g_ptr_array_index(sorted, i);
        g_autofree char *name = name_of(item);
        g_autofree char *text = describe(chk, item, false);

        if (item->state == CHK_OK && (!all || chk->plugin->crowd))
            break;
        if (out->len + strlen(name) + strlen(text) > max)
            left++;
        else
            g_string_append_printf(out, "%s%s (%s)", i ? ", " : " - ", name, text);
    }
    if (left)
        g_string_append_printf(out, ", and %u more", left);
}

static char *make_text(const struct chk *chk, GPtrArray *rows, GArray *items, GPtrArray *sorted)
{
    const struct chk_plugin *plugin = chk->plugin;
    bool alone = items->len == 1 && !plugin->crowd;
    GString *out = g_string_new(NULL);

    if (alone) {
        const struct chk_item *item = g_ptr_array_index(sorted, 0);
        g_autofree char *text = describe(chk, item, true);
        g_autofree char *name = name_of(item);

        g_string_append_printf(out, "%s%s%s", plugin->facts.scalars ? "" : name,
                               plugin->facts.scalars ? "" : ": ", text);
    } else if (plugin->crowd) {
        append_totals(out, chk, rows);
    } else if (items->len) {
        append_counts(out, chk, items);
    } else {
        g_string_append_printf(out, "no %s found", plugin->many);
    }
    if (!alone)
        append_objects(out, chk, sorted, chk_option_count(chk, "verbose") > 0);
    return g_string_free(out, FALSE);
}

/* --- perfdata */
static void add_count(GString *out, const char *label, unsigned n)
{
    chk_perf_append(
        out, &(struct chk_perf){.label = label, .uom = "", .known = true, .value = n, .min = "0"});
}

static void add_counts(GString *out, const struct chk *chk, GArray *items)
{
    unsigned counts[CHK_N_STATES] = {0};

    for (unsigned i = 0; i < items->len; i++)
        counts[g_array_index(items, struct chk_item, i).state]++;
    add_count(out, chk->plugin->many, items->len);
    for (int state = 0; state < CHK_N_STATES; state++) {
        g_autofree char *label = g_ascii_strdown(chk_state_label((enum chk_state)state), -1);

        add_count(out, label, counts[state]);
    }
}

static struct chk_perf make_perf(const char *label, const char *uom,
                                 const struct chk_threshold *threshold)
{
    return (struct chk_perf){.label = label,
                             .uom = uom,
                             .warn = threshold->has_warn ? &threshold->warn : NULL,
                             .crit = threshold->has_crit ? &threshold->crit : NULL};
}

static void add_totals(GString *out, const struct chk *chk, GPtrArray *rows)
{
    for (unsigned i = 0; i < chk->plugin->n_totals; i++) {
        const struct chk_total *total = &chk->plugin->totals[i];
        struct chk_perf perf =
            make_perf(total->name, total->uom, &chk->thresholds[chk->plugin->n_metrics + i]);

        perf.known = true;
        perf.value = chk_total_value(chk, total, rows);
        perf.min = "0";
        chk_perf_append(out, &perf);
    }
}

/* What is not known stands as U: graphs want the same labels each time. */
static void add_metric(GString *out, const struct chk *chk, unsigned metric,
                       const struct chk_row *row, const char *label)
{
    const struct chk_metric *m = &chk->plugin->metrics[metric];
    const struct chk_value *value = chk_fact(&chk->plugin->facts, row, m->field);
    struct chk_perf perf = make_perf(label, m->uom, &chk->thresholds[metric]);
    g_autofree char *exact = NULL;

    perf.known = chk_metric_value(chk, m, row, &perf.value);
    if (perf.known && g_str_equal(m->uom, "c"))
        exact = g_strdup_printf("%" G_GUINT64_FORMAT, value->exact);
    perf.exact = exact;
    chk_perf_append(out, &perf);
}

/* One metric of all objects, if all of them fit. */
static void add_metric_of_all(GString *out, const struct chk *chk, unsigned metric, GPtrArray *rows)
{
    g_autoptr(GString) part = g_string_new(NULL);

    for (unsigned i = 0; i < rows->len && out->len + part->len < PERF_MAX; i++) {
        const struct chk_row *row = g_ptr_array_index(rows, i);
        g_autofree char *label =
            g_strconcat(row->shown, " ", chk->plugin->metrics[metric].name, NULL);

        add_metric(part, chk, metric, row, label);
    }
    if (rows->len && out->len + part->len < PERF_MAX)
        g_string_append_printf(out, "%s%s", out->len ? " " : "", part->str);
}

static char *make_perfdata(const struct chk *chk, GPtrArray *rows, GArray *items)
{
    const struct chk_plugin *plugin = chk->plugin;
    const char *what = chk_option(chk, "perfdata");
    bool alone = items->len == 1 && rows->len == 1 && !plugin->crowd;
    GString *out = g_string_new(NULL);

    if (g_str_equal(what, "none"))
        return g_string_free(out, FALSE);
    if (!alone && !plugin->crowd)
        add_counts(out, chk, items);
    add_totals(out, chk, rows);
    for (unsigned i = 0; i < plugin->n_metrics && !plugin->crowd && !g_str_equal(what, "totals");
         i++) {
        if (alone)
            add_metric(out, chk, i, g_ptr_array_index(rows, 0), plugin->metrics[i].name);
        else
            add_metric_of_all(out, chk, i, rows);
    }
    return g_string_free(out, FALSE);
}

/* --- the lines behind */
static void append_lines(GString *out, const struct chk *chk, GPtrArray *sorted)
{
    for (unsigned i = 0; i < sorted->len; i++) {
        const struct chk_item *item = g_ptr_array_index(sorted, i);
        g_autofree char *name = name_of(item);
        g_autofree char *text = describe(chk, item, true);

        if (out->len + strlen(name) + strlen(text) > CHK_OUTPUT_MAX - 60) {
            g_string_append_printf(out, "\n... and %u more", sorted->len - i);
            return;
        }
        g_string_append_printf(out, "\n%s %s: %s", chk_state_label(item->state), name, text);
    }
}

static enum chk_state worst(const struct chk *chk, GPtrArray *rows, GArray *items)
{
    enum chk_state state = CHK_OK;

    for (unsigned i = 0; i < items->len; i++)
        state = chk_state_worst(state, g_array_index(items, struct chk_item, i).state);
    for (unsigned i = 0; i < chk->plugin->n_totals; i++)
        state = chk_state_worst(
            state, chk_threshold_judge(&chk->thresholds[chk->plugin->n_metrics + i],
                                       chk_total_value(chk, &chk->plugin->totals[i], rows)));
    if (items->len)
        return state;
    if (chk_option(chk, "empty"))
        chk_state_parse(chk_option(chk, "empty"), &state, NULL);
    else
        state = chk_state_worst(state, chk->plugin->empty);
    return state;
}

char *chk_output(const struct chk *chk, GPtrArray *rows, GArray *items, const char *debug,
                 enum chk_state *state)
{
    g_autoptr(GPtrArray) sorted = sort(items);
    g_autofree char *text = make_text(chk, rows, items, sorted);
    g_autofree char *perf = make_perfdata(chk, rows, items);
    unsigned verbose = chk_option_count(chk, "verbose");
    GString *out = g_string_new(NULL);

    *state = worst(chk, rows, items);
    g_string_append_printf(out, "%s %s: %s%s%s", chk->plugin->title, chk_state_label(*state), text,
                           perf[0] ? " | " : "", perf);
    if (verbose >= 3)
        g_string_append(out, debug);
    if (verbose >= 2)
        append_lines(out, chk, sorted);
    g_string_append_c(out, '\n');
    return g_string_free(out, FALSE);
}

char *chk_output_error(const struct chk_plugin *plugin, enum chk_state state, const char *text)
{
    g_autofree char *clean = chk_text_harmless(text, TEXT_MAX);

    return g_strdup_printf("%s %s: %s\n", plugin->title, chk_state_label(state), clean);
}
