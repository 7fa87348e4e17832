/* Discoveries: their line of text, URIs of finds, the sweep's rate, deadline and cancel, probes that are stalled. */
#include "xenclient/drivers/scan.h"
#include "xenclient/transport/interfaces.h"
#include "xenclient/transport/sweep.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- texts */

static void test_line(void)
{
    static const struct {
        const char *text, *shown; /* NULL: the same */
    } good[] = {
        {"192.0.2.0/24 xapi,ssh,xend,libvirt 500", NULL},
        {"192.0.2.0/24,2001:db8::5 ssh:2222 1 a-key", NULL},
        {"10.0.0.1 xapi:443,ssh:22 7", "10.0.0.1 xapi,ssh 7"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        struct xc_scan scan;
        g_autoptr(GError) error = NULL;
        g_autofree char *shown = NULL;

        g_assert_true(xc_scan_parse(good[i].text, &scan, &error));
        g_assert_no_error(error);
        shown = xc_scan_format(&scan);
        g_assert_cmpstr(shown, ==, good[i].shown ? good[i].shown : good[i].text);
        xc_scan_clear(&scan);
    }
}

static void test_wrong_lines(void)
{
    static const char *const bad[] = {
        "",
        "10.0.0.1",
        "10.0.0.1 ssh",
        "10.0.0.1 ssh 0",
        "10.0.0.1 ssh 10001",
        "10.0.0.1 ssh -1",
        "10.0.0.1 ssh 5 a/b",
        "10.0.0.1 ssh 5 key more",
        "10.0.0.0/8 ssh 5",
        "ff02::1 ssh 5",
        "host ssh 5",
        "10.0.0.1 telnet 5",
        "10.0.0.1 ssh:65536 5",
        "10.0.0.1 ssh: 5",
        "10.0.0.1 , 5",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        struct xc_scan scan;
        g_autoptr(GError) error = NULL;

        if (xc_scan_parse(bad[i], &scan, &error))
            g_error("\"%s\" was taken", bad[i]);
        g_assert_error(error, XC_ERROR, XC_CAUSE_BAD_VALUE);
        g_assert_null(scan.subnets);
    }
}

static void test_ports(void)
{
    g_autoptr(GArray) all = xc_scan_ports_parse("", NULL);
    g_autofree char *shown = xc_scan_ports_format(all);
    g_autoptr(GString) many = g_string_new("ssh");
    g_autoptr(GError) error = NULL;

    g_assert_cmpstr(shown, ==, "xapi,ssh,xend,libvirt");
    for (int i = 0; i < XC_SCAN_PORTS_MAX; i++)
        g_string_append(many, ",ssh");
    g_assert_null(xc_scan_ports_parse(many->str, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_BAD_VALUE);
}

static void test_uris(void)
{
    static const struct {
        enum xc_probe probe;
        const char *address;
        uint64_t port;
        const char *uri;
    } cases[] = {
        {XC_PROBE_XAPI, "192.0.2.5", 443, "https://192.0.2.5"},
        {XC_PROBE_XAPI, "192.0.2.5", 8443, "https://192.0.2.5:8443"},
        {XC_PROBE_SSH, "2001:db8::5", 22, "ssh://root@[2001:db8::5]"},
        {XC_PROBE_XEND, "192.0.2.5", 8006, "xend://192.0.2.5"},
        {XC_PROBE_LIBVIRT, "2001:db8:1111:2222:3333:4444:5555:6666", 65535,
         "libvirt://[2001:db8:1111:2222:3333:4444:5555:6666]:65535"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const struct xc_find find = {
            .probe = (uint8_t)cases[i].probe, .address = cases[i].address, .port = cases[i].port};
        g_autofree char *uri = xc_find_uri(&find);

        g_assert_cmpstr(uri, ==, cases[i].uri);
        g_assert_cmpuint(strlen(uri), <=, XC_FIND_URI_MAX);
    }
}

/* --- the sweep */

struct seen {
    GPtrArray *open; /* "ADDRESS PORT-NUMBER" */
    size_t done, of;
    unsigned told;
};

static void on_open(const struct xc_address *address, size_t port, void *data)
{
    struct seen *seen = data;
    g_autofree char *text = xc_address_format(address);

    g_ptr_array_add(seen->open, g_strdup_printf("%s %zu", text, port));
}

static void on_progress(size_t done, size_t of, void *data)
{
    struct seen *seen = data;

    g_assert_cmpuint(done, >=, seen->done);
    seen->done = done;
    seen->of = of;
    seen->told++;
}

/* A port that is open at that address; nobody accepts, which connecting does not need. */
static int listen_at(const char *address, unsigned *port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)*port)};
    struct xc_address parsed;
    socklen_t length = sizeof(in);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_true(xc_address_parse(address, &parsed));
    memcpy(&in.sin_addr, parsed.octets, 4);
    g_assert_cmpint(bind(fd, (struct sockaddr *)&in, sizeof(in)), ==, 0);
    g_assert_cmpint(listen(fd, 16), ==, 0);
    g_assert_cmpint(getsockname(fd, (struct sockaddr *)&in, &length), ==, 0);
    *port = ntohs(in.sin_port);
    return fd;
}

