/* Tasks: begun by calls, watched and cancelled by clients. */
#include "tools/xapi-farm/tasks.h"

#include "xenclient/util/clock.h"

#include <string.h>

static struct xf_object *task_object(struct xf_task *task)
{
    return xf_db_find(task->rpc->server->db, "task", task->ref);
}

static guint64 now_seconds(void)
{
    return (guint64)(xc_clock_real() / XC_USEC_PER_SEC);
}

static void set_allowed(struct xf_db *db, struct xf_object *object, const char *operation)
{
    const char *const list[] = {operation, NULL};

    xf_set(db, object, "allowed_operations", g_variant_new_strv(list, operation ? 1 : 0));
}

static struct xf_object *show_task(struct xf_server *server, struct xf_endpoint *endpoint,
                                   const char *ref, const char *label, const char *description)
{
    struct xf_object *object = xf_db_have(server->db, "task", ref, NULL);
    char uuid[XF_UUID_SIZE];

    xf_derive_uuid(uuid, "task", ref, 0);
    xf_set_text(server->db, object, "uuid", uuid);
    xf_set_text(server->db, object, "name_label", label);
    xf_set_text(server->db, object, "name_description", description);
    xf_set(server->db, object, "created", g_variant_new_uint64(now_seconds()));
    xf_set_text(server->db, object, "type", "<none/>");
    xf_set_text(server->db, object, "backtrace", "");
    if (*endpoint->host)
        xf_set_text(server->db, object, "resident_on", endpoint->host);
    return object;
}

static struct xf_task *begin(struct xf_call *rpc, const struct xf_method *method)
{
    struct xf_task *task = g_new0(struct xf_task, 1);
    struct xf_server *server = rpc->server;
    g_autofree char *label = g_strconcat(rpc->async ? "Async." : "", rpc->method, NULL);
    struct xf_object *object;

    task->rpc = rpc;
    task->method = method;
    rpc->task = task;
    xf_random_ref(task->ref);
    xc_call_init(&task->call, XF_TASK_SEC * XC_USEC_PER_SEC, NULL);
    xf_db_lock(server->db);
    object = show_task(server, rpc->endpoint, task->ref, label, "");
    set_allowed(server->db, object, "cancel");
    g_hash_table_insert(server->tasks, task->ref, task);
    if (server->ending)
        xc_call_cancel(&task->call);
    xf_db_unlock(server->db);
    return task;
}

/* How it ended becomes what its object shows. */
static void show_end(struct xf_db *db, struct xf_object *object, const struct xf_call *rpc)
{
    const GPtrArray *error = rpc->error;
    bool cancelled = error && strcmp(g_ptr_array_index(error, 0), "TASK_CANCELLED") == 0;

    set_allowed(db, object, NULL);
    xf_set(db, object, "finished", g_variant_new_uint64(now_seconds()));
    xf_set(db, object, "progress", g_variant_new_double(1));
    if (error)
        xf_set(db, object, "error_info",
               g_variant_new_strv((const char *const *)error->pdata, (gssize)error->len));
    else
        xf_set_text(db, object, "result", rpc->out->str);
    xf_set_text(db, object, "status", cancelled ? "cancelled" : error ? "failure" : "success");
}

static void end(struct xf_task *task, bool keep)
{
    struct xf_db *db = task->rpc->server->db;
    struct xf_object *object;

    xf_db_lock(db);
    object = task_object(task);
    if (object && keep && !task->unwanted)
        show_end(db, object, task->rpc);
    else if (object)
        xf_db_delete(db, object);
    g_hash_table_remove(task->rpc->server->tasks, task->ref);
    xf_db_unlock(db);
    xc_call_deinit(&task->call);
    g_free(task);
}

void xf_task_run(struct xf_call *call, const struct xf_method *method)
{
    struct xf_task *task = begin(call, method);

    xf_call_run(call, method);
    call->task = NULL;
    end(task, false);
}

static gpointer thread(gpointer data)
{
    struct xf_task *task = data;
    struct xf_call *call = task->rpc;
    struct xf_server *server = call->server;

    xf_call_run(call, task->method);
    end(task, true);
    xf_call_free(call);
    xf_db_lock(server->db);
    server->task_threads--;
    xf_db_wake(server->db);
    xf_db_unlock(server->db);
    return NULL;
}

