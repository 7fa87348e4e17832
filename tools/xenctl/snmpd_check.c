/* snmpd-config --check: from the settings for subagents to who may write what, each finding with its line and its cure. */
#include "tools/xenctl/snmpd_check.h"

#include "tools/xenctl/doctor.h"
#include "tools/xenctl/rights.h"
#include "tools/xenctl/snmpd_users.h"
#include "tools/xenctl/snmpd_vacm.h"

#include <string.h>
#include <sys/stat.h>

#define TAKE_IT_OUT "take the line out; give an SNMPv3 user what it is for: xenctl snmpd-config"

struct judge {
    struct doctor *doctor;
    const char *path;
    const char *users_path;
    struct snmpd_lines lines; /* of the configuration */
    struct snmpd_lines own;   /* of snmpd's own file */
    bool own_known;
    GArray *grants;          /* struct vacm_grant of lines */
    GPtrArray *users;        /* of own */
    GPtrArray *inline_users; /* of lines */
};

static void find_at(const struct judge *judge, const struct snmpd_line *line, enum verdict verdict,
                    const char *cure, const char *text)
{
    doctor_find(judge->doctor, verdict, cure, "%s:%u: %s", line->file, line->number, text);
}

static bool others_may(const char *path, mode_t what)
{
    struct stat st;

    return stat(path, &st) == 0 && (st.st_mode & what);
}

/* --- files */
static void check_one_file(struct judge *judge, const char *path)
{
    g_autofree char *quoted = g_shell_quote(path);
    g_autofree char *cure = g_strdup_printf("chmod go-w %s", quoted);

    if (others_may(path, 022))
        doctor_find(judge->doctor, ILL, cure, "%s: others than its owner may write it", path);
    else
        doctor_find(judge->doctor, WELL, NULL, "%s", path);
}

static void check_files(struct judge *judge)
{
    check_one_file(judge, judge->path);
    for (unsigned i = 0; i < judge->lines.files->len; i++)
        check_one_file(judge, g_ptr_array_index(judge->lines.files, i));
    for (unsigned i = 0; i < judge->lines.unread->len; i++)
        doctor_find(judge->doctor, ILL, "run this as root, or take the include out", "%s",
                    (char *)g_ptr_array_index(judge->lines.unread, i));
}

static void check_settings(struct judge *judge)
{
    struct snmpd_conf conf;

    snmpd_conf_init(&conf);
    snmpd_conf_take(&conf, &judge->lines);
    doctor_check_settings(judge->doctor, &conf, judge->path);
    snmpd_conf_clear(&conf);
}

/* --- the AgentX socket */
static const struct snmpd_line *last_of(const struct judge *judge, const char *token)
{
    for (unsigned i = snmpd_lines_count(&judge->lines); i > 0; i--)
        if (snmpd_line_is(snmpd_line_at(&judge->lines, i - 1), token))
            return snmpd_line_at(&judge->lines, i - 1);
    return NULL;
}

static void check_socket(struct judge *judge)
{
    static const char cure[] =
        "put the line  agentXPerms 0660 0755 Debian-snmp xensnmp  in its place and restart snmpd";
    const struct snmpd_line *perms = last_of(judge, "agentXPerms");
    const struct snmpd_line *socket = last_of(judge, "agentXSocket");
    const char *place = socket ? snmpd_line_word(socket, 0) : "/";

    if (place[0] != '/' && !g_str_has_prefix(place, "unix:"))
        find_at(judge, socket, ILL, "take the line out: a Unix socket has an owner and a mode",
                "AgentX over the network: who reaches it answers in xensnmpd's place");
    if (!perms)
        doctor_find(judge->doctor, ILL, cure,
                    "agentXPerms is not set: the account of xensnmpd can't open the socket");
    else if (g_ascii_strtoull(snmpd_line_word(perms, 0), NULL, 8) & 07)
        find_at(judge, perms, ILL, cure,
                "agentXPerms: every user of this machine may register there and answer in "
                "xensnmpd's place");
    else
        find_at(judge, perms, WELL, NULL, "agentXPerms keeps others from the AgentX socket");
}

