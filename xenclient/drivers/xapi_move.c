/* The other pool is asked over a link of its own. Its coordinator gives out, for one migration, what the first one needs to
 * reach it: a map that has a session in it, hence secret as a whole. It is kept only until the job ends. The session is
 * ended with it once XAPI has said that the task is over; one that nobody ended, for our process was, ends by itself after
 * a day without use.
 *
 * Disks go where the other pool makes new ones, its default storage. A VM's interfaces go into the networks of the same
 * name; missing and ambiguous ones are refused before anything is begun. */
#include "xenclient/drivers/xapi_move.h"

#include <string.h>

#define PAIRS_MAX    16
#define NAME_OCTETS  64
#define VALUE_OCTETS 2048

struct xapi_move {
    struct xapi_job there; /* calls to the other pool; its vm is the one that arrived */
    GPtrArray
        *networks; /* char *, interface and network in turn, NULL at the end; NULL: not planned */
    GPtrArray
        *destination; /* char *, name and secret in turn, NULL at the end; NULL: not given out */
};

/* --- what was given out */

static void wipe(gpointer text)
{
    xapi_wipe(text, text ? strlen(text) : 0);
}

static bool take(const struct xc_xmlrpc_value *value, void *data)
{
    GPtrArray *pairs = data;

    if (value->depth == 0)
        return value->kind == XC_XMLRPC_STRUCT || value->kind == XC_XMLRPC_END;
    if (value->depth > 1 || value->kind >= XC_XMLRPC_STRUCT || pairs->len >= 2 * PAIRS_MAX ||
        strlen(value->name) > NAME_OCTETS || strlen(value->text) > VALUE_OCTETS)
        return false;
    g_ptr_array_add(pairs, g_strdup(value->name));
    g_ptr_array_add(pairs, g_strdup(value->text));
    return true;
}

static const struct xc_xmlrpc_sink pairs_sink = {NULL, take};

static const char *session_of(const struct xapi_move *move)
{
    for (guint i = 0; move->destination && i + 1 < move->destination->len; i += 2)
        if (strcmp(move->destination->pdata[i], "session_id") == 0)
            return move->destination->pdata[i + 1];
    return NULL;
}

static void give_back(struct xapi_move *move)
{
    const char *session = session_of(move);

    if (session && move->there.link)
        xapi_link_end_session(move->there.link, session);
}

/* --- its life */

struct xapi_move *xapi_move_new(const struct xapi_job *job)
{
    struct xapi_move *move = g_new0(struct xapi_move, 1);

    move->there = (struct xapi_job){.spec = &job->order->target,
                                    .env = job->env,
                                    .order = job->order,
                                    .call = job->call,
                                    .host = g_strdup("")};
    return move;
}

void xapi_move_free(struct xapi_job *job)
{
    struct xapi_move *move = g_steal_pointer(&job->move);

    if (!move)
        return;
    if (job->over)
        give_back(move);
    xapi_link_close(move->there.link);
    xapi_object_free(move->there.vm);
    g_free(move->there.vm_ref);
    g_free(move->there.host);
    g_clear_pointer(&move->networks, g_ptr_array_unref);
    g_clear_pointer(&move->destination, g_ptr_array_unref);
    g_free(move);
}

/* The other pool as a job of its own, with the time that this one has now. */
static struct xapi_job *over_there(struct xapi_job *job)
{
    job->move->there.call = job->call;
    return &job->move->there;
}

/* --- finding */

/* The engine gives no name where there is but one host. */
static bool find_host(struct xapi_job *there, GError **error)
{
    char *only;

    if (*there->order->host_to || *there->host)
        return xapi_job_find_host(there, there->order->host_to, error);
    only = xapi_job_master(there, error);
    if (!only)
        return false;
    g_free(there->host);
    there->host = only;
    return true;
}

bool xapi_move_find(struct xapi_job *job, GError **error)
{
    struct xapi_job *there = over_there(job);
    bool ok;

    if (!there->link)
        there->link = xapi_link_open(there->spec, there->env, there->call, error);
    ok = there->link && find_host(there, error);
    if (!ok)
        g_prefix_error(error, "source %s: ", there->spec->key);
    return ok;
}

/* --- planning */

