/* Reads the answers in tests/fixtures/xapi, and hands answers to the readers in pieces. */
#pragma once

#include "xenclient/drivers/xapi_call.h"
#include "xenclient/drivers/xapi_mirror.h"

#include <string.h>

G_GNUC_UNUSED static char *xapi_fixture(const char *name)
{
    g_autofree char *path = g_build_filename("tests", "fixtures", "xapi", name, NULL);
    g_autoptr(GError) error = NULL;
    char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, &error))
        g_error("%s (run from the top of the tree)", error->message);
    return text;
}

/* An answer that holds this value. */
G_GNUC_UNUSED static char *xapi_success(const char *value)
{
    return g_strdup_printf("<methodResponse><params><param><value><struct><member><name>Status"
                           "</name><value>Success</value></member><member><name>Value</name>"
                           "<value>%s</value></member></struct></value></param></params>"
                           "</methodResponse>",
                           value);
}

/* An answer that refuses with these words, separated by '|'. */
G_GNUC_UNUSED static char *xapi_failure(const char *words)
{
    g_auto(GStrv) each = g_strsplit(words, "|", -1);
    GString *out = g_string_new("<methodResponse><params><param><value><struct><member><name>"
                                "Status</name><value>Failure</value></member><member><name>"
                                "ErrorDescription</name><value><array><data>");

    for (char **word = each; *word; word++)
        g_string_append_printf(out, "<value>%s</value>", *word);
    g_string_append(out, "</data></array></value></member></struct></value></param></params>"
                         "</methodResponse>");
    return g_string_free(out, FALSE);
}

/* Reads an answer in pieces of that size. */
G_GNUC_UNUSED static bool xapi_read(const char *answer, size_t piece, const struct xapi_want *want,
                                    GPtrArray **words, GError **error)
{
    g_autoptr(xapi_envelope) envelope = xapi_envelope_new(want);
    size_t length = strlen(answer);

    *words = NULL;
    for (size_t at = 0; at < length; at += piece)
        if (!xapi_envelope_feed(answer + at, MIN(piece, length - at), envelope, error))
            return false;
    return xapi_envelope_end(envelope, words, error);
}

/* The batch that an answer of event.from holds. */
G_GNUC_UNUSED static struct xapi_batch *xapi_read_batch(const char *answer, GError **error)
{
    g_autoptr(xapi_batch) batch = xapi_batch_new();
    const struct xapi_want want = {&xapi_batch_sink, batch, 0};
    g_autoptr(GPtrArray) words = NULL;

    return xapi_read(answer, 4096, &want, &words, error) ? g_steal_pointer(&batch) : NULL;
}
