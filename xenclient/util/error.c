/* The error table: what each cause means, what to do, and what SNMP answers. */
#include "xenclient/util/error.h"

#include "xenclient/util/labels.h"

#include <stdarg.h>

G_DEFINE_QUARK(xc - error - quark, xc_error)

static const struct xc_error_info infos[] = {
    {XC_CAUSE_NONE, "none", "no error", "nothing to do", false, XC_SNMP_NO_ERROR},
    {XC_CAUSE_BAD_STATE, "badState", "not possible in the present state",
     "read the state column; choose an action that fits it", false, XC_SNMP_INCONSISTENT_VALUE},
    {XC_CAUSE_NO_SUCH_TARGET, "noSuchTarget", "no such domain, source or operation",
     "walk the table for the right index or name", false, XC_SNMP_NO_CREATION},
    {XC_CAUSE_NO_SUCH_HOST, "noSuchHost", "no such host or credential",
     "use a key of xenHostTable, or the name of a stored credential", false,
     XC_SNMP_INCONSISTENT_VALUE},
    {XC_CAUSE_HOST_DOWN, "hostDown", "the host does not answer",
     "check the host and its network; xenSourceStateText tells more", true,
     XC_SNMP_RESOURCE_UNAVAILABLE},
    {XC_CAUSE_AUTH_FAILED, "authFailed", "the host refused our credential",
     "check user, key and credential file of the source", false, XC_SNMP_RESOURCE_UNAVAILABLE},
    {XC_CAUSE_TLS_FAILED, "tlsFailed", "the host's certificate is not trusted",
     "compare the fingerprint, then `xenctl trust SOURCE`", false, XC_SNMP_RESOURCE_UNAVAILABLE},
    {XC_CAUSE_NO_MEMORY, "noMemory", "not enough free memory on the host",
     "free memory there or choose another host", true, XC_SNMP_RESOURCE_UNAVAILABLE},
    {XC_CAUSE_NO_STORAGE, "noStorage", "storage is missing or not reachable",
     "make the disks reachable under the same paths", false, XC_SNMP_RESOURCE_UNAVAILABLE},
    {XC_CAUSE_NO_NETWORK, "noNetwork", "a network of the domain is missing on the host",
     "create the bridge or network there", false, XC_SNMP_RESOURCE_UNAVAILABLE},
    {XC_CAUSE_INCOMPATIBLE_CPU, "incompatibleCpu", "the host's CPU does not fit",
     "choose a host with the same CPU features", false, XC_SNMP_RESOURCE_UNAVAILABLE},
    {XC_CAUSE_NO_GUEST_DRIVER, "noGuestDriver", "the guest has no driver for this request",
     "install the guest's drivers or agent, or use a force action", false,
     XC_SNMP_INCONSISTENT_VALUE},
    {XC_CAUSE_GUEST_IGNORED, "guestIgnored", "the guest did not react in time",
     "look at its console; destroy works without its help", true, XC_SNMP_RESOURCE_UNAVAILABLE},
    {XC_CAUSE_NOT_SUPPORTED, "notSupported", "this driver or host cannot do that",
     "see the capabilities of the host", false, XC_SNMP_WRONG_VALUE},
    {XC_CAUSE_BUSY, "busy", "another operation is running on the target or the queue is full",
     "wait for it or cancel it", true, XC_SNMP_RESOURCE_UNAVAILABLE},
    {XC_CAUSE_PROTECTED, "protected", "the target is protected",
     "clear xenDomainProtected first; Domain-0 takes no action at all", false, XC_SNMP_NO_ACCESS},
    {XC_CAUSE_DRIVER_ERROR, "driverError", "the hypervisor reported an error",
     "read the operation's text; it holds the hypervisor's own words", false,
     XC_SNMP_RESOURCE_UNAVAILABLE},
    {XC_CAUSE_TRANSPORT, "transport", "the connection to the host failed",
     "check address, port and network", true, XC_SNMP_RESOURCE_UNAVAILABLE},
    {XC_CAUSE_INTERNAL, "internal", "internal error", "report it with the log", false,
     XC_SNMP_GEN_ERR},
    {XC_CAUSE_POLICY, "policy", "not allowed by the configuration",
     "set `control = yes` in section [agent] (or edit the file that owns the row)", false,
     XC_SNMP_NOT_WRITABLE},
    {XC_CAUSE_HOST_KEY, "hostKey", "the host's SSH key is unknown or has changed",
     "compare the fingerprint, then `xenctl trust SOURCE`", false, XC_SNMP_RESOURCE_UNAVAILABLE},
    {XC_CAUSE_BAD_VALUE, "badValue", "the value is not acceptable",
     "see the column's description for what is allowed", false, XC_SNMP_WRONG_VALUE},
    {XC_CAUSE_AMBIGUOUS, "ambiguous", "the name stands for several domains",
     "use host/name or the index", false, XC_SNMP_INCONSISTENT_NAME},
    {XC_CAUSE_CONFLICT, "conflict", "the request contradicts itself or the lock",
     "send one action per target; read the lock again", false, XC_SNMP_INCONSISTENT_VALUE},
    {XC_CAUSE_TIMED_OUT, "timedOut", "no answer within the time allowed",
     "check the host's load, or allow more time", true, XC_SNMP_RESOURCE_UNAVAILABLE},
    {XC_CAUSE_STORE, "store", "the agent's database could not be written",
     "check space and rights of the state directory", true, XC_SNMP_COMMIT_FAILED},
    {XC_CAUSE_BAD_CONFIG, "badConfig", "the configuration file is wrong",
     "mend the file; the text names the line", false, XC_SNMP_INCONSISTENT_VALUE},
    {XC_CAUSE_WORKER, "worker", "the process that talks to this host ended and was replaced",
     "nothing if it was once; else report it with the log", true, XC_SNMP_RESOURCE_UNAVAILABLE},
    {XC_CAUSE_LIMIT, "limit", "a limit was reached", "raise the limit or ask for less", true,
     XC_SNMP_RESOURCE_UNAVAILABLE},
    {XC_CAUSE_CANCELLED, "cancelled", "cancelled by the operator", "nothing to do", false,
     XC_SNMP_INCONSISTENT_VALUE},
    {XC_CAUSE_LOST, "lost", "the outcome is not known", "read the target's state", false,
     XC_SNMP_RESOURCE_UNAVAILABLE},
    {XC_CAUSE_WRONG_HOST, "wrongHost", "another host answers under the address of this one",
     "check the address in the source's URI, and who has it", false, XC_SNMP_RESOURCE_UNAVAILABLE},
};

