/* The two texts, written and read. */
#include "xenclient/drivers/xapi_mark.h"

#include "xenclient/util/text.h"

#include <string.h>

#define REF_OCTETS  128
#define SECONDS_MAX ((gint64)1 << 40)

void xapi_mark_parse(struct xapi_mark *mark, const char *text)
{
    g_auto(GStrv) words = g_strsplit(text ? text : "", " ", XAPI_MARK_PAST + 3);
    guint n = g_strv_length(words);

    memset(mark, 0, sizeof(*mark));
    if (n < 2 || !xc_uuid_parse(words[0], &mark->op) ||
        !xc_text_to_i64(words[1], 0, SECONDS_MAX, &mark->seconds, NULL)) {
        memset(mark, 0, sizeof(*mark));
        return;
    }
    for (guint i = 2; i < n && i < XAPI_MARK_PAST + 2; i++)
        if (!xc_uuid_parse(words[i], &mark->past[i - 2]))
            return;
}

char *xapi_mark_format(const struct xapi_mark *mark, const struct xc_uuid *op, gint64 seconds)
{
    GString *out = g_string_new(NULL);
    char uuid[XC_UUID_TEXT];

    xc_uuid_format(op, uuid);
    g_string_append_printf(out, "%s %" G_GINT64_FORMAT, uuid, seconds);
    for (unsigned i = 0; i < XAPI_MARK_PAST; i++) {
        const struct xc_uuid *past = i ? &mark->past[i - 1] : &mark->op;

        if (xc_uuid_is_nil(past))
            break;
        xc_uuid_format(past, uuid);
        g_string_append_printf(out, " %s", uuid);
    }
    return g_string_free(out, FALSE);
}

enum xapi_mark_place xapi_mark_find(const struct xapi_mark *mark, const struct xc_uuid *op)
{
    if (xc_uuid_equal(&mark->op, op))
        return XAPI_MARK_LAST;
    for (unsigned i = 0; i < XAPI_MARK_PAST; i++)
        if (xc_uuid_equal(&mark->past[i], op))
            return XAPI_MARK_BEFORE;
    return XAPI_MARK_NOT;
}

char *xapi_task_mark_format(const struct xc_uuid *op, const char *task)
{
    char uuid[XC_UUID_TEXT];

    xc_uuid_format(op, uuid);
    return g_strdup_printf("%s %s", uuid, task);
}

char *xapi_task_mark_of(const char *text, const struct xc_uuid *op)
{
    const char *space = text ? strchr(text, ' ') : NULL;
    g_autofree char *uuid = space ? g_strndup(text, (gsize)(space - text)) : NULL;
    struct xc_uuid named;
    size_t length;

    if (!uuid || !xc_uuid_parse(uuid, &named) || !xc_uuid_equal(&named, op))
        return NULL;
    length = strlen(space + 1);
    return length && length <= REF_OCTETS && !strchr(space + 1, ' ') ? g_strdup(space + 1) : NULL;
}
