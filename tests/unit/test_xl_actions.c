/* Every action of the xl driver on a simulated host (tests/integration/xl/bin) reached by xl:///:
 * the jobs run as on a real one, in the shell there is. */
#include "xenclient/drivers/drivers.h"
#include "xenclient/drivers/xl_actions.h"
#include "xenclient/drivers/xl_job.h"
#include "xenclient/util/clock.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUDGET (25 * XC_USEC_PER_SEC)

static char *top;   /* the test's own directory */
static char *state; /* of the host, $XL_STATE */

/* --- the simulated host */

static char *in_state(const char *format, ...) G_GNUC_PRINTF(1, 2);
static char *in_state(const char *format, ...)
{
    g_autofree char *name = NULL;
    va_list args;

    va_start(args, format);
    name = g_strdup_vprintf(format, args);
    va_end(args);
    return g_strconcat(state, name, NULL);
}

static void put(const char *path, const char *text)
{
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static char *uuid_of(unsigned n)
{
    return g_strdup_printf("00000000-0000-4000-8000-%012u", n);
}

static void put_domain(unsigned domid, const char *name, const char *flags)
{
    g_autofree char *base64 = g_base64_encode((const guchar *)name, strlen(name));
    g_autofree char *uuid = uuid_of(domid);
    g_autofree char *text = g_strdup_printf("%s\n%s\n%s\n", base64, uuid, flags);
    g_autofree char *path = in_state("/dom/%u", domid);
    g_autofree char *taken = in_state("/id.%u", domid);

    put(path, text);
    g_mkdir(taken, 0755);
}

/* How often a command line whose words are all in `words` was run, of those with that verb. */
static unsigned runs(const char *verb, const char *word)
{
    g_autofree char *path = in_state("/argv");
    g_autofree char *log = NULL;
    gsize length = 0;
    unsigned n = 0;

    g_file_get_contents(path, &log, &length, NULL);
    for (gsize at = 0; at < length;) {
        bool is_verb = strcmp(log + at, verb) == 0, has = false;

        for (; at < length && log[at]; at += strlen(log + at) + 1)
            has |= strcmp(log + at, word) == 0;
        at++;
        n += is_verb && has;
    }
    return n;
}

/* --- running an order */

struct ran {
    struct xc_order order;
    struct xc_call call;
    struct xc_outcome outcome;
    GString *phases;
    GThread *thread;
};

static void note_phase(const char *phase, int progress, void *data)
{
    struct ran *ran = data;

    g_assert_cmpint(progress, ==, -1);
    g_string_append_printf(ran->phases, "%s;", phase);
}

static struct ran *prepare(enum xc_action action, const char *name, unsigned domid,
                           const char *config)
{
    struct ran *ran = g_new0(struct ran, 1);
    g_autofree char *uuid = uuid_of(domid);

    ran->order = (struct xc_order){
        .action = action,
        .name = g_strdup(name),
        .config = g_strdup(config),
        .content = g_strdup(""),
        .host_from = g_strdup(""),
        .boot_id = g_strdup(""),
        .timeout_usec = BUDGET,
        .target = {g_strdup(""), g_strdup(""), g_strdup(""), g_strdup(""), g_strdup(""),
                   g_strdup("")},
    };
    xc_uuid_random(&ran->order.op);
    if (domid)
        g_assert_true(xc_uuid_parse(uuid, &ran->order.uuid));
    ran->phases = g_string_new(NULL);
    g_assert_true(xc_call_init(&ran->call, BUDGET, NULL));
    return ran;
}

static void *release(struct ran *ran)
{
    xc_order_clear(&ran->order);
    xc_outcome_clear(&ran->outcome);
    xc_call_deinit(&ran->call);
    g_string_free(ran->phases, TRUE);
    g_free(ran);
    return NULL;
}

static gpointer run_thread(gpointer data)
{
    struct xc_source_spec spec = {(char *)"here", (char *)"xl:///", (char *)"",
                                  (char *)"",     (char *)"",       (char *)""};
    struct xc_driver_env env = {top, top};
    struct ran *ran = data;

    xc_xl_driver.run(&spec, &env, &ran->order, &ran->call, note_phase, ran, &ran->outcome);
    return NULL;
}

static void start(struct ran *ran)
{
    ran->thread = g_thread_new("order", run_thread, ran);
}

/* Tells all that differs, instead of ending at the first. */
static void finish(struct ran *ran, enum xc_result result, enum xc_cause cause)
{
    g_autofree char *name = g_strescape(ran->order.name, NULL);
    const char *got, *got_cause;

    g_thread_join(ran->thread);
    got = xc_enum_label(&xc_result_labels, (int)ran->outcome.result);
    got_cause = xc_enum_label(&xc_cause_labels, (int)ran->outcome.cause);
    g_test_message("%s %s: %s %s, %s (%s)",
                   xc_enum_label(&xc_action_labels, (int)ran->order.action), name, got, got_cause,
                   ran->outcome.text, ran->phases->str);
    if (ran->outcome.result != result || ran->outcome.cause != cause)
        g_test_fail_printf("wanted %s %s", xc_enum_label(&xc_result_labels, (int)result),
                           xc_enum_label(&xc_cause_labels, (int)cause));
}

/* --- one table: every action, what it meets, how it must end */

struct action_case {
    enum xc_action action;
    const char *name;   /* NULL text: no such domain beforehand */
    const char *flags;  /* state of the living domain beforehand, NULL: none */
    const char *guest;  /* behaviour */
    const char *config; /* text of its configuration, NULL: none */
    enum xc_result result;
    enum xc_cause cause;
    const char *words; /* in the outcome's text */
};

#define OK                   XC_RESULT_OK, XC_CAUSE_NONE, ""
#define FAILED(cause, words) XC_RESULT_FAILED, XC_CAUSE_##cause, words
#define CONFIG               "kernel = \"/boot/x\"\n"

static const struct action_case cases[] = {
    {XC_ACTION_PAUSE, "pause", "-b----", NULL, NULL, OK},
    {XC_ACTION_PAUSE, "pause-r", "r-----", "refuse", NULL, FAILED(BAD_STATE, "Invalid argument")},
    {XC_ACTION_PAUSE, "pause-s", "---s--", NULL, NULL, FAILED(BAD_STATE, "ended")},
    {XC_ACTION_PAUSE, "pause-n", NULL, NULL, NULL, FAILED(NO_SUCH_TARGET, "")},
    {XC_ACTION_UNPAUSE, "unpause", "--p---", NULL, NULL, OK},
    {XC_ACTION_UNPAUSE, "unpause-r", "--p---", "refuse", NULL, FAILED(BAD_STATE, "Invalid")},
    {XC_ACTION_DESTROY, "destroy", "-b----", NULL, NULL, OK},
    {XC_ACTION_DESTROY, "destroy-c", "---sc-", NULL, NULL, OK},
    {XC_ACTION_DESTROY, "name with  blanks ", "------", NULL, NULL, OK},
    {XC_ACTION_SHUTDOWN, "shut", "-b----", NULL, NULL, OK},
    {XC_ACTION_SHUTDOWN, "shut-b", "-b----", "button", NULL, OK},
    {XC_ACTION_SHUTDOWN, "shut-n", "-b----", "nodriver", NULL, FAILED(NO_GUEST_DRIVER, "")},
    {XC_ACTION_SHUTDOWN, "shut-c", "-b----", "crash", NULL, FAILED(DRIVER_ERROR, "crashed")},
    {XC_ACTION_SHUTDOWN, "shut-a", "-b----", "again", NULL, FAILED(DRIVER_ERROR, "started again")},
    {XC_ACTION_REBOOT, "42", "-b----", NULL, NULL, OK},
    {XC_ACTION_REBOOT, "boot-b", "-b----", "button", NULL, OK},
    {XC_ACTION_REBOOT, "boot-c", "-b----", "crash", NULL, FAILED(DRIVER_ERROR, "crashed")},
    {XC_ACTION_RESET, "reset", "-b----", NULL, CONFIG, OK},
    {XC_ACTION_RESET, "reset-c", "---sc-", NULL, CONFIG, OK},
    {XC_ACTION_RESET, "reset-x", "-b----", NULL, NULL, FAILED(NOT_SUPPORTED, "no configuration")},
    {XC_ACTION_RESET, "reset-b", "-b----", NULL, CONFIG "# broken",
     FAILED(BAD_CONFIG, "not accept")},
    {XC_ACTION_RESET, "reset-m", "-b----", NULL, CONFIG "# memory", FAILED(NO_MEMORY, "destroyed")},
    {XC_ACTION_START, "start", NULL, NULL, CONFIG, OK},
    {XC_ACTION_START, "start-m", NULL, NULL, CONFIG "# memory", FAILED(NO_MEMORY, "Out of memory")},
    {XC_ACTION_START, "start-b", NULL, NULL, CONFIG "# broken", FAILED(BAD_CONFIG, "")},
    {XC_ACTION_START, "start-g", NULL, NULL, CONFIG "# gone", FAILED(DRIVER_ERROR, "right after")},
    {XC_ACTION_START, "start-t", "-b----", NULL, CONFIG, FAILED(BAD_STATE, "already")},
    {XC_ACTION_START, "start-s", "---s--", NULL, CONFIG, FAILED(BAD_STATE, "destroy that first")},
    {XC_ACTION_START, "start-x", NULL, NULL, NULL, FAILED(BAD_CONFIG, "")},
    {XC_ACTION_CREATE, "create", NULL, NULL, CONFIG, OK},
    {XC_ACTION_NOOP, "noop", "-b----", NULL, NULL, FAILED(NOT_SUPPORTED, "")},
};

static struct ran *begin_case(unsigned i)
{
    const struct action_case *c = &cases[i];
    unsigned domid = 100 + i;
    g_autofree char *uuid = uuid_of(domid);
    g_autofree char *guest = in_state("/guest.%s", c->name);
    g_autofree char *config = in_state("/%s.cfg", c->name);
    g_autofree char *text = g_strdup_printf("name = \"%s\"\nuuid = \"%s\"\n%s\n", c->name, uuid,
                                            c->config ? c->config : "");
    struct ran *ran;

    if (c->flags)
        put_domain(domid, c->name, c->flags);
    if (c->guest)
        put(guest, c->guest);
    if (c->config)
        put(config, text);
    ran = prepare(c->action, c->name, domid, c->config ? config : "");
    start(ran);
    return ran;
}

static void test_cases(void)
{
    struct ran *ran[G_N_ELEMENTS(cases)];

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
        ran[i] = begin_case(i);
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        finish(ran[i], cases[i].result, cases[i].cause);
        if (!strstr(ran[i]->outcome.text, cases[i].words))
            g_test_fail_printf("nothing of \"%s\" in the text", cases[i].words);
        release(ran[i]);
    }
}

