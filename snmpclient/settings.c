/* How to reach an agent: the client's configuration file. */
#include "snmpclient/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX     ((gsize)64 * 1024)
#define DEFAULT_HOST "127.0.0.1"

G_DEFINE_QUARK(sn - error - quark, sn_error)

static bool fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static bool fail(GError **error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    if (error)
        *error = g_error_new_valist(SN_ERROR, SN_ERROR_CONFIG, format, args);
    va_end(args);
    return false;
}

/* --- what a key may be */
typedef bool (*take)(struct sn_settings *s, size_t offset, const char *value, GError **error);

static bool take_text(struct sn_settings *s, size_t offset, const char *value, GError **error)
{
    char **to = (char **)((char *)s + offset);

    (void)error;
    g_free(*to);
    *to = g_strdup(value);
    return true;
}

static bool take_pass_phrase(struct sn_settings *s, size_t offset, const char *value,
                             GError **error)
{
    if (strlen(value) < 8)
        return fail(error, "a pass phrase has at least 8 characters (RFC 3414)");
    return take_text(s, offset, value, error);
}

static bool take_host(struct sn_settings *s, size_t offset, const char *value, GError **error)
{
    (void)offset;
    return sn_settings_set_host(s, value, error);
}

static bool take_version(struct sn_settings *s, size_t offset, const char *value, GError **error)
{
    (void)offset;
    if (g_str_equal(value, "2c"))
        s->version = 2;
    else if (g_str_equal(value, "3"))
        s->version = 3;
    else
        return fail(error, "must be 2c or 3");
    return true;
}

static bool take_level(struct sn_settings *s, size_t offset, const char *value, GError **error)
{
    static const char *const names[] = {NULL, "noAuthNoPriv", "authNoPriv", "authPriv"};

    (void)offset;
    for (unsigned i = SN_NO_AUTH; i <= SN_AUTH_PRIV; i++)
        if (g_ascii_strcasecmp(value, names[i]) == 0) {
            s->level = (enum sn_level)i;
            return true;
        }
    return fail(error, "must be noAuthNoPriv, authNoPriv or authPriv");
}

static bool take_seconds(struct sn_settings *s, size_t offset, const char *value, GError **error)
{
    char *end;
    double seconds = g_ascii_strtod(value, &end);

    if (end == value || *end || !(seconds >= 0.1 && seconds <= 600))
        return fail(error, "must be seconds from 0.1 to 600");
    *(unsigned *)((char *)s + offset) = (unsigned)(seconds * 1000);
    return true;
}

static bool take_retries(struct sn_settings *s, size_t offset, const char *value, GError **error)
{
    guint64 n;

    if (!g_ascii_string_to_unsigned(value, 10, 0, 20, &n, NULL))
        return fail(error, "must be a number from 0 to 20");
    *(unsigned *)((char *)s + offset) = (unsigned)n;
    return true;
}

static const struct key {
    const char *name;
    take take;
    size_t offset;
} keys[] = {
    {"host", take_host, offsetof(struct sn_settings, host)},
    {"version", take_version, 0},
    {"community", take_text, offsetof(struct sn_settings, community)},
    {"write_community", take_text, offsetof(struct sn_settings, write_community)},
    {"user", take_text, offsetof(struct sn_settings, user)},
    {"level", take_level, 0},
    {"auth_protocol", take_text, offsetof(struct sn_settings, auth_protocol)},
    {"auth_password", take_pass_phrase, offsetof(struct sn_settings, auth_password)},
    {"priv_protocol", take_text, offsetof(struct sn_settings, priv_protocol)},
    {"priv_password", take_pass_phrase, offsetof(struct sn_settings, priv_password)},
    {"context", take_text, offsetof(struct sn_settings, context)},
    {"timeout", take_seconds, offsetof(struct sn_settings, timeout_msec)},
    {"retries", take_retries, offsetof(struct sn_settings, retries)},
};

static const struct key *find_key(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
        if (g_str_equal(keys[i].name, name))
            return &keys[i];
    return NULL;
}

