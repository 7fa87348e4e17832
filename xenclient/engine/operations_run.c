/* Operations under way: queue and limits, sending to workers, outcomes, time. */
#include "xenclient/engine/private.h"

#include <string.h>

#define CONFIRM_USEC (5 * XC_USEC_PER_SEC)  /* for the tables to show what an operation did */
#define GRACE_USEC   (10 * XC_USEC_PER_SEC) /* beyond its time, before it is told to stop */
#define GIVE_UP_USEC (60 * XC_USEC_PER_SEC) /* after that */

/* What a source's driver knows one of its hosts by. Newly allocated; "": there is but one, or it is not known. */
static char *host_name(const struct xc_slot *slot, gssize row)
{
    const struct xc_snapshot *snapshot = slot->snapshot;
    const struct xc_host *host =
        row >= 0 && snapshot && (uint32_t)row < snapshot->n_hosts ? &snapshot->hosts[row] : NULL;
    char uuid[XC_UUID_TEXT];

    if (host && slot->driver->hosts_by_uuid && XC_HAS(HOST, host, uuid)) {
        xc_uuid_format(&host->uuid, uuid);
        return g_strdup(uuid);
    }
    return g_strdup(host && snapshot->n_hosts > 1 && XC_HAS(HOST, host, name) ? host->name : "");
}

/* What is known of the target now; an attach keeps what was true when it began. */
static void refresh(struct xc_engine *engine, struct xc_op *op)
{
    const struct xc_domain_ref *ref =
        op->domain && op->attempts == 0 ? xc_fleet_domain(engine, op->domain) : NULL;
    const struct xc_domain *domain;

    if (!ref || ref->slot == engine->graveyard)
        return;
    domain = xc_ref_domain(ref);
    if (!xc_action_info(op->action)->may_host) {
        xc_set_text(&op->source, ref->slot->spec.key);
        xc_set_text(&op->host_from, xc_fleet_host_key(ref));
    }
    op->target_domid = XC_HAS(DOMAIN, domain, domid) ? domain->domid : -1;
    if (XC_HAS(DOMAIN, domain, uuid))
        op->target_uuid = domain->uuid;
    if (XC_HAS(DOMAIN, domain, name))
        xc_set_text(&op->target, domain->name);
}

/* The configuration that creates the domain: what was asked for, else the one it has. */
static const char *config_of(const struct xc_engine *engine, const struct xc_op *op)
{
    const struct xc_domain_ref *ref = op->domain ? xc_fleet_domain(engine, op->domain) : NULL;

    if (!*op->argument && ref && XC_HAS(DOMAIN, xc_ref_domain(ref), config))
        return xc_ref_domain(ref)->config;
    return op->argument;
}

static uint32_t amount_of(const struct xc_op *op)
{
    uint64_t amount = 0;

    if (xc_action_info(op->action)->has_amount)
        xc_text_to_u64(op->argument, 0, G_MAXINT32, &amount, NULL);
    return (uint32_t)amount;
}

/* The snapshot or copy that is to be made, by name, or the snapshot that is meant, by uuid. */
static const char *snapshot_of(const struct xc_op *op)
{
    const struct xc_action_info *info = xc_action_info(op->action);

    return info->names_point || info->names_copy || info->has_point ? op->argument : "";
}

static void fill_order(struct xc_engine *engine, const struct xc_op *op, struct xc_order *order)
{
    const struct xc_host_ref *from = *op->host_from ? xc_fleet_host(engine, op->host_from) : NULL;
    const struct xc_host_ref *to = *op->host_to ? xc_fleet_host(engine, op->host_to) : NULL;
    struct xc_source_spec none = {0};

    *order = (struct xc_order){
        .op = op->uuid,
        .action = op->action,
        .attach = op->attempts > 1,
        .uuid = op->target_uuid,
        .has_domid = op->target_domid >= 0,
        .domid = op->target_domid,
        .name = g_strdup(op->target),
        .config = g_strdup(config_of(engine, op)),
        .content = g_strdup(op->content),
        .snapshot = g_strdup(snapshot_of(op)),
        .host_from = from ? host_name(from->slot, from->row) : g_strdup(""),
        .host_to = to ? host_name(to->slot, to->row) : g_strdup(""),
        .boot_id = g_strdup(op->boot_id),
        .live = 1,
        .amount = amount_of(op),
        .timeout_usec = op->timeout_usec,
    };
    xc_source_spec_copy(&order->target, to ? &to->slot->spec : &none);
}

