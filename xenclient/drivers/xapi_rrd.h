/* Reading the answer of /rrd_updates (its XML form) as it comes in: a legend of columns, then rows of numbers, the newest
 * first. Pure: no I/O. One thread per reader. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define XAPI_RRD_COLUMNS 200000

struct xapi_rrd_sink {
    /* Seconds by the host's clock: of the newest row, and between rows. Before any column. */
    void (*span)(gint64 end, gint64 step, void *data);
    /* The next column, from 0: kind "host", "vm", ...; averages only, others are passed over. */
    void (*column)(unsigned column, const char *kind, const char *uuid, const char *name,
                   void *data);
    /* Is the average over the step that ended at t of any use? Most were told before. */
    bool (*wants)(unsigned column, gint64 t, void *data);
    /* It, if so; finite. */
    void (*value)(unsigned column, gint64 t, double value, void *data);
};

typedef struct xapi_rrd xapi_rrd;

/* sink and data outlive the reader. */
struct xapi_rrd *xapi_rrd_new(const struct xapi_rrd_sink *sink, void *data);
void xapi_rrd_free(struct xapi_rrd *rrd); /* takes NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xapi_rrd, xapi_rrd_free)
/* The next part; fits xc_https_take_fn. Errors: driverError for what is no such answer, limit for too many columns. */
bool xapi_rrd_feed(const char *bytes, size_t length, void *rrd, GError **error);
bool xapi_rrd_end(struct xapi_rrd *rrd, GError **error);
