/* Notifications: what is sent, what was, and the thresholds that make events. */
#include "subagent/tables/tables.h"

enum { ENABLE = 6 };

static bool classes(const struct st_cell *cell, struct st_value *out)
{
    return st_bits(out, xc_notify_classes(st_engine(cell)),
                   (unsigned)xc_notify_class_labels.n_labels);
}

static bool count(const struct st_cell *cell, struct st_value *out)
{
    struct xc_notify_counts counts = xc_notify_counts(st_engine(cell));

    return st_read_member(cell->column, &counts, out);
}

static bool setting(const struct st_cell *cell, struct st_value *out)
{
    return st_read_member(cell->column, xc_engine_config(st_engine(cell)), out);
}

static bool bulk(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_bulk *told = xc_notify_bulk(st_engine(cell));

    return told && st_read_member(cell->column, told, out);
}

static bool bulk_severity(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_bulk *told = xc_notify_bulk(st_engine(cell));

    /* Of events that were gone before they were looked at nothing is known. */
    return told && st_number(out, told->severity ? told->severity : XC_SEVERITY_WARNING);
}

static bool bulk_text(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_bulk *told = xc_notify_bulk(st_engine(cell));
    g_autofree char *text = told ? xc_bulk_text(told) : NULL;

    return text && st_text_copy(out, text);
}

#define COUNT(arc, name, member)                                                                   \
    MEMBER(arc, name, ST_COUNTER32, count, xc_notify_counts, member, .units = "events")
#define SERIAL .min = 1, .max = G_MAXINT32

static const struct st_column scalars[] = {
    SET(ENABLE, "xenNotifyEnable", ST_BITS, classes, .labels = &xc_notify_class_labels),
    MEMBER(7, "xenNotifyLastSerial", ST_UNSIGNED32, count, xc_notify_counts, last,
           .none_if_zero = true, SERIAL),
    COUNT(8, "xenNotifySent", sent),
    COUNT(9, "xenNotifyBulked", bulked),
    COUNT(10, "xenNotifyMuted", muted),
    MEMBER(11, "xenNotifyRate", ST_GAUGE32, setting, xc_config, notify_rate,
           .units = "notifications per second"),
    MEMBER(12, "xenNotifyBurst", ST_GAUGE32, setting, xc_config, notify_burst,
           .units = "notifications"),
    MEMBER(13, "xenNotifyBulkCount", ST_GAUGE32, bulk, xc_bulk, count, .units = "events"),
    MEMBER(14, "xenNotifyBulkFirst", ST_UNSIGNED32, bulk, xc_bulk, first, SERIAL),
    MEMBER(15, "xenNotifyBulkLast", ST_UNSIGNED32, bulk, xc_bulk, last, SERIAL),
    CALC(16, "xenNotifyBulkSeverity", ST_ENUM, bulk_severity, .labels = &xc_severity_labels),
    CALC(17, "xenNotifyBulkText", ST_TEXT, bulk_text),
};

static bool plan_scalars(const struct st_change *change, void *context, void *transaction,
                         uint32_t *blame, GError **error)
{
    const struct st_write *write = st_change_write(change, ENABLE);

    (void)context;
    (void)blame;
    return xc_txn_notify_classes(transaction, (uint32_t)write->number, error);
}

const struct st_table st_notify_scalars = {
    .name = "xenNotify",
    .arcs = {1, 9},
    .scalars = true,
    .columns = scalars,
    .n_columns = G_N_ELEMENTS(scalars),
    .plan = plan_scalars,
};

/* --- xenThresholdTable */

enum { KIND = 3, TARGET = 4, HIGH = 5, LOW = 6, ROW_STATUS = 7 };

static const void *rows(void *context, size_t *n)
{
    return xc_thresholds(((const struct st_context *)context)->engine, n);
}

static bool row_status(const struct st_cell *cell, struct st_value *out)
{
    (void)cell;
    return st_number(out, ST_ROW_ACTIVE);
}

#define KEY    .min = 1, .max = 32
#define CREATE .access = ST_READ_CREATE
#define ROW(arc, name, type, member, ...)                                                          \
    MEMBER(arc, name, type, st_get_member, xc_threshold, member, __VA_ARGS__)

static const struct st_column columns[] = {
    ROW(2, "xenThresholdLabel", ST_TEXT, name, KEY),
    ROW(KIND, "xenThresholdKind", ST_ENUM, kind, CREATE, .labels = &xc_threshold_labels),
    ROW(TARGET, "xenThresholdTarget", ST_TEXT, target, CREATE, .min = 1, .max = 255),
    ROW(HIGH, "xenThresholdSet", ST_UNSIGNED32, limits.high, CREATE, .max = 31536000),
    ROW(LOW, "xenThresholdClear", ST_UNSIGNED32, limits.low, CREATE, .max = 31536000),
    CALC(ROW_STATUS, "xenThresholdRowStatus", ST_ROW_STATUS, row_status, CREATE),
};

/* Texts are borrowed. Returns whether anything was written. */
static bool apply(struct xc_threshold *row, const struct st_change *change)
{
    const struct st_write *kind = st_change_write(change, KIND);
    const struct st_write *target = st_change_write(change, TARGET);
    const struct st_write *high = st_change_write(change, HIGH);
    const struct st_write *low = st_change_write(change, LOW);

    if (kind)
        row->kind = (enum xc_threshold_kind)kind->number;
    if (target)
        row->target = (char *)target->text;
    if (high)
        row->limits.high = (uint32_t)high->number;
    if (low)
        row->limits.low = (uint32_t)low->number;
    return kind || target || high || low;
}

static bool put(const struct st_change *change, const struct xc_threshold *row, struct xc_txn *txn,
                uint32_t *blame, GError **error)
{
    if (!row->kind) {
        *blame = ROW_STATUS;
        return xc_fail(error, XC_CAUSE_CONFLICT, "a new threshold needs xenThresholdKind");
    }
    if (!xc_limits_check(row->kind, &row->limits, NULL)) {
        g_autoptr(GError) inner = NULL;

        *blame = st_change_write(change, HIGH) ? HIGH : LOW;
        xc_limits_check(row->kind, &row->limits, &inner);
        return xc_fail(error, XC_CAUSE_CONFLICT, "%s", inner->message);
    }
    return xc_txn_put_threshold(txn, row, error);
}

static bool plan(const struct st_change *change, void *context, void *transaction, uint32_t *blame,
                 GError **error)
{
    const struct st_write *status = st_change_write(change, ROW_STATUS);
    const struct xc_threshold *there = change->row;
    const struct xc_threshold fresh = {.name = (char *)change->key, .target = (char *)"*"};
    struct xc_threshold row = there ? *there : fresh;
    bool written = apply(&row, change);

    (void)context;
    if (!status || status->number != ST_ROW_DESTROY)
        return (there && !written) || put(change, &row, transaction, blame, error);
    *blame = ROW_STATUS;
    return xc_txn_remove_threshold(transaction, change->key, error);
}

static bool key_ok(const char *key)
{
    return xc_text_is_key(key, 32);
}

const struct st_table st_threshold_table = {
    .name = "xenThresholdTable",
    .arcs = {1, 9, 18, 1},
    .index = {{ST_INDEX_TEXT, offsetof(struct xc_threshold, name), "xenThresholdName", 1, KEY}},
    .row_size = sizeof(struct xc_threshold *),
    .rows_are_pointers = true,
    .rows = rows,
    .columns = columns,
    .n_columns = G_N_ELEMENTS(columns),
    .plan = plan,
    .row_status = ROW_STATUS,
    .key_ok = key_ok,
};
