/* xenEventTable: what happened, the last of it. */
#include "subagent/tables/tables.h"

static const void *rows(void *context, size_t *n)
{
    return xc_events(((const struct st_context *)context)->engine, n);
}

#define EVENT(arc, name, type, member, ...)                                                        \
    MEMBER(arc, name, type, st_get_member, xc_event, member, __VA_ARGS__)

static const struct st_column columns[] = {
    EVENT(2, "xenEventTime", ST_DATE, time_real),
    EVENT(3, "xenEventType", ST_ENUM, type, .labels = &xc_event_type_labels),
    EVENT(4, "xenEventSeverity", ST_ENUM, severity, .labels = &xc_severity_labels),
    EVENT(5, "xenEventDomainIndex", ST_UNSIGNED32, domain, .none_if_zero = true, .min = 1,
          .max = G_MAXINT32),
    EVENT(6, "xenEventHost", ST_TEXT, host, .none_if_zero = true, .min = 1, .max = 32),
    EVENT(7, "xenEventOperation", ST_UNSIGNED32, op, .none_if_zero = true, .min = 1,
          .max = G_MAXINT32),
    EVENT(8, "xenEventObject", ST_TEXT, object),
    EVENT(9, "xenEventText", ST_TEXT, text),
};

const struct st_table st_event_table = {
    .name = "xenEventTable",
    .arcs = {1, 9, 1, 1},
    .index = {{ST_INDEX_INTEGER, offsetof(struct xc_event, serial), "xenEventSerial", 1, 1,
               G_MAXINT32}},
    .row_size = sizeof(struct xc_event *),
    .rows_are_pointers = true,
    .rows = rows,
    .columns = columns,
    .n_columns = G_N_ELEMENTS(columns),
};

static bool count(const struct st_cell *cell, struct st_value *out)
{
    struct xc_event_counts counts = xc_event_counts(st_engine(cell));

    return st_read_member(cell->column, &counts, out);
}

static bool setting(const struct st_cell *cell, struct st_value *out)
{
    return st_read_member(cell->column, xc_engine_config(st_engine(cell)), out);
}

static const struct st_column scalars[] = {
    MEMBER(2, "xenEventFirstSerial", ST_UNSIGNED32, count, xc_event_counts, first,
           .none_if_zero = true, .min = 1, .max = G_MAXINT32),
    MEMBER(3, "xenEventLastSerial", ST_UNSIGNED32, count, xc_event_counts, last,
           .none_if_zero = true, .min = 1, .max = G_MAXINT32),
    MEMBER(4, "xenEventsLost", ST_COUNTER32, count, xc_event_counts, lost, .units = "events"),
    MEMBER(5, "xenEventMaxRows", ST_GAUGE32, setting, xc_config, event_rows, .units = "rows"),
};

const struct st_table st_event_scalars = {
    .name = "xenEvents",
    .arcs = {1, 9},
    .scalars = true,
    .columns = scalars,
    .n_columns = G_N_ELEMENTS(scalars),
};
