/* Thresholds: who has which, and what becomes of the figures. */
#include "xenclient/engine/private.h"

#include <string.h>

#define ROWS_MAX 1000
#define KEY_MAX  320

/* What was told of one stands beside what was told of sources, under a key that no source can have. */
enum { TOLD_RAISED = 1, TOLD_CLEARED = 2 };

struct xc_thresholds {
    GPtrArray *rows;  /* struct xc_threshold *, sorted */
    GHashTable *over; /* key -> how often in a row a figure was over, where that is not told yet */
    bool domains_mattered; /* so some may still be raised */
};

/* One figure of one object. */
struct figure {
    enum xc_threshold_kind kind;
    const char *object; /* name that globs are compared to */
    const char *key;    /* that stays, other than a name may */
    const char *host;   /* key, "" none */
    uint32_t domain;
    uint32_t value;
};

struct xc_thresholds *xc_thresholds_new(void)
{
    struct xc_thresholds *thresholds = g_new0(struct xc_thresholds, 1);

    thresholds->rows = g_ptr_array_new_with_free_func(xc_threshold_free);
    thresholds->over = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return thresholds;
}

void xc_thresholds_free(struct xc_thresholds *thresholds)
{
    g_ptr_array_unref(thresholds->rows);
    g_hash_table_unref(thresholds->over);
    g_free(thresholds);
}

/* --- rows */

const struct xc_threshold *const *xc_thresholds(const struct xc_engine *engine, size_t *n)
{
    *n = engine->thresholds->rows->len;
    return (const struct xc_threshold *const *)engine->thresholds->rows->pdata;
}

static gint by_name(gconstpointer a, gconstpointer b)
{
    return xc_key_compare((*(struct xc_threshold *const *)a)->name,
                          (*(struct xc_threshold *const *)b)->name);
}

static const struct xc_threshold *find(const struct xc_engine *engine, const char *name)
{
    const GPtrArray *rows = engine->thresholds->rows;

    for (guint i = 0; i < rows->len; i++)
        if (strcmp(((const struct xc_threshold *)rows->pdata[i])->name, name) == 0)
            return rows->pdata[i];
    return NULL;
}

void xc_thresholds_drop(struct xc_engine *engine, const char *name)
{
    const struct xc_threshold *row = find(engine, name);

    if (row)
        g_ptr_array_remove(engine->thresholds->rows, (gpointer)row);
}

void xc_thresholds_load(struct xc_engine *engine, const char *name, const char *value)
{
    struct xc_threshold *row = xc_threshold_read(name, value);

    if (!row)
        return;
    xc_thresholds_drop(engine, name);
    g_ptr_array_add(engine->thresholds->rows, row);
    g_ptr_array_sort(engine->thresholds->rows, by_name);
}

char *xc_thresholds_text(const struct xc_engine *engine, const char *name)
{
    const struct xc_threshold *row = find(engine, name);

    return row ? xc_threshold_text(row) : NULL;
}

static char *setting_of(const char *name)
{
    return g_strconcat(XC_SETTING_THRESHOLD, name, NULL);
}

bool xc_txn_put_threshold(struct xc_txn *txn, const struct xc_threshold *threshold, GError **error)
{
    const struct xc_engine *engine = xc_txn_engine(txn);
    g_autofree char *setting = setting_of(threshold->name);
    g_autofree char *value = xc_threshold_text(threshold);

    if (!xc_policy_control(engine, error) || !xc_threshold_check(threshold, error))
        return false;
    if (!find(engine, threshold->name) && engine->thresholds->rows->len >= ROWS_MAX)
        return xc_fail(error, XC_CAUSE_BUSY, "there are %u thresholds, and no more can be made",
                       ROWS_MAX);
    xc_txn_put_setting(txn, setting, value);
    return true;
}

bool xc_txn_remove_threshold(struct xc_txn *txn, const char *name, GError **error)
{
    g_autofree char *setting = setting_of(name);

    if (!xc_policy_control(xc_txn_engine(txn), error))
        return false;
    if (find(xc_txn_engine(txn), name))
        xc_txn_put_setting(txn, setting, "");
    return true;
}

