/* Discoveries: what may be asked, how it is begun and ended. What they found is in finds.c. */
#include "xenclient/engine/discovery.h"

#include "xenclient/engine/private.h"
#include "xenclient/transport/interfaces.h"

#include <stdlib.h>
#include <string.h>

/* A number that no source has: they count from 1. */
#define SCAN_SOURCE G_MAXUINT32
/* Beyond what the rate asks for: silent addresses, of which so many are tried at once for a second each, and the looks at
 * what is open. */
#define SILENT_PER_SEC 256
#define LOOKS_SEC      120

/* --- what may be asked */

static GArray *allowed_subnets(const struct xc_engine *engine, GError **error)
{
    g_autofree char *list = g_strjoinv(",", engine->config->discovery_allow);

    return *list ? xc_subnets_parse(list, error) : xc_own_subnets(error);
}

static const char *allowed_by(const struct xc_engine *engine)
{
    return *engine->config->discovery_allow ? "discovery_allow of the configuration"
                                            : "the list of this machine's own subnets";
}

char *xc_discovery_allowed(const struct xc_engine *engine, GError **error)
{
    g_autoptr(GArray) subnets = allowed_subnets(engine, error);

    return subnets ? xc_subnets_format(subnets) : NULL;
}

/* The subnets of IPv4 among our own: those of IPv6 are too large to try. */
static GArray *own_subnets(GError **error)
{
    GArray *subnets = xc_own_subnets(error);

    for (guint i = subnets ? subnets->len : 0; i-- > 0;)
        if (g_array_index(subnets, struct xc_subnet, i).base.length != 4)
            g_array_remove_index(subnets, i);
    if (!subnets || subnets->len)
        return subnets;
    g_array_unref(subnets);
    xc_fail(error, XC_CAUSE_BAD_STATE, "no interface of this machine has a subnet: name one");
    return NULL;
}

static bool check_credential(const struct xc_engine *engine, const char *name, GError **error)
{
    const struct xc_config *config = engine->config;

    if (!*name)
        return true;
    if (!g_strv_contains((const char *const *)config->discovery_credentials, name))
        return xc_fail(error, XC_CAUSE_PROTECTED,
                       "credential %s may not be tried at hosts nobody registered: option "
                       "discovery_credentials of [agent] does not name it",
                       name);
    return xc_credential_exists(config->credential_dir, name) ||
           xc_fail(error, XC_CAUSE_NO_SUCH_HOST,
                   "no credential %s: `xenctl credential add %s` writes one", name, name);
}

/* May it be done? Asked when it is asked for and again when it begins: the configuration may be another one then. */
static bool check_scan(const struct xc_engine *engine, const struct xc_scan *scan, GError **error)
{
    g_autoptr(GArray) allowed = allowed_subnets(engine, error);

    if (!allowed || !xc_subnets_countable(scan->subnets, error) ||
        !xc_subnets_allowed(scan->subnets, allowed, allowed_by(engine), error))
        return false;
    if (scan->rate > engine->config->discovery_rate)
        return xc_fail(error, XC_CAUSE_BAD_VALUE,
                       "%u connections in a second: option discovery_rate of [agent] allows %u",
                       scan->rate, engine->config->discovery_rate);
    return check_credential(engine, scan->credential, error);
}

static bool read_wish(const struct xc_engine *engine, const struct xc_scan_wish *wish,
                      struct xc_scan *out, GError **error)
{
    out->rate = wish->rate ? wish->rate : engine->config->discovery_rate;
    out->credential = g_strdup(wish->credential);
    out->ports = xc_scan_ports_parse(wish->ports, error);
    if (!out->ports)
        return false;
    out->subnets = xc_subnets_parse(wish->subnets, error);
    if (out->subnets && !out->subnets->len) {
        g_array_unref(out->subnets);
        out->subnets = own_subnets(error);
    }
    return out->subnets && check_scan(engine, out, error);
}

static gint64 timeout_of(const struct xc_scan *scan)
{
    uint64_t connections = xc_subnets_count(scan->subnets) * scan->ports->len;

    return (gint64)(connections / scan->rate + connections / SILENT_PER_SEC + LOOKS_SEC) *
           XC_USEC_PER_SEC;
}

bool xc_discovery_describe(const struct xc_engine *engine, const struct xc_scan_wish *wish,
                           struct xc_op *op, GError **error)
{
    struct xc_scan scan = XC_SCAN_INIT;
    bool ok = xc_policy_control(engine, error);

    if (ok && !xc_text_is_key(wish->name, 32))
        ok = xc_fail(error, XC_CAUSE_BAD_VALUE, "a discovery's name is 1..32 of A-Za-z0-9._-");
    ok = ok && read_wish(engine, wish, &scan, error);
    if (ok) {
        op->action = XC_ACTION_DISCOVER;
        op->timeout_usec = timeout_of(&scan);
        op->created_real = xc_clock_real();
        g_free(op->argument);
        op->argument = xc_scan_format(&scan);
        xc_set_text(&op->target, wish->name);
    }
    xc_scan_clear(&scan);
    return ok;
}

