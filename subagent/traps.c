/* Notifications as data: which objects each carries, and how they are named by an event. */
#include "subagent/traps.h"

#include "subagent/handler.h"
#include "subagent/schema.h"

#include <string.h>

/* RFC 2741, 6.1 and 7.1.1: what the library does not publish. */
#define AGENTX_NOTIFY             12
#define AGENTX_NETWORK_BYTE_ORDER 0x10
#define AGENTX_NOT_OPEN           257

#define PATIENCE_SEC 10

/* What an object's instance is named by. */
enum by { BY_SERIAL, BY_SCALAR, BY_EVENT, BY_DOMAIN, BY_HOST, BY_SOURCE, BY_OPERATION };

struct object {
    const char *name;
    enum by by;
};

/* In every notification but that of many. */
static const struct object common[] = {
    {"xenNotifyLastSerial", BY_SERIAL}, {"xenEventTime", BY_EVENT},   {"xenEventType", BY_EVENT},
    {"xenEventSeverity", BY_EVENT},     {"xenEventObject", BY_EVENT}, {"xenEventText", BY_EVENT},
};
/* Behind them, where they have a value when it is sent. */
static const struct object also[] = {
    {"xenDomainName", BY_DOMAIN},
    {"xenDomainUuid", BY_DOMAIN},
    {"xenDomainState", BY_DOMAIN},
    {"xenDomainReason", BY_DOMAIN},
    {"xenHostLabel", BY_HOST},
    {"xenHostState", BY_HOST},
    {"xenSourceLabel", BY_SOURCE},
    {"xenSourceCause", BY_SOURCE},
    {"xenOperationAction", BY_OPERATION},
    {"xenOperationResult", BY_OPERATION},
    {"xenOperationCause", BY_OPERATION},
};
static const struct object of_many[] = {
    {"xenNotifyLastSerial", BY_SERIAL},   {"xenNotifyBulkCount", BY_SCALAR},
    {"xenNotifyBulkFirst", BY_SCALAR},    {"xenNotifyBulkLast", BY_SCALAR},
    {"xenNotifyBulkSeverity", BY_SCALAR}, {"xenNotifyBulkText", BY_SCALAR},
};
#define N_OBJECTS (G_N_ELEMENTS(common) + G_N_ELEMENTS(also) + G_N_ELEMENTS(of_many))

/* The one object more that the MIB says a notification carries: named by the event alone where the object is gone. */
static const struct {
    enum xc_event_type type;
    const char *name, *object;
} traps_of[] = {
    {XC_EVENT_DOMAIN_STATE, "xenNotifyDomainState", "xenDomainName"},
    {XC_EVENT_DOMAIN_CREATED, "xenNotifyDomainCreated", "xenDomainName"},
    {XC_EVENT_DOMAIN_DELETED, "xenNotifyDomainDeleted", "xenDomainName"},
    {XC_EVENT_DOMAIN_MOVED, "xenNotifyDomainMoved", "xenDomainName"},
    {XC_EVENT_DOMAIN_CRASHED, "xenNotifyDomainCrashed", "xenDomainName"},
    {XC_EVENT_HOST_DOWN, "xenNotifyHostDown", "xenHostLabel"},
    {XC_EVENT_HOST_UP, "xenNotifyHostUp", "xenHostLabel"},
    {XC_EVENT_HOST_UNAUTHORISED, "xenNotifyHostUnauthorised", "xenHostLabel"},
    {XC_EVENT_OPERATION_FINISHED, "xenNotifyOperationFinished", NULL},
    {XC_EVENT_OPERATION_FAILED, "xenNotifyOperationFailed", NULL},
    {XC_EVENT_THRESHOLD, "xenNotifyThreshold", NULL},
    {XC_EVENT_HOST_UNTRUSTED, "xenNotifyHostUntrusted", "xenHostLabel"},
    {XC_EVENT_SET_REFUSED, "xenNotifySetRefused", NULL},
    {XC_EVENT_AGENT_STARTED, "xenNotifyAgentStarted", NULL},
    {XC_EVENT_HYPERVISOR_MESSAGE, "xenNotifyHypervisorMessage", NULL},
};
#define BULK_ARC 19

struct st_traps {
    struct st_context *context;
    netsnmp_session *session; /* NULL: not connected */
    int request;              /* the library's number of the one on its way; 0 none */
    guint idle;               /* the engine is to be told that we are connected */
    const struct st_leaf *leaves[N_OBJECTS]; /* of common, also, of_many */
    struct xc_notify_sink sink;
};

/* --- varbinds */

/* What an event's varbinds are named by. */
struct names {
    uint32_t serial, domain, operation;
    const char *host, *source; /* "" none */
};

static void add_text(oid *to, size_t *n, const char *text)
{
    to[(*n)++] = strlen(text);
    for (; *text; text++)
        to[(*n)++] = (unsigned char)*text;
}

