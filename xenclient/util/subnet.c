/* Addresses and subnets as numbers. */
#include "xenclient/util/subnet.h"

#include "xenclient/util/error.h"
#include "xenclient/util/text.h"

#include <arpa/inet.h>
#include <string.h>

/* --- addresses */

bool xc_address_parse(const char *text, struct xc_address *out)
{
    *out = (struct xc_address){0};
    out->length = strchr(text, ':') ? 16 : 4;
    return inet_pton(out->length == 4 ? AF_INET : AF_INET6, text, out->octets) == 1;
}

char *xc_address_format(const struct xc_address *address)
{
    char text[INET6_ADDRSTRLEN] = "";

    inet_ntop(address->length == 4 ? AF_INET : AF_INET6, address->octets, text, sizeof(text));
    return g_strdup(text);
}

int xc_address_compare(const void *a, const void *b)
{
    const struct xc_address *x = a;
    const struct xc_address *y = b;

    return x->length != y->length ? x->length - y->length : memcmp(x->octets, y->octets, x->length);
}

static bool in_any(const struct xc_address *address, const char *const *list)
{
    struct xc_subnet one = {*address, address->length * 8u};
    struct xc_subnet subnet;

    for (; *list; list++)
        if (xc_subnet_parse(*list, &subnet, NULL) && xc_subnet_has(&subnet, &one))
            return true;
    return false;
}

bool xc_address_is_host(const struct xc_address *address)
{
    static const char *const none[] = {"0.0.0.0/8", "224.0.0.0/3", "::/128",
                                       "ff00::/8",  "fe80::/10",   NULL};

    return !in_any(address, none);
}

/* --- subnets */

void xc_subnet_mask(struct xc_subnet *subnet)
{
    for (unsigned i = 0; i < subnet->base.length; i++) {
        unsigned kept = subnet->prefix > i * 8 ? MIN(subnet->prefix - i * 8, 8) : 0;

        subnet->base.octets[i] &= (uint8_t)(0xff00 >> kept);
    }
}

bool xc_subnet_parse(const char *text, struct xc_subnet *out, GError **error)
{
    const char *slash = strchr(text, '/');
    g_autofree char *address = slash ? g_strndup(text, (gsize)(slash - text)) : g_strdup(text);
    g_autofree char *clean = xc_text_clean(text, strlen(text), 60);
    g_autofree char *meant = NULL;
    struct xc_address given;
    uint64_t prefix;

    if (!xc_address_parse(address, &out->base))
        return xc_fail(error, XC_CAUSE_BAD_VALUE,
                       "\"%s\" is no subnet: write 192.0.2.0/24, 192.0.2.5 or 2001:db8::5", clean);
    prefix = out->base.length * 8u;
    if (slash && !xc_text_to_u64(slash + 1, 0, prefix, &prefix, NULL))
        return xc_fail(error, XC_CAUSE_BAD_VALUE,
                       "\"%s\": behind the / stands a number from 0 to %u", clean,
                       out->base.length * 8u);
    out->prefix = (unsigned)prefix;
    given = out->base;
    xc_subnet_mask(out);
    if (xc_address_compare(&given, &out->base) == 0)
        return true;
    meant = xc_subnet_format(out);
    return xc_fail(error, XC_CAUSE_BAD_VALUE,
                   "\"%s\" is an address within a subnet: write %s for all of it, or the address "
                   "alone",
                   clean, meant);
}

char *xc_subnet_format(const struct xc_subnet *subnet)
{
    char *address = xc_address_format(&subnet->base);
    char *text;

    if (subnet->prefix == subnet->base.length * 8u)
        return address;
    text = g_strdup_printf("%s/%u", address, subnet->prefix);
    g_free(address);
    return text;
}

bool xc_subnet_has(const struct xc_subnet *subnet, const struct xc_subnet *inner)
{
    struct xc_subnet cut = *inner;

    if (inner->base.length != subnet->base.length || inner->prefix < subnet->prefix)
        return false;
    cut.prefix = subnet->prefix;
    xc_subnet_mask(&cut);
    return xc_address_compare(&cut.base, &subnet->base) == 0;
}

/* --- lists */

GArray *xc_subnets_parse(const char *text, GError **error)
{
    g_autoptr(GArray) subnets = g_array_new(FALSE, FALSE, sizeof(struct xc_subnet));
    g_auto(GStrv) words = g_strsplit_set(text, ",; \t", -1);

    for (char **word = words; *word; word++) {
        struct xc_subnet subnet;

        if (!**word)
            continue;
        if (!xc_subnet_parse(*word, &subnet, error))
            return NULL;
        if (subnets->len == XC_SUBNETS_MAX) {
            xc_fail(error, XC_CAUSE_BAD_VALUE, "more than %d subnets: ask in several steps",
                    XC_SUBNETS_MAX);
            return NULL;
        }
        g_array_append_val(subnets, subnet);
    }
    return g_steal_pointer(&subnets);
}

char *xc_subnets_format(const GArray *subnets)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < subnets->len; i++) {
        g_autofree char *one = xc_subnet_format(&g_array_index(subnets, struct xc_subnet, i));

        g_string_append_printf(text, "%s%s", i ? "," : "", one);
    }
    return g_string_free(text, FALSE);
}

