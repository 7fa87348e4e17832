/* The configuration file: one table of options makes parser, checks, defaults and sample. */
#include "xenclient/engine/config.h"

#include "xenclient/engine/config_private.h"
#include "xenclient/engine/private.h"
#include "xenclient/util/subnet.h"

#include <errno.h>
#include <string.h>

#define AT(member) offsetof(struct xc_config, member)

/* Of section [agent]; places in struct xc_config. */
static const struct option options[] = {
    {"control", SWITCH, AT_ONCE, AT(control), "no", 0, 0, NULL,
     "Accept SETs that act on domains, sources and settings."},
    {"state_dir", PATH, AT_START, AT(state_dir), "/var/lib/xensnmp", 0, 0, NULL,
     "Databases: indexes, registered sources, operations."},
    {"credential_dir", PATH, AT_START, AT(credential_dir), "/etc/xensnmp/credentials", 0, 0, NULL,
     "One file of mode 0600 per credential; `xenctl credential add` writes them."},
    {"known_hosts", PATH, AT_START, AT(known_hosts), "/etc/xensnmp/known_hosts", 0, 0, NULL,
     "SSH host keys that are trusted; `xenctl trust` adds to it."},
    {"tls_pins", PATH, AT_START, AT(tls_pins), "/etc/xensnmp/tls_pins", 0, 0, NULL,
     "Certificates that hosts must show, lines HOST:PORT SHA256; `xenctl trust` adds to it."},
    {"tls_ca", PATH, AT_START, AT(tls_ca), "", 0, 0, NULL,
     "PEM file of authorities for the certificates of hosts not in tls_pins; empty: the system's."},
    {"library_dir", PATH, AT_ONCE, AT(library_dir), "/etc/xensnmp/library", 0, 0, NULL,
     "Domain configurations that xenHostCreate may name."},
    {"agentx_socket", TEXT, AT_START, AT(agentx_socket), "", 0, 0, NULL,
     "AgentX socket of snmpd; empty: /var/agentx/master."},
    {"user", TEXT, AT_START, AT(user), "xensnmp", 0, 0, NULL,
     "Account to run as when started as root; empty: stay root."},
    {"log_level", CHOICE, AT_ONCE, AT(log_level), "info", 0, 0, "error warning info debug",
     "Least important message that is still logged."},
    {"log_file", PATH, AT_START, AT(log_file), "", 0, 0, NULL,
     "File for the log, with times; empty: stderr, which is the journal under systemd."},
    {"protected", LIST, AT_ONCE, AT(protected_names), "", 0, 0, NULL,
     "Names (globs, separated by ';') of domains that start out protected."},
    {"interval", NUMBER, AT_ONCE, AT(interval_sec), "10", 1, 3600, NULL,
     "Seconds between two polls of a source."},
    {"poll_timeout", NUMBER, AT_ONCE, AT(poll_timeout_sec), "15", 1, 600, NULL,
     "Seconds that one poll may take."},
    {"stale_after", NUMBER, AT_ONCE, AT(stale_after), "5", 2, 100, NULL,
     "Failed polls after which live values vanish."},
    {"tombstone", NUMBER, AT_ONCE, AT(tombstone_sec), "3600", 0, 31536000, NULL,
     "Seconds that the row of a deleted domain stays."},
    {"duplicate_window", NUMBER, AT_ONCE, AT(dup_window_sec), "5", 0, 600, NULL,
     "Seconds after an operation's end in which an equal request is the same one."},
    {"operation_expire", NUMBER, AT_ONCE, AT(op_expire_sec), "86400", 60, 31536000, NULL,
     "Seconds that a finished operation stays."},
    {"operation_rows", NUMBER, AT_ONCE, AT(op_max_rows), "1000", 10, 100000, NULL,
     "Finished operations that stay at most."},
    {"event_rows", NUMBER, AT_ONCE, AT(event_rows), "1000", 100, 100000, NULL,
     "Events that stay at most."},
    {"max_operations", NUMBER, AT_ONCE, AT(max_ops), "8", 1, 1000, NULL,
     "Operations at once, in all."},
    {"max_operations_per_host", NUMBER, AT_ONCE, AT(max_ops_per_host), "2", 1, 100, NULL,
     "Operations at once, per source."},
    {"queue_limit", NUMBER, AT_ONCE, AT(queue_limit), "10000", 1, 1000000, NULL,
     "Operations accepted and not finished, at most."},
    {"shutdown_timeout", NUMBER, AT_ONCE, AT(shutdown_timeout_sec), "120", 1, 86400, NULL,
     "Seconds a guest may take to shut down."},
    {"sources_per_worker", NUMBER, AT_START, AT(sources_per_worker), "64", 1, 1000, NULL,
     "Sources that share one worker process."},
    {"max_workers", NUMBER, AT_START, AT(max_workers), "16", 1, 64, NULL,
     "Worker processes at most."},
    {"worker_memory", NUMBER, AT_START, AT(worker_rss_mib), "512", 0, 65536, NULL,
     "MiB beyond which a worker is replaced; 0: no limit."},
    {"discovery_allow", LIST, AT_ONCE, AT(discovery_allow), "", 0, 0, NULL,
     "Subnets (separated by ';') that a discovery may look into; empty: those of this machine."},
    {"discovery_rate", NUMBER, AT_ONCE, AT(discovery_rate), "500", 1, XC_SCAN_RATE_MAX, NULL,
     "Connections in a second that a discovery begins at most."},
    {"discovery_credentials", LIST, AT_ONCE, AT(discovery_credentials), "", 0, 0, NULL,
     "Credentials (separated by ';') that a discovery may try by SSH at hosts whose key is in "
     "known_hosts."},
    {"vm_mib", SWITCH, AT_START, AT(vm_mib), "yes", 0, 0, NULL,
     "Serve VM-MIB of RFC 7666, beside our own objects."},
    {"vm_cpu_affinity", SWITCH, AT_ONCE, AT(vm_cpu_affinity), "no", 0, 0, NULL,
     "Fill vmCpuAffinityTable: a row for each processor of the host, for each virtual one."},
    {"librenms", SWITCH, AT_START, AT(librenms), "no", 0, 0, NULL,
     "Serve the table of virtual machines that LibreNMS reads from XCP-ng."},
    {"contexts", SWITCH, AT_START, AT(contexts), "yes", 0, 0, NULL,
     "Serve what each host has of all this in an SNMP context of its name, too, to be read."},
};

