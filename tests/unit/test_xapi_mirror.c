/* The mirror of a pool: events in, a report out; what is lost, gone, hostile or not known. */
#include "tests/unit/xapi_mirror_kit.h"

static void assert_devices(const xc_report *report)
{
    const struct xc_vif *vif = &g_array_index(report->vifs, struct xc_vif, 0);

    g_assert_cmpuint(report->vifs->len, ==, 1);
    g_assert_cmpstr(vif->mac, ==, "00:16:3e:00:00:01");
    g_assert_cmpstr(vif->bridge, ==, "xenbr0");
    g_assert_cmpuint(report->vbds->len, ==, 2);
    for (guint i = 0; i < 2; i++) {
        const struct xc_vbd *vbd = &g_array_index(report->vbds, struct xc_vbd, i);

        if (vbd->number == 51712) {
            g_assert_cmpstr(vbd->target, ==, "web root");
            g_assert_false(vbd->read_only);
        } else {
            g_assert_cmpint(vbd->number, ==, 51760);
            g_assert_true(vbd->read_only);
            g_assert_false(XC_HAS(VBD, vbd, target));
            g_assert_false(XC_HAS(VBD, vbd, device));
        }
    }
}

static void test_report(void)
{
    struct xapi_mirror *mirror = pool();
    g_autoptr(xapi_meters) meters = xapi_meters_new();
    g_autoptr(xc_report) report = report_of(mirror, meters);
    const struct xc_host *host = &g_array_index(report->hosts, struct xc_host, 0);
    const struct xc_domain *web = domain(report, "web & shop");
    const struct xc_domain *db = domain(report, "db");
    const struct xc_domain *dom0 = domain(report, "Control domain");

    g_assert_cmpuint(report->hosts->len, ==, 2);
    g_assert_cmpuint(report->domains->len, ==, 4);
    g_assert_cmpstr(host->name, ==, "xen1");
    g_assert_cmpstr(host->address, ==, "192.0.2.1");
    g_assert_cmpstr(host->product, ==, "XCP-ng 8.3.0");
    g_assert_cmpstr(host->xen_version, ==, "4.17.5");
    g_assert_cmpuint(host->cpus, ==, 16);
    g_assert_cmpuint(host->sockets, ==, 2);
    g_assert_cmpuint(host->cpu_mhz, ==, 2400);
    g_assert_cmpuint(host->mem_total_kib, ==, 16777216);
    g_assert_cmpint(host->boot_time, ==, G_GINT64_CONSTANT(1699990000000000));
    g_assert_false(XC_HAS(HOST, host, clock));
    g_assert_false(XC_HAS(HOST, host + 1, product));
    g_assert_false(XC_HAS(HOST, host + 1, cpus));

    g_assert_nonnull(web);
    g_assert_cmpint(web->state, ==, XC_STATE_RUNNING);
    g_assert_cmpint(web->kind, ==, XC_KIND_GUEST);
    g_assert_cmpint(web->virt, ==, XC_VIRT_PVHVM);
    g_assert_true(web->uuid_fixed);
    g_assert_cmpint(web->domid, ==, 7);
    g_assert_cmpuint(web->vcpus, ==, 2);
    g_assert_cmpuint(web->vcpus_max, ==, 4);
    g_assert_cmpuint(web->mem_kib, ==, 2097152);
    g_assert_cmpuint(web->mem_max_kib, ==, 4194304);
    g_assert_cmpint(web->started, ==, G_GINT64_CONSTANT(1699995600000000));
    g_assert_cmpuint(web->host, ==, 0);
    g_assert_false(XC_HAS(DOMAIN, web, cpu_usec));
    g_assert_cmpint(dom0->kind, ==, XC_KIND_CONTROL);
    g_assert_cmpint(db->state, ==, XC_STATE_SHUTDOWN);
    g_assert_cmpint(db->virt, ==, XC_VIRT_HVM);
    g_assert_cmpuint(db->host, ==, 1);
    g_assert_false(XC_HAS(DOMAIN, db, domid));
    g_assert_false(XC_HAS(DOMAIN, db, mem_kib));
    g_assert_false(XC_HAS(DOMAIN, db, started));

    assert_devices(report);
    xapi_mirror_free(mirror);
}