/* Appends the instance; false: the event names none. */
static bool add_instance(enum by by, const struct names *names, oid *to, size_t *n)
{
    const char *text = by == BY_HOST ? names->host : names->source;

    switch (by) {
    case BY_SERIAL:
    case BY_SCALAR:
        to[(*n)++] = 0;
        return true;
    case BY_EVENT:
        to[(*n)++] = names->serial;
        return true;
    case BY_DOMAIN:
        to[(*n)++] = names->domain;
        return names->domain != 0;
    case BY_OPERATION:
        to[(*n)++] = names->operation;
        return names->operation != 0;
    case BY_HOST:
    case BY_SOURCE:
        if (!*text || strlen(text) > 64)
            return false;
        add_text(to, n, text);
        return true;
    }
    return false;
}

/* instead: its value where the object has none, NULL: then it is left out. */
static void add(const struct st_traps *traps, netsnmp_variable_list **list,
                const struct st_leaf *leaf, enum by by, const struct names *names,
                const char *instead)
{
    struct st_mib *mib = traps->context->mib;
    struct st_value value;
    oid name[MAX_OID_LEN];
    size_t n = mib->root_length;
    u_char asn = leaf->asn;

    memcpy(name, mib->root, n * sizeof(oid));
    memcpy(name + n, leaf->prefix, leaf->length * sizeof(oid));
    n += leaf->length;
    if (!add_instance(by, names, name, &n))
        return;
    if (by == BY_SERIAL)
        st_number(&value, names->serial);
    else if (st_mib_get(mib, name, n, &value, &asn) != ST_FOUND &&
             (!instead || !st_text(&value, instead)))
        return;
    netsnmp_variable_list *var = snmp_varlist_add_variable(list, name, n, asn, NULL, 0);

    if (var)
        st_put_value(var, asn, &value);
}

static void add_trap_oid(const struct st_traps *traps, netsnmp_variable_list **list, uint32_t arc)
{
    static const oid trap_oid[] = {1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0};
    const struct st_mib *mib = traps->context->mib;
    oid value[MAX_OID_LEN];

    memcpy(value, mib->root, mib->root_length * sizeof(oid));
    value[mib->root_length] = 0;
    value[mib->root_length + 1] = arc;
    snmp_varlist_add_variable(list, trap_oid, G_N_ELEMENTS(trap_oid), ASN_OBJECT_ID, value,
                              (mib->root_length + 2) * sizeof(oid));
}

/* The source of what it is about: of its host, or the one it names itself. */
static const char *source_of(const struct xc_engine *engine, const struct xc_event *event)
{
    const struct xc_host_ref *host = *event->host ? xc_fleet_host(engine, event->host) : NULL;
    const struct xc_slot *slot = host ? host->slot
                                 : event->domain || event->op
                                     ? NULL
                                     : xc_fleet_source(engine, event->object);

    return slot ? slot->spec.key : "";
}

static int find_trap(enum xc_event_type type)
{
    for (size_t i = 0; i < G_N_ELEMENTS(traps_of); i++)
        if (traps_of[i].type == type)
            return (int)i;
    return -1;
}

netsnmp_variable_list *st_traps_varbinds(const struct st_traps *traps, const struct xc_event *event)
{
    const struct names names = {event->serial, event->domain, event->op, event->host,
                                source_of(traps->context->engine, event)};
    int trap = find_trap(event->type);
    netsnmp_variable_list *list = NULL;
    const struct st_leaf *const *leaf = traps->leaves;

    if (trap < 0)
        return NULL;
    add_trap_oid(traps, &list, event->type);
    for (size_t i = 0; i < G_N_ELEMENTS(common); i++)
        add(traps, &list, *leaf++, common[i].by, &names, NULL);
    /* What the MIB lists comes first. */
    for (int rest = 0; rest < 2; rest++)
        for (size_t i = 0; i < G_N_ELEMENTS(also); i++) {
            bool listed = g_strcmp0(also[i].name, traps_of[trap].object) == 0;
            const char *instead = also[i].by == BY_DOMAIN ? event->object : event->host;

            if (listed != rest)
                add(traps, &list, leaf[i], also[i].by, &names, listed ? instead : NULL);
        }
    return list;
}

static netsnmp_variable_list *bulk_varbinds(const struct st_traps *traps)
{
    const struct names names = {
        .serial = xc_notify_bulk(traps->context->engine)->last, .host = "", .source = ""};
    const struct st_leaf *const *leaf = traps->leaves + G_N_ELEMENTS(common) + G_N_ELEMENTS(also);
    netsnmp_variable_list *list = NULL;

    add_trap_oid(traps, &list, BULK_ARC);
    for (size_t i = 0; i < G_N_ELEMENTS(of_many); i++)
        add(traps, &list, leaf[i], of_many[i].by, &names, NULL);
    return list;
}

/* --- sending */

