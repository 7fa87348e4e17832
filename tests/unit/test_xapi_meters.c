/* What hosts measured: reading it, and the counters that are made of it. */
#include "tests/unit/xapi_events_kit.h"
#include "xenclient/drivers/xapi_meters.h"
#include "xenclient/drivers/xapi_report.h"
#include "xenclient/util/error.h"

#define A_HOST "00000000-0000-4000-8000-000000000001"
#define A_VM   "00000001-0000-4000-8000-00000000000a"
#define T      1700000000 /* the newest row, unless a test says other */

static struct xc_uuid uuid_of(const char *text)
{
    struct xc_uuid uuid;

    g_assert_true(xc_uuid_parse(text, &uuid));
    return uuid;
}

/* An answer: columns as "kind:uuid:name" separated by blanks, rows by '/', the newest first, of values. */
static char *answer_of(gint64 end, const char *columns, const char *rows)
{
    g_auto(GStrv) names = g_strsplit(columns, " ", -1);
    g_auto(GStrv) lines = g_strsplit(rows, "/", -1);
    GString *out = g_string_new(NULL);

    g_string_append_printf(out,
                           "<xport><meta><start>1</start><step>5</step><end>%" G_GINT64_FORMAT
                           "</end><rows>1</rows><columns>1</columns><legend>",
                           end);
    for (char **name = names; *name; name++)
        g_string_append_printf(out, "<entry>AVERAGE:%s</entry>", *name);
    g_string_append(out, "</legend></meta><data>");
    for (guint i = 0; lines[i]; i++) {
        g_auto(GStrv) values = g_strsplit(lines[i], " ", -1);

        g_string_append_printf(out, "<row><t>%" G_GINT64_FORMAT "</t>", end - 5 * i);
        for (char **value = values; *value; value++)
            g_string_append_printf(out, "<v>%s</v>", *value);
        g_string_append(out, "</row>");
    }
    g_string_append(out, "</data></xport>");
    return g_string_free(out, FALSE);
}

static bool feed(struct xapi_meters *meters, const char *text, size_t piece, GError **error)
{
    g_autoptr(xapi_rrd) rrd = xapi_rrd_new(&xapi_meters_sink, meters);
    size_t length = strlen(text);
    bool ok = true;

    for (size_t at = 0; ok && at < length; at += piece)
        ok = xapi_rrd_feed(text + at, MIN(piece, length - at), rrd, error);
    return ok && xapi_rrd_end(rrd, error);
}

/* A poll with one answer; frees it. */
static void poll_with(struct xapi_meters *meters, gint64 now, char *answer)
{
    g_autoptr(GError) error = NULL;

    xapi_meters_begin(meters);
    xapi_meters_open(meters, now);
    /* Small pieces; of a large answer a thousand. */
    g_assert_true(feed(meters, answer, MAX(100, strlen(answer) / 1000), &error));
    g_assert_no_error(error);
    xapi_meters_close(meters, true);
    xapi_meters_show(meters);
    g_free(answer);
}

/* -1: not known. */
static double get(const struct xapi_meters *meters, const char *uuid, enum xapi_meter meter,
                  uint32_t number)
{
    struct xc_uuid key = uuid_of(uuid);
    const struct xapi_metered *metered = xapi_meters_find(meters, &key);
    double value;

    return metered && xapi_metered_get(metered, meter, number, &value) ? value : -1;
}

static void assert_near(double value, double wanted)
{
    if (value < wanted - 0.001 || value > wanted + 0.001)
        g_error("%g is not %g", value, wanted);
}

/* --- */

static void test_fixture(void)
{
    for (size_t piece = 1; piece < 1000; piece += 211) {
        g_autofree char *answer = xapi_fixture("rrd-updates.xml");
        g_autoptr(xapi_meters) meters = xapi_meters_new();
        g_autoptr(GError) error = NULL;

        xapi_meters_begin(meters);
        xapi_meters_open(meters, 0);
        g_assert_true(feed(meters, answer, piece, &error));
        xapi_meters_close(meters, true);
        xapi_meters_show(meters);
        assert_near(get(meters, "00000001-0000-4000-8000-000000000001", XAPI_METER_FREE_KIB, 0),
                    8000000);
        /* The first time counts from nothing; what was not a number in one row was one in another. */
        assert_near(get(meters, "00000011-0000-4000-8000-000000000011", XAPI_METER_CPU, 0), 0);
        assert_near(get(meters, "00000011-0000-4000-8000-000000000011", XAPI_METER_VBD_READ, 51712),
                    0);
        assert_near(get(meters, "00000011-0000-4000-8000-000000000011", XAPI_METER_VIF_RX, 0), -1);
    }
}

