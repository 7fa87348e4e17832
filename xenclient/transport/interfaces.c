/* What networks this machine is in: asked for without netlink, which the service's confinement leaves out. */
#include "xenclient/transport/interfaces.h"

#include "xenclient/util/error.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define SIX_FILE "/proc/net/if_inet6"
/* Kernel's scope of addresses of this machine alone. */
#define SCOPE_HOST 0x10

static void add(GArray *subnets, struct xc_subnet *subnet)
{
    if (!xc_address_is_host(&subnet->base) || subnets->len >= XC_SUBNETS_MAX)
        return;
    xc_subnet_mask(subnet);
    g_array_append_val(subnets, *subnet);
}

/* --- IPv4 */

static uint32_t address_of(const struct sockaddr *from)
{
    struct sockaddr_in in;

    memcpy(&in, from, sizeof(in));
    return in.sin_addr.s_addr;
}

/* With the address in it, the kernel answers for that address and not for the interface's first one. */
static bool take_four(int fd, const struct ifreq *entry, struct xc_subnet *out)
{
    struct ifreq flags = *entry;
    struct ifreq mask = *entry;
    uint32_t address = address_of(&entry->ifr_addr);

    if (entry->ifr_addr.sa_family != AF_INET || ioctl(fd, SIOCGIFFLAGS, &flags) < 0 ||
        !(flags.ifr_flags & IFF_UP) || (flags.ifr_flags & IFF_LOOPBACK) ||
        ioctl(fd, SIOCGIFNETMASK, &mask) < 0)
        return false;
    *out = (struct xc_subnet){.base.length = 4};
    memcpy(out->base.octets, &address, sizeof(address));
    out->prefix = (unsigned)__builtin_popcount(address_of(&mask.ifr_netmask));
    return true;
}

static bool add_four(GArray *subnets, GError **error)
{
    g_autofree struct ifreq *entries = g_new0(struct ifreq, XC_SUBNETS_MAX);
    struct ifconf conf = {.ifc_len = (int)(XC_SUBNETS_MAX * sizeof(*entries)), .ifc_req = entries};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && ioctl(fd, SIOCGIFCONF, &conf) == 0;

    if (!ok)
        xc_fail(error, XC_CAUSE_LIMIT, "this machine's interfaces: %s", g_strerror(errno));
    for (size_t i = 0; ok && i < (size_t)conf.ifc_len / sizeof(*entries); i++) {
        struct xc_subnet subnet;

        if (take_four(fd, &entries[i], &subnet))
            add(subnets, &subnet);
    }
    if (fd >= 0)
        close(fd);
    return ok;
}

/* --- IPv6 */

static bool take_digits(const char *text, uint8_t octets[16])
{
    if (strlen(text) != 32)
        return false;
    for (unsigned i = 0; i < 16; i++) {
        int high = g_ascii_xdigit_value(text[2 * i]);
        int low = g_ascii_xdigit_value(text[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        octets[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* Address, number of the interface, prefix, scope, flags, name: all but the last in hex digits. */
bool xc_interface_line(const char *line, struct xc_subnet *out)
{
    g_auto(GStrv) words = g_strsplit(line, " ", 6);
    guint64 prefix, scope;

    *out = (struct xc_subnet){.base.length = 16};
    if (g_strv_length(words) != 6 || !take_digits(words[0], out->base.octets) ||
        !g_ascii_string_to_unsigned(words[2], 16, 0, 128, &prefix, NULL) ||
        !g_ascii_string_to_unsigned(words[3], 16, 0, 255, &scope, NULL))
        return false;
    out->prefix = (unsigned)prefix;
    return scope != SCOPE_HOST && xc_address_is_host(&out->base);
}

/* A machine without IPv6 has no such file. */
static void add_six(GArray *subnets)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;

    if (!g_file_get_contents(SIX_FILE, &text, NULL, NULL))
        return;
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        struct xc_subnet subnet;

        if (xc_interface_line(*line, &subnet))
            add(subnets, &subnet);
    }
}

GArray *xc_own_subnets(GError **error)
{
    g_autoptr(GArray) subnets = g_array_new(FALSE, FALSE, sizeof(struct xc_subnet));

    if (!add_four(subnets, error))
        return NULL;
    add_six(subnets);
    return g_steal_pointer(&subnets);
}
