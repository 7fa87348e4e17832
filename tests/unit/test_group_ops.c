/* Operations of groups: who takes part and where is planned and journalled at once, or all is refused. */
#include "tests/unit/group_kit.h"

#define TEST(name, function)                                                                       \
    g_test_add("/group-ops/" name, struct kit_fixture, NULL, kit_set_up, function, kit_tear_down)

/* --- the plan */

static void test_start_is_planned_whole(struct kit_fixture *f, gconstpointer data)
{
    const struct xc_op *parent;

    (void)data;
    kit_group(f, 6);
    g_assert_cmpint((int)kit_ask_group(f, XC_ACTION_START), ==, XC_CAUSE_NONE);
    parent = kit_parent(f);
    g_assert_cmpuint(kit_count(f), ==, 7);
    g_assert_cmpuint(parent->total, ==, 6);
    g_assert_cmpuint(parent->done, ==, 0);
    g_assert_cmpint((int)parent->state, ==, XC_OP_RUNNING);
    g_assert_cmpuint(kit->orders->len, ==, 6); /* none of it for the parent itself */
    for (unsigned i = 0; i < 6; i++) {
        g_assert_cmpuint(kit_child(f, i)->parent, ==, parent->index);
        g_assert_cmpstr(kit_child(f, i)->group, ==, "shop");
    }
    kit_obey_all(f, 0);
    g_assert_cmpint((int)parent->state, ==, XC_OP_FINISHED);
    g_assert_cmpint((int)parent->result, ==, XC_RESULT_OK);
    g_assert_cmpint(parent->progress, ==, 100);
    g_assert_cmpstr(parent->text, ==, "6 ok");
    g_assert_cmpuint(kit_running('a'), ==, 3);
    g_assert_cmpuint(kit_running('b'), ==, 3);
}

static void test_those_that_run_count(struct kit_fixture *f, gconstpointer data)
{
    (void)data;
    kit_group(f, 6);
    kit_estate.on[0] = kit_estate.on[1] = 'a';
    kit_tell(f);
    g_assert_cmpint((int)kit_ask_group(f, XC_ACTION_START), ==, XC_CAUSE_NONE);
    g_assert_cmpuint(kit_parent(f)->total, ==, 4);
    kit_obey_all(f, 0);
    g_assert_cmpstr(kit_parent(f)->text, ==, "4 ok, 2 had no part");
    g_assert_cmpuint(kit_running('a'), ==, 3);
}

static void test_no_room(struct kit_fixture *f, gconstpointer data)
{
    (void)data;
    kit_group(f, 3);
    kit_estate.free_a_mib = kit_estate.free_b_mib = 700; /* the reserve and one guest */
    kit_tell(f);
    g_assert_cmpint((int)kit_ask_group(f, XC_ACTION_START), ==, XC_CAUSE_NONE);
    g_assert_cmpint((int)kit_child(f, 2)->state, ==, XC_OP_FINISHED);
    g_assert_cmpint((int)kit_child(f, 2)->cause, ==, XC_CAUSE_NO_MEMORY);
    g_assert_cmpuint(kit_parent(f)->failed, ==, 1);
    kit_obey_all(f, 0);
    g_assert_cmpint((int)kit_parent(f)->result, ==, XC_RESULT_PARTIAL);
    g_assert_cmpint((int)kit_parent(f)->cause, ==, XC_CAUSE_NO_MEMORY);
    g_assert_cmpstr(kit_parent(f)->text, ==, "2 ok, 1 failed; m02: noMemory");
}

/* What another operation will take is taken already. */
static void test_promised_memory_is_gone(struct kit_fixture *f, gconstpointer data)
{
    struct xc_group_spec *other = xc_group_spec_new("other");
    const struct xc_group_request request = {.group = "other", .action = XC_ACTION_START};

    (void)data;
    kit_group(f, 3);
    kit_estate.free_a_mib = kit_estate.free_b_mib = 700;
    xc_group_member_get(other, "m00");
    kit_put(f, other);
    other = kit_spec();
    xc_group_member_drop(other, "m00");
    kit_put(f, other);
    kit_tell(f);
    g_assert_cmpint((int)kit_ask_group_with(f, &request), ==, XC_CAUSE_NONE);
    g_assert_cmpint((int)kit_ask_group(f, XC_ACTION_START), ==, XC_CAUSE_NONE);
    g_assert_cmpint((int)kit_child(f, 1)->result, ==, XC_RESULT_NONE);
    g_assert_cmpint((int)kit_child(f, 2)->cause, ==, XC_CAUSE_NO_MEMORY);
}

