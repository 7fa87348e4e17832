/* Every reader of what a host, a file or a peer says, against seeded damage: bounded, and either a result or an
 * error. FUZZ_ROUNDS=n damages n times per target (`make fuzz` a million times); FUZZ_SEED=n another way. What
 * fails is repeated by the seed and the round that the failure prints. */
#include "tests/unit/mutate.h"
#include "tests/unit/transfer_kit.h"
#include "tests/unit/xapi_fixture.h"
#include "tests/unit/xl_fixture.h"
#include "xenclient/drivers/xapi_mark.h"
#include "xenclient/drivers/xapi_report.h"
#include "xenclient/drivers/xapi_task.h"
#include "xenclient/drivers/xl_job.h"
#include "xenclient/drivers/xl_parse.h"
#include "xenclient/drivers/xlcfg.h"
#include "xenclient/engine/config.h"
#include "xenclient/engine/transfer.h"
#include "xenclient/transport/known_hosts.h"
#include "xenclient/util/log.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <unistd.h>

#define SEEDS_MAX 5

struct target {
    const char *path;
    void (*read)(GString *bad);
    /* Names in tests/fixtures/xl or, as *.xml, tests/fixtures/xapi; or texts when they have a line break. */
    const char *seeds[SEEDS_MAX];
};

static unsigned seed, round_now;
static char where[64]; /* the same for a message, for a handler may not format one */

/* --- what is read */

static void read_list(GString *bad)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) rows = xl_parse_list(bad->str, bad->len, &error);

    g_assert_true((rows != NULL) != (error != NULL));
    for (guint i = 0; rows && i < rows->len; i++) {
        const struct xl_row *row = rows->pdata[i];
        enum xc_reason reason;

        g_assert_true(g_utf8_validate(row->name, -1, NULL));
        g_assert_cmpint((int)xl_row_state(row, &reason), !=, XC_STATE_UNKNOWN);
        xl_list_find(rows, &row->uuid, row->name, NULL);
    }
}

static void read_info(GString *bad)
{
    static const char *const keys[] = {"host", "free_memory", "xen_major", "nr_cpus"};

    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        g_autofree char *value = xl_info_value(bad->str, bad->len, keys[i]);

        g_assert_true(!value || (strlen(value) <= 255 && g_utf8_validate(value, -1, NULL)));
    }
}

static void read_errors(GString *bad)
{
    g_autofree char *words = NULL;
    enum xc_cause cause = xl_classify_error(bad->str, 1, XC_ACTION_MIGRATE, &words);

    g_assert_nonnull(xc_error_info((int)cause));
    g_assert_true(g_utf8_validate(words, -1, NULL));
    g_assert_cmpuint(strlen(words), <=, 4096);
    xl_has_error(bad->str);
    xl_migrate_phase(bad->str);
}

/* One connection's memory meets many polls, damaged ones between good ones. */
static struct xl_memory *memory;

static void read_poll(GString *bad)
{
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(xc_report) report = xc_report_new();
    g_autoptr(GError) error = NULL;
    bool ok = xl_parse_poll(bad->str, bad->len, "", XL_NONCE, memory, report, warnings, &error);

    g_assert_true(ok == (error == NULL));
    g_assert_true(xc_report_check(report));
    g_assert_cmpuint(warnings->len, <, 10000);
    if (round_now % 100 == 0) {
        const struct xl_poll_options options = {
            .nonce = XL_NONCE, .prefix = "", .config_dirs = "/etc/xen", .with_configs = true};

        g_free(xl_poll_script(&options, memory));
    }
}

static void read_report(GString *bad)
{
    g_autoptr(GError) error = NULL;
    struct xl_report report;
    bool ok = xl_report_parse(bad, &report, &error);

    g_assert_true(ok == (error == NULL));
    if (ok)
        g_assert_true(g_utf8_validate(report.note, -1, NULL));
    xl_report_clear(&report);
}

static void read_xlcfg(GString *bad)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(xlcfg) config = xlcfg_parse(bad->str, bad->len, NULL, &error);
    int64_t number;

    g_assert_true((config != NULL) != (error != NULL));
    if (!config)
        return;
    g_autoptr(GPtrArray) disks = xlcfg_list(config, "disk");
    g_autoptr(GError) wrong = NULL;

    g_assert_true(!disks || disks->len <= XLCFG_MAX_ITEMS);
    if (xlcfg_integer(config, "memory", 1, 65536, &number, &wrong))
        g_assert_true(number >= 1 && number <= 65536);
    xlcfg_string(config, "name");
}

static void read_known_hosts(GString *bad)
{
    static const char key[] = "\0\0\0\x0bssh-ed25519\0\0\0\x04"
                              "abcd";
    g_auto(GStrv) types = xc_known_hosts_types(bad->str, "xen1.example", 22);
    unsigned line = 0;

    g_assert_nonnull(types);
    xc_known_hosts_match(bad->str, "xen1.example", 2222, key, sizeof(key) - 1, &line);
    g_assert_cmpuint(line, <=, bad->len + 1);
    g_free(xc_known_hosts_key_type(bad->str, bad->len));
}

