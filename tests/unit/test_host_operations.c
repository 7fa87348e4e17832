/* Operations on hosts of a source that has several: on the one that was asked for, and on no other. */
#include "tests/unit/operations_kit.h"

#define TEST(name, function)                                                                       \
    g_test_add("/host-operations/" name, struct kit_fixture, NULL, set_up, function, kit_tear_down)

static const struct xc_driver pool = {.name = "pool", .capabilities = XC_CAP_MAINTENANCE};

/* A source is what its driver makes it; what it tells counts here, not how. */
static void become_pool(struct kit_fixture *f)
{
    kit_slot(f, "a")->driver = &pool;
}

static void set_up(struct kit_fixture *f, gconstpointer data)
{
    kit_set_up(f, data);
    become_pool(f);
}

/* Hosts of these names; NULL ends them. */
static struct xc_report *hosts(const char *const *names)
{
    struct xc_report *report = xc_report_new();

    for (; *names; names++) {
        struct xc_host *host = xc_report_host(report);

        XC_SET(HOST, host, name, xc_report_text(report, *names, -1));
    }
    return report;
}

static const char *const both[] = {"one", "two", NULL};

static enum xc_cause ask(struct kit_fixture *f, const char *host, enum xc_action action)
{
    const struct xc_request request = {.action = action, .host = host};

    return kit_ask(f, &request);
}

static const char *host_of(guint i)
{
    return kit_order(i)->host_from;
}

static void test_each_on_its_own(struct kit_fixture *f, gconstpointer data)
{
    (void)data;
    kit_answer(f, "a", hosts(both));
    g_assert_cmpint((int)ask(f, "a.one", XC_ACTION_EVACUATE), ==, XC_CAUSE_NONE);
    g_assert_cmpint((int)ask(f, "a.two", XC_ACTION_EVACUATE), ==, XC_CAUSE_NONE);
    g_assert_cmpuint(kit->orders->len, ==, 2); /* not one request sent twice */
    g_assert_cmpstr(host_of(0), ==, "one");
    g_assert_cmpstr(host_of(1), ==, "two");
    g_assert_cmpint((int)ask(f, "a.one", XC_ACTION_EVACUATE), ==, XC_CAUSE_NONE);
    g_assert_cmpuint(kit_count(f), ==, 2); /* that is one */
}

/* What would undo it waits until it is over, also what stands next to it in one request. */
static void test_busy(struct kit_fixture *f, gconstpointer data)
{
    struct xc_request requests[] = {{.action = XC_ACTION_HOST_DISABLE, .host = "a.two"},
                                    {.action = XC_ACTION_EVACUATE, .host = "a.two"}};
    g_autoptr(GError) error = NULL;
    struct xc_txn *txn;

    (void)data;
    kit_answer(f, "a", hosts(both));
    g_assert_cmpint((int)ask(f, "a.one", XC_ACTION_EVACUATE), ==, XC_CAUSE_NONE);
    g_assert_cmpint((int)ask(f, "a.one", XC_ACTION_HOST_ENABLE), ==, XC_CAUSE_BUSY);
    g_assert_cmpint((int)ask(f, "a.two", XC_ACTION_HOST_ENABLE), ==, XC_CAUSE_NONE);
    g_assert_cmpint((int)ask(f, "a.one", XC_ACTION_RESCAN), ==, XC_CAUSE_NONE);
    kit_end(kit_order(0), XC_RESULT_OK, XC_CAUSE_NONE, NULL);
    kit_end(kit_order(1), XC_RESULT_OK, XC_CAUSE_NONE, NULL);
    KIT_UNTIL(xc_op_find(f->engine, 1)->state == XC_OP_FINISHED ||
              (kit_answer(f, "a", hosts(both)), false));
    g_assert_cmpint((int)ask(f, "a.one", XC_ACTION_HOST_ENABLE), ==, XC_CAUSE_NONE);
    txn = xc_txn_new(f->engine);
    g_assert_true(xc_txn_add_op(txn, &requests[0], &error));
    g_assert_false(xc_txn_add_op(txn, &requests[1], &error));
    g_assert_cmpint((int)xc_error_cause(error), ==, XC_CAUSE_BUSY);
    xc_txn_free(txn);
}

