/* Messages of hypervisors become events: each once, whatever their clocks say, and not again after a restart. */
#include "tests/unit/engine_kit.h"

#define TEST(name, function)                                                                       \
    g_test_add("/notices/" name, struct kit_fixture, NULL, kit_set_up, function, kit_tear_down)
#define HOUR (3600 * XC_USEC_PER_SEC)

/* The messages among the events behind `*mark`, a line each; all that are under way are waited for. */
static char *told(struct kit_fixture *f, uint32_t *mark)
{
    GString *out = g_string_new("");
    uint32_t newest = xc_event_counts(f->engine).last;
    const struct xc_event *const *ring;
    size_t n;

    xc_events_add(f->engine,
                  xc_event_new(XC_EVENT_AGENT_STARTED, XC_SEVERITY_INFO, "", "marker", "%s", ""));
    KIT_UNTIL((ring = xc_events(f->engine, &n),
               n && strcmp(ring[n - 1]->object, "marker") == 0 && ring[n - 1]->serial > newest));
    for (size_t i = 0; i < n; i++)
        if (ring[i]->serial > *mark && ring[i]->type == XC_EVENT_HYPERVISOR_MESSAGE)
            g_string_append_printf(
                out, "%s %s[%s] %s%s\n", xc_enum_label(&xc_severity_labels, (int)ring[i]->severity),
                ring[i]->object, ring[i]->host, ring[i]->text, ring[i]->domain ? " (domain)" : "");
    *mark = ring[n - 1]->serial;
    return g_string_free(out, FALSE);
}

#define TELLS(f, mark, ...)                                                                        \
    do {                                                                                           \
        g_autofree char *told_ = told(f, mark);                                                    \
        g_assert_cmpstr(told_, ==, __VA_ARGS__);                                                   \
    } while (0)

static struct xc_notice *add(struct xc_report *report, uint8_t uuid, gint64 time, const char *name)
{
    struct xc_notice *notice = xc_report_notice(report);
    struct xc_uuid id = {.b = {0xfe, uuid}};

    XC_SET(NOTICE, notice, uuid, id);
    XC_SET(NOTICE, notice, time, time);
    XC_SET(NOTICE, notice, name, xc_report_text(report, name, -1));
    return notice;
}

/* A source answers with messages 1 to n, each a second after the one before. */
static void show(struct kit_fixture *f, unsigned n, gint64 first)
{
    struct xc_report *report = kit_report("boot");

    ((struct xc_poller *)kit_slot(f, "a")->poller)->begun_mono = 0;
    for (unsigned i = 1; i <= n; i++)
        add(report, (uint8_t)i, first + i * XC_USEC_PER_SEC, i % 2 ? "ODD" : "EVEN");
    kit_answer(f, "a", report);
}

static void test_once(struct kit_fixture *f, gconstpointer data)
{
    gint64 begin = xc_clock_real() - 100 * XC_USEC_PER_SEC;
    uint32_t mark = 0;

    (void)data;
    show(f, 2, begin);
    TELLS(f, &mark, ""); /* they were there before */
    show(f, 3, begin);
    TELLS(f, &mark, "info a[] ODD\n");
    show(f, 3, begin);
    TELLS(f, &mark, "");
    kit_restart(f);
    show(f, 3, begin);
    TELLS(f, &mark, "");
    /* What came while the agent was away is told. */
    kit_restart(f);
    show(f, 5, begin);
    TELLS(f, &mark, "info a[] EVEN\ninfo a[] ODD\n");
    kit_restart(f);
    show(f, 5, begin);
    TELLS(f, &mark, "");
}

/* Nothing at first sight is remembered, too. */
static void test_none_at_first(struct kit_fixture *f, gconstpointer data)
{
    static const struct xc_driver telling = {.name = "telling", .notices = true};
    const struct xc_driver *driver = kit_slot(f, "a")->driver;
    uint32_t mark = 0;

    (void)data;
    kit_slot(f, "a")->driver = &telling;
    show(f, 0, 0);
    kit_slot(f, "a")->driver = driver;
    TELLS(f, &mark, "");
    kit_restart(f);
    show(f, 1, xc_clock_real());
    TELLS(f, &mark, "info a[] ODD\n");
}

