/* Named credentials: one 0600 file each, opened only by the process that talks to the hypervisor.
 *
 * File DIR/NAME (INI):   [credential]
 *                        uris = ssh://root@dom0-a;ssh://root@10.0.0.*      where it may be used (globs)
 *                        key = /etc/xensnmp/keys/id_ed25519                SSH private key, or
 *                        agent = yes                                       SSH agent (SSH_AUTH_SOCK), or
 *                        password = ...                                    for protocols with passwords
 *                        user = ...                                        for protocols that send one */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct xc_credential {
    char *name;
    char **uris;
    char *key_file;
    bool agent;
    char *user;
    char *password; /* wiped by clear */
};

/* Reads and checks: a regular file owned by us or root, mode 0600 or 0400, in a legal form, and `uri` matches one of
 * its uris. Errors: noSuchHost (no such credential), authFailed (mode, owner, uri), badConfig; the text names file and cure. */
bool xc_credential_load(const char *dir, const char *name, const char *uri,
                        struct xc_credential *out, GError **error);
/* Overwrites the secrets before freeing. Takes a zeroed one. */
void xc_credential_clear(struct xc_credential *credential);
/* For the front: does a file of that name exist (stat only, never opened)? */
bool xc_credential_exists(const char *dir, const char *name);
/* For `xenctl credential add`: writes atomically, 0600, in a directory created 0700. Fails if it exists and not replace. */
bool xc_credential_write(const char *dir, const struct xc_credential *credential, bool replace,
                         GError **error);
/* Names in the directory, sorted; NULL-terminated; empty when there is none. */
char **xc_credential_list(const char *dir);
