/* Interfaces and disks: what xenstore says they are, what the kernel's counters say they did. */
#include "xenclient/drivers/xl_parse_private.h"

#include "xenclient/util/text.h"

#define SECTOR 512
/* Sectors above this would overflow when counted in octets; no disk ever gets there. */
#define MAX_COUNT (G_MAXUINT64 / SECTOR)

/* --- the kernel's view */

void xl_seen_init(struct xl_seen *seen)
{
    seen->traffic = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
    seen->bridges = g_hash_table_new(g_str_hash, g_str_equal);
    seen->physical = g_hash_table_new(g_str_hash, g_str_equal);
    seen->backends = g_hash_table_new(g_str_hash, g_str_equal);
    seen->vifs = g_array_new(FALSE, TRUE, sizeof(struct xl_seen_vif));
    seen->vbds = g_array_new(FALSE, TRUE, sizeof(struct xl_seen_vbd));
    seen->vcpus = g_array_new(FALSE, TRUE, sizeof(struct xl_seen_vcpu));
}

void xl_seen_clear(struct xl_seen *seen)
{
    g_hash_table_unref(seen->traffic);
    g_hash_table_unref(seen->bridges);
    g_hash_table_unref(seen->physical);
    g_hash_table_unref(seen->backends);
    g_array_unref(seen->vifs);
    g_array_unref(seen->vbds);
    g_array_unref(seen->vcpus);
}

/* "<domid><separator><number>" and nothing behind it but `rest`. */
static bool take_pair(const char *text, char separator, const char **rest, int64_t *domid,
                      int64_t *number)
{
    uint64_t a;
    uint64_t b;

    if (!xl_take_number(&text, XL_MAX_DOMID, &a) || *text++ != separator ||
        !xl_take_number(&text, G_MAXINT32, &b))
        return false;
    *rest = text;
    *domid = (int64_t)a;
    *number = (int64_t)b;
    return true;
}

static void add_vif(struct xl_seen *seen, int64_t domid, int64_t device, bool emulated,
                    const char *name)
{
    struct xl_seen_vif vif = {domid, device, emulated, name};

    if (seen->vifs->len < XC_MAX_DEVICES)
        g_array_append_val(seen->vifs, vif);
}

/* "  eth0:   29991     199    0    0    0     0          0         0    33979     193 ...": the third and
 * fourth number of each half are errors and drops. */
void xl_seen_netdev(struct xl_seen *seen, char *line)
{
    static const int slot[12] = {0, 1, 2, 3, -1, -1, -1, -1, 4, 5, 6, 7};
    struct xl_traffic traffic = {{0}};
    char *name = line + strspn(line, " ");
    char *colon = strchr(name, ':');
    const char *p = colon ? colon + 1 : NULL;

    if (!p || colon == name)
        return;
    *colon = 0;
    for (unsigned i = 0; i < G_N_ELEMENTS(slot); i++) {
        uint64_t value;

        p += strspn(p, " ");
        if (!xl_take_number(&p, G_MAXUINT64, &value))
            return;
        if (slot[i] >= 0)
            traffic.n[slot[i]] = value;
    }
    g_hash_table_replace(seen->traffic, name, g_memdup2(&traffic, sizeof(traffic)));
}

static void emulated_or_usual(struct xl_seen *seen, const char *name)
{
    const char *rest = name;
    int64_t domid;
    int64_t device;

    if (!xl_take_prefix(&rest, "vif") || !take_pair(rest, '.', &rest, &domid, &device))
        return;
    if (!*rest || strcmp(rest, "-emu") == 0)
        add_vif(seen, domid, device, *rest, name);
}

/* "vif-6-0/net/vif6.0", "/sys/class/net/BRIDGE/brif/NAME", "/sys/class/net/NAME/device"; an
 * asterisk is a pattern that nothing fitted. */
void xl_seen_path(struct xl_seen *seen, char *path)
{
    const char *rest = path;
    char *slash;
    int64_t domid;
    int64_t device;

    if (strchr(path, '*'))
        return;
    if (xl_take_prefix(&rest, "vif-")) {
        if (take_pair(rest, '-', &rest, &domid, &device) && xl_take_prefix(&rest, "/net/") &&
            *rest) {
            add_vif(seen, domid, device, false, rest);
            g_hash_table_add(seen->backends, (gpointer)rest);
        }
        return;
    }
    if (!xl_take_prefix(&rest, "/sys/class/net/"))
        return;
    slash = strchr(rest, '/');
    if (!slash || slash == rest)
        return;
    *slash++ = 0;
    if (strcmp(slash, "device") == 0)
        g_hash_table_add(seen->physical, (gpointer)rest);
    else if (g_str_has_prefix(slash, "brif/") && slash[5])
        g_hash_table_replace(seen->bridges, slash + 5, (gpointer)rest);
}

