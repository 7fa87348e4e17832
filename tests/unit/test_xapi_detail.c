/* What a pool tells of updates, roles, guests' tools, tags and snapshots, and what it leaves out. */
#include "tests/unit/xapi_mirror_kit.h"

static const struct xc_host *host_with(struct xapi_mirror *mirror, const char *fields,
                                       struct xc_report **report)
{
    g_autoptr(xapi_meters) meters = xapi_meters_new();
    g_autofree char *all = g_strconcat(FIELD("uuid", UUID_OF("1", "0")), fields, NULL);
    bool changed;

    change(mirror, "host", "mod", REF("h1"), all, &changed);
    *report = report_of(mirror, meters);
    return &g_array_index((*report)->hosts, struct xc_host, 0);
}

static void test_updates(void)
{
    static const struct {
        const char *fields;
        int enabled, reboot, pending; /* -1: not known */
    } cases[] = {
        {"", -1, -1, -1},
        {FLAG("enabled", "0") SET("updates_requiring_reboot", ""), 0, 0, -1},
        {FLAG("enabled", "1") SET("updates_requiring_reboot", ELEMENT(REF("u"))), 1, 1, -1},
        {SET("updates_requiring_reboot", "") SET("pending_guidances", ELEMENT("restart_toolstack"))
             FIELD("latest_synced_updates_applied", "no"),
         -1, 0, 1},
        {SET("pending_guidances", ELEMENT("restart_toolstack") ELEMENT("reboot_host"))
             FIELD("latest_synced_updates_applied", "yes"),
         -1, 1, 0},
        /* Other forms than XAPI's are not known. */
        {FIELD("pending_guidances", "reboot_host") MAP("updates_requiring_reboot", FIELD("u", "x"))
             FIELD("latest_synced_updates_applied", "unknown") FIELD("enabled", "perhaps"),
         -1, -1, -1},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct xapi_mirror *mirror = pool();
        g_autoptr(xc_report) report = NULL;
        const struct xc_host *h = host_with(mirror, cases[i].fields, &report);

        g_assert_cmpint(XC_HAS(HOST, h, enabled) ? h->enabled : -1, ==, cases[i].enabled);
        g_assert_cmpint(XC_HAS(HOST, h, reboot_required) ? h->reboot_required : -1, ==,
                        cases[i].reboot);
        g_assert_cmpint(XC_HAS(HOST, h, updates_pending) ? h->updates_pending : -1, ==,
                        cases[i].pending);
        xapi_mirror_free(mirror);
    }
}

static void test_pool_role(void)
{
    struct xapi_mirror *mirror = pool();
    g_autoptr(xc_report) report = NULL;
    g_autoptr(xc_report) alone = NULL;
    const struct xc_host *h;
    bool changed;

    change(mirror, "pool", "mod", REF("pool"),
           FIELD("master", REF("h2")) FIELD("name_label", "lab"), &changed);
    h = host_with(mirror, "", &report);
    g_assert_false(XC_HAS(HOST, &h[1], ha_enabled));
    g_assert_cmpstr(h[0].pool, ==, "lab");
    g_assert_cmpint(h[0].pool_role, ==, XC_POOL_MEMBER);
    g_assert_cmpint(h[1].pool_role, ==, XC_POOL_COORDINATOR);
    xc_report_free(g_steal_pointer(&report));
    change(mirror, "pool", "mod", REF("pool"),
           FIELD("master", REF("h2")) FLAG("ha_enabled", "1") FIELD("ha_plan_exists_for", "1"),
           &changed);
    h = host_with(mirror, "", &report);
    g_assert_false(XC_HAS(HOST, &h[0], ha_enabled));
    g_assert_true(XC_HAS(HOST, &h[1], ha_enabled) && h[1].ha_enabled);
    g_assert_cmpuint(h[1].ha_tolerates, ==, 1);
    g_assert_true(XC_HAS(HOST, &h[1], live) && h[1].live);
    change(mirror, "pool", "mod", REF("pool"), FIELD("master", REF("h1")) FIELD("name_label", ""),
           &changed);
    change(mirror, "host", "del", REF("h2"), NULL, &changed);
    h = host_with(mirror, "", &alone);
    g_assert_false(XC_HAS(HOST, h, pool));
    g_assert_cmpint(h->pool_role, ==, XC_POOL_NONE);
    xapi_mirror_free(mirror);
}

