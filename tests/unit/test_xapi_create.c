/* VMs from a template of a pool that is a few variables: whatever state whoever comes back finds, there is one VM or none. */
#include "xenclient/drivers/xapi_actions.h"

#include "tests/unit/xapi_server.h"
#include "xenclient/drivers/xapi_mark.h"

#define CLOCK    "20261121T22:56:57Z"
#define EARLIER  "20261121T22:56:56Z"
#define TEMPLATE REF("t1")
#define OP       "01000000-0000-0000-0000-000000000009"
#define FIRST    "new (xensnmp " OP ")"

/* The pool. Tasks are over when they are looked at, but for those that `run`. */
static struct {
    bool fence, fence_ended;
    const char *vm; /* its name; NULL: there is none. This and others: interned */
    const char *made, *disks, *power, *doing, *mark, *task_mark;
    bool is_template;
    bool taken;         /* another VM has the name */
    unsigned templates; /* of that name */
    const char *others; /* when another clone was begun; NULL: none */
    unsigned others_run;
    const char *provision_end, *start_end; /* error_info */
    const char *lose;                      /* the answer to this method, once */
    const char *kept_disk;                 /* refusal to destroy a disk; NULL none */
    unsigned copies, provisions, starts, destroyed, disks_destroyed;
} pool;

static const char *text_of(const char *body, unsigned at)
{
    const char *begin = body;

    for (unsigned i = 0; i <= at; i++) {
        begin = strstr(begin, "<string>");
        g_assert_nonnull(begin);
        begin += 8;
    }
    g_autofree char *text = g_strndup(begin, (gsize)(strstr(begin, "</string>") - begin));

    return g_intern_string(text);
}

static void make_vm(const char *name, bool is_template)
{
    pool.vm = g_intern_string(name);
    pool.is_template = is_template;
    pool.power = "Halted";
}

static char *vm_record(const char *ref)
{
    bool template = strcmp(ref, TEMPLATE) == 0;
    g_autofree char *record = NULL;

    if (template || strcmp(ref, REF("x")) == 0)
        record = g_strdup_printf("<struct>" FLAG("is_a_template", "%d")
                                     FIELD("power_state", "Halted") "</struct>",
                                 template);
    else if (!pool.vm)
        return xapi_failure("HANDLE_INVALID|VM|x");
    else
        record = g_strdup_printf(
            "<struct>" FIELD("uuid", UUID_OF("a", "1")) FIELD("name_label", "%s")
                FIELD("power_state", "%s") FLAG("is_a_template", "%d")
                    FIELD("current_operations", "<struct>%s%s%s</struct>")
                        FIELD("other_config",
                              "<struct>" FIELD("xensnmp-made", "%s") FIELD("disks", "%s")
                                  FIELD("xensnmp-op", "%s")
                                      FIELD("xensnmp-task", "%s") "</struct>") "</struct>",
            pool.vm, pool.power, pool.is_template,
            *pool.doing ? "<member><name>" REF("provision") "</name><value>" : "", pool.doing,
            *pool.doing ? "</value></member>" : "", pool.made, pool.disks, pool.mark,
            pool.task_mark);
    return xapi_success(record);
}

/* A set that has it n times. */
static char *refs_of(const char *ref, unsigned n)
{
    g_autoptr(GString) list = g_string_new("<array><data>");

    for (unsigned i = 0; i < n; i++)
        g_string_append_printf(list, "<value>%s</value>", ref);
    g_string_append(list, "</data></array>");
    return xapi_success(list->str);
}

static char *vms_of_name(const char *name)
{
    if (strcmp(name, "debian") == 0)
        return refs_of(TEMPLATE, pool.templates);
    if (pool.vm && strcmp(name, pool.vm) == 0)
        return refs_of(REF("v"), 1);
    return refs_of(REF("x"), pool.taken && strcmp(name, "new") == 0);
}