/* Ten seconds of half a processor and 100 octets a second, in rows that were seen before and others. */
static void test_counting(void)
{
    static const char columns[] =
        "vm:" A_VM ":cpu0 vm:" A_VM ":vif_0_rx host:" A_HOST ":pif_eth0_tx";
    g_autoptr(xapi_meters) meters = xapi_meters_new();
    struct xc_uuid vm = uuid_of(A_VM);
    struct xc_uuid host = uuid_of(A_HOST);

    g_assert_cmpint(xapi_meters_start(meters, &host, T), ==, T - 60);
    poll_with(meters, T + 10, answer_of(T, columns, "0.9 50 7/0.9 50 7"));
    assert_near(get(meters, A_VM, XAPI_METER_CPU, 0), 0);
    g_assert_cmpint(xapi_metered_clock(xapi_meters_find(meters, &host)), ==, (gint64)T * 1000000);
    poll_with(meters, T + 20, answer_of(T + 10, columns, "0.5 100 0/0.5 100 10/0.9 50 7"));
    assert_near(get(meters, A_VM, XAPI_METER_CPU, 0), 5e6);
    assert_near(get(meters, A_VM, XAPI_METER_VIF_RX, 0), 1000);
    assert_near(get(meters, A_HOST, XAPI_METER_PIF_TX, 0), 50);
    /* The same once more adds nothing. */
    poll_with(meters, T + 20, answer_of(T + 10, columns, "0.5 100 0/0.5 100 10/0.9 50 7"));
    assert_near(get(meters, A_VM, XAPI_METER_VIF_RX, 0), 1000);
    /* Counted to ten seconds ago, in the middle of a row. */
    poll_with(meters, T + 22, answer_of(T + 20, columns, "NaN NaN NaN/0 40 0/0.5 100 0"));
    assert_near(get(meters, A_VM, XAPI_METER_VIF_RX, 0), 1080);
    g_assert_cmpint(xapi_metered_clock(xapi_meters_find(meters, &vm)), ==,
                    (gint64)(T + 12) * 1000000);
    g_assert_cmpint(xapi_meters_start(meters, &host, T + 22), ==, T + 12 - 10);
    g_assert_cmpint(xapi_meters_start(meters, &host, T + 200), ==, T + 12 - 10);
    g_assert_cmpint(xapi_meters_start(meters, &host, T + 5000), ==, T + 5000 - 590);
}

/* A VM that began in the middle of what is counted: before that it did not use nothing, it was not measured. */
static void test_young(void)
{
    static const char columns[] = "vm:" A_VM ":cpu0 host:" A_HOST ":pif_eth0_tx";
    g_autoptr(xapi_meters) meters = xapi_meters_new();

    poll_with(meters, T + 20, answer_of(T + 20, columns, "0.5 7/NaN 7/NaN 7/NaN 7"));
    assert_near(get(meters, A_VM, XAPI_METER_CPU, 0), -1);
    assert_near(get(meters, A_HOST, XAPI_METER_PIF_TX, 0), 0);
    poll_with(meters, T + 30, answer_of(T + 25, columns, "0.5 7/0.5 7/NaN 7/NaN 7"));
    assert_near(get(meters, A_VM, XAPI_METER_CPU, 0), 2.5e6);
    poll_with(meters, T + 40, answer_of(T + 35, columns, "0.5 7/0.5 7/0.5 7/0.5 7/NaN 7"));
    assert_near(get(meters, A_VM, XAPI_METER_CPU, 0), 7.5e6);
}