/* Between the answer of the source and its showing nobody knows the hosts' names. */
static void test_waits_for_its_host(struct kit_fixture *f, gconstpointer data)
{
    struct xc_slot *slot;
    struct xc_poller *poller;

    (void)data;
    kit_answer(f, "a", hosts(both));
    g_assert_cmpint((int)ask(f, "a.two", XC_ACTION_EVACUATE), ==, XC_CAUSE_NONE);
    kit_restart(f);
    become_pool(f);
    slot = kit_slot(f, "a");
    poller = slot->poller;
    f->engine->rebuilt_mono = xc_clock_mono(); /* so that what is new waits */
    KIT_UNTIL(g_hash_table_contains(kit->polls, GUINT_TO_POINTER(slot->id)));
    g_hash_table_remove(kit->polls, GUINT_TO_POINTER(slot->id));
    kit->events.polled(slot->id, hosts(both), 1000, 0, kit->data);
    g_assert_nonnull(poller->pending);
    g_assert_cmpint((int)slot->state, ==, XC_SOURCE_UP);
    xc_ops_pump(f->engine);
    g_assert_cmpuint(kit->orders->len, ==, 0);
    xc_fleet_rebuild(f->engine);
    xc_ops_pump(f->engine);
    g_assert_cmpuint(kit->orders->len, ==, 1);
    g_assert_cmpstr(host_of(0), ==, "two");
}

static void test_host_gone(struct kit_fixture *f, gconstpointer data)
{
    static const char *const one[] = {"one", "three", NULL};

    (void)data;
    kit_answer(f, "a", hosts(both));
    g_assert_cmpint((int)ask(f, "a.two", XC_ACTION_EVACUATE), ==, XC_CAUSE_NONE);
    kit_restart(f);
    become_pool(f);
    kit_answer(f, "a", hosts(one));
    KIT_UNTIL(kit_newest(f)->state == XC_OP_FINISHED);
    g_assert_cmpuint(kit->orders->len, ==, 0);
    g_assert_cmpint((int)kit_newest(f)->result, ==, XC_RESULT_LOST);
    g_assert_cmpint((int)kit_newest(f)->cause, ==, XC_CAUSE_NO_SUCH_HOST);
    g_assert_cmpstr(kit_newest(f)->text, ==, "there is no host a.two any more");
}

/* It had not begun when the agent died, and now nobody can say which host it is: it fails with what keeps it. */
static void test_source_down(struct kit_fixture *f, gconstpointer data)
{
    (void)data;
    kit_answer(f, "a", hosts(both));
    f->config->max_ops = 0;
    g_assert_cmpint((int)ask(f, "a.two", XC_ACTION_EVACUATE), ==, XC_CAUSE_NONE);
    f->config->max_ops = 4;
    kit_restart(f);
    become_pool(f);
    kit_fail(f, "a", XC_CAUSE_TRANSPORT);
    KIT_UNTIL(kit_newest(f)->state == XC_OP_FINISHED || (xc_ops_pump(f->engine), false));
    g_assert_cmpuint(kit->orders->len, ==, 0);
    g_assert_cmpint((int)kit_newest(f)->result, ==, XC_RESULT_FAILED);
    g_assert_cmpint((int)kit_newest(f)->cause, ==, XC_CAUSE_TRANSPORT);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("each-on-its-own", test_each_on_its_own);
    TEST("busy", test_busy);
    TEST("waits-for-its-host", test_waits_for_its_host);
    TEST("host-gone", test_host_gone);
    TEST("source-down", test_source_down);
    return g_test_run();
}
