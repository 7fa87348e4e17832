/* Why an xl command failed: from the words of xl, libxl, libxc, ssh, sudo and the shell to a cause. */
#include "xenclient/drivers/xl_parse_private.h"

#include "xenclient/util/text.h"

#define TEXT_MAX       400
#define LINE_MAX_SHOWN 240

/* In the order of their weight, because one failure causes many lines. advice NULL: the line says
 * enough. */
struct pattern {
    const char *words;
    enum xc_cause cause;
    const char *advice;
};

static const struct pattern general[] = {
    /* before xl even began */
    {"xl: not found", XC_CAUSE_NOT_SUPPORTED, "xl is not installed there"},
    {"xl: command not found", XC_CAUSE_NOT_SUPPORTED, "xl is not installed there"},
    {"sudo: a password is required", XC_CAUSE_AUTH_FAILED,
     "the user may not run xl by sudo without a password; allow it in sudoers or log in as root"},
    {"is not in the sudoers file", XC_CAUSE_AUTH_FAILED,
     "the user may not use sudo; allow xl and xenstore-ls in sudoers or log in as root"},
    {"is not allowed to execute", XC_CAUSE_AUTH_FAILED,
     "sudo refuses the command; allow xl and xenstore-ls in sudoers"},
    {"sudo: ", XC_CAUSE_AUTH_FAILED, "sudo failed"},
    {"Can't find hypervisor information in sysfs", XC_CAUSE_NOT_SUPPORTED,
     "the host was not started under Xen"},
    {"Hypervisor is not xen", XC_CAUSE_NOT_SUPPORTED, "the host does not run under Xen"},
    {"Can't find version ", XC_CAUSE_NOT_SUPPORTED,
     "the Xen tools do not fit the running hypervisor; restart the host after an upgrade"},
    {"privileged command interface: Permission denied", XC_CAUSE_AUTH_FAILED,
     "xl needs root; log in as root or use sudo"},
    {"privileged command interface: No such file", XC_CAUSE_NOT_SUPPORTED,
     "the host was not started under Xen, or the login is confined"},
    {"timeout: not found", XC_CAUSE_NOT_SUPPORTED, "coreutils are not installed on the host"},
    {"cannot init xl context", XC_CAUSE_AUTH_FAILED,
     "xl can't reach the hypervisor; it needs root"},
    {"command not implemented", XC_CAUSE_NOT_SUPPORTED, "this version of xl has no such command"},
    /* what Xen can't do */
    {"Failed to enable logdirty", XC_CAUSE_NOT_SUPPORTED,
     "this Xen has no shadow paging, so a PV guest can't migrate; use a PVH or HVM guest"},
    {"save/restore/migrate with", XC_CAUSE_NOT_SUPPORTED, NULL},
    {"Domain is not migratable", XC_CAUSE_NOT_SUPPORTED, NULL},
    {"cannot be migrated", XC_CAUSE_NOT_SUPPORTED, NULL},
    {"Cannot migrate a domain with", XC_CAUSE_NOT_SUPPORTED, NULL},
    {"CPUID policy", XC_CAUSE_INCOMPATIBLE_CPU, NULL},
    {"CPU policy", XC_CAUSE_INCOMPATIBLE_CPU, NULL},
    {"incompatible with host", XC_CAUSE_INCOMPATIBLE_CPU, NULL},
    /* the guest */
    {"PV control interface not available", XC_CAUSE_NO_GUEST_DRIVER,
     "the guest has no driver that obeys; it can only be destroyed"},
    {"didn't acknowledge suspend", XC_CAUSE_GUEST_IGNORED, NULL},
    {"did not respond to suspend request", XC_CAUSE_GUEST_IGNORED, NULL},
    {"Not destroying domain 0", XC_CAUSE_POLICY, "Domain-0 takes no action"},
    {"already exists", XC_CAUSE_BAD_STATE, "a domain of that name or uuid is running already"},
    {"Pausing domain: Invalid argument", XC_CAUSE_BAD_STATE,
     "the domain is not in a state to be paused"},
    {"Unpausing domain: Invalid argument", XC_CAUSE_BAD_STATE, "the domain is not paused"},
    {"Send trigger", XC_CAUSE_NOT_SUPPORTED, "a guest of this kind takes no such interrupt"},
    /* means */
    {"Out of memory", XC_CAUSE_NO_MEMORY, "not enough free memory on the host"},
    {"can't allocate", XC_CAUSE_NO_MEMORY, "not enough free memory on the host"},
    {"Cannot allocate memory", XC_CAUSE_NO_MEMORY, "not enough free memory on the host"},
    {"failed to free memory for the domain", XC_CAUSE_NO_MEMORY,
     "not enough free memory on the host"},
    {"No space left on device", XC_CAUSE_NO_STORAGE, "the file system is full"},
    {"Can't open restore file", XC_CAUSE_NO_STORAGE, NULL},
    {"unable to add disk devices", XC_CAUSE_NO_STORAGE, "a disk of the guest can't be used"},
    {"unable to add vbd", XC_CAUSE_NO_STORAGE, "a disk of the guest can't be used"},
    {"failed to stat", XC_CAUSE_NO_STORAGE, NULL},
    {"Disk vdev", XC_CAUSE_NO_STORAGE, NULL},
    {"no suitable backend for disk", XC_CAUSE_NO_STORAGE, NULL},
    {"unable to add vif", XC_CAUSE_NO_NETWORK, "an interface of the guest can't be joined"},
    {"unable to add nic", XC_CAUSE_NO_NETWORK, "an interface of the guest can't be joined"},
    {"could not find bridge", XC_CAUSE_NO_NETWORK, NULL},
    {"overcommmitting", XC_CAUSE_BAD_VALUE, NULL},
    {"invalid memory size", XC_CAUSE_BAD_VALUE, NULL},
    /* the configuration */
    {"Failed to read config file", XC_CAUSE_BAD_CONFIG, NULL},
    {"config parsing error", XC_CAUSE_BAD_CONFIG, NULL},
    {"Failed to parse config", XC_CAUSE_BAD_CONFIG, NULL},
    {"Domain name must be specified", XC_CAUSE_BAD_CONFIG, NULL},
    {"Invalid domain type", XC_CAUSE_BAD_CONFIG, NULL},
    {"Failed to parse UUID", XC_CAUSE_BAD_CONFIG, NULL},
    {"failed to open file '", XC_CAUSE_BAD_CONFIG,
     "a file that the configuration names is missing"},
    {"Unknown action", XC_CAUSE_BAD_CONFIG, NULL},
    /* others at work */
    {"LOCK_FAIL", XC_CAUSE_BUSY, NULL},
    {"unable to acquire", XC_CAUSE_BUSY, NULL},
    {"Could not obtain lock", XC_CAUSE_BUSY, NULL},
    /* the target; these lines also follow from many of the failures above */
    {"is an invalid domain identifier", XC_CAUSE_NO_SUCH_TARGET, NULL},
    {"does not exist", XC_CAUSE_NO_SUCH_TARGET, NULL},
    {"Non-existant domain", XC_CAUSE_NO_SUCH_TARGET, NULL},
    {"Non-existent domain", XC_CAUSE_NO_SUCH_TARGET, NULL},
    {"Migration failed", XC_CAUSE_DRIVER_ERROR, NULL},
};

