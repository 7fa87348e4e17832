/* Named credentials: reading with every check, writing safely. Read by hand instead of by GKeyFile,
 * whose copies of a password could not be wiped. */
#include "xenclient/drivers/credential.h"

#include "xenclient/util/error.h"
#include "xenclient/util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <glib/gstdio.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX        16384
#define NAME_MAX_OCTETS 64

static void wipe(char **text)
{
    if (*text)
        explicit_bzero(*text, strlen(*text));
    g_clear_pointer(text, g_free);
}

void xc_credential_clear(struct xc_credential *credential)
{
    wipe(&credential->password);
    wipe(&credential->user);
    g_clear_pointer(&credential->name, g_free);
    g_clear_pointer(&credential->key_file, g_free);
    g_clear_pointer(&credential->uris, g_strfreev);
    credential->agent = false;
}

static bool name_ok(const char *name)
{
    return xc_text_is_key(name, NAME_MAX_OCTETS);
}

bool xc_credential_exists(const char *dir, const char *name)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    struct stat st;

    return name_ok(name) && lstat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* --- reading */

static bool check_file(const char *path, const struct stat *st, GError **error)
{
    if (!S_ISREG(st->st_mode))
        return xc_fail(error, XC_CAUSE_AUTH_FAILED, "%s is not a regular file", path);
    if (st->st_uid != geteuid() && st->st_uid != 0)
        return xc_fail(error, XC_CAUSE_AUTH_FAILED,
                       "%s belongs to user %u: it must be ours or root's; `chown` it", path,
                       (unsigned)st->st_uid);
    if ((st->st_mode & 07777 & ~0600) || !(st->st_mode & 0400))
        return xc_fail(error, XC_CAUSE_AUTH_FAILED,
                       "%s has mode %04o: only 0600 or 0400 will do; `chmod 600 %s`", path,
                       (unsigned)(st->st_mode & 07777), path);
    if (st->st_size > FILE_MAX)
        return xc_fail(error, XC_CAUSE_BAD_CONFIG, "%s is larger than %d octets", path, FILE_MAX);
    return true;
}

/* Checked and read by one descriptor, so that nobody can swap the file in between. text: FILE_MAX +
 * 1 octets. */
static bool read_file(const char *path, const char *name, char *text, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    size_t length = 0;
    struct stat st;
    bool ok;

    if (fd < 0 && errno == ENOENT)
        return xc_fail(error, XC_CAUSE_NO_SUCH_HOST,
                       "no credential '%s' (%s); make one with `xenctl credential add %s`", name,
                       path, name);
    if (fd < 0)
        return xc_fail(error, XC_CAUSE_AUTH_FAILED, "%s: %s", path,
                       errno == ELOOP ? "a symbolic link, not a file" : g_strerror(errno));
    ok = fstat(fd, &st) == 0
             ? check_file(path, &st, error)
             : xc_fail(error, XC_CAUSE_AUTH_FAILED, "%s: %s", path, g_strerror(errno));
    while (ok && length < FILE_MAX) {
        ssize_t n = read(fd, text + length, FILE_MAX - length);

        if (n < 0 && errno != EINTR)
            ok = xc_fail(error, XC_CAUSE_AUTH_FAILED, "%s: %s", path, g_strerror(errno));
        if (n == 0)
            break;
        length += n > 0 ? (size_t)n : 0;
    }
    close(fd);
    if (ok && memchr(text, '\0', length))
        ok = xc_fail(error, XC_CAUSE_BAD_CONFIG, "%s holds a NUL octet", path);
    text[length] = '\0';
    return ok;
}

/* One key of the file; `member` is a char * of the struct. */
struct key {
    const char *name;
    size_t member;
    bool path;
};
static const struct key keys[] = {
    {"key", offsetof(struct xc_credential, key_file), true},
    {"user", offsetof(struct xc_credential, user), false},
    {"password", offsetof(struct xc_credential, password), false},
};

static char **member_of(struct xc_credential *credential, const struct key *key)
{
    return (char **)(void *)((char *)credential + key->member);
}