/* The recorded form: two VMs of hundreds of fields, one deleted. */
static void test_fixture(void)
{
    g_autofree char *answer = xapi_fixture("event-from-batch.xml");
    g_autoptr(GError) error = NULL;
    g_autoptr(xapi_batch) batch = xapi_read_batch(answer, &error);
    const struct xapi_vm *vm;

    g_assert_no_error(error);
    g_assert_cmpstr(batch->token, ==, "00000000000000123456,00000000000000000017");
    g_assert_cmpuint(batch->changes->len, ==, 3);
    g_assert_cmpint(batch->counts[XAPI_VM], ==, 61);
    g_assert_cmpint(batch->counts[XAPI_VBD], ==, -1);
    vm = (const struct xapi_vm *)g_array_index(batch->changes, struct xapi_change, 1).object;
    g_assert_cmpstr(vm->head.ref, ==, "OpaqueRef:00000011-0000-4000-8000-000000000011");
    g_assert_cmpstr(vm->name, ==, "web & <shop> \xc3\xa9");
    g_assert_cmpstr(vm->power_state, ==, "Paused");
    g_assert_cmpint(vm->domid.value, ==, 7);
    g_assert_cmpint(vm->memory_max.value, ==, G_GINT64_CONSTANT(8589934592));
    g_assert_true(g_array_index(batch->changes, struct xapi_change, 2).gone);
}

static void test_changes(void)
{
    struct xapi_mirror *mirror = pool();
    bool changed;

    /* What moves by itself is taken in and worth no poll. */
    change(mirror, "vm_metrics", "mod", REF("vmm1"),
           FIELD("VCPUs_number", "2") FIELD("memory_actual", "1073741824")
               DATE("start_time", "20231114T21:00:00Z"),
           &changed);
    g_assert_false(changed);
    g_assert_cmpint(
        ((const struct xapi_vm_metrics *)xapi_mirror_find(mirror, XAPI_VM_METRICS, REF("vmm1")))
            ->memory_actual.value,
        ==, 1073741824);
    change(mirror, "vm", "mod", REF("v1"),
           KIT_VM_FIELDS("1", "web &amp; shop", "Paused", REF("h1"), FIELD("domid", "7")),
           &changed);
    g_assert_true(changed);
    /* An unknown one that is modified is there now; one that goes and was never there matters not. */
    change(mirror, "vm", "mod", REF("v8"), KIT_VM_FIELDS("8", "new", "Halted", REF("NULL"), ""),
           &changed);
    g_assert_true(changed);
    g_assert_nonnull(xapi_mirror_find(mirror, XAPI_VM, REF("v8")));
    change(mirror, "vm", "del", REF("none"), NULL, &changed);
    g_assert_false(changed);
    change(mirror, "vm", "del", REF("v8"), NULL, &changed);
    g_assert_true(changed);
    g_assert_null(xapi_mirror_find(mirror, XAPI_VM, REF("v8")));
    /* Classes and operations of newer servers. */
    change(mirror, "vm_group", "add", REF("g"), FIELD("name_label", "x"), &changed);
    g_assert_false(changed);
    change(mirror, "vm", "renamed", REF("v1"), FIELD("name_label", "x"), &changed);
    g_assert_false(changed);
    xapi_mirror_free(mirror);
}

