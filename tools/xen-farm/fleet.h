/* The simulated world: hosts, domains, their load and life, operations, faults. It knows no sockets
 * and no clock: whoever owns it (a server, a test) tells it the time. One thread. The same seed and
 * options give the same fleet.
 *
 * Times are microseconds on the owner's monotonic clock unless a name says real. Sizes in KiB. */
#pragma once

#include "xenclient/drivers/driver.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define FARM_MAX_HOSTS XC_MAX_HOSTS
#define FARM_MAX_DOMAINS                                                                           \
    (XC_MAX_DOMAINS -                                                                              \
     XC_MAX_HOSTS) /* the control domains are reported too                        \
                                     */
#define FARM_MAX_DEVICES 4
#define FARM_N_ACTIONS   64 /* above every enum xc_action */
#define FARM_N_RESULTS   8
/* So many finished operations are remembered; older ones only as begun once. */
#define FARM_MAX_FINISHED 65536

struct farm_config {
    uint64_t seed;
    unsigned hosts;   /* 1..FARM_MAX_HOSTS */
    unsigned domains; /* 0..FARM_MAX_DOMAINS, dealt out to the hosts in turn */
    GPtrArray *names; /* char *, any octets but NUL; the first domains get them. NULL: none */
    const char *host_prefix;  /* hosts are prefix1, prefix2, ... */
    bool same_names;          /* every host has domains of the same names */
    unsigned running_percent; /* of the domains at the start; the others are shut down */
    double speed;             /* operations take 1/speed of the usual time */
    unsigned vcpus;           /* 0: varied */
    int vifs;                 /* 0..FARM_MAX_DEVICES, -1: varied */
    int vbds;
    uint64_t mem_kib;   /* of a domain; 0: varied */
    uint64_t host_kib;  /* 0: what its domains need and half as much again */
    unsigned host_cpus; /* 0: varied */
    uint64_t boot;      /* makes the boot ids of this life of the farm its own */
};
/* The defaults; names is NULL. */
void farm_config_init(struct farm_config *config);

/* What a host does to those who ask it. The world behind goes on. */
enum farm_fault {
    FARM_NORMAL,
    FARM_DOWN,      /* can't be reached */
    FARM_REFUSE,    /* connections refused */
    FARM_AUTH,      /* credential refused */
    FARM_HOSTKEY,   /* host key not the known one */
    FARM_SLOW,      /* every answer late */
    FARM_HUNG,      /* never answers */
    FARM_CRASH,     /* answers polls with the message that makes the sim driver abort */
    FARM_GARBAGE,   /* random octets */
    FARM_TRUNCATED, /* a part of the answer, then the end */
    FARM_HUGE,      /* announces a message of 1 GiB */
    FARM_ENDLESS,   /* never comes to the last piece */
    FARM_OTHER,     /* answers as another host */
    FARM_N_FAULTS
};
extern const char *const farm_fault_names[FARM_N_FAULTS];

struct farm_domain;
struct farm_op;

struct farm_host {
    unsigned ordinal;
    char *name;
    struct xc_uuid uuid;
    struct xc_uuid boot_id;
    gint64 booted;
    unsigned boots;
    unsigned cpus;
    uint64_t mem_kib;
    uint64_t control_kib; /* Domain-0 */
    uint64_t used_kib;    /* by living guests and those coming in */
    uint32_t next_domid;
    GPtrArray *domains;  /* struct farm_domain *, living or defined here; in order of arrival */
    GPtrArray *incoming; /* struct farm_op *, migrations on their way here */
    enum farm_fault fault;
    gint64 slow_usec;        /* FARM_SLOW */
    int fault_left;          /* FARM_CRASH: so many more; -1: no end */
    struct farm_host *other; /* FARM_OTHER */
};

/* What the farm says wrongly about a domain. */
enum farm_lie { FARM_LIE_COUNTERS = 1, FARM_LIE_DOMID = 2 };

