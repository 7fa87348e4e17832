/* Thresholds at work: raised at the third poll in a row, told once, over when the figure is back, also across a restart; rows go before
 * the configuration. */
#include "tests/unit/engine_kit.h"

#define TEST(name, function)                                                                       \
    g_test_add("/thresholds/" name, struct kit_fixture, NULL, kit_set_up, function, kit_tear_down)

/* Source a answers with a host of which so many percent of the memory are used, and the figures are looked at. */
static void poll(struct kit_fixture *f, unsigned percent, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        struct xc_report *report = kit_report("boot");
        struct xc_host *host = &((struct xc_host *)report->hosts->data)[0];

        XC_SET(HOST, host, mem_total_kib, 100 * 1024);
        XC_SET(HOST, host, mem_free_kib, (100 - percent) * 1024);
        ((struct xc_poller *)kit_slot(f, "a")->poller)->begun_mono = 0;
        kit_answer(f, "a", report);
        xc_thresholds_tick(f->engine);
        xc_thresholds_tick(f->engine); /* nothing new: counts nothing */
    }
}

/* Events of thresholds so far: "+" raised, "-" over. */
static char *told(struct kit_fixture *f)
{
    GString *out = g_string_new("");
    size_t n;
    const struct xc_event *const *ring;

    xc_events_add(f->engine, xc_event_new(XC_EVENT_AGENT_STARTED, XC_SEVERITY_INFO, "", "mark",
                                          "%p", (void *)out));
    g_autofree char *mark = g_strdup_printf("%p", (void *)out);
    KIT_UNTIL((ring = xc_events(f->engine, &n), n && strcmp(ring[n - 1]->text, mark) == 0));
    for (size_t i = 0; i < n; i++)
        if (ring[i]->type == XC_EVENT_THRESHOLD)
            g_string_append(out, ring[i]->severity == XC_SEVERITY_CLEAR ? "-" : "+");
    return g_string_free(out, FALSE);
}

#define TOLD(f, want)                                                                              \
    do {                                                                                           \
        g_autofree char *told_ = told(f);                                                          \
        g_assert_cmpstr(told_, ==, want);                                                          \
    } while (0)

static bool put(struct kit_fixture *f, const struct xc_threshold *row, GError **error)
{
    struct xc_txn *txn = xc_txn_new(f->engine);
    bool ok = (row->kind ? xc_txn_put_threshold(txn, row, error)
                         : xc_txn_remove_threshold(txn, row->name, error)) &&
              xc_txn_write(txn, error);

    if (ok)
        xc_txn_dispatch(txn);
    xc_txn_free(txn);
    return ok;
}

static void test_raised_and_over(struct kit_fixture *f, gconstpointer data)
{
    (void)data;
    f->config->thresholds[XC_THRESHOLD_HOST_MEMORY - 1] = (struct xc_limits){80, 60};
    poll(f, 90, 2);
    poll(f, 10, 1); /* begins anew */
    poll(f, 90, 2);
    TOLD(f, "");
    poll(f, 80, 1);
    TOLD(f, "+");
    poll(f, 61, 5);
    poll(f, 95, 5);
    TOLD(f, "+");
    kit_restart(f);
    poll(f, 95, 5);
    TOLD(f, "+");
    poll(f, 60, 1);
    TOLD(f, "+-");
    kit_restart(f);
    poll(f, 60, 2);
    poll(f, 80, 3);
    TOLD(f, "+-+");
    /* It has no threshold any more. */
    f->config->thresholds[XC_THRESHOLD_HOST_MEMORY - 1] = (struct xc_limits){0};
    poll(f, 80, 1);
    TOLD(f, "+-+-");
}

static void test_rows_go_first(struct kit_fixture *f, gconstpointer data)
{
    struct xc_threshold row = {(char *)"x", XC_THRESHOLD_HOST_MEMORY, (char *)"?", {50, 40}};
    struct xc_threshold first = {(char *)"a", XC_THRESHOLD_HOST_MEMORY, (char *)"a", {0, 0}};
    g_autoptr(GError) error = NULL;
    size_t n;

    (void)data;
    f->config->thresholds[XC_THRESHOLD_HOST_MEMORY - 1] = (struct xc_limits){99, 90};
    g_assert_true(put(f, &row, &error));
    poll(f, 50, 3);
    TOLD(f, "+");
    g_assert_true(put(f, &first, &error)); /* exempt */
    poll(f, 100, 4);
    TOLD(f, "+-");
    kit_restart(f);
    xc_thresholds(f->engine, &n);
    g_assert_cmpuint(n, ==, 2);
    first.kind = 0;
    row.kind = 0;
    g_assert_true(put(f, &first, &error));
    g_assert_true(put(f, &row, &error));
    kit_restart(f);
    xc_thresholds(f->engine, &n);
    g_assert_cmpuint(n, ==, 0);
    poll(f, 98, 4);
    TOLD(f, "+-");
}

static void test_refused(struct kit_fixture *f, gconstpointer data)
{
    struct xc_threshold bad[] = {{(char *)"no name", XC_THRESHOLD_HOST_CPU, (char *)"*", {50, 40}},
                                 {(char *)"x", XC_THRESHOLD_HOST_CPU, (char *)"", {50, 40}},
                                 {(char *)"x", XC_THRESHOLD_HOST_CPU, (char *)"*", {40, 50}},
                                 {(char *)"x", XC_THRESHOLD_HOST_CPU, (char *)"*", {101, 50}}};
    struct xc_threshold good = {(char *)"x", XC_THRESHOLD_HOST_CPU, (char *)"*", {50, 40}};
    g_autoptr(GError) error = NULL;
    size_t n;

    (void)data;
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) why = NULL;

        g_assert_false(put(f, &bad[i], &why));
        g_assert_error(why, XC_ERROR, XC_CAUSE_BAD_VALUE);
    }
    f->config->control = false;
    g_assert_false(put(f, &good, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_POLICY);
    xc_thresholds(f->engine, &n);
    g_assert_cmpuint(n, ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("raised-and-over", test_raised_and_over);
    TEST("rows-go-first", test_rows_go_first);
    TEST("refused", test_refused);
    return g_test_run();
}
