/* The table engine: order, lookups and SET phases on every kind of table. */
#include "tests/unit/table_kit.h"

struct fixture {
    struct kit kit;
    struct st_mib *mib;
};

static const uint32_t numbers[] = {1, 2, 5, 7, 10, G_MAXINT32};
static const char *const keys[] = {"b", "zz", "aaa", "aab", "\xc3\xa9t\xc3\xa9"};

static void set_up(struct fixture *f, gconstpointer data)
{
    static const struct xc_uuid uuid = {{0, 1, 2, 3}};
    g_autoptr(GError) error = NULL;
    struct kit *kit = &f->kit;

    (void)data;
    kit->story = g_string_new(NULL);
    kit->n_numbers = G_N_ELEMENTS(numbers);
    kit->numbers = g_new0(struct kit_row, kit->n_numbers);
    for (size_t i = 0; i < kit->n_numbers; i++) {
        struct kit_row *row = &kit->numbers[i];

        row->number = numbers[i];
        row->text = i % 2 ? "odd" : "";
        row->wide = G_MAXUINT64 - i;
        row->absent = i == 2 || i == 5;
        if (i != 1)
            XC_SET(DOMAIN, &row->domain, mem_kib, (uint64_t)4096 * 1024 * (i + 1));
        XC_SET(DOMAIN, &row->domain, state, XC_STATE_RUNNING);
        XC_SET(DOMAIN, &row->domain, started, (gint64)1700000000 * 1000000 + 600000);
        XC_SET(DOMAIN, &row->domain, uuid, uuid);
    }
    kit->n_keys = G_N_ELEMENTS(keys);
    kit->keys = g_new0(struct kit_row, kit->n_keys);
    kit->n_pairs = 3 * kit->n_keys;
    kit->pairs = g_new0(struct kit_row, kit->n_pairs);
    for (size_t i = 0; i < kit->n_keys; i++) {
        kit->keys[i].key = keys[i];
        kit->keys[i].text = "x";
        for (size_t k = 0; k < 3; k++)
            kit->pairs[3 * i + k] =
                (struct kit_row){.key = keys[i], .second = (uint32_t)(k * k), .text = "p"};
    }
    f->mib = st_mib_new(KIT_ROOT, kit_tables, G_N_ELEMENTS(kit_tables), kit, &kit_hooks, &error);
    g_assert_no_error(error);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
    (void)data;
    st_mib_free(f->mib);
    g_assert_cmpint(f->kit.open, ==, 0);
    g_free(f->kit.numbers);
    g_free(f->kit.keys);
    g_free(f->kit.pairs);
    g_free(f->kit.refused);
    g_free(f->kit.refused_object);
    g_string_free(f->kit.story, TRUE);
}

/* --- reading */

struct name {
    oid ids[MAX_OID_LEN];
    size_t length;
};

static struct name name_of(const char *below)
{
    struct name name = {.length = G_N_ELEMENTS(kit_root)};
    g_auto(GStrv) parts = g_strsplit(below, ".", -1);

    memcpy(name.ids, kit_root, sizeof(kit_root));
    for (char **part = parts; *part && **part; part++)
        name.ids[name.length++] = (oid)g_ascii_strtoull(*part, NULL, 10);
    return name;
}

static char *below_root(const struct name *name)
{
    GString *text = g_string_new(NULL);

    for (size_t i = G_N_ELEMENTS(kit_root); i < name->length; i++)
        g_string_append_printf(text, text->len ? ".%lu" : "%lu", name->ids[i]);
    return g_string_free(text, FALSE);
}

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
     * 6 control columns; 3 key columns; pairs; 6 children, one of them without a text; 2 scalars. */
    g_assert_cmpuint(names->len, ==, 5 * 6 + 4 + 5 + 6 * 6 + 3 * 5 + 15 + 5 + 6 + 2);
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

    g_assert_cmpuint(names->len, ==, 3 * 5 + 15 + 5 + 6 + 2);
    f->kit.n_numbers = G_N_ELEMENTS(numbers);
    /* Parents that have lost all their children. */
    g_assert_cmpint(get(f, "1.2.3.1.3.3.97.97.98.4", &value), ==, ST_FOUND);
    f->kit.n_pairs = 0;
    g_assert_cmpint(get(f, "1.2.3.1.3.3.97.97.98.4", &value), ==, ST_NO_INSTANCE);
    g_autoptr(GArray) left = walk(f->mib);

    g_assert_cmpuint(left->len, ==, 5 * 6 + 4 + 5 + 6 * 6 + 3 * 5 + 2);
}