/* The way to the destination, looked at first when the action is to move a domain. */
static const struct pattern moving[] = {
    {"Host key verification failed", XC_CAUSE_HOST_KEY,
     "the source host does not know the destination's ssh key"},
    {"REMOTE HOST IDENTIFICATION HAS CHANGED", XC_CAUSE_HOST_KEY,
     "the destination's ssh key changed"},
    {"Permission denied (", XC_CAUSE_AUTH_FAILED,
     "the source host may not log in to the destination; its root needs a key there"},
    {"Could not resolve hostname", XC_CAUSE_TRANSPORT,
     "the source host can't resolve the destination's name"},
    {"Connection refused", XC_CAUSE_HOST_DOWN, "the destination refuses ssh"},
    {"No route to host", XC_CAUSE_HOST_DOWN, "the destination can't be reached"},
    {"Network is unreachable", XC_CAUSE_HOST_DOWN, "the destination can't be reached"},
    {"Connection timed out", XC_CAUSE_HOST_DOWN, "the destination does not answer"},
    {"Connection closed by", XC_CAUSE_TRANSPORT, "the destination ended the connection"},
    {"truncated reading banner from migration receiver", XC_CAUSE_TRANSPORT,
     "the destination did not begin to receive; is xl there in the PATH of a login without "
     "terminal?"},
};

