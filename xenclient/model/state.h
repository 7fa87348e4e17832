/* Enumerations of the model, and the table that says which action is possible in which state. */
#pragma once

#include "xenclient/util/labels.h"

#include <stdbool.h>
#include <stdint.h>

/* VirtualMachineOperState of RFC 7666. */
enum xc_domain_state {
    XC_STATE_UNKNOWN = 1,
    XC_STATE_OTHER = 2,
    XC_STATE_PREPARING = 3,
    XC_STATE_RUNNING = 4,
    XC_STATE_SUSPENDING = 5,
    XC_STATE_SUSPENDED = 6,
    XC_STATE_RESUMING = 7,
    XC_STATE_PAUSED = 8,
    XC_STATE_MIGRATING = 9,
    XC_STATE_SHUTTING_DOWN = 10,
    XC_STATE_SHUTDOWN = 11,
    XC_STATE_CRASHED = 12,
};

/* VirtualMachineAdminState of RFC 7666, and none for "nothing was asked". */
enum xc_wanted {
    XC_WANTED_NONE = 0,
    XC_WANTED_RUNNING = 1,
    XC_WANTED_SUSPENDED = 2,
    XC_WANTED_PAUSED = 3,
    XC_WANTED_SHUTDOWN = 4
};

enum xc_reason {
    XC_REASON_NONE = 1,
    XC_REASON_POWEROFF = 2,
    XC_REASON_REBOOT = 3,
    XC_REASON_CRASH = 4,
    XC_REASON_WATCHDOG = 5,
    XC_REASON_SUSPEND = 6,
};

enum xc_domain_kind {
    XC_KIND_GUEST = 1,
    XC_KIND_CONTROL = 2,
    XC_KIND_STUB = 3,
    XC_KIND_TEMPLATE = 4,
    XC_KIND_DRIVER = 5
};

enum xc_virt {
    XC_VIRT_UNKNOWN = 1,
    XC_VIRT_PV = 2,
    XC_VIRT_HVM = 3,
    XC_VIRT_PVH = 4,
    XC_VIRT_PVHVM = 5
};

enum xc_counter_kind { XC_COUNTERS_EXACT = 1, XC_COUNTERS_INTEGRATED = 2, XC_COUNTERS_COARSE = 3 };

enum xc_identity {
    XC_IDENTITY_UUID = 1,
    XC_IDENTITY_CONFIG = 2,
    XC_IDENTITY_CONTROL = 3,
    XC_IDENTITY_NAME = 4
};

enum xc_presence { XC_PRESENT = 1, XC_STALE = 2, XC_DELETED = 3 };

enum xc_vcpu_state {
    XC_VCPU_RUNNING = 1,
    XC_VCPU_BLOCKED = 2, /* has nothing to do */
    XC_VCPU_WAITING = 3, /* for a processor, or its domain is paused */
    XC_VCPU_OFFLINE = 4,
};

enum xc_tools { XC_TOOLS_UNKNOWN = 1, XC_TOOLS_NONE = 2, XC_TOOLS_OLD = 3, XC_TOOLS_OK = 4 };

/* What a snapshot of a domain holds: its disks, or its memory too. */
enum xc_point_kind { XC_POINT_DISK = 1, XC_POINT_CHECKPOINT = 2 };

enum xc_pool_role { XC_POOL_NONE = 1, XC_POOL_COORDINATOR = 2, XC_POOL_MEMBER = 3 };

/* What a domain has on a host: its configuration, its life, or both. */
enum xc_host_role { XC_ROLE_HOME = 1, XC_ROLE_RUNNING = 2, XC_ROLE_BOTH = 3 };

enum xc_source_state {
    XC_SOURCE_CONNECTING = 1,
    XC_SOURCE_UP = 2,
    XC_SOURCE_DEGRADED = 3,     /* the last poll failed, data are those before */
    XC_SOURCE_DOWN = 4,         /* three or more polls failed */
    XC_SOURCE_UNAUTHORISED = 5, /* credential or key refused */
    XC_SOURCE_UNTRUSTED = 6,    /* host key or certificate unknown or changed */
    XC_SOURCE_DISABLED = 7,
    XC_SOURCE_MAINTENANCE = 8, /* of a host alone: its source is up, it takes no new domains */
};

enum xc_origin_of_source {
    XC_FROM_CONFIG = 1,
    XC_FROM_SNMP = 2,
    XC_FROM_DISCOVERY = 3,
    XC_FROM_HYPERVISOR = 4, /* of a group alone: a vApp */
};

