/* GET, GETBULK and SET: varbinds to and from net-snmp's form. */
#include "snmpclient/session_private.h"

#include <string.h>

/* Varbinds in a GET: their answers stay well below 64 KiB with strings of 255 octets. */
#define GET_BATCH ((size_t)64)

static void set_status_error(GError **error, const struct sn_session *session, long status)
{
    int code = status == SNMP_ERR_AUTHORIZATIONERROR ? SN_ERROR_AUTH : SN_ERROR_REFUSED;

    g_set_error(error, SN_ERROR, code, "%s: %s%s", session->host, sn_status_name((int)status),
                code == SN_ERROR_AUTH ? ": snmpd.conf grants this user or community no access"
                                      : "");
}

/* --- varbinds */
static struct sn_oid from_oid(const oid *ids, size_t n)
{
    struct sn_oid out = {.n = (unsigned)MIN(n, (size_t)SN_OID_MAX)};

    for (unsigned i = 0; i < out.n; i++)
        out.id[i] = (uint32_t)ids[i];
    return out;
}

static size_t to_oid(const struct sn_oid *from, oid *ids)
{
    for (unsigned i = 0; i < from->n; i++)
        ids[i] = from->id[i];
    return from->n;
}

static void take_bytes(struct sn_value *out, const netsnmp_variable_list *var)
{
    out->type = SN_BYTES;
    out->length = var->val_len;
    out->bytes = g_malloc(var->val_len + 1);
    if (var->val_len)
        memcpy(out->bytes, var->val.string, var->val_len);
    out->bytes[var->val_len] = '\0';
}

static void take_value(struct sn_value *out, const netsnmp_variable_list *var)
{
    struct sn_oid id;

    switch (var->type) {
    case ASN_INTEGER:
        out->type = SN_INTEGER;
        out->integer = *var->val.integer;
        break;
    case ASN_GAUGE:
    case ASN_COUNTER:
    case ASN_TIMETICKS:
    case ASN_UINTEGER:
        out->type = SN_UNSIGNED;
        out->number = (uint32_t)*var->val.integer;
        break;
    case ASN_COUNTER64:
        out->type = SN_UNSIGNED;
        out->number =
            (uint64_t)(uint32_t)var->val.counter64->high << 32 | (uint32_t)var->val.counter64->low;
        break;
    case ASN_OCTET_STR:
    case ASN_IPADDRESS:
    case ASN_OPAQUE:
    case ASN_BIT_STR:
        take_bytes(out, var);
        break;
    case ASN_OBJECT_ID:
        id = from_oid(var->val.objid, var->val_len / sizeof(oid));
        out->type = SN_OID;
        out->bytes = sn_oid_format(&id);
        out->length = strlen(out->bytes);
        break;
    default: /* noSuchObject, noSuchInstance, endOfMibView */
        break;
    }
}

static void add_nulls(netsnmp_pdu *pdu, const struct sn_oid *oids, size_t n)
{
    oid ids[SN_OID_MAX];

    for (size_t i = 0; i < n; i++)
        snmp_add_null_var(pdu, ids, to_oid(&oids[i], ids));
}

/* --- GET */
static bool take_answers(const netsnmp_pdu *answer, size_t n, struct sn_value *out)
{
    size_t i = 0;

    for (const netsnmp_variable_list *var = answer->variables; var; var = var->next_variable) {
        if (i == n)
            return false;
        take_value(&out[i++], var);
    }
    return i == n;
}

static bool get_some(struct sn_session *session, const struct sn_oid *oids, size_t n,
                     struct sn_value *out, GError **error)
{
    netsnmp_pdu *request = snmp_pdu_create(SNMP_MSG_GET);
    netsnmp_pdu *answer;
    long status;
    bool ok;

    add_nulls(request, oids, n);
    answer = sn_exchange(session, request, session->tries, error);
    if (!answer)
        return false;
    status = answer->errstat;
    ok = status == SNMP_ERR_NOERROR && take_answers(answer, n, out);
    snmp_free_pdu(answer);
    if (status == SNMP_ERR_TOOBIG && n > 1)
        return get_some(session, oids, n / 2, out, error) &&
               get_some(session, oids + n / 2, n - n / 2, out + n / 2, error);
    if (status != SNMP_ERR_NOERROR)
        set_status_error(error, session, status);
    else if (!ok)
        g_set_error(error, SN_ERROR, SN_ERROR_PROTOCOL, "%s: the answer has not what was asked",
                    session->host);
    return ok;
}

