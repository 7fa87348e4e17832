/* From an order to an execution: who is meant, may it be, what trouble awaits it. */
#include "tools/xen-farm/operation.h"

#include "xenclient/util/text.h"

#include <string.h>

/* --- scripted trouble */

void farm_rule_add(struct farm_fleet *fleet, enum farm_trouble trouble, enum xc_action action,
                   enum xc_cause cause, const char *text, int count)
{
    struct farm_rule rule = {.trouble = trouble, .action = action, .cause = cause, .left = count};

    rule.text = g_strdup(text ? text : "");
    g_array_append_val(fleet->rules, rule);
}

static void release_held(struct farm_fleet *fleet, struct farm_op *op)
{
    if (op->trouble == FARM_HANG)
        op->trouble = FARM_NO_TROUBLE;
    if (op->due == G_MAXINT64 && !(op->domain && op->domain->ignores_shutdown))
        op->due = MAX(fleet->now, op->entered + op->planned);
}

void farm_rule_clear(struct farm_fleet *fleet)
{
    g_array_set_size(fleet->rules, 0);
    for (guint i = 0; i < fleet->active->len; i++)
        release_held(fleet, g_ptr_array_index(fleet->active, i));
}

void farm_ignore_shutdown(struct farm_fleet *fleet, struct farm_domain *domain, bool ignore)
{
    domain->ignores_shutdown = ignore;
    if (!ignore && domain->op && domain->op->trouble != FARM_HANG)
        release_held(fleet, domain->op);
}

static void take_rule(struct farm_fleet *fleet, struct farm_op *op)
{
    for (guint i = 0; i < fleet->rules->len; i++) {
        struct farm_rule *rule = &g_array_index(fleet->rules, struct farm_rule, i);

        if (rule->left == 0 || (rule->action && rule->action != op->action))
            continue;
        if (rule->left > 0)
            rule->left--;
        op->trouble = rule->trouble;
        op->trouble_cause = rule->cause;
        op->trouble_text = g_strdup(rule->text);
        return;
    }
}

/* --- who is meant */

struct farm_host *farm_order_host(const struct farm_fleet *fleet, const struct farm_host *scope,
                                  const struct xc_order *order)
{
    const struct farm_domain *domain = farm_domain_by_uuid(fleet, &order->uuid);

    if (scope)
        return farm_host_find(fleet, scope->name);
    if (*order->host_from)
        return farm_host_find(fleet, order->host_from);
    return domain ? domain->host : NULL;
}

/* The destination: named by the order, or the last part of the target source's URI. */
static struct farm_host *order_target(const struct farm_fleet *fleet, const struct xc_order *order)
{
    const char *slash = strrchr(order->target.uri, '/');

    if (*order->host_to)
        return farm_host_find(fleet, order->host_to);
    return slash ? farm_host_find(fleet, slash + 1) : NULL;
}

/* As xl create would: the file belongs to a guest of that host. */
static struct farm_domain *by_config(const struct farm_host *host, const char *path)
{
    for (guint i = 0; i < host->domains->len; i++) {
        struct farm_domain *domain = g_ptr_array_index(host->domains, i);
        g_autofree char *config = farm_domain_config(domain);

        if (strcmp(config, path) == 0)
            return domain;
    }
    return NULL;
}

static bool find_created(const struct xc_order *order, struct farm_op *op, GError **error)
{
    struct farm_guest guest;

    if (!op->host)
        return xc_fail(error, XC_CAUSE_NO_SUCH_HOST, "which host is to run it?");
    if (*order->content) {
        if (!farm_guest_parse(order->content, &guest, error))
            return false;
        op->guest = g_memdup2(&guest, sizeof(guest));
        g_free(op->name);
        op->name = g_strdup(guest.name);
        return true;
    }
    op->domain = by_config(op->host, order->config);
    if (!op->domain)
        return xc_fail(error, XC_CAUSE_NO_SUCH_TARGET,
                       "Failed to read config file: %s: No such file or directory", order->config);
    if (farm_domain_living(op->domain))
        return xc_fail(error, XC_CAUSE_DRIVER_ERROR, "Domain with name \"%s\" already exists.",
                       op->domain->name);
    return true;
}

