/* What the parts of the engine share. Nobody outside xenclient/engine/ includes this. */
#pragma once

#include "xenclient/engine/discovery.h"
#include "xenclient/engine/engine.h"
#include "xenclient/engine/group_history.h"
#include "xenclient/engine/groups.h"
#include "xenclient/engine/thresholds.h"
#include "xenclient/store/operations_db.h"
#include "xenclient/store/store.h"
#include "xenclient/util/clock.h"
#include "xenclient/util/log.h"
#include "xenclient/util/text.h"
#include "xenclient/worker/supervisor.h"

#define XC_FAILED_POLLS_DOWN 3

struct xc_engine {
    const struct xc_config *config;
    struct xc_store *store;
    struct xc_journal *journal;
    struct xc_supervisor *supervisor;
    gint64 started_real;
    guint tick;     /* one a second */
    int lock;       /* of the state folder; -1 none */
    GSource *alarm; /* when the next source is to be asked */

    /* sources */
    GPtrArray *slots;     /* struct xc_slot *, sorted by key as SNMP sorts */
    GHashTable *slot_ids; /* id -> slot */
    uint32_t next_slot;

    /* identity */
    GHashTable *known;      /* every domain ever seen, private to known.c */
    GHashTable *uuids;      /* of these the uuids, private to known.c */
    GHashTable *identities; /* char *key -> index, of what is known by another key than its uuid */
    uint32_t next_index;
    GHashTable *host_keys; /* uuid text -> host key */
    GHashTable *fresh;     /* index -> 1: not known to be committed yet */

    /* fleet */
    GArray *refs;              /* struct xc_domain_ref, by index */
    GArray *hosts;             /* struct xc_host_ref, by key as SNMP sorts */
    struct xc_slot *graveyard; /* rows of domains that no source reports any more */
    GHashTable *ghosts;        /* index -> 1 */
    GHashTable *host_lives;    /* host key -> struct xc_host_life * */
    uint64_t generation;
    bool dirty;
    bool regrave;  /* the graveyard must be made anew too */
    guint rebuild; /* timer */
    gint64 rebuilt_mono;
    size_t n_running, n_problem;

    /* operations */
    GPtrArray *ops;  /* struct xc_op_run *, by index */
    GPtrArray *open; /* of these the unfinished ones, by index */
    GHashTable *op_by_uuid;
    uint32_t next_op;
    uint32_t n_succeeded, n_failed;
    guint pump;

    /* groups */
    GPtrArray *history; /* struct xc_history *, committed, by group and serial */
    struct xc_member_places *member_places; /* private to group_history.c */
    GPtrArray *groups;                      /* struct xc_group *, sorted by name as SNMP sorts */
    struct xc_member_names *member_names;   /* private to groups_names.c */
    uint64_t definitions;                   /* changes with every definition of a group */
    uint64_t vapps; /* of what all sources tell of vApps; private to group_vapps.c */
    uint64_t facts; /* changes whenever something of the fleet does that groups are judged by */

    /* discoveries */
    GPtrArray *discoveries;   /* struct xc_discovery *, by index */
    GPtrArray *finds;         /* struct xc_found *, by URI */
    struct xc_places *places; /* where sources are; private to finds.c */
    bool finds_changed;       /* since they were counted */
    bool finds_full;          /* and that was told */

    /* events */
    struct xc_events *events;
    struct xc_notify *notify;         /* private to notify.c */
    struct xc_thresholds *thresholds; /* private to thresholds.c */
    GHashTable *told_sources;         /* key -> what was told of it: see XC_TOLD_ANSWERED */
    GHashTable *notices;  /* key -> what was told of its messages; private to notices.c */
    guint answered;       /* sources with an answer when domains that went unseen were looked for */
    gint64 refusals_mono; /* begin of the minute in which ... */
    unsigned refusals_told, refusals_more; /* so many refusals were events, and so many not */

