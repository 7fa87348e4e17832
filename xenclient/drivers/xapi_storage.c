/* SR, PBD, PIF and what belongs to them, as storage repositories and interfaces of the report. */
#include "xenclient/drivers/xapi_storage.h"

#include "xenclient/util/error.h"

#define KIB 1024

/* Of a storage repository: hosts that are to reach it, and that do. */
struct paths {
    uint64_t all, up;
    bool told; /* of each path whether it is up */
};

/* Counts all paths once: reference of the SR -> struct paths. */
static GHashTable *count_paths(const struct xapi_mirror *mirror)
{
    GHashTable *all = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
    GHashTableIter iter;
    gpointer object;

    g_hash_table_iter_init(&iter, mirror->objects[XAPI_PBD]);
    while (g_hash_table_iter_next(&iter, NULL, &object)) {
        const struct xapi_pbd *pbd = object;
        struct paths *of = pbd->sr ? g_hash_table_lookup(all, pbd->sr) : NULL;

        if (!pbd->sr)
            continue;
        if (!of) {
            of = g_new0(struct paths, 1);
            of->told = true;
            g_hash_table_insert(all, pbd->sr, of);
        }
        of->all++;
        of->up += pbd->attached.known && pbd->attached.value;
        of->told = of->told && pbd->attached.known;
    }
    return all;
}

#define TELL_TEXT(TYPE, object, member, text)                                                      \
    do {                                                                                           \
        if (text)                                                                                  \
            XC_SET(TYPE, object, member, xc_report_text(report, text, -1));                        \
    } while (0)
#define TELL_KIB(TYPE, object, member, octets)                                                     \
    do {                                                                                           \
        if ((octets).known)                                                                        \
            XC_SET(TYPE, object, member, (uint64_t)(octets).value / KIB);                          \
    } while (0)
#define TELL_FLAG(TYPE, object, member, flag)                                                      \
    do {                                                                                           \
        if ((flag).known)                                                                          \
            XC_SET(TYPE, object, member, (flag).value != 0);                                       \
    } while (0)

static bool add_sr(struct xc_report *report, const struct xapi_sr *sr, GHashTable *paths)
{
    const struct paths *of = g_hash_table_lookup(paths, sr->head.ref);
    struct xc_sr *s = xc_report_sr(report);

    if (!s)
        return false;
    XC_SET(SR, s, uuid, sr->uuid);
    TELL_TEXT(SR, s, name, sr->name);
    TELL_TEXT(SR, s, type, sr->type);
    TELL_FLAG(SR, s, shared, sr->shared);
    TELL_KIB(SR, s, size_kib, sr->size);
    TELL_KIB(SR, s, used_kib, sr->used);
    TELL_KIB(SR, s, allocated_kib, sr->allocated);
    XC_SET(SR, s, paths, of ? of->all : 0);
    if (!of || of->told)
        XC_SET(SR, s, paths_up, of ? of->up : 0);
    return true;
}

/* The device of the bond that an interface is part of; NULL: of none. */
static const char *bond_of(const struct xapi_mirror *mirror, const struct xapi_pif *pif)
{
    const struct xapi_bond *bond = xapi_mirror_find(mirror, XAPI_BOND, pif->bond);
    const struct xapi_pif *master = bond ? xapi_mirror_find(mirror, XAPI_PIF, bond->master) : NULL;

    return master ? master->device : NULL;
}

static bool add_pif(struct xc_report *report, const struct xapi_pif *pif, uint32_t host,
                    const struct xapi_mirror *mirror)
{
    const struct xapi_pif_metrics *metrics =
        xapi_mirror_find(mirror, XAPI_PIF_METRICS, pif->metrics);
    const struct xapi_network *network = xapi_mirror_find(mirror, XAPI_NETWORK, pif->network);
    const char *bond = bond_of(mirror, pif);
    struct xc_pif *p = xc_report_pif(report, host);

    if (!p)
        return false;
    XC_SET(PIF, p, uuid, pif->uuid);
    TELL_TEXT(PIF, p, device, pif->device);
    TELL_TEXT(PIF, p, mac, pif->mac);
    TELL_TEXT(PIF, p, bond, bond);
    TELL_FLAG(PIF, p, management, pif->management);
    if (pif->vlan.known)
        XC_SET(PIF, p, vlan, pif->vlan.value);
    if (network)
        TELL_TEXT(PIF, p, network, network->name);
    if (metrics) {
        TELL_FLAG(PIF, p, link, metrics->carrier);
        if (metrics->speed.known)
            XC_SET(PIF, p, speed_mbit, (uint64_t)metrics->speed.value);
    }
    return true;
}

bool xapi_storage_add(struct xc_report *report, const struct xapi_mirror *mirror,
                      GHashTable *host_at, GError **error)
{
    g_autoptr(GHashTable) paths = count_paths(mirror);
    GHashTableIter iter;
    gpointer object;

    g_hash_table_iter_init(&iter, mirror->objects[XAPI_SR]);
    while (g_hash_table_iter_next(&iter, NULL, &object))
        if (!add_sr(report, object, paths))
            return xc_fail(error, XC_CAUSE_LIMIT, "the pool has more than %d storage repositories",
                           XC_MAX_SRS);
    g_hash_table_iter_init(&iter, mirror->objects[XAPI_PIF]);
    while (g_hash_table_iter_next(&iter, NULL, &object)) {
        const struct xapi_pif *pif = object;
        uint32_t host = pif->host ? GPOINTER_TO_UINT(g_hash_table_lookup(host_at, pif->host)) : 0;

        if (host && !add_pif(report, pif, host - 1, mirror))
            return xc_fail(error, XC_CAUSE_LIMIT, "the pool has more than %d network interfaces",
                           XC_MAX_PIFS);
    }
    return true;
}
