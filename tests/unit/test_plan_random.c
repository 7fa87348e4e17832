/* What holds of every plan: thousands of fleets, each from a seed of its own. */
#include "tests/unit/mutate.h"
#include "tests/unit/plan_kit.h"

#define FLEETS    3000
#define NOT_KNOWN (-1)

/* What a fleet may have besides hosts and members. */
enum { MEMORY = 1, LIMITS = 2, RUNNING = 4, WEIGHTS = 8, UNKNOWN = 16 };

typedef void (*property)(struct plan_fleet *fleet, GRand *rand);

static bool one_in(GRand *rand, int n)
{
    return g_rand_int_range(rand, 0, n) == 0;
}

static void limit_member(struct plan_fleet *fleet, struct xc_plan_member *member, GRand *rand)
{
    if (one_in(rand, 8))
        member->pin = g_rand_int_range(rand, 0, (gint32)fleet->n_hosts + 1);
    if (one_in(rand, 4)) {
        bool *may = plan_restrict(fleet, member);

        for (size_t i = 0; i < fleet->n_hosts; i++)
            may[i] = !one_in(rand, 3);
        member->may_cause = one_in(rand, 2) ? XC_CAUSE_NO_STORAGE : XC_CAUSE_NONE;
    }
    member->barred = one_in(rand, 16);
    member->barred_cause = XC_CAUSE_PROTECTED;
}

/* Hosts and members come in no order of their names. */
static struct plan_fleet *any_fleet(GRand *rand, unsigned has, size_t n_hosts, size_t n_members)
{
    static const enum xc_spread spreads[] = {XC_SPREAD_EQUAL, XC_SPREAD_BY_MEMORY, XC_SPREAD_PACK,
                                             XC_SPREAD_PINNED};
    struct plan_fleet *fleet = plan_fleet_new(spreads[g_rand_int_range(rand, 0, 4)]);
    char name[16];

    for (size_t i = 0; i < n_hosts; i++) {
        int64_t free = has & MEMORY ? g_rand_int_range(rand, 0, 400) : G_MAXINT32;

        g_snprintf(name, sizeof(name), "h%u", (unsigned)(i * 7919 % 1009));
        plan_host(fleet, name, has & UNKNOWN && one_in(rand, 6) ? NOT_KNOWN : free)->weight =
            has & WEIGHTS ? (unsigned)g_rand_int_range(rand, 1, 101) : 100;
    }
    for (size_t i = 0; i < n_members; i++) {
        bool runs = has & RUNNING && n_hosts > 0 && one_in(rand, 2);
        /* Some hosts have more than others. */
        int end = runs ? g_rand_int_range(rand, 1, (gint32)n_hosts + 1) : 0;
        struct xc_plan_member *member;

        g_snprintf(name, sizeof(name), "m%u", (unsigned)(i * 7919 % 1009));
        member = plan_member(fleet, name,
                             has & UNKNOWN && one_in(rand, 6) ? NOT_KNOWN
                                                              : g_rand_int_range(rand, 0, 60),
                             runs ? g_rand_int_range(rand, 0, end) : -1);
        member->priority = (unsigned)g_rand_int_range(rand, 1, 6);
        if (has & LIMITS)
            limit_member(fleet, member, rand);
    }
    return fleet;
}

static void for_fleets(unsigned has, int hosts, int members, property holds)
{
    guint32 seed = fuzz_seed();

    for (guint32 i = 0; i < FLEETS; i++) {
        GRand *rand = g_rand_new_with_seed(seed + i);
        size_t n_hosts = (size_t)g_rand_int_range(rand, 1, hosts + 1);
        size_t n_members = (size_t)g_rand_int_range(rand, 0, members + 1);
        struct plan_fleet *fleet = any_fleet(rand, has, n_hosts, n_members);

        holds(fleet, rand);
        g_free(fleet);
        g_rand_free(rand);
    }
}

/* --- what holds of both kinds of plan */

static bool may_go(const struct plan_fleet *fleet, const struct xc_plan_member *member, gssize host)
{
    if (member->pin < 0 ? fleet->spread == XC_SPREAD_PINNED : member->pin != host)
        return false;
    return !member->may || member->may[host];
}

static bool fits(int64_t free_kib, const struct xc_plan_member *member)
{
    if (free_kib == NOT_KNOWN)
        return true;
    return member->need_kib == NOT_KNOWN ? free_kib > 0 : member->need_kib <= free_kib;
}

static void take(int64_t *free_kib, const struct xc_plan_member *member)
{
    if (*free_kib != NOT_KNOWN)
        *free_kib -= MAX(member->need_kib, 0);
}