    /* refusals and counts */
    GArray *refusals;
    uint32_t refusal_serial;
    uint32_t sets_accepted, sets_refused;
    unsigned workers_lost;
    uint64_t polls_ok, polls_failed;
    unsigned poll_max_msec;
    unsigned counters_tick; /* see xc_counters_tick() */
    /* Applied settings that state.db could not take, or the journal not let go. */
    GPtrArray *intents;
    gint64 intents_mono; /* when the last of them came back */
    bool store_failed;
    bool journal_failed; /* the last write did; xc_ops_tick() tries again */
    bool closing;        /* no new work */
    uint32_t switches;   /* bits of enum xc_switch that are on */
    unsigned settled;    /* ticks since every source has answered or failed; up to SETTLE_TICKS */
};

/* A domain ever seen, whether it is in the fleet or not. The store keeps all but most of the track. */
struct xc_known {
    struct xc_track track;    /* first: a pointer to one is a pointer to the other */
    struct xc_uuid uuid;      /* that it is found by; nil: none */
    char *told_host;          /* key, "" none */
    struct xc_loaded *loaded; /* of an earlier run of the agent; NULL: that did not show it */
    int told;                 /* see XC_TOLD_GONE */
};

/* What the store had of a domain when the agent started. */
struct xc_loaded {
    GBytes *counters; /* taken by the first report */
    char *name;       /* for one that was told of; NULL */
};

/* What a host's counters were when it last answered. */
struct xc_host_life {
    char *boot_id;
    uint64_t rx, tx;
    gint64 discontinuity_mono; /* when they began anew; 0: not since start */
};

/* Private part of a slot. */
struct xc_poller {
    struct xc_engine *engine;
    gint64 due;          /* when the next poll is to begin, by GLib's clock; 0: not */
    bool polling;        /* a poll is open at the supervisor */
    bool again;          /* one more is wanted after it */
    bool unsettled;      /* the last one met a domain that is being built, moved or ended */
    gint64 stirred_mono; /* when something last asked for a poll out of turn; 0: never */
    gint64 begun_mono;
    uint64_t begun; /* polls begun, and of these the last one whose result was published */
    uint64_t published;
    gint64 whole_mono;         /* when the last poll for everything began; 0: the next one is */
    unsigned n_news;           /* reports of news since */
    uint64_t vapps;            /* of what is shown of vApps; private to group_vapps.c */
    uint64_t judged;           /* polls_ok when figures were held against thresholds */
    gint64 shown_mono;         /* when the poll began whose answer is shown; 0: never */
    struct xc_report *waiting; /* a report that waits for its identities to be committed */
    gint64 waiting_took;
    struct xc_snapshot *pending; /* sealed, to be shown at the next rebuild */
    char **pending_keys;
};

/* An operation and what only this process knows of it. */
struct xc_op_run {
    struct xc_op op; /* first: a pointer to one is a pointer to the other */
    bool sent;       /* the order is with a worker */
    bool outcome_known;
    struct xc_outcome outcome;
    uint64_t wait_source, wait_target; /* polls of these numbers must be published before it ends */
    gint64 wait_until;
    gint64 ready_mono;    /* since when it may run */
    bool unsaved;         /* its end is not in the journal yet */
    struct xc_op_run *of; /* its parent, until both have their indexes */
    unsigned turn;        /* of a parent: children up to this rank may run */
    bool held;            /* a parent whose children are being ended: it ends after them */
    bool guarded;         /* it outlived its time and was told to stop */
};

/* poller.c */
void xc_poller_start(struct xc_engine *engine); /* before the first slot */
void xc_poller_stop(struct xc_engine *engine);
struct xc_slot *xc_slot_new(struct xc_engine *engine, const struct xc_source_spec *spec,
                            enum xc_origin_of_source origin, bool enabled, unsigned interval_sec,
                            GError **error);
void xc_slot_free(struct xc_slot *slot);
void xc_slot_begin(struct xc_slot *slot); /* adds to the supervisor, schedules the first poll */
void xc_slot_end(struct xc_slot *slot);   /* stops polling, forgets at the supervisor */
void xc_slot_poll_now(struct xc_slot *slot);
struct xc_slot *xc_slot_by_id(struct xc_engine *engine, uint32_t id);
void xc_poller_polled(uint32_t source, struct xc_report *report, gint64 took_usec,
                      uint32_t reconnects, void *data);
void xc_poller_failed(uint32_t source, const GError *error, void *data);
void xc_poller_changed(uint32_t source, void *data);