/* --- host */
static const char *after_transport(const char *host)
{
    static const char *const transports[] = {"udp:", "udp6:", "tcp:", "tcp6:"};

    for (size_t i = 0; i < G_N_ELEMENTS(transports); i++)
        if (g_str_has_prefix(host, transports[i]))
            return host + strlen(transports[i]);
    return host;
}

static unsigned parse_port(const char *text)
{
    guint64 port;

    return g_ascii_string_to_unsigned(text, 10, 1, 65535, &port, NULL) ? (unsigned)port : 0;
}

void sn_host_split(const char *host, char **name_out, unsigned *port_out)
{
    const char *rest = after_transport(host);
    const char *end = rest[0] == '[' ? strchr(rest, ']') : NULL;
    const char *colon = strrchr(end ? end : rest, ':');

    if (!end && colon && strchr(rest, ':') != colon) /* a bare IPv6 address */
        colon = NULL;
    *port_out = colon ? parse_port(colon + 1) : 161;
    if (end)
        *name_out = g_strndup(rest + 1, (gsize)(end - rest - 1));
    else
        *name_out = colon ? g_strndup(rest, (gsize)(colon - rest)) : g_strdup(rest);
}

bool sn_settings_set_host(struct sn_settings *settings, const char *host, GError **error)
{
    g_autofree char *name = NULL;
    unsigned port;

    sn_host_split(host, &name, &port);
    if (!name[0] || !port)
        return fail(error, "\"%s\" is no host: HOST, HOST:PORT or [IPV6]:PORT", host);
    for (const char *p = host; *p; p++)
        if (!g_ascii_isalnum(*p) && !strchr(".:-_[]%", *p))
            return fail(error, "a host name has no character \"%c\"",
                        g_ascii_isprint(*p) ? *p : '?');
    g_free(settings->host);
    settings->host = g_strdup(host);
    return true;
}

char *sn_settings_host_name(const struct sn_settings *settings)
{
    char *name;
    unsigned port;

    sn_host_split(settings->host, &name, &port);
    return name;
}

/* --- file */
char *sn_settings_default_path(void)
{
    const char *env = g_getenv("XENSNMP_CLIENT_CONFIG");

    if (env && env[0])
        return g_strdup(env);
    return g_build_filename(g_get_user_config_dir(), "xensnmp", "client.conf", NULL);
}

static bool check_file(int fd, const char *path, gsize *size_out, GError **error)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return fail(error, "%s: %s", path, g_strerror(errno));
    if (!S_ISREG(st.st_mode))
        return fail(error, "%s: not a regular file", path);
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return fail(error, "%s: belongs to another user; it must be yours or root's", path);
    if (st.st_mode & 077)
        return fail(error, "%s: mode %04o lets others read its secrets: chmod 600 %s", path,
                    (unsigned)st.st_mode & 07777, path);
    if ((gsize)st.st_size > FILE_MAX)
        return fail(error, "%s: larger than 64 KiB", path);
    *size_out = (gsize)st.st_size;
    return true;
}

/* The whole text; NULL without error when the file does not exist and need not. */
static char *read_file(const char *path, bool must_exist, gsize *length_out, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    gsize size = 0;
    gsize got = 0;
    char *text = NULL;

    if (fd < 0) {
        if (must_exist || errno != ENOENT)
            fail(error, "%s: %s", path, g_strerror(errno));
        return NULL;
    }
    if (check_file(fd, path, &size, error)) {
        text = g_malloc0(size + 1);
        for (gssize r = 1; got < size && r > 0; got += (gsize)MAX(r, 0))
            r = read(fd, text + got, size - got);
    }
    close(fd);
    *length_out = got;
    return text;
}

static bool take_section(GKeyFile *file, const char *section, const char *path,
                         struct sn_settings *out, GError **error)
{
    g_auto(GStrv) names = g_key_file_get_keys(file, section, NULL, NULL);

