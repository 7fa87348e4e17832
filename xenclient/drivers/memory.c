/* Texts by key under a lock. */
#include "xenclient/drivers/memory.h"

#include <string.h>

/* Sources come and go: what is remembered of those that went is little, but not without end. */
#define KEYS_MAX    4096
#define TEXT_OCTETS 65536

struct xc_memory {
    GMutex lock;
    GHashTable *texts;
};

struct xc_memory *xc_memory_new(void)
{
    struct xc_memory *memory = g_new0(struct xc_memory, 1);

    g_mutex_init(&memory->lock);
    memory->texts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return memory;
}

void xc_memory_free(struct xc_memory *memory)
{
    if (!memory)
        return;
    g_hash_table_unref(memory->texts);
    g_mutex_clear(&memory->lock);
    g_free(memory);
}

char *xc_memory_get(struct xc_memory *memory, const char *key)
{
    char *text;

    if (!memory)
        return g_strdup("");
    g_mutex_lock(&memory->lock);
    text = g_strdup(g_hash_table_lookup(memory->texts, key));
    g_mutex_unlock(&memory->lock);
    return text ? text : g_strdup("");
}

void xc_memory_put(struct xc_memory *memory, const char *key, const char *text)
{
    if (!memory || strlen(text) > TEXT_OCTETS)
        return;
    g_mutex_lock(&memory->lock);
    if (g_hash_table_size(memory->texts) < KEYS_MAX || g_hash_table_contains(memory->texts, key))
        g_hash_table_replace(memory->texts, g_strdup(key), g_strdup(text));
    g_mutex_unlock(&memory->lock);
}
