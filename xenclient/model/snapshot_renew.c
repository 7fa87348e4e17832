/* Putting news upon a snapshot: a copy of it in which some domains, with all that hangs on them, are others. */
#include "xenclient/model/snapshot_private.h"

#include <string.h>

struct renewal {
    const struct xc_snapshot *before, *news;
    uint32_t *from; /* of each domain: its ordinal + 1 in the news; 0: as before */
};

/* Where a domain comes from. */
static const struct xc_domain *origin(const struct renewal *r, uint32_t i,
                                      const struct xc_snapshot **of)
{
    *of = r->from[i] ? r->news : r->before;
    return r->from[i] ? &r->news->domains[r->from[i] - 1] : &r->before->domains[i];
}

/* False: there is news of a domain that is not there. */
static bool match(struct renewal *r)
{
    for (uint32_t i = 0; i < r->news->n_domains; i++) {
        gssize at = xc_snapshot_find(r->before, r->news->domains[i].index);

        if (at < 0)
            return false;
        r->from[at] = i + 1;
    }
    return true;
}

/* Copies some devices; where the next ones go. */
static char *copy(char *to, const struct xc_snapshot *of, unsigned k, uint32_t first, uint32_t end)
{
    size_t step = xc_device_type(k)->size, octets = (end - first) * step;

    if (!octets)
        return to;
    memcpy(to, (const char *)of->devices[k].all + first * step, octets);
    return to + octets;
}

/* False: there would be more than one source may report. Devices of domains that are as before are where they were among
 * them: all between two that are new are copied at once. */
static bool renew_devices(struct xc_snapshot *s, unsigned k, const struct renewal *r)
{
    size_t step = xc_device_type(k)->size;
    const struct xc_snapshot *of;
    uint32_t copied = 0;
    size_t n = 0;
    char *to;

    for (uint32_t i = 0; i < s->n_domains; i++) {
        const struct xc_domain *domain = origin(r, i, &of);

        s->domains[i].devices[k] = (uint32_t)n;
        n += domain[1].devices[k] - domain->devices[k];
    }
    s->domains[s->n_domains].devices[k] = (uint32_t)n;
    if (n > XC_MAX_DEVICES)
        return false;
    to = g_malloc_n(n, step);
    s->devices[k].all = to;
    s->devices[k].n = (uint32_t)n;
    for (uint32_t i = 0; i < s->n_domains; i++) {
        const struct xc_domain *before = &r->before->domains[i];
        const struct xc_domain *now = origin(r, i, &of);
        char *end;

        if (!r->from[i])
            continue;
        to = copy(to, r->before, k, copied, before->devices[k]);
        copied = before[1].devices[k];
        end = copy(to, of, k, now->devices[k], now[1].devices[k]);
        for (; to < end; to += step)
            ((struct xc_device *)(void *)to)->domain = i;
    }
    copy(to, r->before, k, copied, r->before->devices[k].n);
    return true;
}

static void renew_details(struct xc_snapshot *s, const struct renewal *r)
{
    const struct xc_snapshot *of;
    uint32_t kept = 0;

    s->details = g_new(struct xc_detail, s->n_domains);
    for (uint32_t i = 0; i < s->n_domains; i++) {
        const struct xc_domain *domain = origin(r, i, &of);
        const struct xc_detail *detail = xc_snapshot_detail(of, domain);

        s->domains[i].detail = 0;
        if (!detail)
            continue;
        s->details[kept] = *detail;
        s->details[kept].domain = i;
        s->domains[i].detail = ++kept;
    }
    s->details = g_realloc_n(s->details, kept, sizeof(*s->details));
}

struct xc_snapshot *xc_snapshot_renew(const struct xc_snapshot *before, struct xc_snapshot *news)
{
    g_autofree uint32_t *from = g_new0(uint32_t, before->n_domains + 1);
    struct renewal r = {before, news, from};
    const struct xc_snapshot *of;
    struct xc_snapshot *s;

    if (before->n_hosts != news->n_hosts || !match(&r))
        return NULL;
    s = g_new0(struct xc_snapshot, 1);
    g_atomic_ref_count_init(&s->ref);
    s->taken_mono = news->taken_mono;
    s->taken_real = news->taken_real;
    s->n_hosts = news->n_hosts;
    s->n_domains = before->n_domains;
    s->hosts = g_memdup2(news->hosts, news->n_hosts * sizeof(*news->hosts));
    s->domains = g_new0(struct xc_domain, s->n_domains + 1);
    for (uint32_t i = 0; i < s->n_domains; i++)
        s->domains[i] = *origin(&r, i, &of);
    /* Those of the news, and behind them those of all that was taken over. */
    g_assert(!news->texts->older);
    news->texts->older = xc_texts_ref(before->texts);
    s->texts = xc_texts_ref(news->texts);
    for (unsigned k = 0; k < XC_N_DEVICE_KINDS; k++)
        if (!renew_devices(s, k, &r))
            return xc_snapshot_unref(s);
    renew_details(s, &r);
    /* Those are told of whole with every report. */
    s->srs = g_steal_pointer(&news->srs);
    s->n_srs = news->n_srs;
    s->pifs = g_steal_pointer(&news->pifs);
    s->pif_first = g_steal_pointer(&news->pif_first);
    xc_snapshot_group_by_host(s);
    return s;
}
