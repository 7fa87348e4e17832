/* The configuration file: defaults, every kind of value, and messages that say what and where. */
#include "tests/unit/config_kit.h"

#include <string.h>

static void test_defaults(void)
{
    g_autoptr(xc_config) config = kit_config("", NULL);

    g_assert_nonnull(config);
    g_assert_false(config->control);
    g_assert_cmpuint(config->interval_sec, ==, 10);
    g_assert_cmpstr(config->state_dir, ==, "/var/lib/xensnmp");
    g_assert_cmpstr(config->tls_pins, ==, "/etc/xensnmp/tls_pins");
    g_assert_cmpstr(config->tls_ca, ==, "");
    g_assert_cmpuint(config->sources->len, ==, 0);
}

static void test_whole(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(xc_config) config = kit_config("[source dom0-a]\n"
                                             "uri = ssh://root@dom0-a:2222\n"
                                             "address = 10.0.0.1\n"
                                             "config_dirs = /etc/xen:/srv/xen\n"
                                             "interval = 3\n"
                                             "[source dom0-b]\n"
                                             "uri=sim:///run/farm.sock/b\n"
                                             "enabled = no\n"
                                             "[agent]\n"
                                             "control = yes\n"
                                             "stale_after=7\n"
                                             "tls_ca = /etc/ssl/pool.pem\n"
                                             "protected = db-*; mail\n",
                                             &error);
    const struct xc_config_source *a;

    g_assert_no_error(error);
    g_assert_true(config->control);
    g_assert_cmpuint(config->stale_after, ==, 7);
    g_assert_cmpstr(config->protected_names[1], ==, "mail");
    g_assert_cmpstr(config->tls_ca, ==, "/etc/ssl/pool.pem");
    g_assert_cmpuint(config->sources->len, ==, 2);
    a = config->sources->pdata[0];
    g_assert_cmpstr(a->spec.key, ==, "dom0-a");
    g_assert_cmpstr(a->spec.config_dirs, ==, "/etc/xen:/srv/xen");
    g_assert_cmpstr(a->spec.credential, ==, "");
    g_assert_cmpuint(a->interval_sec, ==, 3);
    g_assert_true(a->enabled);
    g_assert_false(((const struct xc_config_source *)config->sources->pdata[1])->enabled);
}

/* Each is refused, and the message holds line, section, key and what would be right. */
static void test_wrong(void)
{
    static const struct {
        const char *text;
        const char *line;
        const char *said[3];
    } cases[] = {
        {"[agent]\n\ninterval = 0\n", ":3:", {"[agent]", "interval", "1 to 3600"}},
        {"[agent]\ninterval = ten\n", ":2:", {"[agent]", "interval", "\"ten\""}},
        {"[agent]\ncontrol = maybe\n", ":2:", {"control", "yes or no", "maybe"}},
        {"[agent]\nstate_dir = var\n", ":2:", {"state_dir", "absolute", "var"}},
        {"[agent]\ntls_ca = pool.pem\n", ":2:", {"tls_ca", "absolute", "or nothing"}},
        {"[agent]\nlog_level = loud\n", ":2:", {"log_level", "debug", "loud"}},
        {"[agent]\nintervall = 5\n", ":2:", {"intervall", "unknown key", "--sample-config"}},
        {"[agents]\ninterval = 5\n", ":1:", {"agents", "unknown section", "source KEY"}},
        {"[source a b]\nuri = xl:///\n", ":1:", {"source a b", "A-Z", "32"}},
        {"[source a]\ncredential = x\n", ":1:", {"source a", "no uri", ""}},
        {"[source a]\nuri = xl:///\nenabled = perhaps\n",
         ":3:",
         {"enabled", "yes or no", "perhaps"}},
        {"[source a]\n# x\nuri = gopher://x\n", ":3:", {"source a", "uri", "ssh"}},
        {"[source a]\nuri = ssh://u:secret@h\n", ":2:", {"uri", "password", ""}},
        {"[source a]\nuri = xl:///\nuser = x\n", ":3:", {"user", "unknown key", "--sample-config"}},
        {"[source a]\nuri = xl:///\ninterval = 99999\n", ":3:", {"interval", "3600", ""}},
        {"[source a]\nuri = xl:///\ncredential = gone\n",
         ":3:",
         {"credential", "gone", "xenctl credential add"}},
        {"[agent]\n# x\ninterval\n", ":3:", {"interval", "key", ""}},
        {"interval = 5\n", ":1:", {"group", "", ""}},
        {"[agent]\ninterval = 5\n[source a\n\n", ":3:", {"source a", "", ""}},
        {"[agent]\n# caf\xe9\n", ":2:", {"0xe9", "UTF-8", ""}},
        {"[agent]\n[source a]\nuri = xl:///\n[source a]\nuri = xl:///\n",
         ":4:",
         {"source a", "twice", ""}},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(xc_config) config = kit_config(cases[i].text, &error);

        g_assert_null(config);
        g_assert_nonnull(error);
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, cases[i].line));
        for (size_t j = 0; j < G_N_ELEMENTS(cases[i].said); j++)
            g_assert_nonnull(strstr(error->message, cases[i].said[j]));
        g_assert_null(strstr(error->message, "secret"));
    }
}

