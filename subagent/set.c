/* SET: syntax in RESERVE1, one transaction planned in RESERVE2, written in ACTION, set going in
 * COMMIT. */
#include "subagent/set.h"

#include "xenclient/util/text.h"

#include <string.h>

/* A PDU between RESERVE2 and COMMIT or UNDO. */
struct pending {
    struct st_mib *mib;
    void *transaction;
    bool written;
};

/* Why a varbind is refused. */
struct refusal {
    int snmp;
    enum xc_cause cause;
    char *text;
};

static bool refuse(struct refusal *out, int snmp, enum xc_cause cause, const char *format, ...)
    G_GNUC_PRINTF(4, 5);
static bool refuse(struct refusal *out, int snmp, enum xc_cause cause, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    out->snmp = snmp;
    out->cause = cause;
    out->text = g_strdup_vprintf(format, args);
    va_end(args);
    return false;
}

static bool refuse_error(struct refusal *out, const GError *error)
{
    enum xc_cause cause = xc_error_cause(error);

    return refuse(out, (int)xc_error_info(cause)->snmp, cause, "%s", error->message);
}

static char *dotted(const netsnmp_variable_list *var)
{
    GString *text = g_string_new(NULL);

    /* The library widens numbers from 2^31 on with their sign. */
    for (size_t i = 0; i < var->name_length; i++)
        g_string_append_printf(text, i ? ".%u" : "%u", (uint32_t)var->name[i]);
    return g_string_free(text, FALSE);
}

static char *printable(const netsnmp_variable_list *var)
{
    switch (var->type) {
    case ASN_OCTET_STR:
        return xc_text_clean((const char *)var->val.string, var->val_len, XC_TEXT_MAX);
    case ASN_INTEGER:
        return g_strdup_printf("%ld", *var->val.integer);
    case ASN_UNSIGNED:
    case ASN_COUNTER:
    case ASN_TIMETICKS:
        return g_strdup_printf("%lu", (unsigned long)*var->val.integer);
    default:
        return g_strdup_printf("(type 0x%02x, %zu octets)", var->type, var->val_len);
    }
}

static void report(struct st_mib *mib, netsnmp_agent_request_info *reqinfo,
                   netsnmp_request_info *request, struct refusal *why)
{
    g_autofree char *object = dotted(request->requestvb);
    g_autofree char *value = printable(request->requestvb);

    netsnmp_set_request_error(reqinfo, request, why->snmp);
    if (mib->hooks)
        mib->hooks->refused(mib->context, object, value, why->snmp, why->cause, why->text);
    g_clear_pointer(&why->text, g_free);
}

/* --- RESERVE1: is the varbind right by itself? */

static bool text_fits(const struct st_column *column, const netsnmp_variable_list *var,
                      struct refusal *why)
{
    const char *text = (const char *)var->val.string;
    int64_t max = column->max ? column->max : XC_TEXT_MAX;

    if ((int64_t)var->val_len < column->min || (int64_t)var->val_len > max)
        return refuse(why, SNMP_ERR_WRONGLENGTH, XC_CAUSE_BAD_VALUE,
                      "%s takes %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT " octets, not %zu",
                      column->name, column->min, max, var->val_len);
    if (!g_utf8_validate(text, (gssize)var->val_len, NULL))
        return refuse(why, SNMP_ERR_WRONGVALUE, XC_CAUSE_BAD_VALUE, "%s takes UTF-8 text",
                      column->name);
    for (size_t i = 0; i < var->val_len; i++)
        if (g_ascii_iscntrl(text[i]))
            return refuse(why, SNMP_ERR_WRONGVALUE, XC_CAUSE_BAD_VALUE,
                          "%s takes no control characters", column->name);
    return true;
}

