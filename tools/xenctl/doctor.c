/* doctor: from the client's own file to the age of the data, each finding with its cure. */
#include "tools/xenctl/doctor.h"

#include "tools/xenctl/text.h"

#include "xenclient/util/error.h"

#include <string.h>

/* A GETBULK of this many rows tells how many values an answer may hold. */
#define BULK_ASKED 500u
#define BULK_GOAL  200u
/* Data may be this many intervals old, and a poll's time on top. */
#define AGE_INTERVALS 3
#define AGE_GRACE_SEC 30

void doctor_find(struct doctor *doctor, enum verdict verdict, const char *cure, const char *format,
                 ...)
{
    struct finding finding = {.check = doctor->check, .verdict = verdict, .cure = g_strdup(cure)};
    va_list args;

    va_start(args, format);
    finding.text = g_strdup_vprintf(format, args);
    va_end(args);
    g_array_append_val(doctor->findings, finding);
}

/* --- reading scalars */
static char *scalar_text(struct doctor *doctor, enum sn_id id)
{
    const struct sn_oid oid = sn_oid_scalar(id);
    struct sn_value value;
    char *text = NULL;

    if (sn_get(doctor->ctl->session, &oid, 1, &value, NULL))
        text = sn_format(id, &value);
    sn_value_clear(&value);
    return text;
}

/* --- checks */
static bool is_loopback(const char *host)
{
    return g_str_has_prefix(host, "127.") || g_str_equal(host, "localhost") ||
           g_str_equal(host, "::1") || g_str_equal(host, "ip6-localhost");
}

static void check_client(struct doctor *doctor)
{
    struct ctl *ctl = doctor->ctl;
    g_autoptr(GError) error = NULL;
    g_autofree char *name = NULL;

    if (ctl_session(ctl, &error))
        doctor->master = true;
    if (!ctl->has_settings) {
        doctor_find(doctor, ILL, "mend the file; docs/xenctl.md shows one", "%s", error->message);
        return;
    }
    name = sn_settings_host_name(&ctl->settings);
    doctor->local = is_loopback(name) || ctl->opt.snmpd_conf;
    doctor_find(doctor, WELL, NULL, "%s, SNMP version %s", ctl->settings.host,
                ctl->settings.version == 3 ? "3" : "2c");
    if (error)
        doctor_find(doctor, ILL, "see the text", "%s", error->message);
}

static void check_master(struct doctor *doctor)
{
    static const char up_time[] = "1.3.6.1.2.1.1.3.0";
    struct sn_oid oid;
    struct sn_value value = {0};
    g_autoptr(GError) error = NULL;

    if (!doctor->master)
        return;
    sn_oid_parse(up_time, &oid);
    doctor->master = sn_get(doctor->ctl->session, &oid, 1, &value, &error);
    if (!doctor->master)
        doctor_find(doctor, ILL,
                    "start snmpd; check agentAddress, firewall, and the user or community", "%s",
                    error->message);
    else
        doctor_find(doctor, WELL, NULL, "snmpd answers");
    sn_value_clear(&value);
}

static void check_agent(struct doctor *doctor)
{
    g_autofree char *version = doctor->master ? scalar_text(doctor, xenAgentVersion) : NULL;
    g_autofree char *state = NULL;
    g_autofree char *reason = NULL;

    if (!doctor->master)
        return;
    doctor->agent = version != NULL;
    if (!version) {
        doctor_find(
            doctor, ILL,
            "start xensnmpd and read its log; let this user or community read the subtree of "
            "XENSNMP-MIB in snmpd.conf",
            "snmpd has nothing from xensnmpd");
        return;
    }
    state = scalar_text(doctor, xenAgentState);
    reason = scalar_text(doctor, xenAgentReason);
    if (!g_str_equal(version, XENSNMP_VERSION))
        doctor_find(doctor, ILL, "install the same version of both",
                    "xensnmpd is version %s, xenctl %s", version, XENSNMP_VERSION);
    if (g_strcmp0(state, "ok") == 0)
        doctor_find(doctor, WELL, NULL, "xensnmpd %s is ok", version);
    else
        doctor_find(doctor, ILL, "see the sources below, and the log of xensnmpd",
                    "xensnmpd is %s: %s", state, reason ? reason : "");
}

static void check_control(struct doctor *doctor)
{
    g_autofree char *enabled = doctor->agent ? scalar_text(doctor, xenControlEnabled) : NULL;

    if (enabled)
        doctor_find(doctor, WELL, NULL, "%s",
                    g_str_equal(enabled, "true")
                        ? "control is on"
                        : "control is off (control = no): every SET is refused");
}

/* --- sources */
enum { S_LABEL, S_ENABLED, S_STATE, S_TEXT, S_CAUSE, S_INTERVAL, S_AGE, N_S };

static struct sn_table *fetch_sources(struct doctor *doctor, GError **error)
{
    static const enum sn_id ids[N_S] = {xenSourceLabel,     xenSourceEnabled, xenSourceState,
                                        xenSourceStateText, xenSourceCause,   xenSourceInterval,
                                        xenSourceDataAge};
    struct sn_oid columns[N_S];

    for (unsigned i = 0; i < N_S; i++)
        columns[i] = sn_oid_of(ids[i]);
    return sn_table_fetch(doctor->ctl->session, columns, N_S, error);
}

static bool is_enabled(const struct sn_row *row)
{
    return sn_value_number(&row->cells[S_ENABLED], 0) == sn_label_number(xenSourceEnabled, "true");
}

