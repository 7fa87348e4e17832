/* Rows of xl list, values of xl info and the causes of failures, on what real hosts said. */
#include "xenclient/drivers/xl_parse.h"

#include "tests/unit/xl_fixture.h"

#include <string.h>

static GPtrArray *rows_of(const char *name)
{
    g_autoptr(GError) error = NULL;
    size_t length;
    g_autofree char *text = xl_fixture(name, &length);
    GPtrArray *rows = xl_parse_list(text, length, &error);

    g_assert_no_error(error);
    g_assert_nonnull(rows);
    return rows;
}

static GPtrArray *rows_from(const char *text)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *rows = xl_parse_list(text, strlen(text), &error);

    g_assert_no_error(error);
    return rows;
}

static const struct xl_row *row(const GPtrArray *rows, guint i)
{
    g_assert_cmpuint(i, <, rows->len);
    return g_ptr_array_index(rows, i);
}

static struct xc_uuid uuid_of(const char *text)
{
    struct xc_uuid uuid;

    g_assert_true(xc_uuid_parse(text, &uuid));
    return uuid;
}

static void test_mixed(void)
{
    static const struct {
        int64_t domid;
        const char *name;
        const char *flags;
        int reason_code;
        uint64_t mem_mib;
        uint64_t cpu_usec;
        enum xc_domain_state state;
        enum xc_reason reason;
    } expected[] = {
        {0, "Domain-0", "r-----", -1, 512, 91600000, XC_STATE_RUNNING, XC_REASON_NONE},
        {4, "crash", "---sc-", 3, 96, 3400000, XC_STATE_CRASHED, XC_REASON_CRASH},
        {5, "keep", "---s--", 0, 96, 3800000, XC_STATE_SHUTTING_DOWN, XC_REASON_POWEROFF},
        {6, "tiny1", "-b----", -1, 96, 3600000, XC_STATE_RUNNING, XC_REASON_NONE},
        {7, "micro1", "------", -1, 16, 900000, XC_STATE_RUNNING, XC_REASON_NONE},
        {8, "tiny2", "--p---", -1, 96, 0, XC_STATE_PAUSED, XC_REASON_NONE},
    };
    g_autoptr(GPtrArray) rows = rows_of("list/mixed-v.txt");
    struct xc_uuid micro1 = uuid_of("00000000-0000-4000-8000-0000000000a1");

    g_assert_cmpuint(rows->len, ==, G_N_ELEMENTS(expected));
    for (guint i = 0; i < rows->len; i++) {
        const struct xl_row *r = row(rows, i);
        enum xc_reason reason;

        g_assert_cmpint(r->domid, ==, expected[i].domid);
        g_assert_cmpstr(r->name, ==, expected[i].name);
        g_assert_cmpstr(r->flags, ==, expected[i].flags);
        g_assert_cmpint(r->reason_code, ==, expected[i].reason_code);
        g_assert_cmpuint(r->mem_mib, ==, expected[i].mem_mib);
        g_assert_cmpuint(r->vcpus, ==, 1);
        g_assert_cmpuint(r->cpu_usec, ==, expected[i].cpu_usec);
        g_assert_cmpint(xl_row_state(r, &reason), ==, expected[i].state);
        g_assert_cmpint(reason, ==, expected[i].reason);
        g_assert_true(r->has_uuid);
    }
    g_assert_cmpmem(&row(rows, 4)->uuid, 16, &micro1, 16);
    g_assert_true(xc_uuid_is_nil(&row(rows, 0)->uuid));
}

static void test_plain(void)
{
    g_autoptr(GPtrArray) rows = rows_of("list/mixed.txt");

    g_assert_cmpuint(rows->len, ==, 6);
    g_assert_false(row(rows, 1)->has_uuid);
    g_assert_cmpstr(row(rows, 1)->name, ==, "crash");
    g_assert_cmpuint(row(rows, 0)->cpu_usec, ==, 91100000);
}

