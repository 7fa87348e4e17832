/* Tasks: what a call that takes time shows of itself. */
#pragma once

#include "tools/xapi-farm/call.h"
#include "xenclient/transport/deadline.h"

/* Longest time that anything may take. */
#define XF_TASK_SEC 7200

struct xf_task {
    char ref[XF_REF_SIZE];
    struct xf_call *rpc;
    const struct xf_method *method; /* of asynchronous ones */
    struct xc_call call;            /* its time, and how it is cancelled */
    bool unwanted;                  /* (L) destroyed while it ran */
};

/* Starts the call in a thread of its own and gives the reference of its task (newly allocated). The call belongs
 * to that thread. */
char *xf_task_spawn(struct xf_call *call, const struct xf_method *method);
/* Runs it here; its task is seen as long as it runs. */
void xf_task_run(struct xf_call *call, const struct xf_method *method);
/* 0 to 1; with the lock. */
void xf_task_progress(struct xf_task *task, double progress);

/* Their objects go, what they do goes on: a restart of the toolstack does that. With the lock. */
void xf_tasks_forget(struct xf_server *server);
/* Cancels all and waits until they have ended; without the lock. */
void xf_tasks_stop(struct xf_server *server);