static void give_back(int64_t *free_kib, const struct xc_plan_member *member)
{
    if (*free_kib != NOT_KNOWN)
        *free_kib += MAX(member->need_kib, 0);
}

static void free_before(const struct plan_fleet *fleet, int64_t *free_kib)
{
    for (size_t i = 0; i < fleet->n_hosts; i++)
        free_kib[i] = fleet->hosts[i].free_kib;
}

/* The sum over all hosts of what each one more of them costs, which the equal policy makes as small as it can. Weights
 * are alike. */
static uint64_t cost(const uint32_t *counts, size_t n)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += (uint64_t)counts[i] * counts[i];
    return sum;
}

/* The same fleet with its hosts and members in another order has the same plan. */
static void assert_order_is_all_one(const struct plan_fleet *fleet, GRand *rand, bool start)
{
    g_autofree struct plan_fleet *other = g_memdup2(fleet, sizeof(*fleet));
    size_t host_at[PLAN_HOSTS_MAX] = {0}, member_at[PLAN_MEMBERS_MAX] = {0};

    for (size_t i = 0; i < fleet->n_hosts; i++) {
        size_t k = (size_t)g_rand_int_range(rand, 0, (gint32)i + 1);

        host_at[i] = i;
        host_at[i] = host_at[k];
        host_at[k] = i;
    }
    for (size_t i = 0; i < fleet->n_members; i++) {
        size_t k = (size_t)g_rand_int_range(rand, 0, (gint32)i + 1);

        member_at[i] = i;
        member_at[i] = member_at[k];
        member_at[k] = i;
    }
    for (size_t i = 0; i < fleet->n_hosts; i++)
        other->hosts[host_at[i]] = fleet->hosts[i];
    for (size_t i = 0; i < fleet->n_members; i++) {
        const struct xc_plan_member *from = &fleet->members[i];
        struct xc_plan_member *to = &other->members[member_at[i]];

        *to = *from;
        to->on = from->on >= 0 ? (gssize)host_at[from->on] : -1;
        if (from->pin >= 0 && from->pin < (gssize)fleet->n_hosts)
            to->pin = (gssize)host_at[from->pin];
        if (from->may)
            for (size_t k = 0; k < fleet->n_hosts; k++)
                plan_restrict(other, to)[host_at[k]] = from->may[k];
    }
    if (start)
        plan_start(other);
    else
        plan_rebalance(other);
    for (size_t i = 0; i < fleet->n_members; i++) {
        const struct xc_placement *one = &fleet->placements[i];
        const struct xc_placement *two = &other->placements[member_at[i]];

        g_assert_cmpint(one->cause, ==, two->cause);
        g_assert_cmpint(two->host, ==, one->host >= 0 ? (gssize)host_at[one->host] : -1);
    }
    g_assert_cmpuint(fleet->n_moves, ==, other->n_moves);
    for (size_t i = 0; i < fleet->n_moves; i++)
        g_assert_cmpuint(member_at[fleet->order[i]], ==, other->order[i]);
}

/* --- start */

/* The cause of one that goes nowhere is true. */
static void assert_nowhere(const struct plan_fleet *fleet, const struct xc_plan_member *member,
                           enum xc_cause cause, const int64_t *left)
{
    bool any = false;

    if (member->barred) {
        g_assert_cmpint(cause, ==, member->barred_cause);
        return;
    }
    for (size_t i = 0; i < fleet->n_hosts; i++) {
        if (!may_go(fleet, member, (gssize)i))
            continue;
        any = true;
        g_assert_false(fits(left[i], member));
    }
    if (any)
        g_assert_cmpint(cause, ==, XC_CAUSE_NO_MEMORY);
    else if (member->pin < 0 ? fleet->spread == XC_SPREAD_PINNED
                             : member->pin >= (gssize)fleet->n_hosts)
        g_assert_cmpint(cause, ==, XC_CAUSE_NO_SUCH_HOST);
    else
        g_assert_cmpint(cause, ==,
                        member->may_cause > XC_CAUSE_NONE ? member->may_cause
                                                          : XC_CAUSE_NOT_SUPPORTED);
}

