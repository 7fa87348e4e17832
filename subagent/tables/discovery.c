/* xenDiscovery: looking for hosts nobody registered yet, and what was found. */
#include "subagent/tables/tables.h"

static struct xc_engine *engine_of(void *context)
{
    return ((const struct st_context *)context)->engine;
}

/* --- xenDiscoveryTable */

static const void *discoveries(void *context, size_t *n)
{
    return xc_discoveries(engine_of(context), n);
}

/* Of its operation, which has the same index. */
static bool op_member(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_discovery *discovery = cell->row;

    return st_read_member(cell->column, discovery->op, out);
}

static bool op_progress(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_discovery *discovery = cell->row;

    return discovery->op->progress >= 0 && st_gauge(out, (uint64_t)discovery->op->progress);
}

#define SCAN(arc, name, type, member, ...)                                                         \
    MEMBER(arc, name, type, st_get_member, xc_discovery, member, __VA_ARGS__)
#define OP(arc, name, type, member, ...)                                                           \
    MEMBER(arc, name, type, op_member, xc_op, member, __VA_ARGS__)

static const struct st_column columns[] = {
    OP(2, "xenDiscoveryLabel", ST_TEXT, target, .min = 1, .max = 32),
    SCAN(3, "xenDiscoverySubnets", ST_TEXT, subnets),
    SCAN(4, "xenDiscoveryProbes", ST_TEXT, ports),
    SCAN(5, "xenDiscoveryRate", ST_GAUGE32, rate, .units = "connections per second"),
    SCAN(6, "xenDiscoveryCredential", ST_TEXT, credential, .none_if_zero = true, .max = 32),
    OP(7, "xenDiscoveryState", ST_ENUM, state, .labels = &xc_op_state_labels),
    CALC(8, "xenDiscoveryProgress", ST_GAUGE32, op_progress, .max = 100, .units = "percent"),
    OP(9, "xenDiscoveryResult", ST_ENUM, result, .labels = &xc_result_labels),
    OP(10, "xenDiscoveryText", ST_TEXT, text),
    SCAN(11, "xenDiscoveryAddresses", ST_GAUGE32, addresses, .units = "addresses"),
    SCAN(12, "xenDiscoveryFound", ST_GAUGE32, found, .units = "finds"),
    SCAN(13, "xenDiscoveryNew", ST_GAUGE32, fresh, .units = "finds"),
};

const struct st_table st_discovery_table = {
    .name = "xenDiscoveryTable",
    .arcs = {1, 7, 1, 1},
    .index = {{ST_INDEX_INTEGER, offsetof(struct xc_discovery, index), "xenDiscoveryIndex", 1, 1,
               G_MAXINT32}},
    .row_size = sizeof(struct xc_discovery *),
    .rows_are_pointers = true,
    .rows = discoveries,
    .columns = columns,
    .n_columns = G_N_ELEMENTS(columns),
};

/* --- xenFoundTable */

enum { REGISTER_AS = 14, REGISTER_CREDENTIAL = 15 };

static const void *finds(void *context, size_t *n)
{
    return xc_finds(engine_of(context), n);
}

static const void *find_of(const void *row)
{
    return &((const struct xc_found *)row)->find;
}

static bool find_shows(const void *row, const struct xc_field *field)
{
    return xc_has(find_of(row), (unsigned)(field - xc_find_type.fields));
}

#define FIND(arc, name, type, member, ...) COL(arc, name, type, find, FIND, member, __VA_ARGS__)
#define FOUND(arc, name, type, member, ...)                                                        \
    MEMBER(arc, name, type, st_get_member, xc_found, member, __VA_ARGS__)

static const struct st_column found_columns[] = {
    FOUND(2, "xenFoundLabel", ST_TEXT, uri, .min = 1, .max = XC_FIND_URI_MAX),
    FIND(3, "xenFoundProbe", ST_ENUM, probe),
    FIND(4, "xenFoundAddress", ST_TEXT, address),
    FIND(5, "xenFoundPort", ST_UNSIGNED32, port, .min = 1, .max = 65535),
    FIND(6, "xenFoundVerdict", ST_ENUM, verdict),
    FIND(7, "xenFoundFingerprint", ST_TEXT, fingerprint),
    FIND(8, "xenFoundProduct", ST_TEXT, product),
    FIND(9, "xenFoundName", ST_TEXT, name),
    FIND(10, "xenFoundUuid", ST_TEXT, uuid, .min = 36, .max = 36),
    FIND(11, "xenFoundRemark", ST_TEXT, remark),
    FOUND(12, "xenFoundDiscovery", ST_UNSIGNED32, discovery, .min = 1, .max = G_MAXINT32),
    FOUND(13, "xenFoundLastSeen", ST_DATE, last_real),
    MEMBER(REGISTER_AS, "xenFoundRegisterAs", ST_TEXT, st_get_member, xc_found, source,
           .access = ST_READ_WRITE, .max = 32),
    SET(REGISTER_CREDENTIAL, "xenFoundRegisterCredential", ST_TEXT, st_get_empty, .max = 32),
    FOUND(16, "xenFoundFirstSeen", ST_DATE, first_real),
};

