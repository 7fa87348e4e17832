/* What may be done with a VM, and how what the farm says of it is said in XAPI's words. With the lock. */
#pragma once

#include "tools/xapi-farm/tasks.h"
#include "xenclient/model/state.h"

/* Sets allowed_operations by power state and what goes on. */
void xf_vm_set_allowed(struct xf_db *db, struct xf_object *vm);
/* Marks and unmarks what goes on with it. operation NULL: over. */
void xf_vm_mark(struct xf_db *db, struct xf_object *vm, const struct xf_task *task,
                const char *operation);
/* A guest that the farm has: no template, snapshot or control domain. */
bool xf_vm_is_guest(const struct xf_object *vm);
/* Its home if that can take it, else the first host that can; NULL: none. operate.c */
struct xf_object *xf_vm_choose_host(struct xf_db *db, const struct xf_object *vm, gint64 needed);
/* Migrates to a host of another pool, which the farm knows by that name, or asks whether that can be; operate.c */
bool xf_vm_leave(struct xf_call *call, enum xc_action action, const char *host);
/* The same question of a host of this pool. */
bool xf_vm_can_move_within(struct xf_call *call);
/* An alert. */
void xf_message(struct xf_db *db, const char *name, int priority, const char *class,
                const struct xf_object *of, const char *body);

/* One method that changes a VM's life. */
struct xf_operation {
    const char *method;    /* behind "VM." */
    const char *operation; /* of enum vm_operations */
    enum xc_action action;
    unsigned from; /* enum xf_power bits */
    int host;      /* which parameter is a host, 0: none */
    int paused;    /* which one wants it paused at the end */
    bool anyway;   /* allowed while something else goes on */
};
enum xf_power { XF_HALTED = 1, XF_PAUSED = 2, XF_RUNNING = 4, XF_SUSPENDED = 8 };
const struct xf_operation *xf_operation_find(const char *name, bool by_method);
enum xf_power xf_vm_power(const struct xf_object *vm);

/* May it be? In XAPI's order: blocked, power state, what else goes on, template, snapshot, control domain. */
bool xf_vm_check(struct xf_call *call, struct xf_object *vm, const struct xf_operation *operation);
