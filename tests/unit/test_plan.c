/* The planner by examples: each rule of each policy, and what keeps a member from a host. */
#include "tests/unit/plan_kit.h"

#define NOT_KNOWN (-1)
#define NOWHERE   (-1)

typedef struct plan_fleet plan_fleet;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(plan_fleet, g_free)

static struct plan_fleet *three_hosts(enum xc_spread spread, int64_t free_kib)
{
    struct plan_fleet *fleet = plan_fleet_new(spread);

    plan_host(fleet, "a", free_kib);
    plan_host(fleet, "b", free_kib);
    plan_host(fleet, "c", free_kib);
    return fleet;
}

/* Members "1", "2", ... that do not run. */
static void some_members(struct plan_fleet *fleet, unsigned n, int64_t need_kib)
{
    for (unsigned i = 1; i <= n; i++) {
        char name[16];

        g_snprintf(name, sizeof(name), "%u", i);
        plan_member(fleet, name, need_kib, NOWHERE);
    }
}

/* where: a letter for each member, the host's key; - for nowhere. */
static void assert_where(const struct plan_fleet *fleet, const char *where)
{
    g_autoptr(GString) got = g_string_new(NULL);

    for (size_t i = 0; i < fleet->n_members; i++) {
        gssize host = fleet->placements[i].host;

        g_string_append_c(got, host < 0 ? '-' : *fleet->hosts[host].key);
        g_assert_true((host < 0) == (fleet->placements[i].cause != XC_CAUSE_NONE));
    }
    g_assert_cmpstr(got->str, ==, where);
}

static void assert_start(struct plan_fleet *fleet, const char *where)
{
    plan_start(fleet);
    assert_where(fleet, where);
}

/* moves: the names of those that move, in their order. */
static void assert_rebalance(struct plan_fleet *fleet, const char *where, const char *moves)
{
    g_autoptr(GString) got = g_string_new(NULL);

    plan_rebalance(fleet);
    assert_where(fleet, where);
    for (size_t i = 0; i < fleet->n_moves; i++)
        g_string_append(got, fleet->members[fleet->order[i]].name);
    g_assert_cmpstr(got->str, ==, moves);
}

/* --- equal */

static void test_equal(void)
{
    g_autoptr(plan_fleet) fleet = three_hosts(XC_SPREAD_EQUAL, 1000);

    some_members(fleet, 7, 10);
    assert_start(fleet, "abcabca");
}

static void test_ties(void)
{
    g_autoptr(plan_fleet) fleet = three_hosts(XC_SPREAD_EQUAL, 1000);

    fleet->hosts[1].free_kib = 1001;
    fleet->hosts[0].free_kib = NOT_KNOWN;
    some_members(fleet, 4, 1);
    assert_start(fleet, "bcab");
}

static void test_running_count(void)
{
    g_autoptr(plan_fleet) fleet = three_hosts(XC_SPREAD_EQUAL, 1000);

    plan_member(fleet, "x", 10, 0);
    plan_member(fleet, "y", 10, 0);
    plan_member(fleet, "z", 10, 1);
    some_members(fleet, 3, 10);
    assert_start(fleet, "aab"
                        "cbc");
}

/* A host is said to run more than the members that are shown on it: what it says counts. And no less than those. */
static void test_running_told(void)
{
    g_autoptr(plan_fleet) fleet = three_hosts(XC_SPREAD_EQUAL, 1000);

    fleet->hosts[0].running = 2;
    plan_member(fleet, "x", 10, 1);
    fleet->hosts[1].running = 0;
    some_members(fleet, 3, 10);
    assert_start(fleet, "b"
                        "cbc");
}

static void test_weights(void)
{
    g_autoptr(plan_fleet) fleet = three_hosts(XC_SPREAD_EQUAL, 1000);
    uint32_t counts[3] = {0};

    fleet->hosts[1].weight = 50;
    fleet->hosts[2].weight = 25;
    some_members(fleet, 14, 1);
    plan_start(fleet);
    plan_counts(fleet, counts);
    g_assert_cmpuint(counts[0], ==, 8);
    g_assert_cmpuint(counts[1], ==, 4);
    g_assert_cmpuint(counts[2], ==, 2);
}

static void test_full_host_is_skipped(void)
{
    g_autoptr(plan_fleet) fleet = three_hosts(XC_SPREAD_EQUAL, 1000);

    fleet->hosts[0].free_kib = 15;
    fleet->hosts[1].free_kib = 0;
    some_members(fleet, 3, 10);
    assert_start(fleet, "cac");
}