bool xc_discovery_is_free(const struct xc_engine *engine, GError **error)
{
    for (guint i = 0; i < engine->open->len; i++) {
        const struct xc_op *op = engine->open->pdata[i];

        if (op->action == XC_ACTION_DISCOVER)
            return xc_fail(error, XC_CAUSE_BUSY,
                           "discovery %s is in progress (operation %u): wait for it or cancel it",
                           op->target, op->index);
    }
    return true;
}

/* --- its life */

bool xc_discovery_start(struct xc_engine *engine, const struct xc_op *op, GError **error)
{
    static const struct xc_source_spec nowhere = {.key = (char *)"discovery"};
    struct xc_scan scan = XC_SCAN_INIT;
    struct xc_order order = {.op = op->uuid, .action = op->action};
    bool ok = xc_scan_parse(op->argument, &scan, error) && check_scan(engine, &scan, error);

    xc_scan_clear(&scan);
    if (!ok)
        return false;
    order.content = op->argument;
    order.timeout_usec = op->timeout_usec;
    /* A source for the supervisor alone: the thread that scans lives in a worker like any other. */
    xc_supervisor_add(engine->supervisor, SCAN_SOURCE, &nowhere);
    xc_supervisor_start(engine->supervisor, SCAN_SOURCE, &order);
    return true;
}

void xc_discovery_finished(struct xc_engine *engine)
{
    xc_supervisor_remove(engine->supervisor, SCAN_SOURCE);
}

static void discovery_free(void *data)
{
    struct xc_discovery *discovery = data;

    g_free(discovery->subnets);
    g_free(discovery->ports);
    g_free(discovery->credential);
    g_free(discovery);
}

GPtrArray *xc_discoveries_new(void)
{
    return g_ptr_array_new_with_free_func(discovery_free);
}

static gint by_index(gconstpointer a, gconstpointer b)
{
    uint32_t x = (*(struct xc_discovery *const *)a)->index;
    uint32_t y = (*(struct xc_discovery *const *)b)->index;

    return (x > y) - (x < y);
}

void xc_discovery_enter(struct xc_engine *engine, const struct xc_op *op)
{
    struct xc_discovery *discovery;
    struct xc_scan scan;

    if (op->action != XC_ACTION_DISCOVER || !xc_scan_parse(op->argument, &scan, NULL))
        return;
    discovery = g_new0(struct xc_discovery, 1);
    discovery->index = op->index;
    discovery->op = op;
    discovery->subnets = xc_subnets_format(scan.subnets);
    discovery->ports = xc_scan_ports_format(scan.ports);
    discovery->credential = g_strdup(scan.credential);
    discovery->rate = scan.rate;
    discovery->addresses = xc_subnets_count(scan.subnets);
    xc_scan_clear(&scan);
    g_ptr_array_add(engine->discoveries, discovery);
    g_ptr_array_sort(engine->discoveries, by_index);
    engine->finds_changed = true;
}

void xc_discovery_leave(struct xc_engine *engine, uint32_t index)
{
    for (guint i = 0; i < engine->discoveries->len; i++) {
        const struct xc_discovery *discovery = engine->discoveries->pdata[i];

        if (discovery->index != index)
            continue;
        xc_finds_drop(engine, index);
        g_ptr_array_remove_index(engine->discoveries, i);
        return;
    }
}

struct xc_discovery *xc_discovery_find(const struct xc_engine *engine, uint32_t index)
{
    const struct xc_discovery wanted = {.index = index};
    const struct xc_discovery *key = &wanted;
    struct xc_discovery **at = engine->discoveries->len
                                   ? bsearch(&key, engine->discoveries->pdata,
                                             engine->discoveries->len, sizeof(gpointer), by_index)
                                   : NULL;

    return at ? *at : NULL;
}

static void count_finds(struct xc_engine *engine, struct xc_found *const *finds, size_t n)
{
    for (guint i = 0; i < engine->discoveries->len; i++) {
        struct xc_discovery *discovery = engine->discoveries->pdata[i];

        discovery->found = discovery->fresh = 0;
    }
    for (size_t i = 0; i < n; i++) {
        struct xc_discovery *discovery = xc_discovery_find(engine, finds[i]->discovery);

        if (!discovery)
            continue;
        discovery->found++;
        discovery->fresh += !*finds[i]->source;
    }
}

/* Counted anew when finds have changed, not with every cell. */
struct xc_discovery *const *xc_discoveries(struct xc_engine *engine, size_t *n)
{
    size_t n_finds = 0;
    struct xc_found *const *finds = xc_finds(engine, &n_finds);

    if (engine->finds_changed)
        count_finds(engine, finds, n_finds);
    engine->finds_changed = false;
    *n = engine->discoveries->len;
    return (struct xc_discovery *const *)engine->discoveries->pdata;
}