struct farm_domain {
    struct xc_uuid uuid;
    char *name;
    char *config; /* path of its file; NULL: made from the name */
    struct farm_host *host;
    struct farm_op *op; /* the operation that has hold of it, or NULL */
    uint64_t key;       /* of its load and habits, from the seed */
    uint64_t mem_kib;
    uint64_t mem_max_kib; /* what a life begins with */
    gint64 started;       /* this life; before the farm's own start for those found running */
    gint64 run_since;     /* when it was last set running */
    gint64 run_before;    /* how long it had run in this life before that */
    uint32_t domid;       /* 0: not living */
    uint32_t executions;  /* operations begun on it */
    uint16_t vcpus;       /* what a life begins with: the most */
    uint16_t vcpus_online;
    uint16_t weight; /* of the scheduler */
    uint32_t cap;
    uint8_t vifs;
    uint8_t vbds;
    uint8_t state; /* enum xc_domain_state */
    uint8_t reason;
    uint8_t virt;
    uint8_t profile; /* of its load */
    uint8_t lies;    /* enum farm_lie bits */
    bool ignores_shutdown;
};

/* How an execution goes wrong. */
enum farm_trouble {
    FARM_NO_TROUBLE,
    FARM_FAIL,    /* ends with a cause and text */
    FARM_HANG,    /* never ends by itself */
    FARM_PRETEND, /* says ok, did nothing */
    FARM_POISON,  /* begins, and the client is answered with the message that makes it abort */
};

struct farm_op {
    struct xc_uuid uuid;
    enum xc_action action;
    struct farm_domain *domain; /* NULL once finished, and for create before there is one */
    struct xc_uuid domain_uuid;
    struct farm_host *host;   /* where it acts */
    uint8_t before;           /* enum xc_domain_state in which it found the domain */
    struct farm_host *target; /* migrate, check */
    char *name;               /* of the domain, for people */
    struct farm_guest *guest; /* create: what the configuration says */
    uint32_t amount;          /* MiB, vCPUs, weight, percent */
    unsigned step;
    gint64 begun;
    gint64 entered;  /* the present step */
    gint64 planned;  /* how long it takes */
    gint64 due;      /* its end; G_MAXINT64: waits for ever */
    gint64 deadline; /* the whole operation */
    const char *phase;
    int progress; /* -1: not known */
    uint32_t incoming_domid;
    enum farm_trouble trouble;
    enum xc_cause trouble_cause;
    char *trouble_text;
    bool orphan; /* its uuid was begun again: known by nobody */
    bool finished;
    struct xc_outcome outcome;  /* once finished */
    enum xc_domain_state state; /* of the domain as read back at the end; UNKNOWN: none there */
    char *where;                /* host it was on then; "" none */
};

/* What an operation on a configuration needs to know. */
struct farm_guest {
    char *name;
    struct xc_uuid uuid;
    uint64_t mem_kib;
    unsigned vcpus;
    unsigned vifs;
    unsigned vbds;
};
/* Reads xl.cfg text. badConfig. Cleared by the caller after success. */
bool farm_guest_parse(const char *content, struct farm_guest *out, GError **error);
void farm_guest_clear(struct farm_guest *guest);

struct farm_counts {
    uint64_t executions;
    uint64_t duplicates;
    uint64_t by_action[FARM_N_ACTIONS];
    uint64_t by_result[FARM_N_RESULTS];
};

/* Told at once; they must not change the fleet. */
struct farm_events {
    void (*changed)(struct farm_host *host, void *data); /* something a poll would show */
    void (*begun)(struct farm_op *op, void *data);
    void (*moved)(struct farm_op *op, void *data); /* phase or progress */
    void (*ended)(struct farm_op *op, void *data);
};

