/* What of snmpd.conf matters to xensnmpd. */
#include "tools/xenctl/snmpd_conf.h"

#include <stddef.h>

enum kind { WORD, SECONDS, NUMBER, AGENTX };

#define AT(member) offsetof(struct snmpd_conf, member)

static const struct {
    const char *section;
    const char *name;
    enum kind kind;
    size_t offset;
    size_t place; /* 0: is not kept */
} directives[] = {
    {"snmpd", "master", AGENTX, AT(master_agentx), 0},
    {"snmpd", "agentXSocket", WORD, AT(agentx_socket), 0},
    {"snmpd", "agentXTimeout", SECONDS, AT(agentx_timeout), AT(timeout_at)},
    {"snmpd", "maxGetbulkResponses", NUMBER, AT(max_getbulk), AT(getbulk_at)},
    {"snmp", "sendMessageMaxSize", NUMBER, AT(send_message_max), AT(message_at)},
};

void snmpd_conf_init(struct snmpd_conf *conf)
{
    *conf =
        (struct snmpd_conf){.agentx_timeout = -1, .max_getbulk = G_MINLONG, .send_message_max = -1};
}

void snmpd_conf_clear(struct snmpd_conf *conf)
{
    g_free(conf->agentx_socket);
    g_free(conf->timeout_at);
    g_free(conf->getbulk_at);
    g_free(conf->message_at);
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

static void apply(struct snmpd_conf *conf, enum kind kind, size_t offset, const char *value)
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
    }
}

static void keep_place(struct snmpd_conf *conf, size_t place, const struct snmpd_line *line)
{
    char **to = (char **)(void *)((char *)conf + place);

    if (place == 0)
        return;
    g_free(*to);
    *to = g_strdup_printf("%s:%u: ", line->file, line->number);
}

void snmpd_conf_take(struct snmpd_conf *conf, const struct snmpd_lines *lines)
{
    for (unsigned i = 0; i < snmpd_lines_count(lines); i++) {
        const struct snmpd_line *line = snmpd_line_at(lines, i);

        for (size_t d = 0; d < G_N_ELEMENTS(directives); d++)
            if (g_ascii_strcasecmp(directives[d].name, line->token) == 0 &&
                g_str_equal(directives[d].section, line->section)) {
                apply(conf, directives[d].kind, directives[d].offset, snmpd_line_word(line, 0));
                keep_place(conf, directives[d].place, line);
            }
    }
}

bool snmpd_conf_load(struct snmpd_conf *conf, const char *path, GError **error)
{
    struct snmpd_lines lines;
    bool ok;

    snmpd_lines_init(&lines);
    ok = snmpd_lines_load(&lines, path, error);
    snmpd_conf_take(conf, &lines);
    snmpd_lines_clear(&lines);
    return ok;
}