/* An answer that broke off counts nothing, and the next one all. */
static void test_broken_off(void)
{
    static const char columns[] = "vm:" A_VM ":vif_0_rx";
    g_autoptr(xapi_meters) meters = xapi_meters_new();
    g_autofree char *whole = answer_of(T + 10, columns, "100/100/50");
    g_autofree char *cut = g_strndup(whole, strlen(whole) - 10);
    g_autoptr(GError) error = NULL;

    poll_with(meters, T + 10, answer_of(T, columns, "50"));
    xapi_meters_begin(meters);
    xapi_meters_open(meters, T + 20);
    g_assert_false(feed(meters, cut, 64, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_DRIVER_ERROR);
    xapi_meters_close(meters, false);
    xapi_meters_show(meters);
    assert_near(get(meters, A_VM, XAPI_METER_VIF_RX, 0), 0); /* of the round before */
    xapi_meters_begin(meters);
    xapi_meters_show(meters);
    assert_near(get(meters, A_VM, XAPI_METER_VIF_RX, 0), -1); /* two rounds without it */
    poll_with(meters, T + 20, g_steal_pointer(&whole));
    assert_near(get(meters, A_VM, XAPI_METER_VIF_RX, 0), 1000);
}

/* What is read while something is shown waits for the next time, and so does the clock. */
static void test_shown(void)
{
    static const char columns[] = "vm:" A_VM ":vif_0_rx host:" A_HOST ":loadavg";
    g_autoptr(xapi_meters) meters = xapi_meters_new();
    g_autofree char *next = answer_of(T + 10, columns, "100 2/100 NaN");
    g_autofree char *unknown = answer_of(T + 15, columns, "100 NaN");
    struct xc_uuid host = uuid_of(A_HOST);

    poll_with(meters, T + 10, answer_of(T, columns, "50 1"));
    xapi_meters_begin(meters);
    for (unsigned i = 0; i < 2; i++) {
        xapi_meters_open(meters, T + (i ? 25 : 20));
        g_assert_true(feed(meters, i ? unknown : next, 7, NULL));
        xapi_meters_close(meters, true);
        assert_near(get(meters, A_VM, XAPI_METER_VIF_RX, 0), i ? 1000 : 0);
        assert_near(get(meters, A_HOST, XAPI_METER_LOAD, 0), i ? 2 : 1);
        g_assert_cmpint(xapi_metered_clock(xapi_meters_find(meters, &host)), ==,
                        (gint64)(T + (i ? 10 : 0)) * 1000000);
        xapi_meters_show(meters);
    }
    assert_near(get(meters, A_VM, XAPI_METER_VIF_RX, 0), 1500);
    assert_near(get(meters, A_HOST, XAPI_METER_LOAD, 0), -1);
}

static void test_lies(void)
{
    static const char columns[] =
        "vm:" A_VM ":cpu0 vm:" A_VM ":cpu0x vm:" A_VM ":vif_70000_rx vm:" A_VM
        ":vbd_../../x_read vm:not-a-uuid:cpu0 vm:" A_VM ":vif_0_rx";
    g_autoptr(xapi_meters) meters = xapi_meters_new();

    poll_with(meters, T + 10, answer_of(T, columns, "0 0 0 0 0 0"));
    poll_with(meters, T + 20, answer_of(T + 10, columns, "-1 1 1 1 1 1e300/1.2 1 1 1 1 -Infinity"));
    assert_near(get(meters, A_VM, XAPI_METER_CPU, 0), 5e6); /* a processor is one at most */
    assert_near(get(meters, A_VM, XAPI_METER_VIF_RX, 0), 0);
}

/* More than any counter can show: it stands still there. */
static void test_too_much(void)
{
    g_autoptr(GString) columns = g_string_new(NULL);
    g_autoptr(GString) row = g_string_new(NULL);
    g_autoptr(GString) rows = g_string_new(NULL);
    g_autoptr(xapi_meters) meters = xapi_meters_new();
    struct xc_uuid key = uuid_of(A_VM);
    double before = 0;

    for (unsigned i = 0; i < 2000; i++) {
        g_string_append_printf(columns, "%svm:" A_VM ":vif_%u_rx", i ? " " : "", i);
        g_string_append(row, i ? " 1e13" : "1e13");
    }
    g_string_append_printf(rows, "%s/%s", row->str, row->str);
    for (gint64 n = 1; n <= 10; n++) {
        double value;

        poll_with(meters, T + 10 * n, answer_of(T + 10 * n - 10, columns->str, rows->str));
        g_assert_true(xapi_metered_sum(xapi_meters_find(meters, &key), XAPI_METER_VIF_RX, &value));
        g_assert_cmpfloat(value, >=, before);
        before = value;
    }
    g_assert_cmpfloat(before, ==, 1e18);
}

static void test_no_answers(void)
{
    static const char *const answers[] = {
        "",
        "<html/>",
        "<xport/>x",
        "<!DOCTYPE a><xport/>",
        "<xport><meta><legend/></meta></xport>",
        "<xport><meta><step>0</step></meta></xport>",
        "<xport><meta><step>5</step><end>99999999999999999999</end></meta></xport>",
        "<xport><data><row><t>5</t><v>1</v></row></data></xport>",
        "<xport a='b'/>",
        "<xport><a><a><a><a><a><a><a><a><a/></a></a></a></a></a></a></a></a></xport>",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(answers); i++) {
        g_autoptr(xapi_meters) meters = xapi_meters_new();
        g_autoptr(GError) error = NULL;

        g_test_message("%s", answers[i]);
        xapi_meters_begin(meters);
        xapi_meters_open(meters, T);
        g_assert_false(feed(meters, answers[i], 16, &error));
        g_assert_nonnull(error);
        xapi_meters_close(meters, false);
    }
}

/* What the parser keeps: names for ever, a tag until it is whole. */
static void test_hoards(void)
{
    GString *names = g_string_new("<xport>");
    g_autofree char *filler = g_strnfill(200000, 'x');
    g_autofree char *comment = g_strconcat("<xport><!--", filler, NULL);
    static const char *const words[] = {"have names", "without end"};

    for (unsigned n = 0; n < 1000; n++)
        g_string_append_printf(names, "<a%u/>", n);
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        g_autoptr(xapi_meters) meters = xapi_meters_new();
        g_autoptr(GError) error = NULL;

        xapi_meters_begin(meters);
        xapi_meters_open(meters, T);
        g_assert_false(feed(meters, i ? comment : names->str, 4096, &error));
        g_assert_nonnull(strstr(error->message, words[i]));
        xapi_meters_close(meters, false);
    }
    g_string_free(names, TRUE);
}