static void start_is_sound(struct plan_fleet *fleet, GRand *rand)
{
    int64_t left[PLAN_HOSTS_MAX] = {0};

    plan_start(fleet);
    free_before(fleet, left);
    for (size_t i = 0; i < fleet->n_members; i++) {
        const struct xc_plan_member *member = &fleet->members[i];
        gssize host = fleet->placements[i].host;

        if (member->on >= 0) {
            g_assert_cmpint(host, ==, member->on);
        } else if (host >= 0) {
            g_assert_false(member->barred);
            g_assert_true(may_go(fleet, member, host));
            take(&left[host], member);
        }
        if (host >= 0)
            g_assert_cmpint(fleet->placements[i].cause, ==, XC_CAUSE_NONE);
    }
    for (size_t i = 0; i < fleet->n_hosts; i++)
        g_assert_true(fleet->hosts[i].free_kib == NOT_KNOWN || left[i] >= 0);
    for (size_t i = 0; i < fleet->n_members; i++)
        if (fleet->placements[i].host < 0)
            assert_nowhere(fleet, &fleet->members[i], fleet->placements[i].cause, left);
    assert_order_is_all_one(fleet, rand, true);
}

static void test_start_is_sound(void)
{
    for_fleets(MEMORY | LIMITS | RUNNING | WEIGHTS | UNKNOWN, 8, 40, start_is_sound);
}

/* Where all fit everywhere: whoever got one had not more than anybody else before. */
static void start_is_equal(struct plan_fleet *fleet, GRand *rand G_GNUC_UNUSED)
{
    uint32_t counts[PLAN_HOSTS_MAX] = {0}, before = 0;
    bool ran = false;

    fleet->spread = XC_SPREAD_EQUAL;
    plan_start(fleet);
    plan_counts(fleet, counts);
    for (size_t i = 0; i < fleet->n_members; i++) {
        g_assert_cmpint(fleet->placements[i].host, >=, 0);
        ran = ran || fleet->members[i].on >= 0;
        if (fleet->members[i].on < 0)
            for (size_t k = 0; k < fleet->n_hosts; k++)
                g_assert_cmpuint(counts[fleet->placements[i].host], <=, counts[k] + 1);
    }
    for (size_t i = 0; i < fleet->n_hosts; i++)
        before += counts[i];
    g_assert_cmpuint(before, ==, fleet->n_members);
    if (!ran)
        g_assert_cmpuint(plan_difference(counts, fleet->n_hosts), <=, 1);
}

static void test_start_is_equal(void)
{
    for_fleets(0, 32, 200, start_is_equal);
    for_fleets(RUNNING, 32, 200, start_is_equal);
}

/* By weight: whoever got one had, without it, not more to carry than anybody else has. */
static void start_is_equal_by_weight(struct plan_fleet *fleet, GRand *rand G_GNUC_UNUSED)
{
    uint32_t counts[PLAN_HOSTS_MAX] = {0};

    fleet->spread = XC_SPREAD_EQUAL;
    plan_start(fleet);
    plan_counts(fleet, counts);
    for (size_t i = 0; i < fleet->n_members; i++) {
        gssize host = fleet->placements[i].host;

        if (fleet->members[i].on < 0)
            for (size_t k = 0; k < fleet->n_hosts; k++)
                g_assert_cmpuint((counts[host] - 1) * fleet->hosts[k].weight, <=,
                                 counts[k] * fleet->hosts[host].weight);
    }
}

static void test_start_is_equal_by_weight(void)
{
    for_fleets(WEIGHTS | RUNNING, 16, 100, start_is_equal_by_weight);
}

/* The least cost of all ways to place those that do not run. */
static uint64_t least_cost(const struct plan_fleet *fleet, uint32_t *counts, size_t from)
{
    const struct xc_plan_member *member = &fleet->members[from];
    uint64_t least = UINT64_MAX;

    if (from == fleet->n_members)
        return cost(counts, fleet->n_hosts);
    if (fleet->placements[from].host < 0 || member->on >= 0)
        return least_cost(fleet, counts, from + 1);
    for (size_t i = 0; i < fleet->n_hosts; i++) {
        if (!may_go(fleet, member, (gssize)i))
            continue;
        counts[i]++;
        least = MIN(least, least_cost(fleet, counts, from + 1));
        counts[i]--;
    }
    return least;
}

/* Where memory is no matter, no other plan is more equal, whatever may go where. */
static void start_is_best(struct plan_fleet *fleet, GRand *rand G_GNUC_UNUSED)
{
    uint32_t counts[PLAN_HOSTS_MAX] = {0}, before[PLAN_HOSTS_MAX] = {0};

    fleet->spread = XC_SPREAD_EQUAL;
    plan_start(fleet);
    plan_counts(fleet, counts);
    for (size_t i = 0; i < fleet->n_hosts; i++)
        before[i] = fleet->hosts[i].running;
    g_assert_cmpuint(cost(counts, fleet->n_hosts), ==, least_cost(fleet, before, 0));
}

