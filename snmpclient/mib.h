/* The objects of XENSNMP-MIB by name, made at build time from the MIB text: a name it does not have
 * does not compile. Const data, any thread. */
#pragma once

#include "snmpclient/value.h"
#include "xenclient/util/labels.h"

/* One number for each object: xenDomainName, xenHostState ... */
enum sn_id {
    SN_NONE = -1,
#define SN_LABELS(...)
#define SN_INDEX(...)
#define SN_OBJECT(name, ...) name,
#include "xen_mib.def"
#undef SN_LABELS
#undef SN_INDEX
#undef SN_OBJECT
    SN_N_OBJECTS
};

enum sn_kind { SN_MODULE, SN_TABLE, SN_ENTRY, SN_COLUMN, SN_SCALAR };

enum sn_base {
    SN_BASE_NOTHING,
    SN_BASE_INTEGER,
    SN_BASE_UNSIGNED,
    SN_BASE_GAUGE,
    SN_BASE_COUNTER32,
    SN_BASE_COUNTER64,
    SN_BASE_TICKS,
    SN_BASE_BITS,
    SN_BASE_STRING,
    SN_BASE_DATE, /* DateAndTime */
    SN_BASE_OBJECT_ID,
};

enum sn_access { SN_NOT_ACCESSIBLE, SN_READ_ONLY, SN_READ_WRITE, SN_READ_CREATE };

struct sn_object {
    const char *name;
    enum sn_kind kind;
    enum sn_base base;
    enum sn_access access;
    enum sn_id parent; /* the entry of a column, the table of an entry; else SN_NONE */
    unsigned decimals; /* 2: the number counts hundredths */
    unsigned n_ids;
    const uint32_t *ids;
    const char *type;              /* as the MIB names it */
    const char *units;             /* NULL none */
    const struct xc_label *labels; /* of an enumeration */
    size_t n_labels;
    const enum sn_id *index; /* of an entry: its index objects, SN_NONE at the end */
};

const struct sn_object *sn_object(enum sn_id id);
/* By the MIB's name; SN_NONE when there is none. */
enum sn_id sn_object_find(const char *name);
/* The first object whose OID begins this one, the most exact: what a failed varbind is about.
 * SN_NONE. */
enum sn_id sn_object_of(const struct sn_oid *oid);

/* The OID without an instance. */
struct sn_oid sn_oid_of(enum sn_id id);
/* Instances: of a scalar, of a row with one number, of a row with one string, of a row whose index
 * is known. */
struct sn_oid sn_oid_scalar(enum sn_id id);
struct sn_oid sn_oid_number(enum sn_id id, uint32_t index);
struct sn_oid sn_oid_text(enum sn_id id, const char *index);
struct sn_oid sn_oid_row(enum sn_id id, const struct sn_oid *index);

/* The number of a label of this object's enumeration; -1 when there is none. */
int sn_label_number(enum sn_id id, const char *label);
/* The label of a number; NULL when there is none. */
const char *sn_number_label(enum sn_id id, int64_t number);

/* A value as people read it: labels, decimal points, RFC 3339 times, bit names, text as it is (not
 * escaped). NULL when absent; the caller frees. */
char *sn_format(enum sn_id id, const struct sn_value *value);
/* DateAndTime as seconds since 1970 UTC; 0 for "never" and for what is none. */
int64_t sn_date_seconds(const struct sn_value *value);
