/* The rows of one SNMP context: chosen from the fleet, and kept until it changes. */
#pragma once

#include "subagent/context.h"

struct st_guests *st_guests_new(void);
void *st_guests_free(struct st_guests *guests); /* returns NULL; takes NULL */

/* By index; of hosts what is on them. They are those of the fleet itself: good until control returns to the main loop. */
const struct xc_domain_ref *const *st_guests_rows(const struct st_context *context, size_t *n);
/* The same with the control domains. */
const struct xc_domain_ref *const *st_guests_and_control(const struct st_context *context,
                                                         size_t *n);

/* In the context of a host: all that are on it, as rows of our own tables. */
const struct xc_domain_ref *st_guests_domains(const struct st_context *context, size_t *n);

/* How long the hypervisor of the context has been up, in microseconds; where there are several, the agent. False: that is
 * not known now. */
bool st_guests_uptime(const struct st_context *context, gint64 *usec);

/* To be called from time to time, or nobody notices when a guest comes or goes. */
void st_guests_look(const struct st_context *context);
/* What the uptime was when that happened last. */
bool st_guests_last_change(const struct st_context *context, gint64 *usec);

/* May the virtual processor run on that one? `list` is how Xen writes it: "all", or "0-3,8". */
enum st_affinity { ST_AFFINITY_UNKNOWN, ST_AFFINITY_YES, ST_AFFINITY_NO };
enum st_affinity st_affinity_of(const char *list, uint32_t cpu);

/* A row of vmCpuAffinityTable; both count from 1. */
struct st_affinity_row {
    uint32_t vcpu;
    uint32_t cpu;
    enum st_affinity affinity;
};
/* Those of one guest, by both numbers; good until the next call. */
const struct st_affinity_row *st_guests_affinity(const struct st_context *context,
                                                 const struct xc_domain_ref *ref, size_t *n);