struct sweeping {
    struct seen seen;
    GArray *hosts;
    unsigned ports[2];
    struct xc_sweep sweep;
    struct xc_call call;
};

static void prepare(struct sweeping *s, const char *subnets, unsigned rate, gint64 budget)
{
    g_autoptr(GArray) list = xc_subnets_parse(subnets, NULL);

    s->seen = (struct seen){.open = g_ptr_array_new_with_free_func(g_free)};
    s->hosts = xc_subnets_hosts(list);
    s->sweep =
        (struct xc_sweep){.addresses = (const struct xc_address *)(const void *)s->hosts->data,
                          .n_addresses = s->hosts->len,
                          .ports = s->ports,
                          .n_ports = 2,
                          .rate = rate,
                          .timeout_usec = XC_USEC_PER_SEC,
                          .open = on_open,
                          .progress = on_progress,
                          .data = &s->seen};
    g_assert_true(xc_call_init(&s->call, budget, NULL));
}

static void clear(struct sweeping *s)
{
    g_ptr_array_unref(s->seen.open);
    g_array_unref(s->hosts);
    xc_call_deinit(&s->call);
}

static void test_sweep(void)
{
    struct sweeping s = {.ports = {0, 1}};
    int first = listen_at("127.0.9.3", &s.ports[0]);
    int second = listen_at("127.0.9.77", &s.ports[0]);
    g_autoptr(GError) error = NULL;
    gint64 begin = xc_clock_mono();

    prepare(&s, "127.0.9.0/24", 1000, 30 * XC_USEC_PER_SEC);
    g_assert_true(xc_sweep_run(&s.sweep, &s.call, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(s.seen.open->len, ==, 2);
    g_assert_cmpstr(s.seen.open->pdata[0], ==, "127.0.9.3 0");
    g_assert_cmpstr(s.seen.open->pdata[1], ==, "127.0.9.77 0");
    g_assert_cmpuint(s.seen.done, ==, 254 * 2);
    g_assert_cmpuint(s.seen.of, ==, 254 * 2);
    g_assert_cmpuint(s.seen.told, >=, 3);
    /* 508 connections at 1,000 in a second, of which a burst of 20 comes at once. */
    g_assert_cmpint(xc_clock_mono() - begin, >=, 480 * 1000);
    close(first);
    close(second);
    clear(&s);
}

static void test_sweep_ends(void)
{
    struct sweeping s = {.ports = {1, 2}};
    g_autoptr(GError) error = NULL;
    gint64 begin = xc_clock_mono();

    prepare(&s, "127.0.0.0/17", 10, XC_USEC_PER_SEC / 5);
    g_assert_false(xc_sweep_run(&s.sweep, &s.call, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_TIMED_OUT);
    g_clear_error(&error);
    g_assert_cmpuint(s.seen.done, <, 20);
    s.seen.done = 0;
    xc_call_restart(&s.call, 60 * XC_USEC_PER_SEC);
    xc_call_cancel(&s.call);
    g_assert_false(xc_sweep_run(&s.sweep, &s.call, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_CANCELLED);
    g_assert_cmpint(xc_clock_mono() - begin, <, 10 * XC_USEC_PER_SEC);
    clear(&s);
}

static void test_nothing_to_do(void)
{
    struct sweeping s = {.ports = {1, 2}};

    prepare(&s, "", 10, XC_USEC_PER_SEC);
    g_assert_true(xc_sweep_run(&s.sweep, &s.call, NULL));
    clear(&s);
}

static void test_own_subnets(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) own = xc_own_subnets(&error);
    struct xc_subnet loopback;

    g_assert_no_error(error);
    g_assert_true(xc_subnet_parse("127.0.0.0/8", &loopback, NULL));
    for (guint i = 0; i < own->len; i++)
        g_assert_false(xc_subnet_has(&loopback, &g_array_index(own, struct xc_subnet, i)));
}

static void test_interface_lines(void)
{
    static const struct {
        const char *line, *subnet; /* NULL: none */
    } cases[] = {
        {"fd770000000000000000000000000001 02 40 00 80    near0", "fd77::/64"},
        {"20010db8000100000000000000000005 0b 80 00 00 eth0.5", "2001:db8:1::5"},
        {"00000000000000000000000000000001 01 80 10 80       lo", NULL},
        {"fe800000000000005054fffffe123456 02 40 20 80     eth0", NULL},
        {"fd77000000000000000000000000000g 02 40 00 80    near0", NULL},
        {"fd770000000000000000000000000001 02 81 00 80    near0", NULL},
        {"fd770000000000000000000000000001 02", NULL},
        {"fd77", NULL},
        {"", NULL},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct xc_subnet subnet;
        bool taken = xc_interface_line(cases[i].line, &subnet);
        g_autofree char *shown = NULL;

        g_assert_cmpint(taken, ==, cases[i].subnet != NULL);
        if (!taken)
            continue;
        xc_subnet_mask(&subnet);
        shown = xc_subnet_format(&subnet);
        g_assert_cmpstr(shown, ==, cases[i].subnet);
    }
}

/* --- the whole */

struct story {
    struct xc_call call;
    unsigned found;
    bool cancel_when_looking;
};

static void tell(const char *phase, int progress, void *data)
{
    struct story *story = data;

    g_assert_cmpint(progress, <=, 100);
    if (story->cancel_when_looking && strcmp(phase, "looking at open ports") == 0)
        xc_call_cancel(&story->call);
}

static void on_found(const struct xc_find *find, void *data)
{
    g_assert_true(xc_find_is_whole(find));
    ((struct story *)data)->found++;
}

static void run_scan(const char *line, struct story *story, struct xc_outcome *outcome)
{
    const struct xc_driver_env env = {.known_hosts = (char *)"/dev/null"};
    const struct xc_order order = {.action = XC_ACTION_DISCOVER, .content = (char *)line};

    g_assert_true(xc_call_init(&story->call, 60 * XC_USEC_PER_SEC, NULL));
    xc_scan_run(&env, &order, &story->call, tell, on_found, story, outcome);
    xc_call_deinit(&story->call);
}

/* Servers that take a connection and say nothing hold up nobody who cancels. */
static void test_stalled(void)
{
    unsigned port = 0;
    int fd = listen_at("127.0.9.5", &port);
    g_autofree char *line = g_strdup_printf("127.0.9.4/30 ssh:%u,xapi:%u,xend:%u,libvirt:%u 1000",
                                            port, port, port, port);
    struct story story = {.cancel_when_looking = true};
    struct xc_outcome outcome = {0};
    gint64 begin = xc_clock_mono();

    run_scan(line, &story, &outcome);
    g_assert_cmpint(outcome.result, ==, XC_RESULT_CANCELLED);
    g_assert_cmpuint(story.found, ==, 0);
    g_assert_cmpint(xc_clock_mono() - begin, <, 5 * XC_USEC_PER_SEC);
    xc_outcome_clear(&outcome);
    close(fd);
}

static void test_nobody(void)
{
    struct story story = {0};
    struct xc_outcome outcome = {0};

    run_scan("127.0.9.8/30 xapi:1,ssh:1 1000", &story, &outcome);
    g_assert_cmpint(outcome.result, ==, XC_RESULT_OK);
    g_assert_cmpstr(outcome.text, ==, "0 open ports, 0 finds");
    run_scan("nonsense", &story, &outcome);
    g_assert_cmpint(outcome.result, ==, XC_RESULT_FAILED);
    g_assert_cmpint(outcome.cause, ==, XC_CAUSE_BAD_VALUE);
    xc_outcome_clear(&outcome);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/scan/line", test_line);
    g_test_add_func("/scan/wrong-lines", test_wrong_lines);
    g_test_add_func("/scan/ports", test_ports);
    g_test_add_func("/scan/uris", test_uris);
    g_test_add_func("/scan/sweep", test_sweep);
    g_test_add_func("/scan/sweep-ends", test_sweep_ends);
    g_test_add_func("/scan/nothing-to-do", test_nothing_to_do);
    g_test_add_func("/scan/own-subnets", test_own_subnets);
    g_test_add_func("/scan/interface-lines", test_interface_lines);
    g_test_add_func("/scan/stalled", test_stalled);
    g_test_add_func("/scan/nobody", test_nobody);
    return g_test_run();
}
