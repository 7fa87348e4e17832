/* Credentials: every check of their files, and writing them. */
#include "tests/unit/folder.h"
#include "xenclient/drivers/credential.h"
#include "xenclient/util/error.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
    char *dir;
};

static void set_up(struct fixture *f, gconstpointer data)
{
    (void)data;
    f->dir = g_dir_make_tmp("credential-XXXXXX", NULL);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
    (void)data;
    remove_folder(f->dir);
}

static char *put(struct fixture *f, const char *name, const char *text, int mode)
{
    char *path = g_build_filename(f->dir, name, NULL);

    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    g_assert_cmpint(chmod(path, (mode_t)mode), ==, 0);
    return path;
}

#define GOOD "[credential]\nuris = ssh://root@dom0-*; ssh://root@10.0.0.5:2222\nkey = /k/id\n"

static void test_load(struct fixture *f, gconstpointer data)
{
    struct xc_credential c;

    (void)data;
    g_free(put(f, "a", "# by hand\n" GOOD "\n; end\nuser=  joe \n", 0600));
    g_free(put(f, "b", "[credential]\nuris=https://pool/*\npassword = a = #b;\n", 0400));
    g_free(put(f, "c", "[credential]\nuris=ssh://*\nagent = yes\n", 0600));
    g_assert_true(xc_credential_load(f->dir, "a", "ssh://root@dom0-x", &c, NULL));
    g_assert_cmpstr(c.name, ==, "a");
    g_assert_cmpstr(c.key_file, ==, "/k/id");
    g_assert_cmpstr(c.user, ==, "joe");
    g_assert_null(c.password);
    g_assert_false(c.agent);
    xc_credential_clear(&c);
    xc_credential_clear(&c);
    g_assert_true(xc_credential_load(f->dir, "a", "ssh://root@10.0.0.5:2222", &c, NULL));
    xc_credential_clear(&c);
    g_assert_true(xc_credential_load(f->dir, "b", "https://pool/x", &c, NULL));
    g_assert_cmpstr(c.password, ==, "a = #b;");
    xc_credential_clear(&c);
    g_assert_true(xc_credential_load(f->dir, "c", "ssh://u@h", &c, NULL));
    g_assert_true(c.agent);
    xc_credential_clear(&c);
    g_assert_true(xc_credential_exists(f->dir, "a"));
    g_assert_false(xc_credential_exists(f->dir, "z"));
    g_assert_false(xc_credential_exists(f->dir, "../a"));
}

struct bad_case {
    const char *text;
    const char *uri;
    const char *words; /* in the message */
    int mode;
    enum xc_cause cause;
};

static const struct bad_case bad_cases[] = {
    {GOOD, "ssh://root@dom0-a", "0644", 0644, XC_CAUSE_AUTH_FAILED},
    {GOOD, "ssh://root@dom0-a", "chmod 600", 0640, XC_CAUSE_AUTH_FAILED},
    {GOOD, "ssh://root@dom0-a", "0700", 0700, XC_CAUSE_AUTH_FAILED},
    {GOOD, "ssh://root@other", "not for ssh://root@other", 0600, XC_CAUSE_AUTH_FAILED},
    {GOOD, "ssh://root@dom0-a/x", "uris", 0600, XC_CAUSE_AUTH_FAILED},
    {GOOD "key = /two\n", "ssh://root@dom0-a", ":4: key: given twice", 0600, XC_CAUSE_BAD_CONFIG},
    {GOOD "agent = maybe\n", "ssh://root@dom0-a", "yes or no", 0600, XC_CAUSE_BAD_CONFIG},
    {"[credential]\nuris=*\nkey = id\n", "x", "absolute", 0600, XC_CAUSE_BAD_CONFIG},
    {"[credential]\nuris=*\n", "x", "needs one of", 0600, XC_CAUSE_BAD_CONFIG},
    {"[credential]\nuris= ; ;\nagent=yes\n", "x", "uris", 0600, XC_CAUSE_BAD_CONFIG},
    {"[credential]\nkey=/k\n", "x", "uris", 0600, XC_CAUSE_BAD_CONFIG},
    {"[other]\n", "x", ":1: the only section", 0600, XC_CAUSE_BAD_CONFIG},
    {"uris=*\n", "x", ":1: expected [credential]", 0600, XC_CAUSE_BAD_CONFIG},
    {"[credential]\nhunter2\n", "x", ":2: expected KEY", 0600, XC_CAUSE_BAD_CONFIG},
    {"[credential]\npasword=hunter2\n", "x", "pasword: is not a key", 0600, XC_CAUSE_BAD_CONFIG},
    {"", "x", "uris", 0600, XC_CAUSE_BAD_CONFIG},
};

