/* Whole polls: recorded ones of a real host, and ones composed of recorded parts. */
#include "tests/unit/xl_poll_kit.h"

/* --- recorded */

static void test_first(struct poll_kit *f, gconstpointer data)
{
    g_autofree char *host = NULL;

    (void)data;
    poll_file(f, "poll/first.txt");
    host = show(&xc_host_type, f->report->hosts->data);
    g_assert_cmpstr(host, ==,
                    "name=xen1 product=Debian GNU/Linux 12 (bookworm) xen_version=4.17.7 "
                    "kernel=6.1.0-56-amd64 cpu_model=QEMU Virtual CPU version 2.5+ cpus=1 "
                    "sockets=1 cores_per_socket=1 threads_per_core=1 cpu_mhz=2000 "
                    "mem_total_kib=1047552 boot_time=2026-11-22T01:49:00Z "
                    "boot_id=c163351b-fbaf-4a6d-b77f-7981eb215323 mem_free_kib=116736 "
                    "load1_x100=52 uptime_sec=1873 net_rx_bytes=225226 net_tx_bytes=433464 "
                    "clock=2026-11-22T02:20:14Z");
    /* 5 living, 13 from files: those of /etc/xen but four, and one of the odd ones. */
    g_assert_cmpuint(f->report->domains->len, ==, 5 + 7 + 1);
    assert_domain(f, "Domain-0",
                  "name=Domain-0 kind=control state=running reason=none migrating=false domid=0 "
                  "vcpus=1 mem_kib=524288 started=2026-11-22T01:49:00Z "
                  "cpu_usec=305300000" GUEST_TAIL);
    assert_domain(f, "tiny1",
                  "name=tiny1 uuid=00000000-0000-4000-8000-000000000001 uuid_fixed=true "
                  "config=/etc/xen/tiny1.cfg kind=guest virt=pv state=running reason=none "
                  "migrating=false domid=1" SIZE_96
                  " started=2026-11-22T01:50:08Z cpu_usec=20300000" NO_NET NO_DISK GUEST_TAIL);
    /* It has an interface and no disk. */
    assert_domain(f, "crash",
                  "name=crash uuid=00000000-0000-4000-8000-000000000006 uuid_fixed=true "
                  "config=/etc/xen/crash.cfg kind=guest virt=pv state=crashed reason=crash "
                  "migrating=false domid=3" SIZE_96
                  " started=2026-11-22T02:13:57Z cpu_usec=10800000" NO_NET GUEST_TAIL);
    assert_domain(f, "pvh2",
                  "name=pvh2 uuid=00000000-0000-4000-8000-0000000000b2 uuid_fixed=true "
                  "config=/etc/xen/pvh2.cfg kind=guest virt=pvh state=shutdown vcpus=1 "
                  "vcpus_max=1 mem_target_kib=98304 mem_max_kib=98304");
    assert_domain(f, "with space",
                  "name=with space uuid_fixed=false config=/tmp/odd/a.cfg kind=guest virt=hvm "
                  "state=shutdown vcpus=2 vcpus_max=4 mem_target_kib=131072 mem_max_kib=262144");
}

static void test_first_devices(struct poll_kit *f, gconstpointer data)
{
    (void)data;
    poll_file(f, "poll/first.txt");
    g_assert_cmpuint(f->report->vifs->len, ==, 4);
    g_assert_cmpuint(f->report->vbds->len, ==, 3);
    assert_devices(f, "tiny1",
                   "vif device=0 mac=00:16:3e:99:00:01 bridge=xenbr0 backend=vif1.0 rx_bytes=0 "
                   "tx_bytes=0 rx_packets=0 tx_packets=0 rx_errors=0 tx_errors=0 rx_drops=0 "
                   "tx_drops=0\n"
                   "vbd number=51712 device=xvda target=/dev/loop1 read_only=false rd_bytes=0 "
                   "wr_bytes=0 rd_ops=0 wr_ops=0\n");
}