/* The detail of a domain; NULL: it has none. */
static const struct xc_detail *detail_of(const struct xc_report *report, const char *name)
{
    const struct xc_domain *d = domain(report, name);
    guint at = (guint)(d - &g_array_index(report->domains, struct xc_domain, 0));

    for (guint i = 0; i < report->details->len; i++) {
        const struct xc_detail *detail = &g_array_index(report->details, struct xc_detail, i);

        if (detail->domain == at)
            return detail;
    }
    return NULL;
}

#define SNAPSHOT(n, time)                                                                          \
    KIT_VM_FIELDS(n, "snap", "Halted", REF("NULL"),                                                \
                  FLAG("is_a_template", "1") FLAG("is_a_snapshot", "1")                            \
                      FIELD("snapshot_of", REF("v1")) DATE("snapshot_time", time))

static void test_details(void)
{
    struct xapi_mirror *mirror = pool();
    g_autoptr(xapi_meters) meters = xapi_meters_new();
    g_autoptr(xc_report) report = NULL;
    const struct xc_detail *web;
    const struct xc_detail *db;
    bool changed;

    change(mirror, "vm", "add", REF("s2"), SNAPSHOT("6", "20260102T00:00:00Z"), &changed);
    change(mirror, "vm", "add", REF("s3"), SNAPSHOT("7", "20260101T00:00:00Z"), &changed);
    change(mirror, "vm", "mod", REF("v1"),
           KIT_VM_FIELDS("1", "web", "Running", REF("h1"),
                         FIELD("domid", "7") SET("tags", ELEMENT("prod") ELEMENT("a &amp; b"))
                             FIELD("reference_label", "debian-12")
                                 MAP("other_config", FIELD("base_template_name", "Debian 12"))),
           &changed);
    change(mirror, "VM_guest_metrics", "mod", REF("vmg1"),
           FLAG("PV_drivers_detected", "1") FLAG("PV_drivers_up_to_date", "0")
               MAP("os_version", FIELD("name", "Debian GNU/Linux 12") FIELD("distro", "debian"))
                   MAP("networks", FIELD("1/ip", "192.0.2.8") FIELD("0/ipv6/0", "fe80::1") FIELD(
                                       "0/ipv6/1", "2001:db8::1") FIELD("0/ip", "192.0.2.7")
                                       FIELD("0/ipv4/0", "192.0.2.7") FIELD("2/ip", "no address")),
           &changed);
    g_assert_true(changed);
    report = report_of(mirror, meters);
    web = detail_of(report, "web");
    g_assert_cmpint(web->tools, ==, XC_TOOLS_OLD);
    g_assert_cmpstr(web->os, ==, "Debian GNU/Linux 12");
    g_assert_cmpstr(web->addresses, ==, "192.0.2.7, 192.0.2.8, 2001:db8::1");
    g_assert_cmpstr(web->tags, ==, "prod, a & b");
    g_assert_cmpstr(web->template, ==, "Debian 12");
    g_assert_cmpuint(web->snapshots, ==, 2);
    g_assert_cmpint(web->snapshot_time, ==, G_GINT64_CONSTANT(1767312000000000));
    /* Of one that does not run nobody knows what its guest would tell. */
    db = detail_of(report, "db");
    g_assert_cmphex(db->has, ==, XC_BIT(DETAIL, snapshots));
    g_assert_cmpuint(db->snapshots, ==, 0);
    g_assert_null(detail_of(report, "Control domain"));
    xapi_mirror_free(mirror);
}

/* A VM of the pool in that vApp; rest: what more its record tells. */
static void put_into(struct xapi_mirror *mirror, const char *fields)
{
    g_autofree char *all = g_strconcat(
        KIT_VM_FIELDS("1", "web", "Running", REF("h1"), FIELD("domid", "7")), fields, NULL);
    bool changed;

    change(mirror, "vm", "mod", REF("v1"), all, &changed);
    g_assert_true(changed);
}

/* uuid: NULL, it is in none. */
static void assert_appliance(const struct xapi_mirror *mirror, const char *uuid, const char *name)
{
    g_autoptr(xapi_meters) meters = xapi_meters_new();
    g_autoptr(xc_report) report = report_of(mirror, meters);
    const struct xc_detail *detail = detail_of(report, "web");
    char text[XC_UUID_TEXT] = "";

    if (XC_HAS(DETAIL, detail, appliance_uuid))
        xc_uuid_format(&detail->appliance_uuid, text);
    g_assert_cmpstr(text, ==, uuid ? uuid : "");
    g_assert_cmpstr(XC_HAS(DETAIL, detail, appliance_name) ? detail->appliance_name : NULL, ==,
                    name);
    g_assert_true(XC_HAS(DETAIL, detail, start_order) == XC_HAS(DETAIL, detail, start_delay_sec));
    g_assert_false(!uuid && XC_HAS(DETAIL, detail, start_order));
}

