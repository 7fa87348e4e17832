/* Options as tables: those of all plugins here, a plugin's own beside its metrics. */
#include "plugins/lib/check.h"

#include "xenclient/util/error.h"
#include "xenclient/util/text.h"

#include <string.h>

#define SECONDS_MAX 4294967295u

static const struct chk_option common[] = {
    {'h', "help", NULL, CHK_FLAG, NULL, NULL, "print this text"},
    {'V', "version", NULL, CHK_FLAG, NULL, NULL, "print the version"},
    {'v', "verbose", NULL, CHK_COUNT, NULL, NULL,
     "more in the line; twice: a line for each object; thrice: what was read, too"},
    {'t', "timeout", "SECONDS[:STATE]", CHK_TEXT, "10:critical", NULL,
     "for all of it; the state when no answer comes, also for other trouble of the network"},
    {'H', "hostname", "HOST[:PORT]", CHK_TEXT, NULL, NULL,
     "the agent, instead of the host in the client file"},
    {'p', "port", "PORT", CHK_TEXT, NULL, NULL, "its port, when -H names none"},
    {'\0', "client-config", "FILE", CHK_TEXT, NULL, NULL,
     "how to reach the agent, with all secrets, instead of ~/.config/xensnmp/client.conf"},
    {'\0', "profile", "NAME", CHK_TEXT, NULL, NULL, "the section [client NAME] of that file"},
    {'\0', "extra-opts", "[SECTION][@FILE]", CHK_TEXTS, NULL, NULL,
     "read options from an ini file; the section is the plugin's name"},
    {'w', "warning", "[METRIC=]RANGE,...", CHK_TEXTS, NULL, NULL,
     "ranges outside of which a metric is WARNING; without a name, the first metric"},
    {'c', "critical", "[METRIC=]RANGE,...", CHK_TEXTS, NULL, NULL,
     "ranges outside of which a metric is CRITICAL"},
    {'\0', "state", "CONDITION=STATE,...", CHK_TEXTS, NULL, NULL,
     "what a condition means instead: ok, warning, critical or unknown"},
    {'\0', "perfdata", "WHAT", CHK_TEXT, "all", "all|totals|none",
     "all, totals or none; of many objects those metrics that fit for each of them"},
    {'\0', "empty", "STATE", CHK_STATE, NULL, NULL,
     "the state when nothing is selected, and of a --name or --uuid that is not found"},
};

/* Of plugins that can do without the agent. */
static const struct chk_option direct[] = {
    {'\0', "uri", "URI", CHK_TEXT, NULL, NULL,
     "ask this hypervisor itself instead of the agent: https://HOST, ssh://USER@HOST, xl:///"},
    {'\0', "credential", "NAME", CHK_TEXT, "", NULL, "with --uri: the credential of this name"},
    {'\0', "credential-dir", "FOLDER", CHK_TEXT, "/etc/xensnmp/credentials", NULL,
     "with --uri: where credentials lie"},
    {'\0', "known-hosts", "FILE", CHK_TEXT, "/etc/xensnmp/known_hosts", NULL,
     "with --uri: SSH keys of trusted hosts"},
    {'\0', "tls-pins", "FILE", CHK_TEXT, "/etc/xensnmp/tls_pins", NULL,
     "with --uri: certificates of trusted hosts"},
    {'\0', "tls-ca", "FILE", CHK_TEXT, NULL, NULL,
     "with --uri: authorities to check certificates with, instead of the system's"},
};

/* Which objects are checked. role: the field of the plugin that an option looks at. */
enum role { ROLE_LABEL, ROLE_UUID, ROLE_TAGS, ROLE_HOST };
static const struct {
    struct chk_option option;
    enum role role;
} selectors[] = {
    {{'\0', "name", "NAME", CHK_TEXTS, NULL, NULL, "those of this name"}, ROLE_LABEL},
    {{'\0', "glob", "PATTERN", CHK_TEXTS, NULL, NULL, "those whose name matches, with * and ?"},
     ROLE_LABEL},
    {{'\0', "regex", "PATTERN", CHK_TEXTS, NULL, NULL,
      "those whose name matches this regular expression"},
     ROLE_LABEL},
    {{'\0', "uuid", "UUID", CHK_TEXTS, NULL, NULL, "that of this UUID"}, ROLE_UUID},
    {{'\0', "tag", "TAG", CHK_TEXTS, NULL, NULL, "of these, those with this tag"}, ROLE_TAGS},
    {{'\0', "host", "HOST", CHK_TEXTS, NULL, NULL, "of these, those on this host or source"},
     ROLE_HOST},
    {{'\0', "exclude-name", "NAME", CHK_TEXTS, NULL, NULL, "not that of this name"}, ROLE_LABEL},
    {{'\0', "exclude-glob", "PATTERN", CHK_TEXTS, NULL, NULL, "not those whose name matches"},
     ROLE_LABEL},
    {{'\0', "exclude-regex", "PATTERN", CHK_TEXTS, NULL, NULL, "not those whose name matches"},
     ROLE_LABEL},
    {{'\0', "exclude-uuid", "UUID", CHK_TEXTS, NULL, NULL, "not that of this UUID"}, ROLE_UUID},
    {{'\0', "exclude-tag", "TAG", CHK_TEXTS, NULL, NULL, "not those with this tag"}, ROLE_TAGS},
    {{'\0', "exclude-host", "HOST", CHK_TEXTS, NULL, NULL, "not those on this host or source"},
     ROLE_HOST},
};

