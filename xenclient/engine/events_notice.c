/* What is an event: changes of domains against what was told of them last, also when that was before a restart;
 * hosts lost and found, ends of operations, refused SETs. */
#include "xenclient/engine/private.h"

#include <string.h>

#define GONE_LAST_USEC (60 * XC_USEC_PER_SEC)
/* So many refusals in that time are events of their own; the others are one: a loop of them must not
 * empty the ring. */
#define REFUSALS_USEC   (60 * XC_USEC_PER_SEC)
#define REFUSALS_SINGLE 10

/* --- domains */

static const char *state_label(int state)
{
    return xc_enum_label(&xc_domain_state_labels, state);
}

/* Keeps in memory what goes to the store with the event. */
static void tell_domain(struct xc_engine *engine, struct xc_known *known, uint32_t index,
                        struct xc_event *event, int state)
{
    known->told = state;
    xc_set_key(&known->told_host, event->host);
    event->domain = index;
    event->told = state;
    xc_events_add(engine, event);
}

static void tell_state(struct xc_engine *engine, const struct xc_track *track,
                       struct xc_known *known, const char *host, const char *name, int state)
{
    bool crashed = state == XC_STATE_CRASHED;
    enum xc_severity severity = XC_SEVERITY_INFO;
    struct xc_event *event;

    if (crashed)
        severity = XC_SEVERITY_MAJOR;
    else if (known->told == XC_STATE_CRASHED)
        severity = XC_SEVERITY_CLEAR;
    event = xc_event_new(crashed ? XC_EVENT_DOMAIN_CRASHED : XC_EVENT_DOMAIN_STATE, severity, host,
                         name, "%s -> %s%s", state_label(known->told), state_label(state),
                         track->presence == XC_DELETED ? ", on no host any more" : "");
    event->op = track->active_op;
    event->before = known->told;
    tell_domain(engine, known, track->index, event, state);
}

static void tell_move(struct xc_engine *engine, const struct xc_track *track,
                      struct xc_known *known, const char *host, const char *name)
{
    struct xc_event *event = xc_event_new(XC_EVENT_DOMAIN_MOVED, XC_SEVERITY_INFO, host, name,
                                          "%s -> %s", known->told_host, host);

    event->op = track->active_op;
    tell_domain(engine, known, track->index, event, known->told);
}

/* A move is told when it is over. */
static bool is_moving(const struct xc_domain *domain, int state)
{
    return state == XC_STATE_MIGRATING || (XC_HAS(DOMAIN, domain, migrating) && domain->migrating);
}

void xc_events_domain(struct xc_engine *engine, const struct xc_track *track,
                      const struct xc_domain *domain, const char *host)
{
    struct xc_known *known = xc_known_get(engine, track->index);
    const char *name = XC_HAS(DOMAIN, domain, name) ? domain->name : "";
    int state = (int)xc_track_state(track, domain);

    if (state == XC_STATE_UNKNOWN || !xc_domain_is_guest(domain))
        return;
    if (known->told <= 0) {
        enum xc_event_type type =
            known->told == XC_TOLD_GONE ? XC_EVENT_DOMAIN_CREATED : XC_EVENT_NONE;

        tell_domain(
            engine, known, track->index,
            xc_event_new(type, XC_SEVERITY_INFO, host, name, "new here, %s", state_label(state)),
            state);
        return;
    }
    if (*host && strcmp(known->told_host, host) != 0 && !is_moving(domain, state))
        tell_move(engine, track, known, host, name);
    if (known->told != state)
        tell_state(engine, track, known, known->told_host, name, state);
}

void xc_events_deleted(struct xc_engine *engine, uint32_t index, const char *name)
{
    struct xc_known *known = xc_known_get(engine, index);

    if (known->told > 0)
        tell_domain(engine, known, index,
                    xc_event_new(XC_EVENT_DOMAIN_DELETED, XC_SEVERITY_INFO, known->told_host, name,
                                 "on no host any more, its row is gone"),
                    XC_TOLD_GONE);
}

