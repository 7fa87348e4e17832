/* XAPI's error codes and what they mean to an operator. A code that is not here is a driverError: its words tell. */
#include "xenclient/drivers/xapi_error.h"

#include "xenclient/util/text.h"

#include <string.h>

#define WORD_OCTETS  200
#define WORDS_OCTETS 600

static const struct {
    const char *code;
    enum xc_cause cause;
} causes[] = {
    {"SESSION_AUTHENTICATION_FAILED", XC_CAUSE_AUTH_FAILED},
    {"SESSION_AUTHORIZATION_FAILED", XC_CAUSE_AUTH_FAILED},
    {"RBAC_PERMISSION_DENIED", XC_CAUSE_AUTH_FAILED},
    {"SESSION_INVALID", XC_CAUSE_TRANSPORT},
    {"HOST_IS_SLAVE", XC_CAUSE_TRANSPORT},
    {"HOST_STILL_BOOTING", XC_CAUSE_HOST_DOWN},
    {"HOST_IN_EMERGENCY_MODE", XC_CAUSE_HOST_DOWN},
    {"HOST_OFFLINE", XC_CAUSE_HOST_DOWN},
    {"HOST_NOT_LIVE", XC_CAUSE_HOST_DOWN},
    {"HOST_CANNOT_ATTACH_NETWORK", XC_CAUSE_NO_NETWORK},
    {"HOST_DISABLED", XC_CAUSE_BAD_STATE},
    {"HOST_NOT_DISABLED", XC_CAUSE_BAD_STATE},
    {"CANNOT_EVACUATE_HOST", XC_CAUSE_BAD_STATE},
    {"VDI_IN_USE", XC_CAUSE_BUSY},
    {"HANDLE_INVALID", XC_CAUSE_NO_SUCH_TARGET},
    {"UUID_INVALID", XC_CAUSE_NO_SUCH_TARGET},
    {"VM_BAD_POWER_STATE", XC_CAUSE_BAD_STATE},
    {"OPERATION_NOT_ALLOWED", XC_CAUSE_BAD_STATE},
    {"OPERATION_BLOCKED", XC_CAUSE_PROTECTED},
    {"HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN", XC_CAUSE_PROTECTED},
    {"VM_IS_PROTECTED", XC_CAUSE_PROTECTED},
    {"VM_IS_TEMPLATE", XC_CAUSE_NOT_SUPPORTED},
    {"PROVISION_ONLY_ALLOWED_ON_TEMPLATE", XC_CAUSE_BAD_STATE},
    {"PROVISION_FAILED_OUT_OF_SPACE", XC_CAUSE_NO_STORAGE},
    {"VM_IS_SNAPSHOT", XC_CAUSE_NOT_SUPPORTED},
    {"VM_IS_IMMOBILE", XC_CAUSE_NOT_SUPPORTED},
    {"VM_HAS_PCI_ATTACHED", XC_CAUSE_NOT_SUPPORTED},
    {"OTHER_OPERATION_IN_PROGRESS", XC_CAUSE_BUSY},
    {"TOO_MANY_PENDING_TASKS", XC_CAUSE_BUSY},
    {"TOO_BUSY", XC_CAUSE_BUSY},
    {"HOST_NOT_ENOUGH_FREE_MEMORY", XC_CAUSE_NO_MEMORY},
    {"VM_REQUIRES_SR", XC_CAUSE_NO_STORAGE},
    {"VM_REQUIRES_VDI", XC_CAUSE_NO_STORAGE},
    {"VM_NO_SUSPEND_SR", XC_CAUSE_NO_STORAGE},
    {"SR_FULL", XC_CAUSE_NO_STORAGE},
    {"SR_HAS_NO_PBDS", XC_CAUSE_NO_STORAGE},
    {"SR_NOT_ATTACHED", XC_CAUSE_NO_STORAGE},
    {"VDI_NOT_AVAILABLE", XC_CAUSE_NO_STORAGE},
    {"VDI_MISSING", XC_CAUSE_NO_STORAGE},
    {"VIF_NOT_IN_MAP", XC_CAUSE_NO_NETWORK},
    {"VM_REQUIRES_NETWORK", XC_CAUSE_NO_NETWORK},
    {"VM_INCOMPATIBLE_WITH_THIS_HOST", XC_CAUSE_INCOMPATIBLE_CPU},
    {"VM_HVM_REQUIRED", XC_CAUSE_INCOMPATIBLE_CPU},
    {"VM_MISSING_PV_DRIVERS", XC_CAUSE_NO_GUEST_DRIVER},
    {"VM_OLD_PV_DRIVERS", XC_CAUSE_NO_GUEST_DRIVER},
    {"VM_LACKS_FEATURE", XC_CAUSE_NO_GUEST_DRIVER},
    {"VM_NON_SUSPENDABLE", XC_CAUSE_NO_GUEST_DRIVER},
    {"VM_SHUTDOWN_TIMEOUT", XC_CAUSE_GUEST_IGNORED},
    {"VM_SUSPEND_TIMEOUT", XC_CAUSE_GUEST_IGNORED},
    {"VM_FAILED_SHUTDOWN_ACKNOWLEDGMENT", XC_CAUSE_GUEST_IGNORED},
    {"VM_FAILED_SUSPEND_ACKNOWLEDGMENT", XC_CAUSE_GUEST_IGNORED},
    {"LICENCE_RESTRICTION", XC_CAUSE_NOT_SUPPORTED},
    {"FEATURE_RESTRICTED", XC_CAUSE_NOT_SUPPORTED},
    {"MESSAGE_METHOD_UNKNOWN", XC_CAUSE_NOT_SUPPORTED},
    {"MESSAGE_PARAMETER_COUNT_MISMATCH", XC_CAUSE_NOT_SUPPORTED},
    {"MESSAGE_REMOVED", XC_CAUSE_NOT_SUPPORTED},
    {"MESSAGE_DEPRECATED", XC_CAUSE_NOT_SUPPORTED},
    {"INVALID_VALUE", XC_CAUSE_BAD_VALUE},
    {"VALUE_NOT_SUPPORTED", XC_CAUSE_BAD_VALUE},
    {"FIELD_TYPE_ERROR", XC_CAUSE_BAD_VALUE},
    {"MEMORY_CONSTRAINT_VIOLATION", XC_CAUSE_BAD_VALUE},
    {"MEMORY_CONSTRAINT_VIOLATION_ORDER", XC_CAUSE_BAD_VALUE},
    {"MEMORY_CONSTRAINT_VIOLATION_MAXPIN", XC_CAUSE_BAD_VALUE},
    {"TASK_CANCELLED", XC_CAUSE_CANCELLED},
};

