/* Options of plugins: the command line, files of --extra-opts, thresholds, states, what is refused. */
#include "tests/unit/chk_kit.h"

#include "xenclient/util/error.h"

#include <glib/gstdio.h>

static void test_forms(void)
{
    static const char *const forms[][6] = {
        {"-w", "70", "-vv", "-c", "95", NULL},
        {"-w70", "-v", "-v", "-c95", NULL},
        {"--warning=70", "--verbose", "--verbose", "--critical=95", NULL},
        {"--warning", "70", "-vvc", "95", NULL},
        {"-vvw70", "--critical", "used=95", NULL},
        {"-w", "used=50", "-vvw", "used=70", "-c95", NULL},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(forms); i++) {
        struct chk chk;

        g_assert_true(kit_parse(&chk, &kit_plugin, forms[i], NULL));
        g_assert_cmpuint(chk_option_count(&chk, "verbose"), ==, 2);
        g_assert_cmpfloat(chk.thresholds[0].warn.end, ==, 70);
        g_assert_cmpfloat(chk.thresholds[0].crit.end, ==, 95);
        g_assert_false(chk.thresholds[1].has_warn);
        chk_options_clear(&chk);
    }
}

static void test_several_metrics(void)
{
    static const char *const words[] = {"-w", "70,free=100:", "-c", "free=@10:20",
                                        "-c", "octets=5",     NULL};
    struct chk chk;

    g_assert_true(kit_parse(&chk, &kit_plugin, words, NULL));
    g_assert_cmpfloat(chk.thresholds[0].warn.end, ==, 70);
    g_assert_cmpfloat(chk.thresholds[0].crit.end, ==, 90); /* the plugin's own */
    g_assert_cmpfloat(chk.thresholds[1].warn.start, ==, 100);
    g_assert_true(chk.thresholds[1].crit.inside);
    g_assert_true(chk.thresholds[2].has_crit);
    /* critical is looked at first */
    g_assert_cmpint(chk_threshold_judge(&chk.thresholds[1], 15), ==, CHK_CRITICAL);
    g_assert_cmpint(chk_threshold_judge(&chk.thresholds[1], 50), ==, CHK_WARNING);
    g_assert_cmpint(chk_threshold_judge(&chk.thresholds[1], 100), ==, CHK_OK);
    chk_options_clear(&chk);
}

static void test_standards(void)
{
    static const char *const none[] = {NULL};
    static const char *const given[] = {"-t", "3:unknown", "--mode=off", "--since", "5", NULL};
    struct chk chk;

    g_assert_true(kit_parse(&chk, &kit_plugin, none, NULL));
    g_assert_cmpuint(chk.timeout_sec, ==, 10);
    g_assert_cmpint(chk.timeout_state, ==, CHK_CRITICAL);
    g_assert_cmpstr(chk_option(&chk, "mode"), ==, "on");
    g_assert_cmpfloat(chk_option_seconds(&chk, "since"), ==, 60);
    g_assert_null(chk_option(&chk, "hostname"));
    chk_options_clear(&chk);
    g_assert_true(kit_parse(&chk, &kit_plugin, given, NULL));
    g_assert_cmpuint(chk.timeout_sec, ==, 3);
    g_assert_cmpint(chk.timeout_state, ==, CHK_UNKNOWN);
    g_assert_cmpstr(chk_option(&chk, "mode"), ==, "off");
    g_assert_cmpfloat(chk_option_seconds(&chk, "since"), ==, 5);
    chk_options_clear(&chk);
}

