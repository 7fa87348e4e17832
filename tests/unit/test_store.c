/* state.db and the journal: what was written is there after opening again; what is damaged is refused. */
#include "tests/unit/folder.h"
#include "xenclient/store/db.h"
#include "xenclient/store/event_rows.h"
#include "xenclient/store/operations_db.h"
#include "xenclient/store/schema.h"
#include "xenclient/store/state_dir.h"
#include "xenclient/store/store.h"
#include "xenclient/util/log.h"

#include <string.h>
#include <unistd.h>

struct fixture {
    char *dir;
    GString *seen;
};

static void set_up(struct fixture *f, gconstpointer data)
{
    (void)data;
    f->dir = g_dir_make_tmp("xensnmp-store-XXXXXX", NULL);
    f->seen = g_string_new("");
}

static void tear_down(struct fixture *f, gconstpointer data)
{
    (void)data;
    remove_folder(f->dir);
    g_string_free(f->seen, TRUE);
}

static void see_source(const struct xc_source_spec *spec, bool enabled, unsigned interval_sec,
                       void *data)
{
    g_string_append_printf(((struct fixture *)data)->seen, "source %s %s %d %u;", spec->key,
                           spec->uri, enabled, interval_sec);
}

static void see_domain(uint32_t index, const char *home, enum xc_wanted wanted, bool protect,
                       void *data)
{
    g_string_append_printf(((struct fixture *)data)->seen, "domain %u %s %d %d;", index, home,
                           (int)wanted, protect);
}

static void see_identity(const char *key, uint32_t index, void *data)
{
    g_string_append_printf(((struct fixture *)data)->seen, "identity %s %u;", key, index);
}

static void see_host(const char *uuid, const char *key, void *data)
{
    g_string_append_printf(((struct fixture *)data)->seen, "host %s %s;", uuid, key);
}

static void see_counters(uint32_t index, const uint8_t *blob, size_t length, void *data)
{
    g_string_append_printf(((struct fixture *)data)->seen, "counters %u %.*s;", index, (int)length,
                           (const char *)blob);
}

static void see_told_domain(uint32_t index, int state, const char *host, const char *name,
                            void *data)
{
    g_string_append_printf(((struct fixture *)data)->seen, "told %u %d %s %s;", index, state, host,
                           name);
}

static void see_told_source(const char *key, int state, void *data)
{
    g_string_append_printf(((struct fixture *)data)->seen, "told %s %d;", key, state);
}

static void see_event(struct xc_event *event, void *data)
{
    g_string_append_printf(((struct fixture *)data)->seen, "event %u %s;", event->serial,
                           event->text);
    xc_event_free(event);
}

static void see_history(struct xc_history *history, void *data)
{
    struct fixture *f = data;

    g_string_append_printf(f->seen, "history %u %s/%s %u %d %d %s %u %s\n", history->serial,
                           history->group, history->member, history->domain, (int)history->event,
                           (int)history->result, history->host, history->op, history->text);
    xc_history_free(history);
}

static void see_told_notice(const char *source, const char *uuid, int64_t time, void *data)
{
    g_string_append_printf(((struct fixture *)data)->seen, "notice %s %s %d;", source, uuid,
                           (int)time);
}

static void see_setting(const char *name, const char *value, void *data)
{
    g_string_append_printf(((struct fixture *)data)->seen, "setting %s %s;", name, value);
}

static void see_group(const struct xc_group_spec *spec, enum xc_wanted wanted, void *data)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    g_autofree char *hosts = xc_group_hosts_text(spec);

    xc_group_spec_write(spec, bytes);
    g_string_append_printf(((struct fixture *)data)->seen, "group %s %d %s", spec->name,
                           (int)wanted, hosts);
    for (guint i = 0; i < spec->members->len; i++) {
        const struct xc_member_spec *member = spec->members->pdata[i];

        g_string_append_printf(((struct fixture *)data)->seen, " %s %s %s %s %u %u", member->member,
                               member->descr, member->create, member->pin, member->priority,
                               member->delay_sec);
    }
    g_string_append_c(((struct fixture *)data)->seen, ';');
}

static const struct xc_store_rows rows = {
    see_source,      see_domain, see_identity,    see_host,  see_counters, see_told_domain,
    see_told_source, see_event,  see_told_notice, see_group, see_history,  see_setting,
};

static void done(const GError *error, void *data)
{
    *(int *)data = error ? -1 : 1;
}