static char *tasks_of_name(const char *name)
{
    if (strcmp(name, "xensnmp " OP) == 0)
        return refs_of(REF("fence"), pool.fence);
    return refs_of(REF("other"), pool.others && strcmp(name, "Async.VM.clone") == 0);
}

/* What a task does shows when it is over. */
static const char *end_of(const char *ref)
{
    if (strcmp(ref, REF("provision")) == 0) {
        pool.doing = "";
        pool.is_template = false;
        if (!*pool.provision_end)
            pool.disks = "";
        return pool.provision_end;
    }
    if (strcmp(ref, REF("start")) == 0) {
        if (!*pool.start_end)
            pool.power = "Running";
        return pool.start_end;
    }
    return "";
}

static char *task_record(const char *ref)
{
    bool other = strcmp(ref, REF("other")) == 0;
    bool fence = strcmp(ref, REF("fence")) == 0;
    bool pending = fence || (other && pool.others_run > 0);
    const char *end = pending ? "" : end_of(ref);
    g_autofree char *record = g_strdup_printf(
        "<struct>" FIELD("status", "%s") DATE("created", "%s")
            FIELD("error_info", "<array><data>%s%s%s</data></array>") "</struct>",
        pending ? "pending"
        : *end  ? "failure"
                : "success",
        other ? pool.others : CLOCK, *end ? "<value>" : "", end, *end ? "</value>" : "");

    if (other && pool.others_run > 0 && --pool.others_run == 0)
        make_vm(FIRST, true);
    return xapi_success(record);
}

static char *change_config(const char *method, const char *body)
{
    const char *key = text_of(body, 2);
    const char **to = strcmp(key, XAPI_MADE_KEY) == 0   ? &pool.made
                      : strcmp(key, XAPI_MARK_KEY) == 0 ? &pool.mark
                                                        : &pool.task_mark;

    *to = strstr(method, "add_to") ? text_of(body, 3) : "";
    return xapi_success("");
}

static char *async(const char *method, const char *body)
{
    if (strcmp(method, "Async.VM.clone") == 0) {
        g_assert_true(pool.fence); /* the intent comes first */
        g_assert_cmpstr(text_of(body, 1), ==, TEMPLATE);
        g_assert_cmpstr(text_of(body, 2), ==, FIRST);
        pool.copies++;
        make_vm(FIRST, true);
        pool.disks = "some";
        return xapi_success(REF("copy"));
    }
    g_assert_cmpstr(pool.made, ==, OP); /* and it is known whose it is */
    g_assert_cmpstr(pool.vm, ==, "new");
    if (strcmp(method, "Async.VM.provision") == 0) {
        if (!pool.is_template)
            return xapi_failure("PROVISION_ONLY_ALLOWED_ON_TEMPLATE");
        pool.provisions++;
        pool.is_template = false;
        pool.doing = "provision";
        return xapi_success(REF("provision"));
    }
    g_assert_cmpstr(method, ==, "Async.VM.start");
    g_assert_cmpstr(pool.disks, ==, "");
    pool.starts++;
    return xapi_success(REF("start"));
}

static char *change(const char *method, const char *body)
{
    if (strcmp(method, "task.create") == 0) {
        pool.fence = true;
        return xapi_success(REF("fence"));
    }
    if (strcmp(method, "task.set_status") == 0)
        pool.fence_ended = true;
    else if (strcmp(method, "task.destroy") == 0 && strstr(body, REF("fence")))
        pool.fence = !pool.fence_ended;
    else if (strcmp(method, "VM.set_name_label") == 0)
        pool.vm = text_of(body, 2);
    else if (strcmp(method, "VDI.destroy") == 0 && pool.kept_disk)
        return xapi_failure(pool.kept_disk);
    else if (strcmp(method, "VDI.destroy") == 0)
        pool.disks_destroyed++;
    else if (strcmp(method, "VM.destroy") == 0) {
        g_assert_cmpstr(pool.power, ==, "Halted");
        pool.vm = NULL;
        pool.destroyed++;
    }
    return xapi_success("");
}

