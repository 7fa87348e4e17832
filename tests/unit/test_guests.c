/* What VM-MIB shows in an SNMP context: which guests, since when, and on which processors they may run. */
#include "subagent/guests.h"
#include "tests/unit/engine_kit.h"

#define TEST(name, function)                                                                       \
    g_test_add("/guests/" name, struct kit_fixture, NULL, kit_set_up, function, kit_tear_down)

/* The default context, and one for each of the two hosts. */
struct contexts {
    struct st_context fleet, a, b;
};

static struct contexts contexts_new(const struct kit_fixture *f)
{
    const struct st_context fleet = {.engine = f->engine};
    struct contexts all = {fleet, fleet, fleet};

    all.a.host = "a";
    all.b.host = "b";
    all.fleet.guests = st_guests_new();
    all.a.guests = st_guests_new();
    all.b.guests = st_guests_new();
    return all;
}

static void contexts_clear(struct contexts *all)
{
    st_guests_free(all->fleet.guests);
    st_guests_free(all->a.guests);
    st_guests_free(all->b.guests);
}

/* "web db": names in the order of their rows. */
static void assert_rows(const struct st_context *context, const char *names)
{
    g_autoptr(GString) found = g_string_new(NULL);
    size_t n = 0;
    const struct xc_domain_ref *const *rows = st_guests_rows(context, &n);

    for (size_t i = 0; i < n; i++)
        g_string_append_printf(found, "%s%s", i ? " " : "", xc_ref_domain(rows[i])->name);
    g_assert_cmpstr(found->str, ==, names);
}

static struct xc_report *report_of(const char *names)
{
    struct xc_report *report = kit_report("1");
    g_auto(GStrv) words = g_strsplit(names, " ", -1);
    struct xc_domain *control = kit_domain(report, "Domain-0", 0, 1);

    XC_SET(DOMAIN, control, domid, 0);
    XC_SET(DOMAIN, control, kind, XC_KIND_CONTROL);
    for (char **word = words; *word && **word; word++)
        kit_domain(report, *word, (unsigned char)**word, **word);
    return report;
}

static void test_rows(struct kit_fixture *f, gconstpointer data)
{
    struct contexts all = contexts_new(f);
    size_t n = 0;

    (void)data;
    assert_rows(&all.fleet, "");
    kit_answer(f, "a", report_of("mail web"));
    kit_answer(f, "b", report_of("db"));
    assert_rows(&all.fleet, "mail web db");
    assert_rows(&all.a, "mail web");
    assert_rows(&all.b, "db");
    st_guests_and_control(&all.fleet, &n);
    g_assert_cmpuint(n, ==, 5);
    st_guests_and_control(&all.b, &n);
    g_assert_cmpuint(n, ==, 2);

    /* It has moved: for a moment both show it, and it is in one place all the same. */
    kit_answer(f, "b", report_of("db web"));
    assert_rows(&all.a, "mail");
    assert_rows(&all.b, "web db");
    kit_answer(f, "a", report_of("mail"));
    assert_rows(&all.fleet, "mail web db");
    assert_rows(&all.a, "mail");

    /* Gone: our own table keeps the row, the standard's does not. */
    kit_answer(f, "a", report_of(""));
    assert_rows(&all.fleet, "web db");
    assert_rows(&all.a, "");
    g_assert_nonnull(kit_find(f, "mail"));
    contexts_clear(&all);
}

#define SECOND ((gint64)1000000)

static gint64 last_change(const struct st_context *context)
{
    gint64 usec = -1;

    g_assert_true(st_guests_last_change(context, &usec));
    return usec;
}

static struct xc_report *aged(struct xc_report *report, uint64_t sec)
{
    struct xc_host *host = &g_array_index(report->hosts, struct xc_host, 0);

    XC_SET(HOST, host, uptime_sec, sec);
    return report;
}

