/* A connection of the sim driver to its farm; used by its polls (sim.c) and its operations (sim_run.c). */
#pragma once

#include "xenclient/drivers/driver.h"

/* What a URI of the simulator says. */
struct sim_place {
    char *socket;
    char *host; /* SIM_ALL: all */
};
bool sim_place_parse(struct sim_place *place, const char *uri, GError **error);
void sim_place_clear(struct sim_place *place);

struct sim_session {
    int fd;
    char *boot_id; /* of the host when the farm welcomed us; "" for all hosts */
};

/* Connects and says hello. hostDown, transport, authFailed, hostKey, noSuchHost, notSupported, badValue. */
bool sim_session_open(struct sim_session *session, const char *uri, bool events,
                      struct xc_call *call, GError **error);
void sim_session_close(struct sim_session *session);
/* The next message. Ends the process when it is POISON: tests crash a worker so. */
bool sim_session_receive(struct sim_session *session, uint32_t *kind, GByteArray **body,
                         struct xc_call *call, GError **error);

/* The driver's run(), in sim_run.c. */
void sim_run(const struct xc_source_spec *spec, const struct xc_driver_env *env,
             const struct xc_order *order, struct xc_call *call, xc_progress_fn progress,
             void *data, struct xc_outcome *outcome);
