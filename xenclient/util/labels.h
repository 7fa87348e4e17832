/* Enumerations as data: number and label, shared by MIB schema, logs and command line. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct xc_label {
    int number;
    const char *label; /* MIB label, camelCase */
};

struct xc_enum {
    const char *name;
    const struct xc_label *labels;
    size_t n_labels;
};

#define XC_ENUM_DEFINE(symbol, type_name, table)                                                   \
    const struct xc_enum symbol = {(type_name), (table), G_N_ELEMENTS(table)}

/* The label of a number; "?" when the enumeration does not have it. */
const char *xc_enum_label(const struct xc_enum *e, int number);
bool xc_enum_has(const struct xc_enum *e, int number);
/* The number of a label (exact); 0 when there is none. */
int xc_enum_number(const struct xc_enum *e, const char *label);
