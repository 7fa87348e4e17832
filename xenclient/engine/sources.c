/* Registering and removing sources, and the other settings that a SET may change. */
#include "xenclient/engine/private.h"

#define RETRY_USEC (5 * XC_USEC_PER_SEC) /* after the store failed */

static gint by_key(gconstpointer a, gconstpointer b)
{
    return xc_key_compare((*(struct xc_slot *const *)a)->spec.key,
                          (*(struct xc_slot *const *)b)->spec.key);
}

void xc_engine_source_drop(struct xc_engine *engine, struct xc_slot *slot, GPtrArray *gone)
{
    xc_slot_end(slot);
    g_ptr_array_remove(engine->slots, slot);
    g_hash_table_remove(engine->slot_ids, GUINT_TO_POINTER(slot->id));
    g_ptr_array_add(gone, slot);
}

void xc_engine_source_forget(struct xc_engine *engine, const char *key)
{
    g_hash_table_remove(engine->told_sources, key);
    xc_notices_forget(engine, key);
    xc_store_forget_source(engine->store, key);
}

struct xc_slot *xc_engine_source_swap(struct xc_engine *engine, const struct xc_source_spec *spec,
                                      enum xc_origin_of_source origin, bool enabled,
                                      unsigned interval_sec, GPtrArray *gone, GError **error)
{
    struct xc_slot *old = xc_fleet_source(engine, spec->key);
    struct xc_slot *slot = xc_slot_new(engine, spec, origin, enabled, interval_sec, error);

    if (!slot)
        return NULL;
    if (old) {
        /* What it said stays visible until the new connection answers. */
        slot->snapshot = old->snapshot ? xc_snapshot_ref(old->snapshot) : NULL;
        slot->host_keys = g_strdupv(old->host_keys);
        xc_engine_source_drop(engine, old, gone);
    }
    g_ptr_array_add(engine->slots, slot);
    g_ptr_array_sort(engine->slots, by_key);
    xc_slot_begin(slot);
    return slot;
}

GPtrArray *xc_engine_sources_gone(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)xc_slot_free);
}

void xc_engine_source_remove(struct xc_engine *engine, const char *key)
{
    struct xc_slot *slot = xc_fleet_source(engine, key);
    g_autoptr(GPtrArray) gone = xc_engine_sources_gone();

    if (!slot)
        return;
    xc_engine_source_drop(engine, slot, gone);
    xc_engine_source_forget(engine, key);
    xc_fleet_rebuild(engine);
    xc_log(XC_LOG_INFO, "source %s: removed", key);
}

struct xc_slot *xc_engine_source_put(struct xc_engine *engine, const struct xc_source_spec *spec,
                                     enum xc_origin_of_source origin, bool enabled,
                                     unsigned interval_sec, GError **error)
{
    g_autoptr(GPtrArray) gone = xc_engine_sources_gone();
    struct xc_slot *slot =
        xc_engine_source_swap(engine, spec, origin, enabled, interval_sec, gone, error);

    if (slot)
        xc_fleet_rebuild(engine);
    return slot;
}

/* --- settings on their way from the journal to state.db */

/* One that memory has and the journal still holds. */
struct applied {
    struct xc_engine *engine;
    int64_t seq;
    char *key;       /* of the source it is about; NULL none */
    char *group;     /* that it is about; NULL none */
    char *setting;   /* name of the setting it is; NULL none */
    uint32_t domain; /* that it is about; 0 none */
};

static void applied_free(void *data)
{
    struct applied *applied = data;

    g_free(applied->key);
    g_free(applied->group);
    g_free(applied->setting);
    g_free(applied);
}

GPtrArray *xc_intents_new(void)
{
    return g_ptr_array_new_with_free_func(applied_free);
}

static bool drop(struct xc_engine *engine, const struct applied *applied)
{
    g_autoptr(GError) error = NULL;

    if (!engine->journal_failed) {
        xc_journal_drop_intent(engine->journal, applied->seq, &error);
        xc_journal_note(engine, error);
    }
    return !engine->journal_failed;
}

/* The store has this one: older ones of the same thing must go first, or the next start would apply them again. */
static bool drop_older(struct xc_engine *engine, const struct applied *applied)
{
    for (guint i = 0; i < engine->intents->len;) {
        const struct applied *older = engine->intents->pdata[i];

        if (older->domain != applied->domain || g_strcmp0(older->key, applied->key) != 0 ||
            g_strcmp0(older->group, applied->group) != 0 ||
            g_strcmp0(older->setting, applied->setting) != 0)
            i++;
        else if (drop(engine, older))
            g_ptr_array_remove_index(engine->intents, i);
        else
            return false;
    }
    return true;
}