/* --- the handler */

struct pdu {
    netsnmp_agent_request_info info;
    netsnmp_request_info requests[16];
    int n;
};

static void pdu_add(struct pdu *pdu, const char *below, u_char type, const void *value,
                    size_t length)
{
    struct name name = name_of(below);
    netsnmp_request_info *request = &pdu->requests[pdu->n];

    memset(request, 0, sizeof(*request));
    request->requestvb = SNMP_MALLOC_TYPEDEF(netsnmp_variable_list);
    snmp_set_var_objid(request->requestvb, name.ids, name.length);
    snmp_set_var_typed_value(request->requestvb, type, value, length);
    if (pdu->n > 0)
        pdu->requests[pdu->n - 1].next = request;
    pdu->n++;
}

static void pdu_number(struct pdu *pdu, const char *below, u_char type, long number)
{
    pdu_add(pdu, below, type, &number, sizeof(number));
}

static void pdu_text(struct pdu *pdu, const char *below, const char *text)
{
    pdu_add(pdu, below, ASN_OCTET_STR, text, strlen(text));
}

static void pdu_call(struct fixture *f, struct pdu *pdu, int mode)
{
    netsnmp_handler_registration registration = {.my_reg_void = f->mib};

    pdu->info.mode = mode;
    st_mib_handler(NULL, &registration, &pdu->info, pdu->requests);
}

static int pdu_failed(const struct pdu *pdu)
{
    for (int i = 0; i < pdu->n; i++)
        if (pdu->requests[i].status)
            return i;
    return -1;
}

static void pdu_clear(struct pdu *pdu)
{
    for (int i = 0; i < pdu->n; i++)
        snmp_free_varbind(pdu->requests[i].requestvb);
    netsnmp_free_all_list_data(pdu->info.agent_data);
    memset(pdu, 0, sizeof(*pdu));
}

static void test_handler_reads(struct fixture *f, gconstpointer data)
{
    (void)data;
    struct pdu pdu = {0};

    pdu_add(&pdu, "1.1.1.1.5.1", ASN_NULL, NULL, 0);
    pdu_add(&pdu, "1.1.1.1.5.3", ASN_NULL, NULL, 0);
    pdu_add(&pdu, "1.1.1.1.1.1", ASN_NULL, NULL, 0);
    pdu_add(&pdu, "1.1.1.1.2.1", ASN_NULL, NULL, 0);
    pdu_call(f, &pdu, MODE_GET);
    const netsnmp_variable_list *wide = pdu.requests[0].requestvb;

    g_assert_cmpint(wide->type, ==, ASN_COUNTER64);
    g_assert_cmpuint(wide->val.counter64->high, ==, G_MAXUINT32);
    g_assert_cmpuint(wide->val.counter64->low, ==, G_MAXUINT32);
    g_assert_cmpint(pdu.requests[1].requestvb->type, ==, SNMP_NOSUCHINSTANCE);
    g_assert_cmpint(pdu.requests[2].requestvb->type, ==, SNMP_NOSUCHOBJECT);
    g_assert_cmpint(pdu.requests[3].requestvb->type, ==, ASN_OCTET_STR);
    g_assert_cmpuint(pdu.requests[3].requestvb->val_len, ==, 0);
    pdu_clear(&pdu);

    pdu_add(&pdu, "1.1.1.1.3.2", ASN_NULL, NULL, 0);
    pdu_add(&pdu, "1.2.3.1.3.3.97.97.98.4", ASN_NULL, NULL, 0);
    pdu_call(f, &pdu, MODE_GETNEXT);
    struct name want = name_of("1.1.1.1.3.7");

    g_assert_cmpint(snmp_oid_compare(pdu.requests[0].requestvb->name,
                                     pdu.requests[0].requestvb->name_length, want.ids, want.length),
                    ==, 0);
    g_assert_cmpint(*pdu.requests[0].requestvb->val.integer, ==, 70);
    g_assert_cmpint(pdu.requests[1].requestvb->type, ==, ASN_NULL);
    pdu_clear(&pdu);
}

