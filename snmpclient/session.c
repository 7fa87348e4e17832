/* One conversation with one agent, on net-snmp's single-session interface. */
#include "snmpclient/session.h"

#include "snmpclient/probe.h"
#include "snmpclient/session_private.h"

#include <string.h>

/* --- the library: no MIB files, no configuration files, no state files, no log */
static gpointer init_library(gpointer unused)
{
    static const int switches[] = {
        NETSNMP_DS_LIB_DONT_READ_CONFIGS, NETSNMP_DS_LIB_DONT_PERSIST_STATE,
        NETSNMP_DS_LIB_DISABLE_PERSISTENT_LOAD, NETSNMP_DS_LIB_DISABLE_PERSISTENT_SAVE};

    g_setenv("MIBS", "", TRUE);
    for (size_t i = 0; i < G_N_ELEMENTS(switches); i++)
        netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, switches[i], 1);
    snmp_disable_log();
    init_snmp("xensnmp-client");
    return unused;
}

static void library(void)
{
    static GOnce once = G_ONCE_INIT;

    g_once(&once, init_library, NULL);
}

/* --- errors */
static const char *const status_names[] = {"noError",
                                           "tooBig",
                                           "noSuchName",
                                           "badValue",
                                           "readOnly",
                                           "genErr",
                                           "noAccess",
                                           "wrongType",
                                           "wrongLength",
                                           "wrongEncoding",
                                           "wrongValue",
                                           "noCreation",
                                           "inconsistentValue",
                                           "resourceUnavailable",
                                           "commitFailed",
                                           "undoFailed",
                                           "authorizationError",
                                           "notWritable",
                                           "inconsistentName"};

const char *sn_status_name(int status)
{
    if (status < 0 || (size_t)status >= G_N_ELEMENTS(status_names))
        return "unknown error";
    return status_names[status];
}

/* The library's error numbers that mean "you are not let in", each with the key to mend. */
static const struct {
    int code;
    const char *text;
} auth_errors[] = {
    {SNMPERR_UNKNOWN_USER_NAME, "the agent does not know this user: check user in the client file"},
    {SNMPERR_USM_UNKNOWNSECURITYNAME, "the agent does not know this user: check user"},
    {SNMPERR_AUTHENTICATION_FAILURE,
     "the pass phrase or its protocol is wrong: check auth_password and auth_protocol"},
    {SNMPERR_USM_AUTHENTICATIONFAILURE,
     "the pass phrase or its protocol is wrong: check auth_password and auth_protocol"},
    {SNMPERR_DECRYPTION_ERR, "decryption failed: check priv_password and priv_protocol"},
    {SNMPERR_USM_DECRYPTIONERROR, "decryption failed: check priv_password and priv_protocol"},
    {SNMPERR_UNSUPPORTED_SEC_LEVEL, "the agent has no such level for this user: check level"},
    {SNMPERR_USM_UNSUPPORTEDSECURITYLEVEL,
     "the agent has no such level for this user: check level"},
    {SNMPERR_BAD_SEC_LEVEL, "the agent has no such level for this user: check level"},
    {SNMPERR_NOT_IN_TIME_WINDOW, "the agent's engine clock does not fit: try again"},
    {SNMPERR_UNKNOWN_REPORT,
     "the agent refuses this user, level or context: check user, level and context"},
};

static void set_auth_error(GError **error, const char *host, int code)
{
    const char *text = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(auth_errors); i++)
        if (auth_errors[i].code == code)
            text = auth_errors[i].text;
    if (text)
        g_set_error(error, SN_ERROR, SN_ERROR_AUTH, "%s: %s", host, text);
    else
        g_set_error(error, SN_ERROR, SN_ERROR_UNREACHABLE, "%s: %s", host,
                    snmp_api_errstring(code));
}

/* No answer has two causes that only a look at the port can tell apart. */
static void set_timeout_error(GError **error, const char *host)
{
    if (sn_probe_refused(host))
        g_set_error(error, SN_ERROR, SN_ERROR_UNREACHABLE,
                    "%s: nothing listens there: is snmpd running, and is agentAddress right?",
                    host);
    else
        g_set_error(
            error, SN_ERROR, SN_ERROR_TIMEOUT,
            "%s: no answer: agent down, firewall, or a community or context it does not know",
            host);
}

/* --- opening */
static bool pass_phrase_key(netsnmp_session *to, const char *what, const char *phrase, u_char *key,
                            size_t *length, GError **error)
{
    if (generate_Ku(to->securityAuthProto, (u_int)to->securityAuthProtoLen, (const u_char *)phrase,
                    strlen(phrase), key, length) == SNMPERR_SUCCESS)
        return true;
    g_set_error(error, SN_ERROR, SN_ERROR_CONFIG, "%s: no key can be made of this pass phrase",
                what);
    return false;
}

static bool set_auth(netsnmp_session *to, const struct sn_settings *s, GError **error)
{
    int type = usm_lookup_auth_type(s->auth_protocol);

    if (type <= 0) {
        g_set_error(error, SN_ERROR, SN_ERROR_CONFIG,
                    "auth_protocol %s: not known; SHA-512, SHA-384, SHA-256, SHA-224, SHA, MD5",
                    s->auth_protocol);
        return false;
    }
    to->securityAuthProto = sc_get_auth_oid(type, &to->securityAuthProtoLen);
    to->securityAuthKeyLen = USM_AUTH_KU_LEN;
    return pass_phrase_key(to, "auth_password", s->auth_password, to->securityAuthKey,
                           &to->securityAuthKeyLen, error);
}

