/* Enumerations of the model and the table of actions. */
#include "xenclient/model/state.h"

static const struct xc_label domain_state[] = {
    {1, "unknown"},    {2, "other"},         {3, "preparing"}, {4, "running"},
    {5, "suspending"}, {6, "suspended"},     {7, "resuming"},  {8, "paused"},
    {9, "migrating"},  {10, "shuttingDown"}, {11, "shutdown"}, {12, "crashed"},
};
XC_ENUM_DEFINE(xc_domain_state_labels, "XenDomainState", domain_state);

static const struct xc_label wanted[] = {
    {1, "running"}, {2, "suspended"}, {3, "paused"}, {4, "shutdown"}};
XC_ENUM_DEFINE(xc_wanted_labels, "XenDomainWanted", wanted);

static const struct xc_label reason[] = {{1, "none"},  {2, "poweroff"}, {3, "reboot"},
                                         {4, "crash"}, {5, "watchdog"}, {6, "suspend"}};
XC_ENUM_DEFINE(xc_reason_labels, "XenReason", reason);

static const struct xc_label domain_kind[] = {
    {1, "guest"}, {2, "control"}, {3, "stub"}, {4, "template"}, {5, "driverDomain"}};
XC_ENUM_DEFINE(xc_domain_kind_labels, "XenDomainKind", domain_kind);

static const struct xc_label virt[] = {
    {1, "unknown"}, {2, "pv"}, {3, "hvm"}, {4, "pvh"}, {5, "pvhvm"}};
XC_ENUM_DEFINE(xc_virt_labels, "XenVirt", virt);

static const struct xc_label counter_kind[] = {{1, "exact"}, {2, "integrated"}, {3, "coarse"}};
XC_ENUM_DEFINE(xc_counter_kind_labels, "XenCounterKind", counter_kind);

static const struct xc_label identity[] = {
    {1, "uuid"}, {2, "configPath"}, {3, "control"}, {4, "name"}};
XC_ENUM_DEFINE(xc_identity_labels, "XenIdentityKind", identity);

static const struct xc_label presence[] = {{1, "present"}, {2, "stale"}, {3, "deleted"}};
XC_ENUM_DEFINE(xc_presence_labels, "XenPresence", presence);

static const struct xc_label host_role[] = {{1, "home"}, {2, "running"}, {3, "both"}};
XC_ENUM_DEFINE(xc_host_role_labels, "xenHostDomainRole", host_role);

static const struct xc_label vcpu_state[] = {
    {1, "running"}, {2, "blocked"}, {3, "waiting"}, {4, "offline"}};
XC_ENUM_DEFINE(xc_vcpu_state_labels, "xenVcpuState", vcpu_state);

static const struct xc_label tools[] = {{1, "unknown"}, {2, "none"}, {3, "old"}, {4, "ok"}};
XC_ENUM_DEFINE(xc_tools_labels, "xenDomainTools", tools);

static const struct xc_label point_kind[] = {{1, "disk"}, {2, "checkpoint"}};
XC_ENUM_DEFINE(xc_point_kind_labels, "xenSnapshotKind", point_kind);

static const struct xc_label pool_role[] = {{1, "none"}, {2, "coordinator"}, {3, "member"}};
XC_ENUM_DEFINE(xc_pool_role_labels, "xenHostPoolRole", pool_role);

static const struct xc_label source_state[] = {
    {1, "connecting"},   {2, "up"},        {3, "degraded"}, {4, "down"},
    {5, "unauthorised"}, {6, "untrusted"}, {7, "disabled"}, {8, "maintenance"},
};
XC_ENUM_DEFINE(xc_source_state_labels, "XenSourceState", source_state);

static const struct xc_label origin[] = {
    {1, "config"}, {2, "snmp"}, {3, "discovery"}, {4, "hypervisor"}};
XC_ENUM_DEFINE(xc_origin_labels, "XenOrigin", origin);

static const struct xc_label action[] = {
    {1, "noop"},          {2, "start"},       {3, "shutdown"},     {4, "reboot"},
    {5, "pause"},         {6, "unpause"},     {7, "suspend"},      {8, "resume"},
    {9, "destroy"},       {10, "reset"},      {11, "migrate"},     {12, "create"},
    {13, "delete"},       {14, "snapshot"},   {15, "checkpoint"},  {16, "revert"},
    {17, "setMemory"},    {18, "setVcpus"},   {19, "dumpCore"},    {20, "nmi"},
    {22, "evacuate"},     {23, "hostEnable"}, {24, "hostDisable"}, {25, "rescan"},
    {28, "checkMigrate"}, {29, "setWeight"},  {30, "setCap"},      {31, "deleteSnapshot"},
    {32, "clone"},        {40, "discover"},
};
XC_ENUM_DEFINE(xc_action_labels, "XenAction", action);