/* When the youngest poll began that every source that answers has answered. */
static gint64 all_looked_mono(const struct xc_engine *engine)
{
    gint64 since = G_MAXINT64;

    for (guint i = 0; i < engine->slots->len; i++) {
        const struct xc_slot *slot = engine->slots->pdata[i];
        const struct xc_poller *poller = slot->poller;

        if (!xc_slot_down(slot))
            since = MIN(since, poller->shown_mono);
    }
    return since;
}

/* A domain that no source shows may be on its way to another host: it is told when all have looked again. */
static void tell_gone(struct xc_engine *engine)
{
    gint64 since = all_looked_mono(engine);
    gint64 limit = xc_clock_mono() - GONE_LAST_USEC;
    const struct xc_snapshot *graveyard = engine->graveyard->snapshot;

    for (uint32_t i = 0; i < graveyard->n_domains; i++) {
        const struct xc_domain *domain = &graveyard->domains[i];
        const struct xc_track *track = xc_track_get(engine, domain->index);
        if (g_hash_table_contains(engine->ghosts, GUINT_TO_POINTER(domain->index)) &&
            (track->deleted_mono <= since || track->deleted_mono <= limit))
            xc_events_domain(engine, track, domain, "");
    }
}

static bool host_answers(const struct xc_engine *engine, const char *key)
{
    const struct xc_host_ref *ref = *key ? xc_fleet_host(engine, key) : NULL;

    return ref && ref->row >= 0 && ref->slot->state == XC_SOURCE_UP;
}

static void tell_if_missed(struct xc_engine *engine, const struct xc_known *known)
{
    uint32_t index = known->track.index;

    if (known->told > 0 && host_answers(engine, known->told_host) &&
        !xc_fleet_domain(engine, index))
        xc_events_deleted(engine, index,
                          known->loaded && known->loaded->name ? known->loaded->name : "");
}

/* Domains that went while nobody looked: told once, when every source has answered or is down, for they may have
 * moved; again when one more has answered. */
static void tell_missed(struct xc_engine *engine)
{
    guint answered = 0;

    for (guint i = 0; i < engine->slots->len; i++) {
        const struct xc_slot *slot = engine->slots->pdata[i];

        if (!slot->snapshot && !xc_slot_down(slot))
            return;
        answered += slot->snapshot != NULL;
    }
    if (answered == engine->answered || engine->dirty)
        return;
    engine->answered = answered;
    xc_known_foreach(engine, tell_if_missed);
}

/* --- hosts */

static const struct {
    enum xc_source_state state;
    enum xc_event_type type;
    enum xc_severity severity;
} contacts[] = {
    {XC_SOURCE_UP, XC_EVENT_HOST_UP, XC_SEVERITY_CLEAR},
    {XC_SOURCE_DOWN, XC_EVENT_HOST_DOWN, XC_SEVERITY_CRITICAL},
    {XC_SOURCE_UNAUTHORISED, XC_EVENT_HOST_UNAUTHORISED, XC_SEVERITY_MAJOR},
    {XC_SOURCE_UNTRUSTED, XC_EVENT_HOST_UNTRUSTED, XC_SEVERITY_MAJOR},
};

static void tell_host(struct xc_engine *engine, const struct xc_slot *slot, const char *host,
                      size_t contact, int told, bool first)
{
    bool up = slot->state == XC_SOURCE_UP;
    enum xc_severity severity = up && first ? XC_SEVERITY_INFO : contacts[contact].severity;
    struct xc_event *event = xc_event_new(
        contacts[contact].type, severity, host, host, "%s",
        up ? (first ? "answers for the first time" : "answers again") : slot->state_text);

    event->told = told;
    g_free(event->source);
    event->source = g_strdup(slot->spec.key);
    xc_events_add(engine, event);
}

bool xc_events_source_is_new(const struct xc_engine *engine, const char *key)
{
    return !(GPOINTER_TO_INT(g_hash_table_lookup(engine->told_sources, key)) & XC_TOLD_ANSWERED);
}

