/* known_hosts: matching every form of entry, telling the line, adding. The keys and hashes are
 * ssh-keygen's own work. */
#include "xenclient/transport/known_hosts.h"
#include "xenclient/util/error.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#define K1 "AAAAC3NzaC1lZDI1NTE5AAAAIJAfswe8nqBOIY7mXPWWR2L/dLyL1OwNgsuBZpH4A/w7"
#define K2 "AAAAC3NzaC1lZDI1NTE5AAAAIKhy+PyKbWEWOG64EZySINdObzeUkNeKjAb15/aOHQri"
#define E1                                                                                         \
    "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBFNUlUpMekaPTTXkiWNmxlhfNuwHA2C8mDElork/" \
    "VJQWHXT1qxzvFH52bgczKlz84S4SJHmi2oZ2XJPdgEuYKzk="
#define ED            "ssh-ed25519 "
#define EC            "ecdsa-sha2-nistp256 "
#define HASHED_A      "|1|ifd4daD4lobVghSohZ7LGc/frwY=|ALVU/e/yleFrQzO1zMBk4cxkdA4= " ED K1 "\n"
#define HASHED_A_2222 "|1|+esCHD+gR5uzH+YaqH8kjU5+1PY=|qJOEbVGYuFt2B/Vi98oPWYSmedc= " ED K2 "\n"

struct match_case {
    const char *text;
    const char *host;
    unsigned port;
    const char *key;
    enum xc_known verdict;
    unsigned line;
};

static const struct match_case match_cases[] = {
    {"", "dom0-a", 22, K1, XC_KNOWN_UNKNOWN, 0},
    {"dom0-a " ED K1 "\n", "dom0-a", 22, K1, XC_KNOWN_TRUSTED, 1},
    {"dom0-a " ED K1, "dom0-a", 0, K1, XC_KNOWN_TRUSTED, 1},
    {"dom0-a " ED K1 " some comment\r\n", "DOM0-A", 22, K1, XC_KNOWN_TRUSTED, 1},
    {"# dom0-a\n\ndom0-a " ED K1 "\n", "dom0-a", 22, K2, XC_KNOWN_CHANGED, 3},
    /* of another type: nothing is known about this one */
    {"dom0-a " ED K1 "\n", "dom0-a", 22, E1, XC_KNOWN_UNKNOWN, 0},
    {"dom0-a " ED K2 "\ndom0-a " EC E1 "\n", "dom0-a", 22, E1, XC_KNOWN_TRUSTED, 2},
    /* two keys of one type while a host is being moved: either will do */
    {"dom0-a " ED K2 "\ndom0-a " ED K1 "\n", "dom0-a", 22, K1, XC_KNOWN_TRUSTED, 2},
    /* ports */
    {"dom0-a " ED K1 "\n", "dom0-a", 2222, K1, XC_KNOWN_UNKNOWN, 0},
    {"[dom0-a]:2222 " ED K1 "\n", "dom0-a", 2222, K1, XC_KNOWN_TRUSTED, 1},
    {"[dom0-a]:2222 " ED K1 "\n", "dom0-a", 22, K1, XC_KNOWN_UNKNOWN, 0},
    {"[::1]:2222 " ED K1 "\n", "::1", 2222, K2, XC_KNOWN_CHANGED, 1},
    /* lists, patterns, exceptions */
    {"x,dom0-a,10.0.0.1 " ED K1 "\n", "10.0.0.1", 22, K1, XC_KNOWN_TRUSTED, 1},
    {"dom0-* " ED K1 "\n", "dom0-abc", 22, K1, XC_KNOWN_TRUSTED, 1},
    {"*a*b*c " ED K1 "\n", "xaybzbyc", 22, K1, XC_KNOWN_TRUSTED, 1},
    {"dom0-? " ED K1 "\n", "dom0-ab", 22, K1, XC_KNOWN_UNKNOWN, 0},
    {"dom0-*,!dom0-b " ED K1 "\n", "dom0-b", 22, K1, XC_KNOWN_UNKNOWN, 0},
    {"!dom0-b,dom0-* " ED K1 "\n", "dom0-a", 22, K1, XC_KNOWN_TRUSTED, 1},
    /* hashed */
    {HASHED_A HASHED_A_2222, "dom0-a", 22, K1, XC_KNOWN_TRUSTED, 1},
    {HASHED_A HASHED_A_2222, "dom0-a", 2222, K2, XC_KNOWN_TRUSTED, 2},
    {HASHED_A HASHED_A_2222, "dom0-a", 2222, K1, XC_KNOWN_CHANGED, 2},
    {HASHED_A HASHED_A_2222, "dom0-b", 22, K1, XC_KNOWN_UNKNOWN, 0},
    {"|1|!!|x " ED K1 "\n|2|a|b " ED K1 "\n|1| " ED K1 "\n", "dom0-a", 22, K1, XC_KNOWN_UNKNOWN, 0},
    /* markers */
    {"dom0-a " ED K1 "\n@revoked * " ED K1 "\n", "dom0-a", 22, K1, XC_KNOWN_REVOKED, 2},
    {"@revoked * " ED K1 "\ndom0-a " ED K1 "\n", "dom0-a", 22, K1, XC_KNOWN_REVOKED, 1},
    {"@revoked * " ED K2 "\ndom0-a " ED K1 "\n", "dom0-a", 22, K1, XC_KNOWN_TRUSTED, 2},
    {"@cert-authority * " ED K1 "\n", "dom0-a", 22, K1, XC_KNOWN_UNKNOWN, 0},
    /* nonsense is skipped as OpenSSH does */
    {"dom0-a\ndom0-a ssh-ed25519\n@revoked\n \t\ndom0-a " ED "?\ndom0-a " ED K1 "\n", "dom0-a", 22,
     K1, XC_KNOWN_TRUSTED, 6},
};

