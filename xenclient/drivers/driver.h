/* The contract between the core and a driver: how one kind of hypervisor is asked and told.
 *
 * Drivers run only in worker processes (or in a plugin's own process), one thread per source and
 * one more per running operation, in plain blocking code that obeys its xc_call: every wait goes
 * through xc_call_wait() or an equal, so that deadlines and cancellation always work. A driver knows the
 * model, transports and util; it knows no store, engine or SNMP. To begin a new one copy skel.c. */
#pragma once

#include "xenclient/drivers/credential.h"
#include "xenclient/drivers/memory.h"
#include "xenclient/model/snapshot.h"
#include "xenclient/model/source.h"
#include "xenclient/transport/deadline.h"
#include "xenclient/util/clock.h"
#include "xenclient/util/error.h"

/* The parts of a URI the suite accepts: scheme://[user@]host[:port][/path]. No password, no query. */
struct xc_uri {
    char *scheme;
    char *user;    /* "" none */
    char *host;    /* "" none (xl:///) */
    unsigned port; /* 0: the scheme's default */
    char *path;    /* "" or begins with '/' */
};
/* Overwrites *out; after badValue it is zeroed. The text of the error never repeats the URI, which may
 * hold a password by mistake. Host without brackets, scheme in lower case. */
bool xc_uri_parse(const char *text, struct xc_uri *out, GError **error);
void xc_uri_clear(struct xc_uri *uri);

/* Where the process that runs drivers finds files. Read-only, shared by all threads. */
struct xc_driver_env {
    char *credential_dir; /* /etc/xensnmp/credentials */
    char *known_hosts;    /* /etc/xensnmp/known_hosts */
    char *tls_pins;       /* /etc/xensnmp/tls_pins */
    char *tls_ca;         /* PEM file; "": the system's */
    /* What drivers remember from one connection to the next; NULL: nothing. */
    struct xc_memory *memory;
};

/* One operation as it travels to a driver. Strings never NULL. */
struct xc_order {
    struct xc_uuid op; /* identity of the operation: the fence against doing it twice */
    enum xc_action action;
    bool attach;         /* it was begun before: find out, do not blindly begin again */
    struct xc_uuid uuid; /* the domain's uuid (nil: none) */
    bool has_domid;
    int64_t domid; /* as last seen: check it against uuid and name before use */
    char *name;    /* the domain's name */
    char *config;  /* configuration path (start, create), or the template of a create */
    char *content; /* create: the configuration itself instead of a path, at most 64 KiB */
    /* Name of what is to be made (snapshot, checkpoint, clone); uuid of the one meant. */
    char *snapshot;
    /* Names, or uuids where the driver has hosts_by_uuid. */
    char *host_from; /* of the host within the source it acts on ("" single host) */
    char *host_to;   /* of the destination host within the target source ("" single host) */
    struct xc_source_spec target; /* migrate, check: the destination (key "" = none) */
    char *boot_id;       /* boot id of the host when the order was first sent, "" unknown */
    uint32_t live;       /* migrate: 1 live */
    uint32_t amount;     /* of an action that has one: MiB, vCPUs, weight, percent; else 0 */
    gint64 timeout_usec; /* for the whole operation */
};
/* Most octets of order->content. */
#define XC_ORDER_CONTENT_MAX 65536
/* Longest time an operation may be given. */
#define XC_ORDER_TIMEOUT_MAX (7 * 86400 * XC_USEC_PER_SEC)
void xc_order_copy(struct xc_order *to,
                   const struct xc_order *from); /* `to` is overwritten, not cleared */
void xc_order_clear(struct xc_order *order);
void xc_order_write(const struct xc_order *order, GByteArray *to);
void xc_order_read(struct xc_order *order, struct xc_reader *from);

/* How an operation ended, as the driver knows it. */
struct xc_outcome {
    enum xc_result
        result; /* OK only when the wanted state was read back; LOST when it can't be known */
    enum xc_cause cause;
    char *text; /* the hypervisor's own words, cleaned, at most 1,000 octets; may be NULL */
};
#define XC_OUTCOME_TEXT_MAX 1000
void xc_outcome_clear(struct xc_outcome *outcome);
/* Sets all members; frees an earlier text. */
void xc_outcome_set(struct xc_outcome *outcome, enum xc_result result, enum xc_cause cause,
                    const char *format, ...) G_GNUC_PRINTF(4, 5);