/* --- special ones */

/* An operation given to two workers at once, or again long after its end, is done once. */
static void test_once(void)
{
    g_autofree char *config = in_state("/once.cfg");
    struct ran *ran[6];

    put(config, "name = \"once\"\n# slow\n");
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

/* A fence older than a day goes; what was done stays done. */
static void test_forgets_nothing(void)
{
    g_autofree char *config = in_state("/old.cfg");
    g_autofree char *command = NULL, *fence = NULL;
    struct ran *ran = prepare(XC_ACTION_START, "old", 0, config);
    struct ran *again = prepare(XC_ACTION_START, "old", 0, config);
    struct ran *other = prepare(XC_ACTION_PAUSE, "nosuch", 0, "");
    struct ran *cleaner = NULL;
    char op[XC_UUID_TEXT];

    put(config, "name = \"old\"\n");
    again->order.op = ran->order.op;
    again->order.attach = true;
    start(ran);
    finish(ran, XC_RESULT_OK, XC_CAUSE_NONE);
    xc_uuid_format(&ran->order.op, op);
    fence = g_strdup_printf("%s/run/%s", top, op);
    command = g_strdup_printf("touch -d '2 days ago' %s", fence);
    g_assert_true(g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL));
    put_domain(90, "cleaner", "-b----");
    cleaner = prepare(XC_ACTION_PAUSE, "cleaner", 90, "");
    start(cleaner);
    finish(cleaner, XC_RESULT_OK, XC_CAUSE_NONE);
    for (int i = 0; i < 300 && g_file_test(fence, G_FILE_TEST_EXISTS); i++)
        g_usleep(10 * 1000);
    g_assert_false(g_file_test(fence, G_FILE_TEST_EXISTS));
    start(again);
    finish(again, XC_RESULT_OK, XC_CAUSE_NONE);
    g_assert_cmpuint(runs("create", config), ==, 1);
    release(ran);
    release(again);
    release(other);
    release(cleaner);
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
    g_free(ran[1]->order.boot_id);
    ran[1]->order.boot_id = g_strdup("6e2b9cf0-0000-4000-8000-000000000000");
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

static void set_target(struct ran *ran, const char *address)
{
    g_free(ran->order.target.address);
    ran->order.target.address = g_strdup(address);
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
    set_target(ok, "host2");
    set_target(bad, "nowhere");
    set_target(option, "-oProxyCommand=touch canary");
    start(ok);
    start(bad);
    start(none);
    start(option);
    finish(ok, XC_RESULT_OK, XC_CAUSE_NONE);
    g_assert_nonnull(strstr(ok->phases->str, "destination"));
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

/* Waits for a phase; the operation is under way then. */
static void wait_for_file(const char *path, const char *words)
{
    for (int i = 0; i < 1000; i++) {
        g_autofree char *text = NULL;

        if (g_file_get_contents(path, &text, NULL, NULL) && strstr(text, words))
            return;
        g_usleep(10 * 1000);
    }
    g_error("%s never said %s", path, words);
}

static void wait_sending(const struct ran *ran)
{
    g_autofree char *err = NULL;
    char op[XC_UUID_TEXT];

    xc_uuid_format(&ran->order.op, op);
    err = g_strdup_printf("%s/run/%s/err", top, op);
    wait_for_file(err, "Saving to migration stream");
}

/* Cancelled while memory is sent: the domain stays where it is and runs. */
static void test_cancel_migration(void)
{
    struct ran *ran = prepare(XC_ACTION_MIGRATE, "mig-c", 60, "");
    g_autofree char *hold = in_state("-host3/hold");
    g_autofree char *dir = in_state("-host3"), *dom = in_state("/dom/60");

    put_domain(60, "mig-c", "-b----");
    g_mkdir(dir, 0755);
    put(hold, "");
    set_target(ran, "host3");
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
    put(guest, "ignore");
    put(guest2, "ignore");
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

static void test_domain_0(void)
{
    struct ran *by_id = prepare(XC_ACTION_DESTROY, "Domain-0", 0, "");
    struct ran *by_name = prepare(XC_ACTION_SHUTDOWN, "Domain-0", 0, "");
    struct ran *by_nothing = prepare(XC_ACTION_SHUTDOWN, "", 0, "");

    by_id->order.has_domid = true;
    start(by_id);
    start(by_name);
    start(by_nothing);
    finish(by_id, XC_RESULT_FAILED, XC_CAUSE_PROTECTED);
    finish(by_name, XC_RESULT_FAILED, XC_CAUSE_NO_SUCH_TARGET);
    finish(by_nothing, XC_RESULT_FAILED, XC_CAUSE_BAD_VALUE);
    g_assert_cmpuint(runs("destroy", "0"), ==, 0);
    g_assert_cmpuint(runs("shutdown", "0"), ==, 0);
    release(by_id);
    release(by_name);
    release(by_nothing);
}

/* --- hostile words */

static const char *const hostile[] = {
    "$(touch canary)",
    "`touch canary`",
    "'; touch canary; '",
    "\"; touch canary; \"",
    "a\ntouch canary\n",
    "-n",
    "--",
    "|touch canary&",
    "\\'$(touch canary)",
    "*?[a-z]",
    "%s%n%d",
    "\xff\xfe bytes",
    "\t tab  blanks ",
    "!history",
    "#comment",
    "caf\xc3\xa9",
};

/* Paths of configurations arrive octet by octet; names inside them are looked for, never run. */
static void test_hostile(void)
{
    struct ran *ran[G_N_ELEMENTS(hostile)];
    char *paths[G_N_ELEMENTS(hostile)];
    g_autofree char *content_log = NULL;

    for (unsigned i = 0; i < G_N_ELEMENTS(hostile); i++) {
        g_autofree char *text = g_strdup_printf("name = 'h%u $(touch canary)`touch canary`'\n", i);

        g_strdelimit(text, "'", '"');
        paths[i] = in_state("/%u%s.cfg", i, hostile[i]);
        put(paths[i], text);
        ran[i] = prepare(XC_ACTION_START, hostile[i], 0, paths[i]);
        start(ran[i]);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(hostile); i++) {
        finish(ran[i], XC_RESULT_OK, XC_CAUSE_NONE);
        g_assert_cmpuint(runs("create", paths[i]), ==, 1);
        release(ran[i]);
        g_free(paths[i]);
    }
}

/* Names only: acting on a domain by whatever name needs no more than its number. */
static void test_hostile_names(void)
{
    struct ran *ran[G_N_ELEMENTS(hostile)];

    for (unsigned i = 0; i < G_N_ELEMENTS(hostile); i++) {
        put_domain(200 + i, hostile[i], "-b----");
        ran[i] = prepare(XC_ACTION_DESTROY, hostile[i], 200 + i, "");
        start(ran[i]);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(hostile); i++) {
        g_autofree char *number = g_strdup_printf("%u", 200 + i);

        finish(ran[i], XC_RESULT_OK, XC_CAUSE_NONE);
        g_assert_cmpuint(runs("destroy", number), ==, 1);
        release(ran[i]);
    }
}

static void test_content(void)
{
    struct ran *ran = prepare(XC_ACTION_CREATE, "", 0, "");

    g_free(ran->order.content);
    ran->order.content = g_strdup("name = \"sent\"\n# $(touch canary) '`touch canary`'\n");
    start(ran);
    finish(ran, XC_RESULT_OK, XC_CAUSE_NONE);
    release(ran);
}

/* --- without a host */

static void test_report(void)
{
    static const struct {
        const char *text;
        enum xl_job_state state;
        bool ok;
    } table[] = {
        {"boot b\nstate absent\n--\n", XL_JOB_ABSENT, true},
        {"boot b\nphase p q\nstate running\n--\nstate done\n", XL_JOB_RUNNING, true},
        {"boot b\nstate done\nstatus ok none 0\nnote n\n--\n", XL_JOB_DONE, true},
        {"boot b\nstate done\nstatus failed - 3\n--\nerr", XL_JOB_DONE, true},
        {"boot b\nstate done\n--\n", XL_JOB_DONE, false},
        {"boot b\nstate done\nstatus ok none 999\n--\n", XL_JOB_DONE, false},
        {"boot b\nstate done\nstatus perfect none 0\n--\n", XL_JOB_DONE, false},
        {"boot b\nstate done\nstatus ok nonsense 0\n--\n", XL_JOB_DONE, false},
        {"boot b\nstate sleeping\n--\n", XL_JOB_DONE, false},
        {"boot b\nstate absent\n", XL_JOB_DONE, false},
        {"", XL_JOB_DONE, false},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(table); i++) {
        GString *text = g_string_new(table[i].text);
        struct xl_report report;

        g_assert_cmpint(xl_report_parse(text, &report, NULL), ==, table[i].ok);
        if (table[i].ok)
            g_assert_cmpint(report.state, ==, table[i].state);
        xl_report_clear(&report);
        g_string_free(text, TRUE);
    }
}

static void test_phases(void)
{
    g_assert_null(xl_migrate_phase(""));
    g_assert_cmpstr(xl_migrate_phase("migration target: Ready to receive domain.\nSaving to "
                                     "migration stream new xl format"),
                    ==, "sending memory");
}

static void set_up(void)
{
    g_autofree char *bin = g_canonicalize_filename("tests/integration/xl/bin", NULL);
    g_autofree char *path = g_strdup_printf("%s:%s", bin, g_getenv("PATH"));
    g_autofree char *dom = NULL, *run = NULL;

    g_assert_true(g_file_test(bin, G_FILE_TEST_IS_DIR));
    top = g_dir_make_tmp("xl-actions-XXXXXX", NULL);
    state = g_build_filename(top, "host1", NULL);
    dom = g_build_filename(state, "dom", NULL);
    run = g_build_filename(top, "run", NULL);
    g_mkdir_with_parents(dom, 0755);
    g_setenv("PATH", path, TRUE);
    g_setenv("XL_STATE", state, TRUE);
    g_setenv("XENSNMP_RUN", run, TRUE);
    g_assert_cmpint(chdir(top), ==, 0);
}

static void test_no_canary(void)
{
    g_autofree char *command =
        g_strdup_printf("find %s / %s -maxdepth 1 -name 'canary*'", top, state);
    g_autofree char *found = NULL;

    g_assert_true(g_spawn_command_line_sync(command, &found, NULL, NULL, NULL));
    g_assert_cmpstr(found, ==, "");
}

int main(int argc, char **argv)
{
    g_autofree char *remove = NULL;
    int rc;

    g_test_init(&argc, &argv, NULL);
    set_up();
    g_test_add_func("/xl-actions/report", test_report);
    g_test_add_func("/xl-actions/phases", test_phases);
    g_test_add_func("/xl-actions/cases", test_cases);
    g_test_add_func("/xl-actions/once", test_once);
    g_test_add_func("/xl-actions/forgets-nothing", test_forgets_nothing);
    g_test_add_func("/xl-actions/attach", test_attach);
    g_test_add_func("/xl-actions/migrate", test_migrate);
    g_test_add_func("/xl-actions/cancel-migration", test_cancel_migration);
    g_test_add_func("/xl-actions/ignored", test_ignored);
    g_test_add_func("/xl-actions/cancelled-before", test_cancelled_before);
    g_test_add_func("/xl-actions/domain-0", test_domain_0);
    g_test_add_func("/xl-actions/hostile", test_hostile);
    g_test_add_func("/xl-actions/hostile-names", test_hostile_names);
    g_test_add_func("/xl-actions/content", test_content);
    g_test_add_func("/xl-actions/no-canary", test_no_canary);
    rc = g_test_run();
    remove = g_strdup_printf("rm -rf %s", top);
    g_spawn_command_line_sync(remove, NULL, NULL, NULL, NULL);
    g_free(top);
    g_free(state);
    return rc;
}
