/* From rows to a plugin's output: selection, names, states, text, perfdata, sizes. */
#include "tests/unit/chk_kit.h"

/* The output of a run over rows, which are taken. */
static char *run(const struct chk_plugin *plugin, const char *const *words, GPtrArray *rows,
                 enum chk_state *state)
{
    struct chk chk;
    GArray *items;
    char *text;

    g_assert_true(kit_parse(&chk, plugin, words, NULL));
    chk.select = chk_select_new(&chk, NULL);
    g_assert_nonnull(chk.select);
    chk_select_apply(chk.select, &chk, rows);
    chk_rows_name(plugin, rows);
    items = chk_judge(&chk, rows);
    text = chk_output(&chk, rows, items, "\ndebug", state);
    chk_items_free(items);
    chk_select_free(chk.select);
    chk_options_clear(&chk);
    g_ptr_array_unref(rows);
    return text;
}

static void says(const char *const *words, GPtrArray *rows, enum chk_state want, const char *text)
{
    enum chk_state state;
    g_autofree char *got = run(&kit_plugin, words, rows, &state);

    g_assert_cmpstr(got, ==, text);
    g_assert_cmpint(state, ==, want);
}

static GPtrArray *one(const char *state, double used)
{
    GPtrArray *rows = kit_rows();
    struct chk_row *row = kit_row(rows, "web1");

    kit_text(row, KIT_STATE, state);
    kit_number(row, KIT_USED, used);
    return rows;
}

static const char *const nothing[] = {NULL};

static void test_one(void)
{
    static const char *const on[] = {"--mode=on", NULL};
    static const char *const off[] = {"--mode=off", NULL};
    static const char *const other[] = {"--state=state.down=warning", NULL};
    static const char *const none[] = {"--perfdata=none", "-w", "~:", "-c", "~:", NULL};

    says(nothing, one("up", 512), CHK_OK,
         "KIT OK: web1: up, used 50% | used=50%;80;90 free=512B octets=U\n");
    says(nothing, one("up", 870.4), CHK_WARNING,
         "KIT WARNING: web1: used 85%, up | used=85%;80;90 free=153.6B octets=U\n");
    says(nothing, one("down", 1024), CHK_CRITICAL,
         "KIT CRITICAL: web1: down, used 100% | used=100%;80;90 free=0B octets=U\n");
    says(nothing, one("odd", 512), CHK_UNKNOWN,
         "KIT UNKNOWN: web1: in an odd state, used 50% | used=50%;80;90 free=512B octets=U\n");
    says(on, one("off", 512), CHK_WARNING,
         "KIT WARNING: web1: off, used 50% | used=50%;80;90 free=512B octets=U\n");
    says(off, one("off", 512), CHK_OK,
         "KIT OK: web1: off, used 50% | used=50%;80;90 free=512B octets=U\n");
    says(other, one("down", 512), CHK_WARNING,
         "KIT WARNING: web1: down, used 50% | used=50%;80;90 free=512B octets=U\n");
    says(none, one("up", 1024), CHK_OK, "KIT OK: web1: up, used 100%\n");
}

static GPtrArray *three(void)
{
    GPtrArray *rows = kit_rows();
    struct chk_row *row;

    kit_row(rows, "a");
    kit_number(kit_row(rows, "b"), KIT_USED, 860.16);
    row = kit_row(rows, "c");
    kit_text(row, KIT_STATE, "down");
    kit_text(row, KIT_WHY, "line one\nline | two");
    return rows;
}

static void test_many(void)
{
    static const char *const brief[] = {"--perfdata=totals", NULL};
    static const char *const verbose[] = {"--perfdata=none", "-vv", NULL};
    static const char *const debug[] = {"--perfdata=none", "-vvv", "--name=a", NULL};

    says(brief, three(), CHK_CRITICAL,
         "KIT CRITICAL: 3 things, 1 critical, 1 warning, 1 ok - c (down: line one?line _ two), b "
         "(used 84%) | "
         "things=3;;;0 ok=1;;;0 warning=1;;;0 critical=1;;;0 unknown=0;;;0\n");
    says(verbose, three(), CHK_CRITICAL,
         "KIT CRITICAL: 3 things, 1 critical, 1 warning, 1 ok - c (down: line one?line _ two), b "
         "(used 84%), "
         "a (up)\n"
         "CRITICAL c: down: line one?line _ two, used 50%\n"
         "WARNING b: used 84%, up\n"
         "OK a: up, used 50%\n");
    says(debug, three(), CHK_OK, "KIT OK: a: up, used 50%\ndebug\nOK a: up, used 50%\n");
}