/* Of the same second, of a clock that is behind, of one that is ahead: each is told, once. */
static void test_clocks(struct kit_fixture *f, gconstpointer data)
{
    static const struct {
        gint64 ahead;
        const char *name, *tells;
    } steps[] = {
        {0, "FIRST", ""},
        {0, "SAME", "info a[] SAME\n"},
        {-HOUR / 2, "BEHIND", "info a[] BEHIND\n"},
        {200 * 24 * HOUR, "AHEAD", "info a[] AHEAD\n"},
        {1, "AFTER", "info a[] AFTER\n"},
        {-2 * HOUR, "OLD", ""}, /* from before what is remembered */
    };
    gint64 now = xc_clock_real();
    uint32_t mark = 0;

    (void)data;
    for (size_t n = 1; n <= G_N_ELEMENTS(steps); n++)
        for (unsigned restarted = 0; restarted < 2; restarted++) {
            struct xc_report *report = kit_report("boot");

            ((struct xc_poller *)kit_slot(f, "a")->poller)->begun_mono = 0;
            for (size_t i = 0; i < n; i++)
                add(report, (uint8_t)i, now + steps[i].ahead, steps[i].name);
            kit_answer(f, "a", report);
            TELLS(f, &mark, restarted ? "" : steps[n - 1].tells);
            if (!restarted)
                kit_restart(f);
        }
}

static void answer_with(struct kit_fixture *f, unsigned n, gint64 time)
{
    struct xc_report *report = kit_report("boot");

    ((struct xc_poller *)kit_slot(f, "a")->poller)->begun_mono = 0;
    for (unsigned i = 0; i < n; i++)
        add(report, (uint8_t)i, time, "MESSAGE");
    kit_answer(f, "a", report);
}

static unsigned lines(const char *text)
{
    unsigned n = 0;

    for (; (text = strchr(text, '\n')); text++)
        n++;
    return n;
}

/* One source can't drive out of the ring what others tell. */
static void test_flood(struct kit_fixture *f, gconstpointer data)
{
    g_autofree char *text = NULL;
    uint32_t mark = 0;

    (void)data;
    show(f, 0, 0);
    xc_clock_fake(xc_clock_mono(), xc_clock_real());
    answer_with(f, 1, xc_clock_real());
    TELLS(f, &mark, "");
    answer_with(f, 200, xc_clock_real());
    text = told(f, &mark);
    g_assert_cmpuint(lines(text), ==, 60);
    xc_clock_fake(xc_clock_mono() + 61 * XC_USEC_PER_SEC, xc_clock_real());
    answer_with(f, 200, xc_clock_real());
    TELLS(f, &mark, "warning a[] 139 more messages within a minute\n");
}

/* Another pool may get the key of one that was removed: what is there then is no event. */
static void test_removed(struct kit_fixture *f, gconstpointer data)
{
    uint32_t mark = 0;

    (void)data;
    show(f, 2, xc_clock_real());
    TELLS(f, &mark, "");
    xc_engine_source_remove(f->engine, "a");
    kit_restart(f);
    show(f, 5, xc_clock_real() + HOUR);
    TELLS(f, &mark, "");
}

static void test_subjects(struct kit_fixture *f, gconstpointer data)
{
    struct xc_report *report = kit_report("boot");
    struct xc_host *host = &g_array_index(report->hosts, struct xc_host, 0);
    struct xc_domain *d = kit_domain(report, "web", 1, 5);
    struct xc_sr *sr = xc_report_sr(report);
    struct xc_uuid uuids[] = {{.b = {1}}, {.b = {2}}, {.b = {3}}};
    gint64 now = xc_clock_real();
    struct xc_notice *notice;
    uint32_t mark = 0;

    (void)data;
    show(f, 1, now);
    XC_SET(HOST, host, uuid, uuids[0]);
    XC_SET(SR, sr, uuid, uuids[1]);
    XC_SET(SR, sr, name, xc_report_text(report, "NFS", -1));
    notice = add(report, 10, now, "HOST");
    XC_SET(NOTICE, notice, about, uuids[0]);
    XC_SET(NOTICE, notice, severity, XC_SEVERITY_CRITICAL);
    notice = add(report, 11, now, "SR");
    XC_SET(NOTICE, notice, about, uuids[1]);
    XC_SET(NOTICE, notice, body, xc_report_text(report, "is full", -1));
    notice = add(report, 12, now, "VM");
    XC_SET(NOTICE, notice, about, d->uuid);
    notice = add(report, 13, now, "GONE");
    XC_SET(NOTICE, notice, about, uuids[2]);
    ((struct xc_poller *)kit_slot(f, "a")->poller)->begun_mono = 0;
    kit_answer(f, "a", report);
    TELLS(f, &mark,
          "critical a[a] HOST\n"
          "info NFS[] SR: is full\n"
          "info web[a] VM (domain)\n"
          "info a[] GONE\n");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("once", test_once);
    TEST("none-at-first", test_none_at_first);
    TEST("clocks", test_clocks);
    TEST("flood", test_flood);
    TEST("removed", test_removed);
    TEST("subjects", test_subjects);
    return g_test_run();
}