static char **split_uris(const char *value)
{
    char **uris = g_strsplit(value, ";", 0);
    unsigned n = 0;

    for (unsigned i = 0; uris[i]; i++) {
        char *uri = g_strstrip(uris[i]);

        if (*uri)
            uris[n++] = uri;
        else
            g_free(uri);
    }
    uris[n] = NULL;
    return uris;
}

static bool set_agent(const char *value, struct xc_credential *out)
{
    out->agent = strcmp(value, "yes") == 0;
    return out->agent || strcmp(value, "no") == 0;
}

/* NULL: taken, else what is wrong with it. */
static const char *take(const char *name, const char *value, struct xc_credential *out)
{
    if (strcmp(name, "uris") == 0) {
        if (out->uris)
            return "given twice";
        out->uris = split_uris(value);
        return NULL;
    }
    if (strcmp(name, "agent") == 0)
        return set_agent(value, out) ? NULL : "must be yes or no";
    for (unsigned i = 0; i < G_N_ELEMENTS(keys); i++) {
        char **member = member_of(out, &keys[i]);

        if (strcmp(name, keys[i].name) != 0)
            continue;
        if (*member)
            return "given twice";
        if (keys[i].path && value[0] != '/')
            return "must be an absolute path";
        *member = g_strdup(value);
        return NULL;
    }
    return "is not a key of a credential (uris, key, agent, user, password)";
}

static bool parse_line(const char *path, unsigned number, char *line, bool *in_section,
                       struct xc_credential *out, GError **error)
{
    const char *wrong;
    char *value;

    line = g_strstrip(line);
    if (!*line || *line == '#' || *line == ';')
        return true;
    if (*line == '[') {
        *in_section = strcmp(line, "[credential]") == 0;
        return *in_section || xc_fail(error, XC_CAUSE_BAD_CONFIG,
                                      "%s:%u: the only section is [credential]", path, number);
    }
    value = strchr(line, '=');
    if (!*in_section || !value)
        return xc_fail(error, XC_CAUSE_BAD_CONFIG, "%s:%u: expected %s", path, number,
                       *in_section ? "KEY = VALUE" : "[credential]");
    *value++ = '\0';
    line = g_strchomp(line);
    wrong = take(line, g_strchug(value), out);
    /* The key's name only: the value may be a secret. */
    if (wrong)
        return xc_fail(error, XC_CAUSE_BAD_CONFIG, "%s:%u: %.40s: %s", path, number, line, wrong);
    return true;
}

static bool parse(const char *path, char *text, struct xc_credential *out, GError **error)
{
    bool in_section = false;
    unsigned number = 1;

    for (char *next = text; next; number++) {
        char *line = next;

        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        if (!parse_line(path, number, line, &in_section, out, error))
            return false;
    }
    if (!out->uris || !out->uris[0])
        return xc_fail(error, XC_CAUSE_BAD_CONFIG,
                       "%s: `uris = ...` is missing: where the credential may be used", path);
    if (!out->key_file && !out->agent && !out->password)
        return xc_fail(error, XC_CAUSE_BAD_CONFIG,
                       "%s: needs one of `key = FILE`, `agent = yes`, `password = ...`", path);
    return true;
}

static bool uri_allowed(const struct xc_credential *credential, const char *uri)
{
    for (char **pattern = credential->uris; *pattern; pattern++)
        if (fnmatch(*pattern, uri, FNM_PATHNAME) == 0)
            return true;
    return false;
}

bool xc_credential_load(const char *dir, const char *name, const char *uri,
                        struct xc_credential *out, GError **error)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    char *text;
    bool ok;

    memset(out, 0, sizeof *out);
    if (!name_ok(name))
        return xc_fail(error, XC_CAUSE_NO_SUCH_HOST,
                       "a credential's name is 1 to %d of A-Z a-z 0-9 . _ -", NAME_MAX_OCTETS);
    text = g_malloc0(FILE_MAX + 1);
    ok = read_file(path, name, text, error) && parse(path, text, out, error);
    explicit_bzero(text, FILE_MAX + 1);
    g_free(text);
    if (ok && !uri_allowed(out, uri))
        ok = xc_fail(error, XC_CAUSE_AUTH_FAILED,
                     "credential '%s' is not for %s; add it to `uris` in %s", name, uri, path);
    if (ok)
        out->name = g_strdup(name);
    else
        xc_credential_clear(out);
    return ok;
}

