/* The way to the farm: a thread that keeps the database as the farm is, and operations carried out there. */
#pragma once

#include "tools/xapi-farm/tasks.h"
#include "xenclient/drivers/driver.h"

/* XAPI's own limit for what a guest must do itself, in seconds. */
#define XF_SHUTDOWN_SEC      1200
#define XF_SHUTDOWN_SEC_TEXT G_STRINGIFY(XF_SHUTDOWN_SEC)

/* Starts the thread; the first answer of the farm is awaited. Errors: what the farm refuses or does not answer. */
struct xf_link *xf_link_start(struct xf_server *server, GError **error);
void xf_link_stop(struct xf_link *link); /* takes NULL */

/* Does the farm have that guest, or is it in the database alone? With the lock. */
bool xf_link_has(struct xf_link *link, const char *vm_uuid);

/* Until the database shows what the farm is like now; a few seconds at most. Without the lock. */
void xf_link_refresh(struct xf_link *link);

/* Carries an action out on a guest of the farm and waits until it is over. host_from, host_to: names, "" none.
 * The outcome is cleared by the caller. Without the lock. */
void xf_link_run(struct xf_task *task, enum xc_action action, const char *vm_uuid,
                 const char *host_from, const char *host_to, unsigned amount,
                 struct xc_outcome *outcome);
