/* net-snmp's descriptors and alarms as one GSource. */
#include "subagent/agentx.h"

#include "subagent/contexts.h"
#include "subagent/registration.h"
#include "subagent/set.h"

#include <net-snmp/agent/agent_callbacks.h>
#include <net-snmp/library/large_fd_set.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>

#define NAME "xensnmpd"

/* One PDU of the master agent passes the library's internal pipes three times, and the next one comes some
 * microseconds after the answer. Serving them without a turn of the whole main loop in between is worth a
 * third of the speed; everybody else waits no longer than this. */
#define SERVE_USEC  ((gint64)5000)
#define LINGER_USEC 1000

/* Opening and registering wait for the master agent, and everybody for them: not for long. */
#define OPEN_USEC ((int)(2 * ONE_SEC))
#define RETRY_SEC 1
/* Once connected it is asked every second whether it is there, and nobody waits for the answer: a machine may be so
 * slow that it takes a while. */
#define PING_MSEC    1000
#define PATIENCE_SEC 10

/* RFC 2741, 6.1: what the library does not publish. */
#define AGENTX_PING               13
#define AGENTX_NETWORK_BYTE_ORDER 0x10

struct watch {
    int fd;
    gpointer tag;
};

struct st_agentx {
    GSource source; /* first */
    struct st_context *context;
    GArray *watches; /* struct watch */
    gint64 due;      /* when the library wants to be called, monotonic; -1: not by itself */
    char *where;
    const struct st_trees *trees;
    struct st_registration registrations[ST_N_TREES]; /* in the default context */
    struct st_contexts *contexts;
    bool told_missing;
    netsnmp_session *session; /* with the master agent; NULL: not connected */
    bool asked;               /* a ping is out */
    guint ping;               /* timer */
};

/* --- descriptors and times of the library */

static void ask_library(netsnmp_large_fd_set *set, int *n, struct timeval *wait, int *block)
{
    *n = 0;
    *block = 1;
    *wait = (struct timeval){.tv_sec = 3600};
    netsnmp_large_fd_set_init(set, FD_SETSIZE);
    snmp_select_info2(n, set, wait, block);
}

static void sync_watches(struct st_agentx *agentx, netsnmp_large_fd_set *set, int n)
{
    for (guint i = agentx->watches->len; i-- > 0;) {
        const struct watch *watch = &g_array_index(agentx->watches, struct watch, i);

        if (watch->fd < n && NETSNMP_LARGE_FD_ISSET(watch->fd, set)) {
            NETSNMP_LARGE_FD_CLR(watch->fd, set);
            continue;
        }
        g_source_remove_unix_fd(&agentx->source, watch->tag);
        g_array_remove_index_fast(agentx->watches, i);
    }
    for (int fd = 0; fd < n; fd++) {
        if (!NETSNMP_LARGE_FD_ISSET(fd, set))
            continue;
        const struct watch watch = {
            fd, g_source_add_unix_fd(&agentx->source, fd, G_IO_IN | G_IO_HUP | G_IO_ERR)};

        g_array_append_val(agentx->watches, watch);
    }
}

static gboolean prepare(GSource *source, gint *timeout)
{
    struct st_agentx *agentx = (struct st_agentx *)source;
    netsnmp_large_fd_set set;
    struct timeval wait;
    int n = 0;
    int block = 1;

    ask_library(&set, &n, &wait, &block);
    sync_watches(agentx, &set, n);
    netsnmp_large_fd_set_cleanup(&set);
    *timeout = -1;
    agentx->due = -1;
    if (!block) {
        gint64 usec = (gint64)wait.tv_sec * G_USEC_PER_SEC + wait.tv_usec;

        agentx->due = g_source_get_time(source) + usec;
        *timeout = (gint)((usec + 999) / 1000);
    }
    return *timeout == 0;
}

static gboolean check(GSource *source)
{
    struct st_agentx *agentx = (struct st_agentx *)source;

    for (guint i = 0; i < agentx->watches->len; i++)
        if (g_source_query_unix_fd(source, g_array_index(agentx->watches, struct watch, i).tag))
            return TRUE;
    return agentx->due >= 0 && g_source_get_time(source) >= agentx->due;
}

/* Reads whatever is there within `wait_usec`; false: nothing was. */
static bool read_once(suseconds_t wait_usec)
{
    netsnmp_large_fd_set set;
    struct timeval wait;
    int n = 0;
    int block = 1;

    ask_library(&set, &n, &wait, &block);
    wait = (struct timeval){.tv_usec = wait_usec};
    int ready = netsnmp_large_fd_set_select(n, &set, NULL, NULL, &wait);

    if (ready > 0)
        snmp_read2(&set);
    netsnmp_large_fd_set_cleanup(&set);
    return ready > 0;
}