static void test_nothing(void)
{
    static const char *const fine[] = {"--empty=ok", "--perfdata=none", NULL};
    static const char *const named[] = {"--name=a", "--name=zz|top", "--perfdata=totals", NULL};
    static const char *const critical[] = {"--uuid=zz", "--empty=critical", "--perfdata=none",
                                           NULL};

    says(nothing, kit_rows(), CHK_UNKNOWN,
         "KIT UNKNOWN: no things found | things=0;;;0 ok=0;;;0 warning=0;;;0 critical=0;;;0 "
         "unknown=0;;;0\n");
    says(fine, kit_rows(), CHK_OK, "KIT OK: no things found\n");
    says(named, three(), CHK_UNKNOWN,
         "KIT UNKNOWN: 2 things, 1 unknown, 1 ok - zz_top (not found) | "
         "things=2;;;0 ok=1;;;0 warning=0;;;0 critical=0;;;0 unknown=1;;;0\n");
    says(critical, three(), CHK_CRITICAL, "KIT CRITICAL: zz: not found\n");
}

/* --- selection */
static GPtrArray *fleet(void)
{
    static const char *const things[][4] = {
        {"web1", "0000000A-0000-0000-0000-000000000001", "host1", "web, prod"},
        {"web2", "0000000a-0000-0000-0000-000000000002", "pool1.host2", "web, test"},
        {"db1", "0000000a-0000-0000-0000-000000000003", "pool1.host3", "prod"},
        {"db[1]", "0000000a-0000-0000-0000-000000000004", "pool10", NULL},
        {"web1", "0000000a-0000-0000-0000-000000000005", "host2", "web"},
    };
    GPtrArray *rows = kit_rows();

    for (size_t i = 0; i < G_N_ELEMENTS(things); i++) {
        struct chk_row *row = kit_row(rows, things[i][0]);

        kit_text(row, KIT_UUID, things[i][1]);
        kit_text(row, KIT_HOST, things[i][2]);
        kit_text(row, KIT_TAGS, things[i][3]);
    }
    return rows;
}

static void test_selection(void)
{
    static const struct {
        const char *words[5];
        const char *numbers;
    } cases[] = {
        {{NULL}, "1 2 3 4 5 "},
        {{"--name=web1"}, "1 5 "},
        {{"--name=web1", "--name=db1"}, "1 3 5 "},
        {{"--name=WEB1"}, ""},
        {{"--glob=web*"}, "1 2 5 "},
        {{"--glob=db[1]"}, "4 "}, /* * and ? alone mean something */
        {{"--glob=???"}, "3 "},
        {{"--regex=^db"}, "3 4 "},
        {{"--regex=\\d$", "--exclude-regex=^w"}, "3 "},
        {{"--uuid=0000000a-0000-0000-0000-000000000001"}, "1 "},
        {{"--tag=web"}, "1 2 5 "},
        {{"--tag=prod", "--tag=test"}, "1 2 3 "},
        {{"--tag=web", "--host=host1"}, "1 "},
        {{"--tag=we"}, ""},
        {{"--host=pool1"}, "2 3 "},
        {{"--host=pool1.host3"}, "3 "},
        {{"--name=web1", "--host=host2"}, "5 "},
        {{"--exclude-tag=web"}, "3 4 "},
        {{"--exclude-host=pool1", "--exclude-name=web1"}, "4 "},
        {{"--glob=*", "--exclude-glob=web?"}, "3 4 "},
        {{"--exclude-uuid=0000000A-0000-0000-0000-000000000004"}, "1 2 3 5 "},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) rows = fleet();
        g_autoptr(GString) numbers = g_string_new(NULL);
        struct chk chk;

        g_assert_true(kit_parse(&chk, &kit_plugin, cases[i].words, NULL));
        chk.select = chk_select_new(&chk, NULL);
        chk_select_apply(chk.select, &chk, rows);
        for (unsigned r = 0; r < rows->len; r++)
            g_string_append_printf(numbers, "%u ",
                                   ((struct chk_row *)g_ptr_array_index(rows, r))->number);
        if (!g_str_equal(numbers->str, cases[i].numbers))
            g_error("%s selects %s", cases[i].words[0], numbers->str);
        chk_select_free(chk.select);
        chk_options_clear(&chk);
    }
}

