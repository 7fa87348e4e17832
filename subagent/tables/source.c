/* xenSourceTable: where hosts are asked; rows can be made and removed. */
#include "subagent/tables/tables.h"

enum {
    URI = 4,
    CREDENTIAL = 5,
    ENABLED = 6,
    INTERVAL = 7,
    ADDRESS = 8,
    CONFIG_DIRS = 9,
    SAVE_DIR = 10,
    ROW_STATUS = 25
};

static const void *rows(void *context, size_t *n)
{
    return xc_fleet_sources(((const struct st_context *)context)->engine, n);
}

static bool driver(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_slot *slot = cell->row;

    return st_number(out, (uint64_t)slot->driver->number);
}

static bool hosts(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_slot *slot = cell->row;

    return slot->snapshot && st_number(out, slot->snapshot->n_hosts);
}

/* A figure of successful polls. */
static bool polled(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_slot *slot = cell->row;

    return slot->polls_ok > 0 && st_read_member(cell->column, slot, out);
}

static bool insecure(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_slot *slot = cell->row;

    return slot->driver->tls && st_truth(out, slot->spec.tls_insecure);
}

static bool age(const struct st_cell *cell, struct st_value *out)
{
    gint64 seconds = xc_slot_age(cell->row);

    return seconds >= 0 && st_gauge(out, (uint64_t)seconds);
}

static bool row_status(const struct st_cell *cell, struct st_value *out)
{
    (void)cell;
    return st_number(out, ST_ROW_ACTIVE);
}

#define KEY    .min = 1, .max = 32
#define CREATE .access = ST_READ_CREATE
#define SLOT(arc, name, type, member, ...)                                                         \
    MEMBER(arc, name, type, st_get_member, xc_slot, member, __VA_ARGS__)

static const struct st_column columns[] = {
    SLOT(2, "xenSourceLabel", ST_TEXT, spec.key, KEY),
    CALC(3, "xenSourceDriver", ST_ENUM, driver, .labels = &xc_driver_labels),
    SLOT(URI, "xenSourceUri", ST_TEXT, spec.uri, CREATE, .min = 1, .max = 255),
    SLOT(CREDENTIAL, "xenSourceCredential", ST_TEXT, spec.credential, CREATE, .max = 32),
    SLOT(ENABLED, "xenSourceEnabled", ST_TRUTH, enabled, CREATE),
    SLOT(INTERVAL, "xenSourceInterval", ST_UNSIGNED32, interval_sec, CREATE, .max = 3600,
         .units = "seconds"),
    SLOT(ADDRESS, "xenSourceAddress", ST_TEXT, spec.address, CREATE),
    SLOT(CONFIG_DIRS, "xenSourceConfigDirs", ST_TEXT, spec.config_dirs, CREATE),
    SLOT(SAVE_DIR, "xenSourceSaveDir", ST_TEXT, spec.save_dir, CREATE),
    SLOT(11, "xenSourceState", ST_ENUM, state, .labels = &xc_source_state_labels),
    SLOT(12, "xenSourceStateText", ST_TEXT, state_text),
    SLOT(13, "xenSourceCause", ST_ENUM, cause, .labels = &xc_cause_labels),
    SLOT(14, "xenSourceLastOk", ST_DATE, last_ok_real),
    SLOT(15, "xenSourceLastTry", ST_DATE, last_try_real),
    SLOT(16, "xenSourceStateSince", ST_DATE, since_real),
    CALC(17, "xenSourceHosts", ST_GAUGE32, hosts, .units = "hosts"),
    SLOT(18, "xenSourcePollsOk", ST_COUNTER32, polls_ok, .units = "polls"),
    SLOT(19, "xenSourcePollsFailed", ST_COUNTER32, polls_failed, .units = "polls"),
    SLOT(20, "xenSourceReconnects", ST_COUNTER32, reconnects, .units = "connections"),
    MEMBER(21, "xenSourcePollTime", ST_GAUGE32, polled, xc_slot, poll_msec,
           .units = "milliseconds"),
    MEMBER(22, "xenSourcePollTimeAverage", ST_GAUGE32, polled, xc_slot, poll_avg_msec,
           .units = "milliseconds"),
    CALC(23, "xenSourceDataAge", ST_GAUGE32, age, .units = "seconds"),
    SLOT(24, "xenSourceOrigin", ST_ENUM, origin, .labels = &xc_origin_labels),
    CALC(ROW_STATUS, "xenSourceRowStatus", ST_ROW_STATUS, row_status, CREATE),
    CALC(26, "xenSourceTlsInsecure", ST_TRUTH, insecure),
};

