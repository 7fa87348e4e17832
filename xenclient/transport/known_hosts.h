/* The known_hosts file of OpenSSH: plain, hashed and [host]:port entries, wildcards, @revoked.
 * Matching is pure and works on the text; only load and add touch a file. Any thread. */
#pragma once

#include <glib.h>
#include <stdbool.h>

enum xc_known {
    XC_KNOWN_TRUSTED, /* the file holds this very key for this host */
    XC_KNOWN_UNKNOWN, /* nothing about this host, or only keys of other types */
    XC_KNOWN_CHANGED, /* another key of this type: somebody else answers, or the host was
                         reinstalled */
    XC_KNOWN_REVOKED, /* marked @revoked */
};

/* key: the public key blob as the host sends it. *line_out: the entry that decided, from 1; 0:
 * none. */
enum xc_known xc_known_hosts_match(const char *text, const char *host, unsigned port,
                                   const void *key, size_t length, unsigned *line_out);

/* The key types the text has for a host, in the file's order, each once; NULL-terminated. */
char **xc_known_hosts_types(const char *text, const char *host, unsigned port);

/* The whole file, at most 16 MiB; "" when there is none. */
char *xc_known_hosts_load(const char *path, GError **error);

/* Adds one line (without newline) as xc_ssh_fetch_host_key() gives it; the file is replaced
 * atomically and created if need be (0644). Lines that name only this host with another key of the
 * same type go: they are what the operator just decided against. Adding a line again changes
 * nothing. */
bool xc_known_hosts_add(const char *path, const char *line, GError **error);

/* The line that trusts this key: name, type, base64. */
char *xc_known_hosts_line(const char *host, unsigned port, const void *key, size_t length);
/* "SHA256:..." as ssh-keygen -l shows it. */
char *xc_known_hosts_fingerprint(const void *key, size_t length);
/* The type inside a key blob ("ssh-ed25519"); NULL: not a blob. */
char *xc_known_hosts_key_type(const void *key, size_t length);
