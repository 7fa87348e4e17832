/* xenctl's options as one table: parsing, checking, help, completion and manual page come from it. */
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
    unsigned groups;
    size_t offset;
    int64_t max; /* of numbers, from 0 */
    const char *help;
};

#define AT(member) offsetof(struct ctl_options, member)

static const struct option options[] = {
    {"agent", "HOST[:PORT]", TEXT, CTL_G_AGENT, AT(agent), 0,
     "the agent instead of the client file's host"},
    {"client-config", "FILE", TEXT, CTL_G_AGENT, AT(client_config), 0,
     "instead of ~/.config/xensnmp/client.conf"},
    {"profile", "NAME", TEXT, CTL_G_AGENT, AT(profile), 0, "section [client NAME] of that file"},
    {"json", NULL, FLAG, CTL_G_JSON, AT(json), 0, "print JSON"},
    {"all", NULL, FLAG, CTL_G_DOMAINS | CTL_G_FINDS, AT(all), 0,
     "what is left out else, too: deleted domains, finds that are sources"},
    {"no-wait", NULL, FLAG, CTL_G_WAIT, AT(no_wait), 0,
     "return as soon as the request is accepted"},
    {"timeout", "SECONDS", NUMBER, CTL_G_VERB, AT(timeout), 86400,
     "how long the operation may take"},
    {"note", "TEXT", TEXT, CTL_G_VERB | CTL_G_DISCOVER, AT(note), 0,
     "kept with the operation: who and why"},
    {"on", "HOST", TEXT, CTL_G_START, AT(start_on), 0, "the host to start on"},
    {"name", "NAME", TEXT, CTL_G_DISCOVER, AT(name), 0, "what to call it; default xenctl"},
    {"probes", "PROBE[:PORT],...", TEXT, CTL_G_DISCOVER, AT(probes), 0,
     "what to look for, of xapi, ssh, xend and libvirt; default all"},
    {"rate", "COUNT", NUMBER, CTL_G_DISCOVER, AT(rate), 10000,
     "connections begun in a second; default and limit: option discovery_rate of the daemon"},
    {"credential", "NAME", TEXT, CTL_G_SOURCE | CTL_G_DISCOVER | CTL_G_REGISTER, AT(credential), 0,
     "a credential of the agent's machine"},
    {"address", "ADDRESS", TEXT, CTL_G_SOURCE, AT(address), 0,
     "how other hosts call this one in migrations"},
    {"config-dirs", "PATH[:PATH]", TEXT, CTL_G_SOURCE, AT(config_dirs), 0,
     "where its domains' configurations lie"},
    {"save-dir", "PATH", TEXT, CTL_G_SOURCE, AT(save_dir), 0,
     "directory on the host where suspended domains are saved"},
    {"interval", "SECONDS", NUMBER, CTL_G_SOURCE | CTL_G_WATCH | CTL_G_EVENTS, AT(interval), 3600,
     "time between two polls"},
    {"descr", "TEXT", TEXT, CTL_G_GROUP | CTL_G_MEMBER, AT(descr), 0, "what it is"},
    {"hosts", "'HOST HOST'", TEXT, CTL_G_GROUP, AT(hosts), 0,
     "hosts that its members may start on, or '*': all there are"},
    {"policy", "POLICY", TEXT, CTL_G_GROUP, AT(policy), 0,
     "how members are spread: equal, byMemory, pack or pinned"},
    {"order", "ORDER", TEXT, CTL_G_GROUP, AT(order), 0,
     "parallel, or sequential: one after the other"},
    {"min-running", "COUNT", NUMBER, CTL_G_GROUP, AT(min_running), 1000,
     "members that must run for the group to be well; 0: all"},
    {"priority", "NUMBER", NUMBER, CTL_G_MEMBER, AT(priority), 100,
     "its place in the order of starting, from 1; else 50"},
    {"pin", "HOST", TEXT, CTL_G_MEMBER, AT(pin), 0, "the only host it may start on; '': any"},
    {"delay", "SECONDS", NUMBER, CTL_G_MEMBER, AT(delay), 3600,
     "how long what follows waits once it has started"},
    {"create", "TEXT", TEXT, CTL_G_MEMBER, AT(create), 0,
     "what makes it where there is no such domain: a PATH, library:NAME or template:NAME"},
    {"uri", "GLOB", TEXTS, CTL_G_CREDENTIAL, AT(uris), 0, "where it may be used; may be repeated"},
    {"key", "FILE", TEXT, CTL_G_CREDENTIAL, AT(key_file), 0, "SSH private key (ed25519 or ECDSA)"},
    {"ssh-agent", NULL, FLAG, CTL_G_CREDENTIAL, AT(ssh_agent), 0,
     "use the SSH agent of the daemon"},
    {"user", "NAME", TEXT, CTL_G_CREDENTIAL, AT(user), 0, "for protocols that send a user"},
    {"password-stdin", NULL, FLAG, CTL_G_CREDENTIAL, AT(password_stdin), 0,
     "read a password: from stdin, or asked on a terminal"},
    {"replace", NULL, FLAG, CTL_G_CREDENTIAL, AT(replace), 0, "overwrite one of that name"},
    {"credential-dir", "DIR", TEXT, CTL_G_FILES, AT(credential_dir), 0,
     "instead of the configured folder"},
    {"known-hosts", "FILE", TEXT, CTL_G_TRUST, AT(known_hosts), 0,
     "for SSH keys, instead of the configured file"},
    {"tls-pins", "FILE", TEXT, CTL_G_TRUST, AT(tls_pins), 0,
     "for certificates, instead of the configured file"},
    {"config", "FILE", TEXT, CTL_G_FILES | CTL_G_TRUST | CTL_G_DOCTOR | CTL_G_STATE, AT(config), 0,
     "xensnmpd's configuration file"},
    {"state-dir", "DIR", TEXT, CTL_G_STATE, AT(state_dir), 0, "instead of the configured folder"},
    {"yes", "FINGERPRINT", TEXT, CTL_G_TRUST, AT(yes), 0,
     "trust without asking if the key or certificate has this fingerprint"},
    {"count", "TIMES", NUMBER, CTL_G_WATCH | CTL_G_EVENTS, AT(count), 1000000,
     "stop after so many looks"},
    {"last", "COUNT", NUMBER, CTL_G_EVENTS, AT(last), 100000,
     "begin with the newest COUNT; default 50"},
    {"follow", NULL, FLAG, CTL_G_EVENTS, AT(follow), 0, "print new ones until interrupted"},
    {"snmpd-conf", "FILE", TEXT, CTL_G_DOCTOR, AT(snmpd_conf), 0,
     "instead of /etc/snmp/snmpd.conf"},
    {"agentx-socket", "PATH", TEXT, CTL_G_DOCTOR | CTL_G_SNMPD, AT(agentx_socket), 0,
     "of AgentX, instead of what snmpd.conf or snmpd itself says"},
    {"check", NULL, FLAG, CTL_G_SNMPD, AT(check), 0,
     "judge FILE, default /etc/snmp/snmpd.conf, with all that it includes"},
    {"monitor", "USER", TEXTS, CTL_G_SNMPD, AT(monitors), 0,
     "who may read; default monitor; may be repeated"},
    {"operator", "USER[:RIGHT,...[:DOMAIN,...]]", TEXTS, CTL_G_SNMPD, AT(operators), 0,
     "who may act, how, and on which domains (indexes) alone; default operator; may be repeated"},
    {"trap", "USER@HOST[:PORT]", TEXTS, CTL_G_SNMPD, AT(traps), 0,
     "where notifications go, signed and encrypted as that user; may be repeated"},
    {"listen", "ADDRESS", TEXTS, CTL_G_SNMPD, AT(listen), 0,
     "where snmpd listens besides, such as udp:161; may be repeated"},
    {"socket-group", "GROUP", TEXT, CTL_G_SNMPD, AT(socket_group), 0,
     "which may open the AgentX socket; default xensnmp"},
    {"users", "FILE", TEXT, CTL_G_SNMPD | CTL_G_SNMPD_USERS, AT(users), 0,
     "where snmpd keeps its users, instead of /var/lib/snmp/snmpd.conf"},
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
    ctl->opt.timeout = ctl->opt.interval = ctl->opt.count = ctl->opt.last = ctl->opt.rate = -1;
    ctl->opt.min_running = ctl->opt.priority = ctl->opt.delay = -1;
    for (int i = 1; i < argc; i++) {
        if (!only_words && g_str_equal(argv[i], "--"))
            only_words = true;
        else if (only_words || !is_option(argv[i]) || g_str_equal(argv[i], "--help"))
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

bool ctl_option_at(unsigned i, struct ctl_option *out)
{
    if (i >= G_N_ELEMENTS(options))
        return false;
    *out = (struct ctl_option){.name = options[i].name,
                               .argument = options[i].argument,
                               .help = options[i].help,
                               .groups = options[i].groups};
    return true;
}
