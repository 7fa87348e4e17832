/* The engine: sources are polled, domains get their indexes, operations run. It lives on one GLib
 * main loop together with whoever shows it (SNMP); workers and the store thread do what may block.
 */
#pragma once

#include "xenclient/engine/config.h"
#include "xenclient/engine/discovery.h"
#include "xenclient/engine/events.h"
#include "xenclient/engine/fleet.h"
#include "xenclient/engine/group_history.h"
#include "xenclient/engine/notify.h"
#include "xenclient/engine/operations.h"
#include "xenclient/engine/thresholds.h"

/* Opens the stores, loads sources, identities and operations, starts workers and polling;
 * operations found open go on. The config must outlive the engine. worker_exe NULL: /proc/self/exe.
 */
struct xc_engine *xc_engine_new(const struct xc_config *config, const char *worker_exe,
                                GError **error);
/* Stops polling, writes what is open, ends workers. Returns NULL; takes NULL. */
void *xc_engine_free(struct xc_engine *engine);

/* Takes another configuration in place of the one it has, whole or (false) not at all: options that need a
 * restart have not changed, and no source is gone that has operations in progress. `next` must outlive the
 * engine then, and the former one is not used any more. */
bool xc_engine_reload(struct xc_engine *engine, const struct xc_config *next, GError **error);

/* The level of this process's log has changed: the workers follow. */
void xc_engine_tell_log_level(struct xc_engine *engine);

/* Asks a source to be polled now (rate limited to two per second). */
void xc_engine_poll_now(struct xc_engine *engine, const char *source_key);

/* For the agent scalars. */
struct xc_engine_health {
    gint64 started_real;
    bool starting;      /* some enabled source has not answered or failed yet */
    const char *reason; /* why not ok, "" ok */
    uint64_t polls_ok, polls_failed;
    unsigned poll_max_msec;
    gint64 oldest_age_sec; /* worst enabled source; -1 unknown */
    unsigned workers, workers_lost;
    unsigned queue_depth;
    uint32_t sets_accepted, sets_refused;
    uint64_t db_bytes;
    unsigned sources, sources_up, sources_down, hosts;
    size_t domains, domains_running, domains_problem;
};
void xc_engine_health(const struct xc_engine *engine, struct xc_engine_health *out);
const struct xc_config *xc_engine_config(const struct xc_engine *engine);