/* --- writing */

/* The form has no quotes: a value is what stands between the blanks. */
static bool writable(const char *value)
{
    size_t length = strlen(value);

    return !strpbrk(value, "\r\n") &&
           (!length || (!g_ascii_isspace(value[0]) && !g_ascii_isspace(value[length - 1])));
}

static bool append(GString *to, const char *name, const char *value, GError **error)
{
    if (!value)
        return true;
    if (!writable(value))
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "%s: no line breaks, no blanks at its ends",
                       name);
    g_string_append_printf(to, "%s = %s\n", name, value);
    return true;
}

static bool format(const struct xc_credential *credential, GString *to, GError **error)
{
    g_autofree char *uris = credential->uris ? g_strjoinv(";", credential->uris) : NULL;

    if (!uris || !*uris)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "no uris: where may the credential be used?");
    g_string_append(to, "[credential]\n");
    return append(to, "uris", uris, error) && append(to, "key", credential->key_file, error) &&
           append(to, "agent", credential->agent ? "yes" : NULL, error) &&
           append(to, "user", credential->user, error) &&
           append(to, "password", credential->password, error);
}

static bool write_all(int fd, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t n = write(fd, data, length);

        if (n < 0 && errno != EINTR)
            return false;
        data += MAX(n, 0);
        length -= (size_t)MAX(n, 0);
    }
    return fsync(fd) == 0;
}

/* link() never replaces, rename() always does: no moment between looking and doing. */
static bool put_in_place(const char *temporary, const char *path, bool replace)
{
    if (replace)
        return rename(temporary, path) == 0;
    if (link(temporary, path) != 0)
        return false;
    return unlink(temporary) == 0;
}

static bool store(const char *dir, const char *path, const GString *text, bool replace,
                  GError **error)
{
    g_autofree char *temporary = g_build_filename(dir, ".new-XXXXXX", NULL);
    int fd, why;

    if (g_mkdir_with_parents(dir, 0700) < 0)
        return xc_fail(error, XC_CAUSE_BAD_CONFIG, "%s: %s", dir, g_strerror(errno));
    fd = g_mkstemp_full(temporary, O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0)
        return xc_fail(error, XC_CAUSE_BAD_CONFIG, "%s: %s", dir, g_strerror(errno));
    why = write_all(fd, text->str, text->len) && put_in_place(temporary, path, replace) ? 0 : errno;
    close(fd);
    if (why == 0)
        return true;
    unlink(temporary);
    if (why == EEXIST)
        return xc_fail(error, XC_CAUSE_CONFLICT, "%s exists already; say so to replace it", path);
    return xc_fail(error, XC_CAUSE_BAD_CONFIG, "%s: %s", path, g_strerror(why));
}

bool xc_credential_write(const char *dir, const struct xc_credential *credential, bool replace,
                         GError **error)
{
    g_autofree char *path = NULL;
    GString *text;
    bool ok;

    if (!credential->name || !name_ok(credential->name))
        return xc_fail(error, XC_CAUSE_BAD_VALUE,
                       "a credential's name is 1 to %d of A-Z a-z 0-9 . _ -", NAME_MAX_OCTETS);
    path = g_build_filename(dir, credential->name, NULL);
    /* Room for all from the start: a buffer that grew would leave copies behind. */
    text = g_string_sized_new(FILE_MAX);
    ok = format(credential, text, error);
    if (ok && text->len > FILE_MAX)
        ok = xc_fail(error, XC_CAUSE_BAD_VALUE, "more than %d octets", FILE_MAX);
    ok = ok && store(dir, path, text, replace, error);
    explicit_bzero(text->str, text->len);
    g_string_free(text, TRUE);
    return ok;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char **xc_credential_list(const char *dir)
{
    GPtrArray *names = g_ptr_array_new();
    g_autoptr(GDir) entries = g_dir_open(dir, 0, NULL);
    const char *name;

    while (entries && (name = g_dir_read_name(entries)))
        if (xc_credential_exists(dir, name))
            g_ptr_array_add(names, g_strdup(name));
    g_ptr_array_sort(names, by_name);
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(names, FALSE);
}
