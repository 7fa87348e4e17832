/* What may be asked of the domains and hosts of a pool, and which two requests are one. */
#include "tests/unit/operations_kit.h"

#define TEST(name, function)                                                                       \
    g_test_add("/policy/" name, struct kit_fixture, NULL, set_up, function, kit_tear_down)

#define THE_POOL "p"
#define FIRST    "p.one"

static void add_pool(struct xc_config *config)
{
    struct xc_config_source *source = g_new0(struct xc_config_source, 1);
    struct xc_source_spec spec = {.key = (char *)THE_POOL, .uri = (char *)"https://192.0.2.1"};

    xc_source_spec_copy(&source->spec, &spec);
    source->enabled = true;
    g_ptr_array_add(config->sources, source);
}

static void add_host(struct xc_report *report, const char *name, unsigned number)
{
    struct xc_host *host = xc_report_host(report);
    struct xc_uuid uuid = {.b = {0xcd}};

    uuid.b[15] = (uint8_t)number;
    XC_SET(HOST, host, name, xc_report_text(report, name, -1));
    XC_SET(HOST, host, uuid, uuid);
}

static void add_point(struct xc_report *report, uint32_t domain, const char *name, unsigned number)
{
    struct xc_point *point = xc_report_point(report, domain);
    struct xc_uuid uuid = {.b = {0xef}};

    uuid.b[15] = (uint8_t)number;
    XC_SET(POINT, point, number, number);
    XC_SET(POINT, point, name, xc_report_text(report, name, -1));
    XC_SET(POINT, point, uuid, uuid);
}

/* On two hosts: web runs and has a snapshot, db does not, and nor does `more` if there is one. */
static void show_pool(struct kit_fixture *f, const char *more)
{
    struct xc_report *report = xc_report_new();

    add_host(report, "one", 1);
    add_host(report, "two", 2);
    kit_domain(report, "web", 1, 5);
    add_point(report, 0, "first", 77);
    kit_domain(report, "db", 2, 0);
    if (more)
        kit_domain(report, more, 3, 0);
    kit_answer(f, THE_POOL, report);
    kit_answer(f, "a", kit_report("a-1"));
    kit_turn();
}

static void set_up(struct kit_fixture *f, gconstpointer data)
{
    kit_set_up(f, data);
    f->engine = xc_engine_free(f->engine);
    add_pool(f->config);
    kit_open(f);
    show_pool(f, NULL);
}

static enum xc_cause ask_domain(struct kit_fixture *f, const char *name, struct xc_request request)
{
    request.domain = kit_find(f, name)->index;
    return kit_ask(f, &request);
}

/* The newest order ends. */
static void end(enum xc_result result)
{
    kit_end(kit_last_order(), result, XC_CAUSE_NONE, NULL);
}

static void protect(struct kit_fixture *f, const char *name)
{
    struct xc_txn *txn = xc_txn_new(f->engine);

    g_assert_true(xc_txn_protect(txn, kit_find(f, name)->index, true, NULL));
    g_assert_true(xc_txn_write(txn, NULL));
    xc_txn_dispatch(txn);
    xc_txn_free(txn);
    kit_turn();
}

/* --- domains */

static void test_refusals(struct kit_fixture *f, gconstpointer data)
{
    static const struct {
        const char *name;
        struct xc_request request;
        enum xc_cause cause;
    } cases[] = {
        {"web", {.action = XC_ACTION_CLONE, .argument = "copy"}, XC_CAUSE_BAD_STATE},
        {"db", {.action = XC_ACTION_CLONE, .argument = "web"}, XC_CAUSE_BAD_STATE},
        {"db", {.action = XC_ACTION_CLONE, .argument = "a\tb"}, XC_CAUSE_BAD_VALUE},
        {"web", {.action = XC_ACTION_DELETE}, XC_CAUSE_BAD_STATE},
        {"web", {.action = XC_ACTION_SNAPSHOT, .argument = "first"}, XC_CAUSE_BAD_STATE},
        {"web", {.action = XC_ACTION_CHECKPOINT, .argument = "first"}, XC_CAUSE_BAD_STATE},
        {"db", {.action = XC_ACTION_CHECKPOINT, .argument = "x"}, XC_CAUSE_BAD_STATE},
        {"web", {.action = XC_ACTION_REVERT, .point = 78}, XC_CAUSE_NO_SUCH_TARGET},
        {"db", {.action = XC_ACTION_REVERT, .point = 77}, XC_CAUSE_NO_SUCH_TARGET},
        {"db", {.action = XC_ACTION_DELETE_SNAPSHOT, .point = 77}, XC_CAUSE_NO_SUCH_TARGET},
        {"web", {.action = XC_ACTION_SET_WEIGHT, .amount = 512}, XC_CAUSE_NOT_SUPPORTED},
    };

    (void)data;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint((int)ask_domain(f, cases[i].name, cases[i].request), ==,
                        (int)cases[i].cause);
    g_assert_cmpuint(kit_count(f), ==, 0);
}