static void set_boot_id(struct xc_engine *engine, struct xc_op *op)
{
    const struct xc_host_ref *host = *op->host_from ? xc_fleet_host(engine, op->host_from) : NULL;
    const struct xc_host *row =
        host && host->row >= 0 ? &host->slot->snapshot->hosts[host->row] : NULL;

    if (row && XC_HAS(HOST, row, boot_id) && op->attempts == 0)
        xc_set_text(&op->boot_id, row->boot_id);
}

/* No driver has a part in it: a rescan. */
static bool is_engines(const struct xc_op *op)
{
    return xc_action_info(op->action)->capability == 0 && op->action != XC_ACTION_DISCOVER;
}

/* It is of no source: none is waited for before it, and none is polled after it. */
static bool is_scan(const struct xc_op *op)
{
    return op->action == XC_ACTION_DISCOVER;
}

/* A rescan is the poll that every operation ends with, and nothing before it. */
static void rescan(struct xc_engine *engine, struct xc_op_run *run)
{
    const struct xc_outcome begun = {XC_RESULT_OK, XC_CAUSE_NONE, NULL};

    xc_ops_outcome(&run->op.uuid, &begun, engine);
    run->wait_until = run->op.started_mono + run->op.timeout_usec;
}

/* What became of it: unlike with other operations, everything hangs on the answer. */
static void judge_rescan(const struct xc_slot *slot, struct xc_op_run *run, bool published)
{
    if (!published)
        xc_outcome_set(&run->outcome, XC_RESULT_TIMED_OUT, XC_CAUSE_TIMED_OUT,
                       "its source has not answered yet");
    else if (!slot || slot->failed_in_row)
        xc_outcome_set(&run->outcome, XC_RESULT_FAILED, slot ? slot->cause : XC_CAUSE_NO_SUCH_HOST,
                       "%s", slot ? slot->state_text : "its source was removed");
}

static void start_scan(struct xc_engine *engine, struct xc_op_run *run)
{
    g_autoptr(GError) error = NULL;

    if (!xc_discovery_start(engine, &run->op, &error))
        xc_ops_finish(engine, run, XC_RESULT_FAILED, xc_error_cause(error), error->message);
    else if (run->op.state == XC_OP_CANCELLING)
        xc_supervisor_cancel(engine->supervisor, &run->op.uuid);
}

/* slot NULL: a discovery, which is of none. */
static void send(struct xc_engine *engine, struct xc_op_run *run, const struct xc_slot *slot)
{
    struct xc_op *op = &run->op;
    struct xc_order order;
    bool cancel = op->state == XC_OP_CANCELLING;

    set_boot_id(engine, op);
    op->attempts++;
    if (!cancel)
        op->state = XC_OP_RUNNING;
    if (!op->started_real)
        op->started_real = xc_clock_real();
    op->started_mono = xc_clock_mono();
    /* That it began must be on disk before it begins: else a restart would begin it again. */
    xc_ops_save(engine, run);
    if (run->unsaved) {
        op->attempts--;
        op->state = cancel ? XC_OP_CANCELLING : XC_OP_QUEUED;
        xc_set_text(&op->phase, "waiting for the journal");
        return;
    }
    run->sent = true;
    xc_group_op_begun(engine, run);
    if (is_engines(op)) {
        rescan(engine, run);
        return;
    }
    if (!slot) {
        start_scan(engine, run);
        return;
    }
    fill_order(engine, op, &order);
    xc_supervisor_start(engine->supervisor, slot->id, &order);
    if (cancel)
        xc_supervisor_cancel(engine->supervisor, &op->uuid);
    xc_order_clear(&order);
}

