/* Sessions: who gets the password, who is asked when somebody does not answer, and what a lost session costs. */
#include "xenclient/drivers/xapi_session.h"

#include "tests/unit/xapi_server.h"

static struct {
    const char *coordinator;     /* who says that it is; others name it */
    const char *dead;            /* hosts that do not answer, separated by blanks */
    unsigned sessions, refusals; /* given; SESSION_INVALID still to be said */
    bool wrong_password;
    bool slaves_only; /* nobody is the coordinator */
} pool;

static char *as_slave(void)
{
    g_autofree char *words = g_strconcat("HOST_IS_SLAVE|", pool.coordinator, NULL);

    return xapi_failure(words);
}

static char *answer(const char *host, const char *method, const char *body, GError **error)
{
    g_autofree char *session = NULL;

    if (strstr(pool.dead, host))
        return server_down(error, XC_CAUSE_HOST_DOWN);
    if (pool.slaves_only || strcmp(host, pool.coordinator) != 0)
        return as_slave();
    if (strcmp(method, "session.login_with_password") == 0) {
        g_assert_nonnull(strstr(body, "<string>se&lt;cret</string>"));
        g_assert_nonnull(strstr(body, "<string>xensnmp/" XENSNMP_VERSION "</string>"));
        if (pool.wrong_password)
            return xapi_failure("SESSION_AUTHENTICATION_FAILED|root|no");
        session = g_strdup_printf("OpaqueRef:s%u", ++pool.sessions);
        return xapi_success(session);
    }
    session = g_strdup_printf("<string>OpaqueRef:s%u</string>", pool.sessions);
    /* Those that were there before are ended, too. */
    g_assert_true(strcmp(method, "session.logout") == 0 || strstr(body, session));
    if (pool.refusals > 0) {
        pool.refusals--;
        return xapi_failure("SESSION_INVALID|OpaqueRef:s1");
    }
    return xapi_success(strcmp(method, "pool.get_master") == 0 ? "xen1" : "");
}

static struct xc_source_spec spec;
static struct xc_driver_env env;
static struct xc_call call;

static void begin(const char *coordinator, const char *dead)
{
    memset(&pool, 0, sizeof(pool));
    pool.coordinator = coordinator;
    pool.dead = dead;
    server_open(answer);
    spec = server_spec();
    env = server_env();
    g_assert_true(xc_call_init(&call, 60 * XC_USEC_PER_SEC, NULL));
}

static void end(struct xapi_link *link)
{
    xapi_link_close(link);
    xc_call_deinit(&call);
    server_close();
}

static struct xapi_link *open_link(GError **error)
{
    return xapi_link_open(&spec, &env, &call, error);
}

static void set_members(struct xapi_link *link, const char *addresses)
{
    g_auto(GStrv) each = g_strsplit(addresses, " ", -1);
    g_autoptr(GPtrArray) members = g_ptr_array_new();

    for (char **address = each; *address; address++)
        g_ptr_array_add(members, *address);
    xapi_link_set_members(link, members);
}

static char *ask(struct xapi_link *link, GError **error)
{
    g_autoptr(xapi_args) args = xapi_args_new("pool.get_master");
    g_autoptr(GString) text = g_string_new(NULL);
    const struct xapi_want want = {&xapi_scalar_sink, text, 0};

    xapi_args_text(args, "OpaqueRef:pool");
    return xapi_link_call(link, args, &want, &call, error) ? g_strdup(text->str) : NULL;
}

/* --- */

static void test_login(void)
{
    g_autoptr(GError) error = NULL;
    struct xapi_link *link;
    g_autofree char *name = NULL;

    begin("192.0.2.1", "");
    link = open_link(&error);
    g_assert_no_error(error);
    name = ask(link, &error);
    g_assert_cmpstr(name, ==, "xen1");
    g_assert_cmpstr(xapi_link_session(link), ==, "OpaqueRef:s1");
    xapi_link_close(link);
    g_assert_cmpuint(server_asked("192.0.2.1 session.logout"), ==, 1);
    end(NULL);
}