#define IN_ONE       FIELD("appliance", REF("a1")) FIELD("order", "2") FIELD("start_delay", "30")
#define THE_UUID     UUID_OF("e", "1")
#define ONE_OF(name) FIELD("uuid", THE_UUID) FIELD("name_label", name)

/* The VM may be heard of before its vApp is, and after that is gone. */
static void test_appliance(void)
{
    struct xapi_mirror *mirror = pool();
    g_autoptr(xapi_meters) meters = xapi_meters_new();
    g_autoptr(xc_report) report = NULL;
    const struct xc_detail *detail;
    bool changed;

    xapi_mirror_reported(mirror);
    put_into(mirror, IN_ONE);
    assert_appliance(mirror, NULL, NULL);
    change(mirror, "vm_appliance", "add", REF("a1"), ONE_OF("shop &amp; co"), &changed);
    g_assert_true(changed);
    assert_appliance(mirror, THE_UUID, "shop & co");
    report = report_of(mirror, meters);
    detail = detail_of(report, "web");
    g_assert_cmpint(detail->start_order, ==, 2);
    g_assert_cmpuint(detail->start_delay_sec, ==, 30);
    g_assert_false(XC_HAS(DETAIL, detail_of(report, "db"), appliance_uuid));
    /* A new name is news of every VM in it, which are not told one by one. */
    xapi_mirror_reported(mirror);
    g_assert_false(mirror->all_new);
    change(mirror, "vm_appliance", "mod", REF("a1"), ONE_OF("store"), &changed);
    g_assert_true(changed && mirror->all_new);
    assert_appliance(mirror, THE_UUID, "store");
    change(mirror, "vm_appliance", "mod", REF("a1"), ONE_OF(""), &changed);
    assert_appliance(mirror, THE_UUID, NULL);
    put_into(mirror, FIELD("appliance", REF("NULL")) FIELD("order", "2"));
    assert_appliance(mirror, NULL, NULL);
    put_into(mirror, IN_ONE);
    change(mirror, "vm_appliance", "del", REF("a1"), NULL, &changed);
    g_assert_true(changed);
    assert_appliance(mirror, NULL, NULL);
    xapi_mirror_free(mirror);
}

/* What is no UUID is none; no number, or one below 0, is not known. */
static void test_odd_appliance(void)
{
    struct xapi_mirror *mirror = pool();
    g_autoptr(xapi_meters) meters = xapi_meters_new();
    g_autoptr(xc_report) report = NULL;
    const struct xc_detail *detail;
    bool changed;

    put_into(mirror, FIELD("appliance", REF("a1")) FIELD("order", "-1") FIELD("start_delay", "x"));
    change(mirror, "vm_appliance", "add", REF("a1"),
           FIELD("uuid", "../../etc") FIELD("name_label", "shop"), &changed);
    assert_appliance(mirror, NULL, NULL);
    change(mirror, "vm_appliance", "mod", REF("a1"), ONE_OF("a b"), &changed);
    report = report_of(mirror, meters);
    detail = detail_of(report, "web");
    g_assert_true(XC_HAS(DETAIL, detail, appliance_uuid));
    g_assert_false(XC_HAS(DETAIL, detail, start_order));
    g_assert_false(XC_HAS(DETAIL, detail, start_delay_sec));
    xapi_mirror_free(mirror);
}

static const struct xc_point *point_of(const struct xc_report *report, const struct xc_uuid *uuid)
{
    for (guint i = 0; i < report->points->len; i++) {
        const struct xc_point *point = &g_array_index(report->points, struct xc_point, i);

        if (memcmp(&point->uuid, uuid, sizeof(*uuid)) == 0)
            return point;
    }
    return NULL;
}

