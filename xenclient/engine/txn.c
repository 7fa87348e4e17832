/* One SET PDU as a transaction: check and reserve, one commit, set going. */
#include "xenclient/engine/txn_private.h"

#include <string.h>

#define NOTE_MAX 64

static void intent_clear(void *data)
{
    struct intent *intent = data;

    g_byte_array_unref(intent->payload);
    g_free(intent->key);
}

struct xc_txn *xc_txn_new(struct xc_engine *engine)
{
    struct xc_txn *txn = g_new0(struct xc_txn, 1);

    txn->engine = engine;
    txn->runs = g_ptr_array_new();
    txn->cancels = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    txn->supersedes = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    txn->intents = g_array_new(FALSE, FALSE, sizeof(struct intent));
    g_array_set_clear_func(txn->intents, intent_clear);
    txn->locks = g_ptr_array_new();
    txn->targets = g_hash_table_new(g_direct_hash, g_direct_equal);
    xc_txn_begin_groups(txn);
    return txn;
}

/* --- operations */

/* Is the target free for it? A force action takes over from a soft one in progress. */
static bool check_busy(struct xc_txn *txn, const struct xc_request *request, const struct xc_op *op,
                       GError **error)
{
    struct xc_op_run *active = xc_ops_active_on(txn->engine, op->domain);

    if (!active)
        return true;
    if (xc_action_info(request->action)->force && xc_action_info(active->op.action)->soft) {
        g_array_append_val(txn->supersedes, active->op.index);
        return true;
    }
    return xc_fail(error, XC_CAUSE_BUSY, "%s: operation %u (%s) is in progress", op->target,
                   active->op.index, xc_enum_label(&xc_action_labels, (int)active->op.action));
}

/* Likewise a host: what is asked for next to it, and what is under way. */
static bool check_host_busy(const struct xc_txn *txn, const struct xc_op *op, GError **error)
{
    const GPtrArray *const places[] = {txn->engine->open, txn->runs};

    for (size_t p = 0; p < G_N_ELEMENTS(places); p++) {
        for (guint i = 0; i < places[p]->len; i++) {
            const struct xc_op *other = &((const struct xc_op_run *)places[p]->pdata[i])->op;

            if (xc_ops_opposed(other, op))
                return xc_fail(error, XC_CAUSE_BUSY, "%s: its %s is in progress", op->host_from,
                               xc_enum_label(&xc_action_labels, (int)other->action));
        }
    }
    return true;
}

static bool check_room(const struct xc_txn *txn, GError **error)
{
    unsigned limit = txn->engine->config->queue_limit;

    if (txn->engine->open->len + txn->runs->len < limit)
        return true;
    return xc_fail(error, XC_CAUSE_BUSY, "the queue is full: %u operations are open", limit);
}

static bool add_described(struct xc_txn *txn, struct xc_op_run *run, GError **error)
{
    if (!check_room(txn, error)) {
        xc_op_run_free(run);
        return false;
    }
    g_ptr_array_add(txn->runs, run);
    return true;
}

