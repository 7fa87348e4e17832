/* Settings made by SNMP: texts under a name, on their way from the journal to state.db and back. */
#include "xenclient/engine/private.h"

#include <string.h>

void xc_setting_load(const char *name, const char *value, void *data)
{
    struct xc_engine *engine = data;

    if (strcmp(name, XC_SETTING_NOTIFIED) == 0)
        xc_notify_load(engine, value);
    else if (strcmp(name, XC_SETTING_CLASSES) == 0)
        xc_notify_set_classes(engine, value);
    else if (g_str_has_prefix(name, XC_SETTING_THRESHOLD))
        xc_thresholds_load(engine, name + strlen(XC_SETTING_THRESHOLD), value);
}

/* Newly allocated; NULL: it is not set. */
static char *value_of(struct xc_engine *engine, const char *name)
{
    if (strcmp(name, XC_SETTING_CLASSES) == 0)
        return xc_notify_classes_text(engine);
    if (g_str_has_prefix(name, XC_SETTING_THRESHOLD))
        return xc_thresholds_text(engine, name + strlen(XC_SETTING_THRESHOLD));
    return NULL;
}

void xc_setting_save(struct xc_engine *engine, const char *name)
{
    g_autofree char *value = value_of(engine, name);

    xc_store_put_setting(engine->store, name, value, NULL, NULL);
}

bool xc_setting_intent(struct xc_engine *engine, struct xc_reader *reader, char **name)
{
    g_autofree char *which = xc_get_text(reader, XC_TEXT_MAX);
    g_autofree char *value = xc_get_text(reader, 1024);

    if (!xc_reader_end(reader))
        return false;
    if (*value)
        xc_setting_load(which, value, engine);
    else if (g_str_has_prefix(which, XC_SETTING_THRESHOLD))
        xc_thresholds_drop(engine, which + strlen(XC_SETTING_THRESHOLD));
    *name = g_steal_pointer(&which);
    return true;
}

void xc_txn_put_setting(struct xc_txn *txn, const char *name, const char *value)
{
    GByteArray *payload = g_byte_array_new();

    xc_put_text(payload, name);
    xc_put_text(payload, value);
    xc_txn_add_intent(txn, XC_INTENT_SETTING, payload, "");
}
