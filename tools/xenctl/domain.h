/* Which domain does an operator mean? */
#pragma once

#include "tools/xenctl/xenctl.h"

struct ctl_domain {
    uint32_t index;
    char *label;      /* its name, any octets but NUL; "" unknown */
    uint32_t last_op; /* 0 none */
};

/* NAME, HOST/NAME, #INDEX or a UUID. CTL_OK, or an exit status after saying what is wrong. */
int ctl_find_domain(struct ctl *ctl, const char *name, struct ctl_domain *out);
void ctl_domain_clear(struct ctl_domain *domain);

/* The last operation of the domain, 0 none. */
bool ctl_domain_last_op(struct ctl *ctl, uint32_t index, uint32_t *op_out, GError **error);
