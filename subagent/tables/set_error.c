/* xenSetErrorTable: refused SETs, explained. */
#include "subagent/tables/tables.h"

static const void *rows(void *context, size_t *n)
{
    return xc_refusals(((const struct st_context *)context)->engine, n);
}

/* Error-status of RFC 3416. */
static const struct xc_label status[] = {
    {0, "noError"},
    {1, "tooBig"},
    {2, "noSuchName"},
    {3, "badValue"},
    {4, "readOnly"},
    {5, "genErr"},
    {6, "noAccess"},
    {7, "wrongType"},
    {8, "wrongLength"},
    {9, "wrongEncoding"},
    {10, "wrongValue"},
    {11, "noCreation"},
    {12, "inconsistentValue"},
    {13, "resourceUnavailable"},
    {14, "commitFailed"},
    {15, "undoFailed"},
    {16, "authorizationError"},
    {17, "notWritable"},
    {18, "inconsistentName"},
};
static XC_ENUM_DEFINE(status_labels, "xenSetErrorStatus", status);

static const struct st_column columns[] = {
    MEMBER(2, "xenSetErrorTime", ST_DATE, st_get_member, xc_refusal, when_real),
    MEMBER(3, "xenSetErrorObject", ST_TEXT, st_get_member, xc_refusal, object),
    MEMBER(4, "xenSetErrorValue", ST_TEXT, st_get_member, xc_refusal, value),
    MEMBER(5, "xenSetErrorStatus", ST_ENUM, st_get_member, xc_refusal, snmp_error,
           .labels = &status_labels),
    MEMBER(6, "xenSetErrorCause", ST_ENUM, st_get_member, xc_refusal, cause,
           .labels = &xc_cause_labels),
    MEMBER(7, "xenSetErrorText", ST_TEXT, st_get_member, xc_refusal, text),
};

const struct st_table st_set_error_table = {
    .name = "xenSetErrorTable",
    .arcs = {1, 2, 4, 1},
    .index = {{ST_INDEX_INTEGER, offsetof(struct xc_refusal, serial), "xenSetErrorSerial", 1, 1,
               G_MAXINT32}},
    .row_size = sizeof(struct xc_refusal),
    .rows = rows,
    .columns = columns,
    .n_columns = G_N_ELEMENTS(columns),
};

static bool last_error(const struct st_cell *cell, struct st_value *out)
{
    size_t n = 0;
    const struct xc_refusal *refusals = xc_refusals(st_engine(cell), &n);

    return n > 0 && st_text(out, refusals[n - 1].text);
}

static const struct st_column scalars[] = {
    CALC(5, "xenSetLastError", ST_TEXT, last_error),
};

const struct st_table st_control_scalars = {
    .name = "xenControl",
    .arcs = {1, 2},
    .scalars = true,
    .columns = scalars,
    .n_columns = G_N_ELEMENTS(scalars),
};
