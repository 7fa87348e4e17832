/* The file of pinned certificates: finding, refusing what is doubtful, adding. */
#include "tests/unit/folder.h"
#include "xenclient/transport/tls_pins.h"
#include "xenclient/util/error.h"

#include <string.h>
#include <sys/stat.h>

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define BC                                                                                         \
    "01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:"                                             \
    "01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF"

struct fixture {
    char *folder;
    char *file;
};

static void set_up(struct fixture *f, gconstpointer data)
{
    (void)data;
    f->folder = g_dir_make_tmp("pins-XXXXXX", NULL);
    f->file = g_build_filename(f->folder, "tls_pins", NULL);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
    (void)data;
    g_free(f->file);
    remove_folder(f->folder);
}

static void put(const struct fixture *f, const char *text, int mode)
{
    g_assert_true(g_file_set_contents(f->file, text, -1, NULL));
    g_assert_cmpint(chmod(f->file, (mode_t)mode), ==, 0);
}

static void assert_pin(const struct fixture *f, const char *host, unsigned port, const char *wanted)
{
    g_autoptr(GError) error = NULL;
    char got[65] = "x";

    xc_tls_pin_find(f->file, host, port, got, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(got, ==, wanted);
}

static void assert_text(const struct fixture *f, const char *wanted)
{
    g_autofree char *text = NULL;

    g_assert_true(g_file_get_contents(f->file, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, wanted);
}

static void test_find(struct fixture *f, gconstpointer data)
{
    (void)data;
    assert_pin(f, "pool", 443, ""); /* no file, no pin */
    put(f, "", 0644);
    assert_pin(f, "pool", 443, "");
    put(f,
        "# made by hand\n\n  Pool.example:443\t" BC "  # the first\r\n"
        "10.0.0.1:8443 " A "\n[2001:DB8::1]:443 " A,
        0600);
    assert_pin(f, "pool.example", 443, B);
    assert_pin(f, "POOL.EXAMPLE", 443, B);
    assert_pin(f, "pool.example", 444, "");
    assert_pin(f, "pool", 443, "");
    assert_pin(f, "10.0.0.1", 8443, A);
    assert_pin(f, "2001:db8::1", 443, A);
    assert_pin(f, "", 443, "");
    assert_pin(f, "pool.example", 0, "");
}

/* A line that nobody understands may be a pin that somebody relies on. */
static void test_wrong(struct fixture *f, gconstpointer data)
{
    static const char *const wrong[] = {
        "pool " A,                   /* no port */
        "pool:0 " A,                 /* no such port */
        "pool:65536 " A,             /* nor this one */
        "pool:0443 " A,              /* found under no name */
        "::1:443 " A,                /* brackets are missing */
        "[pool]:443 " A,             /* these are too much */
        "[::1:443 " A,               /* half of them */
        "[]:443 " A,                 /* no host */
        ":443 " A,                   /* no host */
        "pool:443",                  /* no digits */
        "pool:443 abc",              /* too few */
        "pool:443 " A "a",           /* too many */
        "pool:443 " A " " A,         /* two */
        "pool:443 sha256=" A,        /* something else */
        "pool:443=" A,               /* no blank */
        "po\xc3\xb6l:443 " A,        /* no host name */
        "other:443 " A "\nnonsense", /* behind a good one */
    };

    (void)data;
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autofree char *text = g_strdup_printf("# one\nhost:443 " A "\n%s\n", wrong[i]);
        g_autofree char *where =
            g_strdup_printf("%s:%d: ", f->file, strchr(wrong[i], '\n') ? 4 : 3);
        g_autoptr(GError) error = NULL;
        char got[65] = "x";

        put(f, text, 0644);
        g_assert_false(xc_tls_pin_find(f->file, "host", 443, got, &error));
        g_assert_error(error, XC_ERROR, XC_CAUSE_BAD_CONFIG);
        g_assert_true(g_str_has_prefix(error->message, where));
        g_assert_cmpstr(got, ==, "");
    }
}

static void refused(const struct fixture *f, const char *words)
{
    g_autoptr(GError) error = NULL;
    char got[65] = "x";

    g_assert_false(xc_tls_pin_find(f->file, "host", 443, got, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_BAD_CONFIG);
    if (!strstr(error->message, words))
        g_error("\"%s\" is not in: %s", words, error->message);
    g_assert_cmpstr(got, ==, "");
    g_clear_error(&error);
    /* what is doubtful is not laundered by adding to it */
    g_assert_false(xc_tls_pin_write(f->file, "other", 443, A, &error));
    g_assert_nonnull(error);
}

static void test_doubtful(struct fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    char got[65];

    (void)data;
    put(f, "host:443 " A "\nHOST:443 " B "\n", 0644);
    g_assert_false(xc_tls_pin_find(f->file, "host", 443, got, &error));
    g_assert_nonnull(strstr(error->message, ":2: a second pin of host:443"));
    put(f, "host:443 " A "\n", 0664);
    refused(f, "chmod 644");
    put(f, "host:443 " A "\n", 0646);
    refused(f, "chmod 644");
    g_unlink(f->file);
    g_assert_cmpint(g_mkdir(f->file, 0755), ==, 0);
    refused(f, "not a regular file");
    g_rmdir(f->file);
    g_assert_cmpint(symlink("/dev/zero", f->file), ==, 0);
    refused(f, "not a regular file");
    g_unlink(f->file);
    g_assert_cmpint(symlink("tls_pins", f->file), ==, 0); /* to itself */
    refused(f, "readable");
}

static void test_write(struct fixture *f, gconstpointer data)
{
    mode_t mask = umask(077);
    struct stat st;

    (void)data;
    g_assert_true(xc_tls_pin_write(f->file, "Pool", 443, BC, NULL));
    umask(mask);
    assert_text(f, "pool:443 " B "\n");
    g_assert_cmpint(stat(f->file, &st), ==, 0);
    g_assert_cmpint(st.st_mode & 07777, ==, 0644); /* the daemon reads it */
    g_assert_true(xc_tls_pin_write(f->file, "::1", 8443, A, NULL));
    assert_pin(f, "::1", 8443, A);
    assert_pin(f, "pool", 443, B);

    /* what the operator did not decide about stays as it is, also a last line without its end */
    put(f, "# mine\npool:443 " A " # old\nPOOL:443 " A "\nnonsense\n pool:444 " A, 0644);
    g_assert_true(xc_tls_pin_write(f->file, "pool", 443, B, NULL));
    assert_text(f, "# mine\nnonsense\n pool:444 " A "\npool:443 " B "\n");
}

static void test_not_written(struct fixture *f, gconstpointer data)
{
    static const struct {
        const char *host;
        unsigned port;
        const char *digits;
    } wrong[] = {
        {"pool", 443, ""}, {"pool", 443, "abc"}, {"pool", 443, A "0"}, {"pool", 443, A "\n"},
        {"pool", 0, A},    {"pool", 65536, A},   {"", 443, A},         {"a b", 443, A},
        {"a\nb", 443, A},  {"#a", 443, A},       {"[::1]", 443, A},    {"pool", 443, "g" A},
    };
    g_autoptr(GError) error = NULL;

    (void)data;
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_assert_false(
            xc_tls_pin_write(f->file, wrong[i].host, wrong[i].port, wrong[i].digits, &error));
        g_assert_error(error, XC_ERROR, XC_CAUSE_BAD_VALUE);
        g_clear_error(&error);
    }
    g_assert_false(g_file_test(f->file, G_FILE_TEST_EXISTS));
    g_assert_false(xc_tls_pin_write("/nonexistent/pins", "pool", 443, A, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_STORE);
    g_assert_nonnull(strstr(error->message, "/nonexistent/pins"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, test) g_test_add("/tls-pins/" name, struct fixture, NULL, set_up, test, tear_down)
    ADD("find", test_find);
    ADD("wrong", test_wrong);
    ADD("doubtful", test_doubtful);
    ADD("write", test_write);
    ADD("not-written", test_not_written);
    return g_test_run();
}
