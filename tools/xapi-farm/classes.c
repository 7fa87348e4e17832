/* Finding classes and fields by name. */
#include "tools/xapi-farm/classes.h"

#include "xapi_classes.h"

#include <stdlib.h>
#include <string.h>

static int compare_class(const void *name, const void *class)
{
    return strcmp(name, ((const struct xf_class *)class)->name);
}

const struct xf_class *xf_class_find(const char *name)
{
    return bsearch(name, xf_classes, xf_n_classes, sizeof(xf_classes[0]), compare_class);
}

static int compare_field(const void *name, const void *field)
{
    return strcmp(name, ((const struct xf_field *)field)->name);
}

int xf_field_find(const struct xf_class *class, const char *name)
{
    const struct xf_field *field =
        bsearch(name, class->fields, class->n_fields, sizeof(class->fields[0]), compare_field);

    return field ? (int)(field - class->fields) : -1;
}