/* --- figures */

static struct xc_limits limits_of(const struct xc_engine *engine, const struct figure *figure)
{
    const GPtrArray *rows = engine->thresholds->rows;

    for (guint i = 0; i < rows->len; i++) {
        const struct xc_threshold *row = rows->pdata[i];

        if (xc_threshold_fits(row, figure->kind, figure->object))
            return row->limits;
    }
    return engine->config->thresholds[figure->kind - 1];
}

static const char *unit_of(enum xc_threshold_kind kind)
{
    return kind == XC_THRESHOLD_DATA_AGE ? "s" : "%";
}

static void tell(struct xc_engine *engine, const struct figure *figure, const char *key,
                 const struct xc_limits *limits, bool raised)
{
    static const char *const words[XC_N_THRESHOLDS] = {"CPU", "memory", "CPU", "memory",
                                                       "age of the data"};
    const char *unit = unit_of(figure->kind);
    g_autofree char *text =
        limits->high
            ? g_strdup_printf("%s at %u %s, threshold %u %s", words[figure->kind - 1],
                              figure->value, unit, raised ? limits->high : limits->low, unit)
            : g_strdup_printf("%s has no threshold any more", words[figure->kind - 1]);
    struct xc_event *event =
        xc_event_new(XC_EVENT_THRESHOLD, raised ? XC_SEVERITY_WARNING : XC_SEVERITY_CLEAR,
                     figure->host, figure->object, "%s", text);

    event->domain = figure->domain;
    event->told = raised ? TOLD_RAISED : TOLD_CLEARED;
    g_free(event->source);
    event->source = g_strdup(key);
    g_hash_table_replace(engine->told_sources, g_strdup(key), GINT_TO_POINTER(event->told));
    xc_events_add(engine, event);
}

static void look(struct xc_engine *engine, const struct figure *figure)
{
    struct xc_limits limits = limits_of(engine, figure);
    GHashTable *over = engine->thresholds->over;
    char key[KEY_MAX];
    bool raised;
    unsigned times;

    g_snprintf(key, sizeof(key), "%s/%s", xc_enum_label(&xc_threshold_labels, (int)figure->kind),
               figure->key);
    raised = GPOINTER_TO_INT(g_hash_table_lookup(engine->told_sources, key)) == TOLD_RAISED;
    if (!raised && !limits.high && !g_hash_table_size(over))
        return;
    times = GPOINTER_TO_UINT(g_hash_table_lookup(over, key));
    switch (xc_threshold_step(&limits, raised, times, figure->value,
                              figure->kind == XC_THRESHOLD_DATA_AGE)) {
    case XC_THRESHOLD_COUNTS:
        g_hash_table_replace(over, g_strdup(key), GUINT_TO_POINTER(times + 1));
        return;
    case XC_THRESHOLD_RAISED:
        tell(engine, figure, key, &limits, true);
        break;
    case XC_THRESHOLD_CLEARED:
        tell(engine, figure, key, &limits, false);
        break;
    case XC_THRESHOLD_STAYS:
        break;
    }
    g_hash_table_remove(over, key);
}

static void look_at_host(struct xc_engine *engine, const struct xc_host_ref *ref)
{
    const struct xc_host *host = &ref->slot->snapshot->hosts[ref->row];
    struct figure figure = {.object = ref->key, .key = ref->key, .host = ref->key};

    if (XC_HAS(HOST, host, cpu_percent_x100)) {
        figure.kind = XC_THRESHOLD_HOST_CPU;
        figure.value = (uint32_t)(host->cpu_percent_x100 / 100);
        look(engine, &figure);
    }
    if (XC_HAS(HOST, host, mem_total_kib) && XC_HAS(HOST, host, mem_free_kib) &&
        host->mem_total_kib && host->mem_free_kib <= host->mem_total_kib) {
        uint64_t used = host->mem_total_kib - host->mem_free_kib;

        figure.kind = XC_THRESHOLD_HOST_MEMORY;
        figure.value = (uint32_t)(used * 100 / host->mem_total_kib);
        look(engine, &figure);
    }
}

