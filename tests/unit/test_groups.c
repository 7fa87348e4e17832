/* Groups in the engine: what members stand for, how a group fares, sums, SETs, what is kept over restarts. */
#include "tests/unit/group_set_kit.h"

/* Members by their names, separated by blanks. */
static struct xc_group_spec *spec_of(const char *name, const char *members)
{
    struct xc_group_spec *spec = xc_group_spec_new(name);
    g_auto(GStrv) words = g_strsplit(members, " ", -1);

    for (char **word = words; *word; word++)
        if (**word)
            xc_group_member_get(spec, *word);
    return spec;
}

static void make(struct kit_fixture *f, const char *name, const char *members)
{
    g_autoptr(xc_group_spec) spec = spec_of(name, members);

    g_assert_cmpint(kit_put_group(f, spec), ==, XC_CAUSE_NONE);
}

static struct xc_group *find(struct kit_fixture *f, const char *name)
{
    struct xc_group *group = xc_group_find(f->engine, name);

    g_assert_nonnull(group);
    return group;
}

static const struct xc_member *member(const struct xc_group *group, const char *name)
{
    for (guint i = 0; i < group->members->len; i++) {
        const struct xc_member *m = &g_array_index(group->members, struct xc_member, i);

        if (strcmp(m->spec->member, name) == 0)
            return m;
    }
    g_assert_not_reached();
}

static const struct xc_group_place *place(const struct xc_group *group, const char *host)
{
    for (guint i = 0; i < group->places->len; i++) {
        const struct xc_group_place *p = &g_array_index(group->places, struct xc_group_place, i);

        if (strcmp(p->host, host) == 0)
            return p;
    }
    return NULL;
}

/* Each source answers with guests "NAME STATE", separated by ',': r runs, p paused, s suspended, h halted, c crashed,
 * m migrates; a digit behind it is the last one of its uuid. */
static void answer(struct kit_fixture *f, const char *key, const char *guests)
{
    struct xc_report *report = kit_report("boot");
    g_auto(GStrv) all = g_strsplit(guests, ",", -1);
    int64_t domid = 1;

    for (char **guest = all; *guest; guest++) {
        const char *blank = strrchr(*guest, ' ');
        g_autofree char *name = blank ? g_strndup(*guest, (size_t)(blank - *guest)) : NULL;
        unsigned uuid = blank ? (unsigned)g_ascii_digit_value(blank[2]) : 0;
        struct xc_domain *d;

        if (!blank)
            continue;
        d = kit_domain(report, name, uuid, strchr("rpm", blank[1]) ? domid++ : 0);
        if (blank[1] == 'p')
            XC_SET(DOMAIN, d, state, XC_STATE_PAUSED);
        else if (blank[1] == 's')
            XC_SET(DOMAIN, d, state, XC_STATE_SUSPENDED);
        else if (blank[1] == 'c')
            XC_SET(DOMAIN, d, state, XC_STATE_CRASHED);
        else if (blank[1] == 'm')
            XC_SET(DOMAIN, d, state, XC_STATE_MIGRATING);
    }
    kit_answer(f, key, report);
}

/* --- what members stand for */

static void test_resolving(struct kit_fixture *f, gconstpointer data)
{
    const struct xc_group *group;

    (void)data;
    make(f, "g", "one both a/both b/both nobody ab000000-0000-0000-0000-000000000001 c/one a/b/c");
    answer(f, "a", "one r1,both r2,b/c r4");
    answer(f, "b", "both r3");
    group = find(f, "g");
    g_assert_cmpint(member(group, "both")->cause, ==, XC_CAUSE_AMBIGUOUS);
    g_assert_cmpuint(member(group, "both")->domain, ==, 0);
    g_assert_cmpint(member(group, "nobody")->cause, ==, XC_CAUSE_NO_SUCH_TARGET);
    g_assert_cmpint(member(group, "c/one")->cause, ==, XC_CAUSE_NO_SUCH_TARGET);
    g_assert_cmpint(member(group, "a/both")->cause, ==, XC_CAUSE_NONE);
    g_assert_cmpuint(member(group, "one")->domain, ==, kit_find(f, "one")->index);
    g_assert_cmpuint(member(group, "a/b/c")->domain, ==, kit_find(f, "b/c")->index);
    g_assert_cmpuint(member(group, "a/both")->domain, !=, member(group, "b/both")->domain);
    /* The uuid names one that is a member by its name already. */
    g_assert_cmpint(member(group, "ab000000-0000-0000-0000-000000000001")->cause, ==,
                    XC_CAUSE_CONFLICT);
    /* A name that becomes another's. */
    answer(f, "a", "one r1,b/c r4");
    answer(f, "b", "both r3");
    f->config->tombstone_sec = 0;
    xc_fleet_tick(f->engine);
    xc_fleet_rebuild(f->engine);
    g_assert_cmpint(member(find(f, "g"), "both")->cause, ==, XC_CAUSE_NONE);
    g_assert_cmpint(member(find(f, "g"), "b/both")->cause, ==, XC_CAUSE_CONFLICT);
}