bool sn_get(struct sn_session *session, const struct sn_oid *oids, size_t n, struct sn_value *out,
            GError **error)
{
    memset(out, 0, n * sizeof(*out));
    for (size_t i = 0; i < n; i += GET_BATCH)
        if (!get_some(session, oids + i, MIN(GET_BATCH, n - i), out + i, error))
            return false;
    return true;
}

/* --- GETBULK */
static void clear_bind(gpointer bind)
{
    sn_value_clear(&((struct sn_bind *)bind)->value);
}

static GArray *take_binds(const netsnmp_pdu *answer)
{
    GArray *binds = g_array_new(FALSE, TRUE, sizeof(struct sn_bind));

    g_array_set_clear_func(binds, clear_bind);
    for (const netsnmp_variable_list *var = answer->variables; var; var = var->next_variable) {
        struct sn_bind bind = {.oid = from_oid(var->name, var->name_length)};

        take_value(&bind.value, var);
        g_array_append_val(binds, bind);
    }
    return binds;
}

GArray *sn_bulk(struct sn_session *session, const struct sn_oid *oids, size_t n,
                unsigned repetitions, GError **error)
{
    netsnmp_pdu *request = snmp_pdu_create(SNMP_MSG_GETBULK);
    netsnmp_pdu *answer;
    GArray *binds = NULL;
    long status;

    request->non_repeaters = 0;
    request->max_repetitions = repetitions;
    add_nulls(request, oids, n);
    answer = sn_exchange(session, request, session->tries, error);
    if (!answer)
        return NULL;
    status = answer->errstat;
    if (status == SNMP_ERR_NOERROR)
        binds = take_binds(answer);
    snmp_free_pdu(answer);
    if (status == SNMP_ERR_TOOBIG && repetitions > 1)
        return sn_bulk(session, oids, n, repetitions / 2, error);
    if (!binds)
        set_status_error(error, session, status);
    return binds;
}

/* --- SET */
static void add_write(netsnmp_pdu *pdu, const struct sn_write *write)
{
    oid ids[SN_OID_MAX];
    size_t n = to_oid(&write->oid, ids);
    long number = (long)write->number;

    if (write->type == 'i')
        snmp_pdu_add_variable(pdu, ids, n, ASN_INTEGER, &number, sizeof(number));
    else if (write->type == 'u')
        snmp_pdu_add_variable(pdu, ids, n, ASN_UNSIGNED, &number, sizeof(number));
    else
        snmp_pdu_add_variable(pdu, ids, n, ASN_OCTET_STR, write->text, write->length);
}

/* A SET goes out once: neither the master nor the agent can tell a copy from a second wish. It has the time of
 * all tries of a read instead. */
static netsnmp_pdu *exchange_once(struct sn_session *session, netsnmp_pdu *request, GError **error)
{
    netsnmp_session *opaque = snmp_sess_session(session->handle);
    netsnmp_pdu *answer;

    if (session->write_community) {
        request->community = (u_char *)strdup(session->write_community);
        request->community_len = strlen(session->write_community);
    }
    opaque->timeout = session->timeout_usec * session->tries;
    answer = sn_exchange(session, request, 1, error);
    opaque->timeout = session->timeout_usec;
    return answer;
}

bool sn_set(struct sn_session *session, const struct sn_write *writes, size_t n,
            struct sn_refusal *refusal_out, GError **error)
{
    netsnmp_pdu *request = snmp_pdu_create(SNMP_MSG_SET);
    struct sn_refusal refusal = {0};
    netsnmp_pdu *answer;
    bool answered;

    for (size_t i = 0; i < n; i++)
        add_write(request, &writes[i]);
    answer = exchange_once(session, request, error);
    answered = answer != NULL;
    if (answer) {
        refusal.status = (int)answer->errstat;
        refusal.name = sn_status_name(refusal.status);
        refusal.index = answer->errindex >= 1 && (size_t)answer->errindex <= n
                            ? (unsigned)answer->errindex - 1
                            : (unsigned)n;
        snmp_free_pdu(answer);
        if (refusal.status)
            g_set_error(error, SN_ERROR, SN_ERROR_REFUSED, "%s: %s", session->host, refusal.name);
    }
    if (refusal_out)
        *refusal_out = refusal;
    return answered && !refusal.status;
}
