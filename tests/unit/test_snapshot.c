/* Reports on their way from worker to front, and what becomes of them there. */
#include "tests/unit/mutate.h"
#include "xenclient/model/snapshot.h"
#include "xenclient/util/text.h"

/* Two hosts; domain i has i interfaces and one disk, every third one a detail; some storage and interfaces. */
static struct xc_report *make_report(unsigned n_domains)
{
    struct xc_report *report = xc_report_new();

    for (unsigned h = 0; h < 2; h++) {
        struct xc_host *host = xc_report_host(report);

        XC_SET(HOST, host, cpus, 4 + h);
    }
    for (unsigned i = 0; i < n_domains; i++) {
        struct xc_domain *domain = xc_report_domain(report, i % 2);
        g_autofree char *name = g_strdup_printf("vm-%u", i);
        struct xc_vbd *vbd;

        XC_SET(DOMAIN, domain, name, xc_report_text(report, name, -1));
        XC_SET(DOMAIN, domain, state, XC_STATE_RUNNING);
        XC_SET(DOMAIN, domain, domid, i + 1);
        for (unsigned v = 0; v < i % 4; v++) {
            struct xc_vif *vif = xc_report_vif(report, i);

            XC_SET(VIF, vif, device, 3 - (int)v);
            XC_SET(VIF, vif, rx_bytes, 100 * i + v);
        }
        vbd = xc_report_vbd(report, i);
        XC_SET(VBD, vbd, number, 51712);
        if (i % 3 == 1) {
            struct xc_uuid uuid = {{(uint8_t)i}};
            struct xc_pif *pif = xc_report_pif(report, i % 2);
            struct xc_sr *sr = xc_report_sr(report);

            XC_SET(PIF, pif, uuid, uuid);
            XC_SET(SR, sr, uuid, uuid);
        }
        if (i % 3 == 0) {
            struct xc_detail *detail = xc_report_detail(report, i);

            XC_SET(DETAIL, detail, snapshots, i);
        }
    }
    return report;
}

static struct xc_domain *domain_at(const struct xc_report *report, guint i)
{
    return &g_array_index(report->domains, struct xc_domain, i);
}

/* --- the way */

struct pipe {
    struct xc_report *got;
    unsigned pieces;
    unsigned last;
    size_t longest;
    unsigned stop_after;
};

static bool take_piece(GByteArray *piece, bool last, void *data)
{
    struct pipe *pipe = data;
    /* Its own memory, so that a sanitizer sees what is read behind the end. */
    g_autofree uint8_t *exact = g_memdup2(piece->data, piece->len);
    struct xc_reader from = XC_READER(exact, piece->len);

    pipe->pieces++;
    pipe->last += last;
    pipe->longest = MAX(pipe->longest, piece->len);
    g_assert_true(xc_report_read(pipe->got, &from));
    return pipe->pieces != pipe->stop_after;
}

static void assert_same_report(const struct xc_report *a, const struct xc_report *b)
{
    g_assert_cmpuint(a->hosts->len, ==, b->hosts->len);
    g_assert_cmpuint(a->domains->len, ==, b->domains->len);
    g_assert_cmpuint(a->vbds->len, ==, b->vbds->len);
    g_assert_cmpmem(a->details->data, a->details->len * sizeof(struct xc_detail), b->details->data,
                    b->details->len * sizeof(struct xc_detail));
    /* No pointers inside: comparable as memory. */
    g_assert_cmpmem(a->srs->data, a->srs->len * sizeof(struct xc_sr), b->srs->data,
                    b->srs->len * sizeof(struct xc_sr));
    g_assert_cmpmem(a->pifs->data, a->pifs->len * sizeof(struct xc_pif), b->pifs->data,
                    b->pifs->len * sizeof(struct xc_pif));
    g_assert_cmpmem(a->vifs->data, a->vifs->len * sizeof(struct xc_vif), b->vifs->data,
                    b->vifs->len * sizeof(struct xc_vif));
    for (guint i = 0; i < a->domains->len; i++) {
        const struct xc_domain *x = domain_at(a, i);
        const struct xc_domain *y = domain_at(b, i);

        g_assert_cmphex(x->has, ==, y->has);
        g_assert_cmpuint(x->host, ==, y->host);
        g_assert_cmpstr(x->name, ==, y->name);
        g_assert_cmpint(x->domid, ==, y->domid);
    }
}

