/* Facts from a hypervisor itself: its driver runs in the plugin's own process, and what it reports is put into the form in
 * which the agent would show it, so that everything behind the readers is the same. */
#include "plugins/lib/direct.h"

#include "xenclient/model/model.h"
#include "xenclient/util/log.h"

#include <string.h>

/* Between the two polls that tell how busy processors are. */
#define PAUSE_USEC (1 * XC_USEC_PER_SEC)

struct reader {
    struct chk_reader base;
    struct xc_source_spec spec;
    struct xc_driver_env env;
    const struct xc_driver_ops *ops;
    struct xc_conn *conn;
    struct xc_call call;
    struct xc_report *before, *report; /* before: NULL with one poll */
};

/* The object that a row is about. */
struct place {
    const struct xc_report *report, *before;
    const struct xc_host *host; /* NULL: none */
    const struct xc_domain *domain;
    const struct xc_detail *detail;
    const struct xc_sr *sr;
    bool counts; /* counters are the hypervisor's own */
};

/* --- values as the agent has them */
static struct sn_value text_value(const char *text)
{
    return (struct sn_value){.type = SN_BYTES, .bytes = g_strdup(text), .length = strlen(text)};
}

static struct sn_value number_value(uint64_t number)
{
    return (struct sn_value){.type = SN_UNSIGNED, .number = number};
}

static struct sn_value label_value(int64_t number)
{
    return (struct sn_value){.type = SN_INTEGER, .integer = number};
}

static struct sn_value uuid_value(const struct xc_uuid *uuid)
{
    char text[XC_UUID_TEXT];

    xc_uuid_format(uuid, text);
    return text_value(text);
}

/* --- facts that are computed, as the agent computes them */
static struct sn_value host_name(const struct place *at)
{
    return at->host && XC_HAS(HOST, at->host, name) ? text_value(at->host->name)
                                                    : (struct sn_value){0};
}

static struct sn_value host_state(const struct place *at)
{
    const char *label = "up";

    if (XC_HAS(HOST, at->host, live) && !at->host->live)
        label = "down";
    else if (XC_HAS(HOST, at->host, enabled) && !at->host->enabled)
        label = "maintenance";
    return label_value(sn_label_number(xenHostState, label));
}

static struct sn_value memory_used(const struct place *at)
{
    const struct xc_host *host = at->host;

    if (!XC_HAS(HOST, host, mem_total_kib) || !XC_HAS(HOST, host, mem_free_kib) ||
        host->mem_total_kib == 0 || host->mem_free_kib > host->mem_total_kib)
        return (struct sn_value){0};
    return number_value((host->mem_total_kib - host->mem_free_kib) * 10000 / host->mem_total_kib);
}

static bool is_guest(const struct xc_domain *domain)
{
    return !XC_HAS(DOMAIN, domain, kind) || domain->kind == XC_KIND_GUEST;
}

static bool runs(const struct xc_domain *domain)
{
    return XC_HAS(DOMAIN, domain, state) && domain->state == XC_STATE_RUNNING;
}

/* What guests of the host add up to. */
static uint64_t count(const struct place *at, bool running, bool vcpus)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < at->report->domains->len; i++) {
        const struct xc_domain *domain = &g_array_index(at->report->domains, struct xc_domain, i);
        const struct xc_host *host =
            &g_array_index(at->report->hosts, struct xc_host, domain->host);

        if (host == at->host && is_guest(domain) && (!running || runs(domain)))
            n += !vcpus ? 1 : XC_HAS(DOMAIN, domain, vcpus) ? domain->vcpus : 0;
    }
    return n;
}

static struct sn_value domains_total(const struct place *at)
{
    return number_value(count(at, false, false));
}

static struct sn_value domains_running(const struct place *at)
{
    return number_value(count(at, true, false));
}

static struct sn_value overcommit(const struct place *at)
{
    if (!XC_HAS(HOST, at->host, cpus) || at->host->cpus == 0)
        return (struct sn_value){0};
    return number_value(count(at, true, true) * 10000 / at->host->cpus);
}

