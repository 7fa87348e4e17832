/* Options as a table: name, kind, bounds, help. */
#include "tools/xen-farm/options.h"
#include "tools/xen-farm/server.h"

#include "xenclient/util/text.h"

#include <string.h>

#define NAME_MAX_OCTETS 1024
#define SPEED_SCALE     1000000

enum kind { NUMBER, REAL, TEXT, FLAG };

struct option {
    const char *name;
    enum kind kind;
    size_t offset;
    uint64_t min;
    uint64_t max;
    const char *value; /* what stands for it in the help */
    const char *help;
};

#define AT(member) offsetof(struct farm_options, member)

static const struct option options_table[] = {
    {"socket", TEXT, AT(socket), 0, 0, "PATH",
     "where sim drivers connect; PATH.ctl takes commands (required)"},
    {"hosts", NUMBER, AT(hosts), 1, FARM_MAX_HOSTS, "N", "hosts (3)"},
    {"domains", NUMBER, AT(domains), 0, FARM_MAX_DOMAINS, "N", "guests on all hosts together (12)"},
    {"seed", NUMBER, AT(seed), 0, G_MAXUINT64 - 1, "N", "the same seed makes the same fleet (1)"},
    {"names", TEXT, AT(names), 0, 0, "FILE",
     "names of guests, one a line, any octets; others are made up"},
    {"same-names", FLAG, AT(same_names), 0, 0, NULL, "every host has guests of the same names"},
    {"host-prefix", TEXT, AT(host_prefix), 0, 0, "TEXT", "hosts are TEXT1, TEXT2, ... (host)"},
    {"running", NUMBER, AT(running), 0, 100, "PERCENT",
     "part of the guests that run at the start (80)"},
    {"speed", REAL, AT(speed), 0, 0, "FACTOR", "operations take 1/FACTOR of the usual time (1)"},
    {"vcpus", NUMBER, AT(vcpus), 1, 512, "N", "of each guest (varied)"},
    {"vifs", NUMBER, AT(vifs), 0, FARM_MAX_DEVICES, "N",
     "network interfaces of each guest (varied)"},
    {"vbds", NUMBER, AT(vbds), 0, FARM_MAX_DEVICES, "N", "disks of each guest (varied)"},
    {"memory", NUMBER, AT(memory_mib), 1, 16u << 20, "MIB", "of each guest (varied)"},
    {"host-memory", NUMBER, AT(host_memory_gib), 4, 1u << 20, "GIB",
     "of each host (half as much again as its guests need)"},
    {"host-cpus", NUMBER, AT(host_cpus), 2, 4096, "N", "of each host (varied)"},
    {"churn", NUMBER, AT(churn), 1, 60000, "N",
     "so many guests change by themselves in a minute (none)"},
    {"journal", TEXT, AT(journal), 0, 0, "FILE",
     "remembers executions there, so that the counts outlive a kill"},
    {"ready-fd", NUMBER, AT(ready_fd), 0, 1u << 20, "FD",
     "writes \"ready\" there too once it serves, and closes it"},
    {"help", FLAG, AT(help), 0, 0, NULL, "this text"},
    {"version", FLAG, AT(version), 0, 0, NULL, "the version"},
};

static void set_defaults(struct farm_options *options)
{
    *options = (struct farm_options){
        .seed = 1,
        .hosts = 3,
        .domains = 12,
        .running = 80,
        .speed = 1,
        .vcpus = FARM_VARIED,
        .vifs = FARM_VARIED,
        .vbds = FARM_VARIED,
        .memory_mib = FARM_VARIED,
        .host_memory_gib = FARM_VARIED,
        .host_cpus = FARM_VARIED,
        .churn = FARM_VARIED,
        .ready_fd = FARM_VARIED,
    };
}

static const struct option *find_option(const char *arg, size_t length)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(options_table); i++)
        if (strlen(options_table[i].name) == length &&
            strncmp(options_table[i].name, arg, length) == 0)
            return &options_table[i];
    return NULL;
}

static bool set_value(struct farm_options *options, const struct option *option, const char *value,
                      GError **error)
{
    void *to = (char *)options + option->offset;
    uint64_t scaled;

    switch (option->kind) {
    case NUMBER:
        return xc_text_to_u64(value, option->min, option->max, to, NULL) ||
               xc_fail(error, XC_CAUSE_BAD_VALUE,
                       "--%s: \"%s\" is not a number from %" G_GUINT64_FORMAT
                       " to %" G_GUINT64_FORMAT,
                       option->name, value, option->min, option->max);
    case REAL:
        if (!xc_text_to_scaled(value, SPEED_SCALE, &scaled, NULL) || scaled == 0)
            return xc_fail(error, XC_CAUSE_BAD_VALUE,
                           "--%s: \"%s\" is not a decimal number above 0", option->name, value);
        *(double *)to = (double)scaled / SPEED_SCALE;
        return true;
    case TEXT:
        if (!*value)
            return xc_fail(error, XC_CAUSE_BAD_VALUE, "--%s: %s is empty", option->name,
                           option->value);
        g_free(*(char **)to);
        *(char **)to = g_strdup(value);
        return true;
    case FLAG:
        break;
    }
    return xc_fail(error, XC_CAUSE_BAD_VALUE, "--%s takes no value", option->name);
}

