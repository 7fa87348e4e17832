/* Which objects a check is about, and what they are called in its output. */
#include "plugins/lib/check.h"

#include "plugins/lib/perfdata.h"

#include "xenclient/util/error.h"

#include <string.h>

#define NAME_SHOWN 64 /* octets of a name in the output */
#define NAMES_MAX  20 /* more are found sooner in the whole table */

/* --- one option */
struct pattern {
    const struct match *match;
    const char *text; /* borrowed from the options */
    GPatternSpec *glob;
    GRegex *regex;
    bool found;
};

static bool equals(const struct pattern *pattern, const char *text)
{
    return g_str_equal(pattern->text, text);
}

static bool equals_uuid(const struct pattern *pattern, const char *text)
{
    return g_ascii_strcasecmp(pattern->text, text) == 0;
}

static bool matches_glob(const struct pattern *pattern, const char *text)
{
    return g_pattern_spec_match_string(pattern->glob, text);
}

/* A name that is too much for the expression does not match. */
static bool matches_regex(const struct pattern *pattern, const char *text)
{
    return g_regex_match_full(pattern->regex, text, -1, 0, 0, NULL, NULL);
}

/* One of "a, b, c". */
static bool has_tag(const struct pattern *pattern, const char *text)
{
    g_auto(GStrv) tags = g_strsplit(text, ", ", -1);

    return g_strv_contains((const char *const *)tags, pattern->text);
}

/* The host itself, or the source whose hosts are called SOURCE.HOST. */
static bool is_on(const struct pattern *pattern, const char *text)
{
    size_t length = strlen(pattern->text);

    return strncmp(text, pattern->text, length) == 0 &&
           (text[length] == '\0' || text[length] == '.');
}

/* Options of one group are alternatives; an object must be in every group of which there are any. */
enum group { WHICH, TAG, HOST, EXCLUDED, N_GROUPS };

static const struct match {
    const char *option;
    enum group group;
    size_t field; /* of struct chk_plugin */
    bool (*matches)(const struct pattern *pattern, const char *text);
} matches[] = {
    {"name", WHICH, offsetof(struct chk_plugin, label), equals},
    {"uuid", WHICH, offsetof(struct chk_plugin, uuid), equals_uuid},
    {"glob", WHICH, offsetof(struct chk_plugin, label), matches_glob},
    {"regex", WHICH, offsetof(struct chk_plugin, label), matches_regex},
    {"tag", TAG, offsetof(struct chk_plugin, tags), has_tag},
    {"host", HOST, offsetof(struct chk_plugin, host), is_on},
    {"exclude-name", EXCLUDED, offsetof(struct chk_plugin, label), equals},
    {"exclude-uuid", EXCLUDED, offsetof(struct chk_plugin, uuid), equals_uuid},
    {"exclude-glob", EXCLUDED, offsetof(struct chk_plugin, label), matches_glob},
    {"exclude-regex", EXCLUDED, offsetof(struct chk_plugin, label), matches_regex},
    {"exclude-tag", EXCLUDED, offsetof(struct chk_plugin, tags), has_tag},
    {"exclude-host", EXCLUDED, offsetof(struct chk_plugin, host), is_on},
};

struct chk_select {
    GArray *patterns; /* struct pattern */
};

static const char *field_of(const struct chk_plugin *plugin, const struct match *match)
{
    return *(const char *const *)((const char *)plugin + match->field);
}

/* --- from options */
static bool add_pattern(struct chk_select *select, const struct match *match, const char *text,
                        GError **error)
{
    struct pattern pattern = {.match = match, .text = text};
    g_autoptr(GError) inner = NULL;

    if (match->matches == matches_glob)
        pattern.glob = g_pattern_spec_new(text);
    if (match->matches == matches_regex)
        pattern.regex = g_regex_new(text, G_REGEX_OPTIMIZE, 0, &inner);
    if (inner)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "--%s: %s", match->option, inner->message);
    g_array_append_val(select->patterns, pattern);
    return true;
}

struct chk_select *chk_select_new(const struct chk *chk, GError **error)
{
    struct chk_select *select = g_new0(struct chk_select, 1);
    const char *text;

    select->patterns = g_array_new(FALSE, FALSE, sizeof(struct pattern));
    for (size_t m = 0; m < G_N_ELEMENTS(matches); m++)
        for (unsigned i = 0; (text = chk_option_nth(chk, matches[m].option, i)); i++)
            if (!add_pattern(select, &matches[m], text, error)) {
                chk_select_free(select);
                return NULL;
            }
    return select;
}

void chk_select_free(struct chk_select *select)
{
    if (!select)
        return;
    for (unsigned i = 0; i < select->patterns->len; i++) {
        struct pattern *pattern = &g_array_index(select->patterns, struct pattern, i);

        g_clear_pointer(&pattern->glob, g_pattern_spec_free);
        g_clear_pointer(&pattern->regex, g_regex_unref);
    }
    g_array_unref(select->patterns);
    g_free(select);
}

