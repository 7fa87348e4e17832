/* Reading, matching and extending a known_hosts file. libssh2 has an own reader, but it knows
 * neither @revoked nor patterns, and its answer does not tell the line. */
#include "xenclient/transport/known_hosts.h"

#include "xenclient/util/error.h"
#include "xenclient/util/lock.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX ((goffset)16 << 20)
#define SSH_PORT 22

/* One line taken apart; the parts point into `copy`. */
struct entry {
    char *copy;
    bool revoked;
    bool authority;
    const char *hosts;
    const char *type;
    const char *key; /* base64 */
};

static void entry_clear(struct entry *entry)
{
    g_clear_pointer(&entry->copy, g_free);
}

/* The next word, ended by a NUL; NULL when there is none. */
static char *next_word(char **at)
{
    char *word = *at + strspn(*at, " \t\r");
    size_t length = strcspn(word, " \t\r");

    if (!length)
        return NULL;
    *at = word + length;
    if (**at)
        *(*at)++ = '\0';
    return word;
}

/* False: a comment, an empty line or nonsense, which OpenSSH skips as well. */
static bool entry_parse(const char *line, size_t length, struct entry *out)
{
    char *at, *word;

    memset(out, 0, sizeof *out);
    out->copy = at = g_strndup(line, length);
    word = next_word(&at);
    if (word && word[0] == '@') {
        out->revoked = strcmp(word, "@revoked") == 0;
        out->authority = !out->revoked;
        word = next_word(&at);
    }
    if (word && word[0] != '#') {
        out->hosts = word;
        out->type = next_word(&at);
        out->key = out->type ? next_word(&at) : NULL;
    }
    if (out->key)
        return true;
    entry_clear(out);
    return false;
}

/* The name a host has in the file. */
static char *host_name(const char *host, unsigned port)
{
    g_autofree char *lower = g_ascii_strdown(host, -1);

    if (port == 0 || port == SSH_PORT)
        return g_steal_pointer(&lower);
    return g_strdup_printf("[%s]:%u", lower, port);
}

/* |1|base64(salt)|base64(HMAC-SHA1(salt, name)) */
static bool hash_matches(const char *hosts, const char *name)
{
    g_auto(GStrv) parts = g_strsplit(hosts, "|", 5);
    g_autofree guchar *salt = NULL, *hash = NULL;
    gsize salt_length, hash_length;
    guint8 digest[20];
    gsize digest_length = sizeof digest;
    g_autoptr(GHmac) hmac = NULL;

    if (g_strv_length(parts) != 4 || strcmp(parts[1], "1") != 0)
        return false;
    salt = g_base64_decode(parts[2], &salt_length);
    hash = g_base64_decode(parts[3], &hash_length);
    hmac = g_hmac_new(G_CHECKSUM_SHA1, salt, salt_length);
    g_hmac_update(hmac, (const guchar *)name, (gssize)strlen(name));
    g_hmac_get_digest(hmac, digest, &digest_length);
    return hash_length == digest_length && memcmp(hash, digest, digest_length) == 0;
}

