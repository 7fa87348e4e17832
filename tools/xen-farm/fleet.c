/* The fleet as it lives: memory and lifecycle kept true, changes by hand, finding things. */
#include "tools/xen-farm/fleet.h"

#include "xenclient/util/text.h"

#include <string.h>

#define DOMID_LAST 32751u /* Xen's numbers wrap before DOMID_FIRST_RESERVED */

const char *const farm_fault_names[FARM_N_FAULTS] = {
    [FARM_NORMAL] = "normal",       [FARM_DOWN] = "down",          [FARM_REFUSE] = "refuse",
    [FARM_AUTH] = "auth",           [FARM_HOSTKEY] = "hostkey",    [FARM_SLOW] = "slow",
    [FARM_HUNG] = "hung",           [FARM_CRASH] = "crash-worker", [FARM_GARBAGE] = "garbage",
    [FARM_TRUNCATED] = "truncated", [FARM_HUGE] = "huge",          [FARM_ENDLESS] = "endless",
    [FARM_OTHER] = "other",
};

void farm_changed(struct farm_fleet *fleet, struct farm_host *host)
{
    if (fleet->events && fleet->events->changed)
        fleet->events->changed(host, fleet->events_data);
}

void farm_fleet_listen(struct farm_fleet *fleet, const struct farm_events *events, void *data)
{
    fleet->events = events;
    fleet->events_data = data;
}

/* --- memory and numbers of a host */

uint64_t farm_host_free_kib(const struct farm_host *host)
{
    uint64_t taken = host->control_kib + host->used_kib;

    return host->mem_kib > taken ? host->mem_kib - taken : 0;
}

bool farm_host_reserve(struct farm_host *host, uint64_t kib, GError **error)
{
    uint64_t free_kib = farm_host_free_kib(host);

    if (kib > free_kib)
        return xc_fail(error, XC_CAUSE_NO_MEMORY,
                       "not enough memory on %s: %" G_GUINT64_FORMAT
                       " MiB needed, %" G_GUINT64_FORMAT " MiB free",
                       host->name, kib / 1024, free_kib / 1024);
    host->used_kib += kib;
    return true;
}

uint32_t farm_host_domid(struct farm_host *host)
{
    uint32_t domid = host->next_domid;

    host->next_domid = domid >= DOMID_LAST ? 1 : domid + 1;
    return domid;
}

/* --- lifecycle */

bool farm_domain_living(const struct farm_domain *domain)
{
    return domain->domid != 0;
}

void farm_domain_reset_shape(struct farm_domain *domain)
{
    domain->mem_kib = domain->mem_max_kib;
    domain->vcpus_online = domain->vcpus;
    domain->weight = 256; /* as credit2 gives */
    domain->cap = 0;
}

static void set_home(struct farm_domain *domain, struct farm_host *host)
{
    if (domain->host == host)
        return;
    g_ptr_array_remove(domain->host->domains, domain);
    g_ptr_array_add(host->domains, domain);
    domain->host = host;
}

bool farm_domain_place(struct farm_fleet *fleet, struct farm_domain *domain, struct farm_host *host,
                       GError **error)
{
    struct farm_host *before = domain->host;

    if (!farm_host_reserve(host, domain->mem_kib, error))
        return false;
    set_home(domain, host);
    domain->domid = farm_host_domid(host);
    domain->started = fleet->now;
    domain->run_before = 0;
    g_ptr_array_remove_fast(fleet->saved, domain);
    domain->state = XC_STATE_PREPARING;
    domain->reason = XC_REASON_NONE;
    if (before != host)
        farm_changed(fleet, before);
    farm_changed(fleet, host);
    return true;
}

void farm_domain_set_state(struct farm_fleet *fleet, struct farm_domain *domain,
                           enum xc_domain_state state, enum xc_reason reason)
{
    domain->run_before = farm_domain_run_usec(domain, fleet->now);
    domain->run_since = fleet->now;
    domain->state = (uint8_t)state;
    domain->reason = (uint8_t)reason;
    farm_changed(fleet, domain->host);
}

void farm_domain_release(struct farm_fleet *fleet, struct farm_domain *domain,
                         enum xc_reason reason)
{
    if (farm_domain_living(domain))
        domain->host->used_kib -= MIN(domain->host->used_kib, domain->mem_kib);
    domain->domid = 0;
    farm_domain_reset_shape(domain);
    farm_domain_set_state(fleet, domain, XC_STATE_SHUTDOWN, reason);
}

