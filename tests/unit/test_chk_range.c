/* Ranges as the Monitoring Plugins guidelines have them: each example of theirs, each form, what is none. */
#include "plugins/lib/range.h"
#include "plugins/lib/state.h"

#include "xenclient/util/error.h"

#include <locale.h>
#include <math.h>

/* What alerts, and what does not. */
static void test_examples(void)
{
    static const struct {
        const char *text;
        double alerts[4];
        double fine[4];
        unsigned n_alerts, n_fine;
    } cases[] = {
        {"10", {-0.001, -5, 10.001, 1e9}, {0, 5, 10}, 4, 3},
        {"10:", {9.999, 0, -1}, {10, 11, 1e12}, 3, 3},
        {"~:10", {10.001, 11}, {10, 0, -1e12}, 2, 3},
        {":10", {-1, 11}, {0, 10}, 2, 2},
        {"10:20", {9, 21}, {10, 15, 20}, 2, 3},
        {"@10:20", {10, 15, 20}, {9.999, 20.001}, 3, 2},
        {"@10", {0, 10}, {-0.001, 10.001}, 2, 2},
        {"0:0", {-1, 1, 0.001}, {0}, 3, 1},
        {"0", {-1, 1, 0.001}, {0}, 3, 1},
        {"~:-5", {-4.999, 0}, {-5, -6}, 2, 2},
        {"-7:23", {-8, 24}, {-7, 0, 23}, 2, 3},
        {"@~:10", {-1e9, 10}, {10.001}, 2, 1},
        {"@20:", {20, 1e9}, {19.999}, 2, 1},
        {"~:", {0}, {-1e300, 0, 1e300}, 0, 3},
        {"0.5:1.25", {0.4999, 1.2501}, {0.5, 1.25}, 2, 2},
        {".5", {0.51}, {0.5}, 1, 1},
        {"10%:20%", {9, 21}, {10, 20}, 2, 2},
        {"90%", {91}, {90}, 1, 1},
        {"-5:-1", {-6, 0}, {-5, -1}, 2, 2},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct chk_range range;

        if (!chk_range_parse(cases[i].text, &range, NULL))
            g_error("refused: %s", cases[i].text);
        for (unsigned n = 0; n < cases[i].n_alerts; n++)
            if (!chk_range_alerts(&range, cases[i].alerts[n]))
                g_error("%s is silent at %g", cases[i].text, cases[i].alerts[n]);
        for (unsigned n = 0; n < cases[i].n_fine; n++)
            if (chk_range_alerts(&range, cases[i].fine[n]))
                g_error("%s alerts at %g", cases[i].text, cases[i].fine[n]);
    }
}

static void test_refused(void)
{
    static const char *const bad[] = {
        "",       "@",     "~",   ":",     "@:",   "2:1",      "10:5", "x",   "1x",
        "1:2:3",  "10 ",   " 10", "1 : 2", "inf",  "nan",      "0x10", "1e3", "+5",
        "--5",    "1.2.3", "~:~", "10:~",  "5:@6", "@@5",      "1,5",  "%",   "5%%",
        "1:12%x", ".",     "-",   "-:5",   "1:\n", "\xd9\xa1",
    };
    struct chk_range range = {.start = 7};

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        if (chk_range_parse(bad[i], &range, &error))
            g_error("taken: \"%s\"", bad[i]);
        g_assert_error(error, XC_ERROR, XC_CAUSE_BAD_VALUE);
    }
    g_assert_cmpfloat(range.start, ==, 7); /* untouched */
}

/* What is printed means what was read, and is its shortest form. */
static void test_format(void)
{
    static const char *const cases[][2] = {
        {"10", "10"},         {"0:10", "10"},
        {":10", "10"},        {"10:", "10:"},
        {"~:10", "~:10"},     {"0:", "0:"},
        {"@10:20", "@10:20"}, {"@0:10", "@10"},
        {"0:0", "0"},         {"10%:20%", "10:20"},
        {"1.50:2", "1.5:2"},  {"~:", "~:"},
        {"-7:23", "-7:23"},   {"0.1", "0.1"},
        {"-0:1", "1"},        {"1000000000000", "1000000000000"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct chk_range range;
        struct chk_range again;
        g_autofree char *text = NULL;

        g_assert_true(chk_range_parse(cases[i][0], &range, NULL));
        text = chk_range_format(&range);
        g_assert_cmpstr(text, ==, cases[i][1]);
        g_assert_true(chk_range_parse(text, &again, NULL));
        g_assert_true(again.start == range.start && again.end == range.end &&
                      again.inside == range.inside);
    }
}

static void test_numbers(void)
{
    static const struct {
        double number;
        const char *text;
    } cases[] = {
        {0, "0"},
        {-0.0, "0"},
        {1, "1"},
        {12.5, "12.5"},
        {100, "100"},
        {-3.25, "-3.25"},
        {1e15, "1000000000000000"},
        {0.000001, "0.000001"},
        {0.0000001, "0"},
        {-0.0000001, "0"},
        {9007199254740992.0, "9007199254740992"},
        {20000000, "20000000"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = chk_number_format(cases[i].number);

        g_assert_cmpstr(text, ==, cases[i].text);
    }
}

static void test_states(void)
{
    static const char *const good[][2] = {
        {"ok", "OK"},      {"OK", "OK"},     {"Warning", "WARNING"}, {"critical", "CRITICAL"},
        {"2", "CRITICAL"}, {"u", "UNKNOWN"}, {"W", "WARNING"},       {"3", "UNKNOWN"}};
    static const char *const bad[] = {"", "4", "-1", "okay", "crit", " ok"};
    static const enum chk_state order[] = {CHK_OK, CHK_UNKNOWN, CHK_WARNING, CHK_CRITICAL};
    enum chk_state state;

    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        g_assert_true(chk_state_parse(good[i][0], &state, NULL));
        g_assert_cmpstr(chk_state_label(state), ==, good[i][1]);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(chk_state_parse(bad[i], &state, NULL));
    for (size_t a = 0; a < G_N_ELEMENTS(order); a++)
        for (size_t b = 0; b < G_N_ELEMENTS(order); b++)
            g_assert_cmpint(chk_state_worst(order[a], order[b]), ==, order[MAX(a, b)]);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    setlocale(LC_ALL, "de_DE.UTF-8");
    g_test_add_func("/chk/range/examples", test_examples);
    g_test_add_func("/chk/range/refused", test_refused);
    g_test_add_func("/chk/range/format", test_format);
    g_test_add_func("/chk/range/numbers", test_numbers);
    g_test_add_func("/chk/states", test_states);
    return g_test_run();
}