/* The library's own ping stops everything until it is answered. It hides the number of that alarm in the session
 * once it is connected, and calls it first after a second. */
static void replace_ping(struct st_agentx *agentx)
{
    netsnmp_session *session = agentx->session;

    if (!session || session->securityModel == SNMP_DEFAULT_SECMODEL)
        return;
    snmp_alarm_unregister((unsigned)session->securityModel);
    session->securityModel = SNMP_DEFAULT_SECMODEL;
}

static gboolean dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
    gint64 end = g_get_monotonic_time() + SERVE_USEC;

    (void)callback;
    (void)data;
    while (read_once(LINGER_USEC) && g_get_monotonic_time() < end)
        netsnmp_check_outstanding_agent_requests();
    snmp_timeout();
    run_alarms();
    replace_ping((struct st_agentx *)source);
    netsnmp_check_outstanding_agent_requests();
    return G_SOURCE_CONTINUE;
}

static void finalize(GSource *source)
{
    struct st_agentx *agentx = (struct st_agentx *)source;

    g_array_unref(agentx->watches);
    g_free(agentx->where);
}

static GSourceFuncs source_funcs = {
    .prepare = prepare, .check = check, .dispatch = dispatch, .finalize = finalize};

/* --- what the library tells */

static int on_log(int major, int minor, void *message, void *data)
{
    const struct snmp_log_message *log = message;
    enum xc_log_level level = log->priority <= LOG_ERR       ? XC_LOG_ERROR
                              : log->priority <= LOG_WARNING ? XC_LOG_WARNING
                                                             : XC_LOG_DEBUG;
    size_t length = strcspn(log->msg, "\n");

    (void)major;
    (void)minor;
    (void)data;
    xc_log(level, "net-snmp: %.*s", (int)length, log->msg);
    return 0;
}

/* After init_agent(), which sets defaults of its own. */
static void set_times(void)
{
    netsnmp_ds_set_int(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_TIMEOUT, OPEN_USEC / (int)ONE_SEC);
    netsnmp_ds_set_int(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_RETRIES, 0);
    netsnmp_ds_set_int(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_AGENTX_TIMEOUT, OPEN_USEC);
    netsnmp_ds_set_int(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_AGENTX_RETRIES, 0);
    netsnmp_ds_set_int(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_AGENTX_PING_INTERVAL, RETRY_SEC);
}

/* --- is the master agent there? */

/* The library reads the end of the connection, gives up what belongs to it, and opens another. */
static void hang_up(struct st_agentx *agentx)
{
    netsnmp_transport *transport = snmp_sess_transport(snmp_sess_pointer(agentx->session));

    xc_log(XC_LOG_WARNING, "the master agent has not answered for %d s", PATIENCE_SEC);
    if (transport)
        shutdown(transport->sock, SHUT_RDWR);
}

static int on_pong(int operation, netsnmp_session *session, int request, netsnmp_pdu *pdu,
                   void *data)
{
    struct st_agentx *agentx = data;

    (void)request;
    (void)pdu;
    if (session != agentx->session)
        return 1;
    agentx->asked = false;
    if (operation == NETSNMP_CALLBACK_OP_TIMED_OUT)
        hang_up(agentx);
    return 1;
}

static gboolean on_ping_time(gpointer data)
{
    struct st_agentx *agentx = data;
    netsnmp_session *session = agentx->session;
    netsnmp_pdu *pdu;

    if (!session || agentx->asked)
        return G_SOURCE_CONTINUE;
    pdu = snmp_pdu_create(AGENTX_PING);
    if (!pdu)
        return G_SOURCE_CONTINUE;
    pdu->sessid = session->sessid;
    pdu->time = PATIENCE_SEC;
    pdu->flags |= UCD_MSG_FLAG_PDU_TIMEOUT | (session->flags & AGENTX_NETWORK_BYTE_ORDER);
    agentx->asked = snmp_async_send(session, pdu, on_pong, agentx) != 0;
    if (!agentx->asked)
        snmp_free_pdu(pdu);
    return G_SOURCE_CONTINUE;
}

/* --- connected and not */

static int on_connected(int major, int minor, void *session, void *data)
{
    struct st_agentx *agentx = data;

    (void)major;
    (void)minor;
    agentx->context->sessions++;
    agentx->session = session;
    agentx->asked = false;
    agentx->told_missing = false;
    if (agentx->contexts)
        st_contexts_connected(agentx->contexts, session);
    xc_log(XC_LOG_INFO, "connected to the master agent at %s", agentx->where);
    return 0;
}