static char *config_path;

static void read_config(GString *bad)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_set_contents_full(config_path, bad->str, (gssize)bad->len,
                                           G_FILE_SET_CONTENTS_NONE, 0600, NULL));
    g_autoptr(xc_config) config = xc_config_load(config_path, &error);

    g_assert_true((config != NULL) != (error != NULL));
    if (error)
        g_assert_true(g_utf8_validate(error->message, -1, NULL));
}

/* What is read can be written and read again. */
static void read_transfer_text(const char *text, size_t length)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(xc_transfer) read = xc_import_read("f", text, length, &error);
    g_autofree char *written = NULL;
    g_autofree char *again = NULL;
    g_autoptr(xc_transfer) second = NULL;

    g_assert_true((read != NULL) != (error != NULL));
    if (error)
        g_assert_true(g_utf8_validate(error->message, -1, NULL));
    if (!read)
        return;
    written = xc_transfer_write(read);
    second = xc_import_read("f", written, strlen(written), &error);
    g_assert_no_error(error);
    again = xc_transfer_write(second);
    g_assert_cmpstr(written, ==, again);
}

/* As it is, which the checksum refuses, and with a checksum that fits. */
static void read_transfer(GString *bad)
{
    g_autofree char *sealed = transfer_seal(bad->str);

    read_transfer_text(bad->str, bad->len);
    read_transfer_text(sealed, strlen(sealed));
}

/* --- pools */

static struct xapi_mirror *mirror;

/* What is read goes into one mirror, of which reports are made. */
static void read_events(GString *bad)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(xapi_batch) batch = xapi_read_batch(bad->str, &error);
    unsigned whole = round_now % 2 ? XAPI_ALL_CLASSES : 0;
    bool changed = false;
    unsigned stale;

    if (batch)
        g_assert_true(
            xapi_mirror_apply(mirror, batch, XAPI_ALL_CLASSES, whole, &changed, &stale, &error));
    if (round_now % 100 == 0) {
        g_autoptr(xc_report) report = xc_report_new();
        g_autoptr(xapi_meters) meters = xapi_meters_new();
        g_autoptr(GError) why = NULL;

        g_assert_true(xapi_report_fill(report, mirror, meters, &why) == (why == NULL));
        g_assert_true(xc_report_check(report));
    }
}

static void read_task(GString *bad)
{
    g_autoptr(GPtrArray) words = NULL;
    g_autoptr(GError) error = NULL;
    struct xapi_task task;
    const struct xapi_want want = {&xapi_task_sink, &task, 0};
    bool ok;

    xapi_task_init(&task);
    ok = xapi_read(bad->str, 1000, &want, &words, &error);
    g_assert_true(ok + (words != NULL) + (error != NULL) == 1);
    g_assert_true(task.percent >= -1 && task.percent <= 100);
    xapi_task_clear(&task);
}

static struct xapi_meters *meters_of_all;

static void read_metrics(GString *bad)
{
    g_autoptr(xapi_rrd) rrd = xapi_rrd_new(&xapi_meters_sink, meters_of_all);
    g_autoptr(GError) error = NULL;
    bool ok;

    xapi_meters_begin(meters_of_all);
    xapi_meters_open(meters_of_all, 1700000000 + round_now);
    ok = xapi_rrd_feed(bad->str, bad->len, rrd, &error) && xapi_rrd_end(rrd, &error);
    g_assert_true(ok == (error == NULL));
    xapi_meters_close(meters_of_all, ok);
}

static void read_mark(GString *bad)
{
    struct xapi_mark mark;
    const struct xc_uuid op = {{1}};
    g_autofree char *text = NULL;

    xapi_mark_parse(&mark, bad->str);
    text = xapi_mark_format(&mark, &op, 1);
    g_assert_cmpuint(strlen(text), <=, 255);
    g_free(xapi_task_mark_of(bad->str, &op));
}

#define VCPUS_POLL                                                                                 \
    "\n#" XL_NONCE " list 0\nName   ID   Mem VCPUs\tState\tTime(s)\n"                              \
    "Domain-0    0   512     1     r-----      91.6 00000000-0000-0000-0000-000000000000   -   "   \
    "-\n"                                                                                          \
    "\n#" XL_NONCE " vcpus\nDomain-0    0    0    0   r--      52.3  all / all\n"                  \
    "Domain-0    0    1    -   --p       2.0  0-3,5 / none\n\n#" XL_NONCE " end\n"

#define SAVES_POLL                                                                                 \
    "\n#" XL_NONCE " list 0\nName   ID   Mem VCPUs\tState\tTime(s)\n"                              \
    "\n#" XL_NONCE " saves 0\n00000000-0000-4000-8000-000000000001.web%2D1.xensave\n"              \
    "00000000-0000-4000-8000-000000000002.db.xensave.resuming\n\n#" XL_NONCE " end\n"