/* --- access: lines that lead nowhere */
static bool is_none(const char *view)
{
    return g_str_equal(view, "none") || g_str_equal(view, "_none_") || g_str_equal(view, "_all_");
}

static void check_access_line(struct judge *judge, const struct snmpd_line *line)
{
    if (line->n_words < 8) {
        find_at(judge, line, ILL,
                "access GROUP CONTEXT MODEL LEVEL MATCH READ WRITE NOTIFY; \"\" is no context",
                "access: words are missing");
        return;
    }
    if (snmpd_line_word(line, 1)[0] == '"' && snmpd_line_word(line, 1)[1] != '"')
        find_at(judge, line, ILL, "take the quotes away: snmpd takes them for part of the name",
                "access: its context is in quotes");
    for (unsigned i = 5; i < 8; i++) {
        const char *view = snmpd_line_word(line, i);
        g_autofree char *text = g_strdup_printf("access: there is no view %s", view);

        if (!is_none(view) && !vacm_view_exists(&judge->lines, view))
            find_at(judge, line, ILL, "add the lines  view NAME included OID,  or say none", text);
    }
}

static void check_lines(struct judge *judge)
{
    static const char *const not_judged[] = {"authuser",   "authgroup", "authcommunity",
                                             "authaccess", "setaccess", "proxy"};

    for (unsigned i = 0; i < snmpd_lines_count(&judge->lines); i++) {
        const struct snmpd_line *line = snmpd_line_at(&judge->lines, i);
        g_autofree char *text = g_strdup_printf("%s is not judged", line->token);
        struct sn_oid oid;

        if (snmpd_line_is(line, "access"))
            check_access_line(judge, line);
        else if (snmpd_line_is(line, "view") && !sn_oid_parse(snmpd_line_word(line, 2), &oid))
            find_at(judge, line, NOT_CHECKED, NULL, "view: names are not judged, numbers are");
        for (size_t t = 0; t < G_N_ELEMENTS(not_judged); t++)
            if (snmpd_line_is(line, not_judged[t]))
                find_at(judge, line, NOT_CHECKED, NULL, text);
    }
}

/* --- access: who may read, who may write */
static bool is_unsafe(struct judge *judge, const struct vacm_grant *grant)
{
    const char *does = grant->write ? "change domains" : "read XENSNMP-MIB";
    g_autofree char *text = NULL;

    if (!grant->who)
        text = g_strdup_printf("a community may %s: communities travel in the clear", does);
    else if (grant->level < VACM_PRIV)
        text = g_strdup_printf("%s may %s without %s", grant->who, does,
                               grant->level < VACM_AUTH ? "any pass phrase" : "encryption");
    if (text)
        find_at(judge, grant->line, ILL, grant->who ? "ask for authPriv in this line" : TAKE_IT_OUT,
                text);
    return text != NULL;
}

static enum vacm_extent opens_right(const struct judge *judge, const struct vacm_grant *grant,
                                    const struct ctl_right *right)
{
    enum vacm_extent most = VACM_NOTHING;

    for (const enum sn_id *column = right->columns; *column != SN_NONE; column++) {
        const struct sn_oid oid = sn_oid_of(*column);

        most = MAX(most, vacm_opens(&judge->lines, grant, &oid));
    }
    return most;
}

/* "power, migrate, force of some rows"; NULL: nothing of ours. */
static char *rights_of(const struct judge *judge, const struct vacm_grant *grant)
{
    GString *out = g_string_new(NULL);

    for (unsigned i = 0; i < ctl_n_rights; i++) {
        enum vacm_extent extent = opens_right(judge, grant, &ctl_rights[i]);

        if (extent != VACM_NOTHING)
            g_string_append_printf(out, "%s%s%s", out->len ? ", " : "", ctl_rights[i].name,
                                   extent == VACM_PART ? " of some rows" : "");
    }
    return g_string_free(out, out->len == 0);
}

