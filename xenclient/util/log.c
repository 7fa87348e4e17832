/* Log lines on stderr or in a file. */
#include "xenclient/util/log.h"

#include "xenclient/util/error.h"
#include "xenclient/util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#define MAX_TEXT 2048

static const struct {
    const char *name;
    int priority;
} levels[] = {
    [XC_LOG_ERROR] = {"error", LOG_ERR},
    [XC_LOG_WARNING] = {"warning", LOG_WARNING},
    [XC_LOG_INFO] = {"info", LOG_INFO},
    [XC_LOG_DEBUG] = {"debug", LOG_DEBUG},
};

static _Atomic int max_level = XC_LOG_INFO;

/* The file of this process; path NULL: stderr. */
static struct {
    GMutex lock;
    char *path;
    int fd; /* -1: not open */
} file = {.fd = -1};

void xc_log_set_level(enum xc_log_level level)
{
    atomic_store(&max_level, (int)level);
}

enum xc_log_level xc_log_get_level(void)
{
    return (enum xc_log_level)atomic_load(&max_level);
}

/* --- the file */

/* -1 with errno. A pipe that nobody reads must not stop us. */
static int open_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
    struct stat st;

    if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
        close(fd);
        errno = EINVAL;
        return -1;
    }
    return fd;
}

/* Is what is open still what has the name? */
static bool is_current(const char *path, int fd)
{
    struct stat named;
    struct stat open;

    return fd >= 0 && stat(path, &named) == 0 && fstat(fd, &open) == 0 &&
           named.st_dev == open.st_dev && named.st_ino == open.st_ino;
}

static bool write_file(const char *line)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *stamp = g_date_time_format(now, "%Y-%m-%dT%H:%M:%SZ");
    g_autofree char *stamped = g_strdup_printf("%s %s", stamp, line);
    bool ok;

    g_mutex_lock(&file.lock);
    if (file.path && !is_current(file.path, file.fd)) {
        if (file.fd >= 0)
            close(file.fd);
        file.fd = open_file(file.path);
    }
    ok = file.fd >= 0 && write(file.fd, stamped, strlen(stamped)) >= 0;
    g_mutex_unlock(&file.lock);
    return ok;
}

bool xc_log_to_file(const char *path, GError **error)
{
    int fd = open_file(path);
    int why = errno;

    g_mutex_lock(&file.lock);
    g_free(file.path);
    file.path = g_strdup(path);
    if (file.fd >= 0)
        close(file.fd);
    file.fd = fd;
    g_mutex_unlock(&file.lock);
    if (fd >= 0)
        return true;
    return xc_fail(error, XC_CAUSE_BAD_CONFIG,
                   "log_file %s: %s: name a file in a folder that the daemon's account may write",
                   path, why == EINVAL ? "not a regular file" : g_strerror(why));
}

/* --- stderr */

/* sd-daemon(3): the variable holds device and inode of the journal's stream, for programs whose stderr may be another. */
static bool is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    g_autofree char *ours = NULL;
    struct stat st;

    if (!stream || fstat(STDERR_FILENO, &st) != 0)
        return false;
    ours = g_strdup_printf("%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    return strcmp(stream, ours) == 0;
}

static void write_stderr(enum xc_log_level level, const char *line)
{
    g_autofree char *marked =
        is_journal() ? g_strdup_printf("<%d>%s", levels[level].priority, line) : g_strdup(line);

    if (write(STDERR_FILENO, marked, strlen(marked)) < 0)
        return;
}

void xc_log(enum xc_log_level level, const char *format, ...)
{
    const char *program = g_get_prgname();
    g_autofree char *text = NULL;
    g_autofree char *clean = NULL;
    g_autofree char *line = NULL;
    va_list args;

    if ((int)level > atomic_load(&max_level))
        return;
    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    clean = xc_text_escape(text, MAX_TEXT);
    /* One write keeps lines of several threads and processes whole. */
    line =
        g_strdup_printf("%s: %s: %s\n", program ? program : "xensnmp", levels[level].name, clean);
    if (!write_file(line))
        write_stderr(level, line);
}
