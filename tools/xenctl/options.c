/* xenctl's options as one table: parsing, checking, help and completion come from it. */
#include "tools/xenctl/xenctl.h"

#include "xenclient/util/error.h"
#include "xenclient/util/text.h"

#include <stddef.h>
#include <string.h>

enum kind { FLAG, TEXT, TEXTS, NUMBER };

struct option {
    const char *name;
    const char *argument; /* NULL: a flag */
    enum kind kind;
    size_t offset;
    int64_t max; /* of numbers, from 0 */
    unsigned groups;
    const char *help;
};

#define AT(member) offsetof(struct ctl_options, member)

static const struct option options[] = {
    {"agent", "HOST[:PORT]", TEXT, AT(agent), 0, CTL_G_AGENT,
     "the agent instead of the client file's host"},
    {"client-config", "FILE", TEXT, AT(client_config), 0, CTL_G_AGENT,
     "instead of ~/.config/xensnmp/client.conf"},
    {"profile", "NAME", TEXT, AT(profile), 0, CTL_G_AGENT, "section [client NAME] of that file"},
    {"json", NULL, FLAG, AT(json), 0, CTL_G_JSON, "print JSON"},
    {"all", NULL, FLAG, AT(all), 0, CTL_G_DOMAINS, "deleted domains too"},
    {"no-wait", NULL, FLAG, AT(no_wait), 0, CTL_G_WAIT,
     "return as soon as the request is accepted"},
    {"timeout", "SECONDS", NUMBER, AT(timeout), 86400, CTL_G_VERB,
     "how long the operation may take"},
    {"note", "TEXT", TEXT, AT(note), 0, CTL_G_VERB, "kept with the operation: who and why"},
    {"on", "HOST", TEXT, AT(start_on), 0, CTL_G_START, "the host to start on"},
    {"credential", "NAME", TEXT, AT(credential), 0, CTL_G_SOURCE,
     "a credential of the agent's machine"},
    {"address", "HOST", TEXT, AT(address), 0, CTL_G_SOURCE,
     "how other hosts call this one in migrations"},
    {"config-dirs", "DIR[:DIR]", TEXT, AT(config_dirs), 0, CTL_G_SOURCE,
     "where its domains' configurations lie"},
    {"save-dir", "DIR", TEXT, AT(save_dir), 0, CTL_G_SOURCE, "where suspended domains are saved"},
    {"interval", "SECONDS", NUMBER, AT(interval), 3600, CTL_G_SOURCE | CTL_G_WATCH,
     "time between two polls"},
    {"uri", "GLOB", TEXTS, AT(uris), 0, CTL_G_CREDENTIAL, "where it may be used; may be repeated"},
    {"key", "FILE", TEXT, AT(key_file), 0, CTL_G_CREDENTIAL, "SSH private key (ed25519 or ECDSA)"},
    {"ssh-agent", NULL, FLAG, AT(ssh_agent), 0, CTL_G_CREDENTIAL,
     "use the SSH agent of the daemon"},
    {"user", "NAME", TEXT, AT(user), 0, CTL_G_CREDENTIAL, "for protocols that send a user"},
    {"password-stdin", NULL, FLAG, AT(password_stdin), 0, CTL_G_CREDENTIAL,
     "read a password: from stdin, or asked on a terminal"},
    {"replace", NULL, FLAG, AT(replace), 0, CTL_G_CREDENTIAL, "overwrite one of that name"},
    {"credential-dir", "DIR", TEXT, AT(credential_dir), 0, CTL_G_FILES,
     "instead of the configured folder"},
    {"known-hosts", "FILE", TEXT, AT(known_hosts), 0, CTL_G_TRUST,
     "instead of the configured file"},
    {"config", "FILE", TEXT, AT(config), 0, CTL_G_FILES | CTL_G_TRUST | CTL_G_DOCTOR,
     "xensnmpd's configuration file"},
    {"yes", "FINGERPRINT", TEXT, AT(yes), 0, CTL_G_TRUST,
     "trust without asking if the key has this fingerprint"},
    {"count", "N", NUMBER, AT(count), 1000000, CTL_G_WATCH, "stop after N looks"},
    {"snmpd-conf", "FILE", TEXT, AT(snmpd_conf), 0, CTL_G_DOCTOR,
     "instead of /etc/snmp/snmpd.conf"},
    {"agentx-socket", "PATH", TEXT, AT(agentx_socket), 0, CTL_G_DOCTOR,
     "instead of what snmpd.conf says"},
};

