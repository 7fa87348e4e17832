/* Counters made of XAPI's rates. A host tells averages over steps of five seconds; each counter is the sum of what they
 * say was done, and grows evenly within a step. What is read is shown only when that is said, for counters and the clock
 * that they belong to are read host by host while polls go on. Kept from poll to poll; one thread at a time. */
#pragma once

#include "xenclient/drivers/xapi_rrd.h"
#include "xenclient/model/field.h"

/* What is counted, or shown as it is, of hosts and VMs. */
enum xapi_meter {
    XAPI_METER_CPU,    /* by vCPU: microseconds */
    XAPI_METER_VIF_RX, /* by device: octets */
    XAPI_METER_VIF_TX,
    XAPI_METER_VBD_READ, /* by Xen's device number: octets, requests */
    XAPI_METER_VBD_WRITE,
    XAPI_METER_VBD_READS,
    XAPI_METER_VBD_WRITES,
    XAPI_METER_PIF_RX, /* of a host: octets */
    XAPI_METER_PIF_TX,
    XAPI_METER_FREE_KIB, /* levels, as the newest row has them */
    XAPI_METER_LOAD,
    XAPI_N_METERS,
};

typedef struct xapi_meters xapi_meters;
struct xapi_meters *xapi_meters_new(void);
void xapi_meters_free(struct xapi_meters *meters); /* takes NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xapi_meters, xapi_meters_free)

/* A round of all hosts begins: nothing was told in it yet. What was not told of for long is forgotten. */
void xapi_meters_begin(struct xapi_meters *meters);
/* One host's answer: its reader's sink with the meters as data, between these two. now: the host's clock, seconds.
 * With done false nothing of it is counted, for the next answer has it again; levels and what is known count at once. */
void xapi_meters_open(struct xapi_meters *meters, gint64 now);
extern const struct xapi_rrd_sink xapi_meters_sink;
void xapi_meters_close(struct xapi_meters *meters, bool done);
/* From when on a host's answer is wanted, seconds by its clock, so that nothing is missed. */
gint64 xapi_meters_start(const struct xapi_meters *meters, const struct xc_uuid *host, gint64 now);

/* From now on the numbers are found that are counted by now. */
void xapi_meters_show(struct xapi_meters *meters);

/* What is shown of a host or VM. */
typedef struct xapi_metered xapi_metered;
/* NULL: nothing, for it was not told of in the last round, nor in the one that goes on. */
struct xapi_metered *xapi_meters_find(const struct xapi_meters *meters, const struct xc_uuid *uuid);
/* Its counters begin anew with another life (a domain's number and host, say). */
void xapi_metered_life(struct xapi_metered *metered, uint64_t life);
/* Up to when it is counted, microseconds UTC by the host's clock. */
gint64 xapi_metered_clock(const struct xapi_metered *metered);
/* A counter or level; false: not known. */
bool xapi_metered_get(const struct xapi_metered *metered, enum xapi_meter meter, uint32_t number,
                      double *out);
/* The sum over all numbers, also of those that are gone. */
bool xapi_metered_sum(const struct xapi_metered *metered, enum xapi_meter meter, double *out);

/* Xen's number of a device by its name in the guest ("xvda": 51712); false: none that we know. */
bool xapi_device_number(const char *name, uint32_t *out);
/* The same of the n-th device that has no name yet. */
uint32_t xapi_device_number_at(uint32_t place);