/* Other VMs with each answer, as no pool has them: those that were there first stay. */
static void test_crowd(void)
{
    g_autoptr(xapi_meters) meters = xapi_meters_new();

    for (unsigned n = 0; n < 6; n++) {
        GString *columns = g_string_new(n == 0 ? "vm:" A_VM ":cpu0" : "");

        for (unsigned i = 0; i < 20000; i++)
            g_string_append_printf(columns, "%svm:%08u-0000-4000-8000-%012u:cpu0",
                                   columns->len ? " " : "", n, i);
        poll_with(meters, T + 10, answer_of(T, columns->str, "0"));
        g_string_free(columns, TRUE);
        if (n == 0)
            assert_near(get(meters, A_VM, XAPI_METER_CPU, 0), 0);
    }
    assert_near(get(meters, "00000005-0000-4000-8000-000000000000", XAPI_METER_CPU, 0), -1);
}

static void test_devices(void)
{
    static const struct {
        const char *name;
        uint32_t number;
    } cases[] = {{"xvda", 51712},
                 {"xvdb", 51728},
                 {"xvdp", 51952},
                 {"xvdq", 268439552},
                 {"xvdaa", 268442112},
                 {"hda", 768},
                 {"hdd", 5696},
                 {"sda", 2048},
                 {"xvd", 0},
                 {"xvdA", 0},
                 {"hde", 0},
                 {"sdaa", 0},
                 {"", 0},
                 {"xvdaaa", 0}};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        uint32_t number = 0;

        g_test_message("%s", cases[i].name);
        g_assert_cmpint(xapi_device_number(cases[i].name, &number), ==, cases[i].number != 0);
        g_assert_cmpuint(number, ==, cases[i].number);
    }
    g_assert_cmpuint(xapi_device_number_at(16), ==, 268439552);
}

/* --- in a report */

static struct xapi_mirror *mirror_of(const char *domid)
{
    struct xapi_mirror *mirror = xapi_mirror_new();
    GString *events = kit_pool();
    g_autofree char *fields = g_strdup_printf(
        KIT_VM_FIELDS("1", "web", "Running", REF("h1"), FIELD("domid", "%s")), domid);
    g_autofree char *answer = NULL;
    g_autoptr(xapi_batch) batch = NULL;
    g_autoptr(GError) error = NULL;
    bool changed = false;
    unsigned stale;

    kit_event(events, "vm", "add", REF("v1"), fields);
    answer = kit_answer(events, "", "1");
    batch = xapi_read_batch(answer, &error);
    g_assert_no_error(error);
    g_assert_true(xapi_mirror_apply(mirror, batch, XAPI_ALL_CLASSES, XAPI_ALL_CLASSES, &changed,
                                    &stale, &error));
    return mirror;
}

/* The report's domain; *report to be freed. */
static const struct xc_domain *web(struct xapi_meters *meters, const char *domid,
                                   struct xc_report **report)
{
    struct xapi_mirror *mirror = mirror_of(domid);
    const struct xc_domain *found = NULL;
    g_autoptr(GError) error = NULL;

