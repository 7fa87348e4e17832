/* What XAPI tells of domains beyond what every Xen knows: their guests' tools, tags, snapshots. Pure: no I/O. */
#pragma once

#include "xenclient/drivers/xapi_mirror.h"
#include "xenclient/model/snapshot.h"

/* Adds one to the domain with that ordinal; one without a UUID can't be named and is left out. False: no more room. */
bool xapi_point_add(struct xc_report *report, uint32_t domain, const struct xapi_vm *vm);

/* Adds the detail of the domain with that ordinal. living: its guest is there to be asked. False: no more room. */
bool xapi_detail_add(struct xc_report *report, uint32_t domain, const struct xapi_vm *vm,
                     bool living, const struct xapi_mirror *mirror);