static void test_odd_files(struct poll_kit *f, gconstpointer data)
{
    (void)data;
    poll_file(f, "poll/first.txt");
    g_assert_cmpuint(f->warnings->len, ==, 8);
    g_assert_true(warned(f, "/tmp/odd/b.cfg: line 1: a string is not closed"));
    g_assert_true(warned(f, "/tmp/odd/c.cfg: no name"));
    g_assert_true(warned(f, "/tmp/odd/d.cfg: describes the same guest as /tmp/odd/a.cfg"));
    g_assert_true(warned(f, "binary data: grep: /tmp/odd/f.cfg"));
    g_assert_true(warned(f, "/tmp/odd/g.cfg: left out, it is longer"));
    g_assert_true(warned(f, "/tmp/odd/i.cfg: describes the same guest as /etc/xen/tiny1.cfg"));
    g_assert_true(warned(f, "/tmp/odd/k.cfg: line 4: a carriage return"));
    g_assert_true(warned(f, "/tmp/odd/m:n.cfg: left out, there is a colon"));
}

/* --- composed */

static void test_mixed(struct poll_kit *f, gconstpointer data)
{
    const struct poll_parts parts = {.list = "list/mixed-v.txt", .store = "store/mixed.txt"};

    (void)data;
    poll_parts(f, &parts);
    g_assert_cmpuint(f->report->domains->len, ==, 6);
    assert_domain(f, "tiny1",
                  "name=tiny1 uuid=00000000-0000-4000-8000-000000000001 kind=guest virt=pv "
                  "state=running reason=none migrating=false domid=6" SIZE_96
                  " started=2026-11-22T00:18:29Z cpu_usec=3600000" GUEST_TAIL);
    /* Nothing was counted: the devices are known, their counters are not. */
    assert_devices(f, "tiny1",
                   "vif device=0 mac=00:16:3e:99:00:01 bridge=xenbr0\n"
                   "vbd number=51712 device=xvda target=/dev/loop1 read_only=false\n");
    assert_devices(f, "crash", "vif device=0 mac=00:16:3e:99:00:06 bridge=xenbr0\n");
    assert_devices(f, "micro1", "");
}

/* The domain's own state says nothing of its processors: three that do nothing are waiting. */
static void test_vcpus(struct poll_kit *f, gconstpointer data)
{
    static const struct {
        const char *name;
        const char *vcpu;
    } want[] = {
        {"Domain-0", "vcpu number=0 state=running cpu=0 cpu_usec=93300000 affinity=all\n"},
        {"tiny1", "vcpu number=0 state=blocked cpu=0 cpu_usec=3600000 affinity=all\n"},
        {"tiny2", "vcpu number=0 state=waiting cpu=0 cpu_usec=0 affinity=all\n"},
    };
    const struct poll_parts parts = {.list = "list/mixed-v.txt", .vcpus = "vcpus/mixed.txt"};

    (void)data;
    poll_parts(f, &parts);
    g_assert_cmpuint(f->report->vcpus->len, ==, f->report->domains->len);
    for (size_t i = 0; i < G_N_ELEMENTS(want); i++)
        assert_devices(f, want[i].name, want[i].vcpu);
}

/* Names are in the way of the numbers; processors that are off, pinned, or of nobody. */
static void test_odd_vcpus(struct poll_kit *f, gconstpointer data)
{
    const struct poll_parts real = {.list = "list/odd-names.txt", .vcpus = "vcpus/odd-names.txt"};
    const struct poll_parts made = {
        .list = HEADER DOM0 ROW("5 0 r-- x", "7", "-b----", "01"),
        .vcpus = "5 0 r-- x      7     1    -   --p       0.0  0-3,5 / all\n"
                 "5 0 r-- x      7     0    3   -b-      12.5  none / 0-1  \n"
                 "gone           8     0    3   -b-      12.5  all / all\n"
                 "x              7     2    3   -b-     twelve all / all\n"
                 "x              7     2    3   -b-      12.5  all   all\n"
                 "x              7     2    3   b        12.5  all / all\n"
                 "x              7    -2    3   -b-      12.5  all / all\n"
                 "x           99999     2    3   -b-      12.5  all / all\n"
                 "7 2 3 -b- 12.5 all / all\n\n/\n"};

    (void)data;
    poll_parts(f, &real);
    g_assert_cmpuint(f->report->vcpus->len, ==, 6);
    assert_devices(f, "with space",
                   "vcpu number=0 state=waiting cpu=0 cpu_usec=300000 affinity=all\n");
    poll_parts(f, &made);
    assert_devices(f, "Domain-0", "");
    assert_devices(f, "5 0 r-- x",
                   "vcpu number=0 state=blocked cpu=3 cpu_usec=12500000 affinity=none\n"
                   "vcpu number=1 state=offline cpu_usec=0 affinity=0-3,5\n"
                   "vcpu number=2 state=blocked cpu=3 cpu_usec=12500000 affinity=all\n");
}

