/* group_status: what the status of many groups takes after a new snapshot, and after one that changed names, beside a bare
 * look at each member's row.
 *
 *   group_status GROUPS MEMBERS HOSTS ROUNDS
 *       Prints three numbers, milliseconds of processor time, medians of the rounds: status, status and names, rows. */
#include "tests/unit/engine_kit.h"

#include "xenclient/engine/groups.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS_MAX 1000

struct shape {
    unsigned groups, members, hosts, rounds;
};

static double now_msec(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void key_of(unsigned host, char key[16])
{
    g_snprintf(key, 16, "host%u", host);
}

static void set_up(struct kit_fixture *f, const struct shape *shape)
{
    unsigned hosts = MAX(shape->hosts, 1);
    char key[16];

    f->dir = g_dir_make_tmp("xensnmp-bench-XXXXXX", NULL);
    f->config = xc_config_new();
    g_free(f->config->state_dir);
    f->config->state_dir = g_strdup(f->dir);
    for (unsigned i = 0; i < shape->hosts; i++) {
        key_of(i, key);
        kit_add_source(f->config, key);
    }
    for (unsigned g = 0; g < shape->groups; g++) {
        g_autofree char *name = g_strdup_printf("group%u", g);
        struct xc_group_spec *spec = xc_group_spec_new(name);

        for (unsigned m = 0; m < shape->members; m++) {
            unsigned number = g * shape->members + m;
            g_autofree char *member =
                m % 4 ? g_strdup_printf("guest-%u", number)
                      : g_strdup_printf("host%u/guest-%u", number % hosts, number);

            xc_group_member_get(spec, member);
        }
        g_ptr_array_add(f->config->groups, spec);
    }
    xc_log_set_level(XC_LOG_ERROR);
    kit_open(f);
}

/* Every host has its part of all guests, each with traffic. */
static void answer(struct kit_fixture *f, const struct shape *shape, unsigned host)
{
    struct xc_report *report = kit_report("boot");
    char key[16];

    for (unsigned i = host; i < shape->groups * shape->members; i += shape->hosts) {
        struct xc_uuid uuid = {.b = {0xab}};
        char name[32];
        struct xc_domain *d;

        memcpy(&uuid.b[4], &i, sizeof(i));
        g_snprintf(name, sizeof(name), "guest-%u", i);
        d = kit_domain(report, name, 0, i / shape->hosts + 1);
        XC_SET(DOMAIN, d, uuid, uuid);
        XC_SET(DOMAIN, d, uuid_fixed, 1);
        XC_SET(DOMAIN, d, net_rx_bytes, i);
        XC_SET(DOMAIN, d, net_tx_bytes, i);
        XC_SET(DOMAIN, d, disk_rd_bytes, i);
        XC_SET(DOMAIN, d, disk_wr_bytes, i);
    }
    key_of(host, key);
    kit_answer(f, key, report);
}

static void check(struct kit_fixture *f, const struct shape *shape)
{
    size_t n;
    struct xc_group *const *groups = xc_groups(f->engine, &n);

    for (size_t i = 0; i < n; i++)
        if (groups[i]->status != XC_GROUP_OK || groups[i]->sums.running != shape->members)
            g_error("%s does not run", groups[i]->name);
}

static uint64_t look(struct kit_fixture *f)
{
    size_t n;
    struct xc_group *const *groups = xc_groups_listed(f->engine, &n);
    uint64_t sum = 0;

    for (size_t i = 0; i < n; i++)
        for (guint m = 0; m < groups[i]->members->len; m++) {
            const struct xc_member *member =
                &g_array_index(groups[i]->members, struct xc_member, m);
            const struct xc_domain_ref *ref = xc_fleet_domain(f->engine, member->domain);

            sum += xc_ref_state(ref) + xc_ref_domain(ref)->mem_kib;
        }
    return sum;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double middle(double *took, unsigned n)
{
    qsort(took, n, sizeof(*took), by_size);
    return took[n / 2];
}

static void measure(struct kit_fixture *f, const struct shape *shape)
{
    g_autofree double *status = g_new(double, shape->rounds);
    g_autofree double *names = g_new(double, shape->rounds);
    g_autofree double *rows = g_new(double, shape->rounds);
    uint64_t sum = 0;
    size_t n;

    for (unsigned i = 0; i < shape->rounds; i++) {
        double began = now_msec();

        xc_groups_stir(f->engine);
        xc_groups(f->engine, &n);
        status[i] = now_msec() - began;
        began = now_msec();
        sum += look(f);
        rows[i] = now_msec() - began;
        f->engine->generation++;
        xc_groups_stir(f->engine);
        began = now_msec();
        xc_groups(f->engine, &n);
        names[i] = now_msec() - began;
    }
    if (!sum)
        g_error("nothing was looked at");
    printf("%.3f %.3f %.3f\n", middle(status, shape->rounds), middle(names, shape->rounds),
           middle(rows, shape->rounds));
}

int main(int argc, char **argv)
{
    struct shape shape = {0};
    struct kit_fixture f = {0};
    unsigned *const numbers[] = {&shape.groups, &shape.members, &shape.hosts, &shape.rounds};
    const uint64_t most[] = {XC_GROUPS_MAX, XC_GROUP_MEMBERS_MAX, 1000, ROUNDS_MAX};

    for (unsigned i = 0; i < G_N_ELEMENTS(numbers); i++) {
        uint64_t number = 0;

        if (argc != 5 || !xc_text_to_u64(argv[i + 1], 1, most[i], &number, NULL)) {
            fprintf(stderr, "group_status GROUPS MEMBERS HOSTS ROUNDS\n");
            return 2;
        }
        *numbers[i] = (unsigned)number;
    }
    set_up(&f, &shape);
    for (unsigned host = 0; host < shape.hosts; host++)
        answer(&f, &shape, host);
    check(&f, &shape);
    measure(&f, &shape);
    kit_tear_down(&f, NULL);
    return 0;
}
