/* What a pool tells of its storage and its hosts' interfaces, and what it leaves out. */
#include "tests/unit/xapi_mirror_kit.h"
#include "xenclient/drivers/xapi_notices.h"
#include "xenclient/model/event.h"
#include "xenclient/util/clock.h"

#define ADD(mirror, class, ref, fields)                                                            \
    do {                                                                                           \
        bool changed_;                                                                             \
        change(mirror, class, "add", REF(ref), fields, &changed_);                                 \
        g_assert_true(changed_);                                                                   \
    } while (0)

static const struct xc_sr *sr_named(const struct xc_report *report, const char *name)
{
    for (guint i = 0; i < report->srs->len; i++) {
        const struct xc_sr *sr = &g_array_index(report->srs, struct xc_sr, i);

        if (XC_HAS(SR, sr, name) && strcmp(sr->name, name) == 0)
            return sr;
    }
    g_assert_not_reached();
}

static const struct xc_pif *pif_of(const struct xc_report *report, const char *device, int vlan)
{
    for (guint i = 0; i < report->pifs->len; i++) {
        const struct xc_pif *pif = &g_array_index(report->pifs, struct xc_pif, i);

        if (strcmp(pif->device, device) == 0 && (XC_HAS(PIF, pif, vlan) ? pif->vlan : -1) == vlan)
            return pif;
    }
    g_assert_not_reached();
}

#define SR_FIELDS(n, name, size, used)                                                             \
    FIELD("uuid", UUID_OF("e", n))                                                                 \
    FIELD("name_label", name)                                                                      \
    FIELD("type", "nfs")                                                                           \
    FLAG("shared", "1")                                                                            \
    FIELD("physical_size", size)                                                                   \
    FIELD("physical_utilisation", used) FIELD("virtual_allocation", "4096")

static void test_storage(void)
{
    struct xapi_mirror *mirror = pool();
    g_autoptr(xapi_meters) meters = xapi_meters_new();
    g_autoptr(xc_report) report = NULL;
    const struct xc_sr *sr;

    ADD(mirror, "sr", "sr1", SR_FIELDS("1", "Shared &amp; fast", "21990232555520", "1073741824"));
    ADD(mirror, "sr", "sr2", SR_FIELDS("2", "Drive", "-1", "-1"));
    ADD(mirror, "sr", "sr3", SR_FIELDS("3", "Tools", "0", "0"));
    ADD(mirror, "pbd", "p1", FIELD("SR", REF("sr1")) FLAG("currently_attached", "1"));
    ADD(mirror, "pbd", "p2", FIELD("SR", REF("sr1")) FLAG("currently_attached", "0"));
    ADD(mirror, "pbd", "p3", FIELD("SR", REF("sr2")));
    ADD(mirror, "pbd", "p4", FLAG("currently_attached", "1"));
    report = report_of(mirror, meters);
    g_assert_cmpuint(report->srs->len, ==, 3);

    sr = sr_named(report, "Shared & fast");
    g_assert_cmpstr(sr->type, ==, "nfs");
    g_assert_true(XC_HAS(SR, sr, shared) && sr->shared);
    g_assert_cmpuint(sr->size_kib, ==, 21990232555520 / 1024);
    g_assert_cmpuint(sr->used_kib, ==, 1048576);
    g_assert_cmpuint(sr->allocated_kib, ==, 4);
    g_assert_cmpuint(sr->paths, ==, 2);
    g_assert_true(XC_HAS(SR, sr, paths_up));
    g_assert_cmpuint(sr->paths_up, ==, 1);
    /* What it can't tell is not known; neither is whether a path is up that does not say so. */
    sr = sr_named(report, "Drive");
    g_assert_false(XC_HAS(SR, sr, size_kib) || XC_HAS(SR, sr, used_kib));
    g_assert_cmpuint(sr->paths, ==, 1);
    g_assert_false(XC_HAS(SR, sr, paths_up));
    sr = sr_named(report, "Tools");
    g_assert_false(XC_HAS(SR, sr, size_kib));
    g_assert_true(XC_HAS(SR, sr, used_kib));
    g_assert_true(XC_HAS(SR, sr, paths) && XC_HAS(SR, sr, paths_up));
    g_assert_cmpuint(sr->paths + sr->paths_up, ==, 0);
    xapi_mirror_free(mirror);
}

#define PIF_FIELDS(n, host, device, vlan)                                                          \
    FIELD("uuid", UUID_OF("f", n))                                                                 \
    FIELD("host", host)                                                                            \
    FIELD("device", device)                                                                        \
    FIELD("VLAN", vlan) FIELD("metrics", REF("pm" n)) FIELD("network", REF("net1"))

static void add_interfaces(struct xapi_mirror *mirror)
{
    bool changed;

    change(mirror, "network", "mod", REF("net1"),
           FIELD("bridge", "xenbr0") FIELD("name_label", "Guests"), &changed);
    g_assert_true(changed);
    ADD(mirror, "pif", "i1",
        PIF_FIELDS("1", REF("h1"), "eth0", "-1") FIELD("MAC", "00:16:3e:00:00:09")
            FLAG("management", "0") FIELD("bond_slave_of", REF("b1")));
    ADD(mirror, "pif", "i2",
        PIF_FIELDS("2", REF("h1"), "bond0", "-1") FLAG("management", "1")
            FIELD("bond_slave_of", REF("NULL")));
    ADD(mirror, "pif", "i3", PIF_FIELDS("3", REF("h1"), "bond0", "100"));
    ADD(mirror, "pif", "i4", PIF_FIELDS("4", REF("h2"), "eth1", "5000"));
    ADD(mirror, "pif", "i5", PIF_FIELDS("5", REF("gone"), "eth2", "-1"));
    ADD(mirror, "bond", "b1", FIELD("master", REF("i2")));
    ADD(mirror, "pif_metrics", "pm1", FLAG("carrier", "1") FIELD("speed", "10000"));
    ADD(mirror, "pif_metrics", "pm2", FLAG("carrier", "0") FIELD("speed", "0"));
}