static void test_pvh(struct poll_kit *f, gconstpointer data)
{
    const struct poll_parts parts = {.list = "list/pvh-v.txt", .store = "store/pvh.txt"};

    (void)data;
    poll_parts(f, &parts);
    assert_domain(f, "pvh1",
                  "name=pvh1 uuid=00000000-0000-4000-8000-0000000000b1 kind=guest virt=pvh "
                  "state=running reason=none migrating=false domid=2" SIZE_96
                  " started=2026-11-22T00:14:40Z cpu_usec=5900000" GUEST_TAIL);
}

#define NETDEV(name, rx, tx)                                                                       \
    "/proc/net/dev:" name ": " rx "1 " rx "2 " rx "3 " rx "4 0 0 0 0 " tx "1 " tx "2 " tx "3 " tx  \
    "4 0 0 0 0\n"

static void test_traffic(struct poll_kit *f, gconstpointer data)
{
    const struct poll_parts parts = {
        .list = HEADER DOM0 ROW("a", "6", "-b----", "01") ROW("b", "16", "-b----", "02"),
        .store = "/libxl/6/device/vif/0/mac = \"00:16:3e:00:00:01\"\n"
                 "/libxl/6/device/vif/0/bridge = \"old\"\n"
                 "/libxl/6/device/vif/3/vifname = \"web0\"\n",
        .files = "/proc/net/dev:Inter-|   Receive  |  Transmit\n"
                 "/proc/net/dev: face |bytes    packets errs\n" NETDEV("  vif6.0", "1", "2")
                     NETDEV("vif6.0-emu", "8", "9") NETDEV("web0", "3", "4")
                         NETDEV("vif16.1-emu", "5", "6") NETDEV("eth0", "70", "80")
                             NETDEV("eth1", "1", "1") NETDEV("br0", "9", "9")
                                 NETDEV("vif99.0", "9", "9"),
        .paths = "vif-6-0/net/vif6.0\nvif-6-3/net/web0\n/sys/class/net/*/brif/*\n"
                 "/sys/class/net/br0/brif/vif6.0\n/sys/class/net/br0/brif/eth0\n"
                 "/sys/class/net/eth0/device\n/sys/class/net/eth1/device\n"
                 "/sys/class/net/web0/device\n/sys/class/net/vif99.0/device\n",
    };
    const struct xc_host *host;

    (void)data;
    poll_parts(f, &parts);
    /* What the control domain receives is what the guest sends. */
    assert_devices(f, "a",
                   "vif device=0 mac=00:16:3e:00:00:01 bridge=br0 backend=vif6.0 rx_bytes=21 "
                   "tx_bytes=11 rx_packets=22 tx_packets=12 rx_errors=23 tx_errors=13 "
                   "rx_drops=24 tx_drops=14\n"
                   "vif device=3 backend=web0 rx_bytes=41 tx_bytes=31 rx_packets=42 "
                   "tx_packets=32 rx_errors=43 tx_errors=33 rx_drops=44 tx_drops=34\n");
    /* The emulated twin counts only where there is no other. */
    assert_devices(f, "b",
                   "vif device=1 backend=vif16.1-emu rx_bytes=61 tx_bytes=51 rx_packets=62 "
                   "tx_packets=52 rx_errors=63 tx_errors=53 rx_drops=64 tx_drops=54\n");
    assert_domain(f, "a",
                  "name=a uuid=00000000-0000-4000-8000-000000000001 kind=guest state=running "
                  "reason=none migrating=false domid=6 vcpus=1 mem_kib=98304 cpu_usec=3600000 "
                  "net_rx_bytes=62 net_tx_bytes=42 net_rx_packets=64 net_tx_packets=44" GUEST_TAIL);
    host = (const struct xc_host *)(void *)f->report->hosts->data;
    g_assert_cmpuint(host->net_rx_bytes, ==, 701 + 11);
    g_assert_cmpuint(host->net_tx_bytes, ==, 801 + 11);
}