static bool in_range(const struct st_column *column, int64_t number, int64_t min, int64_t max,
                     struct refusal *why)
{
    if (number >= min && number <= max)
        return true;
    return refuse(why, SNMP_ERR_WRONGVALUE, XC_CAUSE_BAD_VALUE,
                  "%s takes %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, column->name, min, max);
}

static bool label_fits(const struct st_leaf *leaf, int64_t number, struct refusal *why)
{
    g_autoptr(GString) choice = g_string_new(NULL);

    if (number >= 0 && number <= G_MAXINT && xc_enum_has(leaf->labels, (int)number))
        return true;
    for (size_t i = 0; i < leaf->labels->n_labels; i++)
        g_string_append_printf(choice, "%s%s(%d)", i ? ", " : "", leaf->labels->labels[i].label,
                               leaf->labels->labels[i].number);
    return refuse(why, SNMP_ERR_WRONGVALUE, XC_CAUSE_BAD_VALUE, "%s takes one of %s",
                  leaf->column->name, choice->str);
}

static int64_t number_of(const netsnmp_variable_list *var)
{
    return var->type == ASN_INTEGER ? *var->val.integer
                                    : (int64_t)((unsigned long)*var->val.integer & G_MAXUINT32);
}

/* The bits of a BITS value as a word, or -1: of those set, one has no name. Octets behind the last named bit may be
 * there or not. */
static int64_t bits_of(const struct st_leaf *leaf, const netsnmp_variable_list *var)
{
    int64_t word = 0;

    for (size_t i = 0; i < var->val_len * 8; i++) {
        if (!(var->val.string[i / 8] & (0x80u >> (i % 8))))
            continue;
        if (i >= 32 || !xc_enum_has(leaf->labels, (int)i))
            return -1;
        word |= (int64_t)1 << i;
    }
    return word;
}

static int64_t most_of(enum st_type type)
{
    return type == ST_INTEGER32 ? G_MAXINT32 : G_MAXUINT32;
}

static bool value_fits(const struct st_leaf *leaf, const netsnmp_variable_list *var,
                       struct refusal *why)
{
    const struct st_column *column = leaf->column;

    if (var->type != leaf->asn)
        return refuse(why, SNMP_ERR_WRONGTYPE, XC_CAUSE_BAD_VALUE, "%s is a %s", column->name,
                      st_type_name(column->type));
    switch (column->type) {
    case ST_TEXT:
        return text_fits(column, var, why);
    case ST_ENUM:
        return label_fits(leaf, number_of(var), why);
    case ST_TRUTH:
        if (number_of(var) == ST_TRUE || number_of(var) == ST_FALSE)
            return true;
        return refuse(why, SNMP_ERR_WRONGVALUE, XC_CAUSE_BAD_VALUE, "%s takes true(1) or false(2)",
                      column->name);
    case ST_BITS:
        return bits_of(leaf, var) >= 0 || refuse(why, SNMP_ERR_WRONGVALUE, XC_CAUSE_BAD_VALUE,
                                                 "%s has no such bit", column->name);
    case ST_LOCK:
        return in_range(column, number_of(var), 0, G_MAXINT32, why);
    case ST_ROW_STATUS:
        if (number_of(var) == ST_ROW_ACTIVE || number_of(var) == ST_ROW_CREATE_AND_GO ||
            number_of(var) == ST_ROW_DESTROY)
            return true;
        return refuse(why, SNMP_ERR_WRONGVALUE, XC_CAUSE_BAD_VALUE,
                      "%s takes active(1), createAndGo(4) or destroy(6)", column->name);
    default:
        return in_range(column, number_of(var), column->min,
                        column->max ? column->max : most_of(column->type), why);
    }
}

/* Where the texts of an index go. */
struct keys {
    char first[MAX_OID_LEN];
    char second[MAX_OID_LEN];
};

/* Reads one part of an index; false: no row can ever have it. */
static bool decode_part(const struct st_index *index, const oid **rest, size_t *n_rest,
                        uint32_t *number, char key[MAX_OID_LEN])
{
    const oid *at = *rest;
    size_t length = 0;

    if (*n_rest == 0 || at[0] < index->min || at[0] > index->max)
        return false;
    if (index->kind == ST_INDEX_INTEGER)
        *number = (uint32_t)at[0];
    else
        length = at[0];
    if (length > *n_rest - 1)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (at[i + 1] == 0 || at[i + 1] > 255)
            return false;
        key[i] = (char)at[i + 1];
    }
    key[length] = '\0';
    *rest += length + 1;
    *n_rest -= length + 1;
    return true;
}