/* --- SET */

/* Runs the phases as net-snmp does; returns the error status, *at the varbind that carries it. */
static int run_set(struct fixture *f, struct pdu *pdu, int *at)
{
    static const int modes[] = {MODE_SET_RESERVE1, MODE_SET_RESERVE2, MODE_SET_ACTION};
    int status = SNMP_ERR_NOERROR;
    unsigned i = 0;

    g_string_set_size(f->kit.story, 0);
    *at = -1;
    for (; i < G_N_ELEMENTS(modes) && *at < 0; i++) {
        pdu_call(f, pdu, modes[i]);
        *at = pdu_failed(pdu);
    }
    if (*at >= 0)
        status = pdu->requests[*at].status;
    if (*at < 0)
        pdu_call(f, pdu, MODE_SET_COMMIT);
    else
        pdu_call(f, pdu, i == G_N_ELEMENTS(modes) ? MODE_SET_UNDO : MODE_SET_FREE);
    pdu_clear(pdu);
    return status;
}

static void accept_set(struct fixture *f, struct pdu *pdu)
{
    int at = 0;
    int status = run_set(f, pdu, &at);

    g_assert_cmpint(status, ==, SNMP_ERR_NOERROR);
}

static void test_set_works(struct fixture *f, gconstpointer data)
{
    (void)data;
    struct pdu pdu = {0};

    /* Two rows mixed: each is planned once, whatever the order of the varbinds. */
    pdu_number(&pdu, "1.1.2.1.2.7", ASN_INTEGER, 2);
    pdu_text(&pdu, "1.1.2.1.4.2", "note");
    pdu_number(&pdu, "1.1.2.1.3.7", ASN_UNSIGNED, 100);
    pdu_number(&pdu, "1.1.2.1.5.2", ASN_INTEGER, 1);
    accept_set(f, &pdu);
    g_assert_cmpstr(f->kit.story->str, ==,
                    "[ctlTable 7 2=2 3=100][ctlTable 2 4=note 5=1] written dispatched");
    g_assert_null(f->kit.refused);
}

static void expect(struct fixture *f, struct pdu *pdu, int want, int want_at, const char *words)
{
    int at = 0;

    int status = run_set(f, pdu, &at);

    g_assert_cmpint(status, ==, want);
    g_assert_cmpint(at, ==, want_at);
    g_assert_cmpint(f->kit.refused_status, ==, want);
    if (!strstr(f->kit.refused, words))
        g_error("\"%s\" does not speak of \"%s\"", f->kit.refused, words);
    g_assert_null(strstr(f->kit.story->str, "dispatched"));
}

static void refuse_number(struct fixture *f, const char *below, u_char type, long number, int want,
                          const char *words)
{
    struct pdu pdu = {0};

    /* A good varbind in front: nothing of the PDU may happen. */
    pdu_number(&pdu, "1.1.2.1.3.1", ASN_UNSIGNED, 5);
    pdu_number(&pdu, below, type, number);
    expect(f, &pdu, want, 1, words);
}

static void refuse_text(struct fixture *f, const char *below, const char *text, int want,
                        const char *words)
{
    struct pdu pdu = {0};

    pdu_number(&pdu, "1.1.2.1.3.1", ASN_UNSIGNED, 5);
    pdu_text(&pdu, below, text);
    expect(f, &pdu, want, 1, words);
}

