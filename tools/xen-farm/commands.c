/* The commands of the control socket: a table of names, arguments and functions. */
#include "tools/xen-farm/server.h"

#include "xenclient/util/text.h"

#include <stdlib.h>
#include <string.h>

#define COUNT_MAX 1000000000

struct call {
    struct farm_server *server;
    struct farm_fleet *fleet;
    char **args; /* behind the command's name, NULL-terminated */
    int n;
    GString *out;
};

struct command {
    const char *name;
    int min; /* arguments */
    int max;
    const char *usage;
    const char *help;
    bool (*run)(const struct call *call, GError **error);
};

/* --- arguments */

static struct farm_host *get_host(const struct call *call, const char *name, GError **error)
{
    struct farm_host *host = farm_host_find(call->fleet, name);

    if (!host)
        xc_fail(error, XC_CAUSE_NO_SUCH_HOST, "no host \"%s\": see `hosts`", name);
    return host;
}

static struct farm_domain *get_domain(const struct call *call, GError **error)
{
    return farm_domain_find(call->fleet, call->args[0], error);
}

/* The optional count at args[at]; without it fallback. */
static bool get_count(const struct call *call, int at, int fallback, int *out, GError **error)
{
    uint64_t value;

    *out = fallback;
    if (call->n <= at)
        return true;
    if (!xc_text_to_u64(call->args[at], 1, COUNT_MAX, &value, NULL))
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "COUNT \"%s\" is not a number from 1 to %d",
                       call->args[at], COUNT_MAX);
    *out = (int)value;
    return true;
}

static char *all_labels(const struct xc_enum *e)
{
    GString *list = g_string_new(NULL);

    for (size_t i = 0; i < e->n_labels; i++)
        g_string_append_printf(list, "%s%s", i ? ", " : "", e->labels[i].label);
    return g_string_free(list, FALSE);
}

static bool get_label(const struct xc_enum *e, const char *what, const char *text, int *out,
                      GError **error)
{
    g_autofree char *list = NULL;

    *out = xc_enum_number(e, text);
    if (*out)
        return true;
    list = all_labels(e);
    return xc_fail(error, XC_CAUSE_BAD_VALUE, "no %s \"%s\": there are %s", what, text, list);
}

/* An action, or "any": 0. */
static bool get_action(const struct call *call, int *out, GError **error)
{
    *out = 0;
    return strcmp(call->args[0], "any") == 0 ||
           get_label(&xc_action_labels, "action", call->args[0], out, error);
}

static void put_name(GString *out, const char *name)
{
    g_autofree char *shown = xc_text_escape(name, XC_TEXT_MAX);

    g_string_append(out, shown);
}

/* --- faults of hosts */

static bool find_fault(const char *name, enum farm_fault *out, GError **error)
{
    g_autoptr(GString) list = g_string_new(NULL);

    for (unsigned i = 0; i < FARM_N_FAULTS; i++) {
        *out = (enum farm_fault)i;
        if (strcmp(farm_fault_names[i], name) == 0)
            return true;
        g_string_append_printf(list, "%s%s", i ? ", " : "", farm_fault_names[i]);
    }
    return xc_fail(error, XC_CAUSE_BAD_VALUE, "no mode \"%s\": there are %s", name, list->str);
}

/* What a mode needs behind its name. */
static bool fault_argument(const struct call *call, enum farm_fault fault, gint64 *slow_usec,
                           struct farm_host **other, int *left, GError **error)
{
    const char *argument = call->args[2];
    uint64_t ms;

    if (fault == FARM_SLOW) {
        if (!xc_text_to_u64(argument, 1, 3600000, &ms, NULL))
            return xc_fail(error, XC_CAUSE_BAD_VALUE, "slow needs milliseconds, 1 to 3600000");
        *slow_usec = (gint64)ms * 1000;
        return true;
    }
    if (fault == FARM_OTHER) {
        if (!argument)
            return xc_fail(error, XC_CAUSE_BAD_VALUE, "other needs the name of another host");
        *other = get_host(call, argument, error);
        return *other != NULL;
    }
    if (fault == FARM_CRASH)
        return get_count(call, 2, 1, left, error);
    return argument == NULL || xc_fail(error, XC_CAUSE_BAD_VALUE, "%s takes nothing more: \"%s\"",
                                       farm_fault_names[fault], argument);
}