static const struct xc_label op_state[] = {
    {1, "accepted"}, {2, "queued"}, {3, "running"}, {4, "cancelling"}, {5, "finished"}};
XC_ENUM_DEFINE(xc_op_state_labels, "XenOperationState", op_state);

static const struct xc_label result[] = {
    {1, "none"},      {2, "ok"},       {3, "partial"}, {4, "failed"},
    {5, "cancelled"}, {6, "timedOut"}, {7, "lost"},
};
XC_ENUM_DEFINE(xc_result_labels, "XenResult", result);

#define ALIVE                                                                                      \
    (XC_IN(XC_STATE_RUNNING) | XC_IN(XC_STATE_PAUSED) | XC_IN(XC_STATE_CRASHED) |                  \
     XC_IN(XC_STATE_SHUTTING_DOWN) | XC_IN(XC_STATE_PREPARING) | XC_IN(XC_STATE_OTHER) |           \
     XC_IN(XC_STATE_SUSPENDING))

#define STANDS                                                                                     \
    (XC_IN(XC_STATE_RUNNING) | XC_IN(XC_STATE_PAUSED) | XC_IN(XC_STATE_SUSPENDED) |                \
     XC_IN(XC_STATE_SHUTDOWN))

/* Time-outs: what a loaded host with a large guest needs, not what an idle one takes. */
static const struct xc_action_info actions[] = {
    {.action = XC_ACTION_START,
     .from = XC_IN(XC_STATE_SHUTDOWN),
     .wanted = XC_WANTED_RUNNING,
     .may_host = true,
     .timeout_sec = 300,
     .capability = XC_CAP_START},
    {.action = XC_ACTION_SHUTDOWN,
     .from = XC_IN(XC_STATE_RUNNING),
     .wanted = XC_WANTED_SHUTDOWN,
     .soft = true,
     .stops = true,
     .timeout_sec = 120,
     .capability = XC_CAP_SHUTDOWN},
    {.action = XC_ACTION_REBOOT,
     .from = XC_IN(XC_STATE_RUNNING),
     .wanted = XC_WANTED_RUNNING,
     .soft = true,
     .timeout_sec = 180,
     .capability = XC_CAP_REBOOT},
    {.action = XC_ACTION_PAUSE,
     .from = XC_IN(XC_STATE_RUNNING),
     .wanted = XC_WANTED_PAUSED,
     .timeout_sec = 60,
     .capability = XC_CAP_PAUSE},
    {.action = XC_ACTION_UNPAUSE,
     .from = XC_IN(XC_STATE_PAUSED),
     .wanted = XC_WANTED_RUNNING,
     .timeout_sec = 60,
     .capability = XC_CAP_PAUSE},
    {.action = XC_ACTION_SUSPEND,
     .from = XC_IN(XC_STATE_RUNNING) | XC_IN(XC_STATE_PAUSED),
     .wanted = XC_WANTED_SUSPENDED,
     .stops = true,
     .needs_save_dir = true,
     .timeout_sec = 3600,
     .capability = XC_CAP_SUSPEND},
    {.action = XC_ACTION_RESUME,
     .from = XC_IN(XC_STATE_SUSPENDED),
     .wanted = XC_WANTED_RUNNING,
     .may_host = true,
     .needs_save_dir = true,
     .timeout_sec = 3600,
     .capability = XC_CAP_SUSPEND},
    {.action = XC_ACTION_DESTROY,
     .from = ALIVE,
     .wanted = XC_WANTED_SHUTDOWN,
     .force = true,
     .stops = true,
     .timeout_sec = 120,
     .capability = XC_CAP_DESTROY},
    {.action = XC_ACTION_RESET,
     .from = XC_IN(XC_STATE_RUNNING) | XC_IN(XC_STATE_PAUSED) | XC_IN(XC_STATE_CRASHED),
     .wanted = XC_WANTED_RUNNING,
     .force = true,
     .timeout_sec = 300,
     .capability = XC_CAP_RESET},
    {.action = XC_ACTION_MIGRATE,
     .from = XC_IN(XC_STATE_RUNNING),
     .needs_host = true,
     .timeout_sec = 3600,
     .capability = XC_CAP_MIGRATE},
    {.action = XC_ACTION_CREATE,
     .of_host = true,
     .wanted = XC_WANTED_RUNNING,
     .timeout_sec = 300,
     .capability = XC_CAP_CREATE},
    {.action = XC_ACTION_CHECK_MIGRATE,
     .from = XC_IN(XC_STATE_RUNNING) | XC_IN(XC_STATE_PAUSED) | XC_IN(XC_STATE_SHUTDOWN),
     .needs_host = true,
     .timeout_sec = 60,
     .capability = XC_CAP_CHECK_MIGRATE},
    {.action = XC_ACTION_SET_MEMORY,
     .from = XC_IN(XC_STATE_RUNNING),
     .has_amount = true,
     .timeout_sec = 120,
     .capability = XC_CAP_SET_MEMORY},
    {.action = XC_ACTION_SET_VCPUS,
     .from = XC_IN(XC_STATE_RUNNING),
     .has_amount = true,
     .timeout_sec = 60,
     .capability = XC_CAP_SET_VCPUS},
    {.action = XC_ACTION_SET_WEIGHT,
     .from = XC_IN(XC_STATE_RUNNING) | XC_IN(XC_STATE_PAUSED),
     .has_amount = true,
     .timeout_sec = 60,
     .capability = XC_CAP_SCHEDULE},
    {.action = XC_ACTION_SET_CAP,
     .from = XC_IN(XC_STATE_RUNNING) | XC_IN(XC_STATE_PAUSED),
     .has_amount = true,
     .timeout_sec = 60,
     .capability = XC_CAP_SCHEDULE},
    {.action = XC_ACTION_DUMP_CORE,
     .from = XC_IN(XC_STATE_RUNNING) | XC_IN(XC_STATE_PAUSED) | XC_IN(XC_STATE_CRASHED),
     .timeout_sec = 3600,
     .capability = XC_CAP_DUMP_CORE},
    {.action = XC_ACTION_NMI,
     .from = XC_IN(XC_STATE_RUNNING),
     .force = true,
     .timeout_sec = 60,
     .capability = XC_CAP_NMI},
    {.action = XC_ACTION_SNAPSHOT,
     .from = STANDS,
     .names_point = true,
     .timeout_sec = 600,
     .capability = XC_CAP_SNAPSHOT},
    {.action = XC_ACTION_CHECKPOINT,
     .from = XC_IN(XC_STATE_RUNNING) | XC_IN(XC_STATE_PAUSED) | XC_IN(XC_STATE_SUSPENDED),
     .names_point = true,
     .timeout_sec = 3600,
     .capability = XC_CAP_CHECKPOINT},
    {.action = XC_ACTION_REVERT,
     .from = STANDS | XC_IN(XC_STATE_CRASHED),
     .wanted = XC_WANTED_SHUTDOWN,
     .stops = true,
     .forgets = true,
     .has_point = true,
     .timeout_sec = 600,
     .capability = XC_CAP_SNAPSHOT},
    {.action = XC_ACTION_DELETE_SNAPSHOT,
     .from = STANDS | XC_IN(XC_STATE_CRASHED),
     .forgets = true,
     .has_point = true,
     .timeout_sec = 600,
     .capability = XC_CAP_SNAPSHOT},
    {.action = XC_ACTION_CLONE,
     .from = XC_IN(XC_STATE_SHUTDOWN),
     .names_copy = true,
     .timeout_sec = 3600,
     .capability = XC_CAP_CLONE},
    {.action = XC_ACTION_DELETE,
     .from = XC_IN(XC_STATE_SHUTDOWN),
     .force = true,
     .forgets = true,
     .timeout_sec = 600,
     .capability = XC_CAP_DELETE},
    {.action = XC_ACTION_EVACUATE,
     .of_host = true,
     .timeout_sec = 7200,
     .capability = XC_CAP_MAINTENANCE},
    {.action = XC_ACTION_HOST_ENABLE,
     .of_host = true,
     .timeout_sec = 120,
     .capability = XC_CAP_MAINTENANCE},
    {.action = XC_ACTION_HOST_DISABLE,
     .of_host = true,
     .timeout_sec = 120,
     .capability = XC_CAP_MAINTENANCE},
    {.action = XC_ACTION_RESCAN, .of_host = true, .timeout_sec = 60},
    {.action = XC_ACTION_DISCOVER, .of_host = true, .timeout_sec = 3600},
};

const struct xc_action_info *xc_action_info(enum xc_action wanted_action)
{
    for (unsigned i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
        if (actions[i].action == wanted_action)
            return &actions[i];
    return 0;
}
