/* doctor on the agent's own machine: snmpd.conf, and who may use the AgentX socket. */
#include "tools/xenctl/daemon_files.h"
#include "tools/xenctl/doctor.h"

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define AGENTX_SOCKET "/var/agentx/master"
#define ELSEWHERE     "the agent is on another machine: run xenctl doctor there"
#define TIMEOUT_GOAL  5
#define GETBULK_GOAL  1000
/* Above this an answer may not fit into a datagram, and snmpd then sends none. */
#define GETBULK_SAFE 2000
#define MESSAGE_GOAL 65507

static const char *conf_path(const struct doctor *doctor)
{
    const char *path = doctor->ctl->opt.snmpd_conf;

    return path ? path : CTL_SNMPD_CONF;
}

/* --- snmpd.conf */
static const char *place(const char *at)
{
    return at ? at : "";
}

static void check_timeout(struct doctor *doctor, const struct snmpd_conf *conf)
{
    const char *at = place(conf->timeout_at);

    if (conf->agentx_timeout >= TIMEOUT_GOAL)
        doctor_find(doctor, WELL, NULL, "%sagentXTimeout %ld", at, conf->agentx_timeout);
    else
        doctor_find(doctor, ILL, "put the line  agentXTimeout 5  into it and restart snmpd",
                    "%sagentXTimeout is %ld s: snmpd drops xensnmpd when it is busy for a moment",
                    at, conf->agentx_timeout < 0 ? 1 : conf->agentx_timeout);
}

static void check_getbulk(struct doctor *doctor, const struct snmpd_conf *conf)
{
    static const char cure[] = "put the line  maxGetbulkResponses 1000  into it and restart snmpd";
    const char *at = place(conf->getbulk_at);

    if (conf->max_getbulk == G_MINLONG)
        doctor_find(doctor, ILL, cure,
                    "maxGetbulkResponses is not set: answers hold 100 values, walks are slow");
    else if (conf->max_getbulk > GETBULK_SAFE || conf->max_getbulk <= 0)
        doctor_find(doctor, ILL, cure,
                    "%smaxGetbulkResponses %ld: snmpd gives no answer at all when it gets too big",
                    at, conf->max_getbulk);
    else if (conf->max_getbulk < GETBULK_GOAL)
        doctor_find(doctor, ILL, cure, "%smaxGetbulkResponses is %ld: walks are slow", at,
                    conf->max_getbulk);
    else
        doctor_find(doctor, WELL, NULL, "%smaxGetbulkResponses %ld", at, conf->max_getbulk);
}

static void check_message(struct doctor *doctor, const struct snmpd_conf *conf)
{
    const char *at = place(conf->message_at);

    if (conf->send_message_max > 0 && conf->send_message_max <= MESSAGE_GOAL)
        doctor_find(doctor, WELL, NULL, "%ssendMessageMaxSize %ld", at, conf->send_message_max);
    else
        doctor_find(doctor, ILL,
                    "put the line  [snmp] sendMessageMaxSize 65000  into it and restart snmpd",
                    "%ssendMessageMaxSize is %s: snmpd gives no answer when it gets too big", at,
                    conf->send_message_max < 0 ? "not set" : "too large");
}

void doctor_check_settings(struct doctor *doctor, const struct snmpd_conf *conf, const char *path)
{
    if (conf->master_agentx)
        doctor_find(doctor, WELL, NULL, "master agentx");
    else
        doctor_find(doctor, ILL, "put the line  master agentx  into it and restart snmpd",
                    "%s lets no subagent in", path);
    check_timeout(doctor, conf);
    check_getbulk(doctor, conf);
    check_message(doctor, conf);
}

void doctor_check_files(struct doctor *doctor)
{
    g_autoptr(GError) error = NULL;
    struct snmpd_conf conf;

    if (!doctor->local) {
        doctor_find(doctor, NOT_CHECKED, NULL, "%s", ELSEWHERE);
        return;
    }
    snmpd_conf_init(&conf);
    if (snmpd_conf_load(&conf, conf_path(doctor), &error))
        doctor_check_settings(doctor, &conf, conf_path(doctor));
    else
        doctor_find(doctor, ILL, "run xenctl doctor as root, or say --snmpd-conf FILE", "%s",
                    error->message);
    snmpd_conf_clear(&conf);
}

