/* The tree of all columns: finding a column, its rows and its cells, by binary search with hints.
 */
#include "subagent/table.h"

#include <string.h>

/* What stands behind a table for one request. */
struct rows {
    const struct st_table *base;
    const char *first;
    size_t n;
};

static struct rows rows_now(const struct st_mib *mib, const struct st_table_state *state)
{
    struct rows rows = {.base = state->base, .first = mib->context, .n = 1};

    if (!state->base->scalars)
        rows.first = state->base->rows(mib->context, &rows.n);
    return rows;
}

static const void *row_at(const struct rows *rows, size_t i)
{
    const char *at = rows->first + i * rows->base->row_size;

    return rows->base->rows_are_pointers ? *(const void *const *)at : at;
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

/* The order of a row and an index as OIDs: negative when the row comes first. */
static int compare(const struct st_table *base, const void *row, const oid *rest, size_t n)
{
    int order = 0;

    if (base->scalars)
        order = compare_arc(0, &rest, &n);
    for (unsigned i = 0; !base->scalars && order == 0 && i < ST_MAX_INDEX; i++) {
        const struct st_index *index = &base->index[i];

        if (index->kind == ST_INDEX_INTEGER)
            order = compare_arc(index_number(index, row), &rest, &n);
        else if (index->kind == ST_INDEX_TEXT)
            order = compare_text(index_text(index, row), &rest, &n);
    }
    return order ? order : n > 0 ? -1 : 0;
}

/* The position of the first row that is not before the index; *exact: it has just that index. A
 * walk asks for the row it was given last: the hint and the row behind it are tried first. */
static size_t find(struct st_table_state *state, const struct rows *rows, const oid *rest, size_t n,
                   bool *exact)
{
    size_t low = 0;
    size_t high = rows->n;

    for (size_t i = state->hint; i < state->hint + 2 && i < rows->n; i++) {
        int order = compare(rows->base, row_at(rows, i), rest, n);

        if (order == 0) {
            *exact = true;
            state->hint = i;
            return i;
        }
        if (order < 0)
            low = i + 1;
        else if (i < high)
            high = i;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare(rows->base, row_at(rows, middle), rest, n) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *exact = low < rows->n && compare(rows->base, row_at(rows, low), rest, n) == 0;
    if (*exact)
        state->hint = low;
    return low;
}

/* Appends the index of a row; false: no room, which is a table that names too long a text. */
static bool encode(const struct st_table *base, const void *row, oid *name, size_t *length)
{
    if (base->scalars) {
        name[(*length)++] = 0;
        return true;
    }
    for (unsigned i = 0; i < ST_MAX_INDEX && base->index[i].kind; i++) {
        if (base->index[i].kind == ST_INDEX_INTEGER) {
            name[(*length)++] = index_number(&base->index[i], row);
            continue;
        }
        const char *text = index_text(&base->index[i], row);
        size_t octets = strlen(text);

        if (*length + 1 + octets > MAX_OID_LEN - ST_MAX_INDEX)
            return false;
        name[(*length)++] = octets;
        for (size_t k = 0; k < octets; k++)
            name[(*length)++] = (unsigned char)text[k];
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
        return st_number(out, (uint64_t)xc_field_i64(field, object));
    case XC_ENUM:
    case XC_GAUGE:
    case XC_COUNTER:
        break;
    }
    uint64_t number = xc_field_u64(field, object);

    if (leaf->column->divide)
        number /= leaf->column->divide;
    return leaf->column->type == ST_GAUGE32 || leaf->column->type == ST_PERCENT
               ? st_gauge(out, number)
               : st_number(out, number);
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
    size_t at = find(leaf->table, &rows, rest, n_rest, &exact);

    return exact ? row_at(&rows, at) : NULL;
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

/* The first cell of a column at or behind row `at`. */
static bool first_cell(struct st_mib *mib, const struct st_leaf *leaf, const struct rows *rows,
                       size_t at, oid *next, size_t *next_length, struct st_value *out)
{
    for (; at < rows->n; at++) {
        const void *row = row_at(rows, at);

        if (!st_mib_cell(mib, leaf, row, out))
            continue;
        memcpy(next, mib->root, mib->root_length * sizeof(oid));
        memcpy(next + mib->root_length, leaf->prefix, leaf->length * sizeof(oid));
        *next_length = mib->root_length + leaf->length;
        if (encode(rows->base, row, next, next_length))
            return true;
    }
    return false;
}

bool st_mib_next(struct st_mib *mib, const oid *name, size_t length, oid *next, size_t *next_length,
                 struct st_value *out, u_char *asn)
{
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
            size_t row =
                find(leaf->table, &rows, below + leaf->length, length - leaf->length, &exact);

            *asn = leaf->asn;
            if (first_cell(mib, leaf, &rows, row + exact, next, next_length, out))
                return true;
        }
    } else if (snmp_oid_compare(name, length, mib->root, mib->root_length) > 0) {
        return false;
    }
    for (; at < mib->n_leaves; at++) {
        struct rows rows = rows_now(mib, mib->leaves[at].table);

        *asn = mib->leaves[at].asn;
        if (first_cell(mib, &mib->leaves[at], &rows, 0, next, next_length, out))
            return true;
    }
    return false;
}