static const struct {
    const char *method, *value;
} fixed[] = {
    {"session.login_with_password", REF("s")},
    {"session.logout", ""},
    {"pool.get_all", "<array><data><value>" REF("p") "</value></data></array>"},
    {"pool.get_master", REF("h1")},
    {"host.get_servertime", "<dateTime.iso8601>" CLOCK "</dateTime.iso8601>"},
    {"VM.assert_operation_valid", ""},
    {"VM.get_VBDs", "<array><data><value>" REF("b") "</value></data></array>"},
    {"VBD.get_type", "Disk"},
    {"VBD.get_VDI", REF("d")},
    {"VDI.get_VBDs", "<array><data><value>" REF("b") "</value></data></array>"},
    {"VM.get_suspend_VDI", "OpaqueRef:NULL"},
};

static char *reply(const char *method, const char *body)
{
    for (size_t i = 0; i < G_N_ELEMENTS(fixed); i++)
        if (strcmp(fixed[i].method, method) == 0)
            return xapi_success(fixed[i].value);
    if (g_str_has_prefix(method, "Async."))
        return async(method, body);
    if (strcmp(method, "VM.get_by_name_label") == 0)
        return vms_of_name(text_of(body, 1));
    if (strcmp(method, "VM.get_by_uuid") == 0)
        return pool.templates ? xapi_success(TEMPLATE) : xapi_failure("UUID_INVALID|VM|x");
    if (strcmp(method, "VM.get_record") == 0)
        return vm_record(text_of(body, 1));
    if (strcmp(method, "task.get_by_name_label") == 0)
        return tasks_of_name(text_of(body, 1));
    if (strcmp(method, "task.get_record") == 0)
        return task_record(text_of(body, 1));
    if (strstr(method, "_other_config"))
        return change_config(method, body);
    return change(method, body);
}

static char *answer(const char *host, const char *method, const char *body, GError **error)
{
    char *text = reply(method, body);

    (void)host;
    if (g_strcmp0(pool.lose, method) != 0)
        return text;
    pool.lose = NULL;
    g_free(text);
    return server_down(error, XC_CAUSE_TRANSPORT);
}

/* --- */

static void begin(void)
{
    memset(&pool, 0, sizeof(pool));
    pool.made = pool.disks = pool.doing = pool.mark = pool.task_mark = "";
    pool.provision_end = pool.start_end = "";
    pool.templates = 1;
    server_open(answer);
}

/* As far as an earlier attempt came. */
static void found(const char *name, bool is_template, const char *disks)
{
    begin();
    pool.fence = true;
    make_vm(name, is_template);
    pool.disks = disks;
    if (strcmp(name, "new") == 0)
        pool.made = OP;
}

static struct xc_call call;
static const char *cancel_at; /* the phase in which the caller cancels; NULL: none */

static void hear(const char *phase, int progress, void *data)
{
    (void)progress;
    (void)data;
    if (g_strcmp0(cancel_at, phase) == 0)
        xc_call_cancel(&call);
}

/* Runs it; `words` are in the outcome's text. */
static void expect_of(const char *template, bool attach, enum xc_result result, enum xc_cause cause,
                      const char *words)
{
    struct xc_source_spec spec = server_spec();
    struct xc_driver_env env = server_env();
    struct xc_outcome outcome = {0};
    struct xc_order order = {.action = XC_ACTION_CREATE, .attach = attach};

    g_assert_true(xc_uuid_parse(OP, &order.op));
    order.name = (char *)"new";
    order.config = (char *)(uintptr_t) template;
    order.content = order.snapshot = order.host_from = order.host_to = order.boot_id = (char *)"";
    order.target = server_spec();
    order.target.key = (char *)"";
    g_assert_true(xc_call_init(&call, 30 * XC_USEC_PER_SEC, NULL));
    xapi_run(&spec, &env, &order, &call, hear, NULL, &outcome);
    xc_call_deinit(&call);
    g_test_message("%s", outcome.text);
    g_assert_cmpint((int)outcome.result, ==, (int)result);
    g_assert_cmpint((int)outcome.cause, ==, (int)cause);
    g_assert_nonnull(strstr(outcome.text, words));
    g_assert_false(pool.fence); /* it has no use any more */
    xc_outcome_clear(&outcome);
    server_close();
}