static void wait_for(const int *flag)
{
    gint64 end = g_get_monotonic_time() + 120 * G_USEC_PER_SEC;

    while (!*flag) {
        g_main_context_iteration(NULL, FALSE);
        g_assert_cmpint(g_get_monotonic_time(), <, end);
    }
}

static void test_state(struct fixture *f, gconstpointer data)
{
    struct xc_source_spec spec = {.key = (char *)"a",
                                  .uri = (char *)"xl:///",
                                  .credential = (char *)"",
                                  .address = (char *)"",
                                  .config_dirs = (char *)"",
                                  .save_dir = (char *)""};
    struct xc_store *store = xc_store_open(f->dir, NULL);
    uint32_t next;
    int flag = 0;

    (void)data;
    g_assert_true(xc_store_load(store, &rows, f, &next, NULL));
    g_assert_cmpuint(next, ==, 1);
    g_assert_cmpstr(f->seen->str, ==, "");
    xc_store_put_source(store, &spec, true, 5, NULL, NULL);
    xc_store_put_domain(store, 7, "web'); DROP TABLE domain; --", "a", XC_WANTED_RUNNING, true,
                        NULL, NULL);
    xc_store_put_identity(store, "uuid:x", 7);
    xc_store_put_identity(store, "uuid:y", 7);
    xc_store_drop_identity(store, "uuid:y");
    xc_store_put_host(store, "u", "a.h");
    xc_store_put_counters(store, 7, "blob", 4);
    xc_store_put_counters(store, 8, "none", 4); /* no such domain: nothing to keep */
    xc_store_barrier(store, done, &flag);
    wait_for(&flag);
    g_assert_cmpint(flag, ==, 1);
    g_assert_cmpuint(xc_store_bytes(store), >, 0);
    xc_store_close(store);

    store = xc_store_open(f->dir, NULL);
    g_assert_true(xc_store_load(store, &rows, f, &next, NULL));
    g_assert_cmpstr(f->seen->str, ==,
                    "source a xl:/// 1 5;domain 7 a 1 1;identity uuid:x 7;host u a.h;"
                    "counters 7 blob;");
    g_assert_cmpuint(next, ==, 8);
    xc_store_close(store);
}

static void test_close_writes_what_is_open(struct fixture *f, gconstpointer data)
{
    struct xc_store *store = xc_store_open(f->dir, NULL);
    uint32_t next;

    (void)data;
    for (uint32_t i = 1; i <= 500; i++)
        xc_store_put_domain(store, i, "", "", XC_WANTED_NONE, false, NULL, NULL);
    xc_store_close(store);
    store = xc_store_open(f->dir, NULL);
    g_assert_true(xc_store_load(store, &rows, f, &next, NULL));
    g_assert_cmpuint(next, ==, 501);
    xc_store_close(store);
}

/* One bad job takes its batch down, and everybody in it is told. */
static void test_failure_is_told(struct fixture *f, gconstpointer data)
{
    struct xc_store *store = xc_store_open(f->dir, NULL);
    int flag = 0;

    (void)data;
    xc_store_put_identity(store, "uuid:orphan", 99); /* refers to no domain */
    xc_store_barrier(store, done, &flag);
    wait_for(&flag);
    g_assert_cmpint(flag, ==, -1);
    flag = 0;
    xc_store_put_domain(store, 1, "", "", XC_WANTED_NONE, false, done, &flag);
    wait_for(&flag);
    g_assert_cmpint(flag, ==, 1);

    /* Also when the thread was done with it before the barrier came: an index would be shown that nobody kept. */
    xc_store_put_identity(store, "uuid:orphan", 99);
    g_usleep(100000);
    for (int want = -1; want <= 1; want += 2) {
        flag = 0;
        xc_store_barrier(store, done, &flag);
        wait_for(&flag);
        g_assert_cmpint(flag, ==, want);
    }
    xc_store_close(store);
}

/* --- events */

static void free_event(void *event)
{
    xc_event_free(event);
}

static GPtrArray *some_events(unsigned first, unsigned n)
{
    GPtrArray *events = g_ptr_array_new_with_free_func(free_event);

    for (unsigned i = first; i < first + n; i++)
        g_ptr_array_add(
            events, xc_event_new(XC_EVENT_DOMAIN_STATE, XC_SEVERITY_INFO, "a", "web", "e%u", i));
    return events;
}