bool xc_txn_add_op(struct xc_txn *txn, const struct xc_request *request, GError **error)
{
    struct xc_engine *engine = txn->engine;
    const struct xc_domain_ref *ref =
        request->domain ? xc_fleet_domain(engine, request->domain) : NULL;
    struct xc_op_run *run;

    if (request->note && strlen(request->note) > NOTE_MAX)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "the note is longer than %d octets", NOTE_MAX);
    run = xc_op_run_new();
    if (xc_action_info(request->action)->of_host) {
        bool scan = request->action == XC_ACTION_DISCOVER;

        if (scan ? !xc_discovery_describe(engine, request->scan, &run->op, error)
                 : !xc_describe_host(engine, request, &run->op, error))
            goto refused;
        if (!request->locked && xc_ops_same(engine, &run->op))
            goto merged;
        if (scan && !xc_discovery_is_free(engine, error))
            goto refused;
        if (!check_host_busy(txn, &run->op, error) ||
            (request->title && !xc_policy_new_name(engine, xc_fleet_source(engine, run->op.source),
                                                   request->title, error)))
            goto refused;
        xc_set_text(&run->op.note, request->note);
        return add_described(txn, run, error);
    }
    if (!ref) {
        xc_fail(error, XC_CAUSE_NO_SUCH_TARGET, "no domain has index %u", request->domain);
        goto refused;
    }
    if (!g_hash_table_add(txn->targets, GUINT_TO_POINTER(request->domain))) {
        xc_fail(error, XC_CAUSE_CONFLICT, "%s: two actions in one request",
                XC_HAS(DOMAIN, xc_ref_domain(ref), name) ? xc_ref_domain(ref)->name : "?");
        goto refused;
    }
    if (!xc_policy_control(engine, error))
        goto refused;
    xc_describe_domain(engine, request, ref, &run->op);
    /* Before the state is looked at: a resent request finds the state it has made itself. */
    if (!request->locked && xc_ops_same(engine, &run->op))
        goto merged;
    if (!check_busy(txn, request, &run->op, error) || !xc_policy_check(engine, request, ref, error))
        goto refused;
    return add_described(txn, run, error);
merged:
    xc_op_run_free(run);
    return true;
refused:
    xc_op_run_free(run);
    return false;
}

bool xc_txn_cancel_op(struct xc_txn *txn, uint32_t index, GError **error)
{
    const struct xc_op_run *run = xc_op_run_find(txn->engine, index);

    if (!xc_policy_control(txn->engine, error))
        return false;
    if (!run)
        return xc_fail(error, XC_CAUSE_NO_SUCH_TARGET, "no operation %u", index);
    if (run->op.state == XC_OP_FINISHED)
        return xc_fail(error, XC_CAUSE_BAD_STATE, "operation %u has ended already", index);
    g_array_append_val(txn->cancels, index);
    return true;
}

/* --- settings */

void xc_txn_add_intent(struct xc_txn *txn, enum xc_intent_kind kind, GByteArray *payload,
                       const char *key)
{
    struct intent intent = {kind, payload, 0, g_strdup(key)};

    g_array_append_val(txn->intents, intent);
}

static bool concerns(const struct xc_txn *txn, const char *key)
{
    for (guint i = 0; i < txn->intents->len; i++)
        if (strcmp(g_array_index(txn->intents, struct intent, i).key, key) == 0)
            return true;
    return false;
}

static bool owned_by_snmp(const struct xc_slot *slot, GError **error)
{
    if (slot->origin != XC_FROM_CONFIG)
        return true;
    return xc_fail(error, XC_CAUSE_POLICY,
                   "source %s is set by the configuration file: change it there", slot->spec.key);
}

bool xc_txn_put_source(struct xc_txn *txn, const struct xc_source_spec *spec, bool enabled,
                       unsigned interval_sec, GError **error)
{
    struct xc_engine *engine = txn->engine;
    const struct xc_slot *slot = xc_fleet_source(engine, spec->key);
    GByteArray *payload;

    if (!xc_policy_control(engine, error) || (slot && !owned_by_snmp(slot, error)))
        return false;
    if (concerns(txn, spec->key))
        return xc_fail(error, XC_CAUSE_CONFLICT, "source %s: two changes in one request",
                       spec->key);
    if (!xc_text_is_key(spec->key, 32))
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "a source key is 1..32 of A-Za-z0-9._-");
    if (!xc_policy_uri(spec->uri, error))
        return false;
    if (*spec->credential &&
        !xc_credential_exists(engine->config->credential_dir, spec->credential))
        return xc_fail(error, XC_CAUSE_NO_SUCH_HOST,
                       "no credential %s: `xenctl credential add %s` writes one", spec->credential,
                       spec->credential);
    if (*spec->save_dir && *spec->save_dir != '/')
        return xc_fail(error, XC_CAUSE_BAD_VALUE,
                       "the save_dir of a source is an absolute path on its host, or nothing");
    if (interval_sec > 3600)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "an interval is 1..3600 s, or 0: the default");
    payload = g_byte_array_new();
    xc_source_spec_write(spec, payload);
    xc_put_u8(payload, enabled);
    xc_put_u32(payload, interval_sec);
    xc_txn_add_intent(txn, XC_INTENT_PUT_SOURCE, payload, spec->key);
    return true;
}