const struct xc_error_info *xc_error_info(int code)
{
    const struct xc_error_info *internal = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(infos); i++) {
        if ((int)infos[i].cause == code)
            return &infos[i];
        if (infos[i].cause == XC_CAUSE_INTERNAL)
            internal = &infos[i];
    }
    return internal;
}

enum xc_cause xc_error_cause(const GError *error)
{
    if (!error)
        return XC_CAUSE_NONE;
    if (error->domain != XC_ERROR)
        return XC_CAUSE_DRIVER_ERROR;
    return xc_error_info(error->code)->cause;
}

bool xc_fail(GError **error, enum xc_cause cause, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    if (error) {
        g_autofree char *text = g_strdup_vprintf(format, args);
        g_set_error_literal(error, XC_ERROR, (int)cause, text);
    }
    va_end(args);
    return false;
}

static const struct xc_label cause_labels[] = {
    {1, "none"},          {2, "badState"},         {3, "noSuchTarget"},
    {4, "noSuchHost"},    {5, "hostDown"},         {6, "authFailed"},
    {7, "tlsFailed"},     {8, "noMemory"},         {9, "noStorage"},
    {10, "noNetwork"},    {11, "incompatibleCpu"}, {12, "noGuestDriver"},
    {13, "guestIgnored"}, {14, "notSupported"},    {15, "busy"},
    {16, "protected"},    {17, "driverError"},     {18, "transport"},
    {19, "internal"},     {20, "policy"},          {21, "hostKey"},
    {22, "badValue"},     {23, "ambiguous"},       {24, "conflict"},
    {25, "timedOut"},     {26, "store"},           {27, "badConfig"},
    {28, "worker"},       {29, "limit"},           {30, "cancelled"},
    {31, "lost"},         {32, "wrongHost"},
};
XC_ENUM_DEFINE(xc_cause_labels, "XenCause", cause_labels);
