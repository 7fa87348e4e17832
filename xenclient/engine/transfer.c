/* Export and import: what the engine knows better than the store. */
#include "xenclient/engine/transfer.h"

#include "xenclient/engine/private.h"

#include <string.h>

static bool check_source(const char *name, const struct xc_transfer_record *source, GError **error)
{
    g_autoptr(GError) inner = NULL;

    if (xc_policy_uri(source->values[XC_SOURCE_URI], &inner))
        return true;
    return xc_fail(error, XC_CAUSE_BAD_VALUE, "%s:%u: uri of source %s: %s", name, source->line,
                   source->values[0], inner->message);
}

struct xc_transfer *xc_import_read(const char *name, const char *text, size_t length,
                                   GError **error)
{
    g_autoptr(xc_transfer) read = xc_transfer_parse(name, text, length, error);

    for (guint i = 0; read && i < read->records->len; i++) {
        const struct xc_transfer_record *record = read->records->pdata[i];

        if (record->section == XC_TRANSFER_SOURCE && !check_source(name, record, error))
            return NULL;
    }
    return g_steal_pointer(&read);
}

char *xc_export_text(const char *state_dir, GError **error)
{
    g_autoptr(xc_transfer) state = xc_transfer_load(state_dir, error);
    g_autoptr(xc_transfer) again = NULL;
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *stamp = g_date_time_format(now, "%Y-%m-%dT%H:%M:%SZ");
    g_autofree char *text = NULL;

    if (!state)
        return NULL;
    xc_transfer_put(state->head, XC_HEAD_WRITTEN, stamp);
    xc_transfer_put(state->head, XC_HEAD_BY, XENSNMP_VERSION);
    text = xc_transfer_write(state);
    /* Better now than on the new machine, when the old one is gone. */
    again = xc_import_read("(what would be exported)", text, strlen(text), error);
    return again ? g_steal_pointer(&text) : NULL;
}