bool xc_txn_remove_source(struct xc_txn *txn, const char *key, GError **error)
{
    const struct xc_slot *slot = xc_fleet_source(txn->engine, key);
    GByteArray *payload;
    unsigned open;

    if (!xc_policy_control(txn->engine, error))
        return false;
    if (!slot)
        return true;
    if (!owned_by_snmp(slot, error))
        return false;
    open = xc_ops_open_on(txn->engine, key);
    if (open)
        return xc_fail(error, XC_CAUSE_BAD_STATE, "source %s: %u operations are in progress", key,
                       open);
    if (!xc_txn_source_is_free(txn, slot, error))
        return false;
    payload = g_byte_array_new();
    xc_put_text(payload, key);
    xc_txn_add_intent(txn, XC_INTENT_REMOVE_SOURCE, payload, key);
    return true;
}

bool xc_txn_protect(struct xc_txn *txn, uint32_t domain, bool protect, GError **error)
{
    GByteArray *payload;

    if (!xc_policy_control(txn->engine, error))
        return false;
    if (!xc_fleet_domain(txn->engine, domain))
        return xc_fail(error, XC_CAUSE_NO_SUCH_TARGET, "no domain has index %u", domain);
    payload = g_byte_array_new();
    xc_put_u32(payload, domain);
    xc_put_u8(payload, protect);
    xc_txn_add_intent(txn, XC_INTENT_PROTECT, payload, "");
    return true;
}

bool xc_txn_lock(struct xc_txn *txn, uint32_t domain, uint32_t value, GError **error)
{
    const struct xc_domain_ref *ref = xc_fleet_domain(txn->engine, domain);

    if (!xc_policy_control(txn->engine, error))
        return false;
    if (!ref)
        return xc_fail(error, XC_CAUSE_NO_SUCH_TARGET, "no domain has index %u", domain);
    if (ref->track->lock != value)
        return xc_fail(error, XC_CAUSE_CONFLICT, "the lock is %u, not %u: read it again",
                       ref->track->lock, value);
    g_ptr_array_add(txn->locks, ref->track);
    return true;
}

bool xc_txn_switch(struct xc_txn *txn, enum xc_switch which, bool on, GError **error)
{
    if (!xc_policy_control(txn->engine, error))
        return false;
    txn->switches |= which;
    txn->on |= on ? which : 0;
    return true;
}

/* --- commit */

static bool write_all(struct xc_txn *txn, GError **error)
{
    struct xc_journal *journal = txn->engine->journal;

    for (guint i = 0; i < txn->runs->len; i++) {
        struct xc_op_run *run = txn->runs->pdata[i];

        run->op.index = txn->engine->next_op + i;
        run->op.parent = run->of ? run->of->op.index : 0;
        if (!xc_journal_put_op(journal, &run->op, error))
            return false;
    }
    for (guint i = 0; i < txn->intents->len; i++) {
        struct intent *intent = &g_array_index(txn->intents, struct intent, i);

        if (!xc_journal_add_intent(journal, intent->kind, intent->payload, &intent->seq, error))
            return false;
    }
    return true;
}

static bool write_and_commit(struct xc_txn *txn, GError **error)
{
    struct xc_journal *journal = txn->engine->journal;

    if (!xc_journal_begin(journal, error))
        return false;
    if (!write_all(txn, error)) {
        xc_journal_rollback(journal);
        return false;
    }
    return xc_journal_commit(journal, error);
}