static void test_match(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(match_cases); i++) {
        const struct match_case *c = &match_cases[i];
        gsize length;
        g_autofree guchar *key = g_base64_decode(c->key, &length);
        unsigned line = 99;
        enum xc_known verdict = xc_known_hosts_match(c->text, c->host, c->port, key, length, &line);

        g_test_message("case %u: %s", i, c->text);
        g_assert_cmpint(verdict, ==, c->verdict);
        g_assert_cmpuint(line, ==, c->line);
    }
}

static void test_types(void)
{
    static const char text[] = "@revoked dom0-a ssh-rsa AAAA\ndom0-a " EC E1
                               "\ndom0-b ssh-dss AAAA\n" HASHED_A "dom0-a " ED K2 "\n";
    g_auto(GStrv) types = xc_known_hosts_types(text, "dom0-a", 22);
    g_auto(GStrv) none = xc_known_hosts_types(text, "dom0-a", 23);

    g_assert_cmpuint(g_strv_length(types), ==, 2);
    g_assert_cmpstr(types[0], ==, "ecdsa-sha2-nistp256");
    g_assert_cmpstr(types[1], ==, "ssh-ed25519");
    g_assert_cmpuint(g_strv_length(none), ==, 0);
}

static void test_texts(void)
{
    gsize length;
    g_autofree guchar *key = g_base64_decode(K1, &length);
    g_autofree char *fingerprint = xc_known_hosts_fingerprint(key, length);
    g_autofree char *line = xc_known_hosts_line("Dom0-A", 2222, key, length);
    g_autofree char *type = xc_known_hosts_key_type(key, length);

    g_assert_cmpstr(fingerprint, ==, "SHA256:1ne2wfQgHZR+y2OtG57OHZf5OA9+cfKuB2QPRAttcSo");
    g_assert_cmpstr(line, ==, "[dom0-a]:2222 " ED K1);
    g_assert_cmpstr(type, ==, "ssh-ed25519");
    g_assert_null(xc_known_hosts_key_type("\0\0\0\7ab", 6));
    g_assert_null(xc_known_hosts_key_type("\0\0\0\2a\n", 6));
    g_assert_null(xc_known_hosts_key_type("\0", 1));
}

/* The lines of the file after adding, as one text. */
static char *added(const char *path, const char *line)
{
    g_autoptr(GError) error = NULL;
    char *text = NULL;

    g_assert_true(xc_known_hosts_add(path, line, &error));
    g_assert_no_error(error);
    text = xc_known_hosts_load(path, &error);
    g_assert_no_error(error);
    return text;
}

static void test_add(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *dir = g_dir_make_tmp("known-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "known_hosts", NULL);
    g_autofree char *lock = g_strconcat(path, ".lock", NULL);
    g_autofree char *nothing = xc_known_hosts_load(path, NULL);
    g_autofree char *first = added(path, "dom0-b " ED K2);
    g_autofree char *second = NULL, *third = NULL, *fourth = NULL;
    struct stat st;

    g_assert_cmpstr(nothing, ==, "");
    g_assert_cmpstr(first, ==, "dom0-b " ED K2 "\n");
    g_assert_cmpint(stat(path, &st), ==, 0);
    g_assert_cmpint(st.st_mode & 07777, ==, 0644);

    /* what the operator did not decide about stays byte by byte, also a last line without its end
     */
    g_assert_true(g_file_set_contents(
        path, "# mine\n@revoked dom0-a " ED K1 "\ndom0-a,x " ED K1 "\n" HASHED_A "dom0-a " EC E1,
        -1, NULL));
    second = added(path, "dom0-a " ED K2);
    g_assert_cmpstr(second, ==,
                    "# mine\n@revoked dom0-a " ED K1 "\ndom0-a,x " ED K1 "\ndom0-a " EC E1
                    "\ndom0-a " ED K2 "\n");
    third = added(path, "dom0-a " ED K2);
    g_assert_cmpstr(third, ==, second);
    fourth = added(path, "[dom0-a]:2222 " ED K1);
    g_assert_true(g_str_has_prefix(fourth, third));

    g_assert_false(xc_known_hosts_add(path, "dom0-a " ED K1 "\nevil " ED K1, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_BAD_VALUE);
    g_clear_error(&error);
    g_assert_false(xc_known_hosts_add("/nonexistent/known_hosts", "dom0-a " ED K1, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_BAD_CONFIG);
    g_assert_nonnull(strstr(error->message, "/nonexistent/known_hosts"));
    g_unlink(path);
    g_unlink(lock);
    g_rmdir(dir);
}

static void test_not_a_file(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(xc_known_hosts_load("/dev/zero", &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_HOST_KEY);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/known-hosts/match", test_match);
    g_test_add_func("/known-hosts/types", test_types);
    g_test_add_func("/known-hosts/texts", test_texts);
    g_test_add_func("/known-hosts/add", test_add);
    g_test_add_func("/known-hosts/not-a-file", test_not_a_file);
    return g_test_run();
}
