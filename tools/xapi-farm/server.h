/* What the parts of xapi-farm share: one server, an endpoint for each host of the pool, sessions.
 * What is marked (L) is guarded by the database's lock. */
#pragma once

#include "tools/xapi-farm/db.h"
#include "tools/xapi-farm/options.h"

struct MHD_Daemon;
struct xf_link;
struct xf_rrd;

/* How an endpoint treats its clients (control.c has the names). */
enum xf_mode {
    XF_NORMAL,
    XF_REFUSE,          /* nobody listens */
    XF_HANG,            /* never answers */
    XF_SLOW,            /* answers late */
    XF_GARBAGE,         /* random octets instead of an answer */
    XF_TRUNCATE,        /* half an answer, then the end */
    XF_ENDLESS,         /* an answer that never ends */
    XF_HTTP_500,        /* an error of HTTP */
    XF_SLAVE,           /* sends everybody to another address */
    XF_AUTH,            /* refuses every password */
    XF_SESSION_INVALID, /* knows no session */
    XF_BAD_TOKEN,       /* understands no token of event.from but "" */
    XF_BOOTING,         /* HOST_STILL_BOOTING */
    XF_CUT,             /* the next call of a method is carried out and not answered; then normal */
};

struct xf_endpoint {
    struct xf_server *server;
    unsigned ordinal; /* of its host in the farm */
    char *address;
    unsigned port; /* 0 until it listens */
    struct MHD_Daemon *daemon;
    gint64 back_at;         /* main thread: when it is to listen again (monotonic); 0: never */
    enum xf_mode mode;      /* (L) */
    gint64 slow_usec;       /* (L) */
    char *argument;         /* (L) XF_SLAVE: address, XF_CUT: method */
    bool stopping;          /* (L) calls that wait give up */
    char host[XF_REF_SIZE]; /* (L) "" until the farm has told of it */
};

struct xf_session {
    bool local; /* of slave_local_login_with_password: good for little */
    bool read_only;
    char *originator; /* who logged in, in its own words */
};

struct xf_server {
    const struct xf_options *options;
    char *password;
    char *certificate; /* PEM; NULL: plain HTTP */
    char *key;
    struct xf_db *db;
    struct xf_link *link;
    struct xf_rrd *rrd;
    GPtrArray *endpoints;  /* struct xf_endpoint * */
    unsigned coordinator;  /* (L) ordinal */
    GHashTable *sessions;  /* (L) ref -> struct xf_session * */
    GHashTable *tasks;     /* (L) ref -> struct xf_task *, those that run */
    unsigned task_threads; /* (L) */
    bool ending;           /* (L) */
    int record;            /* descriptor of record.h's file; -1: none */
};

struct xf_endpoint *xf_server_endpoint(const struct xf_server *server, unsigned ordinal);

/* --- session.c; with the lock */
/* Newly allocated reference. */
char *xf_session_begin(struct xf_server *server, bool local, bool read_only,
                       const char *originator);
void xf_session_free(void *session);
/* NULL: unknown. */
const struct xf_session *xf_session_find(const struct xf_server *server, const char *ref);
void xf_session_end(struct xf_server *server, const char *ref);
void xf_session_end_all(struct xf_server *server);
bool xf_password_is(const struct xf_server *server, const char *user, const char *password);
