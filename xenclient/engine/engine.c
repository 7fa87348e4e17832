/* The engine: made of its parts, loaded, run by the main loop. */
#include "xenclient/engine/engine.h"

#include "xenclient/engine/private.h"
#include "xenclient/store/state_dir.h"

#include <errno.h>
#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>

/* One that was killed a moment ago may still be ending. */
#define LOCK_WAIT_MSEC 2000

#define SETTLE_TICKS 10

/* --- loading */

static void load_source(const struct xc_source_spec *spec, bool enabled, unsigned interval_sec,
                        void *data)
{
    struct xc_engine *engine = data;
    g_autoptr(GError) error = NULL;

    if (xc_fleet_source(engine, spec->key)) {
        xc_log(XC_LOG_WARNING,
               "source %s: registered by SNMP and set by the configuration file: the file wins",
               spec->key);
        return;
    }
    if (!xc_engine_source_put(engine, spec, XC_FROM_SNMP, enabled, interval_sec, &error))
        xc_log(XC_LOG_WARNING, "source %s: %s", spec->key, error->message);
}

static void load_domain(uint32_t index, const char *home, enum xc_wanted wanted, bool protect,
                        void *data)
{
    struct xc_track *track = xc_track_get(data, index);

    xc_known_loaded(data, index);
    xc_set_key(&track->home, home);
    track->wanted = (uint8_t)wanted;
    track->protect = protect;
}

static void load_identity(const char *key, uint32_t index, void *data)
{
    xc_identity_load(data, key, index);
}

static void load_host(const char *uuid, const char *key, void *data)
{
    struct xc_engine *engine = data;

    g_hash_table_insert(engine->host_keys, g_strdup(uuid), g_strdup(key));
}

static void load_counters(uint32_t index, const uint8_t *blob, size_t length, void *data)
{
    struct xc_loaded *loaded = xc_known_loaded(data, index);

    g_clear_pointer(&loaded->counters, g_bytes_unref);
    loaded->counters = g_bytes_new(blob, length);
}

static void load_told_domain(uint32_t index, int state, const char *host, const char *name,
                             void *data)
{
    struct xc_known *known = xc_known_get(data, index);

    known->told = state;
    xc_set_key(&known->told_host, host);
    xc_set_text(&xc_known_loaded(data, index)->name, name);
}

static void load_told_source(const char *key, int state, void *data)
{
    struct xc_engine *engine = data;

    g_hash_table_insert(engine->told_sources, g_strdup(key), GINT_TO_POINTER(state));
}

static void load_op(struct xc_op *op, void *data)
{
    struct xc_op_run *run = g_new0(struct xc_op_run, 1);

    run->op = *op;
    g_free(op);
    if (run->op.state == XC_OP_FINISHED)
        run->op.ended_mono = xc_clock_mono() - MAX(xc_clock_real() - run->op.ended_real, 0);
    xc_ops_add(data, run);
}

static void load_intent(int64_t seq, enum xc_intent_kind kind, const uint8_t *payload,
                        size_t length, void *data)
{
    xc_intent_apply(data, seq, kind, payload, length);
}

static bool load_config_sources(struct xc_engine *engine, GError **error)
{
    for (guint i = 0; i < engine->config->sources->len; i++) {
        const struct xc_config_source *source = engine->config->sources->pdata[i];

        if (!xc_engine_source_put(engine, &source->spec, XC_FROM_CONFIG, source->enabled,
                                  source->interval_sec, error))
            return false;
    }
    return true;
}

/* The configuration file first: its sources win over registered ones of the same key. */
static bool load(struct xc_engine *engine, GError **error)
{
    static const struct xc_store_rows rows = {
        load_source,     load_domain,      load_identity,    load_host,
        load_counters,   load_told_domain, load_told_source, xc_events_load,
        xc_notices_load, xc_groups_load,   xc_history_load,
    };

    xc_groups_configure(engine, engine->config);
    if (!load_config_sources(engine, error) ||
        !xc_store_load(engine->store, &rows, engine, &engine->next_index, error))
        return false;
    if (!xc_journal_load(engine->journal, load_op, load_intent, engine, &engine->next_op, error))
        return false;
    xc_group_ops_loaded(engine);
    return true;
}

/* --- time */

/* The first answers of all sources leave more free memory than any later moment needs: it is given back, once,
 * for that takes milliseconds, when what they brought has been written and told. */
static void give_back(struct xc_engine *engine)
{
    struct xc_engine_health health;

    if (engine->settled == SETTLE_TICKS)
        return;
    xc_engine_health(engine, &health);
    if (!health.starting && ++engine->settled == SETTLE_TICKS)
        malloc_trim(0);
}

