/* vApps as groups: made of what VMs tell, followed, never stored, never changed by SNMP. */
#include "tests/unit/group_set_kit.h"
#include "tests/unit/operations_kit.h"

#include "xenclient/engine/txn_private.h"

#define SHOP "5a000000000000000000000000000001"
#define BANK "5a000000000000000000000000000002"

static const char *uuid_of(unsigned vm)
{
    static char text[XC_UUID_TEXT];
    struct xc_uuid uuid = {.b = {0xab, [15] = (uint8_t)vm}};

    xc_uuid_format(&uuid, text);
    return text;
}

/* A VM, of its uuid's last octet; in the vApp of that last octet (0: none), whose name is "" where it is not told. */
static struct xc_detail *vm(struct xc_report *e, const char *name, unsigned uuid, int64_t domid,
                            unsigned vapp, const char *label)
{
    uint32_t row = e->domains->len;
    struct xc_detail *detail;

    kit_domain(e, name, uuid, domid);
    detail = xc_report_detail(e, row);
    if (vapp) {
        const struct xc_uuid id = {.b = {0x5a, [15] = (uint8_t)vapp}};

        XC_SET(DETAIL, detail, appliance_uuid, id);
        if (*label)
            XC_SET(DETAIL, detail, appliance_name, xc_report_text(e, label, -1));
    }
    return detail;
}

static void turn(struct xc_detail *detail, int64_t order, uint64_t delay)
{
    XC_SET(DETAIL, detail, start_order, order);
    XC_SET(DETAIL, detail, start_delay_sec, delay);
}

static void tell(struct kit_fixture *f, const char *source, struct xc_report *e)
{
    kit_answer(f, source, e);
    kit_turn();
}

/* The pool "a" with one vApp of two VMs, the first of which runs. */
static void tell_shop(struct kit_fixture *f, const char *label)
{
    struct xc_report *e = kit_report("boot");

    turn(vm(e, "db", 1, 7, 1, label), 0, 30);
    turn(vm(e, "web", 2, 0, 1, label), 2, 0);
    vm(e, "other", 3, 8, 0, "");
    tell(f, "a", e);
}

static const struct xc_group *find(struct kit_fixture *f, const char *name)
{
    const struct xc_group *group = xc_group_find(f->engine, name);

    g_assert_nonnull(group);
    return group;
}

static const struct xc_member *member(const struct xc_group *group, unsigned uuid)
{
    for (guint i = 0; i < group->members->len; i++) {
        const struct xc_member *m = &g_array_index(group->members, struct xc_member, i);

        if (strcmp(m->name, uuid_of(uuid)) == 0)
            return m;
    }
    g_assert_not_reached();
}

static guint n_groups(const struct kit_fixture *f)
{
    return f->engine->groups->len;
}

static void test_shown(struct kit_fixture *f, gconstpointer data)
{
    const struct xc_group *group;
    const struct xc_member *db;

    (void)data;
    tell_shop(f, "shop & co");
    g_assert_cmpuint(n_groups(f), ==, 1);
    group = find(f, SHOP);
    g_assert_cmpstr(group->label, ==, "shop & co");
    g_assert_cmpint(group->origin, ==, XC_FROM_HYPERVISOR);
    g_assert_cmpint(group->status, ==, XC_GROUP_DEGRADED);
    g_assert_cmpuint(group->sums.members, ==, 2);
    g_assert_cmpuint(group->sums.running, ==, 1);
    db = member(group, 1);
    g_assert_cmpuint(db->domain, ==, kit_find(f, "db")->index);
    g_assert_cmpstr(db->spec->descr, ==, "db");
    g_assert_cmpuint(db->spec->priority, ==, 1);
    g_assert_cmpuint(db->spec->delay_sec, ==, 30);
    g_assert_cmpuint(member(group, 2)->spec->priority, ==, 3);
    g_assert_cmpuint(group->places->len, ==, 1);
    g_assert_cmpstr(g_array_index(group->places, struct xc_group_place, 0).host, ==, "a");
}