static bool run_host(const struct call *call, GError **error)
{
    bool all = strcmp(call->args[0], "*") == 0;
    struct farm_host *one = all ? NULL : get_host(call, call->args[0], error);
    struct farm_host *other = NULL;
    enum farm_fault fault;
    gint64 slow_usec = 0;
    int left = -1;

    if ((!all && !one) || !find_fault(call->args[1], &fault, error) ||
        !fault_argument(call, fault, &slow_usec, &other, &left, error))
        return false;
    for (guint i = 0; i < call->fleet->hosts->len; i++) {
        struct farm_host *host = g_ptr_array_index(call->fleet->hosts, i);

        if (!all && host != one)
            continue;
        host->fault = fault;
        host->slow_usec = slow_usec;
        host->other = other;
        host->fault_left = left;
        farm_client_fault(call->server, host, false);
    }
    return true;
}

static bool run_reboot_host(const struct call *call, GError **error)
{
    struct farm_host *host = get_host(call, call->args[0], error);

    if (!host)
        return false;
    farm_host_reboot(call->fleet, host);
    farm_client_fault(call->server, host, true);
    return true;
}

/* --- trouble of operations */

static bool add_rule(const struct call *call, enum farm_trouble trouble, GError **error)
{
    int action;
    int count;

    if (!get_action(call, &action, error) || !get_count(call, 1, -1, &count, error))
        return false;
    farm_rule_add(call->fleet, trouble, (enum xc_action)action, XC_CAUSE_NONE, NULL, count);
    return true;
}

static bool run_fail(const struct call *call, GError **error)
{
    int action;
    int cause;
    int count;

    if (!get_action(call, &action, error) ||
        !get_label(&xc_cause_labels, "cause", call->args[1], &cause, error) ||
        !get_count(call, 3, -1, &count, error))
        return false;
    farm_rule_add(call->fleet, FARM_FAIL, (enum xc_action)action, (enum xc_cause)cause,
                  call->args[2], count);
    return true;
}

static bool run_hang(const struct call *call, GError **error)
{
    return add_rule(call, FARM_HANG, error);
}

static bool run_pretend(const struct call *call, GError **error)
{
    return add_rule(call, FARM_PRETEND, error);
}

static bool run_poison(const struct call *call, GError **error)
{
    return add_rule(call, FARM_POISON, error);
}

static bool run_clear(const struct call *call, GError **error)
{
    (void)error;
    farm_rule_clear(call->fleet);
    return true;
}

/* --- domains by hand */

static bool run_start(const struct call *call, GError **error)
{
    struct farm_domain *domain = get_domain(call, error);

    return domain && farm_hand_start(call->fleet, domain, error);
}

static bool run_pause(const struct call *call, GError **error)
{
    struct farm_domain *domain = get_domain(call, error);

    return domain && farm_hand_pause(call->fleet, domain, true, error);
}

static bool run_unpause(const struct call *call, GError **error)
{
    struct farm_domain *domain = get_domain(call, error);

    return domain && farm_hand_pause(call->fleet, domain, false, error);
}

static bool run_poweroff(const struct call *call, GError **error)
{
    struct farm_domain *domain = get_domain(call, error);

    return domain && farm_hand_stop(call->fleet, domain, XC_REASON_POWEROFF, error);
}

static bool run_crash(const struct call *call, GError **error)
{
    struct farm_domain *domain = get_domain(call, error);

    return domain && farm_hand_stop(call->fleet, domain, XC_REASON_CRASH, error);
}

static bool run_rename(const struct call *call, GError **error)
{
    struct farm_domain *domain = get_domain(call, error);

    return domain && farm_hand_rename(call->fleet, domain, call->args[1], error);
}

static bool run_ignore(const struct call *call, GError **error)
{
    struct farm_domain *domain = get_domain(call, error);

    if (!domain)
        return false;
    if (call->n > 1 && strcmp(call->args[1], "off") != 0)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "\"%s\": only off is possible", call->args[1]);
    farm_ignore_shutdown(call->fleet, domain, call->n == 1);
    return true;
}

static bool run_lie(const struct call *call, GError **error)
{
    struct farm_domain *domain = get_domain(call, error);

    if (!domain)
        return false;
    if (strcmp(call->args[1], "counters") == 0)
        domain->lies |= FARM_LIE_COUNTERS;
    else if (strcmp(call->args[1], "domid") == 0)
        domain->lies |= FARM_LIE_DOMID;
    else if (strcmp(call->args[1], "off") == 0)
        domain->lies = 0;
    else
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "no lie \"%s\": there are counters, domid, off",
                       call->args[1]);
    farm_changed(call->fleet, domain->host);
    return true;
}

static bool run_flap(const struct call *call, GError **error)
{
    int count;

    if (!get_count(call, 0, 1, &count, error))
        return false;
    g_string_append_printf(call->out, "changed=%u\n", farm_flap(call->fleet, (unsigned)count));
    return true;
}

static bool run_speed(const struct call *call, GError **error)
{
    uint64_t milli;

    if (!xc_text_to_scaled(call->args[0], 1000, &milli, NULL) || milli == 0)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "speed \"%s\" is not a number above 0",
                       call->args[0]);
    call->fleet->config.speed = (double)milli / 1000;
    return true;
}

