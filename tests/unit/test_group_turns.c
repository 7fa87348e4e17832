/* Operations of groups under way: each member in its turn, once, whoever fails, is cancelled or killed. */
#include "tests/unit/group_kit.h"

#define TEST(name, function)                                                                       \
    g_test_add("/group-turns/" name, struct kit_fixture, NULL, kit_set_up, function, kit_tear_down)

/* --- turns */

static struct xc_group_spec *with_priorities(unsigned delay_sec)
{
    struct xc_group_spec *spec = kit_spec();

    xc_group_member_get(spec, "m03")->priority = 1;
    xc_group_member_get(spec, "m02")->priority = 1;
    xc_group_member_get(spec, "m02")->delay_sec = delay_sec;
    return spec;
}

static void test_one_class_after_another(struct kit_fixture *f, gconstpointer data)
{
    guint done;

    (void)data;
    kit_group(f, 4);
    kit_put(f, with_priorities(0));
    g_assert_cmpint((int)kit_ask_group(f, XC_ACTION_START), ==, XC_CAUSE_NONE);
    g_assert_cmpuint(kit->orders->len, ==, 2);
    g_assert_cmpstr(kit_order(0)->name, ==, "m02");
    g_assert_cmpstr(kit_order(1)->name, ==, "m03");
    kit_end(kit_order(0), XC_RESULT_FAILED, XC_CAUSE_DRIVER_ERROR, "no"); /* stops nobody */
    g_assert_cmpuint(kit->orders->len, ==, 2);
    kit_obey(f, kit_order(1));
    kit_tell(f);
    g_assert_cmpuint(kit->orders->len, ==, 4);
    done = kit_obey_all(f, 2);
    g_assert_cmpint((int)kit_parent(f)->result, ==, XC_RESULT_PARTIAL);
    /* The other way round when they end. */
    g_assert_cmpint((int)kit_ask_group(f, XC_ACTION_SHUTDOWN), ==, XC_CAUSE_NONE);
    g_assert_cmpuint(kit->orders->len, ==, done + 2);
    g_assert_cmpstr(kit_order(done)->name, ==, "m01");
}

static void test_delay(struct kit_fixture *f, gconstpointer data)
{
    gint64 mono = g_get_monotonic_time();
    gint64 real = g_get_real_time();

    (void)data;
    kit_group(f, 4);
    kit_put(f, with_priorities(30));
    xc_clock_fake(mono, real);
    g_assert_cmpint((int)kit_ask_group(f, XC_ACTION_START), ==, XC_CAUSE_NONE);
    kit_obey_all(f, 0);
    g_assert_cmpuint(kit->orders->len, ==, 2);
    xc_clock_fake(mono + 29 * XC_USEC_PER_SEC, real + 29 * XC_USEC_PER_SEC);
    xc_ops_pump(f->engine);
    g_assert_cmpuint(kit->orders->len, ==, 2);
    xc_clock_fake(mono + 31 * XC_USEC_PER_SEC, real + 31 * XC_USEC_PER_SEC);
    xc_ops_pump(f->engine);
    g_assert_cmpuint(kit->orders->len, ==, 4);
}

static void test_in_order(struct kit_fixture *f, gconstpointer data)
{
    struct xc_group_spec *spec;

    (void)data;
    kit_group(f, 3);
    spec = kit_spec();
    spec->order = XC_GROUP_SEQUENTIAL;
    kit_put(f, spec);
    g_assert_cmpint((int)kit_ask_group(f, XC_ACTION_START), ==, XC_CAUSE_NONE);
    for (guint i = 0; i < 3; i++) {
        g_assert_cmpuint(kit->orders->len, ==, i + 1);
        g_assert_cmpstr(kit_order(i)->name, ==, kit_name(i));
        kit_obey_all(f, i);
    }
    g_assert_cmpint((int)kit_parent(f)->result, ==, XC_RESULT_OK);
}

static void test_host_goes_down_before_the_turn(struct kit_fixture *f, gconstpointer data)
{
    struct xc_group_spec *spec;
    guint done;

    (void)data;
    kit_group(f, 4);
    spec = kit_spec();
    spec->order = XC_GROUP_SEQUENTIAL;
    kit_put(f, spec);
    g_assert_cmpint((int)kit_ask_group(f, XC_ACTION_START), ==, XC_CAUSE_NONE);
    g_assert_cmpstr(kit_child(f, 0)->source, ==, "a");
    done = kit_obey_all(f, 0);
    kit_estate.a_is_down = true;
    for (unsigned i = 0; i < XC_FAILED_POLLS_DOWN; i++)
        kit_fail(f, "a", XC_CAUSE_HOST_DOWN);
    for (unsigned i = 0; i < 6 && kit_parent(f)->state != XC_OP_FINISHED; i++) {
        done = kit_obey_all(f, done);
        kit_turn();
    }
    g_assert_cmpint((int)kit_child(f, 1)->result, ==, XC_RESULT_OK);
    g_assert_cmpint((int)kit_child(f, 2)->cause, ==, XC_CAUSE_HOST_DOWN);
    g_assert_cmpint((int)kit_child(f, 3)->result, ==, XC_RESULT_OK);
    g_assert_cmpint((int)kit_parent(f)->result, ==, XC_RESULT_PARTIAL);
}