/* It is the same member on whatever host it is, and when its host does not answer. */
static void test_moves(struct kit_fixture *f, gconstpointer data)
{
    uint32_t index;

    (void)data;
    make(f, "g", "web");
    answer(f, "a", "web r1");
    answer(f, "b", "");
    index = member(find(f, "g"), "web")->domain;
    g_assert_cmpuint(index, !=, 0);
    g_assert_cmpuint(place(find(f, "g"), "a")->running, ==, 1);
    answer(f, "b", "web r1");
    answer(f, "a", "");
    g_assert_cmpuint(member(find(f, "g"), "web")->domain, ==, index);
    g_assert_cmpuint(place(find(f, "g"), "a")->running, ==, 0);
    g_assert_cmpuint(place(find(f, "g"), "b")->running, ==, 1);
    g_assert_cmpstr(find(f, "g")->spread_text, ==, "b=1");
    for (unsigned i = 0; i < XC_FAILED_POLLS_DOWN; i++)
        kit_fail(f, "b", XC_CAUSE_TRANSPORT);
    g_assert_cmpuint(member(find(f, "g"), "web")->domain, ==, index);
    g_assert_cmpint(find(f, "g")->status, ==, XC_GROUP_UNKNOWN);
    g_assert_cmpint(place(find(f, "g"), "b")->cause, ==, XC_CAUSE_HOST_DOWN);
    answer(f, "b", "web r1");
    g_assert_cmpint(find(f, "g")->status, ==, XC_GROUP_OK);
}

static void test_two_groups(struct kit_fixture *f, gconstpointer data)
{
    (void)data;
    make(f, "g", "web a/web db");
    make(f, "h", "web");
    answer(f, "a", "web r1,db r2");
    answer(f, "b", "");
    g_assert_cmpuint(xc_member_groups(f->engine, kit_find(f, "web")->index), ==, 2);
    g_assert_cmpuint(xc_member_groups(f->engine, kit_find(f, "db")->index), ==, 1);
    g_assert_cmpint(kit_drop_group(f, "h"), ==, XC_CAUSE_NONE);
    g_assert_cmpuint(xc_member_groups(f->engine, kit_find(f, "web")->index), ==, 1);
}

/* --- how a group fares */

