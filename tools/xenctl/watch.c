/* watch: what changes in the estate, a line each, until interrupted. */
#include "tools/xenctl/pause.h"
#include "tools/xenctl/view.h"

#include <string.h>

#define DEFAULT_INTERVAL 2

/* A table whose rows are compared between two looks: a label, and the cells that count. */
#define CELLS_MAX 4

struct subject {
    const char *noun;
    const char *prefix; /* of the columns' names */
    enum sn_id label;
    enum sn_id cells[CELLS_MAX];
    unsigned n_cells;
};

static const struct subject subjects[] = {
    {"host", "xenHost", xenHostLabel, {xenHostState, xenHostStateText}, 2},
    {"domain", "xenDomain", xenDomainName, {xenDomainHost, xenDomainState, xenDomainPresence}, 3},
    {"operation",
     "xenOperation",
     xenOperationLabel,
     {xenOperationState, xenOperationPhase, xenOperationResult, xenOperationText},
     4},
};

struct look {
    struct sn_table *tables[G_N_ELEMENTS(subjects)];
};

static void look_clear(struct look *look)
{
    for (size_t i = 0; i < G_N_ELEMENTS(subjects); i++)
        look->tables[i] = sn_table_free(look->tables[i]);
}

static bool look_take(struct ctl *ctl, struct look *look, GError **error)
{
    memset(look, 0, sizeof(*look));
    for (size_t i = 0; i < G_N_ELEMENTS(subjects); i++) {
        struct sn_oid columns[CELLS_MAX + 1];

        columns[0] = sn_oid_of(subjects[i].label);
        for (unsigned c = 0; c < subjects[i].n_cells; c++)
            columns[c + 1] = sn_oid_of(subjects[i].cells[c]);
        look->tables[i] = sn_table_fetch(ctl->session, columns, subjects[i].n_cells + 1, error);
        if (!look->tables[i])
            return false;
    }
    return true;
}

/* --- one line */
static void say_line(const struct ctl *ctl, const struct subject *subject, const char *label,
                     const char *what, const char *before, const char *after)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autofree char *time = g_date_time_format(now, "%Y-%m-%dT%H:%M:%S%z");
    struct json json;
    g_autofree char *out = NULL;

    if (!ctl->opt.json) {
        printf("%s %s %s: %s: %s%s%s\n", time, subject->noun, label, what, before ? before : "",
               before && after ? " -> " : "", after ? after : "");
        return;
    }
    json_init(&json);
    json_open_object(&json, NULL);
    json_text(&json, "time", time);
    json_text(&json, subject->noun, label);
    json_text(&json, "what", what);
    json_text(&json, "before", before);
    json_text(&json, "after", after);
    json_close_object(&json);
    out = json_finish(&json);
    printf("%s\n", out);
}

/* For people escaped; JSON escapes by itself. */
static char *text_of(const struct ctl *ctl, enum sn_id object, const struct sn_value *value)
{
    return ctl->opt.json ? sn_format(object, value) : ctl_shown(object, value);
}

static char *label_of(const struct ctl *ctl, const struct subject *subject,
                      const struct sn_row *row)
{
    g_autofree char *label = text_of(ctl, subject->label, &row->cells[0]);

    if (subject->label == xenOperationLabel)
        return g_strdup_printf("%u (%s)", row->index.id[0], label ? label : "?");
    return g_strdup(label ? label : "?");
}

static void compare_rows(const struct ctl *ctl, const struct subject *subject,
                         const struct sn_row *before, const struct sn_row *after)
{
    g_autofree char *label = label_of(ctl, subject, after);

    for (unsigned i = 0; i < subject->n_cells; i++) {
        g_autofree char *old = text_of(ctl, subject->cells[i], &before->cells[i + 1]);
        g_autofree char *new = text_of(ctl, subject->cells[i], &after->cells[i + 1]);
        g_autofree char *what = ctl_key(subject->cells[i], subject->prefix);

        if (g_strcmp0(old, new) != 0)
            say_line(ctl, subject, label, what, old ? old : "-", new ? new : "-");
    }
}

static void compare_tables(const struct ctl *ctl, const struct subject *subject,
                           const struct sn_table *before, const struct sn_table *after)
{
    for (unsigned i = 0; i < after->rows->len; i++) {
        const struct sn_row *row = sn_table_at(after, i);
        const struct sn_row *old = sn_table_row(before, &row->index);
        g_autofree char *label = label_of(ctl, subject, row);
        g_autofree char *first = text_of(ctl, subject->cells[0], &row->cells[1]);

        if (old)
            compare_rows(ctl, subject, old, row);
        else
            say_line(ctl, subject, label, "new", NULL, first);
    }
    for (unsigned i = 0; i < before->rows->len; i++) {
        const struct sn_row *row = sn_table_at(before, i);
        g_autofree char *label = label_of(ctl, subject, row);

        if (!sn_table_row(after, &row->index))
            say_line(ctl, subject, label, "gone", NULL, NULL);
    }
}

static void compare_looks(const struct ctl *ctl, const struct look *before,
                          const struct look *after)
{
    for (size_t i = 0; i < G_N_ELEMENTS(subjects); i++)
        compare_tables(ctl, &subjects[i], before->tables[i], after->tables[i]);
    fflush(stdout);
}

/* A look that fails says so once and is left out: the watch goes on through a restart of the agent. */
static void next_look(struct ctl *ctl, struct look *last, bool *failing)
{
    g_autoptr(GError) error = NULL;
    struct look now;

    if (!look_take(ctl, &now, &error)) {
        if (!*failing)
            ctl_say_on(error);
        *failing = true;
        look_clear(&now);
        return;
    }
    *failing = false;
    compare_looks(ctl, last, &now);
    look_clear(last);
    *last = now;
}

int ctl_watch(struct ctl *ctl)
{
    int64_t seconds = ctl->opt.interval > 0 ? ctl->opt.interval : DEFAULT_INTERVAL;
    struct ctl_pause *pause;
    struct look last = {0};
    g_autoptr(GError) error = NULL;
    bool failing = false;

    if (!ctl_session(ctl, &error) || !look_take(ctl, &last, &error)) {
        look_clear(&last);
        return ctl_fail(ctl, error);
    }
    pause = ctl_pause_new();
    for (int64_t n = 1; n != ctl->opt.count && ctl_pause(pause, (unsigned)seconds * 1000); n++)
        next_look(ctl, &last, &failing);
    ctl_pause_free(pause);
    look_clear(&last);
    return CTL_OK;
}
