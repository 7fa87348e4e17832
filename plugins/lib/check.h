/* One run of a plugin, as the parts of the library share it. */
#pragma once

#include "plugins/lib/plugin.h"
#include "plugins/lib/range.h"

struct chk_given {
    const struct chk_option *option;
    char *value; /* NULL: a flag */
};

/* Of each metric, then of each total. */
struct chk_threshold {
    struct chk_range warn, crit;
    bool has_warn, has_crit;
};

struct chk {
    const struct chk_plugin *plugin;
    GArray *given; /* struct chk_given, later ones count more */
    struct chk_threshold *thresholds;
    GHashTable *states; /* "FIELD.LABEL" -> state + 1 */
    struct chk_select *select;
    unsigned timeout_sec;
    enum chk_state timeout_state;
    double now;
};

/* An object judged. */
struct chk_item {
    const struct chk_row *row; /* NULL: asked for by name and not found */
    const char *name;          /* of that */
    enum chk_state state;
    GString *ill; /* what is not well, with commas between */
};

/* --- options.c */
/* Reads the command line and the files of --extra-opts. Other options than -h and -V are checked wholly. */
bool chk_options_parse(struct chk *chk, int argc, char **argv, GError **error);
void chk_options_clear(struct chk *chk);
bool chk_option_given(const struct chk *chk, const char *name);
unsigned chk_option_count(const struct chk *chk, const char *name);
/* The i-th value of an option that may be repeated; NULL behind the last. */
const char *chk_option_nth(const struct chk *chk, const char *name, unsigned i);
/* The i-th option that goes with the plugin; NULL behind the last. */
const struct chk_option *chk_option_at(const struct chk_plugin *plugin, unsigned i);

/* --- extra_opts.c */
/* The options of a section as words of a command line, appended (char *). spec: [SECTION][@FILE]; without a section that of
 * the plugin's name; without a file, the first that exists of those that plugins look for. */
bool chk_extra_opts(const char *spec, const char *plugin, GPtrArray *words, GError **error);
/* The same of a text; where names it in messages. */
bool chk_extra_opts_parse(const char *text, const char *section, const char *where,
                          GPtrArray *words, GError **error);

/* --- thresholds.c */
/* Those of the plugin, then those of -w, -c and --state. */
bool chk_thresholds_init(struct chk *chk, GError **error);
/* What a value means: OK, WARNING, CRITICAL. */
enum chk_state chk_threshold_judge(const struct chk_threshold *threshold, double value);

/* --- select.c */
/* Reads the selecting options. NULL with error: one is wrong. */
struct chk_select *chk_select_new(const struct chk *chk, GError **error);
void chk_select_free(struct chk_select *select);
/* The names that say all of what is selected, for a reader's wish; NULL: they are not enough. Freed with g_strfreev(). */
char **chk_select_names(const struct chk_select *select);
/* Takes what is not selected out of rows. */
void chk_select_apply(struct chk_select *select, const struct chk *chk, GPtrArray *rows);
/* The i-th name or UUID that was asked for and that no row has; NULL behind the last. */
const char *chk_select_missing(const struct chk_select *select, unsigned i);
/* Gives each row a name of its own: its name, with its number, UUID or host where several have that. */
void chk_rows_name(const struct chk_plugin *plugin, GPtrArray *rows);

/* --- help.c */
void chk_help(const struct chk_plugin *plugin);

/* --- judge.c */
/* The value of a metric; false: not known, or it does not apply. */
bool chk_metric_value(const struct chk *chk, const struct chk_metric *metric,
                      const struct chk_row *row, double *out);
/* struct chk_item, in the order of rows; freed with chk_items_free(). */
GArray *chk_judge(const struct chk *chk, GPtrArray *rows);
void chk_items_free(GArray *items);
/* The value of a total. */
double chk_total_value(const struct chk *chk, const struct chk_total *total, GPtrArray *rows);

/* --- output.c */
/* At most so many octets leave a plugin. */
#define CHK_OUTPUT_MAX 4000
/* All that is printed, and the state. debug: lines for -vvv. */
char *chk_output(const struct chk *chk, GPtrArray *rows, GArray *items, const char *debug,
                 enum chk_state *state);
/* The one line of a check that could not be done. */
char *chk_output_error(const struct chk_plugin *plugin, enum chk_state state, const char *text);
/* A number as people read it: 12.3 GiB, 3.5 %, 2 d 4 h; the caller frees. */
char *chk_number_shown(const char *uom, double number);