static void test_pieces(void)
{
    static const size_t limits[] = {1, 100, 1000, 1 << 20};
    g_autoptr(xc_report) report = make_report(200);

    for (size_t i = 0; i < G_N_ELEMENTS(limits); i++) {
        struct pipe pipe = {.got = xc_report_new()};

        bool ok = xc_report_write(report, limits[i], take_piece, &pipe);

        g_assert_true(ok);
        g_assert_cmpuint(pipe.last, ==, 1);
        g_assert_cmpuint(pipe.longest, <, limits[i] + 8192);
        assert_same_report(report, pipe.got);
        g_assert_true(xc_report_check(pipe.got));
        xc_report_free(pipe.got);
    }
}

static void test_stop(void)
{
    g_autoptr(xc_report) report = make_report(200);
    g_autoptr(xc_report) got = xc_report_new();
    struct pipe pipe = {.got = got, .stop_after = 3};
    bool ok = xc_report_write(report, 100, take_piece, &pipe);

    g_assert_false(ok);
    g_assert_cmpuint(pipe.pieces, ==, 3);
}

static void test_empty(void)
{
    g_autoptr(xc_report) report = xc_report_new();
    struct pipe pipe = {.got = xc_report_new()};
    g_autoptr(xc_snapshot) snapshot = NULL;
    bool ok = xc_report_write(report, 1000, take_piece, &pipe);

    g_assert_true(ok);
    g_assert_cmpuint(pipe.pieces, ==, 1);
    g_assert_cmpuint(pipe.last, ==, 1);
    g_assert_true(xc_report_check(pipe.got));
    xc_report_sum_devices(pipe.got);
    snapshot = xc_snapshot_seal(pipe.got);
    g_assert_cmpuint(snapshot->n_hosts + snapshot->n_domains, ==, 0);
    g_assert_cmpint(xc_snapshot_find(snapshot, 1), ==, -1);
}

static bool collect(GByteArray *piece, bool last, void *data)
{
    (void)last;
    g_byte_array_append(data, piece->data, piece->len);
    return true;
}

/* Damaged pieces are refused, or are reports like any other: checked, summed, sealed, compared. */
static void test_mutations(void)
{
    unsigned rounds = fuzz_rounds();
    g_autoptr(GRand) rand = g_rand_new_with_seed(fuzz_seed());
    g_autoptr(xc_report) report = make_report(6);
    g_autoptr(GByteArray) wire = g_byte_array_new();
    unsigned sealed = 0;

    xc_report_write(report, G_MAXSIZE, collect, wire);
    for (unsigned n = 0; n < rounds; n++) {
        g_autoptr(xc_report) got = xc_report_new();
        g_autoptr(xc_snapshot) snapshot = NULL;
        g_autoptr(GByteArray) bad = mutate(wire->data, wire->len, rand);
        struct xc_reader from = XC_READER(bad->data, bad->len);

        if (!xc_report_read(got, &from) || !xc_report_check(got))
            continue;
        xc_report_sum_devices(got);
        for (guint i = 0; i < got->domains->len; i++)
            domain_at(got, i)->index = (uint32_t)g_rand_int_range(rand, 0, 50);
        snapshot = xc_snapshot_seal(g_steal_pointer(&got));
        g_assert_true(xc_snapshot_same_members(snapshot, snapshot));
        sealed++;
    }
    g_assert_cmpuint(sealed, >, 100);
    g_assert_cmpuint(sealed, <, rounds);
}

static bool read_raw(struct xc_report *report, const char *octets, size_t n)
{
    struct xc_reader from = XC_READER(octets, n);

    return xc_report_read(report, &from);
}

static void test_refused(void)
{
    g_autoptr(xc_report) report = xc_report_new();
    g_autoptr(xc_report) spoiled = xc_report_new();

    g_assert_false(read_raw(spoiled, "\0", 1));
    g_assert_false(read_raw(spoiled, "\5", 1));
    g_assert_false(read_raw(spoiled, "\2\0\0\0", 4));
    g_assert_true(read_raw(report, "", 0));
    g_assert_true(read_raw(report, "\1\0\0\0\0\0\0\0\0", 9));
    g_assert_true(read_raw(report, "\2\0\0\0\0\0\0\0\0\0\0\0\0", 13));
    g_assert_true(xc_report_check(report));
    /* A domain or an interface of a host that is not there; a disk of a domain that is not there. */
    g_assert_true(read_raw(report, "\2\1\0\0\0\0\0\0\0\0\0\0\0", 13));
    g_assert_false(xc_report_check(report));
    domain_at(report, 1)->host = 0;
    g_assert_true(xc_report_check(report));
    g_assert_true(read_raw(report, "\11\1\0\0\0\0\0\0\0\0\0\0\0", 13));
    g_assert_false(xc_report_check(report));
    g_array_set_size(report->pifs, 0);
    g_assert_true(xc_report_check(report));
    g_assert_true(read_raw(report, "\4\2\0\0\0\0\0\0\0\0\0\0\0", 13));
    g_assert_false(xc_report_check(report));
}