struct farm_fleet {
    struct farm_config config;
    gint64 now;
    gint64 real_offset; /* real time = now + real_offset */
    gint64 born;
    GPtrArray *hosts;    /* struct farm_host * */
    GPtrArray *domains;  /* struct farm_domain *, owned */
    GPtrArray *saved;    /* those of them that are suspended: all hosts see the same save files */
    GHashTable *by_uuid; /* domains */
    GHashTable *by_host_name;
    GHashTable *ops;   /* uuid -> struct farm_op *, owned: running and finished ones */
    GHashTable *seen;  /* uuid of every execution ever begun */
    GPtrArray *active; /* struct farm_op * */
    GQueue finished;   /* struct farm_op *, oldest first, to forget */
    GArray *rules;     /* struct farm_rule */
    struct farm_counts counts;
    const struct farm_events *events;
    void *events_data;
    unsigned flap_at; /* where farm_flap() goes on */
    bool remembers;   /* knows of executions before its own start: unknown = never begun */
};

/* names and host_prefix are copied. Errors: badValue (names twice on one host, ...). */
struct farm_fleet *farm_fleet_new(const struct farm_config *config, gint64 now, gint64 now_real,
                                  GError **error);
void *farm_fleet_free(struct farm_fleet *fleet); /* returns NULL; takes NULL */
void farm_fleet_listen(struct farm_fleet *fleet, const struct farm_events *events, void *data);

/* Brings the world to that time; the next one at which it wants to be called (G_MAXINT64: none). */
gint64 farm_fleet_run(struct farm_fleet *fleet, gint64 now);

/* --- finding */
struct farm_host *farm_host_find(const struct farm_fleet *fleet, const char *name);
struct farm_domain *farm_domain_by_uuid(const struct farm_fleet *fleet, const struct xc_uuid *uuid);
/* By name on one host; NULL: none. */
struct farm_domain *farm_domain_on_host(const struct farm_host *host, const char *name);
/* As people say it: uuid, host/name or name. noSuchTarget, ambiguous. */
struct farm_domain *farm_domain_find(const struct farm_fleet *fleet, const char *text,
                                     GError **error);
/* Memory, processors and weight as at the beginning of a life. */
void farm_domain_reset_shape(struct farm_domain *domain);
bool farm_domain_living(const struct farm_domain *domain);
/* Newly allocated. */
char *farm_domain_config(const struct farm_domain *domain);
uint64_t farm_host_free_kib(const struct farm_host *host);

/* --- reporting (report.c): what a poll of one host (or of all: NULL) says, in pieces as
 * xc_report_write() makes them. False: send stopped it. */
bool farm_fleet_report(const struct farm_fleet *fleet, const struct farm_host *host, size_t limit,
                       xc_report_send_fn send, void *data);

/* --- load (load.c): counters as a pure function of who it is and how long it has run */
struct farm_load {
    uint64_t cpu_usec;
    uint64_t rx_bytes, tx_bytes, rx_packets, tx_packets; /* of all interfaces */
    uint64_t rd_bytes, wr_bytes, rd_ops, wr_ops;         /* of all disks */
};
void farm_load_at(uint64_t key, unsigned profile, unsigned vcpus, gint64 run_usec,
                  struct farm_load *out);
unsigned farm_profile_of(uint64_t key);
const char *farm_profile_name(unsigned profile);
/* How long the domain has run in this life. */
gint64 farm_domain_run_usec(const struct farm_domain *domain, gint64 now);
/* Deterministic dice: the same for the same arguments. */
uint64_t farm_dice(uint64_t seed, uint64_t kind, uint64_t number);
void farm_dice_uuid(uint64_t seed, uint64_t kind, uint64_t number, struct xc_uuid *out);

/* --- operations (operation.c) */

/* Begins an execution, whatever is known of that uuid: it counts. scope: the host asked, NULL for
 * all. Never NULL; the operation may be finished (refused) at once. */
struct farm_op *farm_op_begin(struct farm_fleet *fleet, const struct farm_host *scope,
                              const struct xc_order *order);