static bool has_role(const struct chk_plugin *plugin, enum role role)
{
    const char *const fields[] = {[ROLE_LABEL] = plugin->label,
                                  [ROLE_UUID] = plugin->uuid,
                                  [ROLE_TAGS] = plugin->tags,
                                  [ROLE_HOST] = plugin->host};

    return fields[role] && !plugin->facts.scalars;
}

const struct chk_option *chk_option_at(const struct chk_plugin *plugin, unsigned i)
{
    if (i < G_N_ELEMENTS(common))
        return &common[i];
    i -= G_N_ELEMENTS(common);
    if (i < plugin->n_options)
        return &plugin->options[i];
    i -= plugin->n_options;
    if (plugin->direct && i < G_N_ELEMENTS(direct))
        return &direct[i];
    i -= plugin->direct ? G_N_ELEMENTS(direct) : 0;
    for (unsigned s = 0; s < G_N_ELEMENTS(selectors); s++)
        if (has_role(plugin, selectors[s].role) && i-- == 0)
            return &selectors[s].option;
    return NULL;
}

/* --- values */
static const struct chk_option *find_name(const struct chk_plugin *plugin, const char *name,
                                          size_t length)
{
    const struct chk_option *option;

    for (unsigned i = 0; (option = chk_option_at(plugin, i)); i++)
        if (strlen(option->name) == length && memcmp(option->name, name, length) == 0)
            return option;
    return NULL;
}

static const struct chk_option *find_letter(const struct chk_plugin *plugin, char letter)
{
    const struct chk_option *option;

    for (unsigned i = 0; (option = chk_option_at(plugin, i)); i++)
        if (option->letter && option->letter == letter)
            return option;
    return NULL;
}

unsigned chk_option_count(const struct chk *chk, const char *name)
{
    unsigned n = 0;

    while (chk_option_nth(chk, name, n))
        n++;
    return n;
}

/* Flags have the value "". */
const char *chk_option_nth(const struct chk *chk, const char *name, unsigned i)
{
    for (unsigned g = 0; g < chk->given->len; g++) {
        const struct chk_given *given = &g_array_index(chk->given, struct chk_given, g);

        if (g_str_equal(given->option->name, name) && i-- == 0)
            return given->value;
    }
    return NULL;
}

bool chk_option_given(const struct chk *chk, const char *name)
{
    return chk_option_count(chk, name) > 0;
}

const char *chk_option(const struct chk *chk, const char *name)
{
    unsigned n = chk_option_count(chk, name);
    const struct chk_option *option = find_name(chk->plugin, name, strlen(name));

    return n ? chk_option_nth(chk, name, n - 1) : option ? option->standard : NULL;
}

double chk_option_seconds(const struct chk *chk, const char *name)
{
    const char *text = chk_option(chk, name);
    uint64_t seconds = 0;

    return text && xc_text_to_u64(text, 0, SECONDS_MAX, &seconds, NULL) ? (double)seconds : 0;
}

static bool is_choice(const struct chk_option *option, const char *value)
{
    g_auto(GStrv) choices = g_strsplit(option->choices, "|", -1);

    return g_strv_contains((const char *const *)choices, value);
}

static bool check_value(const struct chk_option *option, const char *value, GError **error)
{
    enum chk_state state;
    uint64_t number;

    if (!g_utf8_validate(value, -1, NULL))
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "not UTF-8");
    if (option->choices && !is_choice(option, value))
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "%s is none of %s", value, option->choices);
    if (option->kind == CHK_SECONDS)
        return xc_text_to_u64(value, 0, SECONDS_MAX, &number, error);
    return option->kind != CHK_STATE || chk_state_parse(value, &state, error);
}

static bool add_given(struct chk *chk, const struct chk_option *option, const char *value,
                      GError **error)
{
    struct chk_given given = {.option = option, .value = g_strdup(value ? value : "")};

    g_array_append_val(chk->given, given);
    if (!value || check_value(option, value, error))
        return true;
    g_prefix_error(error, "--%s: ", option->name);
    return false;
}