/* news.c */
/* Would a report of news do now? Between two regular polls: what else there is to ask for is asked for in those. */
bool xc_news_will_do(const struct xc_slot *slot);
/* Is it of domains that are there already, on the same hosts? After their indexes are resolved. */
bool xc_news_fit(const struct xc_slot *slot, const struct xc_report *news);
/* Shares of the processors are of what was measured: between two measurements the last ones stay. */
void xc_news_keep_shares(const struct xc_slot *slot, const struct xc_report *report,
                         struct xc_domain *domain);
/* Puts news upon what is there; frees them. NULL: they do not fit. */
struct xc_snapshot *xc_news_apply(const struct xc_slot *slot, struct xc_snapshot *news);

/* For callbacks that may come after the slot is gone. */
struct xc_slot_id {
    struct xc_engine *engine;
    uint32_t id;
    GArray *fresh; /* indexes that the answer speaks of */
};

/* identity.c */
/* Gives every domain of the report its index. NULL: all are committed already; else the indexes
 * that the store was asked to keep: call xc_identity_committed() after its barrier, then resolve
 * again. */
GArray *xc_identity_resolve(struct xc_engine *engine, const struct xc_slot *slot,
                            struct xc_report *report);
/* kept false: forgets them, so that the next resolve asks again. */
void xc_identity_committed(struct xc_engine *engine, const GArray *indexes, bool kept);
/* A key that the store has. */
void xc_identity_load(struct xc_engine *engine, const char *key, uint32_t index);
enum xc_identity xc_identity_kind(const struct xc_domain *domain);
char **xc_identity_host_keys(struct xc_engine *engine, const struct xc_slot *slot,
                             const struct xc_report *report);

/* known.c */
void xc_known_begin(struct xc_engine *engine);
void xc_known_end(struct xc_engine *engine);
struct xc_known *xc_known_find(const struct xc_engine *engine, uint32_t index); /* NULL if absent */
struct xc_known *xc_known_get(struct xc_engine *engine, uint32_t index);        /* made if absent */
void xc_known_drop(struct xc_engine *engine, uint32_t index);
struct xc_known *xc_known_by_uuid(const struct xc_engine *engine, const struct xc_uuid *uuid);
/* Instead of the one it had. Not nil, and nobody else's. */
void xc_known_set_uuid(struct xc_engine *engine, struct xc_known *known,
                       const struct xc_uuid *uuid);
typedef void (*xc_known_fn)(struct xc_engine *engine, const struct xc_known *known);
/* In no order. The visitor may make and drop none. */
void xc_known_foreach(struct xc_engine *engine, xc_known_fn visit);
struct xc_known *xc_known_of(struct xc_track *track);
/* Made if absent. */
struct xc_loaded *xc_known_loaded(struct xc_engine *engine, uint32_t index);
struct xc_track *xc_track_get(struct xc_engine *engine, uint32_t index);        /* made if absent */
struct xc_track *xc_track_find(const struct xc_engine *engine, uint32_t index); /* NULL if absent */
/* Writes home, wanted, protect to the store. */
void xc_known_save(struct xc_engine *engine, uint32_t index, const char *name);

/* fleet.c */
/* Before sealing: decides which source owns each domain now, and makes counters continue. */
void xc_fleet_adopt(struct xc_engine *engine, struct xc_slot *slot, struct xc_report *report,
                    char *const *host_keys);
/* The hosts' sums over the domains of a snapshot that nobody sees yet. */
void xc_fleet_count(struct xc_snapshot *snapshot);
/* A source's new snapshot; shown at once, or with the next rebuild when membership changed. */
void xc_fleet_publish(struct xc_engine *engine, struct xc_slot *slot, struct xc_snapshot *snapshot,
                      char **host_keys);
void xc_fleet_dirty(struct xc_engine *engine);
void xc_fleet_rebuild(struct xc_engine *engine);
void xc_fleet_tick(struct xc_engine *engine); /* tombstones */
/* How much a row says, the weightier fact first: one that Xen has, even half of a migration, rather than a save
 * file, and that rather than a mere configuration. */