static void test_odd_names(void)
{
    g_autoptr(GPtrArray) rows = rows_of("list/odd-names.txt");
    static const char *const names[] = {
        "Domain-0",
        "with space",
        "dots.and-dash_1",
        "x123456789012345678901234567890123456789012345678901234567890",
        "\xc3\xbcn\xc3\xaf\x63ode",
        "42",
    };

    g_assert_cmpuint(rows->len, ==, G_N_ELEMENTS(names));
    for (guint i = 0; i < rows->len; i++)
        g_assert_cmpstr(row(rows, i)->name, ==, names[i]);
    g_assert_cmpint(row(rows, 3)->domid, ==, 11);
    g_assert_cmpint(row(rows, 5)->domid, ==, 13);
}

static void test_more_lists(void)
{
    g_autoptr(GPtrArray) empty = rows_of("list/empty-v.txt");
    g_autoptr(GPtrArray) pvh = rows_of("list/pvh-v.txt");
    g_autoptr(GPtrArray) libvirt = rows_of("list/libvirt-v.txt");
    g_autoptr(GPtrArray) saved = rows_of("list/after-save-p.txt");
    enum xc_reason reason;

    g_assert_cmpuint(empty->len, ==, 1);
    g_assert_cmpstr(row(pvh, 1)->name, ==, "pvh1");
    g_assert_cmpint(row(libvirt, 1)->domid, ==, 4);
    g_assert_cmpint(xl_row_state(row(saved, 1), &reason), ==, XC_STATE_PAUSED);
}

/* The recorded lists of both hosts while pvh1 moved from xen1 to xen2. */
static void test_live_migration(void)
{
    g_autofree char *text = xl_fixture("migrate/lists-during-live-migration.txt", NULL);
    g_auto(GStrv) parts = g_strsplit(text, "###", -1);
    unsigned incoming = 0;
    unsigned away = 0;
    unsigned arrived = 0;

    for (char **part = parts + 1; *part; part++) {
        const char *list = strchr(*part, '\n') + 1;
        g_autoptr(GPtrArray) rows = rows_from(list);
        const struct xl_row *r = rows->len > 1 ? row(rows, 1) : NULL;
        enum xc_reason reason;
        enum xc_domain_state state = r ? xl_row_state(r, &reason) : XC_STATE_UNKNOWN;

        if (!r)
            continue;
        g_assert_cmpstr(r->name, ==, "pvh1");
        g_assert_cmpint(state, ==, r->incoming || r->away ? XC_STATE_MIGRATING : XC_STATE_RUNNING);
        incoming += r->incoming;
        away += r->away;
        arrived += g_str_has_prefix(*part, " xen2") && !r->incoming;
    }
    g_assert_cmpuint(incoming, ==, 7);
    g_assert_cmpuint(away, ==, 1);
    g_assert_cmpuint(arrived, ==, 1);
}

static void test_states(void)
{
    static const struct {
        const char *name;
        const char *flags;
        enum xc_domain_state state;
        enum xc_reason reason;
    } cases[] = {
        {"x", "r-----", XC_STATE_RUNNING, XC_REASON_NONE},
        {"x", "---sr-", XC_STATE_SHUTTING_DOWN, XC_REASON_REBOOT},
        {"x", "---ss-", XC_STATE_SUSPENDING, XC_REASON_SUSPEND},
        {"x", "---sw-", XC_STATE_CRASHED, XC_REASON_WATCHDOG},
        {"x", "---sS-", XC_STATE_SHUTTING_DOWN, XC_REASON_REBOOT},
        {"x", "---s?-", XC_STATE_SHUTTING_DOWN, XC_REASON_NONE},
        {"x", "--psc-", XC_STATE_CRASHED, XC_REASON_CRASH},
        {"x", "---scd", XC_STATE_SHUTTING_DOWN, XC_REASON_CRASH},
        {"x", "--p--d", XC_STATE_SHUTTING_DOWN, XC_REASON_NONE},
        {"(null)", "--p---", XC_STATE_PREPARING, XC_REASON_NONE},
        {"(null)", "---s-d", XC_STATE_SHUTTING_DOWN, XC_REASON_POWEROFF},
        {"x--incoming", "--p---", XC_STATE_MIGRATING, XC_REASON_NONE},
        {"x--migratedaway", "---ss-", XC_STATE_MIGRATING, XC_REASON_NONE},
        {"x--migratedaway", "-b----", XC_STATE_RUNNING, XC_REASON_NONE},
        {"--incoming", "-b----", XC_STATE_RUNNING, XC_REASON_NONE},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = g_strdup_printf(
            "Name   ID   Mem VCPUs\tState\tTime(s)\n%-40s %5d %5d %5d     %s  %8.1f\n",
            cases[i].name, 7, 64, 2, cases[i].flags, 1.5);
        g_autoptr(GPtrArray) rows = rows_from(text);
        enum xc_reason reason;

        g_assert_cmpint(xl_row_state(row(rows, 0), &reason), ==, cases[i].state);
        g_assert_cmpint(reason, ==, cases[i].reason);
    }
}