/* Its own clock when the answer was made; ours where it does not say. */
static gint64 clock_of(const struct xc_host *host)
{
    return XC_HAS(HOST, host, clock) ? host->clock : g_get_real_time();
}

static struct sn_value uptime(const struct place *at)
{
    if (!XC_HAS(DOMAIN, at->domain, started))
        return (struct sn_value){0};
    return number_value((uint64_t)MAX(clock_of(at->host) - at->domain->started, 0) /
                        XC_USEC_PER_SEC);
}

static struct sn_value snapshot_age(const struct place *at)
{
    if (!at->detail || !XC_HAS(DETAIL, at->detail, snapshot_time))
        return (struct sn_value){0};
    return number_value((uint64_t)MAX(clock_of(at->host) - at->detail->snapshot_time, 0) /
                        XC_USEC_PER_SEC);
}

static struct sn_value present(const struct place *at)
{
    (void)at;
    return label_value(sn_label_number(xenDomainPresence, "present"));
}

static struct sn_value fresh(const struct place *at)
{
    (void)at;
    return number_value(0);
}

/* --- processors: what was used between the two polls */
/* Two reports mostly have the same order, so it is looked for where it is now first. */
static const struct xc_domain *former(const struct place *at, const struct xc_domain *domain)
{
    size_t here = (size_t)(domain - (const struct xc_domain *)(void *)at->report->domains->data);
    size_t n = at->before ? at->before->domains->len : 0;

    for (size_t i = 0; i < n; i++) {
        const struct xc_domain *was =
            &g_array_index(at->before->domains, struct xc_domain, (here + i) % n);

        if (was->host == domain->host && XC_HAS(DOMAIN, was, domid) &&
            XC_HAS(DOMAIN, domain, domid) && was->domid == domain->domid)
            return was;
    }
    return NULL;
}

/* Hundredths of a percent of so many processors; false: not known. */
static bool share(const struct place *at, const struct xc_domain *domain, uint64_t processors,
                  uint64_t *out)
{
    const struct xc_domain *was = former(at, domain);
    const struct xc_host *now = &g_array_index(at->report->hosts, struct xc_host, domain->host);
    gint64 span;

    if (!was || processors == 0 || was->host >= at->before->hosts->len ||
        !XC_HAS(DOMAIN, was, cpu_usec) || !XC_HAS(DOMAIN, domain, cpu_usec) ||
        domain->cpu_usec < was->cpu_usec)
        return false;
    span = clock_of(now) - clock_of(&g_array_index(at->before->hosts, struct xc_host, was->host));
    if (span < PAUSE_USEC / 2)
        return false;
    *out = MIN((domain->cpu_usec - was->cpu_usec) * 10000 / ((uint64_t)span * processors), 10000);
    return true;
}

static struct sn_value cpu_share(const struct place *at)
{
    uint64_t processors = XC_HAS(DOMAIN, at->domain, vcpus) ? at->domain->vcpus : 0;
    uint64_t used;

    return share(at, at->domain, processors, &used) ? number_value(used) : (struct sn_value){0};
}

static struct sn_value host_cpu_share(const struct place *at)
{
    uint64_t processors = XC_HAS(HOST, at->host, cpus) ? at->host->cpus : 0;
    uint64_t used;

    return share(at, at->domain, processors, &used) ? number_value(used) : (struct sn_value){0};
}

static struct sn_value host_cpu(const struct place *at)
{
    uint64_t processors = XC_HAS(HOST, at->host, cpus) ? at->host->cpus : 0;
    uint64_t sum = 0;
    bool known = false;

    for (unsigned i = 0; i < at->report->domains->len; i++) {
        const struct xc_domain *domain = &g_array_index(at->report->domains, struct xc_domain, i);
        uint64_t used;

        if (&g_array_index(at->report->hosts, struct xc_host, domain->host) == at->host &&
            share(at, domain, processors, &used)) {
            known = true;
            sum += used;
        }
    }
    return known ? number_value(MIN(sum, 10000)) : (struct sn_value){0};
}

