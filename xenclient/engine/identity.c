/* Which index a domain has, for ever. Several keys may lead to one index: its uuid, the
 * configuration that creates it on a source, a source's control domain. */
#include "xenclient/engine/private.h"

#include <string.h>

#define HOST_KEY_MAX 32
#define UUID_PREFIX  "uuid:"
#define TEXT_BLOCK   65536

enum xc_identity xc_identity_kind(const struct xc_domain *domain)
{
    if (XC_HAS(DOMAIN, domain, kind) && domain->kind == XC_KIND_CONTROL)
        return XC_IDENTITY_CONTROL;
    if (XC_HAS(DOMAIN, domain, config) &&
        !(XC_HAS(DOMAIN, domain, uuid_fixed) && domain->uuid_fixed))
        return XC_IDENTITY_CONFIG;
    return XC_HAS(DOMAIN, domain, uuid) ? XC_IDENTITY_UUID : XC_IDENTITY_NAME;
}

static uint32_t lookup(const struct xc_engine *engine, const char *key)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(engine->identities, key));
}

void xc_identity_load(struct xc_engine *engine, const char *key, uint32_t index)
{
    struct xc_uuid uuid;

    if (!g_str_has_prefix(key, UUID_PREFIX))
        g_hash_table_replace(engine->identities, g_strdup(key), GUINT_TO_POINTER(index));
    else if (xc_uuid_parse(key + strlen(UUID_PREFIX), &uuid))
        xc_known_set_uuid(engine, xc_known_get(engine, index), &uuid);
}

/* What one report gives the store to write. It goes there when all is known of the report: between
 * records that stay, what is on its way to the store would leave as many holes as there are domains. */
struct writes {
    GArray *all;         /* struct write, in order */
    GStringChunk *texts; /* their keys */
};
enum what { WRITE_DOMAIN, WRITE_KEY, DROP_KEY };
struct write {
    enum what what;
    uint32_t index;
    const char *text; /* key, or the domain's name, which is the report's */
};

static void add_write(struct writes *writes, enum what what, uint32_t index, const char *text)
{
    const struct write write = {what, index, text};

    g_array_append_val(writes->all, write);
}

static void add_key(struct writes *writes, enum what what, uint32_t index, const char *key)
{
    add_write(writes, what, index, g_string_chunk_insert(writes->texts, key));
}

static void send_writes(struct xc_engine *engine, const struct writes *writes)
{
    for (guint i = 0; i < writes->all->len; i++) {
        const struct write *write = &g_array_index(writes->all, struct write, i);

        if (write->what == WRITE_DOMAIN)
            xc_known_save(engine, write->index, write->text);
        else if (write->what == WRITE_KEY)
            xc_store_put_identity(engine->store, write->text, write->index);
        else
            xc_store_drop_identity(engine->store, write->text);
    }
}

static void bind(struct xc_engine *engine, const char *key, uint32_t index, struct writes *writes)
{
    g_hash_table_replace(engine->identities, g_strdup(key), GUINT_TO_POINTER(index));
    add_key(writes, WRITE_KEY, index, key);
}

static void add_uuid(struct writes *writes, enum what what, const struct xc_known *known)
{
    char key[sizeof(UUID_PREFIX) + XC_UUID_TEXT] = UUID_PREFIX;

    xc_uuid_format(&known->uuid, key + strlen(UUID_PREFIX));
    add_key(writes, what, known->track.index, key);
}

/* The uuid by which a domain is found. One known by its configuration gets a new one at each start: the present
 * one is remembered, so that it is recognised on another host, and the one before is dropped. */
static void bind_uuid(struct xc_engine *engine, uint32_t index, const struct xc_uuid *uuid,
                      struct writes *writes)
{
    struct xc_known *known = xc_known_get(engine, index);

    if (xc_uuid_equal(&known->uuid, uuid))
        return;
    if (!xc_uuid_is_nil(&known->uuid))
        add_uuid(writes, DROP_KEY, known);
    xc_known_set_uuid(engine, known, uuid);
    add_uuid(writes, WRITE_KEY, known);
}