/* A text that is written and is not what the column reads as when nothing is asked. */
static const char *written(const struct st_change *change, uint32_t arc)
{
    const struct st_write *write = st_change_write(change, arc);

    return write ? write->text : "";
}

static bool register_find(const struct st_change *change, void *context, void *transaction,
                          uint32_t *blame, GError **error)
{
    const char *key = written(change, REGISTER_AS);
    const char *credential = written(change, REGISTER_CREDENTIAL);
    g_autoptr(GError) failed = NULL;

    if (!*key && !*credential)
        return true;
    *blame = *key ? REGISTER_AS : REGISTER_CREDENTIAL;
    if (!*key)
        return xc_fail(error, XC_CAUSE_CONFLICT,
                       "xenFoundRegisterCredential is a parameter: xenFoundRegisterAs belongs into "
                       "the same request");
    if (xc_txn_register(transaction, engine_of(context), change->key, key, credential, &failed))
        return true;
    if (*credential && g_error_matches(failed, XC_ERROR, XC_CAUSE_NO_SUCH_HOST))
        *blame = REGISTER_CREDENTIAL;
    g_propagate_error(error, g_steal_pointer(&failed));
    return false;
}

const struct st_table st_found_table = {
    .name = "xenFoundTable",
    .arcs = {1, 7, 2, 1},
    .index = {{ST_INDEX_TEXT, offsetof(struct xc_found, uri), "xenFoundUri", 1, 1,
               XC_FIND_URI_MAX}},
    .row_size = sizeof(struct xc_found *),
    .rows_are_pointers = true,
    .rows = finds,
    .object = find_of,
    .shows = find_shows,
    .columns = found_columns,
    .n_columns = G_N_ELEMENTS(found_columns),
    .plan = register_find,
};

/* --- scalars: what a SET starts */

enum { START = 3, SUBNETS = 4, PROBES = 5, RATE = 6, CREDENTIAL = 7, NOTE = 8 };

static bool allowed(const struct st_cell *cell, struct st_value *out)
{
    g_autofree char *text = xc_discovery_allowed(st_engine(cell), NULL);

    return text && st_format(out, "%s", text);
}

static const struct st_column scalars[] = {
    SET(START, "xenDiscoveryStart", ST_TEXT, st_get_empty, .max = 32),
    SET(SUBNETS, "xenDiscoveryStartSubnets", ST_TEXT, st_get_empty),
    SET(PROBES, "xenDiscoveryStartProbes", ST_TEXT, st_get_empty),
    SET(RATE, "xenDiscoveryStartRate", ST_UNSIGNED32, st_get_zero, .max = XC_SCAN_RATE_MAX,
        .units = "connections per second"),
    SET(CREDENTIAL, "xenDiscoveryStartCredential", ST_TEXT, st_get_empty, .max = 32),
    SET(NOTE, "xenDiscoveryStartNote", ST_TEXT, st_get_empty, .max = 64),
    CALC(9, "xenDiscoveryAllowed", ST_TEXT, allowed),
};

/* The first parameter that says something. */
static const struct st_write *any_parameter(const struct st_change *change)
{
    for (guint i = 0; i < change->writes->len; i++) {
        const struct st_write *write = &g_array_index(change->writes, struct st_write, i);

        if (write->text ? *write->text != '\0' : write->number != 0)
            return write;
    }
    return NULL;
}

static bool start(const struct st_change *change, void *context, void *transaction, uint32_t *blame,
                  GError **error)
{
    const struct st_write *rate = st_change_write(change, RATE);
    const struct st_write *parameter = any_parameter(change);
    const struct xc_scan_wish wish = {
        .name = written(change, START),
        .subnets = written(change, SUBNETS),
        .ports = written(change, PROBES),
        .rate = rate ? (unsigned)rate->number : 0,
        .credential = written(change, CREDENTIAL),
    };
    const struct xc_request request = {
        .action = XC_ACTION_DISCOVER, .scan = &wish, .note = written(change, NOTE)};

    (void)context;
    if (!parameter)
        return true;
    if (*wish.name) {
        *blame = START;
        return xc_txn_add_op(transaction, &request, error);
    }
    *blame = parameter->column->arc;
    return xc_fail(error, XC_CAUSE_CONFLICT,
                   "%s is a parameter: xenDiscoveryStart belongs into the same request",
                   parameter->column->name);
}

const struct st_table st_discovery_scalars = {
    .name = "xenDiscovery",
    .arcs = {1, 7},
    .scalars = true,
    .columns = scalars,
    .n_columns = G_N_ELEMENTS(scalars),
    .plan = start,
};
