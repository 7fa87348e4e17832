/* One operation under way: its calls, its VM, its task, its end. What is done when is in xapi_actions.c. One thread. */
#pragma once

#include "xenclient/drivers/driver.h"
#include "xenclient/drivers/xapi_orders.h"
#include "xenclient/drivers/xapi_session.h"

struct xapi_move;

struct xapi_job {
    const struct xc_source_spec *spec;
    const struct xc_driver_env *env;
    const struct xc_order *order;
    const struct xapi_method *method;
    xc_progress_fn progress;
    void *data;
    struct xc_outcome *outcome;
    struct xc_call *call; /* the caller's, later &grace */
    struct xc_call grace;
    bool ending, out_of_time;
    struct xapi_link *link;
    char *owner_ref;    /* of a snapshot: the VM; NULL: not known yet */
    char *vm_ref;       /* of the VM, or of the snapshot that the method is called on */
    struct xapi_vm *vm; /* as last read; NULL: there is none */
    char *host;         /* reference of the host that was named, "" none */
    bool sent;          /* the call may have arrived */
    char *task;         /* NULL: not known */
    char *fence;        /* of a creation: the task that says that it was begun; NULL: not known */
    struct xapi_move *move; /* to another pool; NULL: not that */
    bool over;              /* nothing of it goes on at the server, which has said so */
    bool cancel_sent;
    gint64 pause; /* before the next attempt */
};

void xapi_job_tell(const struct xapi_job *job, const char *phase, int percent);

/* --- calls within the job's session and time */

/* Takes the parameters. */
bool xapi_job_call(struct xapi_job *job, struct xapi_args *args, const struct xapi_want *want,
                   GError **error);
/* A call whose parameters are texts, NULL-terminated; sink may be NULL. */
bool xapi_job_ask(struct xapi_job *job, const char *method, const char *const *texts,
                  const struct xc_xmlrpc_sink *sink, void *data, GError **error);
#define XAPI_WITH(...) ((const char *const[]){__VA_ARGS__, NULL})
/* A set of references, a scalar: owned by the caller, NULL with an error. */
GPtrArray *xapi_job_ask_refs(struct xapi_job *job, const char *method, const char *const *texts,
                             GError **error);
char *xapi_job_ask_text(struct xapi_job *job, const char *method, const char *const *texts,
                        GError **error);

/* A record by its reference, with xapi_object_free(); NULL: there is none (no error), or an error. */
void *xapi_job_ask_record(struct xapi_job *job, enum xapi_class class, const char *ref,
                          GError **error);

/* --- what it is about */

/* Reference of the coordinator; owned by the caller, NULL with an error. */
char *xapi_job_master(struct xapi_job *job, GError **error);
/* Reads job->vm anew; NULL, and true, when the pool has it no more. */
bool xapi_job_read_vm(struct xapi_job *job, GError **error);
/* The host of that name, by which the engine knows it, becomes job->host; "" changes nothing. */
bool xapi_job_find_host(struct xapi_job *job, const char *uuid, GError **error);

/* Tasks of the method that were made since then, by the coordinator's clock. *running: one of them goes on. */
bool xapi_job_count_tasks(struct xapi_job *job, gint64 since, unsigned *n, bool *running,
                          GError **error);

/* --- how it ends: true with the outcome set, false with an error */

/* The call that begins it failed: what the server refused is over, else the error is passed on. Takes `why`. */
bool xapi_job_not_begun(struct xapi_job *job, GError *why, GError **error);
/* Follows job->task to its end, cancels it once the job is ending, and reads the VM back. */
bool xapi_job_follow(struct xapi_job *job, GError **error);
/* Begins the task of job->method and follows it to its end. Takes the parameters. */
bool xapi_job_carry_out(struct xapi_job *job, struct xapi_args *args, GError **error);
/* Is all as the operation was to make it? */
bool xapi_job_reached(struct xapi_job *job, bool *yes, GError **error);
/* XAPI does not tell what became of it: only the VM does. */
bool xapi_job_judge(struct xapi_job *job, GError **error);
/* Cancelled, or out of time, whichever ended the job. */
void xapi_job_set_stopped(struct xapi_job *job, const char *words);
