/* What each action is for XAPI: the method, its parameters, and how the VM is when it was done. Pure. */
#pragma once

#include "xenclient/drivers/driver.h"
#include "xenclient/drivers/xapi_call.h"
#include "xenclient/drivers/xapi_fields.h"

/* The parameters of a method, and with that what it is about. */
enum xapi_shape {
    XAPI_SHAPE_PLAIN,
    XAPI_SHAPE_START,
    XAPI_SHAPE_MIGRATE,
    XAPI_SHAPE_MEMORY,
    XAPI_SHAPE_VCPUS,
    XAPI_SHAPE_TAKE,  /* a snapshot of the VM */
    XAPI_SHAPE_CLONE, /* another VM */
    XAPI_SHAPE_COPY,  /* a template is called, and another one made */
    XAPI_SHAPE_PROVISION,
    XAPI_SHAPE_DESTROY, /* of the VM itself */
    XAPI_SHAPE_REVERT,  /* a snapshot is what is called, and marked */
    XAPI_SHAPE_DELETE,  /* the same */
    XAPI_SHAPE_HOST,    /* no VM at all */
    XAPI_SHAPE_MOVE,    /* to another pool: xapi_move.h has the parameters */
};

struct xapi_method {
    enum xc_action action;
    enum xapi_doing doing; /* what VM.current_operations says meanwhile */
    const char *name;      /* "VM.start" */
    const char *name_on;   /* the same on a host that is named; NULL: takes none */
    const char *end;       /* the power state when it was done */
    const char *phase;     /* for people */
    enum xapi_shape shape;
    bool decisive; /* that state tells that it was done: it was another before */
};

/* The second step of a creation; the first is its action's, the third that of a start. */
extern const struct xapi_method xapi_method_provision;
/* A migration to another pool; that of the table is one within it. */
extern const struct xapi_method xapi_method_move;
/* NULL: this driver has no such action. */
const struct xapi_method *xapi_method_of(enum xc_action action);
/* Is it a snapshot that the method is called on? */
bool xapi_method_of_snapshot(const struct xapi_method *method);
/* Is what it is called on gone when it was done? */
bool xapi_method_destroys(const struct xapi_method *method);
/* The name in force: host "" none. */
const char *xapi_method_name(const struct xapi_method *method, const char *host);
/* `prefix` "Async." or "". vm, the VM, snapshot or host it is called on, and host are references. */
struct xapi_args *xapi_method_args(const struct xapi_method *method, const char *prefix,
                                   const char *vm, const char *host, const struct xc_order *order);
/* Is the VM as it was to be? Not of snapshots that are taken or reverted to, nor of hosts. vm NULL: it is no more. metrics NULL: not known. */
bool xapi_method_reached(const struct xapi_method *method, const struct xc_order *order,
                         const char *host, const struct xapi_vm *vm,
                         const struct xapi_vm_metrics *metrics);
