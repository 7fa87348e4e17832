/* Enumerations as data. */
#include "xenclient/util/labels.h"

#include <string.h>

const char *xc_enum_label(const struct xc_enum *e, int number)
{
    for (size_t i = 0; i < e->n_labels; i++)
        if (e->labels[i].number == number)
            return e->labels[i].label;
    return "?";
}

bool xc_enum_has(const struct xc_enum *e, int number)
{
    for (size_t i = 0; i < e->n_labels; i++)
        if (e->labels[i].number == number)
            return true;
    return false;
}

int xc_enum_number(const struct xc_enum *e, const char *label)
{
    for (size_t i = 0; i < e->n_labels; i++)
        if (strcmp(e->labels[i].label, label) == 0)
            return e->labels[i].number;
    return 0;
}
