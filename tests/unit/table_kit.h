/* A small tree for tests of the table engine: every kind of table once, and a transaction that only
 * remembers what it was told. */
#pragma once

#include "subagent/handler.h"
#include "subagent/set.h"
#include "xenclient/model/model.h"

#include <string.h>

static const oid kit_root[] = {1, 3, 6, 1, 4, 1, 99999};
#define KIT_ROOT kit_root, G_N_ELEMENTS(kit_root)

struct kit_row {
    uint32_t number;
    uint32_t second; /* of the table with two index parts */
    const char *key;
    const char *text;
    uint64_t wide;
    bool absent; /* column 3 has no instance */
    struct xc_domain domain;
};

/* What the tables show, and what SETs did to it. */
struct kit {
    struct kit_row *numbers;
    size_t n_numbers;
    struct kit_row *keys; /* sorted by length, then octets */
    size_t n_keys;
    struct kit_row *pairs;
    size_t n_pairs;
    bool closed;    /* nothing may be written */
    bool broken;    /* writing fails */
    GString *story; /* what happened, in words */
    char *refused;  /* the text of the last refusal */
    char *refused_object;
    int refused_status;
    int open; /* transactions that were begun and have not ended */
};

static inline bool kit_text(const struct st_cell *cell, struct st_value *out)
{
    return st_text(out, ((const struct kit_row *)cell->row)->text);
}

static inline bool kit_gauge(const struct st_cell *cell, struct st_value *out)
{
    const struct kit_row *row = cell->row;

    return !row->absent && st_gauge(out, row->number * 10);
}

static inline bool kit_zero(const struct st_cell *cell, struct st_value *out)
{
    (void)cell;
    return st_number(out, 0);
}

static inline bool kit_empty(const struct st_cell *cell, struct st_value *out)
{
    (void)cell;
    return st_text(out, "");
}

static inline bool kit_active(const struct st_cell *cell, struct st_value *out)
{
    (void)cell;
    return st_number(out, ST_ROW_ACTIVE);
}

static inline const void *kit_numbers(void *context, size_t *n)
{
    const struct kit *kit = context;

    *n = kit->n_numbers;
    return kit->numbers;
}

static inline const void *kit_keys(void *context, size_t *n)
{
    const struct kit *kit = context;

    *n = kit->n_keys;
    return kit->keys;
}

static inline const void *kit_pairs(void *context, size_t *n)
{
    const struct kit *kit = context;

    *n = kit->n_pairs;
    return kit->pairs;
}

static inline const void *kit_object(const void *row)
{
    return &((const struct kit_row *)row)->domain;
}

/* Tells the story; a number 13 or a text "bad" is refused with that column to blame. */
static inline bool kit_plan(const struct st_change *change, void *context, void *transaction,
                            uint32_t *blame, GError **error)
{
    struct kit *kit = context;

    g_assert_nonnull(transaction);
    g_string_append_printf(kit->story, "[%s %s%u%s", change->table->name, change->key,
                           change->number, change->row ? "" : " new");
    for (guint i = 0; i < change->writes->len; i++) {
        const struct st_write *write = &g_array_index(change->writes, struct st_write, i);

        if (write->text)
            g_string_append_printf(kit->story, " %u=%s", write->column->arc, write->text);
        else
            g_string_append_printf(kit->story, " %u=%d", write->column->arc, (int)write->number);
        if (write->number == 13 || g_strcmp0(write->text, "bad") == 0) {
            *blame = write->column->arc;
            return xc_fail(error, XC_CAUSE_BUSY, "unlucky");
        }
    }
    g_string_append_c(kit->story, ']');
    return true;
}

static inline bool kit_allowed(void *context, GError **error)
{
    return !((const struct kit *)context)->closed || xc_fail(error, XC_CAUSE_POLICY, "closed");
}

static inline void *kit_begin(void *context)
{
    struct kit *kit = context;

    kit->open++;
    return kit;
}

static inline bool kit_write(void *transaction, GError **error)
{
    struct kit *kit = transaction;

    if (kit->broken)
        return xc_fail(error, XC_CAUSE_STORE, "disk full");
    g_string_append(kit->story, " written");
    return true;
}

