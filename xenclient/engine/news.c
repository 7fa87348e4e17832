/* Reports of what changed alone, between two that are whole. */
#include "xenclient/engine/private.h"

/* Texts of the news stay until everything is read again. */
#define NEWS_MAX 100

/* What the next report is put upon; NULL: none is shown or waits for it. */
static const struct xc_snapshot *latest(const struct xc_slot *slot)
{
    const struct xc_poller *poller = slot->poller;

    return poller->pending ? poller->pending : slot->snapshot;
}

bool xc_news_will_do(const struct xc_slot *slot)
{
    const struct xc_poller *poller = slot->poller;

    return poller->whole_mono && poller->n_news < NEWS_MAX && slot->state == XC_SOURCE_UP &&
           latest(slot) &&
           xc_clock_mono() - poller->whole_mono <
               (gint64)slot->interval_sec * XC_USEC_PER_SEC * 9 / 10;
}

bool xc_news_fit(const struct xc_slot *slot, const struct xc_report *report)
{
    const struct xc_poller *poller = slot->poller;
    const struct xc_snapshot *before = latest(slot);
    g_auto(GStrv) keys = xc_identity_host_keys(poller->engine, slot, report);
    char **shown = poller->pending ? poller->pending_keys : slot->host_keys;

    if (!before || !g_strv_equal((const gchar *const *)keys, (const gchar *const *)shown))
        return false;
    for (guint i = 0; i < report->domains->len; i++) {
        uint32_t index = g_array_index(report->domains, struct xc_domain, i).index;

        if (index && xc_snapshot_find(before, index) < 0)
            return false;
    }
    return true;
}

/* Does it tell of the host what was measured before? All news do, and reports from between two measurements. */
static bool is_measured_anew(const struct xc_snapshot *before, const struct xc_report *report,
                             uint32_t host)
{
    const struct xc_host *now = &g_array_index(report->hosts, struct xc_host, host);
    const struct xc_host *then = host < before->n_hosts ? &before->hosts[host] : NULL;

    return !report->news && !(then && XC_HAS(HOST, now, clock) && XC_HAS(HOST, then, clock) &&
                              now->clock == then->clock);
}

void xc_news_keep_shares(const struct xc_slot *slot, const struct xc_report *report,
                         struct xc_domain *domain)
{
    const struct xc_snapshot *before = latest(slot);
    const struct xc_domain *was;
    gssize row;

    if (!before || !XC_HAS(DOMAIN, domain, cpu_usec) ||
        (XC_HAS(DOMAIN, domain, cpu_percent_x100) &&
         XC_HAS(DOMAIN, domain, cpu_host_percent_x100)) ||
        is_measured_anew(before, report, domain->host))
        return;
    row = xc_snapshot_find(before, domain->index);
    was = row < 0 ? NULL : &before->domains[row];
    if (!was || was->host != domain->host || was->domid != domain->domid)
        return;
    if (!XC_HAS(DOMAIN, domain, cpu_percent_x100) && XC_HAS(DOMAIN, was, cpu_percent_x100))
        XC_SET(DOMAIN, domain, cpu_percent_x100, was->cpu_percent_x100);
    if (!XC_HAS(DOMAIN, domain, cpu_host_percent_x100) &&
        XC_HAS(DOMAIN, was, cpu_host_percent_x100))
        XC_SET(DOMAIN, domain, cpu_host_percent_x100, was->cpu_host_percent_x100);
}

struct xc_snapshot *xc_news_apply(const struct xc_slot *slot, struct xc_snapshot *news)
{
    struct xc_snapshot *snapshot = xc_snapshot_renew(latest(slot), news);

    if (snapshot)
        xc_fleet_count(snapshot);
    xc_snapshot_unref(news);
    return snapshot;
}