/* Of a section [source KEY]; places in struct xc_config_source. */
#define SPEC(member)                                                                               \
    (offsetof(struct xc_config_source, spec) + offsetof(struct xc_source_spec, member))
static const struct option source_options[] = {
    {"uri", TEXT, AT_ONCE, SPEC(uri), "", 0, 0, NULL,
     "ssh://USER@HOST[:PORT] (xl over SSH), xl:/// (xl on this machine), https://HOST[:PORT] (a "
     "pool of XCP-ng or XenServer), sim://..."},
    {"credential", TEXT, AT_ONCE, SPEC(credential), "", 0, 0, NULL,
     "Name of a file in credential_dir."},
    {"address", TEXT, AT_ONCE, SPEC(address), "", 0, 0, NULL,
     "What other hosts call this one, for migrations to it."},
    {"config_dirs", TEXT, AT_ONCE, SPEC(config_dirs), "", 0, 0, NULL,
     "Directories with domain configurations, separated by ':'; default /etc/xen."},
    {"save_dir", PATH, AT_ONCE, SPEC(save_dir), "", 0, 0, NULL,
     "Directory on the host, already there and writable to its owner alone, where suspended "
     "domains "
     "are saved; nothing: they can't be suspended."},
    {"tls_insecure", SWITCH, AT_ONCE, SPEC(tls_insecure), "no", 0, 0, NULL,
     "Take any certificate: whoever stands between gets the password. `xenctl trust` is the cure."},
    {"interval", NUMBER, AT_ONCE, offsetof(struct xc_config_source, interval_sec), "", 1, 3600,
     NULL, "Seconds between two polls; default: that of [agent]."},
    {"enabled", SWITCH, AT_ONCE, offsetof(struct xc_config_source, enabled), "yes", 0, 0, NULL,
     "Poll it at all?"},
};

