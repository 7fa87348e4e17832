/* Addresses and subnets as numbers: reading, printing, containing, listing. Pure, any thread. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Network order; IPv4 has 4 octets and zeros behind them. */
struct xc_address {
    uint8_t octets[16];
    uint8_t length; /* 4 or 16 */
};
struct xc_subnet {
    struct xc_address base; /* its bits beyond the prefix are 0 */
    unsigned prefix;
};

/* "192.0.2.5" or "2001:db8::5", in numbers alone: no name, no zone. */
bool xc_address_parse(const char *text, struct xc_address *out);
char *xc_address_format(const struct xc_address *address);
int xc_address_compare(const void *a, const void *b); /* IPv4 first */
/* One host's: not unspecified, multicast, broadcast, reserved or link-local. */
bool xc_address_is_host(const struct xc_address *address);

/* "192.0.2.0/24", or an address, which is a subnet of one. Errors: badValue, with the cure. */
bool xc_subnet_parse(const char *text, struct xc_subnet *out, GError **error);
char *xc_subnet_format(const struct xc_subnet *subnet);
/* Cuts what is beyond the prefix. */
void xc_subnet_mask(struct xc_subnet *subnet);
bool xc_subnet_has(const struct xc_subnet *subnet, const struct xc_subnet *inner);

/* Several subnets: a GArray of struct xc_subnet. */

/* A list separated by ',', ';' or blanks, at most XC_SUBNETS_MAX; NULL: badValue that names the one that is wrong. */
GArray *xc_subnets_parse(const char *text, GError **error);
#define XC_SUBNETS_MAX 256
/* With ',' between them; "" when there are none. */
char *xc_subnets_format(const GArray *subnets);
/* Each lies within one of `allowed`; `where` says whose list that is. Errors: protected. */
bool xc_subnets_allowed(const GArray *subnets, const GArray *allowed, const char *where,
                        GError **error);
/* Few enough to try each: IPv4, and single addresses of IPv6, at most XC_SUBNETS_HOSTS in all. Errors: badValue. */
bool xc_subnets_countable(const GArray *subnets, GError **error);
#define XC_SUBNETS_HOSTS 65536u
/* The hosts' addresses of countable subnets (struct xc_address), each once, ascending. Those that a subnet of more than
 * two keeps for itself and for all are left out. */
GArray *xc_subnets_hosts(const GArray *subnets);
/* How many these are, without making the list. */
uint64_t xc_subnets_count(const GArray *subnets);
