/* What each verb writes: data of the command table. */
#pragma once

#include "snmpclient/snmpclient.h"

struct ctl_verb {
    enum sn_id column;  /* of the domain's or host's row; an integer, or a text */
    bool place;         /* the second argument is the host to begin on, a parameter */
    bool point;         /* the second argument is a snapshot of the domain */
    const char *action; /* label of XenAction */
    long most;          /* the second argument is a number up to this; 0: it is none */
};

enum {
    CTL_START,
    CTL_SHUTDOWN,
    CTL_REBOOT,
    CTL_PAUSE,
    CTL_UNPAUSE,
    CTL_SUSPEND,
    CTL_RESUME,
    CTL_DESTROY,
    CTL_RESET,
    CTL_MIGRATE,
    CTL_CHECK_MIGRATE,
    CTL_SET_MEMORY,
    CTL_SET_VCPUS,
    CTL_SET_WEIGHT,
    CTL_SET_CAP,
    CTL_DUMP_CORE,
    CTL_NMI,
    CTL_SNAPSHOT,
    CTL_CHECKPOINT,
    CTL_CLONE,
    CTL_DELETE,
    CTL_REVERT,
    CTL_DELETE_SNAPSHOT,
    CTL_RESCAN,
    CTL_EVACUATE,
    CTL_HOST_ENABLE,
    CTL_HOST_DISABLE,
    CTL_GROUP_START,
    CTL_GROUP_SHUTDOWN,
    CTL_GROUP_REBOOT,
    CTL_GROUP_PAUSE,
    CTL_GROUP_UNPAUSE,
    CTL_GROUP_SUSPEND,
    CTL_GROUP_RESUME,
    CTL_GROUP_DESTROY,
    CTL_GROUP_RESET,
    CTL_GROUP_MIGRATE,
    CTL_GROUP_REBALANCE,
};
extern const struct ctl_verb ctl_verbs[];
