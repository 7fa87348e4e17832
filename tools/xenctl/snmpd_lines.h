/* The lines of snmpd's configuration, with the places where they stand. */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct snmpd_line {
    char *file;
    unsigned number; /* from 1 */
    char *section;   /* "snmpd", "snmp", ... */
    char *token;
    char **
        words; /* behind the token, as snmpd splits them: at blanks, with their quotes; up to a comment */
    unsigned n_words;
};

struct snmpd_lines {
    GPtrArray *lines;  /* struct snmpd_line * */
    GPtrArray *files;  /* char *: read, or still to be read */
    GPtrArray *unread; /* char *: could not be read, each with the reason */
};

void snmpd_lines_init(struct snmpd_lines *lines);
void snmpd_lines_clear(struct snmpd_lines *lines);
/* One file's text; section: the one that it begins in. What it includes is added to files. */
void snmpd_lines_parse(struct snmpd_lines *lines, const char *text, const char *file,
                       const char *section);
/* The file, what it includes, and snmp.conf beside it. False: the file itself can't be read. */
bool snmpd_lines_load(struct snmpd_lines *lines, const char *path, GError **error);

unsigned snmpd_lines_count(const struct snmpd_lines *lines);
const struct snmpd_line *snmpd_line_at(const struct snmpd_lines *lines, unsigned i);
/* Has it that token, in section snmpd? Tokens are alike in capitals and small letters. */
bool snmpd_line_is(const struct snmpd_line *line, const char *token);
/* The word, or "" behind the last. */
const char *snmpd_line_word(const struct snmpd_line *line, unsigned i);