static void all_changed(struct farm_fleet *fleet)
{
    for (guint i = 0; i < fleet->hosts->len; i++)
        farm_changed(fleet, fleet->hosts->pdata[i]);
}

void farm_domain_suspend(struct farm_fleet *fleet, struct farm_domain *domain)
{
    farm_domain_release(fleet, domain, XC_REASON_SUSPEND);
    farm_domain_set_state(fleet, domain, XC_STATE_SUSPENDED, XC_REASON_SUSPEND);
    g_ptr_array_add(fleet->saved, domain);
    all_changed(fleet);
}

void farm_domain_move(struct farm_fleet *fleet, struct farm_domain *domain, struct farm_host *host,
                      uint32_t domid)
{
    struct farm_host *from = domain->host;

    from->used_kib -= MIN(from->used_kib, domain->mem_kib);
    set_home(domain, host);
    domain->domid = domid;
    /* For the new host it is a new domain: Xen counts its CPU and its devices from zero. */
    domain->run_before = 0;
    domain->run_since = fleet->now;
    domain->started = fleet->now;
    farm_changed(fleet, from);
    farm_changed(fleet, host);
}

/* --- changes by hand */

static bool wrong_state(const struct farm_domain *domain, const char *what, GError **error)
{
    return xc_fail(error, XC_CAUSE_BAD_STATE, "can't %s \"%s\": it is %s", what, domain->name,
                   xc_enum_label(&xc_domain_state_labels, domain->state));
}

bool farm_hand_start(struct farm_fleet *fleet, struct farm_domain *domain, GError **error)
{
    if (farm_domain_living(domain))
        return wrong_state(domain, "start", error);
    if (!farm_domain_place(fleet, domain, domain->host, error))
        return false;
    farm_domain_set_state(fleet, domain, XC_STATE_RUNNING, XC_REASON_NONE);
    return true;
}

bool farm_hand_pause(struct farm_fleet *fleet, struct farm_domain *domain, bool pause,
                     GError **error)
{
    if (domain->state != (pause ? XC_STATE_RUNNING : XC_STATE_PAUSED))
        return wrong_state(domain, pause ? "pause" : "unpause", error);
    farm_domain_set_state(fleet, domain, pause ? XC_STATE_PAUSED : XC_STATE_RUNNING,
                          XC_REASON_NONE);
    return true;
}

bool farm_hand_stop(struct farm_fleet *fleet, struct farm_domain *domain, enum xc_reason reason,
                    GError **error)
{
    struct farm_op *op = domain->op;
    bool crash = reason == XC_REASON_CRASH;

    if (!farm_domain_living(domain))
        return wrong_state(domain, crash ? "crash" : "power off", error);
    /* An operation that waited for just this has what it wanted; any other has lost its object. */
    if (op && op->action == XC_ACTION_SHUTDOWN && !crash) {
        domain->op = NULL;
        op->due = fleet->now;
    } else if (op) {
        farm_op_interrupt(fleet, op, XC_RESULT_FAILED, XC_CAUSE_BAD_STATE,
                          crash ? "the domain crashed meanwhile"
                                : "the domain was powered off meanwhile");
    }
    if (!farm_domain_living(domain))
        return true;
    if (crash)
        farm_domain_set_state(fleet, domain, XC_STATE_CRASHED, reason);
    else
        farm_domain_release(fleet, domain, reason);
    return true;
}

bool farm_hand_rename(struct farm_fleet *fleet, struct farm_domain *domain, const char *name,
                      GError **error)
{
    struct farm_domain *other = farm_domain_on_host(domain->host, name);

    if (!*name || (other && other != domain))
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "%s",
                       *name ? "the name is in use on that host" : "the name is empty");
    /* The file keeps its path. */
    if (!domain->config)
        domain->config = farm_domain_config(domain);
    g_free(domain->name);
    domain->name = g_strdup(name);
    farm_changed(fleet, domain->host);
    return true;
}

