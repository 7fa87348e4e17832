/* hosts, domains, ops, source list: views of tables. show, op: one row in full. */
#include "tools/xenctl/domain.h"
#include "tools/xenctl/view.h"

#include "xenclient/util/text.h"

#include <string.h>

static const struct ctl_column host_columns[] = {
    {xenHostLabel, "HOST"},
    {xenHostState, "STATE"},
    {xenHostName, "NAME"},
    {xenHostXenVersion, "XEN"},
    {xenHostCpus, "CPUS"},
    {xenHostMemoryTotal, "MEMORY"},
    {xenHostMemoryFree, "FREE"},
    {xenHostCpuPercent, "CPU%"},
    {xenHostLoad1, "LOAD"},
    {xenHostDomainsRunning, "RUNNING"},
    {xenHostDomainsTotal, "DOMAINS"},
    {xenHostDataAge, "AGE"},
    {xenHostStateText, "TEXT"},
};
static const struct ctl_view host_view = {"xenHost", host_columns, G_N_ELEMENTS(host_columns),
                                          NULL};

enum { DOMAIN_PRESENCE = 3, DOMAIN_HOST = 1 };
static const struct ctl_column domain_columns[] = {
    {SN_NONE, "#"},
    {xenDomainName, "NAME"},
    {xenDomainHost, "HOST"},
    {xenDomainState, "STATE"},
    {xenDomainPresence, "DATA"},
    {xenDomainKind, "KIND"},
    {xenDomainVcpus, "VCPUS"},
    {xenDomainMemory, "MEMORY"},
    {xenDomainCpuPercent, "CPU%"},
    {xenDomainUptime, "UPTIME"},
    {xenDomainUuid, "UUID"},
};
static const struct ctl_view domain_view = {"xenDomain", domain_columns,
                                            G_N_ELEMENTS(domain_columns), NULL};

static const struct ctl_column op_columns[] = {
    {SN_NONE, "#"},
    {xenOperationLabel, "OPERATION"},
    {xenOperationHostFrom, "FROM"},
    {xenOperationHostTo, "TO"},
    {xenOperationState, "STATE"},
    {xenOperationPhase, "PHASE"},
    {xenOperationProgress, "%"},
    {xenOperationResult, "RESULT"},
    {xenOperationCause, "CAUSE"},
    {xenOperationElapsed, "MSEC"},
    {xenOperationNote, "NOTE"},
    {xenOperationText, "TEXT"},
};
static const struct ctl_view op_view = {"xenOperation", op_columns, G_N_ELEMENTS(op_columns), NULL};

static const struct ctl_column source_columns[] = {
    {xenSourceLabel, "SOURCE"},          {xenSourceUri, "URI"},
    {xenSourceCredential, "CREDENTIAL"}, {xenSourceEnabled, "ENABLED"},
    {xenSourceInterval, "INTERVAL"},     {xenSourceOrigin, "ORIGIN"},
    {xenSourceState, "STATE"},           {xenSourceHosts, "HOSTS"},
    {xenSourceDataAge, "AGE"},           {xenSourceStateText, "TEXT"},
};
static const struct ctl_view source_view = {"xenSource", source_columns,
                                            G_N_ELEMENTS(source_columns), NULL};

int ctl_hosts(struct ctl *ctl)
{
    return ctl_print_view(ctl, &host_view, NULL);
}

/* Cells are counted without the row's number. */
static bool keep_domain(const struct ctl *ctl, const struct sn_value *cells)
{
    bool deleted = sn_value_number(&cells[DOMAIN_PRESENCE], 0) ==
                   sn_label_number(xenDomainPresence, "deleted");

    if (deleted && !ctl->opt.all)
        return false;
    return ctl->n_args == 0 || g_str_equal(sn_value_text(&cells[DOMAIN_HOST]), ctl->args[0]);
}

int ctl_domains(struct ctl *ctl)
{
    return ctl_print_view(ctl, &domain_view, keep_domain);
}

int ctl_ops(struct ctl *ctl)
{
    return ctl_print_view(ctl, &op_view, NULL);
}

int ctl_source_list(struct ctl *ctl)
{
    return ctl_print_view(ctl, &source_view, NULL);
}

/* --- one row */
static bool is_host(struct ctl *ctl, const char *key)
{
    const struct sn_oid oid = sn_oid_text(xenHostState, key);
    struct sn_session *session = ctl_session(ctl, NULL);
    struct sn_value value;
    bool found;

    if (!session || !xc_text_is_key(key, 32))
        return false;
    found = sn_get(session, &oid, 1, &value, NULL) && sn_present(&value);
    sn_value_clear(&value);
    return found;
}

static int show_host(struct ctl *ctl, const char *key)
{
    static const enum sn_id entries[] = {xenHostEntry, xenHostPerfEntry, SN_NONE};
    struct sn_oid index = {0};

    sn_oid_append_text(&index, key, strlen(key));
    return ctl_print_row(ctl, "xenHost", entries, &index);
}

/* A host's key and the name of a domain seldom agree; where they do, HOST/NAME means the domain. */
int ctl_show(struct ctl *ctl)
{
    static const enum sn_id entries[] = {xenDomainEntry, xenDomainPerfEntry, xenDomainControlEntry,
                                         SN_NONE};
    struct sn_oid index = {0};
    struct ctl_domain domain;
    int code;

    if (is_host(ctl, ctl->args[0]))
        return show_host(ctl, ctl->args[0]);
    code = ctl_find_domain(ctl, ctl->args[0], &domain);
    sn_oid_append_number(&index, domain.index);
    ctl_domain_clear(&domain);
    return code ? code : ctl_print_row(ctl, "xenDomain", entries, &index);
}

int ctl_op(struct ctl *ctl)
{
    static const enum sn_id entries[] = {xenOperationEntry, SN_NONE};
    struct sn_oid index = {0};
    uint64_t number;

    if (!xc_text_to_u64(ctl->args[0], 1, INT32_MAX, &number, NULL))
        return ctl_say(ctl, CTL_ERROR, "%s: an operation is a number; see xenctl ops",
                       ctl->args[0]);
    sn_oid_append_number(&index, (uint32_t)number);
    return ctl_print_row(ctl, "xenOperation", entries, &index);
}