static void test_limits(void)
{
    g_autoptr(xc_report) report = xc_report_new();

    for (unsigned i = 0; i < XC_MAX_HOSTS; i++)
        g_assert_nonnull(xc_report_host(report));
    g_assert_null(xc_report_host(report));
    g_assert_false(read_raw(report, "\1\0\0\0\0\0\0\0\0", 9));
    g_assert_cmpuint(report->hosts->len, ==, XC_MAX_HOSTS);
}

static void test_text(void)
{
    g_autoptr(xc_report) report = xc_report_new();
    g_autofree char *longest = g_strnfill(1000, 'x');

    g_assert_cmpstr(xc_report_text(report, "a\nb", -1), ==, "a?b");
    g_assert_cmpstr(xc_report_text(report, "abc", 2), ==, "ab");
    g_assert_cmpstr(xc_report_text(report, "abc", 0), ==, "");
    g_assert_cmpuint(strlen(xc_report_text(report, longest, -1)), ==, XC_TEXT_MAX);
}

/* --- sums */

static void test_sums(void)
{
    g_autoptr(xc_report) report = xc_report_new();
    struct xc_vif *vif;

    for (unsigned i = 0; i < 4; i++)
        xc_report_domain(report, 0);
    for (unsigned i = 0; i < 2; i++) { /* domain 0: both known */
        vif = xc_report_vif(report, 0);
        XC_SET(VIF, vif, rx_bytes, 10 + i);
        XC_SET(VIF, vif, tx_bytes, 1);
    }
    vif = xc_report_vif(report, 1); /* domain 1: one of two is not known */
    XC_SET(VIF, vif, rx_bytes, 5);
    XC_SET(VIF, vif, tx_bytes, 6);
    vif = xc_report_vif(report, 1);
    XC_SET(VIF, vif, tx_bytes, 7);
    vif = xc_report_vif(report, 2); /* domain 2: was set by the driver */
    XC_SET(VIF, vif, rx_bytes, 5);
    XC_SET(DOMAIN, domain_at(report, 2), net_rx_bytes, 1000);
    for (int twice = 0; twice < 2; twice++) {
        xc_report_sum_devices(report);
        g_assert_true(XC_HAS(DOMAIN, domain_at(report, 0), net_rx_bytes));
        g_assert_cmpuint(domain_at(report, 0)->net_rx_bytes, ==, 21);
        g_assert_cmpuint(domain_at(report, 0)->net_tx_bytes, ==, 2);
        g_assert_false(XC_HAS(DOMAIN, domain_at(report, 0), net_rx_packets));
        g_assert_false(XC_HAS(DOMAIN, domain_at(report, 1), net_rx_bytes));
        g_assert_cmpuint(domain_at(report, 1)->net_tx_bytes, ==, 13);
        g_assert_cmpuint(domain_at(report, 2)->net_rx_bytes, ==, 1000);
        g_assert_cmphex(domain_at(report, 3)->has, ==, 0); /* no device: no sum */
    }
}

/* --- snapshots */