static void test_status(struct kit_fixture *f, gconstpointer data)
{
    static const struct {
        const char *guests;
        enum xc_wanted wanted;
        unsigned min_running;
        enum xc_group_status status;
    } cases[] = {
        {"a r1,b r2,c r3", XC_WANTED_NONE, 0, XC_GROUP_OK},
        {"a r1,b r2,c r3", XC_WANTED_RUNNING, 0, XC_GROUP_OK},
        {"a r1,b r2,c h3", XC_WANTED_RUNNING, 0, XC_GROUP_DEGRADED},
        {"a r1,b r2,c h3", XC_WANTED_NONE, 0, XC_GROUP_DEGRADED},
        {"a r1,b r2,c h3", XC_WANTED_RUNNING, 2, XC_GROUP_OK},
        {"a r1,b h2,c h3", XC_WANTED_RUNNING, 2, XC_GROUP_DEGRADED},
        {"a h1,b h2,c h3", XC_WANTED_RUNNING, 2, XC_GROUP_DOWN},
        {"a h1,b h2,c h3", XC_WANTED_RUNNING, 0, XC_GROUP_DOWN},
        {"a r1,b r2,c r3", XC_WANTED_RUNNING, 9, XC_GROUP_OK},
        {"a h1,b h2,c h3", XC_WANTED_SHUTDOWN, 0, XC_GROUP_STOPPED},
        {"a h1,b r2,c h3", XC_WANTED_SHUTDOWN, 0, XC_GROUP_DEGRADED},
        {"a h1,b h2,c h3", XC_WANTED_NONE, 0, XC_GROUP_STOPPED},
        {"a c1,b h2,c h3", XC_WANTED_NONE, 0, XC_GROUP_DOWN},
        {"a s1,b s2,c s3", XC_WANTED_SUSPENDED, 0, XC_GROUP_STOPPED},
        {"a p1,b p2,c p3", XC_WANTED_PAUSED, 0, XC_GROUP_OK},
        {"a p1,b r2,c p3", XC_WANTED_PAUSED, 0, XC_GROUP_DEGRADED},
        {"a r1,b m2,c h3", XC_WANTED_RUNNING, 0, XC_GROUP_TRANSITION},
        {"", XC_WANTED_RUNNING, 0, XC_GROUP_UNKNOWN},
        {"a h1,b h2", XC_WANTED_RUNNING, 0, XC_GROUP_UNKNOWN},
        {"a h1,b h2", XC_WANTED_SHUTDOWN, 0, XC_GROUP_UNKNOWN},
        {"a r1,b r2", XC_WANTED_RUNNING, 0, XC_GROUP_DEGRADED},
    };

    (void)data;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(xc_group_spec) spec = spec_of("g", "a b c");
        g_autofree char *shown = NULL;

        f->config->tombstone_sec = 0;
        answer(f, "a", "");
        spec->min_running = cases[i].min_running;
        g_assert_cmpint(kit_put_group(f, spec), ==, XC_CAUSE_NONE);
        find(f, "g")->wanted = cases[i].wanted;
        answer(f, "a", cases[i].guests);
        answer(f, "b", "");
        shown = g_strdup_printf("%zu: %s", i,
                                xc_enum_label(&xc_group_status_labels, (int)find(f, "g")->status));
        g_test_message("%s", shown);
        g_assert_cmpint(find(f, "g")->status, ==, cases[i].status);
    }
    make(f, "none", "");
    g_assert_cmpint(find(f, "none")->status, ==, XC_GROUP_EMPTY);
}

static void test_counts(struct kit_fixture *f, gconstpointer data)
{
    const struct xc_group_sums *sums;

    (void)data;
    make(f, "g", "r p s h c m x");
    answer(f, "a", "r r1,p p2,s s3,h h4,c c5,m m6,other r7");
    answer(f, "b", "");
    sums = &find(f, "g")->sums;
    g_assert_cmpuint(sums->members, ==, 7);
    g_assert_cmpuint(sums->running, ==, 1);
    g_assert_cmpuint(sums->paused, ==, 1);
    g_assert_cmpuint(sums->suspended, ==, 1);
    g_assert_cmpuint(sums->stopped, ==, 1);
    g_assert_cmpuint(sums->crashed, ==, 1);
    g_assert_cmpuint(sums->transient, ==, 1);
    g_assert_cmpuint(sums->unknown, ==, 1);
    g_assert_true(sums->has_vcpus && sums->has_mem);
    g_assert_cmpuint(sums->vcpus, ==, 3);
    g_assert_cmpuint(sums->mem_mib, ==, 3 * 512);
    g_assert_false(sums->has_net || sums->has_disk || sums->has_cpu);
    g_assert_cmpuint(place(find(f, "g"), "a")->members, ==, 6);
    g_assert_cmpuint(place(find(f, "g"), "a")->running, ==, 3);
    g_assert_true(sums->has_imbalance);
    g_assert_cmpuint(sums->imbalance, ==, 3);
}

/* --- counters */

static void answer_traffic(struct kit_fixture *f, const char *guests, uint64_t octets)
{
    struct xc_report *report = kit_report("boot");

    for (unsigned i = 0; guests[i]; i++) {
        const char name[] = {guests[i], '\0'};
        struct xc_domain *d = kit_domain(report, name, (unsigned)guests[i] - 'a' + 1, guests[i]);

        XC_SET(DOMAIN, d, net_rx_bytes, octets);
        XC_SET(DOMAIN, d, net_tx_bytes, octets);
        XC_SET(DOMAIN, d, disk_rd_bytes, octets);
        XC_SET(DOMAIN, d, disk_wr_bytes, 0);
    }
    kit_answer(f, "a", report);
}