static void test_last_change(struct kit_fixture *f, gconstpointer data)
{
    struct contexts all = contexts_new(f);
    gint64 usec = 0;

    (void)data;
    kit_answer(f, "a", report_of("web"));
    kit_answer(f, "b", report_of("db"));
    g_assert_false(st_guests_uptime(&all.a, &usec));
    g_assert_false(st_guests_last_change(&all.a, &usec));
    g_assert_true(st_guests_uptime(&all.fleet, &usec));

    kit_answer(f, "a", aged(report_of("web"), 5000));
    gint64 first = last_change(&all.a);

    g_assert_cmpint(first, >, 4900 * SECOND);
    g_assert_true(st_guests_uptime(&all.a, &usec));
    g_assert_cmpint(usec, >=, first);

    /* The host tells its uptime in whole seconds: what happened then, happened then. */
    kit_answer(f, "a", aged(report_of("web"), 5001));
    g_assert_cmpint(last_change(&all.a), ==, first);
    kit_answer(f, "a", aged(report_of("web mail"), 5600));
    g_assert_cmpint(last_change(&all.a), >=, 5600 * SECOND);
    /* One comes and one goes: as many as before, but others. */
    kit_answer(f, "a", aged(report_of("web shop"), 5700));
    g_assert_cmpint(last_change(&all.a), >=, 5700 * SECOND);

    /* The host has been started again. */
    kit_answer(f, "a", aged(report_of("web shop"), 10));
    g_assert_cmpint(last_change(&all.a), ==, 0);
    contexts_clear(&all);
}

static void test_affinity_list(void)
{
    static const struct {
        const char *list;
        uint32_t cpu;
        enum st_affinity want;
    } cases[] = {
        {"all", 7000, ST_AFFINITY_YES},
        {"0", 0, ST_AFFINITY_YES},
        {"0", 1, ST_AFFINITY_NO},
        {"0-3,8", 3, ST_AFFINITY_YES},
        {"0-3,8", 8, ST_AFFINITY_YES},
        {"0-3,8", 4, ST_AFFINITY_NO},
        {"8,0-3", 0, ST_AFFINITY_YES},
        {"", 0, ST_AFFINITY_UNKNOWN},
        {"none", 0, ST_AFFINITY_UNKNOWN},
        {"3-1", 2, ST_AFFINITY_UNKNOWN},
        {"0,", 0, ST_AFFINITY_UNKNOWN},
        {"0--1", 0, ST_AFFINITY_UNKNOWN},
        {"0 1", 0, ST_AFFINITY_UNKNOWN},
        {"99999999999999999999", 0, ST_AFFINITY_UNKNOWN},
        {"0-99999", 5, ST_AFFINITY_UNKNOWN},
        {"1-", 1, ST_AFFINITY_UNKNOWN},
        {"all,1", 0, ST_AFFINITY_UNKNOWN},
        {",", 0, ST_AFFINITY_UNKNOWN},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("\"%s\" and %u", cases[i].list, cases[i].cpu);
        g_assert_cmpint(st_affinity_of(cases[i].list, cases[i].cpu), ==, cases[i].want);
    }
}

static void add_vcpu(struct xc_report *report, uint32_t domain, int64_t number, const char *list)
{
    struct xc_vcpu *vcpu = xc_report_vcpu(report, domain);

    XC_SET(VCPU, vcpu, number, number);
    if (list)
        XC_SET(VCPU, vcpu, affinity, xc_report_text(report, list, -1));
}

static void test_affinity_rows(struct kit_fixture *f, gconstpointer data)
{
    struct contexts all = contexts_new(f);
    struct xc_report *report = report_of("web db");
    const enum st_affinity want[] = {
        ST_AFFINITY_YES,     ST_AFFINITY_YES,     ST_AFFINITY_NO,      ST_AFFINITY_NO,
        ST_AFFINITY_UNKNOWN, ST_AFFINITY_UNKNOWN, ST_AFFINITY_UNKNOWN, ST_AFFINITY_UNKNOWN,
    };
    size_t n = 0;

    (void)data;
    add_vcpu(report, 1, 1, NULL);
    add_vcpu(report, 1, 0, "0-1");
    kit_answer(f, "a", report);
    /* The host has four processors. */
    const struct st_affinity_row *rows = st_guests_affinity(&all.fleet, kit_find(f, "web"), &n);

    g_assert_cmpuint(n, ==, G_N_ELEMENTS(want));
    for (size_t i = 0; i < n; i++) {
        g_assert_cmpuint(rows[i].vcpu, ==, i / 4 + 1);
        g_assert_cmpuint(rows[i].cpu, ==, i % 4 + 1);
        g_assert_cmpint(rows[i].affinity, ==, want[i]);
    }
    st_guests_affinity(&all.fleet, kit_find(f, "db"), &n);
    g_assert_cmpuint(n, ==, 0);
    contexts_clear(&all);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("rows", test_rows);
    TEST("last-change", test_last_change);
    g_test_add_func("/guests/affinity-list", test_affinity_list);
    TEST("affinity-rows", test_affinity_rows);
    return g_test_run();
}