static void check_readers(struct judge *judge)
{
    const struct sn_oid root = sn_oid_of(xensnmpMIB);
    unsigned readers = 0;

    for (unsigned i = 0; i < judge->grants->len; i++) {
        const struct vacm_grant *grant = &g_array_index(judge->grants, struct vacm_grant, i);
        enum vacm_extent extent = vacm_opens(&judge->lines, grant, &root);
        g_autofree char *text = NULL;

        if (grant->write || extent == VACM_NOTHING)
            continue;
        readers++;
        text = g_strdup_printf("%s may read %sXENSNMP-MIB", grant->who ? grant->who : "a community",
                               extent == VACM_PART ? "parts of " : "");
        if (!is_unsafe(judge, grant))
            find_at(judge, grant->line, WELL, NULL, text);
    }
    if (!readers)
        doctor_find(judge->doctor, ILL, "xenctl snmpd-config prints what is missing",
                    "nobody may read XENSNMP-MIB");
}

static void check_writers(struct judge *judge)
{
    unsigned writers = 0;

    for (unsigned i = 0; i < judge->grants->len; i++) {
        const struct vacm_grant *grant = &g_array_index(judge->grants, struct vacm_grant, i);
        g_autofree char *rights = grant->write ? rights_of(judge, grant) : NULL;
        g_autofree char *text = NULL;

        if (!rights)
            continue;
        writers++;
        text = g_strdup_printf("%s has the rights %s", grant->who ? grant->who : "", rights);
        if (!is_unsafe(judge, grant))
            find_at(judge, grant->line, WELL, NULL, text);
    }
    if (!writers)
        doctor_find(judge->doctor, WELL, NULL, "nobody may change anything");
}

/* --- users */
static void check_user(struct judge *judge, const struct snmpd_line *line, const char *name)
{
    const struct snmpd_user *user = snmpd_users_find(judge->users, name);
    g_autofree char *cure =
        g_strdup_printf("stop snmpd, say  xenctl snmpd-user %s,  start snmpd", name);
    g_autofree char *text = NULL;

    if (!user)
        user = snmpd_users_find(judge->inline_users, name);
    if (user && user->weak) {
        text = g_strdup_printf("the user %s has %s", name, user->weak);
        find_at(judge, user->line, ILL, "make another user, with SHA-256 and AES", text);
    } else if (user) {
        doctor_find(judge->doctor, WELL, NULL, "there is a user %s", name);
    } else if (judge->own_known) {
        text = g_strdup_printf("there is no user %s in %s", name, judge->users_path);
        find_at(judge, line, ILL, cure, text);
    }
}

static void check_users(struct judge *judge)
{
    g_autoptr(GHashTable) done = g_hash_table_new(g_str_hash, g_str_equal);
    const struct sn_oid root = sn_oid_of(xensnmpMIB);

    if (!judge->own_known)
        doctor_find(judge->doctor, NOT_CHECKED, NULL, "%s can't be read: run this as root",
                    judge->users_path);
    for (unsigned i = 0; i < judge->grants->len; i++) {
        const struct vacm_grant *grant = &g_array_index(judge->grants, struct vacm_grant, i);

        if (grant->who && vacm_opens(&judge->lines, grant, &root) != VACM_NOTHING &&
            g_hash_table_add(done, (gpointer)grant->who))
            check_user(judge, grant->line, grant->who);
    }
    for (unsigned i = 0; i < judge->inline_users->len; i++) {
        const struct snmpd_user *user = g_ptr_array_index(judge->inline_users, i);

        if (others_may(user->line->file, 044))
            find_at(judge, user->line, ILL,
                    "take the line out, stop snmpd, and make the user with  xenctl snmpd-user",
                    "createUser: its pass phrases stand where others can read them");
    }
}

/* --- notifications */
static bool has_word(const struct snmpd_line *line, const char *word)
{
    for (unsigned i = 0; i < line->n_words; i++)
        if (g_ascii_strcasecmp(line->words[i], word) == 0)
            return true;
    return false;
}