/* Whenever the sum has other parts, or is less, it says so. */
static void test_counters(struct kit_fixture *f, gconstpointer data)
{
    gint64 now = xc_clock_mono(), before;
    const struct xc_group_sums *sums;

    (void)data;
    make(f, "g", "a b");
    answer_traffic(f, "abc", 100);
    xc_clock_fake(now += XC_USEC_PER_SEC, xc_clock_real());
    sums = &find(f, "g")->sums;
    g_assert_true(sums->has_net && sums->has_disk);
    g_assert_cmpuint(sums->net_octets, ==, 400);
    g_assert_cmpuint(sums->disk_octets, ==, 200);
    before = sums->discontinuity_mono;
    xc_clock_fake(now += XC_USEC_PER_SEC, xc_clock_real());
    answer_traffic(f, "abc", 150);
    sums = &find(f, "g")->sums;
    g_assert_cmpuint(sums->net_octets, ==, 600);
    g_assert_cmpint(sums->discontinuity_mono, ==, before);
    xc_clock_fake(now += XC_USEC_PER_SEC, xc_clock_real());
    answer_traffic(f, "bc", 1000);
    sums = &find(f, "g")->sums;
    g_assert_cmpuint(sums->net_octets, ==, 2000);
    g_assert_cmpint(sums->discontinuity_mono, ==, now);
    xc_clock_fake(now += XC_USEC_PER_SEC, xc_clock_real());
    make(f, "g", "a b c");
    sums = &find(f, "g")->sums;
    g_assert_cmpuint(sums->net_octets, ==, 4000);
    g_assert_cmpint(sums->discontinuity_mono, ==, now);
    make(f, "g", "nobody");
    sums = &find(f, "g")->sums;
    g_assert_false(sums->has_net || sums->has_disk);
}

/* --- hosts */

static void test_hosts(struct kit_fixture *f, gconstpointer data)
{
    g_autoptr(xc_group_spec) spec = spec_of("g", "web");
    const struct xc_group *group;

    (void)data;
    answer(f, "a", "web r1");
    answer(f, "b", "");
    xc_group_host_get(spec, "b")->weight = 3;
    xc_group_host_get(spec, "c");
    g_assert_cmpint(kit_put_group(f, spec), ==, XC_CAUSE_NONE);
    group = find(f, "g");
    g_assert_cmpuint(group->places->len, ==, 3);
    g_assert_cmpuint(place(group, "a")->weight, ==, 100);
    g_assert_cmpuint(place(group, "b")->weight, ==, 3);
    g_assert_true(place(group, "b")->usable);
    g_assert_cmpint(place(group, "c")->cause, ==, XC_CAUSE_NO_SUCH_HOST);
    g_assert_false(place(group, "c")->usable);
    spec->all_hosts = false;
    g_assert_cmpint(kit_put_group(f, spec), ==, XC_CAUSE_NONE);
    group = find(f, "g");
    g_assert_cmpuint(group->places->len, ==, 2);
    g_assert_null(place(group, "a"));
    g_assert_cmpstr(group->spread_text, ==, "");
    g_assert_cmpuint(group->sums.running, ==, 1);
}

/* --- SETs */

static void test_refusals(struct kit_fixture *f, gconstpointer data)
{
    g_autoptr(xc_group_spec) spec = spec_of("g", "web");
    g_autoptr(xc_group_spec) bad = spec_of("a b", "");
    struct xc_txn *txn;
    GError *error = NULL;
    bool ok;

    (void)data;
    g_assert_cmpint(kit_put_group(f, bad), ==, XC_CAUSE_BAD_VALUE);
    g_assert_cmpint(kit_put_group(f, spec), ==, XC_CAUSE_NONE);
    g_assert_cmpint(kit_drop_group(f, "none"), ==, XC_CAUSE_NONE);
    find(f, "g")->active_op = 7;
    g_assert_cmpint(kit_drop_group(f, "g"), ==, XC_CAUSE_BUSY);
    find(f, "g")->active_op = 0;
    txn = xc_txn_new(f->engine);
    ok = xc_txn_remove_group(txn, "g", &error) && xc_txn_put_group(txn, spec, &error);
    g_assert_cmpint(kit_end_set(txn, ok, error), ==, XC_CAUSE_CONFLICT);
    error = NULL;
    txn = xc_txn_new(f->engine);
    ok = xc_txn_put_group(txn, spec, &error) && xc_txn_remove_group(txn, "g", &error);
    g_assert_cmpint(kit_end_set(txn, ok, error), ==, XC_CAUSE_CONFLICT);
    f->config->control = false;
    g_assert_cmpint(kit_put_group(f, spec), ==, XC_CAUSE_POLICY);
    g_assert_cmpint(kit_drop_group(f, "g"), ==, XC_CAUSE_POLICY);
}