/* More than there is room for: those whose turn is last go without, and those that need less still find room. */
static void test_scarcity(void)
{
    g_autoptr(plan_fleet) fleet = three_hosts(XC_SPREAD_EQUAL, 20);

    some_members(fleet, 7, 10);
    fleet->members[0].priority = 90;
    fleet->members[3].need_kib = 21;
    fleet->members[3].priority = 1;
    assert_start(fleet, "cab-cab");
    g_assert_cmpint(fleet->placements[3].cause, ==, XC_CAUSE_NO_MEMORY);
    plan_member(fleet, "8", 10, NOWHERE);
    assert_start(fleet, "-ab-cabc");
    g_assert_cmpint(fleet->placements[0].cause, ==, XC_CAUSE_NO_MEMORY);
}

static void test_priority(void)
{
    g_autoptr(plan_fleet) fleet = three_hosts(XC_SPREAD_EQUAL, 1000);

    some_members(fleet, 3, 10);
    fleet->members[0].priority = 100;
    fleet->members[2].priority = 1;
    assert_start(fleet, "cba");
}

/* Octets, not what a language thinks of them. */
static void test_order_of_names(void)
{
    g_autoptr(plan_fleet) fleet = three_hosts(XC_SPREAD_EQUAL, 1000);

    plan_member(fleet, "\xc3\xa4", 10, NOWHERE);
    plan_member(fleet, "b", 10, NOWHERE);
    plan_member(fleet, "A", 10, NOWHERE);
    assert_start(fleet, "cba");
}

/* Pins are kept, and the others make up for them. */
static void test_pins(void)
{
    g_autoptr(plan_fleet) fleet = three_hosts(XC_SPREAD_EQUAL, 1000);
    uint32_t counts[3] = {0};

    some_members(fleet, 6, 10);
    fleet->members[4].pin = 0;
    fleet->members[5].pin = 0;
    plan_start(fleet);
    g_assert_cmpint(fleet->placements[4].host, ==, 0);
    g_assert_cmpint(fleet->placements[5].host, ==, 0);
    plan_counts(fleet, counts);
    g_assert_cmpuint(plan_difference(counts, 3), ==, 0);
}

/* 3 can only go to a, so 1 goes to c by way of nothing: it has not started. 4 cannot go to a at all. */
static void test_may(void)
{
    g_autoptr(plan_fleet) fleet = three_hosts(XC_SPREAD_EQUAL, 1000);

    some_members(fleet, 4, 10);
    plan_restrict(fleet, &fleet->members[2])[0] = true;
    plan_restrict(fleet, &fleet->members[1])[1] = true;
    plan_restrict(fleet, &fleet->members[3])[1] = true;
    assert_start(fleet, "cbab");
}

/* --- what keeps a member from everywhere */

static void test_causes(void)
{
    g_autoptr(plan_fleet) fleet = three_hosts(XC_SPREAD_EQUAL, 100);

    some_members(fleet, 6, 10);
    plan_restrict(fleet, &fleet->members[0]);
    plan_restrict(fleet, &fleet->members[1]);
    fleet->members[1].may_cause = XC_CAUSE_NO_STORAGE;
    fleet->members[2].pin = 3;
    fleet->members[3].barred = true;
    fleet->members[3].barred_cause = XC_CAUSE_AMBIGUOUS;
    fleet->members[4].pin = 1;
    fleet->members[4].need_kib = 101;
    fleet->members[5].pin = 1;
    plan_restrict(fleet, &fleet->members[5])[0] = true;
    assert_start(fleet, "------");
    g_assert_cmpint(fleet->placements[0].cause, ==, XC_CAUSE_NOT_SUPPORTED);
    g_assert_cmpint(fleet->placements[1].cause, ==, XC_CAUSE_NO_STORAGE);
    g_assert_cmpint(fleet->placements[2].cause, ==, XC_CAUSE_NO_SUCH_HOST);
    g_assert_cmpint(fleet->placements[3].cause, ==, XC_CAUSE_AMBIGUOUS);
    g_assert_cmpint(fleet->placements[4].cause, ==, XC_CAUSE_NO_MEMORY);
    g_assert_cmpint(fleet->placements[5].cause, ==, XC_CAUSE_NOT_SUPPORTED);
}

static void test_nothing(void)
{
    static const enum xc_spread all[] = {XC_SPREAD_EQUAL, XC_SPREAD_BY_MEMORY, XC_SPREAD_PACK,
                                         XC_SPREAD_PINNED};

    for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
        g_autoptr(plan_fleet) fleet = plan_fleet_new(all[i]);

        plan_start(fleet);
        plan_rebalance(fleet);
        g_assert_cmpuint(fleet->n_moves, ==, 0);
        plan_member(fleet, "x", 10, NOWHERE);
        assert_start(fleet, "-");
        g_assert_cmpint(fleet->placements[0].cause, ==, XC_CAUSE_NO_SUCH_HOST);
        plan_rebalance(fleet);
        g_assert_cmpuint(fleet->n_moves, ==, 0);
    }
}

