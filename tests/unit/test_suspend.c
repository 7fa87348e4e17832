/* Suspend and resume in the engine: what is refused, which source is asked, and which of several rows stands for a
 * domain that lies in a save file. */
#include "tests/unit/operations_kit.h"

/* One SET with one action: the cause it was refused for, or NONE. */
static enum xc_cause ask(struct kit_fixture *f, const char *name, enum xc_action action,
                         const char *host)
{
    const struct xc_request request = {
        .action = action, .domain = kit_find(f, name)->index, .host = host};

    return kit_ask(f, &request);
}

#define ASKED(f, name, action, host, cause)                                                        \
    g_assert_cmpstr(xc_error_info((int)ask(f, name, XC_ACTION_##action, host))->label, ==,         \
                    xc_error_info(XC_CAUSE_##cause)->label)

static void fail_newest(struct kit_fixture *f)
{
    g_assert_cmpmem(&kit_last_order()->op, sizeof(struct xc_uuid), &kit_newest(f)->uuid,
                    sizeof(struct xc_uuid));
    kit_end(kit_last_order(), XC_RESULT_FAILED, XC_CAUSE_NO_STORAGE, "full");
}

static void set_save_dir(struct kit_fixture *f, const char *key)
{
    struct xc_slot *slot = kit_slot(f, key);

    g_free(slot->spec.save_dir);
    slot->spec.save_dir = g_strdup("/srv/saved");
}

/* What a source shows of web. */
enum sight { NOTHING, CONFIGURED, SAVED, CUT_OFF, ALIVE };

static void show(struct kit_fixture *f, const char *key, enum sight sight)
{
    static const enum xc_domain_state states[] = {[CONFIGURED] = XC_STATE_SHUTDOWN,
                                                  [SAVED] = XC_STATE_SUSPENDED,
                                                  [CUT_OFF] = XC_STATE_RESUMING,
                                                  [ALIVE] = XC_STATE_RUNNING};
    struct xc_report *report = kit_report(key);

    if (sight != NOTHING) {
        struct xc_domain *web = kit_domain(report, "web", 1, sight == ALIVE ? 5 : 0);

        XC_SET(DOMAIN, web, state, states[sight]);
    }
    kit_answer(f, key, report);
}

static void test_refusals(struct kit_fixture *f, gconstpointer data)
{
    (void)data;
    f->config->dup_window_sec = 0;
    show(f, "a", ALIVE);
    ASKED(f, "web", SUSPEND, NULL, BAD_CONFIG);
    set_save_dir(f, "a");
    ASKED(f, "web", RESUME, NULL, BAD_STATE);
    ASKED(f, "web", SUSPEND, NULL, NONE);
    g_assert_cmpint((int)kit_newest(f)->action, ==, XC_ACTION_SUSPEND);
    g_assert_cmpint((int)kit_find(f, "web")->track->wanted, ==, XC_WANTED_SUSPENDED);
    fail_newest(f);
    show(f, "a", CONFIGURED);
    ASKED(f, "web", SUSPEND, NULL, BAD_STATE);
    ASKED(f, "web", RESUME, NULL, BAD_STATE);
    show(f, "a", CUT_OFF);
    ASKED(f, "web", RESUME, NULL, BAD_STATE);
    ASKED(f, "web", START, NULL, BAD_STATE);
    show(f, "a", SAVED);
    ASKED(f, "web", START, NULL, BAD_STATE);
    ASKED(f, "web", DESTROY, NULL, BAD_STATE);
    ASKED(f, "web", RESUME, NULL, NONE);
    g_assert_cmpstr(kit_newest(f)->source, ==, "a");
}

static void test_protected(struct kit_fixture *f, gconstpointer data)
{
    (void)data;
    show(f, "a", ALIVE);
    set_save_dir(f, "a");
    kit_find(f, "web")->track->protect = true;
    ASKED(f, "web", SUSPEND, NULL, PROTECTED);
    show(f, "a", SAVED);
    ASKED(f, "web", RESUME, NULL, NONE);
}

/* The source that resumes is the one that was named, if it can and sees the file; the order goes there. */
static void test_elsewhere(struct kit_fixture *f, gconstpointer data)
{
    (void)data;
    show(f, "a", SAVED);
    show(f, "b", CONFIGURED);
    set_save_dir(f, "a");
    ASKED(f, "web", RESUME, "nowhere", NO_SUCH_HOST);
    ASKED(f, "web", RESUME, "b", BAD_CONFIG);
    set_save_dir(f, "b");
    ASKED(f, "web", RESUME, "b", NO_STORAGE);
    show(f, "b", SAVED);
    ASKED(f, "web", RESUME, "b", NONE);
    g_assert_cmpstr(kit_newest(f)->source, ==, "b");
    g_assert_cmpstr(kit_newest(f)->host_from, ==, "b");
    g_assert_cmpint((int)((struct xc_order *)kit->orders->pdata[0])->action, ==, XC_ACTION_RESUME);
}

static const char *host_of(struct kit_fixture *f)
{
    return xc_fleet_host_key(kit_find(f, "web"));
}

/* It ran on b last: that is its host, whoever else sees the file and whoever answers first after a
 * restart. */
static void test_home(struct kit_fixture *f, gconstpointer data)
{
    uint32_t index;

    (void)data;
    show(f, "a", CONFIGURED);
    show(f, "b", ALIVE);
    index = kit_find(f, "web")->index;
    show(f, "b", SAVED);
    show(f, "a", SAVED);
    g_assert_cmpstr(host_of(f), ==, "b");
    kit_restart(f);
    show(f, "a", SAVED);
    g_assert_cmpuint(kit_find(f, "web")->index, ==, index);
    g_assert_cmpstr(host_of(f), ==, "a");
    show(f, "b", SAVED);
    show(f, "a", SAVED);
    g_assert_cmpstr(host_of(f), ==, "b");
}

/* A save file weighs more than a configuration at home, a living domain more than a save file. */
static void test_weights(struct kit_fixture *f, gconstpointer data)
{
    (void)data;
    show(f, "a", ALIVE);
    show(f, "a", CONFIGURED);
    show(f, "b", SAVED);
    g_assert_cmpint((int)xc_ref_state(kit_find(f, "web")), ==, XC_STATE_SUSPENDED);
    g_assert_cmpstr(host_of(f), ==, "b");
    show(f, "a", ALIVE);
    g_assert_cmpint((int)xc_ref_state(kit_find(f, "web")), ==, XC_STATE_RUNNING);
    g_assert_cmpstr(host_of(f), ==, "a");
    show(f, "b", NOTHING);
    g_assert_cmpint((int)xc_ref_state(kit_find(f, "web")), ==, XC_STATE_RUNNING);
}

/* Both hosts have its configuration, and somebody moves the save file. */
static void test_moved(struct kit_fixture *f, gconstpointer data)
{
    (void)data;
    show(f, "a", ALIVE);
    show(f, "b", CONFIGURED);
    show(f, "a", SAVED);
    g_assert_cmpstr(host_of(f), ==, "a");
    show(f, "a", CONFIGURED);
    show(f, "b", SAVED);
    g_assert_cmpint((int)xc_ref_state(kit_find(f, "web")), ==, XC_STATE_SUSPENDED);
    g_assert_cmpstr(host_of(f), ==, "b");
}

#define TEST(name, function)                                                                       \
    g_test_add("/suspend/" name, struct kit_fixture, NULL, kit_set_up, function, kit_tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("refusals", test_refusals);
    TEST("protected", test_protected);
    TEST("elsewhere", test_elsewhere);
    TEST("home", test_home);
    TEST("weights", test_weights);
    TEST("moved", test_moved);
    return g_test_run();
}
