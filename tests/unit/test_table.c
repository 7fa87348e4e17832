/* The table engine: order and lookups on every kind of table, and tables it refuses. */
#include "tests/unit/table_kit.h"

/* Every object, by GETNEXT from the root. */
static GArray *walk(struct st_mib *mib)
{
    GArray *names = g_array_new(FALSE, FALSE, sizeof(struct name));
    struct name at = name_of("");
    struct st_value value;
    u_char asn = 0;

    for (;;) {
        struct name next = {0};

        if (!st_mib_next(mib, at.ids, at.length, next.ids, &next.length, &value, &asn))
            return names;
        g_assert_cmpint(snmp_oid_compare(at.ids, at.length, next.ids, next.length), <, 0);
        g_array_append_val(names, next);
        at = next;
    }
}

static void test_walk(struct fixture *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GArray) names = walk(f->mib);
    struct st_value value;
    u_char asn = 0;

    /* 4 full columns of numbers, one with two cells absent, one with one absent, one more full;
     * 6 control columns; 3 key columns; pairs; 6 children, one of them without a text; 3 scalars;
     * three rows below each key. */
    g_assert_cmpuint(names->len, ==, 5 * 6 + 4 + 5 + 6 * 6 + 3 * 5 + 15 + 5 + 6 + 3 + 15);
    for (guint i = 0; i < names->len; i++) {
        const struct name *name = &g_array_index(names, struct name, i);

        g_assert_cmpint(st_mib_get(f->mib, name->ids, name->length, &value, &asn), ==, ST_FOUND);
    }
    g_autofree char *first = below_root(&g_array_index(names, struct name, 0));
    g_autofree char *last = below_root(&g_array_index(names, struct name, names->len - 1));

    g_assert_cmpstr(first, ==, "1.1.1.1.2.1");
    g_assert_cmpstr(last, ==, "1.2.3.1.3.3.97.97.98.4");
}

/* From anywhere, GETNEXT finds what a look through the whole list finds. */
static void test_next_from_anywhere(struct fixture *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GArray) names = walk(f->mib);
    g_autoptr(GRand) dice = g_rand_new_with_seed(7);

    for (int round = 0; round < 20000; round++) {
        struct name from =
            g_array_index(names, struct name, g_rand_int_range(dice, 0, (gint32)names->len));
        struct name next = {0};
        const struct name *want = NULL;
        struct st_value value;
        u_char asn = 0;

        if (g_rand_boolean(dice))
            from.length = (size_t)g_rand_int_range(dice, 0, (gint32)from.length + 1);
        if (g_rand_boolean(dice) && from.length > 0)
            from.ids[g_rand_int_range(dice, 0, (gint32)from.length)] +=
                (oid)g_rand_int_range(dice, -2, 3);
        if (g_rand_int_range(dice, 0, 4) == 0)
            from.ids[from.length++] = (oid)g_rand_int_range(dice, 0, 300);
        for (guint i = 0; i < names->len && !want; i++) {
            const struct name *name = &g_array_index(names, struct name, i);

            if (snmp_oid_compare(name->ids, name->length, from.ids, from.length) > 0)
                want = name;
        }
        bool found =
            st_mib_next(f->mib, from.ids, from.length, next.ids, &next.length, &value, &asn);

        g_assert_cmpint(found, ==, want != NULL);
        if (want)
            g_assert_cmpint(snmp_oid_compare(next.ids, next.length, want->ids, want->length), ==,
                            0);
    }
}

static enum st_found get(struct fixture *f, const char *below, struct st_value *out)
{
    struct name name = name_of(below);
    u_char asn = 0;

    return st_mib_get(f->mib, name.ids, name.length, out, &asn);
}