static void test_states(void)
{
    static const struct {
        const char *fields;
        int state; /* 0: not known */
        bool migrating, shown;
    } cases[] = {
#define MADE(members)                                                                              \
    KIT_VM_FIELDS("1", "vm", "Halted", REF("h1"), FIELD("domid", "7") MAP("other_config", members))
#define ONE(power, operation)                                                                      \
    KIT_VM_FIELDS("1", "vm", power, REF("h1"),                                                     \
                  FIELD("domid", "7") MAP("current_operations", FIELD(REF("t"), operation)))
        {ONE("Running", "pool_migrate"), XC_STATE_RUNNING, true, true},
        {ONE("Running", "clean_shutdown"), XC_STATE_SHUTTING_DOWN, false, true},
        {ONE("Running", "suspend"), XC_STATE_SUSPENDING, false, true},
        {ONE("Suspended", "resume_on"), XC_STATE_RESUMING, false, true},
        {ONE("Suspended", "snapshot"), XC_STATE_SUSPENDED, false, true},
        {ONE("Halted", "start_on"), XC_STATE_PREPARING, false, true},
        {ONE("Running", "hard_reboot"), XC_STATE_RUNNING, false, true},
        {ONE("Running", "some_new_thing"), XC_STATE_RUNNING, false, true},
        {ONE("Exploded", "start"), 0, false, true},
        {ONE("Halted", "import"), 0, false, false},
        {ONE("Halted", "provision"), 0, false, false},
#undef ONE
        /* Lacking disks and made by us it is half made; another's is what it is. */
        {MADE(FIELD("xensnmp-made", "x") FIELD("disks", "x")), 0, false, false},
        {MADE(FIELD("xensnmp-made", "x")), XC_STATE_SHUTDOWN, false, true},
        {MADE(FIELD("disks", "x")), XC_STATE_SHUTDOWN, false, true},
#undef MADE
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct xapi_mirror *mirror = pool();
        g_autoptr(xapi_meters) meters = xapi_meters_new();
        g_autoptr(xc_report) report = NULL;
        const struct xc_domain *d;
        bool changed;

        change(mirror, "vm", "mod", REF("v1"), cases[i].fields, &changed);
        report = report_of(mirror, meters);
        d = domain(report, "vm");
        g_assert_cmpint(d != NULL, ==, cases[i].shown);
        if (d && cases[i].state)
            g_assert_cmpint(d->state, ==, cases[i].state);
        if (d) {
            g_assert_cmpint(XC_HAS(DOMAIN, d, state), ==, cases[i].state != 0);
            g_assert_cmpint(XC_HAS(DOMAIN, d, migrating) && d->migrating, ==, cases[i].migrating);
        }
        xapi_mirror_free(mirror);
    }
}

/* A host that is not heard of: what runs there is not known, its inventory is. */
static void test_dead_host(void)
{
    struct xapi_mirror *mirror = pool();
    g_autoptr(xapi_meters) meters = xapi_meters_new();
    g_autoptr(xc_report) report = NULL;
    const struct xc_domain *mail;
    bool changed;

    change(mirror, "host_metrics", "mod", REF("m2"), FLAG("live", "0"), &changed);
    g_assert_true(changed);
    report = report_of(mirror, meters);
    mail = domain(report, "mail");
    g_assert_false(XC_HAS(DOMAIN, mail, state));
    g_assert_false(XC_HAS(DOMAIN, mail, domid));
    g_assert_true(XC_HAS(DOMAIN, mail, mem_max_kib));
    g_assert_cmpuint(mail->host, ==, 1);
    g_assert_true(XC_HAS(DOMAIN, domain(report, "web & shop"), state));
    xapi_mirror_free(mirror);
}

/* One that stopped stays with the host where it was. */
static void test_last_host(void)
{
    struct xapi_mirror *mirror = pool();
    g_autoptr(xapi_meters) meters = xapi_meters_new();
    g_autoptr(xc_report) report = NULL;
    GString *again = kit_pool();
    bool changed;

    change(mirror, "vm", "mod", REF("v3"),
           KIT_VM_FIELDS("3", "mail", "Halted", REF("NULL"), FIELD("domid", "-1")), &changed);
    kit_event(again, "vm", "add", REF("v3"),
              KIT_VM_FIELDS("3", "mail", "Halted", REF("NULL"), FIELD("domid", "-1")));
    apply(mirror, kit_answer(again, "", "3"), XAPI_ALL_CLASSES, &changed);
    report = report_of(mirror, meters);
    g_assert_cmpuint(domain(report, "mail")->host, ==, 1);
    xapi_mirror_free(mirror);
}

#define VM_BIT (1u << XAPI_VM)