/* --- selecting */
static bool is_selected(struct chk_select *select, const struct chk_plugin *plugin,
                        const struct chk_row *row)
{
    bool asked[N_GROUPS] = {0};
    bool in[N_GROUPS] = {0};

    for (unsigned i = 0; i < select->patterns->len; i++) {
        struct pattern *pattern = &g_array_index(select->patterns, struct pattern, i);
        const struct match *match = pattern->match;
        const char *text = chk_fact_text(&plugin->facts, row, field_of(plugin, match));

        asked[match->group] = true;
        if (match->matches(pattern, text))
            in[match->group] = pattern->found = true;
    }
    return (in[WHICH] || !asked[WHICH]) && (in[TAG] || !asked[TAG]) && (in[HOST] || !asked[HOST]) &&
           !in[EXCLUDED];
}

void chk_select_apply(struct chk_select *select, const struct chk *chk, GPtrArray *rows)
{
    const struct chk_plugin *plugin = chk->plugin;
    unsigned kept = 0;

    for (unsigned i = 0; i < rows->len; i++) {
        struct chk_row *row = g_ptr_array_index(rows, i);

        if ((!plugin->keep || plugin->keep(chk, row)) && is_selected(select, plugin, row)) {
            rows->pdata[i] = rows->pdata[kept];
            rows->pdata[kept++] = row;
        }
    }
    g_ptr_array_set_size(rows, (int)kept);
}

/* Does an earlier option say the same? */
static bool is_repeated(const struct chk_select *select, unsigned p)
{
    const struct pattern *pattern = &g_array_index(select->patterns, struct pattern, p);

    for (unsigned i = 0; i < p; i++) {
        const struct pattern *other = &g_array_index(select->patterns, struct pattern, i);

        if (other->match == pattern->match && g_str_equal(other->text, pattern->text))
            return true;
    }
    return false;
}

char **chk_select_names(const struct chk_select *select)
{
    g_autoptr(GStrvBuilder) names = g_strv_builder_new();
    unsigned n = 0;

    for (unsigned p = 0; p < select->patterns->len; p++) {
        const struct pattern *pattern = &g_array_index(select->patterns, struct pattern, p);

        if (pattern->match->group != WHICH || is_repeated(select, p))
            continue;
        if (pattern->match->matches != equals || ++n > NAMES_MAX)
            return NULL;
        g_strv_builder_add(names, pattern->text);
    }
    return n ? g_strv_builder_end(names) : NULL;
}

const char *chk_select_missing(const struct chk_select *select, unsigned i)
{
    for (unsigned p = 0; p < select->patterns->len; p++) {
        const struct pattern *pattern = &g_array_index(select->patterns, struct pattern, p);
        bool named = pattern->match->group == WHICH &&
                     (pattern->match->matches == equals || pattern->match->matches == equals_uuid);

        if (named && !pattern->found && i-- == 0)
            return pattern->text;
    }
    return NULL;
}

/* --- names */
static char *short_name(const struct chk_plugin *plugin, const struct chk_row *row)
{
    const char *label = chk_fact_text(&plugin->facts, row, plugin->label);

    return label[0] ? chk_text_harmless(label, NAME_SHOWN) : g_strdup_printf("#%u", row->number);
}

/* With its number or UUID, which stay when the object moves; where it has none, with its host or source. */
static char *long_name(const struct chk_plugin *plugin, const struct chk_row *row)
{
    g_autofree char *own = short_name(plugin, row);
    g_autofree char *uuid =
        chk_text_harmless(chk_fact_text(&plugin->facts, row, plugin->uuid), NAME_SHOWN);
    g_autofree char *host =
        chk_text_harmless(chk_fact_text(&plugin->facts, row, plugin->host), NAME_SHOWN);

    if (row->number)
        return g_strdup_printf("%s #%u", own, row->number);
    if (uuid[0])
        return g_strconcat(own, " ", uuid, NULL);
    return host[0] ? g_strconcat(host, "/", own, NULL) : g_steal_pointer(&own);
}

/* Names by which rows are counted; those of several rows are made longer. */
static void rename_doubles(const struct chk_plugin *plugin, GPtrArray *rows)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (unsigned i = 0; i < rows->len; i++) {
        const struct chk_row *row = g_ptr_array_index(rows, i);
        int n = GPOINTER_TO_INT(g_hash_table_lookup(seen, row->shown));

        g_hash_table_replace(seen, g_strdup(row->shown), GINT_TO_POINTER(n + 1));
    }
    for (unsigned i = 0; i < rows->len; i++) {
        struct chk_row *row = g_ptr_array_index(rows, i);

        if (GPOINTER_TO_INT(g_hash_table_lookup(seen, row->shown)) < 2)
            continue;
        g_free(row->shown);
        row->shown = long_name(plugin, row);
    }
}

void chk_rows_name(const struct chk_plugin *plugin, GPtrArray *rows)
{
    for (unsigned i = 0; i < rows->len; i++) {
        struct chk_row *row = g_ptr_array_index(rows, i);

        g_free(row->shown);
        row->shown = short_name(plugin, row);
    }
    rename_doubles(plugin, rows);
}