static void test_start_is_best(void)
{
    for_fleets(LIMITS | RUNNING, 4, 8, start_is_best);
}

/* All need the same: those that found room are the first in turn. */
static void start_keeps_turns(struct plan_fleet *fleet, GRand *rand)
{
    int64_t need = g_rand_int_range(rand, 1, 60);

    if (fleet->spread == XC_SPREAD_PINNED)
        fleet->spread = XC_SPREAD_EQUAL;
    for (size_t i = 0; i < fleet->n_members; i++)
        fleet->members[i].need_kib = need;
    plan_start(fleet);
    for (size_t i = 0; i < fleet->n_members; i++)
        for (size_t k = 0; k < fleet->n_members; k++) {
            const struct xc_plan_member *in = &fleet->members[i], *out = &fleet->members[k];

            if (fleet->placements[i].host < 0 || fleet->placements[k].host >= 0 || in->on >= 0)
                continue;
            g_assert_true(in->priority < out->priority ||
                          (in->priority == out->priority && strcmp(in->name, out->name) < 0));
        }
}

static void test_start_keeps_turns(void)
{
    for_fleets(MEMORY | RUNNING | WEIGHTS, 8, 60, start_keeps_turns);
}

/* Alike in size: no more hosts than they need. */
static void pack_is_tight(struct plan_fleet *fleet, GRand *rand)
{
    unsigned each = (unsigned)g_rand_int_range(rand, 1, 8);
    uint32_t counts[PLAN_HOSTS_MAX] = {0};
    size_t used = 0, placed = 0;

    fleet->spread = XC_SPREAD_PACK;
    for (size_t i = 0; i < fleet->n_hosts; i++)
        fleet->hosts[i].free_kib = 10 * each;
    for (size_t i = 0; i < fleet->n_members; i++)
        fleet->members[i].need_kib = 10;
    plan_start(fleet);
    plan_counts(fleet, counts);
    for (size_t i = 0; i < fleet->n_hosts; i++) {
        used += counts[i] > 0;
        placed += counts[i];
    }
    g_assert_cmpuint(used, ==, (placed + each - 1) / each);
    g_assert_cmpuint(placed, ==, MIN(fleet->n_members, fleet->n_hosts * each));
}

static void test_pack_is_tight(void)
{
    for_fleets(0, 16, 80, pack_is_tight);
}

/* --- rebalance */

/* Carries it out step by step: each has room, and no step of the equal policy makes the numbers worse. */
static void carry_out(const struct plan_fleet *fleet)
{
    int64_t left[PLAN_HOSTS_MAX] = {0};
    uint32_t counts[PLAN_HOSTS_MAX] = {0};
    bool moved[PLAN_MEMBERS_MAX] = {false};

    free_before(fleet, left);
    for (size_t i = 0; i < fleet->n_hosts; i++)
        counts[i] = fleet->hosts[i].running;
    for (size_t i = 0; i < fleet->n_moves; i++) {
        size_t which = fleet->order[i];
        const struct xc_plan_member *member = &fleet->members[which];
        gssize to = fleet->placements[which].host;

        g_assert_false(moved[which] || member->barred);
        moved[which] = true;
        g_assert_cmpint(member->on, >=, 0);
        g_assert_cmpint(to, !=, member->on);
        g_assert_true(may_go(fleet, member, to));
        g_assert_true(fits(left[to], member));
        take(&left[to], member);
        give_back(&left[member->on], member);
        if (fleet->spread == XC_SPREAD_EQUAL)
            g_assert_cmpuint((uint64_t)counts[to] * fleet->hosts[member->on].weight, <=,
                             (uint64_t)counts[member->on] * fleet->hosts[to].weight);
        counts[member->on]--;
        counts[to]++;
    }
    for (size_t i = 0; i < fleet->n_members; i++)
        if (!moved[i])
            g_assert_cmpint(fleet->placements[i].host, ==, fleet->members[i].on);
}

static size_t hosts_used(const uint32_t *counts, size_t n)
{
    size_t used = 0;

    for (size_t i = 0; i < n; i++)
        used += counts[i] > 0;
    return used;
}

static void rebalance_is_sound(struct plan_fleet *fleet, GRand *rand)
{
    uint32_t before[PLAN_HOSTS_MAX] = {0}, after[PLAN_HOSTS_MAX] = {0};

    plan_rebalance(fleet);
    carry_out(fleet);
    plan_counts(fleet, after);
    for (size_t i = 0; i < fleet->n_hosts; i++)
        before[i] = fleet->hosts[i].running;
    if (fleet->spread == XC_SPREAD_PACK)
        g_assert_cmpuint(hosts_used(after, fleet->n_hosts), <=,
                         hosts_used(before, fleet->n_hosts) - (fleet->n_moves > 0));
    if (fleet->spread == XC_SPREAD_PINNED)
        for (size_t i = 0; i < fleet->n_moves; i++)
            g_assert_cmpint(fleet->placements[fleet->order[i]].host, ==,
                            fleet->members[fleet->order[i]].pin);
    assert_order_is_all_one(fleet, rand, false);
}

