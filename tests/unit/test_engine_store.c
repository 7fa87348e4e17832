/* A store that can't be written: what is shown meanwhile, how long the main loop waits, and what is there afterwards. */
#include "tests/unit/engine_kit.h"

#include <sqlite3.h>

#define TEST(name, function)                                                                       \
    g_test_add("/engine-store/" name, struct kit_fixture, NULL, kit_set_up, function, kit_tear_down)

static sqlite3 *open_file(struct kit_fixture *f, const char *file)
{
    g_autofree char *path = g_build_filename(f->dir, file, NULL);
    sqlite3 *db = NULL;

    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    sqlite3_busy_timeout(db, 2000);
    return db;
}

/* Another program that has begun to write, and does not end. */
static sqlite3 *lock(struct kit_fixture *f, const char *file)
{
    sqlite3 *db = open_file(f, file);

    g_assert_cmpint(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), ==, SQLITE_OK);
    return db;
}

static void unlock(sqlite3 *db)
{
    g_assert_cmpint(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), ==, SQLITE_OK);
    sqlite3_close(db);
}

static int number(struct kit_fixture *f, const char *file, const char *sql)
{
    sqlite3 *db = open_file(f, file);
    sqlite3_stmt *statement = NULL;
    int value;

    g_assert_cmpint(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_step(statement), ==, SQLITE_ROW);
    value = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return value;
}

static struct xc_report *guests(unsigned n)
{
    struct xc_report *report = kit_report("boot-1");

    for (unsigned i = 1; i <= n; i++) {
        g_autofree char *name = g_strdup_printf("g%u", i);

        kit_domain(report, name, i, i);
    }
    return report;
}

static const char *reason(struct kit_fixture *f)
{
    struct xc_engine_health health;

    xc_engine_health(f->engine, &health);
    return health.reason;
}

static enum xc_cause ask(struct kit_fixture *f, const char *name, enum xc_action action)
{
    struct xc_request request = {.action = action, .domain = kit_find(f, name)->index, .host = ""};
    struct xc_txn *txn = xc_txn_new(f->engine);
    g_autoptr(GError) error = NULL;

    if (xc_txn_add_op(txn, &request, &error) && xc_txn_write(txn, &error))
        xc_txn_dispatch(txn);
    xc_txn_free(txn);
    return xc_error_cause(error);
}

static void protect(struct kit_fixture *f, const char *name, bool on)
{
    struct xc_txn *txn = xc_txn_new(f->engine);

    g_assert_true(xc_txn_protect(txn, kit_find(f, name)->index, on, NULL));
    g_assert_true(xc_txn_write(txn, NULL));
    xc_txn_dispatch(txn);
    xc_txn_free(txn);
}

static guint n_known(const struct xc_engine *engine)
{
    guint n = 0;

    for (uint32_t index = 1; index < engine->next_index; index++)
        n += xc_known_find(engine, index) != NULL;
    return n;
}

/* A domain that can't get its row does not take the others of its host with it. */
static void test_new_domain(struct kit_fixture *f, gconstpointer data)
{
    const struct xc_slot *slot = kit_slot(f, "a");
    sqlite3 *db;
    guint known;

    (void)data;
    xc_log_set_level((enum xc_log_level) - 1);
    kit_answer(f, "a", guests(1));
    known = n_known(f->engine);
    db = lock(f, "state.db");
    kit_answer(f, "a", guests(2));
    g_assert_cmpint((int)slot->state, ==, XC_SOURCE_DEGRADED);
    g_assert_cmpint((int)slot->cause, ==, XC_CAUSE_STORE);
    g_assert_true(g_str_has_prefix(slot->state_text, "1 new domains have no row yet: "));
    g_assert_cmpint((int)xc_ref_state(kit_find(f, "g1")), ==, XC_STATE_RUNNING);
    g_assert_false(xc_slot_down(slot));
    g_assert_null(kit_find(f, "g2"));
    g_assert_cmpuint(n_known(f->engine), ==, known);
    g_assert_cmpstr(reason(f), ==, "the database cannot be written");
    unlock(db);
    kit_answer(f, "a", guests(2));
    g_assert_cmpint((int)slot->state, ==, XC_SOURCE_UP);
    g_assert_nonnull(kit_find(f, "g2"));
    g_assert_cmpint(number(f, "state.db", "SELECT count(*) FROM domain"), ==, 2);
}