/* Not known: it fits wherever there is room left at all, and takes none away. */
static void test_unknown_need(void)
{
    g_autoptr(plan_fleet) fleet = three_hosts(XC_SPREAD_EQUAL, 10);

    fleet->hosts[0].free_kib = 0;
    fleet->hosts[1].free_kib = -2;
    some_members(fleet, 2, NOT_KNOWN);
    assert_start(fleet, "cc");
    fleet->hosts[0].free_kib = NOT_KNOWN;
    assert_start(fleet, "ca");
}

/* 1 took the room that only 2 could have used; nothing has started yet, so it takes the other host. */
static void test_gives_way(void)
{
    g_autoptr(plan_fleet) fleet = three_hosts(XC_SPREAD_EQUAL, 40);

    fleet->n_hosts = 2;
    some_members(fleet, 2, 10);
    fleet->members[1].need_kib = 40;
    fleet->members[1].pin = 0;
    assert_start(fleet, "ba");
    /* What runs does not. */
    plan_member(fleet, "x", 10, 0);
    fleet->hosts[0].free_kib = 30;
    assert_start(fleet, "b-a");
}

/* --- the other policies */

static void test_by_memory(void)
{
    g_autoptr(plan_fleet) fleet = three_hosts(XC_SPREAD_BY_MEMORY, 100);

    fleet->hosts[1].free_kib = 140;
    fleet->hosts[2].free_kib = NOT_KNOWN;
    some_members(fleet, 9, 30);
    assert_start(fleet, "bbababacc");
}

static void test_pack(void)
{
    g_autoptr(plan_fleet) fleet = three_hosts(XC_SPREAD_PACK, 100);

    fleet->hosts[1].free_kib = 120;
    some_members(fleet, 5, 30);
    assert_start(fleet, "bbbba");
    /* Where members run already is used first, and of those the fullest. */
    plan_member(fleet, "x", 30, 2);
    assert_start(fleet, "cccbbc");
}

/* In turn, 1 and 2 would leave too little on a for any of the others. */
static void test_pack_needs_few_hosts(void)
{
    g_autoptr(plan_fleet) fleet = three_hosts(XC_SPREAD_PACK, 40);

    some_members(fleet, 4, 10);
    fleet->members[2].need_kib = 30;
    fleet->members[3].need_kib = 30;
    assert_start(fleet, "bcbc");
    /* What that leaves room for had none in its turn. */
    plan_member(fleet, "5", 40, NOWHERE);
    assert_start(fleet, "bcbca");
}

static void test_pinned(void)
{
    g_autoptr(plan_fleet) fleet = three_hosts(XC_SPREAD_PINNED, 20);

    some_members(fleet, 4, 20);
    fleet->members[0].pin = 2;
    fleet->members[1].pin = 2;
    fleet->members[3].pin = 0;
    assert_start(fleet, "c--a");
    g_assert_cmpint(fleet->placements[1].cause, ==, XC_CAUSE_NO_MEMORY);
    g_assert_cmpint(fleet->placements[2].cause, ==, XC_CAUSE_NO_SUCH_HOST);
}

/* --- rebalance */

static struct plan_fleet *all_on_a(enum xc_spread spread, unsigned n, int64_t need_kib)
{
    struct plan_fleet *fleet = three_hosts(spread, 1000);

    some_members(fleet, n, need_kib);
    for (unsigned i = 0; i < n; i++)
        fleet->members[i].on = 0;
    fleet->hosts[0].running = n;
    return fleet;
}

static void test_rebalance(void)
{
    g_autoptr(plan_fleet) fleet = all_on_a(XC_SPREAD_EQUAL, 6, 10);

    /* What has least memory to be moved goes first. */
    fleet->members[1].need_kib = 5;
    assert_rebalance(fleet, "abacbc", "2654");
    /* Where it is so already, nothing moves. */
    for (size_t i = 0; i < fleet->n_members; i++)
        fleet->members[i].on = fleet->placements[i].host;
    for (size_t i = 0; i < fleet->n_hosts; i++)
        fleet->hosts[i].running = 2;
    assert_rebalance(fleet, "abacbc", "");
    plan_member(fleet, "7", 10, 1);
    assert_rebalance(fleet, "abacbcb", "");
}

static void test_rebalance_exceptions(void)
{
    g_autoptr(plan_fleet) fleet = all_on_a(XC_SPREAD_EQUAL, 6, 10);

    fleet->members[5].barred = true;
    fleet->members[5].barred_cause = XC_CAUSE_BUSY;
    fleet->members[4].pin = 0;
    fleet->members[3].pin = 2;
    plan_member(fleet, "7", 10, NOWHERE);
    plan_member(fleet, "8", 10, NOWHERE)->barred = true;
    fleet->members[7].barred_cause = XC_CAUSE_POLICY;
    assert_rebalance(fleet, "cbbcaa--", "3421");
    g_assert_cmpint(fleet->placements[6].cause, ==, XC_CAUSE_BAD_STATE);
    g_assert_cmpint(fleet->placements[7].cause, ==, XC_CAUSE_POLICY);
}

