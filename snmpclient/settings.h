/* How to reach an agent: from a file that only its owner can read, never from the command line.
 *
 * ~/.config/xensnmp/client.conf (INI, mode 0600):
 *     [client]                    used when no profile is named, and defaults of the profiles
 *     host = 127.0.0.1:161        HOST, HOST:PORT, [V6]:PORT; udp:, udp6:, tcp:, tcp6: in front
 *     version = 3                 2c or 3
 *     community = public          version 2c: for reading
 *     write_community = private   version 2c: for SETs; default: community
 *     user = operator             version 3 from here on
 *     level = authPriv            noAuthNoPriv, authNoPriv, authPriv
 *     auth_protocol = SHA-256
 *     auth_password = ...
 *     priv_protocol = AES
 *     priv_password = ...
 *     context =
 *     timeout = 1                 seconds to wait for one answer
 *     retries = 3                 of reads; a SET is sent once and waits as long as all of them
 *
 *     [client NAME]               a profile */
#pragma once

#include <glib.h>
#include <stdbool.h>

enum sn_error {
    SN_ERROR_CONFIG,      /* the client's own settings */
    SN_ERROR_UNREACHABLE, /* nothing listens there, no such host, no route */
    SN_ERROR_TIMEOUT,     /* no answer in time */
    SN_ERROR_AUTH,        /* user, pass phrase, level or view refused */
    SN_ERROR_REFUSED,     /* the agent answered with an SNMP error */
    SN_ERROR_NO_SUCH,     /* the agent does not have that object */
    SN_ERROR_PROTOCOL,    /* the answer makes no sense */
};

#define SN_ERROR (sn_error_quark())
GQuark sn_error_quark(void);

enum sn_level { SN_NO_AUTH = 1, SN_AUTH_NO_PRIV = 2, SN_AUTH_PRIV = 3 };

struct sn_settings {
    char *host;
    int version; /* 2 (community) or 3 */
    char *community;
    char *write_community; /* NULL: community */
    char *user;
    enum sn_level level;
    char *auth_protocol;
    char *auth_password;
    char *priv_protocol;
    char *priv_password;
    char *context;
    unsigned timeout_msec;
    unsigned retries;
};

/* Reads and checks profile (NULL: the section [client]) of the file. path NULL:
 * $XENSNMP_CLIENT_CONFIG, else
 * ~/.config/xensnmp/client.conf, and where that does not exist 127.0.0.1 with community public.
 * The file must be a regular one of ours or root's, mode 0600 or less. Out is cleared with
 * sn_settings_clear() also on error. */
bool sn_settings_load(const char *path, const char *profile, struct sn_settings *out,
                      GError **error);
/* Replaces the host; checks its form. */
bool sn_settings_set_host(struct sn_settings *settings, const char *host, GError **error);
/* Overwrites the secrets, frees. Takes a zeroed one. */
void sn_settings_clear(struct sn_settings *settings);
/* The path sn_settings_load(NULL) looks at; the caller frees. */
char *sn_settings_default_path(void);
/* HOST without transport and port, for asking "is it this machine?"; the caller frees. */
char *sn_settings_host_name(const struct sn_settings *settings);
/* Name without transport and brackets; port 161 when none is given, 0 when it is none. */
void sn_host_split(const char *host, char **name_out, unsigned *port_out);
