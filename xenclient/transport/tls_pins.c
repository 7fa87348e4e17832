/* The file of pinned certificates: finding a host's, adding one. What is not understood is refused, for a line that is
 * skipped would be a host that is trusted for other reasons than the operator thinks. */
#include "xenclient/transport/tls_pins.h"

#include "xenclient/util/error.h"
#include "xenclient/util/lock.h"
#include "xenclient/util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX  ((off_t)1 << 20)
#define DIGITS    64
#define NAME_ROOM (XC_TEXT_MAX + 16) /* a host, brackets, colon and port */

/* --- lines */

/* 64 hex digits, colons among them allowed, as lower-case ones. */
static bool to_digits(const char *text, size_t length, char out[DIGITS + 1])
{
    size_t n = 0;

    for (size_t i = 0; i < length; i++) {
        if (text[i] == ':')
            continue;
        if (n == DIGITS || !g_ascii_isxdigit(text[i]))
            return false;
        out[n++] = g_ascii_tolower(text[i]);
    }
    out[n] = '\0';
    return n == DIGITS;
}

/* HOST:PORT as it stands in the file, lower-case; NULL: no host or no port. */
static char *name_of(const char *host, unsigned port)
{
    g_autofree char *lower = g_ascii_strdown(host, -1);
    bool v6 = strchr(host, ':') != NULL;
    size_t length = strlen(host);

    if (length == 0 || length > XC_TEXT_MAX || port < 1 || port > 65535)
        return NULL;
    for (size_t i = 0; i < length; i++)
        if (!g_ascii_isgraph(host[i]) || strchr("#[]", host[i]))
            return NULL;
    return g_strdup_printf(v6 ? "[%s]:%u" : "%s:%u", lower, port);
}

/* Is it HOST:PORT or [IPV6]:PORT, lower-case? */
static bool is_name(const char *name)
{
    const char *colon = strrchr(name, ':');
    g_autofree char *host = NULL, *again = NULL;
    bool bracket = name[0] == '[';
    uint64_t port;

    if (!colon || colon - name > XC_TEXT_MAX || !xc_text_to_u64(colon + 1, 1, 65535, &port, NULL) ||
        (bracket && colon[-1] != ']'))
        return false;
    host = bracket ? g_strndup(name + 1, (gsize)(colon - name - 2))
                   : g_strndup(name, (gsize)(colon - name));
    again = name_of(host, (unsigned)port);
    return again && strcmp(again, name) == 0;
}

struct pin {
    char name[NAME_ROOM];
    char digits[DIGITS + 1];
};

enum line { NOTHING, PIN, NONSENSE };

/* One line without its end. */
static enum line read_line(const char *text, size_t length, struct pin *out)
{
    const char *comment = memchr(text, '#', length);
    g_autofree char *line = g_strndup(text, comment ? (gsize)(comment - text) : length);
    char *name = g_strstrip(line);
    size_t n = strcspn(name, " \t");
    const char *digits = name + n + strspn(name + n, " \t");

    if (!*name)
        return NOTHING;
    if (n >= sizeof out->name || !to_digits(digits, strlen(digits), out->digits))
        return NONSENSE;
    for (size_t i = 0; i <= n; i++)
        out->name[i] = i < n ? g_ascii_tolower(name[i]) : '\0';
    return is_name(out->name) ? PIN : NONSENSE;
}

/* --- reading */

/* Whoever writes the file decides who gets our passwords. */
static bool check_file(const char *file, const struct stat *st, GError **error)
{
    if (!S_ISREG(st->st_mode) || st->st_size > FILE_MAX)
        return xc_fail(error, XC_CAUSE_BAD_CONFIG, "%s: not a regular file of at most 1 MiB", file);
    if (st->st_uid != geteuid() && st->st_uid != 0)
        return xc_fail(error, XC_CAUSE_BAD_CONFIG,
                       "%s belongs to user %u: it must be ours or root's; `chown` it", file,
                       (unsigned)st->st_uid);
    if (st->st_mode & 022)
        return xc_fail(error, XC_CAUSE_BAD_CONFIG,
                       "%s: others may write it; look at what it says, then `chmod 644 %s`", file,
                       file);
    return true;
}