static void test_get(struct fixture *f, gconstpointer data)
{
    (void)data;
    struct st_value value;

    g_assert_cmpint(get(f, "1.1.1.1.3.2", &value), ==, ST_FOUND);
    g_assert_cmpuint(value.number, ==, 20);
    g_assert_cmpint(get(f, "1.1.1.1.7.5", &value), ==, ST_FOUND);
    g_assert_cmpuint(value.number, ==, 3 * 4096);
    g_assert_cmpint(get(f, "1.1.1.1.9.1", &value), ==, ST_FOUND);
    g_assert_cmpmem(value.octets, value.length, "00010203-0000-0000-0000-000000000000", 36);
    g_assert_cmpint(get(f, "1.1.1.1.10.1", &value), ==, ST_FOUND);
    g_assert_cmpmem(value.octets, value.length, "\x07\xe7\x0b\x0e\x16\x0d\x14\x06+\0\0", 11);
    g_assert_cmpint(get(f, "1.1.3.0", &value), ==, ST_FOUND);
    /* known columns without that instance */
    g_assert_cmpint(get(f, "1.1.1.1.3.5", &value), ==, ST_NO_INSTANCE);
    g_assert_cmpint(get(f, "1.1.1.1.3.3", &value), ==, ST_NO_INSTANCE);
    g_assert_cmpint(get(f, "1.1.1.1.3", &value), ==, ST_NO_INSTANCE);
    g_assert_cmpint(get(f, "1.1.1.1.3.2.0", &value), ==, ST_NO_INSTANCE);
    g_assert_cmpint(get(f, "1.2.1.1.4.1", &value), ==, ST_NO_INSTANCE);
    g_assert_cmpint(get(f, "1.2.1.1.4.1.353", &value), ==, ST_NO_INSTANCE);
    g_assert_cmpint(get(f, "1.2.1.1.4.2.98", &value), ==, ST_NO_INSTANCE);
    g_assert_cmpint(get(f, "1.1.3.1", &value), ==, ST_NO_INSTANCE);
    /* the region itself, as an inclusive GETNEXT asks */
    g_assert_cmpint(get(f, "", &value), ==, ST_NO_INSTANCE);
    /* no such columns */
    g_assert_cmpint(get(f, "1.1.1.1.4.1", &value), ==, ST_NO_OBJECT);
    g_assert_cmpint(get(f, "1.1.1.1.1.1", &value), ==, ST_NO_OBJECT);
    g_assert_cmpint(get(f, "9.9", &value), ==, ST_NO_OBJECT);
}

/* A row below one of another table: its index is that one's and its own, and all of it. */
static void test_children(struct fixture *f, gconstpointer data)
{
    (void)data;
    struct st_value value;

    g_assert_cmpint(get(f, "1.2.3.1.2.3.97.97.97.1", &value), ==, ST_FOUND);
    g_assert_cmpmem(value.octets, value.length, "aaa 1", 5);
    g_assert_cmpint(get(f, "1.2.3.1.2.3.97.97.98.0", &value), ==, ST_FOUND);
    g_assert_cmpmem(value.octets, value.length, "aab 0", 5);
    g_assert_cmpint(get(f, "1.2.3.1.2.3.97.97.98.4", &value), ==, ST_NO_INSTANCE);
    g_assert_cmpint(get(f, "1.2.3.1.3.3.97.97.98.4", &value), ==, ST_FOUND);
    g_assert_cmpint(get(f, "1.2.3.1.3.3.97.97.98.2", &value), ==, ST_NO_INSTANCE);
    g_assert_cmpint(get(f, "1.2.3.1.3.3.97.97.98.4.0", &value), ==, ST_NO_INSTANCE);
    g_assert_cmpint(get(f, "1.2.3.1.3.3.97.97.98", &value), ==, ST_NO_INSTANCE);
    g_assert_cmpint(get(f, "1.2.3.1.3.1.98.0", &value), ==, ST_NO_INSTANCE);
    g_assert_cmpint(get(f, "1.2.3.1.3.3.97.97.99.0", &value), ==, ST_NO_INSTANCE);
    /* and of three parts */
    g_assert_cmpint(get(f, "1.2.2.2.3.3.97.97.97.1.3", &value), ==, ST_FOUND);
    g_assert_cmpint(get(f, "1.2.2.2.3.3.97.97.97.2.1", &value), ==, ST_FOUND);
    g_assert_cmpint(get(f, "1.2.2.2.3.3.97.97.97.1.2", &value), ==, ST_NO_INSTANCE);
    g_assert_cmpint(get(f, "1.2.2.2.3.3.97.97.97.1", &value), ==, ST_NO_INSTANCE);
    g_assert_cmpint(get(f, "1.2.2.2.3.3.97.97.97.1.3.0", &value), ==, ST_NO_INSTANCE);
}

