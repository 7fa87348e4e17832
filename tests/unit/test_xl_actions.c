/* Every action of the xl driver on the simulated host, reached by xl:///: the jobs run as on a real one, in the
 * shell there is. */
#include "tests/unit/xl_sim.h"
#include "xenclient/drivers/xl_job.h"

#include <unistd.h>

struct xl_sim sim;

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
    uint32_t amount;
    unsigned time_sec; /* 0: enough */
};

#define OK_OF(amount)                   XC_RESULT_OK, XC_CAUSE_NONE, "", amount, 0
#define OK                              OK_OF(0)
#define FAILED_OF(amount, cause, words) XC_RESULT_FAILED, XC_CAUSE_##cause, words, amount, 0
#define FAILED(cause, words)            FAILED_OF(0, cause, words)
#define IGNORED(amount, words)          XC_RESULT_TIMED_OUT, XC_CAUSE_GUEST_IGNORED, words, amount, 25
#define CORE_WRITTEN                    XC_RESULT_OK, XC_CAUSE_NONE, ".core", 0, 0
#define CONFIG                          "kernel = \"/boot/x\"\n"

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
    {XC_ACTION_SET_MEMORY, "mem", "-b----", NULL, NULL, OK_OF(64)},
    {XC_ACTION_SET_MEMORY, "mem-i", "-b----", "ignore", NULL, IGNORED(64, "at 96 of 64 MiB")},
    {XC_ACTION_SET_MEMORY, "mem-r", "-b----", "refuse", NULL,
     FAILED_OF(64, DRIVER_ERROR, "failed")},
    {XC_ACTION_SET_MEMORY, "mem-s", "---s--", NULL, NULL, FAILED_OF(64, BAD_STATE, "ended")},
    {XC_ACTION_SET_VCPUS, "cpus", "-b----", NULL, NULL, OK_OF(4)},
    {XC_ACTION_SET_VCPUS, "cpus-i", "-b----", "ignore", NULL, IGNORED(4, "at 1 of 4 vCPUs")},
    {XC_ACTION_SET_WEIGHT, "a name of words", "--p---", NULL, NULL, OK_OF(512)},
    {XC_ACTION_SET_WEIGHT, "weight-i", "-b----", "ignore", NULL,
     FAILED_OF(512, DRIVER_ERROR, "Xen shows 256 instead")},
    {XC_ACTION_SET_CAP, "cap", "-b----", NULL, NULL, OK_OF(50)},
    {XC_ACTION_SET_CAP, "cap-i", "-b----", "ignore", NULL,
     FAILED_OF(50, DRIVER_ERROR, "Xen shows 0 instead")},
    {XC_ACTION_DUMP_CORE, "core", "-b----", NULL, NULL, CORE_WRITTEN},
    {XC_ACTION_DUMP_CORE, "core-c", "---sc-", NULL, NULL, CORE_WRITTEN},
    {XC_ACTION_DUMP_CORE, "core-r", "-b----", "refuse", NULL, FAILED(DRIVER_ERROR, "dump failed")},
    {XC_ACTION_NMI, "nmi", "-b----", NULL, NULL, OK},
    {XC_ACTION_NMI, "nmi-r", "-b----", "refuse", NULL, FAILED(NOT_SUPPORTED, "no such interrupt")},
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
        put(guest, c->guest, 0644);
    if (c->config)
        put(config, text, 0644);
    ran = prepare(c->action, c->name, domid, c->config ? config : "");
    ran->order.amount = c->amount;
    if (c->time_sec)
        ran->call.deadline = xc_clock_mono() + c->time_sec * XC_USEC_PER_SEC;
    start(ran);
    return ran;
}

static void test_cases(void)
{
    struct ran *ran[G_N_ELEMENTS(cases)];

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
        ran[i] = begin_case(i);
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *flags = NULL;

        finish(ran[i], cases[i].result, cases[i].cause);
        flags = flags_of(cases[i].name);
        /* The new domain is there before it runs. */
        if (cases[i].action == XC_ACTION_REBOOT && cases[i].result == XC_RESULT_OK)
            g_assert_cmpstr(flags, ==, "r-----");
        if (!strstr(ran[i]->outcome.text, cases[i].words))
            g_test_fail_printf("nothing of \"%s\" in the text", cases[i].words);
        release(ran[i]);
    }
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

    for (unsigned i = 0; i < G_N_ELEMENTS(hostile); i++) {
        g_autofree char *text = g_strdup_printf("name = 'h%u $(touch canary)`touch canary`'\n", i);

        g_strdelimit(text, "'", '"');
        paths[i] = in_state("/%u%s.cfg", i, hostile[i]);
        put(paths[i], text, 0644);
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

    set_text(&ran->order.content, "name = \"sent\"\n# $(touch canary) '`touch canary`'\n");
    start(ran);
    finish(ran, XC_RESULT_OK, XC_CAUSE_NONE);
    release(ran);
}

static void test_no_canary(void)
{
    g_autofree char *command =
        g_strdup_printf("find %s / %s -maxdepth 1 -name 'canary*'", sim.top, sim.state);
    g_autofree char *found = NULL;

    g_assert_true(g_spawn_command_line_sync(command, &found, NULL, NULL, NULL));
    g_assert_cmpstr(found, ==, "");
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

int main(int argc, char **argv)
{
    int rc;

    g_test_init(&argc, &argv, NULL);
    sim_begin("xl-actions-XXXXXX");
    g_assert_cmpint(chdir(sim.top), ==, 0);
    g_test_add_func("/xl-actions/report", test_report);
    g_test_add_func("/xl-actions/phases", test_phases);
    g_test_add_func("/xl-actions/cases", test_cases);
    g_test_add_func("/xl-actions/domain-0", test_domain_0);
    g_test_add_func("/xl-actions/hostile", test_hostile);
    g_test_add_func("/xl-actions/hostile-names", test_hostile_names);
    g_test_add_func("/xl-actions/content", test_content);
    g_test_add_func("/xl-actions/no-canary", test_no_canary);
    rc = g_test_run();
    sim_end();
    return rc;
}