static int on_answer(int operation, netsnmp_session *session, int request, netsnmp_pdu *pdu,
                     void *data)
{
    struct st_traps *traps = data;
    bool arrived = operation == NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE;

    if (session != traps->session || request != traps->request)
        return 1;
    traps->request = 0;
    if (arrived && pdu->errstat)
        xc_log(XC_LOG_WARNING, "the master agent does not take a notification: error %ld",
               pdu->errstat);
    /* One that it can't read would stand in the way of all others for ever; a session it does not know is replaced. */
    xc_notify_told(traps->context->engine, arrived && pdu->errstat != AGENTX_NOT_OPEN);
    return 1;
}

static bool hand_over(struct st_traps *traps, netsnmp_variable_list *list)
{
    netsnmp_pdu *pdu = list ? snmp_pdu_create(AGENTX_NOTIFY) : NULL;

    if (!pdu) {
        snmp_free_varbind(list);
        return false;
    }
    pdu->variables = list;
    pdu->sessid = traps->session->sessid;
    pdu->time = PATIENCE_SEC;
    pdu->flags |= UCD_MSG_FLAG_PDU_TIMEOUT | (traps->session->flags & AGENTX_NETWORK_BYTE_ORDER);
    traps->request = snmp_async_send(traps->session, pdu, on_answer, traps);
    if (!traps->request)
        snmp_free_pdu(pdu);
    return traps->request != 0;
}

static bool ready(void *data)
{
    return ((const struct st_traps *)data)->session != NULL;
}

static bool send_event(const struct xc_event *event, void *data)
{
    return hand_over(data, st_traps_varbinds(data, event));
}

static bool send_bulk(void *data)
{
    return hand_over(data, bulk_varbinds(data));
}

static gboolean on_idle(gpointer data)
{
    struct st_traps *traps = data;

    traps->idle = 0;
    xc_notify_pump(traps->context->engine);
    return G_SOURCE_REMOVE;
}

void st_traps_connected(struct st_traps *traps, netsnmp_session *session)
{
    traps->session = session;
    if (traps->request) {
        traps->request = 0;
        xc_notify_told(traps->context->engine, false);
    }
    /* Not from here: the library is in the middle of something. */
    if (session && !traps->idle)
        traps->idle = g_idle_add(on_idle, traps);
}

/* --- set-up */

static const struct st_leaf *leaf_of(const struct st_mib *mib, const char *name)
{
    for (unsigned i = 0; i < mib->n_leaves; i++)
        if (strcmp(mib->leaves[i].column->name, name) == 0)
            return &mib->leaves[i];
    return NULL;
}

static bool find_leaves(struct st_traps *traps, GError **error)
{
    const struct {
        const struct object *objects;
        size_t n;
    } lists[] = {{common, G_N_ELEMENTS(common)},
                 {also, G_N_ELEMENTS(also)},
                 {of_many, G_N_ELEMENTS(of_many)}};
    const struct st_leaf **leaf = traps->leaves;

    for (size_t l = 0; l < G_N_ELEMENTS(lists); l++)
        for (size_t i = 0; i < lists[l].n; i++) {
            *leaf = leaf_of(traps->context->mib, lists[l].objects[i].name);
            if (!*leaf++)
                return xc_fail(error, XC_CAUSE_INTERNAL, "%s is in a notification and in no table",
                               lists[l].objects[i].name);
        }
    return true;
}

struct st_traps *st_traps_new(struct st_context *context, GError **error)
{
    struct st_traps *traps = g_new0(struct st_traps, 1);

    traps->context = context;
    traps->sink = (struct xc_notify_sink){ready, send_event, send_bulk, traps};
    if (!find_leaves(traps, error))
        return st_traps_free(traps);
    xc_notify_attach(context->engine, &traps->sink);
    return traps;
}

void *st_traps_free(struct st_traps *traps)
{
    if (!traps)
        return NULL;
    xc_notify_attach(traps->context->engine, NULL);
    if (traps->idle)
        g_source_remove(traps->idle);
    g_free(traps);
    return NULL;
}

/* --- schema */

static void put_names(GString *to, const struct object *objects, size_t n)
{
    for (size_t i = 0; i < n; i++)
        g_string_append_printf(to, i ? ",%s" : "%s", objects[i].name);
}

char *st_traps_schema(void)
{
    GString *text = g_string_new(NULL);
    g_autoptr(GString) many = g_string_new(NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(traps_of); i++) {
        g_autoptr(GString) objects = g_string_new(NULL);

        put_names(objects, common, G_N_ELEMENTS(common));
        if (traps_of[i].object)
            g_string_append_printf(objects, ",%s", traps_of[i].object);
        st_schema_notification(text, traps_of[i].name, traps_of[i].type, objects->str);
    }
    put_names(many, of_many, G_N_ELEMENTS(of_many));
    st_schema_notification(text, "xenNotifyBulk", BULK_ARC, many->str);
    return g_string_free(text, FALSE);
}