/* Objects that went while nobody listened are found by their number, once. */
static void test_lost_events(void)
{
    struct xapi_mirror *mirror = pool();
    GString *events;
    bool changed;

    g_assert_cmpuint(
        apply(mirror, kit_answer(g_string_new(NULL), FIELD("vm", "<i4>7</i4>"), "2"), 0, &changed),
        ==, 0);
    g_assert_cmpuint(
        apply(mirror, kit_answer(g_string_new(NULL), FIELD("vm", "<i4>1</i4>"), "2"), 0, &changed),
        ==, VM_BIT);
    events = g_string_new(NULL);
    kit_event(events, "vm", "add", REF("v1"),
              KIT_VM_FIELDS("1", "web", "Running", REF("h1"), FIELD("domid", "7")));
    g_assert_cmpuint(
        apply(mirror, kit_answer(events, FIELD("vm", "<i4>1</i4>"), "9"), VM_BIT, &changed), ==, 0);
    g_assert_true(changed);
    g_assert_null(xapi_mirror_find(mirror, XAPI_VM, REF("v2")));
    g_assert_nonnull(xapi_mirror_find(mirror, XAPI_HOST, REF("h1")));
    /* A server that counts what it does not tell of is not asked for ever. */
    events = g_string_new(NULL);
    kit_event(events, "vm", "add", REF("v1"), KIT_VM_FIELDS("1", "web", "Running", REF("h1"), ""));
    g_assert_cmpuint(
        apply(mirror, kit_answer(events, FIELD("vm", "<i4>5</i4>"), "9"), VM_BIT, &changed), ==, 0);
    g_assert_cmpuint(
        apply(mirror, kit_answer(g_string_new(NULL), FIELD("vm", "<i4>5</i4>"), "9"), 0, &changed),
        ==, 0);
    xapi_mirror_free(mirror);
}

/* An event that does not tell what the object is now asks for its class. */
static void test_bare_event(void)
{
    struct xapi_mirror *mirror = pool();
    bool changed;

    g_assert_cmpuint(change(mirror, "vm", "mod", REF("v1"), NULL, &changed), ==, VM_BIT);
    g_assert_nonnull(xapi_mirror_find(mirror, XAPI_VM, REF("v1")));
    xapi_mirror_free(mirror);
}

/* What events hold besides, or in another form, is passed over. */
static void test_odd_events(void)
{
    static const char *const events[] = {
        MAP("class", FIELD("VCPUs_max", "1")) FIELD("operation", "add") FIELD("ref", REF("x")),
        FIELD("class", "vm") MAP("snapshoot", FIELD("VCPUs_max", "1")) FIELD("operation", "add")
            FIELD("ref", REF("x")),
        MAP("snapshot", FIELD("VCPUs_max", "1")) FIELD("class", "vm") FIELD("operation", "add")
            FIELD("ref", REF("x")),
        FIELD("class", "vm") MAP("snapshot", FIELD("name_label", "x")),
        FIELD("class", "vm") FIELD("operation", "add") FIELD("ref", "")
            MAP("snapshot", FIELD("name_label", "x")),
    };

    for (size_t i = 0; i < G_N_ELEMENTS(events); i++) {
        g_autofree char *value = g_strdup_printf(
            "<struct>" FIELD("events", "<array><data><value><struct>%s</struct>"
                                       "</value></data></array>") FIELD("token", "1") "</struct>",
            events[i]);
        g_autofree char *answer = xapi_success(value);
        g_autoptr(GError) error = NULL;
        g_autoptr(xapi_batch) batch = xapi_read_batch(answer, &error);

        g_assert_no_error(error);
        g_assert_cmpuint(batch->changes->len, ==, 0);
    }
}

