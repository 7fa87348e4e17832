/* xenctl without an agent: its tables, options, JSON, escaping, exit statuses, and its reading of snmpd.conf. */
#include "tools/xenctl/operation.h"
#include "tools/xenctl/snmpd_conf.h"
#include "tools/xenctl/text.h"
#include "tools/xenctl/verbs.h"
#include "tools/xenctl/view.h"
#include "tools/xenctl/xenctl.h"

#include <glib/gstdio.h>
#include <string.h>

/* --- JSON */
static void test_json(void)
{
    struct json json;
    g_autofree char *out = NULL;

    json_init(&json);
    json_open_object(&json, NULL);
    json_text(&json, "q\"", "a\\b\n\x01\x7f");
    json_bytes(&json, "raw", "\xff\0z\xc3\xa4", 5);
    json_text(&json, "none", NULL);
    json_open_array(&json, "list");
    json_number(&json, NULL, -5);
    json_raw_number(&json, NULL, "12.34");
    json_open_object(&json, NULL);
    json_close_object(&json);
    json_close_array(&json);
    json_bool(&json, "yes", true);
    json_close_object(&json);
    out = json_finish(&json);
    g_assert_cmpstr(
        out, ==,
        "{\"q\\\"\": \"a\\\\b\\n\\u0001\\u007f\", \"raw\": \"\xef\xbf\xbd\\u0000z\xc3\xa4\", "
        "\"none\": null, \"list\": [-5, 12.34, {}], \"yes\": true}");
}

/* Every single octet, alone and in the middle, gives text without control characters. */
static void test_escape(void)
{
    g_autofree char *inside = ctl_escape("a\0b\x1b[31m", 8);

    g_assert_cmpstr(inside, ==, "a\\x00b\\x1b[31m");
    for (unsigned octet = 0; octet < 256; octet++) {
        const char text[] = {'x', (char)octet, 'y'};
        g_autofree char *shown = ctl_escape(text, sizeof(text));

        g_assert_true(g_utf8_validate(shown, -1, NULL));
        for (const char *p = shown; *p; p++)
            g_assert_false(g_ascii_iscntrl(*p));
        g_assert_cmpuint(strlen(shown), >=, 3);
    }
}

/* --- values as JSON members */
static void test_json_values(void)
{
    const struct sn_value percent = {.type = SN_UNSIGNED, .number = 5};
    const struct sn_value truth = {.type = SN_INTEGER, .integer = 2};
    const struct sn_value state = {.type = SN_INTEGER, .integer = 4};
    const struct sn_value counter = {.type = SN_UNSIGNED, .number = G_MAXUINT64};
    const struct sn_value absent = {0};
    struct json json;
    g_autofree char *out = NULL;

    json_init(&json);
    json_open_object(&json, NULL);
    ctl_json_value(&json, "xenDomain", xenDomainCpuPercent, &percent);
    ctl_json_value(&json, "xenDomain", xenDomainProtected, &truth);
    ctl_json_value(&json, "xenDomain", xenDomainState, &state);
    ctl_json_value(&json, "xenDomain", xenDomainCpuTime, &counter);
    ctl_json_value(&json, "xenDomain", xenDomainDomid, &absent);
    json_close_object(&json);
    out = json_finish(&json);
    g_assert_cmpstr(out, ==,
                    "{\"cpuPercent\": 0.05, \"protected\": false, \"state\": \"running\", "
                    "\"cpuTime\": 18446744073709551615, \"domid\": null}");
}

/* --- tables */
static void test_commands(void)
{
    for (unsigned i = 0; i < ctl_n_commands; i++) {
        const struct ctl_command *command = &ctl_commands[i];
        g_auto(GStrv) words = g_strsplit(command->name, " ", -1);
        const struct ctl_verb *verb = command->data;
        unsigned used;

        g_assert_true(ctl_find_command(words, g_strv_length(words), &used) == command);
        g_assert_cmpuint(used, ==, g_strv_length(words));
        g_assert_cmpuint(command->min_args, <=, command->max_args);
        g_assert_cmpstr(command->summary, !=, "");
        if (verb)
            g_assert_cmpint(sn_label_number(xenOperationAction, verb->action), >, 1);
        if (verb && !verb->most && sn_object(verb->column)->base == SN_BASE_INTEGER)
            g_assert_cmpint(sn_label_number(verb->column, verb->action), >, 1);
    }
}