static void test_locks(struct kit_fixture *f, gconstpointer data)
{
    struct xc_txn *txn;
    GError *error = NULL;
    bool ok;

    (void)data;
    make(f, "g", "");
    txn = xc_txn_new(f->engine);
    ok = xc_txn_lock_group(txn, "g", 0, &error);
    g_assert_cmpint(kit_end_set(txn, ok, error), ==, XC_CAUSE_NONE);
    g_assert_cmpuint(find(f, "g")->lock, ==, 1);
    txn = xc_txn_new(f->engine);
    ok = xc_txn_lock_group(txn, "g", 0, &error);
    g_assert_cmpint(kit_end_set(txn, ok, error), ==, XC_CAUSE_CONFLICT);
    g_assert_cmpuint(find(f, "g")->lock, ==, 1);
}

/* What a transaction did, those after it in the same request see; nobody else does. */
static void test_drafts(struct kit_fixture *f, gconstpointer data)
{
    struct xc_txn *txn = xc_txn_new(f->engine);
    g_autoptr(xc_group_spec) spec = spec_of("g", "a");
    struct xc_group_spec *draft;

    (void)data;
    g_assert_null(xc_txn_group(txn, "g"));
    g_assert_true(xc_txn_put_group(txn, spec, NULL));
    draft = xc_txn_group(txn, "g");
    xc_group_member_get(draft, "b");
    g_assert_true(xc_txn_put_group(txn, draft, NULL));
    g_assert_null(xc_group_find(f->engine, "g"));
    xc_txn_free(txn);
    g_assert_null(xc_group_find(f->engine, "g"));
    txn = xc_txn_new(f->engine);
    g_assert_true(xc_txn_put_group(txn, spec, NULL));
    xc_group_member_get(xc_txn_group(txn, "g"), "b");
    g_assert_cmpint(kit_end_set(txn, true, NULL), ==, XC_CAUSE_NONE);
    g_assert_cmpuint(find(f, "g")->spec->members->len, ==, 2);
}

/* --- what is kept */

static void test_restart(struct kit_fixture *f, gconstpointer data)
{
    g_autoptr(xc_group_spec) spec = spec_of("g", "web db");
    size_t n;

    (void)data;
    xc_group_member(spec, "db")->delay_sec = 9;
    xc_group_host_get(spec, "b")->weight = 7;
    g_assert_cmpint(kit_put_group(f, spec), ==, XC_CAUSE_NONE);
    make(f, "h", "x");
    make(f, "gone", "x");
    g_assert_cmpint(kit_drop_group(f, "gone"), ==, XC_CAUSE_NONE);
    kit_restart(f);
    g_assert_true(xc_group_spec_equal(find(f, "g")->spec, spec));
    g_assert_cmpint(find(f, "g")->origin, ==, XC_FROM_SNMP);
    xc_groups(f->engine, &n);
    g_assert_cmpuint(n, ==, 2);
}

/* Killed when the journal has it and state.db has not. */
static void test_journal(struct kit_fixture *f, gconstpointer data)
{
    g_autoptr(xc_group_spec) spec = spec_of("g", "web");
    g_autoptr(GByteArray) payload = g_byte_array_new();
    struct xc_journal *journal;
    int64_t seq;

    (void)data;
    make(f, "old", "x");
    f->engine = xc_engine_free(f->engine);
    journal = xc_journal_open(f->dir, NULL);
    xc_put_text(payload, "g");
    xc_group_spec_write(spec, payload);
    g_assert_true(xc_journal_add_intent(journal, XC_INTENT_PUT_GROUP, payload, &seq, NULL));
    g_byte_array_set_size(payload, 0);
    xc_put_text(payload, "old");
    g_assert_true(xc_journal_add_intent(journal, XC_INTENT_REMOVE_GROUP, payload, &seq, NULL));
    xc_journal_close(journal);
    kit_open(f);
    for (unsigned i = 0; i < 2; i++) {
        g_assert_true(xc_group_spec_equal(find(f, "g")->spec, spec));
        g_assert_null(xc_group_find(f->engine, "old"));
        kit_restart(f);
    }
}

