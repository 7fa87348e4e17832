/* client: measures an agent from outside. A small libsnmp client that throws values away, so that
 * little of what it measures is itself.
 *
 *   client walk ADDRESS COMMUNITY REPETITIONS column|row [dump] OID...
 *       Reads columns by GETBULK, one column after the other or all in one request, and prints
 *       cells and seconds of each piece of about 1,000 cells, so that several walks can be compared
 *       piece by piece where a machine is noisy. dump: prints each cell as OID TYPE VALUE instead
 *       (raw_agent reads that).
 *   client pair ADDRESS ADDRESS COMMUNITY REPETITIONS OID...
 *       Reads columns of the first agent one after the other, and after each of its answers asks the second one
 *       the same, which begins the column anew at its end: whatever slows the machine slows both. Prints cells and
 *       seconds of each.
 *   client set ADDRESS COMMUNITY VALUE <OIDS
 *       Sets INTEGER VALUE at each OID read; prints microseconds and error-status of each answer. */
#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include <glib.h>
#include <stdbool.h>

#define PIECE 1000

struct column {
    oid root[MAX_OID_LEN];
    size_t root_len;
    oid at[MAX_OID_LEN]; /* last OID seen */
    size_t at_len;
    bool ended;
};

struct walk {
    void *session;
    struct column *columns;
    size_t n;
    size_t *open; /* the columns of the request in flight */
    long repetitions;
    bool dump;
    size_t cells; /* of this piece */
    gint64 began; /* of this piece */
};

static void *open_session(const char *address, char *community)
{
    netsnmp_session wish;
    void *session;

    snmp_sess_init(&wish);
    wish.version = SNMP_VERSION_2c;
    wish.peername = (char *)address;
    wish.community = (u_char *)community;
    wish.community_len = strlen(community);
    wish.timeout = 10 * G_USEC_PER_SEC;
    wish.retries = 0;
    session = snmp_sess_open(&wish);
    if (!session) {
        fprintf(stderr, "client: cannot open a session to %s\n", address);
        exit(1);
    }
    return session;
}

static netsnmp_pdu *ask(void *session, netsnmp_pdu *request)
{
    netsnmp_pdu *answer = NULL;

    if (snmp_sess_synch_response(session, request, &answer) != STAT_SUCCESS) {
        fprintf(stderr, "client: no answer\n");
        exit(1);
    }
    return answer;
}

static void parse_oid(const char *text, oid *out, size_t *len)
{
    *len = MAX_OID_LEN;
    if (!read_objid(text, out, len)) {
        fprintf(stderr, "client: not an OID: %s\n", text);
        exit(1);
    }
}

static void dump_cell(const netsnmp_variable_list *vb)
{
    for (size_t i = 0; i < vb->name_length; i++)
        printf("%s%lu", i ? "." : "", (unsigned long)vb->name[i]);
    printf(" %u ", vb->type);
    if (vb->type == ASN_COUNTER64)
        printf("%" PRIu64, ((uint64_t)vb->val.counter64->high << 32) | vb->val.counter64->low);
    else if (vb->type == ASN_OCTET_STR)
        for (size_t i = 0; i < vb->val_len; i++)
            printf("%02x", vb->val.string[i]);
    else
        printf("%ld", *vb->val.integer);
    putchar('\n');
}

/* One GETBULK over the open columns [first, first + count). */
static void fetch(struct walk *walk, size_t first, size_t count)
{
    netsnmp_pdu *request;
    size_t n = 0;
    size_t i = 0;
    netsnmp_pdu *answer;

    for (size_t c = first; c < first + count; c++)
        if (!walk->columns[c].ended)
            walk->open[n++] = c;
    if (n == 0)
        return;
    request = snmp_pdu_create(SNMP_MSG_GETBULK);
    request->non_repeaters = 0;
    request->max_repetitions = walk->repetitions;
    for (size_t c = 0; c < n; c++) {
        const struct column *column = &walk->columns[walk->open[c]];

        snmp_add_null_var(request, column->at, column->at_len);
    }
    answer = ask(walk->session, request);
    if (answer->errstat != SNMP_ERR_NOERROR || !answer->variables) {
        fprintf(stderr, "client: the agent answers error %ld\n", answer->errstat);
        exit(1);
    }
    for (netsnmp_variable_list *vb = answer->variables; vb; vb = vb->next_variable, i++) {
        struct column *column = &walk->columns[walk->open[i % n]];

        if (column->ended)
            continue;
        if (vb->type == SNMP_ENDOFMIBVIEW ||
            snmp_oidtree_compare(vb->name, vb->name_length, column->root, column->root_len) != 0) {
            column->ended = true;
            continue;
        }
        if (snmp_oid_compare(vb->name, vb->name_length, column->at, column->at_len) <= 0) {
            fprintf(stderr, "client: the agent's OIDs do not ascend\n");
            exit(1);
        }
        memcpy(column->at, vb->name, vb->name_length * sizeof(oid));
        column->at_len = vb->name_length;
        walk->cells++;
        if (walk->dump)
            dump_cell(vb);
    }
    snmp_free_pdu(answer);
}