/* True when something was found. */
static bool check_source(struct doctor *doctor, const struct sn_row *row)
{
    const char *label = sn_value_text(&row->cells[S_LABEL]);
    int64_t interval = sn_value_number(&row->cells[S_INTERVAL], 10);
    int64_t age = sn_value_number(&row->cells[S_AGE], -1);
    g_autofree char *state = sn_format(xenSourceState, &row->cells[S_STATE]);

    if (!is_enabled(row))
        return false;
    if (g_strcmp0(state, "up") != 0) {
        int cause = (int)sn_value_number(&row->cells[S_CAUSE], 0);

        doctor_find(doctor, ILL, xc_error_info(cause)->advice, "source %s is %s: %s", label, state,
                    sn_value_text(&row->cells[S_TEXT]));
        return true;
    }
    if (age <= interval * AGE_INTERVALS + AGE_GRACE_SEC)
        return false;
    doctor_find(doctor, ILL, "read the log of xensnmpd",
                "source %s: data are %" G_GINT64_FORMAT " s old, its interval is %" G_GINT64_FORMAT
                " s",
                label, age, interval);
    return true;
}

static void check_sources(struct doctor *doctor)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(sn_table) table = NULL;
    unsigned found = 0;

    if (!doctor->agent)
        return;
    table = fetch_sources(doctor, &error);
    if (!table) {
        doctor_find(doctor, ILL, "see the text", "%s", error->message);
        return;
    }
    for (unsigned i = 0; i < table->rows->len; i++)
        found += check_source(doctor, sn_table_at(table, i));
    if (table->rows->len == 0)
        doctor_find(doctor, ILL, "xenctl source add KEY URI", "no source is registered");
    else if (!found)
        doctor_find(doctor, WELL, NULL, "%u sources, all enabled ones up and fresh",
                    table->rows->len);
}

/* --- how many values an answer holds */
static void check_bulk(struct doctor *doctor)
{
    const struct sn_oid all = {.n = 4, .id = {1, 3, 6, 1}};
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) binds = NULL;
    bool ended;

    if (!doctor->master)
        return;
    binds = sn_bulk(doctor->ctl->session, &all, 1, BULK_ASKED, &error);
    if (!binds || binds->len == 0) {
        doctor_find(doctor, ILL, "see maxGetbulkResponses and sendMessageMaxSize",
                    "no answer to a GETBULK: %s", error ? error->message : "it was empty");
        return;
    }
    ended = !sn_present(&g_array_index(binds, struct sn_bind, binds->len - 1).value);
    if (ended || binds->len >= BULK_GOAL)
        doctor_find(doctor, WELL, NULL, "a GETBULK brings %u values", binds->len);
    else
        doctor_find(doctor, ILL,
                    "put the line  maxGetbulkResponses 1000  into snmpd.conf and restart snmpd",
                    "a GETBULK brings %u values only: walks are slow", binds->len);
}

/* --- all of them, in the order in which one needs the other */
static const struct {
    const char *name;
    doctor_check run;
} checks[] = {
    {"client", check_client},           {"snmpd", check_master},
    {"xensnmpd", check_agent},          {"control", check_control},
    {"sources", check_sources},         {"answers", check_bulk},
    {"snmpd.conf", doctor_check_files}, {"agentx socket", doctor_check_socket},
};

static const char *const verdicts[] = {[WELL] = "ok", [ILL] = "ILL", [NOT_CHECKED] = "--"};

static void print_finding(const struct finding *finding)
{
    g_autofree char *text = ctl_escape(finding->text, strlen(finding->text));

    printf("%-3s %-14s %s\n", verdicts[finding->verdict], finding->check, text);
    if (finding->verdict == ILL && finding->cure)
        printf("    %-14s cure: %s\n", "", finding->cure);
}

static void print_json(const GArray *findings)
{
    struct json json;
    g_autofree char *out = NULL;

    json_init(&json);
    json_open_array(&json, NULL);
    for (unsigned i = 0; i < findings->len; i++) {
        const struct finding *finding = &g_array_index(findings, struct finding, i);

        json_open_object(&json, NULL);
        json_text(&json, "check", finding->check);
        json_text(&json, "verdict",
                  finding->verdict == NOT_CHECKED ? "notChecked"
                  : finding->verdict == WELL      ? "ok"
                                                  : "ill");
        json_text(&json, "text", finding->text);
        json_text(&json, "cure", finding->cure);
        json_close_object(&json);
    }
    json_close_array(&json);
    out = json_finish(&json);
    printf("%s\n", out);
}

static void finding_clear(gpointer data)
{
    struct finding *finding = data;

    g_free(finding->text);
    g_free(finding->cure);
}

static int conclude(const struct ctl *ctl, const GArray *findings)
{
    unsigned ill = 0;

    for (unsigned i = 0; i < findings->len; i++) {
        const struct finding *finding = &g_array_index(findings, struct finding, i);

        ill += finding->verdict == ILL;
        if (!ctl->opt.json)
            print_finding(finding);
    }
    if (ctl->opt.json)
        print_json(findings);
    else
        printf("%s\n", ill ? "not well" : "all well");
    return ill ? CTL_FAILED : CTL_OK;
}

void doctor_init(struct doctor *doctor, struct ctl *ctl)
{
    *doctor = (struct doctor){.ctl = ctl};
    doctor->findings = g_array_new(FALSE, FALSE, sizeof(struct finding));
    g_array_set_clear_func(doctor->findings, finding_clear);
}

int doctor_end(struct doctor *doctor)
{
    int code = conclude(doctor->ctl, doctor->findings);

    g_array_unref(doctor->findings);
    return code;
}

int ctl_doctor(struct ctl *ctl)
{
    struct doctor doctor;

    doctor_init(&doctor, ctl);
    for (size_t i = 0; i < G_N_ELEMENTS(checks); i++) {
        doctor.check = checks[i].name;
        checks[i].run(&doctor);
    }
    return doctor_end(&doctor);
}
