/* From a request to the operation that it asks for. */
#include "xenclient/engine/private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONTENT_MAX 65536

static gint64 timeout_of(const struct xc_engine *engine, const struct xc_request *request)
{
    unsigned sec = request->timeout_sec;

    if (!sec && request->action == XC_ACTION_SHUTDOWN)
        sec = engine->config->shutdown_timeout_sec;
    /* Disks are copied first, as for a clone. */
    if (!sec && request->title)
        sec = xc_action_info(XC_ACTION_CLONE)->timeout_sec;
    if (!sec)
        sec = xc_action_info(request->action)->timeout_sec;
    return (gint64)sec * XC_USEC_PER_SEC;
}

/* A snapshot's number is its table's; what lasts is its uuid. One that is gone is refused later. */
static void describe_point(const struct xc_request *request, const struct xc_domain_ref *ref,
                           struct xc_op *op)
{
    const struct xc_point *point = xc_policy_point(ref, request->point);
    char uuid[XC_UUID_TEXT] = "";

    if (point && XC_HAS(POINT, point, uuid))
        xc_uuid_format(&point->uuid, uuid);
    xc_set_text(&op->argument, uuid);
}

void xc_describe_domain(struct xc_engine *engine, const struct xc_request *request,
                        const struct xc_domain_ref *ref, struct xc_op *op)
{
    const struct xc_domain *domain = xc_ref_domain(ref);
    const struct xc_slot *slot = ref->slot;
    const char *from = xc_fleet_host_key(ref);

    op->action = request->action;
    op->domain = ref->index;
    op->timeout_usec = timeout_of(engine, request);
    op->created_real = xc_clock_real();
    op->target_domid = XC_HAS(DOMAIN, domain, domid) ? domain->domid : -1;
    if (XC_HAS(DOMAIN, domain, uuid))
        op->target_uuid = domain->uuid;
    xc_set_text(&op->target, XC_HAS(DOMAIN, domain, name) ? domain->name : "");
    xc_set_text(&op->note, request->note);
    if (xc_action_info(request->action)->may_host) {
        const struct xc_host_ref *place =
            request->host && *request->host ? xc_fleet_host(engine, request->host) : NULL;
        gssize row = place ? xc_snapshot_find(place->slot->snapshot, ref->index) : -1;

        if (row >= 0)
            domain = &place->slot->snapshot->domains[row];
        if (place) {
            slot = place->slot;
            from = place->key;
            xc_set_text(&op->host_to,
                        slot->driver->capabilities & XC_CAP_START_ELSEWHERE ? place->key : "");
        }
        if (request->action == XC_ACTION_START)
            xc_set_text(&op->argument, XC_HAS(DOMAIN, domain, config) ? domain->config : "");
    } else if (xc_action_info(request->action)->needs_host) {
        xc_set_text(&op->host_to, request->host);
    } else if (xc_action_info(request->action)->has_amount) {
        g_free(op->argument);
        op->argument = g_strdup_printf("%" G_GINT64_FORMAT, request->amount);
    } else if (xc_action_info(request->action)->names_point ||
               xc_action_info(request->action)->names_copy) {
        xc_set_text(&op->argument, request->argument);
    } else if (xc_action_info(request->action)->has_point) {
        describe_point(request, ref, op);
    }
    xc_set_text(&op->source, slot->spec.key);
    xc_set_text(&op->host_from, from);
}

char *xc_library_read(const struct xc_engine *engine, const char *name, GError **error)
{
    g_autofree char *path = g_build_filename(engine->config->library_dir, name, NULL);
    g_autofree char *content = g_malloc0(CONTENT_MAX + 1);
    struct stat st;
    ssize_t n = -1;
    int fd;

    if (!xc_text_is_key(name, 64)) {
        xc_fail(error, XC_CAUSE_BAD_VALUE,
                "a configuration of the library is named by 1..64 of A-Za-z0-9._-");
        return NULL;
    }
    fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        n = read(fd, content, CONTENT_MAX);
    if (fd >= 0)
        close(fd);
    if (n <= 0 || n == CONTENT_MAX || strlen(content) != (size_t)n ||
        !g_utf8_validate(content, n, NULL)) {
        xc_fail(error, XC_CAUSE_BAD_CONFIG,
                "%s: no such configuration in the library, or not a text below 64 KiB", path);
        return NULL;
    }
    return g_steal_pointer(&content);
}

/* What a domain is to be created from. */
static bool describe_origin(const struct xc_engine *engine, const struct xc_request *request,
                            const struct xc_slot *slot, struct xc_op *op, GError **error)
{
    bool templates = slot->driver->templates;
    bool title = request->title && *request->title;
    char *content;

    if (!request->from_library && templates)
        return xc_fail(error, XC_CAUSE_NOT_SUPPORTED,
                       "source %s has no configuration files: create from a template",
                       slot->spec.key);
    if (templates != title)
        return xc_fail(error, XC_CAUSE_CONFLICT,
                       templates ? "what is made of template %s needs a name"
                                 : "%s: the configuration has the name, and nothing else",
                       request->argument);
    if (!request->from_library)
        return xc_policy_config_path(slot, request->argument, error);
    content =
        templates ? g_strdup(request->title) : xc_library_read(engine, request->argument, error);
    if (!content)
        return false;
    g_free(op->content);
    op->content = content;
    return true;
}

bool xc_describe_host(struct xc_engine *engine, const struct xc_request *request, struct xc_op *op,
                      GError **error)
{
    const struct xc_host_ref *host = request->host ? xc_fleet_host(engine, request->host) : NULL;
    const struct xc_action_info *info = xc_action_info(request->action);

    if (!xc_policy_control(engine, error))
        return false;
    if (!host)
        return xc_fail(error, XC_CAUSE_NO_SUCH_HOST, "no host has the key %s",
                       request->host ? request->host : "");
    if (info->capability && !xc_policy_source(host->slot, info, error))
        return false;
    if (!request->argument && request->title)
        return xc_fail(error, XC_CAUSE_CONFLICT, "a name is for what is created");
    if (request->argument && !describe_origin(engine, request, host->slot, op, error))
        return false;
    op->action = request->action;
    op->timeout_usec = timeout_of(engine, request);
    op->created_real = xc_clock_real();
    if (request->title)
        xc_set_text(&op->target, request->title);
    else
        xc_set_text(&op->target, request->argument ? request->argument : host->key);
    xc_set_text(&op->argument, request->argument);
    xc_set_text(&op->source, host->slot->spec.key);
    xc_set_text(&op->host_from, host->key);
    return true;
}
