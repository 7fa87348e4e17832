/* The tree of all columns: finding a column, its rows and its cells, by binary search with hints.
 */
#include "subagent/table.h"

#include <string.h>

/* What stands behind a table for one request. */
struct rows {
    const struct st_table *base;
    struct st_table_state *state;
    void *context;
    const char *first; /* NULL: scalars */
    size_t n;
};

/* Where a row is: of tables without children, `child` is 0. */
struct place {
    size_t row;
    size_t child;
};

static struct rows rows_now(const struct st_mib *mib, struct st_table_state *state)
{
    struct rows rows = {state->base, state, mib->context, NULL, 1};

    /* The row of scalars is the context itself. */
    if (!state->base->scalars)
        rows.first = state->base->rows(mib->context, &rows.n);
    return rows;
}

static const void *element(const void *first, size_t size, bool pointers, size_t i)
{
    const char *at = (const char *)first + i * size;

    return pointers ? *(const void *const *)(const void *)at : at;
}

static const void *row_at(const struct rows *rows, size_t i)
{
    if (!rows->first)
        return rows->context;
    return element(rows->first, rows->base->row_size, rows->base->rows_are_pointers, i);
}

static const void *child_at(const struct rows *rows, const void *children, size_t i)
{
    return element(children, rows->base->child_size, rows->base->children_are_pointers, i);
}

/* The row at that place, or NULL behind the last child of its parent. */
static const void *row_of(const struct rows *rows, struct place at)
{
    struct st_pair *pair = &rows->state->pair;
    const void *row = row_at(rows, at.row);
    const void *children;
    size_t n = 0;

    if (!rows->base->children)
        return at.child == 0 ? row : NULL;
    children = rows->base->children(rows->context, row, &n);
    if (at.child >= n)
        return NULL;
    *pair = (struct st_pair){row, child_at(rows, children, at.child)};
    return pair;
}

static uint32_t index_number(const struct st_index *index, const void *row)
{
    return *(const uint32_t *)((const char *)row + index->offset);
}

static const char *index_text(const struct st_index *index, const void *row)
{
    return *(const char *const *)((const char *)row + index->offset);
}

/* Compares what follows in the encoded index with one sub-identifier; *n 0: the name ends here, so
 * it stands before the row. */
static int compare_arc(oid arc, const oid **rest, size_t *n)
{
    if (*n == 0)
        return 1;
    oid other = **rest;

    (*rest)++;
    (*n)--;
    return arc < other ? -1 : arc > other;
}

static int compare_text(const char *text, const oid **rest, size_t *n)
{
    size_t length = strlen(text);
    int order = compare_arc(length, rest, n);

    for (size_t i = 0; order == 0 && i < length; i++)
        order = compare_arc((unsigned char)text[i], rest, n);
    return order;
}

static int compare_part(const struct st_index *index, const void *row, const oid **rest, size_t *n)
{
    if (index->kind == ST_INDEX_INTEGER)
        return compare_arc(index_number(index, row), rest, n);
    return compare_text(index_text(index, row), rest, n);
}

/* The parts of the index from the given one on. */
static int compare_parts(const struct st_table *base, unsigned from, const void *row,
                         const oid **rest, size_t *n)
{
    int order = 0;

    for (unsigned i = from; order == 0 && i < ST_MAX_INDEX && base->index[i].kind; i++)
        order = compare_part(&base->index[i], row, rest, n);
    return order;
}

/* The order of a row (or parent) and an index as OIDs: negative when the row comes first. What is
 * left of the index when they are equal so far goes to *rest: more than nothing makes a row without
 * children the first. */
static int compare(const struct st_table *base, const void *row, const oid **rest, size_t *n)
{
    int order = 0;

    if (base->scalars)
        order = compare_arc(0, rest, n);
    else if (base->children)
        order = compare_part(&base->index[0], row, rest, n);
    else
        order = compare_parts(base, 0, row, rest, n);
    return order ? order : !base->children && *n > 0 ? -1 : 0;
}

static int compare_at(const struct rows *rows, size_t i, const oid *rest, size_t n)
{
    return compare(rows->base, row_at(rows, i), &rest, &n);
}

/* The position of the first row (or parent) that is not before the index; *exact: it has just that
 * index. A walk asks for the row it was given last: the hint and the row behind it are tried first. */
