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

static void put(char **to, const char *text)
{
    g_free(*to);
    *to = g_strdup(text);
}

/* One member or host of a group, by the rules for definitions. */
static bool check_group_part(const char *name, const struct xc_transfer_record *record,
                             GError **error)
{
    g_autoptr(xc_group_spec) spec = xc_group_spec_new("group");
    const char *part = strchr(record->values[0], '/') + 1;
    g_autoptr(GError) inner = NULL;

    if (record->section == XC_TRANSFER_MEMBER) {
        struct xc_member_spec *member = xc_group_member_get(spec, part);

        put(&member->descr, record->values[XC_MEMBER_DESCR]);
        put(&member->create, record->values[XC_MEMBER_CREATE]);
        put(&member->pin, record->values[XC_MEMBER_PIN]);
    } else {
        xc_group_host_get(spec, part);
    }
    if (xc_group_spec_check(spec, &inner))
        return true;
    return xc_fail(error, XC_CAUSE_BAD_VALUE, "%s:%u: %s", name, record->line, inner->message);
}

static bool check_record(const char *name, const struct xc_transfer_record *record, GError **error)
{
    switch (record->section) {
    case XC_TRANSFER_SOURCE:
        return check_source(name, record, error);
    case XC_TRANSFER_MEMBER:
    case XC_TRANSFER_GROUP_HOST:
        return check_group_part(name, record, error);
    default:
        return true;
    }
}

struct xc_transfer *xc_import_read(const char *name, const char *text, size_t length,
                                   GError **error)
{
    g_autoptr(xc_transfer) read = xc_transfer_parse(name, text, length, error);

    for (guint i = 0; read && i < read->records->len; i++) {
        if (!check_record(name, read->records->pdata[i], error))
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