/* Values out of their range, of other types or far too long are not known, and harm nothing. */
static void test_lies(void)
{
    g_autofree char *filler = g_strnfill(70000, 'n');
    g_autofree char *fields = g_strconcat(
        FIELD("uuid", "not a uuid") FIELD("power_state", "<array><data/></array>")
            FIELD("domid", "1099511627776") FIELD("VCPUs_max", "-3")
                FIELD("memory_static_max", "1e308") FIELD("VCPUs_at_startup", "<nil/>")
                    FIELD("resident_on", REF("nowhere")) FIELD("is_a_template", "perhaps")
                        MAP("current_operations", FIELD("", "")) "<member><name>name_label</name>"
                                                                 "<value>",
        filler, "</value></member>", NULL);
    struct xapi_mirror *mirror = pool();
    g_autoptr(xapi_meters) meters = xapi_meters_new();
    g_autoptr(xc_report) report = NULL;
    bool changed, found = false;

    change(mirror, "vm", "mod", REF("v1"), fields, &changed);
    report = report_of(mirror, meters);
    for (guint i = 0; i < report->domains->len; i++) {
        const struct xc_domain *d = &g_array_index(report->domains, struct xc_domain, i);

        if (XC_HAS(DOMAIN, d, uuid))
            continue;
        found = true;
        g_assert_cmpuint(strlen(d->name), <=, 255);
        g_assert_false(XC_HAS(DOMAIN, d, state) || XC_HAS(DOMAIN, d, domid) ||
                       XC_HAS(DOMAIN, d, vcpus) || XC_HAS(DOMAIN, d, vcpus_max) ||
                       XC_HAS(DOMAIN, d, mem_max_kib));
    }
    g_assert_true(found);
    xapi_mirror_free(mirror);
}

static void test_no_batch(void)
{
    static const char *const values[] = {
        "text",
        "<array><data/></array>",
        "<struct>" FIELD("events", "text") "</struct>",
        "<struct>" FIELD("events", "<array><data><value>text</value></data></array>") "</struct>",
        "<struct>" FIELD("token", "<array><data/></array>") "</struct>",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
        g_autofree char *answer = xapi_success(values[i]);
        g_autoptr(GError) error = NULL;

        g_assert_null(xapi_read_batch(answer, &error));
        g_assert_error(error, XC_ERROR, XC_CAUSE_DRIVER_ERROR);
    }
}

/* Disks by events, none of which is too large. */
static struct xapi_batch *disks(unsigned first, unsigned n)
{
    struct xapi_batch *batch = xapi_batch_new();

    for (unsigned i = first; i < first + n; i++) {
        struct xapi_change change = {.object = xapi_object_new(XAPI_VDI)};

        change.object->ref = g_strdup_printf("OpaqueRef:%u", i);
        ((struct xapi_vdi *)(void *)change.object)->name = g_strnfill(200, 'x');
        g_array_append_val(batch->changes, change);
    }
    return batch;
}

static bool apply_disks(struct xapi_mirror *mirror, unsigned first, unsigned whole, GError **error)
{
    g_autoptr(xapi_batch) batch = disks(first, 10000);
    bool changed = false;
    unsigned stale = 0;

    return xapi_mirror_apply(mirror, batch, XAPI_ALL_CLASSES, whole, &changed, &stale, error);
}

/* What is told again or read anew is not more; what only grows ends. */
static void test_crowd(void)
{
    struct xapi_mirror *mirror = xapi_mirror_new();
    g_autoptr(GError) error = NULL;
    unsigned n = 0;
    size_t octets;

    g_assert_true(apply_disks(mirror, 0, XAPI_ALL_CLASSES, NULL));
    octets = mirror->octets;
    g_assert_true(apply_disks(mirror, 0, 0, NULL));
    g_assert_true(apply_disks(mirror, 0, XAPI_ALL_CLASSES, NULL));
    g_assert_cmpuint(mirror->octets, ==, octets);
    while (n < 100 && apply_disks(mirror, n * 10000, 0, &error))
        n++;
    g_assert_cmpuint(n, >, 5);
    g_assert_error(error, XC_ERROR, XC_CAUSE_LIMIT);
    xapi_mirror_free(mirror);
}

/* Names of the domains that a report of news has, which counts as told then; "*": all is new. */
static char *news_of(struct xapi_mirror *mirror)
{
    g_autoptr(xapi_meters) meters = xapi_meters_new();
    g_autoptr(xc_report) report = xc_report_new();
    g_autoptr(GError) error = NULL;
    GString *names = g_string_new(mirror->all_new ? "*" : NULL);

    report->news = !mirror->all_new;
    g_assert_true(xapi_report_fill(report, mirror, meters, &error));
    g_assert_true(xc_report_check(report));
    g_assert_cmpuint(report->hosts->len, ==, 2);
    for (guint i = 0; report->news && i < report->domains->len; i++)
        g_string_append(names, g_array_index(report->domains, struct xc_domain, i).name);
    xapi_mirror_reported(mirror);
    return g_string_free(names, FALSE);
}

