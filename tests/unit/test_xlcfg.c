/* The reader of xl.cfg files against what Xen's own reader does with the same text. */
#include "xenclient/drivers/xlcfg.h"
#include "xenclient/util/error.h"

#include "tests/unit/xl_fixture.h"

#include <string.h>

static struct xlcfg *parse(const char *text)
{
    g_autoptr(GError) error = NULL;
    struct xlcfg *config = xlcfg_parse(text, strlen(text), NULL, &error);

    g_assert_no_error(error);
    g_assert_nonnull(config);
    return config;
}

/* Every value as text: a string in <>, a list in [], nothing as -. */
static char *show(const struct xlcfg_value *value)
{
    GString *out;

    if (!value)
        return g_strdup("-");
    if (value->kind == XLCFG_STRING)
        return g_strdup_printf("<%s>", value->string);
    out = g_string_new("[");
    for (guint i = 0; i < value->items->len; i++) {
        g_autofree char *item = show(g_ptr_array_index(value->items, i));

        g_string_append(out, item);
    }
    g_string_append_c(out, ']');
    return g_string_free(out, FALSE);
}

static const struct {
    const char *text;
    const char *a; /* what "a" is then */
} accepted[] = {
    {"a=1", "<1>"},
    {"a=1\n", "<1>"},
    {"", "-"},
    {"\n;;\n;", "-"},
    {"  a\t=  'x' ;b=2", "<x>"},
    {"b=2;a=3", "<3>"},
    {"a=1;;;b=2", "<1>"},
    {"a=2\na=3\n", "<3>"},
    {"a=0x1f\n", "<0x1f>"},
    {"a=1a\n", "<1a>"},
    {"a=010\n", "<010>"},
    {"a=\"\"\n", "<>"},
    {"a='say \"hi\"'\n", "<say \"hi\">"},
    {"a=\"it's\"\n", "<it's>"},
    {"a='it\\'s'\n", "<it's>"},
    {"a=\"\\a\\b\\f\\n\\r\\t\\v\\\\\\\"\\'\"", "<\a\b\f\n\r\t\v\\\"'>"},
    {"a=\"\\x41\\x7e\"", "<A~>"},
    {"a=\"\\x412\"", "<A2>"},
    {"a=\"\\101\\12x\\0011\"", "<A\nx\0011>"},
    {"a=\"#;[],=\"\n", "<#;[],=>"},
    {"a=\"\xc3\xbc\tx\"\n", "<\xc3\xbc\tx>"},
    {"a=\"x\r\"\n", "<x\r>"},
    {"# c = [\na=1# tail\n#\n", "<1>"},
    {"# dos comment\r\na=1\n", "<1>"},
    {"a=[]\n", "[]"},
    {"a=[\n\n]\n", "[]"},
    {"a=[1,2,]\n", "[<1><2>]"},
    {"a=[\n1\n,\n2\n,\n]\n", "[<1><2>]"},
    {"a = [ \"x\", # one\n 'y' # two\n ]\n", "[<x><y>]"},
    {"a=[[1,2],\"x\",[]]\n", "[[<1><2>]<x>[]]"},
    {"a=\"x\"\na+=\"y\"\na += 'z'\n", "<xyz>"},
    {"a=[\"x\"]\na+=[\"y\",\"z\"]\n", "[<x><y><z>]"},
    {"a+=1\n", "<1>"},
    {"a+=[1]\n", "[<1>]"},
    {"a=\"x\"\na+=\"y\"\na=\"w\"\n", "<w>"},
    {"a_b.c2=1\na=2\n", "<2>"},
    {"a=1\n\"", "<1>"}, /* Xen overlooks one wrong character at the very end */
    {"a=1\n#", "<1>"},
};

static void test_accepted(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(accepted); i++) {
        g_autoptr(xlcfg) config = parse(accepted[i].text);
        g_autofree char *shown = show(xlcfg_lookup(config, "a"));

        g_assert_cmpstr(shown, ==, accepted[i].a);
    }
}

