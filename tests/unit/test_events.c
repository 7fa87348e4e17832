/* Events: each change makes the right one, once, also over a restart; serials have no gaps and are never reused. */
#include "tests/unit/operations_kit.h"

#include "xenclient/store/schema.h"

#define TEST(name, function)                                                                       \
    g_test_add("/events/" name, struct kit_fixture, NULL, kit_set_up, function, kit_tear_down)

/* --- what there is */

/* The events behind `after`, a line each; all that are under way are waited for. Serials are checked on the way. */
static char *told(struct kit_fixture *f, uint32_t after)
{
    GString *out = g_string_new("");
    uint32_t newest = xc_event_counts(f->engine).last;
    size_t n;
    const struct xc_event *const *ring;
    uint32_t marker;

    xc_events_add(f->engine,
                  xc_event_new(XC_EVENT_AGENT_STARTED, XC_SEVERITY_INFO, "", "marker", "%s", ""));
    KIT_UNTIL((ring = xc_events(f->engine, &n),
               n && strcmp(ring[n - 1]->object, "marker") == 0 && ring[n - 1]->serial > newest));
    marker = ring[n - 1]->serial;
    for (size_t i = 0; i < n; i++) {
        const struct xc_event *event = ring[i];

        g_assert_cmpuint(event->serial, ==, marker - (uint32_t)(n - 1 - i));
        if (event->serial > after && strcmp(event->object, "marker") != 0)
            g_string_append_printf(
                out, "%s %s %s[%s] %s%s\n", xc_enum_label(&xc_event_type_labels, (int)event->type),
                xc_enum_label(&xc_severity_labels, (int)event->severity), event->object,
                event->host, event->text, event->domain ? "" : " (no domain)");
    }
    return g_string_free(out, FALSE);
}

static uint32_t last(struct kit_fixture *f)
{
    g_free(told(f, 0));
    return xc_event_counts(f->engine).last;
}

/* The events since `*mark`, which moves on. */
#define TELLS(f, mark, ...)                                                                        \
    do {                                                                                           \
        g_autofree char *told_ = told(f, *(mark));                                                 \
        g_assert_cmpstr(told_, ==, __VA_ARGS__);                                                   \
        *(mark) = xc_event_counts((f)->engine).last;                                               \
    } while (0)

/* --- what hosts say */

/* Spares the test the pause between two polls. */
static void hurry(struct kit_fixture *f, const char *key)
{
    struct xc_poller *poller = kit_slot(f, key)->poller;

    if (!poller->polling)
        poller->begun_mono = 0;
}

static void fail(struct kit_fixture *f, const char *key, enum xc_cause cause)
{
    hurry(f, key);
    kit_fail(f, key, cause);
}

/* One guest on a source in that state (0: none), beside a quiet one that makes the source a known one. */
static void show(struct kit_fixture *f, const char *key, const char *name,
                 enum xc_domain_state state)
{
    struct xc_report *report = kit_report("boot");
    struct xc_domain *d;

    kit_domain(report, "quiet", key[0], 1);
    if (state) {
        d = kit_domain(report, name, 1, state == XC_STATE_SHUTDOWN ? 0 : 5);
        XC_SET(DOMAIN, d, state, state);
    }
    hurry(f, key);
    kit_answer(f, key, report);
}

static void show_both(struct kit_fixture *f, enum xc_domain_state on_a, enum xc_domain_state on_b)
{
    show(f, "a", "web", on_a);
    show(f, "b", "web", on_b);
}

/* --- tests */

static void test_first_sight_is_no_event(struct kit_fixture *f, gconstpointer data)
{
    uint32_t mark = 0;

    (void)data;
    show_both(f, XC_STATE_RUNNING, 0);
    TELLS(f, &mark,
          "agentStarted info xensnmpd[] started (no domain)\n"
          "hostUp info a[a] answers for the first time (no domain)\n"
          "hostUp info b[b] answers for the first time (no domain)\n");
    show_both(f, XC_STATE_RUNNING, 0);
    TELLS(f, &mark, "");
    kit_restart(f);
    show_both(f, XC_STATE_RUNNING, 0);
    TELLS(f, &mark, "agentStarted info xensnmpd[] started (no domain)\n");
}

static void test_state_and_crash(struct kit_fixture *f, gconstpointer data)
{
    uint32_t mark;

    (void)data;
    show_both(f, XC_STATE_RUNNING, 0);
    mark = last(f);
    show(f, "a", "web", XC_STATE_PAUSED);
    TELLS(f, &mark, "domainState info web[a] running -> paused\n");
    show(f, "a", "web", XC_STATE_SHUTDOWN); /* the index is made anew */
    TELLS(f, &mark, "domainState info web[a] paused -> shutdown\n");
    show(f, "a", "web", XC_STATE_CRASHED);
    TELLS(f, &mark, "domainCrashed major web[a] shutdown -> crashed\n");
    show(f, "a", "web", XC_STATE_UNKNOWN);
    TELLS(f, &mark, "");
    show(f, "a", "web", XC_STATE_RUNNING);
    TELLS(f, &mark, "domainState clear web[a] crashed -> running\n");
}

