/* Which group does an operator mean? */
#pragma once

#include "tools/xenctl/xenctl.h"

/* CTL_OK when there is one of that name, or an exit status after saying what is wrong. */
int ctl_find_group(struct ctl *ctl, const char *group);