/* --- the same again, another, a cancel */

static void test_equal_is_the_same_other_is_busy(struct kit_fixture *f, gconstpointer data)
{
    struct xc_group_request locked = {.group = "shop", .action = XC_ACTION_START, .locked = true};

    (void)data;
    kit_group(f, 2);
    g_assert_cmpint((int)kit_ask_group(f, XC_ACTION_START), ==, XC_CAUSE_NONE);
    g_assert_cmpint((int)kit_ask_group(f, XC_ACTION_START), ==, XC_CAUSE_NONE);
    g_assert_cmpuint(kit_count(f), ==, 3);
    g_assert_cmpint((int)kit_ask_group(f, XC_ACTION_SHUTDOWN), ==, XC_CAUSE_BUSY);
    g_assert_cmpint((int)kit_ask_group(f, XC_ACTION_DESTROY), ==, XC_CAUSE_BUSY);
    g_assert_cmpint((int)kit_ask_group_with(f, &locked), ==, XC_CAUSE_BUSY);
    kit_obey_all(f, 0);
    g_assert_cmpint((int)kit_ask_group(f, XC_ACTION_START), ==, XC_CAUSE_NONE);
    g_assert_cmpuint(kit_count(f), ==, 3); /* within the window */
}

static void test_force_takes_over_from_soft(struct kit_fixture *f, gconstpointer data)
{
    const struct xc_op *shutdown;

    (void)data;
    kit_group(f, 3);
    f->config->max_ops_per_host = 1;
    for (unsigned i = 0; i < 3; i++)
        kit_estate.on[i] = 'a';
    kit_tell(f);
    g_assert_cmpint((int)kit_ask_group(f, XC_ACTION_SHUTDOWN), ==, XC_CAUSE_NONE);
    shutdown = kit_parent(f);
    g_assert_cmpuint(kit->orders->len, ==, 1);
    g_assert_cmpint((int)kit_ask_group(f, XC_ACTION_DESTROY), ==, XC_CAUSE_NONE);
    g_assert_cmpuint(shutdown->done, ==, 2);
    g_assert_cmpint((int)shutdown->state, ==, XC_OP_CANCELLING);
    g_assert_cmpuint(kit->cancels->len, >=, 1);
    kit_end(kit_order(0), XC_RESULT_CANCELLED, XC_CAUSE_CANCELLED, "");
    g_assert_cmpint((int)shutdown->result, ==, XC_RESULT_CANCELLED);
    for (guint i = 1; i < 4; i++)
        kit_obey_all(f, i);
    g_assert_cmpint((int)kit_parent(f)->result, ==, XC_RESULT_OK);
    g_assert_cmpuint(kit_running('a'), ==, 0);
}

static enum xc_cause cancel(struct kit_fixture *f, uint32_t op)
{
    struct xc_txn *txn = xc_txn_new(f->engine);
    g_autoptr(GError) error = NULL;

    if (xc_txn_cancel_op(txn, op, &error) && xc_txn_write(txn, &error))
        xc_txn_dispatch(txn);
    xc_txn_free(txn);
    kit_turn();
    return xc_error_cause(error);
}

static void test_cancel(struct kit_fixture *f, gconstpointer data)
{
    const struct xc_op *parent;

    (void)data;
    kit_group(f, 4);
    f->config->max_ops_per_host = 1;
    g_assert_cmpint((int)kit_ask_group(f, XC_ACTION_START), ==, XC_CAUSE_NONE);
    parent = kit_parent(f);
    g_assert_cmpuint(kit->orders->len, ==, 2);
    g_assert_cmpint((int)cancel(f, kit_child(f, 3)->index), ==, XC_CAUSE_NONE);
    g_assert_cmpint((int)kit_child(f, 3)->result, ==, XC_RESULT_CANCELLED);
    g_assert_cmpint((int)parent->state, ==, XC_OP_RUNNING); /* that one alone */
    g_assert_cmpint((int)cancel(f, parent->index), ==, XC_CAUSE_NONE);
    g_assert_cmpint((int)kit_child(f, 2)->result, ==, XC_RESULT_CANCELLED);
    g_assert_cmpuint(kit->cancels->len, ==, 2);
    g_assert_cmpint((int)parent->state, ==, XC_OP_CANCELLING);
    kit_end(kit_order(0), XC_RESULT_CANCELLED, XC_CAUSE_CANCELLED, "");
    kit_obey(f, kit_order(1)); /* it was too late for this one */
    kit_tell(f);
    g_assert_cmpint((int)parent->result, ==, XC_RESULT_CANCELLED);
    g_assert_cmpint((int)parent->cause, ==, XC_CAUSE_CANCELLED);
    g_assert_cmpstr(parent->text, ==, "1 ok, 3 cancelled");
    g_assert_cmpint((int)cancel(f, parent->index), ==, XC_CAUSE_BAD_STATE);
}

