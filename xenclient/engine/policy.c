/* May this be done to this target, here and now? One function per kind of question. */
#include "xenclient/engine/private.h"

#include <string.h>

bool xc_policy_uri(const char *uri, GError **error)
{
    struct xc_uri parts = {0};
    bool ok = xc_driver_for(uri, error) && xc_uri_parse(uri, &parts, error);

    xc_uri_clear(&parts);
    return ok;
}

bool xc_policy_control(const struct xc_engine *engine, GError **error)
{
    if (engine->config->control)
        return true;
    return xc_fail(error, XC_CAUSE_POLICY,
                   "control is off: set `control = yes` in section [agent] of the configuration");
}

static const char *name_of(const struct xc_domain_ref *ref)
{
    const struct xc_domain *domain = xc_ref_domain(ref);

    return XC_HAS(DOMAIN, domain, name) ? domain->name : "?";
}

bool xc_policy_source(const struct xc_slot *slot, const struct xc_action_info *info, GError **error)
{
    if (slot->state == XC_SOURCE_UNAUTHORISED || slot->state == XC_SOURCE_UNTRUSTED ||
        xc_slot_down(slot))
        return xc_fail(error, XC_CAUSE_HOST_DOWN, "source %s does not answer: %s", slot->spec.key,
                       slot->state_text);
    if ((slot->driver->capabilities & info->capability) != info->capability)
        return xc_fail(error, XC_CAUSE_NOT_SUPPORTED, "driver %s cannot %s", slot->driver->name,
                       xc_enum_label(&xc_action_labels, (int)info->action));
    return true;
}

/* What lies in a file begins no second life beside it: its disks are as that file remembers them. */
static const char *cure_of(enum xc_action action, enum xc_domain_state state)
{
    if (action == XC_ACTION_START && state == XC_STATE_SUSPENDED)
        return ": use resume";
    return state == XC_STATE_RESUMING
               ? ": a resume is under way or was cut off; if that, see to its "
                 "file in save_dir"
               : "";
}

static bool check_state(const struct xc_domain_ref *ref, const struct xc_action_info *info,
                        GError **error)
{
    enum xc_domain_state state = xc_ref_state(ref);

    if (ref->track->presence == XC_DELETED)
        return xc_fail(error, XC_CAUSE_BAD_STATE,
                       "%s: deleted; no configuration of it is known any more", name_of(ref));
    if (info->from & XC_IN(state))
        return true;
    return xc_fail(error, XC_CAUSE_BAD_STATE, "%s: cannot %s while it is %s%s", name_of(ref),
                   xc_enum_label(&xc_action_labels, (int)info->action),
                   xc_enum_label(&xc_domain_state_labels, (int)state),
                   cure_of(info->action, state));
}

static bool check_save_dir(const struct xc_slot *slot, const struct xc_action_info *info,
                           GError **error)
{
    if (!info->needs_save_dir || *slot->spec.save_dir || (slot->driver && slot->driver->own_saves))
        return true;
    return xc_fail(
        error, XC_CAUSE_BAD_CONFIG,
        "source %s has no save_dir, the directory on its host for suspended domains: set "
        "it in the source's section, or xenSourceSaveDir",
        slot->spec.key);
}

static bool check_memory(const struct xc_domain_ref *ref, const struct xc_host_ref *to,
                         GError **error)
{
    const struct xc_domain *domain = xc_ref_domain(ref);
    const struct xc_host *host = &to->slot->snapshot->hosts[to->row];
    uint64_t need = XC_HAS(DOMAIN, domain, mem_kib) ? domain->mem_kib : 0;

    if (!XC_HAS(HOST, host, mem_free_kib) || host->mem_free_kib >= need)
        return true;
    return xc_fail(error, XC_CAUSE_NO_MEMORY,
                   "%s: cannot go to %s: needs %" G_GUINT64_FORMAT " MiB, %" G_GUINT64_FORMAT
                   " MiB free",
                   name_of(ref), to->key, need / 1024, host->mem_free_kib / 1024);
}

