/* One operation: read, awaited, reported. */
#include "tools/xenctl/operation.h"

#include "tools/xenctl/pause.h"
#include "tools/xenctl/text.h"

#include "xenclient/util/clock.h"

#include <string.h>
#include <unistd.h>

/* Looks become rarer: an operation takes a moment or minutes. */
#define LOOK_MIN_MSEC 100u
#define LOOK_MAX_MSEC 1000u
/* So long the agent may be away (restart, lost packets) before we stop asking. */
#define AWAY_USEC (60 * XC_USEC_PER_SEC)

void ctl_op_clear(struct ctl_op *op)
{
    g_free(op->label);
    g_free(op->state);
    g_free(op->phase);
    g_free(op->result);
    g_free(op->cause);
    g_free(op->text);
    g_free(op->host_to);
    memset(op, 0, sizeof(*op));
}

static const enum sn_id op_objects[] = {
    xenOperationLabel,    xenOperationState,   xenOperationPhase,
    xenOperationResult,   xenOperationCause,   xenOperationText,
    xenOperationProgress, xenOperationElapsed, xenOperationHostTo};

bool ctl_op_read(struct ctl *ctl, uint32_t index, struct ctl_op *out, GError **error)
{
    struct sn_oid oids[G_N_ELEMENTS(op_objects)];
    struct sn_value values[G_N_ELEMENTS(op_objects)];
    bool ok;

    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < G_N_ELEMENTS(op_objects); i++)
        oids[i] = sn_oid_number(op_objects[i], index);
    ok = sn_get(ctl->session, oids, G_N_ELEMENTS(oids), values, error);
    out->index = index;
    out->there = ok && sn_present(&values[1]);
    out->label = sn_format(xenOperationLabel, &values[0]);
    out->state = sn_format(xenOperationState, &values[1]);
    out->phase = sn_format(xenOperationPhase, &values[2]);
    out->result = sn_format(xenOperationResult, &values[3]);
    out->cause = sn_format(xenOperationCause, &values[4]);
    out->text = sn_format(xenOperationText, &values[5]);
    out->progress = sn_value_number(&values[6], -1);
    out->elapsed_msec = sn_value_number(&values[7], 0);
    out->host_to = sn_format(xenOperationHostTo, &values[8]);
    sn_values_clear(values, G_N_ELEMENTS(values));
    return ok;
}

bool ctl_op_finished(const struct ctl_op *op)
{
    return op->there && g_strcmp0(op->state, "finished") == 0;
}

int ctl_op_exit(const struct ctl_op *op)
{
    static const struct {
        const char *result;
        int exit;
    } map[] = {
        {"ok", CTL_OK},
        {"partial", CTL_FAILED},
        {"failed", CTL_FAILED},
        {"cancelled", CTL_CANCELLED},
        {"timedOut", CTL_TIMED_OUT},
        {"lost", CTL_LOST},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(map); i++)
        if (g_strcmp0(op->result, map[i].result) == 0)
            return map[i].exit;
    return CTL_FAILED;
}

/* --- showing progress: one line that is written over on a terminal, else a line per change */
struct shown {
    bool terminal;
    char *last; /* state and phase of the last line */
};

static char *progress_text(const struct ctl_op *op)
{
    g_autofree char *percent =
        op->progress >= 0 ? g_strdup_printf(" %d %%", (int)op->progress) : g_strdup("");
    g_autofree char *text = g_strdup_printf(
        "%s: %s%s%s%s", op->label ? op->label : "operation", op->state ? op->state : "",
        op->phase && op->phase[0] ? ", " : "", op->phase ? op->phase : "", percent);

    return ctl_escape(text, strlen(text));
}

static void show_progress(struct shown *shown, const struct ctl_op *op)
{
    g_autofree char *text = progress_text(op);
    g_autofree char *key =
        g_strconcat(op->state ? op->state : "", "\n", op->phase ? op->phase : "", NULL);

    if (shown->terminal) {
        fprintf(stderr, "\r\033[K%s, %.1f s", text, (double)op->elapsed_msec / 1000);
        fflush(stderr);
    } else if (g_strcmp0(key, shown->last) != 0) {
        fprintf(stderr, "%s, %.1f s\n", text, (double)op->elapsed_msec / 1000);
        g_free(shown->last);
        shown->last = g_steal_pointer(&key);
    }
}

static void end_progress(struct shown *shown)
{
    if (shown->terminal)
        fprintf(stderr, "\r\033[K");
    g_free(shown->last);
}