static const struct {
    const char *text;
    unsigned line;
    const char *says;
} refused[] = {
    {"a", 1, "\"=\" or \"+=\""},
    {"a=", 1, "a string, a number"},
    {"a=\n1\n", 1, "end of line where"},
    {"a=1\n\n\nb=\n", 4, "end of line where"},
    {"a=1 b=2\n", 1, "end of the line or \";\""},
    {"a=1z\n", 1, "end of the line"},
    {"a==1\n", 1, "\"=\" where"},
    {"1=a\n", 1, "the name of a setting"},
    {"Aa=1\n", 1, "lower case"},
    {"\nvcpuS=1\n", 2, "lower case"},
    {"a=0x1F\n", 1, "lower case"},
    {"a=-1\n", 1, "Python"},
    {"a=(1)\n", 1, "Python"},
    {"import os\n", 1, "\"=\" or \"+=\""},
    {"a=\"x", 1, "not closed"},
    {"a=\"x\ny\"\n", 1, "not closed"},
    {"a='x\\\ny'\n", 1, "not closed"},
    {"a=\"x\\", 1, "not closed"},
    {"a='x\"\n", 1, "not closed"},
    {"a=\"\\e\"\n", 1, "unknown character after \\"},
    {"a=\"\\9\"\n", 1, "unknown character after \\"},
    {"a=\"\\x4\"\n", 1, "two hexadecimal digits"},
    {"a=\"\\x4g\"\n", 1, "two hexadecimal digits"},
    {"a=\"\\x00\"\n", 1, "1..255"},
    {"a=\"\\0\"\n", 1, "1..255"},
    {"a=\"\\400\"\n", 1, "1..255"},
    {"a=[,]\n", 1, "\",\" where"},
    {"a=[1,,2]\n", 1, "\",\" where"},
    {"a=[1\n2]\n", 2, "\",\" or \"]\""},
    {"a=[\"x\" \"y\"]\n", 1, "\",\" or \"]\""},
    {"a=[1\n\n", 3, "\",\" or \"]\""},
    {"a=[1;2]\n", 1, "\",\" or \"]\""},
    {"a=1]\n", 1, "end of the line"},
    {"a=\"x\"\na+=[\"y\"]\n", 2, "other way round"},
    {"a=1\r\nb=2\r\n", 1, "carriage return"},
    {"a=1\n# no line end", 2, "no line end"},
    {"a=1\n@\n", 2, "may not stand"},
    {"\xef\xbb\xbf"
     "a=1\n",
     1, "may not stand"},
    {"a=[[[[[[[[[[1]]]]]]]]]]\n", 1, "too deep"},
};

static void test_refused(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_autoptr(GError) error = NULL;
        unsigned line = 0;
        g_autofree char *begin = g_strdup_printf("line %u: ", refused[i].line);

        g_assert_null(xlcfg_parse(refused[i].text, strlen(refused[i].text), &line, &error));
        g_assert_error(error, XC_ERROR, XC_CAUSE_BAD_CONFIG);
        g_assert_cmpuint(line, ==, refused[i].line);
        if (!g_str_has_prefix(error->message, begin) || !strstr(error->message, refused[i].says))
            g_error("\"%s\": %s", refused[i].text, error->message);
    }
}