static bool decode_index(const struct st_table *table, const struct st_table *base, const oid *rest,
                         size_t n_rest, uint32_t *number, struct keys *keys)
{
    bool two = base->index[1].kind != 0;

    if (!decode_part(&base->index[0], &rest, &n_rest, number, keys->first) ||
        (two && !decode_part(&base->index[1], &rest, &n_rest, number, keys->second)) || n_rest > 0)
        return false;
    return (!table->key_ok || table->key_ok(keys->first)) &&
           (!two || !table->child_key_ok || table->child_key_ok(keys->second));
}

/* The row that a varbind names: *row NULL if it may be made. */
static bool locate(struct st_mib *mib, const struct st_leaf *leaf, const oid *rest, size_t n_rest,
                   struct st_change *out, struct keys *keys, struct refusal *why)
{
    const struct st_table *table = leaf->table->table;
    const struct st_table *base = leaf->table->base;

    *keys = (struct keys){0};
    out->table = table;
    out->row = st_mib_row(mib, leaf, rest, n_rest);
    /* The pair is that of the row looked at last. */
    if (out->row && base->children)
        out->row = ((const struct st_pair *)out->row)->child;
    bool legal = base->scalars || decode_index(table, base, rest, n_rest, &out->number, keys);

    if (!legal || (!out->row && !table->row_status))
        return refuse(why, SNMP_ERR_NOCREATION, XC_CAUSE_NO_SUCH_TARGET, "%s has no such row",
                      table->name);
    return true;
}

static const struct st_leaf *writable_leaf(struct st_mib *mib, const netsnmp_variable_list *var,
                                           const oid **rest, size_t *n_rest, struct refusal *why)
{
    const struct st_leaf *leaf = st_mib_leaf(mib, var->name, var->name_length, rest, n_rest);
    g_autoptr(GError) error = NULL;

    if (!leaf)
        refuse(why, SNMP_ERR_NOTWRITABLE, XC_CAUSE_NO_SUCH_TARGET, "there is no such object");
    else if (leaf->column->access == ST_READ_ONLY)
        refuse(why, SNMP_ERR_NOTWRITABLE, XC_CAUSE_BAD_VALUE, "%s is read-only",
               leaf->column->name);
    else if (!mib->hooks)
        refuse(why, SNMP_ERR_NOTWRITABLE, XC_CAUSE_POLICY, "this agent is read-only");
    else if (!mib->hooks->allowed(mib->context, &error))
        refuse(why, SNMP_ERR_NOTWRITABLE, XC_CAUSE_POLICY, "%s", error->message);
    else
        return leaf;
    return NULL;
}

static bool check_varbind(struct st_mib *mib, const netsnmp_variable_list *var, struct refusal *why)
{
    const oid *rest = NULL;
    size_t n_rest = 0;
    const struct st_leaf *leaf = writable_leaf(mib, var, &rest, &n_rest, why);
    struct st_change change = {0};
    struct keys keys;

    return leaf && value_fits(leaf, var, why) &&
           locate(mib, leaf, rest, n_rest, &change, &keys, why);
}

/* --- RESERVE2: everything of the PDU, row by row, into one transaction */

static void change_clear(void *data)
{
    struct st_change *change = data;

    g_array_unref(change->writes);
}

static struct st_change *change_of(GArray *changes, const struct st_change *like)
{
    for (guint i = 0; i < changes->len; i++) {
        struct st_change *other = &g_array_index(changes, struct st_change, i);

        if (other->table == like->table && other->number == like->number &&
            g_strcmp0(other->key, like->key) == 0 &&
            g_strcmp0(other->child_key, like->child_key) == 0)
            return other;
    }
    g_array_append_val(changes, *like);
    struct st_change *added = &g_array_index(changes, struct st_change, changes->len - 1);

    added->writes = g_array_new(FALSE, FALSE, sizeof(struct st_write));
    return added;
}

const struct st_write *st_change_write(const struct st_change *change, uint32_t arc)
{
    for (guint i = 0; i < change->writes->len; i++) {
        const struct st_write *write = &g_array_index(change->writes, struct st_write, i);

        if (write->column->arc == arc)
            return write;
    }
    return NULL;
}