/* FAILED/TIMED_OUT/CANCELLED/LOST from an error, by its cause. */
void xc_outcome_from_error(struct xc_outcome *outcome, const GError *error);

/* Told by a running operation whenever something is worth showing; may be called often.
 * phase: a few words ("sending memory"). progress 0..100, or -1: not known. */
typedef void (*xc_progress_fn)(const char *phase, int progress, void *data);

/* What there is to know of a driver without running it: all that the front needs. */
struct xc_driver {
    const char *name;           /* "xl", also the label in the MIB */
    int number;                 /* stable number in the MIB (enum XenDriver) */
    const char *const *schemes; /* NULL-terminated */
    uint32_t capabilities; /* XC_CAP_ bits: promise only what was tested against the real thing */
    bool own_saves; /* the hypervisor keeps suspended domains itself: a source needs no save_dir */
    bool tls;       /* it shows a certificate, so tls_insecure means something */
    bool templates; /* it creates from templates of its own, not from configurations */
    /* It finds hosts by their uuid: names may change, and are cleaned and cut on their way. */
    bool hosts_by_uuid;
    bool notices; /* it tells of messages that the hypervisor keeps */
    int files; /* descriptors that a source may hold at once; 0: as many as one connection needs */
};

struct xc_conn; /* private to each driver */

/* What a driver does. Processes that run drivers alone have these, and with them the libraries behind them. */
struct xc_driver_ops {
    /* Required. Opens the persistent connection that polls and watches share. Blocks within the call.
     * Errors: hostDown, transport, authFailed, hostKey, tlsFailed, timedOut, badValue, ... with a text that
     * names the thing, the place and the cure. The spec and env outlive the connection. */
    struct xc_conn *(*open)(const struct xc_source_spec *spec, const struct xc_driver_env *env,
                            struct xc_call *call, GError **error);
    /* Required. Takes NULL. Never blocks longer than a moment. */
    void (*close)(struct xc_conn *conn);
    /* Required. Asks for everything; fills the report. After an error the caller closes the connection. A driver that
     * knows what changed may take the offer of report->news_will_do, on a connection that it has polled before. */
    bool (*poll)(struct xc_conn *conn, struct xc_report *report, struct xc_call *call,
                 GError **error);
    /* Optional (NULL: no events). A descriptor that becomes readable when something may have
     * changed, or -1. Good until the connection is closed. */
    int (*event_fd)(struct xc_conn *conn);
    /* With event_fd: called when it is readable, and once after each poll, since a shared session may have
     * taken the event in meanwhile. *changed (false before the call): ask for a poll now. Never blocks. */
    bool (*event_read)(struct xc_conn *conn, bool *changed, GError **error);

    /* Required. Runs one operation to its end on a connection of its own (decisions: polls and
     * operations never wait for each other) and reads back the wanted state. With order->attach it finds out
     * what became of an operation begun earlier; it begins one only when it is certain that it never
     * began. Always fills the outcome. A cancelled call: stop if that is safe, outcome CANCELLED, else go on. */
    void (*run)(const struct xc_source_spec *spec, const struct xc_driver_env *env,
                const struct xc_order *order, struct xc_call *call, xc_progress_fn progress,
                void *data, struct xc_outcome *outcome);
};

/* All compiled-in drivers. */
extern const struct xc_driver *const xc_drivers[];
extern const unsigned xc_n_drivers;
/* The driver of a URI, or NULL with badValue naming the schemes there are. */
const struct xc_driver *xc_driver_for(const char *uri, GError **error);
/* Of a driver of that list; NULL of NULL. For processes that run drivers. */
const struct xc_driver_ops *xc_driver_ops(const struct xc_driver *driver);
extern const struct xc_enum
    xc_driver_labels; /* 1 xapi, 2 xl, 3 xend, 4 libvirt, 5 uml, 6 simulator */