/* --- messages */

static bool is_section(const char *line, const char *section)
{
    size_t n = strlen(section);

    while (*line == ' ' || *line == '\t')
        line++;
    return *line == '[' && strncmp(line + 1, section, n) == 0 && line[n + 1] == ']';
}

/* The line (from 1) of a key of a section, or of the section when key is NULL; 0 unknown. */
static unsigned line_of(const struct reading *r, const char *section, const char *key)
{
    bool inside = false;

    for (unsigned i = 0; r->lines[i]; i++) {
        const char *line = r->lines[i];
        size_t n = key ? strlen(key) : 0;

        while (*line == ' ' || *line == '\t')
            line++;
        if (*line == '[') {
            inside = is_section(line, section);
            if (inside && !key)
                return i + 1;
        } else if (inside && key && strncmp(line, key, n) == 0 && strchr(" \t=", line[n]) != NULL) {
            return i + 1;
        }
    }
    return 0;
}

bool xc_config_wrong(const struct reading *r, const char *section, const char *key, GError **error,
                     const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    return xc_fail(error, XC_CAUSE_BAD_CONFIG, "%s:%u: [%s] %s%s%s", r->path,
                   line_of(r, section, key), section, key ? key : "", key ? ": " : "", text);
}

/* --- values */

static bool to_switch(const char *text, bool *out)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {{"yes", true}, {"true", true},   {"on", true},   {"1", true},
                 {"no", false}, {"false", false}, {"off", false}, {"0", false}};

    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (g_ascii_strcasecmp(text, words[i].word) == 0) {
            *out = words[i].value;
            return true;
        }
    return false;
}

static bool has_word(const char *words, const char *word)
{
    g_auto(GStrv) list = g_strsplit(words, " ", -1);

    return g_strv_contains((const gchar *const *)list, word);
}

/* What an option takes, in words; newly allocated. */
static char *allowed_of(const struct option *option)
{
    switch (option->kind) {
    case NUMBER:
        return g_strdup_printf("a number from %u to %u", option->min, option->max);
    case SWITCH:
        return g_strdup("yes or no");
    case PATH:
        return g_strdup(*option->initial ? "an absolute path" : "an absolute path, or nothing");
    case CHOICE:
        return g_strdup_printf("one of: %s", option->choices);
    case LIST:
        return g_strdup("texts separated by ';'");
    case TEXT:
        break;
    }
    return g_strdup_printf("a text of at most %d octets", XC_TEXT_MAX);
}

/* Puts a value in its place in the struct of its section. False: it is not allowed. */
bool xc_config_assign(void *section, const struct option *option, const char *text)
{
    void *at = (char *)section + option->offset;
    uint64_t number;

    switch (option->kind) {
    case NUMBER:
        if (!xc_text_to_u64(text, option->min, option->max, &number, NULL))
            return false;
        *(unsigned *)at = (unsigned)number;
        return true;
    case SWITCH:
        return to_switch(text, at);
    case LIST:
        g_strfreev(*(char ***)at);
        *(char ***)at = g_strsplit(text, ";", -1);
        for (char **word = *(char ***)at; *word; word++)
            g_strstrip(*word);
        return true;
    case PATH:
        if (*text != '/' && (*text || *option->initial))
            return false;
        break;
    case CHOICE:
        if (!has_word(option->choices, text))
            return false;
        break;
    case TEXT:
        if (strlen(text) > XC_TEXT_MAX)
            return false;
        break;
    }
    g_free(*(char **)at);
    *(char **)at = g_strdup(text);
    return true;
}