static void look_at_domain(struct xc_engine *engine, const struct xc_domain_ref *ref)
{
    const struct xc_domain *domain = xc_ref_domain(ref);
    char key[16];
    struct figure figure = {.object = XC_HAS(DOMAIN, domain, name) ? domain->name : "",
                            .key = key,
                            .host = xc_fleet_host_key(ref),
                            .domain = ref->index};

    if (!xc_domain_is_guest(domain))
        return;
    g_snprintf(key, sizeof(key), "%u", ref->index);
    if (XC_HAS(DOMAIN, domain, cpu_percent_x100)) {
        figure.kind = XC_THRESHOLD_DOMAIN_CPU;
        figure.value = (uint32_t)(domain->cpu_percent_x100 / 100);
        look(engine, &figure);
    }
    if (XC_HAS(DOMAIN, domain, mem_kib) && XC_HAS(DOMAIN, domain, mem_max_kib) &&
        domain->mem_max_kib) {
        figure.kind = XC_THRESHOLD_DOMAIN_MEMORY;
        figure.value = (uint32_t)MIN(domain->mem_kib * 100 / domain->mem_max_kib, 100);
        look(engine, &figure);
    }
}

/* --- when */

/* Has it answered since its figures were looked at? */
static bool is_fresh(const struct xc_slot *slot)
{
    const struct xc_poller *poller = slot->poller;

    return poller && slot->snapshot && poller->judged != slot->polls_ok;
}

static void look_at_age(struct xc_engine *engine, const struct xc_slot *slot)
{
    gint64 age = xc_slot_age(slot);
    struct figure figure = {.kind = XC_THRESHOLD_DATA_AGE,
                            .object = slot->spec.key,
                            .key = slot->spec.key,
                            .host = "",
                            .value = (uint32_t)CLAMP(age, 0, G_MAXINT32)};

    if (slot->enabled && age >= 0)
        look(engine, &figure);
}

/* Does any domain have a threshold, or had one since the start? Else the many of them need not be looked at. */
static bool domains_matter(const struct xc_engine *engine)
{
    const GPtrArray *rows = engine->thresholds->rows;
    const struct xc_limits *usual = engine->config->thresholds;

    if (usual[XC_THRESHOLD_DOMAIN_CPU - 1].high || usual[XC_THRESHOLD_DOMAIN_MEMORY - 1].high ||
        engine->thresholds->domains_mattered)
        return true;
    for (guint i = 0; i < rows->len; i++) {
        const struct xc_threshold *row = rows->pdata[i];

        if (row->kind == XC_THRESHOLD_DOMAIN_CPU || row->kind == XC_THRESHOLD_DOMAIN_MEMORY)
            return true;
    }
    return false;
}

static void look_at_domains(struct xc_engine *engine)
{
    size_t n;
    const struct xc_domain_ref *domains = xc_fleet_domains(engine, &n);

    for (size_t i = 0; i < n; i++)
        if (is_fresh(domains[i].slot))
            look_at_domain(engine, &domains[i]);
}

void xc_thresholds_tick(struct xc_engine *engine)
{
    size_t n;
    const struct xc_host_ref *hosts = xc_fleet_hosts(engine, &n);

    for (size_t i = 0; i < n; i++)
        if (hosts[i].row >= 0 && is_fresh(hosts[i].slot))
            look_at_host(engine, &hosts[i]);
    engine->thresholds->domains_mattered = domains_matter(engine);
    if (engine->thresholds->domains_mattered)
        look_at_domains(engine);
    for (guint i = 0; i < engine->slots->len; i++) {
        const struct xc_slot *slot = engine->slots->pdata[i];

        look_at_age(engine, slot);
        if (is_fresh(slot))
            ((struct xc_poller *)slot->poller)->judged = slot->polls_ok;
    }
}
