/* Which snapshot does an operator mean? */
#pragma once

#include "tools/xenctl/domain.h"

/* Its title, its UUID or #INDEX among those of the domain. CTL_OK, or an exit status after saying what is wrong. */
int ctl_find_snapshot(struct ctl *ctl, const struct ctl_domain *domain, const char *name,
                      int64_t *index_out);