int xc_domain_weight(const struct xc_domain *domain);
int xc_domain_ref_compare(const void *a, const void *b); /* by index */
int xc_host_ref_compare(const void *a, const void *b);   /* by key */
/* The state to show of what a source says. */
enum xc_domain_state xc_track_state(const struct xc_track *track, const struct xc_domain *domain);
/* A row that is shown: notes since when its state is so, and makes events of what changed. */
void xc_fleet_note(struct xc_engine *engine, const struct xc_slot *slot, struct xc_track *track,
                   const struct xc_domain *domain);
/* Is what this source says of the domain what its counters go by: it owns the domain, which lives. */
bool xc_counts_here(const struct xc_track *track, const struct xc_slot *slot,
                    const struct xc_domain *domain);
bool xc_domain_alive(
    const struct xc_domain *domain); /* Xen knows it, and not as half of a migration */

/* events.c */
struct xc_events *xc_events_new(void);
void xc_events_free(struct xc_events *events);
void xc_events_load(struct xc_event *event, void *data); /* takes it; data: the engine */
void xc_events_trim(struct xc_engine *engine); /* those beyond the ring's size go, oldest first */
/* The one door for events. Takes it. */
void xc_events_add(struct xc_engine *engine, struct xc_event *event);
void xc_events_flush(struct xc_engine *engine); /* all to the store, which is closed next */

/* events_notice.c */
/* A guest as it is shown on a host ("": on none any more): tells what differs from what was told. */
void xc_events_domain(struct xc_engine *engine, const struct xc_track *track,
                      const struct xc_domain *domain, const char *host);
void xc_events_deleted(struct xc_engine *engine, uint32_t index, const char *name);
/* keys: of its hosts, NULL none are known. */
void xc_events_source(struct xc_engine *engine, const struct xc_slot *slot, char *const *keys);
/* It never answered: what is on it is not new, only not known yet. */
bool xc_events_source_is_new(const struct xc_engine *engine, const char *key);
void xc_events_op(struct xc_engine *engine, const struct xc_op *op); /* it ended */
void xc_events_refused(struct xc_engine *engine, const char *object, const char *text);
void xc_events_start(struct xc_engine *engine);
void xc_events_tick(struct xc_engine *engine);

/* notify.c */
struct xc_notify *xc_notify_new(void);
void xc_notify_free(struct xc_notify *notify);
void xc_notify_start(struct xc_engine *engine); /* all is loaded */
void xc_notify_tick(struct xc_engine *engine);
void xc_notify_flush(struct xc_engine *engine); /* to the store, which is closed next */
void xc_notify_load(struct xc_engine *engine, const char *value);
void xc_notify_set_classes(struct xc_engine *engine, const char *value);
char *xc_notify_classes_text(const struct xc_engine *engine); /* newly allocated */

/* thresholds.c */
struct xc_thresholds *xc_thresholds_new(void);
void xc_thresholds_free(struct xc_thresholds *thresholds);
void xc_thresholds_load(struct xc_engine *engine, const char *name, const char *value);
void xc_thresholds_drop(struct xc_engine *engine, const char *name);
char *xc_thresholds_text(const struct xc_engine *engine,
                         const char *name); /* newly allocated; NULL if absent */
void xc_thresholds_tick(struct xc_engine *engine);

/* settings.c */
#define XC_SETTING_CLASSES   "notify classes"
#define XC_SETTING_THRESHOLD "threshold "                              /* and its name */
void xc_setting_load(const char *name, const char *value, void *data); /* data: the engine */
void xc_setting_save(struct xc_engine *engine, const char *name);
/* Applies a journalled one; *name: which, newly allocated. False: it is damaged. */
bool xc_setting_intent(struct xc_engine *engine, struct xc_reader *reader, char **name);
/* value "": it is to go. */
void xc_txn_put_setting(struct xc_txn *txn, const char *name, const char *value);

/* txn.c */
struct xc_engine *xc_txn_engine(const struct xc_txn *txn);
/* Takes the payload. key: of the source it is about, "" none. */
void xc_txn_add_intent(struct xc_txn *txn, enum xc_intent_kind kind, GByteArray *payload,
                       const char *key);