static bool set_priv(netsnmp_session *to, const struct sn_settings *s, GError **error)
{
    int type = usm_lookup_priv_type(s->priv_protocol);

    if (type <= 0) {
        g_set_error(error, SN_ERROR, SN_ERROR_CONFIG,
                    "priv_protocol %s: not known; AES, AES-192, AES-256, DES", s->priv_protocol);
        return false;
    }
    to->securityPrivProto = sc_get_priv_oid(type, &to->securityPrivProtoLen);
    to->securityPrivKeyLen = USM_PRIV_KU_LEN;
    return pass_phrase_key(to, "priv_password", s->priv_password, to->securityPrivKey,
                           &to->securityPrivKeyLen, error);
}

static bool set_v3(netsnmp_session *to, const struct sn_settings *s, GError **error)
{
    to->version = SNMP_VERSION_3;
    to->securityModel = SNMP_SEC_MODEL_USM;
    to->securityLevel = (int)s->level;
    to->securityName = s->user;
    to->securityNameLen = strlen(s->user);
    if (s->context) {
        to->contextName = s->context;
        to->contextNameLen = strlen(s->context);
    }
    return (s->level < SN_AUTH_NO_PRIV || set_auth(to, s, error)) &&
           (s->level < SN_AUTH_PRIV || set_priv(to, s, error));
}

static void set_v2(netsnmp_session *to, const struct sn_settings *s)
{
    to->version = SNMP_VERSION_2c;
    to->community = (u_char *)s->community;
    to->community_len = strlen(s->community);
}

/* net-snmp wants the transport named before an IPv6 address in brackets. */
static char *peer_name(const char *host)
{
    return host[0] == '[' ? g_strconcat("udp6:", host, NULL) : g_strdup(host);
}

/* The library's own retries are off: after the first silence the port is looked at, and a refusal ends it. */
static bool try_again(const char *host, int *tries)
{
    return --*tries > 0 && !sn_probe_refused(host);
}

static void *open_handle(netsnmp_session *want, const struct sn_settings *s, GError **error)
{
    int tries = (int)s->retries + 1;
    void *handle;

    do
        handle = snmp_sess_open(want);
    while (!handle && want->s_snmp_errno == SNMPERR_TIMEOUT && try_again(s->host, &tries));
    if (handle)
        return handle;
    if (want->s_snmp_errno == SNMPERR_TIMEOUT)
        set_timeout_error(error, s->host);
    else
        set_auth_error(error, s->host, want->s_snmp_errno);
    return NULL;
}

struct sn_session *sn_open(const struct sn_settings *s, GError **error)
{
    g_autofree char *peer = peer_name(s->host);
    struct sn_session *session;
    netsnmp_session want;
    void *handle;
    bool ok = true;

    library();
    snmp_sess_init(&want);
    want.peername = peer;
    want.timeout = (long)s->timeout_msec * 1000;
    want.retries = 0;
    if (s->version == 3)
        ok = set_v3(&want, s, error);
    else
        set_v2(&want, s);
    handle = ok ? open_handle(&want, s, error) : NULL;
    explicit_bzero(want.securityAuthKey, sizeof(want.securityAuthKey));
    explicit_bzero(want.securityPrivKey, sizeof(want.securityPrivKey));
    if (!handle)
        return NULL;
    session = g_new0(struct sn_session, 1);
    session->handle = handle;
    session->host = g_strdup(s->host);
    session->write_community = s->version == 2 ? g_strdup(s->write_community) : NULL;
    session->tries = (int)s->retries + 1;
    session->timeout_usec = want.timeout;
    return session;
}

void *sn_close(struct sn_session *session)
{
    if (!session)
        return NULL;
    snmp_sess_close(session->handle);
    if (session->write_community)
        explicit_bzero(session->write_community, strlen(session->write_community));
    g_free(session->write_community);
    g_free(session->host);
    g_free(session);
    return NULL;
}

/* --- one exchange */
netsnmp_pdu *sn_exchange(struct sn_session *session, netsnmp_pdu *request, int tries,
                         GError **error)
{
    netsnmp_session *opaque = snmp_sess_session(session->handle);
    netsnmp_pdu *spare = tries > 1 ? snmp_clone_pdu(request) : NULL;
    netsnmp_pdu *answer = NULL;
    int r = snmp_sess_synch_response(session->handle, request, &answer);

    if (r == STAT_TIMEOUT && spare && try_again(session->host, &tries))
        return sn_exchange(session, spare, tries, error);
    if (spare)
        snmp_free_pdu(spare);
    if (r == STAT_SUCCESS && answer && answer->command == SNMP_MSG_RESPONSE)
        return answer;
    if (r == STAT_TIMEOUT)
        set_timeout_error(error, session->host);
    else
        set_auth_error(error, session->host, opaque->s_snmp_errno);
    if (answer)
        snmp_free_pdu(answer);
    return NULL;
}