/* --- waiting */
static int say_interrupted(struct ctl *ctl, uint32_t index)
{
    return ctl_say(ctl, CTL_INTERRUPTED,
                   "operation %u goes on; xenctl op %u shows it, xenctl cancel %u stops it", index,
                   index, index);
}

static int say_away(struct ctl *ctl, uint32_t index, const GError *error)
{
    return ctl_say(ctl, CTL_UNREACHABLE,
                   "operation %u was accepted, but the agent stopped answering (%s); xenctl op %u "
                   "shows it later",
                   index, error ? error->message : "it no longer lists the operation", index);
}

enum outlook { GO_ON, ENDED, AWAY };

static enum outlook look(struct ctl *ctl, uint32_t index, struct ctl_op *op, gint64 *seen_mono,
                         GError **error)
{
    bool ok;

    ctl_op_clear(op);
    g_clear_error(error);
    ok = ctl_op_read(ctl, index, op, error);
    if (ok && op->there)
        *seen_mono = xc_clock_mono();
    if (ctl_op_finished(op))
        return ENDED;
    return xc_clock_mono() - *seen_mono > AWAY_USEC ? AWAY : GO_ON;
}

int ctl_op_wait(struct ctl *ctl, uint32_t index, struct ctl_op *op)
{
    struct shown shown = {.terminal = isatty(STDERR_FILENO)};
    struct ctl_pause *pause = ctl_pause_new();
    g_autoptr(GError) error = NULL;
    gint64 seen_mono = xc_clock_mono();
    unsigned msec = LOOK_MIN_MSEC;
    enum outlook outlook;
    bool go_on = true;

    memset(op, 0, sizeof(*op));
    while ((outlook = look(ctl, index, op, &seen_mono, &error)) == GO_ON && go_on) {
        if (op->there)
            show_progress(&shown, op);
        go_on = ctl_pause(pause, msec);
        msec = MIN(msec * 5 / 4, LOOK_MAX_MSEC);
    }
    end_progress(&shown);
    ctl_pause_free(pause);
    if (outlook == ENDED)
        return CTL_OK;
    return outlook == AWAY ? say_away(ctl, index, error) : say_interrupted(ctl, index);
}

/* --- reporting */
static void report_json(const struct ctl_op *op, bool merged)
{
    struct json json;
    g_autofree char *out = NULL;

    json_init(&json);
    json_open_object(&json, NULL);
    json_number(&json, "operation", op->index);
    json_text(&json, "label", op->label);
    json_text(&json, "state", op->state);
    json_text(&json, "result", op->result);
    json_text(&json, "cause", op->cause);
    json_text(&json, "text", op->text);
    json_number(&json, "elapsedMsec", op->elapsed_msec);
    json_bool(&json, "merged", merged);
    json_number(&json, "exit", ctl_op_finished(op) ? ctl_op_exit(op) : CTL_OK);
    json_close_object(&json);
    out = json_finish(&json);
    printf("%s\n", out);
}

static void print_op_line(const char *text)
{
    g_autofree char *shown = ctl_escape(text, strlen(text));

    printf("%s\n", shown);
}

static void report_text(const struct ctl_op *op, bool merged)
{
    const char *label = op->label ? op->label : "request";
    g_autofree char *line = NULL;
    bool cause = op->cause && !g_str_equal(op->cause, "none");

    if (!ctl_op_finished(op))
        line = g_strdup_printf("%s: %s, operation %u", label,
                               merged ? "asked for before" : "accepted", op->index);
    else
        line = g_strdup_printf("%s: %s%s%s%s%s%s (%s%u, %.1f s)", label, op->result,
                               cause ? " (" : "", cause ? op->cause : "", cause ? ")" : "",
                               op->text && op->text[0] ? ": " : "", op->text ? op->text : "",
                               merged ? "asked for before: operation " : "operation ", op->index,
                               (double)op->elapsed_msec / 1000);
    print_op_line(line);
}

void ctl_op_report(const struct ctl *ctl, const struct ctl_op *op, bool merged)
{
    if (ctl->opt.json)
        report_json(op, merged);
    else
        report_text(op, merged);
}

int ctl_op_follow(struct ctl *ctl, uint32_t index, bool merged)
{
    struct ctl_op op = {0};
    g_autoptr(GError) error = NULL;
    int code = CTL_OK;

    if (!ctl->opt.no_wait)
        code = ctl_op_wait(ctl, index, &op);
    else if (!ctl_op_read(ctl, index, &op, &error))
        code = ctl_fail(ctl, error);
    if (code == CTL_OK) {
        ctl_op_report(ctl, &op, merged);
        code = ctl->opt.no_wait ? CTL_OK : ctl_op_exit(&op);
    }
    ctl_op_clear(&op);
    return code;
}