static void test_news(void)
{
    static const struct {
        const char *class, *operation, *ref, *fields, *news;
    } cases[] = {
        {"vm", "mod", REF("v3"),
         KIT_VM_FIELDS("3", "post", "Halted", REF("NULL"), FIELD("domid", "-1")), "post"},
        {"vm_metrics", "mod", REF("vmm1"), FIELD("memory_actual", "1073741824"), "web & shop"},
        {"vm_guest_metrics", "del", REF("vmg1"), NULL, "web & shop"},
        {"vdi", "mod", REF("vdi1"), FIELD("name_label", "disk"), "web & shop"},
        {"vbd", "del", REF("vbd1"), NULL, "web & shop"},
        {"vdi", "mod", REF("vdi1"), FIELD("name_label", "of nobody"), ""},
        {"vif", "mod", REF("vif1"), FIELD("VM", REF("v2")) FIELD("device", "0"), "*2"},
        {"host_metrics", "mod", REF("m1"), FLAG("live", "1") FIELD("memory_total", "17179869184"),
         ""},
        {"host_metrics", "mod", REF("m1"), FLAG("live", "0"), "*"},
        {"network", "mod", REF("net1"), FIELD("bridge", "xenbr1"), "*"},
        {"vm", "mod", REF("s1"),
         KIT_VM_FIELDS("5", "before", "Halted", REF("NULL"), FLAG("is_a_snapshot", "1")), "*"},
        {"vm", "add", REF("v8"), KIT_VM_FIELDS("8", "new", "Halted", REF("NULL"), ""), "*"},
        {"vm", "del", REF("v8"), NULL, "*"},
        {"vm", "del", REF("v8"), NULL, ""},
        {"message", "add", REF("msg1"), FIELD("name", "VM_STARTED"), ""},
    };
    struct xapi_mirror *mirror = pool();
    g_autofree char *first = news_of(mirror);
    bool changed;

    g_assert_cmpstr(first, ==, "*");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *told = NULL;

        change(mirror, cases[i].class, cases[i].operation, cases[i].ref, cases[i].fields, &changed);
        told = news_of(mirror);
        if (strcmp(cases[i].news, "*2") == 0) /* who had it, and who has it now, in any order */
            g_assert_true(strstr(told, "web & shop") && strstr(told, "db"));
        else
            g_assert_cmpstr(told, ==, cases[i].news);
    }
    xapi_mirror_free(mirror);
}

#define OWNERS 4

static bool chance(int of)
{
    return g_test_rand_int_range(0, of) == 0;
}

/* What belongs to a VM, perhaps, told of or gone. */
static struct xapi_change random_change(void)
{
    static const enum xapi_class classes[] = {XAPI_VIF, XAPI_VBD, XAPI_VM};
    enum xapi_class class = classes[g_test_rand_int_range(0, G_N_ELEMENTS(classes))];
    struct xapi_change change = {.object = xapi_object_new(class), .gone = chance(4)};
    struct xapi_vm *vm = (struct xapi_vm *)(void *)change.object;
    char *owner = chance(5) ? NULL : g_strdup_printf("owner%d", g_test_rand_int_range(0, OWNERS));

    change.object->ref = g_strdup_printf("%d", g_test_rand_int_range(0, 12));
    if (change.gone)
        g_clear_pointer(&owner, g_free);
    if (class == XAPI_VIF) {
        ((struct xapi_vif *)(void *)change.object)->vm = owner;
    } else if (class == XAPI_VBD) {
        ((struct xapi_vbd *)(void *)change.object)->vm = owner;
    } else {
        vm->snapshot_of = owner;
        vm->is_snapshot.known = !chance(5);
        vm->is_snapshot.value = !chance(5);
    }
    return change;
}