/* --- where each of the agent's objects comes from */
enum kind { HOSTS, DOMAINS, SRS };

static const struct origin {
    enum sn_id object;
    unsigned divisor;             /* 1024: kibibytes become mebibytes */
    const struct xc_object *type; /* NULL: computed */
    const char *field;
    struct sn_value (*compute)(const struct place *at);
} origins[] = {
    {xenHostLabel, 0, NULL, NULL, host_name},
    {xenHostUuid, 1, &xc_host_type, "uuid", NULL},
    {xenHostSource, 0, NULL, NULL, host_name},
    {xenHostState, 0, NULL, NULL, host_state},
    {xenHostRebootRequired, 1, &xc_host_type, "reboot_required", NULL},
    {xenHostUpdatesPending, 1, &xc_host_type, "updates_pending", NULL},
    {xenHostClockSkew, 1, &xc_host_type, "clock_skew_msec", NULL},
    {xenHostMemoryUsedPercent, 0, NULL, NULL, memory_used},
    {xenHostMemoryFree, 1024, &xc_host_type, "mem_free_kib", NULL},
    {xenHostCpuPercent, 0, NULL, NULL, host_cpu},
    {xenHostLoad1, 1, &xc_host_type, "load1_x100", NULL},
    {xenHostDomainsTotal, 0, NULL, NULL, domains_total},
    {xenHostDomainsRunning, 0, NULL, NULL, domains_running},
    {xenHostOvercommitPercent, 0, NULL, NULL, overcommit},
    {xenHostNetRxOctets, 1, &xc_host_type, "net_rx_bytes", NULL},
    {xenHostNetTxOctets, 1, &xc_host_type, "net_tx_bytes", NULL},
    {xenHostUptime, 1, &xc_host_type, "uptime_sec", NULL},
    {xenHostDataAge, 0, NULL, NULL, fresh},
    {xenDomainName, 1, &xc_domain_type, "name", NULL},
    {xenDomainUuid, 1, &xc_domain_type, "uuid", NULL},
    {xenDomainHost, 0, NULL, NULL, host_name},
    {xenDomainKind, 1, &xc_domain_type, "kind", NULL},
    {xenDomainPresence, 0, NULL, NULL, present},
    {xenDomainState, 1, &xc_domain_type, "state", NULL},
    {xenDomainTags, 1, &xc_detail_type, "tags", NULL},
    {xenDomainTools, 1, &xc_detail_type, "tools", NULL},
    {xenDomainMemory, 1024, &xc_domain_type, "mem_kib", NULL},
    {xenDomainMemoryMax, 1024, &xc_domain_type, "mem_max_kib", NULL},
    {xenDomainVcpus, 1, &xc_domain_type, "vcpus", NULL},
    {xenDomainCpuPercent, 0, NULL, NULL, cpu_share},
    {xenDomainCpuPercentHost, 0, NULL, NULL, host_cpu_share},
    {xenDomainUptime, 0, NULL, NULL, uptime},
    {xenDomainNetRxOctets, 1, &xc_domain_type, "net_rx_bytes", NULL},
    {xenDomainNetTxOctets, 1, &xc_domain_type, "net_tx_bytes", NULL},
    {xenDomainDiskReadOctets, 1, &xc_domain_type, "disk_rd_bytes", NULL},
    {xenDomainDiskWriteOctets, 1, &xc_domain_type, "disk_wr_bytes", NULL},
    {xenDomainDataAge, 0, NULL, NULL, fresh},
    {xenDomainSnapshots, 1, &xc_detail_type, "snapshots", NULL},
    {xenDomainSnapshotAge, 0, NULL, NULL, snapshot_age},
    {xenSrUuid, 1, &xc_sr_type, "uuid", NULL},
    {xenSrName, 1, &xc_sr_type, "name", NULL},
    {xenSrType, 1, &xc_sr_type, "type", NULL},
    {xenSrSize, 1024, &xc_sr_type, "size_kib", NULL},
    {xenSrUsed, 1024, &xc_sr_type, "used_kib", NULL},
    {xenSrAllocated, 1024, &xc_sr_type, "allocated_kib", NULL},
    {xenSrPaths, 1, &xc_sr_type, "paths", NULL},
    {xenSrPathsUp, 1, &xc_sr_type, "paths_up", NULL},
};