#define HEADER "Name                                        ID   Mem VCPUs\tState\tTime(s)\n"

static void test_no_list(void)
{
    static const char *const texts[] = {
        "",
        "\n\n",
        "Name\n",
        "command not found\n",
        HEADER,
        HEADER "x y z\n",
        HEADER "x  1 2 3 ------ 1.0 2\n",
        HEADER "x  40000 2 3 ------ 1.0\n",
        HEADER "x  -1 2 3 ------ 1.0\n",
        HEADER "x  1 2 3 ----- 1.0\n",
        HEADER "x  1 2 3 rbpxcd 1.0\n",
        HEADER "x  1 2 3 ------ -1.0\n",
        HEADER "x  1 99999999999999999999 3 ------ 1.0\n",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(xl_parse_list(texts[i], strlen(texts[i]), &error));
        g_assert_error(error, XC_ERROR, XC_CAUSE_DRIVER_ERROR);
    }
}

#define ROW(name, id, uuid)                                                                        \
    name "      " id "    96     1     -b----       3.6 00000000-0000-4000-8000-0000000000" uuid   \
         "        -                -\n"

static void assert_found(const char *list, const char *uuid, const char *name, int64_t domid)
{
    g_autoptr(GPtrArray) rows = rows_from(list);
    g_autoptr(GError) error = NULL;
    struct xc_uuid id = uuid ? uuid_of(uuid) : (struct xc_uuid){{0}};
    const struct xl_row *found = xl_list_find(rows, uuid ? &id : NULL, name, &error);

    g_assert_no_error(error);
    g_assert_cmpint(found->domid, ==, domid);
}

static void assert_not_found(const char *list, const char *uuid, const char *name, int cause)
{
    g_autoptr(GPtrArray) rows = rows_from(list);
    g_autoptr(GError) error = NULL;
    struct xc_uuid id = uuid ? uuid_of(uuid) : (struct xc_uuid){{0}};

    g_assert_null(xl_list_find(rows, &id, name, &error));
    g_assert_error(error, XC_ERROR, cause);
}

#define U1 "00000000-0000-4000-8000-000000000001"

static void test_find(void)
{
    const char *two = HEADER ROW("a", "4", "01") ROW("b c", "5", "02");

    assert_found(two, U1, "b c", 4);
    assert_found(two, NULL, "b c", 5);
    assert_not_found(two, NULL, "b", XC_CAUSE_NO_SUCH_TARGET);
    assert_not_found(two, NULL, "", XC_CAUSE_NO_SUCH_TARGET);
    assert_not_found(two, "00000000-0000-4000-8000-000000000003", "a", XC_CAUSE_NO_SUCH_TARGET);
    /* Domain-0 takes no action. */
    assert_not_found(HEADER ROW("Domain-0", "0", "01"), U1, "Domain-0", XC_CAUSE_NO_SUCH_TARGET);
    assert_not_found(HEADER ROW("Domain-0", "0", "01"), NULL, "Domain-0", XC_CAUSE_NO_SUCH_TARGET);
    /* The half of a migration that stays behind or is not there yet does not count. */
    assert_found(HEADER ROW("a--migratedaway", "4", "01") ROW("a", "9", "01"), U1, NULL, 9);
    assert_found(HEADER ROW("a", "4", "01") ROW("a--incoming", "9", "01"), NULL, "a", 4);
    assert_found(HEADER ROW("a--incoming", "9", "01"), NULL, "a", 9);
    assert_not_found(HEADER ROW("a", "4", "01") ROW("a", "9", "01"), U1, NULL, XC_CAUSE_AMBIGUOUS);
    assert_not_found(HEADER ROW("a", "4", "01") ROW("a", "9", "02"), NULL, "a", XC_CAUSE_AMBIGUOUS);
}