static inline void kit_dispatch(void *transaction)
{
    struct kit *kit = transaction;

    kit->open--;
    g_string_append(kit->story, " dispatched");
}

static inline void kit_release(void *transaction)
{
    struct kit *kit = transaction;

    kit->open--;
    g_string_append(kit->story, " released");
}

static inline void kit_refused(void *context, const char *object, const char *value, int snmp_error,
                               enum xc_cause cause, const char *text)
{
    struct kit *kit = context;

    g_assert_true(g_utf8_validate(value, -1, NULL));
    g_assert_cmpint(cause, !=, XC_CAUSE_NONE);
    g_free(kit->refused);
    g_free(kit->refused_object);
    kit->refused = g_strdup(text);
    kit->refused_object = g_strdup(object);
    kit->refused_status = snmp_error;
}

static const struct st_set_hooks kit_hooks = {kit_allowed,  kit_begin,   kit_write,
                                              kit_dispatch, kit_release, kit_refused};

static const struct xc_label kit_label[] = {{1, "noop"}, {2, "run"}, {13, "unlucky"}};
static XC_ENUM_DEFINE(kit_labels, "KitAction", kit_label);

static const struct st_column kit_number_columns[] = {
    CALC(2, "numText", ST_TEXT, kit_text),
    CALC(3, "numGauge", ST_GAUGE32, kit_gauge),
    MEMBER(5, "numWide", ST_COUNTER64, st_get_member, kit_row, wide),
    COL(7, "numMemory", ST_GAUGE32, domain, DOMAIN, mem_kib, .divide = 1024, .units = "mebibytes"),
    COL(8, "numState", ST_ENUM, domain, DOMAIN, state),
    COL(9, "numUuid", ST_TEXT, domain, DOMAIN, uuid),
    COL(10, "numStarted", ST_DATE, domain, DOMAIN, started),
};
static const struct st_table kit_number_table = {
    .name = "numTable",
    .arcs = {1, 1, 1, 1},
    .index = {{ST_INDEX_INTEGER, offsetof(struct kit_row, number), "numIndex", 1, 1, G_MAXINT32}},
    .row_size = sizeof(struct kit_row),
    .rows = kit_numbers,
    .object = kit_object,
    .columns = kit_number_columns,
    .n_columns = G_N_ELEMENTS(kit_number_columns),
};

static const struct st_column kit_control_columns[] = {
    SET(1, "ctlLock", ST_LOCK, kit_zero),
    SET(2, "ctlAction", ST_ENUM, kit_zero, .labels = &kit_labels),
    SET(3, "ctlTimeout", ST_UNSIGNED32, kit_zero, .max = 100),
    SET(4, "ctlNote", ST_TEXT, kit_empty, .max = 8),
    SET(5, "ctlFlag", ST_TRUTH, kit_zero),
    CALC(6, "ctlPlain", ST_GAUGE32, kit_zero),
};
static const struct st_table kit_control_table = {
    .name = "ctlTable",
    .arcs = {1, 1, 2, 1},
    .augments = &kit_number_table,
    .columns = kit_control_columns,
    .n_columns = G_N_ELEMENTS(kit_control_columns),
    .plan = kit_plan,
};

static const struct st_column kit_key_columns[] = {
    CALC(2, "keyText", ST_TEXT, kit_text, .access = ST_READ_CREATE, .min = 1, .max = 255),
    MEMBER(4, "keyLabel", ST_TEXT, st_get_member, kit_row, key),
    CALC(6, "keyRowStatus", ST_ROW_STATUS, kit_active, .access = ST_READ_CREATE),
};
static inline bool kit_key_ok(const char *key)
{
    return strchr(key, ' ') == NULL;
}
static const struct st_table kit_key_table = {
    .name = "keyTable",
    .arcs = {1, 2, 1, 1},
    .index = {{ST_INDEX_TEXT, offsetof(struct kit_row, key), "keyName", 1, 1, 32}},
    .row_size = sizeof(struct kit_row),
    .rows = kit_keys,
    .columns = kit_key_columns,
    .n_columns = G_N_ELEMENTS(kit_key_columns),
    .plan = kit_plan,
    .row_status = 6,
    .key_ok = kit_key_ok,
};

