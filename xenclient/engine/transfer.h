/* Export and import: the state of an agent as a text, and back. */
#pragma once

#include "xenclient/store/transfer.h"

/* Newly allocated: what another machine imports. Also while xensnmpd runs. NULL with an error. */
char *xc_export_text(const char *state_dir, GError **error);
/* What such a text holds, checked through and through. NULL with an error that names file (`name`) and line. */
struct xc_transfer *xc_import_read(const char *name, const char *text, size_t length,
                                   GError **error);
