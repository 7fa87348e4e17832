/* Suspend and resume by the xl driver on the simulated host: a domain lives in memory or in one whole file, whatever
 * breaks off, and is never in both. */
#include "tests/unit/xl_sim.h"
#include "xenclient/drivers/xl_job.h"

#include <glib/gstdio.h>
#include <unistd.h>

struct xl_sim sim;

/* --- what lies in the save directory */

static char *path_of(unsigned domid, const char *tail)
{
    g_autofree char *uuid = uuid_of(domid);

    return g_strdup_printf("%s/%s.%s", sim.saved, uuid, tail);
}

static gint by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names of the domain's files there, sorted, without the uuid, each followed by ' '. */
static char *files_of(unsigned domid)
{
    g_autofree char *uuid = uuid_of(domid);
    g_autoptr(GDir) dir = g_dir_open(sim.saved, 0, NULL);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    GString *out = g_string_new(NULL);

    for (const char *name; (name = g_dir_read_name(dir));)
        if (g_str_has_prefix(name, uuid))
            g_ptr_array_add(names, g_strdup(name + strlen(uuid) + 1));
    g_ptr_array_sort(names, by_name);
    for (guint i = 0; i < names->len; i++)
        g_string_append_printf(out, "%s ", (char *)names->pdata[i]);
    return g_string_free(out, FALSE);
}

static void assert_files(unsigned domid, const char *expected)
{
    g_autofree char *files = files_of(domid);

    g_assert_cmpstr(files, ==, expected);
}

static void assert_flags(const char *name, const char *expected)
{
    g_autofree char *flags = flags_of(name);

    g_assert_cmpstr(flags, ==, expected);
}

static void put_saved(unsigned domid, const char *name, const char *tail)
{
    g_autofree char *base64 = g_base64_encode((const guchar *)name, strlen(name));
    g_autofree char *uuid = uuid_of(domid);
    g_autofree char *text = g_strdup_printf("%s\n%s\n", base64, uuid);
    g_autofree char *path = path_of(domid, tail);

    put(path, text, 0600);
}

static void put_guest(const char *name, const char *behaviour)
{
    g_autofree char *path = in_state("/guest.%s", name);

    put(path, behaviour, 0644);
}

/* --- one after the other */

static struct ran *run(enum xc_action action, const char *name, unsigned domid,
                       enum xc_result result, enum xc_cause cause)
{
    struct ran *ran = prepare(action, name, domid, "");

    start(ran);
    finish(ran, result, cause);
    return ran;
}

static void run_ok(enum xc_action action, const char *name, unsigned domid)
{
    release(run(action, name, domid, XC_RESULT_OK, XC_CAUSE_NONE));
}

static void run_fails(enum xc_action action, const char *name, unsigned domid, enum xc_cause cause,
                      const char *words)
{
    struct ran *ran = run(action, name, domid, XC_RESULT_FAILED, cause);

    if (!strstr(ran->outcome.text, words))
        g_test_fail_printf("nothing of \"%s\" in \"%s\"", words, ran->outcome.text);
    release(ran);
}

static void test_there_and_back(void)
{
    g_autofree char *path = path_of(10, "web.xensave");
    struct ran *ran;
    struct stat st;

    put_domain(10, "web", "-b----");
    ran = run(XC_ACTION_SUSPEND, "web", 10, XC_RESULT_OK, XC_CAUSE_NONE);
    g_assert_cmpstr(ran->outcome.text, ==, path);
    release(ran);
    assert_flags("web", "");
    assert_files(10, "web.xensave ");
    g_assert_cmpint(stat(path, &st), ==, 0);
    g_assert_cmpint(st.st_mode & 0777, ==, 0600);
    g_assert_cmpint(st.st_size, >, 200000);
    run_fails(XC_ACTION_SUSPEND, "web", 10, XC_CAUSE_NO_SUCH_TARGET, "");
    run_ok(XC_ACTION_RESUME, "web", 10);
    assert_flags("web", "r-----");
    assert_files(10, "");
    run_fails(XC_ACTION_RESUME, "web", 10, XC_CAUSE_BAD_STATE, "there already");
}

/* The label is of the name as lists show it: cleaned. */
static void test_hostile_name(void)
{
    static const char name[] = "../x $(touch canary)\n%s\xff";

    put_domain(11, name, "-b----");
    run_ok(XC_ACTION_SUSPEND, name, 11);
    assert_files(11, "%2E%2E%2Fx%20%24%28touch%20canary%29%3F%25s%3F.xensave ");
    run_ok(XC_ACTION_RESUME, name, 11);
    assert_flags(name, "r-----");
    g_assert_false(g_file_test("canary", G_FILE_TEST_EXISTS));
}