    *report = xc_report_new();
    g_assert_true(xapi_report_fill(*report, mirror, meters, &error));
    for (guint i = 0; i < (*report)->domains->len; i++) {
        const struct xc_domain *d = &g_array_index((*report)->domains, struct xc_domain, i);

        if (strcmp(d->name, "web") == 0)
            found = d;
    }
    xapi_mirror_free(mirror);
    g_assert_nonnull(found);
    return found;
}

static const struct xc_vcpu *vcpu_of(const struct xc_report *report, const struct xc_domain *d,
                                     int64_t number)
{
    uint32_t at = (uint32_t)(d - (const struct xc_domain *)(const void *)report->domains->data);

    for (guint i = 0; i < report->vcpus->len; i++) {
        const struct xc_vcpu *vcpu = &g_array_index(report->vcpus, struct xc_vcpu, i);

        if (vcpu->domain == at && vcpu->number == number)
            return vcpu;
    }
    g_error("no vCPU %d", (int)number);
}

/* Domain and devices have what was counted, until another life begins. */
static void test_report(void)
{
    static const char columns[] =
        "vm:" A_VM ":cpu0 vm:" A_VM ":cpu1 vm:" A_VM ":vif_0_rx vm:" A_VM
        ":vbd_xvda_write host:" A_HOST ":loadavg host:" A_HOST ":memory_free_kib";
    g_autoptr(xapi_meters) meters = xapi_meters_new();
    g_autoptr(xc_report) first = NULL;
    g_autoptr(xc_report) second = NULL;
    g_autoptr(xc_report) third = NULL;
    g_autoptr(xc_report) fourth = NULL;
    const struct xc_domain *d;
    const struct xc_host *host;

    poll_with(meters, T + 10, answer_of(T, columns, "1 0 10 20 0.5 4096"));
    d = web(meters, "7", &first);
    g_assert_cmpuint(d->cpu_usec, ==, 0);
    poll_with(meters, T + 15, answer_of(T + 5, columns, "1 0.5 10 20 1.25 4096"));
    d = web(meters, "7", &second);
    host = &g_array_index(second->hosts, struct xc_host, d->host);
    g_assert_cmpuint(d->cpu_usec, ==, 7500000);
    g_assert_cmpuint(d->net_rx_bytes, ==, 50);
    g_assert_false(XC_HAS(DOMAIN, d, net_tx_bytes));
    g_assert_cmpuint(d->disk_wr_bytes, ==, 100);
    g_assert_cmpint(d->counter_kind, ==, XC_COUNTERS_INTEGRATED);
    g_assert_cmpint(host->clock, ==, (gint64)(T + 5) * 1000000);
    g_assert_cmpuint(host->load1_x100, ==, 125);
    g_assert_cmpuint(host->mem_free_kib, ==, 4096);
    g_assert_cmpuint(host->uptime_sec, ==, T + 5 - 1699990000);
    g_assert_cmpuint(g_array_index(second->vifs, struct xc_vif, 0).rx_bytes, ==, 50);
    g_assert_cmpuint(vcpu_of(second, d, 1)->cpu_usec, ==, 2500000);
    /* Another life: the engine adds what the former one counted. */
    poll_with(meters, T + 20, answer_of(T + 10, columns, "1 0.5 10 20 1.25 4096"));
    d = web(meters, "8", &third);
    g_assert_cmpuint(d->cpu_usec, ==, 0);
    /* Its host did not answer: nothing is known, and not 0. */
    xapi_meters_begin(meters);
    xapi_meters_begin(meters);
    xapi_meters_show(meters);
    d = web(meters, "8", &fourth);
    g_assert_false(XC_HAS(DOMAIN, d, cpu_usec));
    g_assert_false(XC_HAS(VCPU, vcpu_of(fourth, d, 0), cpu_usec));
    g_assert_false(XC_HAS(HOST, &g_array_index(fourth->hosts, struct xc_host, 0), mem_free_kib));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/xapi-meters/fixture", test_fixture);
    g_test_add_func("/xapi-meters/counting", test_counting);
    g_test_add_func("/xapi-meters/young", test_young);
    g_test_add_func("/xapi-meters/broken-off", test_broken_off);
    g_test_add_func("/xapi-meters/shown", test_shown);
    g_test_add_func("/xapi-meters/lies", test_lies);
    g_test_add_func("/xapi-meters/too-much", test_too_much);
    g_test_add_func("/xapi-meters/no-answers", test_no_answers);
    g_test_add_func("/xapi-meters/hoards", test_hoards);
    g_test_add_func("/xapi-meters/crowd", test_crowd);
    g_test_add_func("/xapi-meters/devices", test_devices);
    g_test_add_func("/xapi-meters/report", test_report);
    return g_test_run();
}
