/* backup, export, import: the agent's databases on its own machine, by the files and not by SNMP. */
#include "tools/xenctl/daemon_files.h"

#include "xenclient/engine/transfer.h"
#include "xenclient/store/state_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define STDIN "-"

static char *state_dir(struct ctl *ctl, GError **error)
{
    struct ctl_files files = {0};
    char *dir = ctl_files_load(ctl, &files, error) ? g_strdup(files.state_dir) : NULL;

    ctl_files_clear(&files);
    return dir;
}

static bool trouble(const char *path, GError **error)
{
    g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(errno), "%s: %s", path,
                g_strerror(errno));
    return false;
}

/* --- backup */

static void report_backup(const struct ctl *ctl, const char *dir)
{
    struct json json;
    g_autofree char *out = NULL;

    if (!ctl->opt.json) {
        printf("the databases of %s are copied to %s\n", dir, ctl->args[0]);
        return;
    }
    json_init(&json);
    json_open_object(&json, NULL);
    json_text(&json, "backup", ctl->args[0]);
    json_close_object(&json);
    out = json_finish(&json);
    printf("%s\n", out);
}

int ctl_backup(struct ctl *ctl)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *dir = state_dir(ctl, &error);

    if (!dir || !xc_state_backup(dir, ctl->args[0], &error))
        return ctl_fail(ctl, error);
    report_backup(ctl, dir);
    return CTL_OK;
}

/* --- export */

static bool write_all(int fd, const char *text)
{
    size_t left = strlen(text);

    while (left) {
        ssize_t n = write(fd, text, left);

        if (n < 0 && errno != EINTR)
            return false;
        text += MAX(n, 0);
        left -= (size_t)MAX(n, 0);
    }
    return true;
}

/* A new file for the owner alone, and on the disk; or none. */
static bool write_file(const char *path, const char *text, GError **error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool ok;

    if (fd < 0 && errno == EEXIST) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_EXIST,
                    "%s: is there already: name a file that is not", path);
        return false;
    }
    if (fd < 0)
        return trouble(path, error);
    ok = (write_all(fd, text) && fsync(fd) == 0) || trouble(path, error);
    close(fd);
    if (!ok)
        unlink(path);
    return ok;
}

int ctl_export(struct ctl *ctl)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *dir = state_dir(ctl, &error);
    g_autofree char *text = dir ? xc_export_text(dir, &error) : NULL;

    if (!text)
        return ctl_fail(ctl, error);
    if (ctl->n_args == 0)
        return write_all(STDOUT_FILENO, text)
                   ? CTL_OK
                   : ctl_say(ctl, CTL_ERROR, "stdout: %s", g_strerror(errno));
    return write_file(ctl->args[0], text, &error) ? CTL_OK : ctl_fail(ctl, error);
}

/* --- import */

/* At most one octet more than may be. */
static GString *read_all(const char *path, GError **error)
{
    bool is_stdin = strcmp(path, STDIN) == 0;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    g_autoptr(GString) out = g_string_new(NULL);
    char part[65536];
    ssize_t n = 1;

    if (fd < 0) {
        trouble(path, error);
        return NULL;
    }
    while (n != 0 && out->len <= XC_TRANSFER_MAX) {
        n = read(fd, part, sizeof(part));
        if (n < 0 && errno != EINTR)
            break;
        if (n > 0)
            g_string_append_len(out, part, n);
    }
    if (n < 0)
        trouble(path, error);
    if (!is_stdin)
        close(fd);
    return n < 0 ? NULL : g_steal_pointer(&out);
}

static void report_import(const struct ctl *ctl, const struct xc_transfer *read, const char *dir,
                          bool was_there)
{
    unsigned sources = xc_transfer_count(read, XC_TRANSFER_SOURCE);
    unsigned domains = xc_transfer_count(read, XC_TRANSFER_DOMAIN);
    unsigned hosts = xc_transfer_count(read, XC_TRANSFER_HOST);
    struct json json;
    g_autofree char *out = NULL;

    if (!ctl->opt.json) {
        printf(
            "%s: %s %u sources, %u domains, keys of %u hosts; the next new domain is number %s\n",
            dir, was_there ? "has already" : "imported", sources, domains, hosts,
            read->head->values[XC_HEAD_NEXT_DOMAIN]);
        return;
    }
    json_init(&json);
    json_open_object(&json, NULL);
    json_bool(&json, "imported", !was_there);
    json_number(&json, "sources", sources);
    json_number(&json, "domains", domains);
    json_number(&json, "hosts", hosts);
    json_close_object(&json);
    out = json_finish(&json);
    printf("%s\n", out);
}

int ctl_import(struct ctl *ctl)
{
    const char *name = ctl->args[0];
    g_autoptr(GError) error = NULL;
    g_autofree char *dir = state_dir(ctl, &error);
    g_autoptr(GString) text = dir ? read_all(name, &error) : NULL;
    g_autoptr(xc_transfer) read = NULL;
    enum xc_transfer_outcome outcome = XC_TRANSFER_FAILED;

    if (text)
        read =
            xc_import_read(strcmp(name, STDIN) == 0 ? "stdin" : name, text->str, text->len, &error);
    if (read)
        outcome = xc_transfer_store(dir, read, &error);
    if (outcome == XC_TRANSFER_FAILED)
        return ctl_fail(ctl, error);
    report_import(ctl, read, dir, outcome == XC_TRANSFER_WAS_THERE);
    return CTL_OK;
}