    for (char **name = names; name && *name; name++) {
        const struct key *key = find_key(*name);
        g_autofree char *value = g_key_file_get_string(file, section, *name, NULL);
        bool ok = key && value && key->take(out, key->offset, value, error);

        if (value)
            explicit_bzero(value, strlen(value));
        if (!key)
            return fail(error, "%s: [%s] %s: no such key", path, section, *name);
        if (!ok) {
            g_prefix_error(error, "%s: [%s] %s: ", path, section, *name);
            return value ? false : fail(error, "%s: [%s] %s: not UTF-8", path, section, *name);
        }
    }
    return true;
}

static bool check_sections(GKeyFile *file, const char *path, GError **error)
{
    g_auto(GStrv) groups = g_key_file_get_groups(file, NULL);

    for (char **group = groups; *group; group++)
        if (!g_str_equal(*group, "client") && !g_str_has_prefix(*group, "client "))
            return fail(error, "%s: [%s]: no such section; allowed are [client] and [client NAME]",
                        path, *group);
    return true;
}

static bool check_complete(const struct sn_settings *s, const char *path, GError **error)
{
    if (s->version == 2 && !s->community)
        return fail(error, "%s: version 2c needs community", path);
    if (s->version == 3 && !s->user)
        return fail(error, "%s: version 3 needs user", path);
    if (s->version == 3 && s->level >= SN_AUTH_NO_PRIV && !s->auth_password)
        return fail(error, "%s: this level needs auth_password", path);
    if (s->version == 3 && s->level == SN_AUTH_PRIV && !s->priv_password)
        return fail(error, "%s: level authPriv needs priv_password", path);
    return true;
}

static bool parse(const char *text, gsize length, const char *path, const char *profile,
                  struct sn_settings *out, GError **error)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) inner = NULL;
    g_autofree char *section = profile ? g_strconcat("client ", profile, NULL) : NULL;

    if (!g_key_file_load_from_data(file, text, length, G_KEY_FILE_NONE, &inner))
        return fail(error, "%s: %s", path, inner->message);
    if (section && !g_key_file_has_group(file, section))
        return fail(error, "%s: no section [%s]", path, section);
    return check_sections(file, path, error) && take_section(file, "client", path, out, error) &&
           (!section || take_section(file, section, path, out, error)) &&
           check_complete(out, path, error);
}

static void set_defaults(struct sn_settings *s)
{
    memset(s, 0, sizeof(*s));
    s->host = g_strdup(DEFAULT_HOST);
    s->version = 2;
    s->community = g_strdup("public");
    s->level = SN_AUTH_PRIV;
    s->auth_protocol = g_strdup("SHA-256");
    s->priv_protocol = g_strdup("AES");
    s->timeout_msec = 1000;
    s->retries = 3;
}

bool sn_settings_load(const char *path, const char *profile, struct sn_settings *out,
                      GError **error)
{
    g_autofree char *where = path ? g_strdup(path) : sn_settings_default_path();
    bool must_exist = path || profile || g_getenv("XENSNMP_CLIENT_CONFIG");
    GError *inner = NULL;
    gsize length = 0;
    char *text = read_file(where, must_exist, &length, &inner);
    bool ok;

    set_defaults(out);
    if (!text) {
        if (!inner)
            return true;
        g_propagate_error(error, inner);
        return false;
    }
    ok = parse(text, length, where, profile, out, error);
    explicit_bzero(text, length);
    g_free(text);
    return ok;
}

static void wipe(char **secret)
{
    if (*secret)
        explicit_bzero(*secret, strlen(*secret));
    g_clear_pointer(secret, g_free);
}

void sn_settings_clear(struct sn_settings *s)
{
    wipe(&s->community);
    wipe(&s->write_community);
    wipe(&s->auth_password);
    wipe(&s->priv_password);
    g_free(s->host);
    g_free(s->user);
    g_free(s->auth_protocol);
    g_free(s->priv_protocol);
    g_free(s->context);
    memset(s, 0, sizeof(*s));
}