static bool in_one_of(const GArray *allowed, const struct xc_subnet *subnet)
{
    for (guint i = 0; i < allowed->len; i++)
        if (xc_subnet_has(&g_array_index(allowed, struct xc_subnet, i), subnet))
            return true;
    return false;
}

bool xc_subnets_allowed(const GArray *subnets, const GArray *allowed, const char *where,
                        GError **error)
{
    for (guint i = 0; i < subnets->len; i++) {
        const struct xc_subnet *subnet = &g_array_index(subnets, struct xc_subnet, i);
        g_autofree char *text = NULL;
        g_autofree char *list = NULL;

        if (in_one_of(allowed, subnet))
            continue;
        text = xc_subnet_format(subnet);
        list = xc_subnets_format(allowed);
        return xc_fail(error, XC_CAUSE_PROTECTED, "%s may not be looked into: %s has %s", text,
                       where, *list ? list : "none");
    }
    return true;
}

static uint64_t addresses_of(const struct xc_subnet *subnet)
{
    return UINT64_C(1) << (32 - subnet->prefix);
}

bool xc_subnets_countable(const GArray *subnets, GError **error)
{
    uint64_t sum = 0;

    for (guint i = 0; i < subnets->len; i++) {
        const struct xc_subnet *subnet = &g_array_index(subnets, struct xc_subnet, i);
        g_autofree char *text = xc_subnet_format(subnet);

        if (subnet->base.length == 16 && subnet->prefix != 128)
            return xc_fail(error, XC_CAUSE_BAD_VALUE,
                           "%s: a subnet of IPv6 is too large to try each address: name addresses",
                           text);
        if (!xc_address_is_host(&subnet->base))
            return xc_fail(error, XC_CAUSE_BAD_VALUE,
                           "%s: no host has such an address (multicast, link-local or reserved)",
                           text);
        sum += subnet->base.length == 4 ? addresses_of(subnet) : 1;
    }
    return sum <= XC_SUBNETS_HOSTS ||
           xc_fail(error, XC_CAUSE_BAD_VALUE,
                   "%" G_GUINT64_FORMAT " addresses are more than %u: ask in several steps", sum,
                   XC_SUBNETS_HOSTS);
}

/* Hosts of a subnet of IPv4: the first and the last, as numbers. */
struct range {
    uint64_t first, last;
};

static struct range range_of(const struct xc_subnet *subnet)
{
    uint64_t ends = subnet->prefix >= 31 ? 0 : 1;
    uint32_t base;

    memcpy(&base, subnet->base.octets, sizeof(base));
    base = ntohl(base);
    return (struct range){base + ends, base + addresses_of(subnet) - 1 - ends};
}

static void add_hosts(const struct xc_subnet *subnet, GArray *hosts)
{
    struct xc_address address = subnet->base;
    struct range range;

    if (subnet->base.length == 16) {
        g_array_append_val(hosts, address);
        return;
    }
    range = range_of(subnet);
    for (uint64_t i = range.first; i <= range.last; i++) {
        uint32_t number = htonl((uint32_t)i);

        memcpy(address.octets, &number, sizeof(number));
        g_array_append_val(hosts, address);
    }
}

static gint by_first(gconstpointer a, gconstpointer b)
{
    const struct range *x = a;
    const struct range *y = b;

    return (x->first > y->first) - (x->first < y->first);
}

/* Ranges may overlap, as may the subnets of a list. */
static uint64_t count_ranges(GArray *ranges)
{
    uint64_t count = 0;
    uint64_t next = 0; /* the first number that is not counted yet */

    g_array_sort(ranges, by_first);
    for (guint i = 0; i < ranges->len; i++) {
        const struct range *range = &g_array_index(ranges, struct range, i);
        uint64_t first = MAX(range->first, next);

        if (first > range->last)
            continue;
        count += range->last - first + 1;
        next = range->last + 1;
    }
    return count;
}

uint64_t xc_subnets_count(const GArray *subnets)
{
    g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(struct range));
    g_autoptr(GArray) others = g_array_new(FALSE, FALSE, sizeof(struct xc_subnet));
    g_autoptr(GArray) singles = NULL;

    for (guint i = 0; i < subnets->len; i++) {
        const struct xc_subnet *subnet = &g_array_index(subnets, struct xc_subnet, i);

        if (subnet->base.length == 4) {
            struct range range = range_of(subnet);

            g_array_append_val(ranges, range);
        } else {
            g_array_append_val(others, *subnet);
        }
    }
    singles = xc_subnets_hosts(others);
    return count_ranges(ranges) + singles->len;
}

GArray *xc_subnets_hosts(const GArray *subnets)
{
    GArray *hosts = g_array_new(FALSE, FALSE, sizeof(struct xc_address));
    guint kept = 0;

    for (guint i = 0; i < subnets->len; i++)
        add_hosts(&g_array_index(subnets, struct xc_subnet, i), hosts);
    g_array_sort(hosts, xc_address_compare);
    for (guint i = 0; i < hosts->len; i++) {
        struct xc_address *at = &g_array_index(hosts, struct xc_address, i);

        if (kept && xc_address_compare(&g_array_index(hosts, struct xc_address, kept - 1), at) == 0)
            continue;
        g_array_index(hosts, struct xc_address, kept++) = *at;
    }
    g_array_set_size(hosts, kept);
    return hosts;
}