static const void *object_of(const struct place *at, const struct xc_object *type)
{
    if (type == &xc_host_type)
        return at->host;
    if (type == &xc_domain_type)
        return at->domain;
    return type == &xc_detail_type ? (const void *)at->detail : at->sr;
}

static struct sn_value field_value(const struct xc_object *type, const char *name, unsigned divisor,
                                   const void *object)
{
    const struct xc_field *field = xc_object_field(type, name);

    if (!object || !xc_has(object, (unsigned)(field - type->fields)))
        return (struct sn_value){0};
    switch (field->kind) {
    case XC_TEXT:
        return text_value(xc_field_text(field, object));
    case XC_UUID:
        return uuid_value(xc_field_uuid(field, object));
    case XC_BOOL:
        return label_value(xc_field_u64(field, object) ? 1 : 2);
    case XC_ENUM:
        return label_value((int64_t)xc_field_u64(field, object));
    case XC_INTEGER:
    case XC_TIME:
        return label_value(xc_field_i64(field, object));
    case XC_GAUGE:
    case XC_COUNTER:
        break;
    }
    return number_value(xc_field_u64(field, object) / divisor);
}

/* A driver that adds up rates begins with nothing in each process: what it counted says nothing. */
static bool counts(const struct xc_report *report)
{
    for (unsigned i = 0; i < report->domains->len; i++) {
        const struct xc_domain *domain = &g_array_index(report->domains, struct xc_domain, i);

        if (XC_HAS(DOMAIN, domain, counter_kind) && domain->counter_kind == XC_COUNTERS_INTEGRATED)
            return false;
    }
    return true;
}

static struct sn_value value_at(const struct place *at, enum sn_id object)
{
    if (object != SN_NONE && sn_object(object)->base == SN_BASE_COUNTER64 && !at->counts)
        return (struct sn_value){0};
    for (size_t i = 0; i < G_N_ELEMENTS(origins); i++)
        if (origins[i].object == object)
            return origins[i].compute
                       ? origins[i].compute(at)
                       : field_value(origins[i].type, origins[i].field, origins[i].divisor,
                                     object_of(at, origins[i].type));
    return (struct sn_value){0};
}

/* --- rows */
static struct chk_row *row_at(const struct place *at, const struct chk_facts *facts)
{
    struct chk_row *row = g_new0(struct chk_row, 1);

    row->n_values = facts->n_fields;
    row->values = g_new0(struct chk_value, row->n_values);
    for (unsigned i = 0; i < facts->n_fields; i++) {
        struct sn_value value = value_at(at, facts->fields[i].object);

        chk_value_take(&facts->fields[i], &value, &row->values[i]);
        sn_value_clear(&value);
    }
    return row;
}

/* By the ordinals of their domains; the caller frees. */
static const struct xc_detail **details_of(const struct xc_report *report)
{
    const struct xc_detail **details = g_new0(const struct xc_detail *, report->domains->len + 1);

    for (unsigned i = 0; i < report->details->len; i++) {
        const struct xc_detail *detail = &g_array_index(report->details, struct xc_detail, i);

        details[detail->domain] = detail;
    }
    return details;
}

static enum kind kind_of(const struct chk_facts *facts)
{
    for (unsigned i = 0; i < facts->n_fields; i++) {
        const char *name =
            facts->fields[i].object == SN_NONE ? "" : sn_object(facts->fields[i].object)->name;

        if (g_str_has_prefix(name, "xenHost"))
            return HOSTS;
        if (g_str_has_prefix(name, "xenDomain"))
            return DOMAINS;
    }
    return SRS;
}

