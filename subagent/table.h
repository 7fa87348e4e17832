/* The generic MIB engine: const tables of columns over sorted rows answer GET, GETNEXT and SET.
 * It knows nothing of Xen, agents or connections; the main loop's thread only. */
#pragma once

/* net-snmp's headers want this order. */
#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include "subagent/value.h"
#include "xenclient/model/field.h"

/* Below the root: object group, table, entry, column. */
#define ST_MAX_ARCS  6
#define ST_MAX_INDEX 3
/* SMI limits what is easy to remember; the contract check and the start-up check hold to it. */
#define ST_MAX_NAME 32

enum st_access { ST_READ_ONLY, ST_READ_WRITE, ST_READ_CREATE };

struct st_table;

/* One cell is asked for. `row` is what the table's row function gave (dereferenced if
 * rows_are_pointers). */
struct st_cell {
    const void *row;
    void *context;
    const struct st_column *column;
};
/* False: the cell has no instance. */
typedef bool (*st_get_fn)(const struct st_cell *cell, struct st_value *out);

struct st_column {
    const char *name;
    uint32_t arc;
    enum st_type type;
    enum st_access access;
    uint32_t divide;  /* shown in units this much larger than the fact's or member's; 0: as it is */
    int64_t min, max; /* texts: octets; numbers: values; max 0: what the type allows */
    const char *units;              /* NULL: none, or the field's */
    const struct xc_enum *labels;   /* ST_ENUM, ST_BITS; NULL: the field's */
    const struct xc_object *object; /* a fact of the dictionary ... */
    st_get_fn get;                  /* ... or a getter */
    const char *member;             /* for getters of struct members: which ("op.phase") ... */
    size_t offset;
    size_t size;
    /* Its object where it is not the row's own; NULL: the fact has no value now. */
    const void *(*of)(const void *row, const struct xc_field *field);
    unsigned field;    /* the fact's number in `object` */
    bool none_if_zero; /* ... and that 0 and "" mean there is no instance */
};

/* A fact of the dictionary:
 * COL(17, "xenDomainMemory", ST_GAUGE32, domain, DOMAIN, mem_kib, .divide = 1024) */
#define COL(arc_, name_, type_, object_, OBJECT_, member_, ...)                                    \
    {                                                                                              \
        .arc = (arc_), .name = (name_), .type = (type_), .object = &xc_##object_##_type,           \
        .field = XC_##OBJECT_##_##member_, __VA_ARGS__                                             \
    }
/* A member of the C struct that `get_` finds for a row; st_get_member: of the row itself.
 * The types fit: text const char *, dates and numbers any width, truth bool.
 * MEMBER(12, "xenOperationPhase", ST_TEXT, st_get_member, xc_op, phase, .none_if_zero = true) */
#define MEMBER(arc_, name_, type_, get_, struct_, member_, ...)                                    \
    {                                                                                              \
        .arc = (arc_), .name = (name_), .type = (type_), .get = (get_),                            \
        .member = #struct_ "." #member_, .offset = offsetof(struct struct_, member_),              \
        .size = sizeof(((struct struct_ *)0)->member_), __VA_ARGS__                                \
    }
/* A computed value. */
#define CALC(arc_, name_, type_, get_, ...)                                                        \
    {                                                                                              \
        .arc = (arc_), .name = (name_), .type = (type_), .get = (get_), __VA_ARGS__                \
    }
/* One that can be set (never below 0); the table's plan decides what it does. */
#define SET(arc_, name_, type_, get_, ...)                                                         \
    {                                                                                              \
        .arc = (arc_), .name = (name_), .type = (type_), .get = (get_), .access = ST_READ_WRITE,   \
        __VA_ARGS__                                                                                \
    }

/* Getter of MEMBER columns whose struct is the row, and what getters of others call. */
bool st_get_member(const struct st_cell *cell, struct st_value *out);
bool st_read_member(const struct st_column *column, const void *from, struct st_value *out);

enum st_index_kind {
    ST_INDEX_INTEGER = 1, /* uint32_t at offset */
    ST_INDEX_TEXT,        /* const char * at offset, encoded with its length in front */
};
struct st_index {
    enum st_index_kind kind;
    /* In the row; of tables with children: in the parent (first part), in the child (all others). */
    size_t offset;
    const char *name;
    uint32_t arc;      /* of its object in this entry; 0: it is an object of another table */
    uint32_t min, max; /* values or octets that can exist at all */
};

/* One varbind of a SET whose value already fits its column. */
struct st_write {
    const struct st_column *column;
    int64_t number;   /* numbers */
    const char *text; /* texts: NUL-terminated, no NUL inside */
    void *request;    /* private to set.c */
};

/* Everything one PDU wants of one row. */
struct st_change {
    const struct st_table *table;
    const void
        *row; /* NULL: there is none yet (RowStatus tables); of tables with children: the child */
    uint32_t number; /* the index (its first part), whichever kind it is */
    const char *key;
    const char *child_key; /* second part of the index; NULL: the table has none */
    GArray *writes;        /* struct st_write */
};
/* The write to that column, or NULL. */
const struct st_write *st_change_write(const struct st_change *change, uint32_t arc);