/* --- looking */

static bool run_hosts(const struct call *call, GError **error)
{
    (void)error;
    for (guint i = 0; i < call->fleet->hosts->len; i++) {
        const struct farm_host *host = g_ptr_array_index(call->fleet->hosts, i);
        char boot[XC_UUID_TEXT];

        xc_uuid_format(&host->boot_id, boot);
        g_string_append_printf(call->out,
                               "%s\t%s\tcpus=%u\tmem_kib=%" G_GUINT64_FORMAT
                               "\tfree_kib=%" G_GUINT64_FORMAT "\tdomains=%u\tboot=%s\n",
                               host->name, farm_fault_names[host->fault], host->cpus, host->mem_kib,
                               farm_host_free_kib(host), host->domains->len, boot);
    }
    return true;
}

static void put_domain(GString *out, const struct farm_domain *domain)
{
    char uuid[XC_UUID_TEXT];

    xc_uuid_format(&domain->uuid, uuid);
    g_string_append_printf(out, "%s\t", domain->host->name);
    put_name(out, domain->name);
    g_string_append_printf(out,
                           "\t%s\t%s\tdomid=%u\tmem_kib=%" G_GUINT64_FORMAT
                           "\tvcpus=%u\tweight=%u\tcap=%u\texecutions=%u\n",
                           uuid, xc_enum_label(&xc_domain_state_labels, domain->state),
                           domain->domid, domain->mem_kib, domain->vcpus_online, domain->weight,
                           domain->cap, domain->executions);
}

static bool run_domains(const struct call *call, GError **error)
{
    const struct farm_host *host = NULL;

    if (call->n > 0 && !(host = get_host(call, call->args[0], error)))
        return false;
    for (guint i = 0; i < call->fleet->domains->len; i++) {
        const struct farm_domain *domain = g_ptr_array_index(call->fleet->domains, i);

        if (!host || domain->host == host)
            put_domain(call->out, domain);
    }
    return true;
}

static bool run_domain(const struct call *call, GError **error)
{
    const struct farm_domain *domain = get_domain(call, error);

    if (domain)
        put_domain(call->out, domain);
    return domain != NULL;
}

static void put_op(GString *out, const struct farm_op *op)
{
    char uuid[XC_UUID_TEXT];
    char domain[XC_UUID_TEXT];

    xc_uuid_format(&op->uuid, uuid);
    xc_uuid_format(&op->domain_uuid, domain);
    g_string_append_printf(out, "%s\t%s\t%s\t%s\t", uuid,
                           xc_enum_label(&xc_action_labels, (int)op->action), domain,
                           op->finished ? "finished" : "running");
    if (op->finished)
        g_string_append_printf(out, "%s\t%s\t",
                               xc_enum_label(&xc_result_labels, (int)op->outcome.result),
                               xc_enum_label(&xc_cause_labels, (int)op->outcome.cause));
    else
        g_string_append_printf(out, "%s\t%d\t", op->phase, op->progress);
    put_name(out, op->finished && op->outcome.text ? op->outcome.text : "");
    g_string_append_c(out, '\n');
}

static bool run_op(const struct call *call, GError **error)
{
    const struct farm_op *op;
    struct xc_uuid uuid;

    if (!xc_uuid_parse(call->args[0], &uuid))
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "\"%s\" is no uuid", call->args[0]);
    op = farm_op_find(call->fleet, &uuid);
    if (!op)
        return xc_fail(error, XC_CAUSE_NO_SUCH_TARGET, "%s: no such operation", call->args[0]);
    put_op(call->out, op);
    return true;
}

static bool run_ops(const struct call *call, GError **error)
{
    (void)error;
    for (guint i = 0; i < call->fleet->active->len; i++)
        put_op(call->out, g_ptr_array_index(call->fleet->active, i));
    return true;
}

static void put_counts(GString *out, const char *prefix, const struct xc_enum *e,
                       const uint64_t *counts, unsigned n)
{
    for (size_t i = 0; i < e->n_labels; i++)
        if ((unsigned)e->labels[i].number < n)
            g_string_append_printf(out, "%s.%s=%" G_GUINT64_FORMAT "\n", prefix, e->labels[i].label,
                                   counts[e->labels[i].number]);
}

static void put_states(const struct call *call)
{
    uint64_t states[XC_STATE_CRASHED + 1] = {0};

    for (guint i = 0; i < call->fleet->domains->len; i++) {
        const struct farm_domain *domain = g_ptr_array_index(call->fleet->domains, i);

        states[domain->state]++;
    }
    put_counts(call->out, "state", &xc_domain_state_labels, states, G_N_ELEMENTS(states));
}