/* --- words */
static bool is_flag(const struct chk_option *option)
{
    return option->kind == CHK_FLAG || option->kind == CHK_COUNT;
}

/* The value of an option: what is joined to it, or the next word. */
static bool take(struct chk *chk, const struct chk_option *option, const char *joined, char **words,
                 unsigned n, unsigned *i, GError **error)
{
    if (is_flag(option))
        return joined ? xc_fail(error, XC_CAUSE_BAD_VALUE, "--%s takes no value", option->name)
                      : add_given(chk, option, NULL, error);
    if (joined)
        return add_given(chk, option, joined, error);
    if (*i + 1 >= n)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "--%s needs %s", option->name, option->argument);
    return add_given(chk, option, words[++*i], error);
}

static bool take_long(struct chk *chk, char **words, unsigned n, unsigned *i, GError **error)
{
    const char *word = words[*i] + 2;
    const char *equals = strchr(word, '=');
    size_t length = equals ? (size_t)(equals - word) : strlen(word);
    const struct chk_option *option = find_name(chk->plugin, word, length);

    if (!option)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "no option %s; see --help", words[*i]);
    return take(chk, option, equals ? equals + 1 : NULL, words, n, i, error);
}

/* -vvv, -w10 and -w 10. */
static bool take_letters(struct chk *chk, char **words, unsigned n, unsigned *i, GError **error)
{
    for (const char *letter = words[*i] + 1; *letter; letter++) {
        const struct chk_option *option = find_letter(chk->plugin, *letter);

        if (!option)
            return xc_fail(error, XC_CAUSE_BAD_VALUE, "no option -%c; see --help", *letter);
        if (!is_flag(option))
            return take(chk, option, letter[1] ? letter + 1 : NULL, words, n, i, error);
        if (!take(chk, option, NULL, words, n, i, error))
            return false;
    }
    return true;
}

static bool take_words(struct chk *chk, char **words, unsigned n, GError **error)
{
    for (unsigned i = 0; i < n; i++) {
        const char *word = words[i];
        bool ok;

        if (word[0] != '-' || word[1] == '\0')
            return xc_fail(error, XC_CAUSE_BAD_VALUE, "%s: there are options alone; see --help",
                           word);
        ok = word[1] == '-' ? take_long(chk, words, n, &i, error)
                            : take_letters(chk, words, n, &i, error);
        if (!ok)
            return false;
    }
    return true;
}

/* What --extra-opts brings goes before the command line, which therefore wins; --extra-opts itself stands alone, or takes the
 * next word unless that is an option. */
static GPtrArray *all_words(const struct chk *chk, int argc, char **argv, GError **error)
{
    GPtrArray *words = g_ptr_array_new_with_free_func(g_free);
    GPtrArray *own = g_ptr_array_new();
    bool ok = true;

    for (int i = 1; ok && i < argc; i++) {
        const char *spec = "";

        if (g_str_has_prefix(argv[i], "--extra-opts="))
            spec = argv[i] + strlen("--extra-opts=");
        else if (!g_str_equal(argv[i], "--extra-opts"))
            spec = NULL;
        else if (i + 1 < argc && argv[i + 1][0] != '-')
            spec = argv[++i];
        if (spec)
            ok = chk_extra_opts(spec, chk->plugin->name, words, error);
        else
            g_ptr_array_add(own, argv[i]);
    }
    for (unsigned i = 0; i < own->len; i++)
        g_ptr_array_add(words, g_strdup(g_ptr_array_index(own, i)));
    g_ptr_array_unref(own);
    if (!ok)
        g_clear_pointer(&words, g_ptr_array_unref);
    return words;
}

static bool parse_timeout(struct chk *chk, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(chk_option(chk, "timeout"), ":", 2);
    uint64_t seconds;

    chk->timeout_state = CHK_CRITICAL;
    if (!xc_text_to_u64(parts[0], 1, 3600, &seconds, error) ||
        (parts[1] && !chk_state_parse(parts[1], &chk->timeout_state, error))) {
        g_prefix_error(error, "--timeout: ");
        return false;
    }
    chk->timeout_sec = (unsigned)seconds;
    return true;
}

bool chk_options_parse(struct chk *chk, int argc, char **argv, GError **error)
{
    g_autoptr(GPtrArray) words = all_words(chk, argc, argv, error);

    if (!words || !take_words(chk, (char **)words->pdata, words->len, error))
        return false;
    if (chk_option_given(chk, "help") || chk_option_given(chk, "version"))
        return true;
    return parse_timeout(chk, error) && chk_thresholds_init(chk, error);
}

void chk_options_clear(struct chk *chk)
{
    for (unsigned i = 0; i < chk->given->len; i++)
        g_free(g_array_index(chk->given, struct chk_given, i).value);
    g_array_unref(chk->given);
    g_hash_table_unref(chk->states);
    g_free(chk->thresholds);
}
