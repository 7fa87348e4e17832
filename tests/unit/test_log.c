/* Log lines: escaping, levels, the journal's marks, and a file that is moved away or can't be written. */
#include "xenclient/util/log.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
    char *folder;
    char *log;
    char *err; /* what stderr is meanwhile */
    int saved; /* the real stderr */
};

static void set_up(struct place *place, gconstpointer data)
{
    int fd;

    (void)data;
    place->folder = g_dir_make_tmp("xensnmp-log-XXXXXX", NULL);
    place->log = g_build_filename(place->folder, "log", NULL);
    place->err = g_build_filename(place->folder, "err", NULL);
    place->saved = dup(STDERR_FILENO);
    fd = open(place->err, O_WRONLY | O_CREAT | O_APPEND, 0600);
    g_assert_cmpint(dup2(fd, STDERR_FILENO), ==, STDERR_FILENO);
    close(fd);
}

static void tear_down(struct place *place, gconstpointer data)
{
    static const char *const names[] = {"log", "log.1", "err"};

    (void)data;
    g_unsetenv("JOURNAL_STREAM");
    dup2(place->saved, STDERR_FILENO);
    close(place->saved);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(place->folder, names[i], NULL);

        g_assert_true(g_unlink(path) == 0 || errno == ENOENT);
    }
    g_assert_cmpint(g_rmdir(place->folder), ==, 0);
    g_free(place->folder);
    g_free(place->log);
    g_free(place->err);
}

static char *text_of(const char *path)
{
    char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) ? text : g_strdup("(none)");
}

static void assert_text(const char *path, const char *want)
{
    g_autofree char *text = text_of(path);

    g_assert_cmpstr(text, ==, want);
}

static void test_stderr(struct place *place, gconstpointer data)
{
    (void)data;
    xc_log(XC_LOG_WARNING, "a %s\n<3>b", "\x1b[1m");
    xc_log(XC_LOG_DEBUG, "not told");
    assert_text(place->err, "test_log: warning: a \\x1b[1m\\x0a<3>b\n");
}

/* JOURNAL_STREAM names another stream: plain. Ours: with priority. */
static void test_journal(struct place *place, gconstpointer data)
{
    g_autofree char *stream = NULL;
    struct stat st;

    (void)data;
    g_assert_cmpint(fstat(STDERR_FILENO, &st), ==, 0);
    g_setenv("JOURNAL_STREAM", "1:1", TRUE);
    xc_log(XC_LOG_ERROR, "plain");
    stream = g_strdup_printf("%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    g_setenv("JOURNAL_STREAM", stream, TRUE);
    xc_log(XC_LOG_ERROR, "one");
    xc_log(XC_LOG_WARNING, "two");
    xc_log(XC_LOG_INFO, "three");
    assert_text(place->err, "test_log: error: plain\n<3>test_log: error: one\n"
                            "<4>test_log: warning: two\n<6>test_log: info: three\n");
}

static void assert_stamped(const char *path, const char *line)
{
    g_autofree char *text = text_of(path);
    g_autofree char *pattern =
        g_strdup_printf("^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ test_log: info: %s\\n$", line);

    g_test_message("%s", text);
    g_assert_true(g_regex_match_simple(pattern, text, 0, 0));
}

static void test_file(struct place *place, gconstpointer data)
{
    g_autofree char *old = g_strdup_printf("%s.1", place->log);
    g_autoptr(GError) error = NULL;

    (void)data;
    g_assert_true(xc_log_to_file(place->log, &error));
    xc_log(XC_LOG_INFO, "one");
    assert_stamped(place->log, "one");
    g_assert_cmpint(g_rename(place->log, old), ==, 0);
    xc_log(XC_LOG_INFO, "two");
    assert_stamped(old, "one");
    assert_stamped(place->log, "two");
    assert_text(place->err, "");
}

/* What can't be written is told on stderr, and tried again. */
static void test_trouble(struct place *place, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    (void)data;
    g_assert_cmpint(g_mkdir(place->log, 0700), ==, 0);
    g_assert_false(xc_log_to_file(place->log, &error));
    g_assert_nonnull(strstr(error->message, place->log));
    xc_log(XC_LOG_INFO, "one");
    assert_text(place->err, "test_log: info: one\n");
    g_assert_cmpint(g_rmdir(place->log), ==, 0);
    xc_log(XC_LOG_INFO, "two");
    assert_stamped(place->log, "two");
    assert_text(place->err, "test_log: info: one\n");
}

/* A pipe that nobody reads stops nobody. */
static void test_pipe(struct place *place, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    (void)data;
    g_assert_cmpint(mkfifo(place->log, 0600), ==, 0);
    g_assert_false(xc_log_to_file(place->log, &error));
    xc_log(XC_LOG_INFO, "one");
    assert_text(place->err, "test_log: info: one\n");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_set_prgname("test_log");
    /* stderr before files: a file once set stays. */
    g_test_add("/log/stderr", struct place, NULL, set_up, test_stderr, tear_down);
    g_test_add("/log/journal", struct place, NULL, set_up, test_journal, tear_down);
    g_test_add("/log/trouble", struct place, NULL, set_up, test_trouble, tear_down);
    g_test_add("/log/pipe", struct place, NULL, set_up, test_pipe, tear_down);
    g_test_add("/log/file", struct place, NULL, set_up, test_file, tear_down);
    return g_test_run();
}
