/* events: the last of what happened, and, with --follow, what happens next. */
#include "tools/xenctl/pause.h"
#include "tools/xenctl/view.h"

#define DEFAULT_LAST     50
#define DEFAULT_INTERVAL 2
#define ROWS_AT_ONCE     25 /* read and printed, so that a long list begins at once */

enum { TIME, SEVERITY, TYPE, OBJECT, HOST, DOMAIN, OPERATION, TEXT, N_CELLS };
static const enum sn_id cells[N_CELLS] = {
    [TIME] = xenEventTime,           [SEVERITY] = xenEventSeverity, [TYPE] = xenEventType,
    [OBJECT] = xenEventObject,       [HOST] = xenEventHost,         [DOMAIN] = xenEventDomainIndex,
    [OPERATION] = xenEventOperation, [TEXT] = xenEventText,
};

/* --- one event */
static void add_json(struct json *json, const struct sn_row *row)
{
    json_open_object(json, NULL);
    json_number(json, "serial", row->index.id[0]);
    for (unsigned i = 0; i < N_CELLS; i++)
        ctl_json_value(json, "xenEvent", cells[i], &row->cells[i]);
    json_close_object(json);
}

static void print_json_line(const struct sn_row *row)
{
    struct json json;
    g_autofree char *out = NULL;

    json_init(&json);
    add_json(&json, row);
    out = json_finish(&json);
    printf("%s\n", out);
}

static void print_line(const struct sn_row *row)
{
    char *shown[N_CELLS];

    for (unsigned i = 0; i < N_CELLS; i++)
        shown[i] = ctl_shown(cells[i], &row->cells[i]);
    printf("%u %s %s %s %s%s%s%s%s%s: %s\n", row->index.id[0], shown[TIME] ? shown[TIME] : "-",
           shown[SEVERITY] ? shown[SEVERITY] : "-", shown[TYPE] ? shown[TYPE] : "-",
           shown[OBJECT] ? shown[OBJECT] : "-", shown[HOST] ? " on " : "",
           shown[HOST] ? shown[HOST] : "", shown[OPERATION] ? " (operation " : "",
           shown[OPERATION] ? shown[OPERATION] : "", shown[OPERATION] ? ")" : "",
           shown[TEXT] ? shown[TEXT] : "");
    for (unsigned i = 0; i < N_CELLS; i++)
        g_free(shown[i]);
}

/* --- those of a range of serials */
static void print_rows(const struct sn_table *table, bool as_json, struct json *list)
{
    for (unsigned i = 0; i < table->rows->len; i++) {
        const struct sn_row *row = sn_table_at(table, i);

        if (list)
            add_json(list, row);
        else if (as_json)
            print_json_line(row);
        else
            print_line(row);
    }
}

/* To the list, or (NULL) a line each. *seen is the last one printed, also after an error. */
static bool print_behind(struct ctl *ctl, uint32_t *seen, uint32_t last, struct json *list,
                         GError **error)
{
    struct sn_oid columns[N_CELLS];

    for (unsigned i = 0; i < N_CELLS; i++)
        columns[i] = sn_oid_of(cells[i]);
    while (*seen < last) {
        uint32_t until = MIN(last, *seen + ROWS_AT_ONCE);
        g_autoptr(sn_table) table =
            sn_table_fetch_range(ctl->session, columns, N_CELLS, *seen + 1, until, error);

        if (!table)
            return false;
        print_rows(table, ctl->opt.json, list);
        *seen = until;
    }
    return true;
}

/* The serials there are; 0 and 0: no events. */
static bool read_range(struct ctl *ctl, uint32_t *first, uint32_t *last, GError **error)
{
    const struct sn_oid oids[] = {sn_oid_scalar(xenEventFirstSerial),
                                  sn_oid_scalar(xenEventLastSerial)};
    struct sn_value values[G_N_ELEMENTS(oids)];
    bool ok = sn_get(ctl->session, oids, G_N_ELEMENTS(oids), values, error);

    *first = (uint32_t)sn_value_number(&values[0], 0);
    *last = (uint32_t)sn_value_number(&values[1], 0);
    sn_values_clear(values, G_N_ELEMENTS(values));
    return ok && (*last || ctl_agent_is_there(ctl->session, error));
}

/* --- the command */
static bool print_list(struct ctl *ctl, uint32_t *seen, uint32_t last, GError **error)
{
    struct json list;
    g_autofree char *out = NULL;
    bool ok;

    if (!ctl->opt.json || ctl->opt.follow)
        return print_behind(ctl, seen, last, NULL, error);
    json_init(&list);
    json_open_array(&list, NULL);
    ok = print_behind(ctl, seen, last, &list, error);
    json_close_array(&list);
    out = json_finish(&list);
    if (ok)
        printf("%s\n", out);
    return ok;
}

/* Behind `seen`; rows that are gone, and serials that begin anew (another database), are said. */
static bool follow_once(struct ctl *ctl, uint32_t *seen, GError **error)
{
    uint32_t first;
    uint32_t last;

    if (!read_range(ctl, &first, &last, error))
        return false;
    if (last < *seen) {
        fprintf(stderr, "xenctl: serials begin anew\n");
        *seen = 0;
    }
    if (first > *seen + 1) {
        fprintf(stderr, "xenctl: events %u to %u are gone\n", *seen + 1, first - 1);
        *seen = first - 1;
    }
    return print_behind(ctl, seen, last, NULL, error);
}

/* Through restarts of the agent, until interrupted. */
static void follow(struct ctl *ctl, uint32_t seen)
{
    int64_t seconds = ctl->opt.interval > 0 ? ctl->opt.interval : DEFAULT_INTERVAL;
    struct ctl_pause *pause = ctl_pause_new();
    bool failing = false;

    for (int64_t n = 1; n != ctl->opt.count && ctl_pause(pause, (unsigned)seconds * 1000); n++) {
        g_autoptr(GError) error = NULL;
        bool ok = follow_once(ctl, &seen, &error);

        if (!ok && !failing)
            ctl_say_on(error);
        failing = !ok;
        fflush(stdout);
    }
    ctl_pause_free(pause);
}

int ctl_events(struct ctl *ctl)
{
    uint32_t wanted = (uint32_t)(ctl->opt.last >= 0 ? ctl->opt.last : DEFAULT_LAST);
    g_autoptr(GError) error = NULL;
    uint32_t first;
    uint32_t last;
    uint32_t seen;

    if (!ctl_session(ctl, &error) || !read_range(ctl, &first, &last, &error))
        return ctl_fail(ctl, error);
    seen = last > wanted ? last - wanted : 0;
    seen = first ? MAX(seen, first - 1) : 0;
    if (!print_list(ctl, &seen, last, &error))
        return ctl_fail(ctl, error);
    fflush(stdout);
    if (ctl->opt.follow)
        follow(ctl, seen);
    return CTL_OK;
}