static void test_change_while_away(struct kit_fixture *f, gconstpointer data)
{
    uint32_t mark;

    (void)data;
    show_both(f, XC_STATE_RUNNING, 0);
    mark = last(f);
    kit_restart(f);
    TELLS(f, &mark, "agentStarted info xensnmpd[] started (no domain)\n");
    show_both(f, XC_STATE_SHUTDOWN, 0);
    xc_events_tick(f->engine);
    TELLS(f, &mark, "domainState info web[a] running -> shutdown\n");
    kit_restart(f);
    mark = last(f);
    show(f, "a", "web", 0);
    xc_events_tick(f->engine); /* it may be on b */
    TELLS(f, &mark, "");
    show(f, "b", "web", 0);
    xc_events_tick(f->engine);
    TELLS(f, &mark, "domainDeleted info web[a] on no host any more, its row is gone\n");
    xc_events_tick(f->engine);
    TELLS(f, &mark, "");
}

static void test_new_moved_gone(struct kit_fixture *f, gconstpointer data)
{
    uint32_t mark;

    (void)data;
    show_both(f, 0, 0);
    mark = last(f);
    show(f, "a", "web", XC_STATE_RUNNING);
    TELLS(f, &mark, "domainCreated info web[a] new here, running\n");
    /* By hand, seen on both for a while, and on none for a moment. */
    show(f, "b", "web", XC_STATE_RUNNING);
    TELLS(f, &mark, "domainMoved info web[b] a -> b\n");
    show(f, "a", "web", 0);
    show(f, "b", "web", 0);
    xc_events_tick(f->engine);
    TELLS(f, &mark, "");
    show(f, "a", "web", XC_STATE_RUNNING);
    xc_events_tick(f->engine);
    TELLS(f, &mark, "domainMoved info web[a] b -> a\n");
    /* Gone for good: told when both were asked after that. */
    show_both(f, 0, 0);
    xc_events_tick(f->engine);
    TELLS(f, &mark, "");
    show_both(f, 0, 0);
    xc_events_tick(f->engine);
    TELLS(f, &mark, "domainState info web[a] running -> shutdown, on no host any more\n");
    f->config->tombstone_sec = 0;
    xc_fleet_tick(f->engine);
    xc_fleet_rebuild(f->engine);
    TELLS(f, &mark, "domainDeleted info web[a] on no host any more, its row is gone\n");
    show(f, "a", "web", XC_STATE_PAUSED);
    TELLS(f, &mark, "domainCreated info web[a] new here, paused\n");
}

static void test_hosts(struct kit_fixture *f, gconstpointer data)
{
    uint32_t mark;

    (void)data;
    show_both(f, XC_STATE_RUNNING, 0);
    mark = last(f);
    fail(f, "a", XC_CAUSE_HOST_DOWN);
    fail(f, "a", XC_CAUSE_HOST_DOWN);
    TELLS(f, &mark, "");
    for (int i = 0; i < 3; i++)
        fail(f, "a", XC_CAUSE_HOST_DOWN);
    TELLS(f, &mark, "hostDown critical a[a] scripted failure (no domain)\n");
    kit_restart(f);
    mark = last(f);
    for (int i = 0; i < 3; i++)
        fail(f, "a", XC_CAUSE_HOST_DOWN);
    TELLS(f, &mark, "");
    fail(f, "a", XC_CAUSE_HOST_KEY);
    TELLS(f, &mark, "hostUntrusted major a[a] scripted failure (no domain)\n");
    fail(f, "a", XC_CAUSE_AUTH_FAILED);
    TELLS(f, &mark, "hostUnauthorised major a[a] scripted failure (no domain)\n");
    show(f, "a", "web", XC_STATE_SHUTDOWN);
    TELLS(f, &mark,
          "hostUp clear a[a] answers again (no domain)\n"
          "domainState info web[a] running -> shutdown\n");
}

/* What is found at the first answer of a source is not new, however late that comes. */
static void test_late_source(struct kit_fixture *f, gconstpointer data)
{
    uint32_t mark;

    (void)data;
    show(f, "a", "web", XC_STATE_RUNNING);
    mark = last(f);
    for (int i = 0; i < 3; i++)
        fail(f, "b", XC_CAUSE_HOST_DOWN);
    show(f, "b", "web", 0);
    TELLS(f, &mark,
          "hostDown critical b[b] scripted failure (no domain)\n"
          "hostUp clear b[b] answers again (no domain)\n");
}