/* Rows that go while someone walks: hints must not be trusted blindly. */
static void test_rows_change(struct fixture *f, gconstpointer data)
{
    (void)data;
    struct st_value value;

    g_assert_cmpint(get(f, "1.1.1.1.2.2147483647", &value), ==, ST_FOUND);
    f->kit.n_numbers = 2;
    g_assert_cmpint(get(f, "1.1.1.1.2.2147483647", &value), ==, ST_NO_INSTANCE);
    g_assert_cmpint(get(f, "1.1.1.1.2.2", &value), ==, ST_FOUND);
    f->kit.n_numbers = 0;
    g_assert_cmpint(get(f, "1.1.1.1.2.2", &value), ==, ST_NO_INSTANCE);
    g_autoptr(GArray) names = walk(f->mib);

    g_assert_cmpuint(names->len, ==, 3 * 5 + 15 + 5 + 6 + 3 + 15);
    f->kit.n_numbers = G_N_ELEMENTS(kit_number_list);
    /* Parents that have lost all their children. */
    g_assert_cmpint(get(f, "1.2.3.1.3.3.97.97.98.4", &value), ==, ST_FOUND);
    f->kit.n_pairs = 0;
    g_assert_cmpint(get(f, "1.2.3.1.3.3.97.97.98.4", &value), ==, ST_NO_INSTANCE);
    g_autoptr(GArray) left = walk(f->mib);

    g_assert_cmpuint(left->len, ==, 5 * 6 + 4 + 5 + 6 * 6 + 3 * 5 + 3 + 15);
}

/* --- tables that must not get in */

static void refuse_table(struct st_table table, const struct st_column *columns, unsigned n,
                         const char *words)
{
    g_autoptr(GError) error = NULL;
    struct kit kit = {0};

    table.columns = columns;
    table.n_columns = n;
    const struct st_table *const tables[] = {&table};

    g_assert_null(st_mib_new(KIT_ROOT, tables, 1, &kit, NULL, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_INTERNAL);
    if (!strstr(error->message, words))
        g_error("\"%s\" does not speak of \"%s\"", error->message, words);
}

static void test_refused_tables(void)
{
    const struct st_column falling[] = {CALC(3, "a", ST_GAUGE32, kit_zero),
                                        CALC(2, "b", ST_GAUGE32, kit_zero)};
    const struct st_column twice[] = {CALC(3, "a", ST_GAUGE32, kit_zero),
                                      CALC(3, "b", ST_GAUGE32, kit_zero)};
    const struct st_column writer[] = {SET(3, "a", ST_GAUGE32, kit_zero)};
    const struct st_column labels[] = {CALC(3, "a", ST_ENUM, kit_zero)};
    const struct st_column name[] = {
        CALC(3, "aNameOfThirtyThreeCharactersxxxxx", ST_GAUGE32, kit_zero)};
    const struct st_column nothing[] = {CALC(3, "a", ST_GAUGE32, NULL)};
    const struct st_column kind[] = {COL(3, "a", ST_TEXT, domain, DOMAIN, mem_kib)};
    const struct st_column units[] = {
        COL(3, "a", ST_GAUGE32, domain, DOMAIN, mem_kib, .divide = 1024)};
    struct st_table homeless = kit_number_table;
    struct st_table two_parts = kit_pair_table;
    struct st_table children = kit_child_table;

    refuse_table(kit_number_table, falling, 2, "does not rise");
    refuse_table(kit_number_table, twice, 2, "does not rise");
    refuse_table(kit_number_table, writer, 1, "writable without a writer");
    refuse_table(kit_number_table, labels, 1, "without labels");
    refuse_table(kit_number_table, name, 1, "name too long");
    refuse_table(kit_number_table, nothing, 1, "either a field or a getter");
    refuse_table(kit_number_table, kind, 1, "can't carry");
    refuse_table(kit_number_table, units, 1, "in what unit");
    refuse_table(kit_number_table, units, 0, "no columns");
    homeless.arcs[0] = 0;
    refuse_table(homeless, writer, 1, "no place");
    two_parts.plan = kit_plan;
    refuse_table(two_parts, writer, 1, "one part");
    children.index[1].kind = 0;
    refuse_table(children, writer, 1, "children without an index");
}

static void test_same_place(void)
{
    g_autoptr(GError) error = NULL;
    struct st_table scalars = kit_scalars;
    const struct st_column columns[] = {CALC(1, "above", ST_GAUGE32, kit_zero)};
    const struct st_table *const tables[] = {&kit_number_table, &scalars};
    struct kit kit = {0};

    scalars.columns = columns;
    scalars.n_columns = 1;
    g_assert_null(st_mib_new(KIT_ROOT, tables, 2, &kit, NULL, &error));
    g_assert_nonnull(strstr(error->message, "same place"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    KIT_TEST("walk", test_walk);
    KIT_TEST("children", test_children);
    KIT_TEST("next-from-anywhere", test_next_from_anywhere);
    KIT_TEST("get", test_get);
    KIT_TEST("rows-change", test_rows_change);
    g_test_add_func("/table/refused-tables", test_refused_tables);
    g_test_add_func("/table/same-place", test_same_place);
    return g_test_run();
}
