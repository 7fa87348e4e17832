/* Subnets: forms, containment, bounds, lists of hosts. */
#include "xenclient/util/error.h"
#include "xenclient/util/subnet.h"

#include <string.h>

static GArray *list(const char *text)
{
    g_autoptr(GError) error = NULL;
    GArray *subnets = xc_subnets_parse(text, &error);

    g_assert_no_error(error);
    return subnets;
}

static void test_forms(void)
{
    static const struct {
        const char *text, *shown;
    } good[] = {
        {"192.0.2.0/24", "192.0.2.0/24"},   {"192.0.2.5", "192.0.2.5"},
        {"192.0.2.5/32", "192.0.2.5"},      {"0.0.0.0/0", "0.0.0.0/0"},
        {"2001:DB8::5", "2001:db8::5"},     {"2001:db8::/64", "2001:db8::/64"},
        {"10.0.0.128/25", "10.0.0.128/25"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *shown = NULL;
        struct xc_subnet subnet;

        g_assert_true(xc_subnet_parse(good[i].text, &subnet, &error));
        g_assert_no_error(error);
        shown = xc_subnet_format(&subnet);
        g_assert_cmpstr(shown, ==, good[i].shown);
    }
}

static void test_wrong(void)
{
    static const struct {
        const char *text, *says;
    } bad[] = {
        {"", "no subnet"},
        {"10.0.0", "no subnet"},
        {"10.0.0.256", "no subnet"},
        {"host.example", "no subnet"},
        {"fe80::1%eth0", "no subnet"},
        {"10.0.0.0/", "0 to 32"},
        {"10.0.0.0/33", "0 to 32"},
        {"10.0.0.0/-1", "0 to 32"},
        {"10.0.0.0/24/8", "0 to 32"},
        {"2001:db8::/129", "0 to 128"},
        {"10.0.0.5/24", "write 10.0.0.0/24"},
        {"a\x1b[31m", "no subnet"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        struct xc_subnet subnet;

        g_assert_false(xc_subnet_parse(bad[i].text, &subnet, &error));
        g_assert_error(error, XC_ERROR, XC_CAUSE_BAD_VALUE);
        if (!strstr(error->message, bad[i].says))
            g_error("%s: %s", bad[i].text, error->message);
        g_assert_null(strchr(error->message, '\x1b'));
    }
}

static void test_has(void)
{
    static const struct {
        const char *outer, *inner;
        bool has;
    } cases[] = {
        {"10.0.0.0/8", "10.1.2.0/24", true},
        {"10.0.0.0/8", "11.0.0.0/24", false},
        {"10.0.0.0/24", "10.0.0.0/23", false},
        {"10.0.0.0/24", "10.0.0.0/24", true},
        {"0.0.0.0/0", "192.0.2.1", true},
        {"::/0", "192.0.2.1", false},
        {"2001:db8::/33", "2001:db8::1", true},
        {"2001:db8::/33", "2001:db8:8000::1", false},
        {"192.0.2.128/25", "192.0.2.127/32", false},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct xc_subnet outer;
        struct xc_subnet inner;

        g_assert_true(xc_subnet_parse(cases[i].outer, &outer, NULL));
        g_assert_true(xc_subnet_parse(cases[i].inner, &inner, NULL));
        g_assert_cmpint(xc_subnet_has(&outer, &inner), ==, cases[i].has);
    }
}

static void test_allowed(void)
{
    g_autoptr(GArray) allowed = list("10.0.0.0/8;2001:db8::/32");
    g_autoptr(GArray) good = list("10.1.0.0/16, 2001:db8::9");
    g_autoptr(GArray) bad = list("10.1.0.0/16 192.0.2.1");
    g_autoptr(GArray) none = list("");
    g_autoptr(GError) error = NULL;

    g_assert_true(xc_subnets_allowed(good, allowed, "the list", &error));
    g_assert_no_error(error);
    g_assert_false(xc_subnets_allowed(bad, allowed, "the list", &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_PROTECTED);
    g_assert_nonnull(strstr(error->message, "192.0.2.1 may not"));
    g_assert_nonnull(strstr(error->message, "the list has 10.0.0.0/8,2001:db8::/32"));
    g_clear_error(&error);
    g_assert_false(xc_subnets_allowed(good, none, "the list", &error));
    g_assert_nonnull(strstr(error->message, "has none"));
}

static void test_countable(void)
{
    static const struct {
        const char *text, *says; /* NULL: fine */
    } cases[] = {
        {"10.0.0.0/16", NULL},
        {"10.0.0.0/15", "131072 addresses are more than 65536"},
        {"10.0.0.0/16,10.9.0.1", "65537 addresses"},
        {"0.0.0.0/0", "no host has"},
        {"1.0.0.0/8", "16777216 addresses"},
        {"2001:db8::/127", "name addresses"},
        {"2001:db8::1", NULL},
        {"224.0.0.1", "no host has"},
        {"255.255.255.255", "no host has"},
        {"fe80::1", "no host has"},
        {"ff02::1", "no host has"},
        {"::", "no host has"},
        {"127.0.0.0/24", NULL},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GArray) subnets = list(cases[i].text);
        g_autoptr(GError) error = NULL;
        bool ok = xc_subnets_countable(subnets, &error);

        if (ok != !cases[i].says || (!ok && !strstr(error->message, cases[i].says)))
            g_error("%s: %s", cases[i].text, error ? error->message : "taken");
    }
}

static void check_hosts(const char *text, const char *expected)
{
    g_autoptr(GArray) subnets = list(text);
    g_autoptr(GArray) hosts = xc_subnets_hosts(subnets);
    g_autoptr(GString) found = g_string_new(NULL);

    for (guint i = 0; i < hosts->len; i++) {
        g_autofree char *one = xc_address_format(&g_array_index(hosts, struct xc_address, i));

        g_string_append_printf(found, "%s%s", i ? " " : "", one);
    }
    g_assert_cmpstr(found->str, ==, expected);
    g_assert_cmpuint(xc_subnets_count(subnets), ==, hosts->len);
}

static void test_hosts(void)
{
    g_autoptr(GArray) wide = list("10.0.0.0/16");
    g_autoptr(GArray) hosts = xc_subnets_hosts(wide);

    g_assert_cmpuint(hosts->len, ==, 65534);
    check_hosts("192.0.2.0/29", "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4 192.0.2.5 192.0.2.6");
    check_hosts("192.0.2.4/31", "192.0.2.4 192.0.2.5");
    check_hosts("192.0.2.0", "192.0.2.0");
    check_hosts("192.0.3.0/30,192.0.2.255,192.0.3.1", "192.0.2.255 192.0.3.1 192.0.3.2");
    check_hosts("2001:db8::2,192.0.2.9,2001:db8::2", "192.0.2.9 2001:db8::2");
    check_hosts("192.0.2.0/30,192.0.2.0/29,192.0.2.3,192.0.2.7",
                "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4 192.0.2.5 192.0.2.6 192.0.2.7");
    check_hosts("", "");
}

static void test_too_many(void)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GError) error = NULL;

    for (int i = 0; i <= XC_SUBNETS_MAX; i++)
        g_string_append_printf(text, "10.0.%d.%d,", i / 256, i % 256);
    g_assert_null(xc_subnets_parse(text->str, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_BAD_VALUE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/subnet/forms", test_forms);
    g_test_add_func("/subnet/wrong", test_wrong);
    g_test_add_func("/subnet/has", test_has);
    g_test_add_func("/subnet/allowed", test_allowed);
    g_test_add_func("/subnet/countable", test_countable);
    g_test_add_func("/subnet/hosts", test_hosts);
    g_test_add_func("/subnet/too-many", test_too_many);
    return g_test_run();
}
