/* What the parts of the reader of the configuration file share. Nobody but the config files includes this. */
#pragma once

#include "xenclient/engine/config.h"

enum kind { NUMBER, SWITCH, TEXT, PATH, CHOICE, LIST };
/* Takes effect when the file is read again, or not before a restart. */
enum when { AT_ONCE, AT_START };

/* One option of a section. */
struct option {
    const char *name;
    enum kind kind;
    enum when when;
    size_t offset;
    const char *initial; /* default, in the file's own form */
    unsigned min, max;   /* NUMBER */
    const char *choices; /* CHOICE: words separated by blanks */
    const char *help;
};

/* The file being read, for messages that name the line. */
struct reading {
    const char *path;
    char **lines;
    GKeyFile *file;
};

/* The message names file, line, section and key (NULL: the section itself). Returns false. */
bool xc_config_wrong(const struct reading *r, const char *section, const char *key, GError **error,
                     const char *format, ...) G_GNUC_PRINTF(5, 6);
/* Puts a value in its place in the struct of its section. False: it is not allowed. */
bool xc_config_assign(void *section, const struct option *option, const char *text);
/* All keys of a section, into its struct. */
bool xc_config_read_keys(const struct reading *r, const char *section, void *to,
                         const struct option *known, size_t n_known, GError **error);
/* A table as commented lines of a sample, and as lines for programs. */
void xc_config_put_samples(GString *out, const struct option *table, size_t n);
void xc_config_put_options(GString *out, const char *section, const struct option *table, size_t n);

/* config_group.c */
bool xc_config_is_group(const char *section);
/* All sections of groups and of their members, in whatever order they stand. */
bool xc_config_read_groups(const struct reading *r, struct xc_config *config, GError **error);
void xc_config_sample_groups(GString *out);
void xc_config_options_groups(GString *out);
