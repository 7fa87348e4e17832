/* xenGroupHistoryTable: what happened to members of groups. */
#include "subagent/tables/tables.h"

static const void *rows(void *context, size_t *n)
{
    return xc_group_history(((const struct st_context *)context)->engine, n);
}

/* Of the end of an operation; other rows have no such cell. */
static bool result(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_history *history = cell->row;

    return history->result != XC_RESULT_NONE && st_number(out, (uint64_t)history->result);
}

#define HISTORY(arc, name, type, member, ...)                                                      \
    MEMBER(arc, name, type, st_get_member, xc_history, member, __VA_ARGS__)

static const struct st_column columns[] = {
    HISTORY(3, "xenGroupHistoryTime", ST_DATE, time_real),
    HISTORY(4, "xenGroupHistoryMember", ST_TEXT, member, .min = 1, .max = 64),
    HISTORY(5, "xenGroupHistoryDomainIndex", ST_UNSIGNED32, domain, .none_if_zero = true, .min = 1,
            .max = G_MAXINT32),
    HISTORY(6, "xenGroupHistoryEvent", ST_ENUM, event, .labels = &xc_history_event_labels),
    HISTORY(7, "xenGroupHistoryHost", ST_TEXT, host, .none_if_zero = true, .min = 1, .max = 32),
    HISTORY(8, "xenGroupHistoryOperation", ST_UNSIGNED32, op, .none_if_zero = true, .min = 1,
            .max = G_MAXINT32),
    CALC(9, "xenGroupHistoryResult", ST_ENUM, result, .labels = &xc_result_labels),
    HISTORY(10, "xenGroupHistoryText", ST_TEXT, text),
};

const struct st_table st_group_history_table = {
    .name = "xenGroupHistoryTable",
    .arcs = {1, 5, 4, 1},
    .index = {{ST_INDEX_TEXT, offsetof(struct xc_history, group), "xenGroupHistoryName", 1, 1, 32},
              {ST_INDEX_INTEGER, offsetof(struct xc_history, serial), "xenGroupHistorySerial", 2, 1,
               G_MAXINT32}},
    .row_size = sizeof(struct xc_history *),
    .rows_are_pointers = true,
    .rows = rows,
    .columns = columns,
    .n_columns = G_N_ELEMENTS(columns),
};