static void test_results(void)
{
    static const struct {
        const char *result;
        int exit;
    } results[] = {{"ok", CTL_OK},
                   {"partial", CTL_FAILED},
                   {"failed", CTL_FAILED},
                   {"cancelled", CTL_CANCELLED},
                   {"timedOut", CTL_TIMED_OUT},
                   {"lost", CTL_LOST},
                   {"something", CTL_FAILED}};

    for (size_t i = 0; i < G_N_ELEMENTS(results); i++) {
        struct ctl_op op = {.result = g_strdup(results[i].result)};

        g_assert_cmpint(ctl_op_exit(&op), ==, results[i].exit);
        ctl_op_clear(&op);
    }
}

/* Each result of the MIB but none has an exit status of its own choice, ok alone is 0. */
static void test_results_complete(void)
{
    const struct sn_object *result = sn_object(xenOperationResult);

    for (size_t i = 0; i < result->n_labels; i++) {
        struct ctl_op op = {.result = g_strdup(result->labels[i].label)};

        g_assert_true((ctl_op_exit(&op) == CTL_OK) == g_str_equal(op.result, "ok"));
        ctl_op_clear(&op);
    }
}

/* --- options */
#define ARGV_MAX 8

static bool parse(struct ctl *ctl, const char *const *argv, char **words, unsigned *n,
                  GError **error)
{
    int argc = (int)g_strv_length((char **)argv);

    memset(ctl, 0, sizeof(*ctl));
    return ctl_parse(argc, (char **)argv, ctl, words, n, error);
}

static void test_options(void)
{
    static const char *const argv[] = {"xenctl", "--json", "start", "--timeout=7", "--note",
                                       "a b",    "--",     "--odd", NULL};
    char *words[ARGV_MAX];
    g_autoptr(GError) error = NULL;
    struct ctl ctl;
    unsigned n;

    g_assert_true(parse(&ctl, argv, words, &n, &error));
    g_assert_cmpuint(n, ==, 2);
    g_assert_cmpstr(words[0], ==, "start");
    g_assert_cmpstr(words[1], ==, "--odd");
    g_assert_true(ctl.opt.json);
    g_assert_cmpint(ctl.opt.timeout, ==, 7);
    g_assert_cmpint(ctl.opt.interval, ==, -1);
    g_assert_cmpstr(ctl.opt.note, ==, "a b");
    ctl_options_clear(&ctl.opt);
}