/* "vbd-6-51712/statistics/rd_req": the counters of one device follow each other. */
void xl_seen_vbd_counter(struct xl_seen *seen, const char *path, const char *value)
{
    static const char *const names[] = {"rd_req", "wr_req", "rd_sect", "wr_sect"};
    struct xl_seen_vbd vbd = {0};
    struct xl_seen_vbd *last;
    uint64_t number;
    unsigned i = 0;

    if (!xl_take_prefix(&path, "vbd-") || !take_pair(path, '-', &path, &vbd.domid, &vbd.number) ||
        !xl_take_prefix(&path, "/statistics/"))
        return;
    while (i < G_N_ELEMENTS(names) && strcmp(path, names[i]) != 0)
        i++;
    if (i == G_N_ELEMENTS(names) || !xc_text_to_u64(value, 0, MAX_COUNT, &number, NULL))
        return;
    last = seen->vbds->len ? &g_array_index(seen->vbds, struct xl_seen_vbd, seen->vbds->len - 1)
                           : NULL;
    if (!last || last->domid != vbd.domid || last->number != vbd.number) {
        if (seen->vbds->len >= XC_MAX_DEVICES)
            return;
        g_array_append_val(seen->vbds, vbd);
        last = &g_array_index(seen->vbds, struct xl_seen_vbd, seen->vbds->len - 1);
    }
    last->n[i] = number;
    last->has |= 1u << i;
}

static int by_pair(int64_t a1, int64_t a2, int64_t b1, int64_t b2)
{
    if (a1 != b1)
        return a1 < b1 ? -1 : 1;
    return (a2 > b2) - (a2 < b2);
}

/* Real interfaces before emulated ones of the same device. */
static int by_vif(const void *a, const void *b)
{
    const struct xl_seen_vif *x = a;
    const struct xl_seen_vif *y = b;
    int order = by_pair(x->domid, x->device, y->domid, y->device);

    return order ? order : (int)x->emulated - (int)y->emulated;
}

static int by_vbd(const void *a, const void *b)
{
    const struct xl_seen_vbd *x = a;
    const struct xl_seen_vbd *y = b;

    return by_pair(x->domid, x->number, y->domid, y->number);
}

/* Names of the usual form count where sysfs does not say which device an interface belongs to. */
void xl_seen_sort(struct xl_seen *seen)
{
    GHashTableIter iter;
    void *name;

    g_hash_table_iter_init(&iter, seen->traffic);
    while (g_hash_table_iter_next(&iter, &name, NULL))
        if (!g_hash_table_contains(seen->backends, name))
            emulated_or_usual(seen, name);
    g_array_sort(seen->vifs, by_vif);
    g_array_sort(seen->vbds, by_vbd);
}

bool xl_seen_physical(const struct xl_seen *seen, uint64_t *rx, uint64_t *tx)
{
    GHashTableIter iter;
    void *name;
    bool any = false;

    *rx = *tx = 0;
    g_hash_table_iter_init(&iter, seen->physical);
    while (g_hash_table_iter_next(&iter, &name, NULL)) {
        const struct xl_traffic *traffic = g_hash_table_lookup(seen->traffic, name);

        if (!traffic || g_hash_table_contains(seen->backends, name) ||
            g_str_has_prefix(name, "vif"))
            continue;
        *rx += traffic->n[0];
        *tx += traffic->n[4];
        any = true;
    }
    return any;
}

/* --- reporting */

static void report_traffic(struct xc_vif *vif, const struct xl_traffic *traffic)
{
    /* What the control domain receives on this interface is what the guest sends. */
    XC_SET(VIF, vif, tx_bytes, traffic->n[0]);
    XC_SET(VIF, vif, tx_packets, traffic->n[1]);
    XC_SET(VIF, vif, tx_errors, traffic->n[2]);
    XC_SET(VIF, vif, tx_drops, traffic->n[3]);
    XC_SET(VIF, vif, rx_bytes, traffic->n[4]);
    XC_SET(VIF, vif, rx_packets, traffic->n[5]);
    XC_SET(VIF, vif, rx_errors, traffic->n[6]);
    XC_SET(VIF, vif, rx_drops, traffic->n[7]);
}

/* known or backend may be NULL, not both. */
static void report_vif(const struct xl_seen *seen, const struct xl_vif *known, const char *backend,
                       int64_t device, struct xc_report *report, uint32_t ordinal)
{
    struct xc_vif *vif = xc_report_vif(report, ordinal);
    const char *bridge = backend ? g_hash_table_lookup(seen->bridges, backend) : NULL;
    const struct xl_traffic *traffic = backend ? g_hash_table_lookup(seen->traffic, backend) : NULL;

    if (!vif)
        return;
    if (!bridge && known)
        bridge = known->bridge;
    XC_SET(VIF, vif, device, device);
    if (known && known->mac)
        XC_SET(VIF, vif, mac, xc_report_text(report, known->mac, -1));
    if (bridge && *bridge)
        XC_SET(VIF, vif, bridge, xc_report_text(report, bridge, -1));
    if (backend)
        XC_SET(VIF, vif, backend, xc_report_text(report, backend, -1));
    if (traffic)
        report_traffic(vif, traffic);
}

