/* check_xen_events: what happened lately, by severity. */
#include "plugins/lib/plugin.h"

static const struct chk_field fields[] = {
    {"name", xenEventObject, 0},       {"host", xenEventHost, 0}, {"time", xenEventTime, 0},
    {"severity", xenEventSeverity, 0}, {"type", xenEventType, 0}, {"text", xenEventText, 0},
};

static const struct chk_metric metrics[] = {
    {.name = "age", .uom = "s", .field = "time", .age = true, .help = "how long ago one was"},
};

static const struct chk_condition conditions[] = {
    {.field = "severity", .label = "info", .state = CHK_OK},
    {.field = "severity", .label = "clear", .state = CHK_OK},
    {.field = "severity", .label = "warning", .state = CHK_WARNING},
    {.field = "severity", .label = "minor", .state = CHK_WARNING},
    {.field = "severity", .label = "major", .state = CHK_CRITICAL},
    {.field = "severity", .label = "critical", .state = CHK_CRITICAL},
};

static const struct chk_total totals[] = {
    {.name = "critical",
     .uom = "",
     .field = "severity",
     .label = "critical",
     .help = "critical ones"},
    {.name = "major", .uom = "", .field = "severity", .label = "major", .help = "major ones"},
    {.name = "minor", .uom = "", .field = "severity", .label = "minor", .help = "minor ones"},
    {.name = "warning", .uom = "", .field = "severity", .label = "warning", .help = "warnings"},
    {.name = "info", .uom = "", .field = "severity", .label = "info", .help = "for information"},
    {.name = "clear",
     .uom = "",
     .field = "severity",
     .label = "clear",
     .help = "that something is over"},
};

static const struct chk_option options[] = {
    {'\0', "since", "SECONDS", CHK_SECONDS, "3600", NULL, "look at the last SECONDS"},
    {'\0', "type", "TYPE", CHK_TEXT, NULL, NULL, "of these, events of one type, as hostDown"},
};

static bool is_recent(const struct chk *chk, const struct chk_row *row)
{
    const struct chk_value *time = chk_fact(&chk_plugin(chk)->facts, row, "time");

    return time && time->number >= chk_now(chk) - chk_option_seconds(chk, "since");
}

/* The newest are read first, as long as they are recent. */
static bool wanted(const struct chk_row *row, const void *data)
{
    return is_recent(data, row);
}

static bool keep(const struct chk *chk, const struct chk_row *row)
{
    const char *type = chk_option(chk, "type");

    return !type || g_str_equal(chk_fact_text(&chk_plugin(chk)->facts, row, "type"), type);
}

static const struct chk_plugin plugin = {
    .name = "check_xen_events",
    .title = "XEN EVENTS",
    .summary = "Checks what happened lately, by severity.",
    .one = "event",
    .many = "events",
    .facts = {CHK_ARRAY(fields), .first = xenEventFirstSerial, .last = xenEventLastSerial,
              .by_name = SN_NONE},
    .label = "name",
    .host = "host",
    .status = "type",
    .detail = "text",
    CHK_ARRAY(metrics),
    CHK_ARRAY(conditions),
    CHK_ARRAY(totals),
    CHK_ARRAY(options),
    .empty = CHK_OK,
    .crowd = true,
    .wanted = wanted,
    .keep = keep,
};

int main(int argc, char **argv)
{
    return chk_main(&plugin, argc, argv);
}
