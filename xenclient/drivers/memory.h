/* What drivers remember of a source from one connection to the next: texts by key, bounded, for the life of the process.
 * Any thread. */
#pragma once

#include <glib.h>

typedef struct xc_memory xc_memory;

struct xc_memory *xc_memory_new(void);
void xc_memory_free(struct xc_memory *memory); /* takes NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xc_memory, xc_memory_free)

/* Newly allocated; "" when there is nothing. memory NULL remembers nothing. */
char *xc_memory_get(struct xc_memory *memory, const char *key);
void xc_memory_put(struct xc_memory *memory, const char *key, const char *text);
