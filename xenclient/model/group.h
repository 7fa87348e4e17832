/* What operators say of a group of domains. Plain data: no I/O, no threads. */
#pragma once

#include "xenclient/model/field.h"
#include "xenclient/model/state.h"
#include "xenclient/util/bytes.h"

/* Most of each; more is refused. */
#define XC_GROUPS_MAX         1000
#define XC_GROUP_MEMBERS_MAX  1000
#define XC_GROUP_HOSTS_MAX    256
#define XC_GROUP_NAME_MAX     32
#define XC_MEMBER_NAME_MAX    64
#define XC_MEMBER_DELAY_MAX   3600
#define XC_GROUP_WEIGHT_MAX   100
#define XC_GROUP_WEIGHT_USUAL 100
#define XC_PRIORITY_MAX       100

/* How members are spread over hosts when they are started. */
enum xc_spread {
    XC_SPREAD_EQUAL = 1,     /* numbers of members differ by at most one, as far as they fit */
    XC_SPREAD_BY_MEMORY = 2, /* each to the host with the most memory free */
    XC_SPREAD_PACK = 3,      /* as few hosts as will do */
    XC_SPREAD_PINNED = 4,    /* each to the host it is pinned to, else to its home */
};

enum xc_group_order { XC_GROUP_PARALLEL = 1, XC_GROUP_SEQUENTIAL = 2 };

enum xc_group_status {
    XC_GROUP_OK = 1,
    XC_GROUP_DEGRADED = 2,
    XC_GROUP_DOWN = 3,
    XC_GROUP_TRANSITION = 4,
    XC_GROUP_EMPTY = 5,
    XC_GROUP_UNKNOWN = 6,
    XC_GROUP_STOPPED = 7,
};

/* A member, named by the name of a domain, host/name, or uuid; `create` is what makes it where no such domain is known:
 * an absolute path on a host, library:NAME, template:NAME; "" nothing. */
struct xc_member_spec {
    char *member;       /* 1..64 octets */
    char *descr;        /* 0..255 */
    char *create;       /* 0..255 */
    char *pin;          /* host key, "" none */
    unsigned priority;  /* 1..100, the lower the earlier; 50 */
    unsigned delay_sec; /* 0..3600: what follows waits so long after its start */
};

struct xc_group_host_spec {
    char *host;      /* key of xenHostTable; may be unknown yet */
    unsigned weight; /* 1..100; 100 */
};

struct xc_group_spec {
    char *name;  /* 1..32 of A-Za-z0-9._- */
    char *descr; /* 0..255 */
    enum xc_spread spread;
    enum xc_group_order order;
    unsigned min_running; /* fewer: down or degraded; 0: all members */
    bool all_hosts;       /* whatever hosts there are; `hosts` then gives weights alone */
    GPtrArray *members;   /* struct xc_member_spec *, by name as SNMP sorts; owned */
    GPtrArray *hosts;     /* struct xc_group_host_spec *, by key as SNMP sorts; owned */
};

extern const struct xc_enum xc_spread_labels;
extern const struct xc_enum xc_group_order_labels;
extern const struct xc_enum xc_group_status_labels;

struct xc_group_spec *xc_group_spec_new(const char *name); /* with the defaults; all hosts */
struct xc_group_spec *xc_group_spec_copy(const struct xc_group_spec *spec);
void *xc_group_spec_free(struct xc_group_spec *spec); /* returns NULL; takes NULL */
typedef struct xc_group_spec xc_group_spec;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xc_group_spec, xc_group_spec_free)

/* What the group of a vApp is called: the 32 hexadecimal digits of its uuid. No other group may have such a name. */
void xc_vapp_name(const struct xc_uuid *uuid, char out[XC_UUID_TEXT]);
bool xc_vapp_is_name(const char *name);

/* NULL: there is none of that name. */
struct xc_member_spec *xc_group_member(const struct xc_group_spec *spec, const char *member);
struct xc_group_host_spec *xc_group_host(const struct xc_group_spec *spec, const char *host);
/* Made if absent, with the defaults, in its place. */
struct xc_member_spec *xc_group_member_get(struct xc_group_spec *spec, const char *member);
struct xc_group_host_spec *xc_group_host_get(struct xc_group_spec *spec, const char *host);
void xc_group_member_drop(struct xc_group_spec *spec, const char *member);
void xc_group_host_drop(struct xc_group_spec *spec, const char *host);

/* The hosts of a text "a b", or of "*": whatever hosts there are. Weights of hosts that are named, or with "*" all, are
 * kept. False, and nothing is changed: a word of it is no key, or stands twice. */
bool xc_group_hosts_parse(struct xc_group_spec *spec, const char *text, GError **error);
/* The same the other way round: "*", or the keys. */
char *xc_group_hosts_text(const struct xc_group_spec *spec);

bool xc_group_spec_equal(const struct xc_group_spec *a, const struct xc_group_spec *b);
/* For the journal and the store: all but the name, which is their key. */
void xc_group_spec_write(const struct xc_group_spec *spec, GByteArray *to);
/* What comes is in order and passes xc_group_spec_check(), or the reader is bad: NULL. */
struct xc_group_spec *xc_group_spec_read(const char *name, struct xc_reader *from);

/* Form, ranges and numbers; what it names need not exist. */
bool xc_group_spec_check(const struct xc_group_spec *spec, GError **error);