/* Files one varbind under its row. Texts live in `texts`. */
static bool collect(struct st_mib *mib, netsnmp_request_info *request, GArray *changes,
                    GStringChunk *texts, struct refusal *why)
{
    const netsnmp_variable_list *var = request->requestvb;
    const oid *rest = NULL;
    size_t n_rest = 0;
    const struct st_leaf *leaf = writable_leaf(mib, var, &rest, &n_rest, why);
    struct st_change like = {0};
    struct keys keys;

    if (!leaf || !locate(mib, leaf, rest, n_rest, &like, &keys, why))
        return false;
    like.key = g_string_chunk_insert(texts, keys.first);
    if (leaf->table->base->index[1].kind)
        like.child_key = g_string_chunk_insert(texts, keys.second);
    struct st_change *change = change_of(changes, &like);
    struct st_write write = {.column = leaf->column, .request = request};

    if (st_change_write(change, leaf->column->arc))
        return refuse(why, SNMP_ERR_INCONSISTENTVALUE, XC_CAUSE_CONFLICT,
                      "%s is twice in the request", leaf->column->name);
    if (leaf->column->type == ST_BITS)
        write.number = bits_of(leaf, var);
    else if (var->type == ASN_OCTET_STR)
        write.text =
            g_string_chunk_insert_len(texts, (const char *)var->val.string, (gssize)var->val_len);
    else
        write.number = number_of(var);
    g_array_append_val(change->writes, write);
    return true;
}

/* What RowStatus asks of the engine itself; *blame: the column that carries the error. */
static bool check_row_status(const struct st_change *change, uint32_t *blame, struct refusal *why)
{
    const struct st_write *status = st_change_write(change, change->table->row_status);
    const char *slash = change->child_key ? "/" : "";
    const char *child = change->child_key ? change->child_key : "";

    if (!status)
        return change->row || refuse(why, SNMP_ERR_INCONSISTENTNAME, XC_CAUSE_NO_SUCH_TARGET,
                                     "%s has no row %s%s%s; createAndGo(4) in the same request "
                                     "makes one",
                                     change->table->name, change->key, slash, child);
    *blame = status->column->arc;
    if (status->number == ST_ROW_CREATE_AND_GO && change->row)
        return refuse(why, SNMP_ERR_INCONSISTENTVALUE, XC_CAUSE_CONFLICT,
                      "%s has a row %s%s%s already", change->table->name, change->key, slash,
                      child);
    if (status->number == ST_ROW_DESTROY && change->writes->len > 1)
        return refuse(why, SNMP_ERR_INCONSISTENTVALUE, XC_CAUSE_CONFLICT,
                      "destroy(6) and other columns of %s%s%s", change->key, slash, child);
    if (status->number == ST_ROW_ACTIVE && !change->row)
        return refuse(why, SNMP_ERR_INCONSISTENTVALUE, XC_CAUSE_NO_SUCH_TARGET,
                      "%s has no row %s%s%s", change->table->name, change->key, slash, child);
    return true;
}

static netsnmp_request_info *culprit(const struct st_change *change, uint32_t blame)
{
    const struct st_write *write = st_change_write(change, blame);

    return (write ? write : &g_array_index(change->writes, struct st_write, 0))->request;
}

static bool plan_change(struct st_mib *mib, const struct st_change *change, void *transaction,
                        netsnmp_request_info **failed, struct refusal *why)
{
    g_autoptr(GError) error = NULL;
    uint32_t blame = g_array_index(change->writes, struct st_write, 0).column->arc;
    bool ok = !change->table->row_status || check_row_status(change, &blame, why);

    if (ok && !change->table->plan(change, mib->context, transaction, &blame, &error))
        ok = refuse_error(why, error);
    if (!ok)
        *failed = culprit(change, blame);
    return ok;
}

/* The order in the request has no meaning: what stands below a row comes after that row, which may be made here, and rows
 * are removed when nothing needs them any more. */
enum { ROWS, BELOW_ROWS, REMOVALS, TURNS };

static unsigned turn_of(const struct st_change *change)
{
    const struct st_write *status = st_change_write(change, change->table->row_status);

    if (change->child_key)
        return BELOW_ROWS;
    return change->table->row_status && status && status->number == ST_ROW_DESTROY ? REMOVALS
                                                                                   : ROWS;
}

