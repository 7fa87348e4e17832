/* Typed descriptors of every fact in the model, made from the *_fields.def dictionaries.
 * Whoever reads, sends, prints, archives or serves a fact does it by descriptor. Const data. */
#pragma once

#include "xenclient/util/bytes.h"
#include "xenclient/util/labels.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct xc_uuid {
    uint8_t b[16];
};

enum xc_kind {
    XC_TEXT,    /* const char *, UTF-8, at most XC_TEXT_MAX octets, owned by the snapshot */
    XC_UUID,    /* struct xc_uuid */
    XC_ENUM,    /* uint8_t, a number of `labels` */
    XC_BOOL,    /* uint8_t, 0 or 1 */
    XC_GAUGE,   /* uint64_t level */
    XC_COUNTER, /* uint64_t, only grows within one life of its object */
    XC_INTEGER, /* int64_t */
    XC_TIME,    /* int64_t, microseconds since 1970 UTC */
};

/* The C type of each kind, for the generated struct members. */
typedef const char *xc_ctype_TEXT;
typedef struct xc_uuid xc_ctype_UUID;
typedef uint8_t xc_ctype_ENUM;
typedef uint8_t xc_ctype_BOOL;
typedef uint64_t xc_ctype_GAUGE;
typedef uint64_t xc_ctype_COUNTER;
typedef int64_t xc_ctype_INTEGER;
typedef int64_t xc_ctype_TIME;

enum xc_keep {
    XC_INVENTORY, /* stays visible while its source does not answer */
    XC_LIVE,      /* vanishes when the source's data are stale */
    XC_ARCHIVE,   /* as LIVE, and worth a round-robin archive */
};

enum xc_origin {
    XC_DRIVER, /* reported by a driver, travels from worker to front */
    XC_AGENT,  /* computed by the front */
};

struct xc_field {
    const char *name;
    const char *help;
    enum xc_kind kind;
    enum xc_keep keep;
    enum xc_origin origin;
    size_t offset;
    const char *unit;             /* NULL: none */
    const struct xc_enum *labels; /* XC_ENUM only */
};

/* An object type. Every object struct begins with `uint64_t has`: bit i says that field i is
 * known. A field that is not known has no value anywhere: not on the wire, not in SNMP. */
struct xc_object {
    const char *name;
    const struct xc_field *fields;
    unsigned n_fields;
    size_t size;
};

static inline bool xc_has(const void *object, unsigned field)
{
    return (*(const uint64_t *)object >> field) & 1;
}

static inline void xc_unset(void *object, unsigned field)
{
    *(uint64_t *)object &= ~(UINT64_C(1) << field);
}

/* The field of that name, or NULL. */
const struct xc_field *xc_object_field(const struct xc_object *type, const char *name);

/* A known field of a number kind as uint64_t/int64_t (ENUM and BOOL widened). */
uint64_t xc_field_u64(const struct xc_field *field, const void *object);
int64_t xc_field_i64(const struct xc_field *field, const void *object);
const char *xc_field_text(const struct xc_field *field, const void *object);
const struct xc_uuid *xc_field_uuid(const struct xc_field *field, const void *object);

/* A known field as text for people and JSON: enum labels, RFC 3339 times, decimal numbers. */
char *xc_field_format(const struct xc_field *field, const void *object);

/* 36 lower-case characters and a NUL. */
#define XC_UUID_TEXT 37
void xc_uuid_format(const struct xc_uuid *uuid, char out[XC_UUID_TEXT]);
/* Accepts the 36-character form in either case; anything else is false. */
bool xc_uuid_parse(const char *text, struct xc_uuid *out);
bool xc_uuid_is_nil(const struct xc_uuid *uuid);
/* For GHashTables whose keys are struct xc_uuid *. */
guint xc_uuid_hash(gconstpointer uuid);
gboolean xc_uuid_equal(gconstpointer a, gconstpointer b);
/* A random (version 4) UUID. */
void xc_uuid_random(struct xc_uuid *out);

/* Wire form of an object's DRIVER fields: u64 mask of known fields, then each in order. */
void xc_object_write(const struct xc_object *type, const void *object, GByteArray *to);
/* Fills a zeroed object; texts go into `text`. Enumerations outside their labels, unknown mask
 * bits, texts too long make the reader bad. */
void xc_object_read(const struct xc_object *type, void *object, struct xc_reader *from,
                    GStringChunk *text);

/* FNV-1a over the names, kinds and order of the whole dictionary: both ends of a pipe compare it.
 */
uint64_t xc_dictionary_hash(void);
