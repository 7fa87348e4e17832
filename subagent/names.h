/* Domains by name: the rows of xenNameTable, made when somebody asks and the fleet has changed. */
#pragma once

#include "xenclient/engine/fleet.h"

/* Longest text that has a row; the whole OID must stay within 128 numbers. */
#define ST_NAME_MAX 100

struct st_name {
    const char *text;
    uint32_t domain; /* of the first of them */
    uint32_t count;
};

struct st_names;
struct st_names *st_names_new(void);
void *st_names_free(struct st_names *names); /* returns NULL; takes NULL */

/* Sorted by length, then octets; good until control returns to the main loop. */
const struct st_name *st_names_rows(struct st_names *names, const struct xc_engine *engine,
                                    size_t *n);