static void test_missing_file(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(xc_config_load("/nonexistent/xensnmpd.conf", &error));
    g_assert_nonnull(strstr(error->message, "/nonexistent/xensnmpd.conf"));
    g_assert_nonnull(strstr(error->message, "--sample-config"));
}

/* The sample is a legal file, as printed and with every [agent] line put into force. */
static void test_sample(void)
{
    g_autofree char *sample = xc_config_sample();
    g_auto(GStrv) lines = g_strsplit(sample, "\n", -1);
    g_autoptr(GString) forced = g_string_new("");
    g_autoptr(GError) error = NULL;
    g_autoptr(xc_config) plain = kit_config(sample, &error);
    g_autoptr(xc_config) config = NULL;

    g_assert_no_error(error);
    for (char **line = lines; *line && !strstr(*line, "[source"); line++)
        g_string_append_printf(
            forced, "%s\n", (*line)[0] == '#' && g_ascii_islower((*line)[1]) ? *line + 1 : *line);
    config = kit_config(forced->str, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(config->op_max_rows, ==, plain->op_max_rows);
}

/* Every option has a line, and all its fields. */
static void test_options(void)
{
    static const char *const sections[] = {"agent", "source KEY", "group NAME",
                                           "member GROUP/MEMBER", NULL};
    g_autofree char *text = xc_config_options();
    g_auto(GStrv) lines = g_strsplit(g_strchomp(text), "\n", -1);
    g_auto(GStrv) heading = g_strsplit(lines[0], "\t", -1);

    g_assert_cmpuint(g_strv_length(lines), >, 25);
    g_assert_cmpuint(g_strv_length(heading), ==, 6);
    for (char **line = lines + 1; *line; line++) {
        g_auto(GStrv) fields = g_strsplit(*line, "\t", -1);

        g_assert_cmpuint(g_strv_length(fields), ==, 6);
        g_assert_true(g_strv_contains(sections, fields[0]));
        for (unsigned i = 1; fields[i]; i++)
            g_assert_true(i == 3 || *fields[i] != '\0'); /* a default may be empty */
    }
    g_assert_true(g_strv_contains((const char *const *)lines,
                                  "agent\tinterval\ta number from 1 to 3600\t10\treload\t"
                                  "Seconds between two polls of a source."));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/config/defaults", test_defaults);
    g_test_add_func("/config/whole", test_whole);
    g_test_add_func("/config/wrong", test_wrong);
    g_test_add_func("/config/missing-file", test_missing_file);
    g_test_add_func("/config/sample", test_sample);
    g_test_add_func("/config/options", test_options);
    return g_test_run();
}