static void test_nul(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(xlcfg_parse("a=\"x\0y\"\n", 8, NULL, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_BAD_CONFIG);
}

static void test_integers(void)
{
    static const struct {
        const char *value;
        bool ok;
        int64_t number;
    } cases[] = {
        {"96", true, 96},       {"010", true, 8},      {"0x40", true, 64},
        {"\"512\"", true, 512}, {"\" 12\"", true, 12}, {"\"+5\"", true, 5},
        {"\"-1\"", true, -1},   {"0", true, 0},        {"\"12 \"", false, 0},
        {"\"\"", false, 0},     {"\"x\"", false, 0},   {"[1]", false, 0},
        {"09", false, 0},       {"1000", false, 0},    {"99999999999999999999", false, 0},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = g_strdup_printf("\na = %s\n", cases[i].value);
        g_autoptr(xlcfg) config = parse(text);
        g_autoptr(GError) error = NULL;
        int64_t number = 0;

        g_assert_cmpint(xlcfg_integer(config, "a", -1, 999, &number, &error), ==, cases[i].ok);
        g_assert_cmpint(number, ==, cases[i].number);
        if (cases[i].ok)
            g_assert_no_error(error);
        else
            g_assert_true(error && strstr(error->message, "line 2: a is not "));
    }
}

static void test_integer_absent_or_added(void)
{
    g_autoptr(xlcfg) config = parse("a=1\na+=2\n");
    g_autoptr(GError) error = NULL;
    int64_t number;

    g_assert_false(xlcfg_integer(config, "b", 0, 9, &number, &error));
    g_assert_no_error(error);
    /* xl takes no number that was added to. */
    g_assert_false(xlcfg_integer(config, "a", 0, 99, &number, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_BAD_CONFIG);
}

static void test_lookup(void)
{
    g_autoptr(xlcfg) config = parse("name = 'x'\n\ndisk = [ 'a', ['n'], \"b\", 3 ]\n");
    g_autoptr(GPtrArray) disks = xlcfg_list(config, "disk");

    g_assert_cmpstr(xlcfg_string(config, "name"), ==, "x");
    g_assert_null(xlcfg_string(config, "disk"));
    g_assert_null(xlcfg_string(config, "nothing"));
    g_assert_null(xlcfg_list(config, "name"));
    g_assert_cmpuint(xlcfg_lookup(config, "disk")->line, ==, 3);
    g_assert_cmpuint(disks->len, ==, 3);
    g_assert_cmpstr(g_ptr_array_index(disks, 1), ==, "b");
    g_assert_cmpstr(g_ptr_array_index(disks, 2), ==, "3");
}

static void assert_too_much(const GString *text, const char *says)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(xlcfg_parse(text->str, text->len, NULL, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_BAD_CONFIG);
    g_assert_nonnull(strstr(error->message, says));
}

static void test_limits(void)
{
    g_autoptr(GString) keys = g_string_new(NULL);
    g_autoptr(GString) items = g_string_new("a=[");
    g_autoptr(GString) octets = g_string_new("#");
    g_autoptr(xlcfg) config = NULL;

    for (unsigned i = 0; i < XLCFG_MAX_KEYS; i++)
        g_string_append(keys, "a+='y'\n");
    config = parse(keys->str);
    g_assert_cmpuint(strlen(xlcfg_string(config, "a")), ==, XLCFG_MAX_KEYS);
    g_string_append(keys, "a=1\n");
    assert_too_much(keys, "too many settings");
    for (unsigned i = 0; i <= XLCFG_MAX_ITEMS; i++)
        g_string_append(items, "1,");
    g_string_append(items, "]\n");
    assert_too_much(items, "too many items");
    g_string_set_size(octets, XLCFG_MAX_OCTETS);
    memset(octets->str + 1, 'x', octets->len - 1);
    octets->str[octets->len - 1] = '\n';
    xlcfg_free(parse(octets->str));
    g_string_append_c(octets, '\n');
    assert_too_much(octets, "65,536");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/xlcfg/accepted", test_accepted);
    g_test_add_func("/xlcfg/refused", test_refused);
    g_test_add_func("/xlcfg/nul", test_nul);
    g_test_add_func("/xlcfg/integers", test_integers);
    g_test_add_func("/xlcfg/integer-absent-or-added", test_integer_absent_or_added);
    g_test_add_func("/xlcfg/lookup", test_lookup);
    g_test_add_func("/xlcfg/limits", test_limits);
    return g_test_run();
}