static void add_events(struct xc_store *store, GPtrArray *events, unsigned keep)
{
    int flag = 0;

    xc_store_add_events(store, events, keep, done, &flag);
    wait_for(&flag);
    g_assert_cmpint(flag, ==, 1);
}

static void reload(struct fixture *f)
{
    struct xc_store *store = xc_store_open(f->dir, NULL);
    uint32_t next;

    g_string_set_size(f->seen, 0);
    g_assert_true(xc_store_load(store, &rows, f, &next, NULL));
    xc_store_close(store);
}

/* What is put replaces all that was there of it, and goes whole. */
static void test_groups(struct fixture *f, gconstpointer data)
{
    g_autoptr(xc_group_spec) spec = xc_group_spec_new("g'; --");
    struct xc_store *store = xc_store_open(f->dir, NULL);
    struct xc_member_spec *member = xc_group_member_get(spec, "a");
    g_autoptr(GError) error = NULL;
    struct xc_db *db;

    (void)data;
    /* No legal name: what was put there by somebody else is passed over when it is loaded. */
    xc_store_put_group(store, spec, XC_WANTED_NONE);
    g_free(spec->name);
    spec->name = g_strdup("web");
    g_free(member->descr);
    member->descr = g_strdup("it's");
    g_free(member->create);
    member->create = g_strdup("/x");
    member->priority = 7;
    xc_group_member_get(spec, "h/b");
    xc_group_member_get(spec, "gone");
    xc_group_host_get(spec, "gone");
    xc_store_put_group(store, spec, XC_WANTED_RUNNING);
    xc_group_member_drop(spec, "gone");
    xc_group_host_drop(spec, "gone");
    xc_group_host_get(spec, "h2")->weight = 9;
    spec->all_hosts = false;
    xc_store_put_group(store, spec, XC_WANTED_SHUTDOWN);
    g_free(spec->name);
    spec->name = g_strdup("other");
    xc_store_put_group(store, spec, XC_WANTED_NONE);
    xc_store_remove_group(store, "other");
    xc_store_close(store);
    xc_log_set_level(XC_LOG_ERROR);
    reload(f);
    g_assert_cmpstr(f->seen->str, ==, "group web 4 h2 a it's /x  7 0 h/b    50 0;");
    db = xc_schema_open(&xc_schema_state, f->dir, &error);
    g_assert_no_error(error);
    g_assert_true(xc_db_run(db, NULL, "DELETE FROM grp", ""));
    xc_db_close(db);
    reload(f);
    g_assert_cmpstr(f->seen->str, ==, "");
}

static void test_events(struct fixture *f, gconstpointer data)
{
    struct xc_store *store = xc_store_open(f->dir, NULL);
    GPtrArray *events = some_events(1, 4);
    struct xc_event *second = events->pdata[1];
    struct xc_event *third = events->pdata[2];
    struct xc_event *fourth = events->pdata[3];

    (void)data;
    xc_store_put_domain(store, 7, "web", "a", XC_WANTED_NONE, false, NULL, NULL);
    second->domain = 7;
    second->told = 4;
    third->type = XC_EVENT_NONE; /* only remembered */
    third->source = (g_free(third->source), g_strdup("a"));
    third->told = 2;
    fourth->domain = 99; /* of no such domain nothing is remembered */
    fourth->told = 4;
    add_events(store, events, 100);
    g_assert_cmpuint(second->serial, ==, 2);
    g_assert_cmpuint(third->serial, ==, 0);
    g_assert_cmpuint(fourth->serial, ==, 3);
    g_ptr_array_unref(events);
    events = some_events(5, 3);
    add_events(store, events, 2);
    g_ptr_array_unref(events);
    xc_store_close(store);
    reload(f);
    g_assert_cmpstr(f->seen->str, ==,
                    "domain 7 a 0 0;told 7 4 a web;told a 2;event 5 e6;event 6 e7;");
}