struct xc_config *xc_config_new(void)
{
    struct xc_config *config = g_new0(struct xc_config, 1);

    config->sources = g_ptr_array_new();
    config->groups = g_ptr_array_new();
    for (size_t i = 0; i < G_N_ELEMENTS(options); i++)
        if (!xc_config_assign(config, &options[i], options[i].initial))
            g_error("the default of %s is not allowed", options[i].name);
    return config;
}

static void source_free(struct xc_config_source *source)
{
    xc_source_spec_clear(&source->spec);
    g_free(source);
}

void *xc_config_free(struct xc_config *config)
{
    if (!config)
        return NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(options); i++) {
        void *at = (char *)config + options[i].offset;

        if (options[i].kind == LIST)
            g_strfreev(*(char ***)at);
        else if (options[i].kind != NUMBER && options[i].kind != SWITCH)
            g_free(*(char **)at);
    }
    for (guint i = 0; i < config->sources->len; i++)
        source_free(config->sources->pdata[i]);
    for (guint i = 0; i < config->groups->len; i++)
        xc_group_spec_free(config->groups->pdata[i]);
    g_ptr_array_unref(config->sources);
    g_ptr_array_unref(config->groups);
    g_free(config);
    return NULL;
}

static bool same(const struct option *option, const struct xc_config *a, const struct xc_config *b)
{
    const char *x = (const char *)a + option->offset;
    const char *y = (const char *)b + option->offset;

    switch (option->kind) {
    case NUMBER:
        return *(const unsigned *)(const void *)x == *(const unsigned *)(const void *)y;
    case SWITCH:
        return *(const bool *)x == *(const bool *)y;
    case LIST:
        return g_strv_equal(*(const char *const *const *)(const void *)x,
                            *(const char *const *const *)(const void *)y);
    default:
        return strcmp(*(const char *const *)(const void *)x,
                      *(const char *const *)(const void *)y) == 0;
    }
}

const char *xc_config_needs_restart(const struct xc_config *a, const struct xc_config *b)
{
    for (size_t i = 0; i < G_N_ELEMENTS(options); i++)
        if (options[i].when == AT_START && !same(&options[i], a, b))
            return options[i].name;
    return NULL;
}

/* --- sections */

/* All keys of a section, into its struct. */
bool xc_config_read_keys(const struct reading *r, const char *section, void *to,
                         const struct option *known, size_t n_known, GError **error)
{
    g_auto(GStrv) keys = g_key_file_get_keys(r->file, section, NULL, NULL);

    for (char **key = keys; key && *key; key++) {
        g_autofree char *text = g_key_file_get_string(r->file, section, *key, NULL);
        g_autofree char *allowed = NULL;
        const struct option *option = NULL;

        for (size_t i = 0; i < n_known; i++)
            if (strcmp(known[i].name, *key) == 0)
                option = &known[i];
        if (!option)
            return xc_config_wrong(r, section, *key, error,
                                   "unknown key; `xensnmpd --sample-config` lists those there are");
        if (!text)
            return xc_config_wrong(r, section, *key, error, "not a text in UTF-8");
        if (xc_config_assign(to, option, g_strstrip(text)))
            continue;
        allowed = allowed_of(option);
        return xc_config_wrong(r, section, *key, error, "\"%s\" is not allowed: %s is", text,
                               allowed);
    }
    return true;
}