/* Of a pool that is not known yet one step is taken to the coordinator, and no second one. */
static void test_first_hop(void)
{
    g_autoptr(GError) error = NULL;
    struct xapi_link *link;

    begin("192.0.2.2", "");
    link = open_link(&error);
    g_assert_no_error(error);
    g_assert_cmpstr(xapi_link_address(link), ==, "192.0.2.2");
    end(link);
}

static char *chain(const char *host, const char *method, const char *body, GError **error)
{
    (void)method;
    (void)body;
    (void)error;
    return xapi_failure(strcmp(host, "192.0.2.1") == 0 ? "HOST_IS_SLAVE|192.0.2.2"
                                                       : "HOST_IS_SLAVE|192.0.2.66");
}

static void test_second_hop(void)
{
    g_autoptr(GError) error = NULL;

    begin("192.0.2.2", "");
    server.answer = chain;
    g_assert_null(open_link(&error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_WRONG_HOST);
    g_assert_cmpuint(server_asked("192.0.2.66 session.login_with_password"), ==, 0);
    end(NULL);
}

/* Once the pool is known a stranger gets no password, whoever names it. */
static void test_stranger(void)
{
    g_autoptr(GError) error = NULL;
    struct xapi_link *link;

    begin("192.0.2.1", "");
    link = open_link(&error);
    set_members(link, "192.0.2.1 192.0.2.2");
    pool.coordinator = "192.0.2.66";
    g_assert_null(ask(link, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_WRONG_HOST);
    g_assert_nonnull(strstr(error->message, "192.0.2.66"));
    g_assert_null(strstr(server.log->str, "192.0.2.66 "));
    end(link);
}

/* The coordinator is gone: the members are asked in turn, also by the next connection. */
static void test_coordinator_dies(void)
{
    g_autoptr(GError) error = NULL;
    struct xapi_link *link;
    g_autofree char *name = NULL;

    begin("192.0.2.1", "");
    link = open_link(&error);
    set_members(link, "192.0.2.1 192.0.2.2 192.0.2.3");
    pool.coordinator = "192.0.2.3";
    pool.dead = "192.0.2.1";
    g_assert_null(ask(link, &error)); /* it may have been done: nothing is repeated unasked */
    g_assert_error(error, XC_ERROR, XC_CAUSE_HOST_DOWN);
    g_clear_error(&error);
    xapi_link_close(link);
    link = open_link(&error);
    g_assert_no_error(error);
    g_assert_cmpstr(xapi_link_address(link), ==, "192.0.2.3");
    name = ask(link, &error);
    g_assert_cmpstr(name, ==, "xen1");
    end(link);
}

static void test_all_dead(void)
{
    g_autoptr(GError) error = NULL;

    begin("192.0.2.1", "192.0.2.1");
    g_assert_null(open_link(&error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_HOST_DOWN);
    g_assert_nonnull(strstr(error->message, "192.0.2.1"));
    end(NULL);
}

/* A session that is gone costs one login; another refusal soon after it is an error, no loop. */
static void test_session_invalid(void)
{
    g_autoptr(GError) error = NULL;
    struct xapi_link *link;
    g_autofree char *name = NULL;

    begin("192.0.2.1", "");
    link = open_link(&error);
    pool.refusals = 1;
    name = ask(link, &error);
    g_assert_cmpstr(name, ==, "xen1");
    g_assert_cmpuint(server_asked("192.0.2.1 session.login_with_password"), ==, 2);
    pool.refusals = 100;
    g_assert_null(ask(link, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_TRANSPORT);
    g_assert_false(xapi_link_check(link, &call, NULL));
    g_assert_cmpuint(server_asked("192.0.2.1 session.login_with_password"), ==, 2);
    g_assert_cmpuint(server_asked("192.0.2.1 session.logout"), ==, 1);
    g_assert_null(strstr(error->message, "OpaqueRef"));
    end(link);
}

/* All say that it is another one: each hears the password once. */
static void test_loop(void)
{
    g_autoptr(GError) error = NULL;
    struct xapi_link *link;

    begin("192.0.2.1", "");
    link = open_link(&error);
    set_members(link, "192.0.2.1 192.0.2.2 192.0.2.3");
    pool.coordinator = "192.0.2.2";
    pool.dead = "192.0.2.2";
    g_assert_null(ask(link, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_HOST_DOWN);
    g_assert_cmpuint(server_asked("192.0.2.2 session.login_with_password"), ==, 1);
    g_assert_cmpuint(server_asked("192.0.2.3 session.login_with_password"), ==, 1);
    g_clear_error(&error);
    pool.coordinator = "192.0.2.1";
    pool.dead = "";
    pool.slaves_only = true;
    g_assert_false(xapi_link_renew(link, &call, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_WRONG_HOST);
    g_assert_cmpuint(server_asked("192.0.2.3 session.login_with_password"), ==, 2);
    end(link);
}

/* A wrong password is tried once, at one host. */
static void test_wrong_password(void)
{
    g_autoptr(GError) error = NULL;
    struct xapi_link *link;

    begin("192.0.2.1", "");
    link = open_link(&error);
    set_members(link, "192.0.2.1 192.0.2.2");
    xapi_link_close(link);
    pool.wrong_password = true;
    g_assert_null(open_link(&error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_AUTH_FAILED);
    g_assert_cmpuint(server_asked("192.0.2.1 session.login_with_password"), ==, 2);
    g_assert_cmpuint(server_asked("192.0.2.2 session.login_with_password"), ==, 0);
    g_assert_null(strstr(error->message, "se<cret"));
    end(NULL);
}

static void test_settings(void)
{
    static const struct {
        const char *uri, *credential;
        enum xc_cause cause;
    } cases[] = {{"https://192.0.2.1", "", XC_CAUSE_AUTH_FAILED},
                 {"https://192.0.2.1", "other", XC_CAUSE_NO_SUCH_HOST},
                 {"https://root@192.0.2.1", "pool", XC_CAUSE_BAD_VALUE},
                 {"https://192.0.2.1/path", "pool", XC_CAUSE_BAD_VALUE}};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;

        begin("192.0.2.1", "");
        spec.uri = (char *)(uintptr_t)cases[i].uri;
        spec.credential = (char *)(uintptr_t)cases[i].credential;
        g_assert_null(open_link(&error));
        g_assert_error(error, XC_ERROR, (int)cases[i].cause);
        g_assert_cmpstr(server.log->str, ==, "");
        end(NULL);
    }
}

static void test_memory(void)
{
    g_autoptr(xc_memory) memory = xc_memory_new();
    g_autofree char *nothing = xc_memory_get(memory, "a");
    g_autofree char *never = xc_memory_get(NULL, "a");
    g_autofree char *text = NULL;
    g_autofree char *filler = g_strnfill(100000, 'x');

    g_assert_cmpstr(nothing, ==, "");
    g_assert_cmpstr(never, ==, "");
    xc_memory_put(memory, "a", "1");
    xc_memory_put(memory, "a", "2");
    xc_memory_put(memory, "a", filler);
    xc_memory_put(NULL, "a", "3");
    text = xc_memory_get(memory, "a");
    g_assert_cmpstr(text, ==, "2");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/xapi-session/login", test_login);
    g_test_add_func("/xapi-session/first-hop", test_first_hop);
    g_test_add_func("/xapi-session/second-hop", test_second_hop);
    g_test_add_func("/xapi-session/stranger", test_stranger);
    g_test_add_func("/xapi-session/coordinator-dies", test_coordinator_dies);
    g_test_add_func("/xapi-session/all-dead", test_all_dead);
    g_test_add_func("/xapi-session/session-invalid", test_session_invalid);
    g_test_add_func("/xapi-session/loop", test_loop);
    g_test_add_func("/xapi-session/wrong-password", test_wrong_password);
    g_test_add_func("/xapi-session/settings", test_settings);
    g_test_add_func("/xapi-session/memory", test_memory);
    return g_test_run();
}