static bool name_is_protected(const struct xc_engine *engine, const char *name)
{
    char **globs = engine->config->protected_names;

    for (; globs && *globs; globs++)
        if (g_pattern_match_simple(*globs, name))
            return true;
    return false;
}

static uint32_t allocate(struct xc_engine *engine, const struct xc_slot *slot,
                         const struct xc_domain *domain, struct writes *writes)
{
    uint32_t index = engine->next_index++;
    const char *name = XC_HAS(DOMAIN, domain, name) ? domain->name : "";
    struct xc_known *known = xc_known_get(engine, index);

    xc_set_key(&known->track.home, slot->spec.key);
    known->track.protect = name_is_protected(engine, name);
    known->told = xc_events_source_is_new(engine, slot->spec.key) ? 0 : XC_TOLD_GONE;
    add_write(writes, WRITE_DOMAIN, index, name);
    g_hash_table_add(engine->fresh, GUINT_TO_POINTER(index));
    return index;
}

/* The key of a domain whose uuid is not known yet or says nothing. */
static char *other_key(const struct xc_slot *slot, const struct xc_domain *domain,
                       const struct xc_host *host)
{
    char host_uuid[XC_UUID_TEXT] = "";

    switch (xc_identity_kind(domain)) {
    case XC_IDENTITY_CONTROL:
        if (host && XC_HAS(HOST, host, uuid))
            xc_uuid_format(&host->uuid, host_uuid);
        return g_strdup_printf("dom0:%s:%s", slot->spec.key, host_uuid);
    case XC_IDENTITY_CONFIG:
        return g_strdup_printf("config:%s:%s", slot->spec.key, domain->config);
    default:
        return g_strdup_printf("name:%s:%s", slot->spec.key,
                               XC_HAS(DOMAIN, domain, name) ? domain->name : "");
    }
}

static uint32_t index_of(struct xc_engine *engine, const struct xc_slot *slot,
                         const struct xc_domain *domain, const struct xc_host *host,
                         struct writes *writes)
{
    enum xc_identity kind = xc_identity_kind(domain);
    bool has_uuid = kind != XC_IDENTITY_CONTROL && XC_HAS(DOMAIN, domain, uuid) &&
                    !xc_uuid_is_nil(&domain->uuid);
    const struct xc_known *known = has_uuid ? xc_known_by_uuid(engine, &domain->uuid) : NULL;
    uint32_t index = known ? known->track.index : 0;

    if (!index || kind == XC_IDENTITY_CONFIG) {
        bool keyed = !has_uuid || kind != XC_IDENTITY_UUID;
        g_autofree char *key = keyed ? other_key(slot, domain, host) : NULL;

        if (!index && keyed)
            index = lookup(engine, key);
        if (!index)
            index = allocate(engine, slot, domain, writes);
        if (keyed && lookup(engine, key) != index)
            bind(engine, key, index, writes);
    }
    if (has_uuid)
        bind_uuid(engine, index, &domain->uuid, writes);
    return index;
}

/* Two rows of one report for the same domain (a migration within the host): the better one stays.
 */
static void keep_better(GArray *domains, uint32_t first, uint32_t second)
{
    struct xc_domain *a = &g_array_index(domains, struct xc_domain, first);
    struct xc_domain *b = &g_array_index(domains, struct xc_domain, second);

    if (xc_domain_alive(b) && !xc_domain_alive(a))
        a->index = 0;
    else
        b->index = 0;
}