static void add_rows(const struct reader *reader, const struct chk_facts *facts, GPtrArray *rows)
{
    struct xc_report *report = reader->report;
    enum kind kind = kind_of(facts);
    bool own_counters = counts(report);
    g_autofree const struct xc_detail **details = details_of(report);
    GArray *objects = kind == HOSTS     ? report->hosts
                      : kind == DOMAINS ? report->domains
                                        : report->srs;

    for (unsigned i = 0; i < objects->len; i++) {
        struct place at = {.report = report, .before = reader->before, .counts = own_counters};

        if (kind == HOSTS)
            at.host = &g_array_index(objects, struct xc_host, i);
        else if (kind == SRS)
            at.sr = &g_array_index(objects, struct xc_sr, i);
        else
            at.domain = &g_array_index(objects, struct xc_domain, i);
        if (at.domain) {
            at.host = &g_array_index(report->hosts, struct xc_host, at.domain->host);
            at.detail = details[i];
        }
        g_ptr_array_add(rows, row_at(&at, facts));
    }
}

/* --- asking */
static struct xc_report *poll_once(struct reader *reader, GError **error)
{
    g_autoptr(xc_report) report = xc_report_new();

    if (!reader->ops->poll(reader->conn, report, &reader->call, error))
        return NULL;
    if (xc_report_check(report))
        return g_steal_pointer(&report);
    xc_fail(error, XC_CAUSE_INTERNAL,
            "the report refers to hosts or domains that it does not hold");
    return NULL;
}

/* Storage is told by one poll; what processors do, by two. */
static GPtrArray *read_rows(struct chk_reader *base, const struct chk_facts *facts,
                            const struct chk_wish *wish, GError **error)
{
    struct reader *reader = (struct reader *)base;
    GPtrArray *rows;

    (void)wish;
    reader->conn = reader->ops->open(&reader->spec, &reader->env, &reader->call, error);
    reader->report = reader->conn ? poll_once(reader, error) : NULL;
    if (reader->report && kind_of(facts) != SRS) {
        reader->before = g_steal_pointer(&reader->report);
        if (xc_call_wait(&reader->call, -1, 0, PAUSE_USEC, "between two polls", error))
            reader->report = poll_once(reader, error);
    }
    if (!reader->report)
        return NULL;
    rows = g_ptr_array_new_with_free_func((GDestroyNotify)chk_row_free);
    add_rows(reader, facts, rows);
    return rows;
}

static void close_reader(struct chk_reader *base)
{
    struct reader *reader = (struct reader *)base;

    if (reader->conn)
        reader->ops->close(reader->conn);
    xc_call_deinit(&reader->call);
    xc_report_free(reader->before);
    xc_report_free(reader->report);
    xc_source_spec_clear(&reader->spec);
    g_free(reader->env.credential_dir);
    g_free(reader->env.known_hosts);
    g_free(reader->env.tls_pins);
    g_free(reader->env.tls_ca);
    g_free(reader);
}

static const struct chk_reader_ops ops = {.read = read_rows, .close = close_reader};

struct chk_reader *chk_reader_direct(const struct chk_direct *how, GError **error)
{
    const struct xc_driver *driver = xc_driver_for(how->uri, error);
    const struct xc_source_spec spec = {
        .key = (char *)"plugin", .uri = (char *)how->uri, .credential = (char *)how->credential};
    struct reader *reader;

    if (!driver)
        return NULL;
    /* A plugin says all it has to say on stdout. */
    xc_log_set_level(XC_LOG_ERROR);
    reader = g_new0(struct reader, 1);
    reader->base.ops = &ops;
    reader->ops = xc_driver_ops(driver);
    xc_source_spec_copy(&reader->spec, &spec);
    reader->env.credential_dir = g_strdup(how->credential_dir);
    reader->env.known_hosts = g_strdup(how->known_hosts);
    reader->env.tls_pins = g_strdup(how->tls_pins);
    reader->env.tls_ca = g_strdup(how->tls_ca ? how->tls_ca : "");
    if (xc_call_init(&reader->call, how->budget_usec, error))
        return &reader->base;
    close_reader(&reader->base);
    return NULL;
}
