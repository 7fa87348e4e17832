/* credential add, credential list: files on the agent's machine. No secret comes from the command line. */
#include "tools/xenctl/daemon_files.h"
#include "tools/xenctl/secret.h"
#include "tools/xenctl/text.h"

#include "xenclient/drivers/credential.h"
#include "xenclient/util/text.h"

#include <string.h>

/* --- add */
static const char *wrong_choice(const struct ctl_options *opt)
{
    unsigned ways = (opt->key_file != NULL) + opt->ssh_agent + opt->password_stdin;

    if (ways != 1)
        return "say one of --key FILE, --ssh-agent, --password-stdin";
    if (!opt->uris)
        return "say where it may be used: --uri 'ssh://root@dom0-a' (globs, may be repeated)";
    if (opt->key_file && opt->key_file[0] != '/')
        return "--key needs an absolute path: the daemon opens it";
    return NULL;
}

static bool write_credential(struct ctl *ctl, const struct ctl_files *files, GError **error)
{
    const struct ctl_options *opt = &ctl->opt;
    struct xc_credential credential = {
        .name = g_strdup(ctl->args[0]),
        .uris = g_strdupv(opt->uris),
        .key_file = g_strdup(opt->key_file),
        .agent = opt->ssh_agent,
        .user = g_strdup(opt->user),
        .password = opt->password_stdin ? ctl_secret_read("Password") : NULL,
    };
    g_autofree char *path = g_build_filename(files->credential_dir, ctl->args[0], NULL);
    bool ok = xc_credential_write(files->credential_dir, &credential, opt->replace, error) &&
              ctl_files_give(files, files->credential_dir, error) &&
              ctl_files_give(files, path, error);

    xc_credential_clear(&credential);
    return ok;
}

static void report(const struct ctl *ctl, const struct ctl_files *files)
{
    if (ctl->opt.json)
        printf("{\"credential\": \"%s\"}\n", ctl->args[0]); /* a key: nothing in it to escape */
    else
        printf("credential %s written to %s\n", ctl->args[0], files->credential_dir);
}

int ctl_credential_add(struct ctl *ctl)
{
    const char *wrong = wrong_choice(&ctl->opt);
    g_autoptr(GError) error = NULL;
    struct ctl_files files = {0};
    int code = CTL_OK;

    if (wrong)
        return ctl_say(ctl, CTL_ERROR, "%s", wrong);
    if (!xc_text_is_key(ctl->args[0], 32))
        return ctl_say(ctl, CTL_ERROR, "%s: a name has 1 to 32 letters, digits, '.', '_', '-'",
                       ctl->args[0]);
    if (!ctl_files_load(ctl, &files, &error) || !write_credential(ctl, &files, &error))
        code = ctl_fail(ctl, error);
    else
        report(ctl, &files);
    ctl_files_clear(&files);
    return code;
}

/* --- list: names only; who may list the folder need not be able to open the files */
static void list_json(char **names)
{
    struct json json;
    g_autofree char *out = NULL;

    json_init(&json);
    json_open_array(&json, NULL);
    for (; *names; names++)
        json_text(&json, NULL, *names);
    json_close_array(&json);
    out = json_finish(&json);
    printf("%s\n", out);
}

int ctl_credential_list(struct ctl *ctl)
{
    g_autoptr(GError) error = NULL;
    struct ctl_files files = {0};
    g_auto(GStrv) names = NULL;

    if (!ctl_files_load(ctl, &files, &error))
        return ctl_fail(ctl, error);
    names = xc_credential_list(files.credential_dir);
    ctl_files_clear(&files);
    if (ctl->opt.json)
        list_json(names);
    for (char **name = names; !ctl->opt.json && *name; name++) {
        g_autofree char *shown = ctl_escape(*name, strlen(*name));

        printf("%s\n", shown);
    }
    return CTL_OK;
}