static const struct st_column kit_pair_columns[] = {
    CALC(3, "pairText", ST_TEXT, kit_text),
};
static const struct st_table kit_pair_table = {
    .name = "pairTable",
    .arcs = {1, 2, 2, 1},
    .index = {{ST_INDEX_TEXT, offsetof(struct kit_row, key), "keyName", 0, 1, 32},
              {ST_INDEX_INTEGER, offsetof(struct kit_row, second), "pairNumber", 2, 0, 100}},
    .row_size = sizeof(struct kit_row),
    .rows = kit_pairs,
    .columns = kit_pair_columns,
    .n_columns = G_N_ELEMENTS(kit_pair_columns),
};

/* Rows below those of keys: the first key has none, the second one, the third two ... but the last
 * has none either. They are rows of pairs. */
static inline const void *kit_children(void *context, const void *parent, size_t *n)
{
    const struct kit *kit = context;
    size_t i = (size_t)((const struct kit_row *)parent - kit->keys);

    *n = kit->n_pairs ? i % (kit->n_keys - 1) : 0;
    return &kit->pairs[3 * i];
}

static inline bool kit_child_text(const struct st_cell *cell, struct st_value *out)
{
    const struct st_pair *pair = cell->row;
    const struct kit_row *parent = pair->parent;
    const struct kit_row *child = pair->child;

    return child->second != 4 && st_format(out, "%s %u", parent->key, child->second);
}

static const struct st_column kit_child_columns[] = {
    CALC(2, "childText", ST_TEXT, kit_child_text),
    CALC(3, "childZero", ST_INTEGER32, kit_zero),
};
static const struct st_table kit_child_table = {
    .name = "childTable",
    .arcs = {1, 2, 3, 1},
    .index = {{ST_INDEX_TEXT, offsetof(struct kit_row, key), "keyName", 0, 1, 32},
              {ST_INDEX_INTEGER, offsetof(struct kit_row, second), "childNumber", 1, 0, 100}},
    .row_size = sizeof(struct kit_row),
    .rows = kit_keys,
    .children = kit_children,
    .child_size = sizeof(struct kit_row),
    .columns = kit_child_columns,
    .n_columns = G_N_ELEMENTS(kit_child_columns),
};

/* Rows below those of keys again, by two numbers; the same three below each. */
static inline const void *kit_deep(void *context, const void *parent, size_t *n)
{
    static const struct kit_row rows[] = {
        {.second = 1, .number = 1}, {.second = 1, .number = 3}, {.second = 2, .number = 1}};

    (void)context;
    (void)parent;
    *n = G_N_ELEMENTS(rows);
    return rows;
}

static const struct st_column kit_deep_columns[] = {
    CALC(3, "deepZero", ST_INTEGER32, kit_zero),
};
static const struct st_table kit_deep_table = {
    .name = "deepTable",
    .arcs = {1, 2, 2, 2},
    .index = {{ST_INDEX_TEXT, offsetof(struct kit_row, key), "keyName", 0, 1, 32},
              {ST_INDEX_INTEGER, offsetof(struct kit_row, second), "deepFirst", 1, 0, 100},
              {ST_INDEX_INTEGER, offsetof(struct kit_row, number), "deepSecond", 2, 0, 100}},
    .row_size = sizeof(struct kit_row),
    .rows = kit_keys,
    .children = kit_deep,
    .child_size = sizeof(struct kit_row),
    .columns = kit_deep_columns,
    .n_columns = G_N_ELEMENTS(kit_deep_columns),
};

static const struct st_column kit_scalar_columns[] = {
    CALC(3, "kitZero", ST_INTEGER32, kit_zero),
    CALC(4, "kitEmpty", ST_TEXT, kit_empty),
    SET(5, "kitNote", ST_TEXT, kit_empty, .max = 8),
};
static const struct st_table kit_scalars = {
    .name = "kit",
    .arcs = {1, 1},
    .scalars = true,
    .columns = kit_scalar_columns,
    .n_columns = G_N_ELEMENTS(kit_scalar_columns),
    .plan = kit_plan,
};

