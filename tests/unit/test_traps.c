/* From events to notifications: every kind has one, of its name and number; its varbinds are those the MIB lists, and what is not known is
 * left out. */
#include "tests/unit/engine_kit.h"

#include "mibs/oid_root.h"
#include "subagent/tables/tables.h"
#include "subagent/traps.h"

static const oid root[] = {XENSNMP_OID_ROOT};

struct estate {
    struct kit_fixture kit; /* first */
    struct st_context context;
};

static void set_up(struct estate *e, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    kit_set_up(&e->kit, data);
    e->context.engine = e->kit.engine;
    e->context.names = st_names_new();
    e->context.mib =
        st_mib_new(root, G_N_ELEMENTS(root), st_tables, st_n_tables, &e->context, NULL, &error);
    g_assert_no_error(error);
    e->context.traps = st_traps_new(&e->context, &error);
    g_assert_no_error(error);
}

static void tear_down(struct estate *e, gconstpointer data)
{
    st_traps_free(e->context.traps);
    st_mib_free(e->context.mib);
    st_names_free(e->context.names);
    kit_tear_down(&e->kit, data);
}

/* The event as it stands in the ring, once it does. */
static const struct xc_event *happen(struct estate *e, struct xc_event *event)
{
    struct xc_engine *engine = e->kit.engine;
    uint32_t before = xc_event_counts(engine).last;
    size_t n;
    const struct xc_event *const *ring;

    xc_events_add(engine, event);
    KIT_UNTIL((ring = xc_events(engine, &n), n && ring[n - 1] == event));
    g_assert_cmpuint(event->serial, >, before);
    return event;
}

static const struct st_leaf *leaf_at(const struct st_mib *mib, const netsnmp_variable_list *var,
                                     const oid **rest, size_t *n_rest)
{
    for (unsigned i = 0; i < mib->n_leaves; i++) {
        const struct st_leaf *leaf = &mib->leaves[i];
        size_t n = mib->root_length + leaf->length;

        if (var->name_length > n &&
            snmp_oid_compare(var->name, mib->root_length, mib->root, mib->root_length) == 0 &&
            memcmp(var->name + mib->root_length, leaf->prefix, leaf->length * sizeof(oid)) == 0) {
            *rest = var->name + n;
            *n_rest = var->name_length - n;
            return leaf;
        }
    }
    return NULL;
}

/* "xenHostLabel[1.97]=a ..." of all but the common ones; *arc: of the notification. */
static char *varbinds(struct estate *e, const struct xc_event *event, oid *arc)
{
    netsnmp_variable_list *list = st_traps_varbinds(e->context.traps, event);
    GString *out = g_string_new("");
    int i = 0;

    g_assert_nonnull(list);
    *arc = list->val.objid[list->val_len / sizeof(oid) - 1];
    for (const netsnmp_variable_list *var = list->next_variable; var; var = var->next_variable) {
        const oid *rest = NULL;
        size_t n_rest = 0;
        const struct st_leaf *leaf = leaf_at(e->context.mib, var, &rest, &n_rest);

        g_assert_nonnull(leaf);
        g_assert_cmpint(var->type, ==, leaf->asn);
        if (i++ < 6)
            continue;
        g_string_append_printf(out, "%s[", leaf->column->name);
        for (size_t k = 0; k < n_rest; k++)
            g_string_append_printf(out, k ? ".%lu" : "%lu", rest[k]);
        if (var->type == ASN_OCTET_STR)
            g_string_append_printf(out, "]=%.*s ", (int)var->val_len, (char *)var->val.string);
        else
            g_string_append_printf(out, "]=%ld ", *var->val.integer);
    }
    snmp_free_varbind(list);
    return g_string_free(out, FALSE);
}

static void check(struct estate *e, struct xc_event *made, const char *want)
{
    const struct xc_event *event = happen(e, made);
    oid arc = 0;
    g_autofree char *got = varbinds(e, event, &arc);

    g_assert_cmpstr(got, ==, want);
    g_assert_cmpuint(arc, ==, event->type);
}

static void test_every_kind(struct estate *e, gconstpointer data)
{
    g_autofree char *schema = st_traps_schema();

    (void)data;
    for (size_t i = 0; i < xc_event_type_labels.n_labels; i++) {
        const struct xc_label *kind = &xc_event_type_labels.labels[i];
        g_autofree char *line =
            g_strdup_printf("xenNotify%c%s\t0.%d\tnotification\t", g_ascii_toupper(*kind->label),
                            kind->label + 1, kind->number);

        if (!strstr(schema, line))
            g_error("%s: the schema has no such notification", line);
        oid arc = 0;
        g_free(varbinds(e,
                        happen(e, xc_event_new((enum xc_event_type)kind->number, XC_SEVERITY_INFO,
                                               "", "x", "%s", "")),
                        &arc));
        g_assert_cmpuint(arc, ==, kind->number);
    }
}

static void test_domain(struct estate *e, gconstpointer data)
{
    struct xc_report *report = kit_report("boot");
    struct xc_event *event;

    (void)data;
    kit_domain(report, "web", 1, 7);
    kit_answer(&e->kit, "a", report);
    event = xc_event_new(XC_EVENT_DOMAIN_STATE, XC_SEVERITY_INFO, "a", "web", "%s", "");
    event->domain = kit_find(&e->kit, "web")->index;
    check(e, event,
          "xenDomainName[1]=web xenDomainUuid[1]=ab000000-0000-0000-0000-000000000001 "
          "xenDomainState[1]=4 xenHostLabel[1.97]=a xenHostState[1.97]=2 xenSourceLabel[1.97]=a "
          "xenSourceCause[1.97]=1 ");
    /* Its row is gone: the name is the event's. */
    event = xc_event_new(XC_EVENT_DOMAIN_DELETED, XC_SEVERITY_INFO, "", "old", "%s", "");
    event->domain = 4711;
    check(e, event, "xenDomainName[4711]=old ");
    /* So is its operation. */
    event = xc_event_new(XC_EVENT_OPERATION_FAILED, XC_SEVERITY_INFO, "nowhere", "old", "%s", "");
    event->op = 12;
    check(e, event, "");
}

static void test_host(struct estate *e, gconstpointer data)
{
    g_autofree char *long_key = g_strnfill(200, 'k');

    (void)data;
    kit_fail(&e->kit, "b", XC_CAUSE_AUTH_FAILED);
    check(
        e, xc_event_new(XC_EVENT_HOST_UNAUTHORISED, XC_SEVERITY_INFO, "b", "b", "%s", ""),
        "xenHostLabel[1.98]=b xenHostState[1.98]=5 xenSourceLabel[1.98]=b xenSourceCause[1.98]=6 ");
    /* One that is not there any more, also under a key that could not be. */
    check(e, xc_event_new(XC_EVENT_HOST_DOWN, XC_SEVERITY_INFO, "gone", "gone", "%s", ""),
          "xenHostLabel[4.103.111.110.101]=gone ");
    check(e, xc_event_new(XC_EVENT_HOST_DOWN, XC_SEVERITY_INFO, long_key, "gone", "%s", ""), "");
    /* Of a source itself. */
    check(e, xc_event_new(XC_EVENT_THRESHOLD, XC_SEVERITY_INFO, "", "a", "%s", ""),
          "xenSourceLabel[1.97]=a xenSourceCause[1.97]=1 ");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/traps/every-kind", struct estate, NULL, set_up, test_every_kind, tear_down);
    g_test_add("/traps/domain", struct estate, NULL, set_up, test_domain, tear_down);
    g_test_add("/traps/host", struct estate, NULL, set_up, test_host, tear_down);
    return g_test_run();
}