/* Files of an earlier life are older than the disks. */
static void test_leaves_one_file(void)
{
    put_domain(12, "old", "-b----");
    put_saved(12, "old", "old-name.xensave");
    put_saved(12, "old", "old.xensave.resuming");
    put_saved(12, "old", "broken-off.saving");
    put_saved(99, "other", "other.xensave");
    run_ok(XC_ACTION_SUSPEND, "old", 12);
    assert_files(12, "old.xensave ");
    assert_files(99, "other.xensave ");
    put_domain(13, "goes-on", "--p---");
    put_saved(13, "goes-on", "goes-on.xensave");
    run_ok(XC_ACTION_UNPAUSE, "goes-on", 13);
    assert_files(13, "");
}

static void test_failed_save(void)
{
    put_domain(20, "deaf", "-b----");
    put_guest("deaf", "refuse");
    run_fails(XC_ACTION_SUSPEND, "deaf", 20, XC_CAUSE_GUEST_IGNORED, "goes on as before");
    assert_flags("deaf", "-b----");
    assert_files(20, "");
    put_domain(21, "ended", "---s--");
    run_fails(XC_ACTION_SUSPEND, "ended", 21, XC_CAUSE_BAD_STATE, "ended");
}

static void test_failed_restore(void)
{
    put_saved(22, "bad", "bad.xensave");
    put_guest("bad", "norestore");
    run_fails(XC_ACTION_RESUME, "bad", 22, XC_CAUSE_DRIVER_ERROR, "suspended as before");
    assert_flags("bad", "");
    assert_files(22, "bad.xensave ");
    run_fails(XC_ACTION_RESUME, "none", 23, XC_CAUSE_NO_STORAGE, "no save file");
    put_saved(24, "cut", "cut.xensave.resuming");
    put_saved(24, "cut", "cut.xensave");
    run_fails(XC_ACTION_RESUME, "cut", 24, XC_CAUSE_BAD_STATE, "cut off");
    assert_files(24, "cut.xensave cut.xensave.resuming ");
    put_saved(25, "two", "two.xensave");
    put_saved(25, "two", "deux.xensave");
    run_fails(XC_ACTION_RESUME, "two", 25, XC_CAUSE_AMBIGUOUS, "several");
    g_assert_cmpuint(runs("restore", "-p"), >, 0);
}

static void test_directory(void)
{
    char *right = sim.saved;

    put_domain(26, "where", "-b----");
    sim.saved = (char *)"";
    run_fails(XC_ACTION_SUSPEND, "where", 26, XC_CAUSE_BAD_CONFIG, "no save_dir");
    sim.saved = in_top("not there");
    run_fails(XC_ACTION_SUSPEND, "where", 26, XC_CAUSE_NO_STORAGE, "no directory");
    g_mkdir(sim.saved, 0700);
    chmod(sim.saved, 0777);
    run_fails(XC_ACTION_SUSPEND, "where", 26, XC_CAUSE_POLICY, "others may write");
    run_fails(XC_ACTION_RESUME, "where", 26, XC_CAUSE_POLICY, "others may write");
    g_free(sim.saved);
    sim.saved = right;
    assert_flags("where", "-b----");
}

/* --- broken off */

static void test_full(void)
{
    g_autofree char *full = in_state("/full");

    put_domain(27, "big", "-b----");
    put(full, "", 0644);
    run_fails(XC_ACTION_SUSPEND, "big", 27, XC_CAUSE_NO_STORAGE,
              "goes on as before: the file system is full");
    g_unlink(full);
    assert_flags("big", "-b----");
    assert_files(27, "");
}

static void hold(const char *what, bool on)
{
    g_autofree char *path = in_state("/hold-%s", what);

    if (on)
        put(path, "", 0644);
    else
        g_unlink(path);
}

static struct ran *start_held(enum xc_action action, const char *name, unsigned domid,
                              const char *words)
{
    struct ran *ran = prepare(action, name, domid, "");

    start(ran);
    wait_words(ran, words);
    return ran;
}