/* What it had is lost with these. A copy or a snapshot more does no harm. */
static void test_protected(struct kit_fixture *f, gconstpointer data)
{
    static const struct {
        const char *name;
        struct xc_request request;
    } refused[] = {
        {"db", {.action = XC_ACTION_DELETE}},
        {"web", {.action = XC_ACTION_REVERT, .point = 77}},
        {"web", {.action = XC_ACTION_DELETE_SNAPSHOT, .point = 77}},
    };

    (void)data;
    protect(f, "web");
    protect(f, "db");
    for (size_t i = 0; i < G_N_ELEMENTS(refused); i++)
        g_assert_cmpint((int)ask_domain(f, refused[i].name, refused[i].request), ==,
                        XC_CAUSE_PROTECTED);
    g_assert_cmpint(
        (int)ask_domain(f, "db",
                        (struct xc_request){.action = XC_ACTION_CLONE, .argument = "copy"}),
        ==, XC_CAUSE_NONE);
    g_assert_cmpint(
        (int)ask_domain(f, "web",
                        (struct xc_request){.action = XC_ACTION_SNAPSHOT, .argument = "second"}),
        ==, XC_CAUSE_NONE);
}

/* One name for two copies would be two domains that nobody can tell apart. */
static void test_names_are_taken_once(struct kit_fixture *f, gconstpointer data)
{
    const struct xc_request clone = {.action = XC_ACTION_CLONE, .argument = "copy"};
    const struct xc_request snapshot = {.action = XC_ACTION_SNAPSHOT, .argument = "copy"};
    const struct xc_request create = {.action = XC_ACTION_CREATE,
                                      .host = FIRST,
                                      .argument = "debian",
                                      .title = "copy",
                                      .from_library = true};

    (void)data;
    show_pool(f, "other");
    g_assert_cmpint((int)ask_domain(f, "db", clone), ==, XC_CAUSE_NONE);
    g_assert_cmpint((int)ask_domain(f, "db", clone), ==, XC_CAUSE_NONE);
    g_assert_cmpuint(kit_count(f), ==, 1);
    g_assert_cmpint((int)ask_domain(f, "other", clone), ==, XC_CAUSE_BUSY);
    g_assert_cmpint((int)kit_ask(f, &create), ==, XC_CAUSE_BUSY);
    /* Snapshots have names of their own. */
    g_assert_cmpint((int)ask_domain(f, "web", snapshot), ==, XC_CAUSE_NONE);
    g_assert_cmpuint(kit_count(f), ==, 2);
}

static void test_points_go_by_uuid(struct kit_fixture *f, gconstpointer data)
{
    const struct xc_request revert = {.action = XC_ACTION_REVERT, .point = 77};
    const struct xc_order *order;

    (void)data;
    g_assert_cmpint((int)ask_domain(f, "web", revert), ==, XC_CAUSE_NONE);
    order = kit->orders->pdata[0];
    g_assert_true(g_str_has_prefix(order->snapshot, "ef000000-"));
    /* The same again is the same; another snapshot is not. */
    g_assert_cmpint((int)ask_domain(f, "web", revert), ==, XC_CAUSE_NONE);
    g_assert_cmpuint(kit_count(f), ==, 1);
    g_assert_cmpint(
        (int)ask_domain(f, "web",
                        (struct xc_request){.action = XC_ACTION_DELETE_SNAPSHOT, .point = 77}),
        ==, XC_CAUSE_BUSY);
}

