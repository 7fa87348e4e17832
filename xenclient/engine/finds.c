/* What discoveries found: rows by URI, what is registered already, and registering. */
#include "xenclient/engine/discovery.h"

#include "xenclient/engine/private.h"

#include <string.h>

static void found_free(void *data)
{
    struct xc_found *found = data;

    g_string_chunk_free(found->text);
    g_free(found->uri);
    g_free(found->source);
    g_free(found);
}

GPtrArray *xc_finds_new(void)
{
    return g_ptr_array_new_with_free_func(found_free);
}

/* --- what is registered already */

static bool same_address(const char *a, const char *b)
{
    struct xc_address x;
    struct xc_address y;

    return xc_address_parse(a, &x) && xc_address_parse(b, &y) && xc_address_compare(&x, &y) == 0;
}

/* Its URI leads to the same place. A name in it is not looked up: that would block. */
static bool leads_there(const struct xc_slot *slot, const struct xc_find *find)
{
    const struct xc_probe_info *info = xc_probe_info(find->probe);
    struct xc_uri uri = {0};
    bool same = xc_uri_parse(slot->spec.uri, &uri, NULL) &&
                g_str_has_prefix(info->scheme, uri.scheme) &&
                info->scheme[strlen(uri.scheme)] == ':' && same_address(uri.host, find->address) &&
                (uri.port ? uri.port : info->port) == find->port;

    xc_uri_clear(&uri);
    return same;
}

/* A host of a source that says of itself that it is this one. */
static bool is_host(const struct xc_host_ref *ref, const struct xc_find *find)
{
    const struct xc_host *host = ref->row >= 0 ? &ref->slot->snapshot->hosts[ref->row] : NULL;

    if (!host)
        return false;
    if (XC_HAS(FIND, find, uuid) && XC_HAS(HOST, host, uuid) &&
        xc_uuid_equal(&find->uuid, &host->uuid))
        return true;
    return find->probe == XC_PROBE_XAPI && ref->slot->driver->tls && XC_HAS(HOST, host, address) &&
           same_address(host->address, find->address);
}

static const char *source_of(const struct xc_engine *engine, const struct xc_find *find)
{
    for (guint i = 0; i < engine->slots->len; i++) {
        const struct xc_slot *slot = engine->slots->pdata[i];

        if (leads_there(slot, find))
            return slot->spec.key;
    }
    for (guint i = 0; i < engine->hosts->len; i++) {
        const struct xc_host_ref *ref = &g_array_index(engine->hosts, struct xc_host_ref, i);

        if (is_host(ref, find))
            return ref->slot->spec.key;
    }
    return "";
}

struct xc_found *const *xc_finds(struct xc_engine *engine, size_t *n)
{
    if (engine->finds_generation != engine->generation) {
        for (guint i = 0; i < engine->finds->len; i++) {
            struct xc_found *found = engine->finds->pdata[i];

            xc_set_text(&found->source, source_of(engine, &found->find));
        }
        engine->finds_generation = engine->generation;
    }
    *n = engine->finds->len;
    return (struct xc_found *const *)engine->finds->pdata;
}

/* --- rows */

static gint by_uri(gconstpointer a, gconstpointer b)
{
    return xc_key_compare((*(struct xc_found *const *)a)->uri, (*(struct xc_found *const *)b)->uri);
}

static struct xc_found *by_its_uri(const struct xc_engine *engine, const char *uri)
{
    for (guint i = 0; i < engine->finds->len; i++) {
        struct xc_found *found = engine->finds->pdata[i];

        if (strcmp(found->uri, uri) == 0)
            return found;
    }
    return NULL;
}

/* What may be Xen at an address where something certainly is, is no other find but its SSH server. */
static bool is_eclipsed(const struct xc_find *find, const struct xc_find *by)
{
    return find->verdict == XC_VERDICT_POSSIBLE && by->verdict == XC_VERDICT_XEN &&
           same_address(find->address, by->address);
}

static bool eclipses(struct xc_engine *engine, const struct xc_find *find)
{
    bool eclipsed = false;

    for (guint i = engine->finds->len; i-- > 0;) {
        const struct xc_found *other = engine->finds->pdata[i];

        eclipsed = eclipsed || is_eclipsed(find, &other->find);
        if (is_eclipsed(&other->find, find))
            g_ptr_array_remove_index(engine->finds, i);
    }
    return eclipsed;
}

