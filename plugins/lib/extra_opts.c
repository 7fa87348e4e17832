/* --extra-opts: options from an ini file, as the Monitoring Plugins read it. */
#include "plugins/lib/check.h"

#include "xenclient/util/error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX ((gsize)64 * 1024)

static const char *const places[] = {
    "/usr/local/etc/monitoring-plugins/monitoring-plugins.ini",
    "/usr/local/etc/monitoring-plugins.ini",
    "/etc/monitoring-plugins/monitoring-plugins.ini",
    "/etc/monitoring-plugins.ini",
    "/usr/local/etc/nagios/plugins.ini",
    "/usr/local/nagios/etc/plugins.ini",
    "/etc/nagios/plugins.ini",
    "/etc/opt/nagios/plugins.ini",
};
static const char *const names[] = {"monitoring-plugins.ini", "plugins.ini", "nagios-plugins.ini"};

/* --- which file */
static char *find_in_folders(const char *folders)
{
    g_auto(GStrv) list = g_strsplit(folders ? folders : "", ":", -1);

    for (char **folder = list; *folder; folder++)
        for (size_t i = 0; **folder && i < G_N_ELEMENTS(names); i++) {
            g_autofree char *path = g_build_filename(*folder, names[i], NULL);

            if (g_file_test(path, G_FILE_TEST_EXISTS))
                return g_steal_pointer(&path);
        }
    return NULL;
}

static char *find_file(GError **error)
{
    const char *named = g_getenv("MP_CONFIG_FILE");
    char *path = named ? g_strdup(named) : find_in_folders(g_getenv("NAGIOS_CONFIG_PATH"));

    for (size_t i = 0; !path && i < G_N_ELEMENTS(places); i++)
        if (g_file_test(places[i], G_FILE_TEST_EXISTS))
            path = g_strdup(places[i]);
    if (!path)
        xc_fail(error, XC_CAUSE_BAD_CONFIG,
                "--extra-opts: no file given, and none in the usual places");
    return path;
}

/* Never waits for what is no file. */
static char *read_file(const char *path, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    g_autofree char *text = NULL;
    struct stat st;
    gsize got = 0;

    if (fd < 0) {
        xc_fail(error, XC_CAUSE_BAD_CONFIG, "%s: %s", path, g_strerror(errno));
        return NULL;
    }
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (gsize)st.st_size <= FILE_MAX) {
        text = g_malloc0((gsize)st.st_size + 1);
        for (gssize r = 1; got < (gsize)st.st_size && r > 0; got += (gsize)MAX(r, 0))
            r = read(fd, text + got, (gsize)st.st_size - got);
    }
    close(fd);
    if (!text)
        xc_fail(error, XC_CAUSE_BAD_CONFIG, "%s: no regular file of at most 64 KiB", path);
    return g_steal_pointer(&text);
}

/* --- its lines */
/* "key = value" is --key=value, "k = value" is -kvalue, "key" is --key. */
static void add_word(GPtrArray *words, char *line)
{
    char *equals = strchr(line, '=');
    const char *dashes;

    if (equals)
        *equals = '\0';
    g_strchomp(line);
    dashes = line[0] && !line[1] ? "-" : "--";
    if (equals)
        g_ptr_array_add(
            words, g_strconcat(dashes, line, dashes[1] ? "=" : "", g_strstrip(equals + 1), NULL));
    else
        g_ptr_array_add(words, g_strconcat(dashes, line, NULL));
}

static bool is_section(const char *line, const char *section)
{
    size_t length = strlen(section);

    return strncmp(line + 1, section, length) == 0 && line[1 + length] == ']';
}

bool chk_extra_opts_parse(const char *text, const char *section, const char *where,
                          GPtrArray *words, GError **error)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    bool inside = false;
    bool found = false;

    for (char **at = lines; *at; at++) {
        char *line = g_strstrip(*at);

        if (line[0] == '\0' || line[0] == '#' || line[0] == ';')
            continue;
        if (line[0] == '[') {
            inside = is_section(line, section);
            found = found || inside;
        } else if (inside && g_str_has_prefix(line, "extra-opts")) {
            return xc_fail(error, XC_CAUSE_BAD_CONFIG, "%s: [%s]: extra-opts leads no further",
                           where, section);
        } else if (inside) {
            add_word(words, line);
        }
    }
    return found || xc_fail(error, XC_CAUSE_BAD_CONFIG, "%s: no section [%s]", where, section);
}

bool chk_extra_opts(const char *spec, const char *plugin, GPtrArray *words, GError **error)
{
    const char *at = strchr(spec, '@');
    g_autofree char *section = at ? g_strndup(spec, (gsize)(at - spec)) : g_strdup(spec);
    g_autofree char *path = at ? g_strdup(at + 1) : find_file(error);
    g_autofree char *text = path ? read_file(path, error) : NULL;

    return text && chk_extra_opts_parse(text, section[0] ? section : plugin, path, words, error);
}