/* All of it, from one descriptor, so that nobody can swap the file after the check; NULL with an error. */
static char *read_open(const char *file, int fd, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    char chunk[4096];
    struct stat st;
    ssize_t n;

    if (fstat(fd, &st) < 0) {
        xc_fail(error, XC_CAUSE_BAD_CONFIG, "%s: %s", file, g_strerror(errno));
        return NULL;
    }
    if (!check_file(file, &st, error))
        return NULL;
    while ((n = read(fd, chunk, sizeof chunk)) > 0 && text->len <= (gsize)FILE_MAX)
        g_string_append_len(text, chunk, n);
    if (n == 0 && !memchr(text->str, '\0', text->len))
        return g_string_free(g_steal_pointer(&text), FALSE);
    xc_fail(error, XC_CAUSE_BAD_CONFIG, "%s: %s", file,
            n < 0    ? g_strerror(errno)
            : n == 0 ? "holds a NUL octet"
                     : "grows while it is read");
    return NULL;
}

/* "" when there is no such file. */
static char *load(const char *file, GError **error)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    char *text;

    if (fd < 0 && errno == ENOENT)
        return g_strdup("");
    if (fd < 0) {
        xc_fail(error, XC_CAUSE_BAD_CONFIG, "%s: %s; make it readable for this program", file,
                g_strerror(errno));
        return NULL;
    }
    text = read_open(file, fd, error);
    close(fd);
    return text;
}

/* Calls `each` for every line, without its end, until it returns false. */
typedef bool (*line_fn)(const char *line, size_t length, unsigned number, void *data);

static bool each_line(const char *text, line_fn each, void *data)
{
    unsigned number = 1;

    for (const char *at = text; *at; number++) {
        size_t length = strcspn(at, "\n");

        if (!each(at, length, number, data))
            return false;
        at += length + (at[length] == '\n');
    }
    return true;
}

struct search {
    const char *file;
    const char *name;
    char *out;
    GError **error;
};

static bool search_line(const char *text, size_t length, unsigned number, void *data)
{
    struct search *search = data;
    struct pin pin;
    enum line line = read_line(text, length, &pin);

    if (line == NONSENSE)
        return xc_fail(search->error, XC_CAUSE_BAD_CONFIG,
                       "%s:%u: no pin: expected HOST:PORT and 64 hex digits; mend or remove it",
                       search->file, number);
    if (line == NOTHING || strcmp(pin.name, search->name) != 0)
        return true;
    if (*search->out)
        return xc_fail(search->error, XC_CAUSE_BAD_CONFIG, "%s:%u: a second pin of %s; remove one",
                       search->file, number, search->name);
    g_strlcpy(search->out, pin.digits, DIGITS + 1);
    return true;
}

bool xc_tls_pin_find(const char *file, const char *host, unsigned port, char out[65],
                     GError **error)
{
    g_autofree char *text = load(file, error);
    g_autofree char *name = name_of(host, port);
    struct search search = {file, name ? name : "", out, error};

    *out = '\0';
    if (text && each_line(text, search_line, &search))
        return true;
    *out = '\0';
    return false;
}

/* --- writing */

struct rewrite {
    GString *text;
    const char *name; /* whose line goes */
};

static bool keep_line(const char *text, size_t length, unsigned number, void *data)
{
    struct rewrite *rewrite = data;
    struct pin pin;

    (void)number;
    if (read_line(text, length, &pin) != PIN || strcmp(pin.name, rewrite->name) != 0)
        g_string_append_printf(rewrite->text, "%.*s\n", (int)length, text);
    return true;
}

static bool replace_file(const char *file, const char *name, const char *digits, GError **error)
{
    g_autofree char *old = load(file, error);
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GError) local = NULL;
    struct rewrite rewrite = {text, name};

    if (!old)
        return false;
    each_line(old, keep_line, &rewrite);
    g_string_append_printf(text, "%s %s\n", name, digits);
    if (g_file_set_contents_full(file, text->str, (gssize)text->len,
                                 G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0644,
                                 &local) &&
        chmod(file, 0644) == 0) /* the daemon reads it, whatever root's umask is */
        return true;
    return xc_fail(error, XC_CAUSE_STORE, "%s", local ? local->message : g_strerror(errno));
}

bool xc_tls_pin_write(const char *file, const char *host, unsigned port, const char *fingerprint,
                      GError **error)
{
    g_autofree char *name = name_of(host, port);
    char digits[DIGITS + 1];
    bool ok;
    int lock;

    if (!name)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "a host and its port are needed for a pin");
    if (!to_digits(fingerprint, strlen(fingerprint), digits))
        return xc_fail(error, XC_CAUSE_BAD_VALUE,
                       "not a SHA-256 fingerprint: 64 hex digits, colons among them allowed");
    lock = xc_lock_beside(file, XC_CAUSE_STORE, error);
    ok = lock >= 0 && replace_file(file, name, digits, error);
    if (lock >= 0)
        close(lock);
    return ok;
}
