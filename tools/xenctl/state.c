/* backup, export, import: the agent's databases on its own machine, by the files and not by SNMP. */
#include "tools/xenctl/daemon_files.h"

#include "xenclient/store/state_dir.h"

static char *state_dir(struct ctl *ctl, GError **error)
{
    struct ctl_files files = {0};
    char *dir = ctl_files_load(ctl, &files, error) ? g_strdup(files.state_dir) : NULL;

    ctl_files_clear(&files);
    return dir;
}

static void report(const struct ctl *ctl, const char *member, const char *value, const char *text)
{
    struct json json;
    g_autofree char *out = NULL;

    if (!ctl->opt.json) {
        printf("%s\n", text);
        return;
    }
    json_init(&json);
    json_open_object(&json, NULL);
    json_text(&json, member, value);
    json_close_object(&json);
    out = json_finish(&json);
    printf("%s\n", out);
}

int ctl_backup(struct ctl *ctl)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *dir = state_dir(ctl, &error);
    g_autofree char *text = NULL;

    if (!dir || !xc_state_backup(dir, ctl->args[0], &error))
        return ctl_fail(ctl, error);
    text = g_strdup_printf("the databases of %s are copied to %s", dir, ctl->args[0]);
    report(ctl, "backup", ctl->args[0], text);
    return CTL_OK;
}
