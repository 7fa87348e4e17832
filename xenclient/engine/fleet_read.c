/* Reading the fleet: what tables ask of domains, hosts and sources. */
#include "xenclient/engine/private.h"

const struct xc_domain_ref *xc_fleet_domains(const struct xc_engine *engine, size_t *n)
{
    *n = engine->refs->len;
    return (const struct xc_domain_ref *)(const void *)engine->refs->data;
}

const struct xc_domain_ref *xc_fleet_domain(const struct xc_engine *engine, uint32_t index)
{
    const struct xc_domain_ref key = {.index = index};

    return bsearch(&key, engine->refs->data, engine->refs->len, sizeof(key), xc_domain_ref_compare);
}

const struct xc_host_ref *xc_fleet_hosts(const struct xc_engine *engine, size_t *n)
{
    *n = engine->hosts->len;
    return (const struct xc_host_ref *)(const void *)engine->hosts->data;
}

const struct xc_host_ref *xc_fleet_host(const struct xc_engine *engine, const char *key)
{
    const struct xc_host_ref wanted = {.key = key};

    return bsearch(&wanted, engine->hosts->data, engine->hosts->len, sizeof(wanted),
                   xc_host_ref_compare);
}

struct xc_slot *const *xc_fleet_sources(const struct xc_engine *engine, size_t *n)
{
    *n = engine->slots->len;
    return (struct xc_slot *const *)engine->slots->pdata;
}

struct xc_slot *xc_fleet_source(const struct xc_engine *engine, const char *key)
{
    for (guint i = 0; i < engine->slots->len; i++) {
        struct xc_slot *slot = engine->slots->pdata[i];

        if (strcmp(slot->spec.key, key) == 0)
            return slot;
    }
    return NULL;
}

uint64_t xc_fleet_generation(const struct xc_engine *engine)
{
    return engine->generation;
}

const char *xc_fleet_host_key(const struct xc_domain_ref *ref)
{
    if (!ref->slot->host_keys)
        return ref->track->home;
    return ref->slot->host_keys[xc_ref_domain(ref)->host];
}

bool xc_ref_shows(const struct xc_domain_ref *ref, const struct xc_field *field)
{
    unsigned number = (unsigned)(field - xc_domain_type.fields);

    return xc_has(xc_ref_domain(ref), number) &&
           (field->keep == XC_INVENTORY || !xc_slot_stale(ref->slot));
}

const struct xc_detail *xc_ref_detail(const struct xc_domain_ref *ref, const struct xc_field *field)
{
    const struct xc_detail *detail = xc_snapshot_detail(ref->slot->snapshot, xc_ref_domain(ref));
    unsigned number = (unsigned)(field - xc_detail_type.fields);

    return detail && xc_has(detail, number) &&
                   (field->keep == XC_INVENTORY || !xc_slot_stale(ref->slot))
               ? detail
               : NULL;
}

bool xc_host_ref_shows(const struct xc_host_ref *ref, const struct xc_field *field)
{
    unsigned number = (unsigned)(field - xc_host_type.fields);

    return ref->row >= 0 && xc_has(&ref->slot->snapshot->hosts[ref->row], number) &&
           (field->keep == XC_INVENTORY || !xc_slot_stale(ref->slot));
}

enum xc_domain_state xc_ref_state(const struct xc_domain_ref *ref)
{
    if (xc_slot_down(ref->slot))
        return XC_STATE_UNKNOWN;
    return xc_track_state(ref->track, xc_ref_domain(ref));
}

enum xc_presence xc_ref_presence(const struct xc_domain_ref *ref)
{
    if (ref->track->presence == XC_PRESENT && xc_slot_stale(ref->slot))
        return XC_STALE;
    return ref->track->presence;
}

enum xc_source_state xc_host_ref_state(const struct xc_host_ref *ref)
{
    const struct xc_host *host =
        ref->row >= 0 && ref->slot->snapshot ? &ref->slot->snapshot->hosts[ref->row] : NULL;

    if (ref->slot->state != XC_SOURCE_UP || !host)
        return ref->slot->state;
    if (XC_HAS(HOST, host, live) && !host->live)
        return XC_SOURCE_DOWN;
    return XC_HAS(HOST, host, enabled) && !host->enabled ? XC_SOURCE_MAINTENANCE : XC_SOURCE_UP;
}