static const struct st_table *const kit_tables[] = {
    &kit_pair_table,  &kit_number_table, &kit_control_table, &kit_key_table,
    &kit_child_table, &kit_scalars,      &kit_deep_table,
};

/* --- the tree, filled, for each test */

struct fixture {
    struct kit kit;
    struct st_mib *mib;
};

static const uint32_t kit_number_list[] = {1, 2, 5, 7, 10, G_MAXINT32};
static const char *const kit_key_list[] = {"b", "zz", "aaa", "aab", "\xc3\xa9t\xc3\xa9"};

static inline void kit_set_up(struct fixture *f, gconstpointer data)
{
    static const struct xc_uuid uuid = {{0, 1, 2, 3}};
    g_autoptr(GError) error = NULL;
    struct kit *kit = &f->kit;

    (void)data;
    kit->story = g_string_new(NULL);
    kit->n_numbers = G_N_ELEMENTS(kit_number_list);
    kit->numbers = g_new0(struct kit_row, kit->n_numbers);
    for (size_t i = 0; i < kit->n_numbers; i++) {
        struct kit_row *row = &kit->numbers[i];

        row->number = kit_number_list[i];
        row->text = i % 2 ? "odd" : "";
        row->wide = G_MAXUINT64 - i;
        row->absent = i == 2 || i == 5;
        if (i != 1)
            XC_SET(DOMAIN, &row->domain, mem_kib, (uint64_t)4096 * 1024 * (i + 1));
        XC_SET(DOMAIN, &row->domain, state, XC_STATE_RUNNING);
        XC_SET(DOMAIN, &row->domain, started, (gint64)1700000000 * 1000000 + 600000);
        XC_SET(DOMAIN, &row->domain, uuid, uuid);
    }
    kit->n_keys = G_N_ELEMENTS(kit_key_list);
    kit->keys = g_new0(struct kit_row, kit->n_keys);
    kit->n_pairs = 3 * kit->n_keys;
    kit->pairs = g_new0(struct kit_row, kit->n_pairs);
    for (size_t i = 0; i < kit->n_keys; i++) {
        kit->keys[i].key = kit_key_list[i];
        kit->keys[i].text = "x";
        for (size_t k = 0; k < 3; k++)
            kit->pairs[3 * i + k] =
                (struct kit_row){.key = kit_key_list[i], .second = (uint32_t)(k * k), .text = "p"};
    }
    f->mib = st_mib_new(KIT_ROOT, kit_tables, G_N_ELEMENTS(kit_tables), kit, &kit_hooks, &error);
    g_assert_no_error(error);
}

static inline void kit_tear_down(struct fixture *f, gconstpointer data)
{
    (void)data;
    st_mib_free(f->mib);
    g_assert_cmpint(f->kit.open, ==, 0);
    g_free(f->kit.numbers);
    g_free(f->kit.keys);
    g_free(f->kit.pairs);
    g_free(f->kit.refused);
    g_free(f->kit.refused_object);
    g_string_free(f->kit.story, TRUE);
}

struct name {
    oid ids[MAX_OID_LEN];
    size_t length;
};

static inline struct name name_of(const char *below)
{
    struct name name = {.length = G_N_ELEMENTS(kit_root)};
    g_auto(GStrv) parts = g_strsplit(below, ".", -1);

    memcpy(name.ids, kit_root, sizeof(kit_root));
    for (char **part = parts; *part && **part; part++)
        name.ids[name.length++] = (oid)g_ascii_strtoull(*part, NULL, 10);
    return name;
}

static inline char *below_root(const struct name *name)
{
    GString *text = g_string_new(NULL);

    for (size_t i = G_N_ELEMENTS(kit_root); i < name->length; i++)
        g_string_append_printf(text, text->len ? ".%lu" : "%lu", name->ids[i]);
    return g_string_free(text, FALSE);
}

#define KIT_TEST(name, function)                                                                   \
    g_test_add("/table/" name, struct fixture, NULL, kit_set_up, function, kit_tear_down)