static bool run_stats(const struct call *call, GError **error)
{
    const struct farm_fleet *fleet = call->fleet;
    const struct farm_counts *counts = &fleet->counts;

    (void)error;
    g_string_append_printf(call->out,
                           "hosts=%u\ndomains=%u\nconnections=%u\npolls=%" G_GUINT64_FORMAT
                           "\nrunning=%u\nexecutions=%" G_GUINT64_FORMAT
                           "\nduplicates=%" G_GUINT64_FORMAT "\n",
                           fleet->hosts->len, fleet->domains->len,
                           farm_server_clients(call->server)->len, farm_server_polls(call->server),
                           fleet->active->len, counts->executions, counts->duplicates);
    put_counts(call->out, "executions", &xc_action_labels, counts->by_action, FARM_N_ACTIONS);
    put_counts(call->out, "results", &xc_result_labels, counts->by_result, FARM_N_RESULTS);
    put_states(call);
    return true;
}

static bool run_help(const struct call *call, GError **error);

static const struct command commands[] = {
    {"help", 0, 0, "", "this list", run_help},
    {"hosts", 0, 0, "", "a line for each host", run_hosts},
    {"domains", 0, 1, "[HOST]", "host, name, uuid, state, domid, memory, vCPUs, executions",
     run_domains},
    {"domain", 1, 1, "DOMAIN", "the same of one", run_domain},
    {"ops", 0, 0, "", "operations that run now", run_ops},
    {"op", 1, 1, "UUID", "uuid, action, domain, running or finished, how", run_op},
    {"stats", 0, 0, "", "counts as key=value: executions, duplicates, results, states, polls",
     run_stats},
    {"host", 2, 3, "HOST|* MODE [MS|COUNT|HOST]",
     "down, refuse, auth, hostkey, slow MS, hung, crash-worker [COUNT], garbage, truncated, huge, "
     "endless, other HOST, normal",
     run_host},
    {"reboot-host", 1, 1, "HOST", "new boot id, its guests down", run_reboot_host},
    {"fail", 3, 4, "ACTION|any CAUSE TEXT [COUNT]", "the next executions fail so", run_fail},
    {"hang", 1, 2, "ACTION|any [COUNT]", "... never end until cancelled or cleared", run_hang},
    {"pretend", 1, 2, "ACTION|any [COUNT]", "... end well but do nothing", run_pretend},
    {"poison", 1, 2, "ACTION|any [COUNT]", "... begin, and crash the process that asked",
     run_poison},
    {"clear", 0, 0, "", "ends the four above", run_clear},
    {"start", 1, 1, "DOMAIN", "by hand on the host, at once", run_start},
    {"pause", 1, 1, "DOMAIN", "by hand", run_pause},
    {"unpause", 1, 1, "DOMAIN", "by hand", run_unpause},
    {"poweroff", 1, 1, "DOMAIN", "the guest shuts itself down", run_poweroff},
    {"crash", 1, 1, "DOMAIN", "the guest crashes", run_crash},
    {"rename", 2, 2, "DOMAIN NAME", "by hand", run_rename},
    {"ignore-shutdown", 1, 2, "DOMAIN [off]", "the guest takes no notice of shutdown and reboot",
     run_ignore},
    {"lie", 2, 2, "DOMAIN counters|domid|off", "counters that jump back, an impossible domid",
     run_lie},
    {"flap", 1, 1, "N", "pauses or unpauses N domains at once", run_flap},
    {"speed", 1, 1, "FACTOR", "operations begun from now on take 1/FACTOR of the time", run_speed},
};

void farm_commands_help(GString *out)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++)
        g_string_append_printf(out, "%s %s\n    %s\n", commands[i].name, commands[i].usage,
                               commands[i].help);
    g_string_append(out, "DOMAIN is a uuid, HOST/NAME, or NAME where it is the only one\n");
}

static bool run_help(const struct call *call, GError **error)
{
    (void)error;
    farm_commands_help(call->out);
    return true;
}

static const struct command *find_command(const char *name, GError **error)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    xc_fail(error, XC_CAUSE_BAD_VALUE, "no command \"%s\": see `help`", name);
    return NULL;
}

bool farm_command(struct farm_server *server, const char *line, GString *out, GError **error)
{
    g_auto(GStrv) words = NULL;
    g_autoptr(GError) wrong = NULL;
    const struct command *command;
    int n = 0;

    if (!g_shell_parse_argv(line, &n, &words, &wrong))
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "%s", wrong->message);
    command = find_command(words[0], error);
    if (!command)
        return false;
    struct call call = {server, farm_server_fleet(server), words + 1, n - 1, out};

    if (call.n < command->min || call.n > command->max)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "usage: %s %s", command->name, command->usage);
    return command->run(&call, error);
}
