/* Inside of xenctl trust: what the kinds of hosts differ in. */
#pragma once

#include "tools/xenctl/daemon_files.h"

#include "xenclient/transport/deadline.h"
#include "xenclient/transport/known_hosts.h"
#include "xenclient/util/text.h"

struct ctl_target {
    char host[XC_TEXT_MAX + 1];
    unsigned port;
};

/* What a host shows of itself, and what the daemon's file says of that. */
struct ctl_shown {
    char *type;  /* "ssh-ed25519", "certificate" */
    char *title; /* "key of type ssh-ed25519" */
    char *fingerprint;
    char *details; /* lines for people, or NULL */
    char *entry;   /* what the file gets */
    enum xc_known known;
};

struct ctl_trust_kind {
    const char *scheme;
    unsigned port;
    const char *thing; /* "key" */
    bool (*fetch)(const struct ctl_target *target, const struct ctl_files *files,
                  struct xc_call *call, struct ctl_shown *out, GError **error);
    /* Is that its fingerprint, in a form that people write? */
    bool (*is)(const struct ctl_shown *shown, const char *fingerprint);
    /* How the fingerprint is seen on the host itself. */
    const char *(*command)(const struct ctl_shown *shown);
    bool (*keep)(const struct ctl_target *target, const struct ctl_files *files,
                 const struct ctl_shown *shown, GError **error);
};

extern const struct ctl_trust_kind ctl_trust_ssh;
extern const struct ctl_trust_kind ctl_trust_https;
