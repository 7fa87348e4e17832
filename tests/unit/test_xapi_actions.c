/* Operations on a pool that is a few variables: each is begun once, whatever breaks, and its end is read back. */
#include "xenclient/drivers/xapi_actions.h"

#include "tests/unit/xapi_server.h"
#include "xenclient/drivers/xapi_mark.h"

#define CLOCK    "20261121T22:56:57Z"
#define VM_REF   REF("v1")
#define HOST_REF REF("h2")

/* The pool. A task ends when it was looked at `looks` times; then the VM is as it should be. */
static struct {
    const char *power, *host, *end_power, *end_host;
    const char *mark, *task_mark; /* interned */
    const char *doing;            /* an operation that goes on; NULL none */
    const char *refusal;          /* of the call itself; NULL none */
    const char *task_end;  /* error_info of the task; "" success, NULL: it is not known any more */
    const char *toolstack; /* since when it runs; NULL: it does not tell */
    const char *created;   /* of tasks that are found by their name */
    unsigned looks, calls, others; /* calls: Async ones that arrived; others: tasks of that name */
    unsigned lose_answer;          /* of so many Async calls */
    unsigned dead;                 /* so many requests after that find nobody */
    bool gone, cancelled, cancellable, destroyed, others_run;
    char *last; /* body of the last Async call */
} pool;

static char *text_between(const char *body, const char *after)
{
    const char *at = strstr(body, after);
    const char *begin = at ? strstr(at + strlen(after), "<string>") : NULL;
    const char *end = begin ? strstr(begin, "</string>") : NULL;

    return end ? g_strndup(begin + 8, (gsize)(end - begin - 8)) : g_strdup("");
}

static char *vm_record(void)
{
    g_autofree char *record = g_strdup_printf(
        "<struct>" FIELD("uuid", UUID_OF("a", "1")) FIELD("power_state", "%s") FIELD(
            "resident_on", "%s") FIELD("memory_dynamic_min", "%s") FIELD("memory_dynamic_max", "%s")
            FLAG("is_a_template", "0") FIELD("current_operations", "<struct>%s%s%s</struct>")
                FIELD("other_config", "<struct>" FIELD("xensnmp-op", "%s")
                                          FIELD("xensnmp-task", "%s") "</struct>") "</struct>",
        pool.power, pool.host, strcmp(pool.power, "Running") == 0 ? "536870912" : "268435456",
        "536870912", pool.doing ? "<member><name>" REF("foreign") "</name><value>" : "",
        pool.doing ? pool.doing : "", pool.doing ? "</value></member>" : "", pool.mark,
        pool.task_mark);

    return pool.gone ? xapi_failure("HANDLE_INVALID|VM|" VM_REF) : xapi_success(record);
}

static void arrive(const char *body)
{
    pool.calls++;
    g_free(pool.last);
    pool.last = g_strdup(body);
}

static void set_end(void)
{
    pool.power = pool.end_power;
    pool.host = pool.end_host;
    pool.doing = NULL;
}

static char *task_record(void)
{
    g_autofree char *record = NULL;
    bool over = pool.looks == 0 || pool.cancelled;
    const char *status = "pending";

    if (!pool.task_end)
        return xapi_failure("HANDLE_INVALID|task|x");
    if (pool.looks > 0)
        pool.looks--;
    if (over && !pool.cancelled && !*pool.task_end)
        set_end();
    if (over)
        status = pool.cancelled ? "cancelled" : *pool.task_end ? "failure" : "success";
    record = g_strdup_printf(
        "<struct>" FIELD("status", "%s") FIELD("progress", "<double>0.5</double>")
            DATE("created", "%s") FIELD("allowed_operations", "<array><data>%s</data></array>")
                FIELD("error_info", "<array><data>%s%s%s</data></array>") "</struct>",
        status, pool.created, pool.cancellable && !over ? "<value>cancel</value>" : "",
        over && *pool.task_end ? "<value>" : "", over ? pool.task_end : "",
        over && *pool.task_end ? "</value>" : "");
    return xapi_success(record);
}

static char *other_task(void)
{
    g_autofree char *record =
        g_strdup_printf("<struct>" FIELD("status", "%s") DATE("created", "%s") "</struct>",
                        pool.others_run ? "pending" : "success", pool.created);

    if (pool.others_run)
        set_end();
    pool.others_run = false;
    return xapi_success(record);
}