/* Pass phrases and keys among the options: -A -X -3m -3k ... */
static bool has_secret(const struct snmpd_line *line)
{
    for (unsigned i = 0; i < line->n_words; i++)
        if (g_str_has_prefix(line->words[i], "-A") || g_str_has_prefix(line->words[i], "-X") ||
            g_str_has_prefix(line->words[i], "-3"))
            return true;
    return false;
}

static void check_session(struct judge *judge, const struct snmpd_line *line)
{
    bool version = has_word(line, "-v3") || has_word(line, "3");

    if (!version || !has_word(line, "authPriv"))
        find_at(judge, line, ILL, "trapsess -v3 -l authPriv -u USER HOST",
                "trapsess: notifications travel in the clear");
    else if (has_secret(line) && others_may(line->file, 044))
        find_at(judge, line, ILL,
                "leave them out: snmpd has the keys of its users; or chmod 600 the file",
                "trapsess: its pass phrases stand where others can read them");
    else
        find_at(judge, line, WELL, NULL, "notifications travel signed and encrypted");
    for (unsigned i = 0; !has_secret(line) && i + 1 < line->n_words; i++)
        if (g_str_equal(line->words[i], "-u"))
            check_user(judge, line, line->words[i + 1]);
}

static void check_traps(struct judge *judge)
{
    static const char *const clear[] = {"trapsink", "trap2sink", "informsink"};
    unsigned found = 0;

    for (unsigned i = 0; i < snmpd_lines_count(&judge->lines); i++) {
        const struct snmpd_line *line = snmpd_line_at(&judge->lines, i);

        for (size_t t = 0; t < G_N_ELEMENTS(clear); t++)
            if (snmpd_line_is(line, clear[t])) {
                found++;
                find_at(judge, line, ILL, "trapsess -v3 -l authPriv -u USER HOST instead",
                        "notifications travel in the clear, with a community");
            }
        if (snmpd_line_is(line, "trapsess")) {
            found++;
            check_session(judge, line);
        }
    }
    if (!found)
        doctor_find(judge->doctor, NOT_CHECKED, NULL, "nobody gets notifications");
}

/* --- all of them */
static const struct {
    const char *name;
    void (*run)(struct judge *judge);
} checks[] = {
    {"files", check_files},  {"settings", check_settings},   {"agentx socket", check_socket},
    {"access", check_lines}, {"readers", check_readers},     {"writers", check_writers},
    {"users", check_users},  {"notifications", check_traps},
};

static void judge_all(struct judge *judge)
{
    g_autoptr(GError) error = NULL;

    /* A file that is not there has no users. */
    judge->own_known = snmpd_lines_load(&judge->own, judge->users_path, &error) ||
                       g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
    judge->grants = vacm_grants(&judge->lines);
    judge->users = snmpd_users(&judge->own);
    judge->inline_users = snmpd_users(&judge->lines);
    for (size_t i = 0; i < G_N_ELEMENTS(checks); i++) {
        judge->doctor->check = checks[i].name;
        checks[i].run(judge);
    }
    g_array_unref(judge->grants);
    g_ptr_array_unref(judge->users);
    g_ptr_array_unref(judge->inline_users);
}

int ctl_snmpd_check(struct ctl *ctl)
{
    g_autofree char *path =
        g_canonicalize_filename(ctl->n_args ? ctl->args[0] : CTL_SNMPD_CONF, NULL);
    g_autoptr(GError) error = NULL;
    struct doctor doctor;
    struct judge judge = {.doctor = &doctor,
                          .path = path,
                          .users_path = ctl->opt.users ? ctl->opt.users : CTL_SNMPD_USERS};
    int code;

    snmpd_lines_init(&judge.lines);
    snmpd_lines_init(&judge.own);
    if (snmpd_lines_load(&judge.lines, path, &error)) {
        doctor_init(&doctor, ctl);
        judge_all(&judge);
        code = doctor_end(&doctor);
    } else {
        code = ctl_fail(ctl, error);
    }
    snmpd_lines_clear(&judge.lines);
    snmpd_lines_clear(&judge.own);
    return code;
}