/* Adds the change to the transaction, or refuses it: the GError's code is a cause, *blame the arc
 * of the column that is to carry the error (preset to the first one written). */
typedef bool (*st_plan_fn)(const struct st_change *change, void *context, void *transaction,
                           uint32_t *blame, GError **error);

/* A row of a table with children. */
struct st_pair {
    const void *parent;
    const void *child;
};

struct st_table {
    const char *name;                /* "xenDomainTable"; scalars: of their group */
    const char *help;                /* scalars and documentation: one line */
    uint32_t arcs[ST_MAX_ARCS];      /* of the entry or, for scalars, of their group; 0 ends */
    bool scalars;                    /* a single row with index .0 */
    const struct st_table *augments; /* rows and index are those of this table */

    struct st_index index[ST_MAX_INDEX]; /* kind 0 ends */
    size_t row_size;
    bool rows_are_pointers; /* the array holds pointers to the rows */
    /* The rows in the order of their index; good until control returns to the main loop. */
    const void *(*rows)(void *context, size_t *n);
    /* Tables with an index of several parts, whose rows hang below those of another table: `rows` gives
     * the parents, by the first part; this the children of one, by the others. What getters see as
     * row is a struct st_pair. In those that are writable there are two parts, both texts. */
    const void *(*children)(void *context, const void *parent, size_t *n);
    size_t child_size;
    bool children_are_pointers;
    /* For COL columns: the object behind a row (NULL: none), and whether its field may be shown. */
    const void *(*object)(const void *row);
    bool (*shows)(const void *row, const struct xc_field *field);

    const struct st_column *columns;
    unsigned n_columns;

    st_plan_fn plan;     /* required when a column is writable */
    uint32_t row_status; /* arc of the RowStatus column: rows can be made, and removed, which
                                      * nothing else may be written with */
    bool (*key_ok)(const char *key);       /* RowStatus tables: may a row of that name exist */
    bool (*child_key_ok)(const char *key); /* the same of the second part */
};

/* How SETs become real: see set.h. */
struct st_set_hooks;

/* The longest handler call of this minute and the one before. */
struct st_longest {
    gint64 minute;
    uint64_t now_usec, before_usec;
};

/* A column at its place in the tree, with everything looked up. */
struct st_leaf {
    oid prefix[ST_MAX_ARCS + 1];
    unsigned length;
    struct st_table_state *table;
    const struct st_column *column;
    const struct xc_field *field; /* NULL: computed */
    const struct xc_enum *labels;
    u_char asn;
};
struct st_table_state {
    const struct st_table *table;
    const struct st_table *base; /* whose rows and index: itself, or what it augments */
    size_t hint;                 /* where the last row (or parent) was found */
    struct st_pair pair;         /* the row that was looked at last */
};

struct st_mib {
    oid root[MAX_OID_LEN];
    size_t root_length;
    void *context;          /* of the request that is served */
    struct st_leaf *leaves; /* in the order of their OIDs */
    unsigned n_leaves;
    unsigned leaf_hint;
    struct st_table_state *states;
    const struct st_set_hooks *hooks; /* NULL: read-only */
    GPtrArray *sets;                  /* private to set.c: SETs between their phases */
    char set_name[32]; /* likewise: of its part of a PDU that concerns several trees */
    struct st_longest longest;
};

/* Checks the tables and builds the tree. NULL with an error that names table and column: numbers
 * that do not rise, a writable column without a plan, an enumeration without labels, names too
 * long. Tables, context and hooks must outlive it. */
struct st_mib *st_mib_new(const oid *root, size_t root_length, const struct st_table *const *tables,
                          unsigned n_tables, void *context, const struct st_set_hooks *hooks,
                          GError **error);
void *st_mib_free(struct st_mib *mib); /* returns NULL; takes NULL */
typedef struct st_mib st_mib;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(st_mib, st_mib_free)

enum st_found { ST_FOUND, ST_NO_OBJECT, ST_NO_INSTANCE };

/* The value of exactly that object; *asn is its type on the wire. */
enum st_found st_mib_get(struct st_mib *mib, const oid *name, size_t length, struct st_value *out,
                         u_char *asn);
/* The first object behind that name; false: the tree ends. `next` holds MAX_OID_LEN. */
bool st_mib_next(struct st_mib *mib, const oid *name, size_t length, oid *next, size_t *next_length,
                 struct st_value *out, u_char *asn);

/* For set.c: the column whose objects that name may be one of, or NULL; *rest is the index part. */
const struct st_leaf *st_mib_leaf(struct st_mib *mib, const oid *name, size_t length,
                                  const oid **rest, size_t *n_rest);
/* The row of an index, or NULL; good until the next look at that table. */
const void *st_mib_row(struct st_mib *mib, const struct st_leaf *leaf, const oid *rest,
                       size_t n_rest);
/* Reads one cell. */
bool st_mib_cell(struct st_mib *mib, const struct st_leaf *leaf, const void *row,
                 struct st_value *out);