/* notices.c */
GHashTable *xc_notices_new(void);
void xc_notices_forget(struct xc_engine *engine, const char *source); /* it was removed */
void xc_notices_load(const char *source, const char *uuid, int64_t time, void *data);
/* Makes events of the messages of a report that were not told yet; keys: of its hosts. */
void xc_notices_tell(struct xc_engine *engine, const struct xc_slot *slot,
                     const struct xc_report *report, char *const *keys);

/* counters.c */
/* Makes a domain's counters continue where they were, and computes its percentages. clock: the
 * host's. */
void xc_counters_apply(struct xc_track *track, const struct xc_slot *slot, struct xc_domain *domain,
                       const struct xc_host *host, gint64 clock);
/* Of what is no domain's present life, such as the half of a migration that Xen builds: they count from 0,
 * and shown they would be a fall. */
void xc_counters_hide(void *object, const struct xc_object *type);
/* The same for the devices of all domains of a snapshot that nobody sees yet; after the above. */
void xc_counters_devices(struct xc_engine *engine, const struct xc_slot *slot,
                         struct xc_snapshot *snapshot);
void xc_counters_free(void *counters);
/* Notes when a host's own counters begin anew (it was restarted, an interface went). */
void xc_counters_host(struct xc_engine *engine, const char *key, const struct xc_host *host);
void xc_host_life_free(struct xc_host_life *life);
/* Of one domain, if they changed. While an operation goes on its life may end any time: what it counted last must be
 * there even if the agent is killed then. */
void xc_counters_save_of(struct xc_engine *engine, const struct xc_track *track);
void xc_counters_save(struct xc_engine *engine); /* all that changed, to the store, which closes */
/* The same bit by bit: each within five minutes. */
void xc_counters_tick(struct xc_engine *engine);

/* operations.c, operations_run.c */
/* Frees what is there; text may be part of it. NULL counts as "". */
void xc_set_text(char **to, const char *text);
/* The same for a key that many domains have: all share one copy. Free it by g_ref_string_release(). */
void xc_set_key(char **to, const char *key);
struct xc_op_run *xc_op_run_new(void);
/* The operation that an equal request stands for: one in progress, or ended within the duplicate
 * window. */
struct xc_op_run *xc_ops_same(struct xc_engine *engine, const struct xc_op *op);
/* Of two on hosts: are they different things done to the same host? */
bool xc_ops_opposed(const struct xc_op *a, const struct xc_op *b);
struct xc_op_run *xc_ops_active_on(struct xc_engine *engine, uint32_t domain);
void xc_op_run_free(struct xc_op_run *run);
void xc_ops_add(struct xc_engine *engine, struct xc_op_run *run);
void xc_ops_remove(struct xc_engine *engine, uint32_t index); /* frees it */
void xc_ops_cancel(struct xc_engine *engine, struct xc_op_run *run);
/* Counts it, makes an event of it, logs it. */
void xc_ops_tell_end(struct xc_engine *engine, const struct xc_op *op);
void xc_ops_finish(struct xc_engine *engine, struct xc_op_run *run, enum xc_result result,
                   enum xc_cause cause, const char *text);
/* While the journal fails this waits for xc_ops_tick(): each try may take a lock's patience. */
void xc_ops_save(struct xc_engine *engine, struct xc_op_run *run);
/* How a write to the journal ended, NULL well: told when that changes. */
void xc_journal_note(struct xc_engine *engine, const GError *error);
void xc_ops_prune(struct xc_engine *engine); /* rows beyond their time or number */
void xc_ops_pump(struct xc_engine *engine);
void xc_ops_pump_later(struct xc_engine *engine);
void xc_ops_published(struct xc_engine *engine); /* some source's poll came in */
void xc_ops_tick(struct xc_engine *engine);
void xc_ops_progress(const struct xc_uuid *op, const char *phase, int progress, void *data);
void xc_ops_outcome(const struct xc_uuid *op, const struct xc_outcome *outcome, void *data);
struct xc_op_run *xc_op_run_find(struct xc_engine *engine, uint32_t index);
unsigned xc_ops_open_on(struct xc_engine *engine, const char *source_key);