/* --- templates */

static struct xc_request template_of(const char *title)
{
    return (struct xc_request){.action = XC_ACTION_CREATE,
                               .host = FIRST,
                               .argument = "debian",
                               .title = title,
                               .from_library = true};
}

static void test_template_refusals(struct kit_fixture *f, gconstpointer data)
{
    static const struct {
        struct xc_request request;
        enum xc_cause cause;
    } cases[] = {
        {{.host = FIRST, .argument = "debian", .from_library = true}, XC_CAUSE_CONFLICT},
        {{.host = FIRST, .argument = "/etc/xen/web.cfg"}, XC_CAUSE_NOT_SUPPORTED},
        {{.host = FIRST, .argument = "/etc/xen/web.cfg", .title = "new"}, XC_CAUSE_NOT_SUPPORTED},
        {{.host = FIRST, .argument = "debian", .title = "web", .from_library = true},
         XC_CAUSE_BAD_STATE},
        {{.host = FIRST, .argument = "debian", .title = "a\nb", .from_library = true},
         XC_CAUSE_BAD_VALUE},
        /* Files have the name in them. */
        {{.host = "a", .argument = "web.cfg", .title = "new", .from_library = true},
         XC_CAUSE_CONFLICT},
        {{.host = "a", .argument = "/etc/xen/web.cfg", .title = "new"}, XC_CAUSE_CONFLICT},
        {{.host = "nowhere", .argument = "debian", .title = "new", .from_library = true},
         XC_CAUSE_NO_SUCH_HOST},
    };
    const struct xc_request rescan = {.action = XC_ACTION_RESCAN, .host = FIRST, .title = "new"};

    (void)data;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct xc_request request = cases[i].request;

        request.action = XC_ACTION_CREATE;
        g_assert_cmpint((int)kit_ask(f, &request), ==, (int)cases[i].cause);
    }
    g_assert_cmpint((int)kit_ask(f, &rescan), ==, XC_CAUSE_CONFLICT);
    g_assert_cmpuint(kit_count(f), ==, 0);
}

static void test_template_finds_its_domain(struct kit_fixture *f, gconstpointer data)
{
    const struct xc_request request = template_of("new");
    const struct xc_order *order;
    const struct xc_op *op;

    (void)data;
    g_assert_cmpint((int)kit_ask(f, &request), ==, XC_CAUSE_NONE);
    op = kit_newest(f);
    order = kit->orders->pdata[0];
    g_assert_cmpstr(order->name, ==, "new");
    g_assert_cmpstr(order->config, ==, "debian");
    g_assert_cmpstr(order->host_from, ==, "cd000000-0000-0000-0000-000000000001");
    g_assert_cmpint(order->timeout_usec, ==, 3600 * XC_USEC_PER_SEC); /* as a clone */
    /* It is shown before it is done; a request that is sent again is the same all the same. */
    show_pool(f, "new");
    g_assert_cmpint((int)kit_ask(f, &request), ==, XC_CAUSE_NONE);
    g_assert_cmpuint(kit_count(f), ==, 1);
    end(XC_RESULT_OK);
    show_pool(f, "new");
    g_assert_cmpint((int)op->result, ==, XC_RESULT_OK);
    g_assert_cmpuint(op->domain, ==, kit_find(f, "new")->index);
    g_assert_cmpuint(kit_find(f, "new")->track->last_op, ==, op->index);
    g_assert_cmpint((int)kit_find(f, "new")->track->wanted, ==, XC_WANTED_RUNNING);
}