static void test_disks(struct poll_kit *f, gconstpointer data)
{
    const struct poll_parts parts = {
        .list = HEADER DOM0 ROW("a", "6", "-b----", "01") ROW("q", "7", "-b----", "02"),
        .store = "/libxl/6/device/vbd/51712/dev = \"xvda\"\n"
                 "/libxl/6/device/vbd/51712/params = \"/dev/vg/a\\\\b\\x22c\"\n"
                 "/libxl/6/device/vbd/51712/mode = \"w\"\n"
                 "/libxl/6/device/vbd/51728/dev = \"xvdb\"\n"
                 "/libxl/6/device/vbd/51728/mode = \"r\"\n"
                 "/libxl/6/device/vbd/51728/params = \"\"\n"
                 "/libxl/7/type = \"hvm\"\n"
                 "/libxl/7/device/vbd/768/dev = \"hda\"\n",
        .files = "vbd-6-51712/statistics/rd_req:10\nvbd-6-51712/statistics/rd_sect:100\n"
                 "vbd-6-51712/statistics/wr_req:20\nvbd-6-51712/statistics/wr_sect:200\n"
                 "vbd-6-51728/statistics/rd_req:1\nvbd-6-51728/statistics/rd_sect:8\n"
                 "vbd-6-51728/statistics/wr_req:99999999999999999999\n"
                 "vbd-6-51728/statistics/wr_sect:18446744073709551615\n"
                 "vbd-x-51728/statistics/wr_sect:1\nvbd-8-51712/statistics/rd_req:5\n",
    };

    (void)data;
    poll_parts(f, &parts);
    assert_devices(f, "a",
                   "vbd number=51712 device=xvda target=/dev/vg/a\\b\"c read_only=false "
                   "rd_bytes=51200 wr_bytes=102400 rd_ops=10 wr_ops=20\n"
                   "vbd number=51728 device=xvdb read_only=true rd_bytes=4096 rd_ops=1\n");
    assert_devices(f, "q", "vbd number=768 device=hda\n");
    /* A sum is known when every part is. */
    assert_domain(f, "a",
                  "name=a uuid=00000000-0000-4000-8000-000000000001 kind=guest state=running "
                  "reason=none migrating=false domid=6 vcpus=1 mem_kib=98304 cpu_usec=3600000 "
                  "disk_rd_bytes=55296 disk_rd_ops=11" GUEST_TAIL);
}