/* --- the socket */
static char *socket_path(const struct doctor *doctor, const struct ctl_files *files)
{
    struct snmpd_conf conf;
    char *path;

    snmpd_conf_init(&conf);
    (void)snmpd_conf_load(&conf, conf_path(doctor), NULL);
    if (doctor->ctl->opt.agentx_socket)
        path = g_strdup(doctor->ctl->opt.agentx_socket);
    else if (conf.agentx_socket)
        path = g_strdup(conf.agentx_socket);
    else
        path = g_strdup(files->agentx_socket[0] ? files->agentx_socket : AGENTX_SOCKET);
    snmpd_conf_clear(&conf);
    return path;
}

static bool in_group(const struct ctl_account *account, gid_t group)
{
    gid_t groups[256];
    int n = G_N_ELEMENTS(groups);

    if (getgrouplist(account->name, account->gid, groups, &n) < 0)
        return false;
    for (int i = 0; i < n; i++)
        if (groups[i] == group)
            return true;
    return false;
}

/* May the account do `wanted` (4 read, 2 write, 1 enter) there? */
static bool may(const struct ctl_account *account, const struct stat *st, unsigned wanted)
{
    unsigned mode = st->st_mode & 07;

    if (account->uid == 0)
        return true;
    if (st->st_uid == account->uid)
        mode = (st->st_mode >> 6) & 07;
    else if (in_group(account, st->st_gid))
        mode = (st->st_mode >> 3) & 07;
    return (mode & wanted) == wanted;
}

static void check_account(struct doctor *doctor, const struct ctl_files *files, const char *path,
                          const struct stat *socket_st)
{
    struct ctl_account account;
    g_autofree char *dir = g_path_get_dirname(path);
    g_autofree char *cure = NULL;
    struct stat dir_st;

    if (!ctl_account_find(files->user, &account)) {
        doctor_find(doctor, NOT_CHECKED, NULL,
                    "%s: there is no account %s, which xensnmpd would run as", path, files->user);
        return;
    }
    cure = g_strdup_printf(
        "put the line  agentXPerms 0660 0755 Debian-snmp %s  into snmpd.conf and restart "
        "snmpd",
        account.name);
    if (stat(dir, &dir_st) == 0 && !may(&account, &dir_st, 1))
        doctor_find(doctor, ILL, cure, "%s may not enter %s", account.name, dir);
    else if (!may(&account, socket_st, 2))
        doctor_find(doctor, ILL, cure, "%s may not write to %s", account.name, path);
    else
        doctor_find(doctor, WELL, NULL, "%s may use %s", account.name, path);
}

static void check_others(struct doctor *doctor, const char *path, const struct stat *st)
{
    g_autofree char *dir = g_path_get_dirname(path);
    struct stat dir_st;

    if ((st->st_mode & 02) && stat(dir, &dir_st) == 0 && (dir_st.st_mode & 01))
        doctor_find(
            doctor, ILL,
            "put the line  agentXPerms 0660 0755 Debian-snmp xensnmp  into snmpd.conf and restart "
            "snmpd",
            "%s: every user of this machine may register there and answer in xensnmpd's place",
            path);
}

static void check_path(struct doctor *doctor, const struct ctl_files *files, const char *path)
{
    struct stat st;

    if (!path[0] || path[0] != '/')
        doctor_find(doctor, NOT_CHECKED, NULL, "%s is no path", path);
    else if (stat(path, &st) < 0)
        doctor_find(doctor, ILL,
                    errno == EACCES ? "run xenctl doctor as root"
                                    : "is  master agentx  in snmpd.conf, and snmpd running?",
                    "%s: %s", path, g_strerror(errno));
    else if (!S_ISSOCK(st.st_mode))
        doctor_find(doctor, ILL, "remove it and restart snmpd", "%s is no socket", path);
    else {
        check_account(doctor, files, path, &st);
        check_others(doctor, path, &st);
    }
}

void doctor_check_socket(struct doctor *doctor)
{
    g_autoptr(GError) error = NULL;
    struct ctl_files files = {0};
    g_autofree char *path = NULL;

    if (!doctor->local) {
        doctor_find(doctor, NOT_CHECKED, NULL, "%s", ELSEWHERE);
        return;
    }
    if (!ctl_files_load(doctor->ctl, &files, &error)) {
        doctor_find(doctor, ILL, "mend it, or run xenctl doctor as root", "%s", error->message);
        return;
    }
    path = socket_path(doctor, &files);
    check_path(doctor, &files, path);
    ctl_files_clear(&files);
}