static unsigned running_on(const struct xc_engine *engine, const char *source, unsigned *all)
{
    unsigned n = 0;

    *all = 0;
    for (guint i = 0; i < engine->open->len; i++) {
        const struct xc_op_run *run = engine->open->pdata[i];

        if (!run->sent)
            continue;
        (*all)++;
        n += strcmp(run->op.source, source) == 0;
    }
    return n;
}

/* An order without the host that it is about would be one for any host of its source. */
static bool hosts_are_there(const struct xc_engine *engine, const struct xc_op *op)
{
    return !(xc_action_info(op->action)->of_host && !xc_fleet_host(engine, op->host_from)) &&
           !(*op->host_to && !xc_fleet_host(engine, op->host_to));
}

/* After a start hosts of sources that have several are not known before these have answered. */
static bool is_source_unheard(const struct xc_engine *engine)
{
    for (guint i = 0; i < engine->slots->len; i++) {
        const struct xc_slot *slot = engine->slots->pdata[i];
        const struct xc_poller *poller = slot->poller;

        if (slot->enabled && ((!slot->polls_ok && !slot->polls_failed) || poller->pending))
            return true;
    }
    return false;
}

/* May it be sent without them? Else it waits for what its source told to be shown, or ends. */
static bool goes_without_hosts(struct xc_engine *engine, struct xc_op_run *run,
                               const struct xc_slot *slot)
{
    const struct xc_op *op = &run->op;
    const struct xc_poller *poller = slot->poller;
    bool of_host = xc_action_info(op->action)->of_host;
    g_autofree char *text = NULL;

    if (of_host ? poller->pending != NULL : is_source_unheard(engine))
        return false;
    /* What became of a domain can be seen where its host to be has gone. */
    if (op->attempts && !of_host)
        return true;
    if (slot->state == XC_SOURCE_UP)
        text =
            g_strdup_printf("there is no host %s any more", of_host ? op->host_from : op->host_to);
    xc_ops_finish(engine, run, op->attempts ? XC_RESULT_LOST : XC_RESULT_FAILED,
                  text ? XC_CAUSE_NO_SUCH_HOST : slot->cause, text ? text : slot->state_text);
    return false;
}

/* One that waits: may it go now? Ends it when it never can. */
static void try_send(struct xc_engine *engine, struct xc_op_run *run)
{
    struct xc_op *op = &run->op;
    struct xc_slot *slot;
    unsigned all;

    refresh(engine, op);
    if (is_scan(op)) {
        running_on(engine, "", &all);
        if (all < engine->config->max_ops)
            send(engine, run, NULL);
        return;
    }
    slot = xc_fleet_source(engine, op->source);
    if (!slot || !slot->enabled) {
        xc_ops_finish(engine, run, op->attempts ? XC_RESULT_LOST : XC_RESULT_FAILED,
                      op->attempts ? XC_CAUSE_LOST : XC_CAUSE_NO_SUCH_HOST,
                      "its source was removed or disabled");
        return;
    }
    if (!slot->polls_ok && !slot->polls_failed)
        return; /* nothing is known yet: the first answer calls again */
    if (op->attempts && !is_engines(op) && slot->state != XC_SOURCE_UP) {
        if (xc_clock_mono() - run->ready_mono > op->timeout_usec)
            xc_ops_finish(engine, run, XC_RESULT_LOST, XC_CAUSE_LOST,
                          "the host did not come back to tell the outcome");
        return;
    }
    if (xc_group_op_is_stranded(engine, run)) {
        xc_ops_finish(engine, run, XC_RESULT_FAILED, XC_CAUSE_HOST_DOWN,
                      "its host does not answer now that its turn has come");
        return;
    }
    if (!hosts_are_there(engine, op) && !goes_without_hosts(engine, run, slot))
        return;
    if (running_on(engine, op->source, &all) < engine->config->max_ops_per_host &&
        all < engine->config->max_ops)
        send(engine, run, slot);
}