static bool check_source(const struct reading *r, const char *section,
                         const struct xc_config *config, const struct xc_config_source *source,
                         GError **error)
{
    const struct xc_source_spec *spec = &source->spec;
    g_autoptr(GError) inner = NULL;

    if (!*spec->uri)
        return xc_config_wrong(r, section, NULL, error, "has no uri");
    if (!xc_policy_uri(spec->uri, &inner))
        return xc_config_wrong(r, section, "uri", error, "%s", inner->message);
    if (spec->tls_insecure && !xc_driver_for(spec->uri, NULL)->tls)
        return xc_config_wrong(r, section, "tls_insecure", error, "%s shows no certificate",
                               spec->uri);
    if (*spec->credential && !xc_credential_exists(config->credential_dir, spec->credential))
        return xc_config_wrong(r, section, "credential", error,
                               "%s/%s does not exist; `xenctl credential add %s` writes it",
                               config->credential_dir, spec->credential, spec->credential);
    return true;
}

static bool check_agent(const struct reading *r, const struct xc_config *config, GError **error)
{
    for (char **word = config->discovery_allow; *word; word++) {
        g_autoptr(GError) inner = NULL;
        struct xc_subnet subnet;

        if (**word && !xc_subnet_parse(*word, &subnet, &inner))
            return xc_config_wrong(r, "agent", "discovery_allow", error, "%s", inner->message);
    }
    for (char **word = config->discovery_credentials; *word; word++)
        if (**word && !xc_text_is_key(*word, 32))
            return xc_config_wrong(r, "agent", "discovery_credentials", error,
                                   "\"%s\" is no name of a credential: 1..32 of A-Za-z0-9._-",
                                   *word);
    return true;
}

static bool read_source(const struct reading *r, const char *section, struct xc_config *config,
                        GError **error)
{
    const char *name = section + strlen("source ");
    struct xc_config_source *source;

    if (!xc_text_is_key(name, 32))
        return xc_config_wrong(
            r, section, NULL, error,
            "the key of a source is 1 to 32 of A-Z a-z 0-9 . _ - and begins with a "
            "letter or digit");
    source = g_new0(struct xc_config_source, 1);
    g_ptr_array_add(config->sources, source);
    source->spec.key = g_strdup(name);
    for (size_t i = 0; i < G_N_ELEMENTS(source_options); i++)
        xc_config_assign(source, &source_options[i],
                         source_options[i].initial); /* "" of a number: 0 */
    if (!xc_config_read_keys(r, section, source, source_options, G_N_ELEMENTS(source_options),
                             error))
        return false;
    return check_source(r, section, config, source, error);
}

static bool twice(const struct reading *r, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) owned = g_ptr_array_new_with_free_func(g_free);

    for (unsigned i = 0; r->lines[i]; i++) {
        char *section = g_strstrip(g_strdup(r->lines[i]));

        g_ptr_array_add(owned, section);
        if (*section == '[' && !g_hash_table_add(seen, section)) {
            xc_fail(error, XC_CAUSE_BAD_CONFIG, "%s:%u: %s stands twice", r->path, i + 1, section);
            return true;
        }
    }
    return false;
}

static bool read_all(const struct reading *r, struct xc_config *config, GError **error)
{
    g_auto(GStrv) sections = g_key_file_get_groups(r->file, NULL);

    /* [agent] first, wherever it stands: sources are checked against its directories. */
    if (twice(r, error) ||
        !xc_config_read_keys(r, "agent", config, options, G_N_ELEMENTS(options), error) ||
        !check_agent(r, config, error))
        return false;
    for (char **section = sections; *section; section++) {
        if (strcmp(*section, "agent") == 0)
            continue;
        if (xc_config_is_group(*section))
            continue;
        if (!g_str_has_prefix(*section, "source "))
            return xc_config_wrong(
                r, *section, NULL, error,
                "unknown section; there are [agent], [source KEY], [group NAME] and "
                "[member GROUP/MEMBER]");
        if (!read_source(r, *section, config, error))
            return false;
    }
    return xc_config_read_groups(r, config, error);
}

/* Can the first n lines be read? GLib's messages quote a line but do not number it. */
static bool lines_load(char **lines, unsigned n, GKeyFile *file, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (unsigned i = 0; i < n; i++)
        g_string_append_printf(text, "%s\n", lines[i]);
    return g_key_file_load_from_data(file, text->str, text->len, G_KEY_FILE_NONE, error);
}

