/* What may be granted apart: each right is some columns, and views of snmpd are made of rights. */
#pragma once

#include "snmpclient/snmpclient.h"

#define CTL_RIGHT_COLUMNS 16

struct ctl_right {
    const char *name;
    const char *what;
    bool of_domain; /* can be granted for single domains */
    bool usual;     /* what an operator has unless told otherwise */
    enum sn_id columns[CTL_RIGHT_COLUMNS];
    const enum sn_id *parameters; /* belong into the same SET; NULL none */
};

extern const struct ctl_right ctl_rights[];
extern const unsigned ctl_n_rights;

/* The number of a right; ctl_n_rights when there is none. */
unsigned ctl_right_find(const char *name);
/* Calls for each column of it, then for each of its parameters. */
typedef void (*ctl_right_column)(enum sn_id column, void *data);
void ctl_right_columns(const struct ctl_right *right, ctl_right_column call, void *data);