static bool belongs(const struct xapi_object *object, const char *owner)
{
    const struct xapi_vm *vm = (const struct xapi_vm *)object;
    const char *of = NULL;

    if (object->class == XAPI_VIF)
        of = ((const struct xapi_vif *)object)->vm;
    else if (object->class == XAPI_VBD)
        of = ((const struct xapi_vbd *)object)->vm;
    else if (object->class == XAPI_VM && vm->is_snapshot.known && vm->is_snapshot.value)
        of = vm->snapshot_of;
    return g_strcmp0(of, owner) == 0;
}

/* The list of a VM is what a walk over all there is finds of it. */
static void check_owned(const struct xapi_mirror *mirror, const char *owner)
{
    const struct xapi_object *previous = NULL;
    g_autoptr(GHashTable) listed = g_hash_table_new(NULL, NULL);
    GHashTableIter iter;
    gpointer object;

    for (const struct xapi_object *owned = xapi_mirror_owned(mirror, owner); owned;
         previous = owned, owned = owned->next) {
        g_assert_true(owned->previous == previous);
        g_assert_true(g_hash_table_add(listed, (gpointer)owned));
    }
    for (unsigned class = 0; class < XAPI_N_CLASSES; class ++) {
        g_hash_table_iter_init(&iter, mirror->objects[class]);
        while (g_hash_table_iter_next(&iter, NULL, &object))
            g_assert_true(g_hash_table_remove(listed, object) == belongs(object, owner));
    }
    g_assert_cmpuint(g_hash_table_size(listed), ==, 0);
}

/* Whatever comes, goes, moves or is read anew, in whatever order. */
static void test_owned(void)
{
    struct xapi_mirror *mirror = xapi_mirror_new();

    for (unsigned turn = 0; turn < 3000; turn++) {
        g_autoptr(xapi_batch) batch = xapi_batch_new();
        g_autoptr(GError) error = NULL;
        unsigned whole = chance(10) ? (unsigned)g_test_rand_int() & XAPI_ALL_CLASSES : 0;
        unsigned stale = 0;
        bool changed = false;

        for (int n = g_test_rand_int_range(0, 8); n > 0; n--) {
            struct xapi_change change = random_change();

            g_array_append_val(batch->changes, change);
        }
        g_assert_true(
            xapi_mirror_apply(mirror, batch, XAPI_ALL_CLASSES, whole, &changed, &stale, &error));
        for (unsigned i = 0; i < OWNERS; i++) {
            g_autofree char *owner = g_strdup_printf("owner%u", i);

            check_owned(mirror, owner);
        }
    }
    xapi_mirror_free(mirror);
}

static void test_no_hosts(void)
{
    struct xapi_mirror *mirror = xapi_mirror_new();
    g_autoptr(xapi_meters) meters = xapi_meters_new();
    g_autoptr(xc_report) report = xc_report_new();
    g_autoptr(GError) error = NULL;

    g_assert_false(xapi_report_fill(report, mirror, meters, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_DRIVER_ERROR);
    xapi_mirror_free(mirror);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/xapi-mirror/report", test_report);
    g_test_add_func("/xapi-mirror/fixture", test_fixture);
    g_test_add_func("/xapi-mirror/changes", test_changes);
    g_test_add_func("/xapi-mirror/states", test_states);
    g_test_add_func("/xapi-mirror/dead-host", test_dead_host);
    g_test_add_func("/xapi-mirror/last-host", test_last_host);
    g_test_add_func("/xapi-mirror/lost-events", test_lost_events);
    g_test_add_func("/xapi-mirror/bare-event", test_bare_event);
    g_test_add_func("/xapi-mirror/odd-events", test_odd_events);
    g_test_add_func("/xapi-mirror/lies", test_lies);
    g_test_add_func("/xapi-mirror/no-batch", test_no_batch);
    g_test_add_func("/xapi-mirror/crowd", test_crowd);
    g_test_add_func("/xapi-mirror/news", test_news);
    g_test_add_func("/xapi-mirror/owned", test_owned);
    g_test_add_func("/xapi-mirror/no-hosts", test_no_hosts);
    return g_test_run();
}