static void test_configured(struct kit_fixture *f, gconstpointer data)
{
    g_autoptr(xc_group_spec) own = spec_of("file", "mine");
    g_autoptr(xc_config) next = xc_config_new();
    g_autoptr(GError) error = NULL;

    (void)data;
    make(f, "file", "theirs");
    g_ptr_array_add(f->config->groups, spec_of("file", "web db"));
    kit_restart(f);
    g_assert_cmpuint(find(f, "file")->spec->members->len, ==, 2);
    g_assert_cmpint(find(f, "file")->origin, ==, XC_FROM_CONFIG);
    g_assert_cmpint(kit_put_group(f, own), ==, XC_CAUSE_POLICY);
    g_assert_cmpint(kit_drop_group(f, "file"), ==, XC_CAUSE_POLICY);
    /* Read again: changed, added, and none goes while something is done to it. */
    kit_add_source(next, "a");
    kit_add_source(next, "b");
    g_free(next->state_dir);
    next->state_dir = g_strdup(f->dir);
    g_ptr_array_add(next->groups, spec_of("more", "x"));
    find(f, "file")->active_op = 5;
    g_assert_false(xc_engine_reload(f->engine, next, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_BAD_STATE);
    g_assert_nonnull(find(f, "file"));
    g_assert_null(xc_group_find(f->engine, "more"));
    find(f, "file")->active_op = 0;
    g_assert_true(xc_engine_reload(f->engine, next, NULL));
    g_assert_null(xc_group_find(f->engine, "file"));
    g_assert_nonnull(find(f, "more"));
    f->engine = xc_engine_free(f->engine);
}

/* --- sources whose hosts are selected */

static void test_selected_source(struct kit_fixture *f, gconstpointer data)
{
    struct xc_source_spec source = {.key = (char *)"c", .uri = (char *)"sim:///run/farm.sock/c"};
    g_autoptr(xc_group_spec) spec = spec_of("g", "");
    struct xc_source_spec full;
    struct xc_txn *txn = xc_txn_new(f->engine);
    GError *error = NULL;
    bool ok;

    (void)data;
    xc_source_spec_copy(&full, &source);
    g_assert_true(xc_txn_put_source(txn, &full, true, 0, NULL));
    g_assert_cmpint(kit_end_set(txn, true, NULL), ==, XC_CAUSE_NONE);
    xc_source_spec_clear(&full);
    g_assert_true(xc_group_hosts_parse(spec, "a c", NULL));
    g_assert_cmpint(kit_put_group(f, spec), ==, XC_CAUSE_NONE);
    txn = xc_txn_new(f->engine);
    ok = xc_txn_remove_source(txn, "c", &error);
    g_assert_cmpint(kit_end_set(txn, ok, error), ==, XC_CAUSE_BAD_STATE);
    /* Together with its last selection it goes. */
    g_assert_true(xc_group_hosts_parse(spec, "a", NULL));
    error = NULL;
    txn = xc_txn_new(f->engine);
    ok = xc_txn_put_group(txn, spec, &error) && xc_txn_remove_source(txn, "c", &error);
    g_assert_cmpint(kit_end_set(txn, ok, error), ==, XC_CAUSE_NONE);
    g_assert_null(xc_fleet_source(f->engine, "c"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function)                                                                        \
    g_test_add("/groups/" name, struct kit_fixture, NULL, kit_set_up, function, kit_tear_down)
    ADD("resolving", test_resolving);
    ADD("moves", test_moves);
    ADD("two-groups", test_two_groups);
    ADD("status", test_status);
    ADD("counts", test_counts);
    ADD("counters", test_counters);
    ADD("hosts", test_hosts);
    ADD("refusals", test_refusals);
    ADD("locks", test_locks);
    ADD("drafts", test_drafts);
    ADD("restart", test_restart);
    ADD("journal", test_journal);
    ADD("configured", test_configured);
    ADD("selected-source", test_selected_source);
    return g_test_run();
}