static void test_interfaces(void)
{
    struct xapi_mirror *mirror = pool();
    g_autoptr(xapi_meters) meters = xapi_meters_new();
    g_autoptr(xc_report) report = NULL;
    const struct xc_pif *pif;

    add_interfaces(mirror);
    report = report_of(mirror, meters);
    g_assert_cmpuint(report->pifs->len, ==, 4); /* not that of a host that is none */

    pif = pif_of(report, "eth0", -1);
    g_assert_cmpuint(pif->host, ==, 0);
    g_assert_cmpstr(pif->mac, ==, "00:16:3e:00:00:09");
    g_assert_cmpstr(pif->bond, ==, "bond0");
    g_assert_cmpstr(pif->network, ==, "Guests");
    g_assert_true(XC_HAS(PIF, pif, link) && pif->link);
    g_assert_cmpuint(pif->speed_mbit, ==, 10000);
    g_assert_true(XC_HAS(PIF, pif, management) && !pif->management);
    /* A link that is down has no speed. */
    pif = pif_of(report, "bond0", -1);
    g_assert_true(pif->management);
    g_assert_true(XC_HAS(PIF, pif, link) && !pif->link);
    g_assert_false(XC_HAS(PIF, pif, speed_mbit) || XC_HAS(PIF, pif, bond));
    pif = pif_of(report, "bond0", 100);
    g_assert_false(XC_HAS(PIF, pif, link) || XC_HAS(PIF, pif, management));
    /* 5000 is no tag. */
    g_assert_cmpuint(pif_of(report, "eth1", -1)->host, ==, 1);
    xapi_mirror_free(mirror);
}

#define MESSAGE(n, time, priority)                                                                 \
    FIELD("uuid", UUID_OF("c", n))                                                                 \
    FIELD("name", "ALARM")                                                                         \
    FIELD("cls", "VM")                                                                             \
    FIELD("priority", priority)                                                                    \
    FIELD("obj_uuid", UUID_OF("a", "1"))                                                           \
    FIELD("body", "value: 0.9\nconfig:") DATE("timestamp", time)

/* The oldest first; of what has no time nobody can say whether it is new. */
static void test_messages(void)
{
    struct xapi_mirror *mirror = pool();
    g_autoptr(xapi_meters) meters = xapi_meters_new();
    g_autoptr(xc_report) report = NULL;
    const struct xc_notice *notice;
    bool changed;

    ADD(mirror, "message", "x1", MESSAGE("1", "20260102T00:00:00Z", "4"));
    ADD(mirror, "message", "x2", MESSAGE("2", "20260101T00:00:00Z", "1"));
    ADD(mirror, "message", "x3", MESSAGE("3", "yesterday", "1"));
    ADD(mirror, "message", "x4", MESSAGE("4", "20260103T00:00:00Z", "77"));
    report = report_of(mirror, meters);
    g_assert_cmpuint(report->notices->len, ==, 3);
    notice = &g_array_index(report->notices, struct xc_notice, 0);
    g_assert_cmpint(notice[0].time, ==, G_GINT64_CONSTANT(1767225600000000));
    g_assert_cmpint(notice[0].severity, ==, XC_SEVERITY_CRITICAL);
    g_assert_cmpstr(notice[0].name, ==, "ALARM");
    g_assert_cmpstr(notice[0].body, ==, "value: 0.9 config:");
    g_assert_cmpuint(notice[0].about.b[15], ==, 0x0a);
    g_assert_cmpint(notice[1].severity, ==, XC_SEVERITY_CLEAR);
    g_assert_false(XC_HAS(NOTICE, &notice[2], severity));
    /* The server counts none. */
    g_assert_cmpuint(
        apply(mirror, kit_answer(g_string_new(NULL), FIELD("message", "0"), "3"), 0, &changed), ==,
        0);
    xapi_mirror_free(mirror);
}

/* Of more than fit the newest. */
static void test_many_messages(void)
{
    struct xapi_mirror *mirror = pool();
    g_autoptr(xapi_meters) meters = xapi_meters_new();
    g_autoptr(xc_report) report = NULL;
    GString *events = g_string_new(NULL);
    bool changed;

    for (unsigned i = 0; i < 3 * XAPI_NOTICES_MAX; i++) {
        g_autofree char *ref = g_strdup_printf(REF("x%u"), i);
        g_autofree char *fields = g_strdup_printf(FIELD("uuid", "%08x-0000-4000-8000-000000000000")
                                                      DATE("timestamp", "20260101T00:%02u:%02uZ"),
                                                  i + 1, i / 60, i % 60);

        kit_event(events, "message", "add", ref, fields);
    }
    apply(mirror, kit_answer(events, "", "2"), 0, &changed);
    report = report_of(mirror, meters);
    g_assert_cmpuint(report->notices->len, ==, XAPI_NOTICES_MAX);
    for (guint i = 0; i < XAPI_NOTICES_MAX; i++)
        g_assert_cmpint(g_array_index(report->notices, struct xc_notice, i).time, ==,
                        G_GINT64_CONSTANT(1767225600000000) +
                            (2 * XAPI_NOTICES_MAX + (gint64)i) * XC_USEC_PER_SEC);
    xapi_mirror_free(mirror);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/xapi-storage/storage", test_storage);
    g_test_add_func("/xapi-storage/interfaces", test_interfaces);
    g_test_add_func("/xapi-storage/messages", test_messages);
    g_test_add_func("/xapi-storage/many-messages", test_many_messages);
    return g_test_run();
}