GArray *xc_identity_resolve(struct xc_engine *engine, const struct xc_slot *slot,
                            struct xc_report *report)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_direct_hash, g_direct_equal);
    struct writes writes = {g_array_new(FALSE, FALSE, sizeof(struct write)),
                            g_string_chunk_new(TEXT_BLOCK)};
    GArray *fresh = NULL;

    for (guint i = 0; i < report->domains->len; i++) {
        struct xc_domain *domain = &g_array_index(report->domains, struct xc_domain, i);
        const struct xc_host *host =
            domain->host < report->hosts->len
                ? &g_array_index(report->hosts, struct xc_host, domain->host)
                : NULL;
        uint32_t index = index_of(engine, slot, domain, host, &writes);
        gpointer before;

        domain->index = index;
        if (g_hash_table_contains(engine->fresh, GUINT_TO_POINTER(index))) {
            if (!fresh)
                fresh = g_array_new(FALSE, FALSE, sizeof(uint32_t));
            g_array_append_val(fresh, index);
        }
        if (g_hash_table_lookup_extended(seen, GUINT_TO_POINTER(index), NULL, &before))
            keep_better(report->domains, GPOINTER_TO_UINT(before), i);
        if (domain->index)
            g_hash_table_insert(seen, GUINT_TO_POINTER(index), GUINT_TO_POINTER(i));
    }
    send_writes(engine, &writes);
    g_array_unref(writes.all);
    g_string_chunk_free(writes.texts);
    return fresh;
}

static gboolean leads_to_fresh(gpointer key, gpointer value, gpointer data)
{
    (void)key;
    return g_hash_table_contains(data, value);
}

void xc_identity_committed(struct xc_engine *engine, const GArray *indexes, bool kept)
{
    if (!kept)
        g_hash_table_foreach_remove(engine->identities, leads_to_fresh, engine->fresh);
    for (guint i = 0; i < indexes->len; i++) {
        gpointer index = GUINT_TO_POINTER(g_array_index(indexes, uint32_t, i));

        /* Nobody was shown it, and the next poll takes another: they would add up. */
        if (g_hash_table_remove(engine->fresh, index) && !kept)
            xc_known_drop(engine, GPOINTER_TO_UINT(index));
    }
}

/* --- host keys */

static bool host_key_taken(const struct xc_engine *engine, const char *key)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, engine->host_keys);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        if (strcmp(value, key) == 0)
            return true;
    return false;
}

/* source.name in the characters of a key, made unique by a number. */
static char *new_host_key(const struct xc_engine *engine, const char *source, const char *name,
                          bool single)
{
    g_autofree char *base = single ? g_strdup(source) : g_strdup_printf("%s.%s", source, name);

    for (char *p = base; *p; p++)
        if (!g_ascii_isalnum(*p) && !strchr("._-", *p))
            *p = '_';
    if (strlen(base) > HOST_KEY_MAX)
        base[HOST_KEY_MAX] = '\0';
    for (unsigned n = 2; host_key_taken(engine, base); n++) {
        g_autofree char *tail = g_strdup_printf("-%u", n);
        size_t keep = MIN(strlen(base), HOST_KEY_MAX - strlen(tail));
        g_autofree char *longer = g_strdup_printf("%.*s%s", (int)keep, base, tail);

        if (!host_key_taken(engine, longer))
            return g_steal_pointer(&longer);
    }
    return g_steal_pointer(&base);
}

char **xc_identity_host_keys(struct xc_engine *engine, const struct xc_slot *slot,
                             const struct xc_report *report)
{
    bool single = report->hosts->len == 1;
    char **keys = g_new0(char *, report->hosts->len + 1);

    for (guint i = 0; i < report->hosts->len; i++) {
        const struct xc_host *host = &g_array_index(report->hosts, struct xc_host, i);
        char uuid[XC_UUID_TEXT] = "";
        const char *known = NULL;

        if (XC_HAS(HOST, host, uuid) && !xc_uuid_is_nil(&host->uuid)) {
            xc_uuid_format(&host->uuid, uuid);
            known = g_hash_table_lookup(engine->host_keys, uuid);
        }
        if (known || (single && !*uuid)) {
            keys[i] = g_strdup(known ? known : slot->spec.key);
            continue;
        }
        keys[i] = new_host_key(engine, slot->spec.key,
                               XC_HAS(HOST, host, name) ? host->name : "host", single);
        if (*uuid) {
            g_hash_table_insert(engine->host_keys, g_strdup(uuid), g_strdup(keys[i]));
            xc_store_put_host(engine->store, uuid, keys[i]);
        }
    }
    return keys;
}
