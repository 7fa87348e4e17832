/* What polls need not ask again, and the scripts that follow from it. */
#include "tests/unit/xl_poll_kit.h"

/* What the first poll learned stays, although later ones do not say it again. */
static void test_memory(struct poll_kit *f, gconstpointer data)
{
    static const char *const later[] = {"poll/second.txt", "poll/usual.txt", "poll/light.txt"};
    g_autofree char *before = NULL;

    (void)data;
    poll_file(f, "poll/first.txt");
    before = devices(f, "tiny1");
    for (size_t i = 0; i < G_N_ELEMENTS(later); i++) {
        const struct xc_host *host;

        poll_file(f, later[i]);
        host = (const struct xc_host *)(void *)f->report->hosts->data;
        g_assert_cmpuint(f->report->domains->len, ==, 13);
        g_assert_cmpuint(f->warnings->len, ==, 0);
        g_assert_cmpstr(host->product, ==, "Debian GNU/Linux 12 (bookworm)");
        g_assert_true(XC_HAS(HOST, host, clock));
        assert_devices(f, "tiny1", before);
    }
    assert_domain(f, "tiny1",
                  "name=tiny1 uuid=00000000-0000-4000-8000-000000000001 uuid_fixed=true "
                  "config=/etc/xen/tiny1.cfg kind=guest virt=pv state=running reason=none "
                  "migrating=false domid=1" SIZE_96
                  " started=2026-11-22T01:50:08Z cpu_usec=20600000" NO_NET NO_DISK GUEST_TAIL);
}

/* The clock of the rates runs with the host's uptime, even when date is a little off. */
static void test_clock(struct poll_kit *f, gconstpointer data)
{
    gint64 first;
    gint64 usual;

    (void)data;
    poll_file(f, "poll/first.txt");
    first = ((const struct xc_host *)(void *)f->report->hosts->data)->clock;
    poll_file(f, "poll/usual.txt");
    usual = ((const struct xc_host *)(void *)f->report->hosts->data)->clock;
    g_assert_cmpint(first, ==, 1795314014022156);
    g_assert_cmpint(usual - first, ==, 1883410000 - 1873990000);
}

/* Not every date knows nanoseconds. */
static void test_coarse_clock(struct poll_kit *f, gconstpointer data)
{
    const struct poll_parts parts = {.list = HEADER DOM0, .clock = "100.25\n1795312240.%N\n"};
    const struct xc_host *host;

    (void)data;
    poll_parts(f, &parts);
    host = (const struct xc_host *)(void *)f->report->hosts->data;
    g_assert_cmpint(host->clock, ==, 1795312240000000);
    g_assert_cmpint(host->boot_time, ==, 1795312139750000);
    g_assert_cmpuint(host->uptime_sec, ==, 100);
}

/* --- the script and the memory */

static void test_script(struct poll_kit *f, gconstpointer data)
{
    g_autofree char *first = script(f, true);
    g_autofree char *second = NULL;
    g_autofree char *without = NULL;

    (void)data;
    g_assert_true(g_str_has_prefix(first, "exec timeout -k 5 60 /bin/sh -c '"));
    g_assert_nonnull(strstr(first, "/etc/os-release"));
    g_assert_null(strstr(first, "1:000000000001"));
    poll_file(f, "poll/first.txt");
    second = script(f, true);
    without = script(f, false);
    g_assert_null(strstr(second, "/etc/os-release"));
    g_assert_nonnull(strstr(second, " 1:000000000001 "));
    /* tiny2 has never run: it may have been incomplete. */
    g_assert_null(strstr(second, " 5:000000000002 "));
    g_assert_nonnull(strstr(second, "365 522 1795310905 /etc/xen/busy.cfg"));
    g_assert_nonnull(strstr(second, "stat -L"));
    g_assert_null(strstr(without, "stat -L"));
}

/* A domain that was replaced by another one of the same number is asked again. */
static void test_reused_domid(struct poll_kit *f, gconstpointer data)
{
    struct poll_parts parts = {
        .list = HEADER DOM0 ROW("a", "6", "-b----", "01"),
        .store = "/libxl/6/type = \"pvh\"\n/libxl/6/device/vif/0/mac = \"00:16:3e:00:00:01\"\n",
    };
    g_autofree char *known = NULL;

    (void)data;
    poll_parts(f, &parts);
    known = script(f, false);
    g_assert_nonnull(strstr(known, " 6:000000000001 "));
    parts.list = HEADER DOM0 ROW("b", "6", "-b----", "02");
    parts.store = "";
    poll_parts(f, &parts);
    assert_domain(f, "b",
                  "name=b uuid=00000000-0000-4000-8000-000000000002 kind=guest state=running "
                  "reason=none migrating=false domid=6 vcpus=1 mem_kib=98304 "
                  "cpu_usec=3600000" GUEST_TAIL);
    assert_devices(f, "b", "");
}

