/* The classes of XAPI's database and their fields, as the contract lists them. Const data. */
#pragma once

#include <glib.h>

/* Which servers know a class or a field; a server speaks one of them. */
enum xf_dialect { XF_82 = 1, XF_83 = 2 };

struct xf_field {
    const char *name;
    const char *type;     /* of GVariant; 't' is a date in seconds, see xml.h */
    const char *standard; /* what a fresh object has there, in GVariant's text form */
    unsigned dialects;
};

struct xf_class {
    const char *name;
    const struct xf_field *fields; /* by name */
    unsigned n_fields;
    unsigned dialects;
};

/* By name; made by tools/gen/gen_xapi.py. */
extern const struct xf_class xf_classes[];
extern const unsigned xf_n_classes;

/* NULL: no such class. */
const struct xf_class *xf_class_find(const char *name);
/* Its ordinal in the class, or -1. */
int xf_field_find(const struct xf_class *class, const char *name);