/* Each snapshot is one of its domain's, by a number that is the same each time. */
static void test_points(void)
{
    struct xapi_mirror *mirror = pool();
    g_autoptr(xapi_meters) meters = xapi_meters_new();
    g_autoptr(xc_report) report = NULL;
    g_autoptr(xc_report) again = NULL;
    const struct xc_point *disk;
    const struct xc_point *whole;
    struct xc_uuid uuids[2];
    bool changed;

    g_assert_true(xc_uuid_parse(UUID_OF("a", "6"), &uuids[0]));
    g_assert_true(xc_uuid_parse(UUID_OF("a", "7"), &uuids[1]));
    change(mirror, "vm", "add", REF("s2"), SNAPSHOT("6", "20260102T00:00:00Z"), &changed);
    change(mirror, "vm", "add", REF("s3"),
           KIT_VM_FIELDS("7", "snap", "Suspended", REF("NULL"),
                         FLAG("is_a_template", "1") FLAG("is_a_snapshot", "1")
                             FIELD("snapshot_of", REF("v1"))),
           &changed);
    /* Of a VM that is not there any more. */
    change(mirror, "vm", "add", REF("s4"),
           KIT_VM_FIELDS("8", "orphan", "Halted", REF("NULL"),
                         FLAG("is_a_template", "1") FLAG("is_a_snapshot", "1")
                             FIELD("snapshot_of", REF("v99"))),
           &changed);
    report = report_of(mirror, meters);
    again = report_of(mirror, meters);
    disk = point_of(report, &uuids[0]);
    whole = point_of(report, &uuids[1]);
    g_assert_cmpstr(disk->name, ==, "snap");
    g_assert_cmpint(disk->kind, ==, XC_POINT_DISK);
    g_assert_cmpint(disk->taken, ==, G_GINT64_CONSTANT(1767312000000000));
    g_assert_cmpint(whole->kind, ==, XC_POINT_CHECKPOINT);
    g_assert_false(XC_HAS(POINT, whole, taken));
    g_assert_cmpint(disk->number, !=, whole->number);
    g_assert_cmpint(point_of(again, &uuids[0])->number, ==, disk->number);
    for (guint i = 0; i < report->points->len; i++)
        g_assert_cmpstr(g_array_index(report->points, struct xc_point, i).name, !=, "orphan");
    g_assert_true(&g_array_index(report->domains, struct xc_domain, disk->domain) ==
                  domain(report, "web & shop"));
    xapi_mirror_free(mirror);
}

/* Which tools there are, by what their object says; NULL fields: there is no such object. */
static void test_tools(void)
{
    static const struct {
        const char *fields;
        int tools;
    } cases[] = {
        {FLAG("PV_drivers_detected", "0") FLAG("PV_drivers_up_to_date", "0"), XC_TOOLS_NONE},
        {FLAG("PV_drivers_detected", "1"), XC_TOOLS_OK},
        {FLAG("PV_drivers_detected", "1") FLAG("PV_drivers_up_to_date", "1"), XC_TOOLS_OK},
        {FLAG("PV_drivers_up_to_date", "1"), XC_TOOLS_UNKNOWN},
        {NULL, 0},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct xapi_mirror *mirror = pool();
        g_autoptr(xapi_meters) meters = xapi_meters_new();
        g_autoptr(xc_report) report = NULL;
        const struct xc_detail *detail;
        bool changed;

        change(mirror, "VM_guest_metrics", cases[i].fields ? "mod" : "del", REF("vmg1"),
               cases[i].fields, &changed);
        report = report_of(mirror, meters);
        detail = detail_of(report, "web & shop");
        g_assert_cmpint(XC_HAS(DETAIL, detail, tools) ? detail->tools : 0, ==, cases[i].tools);
        xapi_mirror_free(mirror);
    }
}

/* Tags without end: as many as fit, none cut, each once. */
static void test_many_tags(void)
{
    struct xapi_mirror *mirror = pool();
    g_autoptr(xapi_meters) meters = xapi_meters_new();
    g_autoptr(xc_report) report = NULL;
    g_autoptr(GString) fields = g_string_new(FIELD("name_label", "web") SET_BEGIN("tags"));
    const struct xc_detail *detail;
    bool changed;

    for (unsigned i = 0; i < 5000; i++)
        g_string_append_printf(fields, ELEMENT("tag-%04u"), i / 2);
    g_string_append(fields, SET_END);
    change(mirror, "vm", "mod", REF("v1"), fields->str, &changed);
    report = report_of(mirror, meters);
    detail = detail_of(report, "web");
    g_assert_cmpuint(strlen(detail->tags), ==, 25 * 10 - 2);
    g_assert_true(g_str_has_suffix(detail->tags, "tag-0023, tag-0024"));
    xapi_mirror_free(mirror);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/xapi-detail/updates", test_updates);
    g_test_add_func("/xapi-detail/pool-role", test_pool_role);
    g_test_add_func("/xapi-detail/details", test_details);
    g_test_add_func("/xapi-detail/appliance", test_appliance);
    g_test_add_func("/xapi-detail/odd-appliance", test_odd_appliance);
    g_test_add_func("/xapi-detail/points", test_points);
    g_test_add_func("/xapi-detail/tools", test_tools);
    g_test_add_func("/xapi-detail/many-tags", test_many_tags);
    return g_test_run();
}
