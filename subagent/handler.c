/* From net-snmp's requests to the engine and back. */
#include "subagent/handler.h"

#include "subagent/set.h"
#include "xenclient/util/clock.h"

static void put_value(netsnmp_variable_list *var, u_char asn, const struct st_value *value)
{
    if (asn == ASN_OCTET_STR || asn == ASN_OBJECT_ID) {
        snmp_set_var_typed_value(var, asn, value->octets, value->length);
    } else if (asn == ASN_COUNTER64) {
        const struct counter64 wide = {.high = (u_long)(value->number >> 32),
                                       .low = (u_long)(value->number & G_MAXUINT32)};

        snmp_set_var_typed_value(var, asn, &wide, sizeof(wide));
    } else {
        const long number =
            asn == ASN_INTEGER ? (long)(int32_t)value->number : (long)(value->number & G_MAXUINT32);

        snmp_set_var_typed_value(var, asn, &number, sizeof(number));
    }
}

static void get(struct st_mib *mib, netsnmp_agent_request_info *reqinfo,
                netsnmp_request_info *request)
{
    netsnmp_variable_list *var = request->requestvb;
    struct st_value value;
    u_char asn = 0;

    switch (st_mib_get(mib, var->name, var->name_length, &value, &asn)) {
    case ST_FOUND:
        put_value(var, asn, &value);
        break;
    case ST_NO_OBJECT:
        netsnmp_set_request_error(reqinfo, request, SNMP_NOSUCHOBJECT);
        break;
    case ST_NO_INSTANCE:
        netsnmp_set_request_error(reqinfo, request, SNMP_NOSUCHINSTANCE);
        break;
    }
}

/* A varbind without an answer tells net-snmp to go on behind our tree. */
static void get_next(struct st_mib *mib, netsnmp_request_info *request)
{
    netsnmp_variable_list *var = request->requestvb;
    struct st_value value;
    oid next[MAX_OID_LEN];
    size_t length = 0;
    u_char asn = 0;

    if (!st_mib_next(mib, var->name, var->name_length, next, &length, &value, &asn))
        return;
    snmp_set_var_objid(var, next, length);
    put_value(var, asn, &value);
}

static void note_call(struct st_longest *longest, gint64 began)
{
    gint64 now = g_get_monotonic_time();
    gint64 minute = now / (60 * XC_USEC_PER_SEC);

    if (minute != longest->minute) {
        longest->before_usec = minute == longest->minute + 1 ? longest->now_usec : 0;
        longest->now_usec = 0;
        longest->minute = minute;
    }
    longest->now_usec = MAX(longest->now_usec, (uint64_t)(now - began));
}

uint64_t st_mib_longest_call(const struct st_mib *mib)
{
    return MAX(mib->longest.now_usec, mib->longest.before_usec);
}

int st_mib_handler(netsnmp_mib_handler *handler, netsnmp_handler_registration *registration,
                   netsnmp_agent_request_info *reqinfo, netsnmp_request_info *requests)
{
    const struct st_served *served = registration->my_reg_void;
    struct st_mib *mib = served->mib;
    gint64 began = g_get_monotonic_time();

    (void)handler;
    mib->context = served->context;
    if (reqinfo->mode == MODE_GET || reqinfo->mode == MODE_GETNEXT) {
        for (netsnmp_request_info *request = requests; request; request = request->next) {
            if (request->processed)
                continue;
            if (reqinfo->mode == MODE_GET)
                get(mib, reqinfo, request);
            else
                get_next(mib, request);
        }
    } else {
        st_set_phase(mib, reqinfo, requests);
    }
    note_call(&mib->longest, began);
    return SNMP_ERR_NOERROR;
}