/* Another name makes another domain, from the same template on the same host. */
static void test_templates_by_name(struct kit_fixture *f, gconstpointer data)
{
    const struct xc_request one = template_of("one-more");
    const struct xc_request two = template_of("two-more");
    struct xc_request elsewhere = one;

    (void)data;
    g_assert_cmpint((int)kit_ask(f, &one), ==, XC_CAUSE_NONE);
    g_assert_cmpint((int)kit_ask(f, &two), ==, XC_CAUSE_NONE);
    g_assert_cmpuint(kit_count(f), ==, 2);
    elsewhere.host = "p.two";
    g_assert_cmpint((int)kit_ask(f, &elsewhere), ==, XC_CAUSE_BUSY);
    /* After a restart it is known what they were to make. */
    kit_restart(f);
    show_pool(f, NULL);
    g_assert_cmpuint(kit->orders->len, ==, 2);
    g_assert_true(((const struct xc_order *)kit->orders->pdata[0])->attach);
    g_assert_cmpstr(((const struct xc_order *)kit->orders->pdata[0])->name, ==, "one-more");
    g_assert_cmpint((int)kit_ask(f, &elsewhere), ==, XC_CAUSE_BUSY);
}

/* --- hosts */

static enum xc_cause ask_host(struct kit_fixture *f, const char *host, enum xc_action action)
{
    const struct xc_request request = {.action = action, .host = host};

    return kit_ask(f, &request);
}

static void test_hosts(struct kit_fixture *f, gconstpointer data)
{
    (void)data;
    /* One host alone has nowhere to move its domains. */
    g_assert_cmpint((int)ask_host(f, "a", XC_ACTION_EVACUATE), ==, XC_CAUSE_NOT_SUPPORTED);
    g_assert_cmpint((int)ask_host(f, "nowhere", XC_ACTION_EVACUATE), ==, XC_CAUSE_NO_SUCH_HOST);
    g_assert_cmpint((int)ask_host(f, FIRST, XC_ACTION_EVACUATE), ==, XC_CAUSE_NONE);
    g_assert_cmpstr(((const struct xc_order *)kit->orders->pdata[0])->host_from, ==,
                    "cd000000-0000-0000-0000-000000000001");
    /* The same of the same host is one; of the other host of the source it is another. */
    g_assert_cmpint((int)ask_host(f, FIRST, XC_ACTION_EVACUATE), ==, XC_CAUSE_NONE);
    g_assert_cmpuint(kit_count(f), ==, 1);
    g_assert_cmpint((int)ask_host(f, "p.two", XC_ACTION_EVACUATE), ==, XC_CAUSE_NONE);
    g_assert_cmpuint(kit_count(f), ==, 2);
    g_assert_cmpint((int)ask_host(f, FIRST, XC_ACTION_EVACUATE), ==, XC_CAUSE_NONE);
    g_assert_cmpuint(kit_count(f), ==, 2);
}

/* Off, on, off: the second off is not the first, though that was a moment ago. A rescan between changes nothing. */
static void test_hosts_on_and_off(struct kit_fixture *f, gconstpointer data)
{
    static const enum xc_action actions[] = {XC_ACTION_HOST_DISABLE, XC_ACTION_HOST_ENABLE,
                                             XC_ACTION_HOST_DISABLE};

    (void)data;
    for (size_t i = 0; i < G_N_ELEMENTS(actions); i++) {
        g_assert_cmpint((int)ask_host(f, FIRST, actions[i]), ==, XC_CAUSE_NONE);
        g_assert_cmpuint(kit_count(f), ==, i + 1);
        end(XC_RESULT_OK);
        show_pool(f, NULL);
    }
    g_assert_cmpint((int)ask_host(f, FIRST, XC_ACTION_RESCAN), ==, XC_CAUSE_NONE);
    g_assert_cmpuint(kit_count(f), ==, 4);
    g_assert_cmpint((int)ask_host(f, FIRST, XC_ACTION_HOST_DISABLE), ==, XC_CAUSE_NONE);
    g_assert_cmpuint(kit_count(f), ==, 4);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("refusals", test_refusals);
    TEST("protected", test_protected);
    TEST("names-are-taken-once", test_names_are_taken_once);
    TEST("points-go-by-uuid", test_points_go_by_uuid);
    TEST("template-refusals", test_template_refusals);
    TEST("template-finds-its-domain", test_template_finds_its_domain);
    TEST("templates-by-name", test_templates_by_name);
    TEST("hosts", test_hosts);
    TEST("hosts-on-and-off", test_hosts_on_and_off);
    return g_test_run();
}