static void test_bad(struct fixture *f, gconstpointer data)
{
    (void)data;
    for (unsigned i = 0; i < G_N_ELEMENTS(bad_cases); i++) {
        const struct bad_case *c = &bad_cases[i];
        g_autoptr(GError) error = NULL;
        struct xc_credential out;

        g_free(put(f, "a", c->text, c->mode));
        g_test_message("case %u", i);
        g_assert_false(xc_credential_load(f->dir, "a", c->uri, &out, &error));
        g_assert_error(error, XC_ERROR, (int)c->cause);
        g_assert_nonnull(strstr(error->message, c->words));
        g_assert_null(strstr(error->message, "hunter2"));
        g_assert_null(out.name);
        g_assert_null(out.uris);
    }
}

static void test_not_there(struct fixture *f, gconstpointer data)
{
    g_autofree char *real = put(f, "real", GOOD, 0600);
    g_autofree char *link = g_build_filename(f->dir, "link", NULL);
    static const char *const names[] = {"nosuch", "", "../real", ".real", "a/b"};
    struct xc_credential out;

    (void)data;
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(xc_credential_load(f->dir, names[i], "ssh://root@dom0-a", &out, &error));
        g_assert_error(error, XC_ERROR, XC_CAUSE_NO_SUCH_HOST);
    }
    g_assert_cmpint(symlink(real, link), ==, 0);
    g_assert_false(xc_credential_load(f->dir, "link", "ssh://root@dom0-a", &out, NULL));
    g_assert_false(xc_credential_exists(f->dir, "link"));
}

static void test_write(struct fixture *f, gconstpointer data)
{
    g_autofree char *sub = g_build_filename(f->dir, "sub", NULL);
    g_autofree char *path = g_build_filename(sub, "pool", NULL);
    char *uris[] = {(char *)"https://pool", (char *)"https://other", NULL};
    struct xc_credential in = {.name = (char *)"pool",
                               .uris = uris,
                               .user = (char *)"root",
                               .password = (char *)"s3 cret=;#"};
    struct xc_credential out;
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) names = NULL;
    struct stat st;

    (void)data;
    g_assert_true(xc_credential_write(sub, &in, false, NULL));
    g_assert_cmpint(stat(path, &st), ==, 0);
    g_assert_cmpint(st.st_mode & 07777, ==, 0600);
    g_assert_cmpint(stat(sub, &st), ==, 0);
    g_assert_cmpint(st.st_mode & 07777, ==, 0700);
    g_assert_true(xc_credential_load(sub, "pool", "https://other", &out, NULL));
    g_assert_cmpstr(out.password, ==, "s3 cret=;#");
    g_assert_cmpstr(out.user, ==, "root");
    xc_credential_clear(&out);

    g_assert_false(xc_credential_write(sub, &in, false, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_CONFLICT);
    g_clear_error(&error);
    g_assert_true(xc_credential_write(sub, &in, true, NULL));
    in.password = (char *)"two\nlines";
    g_assert_false(xc_credential_write(sub, &in, true, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_BAD_VALUE);
    names = xc_credential_list(sub);
    g_assert_cmpuint(g_strv_length(names), ==, 1);
    g_assert_cmpstr(names[0], ==, "pool");
    g_unlink(path);
    g_rmdir(sub);
}

static void test_list(struct fixture *f, gconstpointer data)
{
    g_auto(GStrv) names = NULL;
    g_auto(GStrv) none = xc_credential_list("/nonexistent");

    (void)data;
    g_free(put(f, "b", GOOD, 0600));
    g_free(put(f, "a", GOOD, 0600));
    g_free(put(f, ".new-1", GOOD, 0600));
    names = xc_credential_list(f->dir);
    g_assert_cmpuint(g_strv_length(names), ==, 2);
    g_assert_cmpstr(names[0], ==, "a");
    g_assert_cmpstr(names[1], ==, "b");
    g_assert_cmpuint(g_strv_length(none), ==, 0);
}

#define ADD(path, function)                                                                        \
    g_test_add("/credential/" path, struct fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("load", test_load);
    ADD("bad", test_bad);
    ADD("not-there", test_not_there);
    ADD("write", test_write);
    ADD("list", test_list);
    return g_test_run();
}