static void test_refused(void)
{
    static const struct {
        const char *words[4];
        const char *says;
    } bad[] = {
        {{"web1"}, "there are options alone"},
        {{"-"}, "there are options alone"},
        {{"--"}, "no option --"},
        {{"--nothing"}, "no option --nothing"},
        {{"-Z"}, "no option -Z"},
        {{"--community=x"}, "no option --community"},
        {{"-vZ"}, "no option -Z"},
        {{"-w"}, "--warning needs"},
        {{"--hostname"}, "--hostname needs"},
        {{"--verbose=2"}, "takes no value"},
        {{"-w", "2:1"}, "ends before it starts"},
        {{"-w", ""}, "no range"},
        {{"-w", "used="}, "no range"},
        {{"-w", "10,"}, "no range"},
        {{"-c", "nothing=5"}, "no metric nothing"},
        {{"-t", "0"}, "--timeout"},
        {{"-t", "x"}, "--timeout"},
        {{"-t", "5:bad"}, "a state is"},
        {{"--state", "state.up=ok"}, "no condition state.up"},
        {{"--state", "state.down"}, "no condition state.down"},
        {{"--state", "state.down=bad"}, "a state is"},
        {{"--mode", "x"}, "--mode: x is none of on|off"},
        {{"--since", "-1"}, "--since: not a number"},
        {{"--empty", "fine"}, "--empty: fine: a state is"},
        {{"--name", "\xff"}, "--name: not UTF-8"},
        {{"--perfdata", "some"}, "is none of all|totals|none"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        struct chk chk;

        if (kit_parse(&chk, &kit_plugin, bad[i].words, &error))
            g_error("taken: %s %s", bad[i].words[0], bad[i].words[1]);
        if (!strstr(error->message, bad[i].says))
            g_error("%s: %s", bad[i].words[0], error->message);
        chk_options_clear(&chk);
    }
}

/* --- --extra-opts */
static void test_extra_opts_text(void)
{
    static const char text[] =
        "; comment\n# comment\n[other]\nwarning = 1\n[check_kit]\nwarning = 70\n"
        "v\n  name =  a = b \nverbose\nw=used=5\n[check_kit2]\nx=1\n[check_kit]\nc = 9\n";
    static const char *const want[] = {"--warning=70", "-v",       "--name=a = b",
                                       "--verbose",    "-wused=5", "-c9"};
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) error = NULL;

    g_assert_true(chk_extra_opts_parse(text, "check_kit", "here", words, NULL));
    g_assert_cmpuint(words->len, ==, G_N_ELEMENTS(want));
    for (unsigned i = 0; i < words->len; i++)
        g_assert_cmpstr(g_ptr_array_index(words, i), ==, want[i]);
    g_assert_false(chk_extra_opts_parse(text, "none", "here", words, &error));
    g_assert_cmpstr(error->message, ==, "here: no section [none]");
    g_assert_false(chk_extra_opts_parse("[a]\nextra-opts=b\n", "a", "here", words, NULL));
}

static void with_file(const char *spec, double warn)
{
    const char *const words[] = {spec, "-c", "99", NULL};
    struct chk chk;

    g_assert_true(kit_parse(&chk, &kit_plugin, words, NULL));
    g_assert_cmpfloat(chk.thresholds[0].warn.end, ==, warn);
    g_assert_cmpfloat(chk.thresholds[0].crit.end, ==, 99); /* the command line wins over the file */
    chk_options_clear(&chk);
}

static void test_extra_opts_file(void)
{
    g_autofree char *folder = g_dir_make_tmp("chk.XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "plugins.ini", NULL);
    g_autofree char *spec = g_strconcat("--extra-opts=@", path, NULL);
    g_autofree char *section = g_strconcat("--extra-opts=mine@", path, NULL);
    g_autofree char *missing = g_strconcat("--extra-opts=none@", path, NULL);
    const char *const bad[][2] = {{missing, NULL},
                                  {"--extra-opts=@/nowhere/at/all", NULL},
                                  {"--extra-opts=@/dev/null", NULL}};

    g_assert_true(g_file_set_contents(
        path, "[check_kit]\nwarning=70\ncritical=80\n[mine]\nwarning=60\n", -1, NULL));
    with_file(spec, 70);
    with_file(section, 60);
    g_setenv("NAGIOS_CONFIG_PATH", folder, TRUE);
    with_file("--extra-opts", 70);
    with_file("--extra-opts=mine", 60);
    g_unsetenv("NAGIOS_CONFIG_PATH");
    g_setenv("MP_CONFIG_FILE", path, TRUE);
    with_file("--extra-opts=", 70);
    g_unsetenv("MP_CONFIG_FILE");
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        struct chk chk;

        g_assert_false(kit_parse(&chk, &kit_plugin, bad[i], &error));
        g_assert_error(error, XC_ERROR, XC_CAUSE_BAD_CONFIG);
        chk_options_clear(&chk);
    }
    g_unlink(path);
    g_rmdir(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/chk/options/forms", test_forms);
    g_test_add_func("/chk/options/several-metrics", test_several_metrics);
    g_test_add_func("/chk/options/standards", test_standards);
    g_test_add_func("/chk/options/refused", test_refused);
    g_test_add_func("/chk/options/extra-opts-text", test_extra_opts_text);
    g_test_add_func("/chk/options/extra-opts-file", test_extra_opts_file);
    return g_test_run();
}