static void expect(bool attach, enum xc_result result, enum xc_cause cause, const char *words)
{
    expect_of("debian", attach, result, cause, words);
}

static void expect_made(bool attach, unsigned copies, unsigned provisions, unsigned starts)
{
    expect(attach, XC_RESULT_OK, XC_CAUSE_NONE, "");
    g_assert_cmpstr(pool.vm, ==, "new");
    g_assert_cmpstr(pool.power, ==, "Running");
    g_assert_cmpuint(pool.copies, ==, copies);
    g_assert_cmpuint(pool.provisions, ==, provisions);
    g_assert_cmpuint(pool.starts, ==, starts);
    g_assert_cmpuint(pool.destroyed, ==, 0);
}

static void test_made(void)
{
    begin();
    expect_made(false, 1, 1, 1);
    begin();
    expect_of(UUID_OF("c", "1"), false, XC_RESULT_OK, XC_CAUSE_NONE, "");
    g_assert_cmpuint(pool.copies, ==, 1);
}

/* Nothing has happened before it is clear what is meant. */
static void test_refused(void)
{
    begin();
    pool.templates = 2;
    expect(false, XC_RESULT_FAILED, XC_CAUSE_AMBIGUOUS, "2 templates");
    begin();
    pool.templates = 0;
    expect(false, XC_RESULT_FAILED, XC_CAUSE_NO_SUCH_TARGET, "no template debian");
    begin();
    pool.templates = 0;
    expect_of(UUID_OF("c", "1"), false, XC_RESULT_FAILED, XC_CAUSE_NO_SUCH_TARGET, "no template");
    begin();
    pool.taken = true;
    expect(false, XC_RESULT_FAILED, XC_CAUSE_BAD_STATE, "already");
    g_assert_cmpuint(server_asked("192.0.2.1 task.create"), ==, 0);
    /* Not begun before a crash is not begun at all. */
    begin();
    pool.templates = 2;
    expect(true, XC_RESULT_FAILED, XC_CAUSE_AMBIGUOUS, "2 templates");
}

static void test_answers_lost(void)
{
    static const char *const methods[] = {
        "task.create",       "Async.VM.clone",     "VM.add_to_other_config",
        "VM.set_name_label", "Async.VM.provision", "task.get_record"};

    for (size_t i = 0; i < G_N_ELEMENTS(methods); i++) {
        begin();
        pool.lose = methods[i];
        g_test_message("%s", methods[i]);
        expect_made(false, 1, 1, 1);
    }
}

/* --- coming back */

static void test_never_begun(void)
{
    begin();
    expect_made(true, 1, 1, 1);
}

static void test_intent_alone(void)
{
    begin();
    pool.fence = true;
    expect_made(true, 1, 1, 1);
    /* A copy of before says nothing. */
    begin();
    pool.fence = true;
    pool.others = EARLIER;
    expect_made(true, 1, 1, 1);
    /* One that goes on may be ours, and is. */
    begin();
    pool.fence = true;
    pool.others = CLOCK;
    pool.others_run = 2;
    expect_made(true, 0, 1, 1);
    /* One that is over may have been. */
    begin();
    pool.fence = true;
    pool.others = CLOCK;
    expect(true, XC_RESULT_LOST, XC_CAUSE_LOST, "whether it was copied");
    g_assert_cmpuint(pool.copies, ==, 0);
}

