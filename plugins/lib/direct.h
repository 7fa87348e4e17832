/* Asking a hypervisor itself. Apart from plugin.h, so that plugins that cannot are not linked with drivers. */
#pragma once

#include "plugins/lib/facts.h"

#include "xenclient/drivers/driver.h"

/* Hosts and their domains or storage, whichever the facts are about. */
struct chk_reader *chk_reader_direct(const struct chk_direct *how, GError **error);