/* XenAction: numbers never change; columns restrict the list. */
enum xc_action {
    XC_ACTION_NOOP = 1,
    XC_ACTION_START = 2,
    XC_ACTION_SHUTDOWN = 3,
    XC_ACTION_REBOOT = 4,
    XC_ACTION_PAUSE = 5,
    XC_ACTION_UNPAUSE = 6,
    XC_ACTION_SUSPEND = 7, /* to a file on the host; resume: from it */
    XC_ACTION_RESUME = 8,
    XC_ACTION_DESTROY = 9,
    XC_ACTION_RESET = 10,
    XC_ACTION_MIGRATE = 11,
    XC_ACTION_CREATE = 12,
    XC_ACTION_DELETE = 13,     /* with its own disks */
    XC_ACTION_SNAPSHOT = 14,   /* of the disks */
    XC_ACTION_CHECKPOINT = 15, /* and of the memory */
    XC_ACTION_REVERT = 16,
    XC_ACTION_SET_MEMORY = 17,
    XC_ACTION_SET_VCPUS = 18,
    XC_ACTION_DUMP_CORE = 19,
    XC_ACTION_NMI = 20,
    XC_ACTION_EVACUATE = 22,
    XC_ACTION_HOST_ENABLE = 23,
    XC_ACTION_HOST_DISABLE = 24,
    XC_ACTION_RESCAN = 25,
    XC_ACTION_CHECK_MIGRATE = 28,
    XC_ACTION_SET_WEIGHT = 29,
    XC_ACTION_SET_CAP = 30,
    XC_ACTION_DELETE_SNAPSHOT = 31,
    XC_ACTION_CLONE = 32,
    XC_ACTION_DISCOVER = 40, /* of no domain and no host */
};

enum xc_op_state {
    XC_OP_ACCEPTED = 1,
    XC_OP_QUEUED = 2,
    XC_OP_RUNNING = 3,
    XC_OP_CANCELLING = 4,
    XC_OP_FINISHED = 5
};

enum xc_result {
    XC_RESULT_NONE = 1,
    XC_RESULT_OK = 2,
    XC_RESULT_PARTIAL = 3,
    XC_RESULT_FAILED = 4,
    XC_RESULT_CANCELLED = 5,
    XC_RESULT_TIMED_OUT = 6,
    XC_RESULT_LOST = 7
};

extern const struct xc_enum xc_domain_state_labels;
extern const struct xc_enum xc_wanted_labels;
extern const struct xc_enum xc_reason_labels;
extern const struct xc_enum xc_domain_kind_labels;
extern const struct xc_enum xc_virt_labels;
extern const struct xc_enum xc_counter_kind_labels;
extern const struct xc_enum xc_identity_labels;
extern const struct xc_enum xc_presence_labels;
extern const struct xc_enum xc_host_role_labels;
extern const struct xc_enum xc_vcpu_state_labels;
extern const struct xc_enum xc_tools_labels;
extern const struct xc_enum xc_point_kind_labels;
extern const struct xc_enum xc_pool_role_labels;
extern const struct xc_enum xc_source_state_labels;
extern const struct xc_enum xc_origin_labels;
extern const struct xc_enum xc_action_labels;
extern const struct xc_enum xc_op_state_labels;
extern const struct xc_enum xc_result_labels;

#define XC_IN(state) (1u << (state))

/* What an action needs and aims at. */
struct xc_action_info {
    enum xc_action action;
    uint32_t from;         /* states it is possible in, XC_IN() bits */
    enum xc_wanted wanted; /* what the operator wants afterwards; NONE: unchanged */
    bool force;            /* may lose data of the guest: refused for protected domains */
    bool soft;             /* needs the guest's help: a force action may supersede it */
    bool stops;            /* ends the domain's running: refused for protected domains */
    bool forgets;          /* what was kept of the domain is lost: refused for protected domains */
    bool needs_host;       /* its argument is a host key */
    bool may_host;         /* begins a life of the domain: on another host where one is named */
    bool needs_save_dir;   /* of the source that carries it out */
    bool has_amount;       /* its argument is a number: MiB, vCPUs, weight, percent */
    bool names_point;      /* its argument is the name of a snapshot to be taken */
    bool names_copy;       /* its argument is the name of a domain to be made */
    bool has_point;        /* its argument is a snapshot of the domain */
    bool of_host;          /* its target is a host, not a domain */
    unsigned timeout_sec;  /* default */
    uint32_t capability;   /* XC_CAP_ bit of the driver; 0: the engine does it alone */
};

enum xc_capability {
    XC_CAP_START = 1u << 0,
    XC_CAP_SHUTDOWN = 1u << 1,
    XC_CAP_PAUSE = 1u << 2,
    XC_CAP_SUSPEND = 1u << 3,
    XC_CAP_MIGRATE = 1u << 4,
    XC_CAP_LIVE_MIGRATE = 1u << 5,
    XC_CAP_CREATE = 1u << 6,
    XC_CAP_EVENTS = 1u << 7,
    XC_CAP_DESTROY = 1u << 8,
    XC_CAP_RESET = 1u << 9,
    XC_CAP_REBOOT = 1u << 10,
    XC_CAP_START_ELSEWHERE = 1u << 11, /* any host of the pool can start a halted domain */
    XC_CAP_CHECK_MIGRATE = 1u << 12,
    XC_CAP_PROGRESS = 1u << 13, /* operations report a percentage */
    XC_CAP_SET_MEMORY = 1u << 14,
    XC_CAP_SET_VCPUS = 1u << 15,
    XC_CAP_SCHEDULE = 1u << 16, /* weight and cap */
    XC_CAP_DUMP_CORE = 1u << 17,
    XC_CAP_NMI = 1u << 18,
    XC_CAP_SNAPSHOT = 1u << 19, /* and revert, and delete */
    XC_CAP_CHECKPOINT = 1u << 20,
    XC_CAP_DELETE = 1u << 22,
    XC_CAP_CLONE = 1u << 23,
    XC_CAP_MAINTENANCE = 1u << 21, /* of hosts: enable, disable, evacuate */
};

/* Never NULL for a value of enum xc_action but NOOP. */
const struct xc_action_info *xc_action_info(enum xc_action action);