/* The destination of a migration (or of the question whether one is possible). */
static bool check_destination(struct xc_engine *engine, const struct xc_request *request,
                              const struct xc_domain_ref *ref, const struct xc_action_info *info,
                              GError **error)
{
    const struct xc_host_ref *to = xc_fleet_host(engine, request->host);

    if (!to)
        return xc_fail(error, XC_CAUSE_NO_SUCH_HOST, "no host has the key %s", request->host);
    if (strcmp(to->key, xc_fleet_host_key(ref)) == 0)
        return xc_fail(error, XC_CAUSE_BAD_STATE, "%s: is on %s already", name_of(ref), to->key);
    if (to->slot->driver != ref->slot->driver)
        return xc_fail(error, XC_CAUSE_NOT_SUPPORTED,
                       "%s: cannot go from a host of driver %s to one of driver %s", name_of(ref),
                       ref->slot->driver->name, to->slot->driver->name);
    if (to->row < 0)
        return xc_fail(error, XC_CAUSE_HOST_DOWN, "host %s has not answered yet", to->key);
    if (!xc_policy_source(to->slot, info, error))
        return false;
    /* A check is there to find this out, and says more. */
    return request->action == XC_ACTION_CHECK_MIGRATE || check_memory(ref, to, error);
}

/* No hypervisor gives a domain more than it was built for. */
static bool check_amount(const struct xc_request *request, const struct xc_domain_ref *ref,
                         GError **error)
{
    const struct xc_domain *domain = xc_ref_domain(ref);
    bool memory = request->action == XC_ACTION_SET_MEMORY;
    uint64_t most = G_MAXUINT64;

    if (memory && XC_HAS(DOMAIN, domain, mem_max_kib))
        most = domain->mem_max_kib / 1024;
    else if (request->action == XC_ACTION_SET_VCPUS && XC_HAS(DOMAIN, domain, vcpus_max))
        most = domain->vcpus_max;
    if ((uint64_t)request->amount <= most)
        return true;
    return xc_fail(error, XC_CAUSE_BAD_STATE,
                   "%s: at most %" G_GUINT64_FORMAT " %s, not %" G_GINT64_FORMAT, name_of(ref),
                   most, memory ? "MiB" : "vCPUs", request->amount);
}

static bool is_suspended(const struct xc_snapshot *snapshot, gssize row)
{
    const struct xc_domain *domain = row < 0 ? NULL : &snapshot->domains[row];

    return domain && XC_HAS(DOMAIN, domain, state) && domain->state == XC_STATE_SUSPENDED;
}

/* Where a domain is to be started or resumed, if not at home. */
static bool check_place(struct xc_engine *engine, const struct xc_request *request,
                        const struct xc_domain_ref *ref, const struct xc_action_info *info,
                        GError **error)
{
    const struct xc_host_ref *to = xc_fleet_host(engine, request->host);
    bool resume = request->action == XC_ACTION_RESUME;
    gssize row;

    if (!to || to->row < 0)
        return xc_fail(error, XC_CAUSE_NO_SUCH_HOST, "no host that answers has the key %s",
                       request->host);
    if (to->slot != ref->slot &&
        (!xc_policy_source(to->slot, info, error) || !check_save_dir(to->slot, info, error)))
        return false;
    row = xc_snapshot_find(to->slot->snapshot, ref->index);
    if ((resume ? is_suspended(to->slot->snapshot, row) : row >= 0) ||
        (to->slot == ref->slot && (to->slot->driver->capabilities & XC_CAP_START_ELSEWHERE)))
        return true;
    if (resume)
        return xc_fail(error, XC_CAUSE_NO_STORAGE,
                       "%s: its save file was not seen on %s at its last poll: save_dir of both "
                       "hosts must be one shared directory",
                       name_of(ref), to->key);
    return xc_fail(error, XC_CAUSE_NO_STORAGE, "%s: its configuration is not on %s", name_of(ref),
                   to->key);
}

const struct xc_point *xc_policy_point(const struct xc_domain_ref *ref, uint32_t index)
{
    size_t n = 0;
    const struct xc_point *points =
        xc_snapshot_devices(ref->slot->snapshot, xc_ref_domain(ref), XC_POINTS, &n);

    for (size_t i = 0; i < n; i++)
        if (points[i].index == index)
            return &points[i];
    return NULL;
}

/* What is made is told by its name, so that must come back as it went. */
static bool check_name(const char *name, GError **error)
{
    g_autofree char *clean = xc_text_clean(name, strlen(name), XC_TEXT_MAX);

    return strcmp(clean, name) == 0 ||
           xc_fail(error, XC_CAUSE_BAD_VALUE,
                   "a name is a text in UTF-8 without control characters");
}

/* Does an open operation of the source make a domain of that name? */
static bool is_being_made(const struct xc_engine *engine, const struct xc_slot *slot,
                          const char *name)
{
    for (guint i = 0; i < engine->open->len; i++) {
        const struct xc_op *op = &((const struct xc_op_run *)engine->open->pdata[i])->op;
        const char *made = op->action == XC_ACTION_CREATE           ? op->content
                           : xc_action_info(op->action)->names_copy ? op->argument
                                                                    : "";

        if (strcmp(op->source, slot->spec.key) == 0 && strcmp(made, name) == 0)
            return true;
    }
    return false;
}

