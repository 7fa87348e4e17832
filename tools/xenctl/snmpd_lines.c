/* The lines of snmpd's configuration: sections, includes, words. */
#include "tools/xenctl/snmpd_lines.h"

#include <string.h>

/* Files in all that are looked at: includes may include each other. */
#define FILES_MAX 64u

static void line_free(gpointer data)
{
    struct snmpd_line *line = data;

    g_free(line->file);
    g_free(line->section);
    g_free(line->token);
    g_strfreev(line->words);
    g_free(line);
}

void snmpd_lines_init(struct snmpd_lines *lines)
{
    lines->lines = g_ptr_array_new_with_free_func(line_free);
    lines->files = g_ptr_array_new_with_free_func(g_free);
    lines->unread = g_ptr_array_new_with_free_func(g_free);
}

void snmpd_lines_clear(struct snmpd_lines *lines)
{
    g_ptr_array_unref(lines->lines);
    g_ptr_array_unref(lines->files);
    g_ptr_array_unref(lines->unread);
}

unsigned snmpd_lines_count(const struct snmpd_lines *lines)
{
    return lines->lines->len;
}

const struct snmpd_line *snmpd_line_at(const struct snmpd_lines *lines, unsigned i)
{
    return g_ptr_array_index(lines->lines, i);
}

bool snmpd_line_is(const struct snmpd_line *line, const char *token)
{
    return g_ascii_strcasecmp(line->token, token) == 0 && g_str_equal(line->section, "snmpd");
}

const char *snmpd_line_word(const struct snmpd_line *line, unsigned i)
{
    return i < line->n_words ? line->words[i] : "";
}

/* --- includes */
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

static void include(struct snmpd_lines *lines, const struct snmpd_line *line)
{
    g_autofree char *folder = g_path_get_dirname(line->file);
    const char *named = snmpd_line_word(line, 0);
    g_autofree char *path = g_canonicalize_filename(named, folder[0] == '/' ? folder : "/");

    if (!named[0])
        return;
    if (g_ascii_strcasecmp(line->token, "includeFile") == 0)
        g_ptr_array_add(lines->files, g_steal_pointer(&path));
    else if (g_ascii_strcasecmp(line->token, "includeDir") == 0)
        add_directory(lines->files, path);
}

/* --- lines */
static char **split(const char *text, unsigned *n_out)
{
    g_auto(GStrv) parts = g_strsplit_set(text, " \t\r", -1);
    GPtrArray *words = g_ptr_array_new();

    for (char **part = parts; *part && (*part)[0] != '#'; part++)
        if ((*part)[0])
            g_ptr_array_add(words, g_strdup(*part));
    *n_out = words->len;
    g_ptr_array_add(words, NULL);
    return (char **)g_ptr_array_free(words, FALSE);
}

static void take_line(struct snmpd_lines *lines, const char *file, unsigned number,
                      const char *section, const char *text)
{
    size_t length = strcspn(text, " \t");
    struct snmpd_line *line = g_new0(struct snmpd_line, 1);

    line->file = g_strdup(file);
    line->number = number;
    line->section = g_strdup(section);
    line->token = g_strndup(text, length);
    line->words = split(text + length, &line->n_words);
    if (line->n_words == 0) {
        line_free(line);
        return;
    }
    g_ptr_array_add(lines->lines, line);
    include(lines, line);
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

void snmpd_lines_parse(struct snmpd_lines *lines, const char *text, const char *file,
                       const char *section)
{
    g_auto(GStrv) texts = g_strsplit(text, "\n", -1);
    g_autofree char *now = g_strdup(section);

    for (unsigned i = 0; texts[i]; i++) {
        char *line = g_strstrip(texts[i]);
        g_autofree char *one_line = NULL;

        if (line[0] == '#')
            continue;
        if (line[0] == '[')
            line = take_section(line, &now, &one_line);
        take_line(lines, file, i + 1, one_line ? one_line : now, line);
    }
}

/* --- files */
static void read_files(struct snmpd_lines *lines)
{
    for (unsigned i = 0; i < lines->files->len && i < FILES_MAX; i++) {
        g_autofree char *path = g_strdup(g_ptr_array_index(lines->files, i));
        g_autofree char *text = NULL;
        g_autoptr(GError) error = NULL;

        if (g_file_get_contents(path, &text, NULL, &error))
            snmpd_lines_parse(lines, text, path, "snmpd");
        else
            g_ptr_array_add(lines->unread, g_strdup(error->message));
    }
}

bool snmpd_lines_load(struct snmpd_lines *lines, const char *path, GError **error)
{
    g_autofree char *full = g_canonicalize_filename(path, NULL);
    g_autofree char *dir = g_path_get_dirname(full);
    g_autofree char *common = g_build_filename(dir, "snmp.conf", NULL);
    g_autofree char *common_text = NULL;
    g_autofree char *text = NULL;

    if (!g_file_get_contents(full, &text, NULL, error))
        return false;
    if (g_file_get_contents(common, &common_text, NULL, NULL))
        snmpd_lines_parse(lines, common_text, common, "snmp");
    snmpd_lines_parse(lines, text, full, "snmpd");
    read_files(lines);
    return true;
}