/* Ends the piece when it is long enough. */
static void mark(struct walk *walk, size_t enough)
{
    if (walk->cells < enough || walk->cells == 0)
        return;
    if (!walk->dump)
        printf("%zu %.6f\n", walk->cells,
               (double)(g_get_monotonic_time() - walk->began) / G_USEC_PER_SEC);
    walk->cells = 0;
    walk->began = g_get_monotonic_time();
}

static void begin_column(struct column *column)
{
    memcpy(column->at, column->root, sizeof(column->at));
    column->at_len = column->root_len;
    column->ended = false;
}

static void open_walk(struct walk *walk, const char *address, char *community,
                      const char *repetitions, char **columns, int n)
{
    *walk = (struct walk){.repetitions = strtol(repetitions, NULL, 10), .n = (size_t)n};
    walk->columns = g_new0(struct column, walk->n);
    walk->open = g_new0(size_t, walk->n);
    for (size_t c = 0; c < walk->n; c++) {
        parse_oid(columns[c], walk->columns[c].root, &walk->columns[c].root_len);
        begin_column(&walk->columns[c]);
    }
    walk->session = open_session(address, community);
}

static void close_walk(struct walk *walk)
{
    snmp_sess_close(walk->session);
    g_free(walk->open);
    g_free(walk->columns);
}

static bool any_open(const struct walk *walk, size_t first, size_t count)
{
    for (size_t c = first; c < first + count; c++)
        if (!walk->columns[c].ended)
            return true;
    return false;
}

static int run_walk(int argc, char **argv)
{
    struct walk walk;
    bool rows = g_str_equal(argv[5], "row");
    bool dump = g_str_equal(argv[6], "dump");
    int first = dump ? 7 : 6;
    size_t step;

    open_walk(&walk, argv[2], argv[3], argv[4], argv + first, argc - first);
    walk.dump = dump;
    step = rows ? walk.n : 1;
    walk.began = g_get_monotonic_time();
    for (size_t c = 0; c < walk.n; c += step)
        while (any_open(&walk, c, step)) {
            fetch(&walk, c, step);
            mark(&walk, PIECE);
        }
    mark(&walk, 0);
    close_walk(&walk);
    return 0;
}

static gint64 timed_fetch(struct walk *walk, size_t column)
{
    gint64 began = g_get_monotonic_time();

    fetch(walk, column, 1);
    return g_get_monotonic_time() - began;
}

static int run_pair(int argc, char **argv)
{
    struct walk first;
    struct walk second;
    gint64 spent[2] = {0, 0};

    open_walk(&first, argv[2], argv[4], argv[5], argv + 6, argc - 6);
    open_walk(&second, argv[3], argv[4], argv[5], argv + 6, argc - 6);
    for (size_t c = 0; c < first.n; c++)
        while (!first.columns[c].ended) {
            spent[0] += timed_fetch(&first, c);
            spent[1] += timed_fetch(&second, c);
            if (second.columns[c].ended)
                begin_column(&second.columns[c]);
        }
    printf("%zu %.6f\n%zu %.6f\n", first.cells, (double)spent[0] / G_USEC_PER_SEC, second.cells,
           (double)spent[1] / G_USEC_PER_SEC);
    close_walk(&first);
    close_walk(&second);
    return 0;
}

static int run_set(char **argv)
{
    void *session = open_session(argv[2], argv[3]);
    long value = strtol(argv[4], NULL, 10);
    char line[1024];

    while (fgets(line, sizeof(line), stdin)) {
        oid name[MAX_OID_LEN];
        size_t len;
        netsnmp_pdu *request = snmp_pdu_create(SNMP_MSG_SET);
        netsnmp_pdu *answer;
        gint64 began;

        parse_oid(g_strchomp(line), name, &len);
        snmp_pdu_add_variable(request, name, len, ASN_INTEGER, &value, sizeof(value));
        began = g_get_monotonic_time();
        answer = ask(session, request);
        printf("%" PRId64 " %ld\n", g_get_monotonic_time() - began, answer->errstat);
        snmp_free_pdu(answer);
    }
    snmp_sess_close(session);
    return 0;
}

int main(int argc, char **argv)
{
    g_setenv("MIBS", "", TRUE);
    netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_READ_CONFIGS, 1);
    netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_PERSIST_STATE, 1);
    netsnmp_ds_set_int(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_OID_OUTPUT_FORMAT,
                       NETSNMP_OID_OUTPUT_NUMERIC);
    init_snmp("bench");
    if (argc > 6 && g_str_equal(argv[1], "walk"))
        return run_walk(argc, argv);
    if (argc > 6 && g_str_equal(argv[1], "pair"))
        return run_pair(argc, argv);
    if (argc == 5 && g_str_equal(argv[1], "set"))
        return run_set(argv);
    fprintf(stderr, "client walk ADDRESS COMMUNITY REPETITIONS column|row [dump] OID...\n"
                    "client pair ADDRESS ADDRESS COMMUNITY REPETITIONS OID...\n"
                    "client set ADDRESS COMMUNITY VALUE <OIDS\n");
    return 2;
}
