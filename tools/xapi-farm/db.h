/* The server's database: objects of XAPI's classes with all their fields, and when each changed last.
 * One lock guards all of it; unless said otherwise a function wants it held. */
#pragma once

#include "tools/xapi-farm/classes.h"

#include <stdbool.h>

#define XF_NULL "OpaqueRef:NULL"
/* "OpaqueRef:", a uuid and a NUL. */
#define XF_REF_SIZE  47
#define XF_UUID_SIZE 37

struct xf_object {
    const struct xf_class *class;
    char *ref;
    guint64 created; /* generations */
    guint64 changed;
    GVariant **values; /* by field; of the server's dialect or not */
    GList *link;
};

/* Deletions are remembered, but not for ever: who asks too late is not told. */
#define XF_DELETED_MAX 10000
struct xf_deleted {
    const struct xf_class *class;
    char *ref;
    guint64 created;
    guint64 deleted;
};

struct xf_db {
    GMutex lock;
    GCond changed; /* an object changed, a session ended, the server is ending */
    unsigned dialect;
    const char
        *pool; /* told apart by it: what two pools of a farm would call alike; "" the only one */
    guint64 generation;
    guint64 announced; /* the generation that those who wait were woken for */
    guint64 messages;  /* the part of a token that counts them */
    bool lose_events;  /* deletions are forgotten at once */
    GHashTable *by_ref;
    GQueue *objects;     /* by class */
    GPtrArray *standard; /* GVariant *, of all fields of all classes, in order */
    GQueue deleted;      /* struct xf_deleted *, oldest first */
};

/* Without the lock. pool NULL: the only one; outlives it. */
struct xf_db *xf_db_new(unsigned dialect, const char *pool);
void xf_db_free(struct xf_db *db); /* without the lock; takes NULL */

void xf_db_lock(struct xf_db *db);
/* Wakes those who wait if something changed. */
void xf_db_unlock(struct xf_db *db);
/* Wakes them for another reason: a session ended, the server is ending. With the lock. */
void xf_db_wake(struct xf_db *db);

/* Names for things that the farm has none for: the same for the same arguments, in every life of the server. */
void xf_derive_uuid(char out[XF_UUID_SIZE], const char *what, const char *of, unsigned number);
void xf_derive_ref(char out[XF_REF_SIZE], const char *what, const char *of, unsigned number);
/* A reference that is this pool's own, even of what another pool may have under the same uuid. */
void xf_db_ref(const struct xf_db *db, char out[XF_REF_SIZE], const char *what, const char *of,
               unsigned number);
void xf_random_ref(char out[XF_REF_SIZE]);

/* NULL: none. */
struct xf_object *xf_db_find(struct xf_db *db, const char *class, const char *ref);
/* The object of that ref; made with standard values, *fresh true, when there was none. fresh may be NULL. */
struct xf_object *xf_db_have(struct xf_db *db, const char *class, const char *ref, bool *fresh);
void xf_db_delete(struct xf_db *db, struct xf_object *object);
/* The objects of a class (GList of struct xf_object *), in order of creation; borrowed. */
GList *xf_db_all(struct xf_db *db, const struct xf_class *class);

/* True when the server's dialect has the field. */
bool xf_db_knows(const struct xf_db *db, const struct xf_class *class, unsigned field);
/* Takes a floating value; no change when it is the one before. A field of another dialect is kept and never shown. */
void xf_set(struct xf_db *db, struct xf_object *object, const char *field, GVariant *value);
void xf_set_text(struct xf_db *db, struct xf_object *object, const char *field, const char *value);
/* Borrowed. */
GVariant *xf_get(const struct xf_object *object, const char *field);
const char *xf_get_text(const struct xf_object *object, const char *field);
bool xf_get_bool(const struct xf_object *object, const char *field);
gint64 xf_get_int(const struct xf_object *object, const char *field);
/* Maps of texts; value NULL: taken away. False: put where there was that key already, nothing is changed then. */
bool xf_map_put(struct xf_db *db, struct xf_object *object, const char *field, const char *key,
                const char *value);

/* The record as <value><struct>... */
void xf_db_record(const struct xf_db *db, const struct xf_object *object, GString *out);