static gboolean on_tick(void *data)
{
    struct xc_engine *engine = data;

    xc_fleet_tick(engine);
    xc_ops_tick(engine);
    xc_intents_tick(engine);
    xc_events_tick(engine);
    xc_counters_tick(engine);
    give_back(engine);
    return G_SOURCE_CONTINUE;
}

static void on_worker_lost(const char *why, void *data)
{
    struct xc_engine *engine = data;

    engine->workers_lost++;
    xc_log(XC_LOG_WARNING, "a worker was replaced: %s", why);
}

/* --- life */

/* The slot of no source: rows of deleted domains. */
static struct xc_slot *make_graveyard(void)
{
    struct xc_slot *slot = g_new0(struct xc_slot, 1);
    static const struct xc_source_spec none = {0};

    xc_source_spec_copy(&slot->spec, &none);
    slot->driver = xc_drivers[0];
    slot->enabled = true;
    slot->state = XC_SOURCE_UP;
    slot->state_text = g_strdup("");
    slot->snapshot = xc_snapshot_seal(xc_report_new());
    return slot;
}

static struct xc_engine *make(const struct xc_config *config)
{
    struct xc_engine *engine = g_new0(struct xc_engine, 1);

    engine->config = config;
    engine->lock = -1;
    engine->started_real = xc_clock_real();
    xc_poller_start(engine);
    engine->slots = g_ptr_array_new();
    engine->slot_ids = g_hash_table_new(g_direct_hash, g_direct_equal);
    engine->next_slot = 1;
    engine->facts = 1; /* a group that was never looked at has 0 */
    engine->identities = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    xc_known_begin(engine);
    engine->host_keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    engine->fresh = g_hash_table_new(g_direct_hash, g_direct_equal);
    engine->refs = g_array_new(FALSE, FALSE, sizeof(struct xc_domain_ref));
    /* Room from the beginning: qsort and bsearch want no NULL, also without any source. */
    engine->hosts = g_array_sized_new(FALSE, FALSE, sizeof(struct xc_host_ref), 1);
    engine->ghosts = g_hash_table_new(g_direct_hash, g_direct_equal);
    engine->host_lives =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)xc_host_life_free);
    engine->graveyard = make_graveyard();
    engine->events = xc_events_new();
    engine->told_sources = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    engine->notices = xc_notices_new();
    engine->refusals_mono = G_MININT64 / 2;
    engine->intents = xc_intents_new();
    engine->ops = g_ptr_array_new();
    engine->open = g_ptr_array_new();
    engine->op_by_uuid = g_hash_table_new(xc_uuid_hash, xc_uuid_equal);
    engine->groups = xc_groups_new();
    engine->history = xc_histories_new();
    engine->discoveries = xc_discoveries_new();
    engine->finds = xc_finds_new();
    return engine;
}

static struct xc_supervisor *make_supervisor(struct xc_engine *engine, const char *worker_exe)
{
    static const struct xc_supervisor_events events = {
        .polled = xc_poller_polled,
        .poll_failed = xc_poller_failed,
        .changed = xc_poller_changed,
        .progress = xc_ops_progress,
        .outcome = xc_ops_outcome,
        .found = xc_discovery_found,
        .worker_lost = on_worker_lost,
    };
    const struct xc_config *config = engine->config;
    struct xc_driver_env env = {.credential_dir = config->credential_dir,
                                .known_hosts = config->known_hosts,
                                .tls_pins = config->tls_pins,
                                .tls_ca = config->tls_ca};
    struct xc_supervisor_limits limits = {
        .sources_per_worker = config->sources_per_worker,
        .max_workers = config->max_workers,
        .rss_mib = config->worker_rss_mib,
        .ping_sec = 2,
        .worker_exe = worker_exe,
    };

    return xc_supervisor_new(&env, &limits, &events, engine);
}

struct xc_engine *xc_engine_new(const struct xc_config *config, const char *worker_exe,
                                GError **error)
{
    struct xc_engine *engine = make(config);

    if (g_mkdir_with_parents(config->state_dir, 0700) < 0) {
        xc_fail(error, XC_CAUSE_STORE,
                "state_dir %s: %s: name a folder that the daemon's account can make and write",
                config->state_dir, g_strerror(errno));
        return xc_engine_free(engine);
    }
    engine->lock = xc_state_lock(config->state_dir, LOCK_WAIT_MSEC, error);
    engine->store = engine->lock >= 0 ? xc_store_open(config->state_dir, error) : NULL;
    engine->journal = engine->store ? xc_journal_open(config->state_dir, error) : NULL;
    if (!engine->journal)
        return xc_engine_free(engine);
    engine->supervisor = make_supervisor(engine, worker_exe);
    if (!load(engine, error))
        return xc_engine_free(engine);
    xc_fleet_rebuild(engine);
    xc_events_start(engine);
    engine->tick = g_timeout_add_seconds(1, on_tick, engine);
    return engine;
}

