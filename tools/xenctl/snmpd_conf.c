/* What of snmpd.conf matters to xensnmpd. */
#include "tools/xenctl/snmpd_conf.h"

#include <stddef.h>
#include <string.h>

/* Files in all that are looked at: includes may include each other. */
#define FILES_MAX 64u

enum kind { WORD, SECONDS, NUMBER, AGENTX, INCLUDE_FILE, INCLUDE_DIR };

#define AT(member) offsetof(struct snmpd_conf, member)

static const struct {
    const char *section;
    const char *name;
    enum kind kind;
    size_t offset;
} directives[] = {
    {"snmpd", "master", AGENTX, AT(master_agentx)},
    {"snmpd", "agentXSocket", WORD, AT(agentx_socket)},
    {"snmpd", "agentXTimeout", SECONDS, AT(agentx_timeout)},
    {"snmpd", "maxGetbulkResponses", NUMBER, AT(max_getbulk)},
    {"snmp", "sendMessageMaxSize", NUMBER, AT(send_message_max)},
    {NULL, "includeFile", INCLUDE_FILE, 0},
    {NULL, "includeDir", INCLUDE_DIR, 0},
};

void snmpd_conf_init(struct snmpd_conf *conf)
{
    *conf =
        (struct snmpd_conf){.agentx_timeout = -1, .max_getbulk = G_MINLONG, .send_message_max = -1};
}

void snmpd_conf_clear(struct snmpd_conf *conf)
{
    g_free(conf->agentx_socket);
    snmpd_conf_init(conf);
}

/* "5", "5s", "1m" ... */
static long seconds(const char *value)
{
    static const struct {
        char unit;
        long seconds;
    } units[] = {{'m', 60}, {'h', 3600}, {'d', 86400}};
    char *end;
    long number = (long)g_ascii_strtoll(value, &end, 10);

    for (size_t i = 0; i < G_N_ELEMENTS(units); i++)
        if (g_ascii_tolower(*end) == units[i].unit)
            return number * units[i].seconds;
    return number;
}

static void add_directory(GPtrArray *includes, const char *path)
{
    GDir *dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir)))
        if (g_str_has_suffix(name, ".conf"))
            g_ptr_array_add(includes, g_build_filename(path, name, NULL));
    if (dir)
        g_dir_close(dir);
}

static void apply(struct snmpd_conf *conf, enum kind kind, size_t offset, const char *value,
                  GPtrArray *includes)
{
    void *to = (char *)conf + offset;

    switch (kind) {
    case WORD:
        g_free(*(char **)to);
        *(char **)to = g_strdup(value);
        break;
    case SECONDS:
        *(long *)to = seconds(value);
        break;
    case NUMBER:
        *(long *)to = (long)g_ascii_strtoll(value, NULL, 10);
        break;
    case AGENTX:
        *(bool *)to |= g_ascii_strcasecmp(value, "agentx") == 0 ||
                       g_ascii_strcasecmp(value, "all") == 0 ||
                       g_ascii_strcasecmp(value, "yes") == 0;
        break;
    case INCLUDE_FILE:
        g_ptr_array_add(includes, g_strdup(value));
        break;
    case INCLUDE_DIR:
        add_directory(includes, value);
        break;
    }
}

static void take_directive(struct snmpd_conf *conf, const char *section, char *line,
                           GPtrArray *includes)
{
    size_t length = strcspn(line, " \t");
    g_autofree char *name = g_strndup(line, length);
    char *value = g_strstrip(line + length);

    if (!value[0])
        return;
    value[strcspn(value, " \t#")] = '\0';
    for (size_t i = 0; i < G_N_ELEMENTS(directives); i++)
        if (g_ascii_strcasecmp(directives[i].name, name) == 0 &&
            (!directives[i].section || g_str_equal(directives[i].section, section)))
            apply(conf, directives[i].kind, directives[i].offset, value, includes);
}

/* "[snmp] token value" is about one line, "[snmp]" alone about all that follow. Returns what is behind it. */
static char *take_section(char *line, char **section, char **one_line)
{
    char *end = strchr(line, ']');
    g_autofree char *name = end ? g_strndup(line + 1, (gsize)(end - line - 1)) : NULL;
    char *rest = end ? g_strstrip(end + 1) : line + strlen(line);

    if (name && !rest[0]) {
        g_free(*section);
        *section = g_steal_pointer(&name);
    } else if (name) {
        *one_line = g_steal_pointer(&name);
    }
    return rest;
}

void snmpd_conf_parse(struct snmpd_conf *conf, const char *text, const char *section,
                      GPtrArray *includes)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autofree char *now = g_strdup(section);

    for (char **at = lines; *at; at++) {
        char *line = g_strstrip(*at);
        g_autofree char *one_line = NULL;

        if (line[0] == '#')
            continue;
        if (line[0] == '[')
            line = take_section(line, &now, &one_line);
        take_directive(conf, one_line ? one_line : now, line, includes);
    }
}

static void parse_files(struct snmpd_conf *conf, GPtrArray *files, const char *section)
{
    for (unsigned i = 0; i < files->len && i < FILES_MAX; i++) {
        g_autofree char *text = NULL;

        if (g_file_get_contents(g_ptr_array_index(files, i), &text, NULL, NULL))
            snmpd_conf_parse(conf, text, section, files);
    }
}

bool snmpd_conf_load(struct snmpd_conf *conf, const char *path, GError **error)
{
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) common = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *dir = g_path_get_dirname(path);
    g_autofree char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, error))
        return false;
    g_ptr_array_add(common, g_build_filename(dir, "snmp.conf", NULL));
    parse_files(conf, common, "snmp");
    snmpd_conf_parse(conf, text, "snmpd", files);
    parse_files(conf, files, "snmpd");
    return true;
}