static bool is_control(const struct xc_order *order)
{
    return xc_uuid_is_nil(&order->uuid) &&
           ((order->has_domid && order->domid == 0) || strcmp(order->name, "Domain-0") == 0);
}

static bool find_domain(struct farm_fleet *fleet, const struct xc_order *order, struct farm_op *op,
                        GError **error)
{
    struct farm_domain *domain = NULL;

    if (is_control(order))
        return xc_fail(error, XC_CAUSE_PROTECTED, "Domain-0 takes no action");
    if (!xc_uuid_is_nil(&order->uuid))
        domain = farm_domain_by_uuid(fleet, &order->uuid);
    else if (op->host)
        domain = farm_domain_on_host(op->host, order->name);
    if (!domain)
        return xc_fail(error, XC_CAUSE_NO_SUCH_TARGET, "%s is an invalid domain identifier (rc=-6)",
                       order->name);
    if (!op->host)
        op->host = domain->host;
    /* Any host can start what is down; all else happens where the domain is. */
    if (domain->host != op->host &&
        (farm_domain_living(domain) || !xc_action_info(order->action)->may_host))
        return xc_fail(error, XC_CAUSE_NO_SUCH_TARGET, "\"%s\" is on %s, not on %s", domain->name,
                       domain->host->name, op->host->name);
    op->domain = domain;
    return true;
}

/* --- may it be */

static bool check_busy(struct farm_fleet *fleet, const struct farm_plan *plan, struct farm_op *op,
                       GError **error)
{
    struct farm_op *other = op->domain->op;
    const struct xc_action_info *info = other ? xc_action_info(other->action) : NULL;

    if (!other || plan->looks)
        return true;
    if (!plan->supersedes || !info || !info->soft)
        return xc_fail(error, XC_CAUSE_BUSY, "\"%s\" is busy: %s", op->domain->name,
                       xc_enum_label(&xc_action_labels, (int)other->action));
    farm_op_interrupt(fleet, other, XC_RESULT_CANCELLED, XC_CAUSE_CANCELLED,
                      "superseded by a forced action");
    return true;
}

static bool check_domain(struct farm_fleet *fleet, const struct farm_plan *plan, struct farm_op *op,
                         GError **error)
{
    const struct farm_domain *domain = op->domain;

    if (!check_busy(fleet, plan, op, error))
        return false;
    if (op->trouble != FARM_PRETEND && plan->from && !(plan->from & XC_IN(domain->state)))
        return xc_fail(error, XC_CAUSE_BAD_STATE, "\"%s\" is %s", domain->name,
                       xc_enum_label(&xc_domain_state_labels, domain->state));
    return true;
}

bool farm_order_prepare(struct farm_fleet *fleet, const struct farm_host *scope,
                        const struct xc_order *order, struct farm_op *op, GError **error)
{
    const struct farm_plan *plan = farm_plan_of(order->action);
    bool creates = order->action == XC_ACTION_CREATE;

    op->host = scope || *order->host_from ? farm_order_host(fleet, scope, order) : NULL;
    op->target = order_target(fleet, order);
    if (!plan)
        return xc_fail(error, XC_CAUSE_NOT_SUPPORTED, "the simulator has no action %s",
                       xc_enum_label(&xc_action_labels, (int)order->action));
    if (!op->host && *order->host_from)
        return xc_fail(error, XC_CAUSE_NO_SUCH_HOST, "no host \"%s\" in this farm",
                       order->host_from);
    take_rule(fleet, op);
    if (creates ? !find_created(order, op, error) : !find_domain(fleet, order, op, error))
        return false;
    if (!op->domain)
        return true;
    if (!check_domain(fleet, plan, op, error)) {
        op->domain = NULL;
        return false;
    }
    if (!plan->looks)
        op->domain->op = op;
    op->domain->executions++;
    op->before = op->domain->state;
    op->domain_uuid = op->domain->uuid;
    g_free(op->name);
    op->name = g_strdup(op->domain->name);
    return true;
}