void xc_events_source(struct xc_engine *engine, const struct xc_slot *slot, char *const *keys)
{
    int before = GPOINTER_TO_INT(g_hash_table_lookup(engine->told_sources, slot->spec.key));
    int told = (int)slot->state | (before & XC_TOLD_ANSWERED);
    size_t contact = 0;

    while (contact < G_N_ELEMENTS(contacts) && contacts[contact].state != slot->state)
        contact++;
    if (contact == G_N_ELEMENTS(contacts))
        return;
    if (slot->state == XC_SOURCE_UP)
        told |= XC_TOLD_ANSWERED;
    if (told == before)
        return;
    g_hash_table_replace(engine->told_sources, g_strdup(slot->spec.key), GINT_TO_POINTER(told));
    if (!keys || !keys[0])
        tell_host(engine, slot, slot->spec.key, contact, told, before == 0);
    for (; keys && *keys; keys++)
        tell_host(engine, slot, *keys, contact, told, before == 0);
}

/* --- operations, refusals, the agent */

static enum xc_severity op_severity(enum xc_result result)
{
    switch (result) {
    case XC_RESULT_OK:
    case XC_RESULT_CANCELLED:
        return XC_SEVERITY_INFO;
    case XC_RESULT_LOST:
        return XC_SEVERITY_MAJOR;
    default:
        return XC_SEVERITY_MINOR;
    }
}

void xc_events_op(struct xc_engine *engine, const struct xc_op *op)
{
    struct xc_event *event = xc_event_new(
        op->result == XC_RESULT_OK ? XC_EVENT_OPERATION_FINISHED : XC_EVENT_OPERATION_FAILED,
        op_severity(op->result), *op->host_from ? op->host_from : op->host_to, op->target,
        "%s: %s%s%s", xc_enum_label(&xc_action_labels, (int)op->action),
        xc_enum_label(&xc_result_labels, (int)op->result), *op->text ? ": " : "", op->text);

    event->domain = op->domain;
    event->op = op->index;
    xc_events_add(engine, event);
}

void xc_events_refused(struct xc_engine *engine, const char *object, const char *text)
{
    gint64 now = xc_clock_mono();

    if (now - engine->refusals_mono > REFUSALS_USEC) {
        engine->refusals_mono = now;
        engine->refusals_told = 0;
    }
    if (engine->refusals_told == REFUSALS_SINGLE) {
        engine->refusals_more++;
        return;
    }
    engine->refusals_told++;
    xc_events_add(engine,
                  xc_event_new(XC_EVENT_SET_REFUSED, XC_SEVERITY_WARNING, "", object, "%s", text));
}

static void tell_more_refusals(struct xc_engine *engine)
{
    if (!engine->refusals_more || xc_clock_mono() - engine->refusals_mono <= REFUSALS_USEC)
        return;
    xc_events_add(engine,
                  xc_event_new(XC_EVENT_SET_REFUSED, XC_SEVERITY_WARNING, "", "SET",
                               "%u more were refused within a minute", engine->refusals_more));
    engine->refusals_more = 0;
}

static bool was_told(const struct xc_event *const *ring, size_t n, uint32_t op)
{
    for (size_t i = 0; i < n; i++)
        if (ring[i]->op == op && (ring[i]->type == XC_EVENT_OPERATION_FINISHED ||
                                  ring[i]->type == XC_EVENT_OPERATION_FAILED))
            return true;
    return false;
}

/* An operation's end is in the journal first. When the agent was killed before the event was written, that is younger
 * than the newest event there is. */
static void tell_ends(struct xc_engine *engine)
{
    size_t n;
    const struct xc_event *const *ring = xc_events(engine, &n);

    for (guint i = 0; n && i < engine->ops->len; i++) {
        const struct xc_op_run *run = engine->ops->pdata[i];

        if (run->op.state == XC_OP_FINISHED && run->op.ended_real >= ring[n - 1]->time_real &&
            !was_told(ring, n, run->op.index))
            xc_events_op(engine, &run->op);
    }
}

void xc_events_start(struct xc_engine *engine)
{
    tell_ends(engine);
    xc_events_add(
        engine, xc_event_new(XC_EVENT_AGENT_STARTED, XC_SEVERITY_INFO, "", "xensnmpd", "started"));
}

void xc_events_tick(struct xc_engine *engine)
{
    tell_gone(engine);
    tell_missed(engine);
    tell_more_refusals(engine);
}
