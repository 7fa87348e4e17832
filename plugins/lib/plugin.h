/* A plugin as data: what it reads, measures and judges. Options, help, perfdata and manual page come from it. */
#pragma once

#include "plugins/lib/facts.h"
#include "plugins/lib/state.h"

struct chk;

enum chk_kind { CHK_FLAG, CHK_TEXT, CHK_TEXTS, CHK_COUNT, CHK_STATE, CHK_SECONDS };

struct chk_option {
    char letter; /* '\0': none */
    const char *name;
    const char *argument; /* as help shows it; NULL: none */
    enum chk_kind kind;
    const char *standard; /* the value without the option; NULL: none */
    const char *choices;  /* "a|b|c"; NULL: any */
    const char *help;
};

/* A number of each object, with thresholds. */
struct chk_metric {
    const char *name;
    const char *uom; /* "" none, s, %, B, c: a counter */
    const char *field;
    const char *less;       /* field - less */
    const char *of;         /* field, or field - less, in percent of this one */
    bool age;               /* the seconds since the date in field */
    const char *when;       /* only where this field ... */
    const char *when_label; /* ... reads so */
    const char *warn, *crit;
    bool shown; /* in the text, also when it is well */
    const char *help;
};

/* A state that is ill by itself. Its name for --state is FIELD.LABEL. */
struct chk_condition {
    const char *field;
    const char *label;
    enum chk_state state;
    const char *text;         /* NULL: the label */
    const char *option;       /* only where this option ... */
    const char *option_value; /* ... has this value; NULL: always */
};

/* A number about all objects together. */
struct chk_total {
    const char *name;
    const char *uom;
    const char *field; /* how many objects have this field ... */
    const char *label; /* ... reading so */
    const char *most;  /* or: the largest of this metric */
    const char *warn, *crit;
    const char *help;
};

struct chk_plugin {
    const char *name;    /* check_xen_host */
    const char *title;   /* XEN HOST */
    const char *summary; /* for help and manual */
    const char *one, *many;
    struct chk_facts facts;
    /* Fields with a meaning of their own; NULL: there is none. */
    const char *label, *uuid, *host, *tags;
    const char *status; /* shown first */
    const char *detail; /* why, shown behind what is ill */
    const struct chk_metric *metrics;
    unsigned n_metrics;
    const struct chk_condition *conditions;
    unsigned n_conditions;
    const struct chk_total *totals;
    unsigned n_totals;
    const struct chk_option *options;
    unsigned n_options;
    enum chk_state empty; /* when nothing is selected */
    /* chk_reader_direct() of direct.h: it can ask a hypervisor itself. NULL: the agent alone. */
    struct chk_reader *(*direct)(const struct chk_direct *how, GError **error);
    bool crowd; /* objects come and go: perfdata has totals alone */
    /* May all be NULL. More facts, from another table. */
    bool (*join)(const struct chk *chk, struct chk_reader *reader, GPtrArray *rows, GError **error);
    /* The end of what is read of a table that only grows; data is the chk. */
    bool (*wanted)(const struct chk_row *row, const void *data);
    /* Rows that are no objects of this check are left out before selection. */
    bool (*keep)(const struct chk *chk, const struct chk_row *row);
};

#define CHK_ARRAY(name) .name = (name), .n_##name = G_N_ELEMENTS(name)
#define CHK_FACTS(array)                                                                           \
    {                                                                                              \
        .fields = (array), .n_fields = G_N_ELEMENTS(array), .first = SN_NONE, .last = SN_NONE,     \
        .by_name = SN_NONE                                                                         \
    }
/* The same of rows that the agent finds by name. */
#define CHK_NAMED_FACTS(array, object)                                                             \
    {                                                                                              \
        .fields = (array), .n_fields = G_N_ELEMENTS(array), .first = SN_NONE, .last = SN_NONE,     \
        .by_name = (object)                                                                        \
    }
#define CHK_MIB 1048576.0

/* The whole of a plugin's main(). */
int chk_main(const struct chk_plugin *plugin, int argc, char **argv);

/* --- for keep and join */
/* An option's value, or what it is without; NULL when there is none. */
const char *chk_option(const struct chk *chk, const char *name);
/* That of an option of kind CHK_SECONDS. */
double chk_option_seconds(const struct chk *chk, const char *name);
/* Now, seconds since 1970. */
double chk_now(const struct chk *chk);
const struct chk_plugin *chk_plugin(const struct chk *chk);
