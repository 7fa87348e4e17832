/* plan: how long the planner takes for a group, beside a sort of all pairs of a member and a host, which is about the
 * least work of anything that looks at each pair.
 *
 *   plan MEMBERS HOSTS        prints a line for each kind of fleet: its name, the seconds of processor that the plan
 *                             took, and those that the sort did */
#include "xenclient/model/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SEED        4177
#define MEMBERS_MAX 1000
#define HOSTS_MAX   256
#define NEED_KIB    1000

struct fleet {
    size_t n_hosts, n_members;
    struct xc_plan_host hosts[HOSTS_MAX];
    struct xc_plan_member members[MEMBERS_MAX];
    char keys[HOSTS_MAX][16], names[MEMBERS_MAX][16];
    bool may[MEMBERS_MAX][HOSTS_MAX];
    struct xc_placement placements[MEMBERS_MAX];
    size_t order[MEMBERS_MAX];
};

struct pair {
    const char *name, *key;
};

static double processor_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Halted members and hosts that have room for all. */
static void make_fleet(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->n_hosts; i++) {
        g_snprintf(fleet->keys[i], sizeof(fleet->keys[i]), "host%03u", (unsigned)i);
        fleet->hosts[i] = (struct xc_plan_host){
            .key = fleet->keys[i], .free_kib = MEMBERS_MAX * NEED_KIB, .weight = 100};
    }
    for (size_t i = 0; i < fleet->n_members; i++) {
        g_snprintf(fleet->names[i], sizeof(fleet->names[i]), "member%03u", (unsigned)i);
        fleet->members[i] = (struct xc_plan_member){
            .name = fleet->names[i], .priority = 50, .need_kib = NEED_KIB, .on = -1, .pin = -1};
    }
}

/* --- kinds of fleets: what is special, and what is planned */

static void start(struct fleet *fleet, enum xc_spread spread)
{
    xc_plan_start(spread, fleet->hosts, fleet->n_hosts, fleet->members, fleet->n_members,
                  fleet->placements);
}

static void plan_plain(struct fleet *fleet, GRand *rand G_GNUC_UNUSED)
{
    start(fleet, XC_SPREAD_EQUAL);
}

static void plan_pack(struct fleet *fleet, GRand *rand G_GNUC_UNUSED)
{
    for (size_t i = 0; i < fleet->n_hosts; i++)
        fleet->hosts[i].free_kib = 2 * NEED_KIB * (int64_t)(fleet->n_members / fleet->n_hosts + 1);
    start(fleet, XC_SPREAD_PACK);
}

/* A third finds no room, and each of it looks for some that could give way. */
static void plan_scarce(struct fleet *fleet, GRand *rand)
{
    int64_t all = 0;

    for (size_t i = 0; i < fleet->n_members; i++)
        all += fleet->members[i].need_kib = g_rand_int_range(rand, 1, 2 * NEED_KIB);
    for (size_t i = 0; i < fleet->n_hosts; i++)
        fleet->hosts[i].free_kib = all * 2 / 3 / (int64_t)fleet->n_hosts;
    start(fleet, XC_SPREAD_EQUAL);
}

/* Each may run on its own few hosts, the first ones more than others. */
static void plan_limited(struct fleet *fleet, GRand *rand)
{
    for (size_t i = 0; i < fleet->n_members; i++) {
        for (int k = 0; k < 3; k++)
            fleet->may[i][g_rand_int_range(
                rand, 0, g_rand_int_range(rand, 1, (gint32)fleet->n_hosts + 1))] = true;
        fleet->members[i].may = fleet->may[i];
    }
    start(fleet, XC_SPREAD_EQUAL);
}

static void plan_moves(struct fleet *fleet, GRand *rand G_GNUC_UNUSED)
{
    for (size_t i = 0; i < fleet->n_members; i++)
        fleet->members[i].on = 0;
    fleet->hosts[0].running = (uint32_t)fleet->n_members;
    xc_plan_rebalance(XC_SPREAD_EQUAL, fleet->hosts, fleet->n_hosts, fleet->members,
                      fleet->n_members, fleet->placements, fleet->order);
}

static const struct {
    const char *name;
    void (*plan)(struct fleet *fleet, GRand *rand);
} kinds[] = {
    {"plain", plan_plain},     {"pack", plan_pack},   {"scarce", plan_scarce},
    {"limited", plan_limited}, {"moves", plan_moves},
};

/* --- the baseline */

static int by_name(const void *a, const void *b)
{
    const struct pair *of_a = a, *of_b = b;
    int order = strcmp(of_a->name, of_b->name);

    return order != 0 ? order : strcmp(of_a->key, of_b->key);
}

static void sort_pairs(const struct fleet *fleet, GRand *rand)
{
    size_t n = fleet->n_members * fleet->n_hosts;
    g_autofree struct pair *pairs = g_new(struct pair, n);

    for (size_t i = 0; i < n; i++)
        pairs[i] = (struct pair){
            fleet->names[g_rand_int_range(rand, 0, (gint32)fleet->n_members)],
            fleet->keys[g_rand_int_range(rand, 0, (gint32)fleet->n_hosts)],
        };
    qsort(pairs, n, sizeof(*pairs), by_name);
}

int main(int argc, char **argv)
{
    uint64_t members = argc == 3 ? g_ascii_strtoull(argv[1], NULL, 10) : 0;
    uint64_t hosts = argc == 3 ? g_ascii_strtoull(argv[2], NULL, 10) : 0;

    if (members < 1 || members > MEMBERS_MAX || hosts < 1 || hosts > HOSTS_MAX) {
        fprintf(stderr, "plan MEMBERS HOSTS\n");
        return 2;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autofree struct fleet *fleet = g_new0(struct fleet, 1);
        GRand *rand = g_rand_new_with_seed(SEED);
        double began, planned;

        fleet->n_members = members;
        fleet->n_hosts = hosts;
        make_fleet(fleet);
        began = processor_seconds();
        kinds[i].plan(fleet, rand);
        planned = processor_seconds();
        sort_pairs(fleet, rand);
        printf("%s %.6f %.6f\n", kinds[i].name, planned - began, processor_seconds() - planned);
        g_rand_free(rand);
    }
    return 0;
}