static char *change_mark(const char *method, const char *body)
{
    bool add = strcmp(method, "VM.add_to_other_config") == 0;
    const char *key =
        strstr(body, "<string>" XAPI_MARK_KEY "</string>") ? XAPI_MARK_KEY : XAPI_TASK_KEY;
    g_autofree char *value = add ? text_between(body, key) : g_strdup("");

    *(strcmp(key, XAPI_MARK_KEY) == 0 ? &pool.mark : &pool.task_mark) = g_intern_string(value);
    return xapi_success("");
}

static char *async(const char *method, const char *body, GError **error)
{
    if (pool.refusal)
        return xapi_failure(pool.refusal);
    g_assert_cmpstr(pool.mark, !=, ""); /* the intent comes first */
    if (pool.lose_answer > 0 && strstr(method, "pool_migrate")) {
        pool.lose_answer--;
        return server_down(error, XC_CAUSE_TRANSPORT); /* it never arrived */
    }
    arrive(body);
    if (pool.lose_answer > 0) {
        pool.lose_answer--;
        return server_down(error, XC_CAUSE_TRANSPORT);
    }
    return xapi_success(REF("task"));
}

static const struct {
    const char *method, *value;
} fixed[] = {
    {"session.login_with_password", REF("s")},
    {"session.logout", ""},
    {"VM.get_by_uuid", VM_REF},
    {"pool.get_all", "<array><data><value>" REF("p") "</value></data></array>"},
    {"pool.get_master", REF("h1")},
    {"host.get_servertime", "<dateTime.iso8601>" CLOCK "</dateTime.iso8601>"},
    {"host.get_by_uuid", HOST_REF},
    {"VM.assert_operation_valid", ""},
    {"event.inject", "00000000000000000007,00000000000000000000"},
};

static char *host_record(void)
{
    g_autofree char *record = g_strdup_printf(
        "<struct>" FIELD("other_config", "<struct>%s%s%s</struct>") "</struct>",
        pool.toolstack ? "<member><name>agent_start_time</name><value>" : "",
        pool.toolstack ? pool.toolstack : "", pool.toolstack ? "</value></member>" : "");

    return xapi_success(record);
}

static char *answer(const char *host, const char *method, const char *body, GError **error)
{
    (void)host;
    if (pool.dead > 0) {
        pool.dead--;
        return server_down(error, XC_CAUSE_HOST_DOWN);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(fixed); i++)
        if (strcmp(fixed[i].method, method) == 0)
            return xapi_success(fixed[i].value);
    if (strcmp(method, "VM.assert_can_boot_here") == 0)
        return pool.refusal ? xapi_failure(pool.refusal) : xapi_success("");
    if (g_str_has_prefix(method, "Async."))
        return async(method, body, error);
    if (strcmp(method, "VM.get_record") == 0)
        return vm_record();
    if (strcmp(method, "host.get_record") == 0)
        return host_record();
    if (strcmp(method, "task.get_record") == 0)
        return strstr(body, REF("other")) ? other_task() : task_record();
    if (strcmp(method, "task.get_by_name_label") == 0)
        return xapi_success(pool.others ? "<array><data><value>" REF("other") "</value></data>"
                                                                              "</array>"
                                        : "<array><data/></array>");
    if (strcmp(method, "task.cancel") == 0) {
        pool.cancelled = true;
        return xapi_success("");
    }
    if (strcmp(method, "task.destroy") == 0) {
        pool.destroyed = true;
        return xapi_success("");
    }
    if (strstr(method, "_other_config"))
        return change_mark(method, body);
    g_error("asked for %s", method);
}

/* --- */

static struct xc_uuid op_of(unsigned n)
{
    return (struct xc_uuid){{(uint8_t)n, [15] = 9}};
}

static void begin(const char *power, const char *end_power)
{
    memset(&pool, 0, sizeof(pool));
    pool.power = power;
    pool.host = pool.end_host = REF("h1");
    pool.end_power = end_power;
    pool.mark = pool.task_mark = pool.task_end = "";
    pool.created = CLOCK;
    pool.looks = 1;
    server_open(answer);
}

/* The mark as operation n left it. */
static void marked(unsigned n, bool with_task)
{
    const struct xc_uuid op = op_of(n);
    struct xapi_mark mark;
    g_autofree char *text = NULL;
    g_autofree char *task = xapi_task_mark_format(&op, REF("task"));

    xapi_mark_parse(&mark, pool.mark);
    text = xapi_mark_format(&mark, &op, 1795301817);
    pool.mark = g_intern_string(text);
    if (with_task)
        pool.task_mark = g_intern_string(task);
}

