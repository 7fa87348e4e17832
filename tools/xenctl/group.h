/* Which group does an operator mean? */
#pragma once

#include "tools/xenctl/xenctl.h"

/* The one that the first argument names, or that alone is labelled so: then its name takes the argument's place. CTL_OK, or
 * an exit status after saying what is wrong. */
int ctl_find_group(struct ctl *ctl);