/* What is told out of range, or not at all. */
static void test_turns(struct kit_fixture *f, gconstpointer data)
{
    struct xc_report *e = kit_report("boot");
    const struct xc_group *group;

    (void)data;
    turn(vm(e, "late", 1, 0, 1, ""), G_MAXINT64, 1000000);
    turn(vm(e, "early", 2, 0, 1, ""), 0, 0);
    turn(vm(e, "middle", 3, 0, 1, ""), 5000, 0);
    turn(vm(e, "too", 4, 0, 1, ""), 5000, 0);
    vm(e, "usual", 5, 0, 2, "bank");
    tell(f, "a", e);
    group = find(f, SHOP);
    g_assert_cmpstr(group->label, ==, SHOP);
    g_assert_cmpuint(member(group, 2)->spec->priority, ==, 1);
    g_assert_cmpuint(member(group, 3)->spec->priority, ==, 2);
    g_assert_cmpuint(member(group, 4)->spec->priority, ==, 2);
    g_assert_cmpuint(member(group, 1)->spec->priority, ==, 3);
    g_assert_cmpuint(member(group, 1)->spec->delay_sec, ==, XC_MEMBER_DELAY_MAX);
    g_assert_cmpuint(member(find(f, BANK), 5)->spec->priority, ==, 50);
    g_assert_cmpuint(member(find(f, BANK), 5)->spec->delay_sec, ==, 0);
}

static void test_followed(struct kit_fixture *f, gconstpointer data)
{
    struct xc_report *e;
    const struct xc_group *group;
    uint64_t definitions;

    (void)data;
    tell_shop(f, "shop");
    group = find(f, SHOP);
    definitions = f->engine->definitions;
    tell_shop(f, "shop");
    g_assert_cmpuint(f->engine->definitions, ==, definitions);
    tell_shop(f, "store");
    g_assert_true(find(f, SHOP) == group);
    g_assert_cmpstr(group->label, ==, "store");
    e = kit_report("boot");
    vm(e, "db", 1, 7, 0, "");
    turn(vm(e, "web", 2, 0, 1, "store"), 0, 0);
    turn(vm(e, "other", 3, 8, 1, "store"), 1, 0);
    tell(f, "a", e);
    group = find(f, SHOP);
    g_assert_cmpuint(group->members->len, ==, 2);
    g_assert_cmpuint(member(group, 2)->spec->priority, ==, 1);
    g_assert_cmpuint(member(group, 3)->spec->priority, ==, 2);
    e = kit_report("boot");
    vm(e, "db", 1, 7, 0, "");
    vm(e, "web", 2, 0, 0, "");
    vm(e, "other", 3, 8, 0, "");
    tell(f, "a", e);
    g_assert_cmpuint(n_groups(f), ==, 0);
}

static void test_news(struct kit_fixture *f, gconstpointer data)
{
    struct xc_report *e = kit_report("boot");

    (void)data;
    tell_shop(f, "shop");
    e->news = true;
    turn(vm(e, "other", 3, 8, 1, "shop"), 7, 0);
    tell(f, "a", e);
    g_assert_cmpuint(find(f, SHOP)->members->len, ==, 3);
    e = kit_report("boot");
    e->news = true;
    vm(e, "db", 1, 7, 0, "");
    tell(f, "a", e);
    g_assert_cmpuint(find(f, SHOP)->members->len, ==, 2);
    g_assert_cmpuint(member(find(f, SHOP), 3)->spec->priority, ==, 8);
}

static void test_down(struct kit_fixture *f, gconstpointer data)
{
    (void)data;
    tell_shop(f, "shop");
    for (int i = 0; i < XC_FAILED_POLLS_DOWN; i++)
        kit_fail(f, "a", XC_CAUSE_HOST_DOWN);
    g_assert_cmpint(find(f, SHOP)->status, ==, XC_GROUP_UNKNOWN);
    g_assert_cmpuint(find(f, SHOP)->sums.members, ==, 2);
    tell_shop(f, "shop");
    g_assert_cmpint(find(f, SHOP)->status, ==, XC_GROUP_DEGRADED);
}

/* One that is registered twice is one, on the hosts of both. */
static void test_twice(struct kit_fixture *f, gconstpointer data)
{
    struct xc_report *e = kit_report("boot");

    (void)data;
    turn(vm(e, "db", 1, 0, 1, "shop"), 0, 0);
    turn(vm(e, "mail", 4, 9, 1, "shop"), 0, 0);
    tell(f, "b", e);
    tell_shop(f, "shop");
    g_assert_cmpuint(n_groups(f), ==, 1);
    g_assert_cmpuint(find(f, SHOP)->members->len, ==, 3);
    g_assert_cmpuint(find(f, SHOP)->places->len, ==, 2);
    g_assert_cmpuint(member(find(f, SHOP), 1)->spec->delay_sec, ==, 30);
}

/* --- SETs */

static enum xc_cause put(struct kit_fixture *f, const char *name)
{
    g_autoptr(xc_group_spec) spec = xc_group_spec_new(name);

    return kit_put_group(f, spec);
}

static enum xc_cause ask(struct kit_fixture *f, const char *name, enum xc_action action)
{
    const struct xc_group_request request = {.group = name, .action = action};
    struct xc_txn *txn = xc_txn_new(f->engine);
    GError *error = NULL;
    bool ok = xc_txn_add_group_op(txn, &request, &error);