static void ask(struct kit_fixture *f, enum xc_action action)
{
    const struct xc_request request = {.action = action, .domain = kit_find(f, "web")->index};

    g_assert_cmpint((int)kit_ask(f, &request), ==, XC_CAUSE_NONE);
}

static void end(enum xc_result result, enum xc_cause cause, const char *text)
{
    kit_end(kit_last_order(), result, cause, text);
}

static void test_operations(struct kit_fixture *f, gconstpointer data)
{
    uint32_t mark;
    size_t n;
    const struct xc_event *const *ring;

    (void)data;
    show_both(f, XC_STATE_RUNNING, 0);
    mark = last(f);
    ask(f, XC_ACTION_PAUSE);
    end(XC_RESULT_OK, XC_CAUSE_NONE, "");
    show(f, "a", "web", XC_STATE_PAUSED);
    TELLS(f, &mark,
          "domainState info web[a] running -> paused\n"
          "operationFinished info web[a] pause: ok\n");
    ring = xc_events(f->engine, &n);
    g_assert_cmpuint(ring[n - 2]->op, ==, 1); /* before the marker: the end ... */
    g_assert_cmpuint(ring[n - 3]->op, ==, 1); /* ... and the change it brought */
    g_assert_cmpuint(ring[n - 2]->domain, ==, kit_find(f, "web")->index);
    ask(f, XC_ACTION_UNPAUSE);
    end(XC_RESULT_FAILED, XC_CAUSE_DRIVER_ERROR, "no way");
    TELLS(f, &mark, "operationFailed minor web[a] unpause: failed: no way\n");
    ask(f, XC_ACTION_DESTROY);
    end(XC_RESULT_LOST, XC_CAUSE_LOST, "");
    TELLS(f, &mark, "operationFailed major web[a] destroy: lost\n");
}

/* The end of an operation is in the journal, its event is not: the next start makes it. */
static void test_operation_ended_and_killed(struct kit_fixture *f, gconstpointer data)
{
    struct xc_db *db;
    uint32_t mark;

    (void)data;
    show_both(f, XC_STATE_RUNNING, 0);
    mark = last(f);
    ask(f, XC_ACTION_PAUSE);
    end(XC_RESULT_FAILED, XC_CAUSE_DRIVER_ERROR, "no");
    f->engine = xc_engine_free(f->engine);
    db = xc_schema_open(&xc_schema_state, f->dir, NULL);
    g_assert_true(xc_db_run(db, NULL, "DELETE FROM event WHERE serial > ?", "i", (int64_t)mark));
    g_assert_true(xc_db_run(db, NULL, "UPDATE sqlite_sequence SET seq = ? WHERE name = 'event'",
                            "i", (int64_t)mark));
    xc_db_close(db);
    kit_open(f);
    TELLS(f, &mark,
          "operationFailed minor web[a] pause: failed: no\n"
          "agentStarted info xensnmpd[] started (no domain)\n");
    kit_restart(f);
    TELLS(f, &mark, "agentStarted info xensnmpd[] started (no domain)\n");
}

static void refuse(struct kit_fixture *f, unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        xc_refusal_add(f->engine, "1.3.6", "9", 10, XC_CAUSE_BAD_VALUE, "say 1 to 8");
}

static void test_refusals(struct kit_fixture *f, gconstpointer data)
{
    uint32_t mark = last(f);
    g_autofree char *flood = NULL;
    unsigned lines = 0;

    (void)data;
    refuse(f, 1);
    TELLS(f, &mark, "setRefused warning 1.3.6[] say 1 to 8 (no domain)\n");
    refuse(f, 5000);
    flood = told(f, mark);
    for (const char *p = flood; *p; p++)
        lines += *p == '\n';
    g_assert_cmpuint(lines, ==, 9);
    mark = last(f);
    xc_clock_fake(xc_clock_mono() + 61 * XC_USEC_PER_SEC, xc_clock_real());
    xc_events_tick(f->engine);
    xc_events_tick(f->engine);
    xc_clock_fake(0, 0);
    TELLS(f, &mark,
          "setRefused warning SET[] 4991 more were refused within a minute (no domain)\n");
}

static void test_ring(struct kit_fixture *f, gconstpointer data)
{
    size_t n;
    const struct xc_event *const *ring;
    uint32_t mark;

    (void)data;
    f->config->event_rows = 100;
    for (int i = 0; i < 3000; i++)
        xc_events_add(f->engine,
                      xc_event_new(XC_EVENT_DOMAIN_STATE, XC_SEVERITY_INFO, "", "x\n", "%d", i));
    mark = last(f);
    g_assert_cmpuint(mark, >, 3000);
    ring = xc_events(f->engine, &n);
    g_assert_cmpuint(n, ==, 100);
    g_assert_cmpuint(xc_event_counts(f->engine).first, ==, mark - 99);
    g_assert_cmpstr(ring[n - 2]->text, ==, "2999");
    g_assert_cmpstr(ring[n - 2]->object, ==, "x?");
    g_assert_cmpuint(xc_event_counts(f->engine).lost, ==, 0);
    kit_restart(f);
    ring = xc_events(f->engine, &n);
    g_assert_cmpuint(n, ==, 100);
    g_assert_cmpuint(ring[99]->serial, ==, mark);
    g_assert_cmpstr(ring[98]->text, ==, "2999");
}

