/* Text from outside: cleaning, escaping, numbers. */
#include "xenclient/util/error.h"
#include "xenclient/util/text.h"

#include <string.h>

static void test_clean(void)
{
    static const struct {
        const char *text;
        size_t length;
        size_t max;
        const char *clean;
    } cases[] = {
        {"plain", 5, 255, "plain"},
        {"", 0, 255, ""},
        {"a\0b", 3, 255, "a?b"},
        {"a\x7f\x1b[1m", 6, 255, "a??[1m"},
        {"\xff\xfe", 2, 255, "??"},
        {"h\xc3\xa9", 3, 255, "h\xc3\xa9"},
        {"h\xc3\xa9", 2, 255, "h?"},     /* half a character */
        {"h\xc3\xa9", 3, 2, "h"},        /* no room for the whole */
        {"\xc2\x9b", 2, 255, "??"},      /* C1 control */
        {"\xe2\x80\xa8", 3, 255, "???"}, /* line separator */
        {"\xed\xa0\x80", 3, 255, "???"}, /* surrogate */
        {"\xc0\xaf", 2, 255, "??"},      /* overlong */
        {"\xf0\x9f\x90\xa7", 4, 4, "\xf0\x9f\x90\xa7"},
        {"abc", 3, 0, ""},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *exact = g_memdup2(cases[i].text, cases[i].length);
        g_autofree char *clean = xc_text_clean(exact, cases[i].length, cases[i].max);

        g_assert_cmpstr(clean, ==, cases[i].clean);
    }
}

/* Every single octet and every pair: valid, printable, never longer than allowed. */
static void test_clean_all_pairs(void)
{
    for (unsigned a = 0; a < 256; a++)
        for (unsigned b = 0; b < 256; b++) {
            char pair[2] = {(char)a, (char)b};
            g_autofree char *clean = xc_text_clean(pair, 2, 2);
            g_autofree char *again = xc_text_clean(clean, strlen(clean), 2);

            g_assert_true(g_utf8_validate(clean, -1, NULL));
            g_assert_cmpuint(strlen(clean), ==, 2);
            g_assert_cmpstr(clean, ==, again);
        }
}

static void test_escape(void)
{
    static const struct {
        const char *text;
        size_t max;
        const char *escaped;
    } cases[] = {
        {"plain", 99, "plain"},
        {"a\nb\x1b", 99, "a\\x0ab\\x1b"},
        {"\xff", 99, "\\xff"},
        {"\xc2\x9b", 99, "\\xc2\\x9b"},
        {"h\xc3\xa9", 99, "h\xc3\xa9"},
        {"abcdef", 3, "abc..."},
        {"abcdef", 6, "abcdef"},
        {"h\xc3\xa9t", 2, "h\xc3\xa9..."}, /* a character is shown whole */
        {"h\xc3\xa9", 2, "h\xc3\xa9"},     /* and with it everything is */
        {"", 0, ""},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *escaped = xc_text_escape(cases[i].text, cases[i].max);

        g_assert_cmpstr(escaped, ==, cases[i].escaped);
    }
}

