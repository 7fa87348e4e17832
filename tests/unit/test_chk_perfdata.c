/* Performance data: labels quoted, units, ranges, what is not known; names from outside made harmless. */
#include "plugins/lib/perfdata.h"

#include <string.h>

static void test_form(void)
{
    const struct chk_range ten = {.start = 0, .end = 10};
    const struct chk_range above = {.start = 10, .end = 20, .inside = true};
    const struct {
        struct chk_perf perf;
        const char *text;
    } cases[] = {
        {{.label = "load", .uom = "", .known = true, .value = 0.42}, "load=0.42"},
        {{.label = "cpu", .uom = "%", .known = true, .value = 97.5, .warn = &ten, .crit = &above},
         "cpu=97.5%;10;@10:20"},
        {{.label = "cpu", .uom = "%", .known = false, .warn = &ten}, "cpu=U;10"},
        {{.label = "time", .uom = "s", .known = true, .value = 1, .crit = &ten}, "time=1s;;10"},
        {{.label = "n", .uom = "", .known = true, .value = 3, .min = "0"}, "n=3;;;0"},
        {{.label = "n",
          .uom = "B",
          .known = true,
          .value = 3,
          .warn = &ten,
          .min = "0",
          .max = "9"},
         "n=3B;10;;0;9"},
        {{.label = "octets",
          .uom = "c",
          .known = true,
          .value = 1.8446744073709552e19,
          .exact = "18446744073709551615"},
         "octets=18446744073709551615c"},
        {{.label = "a b", .uom = "", .known = true, .value = 1}, "'a b'=1"},
        {{.label = "it's", .uom = "", .known = true, .value = 1}, "'it''s'=1"},
        {{.label = "a=b", .uom = "", .known = true, .value = 1}, "'a_b'=1"},
        {{.label = "a|b", .uom = "", .known = true, .value = 1}, "'a_b'=1"},
        {{.label = "'", .uom = "", .known = true, .value = 1}, "''''=1"},
        {{.label = "", .uom = "", .known = true, .value = 1}, "''=1"},
        {{.label = "a\nb", .uom = "", .known = true, .value = 1}, "'a?b'=1"},
        {{.label = "caf\xc3\xa9", .uom = "", .known = true, .value = 1}, "'caf\xc3\xa9'=1"},
        {{.label = "a;b", .uom = "", .known = true, .value = 1}, "'a;b'=1"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) out = g_string_new(NULL);

        chk_perf_append(out, &cases[i].perf);
        g_assert_cmpstr(out->str, ==, cases[i].text);
        chk_perf_append(out, &cases[0].perf);
        g_assert_true(g_str_has_suffix(out->str, " load=0.42"));
    }
}

static void test_harmless(void)
{
    static const char *const cases[][2] = {
        {"web1", "web1"},
        {"$(touch x)|`id`", "_(touch x)__id_"},
        {"<script>alert(\"x\")</script>", "_script_alert(_x_)_/script_"},
        {"a;b&c'd\\e", "a_b_c_d_e"},
        {"two\nlines\r", "two?lines?"},
        {"\x1b[31mred", "?[31mred"},
        {"h\xc3\xa9llo", "h\xc3\xa9llo"},
        {"\xff", "?"},
        {"", ""},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = chk_text_harmless(cases[i][0], 100);

        g_assert_cmpstr(text, ==, cases[i][1]);
    }
}

/* No octet whatever, and no pair, leaves anything that separates or means something. */
static void test_harmless_all(void)
{
    for (unsigned a = 1; a < 256; a++)
        for (unsigned b = 1; b < 256; b++) {
            const char pair[] = {(char)a, (char)b, '\0'};
            g_autofree char *text = chk_text_harmless(pair, 100);

            g_assert_true(g_utf8_validate(text, -1, NULL));
            g_assert_null(strpbrk(text, "|`$&\"'<>\\;\n\r\t"));
            g_assert_cmpuint(strlen(text), <=, 2);
        }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/chk/perfdata/form", test_form);
    g_test_add_func("/chk/perfdata/harmless", test_harmless);
    g_test_add_func("/chk/perfdata/harmless-all", test_harmless_all);
    return g_test_run();
}
