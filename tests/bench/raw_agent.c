/* raw_agent: the least that an AgentX subagent on net-snmp can be, as the measure for ours: one raw
 * handler over a fixed array, two binary searches. It serves the cells that `client walk ... dump`
 * wrote, hence exactly our columns, types and values.
 *
 *   raw_agent AGENTX-SOCKET ROOT-OID FILE      prints "ready" when registered; ends with SIGTERM */
#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include <net-snmp/agent/net-snmp-agent-includes.h>

#include <glib.h>
#include <signal.h>
#include <stdbool.h>

struct cell {
    u_char type; /* 0: no instance */
    size_t len;
    union {
        long integer;
        struct counter64 counter;
        u_char *octets;
    } value;
};

struct column {
    oid *prefix; /* all but the index */
    size_t len;
    struct cell *cells; /* one per row */
};

struct table {
    struct column *columns; /* ascending */
    size_t n_columns;
    oid *rows; /* ascending indexes of one number */
    size_t n_rows;
};

static volatile sig_atomic_t stopped;

static void stop(int number)
{
    stopped = number;
}

/* First row whose index is >= key. */
static size_t lower_row(const struct table *table, oid key)
{
    size_t low = 0;
    size_t high = table->n_rows;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (table->rows[middle] < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* First column whose prefix is >= the name's beginning; *within: the name begins with that prefix.
 */
static size_t lower_column(const struct table *table, const oid *name, size_t len, bool *within)
{
    size_t low = 0;
    size_t high = table->n_columns;

    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct column *column = &table->columns[middle];

        if (snmp_oid_compare(column->prefix, column->len, name, MIN(len, column->len)) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *within = low < table->n_columns && len >= table->columns[low].len &&
              snmp_oid_compare(table->columns[low].prefix, table->columns[low].len, name,
                               table->columns[low].len) == 0;
    return low;
}

static void answer(netsnmp_variable_list *vb, const struct cell *cell)
{
    const void *value =
        cell->type == ASN_OCTET_STR ? (const void *)cell->value.octets : &cell->value;

    snmp_set_var_typed_value(vb, cell->type, value, cell->len);
}

static void get(const struct table *table, netsnmp_agent_request_info *info,
                netsnmp_request_info *request)
{
    netsnmp_variable_list *vb = request->requestvb;
    bool within;
    size_t c = lower_column(table, vb->name, vb->name_length, &within);

    if (within && vb->name_length == table->columns[c].len + 1) {
        oid key = vb->name[vb->name_length - 1];
        size_t row = lower_row(table, key);

        if (row < table->n_rows && table->rows[row] == key && table->columns[c].cells[row].type) {
            answer(vb, &table->columns[c].cells[row]);
            return;
        }
    }
    netsnmp_set_request_error(info, request, SNMP_NOSUCHINSTANCE);
}

static void get_next(const struct table *table, netsnmp_request_info *request)
{
    netsnmp_variable_list *vb = request->requestvb;
    bool within;
    size_t c = lower_column(table, vb->name, vb->name_length, &within);
    size_t row = 0;

    if (within && vb->name_length > table->columns[c].len)
        row = lower_row(table, vb->name[table->columns[c].len] + 1);
    for (; c < table->n_columns; c++, row = 0) {
        const struct column *column = &table->columns[c];

        while (row < table->n_rows && !column->cells[row].type)
            row++;
        if (row < table->n_rows) {
            oid name[MAX_OID_LEN];

            memcpy(name, column->prefix, column->len * sizeof(oid));
            name[column->len] = table->rows[row];
            snmp_set_var_objid(vb, name, column->len + 1);
            answer(vb, &column->cells[row]);
            return;
        }
    }
}

static int handle(netsnmp_mib_handler *handler, netsnmp_handler_registration *registration,
                  netsnmp_agent_request_info *info, netsnmp_request_info *requests)
{
    const struct table *table = handler->myvoid;

    (void)registration;
    for (netsnmp_request_info *request = requests; request; request = request->next) {
        if (request->processed)
            continue;
        if (info->mode == MODE_GET)
            get(table, info, request);
        else if (info->mode == MODE_GETNEXT)
            get_next(table, request);
    }
    return SNMP_ERR_NOERROR;
}

static void fill(struct cell *cell, u_char type, const char *text)
{
    cell->type = type;
    if (type == ASN_OCTET_STR) {
        cell->len = strlen(text) / 2;
        cell->value.octets = g_malloc(cell->len + 1);
        for (size_t i = 0; i < cell->len; i++)
            cell->value.octets[i] = (u_char)(g_ascii_xdigit_value(text[2 * i]) * 16 +
                                             g_ascii_xdigit_value(text[2 * i + 1]));
    } else if (type == ASN_COUNTER64) {
        uint64_t number = g_ascii_strtoull(text, NULL, 10);

        cell->len = sizeof(cell->value.counter);
        cell->value.counter.high = number >> 32;
        cell->value.counter.low = number & UINT32_MAX;
    } else {
        cell->len = sizeof(cell->value.integer);
        cell->value.integer = (long)g_ascii_strtoll(text, NULL, 10);
    }
}

static int compare_oid(gconstpointer a, gconstpointer b)
{
    const oid *left = a;
    const oid *right = b;

    return (*left > *right) - (*left < *right);
}

static size_t split(const char *line, oid *name, u_char *type, const char **value)
{
    g_auto(GStrv) words = g_strsplit(line, " ", 3);
    size_t len = MAX_OID_LEN;

    if (g_strv_length(words) != 3 || !read_objid(words[0], name, &len) || len < 2) {
        fprintf(stderr, "raw_agent: bad line: %s\n", line);
        exit(1);
    }
    *type = (u_char)g_ascii_strtoull(words[1], NULL, 10);
    *value = strchr(strchr(line, ' ') + 1, ' ') + 1;
    return len;
}

/* Cells come column by column, the columns ascending; rows are the indexes of all of them. */
static void load(struct table *table, const char *file)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    g_autoptr(GArray) columns = g_array_new(FALSE, TRUE, sizeof(struct column));
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    g_autoptr(GArray) rows = g_array_new(FALSE, TRUE, sizeof(oid));
    oid name[MAX_OID_LEN];
    const char *value;
    u_char type;

    if (!g_file_get_contents(file, &text, NULL, NULL)) {
        fprintf(stderr, "raw_agent: cannot read %s\n", file);
        exit(1);
    }
    lines = g_strsplit(g_strchomp(text), "\n", -1);
    for (char **line = lines; *line; line++) {
        size_t len = split(*line, name, &type, &value);

        if (g_hash_table_add(seen, GSIZE_TO_POINTER(name[len - 1])))
            g_array_append_val(rows, name[len - 1]);
    }
    g_array_sort(rows, compare_oid);
    table->n_rows = rows->len;
    table->rows = (oid *)g_array_free(g_steal_pointer(&rows), FALSE);
    for (char **line = lines; *line; line++) {
        size_t len = split(*line, name, &type, &value) - 1;
        struct column *column = NULL;

        if (columns->len)
            column = &g_array_index(columns, struct column, columns->len - 1);
        if (!column || snmp_oid_compare(column->prefix, column->len, name, len) != 0) {
            struct column fresh = {g_memdup2(name, len * sizeof(oid)), len,
                                   g_new0(struct cell, table->n_rows)};

            g_array_append_val(columns, fresh);
            column = &g_array_index(columns, struct column, columns->len - 1);
        }
        fill(&column->cells[lower_row(table, name[len])], type, value);
    }
    table->n_columns = columns->len;
    table->columns = (struct column *)g_array_free(g_steal_pointer(&columns), FALSE);
}

int main(int argc, char **argv)
{
    g_autofree struct table *table = g_new0(struct table, 1);
    oid root[MAX_OID_LEN];
    size_t root_len = MAX_OID_LEN;
    netsnmp_mib_handler *handler;

    if (argc != 4) {
        fprintf(stderr, "raw_agent AGENTX-SOCKET ROOT-OID FILE\n");
        return 2;
    }
    g_setenv("MIBS", "", TRUE);
    netsnmp_ds_set_boolean(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_ROLE, 1);
    netsnmp_ds_set_string(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_X_SOCKET, argv[1]);
    netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_READ_CONFIGS, 1);
    netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_PERSIST_STATE, 1);
    snmp_enable_stderrlog();
    init_agent("raw");
    init_snmp("raw");
    load(table, argv[3]);
    if (!read_objid(argv[2], root, &root_len))
        return 2;
    handler = netsnmp_create_handler("raw", handle);
    handler->myvoid = table;
    netsnmp_register_handler(
        netsnmp_handler_registration_create("raw", handler, root, root_len, HANDLER_CAN_RONLY));
    signal(SIGTERM, stop);
    puts("ready");
    fflush(stdout);
    while (!stopped)
        agent_check_and_process(1);
    snmp_shutdown("raw");
    return 0;
}