static void copy_find(struct xc_found *found, const struct xc_find *find)
{
    g_autoptr(GByteArray) wire = g_byte_array_new();
    GStringChunk *text = g_string_chunk_new(256);

    xc_object_write(&xc_find_type, find, wire);
    struct xc_reader from = XC_READER(wire->data, wire->len);
    found->find = (struct xc_find){0};
    xc_object_read(&xc_find_type, &found->find, &from, text);
    if (found->text)
        g_string_chunk_free(found->text);
    found->text = text;
}

static struct xc_found *add(struct xc_engine *engine, const char *uri)
{
    struct xc_found *found;

    if (engine->finds->len >= XC_FINDS_MAX || strlen(uri) > XC_FIND_URI_MAX) {
        xc_log(XC_LOG_WARNING, "discovery: %s is not shown: %d finds are kept at most", uri,
               XC_FINDS_MAX);
        return NULL;
    }
    found = g_new0(struct xc_found, 1);
    found->uri = g_strdup(uri);
    found->first_real = xc_clock_real();
    g_ptr_array_add(engine->finds, found);
    g_ptr_array_sort(engine->finds, by_uri);
    return found;
}

void xc_discovery_found(const struct xc_uuid *op, const struct xc_find *find, void *data)
{
    struct xc_engine *engine = data;
    const struct xc_op_run *run = g_hash_table_lookup(engine->op_by_uuid, op);
    g_autofree char *uri = xc_find_uri(find);
    struct xc_found *found;

    if (!run || run->op.action != XC_ACTION_DISCOVER || eclipses(engine, find))
        return;
    found = by_its_uri(engine, uri);
    if (!found)
        found = add(engine, uri);
    if (!found)
        return;
    copy_find(found, find);
    found->discovery = run->op.index;
    found->last_real = xc_clock_real();
    xc_set_text(&found->source, source_of(engine, &found->find));
}

void xc_finds_drop(struct xc_engine *engine, uint32_t discovery)
{
    for (guint i = engine->finds->len; i-- > 0;)
        if (((const struct xc_found *)engine->finds->pdata[i])->discovery == discovery)
            g_ptr_array_remove_index(engine->finds, i);
}

/* --- registering */

/* The credential with which it told what it is. */
static const char *proven_credential(const struct xc_engine *engine, const struct xc_found *found)
{
    for (guint i = 0; i < engine->discoveries->len; i++) {
        const struct xc_discovery *discovery = engine->discoveries->pdata[i];

        if (discovery->index == found->discovery && found->find.probe == XC_PROBE_SSH &&
            found->find.verdict == XC_VERDICT_XEN)
            return discovery->credential;
    }
    return "";
}

bool xc_txn_register(struct xc_txn *txn, struct xc_engine *engine, const char *uri, const char *key,
                     const char *credential, GError **error)
{
    const struct xc_found *found = by_its_uri(engine, uri);
    struct xc_source_spec spec = {.key = (char *)key,
                                  .address = (char *)"",
                                  .config_dirs = (char *)"",
                                  .save_dir = (char *)""};

    if (!found)
        return xc_fail(error, XC_CAUSE_NO_SUCH_TARGET, "%s was not found by a discovery", uri);
    if (*source_of(engine, &found->find))
        return xc_fail(error, XC_CAUSE_BAD_STATE, "%s is source %s already", uri,
                       source_of(engine, &found->find));
    if (xc_fleet_source(engine, key))
        return xc_fail(error, XC_CAUSE_BAD_STATE,
                       "there is a source %s already: choose another key", key);
    if (!xc_driver_for(uri, NULL))
        return xc_fail(error, XC_CAUSE_NOT_SUPPORTED,
                       "%s: this agent has no driver for %s: it can be found, not managed", uri,
                       xc_enum_label(&xc_probe_labels, found->find.probe));
    spec.uri = found->uri;
    spec.credential = (char *)(*credential ? credential : proven_credential(engine, found));
    return xc_txn_put_source(txn, &spec, true, 0, error);
}