static struct xc_order order_of(enum xc_action action, bool attach)
{
    struct xc_order order = {.op = op_of(1), .action = action, .attach = attach, .live = 1};

    g_assert_true(xc_uuid_parse(UUID_OF("a", "1"), &order.uuid));
    order.name = (char *)"web";
    order.config = order.content = order.host_from = order.host_to = order.boot_id = (char *)"";
    order.target = (struct xc_source_spec){.key = (char *)"",
                                           .uri = (char *)"",
                                           .credential = (char *)"",
                                           .address = (char *)"",
                                           .config_dirs = (char *)"",
                                           .save_dir = (char *)""};
    order.timeout_usec = 30 * XC_USEC_PER_SEC;
    return order;
}

static bool cancel_at_once; /* the caller cancels as soon as it hears of it */
static struct xc_call call;

static void hear(const char *phase, int progress, void *data)
{
    (void)data;
    g_assert_cmpint(progress, >=, -1);
    if (cancel_at_once && progress == 50)
        xc_call_cancel(&call);
    g_assert_nonnull(phase);
}

static void run(const struct xc_order *order, struct xc_outcome *outcome)
{
    struct xc_source_spec spec = server_spec();
    struct xc_driver_env env = server_env();

    *outcome = (struct xc_outcome){0};
    g_assert_true(xc_call_init(&call, order->timeout_usec, NULL));
    xapi_run(&spec, &env, order, &call, hear, NULL, outcome);
    xc_call_deinit(&call);
    g_assert_cmpuint(server_asked("192.0.2.1 session.login_with_password"), >=,
                     server_asked("192.0.2.1 session.logout"));
}

static void end(struct xc_outcome *outcome)
{
    xc_outcome_clear(outcome);
    g_clear_pointer(&pool.last, g_free);
    server_close();
}

/* Runs it and looks at result and cause and at how often it was done in all. */
static void expect(const struct xc_order *order, enum xc_result result, enum xc_cause cause,
                   unsigned calls)
{
    struct xc_outcome outcome;

    run(order, &outcome);
    g_test_message("%s", outcome.text);
    g_assert_cmpint((int)outcome.result, ==, (int)result);
    g_assert_cmpint((int)outcome.cause, ==, (int)cause);
    g_assert_cmpuint(pool.calls, ==, calls);
    end(&outcome);
}

static void expect_ok(const struct xc_order *order, unsigned calls)
{
    expect(order, XC_RESULT_OK, XC_CAUSE_NONE, calls);
}

/* --- what is asked */

static void test_methods(void)
{
    static const struct {
        enum xc_action action;
        const char *host, *from, *to, *words[3];
    } cases[] = {
        {XC_ACTION_START, "", "Halted", "Running", {"Async.VM.start<", "<boolean>0</boolean>"}},
        {XC_ACTION_START, "xen2", "Halted", "Running", {"Async.VM.start_on<", HOST_REF}},
        {XC_ACTION_SHUTDOWN, "", "Running", "Halted", {"Async.VM.clean_shutdown<", VM_REF}},
        {XC_ACTION_DESTROY, "", "Running", "Halted", {"Async.VM.hard_shutdown<"}},
        {XC_ACTION_REBOOT, "", "Running", "Running", {"Async.VM.clean_reboot<"}},
        {XC_ACTION_RESET, "", "Running", "Running", {"Async.VM.hard_reboot<"}},
        {XC_ACTION_PAUSE, "", "Running", "Paused", {"Async.VM.pause<"}},
        {XC_ACTION_UNPAUSE, "", "Paused", "Running", {"Async.VM.unpause<"}},
        {XC_ACTION_SUSPEND, "", "Running", "Suspended", {"Async.VM.suspend<"}},
        {XC_ACTION_RESUME, "", "Suspended", "Running", {"Async.VM.resume<"}},
        {XC_ACTION_RESUME, "xen2", "Suspended", "Running", {"Async.VM.resume_on<", HOST_REF}},
        {XC_ACTION_MIGRATE,
         "xen2",
         "Running",
         "Running",
         {"Async.VM.pool_migrate<", HOST_REF, "<name>live</name>"}},
        {XC_ACTION_SET_MEMORY,
         "",
         "Paused",
         "Running",
         {"Async.VM.set_memory_dynamic_range<", "<string>536870912</string>"}},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct xc_order order = order_of(cases[i].action, false);
        struct xc_outcome outcome;

        begin(cases[i].from, cases[i].to);
        order.host_to = (char *)(uintptr_t)cases[i].host;
        order.amount = 512;
        if (*cases[i].host)
            pool.end_host = HOST_REF;
        run(&order, &outcome);
        g_test_message("%s", outcome.text);
        g_assert_cmpint((int)outcome.result, ==, (int)XC_RESULT_OK);
        g_assert_cmpuint(pool.calls, ==, 1);
        g_assert_true(pool.destroyed);
        for (unsigned w = 0; w < 3 && cases[i].words[w]; w++)
            g_assert_nonnull(strstr(pool.last, cases[i].words[w]));
        end(&outcome);
    }
}