static void test_u64(void)
{
    static const char *const bad[] = {"",
                                      " 1",
                                      "1 ",
                                      "+7",
                                      "-1",
                                      "0x10",
                                      "1e3",
                                      "1.0",
                                      "1_0",
                                      "a",
                                      "4",
                                      "1001",
                                      "99999999999999999999",
                                      "\xd9\xa1"};
    g_autoptr(GError) error = NULL;
    uint64_t value = 77;

    g_assert_true(xc_text_to_u64("18446744073709551615", 0, G_MAXUINT64, &value, NULL));
    g_assert_cmpuint(value, ==, G_MAXUINT64);
    g_assert_true(xc_text_to_u64("5", 5, 1000, &value, NULL));
    g_assert_true(xc_text_to_u64("1000", 5, 1000, &value, NULL));
    g_assert_true(xc_text_to_u64("007", 5, 1000, &value, NULL));
    g_assert_cmpuint(value, ==, 7);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        if (xc_text_to_u64(bad[i], 5, 1000, &value, NULL))
            g_error("taken: \"%s\"", bad[i]);
    g_assert_cmpuint(value, ==, 7); /* untouched */
    g_assert_false(xc_text_to_u64(NULL, 0, 1, &value, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_BAD_VALUE);
    g_assert_cmpstr(error->message, ==, "not a number from 0 to 1");
}

static void test_i64(void)
{
    static const char *const bad[] = {"", "-", "+1", " -1", "--1", "-1 ", "-11", "11", "1.5"};
    int64_t value = 0;

    g_assert_true(xc_text_to_i64("-9223372036854775808", G_MININT64, G_MAXINT64, &value, NULL));
    g_assert_cmpint(value, ==, G_MININT64);
    g_assert_true(xc_text_to_i64("-10", -10, 10, &value, NULL));
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        if (xc_text_to_i64(bad[i], -10, 10, &value, NULL))
            g_error("taken: \"%s\"", bad[i]);
    g_assert_cmpint(value, ==, -10);
}

static void test_scaled(void)
{
    static const struct {
        const char *text;
        uint64_t scale;
        uint64_t value;
    } cases[] = {
        {"12.3", 100, 1230},
        {"12", 100, 1200},
        {"0.00", 100, 0},
        {"1.005", 100, 101},
        {"12.344", 100, 1234},
        {"12.346", 100, 1235},
        {"0.999", 100, 100},
        {"0.999999999", 1, 1},
        {"0.4999999999999", 1, 0},
        {"3.1415926535", 1000000, 3141593},
        {"1.5", 1024, 1536},
        {"0.1", 1024, 102},
        {"0.33333", 1024, 341},
        {"7", 0, 0},
        {"999999999999999999", 1, 999999999999999999u},
        {"00000000012.5", 10, 125},
    };
    static const char *const bad[] = {"",      ".5",  "5.",  "-1",   "+1",
                                      "1.2.3", "1,5", " 1",  "1 ",   "1e3",
                                      "inf",   "nan", "0x1", "1.-5", "1000000000000000000"};
    uint64_t value = 77;

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_assert_true(xc_text_to_scaled(cases[i].text, cases[i].scale, &value, NULL));
        if (value != cases[i].value)
            g_error("%s * %" G_GUINT64_FORMAT " = %" G_GUINT64_FORMAT, cases[i].text,
                    cases[i].scale, value);
    }
    value = 77;
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        if (xc_text_to_scaled(bad[i], 100, &value, NULL))
            g_error("taken: \"%s\"", bad[i]);
    g_assert_false(xc_text_to_scaled(NULL, 100, &value, NULL));
    g_assert_false(xc_text_to_scaled("999999999999999999", 1000000, &value, NULL));
    g_assert_cmpuint(value, ==, 77);
}

static void test_key(void)
{
    static const char *const good[] = {"a", "Z9", "dom0-a.example_x", "0"};
    static const char *const bad[] = {
        "", "-a", ".a", "_a", "a b", "a/b", "a\n", "a;b", "\xc3\xa9", "a..=", "abcdefghijklmnopq"};

    for (size_t i = 0; i < G_N_ELEMENTS(good); i++)
        g_assert_true(xc_text_is_key(good[i], 16));
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(xc_text_is_key(bad[i], 16));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/text/clean", test_clean);
    g_test_add_func("/text/clean-all-pairs", test_clean_all_pairs);
    g_test_add_func("/text/escape", test_escape);
    g_test_add_func("/text/u64", test_u64);
    g_test_add_func("/text/i64", test_i64);
    g_test_add_func("/text/scaled", test_scaled);
    g_test_add_func("/text/key", test_key);
    return g_test_run();
}