static void test_bad_expression(void)
{
    static const char *const words[] = {"--regex=(", NULL};
    g_autoptr(GError) error = NULL;
    struct chk chk;

    g_assert_true(kit_parse(&chk, &kit_plugin, words, NULL));
    g_assert_null(chk_select_new(&chk, &error));
    g_assert_true(g_str_has_prefix(error->message, "--regex: "));
    chk_options_clear(&chk);
}

static void test_names(void)
{
    g_autoptr(GPtrArray) rows = fleet();
    static const char *const want[] = {"web1 #1", "web2", "db1", "db[1]", "web1 #5"};

    chk_rows_name(&kit_plugin, rows);
    for (unsigned i = 0; i < rows->len; i++)
        g_assert_cmpstr(((struct chk_row *)g_ptr_array_index(rows, i))->shown, ==, want[i]);
}

/* Objects without a number, as repositories: host, then UUID. */
static void test_names_without_numbers(void)
{
    g_autoptr(GPtrArray) rows = fleet();
    static const char *const want[] = {"host1/web1", "x 0000000a-0000-0000-0000-000000000002",
                                       "x 0000000a-0000-0000-0000-000000000003", "db[1]",
                                       "host2/web1"};

    for (unsigned i = 0; i < rows->len; i++)
        ((struct chk_row *)g_ptr_array_index(rows, i))->number = 0;
    for (unsigned i = 1; i <= 2; i++) {
        kit_text(g_ptr_array_index(rows, i), KIT_NAME, "x");
        kit_text(g_ptr_array_index(rows, i), KIT_HOST, NULL);
    }
    chk_rows_name(&kit_plugin, rows);
    for (unsigned i = 0; i < rows->len; i++)
        g_assert_cmpstr(((struct chk_row *)g_ptr_array_index(rows, i))->shown, ==, want[i]);
}

/* --- sizes */
static void test_sizes(void)
{
    static const char *const words[] = {"-vvv", NULL};

    for (unsigned n = 1; n <= 3000; n = n * 3 + 1) {
        GPtrArray *rows = kit_rows();
        enum chk_state state;
        g_autofree char *text = NULL;

        for (unsigned i = 0; i < n; i++) {
            g_autofree char *name = g_strdup_printf("%0200u '=|%u", i, i);
            struct chk_row *row = kit_row(rows, name);

            kit_text(row, KIT_STATE, i % 2 ? "down" : "up");
            kit_text(row, KIT_WHY, name);
        }
        text = run(&kit_plugin, words, rows, &state);
        g_assert_cmpuint(strlen(text), <, 4096);
        g_assert_true(strchr(text, '|') == strrchr(text, '|'));
        g_assert_cmpuint(n == 1 ? CHK_OK : CHK_CRITICAL, ==, state);
    }
}

static void test_numbers_shown(void)
{
    static const struct {
        const char *uom;
        double number;
        const char *text;
    } cases[] = {
        {"%", 12.345, "12.35%"},
        {"", 7, "7"},
        {"c", 7, "7"},
        {"s", 0.25, "0.25 s"},
        {"s", 59, "59 s"},
        {"s", 61, "1 min 1 s"},
        {"s", -3700, "-1 h 1 min"},
        {"s", 90000, "1 d 1 h"},
        {"B", 0, "0 B"},
        {"B", 1536, "1.5 KiB"},
        {"B", 1073741824, "1 GiB"},
        {"B", 1e18, "888.2 PiB"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = chk_number_shown(cases[i].uom, cases[i].number);

        g_assert_cmpstr(text, ==, cases[i].text);
    }
}

static void test_error(void)
{
    g_autofree char *text = chk_output_error(&kit_plugin, CHK_UNKNOWN, "no | such\nthing");

    g_assert_cmpstr(text, ==, "KIT UNKNOWN: no _ such?thing\n");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/chk/output/one", test_one);
    g_test_add_func("/chk/output/many", test_many);
    g_test_add_func("/chk/output/nothing", test_nothing);
    g_test_add_func("/chk/output/selection", test_selection);
    g_test_add_func("/chk/output/bad-expression", test_bad_expression);
    g_test_add_func("/chk/output/names", test_names);
    g_test_add_func("/chk/output/names-without-numbers", test_names_without_numbers);
    g_test_add_func("/chk/output/sizes", test_sizes);
    g_test_add_func("/chk/output/numbers-shown", test_numbers_shown);
    g_test_add_func("/chk/output/error", test_error);
    return g_test_run();
}
