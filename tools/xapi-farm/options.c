/* Options as a table: name, kind, help. */
#include "tools/xapi-farm/options.h"

#include "tools/xapi-farm/classes.h"
#include "tools/xapi-farm/control.h"
#include "xenclient/util/error.h"
#include "xenclient/util/text.h"

#include <string.h>

#define COORDINATOR_MAX 1024

enum kind { TEXT, TEXTS, NUMBER, FLAG };

struct option {
    const char *name;
    enum kind kind;
    size_t offset;
    const char *value;
    const char *help;
};

#define AT(member) offsetof(struct xf_options, member)

static const struct option table[] = {
    {"farm", TEXT, AT(farm), "SOCKET", "of the running xen-farm (required)"},
    {"hosts", TEXT, AT(hosts), "NAME,...",
     "the farm's hosts that are in this pool (all); others may be in another's"},
    {"listen", TEXTS, AT(listen), "ADDRESS:PORT",
     "where a host serves: once for each host of the pool, in the farm's order. Port 0: a free "
     "one, the "
     "same for all"},
    {"cert", TEXT, AT(cert), "FILE", "certificate of all hosts (PEM); without it: plain HTTP"},
    {"key", TEXT, AT(key), "FILE", "its key (PEM)"},
    {"user", TEXT, AT(user), "NAME", "who may log in (root)"},
    {"password-file", TEXT, AT(password_file), "FILE", "first line: the password (required)"},
    {"role", TEXT, AT(role), "ROLE", "of that user: pool-admin or read-only (pool-admin)"},
    {"dialect", TEXT, AT(dialect), "RELEASE", "8.2 or 8.3 (8.3)"},
    {"coordinator", NUMBER, AT(coordinator), "N", "which host leads the pool (1)"},
    {"control", TEXT, AT(control), "SOCKET", "takes commands there that make things go wrong"},
    {"record", TEXT, AT(record), "FILE",
     "appends a line for each call: who asks, the method, the kinds of its parameters"},
    {"help", FLAG, AT(help), NULL, "this text"},
    {"version", FLAG, AT(version), NULL, "the version"},
};

static const struct option *find_option(const char *arg)
{
    for (unsigned i = 0; g_str_has_prefix(arg, "--") && i < G_N_ELEMENTS(table); i++)
        if (strcmp(table[i].name, arg + 2) == 0)
            return &table[i];
    return NULL;
}

static bool set_value(struct xf_options *options, const struct option *option, const char *value,
                      GError **error)
{
    void *to = (char *)options + option->offset;

    switch (option->kind) {
    case TEXT:
        g_free(*(char **)to);
        *(char **)to = g_strdup(value);
        return true;
    case TEXTS:
        g_ptr_array_add(*(GPtrArray **)to, g_strdup(value));
        return true;
    case NUMBER:
        return xc_text_to_u64(value, 1, COORDINATOR_MAX, to, NULL) ||
               xc_fail(error, XC_CAUSE_BAD_VALUE, "--%s: \"%s\" is not a number from 1 to %d",
                       option->name, value, COORDINATOR_MAX);
    default:
        return false;
    }
}

static bool one_of(const char *option, const char *value, const char *a, const char *b,
                   GError **error)
{
    return strcmp(value, a) == 0 || strcmp(value, b) == 0 ||
           xc_fail(error, XC_CAUSE_BAD_VALUE, "--%s: \"%s\" is neither %s nor %s", option, value, a,
                   b);
}

static bool check(const struct xf_options *options, GError **error)
{
    if (options->help || options->version)
        return true;
    if (!options->farm || !options->listen->len || !options->password_file)
        return xc_fail(error, XC_CAUSE_BAD_VALUE,
                       "--farm, --listen and --password-file are needed: see --help");
    if (!options->cert != !options->key)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "--cert and --key belong together");
    if (options->coordinator > options->listen->len)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "--coordinator: there are %u hosts",
                       options->listen->len);
    return one_of("dialect", options->dialect, "8.2", "8.3", error) &&
           one_of("role", options->role, "pool-admin", "read-only", error);
}

bool xf_options_parse(struct xf_options *options, char **args, GError **error)
{
    *options = (struct xf_options){.listen = g_ptr_array_new_with_free_func(g_free),
                                   .user = g_strdup("root"),
                                   .role = g_strdup("pool-admin"),
                                   .dialect = g_strdup("8.3"),
                                   .coordinator = 1};
    for (unsigned i = 0; args[i]; i++) {
        const struct option *option = find_option(args[i]);

        if (!option)
            return xc_fail(error, XC_CAUSE_BAD_VALUE, "\"%s\" is no option: see --help", args[i]);
        if (option->kind == FLAG) {
            *(bool *)((char *)options + option->offset) = true;
            continue;
        }
        if (!args[i + 1] || !*args[i + 1])
            return xc_fail(error, XC_CAUSE_BAD_VALUE, "--%s needs %s behind it", option->name,
                           option->value);
        if (!set_value(options, option, args[++i], error))
            return false;
    }
    return check(options, error);
}

void xf_options_clear(struct xf_options *options)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(table); i++)
        if (table[i].kind == TEXT)
            g_free(*(char **)((char *)options + table[i].offset));
    g_ptr_array_unref(options->listen);
}

char *xf_options_help(void)
{
    GString *out = g_string_new(
        "usage: xapi-farm --farm SOCKET --listen ADDRESS:PORT... --password-file FILE [OPTION]...\n"
        "\n"
        "Shows the hosts of a xen-farm as one pool of XCP-ng to clients of its API, for tests.\n"
        "Prints \"ready\" and the addresses once it serves. SIGTERM ends it.\n\n");

    for (unsigned i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autofree char *left =
            g_strdup_printf("--%s %s", table[i].name, table[i].value ? table[i].value : "");

        g_string_append_printf(out, "  %-24s %s\n", left, table[i].help);
    }
    g_string_append(out, "\nCommands of the control socket, one a line:\n\n");
    xf_control_help(out);
    g_string_append(
        out, "\nExit status: 0 ended by a signal or help, 1 it could not serve, 2 bad usage.\n");
    return g_string_free(out, FALSE);
}

unsigned xf_options_dialect(const struct xf_options *options)
{
    return strcmp(options->dialect, "8.2") == 0 ? XF_82 : XF_83;
}

bool xf_options_read_only(const struct xf_options *options)
{
    return strcmp(options->role, "read-only") == 0;
}
