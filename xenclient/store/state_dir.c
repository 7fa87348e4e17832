/* The folder with the databases. */
#include "xenclient/store/state_dir.h"

#include "xenclient/model/operation.h"
#include "xenclient/store/schema.h"
#include "xenclient/util/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRY_AGAIN_MSEC 20u

/* In this order: a setting on its way from the journal to state.db is in both copies rather than in none. */
static const struct xc_schema *const databases[] = {&xc_schema_operations, &xc_schema_state};

/* --- lock */

static const char *lock_cure(int why)
{
    if (why == ENOENT)
        return "`systemd-tmpfiles --create` makes the folders of xensnmpd, or make it for its "
               "account";
    return "do this as root or as the account of xensnmpd";
}

int xc_state_lock(const char *dir, unsigned wait_msec, GError **error)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r;

    if (fd < 0) {
        xc_fail(error, XC_CAUSE_STORE, "%s: %s: %s", dir, g_strerror(errno), lock_cure(errno));
        return -1;
    }
    while ((r = flock(fd, LOCK_EX | LOCK_NB)) < 0 && errno == EWOULDBLOCK && wait_msec) {
        unsigned pause = MIN(wait_msec, TRY_AGAIN_MSEC);

        g_usleep(pause * 1000u);
        wait_msec -= pause;
    }
    if (r == 0)
        return fd;
    if (errno == EWOULDBLOCK)
        xc_fail(error, XC_CAUSE_STORE,
                "%s: a running xensnmpd has it: stop that one first (systemctl stop xensnmpd)",
                dir);
    else
        xc_fail(error, XC_CAUSE_STORE, "%s: can't be locked: %s", dir, g_strerror(errno));
    close(fd);
    return -1;
}

/* --- reading */

bool xc_state_no_link(const char *path, GError **error)
{
    struct stat st;

    if (lstat(path, &st) < 0 || S_ISREG(st.st_mode))
        return true;
    return xc_fail(
        error, XC_CAUSE_STORE,
        "%s: not a plain file: put the database itself there, or name its folder as state_dir",
        path);
}

bool xc_state_readable(const char *dir, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(databases); i++) {
        g_autofree char *path = g_build_filename(dir, databases[i]->file, NULL);

        if (!xc_state_no_link(path, error))
            return false;
        if (access(path, R_OK) == 0)
            continue;
        if (errno == EACCES)
            return xc_fail(error, XC_CAUSE_STORE,
                           "%s: %s: do this as root or as the account of xensnmpd", path,
                           g_strerror(errno));
        return xc_fail(error, XC_CAUSE_STORE,
                       "%s: %s: is this the state_dir of an xensnmpd that has run?", path,
                       g_strerror(errno));
    }
    return true;
}

/* --- backup */

static bool trouble(const char *path, GError **error)
{
    return xc_fail(error, XC_CAUSE_STORE, "%s: %s", path, g_strerror(errno));
}

static bool to_disk(const char *path, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;

    if (!ok)
        trouble(path, error);
    if (fd >= 0)
        close(fd);
    return ok;
}

/* What a copy is called until all are good. */
static char *part_of(const char *to, const char *name)
{
    return g_strdup_printf("%s/%s.part", to, name);
}

/* Whoever comes back to a copy does it later, when an operation that is open now has long ended and left no trace on its
 * host: begun again from the copy it would run twice. Newly allocated. */
static char *end_open_operations(void)
{
    return g_strdup_printf(
        "UPDATE op SET state = %d, result = %d, cause = %d, ended = %" G_GINT64_FORMAT ","
        " text = 'open when the backup was made that was gone back to:"
        " look at the domain' WHERE state <> %d",
        XC_OP_FINISHED, XC_RESULT_LOST, XC_CAUSE_LOST, xc_clock_real(), XC_OP_FINISHED);
}

static bool copy_one(const struct xc_schema *database, const char *from, const char *to,
                     GError **error)
{
    char *then = database == &xc_schema_operations ? end_open_operations() : NULL;
    bool ok = xc_db_copy(from, to, then, error) && to_disk(to, error);

    g_free(then);
    return ok;
}

static bool copy_all(const char *dir, const char *to, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(databases); i++) {
        g_autofree char *from = g_build_filename(dir, databases[i]->file, NULL);
        g_autofree char *part = part_of(to, databases[i]->file);

        if (!copy_one(databases[i], from, part, error))
            return false;
    }
    return true;
}

static bool name_all(const char *to, GError **error)
{
    g_autofree char *above = g_path_get_dirname(to);

    for (size_t i = 0; i < G_N_ELEMENTS(databases); i++) {
        g_autofree char *part = part_of(to, databases[i]->file);
        g_autofree char *path = g_build_filename(to, databases[i]->file, NULL);

        if (rename(part, path) < 0)
            return trouble(path, error);
    }
    return to_disk(to, error) && to_disk(above, error);
}

static void remove_all(const char *to)
{
    for (size_t i = 0; i < G_N_ELEMENTS(databases); i++) {
        g_autofree char *part = part_of(to, databases[i]->file);
        g_autofree char *journal = g_strconcat(part, "-journal", NULL);
        g_autofree char *path = g_build_filename(to, databases[i]->file, NULL);

        unlink(part);
        unlink(journal);
        unlink(path);
    }
    rmdir(to);
}

bool xc_state_backup(const char *dir, const char *to, GError **error)
{
    if (!xc_state_readable(dir, error))
        return false;
    if (mkdir(to, 0700) < 0)
        return errno == EEXIST ? xc_fail(error, XC_CAUSE_STORE,
                                         "%s: is there already: name a folder that is not", to)
                               : trouble(to, error);
    if (copy_all(dir, to, error) && name_all(to, error))
        return true;
    remove_all(to);
    return false;
}
