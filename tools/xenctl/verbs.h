/* What each verb writes: data of the command table. */
#pragma once

#include "snmpclient/snmpclient.h"

struct ctl_verb {
    enum sn_id column;  /* of the domain's row; an integer, or the key of a host */
    const char *action; /* label of XenAction */
};

enum {
    CTL_START,
    CTL_SHUTDOWN,
    CTL_REBOOT,
    CTL_PAUSE,
    CTL_UNPAUSE,
    CTL_DESTROY,
    CTL_RESET,
    CTL_MIGRATE,
    CTL_CHECK_MIGRATE,
};
extern const struct ctl_verb ctl_verbs[];
