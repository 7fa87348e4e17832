/* A SET as xenctl sends it, and its refusals explained. */
#include "tools/xenctl/request.h"

#include "xenclient/util/error.h"

#include <string.h>

void ctl_request_number(struct ctl_request *request, struct sn_oid oid, enum sn_id object,
                        int64_t number)
{
    g_return_if_fail(request->n < CTL_REQUEST_MAX);
    request->writes[request->n++] = (struct sn_write){
        .oid = oid,
        .type = sn_object(object)->base == SN_BASE_INTEGER ? 'i' : 'u',
        .number = number,
    };
}

void ctl_request_text(struct ctl_request *request, struct sn_oid oid, const char *text)
{
    g_return_if_fail(request->n < CTL_REQUEST_MAX);
    if (text)
        request->writes[request->n++] =
            (struct sn_write){.oid = oid, .type = 's', .text = text, .length = strlen(text)};
}

/* --- the agent's own words about a refusal */
enum { ERROR_OBJECT, ERROR_STATUS, ERROR_CAUSE, ERROR_TEXT, N_ERROR_COLUMNS };

static struct sn_table *fetch_errors(struct sn_session *session)
{
    const struct sn_oid columns[N_ERROR_COLUMNS] = {
        sn_oid_of(xenSetErrorObject), sn_oid_of(xenSetErrorStatus), sn_oid_of(xenSetErrorCause),
        sn_oid_of(xenSetErrorText)};

    return sn_table_fetch(session, columns, N_ERROR_COLUMNS, NULL);
}

/* The newest row's number: what is explained later must be newer. */
static uint32_t newest_error(struct sn_session *session)
{
    g_autoptr(sn_table) table = fetch_errors(session);

    if (!table || table->rows->len == 0)
        return 0;
    return sn_table_at(table, table->rows->len - 1)->index.id[0];
}

static const struct sn_row *find_error(const struct sn_table *table, uint32_t after,
                                       const char *object, int status)
{
    for (unsigned i = table->rows->len; i > 0; i--) {
        const struct sn_row *row = sn_table_at(table, i - 1);

        if (row->index.id[0] <= after)
            return NULL;
        if ((!object || g_str_equal(sn_value_text(&row->cells[ERROR_OBJECT]), object)) &&
            sn_value_number(&row->cells[ERROR_STATUS], -1) == status)
            return row;
    }
    return NULL;
}

/* --- refusals that xensnmpd never saw: made by the master agent */
static const struct {
    int status;
    const char *text;
} master_refusals[] = {
    {XC_SNMP_NO_ACCESS,
     "snmpd does not let this user or community write there: give it a write view in snmpd.conf"},
    {XC_SNMP_NOT_WRITABLE,
     "either control is off (control = no in xensnmpd.conf) or xensnmpd is not connected to snmpd; "
     "xenctl doctor tells"},
    {XC_SNMP_NO_CREATION, "there is no such row, or xensnmpd is not connected to snmpd"},
    {XC_SNMP_GEN_ERR,
     "xensnmpd did not answer snmpd in time; look at xenctl ops before trying again"},
};

static const char *master_text(int status)
{
    for (size_t i = 0; i < G_N_ELEMENTS(master_refusals); i++)
        if (master_refusals[i].status == status)
            return master_refusals[i].text;
    return "the agent left no explanation";
}

static char *object_name(const struct ctl_request *request, unsigned index)
{
    enum sn_id id = index < request->n ? sn_object_of(&request->writes[index].oid) : SN_NONE;

    return g_strdup(id == SN_NONE ? "request" : sn_object(id)->name);
}

static int explain(struct ctl *ctl, const struct ctl_request *request, uint32_t after,
                   const struct sn_refusal *refusal, const char *what)
{
    bool named = refusal->index < request->n;
    g_autofree char *oid = named ? sn_oid_format(&request->writes[refusal->index].oid) : NULL;
    g_autofree char *name = object_name(request, refusal->index);
    g_autoptr(sn_table) table = fetch_errors(ctl->session);
    const struct sn_row *row = table ? find_error(table, after, oid, refusal->status) : NULL;
    const struct xc_error_info *info;
    int cause;

    if (!row)
        return ctl_say(ctl, CTL_REFUSED, "%s refused: %s (%s, %s)", what,
                       master_text(refusal->status), name, refusal->name);
    cause = (int)sn_value_number(&row->cells[ERROR_CAUSE], 0);
    info = xc_error_info(cause);
    return ctl_say(ctl, CTL_REFUSED, "%s refused: %s (%s; %s, %s). Cure: %s", what,
                   sn_value_text(&row->cells[ERROR_TEXT]), info->label, name, refusal->name,
                   info->advice);
}

int ctl_request_send(struct ctl *ctl, const struct ctl_request *request, const char *what)
{
    g_autoptr(GError) error = NULL;
    struct sn_session *session = ctl_session(ctl, &error);
    struct sn_refusal refusal;
    uint32_t after;

    if (!session)
        return ctl_fail(ctl, error);
    after = newest_error(session);
    if (sn_set(session, request->writes, request->n, &refusal, &error))
        return CTL_OK;
    if (refusal.status)
        return explain(ctl, request, after, &refusal, what);
    if (g_error_matches(error, SN_ERROR, SN_ERROR_TIMEOUT))
        return ctl_say(ctl, CTL_UNREACHABLE,
                       "%s: %s. It is not known whether the request arrived: look at xenctl ops "
                       "before trying again",
                       what, error->message);
    return ctl_fail(ctl, error);
}
