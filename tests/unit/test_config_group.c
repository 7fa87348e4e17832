/* Groups in the configuration file: what is read, and messages that say what and where. */
#include "tests/unit/config_kit.h"

#include <string.h>

static void test_whole(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(xc_config) config = kit_config("[member web/host1/www 2]\n"
                                             "description = the second\n"
                                             "create = template:Debian 12\n"
                                             "pin = host2\n"
                                             "priority = 7\n"
                                             "delay = 30\n"
                                             "[group web]\n"
                                             "description = front ends\n"
                                             "members = www1; db ;\n"
                                             "hosts = host1; host2:50\n"
                                             "spread = byMemory\n"
                                             "order = sequential\n"
                                             "min_running = 2\n"
                                             "[group plain]\n"
                                             "[group any]\n"
                                             "hosts = *; host3:9\n"
                                             "[group nowhere]\n"
                                             "hosts =\n",
                                             &error);
    const struct xc_group_spec *web;
    const struct xc_group_spec *any;
    const struct xc_member_spec *second;

    g_assert_no_error(error);
    g_assert_cmpuint(config->groups->len, ==, 4);
    web = config->groups->pdata[0];
    g_assert_cmpstr(web->name, ==, "web");
    g_assert_cmpstr(web->descr, ==, "front ends");
    g_assert_cmpint(web->spread, ==, XC_SPREAD_BY_MEMORY);
    g_assert_cmpint(web->order, ==, XC_GROUP_SEQUENTIAL);
    g_assert_cmpuint(web->min_running, ==, 2);
    g_assert_cmpuint(web->members->len, ==, 3);
    g_assert_nonnull(xc_group_member(web, "www1"));
    g_assert_nonnull(xc_group_member(web, "db"));
    second = xc_group_member(web, "host1/www 2");
    g_assert_cmpstr(second->descr, ==, "the second");
    g_assert_cmpstr(second->create, ==, "template:Debian 12");
    g_assert_cmpstr(second->pin, ==, "host2");
    g_assert_cmpuint(second->priority, ==, 7);
    g_assert_cmpuint(second->delay_sec, ==, 30);
    g_assert_false(web->all_hosts);
    g_assert_cmpuint(xc_group_host(web, "host1")->weight, ==, 100);
    g_assert_cmpuint(xc_group_host(web, "host2")->weight, ==, 50);
    g_assert_true(((const struct xc_group_spec *)config->groups->pdata[1])->all_hosts);
    any = config->groups->pdata[2];
    g_assert_true(any->all_hosts);
    g_assert_cmpuint(xc_group_host(any, "host3")->weight, ==, 9);
    g_assert_false(((const struct xc_group_spec *)config->groups->pdata[3])->all_hosts);
}

static void test_wrong(void)
{
    static const struct {
        const char *text, *line, *said[2];
    } cases[] = {
        {"[group a b]\n", ":1:", {"[group a b]", "A-Z"}},
        {"[group ]\n", ":1:", {"group", ""}},
        {"[group a]\n\ncolour = red\n", ":3:", {"colour", "unknown key"}},
        {"[group a]\nspread = even\n", ":2:", {"spread", "equal byMemory pack pinned"}},
        {"[group a]\norder = random\n", ":2:", {"order", "sequential"}},
        {"[group a]\nmin_running = 1001\n", ":2:", {"min_running", "0 to 1000"}},
        {"[group a]\nmembers = x; y; x\n", ":2:", {"members", "x is named twice"}},
        {"[group a]\nhosts = h 1\n", ":2:", {"hosts", "\"h 1\" is no key"}},
        {"[group a]\nhosts = h1:0\n", ":2:", {"hosts", "1 to 100"}},
        {"[group a]\nhosts = h1:101\n", ":2:", {"hosts", "1 to 100"}},
        {"[group a]\nhosts = h1; h1\n", ":2:", {"hosts", "h1 is named twice"}},
        {"[group a]\n[group a]\n", ":2:", {"group a", "twice"}},
        {"[member a/m]\n", ":1:", {"member a/m", "no section [group a]"}},
        {"[group a]\n[member a]\n", ":2:", {"[member a]", "GROUP/MEMBER"}},
        {"[group a]\n[member a/]\n", ":2:", {"[member a/]", "GROUP/MEMBER"}},
        {"[group a]\n[member a/m]\npriority = 0\n", ":3:", {"priority", "1 to 100"}},
        {"[group a]\n[member a/m]\ndelay = 3601\n", ":3:", {"delay", "0 to 3600"}},
        {"[group a]\n[member a/m]\npin = a/b\n", ":1:", {"[group a]", "pinned"}},
        {"[group a]\n[member a/m]\ncreate = x.cfg\n", ":1:", {"[group a]", "absolute path"}},
        {"[grop a]\n", ":1:", {"unknown section", "[group NAME]"}},
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
    }
}

/* Its lines put into force are a legal file, and each option is told to programs. */
static void test_told(void)
{
    static const char *const wanted[] = {"group NAME\tmembers\t", "group NAME\thosts\t",
                                         "member GROUP/MEMBER\tdelay\t"};
    g_autofree char *options = xc_config_options();
    g_autofree char *sample = xc_config_sample();
    const char *group = strstr(sample, "#[group web]\n");
    g_auto(GStrv) lines = g_strsplit(group ? group : "", "\n", -1);
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GError) error = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++)
        g_assert_nonnull(strstr(options, wanted[i]));
    g_assert_nonnull(group);
    for (char **line = lines; *line; line++)
        if ((*line)[0] == '#' && (*line)[1] != ' ')
            g_string_append_printf(text, "%s\n", *line + 1);
    g_autoptr(xc_config) config = kit_config(text->str, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(config->groups->len, ==, 1);
    g_assert_nonnull(xc_group_member(config->groups->pdata[0], "www1"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/config-group/whole", test_whole);
    g_test_add_func("/config-group/wrong", test_wrong);
    g_test_add_func("/config-group/told", test_told);
    return g_test_run();
}