static void test_not_supported(void)
{
    struct xc_order order = order_of(XC_ACTION_NMI, false);

    begin("Running", "Running");
    expect(&order, XC_RESULT_FAILED, XC_CAUSE_NOT_SUPPORTED, 0);
    begin("Running", "Running");
    order = order_of(XC_ACTION_MIGRATE, false);
    order.host_to = (char *)"xen9";
    order.target.key = (char *)"pool2";
    expect(&order, XC_RESULT_FAILED, XC_CAUSE_NOT_SUPPORTED, 0);
}

static void test_check_migrate(void)
{
    struct xc_order order = order_of(XC_ACTION_CHECK_MIGRATE, false);

    order.host_to = (char *)"xen2";
    begin("Running", "Running");
    expect_ok(&order, 0);
    begin("Running", "Running");
    pool.refusal = "VM_REQUIRES_SR|" VM_REF "|" REF("sr");
    expect(&order, XC_RESULT_FAILED, XC_CAUSE_NO_STORAGE, 0);
}

/* --- how it ends */

static void test_failures(void)
{
    static const struct {
        const char *refusal, *task_end;
        enum xc_cause cause;
        unsigned calls;
    } cases[] = {
        {"VM_BAD_POWER_STATE|" VM_REF "|halted|running", "", XC_CAUSE_BAD_STATE, 0},
        {"OTHER_OPERATION_IN_PROGRESS|VM|x|start|y", "", XC_CAUSE_BUSY, 0},
        {NULL, "HOST_NOT_ENOUGH_FREE_MEMORY", XC_CAUSE_NO_MEMORY, 1},
        {NULL, "VM_SHUTDOWN_TIMEOUT", XC_CAUSE_GUEST_IGNORED, 1},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct xc_order order = order_of(XC_ACTION_START, false);

        begin("Halted", "Running");
        pool.refusal = cases[i].refusal;
        pool.task_end = cases[i].task_end;
        expect(&order, XC_RESULT_FAILED, cases[i].cause, cases[i].calls);
    }
}

static void test_gone(void)
{
    struct xc_order order = order_of(XC_ACTION_START, false);

    begin("Halted", "Running");
    pool.gone = true;
    expect(&order, XC_RESULT_FAILED, XC_CAUSE_NO_SUCH_TARGET, 0);
}

static void test_cancel(void)
{
    struct xc_order order = order_of(XC_ACTION_SHUTDOWN, false);

    begin("Running", "Halted");
    pool.looks = 1000;
    pool.cancellable = true;
    cancel_at_once = true;
    expect(&order, XC_RESULT_CANCELLED, XC_CAUSE_CANCELLED, 1);
    cancel_at_once = false;
}

static void test_time_is_over(void)
{
    struct xc_order order = order_of(XC_ACTION_SHUTDOWN, false);

    begin("Running", "Halted");
    pool.looks = 1000;
    pool.cancellable = true;
    order.timeout_usec = XC_USEC_PER_SEC / 2;
    expect(&order, XC_RESULT_TIMED_OUT, XC_CAUSE_TIMED_OUT, 1);
}

/* --- once */

/* The answer with the task's reference is lost: what runs on the VM is followed. */
static void test_answer_lost(void)
{
    struct xc_order order = order_of(XC_ACTION_START, false);

    begin("Halted", "Running");
    pool.lose_answer = 1;
    pool.doing = "start";
    expect_ok(&order, 1);
}

/* The call itself is lost: no task of it, so it is made again. */
static void test_call_lost(void)
{
    struct xc_order order = order_of(XC_ACTION_MIGRATE, false);

    order.host_to = (char *)"xen2";
    begin("Running", "Running");
    pool.end_host = HOST_REF;
    pool.lose_answer = 1;
    expect_ok(&order, 1);
}

