/* Operations of the xl driver on the simulated host over time: done once whoever asks and however often, found
 * again, taken back, given up. */
#include "tests/unit/xl_sim.h"

#include <glib/gstdio.h>
#include <unistd.h>

struct xl_sim sim;

/* An operation given to two workers at once, or again long after its end, is done once. */
static void test_once(void)
{
    g_autofree char *config = in_state("/once.cfg");
    struct ran *ran[6];

    put(config, "name = \"once\"\n# slow\n", 0644);
    for (unsigned i = 0; i < G_N_ELEMENTS(ran); i++) {
        ran[i] = prepare(XC_ACTION_START, "once", 0, config);
        ran[i]->order.op = ran[0]->order.op;
        ran[i]->order.attach = i == 5;
        if (i < 4)
            start(ran[i]);
    }
    for (unsigned i = 0; i < 6; i++) {
        if (i >= 4)
            start(ran[i]);
        finish(ran[i], XC_RESULT_OK, XC_CAUSE_NONE);
    }
    for (unsigned i = 0; i < 6; i++)
        release(ran[i]);
    g_assert_cmpuint(runs("create", config), ==, 1);
}

/* Whoever ends cleans, unless another is at it, so it may take more than one. */
static void clean_away(const char *fence)
{
    put_domain(90, "cleaner", "-b----");
    for (int n = 0; n < 5 && g_file_test(fence, G_FILE_TEST_EXISTS); n++) {
        struct ran *cleaner =
            prepare(n % 2 ? XC_ACTION_UNPAUSE : XC_ACTION_PAUSE, "cleaner", 90, "");

        start(cleaner);
        finish(cleaner, XC_RESULT_OK, XC_CAUSE_NONE);
        release(cleaner);
        for (int i = 0; i < 300 && g_file_test(fence, G_FILE_TEST_EXISTS); i++)
            g_usleep(10 * 1000);
    }
    g_assert_false(g_file_test(fence, G_FILE_TEST_EXISTS));
}

/* A fence older than a day goes; what was done stays done. */
static void test_forgets_nothing(void)
{
    g_autofree char *config = in_state("/old.cfg");
    g_autofree char *fence = NULL;
    struct ran *ran = prepare(XC_ACTION_START, "old", 0, config);
    struct ran *again = prepare(XC_ACTION_START, "old", 0, config);
    char op[XC_UUID_TEXT];

    put(config, "name = \"old\"\n", 0644);
    again->order.op = ran->order.op;
    again->order.attach = true;
    start(ran);
    finish(ran, XC_RESULT_OK, XC_CAUSE_NONE);
    xc_uuid_format(&ran->order.op, op);
    fence = g_strdup_printf("%s/run/%s", sim.top, op);
    command("touch -d '2 days ago' %s", fence);
    clean_away(fence);
    start(again);
    finish(again, XC_RESULT_OK, XC_CAUSE_NONE);
    g_assert_cmpuint(runs("create", config), ==, 1);
    release(ran);
    release(again);
}

static char *boot_id(void)
{
    char *text = NULL;

    g_assert_true(g_file_get_contents("/proc/sys/kernel/random/boot_id", &text, NULL, NULL));
    return g_strchomp(text);
}

/* Never began in this life of the host: it runs. Began in an earlier one: lost, unless the state proves it. */
static void test_attach(void)
{
    struct ran *ran[5];

    put_domain(80, "att-p", "-b----");
    put_domain(81, "att-lost", "-b----");
    put_domain(82, "att-running", "-b----");
    ran[0] = prepare(XC_ACTION_PAUSE, "att-p", 80, "");
    g_free(ran[0]->order.boot_id);
    ran[0]->order.boot_id = boot_id();
    ran[1] = prepare(XC_ACTION_PAUSE, "att-lost", 81, "");
    set_text(&ran[1]->order.boot_id, "6e2b9cf0-0000-4000-8000-000000000000");
    ran[2] = prepare(XC_ACTION_START, "att-running", 82, "/nosuch.cfg");
    ran[3] = prepare(XC_ACTION_DESTROY, "att-gone", 83, "");
    ran[4] = prepare(XC_ACTION_REBOOT, "att-running", 82, "");
    for (unsigned i = 0; i < 5; i++) {
        ran[i]->order.attach = true;
        start(ran[i]);
    }
    finish(ran[0], XC_RESULT_OK, XC_CAUSE_NONE);
    finish(ran[1], XC_RESULT_LOST, XC_CAUSE_LOST);
    g_assert_nonnull(strstr(ran[1]->outcome.text, "restarted"));
    finish(ran[2], XC_RESULT_OK, XC_CAUSE_NONE);
    finish(ran[3], XC_RESULT_OK, XC_CAUSE_NONE);
    finish(ran[4], XC_RESULT_LOST, XC_CAUSE_LOST);
    for (unsigned i = 0; i < 5; i++)
        release(ran[i]);
    g_assert_cmpuint(runs("pause", "81"), ==, 0);
    g_assert_cmpuint(runs("reboot", "82"), ==, 0);
}