static void test_seal(void)
{
    struct xc_report *report = make_report(8);
    g_autoptr(xc_snapshot) s = NULL;
    unsigned vifs = 0;

    /* Index 80, 70, ...; number 3 is dropped with its three interfaces. */
    for (unsigned i = 0; i < 8; i++)
        domain_at(report, i)->index = i == 3 ? 0 : 80 - 10 * i;
    s = xc_snapshot_seal(report);
    g_assert_cmpuint(s->n_hosts, ==, 2);
    g_assert_cmpuint(s->n_domains, ==, 7);
    g_assert_cmpuint(s->devices[XC_VIFS].n, ==, 1 + 2 + 1 + 2 + 3);
    g_assert_cmpuint(s->devices[XC_VBDS].n, ==, 7);
    for (uint32_t i = 0; i < s->n_domains; i++) {
        const struct xc_domain *d = &s->domains[i];
        unsigned was = (80 - d->index) / 10;
        g_autofree char *name = g_strdup_printf("vm-%u", was);
        size_t n_vifs = 0;
        size_t n_vbds = 0;
        const struct xc_vif *vif = xc_snapshot_devices(s, d, XC_VIFS, &n_vifs);
        const struct xc_vbd *vbd = xc_snapshot_devices(s, d, XC_VBDS, &n_vbds);

        g_assert_true(i == 0 || s->domains[i - 1].index < d->index);
        g_assert_cmpint(xc_snapshot_find(s, d->index), ==, i);
        g_assert_cmpint(xc_snapshot_find(s, d->index + 1), ==, -1);
        g_assert_cmpstr(d->name, ==, name);
        g_assert_cmpuint(n_vifs, ==, was % 4);
        g_assert_cmpuint(n_vbds, ==, 1);
        g_assert_cmpuint(vbd->index, ==, 51712);
        for (size_t v = 0; v < n_vifs; v++, vif++, vifs++) {
            g_assert_cmpuint(vif->domain, ==, i);
            g_assert_cmpuint(vif->rx_bytes / 100, ==, was);
            g_assert_cmpuint(vif->index, ==, vif->device + 1);
            g_assert_true(v == 0 || vif[-1].device < vif->device);
        }
    }
    g_assert_cmpuint(vifs, ==, s->devices[XC_VIFS].n);
    for (uint32_t host = 0; host < 2; host++) {
        size_t n = 0;
        const struct xc_domain *const *there = xc_snapshot_on_host(s, host, &n);

        g_assert_cmpuint(n, ==, host ? 3 : 4); /* number 3 was on the second */
        for (size_t i = 0; i < n; i++) {
            g_assert_cmpuint(there[i]->host, ==, host);
            g_assert_true(i == 0 || there[i - 1]->index < there[i]->index);
        }
    }
    g_assert_cmpint(xc_snapshot_find(s, 0), ==, -1);
    g_assert_cmpint(xc_snapshot_find(s, 50), ==, -1); /* the dropped one */
    g_assert_cmpint(xc_snapshot_find(s, G_MAXUINT32), ==, -1);
    xc_snapshot_unref(xc_snapshot_ref(s));
}

/* Each domain finds its own, the last one told; those of dropped domains go. */
static void test_seal_details(void)
{
    struct xc_report *report = make_report(8);
    struct xc_detail *second = xc_report_detail(report, 6);
    g_autoptr(xc_snapshot) s = NULL;

    XC_SET(DETAIL, second, snapshots, 66);
    for (unsigned i = 0; i < 8; i++)
        domain_at(report, i)->index = i == 3 ? 0 : 80 - 10 * i;
    s = xc_snapshot_seal(report);
    for (uint32_t i = 0; i < s->n_domains; i++) {
        unsigned was = (80 - s->domains[i].index) / 10;
        const struct xc_detail *detail = xc_snapshot_detail(s, &s->domains[i]);

        g_assert_cmpint(detail != NULL, ==, was % 3 == 0);
        if (!detail)
            continue;
        g_assert_cmpuint(detail->domain, ==, i);
        g_assert_cmpuint(detail->snapshots, ==, was == 6 ? 66 : was);
    }
}

static void add_pif(struct xc_report *report, uint32_t host, uint8_t first, uint8_t last)
{
    struct xc_pif *pif = xc_report_pif(report, host);
    struct xc_uuid uuid = {{first}};

    uuid.b[15] = last;
    XC_SET(PIF, pif, uuid, uuid);
    XC_SET(PIF, pif, vlan, last);
}

