/* Executions of the simulated world: counted, known by their uuid, remembered, troubled by rules and
 * by changes by hand. */
#include "tests/unit/world.h"

#include <glib/gstdio.h>
#include <unistd.h>

/* --- counts and identity */

static void test_counts(struct world *world, gconstpointer data)
{
    struct farm_domain *d = domain(world, 0);
    struct xc_order order;
    const struct farm_op *first;
    const struct farm_op *again;

    (void)data;
    order_init(world, &order, XC_ACTION_PAUSE, d);
    first = farm_op_begin(world->fleet, d->host, &order);
    g_assert_true(farm_op_find(world->fleet, &order.op) == first);
    pass(world, 1);
    ASSERT_OK(first);
    g_assert_cmpuint(world->fleet->counts.executions, ==, 1);
    g_assert_cmpuint(world->fleet->counts.duplicates, ==, 0);
    /* The same uuid again is really done again, and seen. */
    again = farm_op_begin(world->fleet, d->host, &order);
    ASSERT_FAILED(again, XC_CAUSE_BAD_STATE);
    g_assert_cmpuint(world->fleet->counts.executions, ==, 2);
    g_assert_cmpuint(world->fleet->counts.duplicates, ==, 1);
    g_assert_cmpuint(world->fleet->counts.by_action[XC_ACTION_PAUSE], ==, 2);
    g_assert_cmpuint(world->fleet->counts.by_result[XC_RESULT_OK], ==, 1);
    g_assert_cmpuint(d->executions, ==, 1);
    xc_order_clear(&order);
}

/* A second begin while the first one runs: both are executions, the table knows the second. */
static void test_duplicate_while_running(struct world *world, gconstpointer data)
{
    struct farm_domain *d = domain(world, 0);
    struct xc_order order;

    (void)data;
    order_init(world, &order, XC_ACTION_SHUTDOWN, d);
    farm_op_begin(world->fleet, d->host, &order);
    ASSERT_FAILED(farm_op_begin(world->fleet, d->host, &order), XC_CAUSE_BUSY);
    pass(world, 10);
    g_assert_cmpint(d->state, ==, XC_STATE_SHUTDOWN);
    g_assert_cmpuint(world->fleet->counts.duplicates, ==, 1);
    g_assert_cmpuint(world->fleet->active->len, ==, 0);
    xc_order_clear(&order);
}

static void test_busy(struct world *world, gconstpointer data)
{
    struct farm_domain *d = domain(world, 0);
    const struct farm_op *soft = begin(world, XC_ACTION_SHUTDOWN, d);
    const struct farm_op *force;

    (void)data;
    ASSERT_FAILED(begin(world, XC_ACTION_PAUSE, d), XC_CAUSE_BUSY);
    force = begin(world, XC_ACTION_DESTROY, d);
    ASSERT_END(soft, XC_RESULT_CANCELLED, XC_CAUSE_CANCELLED);
    pass(world, 1);
    ASSERT_OK(force);
}

/* --- trouble */

static void test_rules(struct world *world, gconstpointer data)
{
    struct farm_domain *d = domain(world, 0);
    const struct farm_op *op;

    (void)data;
    farm_rule_add(world->fleet, FARM_FAIL, XC_ACTION_PAUSE, XC_CAUSE_NO_STORAGE, "no disk", 1);
    op = begin(world, XC_ACTION_PAUSE, d);
    pass(world, 1);
    ASSERT_FAILED(op, XC_CAUSE_NO_STORAGE);
    g_assert_cmpstr(op->outcome.text, ==, "no disk");
    g_assert_cmpint(d->state, ==, XC_STATE_RUNNING);

    farm_rule_add(world->fleet, FARM_HANG, 0, XC_CAUSE_NONE, NULL, -1);
    op = begin(world, XC_ACTION_PAUSE, d);
    pass(world, 1000);
    g_assert_false(op->finished);
    farm_rule_clear(world->fleet);
    pass(world, 1);
    ASSERT_OK(op);

    farm_rule_add(world->fleet, FARM_PRETEND, XC_ACTION_UNPAUSE, XC_CAUSE_NONE, NULL, 1);
    op = begin(world, XC_ACTION_UNPAUSE, d);
    pass(world, 1);
    ASSERT_OK(op);
    g_assert_cmpint(op->state, ==, XC_STATE_PAUSED);
    op = begin(world, XC_ACTION_UNPAUSE, d);
    pass(world, 1);
    g_assert_cmpint(op->state, ==, XC_STATE_RUNNING);
}

static void test_guest_ignores(struct world *world, gconstpointer data)
{
    struct farm_domain *d = domain(world, 0);
    struct xc_order order;
    const struct farm_op *op;

    (void)data;
    farm_ignore_shutdown(world->fleet, d, true);
    order_init(world, &order, XC_ACTION_SHUTDOWN, d);
    order.timeout_usec = 30 * SEC;
    op = farm_op_begin(world->fleet, d->host, &order);
    pass(world, 29);
    g_assert_false(op->finished);
    pass(world, 2);
    ASSERT_END(op, XC_RESULT_TIMED_OUT, XC_CAUSE_GUEST_IGNORED);
    g_assert_cmpint(d->state, ==, XC_STATE_RUNNING);
    op = begin(world, XC_ACTION_SHUTDOWN, d);
    pass(world, 30);
    farm_ignore_shutdown(world->fleet, d, false);
    pass(world, 1);
    ASSERT_OK(op);
    xc_order_clear(&order);
}