static void test_steps_that_were_done(void)
{
    found(FIRST, true, "some");
    expect_made(true, 0, 1, 1);
    found("new", true, "some");
    expect_made(true, 0, 1, 1);
    found("new", false, "some");
    pool.doing = "provision";
    expect_made(true, 0, 0, 1);
    found("new", false, "");
    expect_made(true, 0, 0, 1);
    /* It runs, and its start is on it. */
    found("new", false, "");
    pool.power = "Running";
    pool.mark = OP " 1795301817";
    pool.task_mark = OP " " REF("start");
    expect_made(true, 0, 0, 0);
}

/* A VM of that name which is not ours is none of our business. */
static void test_foreign(void)
{
    found("new", false, "some");
    pool.made = "02000000-0000-0000-0000-000000000009";
    expect(true, XC_RESULT_FAILED, XC_CAUSE_BAD_STATE, "already");
    g_assert_cmpuint(pool.copies + pool.starts + pool.destroyed, ==, 0);
    g_assert_cmpstr(pool.vm, ==, "new");
}

/* --- what is left of failures */

static void test_no_disks(void)
{
    begin();
    pool.provision_end = "SR_FULL";
    expect(false, XC_RESULT_FAILED, XC_CAUSE_NO_STORAGE, "SR_FULL");
    g_assert_null(pool.vm);
    g_assert_cmpuint(pool.disks_destroyed, ==, 1);
    /* Found so by whoever comes back. */
    found("new", false, "some");
    expect(true, XC_RESULT_FAILED, XC_CAUSE_DRIVER_ERROR, "not all made");
    g_assert_null(pool.vm);
    g_assert_cmpuint(pool.starts, ==, 0);
}

static void test_that_stays(void)
{
    begin();
    pool.provision_end = "SR_FULL";
    pool.kept_disk = "VDI_IN_USE|x";
    expect(false, XC_RESULT_FAILED, XC_CAUSE_NO_STORAGE,
           "VDI_IN_USE (x); it was made and stays, VM " UUID_OF("a", "1"));
    g_assert_cmpstr(pool.vm, ==, "new");
    begin();
    pool.start_end = "HOST_NOT_ENOUGH_FREE_MEMORY";
    expect(false, XC_RESULT_FAILED, XC_CAUSE_NO_MEMORY,
           "it was made and stays, VM " UUID_OF("a", "1"));
    g_assert_cmpstr(pool.power, ==, "Halted");
    g_assert_cmpuint(pool.destroyed, ==, 0);
}

static void test_cancelled(void)
{
    begin();
    cancel_at = "copying the template";
    expect(false, XC_RESULT_CANCELLED, XC_CAUSE_CANCELLED, "not gone on with");
    g_assert_null(pool.vm);
    g_assert_cmpuint(pool.provisions + pool.starts, ==, 0);
    begin();
    cancel_at = "making its disks";
    expect(false, XC_RESULT_CANCELLED, XC_CAUSE_CANCELLED, "not gone on with");
    g_assert_null(pool.vm);
    /* It is whole by then. */
    begin();
    cancel_at = "starting";
    expect(false, XC_RESULT_CANCELLED, XC_CAUSE_CANCELLED, "it was made and stays");
    g_assert_cmpstr(pool.vm, ==, "new");
    g_assert_cmpuint(pool.starts, ==, 0);
    cancel_at = NULL;
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/xapi-create/made", test_made);
    g_test_add_func("/xapi-create/refused", test_refused);
    g_test_add_func("/xapi-create/answers-lost", test_answers_lost);
    g_test_add_func("/xapi-create/never-begun", test_never_begun);
    g_test_add_func("/xapi-create/intent-alone", test_intent_alone);
    g_test_add_func("/xapi-create/steps-that-were-done", test_steps_that_were_done);
    g_test_add_func("/xapi-create/foreign", test_foreign);
    g_test_add_func("/xapi-create/no-disks", test_no_disks);
    g_test_add_func("/xapi-create/that-stays", test_that_stays);
    g_test_add_func("/xapi-create/cancelled", test_cancelled);
    return g_test_run();
}