void farm_host_reboot(struct farm_fleet *fleet, struct farm_host *host)
{
    g_autoptr(GPtrArray) ops = g_ptr_array_new();

    for (guint i = 0; i < fleet->active->len; i++) {
        struct farm_op *op = g_ptr_array_index(fleet->active, i);

        if (op->host == host)
            g_ptr_array_add(ops, op);
        else if (op->target == host && op->action == XC_ACTION_MIGRATE)
            farm_op_interrupt(fleet, op, XC_RESULT_FAILED, XC_CAUSE_HOST_DOWN,
                              "the destination went down");
    }
    /* What ran on the host is gone with it, and so is all memory of it. */
    for (guint i = 0; i < ops->len; i++) {
        farm_op_interrupt(fleet, ops->pdata[i], XC_RESULT_LOST, XC_CAUSE_LOST,
                          "the host restarted");
        farm_op_forget(fleet, ops->pdata[i]);
    }
    for (guint i = 0; i < host->domains->len; i++) {
        struct farm_domain *domain = g_ptr_array_index(host->domains, i);

        if (farm_domain_living(domain))
            farm_domain_release(fleet, domain, XC_REASON_POWEROFF);
    }
    host->booted = fleet->now;
    host->next_domid = 1;
    farm_host_new_boot(fleet, host);
    farm_changed(fleet, host);
}

unsigned farm_flap(struct farm_fleet *fleet, unsigned n)
{
    unsigned done = 0;
    guint total = fleet->domains->len;

    for (guint i = 0; i < total && done < n; i++) {
        struct farm_domain *domain = g_ptr_array_index(fleet->domains, fleet->flap_at++ % total);

        if (!domain->op && (farm_hand_pause(fleet, domain, true, NULL) ||
                            farm_hand_pause(fleet, domain, false, NULL)))
            done++;
    }
    return done;
}

/* --- finding */

struct farm_host *farm_host_find(const struct farm_fleet *fleet, const char *name)
{
    return g_hash_table_lookup(fleet->by_host_name, name);
}

struct farm_domain *farm_domain_by_uuid(const struct farm_fleet *fleet, const struct xc_uuid *uuid)
{
    return g_hash_table_lookup(fleet->by_uuid, uuid);
}

struct farm_domain *farm_domain_on_host(const struct farm_host *host, const char *name)
{
    for (guint i = 0; i < host->domains->len; i++) {
        struct farm_domain *domain = g_ptr_array_index(host->domains, i);

        if (strcmp(domain->name, name) == 0)
            return domain;
    }
    return NULL;
}

/* The only domain of that name; *many when there are several. */
static struct farm_domain *by_name(const struct farm_fleet *fleet, const char *name, bool *many)
{
    struct farm_domain *found = NULL;

    for (guint i = 0; i < fleet->domains->len; i++) {
        struct farm_domain *domain = g_ptr_array_index(fleet->domains, i);

        if (strcmp(domain->name, name) != 0)
            continue;
        *many = found != NULL;
        if (*many)
            return NULL;
        found = domain;
    }
    return found;
}

struct farm_domain *farm_domain_find(const struct farm_fleet *fleet, const char *text,
                                     GError **error)
{
    const char *slash = strchr(text, '/');
    g_autofree char *host_name = slash ? g_strndup(text, (gsize)(slash - text)) : NULL;
    const struct farm_host *host = slash ? farm_host_find(fleet, host_name) : NULL;
    struct farm_domain *domain = NULL;
    struct xc_uuid uuid;
    bool many = false;
    g_autofree char *shown = NULL;

    if (xc_uuid_parse(text, &uuid))
        domain = farm_domain_by_uuid(fleet, &uuid);
    if (!domain && host)
        domain = farm_domain_on_host(host, slash + 1);
    if (!domain)
        domain = by_name(fleet, text, &many);
    if (domain)
        return domain;
    shown = xc_text_escape(text, XC_TEXT_MAX);
    if (many)
        xc_fail(error, XC_CAUSE_AMBIGUOUS, "\"%s\" is on several hosts: say HOST/%s", shown, shown);
    else
        xc_fail(error, XC_CAUSE_NO_SUCH_TARGET, "no domain \"%s\": see `domains`", shown);
    return NULL;
}

char *farm_domain_config(const struct farm_domain *domain)
{
    g_autofree char *file = NULL;

    if (domain->config)
        return g_strdup(domain->config);
    file = g_strdelimit(g_strdup(domain->name), "/", '_');
    return g_strdup_printf("/etc/xen/%s.cfg", file);
}