/* A domain's name may hold a line break, and so forge a row that leads an action astray. */
static void test_forged_row(void)
{
    const char *split = HEADER "first\n" ROW("second", "4", "01") ROW("b", "5", "02");
    const char *forged = HEADER ROW("b", "5", "02") ROW("victim", "5", "01") ROW("evil", "6", "03");
    g_autoptr(GPtrArray) rows = rows_from(split);
    g_autoptr(GPtrArray) broken = rows_from(HEADER ROW("a", "40000", "01") ROW("b", "5", "02"));

    g_assert_cmpuint(rows->len, ==, 2);
    g_assert_cmpstr(row(rows, 0)->name, ==, "first?second");
    /* A row with an impossible number is nobody's name. */
    g_assert_cmpuint(broken->len, ==, 1);
    g_assert_cmpstr(row(broken, 0)->name, ==, "b");
    /* The victim does not run here: its forged row must not hit number 5. */
    assert_not_found(forged, U1, "victim", XC_CAUSE_AMBIGUOUS);
}

static void test_info(void)
{
    size_t length;
    g_autofree char *text = xl_fixture("info/mixed.txt", &length);
    g_autofree char *host = xl_info_value(text, length, "host");
    g_autofree char *memory = xl_info_value(text, length, "free_memory");
    g_autofree char *changeset = xl_info_value(text, length, "xen_changeset");
    g_autofree char *line = xl_info_value(text, length, "xen_commandline");

    g_assert_cmpstr(host, ==, "xen1");
    g_assert_cmpstr(memory, ==, "98");
    g_assert_cmpstr(changeset, ==, "");
    g_assert_true(g_str_has_prefix(line, "dom0_mem=512M,max:512M "));
    g_assert_null(xl_info_value(text, length, "nothing"));
    g_assert_null(xl_info_value("", 0, "host"));
}

