/* Export files for tests: one with everything that is hard to write, and the right end for any text. */
#pragma once

#include <glib.h>
#include <string.h>

#define TRANSFER_HEAD                                                                              \
    "[xensnmp-export]\nversion = 1\nnext_domain = 8\nnext_operation = 3\nnext_event = 5\n"
#define TRANSFER_BODY                                                                              \
    "# comment\n[source lab]\nuri = ssh://root@192.0.2.7\ncredential = key\nenabled = no\n"        \
    "interval = 30\n\n[domain 5]\nname = a\\\\b \\x0a=[x]\\x20\nhome = lab\nwanted = running\n"    \
    "protect = yes\n\n[domain 7]\n\n[identity config:lab:/etc/xen/a b].cfg]\ndomain = 5\n"         \
    "[identity uuid:x]\ndomain = 7\n[host u-1]\nkey = lab.one\n"

/* With the [end] that belongs to it; whatever [end] it has goes. */
static inline char *transfer_seal(const char *text)
{
    const char *end = g_strrstr(text, "[end]\n");
    g_autofree char *body = end ? g_strndup(text, (gsize)(end - text)) : g_strdup(text);
    g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, body, -1);
    g_auto(GStrv) lines = g_strsplit(body, "\n", -1);
    unsigned records = 0;

    for (char **line = lines; *line; line++)
        records += (*line)[0] == '[' && !g_str_has_prefix(*line, "[xensnmp-export]");
    return g_strdup_printf("%s[end]\nrecords = %u\nsha256 = %s\n", body, records, sum);
}