static void free_parts(struct xc_engine *engine)
{
    for (guint i = 0; i < engine->slots->len; i++)
        xc_slot_free(engine->slots->pdata[i]);
    xc_places_free(engine->places);
    g_ptr_array_unref(engine->finds);
    g_ptr_array_unref(engine->discoveries);
    g_ptr_array_unref(engine->groups);
    g_ptr_array_unref(engine->history);
    xc_member_places_free(engine->member_places);
    xc_member_names_free(engine->member_names);
    for (guint i = 0; i < engine->ops->len; i++)
        xc_op_run_free(engine->ops->pdata[i]);
    g_ptr_array_unref(engine->intents);
    g_ptr_array_unref(engine->slots);
    g_hash_table_unref(engine->slot_ids);
    g_ptr_array_unref(engine->ops);
    g_ptr_array_unref(engine->open);
    g_hash_table_unref(engine->op_by_uuid);
    xc_slot_free(engine->graveyard);
    g_hash_table_unref(engine->ghosts);
    g_hash_table_unref(engine->host_lives);
    g_array_unref(engine->refs);
    g_array_unref(engine->hosts);
    g_hash_table_unref(engine->fresh);
    g_hash_table_unref(engine->host_keys);
    xc_known_end(engine);
    g_hash_table_unref(engine->told_sources);
    g_hash_table_unref(engine->notices);
    xc_events_free(engine->events);
    g_hash_table_unref(engine->identities);
    g_clear_pointer(&engine->refusals, g_array_unref);
    g_free(engine);
}

void *xc_engine_free(struct xc_engine *engine)
{
    if (!engine)
        return NULL;
    engine->closing = true;
    xc_poller_stop(engine);
    if (engine->tick)
        g_source_remove(engine->tick);
    if (engine->rebuild)
        g_source_remove(engine->rebuild);
    if (engine->pump)
        g_source_remove(engine->pump);
    xc_supervisor_free(engine->supervisor);
    if (engine->store) {
        xc_counters_save(engine);
        xc_events_flush(engine);
    }
    xc_store_close(engine->store);
    xc_journal_close(engine->journal);
    if (engine->lock >= 0)
        close(engine->lock);
    free_parts(engine);
    return NULL;
}

const struct xc_config *xc_engine_config(const struct xc_engine *engine)
{
    return engine->config;
}

bool xc_switch_is_on(const struct xc_engine *engine, enum xc_switch which)
{
    return (engine->switches & which) != 0;
}

/* --- health */

static void add_slot(struct xc_engine_health *out, const struct xc_slot *slot)
{
    gint64 age = xc_slot_age(slot);

    out->sources++;
    if (!slot->enabled)
        return;
    out->sources_up += slot->state == XC_SOURCE_UP;
    out->sources_down += xc_slot_down(slot);
    out->starting = out->starting || (!slot->polls_ok && !slot->polls_failed);
    if (age >= 0)
        out->oldest_age_sec = MAX(out->oldest_age_sec, age);
}

void xc_engine_tell_log_level(struct xc_engine *engine)
{
    xc_supervisor_tell_log_level(engine->supervisor);
}

void xc_engine_health(const struct xc_engine *engine, struct xc_engine_health *out)
{
    *out = (struct xc_engine_health){
        .started_real = engine->started_real,
        .reason = "",
        .polls_ok = engine->polls_ok,
        .polls_failed = engine->polls_failed,
        .poll_max_msec = engine->poll_max_msec,
        .oldest_age_sec = -1,
        .workers = xc_supervisor_workers(engine->supervisor),
        .workers_lost = engine->workers_lost,
        .queue_depth = engine->open->len,
        .sets_accepted = engine->sets_accepted,
        .sets_refused = engine->sets_refused,
        .db_bytes = xc_store_bytes(engine->store),
        .hosts = engine->hosts->len,
        .domains = engine->refs->len,
        .domains_running = engine->n_running,
        .domains_problem = engine->n_problem,
    };
    for (guint i = 0; i < engine->slots->len; i++)
        add_slot(out, engine->slots->pdata[i]);
    if (engine->store_failed || engine->journal_failed)
        out->reason = "the database cannot be written";
    else if (out->sources_down)
        out->reason = "sources do not answer: see xenSourceStateText";
    else if (out->starting)
        out->reason = "waiting for the first answers";
}