/* Until nobody reads what xl writes. */
static void cancel_save(struct ran *ran)
{
    g_autofree char *path = NULL;
    char op[XC_UUID_TEXT];

    xc_uuid_format(&ran->order.op, op);
    path = g_strdup_printf("%s/run/%s/dd.rc", sim.top, op);
    xc_call_cancel(&ran->call);
    for (int i = 0; i < 3000; i++) {
        g_autofree char *text = get(path);

        if (*text)
            return;
        g_usleep(10 * 1000);
    }
    g_error("the reader of the save was never ended");
}

static void test_cancel_save(void)
{
    struct ran *ran;

    put_domain(30, "c-save", "-b----");
    hold("save", true);
    ran = start_held(XC_ACTION_SUSPEND, "c-save", 30, "Saving domain");
    cancel_save(ran);
    hold("save", false);
    finish(ran, XC_RESULT_CANCELLED, XC_CAUSE_CANCELLED);
    g_assert_nonnull(strstr(ran->outcome.text, "goes on as before"));
    assert_flags("c-save", "-b----");
    assert_files(30, "");
    release(ran);
}

/* The worst case: xl gives up and leaves the guest suspended in memory. */
static void test_stuck(void)
{
    struct ran *ran;

    put_domain(31, "stuck", "-b----");
    put_guest("stuck", "stuck");
    hold("save", true);
    ran = start_held(XC_ACTION_SUSPEND, "stuck", 31, "Saving domain");
    cancel_save(ran);
    hold("save", false);
    finish(ran, XC_RESULT_FAILED, XC_CAUSE_DRIVER_ERROR);
    g_assert_nonnull(strstr(ran->outcome.text, "only be destroyed"));
    assert_files(31, "");
    release(ran);
    run_ok(XC_ACTION_DESTROY, "stuck", 31);
}

static void test_cancel_restore(void)
{
    struct ran *ran;

    put_saved(32, "c-back", "c-back.xensave");
    hold("restore", true);
    ran = start_held(XC_ACTION_RESUME, "c-back", 32, "Loading");
    xc_call_cancel(&ran->call);
    finish(ran, XC_RESULT_CANCELLED, XC_CAUSE_CANCELLED);
    hold("restore", false);
    g_assert_nonnull(strstr(ran->outcome.text, "suspended as before"));
    assert_flags("c-back", "");
    assert_files(32, "c-back.xensave ");
    release(ran);
    run_ok(XC_ACTION_RESUME, "c-back", 32);
    assert_files(32, "");
}

/* --- once */

/* Two operations, as of two hosts with one directory: one gets the file. */
static void test_one_of_two(void)
{
    struct ran *ran[4];
    unsigned ok = 0;

    put_saved(40, "both", "both.xensave");
    for (unsigned i = 0; i < G_N_ELEMENTS(ran); i++) {
        ran[i] = prepare(XC_ACTION_RESUME, "both", 40, "");
        start(ran[i]);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(ran); i++) {
        g_thread_join(ran[i]->thread);
        ok += ran[i]->outcome.result == XC_RESULT_OK;
        release(ran[i]);
    }
    g_assert_cmpuint(ok, ==, 1);
    assert_flags("both", "r-----");
    assert_files(40, "");
}

/* One operation, in the hands of several workers and asked for again after its end. */
static void test_attach(void)
{
    g_autofree char *path = path_of(41, "same.xensave.resuming");
    struct ran *ran[4];

    put_saved(41, "same", "same.xensave");
    for (unsigned i = 0; i < G_N_ELEMENTS(ran); i++) {
        ran[i] = prepare(XC_ACTION_RESUME, "same", 41, "");
        ran[i]->order.op = ran[0]->order.op;
        ran[i]->order.attach = i == 3;
        start(ran[i]);
        if (i == 2)
            for (unsigned j = 0; j <= i; j++)
                finish(ran[j], XC_RESULT_OK, XC_CAUSE_NONE);
    }
    finish(ran[3], XC_RESULT_OK, XC_CAUSE_NONE);
    for (unsigned i = 0; i < G_N_ELEMENTS(ran); i++)
        release(ran[i]);
    g_assert_cmpuint(runs("restore", path), ==, 1);
}

