/* Errors of the core: one GError domain whose codes are the causes that operators see.
 * The table behind it is the only place that knows a cause's label, advice and SNMP error. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Numbers are those of the textual convention XenCause and never change. */
enum xc_cause {
    XC_CAUSE_NONE = 1,
    XC_CAUSE_BAD_STATE = 2,
    XC_CAUSE_NO_SUCH_TARGET = 3,
    XC_CAUSE_NO_SUCH_HOST = 4,
    XC_CAUSE_HOST_DOWN = 5,
    XC_CAUSE_AUTH_FAILED = 6,
    XC_CAUSE_TLS_FAILED = 7,
    XC_CAUSE_NO_MEMORY = 8,
    XC_CAUSE_NO_STORAGE = 9,
    XC_CAUSE_NO_NETWORK = 10,
    XC_CAUSE_INCOMPATIBLE_CPU = 11,
    XC_CAUSE_NO_GUEST_DRIVER = 12,
    XC_CAUSE_GUEST_IGNORED = 13,
    XC_CAUSE_NOT_SUPPORTED = 14,
    XC_CAUSE_BUSY = 15,
    XC_CAUSE_PROTECTED = 16,
    XC_CAUSE_DRIVER_ERROR = 17,
    XC_CAUSE_TRANSPORT = 18,
    XC_CAUSE_INTERNAL = 19,
    XC_CAUSE_POLICY = 20,
    XC_CAUSE_HOST_KEY = 21,
    XC_CAUSE_BAD_VALUE = 22,
    XC_CAUSE_AMBIGUOUS = 23,
    XC_CAUSE_CONFLICT = 24,
    XC_CAUSE_TIMED_OUT = 25,
    XC_CAUSE_STORE = 26,
    XC_CAUSE_BAD_CONFIG = 27,
    XC_CAUSE_WORKER = 28,
    XC_CAUSE_LIMIT = 29,
    XC_CAUSE_CANCELLED = 30,
    XC_CAUSE_LOST = 31,
    XC_CAUSE_WRONG_HOST = 32,
};

/* Error-status values of RFC 3416 that a refused SET may carry. */
enum xc_snmp_error {
    XC_SNMP_NO_ERROR = 0,
    XC_SNMP_GEN_ERR = 5,
    XC_SNMP_NO_ACCESS = 6,
    XC_SNMP_WRONG_TYPE = 7,
    XC_SNMP_WRONG_LENGTH = 8,
    XC_SNMP_WRONG_VALUE = 10,
    XC_SNMP_NO_CREATION = 11,
    XC_SNMP_INCONSISTENT_VALUE = 12,
    XC_SNMP_RESOURCE_UNAVAILABLE = 13,
    XC_SNMP_COMMIT_FAILED = 14,
    XC_SNMP_NOT_WRITABLE = 17,
    XC_SNMP_INCONSISTENT_NAME = 18,
};

struct xc_error_info {
    enum xc_cause cause;
    const char *label;       /* MIB label, camelCase */
    const char *text;        /* what happened, for people */
    const char *advice;      /* what to do about it */
    bool retry;              /* a later attempt may succeed without any change */
    enum xc_snmp_error snmp; /* what a SET refused for this cause answers */
};

#define XC_ERROR (xc_error_quark())
GQuark xc_error_quark(void);

/* Never NULL: an unknown code is described as `internal`. */
const struct xc_error_info *xc_error_info(int code);

/* The cause a GError of any domain stands for (foreign domains: driverError). NULL: none. */
enum xc_cause xc_error_cause(const GError *error);

/* Sets *error to an XC_ERROR and returns false, so that `return xc_fail(...)` reads well. */
bool xc_fail(GError **error, enum xc_cause cause, const char *format, ...) G_GNUC_PRINTF(3, 4);

extern const struct xc_enum xc_cause_labels;
