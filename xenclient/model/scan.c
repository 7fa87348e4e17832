/* A discovery: where to look and what for, as a line of text; and what is found. */
#include "xenclient/model/scan.h"

#include "xenclient/util/error.h"
#include "xenclient/util/text.h"

#include <string.h>

static const struct xc_label probe_label[] = {{XC_PROBE_XAPI, "xapi"},
                                              {XC_PROBE_SSH, "ssh"},
                                              {XC_PROBE_XEND, "xend"},
                                              {XC_PROBE_LIBVIRT, "libvirt"}};
XC_ENUM_DEFINE(xc_probe_labels, "xenFoundProbe", probe_label);

static const struct xc_label verdict_label[] = {{XC_VERDICT_XEN, "xen"},
                                                {XC_VERDICT_POSSIBLE, "possible"}};
XC_ENUM_DEFINE(xc_verdict_labels, "xenFoundVerdict", verdict_label);

static const struct xc_probe_info probes[] = {
    {XC_PROBE_XAPI, 443, "https://"},
    {XC_PROBE_SSH, 22, "ssh://root@"},
    {XC_PROBE_XEND, 8006, "xend://"},
    {XC_PROBE_LIBVIRT, 16509, "libvirt://"},
};

const struct xc_probe_info *xc_probe_info(int probe)
{
    for (size_t i = 0; i < G_N_ELEMENTS(probes); i++)
        if ((int)probes[i].probe == probe)
            return &probes[i];
    return NULL;
}

/* --- finds */

bool xc_find_is_whole(const struct xc_find *find)
{
    const uint64_t needed = UINT64_C(1) << XC_FIND_probe | UINT64_C(1) << XC_FIND_address |
                            UINT64_C(1) << XC_FIND_port | UINT64_C(1) << XC_FIND_verdict;
    struct xc_address address;

    return (find->has & needed) == needed && find->port >= 1 && find->port <= 65535 &&
           xc_address_parse(find->address, &address) && xc_address_is_host(&address);
}

char *xc_find_uri(const struct xc_find *find)
{
    const struct xc_probe_info *info = xc_probe_info(find->probe);
    bool brackets = strchr(find->address, ':') != NULL;
    GString *uri = g_string_new(NULL);

    g_string_append_printf(uri, "%s%s%s%s", info->scheme, brackets ? "[" : "", find->address,
                           brackets ? "]" : "");
    if (find->port != info->port)
        g_string_append_printf(uri, ":%u", (unsigned)find->port);
    return g_string_free(uri, FALSE);
}

/* --- ports */

static bool parse_port(const char *word, struct xc_scan_port *out, GError **error)
{
    const char *colon = strchr(word, ':');
    g_autofree char *name = colon ? g_strndup(word, (gsize)(colon - word)) : g_strdup(word);
    g_autofree char *clean = xc_text_clean(word, strlen(word), 40);
    int probe = xc_enum_number(&xc_probe_labels, name);
    uint64_t port;

    if (!probe)
        return xc_fail(
            error, XC_CAUSE_BAD_VALUE,
            "\"%s\": there are the probes xapi, ssh, xend and libvirt, each with :PORT if "
            "it is not the usual one",
            clean);
    port = xc_probe_info(probe)->port;
    if (colon && !xc_text_to_u64(colon + 1, 1, 65535, &port, NULL))
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "\"%s\": a port is a number from 1 to 65535",
                       clean);
    *out = (struct xc_scan_port){(enum xc_probe)probe, (unsigned)port};
    return true;
}

GArray *xc_scan_ports_parse(const char *text, GError **error)
{
    g_autoptr(GArray) ports = g_array_new(FALSE, FALSE, sizeof(struct xc_scan_port));
    g_auto(GStrv) words = g_strsplit_set(text, ",; \t", -1);

    for (char **word = words; *word; word++) {
        struct xc_scan_port port;

        if (!**word)
            continue;
        if (!parse_port(*word, &port, error))
            return NULL;
        if (ports->len == XC_SCAN_PORTS_MAX) {
            xc_fail(error, XC_CAUSE_BAD_VALUE, "more than %d probes", XC_SCAN_PORTS_MAX);
            return NULL;
        }
        g_array_append_val(ports, port);
    }
    for (size_t i = 0; ports->len < G_N_ELEMENTS(probes) && !*text && i < G_N_ELEMENTS(probes);
         i++) {
        struct xc_scan_port port = {probes[i].probe, probes[i].port};

        g_array_append_val(ports, port);
    }
    if (ports->len)
        return g_steal_pointer(&ports);
    xc_fail(error, XC_CAUSE_BAD_VALUE, "no probe is named: give names, or nothing at all for all");
    return NULL;
}

char *xc_scan_ports_format(const GArray *ports)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < ports->len; i++) {
        const struct xc_scan_port *port = &g_array_index(ports, struct xc_scan_port, i);

        g_string_append_printf(text, "%s%s", i ? "," : "",
                               xc_enum_label(&xc_probe_labels, (int)port->probe));
        if (port->port != xc_probe_info((int)port->probe)->port)
            g_string_append_printf(text, ":%u", port->port);
    }
    return g_string_free(text, FALSE);
}

/* --- the whole */

void xc_scan_clear(struct xc_scan *scan)
{
    g_clear_pointer(&scan->subnets, g_array_unref);
    g_clear_pointer(&scan->ports, g_array_unref);
    g_clear_pointer(&scan->credential, g_free);
    scan->rate = 0;
}

char *xc_scan_format(const struct xc_scan *scan)
{
    g_autofree char *subnets = xc_subnets_format(scan->subnets);
    g_autofree char *ports = xc_scan_ports_format(scan->ports);

    return g_strdup_printf("%s %s %u%s%s", subnets, ports, scan->rate, *scan->credential ? " " : "",
                           scan->credential);
}

static bool read_words(char *const *words, struct xc_scan *out, GError **error)
{
    uint64_t rate;

    out->subnets = xc_subnets_parse(words[0], error);
    out->ports = out->subnets ? xc_scan_ports_parse(words[1], error) : NULL;
    if (!out->ports || !xc_subnets_countable(out->subnets, error) ||
        !xc_text_to_u64(words[2], 1, XC_SCAN_RATE_MAX, &rate, error))
        return false;
    out->rate = (unsigned)rate;
    out->credential = g_strdup(words[3] ? words[3] : "");
    return (!*out->credential || xc_text_is_key(out->credential, 32)) ||
           xc_fail(error, XC_CAUSE_BAD_VALUE, "a credential's name is 1..32 of A-Za-z0-9._-");
}

bool xc_scan_parse(const char *text, struct xc_scan *out, GError **error)
{
    g_auto(GStrv) words = g_strsplit(text, " ", 5);
    guint n = g_strv_length(words);
    bool ok;

    *out = (struct xc_scan)XC_SCAN_INIT;
    ok = n == 3 || n == 4 ? read_words(words, out, error)
                          : xc_fail(error, XC_CAUSE_BAD_VALUE, "this describes no discovery");
    if (!ok)
        xc_scan_clear(out);
    return ok;
}