static void test_pins(struct kit_fixture *f, gconstpointer data)
{
    struct xc_group_spec *spec;

    (void)data;
    kit_group(f, 3);
    spec = kit_spec();
    for (unsigned i = 0; i < 3; i++) {
        struct xc_member_spec *member = xc_group_member_get(spec, kit_name(i));

        g_free(member->pin);
        member->pin = g_strdup(i == 2 ? "elsewhere" : "b");
    }
    kit_put(f, spec);
    g_assert_cmpint((int)kit_ask_group(f, XC_ACTION_START), ==, XC_CAUSE_NONE);
    g_assert_cmpint((int)kit_child(f, 2)->cause, ==, XC_CAUSE_NO_SUCH_HOST);
    kit_obey_all(f, 0);
    g_assert_cmpuint(kit_running('b'), ==, 2);
}

/* One whose configuration only b has goes to b. */
static void test_configuration_on_one_host(struct kit_fixture *f, gconstpointer data)
{
    struct xc_group_spec *spec;
    struct xc_report *b;

    (void)data;
    kit_group(f, 2);
    b = kit_host('b');
    kit_domain(b, "alone", 9, 0);
    kit_answer(f, "b", b);
    spec = xc_group_spec_new("shop");
    xc_group_member_get(spec, "alone");
    spec->all_hosts = false;
    xc_group_host_get(spec, "a");
    kit_put(f, spec);
    g_assert_cmpint((int)kit_ask_group(f, XC_ACTION_START), ==, XC_CAUSE_NO_STORAGE);
    spec = xc_group_spec_new("shop");
    xc_group_member_get(spec, "alone");
    kit_put(f, spec);
    g_assert_cmpint((int)kit_ask_group(f, XC_ACTION_START), ==, XC_CAUSE_NONE);
    g_assert_cmpstr(kit_newest(f)->source, ==, "b");
}

static void test_plan_as_text(struct kit_fixture *f, gconstpointer data)
{
    const struct xc_group_request request = {.group = "shop", .action = XC_ACTION_START};
    g_autoptr(GPtrArray) of_members = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *text = NULL;

    (void)data;
    kit_group(f, 4);
    kit_estate.on[0] = 'a';
    kit_estate.rest[3] = XC_STATE_SUSPENDED;
    kit_tell(f);
    text = xc_group_plan_text(f->engine, &request, of_members, NULL);
    g_assert_cmpstr(text, ==, "m00 = a\nm01 -> b\nm02 -> a\nm03: badState");
    g_assert_cmpuint(of_members->len, ==, 4);
    g_assert_cmpstr(of_members->pdata[0], ==, "= a");
    g_assert_cmpstr(of_members->pdata[1], ==, "-> b");
    g_assert_cmpstr(of_members->pdata[3], ==, "badState");
    g_assert_cmpuint(kit_count(f), ==, 0);
}

/* --- refused whole */