struct farm_op *farm_op_find(const struct farm_fleet *fleet, const struct xc_uuid *uuid);
/* Ends it if its present step can be undone; else it goes on. */
void farm_op_cancel(struct farm_fleet *fleet, struct farm_op *op);
/* The host an order is about (for its boot id), or NULL. */
struct farm_host *farm_order_host(const struct farm_fleet *fleet, const struct farm_host *scope,
                                  const struct xc_order *order);
/* An execution of an earlier life of the farm: counted and known. outcome NULL: its end was not seen,
 * else state and where as read back then. */
void farm_op_remember(struct farm_fleet *fleet, const struct xc_uuid *uuid, enum xc_action action,
                      const struct xc_outcome *outcome, enum xc_domain_state state,
                      const char *where);

/* --- changes by hand (fleet.c): at once, as if someone had worked on the host itself */
bool farm_hand_start(struct farm_fleet *fleet, struct farm_domain *domain, GError **error);
bool farm_hand_pause(struct farm_fleet *fleet, struct farm_domain *domain, bool pause,
                     GError **error);
/* Down for that reason: CRASH leaves it crashed with its memory, POWEROFF shut down. */
bool farm_hand_stop(struct farm_fleet *fleet, struct farm_domain *domain, enum xc_reason reason,
                    GError **error);
bool farm_hand_rename(struct farm_fleet *fleet, struct farm_domain *domain, const char *name,
                      GError **error);
/* New boot id; guests down; its operations forgotten. */
void farm_host_reboot(struct farm_fleet *fleet, struct farm_host *host);
/* Pauses running and unpauses paused domains, n in all; how many there were. */
unsigned farm_flap(struct farm_fleet *fleet, unsigned n);

/* --- scripted trouble of executions */
struct farm_rule {
    enum farm_trouble trouble;
    enum xc_action action; /* 0: any */
    enum xc_cause cause;
    char *text;
    int left; /* -1: no end */
};
void farm_rule_add(struct farm_fleet *fleet, enum farm_trouble trouble, enum xc_action action,
                   enum xc_cause cause, const char *text, int count);
/* Takes all rules away and lets what hangs go on. */
void farm_rule_clear(struct farm_fleet *fleet);
/* A guest that takes no notice of shutdown and reboot, or does so again. */
void farm_ignore_shutdown(struct farm_fleet *fleet, struct farm_domain *domain, bool ignore);

/* --- for operation.c: lifecycle with its bookkeeping */
bool farm_domain_place(struct farm_fleet *fleet, struct farm_domain *domain, struct farm_host *host,
                       GError **error); /* memory and a new domid; state PREPARING */
void farm_domain_set_state(struct farm_fleet *fleet, struct farm_domain *domain,
                           enum xc_domain_state state, enum xc_reason reason);
void farm_domain_release(struct farm_fleet *fleet, struct farm_domain *domain,
                         enum xc_reason reason); /* SHUTDOWN; memory and domid given back */
/* What release leaves: SUSPENDED in a save file. */
void farm_domain_suspend(struct farm_fleet *fleet, struct farm_domain *domain);
void farm_domain_move(struct farm_fleet *fleet, struct farm_domain *domain, struct farm_host *host,
                      uint32_t domid); /* a migration's hand-over */
bool farm_host_reserve(struct farm_host *host, uint64_t kib, GError **error);
uint32_t farm_host_domid(struct farm_host *host);
void farm_host_new_boot(struct farm_fleet *fleet, struct farm_host *host);
struct farm_domain *farm_domain_define(struct farm_fleet *fleet, struct farm_host *host,
                                       const struct farm_guest *guest, GError **error);
void farm_op_interrupt(struct farm_fleet *fleet, struct farm_op *op, enum xc_result result,
                       enum xc_cause cause, const char *text);
/* Out of the table and freed; it must be finished. */
void farm_op_forget(struct farm_fleet *fleet, struct farm_op *op);
/* Takes all operations one step on if their time has come; the next time one does. */
gint64 farm_ops_run(struct farm_fleet *fleet);
void farm_changed(struct farm_fleet *fleet, struct farm_host *host);
void *farm_op_free(struct farm_op *op);
