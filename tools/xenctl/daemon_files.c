/* Where xensnmpd on this machine keeps its files. */
#include "tools/xenctl/daemon_files.h"

#include "xenclient/engine/config.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

static xc_config *load_config(const struct ctl *ctl, GError **error)
{
    if (ctl->opt.config)
        return xc_config_load(ctl->opt.config, error);
    if (access(CTL_DAEMON_CONFIG, F_OK) == 0)
        return xc_config_load(CTL_DAEMON_CONFIG, error);
    return xc_config_new();
}

bool ctl_files_load(const struct ctl *ctl, struct ctl_files *out, GError **error)
{
    const struct ctl_options *opt = &ctl->opt;
    g_autoptr(xc_config) config = load_config(ctl, error);

    memset(out, 0, sizeof(*out));
    if (!config)
        return false;
    out->credential_dir =
        g_strdup(opt->credential_dir ? opt->credential_dir : config->credential_dir);
    out->known_hosts = g_strdup(opt->known_hosts ? opt->known_hosts : config->known_hosts);
    out->tls_pins = g_strdup(opt->tls_pins ? opt->tls_pins : config->tls_pins);
    out->state_dir = g_strdup(opt->state_dir ? opt->state_dir : config->state_dir);
    out->agentx_socket = g_strdup(config->agentx_socket);
    out->user = g_strdup(config->user);
    return true;
}

void ctl_files_clear(struct ctl_files *files)
{
    g_free(files->credential_dir);
    g_free(files->known_hosts);
    g_free(files->tls_pins);
    g_free(files->state_dir);
    g_free(files->agentx_socket);
    g_free(files->user);
    memset(files, 0, sizeof(*files));
}

bool ctl_account_find(const char *name, struct ctl_account *out)
{
    char texts[4096];
    struct passwd account;
    struct passwd *found = NULL;
    int r = name[0] ? getpwnam_r(name, &account, texts, sizeof(texts), &found)
                    : getpwuid_r(geteuid(), &account, texts, sizeof(texts), &found);

    if (r != 0 || !found)
        return false;
    g_strlcpy(out->name, found->pw_name, sizeof(out->name));
    out->uid = found->pw_uid;
    out->gid = found->pw_gid;
    return true;
}

bool ctl_files_give(const struct ctl_files *files, const char *path, GError **error)
{
    struct ctl_account account;

    if (!files->user[0] || geteuid() != 0 || !ctl_account_find(files->user, &account) ||
        lchown(path, account.uid, account.gid) == 0)
        return true;
    g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(errno), "%s: chown to %s: %s",
                path, files->user, g_strerror(errno));
    return false;
}
