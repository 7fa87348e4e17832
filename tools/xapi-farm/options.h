/* The options of xapi-farm. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct xf_options {
    char *farm;        /* socket of the farm */
    char *hosts;       /* names, with commas; NULL: all that the farm has */
    GPtrArray *listen; /* char *, "ADDRESS:PORT", one for each host in order */
    char *cert;        /* PEM files */
    char *key;
    char *user;
    char *password_file;
    char *control; /* socket; NULL: none */
    char *record;  /* file; NULL: none */
    char *role;
    char *dialect;
    uint64_t coordinator; /* 1 is the first host */
    bool help;
    bool version;
};

/* args: behind the program's name. badValue. Cleared by the caller in any case. */
bool xf_options_parse(struct xf_options *options, char **args, GError **error);
void xf_options_clear(struct xf_options *options);
/* Newly allocated. */
char *xf_options_help(void);
/* enum xf_dialect. */
unsigned xf_options_dialect(const struct xf_options *options);
bool xf_options_read_only(const struct xf_options *options);