/* --- after a kill */

/* As kill -9 leaves it: what is written is written, nobody says good-bye. */
static void test_killed_before_anything_began(struct kit_fixture *f, gconstpointer data)
{
    const struct xc_group_request request = {.group = "shop", .action = XC_ACTION_START};
    struct xc_txn *txn;

    (void)data;
    kit_group(f, 6);
    txn = xc_txn_new(f->engine);
    g_assert_true(xc_txn_add_group_op(txn, &request, NULL));
    g_assert_true(xc_txn_write(txn, NULL));
    txn->dispatched = true; /* freeing it takes nothing back */
    xc_txn_free(txn);
    kit_restart(f);
    kit_tell(f);
    KIT_UNTIL(kit->orders->len == 6);
    g_assert_cmpuint(kit_parent(f)->total, ==, 6);
    kit_obey_all(f, 0);
    g_assert_cmpint((int)kit_parent(f)->result, ==, XC_RESULT_OK);
    g_assert_cmpuint(kit_running('a'), ==, 3);
}

static void test_killed_in_the_middle(struct kit_fixture *f, gconstpointer data)
{
    (void)data;
    kit_group(f, 4);
    kit_put(f, with_priorities(0));
    g_assert_cmpint((int)kit_ask_group(f, XC_ACTION_START), ==, XC_CAUSE_NONE);
    kit_obey(f, kit_order(0)); /* m02 has ended; m03 is under way; the others wait */
    kit_tell(f);
    g_assert_cmpuint(kit_parent(f)->done, ==, 1);
    kit_restart(f);
    kit_tell(f);
    KIT_UNTIL(kit->orders->len == 1);
    g_assert_cmpstr(kit_order(0)->name, ==, "m03");
    g_assert_true(kit_order(0)->attach);
    g_assert_cmpuint(kit_parent(f)->done, ==, 1);
    g_assert_cmpuint(kit_parent(f)->total, ==, 4);
    kit_obey_all(f, 0);
    KIT_UNTIL(kit->orders->len == 3); /* none twice */
    g_assert_false(kit_order(1)->attach);
    kit_obey_all(f, 1);
    g_assert_cmpint((int)kit_parent(f)->result, ==, XC_RESULT_OK);
    g_assert_cmpuint(kit_count(f), ==, 5);
}

/* The children are in the journal as ended, the parent is not. */
static void test_killed_before_the_parent_ended(struct kit_fixture *f, gconstpointer data)
{
    struct xc_op_run *parent;

    (void)data;
    kit_group(f, 2);
    g_assert_cmpint((int)kit_ask_group(f, XC_ACTION_START), ==, XC_CAUSE_NONE);
    parent = xc_op_run_find(f->engine, kit_parent(f)->index);
    parent->held = true;
    kit_obey_all(f, 0);
    g_assert_cmpint((int)parent->op.state, ==, XC_OP_RUNNING);
    kit_restart(f);
    g_assert_cmpint((int)kit_parent(f)->result, ==, XC_RESULT_OK);
    g_assert_cmpstr(kit_parent(f)->text, ==, "2 ok");
}

static void test_killed_after_a_cancel(struct kit_fixture *f, gconstpointer data)
{
    (void)data;
    kit_group(f, 4);
    f->config->max_ops_per_host = 1;
    g_assert_cmpint((int)kit_ask_group(f, XC_ACTION_START), ==, XC_CAUSE_NONE);
    g_assert_cmpint((int)cancel(f, kit_parent(f)->index), ==, XC_CAUSE_NONE);
    kit_restart(f);
    kit_tell(f);
    KIT_UNTIL(kit->orders->len == 2);
    g_assert_cmpuint(kit->cancels->len, ==, 2);
    kit_end(kit_order(0), XC_RESULT_CANCELLED, XC_CAUSE_CANCELLED, "");
    kit_end(kit_order(1), XC_RESULT_CANCELLED, XC_CAUSE_CANCELLED, "");
    g_assert_cmpint((int)kit_parent(f)->result, ==, XC_RESULT_CANCELLED);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("one-class-after-another", test_one_class_after_another);
    TEST("delay", test_delay);
    TEST("in-order", test_in_order);
    TEST("host-goes-down-before-the-turn", test_host_goes_down_before_the_turn);
    TEST("equal-is-the-same-other-is-busy", test_equal_is_the_same_other_is_busy);
    TEST("force-takes-over-from-soft", test_force_takes_over_from_soft);
    TEST("cancel", test_cancel);
    TEST("killed-before-anything-began", test_killed_before_anything_began);
    TEST("killed-in-the-middle", test_killed_in_the_middle);
    TEST("killed-before-the-parent-ended", test_killed_before_the_parent_ended);
    TEST("killed-after-a-cancel", test_killed_after_a_cancel);
    return g_test_run();
}