/* The option of an argument "--name" or "--name=value"; *value: behind '=', or NULL. */
static const struct option *find_option(const char *argument, const char **value)
{
    const char *name = argument + 2;
    const char *equals = strchr(name, '=');
    size_t length = equals ? (size_t)(equals - name) : strlen(name);

    *value = equals ? equals + 1 : NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(options); i++)
        if (strlen(options[i].name) == length && memcmp(options[i].name, name, length) == 0)
            return &options[i];
    return NULL;
}

static void append_text(char ***list, const char *text)
{
    unsigned n = *list ? g_strv_length(*list) : 0;

    *list = g_renew(char *, *list, n + 2);
    (*list)[n] = g_strdup(text);
    (*list)[n + 1] = NULL;
}

static bool store_number(const struct option *option, void *to, const char *value, GError **error)
{
    uint64_t number;

    if (!xc_text_to_u64(value, 0, (uint64_t)option->max, &number, error)) {
        g_prefix_error(error, "--%s: ", option->name);
        return false;
    }
    *(int64_t *)to = (int64_t)number;
    return true;
}

static bool store(const struct option *option, struct ctl_options *opt, const char *value,
                  GError **error)
{
    void *to = (char *)opt + option->offset;

    switch (option->kind) {
    case FLAG:
        *(bool *)to = true;
        return true;
    case TEXT:
        g_free(*(char **)to);
        *(char **)to = g_strdup(value);
        return true;
    case TEXTS:
        append_text(to, value);
        return true;
    case NUMBER:
        break;
    }
    return store_number(option, to, value, error);
}

static bool take_option(int argc, char **argv, int *i, struct ctl_options *opt, GError **error)
{
    const char *value;
    const struct option *option = find_option(argv[*i], &value);

    if (!option)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "no option %s; see xenctl help", argv[*i]);
    if (!option->argument && value)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "--%s takes no value", option->name);
    if (option->argument && !value) {
        if (*i + 1 >= argc)
            return xc_fail(error, XC_CAUSE_BAD_VALUE, "--%s needs %s", option->name,
                           option->argument);
        value = argv[++*i];
    }
    return store(option, opt, value, error);
}

static bool is_option(const char *argument)
{
    return argument[0] == '-' && argument[1] == '-' && argument[2] != '\0';
}

bool ctl_parse(int argc, char **argv, struct ctl *ctl, char **words, unsigned *n_out,
               GError **error)
{
    bool only_words = false;

    *n_out = 0;
    ctl->opt.timeout = ctl->opt.interval = ctl->opt.count = -1;
    for (int i = 1; i < argc; i++) {
        if (!only_words && g_str_equal(argv[i], "--"))
            only_words = true;
        else if (only_words || !is_option(argv[i]))
            words[(*n_out)++] = argv[i];
        else if (g_str_equal(argv[i], "--help"))
            words[(*n_out)++] = argv[i];
        else if (!take_option(argc, argv, &i, &ctl->opt, error))
            return false;
    }
    return true;
}

static bool was_given(const struct option *option, int argc, char **argv)
{
    for (int i = 1; i < argc && !g_str_equal(argv[i], "--"); i++) {
        const char *value;
        const struct option *given = is_option(argv[i]) ? find_option(argv[i], &value) : NULL;

        if (given == option)
            return true;
        if (given && given->argument && !value)
            i++;
    }
    return false;
}

bool ctl_check_options(const struct ctl *ctl, int argc, char **argv, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(options); i++)
        if (!(options[i].groups & ctl->command->options) && was_given(&options[i], argc, argv))
            return xc_fail(error, XC_CAUSE_BAD_VALUE,
                           "--%s does not go with %s; see xenctl help %s", options[i].name,
                           ctl->command->name, ctl->command->name);
    return true;
}

void ctl_options_clear(struct ctl_options *opt)
{
    for (size_t i = 0; i < G_N_ELEMENTS(options); i++) {
        void *at = (char *)opt + options[i].offset;

        if (options[i].kind == TEXT)
            g_clear_pointer((char **)at, g_free);
        else if (options[i].kind == TEXTS)
            g_clear_pointer((char ***)at, g_strfreev);
    }
}

char *ctl_options_help(unsigned groups)
{
    GString *out = g_string_new(NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(options); i++) {
        g_autofree char *name =
            g_strdup_printf("--%s%s%s", options[i].name, options[i].argument ? " " : "",
                            options[i].argument ? options[i].argument : "");

        if (options[i].groups & groups)
            g_string_append_printf(out, "  %-24s %s\n", name, options[i].help);
    }
    return g_string_free(out, FALSE);
}

char *ctl_options_words(unsigned groups)
{
    GString *out = g_string_new(NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(options); i++)
        if (options[i].groups & groups)
            g_string_append_printf(out, "%s--%s", out->len ? " " : "", options[i].name);
    return g_string_free(out, FALSE);
}