static void test_set_syntax(struct fixture *f, gconstpointer data)
{
    (void)data;
    refuse_number(f, "1.1.2.1.2.2", ASN_UNSIGNED, 2, SNMP_ERR_WRONGTYPE, "ctlAction is a");
    refuse_text(f, "1.1.2.1.2.2", "run", SNMP_ERR_WRONGTYPE, "ctlAction");
    refuse_number(f, "1.1.2.1.4.2", ASN_INTEGER, 2, SNMP_ERR_WRONGTYPE, "ctlNote");
    refuse_number(f, "1.1.2.1.2.2", ASN_INTEGER, 3, SNMP_ERR_WRONGVALUE, "noop(1), run(2)");
    refuse_number(f, "1.1.2.1.2.2", ASN_INTEGER, -1, SNMP_ERR_WRONGVALUE, "noop(1)");
    refuse_number(f, "1.1.2.1.3.2", ASN_UNSIGNED, 101, SNMP_ERR_WRONGVALUE, "0 to 100");
    refuse_number(f, "1.1.2.1.1.2", ASN_INTEGER, -5, SNMP_ERR_WRONGVALUE, "0 to 2147483647");
    refuse_number(f, "1.1.2.1.5.2", ASN_INTEGER, 3, SNMP_ERR_WRONGVALUE, "true(1)");
    refuse_text(f, "1.1.2.1.4.2", "123456789", SNMP_ERR_WRONGLENGTH, "0 to 8");
    refuse_text(f, "1.1.2.1.4.2", "\xff\xfe", SNMP_ERR_WRONGVALUE, "UTF-8");
    refuse_text(f, "1.1.2.1.4.2", "a\nb", SNMP_ERR_WRONGVALUE, "control");
    refuse_number(f, "1.1.2.1.2.3", ASN_INTEGER, 2, SNMP_ERR_NOCREATION, "no such row");
    refuse_number(f, "1.1.2.1.2.0", ASN_INTEGER, 2, SNMP_ERR_NOCREATION, "no such row");
    refuse_number(f, "1.1.2.1.2", ASN_INTEGER, 2, SNMP_ERR_NOCREATION, "no such row");
    refuse_number(f, "1.1.2.1.2.2.2", ASN_INTEGER, 2, SNMP_ERR_NOCREATION, "no such row");
    refuse_number(f, "1.1.2.1.6.2", ASN_GAUGE, 2, SNMP_ERR_NOTWRITABLE, "read-only");
    refuse_number(f, "1.1.2.1.7.2", ASN_GAUGE, 2, SNMP_ERR_NOTWRITABLE, "no such object");
    g_assert_cmpstr(f->kit.refused_object, ==, "1.3.6.1.4.1.99999.1.1.2.1.7.2");
    f->kit.closed = true;
    struct pdu pdu = {0};

    pdu_number(&pdu, "1.1.2.1.3.1", ASN_UNSIGNED, 5);
    expect(f, &pdu, SNMP_ERR_NOTWRITABLE, 0, "closed");
}

static void test_set_conflicts(struct fixture *f, gconstpointer data)
{
    (void)data;
    struct pdu pdu = {0};

    pdu_number(&pdu, "1.1.2.1.3.1", ASN_UNSIGNED, 5);
    pdu_number(&pdu, "1.1.2.1.3.2", ASN_UNSIGNED, 5);
    pdu_number(&pdu, "1.1.2.1.3.1", ASN_UNSIGNED, 6);
    expect(f, &pdu, SNMP_ERR_INCONSISTENTVALUE, 2, "twice");
    /* the plan blames one column of a row */
    pdu_text(&pdu, "1.1.2.1.4.2", "fine");
    pdu_number(&pdu, "1.1.2.1.3.1", ASN_UNSIGNED, 5);
    pdu_number(&pdu, "1.1.2.1.2.2", ASN_INTEGER, 13);
    expect(f, &pdu, SNMP_ERR_RESOURCEUNAVAILABLE, 2, "unlucky");
    g_assert_true(g_str_has_suffix(f->kit.story->str, " released"));
    f->kit.broken = true;
    pdu_text(&pdu, "1.1.2.1.4.2", "fine");
    expect(f, &pdu, SNMP_ERR_COMMITFAILED, 0, "disk full");
    g_assert_cmpstr(f->kit.story->str, ==, "[ctlTable 2 4=fine] released");
}