static void test_refusals(struct kit_fixture *f, gconstpointer data)
{
    struct xc_group_request request = {.group = "none", .action = XC_ACTION_START};

    (void)data;
    kit_group(f, 2);
    g_assert_cmpint((int)kit_ask_group_with(f, &request), ==, XC_CAUSE_NO_SUCH_TARGET);
    g_assert_cmpint((int)kit_ask_group(f, XC_ACTION_DELETE), ==, XC_CAUSE_BAD_VALUE);
    g_assert_cmpint((int)kit_ask_group(f, XC_ACTION_REBOOT), ==, XC_CAUSE_BAD_STATE);
    request =
        (struct xc_group_request){.group = "shop", .action = XC_ACTION_MIGRATE, .host = "nowhere"};
    g_assert_cmpint((int)kit_ask_group_with(f, &request), ==, XC_CAUSE_NO_SUCH_HOST);
    f->config->queue_limit = 2;
    g_assert_cmpint((int)kit_ask_group(f, XC_ACTION_START), ==, XC_CAUSE_BUSY);
    f->config->queue_limit = 3;
    f->config->control = false;
    g_assert_cmpint((int)kit_ask_group(f, XC_ACTION_START), ==, XC_CAUSE_POLICY);
    f->config->control = true;
    kit_put(f, xc_group_spec_new("shop"));
    g_assert_cmpint((int)kit_ask_group(f, XC_ACTION_START), ==, XC_CAUSE_BAD_STATE);
    g_assert_cmpuint(kit_count(f), ==, 0);
    g_assert_cmpuint(kit->orders->len, ==, 0);
}

/* Nothing to be done is done at once. */
static void test_as_wanted_already(struct kit_fixture *f, gconstpointer data)
{
    (void)data;
    kit_group(f, 2);
    g_assert_cmpint((int)kit_ask_group(f, XC_ACTION_SHUTDOWN), ==, XC_CAUSE_NONE);
    g_assert_cmpuint(kit_count(f), ==, 1);
    g_assert_cmpint((int)kit_parent(f)->result, ==, XC_RESULT_OK);
    g_assert_cmpuint(kit->orders->len, ==, 0);
}

static void test_members_that_cannot(struct kit_fixture *f, gconstpointer data)
{
    struct xc_group_spec *spec;
    const struct xc_request pause = {.action = XC_ACTION_PAUSE, .domain = 0};
    struct xc_request request = pause;

    (void)data;
    kit_group(f, 4);
    for (unsigned i = 0; i < 4; i++)
        kit_estate.on[i] = 'a';
    kit_tell(f);
    spec = kit_spec();
    xc_group_member_get(spec, "stranger");
    kit_put(f, spec);
    kit_find(f, "m01")->track->protect = true;
    request.domain = kit_find(f, "m02")->index;
    g_assert_cmpint((int)kit_ask(f, &request), ==, XC_CAUSE_NONE);
    g_assert_cmpint((int)kit_ask_group(f, XC_ACTION_DESTROY), ==, XC_CAUSE_NONE);
    g_assert_cmpint((int)kit_child(f, 1)->cause, ==, XC_CAUSE_PROTECTED);
    g_assert_cmpint((int)kit_child(f, 2)->cause, ==, XC_CAUSE_BUSY);
    g_assert_cmpint((int)xc_op_child(f->engine, kit_parent(f)->index, "stranger")->cause, ==,
                    XC_CAUSE_NO_SUCH_TARGET);
    kit_obey_all(f, 1);
    g_assert_cmpint((int)kit_parent(f)->result, ==, XC_RESULT_PARTIAL);
    g_assert_cmpuint(kit_running('a'), ==, 2);
}

/* --- moves */

static void test_all_to_one_host(struct kit_fixture *f, gconstpointer data)
{
    const struct xc_group_request request = {
        .group = "shop", .action = XC_ACTION_MIGRATE, .host = "b"};

    (void)data;
    kit_group(f, 5);
    kit_estate.on[0] = kit_estate.on[1] = kit_estate.on[2] = 'a';
    kit_estate.on[3] = 'b';
    kit_estate.free_b_mib = 128 + 2 * 512;
    kit_tell(f);
    g_assert_cmpint((int)kit_ask_group_with(f, &request), ==, XC_CAUSE_NONE);
    g_assert_cmpint((int)kit_child(f, 2)->cause, ==, XC_CAUSE_NO_MEMORY);
    g_assert_cmpuint(kit_parent(f)->total, ==, 3);
    g_assert_cmpstr(kit_parent(f)->host_to, ==, "b");
    kit_obey_all(f, 0);
    g_assert_cmpint((int)kit_parent(f)->result, ==, XC_RESULT_PARTIAL);
    g_assert_cmpuint(kit_running('b'), ==, 3);
}

