/* What the xl driver asks a host before and after an action. Plain questions, no effects. */
#pragma once

#include "xenclient/drivers/xl_host.h"
#include "xenclient/drivers/xl_job.h"
#include "xenclient/drivers/xl_parse.h"

/* The rows of `xl list -v`; free with g_ptr_array_unref(). */
GPtrArray *xl_ask_list(struct xl_host *host, struct xc_call *call, GError **error);

/* Fills the job from the order and from what the host says now: the living domain's number, or
 * what the configuration will create. Everything that can be refused before it begins is refused here. Strings of
 * the job are borrowed from the spec, the order and from `keep`, which must outlive it. */
bool xl_prepare_job(struct xl_host *host, const struct xc_source_spec *spec,
                    const struct xc_order *order, GStringChunk *keep, struct xc_call *call,
                    struct xl_job *job, GError **error);

/* Could the domain move to the destination? Always fills the outcome. */
void xl_check_migrate(struct xl_host *host, const struct xc_order *order, struct xc_call *call,
                      xc_progress_fn progress, void *data, struct xc_outcome *outcome);

/* Is the order's domain alive (not shut down, not dying) on this host? -1: could not be asked. */
int xl_ask_alive(struct xl_host *host, const struct xc_order *order, struct xc_call *call);
/* The same: alive and not paused. */
int xl_ask_runs(struct xl_host *host, const struct xc_order *order, struct xc_call *call);
/* Has the order's domain a save file here, or one half resumed? -1: could not be asked. */
int xl_ask_saved(struct xl_host *host, const struct xc_source_spec *spec,
                 const struct xc_order *order, struct xc_call *call);