/* One option at args[*i], which moves on to its value when that is a word of its own. */
static bool parse_one(struct farm_options *options, char **args, unsigned *i, GError **error)
{
    const char *arg = args[*i];
    const char *equals = strchr(arg, '=');
    const struct option *option;

    if (strncmp(arg, "--", 2) != 0 || !arg[2])
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "\"%s\" is no option: see --help", arg);
    option = find_option(arg + 2, equals ? (size_t)(equals - arg - 2) : strlen(arg + 2));
    if (!option)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "there is no option %s: see --help", arg);
    if (option->kind == FLAG && !equals) {
        *(bool *)((char *)options + option->offset) = true;
        return true;
    }
    if (!equals && !args[*i + 1])
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "--%s needs %s behind it", option->name,
                       option->value);
    return set_value(options, option, equals ? equals + 1 : args[++*i], error);
}

bool farm_options_parse(struct farm_options *options, char **args, GError **error)
{
    set_defaults(options);
    for (unsigned i = 0; args[i]; i++)
        if (!parse_one(options, args, &i, error))
            return false;
    if (options->help || options->version)
        return true;
    if (!options->socket)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "--socket PATH is needed: see --help");
    if (options->host_prefix && !xc_text_is_key(options->host_prefix, 24))
        return xc_fail(error, XC_CAUSE_BAD_VALUE,
                       "--host-prefix: 1 to 24 of A-Za-z0-9._- beginning with a letter or digit");
    return true;
}

void farm_options_clear(struct farm_options *options)
{
    g_free(options->socket);
    g_free(options->names);
    g_free(options->host_prefix);
    g_free(options->journal);
}

char *farm_options_help(void)
{
    GString *out = g_string_new(
        "usage: xen-farm --socket PATH [OPTION]...      simulate a fleet of Xen hosts\n"
        "       xen-farm ctl PATH COMMAND [ARGUMENT]... script it\n"
        "\n"
        "Prints \"ready\" once it serves. The sources are sim://PATH/HOST, or sim://PATH/@all for "
        "all\n"
        "hosts as one pool (PATH begins with /). SIGTERM ends it.\n"
        "\n");

    for (unsigned i = 0; i < G_N_ELEMENTS(options_table); i++) {
        const struct option *o = &options_table[i];
        g_autofree char *left =
            g_strdup_printf("--%s%s%s", o->name, o->value ? " " : "", o->value ? o->value : "");

        g_string_append_printf(out, "  %-20s %s\n", left, o->help);
    }
    g_string_append(out, "\nCommands of ctl:\n\n");
    farm_commands_help(out);
    g_string_append(
        out, "\nExit status: 0 ended by a signal or help, 1 it could not serve, 2 bad usage.\n");
    return g_string_free(out, FALSE);
}

/* One name a line; an empty line ends nothing and names nobody. */
static bool read_names(const char *path, GPtrArray **out, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) wrong = NULL;
    g_autofree char *text = NULL;
    gsize length = 0;
    unsigned line = 0;

    if (!g_file_get_contents(path, &text, &length, &wrong))
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "--names: %s", wrong->message);
    for (const char *at = text; at < text + length; line++) {
        const char *end = memchr(at, '\n', (size_t)(text + length - at));
        size_t n = (size_t)((end ? end : text + length) - at);

        if (n > NAME_MAX_OCTETS || memchr(at, 0, n))
            return xc_fail(error, XC_CAUSE_BAD_VALUE,
                           "--names: %s line %u: a name has at most %d octets, none of them zero",
                           path, line + 1, NAME_MAX_OCTETS);
        if (n)
            g_ptr_array_add(names, g_strndup(at, n));
        at += n + 1;
    }
    *out = g_steal_pointer(&names);
    return true;
}

static uint64_t given(uint64_t value, uint64_t otherwise)
{
    return value == FARM_VARIED ? otherwise : value;
}

bool farm_options_config(const struct farm_options *options, struct farm_config *config,
                         GError **error)
{
    farm_config_init(config);
    config->seed = options->seed;
    config->hosts = (unsigned)options->hosts;
    config->domains = (unsigned)options->domains;
    if (options->host_prefix)
        config->host_prefix = options->host_prefix;
    config->same_names = options->same_names;
    config->running_percent = (unsigned)options->running;
    config->speed = options->speed;
    config->vcpus = (unsigned)given(options->vcpus, 0);
    config->vifs = options->vifs == FARM_VARIED ? -1 : (int)options->vifs;
    config->vbds = options->vbds == FARM_VARIED ? -1 : (int)options->vbds;
    config->mem_kib = given(options->memory_mib, 0) * 1024;
    config->host_kib = given(options->host_memory_gib, 0) * 1024 * 1024;
    config->host_cpus = (unsigned)given(options->host_cpus, 0);
    return !options->names || read_names(options->names, &config->names, error);
}
