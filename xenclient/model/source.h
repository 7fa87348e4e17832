/* What an operator registers: a source, that is a connection that reports one or more hosts. */
#pragma once

#include "xenclient/util/bytes.h"

/* Everything a driver may know about a source. Strings are never NULL ("" = not set). */
struct xc_source_spec {
    char *key;         /* operator's name, 1..32 */
    char *uri;         /* checked by xc_uri_parse() */
    char *credential;  /* name of a credential, "" = none */
    char *address;     /* what other control domains call this host (migration target) */
    char *config_dirs; /* with configuration files, separated by ':'; see xc_source_config_dirs() */
    char *save_dir;    /* on the host, absolute: where suspended domains are saved; "" nowhere */
    bool tls_insecure; /* take any certificate; only the configuration file can say so */
};
/* The configuration directories in force: those of the source, or Xen's own. Borrowed. */
const char *xc_source_config_dirs(const struct xc_source_spec *spec);
bool xc_source_spec_equal(const struct xc_source_spec *a, const struct xc_source_spec *b);
/* `to` is overwritten, not cleared; a NULL string of `from` becomes "". */
void xc_source_spec_copy(struct xc_source_spec *to, const struct xc_source_spec *from);
void xc_source_spec_clear(struct xc_source_spec *spec);
/* The reading forms of spec and order overwrite their target, which is always to be cleared. */
void xc_source_spec_write(const struct xc_source_spec *spec, GByteArray *to);
void xc_source_spec_read(struct xc_source_spec *spec, struct xc_reader *from);