static void test_migration(struct poll_kit *f, gconstpointer data)
{
    const struct poll_parts parts = {
        .list = HEADER DOM0 ROW("a--incoming", "6", "--p---", "01")
            ROW("b--migratedaway", "7", "---ss-", "02") ROW("(null)", "8", "--p---", "03")
                ROW("(null)", "9", "---s-d", "04") ROW("a-dm", "10", "-b----", "05") ROW(
                    "c-dm", "11", "-b----", "06") "(null)     12     0     0     --p---     0.0 "
                                                  "00000000-0000-0000-0000-000000000000 - -\n",
        .configs = "/etc/xen/d.cfg:name='d'\n"
                   "/etc/xen/d.cfg:uuid='00000000-0000-4000-8000-000000000004'\n",
    };

    (void)data;
    poll_parts(f, &parts);
    g_assert_cmpuint(f->report->domains->len, ==, 7);
    assert_domain(f, "a",
                  "name=a uuid=00000000-0000-4000-8000-000000000001 kind=guest state=migrating "
                  "reason=none migrating=true domid=6 vcpus=1 mem_kib=98304 "
                  "cpu_usec=3600000" GUEST_TAIL);
    assert_domain(f, "b",
                  "name=b uuid=00000000-0000-4000-8000-000000000002 kind=guest state=migrating "
                  "reason=none migrating=true domid=7 vcpus=1 mem_kib=98304 "
                  "cpu_usec=3600000" GUEST_TAIL);
    /* No name yet; a name no more, but the configuration knows it. */
    g_assert_cmpint(g_array_index(f->report->domains, struct xc_domain, 3).state, ==,
                    XC_STATE_PREPARING);
    g_assert_false(XC_HAS(DOMAIN, &g_array_index(f->report->domains, struct xc_domain, 3), name));
    assert_domain(f, "d",
                  "name=d uuid=00000000-0000-4000-8000-000000000004 uuid_fixed=true "
                  "config=/etc/xen/d.cfg kind=guest state=shuttingDown reason=poweroff "
                  "migrating=false domid=9 vcpus=1 mem_kib=98304 cpu_usec=3600000" GUEST_TAIL);
    g_assert_cmpint(g_array_index(f->report->domains, struct xc_domain, 5).kind, ==, XC_KIND_STUB);
    g_assert_cmpint(g_array_index(f->report->domains, struct xc_domain, 6).kind, ==, XC_KIND_GUEST);
}

/* With a uuid only the uuid counts, without one the name. */
static void test_matching(struct poll_kit *f, gconstpointer data)
{
    const struct poll_parts parts = {
        .list = HEADER DOM0 ROW("a", "6", "-b----", "01") ROW("b", "7", "-b----", "02")
            ROW("c", "8", "-b----", "03"),
        .configs = "/x/a.cfg:name='other'\n"
                   "/x/a.cfg:uuid = \"00000000-0000-4000-8000-000000000001\"\n"
                   "/x/b.cfg:name='b'\n"
                   "/x/c.cfg:name='c';uuid='00000000-0000-4000-8000-0000000000ff'\n"
                   "/x/c.cfg:memory = 64\n"
                   "/x/e.cfg:name='b'\n"
                   "/x/f.cfg:name='g';uuid='00000000-0000-4000-8000-000000000001'\n"
                   "/x/h.cfg:name='h';uuid='nonsense'\n"
                   "/x/a.cfg:name='twice the same path'\n"
                   "/x/z.cfg:name='z';builder='hvm';maxmem=64;vcpus=0\n",
    };

    (void)data;
    poll_parts(f, &parts);
    g_assert_cmpuint(f->report->domains->len, ==, 6);
    g_assert_cmpuint(f->warnings->len, ==, 3);
    g_assert_true(warned(f, "/x/e.cfg: describes the same guest as /x/b.cfg"));
    g_assert_true(warned(f, "/x/f.cfg: describes the same guest as /x/a.cfg"));
    g_assert_true(warned(f, "/x/h.cfg: line 1: uuid is no UUID"));
    assert_domain(f, "a",
                  "name=a uuid=00000000-0000-4000-8000-000000000001 uuid_fixed=true "
                  "config=/x/a.cfg kind=guest state=running reason=none migrating=false domid=6 "
                  "vcpus=1 mem_kib=98304 cpu_usec=3600000" GUEST_TAIL);
    assert_domain(f, "b",
                  "name=b uuid=00000000-0000-4000-8000-000000000002 uuid_fixed=false "
                  "config=/x/b.cfg kind=guest state=running reason=none migrating=false domid=7 "
                  "vcpus=1 mem_kib=98304 cpu_usec=3600000" GUEST_TAIL);
    /* The living c has another uuid than the file says: it is another one. */
    assert_domain(f, "c",
                  "name=c uuid=00000000-0000-4000-8000-000000000003 kind=guest state=running "
                  "reason=none migrating=false domid=8 vcpus=1 mem_kib=98304 "
                  "cpu_usec=3600000" GUEST_TAIL);
    assert_domain(f, "z",
                  "name=z uuid_fixed=false config=/x/z.cfg kind=guest virt=hvm state=shutdown "
                  "vcpus=1 vcpus_max=1 mem_target_kib=65536 mem_max_kib=65536");
}

