/* Every domain ever seen, by index and by uuid. Indexes are given one after the other, so the records stand in
 * pages: beside one another, and where they are for ever. */
#include "xenclient/engine/private.h"

#include <stddef.h>
#include <string.h>

#define PAGE_BITS 8
#define PAGE_SIZE (1u << PAGE_BITS)

struct page {
    struct xc_known records[PAGE_SIZE]; /* one that is not there has no home */
};

static void clear(struct xc_known *known)
{
    xc_counters_free(known->track.counters);
    g_ref_string_release(known->track.home);
    g_ref_string_release(known->told_host);
    if (known->loaded) {
        g_clear_pointer(&known->loaded->counters, g_bytes_unref);
        g_free(known->loaded->name);
    }
    g_free(known->loaded);
    memset(known, 0, sizeof(*known));
}

static void free_page(struct page *page)
{
    for (unsigned i = 0; i < PAGE_SIZE; i++)
        if (page->records[i].track.home)
            clear(&page->records[i]);
    g_free(page);
}

void xc_known_begin(struct xc_engine *engine)
{
    engine->known =
        g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, (GDestroyNotify)free_page);
    engine->uuids = g_hash_table_new(xc_uuid_hash, xc_uuid_equal);
}

void xc_known_end(struct xc_engine *engine)
{
    g_hash_table_unref(engine->uuids);
    g_hash_table_unref(engine->known);
}

struct xc_known *xc_known_find(const struct xc_engine *engine, uint32_t index)
{
    struct page *page = g_hash_table_lookup(engine->known, GUINT_TO_POINTER(index >> PAGE_BITS));
    struct xc_known *known = page ? &page->records[index % PAGE_SIZE] : NULL;

    return known && known->track.home ? known : NULL;
}

static struct xc_known *make(struct xc_engine *engine, uint32_t index)
{
    gpointer number = GUINT_TO_POINTER(index >> PAGE_BITS);
    struct page *page = g_hash_table_lookup(engine->known, number);
    struct xc_known *known;

    if (!page) {
        page = g_new0(struct page, 1);
        g_hash_table_insert(engine->known, number, page);
    }
    known = &page->records[index % PAGE_SIZE];
    known->track.index = index;
    known->track.identity = XC_IDENTITY_UUID;
    known->track.presence = XC_PRESENT;
    /* Random, so that a lock read before a restart does not fit after it. */
    known->track.lock = (uint32_t)g_random_int_range(0, G_MAXINT32);
    xc_set_key(&known->track.home, "");
    xc_set_key(&known->told_host, "");
    return known;
}

struct xc_known *xc_known_get(struct xc_engine *engine, uint32_t index)
{
    struct xc_known *known = xc_known_find(engine, index);

    return known ? known : make(engine, index);
}

static void forget_uuid(struct xc_engine *engine, const struct xc_known *known)
{
    if (!xc_uuid_is_nil(&known->uuid))
        g_hash_table_remove(engine->uuids, &known->uuid);
}

void xc_known_drop(struct xc_engine *engine, uint32_t index)
{
    struct xc_known *known = xc_known_find(engine, index);

    if (!known)
        return;
    forget_uuid(engine, known);
    clear(known);
}

void xc_known_foreach(struct xc_engine *engine, xc_known_fn visit)
{
    GHashTableIter iter;
    gpointer page;

    g_hash_table_iter_init(&iter, engine->known);
    while (g_hash_table_iter_next(&iter, NULL, &page))
        for (unsigned i = 0; i < PAGE_SIZE; i++)
            if (((struct page *)page)->records[i].track.home)
                visit(engine, &((struct page *)page)->records[i]);
}

struct xc_known *xc_known_by_uuid(const struct xc_engine *engine, const struct xc_uuid *uuid)
{
    char *member = g_hash_table_lookup(engine->uuids, uuid);

    return member ? (struct xc_known *)(void *)(member - offsetof(struct xc_known, uuid)) : NULL;
}

void xc_known_set_uuid(struct xc_engine *engine, struct xc_known *known, const struct xc_uuid *uuid)
{
    forget_uuid(engine, known);
    known->uuid = *uuid;
    /* The table holds no copy: its key is the member. */
    g_hash_table_add(engine->uuids, &known->uuid);
}

struct xc_known *xc_known_of(struct xc_track *track)
{
    return (struct xc_known *)track;
}

struct xc_loaded *xc_known_loaded(struct xc_engine *engine, uint32_t index)
{
    struct xc_known *known = xc_known_get(engine, index);

    if (!known->loaded)
        known->loaded = g_new0(struct xc_loaded, 1);
    return known->loaded;
}

struct xc_track *xc_track_get(struct xc_engine *engine, uint32_t index)
{
    return &xc_known_get(engine, index)->track;
}

struct xc_track *xc_track_find(const struct xc_engine *engine, uint32_t index)
{
    struct xc_known *known = xc_known_find(engine, index);

    return known ? &known->track : NULL;
}

void xc_known_save(struct xc_engine *engine, uint32_t index, const char *name)
{
    const struct xc_track *track = xc_track_get(engine, index);

    xc_store_put_domain(engine->store, index, name, track->home, track->wanted, track->protect,
                        NULL, NULL);
}
