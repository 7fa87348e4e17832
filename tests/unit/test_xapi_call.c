/* XAPI's calls: parameters as they go out, the envelope of what comes back, and what its errors mean. */
#include "tests/unit/xapi_fixture.h"
#include "xenclient/drivers/xapi_error.h"
#include "xenclient/drivers/xapi_mark.h"
#include "xenclient/drivers/xapi_task.h"

/* --- requests */

static void test_request(void)
{
    static const char *const classes[] = {"VM", "task", NULL};
    static const char *const options[] = {"live", "true", NULL};
    g_autoptr(xapi_args) args = xapi_args_new("event.from");
    g_autoptr(GError) error = NULL;
    size_t length = 0;
    char *body;

    xapi_args_texts(args, classes);
    xapi_args_text(args, "a<b>&\xc3\xa9");
    xapi_args_int(args, INT64_C(-9007199254740993));
    xapi_args_double(args, 30);
    xapi_args_flag(args, true);
    xapi_args_map(args, options);
    xapi_args_secret(args, "pa<ss>&]]>word");
    body = xapi_args_encode(args, "OpaqueRef:session", &length, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(strlen(body), ==, length);
    g_assert_nonnull(strstr(body, "<methodName>event.from</methodName>"));
    g_assert_nonnull(strstr(body, "<string>VM</string>"));
    g_assert_nonnull(strstr(body, "<string>a&lt;b&gt;&amp;\xc3\xa9</string>"));
    g_assert_nonnull(strstr(body, "<string>-9007199254740993</string>"));
    g_assert_nonnull(strstr(body, "<double>30"));
    g_assert_nonnull(strstr(body, "<boolean>1</boolean>"));
    g_assert_nonnull(strstr(body, "<name>live</name>"));
    g_assert_nonnull(strstr(body, "<string>pa&lt;ss&gt;&amp;]]&gt;word</string>"));
    g_assert_nonnull(strstr(body, "<string>OpaqueRef:session</string>"));
    g_assert_true(strstr(body, "OpaqueRef:session") < strstr(body, "<string>VM</string>"));
    g_assert_null(strstr(body, "secret-"));
    xapi_wipe(body, length);
    /* Made again without a session it has none. */
    body = xapi_args_encode(args, NULL, &length, &error);
    g_assert_no_error(error);
    g_assert_null(strstr(body, "OpaqueRef:session"));
    xapi_wipe(body, length);
}

/* Each secret in its place, also where a map has several. */
static void test_secret_map(void)
{
    static const char *const open[] = {"host", "first", NULL};
    static const char *const closed[] = {"session_id", "a<b", "SM", "second", "z", "third", NULL};
    g_autoptr(xapi_args) args = xapi_args_new("VM.migrate_send");
    g_autoptr(GError) error = NULL;
    size_t length;
    char *body;

    xapi_args_secret_map(args, closed);
    xapi_args_map(args, open);
    xapi_args_secret(args, "fourth");
    body = xapi_args_encode(args, "OpaqueRef:session", &length, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(strlen(body), ==, length);
    g_assert_true(g_regex_match_simple("session_id</name>\\s*<value><string>a&lt;b<.*"
                                       "SM</name>\\s*<value><string>second<.*"
                                       "z</name>\\s*<value><string>third<.*"
                                       "host</name>\\s*<value><string>first<.*fourth<",
                                       body, G_REGEX_DOTALL, 0));
    g_assert_null(strstr(body, "secret-"));
    xapi_wipe(body, length);
}

static void test_request_not_utf8(void)
{
    g_autoptr(xapi_args) args = xapi_args_new("VM.get_by_uuid");
    g_autoptr(GError) error = NULL;
    size_t length;

    xapi_args_text(args, "\xff");
    g_assert_null(xapi_args_encode(args, "s", &length, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_BAD_VALUE);
}

/* What no contract test has seen is not sent: there is no connection here. */
static void test_unlisted(void)
{
    static const char *const none[] = {NULL};
    g_autoptr(xapi_args) listed = xapi_args_new("Async.VM.pool_migrate");
    g_autoptr(xapi_args) unlisted = xapi_args_new("VM.dance");
    g_autoptr(GPtrArray) words = NULL;
    g_autoptr(GError) error = NULL;

    xapi_args_text(listed, "OpaqueRef:vm");
    xapi_args_text(listed, "OpaqueRef:host");
    g_assert_false(xapi_args_check(listed, NULL));
    xapi_args_map(listed, none);
    g_assert_true(xapi_args_check(listed, NULL));
    xapi_args_flag(listed, true);
    g_assert_false(xapi_call(NULL, listed, "s", NULL, &words, NULL, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_INTERNAL);
    g_assert_nonnull(strstr(error->message, "Async.VM.pool_migrate with the parameters \"ssmb\""));
    g_assert_null(words);
    g_assert_false(xapi_args_check(unlisted, NULL));
}

/* --- envelopes */

static void test_success(void)
{
    g_autofree char *answer = xapi_fixture("login-ok.xml");

    for (size_t piece = 1; piece < 400; piece += 57) {
        g_autoptr(GString) text = g_string_new(NULL);
        const struct xapi_want want = {&xapi_scalar_sink, text, 0};
        g_autoptr(GPtrArray) words = NULL;
        g_autoptr(GError) error = NULL;

        g_assert_true(xapi_read(answer, piece, &want, &words, &error));
        g_assert_no_error(error);
        g_assert_cmpstr(text->str, ==, "OpaqueRef:00000abc-0000-4000-8000-000000000abc");
    }
}

/* The error that an answer becomes. */
static GError *refusal(const char *answer)
{
    g_autoptr(GPtrArray) words = NULL;
    g_autoptr(GError) none = NULL;
    GError *error = NULL;

    g_assert_false(xapi_read(answer, 100, NULL, &words, &none));
    g_assert_no_error(none);
    g_assert_nonnull(words);
    g_assert_false(xapi_refused(&error, "VM.start", words));
    return error;
}

static void test_failures(void)
{
    static const struct {
        const char *fixture, *text;
        enum xc_cause cause;
    } cases[] = {
        {"login-bad.xml", "VM.start: SESSION_AUTHENTICATION_FAILED (root, Authentication failure)",
         XC_CAUSE_AUTH_FAILED},
        {"login-slave.xml", "VM.start: HOST_IS_SLAVE (192.0.2.10)", XC_CAUSE_TRANSPORT},
        {"session-invalid.xml", "VM.start: SESSION_INVALID", XC_CAUSE_TRANSPORT},
        {"vm-bad-power-state.xml", "VM.start: VM_BAD_POWER_STATE (halted, running)",
         XC_CAUSE_BAD_STATE},
        {"other-operation.xml", "VM.start: OTHER_OPERATION_IN_PROGRESS (VM, clean_shutdown)",
         XC_CAUSE_BUSY},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *answer = xapi_fixture(cases[i].fixture);
        g_autoptr(GError) error = refusal(answer);

        g_assert_error(error, XC_ERROR, (int)cases[i].cause);
        g_assert_cmpstr(error->message, ==, cases[i].text);
    }
}

static void test_hostile_words(void)
{
    g_autofree char *filler = g_strnfill(100000, 'x');
    g_autofree char *words = g_strconcat("NEW_CODE|a\nb%s%n|", filler, "|", filler, NULL);
    g_autofree char *answer = xapi_failure(words);
    g_autoptr(GError) error = refusal(answer);

    g_assert_error(error, XC_ERROR, XC_CAUSE_DRIVER_ERROR);
    g_assert_true(g_str_has_prefix(error->message, "VM.start: NEW_CODE (a?b%s%n, xxx"));
    g_assert_cmpuint(strlen(error->message), <, 1000);
}

static void test_no_answers(void)
{
    static const char *const answers[] = {
        "",
        "<html><body>HTTP 500</body></html>",
        "<methodResponse><params><param><value>text</value></param></params></methodResponse>",
        "<methodResponse><params><param><value><struct></struct></value></param></params>"
        "</methodResponse>",
        "<methodResponse><params><param><value><struct><member><name>Status</name><value>Success"
        "</value></member></struct></value></param></params></methodResponse>",
        "<methodResponse><params><param><value><struct><member><name>Status</name><value>Failure"
        "</value></member></struct></value></param></params></methodResponse>",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(answers); i++) {
        g_autoptr(GPtrArray) words = NULL;
        g_autoptr(GError) error = NULL;

        g_test_message("%s", answers[i]);
        g_assert_false(xapi_read(answers[i], 50, NULL, &words, &error));
        g_assert_null(words);
        g_assert_error(error, XC_ERROR, XC_CAUSE_DRIVER_ERROR);
    }
}

static void test_fault(void)
{
    g_autoptr(GError) error =
        refusal("<methodResponse><fault><value><struct><member><name>faultCode</name><value><i4>1"
                "</i4></value></member><member><name>faultString</name><value>no such method"
                "</value></member></struct></value></fault></methodResponse>");

    g_assert_error(error, XC_ERROR, XC_CAUSE_DRIVER_ERROR);
    g_assert_cmpstr(error->message, ==, "VM.start: no such method");
}

/* --- tasks */

static void test_tasks(void)
{
    static const struct {
        const char *fixture;
        enum xapi_task_status status;
        int percent;
        bool may_cancel;
        const char *words;
    } cases[] = {
        {"task-pending.xml", XAPI_TASK_PENDING, 25, true, ""},
        {"task-success.xml", XAPI_TASK_SUCCESS, 100, false, ""},
        {"task-failure.xml", XAPI_TASK_FAILURE, 100, false,
         "HOST_NOT_ENOUGH_FREE_MEMORY (4332716032, 1073741824)"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *answer = xapi_fixture(cases[i].fixture);
        struct xapi_task task;
        const struct xapi_want want = {&xapi_task_sink, &task, 0};
        g_autoptr(GPtrArray) none = NULL;
        g_autoptr(GError) error = NULL;
        g_autofree char *words = NULL;

        xapi_task_init(&task);
        g_assert_true(xapi_read(answer, 333, &want, &none, &error));
        words = xapi_words(task.words);
        g_assert_cmpint((int)task.status, ==, (int)cases[i].status);
        g_assert_cmpint(task.percent, ==, cases[i].percent);
        g_assert_cmpint(task.may_cancel, ==, cases[i].may_cancel);
        g_assert_cmpint(task.created, ==, 1795301817);
        g_assert_cmpstr(words, ==, cases[i].words);
        xapi_task_clear(&task);
    }
}

/* Sessions are shown to nobody, also as a part of what pools say of each other. */
static void test_words_with_secrets(void)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    g_autofree char *text = NULL;

    g_ptr_array_add(words, (char *)"VM_MIGRATE_FAILED");
    g_ptr_array_add(words, (char *)"https://a/services/SM?session_id=OpaqueRef:1");
    g_ptr_array_add(words, (char *)"OpaqueRef:2");
    g_ptr_array_add(words, (char *)"too far");
    text = xapi_words(words);
    g_assert_cmpstr(text, ==, "VM_MIGRATE_FAILED (too far)");
}

/* --- marks */

static struct xc_uuid uuid(unsigned n)
{
    return (struct xc_uuid){{(uint8_t)n, [15] = 7}};
}

static void test_marks(void)
{
    g_autofree char *text = NULL;
    struct xapi_mark mark;

    xapi_mark_parse(&mark, NULL);
    for (unsigned n = 1; n <= 7; n++) {
        const struct xc_uuid op = uuid(n);

        g_free(text);
        text = xapi_mark_format(&mark, &op, 1000 + n);
        g_assert_cmpuint(strlen(text), <=, 255); /* what is kept of a text from outside */
        xapi_mark_parse(&mark, text);
        g_assert_cmpint(mark.seconds, ==, 1000 + n);
    }
    for (unsigned n = 1; n <= 8; n++) {
        const struct xc_uuid op = uuid(n);

        g_assert_cmpint((int)xapi_mark_find(&mark, &op), ==,
                        n == 7            ? (int)XAPI_MARK_LAST
                        : n >= 3 && n < 7 ? (int)XAPI_MARK_BEFORE
                                          : (int)XAPI_MARK_NOT);
    }
}

static void test_bad_marks(void)
{
    static const char *const texts[] = {"",
                                        "x",
                                        "00000000-0000-4000-8000-000000000001",
                                        "00000000-0000-4000-8000-000000000001 -5",
                                        "00000000-0000-4000-8000-000000000001 99999999999999999",
                                        "00000000-0000-4000-8000-00000000000g 5"};

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        struct xapi_mark mark;

        xapi_mark_parse(&mark, texts[i]);
        g_assert_true(xc_uuid_is_nil(&mark.op));
    }
}

static void test_task_marks(void)
{
    const struct xc_uuid op = uuid(1);
    const struct xc_uuid other = uuid(2);
    g_autofree char *text = xapi_task_mark_format(&op, "OpaqueRef:task");
    g_autofree char *task = xapi_task_mark_of(text, &op);

    g_assert_cmpstr(task, ==, "OpaqueRef:task");
    g_assert_null(xapi_task_mark_of(text, &other));
    g_assert_null(xapi_task_mark_of(NULL, &op));
    g_assert_null(xapi_task_mark_of("x y z", &op));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/xapi-call/request", test_request);
    g_test_add_func("/xapi-call/secret-map", test_secret_map);
    g_test_add_func("/xapi-call/words-with-secrets", test_words_with_secrets);
    g_test_add_func("/xapi-call/request-not-utf8", test_request_not_utf8);
    g_test_add_func("/xapi-call/unlisted", test_unlisted);
    g_test_add_func("/xapi-call/success", test_success);
    g_test_add_func("/xapi-call/failures", test_failures);
    g_test_add_func("/xapi-call/hostile-words", test_hostile_words);
    g_test_add_func("/xapi-call/no-answers", test_no_answers);
    g_test_add_func("/xapi-call/fault", test_fault);
    g_test_add_func("/xapi-call/tasks", test_tasks);
    g_test_add_func("/xapi-call/marks", test_marks);
    g_test_add_func("/xapi-call/bad-marks", test_bad_marks);
    g_test_add_func("/xapi-call/task-marks", test_task_marks);
    return g_test_run();
}
