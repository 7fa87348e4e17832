/* Between the databases and what moves to another machine. */
#pragma once

#include "xenclient/store/transfer_text.h"

/* All that is in state_dir, with the settings that are still on their way from the journal to state.db; also while
 * xensnmpd runs. NULL with an error. */
struct xc_transfer *xc_transfer_load(const char *state_dir, GError **error);

enum xc_transfer_outcome { XC_TRANSFER_FAILED, XC_TRANSFER_DONE, XC_TRANSFER_WAS_THERE };

/* Into the databases of state_dir, which no xensnmpd may have and which are empty, or made here for the owner of the
 * folder: whole, or (FAILED, with an error) not at all. WAS_THERE: they hold just that already; nothing was done. */
enum xc_transfer_outcome xc_transfer_store(const char *state_dir,
                                           const struct xc_transfer *transfer, GError **error);