static void test_bad_options(void)
{
    static const struct {
        const char *argv[4];
        const char *says;
    } bad[] = {
        {{"xenctl", "--colour"}, "no option --colour"},
        {{"xenctl", "--json=1"}, "takes no value"},
        {{"xenctl", "--note"}, "needs TEXT"},
        {{"xenctl", "--timeout", "12x"}, "--timeout: not a number"},
        {{"xenctl", "--timeout", "86401"}, "--timeout: not a number"},
        {{"xenctl", "--last", "100001"}, "--last: not a number"},
        {{"xenctl", "--password", "secret"}, "no option --password"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        char *words[ARGV_MAX];
        g_autoptr(GError) error = NULL;
        struct ctl ctl;
        unsigned n;

        g_assert_false(parse(&ctl, bad[i].argv, words, &n, &error));
        g_assert_nonnull(strstr(error->message, bad[i].says));
        ctl_options_clear(&ctl.opt);
    }
}

/* Wrong use never reaches the network and always ends with 1. */
static void test_wrong_use(void)
{
    static const char *const uses[][5] = {
        {"xenctl", "nothing", NULL},
        {"xenctl", "start", NULL},
        {"xenctl", "migrate", "web1", NULL},
        {"xenctl", "hosts", "--note", "x", NULL},
        {"xenctl", "source", NULL},
        {"xenctl", "op", "x", NULL},
        {"xenctl", "cancel", "0", NULL},
        {"xenctl", "credential", "add", "name", NULL},
        {"xenctl", "source", "add", "a b", "xl:///"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(uses); i++) {
        int argc = 0;

        while (argc < 5 && uses[i][argc])
            argc++;
        g_assert_cmpint(ctl_main(argc, (char **)uses[i]), ==, CTL_ERROR);
    }
}

/* --- snmpd.conf */
static void test_snmpd_conf(void)
{
    static const char text[] = "# master agentx\n"
                               "  MASTER\tagentx\n"
                               "agentXTimeout 1m\n"
                               "sendMessageMaxSize 1\n" /* not of this section */
                               "[snmp] sendMessageMaxSize 60000\n"
                               "maxGetbulkResponses 500 # why\n"
                               "[snmp]\n"
                               "agentXTimeout 9\n" /* nor this */
                               "[snmpd]\n"
                               "includeFile /etc/other.conf\n"
                               "includeFile beside.conf\n"
                               "agentXSocket /run/x\n"
                               "[";
    struct snmpd_lines lines;
    struct snmpd_conf conf;

    snmpd_lines_init(&lines);
    snmpd_conf_init(&conf);
    snmpd_lines_parse(&lines, text, "/etc/snmp/snmpd.conf", "snmpd");
    snmpd_conf_take(&conf, &lines);
    g_assert_true(conf.master_agentx);
    g_assert_cmpint(conf.agentx_timeout, ==, 60);
    g_assert_cmpint(conf.max_getbulk, ==, 500);
    g_assert_cmpint(conf.send_message_max, ==, 60000);
    g_assert_cmpstr(conf.agentx_socket, ==, "/run/x");
    g_assert_cmpuint(lines.files->len, ==, 2);
    g_assert_cmpstr(g_ptr_array_index(lines.files, 0), ==, "/etc/other.conf");
    g_assert_cmpstr(g_ptr_array_index(lines.files, 1), ==, "/etc/snmp/beside.conf");
    g_assert_cmpuint(snmpd_line_at(&lines, 0)->number, ==, 2);
    snmpd_lines_clear(&lines);
    snmpd_conf_clear(&conf);
    g_assert_cmpint(conf.agentx_timeout, ==, -1);
}

/* includeDir is followed, a file that includes itself ends. */
static void test_snmpd_conf_files(void)
{
    g_autofree char *dir = g_dir_make_tmp("xensnmp-conf.XXXXXX", NULL);
    g_autofree char *main_path = g_build_filename(dir, "snmpd.conf", NULL);
    g_autofree char *part_path = g_build_filename(dir, "part.conf", NULL);
    g_autofree char *main_text = g_strdup_printf("includeDir %s\n", dir);
    struct snmpd_conf conf;

    g_assert_true(g_file_set_contents(main_path, main_text, -1, NULL));
    g_assert_true(g_file_set_contents(part_path, "master agentx\nagentXTimeout 5\n", -1, NULL));
    snmpd_conf_init(&conf);
    g_assert_true(snmpd_conf_load(&conf, main_path, NULL));
    g_assert_true(conf.master_agentx);
    g_assert_cmpint(conf.agentx_timeout, ==, 5);
    snmpd_conf_clear(&conf);
    g_assert_cmpint(g_remove(main_path) | g_remove(part_path) | g_rmdir(dir), ==, 0);
    g_assert_false(snmpd_conf_load(&conf, main_path, NULL));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/xenctl/json", test_json);
    g_test_add_func("/xenctl/json-values", test_json_values);
    g_test_add_func("/xenctl/escape", test_escape);
    g_test_add_func("/xenctl/commands", test_commands);
    g_test_add_func("/xenctl/results", test_results);
    g_test_add_func("/xenctl/results-complete", test_results_complete);
    g_test_add_func("/xenctl/options", test_options);
    g_test_add_func("/xenctl/bad-options", test_bad_options);
    g_test_add_func("/xenctl/wrong-use", test_wrong_use);
    g_test_add_func("/xenctl/snmpd-conf", test_snmpd_conf);
    g_test_add_func("/xenctl/snmpd-conf-files", test_snmpd_conf_files);
    return g_test_run();
}
