/* Building the scripts of a job and reading its report. */
#include "xenclient/drivers/xl_job.h"

#include "job_actions.sh.h"
#include "job_cancel.sh.h"
#include "job_forbid.sh.h"
#include "job_launch.sh.h"
#include "job_report.sh.h"
#include "job_suspend.sh.h"
#include "job_tools.sh.h"
#include "xenclient/drivers/xl_shell.h"
#include "xenclient/util/text.h"

#include <string.h>

#define REPORT_MAX 65536

static void assign_number(GString *to, const char *name, int64_t value)
{
    g_string_append_printf(to, "%s=%" G_GINT64_FORMAT "\n", name, value);
}

static const struct {
    enum xc_action action;
    const char *function;
} actions[] = {
    {XC_ACTION_START, "do_create"},
    {XC_ACTION_CREATE, "do_create"},
    {XC_ACTION_SHUTDOWN, "do_shutdown"},
    {XC_ACTION_REBOOT, "do_reboot"},
    {XC_ACTION_PAUSE, "do_pause"},
    {XC_ACTION_UNPAUSE, "do_unpause"},
    {XC_ACTION_SUSPEND, "do_suspend"},
    {XC_ACTION_RESUME, "do_resume"},
    {XC_ACTION_DESTROY, "do_destroy"},
    {XC_ACTION_RESET, "do_reset"},
    {XC_ACTION_MIGRATE, "do_migrate"},
    {XC_ACTION_SET_MEMORY, "do_set_memory"},
    {XC_ACTION_SET_VCPUS, "do_set_vcpus"},
    {XC_ACTION_SET_WEIGHT, "do_schedule -w weight"},
    {XC_ACTION_SET_CAP, "do_schedule -c cap"},
    {XC_ACTION_DUMP_CORE, "do_dump_core"},
    {XC_ACTION_NMI, "do_nmi"},
};

static const char *function_of(enum xc_action action)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(actions); i++)
        if (actions[i].action == action)
            return actions[i].function;
    return "finish failed notSupported";
}

static char *job_text(const struct xl_job *job)
{
    GString *text = g_string_new(NULL);

    xl_assign(text, "op", job->op);
    xl_assign(text, "uuid", job->uuid);
    xl_assign(text, "name", job->name);
    xl_assign(text, "after", job->after);
    xl_assign(text, "after_name", job->after_name);
    xl_assign(text, "config", job->config);
    xl_assign(text, "save_dir", job->save_dir);
    xl_assign(text, "label", job->label);
    xl_assign(text, "address", job->address);
    xl_assign(text, "ssh", "ssh " XL_SSH_OPTIONS);
    assign_number(text, "domid", job->domid);
    assign_number(text, "limit", job->limit_sec);
    assign_number(text, "amount", job->amount);
    g_string_append(text, job_report_sh);
    g_string_append(text, job_tools_sh);
    g_string_append(text, job_actions_sh);
    if (xc_action_info(job->action)->needs_save_dir)
        g_string_append(text, job_suspend_sh);
    g_string_append(text, function_of(job->action));
    g_string_append(text, "\nfinish failed internal\n");
    return g_string_free(text, FALSE);
}

char *xl_job_launch(const struct xl_job *job)
{
    g_autofree char *inner = job_text(job);
    GString *text = g_string_new(NULL);

    xl_assign(text, "op", job->op);
    xl_assign(text, "job", inner);
    if (job->content_size)
        assign_number(text, "size", (int64_t)job->content_size);
    else
        xl_assign(text, "size", "");
    g_string_append(text, job_report_sh);
    g_string_append(text, job_launch_sh);
    return g_string_free(text, FALSE);
}

static char *small_script(const char *op, const char *first, const char *second)
{
    GString *text = g_string_new(NULL);

    xl_assign(text, "op", op);
    g_string_append_printf(text, "%s%s%sreport\n", job_report_sh, first, second);
    return g_string_free(text, FALSE);
}

char *xl_job_query(const char *op)
{
    return small_script(op, "", "");
}

char *xl_job_forbid(const char *op)
{
    return small_script(op, job_forbid_sh, "");
}

char *xl_job_cancel(const char *op)
{
    return small_script(op, job_forbid_sh, job_cancel_sh);
}

/* --- the report */