/* `*` and `?` as in OpenSSH; linear in practice, no backtracking beyond the last star. */
static bool pattern_matches(const char *pattern, const char *name)
{
    const char *star = NULL, *retry = NULL;

    while (*name) {
        if (*pattern == '*') {
            star = ++pattern;
            retry = name;
        } else if (*pattern == '?' || g_ascii_tolower(*pattern) == *name) {
            pattern++;
            name++;
        } else if (star) {
            pattern = star;
            name = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

/* A host is meant when one pattern fits and no `!pattern` does. */
static bool hosts_match(const char *hosts, const char *name)
{
    g_auto(GStrv) patterns = NULL;
    bool found = false;

    if (hosts[0] == '|')
        return hash_matches(hosts, name);
    patterns = g_strsplit(hosts, ",", -1);
    for (char **p = patterns; *p; p++) {
        bool not = (*p)[0] == '!';

        if (!pattern_matches(*p + not, name))
            continue;
        if (not )
            return false;
        found = true;
    }
    return found;
}

/* Calls `each` for every legal entry of the text until it returns true. */
typedef bool (*entry_fn)(const struct entry *entry, unsigned line, void *data);

static void each_entry(const char *text, entry_fn each, void *data)
{
    bool done = false;

    for (unsigned line = 1; *text && !done; line++) {
        size_t length = strcspn(text, "\n");
        struct entry entry;

        if (entry_parse(text, length, &entry)) {
            done = each(&entry, line, data);
            entry_clear(&entry);
        }
        text += length + (text[length] == '\n');
    }
}

struct match {
    const char *name;
    char *type;
    const void *key;
    size_t length;
    enum xc_known verdict;
    unsigned line;
};

static bool same_key(const char *base64, const void *key, size_t length)
{
    gsize n;
    g_autofree guchar *known = g_base64_decode(base64, &n);

    return n == length && memcmp(known, key, length) == 0;
}

static bool match_entry(const struct entry *entry, unsigned line, void *data)
{
    struct match *match = data;
    bool same;

    /* Host certificates are not used, so an authority vouches for nothing here. */
    if (entry->authority || strcmp(entry->type, match->type) != 0 ||
        !hosts_match(entry->hosts, match->name))
        return false;
    same = same_key(entry->key, match->key, match->length);
    if (entry->revoked && same) {
        match->verdict = XC_KNOWN_REVOKED;
        match->line = line;
        return true;
    }
    if (entry->revoked || match->verdict == XC_KNOWN_TRUSTED)
        return false;
    /* A host may have several lines: any of them may hold the right key. The first wrong one is
     * told. */
    if (same || match->verdict == XC_KNOWN_UNKNOWN) {
        match->verdict = same ? XC_KNOWN_TRUSTED : XC_KNOWN_CHANGED;
        match->line = line;
    }
    return false;
}

enum xc_known xc_known_hosts_match(const char *text, const char *host, unsigned port,
                                   const void *key, size_t length, unsigned *line_out)
{
    g_autofree char *name = host_name(host, port);
    g_autofree char *type = xc_known_hosts_key_type(key, length);
    struct match match = {name, type, key, length, XC_KNOWN_UNKNOWN, 0};

    if (type)
        each_entry(text, match_entry, &match);
    *line_out = match.line;
    return match.verdict;
}

struct types {
    const char *name;
    GPtrArray *found;
};

static bool collect_type(const struct entry *entry, unsigned line, void *data)
{
    struct types *types = data;

    (void)line;
    if (!entry->revoked && !entry->authority && hosts_match(entry->hosts, types->name) &&
        !g_ptr_array_find_with_equal_func(types->found, entry->type, g_str_equal, NULL))
        g_ptr_array_add(types->found, g_strdup(entry->type));
    return false;
}

char **xc_known_hosts_types(const char *text, const char *host, unsigned port)
{
    g_autofree char *name = host_name(host, port);
    struct types types = {name, g_ptr_array_new()};

    each_entry(text, collect_type, &types);
    g_ptr_array_add(types.found, NULL);
    return (char **)g_ptr_array_free(types.found, FALSE);
}

char *xc_known_hosts_load(const char *path, GError **error)
{
    g_autoptr(GError) local = NULL;
    char *text = NULL;
    struct stat st;

    if (stat(path, &st) < 0 && errno == ENOENT)
        return g_strdup("");
    if (stat(path, &st) == 0 && (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX)) {
        xc_fail(error, XC_CAUSE_HOST_KEY, "%s: not a regular file of at most 16 MiB", path);
        return NULL;
    }
    if (g_file_get_contents(path, &text, NULL, &local))
        return text;
    xc_fail(error, XC_CAUSE_HOST_KEY, "%s; make it readable for this program", local->message);
    return NULL;
}

char *xc_known_hosts_key_type(const void *key, size_t length)
{
    const guint8 *bytes = key;
    guint32 n;

    if (length < 4)
        return NULL;
    n = (guint32)bytes[0] << 24 | (guint32)bytes[1] << 16 | (guint32)bytes[2] << 8 | bytes[3];
    if (n == 0 || n > 64 || n > length - 4)
        return NULL;
    for (guint32 i = 0; i < n; i++)
        if (bytes[4 + i] <= ' ' || bytes[4 + i] >= 0x7f)
            return NULL;
    return g_strndup((const char *)bytes + 4, n);
}

char *xc_known_hosts_line(const char *host, unsigned port, const void *key, size_t length)
{
    g_autofree char *name = host_name(host, port);
    g_autofree char *type = xc_known_hosts_key_type(key, length);
    g_autofree char *base64 = g_base64_encode(key, length);

    return g_strdup_printf("%s %s %s", name, type ? type : "unknown", base64);
}

char *xc_known_hosts_fingerprint(const void *key, size_t length)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    guint8 digest[32];
    gsize n = sizeof digest;
    g_autofree char *base64 = NULL;

    g_checksum_update(sum, key, (gssize)length);
    g_checksum_get_digest(sum, digest, &n);
    base64 = g_base64_encode(digest, n);
    base64[strcspn(base64, "=")] = '\0';
    return g_strdup_printf("SHA256:%s", base64);
}

/* The old lines but those that the new one replaces, then the new one. */
static char *text_with(const char *old, const struct entry *added, const char *line)
{
    GString *text = g_string_new(NULL);

    while (*old) {
        size_t length = strcspn(old, "\n");
        struct entry entry;
        bool drop = false;

        if (entry_parse(old, length, &entry)) {
            bool only = entry.hosts[0] == '|' ? hash_matches(entry.hosts, added->hosts)
                                              : strcmp(entry.hosts, added->hosts) == 0;
            drop =
                only && !entry.revoked && !entry.authority && strcmp(entry.type, added->type) == 0;
            entry_clear(&entry);
        }
        if (!drop)
            g_string_append_printf(text, "%.*s\n", (int)length, old);
        old += length + (old[length] == '\n');
    }
    g_string_append_printf(text, "%s\n", line);
    return g_string_free(text, FALSE);
}

static bool replace_file(const char *path, const struct entry *added, const char *line,
                         GError **error)
{
    g_autofree char *old = xc_known_hosts_load(path, error);
    g_autofree char *text = NULL;
    g_autoptr(GError) local = NULL;

    if (!old)
        return false;
    text = text_with(old, added, line);
    if (g_file_set_contents_full(path, text, -1,
                                 G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0644,
                                 &local))
        return true;
    return xc_fail(error, XC_CAUSE_BAD_CONFIG, "%s", local->message);
}

bool xc_known_hosts_add(const char *path, const char *line, GError **error)
{
    struct entry added;
    bool ok;
    int lock;

    if (strchr(line, '\n') || !entry_parse(line, strlen(line), &added))
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "not a known_hosts line: NAME TYPE KEY");
    lock = xc_lock_beside(path, XC_CAUSE_BAD_CONFIG, error);
    ok = lock >= 0 && replace_file(path, &added, line, error);
    if (lock >= 0)
        close(lock);
    entry_clear(&added);
    return ok;
}