/* group_history.c */
GPtrArray *xc_histories_new(void);
void xc_member_places_free(struct xc_member_places *places);  /* takes NULL */
void xc_history_load(struct xc_history *history, void *data); /* takes it; data: the engine */
/* What events mean to groups, before they go to the store. */
void xc_history_note(struct xc_engine *engine, GPtrArray *events);
void xc_history_show(struct xc_engine *engine, GPtrArray *rows); /* takes what is in them */

/* group_schedule.c */
/* An operation is there, new or loaded: counts children, and tells the group of its parent. */
void xc_group_op_enter(struct xc_engine *engine, struct xc_op_run *run);
/* After all were loaded: ends parents whose last child ended before the agent was killed. */
void xc_group_ops_loaded(struct xc_engine *engine);
/* Tells groups that came later than their operations of these. names: char *, of such groups. */
void xc_group_ops_recall(struct xc_engine *engine, GHashTable *names);
/* Once before a round of xc_group_op_may_go(). */
void xc_group_ops_turn(struct xc_engine *engine);
bool xc_group_op_may_go(const struct xc_engine *engine, const struct xc_op_run *run);
/* The host it was planned for does not answer now. */
bool xc_group_op_is_stranded(const struct xc_engine *engine, const struct xc_op_run *run);
void xc_group_op_begun(struct xc_engine *engine, const struct xc_op_run *child);
void xc_group_op_ended(struct xc_engine *engine, struct xc_op_run *run);
/* A parent with what is left of its children. */
void xc_group_op_cancel(struct xc_engine *engine, struct xc_op_run *parent);
/* The group's operation in progress; NULL: none. */
struct xc_op_run *xc_group_op_active(struct xc_engine *engine, const char *group);
/* Children stand behind their parent: how many do. */
guint xc_group_op_children(const struct xc_engine *engine, const struct xc_op *parent,
                           struct xc_op_run ***first);

/* group_ops.c */
/* What an equal request for a group stands for; see xc_ops_same(). */
struct xc_op_run *xc_group_op_same(struct xc_engine *engine, const struct xc_op *op);

/* describe.c */
/* Fills an operation from a request for a present domain. */
void xc_describe_domain(struct xc_engine *engine, const struct xc_request *request,
                        const struct xc_domain_ref *ref, struct xc_op *op);
/* The same for what is asked of a host. False: control is off, no such host, none of its drivers' arts, no such file. */
bool xc_describe_host(struct xc_engine *engine, const struct xc_request *request, struct xc_op *op,
                      GError **error);
/* A file of the collector's own library, whole; newly allocated. NULL with error. */
char *xc_library_read(const struct xc_engine *engine, const char *name, GError **error);

/* discovery.c */
GPtrArray *xc_discoveries_new(void);
/* Fills an operation that is to be one. */
bool xc_discovery_describe(const struct xc_engine *engine, const struct xc_scan_wish *wish,
                           struct xc_op *op, GError **error);
/* There is one at a time. */
bool xc_discovery_is_free(const struct xc_engine *engine, GError **error);
/* Gives it to a worker. False: it may not be done any more. */
bool xc_discovery_start(struct xc_engine *engine, const struct xc_op *op, GError **error);
void xc_discovery_finished(struct xc_engine *engine); /* the one that was started */
/* An operation is there, or goes; of other actions nothing is done. */
void xc_discovery_enter(struct xc_engine *engine, const struct xc_op *op);
void xc_discovery_leave(struct xc_engine *engine, uint32_t index);
struct xc_discovery *xc_discovery_find(const struct xc_engine *engine,
                                       uint32_t index); /* NULL if absent */

/* finds.c */
GPtrArray *xc_finds_new(void);
void xc_places_free(struct xc_places *places); /* takes NULL */
void xc_discovery_found(const struct xc_uuid *op, const struct xc_find *find, void *data);
void xc_finds_drop(struct xc_engine *engine, uint32_t discovery); /* that saw them last */

/* sources.c */
/* Applies a journalled setting to memory and sends it on to the store; drops the intent when it is
 * there. */
void xc_intent_apply(struct xc_engine *engine, int64_t seq, enum xc_intent_kind kind,
                     const uint8_t *payload, size_t length);