void xc_ops_pump(struct xc_engine *engine)
{
    g_autoptr(GPtrArray) waiting = g_ptr_array_new();

    for (guint i = 0; i < engine->open->len; i++) {
        struct xc_op_run *run = engine->open->pdata[i];

        if (!run->sent && !xc_op_is_group(&run->op))
            g_ptr_array_add(waiting, run);
    }
    xc_group_ops_turn(engine);
    for (guint i = 0; i < waiting->len; i++)
        if (xc_group_op_may_go(engine, waiting->pdata[i]))
            try_send(engine, waiting->pdata[i]);
}

static gboolean on_pump(void *data)
{
    struct xc_engine *engine = data;

    engine->pump = 0;
    xc_ops_pump(engine);
    return G_SOURCE_REMOVE;
}

void xc_ops_pump_later(struct xc_engine *engine)
{
    if (!engine->pump && !engine->closing)
        engine->pump = g_idle_add(on_pump, engine);
}

/* --- what the worker tells */

static struct xc_op_run *by_uuid(struct xc_engine *engine, const struct xc_uuid *uuid)
{
    return g_hash_table_lookup(engine->op_by_uuid, uuid);
}

void xc_ops_progress(const struct xc_uuid *op, const char *phase, int progress, void *data)
{
    struct xc_op_run *run = by_uuid(data, op);

    if (!run || run->op.state == XC_OP_FINISHED)
        return;
    xc_set_text(&run->op.phase, phase);
    run->op.progress = progress;
}

/* The number of the poll whose answer will be younger than now; 0: none will come. */
static uint64_t ask_for_poll(struct xc_slot *slot)
{
    const struct xc_poller *poller = slot ? slot->poller : NULL;

    if (!slot || !slot->enabled)
        return 0;
    xc_slot_poll_now(slot);
    return poller->begun + 1;
}

static struct xc_slot *source_of_host(struct xc_engine *engine, const char *key)
{
    const struct xc_host_ref *ref = *key ? xc_fleet_host(engine, key) : NULL;

    return ref ? xc_fleet_source(engine, ref->slot->spec.key) : NULL;
}

void xc_ops_outcome(const struct xc_uuid *op, const struct xc_outcome *outcome, void *data)
{
    struct xc_engine *engine = data;
    struct xc_op_run *run = by_uuid(engine, op);

    if (!run || run->op.state == XC_OP_FINISHED || run->outcome_known)
        return;
    run->wait_source = ask_for_poll(xc_fleet_source(engine, run->op.source));
    run->wait_target = ask_for_poll(source_of_host(engine, run->op.host_to));
    run->outcome_known = true;
    run->wait_until = xc_clock_mono() + CONFIRM_USEC;
    xc_outcome_clear(&run->outcome);
    xc_outcome_set(&run->outcome, outcome->result, outcome->cause, "%s",
                   outcome->text ? outcome->text : "");
    if (outcome->result == XC_RESULT_OK && !is_scan(&run->op))
        xc_set_text(&run->op.phase, "reading back");
    else
        xc_ops_published(engine);
}

static bool has_published(const struct xc_slot *slot, uint64_t number)
{
    const struct xc_poller *poller = slot ? slot->poller : NULL;

    return !poller || number == 0 || (poller->published >= number && !poller->pending);
}

/* From a template it is told by its name, else by its configuration. */
static bool was_created(const struct xc_domain_ref *ref, const struct xc_op *op)
{
    const struct xc_domain *domain = xc_ref_domain(ref);

    if (strcmp(ref->slot->spec.key, op->source) != 0)
        return false;
    if (ref->slot->driver && ref->slot->driver->templates)
        return XC_HAS(DOMAIN, domain, name) && strcmp(domain->name, op->content) == 0;
    return XC_HAS(DOMAIN, domain, config) && strcmp(domain->config, op->argument) == 0;
}

