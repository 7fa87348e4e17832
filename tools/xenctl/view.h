/* Lists and single objects as data: which columns of the MIB, under which title. */
#pragma once

#include "tools/xenctl/xenctl.h"

struct ctl_column {
    enum sn_id object; /* SN_NONE: the row's number, or its name */
    const char *title;
};

struct ctl_view {
    const char *prefix; /* of the names in JSON: xenDomainState with prefix xenDomain is "state" */
    const struct ctl_column *columns;
    unsigned n_columns;
    const char *name; /* rows have a name for an index, which JSON calls so; NULL: a number */
};

/* May a row be shown? cells are those of the view's columns. */
typedef bool (*ctl_keep)(const struct ctl *ctl, const struct sn_value *cells);

/* Fetches the view's tables and prints what keep (NULL: all) lets through. An exit status. */
int ctl_print_view(struct ctl *ctl, const struct ctl_view *view, ctl_keep keep);

/* The same of the rows below an index alone. */
int ctl_print_view_below(struct ctl *ctl, const struct ctl_view *view, const struct sn_oid *index,
                         ctl_keep keep);

/* Is xensnmpd behind the snmpd that answers, and may this user see it? */
bool ctl_agent_is_there(struct sn_session *session, GError **error);

/* Every readable column of these entries (SN_NONE at the end) of one row. */
int ctl_print_row(struct ctl *ctl, const char *prefix, const enum sn_id *entries,
                  const struct sn_oid *index);

/* The columns of a view, of one row. */
int ctl_print_view_row(struct ctl *ctl, const struct ctl_view *view, const struct sn_oid *index);

/* The text that is the index of a row; the caller frees. */
char *ctl_row_name(const struct sn_row *row);

/* A member of an open JSON object. */
void ctl_json_value(struct json *json, const char *prefix, enum sn_id object,
                    const struct sn_value *value);
/* "state" of xenDomainState, xenDomain; the caller frees. */
char *ctl_key(enum sn_id object, const char *prefix);
/* A value for people, escaped; NULL when absent. The caller frees. */
char *ctl_shown(enum sn_id object, const struct sn_value *value);