/* c may take nothing from a: b passes one on, and before it takes one, for it has no room for both. */
static void test_rebalance_passes_on(void)
{
    g_autoptr(plan_fleet) fleet = all_on_a(XC_SPREAD_EQUAL, 3, 10);

    plan_member(fleet, "x", 10, 1);
    plan_member(fleet, "y", 10, 1);
    for (unsigned i = 0; i < 3; i++) {
        bool *may = plan_restrict(fleet, &fleet->members[i]);

        may[0] = may[1] = true;
    }
    fleet->hosts[1].free_kib = 0;
    fleet->n_hosts = 3;
    assert_rebalance(fleet, "aabbc", "y3");
}

static void test_rebalance_needs_room(void)
{
    g_autoptr(plan_fleet) fleet = all_on_a(XC_SPREAD_EQUAL, 4, 10);

    fleet->hosts[1].free_kib = 9;
    fleet->hosts[2].free_kib = 15;
    assert_rebalance(fleet, "aaac", "4");
}

static void test_rebalance_by_memory(void)
{
    g_autoptr(plan_fleet) fleet = all_on_a(XC_SPREAD_BY_MEMORY, 4, 100);

    fleet->hosts[0].free_kib = 600;
    fleet->members[2].need_kib = 200;
    fleet->members[0].need_kib = NOT_KNOWN;
    /* 600 1000 1000: 200 halve it best; 800 800 1000: 100 do. */
    assert_rebalance(fleet, "acba", "32");
    fleet->hosts[0].free_kib = 960;
    assert_rebalance(fleet, "aaaa", "");
}

static void test_rebalance_pack(void)
{
    g_autoptr(plan_fleet) fleet = all_on_a(XC_SPREAD_PACK, 3, 100);

    plan_member(fleet, "x", 600, 1);
    plan_member(fleet, "y", 500, 1);
    plan_member(fleet, "z", 100, 2);
    /* z goes to the fullest; a, b do not fit into each other. */
    fleet->hosts[0].free_kib = 400;
    fleet->hosts[1].free_kib = 50;
    assert_rebalance(fleet, "aaabba", "z");
    fleet->hosts[0].free_kib = 401;
    fleet->hosts[1].free_kib = 400;
    assert_rebalance(fleet, "bbbbbb", "z123");
}

/* 1 and 2 are to change places; only b has room for one more. */
static void test_rebalance_pinned(void)
{
    g_autoptr(plan_fleet) fleet = all_on_a(XC_SPREAD_PINNED, 2, 100);

    plan_member(fleet, "x", 100, 1)->pin = 0;
    fleet->members[0].pin = 1;
    fleet->hosts[0].free_kib = 0;
    assert_rebalance(fleet, "baa", "1x");
    fleet->hosts[1].free_kib = 0;
    assert_rebalance(fleet, "aab", "");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/plan/equal", test_equal);
    g_test_add_func("/plan/ties", test_ties);
    g_test_add_func("/plan/running-count", test_running_count);
    g_test_add_func("/plan/running-told", test_running_told);
    g_test_add_func("/plan/weights", test_weights);
    g_test_add_func("/plan/full-host-is-skipped", test_full_host_is_skipped);
    g_test_add_func("/plan/scarcity", test_scarcity);
    g_test_add_func("/plan/priority", test_priority);
    g_test_add_func("/plan/order-of-names", test_order_of_names);
    g_test_add_func("/plan/pins", test_pins);
    g_test_add_func("/plan/may", test_may);
    g_test_add_func("/plan/causes", test_causes);
    g_test_add_func("/plan/nothing", test_nothing);
    g_test_add_func("/plan/unknown-need", test_unknown_need);
    g_test_add_func("/plan/gives-way", test_gives_way);
    g_test_add_func("/plan/by-memory", test_by_memory);
    g_test_add_func("/plan/pack", test_pack);
    g_test_add_func("/plan/pack-needs-few-hosts", test_pack_needs_few_hosts);
    g_test_add_func("/plan/pinned", test_pinned);
    g_test_add_func("/plan/rebalance", test_rebalance);
    g_test_add_func("/plan/rebalance-exceptions", test_rebalance_exceptions);
    g_test_add_func("/plan/rebalance-passes-on", test_rebalance_passes_on);
    g_test_add_func("/plan/rebalance-needs-room", test_rebalance_needs_room);
    g_test_add_func("/plan/rebalance-by-memory", test_rebalance_by_memory);
    g_test_add_func("/plan/rebalance-pack", test_rebalance_pack);
    g_test_add_func("/plan/rebalance-pinned", test_rebalance_pinned);
    return g_test_run();
}