char *xf_task_spawn(struct xf_call *call, const struct xf_method *method)
{
    struct xf_task *task;
    char *ref;

    xf_db_lock(call->server->db);
    call->server->task_threads++;
    xf_db_unlock(call->server->db);
    task = begin(call, method);
    ref = g_strdup(task->ref);
    g_thread_unref(g_thread_new("task", thread, task));
    return ref;
}

void xf_task_progress(struct xf_task *task, double progress)
{
    struct xf_object *object = task_object(task);

    if (object)
        xf_set(task->rpc->server->db, object, "progress", g_variant_new_double(progress));
}

void xf_tasks_forget(struct xf_server *server)
{
    GList *objects = xf_db_all(server->db, xf_class_find("task"));

    while (objects) {
        struct xf_object *object = objects->data;
        struct xf_task *task = g_hash_table_lookup(server->tasks, object->ref);

        if (task)
            task->unwanted = true;
        objects = objects->next;
        xf_db_delete(server->db, object);
    }
}

void xf_tasks_stop(struct xf_server *server)
{
    GHashTableIter iter;
    gpointer task;

    xf_db_lock(server->db);
    server->ending = true;
    g_hash_table_iter_init(&iter, server->tasks);
    while (g_hash_table_iter_next(&iter, NULL, &task))
        xc_call_cancel(&((struct xf_task *)task)->call);
    while (server->task_threads)
        g_cond_wait(&server->db->changed, &server->db->lock);
    xf_db_unlock(server->db);
}

/* --- methods */

/* A task that a client makes for itself, and ends itself. */
bool xf_task_create(struct xf_call *call)
{
    char ref[XF_REF_SIZE];

    xf_random_ref(ref);
    xf_db_lock(call->server->db);
    set_allowed(call->server->db,
                show_task(call->server, call->endpoint, ref, xf_param_text(call, 0),
                          xf_param_text(call, 1)),
                "destroy");
    xf_db_unlock(call->server->db);
    xf_xml_string(call->out, ref);
    return true;
}

/* The task that a call names, and what runs in it, if it runs. NULL: there is none, and the call has failed. With the lock. */
static struct xf_object *find_task(struct xf_call *call, struct xf_task **running)
{
    struct xf_object *object = xf_param_object(call, 0, "task");

    *running = object ? g_hash_table_lookup(call->server->tasks, object->ref) : NULL;
    return object;
}

bool xf_task_cancel(struct xf_call *call)
{
    struct xf_db *db = call->server->db;
    struct xf_object *object;
    struct xf_task *task;

    xf_db_lock(db);
    object = find_task(call, &task);
    if (object && !task)
        xf_call_fail(call, "OPERATION_NOT_ALLOWED", "the task is not running");
    if (task) {
        xf_set_text(db, object, "status", "cancelling");
        set_allowed(db, object, NULL);
        xc_call_cancel(&task->call);
    }
    xf_db_unlock(db);
    return task != NULL;
}

static bool is_over(const struct xf_object *object)
{
    const char *status = xf_get_text(object, "status");

    return strcmp(status, "pending") != 0 && strcmp(status, "cancelling") != 0;
}

/* One that is a client's own is destroyed once that has ended it. */
bool xf_task_destroy(struct xf_call *call)
{
    struct xf_db *db = call->server->db;
    struct xf_object *object;
    struct xf_task *task;

    xf_db_lock(db);
    object = find_task(call, &task);
    if (task)
        task->unwanted = true;
    else if (object && is_over(object))
        xf_db_delete(db, object);
    else if (object)
        xf_map_put(db, object, "current_operations", "task", "destroy");
    xf_db_unlock(db);
    return object != NULL;
}

bool xf_task_set_status(struct xf_call *call)
{
    static const char *const statuses[] = {"pending",    "success",   "failure",
                                           "cancelling", "cancelled", NULL};
    struct xf_db *db = call->server->db;
    const char *status = xf_param_text(call, 1);
    struct xf_object *object;
    bool ok;

    xf_db_lock(db);
    object = xf_param_object(call, 0, "task");
    ok = object && (g_strv_contains(statuses, status) ||
                    xf_call_fail(call, "INVALID_VALUE", "task_status_type", status));
    if (ok) {
        xf_set_text(db, object, "status", status);
        if (is_over(object))
            xf_set(db, object, "finished", g_variant_new_uint64(now_seconds()));
        if (is_over(object) && g_variant_n_children(xf_get(object, "current_operations")) > 0)
            xf_db_delete(db, object);
    }
    xf_db_unlock(db);
    return ok;
}
