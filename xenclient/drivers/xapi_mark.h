/* What our operations write on a VM, so that it can be told later what became of them. Pure.
 *
 * VM.other_config has two keys. "xensnmp-op" is the intent, written before anything is asked of XAPI:
 *     OP SECONDS [EARLIER ...]      the operation, the server's clock then, the operations before it on this VM
 * "xensnmp-task" is the handle, written once XAPI has answered with it:
 *     OP REFERENCE                  the operation and its task
 * They stay after the operation: that it is named there is how one knows that it was begun. */
#pragma once

#include "xenclient/model/field.h"

#define XAPI_MARK_KEY "xensnmp-op"
#define XAPI_TASK_KEY "xensnmp-task"
/* A VM that was made from a template has the operation that made it: xapi_create.c. */
#define XAPI_MADE_KEY  "xensnmp-made"
#define XAPI_MARK_PAST 4

struct xapi_mark {
    struct xc_uuid op; /* nil: there is none */
    gint64 seconds;
    struct xc_uuid past[XAPI_MARK_PAST]; /* nil: none */
};

/* text NULL, or none of ours: no mark. */
void xapi_mark_parse(struct xapi_mark *mark, const char *text);
/* With `op` before all that `mark` has. Newly allocated. */
char *xapi_mark_format(const struct xapi_mark *mark, const struct xc_uuid *op, gint64 seconds);

enum xapi_mark_place {
    XAPI_MARK_NOT,    /* the operation never came so far as to be begun */
    XAPI_MARK_LAST,   /* it is the last one */
    XAPI_MARK_BEFORE, /* others were begun since */
};
enum xapi_mark_place xapi_mark_find(const struct xapi_mark *mark, const struct xc_uuid *op);

char *xapi_task_mark_format(const struct xc_uuid *op, const char *task);
/* The task of that operation; NULL: not told. Newly allocated. */
char *xapi_task_mark_of(const char *text, const struct xc_uuid *op);