static void tell_missing(struct st_agentx *agentx, const char *how)
{
    if (agentx->told_missing)
        return;
    agentx->told_missing = true;
    xc_log(XC_LOG_WARNING,
           "%s at %s: trying every second; is snmpd running with `master agentx`, and may we open "
           "the socket?",
           how, agentx->where);
}

static int on_disconnected(int major, int minor, void *session, void *data)
{
    struct st_agentx *agentx = data;

    (void)major;
    (void)minor;
    (void)session;
    agentx->session = NULL;
    tell_missing(agentx, "lost the master agent");
    for (unsigned i = 0; i < ST_N_TREES; i++)
        if (agentx->trees->mibs[i])
            st_sets_abandon(agentx->trees->mibs[i]);
    if (agentx->contexts)
        st_contexts_connected(agentx->contexts, NULL);
    return 0;
}

/* --- set-up */

static void set_options(const char *socket)
{
    /* No MIB files: names are not needed, and Debian has none to find. No files of the library's own: they are
     * for snmpd, not for us. */
    setenv("MIBS", "", 1);
    setenv("MIBDIRS", "", 1);
    snmp_disable_log();
    snmp_enable_calllog();
    netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_READ_CONFIGS, 1);
    netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_PERSIST_STATE, 1);
    netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_ALARM_DONT_USE_SIG, 1);
    netsnmp_ds_set_boolean(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_ROLE, 1);
    netsnmp_ds_set_boolean(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_NO_CONNECTION_WARNINGS, 1);
    if (*socket)
        netsnmp_ds_set_string(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_X_SOCKET, socket);
}

static bool register_trees(struct st_agentx *agentx, GError **error)
{
    for (unsigned i = 0; i < ST_N_TREES; i++)
        if (agentx->trees->mibs[i] && st_tree_of_fleet(i) &&
            !st_register(&agentx->registrations[i], agentx->trees->mibs[i], agentx->context, error))
            return false;
    return true;
}

static void listen_to_library(struct st_agentx *agentx)
{
    snmp_register_callback(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_LOGGING, on_log, NULL);
    snmp_register_callback(SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_INDEX_START, on_connected,
                           agentx);
    snmp_register_callback(SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_INDEX_STOP, on_disconnected,
                           agentx);
}

static void ignore_library(struct st_agentx *agentx)
{
    snmp_disable_calllog();
    snmp_unregister_callback(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_LOGGING, on_log, NULL, 0);
    snmp_unregister_callback(SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_INDEX_START, on_connected,
                             agentx, 1);
    snmp_unregister_callback(SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_INDEX_STOP, on_disconnected,
                             agentx, 1);
}

struct st_agentx *st_agentx_new(struct st_context *context, const struct st_trees *trees,
                                const char *socket, GError **error)
{
    struct st_agentx *agentx =
        (struct st_agentx *)g_source_new(&source_funcs, sizeof(struct st_agentx));

    agentx->context = context;
    agentx->trees = trees;
    agentx->where = g_strdup(*socket ? socket : NETSNMP_AGENTX_SOCKET);
    agentx->watches = g_array_new(FALSE, FALSE, sizeof(struct watch));
    signal(SIGPIPE, SIG_IGN);
    set_options(socket);
    listen_to_library(agentx);
    if (init_agent(NAME) != 0)
        xc_fail(error, XC_CAUSE_INTERNAL, "the SNMP library does not start");
    else if (register_trees(agentx, error)) {
        set_times();
        init_snmp(NAME);
        replace_ping(agentx);
        agentx->contexts = st_contexts_new(context, trees);
        st_contexts_connected(agentx->contexts, agentx->session);
        agentx->ping = g_timeout_add(PING_MSEC, on_ping_time, agentx);
        if (context->sessions == 0)
            tell_missing(agentx, "no master agent");
        /* Or GLib takes our descriptors out and in again around each dispatch. */
        g_source_set_can_recurse(&agentx->source, TRUE);
        g_source_attach(&agentx->source, NULL);
        return agentx;
    }
    return st_agentx_free(agentx);
}

void *st_agentx_free(struct st_agentx *agentx)
{
    if (!agentx)
        return NULL;
    ignore_library(agentx);
    if (agentx->ping)
        g_source_remove(agentx->ping);
    for (unsigned i = 0; i < ST_N_TREES; i++)
        st_unregister(&agentx->registrations[i]);
    snmp_shutdown(NAME);
    shutdown_agent();
    st_contexts_free(agentx->contexts);
    g_source_destroy(&agentx->source);
    g_source_unref(&agentx->source);
    return NULL;
}