static void test_rebalance_is_sound(void)
{
    for_fleets(MEMORY | LIMITS | RUNNING | WEIGHTS | UNKNOWN, 8, 40, rebalance_is_sound);
}

/* The numbers of members, the largest first. */
static int by_count(const void *a, const void *b)
{
    uint32_t of_a = *(const uint32_t *)a, of_b = *(const uint32_t *)b;

    return (of_a < of_b) - (of_a > of_b);
}

/* What those that have too many have too many. */
static size_t least_moves(const struct plan_fleet *fleet)
{
    uint32_t counts[PLAN_HOSTS_MAX] = {0}, all = 0;
    size_t moves = 0;

    for (size_t i = 0; i < fleet->n_hosts; i++)
        all += counts[i] = fleet->hosts[i].running;
    qsort(counts, fleet->n_hosts, sizeof(*counts), by_count);
    for (size_t i = 0; i < fleet->n_hosts; i++) {
        uint32_t target = all / fleet->n_hosts + (i < all % fleet->n_hosts);

        moves += counts[i] > target ? counts[i] - target : 0;
    }
    return moves;
}

static void rebalance_is_least(struct plan_fleet *fleet, GRand *rand G_GNUC_UNUSED)
{
    uint32_t counts[PLAN_HOSTS_MAX] = {0};

    fleet->spread = XC_SPREAD_EQUAL;
    plan_rebalance(fleet);
    carry_out(fleet);
    plan_counts(fleet, counts);
    g_assert_cmpuint(plan_difference(counts, fleet->n_hosts), <=, 1);
    g_assert_cmpuint(fleet->n_moves, ==, least_moves(fleet));
    /* And then nothing. */
    for (size_t i = 0; i < fleet->n_members; i++)
        fleet->members[i].on = fleet->placements[i].host;
    for (size_t i = 0; i < fleet->n_hosts; i++)
        fleet->hosts[i].running = counts[i];
    plan_rebalance(fleet);
    g_assert_cmpuint(fleet->n_moves, ==, 0);
}

static void test_rebalance_is_least(void)
{
    for_fleets(RUNNING, 32, 200, rebalance_is_least);
}

/* How far what is free differs, squared, from host to host. */
static double unevenness(const int64_t *free_kib, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++)
            sum += (double)(free_kib[i] - free_kib[k]) * (double)(free_kib[i] - free_kib[k]);
    return sum;
}

static void memory_is_evened(struct plan_fleet *fleet, GRand *rand G_GNUC_UNUSED)
{
    int64_t left[PLAN_HOSTS_MAX] = {0};
    double before;

    fleet->spread = XC_SPREAD_BY_MEMORY;
    plan_rebalance(fleet);
    free_before(fleet, left);
    before = unevenness(left, fleet->n_hosts);
    for (size_t i = 0; i < fleet->n_moves; i++) {
        const struct xc_plan_member *member = &fleet->members[fleet->order[i]];
        double after;

        take(&left[fleet->placements[fleet->order[i]].host], member);
        give_back(&left[member->on], member);
        after = unevenness(left, fleet->n_hosts);
        g_assert_cmpfloat(after, <, before);
        before = after;
    }
}

static void test_memory_is_evened(void)
{
    for_fleets(MEMORY | LIMITS | RUNNING, 8, 40, memory_is_evened);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/plan-random/start-is-sound", test_start_is_sound);
    g_test_add_func("/plan-random/start-is-equal", test_start_is_equal);
    g_test_add_func("/plan-random/start-is-equal-by-weight", test_start_is_equal_by_weight);
    g_test_add_func("/plan-random/start-is-best", test_start_is_best);
    g_test_add_func("/plan-random/start-keeps-turns", test_start_keeps_turns);
    g_test_add_func("/plan-random/pack-is-tight", test_pack_is_tight);
    g_test_add_func("/plan-random/rebalance-is-sound", test_rebalance_is_sound);
    g_test_add_func("/plan-random/rebalance-is-least", test_rebalance_is_least);
    g_test_add_func("/plan-random/memory-is-evened", test_memory_is_evened);
    return g_test_run();
}