static void test_migrate(void)
{
    struct ran *ok = prepare(XC_ACTION_MIGRATE, "mig", 70, "");
    struct ran *bad = prepare(XC_ACTION_MIGRATE, "mig-b", 71, "");
    struct ran *none = prepare(XC_ACTION_MIGRATE, "mig-n", 72, "");
    struct ran *option = prepare(XC_ACTION_MIGRATE, "mig-o", 73, "");
    g_autofree char *calls = in_state("/ssh");
    g_autofree char *log = NULL;

    put_domain(70, "mig", "-b----");
    put_domain(71, "mig-b", "-b----");
    put_domain(72, "mig-n", "-b----");
    put_domain(73, "mig-o", "-b----");
    set_text(&ok->order.target.address, "host2");
    set_text(&bad->order.target.address, "nowhere");
    set_text(&option->order.target.address, "-oProxyCommand=touch canary");
    start(ok);
    start(bad);
    start(none);
    start(option);
    finish(ok, XC_RESULT_OK, XC_CAUSE_NONE);
    finish(bad, XC_RESULT_FAILED, XC_CAUSE_TRANSPORT);
    finish(none, XC_RESULT_FAILED, XC_CAUSE_NO_SUCH_HOST);
    finish(option, XC_RESULT_FAILED, XC_CAUSE_BAD_VALUE);
    g_assert_true(g_file_get_contents(calls, &log, NULL, NULL));
    g_assert_nonnull(strstr(log, "-o BatchMode=yes -o StrictHostKeyChecking=yes"));
    g_assert_nonnull(strstr(log, " host2 xl migrate-receive\n"));
    release(ok);
    release(bad);
    release(none);
    release(option);
}

/* Cancelled while memory is sent: the domain stays where it is and runs. */
static void test_cancel_migration(void)
{
    struct ran *ran = prepare(XC_ACTION_MIGRATE, "mig-c", 60, "");
    g_autofree char *hold = in_state("-host3/hold");
    g_autofree char *dir = in_state("-host3"), *dom = in_state("/dom/60");

    put_domain(60, "mig-c", "-b----");
    g_mkdir(dir, 0755);
    put(hold, "", 0644);
    set_text(&ran->order.target.address, "host3");
    start(ran);
    wait_sending(ran);
    xc_call_cancel(&ran->call);
    finish(ran, XC_RESULT_CANCELLED, XC_CAUSE_CANCELLED);
    g_assert_nonnull(strstr(ran->outcome.text, "runs on"));
    g_assert_true(g_file_test(dom, G_FILE_TEST_EXISTS));
    g_unlink(hold);
    release(ran);
}

/* A guest that does not listen, and an operator who does not wait for it. */
static void test_ignored(void)
{
    struct ran *late = prepare(XC_ACTION_SHUTDOWN, "deaf", 50, "");
    struct ran *cancelled = prepare(XC_ACTION_SHUTDOWN, "deaf2", 51, "");
    g_autofree char *guest = in_state("/guest.deaf"), *guest2 = in_state("/guest.deaf2");

    put_domain(50, "deaf", "-b----");
    put_domain(51, "deaf2", "-b----");
    put(guest, "ignore", 0644);
    put(guest2, "ignore", 0644);
    xc_call_restart(&late->call, 6 * XC_USEC_PER_SEC);
    start(late);
    start(cancelled);
    while (runs("shutdown", "51") == 0)
        g_usleep(10 * 1000);
    xc_call_cancel(&cancelled->call);
    finish(cancelled, XC_RESULT_CANCELLED, XC_CAUSE_CANCELLED);
    finish(late, XC_RESULT_TIMED_OUT, XC_CAUSE_GUEST_IGNORED);
    release(late);
    release(cancelled);
}

static void test_cancelled_before(void)
{
    struct ran *ran = prepare(XC_ACTION_DESTROY, "spared", 40, "");

    put_domain(40, "spared", "-b----");
    xc_call_cancel(&ran->call);
    start(ran);
    finish(ran, XC_RESULT_CANCELLED, XC_CAUSE_CANCELLED);
    g_assert_cmpuint(runs("destroy", "40"), ==, 0);
    release(ran);
}

int main(int argc, char **argv)
{
    int rc;

    g_test_init(&argc, &argv, NULL);
    sim_begin("xl-once-XXXXXX");
    g_assert_cmpint(chdir(sim.top), ==, 0);
    g_test_add_func("/xl-once/once", test_once);
    g_test_add_func("/xl-once/forgets-nothing", test_forgets_nothing);
    g_test_add_func("/xl-once/attach", test_attach);
    g_test_add_func("/xl-once/migrate", test_migrate);
    g_test_add_func("/xl-once/cancel-migration", test_cancel_migration);
    g_test_add_func("/xl-once/ignored", test_ignored);
    g_test_add_func("/xl-once/cancelled-before", test_cancelled_before);
    rc = g_test_run();
    sim_end();
    return rc;
}