enum xc_cause xapi_cause(const char *code)
{
    for (size_t i = 0; i < G_N_ELEMENTS(causes); i++)
        if (strcmp(causes[i].code, code) == 0)
            return causes[i].cause;
    return XC_CAUSE_DRIVER_ERROR;
}

const char *xapi_error_code(unsigned at)
{
    return at < G_N_ELEMENTS(causes) ? causes[at].code : NULL;
}

/* Addresses that pools give each other for a migration have a session in them. */
static bool worth_showing(const char *word)
{
    return *word && !g_str_has_prefix(word, "OpaqueRef:") && !strstr(word, "session_id");
}

char *xapi_words(const GPtrArray *words)
{
    GString *out = g_string_new(NULL);
    const char *before = "";

    for (guint i = 0; words && i < words->len && out->len < WORDS_OCTETS; i++) {
        const char *word = words->pdata[i];
        g_autofree char *clean = xc_text_clean(word, strlen(word), WORD_OCTETS);

        if (i > 0 && !worth_showing(word))
            continue;
        g_string_append_printf(out, "%s%s", before, clean);
        before = i == 0 ? " (" : ", ";
    }
    if (strchr(out->str, '(') && *before == ',')
        g_string_append_c(out, ')');
    return g_string_free(out, FALSE);
}

bool xapi_refused(GError **error, const char *what, const GPtrArray *words)
{
    g_autofree char *text = xapi_words(words);
    const char *code = words && words->len ? words->pdata[0] : "";

    return xc_fail(error, xapi_cause(code), "%s: %s", what,
                   *text ? text : "refused without saying why");
}
