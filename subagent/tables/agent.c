/* xenAgent: scalars about the agent itself, its settings, and totals. */
#include "subagent/tables/tables.h"

#include "subagent/handler.h"

#include <string.h>
#include <unistd.h>

static bool health_member(const struct st_cell *cell, struct st_value *out)
{
    struct xc_engine_health health;

    xc_engine_health(st_engine(cell), &health);
    return st_read_member(cell->column, &health, out);
}

static bool config_member(const struct st_cell *cell, struct st_value *out)
{
    return st_read_member(cell->column, xc_engine_config(st_engine(cell)), out);
}

static bool version(const struct st_cell *cell, struct st_value *out)
{
    (void)cell;
    return st_text(out, XENSNMP_VERSION);
}

enum { OK = 1, DEGRADED, STARTING, FAILING };
static const struct xc_label state_label[] = {
    {OK, "ok"}, {DEGRADED, "degraded"}, {STARTING, "starting"}, {FAILING, "failing"}};
static XC_ENUM_DEFINE(state_labels, "xenAgentState", state_label);

static bool state(const struct st_cell *cell, struct st_value *out)
{
    struct xc_engine_health health;

    xc_engine_health(st_engine(cell), &health);
    if (health.starting)
        return st_number(out, STARTING);
    if (!*health.reason)
        return st_number(out, OK);
    return st_number(out, health.sources_up == 0 ? FAILING : DEGRADED);
}

static bool oldest_age(const struct st_cell *cell, struct st_value *out)
{
    struct xc_engine_health health;

    xc_engine_health(st_engine(cell), &health);
    return health.oldest_age_sec >= 0 && st_gauge(out, (uint64_t)health.oldest_age_sec);
}

static bool handler_max(const struct st_cell *cell, struct st_value *out)
{
    const struct st_context *st = cell->context;

    return st_gauge(out, st_mib_longest_call(st->mib));
}

static bool reconnects(const struct st_cell *cell, struct st_value *out)
{
    const struct st_context *st = cell->context;

    return st_number(out, st->sessions ? st->sessions - 1 : 0);
}

/* The second number of statm is the resident set, in pages. */
static bool memory(const struct st_cell *cell, struct st_value *out)
{
    g_autofree char *text = NULL;
    const char *resident = NULL;

    (void)cell;
    if (g_file_get_contents("/proc/self/statm", &text, NULL, NULL))
        resident = strchr(text, ' ');
    return resident && st_gauge(out, g_ascii_strtoull(resident, NULL, 10) *
                                         (uint64_t)sysconf(_SC_PAGESIZE) / 1024);
}

#define HEALTH(arc, name, type, member, unit)                                                      \
    MEMBER(arc, name, type, health_member, xc_engine_health, member, .units = (unit))
#define CONFIG(arc, name, member, unit, ...)                                                       \
    MEMBER(arc, name, ST_UNSIGNED32, config_member, xc_config, member, .units = (unit), __VA_ARGS__)

static const struct st_column columns[] = {
    CALC(1, "xenAgentVersion", ST_TEXT, version),
    HEALTH(2, "xenAgentStarted", ST_DATE, started_real, NULL),
    CALC(3, "xenAgentState", ST_ENUM, state, .labels = &state_labels),
    HEALTH(4, "xenAgentReason", ST_TEXT, reason, NULL),
    HEALTH(5, "xenPollsOk", ST_COUNTER64, polls_ok, "polls"),
    HEALTH(6, "xenPollsFailed", ST_COUNTER64, polls_failed, "polls"),
    HEALTH(8, "xenPollMaxTime", ST_GAUGE32, poll_max_msec, "milliseconds"),
    CALC(9, "xenOldestDataAge", ST_GAUGE32, oldest_age, .units = "seconds"),
    CALC(10, "xenHandlerMaxTime", ST_GAUGE32, handler_max, .units = "microseconds"),
    HEALTH(12, "xenWorkers", ST_GAUGE32, workers, "processes"),
    HEALTH(13, "xenQueueDepth", ST_GAUGE32, queue_depth, "operations"),
    MEMBER(14, "xenQueueLimit", ST_GAUGE32, config_member, xc_config, queue_limit,
           .units = "operations"),
    HEALTH(15, "xenSetsAccepted", ST_COUNTER32, sets_accepted, "requests"),
    HEALTH(16, "xenSetsRefused", ST_COUNTER32, sets_refused, "requests"),
    MEMBER(19, "xenDatabaseSize", ST_GAUGE32, health_member, xc_engine_health, db_bytes,
           .divide = 1024, .units = "kibibytes"),
    CALC(20, "xenMasterReconnects", ST_COUNTER32, reconnects, .units = "connections"),
    CALC(21, "xenAgentMemory", ST_GAUGE32, memory, .units = "kibibytes"),
    HEALTH(22, "xenWorkersLost", ST_COUNTER32, workers_lost, "processes"),
    MEMBER(30, "xenControlEnabled", ST_TRUTH, config_member, xc_config, control),
    CONFIG(31, "xenConfigPollInterval", interval_sec, "seconds", .min = 1, .max = 3600),
    CONFIG(32, "xenConfigStaleAfter", stale_after, "polls", .min = 2, .max = 100),
    CONFIG(33, "xenConfigTombstone", tombstone_sec, "seconds", ),
    CONFIG(34, "xenConfigDuplicateWindow", dup_window_sec, "seconds", ),
    CONFIG(35, "xenConfigOperationExpire", op_expire_sec, "seconds", ),
    CONFIG(36, "xenConfigOperationMaxRows", op_max_rows, "rows", ),
    CONFIG(37, "xenConfigMaxOperations", max_ops, "operations", ),
    CONFIG(38, "xenConfigMaxOperationsPerHost", max_ops_per_host, "operations", ),
    CONFIG(39, "xenConfigShutdownTimeout", shutdown_timeout_sec, "seconds", ),
    HEALTH(50, "xenSourceCount", ST_GAUGE32, sources, "sources"),
    HEALTH(51, "xenSourceUpCount", ST_GAUGE32, sources_up, "sources"),
    HEALTH(52, "xenSourceDownCount", ST_GAUGE32, sources_down, "sources"),
    HEALTH(53, "xenHostCount", ST_GAUGE32, hosts, "hosts"),
    HEALTH(54, "xenDomainCount", ST_GAUGE32, domains, "domains"),
    HEALTH(55, "xenDomainRunningCount", ST_GAUGE32, domains_running, "domains"),
    HEALTH(56, "xenDomainProblemCount", ST_GAUGE32, domains_problem, "domains"),
};

const struct st_table st_agent_scalars = {
    .name = "xenAgent",
    .arcs = {1, 1},
    .scalars = true,
    .columns = columns,
    .n_columns = G_N_ELEMENTS(columns),
};