/* Storage and interfaces stand in the order of their keys, which are their uuids; what has none, or another's, has no row. */
static void test_seal_keyed(void)
{
    static const uint8_t firsts[] = {0xb0, 0x0a, 0xff, 0x0a, 0x00};
    struct xc_report *report = make_report(1);
    g_autoptr(xc_snapshot) s = NULL;
    const struct xc_pif *pifs;
    struct xc_sr *none;
    size_t n = 9;

    for (size_t i = 0; i < G_N_ELEMENTS(firsts); i++) {
        struct xc_sr *sr = xc_report_sr(report);
        struct xc_uuid uuid = {{firsts[i]}};

        XC_SET(SR, sr, uuid, uuid);
        XC_SET(SR, sr, paths, i);
    }
    none = xc_report_sr(report);
    XC_SET(SR, none, paths, 9);
    add_pif(report, 1, 0x90, 2);
    add_pif(report, 1, 0x10, 1);
    domain_at(report, 0)->index = 5;
    s = xc_snapshot_seal(report);
    g_assert_cmpuint(s->n_srs, ==, 3);
    g_assert_cmpstr(s->srs[0].key, ==, "0a000000-0000-0000-0000-000000000000");
    g_assert_cmpstr(s->srs[1].key, ==, "b0000000-0000-0000-0000-000000000000");
    g_assert_cmpuint(s->srs[1].paths, ==, 0);
    g_assert_cmpstr(s->srs[2].key, ==, "ff000000-0000-0000-0000-000000000000");
    g_assert_null(xc_snapshot_pifs(s, 0, &n));
    g_assert_cmpuint(n, ==, 0);
    pifs = xc_snapshot_pifs(s, 1, &n);
    g_assert_cmpuint(n, ==, 2);
    g_assert_cmpstr(pifs[0].key, ==, "10000000-0000-0000-0000-000000000001");
    g_assert_cmpint(pifs[0].vlan, ==, 1);
    g_assert_cmpint(pifs[1].vlan, ==, 2);
}

/* Devices that can't have a row: without a number, with one that is no index, with another's. */
static void test_seal_devices(void)
{
    static const int64_t numbers[] = {5, -1, 3, G_MAXINT32, G_MAXINT64, 3, G_MAXINT32 - 1, 0, 5};
    static const uint32_t vif_indexes[] = {1, 4, 6, G_MAXINT32};
    static const uint32_t vbd_indexes[] = {3, 5, G_MAXINT32 - 1, G_MAXINT32};
    struct xc_report *report = xc_report_new();
    g_autoptr(xc_snapshot) s = NULL;
    size_t n = 0;

    xc_report_host(report);
    for (unsigned i = 0; i < 2; i++)
        xc_report_domain(report, 0)->index = 7 + i;
    for (unsigned i = 0; i < G_N_ELEMENTS(numbers); i++) {
        struct xc_vif *vif = xc_report_vif(report, 1);
        struct xc_vbd *vbd = xc_report_vbd(report, 1);

        XC_SET(VIF, vif, device, numbers[i]);
        XC_SET(VBD, vbd, number, numbers[i]);
    }
    xc_report_vif(report, 1);
    s = xc_snapshot_seal(report);
    g_assert_null(xc_snapshot_devices(s, &s->domains[0], XC_VIFS, &n));
    g_assert_cmpuint(n, ==, 0);
    const struct xc_vif *vifs = xc_snapshot_devices(s, &s->domains[1], XC_VIFS, &n);

    g_assert_cmpuint(n, ==, G_N_ELEMENTS(vif_indexes));
    for (size_t i = 0; i < n; i++)
        g_assert_cmpuint(vifs[i].index, ==, vif_indexes[i]);
    const struct xc_vbd *vbds = xc_snapshot_devices(s, &s->domains[1], XC_VBDS, &n);

    g_assert_cmpuint(n, ==, G_N_ELEMENTS(vbd_indexes));
    for (size_t i = 0; i < n; i++)
        g_assert_cmpuint(vbds[i].index, ==, vbd_indexes[i]);
}

static struct xc_snapshot *make_snapshot(unsigned n, unsigned first)
{
    struct xc_report *report = make_report(n);

    for (unsigned i = 0; i < n; i++)
        domain_at(report, i)->index = first + i;
    return xc_snapshot_seal(report);
}

static void test_same_members(void)
{
    g_autoptr(xc_snapshot) a = make_snapshot(3, 5);
    g_autoptr(xc_snapshot) same = make_snapshot(3, 5);
    g_autoptr(xc_snapshot) later = make_snapshot(3, 6);
    g_autoptr(xc_snapshot) none = make_snapshot(0, 1);

    g_assert_true(xc_snapshot_same_members(a, same));
    g_assert_false(xc_snapshot_same_members(a, later));
    g_assert_false(xc_snapshot_same_members(a, none));
}

/* Six domains with the indexes 10 to 15. */
static struct xc_snapshot *make_six(void)
{
    struct xc_report *report = make_report(6);

    for (unsigned i = 0; i < 6; i++)
        domain_at(report, i)->index = 10 + i;
    return xc_snapshot_seal(report);
}