bool xc_policy_new_name(const struct xc_engine *engine, const struct xc_slot *slot,
                        const char *name, GError **error)
{
    const struct xc_snapshot *snapshot = slot->snapshot;

    if (!check_name(name, error))
        return false;
    if (is_being_made(engine, slot, name))
        return xc_fail(error, XC_CAUSE_BUSY, "a domain %s is being made already", name);
    for (uint32_t i = 0; snapshot && i < snapshot->n_domains; i++)
        if (XC_HAS(DOMAIN, &snapshot->domains[i], name) &&
            strcmp(snapshot->domains[i].name, name) == 0)
            return xc_fail(error, XC_CAUSE_BAD_STATE,
                           "source %s has a domain %s already: give this one another name",
                           slot->spec.key, name);
    return true;
}

/* Names need not be unique for a hypervisor; but by its name an operation tells whether its snapshot is there. */
static bool check_point_name(const struct xc_request *request, const struct xc_domain_ref *ref,
                             GError **error)
{
    size_t n = 0;
    const struct xc_point *points =
        xc_snapshot_devices(ref->slot->snapshot, xc_ref_domain(ref), XC_POINTS, &n);

    if (!check_name(request->argument, error))
        return false;
    for (size_t i = 0; i < n; i++)
        if (XC_HAS(POINT, &points[i], name) && strcmp(points[i].name, request->argument) == 0)
            return xc_fail(error, XC_CAUSE_BAD_STATE,
                           "%s: has a snapshot %s already: give this one another name",
                           name_of(ref), request->argument);
    return true;
}

static bool check_point(const struct xc_request *request, const struct xc_domain_ref *ref,
                        GError **error)
{
    return xc_policy_point(ref, request->point) ||
           xc_fail(error, XC_CAUSE_NO_SUCH_TARGET, "%s: has no snapshot of number %u", name_of(ref),
                   request->point);
}

bool xc_policy_check(struct xc_engine *engine, const struct xc_request *request,
                     const struct xc_domain_ref *ref, GError **error)
{
    const struct xc_action_info *info = xc_action_info(request->action);
    const struct xc_domain *domain = xc_ref_domain(ref);
    bool has_host = request->host && *request->host;

    if (!xc_policy_control(engine, error))
        return false;
    if (XC_HAS(DOMAIN, domain, kind) && domain->kind != XC_KIND_GUEST)
        return xc_fail(error, XC_CAUSE_PROTECTED, "%s: a control domain takes no action",
                       name_of(ref));
    if (ref->track->protect && (info->force || info->stops || info->forgets))
        return xc_fail(error, XC_CAUSE_PROTECTED,
                       "%s: is protected; clear xenDomainProtected first", name_of(ref));
    if (info->needs_host && !has_host)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "%s: a host key is needed", name_of(ref));
    if (ref->slot != engine->graveyard && !xc_policy_source(ref->slot, info, error))
        return false;
    if (!check_state(ref, info, error) || !check_save_dir(ref->slot, info, error))
        return false;
    if (info->has_amount)
        return check_amount(request, ref, error);
    if (info->names_point)
        return check_point_name(request, ref, error);
    if (info->names_copy)
        return xc_policy_new_name(engine, ref->slot, request->argument, error);
    if (info->has_point)
        return check_point(request, ref, error);
    if (info->needs_host)
        return check_destination(engine, request, ref, info, error);
    if (info->may_host && has_host)
        return check_place(engine, request, ref, info, error);
    return true;
}

bool xc_policy_config_path(const struct xc_slot *slot, const char *path, GError **error)
{
    const char *list = xc_source_config_dirs(&slot->spec);
    g_auto(GStrv) dirs = g_strsplit(list, ":", -1);

    if (*path != '/' || strstr(path, "/../") || g_str_has_suffix(path, "/..") || strchr(path, '\n'))
        return xc_fail(error, XC_CAUSE_BAD_VALUE,
                       "the path of a configuration is absolute and without \"..\"");
    for (char **dir = dirs; *dir; dir++) {
        size_t n = strlen(*dir);

        while (n > 1 && (*dir)[n - 1] == '/')
            n--;
        if (n && strncmp(path, *dir, n) == 0 && path[n] == '/' && path[n + 1])
            return true;
    }
    return xc_fail(error, XC_CAUSE_PROTECTED,
                   "%s is not in the configuration directories of source %s (%s)", path,
                   slot->spec.key, list);
}