static void test_hand(struct world *world, gconstpointer data)
{
    struct farm_domain *d = domain(world, 0);
    const struct farm_op *shutdown = begin(world, XC_ACTION_SHUTDOWN, d);
    const struct farm_op *other;

    (void)data;
    g_assert_true(farm_hand_stop(world->fleet, d, XC_REASON_POWEROFF, NULL));
    pass(world, 1);
    ASSERT_OK(shutdown);
    g_assert_true(farm_hand_start(world->fleet, d, NULL));
    other = begin_to(world, XC_ACTION_MIGRATE, d, "host2");
    pass(world, 1);
    g_assert_true(farm_hand_stop(world->fleet, d, XC_REASON_CRASH, NULL));
    ASSERT_FAILED(other, XC_CAUSE_BAD_STATE);
    g_assert_cmpint(d->state, ==, XC_STATE_CRASHED);
    g_assert_cmpuint(host(world, "host2")->incoming->len, ==, 0);
    g_assert_true(farm_hand_rename(world->fleet, d, "renamed", NULL));
    g_assert_false(farm_hand_rename(world->fleet, d, "", NULL));
    g_assert_true(farm_domain_on_host(d->host, "renamed") == d);
}

static void test_reboot_host(struct world *world, gconstpointer data)
{
    struct farm_domain *d = domain(world, 0);
    struct farm_host *h = d->host;
    struct xc_uuid boot = h->boot_id;
    struct xc_uuid running = begin(world, XC_ACTION_SHUTDOWN, d)->uuid;
    const struct farm_op *incoming = begin_to(world, XC_ACTION_MIGRATE, domain(world, 1), "host1");

    (void)data;
    pass(world, 1);
    farm_host_reboot(world->fleet, h);
    g_assert_cmpint(memcmp(&boot, &h->boot_id, sizeof(boot)), !=, 0);
    g_assert_null(farm_op_find(world->fleet, &running));
    g_assert_true(g_hash_table_contains(world->fleet->seen, &running));
    ASSERT_FAILED(incoming, XC_CAUSE_HOST_DOWN);
    g_assert_cmpuint(h->used_kib, ==, 0);
    for (guint i = 0; i < h->domains->len; i++)
        g_assert_false(farm_domain_living(g_ptr_array_index(h->domains, i)));
    g_assert_cmpint(domain(world, 1)->state, ==, XC_STATE_RUNNING);
}

/* --- the journal */

static void test_journal(struct world *world, gconstpointer data)
{
    g_autofree char *folder = g_dir_make_tmp("xen-farm-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "journal", NULL);
    struct farm_journal *journal = farm_journal_open(path, world->fleet, NULL);
    struct world next;
    const struct farm_op *done = begin(world, XC_ACTION_PAUSE, domain(world, 0));
    const struct farm_op *open = begin(world, XC_ACTION_SHUTDOWN, domain(world, 1));
    const struct farm_op *known;
    FILE *file;

    (void)data;
    farm_journal_begun(journal, done);
    farm_journal_begun(journal, open);
    pass(world, 1);
    farm_journal_ended(journal, done);
    farm_journal_close(journal);
    /* A line that death cut short. */
    file = g_fopen(path, "a");
    fputs("end 00000000-0000", file);
    fclose(file);

    world_open(&next, NULL);
    journal = farm_journal_open(path, next.fleet, NULL);
    g_assert_true(next.fleet->remembers);
    g_assert_cmpuint(next.fleet->counts.executions, ==, 2);
    known = farm_op_find(next.fleet, &done->uuid);
    ASSERT_OK(known);
    g_assert_cmpint(known->state, ==, XC_STATE_PAUSED);
    g_assert_cmpstr(known->where, ==, "host1");
    ASSERT_END(farm_op_find(next.fleet, &open->uuid), XC_RESULT_LOST, XC_CAUSE_LOST);
    begin(&next, XC_ACTION_PAUSE, domain(&next, 0)); /* its uuid is that of `done` */
    g_assert_cmpuint(next.fleet->counts.duplicates, ==, 1);
    farm_journal_close(journal);
    world_close(&next, NULL);
    g_unlink(path);
    g_rmdir(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, function)                                                                        \
    g_test_add("/farm-ops/" path, struct world, NULL, world_open, function, world_close)
    ADD("counts", test_counts);
    ADD("duplicate-while-running", test_duplicate_while_running);
    ADD("busy", test_busy);
    ADD("rules", test_rules);
    ADD("guest-ignores", test_guest_ignores);
    ADD("hand", test_hand);
    ADD("reboot-host", test_reboot_host);
    ADD("journal", test_journal);
    return g_test_run();
}
