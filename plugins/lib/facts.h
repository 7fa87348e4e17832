/* What is known of the objects that are checked, wherever it was read: rows of values. Everything behind this header,
 * from selection to output, knows no source. */
#pragma once

#include "snmpclient/snmpclient.h"

/* A fact: the name that options and messages have for it, and the agent's object that tells it. An index object is
 * read from the row's index; what SN_NONE stands beside is filled in by the plugin. */
struct chk_field {
    const char *name;
    enum sn_id object;
    double scale; /* to the unit that the guidelines want, such as bytes; 0: 1 */
};

struct chk_value {
    bool known;
    double number; /* dates: seconds since 1970 */
    uint64_t exact;
    char *text; /* of enumerations the label, of numbers NULL */
};

struct chk_row {
    struct chk_value *values; /* one for each field */
    unsigned n_values;
    uint32_t number; /* the last of the index; 0: that is a text */
    char *shown;     /* its name in the output, harmless and its own; made by chk_rows_name() */
};

/* Fields of rows. newest: the objects with the first and last number of a table that only grows, which is read from its
 * end; SN_NONE twice otherwise. */
struct chk_facts {
    const struct chk_field *fields;
    unsigned n_fields;
    bool scalars; /* a single row */
    enum sn_id first, last;
    /* How the agent finds a row by its name: the column of another table that has the row's index beside the name, or the
     * table's own index object, where the name is the index. SN_NONE: it can't. */
    enum sn_id by_name;
};

void chk_row_free(struct chk_row *row);
/* The value of a field by its name; NULL when the field or the value is not there. */
const struct chk_value *chk_fact(const struct chk_facts *facts, const struct chk_row *row,
                                 const char *name);
/* Its text; "" when it is not there. */
const char *chk_fact_text(const struct chk_facts *facts, const struct chk_row *row,
                          const char *name);
bool chk_facts_have(const struct chk_facts *facts, const char *name);

/* Which rows are enough. All of them may come all the same. */
struct chk_wish {
    char **names; /* those of these names; NULL: all */
    /* What is read from the end is read until a row for which it is false; NULL: all. */
    bool (*wanted)(const struct chk_row *row, const void *data);
    const void *data;
};

/* A source of facts. Blocking; for the thread that opened it. */
struct chk_reader;
struct chk_reader_ops {
    /* Rows (struct chk_row *, freed with the array), in the order of their indexes. */
    GPtrArray *(*read)(struct chk_reader *reader, const struct chk_facts *facts,
                       const struct chk_wish *wish, GError **error);
    void (*close)(struct chk_reader *reader);
};
struct chk_reader {
    const struct chk_reader_ops *ops;
};

/* Takes a value as the agent shows it. */
void chk_value_take(const struct chk_field *field, const struct sn_value *from,
                    struct chk_value *out);

/* How to reach a hypervisor without the agent; tls_ca may be NULL. */
struct chk_direct {
    const char *uri;
    const char *credential; /* its name; "" none */
    const char *credential_dir, *known_hosts, *tls_pins;
    const char *tls_ca;
    int64_t budget_usec;
};

/* The running agent by SNMP; file, profile and host as sn_settings_load() and sn_settings_set_host(), each may be NULL. */
struct chk_reader *chk_reader_snmp(const char *file, const char *profile, const char *host,
                                   GError **error);
