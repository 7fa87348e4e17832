/* The table engine as the master agent calls it: reads, and SETs in their phases. */
#include "tests/unit/table_kit.h"

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
    struct st_served served = {f->mib, &f->kit};
    netsnmp_handler_registration registration = {.my_reg_void = &served};

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

/* Scalars are one row: what is written to several of them is planned together. */
static void test_set_scalars(struct fixture *f, gconstpointer data)
{
    (void)data;
    struct pdu pdu = {0};

    pdu_text(&pdu, "1.1.5.0", "note");
    accept_set(f, &pdu);
    g_assert_cmpstr(f->kit.story->str, ==, "[kit 0 5=note] written dispatched");
    g_string_truncate(f->kit.story, 0);
    refuse_text(f, "1.1.5.1", "x", SNMP_ERR_NOCREATION, "no such row");
    refuse_text(f, "1.1.5", "x", SNMP_ERR_NOCREATION, "no such row");
    refuse_text(f, "1.1.5.0.0", "x", SNMP_ERR_NOCREATION, "no such row");
    refuse_text(f, "1.1.5.0", "123456789", SNMP_ERR_WRONGLENGTH, "0 to 8");
    refuse_text(f, "1.1.4.0", "x", SNMP_ERR_NOTWRITABLE, "read-only");
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

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    KIT_TEST("handler-reads", test_handler_reads);
    KIT_TEST("set-works", test_set_works);
    KIT_TEST("set-syntax", test_set_syntax);
    KIT_TEST("set-scalars", test_set_scalars);
    KIT_TEST("set-conflicts", test_set_conflicts);
    KIT_TEST("row-status", test_row_status);
    KIT_TEST("abandoned", test_abandoned);
    return g_test_run();
}