/* What was rolled back was never there: its numbers are given again, and no other. */
static void test_event_serials_after_failure(struct fixture *f, gconstpointer data)
{
    struct xc_db *db = xc_schema_open(&xc_schema_state, f->dir, NULL);
    g_autoptr(GPtrArray) events = some_events(1, 3);
    struct xc_event *first = events->pdata[0];

    (void)data;
    g_assert_nonnull(db);
    g_assert_true(xc_db_begin(db, NULL));
    g_assert_true(xc_event_rows_write(db, events, 100, NULL));
    g_assert_true(xc_db_commit(db, NULL));
    g_assert_true(xc_db_begin(db, NULL));
    g_assert_true(xc_event_rows_write(db, events, 100, NULL));
    g_assert_cmpuint(first->serial, ==, 4);
    xc_db_rollback(db);
    g_assert_true(xc_db_begin(db, NULL));
    g_assert_true(xc_event_rows_write(db, events, 1, NULL));
    g_assert_true(xc_db_commit(db, NULL));
    g_assert_cmpuint(first->serial, ==, 4);
    /* Also when no row is left to tell. */
    g_assert_true(xc_db_run(db, NULL, "DELETE FROM event", ""));
    g_assert_true(xc_event_rows_write(db, events, 100, NULL));
    g_assert_cmpuint(first->serial, ==, 7);
    xc_db_close(db);
}

/* A file of the version before is brought up to date, with all that is in it. */
static void test_upgrade(struct fixture *f, gconstpointer data)
{
    g_autofree char *path = g_build_filename(f->dir, "state.db", NULL);
    struct xc_db *db = xc_db_open(path, xc_schema_state.steps, 1, NULL);
    struct xc_store *store;
    g_autoptr(GPtrArray) events = some_events(1, 1);

    (void)data;
    g_assert_true(xc_db_run(db, NULL, "INSERT INTO domain VALUES (5, 'web', 'a', 1, 0)", ""));
    xc_db_close(db);
    store = xc_store_open(f->dir, NULL);
    g_assert_nonnull(store);
    add_events(store, events, 100);
    xc_store_close(store);
    reload(f);
    g_assert_cmpstr(f->seen->str, ==, "domain 5 a 1 0;event 1 e1;");
}

/* --- the journal */

static void take_op(struct xc_op *op, void *data)
{
    struct fixture *f = data;

    g_string_append_printf(f->seen, "%u:%s:%d:%s:%" G_GINT64_FORMAT ";", op->index, op->target,
                           (int)op->state, op->text, op->target_domid);
    xc_op_free(op);
}

static void take_intent(int64_t seq, enum xc_intent_kind kind, const uint8_t *payload,
                        size_t length, void *data)
{
    g_string_append_printf(((struct fixture *)data)->seen, "intent %d %d %.*s;", (int)seq,
                           (int)kind, (int)length, (const char *)payload);
}

static void test_journal(struct fixture *f, gconstpointer data)
{
    struct xc_journal *journal = xc_journal_open(f->dir, NULL);
    g_autoptr(xc_op) op = xc_op_new();
    g_autoptr(GByteArray) payload = g_byte_array_new();
    uint32_t next;
    int64_t seq;

    (void)data;
    g_byte_array_append(payload, (const guint8 *)"pay", 3);
    g_assert_true(xc_journal_load(journal, take_op, take_intent, f, &next, NULL));
    g_assert_cmpuint(next, ==, 1);
    op->index = 4;
    xc_uuid_random(&op->uuid);
    g_free(op->target);
    op->target = g_strdup("web");
    op->target_domid = 17;
    g_assert_true(xc_journal_begin(journal, NULL));
    g_assert_true(xc_journal_put_op(journal, op, NULL));
    g_assert_true(xc_journal_add_intent(journal, XC_INTENT_PROTECT, payload, &seq, NULL));
    g_assert_true(xc_journal_commit(journal, NULL));
    op->state = XC_OP_FINISHED;
    g_free(op->text);
    op->text = g_strdup("it is done");
    g_assert_true(xc_journal_put_op(journal, op, NULL));
    /* What is rolled back was never there. */
    op->index = 5;
    xc_uuid_random(&op->uuid);
    g_assert_true(xc_journal_begin(journal, NULL));
    g_assert_true(xc_journal_put_op(journal, op, NULL));
    xc_journal_rollback(journal);
    xc_journal_close(journal);

    journal = xc_journal_open(f->dir, NULL);
    g_assert_true(xc_journal_load(journal, take_op, take_intent, f, &next, NULL));
    g_assert_cmpstr(f->seen->str, ==, "4:web:5:it is done:17;intent 1 3 pay;");
    g_assert_cmpuint(next, ==, 5);
    g_assert_true(xc_journal_drop_op(journal, 4, NULL));
    g_assert_true(xc_journal_drop_intent(journal, seq, NULL));
    g_string_set_size(f->seen, 0);
    g_assert_true(xc_journal_load(journal, take_op, take_intent, f, &next, NULL));
    g_assert_cmpstr(f->seen->str, ==, "");
    g_assert_cmpuint(next, ==, 5); /* an index is never used twice */
    xc_journal_close(journal);
}