static void report_vbd(const struct xl_seen_vbd *counted, const struct xl_vbd *known,
                       struct xc_report *report, uint32_t ordinal)
{
    struct xc_vbd *vbd = xc_report_vbd(report, ordinal);

    if (!vbd)
        return;
    XC_SET(VBD, vbd, number, known ? known->number : counted->number);
    if (known && known->device)
        XC_SET(VBD, vbd, device, xc_report_text(report, known->device, -1));
    if (known && known->target && *known->target)
        XC_SET(VBD, vbd, target, xc_report_text(report, known->target, -1));
    if (known && known->mode)
        XC_SET(VBD, vbd, read_only, known->mode == 'r');
    if (!counted)
        return;
    if (counted->has & 1)
        XC_SET(VBD, vbd, rd_ops, counted->n[0]);
    if (counted->has & 2)
        XC_SET(VBD, vbd, wr_ops, counted->n[1]);
    if (counted->has & 4)
        XC_SET(VBD, vbd, rd_bytes, counted->n[2] * SECTOR);
    if (counted->has & 8)
        XC_SET(VBD, vbd, wr_bytes, counted->n[3] * SECTOR);
}

/* All kinds begin with domid. */
guint xl_lower_bound(const GArray *array, int64_t domid)
{
    guint size = g_array_get_element_size((GArray *)array);
    guint low = 0;
    guint high = array->len;

    while (low < high) {
        guint middle = low + (high - low) / 2;
        int64_t at = *(const int64_t *)(const void *)(array->data + (gsize)middle * size);

        if (at < domid)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct xl_vif *known_vif(const struct xl_facts *facts, int64_t device)
{
    for (guint i = 0; facts && i < facts->vifs->len; i++)
        if (g_array_index(facts->vifs, struct xl_vif, i).device == device)
            return &g_array_index(facts->vifs, struct xl_vif, i);
    return NULL;
}

static struct xl_vbd *known_vbd(const struct xl_facts *facts, int64_t number)
{
    for (guint i = 0; facts && i < facts->vbds->len; i++)
        if (g_array_index(facts->vbds, struct xl_vbd, i).number == number)
            return &g_array_index(facts->vbds, struct xl_vbd, i);
    return NULL;
}

/* A domain that is being torn down has lost its interfaces while the facts still hold them: those
 * that the kernel does not show are reported without counters. */
static void report_vifs(const struct xl_seen *seen, int64_t domid, struct xl_facts *facts,
                        struct xc_report *report, uint32_t ordinal)
{
    g_autoptr(GHashTable) done = g_hash_table_new(NULL, NULL);
    guint n = seen->vifs->len;

    for (guint i = xl_lower_bound(seen->vifs, domid); i < n; i++) {
        const struct xl_seen_vif *vif = &g_array_index(seen->vifs, struct xl_seen_vif, i);
        const struct xl_vif *known;

        if (vif->domid != domid)
            break;
        if (!g_hash_table_add(done, GINT_TO_POINTER((int)vif->device)))
            continue;
        known = known_vif(facts, vif->device);
        if (!known && facts)
            facts->owed = MAX(facts->owed, 1);
        report_vif(seen, known, vif->name, vif->device, report, ordinal);
    }
    for (guint i = 0; facts && i < facts->vifs->len; i++) {
        const struct xl_vif *known = &g_array_index(facts->vifs, struct xl_vif, i);

        if (!g_hash_table_contains(done, GINT_TO_POINTER((int)known->device)))
            report_vif(seen, known, known->backend, known->device, report, ordinal);
    }
}

static void report_vbds(const struct xl_seen *seen, int64_t domid, struct xl_facts *facts,
                        struct xc_report *report, uint32_t ordinal)
{
    g_autoptr(GHashTable) done = g_hash_table_new(NULL, NULL);
    guint n = seen->vbds->len;

    for (guint i = xl_lower_bound(seen->vbds, domid); i < n; i++) {
        const struct xl_seen_vbd *vbd = &g_array_index(seen->vbds, struct xl_seen_vbd, i);
        const struct xl_vbd *known;

        if (vbd->domid != domid)
            break;
        if (!g_hash_table_add(done, GINT_TO_POINTER((int)vbd->number)))
            continue;
        known = known_vbd(facts, vbd->number);
        if (!known && facts)
            facts->owed = MAX(facts->owed, 1);
        report_vbd(vbd, known, report, ordinal);
    }
    for (guint i = 0; facts && i < facts->vbds->len; i++) {
        const struct xl_vbd *known = &g_array_index(facts->vbds, struct xl_vbd, i);

        if (!g_hash_table_contains(done, GINT_TO_POINTER((int)known->number)))
            report_vbd(NULL, known, report, ordinal);
    }
}

void xl_devices_report(const struct xl_seen *seen, int64_t domid, struct xl_facts *facts,
                       struct xc_report *report, uint32_t ordinal)
{
    report_vifs(seen, domid, facts, report, ordinal);
    report_vbds(seen, domid, facts, report, ordinal);
}
