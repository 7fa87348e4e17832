/* state.db: sources, domain indexes, host keys, counters, events, groups. Loaded once at start, then written by a
 * thread of its own so that the main loop never waits for a disk. All functions are called by the
 * main-loop thread; `done` callbacks come back there. Jobs run in the order given; those at hand
 * share one commit. */
#pragma once

#include "xenclient/model/event.h"
#include "xenclient/model/group.h"
#include "xenclient/model/history.h"
#include "xenclient/model/source.h"
#include "xenclient/model/state.h"
#include "xenclient/util/error.h"

struct xc_store;

/* What a load tells, row by row; borrowed. */
struct xc_store_rows {
    void (*source)(const struct xc_source_spec *spec, bool enabled, unsigned interval_sec,
                   void *data);
    void (*domain)(uint32_t index, const char *home, enum xc_wanted wanted, bool protect,
                   void *data);
    void (*identity)(const char *key, uint32_t index, void *data);
    void (*host)(const char *uuid, const char *key, void *data);
    void (*counters)(uint32_t index, const uint8_t *data_, size_t length, void *data);
    void (*told_domain)(uint32_t index, int state, const char *host, const char *name, void *data);
    void (*told_source)(const char *key, int state, void *data);
    void (*event)(struct xc_event *event, void *data); /* theirs to free */
    void (*told_notice)(const char *source, const char *uuid, int64_t time, void *data);
    void (*group)(const struct xc_group_spec *spec, enum xc_wanted wanted, void *data);
    void (*history)(struct xc_history *history, void *data); /* theirs to free */
    void (*setting)(const char *name, const char *value, void *data);
};

/* Called when a job's commit is done or has failed (error set, borrowed). */
typedef void (*xc_store_done_fn)(const GError *error, void *data);

struct xc_store *xc_store_open(const char *dir, GError **error);
/* *next_index: the first domain index never used. Before the first job only. */
bool xc_store_load(struct xc_store *store, const struct xc_store_rows *rows, void *data,
                   uint32_t *next_index, GError **error);
/* Waits until the jobs at hand are written, ends the thread, makes the callbacks that are
 * still open. Returns NULL; takes NULL. */
void *xc_store_close(struct xc_store *store);

void xc_store_put_source(struct xc_store *store, const struct xc_source_spec *spec, bool enabled,
                         unsigned interval_sec, xc_store_done_fn done, void *data);
void xc_store_remove_source(struct xc_store *store, const char *key, xc_store_done_fn done,
                            void *data);
/* What was told of it; its row stays, if it has one. */
void xc_store_forget_source(struct xc_store *store, const char *key);
/* A new index, or new facts of a known one. */
void xc_store_put_domain(struct xc_store *store, uint32_t index, const char *name, const char *home,
                         enum xc_wanted wanted, bool protect, xc_store_done_fn done, void *data);
void xc_store_put_identity(struct xc_store *store, const char *key, uint32_t index);
void xc_store_drop_identity(struct xc_store *store, const char *key);
void xc_store_put_host(struct xc_store *store, const char *uuid, const char *key);
void xc_store_put_counters(struct xc_store *store, uint32_t index, const void *blob, size_t length);
/* Writes a group of events (struct xc_event *) in one commit, with what is remembered along with them; `keep`
 * rows stay. The thread gives them their serials: they are true once `done` came without an error, and until
 * then the events are the thread's. */
void xc_store_add_events(struct xc_store *store, GPtrArray *events, unsigned keep,
                         xc_store_done_fn done, void *data);
/* The group as it is to be, with all its members and hosts. */
void xc_store_put_group(struct xc_store *store, const struct xc_group_spec *spec,
                        enum xc_wanted wanted);
void xc_store_remove_group(struct xc_store *store, const char *name);
/* value NULL: it goes. */
void xc_store_put_setting(struct xc_store *store, const char *name, const char *value,
                          xc_store_done_fn done, void *data);
/* Comes back when everything asked for so far is committed (or failed since the last barrier). */
void xc_store_barrier(struct xc_store *store, xc_store_done_fn done, void *data);
/* Octets of the database file as last seen by the thread. Any thread. */
uint64_t xc_store_bytes(const struct xc_store *store);
