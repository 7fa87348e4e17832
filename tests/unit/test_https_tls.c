/* HTTPS: whom it trusts. What is refused is refused within the handshake, before the host was told anything. */
#include "tests/unit/https_kit.h"

struct tls_server server;

static void test_names(void)
{
    static const struct way ways[] = {
        {"localhost", "good", "ca.pem", NULL, false},     /* by its name */
        {"127.0.0.1", "self", NULL, "self", false},       /* pinned: no authority, */
        {"127.0.0.1", "expired", NULL, "expired", false}, /* no end, */
        {"127.0.0.1", "name", NULL, "name", false},       /* no name matters */
        {"127.0.0.1", "self", NULL, NULL, true},          /* nothing at all does */
        {"127.0.0.1", "good", "ca.pem", "good", false},
        {"::1", "v6", "ca.pem", NULL, false},
        {"::1", "v6", NULL, "good", false},
    };
    unsigned before = open_descriptors();

    for (size_t i = 0; i < G_N_ELEMENTS(ways); i++) {
        struct xc_https *https;

        if (!port_of(ways[i].server)) {
            g_test_message("no %s on this machine", ways[i].host);
            continue;
        }
        https = https_to(&ways[i]);
        assert_hello(https, "/good");
        xc_https_free(https);
    }
    assert_closed(before);
}

/* --- refused within the handshake: the host is told nothing */

struct refusal {
    struct way way;
    enum xc_cause cause;
    const char *words;
};

static void test_refusal(gconstpointer data)
{
    const struct refusal *refusal = data;
    const char *name = refusal->way.server;
    unsigned octets = stat_of(name, "octets"), connections = stat_of(name, "connections");
    unsigned before = open_descriptors();
    struct xc_https *https = https_to(&refusal->way);
    struct asked asked = ask(https, "/good", refusal->cause == XC_CAUSE_TIMED_OUT ? SHORT : BUDGET);

    assert_failed(&asked, refusal->cause, refusal->words);
    g_assert_cmpint(asked.status, ==, 0);
    if (refusal->cause == XC_CAUSE_TLS_FAILED && !refusal->way.insecure)
        assert_failed(&asked, refusal->cause, "`xenctl trust SOURCE`");
    asked_clear(&asked);
    xc_https_free(https);
    assert_closed(before);
    assert_connections(name, connections + 1);
    g_assert_cmpuint(stat_of(name, "octets"), ==, octets);
}

static const struct refusal refusals[] = {
    {{"127.0.0.1", "self", "ca.pem", NULL, false}, XC_CAUSE_TLS_FAILED, "self-signed certificate"},
    {{"127.0.0.1", "name", NULL, NULL, false}, XC_CAUSE_TLS_FAILED, "issuer certificate"},
    {{"127.0.0.1", "name", "ca.pem", NULL, false}, XC_CAUSE_TLS_FAILED, "IP address mismatch"},
    {{"localhost", "name", "ca.pem", NULL, false}, XC_CAUSE_TLS_FAILED, "hostname mismatch"},
    {{"127.0.0.1", "expired", "ca.pem", NULL, false}, XC_CAUSE_TLS_FAILED, "has expired"},
    {{"127.0.0.1", "self", NULL, "name", false}, XC_CAUSE_TLS_FAILED, "not the certificate"},
    /* a pin is all that counts, also when the authority would vouch for it */
    {{"127.0.0.1", "name", "ca.pem", "self", false}, XC_CAUSE_TLS_FAILED, "not the certificate"},
    {{"127.0.0.1", "old", NULL, NULL, true}, XC_CAUSE_TLS_FAILED, "1.2 or newer"},
    {{"127.0.0.1", "plain", NULL, NULL, true}, XC_CAUSE_TLS_FAILED, "HTTPS"},
    {{"127.0.0.1", "mute", NULL, NULL, true}, XC_CAUSE_TIMED_OUT, "TLS handshake"},
    {{"127.0.0.1", "reset", NULL, NULL, true}, XC_CAUSE_HOST_DOWN, "port"},
};

/* The server called old is no straw man: who takes TLS 1.1 gets it. */
static void test_old_is_offered(void)
{
    g_autofree char *address = g_strdup_printf("127.0.0.1:%u", port_of("old"));
    const char *argv[] = {"openssl", "s_client", "-connect",           address,
                          "-tls1_1", "-cipher",  "DEFAULT@SECLEVEL=0", NULL};
    g_autofree char *out = NULL;
    g_autofree char *err = NULL;
    g_autoptr(GError) error = NULL;
    int status = -1;

    g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, &err, &status,
                 &error);
    g_assert_no_error(error);
    g_assert_cmpint(status, ==, 0);
    if (!strstr(out, "Protocol  : TLSv1.1"))
        g_error("no TLS 1.1: %s\n%s", out, err);
}