void xl_report_clear(struct xl_report *report)
{
    g_free(report->boot_id);
    g_free(report->phase);
    g_free(report->note);
    g_free(report->err);
    memset(report, 0, sizeof *report);
}

static const char *const state_names[] = {"absent", "starting", "running", "done", "dead"};

static bool take_state(const char *value, struct xl_report *out)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(state_names); i++) {
        if (strcmp(value, state_names[i]) == 0) {
            out->state = (enum xl_job_state)i;
            return true;
        }
    }
    return false;
}

/* "RESULT CAUSE EXIT" with the labels of the model; cause "-": look at err. */
static bool take_status(const char *value, struct xl_report *out)
{
    g_auto(GStrv) words = g_strsplit(value, " ", 4);
    int64_t status;

    if (g_strv_length(words) != 3 || !xc_text_to_i64(words[2], 0, 255, &status, NULL))
        return false;
    out->result = (enum xc_result)xc_enum_number(&xc_result_labels, words[0]);
    out->cause = strcmp(words[1], "-") == 0
                     ? XC_CAUSE_NONE
                     : (enum xc_cause)xc_enum_number(&xc_cause_labels, words[1]);
    out->status = (int)status;
    return out->result != 0 && out->cause != 0;
}

static void take_text(char **to, const char *value, size_t max)
{
    g_free(*to);
    *to = xc_text_clean(value, strlen(value), max);
}

/* One "key value" line. False: of no use to us; a newer job may say more than we know. */
static bool take_line(const char *line, struct xl_report *out)
{
    const char *space = strchr(line, ' ');
    g_autofree char *key = space ? g_strndup(line, (gsize)(space - line)) : NULL;

    if (!key)
        return false;
    if (strcmp(key, "state") == 0)
        return take_state(space + 1, out);
    if (strcmp(key, "status") == 0)
        return take_status(space + 1, out);
    if (strcmp(key, "boot") == 0)
        take_text(&out->boot_id, space + 1, 64);
    else if (strcmp(key, "phase") == 0)
        take_text(&out->phase, space + 1, 80);
    else if (strcmp(key, "note") == 0)
        take_text(&out->note, space + 1, 400);
    return false;
}

bool xl_report_parse(GString *text, struct xl_report *out, GError **error)
{
    const char *at = text->str;
    bool state = false, status = false, complete = false;

    memset(out, 0, sizeof *out);
    /* xl may quote a guest's octets; a NUL would hide what follows. */
    for (gsize i = 0; i < text->len; i++)
        if (!text->str[i])
            text->str[i] = '?';
    if (text->len <= REPORT_MAX) {
        while (*at && !complete) {
            size_t length = strcspn(at, "\n");
            g_autofree char *line = g_strndup(at, length);

            complete = strcmp(line, "--") == 0;
            state |= g_str_has_prefix(line, "state ") && take_line(line, out);
            status |= g_str_has_prefix(line, "status ") && take_line(line, out);
            take_line(line, out);
            at += length + (at[length] == '\n');
        }
    }
    out->err = g_strdup(at);
    if (!out->boot_id)
        out->boot_id = g_strdup("");
    if (!out->phase)
        out->phase = g_strdup("");
    if (!out->note)
        out->note = g_strdup("");
    if (complete && state && (status || out->state != XL_JOB_DONE))
        return true;
    xl_report_clear(out);
    return xc_fail(error, XC_CAUSE_DRIVER_ERROR,
                   "the host's report about the operation is unreadable");
}

/* The last one found counts. */
static const struct {
    const char *words;
    const char *phase;
} migrate_phases[] = {
    {"migration target: Ready to receive", "connected to the destination"},
    {"Saving to migration stream", "sending memory"},
    {"migration target: Transfer complete", "the destination has it"},
    {"Target has acknowledged transfer", "the destination has it"},
    {"Giving target permission to start", "handing over"},
    {"Target reports successful startup", "running on the destination"},
    {"resuming at sender", "resuming here"},
};

const char *xl_migrate_phase(const char *err)
{
    const char *phase = NULL;

    for (unsigned i = 0; i < G_N_ELEMENTS(migrate_phases); i++)
        if (strstr(err, migrate_phases[i].words))
            phase = migrate_phases[i].phase;
    return phase;
}
