/* The configuration, read again while running: all of it takes effect, or nothing. */
#include "xenclient/engine/private.h"

#include <string.h>

static const struct xc_config_source *find(const struct xc_config *config, const char *key)
{
    for (guint i = 0; i < config->sources->len; i++) {
        const struct xc_config_source *source = config->sources->pdata[i];

        if (strcmp(source->spec.key, key) == 0)
            return source;
    }
    return NULL;
}

static bool from_file(const struct xc_slot *slot)
{
    return slot->origin == XC_FROM_CONFIG;
}

/* May it be done at all? Nothing has changed yet. */
static bool check(struct xc_engine *engine, const struct xc_config *next, GError **error)
{
    const char *option = xc_config_needs_restart(engine->config, next);

    if (option)
        return xc_fail(error, XC_CAUSE_BAD_CONFIG, "%s has changed: that needs a restart", option);
    if (!xc_groups_may_configure(engine, next, error))
        return false;
    for (guint i = 0; i < engine->slots->len; i++) {
        const struct xc_slot *slot = engine->slots->pdata[i];
        bool goes = from_file(slot) && !find(next, slot->spec.key);
        unsigned open = goes ? xc_ops_open_on(engine, slot->spec.key) : 0;

        if (open)
            return xc_fail(error, XC_CAUSE_BAD_STATE,
                           "source %s is gone from it, but %u operations are in progress there",
                           slot->spec.key, open);
    }
    return true;
}

static void drop_missing(struct xc_engine *engine, const struct xc_config *next, GPtrArray *gone)
{
    for (guint i = engine->slots->len; i-- > 0;) {
        struct xc_slot *slot = engine->slots->pdata[i];

        if (!from_file(slot) || find(next, slot->spec.key))
            continue;
        xc_log(XC_LOG_INFO, "source %s: removed", slot->spec.key);
        xc_engine_source_forget(engine, slot->spec.key);
        xc_engine_source_drop(engine, slot, gone);
    }
}

static void set_interval(struct xc_slot *slot, unsigned interval_sec)
{
    if (slot->interval_sec == interval_sec)
        return;
    slot->interval_sec = interval_sec;
    xc_slot_poll_now(slot); /* its timer may be set for an hour hence */
}

static void put(struct xc_engine *engine, const struct xc_config_source *source, GPtrArray *gone)
{
    struct xc_slot *slot = xc_fleet_source(engine, source->spec.key);
    g_autoptr(GError) error = NULL;

    /* One that stays as it is keeps its connection. */
    if (slot && from_file(slot) && slot->enabled == source->enabled &&
        xc_source_spec_equal(&slot->spec, &source->spec)) {
        set_interval(slot,
                     source->interval_sec ? source->interval_sec : engine->config->interval_sec);
        return;
    }
    if (!xc_engine_source_swap(engine, &source->spec, XC_FROM_CONFIG, source->enabled,
                               source->interval_sec, gone, &error))
        xc_log(XC_LOG_ERROR, "source %s: %s", source->spec.key, error->message);
    else
        xc_log(XC_LOG_INFO, "source %s: %s", source->spec.key, slot ? "changed" : "added");
}

bool xc_engine_reload(struct xc_engine *engine, const struct xc_config *next, GError **error)
{
    unsigned interval_before = engine->config->interval_sec;
    g_autoptr(GPtrArray) gone = xc_engine_sources_gone();

    if (!check(engine, next, error))
        return false;
    engine->config = next;
    drop_missing(engine, next, gone);
    for (guint i = 0; i < next->sources->len; i++)
        put(engine, next->sources->pdata[i], gone);
    for (guint i = 0; i < engine->slots->len; i++) {
        struct xc_slot *slot = engine->slots->pdata[i];

        if (!from_file(slot) && slot->interval_sec == interval_before)
            set_interval(slot, next->interval_sec);
    }
    xc_groups_configure(engine, next);
    xc_fleet_rebuild(engine);
    xc_events_trim(engine);
    return true;
}