    return kit_end_set(txn, ok, error);
}

static void test_refusals(struct kit_fixture *f, gconstpointer data)
{
    (void)data;
    tell_shop(f, "shop");
    g_assert_cmpint(put(f, SHOP), ==, XC_CAUSE_POLICY);
    g_assert_cmpint(kit_drop_group(f, SHOP), ==, XC_CAUSE_POLICY);
    g_assert_cmpuint(find(f, SHOP)->members->len, ==, 2);
    /* Nor may another group have such a name. */
    g_assert_cmpint(put(f, BANK), ==, XC_CAUSE_BAD_VALUE);
    g_assert_cmpint(put(f, "5A000000000000000000000000000002"), ==, XC_CAUSE_NONE);
    g_assert_cmpint(put(f, "5a00000000000000000000000000002"), ==, XC_CAUSE_NONE);
    g_assert_cmpuint(n_groups(f), ==, 3);
}

static void test_actions(struct kit_fixture *f, gconstpointer data)
{
    const struct xc_op *parent;
    struct xc_report *e = kit_report("boot");

    (void)data;
    turn(vm(e, "db", 1, 0, 1, "shop"), 0, 0);
    turn(vm(e, "web", 2, 0, 1, "shop"), 1, 0);
    tell(f, "a", e);
    g_assert_cmpint(ask(f, SHOP, XC_ACTION_START), ==, XC_CAUSE_NONE);
    parent = xc_op_find(f->engine, find(f, SHOP)->last_op);
    g_assert_nonnull(parent);
    g_assert_cmpstr(parent->group, ==, SHOP);
    g_assert_cmpstr(parent->target, ==, "shop");
    g_assert_cmpuint(parent->total, ==, 2);
    /* The database first. */
    KIT_UNTIL(kit->orders->len > 0);
    g_assert_cmpuint(kit->orders->len, ==, 1);
    g_assert_cmpstr(kit_order(0)->name, ==, "db");
    g_assert_cmpint(find(f, SHOP)->wanted, ==, XC_WANTED_RUNNING);
    g_assert_cmpint(find(f, SHOP)->status, ==, XC_GROUP_TRANSITION);
}

/* Operations are known again before the vApp is; nothing of it was stored. */
static void test_restart(struct kit_fixture *f, gconstpointer data)
{
    uint32_t op;

    (void)data;
    tell_shop(f, "shop");
    g_assert_cmpint(ask(f, SHOP, XC_ACTION_START), ==, XC_CAUSE_NONE);
    op = find(f, SHOP)->last_op;
    kit_restart(f);
    g_assert_cmpuint(n_groups(f), ==, 0);
    tell_shop(f, "shop");
    g_assert_cmpuint(find(f, SHOP)->last_op, ==, op);
    g_assert_cmpuint(find(f, SHOP)->active_op, ==, op);
    g_assert_cmpint(find(f, SHOP)->wanted, ==, XC_WANTED_RUNNING);
}

/* It goes amid its operation, which ends all the same. */
static void test_vanishes(struct kit_fixture *f, gconstpointer data)
{
    struct xc_report *e = kit_report("boot");
    uint32_t op;

    (void)data;
    tell_shop(f, "shop");
    g_assert_cmpint(ask(f, SHOP, XC_ACTION_START), ==, XC_CAUSE_NONE);
    op = find(f, SHOP)->last_op;
    KIT_UNTIL(kit->orders->len > 0);
    vm(e, "db", 1, 7, 0, "");
    vm(e, "web", 2, 9, 0, "");
    vm(e, "other", 3, 8, 0, "");
    tell(f, "a", e);
    g_assert_cmpuint(n_groups(f), ==, 0);
    kit_end(kit_order(0), XC_RESULT_OK, XC_CAUSE_NONE, "");
    e = kit_report("boot");
    vm(e, "db", 1, 7, 0, "");
    vm(e, "web", 2, 9, 0, "");
    vm(e, "other", 3, 8, 0, "");
    tell(f, "a", e);
    KIT_UNTIL(xc_op_find(f->engine, op)->state == XC_OP_FINISHED);
    g_assert_cmpint(xc_op_find(f->engine, op)->result, ==, XC_RESULT_OK);
}