/* The pool is not there for a while in the middle of it. */
static void test_outage(void)
{
    struct xc_order order = order_of(XC_ACTION_START, true);

    begin("Halted", "Running");
    marked(1, true);
    pool.dead = 2;
    pool.looks = 2;
    expect_ok(&order, 0);
}

static void test_attach(void)
{
    struct xc_order order = order_of(XC_ACTION_START, true);

    /* Never begun, though an earlier operation was. */
    begin("Halted", "Running");
    marked(7, true);
    expect_ok(&order, 1);
    /* Begun, and its task is known. */
    begin("Halted", "Running");
    marked(1, true);
    expect_ok(&order, 0);
    /* Its task is forgotten: a VM that runs was started. */
    begin("Running", "Running");
    marked(1, true);
    pool.task_end = NULL;
    expect_ok(&order, 0);
    begin("Halted", "Running");
    marked(1, true);
    pool.task_end = NULL;
    expect(&order, XC_RESULT_LOST, XC_CAUSE_LOST, 0);
    /* Marked, and no task of the method since: the call never arrived. */
    begin("Halted", "Running");
    marked(1, false);
    expect_ok(&order, 1);
    /* Or it did, and the pool forgot its task: a VM that runs is not started again. */
    begin("Running", "Running");
    marked(1, false);
    expect_ok(&order, 0);
    /* A task of before says nothing. */
    begin("Halted", "Running");
    marked(1, false);
    pool.others = 1;
    pool.created = "20261121T22:56:56Z";
    expect_ok(&order, 1);
    /* One of after may be ours. */
    begin("Halted", "Running");
    marked(1, false);
    pool.others = 1;
    expect(&order, XC_RESULT_LOST, XC_CAUSE_LOST, 0);
    /* While it runs there is hope. */
    begin("Halted", "Running");
    marked(1, false);
    pool.others = 1;
    pool.others_run = true;
    expect_ok(&order, 0);
    /* Another operation came after it. */
    begin("Halted", "Running");
    marked(1, true);
    marked(2, true);
    expect(&order, XC_RESULT_LOST, XC_CAUSE_LOST, 0);
}

/* Of a reboot no state tells. */
static void test_attach_reboot(void)
{
    struct xc_order order = order_of(XC_ACTION_REBOOT, true);

    begin("Running", "Running");
    marked(1, true);
    pool.task_end = NULL;
    expect(&order, XC_RESULT_LOST, XC_CAUSE_LOST, 0);
    /* Marked, and no task: it never arrived ... */
    begin("Running", "Running");
    marked(1, false);
    pool.toolstack = "1795301816.";
    expect_ok(&order, 1);
    /* ... as far as the toolstack, which forgets all when it begins, can know. */
    begin("Running", "Running");
    marked(1, false);
    pool.toolstack = "1795301817.5";
    expect(&order, XC_RESULT_LOST, XC_CAUSE_LOST, 0);
    begin("Running", "Running");
    marked(1, false);
    expect(&order, XC_RESULT_LOST, XC_CAUSE_LOST, 0);
}

/* A VM that was shut down and then removed was shut down. */
static void test_attach_gone(void)
{
    struct xc_order order = order_of(XC_ACTION_SHUTDOWN, true);

    begin("Running", "Halted");
    pool.gone = true;
    expect_ok(&order, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/xapi-actions/methods", test_methods);
    g_test_add_func("/xapi-actions/not-supported", test_not_supported);
    g_test_add_func("/xapi-actions/check-migrate", test_check_migrate);
    g_test_add_func("/xapi-actions/failures", test_failures);
    g_test_add_func("/xapi-actions/gone", test_gone);
    g_test_add_func("/xapi-actions/cancel", test_cancel);
    g_test_add_func("/xapi-actions/time-is-over", test_time_is_over);
    g_test_add_func("/xapi-actions/answer-lost", test_answer_lost);
    g_test_add_func("/xapi-actions/call-lost", test_call_lost);
    g_test_add_func("/xapi-actions/outage", test_outage);
    g_test_add_func("/xapi-actions/attach", test_attach);
    g_test_add_func("/xapi-actions/attach-reboot", test_attach_reboot);
    g_test_add_func("/xapi-actions/attach-gone", test_attach_gone);
    return g_test_run();
}