bool xc_txn_write(struct xc_txn *txn, GError **error)
{
    xc_txn_write_groups(txn);
    if (txn->runs->len || txn->intents->len) {
        g_autoptr(GError) inner = NULL;

        write_and_commit(txn, &inner);
        xc_journal_note(txn->engine, inner);
        if (inner) {
            g_propagate_error(error, g_steal_pointer(&inner));
            return false;
        }
        txn->engine->next_op += txn->runs->len;
    }
    txn->written = true;
    return true;
}

static void set_wanted(struct xc_engine *engine, const struct xc_op *op)
{
    enum xc_wanted wanted = xc_action_info(op->action)->wanted;
    struct xc_track *track;

    if (!op->domain || wanted == XC_WANTED_NONE)
        return;
    track = xc_track_get(engine, op->domain);
    if (track->wanted == wanted)
        return;
    track->wanted = (uint8_t)wanted;
    xc_known_save(engine, op->domain, op->target);
}

void xc_txn_dispatch(struct xc_txn *txn)
{
    struct xc_engine *engine = txn->engine;
    const GArray *ends[] = {txn->supersedes, txn->cancels};

    txn->dispatched = true;
    engine->sets_accepted++;
    engine->switches = (engine->switches & ~txn->switches) | txn->on;
    for (guint i = 0; i < txn->locks->len; i++) {
        struct xc_track *track = txn->locks->pdata[i];

        track->lock = track->lock == G_MAXINT32 ? 0 : track->lock + 1;
    }
    xc_txn_dispatch_groups(txn);
    for (guint e = 0; e < G_N_ELEMENTS(ends); e++)
        for (guint i = 0; i < ends[e]->len; i++) {
            struct xc_op_run *run = xc_op_run_find(engine, g_array_index(ends[e], uint32_t, i));

            if (run)
                xc_ops_cancel(engine, run);
        }
    for (guint i = 0; i < txn->runs->len; i++) {
        struct xc_op_run *run = txn->runs->pdata[i];

        run->of = NULL;
        if (run->op.state != XC_OP_FINISHED)
            set_wanted(engine, &run->op);
        xc_ops_add(engine, run);
        if (run->op.state == XC_OP_FINISHED)
            xc_ops_tell_end(engine, &run->op);
    }
    g_ptr_array_set_size(txn->runs, 0);
    for (guint i = 0; i < txn->intents->len; i++) {
        const struct intent *intent = &g_array_index(txn->intents, struct intent, i);

        xc_intent_apply(engine, intent->seq, intent->kind, intent->payload->data,
                        intent->payload->len);
    }
}

/* Another agent's part of the PDU failed after ours was written. */
static void take_back(struct xc_txn *txn)
{
    struct xc_journal *journal = txn->engine->journal;
    g_autoptr(GError) error = NULL;
    bool ok = xc_journal_begin(journal, &error);

    for (guint i = 0; ok && i < txn->runs->len; i++)
        ok = xc_journal_drop_op(journal, ((struct xc_op_run *)txn->runs->pdata[i])->op.index,
                                &error);
    for (guint i = 0; ok && i < txn->intents->len; i++)
        ok = xc_journal_drop_intent(journal, g_array_index(txn->intents, struct intent, i).seq,
                                    &error);
    if (ok)
        ok = xc_journal_commit(journal, &error);
    else
        xc_journal_rollback(journal);
    if (!ok)
        xc_log(XC_LOG_ERROR, "a request could not be taken back and will run after a restart: %s",
               error->message);
}

void *xc_txn_free(struct xc_txn *txn)
{
    if (!txn)
        return NULL;
    if (txn->written && !txn->dispatched && (txn->runs->len || txn->intents->len))
        take_back(txn);
    for (guint i = 0; i < txn->runs->len; i++)
        xc_op_run_free(txn->runs->pdata[i]);
    g_ptr_array_unref(txn->runs);
    g_array_unref(txn->cancels);
    g_array_unref(txn->supersedes);
    g_array_unref(txn->intents);
    g_ptr_array_unref(txn->locks);
    g_hash_table_unref(txn->targets);
    xc_txn_end_groups(txn);
    g_free(txn);
    return NULL;
}