static bool plan_all(struct st_mib *mib, netsnmp_request_info *requests, void *transaction,
                     netsnmp_request_info **failed, struct refusal *why)
{
    g_autoptr(GArray) changes = g_array_new(FALSE, FALSE, sizeof(struct st_change));
    GStringChunk *texts = g_string_chunk_new(1024);
    bool ok = true;

    g_array_set_clear_func(changes, change_clear);
    for (netsnmp_request_info *request = requests; ok && request; request = request->next) {
        *failed = request;
        ok = collect(mib, request, changes, texts, why);
    }
    for (unsigned turn = 0; turn < TURNS; turn++)
        for (guint i = 0; ok && i < changes->len; i++) {
            const struct st_change *change = &g_array_index(changes, struct st_change, i);

            if (turn_of(change) == turn)
                ok = plan_change(mib, change, transaction, failed, why);
        }
    g_string_chunk_free(texts);
    return ok;
}

/* --- the phases */

/* The end of a PDU: what was written stands, because its manager may have been told so. */
static void pending_finish(struct pending *pending)
{
    if (pending->transaction && pending->written)
        pending->mib->hooks->dispatch(pending->transaction);
    else if (pending->transaction)
        pending->mib->hooks->release(pending->transaction);
    pending->transaction = NULL;
}

static void pending_free(void *data)
{
    struct pending *pending = data;

    if (pending->mib) {
        pending_finish(pending);
        g_ptr_array_remove_fast(pending->mib->sets, pending);
    }
    g_free(pending);
}

void st_sets_abandon(struct st_mib *mib)
{
    for (guint i = 0; i < mib->sets->len; i++) {
        struct pending *pending = g_ptr_array_index(mib->sets, i);

        pending_finish(pending);
        pending->mib = NULL;
    }
    g_ptr_array_set_size(mib->sets, 0);
}

static void reserve1(struct st_mib *mib, netsnmp_agent_request_info *reqinfo,
                     netsnmp_request_info *requests)
{
    for (netsnmp_request_info *request = requests; request; request = request->next) {
        struct refusal why = {0};

        if (check_varbind(mib, request->requestvb, &why))
            continue;
        report(mib, reqinfo, request, &why);
        return;
    }
}

static void reserve2(struct st_mib *mib, netsnmp_agent_request_info *reqinfo,
                     netsnmp_request_info *requests)
{
    struct pending *pending = g_new0(struct pending, 1);
    netsnmp_request_info *failed = requests;
    struct refusal why = {0};

    pending->mib = mib;
    pending->transaction = mib->hooks->begin(mib->context);
    g_ptr_array_add(mib->sets, pending);
    netsnmp_agent_add_list_data(reqinfo,
                                netsnmp_create_data_list(mib->set_name, pending, pending_free));
    if (!plan_all(mib, requests, pending->transaction, &failed, &why))
        report(mib, reqinfo, failed, &why);
}

/* Without a transaction the master agent was gone in between: what it asked then was given up. */
static void action(struct st_mib *mib, netsnmp_agent_request_info *reqinfo,
                   netsnmp_request_info *requests, struct pending *pending)
{
    g_autoptr(GError) error = NULL;
    struct refusal why = {0};

    if (!pending || !pending->transaction)
        refuse(&why, SNMP_ERR_COMMITFAILED, XC_CAUSE_TRANSPORT,
               "the master agent was gone in between");
    else if (mib->hooks->write(pending->transaction, &error))
        pending->written = true;
    else
        refuse(&why, SNMP_ERR_COMMITFAILED, xc_error_cause(error), "%s", error->message);
    if (why.text)
        report(mib, reqinfo, requests, &why);
}

void st_set_phase(struct st_mib *mib, netsnmp_agent_request_info *reqinfo,
                  netsnmp_request_info *requests)
{
    struct pending *pending = netsnmp_agent_get_list_data(reqinfo, mib->set_name);

    switch (reqinfo->mode) {
    case MODE_SET_RESERVE1:
        reserve1(mib, reqinfo, requests);
        break;
    case MODE_SET_RESERVE2:
        if (!pending)
            reserve2(mib, reqinfo, requests);
        break;
    case MODE_SET_ACTION:
        action(mib, reqinfo, requests, pending);
        break;
    case MODE_SET_FREE:
    case MODE_SET_UNDO:
        if (pending) {
            pending->written = false;
            pending_finish(pending);
        }
        break;
    case MODE_SET_COMMIT:
        if (pending)
            pending_finish(pending);
        break;
    default:
        break;
    }
}