static const struct {
    const char *file;
    enum xc_action action;
    int status;
    enum xc_cause cause;
    const char *text;
} failures[] = {
    {"errors/create-missing-file.err", XC_ACTION_START, 3, XC_CAUSE_BAD_CONFIG,
     "Failed to read config file: /etc/xen/nosuch.cfg: No such file or directory"},
    {"errors/create-syntax-error.err", XC_ACTION_START, 1, XC_CAUSE_BAD_CONFIG,
     "/tmp/broken.cfg:1: config parsing error near `\"broken': lexical error"},
    {"errors/create-no-kernel.err", XC_ACTION_START, 3, XC_CAUSE_BAD_CONFIG, "'/nosuch'"},
    {"errors/create-no-memory.err", XC_ACTION_START, 3, XC_CAUSE_NO_MEMORY,
     "not enough free memory on the host ("},
    {"errors/create-twice.err", XC_ACTION_CREATE, 3, XC_CAUSE_BAD_STATE,
     "Domain with name \"micro1\" already exists."},
    {"errors/destroy-missing.err", XC_ACTION_DESTROY, 1, XC_CAUSE_NO_SUCH_TARGET,
     "Non-existant domain"},
    {"errors/destroy-dom0.err", XC_ACTION_DESTROY, 1, XC_CAUSE_POLICY, "Domain-0"},
    {"errors/domid-missing.err", XC_ACTION_PAUSE, 1, XC_CAUSE_NO_SUCH_TARGET, "nosuch"},
    {"errors/list-missing.err", XC_ACTION_NOOP, 1, XC_CAUSE_NO_SUCH_TARGET,
     "nosuch is an invalid domain identifier (rc=-6)"},
    {"errors/pause-dom0.err", XC_ACTION_PAUSE, 0, XC_CAUSE_BAD_STATE, "to be paused"},
    {"errors/unpause-running.err", XC_ACTION_UNPAUSE, 0, XC_CAUSE_BAD_STATE, "not paused"},
    {"errors/unpause-shut.err", XC_ACTION_UNPAUSE, 0, XC_CAUSE_BAD_STATE, "not paused"},
    {"errors/bad-subcommand.err", XC_ACTION_RESET, 1, XC_CAUSE_NOT_SUPPORTED, "no such command"},
    {"errors/restore-missing.err", XC_ACTION_START, 1, XC_CAUSE_NO_STORAGE,
     "Can't open restore file: No such file or directory"},
    {"errors/shutdown-micro-unsupported.err", XC_ACTION_SHUTDOWN, 124, XC_CAUSE_GUEST_IGNORED,
     "did not acknowledge"},
    {"errors/shutdown-micro-unsupported.err", XC_ACTION_DESTROY, 124, XC_CAUSE_TIMED_OUT,
     "did not finish"},
    {"migrate/migrate-no-such-host.err", XC_ACTION_MIGRATE, 1, XC_CAUSE_TRANSPORT,
     "Could not resolve hostname xen9"},
    {"errors/migrate-bad-host.err", XC_ACTION_MIGRATE, 1, XC_CAUSE_TRANSPORT, "xen9"},
    {"migrate/migrate-connection-refused.err", XC_ACTION_MIGRATE, 1, XC_CAUSE_HOST_DOWN,
     "connect to host xen2 port 9: Connection refused"},
    {"migrate/migrate-pv-unsupported.err", XC_ACTION_MIGRATE, 1, XC_CAUSE_NOT_SUPPORTED,
     "a PV guest can't migrate"},
    {"migrate/migrate-to-itself.err", XC_ACTION_MIGRATE, 1, XC_CAUSE_NOT_SUPPORTED,
     "no shadow paging"},
};

static void test_recorded_failures(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(failures); i++) {
        g_autofree char *errors = xl_fixture(failures[i].file, NULL);
        g_autofree char *text = NULL;
        enum xc_cause cause =
            xl_classify_error(errors, failures[i].status, failures[i].action, &text);

        if (cause != failures[i].cause || !strstr(text, failures[i].text) || strchr(text, '\n'))
            g_error("%s: %s: %s", failures[i].file, xc_error_info((int)cause)->label, text);
    }
}

