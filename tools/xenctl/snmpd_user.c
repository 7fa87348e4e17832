/* snmpd-user: a line createUser in snmpd's own file, which snmpd replaces by keys at its next start. */
#include "tools/xenctl/secret.h"
#include "tools/xenctl/snmpd_users.h"
#include "tools/xenctl/xenctl.h"

#include "xenclient/util/error.h"
#include "xenclient/util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PHRASE_MIN 8 /* RFC 3414 */
#define PHRASE_MAX 200

struct phrases {
    char *auth;
    char *priv;
};

static void phrases_clear(struct phrases *phrases)
{
    ctl_secret_free(phrases->auth);
    ctl_secret_free(phrases->priv);
}

static bool check_phrase(const char *phrase, const char *which, GError **error)
{
    if (!phrase)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "no %s pass phrase came on stdin", which);
    if (strlen(phrase) < PHRASE_MIN || strlen(phrase) > PHRASE_MAX)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "the %s pass phrase needs %d to %d octets", which,
                       PHRASE_MIN, PHRASE_MAX);
    for (const char *at = phrase; *at; at++)
        if (g_ascii_iscntrl(*at) || *at == '"' || *at == '\\')
            return xc_fail(error, XC_CAUSE_BAD_VALUE,
                           "the %s pass phrase has a quote, a backslash or a control character",
                           which);
    return true;
}

/* On a terminal each is asked for twice: nobody sees what was typed. */
static bool read_phrase(const char *which, char **out, GError **error)
{
    g_autofree char *prompt = g_strdup_printf("Pass phrase for %s", which);
    char *again = NULL;
    bool ok;

    *out = ctl_secret_read(prompt);
    if (!check_phrase(*out, which, error))
        return false;
    if (!isatty(STDIN_FILENO))
        return true;
    again = ctl_secret_read("Again");
    ok = g_strcmp0(*out, again) == 0 ||
         xc_fail(error, XC_CAUSE_BAD_VALUE, "the two are not the same");
    ctl_secret_free(again);
    return ok;
}

static bool read_phrases(struct phrases *out, GError **error)
{
    return read_phrase("authentication", &out->auth, error) &&
           read_phrase("encryption", &out->priv, error);
}

/* --- the file: what was there, and the line; it keeps its owner, or gets its folder's */
static bool is_new(const char *path, const char *text, const char *name, GError **error)
{
    struct snmpd_lines lines;
    const struct snmpd_user *user;
    GPtrArray *users;
    bool ok;

    snmpd_lines_init(&lines);
    snmpd_lines_parse(&lines, text, path, "snmpd");
    users = snmpd_users(&lines);
    user = snmpd_users_find(users, name);
    ok = !user || xc_fail(error, XC_CAUSE_CONFLICT,
                          "%s:%u: there is a user %s; to give it another pass phrase, remove that "
                          "line while snmpd is stopped",
                          path, user->line->number, name);
    g_ptr_array_unref(users);
    snmpd_lines_clear(&lines);
    return ok;
}

static bool write_all(int fd, const char *text)
{
    size_t length = strlen(text);

    while (length) {
        ssize_t n = write(fd, text, length);

        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0) {
            text += n;
            length -= (size_t)n;
        }
    }
    return fsync(fd) == 0;
}

static bool owner_of(const char *path, struct stat *out)
{
    g_autofree char *dir = g_path_get_dirname(path);

    return stat(path, out) == 0 || stat(dir, out) == 0;
}

/* Whole or not at all, and never open to others. */
static bool replace(const char *path, const char *text, GError **error)
{
    g_autofree char *temporary = g_strconcat(path, ".XXXXXX", NULL);
    struct stat st;
    int fd = g_mkstemp_full(temporary, O_RDWR | O_CLOEXEC, 0600);
    bool ok;

    if (fd < 0)
        return xc_fail(error, XC_CAUSE_STORE, "%s: %s", path, g_strerror(errno));
    ok = owner_of(path, &st) &&
         ((st.st_uid == geteuid()) || fchown(fd, st.st_uid, st.st_gid) == 0) &&
         write_all(fd, text) && g_rename(temporary, path) == 0;
    if (!ok) {
        xc_fail(error, XC_CAUSE_STORE, "%s: %s", path, g_strerror(errno));
        (void)g_unlink(temporary);
    }
    close(fd);
    return ok;
}

static bool add(const char *path, const char *name, const struct phrases *phrases, GError **error)
{
    char *text = NULL;
    char *whole = NULL;
    bool exists = g_file_test(path, G_FILE_TEST_EXISTS);
    bool ok = !exists || g_file_get_contents(path, &text, NULL, error);

    if (ok && is_new(path, text ? text : "", name, error)) {
        whole = g_strdup_printf("%s%screateUser %s SHA-256 \"%s\" AES \"%s\"\n", text ? text : "",
                                text && text[0] && !g_str_has_suffix(text, "\n") ? "\n" : "", name,
                                phrases->auth, phrases->priv);
        ok = replace(path, whole, error);
    } else {
        ok = false;
    }
    ctl_secret_free(text);
    ctl_secret_free(whole);
    return ok;
}

/* --- snmpd writes that file when it ends, and what was put there meanwhile is lost */
static bool is_snmpd(const char *process)
{
    g_autofree char *path = g_build_filename("/proc", process, "comm", NULL);
    g_autofree char *name = NULL;

    return g_ascii_isdigit(process[0]) && g_file_get_contents(path, &name, NULL, NULL) &&
           g_str_equal(g_strchomp(name), "snmpd");
}

static bool snmpd_runs(void)
{
    GDir *dir = g_dir_open("/proc", 0, NULL);
    const char *process;
    bool runs = false;

    while (dir && !runs && (process = g_dir_read_name(dir)))
        runs = is_snmpd(process);
    if (dir)
        g_dir_close(dir);
    return runs;
}

int ctl_snmpd_user(struct ctl *ctl)
{
    const char *path = ctl->opt.users ? ctl->opt.users : CTL_SNMPD_USERS;
    const char *name = ctl->args[0];
    struct phrases phrases = {NULL, NULL};
    g_autoptr(GError) error = NULL;
    bool ok;

    if (!xc_text_is_key(name, 20))
        return ctl_say(ctl, CTL_ERROR, "%s: a user has 1 to 20 letters, digits, '.', '_', '-'",
                       name);
    /* Of another file it is not known whose it is. */
    if (!ctl->opt.users && snmpd_runs())
        return ctl_say(ctl, CTL_ERROR, "snmpd runs, and would undo it: systemctl stop snmpd first");
    ok = read_phrases(&phrases, &error) && add(path, name, &phrases, &error);
    phrases_clear(&phrases);
    if (!ok)
        return ctl_fail(ctl, error);
    if (ctl->opt.json)
        printf("{\"user\": \"%s\"}\n", name); /* a key: nothing in it to escape */
    else
        printf("user %s is in %s; start snmpd now\n", name, path);
    return CTL_OK;
}
