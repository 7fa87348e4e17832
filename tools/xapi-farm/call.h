/* One call of the API: what was asked, and its answer as it comes about. One thread. */
#pragma once

#include "tools/xapi-farm/server.h"
#include "tools/xapi-farm/xml.h"

struct xf_task;

struct xf_call {
    struct xf_server *server;
    struct xf_endpoint *endpoint;
    char *method; /* without "Async." */
    bool async;
    GVariant *params;     /* av; see xf_param_text() */
    char *session;        /* "" none */
    GString *out;         /* the value, as XML; empty: void */
    GPtrArray *error;     /* char *: ErrorDescription; NULL: success */
    bool bare;            /* the value goes without the envelope */
    struct xf_task *task; /* of calls that may be asynchronous */
};

/* xf_call_fail(call, CODE, PARAMETER...) sets the error if there is none yet, up to the first NULL, and gives false. */
bool xf_call_fail_with(struct xf_call *call, const char *const description[]);
#define xf_call_fail(call, ...) xf_call_fail_with((call), (const char *const[]){__VA_ARGS__, NULL})

/* Parameters behind the session; their number and kind were checked by the method's row. A text, or a
 * whole number's digits. "" where an optional one was left out. Borrowed. */
const char *xf_param_text(const struct xf_call *call, unsigned at);
bool xf_param_bool(const struct xf_call *call, unsigned at);
gint64 xf_param_int(const struct xf_call *call, unsigned at);
double xf_param_double(const struct xf_call *call, unsigned at);
guint64 xf_param_date(const struct xf_call *call, unsigned at);
/* Texts of an array; a map's value by its key. Free with g_strfreev() and g_free(). */
char **xf_param_texts(const struct xf_call *call, unsigned at);
char *xf_param_member(const struct xf_call *call, unsigned at, const char *key);

/* The object a parameter refers to; NULL with HANDLE_INVALID. With the lock. */
struct xf_object *xf_param_object(struct xf_call *call, unsigned at, const char *class);

/* --- methods: one row each */
enum xf_method_flags {
    XF_WRITES = 1,     /* more than the role read-only */
    XF_ASYNC = 2,      /* has a task; also as Async.NAME */
    XF_NO_SESSION = 4, /* the session is no parameter */
    XF_ON_SLAVE = 8,   /* members answer it themselves */
    XF_ONLY_82 = 16,   /* servers of that dialect alone have it so */
    XF_ONLY_83 = 32,
};

struct xf_method {
    const char *name;
    /* Behind the session: s text, i whole number (in a text), b, d, t, a array, m map; what is behind
     * '?' may be left out. */
    const char *params;
    unsigned flags;
    bool (*run)(struct xf_call *call); /* without the lock */
};
/* NULL: none. *scratch is filled for methods that all classes have. */
const struct xf_method *xf_method_find(const struct xf_server *server, const char *name,
                                       struct xf_method *scratch);
/* The same among those that all classes have; generic.c. */
const struct xf_method *xf_generic_find(const struct xf_server *server, const char *name,
                                        struct xf_method *scratch);
void xf_generic_list(const struct xf_server *server, GPtrArray *names);
/* What system.listMethods says. */
void xf_methods_list(const struct xf_server *server, GPtrArray *names);

/* The methods' functions, by the file they are in. */
bool xf_event_from(struct xf_call *call);   /* events.c */
bool xf_event_inject(struct xf_call *call); /* events.c */
bool xf_vm_operate(struct xf_call *call);   /* operate.c: all that changes a VM's life */
bool xf_vm_assert_can_boot_here(struct xf_call *call);
bool xf_vm_assert_operation_valid(struct xf_call *call);
bool xf_vm_set_memory(struct xf_call *call); /* vm.c */
bool xf_vm_set_vcpus(struct xf_call *call);
bool xf_vm_copy(struct xf_call *call); /* copy.c: clone, snapshot, checkpoint */
bool xf_vm_provision(struct xf_call *call);
bool xf_vm_set_name(struct xf_call *call);
bool xf_vm_destroy(struct xf_call *call);
bool xf_vm_set_appliance(struct xf_call *call); /* appliance.c */
bool xf_vm_set_turn(struct xf_call *call);
bool xf_appliance_create(struct xf_call *call);
bool xf_appliance_destroy(struct xf_call *call);
bool xf_vdi_destroy(struct xf_call *call);
bool xf_vm_revert(struct xf_call *call);       /* revert.c */
bool xf_host_evacuate(struct xf_call *call);   /* evacuate.c */
bool xf_host_management(struct xf_call *call); /* migrate.c: to another pool */
bool xf_host_migrate_receive(struct xf_call *call);
bool xf_vm_migrate_send(struct xf_call *call);
bool xf_vm_assert_can_migrate(struct xf_call *call);
bool xf_task_create(struct xf_call *call); /* tasks.c */
bool xf_task_cancel(struct xf_call *call);
bool xf_task_set_status(struct xf_call *call);
bool xf_task_destroy(struct xf_call *call);

/* --- rpc.c */
/* Takes a request's body; its answer is appended to out. False: it was no call, which XAPI answers with
 * an error of HTTP. */
bool xf_rpc(struct xf_endpoint *endpoint, const char *body, size_t length, GString *out);
/* Runs it as its row says. False: call->error is set. */
bool xf_call_run(struct xf_call *call, const struct xf_method *method);
void xf_call_free(struct xf_call *call);
