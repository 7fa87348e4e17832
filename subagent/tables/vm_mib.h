/* What the tables of VM-MIB share. */
#pragma once

#include "subagent/guests.h"
#include "subagent/tables/tables.h"

/* The guests of the SNMP context; rows are pointers to struct xc_domain_ref. */
const void *st_vm_rows(void *context, size_t *n);

#define ST_BELOW_GUESTS                                                                            \
    .row_size = sizeof(struct xc_domain_ref *), .rows_are_pointers = true, .rows = st_vm_rows,     \
    .object = st_child_object
#define ST_VM_INDEX(name)                                                                          \
    {                                                                                              \
        ST_INDEX_INTEGER, offsetof(struct xc_domain_ref, index), name, 0, 1, G_MAXINT32            \
    }
