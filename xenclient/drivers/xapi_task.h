/* XAPI's tasks: reading one's record. Pure. */
#pragma once

#include "xenclient/transport/xmlrpc.h"

enum xapi_task_status {
    XAPI_TASK_UNKNOWN,
    XAPI_TASK_PENDING,
    XAPI_TASK_SUCCESS,
    XAPI_TASK_FAILURE,
    XAPI_TASK_CANCELLING,
    XAPI_TASK_CANCELLED,
};

struct xapi_task {
    enum xapi_task_status status;
    int percent;    /* -1 not known */
    gint64 created; /* seconds UTC; 0 not known */
    bool may_cancel;
    GPtrArray *words; /* error_info: code first; empty: none */
    unsigned member;  /* while reading */
};
void xapi_task_init(struct xapi_task *task);
void xapi_task_clear(struct xapi_task *task);
bool xapi_task_is_over(enum xapi_task_status status);
/* A want for task.get_record; data is an initialised task. */
extern const struct xc_xmlrpc_sink xapi_task_sink;

/* The same for tests, as xapi_fields_text(), with "status NAME" too. Newly allocated. */
char *xapi_task_text(void);

/* A want for a set of texts, as references are; data is a GPtrArray that frees them. */
extern const struct xc_xmlrpc_sink xapi_texts_sink;