static size_t find_row(const struct rows *rows, const oid *rest, size_t n, bool *exact)
{
    size_t *hint = &rows->state->hint;
    size_t low = 0;
    size_t high = rows->n;

    for (size_t i = *hint; i < *hint + 2 && i < rows->n; i++) {
        int order = compare_at(rows, i, rest, n);

        if (order == 0) {
            *exact = true;
            *hint = i;
            return i;
        }
        if (order < 0)
            low = i + 1;
        else if (i < high)
            high = i;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare_at(rows, middle, rest, n) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *exact = low < rows->n && compare_at(rows, low, rest, n) == 0;
    if (*exact)
        *hint = low;
    return low;
}

/* Among the children of a parent that the index names: the first one that is not before it. */
static size_t find_child(const struct rows *rows, size_t row, const oid *rest, size_t n,
                         bool *exact)
{
    const void *parent = row_at(rows, row);
    size_t low = 0;
    size_t high = 0;
    const void *children = rows->base->children(rows->context, parent, &high);

    compare(rows->base, parent, &rest, &n);
    *exact = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const oid *part = rest;
        size_t left = n;
        int order = compare_parts(rows->base, 1, child_at(rows, children, middle), &part, &left);

        if (order == 0 && left == 0)
            *exact = true;
        if (order < 0 || (order == 0 && left > 0))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The place of the first row that is not before the index; *exact: it has just that index. */
static struct place find(const struct rows *rows, const oid *rest, size_t n, bool *exact)
{
    struct place at = {find_row(rows, rest, n, exact), 0};

    if (rows->base->children && *exact)
        at.child = find_child(rows, at.row, rest, n, exact);
    return at;
}

static bool encode_part(const struct st_index *index, const void *row, oid *name, size_t *length)
{
    const char *text;
    size_t octets;

    if (index->kind == ST_INDEX_INTEGER) {
        name[(*length)++] = index_number(index, row);
        return true;
    }
    text = index_text(index, row);
    octets = strlen(text);
    if (*length + 1 + octets > MAX_OID_LEN - ST_MAX_INDEX)
        return false;
    name[(*length)++] = octets;
    for (size_t k = 0; k < octets; k++)
        name[(*length)++] = (unsigned char)text[k];
    return true;
}

/* Appends the index of a row; false: no room, which is a table that names too long a text. */
static bool encode(const struct st_table *base, const void *row, oid *name, size_t *length)
{
    const struct st_pair *pair = row;

    if (base->scalars) {
        name[(*length)++] = 0;
        return true;
    }
    for (unsigned i = 0; i < ST_MAX_INDEX && base->index[i].kind; i++) {
        const void *part = !base->children ? row : i == 0 ? pair->parent : pair->child;

        if (!encode_part(&base->index[i], part, name, length))
            return false;
    }
    return true;
}

static bool render_field(const struct st_leaf *leaf, const void *object, struct st_value *out)
{
    const struct xc_field *field = leaf->field;

    switch (field->kind) {
    case XC_TEXT:
        return st_text(out, xc_field_text(field, object));
    case XC_UUID:
        if (xc_uuid_is_nil(xc_field_uuid(field, object)))
            return false; /* Xen's word for "none": every Domain-0 has it */
        xc_uuid_format(xc_field_uuid(field, object), out->buffer);
        out->octets = out->buffer;
        out->length = XC_UUID_TEXT - 1;
        return true;
    case XC_TIME:
        return st_date(out, xc_field_i64(field, object));
    case XC_BOOL:
        return st_truth(out, xc_field_u64(field, object) != 0);
    case XC_INTEGER:
        return st_number(out, (uint64_t)CLAMP(xc_field_i64(field, object), G_MININT32, G_MAXINT32));
    case XC_ENUM:
    case XC_GAUGE:
    case XC_COUNTER:
        break;
    }
    uint64_t number = xc_field_u64(field, object);

    if (leaf->column->divide)
        number /= leaf->column->divide;
    switch (leaf->column->type) {
    case ST_GAUGE32:
    case ST_PERCENT:
        return st_gauge(out, number);
    case ST_INTEGER32:
        return st_number(out, MIN(number, G_MAXINT32));
    default:
        return st_number(out, number);
    }
}

bool st_mib_cell(struct st_mib *mib, const struct st_leaf *leaf, const void *row,
                 struct st_value *out)
{
    const struct st_table *table = leaf->table->table;
    const struct st_table *base = leaf->table->base;

    if (!leaf->field) {
        const struct st_cell cell = {row, mib->context, leaf->column};

        return leaf->column->get(&cell, out);
    }
    if (leaf->column->of) {
        const void *other = leaf->column->of(row, leaf->field);

        return other && render_field(leaf, other, out);
    }
    const void *object = table->object ? table->object(row) : base->object(row);
    bool (*shows)(const void *, const struct xc_field *) =
        table->shows ? table->shows : base->shows;

    if (!object)
        return false;
    if (shows ? !shows(row, leaf->field) : !xc_has(object, leaf->column->field))
        return false;
    return render_field(leaf, object, out);
}

/* Order of a column's prefix and a name: 0 when the name lies in the column. */
static int compare_prefix(const struct st_leaf *leaf, const oid *name, size_t length)
{
    for (unsigned i = 0; i < leaf->length; i++) {
        if (i == length)
            return 1;
        if (leaf->prefix[i] != name[i])
            return leaf->prefix[i] < name[i] ? -1 : 1;
    }
    return 0;
}

/* The first leaf that is not before the name (below the root); *inside: the name lies in it. */
static unsigned find_leaf(struct st_mib *mib, const oid *name, size_t length, bool *inside)
{
    unsigned low = 0;
    unsigned high = mib->n_leaves;

    for (unsigned i = mib->leaf_hint; i < mib->leaf_hint + 2 && i < mib->n_leaves; i++) {
        if (compare_prefix(&mib->leaves[i], name, length) == 0) {
            *inside = true;
            return mib->leaf_hint = i;
        }
    }
    while (low < high) {
        unsigned middle = low + (high - low) / 2;

        if (compare_prefix(&mib->leaves[middle], name, length) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *inside = low < mib->n_leaves && compare_prefix(&mib->leaves[low], name, length) == 0;
    if (*inside)
        mib->leaf_hint = low;
    return low;
}

static bool below_root(const struct st_mib *mib, const oid *name, size_t length)
{
    return length > mib->root_length &&
           memcmp(name, mib->root, mib->root_length * sizeof(oid)) == 0;
}

const struct st_leaf *st_mib_leaf(struct st_mib *mib, const oid *name, size_t length,
                                  const oid **rest, size_t *n_rest)
{
    bool inside = false;

    if (!below_root(mib, name, length))
        return NULL;
    unsigned at = find_leaf(mib, name + mib->root_length, length - mib->root_length, &inside);

    if (!inside)
        return NULL;
    *rest = name + mib->root_length + mib->leaves[at].length;
    *n_rest = length - mib->root_length - mib->leaves[at].length;
    return &mib->leaves[at];
}

const void *st_mib_row(struct st_mib *mib, const struct st_leaf *leaf, const oid *rest,
                       size_t n_rest)
{
    struct rows rows = rows_now(mib, leaf->table);
    bool exact = false;
    struct place at = find(&rows, rest, n_rest, &exact);

    return exact ? row_of(&rows, at) : NULL;
}

enum st_found st_mib_get(struct st_mib *mib, const oid *name, size_t length, struct st_value *out,
                         u_char *asn)
{
    const oid *rest = NULL;
    size_t n_rest = 0;
    const struct st_leaf *leaf = st_mib_leaf(mib, name, length, &rest, &n_rest);

    /* A GETNEXT that includes the region's start arrives as a GET of the root: that must not look
     * like the end of everything. */
    if (!leaf)
        return length <= mib->root_length ? ST_NO_INSTANCE : ST_NO_OBJECT;
    const void *row = st_mib_row(mib, leaf, rest, n_rest);

    *asn = leaf->asn;
    return row && st_mib_cell(mib, leaf, row, out) ? ST_FOUND : ST_NO_INSTANCE;
}

/* Where GETNEXT puts what it finds. */
struct next {
    oid *name;
    size_t *length;
    struct st_value *value;
};

/* The first cell of a column at or behind a place; *seen: there are rows there at all. */
static bool first_cell(struct st_mib *mib, const struct st_leaf *leaf, const struct rows *rows,
                       struct place at, struct next *next, bool *seen)
{
    for (; at.row < rows->n; at = (struct place){at.row + 1, 0}) {
        const void *row;

        for (; (row = row_of(rows, at)); at.child++) {
            *seen = true;
            if (!st_mib_cell(mib, leaf, row, next->value))
                continue;
            memcpy(next->name, mib->root, mib->root_length * sizeof(oid));
            memcpy(next->name + mib->root_length, leaf->prefix, leaf->length * sizeof(oid));
            *next->length = mib->root_length + leaf->length;
            if (encode(rows->base, row, next->name, next->length))
                return true;
        }
    }
    return false;
}

/* The first cell in or behind leaf `at`. A table without rows is left at once: with its parents it
 * may have many. */
static bool first_leaf(struct st_mib *mib, unsigned at, struct next *next, u_char *asn)
{
    while (at < mib->n_leaves) {
        const struct st_leaf *leaf = &mib->leaves[at];
        struct rows rows = rows_now(mib, leaf->table);
        bool seen = false;

        *asn = leaf->asn;
        if (first_cell(mib, leaf, &rows, (struct place){0, 0}, next, &seen))
            return true;
        for (at++; !seen && at < mib->n_leaves && mib->leaves[at].table == leaf->table; at++)
            ;
    }
    return false;
}

bool st_mib_next(struct st_mib *mib, const oid *name, size_t length, oid *next, size_t *next_length,
                 struct st_value *out, u_char *asn)
{
    struct next found = {next, next_length, out};
    bool inside = false;
    unsigned at = 0;

    if (below_root(mib, name, length)) {
        const oid *below = name + mib->root_length;

        length -= mib->root_length;
        at = find_leaf(mib, below, length, &inside);
        if (inside) {
            const struct st_leaf *leaf = &mib->leaves[at++];
            struct rows rows = rows_now(mib, leaf->table);
            bool exact = false;
            struct place place = find(&rows, below + leaf->length, length - leaf->length, &exact);

            place.child += exact;
            *asn = leaf->asn;
            if (first_cell(mib, leaf, &rows, place, &found, &(bool){false}))
                return true;
        }
    } else if (snmp_oid_compare(name, length, mib->root, mib->root_length) > 0) {
        return false;
    }
    return first_leaf(mib, at, &found, asn);
}
