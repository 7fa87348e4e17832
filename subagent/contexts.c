/* Keeping SNMP contexts in step with hosts and with the connection, in slices of the main loop's idle time. */
#include "subagent/contexts.h"

#include "subagent/guests.h"
#include "subagent/registration.h"
#include "xenclient/util/clock.h"
#include "xenclient/util/log.h"

#define LOOK_MSEC  500
#define SLICE_USEC ((gint64)3000)
/* So many fit into the pipe to the master agent while it is busy, and nobody has to wait for room. */
#define MAX_ASKED 64

struct host {
    struct st_context context;
    char *key;
    struct st_registration trees[ST_N_TREES];
};

struct st_contexts {
    struct st_context *fleet;
    const struct st_trees *trees;
    netsnmp_session *session; /* NULL: not connected */
    unsigned asked;           /* questions to the master agent that it has not answered */
    GHashTable *by_key;       /* key -> struct host *, all but the gone */
    GPtrArray *hosts;         /* struct host *, the same */
    GPtrArray *gone;          /* struct host *, still to be unregistered */
    uint64_t generation;
    bool listed; /* the hosts of that generation */
    guint at;    /* the host that is looked at next */
    guint timer;
    guint idle;
};

static struct host *host_new(const struct st_context *fleet, const char *key)
{
    struct host *host = g_new0(struct host, 1);

    host->key = g_strdup(key);
    host->context = *fleet;
    host->context.host = host->key;
    host->context.guests = st_guests_new();
    return host;
}

static void host_free(struct host *host)
{
    st_guests_free(host->context.guests);
    g_free(host->key);
    g_free(host);
}

/* --- which hosts there are */

/* A source that never answered has a row in our tables, but nobody knows what its hosts will be called. */
static void list_hosts(struct st_contexts *contexts)
{
    const struct xc_engine *engine = contexts->fleet->engine;
    size_t n = 0;
    const struct xc_host_ref *refs = xc_fleet_hosts(engine, &n);
    GHashTable *before = contexts->by_key;
    GHashTableIter iter;
    gpointer left;

    contexts->by_key = g_hash_table_new(g_str_hash, g_str_equal);
    g_ptr_array_set_size(contexts->hosts, 0);
    for (size_t i = 0; xc_engine_config(engine)->contexts && i < n; i++) {
        struct host *host = g_hash_table_lookup(before, refs[i].key);

        if (refs[i].row < 0)
            continue;
        if (host)
            g_hash_table_remove(before, refs[i].key);
        else
            host = host_new(contexts->fleet, refs[i].key);
        g_hash_table_insert(contexts->by_key, host->key, host);
        g_ptr_array_add(contexts->hosts, host);
    }
    g_hash_table_iter_init(&iter, before);
    while (g_hash_table_iter_next(&iter, NULL, &left))
        g_ptr_array_add(contexts->gone, left);
    g_hash_table_unref(before);
}

/* --- a slice of work */

static gboolean work(gpointer data);

/* There is room for another question. */
static void go_on(struct st_contexts *contexts)
{
    bool more = contexts->gone->len || contexts->at < contexts->hosts->len;

    if (!contexts->idle && more && contexts->asked < MAX_ASKED)
        contexts->idle = g_idle_add(work, contexts);
}

static int answered(int operation, netsnmp_session *session, int request, netsnmp_pdu *pdu,
                    void *data)
{
    struct st_contexts *contexts = data;

    (void)request;
    if (session != contexts->session)
        return 1;
    if (operation == NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE && pdu->errstat != SNMP_ERR_NOERROR)
        xc_log(XC_LOG_WARNING, "the master agent refuses the SNMP context of a host (AgentX %ld)",
               pdu->errstat);
    if (contexts->asked > 0)
        contexts->asked--;
    go_on(contexts);
    return 1;
}

static void register_host(struct st_contexts *contexts, struct host *host)
{
    for (unsigned i = 0; i < ST_N_TREES; i++) {
        struct st_mib *mib = contexts->trees->mibs[i];
        g_autoptr(GError) error = NULL;

        if (!mib || !st_tree_of_hosts(i) || host->trees[i].there)
            continue;
        if (st_register_host(&host->trees[i], mib, &host->context, contexts->session, answered,
                             contexts, &error))
            contexts->asked++;
        else
            xc_log(XC_LOG_ERROR, "SNMP context %s: %s", host->key, error->message);
    }
}

static void unregister_host(struct st_contexts *contexts, struct host *host)
{
    for (unsigned i = 0; i < ST_N_TREES; i++)
        if (st_unregister_host(&host->trees[i], contexts->session, answered, contexts))
            contexts->asked++;
}

static void drop_gone(struct st_contexts *contexts)
{
    struct host *host = g_ptr_array_steal_index_fast(contexts->gone, contexts->gone->len - 1);

    unregister_host(contexts, host);
    host_free(host);
}

/* Without a connection nothing stays registered, or the library would register them all at once when there is one. */
static void settle(struct st_contexts *contexts, struct host *host)
{
    if (contexts->session)
        register_host(contexts, host);
    else
        unregister_host(contexts, host);
    st_guests_look(&host->context);
}

static gboolean work(gpointer data)
{
    struct st_contexts *contexts = data;
    gint64 end = g_get_monotonic_time() + SLICE_USEC;

    while (contexts->asked < MAX_ASKED) {
        if (contexts->gone->len)
            drop_gone(contexts);
        else if (contexts->at < contexts->hosts->len)
            settle(contexts, contexts->hosts->pdata[contexts->at++]);
        else
            break;
        if (g_get_monotonic_time() >= end)
            return G_SOURCE_CONTINUE;
    }
    contexts->idle = 0;
    return G_SOURCE_REMOVE;
}

static gboolean look(gpointer data)
{
    struct st_contexts *contexts = data;
    uint64_t generation = xc_fleet_generation(contexts->fleet->engine);

    if (!contexts->listed || contexts->generation != generation) {
        list_hosts(contexts);
        contexts->generation = generation;
        contexts->listed = true;
        contexts->at = 0;
        st_guests_look(contexts->fleet);
    }
    go_on(contexts);
    return G_SOURCE_CONTINUE;
}

void st_contexts_connected(struct st_contexts *contexts, netsnmp_session *session)
{
    contexts->session = session;
    contexts->asked = 0;
    contexts->at = 0;
    go_on(contexts);
}

/* --- life */

struct st_contexts *st_contexts_new(struct st_context *fleet, const struct st_trees *trees)
{
    struct st_contexts *contexts = g_new0(struct st_contexts, 1);

    contexts->fleet = fleet;
    contexts->trees = trees;
    contexts->by_key = g_hash_table_new(g_str_hash, g_str_equal);
    contexts->hosts = g_ptr_array_new();
    contexts->gone = g_ptr_array_new();
    contexts->timer = g_timeout_add(LOOK_MSEC, look, contexts);
    return contexts;
}

void *st_contexts_free(struct st_contexts *contexts)
{
    if (!contexts)
        return NULL;
    g_source_remove(contexts->timer);
    if (contexts->idle)
        g_source_remove(contexts->idle);
    g_ptr_array_extend_and_steal(contexts->gone, contexts->hosts);
    for (guint i = 0; i < contexts->gone->len; i++)
        host_free(contexts->gone->pdata[i]);
    g_ptr_array_unref(contexts->gone);
    g_hash_table_unref(contexts->by_key);
    g_free(contexts);
    return NULL;
}