/* What the row would be after the change. */
struct wish {
    struct xc_source_spec spec;
    bool enabled;
    unsigned interval_sec;
};

static void wish_from(struct wish *wish, const struct st_change *change,
                      const struct xc_config *config)
{
    const struct xc_slot *slot = change->row;
    const struct xc_source_spec fresh = {.key = (char *)change->key,
                                         .uri = (char *)"",
                                         .credential = (char *)"",
                                         .address = (char *)"",
                                         .config_dirs = (char *)"",
                                         .save_dir = (char *)""};

    wish->spec = slot ? slot->spec : fresh;
    wish->enabled = !slot || slot->enabled;
    /* The interval in use may be the agent's: then it stays so. */
    wish->interval_sec =
        slot && slot->interval_sec != config->interval_sec ? slot->interval_sec : 0;
}

/* Texts are borrowed from the change: the engine copies them. Returns whether anything was written. */
static bool wish_apply(struct wish *wish, const struct st_change *change)
{
    const struct {
        uint32_t arc;
        char **to;
    } texts[] = {{URI, &wish->spec.uri},
                 {CREDENTIAL, &wish->spec.credential},
                 {ADDRESS, &wish->spec.address},
                 {CONFIG_DIRS, &wish->spec.config_dirs},
                 {SAVE_DIR, &wish->spec.save_dir}};
    const struct st_write *enabled = st_change_write(change, ENABLED);
    const struct st_write *interval = st_change_write(change, INTERVAL);
    bool any = enabled || interval;

    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
        const struct st_write *write = st_change_write(change, texts[i].arc);

        if (write)
            *texts[i].to = (char *)write->text;
        any |= write != NULL;
    }
    if (enabled)
        wish->enabled = enabled->number == ST_TRUE;
    if (interval)
        wish->interval_sec = (unsigned)interval->number;
    return any;
}

static bool check_uri(const char *uri, GError **error)
{
    struct xc_uri parts = {0};
    bool ok = xc_uri_parse(uri, &parts, error);

    xc_uri_clear(&parts);
    return ok && xc_driver_for(uri, error);
}

static bool put(const struct st_change *change, struct wish *wish, struct xc_txn *txn,
                uint32_t *blame, GError **error)
{
    GError *failed = NULL;

    if (!*wish->spec.uri) {
        *blame = ROW_STATUS;
        return xc_fail(error, XC_CAUSE_CONFLICT, "a new source needs xenSourceUri");
    }
    if (st_change_write(change, URI) && !check_uri(wish->spec.uri, error)) {
        *blame = URI;
        return false;
    }
    if (xc_txn_put_source(txn, &wish->spec, wish->enabled, wish->interval_sec, &failed))
        return true;
    /* Of what the engine alone can judge, an unknown credential is the one with a column of its own. */
    if (g_error_matches(failed, XC_ERROR, XC_CAUSE_NO_SUCH_HOST) &&
        st_change_write(change, CREDENTIAL))
        *blame = CREDENTIAL;
    g_propagate_error(error, failed);
    return false;
}

static bool plan(const struct st_change *change, void *context, void *transaction, uint32_t *blame,
                 GError **error)
{
    const struct st_context *st = context;
    const struct st_write *status = st_change_write(change, ROW_STATUS);
    const struct xc_slot *slot = change->row;
    struct wish wish;

    if (slot && slot->origin == XC_FROM_CONFIG)
        return xc_fail(error, XC_CAUSE_POLICY,
                       "source %s is from the configuration file: change it there", change->key);
    wish_from(&wish, change, xc_engine_config(st->engine));
    bool written = wish_apply(&wish, change);

    if (!status || status->number != ST_ROW_DESTROY)
        return (slot && !written) || put(change, &wish, transaction, blame, error);
    *blame = ROW_STATUS;
    return xc_txn_remove_source(transaction, change->key, error);
}

static bool key_ok(const char *key)
{
    return xc_text_is_key(key, 32);
}

const struct st_table st_source_table = {
    .name = "xenSourceTable",
    .arcs = {1, 3, 4, 1},
    .index = {{ST_INDEX_TEXT, offsetof(struct xc_slot, spec.key), "xenSourceKey", 1, KEY}},
    .row_size = sizeof(struct xc_slot *),
    .rows_are_pointers = true,
    .rows = rows,
    .columns = columns,
    .n_columns = G_N_ELEMENTS(columns),
    .plan = plan,
    .row_status = ROW_STATUS,
    .key_ok = key_ok,
};