/* A device that nobody told of makes the next poll ask. */
static void test_hotplug(struct poll_kit *f, gconstpointer data)
{
    struct poll_parts parts = {
        .list = HEADER DOM0 ROW("a", "6", "-b----", "01"),
        .store = "/libxl/6/type = \"pvh\"\n",
    };
    g_autofree char *before = NULL;
    g_autofree char *after = NULL;

    (void)data;
    poll_parts(f, &parts);
    before = script(f, false);
    g_assert_nonnull(strstr(before, " 6:000000000001 "));
    parts.store = "";
    parts.files = "vbd-6-51712/statistics/rd_req:1\n";
    poll_parts(f, &parts);
    assert_devices(f, "a", "vbd number=51712 rd_ops=1\n");
    after = script(f, false);
    g_assert_null(strstr(after, " 6:000000000001 "));
    /* A new reading replaces the old one. */
    parts.store = "/libxl/6/type = \"pv\"\n/libxl/6/device/vbd/51728/dev = \"xvdb\"\n";
    parts.files = "";
    poll_parts(f, &parts);
    assert_devices(f, "a", "vbd number=51728 device=xvdb\n");
}

static void test_reboot(struct poll_kit *f, gconstpointer data)
{
    struct poll_parts parts = {
        .list = HEADER DOM0 ROW("a", "6", "-b----", "01"),
        .store = "/libxl/6/type = \"pvh\"\n",
        .files = "/proc/sys/kernel/random/boot_id:c163351b-fbaf-4a6d-b77f-7981eb215323\n",
        .configs = "/x/b.cfg:name='b'\n",
        .clock = "100.00\n1795312240.5\n",
    };
    g_autofree char *again = NULL;
    const struct xc_host *host;

    (void)data;
    poll_parts(f, &parts);
    parts.store = "";
    parts.configs = NULL;
    parts.files = "/proc/sys/kernel/random/boot_id:11111111-fbaf-4a6d-b77f-7981eb215323\n";
    parts.clock = "7.00\n1795312300.0\n";
    poll_parts(f, &parts);
    assert_domain(f, "a",
                  "name=a uuid=00000000-0000-4000-8000-000000000001 kind=guest state=running "
                  "reason=none migrating=false domid=6 vcpus=1 mem_kib=98304 "
                  "cpu_usec=3600000" GUEST_TAIL);
    host = (const struct xc_host *)(void *)f->report->hosts->data;
    g_assert_cmpint(host->boot_time, ==, 1795312293000000);
    /* The files are still there, the rest is asked for. */
    ordinal_of(f, "b");
    again = script(f, false);
    g_assert_nonnull(strstr(again, "/etc/os-release"));
}

static void test_hostile_options(struct poll_kit *f, gconstpointer data)
{
    g_autofree char *quotes = g_strnfill(5000, '\'');
    g_autofree char *dirs =
        g_strconcat("relative:/a b:/$(reboot)'\"`id`:/new\nline:/", quotes, NULL);
    struct xl_poll_options options = {.nonce = XL_NONCE,
                                      .prefix = "sudo -n ",
                                      .config_dirs = dirs,
                                      .with_configs = true,
                                      .timeout_sec = 9};
    g_autofree char *text = xl_poll_script(&options, f->memory);
    g_auto(GStrv) words = NULL;
    int n = 0;

    (void)data;
    g_assert_cmpuint(strlen(text), <, 131071);
    g_assert_true(g_shell_parse_argv(text, &n, &words, NULL));
    g_assert_cmpint(n, ==, 8);
    g_assert_cmpstr(words[4], ==, "9");
    g_assert_nonnull(strstr(words[7], "X='sudo -n '"));
    g_assert_nonnull(strstr(words[7], " '/a b'/*.cfg '/$(reboot)'\\''\"`id`'/*.cfg"));
    g_assert_null(strstr(words[7], "relative"));
    g_assert_null(strstr(words[7], "/new"));
}

#define ADD(path, function)                                                                        \
    g_test_add("/xl-memory/" path, struct poll_kit, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("memory", test_memory);
    ADD("clock", test_clock);
    ADD("coarse-clock", test_coarse_clock);
    ADD("script", test_script);
    ADD("reused-domid", test_reused_domid);
    ADD("hotplug", test_hotplug);
    ADD("reboot", test_reboot);
    ADD("hostile-options", test_hostile_options);
    return g_test_run();
}