GPtrArray *xc_intents_new(void);
void xc_intents_tick(struct xc_engine *engine); /* tries again what the store did not take */
struct xc_slot *xc_engine_source_put(struct xc_engine *engine, const struct xc_source_spec *spec,
                                     enum xc_origin_of_source origin, bool enabled,
                                     unsigned interval_sec, GError **error);
void xc_engine_source_remove(struct xc_engine *engine, const char *key);
/* Holds slots that the index still points into; frees them. */
GPtrArray *xc_engine_sources_gone(void);
/* The same for many at once: the former slots go to `gone`, and the caller rebuilds the index before it frees
 * that. */
struct xc_slot *xc_engine_source_swap(struct xc_engine *engine, const struct xc_source_spec *spec,
                                      enum xc_origin_of_source origin, bool enabled,
                                      unsigned interval_sec, GPtrArray *gone, GError **error);
/* What was told of a source that is no more; another one may get its key. */
void xc_engine_source_forget(struct xc_engine *engine, const char *key);
void xc_engine_source_drop(struct xc_engine *engine, struct xc_slot *slot, GPtrArray *gone);

/* groups.c */
GPtrArray *xc_groups_new(void);
/* As the store has it; data: the engine. */
void xc_groups_load(const struct xc_group_spec *spec, enum xc_wanted wanted, void *data);
/* Without looking at the fleet; NULL if absent. */
struct xc_group *xc_group_known(const struct xc_engine *engine, const char *name);
/* Made, or changed: a copy of the definition. */
struct xc_group *xc_engine_group_put(struct xc_engine *engine, const struct xc_group_spec *spec,
                                     enum xc_origin_of_source origin);
void xc_engine_group_remove(struct xc_engine *engine, const char *name);
/* As it is now, to the store; one that is no more goes from there. Those of the configuration file are not kept there. */
void xc_group_save(struct xc_engine *engine, const char *name);
/* A journalled change; *name: of the group it was about, newly allocated. False: it is damaged. */
bool xc_group_intent(struct xc_engine *engine, enum xc_intent_kind kind, struct xc_reader *reader,
                     char **name);
/* Those of the configuration file: may the present ones be replaced, and doing it. */
bool xc_groups_may_configure(const struct xc_engine *engine, const struct xc_config *next,
                             GError **error);
void xc_groups_configure(struct xc_engine *engine, const struct xc_config *config);
/* Does the definition name a host of that source? Its key, or NULL. */
const char *xc_group_names_host(const struct xc_group_spec *spec, const struct xc_slot *slot);
void xc_groups_stir(struct xc_engine *engine); /* something changed that they are judged by */

/* group_vapps.c */
/* After snapshots were shown, or sources went: makes the groups that hypervisors keep what they are now. */
void xc_vapps_look(struct xc_engine *engine);
/* The same after one source's snapshot; costs little while it tells nothing new of them. */
void xc_vapps_look_at(struct xc_engine *engine, const struct xc_slot *slot);

/* groups_names.c */
/* What a member's text stands for now: a domain's index, or 0 and why not. */
uint32_t xc_member_resolve(struct xc_engine *engine, const char *text, enum xc_cause *cause);
void xc_member_names_free(struct xc_member_names *names); /* takes NULL */

/* policy.c */
/* A URI in legal form, without a password, of a scheme that a driver knows. */
bool xc_policy_uri(const char *uri, GError **error);
/* Does this source answer, and can its driver do this? */
bool xc_policy_source(const struct xc_slot *slot, const struct xc_action_info *info,
                      GError **error);
/* May this be done to this domain, here and now? */
/* The domain's snapshot of that number; NULL: there is none. */
const struct xc_point *xc_policy_point(const struct xc_domain_ref *ref, uint32_t index);
bool xc_policy_check(struct xc_engine *engine, const struct xc_request *request,
                     const struct xc_domain_ref *ref, GError **error);
bool xc_policy_control(const struct xc_engine *engine, GError **error);
/* Configuration path inside the source's directories, absolute and without "..". */
/* May a domain of that name be made there? */
bool xc_policy_new_name(const struct xc_engine *engine, const struct xc_slot *slot,
                        const char *name, GError **error);
bool xc_policy_config_path(const struct xc_slot *slot, const char *path, GError **error);