static void test_rebalance(struct kit_fixture *f, gconstpointer data)
{
    guint done = 0;

    (void)data;
    kit_group(f, 7);
    for (unsigned i = 0; i < 6; i++)
        kit_estate.on[i] = 'a';
    kit_tell(f);
    g_assert_cmpint((int)kit_ask_group(f, XC_ACTION_MIGRATE), ==, XC_CAUSE_NONE);
    g_assert_cmpuint(kit_parent(f)->total, ==, 3);
    g_assert_cmpstr(kit_parent(f)->argument, ==, "@spread");
    while (kit_parent(f)->state != XC_OP_FINISHED) {
        g_assert_cmpuint(kit->orders->len, ==, done + 1); /* one after the other */
        done = kit_obey_all(f, done);
    }
    g_assert_cmpint((int)kit_parent(f)->result, ==, XC_RESULT_OK);
    g_assert_cmpuint(kit_running('a'), ==, 3);
    g_assert_cmpuint(kit_running('b'), ==, 3);
    f->config->dup_window_sec = 0;
    g_assert_cmpint((int)kit_ask_group(f, XC_ACTION_MIGRATE), ==, XC_CAUSE_NONE);
    g_assert_cmpuint(kit_parent(f)->total, ==, 0); /* there is nothing to be done */
}

/* --- making members */

static void test_create(struct kit_fixture *f, gconstpointer data)
{
    g_autofree char *path = g_build_filename(f->dir, "new.cfg", NULL);
    struct xc_group_spec *spec;
    struct xc_member_spec *member;

    (void)data;
    kit_group(f, 1);
    g_free(f->config->library_dir);
    f->config->library_dir = g_strdup(f->dir);
    g_assert_true(g_file_set_contents(path, "name = \"new\"\nmemory = 3000\n", -1, NULL));
    spec = kit_spec();
    member = xc_group_member_get(spec, "new");
    g_free(member->create);
    member->create = g_strdup("library:new.cfg");
    kit_put(f, spec);
    kit_estate.free_a_mib = 2000; /* only b has room for it */
    kit_tell(f);
    g_assert_cmpint((int)kit_ask_group(f, XC_ACTION_START), ==, XC_CAUSE_NONE);
    g_assert_cmpuint(kit_parent(f)->total, ==, 2);
    g_assert_cmpint((int)kit_newest(f)->action, ==, XC_ACTION_CREATE);
    g_assert_cmpstr(kit_newest(f)->source, ==, "b");
    g_assert_cmpstr(kit_last_order()->content, ==, "name = \"new\"\nmemory = 3000\n");
}

static void make_of(struct kit_fixture *f, const char *create)
{
    struct xc_group_spec *spec = xc_group_spec_new("shop");
    struct xc_member_spec *member = xc_group_member_get(spec, "new");

    g_free(member->create);
    member->create = g_strdup(create);
    kit_put(f, spec);
}

/* From a file on a host, which must be where that host keeps them; from nothing that is there. */
static void test_create_from_a_file(struct kit_fixture *f, gconstpointer data)
{
    (void)data;
    kit_group(f, 1);
    make_of(f, "/root/new.cfg");
    g_assert_cmpint((int)kit_ask_group(f, XC_ACTION_START), ==, XC_CAUSE_NOT_SUPPORTED);
    make_of(f, "library:none.cfg");
    g_assert_cmpint((int)kit_ask_group(f, XC_ACTION_START), ==, XC_CAUSE_BAD_CONFIG);
    make_of(f, "template:Debian");
    g_assert_cmpint((int)kit_ask_group(f, XC_ACTION_START), ==, XC_CAUSE_NOT_SUPPORTED);
    make_of(f, "/etc/xen/new.cfg");
    g_assert_cmpint((int)kit_ask_group(f, XC_ACTION_START), ==, XC_CAUSE_NONE);
    g_assert_cmpstr(kit_newest(f)->member, ==, "new");
    g_assert_cmpstr(kit_last_order()->config, ==, "/etc/xen/new.cfg");
    kit_end(kit_last_order(), XC_RESULT_FAILED, XC_CAUSE_BAD_CONFIG, "no such file");
    /* There is nothing to be ended, and nothing to be paused. */
    f->config->dup_window_sec = 0;
    g_assert_cmpint((int)kit_ask_group(f, XC_ACTION_SHUTDOWN), ==, XC_CAUSE_NONE);
    g_assert_cmpint((int)kit_ask_group(f, XC_ACTION_PAUSE), ==, XC_CAUSE_NO_SUCH_TARGET);
}