/* A created domain gets its index with the first poll that shows it. */
static void find_created(struct xc_engine *engine, struct xc_op *op)
{
    for (guint i = 0; op->domain == 0 && i < engine->refs->len; i++) {
        const struct xc_domain_ref *ref = &g_array_index(engine->refs, struct xc_domain_ref, i);
        const struct xc_domain *domain = xc_ref_domain(ref);

        if (!was_created(ref, op))
            continue;
        op->domain = ref->index;
        ref->track->last_op = op->index;
        ref->track->wanted = XC_WANTED_RUNNING;
        if (XC_HAS(DOMAIN, domain, name))
            xc_set_text(&op->target, domain->name);
        xc_known_save(engine, op->domain, op->target);
    }
}

/* Does the destination show it? A source that learns of what comes by events may have answered before it had. */
static bool has_arrived(struct xc_engine *engine, const struct xc_op *op)
{
    const struct xc_slot *to = source_of_host(engine, op->host_to);
    const struct xc_domain_ref *ref =
        op->action == XC_ACTION_MIGRATE ? xc_fleet_domain(engine, op->domain) : NULL;

    return !ref || !to || ref->slot == to;
}

void xc_ops_published(struct xc_engine *engine)
{
    g_autoptr(GPtrArray) known = g_ptr_array_new();
    gint64 now = xc_clock_mono();
    bool waiting = false;

    for (guint i = 0; i < engine->open->len; i++) {
        struct xc_op_run *run = engine->open->pdata[i];

        waiting = waiting || !run->sent;
        if (run->outcome_known)
            g_ptr_array_add(known, run);
    }
    for (guint i = 0; i < known->len; i++) {
        struct xc_op_run *run = known->pdata[i];
        const struct xc_slot *slot = xc_fleet_source(engine, run->op.source);
        bool published = has_published(slot, run->wait_source) &&
                         has_published(source_of_host(engine, run->op.host_to), run->wait_target) &&
                         has_arrived(engine, &run->op);

        if (run->outcome.result == XC_RESULT_OK && now < run->wait_until && !published)
            continue;
        if (is_engines(&run->op))
            judge_rescan(slot, run, published);
        if (run->op.action == XC_ACTION_CREATE && run->outcome.result == XC_RESULT_OK)
            find_created(engine, &run->op);
        xc_ops_finish(engine, run, run->outcome.result, run->outcome.cause,
                      run->outcome.text ? run->outcome.text : "");
    }
    if (waiting)
        xc_ops_pump_later(engine);
}

/* --- time */

static void guard(struct xc_engine *engine, struct xc_op_run *run, gint64 now)
{
    gint64 over = now - run->op.started_mono - run->op.timeout_usec;

    if (over > GRACE_USEC && !run->guarded) {
        run->guarded = true;
        xc_supervisor_cancel(engine->supervisor, &run->op.uuid);
    } else if (over > GRACE_USEC + GIVE_UP_USEC) {
        xc_ops_finish(engine, run, XC_RESULT_LOST, XC_CAUSE_TIMED_OUT,
                      "no outcome within the time allowed");
    }
}

/* One try a second, whatever waits for it. */
static void probe_journal(struct xc_engine *engine)
{
    g_autoptr(GError) error = NULL;

    if (!engine->journal_failed)
        return;
    xc_journal_probe(engine->journal, &error);
    xc_journal_note(engine, error);
}

void xc_ops_tick(struct xc_engine *engine)
{
    g_autoptr(GPtrArray) sent = g_ptr_array_new();
    gint64 now = xc_clock_mono();

    probe_journal(engine);
    for (guint i = 0; i < engine->open->len; i++) {
        struct xc_op_run *run = engine->open->pdata[i];

        if (run->sent && !run->outcome_known)
            g_ptr_array_add(sent, run);
    }
    for (guint i = 0; i < sent->len; i++)
        guard(engine, sent->pdata[i], now);
    for (guint i = 0; i < engine->ops->len; i++) {
        struct xc_op_run *run = engine->ops->pdata[i];

        if (run->unsaved && run->op.state == XC_OP_FINISHED)
            xc_ops_save(engine, run);
    }
    xc_ops_published(engine);
    xc_ops_prune(engine);
    if (engine->open->len)
        xc_ops_pump_later(engine);
}