static const struct target targets[] = {
    {"/fuzz/xl-list", read_list, {"list/mixed-v.txt", "list/mixed.txt", "list/odd-names.txt"}},
    {"/fuzz/xl-info", read_info, {"info/mixed.txt"}},
    {"/fuzz/xl-errors",
     read_errors,
     {"migrate/migrate-pv-unsupported.err", "errors/create-no-memory.err",
      "errors/create-no-kernel.err", "migrate/migrate-live.err"}},
    {"/fuzz/xl-poll",
     read_poll,
     {"poll/first.txt", "poll/second.txt", "poll/usual.txt", VCPUS_POLL, SAVES_POLL}},
    {"/fuzz/xl-job-report",
     read_report,
     {"boot b\nphase sending memory\nstate running\n--\nxl: words\n",
      "boot b\nstate done\nstatus failed - 3\nnote why\n--\nlibxl: error: words\n"}},
    {"/fuzz/xlcfg",
     read_xlcfg,
     {"# a guest\nname = \"tiny1\"\nuuid = '00000000-0000-4000-8000-000000000001'\n"
      "memory = 0x60; maxmem = 96\nvif = [ \"mac=00:16:3e:99:00:01,bridge=xenbr0\",\n '' ]\n"
      "disk = [ 'phy:/dev/loop1,xvda,w', [ 'nested', [ 1, 2, ], ], ]\nextra += "
      "\"\\x41\\t\\101\"\n"}},
    {"/fuzz/known-hosts",
     read_known_hosts,
     {"# hosts\nxen1.example,192.0.2.1 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAABGFiY2Q=\n"
      "[xen1.example]:2222 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAABGFiY2Q= comment\n"
      "|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg= ssh-rsa AAAAB3NzaC1yc2E=\n"
      "@revoked xen*.example,!xen2.example ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAABGFiY2Q=\n"}},
    {"/fuzz/configuration",
     read_config,
     {"[agent]\ncontrol = yes\ninterval = 10\nlog_level = info\n# a source\n[source a]\n"
      "uri = ssh://root@192.0.2.7:22\ncredential = key\ninterval = 30\nenabled = no\n"}},
    {"/fuzz/xapi-events",
     read_events,
     {"event-from-batch.xml", "event-from-timeout.xml", "vm-bad-power-state.xml"}},
    {"/fuzz/xapi-task", read_task, {"task-pending.xml", "task-failure.xml", "login-slave.xml"}},
    {"/fuzz/xapi-metrics", read_metrics, {"rrd-updates.xml"}},
    {"/fuzz/xapi-mark",
     read_mark,
     {"00000000-0000-4000-8000-000000000001 1795301817 00000000-0000-4000-8000-000000000002\n",
      "01000000-0000-0000-0000-000000000000 OpaqueRef:00000000-0000-4000-8000-000000000003\n"}},
    {"/fuzz/export-file", read_transfer, {TRANSFER_HEAD TRANSFER_BODY}},
};

/* --- */

static void on_crash(int number)
{
    if (write(STDERR_FILENO, where, sizeof(where)) < 0)
        _exit(1);
    signal(number, SIG_DFL);
    raise(number);
}

static char *fixture(const char *name, size_t *length)
{
    char *text;

    if (!g_str_has_suffix(name, ".xml"))
        return xl_fixture(name, length);
    text = xapi_fixture(name);
    *length = strlen(text);
    return text;
}

static void test_target(gconstpointer data)
{
    const struct target *target = data;
    unsigned rounds = fuzz_rounds();
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
    char *seeds[SEEDS_MAX];
    size_t lengths[SEEDS_MAX];
    unsigned n = 0;

    for (; n < SEEDS_MAX && target->seeds[n]; n++) {
        bool is_text = strchr(target->seeds[n], '\n') != NULL;

        seeds[n] = is_text ? g_strdup(target->seeds[n]) : fixture(target->seeds[n], &lengths[n]);
        if (is_text)
            lengths[n] = strlen(seeds[n]);
    }
    g_assert_cmpuint(n, >, 0);
    for (round_now = 0; round_now < rounds; round_now++) {
        unsigned i = round_now % n;
        GString *bad = xl_damage(seeds[i], lengths[i], rand);

        g_snprintf(where, sizeof(where), "# FUZZ_SEED=%u, round %-32u\n", seed, round_now);
        target->read(bad);
        g_string_free(bad, TRUE);
    }
    for (unsigned i = 0; i < n; i++)
        g_free(seeds[i]);
}

int main(int argc, char **argv)
{
    int status, fd;

    g_test_init(&argc, &argv, NULL);
    xc_log_set_level(XC_LOG_ERROR);
    seed = fuzz_seed();
    signal(SIGABRT, on_crash);
    memory = xl_memory_new();
    mirror = xapi_mirror_new();
    meters_of_all = xapi_meters_new();
    fd = g_file_open_tmp("xensnmp-fuzz-XXXXXX", &config_path, NULL);
    g_assert_cmpint(fd, >=, 0);
    close(fd);
    for (size_t i = 0; i < G_N_ELEMENTS(targets); i++)
        g_test_add_data_func(targets[i].path, &targets[i], test_target);
    status = g_test_run();
    g_unlink(config_path);
    g_free(config_path);
    xl_memory_free(memory);
    xapi_mirror_free(mirror);
    xapi_meters_free(meters_of_all);
    return status;
}