static const struct {
    const char *errors;
    int status;
    enum xc_action action;
    enum xc_cause cause;
    const char *text;
} said[] = {
    {"ERROR:  Can't find hypervisor information in sysfs!\n", 1, XC_ACTION_NOOP,
     XC_CAUSE_NOT_SUPPORTED,
     "the host was not started under Xen (Can't find hypervisor information in sysfs!)"},
    {"ERROR:  Hypervisor is not xen but 'kvm'!\n", 1, XC_ACTION_NOOP, XC_CAUSE_NOT_SUPPORTED,
     "'kvm'"},
    {"ERROR:  Can't find version 4.17 of xen utils (maybe ...), bailing out!\n", 127,
     XC_ACTION_NOOP, XC_CAUSE_NOT_SUPPORTED, "restart the host"},
    {"xencall: error: Could not obtain handle on privileged command interface: Permission denied\n"
     "libxl: error: libxl.c:102:libxl_ctx_alloc: cannot open libxc handle: Permission denied\n"
     "cannot init xl context\n",
     1, XC_ACTION_NOOP, XC_CAUSE_AUTH_FAILED, "xl needs root"},
    {"xencall: error: Could not obtain handle on privileged command interface: No such file or "
     "directory\ncannot init xl context\n",
     1, XC_ACTION_NOOP, XC_CAUSE_NOT_SUPPORTED, "not started under Xen"},
    {"sudo: a password is required\n", 1, XC_ACTION_NOOP, XC_CAUSE_AUTH_FAILED, "sudoers"},
    {"/bin/sh: 3: xl: not found\n", 127, XC_ACTION_NOOP, XC_CAUSE_NOT_SUPPORTED, "not installed"},
    {"PV control interface not available: external graceful shutdown not possible.\n"
     "Use \"-F\" to fallback to ACPI power event.\nshutdown failed (rc=-10)\n",
     1, XC_ACTION_SHUTDOWN, XC_CAUSE_NO_GUEST_DRIVER, "PV control interface"},
    {"Host key verification failed.\n", 1, XC_ACTION_MIGRATE, XC_CAUSE_HOST_KEY, "ssh key"},
    {"root@xen2: Permission denied (publickey).\n", 1, XC_ACTION_CHECK_MIGRATE,
     XC_CAUSE_AUTH_FAILED, "may not log in"},
    /* Words of ssh mean something else where nothing is moved. */
    {"libxl: error: x.c:1:f: Domain 7:qmp: Connection refused\n", 1, XC_ACTION_PAUSE,
     XC_CAUSE_DRIVER_ERROR, "qmp: Connection refused"},
    {"libxl: error: libxl_x.c:12:fun: Domain 12:something new went wrong\n", 3, XC_ACTION_START,
     XC_CAUSE_DRIVER_ERROR, "something new went wrong"},
    {"Parsing config from /etc/xen/x.cfg\nsomething else\n", 3, XC_ACTION_START,
     XC_CAUSE_DRIVER_ERROR, "something else"},
    {"", 3, XC_ACTION_START, XC_CAUSE_DRIVER_ERROR, "xl ended with status 3 and said nothing"},
    {NULL, 137, XC_ACTION_START, XC_CAUSE_TIMED_OUT, "in time"},
    {"\x1b[31mred \xff\r\n", 1, XC_ACTION_START, XC_CAUSE_DRIVER_ERROR, "?[31mred ??"},
};

static void test_other_failures(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(said); i++) {
        g_autofree char *text = NULL;
        enum xc_cause cause =
            xl_classify_error(said[i].errors, said[i].status, said[i].action, &text);

        if (cause != said[i].cause || !strstr(text, said[i].text))
            g_error("%s: %s: %s", said[i].errors, xc_error_info((int)cause)->label, text);
    }
}

static void test_long_failure(void)
{
    g_autofree char *errors = g_strnfill(1000000, 'x');
    g_autofree char *text = NULL;

    g_assert_cmpint(xl_classify_error(errors, 1, XC_ACTION_START, &text), ==,
                    XC_CAUSE_DRIVER_ERROR);
    g_assert_cmpuint(strlen(text), <=, 400);
}

static void test_has_error(void)
{
    g_autofree char *pause = xl_fixture("errors/pause-dom0.err", NULL);
    g_autofree char *live = xl_fixture("migrate/migrate-live.err", NULL);

    g_assert_true(xl_has_error(pause));
    g_assert_false(xl_has_error(live));
    g_assert_false(xl_has_error(""));
    g_assert_false(xl_has_error(NULL));
    g_assert_true(xl_has_error("Shutting down domain 7\nxc: error: no"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/xl-parse/mixed", test_mixed);
    g_test_add_func("/xl-parse/plain", test_plain);
    g_test_add_func("/xl-parse/odd-names", test_odd_names);
    g_test_add_func("/xl-parse/more-lists", test_more_lists);
    g_test_add_func("/xl-parse/live-migration", test_live_migration);
    g_test_add_func("/xl-parse/states", test_states);
    g_test_add_func("/xl-parse/no-list", test_no_list);
    g_test_add_func("/xl-parse/find", test_find);
    g_test_add_func("/xl-parse/forged-row", test_forged_row);
    g_test_add_func("/xl-parse/info", test_info);
    g_test_add_func("/xl-parse/recorded-failures", test_recorded_failures);
    g_test_add_func("/xl-parse/other-failures", test_other_failures);
    g_test_add_func("/xl-parse/long-failure", test_long_failure);
    g_test_add_func("/xl-parse/has-error", test_has_error);
    return g_test_run();
}
