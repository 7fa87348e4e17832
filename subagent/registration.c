/* Registering trees. In the contexts of hosts the library is kept from telling the master agent: it would do so one by one,
 * each time waiting for the answer, and for three regions of its own that the master refuses. */
#include "subagent/registration.h"

#include "xenclient/util/error.h"

#include <string.h>

#define REGION "xensnmp"

/* RFC 2741, 6.1 and 6.2: what the library does not publish. */
#define AGENTX_REGISTER           3
#define AGENTX_UNREGISTER         4
#define AGENTX_HAS_CONTEXT        0x08
#define AGENTX_NETWORK_BYTE_ORDER 0x10

bool st_register(struct st_registration *registration, struct st_mib *mib,
                 struct st_context *context, GError **error)
{
    netsnmp_handler_registration *made =
        netsnmp_create_handler_registration(REGION, st_mib_handler, mib->root, mib->root_length,
                                            context->host ? HANDLER_CAN_RONLY : HANDLER_CAN_RWRITE);

    if (!made)
        return xc_fail(error, XC_CAUSE_INTERNAL, "no memory for the SNMP registration");
    registration->served = (struct st_served){mib, context};
    registration->priority = made->priority;
    made->my_reg_void = &registration->served;
    if (context->host)
        made->contextName = strdup(context->host);
    /* On failure the library frees it. */
    if (netsnmp_register_handler(made) != MIB_REGISTERED_OK)
        return xc_fail(error, XC_CAUSE_INTERNAL, "the SNMP library refuses our tree");
    registration->there = true;
    return true;
}

static const char *host_of(const struct st_registration *registration)
{
    return ((const struct st_context *)registration->served.context)->host;
}

/* netsnmp_unregister_handler() of 5.9 reads root and context from what it has just freed. */
void st_unregister(struct st_registration *registration)
{
    struct st_mib *mib = registration->served.mib;

    if (!registration->there)
        return;
    unregister_mib_context(mib->root, mib->root_length, registration->priority, 0, 0,
                           host_of(registration));
    registration->there = false;
}

/* The library looks for a context in a list, from the newest on: with a thousand hosts every request of the default context
 * would pass all of theirs. Its second list, a cache for trees with many registrations, has the same order. */
static void default_first(void)
{
    subtree_context_cache *first = get_top_context_cache();
    subtree_context_cache *at = first;

    netsnmp_set_lookup_cache_size(0);
    while (at && *at->context_name)
        at = at->next;
    if (!at || at == first)
        return;
    const subtree_context_cache moved = *first;

    first->context_name = at->context_name;
    first->first_subtree = at->first_subtree;
    at->context_name = moved.context_name;
    at->first_subtree = moved.first_subtree;
}

/* The library tells only sessions of AgentX. */
static long silence(netsnmp_session *session)
{
    long version = session ? session->version : 0;

    if (session)
        session->version = SNMP_VERSION_1;
    return version;
}

static void unsilence(netsnmp_session *session, long version)
{
    if (session)
        session->version = version;
}

static bool tell(const struct st_registration *registration, int command, netsnmp_session *session,
                 netsnmp_callback answered, void *data)
{
    const struct st_mib *mib = registration->served.mib;
    netsnmp_pdu *pdu = session ? snmp_pdu_create(command) : NULL;

    if (!pdu)
        return false;
    pdu->sessid = session->sessid;
    pdu->priority = (u_char)registration->priority;
    pdu->flags |= AGENTX_HAS_CONTEXT | (session->flags & AGENTX_NETWORK_BYTE_ORDER);
    pdu->community = (u_char *)strdup(host_of(registration));
    pdu->community_len = strlen(host_of(registration));
    snmp_add_null_var(pdu, mib->root, mib->root_length);
    if (snmp_async_send(session, pdu, answered, data))
        return true;
    snmp_free_pdu(pdu);
    return false;
}

bool st_register_host(struct st_registration *registration, struct st_mib *mib,
                      struct st_context *context, netsnmp_session *session,
                      netsnmp_callback answered, void *data, GError **error)
{
    long version = silence(session);
    bool ok = st_register(registration, mib, context, error);

    default_first();
    unsilence(session, version);
    if (!ok || tell(registration, AGENTX_REGISTER, session, answered, data))
        return ok;
    version = silence(session);
    st_unregister(registration);
    unsilence(session, version);
    return xc_fail(error, XC_CAUSE_TRANSPORT, "the master agent can't be told");
}

bool st_unregister_host(struct st_registration *registration, netsnmp_session *session,
                        netsnmp_callback answered, void *data)
{
    long version = silence(session);
    bool was_there = registration->there;

    st_unregister(registration);
    unsilence(session, version);
    return was_there && tell(registration, AGENTX_UNREGISTER, session, answered, data);
}