/* The message of a line: "libxl: error: file.c:12:function: Domain 5:words" -> "words". */
static const char *message_of(const char *line)
{
    static const char *const prefixes[] = {
        "libxl: error: ", "xc: error: ", "ERROR:  ", "ERROR: ", "error: "};
    const char *p = line;
    const char *rest;
    uint64_t number;

    for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++)
        xl_take_prefix(&p, prefixes[i]);
    rest = strstr(p, ".c:");
    if (p != line && rest && rest - p < 40) {
        const char *space = strchr(rest, ' ');

        if (space)
            p = space + 1;
    }
    rest = p;
    if (xl_take_prefix(&rest, "Domain ") && xl_take_number(&rest, XL_MAX_DOMID, &number) &&
        *rest == ':')
        p = rest + 1;
    return p;
}

static bool is_error_line(const char *line)
{
    return g_str_has_prefix(line, "libxl: error: ") || g_str_has_prefix(line, "xc: error: ") ||
           g_str_has_prefix(line, "xencall: error: ");
}

/* Progress, not failure. */
static bool is_noise(const char *line)
{
    static const char *const noise[] = {
        "Parsing config from",
        "Saving to ",
        "Loading new save file",
        " Savefile contains",
        "xc: info:",
        "xc: progress:",
        "xc: detail:",
        "libxl: info:",
        "libxl: detail:",
        "libxl: debug:",
        "migration target: Ready",
        "Shutting down domain",
        "Rebooting domain",
        "Waiting for ",
        "domainbuilder:",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(noise); i++)
        if (g_str_has_prefix(line, noise[i]))
            return true;
    return !*line;
}

/* The line that holds a pattern, or NULL. */
static const char *line_with(char *const *lines, const char *words)
{
    for (; *lines; lines++)
        if (strstr(*lines, words))
            return *lines;
    return NULL;
}

static const char *first_words(char *const *lines)
{
    for (char *const *line = lines; *line; line++)
        if (is_error_line(*line))
            return *line;
    for (char *const *line = lines; *line; line++)
        if (!is_noise(*line))
            return *line;
    return NULL;
}

static char *compose(const char *advice, const char *line)
{
    const char *message = line ? message_of(line) : "";
    g_autofree char *words = xc_text_clean(message, strlen(message), LINE_MAX_SHOWN);
    g_autofree char *all = NULL;

    if (advice && *words)
        all = g_strdup_printf("%s (%s)", advice, words);
    else
        all = g_strdup(advice ? advice : words);
    return xc_text_clean(all, strlen(all), TEXT_MAX);
}

static enum xc_cause ended_by_timeout(enum xc_action action, char **text)
{
    bool soft = action == XC_ACTION_SHUTDOWN || action == XC_ACTION_REBOOT;

    *text = g_strdup(soft ? "the guest did not acknowledge the request in time"
                          : "xl did not finish in time");
    return soft ? XC_CAUSE_GUEST_IGNORED : XC_CAUSE_TIMED_OUT;
}

static const struct pattern *find_pattern(const struct pattern *table, size_t n, char *const *lines,
                                          const char **line)
{
    for (size_t i = 0; i < n; i++) {
        *line = line_with(lines, table[i].words);
        if (*line)
            return &table[i];
    }
    return NULL;
}

enum xc_cause xl_classify_error(const char *errors, int exit_status, enum xc_action action,
                                char **text)
{
    /* A message that matters stands within the first 64 KiB. */
    g_autofree char *bounded = g_strndup(errors ? errors : "", 65536);
    g_auto(GStrv) lines = g_strsplit(bounded, "\n", -1);
    const struct pattern *found = NULL;
    const char *line;

    if (action == XC_ACTION_MIGRATE || action == XC_ACTION_CHECK_MIGRATE)
        found = find_pattern(moving, G_N_ELEMENTS(moving), lines, &line);
    if (!found)
        found = find_pattern(general, G_N_ELEMENTS(general), lines, &line);
    if (found) {
        *text = compose(found->advice, line);
        return found->cause;
    }
    if (exit_status == 124 || exit_status == 137)
        return ended_by_timeout(action, text);
    line = first_words(lines);
    if (line)
        *text = compose(NULL, line);
    else
        *text = g_strdup_printf("xl ended with status %d and said nothing", exit_status);
    return XC_CAUSE_DRIVER_ERROR;
}

bool xl_has_error(const char *errors)
{
    for (const char *line = errors; line && *line;) {
        const char *newline = strchr(line, '\n');

        if (is_error_line(line))
            return true;
        line = newline ? newline + 1 : NULL;
    }
    return false;
}
