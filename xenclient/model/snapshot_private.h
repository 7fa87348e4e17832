/* What sealing a report and putting news upon a snapshot share. Nobody outside these two includes this. */
#pragma once

#include "xenclient/model/snapshot.h"

/* What texts point into: a snapshot's own, and those of the snapshots whose domains it took over. */
struct xc_texts {
    gatomicrefcount ref;
    GStringChunk *chunk;
    struct xc_texts *older;
};
struct xc_texts *xc_texts_ref(struct xc_texts *texts);

/* Makes by_host and host_first. */
void xc_snapshot_group_by_host(struct xc_snapshot *s);