static void stored(const GError *error, void *data)
{
    struct applied *applied = data;
    struct xc_engine *engine = applied->engine;

    engine->store_failed = error != NULL;
    if (!error && drop_older(engine, applied) && drop(engine, applied)) {
        applied_free(applied);
        return;
    }
    engine->intents_mono = xc_clock_mono();
    g_ptr_array_add(engine->intents, applied);
}

static void save_source(struct xc_engine *engine, const char *key)
{
    const struct xc_slot *slot = xc_fleet_source(engine, key);
    unsigned usual = engine->config->interval_sec;

    if (slot && slot->origin == XC_FROM_SNMP)
        xc_store_put_source(engine->store, &slot->spec, slot->enabled,
                            slot->interval_sec == usual ? 0 : slot->interval_sec, NULL, NULL);
    else if (!slot)
        xc_store_remove_source(engine->store, key, NULL, NULL);
}

static void save_domain(struct xc_engine *engine, uint32_t index)
{
    const struct xc_domain_ref *ref = xc_fleet_domain(engine, index);
    const struct xc_domain *domain = ref ? xc_ref_domain(ref) : NULL;

    xc_known_save(engine, index, domain && XC_HAS(DOMAIN, domain, name) ? domain->name : "");
}

void xc_intents_tick(struct xc_engine *engine)
{
    g_autoptr(GPtrArray) again = NULL;

    if (!engine->intents->len || engine->journal_failed ||
        xc_clock_mono() - engine->intents_mono < RETRY_USEC)
        return;
    again = g_steal_pointer(&engine->intents);
    g_ptr_array_set_free_func(again, NULL);
    engine->intents = xc_intents_new();
    for (guint i = 0; i < again->len; i++) {
        struct applied *applied = again->pdata[i];

        /* As it is now: later ones may have changed it. */
        if (applied->key)
            save_source(engine, applied->key);
        if (applied->domain)
            save_domain(engine, applied->domain);
        if (applied->group)
            xc_group_save(engine, applied->group);
        if (applied->setting)
            xc_setting_save(engine, applied->setting);
        xc_store_barrier(engine->store, stored, applied);
    }
}

static void put_source(struct xc_engine *engine, struct xc_reader *reader, struct applied *applied)
{
    struct xc_source_spec spec = {0};
    g_autoptr(GError) error = NULL;
    bool enabled;
    unsigned interval;

    xc_source_spec_read(&spec, reader);
    enabled = xc_get_u8(reader) != 0;
    interval = xc_get_u32(reader);
    if (xc_reader_end(reader)) {
        applied->key = g_strdup(spec.key);
        xc_store_put_source(engine->store, &spec, enabled, interval, NULL, NULL);
        if (!xc_engine_source_put(engine, &spec, XC_FROM_SNMP, enabled, interval, &error))
            xc_log(XC_LOG_WARNING, "source %s: %s", spec.key, error->message);
    }
    xc_source_spec_clear(&spec);
}

static void remove_source(struct xc_engine *engine, struct xc_reader *reader,
                          struct applied *applied)
{
    g_autofree char *key = xc_get_text(reader, 64);

    if (!xc_reader_end(reader))
        return;
    applied->key = g_strdup(key);
    xc_store_remove_source(engine->store, key, NULL, NULL);
    xc_engine_source_remove(engine, key);
}

static void protect(struct xc_engine *engine, struct xc_reader *reader, struct applied *applied)
{
    uint32_t index = xc_get_u32(reader);
    bool on = xc_get_u8(reader) != 0;

    if (!xc_reader_end(reader) || !xc_known_find(engine, index))
        return;
    applied->domain = index;
    xc_track_get(engine, index)->protect = on;
    save_domain(engine, index);
}

void xc_intent_apply(struct xc_engine *engine, int64_t seq, enum xc_intent_kind kind,
                     const uint8_t *payload, size_t length)
{
    struct xc_reader reader = XC_READER(payload, length);
    struct applied *applied = g_new0(struct applied, 1);

    applied->engine = engine;
    applied->seq = seq;
    switch (kind) {
    case XC_INTENT_PUT_SOURCE:
        put_source(engine, &reader, applied);
        break;
    case XC_INTENT_REMOVE_SOURCE:
        remove_source(engine, &reader, applied);
        break;
    case XC_INTENT_PROTECT:
        protect(engine, &reader, applied);
        break;
    case XC_INTENT_PUT_GROUP:
    case XC_INTENT_REMOVE_GROUP:
        if (xc_group_intent(engine, kind, &reader, &applied->group))
            xc_group_save(engine, applied->group);
        break;
    case XC_INTENT_SETTING:
        if (xc_setting_intent(engine, &reader, &applied->setting))
            xc_setting_save(engine, applied->setting);
        break;
    }
    xc_store_barrier(engine->store, stored, applied);
}