static void test_row_status(struct fixture *f, gconstpointer data)
{
    (void)data;
    struct pdu pdu = {0};

    pdu_text(&pdu, "1.2.1.1.2.3.110.101.119", "hello");
    pdu_number(&pdu, "1.2.1.1.6.3.110.101.119", ASN_INTEGER, ST_ROW_CREATE_AND_GO);
    accept_set(f, &pdu);
    g_assert_cmpstr(f->kit.story->str, ==, "[keyTable new0 new 2=hello 6=4] written dispatched");
    /* a change of, and the end of, a row that exists */
    pdu_text(&pdu, "1.2.1.1.2.1.98", "changed");
    accept_set(f, &pdu);
    pdu_number(&pdu, "1.2.1.1.6.1.98", ASN_INTEGER, ST_ROW_ACTIVE);
    accept_set(f, &pdu);
    pdu_number(&pdu, "1.2.1.1.6.1.98", ASN_INTEGER, ST_ROW_DESTROY);
    accept_set(f, &pdu);
    pdu_number(&pdu, "1.2.1.1.6.1.99", ASN_INTEGER, ST_ROW_DESTROY);
    accept_set(f, &pdu);
    g_assert_null(f->kit.refused);

    refuse_text(f, "1.2.1.1.2.1.99", "x", SNMP_ERR_INCONSISTENTNAME, "createAndGo");
    refuse_text(f, "1.2.1.1.2.1.98", "", SNMP_ERR_WRONGLENGTH, "1 to 255");
    refuse_number(f, "1.2.1.1.6.1.98", ASN_INTEGER, ST_ROW_CREATE_AND_GO,
                  SNMP_ERR_INCONSISTENTVALUE, "already");
    refuse_number(f, "1.2.1.1.6.1.99", ASN_INTEGER, ST_ROW_ACTIVE, SNMP_ERR_INCONSISTENTVALUE,
                  "no row");
    for (int status = 0; status < 8; status++)
        if (status != ST_ROW_ACTIVE && status != ST_ROW_CREATE_AND_GO && status != ST_ROW_DESTROY)
            refuse_number(f, "1.2.1.1.6.1.98", ASN_INTEGER, status, SNMP_ERR_WRONGVALUE,
                          "createAndGo(4)");
    /* names that no row can have: too long, empty, octets that are none, refused by the table */
    refuse_text(f, "1.2.1.1.2.0", "x", SNMP_ERR_NOCREATION, "no such row");
    refuse_text(f, "1.2.1.1.2.1.300", "x", SNMP_ERR_NOCREATION, "no such row");
    refuse_text(f, "1.2.1.1.2.1.0", "x", SNMP_ERR_NOCREATION, "no such row");
    refuse_text(f, "1.2.1.1.2.1.32", "x", SNMP_ERR_NOCREATION, "no such row");
    refuse_text(f, "1.2.1.1.2.2.98", "x", SNMP_ERR_NOCREATION, "no such row");
    refuse_text(f, "1.2.1.1.2.33.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1",
                "x", SNMP_ERR_NOCREATION, "no such row");
}

/* The master agent goes away between two phases. */
static void test_abandoned(struct fixture *f, gconstpointer data)
{
    (void)data;
    struct pdu reserved = {0};
    struct pdu written = {0};

    pdu_number(&reserved, "1.1.2.1.3.1", ASN_UNSIGNED, 5);
    pdu_call(f, &reserved, MODE_SET_RESERVE1);
    pdu_call(f, &reserved, MODE_SET_RESERVE2);
    g_string_set_size(f->kit.story, 0);
    st_sets_abandon(f->mib);
    g_assert_cmpstr(f->kit.story->str, ==, " released");
    pdu_call(f, &reserved, MODE_SET_ACTION);
    g_assert_cmpint(pdu_failed(&reserved), ==, 0);
    pdu_clear(&reserved);

    pdu_number(&written, "1.1.2.1.3.1", ASN_UNSIGNED, 5);
    pdu_call(f, &written, MODE_SET_RESERVE1);
    pdu_call(f, &written, MODE_SET_RESERVE2);
    pdu_call(f, &written, MODE_SET_ACTION);
    g_string_set_size(f->kit.story, 0);
    st_sets_abandon(f->mib);
    g_assert_cmpstr(f->kit.story->str, ==, " dispatched");
    pdu_clear(&written);
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
#define ADD(name, function)                                                                        \
    g_test_add("/table/" name, struct fixture, NULL, set_up, function, tear_down)
    ADD("walk", test_walk);
    ADD("children", test_children);
    ADD("next-from-anywhere", test_next_from_anywhere);
    ADD("get", test_get);
    ADD("rows-change", test_rows_change);
    ADD("handler-reads", test_handler_reads);
    ADD("set-works", test_set_works);
    ADD("set-syntax", test_set_syntax);
    ADD("set-conflicts", test_set_conflicts);
    ADD("row-status", test_row_status);
    ADD("abandoned", test_abandoned);
    g_test_add_func("/table/refused-tables", test_refused_tables);
    g_test_add_func("/table/same-place", test_same_place);
    return g_test_run();
}