/* The network of that name over there; NULL with an error. */
static char *find_twin(struct xapi_job *there, const char *name, GError **error)
{
    g_autoptr(GPtrArray) refs =
        xapi_job_ask_refs(there, "network.get_by_name_label", XAPI_WITH(name), error);

    if (refs && refs->len == 1)
        return g_strdup(refs->pdata[0]);
    if (refs)
        xc_fail(error, refs->len ? XC_CAUSE_AMBIGUOUS : XC_CAUSE_NO_NETWORK,
                "source %s has %u networks of the name \"%s\", which %s is in: there must be one",
                there->spec->key, refs->len, name, there->order->name);
    return NULL;
}

/* An interface, and what it is to be in. */
static bool plan_interface(struct xapi_job *job, GPtrArray *plan, const char *vif, GError **error)
{
    g_autofree char *network = xapi_job_ask_text(job, "VIF.get_network", XAPI_WITH(vif), error);
    g_autofree char *name = NULL;
    char *twin;

    if (network)
        name = xapi_job_ask_text(job, "network.get_name_label", XAPI_WITH(network), error);
    twin = name ? find_twin(over_there(job), name, error) : NULL;
    if (!twin)
        return false;
    g_ptr_array_add(plan, g_strdup(vif));
    g_ptr_array_add(plan, twin);
    return true;
}

bool xapi_move_plan(struct xapi_job *job, GError **error)
{
    g_autoptr(GPtrArray) plan = g_ptr_array_new_with_free_func(g_free);
    struct xapi_job *there = over_there(job);
    g_autoptr(GPtrArray) vifs = NULL;

    if (job->move->networks)
        return true;
    if (!xapi_job_read_vm(there, error))
        return false;
    if (there->vm)
        return xc_fail(error, XC_CAUSE_BAD_STATE, "source %s has a VM of the same uuid as %s",
                       there->spec->key, job->order->name);
    vifs = xapi_job_ask_refs(job, "VM.get_VIFs", XAPI_WITH(job->vm_ref), error);
    for (guint i = 0; vifs && i < vifs->len; i++)
        if (!plan_interface(job, plan, vifs->pdata[i], error))
            return false;
    if (!vifs)
        return false;
    g_ptr_array_add(plan, NULL);
    job->move->networks = g_steal_pointer(&plan);
    return true;
}

/* --- opening */

/* The network over which hosts reach that one. Newly allocated. */
static char *management_network(struct xapi_job *there, GError **error)
{
    g_autofree char *pif =
        xapi_job_ask_text(there, "host.get_management_interface", XAPI_WITH(there->host), error);

    return pif ? xapi_job_ask_text(there, "PIF.get_network", XAPI_WITH(pif), error) : NULL;
}

bool xapi_move_receive(struct xapi_job *job, GError **error)
{
    static const char *const none[] = {NULL, NULL};
    g_autoptr(GPtrArray) pairs = g_ptr_array_new_with_free_func(wipe);
    const struct xapi_want want = {&pairs_sink, pairs, 0};
    struct xapi_job *there = over_there(job);
    g_autofree char *network = NULL;
    struct xapi_args *args;

    if (!xapi_move_plan(job, error))
        return false;
    network = management_network(there, error);
    if (!network)
        return false;
    args = xapi_args_new("host.migrate_receive");
    xapi_args_text(args, there->host);
    xapi_args_text(args, network);
    xapi_args_map(args, none);
    if (!xapi_job_call(there, args, &want, error))
        return false;
    g_ptr_array_add(pairs, NULL);
    g_clear_pointer(&job->move->destination, g_ptr_array_unref);
    job->move->destination = g_steal_pointer(&pairs);
    return true;
}

struct xapi_args *xapi_move_args(const struct xapi_job *job, const char *method)
{
    static const char *const none[] = {NULL, NULL};
    struct xapi_args *args = xapi_args_new(method);

    xapi_args_text(args, job->vm_ref);
    xapi_args_secret_map(args, (const char *const *)job->move->destination->pdata);
    xapi_args_flag(args, job->order->live);
    xapi_args_map(args, none);
    xapi_args_map(args, (const char *const *)job->move->networks->pdata);
    xapi_args_map(args, none);
    return args;
}

/* --- reading back */

bool xapi_move_reached(struct xapi_job *job, bool *yes, GError **error)
{
    struct xapi_job *there = over_there(job);

    *yes = false;
    if (!xapi_move_find(job, error) || !xapi_job_read_vm(there, error))
        return false;
    *yes = !job->vm && there->vm &&
           xapi_method_reached(job->method, job->order, there->host, there->vm, NULL);
    return true;
}