/* The host restarted meanwhile: what is found proves it, or nothing does. */
static void test_lost(void)
{
    static const struct {
        enum xc_action action;
        const char *flags; /* of the living domain; NULL: none */
        const char *tail;  /* of its file; NULL: none */
        enum xc_result result;
        enum xc_cause cause;
    } cases[] = {
        {XC_ACTION_SUSPEND, NULL, "l.xensave", XC_RESULT_OK, XC_CAUSE_NONE},
        {XC_ACTION_SUSPEND, NULL, NULL, XC_RESULT_LOST, XC_CAUSE_LOST},
        {XC_ACTION_SUSPEND, NULL, "l.saving", XC_RESULT_LOST, XC_CAUSE_LOST},
        {XC_ACTION_SUSPEND, "--p---", "l.xensave", XC_RESULT_LOST, XC_CAUSE_LOST},
        {XC_ACTION_RESUME, "-b----", NULL, XC_RESULT_OK, XC_CAUSE_NONE},
        {XC_ACTION_RESUME, "--p---", NULL, XC_RESULT_LOST, XC_CAUSE_LOST},
        {XC_ACTION_RESUME, "-b----", "l.xensave.resuming", XC_RESULT_LOST, XC_CAUSE_LOST},
        {XC_ACTION_RESUME, NULL, "l.xensave", XC_RESULT_LOST, XC_CAUSE_LOST},
    };
    unsigned before = runs("save", "-p") + runs("restore", "-p");
    struct ran *ran[G_N_ELEMENTS(cases)];

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *name = g_strdup_printf("lost%u", i);

        if (cases[i].flags)
            put_domain(50 + i, name, cases[i].flags);
        if (cases[i].tail)
            put_saved(50 + i, name, cases[i].tail);
        ran[i] = prepare(cases[i].action, name, 50 + i, "");
        set_text(&ran[i]->order.boot_id, "6e2b9cf0-0000-4000-8000-000000000000");
        ran[i]->order.attach = true;
        start(ran[i]);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        finish(ran[i], cases[i].result, cases[i].cause);
        release(ran[i]);
    }
    g_assert_cmpuint(runs("save", "-p") + runs("restore", "-p"), ==, before);
}

/* The host takes it as one argument, quoted once more. */
static void test_fits(void)
{
    g_autofree char *dir = g_strnfill(255, '\'');
    struct xl_job job = {
        .action = XC_ACTION_SUSPEND, .name = dir, .after_name = "", .save_dir = dir};
    g_autofree char *script = xl_job_launch(&job);
    g_autofree char *quoted = g_shell_quote(script);

    g_assert_cmpuint(strlen(quoted), <, 131071 - 1000);
}

/* Over all that was done before: no guest ran on beside its image, none was ended without one. */
static void test_no_accidents(void)
{
    g_autofree char *path = in_state("/accidents");
    g_autofree char *accidents = get(path);

    g_assert_cmpstr(accidents, ==, "");
}

static void test_label(void)
{
    g_autofree char *longest = g_strnfill(300, 'x');
    g_autofree char *dots = g_strnfill(300, '.');
    char label[XL_LABEL_SIZE];

    xl_save_label("Web-01_a", label);
    g_assert_cmpstr(label, ==, "Web-01_a");
    xl_save_label("", label);
    g_assert_cmpstr(label, ==, "");
    xl_save_label(longest, label);
    g_assert_cmpuint(strlen(label), <, XL_LABEL_SIZE);
    xl_save_label(dots, label);
    g_assert_true(g_str_has_suffix(label, "%2E"));
}

int main(int argc, char **argv)
{
    int rc;

    g_test_init(&argc, &argv, NULL);
    sim_begin("xl-suspend-XXXXXX");
    g_assert_cmpint(chdir(sim.top), ==, 0);
    g_test_add_func("/xl-suspend/label", test_label);
    g_test_add_func("/xl-suspend/fits", test_fits);
    g_test_add_func("/xl-suspend/there-and-back", test_there_and_back);
    g_test_add_func("/xl-suspend/hostile-name", test_hostile_name);
    g_test_add_func("/xl-suspend/leaves-one-file", test_leaves_one_file);
    g_test_add_func("/xl-suspend/failed-save", test_failed_save);
    g_test_add_func("/xl-suspend/failed-restore", test_failed_restore);
    g_test_add_func("/xl-suspend/directory", test_directory);
    g_test_add_func("/xl-suspend/full", test_full);
    g_test_add_func("/xl-suspend/cancel-save", test_cancel_save);
    g_test_add_func("/xl-suspend/stuck", test_stuck);
    g_test_add_func("/xl-suspend/cancel-restore", test_cancel_restore);
    g_test_add_func("/xl-suspend/one-of-two", test_one_of_two);
    g_test_add_func("/xl-suspend/attach", test_attach);
    g_test_add_func("/xl-suspend/lost", test_lost);
    g_test_add_func("/xl-suspend/no-accidents", test_no_accidents);
    rc = g_test_run();
    sim_end();
    return rc;
}