/* While nothing can be written memory does not grow for ever, what is lost is counted, and serials have no gap. */
static void test_flood_while_store_is_stuck(struct kit_fixture *f, gconstpointer data)
{
    struct xc_db *db;
    uint32_t mark = last(f);
    gint64 end_mono;

    (void)data;
    db = xc_schema_open(&xc_schema_state, f->dir, NULL);
    g_assert_true(xc_db_begin(db, NULL));
    for (int i = 0; i < 30000; i++)
        xc_events_add(f->engine,
                      xc_event_new(XC_EVENT_DOMAIN_STATE, XC_SEVERITY_INFO, "", "x", "%d", i));
    end_mono = g_get_monotonic_time() + 100000;
    while (g_get_monotonic_time() < end_mono)
        g_main_context_iteration(NULL, FALSE);
    g_assert_cmpuint(xc_event_counts(f->engine).last, ==,
                     mark); /* nothing is shown that is not committed */
    g_assert_cmpuint(xc_event_counts(f->engine).lost, ==, 10000);
    xc_db_rollback(db);
    xc_db_close(db);
    KIT_UNTIL(xc_event_counts(f->engine).last == mark + 20000);
    g_free(told(f, mark)); /* which looks at the serials */
}

static void take_number(sqlite3_stmt *row, void *data)
{
    *(int64_t *)data = sqlite3_column_int64(row, 0);
}

/* Takes the files as they are at this moment: what a kill -9 leaves. */
static void copy_files(const char *from, const char *to)
{
    g_autoptr(GDir) dir = g_dir_open(from, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(dir))) {
        g_autofree char *source = g_build_filename(from, name, NULL);
        g_autofree char *copy = g_build_filename(to, name, NULL);
        g_autofree char *bytes = NULL;
        gsize length;

        g_assert_true(g_file_get_contents(source, &bytes, &length, NULL));
        g_assert_true(g_file_set_contents(copy, bytes, (gssize)length, NULL));
    }
}

/* Committed, and the process dies before it has shown the events: the next one shows them under these numbers. */
static void test_killed_between_commit_and_show(struct kit_fixture *f, gconstpointer data)
{
    g_autofree char *dir = g_dir_make_tmp("xensnmp-events-XXXXXX", NULL);
    struct kit_fixture later = {.dir = g_strdup(dir), .config = xc_config_new()};
    struct xc_db *db = xc_schema_open(&xc_schema_state, f->dir, NULL);
    gint64 end_mono = g_get_monotonic_time() + 120 * G_USEC_PER_SEC;
    uint32_t mark = last(f);
    int64_t newest = 0;

    (void)data;
    xc_events_add(f->engine,
                  xc_event_new(XC_EVENT_DOMAIN_STATE, XC_SEVERITY_INFO, "", "x", "done"));
    g_usleep(30000);
    g_main_context_iteration(NULL, FALSE); /* gives it to the thread, and turns no more */
    while (newest <= mark) {
        g_assert_true(xc_db_query(db, NULL, "SELECT max(serial) FROM event", take_number, &newest));
        g_assert_cmpint(g_get_monotonic_time(), <, end_mono);
    }
    xc_db_close(db);
    g_assert_cmpuint(xc_event_counts(f->engine).last, ==, mark);
    copy_files(f->dir, dir);
    later.config->state_dir = (g_free(later.config->state_dir), g_strdup(dir));
    f->engine = xc_engine_free(f->engine);
    kit_open(&later);
    TELLS(&later, &mark,
          "domainState info x[] done (no domain)\n"
          "agentStarted info xensnmpd[] started (no domain)\n");
    kit_tear_down(&later, NULL);
    kit_open(f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("first-sight-is-no-event", test_first_sight_is_no_event);
    TEST("state-and-crash", test_state_and_crash);
    TEST("change-while-away", test_change_while_away);
    TEST("new-moved-gone", test_new_moved_gone);
    TEST("hosts", test_hosts);
    TEST("late-source", test_late_source);
    TEST("operations", test_operations);
    TEST("operation-ended-and-killed", test_operation_ended_and_killed);
    TEST("refusals", test_refusals);
    TEST("ring", test_ring);
    TEST("flood-while-store-is-stuck", test_flood_while_store_is_stuck);
    TEST("killed-between-commit-and-show", test_killed_between_commit_and_show);
    return g_test_run();
}