static void test_refuses_newer_and_damaged(struct fixture *f, gconstpointer data)
{
    g_autofree char *path = g_build_filename(f->dir, "state.db", NULL);
    g_autoptr(GError) error = NULL;
    static const char *const steps[] = {"CREATE TABLE t (x)"};
    struct xc_db *db = xc_db_open(path, steps, 1, NULL);

    (void)data;
    g_assert_nonnull(db);
    g_assert_true(xc_db_run(db, NULL, "PRAGMA user_version = 99", ""));
    xc_db_close(db);
    g_assert_null(xc_store_open(f->dir, &error));
    g_assert_nonnull(strstr(error->message, "newer"));
    g_assert_nonnull(strstr(error->message, path));
    g_clear_error(&error);

    g_assert_true(
        g_file_set_contents(path, "this is no database, whatever its name says", -1, NULL));
    g_assert_null(xc_store_open(f->dir, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_STORE);
    g_assert_nonnull(strstr(error->message, path));
    g_assert_nonnull(strstr(error->message, "begin anew"));
}

/* --- the folder */

static void test_lock(struct fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    int fd = xc_state_lock(f->dir, 0, &error);

    (void)data;
    g_assert_no_error(error);
    g_assert_cmpint(xc_state_lock(f->dir, 1, &error), ==, -1);
    g_assert_error(error, XC_ERROR, XC_CAUSE_STORE);
    g_assert_nonnull(strstr(error->message, "systemctl stop"));
    g_clear_error(&error);
    close(fd);
    fd = xc_state_lock(f->dir, 0, &error);
    g_assert_no_error(error);
    close(fd);
    g_assert_cmpint(xc_state_lock("/none/such", 0, &error), ==, -1);
    g_assert_error(error, XC_ERROR, XC_CAUSE_STORE);
}

static void free_history(void *history)
{
    xc_history_free(history);
}

static GPtrArray *some_history(unsigned first, unsigned n, const char *member)
{
    GPtrArray *history = g_ptr_array_new_with_free_func(free_history);

    for (unsigned i = first; i < first + n; i++) {
        g_autofree char *text = g_strdup_printf("h%u", i);
        struct xc_history *h = xc_history_new("shop", member, "a", text);

        h->event = XC_HISTORY_MOVED;
        h->domain = 7;
        h->op = 9;
        g_ptr_array_add(history, h);
    }
    return history;
}

/* Written with the event it is of; of each member the newest stay, however many others have. */
static void test_history(struct fixture *f, gconstpointer data)
{
    struct xc_store *store = xc_store_open(f->dir, NULL);
    GPtrArray *events = some_events(1, 2);
    struct xc_event *first = events->pdata[0];
    struct xc_event *second = events->pdata[1];

    (void)data;
    first->history = some_history(1, 1, "web");
    second->history = some_history(2, XC_HISTORY_OF_MEMBER + 2, "db");
    add_events(store, events, 100);
    g_assert_cmpuint(((struct xc_history *)first->history->pdata[0])->serial, ==, 1);
    g_ptr_array_unref(events);
    xc_store_close(store);
    reload(f);
    g_assert_nonnull(strstr(f->seen->str, "history 1 shop/web 7 3 1 a 9 h1\n"));
    g_assert_null(strstr(f->seen->str, "history 2 "));
    g_assert_null(strstr(f->seen->str, "history 3 "));
    g_assert_nonnull(strstr(f->seen->str, "history 4 shop/db 7 3 1 a 9 h4\n"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function)                                                                        \
    g_test_add("/store/" name, struct fixture, NULL, set_up, function, tear_down)
    ADD("state", test_state);
    ADD("close-writes-what-is-open", test_close_writes_what_is_open);
    ADD("failure-is-told", test_failure_is_told);
    ADD("groups", test_groups);
    ADD("events", test_events);
    ADD("history", test_history);
    ADD("event-serials-after-failure", test_event_serials_after_failure);
    ADD("upgrade", test_upgrade);
    ADD("journal", test_journal);
    ADD("refuses-newer-and-damaged", test_refuses_newer_and_damaged);
    ADD("lock", test_lock);
    return g_test_run();
}