/* One domain: its name is another one, it moved, has an interface and no detail any more. */
static struct xc_snapshot *make_news(uint32_t index, unsigned n_hosts)
{
    struct xc_report *report = xc_report_new();
    struct xc_domain *domain;
    struct xc_vif *vif;

    for (unsigned h = 0; h < n_hosts; h++) {
        struct xc_host *host = xc_report_host(report);

        XC_SET(HOST, host, cpus, 40 + h);
    }
    domain = xc_report_domain(report, n_hosts - 1);
    domain->index = index;
    XC_SET(DOMAIN, domain, name, xc_report_text(report, "renamed", -1));
    vif = xc_report_vif(report, 0);
    XC_SET(VIF, vif, device, 9);
    return xc_snapshot_seal(report);
}

static void test_renew(void)
{
    struct xc_snapshot *before = make_six();
    struct xc_snapshot *news = make_news(13, 2);
    g_autoptr(xc_snapshot) s = xc_snapshot_renew(before, news);
    g_autoptr(xc_snapshot) again = NULL;
    const struct xc_vif *vif;
    size_t n;

    /* Texts outlive the snapshots they came with. */
    xc_snapshot_unref(before);
    xc_snapshot_unref(news);
    news = make_news(10, 2);
    again = xc_snapshot_renew(s, news);
    xc_snapshot_unref(news);
    g_assert_cmpuint(s->n_domains, ==, 6);
    g_assert_cmpuint(s->hosts[1].cpus, ==, 41);
    g_assert_cmpstr(s->domains[0].name, ==, "vm-0");
    g_assert_cmpstr(s->domains[3].name, ==, "renamed");
    g_assert_cmpstr(s->domains[5].name, ==, "vm-5");
    g_assert_cmpstr(again->domains[0].name, ==, "renamed");
    g_assert_cmpstr(again->domains[3].name, ==, "renamed");
    vif = xc_snapshot_devices(s, &s->domains[3], XC_VIFS, &n);
    g_assert_cmpuint(n, ==, 1);
    g_assert_cmpuint(vif->index, ==, 10);
    g_assert_cmpuint(vif->domain, ==, 3);
    vif = xc_snapshot_devices(s, &s->domains[2], XC_VIFS, &n);
    g_assert_cmpuint(n, ==, 2);
    g_assert_cmpuint(vif->rx_bytes, ==, 201);
    xc_snapshot_devices(s, &s->domains[3], XC_VBDS, &n);
    g_assert_cmpuint(n, ==, 0);
    vif = xc_snapshot_devices(s, &s->domains[5], XC_VIFS, &n);
    g_assert_cmpuint(n, ==, 1);
    g_assert_cmpuint(vif->domain, ==, 5);
    g_assert_nonnull(xc_snapshot_detail(s, &s->domains[0]));
    g_assert_null(xc_snapshot_detail(s, &s->domains[3]));
    xc_snapshot_on_host(s, 0, &n);
    g_assert_cmpuint(n, ==, 3);
    xc_snapshot_on_host(again, 1, &n);
    g_assert_cmpuint(n, ==, 4);
}

static void test_renew_unfit(void)
{
    g_autoptr(xc_snapshot) before = make_six();
    g_autoptr(xc_snapshot) stranger = make_news(16, 2);
    g_autoptr(xc_snapshot) fewer_hosts = make_news(13, 1);

    g_assert_null(xc_snapshot_renew(before, stranger));
    g_assert_null(xc_snapshot_renew(before, fewer_hosts));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/snapshot/pieces", test_pieces);
    g_test_add_func("/snapshot/stop", test_stop);
    g_test_add_func("/snapshot/empty", test_empty);
    g_test_add_func("/snapshot/mutations", test_mutations);
    g_test_add_func("/snapshot/refused", test_refused);
    g_test_add_func("/snapshot/limits", test_limits);
    g_test_add_func("/snapshot/text", test_text);
    g_test_add_func("/snapshot/sums", test_sums);
    g_test_add_func("/snapshot/seal", test_seal);
    g_test_add_func("/snapshot/seal-details", test_seal_details);
    g_test_add_func("/snapshot/seal-keyed", test_seal_keyed);
    g_test_add_func("/snapshot/seal-devices", test_seal_devices);
    g_test_add_func("/snapshot/renew", test_renew);
    g_test_add_func("/snapshot/renew-unfit", test_renew_unfit);
    g_test_add_func("/snapshot/same-members", test_same_members);
    return g_test_run();
}
