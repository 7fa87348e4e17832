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

/* Where sources and their hosts are, of one generation of the fleet: many finds are held against many sources. */
struct xc_places {
    uint64_t generation;
    GHashTable *ports;     /* "https://192.0.2.5 443" -> key of the source whose URI leads there */
    GHashTable *addresses; /* of hosts of pools -> key of their source */
    GHashTable *uuids;     /* of hosts -> key of their source */
};

void xc_places_free(struct xc_places *places)
{
    if (!places)
        return;
    g_hash_table_unref(places->ports);
    g_hash_table_unref(places->addresses);
    g_hash_table_unref(places->uuids);
    g_free(places);
}

static GHashTable *texts(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

/* Two spellings of an address are one place; what is no address is none, for looking up names would block. NULL: none. */
static char *address_text(const char *text)
{
    struct xc_address address;

    return xc_address_parse(text, &address) ? xc_address_format(&address) : NULL;
}

static char *port_text(const char *scheme, const char *address, uint64_t port)
{
    g_autofree char *text = address_text(address);

    return text ? g_strdup_printf("%s://%s %" G_GUINT64_FORMAT, scheme, text, port) : NULL;
}

/* The usual port of a probe's scheme; 0: no probe looks for such sources. */
static unsigned usual_port(const char *scheme)
{
    g_autofree char *begin = g_strconcat(scheme, "://", NULL);

    for (size_t i = 0; i < xc_probe_labels.n_labels; i++) {
        const struct xc_probe_info *info = xc_probe_info(xc_probe_labels.labels[i].number);

        if (g_str_has_prefix(info->scheme, begin))
            return info->port;
    }
    return 0;
}

static void add_source(struct xc_places *places, const struct xc_slot *slot)
{
    struct xc_uri uri = {0};
    char *text = NULL;

    if (xc_uri_parse(slot->spec.uri, &uri, NULL))
        text = port_text(uri.scheme, uri.host, uri.port ? uri.port : usual_port(uri.scheme));
    if (text)
        g_hash_table_insert(places->ports, text, g_strdup(slot->spec.key));
    xc_uri_clear(&uri);
}

static void add_host(struct xc_places *places, const struct xc_host_ref *ref)
{
    const struct xc_host *host = ref->row >= 0 ? &ref->slot->snapshot->hosts[ref->row] : NULL;
    char uuid[XC_UUID_TEXT];

    if (host && XC_HAS(HOST, host, uuid)) {
        xc_uuid_format(&host->uuid, uuid);
        g_hash_table_insert(places->uuids, g_strdup(uuid), g_strdup(ref->slot->spec.key));
    }
    if (host && ref->slot->driver->tls && XC_HAS(HOST, host, address)) {
        char *text = address_text(host->address);

        if (text)
            g_hash_table_insert(places->addresses, text, g_strdup(ref->slot->spec.key));
    }
}

static struct xc_places *places_new(const struct xc_engine *engine)
{
    struct xc_places *places = g_new0(struct xc_places, 1);

    places->generation = engine->generation;
    places->ports = texts();
    places->addresses = texts();
    places->uuids = texts();
    for (guint i = 0; i < engine->slots->len; i++)
        add_source(places, engine->slots->pdata[i]);
    for (guint i = 0; i < engine->hosts->len; i++)
        add_host(places, &g_array_index(engine->hosts, struct xc_host_ref, i));
    return places;
}

static bool same_address(const char *a, const char *b)
{
    struct xc_address x;
    struct xc_address y;

    return xc_address_parse(a, &x) && xc_address_parse(b, &y) && xc_address_compare(&x, &y) == 0;
}

/* The key of the source that a find is, "" none. */
static const char *source_of(const struct xc_places *places, const struct xc_find *find)
{
    const char *begin = xc_probe_info(find->probe)->scheme;
    g_autofree char *scheme = g_strndup(begin, strcspn(begin, ":"));
    g_autofree char *port = port_text(scheme, find->address, find->port);
    g_autofree char *address = address_text(find->address);
    const char *key = g_hash_table_lookup(places->ports, port);
    char uuid[XC_UUID_TEXT];

    if (!key && find->probe == XC_PROBE_XAPI)
        key = g_hash_table_lookup(places->addresses, address);
    if (!key && XC_HAS(FIND, find, uuid)) {
        xc_uuid_format(&find->uuid, uuid);
        key = g_hash_table_lookup(places->uuids, uuid);
    }
    return key ? key : "";
}

/* Brings what is known of sources, and the finds with it, to the present. */
static const struct xc_places *places_now(struct xc_engine *engine)
{
    if (engine->places && engine->places->generation == engine->generation)
        return engine->places;
    xc_places_free(engine->places);
    engine->places = places_new(engine);
    for (guint i = 0; i < engine->finds->len; i++) {
        struct xc_found *found = engine->finds->pdata[i];

        xc_set_text(&found->source, source_of(engine->places, &found->find));
    }
    engine->finds_changed = true;
    return engine->places;
}

struct xc_found *const *xc_finds(struct xc_engine *engine, size_t *n)
{
    places_now(engine);
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

/* At an address where something certainly is Xen, what only may be is no find of its own: it is the same host. */
static bool is_eclipsed(const struct xc_find *find, const struct xc_find *by)
{
    return find->verdict == XC_VERDICT_POSSIBLE && by->verdict == XC_VERDICT_XEN &&
           same_address(find->address, by->address);
}

/* Drops those that a find eclipses. True: it is eclipsed itself, by another than what was known of it before. */
static bool eclipse(struct xc_engine *engine, const struct xc_find *find, const char *uri)
{
    bool eclipsed = false;

    for (guint i = engine->finds->len; i-- > 0;) {
        const struct xc_found *other = engine->finds->pdata[i];

        if (strcmp(other->uri, uri) == 0)
            continue;
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
        if (!engine->finds_full)
            xc_log(XC_LOG_WARNING, "discovery: %s and what follows is not shown: %d finds are kept",
                   uri, XC_FINDS_MAX);
        engine->finds_full = true;
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

    if (!run || run->op.action != XC_ACTION_DISCOVER || eclipse(engine, find, uri))
        return;
    found = by_its_uri(engine, uri);
    if (!found)
        found = add(engine, uri);
    if (!found)
        return;
    copy_find(found, find);
    found->discovery = run->op.index;
    found->last_real = xc_clock_real();
    xc_set_text(&found->source, source_of(places_now(engine), &found->find));
    engine->finds_changed = true;
}

void xc_finds_drop(struct xc_engine *engine, uint32_t discovery)
{
    for (guint i = engine->finds->len; i-- > 0;)
        if (((const struct xc_found *)engine->finds->pdata[i])->discovery == discovery)
            g_ptr_array_remove_index(engine->finds, i);
    engine->finds_changed = true;
    engine->finds_full = false;
}

/* --- registering */

/* The credential with which it told what it is. */
static const char *proven_credential(const struct xc_engine *engine, const struct xc_found *found)
{
    const struct xc_discovery *discovery = xc_discovery_find(engine, found->discovery);
    bool proven = found->find.probe == XC_PROBE_SSH && found->find.verdict == XC_VERDICT_XEN;

    return discovery && proven ? discovery->credential : "";
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
    places_now(engine);
    /* What it reads may be written, and a request that SNMP delivers twice is the same one. */
    if (strcmp(found->source, key) == 0)
        return true;
    if (*found->source)
        return xc_fail(error, XC_CAUSE_BAD_STATE, "%s is source %s already", uri, found->source);
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
