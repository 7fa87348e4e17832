/* What all drivers share: specs, orders, outcomes; and the template. */
#include "xenclient/drivers/drivers.h"

#include <string.h>

static void test_spec(void)
{
    struct xc_source_spec sparse = {.key = (char *)"a"};
    struct xc_source_spec copy;
    struct xc_source_spec got;
    g_autoptr(GByteArray) wire = g_byte_array_new();

    xc_source_spec_copy(&copy, &sparse);
    g_assert_cmpstr(copy.key, ==, "a");
    g_assert_cmpstr(copy.save_dir, ==, "");
    xc_source_spec_write(&sparse, wire);
    struct xc_reader from = XC_READER(wire->data, wire->len);

    xc_source_spec_read(&got, &from);
    g_assert_true(xc_reader_end(&from));
    g_assert_cmpstr(got.key, ==, "a");
    g_assert_cmpstr(got.uri, ==, "");
    xc_source_spec_clear(&got);
    xc_source_spec_clear(&copy);
    xc_source_spec_clear(&copy);
}

static void write_order(GByteArray *wire, size_t content)
{
    g_autofree char *text = g_strnfill(content, '\xe4'); /* of any encoding */
    struct xc_order order = {.action = XC_ACTION_CREATE, .content = text, .timeout_usec = 1};

    xc_order_write(&order, wire);
}

static void test_order_content(void)
{
    static const size_t lengths[] = {0, 1, XC_ORDER_CONTENT_MAX, XC_ORDER_CONTENT_MAX + 1};

    for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++) {
        g_autoptr(GByteArray) wire = g_byte_array_new();
        struct xc_order order;

        write_order(wire, lengths[i]);
        struct xc_reader from = XC_READER(wire->data, wire->len);

        xc_order_read(&order, &from);
        g_assert_cmpint(xc_reader_end(&from), ==, lengths[i] <= XC_ORDER_CONTENT_MAX);
        if (xc_reader_end(&from))
            g_assert_cmpuint(strlen(order.content), ==, lengths[i]);
        g_assert_nonnull(order.name); /* never NULL, whatever came */
        g_assert_nonnull(order.target.uri);
        xc_order_clear(&order);
    }
}

static void test_order_nul_in_content(void)
{
    g_autoptr(GByteArray) wire = g_byte_array_new();
    struct xc_order order;

    write_order(wire, 3);
    for (guint i = 0; i < wire->len; i++)
        if (wire->data[i] == 0xe4) {
            wire->data[i] = 0;
            break;
        }
    struct xc_reader from = XC_READER(wire->data, wire->len);

    xc_order_read(&order, &from);
    g_assert_false(xc_reader_end(&from));
    xc_order_clear(&order);
}

static void test_order_copy(void)
{
    struct xc_order order = {.action = XC_ACTION_START,
                             .attach = true,
                             .name = (char *)"vm",
                             .host_to = (char *)"b",
                             .target = {.key = (char *)"t"},
                             .timeout_usec = 9};
    struct xc_order copy;

    xc_order_copy(&copy, &order);
    g_assert_cmpstr(copy.name, ==, "vm");
    g_assert_true(copy.name != order.name);
    g_assert_cmpstr(copy.host_to, ==, "b");
    g_assert_cmpstr(copy.content, ==, "");
    g_assert_cmpstr(copy.target.key, ==, "t");
    g_assert_cmpstr(copy.target.uri, ==, "");
    g_assert_true(copy.attach);
    g_assert_cmpint(copy.timeout_usec, ==, 9);
    xc_order_clear(&copy);
    xc_order_clear(&copy);
}