static void test_fingerprints(void)
{
    static const struct way way = {"127.0.0.1", "self", NULL, "name", false};
    g_autofree char *shown = tls_server_sha256("self");
    g_autofree char *expected = tls_server_sha256("name");
    g_autoptr(xc_https) https = https_to(&way);
    struct asked asked = ask(https, "/good", BUDGET);

    assert_failed(&asked, XC_CAUSE_TLS_FAILED, shown);
    assert_failed(&asked, XC_CAUSE_TLS_FAILED, expected);
    asked_clear(&asked);
    /* the operator decides, and it is the same connection's next attempt that knows */
    pin("127.0.0.1", port_of("self"), "self");
    assert_hello(https, "/good");
    /* or that the host is another one now: a new connection is not let in by what an old one was shown */
    pin("127.0.0.1", port_of("self"), "name");
    asked = ask(https, "/nothing", BUDGET);
    assert_failed(&asked, XC_CAUSE_HOST_DOWN, "port");
    asked_clear(&asked);
    asked = ask(https, "/good", BUDGET);
    assert_failed(&asked, XC_CAUSE_TLS_FAILED, "not the certificate");
    asked_clear(&asked);
}

/* What can't be read trusts nobody. */
static void test_files(void)
{
    static const struct way pinned = {"127.0.0.1", "self", NULL, "self", false};
    static const struct way nowhere = {"127.0.0.1", "good", "none.pem", NULL, false};
    static const struct way no_pem = {"127.0.0.1", "good", "good.sha256", NULL, false};
    g_autofree char *pins = tls_server_file("pins");
    g_autoptr(xc_https) first = https_to(&pinned), second = https_to(&nowhere),
                        third = https_to(&no_pem);
    struct asked asked;

    g_assert_cmpint(chmod(pins, 0666), ==, 0);
    asked = ask(first, "/good", BUDGET);
    assert_failed(&asked, XC_CAUSE_BAD_CONFIG, "chmod 644");
    asked_clear(&asked);
    g_assert_cmpint(chmod(pins, 0644), ==, 0);
    assert_hello(first, "/good");
    asked = ask(second, "/good", BUDGET);
    assert_failed(&asked, XC_CAUSE_BAD_CONFIG, "none.pem");
    asked_clear(&asked);
    asked = ask(third, "/good", BUDGET);
    assert_failed(&asked, XC_CAUSE_BAD_CONFIG, "tls_ca");
    asked_clear(&asked);
}

/* --- looking */

static bool look(const char *name, gint64 budget, struct xc_https_certificate *out, GError **error)
{
    struct xc_call call;
    bool ok;

    g_assert_true(xc_call_init(&call, budget, NULL));
    ok = xc_https_look("127.0.0.1", port_of(name), out, &call, error);
    xc_call_deinit(&call);
    return ok;
}

static void test_look(void)
{
    g_autofree char *self = tls_server_sha256("self");
    unsigned before = open_descriptors(), octets = stat_of("self", "octets");
    struct xc_https_certificate shown;
    g_autoptr(GError) error = NULL;

    g_assert_true(look("self", BUDGET, &shown, &error));
    g_assert_cmpstr(shown.sha256, ==, self);
    g_assert_cmpstr(shown.subject, ==, "CN = itself");
    g_assert_cmpstr(shown.issuer, ==, "CN = itself");
    g_assert_cmpint(shown.not_after, >, xc_clock_real() + 29 * 86400 * XC_USEC_PER_SEC);
    g_assert_cmpint(shown.not_after, <, xc_clock_real() + 31 * 86400 * XC_USEC_PER_SEC);
    xc_https_certificate_clear(&shown);
    g_assert_cmpuint(stat_of("self", "octets"), ==, octets);

    g_assert_true(look("good", BUDGET, &shown, &error));
    g_assert_cmpstr(shown.subject, ==, "CN = dom0 & co, O = B\xc3\xbcro");
    g_assert_cmpstr(shown.issuer, ==, "CN = Authority of this test");
    xc_https_certificate_clear(&shown);
    g_assert_true(look("expired", BUDGET, &shown, &error));
    g_assert_cmpint(shown.not_after, ==, 1580515200 * XC_USEC_PER_SEC);
    xc_https_certificate_clear(&shown);
    xc_https_certificate_clear(&shown);

    g_assert_false(look("mute", SHORT, &shown, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_TIMED_OUT);
    g_clear_error(&error);
    g_assert_false(look("old", BUDGET, &shown, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_TLS_FAILED);
    assert_closed(before);
}

/* A machine whose settings take any version, so that who refuses an old one is us. Before anybody uses OpenSSL. */
static void permit_old_versions(const char *folder)
{
    static const char text[] =
        "openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\nsystem_default = any\n"
        "[any]\nMinProtocol = TLSv1\nCipherString = DEFAULT@SECLEVEL=0\n";
    g_autofree char *file = g_build_filename(folder, "permissive.cnf", NULL);

    g_assert_true(g_file_set_contents(file, text, -1, NULL));
    g_setenv("OPENSSL_CONF", file, TRUE);
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    tls_server_start();
    permit_old_versions(server.folder);
    g_test_add_func("/https-tls/names", test_names);
    g_test_add_func("/https-tls/old-is-offered", test_old_is_offered);
    for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++) {
        g_autofree char *path =
            g_strdup_printf("/https-tls/refused/%s-%zu", refusals[i].way.server, i);

        g_test_add_data_func(path, &refusals[i], test_refusal);
    }
    g_test_add_func("/https-tls/fingerprints", test_fingerprints);
    g_test_add_func("/https-tls/files", test_files);
    g_test_add_func("/https-tls/look", test_look);
    status = g_test_run();
    tls_server_stop();
    return status;
}