static void test_create_from_a_template(struct kit_fixture *f, gconstpointer data)
{
    static const struct xc_driver pool = {
        .name = "pool", .capabilities = XC_CAP_START | XC_CAP_CREATE, .templates = true};

    (void)data;
    kit_group(f, 1);
    kit_slot(f, "b")->driver = &pool;
    make_of(f, "template:Debian");
    g_assert_cmpint((int)kit_ask_group(f, XC_ACTION_START), ==, XC_CAUSE_NONE);
    g_assert_cmpstr(kit_newest(f)->source, ==, "b");
    g_assert_cmpstr(kit_last_order()->config, ==, "Debian");
    g_assert_cmpstr(kit_last_order()->content, ==, "new");
}

/* --- rows */

static void test_families_go_together(struct kit_fixture *f, gconstpointer data)
{
    (void)data;
    kit_group(f, 20);
    f->config->op_max_rows = 10;
    f->config->dup_window_sec = 0;
    g_assert_cmpint((int)kit_ask_group(f, XC_ACTION_START), ==, XC_CAUSE_NONE);
    kit_obey_all(f, 0);
    g_assert_cmpuint(kit_count(f), ==, 21); /* all of it can be read */
    g_assert_cmpint((int)kit_ask_group(f, XC_ACTION_PAUSE), ==, XC_CAUSE_NONE);
    kit_obey_all(f, 20);
    g_assert_cmpuint(kit_count(f), ==, 21);
    g_assert_cmpint((int)kit_parent(f)->action, ==, XC_ACTION_PAUSE);
    kit_restart(f);
    g_assert_cmpuint(kit_count(f), ==, 21);
}

/* --- history */

static void test_history(struct kit_fixture *f, gconstpointer data)
{
    const struct xc_history *const *rows;
    size_t n = 0;

    (void)data;
    kit_group(f, 1);
    g_assert_cmpint((int)kit_ask_group(f, XC_ACTION_START), ==, XC_CAUSE_NONE);
    kit_obey_all(f, 0);
    KIT_UNTIL(xc_group_history(f->engine, &n) && n == 2);
    rows = xc_group_history(f->engine, &n);
    g_assert_cmpint((int)rows[0]->event, ==, XC_HISTORY_STARTED);
    g_assert_cmpuint(rows[0]->op, ==, kit_child(f, 0)->index);
    g_assert_cmpint((int)rows[1]->event, ==, XC_HISTORY_OPERATION);
    g_assert_cmpint((int)rows[1]->result, ==, XC_RESULT_OK);
    g_assert_cmpstr(rows[1]->member, ==, "m00");
    g_assert_cmpstr(rows[1]->host, ==, "a");
    kit_restart(f);
    rows = xc_group_history(f->engine, &n);
    g_assert_cmpuint(n, ==, 2);
    g_assert_cmpstr(rows[1]->text, ==, "start: ok");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("start-is-planned-whole", test_start_is_planned_whole);
    TEST("those-that-run-count", test_those_that_run_count);
    TEST("no-room", test_no_room);
    TEST("promised-memory-is-gone", test_promised_memory_is_gone);
    TEST("pins", test_pins);
    TEST("configuration-on-one-host", test_configuration_on_one_host);
    TEST("plan-as-text", test_plan_as_text);
    TEST("refusals", test_refusals);
    TEST("as-wanted-already", test_as_wanted_already);
    TEST("members-that-cannot", test_members_that_cannot);
    TEST("all-to-one-host", test_all_to_one_host);
    TEST("rebalance", test_rebalance);
    TEST("create", test_create);
    TEST("create-from-a-file", test_create_from_a_file);
    TEST("create-from-a-template", test_create_from_a_template);
    TEST("families-go-together", test_families_go_together);
    TEST("history", test_history);
    return g_test_run();
}