static bool load_lines(const struct reading *r, GError **error)
{
    unsigned good = 0, bad = g_strv_length(r->lines);
    g_autoptr(GError) inner = NULL;

    if (lines_load(r->lines, bad, r->file, &inner))
        return true;
    while (bad - good > 1) {
        g_autoptr(GKeyFile) trial = g_key_file_new();
        unsigned middle = good + (bad - good) / 2;

        if (lines_load(r->lines, middle, trial, NULL))
            good = middle;
        else
            bad = middle;
    }
    return xc_fail(error, XC_CAUSE_BAD_CONFIG, "%s:%u: %s", r->path, bad, inner->message);
}

static bool is_text(const struct reading *r, const char *content, size_t length, GError **error)
{
    const char *end = NULL;
    unsigned line = 1;

    if (g_utf8_validate(content, (gssize)length, &end))
        return true;
    for (const char *at = content; at < end; at++)
        line += *at == '\n';
    return xc_fail(error, XC_CAUSE_BAD_CONFIG,
                   "%s:%u: octet 0x%02x is not UTF-8: write the file as UTF-8 text", r->path, line,
                   (unsigned)(unsigned char)*end);
}

struct xc_config *xc_config_load(const char *path, GError **error)
{
    g_autoptr(xc_config) config = xc_config_new();
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autofree char *content = NULL;
    g_auto(GStrv) lines = NULL;
    g_autoptr(GError) inner = NULL;
    gsize length;

    if (!g_file_get_contents(path, &content, &length, &inner)) {
        xc_fail(error, XC_CAUSE_BAD_CONFIG,
                "%s: %s; `xensnmpd --sample-config` prints one to begin with", path,
                inner->message);
        return NULL;
    }
    lines = g_strsplit(content, "\n", -1);
    struct reading r = {path, lines, file};
    if (!is_text(&r, content, length, error) || !load_lines(&r, error) ||
        !read_all(&r, config, error))
        return NULL;
    return g_steal_pointer(&config);
}

/* --- the tables as text */

void xc_config_put_samples(GString *out, const struct option *table, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct option *o = &table[i];

        g_string_append_printf(out, "# %s", o->help);
        if (o->kind == NUMBER)
            g_string_append_printf(out, " (%u to %u)", o->min, o->max);
        else if (o->kind == CHOICE)
            g_string_append_printf(out, " (%s)", o->choices);
        g_string_append_printf(out, "%s\n#%s =%s%s\n",
                               o->when == AT_START ? " Needs a restart." : "", o->name,
                               *o->initial ? " " : "", o->initial);
    }
}

char *xc_config_sample(void)
{
    GString *out = g_string_new("# xensnmpd.conf: every option with its default.\n\n[agent]\n");

    xc_config_put_samples(out, options, G_N_ELEMENTS(options));
    g_string_append(out, "\n# One section per source; KEY is its name in SNMP and xenctl.\n"
                         "#[source dom0-a]\n");
    xc_config_put_samples(out, source_options, G_N_ELEMENTS(source_options));
    xc_config_sample_groups(out);
    return g_string_free(out, FALSE);
}

void xc_config_put_options(GString *out, const char *section, const struct option *table, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        g_autofree char *allowed = allowed_of(&table[i]);

        g_string_append_printf(out, "%s\t%s\t%s\t%s\t%s\t%s\n", section, table[i].name, allowed,
                               table[i].initial, table[i].when == AT_START ? "restart" : "reload",
                               table[i].help);
    }
}

char *xc_config_options(void)
{
    GString *out = g_string_new("section\tname\tallowed\tdefault\twhen\thelp\n");

    xc_config_put_options(out, "agent", options, G_N_ELEMENTS(options));
    xc_config_put_options(out, "source KEY", source_options, G_N_ELEMENTS(source_options));
    xc_config_options_groups(out);
    return g_string_free(out, FALSE);
}