static void test_outcome(void)
{
    g_autofree char *longest = g_strnfill(3000, 'y');
    struct xc_outcome outcome = {0};

    xc_outcome_set(&outcome, XC_RESULT_FAILED, XC_CAUSE_NO_MEMORY, "%s %d",
                   "xl said:\n\tno\x1b[31m\n", 7);
    g_assert_cmpstr(outcome.text, ==, "xl said:  no?[31m  7");
    xc_outcome_set(&outcome, XC_RESULT_OK, XC_CAUSE_NONE, "%s", longest);
    g_assert_cmpint(outcome.result, ==, XC_RESULT_OK);
    g_assert_cmpuint(strlen(outcome.text), ==, XC_OUTCOME_TEXT_MAX);
    xc_outcome_set(&outcome, XC_RESULT_OK, XC_CAUSE_NONE, "%s", "no end of line\n");
    g_assert_cmpstr(outcome.text, ==, "no end of line");
    xc_outcome_clear(&outcome);
    xc_outcome_clear(&outcome);
}

static void test_outcome_from_error(void)
{
    static const struct {
        enum xc_cause cause;
        enum xc_result result;
    } cases[] = {
        {XC_CAUSE_TIMED_OUT, XC_RESULT_TIMED_OUT}, {XC_CAUSE_CANCELLED, XC_RESULT_CANCELLED},
        {XC_CAUSE_LOST, XC_RESULT_LOST},           {XC_CAUSE_HOST_DOWN, XC_RESULT_FAILED},
        {XC_CAUSE_INTERNAL, XC_RESULT_FAILED},
    };
    struct xc_outcome outcome = {0};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;

        xc_fail(&error, cases[i].cause, "100 %% of %s", "it");
        xc_outcome_from_error(&outcome, error);
        g_assert_cmpint(outcome.result, ==, cases[i].result);
        g_assert_cmpint(outcome.cause, ==, cases[i].cause);
        g_assert_cmpstr(outcome.text, ==, "100 % of it");
    }
    xc_outcome_from_error(&outcome, NULL);
    g_assert_cmpint(outcome.cause, ==, XC_CAUSE_INTERNAL);
    xc_outcome_clear(&outcome);
}

static void no_progress(const char *phase, int progress, void *data)
{
    (void)data;
    g_assert_nonnull(phase);
    g_assert_cmpint(progress, ==, -1);
}

static void test_template(void)
{
    const struct xc_driver_ops *driver = &xc_skel_ops;
    struct xc_source_spec spec = {.key = (char *)"a", .uri = (char *)"skel://there"};
    struct xc_order order = {.action = XC_ACTION_START, .name = (char *)"vm"};
    struct xc_driver_env env = {.credential_dir = (char *)"", .known_hosts = (char *)""};
    g_autoptr(xc_report) report = xc_report_new();
    g_autoptr(GError) error = NULL;
    struct xc_outcome outcome = {0};
    struct xc_call call;

    g_assert_true(xc_call_init(&call, 10 * XC_USEC_PER_SEC, &error));
    struct xc_conn *conn = driver->open(&spec, &env, &call, &error);

    g_assert_no_error(error);
    g_assert_true(driver->poll(conn, report, &call, &error));
    g_assert_true(xc_report_check(report));
    g_assert_cmpuint(report->domains->len, ==, 1);
    driver->run(&spec, &env, &order, &call, no_progress, NULL, &outcome);
    g_assert_cmpint(outcome.cause, ==, XC_CAUSE_NOT_SUPPORTED);
    g_assert_cmpstr(outcome.text, ==, "start of \"vm\" is not possible with the example driver");
    /* Everything obeys the call. */
    xc_call_cancel(&call);
    g_assert_false(driver->poll(conn, report, &call, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_CANCELLED);
    driver->run(&spec, &env, &order, &call, no_progress, NULL, &outcome);
    g_assert_cmpint(outcome.result, ==, XC_RESULT_CANCELLED);
    g_assert_null(driver->open(&spec, &env, &call, NULL));
    driver->close(conn);
    xc_outcome_clear(&outcome);
    xc_call_deinit(&call);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/driver/spec", test_spec);
    g_test_add_func("/driver/order-content", test_order_content);
    g_test_add_func("/driver/order-nul-in-content", test_order_nul_in_content);
    g_test_add_func("/driver/order-copy", test_order_copy);
    g_test_add_func("/driver/outcome", test_outcome);
    g_test_add_func("/driver/outcome-from-error", test_outcome_from_error);
    g_test_add_func("/driver/template", test_template);
    return g_test_run();
}
