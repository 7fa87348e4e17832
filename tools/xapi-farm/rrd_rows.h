/* Rows of the archives; for rrd.c, which makes them, and rrd_updates.c, which tells of them. */
#pragma once

#include "tools/xapi-farm/rrd.h"

struct sample {
    char *legend; /* kind:uuid:name, shared by all rows (GRefString) */
    double value;
};

/* What one host had at the end of one step. */
struct row {
    gint64 end;
    char host[XF_UUID_SIZE];
    GArray *samples; /* struct sample */
};

struct counter {
    uint64_t value;
    gint64 at; /* microseconds */
};

struct xf_rrd {
    gint64 step;          /* the last one that was taken; 0: none */
    GQueue rows;          /* struct row *, newest first */
    GHashTable *counters; /* legend -> struct counter */
};