/* No file holds a line that another file could be mistaken for. */
static void test_forged_config(struct poll_kit *f, gconstpointer data)
{
    const struct poll_parts parts = {
        .list = HEADER DOM0,
        .configs = "/x/a.cfg:name='a'\n/x/a.cfg:# /x/b.cfg:name='b'\n"
                   "/x/a.cfg:#" XL_NONCE " end\n/x/a.cfg:extra=':'\n",
    };

    (void)data;
    poll_parts(f, &parts);
    g_assert_cmpuint(f->warnings->len, ==, 0);
    g_assert_cmpuint(f->report->domains->len, ==, 2);
}

/* --- failures */

static void assert_failure(const char *text, const char *errors, int cause, const char *says)
{
    g_autoptr(xl_memory) memory = xl_memory_new();
    g_autoptr(xc_report) report = xc_report_new();
    g_autoptr(GError) error = NULL;

    g_assert_false(
        xl_parse_poll(text, strlen(text), errors, XL_NONCE, memory, report, NULL, &error));
    g_assert_error(error, XC_ERROR, cause);
    if (!strstr(error->message, says))
        g_error("%s", error->message);
}

static void test_failures(void)
{
    assert_failure("", NULL, XC_CAUSE_TRANSPORT, "before it was complete");
    assert_failure("", "/bin/sh: 1: exec: timeout: not found\n", XC_CAUSE_NOT_SUPPORTED,
                   "coreutils");
    assert_failure(MARK "list 1\n\n" MARK "end\n",
                   "ERROR:  Can't find hypervisor information in sysfs!\n", XC_CAUSE_NOT_SUPPORTED,
                   "not started under Xen");
    assert_failure(MARK "list 1\n\n" MARK "end\n", "sudo: a password is required\n",
                   XC_CAUSE_AUTH_FAILED, "sudo");
    assert_failure(MARK "list 0\n" HEADER DOM0 MARK "clock 1\n", "", XC_CAUSE_TRANSPORT,
                   "before it was complete");
    assert_failure(MARK "list 0\nnothing\n" MARK "end\n", "", XC_CAUSE_DRIVER_ERROR, "no list");
    /* The marks of another call are no marks. */
    assert_failure("\n#ffffffffffffffffffffffffffffffff list 0\n" HEADER DOM0
                   "\n#ffffffffffffffffffffffffffffffff end\n",
                   "", XC_CAUSE_TRANSPORT, "before it was complete");
}

static void test_missing_sections(struct poll_kit *f, gconstpointer data)
{
    static const char text[] = MARK "list 0\n" HEADER DOM0 MARK "info 1\n" MARK "end";
    g_autofree char *host = NULL;

    (void)data;
    poll_text(f, text, sizeof(text) - 1);
    host = show(&xc_host_type, f->report->hosts->data);
    g_assert_cmpstr(host, ==, "");
    g_assert_cmpuint(f->report->domains->len, ==, 1);
}

#define ADD(path, function)                                                                        \
    g_test_add("/xl-poll/" path, struct poll_kit, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("first", test_first);
    ADD("first-devices", test_first_devices);
    ADD("odd-files", test_odd_files);
    ADD("mixed", test_mixed);
    ADD("vcpus", test_vcpus);
    ADD("odd-vcpus", test_odd_vcpus);
    ADD("pvh", test_pvh);
    ADD("traffic", test_traffic);
    ADD("disks", test_disks);
    ADD("migration", test_migration);
    ADD("matching", test_matching);
    ADD("forged-config", test_forged_config);
    ADD("missing-sections", test_missing_sections);
    g_test_add_func("/xl-poll/failures", test_failures);
    return g_test_run();
}