/* The lock of another program costs the main loop one short wait a second, however many operations end meanwhile. */
static void test_locked_journal(struct kit_fixture *f, gconstpointer data)
{
    sqlite3 *db;
    gint64 begin;

    (void)data;
    xc_log_set_level((enum xc_log_level) - 1);
    f->config->dup_window_sec = 0;
    f->config->max_ops = f->config->max_ops_per_host = 30;
    kit_answer(f, "a", guests(30));
    for (unsigned i = 1; i <= 30; i++) {
        g_autofree char *name = g_strdup_printf("g%u", i);

        g_assert_cmpint((int)ask(f, name, XC_ACTION_PAUSE), ==, XC_CAUSE_NONE);
    }
    KIT_UNTIL(kit->orders->len == 30);
    db = lock(f, "operations.db");
    begin = g_get_monotonic_time();
    for (guint i = 0; i < 30; i++) {
        const struct xc_order *order = kit->orders->pdata[i];
        const struct xc_outcome outcome = {XC_RESULT_FAILED, XC_CAUSE_DRIVER_ERROR, (char *)"no"};

        kit->events.outcome(&order->op, &outcome, kit->data);
    }
    for (int i = 0; i < 3; i++)
        xc_ops_tick(f->engine);
    g_assert_cmpint((int)ask(f, "g1", XC_ACTION_PAUSE), ==, XC_CAUSE_STORE);
    g_assert_cmpint(g_get_monotonic_time() - begin, <, 3 * G_USEC_PER_SEC);
    g_assert_cmpuint(f->engine->open->len, ==, 0);
    g_assert_cmpstr(reason(f), ==, "the database cannot be written");
    unlock(db);
    xc_ops_tick(f->engine);
    g_assert_cmpstr(reason(f), !=, "the database cannot be written");
    g_assert_cmpint(number(f, "operations.db", "SELECT count(*) FROM op WHERE state = 5"), ==, 30);
}

/* A setting that the journal took and the store did not gets there later, and never over a younger one. */
static void test_setting(struct kit_fixture *f, gconstpointer data)
{
    sqlite3 *db;

    (void)data;
    xc_log_set_level((enum xc_log_level) - 1);
    kit_answer(f, "a", guests(2));
    db = lock(f, "state.db");
    protect(f, "g1", true);
    protect(f, "g2", true);
    KIT_UNTIL(f->engine->intents->len == 2);
    unlock(db);
    protect(f, "g1", false);
    KIT_UNTIL(number(f, "operations.db", "SELECT count(*) FROM intent") <= 1);
    kit_restart(f);
    kit_answer(f, "a", guests(2));
    g_assert_false(kit_find(f, "g1")->track->protect);
    g_assert_true(kit_find(f, "g2")->track->protect);
    KIT_UNTIL(number(f, "operations.db", "SELECT count(*) FROM intent") == 0);

    db = lock(f, "state.db");
    protect(f, "g2", false);
    KIT_UNTIL(f->engine->intents->len == 1);
    unlock(db);
    f->engine->intents_mono = G_MININT64 / 2;
    xc_intents_tick(f->engine);
    KIT_UNTIL(number(f, "operations.db", "SELECT count(*) FROM intent") == 0);
    g_assert_cmpuint(f->engine->intents->len, ==, 0);
    kit_restart(f);
    kit_answer(f, "a", guests(2));
    g_assert_false(kit_find(f, "g1")->track->protect);
    g_assert_false(kit_find(f, "g2")->track->protect);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("new-domain", test_new_domain);
    TEST("locked-journal", test_locked_journal);
    TEST("setting", test_setting);
    return g_test_run();
}
