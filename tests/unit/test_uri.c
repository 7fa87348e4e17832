/* URIs of sources: what is taken apart and how, and what is refused. */
#include "xenclient/drivers/driver.h"

#include <string.h>

static void test_good(void)
{
    static const struct {
        const char *text;
        const char *scheme;
        const char *user;
        const char *host;
        unsigned port;
        const char *path;
    } cases[] = {
        {"ssh://root@dom0-a", "ssh", "root", "dom0-a", 0, ""},
        {"ssh://dom0-a:2222", "ssh", "", "dom0-a", 2222, ""},
        {"ssh://x_1.y-z@10.0.0.1:22/", "ssh", "x_1.y-z", "10.0.0.1", 22, "/"},
        {"SSH://Host.Example", "ssh", "", "Host.Example", 0, ""},
        {"xl:///", "xl", "", "", 0, "/"},
        {"sim:///run/farm.sock", "sim", "", "", 0, "/run/farm.sock"},
        {"sim://127.0.0.1:4711/host-3", "sim", "", "127.0.0.1", 4711, "/host-3"},
        {"https://[2001:db8::1]:443", "https", "", "2001:db8::1", 443, ""},
        {"https://a@[::1]/x", "https", "a", "::1", 0, "/x"},
        {"libvirt+ssh://h/system", "libvirt+ssh", "", "h", 0, "/system"},
        {"ssh://CORP\\admin@h", "ssh", "CORP\\admin", "h", 0, ""},
        {"a://h:65535", "a", "", "h", 65535, ""},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        struct xc_uri uri;

        g_assert_true(xc_uri_parse(cases[i].text, &uri, &error));
        g_assert_no_error(error);
        g_assert_cmpstr(uri.scheme, ==, cases[i].scheme);
        g_assert_cmpstr(uri.user, ==, cases[i].user);
        g_assert_cmpstr(uri.host, ==, cases[i].host);
        g_assert_cmpuint(uri.port, ==, cases[i].port);
        g_assert_cmpstr(uri.path, ==, cases[i].path);
        xc_uri_clear(&uri);
        xc_uri_clear(&uri); /* any number of times */
    }
}

static void test_bad(void)
{
    static const struct {
        const char *text;
        const char *words; /* part of the message */
    } cases[] = {
        {"", "scheme"},
        {"host", "scheme"},
        {"://host", "scheme"},
        {"1sh://host", "scheme"},
        {"s h://host", "scheme"},
        {"ssh:/host", "scheme"},
        {"ssh://", "without a host"},
        {"ssh://root@", "no host"},
        {"ssh://root@/x", "no host"},
        {"ssh://:22", "no host"},
        {"ssh://@host", "user"},
        {"ssh://-oProxyCommand@host", "user"},
        {"ssh://a b@host", "user"},
        {"ssh://a;b@host", "user"},
        {"ssh://root:geheim@host", "password"},
        {"ssh://:geheim@host", "password"},
        {"ssh://a@b@host", "host"},
        {"ssh://-oProxyCommand=x", "host"},
        {"ssh://host name", "host"},
        {"ssh://host`x`", "host"},
        {"ssh://h\xc3\xb6st", "host"},
        {"ssh://host:", "port"},
        {"ssh://host:0", "port"},
        {"ssh://host:65536", "port"},
        {"ssh://host:-1", "port"},
        {"ssh://host:2 2", "port"},
        {"ssh://host:22:23", "port"},
        {"ssh://[::1", "']'"},
        {"ssh://[::1]22", "behind ']'"},
        {"ssh://[]", "host"},
        {"ssh://[host]", "host"},
        {"ssh://host?x=1", "host"},
        {"ssh://host/a?x=1", "path"},
        {"ssh://host/a#b", "path"},
        {"ssh://host/a b", "path"},
        {"ssh://host/%2e", "path"},
        {"ssh://host/\n", "path"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        struct xc_uri uri;

        if (xc_uri_parse(cases[i].text, &uri, &error))
            g_error("taken: %s", cases[i].text);
        g_assert_error(error, XC_ERROR, XC_CAUSE_BAD_VALUE);
        if (!strstr(error->message, cases[i].words))
            g_error("%s: %s", cases[i].text, error->message);
        /* What may be a password is never repeated. */
        g_assert_null(strstr(error->message, "geheim"));
        g_assert_null(uri.scheme);
        g_assert_null(uri.host);
    }
}

static void test_length(void)
{
    g_autofree char *path = g_strnfill(255 - strlen("ssh://h/"), 'p');
    g_autofree char *longest = g_strconcat("ssh://h/", path, NULL);
    g_autofree char *longer = g_strconcat(longest, "p", NULL);
    g_autoptr(GError) error = NULL;
    struct xc_uri uri;

    g_assert_true(xc_uri_parse(longest, &uri, NULL));
    xc_uri_clear(&uri);
    g_assert_false(xc_uri_parse(longer, &uri, &error));
    g_assert_nonnull(strstr(error->message, "255"));
    g_assert_false(xc_uri_parse(NULL, &uri, NULL));
}

static void test_driver_for(void)
{
    g_autoptr(GError) error = NULL;
    const struct xc_driver *driver = xc_driver_for("ssh://root@h", NULL);

    g_assert_nonnull(driver);
    g_assert_cmpstr(driver->name, ==, "xl");
    g_assert_true(driver == xc_driver_for("SSH://h", NULL));
    g_assert_null(xc_driver_for("ftp\n://h", &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_BAD_VALUE);
    g_assert_nonnull(strstr(error->message, "\"ftp\\x0a\""));
    g_assert_nonnull(strstr(error->message, "ssh"));
    g_assert_null(xc_driver_for("ssh", NULL));
    g_assert_null(xc_driver_for("", NULL));
}

/* Every driver keeps its side of the contract that can be seen from outside. */
static void test_all_drivers(void)
{
    for (unsigned i = 0; i < xc_n_drivers; i++) {
        const struct xc_driver *driver = xc_drivers[i];
        const struct xc_driver_ops *ops = xc_driver_ops(driver);

        g_assert_cmpint(driver->number, ==, xc_enum_number(&xc_driver_labels, driver->name));
        g_assert_nonnull(ops->open);
        g_assert_nonnull(ops->close);
        g_assert_nonnull(ops->poll);
        g_assert_nonnull(ops->run);
        g_assert_true(!ops->event_fd == !ops->event_read);
        ops->close(NULL);
        for (const char *const *scheme = driver->schemes; *scheme; scheme++) {
            g_autofree char *uri = g_strdup_printf("%s://h", *scheme);

            g_assert_true(xc_driver_for(uri, NULL) == driver);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/uri/good", test_good);
    g_test_add_func("/uri/bad", test_bad);
    g_test_add_func("/uri/length", test_length);
    g_test_add_func("/uri/driver-for", test_driver_for);
    g_test_add_func("/uri/all-drivers", test_all_drivers);
    return g_test_run();
}
