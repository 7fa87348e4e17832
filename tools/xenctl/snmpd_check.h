/* snmpd-config --check: judges the configuration that snmpd has. */
#pragma once

#include "tools/xenctl/xenctl.h"

/* Says of each thing what it is, file, line, and the cure; CTL_FAILED if any is not well. */
int ctl_snmpd_check(struct ctl *ctl);