/* A pool that a vApp is of can be removed, and the file may leave it out: the vApp goes with it. */
static void test_source(struct kit_fixture *f, gconstpointer data)
{
    struct xc_config *next = xc_config_new();
    struct xc_txn *txn = xc_txn_new(f->engine);
    g_autoptr(GError) error = NULL;

    (void)data;
    tell_shop(f, "shop");
    g_assert_true(xc_txn_source_is_free(txn, kit_slot(f, "a"), &error));
    xc_txn_free(txn);
    g_assert_true(xc_groups_may_configure(f->engine, next, &error));
    g_assert_no_error(error);
    xc_config_free(next);
    xc_engine_source_remove(f->engine, "a");
    xc_fleet_rebuild(f->engine);
    g_assert_cmpuint(n_groups(f), ==, 0);
}

/* --- how much */

/* Of 10,000 VMs in 500 vApps: looking whether anything changed, and making all anew. */
static void test_cost(struct kit_fixture *f, gconstpointer data)
{
    struct xc_report *report = kit_report("boot");
    struct xc_slot *slot = kit_slot(f, "a");
    gint64 begun, looked;

    (void)data;
    for (unsigned i = 0; i < 10000; i++) {
        const struct xc_uuid vapp = {
            .b = {0x5a, [14] = (uint8_t)(i % 500 >> 8), (uint8_t)(i % 500)}};
        struct xc_uuid uuid = {.b = {0xcd, [14] = (uint8_t)(i >> 8), (uint8_t)i}};
        struct xc_detail *detail;
        struct xc_domain *domain;
        char name[16];

        g_snprintf(name, sizeof(name), "vm-%u", i);
        domain = kit_domain(report, name, 0, 0);
        XC_SET(DOMAIN, domain, uuid, uuid);
        XC_SET(DOMAIN, domain, uuid_fixed, 1);
        detail = xc_report_detail(report, i);
        XC_SET(DETAIL, detail, appliance_uuid, vapp);
        XC_SET(DETAIL, detail, appliance_name, xc_report_text(report, "a vApp of many", -1));
        turn(detail, i % 7, i % 3);
    }
    kit_answer(f, "a", report);
    g_assert_cmpuint(n_groups(f), ==, 500);
    begun = g_get_monotonic_time();
    for (int i = 0; i < 10; i++)
        xc_vapps_look_at(f->engine, slot);
    looked = (g_get_monotonic_time() - begun) / 10;
    begun = g_get_monotonic_time();
    f->engine->vapps = 0;
    xc_vapps_look(f->engine);
    g_test_message("looked at in %" G_GINT64_FORMAT " us, made anew in %" G_GINT64_FORMAT " us",
                   looked, g_get_monotonic_time() - begun);
    g_assert_cmpint(looked, <, 50000);
}

/* More VMs than a group may have members, more vApps than there may be groups: what is too much is left out, and operators can
 * make theirs. */
static void test_limits(struct kit_fixture *f, gconstpointer data)
{
    const unsigned n = XC_GROUP_MEMBERS_MAX + 5 + XC_GROUPS_MAX;
    struct xc_report *report = kit_report("boot");

    (void)data;
    for (unsigned i = 0; i < n; i++) {
        unsigned own = i < XC_GROUP_MEMBERS_MAX + 5 ? 0 : i;
        const struct xc_uuid vapp = {.b = {0x5a, [14] = (uint8_t)(own >> 8), (uint8_t)own}};
        struct xc_uuid uuid = {.b = {0xcd, [14] = (uint8_t)(i >> 8), (uint8_t)i}};
        struct xc_domain *domain = kit_domain(report, "vm", 0, 0);
        struct xc_detail *detail = xc_report_detail(report, i);

        XC_SET(DOMAIN, domain, uuid, uuid);
        XC_SET(DETAIL, detail, appliance_uuid, vapp);
    }
    kit_answer(f, "a", report);
    g_assert_cmpuint(n_groups(f), ==, XC_GROUPS_MAX);
    g_assert_cmpuint(find(f, "5a000000000000000000000000000000")->members->len, ==,
                     XC_GROUP_MEMBERS_MAX);
    g_assert_cmpint(put(f, "mine"), ==, XC_CAUSE_NONE);
    tell_shop(f, "shop");
    g_assert_cmpuint(n_groups(f), ==, 2);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function)                                                                        \
    g_test_add("/group-vapps/" name, struct kit_fixture, NULL, kit_set_up, function, kit_tear_down)
    ADD("shown", test_shown);
    ADD("turns", test_turns);
    ADD("followed", test_followed);
    ADD("news", test_news);
    ADD("down", test_down);
    ADD("twice", test_twice);
    ADD("refusals", test_refusals);
    ADD("actions", test_actions);
    ADD("restart", test_restart);
    ADD("vanishes", test_vanishes);
    ADD("source", test_source);
    ADD("cost", test_cost);
    ADD("limits", test_limits);
    return g_test_run();
}
